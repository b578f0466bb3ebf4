//! Events in the words of schema.org, as search engines read them.
use domain::{
    EventStatus, OrganiserRole, Presentation, Record, SeminarFormat, Speaker, VisitStop, day_of,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    PublicAddress,
    event::{Event, Place, day, said},
    related::Related,
};

pub(crate) const MEDIA_TYPE: &str = "application/ld+json";
/// What stands between the events of a graph.
pub(crate) const BETWEEN: &str = ",";
/// How a graph ends.
pub(crate) const END: &str = "]}";
const CONTEXT: &str = "https://schema.org";
/// Within how many others an organisation is told to be: there are no more in life.
const DEPTH: usize = 8;

/// One event.
pub(crate) fn one(event: &Event<'_>, related: &Related, address: &PublicAddress) -> Vec<u8> {
    let Value::Object(told) = Telling { related, address }.event(event) else { return Vec::new() };
    let mut document = Map::from_iter([("@context".to_owned(), json!(CONTEXT))]);
    document.extend(told);
    embeddable(&json!(document)).into_bytes()
}

/// How a graph of several events begins.
pub(crate) fn begin() -> String {
    format!("{{\"@context\":{},\"@graph\":[", json!(CONTEXT))
}

/// An event in a graph.
pub(crate) fn event(event: &Event<'_>, related: &Related, address: &PublicAddress) -> String {
    embeddable(&Telling { related, address }.event(event))
}

/// What can stand within a page as it is: nothing in it ends the element that it is in.
fn embeddable(document: &Value) -> String {
    document.to_string().replace('<', "\\u003c")
}

/// A node; what is null or empty in it is left out.
fn node(kind: &str, properties: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    let known = properties.into_iter().filter(|(_, value)| !empty(value));
    let known = known.map(|(name, value)| (name.to_owned(), value));
    Value::Object([("@type".to_owned(), json!(kind))].into_iter().chain(known).collect())
}

struct Telling<'a> {
    related: &'a Related,
    address: &'a PublicAddress,
}

