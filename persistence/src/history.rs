//! The history of a record, read from the log, and the way back.
use chrono::{DateTime, Utc};
use domain::{Difference, Record, differences};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Author, Error, Store, Stored, dialect, log,
    store::{named, read, retried},
};

/// A record as of one change, and the change.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The id of the record.
    pub id: Uuid,
    /// Which of its revisions it is.
    pub revision: i64,
    /// What was done: `create`, `replace` or `delete`.
    pub operation: String,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Who did it: the id of a token, or a command.
    pub actor: String,
    /// The request that it was done in.
    pub request_id: Option<String>,
    /// Why it was done.
    pub note: Option<String>,
    /// Whether the record is so now.
    pub current: bool,
    /// The body; none when the record was deleted.
    pub body: Option<Value>,
    /// What differs from the revision before.
    pub differences: Vec<Difference>,
}

impl Store {
    /// The revisions of the record of that id or slug before that one, the newest first; and
    /// whether more follow.
    pub async fn revisions<R: Stored>(
        &self,
        key: &str,
        before: Option<i64>,
        limit: u64,
    ) -> Result<(Vec<Revision>, bool), Error> {
        let id = remembered::<R>(self.db(), key).await?;
        let newest = newest::<R>(self.db(), id).await?;
        let mut rows = changes::<R>(id).order_by_desc(log::Column::Revision).limit(limit + 1);
        if let Some(before) = before {
            rows = rows.filter(log::Column::Revision.lt(before));
        }
        // The one after the last is what the last is compared with.
        let rows = rows.all(self.db()).await?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX).min(rows.len());
        let before = |place: usize| rows.get(place + 1);
        let told = (0..shown).map(|place| revision(&rows[place], before(place), newest));
        Ok((told.collect::<Result<_, _>>()?, rows.len() > shown))
    }

    /// That revision of the record of that id or slug; none when the record has no such one.
    pub async fn revision<R: Stored>(
        &self,
        key: &str,
        number: i64,
    ) -> Result<Option<Revision>, Error> {
        let id = remembered::<R>(self.db(), key).await?;
        let newest = newest::<R>(self.db(), id).await?;
        let rows = changes::<R>(id)
            .filter(log::Column::Revision.lte(number))
            .order_by_desc(log::Column::Revision)
            .limit(2)
            .all(self.db())
            .await?;
        let found = rows.first().filter(|row| row.revision == number);
        found.map(|row| revision(row, rows.get(1), newest)).transpose()
    }

    /// Whether the record of that id has not been deleted.
    pub async fn lives<R: Stored>(&self, id: Uuid) -> Result<bool, Error> {
        Ok(named::<R>(&id.to_string()).one(self.db()).await?.is_some())
    }

    /// Brings a deleted record back, with that body, as its next revision.
    pub async fn revive<R: Stored>(
        &self,
        by: &Author,
        id: Uuid,
        body: &R,
    ) -> Result<Record<R>, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            // Who brings it back at the very same time finds the id taken.
            if named::<R>(&id.to_string()).one(&tx).await?.is_some() {
                return Err(Error::Stale);
            }
            let next = newest::<R>(&tx, id).await? + 1;
            let record = self.add(&tx, by, id, next, body).await?;
            log::commit(tx).await?;
            Ok(record)
        })
        .await
    }
}

/// The log of one record.
fn changes<R: Stored>(id: Uuid) -> Select<log::Entity> {
    log::Entity::find()
        .filter(log::Column::Resource.eq(R::COLLECTION))
        .filter(log::Column::RecordId.eq(id))
}

/// The id of a record that is there, or was: deleted ones are found by the slug that they had.
async fn remembered<R: Stored>(db: &impl ConnectionTrait, key: &str) -> Result<Uuid, Error> {
    if let Ok(id) = Uuid::try_parse(key)
        && key.len() == 36
    {
        return Ok(id);
    }
    if let Some(row) = named::<R>(key).one(db).await? {
        return Ok(row.id);
    }
    let gone = log::Entity::find()
        .filter(log::Column::Resource.eq(R::COLLECTION))
        .filter(log::Column::Slug.eq(key))
        .filter(log::Column::Operation.eq("delete"))
        .order_by_desc(log::Column::Position)
        .limit(1);
    Ok(gone.one(db).await?.ok_or(Error::NotFound)?.record_id)
}

/// The newest revision of a record.
async fn newest<R: Stored>(db: &impl ConnectionTrait, id: Uuid) -> Result<i64, Error> {
    let newest: Option<Option<i64>> = changes::<R>(id)
        .select_only()
        .column_as(log::Column::Revision.max(), "newest")
        .into_tuple()
        .one(db)
        .await?;
    newest.flatten().ok_or(Error::NotFound)
}

/// A row of the log, told beside the one before it.
fn revision(row: &log::Model, before: Option<&log::Model>, newest: i64) -> Result<Revision, Error> {
    let body = |row: &log::Model| row.body.as_deref().map(read::<Value>).transpose();
    let before = before.map(body).transpose()?.flatten();
    let after = body(row)?;
    Ok(Revision {
        id: row.record_id,
        revision: row.revision,
        operation: row.operation.clone(),
        at: row.at,
        actor: row.actor.clone(),
        request_id: row.request_id.clone(),
        // The log has no place for it yet.
        note: None,
        current: row.revision == newest,
        differences: differences(before.as_ref(), after.as_ref()),
        body: after,
    })
}
