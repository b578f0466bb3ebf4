//! What a record still lacks for each of the forms that it is given in.
use chrono::NaiveDate;
use domain::SeminarFormat;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{event::Event, iati};

/// Whether an event can be told in each format.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// By format.
    formats: ReadinessFormats,
}

/// The formats of an event.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadinessFormats {
    /// The calendar, after RFC 5545.
    ics: FormatReadiness,
    /// The data that search engines read, after schema.org.
    jsonld: FormatReadiness,
    /// The feed, after RFC 4287.
    atom: FormatReadiness,
    /// The activity below that of its project, after IATI 2.03.
    iati: IatiReadiness,
}

/// Whether an event can be told in one format.
#[derive(Serialize, ToSchema)]
pub(crate) struct FormatReadiness {
    /// Whether nothing that the format needs is missing.
    ready: bool,
    /// What is missing.
    missing: Vec<Gap>,
}

/// Whether something can be told after IATI, and what would not be told of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct IatiReadiness {
    /// Whether nothing that the standard needs is missing.
    ready: bool,
    /// What is missing.
    missing: Vec<Gap>,
    /// What is known of dates, places, parties, money, results and attendance and is left out all the
    /// same, since the standard has no place for it as it is known, and each language of a text that it
    /// has no code for; of a project also what its seminars and study visits lack that are left out of
    /// it. It stops nothing.
    left_out: Vec<Gap>,
}

/// A fact that a format needs and the record does not tell, or that it tells and the format cannot.
#[derive(Serialize, ToSchema)]
pub(crate) struct Gap {
    /// Where in the record it belongs or stands, as a JSON pointer.
    #[schema(example = "/venue")]
    pub(crate) pointer: String,
    /// The rule that asks for it, or has no place for it.
    #[schema(example = "google-event-location")]
    pub(crate) rule: &'static str,
    /// What the rule asks for.
    #[schema(example = "Search engines show an event only with a place that has an address.")]
    pub(crate) detail: String,
}

impl Gap {
    pub(crate) fn new(
        pointer: impl Into<String>,
        rule: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { pointer: pointer.into(), rule, detail: detail.into() }
    }

    /// The gap of a record, where it is told together with others.
    pub(crate) fn of(self, collection: &str, id: Uuid) -> Self {
        Self { pointer: format!("/{collection}/{id}{}", self.pointer), ..self }
    }
}

impl FormatReadiness {
    /// Of a format that lacks those.
    pub(crate) fn of(missing: Vec<Gap>) -> Self {
        Self { ready: missing.is_empty(), missing }
    }
}

impl IatiReadiness {
    /// Of what lacks those and tells nothing of the others.
    pub(crate) fn of(missing: Vec<Gap>, left_out: Vec<Gap>) -> Self {
        Self { ready: missing.is_empty(), missing, left_out }
    }
}

/// What an event lacks on that day.
pub(crate) fn of(event: &Event<'_>, today: NaiveDate) -> Readiness {
    let search = "Search engines show an event only when its first day is known to the day.";
    let search = no_day(event, "google-event-start-date", search);
    Readiness {
        formats: ReadinessFormats {
            ics: FormatReadiness::of(calendar(event)),
            jsonld: FormatReadiness::of(search.into_iter().chain(no_place(event)).collect()),
            // Every event has an id, a title and the time of its last change.
            atom: FormatReadiness::of(Vec::new()),
            iati: IatiReadiness::of(iati::of_event(event, today), iati::left_out_of_event(event)),
        },
    }
}

/// What an event lacks for a calendar.
pub(crate) fn calendar(event: &Event<'_>) -> Vec<Gap> {
    let detail = "A calendar holds an event only when its first day is known to the day.";
    no_day(event, "rfc5545-dtstart", detail).into_iter().collect()
}

fn no_day(event: &Event<'_>, rule: &'static str, detail: &'static str) -> Option<Gap> {
    event.first_day().is_none().then(|| Gap::new("/starts_on", rule, detail))
}

fn no_place(event: &Event<'_>) -> Option<Gap> {
    let rule = "google-event-location";
    if event.format == Some(SeminarFormat::Online) {
        let detail = "Search engines show no event that is online only.";
        return Some(Gap::new("/format", rule, detail));
    }
    let detail = "Search engines show an event only with a place that has an address.";
    (!event.place.has_address()).then(|| Gap::new("/venue", rule, detail))
}
