use std::{path::PathBuf, sync::Arc};

use sea_orm::{DatabaseConnection, DbErr};

use crate::{
    Pulse, Store, World,
    dialect::{self, Purpose},
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
}

impl Pools {
    /// The same for everything.
    pub(crate) fn one(db: DatabaseConnection) -> Self {
        let reading = Reading::Pool(db.clone());
        Self { change: db, list: reading.clone(), key: reading }
    }
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
        }
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
            return Ok(Pools::one(self.pool(url, self.connections, Purpose::Change).await?));
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

    /// Brings the schema up to date, alone: other instances that start now wait.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        // Before anything is opened: sea-orm asks SQLite for its version at once, and a file that
        // two connections turn to its write-ahead log at the same time is locked for one of them.
        let _alone = dialect::alone(self.file()).await?;
        // On Postgres one connection holds the lock; on SQLite a second one would not know at once
        // of the tables that the first one drops.
        let connections = if self.file().is_some() { 1 } else { 2 };
        let own = Self { observer: None, ..self.clone() };
        let pool = own.pool(&own.url, connections, Purpose::Migrate).await?;
        dialect::migrate(&Store::new(Pools::one(pool), None, &own)).await
    }

    fn file(&self) -> Option<PathBuf> {
        let path = self.url.strip_prefix("sqlite://")?;
        Some(path.split('?').next().unwrap_or(path).into())
    }
}
