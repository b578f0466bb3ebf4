use sea_orm_migration::{
    prelude::*,
    schema::{string, uuid},
};

use crate::table::{create, index_table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("recommendation");
        table.col(uuid("seminar_id")).col(string("status"));
        create(schema, "recommendation", &table, &[&["seminar_id", "id"], &["status", "id"]]).await
    }
}
