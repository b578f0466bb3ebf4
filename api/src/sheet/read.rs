use std::io::{BufReader, Cursor, Read, Seek};

use calamine::{Data, Reader, Xlsx};
use csv::{StringRecord, Terminator};
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::{
    SheetFault,
    detect::{self, Beginning},
};
use crate::formats::table::unguarded;

/// How much of a text is looked at for its delimiter.
const HEAD: u64 = 1 << 16;

/// A form that a sheet comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SheetFormat {
    Csv,
    Xlsx,
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
}

impl Row {
    fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// Whether a row has something in it, or something to say.
fn is_full(row: &Result<Row, SheetFault>) -> bool {
    row.as_ref().map_or(true, |row| !row.is_empty())
}

type Rows = Box<dyn Iterator<Item = Result<Row, SheetFault>> + Send>;

/// A table with a row of headers. Its rows come one by one, and empty ones are passed over.
pub(crate) struct Sheet {
    headers: Vec<String>,
    source: Source,
    rows: Rows,
}

impl Sheet {
    /// A file of that form; of a workbook, its first sheet.
    pub(crate) fn open(
        file: impl Read + Seek + Send + 'static,
        format: SheetFormat,
    ) -> Result<Self, SheetFault> {
        match format {
            SheetFormat::Csv => Self::csv(file),
            SheetFormat::Xlsx => Self::xlsx(file, None),
        }
    }

    /// A text: read once to learn its encoding, and again as far as rows are asked for.
    pub(crate) fn csv(mut file: impl Read + Seek + Send + 'static) -> Result<Self, SheetFault> {
        let encoding = detect::encoding(&mut file)?;
        let mut text = DecodeReaderBytesBuilder::new()
            .encoding(Some(encoding))
            .bom_override(true)
            .strip_bom(true)
            .build(file);
        let mut head = Vec::new();
        text.by_ref().take(HEAD).read_to_end(&mut head)?;
        if head.contains(&0) || head.starts_with(b"PK\x03\x04") {
            return Err(SheetFault::NotText);
        }
        let Beginning { skipped, rows, delimiter } = detect::beginning(&head);
        // Only very old programs end lines without a line feed.
        let end = if head.contains(&b'\n') || !head.contains(&b'\r') { b'\n' } else { b'\r' };
        let rest = Cursor::new(head.split_off(skipped)).chain(text);
        let mut lines = Lines::new(rest, delimiter, end, rows);
        let headers = lines.find(is_full).ok_or(SheetFault::Empty)??.cells;
        let source = Source::Csv { encoding: encoding.name(), delimiter: delimiter.into() };
        Ok(Self::of(headers, source, lines))
    }

    /// A sheet of a workbook: the one of that name, or the first. It is in memory as a whole.
    pub(crate) fn xlsx(file: impl Read + Seek, name: Option<&str>) -> Result<Self, SheetFault> {
        let mut book = Xlsx::new(BufReader::new(file)).map_err(SheetFault::NotWorkbook)?;
        let sheets = book.sheet_names();
        let sheet = match name {
            None => sheets.first(),
            Some(name) => sheets.iter().find(|sheet| *sheet == name),
        };
        let Some(sheet) = sheet.cloned() else {
            let wanted = name.unwrap_or_default().to_owned();
            return Err(SheetFault::NoSheet { wanted, known: sheets });
        };
        let range = book.worksheet_range(&sheet).map_err(SheetFault::NotWorkbook)?;
        let (top, left) = range.start().unwrap_or_default();
        let left = usize::try_from(left).unwrap_or_default();
        let mut rows = range.rows().zip(u64::from(top) + 1..).map(|(cells, number)| {
            let cells = cells.iter().map(text);
            Row { number, cells: vec![String::new(); left].into_iter().chain(cells).collect() }
        });
        let headers = rows.find(|row| !row.is_empty()).ok_or(SheetFault::Empty)?.cells;
        let rows: Vec<_> = rows.map(Ok).collect();
        Ok(Self::of(headers, Source::Xlsx { sheet, sheets }, rows.into_iter()))
    }

    fn of(
        headers: Vec<String>,
        source: Source,
        rows: impl Iterator<Item = Result<Row, SheetFault>> + Send + 'static,
    ) -> Self {
        let headers = headers.into_iter().map(|header| header.trim().to_owned()).collect();
        Self { headers, source, rows: Box::new(rows.filter(is_full)) }
    }

    /// The first row.
    pub(crate) fn headers(&self) -> &[String] {
        &self.headers
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
        let whole = text.chain(Cursor::new([end]));
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
        Some(Ok(Row { number: self.row, cells }))
    }
}

/// A cell of a workbook, as it would stand in an export.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Bool(yes) => yes.to_string(),
        Data::DateTime(moment) => {
            let (year, month, day, hour, minute, ..) = moment.to_ymd_hms_milli();
            let time = format!("{hour:02}:{minute:02}");
            match (moment.as_f64() < 1.0, hour, minute) {
                (true, ..) => time,
                (_, 0, 0) => format!("{year}-{month:02}-{day:02}"),
                _ => format!("{year}-{month:02}-{day:02}T{time}"),
            }
        }
        Data::DateTimeIso(text) => text.strip_suffix("T00:00:00").unwrap_or(text).to_owned(),
        Data::Error(error) => error.to_string(),
    }
}
