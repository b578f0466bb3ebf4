use sea_orm_migration::{
    prelude::*,
    schema::{string, uuid},
};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("indicator");
        table.col(uuid("result_id")).col(sorted_text("title")).col(string("measure"));
        create(
            schema,
            "indicator",
            &table,
            &[&["result_id", "title", "id"], &["title", "id"], &["measure", "id"]],
        )
        .await
    }
}
