//! Lists, reads and changes the records of any resource.
use std::{
    collections::{BTreeSet, HashMap},
    iter,
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use domain::{Record, Resource, State, Step, Violation};
use futures_util::{FutureExt, future::select_ok};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ColumnType, Condition, ConnectionTrait, DatabaseConnection,
    DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, Iterable, Order, PaginatorTrait,
    PrimaryKeyToColumn, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, LockType, Query, SelectStatement, SimpleExpr},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    Basis, Contribution, Database, Error, Narrow, Proposal, Pulse, Referrer, Search, Sight, Stored,
    connect::Pools,
    dialect, index, insert, log, neighbours, participant, proposal, ready, record, reference,
    search::{self, Rank},
    sight::{PART_OF, PROJECT, View, is_project, of_no_project, published},
    source::{self, Source},
};

/// Where times and ids come from.
#[derive(Clone)]
pub struct World {
    /// What time it is.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// An id that nothing has yet; ids come in the order in which they are made.
    pub id: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

impl Default for World {
    fn default() -> Self {
        Self { now: Arc::new(Utc::now), id: Arc::new(Uuid::now_v7) }
    }
}

/// Who changes something, and how far they may go.
#[derive(Clone, Debug)]
pub struct Author {
    /// The token, or the command, that it is done with.
    pub name: String,
    /// The request that it is done in.
    pub request_id: Option<String>,
    /// Whether what they write may become public.
    pub publishes: bool,
    /// Whether they may also publish what they wrote themselves.
    pub alone: bool,
    /// The projects that they are limited to, if they are.
    pub projects: Option<Vec<Uuid>>,
    /// Why they do it, if they say so.
    pub note: Option<String>,
}

impl Author {
    /// A part of the program, which may do everything.
    #[must_use]
    pub fn program(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            request_id: None,
            publishes: true,
            alone: true,
            projects: None,
            note: None,
        }
    }

    /// What they may see.
    #[must_use]
    pub fn sight(&self) -> Sight {
        self.projects.clone().map_or(Sight::All, Sight::Projects)
    }
}

/// What became of a change.
#[derive(Clone)]
pub enum Written<R: Resource> {
    /// It was made.
    Kept(Box<Record<R>>),
    /// It is kept aside until a publisher decides.
    Proposed(Box<Proposal>),
}

/// Which part of a list is wanted.
#[derive(Clone)]
pub struct Wanted<R: Resource> {
    /// What the records are like.
    pub filter: R::Filter,
    /// In which order; true is descending.
    pub sort: Vec<(R::SortKey, bool)>,
    /// Which words are in them.
    pub search: Option<Search>,
    /// The place after which to go on.
    pub after: Option<Vec<Value>>,
    /// How many records at most.
    pub limit: u64,
    /// Whether to count the whole list.
    pub with_total: bool,
    /// Whether these are the parts of one record: whichever it is, the same plan finds them.
    pub parts: bool,
}

impl<R: Resource> Wanted<R> {
    /// All records that are like that, in the usual order.
    #[must_use]
    pub fn all(filter: R::Filter) -> Self {
        let sort = vec![(R::SortKey::default(), false)];
        let limit = i64::MAX as u64 - 1;
        Self { filter, search: None, sort, after: None, limit, with_total: false, parts: false }
    }
}

impl<R: Stored> Wanted<R> {
    /// What a page of the list is made from, with related records by relations of those names and
    /// counted or not.
    #[must_use]
    pub fn basis(&self, include: &[String], counted: bool) -> Basis {
        let touched = R::narrow(Narrow::apart(), &self.filter).touched.into_inner();
        let mut basis = Basis::of::<R>().and(touched);
        if counted || self.search.is_some() {
            basis = basis.and(Basis::referred::<R>());
        }
        if include.is_empty() {
            return basis;
        }
        let relations = neighbours::<R>();
        for collection in include.iter().filter_map(|name| relations.get(name)).flatten() {
            basis = basis.and(Basis::collection(collection)).and(Basis::referred_by(collection));
        }
        basis
    }

