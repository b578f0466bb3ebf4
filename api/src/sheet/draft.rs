use std::collections::BTreeMap;

use domain::{Refused, Resource, Shape, Violation};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{
    CellFault, Mapping, Matched, Row,
    cell::{self, Form, Reason},
    mapping::Target,
};
use crate::formats::table::Step;

/// How many characters of a cell a fault tells.
const SHOWN: usize = 200;

/// The body that a row makes, with the place that each of its values comes from.
pub(crate) struct Draft<'a> {
    mapping: &'a Mapping,
    row: &'a Row,
    body: Value,
    places: Vec<Place>,
    faults: Vec<CellFault>,
    /// Where a cell is at fault already, as JSON pointers.
    doubtful: Vec<String>,
}

/// Where a value of the body comes from.
struct Place {
    pointer: String,
    column: usize,
    text: String,
}

/// A value on its way into the body.
#[derive(Clone)]
struct Entry<'a> {
    column: usize,
    form: &'a Form,
    steps: &'a [Step],
    text: String,
    pointer: String,
    /// What stands between the values of a list here.
    between: char,
}

impl Mapping {
    /// The body that a row makes: what is not known is left out.
    pub(crate) fn draft<'a>(&'a self, row: &'a Row) -> Draft<'a> {
        let mut draft = Draft {
            mapping: self,
            row,
            body: Value::Object(serde_json::Map::new()),
            places: Vec::new(),
            faults: Vec::new(),
            doubtful: Vec::new(),
        };
        draft.fill();
        draft
    }

    /// Reads a row as a record, or says everything that is wrong with it.
    pub(crate) fn read<R: Resource>(&self, row: &Row) -> Result<R, Vec<CellFault>> {
        self.draft(row).read()
    }
}

impl<'a> Draft<'a> {
    /// The body, for [`Shape::read`]; a cell that is no value of its field stands in it as it is.
    pub(crate) fn body(&self) -> &Value {
        &self.body
    }

    /// The record, or everything that is wrong with the row.
    pub(super) fn read<R: Resource>(mut self) -> Result<R, Vec<CellFault>> {
        let body = std::mem::take(&mut self.body);
        let told = match Shape::read::<R>(body) {
            Ok(read) if self.faults.is_empty() => return Ok(read),
            Ok(_) => Vec::new(),
            Err(Refused::Form(broken) | Refused::Meaning(broken)) => self.tell(&broken),
        };
        self.faults.extend(told);
        Err(self.faults)
    }

    /// What is wrong with the cells, whatever the body says.
    pub(crate) fn faults(&self) -> &[CellFault] {
        &self.faults
    }

    /// Says of each broken rule which cell breaks it, unless that cell is at fault already.
    pub(crate) fn tell(&self, broken: &[Violation]) -> Vec<CellFault> {
        let doubtful = |pointer: &str| self.doubtful.iter().any(|at| is_within(pointer, at));
        let mut told: Vec<(&Violation, CellFault)> = Vec::new();
        for one in broken.iter().filter(|one| !doubtful(&one.pointer)) {
            let same = |known: &Violation| known.pointer == one.pointer && known.code == one.code;
            if let Some((_, fault)) = told.iter_mut().find(|(known, _)| same(known)) {
                fault.detail = format!("{} {}", fault.detail, one.detail);
                continue;
            }
            let (column, text) = self.place(&one.pointer).unzip();
            let fault = self.fault(column, path(&one.pointer), text, &one.code, &one.detail);
            told.push((one, fault));
        }
        told.into_iter().map(|(_, fault)| fault).collect()
    }

