//! Webhooks: who is told of changes, and what came of it.
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Payload},
};
use chrono::{DateTime, Utc};
use domain::{Deed, Refused, Violation, Webhook, WebhookFilter};
use persistence::{Delivery, Hook, Store};
use serde::Serialize;
use serde_json::json;
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Problem, actor,
    address::names_private,
    answer::{self, private},
    body,
    changes::cursor,
    crud::{self, apart},
    idempotency,
    query::ListQuery,
    routes::Routes,
};

pub(crate) const COLLECTION: &str = "webhooks";
const DELIVERIES: &str = "deliveries";

type Answer = Result<HttpResponse, Problem>;

/// Whether webhooks may reach addresses that are not public.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToPrivate(pub(crate) bool);

/// Something that a webhook is told, and what came of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryRecord {
    /// Identifies it; it is the `webhook-id` of every attempt.
    #[schema(example = "01931f6e-6c00-7000-8000-000000000002")]
    id: Uuid,
    /// What is told: the collection and what happened, or `ping`.
    #[schema(example = "seminars.changed")]
    event: String,
    /// The place of the change in the feed; null for a ping.
    #[schema(example = "AAAAAAAAAAE")]
    cursor: Option<String>,
    /// Where it stands.
    #[schema(example = "delivered")]
    status: String,
    /// How often it has been tried.
    #[schema(minimum = 0, example = 1)]
    attempts: i32,
    /// What the address answered last; null when it did not.
    #[schema(minimum = 100, maximum = 999, example = 204)]
    last_status: Option<i32>,
    /// Why the address did not answer last; null when it did.
    #[schema(example = "not_reached")]
    last_error: Option<String>,
    /// When it was made.
    #[schema(example = "2026-11-24T09:00:00Z")]
    created_at: DateTime<Utc>,
    /// When it is tried next; null when it is not.
    #[schema(example = "2026-11-24T09:00:05Z")]
    next_attempt_at: Option<DateTime<Utc>>,
    /// When it was taken; null while it is not.
    #[schema(example = "2026-11-24T09:00:00Z")]
    delivered_at: Option<DateTime<Utc>>,
}

impl From<Delivery> for DeliveryRecord {
    fn from(row: Delivery) -> Self {
        Self {
            id: row.id,
            event: row.event,
            cursor: row.position.map(cursor),
            status: row.status,
            attempts: row.attempts,
            last_status: row.last_status,
            last_error: row.last_error,
            created_at: row.created_at,
            next_attempt_at: row.next_attempt_at,
            delivered_at: row.delivered_at,
        }
    }
}

#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    hook: &'a Hook,
    secret: String,
}

async fn list(request: HttpRequest, store: Data<Store>) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    ListQuery::none(&request)?;
    let items = store.webhooks().await.map_err(Problem::of(COLLECTION))?;
    Ok(private().json(json!({"items": items, "next_cursor": null})))
}

async fn create(
    request: HttpRequest,
    store: Data<Store>,
    to_private: Data<ToPrivate>,
    payload: Payload,
) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    ListQuery::none(&request)?;
    idempotency::refuse(&request)?;
    let body: Webhook = body::whole(&request, payload).await?;
    judge(&body, **to_private)?;
    let kept = apart(COLLECTION, async move { store.create_webhook(&body).await }).await?;
    let (hook, secret) = kept.ok_or_else(Problem::too_many_webhooks)?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/v1/webhooks/{}", hook.id)))
        .insert_header((header::ETAG, tag(&hook)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Created { hook: &hook, secret }))
}

async fn read(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    ListQuery::none(&request)?;
    Ok(tagged(&store.webhook(id(&key)?).await.map_err(Problem::of(COLLECTION))?))
}

async fn patch(
    request: HttpRequest,
    store: Data<Store>,
    to_private: Data<ToPrivate>,
    key: Path<String>,
    payload: Payload,
) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    ListQuery::none(&request)?;
    let revisions = body::revisions(&request)?;
    let change = body::change(&request, payload).await?;
    let current = store.webhook(id(&key)?).await.map_err(Problem::of(COLLECTION))?;
    let body: Webhook = body::merged(&current.body, change)?;
    judge(&body, **to_private)?;
    let revisions = body::only(revisions, current.revision);
    let change = async move { store.change_webhook(current.id, &revisions, &body).await };
    Ok(tagged(&apart(COLLECTION, change).await?))
}

