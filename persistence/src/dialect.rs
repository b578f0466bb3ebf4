//! All that differs between Postgres and SQLite.
use std::{
    fs::File,
    io, iter,
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use sea_orm::{
    AccessMode, ColumnTrait, ConnectOptions, ConnectionTrait, DatabaseConnection,
    DatabaseTransaction, DbBackend, DbErr, IsolationLevel, RuntimeErr, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
    sea_query::{Alias, Expr, Query, SelectStatement, SimpleExpr},
    sqlx::{
        self, ConnectOptions as _, Connection, Executor,
        postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions},
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use sea_orm_migration::{MigrationStatus, MigratorTrait};

use crate::{
    Error, Store,
    search::{self, Part},
    words::Words,
};

const STATEMENT_TIMEOUT: &str = "10s";
const LOCK_TIMEOUT: &str = "5s";
/// How long a session is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "15s";
/// What was not used for so long is asked whether it is there, before it is used.
pub(crate) const TEST_AFTER_IDLE: Duration = Duration::from_secs(1);
/// Any number, as long as it is ours: held while the schema is migrated.
const MIGRATION_LOCK: i64 = 0x6361_7061_6369_7401;
/// Held from the moment a change is written to the log until it is committed.
const LOG_LOCK: i64 = 0x6361_7061_6369_7402;

/// Where changes are told.
const CHANNEL: &str = "capacity_hub";
/// The last change of the schema that this program knows.
static NEWEST: LazyLock<String> = LazyLock::new(migration::newest);

/// Hears of the changes that are committed, through a session of its own.
pub(crate) struct Listener(PgListener);

/// Begins to listen, where the database tells of changes.
pub(crate) async fn listener(store: &Store) -> Result<Option<Listener>, sqlx::Error> {
    if store.db().get_database_backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let options = store.database().parse::<PgConnectOptions>()?;
    let options = options.application_name("capacity-hub listens").disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(3))
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(Some(Listener(listener)))
}

impl Listener {
    /// Returns when something was told, or who tells is gone.
    pub(crate) async fn hear(&mut self) {
        // All that was told so far is one piece of news.
        if matches!(self.0.try_recv().await, Ok(Some(_))) {
            while self.0.next_buffered().is_some() {}
        }
    }

    /// The position of the newest change, if who tells is there.
    pub(crate) async fn newest(&mut self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(r#"SELECT coalesce(max(position), 0) FROM "change""#)
            .fetch_one(&mut self.0)
            .await
    }
}

/// What the sessions of a pool are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Transactions, and whatever writes.
    Change,
    /// To bring the schema up to date: takes as long as it takes, and reads whole tables.
    Migrate,
    /// To read what filters find. Values are spread unevenly: a plan made for all of them is a bad
    /// one for most, so each gets its own.
    List,
    /// To read what keys name: whichever it is, the same plan serves, and is made once.
    Key,
}

/// How a pool is to behave.
pub(crate) fn options(url: &str, connections: u32, purpose: Purpose) -> ConnectOptions {
    let mut options = unguarded(url, connections, purpose);
    options.map_sqlx_postgres_pool_opts(|pool| {
        // A `begin` that was given up leaves its session inside a transaction, and the next write
        // there would be acknowledged and lost. ROLLBACK alone would have Postgres log a warning
        // each time that there is nothing to roll back.
        pool.after_release(|connection, _| {
            Box::pin(async move {
                connection.execute("BEGIN; ROLLBACK").await?;
                Ok(true)
            })
        })
    });
    options
}

/// The same, where what a session was left in stays with it.
fn unguarded(url: &str, connections: u32, purpose: Purpose) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false)
        .connect_lazy(true)
        // sqlx 0.9.0 can spin for ever when its pool reaps connections, so it is given nothing to
        // reap; those that died are found by testing what has been idle.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire_if_idle_for(TEST_AFTER_IDLE)
        .map_sqlx_postgres_opts(move |options| settings(options, purpose))
        .map_sqlx_sqlite_opts(|options: SqliteConnectOptions| {
            options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                // What was taken away is not to be read in the file.
                .pragma("secure_delete", "on")
        });
    options
}

