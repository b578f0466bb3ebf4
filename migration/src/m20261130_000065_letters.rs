//! What tells a letter from another has changed, in words and in orders: a stroke is an accent in an
//! order as well, and all apostrophes are one. So has the text that stands for all languages where
//! there is English of one country only, the last day where the year of the end is not known, and
//! what seminars without a title are called.
use sea_orm_migration::prelude::*;

use crate::{m20261129_000058_words_by_collection::COLLECTIONS, table::stale};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for collection in COLLECTIONS {
            stale(schema, collection).await?;
        }
        Ok(())
    }
}
