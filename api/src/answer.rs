//! Answers as they are told to a client: to the public, who may keep them, or to one alone; and the
//! tags by which a client knows that it has one already.
use std::{
    fs::File,
    io::{self, Read, Seek},
    time::SystemTime,
};

use actix_web::{
    Error, HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue, HttpDate},
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use domain::{Record, Resource};
use futures_util::{StreamExt, TryStreamExt};
use persistence::{Basis, Ready, Stored};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_util::io::ReaderStream;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

use crate::{crud::Listing, query::Languages};

// What is said of many answers is static text: else each copy of a remembered answer would count its
// own, at one place for all threads.
/// How long anybody may keep what anybody may see.
static PUBLIC: HeaderValue =
    HeaderValue::from_static("public, max-age=30, stale-while-revalidate=60, stale-if-error=86400");
static BY_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");

/// A public answer, made from whatever the public may see; [`made_from`] tells it better.
pub(crate) fn public<T: Serialize>(answer: &T, languages: &Languages) -> HttpResponse {
    let (bytes, found) = languages.write(answer);
    public_bytes("application/json", bytes, found)
}

/// A public answer of a page, with the address of the page after it.
pub(crate) fn public_page<T: Serialize>(
    answer: &T,
    languages: &Languages,
    next: Option<String>,
) -> HttpResponse {
    linked(public(answer, languages), next)
}

/// The same, where the items are JSON already and the page comes without them.
pub(crate) fn public_ready(
    items: &[Ready],
    shell: &Listing<'_, ()>,
    next: Option<String>,
) -> HttpResponse {
    const BEGIN: &[u8] = br#"{"items":["#;
    let shell = serde_json::to_vec(shell).expect("an answer is JSON");
    let whole = items.iter().map(|item| item.json.len() + 1).sum::<usize>() + shell.len();
    let mut bytes = Vec::with_capacity(whole);
    bytes.extend_from_slice(BEGIN);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(item.json.as_bytes());
    }
    bytes.extend_from_slice(&shell[BEGIN.len()..]);
    linked(public_bytes("application/json", bytes, None), next)
}

/// A public answer of one record.
pub(crate) fn public_record<R: Stored>(
    id: Uuid,
    revision: i64,
    updated_at: DateTime<Utc>,
    bytes: Vec<u8>,
    languages: Option<String>,
) -> HttpResponse {
    let response = shown(revision_tag(id, revision, &bytes), languages)
        .insert_header((header::LAST_MODIFIED, HttpDate::from(SystemTime::from(updated_at))))
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .body(bytes);
    made_from(Basis::one::<R>(id), response)
}

/// A public answer in another form than JSON.
pub(crate) fn public_bytes(
    media_type: &'static str,
    bytes: Vec<u8>,
    languages: Option<String>,
) -> HttpResponse {
    tagged(tag(&bytes), media_type, bytes, languages)
}

/// A public answer that is read from a file, and what is held until it is sent.
pub(crate) fn public_file(
    tag: String,
    media_type: &'static str,
    languages: Option<String>,
    mut file: File,
    held: impl Sized + 'static,
) -> io::Result<HttpResponse> {
    let length = file.metadata()?.len();
    file.rewind()?;
    let stream = ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 * 1024);
    let stream = stream.inspect(move |_| {
        let _ = &held;
    });
    Ok(shown(tag, languages)
        .content_type(media_type)
        .body(SizedStream::new(length, stream.map_err(Error::from).boxed_local())))
}

/// The same, from memory: it can be given again.
pub(crate) fn public_small_file(
    tag: String,
    media_type: &'static str,
    languages: Option<String>,
    mut file: File,
) -> io::Result<HttpResponse> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(tagged(tag, media_type, bytes, languages))
}

/// Tells what an answer was made from: as long as that is as it was, it can be given again.
pub(crate) fn made_from(basis: Basis, mut response: HttpResponse) -> HttpResponse {
    response.extensions_mut().insert(basis);
    response
}

