use sea_orm_migration::{
    prelude::*,
    schema::{date, string, uuid},
};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("grant_arrangement");
        table
            .col(uuid("project_id"))
            .col(date("signed_on"))
            .col(sorted_text("title"))
            .col(string("status"));
        create(
            schema,
            "grant_arrangement",
            &table,
            &[
                &["project_id", "signed_on", "id"],
                &["signed_on", "id"],
                &["title", "id"],
                &["status", "id"],
            ],
        )
        .await
    }
}
