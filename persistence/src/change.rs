//! Changes of records: each is one transaction, which ends with a row of the log.
use chrono::{DateTime, Utc};
use domain::{Record, Resource, State, Step};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
    sea_query::{Expr, LockType},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Author, Contribution, Error, Proposal, Sight, Store, Stored, dialect, index, insert,
    list::id_column,
    log, participant, proposal, ready,
    record::{self, named, one, read, state, typed},
    reference::{self, links_of, referrers, settled, whole_public},
    rights::{may_add, may_decide, may_replace, rights_of},
    search,
};

/// What became of a change.
#[derive(Clone)]
pub enum Written<R: Resource> {
    /// It was made.
    Kept(Box<Record<R>>),
    /// It is kept aside until a publisher decides.
    Proposed(Box<Proposal>),
}

/// As what a record is added.
#[derive(Clone, Copy)]
pub(crate) struct New {
    pub(crate) id: Uuid,
    pub(crate) revision: i64,
    pub(crate) operation: &'static str,
    pub(crate) publish: bool,
    /// When it was created, if it was there before.
    pub(crate) created_at: Option<DateTime<Utc>>,
}

impl New {
    /// A draft that was never there before.
    pub(crate) fn of(id: Uuid) -> Self {
        Self { id, revision: 1, operation: "create", publish: false, created_at: None }
    }
}

/// A record as it is to be from now on.
pub(crate) struct Entry<R> {
    pub(crate) operation: &'static str,
    /// What it was, if it was there.
    pub(crate) before: Option<(record::Model, R)>,
    pub(crate) row: record::Model,
    pub(crate) body: R,
    pub(crate) value: Value,
    /// Whom it refers to.
    pub(crate) links: Vec<(String, Uuid)>,
}

impl<R: Stored> Entry<R> {
    /// Writes their rows: others may refer to them from here on.
    pub(crate) async fn keep_rows(all: &[&Self], tx: &DatabaseTransaction) -> Result<(), Error> {
        let (old, new): (Vec<&Self>, _) = all.iter().partition(|entry| entry.before.is_some());
        let new = new.into_iter().map(|entry| entry.row.clone().into_active_model().reset_all());
        insert::all::<record::Entity>(tx, new.collect()).await?;
        for entry in old {
            if entry.is_renamed() {
                R::hold_tellers(tx, entry.row.id).await?;
            }
            update(tx, &entry.row).await?;
        }
        Ok(())
    }

    /// Writes their index rows, what they contribute and whom they refer to.
    pub(crate) async fn keep_parts(all: &[&Self], tx: &DatabaseTransaction) -> Result<(), Error> {
        let had = Self::ids_before(all);
        index::keep(tx, all.iter().map(|entry| (&entry.row, &entry.body)), &had).await?;
        reference::keep::<R>(tx, all, &had).await
    }

    /// Judges them by other records, and writes them to the log.
    pub(crate) async fn finish(
        all: &[&Self],
        store: &Store,
        tx: &DatabaseTransaction,
        by: &Author,
    ) -> Result<(), Error> {
        log::lock(tx).await?;
        Self::may_stand(all, tx).await?;
        let rows: Vec<_> = all.iter().map(|entry| &entry.row).collect();
        let bodies: Vec<_> = all.iter().map(|entry| entry.body.clone()).collect();
        let had = Self::ids_before(all);
        ready::follow(tx, &rows, &bodies, &had).await?;
        for entry in all.iter().filter(|entry| entry.is_renamed()) {
            R::renamed(tx, entry.row.id).await?;
        }
        let changes = all.iter().map(|entry| {
            let before = entry.before.as_ref().map(|(old, _)| old.state.clone());
            change::<R>(entry.operation, before, &entry.row, true)
        });
        log::note(tx, by, store.now(), changes.collect()).await
    }

    /// Judges them by other records.
    pub(crate) async fn may_stand(all: &[&Self], tx: &DatabaseTransaction) -> Result<(), Error> {
        for entry in all {
            let before = entry.before.as_ref().map(|(_, body)| body);
            let conflicts = entry.body.conflicts(tx, entry.row.id, before).await?;
            if !conflicts.is_empty() {
                return Err(Error::Refused(conflicts));
            }
        }
        reference::codes_stand(tx, all).await?;
        let public = all.iter().filter(|entry| entry.row.is_public());
        whole_public::<R>(tx, public.map(|entry| (&entry.value, &*entry.links))).await
    }

