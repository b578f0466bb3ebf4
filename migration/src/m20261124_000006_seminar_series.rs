use sea_orm_migration::{prelude::*, schema::uuid};

use crate::table::{create, index_table, sorted_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = index_table("seminar_series");
        table.col(uuid("project_id")).col(sorted_text("name"));
        create(schema, "seminar_series", &table, &[&["project_id", "name", "id"], &["name", "id"]])
            .await
    }
}
