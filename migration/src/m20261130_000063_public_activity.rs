//! The table of seminars and study visits tells what is public, as the tables of lists do, and has an
//! index with all that is counted of them: figures for the public do not read the table itself.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::table::with_public_column;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        with_public_column(schema, "activity").await?;
        let sql = "CREATE INDEX activity_public_counted_idx ON activity \
                   (collection, id, project_id, year, quarter, month, kind, days) WHERE public";
        let db = schema.get_connection();
        db.execute_unprepared(sql).await?;
        if schema.get_database_backend() == DbBackend::Postgres {
            // What an instance of an earlier version writes is refused, and not hidden for good.
            db.execute_unprepared("ALTER TABLE activity ALTER public DROP DEFAULT").await?;
        }
        Ok(())
    }
}
