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

use domain::{Resource, State};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{openapi::of_record, query::Languages};

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
    /// What the contract says of it.
    pub(crate) about: String,
}

/// Everything that a body of `R` may hold, a column each.
pub(crate) fn leaves_of_body<R: Resource>() -> Vec<Leaf> {
    let mut leaves = Vec::new();
    walk(&json!(R::schema()), &schemas::<R>(), Place::default(), &mut leaves);
    leaves
}

/// What every record tells besides its body, a column each.
pub(crate) fn leaves_of_record() -> Vec<Leaf> {
    let state = (State::name().into_owned(), json!(State::schema()));
    let mut leaves = Vec::new();
    walk(&json!({"properties": of_record()}), &[state].into(), Place::default(), &mut leaves);
    leaves
}

/// What follows from other records, a column each.
pub(crate) fn leaves_derived<R: Resource>() -> Vec<Leaf> {
    let mut leaves = Vec::new();
    walk(&json!(R::Derived::schema()), &schemas::<R>(), Place::default(), &mut leaves);
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

/// How far a walk through a schema has come.
#[derive(Clone, Default)]
struct Place {
    name: String,
    steps: Vec<Step>,
    about: String,
}

impl Place {
    fn with(&self, step: Step) -> Self {
        Self { steps: [&*self.steps, &[step]].concat(), ..self.clone() }
    }

    /// The field of that name.
    fn field(&self, name: &str) -> Self {
        let whole = match &*self.name {
            "" => name.to_owned(),
            outer => format!("{outer}.{name}"),
        };
        Self { name: whole, ..self.with(Step::Field(name.to_owned())) }
    }

    fn ends(self, schema: Value) -> Leaf {
        let Self { name, steps, about } = self;
        Leaf { name, steps, schema, about }
    }
}

fn walk(schema: &Value, schemas: &BTreeMap<String, Value>, at: Place, leaves: &mut Vec<Leaf>) {
    let schema = resolved(schema, schemas);
    if schema.get("propertyNames").is_some() {
        let schema = json!({"type": "string"});
        let about = &at.about;
        leaves.extend(LANGUAGES.map(|language| {
            let about = format!("{about} In the language {language}.");
            Place { about, ..at.field(language) }.ends(schema.clone())
        }));
        let about = format!("{about} In all other languages, each after its tag.");
        let others =
            Place { steps: at.with(Step::OtherLanguages).steps, about, ..at.field(OTHERS) };
        leaves.push(others.ends(schema));
    } else if let Some(fields) = schema["properties"].as_object() {
        for (inner, of) in fields {
            let about = told_of(of).or_else(|| told_of(resolved(of, schemas)));
            let about = about.unwrap_or_default().to_owned();
            walk(of, schemas, Place { about, ..at.field(inner) }, leaves);
        }
    } else if let Some(item) = schema.get("items") {
        walk(item, schemas, at.with(Step::Items), leaves);
    } else if !at.name.is_empty() {
        let any = ["type", "enum", "const"].iter().all(|rule| schema.get(rule).is_none());
        let at = if any { at.with(Step::Whatever) } else { at };
        leaves.push(at.ends(schema.clone()));
    }
}

/// What a schema says of what it is of, whether or not that may be null.
fn told_of(schema: &Value) -> Option<&str> {
    let own = schema["description"].as_str();
    own.or_else(|| alternative(schema)?["description"].as_str())
}

#[derive(Clone, Debug)]
struct Column {
    steps: Vec<Step>,
    kind: Kind,
    about: String,
}

impl Column {
    fn of(leaf: &Leaf) -> Self {
        let listed = leaf.steps.contains(&Step::Items);
        let kind = if listed { Kind::Text } else { kind(&leaf.schema) };
        Self { steps: leaf.steps.clone(), kind, about: leaf.about.clone() }
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
        walk(&json!(T::schema()), &with_text(schemas), Place::default(), &mut leaves);
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

    /// What the contract says of each column, if it says anything.
    pub(crate) fn abouts(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.about)
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

/// What a schema allows beside null.
fn alternative(schema: &Value) -> Option<&Value> {
    let all = ["oneOf", "anyOf"].iter().find_map(|name| schema[*name].as_array());
    all?.iter().find(|one| one["type"] != "null")
}

/// The schema that a reference leads to, or the one beside null.
fn resolved<'a>(schema: &'a Value, schemas: &'a BTreeMap<String, Value>) -> &'a Value {
    let named = || schemas.get(schema["$ref"].as_str()?.rsplit('/').next()?);
    match alternative(schema).or_else(named) {
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
