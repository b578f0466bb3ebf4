//! Figures, as they are told.
use chrono::{DateTime, Utc};
use domain::{
    Definition, Dimension, ExchangeRate, Measure, Qualifier, Resource, Subject, Text, in_words,
};
use persistence::{Converted, Figure, Figures, Rate};
use serde::Serialize;
use serde_json::{Map, Number, Value, json};
use utoipa::ToSchema;

use super::Asked;
use crate::{
    Problem,
    formats::{
        event::said,
        table::{Cell, Kind, csv},
    },
    workbook::Book,
};

/// The name of the sheet that tells what figures mean.
const ABOUT: &str = "about";

/// Figures, with what they mean.
#[derive(Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// What they are about.
    subject: Subject,
    /// What that is, in words.
    about: Text,
    /// By what they are split.
    group_by: Vec<Dimension>,
    /// When the newest change was made that they contain: they are the same since. Null when nothing
    /// was ever written.
    #[schema(example = "2026-11-25T09:00:00Z")]
    computed_at: Option<DateTime<Utc>>,
    /// What each figure means.
    measures: Vec<MeasureTold>,
    /// What else has to be known to read them.
    notes: Vec<Text>,
    /// The names of the columns of the rows, in their order.
    columns: Vec<String>,
    /// The figures of each group: its values, then a column for each measure. What is not known is
    /// null, and comes last.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
    /// The figures of all groups together, each record once.
    #[schema(value_type = Vec<Object>)]
    totals: Vec<Map<String, Value>>,
}

/// What a figure means.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeasureTold {
    /// How it is made.
    measure: Measure,
    /// What one of it is.
    #[schema(example = "seminars")]
    unit: Text,
    /// What it counts, in words.
    definition: Text,
    /// Whether the true figure may be higher, and cannot be lower.
    lower_bound: bool,
    /// For a sum or an average, of how many records the value is not known; for the others, how many
    /// records are in groups of which a value is not known.
    #[schema(minimum = 0)]
    unknown: i64,
}

impl Statistics {
    /// The figures, with notes of their own.
    pub(crate) fn of(
        asked: &Asked,
        figures: &Figures,
        own: Vec<Text>,
        computed_at: Option<DateTime<Utc>>,
    ) -> Self {
        let tell = |columns: &[Dimension], row| told(asked.subject, &asked.measures, columns, row);
        let rows = figures.rows.iter().map(|row| tell(&figures.columns, row));
        let apart = asked.subject.kept_apart();
        let totals = figures.totals.iter().map(|row| tell(apart, row));
        Self {
            subject: asked.subject,
            about: asked.subject.about(),
            group_by: asked.group_by.clone(),
            computed_at,
            measures: asked.defined().map(|of| measure(&of, figures)).collect(),
            notes: notes(asked, figures).into_iter().chain(own).collect(),
            columns: columns(asked, &figures.columns),
            rows: rows.collect(),
            totals: totals.collect(),
        }
    }

    /// The rows of figures of a subject, without what they mean.
    pub(crate) fn rows_of(subject: Subject, measures: &[Measure], figures: &Figures) -> Value {
        let rows = figures.rows.iter();
        rows.map(|row| Value::Object(told(subject, measures, &figures.columns, row))).collect()
    }

    /// The rows as CSV.
    pub(crate) fn csv(&self, to: &mut impl std::io::Write) -> std::io::Result<()> {
        to.write_all(csv(self.columns.iter().cloned()).as_bytes())?;
        for row in &self.rows {
            to.write_all(csv(self.cells(row).map(|(cell, _)| cell.guarded())).as_bytes())?;
        }
        Ok(())
    }

