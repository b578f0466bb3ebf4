//! Figures: how many there are of what, split and narrowed as it is asked.
use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::uri::PathAndQuery,
    web::{Data, Path},
};
use domain::{Deed, Dimension, Subject, Text};
use persistence::{Basis, Error, Figures, MOST_GROUPS, Moment, SMALLEST_COUNT};
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

mod answer;
mod asked;
mod drawing;

pub(crate) use answer::{Statistics, converted_notes};
pub(crate) use asked::{
    ActivityFilter, Asked, CONVERTED_TO, MOST_SPLITS, MOST_VALUES, filtering, fitting,
};
use drawing::Drawing;
pub(crate) use drawing::{CHARTS, NARROWEST, WIDEST, WIDTH};

use crate::{
    Problem,
    answer::{made_from, public},
    chart::draw,
    export::{BOM, Format},
    file::{self, Said},
    query::{Languages, ListQuery},
    reader::Reader,
    routes::Routes,
};

pub(crate) const COLLECTION: &str = "statistics";
/// How many figures are made at once; who comes later waits.
pub(crate) static MAKERS: Semaphore = Semaphore::const_new(4);

type Answer = Result<HttpResponse, Problem>;

/// Below how many people their number is not told to the public.
#[derive(Clone, Copy)]
pub(crate) struct SmallestCount(pub(crate) u64);

/// Below how many people their number is not told to the public.
pub(crate) fn smallest_count(request: &HttpRequest) -> u64 {
    request.app_data::<Data<SmallestCount>>().map_or(SMALLEST_COUNT, |count| count.0)
}

/// Who asks for figures of people.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    /// Who may see the people themselves.
    Registrar,
    /// Who may not learn of fewer people than that.
    Public { smallest: u64 },
}

/// A form that figures are given in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
    Xlsx,
    Svg,
}

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => Format::Csv.content_type(),
            Self::Xlsx => Format::Xlsx.content_type(),
            Self::Svg => "image/svg+xml",
        }
    }
}

/// What there are statistics of.
#[derive(Serialize, ToSchema)]
pub(crate) struct Subjects {
    /// Every subject.
    subjects: Vec<SubjectTold>,
}

/// What figures there are of a subject.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubjectTold {
    /// Its name in addresses.
    subject: Subject,
    /// Where its figures are.
    #[schema(example = "/v1/statistics/seminars")]
    url: String,
    /// What it is, in words.
    about: Text,
    /// What the figures can be.
    measures: Vec<MeasureKnown>,
    /// By what they can be split, and narrowed.
    dimensions: Vec<DimensionKnown>,
    /// By what they are always split, since what differs in it cannot be added up.
    kept_apart: Vec<Dimension>,
}

/// A figure that there is.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeasureKnown {
    /// How it is made.
    measure: domain::Measure,
    /// What one of it is.
    unit: Text,
    /// What it counts, in words.
    definition: Text,
}

/// Something to split by.
#[derive(Serialize, ToSchema)]
pub(crate) struct DimensionKnown {
    /// Its name, as a parameter and as a column.
    dimension: Dimension,
    /// What it is, in words.
    about: Text,
}

impl From<Subject> for SubjectTold {
    fn from(subject: Subject) -> Self {
        let measures = subject.definitions().iter().map(|of| MeasureKnown {
            measure: of.measure,
            unit: of.unit(),
            definition: of.text(),
        });
        let dimensions = subject.dimensions().iter();
        Self {
            subject,
            url: format!("/v1/statistics/{}", subject.name()),
            about: subject.about(),
            measures: measures.collect(),
            dimensions: dimensions
                .map(|one| DimensionKnown { dimension: *one, about: one.about() })
                .collect(),
            kept_apart: subject.kept_apart().to_vec(),
        }
    }
}

pub(crate) fn routes(routes: &mut Routes) {
    routes.at("/v1/statistics", |at| at.get(describe));
    routes.at("/v1/statistics/{subject}.csv", |at| at.get(csv));
    routes.at("/v1/statistics/{subject}.xlsx", |at| at.get(xlsx));
    routes.at("/v1/statistics/{subject}.svg", |at| at.get(svg));
    routes.at("/v1/statistics/{subject}", |at| at.get(json));
}

/// What there are statistics of.
async fn describe(request: HttpRequest) -> Answer {
    let languages = Languages::of(&request)?;
    let subjects = Subject::ALL.into_iter().map(SubjectTold::from).collect();
    Ok(made_from(Basis::nothing(), public(&Subjects { subjects }, &languages)))
}