/// How a session that only reads is begun.
pub(crate) fn session(url: &str, purpose: Purpose) -> Result<PgConnectOptions, DbErr> {
    let options = url.parse::<PgConnectOptions>();
    let options = options.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
    Ok(settings(options, purpose).disable_statement_logging())
}

fn settings(options: PgConnectOptions, purpose: Purpose) -> PgConnectOptions {
    let options = options.application_name("capacity-hub").options([
        ("lock_timeout", LOCK_TIMEOUT),
        ("client_min_messages", "error"),
        // Who has waited for others is to see what they wrote, whatever the server is set to.
        ("default_transaction_isolation", "read committed"),
    ]);
    if purpose == Purpose::Migrate {
        return options
            .options([("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")]);
    }
    // Where no session ever begins a transaction, none is left inside one.
    let reads = if purpose == Purpose::Change { "off" } else { "on" };
    let plans = if purpose == Purpose::Key { "force_generic_plan" } else { "force_custom_plan" };
    options.options([
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT),
        ("default_transaction_read_only", reads),
        ("plan_cache_mode", plans),
        // Whatever is asked for has an index, and disks are read anywhere as quickly: to read a
        // whole table is left to what has none.
        ("random_page_cost", "1.1"),
        ("enable_seqscan", "off"),
        // To compile a plan takes longer than to run it, and a request is not to take the
        // processors of all others.
        ("jit", "off"),
        ("max_parallel_workers_per_gather", "0"),
    ])
}

/// Begins a transaction of a session that migrates, in which a few records are found and written: by
/// their indexes, as by those that serve, also while Postgres takes a table to be empty that has just
/// been filled.
pub(crate) async fn begin_by_index(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let tx = begin(db).await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared("SET LOCAL enable_seqscan = off; SET LOCAL jit = off").await?;
    }
    Ok(tx)
}

/// Begins a transaction that will write.
pub(crate) async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    db.begin_with_options(TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    })
    .await
}

/// Begins a transaction that sees the records as they are at one moment.
pub(crate) async fn snapshot(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    match db.get_database_backend() {
        DbBackend::Postgres => {
            let isolation = Some(IsolationLevel::RepeatableRead);
            db.begin_with_config(isolation, Some(AccessMode::ReadOnly)).await
        }
        _ => db.begin().await,
    }
}

/// Waits until no other change is being committed, and keeps others waiting until this one is;
/// who listens is told of it. Fails when a later version of the service has changed the schema: what
/// this one writes does not fit it.
///
/// So the positions of the log are handed out in the order in which they become visible. On SQLite
/// a writing transaction is alone anyway.
pub(crate) async fn lock_log(change: &DatabaseTransaction) -> Result<(), Error> {
    let backend = change.get_database_backend();
    let newest = "(SELECT max(version) FROM seaql_migrations)";
    let sql = match backend {
        // What is told is sent with the commit.
        DbBackend::Postgres => format!(
            "SELECT {newest}, pg_advisory_xact_lock({LOG_LOCK}), pg_notify('{CHANNEL}', '')"
        ),
        _ => format!("SELECT {newest}"),
    };
    let row = change.query_one_raw(Statement::from_string(backend, sql)).await?;
    let newest: Option<String> = row.map_or(Ok(None), |row| row.try_get_by_index(0))?;
    if newest.as_deref() > Some(NEWEST.as_str()) {
        let why = "a later version of the service has changed the schema: this one is to end";
        return Err(Error::Unavailable(DbErr::Custom(why.to_owned())));
    }
    Ok(())
}

/// Has what was taken away leave the file too: it still stands in the log of the last changes, which
/// is emptied here. Where somebody reads what was there before, they are waited for a while; what stays
/// is written over later.
///
/// Postgres clears its tables by itself, and keeps its log as long as it is told to.
pub(crate) async fn forget(db: &DatabaseConnection) {
    if db.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    if let Err(error) = db.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await {
        tracing::warn!(
            error = cause(&error),
            "what was erased may be read in the file for a while"
        );
    }
}

