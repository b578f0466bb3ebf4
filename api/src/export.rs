//! Whole lists as files: CSV, NDJSON and XLSX.
use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use actix_web::{HttpRequest, HttpResponse, http::header, web::Path};
use persistence::{Moment, Store, Stored, Wanted};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format as Style, Workbook, Worksheet, XlsxError,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Problem,
    file::{self, Asked, Said},
    formats::table::{Cell, Kind, Table},
    query::{Languages, ListQuery},
    reader::Reader,
};

/// How many rows a sheet has beside its header.
const SHEET: u64 = 1_048_575;
/// How many digits of a number a spreadsheet keeps.
const DIGITS: usize = 15;
/// What Excel knows UTF-8 by.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// A form that a list can be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Ndjson,
    Xlsx,
}

impl Format {
    pub(crate) const ALL: [Self; 3] = [Self::Csv, Self::Ndjson, Self::Xlsx];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// The same, with what else there is to say of what comes in it.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            other => other.media_type(),
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The form that a request for a list prefers to JSON, if it does.
    pub(crate) fn preferred(request: &HttpRequest) -> Option<Self> {
        let accepted = request.headers().get(header::ACCEPT)?.to_str().ok()?;
        let best = Self::ALL.map(|format| (quality(accepted, format.media_type()), format));
        let (best, format) = best.into_iter().max_by(|one, other| one.0.total_cmp(&other.0))?;
        (best > quality_of_json(accepted)).then_some(format)
    }
}

/// How much a media type is wanted, where it is named.
pub(crate) fn quality(accepted: &str, wanted: &str) -> f32 {
    let of = accepted.split(',').find_map(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        let mut quality = || parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
        named.then(|| quality().unwrap_or(1.0))
    });
    of.unwrap_or(0.0)
}

/// How much JSON is wanted, named or among others.
pub(crate) fn quality_of_json(accepted: &str) -> f32 {
    let named = ["application/json", "application/*", "*/*"].map(|name| quality(accepted, name));
    named.into_iter().fold(0.0, f32::max)
}

/// A list as a file, in the form that the address names.
pub(crate) async fn named<R: Stored>(
    request: HttpRequest,
    store: Reader,
    format: Path<String>,
) -> Result<HttpResponse, Problem> {
    let format = Format::named(&format).ok_or_else(Problem::no_route)?;
    list::<R>(&request, &store, format).await
}

/// A list as a file.
pub(crate) async fn list<R: Stored>(
    request: &HttpRequest,
    store: &Store,
    format: Format,
) -> Result<HttpResponse, Problem> {
    let mut query = ListQuery::of_export(request)?;
    let shape = Shape::asked(&mut query, format, Table::of::<R>());
    let wanted = query.wanted::<R>(R::COLLECTION)?;
    let asked = Asked {
        of: R::COLLECTION,
        media_type: format.content_type(),
        basis: wanted.basis(&[], false),
        // The address does not tell it when Accept does.
        by: format.name(),
        daily: wanted.depends_on_day(),
        turns: &file::WRITERS,
    };
    let written = asked.answer(request, store, async |moment, file| match format {
        Format::Xlsx => write_sheet::<R>(moment, wanted, &shape, file).await,
        _ => write_lines::<R>(moment, wanted, &shape, file).await,
    });
    let name = format!("{}.{}", R::COLLECTION, format.name());
    Ok(file::kept_as(written.await?, &name))
}

/// How the records are to be written.
pub(crate) struct Shape {
    format: Format,
    bom: bool,
    languages: Languages,
    /// Whether columns are written, and not records as they are.
    flat: bool,
    table: Table,
}

impl Shape {
    /// What a request asks of a file with all those columns.
    pub(crate) fn asked(query: &mut ListQuery, format: Format, all: Table) -> Self {
        let bom = query.flag("bom");
        let languages = query.languages();
        let chosen = query.fields(&all);
        let flat = format != Format::Ndjson || chosen.is_some();
        Self { format, bom, languages, flat, table: chosen.unwrap_or(all) }
    }

    /// Writes what comes before all lines.
    pub(crate) fn begin(&self, to: &mut impl Write) -> io::Result<()> {
        if self.format != Format::Csv {
            return Ok(());
        }
        if self.bom {
            to.write_all(BOM)?;
        }
        to.write_all(self.table.csv_header().as_bytes())
    }
}

