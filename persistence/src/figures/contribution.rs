//! What records contribute to figures.
use domain::{Count, Decimal, EventStatus, FullDate, Metric, PartialDate, Subject, days};
use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};

use super::basis_of;
use crate::{Basis, Error, index::code, insert, record};

/// The table of seminars and study visits, with the time that they belong to.
pub(crate) mod activity {
    #![allow(unreachable_pub, reason = "the entity macro makes everything public")]
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "activity")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub public: bool,
        pub collection: String,
        pub project_id: Uuid,
        pub kind: String,
        pub status: String,
        pub starts_on: Option<Date>,
        pub starts_by: Option<Date>,
        pub year: Option<String>,
        pub quarter: Option<String>,
        pub month: Option<String>,
        pub days: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The table of what records contribute.
pub(crate) mod fact {
    #![allow(unreachable_pub, reason = "the entity macro makes everything public")]
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "fact")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub record_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub subject: String,
        pub activity_id: Option<Uuid>,
        pub project_id: Option<Uuid>,
        pub result_id: Option<Uuid>,
        pub year: Option<String>,
        pub quarter: Option<String>,
        pub month: Option<String>,
        pub role: Option<String>,
        pub country: Option<String>,
        pub person_id: Option<Uuid>,
        pub organisation_id: Option<Uuid>,
        pub metric: Option<String>,
        pub currency: Option<String>,
        pub qualifier: Option<String>,
        pub high: Option<i64>,
        pub low: Option<i64>,
        pub micro: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

use activity::Model as Activity;
pub(crate) use fact::Model as Fact;

/// A seminar or a study visit.
pub(crate) struct Held<'a> {
    pub(crate) subject: Subject,
    pub(crate) project_id: Uuid,
    pub(crate) kind: String,
    pub(crate) status: EventStatus,
    pub(crate) starts_on: Option<&'a PartialDate>,
    pub(crate) ends_on: Option<&'a PartialDate>,
}

/// What a record contributes.
#[derive(Default)]
pub struct Contribution {
    activity: Option<Activity>,
    facts: Vec<Fact>,
}

impl Contribution {
    /// Writes those, by record, in place of what the records in `had` contributed before.
    pub(crate) async fn keep<'a>(
        all: impl IntoIterator<Item = (&'a record::Model, Self)>,
        db: &impl ConnectionTrait,
        had: &[Uuid],
    ) -> Result<(), Error> {
        if !had.is_empty() {
            let had = || had.iter().copied();
            let activities = activity::Entity::delete_many();
            activities.filter(activity::Column::Id.is_in(had())).exec(db).await?;
            let facts = fact::Entity::delete_many();
            facts.filter(fact::Column::RecordId.is_in(had())).exec(db).await?;
        }
        let (mut activities, mut facts) = (Vec::new(), Vec::new());
        for (row, one) in all {
            activities.extend(one.activity.map(|activity| activity::ActiveModel {
                id: Set(row.id),
                public: Set(row.is_public()),
                ..activity.into()
            }));
            facts.extend(one.facts.into_iter().zip(0..).map(|(fact, number)| fact::ActiveModel {
                record_id: Set(row.id),
                number: Set(number),
                ..fact.into()
            }));
        }
        insert::all::<activity::Entity>(db, activities).await?;
        insert::all::<fact::Entity>(db, facts).await
    }

    /// Has its row tell whether a seminar or a study visit is public; of other records there is none.
    pub(crate) async fn show(db: &impl ConnectionTrait, row: &record::Model) -> Result<(), Error> {
        activity::Entity::update_many()
            .col_expr(activity::Column::Public, Expr::value(row.is_public()))
            .filter(activity::Column::Id.eq(row.id))
            .exec(db)
            .await?;
        Ok(())
    }

    /// The seminars and study visits that it belongs to, or none where it belongs to none of them.
    pub(crate) fn activities(&self, id: Uuid) -> Vec<Option<Uuid>> {
        let itself = self.activity.is_some().then_some(Some(id));
        let facts = self.facts.iter().map(|fact| fact.activity_id);
        itself.into_iter().chain(facts).collect()
    }