/// Whether the change may use that key: not while another does, which it then does not wait for.
///
/// On SQLite a writing transaction is alone anyway.
pub(crate) async fn try_key(change: &DatabaseTransaction, key: [i32; 2]) -> Result<bool, DbErr> {
    let backend = change.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(true);
    }
    // Locks with two numbers are others than those with one.
    let sql = "SELECT pg_try_advisory_xact_lock($1, $2)";
    let statement = Statement::from_sql_and_values(backend, sql, key.map(Into::into));
    let taken = change.query_one_raw(statement).await?;
    taken.map_or(Ok(false), |taken| taken.try_get_by_index(0))
}

/// The tables that hold the words of those collections, each with the rows that are theirs.
///
/// On Postgres each collection has its own: so it is known how common a word is there.
pub(crate) fn words_of(backend: DbBackend, collections: &[&str]) -> Vec<SelectStatement> {
    if backend == DbBackend::Postgres {
        let table = |collection: &&str| {
            let table = format!("search_{}", collection.replace('-', "_"));
            Query::select().from(Alias::new(table)).take()
        };
        return collections.iter().map(table).collect();
    }
    let own = search::Column::Resource.is_in(collections.to_vec());
    vec![Query::select().from(search::Entity).and_where(own).take()]
}

/// The condition that a row of such a table holds all those words; none if there is no word at all.
///
/// Words are letters, digits and marks only, so nothing in them is an operator.
pub(crate) fn matching(backend: DbBackend, part: Part, words: &Words) -> Option<SimpleExpr> {
    let (whole, begun) = words.parts()?;
    let column = match part {
        Part::Name => "name",
        Part::Words => "words",
    };
    Some(if backend == DbBackend::Postgres {
        let mut all: Vec<_> = whole.iter().map(|word| format!("'{word}'")).collect();
        all.push(format!("'{begun}':*"));
        let query = format!("{column}_lexemes @@ CAST(CAST($1 AS text) AS tsquery)");
        Expr::cust_with_values(query, [all.join(" & ")])
    } else {
        let mut all: Vec<_> = whole.iter().map(|word| format!("\"{word}\"")).collect();
        all.push(format!("\"{begun}\" *"));
        let query = format!("{column} : ({})", all.join(" AND "));
        let found = "id IN (SELECT rowid FROM search_words WHERE search_words MATCH ?)";
        Expr::cust_with_values(found, [query])
    })
}

/// The address of a database in that file.
pub(crate) fn address(file: &Path) -> io::Result<String> {
    // Where a folder stood first, it would be taken for a host, which has fewer letters.
    let file = std::path::absolute(file)?;
    let letters = file.as_os_str().as_bytes().iter().map(|byte| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
            char::from(*byte).to_string()
        }
        other => format!("%{other:02X}"),
    });
    Ok(iter::once("sqlite://".to_owned()).chain(letters).collect())
}

/// The file that is the database at that address, if it is one.
pub(crate) fn file(url: &str) -> Option<PathBuf> {
    url.strip_prefix("sqlite://")?;
    let options = url.parse::<SqliteConnectOptions>().ok()?;
    Some(options.get_filename().to_owned())
}

/// What the address of a Postgres can say after its name.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// What is wrong with the address of a database, without the address: a password stands in it.
pub fn check_address(url: &str) -> Result<(), String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("it begins with postgres:// or sqlite://".to_owned());
    };
    match scheme {
        "postgres" | "postgresql" => {
            let (_, parameters) = rest.split_once('?').unwrap_or_default();
            let mut names = parameters.split('&').filter_map(|pair| pair.split('=').next());
            // sqlx passes over what it does not know: a slip in `sslmode` would leave out TLS.
            let unknown = |name: &&str| {
                let option = name.starts_with("options[") || name.starts_with("options%5B");
                !name.is_empty() && !PARAMETERS.contains(name) && !option
            };
            if let Some(name) = names.find(unknown) {
                return Err(format!("there is no parameter {name}"));
            }
            url.parse::<PgConnectOptions>().map(drop).map_err(|error| {
                format!(
                    "{}; in a name or password, letters like / : @ # ? % are written as %2F %3A \
                     %40 %23 %3F %25",
                    reason(&error)
                )
            })
        }
        "sqlite" => {
            let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
            if path == ":memory:" || parameters.contains("mode=memory") {
                return Err("it names a file: what is in memory is gone with each session".into());
            }
            if path.is_empty() {
                return Err("it names a file".to_owned());
            }
            url.parse::<SqliteConnectOptions>().map(drop).map_err(|error| reason(&error))
        }
        _ => Err("it begins with postgres:// or sqlite://".to_owned()),
    }
}

