//! The figures of a project's page, in one answer.
use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    Count, Definition, Dimension, FigureNature, IndicatorMeasure, Initiative, InitiativeFigure,
    Key, Measure, Money, OneOf, PartialDate, Project, Qualifier, Record, RegistryMetric, Resource,
    ResultKind, Seminar, SeminarFilter, StudyVisit, StudyVisitFilter, Subject, Text,
    protection::Told,
};
use persistence::{Basis, Error, Moment, Question, Stored, Value as Wish, Wanted};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Problem,
    file::{Asked, Said},
    query::Languages,
    reached::{self, Measured, number},
    reader::Reader,
    routes::Routes,
    statistics::{MAKERS, Statistics, smallest_count},
};

pub(crate) mod sheet;

/// Of how many seminars and study visits each, the newest, it is told how many came.
const NEWEST: u64 = 50;
/// The last day that a date can mean.
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2999, 12, 31).unwrap();
/// How many figures of initiatives are told at most.
const MOST_INITIATIVES: u64 = 100;

/// The figures of a project's page.
#[derive(Serialize, ToSchema)]
pub(crate) struct Dashboard {
    /// The project.
    project: DashboardProject,
    /// When the newest change was made that the figures contain: they are the same since.
    #[schema(example = "2026-11-25T09:00:00Z")]
    computed_at: Option<DateTime<Utc>>,
    /// How much there is of what.
    figures: Vec<DashboardFigure>,
    /// How many came, as it was published and as it is counted from participant records, of the fifty
    /// newest seminars and study visits each, those last of which no date is known. The two are never
    /// mixed.
    attendance: Vec<AttendanceTold>,
    /// Money by flow, year and currency, as the statistics of finance have it.
    #[schema(value_type = Vec<Object>)]
    money: Value,
    /// What the project is to bring about, and how far it has come.
    results: Vec<ResultTold>,
    /// Figures that were told of initiatives at its seminars, of a hundred initiatives at most. They
    /// are no money of the project.
    initiative_figures: Vec<InitiativeTold>,
}

/// A project, as its page names it.
#[derive(Serialize, ToSchema)]
pub(crate) struct DashboardProject {
    /// The id of the project.
    id: Uuid,
    /// Its name in addresses.
    #[schema(example = "governance-innovation-and-digitalisation")]
    slug: String,
    /// Its title.
    title: Text,
}

/// A figure of a project.
#[derive(Serialize, ToSchema)]
pub(crate) struct DashboardFigure {
    /// What it is a figure of: seminars, study_visits, presentations, speakers, organisations,
    /// countries or participants.
    #[schema(example = "seminars")]
    name: &'static str,
    /// The number; null where it is withheld, or where no participants are recorded or no countries
    /// named.
    #[schema(minimum = 0)]
    value: Option<u64>,
    /// How the number is to be understood.
    qualifier: Option<Qualifier>,
    /// What one of it is.
    unit: Text,
    /// What it counts, in words.
    definition: Text,
    /// Where the figure can be taken from by itself, and split; of countries, those of seminars, as
    /// study visits have a table of their own.
    #[schema(example = "/v1/statistics/seminars?project=governance-innovation-and-digitalisation")]
    url: String,
}

/// How many came to a seminar or a study visit.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttendanceTold {
    /// The collection that it is in: seminars or study-visits.
    #[schema(example = "seminars")]
    collection: &'static str,
    /// Its id.
    id: Uuid,
    /// Its name in addresses.
    #[schema(example = "first-seminar-2021")]
    slug: String,
    /// What to call it.
    label: Text,
    /// When it begins, or began.
    starts_on: Option<PartialDate>,
    /// How many came, as it was published.
    published: Vec<Count>,
    /// How many participant records there are; null where there are none, or too few to be told.
    #[schema(minimum = 0)]
    counted: Option<u64>,
    /// How that number is to be understood.
    counted_qualifier: Option<Qualifier>,
}