impl Telling<'_> {
    fn event(&self, event: &Event<'_>) -> Value {
        let url = self.address.of(&event.path());
        let [start, end] = self.related.hours(event).map(|hour| hour.map(|hour| hour.to_rfc3339()));
        let location = location(&event.place);
        let with = |wanted: &[OrganiserRole]| -> Vec<Value> {
            event.held_by(wanted).filter_map(|id| self.organisation(id)).collect()
        };
        let talks = self.related.presentations.get(&event.id).into_iter().flatten();
        let talks = talks.map(|talk| self.talk(talk, event, &location));
        let stops = event.stops.iter().filter_map(|stop| self.stop(stop, event));
        let parts: Vec<_> = talks.chain(stops).collect();
        let series = event.series.and_then(|id| Some((id, self.related.series.get(&id)?)));
        let funders = self.related.funders(event).iter();
        let funders: Vec<_> = funders.filter_map(|id| self.organisation(*id)).collect();
        let about = self.related.topics(event).map(|(code, name)| {
            node("DefinedTerm", [("termCode", json!(code)), ("name", json!(said(name)))])
        });
        node(
            "EducationEvent",
            [
                ("@id", json!(url)),
                ("identifier", json!(format!("urn:uuid:{}", event.id))),
                ("url", json!(url)),
                ("name", json!(event.title)),
                ("description", json!(event.summary.as_ref().or(event.theme.as_ref()))),
                ("teaches", json!(event.theme)),
                ("startDate", start.map_or_else(|| json!(event.first_day()), Value::from)),
                ("endDate", end.map_or_else(|| json!(event.last_day()), Value::from)),
                ("previousStartDate", json!(event.previous_start.and_then(day))),
                ("eventStatus", status(event.status)),
                ("eventAttendanceMode", json!(event.format.map(mode))),
                ("location", location.clone()),
                ("inLanguage", json!(event.languages)),
                ("maximumAttendeeCapacity", json!(event.capacity)),
                ("image", json!(event.image)),
                (
                    "offers",
                    json!(event.registration.map(|url| node("Offer", [("url", json!(url))]))),
                ),
                ("organizer", json!(with(&[OrganiserRole::Organiser, OrganiserRole::CoOrganiser]))),
                ("sponsor", json!(with(&[OrganiserRole::Sponsor]))),
                ("contributor", json!(with(&[OrganiserRole::Host, OrganiserRole::Partner]))),
                ("funder", json!(funders)),
                ("about", json!(about.collect::<Vec<_>>())),
                (
                    "superEvent",
                    json!(series.map(|(id, series)| node(
                        "EventSeries",
                        [
                            ("@id", json!(self.address.of(&format!("/v1/seminar-series/{id}")))),
                            ("name", json!(said(&series.name))),
                            ("description", json!(series.theme.as_ref().map(said))),
                        ]
                    ))),
                ),
                ("subEvent", json!(parts)),
            ],
        )
    }

    /// A presentation, as a part of its event.
    fn talk(&self, talk: &Record<Presentation>, event: &Event<'_>, location: &Value) -> Value {
        let it = &talk.body;
        let session = it.session_id.as_ref().and_then(|id| self.related.sessions.get(&id.id()));
        let performers: Vec<_> =
            it.speakers.iter().filter_map(|speaker| self.speaker(speaker)).collect();
        let date = session
            .and_then(|session| day_of(event.starts_on, event.ends_on, session.day.number()));
        let url = self.address.of(&format!("/v1/presentations/{}", talk.id));
        node(
            "EducationEvent",
            [
                ("@id", json!(url)),
                ("identifier", json!(format!("urn:uuid:{}", talk.id))),
                ("url", json!(url)),
                ("name", json!(it.title.as_ref().map(said))),
                ("description", json!(it.r#abstract.as_ref().map(said))),
                ("startDate", json!(date)),
                ("eventStatus", status(event.status)),
                ("eventAttendanceMode", json!(event.format.map(mode))),
                ("location", location.clone()),
                ("inLanguage", json!(it.language)),
                ("performer", json!(performers)),
            ],
        )
    }

    fn speaker(&self, speaker: &Speaker) -> Option<Value> {
        let person = self.related.people.get(&speaker.person_id.id())?;
        let affiliation = speaker.organisation_id.as_ref();
        let affiliation = affiliation.and_then(|organisation| self.organisation(organisation.id()));
        let orcid = person.orcid.as_ref();
        Some(node(
            "Person",
            [
                ("@id", json!(self.address.of(&format!("/v1/people/{}", speaker.person_id.id())))),
                ("name", json!(person.name)),
                ("alternateName", json!(person.native_name)),
                ("honorificPrefix", json!(speaker.honorific)),
                ("jobTitle", json!(speaker.position.as_ref().map(said))),
                ("affiliation", json!(affiliation)),
                ("sameAs", json!(orcid.map(|id| format!("https://orcid.org/{}", id.as_str())))),
            ],
        ))
    }

    fn organisation(&self, id: Uuid) -> Option<Value> {
        self.part(id, DEPTH)
    }

    /// An organisation within others, so many at most.
    fn part(&self, id: Uuid, depth: usize) -> Option<Value> {
        let organisation = self.related.organisations.get(&id)?;
        let parent = organisation.parent_id.as_ref();
        let parent = parent.filter(|_| depth > 0).and_then(|one| self.part(one.id(), depth - 1));
        let country = organisation.country.as_ref();
        let address = country.map(|code| node("PostalAddress", [("addressCountry", json!(code))]));
        Some(node(
            "Organization",
            [
                ("@id", json!(self.address.of(&format!("/v1/organisations/{id}")))),
                ("name", json!(said(&organisation.name))),
                ("alternateName", json!(organisation.acronym)),
                ("url", json!(organisation.website)),
                ("address", json!(address)),
                ("parentOrganization", json!(parent)),
            ],
        ))
    }

    /// An organisation that is visited, as a part of the visit.
    fn stop(&self, stop: &VisitStop, event: &Event<'_>) -> Option<Value> {
        let organisation = self.related.organisations.get(&stop.organisation_id.id())?;
        // Where an organisation has its seat does not tell where it was visited.
        let name = said(&organisation.name);
        let subject = stop.subject.as_ref().map(said);
        Some(node(
            "EducationEvent",
            [
                ("name", json!(subject.as_ref().unwrap_or(&name))),
                ("startDate", json!(stop.on.as_ref().and_then(day))),
                ("eventStatus", status(event.status)),
                ("location", node("Place", [("name", json!(name))])),
            ],
        ))
    }
}

fn location(place: &Place) -> Value {
    let address = place.has_address().then(|| {
        node(
            "PostalAddress",
            [
                ("streetAddress", json!(place.street)),
                ("addressLocality", json!(place.city)),
                ("addressCountry", json!(place.country.map(|country| &country.code))),
            ],
        )
    });
    let position = place.position.map(|(north, east)| {
        node("GeoCoordinates", [("latitude", json!(north)), ("longitude", json!(east))])
    });
    let here = address.is_some() || position.is_some() || place.name.is_some();
    let here = here.then(|| {
        let name = place.name.clone().or_else(|| place.city.clone());
        let name = name.or_else(|| place.country.map(|country| said(&country.names)));
        node(
            "Place",
            [("name", json!(name)), ("address", json!(address)), ("geo", json!(position))],
        )
    });
    let online = place.online.as_ref().map(|url| node("VirtualLocation", [("url", json!(url))]));
    let mut all: Vec<_> = here.into_iter().chain(online).collect();
    match all.len() {
        1 => all.remove(0),
        _ => json!(all),
    }
}

/// What took place or is planned is, to schema.org, just scheduled.
fn status(status: EventStatus) -> Value {
    let word = match status {
        EventStatus::Planned | EventStatus::Confirmed | EventStatus::Held => "EventScheduled",
        EventStatus::Postponed => "EventPostponed",
        EventStatus::Rescheduled => "EventRescheduled",
        EventStatus::Cancelled => "EventCancelled",
    };
    json!(format!("{CONTEXT}/{word}"))
}

fn mode(format: SeminarFormat) -> String {
    let word = match format {
        SeminarFormat::Onsite => "OfflineEventAttendanceMode",
        SeminarFormat::Online => "OnlineEventAttendanceMode",
        SeminarFormat::Hybrid => "MixedEventAttendanceMode",
    };
    format!("{CONTEXT}/{word}")
}
