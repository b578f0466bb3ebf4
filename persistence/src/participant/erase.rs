//! Takes away what identifies people, and leaves that somebody was there.
use domain::{Consent, Email};
use sea_orm::{DatabaseTransaction, QueryOrder, QuerySelect, entity::prelude::*};

use super::{
    Column, Entity, KeptParticipant, Model,
    keep::{locked, note, told, update},
    kept, one, within,
};
use crate::{Author, Error, Store, change::retried, dialect, index::code, log};

/// How many are erased in one transaction.
const BATCH: u64 = 100;
/// Whom the log names for what is erased since its time is over.
const RETENTION: &str = "retention";

impl Store {
    /// Takes away what identifies a participant, who is still at that revision if one is named; who
    /// was erased before stays as they are.
    pub async fn erase_participant(
        &self,
        by: &Author,
        id: Uuid,
        revisions: Option<&[i64]>,
    ) -> Result<KeptParticipant, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let old = locked(&tx, by, id, revisions).await?;
            if old.erased_at.is_some() {
                return one(&tx, old).await;
            }
            let erased = take_away(&tx, by, self.now(), vec![old]).await?;
            let kept = kept(&tx, erased).await?.pop().ok_or(Error::NotFound)?;
            log::commit(self, tx).await?;
            dialect::forget(self.db()).await;
            Ok(kept)
        })
        .await
    }

    /// Takes away what identifies the person with that address, wherever they took part; how many
    /// entries that were.
    pub async fn erase_person(&self, by: &Author, of: &Email) -> Result<u64, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let rows = Entity::find()
                .filter(Column::EmailKey.eq(of.key()))
                .filter(within(&by.sight()))
                .order_by_asc(Column::Id)
                .lock_exclusive()
                .all(&tx)
                .await?;
            let erased = take_away(&tx, by, self.now(), rows).await?;
            log::commit(self, tx).await?;
            dialect::forget(self.db()).await;
            Ok(erased.len() as u64)
        })
        .await
    }

    /// Takes away what identifies everybody whose time is over; how many entries that were.
    pub async fn retain_participants(&self) -> Result<u64, Error> {
        // Where nobody is named, nothing else is asked, not even the time.
        let named = || Entity::find().filter(Column::ErasedAt.is_null());
        if named().limit(1).one(self.db()).await?.is_none() {
            return Ok(0);
        }
        let by = Author::program(RETENTION);
        let today = self.today();
        let mut erased = 0;
        loop {
            let batch = retried(async || {
                let tx = dialect::begin(self.db()).await?;
                let due = named()
                    .filter(Column::RetainUntil.lt(today))
                    .order_by_asc(Column::RetainUntil)
                    .order_by_asc(Column::Id)
                    .limit(BATCH)
                    .lock_exclusive()
                    .all(&tx)
                    .await?;
                let erased = take_away(&tx, &by, self.now(), due).await?;
                log::commit(self, tx).await?;
                Ok(erased.len() as u64)
            });
            match batch.await? {
                0 if erased > 0 => {
                    dialect::forget(self.db()).await;
                    return Ok(erased);
                }
                0 => return Ok(0),
                some => erased += some,
            }
        }
    }
}

/// A row without what identifies anybody.
fn erased(old: Model, now: DateTimeUtc) -> Model {
    let now = Ord::max(now, old.updated_at);
    Model {
        revision: old.revision + 1,
        name: None,
        email: None,
        email_key: None,
        organisation_id: None,
        organisation_name: None,
        certificate_number: None,
        consent: code(Some(&Consent::NotGiven)).unwrap_or_default(),
        updated_at: now,
        erased_at: Some(now),
        ..old
    }
}

/// Takes away what identifies those people, and says so in the log; their rows from then on.
async fn take_away(
    tx: &DatabaseTransaction,
    by: &Author,
    now: DateTimeUtc,
    rows: Vec<Model>,
) -> Result<Vec<Model>, Error> {
    let rows: Vec<_> = rows.into_iter().map(|old| erased(old, now)).collect();
    for row in &rows {
        update(tx, row).await?;
    }
    if !rows.is_empty() {
        note(tx, by, now, rows.iter().map(|row| told("erase", row)).collect()).await?;
    }
    Ok(rows)
}