    /// Whether the list changes with the day, though no record does.
    #[must_use]
    pub fn depends_on_day(&self) -> bool {
        R::narrow(Narrow::apart(), &self.filter).depends_on_day
    }
}

/// One page of a list.
pub struct Page<T> {
    /// The records, in the order asked for.
    pub items: Vec<T>,
    /// The place after the last of them, if more follow.
    pub next: Option<Vec<Value>>,
    /// How many records the whole list has, if that was asked.
    pub total: Option<u64>,
}

/// The records, in a database.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    url: Arc<str>,
    world: World,
    sight: Sight,
    pulse: Pulse,
    replicas: Option<DatabaseConnection>,
    /// Where the one who asks reads, if that may be a replica; found at the first look.
    elsewhere: Option<Arc<OnceCell<Option<Arc<DatabaseTransaction>>>>>,
}

/// As what a record is added.
#[derive(Clone, Copy)]
pub(crate) struct New {
    pub(crate) id: Uuid,
    pub(crate) revision: i64,
    pub(crate) operation: &'static str,
    pub(crate) publish: bool,
}

impl New {
    /// A draft that was never there before.
    pub(crate) fn of(id: Uuid) -> Self {
        Self { id, revision: 1, operation: "create", publish: false }
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
            update(tx, &entry.row).await?;
        }
        Ok(())
    }

    /// Writes their index rows, what they contribute and whom they refer to.
    pub(crate) async fn keep_parts(all: &[&Self], tx: &DatabaseTransaction) -> Result<(), Error> {
        let had = Self::ids_before(all);
        if !had.is_empty() {
            let old = id_column::<R>().is_in(had.iter().copied());
            R::Index::delete_many().filter(old).exec(tx).await?;
        }
        let index = all.iter().map(|entry| entry.body.index(entry.row.id, entry.row.is_public()));
        insert::all::<R::Index>(tx, index.collect()).await?;
        let each = all.iter().map(|entry| (entry.row.id, &entry.body));
        let contributions = each.map(|(id, body)| (id, body.contribution(id)));
        Contribution::keep(contributions, tx, &had).await?;
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
        for id in had {
            R::renamed(tx, id).await?;
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
        let public = all.iter().filter(|entry| entry.row.is_public());
        whole_public(tx, public.flat_map(|entry| &entry.links)).await
    }

    /// The ids of those that were there before.
    fn ids_before(all: &[&Self]) -> Vec<Uuid> {
        all.iter().filter(|entry| entry.before.is_some()).map(|entry| entry.row.id).collect()
    }
}

type Column<R> = <<R as Stored>::Index as EntityTrait>::Column;

impl Store {
    pub(crate) fn new(pools: Pools, replicas: Option<DatabaseConnection>, of: &Database) -> Self {
        let (url, world) = (of.url.as_str().into(), of.world.clone());
        let pulse = of.pulse.clone();
        Self { pools, url, world, sight: Sight::Public, pulse, replicas, elsewhere: None }
    }

    /// The same records for one request of the public, read from a replica that is not behind what
    /// is known, if there is one.
    #[must_use]
    pub fn elsewhere(&self) -> Self {
        let elsewhere = self.replicas.as_ref().map(|_| Arc::default());
        Self { elsewhere, ..self.clone() }
    }

    pub(crate) fn replicas(&self) -> Option<&DatabaseConnection> {
        self.replicas.as_ref()
    }

    /// Where to read what filters find.
    pub(crate) async fn reads(&self) -> Source {
        Source { pool: self.pools.list.clone(), replica: self.replica().await }
    }

    /// Where to read what keys name.
    pub(crate) async fn reads_by_key(&self) -> Source {
        Source { pool: self.pools.key.clone(), replica: self.replica().await }
    }

    async fn replica(&self) -> Option<Arc<DatabaseTransaction>> {
        let found = self.elsewhere.as_ref()?;
        found.get_or_init(async || source::replica(self).await.map(Arc::new)).await.clone()
    }

