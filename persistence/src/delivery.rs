//! Deliveries: what a webhook is told of, and what came of it.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use sea_orm::{
    Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryOrder, QuerySelect, Select,
    UpdateMany, entity::prelude::*, sea_query::Expr,
};

use crate::{Claim, Error, PublicChange, Store, dialect, insert};

/// For how long a delivery is tried again.
const PATIENCE: TimeDelta = TimeDelta::days(3);
/// How long to wait after the first attempt; each time after that, three times as long.
const FIRST_WAIT: f64 = 5.0;
/// The longest wait between two attempts, in seconds.
const LONGEST_WAIT: f64 = 8.0 * 3600.0;
/// For how long the log of deliveries goes back.
const KEPT: TimeDelta = TimeDelta::days(30);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub webhook_id: Uuid,
    pub event: String,
    pub position: Option<i64>,
    pub status: String,
    pub attempts: i32,
    pub last_status: Option<i32>,
    pub last_error: Option<String>,
    pub created_at: DateTimeUtc,
    pub begun_at: DateTimeUtc,
    pub next_attempt_at: Option<DateTimeUtc>,
    pub delivered_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What a webhook is told of, and what came of it.
pub type Delivery = Model;

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The address answered with that status.
    Answered(u16),
    /// It did not, for that reason.
    Failed(&'static str),
}

/// What an address answers that wants to be told no more.
const GONE: u16 = 410;
const PENDING: &str = "pending";
const DELIVERED: &str = "delivered";
const FAILED: &str = "failed";

/// The deliveries whose time has come.
pub(crate) fn due(now: DateTime<Utc>) -> Select<Entity> {
    Entity::find().filter(Column::Status.eq(PENDING)).filter(Column::NextAttemptAt.lte(now))
}

/// Keeps a delivery for each of those changes.
pub(crate) async fn plan(
    tx: &DatabaseTransaction,
    store: &Store,
    webhook_id: Uuid,
    changes: &[PublicChange],
) -> Result<(), Error> {
    let now = store.now();
    let rows = changes.iter().map(|change| {
        let event = format!("{}.{}", change.resource, change.operation.as_str());
        new(store.new_id(), webhook_id, event, Some(change.position), now)
    });
    let rows = rows.map(|row| row.into_active_model().reset_all());
    insert::all::<Entity>(tx, rows.collect()).await
}

/// Has a webhook that is switched on again told, as if for the first time, what it was still to be
/// told and what its address was gone for.
pub(crate) async fn take_up(
    tx: &DatabaseTransaction,
    webhook_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let gone = Condition::all()
        .add(Column::Status.eq(FAILED))
        .add(Column::LastStatus.eq(i32::from(GONE)))
        .add(Column::Position.is_not_null());
    renewed(now)
        .filter(Column::WebhookId.eq(webhook_id))
        .filter(Condition::any().add(Column::Status.eq(PENDING)).add(gone))
        .exec(tx)
        .await?;
    Ok(())
}

/// Has deliveries made as if they had never been tried.
fn renewed(now: DateTime<Utc>) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::Status, Expr::value(PENDING))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::BegunAt, Expr::value(now))
        .col_expr(Column::NextAttemptAt, Expr::value(now))
        .col_expr(Column::DeliveredAt, Expr::value(None::<DateTime<Utc>>))
}

fn new(
    id: Uuid,
    webhook_id: Uuid,
    event: String,
    position: Option<i64>,
    now: DateTime<Utc>,
) -> Model {
    Model {
        id,
        webhook_id,
        event,
        position,
        status: PENDING.to_owned(),
        attempts: 0,
        last_status: None,
        last_error: None,
        created_at: now,
        begun_at: now,
        next_attempt_at: Some(now),
        delivered_at: None,
    }
}

