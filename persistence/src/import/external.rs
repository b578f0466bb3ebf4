//! The table of the names that records have outside, by which they are found again.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use std::collections::HashMap;

use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{judge::Named, overlay::known_of};
use crate::{Error, insert};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_id")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub resource: String,
    /// Who gave the name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub system: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: String,
    pub record_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}

/// What a record without any name is known by: the digest of what it said when it was taken in. No
/// system can be called that.
pub(super) const CONTENT: &str = "#content";

/// The digest of a body.
pub(super) fn digest(body: &Value) -> String {
    let mut known = known_of(body);
    known.sort_all_objects();
    let digest = Sha256::digest(known.to_string());
    digest.iter().fold(String::new(), |all, byte| format!("{all}{byte:02x}"))
}

/// The records of those names.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    resource: &str,
    system: &str,
    values: &[&str],
) -> Result<HashMap<String, Uuid>, Error> {
    if values.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = Entity::find()
        .filter(Column::Resource.eq(resource))
        .filter(Column::System.eq(system))
        .filter(Column::Value.is_in(values.iter().copied()));
    Ok(rows.all(db).await?.into_iter().map(|row| (row.value, row.record_id)).collect())
}

/// Keeps by which names records are known.
pub(super) async fn keep(
    db: &impl ConnectionTrait,
    resource: &str,
    names: impl IntoIterator<Item = (Named, Uuid)>,
) -> Result<(), Error> {
    let rows = names.into_iter().map(|(Named { system, value }, record_id)| ActiveModel {
        resource: Set(resource.to_owned()),
        system: Set(system),
        value: Set(value),
        record_id: Set(record_id),
    });
    insert::all::<Entity>(db, rows.collect()).await
}
