//! The whole programme of a seminar, in one answer.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::{HttpRequest, HttpResponse, web::Path};
use chrono::{Days, NaiveDate};
use domain::{
    Count, Country, Day, Document, DocumentKind, EventStatus, Initiative, InitiativeKind, Line,
    LocalTime, OneOf, Organisation, PartialDate, Person, Presentation, PresentationFilter, Record,
    Resource, Seminar, SeminarFormat, SeminarKind, Session, SessionFilter, SessionKind, Slug,
    SpeakerRole, Statement, StatementFilter, StatementMode, Text, TimeZone, TopicCode, Url, Venue,
};
use persistence::{Error, Store, Stored, Wanted};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Problem, edge, query::Languages, reader::Reader};

/// More parts than any seminar has.
const ALL: u64 = 10_000;

/// A seminar with its days, sessions, presentations and speakers, and where all of it is from.
#[derive(Serialize, ToSchema)]
pub(crate) struct Programme {
    /// The seminar.
    seminar: ProgrammeSeminar,
    /// Its days, in order.
    days: Vec<ProgrammeDay>,
    /// The presentations of which the session is not known.
    unscheduled: Vec<ProgrammePresentation>,
    /// What was said there, apart from the presentations.
    statements: Vec<ProgrammeStatement>,
    /// The documents that the programme is taken from.
    sources: Vec<ProgrammeDocument>,
}

/// The seminar of a programme.
#[derive(Serialize, ToSchema)]
struct ProgrammeSeminar {
    /// The id of the seminar.
    id: Uuid,
    /// Its name in addresses.
    slug: Slug,
    /// Its own title, if that is known.
    title: Option<Text>,
    /// What to call it when its title is not known.
    label: Text,
    /// What it is about.
    theme: Option<Text>,
    /// What sort of event it is.
    kind: SeminarKind,
    /// Whether it takes place.
    status: EventStatus,
    /// Whether people meet in one place.
    format: Option<SeminarFormat>,
    /// The first day.
    starts_on: Option<PartialDate>,
    /// The last day.
    ends_on: Option<PartialDate>,
    /// The time zone of its times.
    time_zone: Option<TimeZone>,
    /// Where it takes place.
    venue: Option<Venue>,
    /// How many came, as it was published.
    attendance: Vec<Count>,
}

/// A day of a programme.
#[derive(Serialize, ToSchema)]
struct ProgrammeDay {
    /// Which day of the seminar, from 1.
    #[schema(minimum = 1, maximum = 366, example = 1)]
    day: i64,
    /// The date, if the first day of the seminar is known to the day.
    #[schema(example = "2021-11-04")]
    date: Option<NaiveDate>,
    /// What happens on it, in order.
    sessions: Vec<ProgrammeSession>,
}

/// A session of a programme.
#[derive(Serialize, ToSchema)]
struct ProgrammeSession {
    /// The id of the session.
    id: Uuid,
    /// What happens in it.
    kind: SessionKind,
    /// Its title.
    title: Option<Text>,
    /// When it begins.
    starts_at: Option<LocalTime>,
    /// When it ends.
    ends_at: Option<LocalTime>,
    /// Where it is held.
    room: Option<Text>,
    /// What it is about, by topic.
    topics: Vec<TopicCode>,
    /// Its presentations, in order.
    presentations: Vec<ProgrammePresentation>,
}

/// A presentation of a programme.
#[derive(Serialize, ToSchema)]
struct ProgrammePresentation {
    /// The id of the presentation.
    id: Uuid,
    /// Its name in addresses.
    slug: Option<Slug>,
    /// Its title.
    title: Option<Text>,
    /// What it says, in short.
    r#abstract: Option<Text>,
    /// Who gave it, as they were announced at the time.
    speakers: Vec<ProgrammeSpeaker>,
    /// What it is about, by topic.
    topics: Vec<TopicCode>,
    /// The strategies, programmes and policies that it shared.
    initiatives: Vec<ProgrammeInitiative>,
    /// Its slides and papers.
    materials: Vec<ProgrammeDocument>,
    /// Where to watch it.
    recording_url: Option<Url>,
    /// What was said in it.
    statements: Vec<ProgrammeStatement>,
}

/// Someone who spoke, as they were announced at the time.
#[derive(Serialize, ToSchema)]
struct ProgrammeSpeaker {
    /// The id of the person.
    person_id: Uuid,
    /// The name.
    name: Line,
    /// The name in the script of its own language.
    native_name: Option<Line>,
    /// The form of address.
    honorific: Option<Line>,
    /// As what they spoke.
    role: SpeakerRole,
    /// The post held.
    position: Option<Text>,
    /// The organisation they came from.
    organisation: Option<ProgrammeOrganisation>,
    /// The country they came from.
    country: Option<ProgrammeCountry>,
}