/// A result, with what it is measured by.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResultTold {
    /// The id of the result.
    id: Uuid,
    /// At which level.
    kind: ResultKind,
    /// What comes about.
    title: Text,
    /// More about it.
    description: Option<Text>,
    /// For whom.
    target_group: Option<Text>,
    /// How far training is judged: 1 reaction, 2 learning, 3 behaviour, 4 results.
    #[schema(minimum = 1, maximum = 4)]
    kirkpatrick_level: Option<i64>,
    /// What it is measured by.
    indicators: Vec<IndicatorTold>,
}

/// An indicator, with its periods.
#[derive(Serialize, ToSchema)]
pub(crate) struct IndicatorTold {
    /// The id of the indicator.
    id: Uuid,
    /// What is measured.
    title: Text,
    /// In what.
    measure: IndicatorMeasure,
    /// Whether more is better.
    ascending: bool,
    /// In which year the baseline was taken.
    #[schema(example = 2021)]
    baseline_year: Option<i64>,
    /// What it was before.
    #[schema(example = "0")]
    baseline: Option<String>,
    /// How to read the baseline; of what is measured in words, what it was.
    baseline_comment: Option<Text>,
    /// The metric of the registry that actual values are counted by; null where they were typed.
    computed_from: Option<RegistryMetric>,
    /// What was aimed at and reached.
    periods: Vec<PeriodTold>,
}

/// A period of an indicator.
#[derive(Serialize, ToSchema)]
pub(crate) struct PeriodTold {
    /// The first day.
    from: NaiveDate,
    /// The last day.
    to: NaiveDate,
    /// What was aimed at.
    #[schema(example = "10")]
    target: Option<String>,
    /// What was reached: typed, or counted by the registry. Null where it is not known or withheld, and
    /// of what is counted until the period begins.
    #[schema(example = "4")]
    actual: Option<String>,
    /// How the actual value is to be understood.
    actual_qualifier: Option<Qualifier>,
    /// How to read the actual value; of what is measured in words, what was reached.
    comment: Option<Text>,
    /// The way from the baseline to the target that was gone, in per cent; null where one of the
    /// three is not known.
    #[schema(example = 40)]
    progress: Option<f64>,
}

/// A figure that was told of an initiative.
#[derive(Serialize, ToSchema)]
pub(crate) struct InitiativeTold {
    /// The id of the initiative.
    id: Uuid,
    /// Its name.
    initiative: Text,
    /// What the figure measures.
    label: Text,
    /// The amount of money.
    amount: Option<Money>,
    /// The value, if it is no money.
    #[schema(example = "12")]
    value: Option<String>,
    /// The unit of the value.
    #[schema(example = "services")]
    unit: Option<String>,
    /// How the number is to be understood.
    qualifier: Qualifier,
    /// What kind of figure it is.
    nature: FigureNature,
    /// When it was so.
    as_of: Option<PartialDate>,
}

/// The results of a project.
#[derive(Serialize, ToSchema)]
pub(crate) struct Framework {
    /// The results, with what they are measured by.
    results: Vec<ResultTold>,
}

pub(crate) fn routes(routes: &mut Routes) {
    routes.at("/v1/projects/{id}/dashboard", |at| at.get(dashboard));
    routes.at("/v1/projects/{id}/results", |at| at.get(results));
    routes.at("/v1/projects/{id}/results.{format}", |at| at.get(sheet::named));
}

async fn dashboard(request: HttpRequest, reader: Reader, key: Path<String>) -> Answer {
    told(&request, &reader, &key, async |moment, project, smallest| {
        Dashboard::of(moment, project, smallest).await
    })
    .await
}

async fn results(request: HttpRequest, reader: Reader, key: Path<String>) -> Answer {
    told(&request, &reader, &key, async |moment, project, smallest| {
        Ok(Framework { results: framework(moment, project.id, smallest).await? })
    })
    .await
}

type Answer = Result<HttpResponse, Problem>;

