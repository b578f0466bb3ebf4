//! Changes to what is public, kept aside until a publisher decides.
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Payload},
};
use chrono::{DateTime, Utc};
use domain::{Deed, OneOf};
use persistence::{Author, Decision, Proposal, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Problem, actor,
    answer::private,
    body,
    crud::{self, apart},
    query::ListQuery,
    reader::Reader,
    routes::Routes,
};

pub(crate) const COLLECTION: &str = "proposals";

type Answer = Result<HttpResponse, Problem>;

/// A change to what is public, kept aside until a publisher decides.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProposalRecord {
    /// Identifies it, for ever.
    #[schema(example = "01931f6e-6c00-7000-8000-000000000003")]
    id: Uuid,
    /// The collection of the record that it would change.
    #[schema(value_type = domain::Collection)]
    resource: String,
    /// The id of that record.
    #[schema(example = "01931f6e-6c00-7000-8000-000000000001")]
    record_id: Uuid,
    /// The revision that the change was made to.
    #[schema(minimum = 1, example = 1)]
    revision: i64,
    /// The revision that the record is at now.
    #[schema(minimum = 1, example = 2)]
    current_revision: i64,
    /// Whether the record has changed since: to accept it then undoes what others did.
    #[schema(example = true)]
    moved_on: bool,
    /// Whether somebody has decided about it, and how.
    status: ProposalStatus,
    /// The id of the token that it was made with, or `oidc:` and the `sub` of its holder.
    #[schema(example = "3f9a0c5be21d")]
    actor: String,
    /// What they are called: the name of the token, null if it is no longer there; of anybody else the
    /// same as `actor`.
    #[schema(example = "Aigerim")]
    actor_name: Option<String>,
    /// Why it was made, if that was said.
    note: Option<String>,
    /// When it was made.
    #[schema(example = "2026-11-24T09:00:00Z")]
    created_at: DateTime<Utc>,
    /// The id of the token that it was decided with, or as for `actor`; null while it is open.
    decided_by: Option<String>,
    /// What they are called, as for `actor_name`.
    decided_by_name: Option<String>,
    /// When it was decided; null while it is open.
    decided_at: Option<DateTime<Utc>>,
    /// Why it was decided so, if that was said.
    answer: Option<String>,
    /// The record as it would be.
    #[schema(value_type = Object)]
    body: Value,
    /// The record as it is.
    #[schema(value_type = Object)]
    current: Value,
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProposalStatus {
    /// Nobody has decided yet.
    Open,
    /// The change was made.
    Accepted,
    /// It was not made.
    Declined,
    /// Who made it took it back.
    TakenBack,
}

/// Narrows the list of proposals.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProposalFilter {
    /// Whose status is one of these.
    status: OneOf<ProposalStatus>,
    /// About records of one of these collections.
    resource: OneOf<domain::Collection>,
}

impl From<Proposal> for ProposalRecord {
    fn from(proposal: Proposal) -> Self {
        let Proposal { kept, actor_name, decided_by_name, current, body } = proposal;
        let status = serde_json::from_value(kept.status.into());
        Self {
            id: kept.id,
            resource: kept.resource,
            record_id: kept.record_id,
            revision: kept.revision,
            current_revision: current,
            moved_on: current != kept.revision,
            status: status.unwrap_or(ProposalStatus::Open),
            actor: kept.actor,
            actor_name,
            note: kept.note,
            created_at: kept.created_at,
            decided_by: kept.decided_by,
            decided_by_name,
            decided_at: kept.decided_at,
            answer: kept.answer,
            body: serde_json::from_str(&kept.body).unwrap_or_default(),
            current: body,
        }
    }
}

/// Says that a change is kept aside, and where it can be followed.
pub(crate) fn kept_aside(proposal: Proposal) -> HttpResponse {
    let place = format!("/v1/{COLLECTION}/{}", proposal.kept.id);
    HttpResponse::Accepted()
        .insert_header((header::LOCATION, place))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ProposalRecord::from(proposal))
}

pub(crate) fn routes(routes: &mut Routes) {
    routes.at("/v1/proposals", |at| at.get(list));
    routes.at("/v1/proposals/{id}", |at| at.get(read));
    let decided = "/v1/proposals/{id}/{decision:accept|decline|take-back}";
    routes.at(decided, |at| at.post(decide));
}

async fn list(request: HttpRequest, store: Reader) -> Answer {
    actor::of(&request, &store, Deed::See).await?;
    let mut query = ListQuery::of(&request)?;
    query.refuse(&["sort", "with_total", "include", "facets", "lang"]);
    let filter: ProposalFilter = query.filter();
    query.judge()?;
    let before = query.after(COLLECTION)?;
    let before = before.as_ref().and_then(|place| place.first()?.as_str()?.parse().ok());
    let statuses: Vec<_> = filter.status.0.iter().map(|status| json!(status)).collect();
    let statuses: Vec<_> = statuses.iter().filter_map(Value::as_str).collect();
    let resources: Vec<_> = filter.resource.0.iter().map(|one| one.as_str().to_owned()).collect();
    let found = store.proposals(&statuses, &resources, before, query.limit + 1).await;
    let mut found = found.map_err(Problem::of(COLLECTION))?;
    let more = found.len() as u64 > query.limit;
    found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more);
    let next = next.map(|last| query.cursor(COLLECTION, &[json!(last.kept.id)]));
    let items: Vec<_> = found.into_iter().map(ProposalRecord::from).collect();
    Ok(private().json(json!({"items": items, "next_cursor": next})))
}

async fn read(request: HttpRequest, store: Reader, key: Path<String>) -> Answer {
    actor::of(&request, &store, Deed::See).await?;
    ListQuery::none(&request)?;
    let found =
        store.proposal(crud::id(COLLECTION, &key)?).await.map_err(Problem::of(COLLECTION))?;
    Ok(private().json(ProposalRecord::from(found)))
}

async fn decide(
    request: HttpRequest,
    store: Data<Store>,
    keys: Path<(String, String)>,
    payload: Payload,
) -> Answer {
    let (key, decision) = keys.into_inner();
    let author = actor::author(&request, &store, Deed::Write).await?;
    ListQuery::none(&request)?;
    let id = crud::id(COLLECTION, &key)?;
    // What is wrong in itself is told before what has moved on meanwhile.
    let author = Author { note: body::note(&request, payload).await?, ..author };
    let decision = match decision.as_str() {
        "decline" => Decision::Decline,
        "take-back" => Decision::TakeBack,
        _ => Decision::Accept(body::revisions_if_sent(&request)?),
    };
    let decided =
        apart(COLLECTION, async move { store.decide(&author, id, decision).await }).await?;
    Ok(private().json(ProposalRecord::from(decided)))
}
