use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Seek},
};

use csv::{StringRecord, Terminator};
use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;
use serde::{Deserialize, Serialize};

use super::{
    SheetFault,
    detect::{self, Beginning},
    quotes::Quotes,
};
use crate::formats::table::unguarded;

/// How much of a text is looked at for its delimiter.
const HEAD: u64 = 1 << 16;
/// How many columns a table has at most: no resource has a tenth of that.
const COLUMNS: usize = 1_000;
/// How many bytes a header has at most: it is told again with the report.
const HEADER: usize = 1_000;
/// How many rows are looked at to find the headers.
const ABOVE: usize = 10;

/// A form that a sheet comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SheetFormat {
    /// In that encoding; else in the one that it is found to be in.
    Csv { encoding: Option<&'static Encoding> },
    /// The sheet of that name, or the first.
    Xlsx { sheet: Option<String> },
}

/// What a sheet was read from, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Csv { encoding: &'static str, delimiter: char },
    Xlsx { sheet: String, sheets: Vec<String> },
}

/// A row that has something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// As a spreadsheet counts it, from 1.
    pub(crate) number: u64,
    /// As text, by column.
    pub(crate) cells: Vec<String>,
    /// Those of a workbook that have no value, by column, whatever text stands for it.
    pub(super) odd: BTreeMap<usize, Odd>,
}

/// Why a cell of a workbook has no value, though something stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Odd {
    /// Its formula failed.
    Failed,
    /// Nothing has calculated its formula.
    Uncalculated,
    /// It is a day, of which only a part is shown.
    PartOfDay,
}

impl Row {
    /// How many cells have something in them.
    fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.trim().is_empty()).count()
    }
}

/// Whether a row has something in it, or something to say.
fn is_full(row: &Result<Row, SheetFault>) -> bool {
    row.as_ref().map_or(true, |row| row.filled() > 0)
}

type Rows = Box<dyn Iterator<Item = Result<Row, SheetFault>> + Send>;

/// A table with a row of headers. Its rows come one by one, and empty ones are passed over.
pub(crate) struct Sheet {
    headers: Vec<String>,
    header_row: u64,
    source: Source,
    rows: Rows,
}

impl Sheet {
    /// A file of that form.
    pub(crate) fn open(
        file: impl Read + Seek + Send + 'static,
        format: &SheetFormat,
    ) -> Result<Self, SheetFault> {
        match format {
            SheetFormat::Csv { encoding } => Self::csv(file, *encoding),
            SheetFormat::Xlsx { sheet } => Self::xlsx(file, sheet.as_deref()),
        }
    }

    /// A text: read once to learn its encoding, or to see that it is the one it is said to be, and
    /// again as far as rows are asked for.
    pub(crate) fn csv(
        mut file: impl Read + Seek + Send + 'static,
        encoding: Option<&'static Encoding>,
    ) -> Result<Self, SheetFault> {
        let encoding = detect::encoding(&mut file, encoding)?;
        let mut text = DecodeReaderBytesBuilder::new()
            .encoding(Some(encoding))
            .bom_override(true)
            .strip_bom(true)
            .build(file);
        let mut head = Vec::new();
        text.by_ref().take(HEAD).read_to_end(&mut head)?;
        if head.contains(&0) {
            return Err(SheetFault::NotText);
        }
        let Beginning { skipped, rows, delimiter } = detect::beginning(&head);
        // Only very old programs end lines without a line feed.
        let end = if head.contains(&b'\n') || !head.contains(&b'\r') { b'\n' } else { b'\r' };
        let rest = Cursor::new(head.split_off(skipped)).chain(text);
        let source = Source::Csv { encoding: encoding.name(), delimiter: delimiter.into() };
        Self::of(source, Lines::new(rest, delimiter, end, rows))
    }

    /// Finds the headers among rows: people write a line or two above their table, which has more
    /// columns than such a line.
    pub(super) fn of(
        source: Source,
        rows: impl Iterator<Item = Result<Row, SheetFault>> + Send + 'static,
    ) -> Result<Self, SheetFault> {
        let mut rows = rows.filter(is_full);
        let mut first = Vec::new();
        for row in rows.by_ref().take(ABOVE) {
            let row = row?;
            let is_table = row.filled() > 1;
            first.push(row);
            if is_table {
                break;
            }
        }
        let above = first.iter().position(|row| row.filled() > 1).unwrap_or_default();
        let mut first = first.into_iter().skip(above);
        let Row { number: header_row, cells: headers, .. } =
            first.next().ok_or(SheetFault::Empty)?;
        if headers.len() > COLUMNS {
            return Err(SheetFault::TooWide(COLUMNS));
        }
        if headers.iter().any(|header| header.len() > HEADER) {
            return Err(SheetFault::LongHeader(HEADER));
        }
        let headers = headers.into_iter().map(|header| header.trim().to_owned()).collect();
        Ok(Self { headers, header_row, source, rows: Box::new(first.map(Ok).chain(rows)) })
    }

    /// The first row of the table.
    pub(crate) fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The number of that row.
    pub(crate) fn header_row(&self) -> u64 {
        self.header_row
    }

    /// What was found out about the file.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }
}

impl Iterator for Sheet {
    type Item = Result<Row, SheetFault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

/// The rows of a text, of which one at a time is in memory.
struct Lines<R> {
    reader: csv::Reader<R>,
    record: StringRecord,
    row: u64,
}

impl<R: Read> Lines<R> {
    /// The rows of a text that ends its lines with that byte; some are passed already.
    fn new(text: R, delimiter: u8, end: u8, passed: u64) -> Lines<impl Read> {
        let mut options = csv::ReaderBuilder::new();
        options.has_headers(false).flexible(true).delimiter(delimiter);
        options.terminator(Terminator::Any(end));
        let whole = Quotes::new(text, delimiter, end, passed).chain(Cursor::new([end]));
        Lines { reader: options.from_reader(whole), record: StringRecord::new(), row: passed }
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<Row, SheetFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let before = self.reader.position().line();
        match self.reader.read_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error.into())),
        }
        // The reader passes over empty lines without a word, and a spreadsheet counts them.
        let passed = self.reader.position().line() - before;
        let within: usize = self.record.iter().map(|cell| cell.matches('\n').count()).sum();
        self.row += passed.saturating_sub(within as u64).max(1);
        let cells = self.record.iter().map(|cell| unguarded(cell).to_owned());
        let mut cells: Vec<_> = cells.collect();
        if let Some(last) = cells.last_mut().filter(|last| last.ends_with('\r')) {
            last.pop();
        }
        Some(Ok(Row { number: self.row, cells, odd: BTreeMap::new() }))
    }
}
