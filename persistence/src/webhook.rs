//! Webhooks: who is told of changes, and how far each has been told.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Webhook;
use rand::RngExt;
use sea_orm::{
    Condition, EntityTrait, IntoActiveModel, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};
use serde::Serialize;
use serde_json::json;

use crate::{Error, Store, change::retried, delivery, dialect, error::unreadable, feed};

/// How many webhooks there may be.
const MOST: u64 = 100;
/// How many changes are made into deliveries at once.
const PART: u64 = 100;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub revision: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    pub enabled: bool,
    pub secret: String,
    pub position: i64,
    pub locked_by: Option<Uuid>,
    pub locked_until: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// A webhook, as it is kept.
#[derive(Clone, Debug, Serialize)]
pub struct Hook {
    /// Identifies it, for ever.
    pub id: Uuid,
    /// Counts the changes made to it, from 1.
    pub revision: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// What was written.
    #[serde(flatten)]
    pub body: Webhook,
}

/// A webhook that this instance alone may work on, for a while.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The webhook.
    pub hook: Hook,
    /// What its requests are signed with.
    pub secret: String,
    by: Uuid,
}

fn hook(row: &Model) -> Result<Hook, Error> {
    let mut body: Webhook = serde_json::from_str(&row.body).map_err(unreadable)?;
    body.enabled = row.enabled;
    let Model { id, revision, created_at, updated_at, .. } = *row;
    Ok(Hook { id, revision, created_at, updated_at, body })
}

impl Store {
    /// Keeps a webhook, and tells its secret this one time; nothing when there are too many.
    pub async fn create_webhook(&self, body: &Webhook) -> Result<Option<(Hook, String)>, Error> {
        let secret = format!("whsec_{}", STANDARD.encode(rand::rng().random::<[u8; 32]>()));
        let tx = dialect::begin(self.db()).await?;
        if Entity::find().count(&tx).await? >= MOST {
            return Ok(None);
        }
        let now = self.now();
        let row = Model {
            id: self.new_id(),
            revision: 1,
            created_at: now,
            updated_at: now,
            body: json!(body).to_string(),
            enabled: body.enabled,
            secret: secret.clone(),
            position: feed::newest(&tx).await?,
            locked_by: None,
            locked_until: None,
        };
        let kept = row.clone().into_active_model().reset_all();
        Entity::insert(kept).exec_without_returning(&tx).await?;
        tx.commit().await?;
        Ok(Some((hook(&row)?, secret)))
    }

    /// Every webhook, in the order in which they were created.
    pub async fn webhooks(&self) -> Result<Vec<Hook>, Error> {
        let rows = Entity::find().order_by_asc(Column::Id).all(self.db()).await?;
        rows.iter().map(hook).collect()
    }

    /// The webhook of that id.
    pub async fn webhook(&self, id: Uuid) -> Result<Hook, Error> {
        hook(&Entity::find_by_id(id).one(self.db()).await?.ok_or(Error::NotFound)?)
    }

    /// Changes a webhook that is still at one of those revisions.
    pub async fn change_webhook(
        &self,
        id: Uuid,
        revisions: &[i64],
        body: &Webhook,
    ) -> Result<Hook, Error> {
        let tx = dialect::begin(self.db()).await?;
        let old = Entity::find_by_id(id).lock_exclusive().one(&tx).await?.ok_or(Error::NotFound)?;
        let changed = Entity::update_many()
            .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
            .col_expr(Column::UpdatedAt, Expr::value(Ord::max(self.now(), old.updated_at)))
            .col_expr(Column::Body, Expr::value(json!(body).to_string()))
            .col_expr(Column::Enabled, Expr::value(body.enabled))
            .filter(Column::Id.eq(id))
            .filter(Column::Revision.is_in(revisions.iter().copied()))
            .exec(&tx)
            .await?;
        if changed.rows_affected != 1 {
            return Err(Error::Stale);
        }
        if body.enabled && !old.enabled {
            delivery::take_up(&tx, id, self.now()).await?;
        }
        tx.commit().await?;
        self.pulse().wake();
        self.webhook(id).await
    }

    /// Removes a webhook that is still at one of those revisions, and its deliveries.
    pub async fn delete_webhook(&self, id: Uuid, revisions: &[i64]) -> Result<(), Error> {
        self.webhook(id).await?;
        let gone = Entity::delete_many()
            .filter(Column::Id.eq(id))
            .filter(Column::Revision.is_in(revisions.iter().copied()))
            .exec(self.db())
            .await?;
        if gone.rows_affected == 1 { Ok(()) } else { Err(Error::Stale) }
    }

