//! The sheet of what was held: a row for each seminar and each study visit, with what belongs to it.
use std::collections::{BTreeSet, VecDeque};

use actix_web::{
    HttpRequest,
    web::{Data, Path},
};
use chrono::NaiveDate;
use domain::{
    CountryCode, EventStatus, Key, Metric, OneOf, OrganiserRole, PartialDate, Qualifier, Record,
    Seminar, SeminarFilter, SeminarFormat, StudyVisit, StudyVisitFilter, TopicCode, Year, days,
};
use persistence::{Batches, Error, Moment, Stored, Wanted};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Answer, PublicAddress,
    event::{Event, Eventful, said},
    related::Related,
};
use crate::{
    Problem,
    export::{Format, Rows, Shape},
    file::{self, Asked, WRITERS},
    formats::table::Table,
    query::ListQuery,
    reader::Reader,
    workbook::Book,
};

pub(crate) const COLLECTION: &str = "activities";
/// The parameter that names the year in which they begin.
pub(crate) const YEAR: &str = "year";
/// What the kind of a study visit is called, beside those of seminars.
const STUDY_VISIT: &str = "study_visit";
/// Of how many activities what they are told with is held at once.
const BATCH: usize = 100;

/// A seminar or a study visit, with what belongs to it, in one language.
#[derive(Serialize, ToSchema)]
pub(crate) struct Activity {
    /// What it is called: its title or, where that is not known, what it is.
    title: String,
    /// What sort of seminar it is, or study_visit.
    kind: String,
    /// Whether it takes place.
    status: EventStatus,
    /// Whether people meet in one place.
    format: Option<SeminarFormat>,
    /// The title of the project that holds it.
    project: Option<String>,
    /// Who pays for it: the funders of the project, and who gives its grants.
    funding: Vec<String>,
    /// Who organises it, alone or with others.
    organisers: Vec<String>,
    /// Who gives the place.
    hosts: Vec<String>,
    /// Who pays for it, beside the project.
    sponsors: Vec<String>,
    /// Who works with it.
    partners: Vec<String>,
    /// The series that it belongs to.
    series: Option<String>,
    /// The first day.
    starts_on: Option<PartialDate>,
    /// The last day.
    ends_on: Option<PartialDate>,
    /// How many days it takes, where the first and the last are known.
    days: Option<i64>,
    /// Where it takes place: the house, the street and the city.
    place: Option<String>,
    /// The country in which it takes place.
    host_country: Option<CountryCode>,
    /// How many people took part, as it was published.
    participants: Option<i64>,
    /// How that number is to be understood.
    participants_qualifier: Option<Qualifier>,
    /// How many different people have a part in its presentations; empty where none are recorded.
    speakers: Option<usize>,
    /// The countries that are named as having a part in it.
    countries: Vec<CountryCode>,
    /// How many countries had a part in it, as it was published: there may be more than are named.
    country_count: Option<i64>,
    /// How that number is to be understood.
    country_count_qualifier: Option<Qualifier>,
    /// How many countries sent civil servants to it, as it was published.
    participating_country_count: Option<i64>,
    /// How that number is to be understood.
    participating_country_count_qualifier: Option<Qualifier>,
    /// How many presentations of it are recorded; empty where none are.
    presentations: Option<usize>,
    /// Its address in the registry.
    url: String,
}

/// Narrows the sheet of activities.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ActivitiesFilter {
    /// Of one of these projects, by id or slug.
    project: OneOf<Key>,
    /// In which one of these countries has a part.
    country: OneOf<CountryCode>,
    /// Whose status is one of these.
    status: OneOf<EventStatus>,
    /// About one of these topics.
    topic: OneOf<TopicCode>,
    /// That begin on this day or later; a date known to the month counts by its first day.
    #[serde(deserialize_with = "domain::day_parameter")]
    starts_on_gte: Option<NaiveDate>,
    /// That begin before this day.
    #[serde(deserialize_with = "domain::day_parameter")]
    starts_on_lt: Option<NaiveDate>,
}

impl ActivitiesFilter {
    /// The same, of what begins in that year.
    fn within(mut self, year: Option<&Year>) -> Self {
        let earliest = year.map(Year::first_day);
        let after = year.map(Year::day_after);
        self.starts_on_gte = self.starts_on_gte.max(earliest);
        self.starts_on_lt = [self.starts_on_lt, after].into_iter().flatten().min();
        self
    }

