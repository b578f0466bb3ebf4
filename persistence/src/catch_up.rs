//! What is derived from records is written anew after a change of the schema.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use futures_util::future::LocalBoxFuture;
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use crate::{
    Error, Store, Stored, Visitor, dialect, index, ready,
    record::{self, bodies_of},
    visit_all,
};

/// The collections of which a migration has taken away what is derived, and how far it is back.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stale")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub collection: String,
    pub done_to: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}

/// How many records are taken in one transaction.
const AT_ONCE: u64 = 200;

impl Store {
    /// Writes the index rows, the words and what follows of the records of each collection that is
    /// stale; goes on where it was left when it was stopped in the middle.
    pub(crate) async fn catch_up(&self) -> Result<(), Error> {
        let stale = Entity::find().all(self.db()).await?;
        let mut work = Work { store: self, stale, tasks: Vec::new() };
        visit_all(&mut work);
        for task in work.tasks {
            task.await?;
        }
        Ok(())
    }

    async fn catch_up_with<R: Stored>(&self, mut last: Option<Uuid>) -> Result<(), Error> {
        loop {
            let mut rows =
                record::Entity::find().filter(record::Column::Resource.eq(R::COLLECTION));
            if let Some(last) = last {
                rows = rows.filter(record::Column::Id.gt(last));
            }
            let tx = dialect::begin_by_index(self.db()).await?;
            let rows = rows.order_by_asc(record::Column::Id).limit(AT_ONCE).all(&tx).await?;
            let Some(done) = rows.last() else {
                Entity::delete_by_id(R::COLLECTION).exec(&tx).await?;
                return Ok(tx.commit().await?);
            };
            last = Some(done.id);
            let (ids, bodies) = bodies_of::<R>(&rows)?;
            index::keep(&tx, rows.iter().zip(&bodies), &ids).await?;
            ready::note(&tx, &rows, &bodies).await?;
            ready::follow(&tx, &rows.iter().collect::<Vec<_>>(), &bodies, &ids).await?;
            Entity::update_many()
                .col_expr(Column::DoneTo, Expr::value(last))
                .filter(Column::Collection.eq(R::COLLECTION))
                .exec(&tx)
                .await?;
            tx.commit().await?;
        }
    }
}

/// What there is to be done for the collections that are stale.
struct Work<'a> {
    store: &'a Store,
    stale: Vec<Model>,
    tasks: Vec<LocalBoxFuture<'a, Result<(), Error>>>,
}

impl Visitor for Work<'_> {
    fn visit<R: Stored>(&mut self) {
        let stale = self.stale.iter().find(|stale| stale.collection == R::COLLECTION);
        if let Some(stale) = stale {
            self.tasks.push(Box::pin(self.store.catch_up_with::<R>(stale.done_to)));
        }
    }
}