impl Store {
    /// The deliveries of a webhook, the newest first; those made before that one.
    pub async fn deliveries(
        &self,
        webhook: Uuid,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Delivery>, Error> {
        self.webhook(webhook).await?;
        let mut rows = Entity::find()
            .filter(Column::WebhookId.eq(webhook))
            .order_by_desc(Column::Id)
            .limit(limit);
        if let Some(before) = before {
            rows = rows.filter(Column::Id.lt(before));
        }
        Ok(rows.all(self.db()).await?)
    }

    /// Has a webhook told that it is being tried.
    pub async fn ping_webhook(&self, webhook: Uuid) -> Result<Delivery, Error> {
        self.webhook(webhook).await?;
        let row = new(self.new_id(), webhook, "ping".to_owned(), None, self.now());
        let kept = row.clone().into_active_model().reset_all();
        Entity::insert(kept).exec_without_returning(self.db()).await?;
        self.pulse().wake();
        Ok(row)
    }

    /// Has a delivery made once more, as if it had never been tried.
    pub async fn replay_delivery(&self, webhook: Uuid, id: Uuid) -> Result<Delivery, Error> {
        let changed = renewed(self.now())
            .filter(Column::Id.eq(id))
            .filter(Column::WebhookId.eq(webhook))
            .exec(self.db())
            .await?;
        if changed.rows_affected != 1 {
            return Err(Error::NotFound);
        }
        self.pulse().wake();
        Entity::find_by_id(id).one(self.db()).await?.ok_or(Error::NotFound)
    }

    /// The delivery that the webhook is to be told of next, if its time has come.
    pub async fn due_delivery(&self, claim: &Claim) -> Result<Option<Delivery>, Error> {
        let due = due(self.now())
            .filter(Column::WebhookId.eq(claim.hook.id))
            .order_by_asc(Column::NextAttemptAt)
            .order_by_asc(Column::Id);
        Ok(due.limit(1).one(self.db()).await?)
    }

    /// The change that a delivery is about; none when it is a ping.
    pub async fn change_of(&self, delivery: &Delivery) -> Result<Option<PublicChange>, Error> {
        let Some(position) = delivery.position else { return Ok(None) };
        self.change_at(position).await
    }

    /// Notes what came of an attempt, and when the next one is.
    pub async fn note_attempt(&self, delivery: &Delivery, outcome: Outcome) -> Result<(), Error> {
        let now = self.now();
        let attempts = delivery.attempts + 1;
        let (status, error) = match outcome {
            Outcome::Answered(status) => (Some(i32::from(status)), None),
            Outcome::Failed(reason) => (None, Some(reason)),
        };
        let next = now + wait(attempts);
        let delivered = matches!(outcome, Outcome::Answered(200..=299));
        let gone = outcome == Outcome::Answered(GONE);
        let again = !delivered && !gone && next <= delivery.begun_at + PATIENCE;
        let state = match (delivered, again) {
            (true, _) => DELIVERED,
            (_, true) => PENDING,
            _ => FAILED,
        };
        let tx = dialect::begin(self.db()).await?;
        Entity::update_many()
            .col_expr(Column::Status, Expr::value(state))
            .col_expr(Column::Attempts, Expr::value(attempts))
            .col_expr(Column::LastStatus, Expr::value(status))
            .col_expr(Column::LastError, Expr::value(error))
            .col_expr(Column::NextAttemptAt, Expr::value(again.then_some(next)))
            .col_expr(Column::DeliveredAt, Expr::value(delivered.then_some(now)))
            .filter(Column::Id.eq(delivery.id))
            // A replay that was asked for meanwhile stands.
            .filter(Column::BegunAt.eq(delivery.begun_at))
            .exec(&tx)
            .await?;
        if gone {
            self.switch_off(delivery.webhook_id, &tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Forgets deliveries that ended long ago.
    pub async fn forget_deliveries(&self) -> Result<(), Error> {
        Entity::delete_many()
            .filter(Column::Status.ne(PENDING))
            .filter(Column::CreatedAt.lt(self.now() - KEPT))
            .exec(self.db())
            .await?;
        Ok(())
    }
}

/// How long to wait after so many attempts: longer each time, and not all at the same time.
fn wait(attempts: i32) -> TimeDelta {
    let wait = (FIRST_WAIT * 3_f64.powi(attempts - 1)).min(LONGEST_WAIT);
    let spread = rand::rng().random_range(0.8..1.2);
    #[allow(clippy::cast_possible_truncation, reason = "it is at most ten hours")]
    TimeDelta::milliseconds((wait * spread * 1000.0) as i64)
}