    /// A workbook with the rows in one sheet, and what has to be known to read them in another.
    pub(crate) fn book(&self, address: &str) -> Result<Book, Problem> {
        let mut book = Book::new()?;
        book.sheet(self.subject.name(), &self.columns)?;
        for row in &self.rows {
            book.row(self.cells(row))?;
        }
        book.sheet(ABOUT, &["what", "words", "unit", "lower_bound", "unknown"].map(str::to_owned))?;
        let text = |text: &str| (Cell::Text(text.to_owned()), Kind::Text);
        let told = |of: &Text| text(&said(of));
        book.row([text("subject"), told(&self.about)])?;
        for of in &self.measures {
            let lower_bound = (Cell::Boolean(of.lower_bound), Kind::Boolean);
            let unknown = (Cell::Number(of.unknown.into()), Kind::Number);
            let (name, words) = (text(of.measure.name()), told(&of.definition));
            book.row([name, words, told(&of.unit), lower_bound, unknown])?;
        }
        for note in &self.notes {
            book.row([text("note"), told(note)])?;
        }
        let computed_at = (Cell::of(&json!(self.computed_at)), Kind::Time);
        book.row([text("computed_at"), computed_at])?;
        book.row([text("address"), text(address)])?;
        Ok(book)
    }

    /// What stands in each column of a row, and of which kind that is.
    fn cells(&self, row: &Map<String, Value>) -> impl Iterator<Item = (Cell, Kind)> {
        self.columns.iter().map(|name| (Cell::of(&row[name]), kind(name)))
    }
}

/// Of which kind is what stands in a column of that name.
fn kind(column: &str) -> Kind {
    let figure = column.strip_suffix("_unknown").unwrap_or(column);
    match Measure::ALL.iter().any(|measure| measure.name() == figure) {
        true => Kind::Number,
        false => Kind::Text,
    }
}

impl Asked {
    /// What the measures that are asked for mean.
    pub(crate) fn defined(&self) -> impl Iterator<Item = Definition> {
        let of = |measure: &Measure| {
            let mut all = self.subject.definitions().iter();
            all.find(|definition| definition.measure == *measure).copied()
        };
        self.measures.iter().filter_map(of)
    }
}

fn measure(of: &Definition, figures: &Figures) -> MeasureTold {
    let values = of.measure.has_values();
    let lower = |figure: &Figure| {
        matches!(qualifier(of.measure, figure), Some(Qualifier::AtLeast | Qualifier::MoreThan))
    };
    let missing = |figure: &Figure| figure.count.unwrap_or(0) - figure.known;
    let unknown: i64 = match values {
        true => figures.totals.iter().map(missing).sum(),
        false => {
            let rows = figures.rows.iter().filter(|row| !row.withheld);
            let unknown = rows.filter(|row| row.groups.iter().any(Option::is_none));
            unknown.filter_map(|row| row.count).sum()
        }
    };
    MeasureTold {
        measure: of.measure,
        unit: of.unit(),
        definition: of.text(),
        lower_bound: figures.totals.iter().any(lower),
        unknown,
    }
}

/// How a figure is to be understood.
pub(super) fn qualifier(measure: Measure, figure: &Figure) -> Option<Qualifier> {
    match measure {
        Measure::Count => figure.counted,
        Measure::Distinct => None,
        Measure::Sum => figure.of_sum(),
        Measure::Average => figure.qualifier,
    }
}

/// Whether that figure of a subject may be none that is exact.
fn is_qualified(subject: Subject, measure: Measure) -> bool {
    measure.has_values() || (measure, subject) == (Measure::Count, Subject::Participants)
}

/// What has to be known to read figures.
pub(super) fn notes(asked: &Asked, figures: &Figures) -> Vec<Text> {
    let mut notes = Vec::new();
    if asked.subject.overlaps(&asked.group_by) {
        notes.push(Subject::overlap_note());
    }
    if asked.subject == Subject::Participants {
        notes.push(Subject::counted_note());
        if figures.rows.iter().any(|row| row.withheld) {
            notes.push(Subject::withheld_note());
        }
    }
    if asked.subject == Subject::Attendance {
        notes.push(Subject::published_note());
    }
    notes
}

