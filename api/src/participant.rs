//! Participants: who took part, for those who keep them and for nobody else.
mod import;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header,
    web::{Data, Path, Payload},
};
use domain::{Deed, Email, Erasure, Participant, Resource};
use persistence::{Author, KeptParticipant, Store};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

pub(crate) use self::import::{LIMIT, MOST_ROWS, ParticipantImport};
use crate::{
    Fault, Problem, actor,
    answer::{digest, private},
    body,
    crud::{self, apart},
    idempotency,
    query::ListQuery,
    routes::Routes,
};

pub(crate) const COLLECTION: &str = Participant::COLLECTION;

type Answer = Result<HttpResponse, Problem>;

/// How many entries were erased.
#[derive(Serialize, ToSchema)]
pub(crate) struct Erased {
    /// How many entries were about that person; they are counted from now on, and not named.
    #[schema(minimum = 0, example = 2)]
    erased: u64,
}

/// Who asks, if they keep participants.
async fn registrar(request: &HttpRequest, store: &Store) -> Result<Author, Problem> {
    actor::author(request, store, Deed::KeepParticipants).await
}

async fn list(request: HttpRequest, store: Data<Store>) -> Answer {
    let by = registrar(&request, &store).await?;
    let mut query = ListQuery::of(&request)?;
    query.refuse(&["q", "sort", "include", "facets", "lang"]);
    let wanted = query.wanted::<Participant>(COLLECTION)?;
    let page = store.seen_by(by.sight()).participants(&wanted).await;
    let page = page.map_err(Problem::of(COLLECTION))?;
    let next = page.next.map(|place| query.cursor(COLLECTION, &place));
    let mut listing = json!({"items": page.items, "next_cursor": next});
    if let Some(total) = page.total {
        listing["total"] = total.into();
    }
    Ok(private().json(listing))
}

async fn create(request: HttpRequest, store: Data<Store>, payload: Payload) -> Answer {
    let by = registrar(&request, &store).await?;
    ListQuery::none(&request)?;
    idempotency::refuse(&request)?;
    let body: Participant = body::whole(&request, payload).await?;
    let create = async move { store.create_participant(&by, &body).await };
    let kept = apart(COLLECTION, create).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/v1/{COLLECTION}/{}", kept.id)));
    Ok(tagged(response, &kept))
}

async fn read(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let by = registrar(&request, &store).await?;
    ListQuery::none(&request)?;
    let kept = store.seen_by(by.sight()).participant(crud::id(COLLECTION, &key)?).await;
    Ok(tagged(private(), &kept.map_err(Problem::of(COLLECTION))?))
}

async fn replace(
    request: HttpRequest,
    store: Data<Store>,
    key: Path<String>,
    payload: Payload,
) -> Answer {
    let by = registrar(&request, &store).await?;
    ListQuery::none(&request)?;
    let id = crud::id(COLLECTION, &key)?;
    let revisions = body::revisions(&request)?;
    let body: Participant = body::whole(&request, payload).await?;
    let change = async move { store.replace_participant(&by, id, &revisions, &body).await };
    Ok(tagged(private(), &apart(COLLECTION, change).await?))
}

async fn patch(
    request: HttpRequest,
    store: Data<Store>,
    key: Path<String>,
    payload: Payload,
) -> Answer {
    let by = registrar(&request, &store).await?;
    ListQuery::none(&request)?;
    let id = crud::id(COLLECTION, &key)?;
    let revisions = body::revisions(&request)?;
    let change = body::change(&request, payload).await?;
    let current = store.seen_by(by.sight()).participant(id).await;
    let current = current.map_err(Problem::of(COLLECTION))?;
    let body: Participant = body::merged(&current.body, change)?;
    let revisions = body::only(revisions, current.revision);
    let change = async move { store.replace_participant(&by, id, &revisions, &body).await };
    Ok(tagged(private(), &apart(COLLECTION, change).await?))
}

async fn delete(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let by = registrar(&request, &store).await?;
    ListQuery::none(&request)?;
    let id = crud::id(COLLECTION, &key)?;
    let revisions = body::revisions(&request)?;
    let delete = async move { store.delete_participant(&by, id, &revisions).await };
    apart(COLLECTION, delete).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

async fn erase(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let by = registrar(&request, &store).await?;
    ListQuery::none(&request)?;
    let id = crud::id(COLLECTION, &key)?;
    let revisions = body::revisions_if_sent(&request)?;
    let erase = async move { store.erase_participant(&by, id, revisions.as_deref()).await };
    Ok(tagged(private(), &apart(COLLECTION, erase).await?))
}

async fn erase_person(request: HttpRequest, store: Data<Store>, payload: Payload) -> Answer {
    let by = registrar(&request, &store).await?;
    ListQuery::none(&request)?;
    let whose: Erasure = body::whole(&request, payload).await?;
    let erase = async move { store.erase_person(&by, &whose.email).await };
    let erased = apart(COLLECTION, erase).await?;
    Ok(private().json(Erased { erased }))
}

async fn read_person(request: HttpRequest, store: Data<Store>) -> Answer {
    let by = registrar(&request, &store).await?;
    let mut query = ListQuery::of_feed(&request)?;
    let email = query.read("email", None, |text| text.parse::<Email>().map(Some));
    query.refuse_rest();
    query.judge()?;
    let Some(email) = email else {
        let detail = "Say whose data is wanted.";
        let fault = Fault::parameter("email", "missing_parameter", detail);
        return Err(Problem::invalid_query(vec![fault]));
    };
    let held = store.seen_by(by.sight()).participations(&email).await;
    let held = held.map_err(Problem::of(COLLECTION))?;
    Ok(private().json(json!({"email": email, "participants": held})))
}

fn tagged(mut response: HttpResponseBuilder, kept: &KeptParticipant) -> HttpResponse {
    let bytes = serde_json::to_vec(kept).expect("a participant is JSON");
    response
        .insert_header((header::ETAG, format!("\"{}.{}\"", kept.revision, digest(&bytes))))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(bytes)
}

pub(crate) fn routes(routes: &mut Routes) {
    routes.at("/v1/participants", |at| at.get(list).post(create));
    routes.at("/v1/participants/import", |at| at.post(import::take));
    routes.at("/v1/participants/person", |at| at.get(read_person));
    routes.at("/v1/participants/erase", |at| at.post(erase_person));
    let one = "/v1/participants/{id}";
    routes.at(one, |at| at.get(read).put(replace).patch(patch).delete(delete));
    routes.at("/v1/participants/{id}/erase", |at| at.post(erase));
}
