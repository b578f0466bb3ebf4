use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::Semaphore;

use crate::{
    Pulse, Store, Tallies, World,
    dialect::{self, Alone, Purpose, Schema},
    sessions::Sessions,
    source::Reading,
};

/// Is told every statement that is sent to the database.
pub type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// The sessions with a database, by what they are for.
#[derive(Clone)]
pub(crate) struct Pools {
    pub(crate) change: DatabaseConnection,
    pub(crate) list: Reading,
    pub(crate) key: Reading,
    /// How many moments are read at once: half of the sessions, so that who reads long keeps none who
    /// writes, or brings a token, from theirs.
    pub(crate) moments: Arc<Semaphore>,
}

impl Pools {
    /// The same for everything.
    pub(crate) fn one(db: DatabaseConnection, connections: u32) -> Self {
        let reading = Reading::Pool(db.clone());
        Self { change: db, list: reading.clone(), key: reading, moments: moments(connections) }
    }
}

/// Room for as many moments as leave half of so many sessions.
fn moments(connections: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((connections as usize / 2).max(1)))
}

/// Which database, and how it is to be used.
#[derive(Clone)]
pub struct Database {
    /// `postgres://…` or `sqlite://…`.
    pub url: String,
    /// Copies of it that follow it, and may be behind: what the public reads is read there.
    pub replicas: Option<String>,
    /// How many connections a worker holds at most; on Postgres four at least.
    pub connections: u32,
    /// Told of every statement.
    pub observer: Option<Observer>,
    /// Where times and ids come from.
    pub world: World,
    /// What the process knows of its log.
    pub pulse: Pulse,
    /// What the process keeps of figures.
    pub tallies: Tallies,
}

impl Database {
    /// The database at that address, used as is usual.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            replicas: None,
            connections: 4,
            observer: None,
            world: World::default(),
            pulse: Pulse::default(),
            tallies: Tallies::default(),
        }
    }

    /// The database in that file.
    pub fn in_file(file: &Path) -> io::Result<Self> {
        Ok(Self::at(&dialect::address(file)?))
    }

    /// Opens a pool; its connections are made when they are needed.
    pub async fn open(&self) -> Result<Store, DbErr> {
        let pools = self.pools(&self.url).await?;
        let replicas = match &self.replicas {
            None => None,
            Some(url) => Some(self.pool(url, self.connections, Purpose::Change).await?),
        };
        Ok(Store::new(pools, replicas, self))
    }

    async fn pools(&self, url: &str) -> Result<Pools, DbErr> {
        if self.file().is_some() {
            let pool = self.pool(url, self.connections, Purpose::Change).await?;
            return Ok(Pools::one(pool, self.connections));
        }
        let part = (self.connections / 4).max(1);
        let rest = self.connections.saturating_sub(2 * part).max(2);
        let reading = |purpose| {
            let options = dialect::session(url, purpose)?;
            Ok::<_, DbErr>(Reading::Sessions(Sessions::new(options, part, self.observer.clone())?))
        };
        Ok(Pools {
            change: self.pool(url, rest, Purpose::Change).await?,
            list: reading(Purpose::List)?,
            key: reading(Purpose::Key)?,
            moments: moments(rest),
        })
    }

    async fn pool(
        &self,
        url: &str,
        connections: u32,
        purpose: Purpose,
    ) -> Result<DatabaseConnection, DbErr> {
        let options = dialect::options(url, connections, purpose);
        let mut db = sea_orm::Database::connect(options).await?;
        if let Some(observer) = self.observer.clone() {
            db.set_metric_callback(move |info| observer(&info.statement.sql));
        }
        Ok(db)
    }

    /// Waits until no other instance does what one does at a time, and keeps others waiting.
    pub async fn alone(&self) -> Result<Alone, DbErr> {
        match self.file() {
            Some(file) => dialect::alone_with_file(file).await,
            None => dialect::alone_with(&self.own(Purpose::Migrate).await?).await,
        }
    }

    /// Brings the schema up to date, alone: other instances that start now wait.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        self.reach().await?;
        // Before anything is opened: sea-orm asks SQLite for its version at once, and a file that
        // two connections turn to its write-ahead log at the same time is locked for one of them.
        let alone = self.alone().await?;
        // One connection: a second one would not know at once of the tables that the first one
        // drops on SQLite.
        let pool = self.own(Purpose::Migrate).await?;
        let own = Self { observer: None, ..self.clone() };
        dialect::migrate(&Store::new(Pools::one(pool, 1), None, &own)).await?;
        alone.end().await
    }

    /// How far its schema is; nothing is made to find out.
    pub async fn schema(&self) -> Result<Schema, DbErr> {
        if self.file().is_some_and(|file| !file.exists()) {
            return Ok(Schema::None);
        }
        self.reach().await?;
        let db = self.own(Purpose::Change).await?;
        let schema = dialect::schema(&db).await;
        db.close().await?;
        schema
    }

    /// Why its replicas cannot be read from, if they cannot: they do not answer, or hold something else.
    pub async fn replicas_fault(&self) -> Option<String> {
        let url = self.replicas.as_deref()?;
        let look = async {
            dialect::reach(url).await?;
            let store = self.open().await?;
            store.replicas_follow().await
        };
        let told = match look.await {
            Ok(true) => return None,
            Ok(false) => "its log begins otherwise: it is no copy of the database".to_owned(),
            Err(error) => error.cause(),
        };
        Some(format!("{}: {told}", dialect::place(url)))
    }

    /// Where it is, for people: without what is secret in its address.
    #[must_use]
    pub fn place(&self) -> String {
        dialect::place(&self.url)
    }

    /// The file, where that is the database.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        dialect::file(&self.url)
    }

    /// Tells why Postgres does not answer, if it does not.
    async fn reach(&self) -> Result<(), DbErr> {
        match self.file() {
            Some(_) => Ok(()),
            None => dialect::reach(&self.url).await,
        }
    }

    async fn own(&self, purpose: Purpose) -> Result<DatabaseConnection, DbErr> {
        Self { observer: None, ..self.clone() }.pool(&self.url, 1, purpose).await
    }
}
