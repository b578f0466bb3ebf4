use sea_orm_migration::prelude::*;

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("person");
        table.col(sorted_text("name"));
        create(schema, "person", &table, &[&["name", "id"]]).await
    }
}
