//! Takes something in: all is checked before anything is written, and then written step by step.
use std::{
    collections::HashSet,
    fs::File,
    io::{BufWriter, Read as _, Seek},
    time::Duration,
};

use futures_util::future::LocalBoxFuture;
use persistence::{
    Action, Author, Error, ImportState, Incoming, Progress, Seen, Store, Stored, Taken, Taking,
    Visitor, visit_all,
};
use tokio::time::sleep;

use super::{ImportFault, MOST_CHANGES, Order, Prepared, Report, order::Content};
use crate::{
    body,
    sheet::{FaultyRows, Mapping, Row, Sheet, SheetFormat, in_order},
};

/// How many rows are written in one transaction.
const STEP: usize = 100;
/// How long others have between two steps: SQLite has one writer at a time, and who waits for their
/// turn there only looks every tenth of a second whether it has come.
const BREATH: Duration = Duration::from_millis(20);
/// How often a step is tried again while the database is away.
const ATTEMPTS: u32 = 5;

/// How an import ended.
#[derive(Debug)]
pub struct Ended {
    /// Whether it was taken.
    pub state: ImportState,
    /// Why it broke off, if it did.
    pub code: Option<&'static str>,
    /// What came of it.
    pub report: Report,
    /// The rows that were refused, as a file; none when there are none.
    pub faults: Option<File>,
}

/// Why an import breaks off.
enum Broken {
    /// It is not to go on.
    Interrupted,
    Store(Error),
    /// A file that was read before cannot be read again, or none can be written.
    Disk(String),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

fn disk(error: impl std::fmt::Display) -> Broken {
    Broken::Disk(error.to_string())
}

impl Broken {
    fn code(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Store(Error::Unavailable(error) | Error::Collided(error)) => {
                tracing::warn!(%error, "the database was away too long for an import");
                "unavailable"
            }
            Self::Store(error) => {
                tracing::error!(%error, "an import failed");
                "internal"
            }
            Self::Disk(error) => {
                tracing::error!(error, "an import failed");
                "internal"
            }
        }
    }
}

impl Prepared {
    /// Takes it in. `goes_on` is told how far that is, and may end it.
    pub async fn run(
        self,
        store: &Store,
        by: &Author,
        goes_on: impl Fn(Progress) -> bool,
    ) -> Ended {
        let Self { order, content, report, total } = self;
        let progress = Progress { total: i64::try_from(total).ok(), ..Progress::default() };
        let mut run = Run {
            store,
            by,
            order: &order,
            goes_on: &goes_on,
            report,
            progress,
            refused: HashSet::new(),
            faulty: None,
        };
        let ended = match content {
            Content::Bundle(bundle) => run.bundle(bundle).await,
            Content::Sheet { file, format, mapping, resource } => {
                let table = Table { file, format, mapping };
                let mut find =
                    Find { resource: &resource, run: Some((&mut run, &table)), task: None };
                visit_all(&mut find);
                match find.task {
                    Some(task) => task.await,
                    None => Ok(ImportState::Refused),
                }
            }
        };
        let (state, code) = match ended {
            Ok(state) => (state, None),
            Err(broken) => (ImportState::Failed, Some(broken.code())),
        };
        let faults = run.faulty.take().and_then(|faulty| {
            let mut file = faulty.finish().ok()?.into_inner().ok()?;
            file.rewind().ok()?;
            Some(file)
        });
        Ended { state, code, report: run.report, faults }
    }
}

/// A table, to be read as often as it takes.
struct Table {
    file: File,
    format: SheetFormat,
    mapping: Mapping,
}

impl Table {
    fn open(&self) -> Result<Sheet, Broken> {
        Prepared::open(&self.file, &self.format).map_err(disk)
    }
}

/// An import on its way.
struct Run<'a> {
    store: &'a Store,
    by: &'a Author,
    order: &'a Order,
    goes_on: &'a dyn Fn(Progress) -> bool,
    report: Report,
    progress: Progress,
    /// The rows that are not to be written.
    refused: HashSet<u64>,
    faulty: Option<FaultyRows<BufWriter<File>>>,
}