    fn seminars(self) -> Wanted<Seminar> {
        let Self { project, country, status, topic, starts_on_gte, starts_on_lt } = self;
        let others = SeminarFilter::default();
        Wanted::all(SeminarFilter {
            project,
            country,
            status,
            topic,
            starts_on_gte,
            starts_on_lt,
            ..others
        })
    }

    fn study_visits(self) -> Wanted<StudyVisit> {
        let Self { project, country, status, topic, starts_on_gte, starts_on_lt } = self;
        let others = StudyVisitFilter::default();
        Wanted::all(StudyVisitFilter {
            project,
            country,
            status,
            topic,
            starts_on_gte,
            starts_on_lt,
            ..others
        })
    }
}

/// All of them as a file, in the form that the address names.
pub(super) async fn named(
    request: HttpRequest,
    store: Reader,
    address: Data<PublicAddress>,
    format: Path<String>,
) -> Answer {
    let format = Format::named(&format).ok_or_else(Problem::no_route)?;
    let mut query = ListQuery::of_feed(&request)?;
    let shape = Shape::asked(&mut query, format, Table::of_schema::<Activity>());
    let year = query.read(YEAR, None, |text| text.parse::<Year>().map(Some));
    let filter = query.filter::<ActivitiesFilter>().within(year.as_ref());
    query.judge()?;
    let (seminars, visits) = (filter.clone().seminars(), filter.study_visits());
    let asked = Asked {
        of: COLLECTION,
        media_type: format.content_type(),
        basis: Related::basis(),
        // The address of the registry is in each row.
        by: &address.base,
        daily: false,
        turns: &WRITERS,
    };
    let wrong = Problem::of(COLLECTION);
    let store = store.published();
    let written = asked.answer(&request, &store, async |moment, file| {
        if format == Format::Xlsx {
            let counted = moment.count(&seminars).await.map_err(&wrong)?;
            Book::judge(counted + moment.count(&visits).await.map_err(&wrong)?)?;
        }
        let mut rows = Rows::begin(&shape, COLLECTION, file)?;
        let mut all = ByDay::of(moment, seminars, visits);
        loop {
            let some = all.next().await.map_err(&wrong)?;
            if some.is_empty() {
                return rows.end();
            }
            let events: Vec<_> = some.iter().map(Held::event).collect();
            let related = Related::of(moment, &events).await.map_err(&wrong)?;
            for held in &some {
                rows.add(&Told { held, related: &related, address: &address })?;
            }
        }
    });
    Ok(file::kept_as(written.await?, &format!("{COLLECTION}.{}", format.name())))
}

/// What was held, or is to be.
enum Held {
    Seminar(Box<Record<Seminar>>),
    StudyVisit(Box<Record<StudyVisit>>),
}

impl Held {
    fn event(&self) -> Event<'_> {
        match self {
            Self::Seminar(record) => Seminar::event(record),
            Self::StudyVisit(record) => StudyVisit::event(record),
        }
    }
}

/// Seminars and study visits in the order of their first days; what is of no known day comes last.
struct ByDay<'a> {
    seminars: Ahead<'a, Seminar>,
    visits: Ahead<'a, StudyVisit>,
}

impl<'a> ByDay<'a> {
    fn of(moment: &'a Moment, seminars: Wanted<Seminar>, visits: Wanted<StudyVisit>) -> Self {
        Self { seminars: Ahead::of(moment, seminars), visits: Ahead::of(moment, visits) }
    }

    /// The next of them; none after the last.
    async fn next(&mut self) -> Result<Vec<Held>, Error> {
        let mut next = Vec::new();
        while next.len() < BATCH {
            let seminar = self.seminars.first(|one| one.starts_on.as_ref()).await?;
            let visit = self.visits.first(|one| one.starts_on.as_ref()).await?;
            next.extend(match (seminar, visit) {
                (None, None) => break,
                (Some(one), Some(other)) if other < one => self.visits.take().map(Held::StudyVisit),
                (Some(_), _) => self.seminars.take().map(Held::Seminar),
                (None, Some(_)) => self.visits.take().map(Held::StudyVisit),
            });
        }
        Ok(next)
    }
}

