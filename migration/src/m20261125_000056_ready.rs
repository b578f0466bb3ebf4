//! A body tells which shape it was written in, and a record what follows for it from others: so it can
//! be answered as it stands.
use sea_orm_migration::{prelude::*, schema::text_null, sea_orm::Statement};

use crate::table::stale;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [&str; 2] = ["shape", "derived"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            let table = Table::alter().table("record").add_column(text_null(column)).to_owned();
            schema.alter_table(table).await?;
        }
        let kept = "SELECT DISTINCT resource FROM record";
        let kept = Statement::from_string(schema.get_database_backend(), kept);
        for row in schema.get_connection().query_all_raw(kept).await? {
            stale(schema, &row.try_get_by_index::<String>(0)?).await?;
        }
        Ok(())
    }
}
