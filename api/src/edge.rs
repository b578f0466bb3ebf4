//! What every request and every answer has in common.
use std::{
    fs::File,
    io::{self, Read, Seek},
    panic::AssertUnwindSafe,
    time::{Instant, SystemTime},
};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder,
    body::{BoxBody, MessageBody, SizedStream},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue, HttpDate},
    },
    middleware::Next,
    web::Data,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use domain::{Record, Resource};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use persistence::{Basis, Ready, Stored};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_util::io::ReaderStream;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    Problem, cache, crud::Listing, formats::PublicAddress, limit::Counted, openapi::Paths,
    query::Languages, service::Stopping,
};

const PUBLIC: &str = "public, max-age=30, stale-while-revalidate=60, stale-if-error=86400";
const EXPOSED: &str = "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, \
    X-Request-Id, Content-Language, Deprecation, Sunset, Idempotency-Replayed";
const MAX_ADDRESS: usize = 8 * 1024;
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What every answer says, unless it says something else there.
static STANDING: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// The id of a request, in its log line and in its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId(pub(crate) Uuid);

/// Marks a request that wants no body: what has no end would be sent to nobody.
pub(crate) struct Headless;

/// Origins whose pages may write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(pub(crate) Vec<String>);

/// The outermost layer: gives the request its id, and the answer what every answer has. What is in
/// memory is answered here, and to who has that already it is only said that they have.
pub(crate) async fn edge<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let origin = request.headers().get(header::ORIGIN).filter(|&origin| {
        let listed = request.app_data::<Data<Origins>>();
        listed.is_some_and(|listed| listed.0.iter().any(|listed| listed.as_str() == origin))
    });
    let origin = origin.cloned();
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD).cloned();
    let personal = request.headers().contains_key(header::AUTHORIZATION);
    if personal {
        request.extensions_mut().insert(RequestId(id));
    }
    if method == Method::HEAD {
        // Nothing but the body tells HEAD from GET, and the server leaves that out.
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(Headless);
    }

    let length = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    let mut counted = None;
    let mut response = if length > MAX_ADDRESS {
        let problem = Problem::too_long(MAX_ADDRESS);
        request.error_response(problem).map_into_boxed_body()
    } else if let (&Method::OPTIONS, Some(asked)) = (&method, &asked) {
        request.into_response(preflight(asked, origin.is_some()))
    } else {
        counted = Counted::new(&request);
        answered(request, next, counted.as_ref()).await?
    };

    if response.status().is_client_error() || response.status().is_server_error() {
        let told = response.response().extensions().get::<Problem>().cloned();
        let problem = told.unwrap_or_else(|| Problem::of_status(response.status()));
        response = response.into_response(problem.answer(id));
    }
    if response.request().app_data::<Data<Stopping>>().is_some_and(|stopping| stopping.now()) {
        // Who keeps the connection would find it closed, perhaps with a request on its way.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let status = response.status();
    if !response.headers().contains_key(header::X_CONTENT_TYPE_OPTIONS) {
        let reads = method == Method::GET || method == Method::HEAD;
        let secure = secure(response.request());
        finish(response.headers_mut(), secure, reads, personal, origin);
    }
    let headers = response.headers_mut();
    let mut text = Uuid::encode_buffer();
    if let Ok(id) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut text)) {
        headers.insert(REQUEST_ID.clone(), id);
    }
    if let Some(counted) = counted {
        counted.tell(status, headers);
    }
    tracing::info!(
        target: "capacity_hub::request",
        %method, path = response.request().path(), status = status.as_u16(), request_id = %id,
        milliseconds = begun.elapsed().as_secs_f64() * 1000.0,
        "request"
    );
    Ok(response)
}

