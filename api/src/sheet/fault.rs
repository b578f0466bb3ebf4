use serde::Serialize;

/// Why a file cannot be read as a sheet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SheetFault {
    #[error("The file has no row of headers.")]
    Empty,
    #[error(
        "The file is no text: save it as CSV in UTF-8, or send it as the XLSX file that it may be."
    )]
    NotText,
    #[error(
        "The file is no text in {0}: save it as CSV in UTF-8, or name its encoding, as in \
         text/csv; charset=windows-1251."
    )]
    Misencoded(&'static str),
    #[error(
        "The encoding of the file cannot be told for sure: save it as CSV in UTF-8, or name its \
         encoding, as in text/csv; charset=windows-1251."
    )]
    Unclear,
    #[error("A quote that opens in row {0} is not closed.")]
    OpenQuote(u64),
    #[error(
        "In row {0} a cell goes on after the quote that closes it: a quote that is part of a cell is \
         written twice."
    )]
    StrayQuote(u64),
    #[error("The file is no XLSX workbook: {0}.")]
    NotWorkbook(String),
    #[error("The table has more than {0} columns.")]
    TooWide(usize),
    #[error("A cell of the sheet has more than {0} characters.")]
    TooLong(usize),
    #[error("A header has more than {0} bytes: the first row is not one of headers.")]
    LongHeader(usize),
    #[error("The workbook is larger than {0} MiB when it is unpacked.")]
    TooLarge(u64),
    #[error(
        "The cells of the sheet are not in order, or it has more columns than a sheet can have."
    )]
    Disordered,
    #[error("The workbook has no sheet {wanted}: it has {}.", .known.join(", "))]
    NoSheet { wanted: String, known: Vec<String> },
    #[error("The file cannot be read: {0}.")]
    Unreadable(#[from] std::io::Error),
}

impl SheetFault {
    /// Which fault it is, for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Empty => "no_headers",
            Self::NotText => "not_text",
            Self::Misencoded(_) => "wrong_encoding",
            Self::Unclear => "unclear_encoding",
            Self::OpenQuote(_) => "open_quote",
            Self::StrayQuote(_) => "stray_quote",
            Self::NotWorkbook(_) => "not_a_workbook",
            Self::TooWide(_) => "too_many_columns",
            Self::TooLong(_) | Self::LongHeader(_) => "cell_too_long",
            Self::TooLarge(_) => "workbook_too_large",
            Self::Disordered => "disordered_sheet",
            Self::NoSheet { .. } => "no_such_sheet",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl From<calamine::XlsxError> for SheetFault {
    fn from(error: calamine::XlsxError) -> Self {
        Self::NotWorkbook(error.to_string())
    }
}

impl From<zip::result::ZipError> for SheetFault {
    fn from(error: zip::result::ZipError) -> Self {
        Self::NotWorkbook(error.to_string())
    }
}

impl From<csv::Error> for SheetFault {
    fn from(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => error.downcast().unwrap_or_else(Self::Unreadable),
            // Rows may be of any length, so only letters can be wrong.
            _ => Self::NotText,
        }
    }
}

/// What is wrong with a correction of the mapping, or with the headers themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MappingFault {
    /// The header that it is about.
    pub(crate) header: String,
    /// The field that it would stand for.
    pub(crate) field: String,
    /// Which rule, for programs.
    pub(crate) code: &'static str,
    /// What is wrong, for people.
    pub(crate) detail: String,
}

/// Where a column stands among the others, by its letters; what has none is about the whole row.
pub(crate) fn in_order(column: Option<&str>) -> impl Ord + use<> {
    let letters = column.unwrap_or_default();
    (column.is_none(), letters.len(), letters.to_owned())
}

/// A rule that a cell breaks, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellFault {
    /// The row, as a spreadsheet counts it.
    pub(crate) row: u64,
    /// The letter of the column; none where the sheet has no column for the field.
    pub(crate) column: Option<String>,
    /// The header of the column.
    pub(crate) header: Option<String>,
    /// The field of the resource.
    pub(crate) field: String,
    /// What stands there, cut where it is long.
    pub(crate) value: Option<String>,
    /// Which rule, for programs.
    pub(crate) code: String,
    /// What is wrong, for people.
    pub(crate) detail: String,
}
