//! A list, a record and a programme, by as few statements as give them. Bodies are kept as JSON, so
//! they go out as the text that they are, and only a programme reads what is in them.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::LazyLock,
};

use actix_web::{
    HttpResponse,
    error::{ErrorInternalServerError, ErrorNotFound},
    web::{Data, Path},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Days, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row, postgres::PgRow};
use uuid::Uuid;

type Answer = Result<HttpResponse, actix_web::Error>;
type Failure = Box<dyn std::error::Error>;

const PAGE: usize = 20;

/// What the cursor of a list without parameters begins with.
static PRINT: LazyLock<String> =
    LazyLock::new(|| URL_SAFE_NO_PAD.encode(&Sha256::digest(r#"["/v1/seminars",null,[]]"#)[..9]));

pub async fn list(pool: Data<PgPool>) -> Answer {
    let rows = sqlx::query(include_str!("../sql/list.sql")).fetch_all(&**pool).await;
    let rows = rows.map_err(ErrorInternalServerError)?;
    json(page(&rows))
}

pub async fn read(pool: Data<PgPool>, slug: Path<String>) -> Answer {
    let row = sqlx::query(include_str!("../sql/read.sql")).bind(&*slug).fetch_optional(&**pool);
    let row = row.await.map_err(ErrorInternalServerError)?;
    let row = row.ok_or_else(|| ErrorNotFound("no such seminar"))?;
    let mut text = String::with_capacity(8 * 1024);
    json(record(&mut text, &row).map(|()| text))
}

fn json(written: Result<String, Failure>) -> Answer {
    let text = written.map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}

fn page(rows: &[PgRow]) -> Result<String, Failure> {
    let mut text = String::with_capacity(64 * 1024);
    text.push_str(r#"{"items":["#);
    let shown = &rows[..rows.len().min(PAGE)];
    for (at, row) in shown.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        record(&mut text, row)?;
    }
    text.push_str(r#"],"next_cursor":"#);
    match shown.last().filter(|_| rows.len() > PAGE) {
        None => text.push_str("null"),
        Some(last) => {
            let (day, id): (NaiveDate, Uuid) = (last.try_get("starts_on")?, last.try_get("id")?);
            let place = format!(r#"["{}",["{day}","{id}"]]"#, *PRINT);
            text.push('"');
            URL_SAFE_NO_PAD.encode_string(place, &mut text);
            text.push('"');
        }
    }
    text.push_str(r#","included":null,"facets":null}"#);
    Ok(text)
}

fn record(text: &mut String, row: &PgRow) -> Result<(), Failure> {
    use std::fmt::Write;
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let body: &str = row.try_get(5)?;
    write!(
        text,
        r#"{{"id":"{}","revision":{},"state":"published","created_at":"{}","updated_at":"{}","published_at":"#,
        row.try_get::<Uuid, _>(0)?,
        row.try_get::<i64, _>(1)?,
        time(row.try_get(2)?),
        time(row.try_get(3)?),
    )?;
    match row.try_get::<Option<DateTime<Utc>>, _>(4)? {
        None => text.push_str("null"),
        Some(at) => write!(text, r#""{}""#, time(at))?,
    }
    text.push(',');
    text.push_str(&body[1..body.len() - 1]);
    text.push_str(r#","label":"#);
    let label = label(row.try_get(7)?, row.try_get(8)?, row.try_get(9)?)?;
    text.push_str(&serde_json::to_string(&label)?);
    text.push('}');
    Ok(())
}

/// What a seminar is called after its kind, its number and its series.
fn label(
    kind: &str,
    ordinal: i64,
    series: Option<&str>,
) -> Result<BTreeMap<String, String>, Failure> {
    // What has no number is kept as the last of all.
    let number = if ordinal == i64::MAX { String::new() } else { format!(" {ordinal}") };
    let kind = |language: &str| match (language, kind) {
        ("ru", "workshop") => "Практикум",
        ("ru", "webinar") => "Вебинар",
        ("ru", "conference") => "Конференция",
        ("ru", "launch") => "Открытие",
        ("ru", _) => "Семинар",
        (_, "workshop") => "Workshop",
        (_, "webinar") => "Webinar",
        (_, "conference") => "Conference",
        (_, "launch") => "Launch",
        _ => "Seminar",
    };
    let Some(series) = series else {
        let label = |language: &str| (language.to_owned(), format!("{}{number}", kind(language)));
        return Ok(["en", "ru"].map(label).into());
    };
    let names: BTreeMap<String, String> = serde_json::from_str(series)?;
    let label = |(language, name): (String, String)| {
        let label = format!("{}{number}: {name}", kind(&language));
        (language, label)
    };
    Ok(names.into_iter().map(label).collect())
}

/// JSON as it was kept, or null.
type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
struct Citation {
    document_id: Uuid,
}

#[derive(Deserialize)]
struct SeminarBody<'a> {
    #[serde(borrow)]
    slug: Raw<'a>,
    title: Raw<'a>,
    theme: Raw<'a>,
    summary: Raw<'a>,
    project_id: Uuid,
    series_id: Option<Uuid>,
    ordinal: Option<i64>,
    kind: Raw<'a>,
    status: Raw<'a>,
    format: Raw<'a>,
    starts_on: Option<&'a str>,
    ends_on: Raw<'a>,
    previous_start: Raw<'a>,
    time_zone: Raw<'a>,
    venue: Raw<'a>,
    languages: Raw<'a>,
    capacity: Option<i64>,
    registration_url: Raw<'a>,
    image_url: Raw<'a>,
    organisers: Vec<OrganiserBody<'a>>,
    countries: Vec<PartyBody<'a>>,
    attendance: Raw<'a>,
    topics: Raw<'a>,
    citations: Vec<Citation>,
}

#[derive(Deserialize)]
struct OrganiserBody<'a> {
    organisation_id: Uuid,
    #[serde(borrow)]
    role: Raw<'a>,
}

#[derive(Deserialize)]
struct PartyBody<'a> {
    country: &'a str,
    #[serde(borrow)]
    role: Raw<'a>,
}

#[derive(Deserialize)]
struct ProjectBody<'a> {
    #[serde(borrow)]
    slug: Raw<'a>,
    title: Raw<'a>,
}

#[derive(Deserialize)]
struct SeriesBody<'a> {
    #[serde(borrow)]
    slug: Raw<'a>,
    name: Raw<'a>,
}

#[derive(Deserialize)]
struct SessionBody<'a> {
    day: i64,
    order: i64,
    #[serde(borrow)]
    slug: Raw<'a>,
    kind: Raw<'a>,
    title: Raw<'a>,
    starts_at: Raw<'a>,
    ends_at: Raw<'a>,
    room: Raw<'a>,
    topics: Raw<'a>,
    citations: Vec<Citation>,
}

#[derive(Deserialize)]
struct PresentationBody<'a> {
    session_id: Option<Uuid>,
    #[serde(borrow)]
    slug: Raw<'a>,
    order: i64,
    title: Raw<'a>,
    r#abstract: Raw<'a>,
    language: Raw<'a>,
    speakers: Vec<SpeakerBody<'a>>,
    topics: Raw<'a>,
    initiative_ids: Vec<Uuid>,
    material_ids: Vec<Uuid>,
    recording_url: Raw<'a>,
    citations: Vec<Citation>,
}

#[derive(Deserialize)]
struct SpeakerBody<'a> {
    person_id: Uuid,
    organisation_id: Option<Uuid>,
    country: Option<&'a str>,
    #[serde(borrow)]
    honorific: Raw<'a>,
    role: Raw<'a>,
    position: Raw<'a>,
}

