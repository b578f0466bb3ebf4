use sea_orm_migration::{
    prelude::*,
    schema::{string, uuid_null},
};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("topic");
        table
            .col(sorted_text("code"))
            .col(sorted_text("label"))
            .col(string("scheme"))
            .col(uuid_null("parent_id"));
        create(
            schema,
            "topic",
            &table,
            &[&["code", "id"], &["label", "id"], &["scheme", "id"], &["parent_id", "code", "id"]],
        )
        .await
    }
}