/// Answers what is told of a project as of one moment.
async fn told<T: Serialize>(
    request: &HttpRequest,
    reader: &Reader,
    key: &str,
    tell: impl AsyncFnOnce(&Moment, Record<Project>, u64) -> Result<T, Error>,
) -> Answer {
    let languages = Languages::of(request)?;
    let wrong = Problem::of(Project::COLLECTION);
    let reader = reader.published();
    let id = reader.find::<Project>(key).await.map_err(&wrong)?.id;
    let smallest = smallest_count(request);
    asked("application/json", &smallest.to_string())
        .answer(request, &reader, async |moment, file| {
            let project = as_of(moment, id).await?;
            let answer = tell(moment, project, smallest).await.map_err(&wrong)?;
            let (bytes, found) = languages.write(&answer);
            std::io::Write::write_all(file, &bytes).map_err(Problem::unwritten)?;
            let mut said = Said::default();
            said.also(found.as_deref());
            Ok(said)
        })
        .await
}

/// What is told of a project in that form, depending on how few people may be told.
fn asked<'a>(media_type: &'static str, by: &'a str) -> Asked<'a> {
    Asked {
        of: Project::COLLECTION,
        media_type,
        basis: Basis::everything(),
        by,
        // Nothing is counted of a period until its first day.
        daily: true,
        turns: &MAKERS,
    }
}

/// The project as it was at that moment, like all that is told with it.
async fn as_of(moment: &Moment, id: Uuid) -> Result<Record<Project>, Problem> {
    let found = moment.of_keys::<Project>([id.to_string()]).await;
    let mut found = found.map_err(Problem::of(Project::COLLECTION))?;
    found.pop().ok_or_else(|| Problem::no_record(Project::COLLECTION))
}

impl Dashboard {
    async fn of(moment: &Moment, project: Record<Project>, smallest: u64) -> Result<Self, Error> {
        let id = project.id;
        let slug = project.body.slug.as_str().to_owned();
        let money = Question { group_by: vec![Dimension::Year], ..all_of(Subject::Finance, id) };
        let money = moment.figures(&money).await?;
        Ok(Self {
            computed_at: moment.changed_at().await?,
            figures: figures(moment, id, &slug, smallest).await?,
            attendance: attendance(moment, id, smallest).await?,
            money: Statistics::rows_of(Subject::Finance, &[Measure::Count, Measure::Sum], &money),
            results: framework(moment, id, smallest).await?,
            initiative_figures: initiatives(moment, id).await?,
            project: DashboardProject { id, slug, title: project.body.title },
        })
    }
}

/// Everything of a subject that belongs to a project.
fn all_of(subject: Subject, project: Uuid) -> Question {
    Question {
        subject,
        group_by: Vec::new(),
        filters: vec![(Dimension::Project, vec![Wish::Id(project)])],
        among: None,
    }
}

