//! Whether the service lives, and whether it can serve.
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, http::header, rt, web::Data};
use persistence::Store;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Problem, service::Stopping};

const PATIENCE: Duration = Duration::from_secs(2);
/// How often a worker shows that it does one thing after the other.
const BEAT: Duration = Duration::from_secs(1);
/// After how many seconds without that it is taken to be stuck.
const STUCK: u64 = 30;

/// When each worker showed last that it is not stuck, in seconds since they all began.
pub(crate) struct Beats {
    begun: Instant,
    of: Mutex<Vec<Weak<AtomicU64>>>,
}

impl Beats {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), of: Mutex::default() }
    }

    /// Has the worker that this is called in show it, until it ends.
    pub(crate) fn begin(&self) {
        let begun = self.begun;
        let beat = Arc::new(AtomicU64::new(begun.elapsed().as_secs()));
        self.of.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&beat));
        rt::spawn(async move {
            loop {
                beat.store(begun.elapsed().as_secs(), SeqCst);
                tokio::time::sleep(BEAT).await;
            }
        });
    }

    /// Whether one has not for long, as of that second.
    fn is_one_stuck(&self, now: u64) -> bool {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        of.retain(|beat| beat.strong_count() > 0);
        let late = |beat: Arc<AtomicU64>| now > beat.load(SeqCst) + STUCK;
        of.iter().filter_map(Weak::upgrade).any(late)
    }
}

/// How the service is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`; a service that is not well answers with a problem.
    #[schema(example = "ok")]
    status: &'static str,
}

fn well() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Health { status: "ok" })
}

/// Whether the process lives
///
/// Answers as long as the process can answer at all, also while the database is away; 503 when a part
/// of it has been stuck for half a minute. Restart it then.
#[utoipa::path(get, path = "/health/live", tag = "service", operation_id = "readLiveness",
    responses((status = 200, description = "It lives.", body = Health)))]
pub(crate) async fn live(beats: Data<Beats>) -> Result<HttpResponse, Problem> {
    match beats.is_one_stuck(beats.begun.elapsed().as_secs()) {
        true => Err(Problem::unavailable()),
        false => Ok(well()),
    }
}

/// Whether the service can serve
///
/// Asks the database, and its replicas where there are some: while only they answer, reads go on and
/// writes are answered 503. A balancer sends requests here only while this answers 200; once the
/// service is told to end, it does not.
#[utoipa::path(get, path = "/health/ready", tag = "service", operation_id = "readReadiness",
    responses((status = 200, description = "It can serve.", body = Health)))]
pub(crate) async fn ready(
    store: Data<Store>,
    stopping: Data<Stopping>,
) -> Result<HttpResponse, Problem> {
    if stopping.now() {
        return Err(Problem::unavailable());
    }
    match tokio::time::timeout(PATIENCE, store.ping()).await {
        Ok(Ok(())) => Ok(well()),
        _ => Err(Problem::unavailable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_does_nothing_else_for_half_a_minute_is_stuck_and_one_that_has_ended_is_not() {
        let beats = Beats::new();
        let worker = rt::System::new();
        worker.block_on(async {
            beats.begin();
            tokio::time::sleep(Duration::from_millis(1)).await;
        });
        assert!(!beats.is_one_stuck(STUCK), "it has shown itself");
        assert!(beats.is_one_stuck(STUCK + 2), "not since");
        worker.block_on(async { tokio::time::sleep(3 * BEAT).await });
        assert!(!beats.is_one_stuck(STUCK + 2), "it goes on");
        drop(worker);
        assert!(!beats.is_one_stuck(10 * STUCK), "it has ended");
    }
}
