//! What can go wrong, as RFC 9457 tells it.
use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
    web::Path,
};
use domain::{Deed, Refused, Resource, Topic, Violation, collections};
use persistence::{Error, MOST_TOLD, Referrer};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{country, formats::readiness::Gap, page};

mod faults;

/// Everything that a request can come to, other than success.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    errors: Vec<Fault>,
    headers: Vec<(&'static str, String)>,
    /// What it comes from, where that is ours to know and nobody else's.
    cause: Option<Box<str>>,
    /// The request, where its answer passes by the layer that tells it.
    request: Option<Uuid>,
}

/// A kind of problem.
#[derive(Debug)]
struct Kind {
    code: &'static str,
    status: u16,
    title: &'static str,
    meaning: &'static str,
}

/// A problem, after RFC 9457.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Where this kind of problem is described.
    #[schema(example = "/problems/not_found")]
    r#type: String,
    /// The kind of problem, in words.
    #[schema(example = "There is no such record")]
    title: &'a str,
    /// The HTTP status, repeated.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// This occurrence of it, in words.
    #[schema(example = "None of the seminars has that id or slug.")]
    detail: &'a str,
    /// The request, as a URN of its id: name it when you ask for help.
    #[schema(example = "urn:uuid:01931f6e-6c00-7000-8000-000000000001")]
    instance: String,
    /// The kind of problem, for programs; it never changes.
    #[schema(example = "not_found")]
    code: &'a str,
    /// Everything that is wrong, each with its place.
    errors: &'a [Fault],
}

/// One thing that is wrong with a request, and where: `pointer`, `parameter` or `header`, of which
/// at most one is there, or none where it is about no one place.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(examples(json!({"parameter": "limit", "code": "invalid_parameter",
    "detail": "It cannot be used: it is a number from 1 to 100."})))]
pub struct Fault {
    /// Where in the body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "/starts_on")]
    pointer: Option<String>,
    /// Which parameter of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "limit")]
    parameter: Option<String>,
    /// Which header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "If-Match")]
    header: Option<String>,
    /// What is wrong, for programs.
    #[schema(example = "missing_field")]
    code: String,
    /// What is wrong, for people.
    #[schema(example = "kind is missing.")]
    detail: String,
    /// Which record refers to this one, where that is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Referring, required = false)]
    referrer: Option<Referring>,
}

/// A record that refers to another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Referring {
    /// The collection that it is in.
    #[schema(example = "presentations")]
    resource: String,
    /// Its id.
    id: Uuid,
    /// The field in which it does, as a JSON pointer without the places in lists.
    #[schema(example = "/speakers/person_id")]
    field: String,
}

impl Fault {
    pub(crate) fn parameter(name: &str, code: &str, detail: impl Into<String>) -> Self {
        Self {
            parameter: Some(name.to_owned()),
            code: code.to_owned(),
            detail: detail.into(),
            ..Self::default()
        }
    }
}

impl Fault {
    /// Whether it is about that parameter.
    pub(crate) fn names(&self, parameter: &str) -> bool {
        self.parameter.as_deref() == Some(parameter)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = [&self.pointer, &self.parameter, &self.header].into_iter().flatten().next();
        if let Some(place) = place.filter(|place| !place.is_empty()) {
            write!(to, "{place} ")?;
        }
        write!(to, "{}: {}", self.code, self.detail)
    }
}

impl From<Violation> for Fault {
    fn from(broken: Violation) -> Self {
        Self {
            pointer: Some(broken.pointer),
            code: broken.code,
            detail: broken.detail,
            ..Self::default()
        }
    }
}

macro_rules! kinds {
    ($($name:ident $status:literal $code:literal $title:literal $meaning:literal;)*) => {
        $(pub(crate) const $name: &Kind =
            &Kind { code: $code, status: $status, title: $title, meaning: $meaning };)*
        const ALL: &[&Kind] = &[$($name),*];
    };
}

