use sea_orm_migration::prelude::*;

use crate::table::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // Deleted records are found by the slug that they had.
        let columns = ["resource", "slug", "position"];
        index(schema, "change", "change_resource_slug_idx", &columns).await
    }
}
