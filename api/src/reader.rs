//! The records, as far as who asks may see them.
use std::ops::Deref;

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use domain::Deed;
use futures_util::future::LocalBoxFuture;
use persistence::{Sight, Store};

use crate::{Problem, actor};

/// The public records; for who brings a token, also what that lets them see.
#[derive(Clone)]
pub(crate) struct Reader(Store);

impl Deref for Reader {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.0
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
                return Ok(Self(store.get_ref().clone()));
            }
            let actor = actor::of(&request, store, Deed::See).await?;
            let sight = actor.projects.map_or(Sight::All, Sight::Projects);
            Ok(Self(store.seen_by(sight)))
        })
    }
}
