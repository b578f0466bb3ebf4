//! Participants: what is known of the people who took part. They are no records: nobody but a
//! registrar sees them, and what identifies somebody can be taken away for good.
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, boolean, date, date_null, pk_uuid, string, string_null,
        text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
    },
};

use crate::table::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let of_record = |name: &str, column: &'static str| {
            ForeignKey::create()
                .name(name)
                .from("participant", column)
                .to("record", "id")
                .to_owned()
        };
        schema
            .create_table(
                Table::create()
                    .table("participant")
                    .col(pk_uuid("id"))
                    .col(big_integer("revision"))
                    // A seminar or a study visit.
                    .col(uuid("activity_id"))
                    .col(string_null("name"))
                    .col(string_null("email"))
                    // By which the records of one person are found: folded to lower case.
                    .col(string_null("email_key"))
                    .col(uuid_null("organisation_id"))
                    .col(string_null("organisation_name"))
                    .col(string("country"))
                    .col(string_null("sex"))
                    .col(string_null("seniority"))
                    // The days as a list of numbers in JSON, and how many they are; null: not known.
                    .col(text_null("days_attended"))
                    .col(big_integer_null("days"))
                    .col(boolean("certified"))
                    .col(string_null("certificate_number"))
                    .col(date_null("certificate_on"))
                    .col(string("consent"))
                    .col(date("retain_until"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    // When what identifies the person was taken away.
                    .col(timestamp_with_time_zone_null("erased_at"))
                    .foreign_key(&mut of_record("participant_activity_id_fkey", "activity_id"))
                    .foreign_key(&mut of_record(
                        "participant_organisation_id_fkey",
                        "organisation_id",
                    ))
                    .to_owned(),
            )
            .await?;
        for columns in [
            ["activity_id", "id"].as_slice(),
            &["organisation_id", "id"],
            &["country", "id"],
            &["email_key", "id"],
            &["erased_at", "retain_until"],
        ] {
            let name = format!("participant_{}_idx", columns.join("_"));
            index(schema, "participant", &name, columns).await?;
        }
        Ok(())
    }
}
