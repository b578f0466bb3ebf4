use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    Citation, Count, CountryCode, Key, LanguageTag, OneOf, OrganisationRef, PartialDate,
    ProjectRef, Resource, SeminarSeriesRef, Slug, SoughtLanguage, Text, TimeZone, TopicCode, Url,
    count::counts_each_once, in_order, value::words,
};

/// A seminar, workshop, webinar, conference or launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "ends_after_it_starts", skip_on_field_errors = false))]
pub struct Seminar {
    /// Its name in addresses, unique among the seminars.
    pub slug: Slug,
    /// The project that holds it.
    pub project_id: ProjectRef,
    /// The series that it belongs to.
    pub series_id: Option<SeminarSeriesRef>,
    /// Its number in the series, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    pub ordinal: Option<i64>,
    /// What sort of event it is.
    pub kind: SeminarKind,
    /// Its own title; null when it is not known, the label is there all the same.
    pub title: Option<Text>,
    /// What it is about.
    pub theme: Option<Text>,
    /// What happened there.
    pub summary: Option<Text>,
    /// Whether people meet in one place.
    pub format: Option<SeminarFormat>,
    /// The first day.
    pub starts_on: Option<PartialDate>,
    /// The last day.
    pub ends_on: Option<PartialDate>,
    /// The time zone of its times.
    pub time_zone: Option<TimeZone>,
    /// Where it takes place.
    pub venue: Option<Venue>,
    /// Whether it takes place.
    pub status: EventStatus,
    /// The first day that was announced before.
    pub previous_start: Option<PartialDate>,
    /// The languages spoken.
    #[serde(default)]
    #[schema(value_type = HashSet<LanguageTag>)]
    pub languages: Vec<LanguageTag>,
    /// How many people there is room for.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub capacity: Option<i64>,
    /// Where to register.
    pub registration_url: Option<Url>,
    /// A picture of it.
    pub image_url: Option<Url>,
    /// Who holds it.
    #[serde(default)]
    #[schema(value_type = HashSet<SeminarOrganiser>)]
    pub organisers: Vec<SeminarOrganiser>,
    /// Which countries are named as having a part in it.
    #[serde(default)]
    #[schema(value_type = HashSet<SeminarCountry>)]
    pub countries: Vec<SeminarCountry>,
    /// How many came, as it was published; one number of each thing that was counted.
    #[serde(default)]
    #[validate(custom(function = "counts_each_once"))]
    pub attendance: Vec<Count>,
    /// What it is about, by topic.
    #[serde(default)]
    #[schema(value_type = HashSet<TopicCode>)]
    pub topics: Vec<TopicCode>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// What sort of event it is.
    pub enum SeminarKind {
        /// A seminar.
        Seminar,
        /// A workshop.
        Workshop,
        /// A webinar.
        Webinar,
        /// A conference.
        Conference,
        /// The launch of a project.
        Launch,
    }
}

words! {
    /// Whether people meet in one place.
    pub enum SeminarFormat {
        /// In one place.
        Onsite,
        /// Online only.
        Online,
        /// Both.
        Hybrid,
    }
}

words! {
    /// Whether something takes place.
    pub enum EventStatus {
        /// Intended; the days may change.
        Planned,
        /// Will take place.
        Confirmed,
        /// Took place.
        Held,
        /// Put off, without new days.
        Postponed,
        /// Put off to new days.
        Rescheduled,
        /// Will not take place.
        Cancelled,
    }
}

/// Where a seminar takes place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Venue {
    /// The name of the place.
    pub name: Option<Text>,
    /// The street address.
    pub address: Option<Text>,
    /// The city.
    pub city: Option<Text>,
    /// The country.
    pub country: Option<CountryCode>,
    /// Degrees north.
    #[schema(minimum = -90, maximum = 90)]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180)]
    pub longitude: Option<f64>,
    /// Where to join online.
    pub online_url: Option<Url>,
}

/// An organisation that holds a seminar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeminarOrganiser {
    /// Which organisation.
    pub organisation_id: OrganisationRef,
    /// As what.
    pub role: OrganiserRole,
}

words! {
    /// The part that an organisation has in holding something.
    pub enum OrganiserRole {
        /// Organises it.
        Organiser,
        /// Organises it with others.
        CoOrganiser,
        /// Gives the place.
        Host,
        /// Pays for it.
        Sponsor,
        /// Works with it.
        Partner,
    }
}

/// A country that has a part in a seminar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeminarCountry {
    /// Which country.
    pub country: CountryCode,
    /// As what.
    pub role: EventCountryRole,
}

words! {
    /// The part that a country has in an event.
    pub enum EventCountryRole {
        /// Its civil servants take part.
        Participating,
        /// Its experts share experience.
        Expert,
        /// It attends.
        Attending,
    }
}

/// Narrows a list of seminars.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SeminarFilter {
    /// Of one of these projects, by id or slug.
    pub project: OneOf<Key>,
    /// Of one of these series, by id or slug.
    pub series: OneOf<Key>,
    /// Of one of these kinds.
    pub kind: OneOf<SeminarKind>,
    /// Whose status is one of these.
    pub status: OneOf<EventStatus>,
    /// Held in one of these ways.
    pub format: OneOf<SeminarFormat>,
    /// In which one of these countries has a part.
    pub country: OneOf<CountryCode>,
    /// In one of these languages.
    pub language: OneOf<SoughtLanguage>,
    /// Held by one of these organisations, by id or slug.
    pub organiser: OneOf<Key>,
    /// In which one of these organisations has a part, as organiser or by a speaker, by id or slug.
    pub organisation: OneOf<Key>,
    /// At which one of these people spoke, by id or slug.
    pub speaker: OneOf<Key>,
    /// About one of these topics.
    pub topic: OneOf<TopicCode>,
    /// That begin on this day or later; a date known to the month counts by its first day.
    #[serde(deserialize_with = "crate::parameter::day")]
    pub starts_on_gte: Option<NaiveDate>,
    /// That begin before this day.
    #[serde(deserialize_with = "crate::parameter::day")]
    pub starts_on_lt: Option<NaiveDate>,
    /// Whether their last day is today or later, by UTC: the last that `ends_on` may mean or, where
    /// that or its year is not known, that `starts_on` may mean. Where neither is known, no.
    #[serde(deserialize_with = "crate::parameter::if_given")]
    pub upcoming: Option<bool>,
    /// Whether their last day is over, by UTC: the same day as for `upcoming`. Where it is not known,
    /// no.
    #[serde(deserialize_with = "crate::parameter::if_given")]
    pub past: Option<bool>,
}

/// Orders a list of seminars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeminarSort {
    /// By the first day.
    #[default]
    StartsOn,
    /// By title.
    Title,
    /// By the number in the series.
    Ordinal,
}

impl Resource for Seminar {
    const NAME: &'static str = "seminar";
    const COLLECTION: &'static str = "seminars";
    type Filter = SeminarFilter;
    type SortKey = SeminarSort;
    type Derived = SeminarDerived;

    fn slug(&self) -> Option<&str> {
        Some(self.slug.as_str())
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

/// What follows for a seminar from other records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeminarDerived {
    /// What to call it when its title is not known: made from kind, ordinal and series.
    pub label: Text,
}

impl Default for SeminarDerived {
    fn default() -> Self {
        Self { label: Text::of([("en".to_owned(), "Seminar".to_owned())]) }
    }
}

fn ends_after_it_starts(it: &Seminar) -> Result<(), ValidationError> {
    in_order(it.starts_on.as_ref(), it.ends_on.as_ref(), "/ends_on")
}