mod kinds {
    use super::Kind;
    kinds! {
        MALFORMED 400 "malformed_body" "The body cannot be read"
            "The body is no JSON, or says one name twice: mend it at the place that errors points \
             to, and send it again.";
        INVALID_BODY 400 "invalid_body" "The body does not have the form of the resource"
            "Fields are missing, unknown or of a wrong form: compare the body with the contract \
             at each place that errors points to.";
        INVALID_QUERY 400 "invalid_parameter" "A parameter cannot be used"
            "A parameter is unknown, is given twice or has a value that it cannot have: errors \
             names each of them, and the contract tells what the address takes.";
        INVALID_CURSOR 400 "invalid_cursor" "The cursor does not belong to this list"
            "A cursor holds only for the filters and the order that it was given for: begin at \
             the first page again, or go on with the cursor as it was given.";
        BAD_REQUEST 400 "bad_request" "The request cannot be read"
            "The request is not as HTTP and the contract have it: detail tells where, and the \
             same request will never succeed.";
        UNAUTHENTICATED 401 "unauthenticated" "A valid token is needed"
            "There is no token, or none that holds: send one as Authorization: Bearer, and ask an \
             admin for a new one if it has ended or was revoked.";
        FORBIDDEN 403 "forbidden" "The token does not allow that"
            "The token holds, but its role or its projects do not allow this: use another one, or \
             ask an admin.";
        OTHER_PROJECT 403 "other_project" "The token is limited to other projects"
            "The record belongs to a project that the token is not limited to, or would: use a \
             token of that project.";
        SAME_PERSON 403 "same_person" "Somebody else has to publish it"
            "Who wrote it may not publish it as well: ask another publisher.";
        NOT_FOUND 404 "not_found" "There is no such record"
            "No record of this collection has that id or slug, or it is not public: look for it \
             in the list.";
        NO_ROUTE 404 "no_such_address" "There is nothing at this address"
            "No operation has this address: see /docs for those there are.";
        METHOD 405 "method_not_allowed" "The address does not take this method"
            "The address is right, but not for this method: the Allow header names those that it \
             takes.";
        TIMEOUT 408 "request_timeout" "The request took too long to arrive"
            "The request was not whole in time: send it again, over a better connection or with \
             less in it.";
        TAKEN 409 "slug_taken" "Another record has that slug"
            "A slug belongs to one record of its collection: choose another one, or change the \
             record that has it.";
        IN_USE 409 "in_use" "Other records refer to this one"
            "A record is deleted only when none refers to it, and hidden again only when nothing \
             public does: errors names those that do, so change, hide or delete them first.";
        WRONG_STATE 409 "wrong_state" "The record stands at another point of its way"
            "The step cannot be taken from where the record stands: its state tells which can.";
        MOVED_ON 409 "moved_on" "The record has changed since that was proposed"
            "The proposal was made to an older revision: compare it with the record, and send the \
             present ETag as If-Match to accept it all the same, or decline it.";
        DECIDED 409 "already_decided" "It was decided before"
            "A proposal is accepted, declined or taken back once: read it to see which it was.";
        IN_FLIGHT 409 "in_flight" "A request with that key is still being answered"
            "The first request with that Idempotency-Key has not been answered yet: send it \
             again in a moment.";
        WEBHOOKS 409 "too_many_webhooks" "There are too many webhooks"
            "As many webhooks as there can be are kept already: delete one that nobody needs any \
             more.";
        WEBHOOK_OFF 409 "webhook_off" "The webhook is switched off"
            "A webhook that is switched off sends nothing: set enabled to true, and try again.";
        STALE 412 "stale_revision" "The record has changed since it was read"
            "Somebody has changed the record meanwhile: read it again, make your change to what \
             you find, and send the new ETag as If-Match. A row of a table tells its revision in the \
             column of that name: take a new file, or leave that cell empty.";
        TOO_LARGE 413 "body_too_large" "The body is too large"
            "The body has more bytes than the address takes: detail tells how many there may be, \
             so send less at once.";
        ADDRESS 414 "address_too_long" "The address is too long"
            "The address has too many characters: detail tells how many there may be, so ask for \
             less at once.";
        MEDIA_TYPE 415 "unsupported_media_type" "The body has a media type that cannot be read"
            "The Content-Type is none that the address reads: the Accept or Accept-Patch header \
             names the one to send.";
        INVALID 422 "invalid_record" "The record breaks a rule"
            "The body can be read, but cannot be true or does not fit other records: errors names \
             each rule that it breaks, and where.";
        IMPORT 422 "invalid_import" "What was sent cannot be taken like that"
            "The import names no resource or file that can be taken, or columns that are not there: \
             errors names each, so mend the request and send it again.";
        UNREADABLE 422 "unreadable_file" "The file cannot be read as what it is said to be"
            "The file is damaged, or of another form or encoding than was said: save it anew, or \
             say what it is.";
        KEY_REUSED 422 "idempotency_key_reused" "The key has been used for another request"
            "An Idempotency-Key stands for one request: make a new key for another one.";
        ROWS 422 "too_many_rows" "The list has more rows than a sheet can have"
            "A spreadsheet cannot hold so many rows: narrow the list with filters, or take it as \
             csv or ndjson. A table that is sent is to be split into several files.";
        CELL 422 "too_long_for_cell" "A cell of a sheet cannot hold the text"
            "A spreadsheet would cut off the end of a text, and whoever sent the sheet back would \
             lose it: take the list as csv or ndjson, or leave out that column with fields.";
        REVEALING 422 "too_revealing" "The figures would tell of single people"
            "Figures of participants are split and narrowed by one thing about a person at a time, \
             and only registrars see days attended and organisations: ask for less at once.";
        CONVERTED 422 "already_converted" "All money is in one currency"
            "Money that is converted to one currency cannot be split by currency: leave out one of \
             the two.";
        GROUPS 422 "too_many_groups" "The figures have too many groups"
            "So many groups are no figures any more: narrow them with filters, or split by less.";
        UNITS 422 "several_units" "A chart has one unit"
            "Figures in different units have no place on one axis, and flows of money none in one \
             stack: narrow them to one metric, one currency or one flow, or draw flows as bars.";
        MISLEADING 422 "misleading_chart" "Such a chart would mislead"
            "A line leads from time to time, and a stack adds up what it shows: draw bars where the \
             figures are neither.";
        NOT_READY 422 "not_ready" "The record lacks what the format needs"
            "The format has facts that it cannot do without, and some are not known: errors names \
             each with its rule, so add them to the records that its pointer names.";
        UNCONDITIONAL 428 "precondition_required" "If-Match is needed"
            "A change needs the ETag of the revision that it is made to: read the record, and \
             send its ETag as If-Match.";
        TOO_MANY 429 "too_many_requests" "Too many requests"
            "More was asked in a minute than one client may ask: try again after the seconds that \
             Retry-After tells, send If-None-Match, since what has not changed is not counted, or \
             follow /v1/changes instead of asking again and again.";
        INTERNAL 500 "internal" "The service failed"
            "Something went wrong that is not the fault of the request: try again later, and name \
             the instance when you ask for help.";
        UNAVAILABLE 503 "unavailable" "The service cannot answer that now"
            "The database, or whom the service asks who you are, is away or too busy, or the service is \
             about to end: try again after the seconds that Retry-After tells.";
        IMPORTS 503 "too_many_imports" "Too many imports are on their way"
            "As many imports as there can be are waiting already: try again after the seconds that \
             Retry-After tells.";
        STREAMS 503 "too_many_streams" "Too many streams are open"
            "As many streams as there can be are open already: ask /v1/changes meanwhile, and try \
             again after the seconds that Retry-After tells.";
    }
    pub(super) const KINDS: &[&Kind] = ALL;
}