/// What only who asks may see, and nobody may keep.
pub(crate) fn private() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// What anybody may see and keep for a while.
pub(crate) fn shown(tag: String, languages: Option<String>) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, PUBLIC.clone()))
        .insert_header((header::VARY, BY_ENCODING.clone()));
    if let Some(languages) = languages {
        response.insert_header((header::CONTENT_LANGUAGE, languages));
    }
    response
}

fn tagged(
    tag: String,
    media_type: &'static str,
    bytes: Vec<u8>,
    languages: Option<String>,
) -> HttpResponse {
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    made_from(Basis::everything(), shown(tag, languages).insert_header(media_type).body(bytes))
}

fn linked(mut response: HttpResponse, next: Option<String>) -> HttpResponse {
    let link = next.and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok());
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

pub(crate) fn not_modified(headers: HeaderMap) -> HttpResponse {
    let mut response = HttpResponse::NotModified().finish();
    *response.headers_mut() = headers;
    response
}

/// What is said of an answer to who has it already.
pub(crate) fn unchanged(answer: &HeaderMap) -> HeaderMap {
    let kept = [
        header::ETAG,
        header::CACHE_CONTROL,
        header::VARY,
        header::LINK,
        header::LAST_MODIFIED,
        header::CONTENT_LANGUAGE,
    ];
    let values = kept.iter().flat_map(|name| answer.get_all(name).map(move |value| (name, value)));
    values.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The answer to who has that already, in any encoding.
pub(crate) fn known(request: &HttpRequest, tag: &str) -> Option<HttpResponse> {
    let core = tag.trim_end_matches('"');
    let same = known_tags(request.headers()).find(|one| {
        *one == "*" || one.strip_prefix(core).is_some_and(|rest| rest.starts_with(['"', '.']))
    })?;
    let unchanged =
        |tag: &str| shown(tag.to_owned(), None).status(StatusCode::NOT_MODIFIED).finish();
    Some(match same {
        // Who names no tag has not shown that they asked before.
        "*" => unchanged(tag),
        same => free(unchanged(same)),
    })
}

/// Marks an answer that took no making: that nothing has changed since is free then.
pub(crate) struct Free;

/// The same, marked so.
pub(crate) fn free(mut response: HttpResponse) -> HttpResponse {
    if response.status() == StatusCode::NOT_MODIFIED {
        response.extensions_mut().insert(Free);
    }
    response
}

/// Whether who asks has an answer with those headers already.
pub(crate) fn has(asked: &HeaderMap, answer: &HeaderMap) -> bool {
    let Some(tag) = answer.get(header::ETAG) else { return false };
    known_tags(asked).any(|one| one == "*" || tag == one)
}

/// The tags of what who asks has already.
fn known_tags(asked: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = asked.get_all(header::IF_NONE_MATCH).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|one| {
        let one = one.trim();
        one.strip_prefix("W/").unwrap_or(one)
    })
}

/// The entity tag of a record: the revision, which record it is, and what else could differ.
pub(crate) fn record_tag<R: Resource>(record: &Record<R>, bytes: &[u8]) -> String {
    revision_tag(record.id, record.revision, bytes)
}

fn revision_tag(id: Uuid, revision: i64, bytes: &[u8]) -> String {
    format!("\"{revision}.{:08x}{}\"", part_of(id), print(bytes))
}

/// What of an id tells a record from others that had its slug: the end of it is by chance.
pub(crate) fn part_of(id: Uuid) -> u32 {
    let bytes = id.as_bytes();
    u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]])
}

/// How many letters [`print`] has.
pub(crate) const PRINT: usize = 16;

/// The entity tag of an answer that is nothing but those bytes.
pub(crate) fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", print(bytes))
}

/// What tells an answer from others of the same address. Nobody could use it if they found two that
/// have the same, so it is a quick one.
fn print(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&xxh3_128(bytes).to_be_bytes()[..12])
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..12])
}
