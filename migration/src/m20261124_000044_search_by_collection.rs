//! Words are looked for in one collection, without reading what others hold.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [(&str, &str); 2] = [("name", "name_lexemes"), ("words", "words_lexemes")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        if schema.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for (of, lexemes) in COLUMNS {
            let sql = format!(
                "ALTER TABLE search DROP {lexemes}; \
                 ALTER TABLE search ADD {lexemes} tsvector NOT NULL GENERATED ALWAYS AS \
                 (array_to_tsvector(string_to_array({of}, ' ') || ('/' || resource)::text)) STORED; \
                 CREATE INDEX search_{of}_idx ON search USING gin ({lexemes})"
            );
            schema.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
