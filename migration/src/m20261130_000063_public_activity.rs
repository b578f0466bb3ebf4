//! The table of seminars and study visits tells what is public, as the tables of lists do, and has an
//! index with all that is counted of them: figures for the public read no table, and no other index.
use sea_orm_migration::prelude::*;

use crate::table::with_public_column;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        with_public_column(schema, "activity").await?;
        let sql = "CREATE INDEX activity_public_counted_idx ON activity \
                   (collection, id, project_id, year, quarter, month, kind, days) WHERE public";
        schema.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