impl Problem {
    fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, detail, errors: Vec::new(), headers: Vec::new(), cause: None, request: None }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn malformed(pointer: String, detail: String) -> Self {
        let fault = Fault {
            pointer: Some(pointer),
            code: "malformed_json".into(),
            detail: detail.clone(),
            ..Fault::default()
        };
        Self { errors: vec![fault], ..Self::new(kinds::MALFORMED, detail) }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(kinds::BAD_REQUEST, detail)
    }

    pub(crate) fn invalid_query(errors: Vec<Fault>) -> Self {
        let detail = "See errors for each parameter that cannot be used.";
        Self { errors, ..Self::new(kinds::INVALID_QUERY, detail) }
    }

    pub(crate) fn invalid_cursor() -> Self {
        let detail = "A cursor goes with the filters and the sort that it was given for.";
        let fault = Fault::parameter("cursor", "invalid_cursor", detail);
        Self { errors: vec![fault], ..Self::new(kinds::INVALID_CURSOR, detail) }
    }

    pub(crate) fn invalid_place() -> Self {
        let detail = "A cursor of the feed is one that the feed has given.";
        let fault = Fault::parameter("after", "invalid_cursor", detail);
        Self { errors: vec![fault], ..Self::new(kinds::INVALID_CURSOR, detail) }
    }

    pub(crate) fn invalid_event() -> Self {
        let detail = "Last-Event-ID is the id of an event that the feed has given.";
        let fault = Fault {
            header: Some("Last-Event-ID".into()),
            code: "invalid_cursor".into(),
            detail: detail.into(),
            ..Fault::default()
        };
        Self { errors: vec![fault], ..Self::new(kinds::INVALID_CURSOR, detail) }
    }

    pub(crate) fn too_many_webhooks() -> Self {
        Self::new(kinds::WEBHOOKS, "Delete one that nobody needs any more.")
    }

    pub(crate) fn webhook_off() -> Self {
        Self::new(kinds::WEBHOOK_OFF, "Set enabled to true first.")
    }

    pub(crate) fn too_many_streams() -> Self {
        Self::new(kinds::STREAMS, "Ask /v1/changes meanwhile.").with("retry-after", "30")
    }

    pub(crate) fn too_many_requests(most: u64, wait: u64) -> Self {
        let detail = format!("One client may send {most} requests a minute.");
        Self::new(kinds::TOO_MANY, detail).with("retry-after", wait.to_string())
    }

    pub(crate) fn unread() -> Self {
        let detail = "Read the files that were asked for before, or close their connections.";
        Self::new(kinds::TOO_MANY, detail).with("retry-after", "30")
    }

    pub(crate) fn too_many_imports() -> Self {
        Self::new(kinds::IMPORTS, "Wait until some of them are over.").with("retry-after", "30")
    }

    pub(crate) fn invalid_import(errors: Vec<Fault>) -> Self {
        let detail = "See errors for what does not go with what was sent.";
        Self { errors, ..Self::new(kinds::IMPORT, detail) }
    }

    pub(crate) fn unreadable_file(code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let fault = Fault {
            pointer: Some(String::new()),
            code: code.to_owned(),
            detail: detail.clone(),
            ..Fault::default()
        };
        Self { errors: vec![fault], ..Self::new(kinds::UNREADABLE, detail) }
    }

    /// Everything that is wrong, each with its place.
    #[must_use]
    pub fn errors(&self) -> &[Fault] {
        &self.errors
    }

    pub(crate) fn unauthenticated() -> Self {
        let detail = "Send Authorization: Bearer <token>, with a token that holds.";
        Self::new(kinds::UNAUTHENTICATED, detail)
            .with("www-authenticate", "Bearer realm=\"capacity-hub\"")
    }

    pub(crate) fn forbidden(deed: Deed) -> Self {
        Self::new(kinds::FORBIDDEN, format!("It needs {}.", deed.needs()))
    }

    pub(crate) fn no_route() -> Self {
        Self::new(kinds::NO_ROUTE, "See /docs for the addresses there are.")
    }

    pub(crate) fn no_record(collection: &str) -> Self {
        let name = match collection {
            Topic::COLLECTION => "id or code",
            country::COLLECTION => "code",
            records if collections().contains(&records) => "id or slug",
            _ => "id",
        };
        Self::new(kinds::NOT_FOUND, format!("None of the {collection} has that {name}."))
    }

    pub(crate) fn method(allow: String) -> Self {
        Self::new(kinds::METHOD, format!("It takes {allow}.")).with("allow", allow)
    }

    pub(crate) fn timeout() -> Self {
        Self::new(kinds::TIMEOUT, "The body did not arrive in time.")
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(kinds::TOO_LARGE, format!("A body has at most {limit} bytes."))
    }

    pub(crate) fn too_many_rows(count: u64, limit: u64) -> Self {
        let detail = format!(
            "A sheet has at most {limit} rows, and this list has {count}: narrow it, or take it as csv or ndjson."
        );
        Self::new(kinds::ROWS, detail)
    }

    pub(crate) fn too_long_for_cell(column: &str, row: u32, limit: usize) -> Self {
        let detail = format!(
            "A cell has at most {limit} characters, and {column} has more in row {row}: take the list as csv or ndjson, or choose other columns with fields."
        );
        Self::new(kinds::CELL, detail)
    }

    pub(crate) fn too_revealing(errors: Vec<Fault>) -> Self {
        let detail = "See errors for each parameter that asks for too much at once.";
        Self { errors, ..Self::new(kinds::REVEALING, detail) }
    }

    pub(crate) fn already_converted() -> Self {
        let detail = "Leave out converted_to, or the split by currency.";
        Self::new(kinds::CONVERTED, detail)
    }

    pub(crate) fn too_many_groups(most: usize) -> Self {
        Self::new(kinds::GROUPS, format!("An answer has at most {most} groups."))
    }

    pub(crate) fn too_large_chart(categories: usize, series: usize) -> Self {
        let detail = format!("A chart has at most {categories} groups and {series} series.");
        Self::new(kinds::GROUPS, detail)
    }

    pub(crate) fn misleading_chart(detail: &str) -> Self {
        Self::new(kinds::MISLEADING, detail)
    }

    pub(crate) fn several_units(dimension: &str, values: &[String]) -> Self {
        let detail =
            format!("These figures have several: add {dimension}={}.", values.join(" or "));
        Self::new(kinds::UNITS, detail)
    }

    pub(crate) fn not_ready(missing: Vec<Gap>) -> Self {
        let fault = |gap: Gap| Fault {
            pointer: Some(gap.pointer),
            code: gap.rule.to_owned(),
            detail: gap.detail,
            ..Fault::default()
        };
        let errors = missing.into_iter().map(fault).collect();
        let detail = "See errors for each fact that is missing, with the rule that asks for it.";
        Self { errors, ..Self::new(kinds::NOT_READY, detail) }
    }

    pub(crate) fn too_long(limit: usize) -> Self {
        Self::new(kinds::ADDRESS, format!("An address has at most {limit} characters."))
    }

    pub(crate) fn media_type(wanted: &'static str, patch: bool) -> Self {
        let problem = Self::new(kinds::MEDIA_TYPE, format!("Send {wanted}."));
        if patch { problem.with("accept-patch", wanted) } else { problem.with("accept", wanted) }
    }

    pub(crate) fn charset(wanted: &'static str) -> Self {
        let detail = "The charset is none that is known here: UTF-8 is.";
        Self::new(kinds::MEDIA_TYPE, detail).with("accept", wanted)
    }

    pub(crate) fn unconditional() -> Self {
        let detail = "Send the ETag of the revision that you have read.";
        let fault = Fault {
            header: Some("If-Match".into()),
            code: "precondition_required".into(),
            detail: detail.into(),
            ..Fault::default()
        };
        Self { errors: vec![fault], ..Self::new(kinds::UNCONDITIONAL, detail) }
    }

    pub(crate) fn no_revision() -> Self {
        let detail = "If-Match is the ETag of one revision, as it was read.";
        let fault = Fault {
            header: Some("If-Match".into()),
            code: "no_revision".into(),
            detail: detail.into(),
            ..Fault::default()
        };
        Self { errors: vec![fault], ..Self::bad_request(detail) }
    }

    pub(crate) fn no_such_revision() -> Self {
        Self::new(kinds::NOT_FOUND, "The record has no such revision.")
    }

    pub(crate) fn invalid_key() -> Self {
        let detail = "Idempotency-Key has 16 to 64 letters, digits, hyphens or underscores.";
        let fault = Fault { code: "invalid_key".into(), detail: detail.into(), ..of_key() };
        Self { errors: vec![fault], ..Self::bad_request(detail) }
    }

    pub(crate) fn no_key() -> Self {
        let detail =
            "Idempotency-Key goes with new records: what is asked here would be done again.";
        let fault = Fault { code: "unsupported_key".into(), detail: detail.into(), ..of_key() };
        Self { errors: vec![fault], ..Self::bad_request(detail) }
    }

    fn key_reused() -> Self {
        let detail = "Take a new key for each new request.";
        let fault = Fault { code: "key_reused".into(), detail: detail.into(), ..of_key() };
        Self { errors: vec![fault], ..Self::new(kinds::KEY_REUSED, detail) }
    }

    pub(crate) fn stale() -> Self {
        Self::new(kinds::STALE, "Read it again, and make your change to what you find.")
    }

    pub(crate) fn internal() -> Self {
        Self::new(kinds::INTERNAL, "It has been noted under the id of the request.")
    }

    /// What is ours to mend.
    pub(crate) fn broken(cause: impl std::fmt::Display) -> Self {
        Self { cause: Some(cause.to_string().into()), ..Self::internal() }
    }

    /// A file that was to be answered could not be written, which is ours to mend.
    pub(crate) fn unwritten(error: impl std::fmt::Display) -> Self {
        Self::broken(format_args!("a file cannot be written: {error}"))
    }

    /// Notes what is ours to mend, under the id of the request.
    pub(crate) fn note(&self, request_id: Uuid) {
        match (self.status_code(), &self.cause) {
            (StatusCode::INTERNAL_SERVER_ERROR, cause) => {
                let cause = cause.as_deref().unwrap_or("not known");
                tracing::error!(%request_id, cause, "the request failed");
            }
            (_, Some(cause)) => {
                tracing::warn!(%request_id, cause, "the database is away or too busy");
            }
            _ => {}
        }
    }

    /// The same, as the answer to that request.
    pub(crate) fn to(self, request: Uuid) -> Self {
        Self { request: Some(request), ..self }
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(kinds::UNAVAILABLE, "Try again in a moment.").with("retry-after", "5")
    }

    /// A problem for an error that another layer answered with a bare status.
    pub(crate) fn of_status(status: StatusCode, cause: Option<&actix_web::Error>) -> Self {
        let fits = |kind: &&&Kind| kind.status == status.as_u16();
        let problem = match kinds::KINDS.iter().find(fits) {
            Some(kind) if status != StatusCode::NOT_FOUND => {
                Self::new(kind, status.canonical_reason().unwrap_or_default())
            }
            Some(_) => Self::no_route(),
            None if status.is_server_error() => Self::internal(),
            None => Self::bad_request("The request cannot be read."),
        };
        Self { cause: cause.map(|cause| cause.to_string().into()), ..problem }
    }

    /// An error of the store, told for a collection.
    pub(crate) fn of(collection: &'static str) -> impl Fn(Error) -> Self {
        move |error| match error {
            Error::NotFound => Self::no_record(collection),
            Error::Stale => Self::stale(),
            Error::Forbidden => Self::forbidden(Deed::Publish),
            Error::Limited => {
                let detail = "It belongs to no project, and the token is limited to some.";
                Self::new(kinds::FORBIDDEN, detail)
            }
            Error::NotTheirs => Self::new(kinds::FORBIDDEN, "Only who made it takes it back."),
            Error::OtherProject => {
                let detail = "It belongs, or would belong, to a project that the token is not for.";
                Self::new(kinds::OTHER_PROJECT, detail)
            }
            Error::SamePerson => {
                Self::new(kinds::SAME_PERSON, "Whoever wrote it cannot make it public here.")
            }
            Error::WrongState(state) => {
                let state = serde_json::json!(state);
                let state = state.as_str().unwrap_or_default();
                let detail = format!("Its state is {state}, from which that step does not lead.");
                Self::new(kinds::WRONG_STATE, detail)
            }
            Error::MovedOn(revision) => {
                let detail = format!(
                    "It was proposed for revision {revision}: compare, and send the ETag of the \
                     present one as If-Match to accept it all the same."
                );
                Self::new(kinds::MOVED_ON, detail)
            }
            Error::Decided => Self::new(kinds::DECIDED, "See its status."),
            Error::Taken => {
                let field = if collection == "topics" { "/code" } else { "/slug" };
                let detail = format!("Another of the {collection} has it.");
                let fault = Violation::new(field, "slug_taken", &*detail).into();
                Self { errors: vec![fault], ..Self::new(kinds::TAKEN, detail) }
            }
            Error::InFlight => {
                let detail = "Send it again in a moment, to have the answer.";
                Self::new(kinds::IN_FLIGHT, detail).with("retry-after", "1")
            }
            Error::KeyReused => Self::key_reused(),
            Error::InUse(referrers) => {
                let fault = |one: Referrer| {
                    let Referrer { collection, id, slug, field } = one;
                    let detail = match slug.or_else(|| Some(id?.to_string())) {
                        Some(name) => format!("/v1/{collection}/{name} refers to it in {field}."),
                        None => format!("Some of the {collection} refer to it."),
                    };
                    let referrer = id.map(|id| Referring { resource: collection, id, field });
                    Fault { code: "in_use".into(), detail, referrer, ..Fault::default() }
                };
                let detail = match referrers.len() > MOST_TOLD {
                    true => "See errors for some of those that refer to it: there are more.",
                    false => "See errors for who refers to it.",
                };
                let errors = referrers.into_iter().take(MOST_TOLD).map(fault).collect();
                Self { errors, ..Self::new(kinds::IN_USE, detail) }
            }
            Error::Refused(broken) => Self::invalid(broken),
            Error::InvalidCursor => Self::invalid_cursor(),
            Error::Unavailable(_) | Error::Collided(_) => {
                Self { cause: Some(error.cause().into()), ..Self::unavailable() }
            }
            Error::Database(_) => {
                Self::broken(format_args!("the database failed: {}", error.cause()))
            }
        }
    }

    fn invalid(broken: Vec<Violation>) -> Self {
        let errors = broken.into_iter().map(Fault::from).collect();
        Self { errors, ..Self::new(kinds::INVALID, "See errors for each rule that it breaks.") }
    }

    /// The answer to that request.
    pub(crate) fn answer(&self, request_id: Uuid) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.headers {
            response.insert_header((*name, value.as_str()));
        }
        response
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .body(serde_json::to_vec(&self.told(request_id)).unwrap_or_default())
    }

    /// The same, to be shown.
    pub(crate) fn example(&self) -> serde_json::Value {
        serde_json::json!(self.told(Uuid::from_u128(0x0193_1f6e_6c00_7000_8000_0000_0000_0001)))
    }

    fn told(&self, request_id: Uuid) -> ProblemBody<'_> {
        ProblemBody {
            r#type: format!("/problems/{}", self.kind.code),
            title: self.kind.title,
            status: self.kind.status,
            detail: &self.detail,
            instance: format!("urn:uuid:{request_id}"),
            code: self.kind.code,
            errors: &self.errors,
        }
    }
}

