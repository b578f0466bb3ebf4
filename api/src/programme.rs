//! The whole programme of a seminar, in one answer.
//!
//! Each part is read out of what was written of a record, as far as the programme tells it, and then
//! gets what belongs to it.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::{HttpRequest, HttpResponse, web::Path};
use chrono::NaiveDate;
use domain::{
    Count, Country, Day, Document, DocumentKind, EventCountryRole, EventStatus, Initiative,
    InitiativeKind, LanguageTag, Line, LocalTime, Organisation, OrganiserRole, PartialDate, Person,
    Project, RecommendationStatus, Resource, Seminar, SeminarFormat, SeminarKind, SeminarSeries,
    SessionKind, Slug, SpeakerRole, StatementMode, Text, TimeZone, TopicCode, Url, Venue, day_of,
};
use persistence::{Basis, Body, Error, Parts};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Problem, answer, kept::Kept, query::Languages, reader::Reader};

/// A seminar with its days, sessions, presentations and speakers, and where all of it is from.
#[derive(Serialize, ToSchema)]
pub(crate) struct Programme<'a> {
    /// The seminar.
    seminar: ProgrammeSeminar<'a>,
    /// Its days, in order.
    days: Vec<ProgrammeDay<'a>>,
    /// The presentations of which the session is not known.
    unscheduled: Vec<ProgrammePresentation<'a>>,
    /// What was said there, apart from the presentations.
    statements: Vec<ProgrammeStatement<'a>>,
    /// What was recommended there.
    recommendations: Vec<ProgrammeRecommendation<'a>>,
    /// The documents that the programme is taken from.
    sources: Vec<ProgrammeDocument<'a>>,
}

/// The seminar of a programme.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeSeminar<'a> {
    /// The id of the seminar.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its name in addresses.
    #[serde(borrow)]
    #[schema(value_type = Slug)]
    slug: Kept<'a, Slug>,
    /// Its own title, if that is known.
    #[schema(value_type = Option<Text>)]
    title: Kept<'a, Option<Text>>,
    /// What to call it when its title is not known.
    #[serde(default)]
    #[schema(value_type = Text, required)]
    label: Kept<'a, Text>,
    /// What it is about.
    #[schema(value_type = Option<Text>)]
    theme: Kept<'a, Option<Text>>,
    /// What happened there.
    #[schema(value_type = Option<Text>)]
    summary: Kept<'a, Option<Text>>,
    /// The project that holds it; null where that is not public.
    #[serde(default)]
    project: Option<ProgrammeProject<'a>>,
    /// The series that it belongs to.
    #[serde(default)]
    series: Option<ProgrammeSeries<'a>>,
    /// Its number in the series, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    ordinal: Option<i64>,
    /// What sort of event it is.
    #[schema(value_type = SeminarKind)]
    kind: Kept<'a, SeminarKind>,
    /// Whether it takes place.
    #[schema(value_type = EventStatus)]
    status: Kept<'a, EventStatus>,
    /// Whether people meet in one place.
    #[schema(value_type = Option<SeminarFormat>)]
    format: Kept<'a, Option<SeminarFormat>>,
    /// The first day.
    starts_on: Option<PartialDate>,
    /// The last day.
    ends_on: Option<PartialDate>,
    /// The first day that was announced before.
    #[schema(value_type = Option<PartialDate>)]
    previous_start: Kept<'a, Option<PartialDate>>,
    /// The time zone of its times.
    #[schema(value_type = Option<TimeZone>)]
    time_zone: Kept<'a, Option<TimeZone>>,
    /// Where it takes place.
    #[schema(value_type = Option<Venue>)]
    venue: Kept<'a, Option<Venue>>,
    /// The languages spoken.
    #[schema(value_type = Vec<LanguageTag>)]
    languages: Kept<'a, Vec<LanguageTag>>,
    /// How many people there is room for.
    #[schema(minimum = 0, maximum = 1_000_000)]
    capacity: Option<i64>,
    /// Where to register.
    #[schema(value_type = Option<Url>)]
    registration_url: Kept<'a, Option<Url>>,
    /// A picture of it.
    #[schema(value_type = Option<Url>)]
    image_url: Kept<'a, Option<Url>>,
    /// Who holds it.
    organisers: Vec<ProgrammeOrganiser<'a>>,
    /// Which countries are named as having a part in it.
    countries: Vec<ProgrammeParty<'a>>,
    /// How many came, as it was published.
    #[schema(value_type = Vec<Count>)]
    attendance: Kept<'a, Vec<Count>>,
    /// What it is about, by topic.
    #[schema(value_type = Vec<TopicCode>)]
    topics: Kept<'a, Vec<TopicCode>>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    project_id: Uuid,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    series_id: Option<Uuid>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    citations: Vec<Cited>,
}