/// Where that database is, for people; nothing of it is secret.
pub(crate) fn place(url: &str) -> String {
    if let Some(file) = file(url) {
        return file.display().to_string();
    }
    let Ok(options) = url.parse::<PgConnectOptions>() else { return "Postgres".to_owned() };
    let at = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let name = options.get_database().unwrap_or(options.get_username());
    format!("{name} of Postgres at {at}")
}

/// Why the database did not do it, in its own words.
#[must_use]
pub fn cause(error: &DbErr) -> String {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => reason(cause),
        DbErr::Custom(cause) => cause.clone(),
        other => other.to_string(),
    }
}

fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(told) => told.message().to_owned(),
        sqlx::Error::Io(cause) => cause.to_string(),
        sqlx::Error::Configuration(cause) | sqlx::Error::Tls(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

/// Has one session with Postgres begin and end: who only waits for one of a pool is not told why
/// there is none.
pub(crate) async fn reach(url: &str) -> Result<(), DbErr> {
    let options = session(url, Purpose::Migrate)?;
    let late = || io::Error::new(io::ErrorKind::TimedOut, "it does not answer");
    let reached = async {
        let connecting = tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options));
        connecting.await.map_err(|_| late())??.close().await
    };
    reached.await.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))
}

/// Keeps other instances waiting, until it is told to end or dropped.
pub struct Alone(Lock);

enum Lock {
    File { _held: File },
    Session(DatabaseTransaction),
}

impl Alone {
    /// Lets the others go on.
    pub async fn end(self) -> Result<(), DbErr> {
        match self.0 {
            Lock::File { .. } => Ok(()),
            Lock::Session(held) => held.commit().await,
        }
    }
}

/// Waits until no other instance has that file for itself.
pub(crate) async fn alone_with_file(file: PathBuf) -> Result<Alone, DbErr> {
    let waiting = tokio::task::spawn_blocking(move || {
        let told = |file: &Path, error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", file.display()))
        };
        // Nobody else is to read who took part.
        let open = |file: &Path| {
            let opened = File::options().create(true).append(true).mode(0o600).open(file);
            opened.map_err(|error| told(file, error))
        };
        if !file.exists() {
            open(&file)?;
        }
        let mut beside = file.into_os_string();
        beside.push(".lock");
        let beside = PathBuf::from(beside);
        let lock = open(&beside)?;
        lock.lock().map_err(|error| told(&beside, error))?;
        Ok(lock)
    });
    let held = waiting.await.map_err(io::Error::other).flatten();
    let held = held.map_err(|error| DbErr::Custom(error.to_string()))?;
    Ok(Alone(Lock::File { _held: held }))
}

/// Waits until no other instance has that database of Postgres for itself.
pub(crate) async fn alone_with(db: &DatabaseConnection) -> Result<Alone, DbErr> {
    let alone = db.begin().await?;
    let wait =
        format!("SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
    alone.execute_unprepared(&wait).await?;
    Ok(Alone(Lock::Session(alone)))
}

/// How far the schema of a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// There is none.
    None,
    /// That of an earlier version.
    Earlier,
    /// The one that this version knows.
    Current,
}

/// How far the schema is; that of a later version is an error.
pub(crate) async fn schema(db: &impl ConnectionTrait) -> Result<Schema, DbErr> {
    // Who may use the tables and not make any can ask too.
    let all = migration::Migrator::get_migration_with_status_read_only(db).await;
    let all = all.map_err(|error| match error {
        // Nothing else is told so: a migration was applied that is not known here.
        DbErr::Custom(_) => {
            let why = "a later capacity-hub has upgraded it: start that one";
            DbErr::Custom(why.to_owned())
        }
        other => other,
    })?;
    let applied = all.iter().filter(|one| one.status() == MigrationStatus::Applied).count();
    Ok(match applied {
        0 => Schema::None,
        some if some < all.len() => Schema::Earlier,
        _ => Schema::Current,
    })
}

