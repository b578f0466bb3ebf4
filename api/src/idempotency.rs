//! Requests that may be sent again, by the key that they bring.
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use domain::{Record, Resource};
use persistence::{Answer, Once, Repeatable};
use serde_json::json;

use crate::{Problem, answer, query::Languages};

const HEADER: &str = "idempotency-key";
/// What a key looks like.
pub(crate) const PATTERN: &str = "^[A-Za-z0-9_-]{16,64}$";

/// Refuses a key where the request would be done anew: an answer that tells a secret or a name is not
/// kept, so it cannot be given again.
pub(crate) fn refuse(request: &HttpRequest) -> Result<(), Problem> {
    if request.headers().contains_key(HEADER) { Err(Problem::no_key()) } else { Ok(()) }
}

/// What tells whether a request is the same as one before, if it may be sent again.
pub(crate) fn of<R: Resource>(
    request: &HttpRequest,
    publish: bool,
    body: &R,
) -> Result<Option<Repeatable>, Problem> {
    let mut given = request.headers().get_all(HEADER);
    let Some(key) = given.next() else { return Ok(None) };
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"_-".contains(&letter);
    let key = key.to_str().ok().filter(|key| {
        (16..=64).contains(&key.len()) && key.bytes().all(fits) && given.next().is_none()
    });
    let key = key.ok_or_else(Problem::invalid_key)?.to_owned();
    // How the body was laid out makes no difference, nor whether what holds anyway was said.
    let mut body = json!(body);
    body.sort_all_objects();
    let path = request.path();
    let asked = format!("{} {path}?publish={publish}\n{body}", request.method());
    Ok(Some(Repeatable { key, digest: answer::digest(asked.as_bytes()) }))
}

/// What is answered to who has created that record.
pub(crate) fn answer<R: Resource>(record: &Record<R>) -> Answer {
    let (bytes, _) = Languages::default().write(record);
    Answer {
        status: StatusCode::CREATED.as_u16(),
        location: format!("/v1/{}/{}", R::COLLECTION, record.id),
        etag: answer::record_tag(record, &bytes),
        body: String::from_utf8(bytes).expect("JSON is UTF-8"),
    }
}

/// The answer, now or again.
pub(crate) fn answered(once: Once) -> HttpResponse {
    let (answer, replayed) = match once {
        Once::Done(answer) => (answer, false),
        Once::Replayed(answer) => (answer, true),
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::CREATED);
    let mut response = HttpResponse::build(status);
    if replayed {
        response.insert_header(("idempotency-replayed", "true"));
    }
    response
        .insert_header((header::LOCATION, answer.location))
        .insert_header((header::ETAG, answer.etag))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(answer.body)
}
