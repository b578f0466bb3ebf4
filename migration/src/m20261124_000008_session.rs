use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string, uuid},
};

use crate::table::{create, index_table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("session");
        table
            .col(uuid("seminar_id"))
            .col(big_integer("day"))
            .col(big_integer("position"))
            .col(string("kind"));
        create(
            schema,
            "session",
            &table,
            &[
                &["seminar_id", "position", "id"],
                &["day", "id"],
                &["position", "id"],
                &["kind", "id"],
            ],
        )
        .await
    }
}
