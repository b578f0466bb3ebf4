//! Nobody is counted twice at one activity: who is known by an address is there once.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const NAME: &str = "participant_activity_id_email_key_key";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut index = Index::create().table("participant").name(NAME).to_owned();
        index.col("activity_id").col("email_key").unique();
        schema.create_index(index).await
    }
}
