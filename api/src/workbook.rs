//! Workbooks for spreadsheet programs, written row by row.
use std::io::{Seek, Write};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::{
    Problem,
    formats::table::{Cell, Kind},
};

/// How many rows a sheet has beside its header.
const ROWS: u64 = 1_048_575;
/// How many characters a cell holds, as spreadsheet programs count them.
pub(crate) const CELL: usize = 32_767;
/// How many digits of a number a spreadsheet keeps.
const DIGITS: usize = 15;

/// A workbook that is being written; memory does not grow with it.
pub(crate) struct Book {
    file: Workbook,
    header: Vec<String>,
    row: u32,
}

impl Book {
    /// A workbook without a sheet.
    pub(crate) fn new() -> Result<Self, Problem> {
        let mut file = Workbook::new();
        // The same records are to give the same bytes, so the book has no time of its own.
        let begin = ExcelDateTime::from_ymd(2000, 1, 1).map_err(Problem::unwritten)?;
        file.set_properties(&DocProperties::new().set_creation_datetime(&begin));
        Ok(Self { file, header: Vec::new(), row: 0 })
    }

    /// Refuses what no sheet has the rows for.
    pub(crate) fn judge(rows: u64) -> Result<(), Problem> {
        if rows > ROWS { Err(Problem::too_many_rows(rows, ROWS)) } else { Ok(()) }
    }

    /// Begins a sheet of that name, with that header.
    pub(crate) fn sheet(&mut self, name: &str, header: &[String]) -> Result<(), Problem> {
        begin(&mut self.file, name, header).map_err(Problem::unwritten)?;
        (self.header, self.row) = (header.to_vec(), 0);
        Ok(())
    }

    /// Writes the next row of the sheet: what stands in each column, and of which kind that is.
    pub(crate) fn row(
        &mut self,
        cells: impl IntoIterator<Item = (Cell, Kind)>,
    ) -> Result<(), Problem> {
        self.row += 1;
        let last = self.file.worksheets_mut().last_mut();
        let sheet = last.ok_or_else(|| Problem::unwritten("a row comes before its sheet"))?;
        for ((cell, kind), column) in cells.into_iter().zip(0..) {
            if let Cell::Text(text) = &cell
                && !fits_cell(text)
            {
                let name = self.header.get(usize::from(column)).map_or("", String::as_str);
                return Err(Problem::too_long_for_cell(name, self.row + 1, CELL));
            }
            write(sheet, self.row, column, cell, kind).map_err(Problem::unwritten)?;
        }
        Ok(())
    }

    /// Writes the whole workbook.
    pub(crate) fn save(mut self, to: impl Write + Seek + Send) -> Result<(), Problem> {
        self.file.save_to_writer(to).map_err(Problem::unwritten)
    }
}

/// Whether a cell holds all of a text.
pub(crate) fn fits_cell(text: &str) -> bool {
    text.encode_utf16().nth(CELL).is_none()
}

fn begin(file: &mut Workbook, name: &str, header: &[String]) -> Result<(), XlsxError> {
    let sheet = file.add_worksheet_with_constant_memory()?;
    sheet.set_name(name)?.set_freeze_panes(1, 0)?;
    let bold = Format::new().set_bold();
    for (name, column) in header.iter().zip(0..) {
        sheet.write_string_with_format(0, column, name, &bold)?;
    }
    Ok(())
}

/// Writes what stands in a column of that kind; numbers and booleans as such.
fn write(
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
    let text = match cell {
        Cell::Empty => return Ok(()),
        Cell::Boolean(yes) => {
            sheet.write_boolean(row, column, yes)?;
            return Ok(());
        }
        told => told.plain(),
    };
    match number(&text) {
        Some(number) => sheet.write_number(row, column, number)?,
        None => sheet.write_string(row, column, text)?,
    };
    Ok(())
}