/// A fault of the key that a request may be sent again with.
fn of_key() -> Fault {
    Fault { header: Some("Idempotency-Key".into()), ..Fault::default() }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Meaning(broken) => Self::invalid(broken),
            Refused::Form(broken) => {
                let errors = broken.into_iter().map(Fault::from).collect();
                let detail = "See errors for each field that is wrong.";
                Self { errors, ..Self::new(kinds::INVALID_BODY, detail) }
            }
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}: {}", self.kind.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Carries the problem to the edge, which knows the id of the request and writes it.
    fn error_response(&self) -> HttpResponse {
        let mut response = self.answer(self.request.unwrap_or_else(Uuid::now_v7));
        response.extensions_mut().insert(self.clone());
        response
    }
}

/// What a kind of problem means.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemKind {
    /// The kind of problem, for programs.
    #[schema(example = "stale_revision")]
    code: &'static str,
    /// The HTTP status that it comes with.
    #[schema(minimum = 400, maximum = 599, example = 412)]
    status: u16,
    /// The kind of problem, in words.
    #[schema(example = "The record has changed since it was read")]
    title: &'static str,
    /// What has happened then, and what to do.
    #[schema(example = "Somebody has changed the record meanwhile: read it again, make your \
        change to what you find, and send the new ETag as If-Match.")]
    meaning: &'static str,
}

