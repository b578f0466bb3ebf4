use std::{path::PathBuf, sync::Arc};

use sea_orm::DbErr;

use crate::{Store, World, dialect};

/// Is told every statement that is sent to the database.
pub type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// Which database, and how it is to be used.
#[derive(Clone)]
pub struct Database {
    /// `postgres://…` or `sqlite://…`.
    pub url: String,
    /// How many connections a pool holds at most.
    pub connections: u32,
    /// Told of every statement.
    pub observer: Option<Observer>,
    /// Where times and ids come from.
    pub world: World,
}

impl Database {
    /// Opens a pool; its connections are made when they are needed.
    pub async fn open(&self) -> Result<Store, DbErr> {
        let options = dialect::options(&self.url, self.connections);
        let mut db = sea_orm::Database::connect(options).await?;
        if let Some(observer) = self.observer.clone() {
            db.set_metric_callback(move |info| observer(&info.statement.sql));
        }
        Ok(Store::new(db, &self.url, self.world.clone()))
    }

    /// Brings the schema up to date, alone: other instances that start now wait.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        // Before anything is opened: sea-orm asks SQLite for its version at once, and a file that
        // two connections turn to its write-ahead log at the same time is locked for one of them.
        let _alone = dialect::alone(self.file()).await?;
        // On Postgres one connection holds the lock; on SQLite a second one would not know at once
        // of the tables that the first one drops.
        let connections = if self.file().is_some() { 1 } else { 2 };
        let own = Self { connections, observer: None, ..self.clone() };
        dialect::migrate(&own.open().await?).await
    }

    fn file(&self) -> Option<PathBuf> {
        let path = self.url.strip_prefix("sqlite://")?;
        Some(path.split('?').next().unwrap_or(path).into())
    }
}
