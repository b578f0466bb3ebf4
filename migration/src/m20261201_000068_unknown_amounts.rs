//! Figures tell also of amounts and numbers that are not known, so that sums without them are lower
//! bounds.
use sea_orm_migration::prelude::*;

use crate::table::stale;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        stale(schema, "seminars").await?;
        stale(schema, "study-visits").await?;
        stale(schema, "grant-arrangements").await
    }
}
