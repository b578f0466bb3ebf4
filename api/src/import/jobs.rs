//! Takes in what was sent, beside answering requests.
use std::{
    cell::Cell,
    fs::File,
    io::{BufRead, BufReader},
    panic::AssertUnwindSafe,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use persistence::{Author, Error, ImportState, Progress, Store};
use serde_json::json;
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    task::JoinSet,
    time::sleep,
};
use uuid::Uuid;

use super::Prepared;
use crate::Problem;

/// How many imports are taken in at the same time.
const AT_ONCE: usize = 2;
/// How many may wait for that, or be on their way to the service.
const WAITING: usize = 16;
/// How often it is noted how far an import is.
const BEAT: Duration = Duration::from_millis(500);
/// How much of a file is kept in one piece.
const PART: usize = 128 * 1024;

/// An import that waits to be taken in.
pub(crate) struct Job {
    pub(super) id: Uuid,
    pub(super) by: Author,
    pub(super) prepared: Prepared,
    pub(super) place: Place,
}

/// A place among the imports that are on their way.
pub(crate) struct Place(#[allow(dead_code, reason = "it is held")] OwnedSemaphorePermit);

/// Where imports are handed in.
pub(crate) struct Imports {
    jobs: UnboundedSender<Job>,
    places: Arc<Semaphore>,
}

impl Imports {
    pub(crate) fn new() -> (Self, UnboundedReceiver<Job>) {
        let (jobs, waiting) = unbounded_channel();
        (Self { jobs, places: Arc::new(Semaphore::new(WAITING)) }, waiting)
    }

    /// A place for one more, if there is one.
    pub(crate) fn place(&self) -> Result<Place, Problem> {
        let place = self.places.clone().try_acquire_owned();
        place.map(Place).map_err(|_| Problem::too_many_imports())
    }

    /// Hands in an import; gives it back when the service is about to stop.
    pub(super) fn hand_in(&self, job: Job) -> Result<(), Uuid> {
        self.jobs.send(job).map_err(|job| job.0.id)
    }
}

/// Takes in what is handed in, until the service stops: what is on its way then breaks off.
pub(crate) async fn work(
    store: Store,
    mut jobs: UnboundedReceiver<Job>,
    mut stopping: watch::Receiver<bool>,
) {
    let turns = Rc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let stops = stopping.clone();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(_) = running.join_next(), if !running.is_empty() => {}
            job = jobs.recv() => match job {
                Some(job) => {
                    let work = one(store.clone(), job, turns.clone(), stops.clone());
                    running.spawn_local(work);
                }
                None => break,
            }
        }
    }
    jobs.close();
    while let Ok(job) = jobs.try_recv() {
        report(store.interrupt_import(job.id).await);
    }
    while running.join_next().await.is_some() {}
}

async fn one(store: Store, job: Job, turns: Rc<Semaphore>, stopping: watch::Receiver<bool>) {
    let Job { id, by, prepared, place: _place } = job;
    let progress = Cell::new(Progress::default());
    let stands = Cell::new(true);
    let work = async {
        let _turn = turns.acquire().await;
        stands.set(store.stands(&by).await?);
        let goes_on = |now| {
            progress.set(now);
            stands.get() && !*stopping.borrow()
        };
        let mut ended = prepared.run(&store, &by, goes_on).await;
        if !stands.get() && ended.state == ImportState::Failed {
            ended.code = Some("revoked");
        }
        if let Some(faults) = ended.faults {
            keep(&store, id, faults).await?;
        }
        let told = json!(ended.report);
        store.end_import(id, ended.state, ended.code, Some((progress.get(), &told))).await?;
        tracing::info!(import = %id, state = ended.state.name(), "an import is over");
        Ok(())
    };
    let beats = async {
        loop {
            sleep(BEAT).await;
            let noted = store.note_import(id, progress.get()).await;
            match noted.and(store.stands(&by).await) {
                Ok(true) => {}
                Ok(false) => stands.set(false),
                Err(error) => {
                    tracing::warn!(%error, import = %id, "how far an import is cannot be noted");
                }
            }
        }
    };
    let worked: Result<Result<(), Error>, _> = tokio::select! {
        worked = AssertUnwindSafe(work).catch_unwind() => worked,
        () = beats => Ok(Ok(())),
    };
    match worked {
        Ok(Ok(())) => return,
        Ok(Err(error)) => {
            tracing::error!(%error, import = %id, "what came of an import cannot be kept");
        }
        Err(_) => tracing::error!(import = %id, "an import panicked"),
    }
    report(store.end_import(id, ImportState::Failed, Some("internal"), None).await);
}

/// Keeps a file in parts, none of which ends within a line.
async fn keep(store: &Store, id: Uuid, file: File) -> Result<(), Error> {
    let mut lines = BufReader::new(file);
    for number in 0.. {
        let mut part = String::new();
        while part.len() < PART {
            match lines.read_line(&mut part) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, import = %id, "the refused rows cannot be read back");
                    return Ok(());
                }
            }
        }
        if part.is_empty() {
            break;
        }
        // Postgres takes no such character in a text.
        store.keep_import_part(id, number, part.replace('\0', "")).await?;
    }
    Ok(())
}

fn report(noted: Result<(), Error>) {
    if let Err(error) = noted {
        tracing::warn!(%error, "what came of an import cannot be noted");
    }
}
