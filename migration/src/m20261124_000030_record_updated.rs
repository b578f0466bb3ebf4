use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::create()
            .table("record")
            .name("record_resource_updated_at_idx")
            .col("resource")
            .col("updated_at")
            .col("id")
            .to_owned();
        schema.create_index(index).await
    }
}
