//! Tokens: who holds which, made and ended by who manages them.
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header,
    web::{Data, Path, Payload},
};
use chrono::{DateTime, Days, Utc};
use domain::{Deed, Resource, Role, Token, TokenFilter};
use persistence::{KeptToken, NewToken, Store};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Problem, actor, body, crud::apart, idempotency, query::ListQuery, routes::Routes};

pub(crate) const COLLECTION: &str = Token::COLLECTION;

type Answer = Result<HttpResponse, Problem>;

/// A token, without what only its holder knows.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenRecord {
    /// Identifies the token, for ever; the log names who changed something by it. Of a token of an
    /// identity provider, its holder: `oidc:` and their `sub`.
    #[schema(example = "3f9a0c5be21d", pattern = "^(?:[0-9a-f]{12}|oidc:[!-~]{1,255})$")]
    id: String,
    /// Whose it is, or what it is for.
    #[schema(example = "The editors of the ministry")]
    name: String,
    /// What its holder may do.
    role: Role,
    /// The ids of the projects that it is limited to; null when it is not.
    projects: Option<Vec<Uuid>>,
    /// When it was made.
    #[schema(example = "2026-11-24T09:00:00Z")]
    created_at: DateTime<Utc>,
    /// When it ends.
    #[schema(example = "2027-11-24T09:00:00Z")]
    expires_at: DateTime<Utc>,
    /// When it was revoked; null when it was not.
    #[schema(example = "2026-12-24T09:00:00Z")]
    revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, give or take a minute; null when it never was, or is not noted.
    #[schema(example = "2026-12-01T09:00:00Z")]
    last_used_at: Option<DateTime<Utc>>,
}

impl From<KeptToken> for TokenRecord {
    fn from(kept: KeptToken) -> Self {
        Self {
            id: kept.id,
            name: kept.name,
            role: kept.role,
            projects: kept.projects,
            created_at: kept.created_at,
            expires_at: kept.expires_at,
            revoked_at: kept.revoked_at,
            last_used_at: kept.last_used_at,
        }
    }
}

#[derive(Serialize)]
struct Created {
    #[serde(flatten)]
    record: TokenRecord,
    token: String,
}

async fn list(request: HttpRequest, store: Data<Store>) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    let mut query = ListQuery::of(&request)?;
    query.refuse(&["sort", "with_total", "include", "facets", "lang"]);
    let TokenFilter {} = query.filter();
    query.judge()?;
    let before = query.after(COLLECTION)?.as_deref().and_then(place);
    let found = store.tokens(before, query.limit + 1).await;
    let mut found = found.map_err(Problem::of(COLLECTION))?;
    let more = found.len() as u64 > query.limit;
    found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more);
    let next = next.map(|last| query.cursor(COLLECTION, &[json!(last.created_at), json!(last.id)]));
    let items: Vec<_> = found.into_iter().map(TokenRecord::from).collect();
    Ok(private(HttpResponse::Ok(), &json!({"items": items, "next_cursor": next})))
}

/// Where a cursor says that a page ended.
fn place(place: &[Value]) -> Option<(DateTime<Utc>, String)> {
    let [at, id] = place else { return None };
    Some((at.as_str()?.parse().ok()?, id.as_str()?.to_owned()))
}

async fn create(request: HttpRequest, store: Data<Store>, payload: Payload) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    ListQuery::none(&request)?;
    idempotency::refuse(&request)?;
    let body: Token = body::whole(&request, payload).await?;
    let new = NewToken {
        name: body.name.as_str().to_owned(),
        role: body.role,
        expires_at: store.now() + Days::new(body.days.into()),
        projects: body.projects,
    };
    let (kept, token) = apart(COLLECTION, async move { store.create_token(&new).await }).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/v1/tokens/{}", kept.id)));
    Ok(private(response, &Created { record: kept.into(), token }))
}

async fn read(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    actor::of(&request, &store, Deed::Manage).await?;
    ListQuery::none(&request)?;
    let kept = store.token(id(&key)?).await.map_err(Problem::of(COLLECTION))?;
    Ok(shown(kept))
}

async fn read_own(request: HttpRequest, store: Data<Store>) -> Answer {
    let actor = actor::of(&request, &store, Deed::See).await?;
    ListQuery::none(&request)?;
    Ok(shown(actor))
}

async fn revoke(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let actor = actor::of(&request, &store, Deed::See).await?;
    // Whoever holds a token may give it up.
    if actor.id != *key && !actor.may(Deed::Manage) {
        return Err(Problem::forbidden(Deed::Manage));
    }
    ListQuery::none(&request)?;
    let id = id(&key)?.to_owned();
    let kept = apart(COLLECTION, async move { store.revoke_token(&id).await }).await?;
    Ok(shown(kept))
}

fn id(key: &str) -> Result<&str, Problem> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let fits = key.len() == 12 && key.bytes().all(digit);
    if fits { Ok(key) } else { Err(Problem::no_record(COLLECTION)) }
}

fn shown(kept: KeptToken) -> HttpResponse {
    private(HttpResponse::Ok(), &TokenRecord::from(kept))
}

fn private(mut response: HttpResponseBuilder, answer: &impl Serialize) -> HttpResponse {
    response.insert_header((header::CACHE_CONTROL, "no-store")).json(answer)
}

pub(crate) fn routes(routes: &mut Routes) {
    routes.at("/v1/tokens", |at| at.get(list).post(create));
    routes.at("/v1/tokens/self", |at| at.get(read_own));
    routes.at("/v1/tokens/{id}", |at| at.get(read));
    routes.at("/v1/tokens/{id}/revoke", |at| at.post(revoke));
}