/// The project that holds a seminar.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeProject<'a> {
    /// The id of the project.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its name in addresses.
    #[serde(borrow)]
    #[schema(value_type = Slug)]
    slug: Kept<'a, Slug>,
    /// Its title.
    #[schema(value_type = Text)]
    title: Kept<'a, Text>,
}

/// The series that a seminar belongs to.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeSeries<'a> {
    /// The id of the series.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its name in addresses.
    #[serde(borrow)]
    #[schema(value_type = Slug)]
    slug: Kept<'a, Slug>,
    /// Its name.
    #[schema(value_type = Text)]
    name: Kept<'a, Text>,
}

/// Who holds a seminar.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeOrganiser<'a> {
    /// The id of the organisation.
    organisation_id: Uuid,
    /// The organisation.
    #[serde(borrow, default)]
    organisation: Option<ProgrammeOrganisation<'a>>,
    /// As what.
    #[schema(value_type = OrganiserRole)]
    role: Kept<'a, OrganiserRole>,
}

/// A country that has a part in a seminar.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeParty<'a> {
    /// Which country.
    #[serde(deserialize_with = "country")]
    country: Option<ProgrammeCountry>,
    /// As what.
    #[serde(borrow)]
    #[schema(value_type = EventCountryRole)]
    role: Kept<'a, EventCountryRole>,
}

/// A day of a programme.
#[derive(Serialize, ToSchema)]
struct ProgrammeDay<'a> {
    /// Which day of the seminar, from 1.
    #[schema(minimum = 1, maximum = 366, example = 1)]
    day: i64,
    /// The date, if the first day of the seminar is known to the day; null also where it would lie
    /// after its last day.
    #[schema(example = "2021-11-04")]
    date: Option<NaiveDate>,
    /// What happens on it, in order.
    sessions: Vec<ProgrammeSession<'a>>,
}

/// A session of a programme.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeSession<'a> {
    /// The id of the session.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its name in addresses, if it has one.
    #[serde(borrow)]
    #[schema(value_type = Option<Slug>)]
    slug: Kept<'a, Option<Slug>>,
    /// Its place within the day, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    order: i64,
    /// What happens in it.
    #[schema(value_type = SessionKind)]
    kind: Kept<'a, SessionKind>,
    /// Its title.
    #[schema(value_type = Option<Text>)]
    title: Kept<'a, Option<Text>>,
    /// When it begins.
    #[schema(value_type = Option<LocalTime>)]
    starts_at: Kept<'a, Option<LocalTime>>,
    /// When it ends.
    #[schema(value_type = Option<LocalTime>)]
    ends_at: Kept<'a, Option<LocalTime>>,
    /// Where it is held.
    #[schema(value_type = Option<Text>)]
    room: Kept<'a, Option<Text>>,
    /// What it is about, by topic.
    #[schema(value_type = Vec<TopicCode>)]
    topics: Kept<'a, Vec<TopicCode>>,
    /// Its presentations, in order.
    #[serde(default)]
    #[schema(required)]
    presentations: Vec<ProgrammePresentation<'a>>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    day: Day,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    citations: Vec<Cited>,
}

