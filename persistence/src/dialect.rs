//! All that differs between Postgres and SQLite.
use std::{fs::File, path::PathBuf, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::{
        self, Executor,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use sea_orm_migration::MigratorTrait;

const STATEMENT_TIMEOUT: &str = "10s";
const LOCK_TIMEOUT: &str = "5s";
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "15s";
const TEST_AFTER_IDLE: Duration = Duration::from_secs(1);
/// Any number, as long as it is ours: held while the schema is migrated.
const MIGRATION_LOCK: i64 = 0x6361_7061_6369_7401;
/// Held from the moment a change is written to the log until it is committed.
const LOG_LOCK: i64 = 0x6361_7061_6369_7402;

/// How a pool is to behave.
pub(crate) fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(Duration::from_secs(3))
        .sqlx_logging(false)
        .connect_lazy(true)
        // sqlx 0.9.0 can spin for ever when its pool reaps connections, so it is given nothing to
        // reap; those that died are found by testing what has been idle.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire_if_idle_for(TEST_AFTER_IDLE)
        .map_sqlx_postgres_opts(|options| {
            options.application_name("capacity-hub").options([
                ("statement_timeout", STATEMENT_TIMEOUT),
                ("lock_timeout", LOCK_TIMEOUT),
                ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT),
                ("client_min_messages", "error"),
            ])
        })
        .map_sqlx_postgres_pool_opts(|pool| {
            // A `begin` that was given up leaves its session inside a transaction, and the next
            // write there would be acknowledged and lost.
            pool.after_release(|connection, _| {
                Box::pin(async move {
                    connection.execute("ROLLBACK").await?;
                    Ok(true)
                })
            })
        })
        .map_sqlx_sqlite_opts(|options: sqlx::sqlite::SqliteConnectOptions| {
            options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
        });
    options
}

/// Begins a transaction that will write.
pub(crate) async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    db.begin_with_options(TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    })
    .await
}

/// Waits until no other change is being committed, and keeps others waiting until this one is.
///
/// So the positions of the log are handed out in the order in which they become visible. On SQLite
/// a writing transaction is alone anyway.
pub(crate) async fn lock_log(change: &DatabaseTransaction) -> Result<(), DbErr> {
    if change.get_database_backend() == DbBackend::Postgres {
        change.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOG_LOCK})")).await?;
    }
    Ok(())
}

/// Brings the schema up to date, alone: other instances that start now wait.
pub(crate) async fn migrate(db: &DatabaseConnection, file: Option<PathBuf>) -> Result<(), DbErr> {
    if db.get_database_backend() == DbBackend::Postgres {
        let alone = db.begin().await?;
        alone
            .execute_unprepared(&format!(
                "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
                 SET LOCAL idle_in_transaction_session_timeout = 0; \
                 SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
            ))
            .await?;
        migration::Migrator::up(db, None).await?;
        return alone.commit().await;
    }
    let lock = file.map(|file| File::create(file.with_extension("lock"))).transpose();
    let lock = lock.map_err(|error| DbErr::Custom(error.to_string()))?;
    if let Some(lock) = &lock {
        lock.lock().map_err(|error| DbErr::Custom(error.to_string()))?;
    }
    migration::Migrator::up(db, None).await
}
