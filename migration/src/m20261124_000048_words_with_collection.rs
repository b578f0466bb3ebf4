//! Postgres counts how many records of each collection hold a word, not how many hold it anywhere.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::table::lexemes;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// With its collection each word takes more of the megabyte that Postgres allows: where there might
/// be too many, they are written anew.
const TOO_MANY: [&str; 2] = [
    "INSERT INTO stale (collection) SELECT DISTINCT resource FROM search WHERE length(words) > 50000 \
     ON CONFLICT (collection) DO UPDATE SET done_to = NULL",
    "DELETE FROM search WHERE length(words) > 50000",
];

/// Of the most common words ten thousand are counted.
const COUNTED: &str = "ALTER TABLE search ALTER name_lexemes SET STATISTICS 1000; \
    ALTER TABLE search ALTER words_lexemes SET STATISTICS 1000; ANALYZE search";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for sql in TOO_MANY {
            schema.get_connection().execute_unprepared(sql).await?;
        }
        if schema.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let expression = |of: &str| {
            format!(
                "array_to_tsvector(string_to_array(resource::text || '/' || \
                 replace({of}, ' ', ' ' || resource::text || '/'), ' '))"
            )
        };
        lexemes(schema, expression).await?;
        schema.get_connection().execute_unprepared(COUNTED).await?;
        Ok(())
    }
}
