use std::io::{self, Read};

use super::{SheetFault, WIDEST};

/// A text of cells on its way to whoever reads them, with an eye on its quotes: one that is not closed
/// would make a single cell of all that follows. A row is held whole, so it also looks how wide they are.
pub(super) struct Quotes<R> {
    text: R,
    delimiter: u8,
    end: u8,
    at: Place,
    /// The row, as a spreadsheet counts it.
    row: u64,
    /// How many cells of it are passed.
    cells: usize,
}

/// Where in a cell a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Beginning,
    Plain,
    Quoted,
    /// After a quote within quotes: it closes the cell, or is half of one that is part of it.
    Quote,
    /// After the quote that closes the cell.
    Closed,
}

impl<R> Quotes<R> {
    /// The rest of a text of which some rows are passed already.
    pub(super) fn new(text: R, delimiter: u8, end: u8, passed: u64) -> Self {
        Self { text, delimiter, end, at: Place::Beginning, row: passed + 1, cells: 0 }
    }

    fn pass(&mut self, byte: u8) -> io::Result<()> {
        self.at = match (self.at, byte) {
            (Place::Quoted, b'"') => Place::Quote,
            (Place::Quoted, _) | (Place::Beginning | Place::Quote, b'"') => Place::Quoted,
            (_, byte) if byte == self.delimiter => {
                self.cells += 1;
                if self.cells >= WIDEST {
                    return Err(io::Error::other(SheetFault::TooWide(WIDEST)));
                }
                Place::Beginning
            }
            (_, byte) if byte == self.end => {
                self.row += 1;
                self.cells = 0;
                Place::Beginning
            }
            (Place::Beginning | Place::Plain, _) => Place::Plain,
            // The quote before it closed the cell; what only fills the place up is no harm.
            (Place::Quote | Place::Closed, b' ' | b'\r') => Place::Closed,
            (Place::Quote | Place::Closed, _) => {
                return Err(io::Error::other(SheetFault::StrayQuote(self.row)));
            }
        };
        Ok(())
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = self.text.read(to)?;
        for byte in &to[..length] {
            self.pass(*byte)?;
        }
        if length == 0 && !to.is_empty() && self.at == Place::Quoted {
            return Err(io::Error::other(SheetFault::OpenQuote(self.row)));
        }
        Ok(length)
    }
}
