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
        let mut table = index_table("result");
        table.col(uuid("project_id")).col(sorted_text("title")).col(string("kind"));
        create(
            schema,
            "result",
            &table,
            &[&["project_id", "title", "id"], &["title", "id"], &["kind", "id"]],
        )
        .await
    }
}
