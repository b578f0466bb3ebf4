//! Records as rows of a table, for CSV and for spreadsheets.
//!
//! The header follows from the contract's schema of the resource, never from the data, so it is the
//! same today and tomorrow:
//! - A field of an object is a column of its own, named by its path: `venue.city`.
//! - A text has a column for each of the languages of [`LANGUAGES`], `title.en`, and one for all the
//!   others, `title.other`, that holds `uz: …; ky: …`. Any other language can be chosen by its tag.
//! - A list is one cell, its values joined with `; `; a list within a list is joined with `, `. A
//!   list of objects has a column for each of their fields, with an empty place for what is not
//!   known, so that the columns of one list go together. A semicolon within a value of a list, or a
//!   comma within one of a list in it, has a backslash before it.
//! - A property of any type is a text where no JSON looks like that text and no white space is at
//!   its ends, and else JSON.
//!
//! [`crate::sheet`] reads rows back.
use std::collections::BTreeMap;

use domain::Resource;
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::query::Languages;

/// The languages that have a column of their own.
pub(crate) const LANGUAGES: [&str; 4] = ["en", "ru", "kk", "ko"];
pub(crate) const OTHERS: &str = "other";
const JOINED: &str = "; ";
const JOINED_WITHIN: &str = ", ";
/// Stands before what would else be taken for the end of a value.
pub(crate) const ESCAPE: char = '\\';

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
    Time,
}

impl Kind {
    #[allow(dead_code, reason = "the description of a dump names it")]
    /// The type of the column, as a Table Schema names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "datetime",
        }
    }
}

/// What stands in one place of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// It is not known.
    Empty,
    Text(String),
    Number(serde_json::Number),
    Boolean(bool),
}

impl Cell {
    /// What a value is written as.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Empty,
            Value::String(text) => Self::Text(text.clone()),
            Value::Number(number) => Self::Number(number.clone()),
            Value::Bool(yes) => Self::Boolean(*yes),
            other => Self::Text(other.to_string()),
        }
    }

    /// The cell as JSON.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Empty => Value::Null,
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::Boolean(yes) => json!(yes),
        }
    }

    /// The cell as a text.
    pub(crate) fn plain(self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text,
            Self::Number(number) => digits(&number),
            Self::Boolean(yes) => yes.to_string(),
        }
    }

    /// The cell as a text that no spreadsheet takes for a formula.
    pub(crate) fn guarded(self) -> String {
        match self {
            Self::Text(text) if needs_guard(&text) => format!("'{text}"),
            other => other.plain(),
        }
    }
}

/// A number without an exponent, which is for no person to read, and which no sheet is read with.
fn digits(number: &serde_json::Number) -> String {
    let text = number.to_string();
    match number.as_f64().filter(|_| text.contains('e')) {
        None => text,
        Some(number) if number.fract() == 0.0 => format!("{number:.1}"),
        Some(number) => number.to_string(),
    }
}

/// The text that was guarded, if it was.
pub(crate) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| needs_guard(rest)).unwrap_or(text)
}

/// Whether a spreadsheet would calculate it, or it looks as if it had been guarded already.
fn needs_guard(text: &str) -> bool {
    is_formula(text.trim_start_matches('\''))
}

/// Whether a spreadsheet would calculate it; a number is none.
fn is_formula(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.strip_prefix('-').is_some_and(|rest| {
        rest.split_once('.')
            .map_or_else(|| digits(rest), |(whole, part)| digits(whole) && digits(part))
    });
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number
}

/// A step from a record to what stands in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Field(String),
    Items,
    OtherLanguages,
    /// Whatever stands there, of any type.
    Whatever,
}

/// What a column holds, as the contract has it.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// The name of the column.
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) schema: Value,
}

/// Everything that a body of `R` may hold, a column each.
pub(crate) fn leaves_of_body<R: Resource>() -> Vec<Leaf> {
    let mut leaves = Vec::new();
    walk(&json!(R::schema()), &schemas::<R>(), "", &[], &mut leaves);
    leaves
}

/// What every record tells besides its body, a column each.
pub(crate) fn leaves_of_record() -> Vec<Leaf> {
    let time = || json!({"type": "string", "format": "date-time"});
    let own = [
        ("id", json!({"type": "string"})),
        ("revision", json!({"type": "integer"})),
        ("state", json!({"type": "string"})),
        ("created_at", time()),
        ("updated_at", time()),
        ("published_at", time()),
    ];
    let leaf = |(name, schema): (&str, Value)| {
        let steps = vec![Step::Field(name.to_owned())];
        Leaf { name: name.to_owned(), steps, schema }
    };
    own.map(leaf).into()
}

