//! What records contribute to figures: activities with the time that they belong to, and facts.
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, date_null, integer, string, string_null, uuid, uuid_null},
};

use crate::table::{index, index_table, stale};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The collections whose records contribute.
const COLLECTIONS: [&str; 7] = [
    "projects",
    "grant-arrangements",
    "seminars",
    "presentations",
    "statements",
    "study-visits",
    "indicators",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut activity = index_table("activity");
        activity
            .col(string("collection"))
            .col(uuid("project_id"))
            .col(string("kind"))
            .col(string("status"))
            // The first day that it may begin on.
            .col(date_null("starts_on"))
            .col(string_null("year"))
            .col(string_null("quarter"))
            .col(string_null("month"))
            .col(big_integer_null("days"));
        schema.create_table(activity).await?;
        for columns in [&["collection", "year", "id"], &["project_id", "year", "id"]] {
            let name = format!("activity_{}_idx", columns.join("_"));
            index(schema, "activity", &name, columns).await?;
        }
        let fact = Table::create()
            .table("fact")
            .col(uuid("record_id"))
            .col(integer("number"))
            .col(string("subject"))
            .col(uuid_null("activity_id"))
            .col(uuid_null("project_id"))
            .col(uuid_null("result_id"))
            .col(string_null("year"))
            .col(string_null("quarter"))
            .col(string_null("month"))
            .col(string_null("role"))
            .col(string_null("country"))
            .col(uuid_null("person_id"))
            .col(uuid_null("organisation_id"))
            .col(string_null("metric"))
            .col(string_null("currency"))
            .col(string_null("qualifier"))
            // An amount in three parts, so that sums are exact and fit in both databases: thousands
            // of millions, what is below them, and millionths.
            .col(big_integer_null("high"))
            .col(big_integer_null("low"))
            .col(big_integer_null("micro"))
            .primary_key(Index::create().col("record_id").col("number"))
            .foreign_key(
                ForeignKey::create()
                    .name("fact_record_id_fkey")
                    .from("fact", "record_id")
                    .to("record", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        schema.create_table(fact).await?;
        for columns in [
            ["subject", "activity_id"],
            ["subject", "project_id"],
            ["subject", "organisation_id"],
            ["subject", "record_id"],
        ] {
            let name = format!("fact_{}_idx", columns.join("_"));
            index(schema, "fact", &name, &columns).await?;
        }
        for collection in COLLECTIONS {
            stale(schema, collection).await?;
        }
        Ok(())
    }
}
