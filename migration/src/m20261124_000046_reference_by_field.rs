//! References of one field are counted by whom they name, without reading those of other fields.
use sea_orm_migration::prelude::*;

use crate::table::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const BEFORE: (&str, &[&str]) =
    ("reference_target_field_idx", &["target_id", "field", "source_id"]);
const INDEXES: [(&str, &[&str]); 2] = [
    ("reference_field_target_idx", &["field", "target_id", "source_id"]),
    // Who refers to a record, in whatever field.
    ("reference_target_idx", &["target_id", "source_id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in INDEXES {
            index(schema, "reference", name, columns).await?;
        }
        drop(schema, BEFORE.0).await
    }
}

async fn drop(schema: &SchemaManager<'_>, name: &'static str) -> Result<(), DbErr> {
    schema.drop_index(Index::drop().table("reference").name(name).to_owned()).await
}
