use sea_orm_migration::{
    prelude::*,
    schema::{string_null, uuid_null},
};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("organisation");
        table
            .col(sorted_text("name"))
            .col(string_null("kind"))
            .col(string_null("country"))
            .col(uuid_null("parent_id"));
        create(
            schema,
            "organisation",
            &table,
            &[&["name", "id"], &["kind", "id"], &["country", "id"], &["parent_id", "name", "id"]],
        )
        .await
    }
}