/// A presentation of a programme.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammePresentation<'a> {
    /// The id of the presentation.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its name in addresses.
    #[serde(borrow)]
    #[schema(value_type = Option<Slug>)]
    slug: Kept<'a, Option<Slug>>,
    /// Its place within the session, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    order: i64,
    /// Its title.
    #[schema(value_type = Option<Text>)]
    title: Kept<'a, Option<Text>>,
    /// What it says, in short.
    #[schema(value_type = Option<Text>)]
    r#abstract: Kept<'a, Option<Text>>,
    /// The language it was given in.
    #[schema(value_type = Option<LanguageTag>)]
    language: Kept<'a, Option<LanguageTag>>,
    /// Who gave it, as they were announced at the time.
    speakers: Vec<ProgrammeSpeaker<'a>>,
    /// What it is about, by topic.
    #[schema(value_type = Vec<TopicCode>)]
    topics: Kept<'a, Vec<TopicCode>>,
    /// The strategies, programmes and policies that it shared.
    #[serde(default)]
    #[schema(required)]
    initiatives: Vec<ProgrammeInitiative<'a>>,
    /// Its slides and papers.
    #[serde(default)]
    #[schema(required)]
    materials: Vec<ProgrammeDocument<'a>>,
    /// Where to watch it.
    #[schema(value_type = Option<Url>)]
    recording_url: Kept<'a, Option<Url>>,
    /// What was said in it.
    #[serde(default)]
    #[schema(required)]
    statements: Vec<ProgrammeStatement<'a>>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    session_id: Option<Uuid>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    initiative_ids: Vec<Uuid>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    material_ids: Vec<Uuid>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    citations: Vec<Cited>,
}

/// Someone who spoke, as they were announced at the time.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeSpeaker<'a> {
    /// The id of the person.
    person_id: Uuid,
    /// The name.
    #[serde(borrow, default)]
    #[schema(value_type = Line, required)]
    name: Kept<'a, Line>,
    /// The name in the script of its own language.
    #[serde(default)]
    #[schema(value_type = Option<Line>)]
    native_name: Kept<'a, Option<Line>>,
    /// The form of address.
    #[schema(value_type = Option<Line>)]
    honorific: Kept<'a, Option<Line>>,
    /// As what they spoke.
    #[schema(value_type = SpeakerRole)]
    role: Kept<'a, SpeakerRole>,
    /// The post held.
    #[schema(value_type = Option<Text>)]
    position: Kept<'a, Option<Text>>,
    /// The organisation they came from.
    #[serde(default)]
    organisation: Option<ProgrammeOrganisation<'a>>,
    /// The country they came from.
    #[serde(deserialize_with = "country")]
    country: Option<ProgrammeCountry>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    organisation_id: Option<Uuid>,
}

/// An organisation that a speaker came from, that holds a seminar, or that recommended something.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeOrganisation<'a> {
    /// The id of the organisation.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its name.
    #[serde(borrow)]
    #[schema(value_type = Text)]
    name: Kept<'a, Text>,
    /// Its acronym.
    #[schema(value_type = Option<Line>)]
    acronym: Kept<'a, Option<Line>>,
    /// Where it is found.
    #[schema(value_type = Option<Url>)]
    website: Kept<'a, Option<Url>>,
}

/// What a part is taken from.
#[derive(Deserialize)]
struct Cited {
    document_id: Uuid,
}

/// A country that a speaker came from, or that has a part in a seminar.
#[derive(Serialize, ToSchema)]
struct ProgrammeCountry {
    /// Its ISO 3166-1 alpha-2 code.
    #[schema(example = "KR")]
    code: &'static str,
    /// Its name.
    name: &'static Text,
}

/// An initiative that a presentation shared.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeInitiative<'a> {
    /// The id of the initiative.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its name.
    #[serde(borrow)]
    #[schema(value_type = Text)]
    name: Kept<'a, Text>,
    /// What it is.
    #[schema(value_type = InitiativeKind)]
    kind: Kept<'a, InitiativeKind>,
}

/// Something said at a seminar.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeStatement<'a> {
    /// The id of the statement.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its name in addresses, if it has one.
    #[serde(borrow)]
    #[schema(value_type = Option<Slug>)]
    slug: Kept<'a, Option<Slug>>,
    /// Who said it.
    person_id: Uuid,
    /// The name of who said it.
    #[serde(default)]
    #[schema(value_type = Line, required)]
    name: Kept<'a, Line>,
    /// As what it was said, where it was said outside of a presentation.
    #[schema(value_type = Option<SpeakerRole>)]
    role: Kept<'a, Option<SpeakerRole>>,
    /// Whether these are the very words.
    #[schema(value_type = StatementMode)]
    mode: Kept<'a, StatementMode>,
    /// What was said.
    #[schema(value_type = Text)]
    text: Kept<'a, Text>,
    /// What it is about, by topic.
    #[schema(value_type = Vec<TopicCode>)]
    topics: Kept<'a, Vec<TopicCode>>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    presentation_id: Option<Uuid>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    citations: Vec<Cited>,
}