#[derive(Deserialize)]
struct StatementBody<'a> {
    presentation_id: Option<Uuid>,
    person_id: Uuid,
    #[serde(borrow)]
    slug: Raw<'a>,
    role: Raw<'a>,
    mode: Raw<'a>,
    text: Raw<'a>,
    topics: Raw<'a>,
    citations: Vec<Citation>,
}

#[derive(Deserialize)]
struct RecommendationBody<'a> {
    person_id: Option<Uuid>,
    organisation_id: Option<Uuid>,
    #[serde(borrow)]
    slug: Raw<'a>,
    text: Raw<'a>,
    addressed_to: Raw<'a>,
    status: Raw<'a>,
    citations: Vec<Citation>,
}

#[derive(Deserialize)]
struct PersonBody<'a> {
    #[serde(borrow)]
    name: Raw<'a>,
    native_name: Raw<'a>,
}

#[derive(Deserialize)]
struct OrganisationBody<'a> {
    #[serde(borrow)]
    name: Raw<'a>,
    acronym: Raw<'a>,
    website: Raw<'a>,
}

#[derive(Deserialize)]
struct InitiativeBody<'a> {
    #[serde(borrow)]
    name: Raw<'a>,
    kind: Raw<'a>,
}

#[derive(Deserialize)]
struct DocumentBody<'a> {
    #[serde(borrow)]
    title: Raw<'a>,
    kind: Raw<'a>,
    url: Raw<'a>,
    published_on: Raw<'a>,
}

