use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, date, string, string_null, uuid, uuid_null},
};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("seminar");
        table
            .col(uuid("project_id"))
            .col(uuid_null("series_id"))
            .col(date("starts_on"))
            .col(sorted_text("title"))
            .col(big_integer("ordinal"))
            .col(string("kind"))
            .col(string("status"))
            .col(string_null("format"));
        create(
            schema,
            "seminar",
            &table,
            &[
                &["project_id", "starts_on", "id"],
                &["series_id", "starts_on", "id"],
                &["starts_on", "id"],
                &["title", "id"],
                &["ordinal", "id"],
                &["kind", "id"],
                &["status", "id"],
                &["format", "id"],
            ],
        )
        .await
    }
}