async fn json(request: HttpRequest, reader: Reader, subject: Path<String>) -> Answer {
    figures(&request, &reader, &subject, Form::Json).await
}

async fn csv(request: HttpRequest, reader: Reader, subject: Path<String>) -> Answer {
    let answer = figures(&request, &reader, &subject, Form::Csv).await?;
    Ok(file::kept_as(answer, &format!("{}.csv", *subject)))
}

async fn xlsx(request: HttpRequest, reader: Reader, subject: Path<String>) -> Answer {
    let answer = figures(&request, &reader, &subject, Form::Xlsx).await?;
    Ok(file::kept_as(answer, &format!("{}.xlsx", *subject)))
}

async fn svg(request: HttpRequest, reader: Reader, subject: Path<String>) -> Answer {
    figures(&request, &reader, &subject, Form::Svg).await
}

async fn figures(request: &HttpRequest, reader: &Reader, subject: &str, form: Form) -> Answer {
    let subject = Subject::named(subject).ok_or_else(Problem::no_route)?;
    let registrar = reader.may(Deed::KeepParticipants);
    let smallest = smallest_count(request);
    let who = if registrar { Who::Registrar } else { Who::Public { smallest } };
    let mut query = ListQuery::of_feed(request)?;
    let bom = form == Form::Csv && query.flag("bom");
    // As the way to the answer is kept: a whole address would be whatever who asks first writes into it.
    let address = request.uri().path_and_query().map_or("", PathAndQuery::as_str).to_owned();
    let drawing = (form == Form::Svg).then(|| Drawing::read(&mut query));
    let asked = Asked::read(&mut query, subject, registrar)?;
    let by = match who {
        Who::Registrar => "registrar".to_owned(),
        Who::Public { smallest } => format!("public {smallest}"),
    };
    let file = file::Asked {
        of: COLLECTION,
        media_type: form.media_type(),
        basis: asked.basis(),
        by: &by,
        daily: asked.depends_on_day(),
        turns: &MAKERS,
    };
    let write = async |moment: &Moment, file: &mut File| {
        let made = made(moment, &asked, who).await;
        let (figures, notes) = made.map_err(Problem::of(COLLECTION))?;
        if figures.too_many {
            return Err(Problem::too_many_groups(MOST_GROUPS));
        }
        if let Some(drawing) = drawing {
            let chart = drawing.chart(moment, &asked, &figures, &notes).await?;
            file.write_all(draw(&chart).as_bytes()).map_err(Problem::unwritten)?;
            return Ok(Said::of(Some(&chart.language)));
        }
        let computed_at = moment.changed_at().await.map_err(Problem::of(COLLECTION))?;
        let statistics = Statistics::of(&asked, &figures, notes, computed_at);
        if form == Form::Xlsx {
            let (written, found) = asked.languages.during(|| statistics.book(&address));
            written?.save(file)?;
            return Ok(Said::of(found.as_deref()));
        }
        let mut to = BufWriter::new(file);
        let write = |to: &mut BufWriter<&mut File>| -> io::Result<Option<String>> {
            if form == Form::Csv {
                to.write_all(if bom { BOM } else { &[] })?;
                statistics.csv(to)?;
                return Ok(None);
            }
            let (bytes, found) = asked.languages.write(&statistics);
            to.write_all(&bytes)?;
            Ok(found)
        };
        let found = write(&mut to).and_then(|found| to.flush().map(|()| found));
        Ok(Said::of(found.map_err(Problem::unwritten)?.as_deref()))
    };
    // Who keeps participants counts those that they see.
    let seen = match subject == Subject::Participants && registrar {
        true => reader.clone(),
        false => reader.published(),
    };
    file.answer(request, &seen, write).await
}

/// The figures, and what has to be known of how they were made.
async fn made(moment: &Moment, asked: &Asked, who: Who) -> Result<(Figures, Vec<Text>), Error> {
    let question = asked.question(moment).await?;
    if let Some(currency) = &asked.converted_to {
        let converted = moment.converted_figures(&question, currency).await?;
        let notes = converted_notes(&converted);
        return Ok((converted.figures, notes));
    }
    let figures = match (asked.subject, who) {
        (Subject::Participants, Who::Public { smallest }) => {
            moment.protected_figures(&question, smallest).await
        }
        (Subject::Participants, Who::Registrar) => moment.own_figures(&question).await,
        _ => moment.figures(&question).await,
    }?;
    Ok((figures, Vec::new()))
}