#[derive(Serialize)]
struct Programme<'a> {
    seminar: Seminar<'a>,
    days: Vec<Day<'a>>,
    unscheduled: Vec<Presentation<'a>>,
    statements: Vec<Statement<'a>>,
    recommendations: Vec<Recommendation<'a>>,
    sources: Vec<Document<'a>>,
}

#[derive(Serialize)]
struct Seminar<'a> {
    id: Uuid,
    slug: Raw<'a>,
    title: Raw<'a>,
    label: BTreeMap<String, String>,
    theme: Raw<'a>,
    summary: Raw<'a>,
    project: Option<Project<'a>>,
    series: Option<Series<'a>>,
    ordinal: Option<i64>,
    kind: Raw<'a>,
    status: Raw<'a>,
    format: Raw<'a>,
    starts_on: Option<&'a str>,
    ends_on: Raw<'a>,
    previous_start: Raw<'a>,
    time_zone: Raw<'a>,
    venue: Raw<'a>,
    languages: Raw<'a>,
    capacity: Option<i64>,
    registration_url: Raw<'a>,
    image_url: Raw<'a>,
    organisers: Vec<Organiser<'a>>,
    countries: Vec<Party<'a>>,
    attendance: Raw<'a>,
    topics: Raw<'a>,
}

#[derive(Serialize)]
struct Project<'a> {
    id: Uuid,
    slug: Raw<'a>,
    title: Raw<'a>,
}

#[derive(Serialize)]
struct Series<'a> {
    id: Uuid,
    slug: Raw<'a>,
    name: Raw<'a>,
}

#[derive(Serialize)]
struct Organiser<'a> {
    organisation_id: Uuid,
    organisation: Option<Organisation<'a>>,
    role: Raw<'a>,
}

#[derive(Serialize)]
struct Party<'a> {
    country: Option<Country<'a>>,
    role: Raw<'a>,
}

#[derive(Serialize)]
struct Day<'a> {
    day: i64,
    date: Option<String>,
    sessions: Vec<Session<'a>>,
}

#[derive(Serialize)]
struct Session<'a> {
    id: Uuid,
    slug: Raw<'a>,
    order: i64,
    kind: Raw<'a>,
    title: Raw<'a>,
    starts_at: Raw<'a>,
    ends_at: Raw<'a>,
    room: Raw<'a>,
    topics: Raw<'a>,
    presentations: Vec<Presentation<'a>>,
}

#[derive(Serialize)]
struct Presentation<'a> {
    id: Uuid,
    slug: Raw<'a>,
    order: i64,
    title: Raw<'a>,
    r#abstract: Raw<'a>,
    language: Raw<'a>,
    speakers: Vec<Speaker<'a>>,
    topics: Raw<'a>,
    initiatives: Vec<Initiative<'a>>,
    materials: Vec<Document<'a>>,
    recording_url: Raw<'a>,
    statements: Vec<Statement<'a>>,
}

#[derive(Serialize)]
struct Speaker<'a> {
    person_id: Uuid,
    name: Raw<'a>,
    native_name: Raw<'a>,
    honorific: Raw<'a>,
    role: Raw<'a>,
    position: Raw<'a>,
    organisation: Option<Organisation<'a>>,
    country: Option<Country<'a>>,
}