    /// A transaction to read in, that sees the records as they are at one moment.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction, Error> {
        let replica = match &self.elsewhere {
            None => None,
            Some(_) => source::replica(self).await,
        };
        match replica {
            Some(replica) => Ok(replica),
            None => Ok(dialect::snapshot(self.db()).await?),
        }
    }

    /// What is known of its log.
    #[must_use]
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Tells its database from every other that this process uses.
    pub(crate) fn database(&self) -> Arc<str> {
        self.url.clone()
    }

    /// The same records, as somebody else sees them.
    #[must_use]
    pub fn seen_by(&self, sight: Sight) -> Self {
        Self { sight, ..self.clone() }
    }

    /// What may be seen of the records.
    #[must_use]
    pub fn sight(&self) -> &Sight {
        &self.sight
    }

    pub(crate) fn view(&self) -> View {
        View { sight: self.sight.clone(), today: self.today() }
    }

    pub(crate) fn db(&self) -> &DatabaseConnection {
        &self.pools.change
    }

    /// The time, no finer than both databases keep it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.world.now)().trunc_subsecs(6)
    }

    /// The day, by UTC.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }

    /// The same records, at a time that stands still: what is done in one step has one time.
    pub(crate) fn standing(&self) -> Self {
        let now = self.now();
        let world = World { now: Arc::new(move || now), id: self.world.id.clone() };
        Self { world, ..self.clone() }
    }

    pub(crate) fn new_id(&self) -> Uuid {
        (self.world.id)()
    }

    /// Whether the database answers or, from where the public can read meanwhile, a replica.
    pub async fn ping(&self) -> Result<(), Error> {
        let all = iter::once(self.db()).chain(self.replicas());
        select_ok(all.map(|db| db.ping().boxed())).await?;
        Ok(())
    }

    /// Whether nothing has ever been written.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(log::Entity::find().limit(1).one(self.db()).await?.is_none())
    }

    /// A page of the list.
    pub async fn list<R: Stored>(&self, wanted: &Wanted<R>) -> Result<Page<Record<R>>, Error> {
        page(&self.reads().await, &self.reads_by_key().await, wanted, &self.view()).await
    }

    /// The record of that id or slug.
    pub async fn find<R: Stored>(&self, key: &str) -> Result<Record<R>, Error> {
        let db = self.reads_by_key().await;
        let row = named::<R>(key, &self.sight).one(&db).await?.ok_or(Error::NotFound)?;
        one(&db, row).await
    }

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
        let row = record::Model { revision: new.revision, ..row };
        Ok(Entry { operation: new.operation, before: None, row, body, value, links })
    }

    /// Replaces a record that is still at that revision; what is public is changed by those who may
    /// publish, and for others the change is kept aside.
    pub async fn replace<R: Stored>(
        &self,
        by: &Author,
        key: &str,
        revision: i64,
        body: &R,
    ) -> Result<Written<R>, Error> {
        self.exchange(by, "replace", key, revision, body).await
    }

    /// The same, with a body that the record had before.
    pub async fn restore<R: Stored>(
        &self,
        by: &Author,
        key: &str,
        revision: i64,
        body: &R,
    ) -> Result<Written<R>, Error> {
        self.exchange(by, "restore", key, revision, body).await
    }

    async fn exchange<R: Stored>(
        &self,
        by: &Author,
        operation: &'static str,
        key: &str,
        revision: i64,
        body: &R,
    ) -> Result<Written<R>, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let old = locked::<R>(&tx, by, key, revision).await?;
            let mut value = json!(body);
            let links = settled::<R>(&tx, &by.sight(), &mut value).await?;
            if !may_replace::<R>(&tx, by, &old, &links).await? {
                let proposal = proposal::keep(&tx, self, by, &old, &value).await?;
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
        revision: i64,
        step: Step,
    ) -> Result<Record<R>, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let old = locked::<R>(&tx, by, key, revision).await?;
            let within = rights_of::<R>(&tx, by, &old).await?;
            let state = state(&old)?;
            if step.needs_publisher(state) {
                may_publish(&Author { alone: true, ..by.clone() }, within)?;
            }
            if !step.begins_at(state) {
                return Err(Error::WrongState(state));
            }
            if step == Step::Publish && !by.alone && last_writer(&tx, old.id).await? == by.name {
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
            show::<R>(&tx, &row).await?;
            log::lock(&tx).await?;
            match step {
                Step::Publish => whole_public(&tx, links_of(&tx, row.id).await?.iter()).await?,
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

    /// Removes a record that is still at that revision, if nothing else refers to it.
    pub async fn delete<R: Stored>(
        &self,
        by: &Author,
        key: &str,
        revision: i64,
    ) -> Result<(), Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let old = locked::<R>(&tx, by, key, revision).await?;
            let within = rights_of::<R>(&tx, by, &old).await?;
            if matches!(state(&old)?, State::Published | State::Withdrawn) {
                may_publish(&Author { alone: true, ..by.clone() }, within)?;
            }
            let participants = participant::referrer(&tx, old.id).await?;
            if participants.is_some() || !referrers(&tx, &Sight::All, old.id).await?.is_empty() {
                // Others than those that the author sees are not named.
                let mut named = referrers(&tx, &by.sight(), old.id).await?;
                named.extend(participants);
                return Err(Error::InUse(named));
            }
            reference::Entity::delete_many()
                .filter(reference::Column::SourceId.eq(old.id))
                .exec(&tx)
                .await?;
            record::Entity::delete_by_id(old.id).exec(&tx).await?;
            let before = Some(old.state.clone());
            let gone = record::Model { revision: revision + 1, ..old };
            log::lock(&tx).await?;
            let change = change::<R>("delete", before, &gone, false);
            log::note(&tx, by, self.now(), vec![change]).await?;
            log::commit(self, tx).await?;
            Ok(())
        })
        .await
    }
}

