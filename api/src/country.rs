//! Countries: read only, from the lists that come with the program.
use actix_web::{HttpRequest, HttpResponse, web::Path};
use chrono::NaiveDate;
use domain::{
    Country, CountryFilter, Initiative, InitiativeFilter, OneOf, PartialDate, Presentation,
    PresentationFilter, Record, Seminar, SeminarFilter, StudyVisit, StudyVisitFilter, Text,
};
use persistence::{Basis, Error, Store, Stored, Wanted};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Problem, answer,
    crud::Listing,
    dashboard::newest,
    edge::vary,
    export::{Format, Shape, write_line},
    file::{Said, kept_as},
    formats::table::Table,
    query::{Languages, ListQuery},
    reader::{Anybody, Reader},
};

pub(crate) const COLLECTION: &str = "countries";
/// How many records of a kind a country brings.
const MOST: u64 = 20;

/// The countries that a filter leaves, by code.
fn fitting(filter: &CountryFilter) -> impl Iterator<Item = &'static Country> {
    let fits = |country: &&Country| {
        let code = filter.code.0.is_empty()
            || filter.code.0.iter().any(|code| code.as_str() == country.code);
        let region = filter.region.0.is_empty()
            || filter.region.0.iter().any(|name| Some(name.as_str()) == country.region.as_deref());
        code && region
    };
    Country::all().filter(fits)
}

/// The form of a file of countries by that name.
fn of_lines(format: Format) -> Option<Format> {
    Some(format).filter(|format| matches!(format, Format::Csv | Format::Ndjson))
}

/// All of them as a file, in the form that the address names.
pub(crate) async fn named(
    _: Anybody,
    request: HttpRequest,
    format: Path<String>,
) -> Result<HttpResponse, Problem> {
    let format = Format::named(&format).and_then(of_lines).ok_or_else(Problem::no_route)?;
    file(&request, format)
}

/// All of them as a file.
fn file(request: &HttpRequest, format: Format) -> Result<HttpResponse, Problem> {
    let mut query = ListQuery::of_export(request)?;
    query.refuse(&["sort"]);
    let shape = Shape::asked(&mut query, format, Table::of_schema::<Country>());
    let filter: CountryFilter = query.filter();
    query.judge()?;
    let (mut bytes, mut said) = (Vec::new(), Said::default());
    shape.begin(&mut bytes).map_err(Problem::unwritten)?;
    for country in fitting(&filter) {
        let found = write_line(&mut bytes, country, &shape).map_err(Problem::unwritten)?;
        said.also(found.as_deref());
    }
    let response = answer::public_bytes(format.content_type(), bytes, said.header());
    let name = format!("{COLLECTION}.{}", format.name());
    Ok(answer::made_from(Basis::nothing(), kept_as(response, &name)))
}

/// The list, in the form that is accepted.
pub(crate) async fn list(_: Anybody, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut answered = match Format::preferred(&request).and_then(of_lines) {
        Some(format) => file(&request, format)?,
        None => page(&request)?,
    };
    vary(answered.headers_mut(), "Accept");
    Ok(answered)
}

/// A page of the list, by code.
fn page(request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = ListQuery::of(request)?;
    query.refuse(&["sort", "include", "facets"]);
    let filter: CountryFilter = query.filter();
    query.judge()?;
    let asked = query;
    let after = asked.after(request.path())?;
    let after = after.as_ref().and_then(|place| place.first()?.as_str());
    let all: Vec<&Country> = fitting(&filter).collect();
    let begin = all.partition_point(|country| after.is_some_and(|last| *country.code <= *last));
    let rest = &all[begin..];
    let page = &rest[..rest.len().min(usize::try_from(asked.limit).unwrap_or(usize::MAX))];
    let last = page.last().filter(|_| page.len() < rest.len());
    let next = last.map(|country| vec![json!(country.code)]);
    let (next_cursor, link) = asked.onward(request.path(), next);
    let total = asked.with_total.then_some(all.len() as u64);
    let listing = Listing { items: page, next_cursor, total, included: None, facets: None };
    let page = answer::public_page(&listing, &asked.languages, link);
    Ok(answer::made_from(Basis::nothing(), page))
}

/// A country, and what it took part in.
#[derive(Serialize, ToSchema)]
#[schema(as = CountryRecord)]
pub(crate) struct CountryRecord<'a> {
    #[serde(flatten)]
    country: &'a Country,
    /// What it took part in, as far as the registry knows.
    participation: Participation,
}

/// What a country took part in.
#[derive(Serialize, ToSchema)]
struct Participation {
    /// The seminars in which it has a part.
    seminars: PartIn,
    /// The study visits that it hosted or took part in.
    study_visits: PartIn,
    /// The presentations by speakers from it.
    presentations: PartIn,
    /// The initiatives of it that are recorded.
    initiatives: PartIn,
}

/// Records that a country has a part in.
#[derive(Serialize, ToSchema)]
struct PartIn {
    /// How many there are.
    #[schema(minimum = 0, example = 1)]
    total: u64,
    /// Twenty of them at most: of events the latest, which begin last, and of the others the first of their
    /// list.
    latest: Vec<Brief>,
    /// The address of the list of all of them.
    #[schema(example = "/v1/seminars?country=KZ")]
    all: String,
}

