//! On Postgres the words of each collection lie in a table of their own, and tell what is public: so it
//! is known how common a word is there, and what is found needs no other table.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::table::words_of;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

pub(crate) const COLLECTIONS: [&str; 17] = [
    "documents",
    "exchange-rates",
    "grant-arrangements",
    "indicators",
    "initiatives",
    "organisations",
    "people",
    "presentations",
    "projects",
    "recommendations",
    "results",
    "seminars",
    "seminar-series",
    "sessions",
    "statements",
    "study-visits",
    "topics",
];

const SQLITE: &str = "ALTER TABLE search ADD public boolean NOT NULL DEFAULT false; \
    UPDATE search SET public = true \
    WHERE record_id IN (SELECT id FROM record WHERE state = 'published')";

/// Where there is no word there are no lexemes, so that nothing is expected to be found.
const POSTGRES: &str = r#"
    ALTER TABLE search RENAME TO search_before;
    CREATE TABLE search (
        record_id uuid NOT NULL,
        resource varchar NOT NULL,
        public boolean NOT NULL,
        name text COLLATE "C" NOT NULL,
        words text COLLATE "C" NOT NULL,
        name_lexemes tsvector
            GENERATED ALWAYS AS (array_to_tsvector(string_to_array(nullif(name, ''), ' '))) STORED,
        words_lexemes tsvector
            GENERATED ALWAYS AS (array_to_tsvector(string_to_array(nullif(words, ''), ' '))) STORED
    ) PARTITION BY LIST (resource)"#;
const MOVED: &str = "
    INSERT INTO search (record_id, resource, public, name, words)
        SELECT record_id, search_before.resource, state = 'published', name, words
        FROM search_before JOIN record ON record.id = record_id ORDER BY search_before.id;
    DROP TABLE search_before";
/// At last, when nothing has to be looked up for each row.
const KEYS: &str = "
    ALTER TABLE search ADD CONSTRAINT search_pkey PRIMARY KEY (record_id, resource),
        ADD CONSTRAINT search_record_id_fkey
            FOREIGN KEY (record_id) REFERENCES record (id) ON DELETE CASCADE;
    CREATE INDEX search_name_idx ON search USING gin (name_lexemes);
    CREATE INDEX search_words_idx ON search USING gin (words_lexemes);
    ANALYZE search";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let db = schema.get_connection();
        if schema.get_database_backend() != DbBackend::Postgres {
            db.execute_unprepared(SQLITE).await?;
            return Ok(());
        }
        db.execute_unprepared(POSTGRES).await?;
        for collection in COLLECTIONS {
            words_of(schema, collection).await?;
        }
        for sql in [MOVED, KEYS] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
