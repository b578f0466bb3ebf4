//! Whether the service lives, and whether it can serve.
use std::time::Duration;

use actix_web::{HttpResponse, http::header, web::Data};
use persistence::Store;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Problem, service::Stopping};

const PATIENCE: Duration = Duration::from_secs(2);

/// How the service is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`; a service that is not well answers with a problem.
    #[schema(example = "ok")]
    status: &'static str,
}

fn well() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Health { status: "ok" })
}

/// Whether the process lives
///
/// Answers as long as the process can answer at all, also while the database is away.
#[utoipa::path(get, path = "/health/live", tag = "service", operation_id = "readLiveness",
    responses((status = 200, description = "It lives.", body = Health)))]
pub(crate) async fn live() -> HttpResponse {
    well()
}

/// Whether the service can serve
///
/// Asks the database, and its replicas where there are some: while only they answer, reads go on and
/// writes are answered 503. A balancer sends requests here only while this answers 200; once the
/// service is told to end, it does not.
#[utoipa::path(get, path = "/health/ready", tag = "service", operation_id = "readReadiness",
    responses((status = 200, description = "It can serve.", body = Health)))]
pub(crate) async fn ready(
    store: Data<Store>,
    stopping: Data<Stopping>,
) -> Result<HttpResponse, Problem> {
    if stopping.now() {
        return Err(Problem::unavailable());
    }
    match tokio::time::timeout(PATIENCE, store.ping()).await {
        Ok(Ok(())) => Ok(well()),
        _ => Err(Problem::unavailable()),
    }
}
