//! Participants: who took part. They are no records, and nobody but a registrar sees them.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "participant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub revision: i64,
    /// A seminar or a study visit.
    pub activity_id: Uuid,
    pub name: Option<String>,
    pub email: Option<String>,
    /// By which the participants that are one person are found.
    pub email_key: Option<String>,
    pub organisation_id: Option<Uuid>,
    pub organisation_name: Option<String>,
    pub country: String,
    pub sex: Option<String>,
    pub seniority: Option<String>,
    /// The days, as a list of numbers in JSON; none when they are not known.
    #[sea_orm(column_type = "Text", nullable)]
    pub days_attended: Option<String>,
    /// How many days those are.
    pub days: Option<i64>,
    pub certified: bool,
    pub certificate_number: Option<String>,
    pub certificate_on: Option<Date>,
    pub consent: String,
    pub retain_until: Date,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When what identifies the person was taken away.
    pub erased_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
