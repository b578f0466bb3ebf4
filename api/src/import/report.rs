//! What came of an import.
use domain::Difference;
use persistence::{Action, Taken};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ImportFormat, MOST_CHANGES, MOST_FAULTS, Order};
use crate::sheet::{CellFault, Matched, Source};

/// What is told of an import, besides where it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Report {
    /// The form that it came in.
    #[schema(example = "csv")]
    pub(crate) format: &'static str,
    /// The collection that the rows belong to; null for a bundle.
    #[schema(value_type = Option<domain::Collection>)]
    pub(crate) resource: Option<String>,
    /// Whether it only tells what would become of it.
    pub(crate) dry_run: bool,
    /// Whether good rows are taken without the bad.
    pub(crate) partial: bool,
    /// Whether what is new is public at once.
    pub(crate) publish: bool,
    /// The system that the external ids come from.
    #[schema(example = "import")]
    pub(crate) system: String,
    /// How the file was read; null for a bundle.
    pub(crate) read: Option<Read>,
    /// What each header of the table stands for, and how that is known; empty for a bundle.
    pub(crate) mapping: Vec<Matched>,
    /// How many rows or records there were of each kind; of a dry run, how many there would be.
    pub counts: Counts,
    /// What was created, changed or proposed, or in a dry run would be: the first of it.
    #[schema(max_items = 500)]
    pub changes: Vec<ImportChange>,
    /// What is wrong: the first of it.
    #[schema(max_items = 1000)]
    pub faults: Vec<ImportFault>,
    /// How many faults there are in all.
    #[schema(example = 1)]
    pub faults_total: u64,
}

/// How a file was read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Read {
    /// The encoding of a text; null for a workbook.
    #[schema(example = "windows-1251")]
    encoding: Option<&'static str>,
    /// What stands between the cells of a text; null for a workbook.
    #[schema(value_type = Option<String>, example = ";")]
    delimiter: Option<char>,
    /// The sheet of a workbook; null for a text.
    #[schema(example = "Sheet1")]
    sheet: Option<String>,
}

impl Read {
    pub(super) fn of(source: &Source) -> Self {
        match source {
            Source::Csv { encoding, delimiter } => {
                Self { encoding: Some(encoding), delimiter: Some(*delimiter), sheet: None }
            }
            Source::Xlsx { sheet, .. } => {
                Self { encoding: None, delimiter: None, sheet: Some(sheet.clone()) }
            }
        }
    }
}

/// How many rows or records there were of each kind; of a dry run, how many there would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// New records.
    pub created: u64,
    /// Records that became others.
    pub changed: u64,
    /// Records that were so already.
    pub left: u64,
    /// Changes to public records that are kept aside until a publisher decides.
    pub proposed: u64,
    /// What was not taken.
    pub refused: u64,
}

/// A record that an import creates or changes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportChange {
    /// The row, as a spreadsheet counts it; null for a bundle.
    #[schema(example = 2)]
    pub row: Option<u64>,
    /// The place in the bundle, as a JSON pointer; null for a table.
    #[schema(example = "/records/seminars/0")]
    pub pointer: Option<String>,
    /// What becomes of it.
    #[schema(example = "changed")]
    pub action: &'static str,
    /// The id of the record; null while it is not there.
    pub id: Option<Uuid>,
    /// The slug of the record, if it has one.
    #[schema(example = "first-seminar-2021")]
    pub slug: Option<String>,
    /// What differs from before; of a new record, its whole body.
    pub differences: Vec<Difference>,
}

/// Something that is wrong with what was sent, and where.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportFault {
    /// The row, as a spreadsheet counts it; null for a bundle.
    #[schema(example = 3)]
    pub row: Option<u64>,
    /// The letter of the column; null for a bundle, and where the sheet has no such column.
    #[schema(example = "C")]
    pub column: Option<String>,
    /// The header of that column.
    #[schema(example = "Дата начала")]
    pub header: Option<String>,
    /// The path of the field; null where it is about the row as a whole.
    #[schema(example = "starts_on")]
    pub field: Option<String>,
    /// The place in the bundle, as a JSON pointer; null for a table.
    pub pointer: Option<String>,
    /// What stands there, cut where it is long.
    #[schema(example = "31.02.2021")]
    pub value: Option<String>,
    /// What is wrong, for programs.
    #[schema(example = "no_such_day")]
    pub code: String,
    /// What is wrong, for people.
    #[schema(example = "There is no such day.")]
    pub detail: String,
}

impl From<CellFault> for ImportFault {
    fn from(fault: CellFault) -> Self {
        Self {
            row: Some(fault.row),
            column: fault.column,
            header: fault.header,
            field: Some(fault.field).filter(|field| !field.is_empty()),
            pointer: None,
            value: fault.value,
            code: fault.code,
            detail: fault.detail,
        }
    }
}

impl Report {
    pub(super) fn of(order: &Order, format: ImportFormat) -> Self {
        Self {
            format: format.name(),
            resource: order.resource.clone(),
            dry_run: order.dry_run,
            partial: order.partial,
            publish: order.publish,
            system: order.system.clone(),
            read: None,
            mapping: Vec::new(),
            counts: Counts::default(),
            changes: Vec::new(),
            faults: Vec::new(),
            faults_total: 0,
        }
    }

    /// The headers, each with the field that it stands for if it is read.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.mapping.iter().map(|one| (&*one.header, one.field.as_deref()))
    }

    /// Of how many more changes it can tell.
    pub(super) fn room(&self) -> usize {
        MOST_CHANGES - self.changes.len()
    }

    /// Notes what became of something.
    pub(super) fn note(&mut self, row: Option<u64>, pointer: Option<String>, taken: Taken) {
        let counts = &mut self.counts;
        let (count, action) = match taken.action {
            Action::Created => (&mut counts.created, Some("created")),
            Action::Changed => (&mut counts.changed, Some("changed")),
            Action::Left => (&mut counts.left, None),
            Action::Proposed => (&mut counts.proposed, Some("proposed")),
            Action::Refused => (&mut counts.refused, None),
        };
        *count += 1;
        if let Some(action) = action.filter(|_| self.room() > 0) {
            let Taken { id, slug, differences, .. } = taken;
            self.changes.push(ImportChange { row, pointer, action, id, slug, differences });
        }
    }

    pub(super) fn fault(&mut self, fault: ImportFault) {
        self.faults_total += 1;
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }

    /// Begins to count anew what becomes of the rows; what is refused stays so.
    pub(super) fn anew(&mut self) {
        self.counts = Counts { refused: self.counts.refused, ..Counts::default() };
        self.changes.clear();
    }
}
