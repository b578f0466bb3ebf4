use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string_null, uuid, uuid_null},
};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("presentation");
        table
            .col(uuid("seminar_id"))
            .col(uuid_null("session_id"))
            .col(big_integer("position"))
            .col(sorted_text("title"))
            .col(string_null("language"));
        create(
            schema,
            "presentation",
            &table,
            &[
                &["seminar_id", "position", "id"],
                &["session_id", "position", "id"],
                &["position", "id"],
                &["title", "id"],
                &["language", "id"],
            ],
        )
        .await
    }
}