/// Refuses those who may not make anything public.
fn may_publish(by: &Author, within: bool) -> Result<(), Error> {
    match (by.publishes && within, by.alone) {
        (true, true) => Ok(()),
        (true, false) => Err(Error::SamePerson),
        (false, _) => Err(Error::Forbidden),
    }
}

/// Refuses who may not add a record with those references, or not make it public.
pub(crate) async fn may_add<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    id: Uuid,
    publish: bool,
    links: &[(String, Uuid)],
) -> Result<(), Error> {
    let within = rights::<R>(tx, by, id, links).await?;
    if publish { may_publish(by, within) } else { Ok(()) }
}

/// Whether the author may have a record refer to those from now on; else the change is to be kept
/// aside until a publisher decides.
pub(crate) async fn may_replace<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    old: &record::Model,
    links: &[(String, Uuid)],
) -> Result<bool, Error> {
    let within = rights_of::<R>(tx, by, old).await?;
    let within = rights::<R>(tx, by, old.id, links).await? && within;
    Ok(old.state != published() || (within && by.publishes && by.alone))
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

/// The record of that id or slug, for a change to that revision, as far as its author sees it.
pub(crate) async fn locked<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    key: &str,
    revision: i64,
) -> Result<record::Model, Error> {
    // Whoever refers to the record meanwhile does not have to wait.
    let row = named::<R>(key, &by.sight()).lock(LockType::NoKeyUpdate).one(tx).await?;
    let row = row.ok_or(Error::NotFound)?;
    if row.revision == revision { Ok(row) } else { Err(Error::Stale) }
}

/// Writes a row over the one of the revision before.
/// Has its rows for lists and searches tell whether a record is public.
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
    Ok(())
}

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

/// Puts ids for the names in a body, of what its author may see.
pub(crate) async fn settled<R: Stored>(
    tx: &DatabaseTransaction,
    sight: &Sight,
    value: &mut Value,
) -> Result<Vec<(String, Uuid)>, Error> {
    let references = reference::of::<R>(value);
    let mut known = reference::Known::default();
    reference::look_up(tx, sight, &references, &mut known).await?;
    reference::settle(value, &references, &known).map_err(Error::Refused)
}

