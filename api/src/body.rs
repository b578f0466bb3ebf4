//! What a request brings: which revision it is about, and the body.
use std::{fmt, time::Duration};

use actix_web::{
    HttpRequest,
    http::header,
    web::{Bytes, BytesMut, Payload},
};
use domain::{Prose, Refused, Resource, Shape, Violation};
use futures_util::StreamExt;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Problem, answer};

/// How many bytes a body has at most.
pub(crate) const LIMIT: usize = 256 * 1024;
/// How deep lists and objects may lie in each other.
const DEPTH: usize = 64;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// What an entity tag says was read.
pub(crate) struct Tag {
    revision: i64,
    /// Of which record, if it says that.
    of: Option<u32>,
}

/// What was read, by `If-Match`: a list of entity tags, of which one has to fit.
pub(crate) fn tags(request: &HttpRequest) -> Result<Vec<Tag>, Problem> {
    let mut given = request.headers().get_all(header::IF_MATCH).peekable();
    if given.peek().is_none() {
        return Err(Problem::unconditional());
    }
    let given = given.map(|given| given.to_str().unwrap_or_default());
    let tags: Vec<_> = given.flat_map(listed).filter_map(Tag::read).collect();
    if tags.is_empty() { Err(Problem::no_revision()) } else { Ok(tags) }
}

/// The revisions that a change may be made to.
pub(crate) fn revisions(request: &HttpRequest) -> Result<Vec<i64>, Problem> {
    Ok(tags(request)?.into_iter().map(|tag| tag.revision).collect())
}

/// The same, where `If-Match` need not be sent.
pub(crate) fn revisions_if_sent(request: &HttpRequest) -> Result<Option<Vec<i64>>, Problem> {
    let tags = tags_if_sent(request)?;
    Ok(tags.map(|tags| tags.into_iter().map(|tag| tag.revision).collect()))
}

/// The revisions that a change may be made to, of that record: another may have been called so when it
/// was read.
pub(crate) fn revisions_of(tags: &[Tag], id: Uuid) -> Vec<i64> {
    let fits = |tag: &&Tag| tag.of.is_none_or(|of| of == answer::part_of(id));
    tags.iter().filter(fits).map(|tag| tag.revision).collect()
}

/// The same, where `If-Match` need not be sent: a tag of no revision is one that does not fit.
pub(crate) fn tags_if_sent(request: &HttpRequest) -> Result<Option<Vec<Tag>>, Problem> {
    match request.headers().contains_key(header::IF_MATCH) {
        true => tags(request).map(Some).map_err(|_| Problem::stale()),
        false => Ok(None),
    }
}

/// That revision, if it is among those that a change may be made to.
pub(crate) fn only(revisions: Vec<i64>, that: i64) -> Vec<i64> {
    revisions.into_iter().filter(|revision| *revision == that).collect()
}

/// The entity tags of a list: a comma may also be part of one.
fn listed(list: &str) -> Vec<&str> {
    let mut quoted = false;
    let between = |letter: char| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    };
    list.split(between).map(str::trim).collect()
}

impl Tag {
    /// A tag begins with the revision, and goes on with a part of the id; the rest of it tells
    /// representations apart.
    fn read(tag: &str) -> Option<Self> {
        let mut parts = tag.strip_prefix('"')?.strip_suffix('"')?.split('.');
        let revision = parts.next()?.parse().ok()?;
        let of = parts.next().filter(|rest| rest.len() == answer::PRINT + 8);
        let of = of.and_then(|rest| u32::from_str_radix(rest.get(..8)?, 16).ok());
        Some(Self { revision, of })
    }
}

/// The body, read and found to be in order.
pub(crate) async fn whole<R: Resource>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<R, Problem> {
    if !is(request, JSON) {
        return Err(Problem::media_type(JSON, false));
    }
    Ok(Shape::read(parse(&read(payload).await?)?)?)
}

/// Why something is done: it may be said, and need not be.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    /// Why it is done, for the history.
    #[schema(example = "Checked against the agenda.")]
    #[expect(dead_code, reason = "so it stands in the contract")]
    note: Option<Prose>,
}

