//! What is found where everybody looks for it, after RFC 8615.
use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
    web::Data,
};
use chrono::Days;
use persistence::{Basis, Store};
use serde_json::json;

use crate::{Problem, answer, formats::PublicAddress, query::Languages};

pub(crate) const CATALOG: &str = "/.well-known/api-catalog";
pub(crate) const SECURITY: &str = "/.well-known/security.txt";
/// For how many days what is said of security holds.
const DAYS: Days = Days::new(180);

/// Where to tell of a weakness of the service, if anybody wants to hear of it.
#[derive(Clone)]
pub(crate) struct SecurityContact(pub(crate) Option<String>);

/// Find the API
///
/// A linkset after RFC 9727: where the API is, its contract, its documentation and how it is.
#[utoipa::path(get, path = "/.well-known/api-catalog", tag = "service",
    operation_id = "readApiCatalog",
    responses((status = 200, description = "The catalogue.",
        content_type = "application/linkset+json", body = Object)))]
pub(crate) async fn catalog(address: Data<PublicAddress>) -> HttpResponse {
    let link = |path: &str, kind: &str| json!([{"href": address.of(path), "type": kind}]);
    let linkset = json!({"linkset": [{
        "anchor": address.of("/"),
        "service-desc": link("/openapi.json", "application/json"),
        "service-doc": link("/docs/", "text/html"),
        "status": link("/health/ready", "application/json"),
    }]});
    let mut response = answer::public(&linkset, &Languages::default());
    let headers = response.headers_mut();
    let kind = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let itself = "</.well-known/api-catalog>; rel=\"api-catalog\"";
    headers.insert(header::LINK, HeaderValue::from_static(itself));
    answer::made_from(Basis::nothing(), response)
}

/// Find whom to tell of a weakness
///
/// After RFC 9116; there is none as long as who runs the service names no contact.
#[utoipa::path(get, path = "/.well-known/security.txt", tag = "service",
    operation_id = "readSecurityContact",
    responses((status = 200, description = "The contact.", content_type = "text/plain",
        body = String)))]
pub(crate) async fn security(
    contact: Data<SecurityContact>,
    address: Data<PublicAddress>,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    let contact = contact.0.as_deref().ok_or_else(Problem::no_route)?;
    let expires = store.today() + DAYS;
    let itself = address.of(SECURITY);
    let text = format!("Contact: {contact}\nExpires: {expires}T00:00:00Z\nCanonical: {itself}\n");
    let response = answer::public_bytes("text/plain; charset=utf-8", text.into_bytes(), None);
    Ok(answer::made_from(Basis::nothing(), response))
}
