//! The operations that every resource has.
//!
//! Each handler is a straight line: read the request, let the store act, answer.
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header,
    rt,
    web::{self, Data, Path, Payload, ServiceConfig},
};
use domain::{Record, Resource};
use persistence::{Error, Store, Stored, Visitor};
use serde::Serialize;

use crate::{
    Problem, body,
    edge::{self, fallback},
    query::ListQuery,
};

type Answer = Result<HttpResponse, Problem>;

/// A page of a list, as it is answered.
#[derive(Serialize)]
pub(crate) struct Listing<'a, T> {
    pub(crate) items: &'a [T],
    pub(crate) next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    /// Related records will stand here when a list can be asked for them.
    pub(crate) included: Option<()>,
}

async fn list<R: Stored>(request: HttpRequest, store: Data<Store>) -> Answer {
    let query = ListQuery::of(&request)?;
    let asked = query.clone();
    let page = store.list(&query.wanted::<R>()?).await.map_err(Problem::of(R::COLLECTION))?;
    let next_cursor = page.next.map(|place| asked.cursor(R::COLLECTION, &place));
    let link = next_cursor.as_ref().map(|cursor| asked.next(request.path(), cursor));
    let listing = Listing { items: &page.items, next_cursor, total: page.total, included: None };
    Ok(edge::public(&listing, link))
}

async fn create<R: Stored>(request: HttpRequest, store: Data<Store>, payload: Payload) -> Answer {
    let author = body::author(&request, &store).await?;
    let body: R = body::whole(&request, payload).await?;
    let record = apart::<R, _>(async move { store.create(&author, &body).await }).await?;
    let place = format!("/v1/{}/{}", R::COLLECTION, record.id);
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, place));
    Ok(written(response, &record))
}

async fn read<R: Stored>(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    edge::no_query(&request)?;
    let record = store.find::<R>(&key).await.map_err(Problem::of(R::COLLECTION))?;
    Ok(edge::public_record(&record))
}

async fn replace<R: Stored>(
    request: HttpRequest,
    store: Data<Store>,
    key: Path<String>,
    payload: Payload,
) -> Answer {
    let author = body::author(&request, &store).await?;
    let revision = body::revision(&request)?;
    let body: R = body::whole(&request, payload).await?;
    let change = async move { store.replace(&author, &key, revision, &body).await };
    Ok(written(HttpResponse::Ok(), &apart::<R, _>(change).await?))
}

async fn patch<R: Stored>(
    request: HttpRequest,
    store: Data<Store>,
    key: Path<String>,
    payload: Payload,
) -> Answer {
    let author = body::author(&request, &store).await?;
    let revision = body::revision(&request)?;
    let change = body::change(&request, payload).await?;
    let current = store.find::<R>(&key).await.map_err(Problem::of(R::COLLECTION))?;
    if current.revision != revision {
        return Err(Problem::stale());
    }
    let body: R = body::merged(&current.body, change)?;
    let change = async move { store.replace(&author, &key, revision, &body).await };
    Ok(written(HttpResponse::Ok(), &apart::<R, _>(change).await?))
}

async fn delete<R: Stored>(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let author = body::author(&request, &store).await?;
    let revision = body::revision(&request)?;
    apart::<R, _>(async move { store.delete::<R>(&author, &key, revision).await }).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// Lets a change run to its end, also when the client goes away in the middle of it.
async fn apart<R: Resource, T: 'static>(
    change: impl Future<Output = Result<T, Error>> + 'static,
) -> Result<T, Problem> {
    let ended = rt::spawn(change).await.map_err(|_| Problem::internal())?;
    ended.map_err(Problem::of(R::COLLECTION))
}

fn written<R: Resource>(mut response: HttpResponseBuilder, record: &Record<R>) -> HttpResponse {
    let (tag, bytes) = edge::tagged_record(record);
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(bytes)
}

/// Adds the routes of every resource.
pub(crate) struct Routes<'a>(pub(crate) &'a mut ServiceConfig);

impl Visitor for Routes<'_> {
    fn visit<R: Stored>(&mut self) {
        let collection = format!("/v1/{}", R::COLLECTION);
        let record = format!("{collection}/{{id}}");
        self.0
            .service(
                web::resource(collection)
                    .get(list::<R>)
                    .post(create::<R>)
                    .default_service(web::to(fallback)),
            )
            .service(
                web::resource(record)
                    .get(read::<R>)
                    .put(replace::<R>)
                    .patch(patch::<R>)
                    .delete(delete::<R>)
                    .default_service(web::to(fallback)),
            );
    }
}