/// Something that was recommended at a seminar.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeRecommendation<'a> {
    /// The id of the recommendation.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its name in addresses, if it has one.
    #[serde(borrow)]
    #[schema(value_type = Option<Slug>)]
    slug: Kept<'a, Option<Slug>>,
    /// Who gave it.
    person_id: Option<Uuid>,
    /// The name of who gave it.
    #[serde(default)]
    #[schema(value_type = Option<Line>, required)]
    name: Kept<'a, Option<Line>>,
    /// The organisation that gave it.
    #[serde(default)]
    organisation: Option<ProgrammeOrganisation<'a>>,
    /// What was recommended; null when it was given and its content is not reported.
    #[schema(value_type = Option<Text>)]
    text: Kept<'a, Option<Text>>,
    /// Whom it is for.
    #[schema(value_type = Option<Text>)]
    addressed_to: Kept<'a, Option<Text>>,
    /// What became of it.
    #[schema(value_type = RecommendationStatus)]
    status: Kept<'a, RecommendationStatus>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    organisation_id: Option<Uuid>,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    citations: Vec<Cited>,
}

/// A document of a programme.
#[derive(Deserialize, Serialize, ToSchema)]
struct ProgrammeDocument<'a> {
    /// The id of the document.
    #[serde(default)]
    #[schema(required)]
    id: Uuid,
    /// Its title.
    #[serde(borrow)]
    #[schema(value_type = Text)]
    title: Kept<'a, Text>,
    /// What it is.
    #[schema(value_type = DocumentKind)]
    kind: Kept<'a, DocumentKind>,
    /// Where it is found.
    #[schema(value_type = Option<Url>)]
    url: Kept<'a, Option<Url>>,
    /// When it was published.
    #[schema(value_type = Option<PartialDate>)]
    published_on: Kept<'a, Option<PartialDate>>,
}

/// Read the programme of a seminar
///
/// The days, sessions, presentations and speakers of a seminar, each with what they were at the
/// time, what was said and recommended, in one answer, with the documents that it is taken from.
#[utoipa::path(get, path = "/v1/seminars/{id}/programme", tag = "seminars",
    operation_id = "readSeminarProgramme",
    responses((status = 200, description = "The programme.", body = Programme)))]
pub(crate) async fn read(
    request: HttpRequest,
    store: Reader,
    key: Path<String>,
) -> Result<HttpResponse, Problem> {
    let languages = Languages::of(&request)?;
    let whole = async {
        let parts = store.parts(&key).await?;
        let read = Read::of(&parts)?;
        let mut bodies = store.bodies(read.named()).await?;
        let known = Known {
            projects: bodies.of::<Project>()?,
            series: bodies.of::<SeminarSeries>()?,
            people: bodies.of::<Person>()?,
            organisations: bodies.of::<Organisation>()?,
            initiatives: bodies.of::<Initiative>()?,
            documents: bodies.of::<Document>()?,
        };
        let basis = parts.basis().and(Basis::these(read.named()));
        Ok(answer::made_from(basis, answer::public(&read.put_together(&known)?, &languages)))
    };
    whole.await.map_err(Problem::of(Seminar::COLLECTION))
}

/// What is read of a seminar and its parts.
struct Read<'a> {
    seminar: ProgrammeSeminar<'a>,
    sessions: Vec<ProgrammeSession<'a>>,
    presentations: Vec<ProgrammePresentation<'a>>,
    statements: Vec<ProgrammeStatement<'a>>,
    recommendations: Vec<ProgrammeRecommendation<'a>>,
    sources: BTreeSet<Uuid>,
}