/// Whether the author may publish a record with those references, where it stands among the
/// projects; what belongs to other projects is not theirs to write.
///
/// What belongs to no project is everybody's: who is limited to some writes drafts of it, and
/// suggests the rest.
pub(crate) async fn rights<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    id: Uuid,
    links: &[(String, Uuid)],
) -> Result<bool, Error> {
    let Some(projects) = &by.projects else { return Ok(true) };
    if of_no_project(R::COLLECTION) {
        return Ok(false);
    }
    let mut of: Vec<Uuid> = Vec::new();
    if is_project(R::COLLECTION) {
        of.push(id);
    }
    of.extend(links.iter().filter(|(field, _)| field == PROJECT).map(|(_, id)| *id));
    let parts = links.iter().filter(|(field, _)| PART_OF.contains(&field.as_str()));
    let wholes: Vec<Uuid> = parts.map(|(_, id)| *id).collect();
    if !wholes.is_empty() {
        let above: Vec<Uuid> = reference::Entity::find()
            .select_only()
            .column(reference::Column::TargetId)
            .filter(reference::Column::SourceId.is_in(wholes))
            .filter(reference::Column::Field.eq(PROJECT))
            .into_tuple()
            .all(tx)
            .await?;
        of.extend(above);
    }
    let within = !of.is_empty() && of.iter().all(|project| projects.contains(project));
    if within { Ok(true) } else { Err(Error::OtherProject) }
}

/// The same, for a record as it is.
pub(crate) async fn rights_of<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    row: &record::Model,
) -> Result<bool, Error> {
    if by.projects.is_none() {
        return Ok(true);
    }
    rights::<R>(tx, by, row.id, &links_of(tx, row.id).await?).await
}

/// Whom a record refers to, and in which field.
async fn links_of(tx: &DatabaseTransaction, id: Uuid) -> Result<Vec<(String, Uuid)>, Error> {
    Ok(reference::Entity::find()
        .select_only()
        .columns([reference::Column::Field, reference::Column::TargetId])
        .filter(reference::Column::SourceId.eq(id))
        .order_by_asc(reference::Column::Field)
        .into_tuple()
        .all(tx)
        .await?)
}