impl Run<'_> {
    fn taking(&self) -> Taking {
        let Order { publish, dry_run, system, .. } = self.order;
        let told = self.report.room();
        Taking { publish: *publish, system: system.clone(), dry_run: *dry_run, told }
    }

    /// What is to be told to whom it may concern; breaks off when nobody wants it any more.
    fn go_on(&self) -> Result<(), Broken> {
        if (self.goes_on)(self.progress) { Ok(()) } else { Err(Broken::Interrupted) }
    }

    async fn bundle(&mut self, mut file: File) -> Result<ImportState, Broken> {
        self.go_on()?;
        file.rewind().map_err(disk)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(disk)?;
        // Read as it was when it was looked at: texts in one form, whole numbers as such.
        let bundle = body::parse(&bytes).map_err(disk)?;
        drop(bytes);
        let taking = Taking { told: MOST_CHANGES, ..self.taking() };
        let (store, by) = (self.store, self.by);
        let told = patiently(async || store.import(by, &taking, bundle.clone()).await).await?;
        let mut state = ImportState::Done;
        for told in told {
            for broken in &told.outcome.refused {
                state = ImportState::Refused;
                self.report.fault(ImportFault {
                    row: None,
                    column: None,
                    header: None,
                    field: None,
                    pointer: Some(format!("{}{}", told.pointer, broken.pointer)),
                    value: None,
                    code: broken.code.clone(),
                    detail: broken.detail.clone(),
                });
            }
            self.report.note(None, Some(told.pointer), told.outcome);
        }
        if state == ImportState::Refused {
            state = self.refused();
        }
        let total = self.progress.total.unwrap_or_default();
        self.progress.checked = total;
        if state == ImportState::Done && !self.order.dry_run {
            self.progress.written = total;
        }
        (self.goes_on)(self.progress);
        Ok(state)
    }

    /// Nothing is taken, so nothing was created or changed either; a dry run tells what would be.
    fn refused(&mut self) -> ImportState {
        if !self.order.dry_run {
            self.report.anew();
        }
        ImportState::Refused
    }

    async fn table<R: Stored>(&mut self, table: &Table) -> Result<ImportState, Broken> {
        let fields = table.mapping.fields();
        let mut seen = Seen::default();
        let mut sheet = table.open()?;
        while let Some(rows) = step(&mut sheet, |_| true)? {
            self.go_on()?;
            let all = incoming(&table.mapping, &rows);
            let (store, by, taking) = (self.store, self.by, self.taking());
            let check = async || store.check_rows::<R>(by, &taking, &fields, &mut seen, &all).await;
            let taken = patiently(check).await?;
            self.note(&table.mapping, &sheet, rows, taken)?;
            self.progress.checked += count(&all);
        }
        drop(seen);
        if !self.refused.is_empty() && !self.order.partial {
            return Ok(self.refused());
        }
        if self.order.dry_run {
            return Ok(ImportState::Done);
        }
        self.report.anew();
        let mut sheet = table.open()?;
        let bad = std::mem::take(&mut self.refused);
        while let Some(rows) = step(&mut sheet, |row| !bad.contains(&row.number))? {
            self.go_on()?;
            let all = incoming(&table.mapping, &rows);
            let (store, by, taking) = (self.store, self.by, self.taking());
            let taken =
                patiently(async || store.take_rows::<R>(by, &taking, &fields, &all).await).await?;
            self.note(&table.mapping, &sheet, rows, taken)?;
            self.progress.written += count(&all);
            sleep(BREATH).await;
        }
        (self.goes_on)(self.progress);
        Ok(ImportState::Done)
    }

    /// Notes what became of rows.
    fn note(
        &mut self,
        mapping: &Mapping,
        sheet: &Sheet,
        rows: Vec<Row>,
        taken: Vec<Taken>,
    ) -> Result<(), Broken> {
        for (row, taken) in rows.into_iter().zip(taken) {
            if taken.action == Action::Refused {
                let draft = mapping.draft(&row);
                let mut faults = [draft.faults().to_vec(), draft.tell(&taken.refused)].concat();
                faults.sort_by_cached_key(|fault| in_order(fault.column.as_deref()));
                if self.faulty.is_none() {
                    let file = BufWriter::new(tempfile::tempfile().map_err(disk)?);
                    self.faulty = Some(FaultyRows::new(file, sheet).map_err(disk)?);
                }
                if let Some(faulty) = &mut self.faulty {
                    faulty.add(&row, &faults).map_err(disk)?;
                }
                self.refused.insert(row.number);
                for fault in faults {
                    self.report.fault(fault.into());
                }
            }
            self.report.note(Some(row.number), None, taken);
        }
        Ok(())
    }
}

fn count(rows: &[Incoming]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}

/// The next rows that are wanted; none after the last.
fn step(sheet: &mut Sheet, wanted: impl Fn(&Row) -> bool) -> Result<Option<Vec<Row>>, Broken> {
    let rows = sheet.filter(|row| row.as_ref().map_or(true, &wanted)).take(STEP);
    let rows: Vec<_> = rows.collect::<Result<_, _>>().map_err(disk)?;
    Ok(Some(rows).filter(|rows| !rows.is_empty()))
}

fn incoming(mapping: &Mapping, rows: &[Row]) -> Vec<Incoming> {
    let all = rows.iter().map(|row| {
        let draft = mapping.draft(row);
        let [id, external_id, revision] = mapping.keys(row);
        let (place, body) = (row.number, draft.body().clone());
        let faulty = !draft.faults().is_empty();
        Incoming { place, id, external_id, revision, body, faulty }
    });
    all.collect()
}

/// Tries again for a while what fails since the database is away.
async fn patiently<T>(mut attempt: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
    for wait in 1..ATTEMPTS {
        match attempt().await {
            Err(Error::Unavailable(_) | Error::Collided(_)) => {
                sleep(Duration::from_secs(wait.into())).await;
            }
            other => return other,
        }
    }
    attempt().await
}

type Task<'a> = LocalBoxFuture<'a, Result<ImportState, Broken>>;

/// Finds the resource that the rows belong to.
struct Find<'a, 'r> {
    resource: &'a str,
    run: Option<(&'a mut Run<'r>, &'a Table)>,
    task: Option<Task<'a>>,
}

impl<'a, 'r: 'a> Visitor for Find<'a, 'r> {
    fn visit<R: Stored>(&mut self) {
        if R::COLLECTION == self.resource
            && let Some((run, table)) = self.run.take()
        {
            self.task = Some(Box::pin(run.table::<R>(table)));
        }
    }
}
