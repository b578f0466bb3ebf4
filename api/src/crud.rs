//! The operations that every resource has.
//!
//! Each handler is a straight line: read the request, let the store act, answer.
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header,
    rt,
    web::{self, Data, Path, Payload, ServiceConfig},
};
use domain::{OneOf, Person, Presentation, PresentationFilter, Record, Resource};
use persistence::{Error, Neighbours, Store, Stored, Visitor, neighbours};
use serde::Serialize;

use crate::{
    Problem, body,
    edge::{self, fallback},
    export::{self, Format},
    history, idempotency,
    query::{Languages, ListQuery},
};

type Answer = Result<HttpResponse, Problem>;

/// A page of a list, as it is answered.
#[derive(Serialize)]
pub(crate) struct Listing<'a, T> {
    pub(crate) items: &'a [T],
    pub(crate) next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    /// The records that those refer to, by collection, where the list was asked for them.
    pub(crate) included: Option<Neighbours>,
}

async fn list<R: Stored>(request: HttpRequest, store: Data<Store>) -> Answer {
    if let Some(format) = Format::preferred(&request) {
        return export::list::<R>(&request, &store, format).await;
    }
    page::<R>(&request, &store, ListQuery::of(&request)?, |_| ()).await
}

/// The presentations of one person.
pub(crate) async fn presentations_of(
    request: HttpRequest,
    store: Data<Store>,
    key: Path<String>,
) -> Answer {
    let person = store.find::<Person>(&key).await.map_err(Problem::of(Person::COLLECTION))?;
    let mut query = ListQuery::of(&request)?;
    query.refuse(&["speaker"]);
    let only = |filter: &mut PresentationFilter| filter.speaker = OneOf::key(person.id);
    page::<Presentation>(&request, &store, query, only).await
}

/// The page that is asked for, of a list that is narrowed further.
async fn page<R: Stored>(
    request: &HttpRequest,
    store: &Store,
    mut query: ListQuery,
    narrow: impl FnOnce(&mut R::Filter),
) -> Answer {
    let list = request.path();
    let include = query.included(|| neighbours::<R>().into_keys().collect());
    let mut wanted = query.wanted::<R>(list)?;
    narrow(&mut wanted.filter);
    let page = store.list(&wanted).await.map_err(Problem::of(R::COLLECTION))?;
    let included = match include.is_empty() {
        true => None,
        false => {
            let found = store.neighbours(&page.items, &include).await;
            Some(found.map_err(Problem::of(R::COLLECTION))?)
        }
    };
    let next_cursor = page.next.map(|place| query.cursor(list, &place));
    let link = next_cursor.as_ref().map(|cursor| query.next(list, cursor));
    let listing = Listing { items: &page.items, next_cursor, total: page.total, included };
    Ok(edge::public_page(&listing, &query.languages, link))
}

async fn create<R: Stored>(request: HttpRequest, store: Data<Store>, payload: Payload) -> Answer {
    let author = body::author(&request, &store).await?;
    let body: R = body::whole(&request, payload).await?;
    if let Some(once) = idempotency::of(&request, &body)? {
        let change =
            async move { store.create_once(&author, &once, &body, idempotency::answer).await };
        return Ok(idempotency::answered(apart(R::COLLECTION, change).await?));
    }
    let record = apart(R::COLLECTION, async move { store.create(&author, &body).await }).await?;
    let place = format!("/v1/{}/{}", R::COLLECTION, record.id);
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, place));
    Ok(written(response, &record))
}

async fn read<R: Stored>(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let languages = Languages::of(&request)?;
    let record = store.find::<R>(&key).await.map_err(Problem::of(R::COLLECTION))?;
    Ok(edge::public_record(&record, &languages))
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
    Ok(written(HttpResponse::Ok(), &apart(R::COLLECTION, change).await?))
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
    // What is wrong in itself is told before what has moved on meanwhile.
    let body: R = body::merged(&current.body, change)?;
    let change = async move { store.replace(&author, &key, revision, &body).await };
    Ok(written(HttpResponse::Ok(), &apart(R::COLLECTION, change).await?))
}

async fn delete<R: Stored>(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let author = body::author(&request, &store).await?;
    let revision = body::revision(&request)?;
    apart(R::COLLECTION, async move { store.delete::<R>(&author, &key, revision).await }).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// Lets a change run to its end, also when the client goes away in the middle of it.
pub(crate) async fn apart<T: 'static>(
    collection: &'static str,
    change: impl Future<Output = Result<T, Error>> + 'static,
) -> Result<T, Problem> {
    let ended = rt::spawn(change).await.map_err(|_| Problem::internal())?;
    ended.map_err(Problem::of(collection))
}

pub(crate) fn written<R: Resource>(
    mut response: HttpResponseBuilder,
    record: &Record<R>,
) -> HttpResponse {
    let (bytes, _) = Languages::default().write(record);
    response
        .insert_header((header::ETAG, edge::record_tag(record, &bytes)))
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
                web::resource(format!("{collection}.{{format}}"))
                    .get(export::named::<R>)
                    .default_service(web::to(fallback)),
            )
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
        history::routes::<R>(self.0);
    }
}
