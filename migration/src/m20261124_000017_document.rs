use sea_orm_migration::{
    prelude::*,
    schema::{date, string, string_null},
};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("document");
        table
            .col(sorted_text("title"))
            .col(date("published_on"))
            .col(string("kind"))
            .col(string_null("language"));
        create(
            schema,
            "document",
            &table,
            &[&["title", "id"], &["published_on", "id"], &["kind", "id"], &["language", "id"]],
        )
        .await
    }
}
