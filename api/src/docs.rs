//! The contract and Swagger UI, from the binary.
use std::{collections::BTreeMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web::{Bytes, Path},
};
use domain::collections;
use persistence::Basis;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_swagger_ui::Config;

use crate::{
    Problem, answer,
    openapi::SERVED,
    page::{self, Page},
    reader::Anybody,
};

/// Swagger UI has its styles and its pictures in itself, and asks nobody else for anything.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'none'";

/// Where to go from here.
#[derive(Serialize, ToSchema)]
pub(crate) struct Home {
    /// What this is.
    #[schema(example = "Capacity Hub")]
    name: &'static str,
    /// A list to begin with.
    #[schema(example = "/v1/seminars")]
    api: &'static str,
    /// The list of each collection, by its name.
    collections: BTreeMap<&'static str, String>,
    /// The countries that records name.
    #[schema(example = "/v1/countries")]
    countries: &'static str,
    /// Looks through all collections for words (`q`).
    #[schema(example = "/v1/search")]
    search: &'static str,
    /// Seminars and study visits as a sheet.
    #[schema(example = "/v1/activities.xlsx")]
    activities: &'static str,
    /// Projects after IATI.
    #[schema(example = "/v1/iati/activities.xml")]
    iati: &'static str,
    /// What can be counted.
    #[schema(example = "/v1/statistics")]
    statistics: &'static str,
    /// All changes, in their order.
    #[schema(example = "/v1/changes")]
    changes: &'static str,
    /// All public records in one archive.
    #[schema(example = "/v1/dump.zip")]
    dump: &'static str,
    /// The contract.
    #[schema(example = "/openapi.json")]
    contract: &'static str,
    /// The contract, to be read by people.
    #[schema(example = "/docs/")]
    documentation: &'static str,
    /// What can go wrong, and what to do then.
    #[schema(example = "/problems")]
    problems: &'static str,
    /// Whether the service is well.
    #[schema(example = "/health/ready")]
    health: &'static str,
}

const HOME_LINKS: &str = "</openapi.json>; rel=\"service-desc\", \
    </docs/>; rel=\"service-doc\", </.well-known/api-catalog>; rel=\"api-catalog\"";

/// Begin here
///
/// The addresses to go on from; a page with links for who comes with a browser.
#[utoipa::path(get, path = "/", tag = "service", operation_id = "readHome",
    responses((status = 200, description = "The addresses.", body = Home)))]
pub(crate) async fn index(request: HttpRequest) -> HttpResponse {
    let list = |name: &'static str| (name, format!("/v1/{name}"));
    let home = Home {
        name: "Capacity Hub",
        api: "/v1/seminars",
        collections: collections().into_iter().map(list).collect(),
        countries: "/v1/countries",
        activities: "/v1/activities.xlsx",
        iati: "/v1/iati/activities.xml",
        search: "/v1/search",
        statistics: "/v1/statistics",
        changes: "/v1/changes",
        dump: "/v1/dump.zip",
        contract: "/openapi.json",
        documentation: "/docs/",
        problems: "/problems",
        health: "/health/ready",
    };
    let mut response = page::either(&request, &home, page_of);
    response.headers_mut().insert(header::LINK, HeaderValue::from_static(HOME_LINKS));
    response
}

fn page_of(home: &Home) -> Page {
    let lists =
        home.collections.iter().map(|(name, address)| (address.clone(), name.replace('-', " ")));
    let lists: Vec<_> = lists.collect();
    Page::new(home.name)
        .says(
            "The open registry of a capacity-building cooperation: its seminars, workshops and study \
             visits, who presented what, which countries took part, and what came of it. Lists come \
             as JSON, and need no token.",
        )
        .links("How to read it", [
                (home.documentation, "Documentation"),
                (home.contract, "Contract (OpenAPI)"),
                (home.problems, "What can go wrong"),
            ])
        .links("Collections", lists.iter().map(|(address, name)| (&**address, &**name)))
        .links(
            "All of it",
            [
                ("/v1/search?q=seminar", "Search, such as for seminar"),
                (home.statistics, "Statistics"),
                (home.activities, "All events as a sheet"),
                (home.iati, "Projects after IATI"),
                (home.countries, "Countries"),
                (home.changes, "Changes"),
                (home.dump, "Everything as one archive"),
                (home.health, "Whether the service is well"),
            ],
        )
}

/// The contract of the service
pub(crate) async fn contract(_: Anybody) -> HttpResponse {
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
        // So many operations are found by their tags.
        .doc_expansion("none")
        .try_it_out_enabled(false);
    let found = utoipa_swagger_ui::serve(&path, Arc::new(config));
    let found = found.map_err(|error| Problem::broken(&*error))?.ok_or_else(Problem::no_route)?;
    let encoding = found.gzpipped.then_some("gzip");
    let mut bytes = found.bytes.into_owned();
    if found.content_type == "text/html" && encoding.is_none() {
        let page = String::from_utf8_lossy(&bytes);
        bytes = page.replace("<title>Swagger UI</title>", "<title>Capacity Hub</title>").into();
    }
    Ok(file(&found.content_type, bytes.into(), encoding, Some(POLICY)))
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