/// Brings the schema up to date, and what is derived from the records with it.
///
/// A step and the note that it was taken are one; on SQLite all steps are, and none of them is taken
/// by halves where the process is killed or the disk is full.
pub(crate) async fn migrate(store: &Store) -> Result<(), DbErr> {
    let db = store.db();
    if db.get_database_backend() == DbBackend::Postgres {
        if schema(db).await? != Schema::Current {
            migration::Migrator::up(db, None).await?;
        }
        return catch_up(store).await;
    }
    let migrated = async {
        if schema(db).await? != Schema::Current {
            let steps = begin(db).await?;
            migration::Migrator::up(&steps, None).await?;
            steps.commit().await?;
        }
        catch_up(store).await
    };
    let migrated = migrated.await;
    // The last connection to leave takes the file for itself a moment, and is not waited for.
    db.close_by_ref().await?;
    migrated
}

async fn catch_up(store: &Store) -> Result<(), DbErr> {
    store.catch_up().await.map_err(|error| match error {
        Error::Database(cause) | Error::Unavailable(cause) | Error::Collided(cause) => cause,
        other => DbErr::Custom(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use domain::Role;
    use futures_util::FutureExt;
    use uuid::Uuid;

    use super::*;
    use crate::{Database, NewToken, connect::Pools};

    #[test]
    fn a_migration_takes_as_long_as_it_takes_and_whatever_else_is_asked_comes_to_an_end() {
        let timeout = |purpose| {
            let options =
                settings(PgConnectOptions::new(), purpose).get_options().map(str::to_owned);
            let told = options.expect("there are some");
            let (_, rest) = told.split_once("statement_timeout=").expect("it is said how long");
            rest.split(' ').next().expect("a time").to_owned()
        };
        assert_eq!(timeout(Purpose::Migrate), "0");
        for purpose in [Purpose::Change, Purpose::List, Purpose::Key] {
            assert_eq!(timeout(purpose), STATEMENT_TIMEOUT);
        }
    }

    /// Waits for something to become true, and fails when it does not.
    async fn becomes(what: &str, true_now: impl AsyncFn() -> bool) {
        let waiting = async {
            while !true_now().await {
                tokio::task::yield_now().await;
            }
        };
        let became = tokio::time::timeout(Duration::from_secs(10), waiting).await;
        became.unwrap_or_else(|_| panic!("never: {what}"));
    }

    /// How many sessions of the service are inside a transaction and do nothing.
    async fn left_inside(beside: &DatabaseConnection) -> i64 {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND application_name = 'capacity-hub' AND state LIKE 'idle in transaction%'";
        let count = beside.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
        count.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    /// Gives up a `begin`, revokes a token in the session where that was, and tells whether the
    /// token is revoked once the session has ended.
    async fn keeps_what_follows(database: &Database, options: ConnectOptions) -> bool {
        let beside = sea_orm::Database::connect(&database.url).await.unwrap();
        let db = sea_orm::Database::connect(options).await.unwrap();
        let store = Store::new(Pools::one(db, 1), None, database);
        let expires_at = store.now() + chrono::Days::new(1);
        let new =
            NewToken { name: "lost".to_owned(), role: Role::Admin, expires_at, projects: None };
        let (token, secret) = store.create_token(&new).await.unwrap();

        let pool = store.db().get_postgres_connection_pool();
        let mut answered = true;
        while answered {
            becomes("the session is back", async || pool.num_idle() == 1).await;
            let mut begin = pin!(super::begin(store.db()));
            // Where Postgres was quicker than one look, it is tried again.
            answered = begin.as_mut().now_or_never().map(Result::unwrap).is_some();
            if !answered {
                becomes("Postgres has begun", async || left_inside(&beside).await == 1).await;
            }
        }
        let revoked = store.revoke_token(&token.id).await.unwrap();
        assert!(revoked.revoked_at.is_some(), "it is acknowledged");
        store.db().close_by_ref().await.unwrap();

        becomes("the session has ended", async || left_inside(&beside).await == 0).await;
        beside.close().await.unwrap();
        database.open().await.unwrap().held(&secret).await.unwrap().is_none()
    }

    /// On Postgres alone: SQLite begins in a thread of its own, which is told when it is given up.
    #[tokio::test]
    async fn a_write_after_a_begin_that_was_given_up_is_lost_without_the_guard_and_kept_with_it() {
        let Ok(host) = std::env::var("PGHOST") else { return };
        let get = |name: &str| std::env::var(name).unwrap_or_default();
        let (user, password, port) = (get("PGUSER"), get("PGPASSWORD"), get("PGPORT"));
        let at = |name: &str| format!("postgres://{user}:{password}@{host}:{port}/{name}");
        let name = format!("hub_{}", Uuid::now_v7().simple());
        let server = sea_orm::Database::connect(at("postgres")).await.unwrap();
        server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = at(&name);
        let database = Database { connections: 1, ..Database::at(&url) };
        database.migrate().await.unwrap();

        let lost = !keeps_what_follows(&database, unguarded(&url, 1, Purpose::Change)).await;
        let kept = keeps_what_follows(&database, options(&url, 1, Purpose::Change)).await;
        assert!(lost, "sqlx does it by itself now: the guard is not needed any more");
        assert!(kept);
        let gone = format!("DROP DATABASE {name} WITH (FORCE)");
        server.execute_unprepared(&gone).await.unwrap();
        server.close().await.unwrap();
    }

    /// How many seconds of a processor this process has taken.
    fn taken() -> f64 {
        let told = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<_> = told.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
        (ticks(11) + ticks(12)) / 100.0
    }

    /// Has 64 ask at once through a pool, again and again; whether something is still busy a moment
    /// after the last of them has ended, in one of so many rounds.
    fn spins(options: ConnectOptions, rounds: u32) -> bool {
        let mut workers = tokio::runtime::Builder::new_multi_thread();
        let workers = workers.worker_threads(4).enable_all().build().unwrap();
        let db = workers.block_on(sea_orm::Database::connect(options)).unwrap();
        let busy = (0..rounds).any(|_| {
            let ask = || {
                let db = db.clone();
                async move {
                    for _ in 0..200 {
                        db.ping().await.unwrap();
                    }
                }
            };
            let all: Vec<_> = (0..64).map(|_| workers.spawn(ask())).collect();
            // Where a worker spins, what waits for it never ends.
            let ended = workers.block_on(async {
                let all = futures_util::future::join_all(all);
                tokio::time::timeout(Duration::from_secs(20), all).await
            });
            std::thread::sleep(Duration::from_millis(200));
            let before = taken();
            std::thread::sleep(Duration::from_millis(500));
            ended.is_err() || taken() - before > 0.25
        });
        workers.shutdown_background();
        busy
    }

    /// Each pool is tried in a process of its own: a thread that spins ends with nothing less.
    #[test]
    fn a_pool_that_gives_up_idle_connections_spins_for_ever_and_ours_does_not() {
        const POOL: &str = "HUB_TEST_POOL";
        let file = std::env::temp_dir().join(format!("hub-{}.sqlite", Uuid::now_v7().simple()));
        let url = format!("sqlite://{}", file.display());
        if let Ok(which) = std::env::var(POOL) {
            let mut options = options(&url, 4, Purpose::Change);
            if which == "reaping" {
                options.idle_timeout(Some(Duration::from_millis(1)));
            }
            let spins = spins(options, if which == "reaping" { 200 } else { 10 });
            let _ = std::fs::remove_file(file);
            std::process::exit(if spins { 3 } else { 4 });
        }
        let tried = |which: &str| {
            let itself = std::env::current_exe().unwrap();
            let mut child = std::process::Command::new(itself);
            child.env(POOL, which).args(["--exact", "--nocapture"]);
            let name = "a_pool_that_gives_up_idle_connections_spins_for_ever_and_ours_does_not";
            child.arg(format!("dialect::tests::{name}"));
            child.output().unwrap().status.code()
        };
        assert_eq!(tried("ours"), Some(4), "it does not spin");
        assert_eq!(tried("reaping"), Some(3), "sqlx has been mended: its pool can reap again");
    }
}
