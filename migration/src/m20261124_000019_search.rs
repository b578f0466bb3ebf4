use sea_orm_migration::{
    prelude::*,
    schema::{big_pk_auto, string, text, uuid_uniq},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The words are found as they are: the program has folded and split them already.
const POSTGRES: &[&str] = &[
    "ALTER TABLE search ALTER name TYPE text COLLATE \"C\", ALTER words TYPE text COLLATE \"C\"",
    "ALTER TABLE search \
     ADD name_lexemes tsvector NOT NULL \
     GENERATED ALWAYS AS (array_to_tsvector(string_to_array(name, ' '))) STORED, \
     ADD words_lexemes tsvector NOT NULL \
     GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED",
    "CREATE INDEX search_name_idx ON search USING gin (name_lexemes)",
    "CREATE INDEX search_words_idx ON search USING gin (words_lexemes)",
];

/// `ascii` takes every letter beyond ASCII for a part of a word, so that words stay as they are.
const SQLITE: &[&str] = &[
    "CREATE VIRTUAL TABLE search_words USING fts5(name, words, \
     content='search', content_rowid='id', tokenize='ascii', detail='column')",
    "CREATE TRIGGER search_insert AFTER INSERT ON search BEGIN \
     INSERT INTO search_words (rowid, name, words) VALUES (new.id, new.name, new.words); END",
    "CREATE TRIGGER search_delete AFTER DELETE ON search BEGIN \
     INSERT INTO search_words (search_words, rowid, name, words) \
     VALUES ('delete', old.id, old.name, old.words); END",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                Table::create()
                    .table("search")
                    .col(big_pk_auto("id"))
                    .col(uuid_uniq("record_id"))
                    .col(string("resource"))
                    .col(text("name"))
                    .col(text("words"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("search_record_id_fkey")
                            .from("search", "record_id")
                            .to("record", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        let own = match schema.get_database_backend() {
            DbBackend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        for sql in own {
            schema.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
