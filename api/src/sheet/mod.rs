//! Sheets that people fill in, CSV or XLSX, as bodies of one resource.
//!
//! - [`Sheet`] reads a file row by row, whatever encoding and delimiter it has.
//! - [`Mapping`] says which field of the resource each header stands for, and how that was known.
//! - [`Draft`] is the body that a row makes; what is wrong with it is told by row, column and value.
//! - [`FaultyRows`] writes the rows that were refused, with the reasons, to be corrected and sent
//!   again.
//!
//! It is the way back from [`crate::formats::table`]: an export, read back, gives the same bodies.
//! Beyond that it reads what people write: `1 234,5`, `05.11.2021`, `да`, `Казахстан`. What may
//! mean two things is refused and never guessed.
mod cell;
mod country;
mod detect;
mod draft;
mod fault;
mod faulty;
mod mapping;
mod quotes;
mod read;
mod shown;
#[cfg(test)]
mod tests;
mod words;
mod workbook;

pub(crate) use fault::{CellFault, MappingFault, SheetFault, in_order};
pub(crate) use faulty::FaultyRows;
pub(crate) use mapping::{Mapping, Matched, NoneWord};
pub(crate) use read::{Row, Sheet, SheetFormat, Source};

/// How many columns a sheet can have.
const WIDEST: usize = 16_384;

/// The column that [`FaultyRows`] adds, and that is not read.
const ERROR: &str = "error";
