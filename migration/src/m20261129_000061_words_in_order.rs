//! Words tell where their record comes in the usual order of its list, so a list of what holds them is
//! read in that order and nothing else is looked at.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::{m20261129_000058_words_by_collection::COLLECTIONS, table::stale};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let db = schema.get_connection();
        let postgres = schema.get_database_backend() == DbBackend::Postgres;
        let text = if postgres { "text COLLATE \"C\"" } else { "text" };
        db.execute_unprepared(&format!("ALTER TABLE search ADD place {text} NOT NULL DEFAULT ''"))
            .await?;
        if postgres {
            let index = "CREATE INDEX search_place_idx ON search (place, record_id) WHERE public";
            db.execute_unprepared(index).await?;
        }
        for collection in COLLECTIONS {
            stale(schema, collection).await?;
        }
        Ok(())
    }
}
