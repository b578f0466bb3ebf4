//! An answer is as of the last change, of what it is made from, that the public can see: that is found
//! without a look at those that it cannot.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE INDEX change_public_idx ON change (resource, position) \
                   WHERE state = 'published' OR state_before = 'published'";
        schema.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