async fn figures(
    moment: &Moment,
    project: Uuid,
    slug: &str,
    smallest: u64,
) -> Result<Vec<DashboardFigure>, Error> {
    let mut told = Vec::new();
    let number = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    let figure = |name, subject: Subject, of: &Definition, value, qualifier, more: &str| {
        let url = format!("/v1/statistics/{}?project={slug}{more}", subject.name());
        let (unit, definition) = (of.unit(), of.text());
        DashboardFigure { name, value, qualifier, unit, definition, url }
    };
    for (name, subject, measure) in [
        ("seminars", Subject::Seminars, Measure::Count),
        ("study_visits", Subject::StudyVisits, Measure::Count),
        ("presentations", Subject::Presentations, Measure::Count),
        ("speakers", Subject::Speakers, Measure::Distinct),
        ("organisations", Subject::Organisations, Measure::Distinct),
        ("participants", Subject::Participants, Measure::Count),
    ] {
        let question = all_of(subject, project);
        let found = match subject {
            Subject::Participants => moment.protected_figures(&question, smallest).await?,
            _ => moment.figures(&question).await?,
        };
        let Some(total) = found.totals.first() else { continue };
        let value = match (subject, measure) {
            // That nobody was recorded does not say that nobody came.
            (Subject::Participants, _) => total.count.filter(|count| *count > 0),
            (_, Measure::Distinct) => total.different,
            _ => total.count,
        };
        let qualifier = value.and(total.counted);
        let mut definitions = subject.definitions().iter();
        let Some(of) = definitions.find(|of| of.measure == measure) else { continue };
        told.push(figure(name, subject, of, number(value), qualifier, ""));
    }
    let mut countries = BTreeSet::new();
    let mut others = false;
    for subject in [Subject::Seminars, Subject::StudyVisits] {
        let by = Question { group_by: vec![Dimension::Country], ..all_of(subject, project) };
        let rows = moment.figures(&by).await?.rows;
        // Whatever there is may have others than those that are named.
        others |= !rows.is_empty();
        countries.extend(rows.into_iter().filter_map(|row| row.groups.into_iter().next()?));
    }
    let of = Definition {
        measure: Measure::Distinct,
        unit: "countries",
        words: "Countries named as having a part in seminars and study visits, each once; there may be others.",
    };
    let named = countries.len() as u64;
    let (named, qualifier) = reached::number(match others {
        true => Told::AtLeast(named),
        false => Told::Exactly(named),
    });
    told.push(figure("countries", Subject::Seminars, &of, named, qualifier, "&group_by=country"));
    Ok(told)
}

async fn attendance(
    moment: &Moment,
    project: Uuid,
    smallest: u64,
) -> Result<Vec<AttendanceTold>, Error> {
    let key = OneOf::<Key>::key(project);
    let wanted = |starts_on_lt| Wanted {
        sort: vec![(domain::SeminarSort::StartsOn, true)],
        ..Wanted::all(SeminarFilter { project: key.clone(), starts_on_lt, ..Default::default() })
    };
    let first = async |wanted| moment.first::<Seminar>(wanted).await;
    let seminars = newest(first, wanted, NEWEST).await?;
    let wanted = |starts_on_lt| Wanted {
        sort: vec![(domain::StudyVisitSort::StartsOn, true)],
        ..Wanted::all(StudyVisitFilter { project: key.clone(), starts_on_lt, ..Default::default() })
    };
    let first = async |wanted| moment.first::<StudyVisit>(wanted).await;
    let visits = newest(first, wanted, NEWEST).await?;
    let seminars = seminars.into_iter().map(|seminar| AttendanceTold {
        collection: Seminar::COLLECTION,
        id: seminar.id,
        slug: seminar.body.slug.as_str().to_owned(),
        label: seminar.body.title.unwrap_or(seminar.derived.label),
        starts_on: seminar.body.starts_on,
        published: seminar.body.attendance,
        counted: None,
        counted_qualifier: None,
    });
    let visits = visits.into_iter().map(|visit| AttendanceTold {
        collection: StudyVisit::COLLECTION,
        id: visit.id,
        slug: visit.body.slug.as_str().to_owned(),
        label: visit.body.label(),
        starts_on: visit.body.starts_on,
        published: visit.body.attendance,
        counted: None,
        counted_qualifier: None,
    });
    let mut told: Vec<_> = seminars.chain(visits).collect();
    for one in &mut told {
        let counted = moment.protected_count(&[one.id], None, smallest).await?;
        (one.counted, one.counted_qualifier) = recorded(counted);
    }
    Ok(told)
}

