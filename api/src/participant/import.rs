//! Takes in a table of participants, whole or not at all.
use std::{collections::BTreeMap, io::Cursor, time::Duration};

use actix_web::{
    HttpRequest,
    web::{self, Data, Payload},
};
use domain::Participant;
use encoding_rs::UTF_8;
use persistence::Store;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, COLLECTION, registrar};
use crate::{
    ImportFault, Problem,
    answer::private,
    body,
    crud::apart,
    idempotency,
    import::{Imports, MOST_FAULTS, unreadable},
    query::ListQuery,
    sheet::{CellFault, Mapping, MappingFault, NoneWord, Row, Sheet, in_order},
};

/// How many bytes a table has at most.
pub(crate) const LIMIT: usize = 16 * 1024 * 1024;
/// How many rows a table has at most: they are written in one transaction.
pub(crate) const MOST_ROWS: usize = 100_000;
/// How long a table may take to arrive.
const PATIENCE: Duration = Duration::from_mins(5);
const CSV: &str = "text/csv";
/// Words for who did not come, and for a certificate without a number.
pub(crate) const NONE: [NoneWord; 2] =
    [("days_attended", "none"), ("certificate.number", "unnumbered")];

/// What became of a table of participants.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ParticipantImport {
    /// How many rows are about somebody new.
    #[schema(minimum = 0, example = 40)]
    created: u64,
    /// How many rows change what was known of somebody.
    #[schema(minimum = 0, example = 1)]
    changed: u64,
    /// Of how many of these each field changes; what it was and becomes is not told.
    #[schema(example = json!({"days_attended": 1}))]
    changed_fields: BTreeMap<String, u64>,
    /// How many rows tell what was known already.
    #[schema(minimum = 0, example = 2)]
    unchanged: u64,
    /// What is wrong: the first of it. Where anything is, no row was taken.
    #[schema(max_items = 1000)]
    refused: Vec<ImportFault>,
    /// How many faults there are in all.
    #[schema(minimum = 0, example = 0)]
    refused_total: u64,
}

impl ParticipantImport {
    fn fault(&mut self, fault: ImportFault) {
        self.refused_total += 1;
        if self.refused.len() < MOST_FAULTS {
            self.refused.push(fault);
        }
    }
}

pub(super) async fn take(
    request: HttpRequest,
    store: Data<Store>,
    imports: Data<Imports>,
    payload: Payload,
) -> Answer {
    let by = registrar(&request, &store).await?;
    let mut query = ListQuery::of_feed(&request)?;
    let dry_run = query.flag("dry_run");
    query.refuse_rest();
    query.judge()?;
    idempotency::refuse(&request)?;
    if !body::is(&request, CSV) {
        return Err(Problem::media_type(CSV, false));
    }
    let place = imports.place()?;
    let mut text = Vec::new();
    let keep = |part: web::Bytes| {
        text.extend_from_slice(&part);
        Ok(())
    };
    body::each(payload, LIMIT, PATIENCE, keep).await?;
    let read = move || {
        let _place = place;
        Table::read(text)
    };
    let read = web::block(read).await.map_err(|_| Problem::internal())?;
    let Table { mapping, rows, people, mut told } = read?;
    let only_judged = dry_run || told.refused_total > 0;
    let fields = mapping.as_ref().map(Mapping::fields).unwrap_or_default();
    let judge = async move {
        let (places, bodies): (Vec<_>, Vec<_>) = people.into_iter().unzip();
        let taken = store.import_participants(&by, &bodies, &fields, only_judged).await?;
        Ok((taken, places))
    };
    let (taken, places) = apart(COLLECTION, judge).await?;
    if let Some(mapping) = mapping {
        for (place, broken) in &taken.refused {
            let row = &rows[places[*place]];
            for fault in mapping.draft(row).tell(broken) {
                told.fault(fault.into());
            }
        }
    }
    if told.refused_total == 0 {
        told.created = taken.created;
        told.changed = taken.changed;
        told.changed_fields = taken.fields;
        told.unchanged = taken.unchanged;
    }
    told.refused.sort_by_cached_key(|fault| (fault.row, in_order(fault.column.as_deref())));
    Ok(private().json(told))
}

/// A table, read as far as it can be.
struct Table {
    /// What its columns mean; none where that cannot be told.
    mapping: Option<Mapping>,
    rows: Vec<Row>,
    /// Who can be read, each with the place of their row.
    people: Vec<(usize, Participant)>,
    told: ParticipantImport,
}

impl Table {
    fn read(text: Vec<u8>) -> Result<Self, Problem> {
        let sheet =
            Sheet::csv(Cursor::new(text), Some(UTF_8)).map_err(|fault| unreadable(&fault))?;
        let header_row = sheet.header_row();
        let columns = sheet.headers().len() as u64;
        let mapping = Mapping::guess::<Participant>(sheet.headers(), &BTreeMap::new());
        let mut table = Self {
            mapping: None,
            rows: Vec::new(),
            people: Vec::new(),
            told: ParticipantImport::default(),
        };
        for row in sheet {
            if table.rows.len() == MOST_ROWS {
                let detail = format!("A table of participants has at most {MOST_ROWS} rows.");
                return Err(Problem::unreadable_file("too_many_rows", detail));
            }
            table.rows.push(row.map_err(|fault| unreadable(&fault))?);
        }
        match mapping {
            Ok(mapping) => table.fill(mapping.with_none(&NONE), header_row),
            Err(faults) => {
                for fault in faults {
                    table.told.fault(of_header(fault, header_row).into());
                }
            }
        }
        match table.told.refused.first() {
            // Not a table of participants at all.
            Some(fault) if table.rows.is_empty() && table.told.refused_total >= columns => {
                Err(Problem::unreadable_file(&fault.code, fault.detail.clone()))
            }
            _ => Ok(table),
        }
    }

    fn fill(&mut self, mapping: Mapping, header_row: u64) {
        let filled = |column: usize| {
            let mut cells = self.rows.iter().filter_map(|row| row.cells.get(column));
            cells.any(|cell| !cell.trim().is_empty())
        };
        for fault in mapping.strange(header_row, filled) {
            self.told.fault(fault.into());
        }
        for (place, row) in self.rows.iter().enumerate() {
            match mapping.read(row) {
                Ok(person) => self.people.push((place, person)),
                Err(faults) => {
                    for fault in faults {
                        self.told.fault(fault.into());
                    }
                }
            }
        }
        self.mapping = Some(mapping);
    }
}

/// What is wrong with a header.
fn of_header(fault: MappingFault, row: u64) -> CellFault {
    let MappingFault { header, field, code, detail } = fault;
    let header = Some(header);
    CellFault { row, column: None, header, field, value: None, code: code.to_owned(), detail }
}