impl ProblemKind {
    fn of(&Kind { code, status, title, meaning }: &Kind) -> Self {
        Self { code, status, title, meaning }
    }
}

/// What can go wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemKinds {
    /// The kinds of problems.
    problems: Vec<ProblemKind>,
    /// What each code means that stands in the errors of a problem only.
    errors: Vec<ProblemKind>,
}

/// List what can go wrong
///
/// Every kind of problem and every code in the `errors` of one, with what has happened then and what to
/// do; but for those of a format (`not_ready`), which are the names of its rules.
#[utoipa::path(get, path = "/problems", tag = "service", operation_id = "listProblemKinds",
    responses((status = 200, description = "What each means.", body = ProblemKinds)))]
pub(crate) async fn index(request: HttpRequest) -> HttpResponse {
    let told = ProblemKinds {
        problems: kinds::KINDS.iter().copied().map(ProblemKind::of).collect(),
        errors: faults::FAULTS.iter().map(ProblemKind::of).collect(),
    };
    page::either(&request, &told, |told| {
        let lists =
            [("Problems", &told.problems), ("What stands in the errors of one", &told.errors)];
        let page = page::Page::new("What can go wrong");
        let page = lists.into_iter().fold(page, |page, (heading, kinds)| {
            // By its code one is looked for.
            let links: Vec<_> = kinds
                .iter()
                .map(|ProblemKind { code, title, .. }| {
                    (format!("/problems/{code}"), format!("{title} ({code})"))
                })
                .collect();
            page.links(heading, links.iter().map(|(address, title)| (&**address, &**title)))
        });
        page.links("Go on", ONWARD)
    })
}

