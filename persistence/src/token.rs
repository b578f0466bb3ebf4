//! Tokens: who may write.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use std::fmt::Write;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use rand::RngExt;
use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Error, Store};

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
}

impl ActiveModelBehavior for ActiveModel {}

/// What a token is to be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose it is.
    pub name: String,
    /// What its holder may do.
    pub role: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Who holds a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The id of the token.
    pub token_id: String,
    /// What its holder may do.
    pub role: String,
}

impl Store {
    /// Makes a token, and tells its secret this one time.
    pub async fn create_token(&self, new: NewToken) -> Result<String, Error> {
        let mut random = rand::rng();
        let id = hex(&random.random::<[u8; 6]>());
        let secret = URL_SAFE_NO_PAD.encode(random.random::<[u8; 32]>());
        let row = ActiveModel {
            id: Set(id.clone()),
            name: Set(new.name),
            role: Set(new.role),
            secret_sha256: Set(digest(&secret)),
            created_at: Set(self.now()),
            expires_at: Set(new.expires_at),
            revoked_at: Set(None),
            last_used_at: Set(None),
        };
        Entity::insert(row).exec_without_returning(self.db()).await?;
        Ok(format!("hub_{id}_{secret}"))
    }

    /// Who holds that token, if it is one and holds still.
    pub async fn actor(&self, token: &str) -> Result<Option<Actor>, Error> {
        let parts = token.strip_prefix("hub_").and_then(|rest| rest.split_once('_'));
        let Some((id, secret)) = parts else { return Ok(None) };
        let row = Entity::find_by_id(id.to_owned()).one(self.db()).await?;
        let now = self.now();
        let holds = |row: &Model| {
            bool::from(row.secret_sha256.as_bytes().ct_eq(digest(secret).as_bytes()))
                && row.revoked_at.is_none()
                && row.expires_at > now
        };
        Ok(row.filter(holds).map(|row| Actor { token_id: row.id, role: row.role }))
    }
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
