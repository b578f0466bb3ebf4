//! The history of the database schema.
use sea_orm_migration::prelude::*;

mod m20261124_000001_record;
mod m20261124_000002_organisation;
mod m20261124_000003_person;
mod m20261124_000004_project;
mod m20261124_000005_grant_arrangement;
mod m20261124_000006_seminar_series;
mod m20261124_000007_seminar;
mod m20261124_000008_session;
mod m20261124_000009_presentation;
mod m20261124_000010_statement;
mod m20261124_000011_initiative;
mod m20261124_000012_study_visit;
mod m20261124_000013_topic;
mod m20261124_000014_result;
mod m20261124_000015_indicator;
mod m20261124_000016_recommendation;
mod m20261124_000017_document;
mod m20261124_000018_webhook;
mod m20261124_000019_search;
mod m20261124_000030_record_updated;
mod m20261124_000031_last_day;
mod m20261124_000040_token_role;
mod m20261124_000041_idempotency;
mod m20261124_000042_publication;
mod m20261124_000043_history;
mod m20261124_000044_search_by_collection;
mod m20261124_000045_import;
mod m20261124_000046_reference_by_field;
mod m20261124_000047_statistics;
mod m20261124_000048_words_with_collection;
mod m20261125_000049_participant;
mod m20261125_000050_figures;
mod m20261125_000051_exchange_rate;
mod m20261125_000055_participant_once;
mod m20261125_000056_ready;
mod m20261129_000057_public;
mod m20261129_000058_words_by_collection;
mod m20261129_000059_words_that_wait;
mod m20261129_000060_public_changes;
mod m20261129_000061_words_in_order;
mod m20261130_000062_feed;
mod m20261130_000063_public_activity;
mod m20261130_000064_starts_by;
mod m20261130_000065_letters;
mod m20261130_000066_iati_identifier;
mod m20261130_000067_gone;
mod m20261201_000068_unknown_amounts;
mod table;

/// Brings the schema up to date, one migration after the other.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_record::Migration),
            Box::new(m20261124_000002_organisation::Migration),
            Box::new(m20261124_000003_person::Migration),
            Box::new(m20261124_000004_project::Migration),
            Box::new(m20261124_000005_grant_arrangement::Migration),
            Box::new(m20261124_000006_seminar_series::Migration),
            Box::new(m20261124_000007_seminar::Migration),
            Box::new(m20261124_000008_session::Migration),
            Box::new(m20261124_000009_presentation::Migration),
            Box::new(m20261124_000010_statement::Migration),
            Box::new(m20261124_000011_initiative::Migration),
            Box::new(m20261124_000012_study_visit::Migration),
            Box::new(m20261124_000013_topic::Migration),
            Box::new(m20261124_000014_result::Migration),
            Box::new(m20261124_000015_indicator::Migration),
            Box::new(m20261124_000016_recommendation::Migration),
            Box::new(m20261124_000017_document::Migration),
            Box::new(m20261124_000018_webhook::Migration),
            Box::new(m20261124_000019_search::Migration),
            Box::new(m20261124_000030_record_updated::Migration),
            Box::new(m20261124_000031_last_day::Migration),
            Box::new(m20261124_000040_token_role::Migration),
            Box::new(m20261124_000041_idempotency::Migration),
            Box::new(m20261124_000042_publication::Migration),
            Box::new(m20261124_000043_history::Migration),
            Box::new(m20261124_000044_search_by_collection::Migration),
            Box::new(m20261124_000045_import::Migration),
            Box::new(m20261124_000046_reference_by_field::Migration),
            Box::new(m20261124_000047_statistics::Migration),
            Box::new(m20261124_000048_words_with_collection::Migration),
            Box::new(m20261125_000049_participant::Migration),
            Box::new(m20261125_000050_figures::Migration),
            Box::new(m20261125_000055_participant_once::Migration),
            Box::new(m20261125_000051_exchange_rate::Migration),
            Box::new(m20261125_000056_ready::Migration),
            Box::new(m20261129_000057_public::Migration),
            Box::new(m20261129_000058_words_by_collection::Migration),
            Box::new(m20261129_000059_words_that_wait::Migration),
            Box::new(m20261129_000060_public_changes::Migration),
            Box::new(m20261129_000061_words_in_order::Migration),
            Box::new(m20261130_000062_feed::Migration),
            Box::new(m20261130_000063_public_activity::Migration),
            Box::new(m20261130_000064_starts_by::Migration),
            Box::new(m20261130_000065_letters::Migration),
            Box::new(m20261130_000066_iati_identifier::Migration),
            Box::new(m20261130_000067_gone::Migration),
            Box::new(m20261201_000068_unknown_amounts::Migration),
        ]
    }
}

/// The name of the last migration.
#[must_use]
pub fn newest() -> String {
    Migrator::migrations().iter().map(|one| one.name().to_owned()).max().unwrap_or_default()
}
