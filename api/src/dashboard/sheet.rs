//! The results of a project as a sheet: a row for each period of an indicator.
use actix_web::{HttpRequest, web::Path};
use chrono::NaiveDate;
use domain::{
    IndicatorMeasure, Project, ProjectResult, Qualifier, RegistryMetric, Resource, ResultKind,
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answer, IndicatorTold, PeriodTold, ResultTold, as_of, asked, framework};
use crate::{
    Problem,
    export::{Format, Rows, Shape},
    file,
    formats::{event::said, table::Table},
    query::ListQuery,
    reader::Reader,
    statistics::smallest_count,
    workbook::Book,
};

/// A period of an indicator, with what it is of, in one language.
#[derive(Serialize, ToSchema)]
pub(crate) struct PeriodRow {
    /// The id of the result.
    result_id: Uuid,
    /// At which level.
    kind: ResultKind,
    /// What comes about.
    result: String,
    /// More about it.
    description: Option<String>,
    /// For whom.
    target_group: Option<String>,
    /// How far training is judged: 1 reaction, 2 learning, 3 behaviour, 4 results.
    kirkpatrick_level: Option<i64>,
    /// The id of the indicator; empty where the result has none.
    indicator_id: Option<Uuid>,
    /// What is measured.
    indicator: Option<String>,
    /// In what.
    measure: Option<IndicatorMeasure>,
    /// Whether more is better.
    ascending: Option<bool>,
    /// In which year the baseline was taken.
    baseline_year: Option<i64>,
    /// What it was before.
    #[schema(value_type = Option<f64>)]
    baseline: Option<String>,
    /// How to read the baseline; of what is measured in words, what it was.
    baseline_comment: Option<String>,
    /// The metric of the registry that actual values are counted by; empty where they were typed.
    computed_from: Option<RegistryMetric>,
    /// The first day of the period; empty where the indicator has none.
    from: Option<NaiveDate>,
    /// The last day of the period.
    to: Option<NaiveDate>,
    /// What was aimed at.
    #[schema(value_type = Option<f64>)]
    target: Option<String>,
    /// What was reached: typed, or counted by the registry.
    #[schema(value_type = Option<f64>)]
    actual: Option<String>,
    /// How the actual value is to be understood.
    actual_qualifier: Option<Qualifier>,
    /// How to read the actual value; of what is measured in words, what was reached.
    comment: Option<String>,
    /// The way from the baseline to the target that was gone, in per cent.
    progress: Option<f64>,
}

/// The results of a project as a file, in the form that the address names.
pub(super) async fn named(
    request: HttpRequest,
    reader: Reader,
    path: Path<(String, String)>,
) -> Answer {
    let (key, format) = path.into_inner();
    let format = Format::named(&format).ok_or_else(Problem::no_route)?;
    let mut query = ListQuery::of_feed(&request)?;
    let shape = Shape::asked(&mut query, format, Table::of_schema::<PeriodRow>());
    query.refuse_rest();
    query.judge()?;
    let wrong = Problem::of(Project::COLLECTION);
    let reader = reader.published();
    let id = reader.find::<Project>(&key).await.map_err(&wrong)?.id;
    let smallest = smallest_count(&request);
    let by = smallest.to_string();
    let asked = asked(format.content_type(), &by);
    let written = asked.answer(&request, &reader, async |moment, file| {
        let project = as_of(moment, id).await?.id;
        let results = framework(moment, project, smallest).await.map_err(&wrong)?;
        let lines: Vec<_> = results.iter().flat_map(Line::of).collect();
        if format == Format::Xlsx {
            Book::judge(lines.len() as u64)?;
        }
        let mut rows = Rows::begin(&shape, ProjectResult::COLLECTION, file)?;
        for line in &lines {
            rows.add(line)?;
        }
        rows.end()
    });
    let name = format!("{}.{}", ProjectResult::COLLECTION, format.name());
    Ok(file::kept_as(written.await?, &name))
}

/// A row that is put into words only while it is written: then the language is known.
struct Line<'a> {
    result: &'a ResultTold,
    indicator: Option<&'a IndicatorTold>,
    period: Option<&'a PeriodTold>,
}

impl<'a> Line<'a> {
    /// The rows of a result: one at least, so that nothing is missing that is not measured yet.
    fn of(result: &'a ResultTold) -> Vec<Self> {
        let mut lines = Vec::new();
        for indicator in &result.indicators {
            let line = |period| Self { result, indicator: Some(indicator), period };
            match &*indicator.periods {
                [] => lines.push(line(None)),
                periods => lines.extend(periods.iter().map(|period| line(Some(period)))),
            }
        }
        if lines.is_empty() {
            lines.push(Self { result, indicator: None, period: None });
        }
        lines
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { result, indicator, period } = *self;
        let row = PeriodRow {
            result_id: result.id,
            kind: result.kind,
            result: said(&result.title),
            description: result.description.as_ref().map(said),
            target_group: result.target_group.as_ref().map(said),
            kirkpatrick_level: result.kirkpatrick_level,
            indicator_id: indicator.map(|one| one.id),
            indicator: indicator.map(|one| said(&one.title)),
            measure: indicator.map(|one| one.measure),
            ascending: indicator.map(|one| one.ascending),
            baseline_year: indicator.and_then(|one| one.baseline_year),
            baseline: indicator.and_then(|one| one.baseline.clone()),
            baseline_comment: indicator.and_then(|one| one.baseline_comment.as_ref().map(said)),
            computed_from: indicator.and_then(|one| one.computed_from),
            from: period.map(|one| one.from),
            to: period.map(|one| one.to),
            target: period.and_then(|one| one.target.clone()),
            actual: period.and_then(|one| one.actual.clone()),
            actual_qualifier: period.and_then(|one| one.actual_qualifier),
            comment: period.and_then(|one| one.comment.as_ref().map(said)),
            progress: period.and_then(|one| one.progress),
        };
        row.serialize(to)
    }
}
