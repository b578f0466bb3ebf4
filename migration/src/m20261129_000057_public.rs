//! The index tables tell what is public, and have indexes of that alone: a list of the public passes
//! by nothing that is hidden.
use sea_orm_migration::prelude::*;

use crate::table::with_public;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: [&str; 17] = [
    "document",
    "exchange_rate",
    "grant_arrangement",
    "indicator",
    "initiative",
    "organisation",
    "person",
    "presentation",
    "project",
    "recommendation",
    "result",
    "seminar",
    "seminar_series",
    "session",
    "statement",
    "study_visit",
    "topic",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            with_public(schema, table).await?;
        }
        Ok(())
    }
}