impl<'a> Read<'a> {
    fn of(parts: &'a Parts) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Derived<'a> {
            #[serde(borrow)]
            label: Kept<'a, Text>,
        }
        let mut sources = BTreeSet::new();
        let mut cite = |citations: &[Cited]| {
            sources.extend(citations.iter().map(|citation| citation.document_id));
        };
        let (id, body) = &parts.seminar;
        let label = parts.derived.read::<Derived>()?.label;
        let seminar = ProgrammeSeminar { id: *id, label, ..body.read()? };
        cite(&seminar.citations);
        let mut sessions = Vec::with_capacity(parts.sessions.len());
        for (id, body) in &parts.sessions {
            let session = ProgrammeSession { id: *id, ..body.read()? };
            cite(&session.citations);
            sessions.push(session);
        }
        let mut presentations = Vec::with_capacity(parts.presentations.len());
        for (id, body) in &parts.presentations {
            let presentation = ProgrammePresentation { id: *id, ..body.read()? };
            cite(&presentation.citations);
            presentations.push(presentation);
        }
        let mut statements = Vec::with_capacity(parts.statements.len());
        for (id, body) in &parts.statements {
            let statement = ProgrammeStatement { id: *id, ..body.read()? };
            cite(&statement.citations);
            statements.push(statement);
        }
        let mut recommendations = Vec::with_capacity(parts.recommendations.len());
        for (id, body) in &parts.recommendations {
            let recommendation = ProgrammeRecommendation { id: *id, ..body.read()? };
            cite(&recommendation.citations);
            recommendations.push(recommendation);
        }
        Ok(Self { seminar, sessions, presentations, statements, recommendations, sources })
    }

    /// The records that its parts name.
    fn named(&self) -> impl Iterator<Item = Uuid> {
        let speakers = self.presentations.iter().flat_map(|one| &one.speakers);
        let people = speakers.clone().map(|one| one.person_id);
        let people = people.chain(self.statements.iter().map(|one| one.person_id));
        let people = people.chain(self.recommendations.iter().filter_map(|one| one.person_id));
        let organisations = speakers.filter_map(|one| one.organisation_id);
        let organisers = self.seminar.organisers.iter().map(|one| one.organisation_id);
        let advisers = self.recommendations.iter().filter_map(|one| one.organisation_id);
        let organisations = organisations.chain(organisers).chain(advisers);
        let above = self.seminar.series_id.into_iter().chain([self.seminar.project_id]);
        let materials = self.presentations.iter().flat_map(|one| &one.material_ids).copied();
        let initiatives = self.presentations.iter().flat_map(|one| &one.initiative_ids).copied();
        let sources = self.sources.iter().copied();
        let named = people.chain(organisations).chain(above);
        named.chain(materials).chain(initiatives).chain(sources)
    }

    fn put_together(self, known: &'a Known) -> Result<Programme<'a>, Error> {
        let mut said: HashMap<Option<Uuid>, Vec<_>> = HashMap::new();
        for one in self.statements {
            let within = one.presentation_id;
            said.entry(within).or_default().extend(known.statement(one)?);
        }
        let mut talks: HashMap<Option<Uuid>, Vec<_>> = HashMap::new();
        for one in self.presentations {
            let statements = said.remove(&Some(one.id)).unwrap_or_default();
            let within = one.session_id;
            talks.entry(within).or_default().push(known.presentation(one, statements)?);
        }
        let (first, last) = (self.seminar.starts_on.as_ref(), self.seminar.ends_on.as_ref());
        let mut days: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        for one in self.sessions {
            let presentations = talks.remove(&Some(one.id)).unwrap_or_default();
            let day = Day::number(one.day);
            days.entry(day).or_default().push(ProgrammeSession { presentations, ..one });
        }
        let days = days.into_iter().map(|(day, sessions)| ProgrammeDay {
            day,
            date: day_of(first, last, day),
            sessions,
        });
        let days = days.collect();
        let recommendations = self.recommendations.into_iter();
        let recommendations = recommendations.map(|one| known.recommendation(one));
        Ok(Programme {
            recommendations: recommendations.collect::<Result<_, _>>()?,
            seminar: known.seminar(self.seminar)?,
            days,
            unscheduled: talks.remove(&None).unwrap_or_default(),
            statements: said.remove(&None).unwrap_or_default(),
            sources: known.documents(self.sources)?,
        })
    }
}

/// What a programme names.
struct Known {
    projects: HashMap<Uuid, Body>,
    series: HashMap<Uuid, Body>,
    people: HashMap<Uuid, Body>,
    organisations: HashMap<Uuid, Body>,
    initiatives: HashMap<Uuid, Body>,
    documents: HashMap<Uuid, Body>,
}

/// What is told of a person.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Kept<'a, Line>,
    native_name: Kept<'a, Option<Line>>,
}