#[derive(Serialize)]
struct Organisation<'a> {
    id: Uuid,
    name: Raw<'a>,
    acronym: Raw<'a>,
    website: Raw<'a>,
}

#[derive(Serialize)]
struct Country<'a> {
    code: &'a str,
    name: &'a RawValue,
}

#[derive(Serialize)]
struct Initiative<'a> {
    id: Uuid,
    name: Raw<'a>,
    kind: Raw<'a>,
}

#[derive(Serialize)]
struct Statement<'a> {
    id: Uuid,
    slug: Raw<'a>,
    person_id: Uuid,
    name: Raw<'a>,
    role: Raw<'a>,
    mode: Raw<'a>,
    text: Raw<'a>,
    topics: Raw<'a>,
}

#[derive(Serialize)]
struct Recommendation<'a> {
    id: Uuid,
    slug: Raw<'a>,
    person_id: Option<Uuid>,
    name: Raw<'a>,
    organisation: Option<Organisation<'a>>,
    text: Raw<'a>,
    addressed_to: Raw<'a>,
    status: Raw<'a>,
}

#[derive(Serialize)]
struct Document<'a> {
    id: Uuid,
    title: Raw<'a>,
    kind: Raw<'a>,
    url: Raw<'a>,
    published_on: Raw<'a>,
}

/// The names of countries, as they come with the service.
static COUNTRIES: LazyLock<HashMap<String, Box<RawValue>>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Kept {
        code: String,
        names: Box<RawValue>,
    }
    let all: Vec<Kept> =
        serde_json::from_str(include_str!("../../../domain/data/countries.json")).unwrap();
    all.into_iter().map(|country| (country.code, country.names)).collect()
});

pub async fn programme(pool: Data<PgPool>, slug: Path<String>) -> Answer {
    // The pool asks after a connection each time that it comes back, so both statements have one.
    let mut connection = pool.acquire().await.map_err(ErrorInternalServerError)?;
    let rows = sqlx::query(include_str!("../sql/programme.sql")).bind(&*slug);
    let rows = rows.fetch_all(&mut *connection).await.map_err(ErrorInternalServerError)?;
    if rows.is_empty() {
        return Err(ErrorNotFound("no such seminar"));
    }
    let parts = Parts::of(&rows).map_err(ErrorInternalServerError)?;
    let named = sqlx::query(include_str!("../sql/named.sql")).bind(parts.named());
    let named = named.fetch_all(&mut *connection).await.map_err(ErrorInternalServerError)?;
    drop(connection);
    json(parts.put_together(&named))
}