/// An id that the client gave, if it is one; else a new one.
fn request_id(headers: &HeaderMap) -> Uuid {
    let given = headers.get(&REQUEST_ID).and_then(|id| Uuid::try_parse(id.to_str().ok()?).ok());
    // Of a trace that the client is in, the request takes the trace's id.
    let traced = || {
        let parent = headers.get("traceparent")?.to_str().ok()?;
        Uuid::try_parse(parent.split('-').nth(1)?).ok().filter(|id| !id.is_nil())
    };
    given.or_else(traced).unwrap_or_else(Uuid::now_v7)
}

/// Says what every answer says that is not of one request alone. An answer from memory has it
/// already.
pub(crate) fn finish(
    headers: &mut HeaderMap,
    secure: bool,
    reads: bool,
    personal: bool,
    listed: Option<HeaderValue>,
) {
    for (name, value) in &STANDING {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), HeaderValue::from_static(value));
        }
    }
    if secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    if personal {
        // It depends on who asks, so nobody may keep it.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    } else if reads {
        vary(headers, "Authorization");
    }
    allow_origin(headers, reads, listed);
}

/// Whether the public reaches the service by TLS: only then may it be asked to do so ever after.
pub(crate) fn secure(request: &HttpRequest) -> bool {
    request.app_data::<Data<PublicAddress>>().is_some_and(|address| address.is_secure())
}

fn allow_origin(headers: &mut HeaderMap, reads: bool, listed: Option<HeaderValue>) {
    if reads {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    } else if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    } else if let Some(origin) = listed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        vary(headers, "Origin");
    }
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

/// Notes that the answer depends on that header, in the one line that every cache understands.
pub(crate) fn vary(headers: &mut HeaderMap, name: &'static str) {
    let has = |line: &str| line.split(", ").any(|known| known == name);
    let mut lines = headers.get_all(header::VARY).filter_map(|line| line.to_str().ok());
    if let (Some(line), None) = (lines.next(), lines.next())
        && has(line)
    {
        return;
    }
    let mut names: Vec<String> = Vec::new();
    let lines = headers.get_all(header::VARY).filter_map(|line| line.to_str().ok());
    for known in lines.flat_map(|line| line.split(',')).chain([name]).map(str::trim) {
        if !names.iter().any(|other| other.eq_ignore_ascii_case(known)) {
            names.push(known.to_owned());
        }
    }
    if let Ok(line) = HeaderValue::try_from(names.join(", ")) {
        headers.insert(header::VARY, line);
    }
}

fn preflight(asked: &HeaderValue, listed: bool) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    response.insert_header((header::VARY, "Origin, Access-Control-Request-Method"));
    if asked == "GET" || asked == "HEAD" {
        response
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"));
    } else if listed {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST, PUT, PATCH, DELETE"));
    }
    response
        .insert_header((
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, \
             traceparent",
        ))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"))
        .finish()
}

/// The answer from memory, or from the layers below; to who has that already it is only said so.
async fn answered<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    counted: Option<&Counted>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(problem) = counted.and_then(Counted::refused) {
        return Ok(request.error_response(problem).map_into_boxed_body());
    }
    if let Some(answer) = cache::remembered(&request) {
        return Ok(request.into_response(answer));
    }
    let answered = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let response = answered.map_err(|_| Problem::internal())??.map_into_boxed_body();
    let whole = response.request().method() == Method::GET && response.status() == StatusCode::OK;
    if whole && has(response.request().headers(), response.headers()) {
        let fresh = not_modified(unchanged(response.headers()));
        return Ok(response.into_response(fresh));
    }
    Ok(response)
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

pub(crate) fn not_modified(headers: HeaderMap) -> HttpResponse {
    let mut response = HttpResponse::NotModified().finish();
    *response.headers_mut() = headers;
    response
}

/// Outside of compression: tells representations apart.
pub(crate) async fn told_apart<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let headers = response.headers_mut();
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|name| name.to_str().ok());
    match encoding {
        None => {}
        // It kept the layer below from compressing, and says nothing to a client.
        Some("identity") => drop(headers.remove(header::CONTENT_ENCODING)),
        Some(encoding) => {
            let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
            let tag = tag.map(|tag| format!("{}.{encoding}\"", tag.trim_end_matches('"')));
            if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
                headers.insert(header::ETAG, tag);
            }
        }
    }
    Ok(response)
}

