//! Projects are found by their identifier in IATI, which only one may have there.
use sea_orm_migration::{prelude::*, schema::string_null};

use crate::table::{index, stale};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMN: &str = "iati_identifier";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("project").add_column(string_null(COLUMN)).to_owned();
        schema.alter_table(column).await?;
        index(schema, "project", "project_iati_identifier_idx", &[COLUMN]).await?;
        stale(schema, "projects").await
    }
}
