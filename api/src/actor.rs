//! Who asks, and whether they may.
use actix_web::{HttpMessage, HttpRequest, http::header};
use domain::{Deed, Resource, Token};
use persistence::{Actor, Author, Store};

use crate::{Problem, edge::RequestId};

/// Who asks, by the token that the request brings, if they may do that.
///
/// Why a token does not hold is not told: nobody is to learn which tokens there are or were.
pub(crate) async fn of(request: &HttpRequest, store: &Store, deed: Deed) -> Result<Actor, Problem> {
    let token = token(request).ok_or_else(Problem::unauthenticated)?;
    let actor = store.actor(token).await.map_err(Problem::of(Token::COLLECTION))?;
    let actor = actor.ok_or_else(Problem::unauthenticated)?;
    if actor.may(deed) { Ok(actor) } else { Err(Problem::forbidden(deed)) }
}

/// Whom the log is to name for what is asked, if they may do that.
pub(crate) async fn author(
    request: &HttpRequest,
    store: &Store,
    deed: Deed,
) -> Result<Author, Problem> {
    let name = of(request, store, deed).await?.token_id;
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    Ok(Author { name, request_id })
}

fn token(request: &HttpRequest) -> Option<&str> {
    let given = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = given.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
