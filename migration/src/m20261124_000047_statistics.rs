//! Postgres learns how often each field has each value, not how often either comes: a country may be
//! common among seminars and rare among speakers.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Of which columns of a table the values are counted together; of the most common a thousand.
const TOGETHER: [(&str, &str, &str); 2] = [
    ("term", "term_field_value_stat", "field, value"),
    ("reference", "reference_field_target_stat", "field, target_id"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        if schema.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for (table, name, columns) in TOGETHER {
            let sql = format!(
                "CREATE STATISTICS {name} (mcv) ON {columns} FROM {table}; \
                 ALTER STATISTICS {name} SET STATISTICS 1000; ANALYZE {table}"
            );
            schema.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