/// What follows from other records, a column each.
pub(crate) fn leaves_derived<R: Resource>() -> Vec<Leaf> {
    let mut leaves = Vec::new();
    walk(&json!(R::Derived::schema()), &schemas::<R>(), "", &[], &mut leaves);
    leaves
}

fn schemas<R: Resource>() -> BTreeMap<String, Value> {
    let mut schemas = Vec::new();
    R::schemas(&mut schemas);
    R::Derived::schemas(&mut schemas);
    with_text(schemas)
}

/// Those schemas, and the one that has none of its own.
fn with_text(schemas: Vec<(String, RefOr<Schema>)>) -> BTreeMap<String, Value> {
    let schemas = schemas.into_iter().map(|(name, schema)| (name, json!(schema)));
    let text = (domain::Text::name().into_owned(), json!(domain::Text::schema()));
    schemas.chain([text]).collect()
}

fn walk(
    schema: &Value,
    schemas: &BTreeMap<String, Value>,
    name: &str,
    steps: &[Step],
    leaves: &mut Vec<Leaf>,
) {
    let schema = resolved(schema, schemas);
    let with = |step: Step| [steps, &[step]].concat();
    let field = |field: &str| match name {
        "" => field.to_owned(),
        _ => format!("{name}.{field}"),
    };
    if schema.get("propertyNames").is_some() {
        let schema = json!({"type": "string"});
        leaves.extend(LANGUAGES.map(|language| Leaf {
            name: field(language),
            steps: with(Step::Field(language.to_owned())),
            schema: schema.clone(),
        }));
        leaves.push(Leaf { name: field(OTHERS), steps: with(Step::OtherLanguages), schema });
    } else if let Some(fields) = schema["properties"].as_object() {
        for (inner, of) in fields {
            walk(of, schemas, &field(inner), &with(Step::Field(inner.clone())), leaves);
        }
    } else if let Some(item) = schema.get("items") {
        walk(item, schemas, name, &with(Step::Items), leaves);
    } else if !name.is_empty() {
        let any = ["type", "enum", "const"].iter().all(|rule| schema.get(rule).is_none());
        let steps = if any { with(Step::Whatever) } else { steps.to_vec() };
        leaves.push(Leaf { name: name.to_owned(), steps, schema: schema.clone() });
    }
}

#[derive(Clone, Debug)]
struct Column {
    steps: Vec<Step>,
    kind: Kind,
}

impl Column {
    fn of(leaf: &Leaf) -> Self {
        let listed = leaf.steps.contains(&Step::Items);
        let kind = if listed { Kind::Text } else { kind(&leaf.schema) };
        Self { steps: leaf.steps.clone(), kind }
    }
}

/// How records of one resource become rows.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    names: Vec<String>,
    columns: Vec<Column>,
}

impl Table {
    /// The table of the records of `R`, with every column there is.
    pub(crate) fn of<R: Resource>() -> Self {
        Self::with([leaves_of_record(), leaves_of_body::<R>(), leaves_derived::<R>()].concat())
    }

    /// The table of what is no record, with a column for whatever `T` holds.
    pub(crate) fn of_schema<T: ToSchema>() -> Self {
        let (mut schemas, mut leaves) = (Vec::new(), Vec::new());
        T::schemas(&mut schemas);
        walk(&json!(T::schema()), &with_text(schemas), "", &[], &mut leaves);
        Self::with(leaves)
    }

    fn with(leaves: Vec<Leaf>) -> Self {
        let columns = leaves.iter().map(Column::of).collect();
        Self { names: leaves.into_iter().map(|leaf| leaf.name).collect(), columns }
    }

    /// The names of the columns.
    pub(crate) fn columns(&self) -> &[String] {
        &self.names
    }