/// Where who reads of a problem goes on.
const ONWARD: [(&str, &str); 2] = [("/", "Capacity Hub"), ("/docs/", "The documentation")];

/// Every problem there is, and every code that stands in the errors of one. Those of a format, where
/// a record is not ready for it, are the names that the format itself gives its rules.
fn known(code: &str) -> Option<&'static Kind> {
    let faults = faults::FAULTS.iter();
    kinds::KINDS.iter().copied().chain(faults).find(|kind| kind.code == code)
}

/// Whether it is told what that code means.
#[must_use]
pub fn is_told(code: &str) -> bool {
    known(code).is_some()
}

/// Describe a kind of problem
///
/// Tells what a problem's `type` leads to, and what the codes in its `errors` mean.
#[utoipa::path(get, path = "/problems/{code}", tag = "service", operation_id = "readProblemKind",
    params(("code" = String, Path, description = "The code of the problem, or of one of its errors.",
        example = "not_found", pattern = "^[a-z_]{1,40}$")),
    responses((status = 200, description = "What it means.", body = ProblemKind)))]
pub(crate) async fn describe(
    request: HttpRequest,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let told = ProblemKind::of(known(&code).ok_or_else(Problem::no_route)?);
    Ok(page::either(&request, &told, |told| {
        let about = page::Page::new(told.title).says(told.meaning);
        about
            .adds(&format!("{} · HTTP {}", told.code, told.status))
            .links("Go on", [("/problems", "All that can go wrong")].into_iter().chain(ONWARD))
    }))
}
