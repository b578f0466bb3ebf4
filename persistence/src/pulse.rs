//! How far the log is known to go, so that nobody has to ask the database each time.
use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    entity::prelude::Uuid,
};
use tokio::{
    sync::{Mutex, watch},
    time::{sleep, timeout},
};

use crate::{
    Basis, Error, Store,
    basis::{OTHER, place},
    dialect,
    error::late,
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
    /// Whether a replica told it, which may be behind what listeners were told of.
    behind: AtomicBool,
    /// When a look failed last.
    failed: AtomicU64,
    /// The last position that was written through this process and not seen yet, if there are
    /// replicas; else 0.
    wrote: AtomicI64,
    /// The last position that was heard of.
    heard: AtomicI64,
    /// Until when the database is taken to be away, if there are replicas.
    away: AtomicU64,
    /// Until when no replica is asked, since none answered; 0 while they do.
    replicas_away: AtomicU64,
    /// Until when somebody is there who tells of changes.
    listens: AtomicU64,
    /// What was changed at the last position that was seen.
    looking: Mutex<Option<Mark>>,
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
            behind: AtomicBool::new(false),
            failed: AtomicU64::new(0),
            wrote: AtomicI64::new(0),
            heard: AtomicI64::new(0),
            away: AtomicU64::new(0),
            replicas_away: AtomicU64::new(0),
            listens: AtomicU64::new(0),
            looking: Mutex::default(),
            era: AtomicU64::new(0),
            position: AtomicI64::new(-1),
            collections: [const { AtomicI64::new(0) }; OTHER + 1],
            records: RwLock::default(),
        }
    }
}

/// Tells a change from one that another history has at its position.
type Mark = (Uuid, DateTime<Utc>);
/// A change, as far as it matters here: where, of what, when, and its state before and after.
type Row = (i64, String, Uuid, DateTime<Utc>, Option<String>, Option<String>);

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

    /// The last position of the log that was seen or heard of; 0 before the first look.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.0.position.load(SeqCst).max(self.0.heard.load(SeqCst)).max(0)
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

    /// Notes that the log was written as far as that.
    pub(crate) fn wrote(&self, position: i64) {
        self.0.wrote.fetch_max(position, SeqCst);
    }

    /// Hears that the log goes as far as that.
    fn hear(&self, newest: i64) {
        self.0.heard.store(newest, SeqCst);
        self.stir();
    }

    /// What is known of the log, if that still holds.
    #[must_use]
    pub fn known(&self) -> Option<Known> {
        let inner = &*self.0;
        let now = now();
        let seen = inner.looked.load(SeqCst) == inner.stirred.load(SeqCst);
        // Who listens was told of what a replica need not have yet.
        let listens = || !inner.behind.load(SeqCst) && now < inner.listens.load(SeqCst);
        let holds = now < inner.until.load(SeqCst) || listens();
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
        let asked = now();
        let mut mark = inner.looking.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        if inner.failed.load(SeqCst) >= asked {
            // Each who waited for that would find the same, one after the other.
            return Err(late());
        }
        let looked = self.look_alone(store, &mut mark).await;
        if looked.is_err() {
            inner.failed.store(now(), SeqCst);
        }
        looked
    }

    async fn look_alone(&self, store: &Store, mark: &mut Option<Mark>) -> Result<Known, Error> {
        let inner = &*self.0;
        let stirred = inner.stirred.load(SeqCst);
        let begun = now();
        let primary = store.first_hand();
        let Some(replicas) = store.replicas() else {
            let looking = self.see(&primary, mark, false, stirred, begun);
            return timeout(AWAY, looking).await.unwrap_or_else(|_| Err(late()));
        };
        if inner.away.load(SeqCst) < begun {
            let looking = self.see(&primary, mark, false, stirred, begun);
            if let Ok(Ok(known)) = timeout(HEARTBEAT, looking).await {
                return Ok(known);
            }
            inner.away.store(after(now(), AWAY), SeqCst);
        }
        let looking = self.see(replicas, mark, true, stirred, begun);
        timeout(AWAY, looking).await.unwrap_or_else(|_| Err(late()))
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

    /// Reads what has come to the log, in one statement: behind one address there may be several
    /// replicas, which are not equally far.
    async fn see(
        &self,
        db: &impl ConnectionTrait,
        mark: &mut Option<Mark>,
        behind: bool,
        stirred: u64,
        begun: u64,
    ) -> Result<Known, Error> {
        let inner = &*self.0;
        let wrote = inner.wrote.load(SeqCst);
        let known = inner.position.load(SeqCst);
        let rows = match known < 0 {
            true => Vec::new(),
            false => changes_since(db, known).await?,
        };
        let mark_of = |row: &Row| (row.2, row.3);
        let begins = rows.first().filter(|row| row.0 == known).map(mark_of);
        // Else it has lost its end or is another, as in a copy that took the place of a database.
        let goes_on = known == 0 || begins.is_some() && begins == *mark;
        // A replica need not have come as far.
        let lags = behind && known > 0 && rows.is_empty();
        let (position, last) = if goes_on && rows.len() as u64 <= MOST_CHANGES + 1 {
            let last = rows.last().map_or((known, *mark), |row| (row.0, Some(mark_of(row))));
            self.note(last.0, rows.into_iter().filter(|row| row.0 > known));
            last
        } else if lags {
            (known, *mark)
        } else {
            if !goes_on {
                inner.era.fetch_add(1, SeqCst);
            }
            let last = newest_change(db).await?;
            self.all_changed(last.0);
            last
        };
        if behind && position < wrote {
            // It would be told to who wrote that.
            return Err(late());
        }
        *mark = last;
        inner.position.store(position, SeqCst);
        inner.until.store(after(begun, LEASE), SeqCst);
        inner.behind.store(behind, SeqCst);
        inner.looked.store(stirred, SeqCst);
        if !behind {
            let _ = inner.wrote.compare_exchange(wrote, 0, SeqCst, SeqCst);
        }
        Ok(Known { era: inner.era.load(SeqCst), position })
    }

    /// Notes what the public can see of the changes up to that position.
    fn note(&self, newest: i64, rows: impl IntoIterator<Item = Row>) {
        let inner = &*self.0;
        let public = |state: Option<String>| state == Some(published());
        let mut records = inner.records.write().unwrap_or_else(PoisonError::into_inner);
        for (position, resource, id, _, before, now) in rows {
            let place = place(&resource);
            if place == OTHER || public(before) || public(now) {
                inner.collections[place].fetch_max(position, SeqCst);
                records.changed.insert(id, position);
            }
        }
        if records.changed.len() > MOST_RECORDS {
            *records = Records { after: newest, changed: HashMap::new() };
        }
    }

    fn all_changed(&self, position: i64) {
        for changed in &self.0.collections {
            changed.store(position, SeqCst);
        }
        let mut records = self.0.records.write().unwrap_or_else(PoisonError::into_inner);
        *records = Records { after: position, changed: HashMap::new() };
    }

    /// Somebody was there at that time who tells of every change.
    fn listens_at(&self, begun: u64) {
        self.0.listens.store(after(begun, 2 * HEARTBEAT), SeqCst);
    }

    /// Nobody is there to tell of changes.
    fn lost(&self) {
        self.0.listens.store(0, SeqCst);
        self.stir();
    }
}

