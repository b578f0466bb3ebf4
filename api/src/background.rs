//! What the process does beside answering requests.
use persistence::Database;
use tokio::sync::{mpsc::UnboundedReceiver, watch};

use crate::{
    delivery::deliver,
    import::{self, Job},
    webhook::ToPrivate,
};

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
                _ = futures_util::future::join(delivering, importing) => {}
            }
        }
        Err(error) => tracing::error!(%error, "nothing is done beside answering requests"),
    }
}
