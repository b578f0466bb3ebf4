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
        let mut table = index_table("statement");
        table.col(uuid("seminar_id")).col(string("mode"));
        create(schema, "statement", &table, &[&["seminar_id", "id"], &["mode", "id"]]).await
    }
}
