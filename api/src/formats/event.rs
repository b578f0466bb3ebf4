//! What a seminar and a study visit have in common when they are told as events.
use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    Count, Country, CountryCode, EventStatus, LanguageTag, OrganiserRole, PartialDate, Record, Ref,
    Resource, Seminar, SeminarFormat, SeminarKind, SeminarOrganiser, StudyVisit, Text, TimeZone,
    TopicCode, Venue, VisitStop,
};
use persistence::Stored;
use serde_json::{Value, json};
use uuid::Uuid;

/// An event; what is not known of it is left out of every form.
pub(crate) struct Event<'a> {
    pub(crate) collection: &'static str,
    pub(crate) id: Uuid,
    pub(crate) revision: i64,
    pub(crate) published_at: Option<DateTime<Utc>>,
    pub(crate) updated_at: DateTime<Utc>,
    /// What it is called, in each of its languages, and in the one that the answer is written in.
    pub(crate) label: Cow<'a, Text>,
    pub(crate) title: String,
    /// What sort of seminar it is; a study visit is none.
    pub(crate) kind: Option<SeminarKind>,
    pub(crate) theme: Option<String>,
    pub(crate) summary: Option<String>,
    /// What it is about, in each of its languages.
    pub(crate) about: Option<&'a Text>,
    pub(crate) starts_on: Option<&'a PartialDate>,
    pub(crate) ends_on: Option<&'a PartialDate>,
    pub(crate) previous_start: Option<&'a PartialDate>,
    pub(crate) time_zone: Option<&'a TimeZone>,
    pub(crate) status: EventStatus,
    pub(crate) format: Option<SeminarFormat>,
    pub(crate) place: Place,
    /// The same in each of its languages; a study visit has none.
    pub(crate) venue: Option<&'a Venue>,
    pub(crate) languages: &'a [LanguageTag],
    pub(crate) capacity: Option<i64>,
    pub(crate) registration: Option<&'a str>,
    pub(crate) image: Option<&'a str>,
    pub(crate) organisers: &'a [SeminarOrganiser],
    pub(crate) stops: &'a [VisitStop],
    /// Those that are named as having a part in it.
    pub(crate) countries: Vec<&'a CountryCode>,
    pub(crate) attendance: &'a [Count],
    pub(crate) topics: &'a [TopicCode],
    pub(crate) series: Option<Uuid>,
    pub(crate) project: Uuid,
}

/// Where an event takes place, as far as that is known.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) name: Option<String>,
    pub(crate) street: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) country: Option<&'static Country>,
    pub(crate) position: Option<(f64, f64)>,
    pub(crate) online: Option<String>,
}

impl Place {
    /// Whether an address is known, if only of a city or a country.
    pub(crate) fn has_address(&self) -> bool {
        self.street.is_some() || self.city.is_some() || self.country.is_some()
    }
}

impl Event<'_> {
    /// The first day, if it is known to the day.
    pub(crate) fn first_day(&self) -> Option<NaiveDate> {
        self.starts_on.and_then(day)
    }

    /// The last day, if it is known to the day.
    pub(crate) fn last_day(&self) -> Option<NaiveDate> {
        self.ends_on.and_then(day)
    }

    /// When it is, as far as that is known, without a word of any language.
    pub(crate) fn when(&self) -> Option<String> {
        let mut dates: Vec<_> =
            self.starts_on.into_iter().chain(self.ends_on).map(PartialDate::as_str).collect();
        dates.dedup();
        // An end alone would be read as the beginning.
        self.starts_on.map(|_| dates.join(" – "))
    }

    /// The organisations that have one of those parts in holding it.
    pub(crate) fn held_by(&self, parts: &[OrganiserRole]) -> impl Iterator<Item = Uuid> {
        let those = self.organisers.iter().filter(|one| parts.contains(&one.role));
        those.map(|one| one.organisation_id.id())
    }

    /// The path of its record.
    pub(crate) fn path(&self) -> String {
        format!("/v1/{}/{}", self.collection, self.id)
    }
}

/// A date that is known to the day.
pub(crate) fn day(date: &PartialDate) -> Option<NaiveDate> {
    date.first_day().filter(|first| date.last_day() == Some(*first))
}

