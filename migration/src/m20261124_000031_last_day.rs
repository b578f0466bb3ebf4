//! Seminars and study visits are found by whether they are over.
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, date, string, string_null, uuid, uuid_null},
};

use crate::table::{anew, index_table, sorted_text, stale};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Every collection there was when the words of records began to be kept.
const COLLECTIONS: [&str; 16] = [
    "projects",
    "grant-arrangements",
    "seminar-series",
    "seminars",
    "sessions",
    "presentations",
    "statements",
    "initiatives",
    "study-visits",
    "organisations",
    "people",
    "topics",
    "results",
    "indicators",
    "recommendations",
    "documents",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("stale")
            .col(string("collection").primary_key())
            .col(uuid_null("done_to"))
            .to_owned();
        schema.create_table(table).await?;
        let mut seminar = index_table("seminar");
        seminar
            .col(uuid("project_id"))
            .col(uuid_null("series_id"))
            .col(date("starts_on"))
            .col(date("ends_on"))
            .col(sorted_text("title"))
            .col(big_integer("ordinal"))
            .col(string("kind"))
            .col(string("status"))
            .col(string_null("format"));
        anew(
            schema,
            "seminar",
            &seminar,
            &[
                &["project_id", "starts_on", "id"],
                &["series_id", "starts_on", "id"],
                &["starts_on", "id"],
                &["ends_on", "id"],
                &["title", "id"],
                &["ordinal", "id"],
                &["kind", "starts_on", "id"],
                &["status", "starts_on", "id"],
                &["format", "starts_on", "id"],
            ],
        )
        .await?;
        let mut study_visit = index_table("study_visit");
        study_visit
            .col(uuid("project_id"))
            .col(date("starts_on"))
            .col(date("ends_on"))
            .col(string("host_country"))
            .col(string("status"));
        anew(
            schema,
            "study_visit",
            &study_visit,
            &[
                &["project_id", "starts_on", "id"],
                &["starts_on", "id"],
                &["ends_on", "id"],
                &["host_country", "starts_on", "id"],
                &["status", "starts_on", "id"],
            ],
        )
        .await?;
        for collection in COLLECTIONS {
            stale(schema, collection).await?;
        }
        Ok(())
    }
}