async fn delete(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    ListQuery::none(&request)?;
    let revisions = body::revisions(&request)?;
    let id = id(&key)?;
    apart(COLLECTION, async move { store.delete_webhook(id, &revisions).await }).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

async fn ping(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    ListQuery::none(&request)?;
    idempotency::refuse(&request)?;
    let id = id(&key)?;
    switched_on(&store, id).await?;
    Ok(accepted(apart(COLLECTION, async move { store.ping_webhook(id).await }).await?))
}

async fn deliveries(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    let mut query = ListQuery::of(&request)?;
    query.refuse(&["sort", "with_total", "include", "facets", "lang"]);
    let WebhookFilter {} = query.filter();
    query.judge()?;
    let asked = query;
    // A cursor goes with the webhook that it was given for.
    let name = format!("{DELIVERIES} {}", *key);
    let before = asked.after(&name)?;
    let before = before.as_ref().and_then(|place| Uuid::try_parse(place.first()?.as_str()?).ok());
    let id = id(&key)?;
    let found = store.deliveries(id, before, asked.limit + 1).await;
    let mut found = found.map_err(Problem::of(COLLECTION))?;
    let more = found.len() as u64 > asked.limit;
    found.truncate(usize::try_from(asked.limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| asked.cursor(&name, &[json!(last.id)]));
    let items: Vec<_> = found.into_iter().map(DeliveryRecord::from).collect();
    Ok(private().json(json!({"items": items, "next_cursor": next})))
}

async fn replay(request: HttpRequest, store: Data<Store>, keys: Path<(String, String)>) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    ListQuery::none(&request)?;
    let webhook = id(&keys.0)?;
    switched_on(&store, webhook).await?;
    let delivery = crud::id(DELIVERIES, &keys.1)?;
    let replay = async move { store.replay_delivery(webhook, delivery).await };
    Ok(accepted(apart(DELIVERIES, replay).await?))
}

/// A switched-off webhook is told nothing, whoever asks for it.
async fn switched_on(store: &Store, id: Uuid) -> Result<(), Problem> {
    let hook = store.webhook(id).await.map_err(Problem::of(COLLECTION))?;
    if hook.body.enabled { Ok(()) } else { Err(Problem::webhook_off()) }
}

fn id(key: &str) -> Result<Uuid, Problem> {
    crud::id(COLLECTION, key)
}

/// What can be said of an address before it is used.
fn judge(body: &Webhook, ToPrivate(to_private): ToPrivate) -> Result<(), Problem> {
    let wrong = |code, detail| {
        Err(Problem::from(Refused::Meaning(vec![Violation::new("/url", code, detail)])))
    };
    let Ok(url) = Url::parse(body.url.as_str()) else {
        return wrong("invalid_value", "It is no valid address.");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("invalid_value", "A user or a password does not belong into an address.");
    }
    if !to_private && names_private(&url) {
        return wrong("private_address", "It is not an address of the public internet.");
    }
    Ok(())
}

fn tag(hook: &Hook) -> String {
    let bytes = serde_json::to_vec(hook).expect("a webhook is JSON");
    format!("\"{}.{}\"", hook.revision, answer::digest(&bytes))
}

fn tagged(hook: &Hook) -> HttpResponse {
    private().insert_header((header::ETAG, tag(hook))).json(hook)
}

fn accepted(delivery: Delivery) -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(DeliveryRecord::from(delivery))
}

pub(crate) fn routes(routes: &mut Routes) {
    routes.at("/v1/webhooks", |at| at.get(list).post(create));
    routes.at("/v1/webhooks/{id}", |at| at.get(read).patch(patch).delete(delete));
    routes.at("/v1/webhooks/{id}/ping", |at| at.post(ping));
    routes.at("/v1/webhooks/{id}/deliveries", |at| at.get(deliveries));
    routes.at("/v1/webhooks/{id}/deliveries/{delivery}/replay", |at| at.post(replay));
}
