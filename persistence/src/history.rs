//! The history of a record, read from the log, and the way back.
use chrono::{DateTime, Utc};
use domain::{Difference, Record, State, differences};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Author, Error, Sight, Store, Stored,
    change::{New, retried},
    dialect,
    error::unreadable,
    log,
    record::{self, named, read},
    sight::{PROJECT, of_no_project},
    token::Names,
};

/// A record as of one change, and the change.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The id of the record.
    pub id: Uuid,
    /// Which of its revisions it is.
    pub revision: i64,
    /// What was done.
    pub operation: String,
    /// Where the record then stood; none when it was deleted.
    pub state: Option<State>,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Who did it: the id of a token, or a command.
    pub actor: String,
    /// What they are called, if that is known.
    pub actor_name: Option<String>,
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
        let id = remembered::<R>(self.db(), key, self.sight()).await?;
        let newest = newest::<R>(self.db(), id).await?;
        let mut rows = changes::<R>(id).order_by_desc(log::Column::Revision).limit(limit + 1);
        if let Some(before) = before {
            rows = rows.filter(log::Column::Revision.lt(before));
        }
        // The one after the last is what the last is compared with.
        let rows = rows.all(self.db()).await?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX).min(rows.len());
        let before = |place: usize| rows.get(place + 1);
        let names = Names::of(self.db(), rows.iter().map(|row| &*row.actor)).await?;
        let told = (0..shown).map(|place| revision(&rows[place], before(place), newest, &names));
        Ok((told.collect::<Result<_, _>>()?, rows.len() > shown))
    }

    /// That revision of the record of that id or slug; none when the record has no such one.
    pub async fn revision<R: Stored>(
        &self,
        key: &str,
        number: i64,
    ) -> Result<Option<Revision>, Error> {
        let id = remembered::<R>(self.db(), key, self.sight()).await?;
        let newest = newest::<R>(self.db(), id).await?;
        let rows = changes::<R>(id)
            .filter(log::Column::Revision.lte(number))
            .order_by_desc(log::Column::Revision)
            .limit(2)
            .all(self.db())
            .await?;
        let found = rows.first().filter(|row| row.revision == number);
        let names = Names::of(self.db(), found.map(|row| &*row.actor)).await?;
        found.map(|row| revision(row, rows.get(1), newest, &names)).transpose()
    }

    /// Whether the record of that id has not been deleted.
    pub async fn lives<R: Stored>(&self, id: Uuid) -> Result<bool, Error> {
        lives::<R>(self.db(), id, &Sight::All).await
    }

    /// Brings a deleted record back as a draft, with that body, as its next revision; it was created
    /// when its first one was made. If any are named, its deletion has to be one of those revisions.
    pub async fn revive<R: Stored>(
        &self,
        by: &Author,
        id: Uuid,
        revisions: Option<&[i64]>,
        body: &R,
    ) -> Result<Record<R>, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            // Who brings it back at the very same time finds the id taken.
            if lives::<R>(&tx, id, &Sight::All).await? {
                return Err(Error::Stale);
            }
            if !was_seen::<R>(&tx, id, &by.sight()).await? {
                return Err(Error::NotFound);
            }
            let newest = newest::<R>(&tx, id).await?;
            if revisions.is_some_and(|revisions| !revisions.contains(&newest)) {
                return Err(Error::Stale);
            }
            let first = changes::<R>(id).order_by_asc(log::Column::Revision).limit(1);
            let created_at = first.one(&tx).await?.map(|first| first.at);
            let new = New { revision: newest + 1, operation: "revive", created_at, ..New::of(id) };
            let record = self.add(&tx, by, new, body).await?;
            log::commit(self, tx).await?;
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

/// Whether the record of that id is there, and seen also while it is not public.
async fn lives<R: Stored>(
    db: &impl ConnectionTrait,
    id: Uuid,
    sight: &Sight,
) -> Result<bool, Error> {
    let found = named::<R>(&id.to_string(), sight).filter(sight.of_drafts());
    Ok(found.one(db).await?.is_some())
}

/// The id of a record that is there, or was, as far as it is seen: deleted ones are found by the
/// slug that they had. A record of another project may be public: its drafts, and what was noted of
/// them, are that project's all the same.
async fn remembered<R: Stored>(
    db: &impl ConnectionTrait,
    key: &str,
    sight: &Sight,
) -> Result<Uuid, Error> {
    if let Some(row) = named::<R>(key, sight).one(db).await? {
        let own = lives::<R>(db, row.id, sight).await?;
        return if own { Ok(row.id) } else { Err(Error::OtherProject) };
    }
    let id = match record::id_of(key) {
        Some(id) => id,
        None => last_of::<R>(db, key).await?,
    };
    let seen = match lives::<R>(db, id, &Sight::All).await? {
        true => lives::<R>(db, id, sight).await?,
        false => was_seen::<R>(db, id, sight).await?,
    };
    if seen { Ok(id) } else { Err(Error::NotFound) }
}

/// Whether a deleted record was one that is seen. The log alone knows it: what it was a part of may
/// have changed since, so only the project that it named itself counts.
async fn was_seen<R: Stored>(
    db: &impl ConnectionTrait,
    id: Uuid,
    sight: &Sight,
) -> Result<bool, Error> {
    let projects = match sight {
        Sight::All => return Ok(true),
        Sight::Public => return Ok(false),
        Sight::Projects(_) if of_no_project(R::COLLECTION) => return Ok(true),
        Sight::Projects(projects) => projects,
    };
    let last = changes::<R>(id)
        .filter(log::Column::Body.is_not_null())
        .order_by_desc(log::Column::Revision)
        .limit(1)
        .one(db)
        .await?;
    let Some(body) = last.and_then(|row| row.body) else { return Ok(false) };
    let body: Value = read(&body)?;
    let project = body.pointer(PROJECT).and_then(Value::as_str);
    Ok(project.and_then(|id| id.parse().ok()).is_some_and(|id| projects.contains(&id)))
}

/// The id of the record that was deleted last under that slug.
async fn last_of<R: Stored>(db: &impl ConnectionTrait, slug: &str) -> Result<Uuid, Error> {
    let gone = log::Entity::find()
        .filter(log::Column::Resource.eq(R::COLLECTION))
        .filter(log::Column::Slug.eq(slug))
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
fn revision(
    row: &log::Model,
    before: Option<&log::Model>,
    newest: i64,
    names: &Names,
) -> Result<Revision, Error> {
    let body = |row: &log::Model| row.body.as_deref().map(read::<Value>).transpose();
    let before = before.map(body).transpose()?.flatten();
    let after = body(row)?;
    let state = row.state.clone().map(|state| serde_json::from_value(state.into()));
    Ok(Revision {
        id: row.record_id,
        revision: row.revision,
        operation: row.operation.clone(),
        state: state.transpose().map_err(unreadable)?,
        at: row.at,
        actor: row.actor.clone(),
        actor_name: names.name(&row.actor),
        request_id: row.request_id.clone(),
        note: row.note.clone(),
        current: row.revision == newest,
        differences: differences(before.as_ref(), after.as_ref()),
        body: after,
    })
}
