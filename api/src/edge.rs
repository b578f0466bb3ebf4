//! What every request and every answer has in common.
use std::{any::Any, panic::AssertUnwindSafe, time::Instant};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::{
    Problem, answer, cache,
    formats::PublicAddress,
    limit::{Counted, client},
    metrics::{Metrics, Route},
    openapi::Paths,
    service::Stopping,
};

/// What pages of elsewhere may look at, of what is said of a read, and of a write. The first stands in
/// each answer from memory.
const EXPOSED: &str = "ETag, Link, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id";
const EXPOSED_OF_WRITES: &str = "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, \
    X-Request-Id, Idempotency-Replayed";
/// How many characters an address has at most.
pub(crate) const MAX_ADDRESS: usize = 8 * 1024;
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What every answer says, unless it says something else there.
static STANDING: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// What public answers vary by, as a rule.
const USUAL: [&str; 2] =
    ["Accept-Encoding, Authorization", "Accept-Encoding, Accept, Authorization"];

/// The id of a request, in its log line and in its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId(pub(crate) Uuid);

/// The id of the token that a request brings, once it is known to hold.
#[derive(Clone, Debug)]
pub(crate) struct TokenId(pub(crate) String);

/// Whether a request brings a token to where one is looked at.
pub(crate) fn brings_token(request: &HttpRequest) -> bool {
    let path = request.path();
    (path.starts_with("/v1/") || path == "/openapi.json")
        && request.headers().contains_key(header::AUTHORIZATION)
}

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
        answered(request, next, counted.as_ref()).await.map_err(|error| {
            // A panic took the request with it, and only its id is left.
            let told = error.as_error::<Problem>().cloned();
            let problem = told.unwrap_or_else(|| Problem::broken(&error));
            problem.note(id);
            problem.to(id)
        })?
    };

    if response.status().is_client_error() || response.status().is_server_error() {
        let told = response.response().extensions().get::<Problem>().cloned();
        let problem = told
            .unwrap_or_else(|| Problem::of_status(response.status(), response.response().error()));
        problem.note(id);
        response = response.into_response(problem.answer(id));
    }
    if response.request().app_data::<Data<Stopping>>().is_some_and(|stopping| stopping.now()) {
        // Who keeps the connection would find it closed, perhaps with a request on its way.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let status = response.status();
    let free = counted.is_some() && response.response().extensions().contains::<answer::Free>();
    if !response.headers().contains_key(header::X_CONTENT_TYPE_OPTIONS) {
        // What a method does that no address takes is nothing, and no secret.
        let reads = method == Method::GET
            || method == Method::HEAD
            || status == StatusCode::METHOD_NOT_ALLOWED;
        let secure = secure(response.request());
        Circumstances { secure, reads, personal, origin }.finish(response.headers_mut());
    }
    let headers = response.headers_mut();
    let mut text = Uuid::encode_buffer();
    if let Ok(id) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut text)) {
        headers.insert(REQUEST_ID.clone(), id);
    }
    if let Some(counted) = counted {
        counted.tell(status, free, headers);
    }
    if let Some(metrics) = response.request().app_data::<Data<Metrics>>() {
        let remembered = response.request().extensions().get::<Route>().cloned();
        let memory = remembered.is_some();
        let routed = || response.request().match_pattern().map(Into::into);
        let route = remembered.map(|Route(route)| route).or_else(routed);
        metrics.count(&method, route, status, memory, begun.elapsed());
    }
    let token = response.request().extensions().get::<TokenId>().map(|token| token.0.clone());
    tracing::info!(
        target: "capacity_hub::request",
        %method, path = response.request().path(), status = status.as_u16(), request_id = %id,
        client = client(response.request()).map(display), token,
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

/// What of a request decides what every answer to it says.
pub(crate) struct Circumstances {
    /// Whether the public reaches the service by TLS: only then may it be asked to do so ever after.
    secure: bool,
    /// Whether nothing is written.
    reads: bool,
    /// Whether it is answered to one alone.
    personal: bool,
    /// The page that it comes from, if that may write.
    origin: Option<HeaderValue>,
}

impl Circumstances {
    /// Of a request that anybody may send and have the same answer.
    pub(crate) fn of_anybody(request: &HttpRequest) -> Self {
        Self { secure: secure(request), reads: true, personal: false, origin: None }
    }

    /// Says what every answer says that is not of one request alone. An answer from memory has it
    /// already.
    pub(crate) fn finish(&self, headers: &mut HeaderMap) {
        for (name, value) in &STANDING {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), HeaderValue::from_static(value));
            }
        }
        if self.secure {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        if self.personal {
            // It depends on who asks, so nobody may keep it.
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        } else if self.reads {
            vary(headers, "Authorization");
        }
        self.allow_origin(headers);
    }

    fn allow_origin(&self, headers: &mut HeaderMap) {
        if self.reads {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        } else if let Some(origin) = &self.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            vary(headers, "Origin");
        }
        let exposed = if self.reads { EXPOSED } else { EXPOSED_OF_WRITES };
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        if headers.contains_key(header::CONTENT_DISPOSITION) {
            let name = HeaderValue::from_static("Content-Disposition");
            headers.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, name);
        }
    }
}

fn secure(request: &HttpRequest) -> bool {
    request.app_data::<Data<PublicAddress>>().is_some_and(|address| address.is_secure())
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
    let line = names.join(", ");
    let usual =
        USUAL.iter().find(|usual| **usual == line).map(|line| HeaderValue::from_static(line));
    if let Some(line) = usual.or_else(|| HeaderValue::try_from(line).ok()) {
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
            "Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, \
             If-Modified-Since, If-None-Match, Last-Event-ID, X-Request-Id, traceparent",
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
    let remembered = cache::remembered(&request);
    if let Some(problem) = counted.and_then(Counted::refused) {
        // Others behind the same address may have taken all; that nothing has changed is still free.
        let told = match remembered {
            None if request.headers().contains_key(header::IF_NONE_MATCH) => {
                cache::remembered_after_a_look(&request).await
            }
            told => told,
        };
        let unchanged = told.filter(|answer| answer.status() == StatusCode::NOT_MODIFIED);
        return Ok(match unchanged {
            Some(answer) => request.into_response(answer),
            None => request.error_response(problem).map_into_boxed_body(),
        });
    }
    if let Some(told) = remembered {
        let told = if counted.is_some() { answer::free(told) } else { told };
        return Ok(request.into_response(told));
    }
    if request.path().contains("%00") {
        // Postgres has no text with this letter, so nothing is called by it.
        return Ok(request.error_response(Problem::no_route()).map_into_boxed_body());
    }
    let answered = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let response = answered.map_err(|panic| Problem::broken(panicked(&*panic)))??;
    let response = response.map_into_boxed_body();
    let whole = response.request().method() == Method::GET && response.status() == StatusCode::OK;
    if whole && answer::has(response.request().headers(), response.headers()) {
        let fresh = answer::not_modified(answer::unchanged(response.headers()));
        return Ok(response.into_response(fresh));
    }
    Ok(response)
}

/// What a panic says.
fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a panic: {}", text.unwrap_or_default())
}

/// Outside of compression: chooses how to compress, and tells representations apart.
pub(crate) async fn told_apart<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let encoding = HeaderValue::from_static(cache::encoding(&request));
    request.headers_mut().insert(header::ACCEPT_ENCODING, encoding);
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
