//! Figures as a chart.
use std::collections::{BTreeSet, HashMap};

use domain::{Country, Dimension, Measure, Qualifier, Subject, Text, in_words};
use persistence::{Error, Figure as Row, Figures, Moment};

use super::{Asked, answer::qualifier};
use crate::{
    Problem,
    chart::{Chart, Figure, Kind, Series},
    problem::Fault,
    query::{Languages, ListQuery},
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
        for (at, dimension) in figures.columns.iter().enumerate() {
            if matches!(dimension, Dimension::Currency | Dimension::Metric) {
                one_unit(*dimension, at, &figures.rows)?;
            }
        }
        let words = Words::of(moment, &asked.languages, figures).await;
        let words = words.map_err(Problem::of(super::COLLECTION))?;
        let first = figures.columns.iter().position(|dimension| !has_unit(*dimension));
        let (categories, series) = laid_out(asked.subject, measure, figures, first, &words);
        if categories.len() > MOST_CATEGORIES || series.len() > MOST_SERIES {
            return Err(Problem::too_large_chart(MOST_CATEGORIES, MOST_SERIES));
        }
        let times = [Dimension::Year, Dimension::Quarter, Dimension::Month];
        let unit = figures.columns.iter().position(|dimension| has_unit(*dimension));
        let unit = unit.and_then(|at| {
            let row = figures.rows.first()?;
            Some(words.value(figures.columns[at], row.groups[at].as_deref(), false))
        });
        let mut defined = asked.defined().filter(|of| of.measure == measure);
        let of = defined.next().ok_or_else(Problem::internal)?;
        let dimensions = asked.group_by.iter();
        let dimensions: Vec<_> = dimensions.map(|one| words.text(&in_words(one.name()))).collect();
        let subject = words.text(&in_words(asked.subject.name()));
        let title = match dimensions.is_empty() {
            true => subject,
            false => format!("{subject}: {}", dimensions.join(", ")),
        };
        Ok(Chart {
            kind: self.kind,
            title: capital(&title),
            description: words.text(&of.text()),
            unit: unit.unwrap_or_else(|| words.text(&of.unit())),
            categories,
            series,
            language: words.language.clone(),
            width: self.width,
            notes: words
                .notes(asked)
                .into_iter()
                .chain(own.iter().map(|note| words.text(note)))
                .collect(),
            time: first.is_some_and(|at| times.contains(&figures.columns[at])),
        })
    }
}

/// The figures by what is on the axis, and by what the others tell apart.
fn laid_out(
    subject: Subject,
    measure: Measure,
    figures: &Figures,
    first: Option<usize>,
    words: &Words<'_>,
) -> (Vec<String>, Vec<Series>) {
    let split = &figures.columns[..];
    let (mut categories, mut names) = (Vec::new(), Vec::new());
    let mut found: HashMap<(usize, usize), Figure> = HashMap::new();
    let mut hidden = BTreeSet::new();
    for row in &figures.rows {
        let value = |at: usize| words.value(split[at], row.groups[at].as_deref(), row.withheld);
        let name = first.map_or_else(|| words.text(&in_words(subject.name())), value);
        let rest = (0..split.len()).filter(|at| Some(*at) != first && !has_unit(split[*at]));
        let rest: Vec<_> = rest.map(value).collect();
        let at = (place(&mut categories, name), place(&mut names, rest.join(", ")));
        if row.withheld {
            hidden.insert(at.0);
        }
        found.insert(at, figure(measure, row));
    }
    let series = names.into_iter().enumerate().map(|(one, name)| {
        let figure = |category: usize| {
            found.get(&(category, one)).copied().unwrap_or(match measure {
                _ if hidden.contains(&category) => Figure::Withheld,
                Measure::Count | Measure::Distinct => Figure::Known(0.0),
                _ => Figure::Unknown,
            })
        };
        Series { name, figures: (0..categories.len()).map(figure).collect() }
    });
    let series = series.collect();
    (categories, series)
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

fn place(names: &mut Vec<String>, name: String) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

fn figure(measure: Measure, row: &Row) -> Figure {
    let whole =
        |number: Option<i64>| number.and_then(|number| number.to_string().parse::<f64>().ok());
    let micros = |number: Option<i128>| super::answer::decimal(number?).parse::<f64>().ok();
    let value = match measure {
        Measure::Count => whole(row.count),
        Measure::Distinct => whole(row.different),
        Measure::Sum => micros(row.micros),
        Measure::Average => micros(row.average()),
    };
    let Some(value) = value else {
        return if row.withheld { Figure::Withheld } else { Figure::Unknown };
    };
    match qualifier(measure, row) {
        Some(Qualifier::AtLeast) => Figure::AtLeast(value),
        Some(Qualifier::MoreThan) => Figure::MoreThan(value),
        Some(Qualifier::About) => Figure::About(value),
        Some(Qualifier::LessThan) => Figure::LessThan(value),
        Some(Qualifier::AtMost) => Figure::AtMost(value),
        Some(Qualifier::Exact) | None => Figure::Known(value),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// What is written in a chart, in one language.
struct Words<'a> {
    languages: &'a Languages,
    language: String,
    records: HashMap<(Dimension, String), Text>,
}

impl<'a> Words<'a> {
    async fn of(
        moment: &Moment,
        languages: &'a Languages,
        figures: &Figures,
    ) -> Result<Self, Error> {
        let mut records = HashMap::new();
        for (at, dimension) in figures.columns.iter().enumerate() {
            let slugs = figures.rows.iter().filter_map(|row| row.groups[at].clone()).collect();
            let labels = moment.labels(*dimension, slugs).await?;
            records.extend(labels.into_iter().map(|(slug, text)| ((*dimension, slug), text)));
        }
        let language = languages.first().unwrap_or("en").to_owned();
        Ok(Self { languages, language, records })
    }

    /// A text in the language that is preferred.
    fn text(&self, text: &Text) -> String {
        let (value, _) = self.languages.value(text);
        let texts = value.as_object().into_iter().flatten();
        let asked = texts.filter_map(|(language, text)| Some((language, text.as_str()?)));
        let all: Vec<_> = asked.collect();
        let english = all.iter().find(|(language, _)| *language == "en");
        english.or(all.first()).map_or(String::new(), |(_, text)| (*text).to_owned())
    }

    /// What a value of a dimension is called.
    fn value(&self, dimension: Dimension, value: Option<&str>, withheld: bool) -> String {
        let Some(value) = value else {
            return self.text(&in_words(if withheld { "withheld" } else { "not known" }));
        };
        if let Some(text) = self.records.get(&(dimension, value.to_owned())) {
            return self.text(text);
        }
        match dimension {
            Dimension::Country => {
                Country::find(value).map_or(value.to_owned(), |country| self.text(&country.names))
            }
            _ => self.text(&in_words(value)),
        }
    }

    /// What the figures are narrowed to, and what has to be known to read them.
    fn notes(&self, asked: &Asked) -> Vec<String> {
        let narrowed = asked.filters.iter().map(|(dimension, values)| {
            let values: Vec<_> =
                values.iter().map(|value| self.value(*dimension, Some(value), false)).collect();
            format!("{}: {}", self.text(&in_words(dimension.name())), values.join(", "))
        });
        let mut notes: Vec<_> = narrowed.collect();
        if asked.subject.overlaps(&asked.group_by) {
            notes.push(self.text(&Subject::overlap_note()));
        }
        if asked.subject == Subject::Participants {
            notes.push(self.text(&Subject::counted_note()));
        }
        notes
    }
}