/// Refuses that what is public refers to what is not: it would tell that there is something.
async fn whole_public<'a>(
    tx: &DatabaseTransaction,
    links: impl Iterator<Item = &'a (String, Uuid)> + Clone,
) -> Result<(), Error> {
    let ids: BTreeSet<Uuid> = links.clone().map(|(_, id)| *id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let hidden: Vec<(Uuid, String, Option<String>)> = record::Entity::find()
        .select_only()
        .columns([record::Column::Id, record::Column::Resource, record::Column::Slug])
        .filter(record::Column::Id.is_in(ids))
        .filter(record::Column::State.ne(published()))
        .into_tuple()
        .all(tx)
        .await?;
    let told = |(field, target): &(String, Uuid)| {
        let (id, resource, slug) = hidden.iter().find(|(id, ..)| id == target)?;
        let name = slug.clone().unwrap_or_else(|| id.to_string());
        let detail = format!("/v1/{resource}/{name} is not public: publish it first.");
        Some(Violation::new(field.clone(), "unpublished_reference", detail))
    };
    let hidden: Vec<_> = links.filter_map(told).collect();
    if hidden.is_empty() { Ok(()) } else { Err(Error::Refused(hidden)) }
}

/// Who last wrote what is in a record.
async fn last_writer(tx: &DatabaseTransaction, id: Uuid) -> Result<String, Error> {
    let steps = Step::ALL.map(Step::name);
    let writer: Option<String> = log::Entity::find()
        .select_only()
        .column(log::Column::Actor)
        .filter(log::Column::RecordId.eq(id))
        .filter(log::Column::Operation.is_not_in(steps))
        .order_by_desc(log::Column::Position)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(writer.unwrap_or_default())
}

pub(crate) fn state(row: &record::Model) -> Result<State, Error> {
    serde_json::from_value(row.state.clone().into()).map_err(unreadable)
}

/// A page of a list, found through one connection; what keys name is read through the other.
pub(crate) async fn page<R: Stored, C: ConnectionTrait>(
    db: &C,
    by_key: &C,
    wanted: &Wanted<R>,
    view: &View,
) -> Result<Page<Record<R>>, Error> {
    let page = page_rows(db, by_key, wanted, view).await?;
    let items = records::<R>(by_key, page.items).await?;
    Ok(Page { items, next: page.next, total: page.total })
}

/// The same, as the rows that are kept.
pub(crate) async fn page_rows<R: Stored, C: ConnectionTrait>(
    db: &C,
    by_key: &C,
    wanted: &Wanted<R>,
    view: &View,
) -> Result<Page<record::Model>, Error> {
    let mut columns: Vec<_> =
        wanted.sort.iter().map(|(key, down)| (R::sort_column(*key), *down)).collect();
    // The first key's direction, so that an index can be read in one go.
    columns.push((id_column::<R>(), columns.first().is_some_and(|(_, down)| *down)));
    let keys: Vec<_> = columns.iter().map(|(column, down)| Key::column(*column, *down)).collect();
    let narrowed = Narrow::to::<R>(by_key, view, &wanted.filter).await?;
    let plain = narrowed.is_empty() && wanted.search.is_none();
    // What a limited token sees is found in another way for a page than for all there is, so that is
    // planned for how much is wanted.
    let limited = matches!(view.sight, Sight::Projects(_));
    let db = if (plain || wanted.parts) && !limited { by_key } else { db };
    let fitting = narrowed.add(view.sight.of_index::<R>());
    let rows = |rank| {
        let search = wanted.search.as_ref();
        let search = search.map(|search| search.condition::<R>(db.get_database_backend(), rank));
        R::Index::find().filter(fitting.clone().add_option(search))
    };
    let total = match wanted.with_total {
        true => Some(rows(None).count(db).await?),
        false => None,
    };
    let parts = match &wanted.search {
        Some(search) if search.ranked => Rank::after(wanted.after.as_deref())?,
        _ => vec![(None, wanted.after.as_deref())],
    };
    let read = async |(rank, place): search::From<'_>, room| {
        let after = place.map(|place| after(&keys, place)).transpose()?;
        let mut rows = rows(rank).filter(Condition::all().add_option(after)).limit(room);
        for (column, down) in &columns {
            rows = rows.order_by(*column, order(*down));
        }
        with_records::<R>(db, rows.into_query(), &columns).await
    };
    let mut found = search::in_parts(parts, wanted.limit + 1, read).await?;
    let more = found.len() as u64 > wanted.limit;
    found.truncate(usize::try_from(wanted.limit).unwrap_or(usize::MAX));
    let next = match found.last().filter(|_| more) {
        None => None,
        Some((rank, last)) => {
            let place = place::<R>(&columns, last)?;
            Some(rank.iter().map(|rank| rank.place()).chain(place).collect())
        }
    };
    let items = found.iter().map(|(_, row)| record::at(row)).collect::<Result<_, _>>()?;
    Ok(Page { items, next, total })
}

fn order(down: bool) -> Order {
    if down { Order::Desc } else { Order::Asc }
}

/// The rows of an index table that are found, in their order: of each its record, and then what it
/// is ordered by.
///
/// What is found is limited before anything is joined to it, so the plan to find it is the same.
async fn with_records<R: Stored>(
    db: &impl ConnectionTrait,
    found: SelectStatement,
    columns: &[(Column<R>, bool)],
) -> Result<Vec<QueryResult>, Error> {
    let rows = || Alias::new("found");
    let mut query = Query::select();
    for column in record::Column::iter() {
        query.column((record::Entity, column));
    }
    let id = Expr::col((record::Entity, record::Column::Id));
    query
        .from_subquery(found, rows())
        .inner_join(record::Entity, id.eq(Expr::col((rows(), id_column::<R>()))));
    for (column, down) in columns {
        query.column((rows(), *column)).order_by((rows(), *column), order(*down));
    }
    Ok(db.query_all(&query).await?)
}