/// A record, in short.
#[derive(Serialize, ToSchema)]
struct Brief {
    /// The id of the record.
    id: Uuid,
    /// Its name in addresses, if it has one.
    slug: Option<String>,
    /// What it is called, if that is known.
    label: Option<Text>,
    /// Its first day, if that is known.
    starts_on: Option<PartialDate>,
}

/// Read a country
///
/// The country of that code, with what it took part in.
#[utoipa::path(get, path = "/v1/countries/{code}", tag = "countries", operation_id = "readCountry",
    responses((status = 200, description = "The country.", body = CountryRecord)))]
pub(crate) async fn read(
    request: HttpRequest,
    store: Reader,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let languages = Languages::of(&request)?;
    let country = Country::find(&code).ok_or_else(|| Problem::no_record(COLLECTION))?;
    let mut basis = Basis::nothing();
    let participation = participation(&store, country, &mut basis).await;
    let participation = participation.map_err(Problem::of(COLLECTION))?;
    let told = answer::public(&CountryRecord { country, participation }, &languages);
    Ok(answer::made_from(basis, told))
}

/// What a country took part in; adds to the basis what that is made from.
async fn participation(
    store: &Store,
    country: &Country,
    basis: &mut Basis,
) -> Result<Participation, Error> {
    let code = &country.code;
    let one = || OneOf(code.parse().into_iter().collect());
    let seminars =
        |starts_on_lt| SeminarFilter { country: one(), starts_on_lt, ..Default::default() };
    let visits =
        |starts_on_lt| StudyVisitFilter { country: one(), starts_on_lt, ..Default::default() };
    let presentations = PresentationFilter { country: one(), ..Default::default() };
    let initiatives = InitiativeFilter { country: one(), ..Default::default() };
    Ok(Participation {
        seminars: events::<Seminar>(store, code, basis, seminars, |record| {
            let label = record.body.title.clone().unwrap_or_else(|| record.derived.label.clone());
            (Some(label), record.body.starts_on.clone())
        })
        .await?,
        study_visits: events::<StudyVisit>(store, code, basis, visits, |record| {
            (Some(record.body.label()), record.body.starts_on.clone())
        })
        .await?,
        presentations: others::<Presentation>(store, code, basis, presentations, |record| {
            (record.body.title.clone(), None)
        })
        .await?,
        initiatives: others::<Initiative>(store, code, basis, initiatives, |record| {
            (Some(record.body.name.clone()), None)
        })
        .await?,
    })
}

/// Events in which it has a part; it is said which of them begin before that day.
async fn events<R: Stored>(
    store: &Store,
    code: &str,
    basis: &mut Basis,
    filter: impl Fn(Option<NaiveDate>) -> R::Filter,
    told: impl Fn(&Record<R>) -> (Option<Text>, Option<PartialDate>),
) -> Result<PartIn, Error> {
    let wanted = |before| {
        let sort = vec![(R::SortKey::default(), true)];
        Wanted { sort, ..Wanted::<R>::all(filter(before)) }
    };
    let total = total(store, basis, wanted(None)).await?;
    let first = async |wanted| Ok(store.list::<R>(&wanted).await?.items);
    let latest = newest(first, wanted, MOST).await?;
    Ok(PartIn::of(code, total, &latest, told))
}

/// Records of another kind in which it has a part.
async fn others<R: Stored>(
    store: &Store,
    code: &str,
    basis: &mut Basis,
    filter: R::Filter,
    told: impl Fn(&Record<R>) -> (Option<Text>, Option<PartialDate>),
) -> Result<PartIn, Error> {
    let wanted = Wanted::<R> { limit: MOST, with_total: true, ..Wanted::all(filter) };
    basis.also(wanted.basis(&[], true));
    let page = store.list::<R>(&wanted).await?;
    Ok(PartIn::of(code, page.total.unwrap_or_default(), &page.items, told))
}

/// How many records there are; adds to the basis what they are told from.
async fn total<R: Stored>(
    store: &Store,
    basis: &mut Basis,
    wanted: Wanted<R>,
) -> Result<u64, Error> {
    let wanted = Wanted { limit: 1, with_total: true, ..wanted };
    basis.also(wanted.basis(&[], true));
    Ok(store.list::<R>(&wanted).await?.total.unwrap_or_default())
}

impl PartIn {
    fn of<R: Stored>(
        code: &str,
        total: u64,
        latest: &[Record<R>],
        told: impl Fn(&Record<R>) -> (Option<Text>, Option<PartialDate>),
    ) -> Self {
        let brief = |record: &Record<R>| {
            let (label, starts_on) = told(record);
            let slug = record.body.slug().map(ToOwned::to_owned);
            Brief { id: record.id, slug, label, starts_on }
        };
        let all = format!("/v1/{}?country={code}", R::COLLECTION);
        Self { total, latest: latest.iter().map(brief).collect(), all }
    }
}
