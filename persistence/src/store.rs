//! The records in a database, and where they are read.
use std::{iter, sync::Arc};

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use domain::Record;
use futures_util::{FutureExt, future::select_ok};
use sea_orm::{DatabaseConnection, DatabaseTransaction, EntityTrait, QueryOrder, QuerySelect};
use tokio::sync::{Mutex, Semaphore};
use uuid::Uuid;

use crate::{
    Database, Error, Page, Pulse, Sight, Stored, Tallies, Wanted,
    connect::Pools,
    dialect,
    list::page,
    log,
    record::{named, one},
    sight::View,
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

/// The session with a replica that a request reads in, if one is to be had.
type Elsewhere = Option<Arc<DatabaseTransaction>>;

/// The records, in a database.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    url: Arc<str>,
    world: World,
    sight: Sight,
    pulse: Pulse,
    tallies: Tallies,
    replicas: Option<DatabaseConnection>,
    /// Where the one who asks reads, if that may be a replica; found at the first look.
    elsewhere: Option<Arc<Mutex<Option<Elsewhere>>>>,
}

impl Store {
    pub(crate) fn new(pools: Pools, replicas: Option<DatabaseConnection>, of: &Database) -> Self {
        let (url, world) = (of.url.as_str().into(), of.world.clone());
        let (pulse, tallies) = (of.pulse.clone(), of.tallies.clone());
        Self { pools, url, world, sight: Sight::Public, pulse, tallies, replicas, elsewhere: None }
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

    /// Whether the log of the replicas begins as that of the database, as far as they have any.
    pub(crate) async fn replicas_follow(&self) -> Result<bool, Error> {
        let first = async |db: &DatabaseConnection| {
            let first = log::Entity::find().order_by_asc(log::Column::Position).select_only();
            let first = first.columns([log::Column::Position, log::Column::RecordId]);
            first.into_tuple::<(i64, Uuid)>().one(db).await
        };
        let Some(replicas) = self.replicas() else { return Ok(true) };
        let there = first(replicas).await?;
        Ok(there.is_none() || there == first(self.db()).await?)
    }

    /// Where to read what filters find.
    pub(crate) async fn reads(&self) -> Source {
        Source { pool: self.pools.list.clone(), replica: self.replica().await }
    }

    /// Where to read what keys name.
    pub(crate) async fn reads_by_key(&self) -> Source {
        Source { pool: self.pools.key.clone(), replica: self.replica().await }
    }

    /// Where to read what has to be known first of all, whatever replicas there are.
    pub(crate) fn first_hand(&self) -> Source {
        Source { pool: self.pools.key.clone(), replica: None }
    }

    async fn replica(&self) -> Elsewhere {
        let mut found = self.elsewhere.as_ref()?.lock().await;
        if found.is_none() {
            *found = Some(source::replica(self).await.map(Arc::new));
        }
        found.clone()?
    }

    /// Gives up the session with a replica: who waits keeps none from others.
    pub(crate) async fn let_go(&self) {
        if let Some(elsewhere) = &self.elsewhere {
            *elsewhere.lock().await = None;
        }
    }

    /// Where who reads at a moment waits while there are as many as there may be.
    pub(crate) fn room_for_moments(&self) -> Arc<Semaphore> {
        self.pools.moments.clone()
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

    /// What is kept of figures.
    pub(crate) fn tallies(&self) -> Tallies {
        self.tallies.clone()
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
        let total = self.total_wanted(wanted).await?;
        let page =
            page(&self.reads().await, &self.reads_by_key().await, wanted, &self.view()).await?;
        Ok(Page { total, ..page })
    }

    /// The record of that id or slug.
    pub async fn find<R: Stored>(&self, key: &str) -> Result<Record<R>, Error> {
        let db = self.reads_by_key().await;
        let row = named::<R>(key, &self.sight).one(&db).await?.ok_or(Error::NotFound)?;
        one(&db, row).await
    }
}
