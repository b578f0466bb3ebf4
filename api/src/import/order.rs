//! What is sent, and how it is to be taken.
use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read as _, Seek},
};

use domain::{Refused, Shape, Violation, collections, escaped};
use encoding_rs::Encoding;
use persistence::{Stored, Visitor, visit_all};
use serde_json::Value;

use super::{MOST_FAULTS, Read, Report};
use crate::{
    Fault, Problem, body,
    sheet::{Mapping, MappingFault, Sheet, SheetFault, SheetFormat},
};

/// Whose names external ids are, when nobody says it.
pub(crate) const SYSTEM: &str = "import";
/// How many rows a file has at most: as many as a spreadsheet can have.
const MOST_ROWS: u64 = 1_048_575;
/// How many records a bundle has at most: all of them are held at once.
const MOST_BUNDLED: u64 = 50_000;

/// A form that an import comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFormat {
    /// A bundle of records, as JSON.
    Json,
    /// A table as text.
    Csv,
    /// A workbook of Excel.
    Xlsx,
}

impl ImportFormat {
    pub(crate) const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Xlsx];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// How many bytes are sent at most: a bundle is held as a whole, and written in one transaction.
    pub(crate) fn limit(self) -> usize {
        let mebibytes = if self == Self::Json { 16 } else { 64 };
        mebibytes * 1024 * 1024
    }

    /// The form of a file, by what it begins with.
    pub fn of(file: &mut File) -> std::io::Result<Self> {
        let mut head = Vec::new();
        file.take(256).read_to_end(&mut head)?;
        file.rewind()?;
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
        Ok(match head.starts_with(b"PK\x03\x04") {
            true => Self::Xlsx,
            false if text.starts_with(b"{") => Self::Json,
            false => Self::Csv,
        })
    }
}

/// How something is to be taken.
#[derive(Clone, Debug)]
pub struct Order {
    /// The collection that the rows of a table belong to.
    pub resource: Option<String>,
    /// Whether nothing is written after all.
    pub dry_run: bool,
    /// Whether good rows are taken without the bad.
    pub partial: bool,
    /// Whether what is new is public at once.
    pub publish: bool,
    /// The encoding of a text; the one that it is found to be in when none is named.
    pub encoding: Option<&'static Encoding>,
    /// The sheet of a workbook; the first when none is named.
    pub sheet: Option<String>,
    /// Which field a header stands for, where that is guessed wrong; none leaves the column out.
    pub mapping: BTreeMap<String, Option<String>>,
    /// Whose names the external ids are.
    pub system: String,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            resource: None,
            dry_run: false,
            partial: false,
            publish: false,
            encoding: None,
            sheet: None,
            mapping: BTreeMap::new(),
            system: SYSTEM.to_owned(),
        }
    }
}

/// What was sent, found to be readable.
pub struct Prepared {
    pub(super) order: Order,
    pub(super) content: Content,
    /// What is known so far.
    pub(super) report: Report,
    /// How many rows or records there are.
    pub(super) total: u64,
}

pub(super) enum Content {
    /// It is read again when its turn has come: as records it takes several times the memory.
    Bundle(File),
    Sheet {
        file: File,
        format: SheetFormat,
        mapping: Mapping,
        resource: String,
    },
}

impl Prepared {
    /// Reads a file as far as it takes to see that it can be taken like that.
    pub fn of(order: Order, format: ImportFormat, file: File) -> Result<Self, Problem> {
        if format != ImportFormat::Xlsx && order.sheet.is_some() {
            let detail = "It goes with workbooks: no other file has sheets.";
            let fault = Fault::parameter("sheet", "not_a_workbook", detail);
            return Err(Problem::invalid_import(vec![fault]));
        }
        let format = match format {
            ImportFormat::Json => return Self::bundle(order, file),
            ImportFormat::Csv => SheetFormat::Csv { encoding: order.encoding },
            ImportFormat::Xlsx => SheetFormat::Xlsx { sheet: order.sheet.clone() },
        };
        Self::sheet(order, format, file)
    }