/// The newest records, those last of which it is not known when they begin; it is said what is wanted
/// of which all begin before that day.
pub(crate) async fn newest<R: Stored>(
    first: impl AsyncFn(Wanted<R>) -> Result<Vec<Record<R>>, Error>,
    wanted: impl Fn(Option<NaiveDate>) -> Wanted<R>,
    most: u64,
) -> Result<Vec<Record<R>>, Error> {
    let mut found = first(Wanted { limit: most, ..wanted(Some(LAST_DAY)) }).await?;
    let left = most - found.len() as u64;
    if left == 0 {
        return Ok(found);
    }
    // In this order those without a date come first.
    let others = first(Wanted { limit: left, ..wanted(None) }).await?;
    let known: BTreeSet<_> = found.iter().map(|record| record.id).collect();
    found.extend(others.into_iter().filter(|record| !known.contains(&record.id)));
    Ok(found)
}

/// How many people are recorded, as far as that may be told; nothing where nobody is: that nobody
/// was recorded does not say that nobody came.
fn recorded(told: Told) -> (Option<u64>, Option<Qualifier>) {
    if told.number() == 0 { (None, None) } else { number(told) }
}

/// The results of a project, with what is typed and what is counted.
async fn framework(
    moment: &Moment,
    project: Uuid,
    smallest: u64,
) -> Result<Vec<ResultTold>, Error> {
    let results = reached::results(moment, project, smallest).await?;
    let told = results.into_iter().map(|(result, measured)| ResultTold {
        id: result.id,
        kind: result.body.kind,
        title: result.body.title,
        description: result.body.description,
        target_group: result.body.target_group,
        kirkpatrick_level: result.body.kirkpatrick_level,
        indicators: measured.into_iter().map(indicator).collect(),
    });
    Ok(told.collect())
}

fn indicator(Measured { id, indicator, reached }: Measured) -> IndicatorTold {
    let text = |number: domain::Decimal| number.as_str().to_owned();
    let (year, start, comment) = match indicator.baseline {
        None => (None, None, None),
        Some(baseline) => (Some(baseline.year), baseline.value.map(text), baseline.comment),
    };
    let periods = indicator.periods.into_iter().zip(reached).map(|(period, reached)| {
        let target = period.target.map(text);
        let progress = progress(start.as_deref(), target.as_deref(), reached.value.as_deref());
        PeriodTold {
            from: period.from.day(),
            to: period.to.day(),
            target,
            actual: reached.value,
            actual_qualifier: reached.qualifier,
            comment: period.comment,
            progress,
        }
    });
    let periods = periods.collect();
    IndicatorTold {
        id,
        measure: indicator.measure,
        ascending: indicator.ascending,
        baseline_year: year,
        baseline: start,
        baseline_comment: comment,
        computed_from: indicator.computed_from,
        title: indicator.title,
        periods,
    }
}

/// The way from the start to the target that was gone, in per cent, to one place.
fn progress(start: Option<&str>, target: Option<&str>, actual: Option<&str>) -> Option<f64> {
    let number = |text: Option<&str>| text?.parse::<f64>().ok();
    let (start, target, actual) = (number(start)?, number(target)?, number(actual)?);
    let gone = (actual - start) / (target - start) * 100.0;
    gone.is_finite().then(|| (gone * 10.0).round() / 10.0)
}

/// What was told of initiatives at the seminars of a project.
async fn initiatives(moment: &Moment, project: Uuid) -> Result<Vec<InitiativeTold>, Error> {
    let shared = moment.shared_initiatives(project, MOST_INITIATIVES).await?;
    let ids = shared.into_iter().map(|id| id.to_string());
    let records = moment.of_keys::<Initiative>(ids).await?;
    let told = records.into_iter().flat_map(|record| {
        let (id, name) = (record.id, record.body.name);
        let figures = record.body.figures.into_iter();
        figures.map(move |figure: InitiativeFigure| InitiativeTold {
            id,
            initiative: name.clone(),
            label: figure.label,
            amount: figure.amount,
            value: figure.value.map(|value| value.as_str().to_owned()),
            unit: figure.unit.map(|unit| unit.as_str().to_owned()),
            qualifier: figure.qualifier,
            nature: figure.nature,
            as_of: figure.as_of,
        })
    });
    Ok(told.collect())
}
