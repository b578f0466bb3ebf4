//! Workbooks of Excel, of which one row at a time is in memory.
use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write},
};

use calamine::{DataRef, Reader, Xlsx, XlsxError};

use quick_xml::{Reader as XmlReader, events::Event};

use super::{
    Row, Sheet, SheetFault, Source, WIDEST,
    read::Odd,
    shown::{self, Shown},
};
use crate::workbook::{CELL, fits_cell};

/// How large a workbook may be once it is unpacked: a hundred thousand rows of fifty columns fit well.
const UNPACKED: u64 = 512 * 1024 * 1024;
/// How many bytes of the part with the shared texts are looked at for how many it says there are.
const HEAD: u64 = 64 * 1024;
/// How many bytes a shared text takes at least: `<si/>`.
const SHARED: u64 = 5;

/// The cells of a row that have something in them, each with its column.
type Cells = Vec<(usize, String, Option<Odd>)>;

/// What a spreadsheet shows where it could not calculate a formula.
const UNCALCULATED: &str = "#CALC!";

impl Sheet {
    /// A sheet of a workbook: the one of that name, or the first.
    ///
    /// The reader of workbooks cannot be kept open, so the rows are laid down in a file.
    pub(crate) fn xlsx(mut file: impl Read + Seek, name: Option<&str>) -> Result<Self, SheetFault> {
        measure(&mut file)?;
        let mut shown = shown::Cells::of(&mut file, name)?;
        file.rewind()?;
        let mut book = Xlsx::new(BufReader::new(file))?;
        let sheets = book.sheet_names();
        let sheet = match name {
            None => sheets.first(),
            Some(name) => sheets.iter().find(|sheet| *sheet == name),
        };
        let Some(sheet) = sheet.cloned() else {
            let wanted = name.unwrap_or_default().to_owned();
            return Err(SheetFault::NoSheet { wanted, known: sheets });
        };
        let rows = taken_up(laid_down(&mut book, &sheet, &mut shown)?);
        Self::of(Source::Xlsx { sheet, sheets }, rows)
    }
}

/// Refuses what would unpack to more than can be taken, or has room made for more: what an archive and
/// its parts say of their own size need not be true.
fn measure(file: &mut (impl Read + Seek)) -> Result<(), SheetFault> {
    let mut archive = zip::ZipArchive::new(&mut *file)?;
    let mut left = UNPACKED;
    for place in 0..archive.len() {
        let part = archive.by_index(place)?;
        let shared = part.name()?.to_ascii_lowercase().ends_with("sharedstrings.xml");
        let mut unpacked = part.take(left + 1);
        let mut head = Vec::new();
        if shared {
            unpacked.by_ref().take(HEAD).read_to_end(&mut head)?;
        }
        let size = head.len() as u64 + io::copy(&mut unpacked, &mut io::sink())?;
        if shared && texts(&head).is_none_or(|texts| texts > size / SHARED) {
            let detail = "its shared texts are not as many as it says";
            return Err(SheetFault::NotWorkbook(detail.to_owned()));
        }
        left = left.checked_sub(size).ok_or(SheetFault::TooLarge(UNPACKED / 1024 / 1024))?;
    }
    file.rewind()?;
    Ok(())
}

