//! The contract and Swagger UI, from the binary.
use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
    web::{Bytes, Path},
};
use persistence::Basis;
use utoipa_swagger_ui::Config;

use crate::{Problem, answer, openapi::SERVED, query::Languages};

/// Swagger UI has its styles and its pictures in itself, and asks nobody else for anything.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'none'";

/// Where to go from here.
pub(crate) async fn index() -> HttpResponse {
    let response = answer::public(
        &serde_json::json!({
            "name": "Capacity Hub",
            "api": "/v1/seminars",
            "contract": "/openapi.json",
            "documentation": "/docs/",
            "health": "/health/ready",
        }),
        &Languages::default(),
    );
    let mut response = answer::made_from(Basis::nothing(), response);
    let links = "</openapi.json>; rel=\"service-desc\", </docs/>; rel=\"service-doc\"";
    response.headers_mut().insert(header::LINK, HeaderValue::from_static(links));
    response
}

/// The contract of the service
pub(crate) async fn contract() -> HttpResponse {
    file("application/json", Bytes::from_static(SERVED.as_bytes()), None, None)
}

/// Swagger UI without its slash.
pub(crate) async fn doorstep() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// A file of Swagger UI.
pub(crate) async fn ui(path: Path<String>) -> Result<HttpResponse, Problem> {
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .display_request_duration(true)
        .deep_linking(true)
        .try_it_out_enabled(false);
    let found = utoipa_swagger_ui::serve(&path, Arc::new(config));
    let found = found.map_err(|error| Problem::broken(&*error))?.ok_or_else(Problem::no_route)?;
    let encoding = found.gzpipped.then_some("gzip");
    Ok(file(&found.content_type, found.bytes.into_owned().into(), encoding, Some(POLICY)))
}

fn file(
    media_type: &str,
    bytes: Bytes,
    encoding: Option<&'static str>,
    policy: Option<&'static str>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(encoding) = encoding {
        response.insert_header((header::CONTENT_ENCODING, encoding));
    }
    if let Some(policy) = policy {
        response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
    }
    response
        .insert_header((header::ETAG, answer::tag(&bytes)))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .insert_header((header::VARY, "Accept-Encoding"))
        .content_type(media_type);
    answer::made_from(Basis::nothing(), response.body(bytes))
}
