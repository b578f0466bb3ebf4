//! Who asks, and whether they may.
use actix_web::{HttpMessage, HttpRequest, http::header, web::Data};
use domain::{Deed, Resource, Token};
use persistence::{Author, KeptToken, Store};

use crate::{
    Problem,
    edge::{RequestId, TokenId},
    oidc::Provider,
};

/// Whether it takes two people to write something and to publish it.
#[derive(Clone, Copy)]
pub(crate) struct TwoPeople(pub(crate) bool);

/// Who asks, by the token that the request brings, if they may do that: one of the registry or, where
/// an identity provider is known, one of the provider.
///
/// Why a token does not hold is not told: nobody is to learn which tokens there are or were.
pub(crate) async fn of(
    request: &HttpRequest,
    store: &Store,
    deed: Deed,
) -> Result<KeptToken, Problem> {
    let token = token(request).ok_or_else(Problem::unauthenticated)?;
    let provider = request.app_data::<Data<Provider>>();
    let held = match provider.filter(|_| !token.starts_with(KeptToken::BEGIN)) {
        Some(provider) => provider.holder(token, store.now()).await?,
        None => store.held(token).await.map_err(Problem::of(Token::COLLECTION))?,
    };
    let held = held.ok_or_else(Problem::unauthenticated)?;
    request.extensions_mut().insert(TokenId(held.id.clone()));
    if held.may(deed) { Ok(held) } else { Err(Problem::forbidden(deed)) }
}

/// Whom the log is to name for what is asked, if they may do that.
pub(crate) async fn author(
    request: &HttpRequest,
    store: &Store,
    deed: Deed,
) -> Result<Author, Problem> {
    let actor = of(request, store, deed).await?;
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.to_string());
    let two = request.app_data::<Data<TwoPeople>>().is_some_and(|rule| rule.0);
    Ok(Author {
        request_id,
        publishes: actor.may(Deed::Publish),
        alone: !two,
        name: actor.id,
        projects: actor.projects,
        note: None,
    })
}

fn token(request: &HttpRequest) -> Option<&str> {
    let given = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = given.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
