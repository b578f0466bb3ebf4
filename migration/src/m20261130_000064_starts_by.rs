//! The table of seminars and study visits tells the last day that one may begin on, too: a date may be
//! known to the month or the year. And what is only negotiated is no agreed money any more.
use sea_orm_migration::{prelude::*, schema::date_null};

use crate::table::stale;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("activity").add_column(date_null("starts_by")).to_owned();
        schema.alter_table(column).await?;
        stale(schema, "seminars").await?;
        stale(schema, "study-visits").await?;
        stale(schema, "grant-arrangements").await
    }
}
