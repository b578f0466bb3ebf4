//! Whole lists as files: CSV, NDJSON and XLSX.
use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use actix_web::{HttpRequest, HttpResponse, http::header, web::Path};
use persistence::{Store, Stored};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Problem,
    file::{self, Asked, Said},
    formats::table::{Cell, Table},
    query::{Languages, ListQuery},
    reader::Reader,
    workbook::Book,
};

/// What Excel knows UTF-8 by.
pub(crate) const BOM: &[u8] = "\u{feff}".as_bytes();

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
    let shape = Shape::of_records::<R>(&mut query, format);
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
    let written = asked.answer(request, store, async |moment, file| {
        let wrong = Problem::of(R::COLLECTION);
        if format == Format::Xlsx {
            Book::judge(moment.count(&wanted).await.map_err(&wrong)?)?;
        }
        let mut rows = Rows::begin(&shape, R::COLLECTION, file)?;
        let mut batches = moment.every(wanted);
        while let Some(records) = batches.next().await.map_err(&wrong)? {
            for record in &records {
                rows.add(record)?;
            }
        }
        rows.end()
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

    /// What a request asks of a file of the records of `R`.
    ///
    /// A table of records is taken back, where an empty cell means that nothing is known: so languages
    /// that were not asked for have no columns, and each cell holds what its record does.
    fn of_records<R: Stored>(query: &mut ListQuery, format: Format) -> Self {
        let mut shape = Self::asked(query, format, Table::of::<R>());
        if shape.flat {
            let languages = std::mem::take(&mut shape.languages);
            if !languages.are_all() && !query.gives("fields") {
                shape.table = shape.table.in_languages(&languages);
            }
        }
        shape
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

/// A file that is being written, record by record.
pub(crate) struct Rows<'a> {
    shape: &'a Shape,
    said: Said,
    to: To<'a>,
}

enum To<'a> {
    Lines(BufWriter<&'a mut File>),
    Sheet(Box<Book>, &'a mut File),
}

impl<'a> Rows<'a> {
    /// A file of the records of that name, none of them written yet.
    pub(crate) fn begin(shape: &'a Shape, name: &str, file: &'a mut File) -> Result<Self, Problem> {
        let to = match shape.format {
            Format::Xlsx => {
                let mut book = Book::new()?;
                book.sheet(name, shape.table.columns())?;
                To::Sheet(Box::new(book), file)
            }
            Format::Csv | Format::Ndjson => {
                let mut to = BufWriter::new(file);
                shape.begin(&mut to).map_err(Problem::unwritten)?;
                To::Lines(to)
            }
        };
        Ok(Self { shape, said: Said::default(), to })
    }

    /// Writes the next record.
    pub(crate) fn add(&mut self, record: &impl Serialize) -> Result<(), Problem> {
        let shape = self.shape;
        let found = match &mut self.to {
            To::Lines(to) => write_line(to, record, shape).map_err(Problem::unwritten)?,
            To::Sheet(book, _) => {
                let (record, found) = shape.languages.value(record);
                book.row(shape.table.row(&record).into_iter().zip(shape.table.kinds()))?;
                found
            }
        };
        self.said.also(found.as_deref());
        Ok(())
    }

    /// Ends the file, and says in which languages its texts are.
    pub(crate) fn end(self) -> Result<Said, Problem> {
        match self.to {
            To::Lines(mut to) => to.flush().map_err(Problem::unwritten)?,
            To::Sheet(book, file) => book.save(file)?,
        }
        Ok(self.said)
    }
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