    /// Whether it is called otherwise than before.
    fn is_renamed(&self) -> bool {
        self.before.as_ref().is_some_and(|(_, before)| self.body.is_renamed(before))
    }

    /// The ids of those that were there before.
    fn ids_before(all: &[&Self]) -> Vec<Uuid> {
        all.iter().filter(|entry| entry.before.is_some()).map(|entry| entry.row.id).collect()
    }
}

impl Store {
    /// Keeps a new record: a draft, or at once for the public.
    pub async fn create<R: Stored>(
        &self,
        by: &Author,
        body: &R,
        publish: bool,
    ) -> Result<Record<R>, Error> {
        let id = self.new_id();
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let record = self.add(&tx, by, New { publish, ..New::of(id) }, body).await?;
            log::commit(self, tx).await?;
            Ok(record)
        })
        .await
    }

    /// Adds a record.
    pub(crate) async fn add<R: Stored>(
        &self,
        tx: &DatabaseTransaction,
        by: &Author,
        new: New,
        body: &R,
    ) -> Result<Record<R>, Error> {
        let mut value = json!(body);
        let links = settled::<R>(tx, &by.sight(), &mut value).await?;
        may_add::<R>(tx, by, new.id, new.publish, &links).await?;
        let entry = self.added::<R>(new, value, links)?;
        self.keep(tx, by, &entry).await?;
        one(tx, entry.row).await
    }

    /// A record that is to be added.
    pub(crate) fn added<R: Stored>(
        &self,
        new: New,
        value: Value,
        links: Vec<(String, Uuid)>,
    ) -> Result<Entry<R>, Error> {
        let body: R = typed(&value)?;
        let state = if new.publish { State::Published } else { State::Draft };
        let row = row(new.id, &body, &value, state, self.now());
        let created_at = new.created_at.unwrap_or(row.created_at);
        let row = record::Model { revision: new.revision, created_at, ..row };
        Ok(Entry { operation: new.operation, before: None, row, body, value, links })
    }

    /// Replaces a record that is still at one of those revisions; what is public is changed by those who may
    /// publish, and for others the change is kept aside.
    pub async fn replace<R: Stored>(
        &self,
        by: &Author,
        key: &str,
        revisions: &[i64],
        body: &R,
    ) -> Result<Written<R>, Error> {
        self.exchange(by, "replace", key, revisions, body).await
    }

    /// The same, with a body that the record had before.
    pub async fn restore<R: Stored>(
        &self,
        by: &Author,
        key: &str,
        revisions: &[i64],
        body: &R,
    ) -> Result<Written<R>, Error> {
        self.exchange(by, "restore", key, revisions, body).await
    }

    async fn exchange<R: Stored>(
        &self,
        by: &Author,
        operation: &'static str,
        key: &str,
        revisions: &[i64],
        body: &R,
    ) -> Result<Written<R>, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let old = locked::<R>(&tx, by, key, revisions).await?;
            let mut value = json!(body);
            let links = settled::<R>(&tx, &by.sight(), &mut value).await?;
            if !may_replace::<R>(&tx, by, &old, &links).await? {
                // Whoever decides has nothing to decide about what is so already.
                if value == json!(read::<R>(&old.body)?) {
                    return Ok(Written::Kept(Box::new(one(&tx, old).await?)));
                }
                let proposal = proposal::keep_once(&tx, self, by, &old, &value).await?;
                tx.commit().await?;
                return Ok(Written::Proposed(Box::new(proposal)));
            }
            let record = self.put::<R>(&tx, by, operation, old, value, links).await?;
            log::commit(self, tx).await?;
            Ok(Written::Kept(Box::new(record)))
        })
        .await
    }

    /// Puts a new body in place of a record's.
    pub(crate) async fn put<R: Stored>(
        &self,
        tx: &DatabaseTransaction,
        by: &Author,
        operation: &'static str,
        old: record::Model,
        value: Value,
        links: Vec<(String, Uuid)>,
    ) -> Result<Record<R>, Error> {
        let entry = self.replaced::<R>(operation, old, value, links)?;
        self.keep(tx, by, &entry).await?;
        one(tx, entry.row).await
    }

    /// A record that is to have another body.
    pub(crate) fn replaced<R: Stored>(
        &self,
        operation: &'static str,
        old: record::Model,
        value: Value,
        links: Vec<(String, Uuid)>,
    ) -> Result<Entry<R>, Error> {
        let before: R = read(&old.body)?;
        let body: R = typed(&value)?;
        let written = value.to_string();
        let row = record::Model {
            slug: body.slug().map(ToOwned::to_owned),
            revision: old.revision + 1,
            updated_at: Ord::max(self.now(), old.updated_at),
            shape: ready::shape(&body, &written),
            body: written,
            derived: None,
            ..old.clone()
        };
        Ok(Entry { operation, before: Some((old, before)), row, body, value, links })
    }

    /// Writes a record, and the log of it.
    pub(crate) async fn keep<R: Stored>(
        &self,
        tx: &DatabaseTransaction,
        by: &Author,
        entry: &Entry<R>,
    ) -> Result<(), Error> {
        Entry::keep_rows(&[entry], tx).await?;
        Entry::keep_parts(&[entry], tx).await?;
        Entry::finish(&[entry], self, tx, by).await
    }

    /// Takes a record a step on its way to the public, or back.
    pub async fn take_step<R: Stored>(
        &self,
        by: &Author,
        key: &str,
        revisions: &[i64],
        step: Step,
    ) -> Result<Record<R>, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let old = locked::<R>(&tx, by, key, revisions).await?;
            let within = rights_of::<R>(&tx, by, &old).await?;
            let state = state(&old)?;
            if step.needs_publisher(state) {
                may_decide(by, within)?;
            }
            if !step.begins_at(state) {
                return Err(Error::WrongState(state));
            }
            if step == Step::Publish
                && !by.alone
                && log::has_written(&tx, R::COLLECTION, old.id, &by.name).await?
            {
                return Err(Error::SamePerson);
            }
            let now = Ord::max(self.now(), old.updated_at);
            let row = record::Model {
                state: index::code(Some(&step.leads_to())).unwrap_or_default(),
                revision: old.revision + 1,
                updated_at: now,
                published_at: (step == Step::Publish).then_some(now),
                ..old.clone()
            };
            update(&tx, &row).await?;
            if row.is_public() != old.is_public() {
                show::<R>(&tx, &row).await?;
            }
            log::lock(&tx).await?;
            match step {
                Step::Publish => {
                    let (body, links) = (read(&row.body)?, links_of(&tx, row.id).await?);
                    whole_public::<R>(&tx, [(&body, &*links)].into_iter()).await?;
                }
                Step::Withdraw => {
                    let referrers = referrers(&tx, &Sight::Public, old.id).await?;
                    if !referrers.is_empty() {
                        return Err(Error::InUse(referrers));
                    }
                }
                Step::Submit | Step::Reopen => {}
            }
            let change = change::<R>(step.name(), Some(old.state), &row, true);
            log::note(&tx, by, self.now(), vec![change]).await?;
            let record = one(&tx, row).await?;
            log::commit(self, tx).await?;
            Ok(record)
        })
        .await
    }

    /// Removes a record that is still at one of those revisions, if nothing else refers to it.
    pub async fn delete<R: Stored>(
        &self,
        by: &Author,
        key: &str,
        revisions: &[i64],
    ) -> Result<(), Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let old = locked::<R>(&tx, by, key, revisions).await?;
            let within = rights_of::<R>(&tx, by, &old).await?;
            if matches!(state(&old)?, State::Published | State::Withdrawn) {
                may_decide(by, within)?;
            }
            let participants = participant::referrer(&tx, old.id).await?;
            if participants.is_some() || !referrers(&tx, &Sight::All, old.id).await?.is_empty() {
                // Others than those that the author sees are not named.
                let named = referrers(&tx, &by.sight(), old.id).await?;
                return Err(Error::InUse(participants.into_iter().chain(named).collect()));
            }
            reference::Entity::delete_many()
                .filter(reference::Column::SourceId.eq(old.id))
                .exec(&tx)
                .await?;
            record::Entity::delete_by_id(old.id).exec(&tx).await?;
            let before = Some(old.state.clone());
            let gone = record::Model { revision: old.revision + 1, ..old };
            log::lock(&tx).await?;
            let change = change::<R>("delete", before, &gone, false);
            log::note(&tx, by, self.now(), vec![change]).await?;
            log::commit(self, tx).await?;
            Ok(())
        })
        .await
    }
}

