//! Workbooks of Excel, of which one row at a time is in memory.
use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write},
};

use calamine::{DataRef, Reader, Xlsx, XlsxError};

use super::{Row, Sheet, SheetFault, Source, cell::UNCALCULATED};

/// How large a workbook may be once it is unpacked: a hundred thousand rows of fifty columns fit well.
const UNPACKED: u64 = 512 * 1024 * 1024;
/// How many columns a sheet can have.
const COLUMNS: u32 = 16_384;

/// The cells of a row that have something in them, each with its column.
type Cells = Vec<(usize, String)>;

impl Sheet {
    /// A sheet of a workbook: the one of that name, or the first.
    ///
    /// The reader of workbooks cannot be kept open, so the rows are laid down in a file.
    pub(crate) fn xlsx(mut file: impl Read + Seek, name: Option<&str>) -> Result<Self, SheetFault> {
        measure(&mut file)?;
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
        let rows = taken_up(laid_down(&mut book, &sheet)?);
        Self::of(Source::Xlsx { sheet, sheets }, rows)
    }
}

/// Refuses what would unpack to more than can be taken: what an archive says of its own size need
/// not be true.
fn measure(file: &mut (impl Read + Seek)) -> Result<(), SheetFault> {
    let mut archive = zip::ZipArchive::new(&mut *file)?;
    let mut left = UNPACKED;
    for place in 0..archive.len() {
        let unpacked = archive.by_index(place)?.take(left + 1);
        let size = io::copy(&mut { unpacked }, &mut io::sink())?;
        left = left.checked_sub(size).ok_or(SheetFault::TooLarge(UNPACKED / 1024 / 1024))?;
    }
    file.rewind()?;
    Ok(())
}

/// Lays down the rows of a sheet in a file.
fn laid_down(book: &mut Xlsx<impl Read + Seek>, sheet: &str) -> Result<File, SheetFault> {
    let mut file = BufWriter::new(tempfile::tempfile()?);
    let mut cells = match book.worksheet_cells_reader(sheet) {
        // A chart has no cells.
        Err(XlsxError::NotAWorksheet(_)) => return Err(SheetFault::Empty),
        reader => reader?,
    };
    let mut open: (u32, Cells) = (0, Vec::new());
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        let (row, column) = cell.pos;
        if row < open.0 || column >= COLUMNS {
            return Err(SheetFault::Disordered);
        }
        if row > open.0 {
            lay_down(&mut file, &open)?;
            open = (row, Vec::new());
        }
        let text = match (&cell.formula, &cell.value) {
            (Some(_), DataRef::Empty) => UNCALCULATED.to_owned(),
            (_, value) => text(value),
        };
        if !text.is_empty() {
            open.1.push((column as usize, text));
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
        let width = filled.iter().map(|(column, _)| column + 1).max().unwrap_or_default();
        let mut cells = vec![String::new(); width];
        for (column, text) in filled {
            cells[column] = text;
        }
        Ok(Row { number: u64::from(row) + 1, cells })
    })
}

fn lay_down(file: &mut impl Write, row: &(u32, Cells)) -> io::Result<()> {
    if row.1.is_empty() {
        return Ok(());
    }
    serde_json::to_writer(&mut *file, row)?;
    file.write_all(b"\n")
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
