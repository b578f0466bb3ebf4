//! Postgres counts how many records of each collection hold a word, not how many hold it anywhere.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [(&str, &str); 2] = [("name", "name_lexemes"), ("words", "words_lexemes")];

/// With its collection each word takes more of the megabyte that Postgres allows: where there might
/// be too many, they are written anew.
const TOO_MANY: [&str; 2] = [
    "INSERT INTO stale (collection) SELECT DISTINCT resource FROM search WHERE length(words) > 50000 \
     ON CONFLICT (collection) DO UPDATE SET done_to = NULL",
    "DELETE FROM search WHERE length(words) > 50000",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for sql in TOO_MANY {
            schema.get_connection().execute_unprepared(sql).await?;
        }
        if schema.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for (of, lexemes) in COLUMNS {
            // Of the most common words ten thousand are counted.
            let sql = format!(
                "ALTER TABLE search DROP {lexemes}; \
                 ALTER TABLE search ADD {lexemes} tsvector NOT NULL GENERATED ALWAYS AS \
                 (array_to_tsvector(string_to_array(resource::text || '/' || \
                 replace({of}, ' ', ' ' || resource::text || '/'), ' '))) STORED; \
                 ALTER TABLE search ALTER {lexemes} SET STATISTICS 1000; \
                 CREATE INDEX search_{of}_idx ON search USING gin ({lexemes})"
            );
            schema.get_connection().execute_unprepared(&sql).await?;
        }
        schema.get_connection().execute_unprepared("ANALYZE search").await?;
        Ok(())
    }
}
