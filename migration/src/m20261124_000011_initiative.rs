use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string, string_null, uuid_null},
};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("initiative");
        table
            .col(sorted_text("name"))
            .col(big_integer("horizon_year"))
            .col(string("kind"))
            .col(string_null("country"))
            .col(uuid_null("owner_id"));
        create(
            schema,
            "initiative",
            &table,
            &[
                &["name", "id"],
                &["horizon_year", "id"],
                &["kind", "id"],
                &["country", "id"],
                &["owner_id", "name", "id"],
            ],
        )
        .await
    }
}