/// What has no handler: a method that an address does not take, or no address at all.
pub(crate) async fn fallback(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let methods = Paths::served().methods(request.path()).ok_or_else(Problem::no_route)?;
    let allow = methods.join(", ");
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    Err(Problem::method(allow))
}

/// A public answer, made from whatever the public may see; [`made_from`] tells it better.
pub(crate) fn public<T: Serialize>(answer: &T, languages: &Languages) -> HttpResponse {
    let (bytes, found) = languages.write(answer);
    public_bytes("application/json", bytes, found)
}

/// Tells what an answer was made from: as long as that is as it was, it can be given again.
pub(crate) fn made_from(basis: Basis, mut response: HttpResponse) -> HttpResponse {
    response.extensions_mut().insert(basis);
    response
}

/// A public answer in another form than JSON.
pub(crate) fn public_bytes(
    media_type: &str,
    bytes: Vec<u8>,
    languages: Option<String>,
) -> HttpResponse {
    tagged(tag(&bytes), media_type, bytes, languages)
}

fn tagged(
    tag: String,
    media_type: &str,
    bytes: Vec<u8>,
    languages: Option<String>,
) -> HttpResponse {
    made_from(Basis::everything(), shown(tag, languages).content_type(media_type).body(bytes))
}

/// A public answer that is read from a file.
pub(crate) fn public_file(
    tag: String,
    media_type: &str,
    languages: Option<String>,
    mut file: File,
) -> io::Result<HttpResponse> {
    let length = file.metadata()?.len();
    file.rewind()?;
    let stream = ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 * 1024);
    Ok(shown(tag, languages)
        .content_type(media_type)
        .body(SizedStream::new(length, stream.map_err(Error::from).boxed_local())))
}

/// The same, from memory: it can be given again.
pub(crate) fn public_small_file(
    tag: String,
    media_type: &str,
    languages: Option<String>,
    mut file: File,
) -> io::Result<HttpResponse> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(tagged(tag, media_type, bytes, languages))
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

fn linked(mut response: HttpResponse, next: Option<String>) -> HttpResponse {
    let link = next.and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok());
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// A public answer of one record.
pub(crate) fn public_record<R: Stored>(
    id: Uuid,
    revision: i64,
    updated_at: DateTime<Utc>,
    bytes: Vec<u8>,
    languages: Option<String>,
) -> HttpResponse {
    let response = shown(revision_tag(revision, &bytes), languages)
        .insert_header((header::LAST_MODIFIED, HttpDate::from(SystemTime::from(updated_at))))
        .content_type("application/json")
        .body(bytes);
    made_from(Basis::one::<R>(id), response)
}

/// The answer to who has that already, in any encoding.
pub(crate) fn known(request: &HttpRequest, tag: &str) -> Option<HttpResponse> {
    let core = tag.trim_end_matches('"');
    let same = known_tags(request.headers()).find(|one| {
        *one == "*" || one.strip_prefix(core).is_some_and(|rest| rest.starts_with(['"', '.']))
    })?;
    let tag = if same == "*" { tag } else { same };
    Some(shown(tag.to_owned(), None).status(StatusCode::NOT_MODIFIED).finish())
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
        .insert_header((header::CACHE_CONTROL, PUBLIC))
        .insert_header((header::VARY, "Accept-Encoding"));
    if let Some(languages) = languages {
        response.insert_header((header::CONTENT_LANGUAGE, languages));
    }
    response
}

/// The entity tag of a record: the revision, and what else could differ.
pub(crate) fn record_tag<R: Resource>(record: &Record<R>, bytes: &[u8]) -> String {
    revision_tag(record.revision, bytes)
}

fn revision_tag(revision: i64, bytes: &[u8]) -> String {
    format!("\"{revision}.{}\"", print(bytes))
}

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
