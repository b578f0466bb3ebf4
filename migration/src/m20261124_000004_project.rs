use sea_orm_migration::{prelude::*, schema::string_null};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("project");
        table.col(sorted_text("title")).col(string_null("status"));
        create(schema, "project", &table, &[&["title", "id"], &["status", "id"]]).await
    }
}
