//! What the contract says of the forms that events and the whole registry are given in.
use domain::{Resource, Seminar, StudyVisit, Year};
use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::{Building, as_file, operation, reference, spoken, told};
use crate::{
    export::Format,
    formats::{
        activities::{self, ActivitiesFilter, Activity},
        readiness::Readiness,
        table::Table,
    },
};

/// A form that events are given in.
struct Form {
    suffix: &'static str,
    name: &'static str,
    media_type: &'static str,
    about: &'static str,
    /// What is said of one event alone, where that is another thing.
    about_one: Option<&'static str>,
    answer: &'static str,
}

const CALENDAR: Form = Form {
    suffix: "ics",
    name: "Calendar",
    media_type: "text/calendar",
    about: "A calendar after RFC 5545, for calendar programs to subscribe to. An event of which \
        the first day is not known is left out, and its readiness says so; one that had a day which was \
        told stands on it as cancelled. What was withdrawn or deleted stays for a year as a cancelled \
        event on its day that tells nothing else.",
    about_one: Some(
        "A calendar after RFC 5545 with the event. There is none (422) when its first day is not known; \
            once a day was told, the event stands on it as cancelled. What was withdrawn or deleted stays \
            for a year as a cancelled event on its day that tells nothing else.",
    ),
    answer: "The calendar.",
};
const LINKED_DATA: Form = Form {
    suffix: "jsonld",
    name: "LinkedData",
    media_type: "application/ld+json",
    about: "In the words of schema.org: an EducationEvent with its series, its organisers, who \
        pays, and its presentations as parts. It begins and ends at an hour where the programme and the \
        time zone tell one, else on a day. What is not known is left out.",
    about_one: None,
    answer: "The linked data.",
};
const FEED: Form = Form {
    suffix: "atom",
    name: "Feed",
    media_type: "application/atom+xml",
    about: "A feed after RFC 4287: the hundred records that were changed last, the newest change \
        first.",
    about_one: None,
    answer: "The feed.",
};

impl Building<'_> {
    /// Tells the forms of events, and the archive.
    pub(super) fn formats(&mut self) {
        self.add::<Readiness>();
        self.events::<Seminar>();
        self.events::<StudyVisit>();
        self.activities();
        let mut get = operation(
            "readDump",
            "service",
            "Take all public records in one archive",
            "A zip file with every collection as NDJSON and as CSV, as of one moment, a \
             datapackage.json after Frictionless Data Package, and checksums.txt, which sha256sum \
             reads.",
            &["400"],
        );
        get["responses"]["200"] = json!({
            "description": "The archive.",
            "headers": told(&["ETag", "Content-Disposition"]),
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        });
        get["responses"]["304"] = reference("responses", "NotModified");
        self.paths.insert("/v1/dump.zip".into(), json!({"get": get}));
    }

    /// Tells the sheet of what was held, with its columns.
    fn activities(&mut self) {
        let mut about = "A row for each seminar and each study visit, in the order of their first \
            days, with what belongs to it, as of one moment: for the report of a year. It has them whatever their status: \
            `status=held` leaves what took place. Texts are in \
            one language, which `lang` chooses, and names with `; ` between them. What is not known \
            is empty.\n\n".to_owned();
        about.push_str(&columns_of(&json!(Activity::schema())));
        let mut get = operation(
            "exportActivities",
            Seminar::COLLECTION,
            "Take seminars and study visits as a sheet",
            &about,
            &["400", "404", "422"],
        );
        let mut filters = self.filters::<ActivitiesFilter>();
        self.schemas.insert(Year::name().into_owned(), json!(Year::schema()));
        filters.push(json!({
            "name": activities::YEAR, "in": "query", "required": false,
            "description": "That begin in this year; what is of no known year is in none.",
            "schema": reference("schemas", &Year::name()),
        }));
        as_file(&mut get, filters, &Table::of_schema::<Activity>(), &Format::ALL);
        self.paths
            .insert(format!("/v1/{}.{{format}}", activities::COLLECTION), json!({"get": get}));
    }

    fn events<R: Resource>(&mut self) {
        let collection = format!("/v1/{}", R::COLLECTION);
        let record = format!("{collection}/{{id}}");
        for form in [CALENDAR, LINKED_DATA] {
            let mut get = self.paths[&record]["get"].clone();
            get["operationId"] = format!("read{}{}", R::name(), form.name).into();
            get["summary"] =
                format!("Read a record of the {} as {}", spoken::<R>(), form.suffix).into();
            if form.suffix == CALENDAR.suffix {
                get["responses"]["422"] = reference("responses", "Invalid");
            }
            self.insert(format!("{record}.{}", form.suffix), get, &form);
        }
        for form in [CALENDAR, LINKED_DATA, FEED] {
            let mut get = self.paths[&collection]["get"].clone();
            get["operationId"] = format!("list{}{}", R::name(), form.name).into();
            get["summary"] = format!("List {} as {}", spoken::<R>(), form.suffix).into();
            let kept = |one: &Value| {
                let shared = one["$ref"].as_str().and_then(|path| path.rsplit('/').next());
                let paged = ["limit", "cursor", "with_total"];
                let sorted = form.suffix == FEED.suffix && one["name"] == "sort";
                !shared.is_some_and(|name| paged.contains(&name))
                    && one["name"] != "include"
                    && one["name"] != "facets"
                    && !sorted
            };
            if let Some(parameters) = get["parameters"].as_array_mut() {
                parameters.retain(kept);
            }
            self.insert(format!("{collection}.{}", form.suffix), get, &form);
        }

        let mut get = self.paths[&record]["get"].clone();
        get["operationId"] = format!("read{}Readiness", R::name()).into();
        get["summary"] =
            format!("Tell what a record of the {} lacks for each form", spoken::<R>()).into();
        get["description"] = "Whether the record can be told in each form, and which facts are missing if it cannot.".into();
        keep_path(&mut get);
        get["responses"]["200"] = json!({
            "description": "What is missing.",
            "headers": told(&["ETag"]),
            "content": {"application/json": {"schema": reference("schemas", "Readiness")}},
        });
        self.paths.insert(format!("{record}/readiness"), json!({"get": get}));
    }

    fn insert(&mut self, path: String, mut get: Value, form: &Form) {
        let one = form.about_one.filter(|_| path.contains("{id}"));
        get["description"] = one.unwrap_or(form.about).into();
        let schema = match form.suffix {
            "jsonld" => json!({"type": "object", "additionalProperties": true}),
            _ => json!({"type": "string"}),
        };
        get["responses"]["200"] = json!({
            "description": form.answer,
            "headers": told(&["ETag", "Content-Language"]),
            "content": {form.media_type: {"schema": schema}},
        });
        self.paths.insert(path, json!({"get": get}));
    }
}

/// The columns of what such a schema describes, each with what it tells, as a table in Markdown.
pub(super) fn columns_of(schema: &Value) -> String {
    let columns = schema["properties"].as_object().into_iter().flatten();
    let lines = columns.map(|(name, column)| {
        // What is said of a value that may be null stands beside the value.
        let within = column["oneOf"].as_array().into_iter().flatten();
        let mut said = [column].into_iter().chain(within);
        let words = said.find_map(|one| one["description"].as_str()).unwrap_or_default();
        format!("| `{name}` | {words} |\n")
    });
    "| column | what it tells |\n|---|---|\n".to_owned() + &lines.collect::<String>()
}

/// Leaves an operation no other parameters than those in its path.
pub(super) fn keep_path(get: &mut Value) {
    if let Some(parameters) = get["parameters"].as_array_mut() {
        parameters.retain(|one| one["in"] == "path");
    }
}