/// What a list holds.
pub(crate) async fn condition<R: Stored>(
    db: &impl ConnectionTrait,
    filter: &R::Filter,
    search: Option<&Search>,
    view: &View,
) -> Result<Condition, Error> {
    let backend = db.get_database_backend();
    Ok(Narrow::to::<R>(db, view, filter)
        .await?
        .add(view.sight.of_index::<R>())
        .add_option(search.map(|search| search.condition::<R>(backend, None))))
}

/// The records of those ids, in that order.
pub(crate) async fn whole<R: Stored>(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<Vec<Record<R>>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = record::Entity::find()
        .filter(record::Column::Id.is_in(padded(ids.iter().copied())))
        .all(db)
        .await?;
    let places: HashMap<_, _> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let mut rows = rows;
    rows.sort_by_key(|row| places.get(&row.id).copied());
    records(db, rows).await
}

/// Each of those ids, and one of them again and again: as many as a power of two, so that few
/// statements serve all numbers of them.
pub(crate) fn padded(ids: impl IntoIterator<Item = Uuid>) -> Vec<Uuid> {
    let ids: BTreeSet<Uuid> = ids.into_iter().collect();
    let mut ids: Vec<Uuid> = ids.into_iter().collect();
    if let Some(last) = ids.last().copied() {
        ids.resize(ids.len().next_power_of_two(), last);
    }
    ids
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

pub(crate) fn named<R: Stored>(key: &str, sight: &Sight) -> sea_orm::Select<record::Entity> {
    let rows = record::Entity::find()
        .filter(record::Column::Resource.eq(R::COLLECTION))
        .filter(sight.of_records());
    match Uuid::try_parse(key) {
        Ok(id) if key.len() == 36 => rows.filter(record::Column::Id.eq(id)),
        _ => rows.filter(record::Column::Slug.eq(key)),
    }
}

async fn one<R: Stored>(db: &impl ConnectionTrait, row: record::Model) -> Result<Record<R>, Error> {
    records(db, vec![row]).await?.pop().ok_or(Error::NotFound)
}

pub(crate) async fn records<R: Stored>(
    db: &impl ConnectionTrait,
    rows: Vec<record::Model>,
) -> Result<Vec<Record<R>>, Error> {
    let bodies = rows.iter().map(|row| read::<R>(&row.body)).collect::<Result<Vec<_>, _>>()?;
    let derived = R::derive(db, &bodies).await?;
    let all = rows.into_iter().zip(bodies).zip(derived);
    all.map(|((row, body), derived)| {
        Ok(Record {
            id: row.id,
            revision: row.revision,
            state: state(&row)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
            published_at: row.published_at,
            body,
            derived,
        })
    })
    .collect()
}

/// Some of those that refer to a record, among what may be seen.
async fn referrers(
    tx: &DatabaseTransaction,
    sight: &Sight,
    id: Uuid,
) -> Result<Vec<Referrer>, Error> {
    let found: Vec<(Uuid, String)> = reference::Entity::find()
        .select_only()
        .columns([reference::Column::SourceId, reference::Column::Field])
        .filter(reference::Column::TargetId.eq(id))
        .filter(reference::Column::SourceId.ne(id))
        .filter(sight.of_id(reference::Column::SourceId.into_expr()))
        .order_by_asc(reference::Column::SourceId)
        .limit(20)
        .into_tuple()
        .all(tx)
        .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<(Uuid, String, Option<String>)> = record::Entity::find()
        .select_only()
        .columns([record::Column::Id, record::Column::Resource, record::Column::Slug])
        .filter(record::Column::Id.is_in(found.iter().map(|(source, _)| *source)))
        .into_tuple()
        .all(tx)
        .await?;
    let name = |source: Uuid| names.iter().find(|(id, ..)| *id == source);
    let tell = |(source, field): (Uuid, String)| {
        let (_, collection, slug) = name(source)?.clone();
        Some(Referrer { collection, id: Some(source), slug, field })
    };
    Ok(found.into_iter().filter_map(tell).collect())
}

pub(crate) fn read<T: DeserializeOwned>(body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(unreadable)
}

/// What was written of those records, and their ids.
pub(crate) fn bodies_of<R: Stored>(rows: &[record::Model]) -> Result<(Vec<Uuid>, Vec<R>), Error> {
    let bodies = rows.iter().map(|row| read(&row.body)).collect::<Result<_, _>>()?;
    Ok((rows.iter().map(|row| row.id).collect(), bodies))
}

pub(crate) fn typed<R: Stored>(body: &Value) -> Result<R, Error> {
    R::deserialize(body).map_err(unreadable)
}

pub(crate) fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Database(sea_orm::DbErr::Type(error.to_string()))
}

