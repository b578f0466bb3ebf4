use sea_orm_migration::{
    prelude::*,
    schema::{date, string, uuid},
};

use crate::table::{create, index_table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("study_visit");
        table
            .col(uuid("project_id"))
            .col(date("starts_on"))
            .col(string("host_country"))
            .col(string("status"));
        create(
            schema,
            "study_visit",
            &table,
            &[
                &["project_id", "starts_on", "id"],
                &["starts_on", "id"],
                &["host_country", "id"],
                &["status", "id"],
            ],
        )
        .await
    }
}