    /// What stands in each column.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.columns.iter().map(|column| column.kind)
    }

    /// The same records in those columns only, in that order; or the names that are none.
    ///
    /// A text has a column for every language, whether or not the whole table shows it.
    pub(crate) fn choose(&self, names: &[&str]) -> Result<Self, Vec<String>> {
        let found = names.iter().map(|name| {
            let place = self.names.iter().position(|known| known == name);
            let column = place.map(|place| self.columns[place].clone());
            column.or_else(|| self.language(name)).ok_or_else(|| (*name).to_owned())
        });
        let (columns, unknown): (Vec<_>, Vec<_>) = found.partition(Result::is_ok);
        if !unknown.is_empty() {
            return Err(unknown.into_iter().filter_map(Result::err).collect());
        }
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(Self { names, columns: columns.into_iter().flatten().collect() })
    }

    /// The same records with their texts in those languages only, a column each.
    pub(crate) fn in_languages(&self, languages: &Languages) -> Self {
        let columns = self.names.iter().zip(&self.columns).flat_map(|(name, column)| {
            if self.language(name).is_some() {
                return Vec::new();
            }
            if column.steps.last() != Some(&Step::OtherLanguages) {
                return vec![(name.clone(), column.clone())];
            }
            let text = name.trim_end_matches(OTHERS);
            let names = languages.tags().map(|tag| format!("{text}{tag}"));
            names.filter_map(|name| self.language(&name).map(|column| (name, column))).collect()
        });
        let (names, columns) = columns.unzip();
        Self { names, columns }
    }

    /// The column of a text in a language, whether or not the whole table shows it.
    fn language(&self, name: &str) -> Option<Column> {
        let (text, tag) = name.rsplit_once('.')?;
        tag.parse::<domain::LanguageTag>().ok()?;
        let others = self.names.iter().position(|known| {
            known.strip_suffix(OTHERS).and_then(|known| known.strip_suffix('.')) == Some(text)
        })?;
        let mut column = self.columns[others].clone();
        let last = column.steps.last_mut().filter(|step| matches!(step, Step::OtherLanguages))?;
        *last = Step::Field(tag.to_owned());
        Some(column)
    }

    /// The row of a record, as it is answered in JSON.
    pub(crate) fn row(&self, record: &Value) -> Vec<Cell> {
        self.columns.iter().map(|column| cell(record, &column.steps, JOINED)).collect()
    }

    /// The header, as a line of CSV.
    pub(crate) fn csv_header(&self) -> String {
        csv(self.names.iter().cloned())
    }

    /// A record, as a line of CSV after RFC 4180.
    pub(crate) fn csv_row(&self, record: &Value) -> String {
        csv(self.row(record).into_iter().map(Cell::guarded))
    }
}

/// A line of CSV after RFC 4180.
pub(crate) fn csv(cells: impl Iterator<Item = String>) -> String {
    let quoted = cells.map(|cell| match cell.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

/// The schema that a reference leads to, or the one beside null.
fn resolved<'a>(schema: &'a Value, schemas: &'a BTreeMap<String, Value>) -> &'a Value {
    let alternatives = ["oneOf", "anyOf"].iter().find_map(|name| schema[*name].as_array());
    let inner = alternatives.and_then(|all| all.iter().find(|one| one["type"] != "null"));
    let named = || schemas.get(schema["$ref"].as_str()?.rsplit('/').next()?);
    match inner.or_else(named) {
        Some(inner) => resolved(inner, schemas),
        None => schema,
    }
}

fn kind(schema: &Value) -> Kind {
    let is = |kind: &str| match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
    };
    match schema["format"].as_str() {
        Some("date-time") => Kind::Time,
        Some("iso-date") => Kind::Date,
        Some("decimal") => Kind::Number,
        _ if is("integer") => Kind::Integer,
        _ if is("number") => Kind::Number,
        _ if is("boolean") => Kind::Boolean,
        _ => Kind::Text,
    }
}

fn cell(at: &Value, steps: &[Step], joined: &str) -> Cell {
    match (steps.split_first(), at) {
        (Some((Step::Whatever, _)), Value::String(text))
            if is_json(text) || text.trim() != text =>
        {
            Cell::Text(at.to_string())
        }
        (None | Some((Step::Whatever, _)), value) => Cell::of(value),
        (Some((Step::Field(name), rest)), Value::Object(fields)) => {
            fields.get(name).map_or(Cell::Empty, |value| cell(value, rest, joined))
        }
        (Some((Step::Items, rest)), Value::Array(items)) => {
            join(items.iter().map(|item| cell(item, rest, JOINED_WITHIN)), joined)
        }
        (Some((Step::OtherLanguages, _)), Value::Object(texts)) => {
            let others = texts.iter().filter(|(tag, _)| !LANGUAGES.contains(&tag.as_str()));
            let told =
                others.map(|(tag, text)| Cell::Text(format!("{tag}: {}", Cell::of(text).plain())));
            join(told, joined)
        }
        _ => Cell::Empty,
    }
}

/// The values of a list, with an empty place for what is not known of an item.
fn join(cells: impl Iterator<Item = Cell>, joined: &str) -> Cell {
    let cells: Vec<_> = cells.collect();
    if cells.iter().all(|cell| *cell == Cell::Empty) {
        return Cell::Empty;
    }
    let cells = cells.into_iter().map(|cell| escaped(cell.plain(), joined));
    Cell::Text(cells.collect::<Vec<_>>().join(joined))
}

fn escaped(value: String, joined: &str) -> String {
    let end = joined.trim_end();
    match value.contains(ESCAPE) || value.contains(end) {
        true => value.replace(ESCAPE, "\\\\").replace(end, &format!("{ESCAPE}{end}")),
        false => value,
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}
