//! How far the log is known to go, so that nobody has to ask the database each time.
use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, entity::prelude::Uuid,
};
use tokio::{
    sync::{Mutex, watch},
    time::{sleep, timeout},
};

use crate::{
    Basis, Error, Store,
    basis::{OTHER, place},
    dialect,
    feed::newest,
    log,
    sight::published,
};

/// How long it holds what was seen of the log, where nobody tells of what comes after.
const LEASE: Duration = Duration::from_millis(50);
/// How often it is made sure that who tells of changes is still there, and tells of all.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How often the log is looked at for those who wait for news, where nobody tells of changes.
const OTHERS: Duration = Duration::from_secs(1);
/// How long a database that did not answer is not asked again, if a replica does; and replicas, if the
/// database does.
const AWAY: Duration = Duration::from_secs(2);
/// How many changes are told apart in one look; when there are more, everything has changed.
const MOST_CHANGES: u64 = 1000;
/// Of how many records it is kept when they changed.
const MOST_RECORDS: usize = 20_000;

/// A place in the log, as far as an answer knew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    /// Counted up when the log is not the one that it was.
    era: u64,
    position: i64,
}

/// From what an answer was made, and up to where in the log it is known to hold.
pub struct Made {
    basis: Basis,
    era: u64,
    position: AtomicI64,
}

impl Made {
    /// From that, when so much was known of the log.
    #[must_use]
    pub fn from(basis: Basis, known: Known) -> Self {
        Self { basis, era: known.era, position: AtomicI64::new(known.position) }
    }

    /// From what.
    #[must_use]
    pub fn basis(&self) -> &Basis {
        &self.basis
    }
}

/// What a process knows of the log of a database, and who is to be told of news.
///
/// Nothing that it knows is older than 50 ms or, while somebody tells it of every change,
/// than the last change.
#[derive(Clone, Default)]
pub struct Pulse(Arc<Inner>);

struct Inner {
    news: watch::Sender<()>,
    /// Counted up whenever there may be something new in the log.
    stirred: AtomicU64,
    /// What `stirred` was when the log was last looked at.
    looked: AtomicU64,
    /// Until when what was seen then holds, in milliseconds.
    until: AtomicU64,
    /// Until when the database is taken to be away, if there are replicas.
    away: AtomicU64,
    /// Until when no replica is asked, since none answered; 0 while they do.
    replicas_away: AtomicU64,
    /// Until when somebody is there who tells of changes.
    listens: AtomicU64,
    looking: Mutex<()>,
    era: AtomicU64,
    /// The last position that was seen; none before the first look.
    position: AtomicI64,
    /// Where each collection changed last.
    collections: [AtomicI64; OTHER + 1],
    records: RwLock<Records>,
}

/// Where records changed last, of those that changed after a position.
#[derive(Default)]
struct Records {
    after: i64,
    changed: HashMap<Uuid, i64>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            news: watch::Sender::new(()),
            stirred: AtomicU64::new(1),
            looked: AtomicU64::new(0),
            until: AtomicU64::new(0),
            away: AtomicU64::new(0),
            replicas_away: AtomicU64::new(0),
            listens: AtomicU64::new(0),
            looking: Mutex::new(()),
            era: AtomicU64::new(0),
            position: AtomicI64::new(-1),
            collections: [const { AtomicI64::new(0) }; OTHER + 1],
            records: RwLock::default(),
        }
    }
}

/// A change, as far as it matters here: where, of what, and its state before and after.
type Row = (i64, String, Uuid, Option<String>, Option<String>);

/// What time it is, for leases.
fn now() -> u64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    // A lease of zero has ended.
    u64::try_from(BEGUN.elapsed().as_millis()).unwrap_or(u64::MAX) + 1
}

fn after(begun: u64, lease: Duration) -> u64 {
    begun + u64::try_from(lease.as_millis()).unwrap_or(u64::MAX)
}

impl Known {
    pub(crate) fn position(self) -> i64 {
        self.position
    }
}

