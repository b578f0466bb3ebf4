//! The public feed of changes: what everybody may see of the log.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::Collection;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Error, Sight, Store, log,
    ready::{Ready, ready_of},
    record::{self, padded},
    sight::published,
    source::Source,
};

/// What happened to a record, as the public sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// It is there now.
    Created,
    /// It is another than before.
    Changed,
    /// It is gone.
    Deleted,
    /// It is no longer public.
    Withdrawn,
}

impl Operation {
    /// Its name, as it is told.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A change, as the public sees it.
#[derive(Clone, Debug)]
pub struct PublicChange {
    /// Its place in the log.
    pub position: i64,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// The collection of the record.
    pub resource: String,
    /// The id of the record.
    pub id: Uuid,
    /// The slug of the record, if it has one.
    pub slug: Option<String>,
    /// The revision that the change made.
    pub revision: i64,
    /// What happened to the record.
    pub operation: Operation,
    /// The record as it is now, unless it is no longer public.
    pub record: Option<Ready>,
}

/// A part of the feed.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The changes, in their order.
    pub items: Vec<PublicChange>,
    /// The place of the last of them; where there are none, the one that they were asked after.
    pub next: i64,
    /// The place up to which nothing else is to be told.
    pub(crate) until: i64,
    /// Whether more may follow at once.
    pub more: bool,
}

impl Store {
    /// The place of the newest change; zero when there is none.
    pub async fn newest(&self) -> Result<i64, Error> {
        newest(self.db()).await
    }

    /// The changes after that place, of one of those collections if any are named.
    pub async fn changes(
        &self,
        after: i64,
        limit: u64,
        resources: &[Collection],
    ) -> Result<Feed, Error> {
        let mut db = self.reads_by_key().await;
        let mut found = changes(&db, after, limit, resources).await;
        if db.replica.is_some() && matches!(found, Err(Error::InvalidCursor)) {
            // The place may have been told by an instance that knows more than this one.
            db = Source { replica: None, ..db };
            found = changes(&db, after, limit, resources).await;
        }
        let mut feed = found?;
        tell(&db, &mut feed.items).await?;
        Ok(feed)
    }

    /// The public change at that place.
    pub(crate) async fn change_at(&self, position: i64) -> Result<Option<PublicChange>, Error> {
        Ok(self.changes(position - 1, 1, &[]).await?.items.pop())
    }
}

/// Adds to changes the records as they are now.
///
/// What a record was before is nobody's any more: it may have been withdrawn or corrected for a
/// reason. Who follows the feed to its end holds the same.
async fn tell(db: &impl ConnectionTrait, items: &mut [PublicChange]) -> Result<(), Error> {
    let there = |item: &&mut PublicChange| {
        matches!(item.operation, Operation::Created | Operation::Changed)
    };
    let ids = padded(items.iter_mut().filter(there).map(|item| item.id));
    if ids.is_empty() {
        return Ok(());
    }
    let rows = record::Entity::find()
        .filter(record::Column::Id.is_in(ids))
        .filter(Sight::Public.of_records())
        .all(db)
        .await?;
    let records: HashMap<_, _> =
        ready_of(db, rows).await?.into_iter().map(|record| (record.id, record)).collect();
    for item in items.iter_mut().filter(there) {
        item.record = records.get(&item.id).cloned();
    }
    Ok(())
}

pub(crate) async fn newest(db: &impl ConnectionTrait) -> Result<i64, Error> {
    let newest: Option<Option<i64>> = log::Entity::find()
        .select_only()
        .column_as(log::Column::Position.max(), "newest")
        .into_tuple()
        .one(db)
        .await?;
    Ok(newest.flatten().unwrap_or(0))
}

/// What [`Store::changes`] tells.
///
/// Positions become visible in their order, so nothing can appear before what was read.
pub(crate) async fn changes(
    db: &impl ConnectionTrait,
    after: i64,
    limit: u64,
    resources: &[Collection],
) -> Result<Feed, Error> {
    // Before the rows: whatever of the named collections lies up to here will be among them.
    let newest = newest(db).await?;
    if !(0..=newest).contains(&after) {
        return Err(Error::InvalidCursor);
    }
    let mut rows = log::Entity::find()
        .filter(log::Column::Position.gt(after))
        .filter(log::seen_by_public())
        .order_by_asc(log::Column::Position)
        .limit(limit);
    if !resources.is_empty() {
        rows = rows.filter(log::Column::Resource.is_in(resources.iter().map(Collection::as_str)));
    }
    let rows = rows.into_partial_model::<Row>().all(db).await?;
    let more = rows.len() as u64 == limit;
    let next = rows.last().map_or(after, |row| row.position);
    let until = if more { next } else { next.max(newest) };
    Ok(Feed { items: rows.into_iter().map(seen).collect(), next, until, more })
}

/// What is read of a change: bodies are long, and not those of now.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "log::Entity")]
pub(crate) struct Row {
    position: i64,
    at: DateTime<Utc>,
    resource: String,
    record_id: Uuid,
    revision: i64,
    slug: Option<String>,
    state_before: Option<String>,
    state: Option<String>,
}

/// What the public sees of a change; those that it sees nothing of are not read.
pub(crate) fn seen(row: Row) -> PublicChange {
    let public = |state: Option<&str>| state == Some(&*published());
    let operation = match (public(row.state_before.as_deref()), public(row.state.as_deref())) {
        (false, _) => Operation::Created,
        (true, true) => Operation::Changed,
        (true, false) if row.state.is_none() => Operation::Deleted,
        (true, false) => Operation::Withdrawn,
    };
    PublicChange {
        position: row.position,
        at: row.at,
        resource: row.resource,
        id: row.record_id,
        slug: row.slug,
        revision: row.revision,
        operation,
        record: None,
    }
}
