//! The public feed of changes: what everybody may see of the log.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::Collection;
use futures_util::future::LocalBoxFuture;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Error, Sight, Store, Stored, Visitor, log, neighbours::of_keys, sight::published, visit_all,
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
    pub record: Option<Value>,
}

/// A part of the feed.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The changes, in their order.
    pub items: Vec<PublicChange>,
    /// The place after which to go on.
    pub next: i64,
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
        let mut feed = changes(self.db(), after, limit, resources).await?;
        self.tell(&mut feed.items).await?;
        Ok(feed)
    }

    /// Adds to changes the records as they are now.
    ///
    /// What a record was before is nobody's any more: it may have been withdrawn or corrected for a
    /// reason. Who follows the feed to its end holds the same.
    async fn tell(&self, items: &mut [PublicChange]) -> Result<(), Error> {
        let public = self.seen_by(Sight::Public);
        let mut now = Now { store: &public, wanted: BTreeMap::new(), tasks: Vec::new() };
        for item in items.iter() {
            let ids = now.wanted.entry(item.resource.clone()).or_default();
            ids.insert(item.id.to_string());
        }
        visit_all(&mut now);
        let mut records = HashMap::new();
        for task in now.tasks {
            records.extend(task.await?);
        }
        for item in items {
            if !matches!(item.operation, Operation::Deleted | Operation::Withdrawn) {
                item.record = records.get(&item.id).cloned();
            }
        }
        Ok(())
    }

    /// The public change at that place.
    pub(crate) async fn change_at(&self, position: i64) -> Result<Option<PublicChange>, Error> {
        Ok(self.changes(position - 1, 1, &[]).await?.items.pop())
    }
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
        .filter(
            Condition::any()
                .add(log::Column::StateBefore.eq(published()))
                .add(log::Column::State.eq(published())),
        )
        .order_by_asc(log::Column::Position)
        .limit(limit);
    if !resources.is_empty() {
        rows = rows.filter(log::Column::Resource.is_in(resources.iter().map(Collection::as_str)));
    }
    let rows = rows.all(db).await?;
    let more = rows.len() as u64 == limit;
    let last = rows.last().map(|row| row.position);
    let next = match last {
        Some(last) if more => last,
        last => newest.max(last.unwrap_or(0)),
    };
    Ok(Feed { items: rows.into_iter().map(seen).collect(), next, more })
}

/// What the public sees of a change; those that it sees nothing of are not read.
fn seen(row: log::Model) -> PublicChange {
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

/// Reads those records as they are now, collection by collection.
struct Now<'a> {
    store: &'a Store,
    wanted: BTreeMap<String, BTreeSet<String>>,
    tasks: Vec<LocalBoxFuture<'a, Found>>,
}

type Found = Result<Vec<(Uuid, Value)>, Error>;

impl Visitor for Now<'_> {
    fn visit<R: Stored>(&mut self) {
        let Some(ids) = self.wanted.remove(R::COLLECTION) else { return };
        let store = self.store;
        self.tasks.push(Box::pin(async move {
            let found = of_keys::<R>(store.db(), store.sight(), ids).await?;
            Ok(found.iter().map(|record| (record.id, json!(record))).collect())
        }));
    }
}

#[cfg(test)]
mod tests {
    use crate::{Stored, Visitor, visit_all};

    #[test]
    fn the_collections_that_the_feed_knows_are_all_there_are() {
        struct Names(Vec<&'static str>);
        impl Visitor for Names {
            fn visit<R: Stored>(&mut self) {
                self.0.push(R::COLLECTION);
            }
        }
        let mut names = Names(Vec::new());
        visit_all(&mut names);
        assert_eq!(names.0, domain::collections());
    }
}