impl Known {
    fn seminar<'a>(&'a self, one: ProgrammeSeminar<'a>) -> Result<ProgrammeSeminar<'a>, Error> {
        let series = one.series_id.and_then(|id| Some((id, self.series.get(&id)?)));
        let series = match series {
            None => None,
            Some((id, body)) => Some(ProgrammeSeries { id, ..body.read()? }),
        };
        let project = match self.projects.get(&one.project_id) {
            None => None,
            Some(body) => Some(ProgrammeProject { id: one.project_id, ..body.read()? }),
        };
        let mut organisers = Vec::with_capacity(one.organisers.len());
        for organiser in one.organisers {
            let organisation = self.organisation(Some(organiser.organisation_id))?;
            organisers.push(ProgrammeOrganiser { organisation, ..organiser });
        }
        Ok(ProgrammeSeminar { project, series, organisers, ..one })
    }

    fn organisation(&self, id: Option<Uuid>) -> Result<Option<ProgrammeOrganisation<'_>>, Error> {
        match id.and_then(|id| Some((id, self.organisations.get(&id)?))) {
            None => Ok(None),
            Some((id, body)) => Ok(Some(ProgrammeOrganisation { id, ..body.read()? })),
        }
    }

    fn presentation<'a>(
        &'a self,
        one: ProgrammePresentation<'a>,
        statements: Vec<ProgrammeStatement<'a>>,
    ) -> Result<ProgrammePresentation<'a>, Error> {
        let mut speakers = Vec::with_capacity(one.speakers.len());
        for speaker in one.speakers {
            speakers.extend(self.speaker(speaker)?);
        }
        let mut initiatives = Vec::with_capacity(one.initiative_ids.len());
        for id in &one.initiative_ids {
            if let Some(body) = self.initiatives.get(id) {
                initiatives.push(ProgrammeInitiative { id: *id, ..body.read()? });
            }
        }
        let materials = self.documents(one.material_ids.iter().copied())?;
        Ok(ProgrammePresentation { speakers, initiatives, materials, statements, ..one })
    }

    fn speaker<'a>(
        &'a self,
        one: ProgrammeSpeaker<'a>,
    ) -> Result<Option<ProgrammeSpeaker<'a>>, Error> {
        let Some(person) = self.people.get(&one.person_id) else { return Ok(None) };
        let Named { name, native_name } = person.read()?;
        let organisation = self.organisation(one.organisation_id)?;
        Ok(Some(ProgrammeSpeaker { name, native_name, organisation, ..one }))
    }

    fn statement<'a>(
        &'a self,
        one: ProgrammeStatement<'a>,
    ) -> Result<Option<ProgrammeStatement<'a>>, Error> {
        let Some(person) = self.people.get(&one.person_id) else { return Ok(None) };
        let Named { name, .. } = person.read()?;
        Ok(Some(ProgrammeStatement { name, ..one }))
    }

    fn recommendation<'a>(
        &'a self,
        one: ProgrammeRecommendation<'a>,
    ) -> Result<ProgrammeRecommendation<'a>, Error> {
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(borrow)]
            name: Kept<'a, Option<Line>>,
        }
        let name = match one.person_id.and_then(|id| self.people.get(&id)) {
            None => Kept::default(),
            Some(person) => person.read::<Named>()?.name,
        };
        let organisation = self.organisation(one.organisation_id)?;
        Ok(ProgrammeRecommendation { name, organisation, ..one })
    }

    fn documents(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<Vec<ProgrammeDocument<'_>>, Error> {
        let found = ids.into_iter().filter_map(|id| Some((id, self.documents.get(&id)?)));
        found.map(|(id, body)| Ok(ProgrammeDocument { id, ..body.read()? })).collect()
    }
}

/// The country of a code.
fn country<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ProgrammeCountry>, D::Error> {
    let code: Option<&str> = Deserialize::deserialize(from)?;
    let country = code.and_then(Country::find);
    Ok(country.map(|country| ProgrammeCountry { code: &country.code, name: &country.names }))
}
