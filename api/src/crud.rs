//! The operations that every resource has.
//!
//! Each handler is a straight line: read the request, let the store act, answer.
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header,
    rt,
    web::{Data, Path, Payload},
};
use domain::{Deed, OneOf, Person, Presentation, PresentationFilter, Record, Resource, Step};
use persistence::{
    Author, Error, Facets, Neighbours, Store, Stored, Visitor, Written, facets, neighbours,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Problem, actor, answer,
    body::{self, Tag},
    edge::vary,
    export::{self, Format},
    history, idempotency, proposal,
    query::{Languages, ListQuery},
    reader::Reader,
    routes::Routes,
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
    /// How many records have each value, where the list was asked for it.
    pub(crate) facets: Option<Facets>,
}

async fn list<R: Stored>(request: HttpRequest, store: Reader) -> Answer {
    let mut answered = match Format::preferred(&request) {
        Some(format) => export::list::<R>(&request, &store, format).await?,
        None => page::<R>(&request, &store, ListQuery::of(&request)?, |_| ()).await?,
    };
    // Here, and not where the address names the form, another Accept has another answer.
    vary(answered.headers_mut(), "Accept");
    Ok(answered)
}

/// The presentations of one person.
pub(crate) async fn presentations_of(
    request: HttpRequest,
    store: Reader,
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
    let counted = query.counted(facets::<R>);
    let mut wanted = query.wanted::<R>(list)?;
    narrow(&mut wanted.filter);
    let basis = wanted.basis(&include, !counted.is_empty());
    let facets = match counted.is_empty() {
        true => None,
        false => {
            let counts = store.facets(&wanted, &counted).await;
            Some(counts.map_err(Problem::of(R::COLLECTION))?)
        }
    };
    let in_all_languages = query.languages.are_all();
    let included = async |ids: Vec<Uuid>| {
        if include.is_empty() {
            return Ok(None);
        }
        let found = store.neighbours::<R>(ids, &include, in_all_languages).await;
        found.map(Some).map_err(Problem::of(R::COLLECTION))
    };
    if in_all_languages {
        let page = store.list_ready(&wanted).await.map_err(Problem::of(R::COLLECTION))?;
        let included = included(page.items.iter().map(|item| item.id).collect()).await?;
        let (next_cursor, link) = query.onward(list, page.next);
        let items: &[()] = &[];
        let shell = Listing { items, next_cursor, total: page.total, included, facets };
        return Ok(answer::made_from(basis, answer::public_ready(&page.items, &shell, link)));
    }
    let page = store.list(&wanted).await.map_err(Problem::of(R::COLLECTION))?;
    let included = included(page.items.iter().map(|item| item.id).collect()).await?;
    let (next_cursor, link) = query.onward(list, page.next);
    let listing = Listing { items: &page.items, next_cursor, total: page.total, included, facets };
    Ok(answer::made_from(basis, answer::public_page(&listing, &query.languages, link)))
}

async fn create<R: Stored>(request: HttpRequest, store: Data<Store>, payload: Payload) -> Answer {
    let mut query = ListQuery::of_feed(&request)?;
    let publish = query.flag("publish");
    query.refuse_rest();
    query.judge()?;
    let deed = if publish { Deed::Publish } else { Deed::Write };
    let author = actor::author(&request, &store, deed).await?;
    let body: R = body::whole(&request, payload).await?;
    if let Some(once) = idempotency::of(&request, publish, &body)? {
        let create = async move {
            store.create_once(&author, &once, &body, publish, idempotency::answer).await
        };
        return Ok(idempotency::answered(apart(R::COLLECTION, create).await?));
    }
    let create = async move { store.create(&author, &body, publish).await };
    let record = apart(R::COLLECTION, create).await?;
    let place = format!("/v1/{}/{}", R::COLLECTION, record.id);
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, place));
    Ok(written(response, &record))
}

async fn read<R: Stored>(request: HttpRequest, store: Reader, key: Path<String>) -> Answer {
    let languages = Languages::of(&request)?;
    if languages.are_all() {
        let record = store.find_ready::<R>(&key).await.map_err(Problem::of(R::COLLECTION))?;
        return Ok(answer::public_record::<R>(
            record.id,
            record.revision,
            record.updated_at,
            record.json.into_bytes(),
            None,
        ));
    }
    let record = store.find::<R>(&key).await.map_err(Problem::of(R::COLLECTION))?;
    let (bytes, found) = languages.write(&record);
    Ok(answer::public_record::<R>(record.id, record.revision, record.updated_at, bytes, found))
}

async fn replace<R: Stored>(
    request: HttpRequest,
    store: Data<Store>,
    key: Path<String>,
    payload: Payload,
) -> Answer {
    let author = actor::author(&request, &store, Deed::Write).await?;
    ListQuery::none(&request)?;
    let tags = body::tags(&request)?;
    let body: R = body::whole(&request, payload).await?;
    let (key, revisions) = read_before::<R>(&store, &author, &key, &tags).await?;
    let change = async move { store.replace(&author, &key, &revisions, &body).await };
    Ok(changed(apart(R::COLLECTION, change).await?))
}

