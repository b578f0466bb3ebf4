//! Events as a calendar, after RFC 5545 and RFC 7986.
//!
//! A calendar says nothing of the moment at which it was asked for, so the same records give the
//! same bytes. An event of which the first day is not known has no place in it; one that had a day is
//! told to be off on that day.
use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::{EventStatus, in_words};
use persistence::Gone;
use uuid::Uuid;

use super::{
    event::{Event, said},
    related::Related,
};

pub(crate) const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";
/// How a calendar ends.
pub(crate) const END: &str = "END:VCALENDAR\r\n";
/// How many bytes a line has at most, without its end.
const WIDTH: usize = 75;

/// How a calendar of that name begins.
pub(crate) fn begin(name: &str) -> String {
    let mut lines = Lines(String::new());
    lines.raw("BEGIN", "VCALENDAR");
    lines.raw("VERSION", "2.0");
    lines.raw("PRODID", "-//Capacity Hub//Events//EN");
    lines.raw("CALSCALE", "GREGORIAN");
    lines.raw("METHOD", "PUBLISH");
    lines.text("NAME", name);
    lines.text("X-WR-CALNAME", name);
    lines.raw("REFRESH-INTERVAL;VALUE=DURATION", "PT1H");
    lines.0
}

/// An event in a calendar; nothing where it has no place in one.
pub(crate) fn event(
    event: &Event<'_>,
    related: &Related,
    address: &super::PublicAddress,
) -> String {
    let mut lines = Lines(String::new());
    lines.event(event, related, address);
    lines.0
}

/// What was in a calendar and is not public any more; nothing where it had no day, since then it was in
/// none. Nothing is told but that day and what the feed of changes tells.
pub(crate) fn gone(gone: &Gone, address: &super::PublicAddress) -> String {
    let mut lines = Lines(String::new());
    if let Some(day) = gone.day {
        lines.begin(gone.id, gone.revision, gone.at, address);
        lines.off(day, &said(&in_words("withdrawn")));
        lines.raw("END", "VEVENT");
    }
    lines.0
}

struct Lines(String);

impl Lines {
    /// What an event begins with, as of its last change.
    fn begin(
        &mut self,
        id: Uuid,
        revision: i64,
        changed: DateTime<Utc>,
        address: &super::PublicAddress,
    ) {
        let changed = changed.format("%Y%m%dT%H%M%SZ").to_string();
        self.raw("BEGIN", "VEVENT");
        self.text("UID", &format!("{id}@{}", address.host));
        self.raw("DTSTAMP", &changed);
        self.raw("LAST-MODIFIED", &changed);
        self.raw("SEQUENCE", &revision.to_string());
    }

    /// That nothing of that name is on that day any more.
    fn off(&mut self, day: NaiveDate, name: &str) {
        self.raw("DTSTART;VALUE=DATE", &day.format("%Y%m%d").to_string());
        self.raw("TRANSP", "TRANSPARENT");
        self.raw("STATUS", status(EventStatus::Cancelled));
        self.text("SUMMARY", name);
    }

    fn event(&mut self, event: &Event<'_>, related: &Related, address: &super::PublicAddress) {
        let Some(first) = event.first_day() else {
            // Who keeps it on a day is told that it is not on that day.
            if let Some(day) = related.last_day(event) {
                self.begin(event.id, event.revision, event.updated_at, address);
                self.off(day, &event.title);
                self.raw("URL", &address.of(&event.path()));
                self.raw("END", "VEVENT");
            }
            return;
        };
        self.begin(event.id, event.revision, event.updated_at, address);
        self.raw("DTSTART;VALUE=DATE", &first.format("%Y%m%d").to_string());
        // The end is the day after the last.
        if let Some(end) = event.last_day().and_then(|last| last.checked_add_days(Days::new(1))) {
            self.raw("DTEND;VALUE=DATE", &end.format("%Y%m%d").to_string());
        }
        self.raw("TRANSP", "TRANSPARENT");
        self.raw("STATUS", status(event.status));
        self.text("SUMMARY", &event.title);
        // A calendar takes an event without an end to be over on its first day.
        let when = event.when().filter(|_| event.last_day().is_none() && event.ends_on.is_some());
        let about = when.iter().chain(&event.theme).chain(&event.summary);
        let about: Vec<_> = about.map(String::as_str).collect();
        if !about.is_empty() {
            self.text("DESCRIPTION", &about.join("\n\n"));
        }
        let place = &event.place;
        let country = place.country.map(|country| said(&country.names));
        let place_lines: Vec<_> = [&place.name, &place.street, &place.city, &country]
            .into_iter()
            .filter_map(|part| part.as_deref())
            .collect();
        if !place_lines.is_empty() {
            self.text("LOCATION", &place_lines.join(", "));
        }
        if let Some((north, east)) = place.position {
            self.raw("GEO", &format!("{north};{east}"));
        }
        if let Some(online) = &place.online {
            self.raw("CONFERENCE;VALUE=URI", online);
        }
        self.raw("URL", &address.of(&event.path()));
        let topics: Vec<_> = related.topics(event).map(|(_, name)| escaped(&said(name))).collect();
        if !topics.is_empty() {
            self.raw("CATEGORIES", &topics.join(","));
        }
        self.raw("END", "VEVENT");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.raw(name, &escaped(text));
    }

    /// A line, folded where it is too long, never within a character.
    fn raw(&mut self, name: &str, value: &str) {
        let mut room = WIDTH;
        for letter in name.chars().chain([':']).chain(value.chars()) {
            if letter.len_utf8() > room {
                self.0.push_str("\r\n ");
                room = WIDTH - 1;
            }
            room -= letter.len_utf8();
            self.0.push(letter);
        }
        self.0.push_str("\r\n");
    }
}

fn status(status: EventStatus) -> &'static str {
    match status {
        EventStatus::Planned | EventStatus::Postponed => "TENTATIVE",
        EventStatus::Confirmed | EventStatus::Held | EventStatus::Rescheduled => "CONFIRMED",
        EventStatus::Cancelled => "CANCELLED",
    }
}

fn escaped(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    escaped.replace('\n', "\\n")
}
