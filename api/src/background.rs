//! What the process does beside answering requests.
use persistence::Database;
use tokio::sync::watch;

use crate::{delivery::deliver, webhook::ToPrivate};

/// Does it, until the service stops.
pub(crate) async fn run(
    database: Database,
    ToPrivate(to_private): ToPrivate,
    stopping: watch::Sender<bool>,
) {
    // A pool is driven by the thread that opened it; what is done here is nobody's request.
    let own = Database { connections: 4, observer: None, ..database };
    match own.open().await {
        Ok(store) => {
            let watching = store.watch_others();
            let delivering = deliver(store.clone(), to_private, stopping.subscribe());
            tokio::select! {
                () = watching => {}
                () = delivering => {}
            }
        }
        Err(error) => tracing::error!(%error, "nothing is done beside answering requests"),
    }
}