/// How many shared texts a part says that it has; none if that is nowhere in its beginning.
fn texts(head: &[u8]) -> Option<u64> {
    let mut xml = XmlReader::from_reader(head);
    loop {
        match xml.read_event().ok()? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == b"sst" => {
                let count = tag.try_get_attribute("uniqueCount").ok()?;
                // Whoever does not say it has no room made for it.
                return count.map_or(Some(0), |count| {
                    std::str::from_utf8(&count.value).ok()?.trim().parse().ok()
                });
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// Lays down the rows of a sheet in a file.
fn laid_down(
    book: &mut Xlsx<impl Read + Seek>,
    sheet: &str,
    shown: &mut shown::Cells,
) -> Result<File, SheetFault> {
    let mut file = BufWriter::new(tempfile::tempfile()?);
    let mut cells = match book.worksheet_cells_reader(sheet) {
        // A chart has no cells.
        Err(XlsxError::NotAWorksheet(_)) => return Err(SheetFault::Empty),
        reader => reader?,
    };
    let mut open: (u32, Cells) = (0, Vec::new());
    let mut next = 0;
    let mut left = UNPACKED;
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        let (row, column) = cell.pos;
        if row > open.0 {
            lay_down(&mut file, &open)?;
            (open, next) = ((row, Vec::new()), 0);
        }
        let column = column as usize;
        if row < open.0 || column < next || column >= WIDEST {
            return Err(SheetFault::Disordered);
        }
        next = column + 1;
        let (text, odd) = match (&cell.formula, &cell.value, shown.next()?) {
            (Some(_), DataRef::Empty, _) => (UNCALCULATED.to_owned(), Some(Odd::Uncalculated)),
            (_, DataRef::Error(error), _) => (error.to_string(), Some(Odd::Failed)),
            (_, value, Shown::Whole) => (text(value), None),
            (_, value, shown) => shown_as(value, shown),
        };
        if !fits_cell(&text) {
            return Err(SheetFault::TooLong(CELL));
        }
        // A shared text is laid down for each cell that names it.
        let taken = left.checked_sub(text.len() as u64);
        left = taken.ok_or(SheetFault::TooLarge(UNPACKED / 1024 / 1024))?;
        if !text.is_empty() {
            open.1.push((column, text, odd));
        }
    }
    lay_down(&mut file, &open)?;
    let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

/// The rows that were laid down there.
fn taken_up(file: File) -> impl Iterator<Item = Result<Row, SheetFault>> + Send {
    BufReader::new(file).lines().map(|line| {
        let (row, filled): (u32, Cells) = serde_json::from_str(&line?).map_err(io::Error::from)?;
        let width = filled.iter().map(|(column, ..)| column + 1).max().unwrap_or_default();
        let mut cells = vec![String::new(); width];
        let odd = filled.iter().filter_map(|(column, _, odd)| Some((*column, (*odd)?))).collect();
        for (column, text, _) in filled {
            cells[column] = text;
        }
        Ok(Row { number: u64::from(row) + 1, cells, odd })
    })
}

fn lay_down(file: &mut impl Write, row: &(u32, Cells)) -> io::Result<()> {
    if row.1.is_empty() {
        return Ok(());
    }
    serde_json::to_writer(&mut *file, row)?;
    file.write_all(b"\n")
}

/// A cell of which less is shown than it holds, as it is shown. What else it holds may be made up by
/// the spreadsheet, as the first day of a month that somebody typed; where it is no such day, that
/// cannot be told.
fn shown_as(cell: &DataRef, shown: Shown) -> (String, Option<Odd>) {
    let text = text(cell);
    let is_day = matches!(cell, DataRef::DateTime(_) | DataRef::DateTimeIso(_));
    let made_up = match (cell, shown) {
        (DataRef::Int(_) | DataRef::Float(_), Shown::Percent) => return (hundredths(&text), None),
        (_, Shown::Month) if is_day => "-01",
        (_, Shown::Year) if is_day => "-01-01",
        (_, Shown::Part) if is_day => return (text, Some(Odd::PartOfDay)),
        _ => return (text, None),
    };
    match text.strip_suffix(made_up) {
        Some(rest) => (rest.to_owned(), None),
        None => (text, Some(Odd::PartOfDay)),
    }
}

/// A number in hundredths, with their sign.
fn hundredths(number: &str) -> String {
    // So many digits are left that none of them comes from the multiplication.
    let hundredths = number.parse().unwrap_or(f64::NAN) * 1e12;
    format!("{}%", hundredths.round() / 1e10)
}

/// A cell, as it would stand in an export.
fn text(cell: &DataRef) -> String {
    match cell {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(moment) => {
            let (year, month, day, hour, minute, ..) = moment.to_ymd_hms_milli();
            let time = format!("{hour:02}:{minute:02}");
            match (moment.as_f64() < 1.0, hour, minute) {
                (true, ..) => time,
                (_, 0, 0) => format!("{year}-{month:02}-{day:02}"),
                _ => format!("{year}-{month:02}-{day:02}T{time}"),
            }
        }
        DataRef::DateTimeIso(text) => text.strip_suffix("T00:00:00").unwrap_or(text).to_owned(),
        DataRef::Error(error) => error.to_string(),
    }
}
