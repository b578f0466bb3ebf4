//! Participants: who took part. They are no records, and nobody but a registrar sees them.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
mod erase;
mod import;
mod keep;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::{
    Email, Key, OneOf, Organisation, Participant, ParticipantFilter, Reference, Resource, Seminar,
    StudyVisit,
};
use sea_orm::{Condition, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*};
use serde::Serialize;
use serde_json::{Value, json};

pub use self::import::TakenParticipants;
use crate::{
    Error, Page, Referrer, Sight, Store, Wanted,
    error::unreadable,
    list::{Key as OrderKey, after},
    narrow::codes,
    record::{self, read},
    reference,
    sight::PROJECT,
};

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

/// A participant, as they are kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeptParticipant {
    /// Identifies the entry, for ever.
    pub id: Uuid,
    /// Counts the changes made to it, from 1.
    pub revision: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When what identifies the person was taken away, if it was.
    pub erased_at: Option<DateTime<Utc>>,
    /// What was written.
    #[serde(flatten)]
    pub body: Participant,
}

impl Store {
    /// A page of the participants, in the order in which they were added.
    pub async fn participants(
        &self,
        wanted: &Wanted<Participant>,
    ) -> Result<Page<KeptParticipant>, Error> {
        let rows = Entity::find().filter(fitting(self, &wanted.filter).await?);
        let total = match wanted.with_total {
            true => Some(rows.clone().count(self.db()).await?),
            false => None,
        };
        let place = wanted.after.as_deref();
        let rest = place.map(|place| after(&[OrderKey::column(Column::Id, false)], place));
        let mut found = rows
            .filter(Condition::all().add_option(rest.transpose()?))
            .order_by_asc(Column::Id)
            .limit(wanted.limit + 1)
            .all(self.db())
            .await?;
        let more = found.len() as u64 > wanted.limit;
        found.truncate(usize::try_from(wanted.limit).unwrap_or(usize::MAX));
        let next = found.last().filter(|_| more).map(|last| vec![json!(last.id)]);
        Ok(Page { items: kept(self.db(), found).await?, next, total })
    }

    /// The participant of that id.
    pub async fn participant(&self, id: Uuid) -> Result<KeptParticipant, Error> {
        let row = Entity::find_by_id(id).filter(within(self.sight())).one(self.db()).await?;
        one(self.db(), row.ok_or(Error::NotFound)?).await
    }

    /// Everything that is held of the person with that address.
    pub async fn participations(&self, of: &Email) -> Result<Vec<KeptParticipant>, Error> {
        let rows = Entity::find()
            .filter(Column::EmailKey.eq(of.key()))
            .filter(within(self.sight()))
            .order_by_asc(Column::Id);
        kept(self.db(), rows.all(self.db()).await?).await
    }
}

/// Who stands for the participants that refer to a record, if any do: which they are is not told.
pub(crate) async fn referrer(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<Referrer>, Error> {
    let refers = Condition::any().add(Column::ActivityId.eq(id)).add(Column::OrganisationId.eq(id));
    let found = Entity::find().filter(refers).limit(1).one(db).await?;
    Ok(found.map(|_| Referrer {
        collection: Participant::COLLECTION.to_owned(),
        id: None,
        slug: None,
        field: String::new(),
    }))
}

/// The condition that a participant is one of whom somebody may know: of all projects, or of those
/// that they are limited to. That a seminar is public does not make its participants so.
fn within(sight: &Sight) -> Condition {
    match sight {
        Sight::All => Condition::all(),
        Sight::Public => Condition::any().add(Expr::cust("1 = 0")),
        Sight::Projects(projects) => {
            let of_projects = reference::Entity::find()
                .select_only()
                .column(reference::Column::SourceId)
                .filter(reference::Column::Field.eq(PROJECT))
                .filter(reference::Column::TargetId.is_in(projects.iter().copied()));
            Condition::all().add(Column::ActivityId.in_subquery(of_projects.into_query()))
        }
    }
}

/// What a list holds.
async fn fitting(store: &Store, filter: &ParticipantFilter) -> Result<Condition, Error> {
    let named = [
        (Column::ActivityId, Seminar::COLLECTION, &filter.seminar),
        (Column::ActivityId, StudyVisit::COLLECTION, &filter.study_visit),
        (Column::OrganisationId, Organisation::COLLECTION, &filter.organisation),
    ];
    let mut known = reference::Known::default();
    let asked: Vec<_> =
        named.iter().flat_map(|(_, collection, keys)| references(collection, keys)).collect();
    reference::look_up(store.db(), store.sight(), &asked, &mut known).await?;
    let mut all = within(store.sight());
    for (column, collection, keys) in named.iter().filter(|(_, _, keys)| !keys.0.is_empty()) {
        let ids = keys.0.iter().filter_map(|key| known.get(collection, key.as_str()));
        all = all.add(column.is_in(ids.map(|(id, _)| *id)));
    }
    for (column, wanted) in [
        (Column::Country, codes(&filter.country)),
        (Column::Sex, codes(&filter.sex)),
        (Column::Seniority, codes(&filter.seniority)),
        (Column::Consent, codes(&filter.consent)),
        (Column::EmailKey, filter.email.0.iter().map(Email::key).collect()),
    ] {
        if !wanted.is_empty() {
            all = all.add(column.is_in(wanted));
        }
    }
    Ok(all)
}

fn references(collection: &str, keys: &OneOf<Key>) -> Vec<Reference> {
    let reference = |key: &Key| Reference {
        pointer: String::new(),
        field: String::new(),
        collection: collection.to_owned(),
        key: key.as_str().to_owned(),
    };
    keys.0.iter().map(reference).collect()
}

async fn one(db: &impl ConnectionTrait, row: Model) -> Result<KeptParticipant, Error> {
    kept(db, vec![row]).await?.pop().ok_or(Error::NotFound)
}

/// Participants as they are told: their row says what they took part in, and not of which kind it
/// is.
async fn kept(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<KeptParticipant>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let activities: HashSet<Uuid> = rows.iter().map(|row| row.activity_id).collect();
    let seminars: Vec<Uuid> = record::Entity::find()
        .select_only()
        .column(record::Column::Id)
        .filter(record::Column::Resource.eq(Seminar::COLLECTION))
        .filter(record::Column::Id.is_in(activities))
        .into_tuple()
        .all(db)
        .await?;
    let told = |row: Model| {
        let of_seminar = seminars.contains(&row.activity_id);
        Ok(KeptParticipant {
            id: row.id,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
            erased_at: row.erased_at,
            body: body(row, of_seminar)?,
        })
    };
    rows.into_iter().map(told).collect()
}

fn body(row: Model, of_seminar: bool) -> Result<Participant, Error> {
    let activity = if of_seminar { "seminar_id" } else { "study_visit_id" };
    let days: Option<Value> = row.days_attended.as_deref().map(read).transpose()?;
    let number = row.certificate_number;
    let certificate =
        row.certified.then(|| json!({"number": number, "issued_on": row.certificate_on}));
    let body = json!({
        activity: row.activity_id,
        "name": row.name,
        "email": row.email,
        "organisation_id": row.organisation_id,
        "organisation_name": row.organisation_name,
        "country": row.country,
        "sex": row.sex,
        "seniority": row.seniority,
        "days_attended": days,
        "certificate": certificate,
        "consent": row.consent,
        "retain_until": row.retain_until,
    });
    serde_json::from_value(body).map_err(unreadable)
}