/// The organisation that a speaker came from.
#[derive(Serialize, ToSchema)]
struct ProgrammeOrganisation {
    /// The id of the organisation.
    id: Uuid,
    /// Its name.
    name: Text,
    /// Its acronym.
    acronym: Option<Line>,
    /// Where it is found.
    website: Option<Url>,
}

/// The country that a speaker came from.
#[derive(Serialize, ToSchema)]
struct ProgrammeCountry {
    /// Its ISO 3166-1 alpha-2 code.
    #[schema(example = "KR")]
    code: &'static str,
    /// Its name.
    name: &'static Text,
}

/// An initiative that a presentation shared.
#[derive(Serialize, ToSchema)]
struct ProgrammeInitiative {
    /// The id of the initiative.
    id: Uuid,
    /// Its name.
    name: Text,
    /// What it is.
    kind: InitiativeKind,
}

/// Something said at a seminar.
#[derive(Serialize, ToSchema)]
struct ProgrammeStatement {
    /// The id of the statement.
    id: Uuid,
    /// Who said it.
    person_id: Uuid,
    /// The name of who said it.
    name: Line,
    /// Whether these are the very words.
    mode: StatementMode,
    /// What was said.
    text: Text,
}

/// A document of a programme.
#[derive(Serialize, ToSchema)]
struct ProgrammeDocument {
    /// The id of the document.
    id: Uuid,
    /// Its title.
    title: Text,
    /// What it is.
    kind: DocumentKind,
    /// Where it is found.
    url: Option<Url>,
    /// When it was published.
    published_on: Option<PartialDate>,
}

/// Read the programme of a seminar
///
/// The days, sessions, presentations and speakers of a seminar, each with what they were at the
/// time, in one answer, with the documents that it is taken from.
#[utoipa::path(get, path = "/v1/seminars/{id}/programme", tag = "seminars",
    operation_id = "readSeminarProgramme",
    responses((status = 200, description = "The programme.", body = Programme)))]
pub(crate) async fn read(
    request: HttpRequest,
    store: Reader,
    key: Path<String>,
) -> Result<HttpResponse, Problem> {
    let languages = Languages::of(&request)?;
    let programme = of(&store, &key).await.map_err(Problem::of(Seminar::COLLECTION))?;
    Ok(edge::public(&programme, &languages))
}

async fn of(store: &Store, key: &str) -> Result<Programme, Error> {
    let seminar = store.find::<Seminar>(key).await?;
    let this = OneOf::key(seminar.id);
    let sessions =
        every::<Session>(store, SessionFilter { seminar: this.clone(), ..Default::default() });
    let sessions = sessions.await?;
    let presentations = PresentationFilter { seminar: this.clone(), ..Default::default() };
    let presentations = every::<Presentation>(store, presentations).await?;
    let statements = StatementFilter { seminar: this, ..Default::default() };
    let statements = every::<Statement>(store, statements).await?;

    let speakers = presentations.iter().flat_map(|one| &one.body.speakers);
    let people = speakers.clone().map(|one| one.person_id.id());
    let people = people.chain(statements.iter().map(|one| one.body.person_id.id()));
    let materials = presentations.iter().flat_map(|one| &one.body.material_ids);
    let initiatives = presentations.iter().flat_map(|one| &one.body.initiative_ids);
    let sources: BTreeSet<Uuid> = [seminar.body.citations()]
        .into_iter()
        .chain(sessions.iter().map(|one| one.body.citations()))
        .chain(presentations.iter().map(|one| one.body.citations()))
        .chain(statements.iter().map(|one| one.body.citations()))
        .flat_map(|citations| citations.iter().map(|one| one.document_id.id()))
        .collect();
    let organisations = speakers.filter_map(|one| one.organisation_id.as_ref());
    let named = organisations.map(domain::Ref::id).chain(initiatives.map(domain::Ref::id));
    let named = named.chain(materials.map(domain::Ref::id)).chain(sources.iter().copied());
    let bodies = store.bodies(people.chain(named)).await?;
    let known = Known {
        people: bodies.of()?,
        organisations: bodies.of()?,
        initiatives: bodies.of()?,
        documents: bodies.of()?,
    };
    Ok(put_together(seminar, sessions, presentations, statements, &sources, &known))
}

/// What a programme names.
struct Known {
    people: HashMap<Uuid, Person>,
    organisations: HashMap<Uuid, Organisation>,
    initiatives: HashMap<Uuid, Initiative>,
    documents: HashMap<Uuid, Document>,
}

async fn every<R: Stored>(store: &Store, filter: R::Filter) -> Result<Vec<Record<R>>, Error> {
    let wanted = Wanted { limit: ALL, parts: true, ..Wanted::all(filter) };
    Ok(store.list(&wanted).await?.items)
}

