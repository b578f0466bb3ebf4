//! The table of every record, whatever its resource: what the registry knows of it, and its body.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult, QuerySelect, entity::prelude::*};

use crate::{Error, sight::published, store::padded};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub resource: String,
    pub slug: Option<String>,
    pub revision: i64,
    pub state: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub published_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// The shape that the body was written in, where it stands as its type writes it.
    #[sea_orm(column_type = "Text", nullable)]
    pub shape: Option<String>,
    /// What follows for it from other records.
    #[sea_orm(column_type = "Text", nullable)]
    pub derived: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn is_public(&self) -> bool {
        self.state == published()
    }
}

/// How many columns the table has.
pub(crate) const WIDTH: usize = 11;

/// The record of a row that begins with all columns in their order: to find them by their names
/// takes longer than to read them.
pub(crate) fn at(row: &QueryResult) -> Result<Model, DbErr> {
    Ok(Model {
        id: row.try_get_by_index(0)?,
        resource: row.try_get_by_index(1)?,
        slug: row.try_get_by_index(2)?,
        revision: row.try_get_by_index(3)?,
        state: row.try_get_by_index(4)?,
        created_at: row.try_get_by_index(5)?,
        updated_at: row.try_get_by_index(6)?,
        published_at: row.try_get_by_index(7)?,
        body: row.try_get_by_index(8)?,
        shape: row.try_get_by_index(9)?,
        derived: row.try_get_by_index(10)?,
    })
}

/// What records are called in addresses, by their ids; of those that have a slug.
pub(crate) async fn names(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, String>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, Option<String>)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Slug])
        .filter(Column::Id.is_in(padded(ids)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|(id, slug)| Some((id, slug?))).collect())
}

/// The table of the codes of which a record has several, for filters.
pub(crate) mod term {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "term")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub record_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub field: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub value: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
