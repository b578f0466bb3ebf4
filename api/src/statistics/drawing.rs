//! Figures as a chart.
mod layout;
mod time;
mod words;

use domain::{Dimension, Measure, Subject, Text, in_words};
use persistence::{Figure as Row, Figures, Moment};

use self::{
    layout::Layout,
    time::is_time,
    words::{Words, capital},
};
use super::Asked;
use crate::{
    Problem,
    chart::{Chart, Kind},
    problem::Fault,
    query::ListQuery,
};

/// How charts can show figures.
pub(crate) const CHARTS: [&str; 3] = ["bar", "line", "stacked"];
/// The widths that charts can have, in pixels.
pub(crate) const NARROWEST: u32 = 240;
pub(crate) const WIDEST: u32 = 1600;
pub(crate) const WIDTH: u32 = 720;
/// How many groups and how many series a chart has at most.
const MOST_CATEGORIES: usize = 200;
const MOST_SERIES: usize = 12;

/// How a chart is to be drawn.
#[derive(Clone, Copy)]
pub(crate) struct Drawing {
    kind: Kind,
    width: u32,
}

impl Drawing {
    pub(crate) fn read(query: &mut ListQuery) -> Self {
        let kind = query.read("chart", Kind::Bar, |name| match name {
            "bar" => Ok(Kind::Bar),
            "line" => Ok(Kind::Line),
            "stacked" => Ok(Kind::Stacked),
            _ => Err(format!("it is one of {}", CHARTS.join(", "))),
        });
        let width = query.read("width", WIDTH, |text| match text.parse() {
            Ok(width) if (NARROWEST..=WIDEST).contains(&width) => Ok(width),
            _ => Err(format!("it is a number from {NARROWEST} to {WIDEST}")),
        });
        Self { kind, width }
    }

    /// The chart of some figures, in the language that is preferred.
    pub(crate) async fn chart(
        self,
        moment: &Moment,
        asked: &Asked,
        figures: &Figures,
        own: &[Text],
    ) -> Result<Chart, Problem> {
        let measure = shown(asked)?;
        let split: Vec<_> =
            figures.columns.iter().copied().filter(|dimension| !has_unit(*dimension)).collect();
        self.judge(asked.subject, measure, &split)?;
        for (at, dimension) in figures.columns.iter().enumerate() {
            let added_up = self.kind == Kind::Stacked
                && asked.subject.kept_apart().contains(dimension)
                && split.first() != Some(dimension);
            if has_unit(*dimension) || added_up {
                one_unit(*dimension, at, &figures.rows)?;
            }
        }
        let words = Words::of(moment, &asked.languages, figures).await;
        let words = words.map_err(Problem::of(super::COLLECTION))?;
        let laid = Layout::of(asked, self.kind, measure, figures, &words).laid_out()?;
        let mut columns = figures.columns.iter();
        let unit = columns.position(|dimension| measure.has_values() && has_unit(*dimension));
        let unit = unit.and_then(|at| {
            let value = figures.rows.first()?.groups[at].as_deref()?;
            Some(words.told(figures.columns[at], value))
        });
        let mut defined = asked.defined().filter(|of| of.measure == measure);
        let of = defined.next().ok_or_else(Problem::internal)?;
        let by = asked.group_by.iter().map(|dimension| words.text(&dimension.by()));
        let shown = std::iter::once(words.text(&in_words(measure.name()))).chain(by);
        let subject = words.text(&in_words(asked.subject.name()));
        let title = format!("{subject}: {}", shown.collect::<Vec<_>>().join(", "));
        Ok(Chart {
            kind: self.kind,
            title: capital(&title),
            description: words.text(&of.text()),
            unit: unit.unwrap_or_else(|| words.text(&of.unit())),
            categories: laid.categories,
            series: laid.series,
            language: words.language.clone(),
            width: self.width,
            notes: words.notes(asked, figures, own),
            time: split.first().is_some_and(|first| is_time(*first)),
            undated: laid.undated,
        })
    }

    /// Refuses what such a chart would tell wrongly.
    fn judge(self, subject: Subject, measure: Measure, split: &[Dimension]) -> Result<(), Problem> {
        let over_time = split.first().is_some_and(|first| is_time(*first));
        let adds_up = matches!(measure, Measure::Count | Measure::Sum)
            && !split.get(1..).is_some_and(|parts| subject.overlaps(parts));
        let detail = match self.kind {
            Kind::Line if !over_time => {
                "A line leads from time to time: let group_by begin with year, quarter or month, or draw bars."
            }
            Kind::Stacked if !adds_up => {
                "A stack adds up what it shows, and averages, different ones and groups that overlap have no sum: draw bars."
            }
            _ => return Ok(()),
        };
        Err(Problem::misleading_chart(detail))
    }
}

/// The measure that a chart shows: the one that is asked for, or what says most.
fn shown(asked: &Asked) -> Result<Measure, Problem> {
    match asked.measures[..] {
        [one] => Ok(one),
        _ if asked.measures_given => {
            let detail = "A chart shows one measure.";
            Err(Problem::invalid_query(vec![Fault::parameter(
                "measure",
                "invalid_parameter",
                detail,
            )]))
        }
        _ => Ok(match asked.subject {
            Subject::Attendance | Subject::Finance => Measure::Sum,
            Subject::Results => Measure::Average,
            _ => Measure::Count,
        }),
    }
}

fn has_unit(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Currency | Dimension::Metric)
}

fn one_unit(dimension: Dimension, at: usize, rows: &[Row]) -> Result<(), Problem> {
    let mut values: Vec<String> = rows.iter().filter_map(|row| row.groups[at].clone()).collect();
    values.sort_unstable();
    values.dedup();
    if values.len() > 1 { Err(Problem::several_units(dimension.name(), &values)) } else { Ok(()) }
}