/// A list that is read a little ahead.
struct Ahead<'a, R: Stored> {
    batches: Batches<'a, R>,
    read: VecDeque<Record<R>>,
}

impl<'a, R: Stored> Ahead<'a, R> {
    fn of(moment: &'a Moment, wanted: Wanted<R>) -> Self {
        Self { batches: moment.every(wanted), read: VecDeque::new() }
    }

    /// Where the first record comes that was not taken yet.
    async fn first(
        &mut self,
        starts_on: fn(&R) -> Option<&PartialDate>,
    ) -> Result<Option<(NaiveDate, Uuid)>, Error> {
        while self.read.is_empty() {
            let Some(records) = self.batches.next().await? else { return Ok(None) };
            self.read.extend(records);
        }
        Ok(self.read.front().map(|record| {
            let day = starts_on(&record.body).and_then(PartialDate::first_day);
            (day.unwrap_or(NaiveDate::MAX), record.id)
        }))
    }

    fn take(&mut self) -> Option<Box<Record<R>>> {
        self.read.pop_front().map(Box::new)
    }
}

/// An activity that is put into words only while it is written: then the language is known.
struct Told<'a> {
    held: &'a Held,
    related: &'a Related,
    address: &'a PublicAddress,
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Activity::of(&self.held.event(), self.related, self.address).serialize(to)
    }
}

impl Activity {
    fn of(event: &Event<'_>, related: &Related, address: &PublicAddress) -> Self {
        let name = |id: &Uuid| related.organisations.get(id).map(|one| said(&one.name));
        let held_by = |parts: &[OrganiserRole]| -> Vec<String> {
            event.held_by(parts).filter_map(|id| name(&id)).collect()
        };
        let published = |metric| event.attendance.iter().find(|count| count.metric == metric);
        let people = published(Metric::Persons);
        let countries = published(Metric::Countries);
        let participating = published(Metric::ParticipatingCountries);
        let talks = related.presentations.get(&event.id).filter(|talks| !talks.is_empty());
        let speakers = talks.map(|talks| {
            let speakers = talks.iter().flat_map(|talk| &talk.body.speakers);
            speakers.map(|speaker| speaker.person_id.id()).collect::<BTreeSet<_>>().len()
        });
        let place = [&event.place.name, &event.place.street, &event.place.city];
        let place: Vec<&str> = place.into_iter().flatten().map(String::as_str).collect();
        let mut named = Vec::new();
        for country in event.countries.iter().copied() {
            if !named.contains(country) {
                named.push(country.clone());
            }
        }
        Self {
            title: event.title.clone(),
            kind: match event.kind {
                Some(kind) => json!(kind).as_str().unwrap_or_default().to_owned(),
                None => STUDY_VISIT.to_owned(),
            },
            status: event.status,
            format: event.format,
            project: related.projects.get(&event.project).map(|project| said(&project.title)),
            funding: related.funders(event).iter().filter_map(name).collect(),
            organisers: held_by(&[OrganiserRole::Organiser, OrganiserRole::CoOrganiser]),
            hosts: held_by(&[OrganiserRole::Host]),
            sponsors: held_by(&[OrganiserRole::Sponsor]),
            partners: held_by(&[OrganiserRole::Partner]),
            series: event.series.and_then(|id| related.series.get(&id)).map(|one| said(&one.name)),
            starts_on: event.starts_on.cloned(),
            ends_on: event.ends_on.cloned(),
            days: days(event.starts_on, event.ends_on),
            place: Some(place.join(", ")).filter(|place| !place.is_empty()),
            host_country: event.place.country.and_then(|country| country.code.parse().ok()),
            participants: people.map(|count| count.value),
            participants_qualifier: people.map(|count| count.qualifier),
            speakers: speakers.filter(|speakers| *speakers > 0),
            countries: named,
            country_count: countries.map(|count| count.value),
            country_count_qualifier: countries.map(|count| count.qualifier),
            participating_country_count: participating.map(|count| count.value),
            participating_country_count_qualifier: participating.map(|count| count.qualifier),
            presentations: talks.map(Vec::len),
            url: address.of(&event.path()),
        }
    }
}
