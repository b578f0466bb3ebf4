//! Records as they were at one moment, and what was changed last.
use std::convert::Infallible;

use domain::Record;
use sea_orm::{DatabaseTransaction, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*};

use crate::{
    Error, Store, Stored, Wanted, dialect, feed, record,
    sight::published,
    store::{condition, id_column, page, records},
};

/// How many records are read at once.
const BATCH: u64 = 500;

/// All records, as they were at one moment.
pub struct Moment {
    tx: DatabaseTransaction,
    position: i64,
}

impl Moment {
    /// The position of the last change before that moment.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The next public records of a collection, in the order of their ids; none after the last.
    pub async fn after<R: Stored>(&self, last: Option<Uuid>) -> Result<Vec<Record<R>>, Error> {
        let rows = public::<R>();
        let rows = match last {
            None => rows,
            Some(last) => rows.filter(record::Column::Id.gt(last)),
        };
        let rows = rows.order_by_asc(record::Column::Id).limit(BATCH).all(&self.tx).await?;
        records(&self.tx, rows).await
    }
}

impl Store {
    /// A moment to read at; it keeps a connection for as long as it lives.
    pub async fn moment(&self) -> Result<Moment, Error> {
        let tx = dialect::snapshot(self.db()).await?;
        let position = feed::newest(&tx).await?;
        Ok(Moment { tx, position })
    }

    /// Hands over every record of a list, batch by batch, all as they were at one moment; says at
    /// which position of the log that was.
    pub async fn every<R: Stored, E>(
        &self,
        wanted: Wanted<R>,
        mut take: impl FnMut(Vec<Record<R>>) -> Result<(), E>,
    ) -> Result<Result<i64, E>, Error> {
        let moment = self.moment().await?;
        let view = self.view();
        let mut wanted = Wanted { after: None, limit: BATCH, with_total: false, ..wanted };
        loop {
            let found = page(&moment.tx, &wanted, &view).await?;
            if let Err(failed) = take(found.items) {
                return Ok(Err(failed));
            }
            match found.next {
                Some(next) => wanted.after = Some(next),
                None => break,
            }
        }
        moment.tx.commit().await?;
        Ok(Ok(moment.position))
    }

    /// Every record of a list, all as they were at one moment.
    pub async fn all<R: Stored>(&self, wanted: Wanted<R>) -> Result<Vec<Record<R>>, Error> {
        let mut all = Vec::new();
        let taken = self.every::<R, Infallible>(wanted, |some| {
            all.extend(some);
            Ok(())
        });
        let Ok(_) = taken.await?;
        Ok(all)
    }

    /// The records of a list that were changed last, the newest change first.
    pub async fn latest<R: Stored>(
        &self,
        wanted: &Wanted<R>,
        limit: u64,
    ) -> Result<Vec<Record<R>>, Error> {
        let (search, view) = (wanted.search.as_ref(), self.view());
        let fits = condition::<R>(self.db(), &wanted.filter, search, &view).await?;
        let fitting =
            R::Index::find().select_only().column(id_column::<R>()).filter(fits).into_query();
        let rows = record::Entity::find()
            .filter(record::Column::Resource.eq(R::COLLECTION))
            .filter(record::Column::Id.in_subquery(fitting))
            .order_by_desc(record::Column::UpdatedAt)
            .order_by_desc(record::Column::Id)
            .limit(limit)
            .all(self.db())
            .await?;
        records(self.db(), rows).await
    }
}

fn public<R: Stored>() -> Select<record::Entity> {
    record::Entity::find()
        .filter(record::Column::Resource.eq(R::COLLECTION))
        .filter(record::Column::State.eq(published()))
}
