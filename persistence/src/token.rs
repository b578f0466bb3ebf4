//! Tokens: who may do what.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Days, TimeDelta, Utc};
use domain::{Deed, ProjectRef, Role, Shape, Token, Violation};
use rand::RngExt;
use sea_orm::{
    ActiveValue::Set, Condition, IntoActiveModel, QueryOrder, QuerySelect, entity::prelude::*,
    sea_query::Expr,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    Author, Error, Sight, Store, change::retried, dialect, error::unreadable, insert, reference,
};

/// How often the last use of a token is written down at most.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name: String,
    pub role: String,
    pub secret_sha256: String,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
    pub last_used_at: Option<DateTimeUtc>,
    /// Whether it is limited to projects, even if none of them is left.
    pub limited: bool,
}

impl ActiveModelBehavior for ActiveModel {}

/// The table of the projects that tokens are limited to.
pub(crate) mod limit {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "token_project")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub project_id: Uuid,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a token is to be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose it is.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// The projects that it is limited to, if it is.
    pub projects: Option<Vec<ProjectRef>>,
}

/// A token, as it is kept: without what only its holder knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptToken {
    /// Identifies it.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// The projects that it is limited to, if it is.
    pub projects: Option<Vec<Uuid>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl KeptToken {
    /// What every token of the registry begins with.
    pub const BEGIN: &str = "hub_";

    /// Whether its holder may do that, somewhere at least.
    #[must_use]
    pub fn may(&self, deed: Deed) -> bool {
        self.role.may(deed) && (self.projects.is_none() || deed.fits_into_projects())
    }
}

/// What those who act are called.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    /// Of all of them by one statement.
    pub(crate) async fn of<'a>(
        db: &impl ConnectionTrait,
        actors: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        let ids: BTreeSet<_> = actors.into_iter().filter(|actor| is_id(actor)).collect();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let rows: Vec<(String, String)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Name])
            .filter(Column::Id.is_in(ids))
            .into_tuple()
            .all(db)
            .await?;
        Ok(Self(rows.into_iter().collect()))
    }

    /// The name of a token, if it is still there; who is none is called as the log has them.
    pub(crate) fn name(&self, actor: &str) -> Option<String> {
        match is_id(actor) {
            true => self.0.get(actor).cloned(),
            false => Some(actor.to_owned()),
        }
    }
}

/// Whether that is the id of a token, as they are made.
fn is_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|letter| letter.is_ascii_hexdigit())
}