pub(crate) fn id_column<R: Stored>() -> Column<R> {
    let mut keys = <R::Index as EntityTrait>::PrimaryKey::iter();
    keys.next().map(PrimaryKeyToColumn::into_column).expect("an index table has a key")
}

/// Where a row stands in that order, which is told behind its record.
fn place<R: Stored>(columns: &[(Column<R>, bool)], row: &QueryResult) -> Result<Vec<Value>, DbErr> {
    let values = columns.iter().zip(record::WIDTH..).map(|((column, _), at)| {
        Ok(match column.def().get_column_type() {
            ColumnType::Uuid => json!(row.try_get_by_index::<Uuid>(at)?),
            ColumnType::Date => json!(row.try_get_by_index::<NaiveDate>(at)?),
            ColumnType::BigInteger => json!(row.try_get_by_index::<i64>(at)?),
            _ => json!(row.try_get_by_index::<String>(at)?),
        })
    });
    values.collect()
}

/// One of the things that a list is ordered by.
pub(crate) struct Key {
    pub(crate) by: SimpleExpr,
    pub(crate) kind: ColumnType,
    pub(crate) down: bool,
}

impl Key {
    pub(crate) fn column(column: impl ColumnTrait, down: bool) -> Self {
        let kind = column.def().get_column_type().clone();
        Self { by: column.into_expr(), kind, down }
    }
}

/// What comes after that place: the first key bounds the range, so that an index serves it.
pub(crate) fn after(keys: &[Key], place: &[Value]) -> Result<Condition, Error> {
    if keys.len() != place.len() {
        return Err(Error::InvalidCursor);
    }
    let mut rest: Option<Condition> = None;
    for (key, value) in keys.iter().zip(place).rev() {
        let value = stored(&key.kind, value).ok_or(Error::InvalidCursor)?;
        let by = || key.by.clone();
        let beyond = match key.down {
            true => by().lt(value.clone()),
            false => by().gt(value.clone()),
        };
        rest = Some(match rest {
            None => Condition::all().add(beyond),
            Some(rest) => {
                let bound = match key.down {
                    true => by().lte(value.clone()),
                    false => by().gte(value.clone()),
                };
                let same = Condition::all().add(by().eq(value)).add(rest);
                Condition::all().add(bound).add(Condition::any().add(beyond).add(same))
            }
        });
    }
    rest.ok_or(Error::InvalidCursor)
}

fn stored(kind: &ColumnType, value: &Value) -> Option<sea_orm::Value> {
    match (kind, value) {
        (ColumnType::Uuid, Value::String(id)) => Some(Uuid::try_parse(id).ok()?.into()),
        (ColumnType::Date, Value::String(day)) => {
            Some(day.parse::<chrono::NaiveDate>().ok()?.into())
        }
        (ColumnType::BigInteger, Value::Number(number)) => Some(number.as_i64()?.into()),
        (ColumnType::String(_) | ColumnType::Text, Value::String(text)) => {
            Some(text.clone().into())
        }
        _ => None,
    }
}
