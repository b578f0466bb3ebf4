//! Lists as they were at one moment, batch by batch.
use std::collections::HashMap;

use domain::Record;
use uuid::Uuid;

use crate::{
    Basis, Error, Moment, Stored, Wanted,
    list::{count, page},
    moment::BATCH,
    neighbours::{by_id, of_keys},
};

/// The records of a list, read on as they are wanted.
pub struct Batches<'a, R: Stored> {
    moment: &'a Moment,
    rest: Option<Wanted<R>>,
}

impl<R: Stored> Batches<'_, R> {
    /// The next records; none after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Record<R>>>, Error> {
        let Some(wanted) = self.rest.take() else { return Ok(None) };
        let found = page(self.moment.tx(), self.moment.tx(), &wanted, self.moment.view()).await?;
        self.rest = found.next.map(|place| Wanted { after: Some(place), ..wanted });
        Ok(Some(found.items))
    }
}

impl Moment {
    /// Every record of a list, batch by batch.
    #[must_use]
    pub fn every<R: Stored>(&self, wanted: Wanted<R>) -> Batches<'_, R> {
        self.rests_on(|| wanted.basis(&[], false));
        let rest = Some(Wanted { after: None, limit: BATCH, with_total: false, ..wanted });
        Batches { moment: self, rest }
    }

    /// Every record of a list, at once: for lists that cannot be long.
    pub async fn all<R: Stored>(&self, wanted: Wanted<R>) -> Result<Vec<Record<R>>, Error> {
        let mut batches = self.every(wanted);
        let mut all = Vec::new();
        while let Some(records) = batches.next().await? {
            all.extend(records);
        }
        Ok(all)
    }

    /// The first records of a list.
    pub async fn first<R: Stored>(&self, wanted: Wanted<R>) -> Result<Vec<Record<R>>, Error> {
        self.rests_on(|| wanted.basis(&[], false));
        let wanted = Wanted { after: None, with_total: false, ..wanted };
        Ok(page(self.tx(), self.tx(), &wanted, self.view()).await?.items)
    }

    /// How many records a list has.
    pub async fn count<R: Stored>(&self, wanted: &Wanted<R>) -> Result<u64, Error> {
        self.rests_on(|| wanted.basis(&[], false));
        count(self.tx(), wanted, self.view()).await
    }

    /// What was written of the records of those ids, by id.
    pub async fn by_id<R: Stored>(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, R>, Error> {
        self.rests_on(|| Basis::collection(R::COLLECTION));
        by_id(self.tx(), self.sight(), ids).await
    }

    /// The records of those ids or slugs that there are, in the order of their ids.
    pub async fn of_keys<R: Stored>(
        &self,
        keys: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Record<R>>, Error> {
        self.rests_on(Basis::of::<R>);
        of_keys(self.tx(), self.sight(), keys).await
    }
}