impl Pulse {
    /// Changes whenever there may be something new in the log.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<()> {
        self.0.news.subscribe()
    }

    /// The last position of the log that was seen; 0 before the first look.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.0.position.load(SeqCst).max(0)
    }

    /// Tells whoever waits for news to look.
    pub(crate) fn wake(&self) {
        self.0.news.send_replace(());
    }

    /// Notes that there may be something new in the log.
    pub(crate) fn stir(&self) {
        self.0.stirred.fetch_add(1, SeqCst);
        self.wake();
    }

    /// What is known of the log, if that still holds.
    #[must_use]
    pub fn known(&self) -> Option<Known> {
        let inner = &*self.0;
        let now = now();
        let seen = inner.looked.load(SeqCst) == inner.stirred.load(SeqCst);
        let holds = now < inner.until.load(SeqCst) || now < inner.listens.load(SeqCst);
        (seen && holds)
            .then(|| Known { era: inner.era.load(SeqCst), position: inner.position.load(SeqCst) })
    }

    /// Whether nothing that it was made from has changed since.
    #[must_use]
    pub fn holds(&self, made: &Made) -> bool {
        let inner = &*self.0;
        // First, since what comes to the log meanwhile need not be noted yet.
        let position = inner.position.load(SeqCst);
        let since = made.position.load(SeqCst);
        if made.era != inner.era.load(SeqCst) {
            return false;
        }
        if since >= position {
            return true;
        }
        let mut rest = made.basis.collections;
        while rest != 0 {
            let next = rest.trailing_zeros() as usize;
            if inner.collections[next].load(SeqCst) > since {
                return false;
            }
            rest &= rest - 1;
        }
        if !made.basis.records.is_empty() {
            let records = inner.records.read().unwrap_or_else(PoisonError::into_inner);
            let same = |id| records.changed.get(id).is_none_or(|at| *at <= since);
            if since < records.after || !made.basis.records.iter().all(same) {
                return false;
            }
        }
        made.position.fetch_max(position, SeqCst);
        true
    }

    /// Sees what has come to the log, unless somebody did just now.
    ///
    /// While the database is away, a replica tells what it has; it may be behind, and nobody can
    /// write.
    async fn look(&self, store: &Store) -> Result<Known, Error> {
        let inner = &*self.0;
        let _alone = inner.looking.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let stirred = inner.stirred.load(SeqCst);
        let begun = now();
        let Some(replicas) = store.replicas() else {
            return self.see(store.db(), false, stirred, begun).await;
        };
        if inner.away.load(SeqCst) < begun {
            let looking = self.see(store.db(), false, stirred, begun);
            if let Ok(Ok(known)) = timeout(HEARTBEAT, looking).await {
                return Ok(known);
            }
            inner.away.store(after(now(), AWAY), SeqCst);
        }
        self.see(replicas, true, stirred, begun).await
    }

    /// Whether to ask a replica; while none answers, one asker in a while finds out.
    pub(crate) fn asks_replicas(&self) -> bool {
        let away = &self.0.replicas_away;
        let (until, now) = (away.load(SeqCst), now());
        let next = after(now, AWAY);
        until == 0 || until < now && away.compare_exchange(until, next, SeqCst, SeqCst).is_ok()
    }

    /// Notes whether a replica has answered; when that changes, it is told.
    pub(crate) fn replicas_answer(&self, error: Option<&Error>) {
        let away = &self.0.replicas_away;
        if let Some(error) = error {
            if away.swap(after(now(), AWAY), SeqCst) == 0 {
                let cause = error.cause();
                tracing::warn!(%cause, "no replica answers: the public reads from the primary");
            }
        } else if away.load(SeqCst) != 0 && away.swap(0, SeqCst) != 0 {
            tracing::warn!("replicas answer again");
        }
    }

    async fn see(
        &self,
        db: &DatabaseConnection,
        behind: bool,
        stirred: u64,
        begun: u64,
    ) -> Result<Known, Error> {
        let inner = &*self.0;
        let known = inner.position.load(SeqCst);
        let mut newest = newest(db).await?;
        if behind {
            newest = newest.max(known);
        }
        if known < 0 || newest < known {
            // The first look; or a log that has lost its end, as in a copy that took the place of
            // a database.
            inner.era.fetch_add(1, SeqCst);
            self.all_changed(newest);
        } else if newest > known {
            self.note(db, known, newest).await?;
        }
        inner.position.store(newest, SeqCst);
        inner.until.store(after(begun, LEASE), SeqCst);
        inner.looked.store(stirred, SeqCst);
        Ok(Known { era: inner.era.load(SeqCst), position: newest })
    }

    /// Notes what the public can see of the changes up to that position.
    async fn note(&self, db: &impl ConnectionTrait, known: i64, newest: i64) -> Result<(), Error> {
        let inner = &*self.0;
        let rows: Vec<Row> = log::Entity::find()
            .select_only()
            .columns([log::Column::Position, log::Column::Resource, log::Column::RecordId])
            .columns([log::Column::StateBefore, log::Column::State])
            .filter(log::Column::Position.gt(known))
            .filter(log::Column::Position.lte(newest))
            .order_by_asc(log::Column::Position)
            .limit(MOST_CHANGES + 1)
            .into_tuple()
            .all(db)
            .await?;
        if rows.len() as u64 > MOST_CHANGES {
            self.all_changed(newest);
            return Ok(());
        }
        let public = |state: Option<String>| state == Some(published());
        let mut records = inner.records.write().unwrap_or_else(PoisonError::into_inner);
        for (position, resource, id, before, now) in rows {
            let place = place(&resource);
            if place == OTHER || public(before) || public(now) {
                inner.collections[place].fetch_max(position, SeqCst);
                records.changed.insert(id, position);
            }
        }
        if records.changed.len() > MOST_RECORDS {
            *records = Records { after: newest, changed: HashMap::new() };
        }
        Ok(())
    }

    fn all_changed(&self, position: i64) {
        for changed in &self.0.collections {
            changed.store(position, SeqCst);
        }
        let mut records = self.0.records.write().unwrap_or_else(PoisonError::into_inner);
        *records = Records { after: position, changed: HashMap::new() };
    }

    /// Somebody was there at that time who tells of every change.
    fn heard(&self, begun: u64) {
        self.0.listens.store(after(begun, 2 * HEARTBEAT), SeqCst);
    }

    /// Nobody is there to tell of changes.
    fn lost(&self) {
        self.0.listens.store(0, SeqCst);
        self.stir();
    }
}

