//! What currencies were worth in others, by day.
use sea_orm_migration::{
    prelude::*,
    schema::{date, string},
};

use crate::table::{create, index_table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("exchange_rate");
        table
            .col(string("from_currency"))
            .col(string("to_currency"))
            .col(date("on_day"))
            .col(string("rate"));
        create(
            schema,
            "exchange_rate",
            &table,
            &[
                &["on_day", "id"],
                &["from_currency", "to_currency", "on_day", "id"],
                &["to_currency", "on_day", "id"],
            ],
        )
        .await
    }
}
