//! Records as they were at one moment, and what was changed last.
use std::{sync::Arc, time::Duration};

use chrono::{DateTime, NaiveDate, Utc};
use domain::Record;
use sea_orm::{
    Condition, DatabaseTransaction, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*,
};
use tokio::{
    sync::{OnceCell, OwnedSemaphorePermit},
    time::timeout,
};

use crate::{
    Basis, Error, Sight, Store, Stored, Tallies, Wanted,
    error::late,
    figures::basis_of_people,
    list::{condition, id_column},
    log,
    record::{self, records, whole},
    sight::View,
};

/// How long a moment is waited for while others are read.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many records are read at once.
pub(crate) const BATCH: u64 = 500;

/// Records as they were at one moment.
pub struct Moment {
    tx: DatabaseTransaction,
    _room: OwnedSemaphorePermit,
    database: Arc<str>,
    tallies: Tallies,
    basis: Basis,
    position: i64,
    view: View,
    /// The position of the last change of what the public may count of people, once somebody asks.
    people: OnceCell<i64>,
}

impl Moment {
    /// The position of the last change, before that moment, of what is read at it.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Notes that the answer rests on this: who asks has said before on what it will, and an answer
    /// that told of more would be given again when it does not hold any more.
    pub(crate) fn rests_on(&self, basis: impl FnOnce() -> Basis) {
        if cfg!(debug_assertions) {
            let basis = basis();
            assert!(self.basis.covers(&basis), "{basis:?} is not in {:?}", self.basis);
        }
    }

    /// The position of the last change of what the public may count of people.
    pub(crate) async fn people(&self) -> Result<i64, Error> {
        let newest = async || basis_of_people().newest(&self.tx, &Sight::Public).await;
        self.people.get_or_try_init(newest).await.copied()
    }

    /// The day of that moment, by UTC.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.view.today
    }

    /// When that change was made, if there was one.
    pub async fn changed_at(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let row = log::Entity::find_by_id(self.position).select_only().column(log::Column::At);
        Ok(row.into_tuple().one(&self.tx).await?)
    }

    /// For whose eyes it is.
    #[must_use]
    pub fn sight(&self) -> &Sight {
        &self.view.sight
    }

    /// What is kept of figures.
    pub(crate) fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// Tells the database from every other that this process uses.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    pub(crate) fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// The next public records of a collection, in the order of their ids; none after the last.
    pub async fn after<R: Stored>(&self, last: Option<Uuid>) -> Result<Vec<Record<R>>, Error> {
        self.rests_on(Basis::of::<R>);
        let id = id_column::<R>();
        // The table of all records is ordered by ids of all collections.
        let ids: Vec<Uuid> = R::Index::find()
            .select_only()
            .column(id)
            .filter(Sight::Public.of_index::<R>())
            .filter(Condition::all().add_option(last.map(|last| id.gt(last))))
            .order_by_asc(id)
            .limit(BATCH)
            .into_tuple()
            .all(&self.tx)
            .await?;
        whole(&self.tx, &ids).await
    }
}

impl Store {
    /// A moment to read that at; it keeps a connection for as long as it lives.
    pub async fn moment(&self, basis: Basis) -> Result<Moment, Error> {
        self.let_go().await;
        let room = timeout(PATIENCE, self.room_for_moments().acquire_owned()).await;
        let Ok(Ok(room)) = room else {
            return Err(late());
        };
        let tx = self.snapshot().await?;
        let position = basis.newest(&tx, self.sight()).await?;
        let (database, tallies, view) = (self.database(), self.tallies(), self.view());
        let people = OnceCell::new();
        Ok(Moment { tx, _room: room, database, tallies, basis, position, view, people })
    }

    /// The position of the last change of something in that basis, as far as who asks can see.
    pub async fn newest_of(&self, basis: &Basis) -> Result<i64, Error> {
        let newest = basis.newest(&self.reads_by_key().await, self.sight()).await;
        self.let_go().await;
        newest
    }

    /// The records of a list that were changed last, the newest change first.
    pub async fn latest<R: Stored>(
        &self,
        wanted: &Wanted<R>,
        limit: u64,
    ) -> Result<Vec<Record<R>>, Error> {
        let db = self.reads().await;
        let fits = condition(&db, wanted, &self.view()).await?;
        let fitting =
            R::Index::find().select_only().column(id_column::<R>()).filter(fits).into_query();
        let rows = record::Entity::find()
            .filter(record::Column::Resource.eq(R::COLLECTION))
            .filter(record::Column::Id.in_subquery(fitting))
            .order_by_desc(record::Column::UpdatedAt)
            .order_by_desc(record::Column::Id)
            .limit(limit)
            .all(&db)
            .await?;
        records(&db, rows).await
    }
}
