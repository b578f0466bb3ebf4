use sea_orm_migration::{
    prelude::*,
    schema::{integer, string, text, timestamp_with_time_zone},
};

use crate::table::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                Table::create()
                    .table("idempotency")
                    .col(string("token_id"))
                    .col(string("key"))
                    .col(string("request_digest"))
                    .col(integer("status"))
                    .col(string("location"))
                    .col(string("etag"))
                    .col(text("body"))
                    .col(timestamp_with_time_zone("created_at"))
                    .primary_key(Index::create().col("token_id").col("key"))
                    .to_owned(),
            )
            .await?;
        index(schema, "idempotency", "idempotency_created_at_idx", &["created_at"]).await
    }
}
