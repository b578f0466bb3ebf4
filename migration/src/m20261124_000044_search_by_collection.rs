//! Words are looked for in one collection, without reading what others hold.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::table::lexemes;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        if schema.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let expression = |of: &str| {
            format!("array_to_tsvector(string_to_array({of}, ' ') || ('/' || resource)::text)")
        };
        lexemes(schema, expression).await
    }
}