async fn patch<R: Stored>(
    request: HttpRequest,
    store: Data<Store>,
    key: Path<String>,
    payload: Payload,
) -> Answer {
    let author = actor::author(&request, &store, Deed::Write).await?;
    ListQuery::none(&request)?;
    let tags = body::tags(&request)?;
    let change = body::change(&request, payload).await?;
    let current = store.seen_by(author.sight()).find::<R>(&key).await;
    let current = current.map_err(Problem::of(R::COLLECTION))?;
    // What is wrong in itself is told before what has moved on meanwhile.
    let body: R = body::merged(&current.body, change)?;
    // To no other revision than the one that was read, whichever others would do.
    let revisions = body::only(body::revisions_of(&tags, current.id), current.revision);
    let id = current.id.to_string();
    let change = async move { store.replace(&author, &id, &revisions, &body).await };
    Ok(changed(apart(R::COLLECTION, change).await?))
}

async fn delete<R: Stored>(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let author = actor::author(&request, &store, Deed::Write).await?;
    ListQuery::none(&request)?;
    let tags = body::tags(&request)?;
    let (key, revisions) = read_before::<R>(&store, &author, &key, &tags).await?;
    apart(R::COLLECTION, async move { store.delete::<R>(&author, &key, &revisions).await }).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// Takes a record a step on its way to the public, or back.
async fn take_step<R: Stored>(
    request: HttpRequest,
    store: Data<Store>,
    keys: Path<(String, String)>,
    payload: Payload,
) -> Answer {
    let (key, step) = keys.into_inner();
    let step = Step::ALL.into_iter().find(|known| known.name() == step);
    let step = step.ok_or_else(Problem::no_route)?;
    let author = actor::author(&request, &store, Deed::Write).await?;
    ListQuery::none(&request)?;
    let tags = body::tags(&request)?;
    let author = Author { note: body::note(&request, payload).await?, ..author };
    let (key, revisions) = read_before::<R>(&store, &author, &key, &tags).await?;
    let change = async move { store.take_step::<R>(&author, &key, &revisions, step).await };
    Ok(written(HttpResponse::Ok(), &apart(R::COLLECTION, change).await?))
}

/// The id of the record that a change is for, and the revisions that it may be made to.
///
/// Another record may have had its slug when it was read.
async fn read_before<R: Stored>(
    store: &Store,
    author: &Author,
    key: &str,
    tags: &[Tag],
) -> Result<(String, Vec<i64>), Problem> {
    let id = match id(R::COLLECTION, key) {
        Ok(id) => id,
        Err(_) => {
            let record = store.seen_by(author.sight()).find::<R>(key).await;
            record.map_err(Problem::of(R::COLLECTION))?.id
        }
    };
    Ok((id.to_string(), body::revisions_of(tags, id)))
}

/// The id in the address of something that has no other name.
pub(crate) fn id(collection: &str, key: &str) -> Result<Uuid, Problem> {
    let id = Uuid::try_parse(key).ok().filter(|_| key.len() == 36);
    id.ok_or_else(|| Problem::no_record(collection))
}

/// What became of a change.
pub(crate) fn changed<R: Stored>(change: Written<R>) -> HttpResponse {
    match change {
        Written::Kept(record) => written(HttpResponse::Ok(), &record),
        Written::Proposed(proposal) => proposal::kept_aside(*proposal),
    }
}

/// Lets a change run to its end, also when the client goes away in the middle of it.
pub(crate) async fn apart<T: 'static>(
    collection: &'static str,
    change: impl Future<Output = Result<T, Error>> + 'static,
) -> Result<T, Problem> {
    let ended = rt::spawn(change).await.map_err(Problem::broken)?;
    ended.map_err(Problem::of(collection))
}

pub(crate) fn written<R: Resource>(
    mut response: HttpResponseBuilder,
    record: &Record<R>,
) -> HttpResponse {
    let (bytes, _) = Languages::default().write(record);
    response
        .insert_header((header::ETAG, answer::record_tag(record, &bytes)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(bytes)
}

/// Adds the addresses of every resource.
impl Visitor for Routes {
    fn visit<R: Stored>(&mut self) {
        let collection = format!("/v1/{}", R::COLLECTION);
        let record = format!("{collection}/{{id}}");
        self.at(&format!("{collection}.{{format}}"), |at| at.get(export::named::<R>));
        self.at(&collection, |at| at.get(list::<R>).post(create::<R>));
        self.at(&record, |at| {
            at.get(read::<R>).put(replace::<R>).patch(patch::<R>).delete(delete::<R>)
        });
        let step = format!("{record}/{{step:submit|publish|withdraw|reopen}}");
        self.at(&step, |at| at.post(take_step::<R>));
        history::routes::<R>(self);
    }
}