impl Store {
    /// Makes a token, and tells it this one time.
    pub async fn create_token(&self, new: &NewToken) -> Result<(KeptToken, String), Error> {
        let now = self.now();
        if new.expires_at > now + Days::new(Token::MOST_DAYS.into()) {
            let detail = format!("A token ends after {} days at most.", Token::MOST_DAYS);
            return Err(Error::Refused(vec![Violation::new("/days", "too_large", detail)]));
        }
        let mut random = rand::rng();
        let secret = URL_SAFE_NO_PAD.encode(random.random::<[u8; 32]>());
        let row = Model {
            id: hex(&random.random::<[u8; 6]>()),
            name: new.name.clone(),
            role: new.role.name().to_owned(),
            secret_sha256: digest(&secret),
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
            limited: new.projects.is_some(),
        };
        let token = format!("{}{}_{secret}", KeptToken::BEGIN, row.id);
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let projects = named(&tx, new.projects.as_deref().unwrap_or_default()).await?;
            let kept = row.clone().into_active_model().reset_all();
            Entity::insert(kept).exec_without_returning(&tx).await?;
            let limits = projects.iter().map(|project| limit::ActiveModel {
                token_id: Set(row.id.clone()),
                project_id: Set(*project),
            });
            insert::all::<limit::Entity>(&tx, limits.collect()).await?;
            tx.commit().await?;
            Ok((kept_token(row.clone(), projects)?, token.clone()))
        })
        .await
    }

    /// The tokens that were made before that one, the newest first.
    pub async fn tokens(
        &self,
        before: Option<(DateTime<Utc>, String)>,
        limit: u64,
    ) -> Result<Vec<KeptToken>, Error> {
        let before = before.map(|(at, id)| {
            let same = Condition::all().add(Column::CreatedAt.eq(at)).add(Column::Id.lt(id));
            Condition::any().add(Column::CreatedAt.lt(at)).add(same)
        });
        let rows = Entity::find()
            .filter(Condition::all().add_option(before))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(limit)
            .all(self.db())
            .await?;
        let limited = rows.iter().filter(|row| row.limited).map(|row| row.id.as_str());
        let mut limits = self.limits(limited.collect()).await?;
        let kept = |row: Model| {
            let projects = limits.remove(&row.id).unwrap_or_default();
            kept_token(row, projects)
        };
        rows.into_iter().map(kept).collect()
    }

    /// The token of that id.
    pub async fn token(&self, id: &str) -> Result<KeptToken, Error> {
        let row = Entity::find_by_id(id).one(self.db()).await?.ok_or(Error::NotFound)?;
        let projects = self.limit(&row).await?;
        kept_token(row, projects)
    }

    /// Ends a token at once; one that was revoked before stays as it is.
    pub async fn revoke_token(&self, id: &str) -> Result<KeptToken, Error> {
        Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(self.now()))
            .filter(Column::Id.eq(id))
            .filter(Column::RevokedAt.is_null())
            .exec(self.db())
            .await?;
        self.token(id).await
    }

    /// Whether what an author began may go on: their token was not revoked since. Who came in another
    /// way has none that could be.
    pub async fn stands(&self, by: &Author) -> Result<bool, Error> {
        let row = Entity::find_by_id(by.name.as_str()).one(self.db()).await?;
        Ok(row.is_none_or(|row| row.revoked_at.is_none()))
    }

    /// What is kept of that token, if it is one and holds still.
    pub async fn held(&self, token: &str) -> Result<Option<KeptToken>, Error> {
        let parts = token.strip_prefix(KeptToken::BEGIN).and_then(|rest| rest.split_once('_'));
        let Some((id, secret)) = parts else { return Ok(None) };
        let row = Entity::find_by_id(id).one(self.db()).await?;
        let now = self.now();
        let holds = |row: &Model| {
            bool::from(row.secret_sha256.as_bytes().ct_eq(digest(secret).as_bytes()))
                && row.revoked_at.is_none()
                && row.expires_at > now
        };
        let Some(row) = row.filter(holds) else { return Ok(None) };
        let projects = self.limit(&row).await?;
        if row.last_used_at.is_none_or(|at| at < now - NOTED_EVERY) {
            // Nobody waits for this, and nothing fails with it.
            tokio::spawn(self.clone().note_use(row.id.clone(), now));
        }
        kept_token(row, projects).map(Some)
    }

    /// Writes down when a token was used, unless that was done just before.
    async fn note_use(self, id: String, now: DateTime<Utc>) {
        let long_ago = Condition::any()
            .add(Column::LastUsedAt.is_null())
            .add(Column::LastUsedAt.lt(now - NOTED_EVERY));
        let noted = Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(now))
            .filter(Column::Id.eq(id))
            .filter(long_ago)
            .exec(self.db())
            .await;
        if let Err(error) = noted {
            tracing::debug!(%error, "the use of a token is not noted");
        }
    }

    /// The projects that a token is limited to.
    async fn limit(&self, row: &Model) -> Result<Vec<Uuid>, Error> {
        if !row.limited {
            return Ok(Vec::new());
        }
        Ok(self.limits(vec![&row.id]).await?.remove(&row.id).unwrap_or_default())
    }

    /// The projects that tokens are limited to, by the token.
    async fn limits(&self, ids: Vec<&str>) -> Result<HashMap<String, Vec<Uuid>>, Error> {
        let mut limits: HashMap<_, Vec<_>> = HashMap::new();
        if !ids.is_empty() {
            let rows = limit::Entity::find()
                .filter(limit::Column::TokenId.is_in(ids))
                .order_by_asc(limit::Column::ProjectId);
            for row in rows.all(self.db()).await? {
                limits.entry(row.token_id).or_default().push(row.project_id);
            }
        }
        Ok(limits)
    }
}

/// The ids of projects that are named, in order.
async fn named(db: &impl ConnectionTrait, projects: &[ProjectRef]) -> Result<Vec<Uuid>, Error> {
    let mut body = json!({"projects": projects});
    let references = Shape::of::<Token>().references(&body);
    let mut known = reference::Known::default();
    reference::look_up(db, &Sight::All, &references, &mut known).await?;
    let links = reference::settle(&mut body, &references, &known).map_err(Error::Refused)?;
    let mut ids: Vec<_> = links.into_iter().map(|(_, id)| id).collect();
    ids.sort_unstable();
    Ok(ids)
}

fn kept_token(row: Model, projects: Vec<Uuid>) -> Result<KeptToken, Error> {
    Ok(KeptToken {
        role: role(&row)?,
        projects: row.limited.then_some(projects),
        id: row.id,
        name: row.name,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
    })
}

fn role(row: &Model) -> Result<Role, Error> {
    row.role.parse().map_err(unreadable)
}

fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "{byte:02x}");
        all
    })
}
