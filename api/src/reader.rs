//! The records, as far as who asks may see them.
use std::{future::ready, ops::Deref};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use domain::Deed;
use futures_util::future::LocalBoxFuture;
use persistence::{KeptToken, Sight, Store};

use crate::{Problem, actor};

/// The public records; for who brings a token, also what that lets them see.
#[derive(Clone)]
pub(crate) struct Reader {
    store: Store,
    actor: Option<KeptToken>,
}

impl Reader {
    /// The public records only, whoever asks: figures and documents of many records are the same for
    /// all, and no draft passes in them for something that happened.
    pub(crate) fn published(&self) -> Self {
        Self { store: self.store.seen_by(Sight::Public), actor: self.actor.clone() }
    }

    /// Whether who asks may do that.
    pub(crate) fn may(&self, deed: Deed) -> bool {
        self.actor.as_ref().is_some_and(|actor| actor.may(deed))
    }
}

impl Deref for Reader {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl FromRequest for Reader {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let store = request.app_data::<Data<Store>>().ok_or_else(Problem::internal)?;
            if !request.headers().contains_key(header::AUTHORIZATION) {
                return Ok(Self { store: store.elsewhere(), actor: None });
            }
            let actor = actor::of(&request, store, Deed::See).await?;
            let sight = actor.projects.clone().map_or(Sight::All, Sight::Projects);
            Ok(Self { store: store.seen_by(sight), actor: Some(actor) })
        })
    }
}

/// Who asks for what is the same for all: anybody, but with a token only with one that holds.
pub(crate) struct Anybody;

impl FromRequest for Anybody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !request.headers().contains_key(header::AUTHORIZATION) {
            return Box::pin(ready(Ok(Self)));
        }
        let reader = Reader::from_request(request, payload);
        Box::pin(async { reader.await.map(|_| Self) })
    }
}