/// A change, as the log tells it.
fn change<R: Stored>(
    operation: &'static str,
    state_before: Option<String>,
    row: &record::Model,
    there: bool,
) -> log::Change {
    log::Change {
        operation,
        resource: R::COLLECTION,
        id: row.id,
        revision: row.revision,
        slug: row.slug.clone(),
        body: there.then(|| row.body.clone()),
        state_before,
        state: there.then(|| row.state.clone()),
    }
}

/// The record of that id or slug, for a change to one of those revisions, as far as its author sees it.
pub(crate) async fn locked<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    key: &str,
    revisions: &[i64],
) -> Result<record::Model, Error> {
    // Whoever refers to the record meanwhile does not have to wait.
    let row = named::<R>(key, &by.sight()).lock(LockType::NoKeyUpdate).one(tx).await?;
    let row = row.ok_or(Error::NotFound)?;
    if revisions.contains(&row.revision) { Ok(row) } else { Err(Error::Stale) }
}

/// A new row of the table of all records.
fn row<R: Stored>(
    id: Uuid,
    body: &R,
    value: &Value,
    state: State,
    now: DateTime<Utc>,
) -> record::Model {
    let written = value.to_string();
    record::Model {
        id,
        resource: R::COLLECTION.to_owned(),
        slug: body.slug().map(ToOwned::to_owned),
        revision: 1,
        state: index::code(Some(&state)).unwrap_or_default(),
        created_at: now,
        updated_at: now,
        published_at: (state == State::Published).then_some(now),
        shape: ready::shape(body, &written),
        body: written,
        derived: None,
    }
}

