//! Requests that may be sent again: what was answered is kept with what was written.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use chrono::TimeDelta;
use domain::Record;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, entity::prelude::*};
use sha2::{Digest, Sha256};

use crate::{
    Author, Error, Store, Stored,
    change::{New, retried},
    dialect, log,
};

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
        publish: bool,
        answer: impl Fn(&Record<R>) -> Answer,
    ) -> Result<Once, Error> {
        if let Some(answer) = self.answered(self.db(), by, request).await? {
            return Ok(Once::Replayed(answer));
        }
        let new = New { publish, ..New::of(self.new_id()) };
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            match self.add_once(&tx, by, new, request, body, &answer).await {
                Ok(once) => {
                    log::commit(self, tx).await?;
                    Ok(once)
                }
                Err(error) => {
                    // By the time that this is answered, the key is free again.
                    let _ = tx.rollback().await;
                    Err(error)
                }
            }
        })
        .await
    }

    async fn add_once<R: Stored>(
        &self,
        tx: &DatabaseTransaction,
        by: &Author,
        new: New,
        request: &Repeatable,
        body: &R,
        answer: impl Fn(&Record<R>) -> Answer,
    ) -> Result<Once, Error> {
        if !dialect::try_key(tx, lock(&by.name, &request.key)).await? {
            return Err(Error::InFlight);
        }
        if let Some(answer) = self.answered(tx, by, request).await? {
            return Ok(Once::Replayed(answer));
        }
        let record = self.add(tx, by, new, body).await?;
        let answer = answer(&record);
        self.remember(tx, by, request, &answer).await?;
        Ok(Once::Done(answer))
    }

    /// What was answered to that request, unless that is long ago.
    async fn answered(
        &self,
        db: &impl ConnectionTrait,
        by: &Author,
        request: &Repeatable,
    ) -> Result<Option<Answer>, Error> {
        let known = Entity::find_by_id((by.name.clone(), request.key.clone()))
            .filter(Column::CreatedAt.gt(self.now() - KEPT));
        let Some(row) = known.one(db).await? else { return Ok(None) };
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
        // Of long ago, or it would have been found.
        Entity::delete_by_id((by.name.clone(), request.key.clone())).exec(tx).await?;
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