    /// Takes a webhook that has something to be told, and that no other instance works on.
    pub async fn claim_webhook(&self, by: Uuid, lease: TimeDelta) -> Result<Option<Claim>, Error> {
        // Where nobody waits to be told, nothing else is asked, not even the time.
        if Entity::find().filter(Column::Enabled.eq(true)).limit(1).one(self.db()).await?.is_none()
        {
            return Ok(None);
        }
        let newest = self.newest().await?;
        let now = self.now();
        let free =
            || Condition::any().add(Column::LockedUntil.is_null()).add(Column::LockedUntil.lt(now));
        let due = delivery::due(now).select_only().column(delivery::Column::WebhookId).into_query();
        let work =
            Condition::any().add(Column::Position.lt(newest)).add(Column::Id.in_subquery(due));
        let found = Entity::find()
            .filter(Column::Enabled.eq(true))
            .filter(free())
            .filter(work)
            .order_by_asc(Column::Id)
            .all(self.db())
            .await?;
        for row in found {
            let claimed = Entity::update_many()
                .col_expr(Column::LockedBy, Expr::value(by))
                .col_expr(Column::LockedUntil, Expr::value(now + lease))
                .filter(Column::Id.eq(row.id))
                .filter(free())
                .exec(self.db())
                .await?;
            if claimed.rows_affected == 1 {
                return Ok(Some(Claim { hook: hook(&row)?, secret: row.secret, by }));
            }
        }
        Ok(None)
    }

    /// Whether the webhook is still this instance's, switched on, and as it was when it was claimed; if
    /// so, for that much longer. What is sent after a change goes where that says.
    pub async fn keep_webhook(&self, claim: &Claim, lease: TimeDelta) -> Result<bool, Error> {
        let kept = Entity::update_many()
            .col_expr(Column::LockedUntil, Expr::value(self.now() + lease))
            .filter(Column::Id.eq(claim.hook.id))
            .filter(Column::LockedBy.eq(claim.by))
            .filter(Column::Enabled.eq(true))
            .filter(Column::Revision.eq(claim.hook.revision))
            .exec(self.db())
            .await?;
        Ok(kept.rows_affected == 1)
    }

    /// Lets others work on the webhook.
    pub async fn release_webhook(&self, claim: &Claim) -> Result<(), Error> {
        Entity::update_many()
            .col_expr(Column::LockedBy, Expr::value(None::<Uuid>))
            .col_expr(Column::LockedUntil, Expr::value(None::<DateTime<Utc>>))
            .filter(Column::Id.eq(claim.hook.id))
            .filter(Column::LockedBy.eq(claim.by))
            .exec(self.db())
            .await?;
        Ok(())
    }

    /// Makes deliveries of what the webhook has not been told yet; whether there is more.
    ///
    /// The place in the log moves on in the same transaction, so nothing is lost or told twice.
    pub async fn plan_deliveries(&self, claim: &Claim) -> Result<bool, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let row = Entity::find_by_id(claim.hook.id).lock_exclusive().one(&tx).await?;
            let Some(row) = row.filter(|row| row.enabled && row.locked_by == Some(claim.by)) else {
                return Ok(false);
            };
            let position = row.position;
            let resources = hook(&row)?.body.resources;
            let part = feed::changes(&tx, position, PART, &resources).await?;
            if part.until == position {
                return Ok(false);
            }
            delivery::plan(&tx, self, claim.hook.id, &part.items).await?;
            Entity::update_many()
                .col_expr(Column::Position, Expr::value(part.until))
                .filter(Column::Id.eq(claim.hook.id))
                .exec(&tx)
                .await?;
            tx.commit().await?;
            Ok(part.more)
        })
        .await
    }

    /// Switches a webhook off, since its address says that it is gone.
    pub(crate) async fn switch_off(
        &self,
        id: Uuid,
        db: &impl ConnectionTrait,
    ) -> Result<(), Error> {
        Entity::update_many()
            .col_expr(Column::Enabled, Expr::value(false))
            .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
            .col_expr(Column::UpdatedAt, Expr::value(self.now()))
            .filter(Column::Id.eq(id))
            .filter(Column::Enabled.eq(true))
            .exec(db)
            .await?;
        Ok(())
    }
}