/// Why something is done, if the body says so; there may be no body at all.
pub(crate) async fn note(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Option<String>, Problem> {
    let given = read(payload).await?;
    if given.is_empty() {
        return Ok(None);
    }
    if !is(request, JSON) {
        return Err(Problem::media_type(JSON, false));
    }
    let Value::Object(mut given) = parse(&given)? else { return Err(not_an_object()) };
    let note = given.remove("note").unwrap_or_default();
    let unknown = |name: &String| Violation::unknown_field(format!("/{}", domain::escaped(name)));
    let mut broken: Vec<_> = given.keys().map(unknown).collect();
    if !(note.is_string() || note.is_null()) {
        broken.push(Violation::new("/note", "wrong_type", "It is to be: string."));
    }
    if !broken.is_empty() {
        return Err(Refused::Form(broken).into());
    }
    let Some(note) = note.as_str() else { return Ok(None) };
    let note: Prose = note.parse().map_err(|error: String| {
        let detail = domain::sentence(&error);
        Refused::Meaning(vec![Violation::new("/note", "invalid_value", detail)])
    })?;
    Ok(Some(note.as_str().to_owned()))
}

/// The change to a body, as RFC 7396 tells.
pub(crate) async fn change(request: &HttpRequest, payload: Payload) -> Result<Value, Problem> {
    if !is(request, MERGE_PATCH) {
        return Err(Problem::media_type(MERGE_PATCH, true));
    }
    let change = parse(&read(payload).await?)?;
    if change.is_object() {
        return Ok(change);
    }
    Err(not_an_object())
}

fn not_an_object() -> Problem {
    Refused::Form(vec![Violation::new("", "wrong_type", "It is to be: object.")]).into()
}

/// A body after a change to some of it.
pub(crate) fn merged<R: Resource>(body: &R, change: Value) -> Result<R, Problem> {
    let mut merged = serde_json::json!(body);
    merge(&mut merged, change, Shape::of::<R>(), &mut Vec::new());
    Shape::read(merged).map_err(|refused| match refused {
        // The change itself has its form: it would only leave a record that lacks something.
        Refused::Form(broken) if !broken.iter().any(Violation::is_of_form) => {
            Refused::Meaning(broken).into()
        }
        other => other.into(),
    })
}

/// Null takes a field away; one that there is not stands in the body all the same, and is refused.
fn merge(target: &mut Value, change: Value, shape: &Shape, steps: &mut Vec<String>) {
    let Value::Object(change) = change else {
        *target = change;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in change {
        steps.push(name.clone());
        if value.is_null() && shape.knows(steps) {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value, shape, steps);
        }
        steps.pop();
    }
}

/// Whether that media type was sent, as UTF-8.
pub(crate) fn is(request: &HttpRequest, wanted: &str) -> bool {
    let mut parts = media_type(request);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
        && parts.all(|part| part.is_empty() || part.contains('='))
        && charset(request).is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
}

/// The media type that was sent, and its parameters.
pub(crate) fn media_type(request: &HttpRequest) -> impl Iterator<Item = &str> {
    let given = request.headers().get(header::CONTENT_TYPE);
    given.and_then(|given| given.to_str().ok()).unwrap_or_default().split(';').map(str::trim)
}

/// The encoding that the media type names.
pub(crate) fn charset(request: &HttpRequest) -> Option<&str> {
    media_type(request).skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"'))
    })
}

async fn read(payload: Payload) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    each(payload, LIMIT, PATIENCE, |part| {
        body.extend_from_slice(&part);
        Ok(())
    })
    .await?;
    Ok(body.freeze())
}

/// Hands over the parts of a body, as far as it is not too large and arrives in time.
pub(crate) async fn each(
    mut payload: Payload,
    limit: usize,
    patience: Duration,
    mut take: impl FnMut(Bytes) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let reading = async {
        let mut length = 0;
        while let Some(part) = payload.next().await {
            let part = part.map_err(|_| Problem::bad_request("The body broke off."))?;
            length += part.len();
            if length > limit {
                return Err(Problem::too_large(limit));
            }
            take(part)?;
        }
        Ok(())
    };
    tokio::time::timeout(patience, reading).await.map_err(|_| Problem::timeout())?
}

/// A body as JSON, of which nothing is lost.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Problem> {
    if body.trim_ascii().is_empty() {
        let detail = "There is no body: send one, in the form that the contract tells.";
        return Err(Problem::malformed(String::new(), detail.to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read: Result<Strict, _> = serde_path_to_error::deserialize(&mut reader);
    let value = read.map_err(|error| {
        let pointer = domain::pointer_of(error.path());
        Problem::malformed(pointer, error.into_inner().to_string())
    })?;
    reader.end().map_err(|error| Problem::malformed(String::new(), error.to_string()))?;
    if depth(&value.0) > DEPTH {
        let detail = format!("Lists and objects lie more than {DEPTH} deep in each other.");
        return Err(Problem::malformed(String::new(), detail));
    }
    Ok(value.0)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// JSON of which nothing is lost in reading: no name twice, and text in its normal form.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        // JSON knows one kind of number: 2021.0 is the integer 2021.
        #[allow(clippy::cast_possible_truncation, reason = "the range is checked before")]
        if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
            return Ok((value as i64).into());
        }
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number is too large"))?;
        Ok(number.into())
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.nfc().collect::<String>().into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let name: String = name.nfc().collect();
            let Strict(value) = fields.next_value()?;
            if map.contains_key(&name) {
                return Err(de::Error::custom("an object has the same name twice"));
            }
            map.insert(name, value);
        }
        Ok(map.into())
    }
}