    /// What is known before anything is done.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// How many rows or records there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    fn bundle(order: Order, mut file: File) -> Result<Self, Problem> {
        let alien = [
            ("resource", order.resource.is_some()),
            ("partial", order.partial),
            ("mapping", !order.mapping.is_empty()),
        ];
        let alien = alien.into_iter().filter(|(_, given)| *given).map(|(name, _)| {
            let detail = "It goes with tables: a bundle is taken as it is, whole or not at all.";
            Fault::parameter(name, "not_for_bundles", detail)
        });
        let alien: Vec<_> = alien.collect();
        if !alien.is_empty() {
            return Err(Problem::invalid_import(alien));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(Problem::unwritten)?;
        let bundle = body::parse(&bytes)?;
        let mut broken = misshapen(&bundle);
        if !broken.is_empty() {
            // Everything else that is wrong is told along with it.
            visit_all(&mut Bodies { bundle: &bundle, broken: &mut broken });
            return Err(Refused::Form(broken).into());
        }
        let records = bundle["records"].as_object().into_iter().flatten();
        let total = records.map(|(_, bodies)| bodies.as_array().map_or(0, Vec::len) as u64).sum();
        if total > MOST_BUNDLED {
            let detail = format!("A bundle has at most {MOST_BUNDLED} records.");
            return Err(Problem::unreadable_file("too_many_rows", detail));
        }
        let report = Report::of(&order, ImportFormat::Json);
        Ok(Self { order, content: Content::Bundle(file), report, total })
    }

    fn sheet(order: Order, format: SheetFormat, file: File) -> Result<Self, Problem> {
        let wrong = |code, detail: &str| {
            Err(Problem::invalid_import(vec![Fault::parameter("resource", code, detail)]))
        };
        let Some(resource) = order.resource.clone() else {
            return wrong("missing_parameter", "Say which collection the rows belong to.");
        };
        if !collections().contains(&&*resource) {
            return wrong("unknown_resource", "There is no such collection.");
        }
        let open = || Self::open(&file, &format);
        let sheet = open().map_err(|fault| unreadable(&fault))?;
        let given = order.mapping.iter();
        let given =
            given.map(|(header, field)| (header.clone(), field.clone().unwrap_or_default()));
        let mut mapping = Guess {
            resource: &resource,
            headers: sheet.headers(),
            given: given.collect(),
            made: None,
        };
        visit_all(&mut mapping);
        let mapping = mapping.made.unwrap_or_else(|| Err(Vec::new())).map_err(|faults| {
            let fault = |fault: MappingFault| {
                let detail = format!("{} as {}: {}", fault.header, fault.field, fault.detail);
                Fault::parameter("mapping", fault.code, detail)
            };
            Problem::invalid_import(faults.into_iter().map(fault).collect())
        })?;
        if mapping.matched().iter().all(|one| one.field.is_none()) {
            let detail = "No header means a field: say which do, as in {\"header\": \"title.en\"}.";
            let fault = Fault::parameter("mapping", "no_columns", detail);
            return Err(Problem::invalid_import(vec![fault]));
        }
        let form = match format {
            SheetFormat::Csv { .. } => ImportFormat::Csv,
            SheetFormat::Xlsx { .. } => ImportFormat::Xlsx,
        };
        let mut report = Report::of(&order, form);
        report.read = Some(Read::of(sheet.source()));
        report.mapping = mapping.matched().to_vec();
        let mut total = 0;
        for row in sheet {
            row.map_err(|fault| unreadable(&fault))?;
            total += 1;
            if total > MOST_ROWS {
                let detail = format!("A file has at most {MOST_ROWS} rows.");
                return Err(Problem::unreadable_file("too_many_rows", detail));
            }
        }
        let content = Content::Sheet { file, format, mapping, resource };
        Ok(Self { order, content, report, total })
    }

