//! What was public once and is not any more is found without a look at all that was changed.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE INDEX change_gone_idx ON change (resource, position) \
                   WHERE state_before = 'published' AND (state IS NULL OR state <> 'published')";
        schema.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