/// Writes a row over the one of the revision before.
async fn update(tx: &DatabaseTransaction, row: &record::Model) -> Result<(), Error> {
    let changed = record::Entity::update_many()
        .col_expr(record::Column::Slug, Expr::value(row.slug.clone()))
        .col_expr(record::Column::Revision, Expr::value(row.revision))
        .col_expr(record::Column::State, Expr::value(row.state.clone()))
        .col_expr(record::Column::UpdatedAt, Expr::value(row.updated_at))
        .col_expr(record::Column::PublishedAt, Expr::value(row.published_at))
        .col_expr(record::Column::Body, Expr::value(row.body.clone()))
        .col_expr(record::Column::Shape, Expr::value(row.shape.clone()))
        .col_expr(record::Column::Derived, Expr::value(row.derived.clone()))
        .filter(record::Column::Id.eq(row.id))
        .filter(record::Column::Revision.eq(row.revision - 1))
        .exec(tx)
        .await?;
    if changed.rows_affected == 1 { Ok(()) } else { Err(Error::Stale) }
}

/// Has its rows for lists, searches and figures tell whether a record is public.
async fn show<R: Stored>(tx: &DatabaseTransaction, row: &record::Model) -> Result<(), Error> {
    R::Index::update_many()
        .col_expr("public", Expr::value(row.is_public()))
        .filter(id_column::<R>().eq(row.id))
        .exec(tx)
        .await?;
    search::Entity::update_many()
        .col_expr(search::Column::Public, Expr::value(row.is_public()))
        .filter(search::Column::Resource.eq(R::COLLECTION))
        .filter(search::Column::RecordId.eq(row.id))
        .exec(tx)
        .await?;
    Contribution::show(tx, row).await
}

/// Tries again, a few times, what collided with other changes.
pub(crate) async fn retried<T>(attempt: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 0..3 {
        match attempt().await {
            Err(Error::Collided(cause)) => tracing::warn!(%cause, "trying again"),
            other => return other,
        }
    }
    attempt().await
}