struct Parts<'a> {
    seminar: (Uuid, SeminarBody<'a>, BTreeMap<String, String>),
    sessions: Vec<(Uuid, SessionBody<'a>)>,
    presentations: Vec<(Uuid, PresentationBody<'a>)>,
    statements: Vec<(Uuid, StatementBody<'a>)>,
    recommendations: Vec<(Uuid, RecommendationBody<'a>)>,
    sources: BTreeSet<Uuid>,
}

impl<'a> Parts<'a> {
    fn of(rows: &'a [PgRow]) -> Result<Self, Failure> {
        let first = &rows[0];
        let body: SeminarBody = serde_json::from_str(first.try_get(3)?)?;
        let label = label(first.try_get(4)?, first.try_get(5)?, first.try_get(6)?)?;
        let mut sources = BTreeSet::new();
        let mut cited = |citations: &[Citation]| {
            sources.extend(citations.iter().map(|citation| citation.document_id));
        };
        cited(&body.citations);
        let seminar = (first.try_get(2)?, body, label);
        let (mut sessions, mut presentations) = (vec![], vec![]);
        let (mut statements, mut recommendations) = (vec![], vec![]);
        for row in &rows[1..] {
            let (part, id, body): (i32, Uuid, &str) =
                (row.try_get(0)?, row.try_get(2)?, row.try_get(3)?);
            match part {
                1 => {
                    let body: SessionBody = serde_json::from_str(body)?;
                    cited(&body.citations);
                    sessions.push((id, body));
                }
                2 => {
                    let body: PresentationBody = serde_json::from_str(body)?;
                    cited(&body.citations);
                    presentations.push((id, body));
                }
                3 => {
                    let body: StatementBody = serde_json::from_str(body)?;
                    cited(&body.citations);
                    statements.push((id, body));
                }
                _ => {
                    let body: RecommendationBody = serde_json::from_str(body)?;
                    cited(&body.citations);
                    recommendations.push((id, body));
                }
            }
        }
        Ok(Self { seminar, sessions, presentations, statements, recommendations, sources })
    }

    /// The records that the parts name.
    fn named(&self) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> = self.sources.iter().copied().collect();
        let (_, seminar, _) = &self.seminar;
        ids.extend(seminar.organisers.iter().map(|organiser| organiser.organisation_id));
        ids.extend(seminar.series_id);
        ids.push(seminar.project_id);
        for (_, body) in &self.presentations {
            ids.extend(body.speakers.iter().map(|speaker| speaker.person_id));
            ids.extend(body.speakers.iter().filter_map(|speaker| speaker.organisation_id));
            ids.extend(body.initiative_ids.iter().chain(&body.material_ids));
        }
        ids.extend(self.statements.iter().map(|(_, body)| body.person_id));
        for (_, body) in &self.recommendations {
            ids.extend(body.person_id);
            ids.extend(body.organisation_id);
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn put_together(self, named: &[PgRow]) -> Result<String, Failure> {
        let mut known: HashMap<Uuid, &str> = HashMap::with_capacity(named.len());
        for row in named {
            known.insert(row.try_get(0)?, row.try_get(1)?);
        }
        let known = Known(known);
        let mut said: HashMap<Option<Uuid>, Vec<Statement>> = HashMap::new();
        for (id, body) in self.statements {
            if let Some(person) = known.read::<PersonBody>(body.person_id)? {
                let StatementBody {
                    presentation_id,
                    person_id,
                    slug,
                    role,
                    mode,
                    text,
                    topics,
                    ..
                } = body;
                let name = person.name;
                let statement = Statement { id, slug, person_id, name, role, mode, text, topics };
                said.entry(presentation_id).or_default().push(statement);
            }
        }
        let mut talks: HashMap<Option<Uuid>, Vec<Presentation>> = HashMap::new();
        for (id, body) in self.presentations {
            let within = body.session_id;
            let statements = said.remove(&Some(id)).unwrap_or_default();
            talks.entry(within).or_default().push(known.presentation(id, body, statements)?);
        }
        let (id, body, label) = self.seminar;
        // What is known to the month or the year is no date.
        let first = body.starts_on.and_then(|day| day.parse::<NaiveDate>().ok());
        let mut days: BTreeMap<i64, Vec<Session>> = BTreeMap::new();
        for (id, body) in self.sessions {
            let presentations = talks.remove(&Some(id)).unwrap_or_default();
            let SessionBody {
                day, order, slug, kind, title, starts_at, ends_at, room, topics, ..
            } = body;
            let session = Session {
                id,
                slug,
                order,
                kind,
                title,
                starts_at,
                ends_at,
                room,
                topics,
                presentations,
            };
            days.entry(day).or_default().push(session);
        }
        let days = days.into_iter().map(|(day, sessions)| {
            let date = first.and_then(|first| first.checked_add_days(Days::new(day as u64 - 1)));
            Day { day, date: date.map(|date| date.to_string()), sessions }
        });
        let mut organisers = Vec::with_capacity(body.organisers.len());
        for OrganiserBody { organisation_id, role } in body.organisers {
            let organisation = known.organisation(Some(organisation_id))?;
            organisers.push(Organiser { organisation_id, organisation, role });
        }
        let series = match body.series_id {
            None => None,
            Some(id) => known.read(id)?.map(|SeriesBody { slug, name }| Series { id, slug, name }),
        };
        let project_id = body.project_id;
        let project = known.read(project_id)?;
        let project =
            project.map(|ProjectBody { slug, title }| Project { id: project_id, slug, title });
        let mut recommendations = Vec::with_capacity(self.recommendations.len());
        for (id, body) in self.recommendations {
            let person = match body.person_id {
                None => None,
                Some(id) => known.read::<PersonBody>(id)?,
            };
            recommendations.push(Recommendation {
                id,
                slug: body.slug,
                person_id: body.person_id,
                name: person.and_then(|person| person.name),
                organisation: known.organisation(body.organisation_id)?,
                text: body.text,
                addressed_to: body.addressed_to,
                status: body.status,
            });
        }
        let countries = body.countries.into_iter();
        let countries = countries
            .map(|PartyBody { country: code, role }| Party { country: country(code), role });
        let seminar = Seminar {
            id,
            slug: body.slug,
            title: body.title,
            label,
            theme: body.theme,
            summary: body.summary,
            project,
            series,
            ordinal: body.ordinal,
            kind: body.kind,
            status: body.status,
            format: body.format,
            starts_on: body.starts_on,
            ends_on: body.ends_on,
            previous_start: body.previous_start,
            time_zone: body.time_zone,
            venue: body.venue,
            languages: body.languages,
            capacity: body.capacity,
            registration_url: body.registration_url,
            image_url: body.image_url,
            organisers,
            countries: countries.collect(),
            attendance: body.attendance,
            topics: body.topics,
        };
        let programme = Programme {
            seminar,
            days: days.collect(),
            unscheduled: talks.remove(&None).unwrap_or_default(),
            statements: said.remove(&None).unwrap_or_default(),
            recommendations,
            sources: known.documents(self.sources)?,
        };
        Ok(serde_json::to_string(&programme)?)
    }
}

fn country<'a>(code: &str) -> Option<Country<'a>> {
    let (code, name) = COUNTRIES.get_key_value(code)?;
    Some(Country { code, name })
}

/// The bodies of what a programme names.
struct Known<'a>(HashMap<Uuid, &'a str>);

impl<'a> Known<'a> {
    fn read<T: Deserialize<'a>>(&self, id: Uuid) -> Result<Option<T>, Failure> {
        Ok(self.0.get(&id).map(|body| serde_json::from_str(body)).transpose()?)
    }

    fn documents(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<Document<'a>>, Failure> {
        let mut found = Vec::new();
        for id in ids {
            if let Some(DocumentBody { title, kind, url, published_on }) = self.read(id)? {
                found.push(Document { id, title, kind, url, published_on });
            }
        }
        Ok(found)
    }

    fn organisation(&self, id: Option<Uuid>) -> Result<Option<Organisation<'a>>, Failure> {
        let Some(id) = id else { return Ok(None) };
        let found = self.read(id)?.map(|OrganisationBody { name, acronym, website }| {
            Organisation { id, name, acronym, website }
        });
        Ok(found)
    }

    fn presentation(
        &self,
        id: Uuid,
        body: PresentationBody<'a>,
        statements: Vec<Statement<'a>>,
    ) -> Result<Presentation<'a>, Failure> {
        let mut speakers = Vec::with_capacity(body.speakers.len());
        for speaker in body.speakers {
            let Some(person) = self.read::<PersonBody>(speaker.person_id)? else { continue };
            let organisation = self.organisation(speaker.organisation_id)?;
            let country = speaker.country.and_then(country);
            speakers.push(Speaker {
                person_id: speaker.person_id,
                name: person.name,
                native_name: person.native_name,
                honorific: speaker.honorific,
                role: speaker.role,
                position: speaker.position,
                organisation,
                country,
            });
        }
        let mut initiatives = Vec::with_capacity(body.initiative_ids.len());
        for id in body.initiative_ids {
            if let Some(InitiativeBody { name, kind }) = self.read(id)? {
                initiatives.push(Initiative { id, name, kind });
            }
        }
        Ok(Presentation {
            id,
            slug: body.slug,
            order: body.order,
            title: body.title,
            r#abstract: body.r#abstract,
            language: body.language,
            speakers,
            topics: body.topics,
            initiatives,
            materials: self.documents(body.material_ids)?,
            recording_url: body.recording_url,
            statements,
        })
    }
}
