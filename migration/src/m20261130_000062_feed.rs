//! The feed is read in its order, without a look at what the public does not see.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE INDEX change_feed_idx ON change (position) \
                   WHERE state = 'published' OR state_before = 'published'";
        schema.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
