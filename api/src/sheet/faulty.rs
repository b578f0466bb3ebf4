use std::io::{self, Write};

use super::{CellFault, ERROR, Row, Sheet, Source};
use crate::formats::table::Cell;

/// Writes rows that were refused, with the reasons in a column of their own, as a CSV that Excel
/// opens: who sent them corrects them there and sends them again.
pub(crate) struct FaultyRows<W: Write> {
    csv: csv::Writer<W>,
    /// The columns that are written; those of errors told before are not.
    columns: Vec<usize>,
    width: usize,
}

impl<W: Write> FaultyRows<W> {
    /// Begins with the headers of the sheet, and with the delimiter that it had.
    pub(crate) fn new(mut to: W, sheet: &Sheet) -> io::Result<Self> {
        to.write_all("\u{feff}".as_bytes())?;
        let delimiter = match sheet.source() {
            Source::Csv { delimiter, .. } => u8::try_from(*delimiter).unwrap_or(b','),
            Source::Xlsx { .. } => b';',
        };
        let mut options = csv::WriterBuilder::new();
        options.delimiter(delimiter).terminator(csv::Terminator::CRLF).flexible(true);
        let headers = sheet.headers();
        let columns: Vec<_> = (0..headers.len()).filter(|place| headers[*place] != ERROR).collect();
        let mut csv = options.from_writer(to);
        let kept = columns.iter().map(|place| headers[*place].as_str());
        csv.write_record(kept.map(guarded).chain([ERROR.to_owned()]))?;
        Ok(Self { csv, columns, width: headers.len() })
    }

    /// A row, and what is wrong with it.
    pub(crate) fn add(&mut self, row: &Row, faults: &[CellFault]) -> io::Result<()> {
        let cell = |place: &usize| row.cells.get(*place).map_or("", String::as_str);
        let kept = self.columns.iter().map(cell).map(guarded);
        let reasons =
            faults.iter().map(|fault| match fault.header.as_ref().unwrap_or(&fault.field) {
                of if of.is_empty() => fault.detail.clone(),
                of => format!("{of}: {}", fault.detail),
            });
        let reasons = guarded(&reasons.collect::<Vec<_>>().join(" "));
        let without_header = row.cells.iter().skip(self.width).map(|cell| guarded(cell));
        Ok(self.csv.write_record(kept.chain([reasons]).chain(without_header))?)
    }

    /// Ends the file.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.csv.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

fn guarded(text: &str) -> String {
    Cell::Text(text.to_owned()).guarded()
}