/// The change at that position and those after it, up to one more than are told apart.
async fn changes_since(db: &impl ConnectionTrait, position: i64) -> Result<Vec<Row>, Error> {
    let rows = log::Entity::find()
        .select_only()
        .columns([log::Column::Position, log::Column::Resource, log::Column::RecordId])
        .columns([log::Column::At, log::Column::StateBefore, log::Column::State])
        .filter(log::Column::Position.gte(position))
        .order_by_asc(log::Column::Position)
        .limit(MOST_CHANGES + 2);
    Ok(rows.into_tuple().all(db).await?)
}

/// The last change, and its position.
async fn newest_change(db: &impl ConnectionTrait) -> Result<(i64, Option<Mark>), Error> {
    let newest = log::Entity::find()
        .select_only()
        .columns([log::Column::Position, log::Column::RecordId, log::Column::At])
        .order_by_desc(log::Column::Position);
    let newest: Option<(i64, Uuid, DateTime<Utc>)> = newest.into_tuple().one(db).await?;
    Ok(newest.map_or((0, None), |(position, id, at)| (position, Some((id, at)))))
}

/// Who listens; afterwards nobody is there to tell of changes, however it ended.
struct Listening<'a>(&'a Pulse);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.lost();
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
                    listen(&Listening(pulse), listener).await;
                }
                // Nobody tells of changes: who waits for news is told when the log has grown.
                Ok(None) => match newest(self.db()).await {
                    Ok(newest) => {
                        if seen.replace(newest) != Some(newest) {
                            pulse.hear(newest);
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
async fn listen(Listening(pulse): &Listening<'_>, mut listener: dialect::Listener) {
    let mut seen = None;
    loop {
        let begun = now();
        match timeout(HEARTBEAT, listener.newest()).await {
            Ok(Ok(newest)) => {
                if seen.replace(newest) != Some(newest) {
                    pulse.hear(newest);
                }
                pulse.listens_at(begun);
            }
            Ok(Err(error)) => return tracing::debug!(%error, "who tells of changes is gone"),
            Err(_) => return tracing::debug!("who tells of changes does not answer"),
        }
        // Whether it is heard that something came or that the other side is gone, it is asked next.
        let _ = timeout(HEARTBEAT, listener.hear()).await;
    }
}
