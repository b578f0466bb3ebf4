//! Requests that may be sent again: what was answered is kept with what was written.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use chrono::TimeDelta;
use domain::Record;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};
use sha2::{Digest, Sha256};

use crate::{Author, Error, Store, Stored, dialect, log, store::retried};

/// For how long an answer is given again.
const KEPT: TimeDelta = TimeDelta::hours(24);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub request_digest: String,
    pub status: i32,
    pub location: String,
    pub etag: String,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

/// What makes a request the same as one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// What the client calls it.
    pub key: String,
    /// The digest of what it asks.
    pub digest: String,
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The address of what was made.
    pub location: String,
    /// Its entity tag.
    pub etag: String,
    /// The body.
    pub body: String,
}

/// Something that is done once, however often it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// It was done now.
    Done(Answer),
    /// It had been done before.
    Replayed(Answer),
}

impl Store {
    /// Keeps a new record and what is answered, or tells what was answered before.
    pub async fn create_once<R: Stored>(
        &self,
        by: &Author,
        request: &Repeatable,
        body: &R,
        answer: impl Fn(&Record<R>) -> Answer,
    ) -> Result<Once, Error> {
        let id = self.new_id();
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            if let Some(known) = self.answered(&tx, by, request).await? {
                return Ok(Once::Replayed(known));
            }
            let record = self.add(&tx, by, id, 1, body).await?;
            let answer = answer(&record);
            self.remember(&tx, by, request, &answer).await?;
            log::commit(tx).await?;
            Ok(Once::Done(answer))
        })
        .await
    }

    /// What was answered to that request, unless that is long ago; keeps others from using its key.
    async fn answered(
        &self,
        tx: &DatabaseTransaction,
        by: &Author,
        request: &Repeatable,
    ) -> Result<Option<Answer>, Error> {
        if !dialect::try_key(tx, lock(&by.name, &request.key)).await? {
            return Err(Error::InFlight);
        }
        let key = (by.name.clone(), request.key.clone());
        let Some(row) = Entity::find_by_id(key.clone()).one(tx).await? else { return Ok(None) };
        if row.created_at <= self.now() - KEPT {
            Entity::delete_by_id(key).exec(tx).await?;
            return Ok(None);
        }
        if row.request_digest != request.digest {
            return Err(Error::KeyReused);
        }
        let status = u16::try_from(row.status).unwrap_or_default();
        Ok(Some(Answer { status, location: row.location, etag: row.etag, body: row.body }))
    }

    async fn remember(
        &self,
        tx: &DatabaseTransaction,
        by: &Author,
        request: &Repeatable,
        answer: &Answer,
    ) -> Result<(), Error> {
        let row = ActiveModel {
            token_id: Set(by.name.clone()),
            key: Set(request.key.clone()),
            request_digest: Set(request.digest.clone()),
            status: Set(answer.status.into()),
            location: Set(answer.location.clone()),
            etag: Set(answer.etag.clone()),
            body: Set(answer.body.clone()),
            created_at: Set(self.now()),
        };
        Entity::insert(row).exec_without_returning(tx).await?;
        Ok(())
    }

    /// Forgets answers that are not given again.
    pub async fn forget_answers(&self) -> Result<(), Error> {
        let old = Column::CreatedAt.lte(self.now() - KEPT);
        Entity::delete_many().filter(old).exec(self.db()).await?;
        Ok(())
    }
}

/// The numbers that stand for a key while it is in use.
fn lock(token: &str, key: &str) -> [i32; 2] {
    let digest = Sha256::digest(format!("{token} {key}"));
    let number = |from: usize| {
        i32::from_be_bytes([digest[from], digest[from + 1], digest[from + 2], digest[from + 3]])
    };
    [number(0), number(4)]
}