    /// The sheet, from its beginning.
    pub(super) fn open(file: &File, format: &SheetFormat) -> Result<Sheet, SheetFault> {
        let mut file = file.try_clone()?;
        file.rewind()?;
        Sheet::open(file, format)
    }
}

/// The answer to a sheet that cannot be read.
pub(crate) fn unreadable(fault: &SheetFault) -> Problem {
    Problem::unreadable_file(fault.code(), fault.to_string())
}

/// The field of a bundle that has its records.
const RECORDS: &str = "records";
/// The field in which a bundle may say whatever it likes about itself.
const ABOUT: &str = "about";

fn pointer_to(name: &str) -> String {
    format!("/{}", escaped(name))
}

/// What is wrong with the outer form of a bundle.
fn misshapen(bundle: &Value) -> Vec<Violation> {
    let wrong = |pointer: String, wanted: &str| {
        Violation::new(pointer, "wrong_type", format!("It is to be: {wanted}."))
    };
    let Some(fields) = bundle.as_object() else { return vec![wrong(String::new(), "object")] };
    let strange = fields.keys().filter(|name| ![RECORDS, ABOUT].contains(&name.as_str()));
    let mut broken: Vec<_> = strange
        .take(MOST_FAULTS)
        .map(|name| {
            let detail = "A bundle has records, and may say what it is about.";
            Violation::new(pointer_to(name), "unknown_field", detail)
        })
        .collect();
    let nothing = serde_json::Map::new();
    let records = match fields.get(RECORDS) {
        Some(Value::Object(records)) => records,
        None => {
            broken.push(Violation::new("/records", "missing_field", "A bundle has records."));
            &nothing
        }
        Some(_) => {
            broken.push(wrong("/records".to_owned(), "object"));
            &nothing
        }
    };
    for (collection, bodies) in records {
        if broken.len() >= MOST_FAULTS {
            break;
        }
        let pointer = format!("/records/{collection}");
        if !collections().contains(&&**collection) {
            let detail = "There is no such collection.";
            broken.push(Violation::new(pointer, "unknown_field", detail));
        } else if let Value::Array(bodies) = bodies {
            let bodies = bodies.iter().enumerate().filter(|(_, body)| !body.is_object());
            let room = MOST_FAULTS.saturating_sub(broken.len());
            let strange = bodies.map(|(place, _)| wrong(format!("{pointer}/{place}"), "object"));
            broken.extend(strange.take(room));
        } else {
            broken.push(wrong(pointer, "array"));
        }
    }
    broken
}

/// Says what is wrong with the records of a bundle, each by itself.
struct Bodies<'a> {
    bundle: &'a Value,
    broken: &'a mut Vec<Violation>,
}

impl Visitor for Bodies<'_> {
    fn visit<R: Stored>(&mut self) {
        let bodies = self.bundle["records"][R::COLLECTION].as_array().into_iter().flatten();
        for (place, body) in bodies.enumerate().filter(|(_, body)| body.is_object()) {
            if self.broken.len() >= MOST_FAULTS {
                break;
            }
            let read = Shape::read::<R>(body.clone());
            if let Err(Refused::Form(broken) | Refused::Meaning(broken)) = read {
                let at = format!("/records/{}/{place}", R::COLLECTION);
                self.broken.extend(
                    broken
                        .into_iter()
                        .map(|one| Violation { pointer: format!("{at}{}", one.pointer), ..one }),
                );
            }
        }
    }
}

/// Guesses the mapping for the resource of that name.
struct Guess<'a> {
    resource: &'a str,
    headers: &'a [String],
    given: BTreeMap<String, String>,
    made: Option<Result<Mapping, Vec<MappingFault>>>,
}

impl Visitor for Guess<'_> {
    fn visit<R: Stored>(&mut self) {
        if R::COLLECTION == self.resource {
            self.made = Some(Mapping::guess::<R>(self.headers, &self.given));
        }
    }
}
