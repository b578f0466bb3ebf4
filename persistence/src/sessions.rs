//! Sessions with Postgres that only read, one statement at a time.
//!
//! The pool of sqlx asks a session whether it lives each time that it comes back, which takes as
//! long as a small statement. Here it is the statement that finds out: one that finds its session
//! gone is sent once more, in a new one.
use std::time::Instant;

use deadpool::{
    Runtime,
    managed::{Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult},
};
use sea_orm::{
    ConnAcquireErr, DbErr, QueryResult, RuntimeErr, Statement,
    sqlx::{
        self, AssertSqlSafe, Connection,
        postgres::{PgConnectOptions, PgConnection},
    },
};
use sea_query_sqlx::SqlxValues;

use crate::{
    Observer,
    dialect::{PATIENCE, TEST_AFTER_IDLE},
    error::lost,
};

/// Some sessions with the same settings.
#[derive(Clone)]
pub(crate) struct Sessions {
    pool: Pool<Opener>,
    observer: Option<Observer>,
}

/// How a session is begun.
struct Opener(PgConnectOptions);

struct Session {
    connection: PgConnection,
    /// Whether the answer to what was asked is still to be read.
    asked: bool,
    used: Instant,
}

impl Manager for Opener {
    type Type = Session;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Session, sqlx::Error> {
        let connection = PgConnection::connect_with(&self.0).await?;
        Ok(Session { connection, asked: false, used: Instant::now() })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<sqlx::Error> {
        // Whoever gave up waiting has left an answer behind; after this it is read.
        if session.asked || session.used.elapsed() > TEST_AFTER_IDLE {
            session.connection.ping().await.map_err(RecycleError::Backend)?;
            session.asked = false;
        }
        Ok(())
    }
}

impl Sessions {
    /// So many at most; each is begun when it is needed.
    pub(crate) fn new(
        options: PgConnectOptions,
        most: u32,
        observer: Option<Observer>,
    ) -> Result<Self, DbErr> {
        let pool = Pool::builder(Opener(options))
            .max_size(most as usize)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            // The one that was used last is warm.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| DbErr::Custom(error.to_string()))?;
        Ok(Self { pool, observer })
    }

    /// The rows that the statement finds.
    pub(crate) async fn all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if let Some(observer) = &self.observer {
            observer(&statement.sql);
        }
        let session = self.session().await?;
        match ask(session, &statement).await {
            Err(error) if lost(&error) => {
                // Those that wait beside it are as old.
                self.pool.retain(|_, _| false);
                ask(self.session().await?, &statement).await
            }
            answer => answer,
        }
    }

    async fn session(&self) -> Result<Object<Opener>, DbErr> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
            PoolError::Timeout(_) => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            _ => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        })
    }
}

async fn ask(
    mut session: Object<Opener>,
    statement: &Statement,
) -> Result<Vec<QueryResult>, DbErr> {
    let values = statement.values.clone().unwrap_or(sea_orm::Values(Vec::new()));
    let query = sqlx::query_with(AssertSqlSafe(&*statement.sql), SqlxValues(values));
    session.asked = true;
    let answer = query.fetch_all(&mut session.connection).await;
    session.asked = false;
    session.used = Instant::now();
    match answer {
        Ok(rows) => Ok(rows.into_iter().map(QueryResult::from).collect()),
        Err(error) => {
            let error = DbErr::Query(RuntimeErr::SqlxError(error.into()));
            if lost(&error) {
                drop(Object::take(session));
            }
            Err(error)
        }
    }
}
