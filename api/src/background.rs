//! What the process does beside answering requests.
use std::time::Duration;

use persistence::{Database, Error, Store};
use tokio::{
    sync::{mpsc::UnboundedReceiver, watch},
    time::sleep,
};

use crate::{
    delivery::deliver,
    import::{self, Job},
    webhook::ToPrivate,
};

/// How often what is kept for a while only is looked through.
const FORGET: Duration = Duration::from_hours(1);
/// How often it is looked for people whose data is to be kept no longer.
const RETAIN: Duration = Duration::from_hours(1);

/// Does it, until the service stops.
pub(crate) async fn run(
    database: Database,
    ToPrivate(to_private): ToPrivate,
    jobs: UnboundedReceiver<Job>,
    stopping: watch::Sender<bool>,
) {
    // A pool is driven by the thread that opened it; what is done here is nobody's request.
    let own = Database { connections: 4, observer: None, ..database };
    match own.open().await {
        Ok(store) => {
            let watching = store.watch_others();
            let delivering = deliver(store.clone(), to_private, stopping.subscribe());
            let importing = import::work(store.clone(), jobs, stopping.subscribe());
            tokio::select! {
                () = watching => {}
                () = forget(&store) => {}
                () = retain(&store) => {}
                _ = futures_util::future::join(delivering, importing) => {}
            }
        }
        Err(error) => tracing::error!(%error, "nothing is done beside answering requests"),
    }
}

/// Forgets what is kept for a while only, now and then.
async fn forget(store: &Store) {
    let note = |what, forgotten: Result<(), Error>| {
        if let Err(error) = forgotten {
            tracing::warn!(%error, "old {what} cannot be forgotten");
        }
    };
    loop {
        sleep(FORGET).await;
        note("deliveries", store.forget_deliveries().await);
        note("answers", store.forget_answers().await);
        note("imports", store.forget_imports().await);
    }
}

/// Takes away what identifies participants whose time is over, at once and then now and again.
async fn retain(store: &Store) {
    loop {
        match store.retain_participants().await {
            Ok(0) => {}
            Ok(erased) => tracing::info!(erased, "participants are no longer named"),
            Err(error) => tracing::warn!(%error, "the time of participants cannot be looked at"),
        }
        sleep(RETAIN).await;
    }
}