/// A text in the language that the answer is written in, or else in the best there is.
pub(crate) fn said(text: &Text) -> String {
    match only(text) {
        Some((_, said)) => legible(&said),
        None => legible(text.best()),
    }
}

/// The language in which a text is [`said`].
pub(crate) fn language(text: &Text) -> Option<String> {
    let only = only(text).map(|(language, _)| language);
    only.or_else(|| text.best_language().map(str::to_owned))
}

/// The one language that a text is told in, and the text.
fn only(text: &Text) -> Option<(String, String)> {
    let Value::Object(told) = json!(text) else { return None };
    let mut told = told.into_iter();
    let (language, said) = told.next().filter(|_| told.len() == 0)?;
    Some((language, said.as_str()?.to_owned()))
}

/// A text without the control characters that no format of events can carry.
pub(crate) fn legible(text: &str) -> String {
    let control = |letter: &char| {
        letter.is_control() && !['\n', '\t'].contains(letter)
            || ['\u{fffe}', '\u{ffff}'].contains(letter)
    };
    let plain = text.replace("\r\n", "\n").replace('\r', "\n");
    plain.chars().filter(|letter| !control(letter)).collect()
}

/// A resource whose records are events.
pub(crate) trait Eventful: Stored {
    /// The record as an event.
    fn event(record: &Record<Self>) -> Event<'_>;
}

impl Eventful for Seminar {
    fn event(record: &Record<Self>) -> Event<'_> {
        let it = &record.body;
        let label = it.title.as_ref().unwrap_or(&record.derived.label);
        let place = it.venue.as_ref().map_or_else(Place::default, |venue| Place {
            name: venue.name.as_ref().map(said),
            street: venue.address.as_ref().map(said),
            city: venue.city.as_ref().map(said),
            country: venue.country.as_ref().and_then(|code| Country::find(code.as_str())),
            position: venue.latitude.zip(venue.longitude),
            online: venue.online_url.as_ref().map(|url| url.as_str().to_owned()),
        });
        Event {
            collection: Self::COLLECTION,
            id: record.id,
            revision: record.revision,
            published_at: record.published_at,
            updated_at: record.updated_at,
            label: Cow::Borrowed(label),
            title: said(label),
            kind: Some(it.kind),
            theme: it.theme.as_ref().map(said),
            summary: it.summary.as_ref().map(said),
            about: it.summary.as_ref().or(it.theme.as_ref()),
            starts_on: it.starts_on.as_ref(),
            ends_on: it.ends_on.as_ref(),
            previous_start: it.previous_start.as_ref(),
            time_zone: it.time_zone.as_ref(),
            status: it.status,
            format: it.format,
            place,
            venue: it.venue.as_ref(),
            languages: &it.languages,
            capacity: it.capacity,
            registration: it.registration_url.as_ref().map(domain::Url::as_str),
            image: it.image_url.as_ref().map(domain::Url::as_str),
            organisers: &it.organisers,
            stops: &[],
            countries: it.countries.iter().map(|one| &one.country).collect(),
            attendance: &it.attendance,
            topics: &it.topics,
            series: it.series_id.as_ref().map(Ref::id),
            project: it.project_id.id(),
        }
    }
}

impl Eventful for StudyVisit {
    fn event(record: &Record<Self>) -> Event<'_> {
        let it = &record.body;
        let label = it.label();
        let country = Country::find(it.host_country.as_str());
        Event {
            collection: Self::COLLECTION,
            id: record.id,
            revision: record.revision,
            published_at: record.published_at,
            updated_at: record.updated_at,
            title: said(&label),
            label: Cow::Owned(label),
            kind: None,
            theme: None,
            summary: None,
            about: None,
            starts_on: it.starts_on.as_ref(),
            ends_on: it.ends_on.as_ref(),
            previous_start: None,
            time_zone: None,
            status: it.status,
            format: None,
            place: Place { country, ..Place::default() },
            venue: None,
            languages: &[],
            capacity: None,
            registration: None,
            image: None,
            organisers: &[],
            stops: &it.stops,
            countries: it.countries.iter().map(|one| &one.country).collect(),
            attendance: &it.attendance,
            topics: &it.topics,
            series: None,
            project: it.project_id.id(),
        }
    }
}