    /// The column that a pointer leads to, and what stands there; none for the row as a whole.
    fn place(&self, pointer: &str) -> Option<(usize, &str)> {
        if pointer.is_empty() {
            return None;
        }
        let known = self.places.iter();
        let exact = known.clone().find(|place| is_within(pointer, &place.pointer));
        let place =
            exact.or_else(|| known.clone().find(|place| is_within(&place.pointer, pointer)));
        if let Some(place) = place {
            return Some((place.column, &place.text));
        }
        let path = path(pointer);
        let is_of = |matched: &Matched| {
            let rest = matched.field.as_deref().and_then(|field| field.strip_prefix(&path));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let column = self.mapping.matched().iter().position(is_of)?;
        Some((column, self.row.cells.get(column).map_or("", |cell| cell.trim())))
    }

    fn fault(
        &self,
        column: Option<usize>,
        field: String,
        value: Option<&str>,
        code: &str,
        detail: &str,
    ) -> CellFault {
        let header = column.and_then(|column| self.mapping.matched().get(column));
        CellFault {
            row: self.row.number,
            column: column.map(letters),
            header: header.map(|matched| matched.header.clone()),
            field,
            value: value.filter(|value| !value.is_empty()).map(shown),
            code: code.to_owned(),
            detail: detail.to_owned(),
        }
    }

    fn refuse(&mut self, entry: &Entry<'_>, reason: Reason) {
        let field = path(&entry.pointer);
        let Reason { code, detail } = reason;
        let fault = self.fault(Some(entry.column), field, Some(&entry.text), code, detail);
        self.faults.push(fault);
        self.doubtful.push(entry.pointer.clone());
    }

    fn fill(&mut self) {
        let (mapping, row) = (self.mapping, self.row);
        let mut body = std::mem::take(&mut self.body);
        let mut lists: BTreeMap<String, (&'a [Step], Vec<Entry<'a>>)> = BTreeMap::new();
        for (column, target) in mapping.targets() {
            let text: String = row.cells.get(column).map_or("", |cell| cell.trim()).nfc().collect();
            if text.is_empty() {
                continue;
            }
            let Target { steps, form, .. } = target;
            if mapping.is_none(column, &text) {
                put_none(&mut body, steps);
                continue;
            }
            let pointer = String::new();
            let entry = Entry { column, form, steps, text, pointer, between: ';' };
            let odd = row.odd.get(&column).map(|odd| odd.reason());
            let reason = odd.or_else(|| form.failed(&entry.text));
            match (reason, steps.iter().position(|step| *step == Step::Items)) {
                (Some(reason), _) => {
                    let pointer = pointer_of(steps);
                    self.refuse(&Entry { pointer, ..entry }, reason);
                }
                (None, None) => self.put(&mut body, entry),
                (None, Some(at)) => {
                    let (to, within) = (&steps[..at], &steps[at + 1..]);
                    let list = lists.entry(pointer_of(to)).or_insert_with(|| (to, Vec::new()));
                    list.1.push(Entry { steps: within, ..entry });
                }
            }
        }
        for (pointer, (to, columns)) in lists {
            let items = self.list(&pointer, columns);
            if !items.is_empty() {
                *at(&mut body, to) = Value::Array(items);
            }
        }
        self.body = body;
        self.refuse_failed_keys();
        self.refuse_the_rest();
    }

    /// A row whose key failed would be about another record, or about none.
    fn refuse_failed_keys(&mut self) {
        for (key, column) in self.mapping.key_columns() {
            let text = self.row.cells.get(column).map_or("", |cell| cell.trim());
            let odd = self.row.odd.get(&column).map(|odd| odd.reason());
            if let Some(Reason { code, detail }) = odd.or_else(|| cell::failed(text)) {
                let fault = self.fault(Some(column), key.to_owned(), Some(text), code, detail);
                self.faults.push(fault);
            }
        }
    }

    /// Cells without a header would be lost without a word.
    fn refuse_the_rest(&mut self) {
        let width = self.mapping.matched().len();
        let mut rest = self.row.cells.iter().enumerate().skip(width);
        if let Some((column, text)) = rest.find(|(_, cell)| !cell.trim().is_empty()) {
            let detail = "The row has more cells than there are headers.";
            let fault =
                self.fault(Some(column), String::new(), Some(text), "cell_without_header", detail);
            self.faults.push(fault);
        }
    }

    /// The items of a list, of which each column tells a field, by position.
    fn list(&mut self, pointer: &str, columns: Vec<Entry<'a>>) -> Vec<Value> {
        let columns: Vec<_> = columns
            .into_iter()
            .map(|column| (column.form.values(&column.text, column.between), column))
            .collect();
        let filled = |values: &[String]| values.iter().rposition(|value| !value.is_empty());
        let count = columns.iter().filter_map(|(values, _)| Some(filled(values)? + 1)).max();
        let count = count.unwrap_or_default();
        let uneven: Vec<_> = columns.iter().filter(|(values, _)| values.len() < count).collect();
        if !uneven.is_empty() {
            for (_, entry) in uneven {
                let detail = "It has fewer values than other columns of the same list: \
                    leave an empty place between semicolons for what is not known.";
                let entry = Entry { pointer: pointer.to_owned(), ..entry.clone() };
                self.refuse(&entry, Reason { code: "uneven_list", detail });
            }
            return Vec::new();
        }
        let mut items = Vec::new();
        for place in 0..count {
            let mut item = Value::Null;
            for (values, entry) in &columns {
                let text = values[place].clone();
                let pointer = format!("{pointer}/{}", items.len());
                if !text.is_empty() {
                    self.put(&mut item, Entry { text, pointer, between: ',', ..entry.clone() });
                }
            }
            if !item.is_null() {
                items.push(item);
            }
        }
        items
    }

    fn put(&mut self, to: &mut Value, entry: Entry<'a>) {
        match entry.steps.split_first() {
            Some((Step::Field(name), steps)) => {
                let pointer = format!("{}/{name}", entry.pointer);
                self.put(&mut to[name], Entry { steps, pointer, ..entry });
            }
            Some((Step::OtherLanguages, steps)) => {
                self.put_languages(to, &Entry { steps, ..entry });
            }
            Some((Step::Items, steps)) => {
                let texts = entry.form.values(&entry.text, entry.between).into_iter();
                let mut items = Vec::new();
                for text in texts.filter(|text| !text.is_empty()) {
                    let pointer = format!("{}/{}", entry.pointer, items.len());
                    let mut item = Value::Null;
                    self.put(&mut item, Entry { steps, text, pointer, ..entry.clone() });
                    items.push(item);
                }
                *to = Value::Array(items);
            }
            Some((Step::Whatever, _)) | None => self.put_value(to, entry),
        }
    }

    fn put_value(&mut self, to: &mut Value, entry: Entry<'a>) {
        match entry.form.read(&entry.text) {
            Ok(value) => {
                *to = value;
                let Entry { pointer, column, text, .. } = entry;
                self.places.push(Place { pointer, column, text });
            }
            Err(reason) => {
                self.refuse(&entry, reason);
                *to = entry.text.into();
            }
        }
    }

    /// Texts with their languages before them, `uz: …; ky: …`.
    fn put_languages(&mut self, to: &mut Value, entry: &Entry<'a>) {
        let texts = cell::values(&entry.text, entry.between).into_iter();
        for told in texts.filter(|text| !text.is_empty()) {
            let Some((tag, text)) = told.split_once(':') else {
                let detail = "Before each text its language is to be told, as in uz: matn.";
                let entry = Entry { text: told, ..entry.clone() };
                self.refuse(&entry, Reason { code: "no_language", detail });
                continue;
            };
            let (tag, text) = (tag.trim(), text.trim().to_owned());
            let pointer = format!("{}/{tag}", entry.pointer);
            self.put_value(&mut to[tag], Entry { text, pointer, ..entry.clone() });
        }
    }
}

/// The place that steps lead to, which is made where there is none.
fn at<'a>(body: &'a mut Value, steps: &[Step]) -> &'a mut Value {
    steps.iter().fold(body, |body, step| match step {
        Step::Field(name) => &mut body[name],
        _ => body,
    })
}

/// A list with nothing in it, or what the last step is of, without that.
fn put_none(body: &mut Value, steps: &[Step]) {
    match (steps.iter().position(|step| *step == Step::Items), steps.split_last()) {
        (Some(list), _) => *at(body, &steps[..list]) = Value::Array(Vec::new()),
        (None, Some((_, of))) => {
            let of = at(body, of);
            if of.is_null() {
                *of = Value::Object(serde_json::Map::new());
            }
        }
        (None, None) => {}
    }
}

fn pointer_of(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |all, step| match step {
        Step::Field(name) => format!("{all}/{name}"),
        _ => all,
    })
}

/// A pointer without the places in lists, as a column is named.
fn path(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).filter(|step| step.parse::<usize>().is_err());
    steps.collect::<Vec<_>>().join(".")
}

fn is_within(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What a spreadsheet calls a column: A to Z, AA, and so on.
pub(super) fn letters(column: usize) -> String {
    let last = char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[column % 26]);
    let before = if column < 26 { String::new() } else { letters(column / 26 - 1) };
    format!("{before}{last}")
}
