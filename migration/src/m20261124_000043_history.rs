use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // Deleted records are found by the slug that they had.
        let index = Index::create()
            .table("change")
            .name("change_resource_slug_idx")
            .col("resource")
            .col("slug")
            .col("position")
            .to_owned();
        schema.create_index(index).await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().table("change").name("change_resource_slug_idx").to_owned();
        schema.drop_index(index).await
    }
}
