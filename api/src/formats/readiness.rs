//! What an event still lacks for each of the forms that it is given in.
use domain::SeminarFormat;
use serde::Serialize;
use utoipa::ToSchema;

use super::event::Event;

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
}

/// Whether an event can be told in one format.
#[derive(Serialize, ToSchema)]
pub(crate) struct FormatReadiness {
    /// Whether nothing that the format needs is missing.
    ready: bool,
    /// What is missing.
    missing: Vec<Gap>,
}

/// A fact that a format needs and the record does not tell.
#[derive(Serialize, ToSchema)]
pub(crate) struct Gap {
    /// Where in the record it belongs, as a JSON pointer.
    #[schema(example = "/venue")]
    pointer: &'static str,
    /// The rule that asks for it.
    #[schema(example = "google-event-location")]
    rule: &'static str,
    /// What the rule asks for.
    #[schema(example = "Search engines show an event only with a place that has an address.")]
    detail: &'static str,
}

/// What an event lacks.
pub(crate) fn of(event: &Event<'_>) -> Readiness {
    Readiness {
        formats: ReadinessFormats {
            ics: judged(vec![no_day(
                event,
                "rfc5545-dtstart",
                "A calendar holds an event only when its first day is known to the day.",
            )]),
            jsonld: judged(vec![
                no_day(
                    event,
                    "google-event-start-date",
                    "Search engines show an event only when its first day is known to the day.",
                ),
                no_place(event),
            ]),
            // Every event has an id, a title and the time of its last change.
            atom: judged(Vec::new()),
        },
    }
}

fn judged(gaps: Vec<Option<Gap>>) -> FormatReadiness {
    let missing: Vec<_> = gaps.into_iter().flatten().collect();
    FormatReadiness { ready: missing.is_empty(), missing }
}

fn no_day(event: &Event<'_>, rule: &'static str, detail: &'static str) -> Option<Gap> {
    event.first_day().is_none().then_some(Gap { pointer: "/starts_on", rule, detail })
}

fn no_place(event: &Event<'_>) -> Option<Gap> {
    let rule = "google-event-location";
    if event.format == Some(SeminarFormat::Online) {
        let detail = "Search engines show no event that is online only.";
        return Some(Gap { pointer: "/format", rule, detail });
    }
    let detail = "Search engines show an event only with a place that has an address.";
    (!event.place.has_address()).then_some(Gap { pointer: "/venue", rule, detail })
}