impl Store {
    /// Up to where the log is known, no older than the last change through this process; what
    /// others change is known at once where the database tells of it, and else a moment later.
    pub async fn known(&self) -> Result<Known, Error> {
        match self.pulse().known() {
            Some(known) => Ok(known),
            None => self.pulse().look(self).await,
        }
    }

    /// Listens for the changes that other instances make; never ends.
    pub async fn watch_others(&self) {
        let pulse = self.pulse();
        let mut seen = None;
        loop {
            match dialect::listener(self).await {
                Ok(Some(listener)) => {
                    listen(pulse, listener).await;
                    pulse.lost();
                }
                // Nobody tells of changes: who waits for news is told when the log has grown.
                Ok(None) => match newest(self.db()).await {
                    Ok(newest) => {
                        if seen.replace(newest) != Some(newest) {
                            pulse.stir();
                        }
                    }
                    Err(error) => tracing::debug!(%error, "the log cannot be looked at"),
                },
                Err(error) => tracing::debug!(%error, "nobody tells of changes"),
            }
            sleep(OTHERS).await;
        }
    }
}

/// Listens for as long as the other side is there.
///
/// Whatever is heard, and every heartbeat, has the log looked at: so nothing is missed where a
/// pool in between hands the session to others.
async fn listen(pulse: &Pulse, mut listener: dialect::Listener) {
    let mut seen = None;
    loop {
        let begun = now();
        match timeout(HEARTBEAT, listener.newest()).await {
            Ok(Ok(newest)) => {
                if seen.replace(newest) != Some(newest) {
                    pulse.stir();
                }
                pulse.heard(begun);
            }
            Ok(Err(error)) => return tracing::debug!(%error, "who tells of changes is gone"),
            Err(_) => return tracing::debug!("who tells of changes does not answer"),
        }
        // Whether it is heard that something came or that the other side is gone, it is asked next.
        let _ = timeout(HEARTBEAT, listener.hear()).await;
    }
}