/// What has to be known of money that was converted: how, by which rates, and what was not.
pub(crate) fn converted_notes(converted: &Converted) -> Vec<Text> {
    let said = |en: String, ru: String, ko: String| {
        Text::of([("en", en), ("ru", ru), ("ko", ko)].map(|(tag, text)| (tag.to_owned(), text)))
    };
    let mut notes = vec![in_words(
        "Each amount is converted by the newest published rate until the end of its month, or of its year where only that is known; where its currency has none, by the inverse of the rate in the other direction. Nothing is rounded but the sum.",
    )];
    notes.extend(converted.rates.iter().map(|rate| {
        let Rate { from, to, on, rate, key } = rate;
        let (worth, at) =
            (format!("1 {from} = {rate} {to}"), format!("/v1/{}/{key}", ExchangeRate::COLLECTION));
        said(
            format!("{worth} on {on}: {at}"),
            format!("{worth} на {on}: {at}"),
            format!("{on} 기준 {worth}: {at}"),
        )
    }));
    if converted.left_out > 0 {
        let many = converted.left_out;
        notes.push(said(
            format!("Amounts that are in no sum, since they have no date, or no rate until then: {many}."),
            format!("Суммы, которые не учтены, поскольку их дата неизвестна или на неё нет курса: {many}."),
            format!("날짜를 알 수 없거나 그때까지의 환율이 없어 합계에 포함되지 않은 금액: {many}건."),
        ));
    }
    notes
}

/// The names of the columns.
fn columns(asked: &Asked, groups: &[Dimension]) -> Vec<String> {
    let mut names: Vec<_> = groups.iter().map(|dimension| dimension.name().to_owned()).collect();
    for measure in &asked.measures {
        let name = measure.name();
        names.push(name.to_owned());
        if is_qualified(asked.subject, *measure) {
            names.push(format!("{name}_qualifier"));
        }
        if measure.has_values() {
            names.push(format!("{name}_unknown"));
        }
    }
    if asked.subject == Subject::Participants {
        names.push("withheld".to_owned());
    }
    names
}

/// A row.
fn told(
    subject: Subject,
    measures: &[Measure],
    groups: &[Dimension],
    figure: &Figure,
) -> Map<String, Value> {
    let mut row = Map::new();
    for (dimension, value) in groups.iter().zip(&figure.groups) {
        row.insert(dimension.name().to_owned(), json!(value));
    }
    let unknown = figure.count.map(|count| count - figure.known);
    for measure in measures {
        let name = measure.name();
        let value = match measure {
            Measure::Count => json!(figure.count),
            Measure::Distinct => json!(figure.different),
            Measure::Sum => figure.micros.map_or(Value::Null, |sum| number(subject, sum)),
            Measure::Average => {
                figure.average().map_or(Value::Null, |average| fraction(subject, average))
            }
        };
        row.insert(name.to_owned(), value);
        if is_qualified(subject, *measure) {
            row.insert(format!("{name}_qualifier"), json!(qualifier(*measure, figure)));
        }
        if measure.has_values() {
            row.insert(format!("{name}_unknown"), json!(unknown));
        }
    }
    if subject == Subject::Participants {
        row.insert("withheld".to_owned(), json!(figure.withheld));
    }
    row
}

/// Money as a text that loses no digit, everything else as a number.
fn number(subject: Subject, micros: i128) -> Value {
    let text = decimal(micros);
    match subject {
        Subject::Finance => json!(text),
        _ => text.parse::<Number>().map_or(Value::Null, Value::Number),
    }
}

/// The same of what may fall between whole numbers: it has a place after the point even where it does
/// not, so that whoever guesses the type of a column from its values guesses the same every time.
fn fraction(subject: Subject, micros: i128) -> Value {
    match number(subject, micros) {
        Value::Number(whole) if !whole.is_f64() => {
            whole.as_f64().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
        }
        other => other,
    }
}

/// Millionths as a decimal number, with no more places than it needs.
pub(crate) fn decimal(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (whole, places) = (micros / 1_000_000, micros % 1_000_000);
    match places {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{places:06}").trim_end_matches('0').to_owned(),
    }
}
