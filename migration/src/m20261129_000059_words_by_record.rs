//! On Postgres the words of a record are known to stand once in the table of its collection: so what is
//! found can be read in the order of the ids there, and nothing else is looked at for what is not.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::table::words_once;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLLECTIONS: [&str; 17] = [
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

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        if schema.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let db = schema.get_connection();
        db.execute_unprepared("ALTER TABLE search DROP CONSTRAINT search_pkey").await?;
        for collection in COLLECTIONS {
            words_once(schema, collection).await?;
        }
        Ok(())
    }
}
