//! The log: one row for every change, written in the transaction of the change.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use chrono::{DateTime, Utc};
use domain::Step;
use sea_orm::{
    ActiveValue::Set, DatabaseTransaction, QueryOrder, QuerySelect, entity::prelude::*,
    sea_query::SimpleExpr,
};

use crate::{Author, Error, Store, dialect, feed::newest, insert, sight::published};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "change")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub position: i64,
    pub at: DateTimeUtc,
    pub actor: String,
    pub request_id: Option<String>,
    pub resource: String,
    pub record_id: Uuid,
    pub revision: i64,
    pub operation: String,
    pub slug: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    /// The state before; none when there was no record.
    pub state_before: Option<String>,
    /// The state after; none when there is no record any more.
    pub state: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What was changed into what.
pub(crate) struct Change {
    pub(crate) operation: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) id: Uuid,
    pub(crate) revision: i64,
    pub(crate) slug: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) state_before: Option<String>,
    pub(crate) state: Option<String>,
}

/// Writes changes to the log; after this nothing but the commit may follow.
pub(crate) async fn note(
    tx: &DatabaseTransaction,
    by: &Author,
    at: DateTime<Utc>,
    changes: Vec<Change>,
) -> Result<(), Error> {
    let rows = changes.into_iter().map(|change| ActiveModel {
        at: Set(at),
        actor: Set(by.name.clone()),
        request_id: Set(by.request_id.clone()),
        resource: Set(change.resource.to_owned()),
        record_id: Set(change.id),
        revision: Set(change.revision),
        operation: Set(change.operation.to_owned()),
        slug: Set(change.slug),
        body: Set(change.body),
        state_before: Set(change.state_before),
        state: Set(change.state),
        note: Set(by.note.clone()),
        ..Default::default()
    });
    insert::all::<Entity>(tx, rows.collect()).await
}

/// The condition that the public sees something of a change; written out, so that Postgres knows that
/// there are indexes of just these.
pub(crate) fn seen_by_public() -> SimpleExpr {
    let public = published();
    Expr::cust(format!("(state = '{public}' OR state_before = '{public}')"))
}

/// The condition that something stopped being public, written out for the same reason.
pub(crate) fn left_public() -> SimpleExpr {
    let public = published();
    Expr::cust(format!("(state_before = '{public}' AND (state IS NULL OR state <> '{public}'))"))
}

/// Keeps others from committing until this transaction has.
pub(crate) async fn lock(tx: &DatabaseTransaction) -> Result<(), Error> {
    dialect::lock_log(tx).await
}

/// Commits what was noted, and tells who waits for it.
pub(crate) async fn commit(store: &Store, tx: DatabaseTransaction) -> Result<(), Error> {
    let wrote = match store.replicas() {
        None => None,
        Some(_) => Some(newest(&tx).await?),
    };
    let committed = tx.commit().await;
    if let (Some(wrote), Ok(())) = (wrote, &committed) {
        store.pulse().wrote(wrote);
    }
    // Who gets no answer does not know whether it was: it may well have been.
    store.pulse().stir();
    Ok(committed?)
}

/// Whether that author wrote any of what is in a record and was not public yet; of what was public
/// already, whether they wrote it last.
pub(crate) async fn has_written(
    tx: &DatabaseTransaction,
    resource: &str,
    id: Uuid,
    author: &str,
) -> Result<bool, Error> {
    let revisions = || {
        Entity::find()
            .filter(Column::Resource.eq(resource))
            .filter(Column::RecordId.eq(id))
            .order_by_desc(Column::Revision)
            .limit(1)
    };
    let written = || revisions().filter(Column::Operation.is_not_in(Step::ALL.map(Step::name)));
    let public = revisions().filter(Column::State.eq(published())).one(tx).await?;
    let since = public.map_or(0, |row| row.revision) + 1;
    let last = written().one(tx).await?.map_or(0, |row| row.revision);
    let own = written()
        .filter(Column::Actor.eq(author))
        .filter(Column::Revision.gte(Ord::min(since, last)));
    Ok(own.one(tx).await?.is_some())
}
