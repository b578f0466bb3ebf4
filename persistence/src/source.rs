//! Where the public's reads go: to the database, or to a replica that is not behind.
use std::{sync::Arc, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, Statement, prelude::async_trait::async_trait,
};

use tokio::time::timeout;

use crate::{
    Error, Store, dialect,
    error::{late, lost},
    feed::newest,
    sessions::Sessions,
};

/// How long a replica may take to say how far it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is read through.
#[derive(Clone)]
pub(crate) enum Reading {
    /// What also changes.
    Pool(DatabaseConnection),
    Sessions(Sessions),
}

/// Where a request reads.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) pool: Reading,
    /// A replica, at one moment; once it is lost, the pool is asked.
    ///
    /// It is one session, since behind one address there may be several replicas.
    pub(crate) replica: Option<Arc<DatabaseTransaction>>,
}

/// A replica that has seen every change that is known of, if one is to be had.
pub(crate) async fn replica(store: &Store) -> Option<DatabaseTransaction> {
    let replicas = store.replicas()?;
    let known = store.known().await.ok()?;
    if !store.pulse().asks_replicas() {
        return None;
    }
    let look = async {
        let at = dialect::snapshot(replicas).await?;
        let newest = newest(&at).await?;
        Ok::<_, Error>((at, newest))
    };
    let looked = timeout(PATIENCE, look).await.unwrap_or_else(|_| Err(late()));
    store.pulse().replicas_answer(looked.as_ref().err());
    let (at, newest) = looked.ok()?;
    (newest >= known.position()).then_some(at)
}

impl Reading {
    async fn all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Pool(pool) => pool.query_all_raw(statement).await,
            Self::Sessions(sessions) => sessions.all(statement).await,
        }
    }
}

/// What only reads was asked to write.
fn refused() -> DbErr {
    DbErr::Custom("what only reads was asked to write".to_owned())
}

#[async_trait]
impl ConnectionTrait for Source {
    fn get_database_backend(&self) -> DbBackend {
        match &self.pool {
            Reading::Pool(pool) => pool.get_database_backend(),
            Reading::Sessions(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, _: Statement) -> Result<ExecResult, DbErr> {
        Err(refused())
    }

    async fn execute_unprepared(&self, _: &str) -> Result<ExecResult, DbErr> {
        Err(refused())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(replica) = &self.replica else { return self.pool.all(statement).await };
        match replica.query_all_raw(statement.clone()).await {
            Err(error) if lost(&error) => self.pool.all(statement).await,
            answer => answer,
        }
    }
}