async fn write_lines<R: Stored>(
    moment: &Moment,
    wanted: Wanted<R>,
    shape: &Shape,
    file: &mut File,
) -> Result<Said, Problem> {
    let mut to = BufWriter::new(file);
    shape.begin(&mut to).map_err(Problem::unwritten)?;
    let mut said = Said::default();
    let mut batches = moment.every(wanted);
    while let Some(records) = batches.next().await.map_err(Problem::of(R::COLLECTION))? {
        for record in &records {
            let found = write_line(&mut to, record, shape).map_err(Problem::unwritten)?;
            said.also(found.as_deref());
        }
    }
    to.flush().map_err(Problem::unwritten)?;
    Ok(said)
}

/// Writes a record, and says in which languages its texts are, if they were chosen.
pub(crate) fn write_line(
    to: &mut impl Write,
    record: &impl Serialize,
    shape: &Shape,
) -> io::Result<Option<String>> {
    if !shape.flat {
        let (bytes, found) = shape.languages.write(record);
        to.write_all(&bytes)?;
        to.write_all(b"\n")?;
        return Ok(found);
    }
    let (table, (record, found)) = (&shape.table, shape.languages.value(record));
    if shape.format == Format::Csv {
        to.write_all(table.csv_row(&record).as_bytes())?;
        return Ok(found);
    }
    let names = table.columns().iter().cloned();
    let object: Map<_, _> = names.zip(table.row(&record).iter().map(Cell::json)).collect();
    writeln!(to, "{}", Value::Object(object))?;
    Ok(found)
}

async fn write_sheet<R: Stored>(
    moment: &Moment,
    wanted: Wanted<R>,
    shape: &Shape,
    file: &mut File,
) -> Result<Said, Problem> {
    let wrong = Problem::of(R::COLLECTION);
    let count = moment.count(&wanted).await.map_err(&wrong)?;
    if count > SHEET {
        return Err(Problem::too_many_rows(count, SHEET));
    }
    let table = &shape.table;
    let mut book = Workbook::new();
    // The same records are to give the same bytes, so the book has no time of its own.
    let begin = ExcelDateTime::from_ymd(2000, 1, 1).map_err(Problem::unwritten)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&begin));
    let sheet = book.add_worksheet_with_constant_memory().map_err(Problem::unwritten)?;
    sheet.set_name(R::COLLECTION).map_err(Problem::unwritten)?;
    sheet.set_freeze_panes(1, 0).map_err(Problem::unwritten)?;
    let bold = Style::new().set_bold();
    for (name, column) in table.columns().iter().zip(0..) {
        sheet.write_string_with_format(0, column, name, &bold).map_err(Problem::unwritten)?;
    }
    let mut row = 0;
    let mut said = Said::default();
    let mut batches = moment.every(wanted);
    while let Some(records) = batches.next().await.map_err(&wrong)? {
        for record in &records {
            row += 1;
            let (record, found) = shape.languages.value(record);
            said.also(found.as_deref());
            let cells = table.row(&record).into_iter().zip(table.kinds());
            for ((cell, kind), column) in cells.zip(0..) {
                write_cell(sheet, row, column, cell, kind).map_err(Problem::unwritten)?;
            }
        }
    }
    book.save_to_writer(file).map_err(Problem::unwritten)?;
    Ok(said)
}

/// Writes what stands in a column of that kind; numbers and booleans as such.
pub(crate) fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell,
    kind: Kind,
) -> Result<(), XlsxError> {
    let number = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let counted = matches!(kind, Kind::Integer | Kind::Number) && digits <= DIGITS;
        if counted { text.parse::<f64>().ok() } else { None }
    };
    match cell {
        Cell::Empty => return Ok(()),
        Cell::Boolean(yes) => sheet.write_boolean(row, column, yes)?,
        Cell::Number(told) => match number(&told.to_string()) {
            Some(number) => sheet.write_number(row, column, number)?,
            None => sheet.write_string(row, column, told.to_string())?,
        },
        Cell::Text(text) => match number(&text) {
            Some(number) => sheet.write_number(row, column, number)?,
            // A cell holds no more than 32767 characters.
            None => {
                sheet.write_string(row, column, text.chars().take(32_767).collect::<String>())?
            }
        },
    };
    Ok(())
}
