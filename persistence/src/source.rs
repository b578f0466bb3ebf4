//! Where the public's reads go: to the database, or to a replica that is not behind.
use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, Statement, prelude::async_trait::async_trait,
};

use crate::{Store, dialect, error::lost, feed::newest};

/// Where a request reads.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) pool: DatabaseConnection,
    /// A replica, at one moment; once it is lost, the pool is asked.
    ///
    /// It is one session, since behind one address there may be several replicas.
    pub(crate) replica: Option<Arc<DatabaseTransaction>>,
}

/// A replica that has seen every change that is known of, if one is to be had.
pub(crate) async fn replica(store: &Store) -> Option<DatabaseTransaction> {
    let replicas = store.replicas()?;
    let look = async || {
        let known = store.known().await?;
        let at = dialect::snapshot(replicas).await?;
        let behind = newest(&at).await? < known.position();
        Ok::<_, crate::Error>((!behind).then_some(at))
    };
    look().await.unwrap_or_else(|error| {
        tracing::debug!(%error, "no replica is to be had");
        None
    })
}

#[async_trait]
impl ConnectionTrait for Source {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.pool.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.pool.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let Some(replica) = &self.replica else { return self.pool.query_one_raw(statement).await };
        match replica.query_one_raw(statement.clone()).await {
            Err(error) if lost(&error) => self.pool.query_one_raw(statement).await,
            answer => answer,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(replica) = &self.replica else { return self.pool.query_all_raw(statement).await };
        match replica.query_all_raw(statement.clone()).await {
            Err(error) if lost(&error) => self.pool.query_all_raw(statement).await,
            answer => answer,
        }
    }
}