    /// Whether it is known that figures of its subjects are made from that collection.
    pub(crate) fn is_told_of(&self, collection: &str) -> bool {
        let activity = self.activity.iter().map(|activity| &activity.collection);
        let subjects = activity.chain(self.facts.iter().map(|fact| &fact.subject));
        let told = |subject| basis_of(subject, []).covers(&Basis::collection(collection));
        subjects.filter_map(|name| Subject::named(name)).all(told)
    }

    pub(crate) fn of(facts: impl IntoIterator<Item = Fact>) -> Self {
        Self { activity: None, facts: facts.into_iter().collect() }
    }

    /// Of a seminar or a study visit, with the parts of organisations in it and the numbers that were
    /// published of it. How many people came to what was held is a number also where it is not known:
    /// a sum without it would pass for all that there were.
    pub(crate) fn of_activity(
        held: Held<'_>,
        id: Uuid,
        parts: impl IntoIterator<Item = Fact>,
        published: &[Count],
    ) -> Self {
        let told = published.iter().any(|count| count.metric == Metric::Persons);
        let unknown = (held.status == EventStatus::Held && !told).then(Fact::unknown_persons);
        let facts = parts.into_iter().chain(published.iter().map(Fact::count)).chain(unknown);
        let of = |part: fn(&PartialDate) -> Option<String>| held.starts_on.and_then(part);
        let activity = Activity {
            collection: held.subject.name().to_owned(),
            project_id: held.project_id,
            kind: held.kind,
            status: code(Some(&held.status)).unwrap_or_default(),
            starts_on: held.starts_on.and_then(PartialDate::first_day),
            starts_by: held.starts_on.and_then(PartialDate::last_day),
            year: of(PartialDate::year),
            quarter: of(PartialDate::quarter),
            month: of(PartialDate::month),
            days: days(held.starts_on, held.ends_on),
            ..Activity::default()
        };
        let facts = facts.map(|fact| fact.at(id)).collect();
        Self { activity: Some(activity), facts }
    }
}

impl Fact {
    /// For that subject.
    pub(crate) fn of(subject: Subject) -> Self {
        Self { subject: subject.name().to_owned(), ..Self::default() }
    }

    /// That belongs to that seminar or study visit.
    pub(crate) fn at(self, activity: Uuid) -> Self {
        Self { activity_id: Some(activity), ..self }
    }

    /// A part that an organisation has.
    pub(crate) fn part(organisation: Uuid, role: Option<String>) -> Self {
        Self { organisation_id: Some(organisation), role, ..Self::of(Subject::Organisations) }
    }

    /// That belongs to the year of that date, its quarter and its month, as far as they are known.
    pub(crate) fn on(self, date: Option<&PartialDate>) -> Self {
        let of = |part: fn(&PartialDate) -> Option<String>| date.and_then(part);
        Self {
            year: of(PartialDate::year),
            quarter: of(PartialDate::quarter),
            month: of(PartialDate::month),
            ..self
        }
    }

    /// The same, of a day.
    pub(crate) fn on_day(self, day: &FullDate) -> Self {
        let date = day.as_str().parse::<PartialDate>().ok();
        self.on(date.as_ref())
    }

    /// With that value, in millionths.
    pub(crate) fn worth(self, micros: Option<i128>) -> Self {
        let part = |part: fn(i128) -> i128| micros.and_then(|all| i64::try_from(part(all)).ok());
        Self {
            high: part(|all| all / MICROS / LOW),
            low: part(|all| all / MICROS % LOW),
            micro: part(|all| all % MICROS),
            ..self
        }
    }

    /// How many people came, where that is not known.
    fn unknown_persons() -> Self {
        Self { metric: code(Some(&Metric::Persons)), ..Self::of(Subject::Attendance) }
    }

    /// A number as it was published.
    fn count(count: &Count) -> Self {
        Self {
            metric: code(Some(&count.metric)),
            qualifier: code(Some(&count.qualifier)),
            ..Self::of(Subject::Attendance).worth(Some(i128::from(count.value) * MICROS))
        }
    }
}

/// How many millionths make one.
pub(crate) const MICROS: i128 = 1_000_000;
/// Above this the high part of an amount counts.
pub(crate) const LOW: i128 = 1_000_000_000;

/// A decimal number in millionths; it has no more than six decimal places.
pub(crate) fn micros(number: &Decimal) -> Option<i128> {
    let text = number.as_str();
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{places:0<6}").parse().ok()
}
