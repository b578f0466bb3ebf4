//! What a record was before, and how to have it so again.
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Payload},
};
use chrono::{DateTime, Utc};
use domain::{Deed, Difference, Refused, Shape, State, Violation};
use persistence::{Author, Error, Revision, Store, Stored};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    Problem, actor,
    answer::private,
    body,
    crud::{apart, changed, written},
    query::ListQuery,
    routes::Routes,
};

type Answer = Result<HttpResponse, Problem>;

/// A change to a record.
#[derive(Serialize, ToSchema)]
#[schema(as = Revision)]
pub(crate) struct RevisionEntry {
    /// Counts the changes made to the record, from 1.
    #[schema(minimum = 1, example = 2)]
    revision: i64,
    /// What was done; to accept is to accept what was proposed, to revive is to bring back what was
    /// deleted, and the last four are steps.
    #[schema(example = "replace")]
    operation: String,
    /// Where the record then stood; null when it was deleted.
    state: Option<State>,
    /// When it was done.
    #[schema(example = "2026-11-24T09:00:00Z")]
    at: DateTime<Utc>,
    /// Who did it: the id of a token, `oidc:` and the `sub` of who came by an identity provider, or a
    /// command.
    #[schema(example = "0123456789ab")]
    actor: String,
    /// What they are called: the name of the token, null if it is no longer there; of anybody else the
    /// same as `actor`.
    #[schema(example = "Aigerim")]
    actor_name: Option<String>,
    /// The request that it was done in; null when it was done by a command.
    #[schema(example = "01931f6e-6c00-7000-8000-000000000003")]
    request_id: Option<String>,
    /// Why it was done; null when nobody said so.
    #[schema(example = "The date was misprinted.")]
    note: Option<String>,
    /// Whether it is the newest.
    #[schema(example = true)]
    current: bool,
}

/// A change to a record, in a list of them.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    entry: RevisionEntry,
    changed: Vec<String>,
}

/// A change to a record, with all that it made.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    entry: RevisionEntry,
    body: Option<Value>,
    differences: Vec<Difference>,
}

impl From<&Revision> for RevisionEntry {
    fn from(revision: &Revision) -> Self {
        Self {
            revision: revision.revision,
            operation: revision.operation.clone(),
            state: revision.state,
            at: revision.at,
            actor: revision.actor.clone(),
            actor_name: revision.actor_name.clone(),
            request_id: revision.request_id.clone(),
            note: revision.note.clone(),
            current: revision.current,
        }
    }
}

impl From<Revision> for Listed {
    fn from(revision: Revision) -> Self {
        let entry = RevisionEntry::from(&revision);
        let changed = revision.differences.into_iter().map(|one| one.pointer).collect();
        Self { entry, changed }
    }
}

impl From<Revision> for Whole {
    fn from(revision: Revision) -> Self {
        let entry = RevisionEntry::from(&revision);
        Self { entry, body: revision.body, differences: revision.differences }
    }
}

async fn list<R: Stored>(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let store = seen(&request, &store).await?;
    let mut query = ListQuery::of(&request)?;
    query.refuse(&["sort", "with_total", "include", "facets", "lang"]);
    query.refuse_rest();
    query.judge()?;
    let path = request.path();
    let before = query.after(path)?;
    let before = before.and_then(|place| place.first()?.as_i64());
    let found = store.revisions::<R>(&key, before, query.limit).await;
    let (found, more) = found.map_err(Problem::of(R::COLLECTION))?;
    let last = found.last().filter(|_| more);
    let (next, link) = query.onward(path, last.map(|last| vec![json!(last.revision)]));
    let mut response = private();
    if let Some(link) = link {
        response.insert_header((header::LINK, format!("<{link}>; rel=\"next\"")));
    }
    let items: Vec<_> = found.into_iter().map(Listed::from).collect();
    Ok(response.json(json!({"items": items, "next_cursor": next})))
}

async fn read<R: Stored>(
    request: HttpRequest,
    store: Data<Store>,
    keys: Path<(String, String)>,
) -> Answer {
    let store = seen(&request, &store).await?;
    ListQuery::none(&request)?;
    Ok(private().json(Whole::from(revision::<R>(&store, &keys).await?)))
}

async fn restore<R: Stored>(
    request: HttpRequest,
    store: Data<Store>,
    keys: Path<(String, String)>,
    payload: Payload,
) -> Answer {
    let author = actor::author(&request, &store, Deed::Write).await?;
    ListQuery::none(&request)?;
    let author = Author { note: body::note(&request, payload).await?, ..author };
    let wanted = revision::<R>(&store.seen_by(author.sight()), &keys).await?;
    let body = wanted.body.map_or_else(|| Err(nothing()), valid::<R>)?;
    let id = wanted.id;
    let current = body::tags_if_sent(&request)?;
    let current = current.map(|tags| body::revisions_of(&tags, id));
    if !store.lives::<R>(id).await.map_err(Problem::of(R::COLLECTION))? {
        let change = async move { store.revive(&author, id, current.as_deref(), &body).await };
        let record = apart(R::COLLECTION, change).await?;
        let mut response = HttpResponse::Created();
        response.insert_header((header::LOCATION, format!("/v1/{}/{id}", R::COLLECTION)));
        return Ok(written(response, &record));
    }
    let current = current.ok_or_else(Problem::unconditional)?;
    let change = async move { store.restore(&author, &id.to_string(), &current, &body).await };
    Ok(changed(apart(R::COLLECTION, change).await?))
}

/// The records whose history may be seen: those that may be seen themselves.
async fn seen(request: &HttpRequest, store: &Store) -> Result<Store, Problem> {
    let author = actor::author(request, store, Deed::See).await?;
    Ok(store.seen_by(author.sight()))
}

/// The revision that an address names.
async fn revision<R: Stored>(
    store: &Store,
    (key, number): &(String, String),
) -> Result<Revision, Problem> {
    let number = number.parse().map_err(|_| Problem::no_such_revision())?;
    let found = store.revision::<R>(key, number).await.map_err(Problem::of(R::COLLECTION))?;
    found.ok_or_else(Problem::no_such_revision)
}

/// A body of long ago, judged by the rules of today.
fn valid<R: Stored>(body: Value) -> Result<R, Problem> {
    Shape::read(body).map_err(|refused| {
        let (Refused::Form(broken) | Refused::Meaning(broken)) = refused;
        Problem::of(R::COLLECTION)(Error::Refused(broken))
    })
}

fn nothing() -> Problem {
    let detail = "That revision is a deletion: there is nothing to restore.";
    Refused::Meaning(vec![Violation::new("", "no_body", detail)]).into()
}

/// Adds the routes of the history of `R`.
pub(crate) fn routes<R: Stored>(routes: &mut Routes) {
    let all = format!("/v1/{}/{{id}}/revisions", R::COLLECTION);
    routes.at(&all, |at| at.get(list::<R>));
    routes.at(&format!("{all}/{{revision}}"), |at| at.get(read::<R>));
    routes.at(&format!("{all}/{{revision}}/restore"), |at| at.post(restore::<R>));
}