fn put_together(
    seminar: Record<Seminar>,
    sessions: Vec<Record<Session>>,
    presentations: Vec<Record<Presentation>>,
    statements: Vec<Record<Statement>>,
    sources: &BTreeSet<Uuid>,
    known: &Known,
) -> Programme {
    let mut said: HashMap<Option<Uuid>, Vec<ProgrammeStatement>> = HashMap::new();
    for one in statements {
        let within = one.body.presentation_id.as_ref().map(domain::Ref::id);
        said.entry(within).or_default().extend(known.statement(one));
    }
    let mut talks: HashMap<Option<Uuid>, Vec<ProgrammePresentation>> = HashMap::new();
    for one in presentations {
        let within = one.body.session_id.as_ref().map(domain::Ref::id);
        let statements = said.remove(&Some(one.id)).unwrap_or_default();
        talks.entry(within).or_default().push(known.presentation(one, statements));
    }
    let first = seminar.body.starts_on.as_ref();
    let first = first.filter(|date| date.first_day() == date.last_day());
    let first = first.and_then(PartialDate::first_day);
    let mut days: BTreeMap<i64, Vec<ProgrammeSession>> = BTreeMap::new();
    for one in sessions {
        let presentations = talks.remove(&Some(one.id)).unwrap_or_default();
        let Session { day, kind, title, starts_at, ends_at, room, topics, .. } = one.body;
        let id = one.id;
        let session =
            ProgrammeSession { id, kind, title, starts_at, ends_at, room, topics, presentations };
        days.entry(Day::number(day)).or_default().push(session);
    }
    let days = days.into_iter().map(|(day, sessions)| {
        let passed = u64::try_from(day - 1).ok();
        let date = first.zip(passed);
        let date = date.and_then(|(first, passed)| first.checked_add_days(Days::new(passed)));
        ProgrammeDay { day, date, sessions }
    });
    Programme {
        days: days.collect(),
        unscheduled: talks.remove(&None).unwrap_or_default(),
        statements: said.remove(&None).unwrap_or_default(),
        sources: sources.iter().filter_map(|id| known.document(*id)).collect(),
        seminar: described(seminar),
    }
}

fn described(record: Record<Seminar>) -> ProgrammeSeminar {
    let Seminar {
        slug,
        title,
        theme,
        kind,
        status,
        format,
        starts_on,
        ends_on,
        time_zone,
        venue,
        attendance,
        ..
    } = record.body;
    ProgrammeSeminar {
        id: record.id,
        slug,
        title,
        label: record.derived.label,
        theme,
        kind,
        status,
        format,
        starts_on,
        ends_on,
        time_zone,
        venue,
        attendance,
    }
}

impl Known {
    fn presentation(
        &self,
        record: Record<Presentation>,
        statements: Vec<ProgrammeStatement>,
    ) -> ProgrammePresentation {
        let body = record.body;
        let initiatives = body.initiative_ids.iter().filter_map(|id| self.initiative(id.id()));
        let materials = body.material_ids.iter().filter_map(|id| self.document(id.id()));
        ProgrammePresentation {
            id: record.id,
            initiatives: initiatives.collect(),
            materials: materials.collect(),
            speakers: body.speakers.into_iter().filter_map(|one| self.speaker(one)).collect(),
            slug: body.slug,
            title: body.title,
            r#abstract: body.r#abstract,
            topics: body.topics,
            recording_url: body.recording_url,
            statements,
        }
    }

    fn speaker(&self, speaker: domain::Speaker) -> Option<ProgrammeSpeaker> {
        let person = self.people.get(&speaker.person_id.id())?;
        let organisation = speaker.organisation_id.as_ref().and_then(|id| {
            let id = id.id();
            let organisation = self.organisations.get(&id)?;
            Some(ProgrammeOrganisation {
                id,
                name: organisation.name.clone(),
                acronym: organisation.acronym.clone(),
                website: organisation.website.clone(),
            })
        });
        let country = speaker.country.as_ref().and_then(|code| Country::find(code.as_str()));
        Some(ProgrammeSpeaker {
            person_id: speaker.person_id.id(),
            name: person.name.clone(),
            native_name: person.native_name.clone(),
            honorific: speaker.honorific,
            role: speaker.role,
            position: speaker.position,
            organisation,
            country: country
                .map(|country| ProgrammeCountry { code: &country.code, name: &country.names }),
        })
    }

    fn statement(&self, record: Record<Statement>) -> Option<ProgrammeStatement> {
        let person_id = record.body.person_id.id();
        let name = self.people.get(&person_id)?.name.clone();
        let Statement { mode, text, .. } = record.body;
        Some(ProgrammeStatement { id: record.id, person_id, name, mode, text })
    }

    fn initiative(&self, id: Uuid) -> Option<ProgrammeInitiative> {
        let initiative = self.initiatives.get(&id)?;
        let Initiative { name, kind, .. } = initiative.clone();
        Some(ProgrammeInitiative { id, name, kind })
    }

    fn document(&self, id: Uuid) -> Option<ProgrammeDocument> {
        let Document { title, kind, url, published_on, .. } = self.documents.get(&id)?.clone();
        Some(ProgrammeDocument { id, title, kind, url, published_on })
    }
}
