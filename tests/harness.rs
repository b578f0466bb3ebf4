//! A server and a database of its own for each test.
use std::{
    io,
    net::TcpListener,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::{dev::ServerHandle, rt::task::JoinHandle};
use api::{Service, Settings, serve};
use chrono::{TimeDelta, TimeZone, Utc};
use domain::Role;
use futures_util::FutureExt;
use persistence::{
    Action, Author, Database, NewToken, Pulse, Store, Stored, Taking, Visitor, World, visit_all,
};
use reqwest::{Client, Method, Response, StatusCode};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityName, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// A running service, with the first seminar in it.
pub(crate) struct Hub {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) client: Client,
    pub(crate) database: Database,
    queries: Arc<Mutex<Vec<String>>>,
    server: ServerHandle,
    gate: Gate,
    _folder: TempDir,
}

/// What lies between the service and its database, and can be shut.
pub(crate) enum Gate {
    /// Another connection can take the file for itself.
    File(String),
    /// A proxy that the connections go through.
    Proxy(tokio::sync::watch::Sender<bool>),
}

/// While this lives, the database is away.
pub(crate) enum Away<'a> {
    File(DatabaseTransaction),
    Proxy(&'a tokio::sync::watch::Sender<bool>),
}

impl Away<'_> {
    pub(crate) async fn end(self) {
        match self {
            Self::File(lock) => lock.rollback().await.expect("the lock ends"),
            Self::Proxy(open) => {
                open.send_replace(true);
            }
        }
    }
}

/// Passes connections on to that address while it is open, and breaks them when it is shut.
async fn proxy(to: String) -> (String, Gate) {
    let (open, watch) = tokio::sync::watch::channel(true);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (to, mut watch) = (to.clone(), watch.clone());
            tokio::spawn(async move {
                if !*watch.borrow() {
                    return;
                }
                let Ok(mut far) = tokio::net::TcpStream::connect(to).await else { return };
                for side in [&near, &far] {
                    side.set_nodelay(true).expect("what comes is passed on at once");
                }
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    _ = watch.wait_for(|open| !open) => {}
                }
            });
        }
    });
    (at, Gate::Proxy(open))
}

/// A clock that goes on by a second each time it is read, and ids that are counted.
fn told_world() -> World {
    let (seconds, count) = (AtomicI64::new(0), AtomicU64::new(0));
    let start = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).single().expect("a time");
    World {
        now: Arc::new(move || start + TimeDelta::seconds(seconds.fetch_add(1, Ordering::SeqCst))),
        id: Arc::new(move || {
            let number = u128::from(count.fetch_add(1, Ordering::SeqCst));
            Uuid::from_u128(0x019b_7740_0000_7000_8000_0000_0000_0000 + number)
        }),
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.expect("text") }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// Fails unless the service tells what each code of a problem means.
    fn assert_told(&self) {
        if self.header("content-type") != "application/problem+json" || self.text.is_empty() {
            return;
        }
        let problem = self.json();
        // Who made a format has said what its rules mean.
        let of_format = problem["code"] == "not_ready";
        let faults = problem["errors"].as_array().into_iter().flatten().filter(|_| !of_format);
        for told in faults.chain([&problem]) {
            let code = told["code"].as_str().expect("a code");
            assert!(api::is_told(code), "/problems/{code} does not tell of it");
        }
    }

    /// The code of each fault, with its place.
    pub(crate) fn faults(&self) -> Vec<(String, String)> {
        let faults = self.json()["errors"].as_array().cloned().unwrap_or_default();
        let place = |fault: &Value| {
            let place = ["pointer", "parameter", "header"].map(|name| fault[name].as_str());
            place.into_iter().flatten().next().unwrap_or_default().to_owned()
        };
        let code = |fault: &Value| fault["code"].as_str().unwrap_or_default().to_owned();
        faults.iter().map(|fault| (place(fault), code(fault))).collect()
    }
}

/// The fewest sources that a record like this one may name: none, but for a rate one.
pub(crate) fn fewest_sources(collection: &str, body: &Value) -> Value {
    match collection {
        "exchange-rates" => json!([body["citations"][0]]),
        _ => json!([]),
    }
}

/// A client that goes straight to where it is sent.
pub(crate) fn client() -> Client {
    // The first one to need it chooses what TLS is made with.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

/// Runs a test on `SQLite`, and on Postgres where the environment names a server, as
/// `.ci/with-postgres` does.
pub(crate) fn on_each_database(test: impl AsyncFn(Hub)) {
    on_each_database_with(|_| (), test);
}

/// The same, where every answer is made anew: for what is counted, or changed beside the service.
pub(crate) fn on_each_database_without_memory(test: impl AsyncFn(Hub)) {
    on_each_database_with(|settings| settings.cache = 0, test);
}

/// The same, with other settings.
pub(crate) fn on_each_database_with(change: impl Fn(&mut Settings), test: impl AsyncFn(Hub)) {
    for postgres in databases() {
        eprintln!("on {}", if postgres { "Postgres" } else { "SQLite" });
        actix_web::rt::System::new().block_on(async {
            let (hub, running) = Hub::start(postgres, &change).await;
            let server = hub.server.clone();
            // A service that is dropped while its test panics would panic as well, and end all tests.
            let ended = AssertUnwindSafe(test(hub)).catch_unwind().await;
            server.stop(false).await;
            // What the service does beside answering ends while the runtime still lives.
            let stopped = running.await;
            match ended {
                Ok(()) => stopped.expect("no panic").expect("a clean stop"),
                Err(panic) => resume_unwind(panic),
            }
        });
    }
}

/// Whether each of the databases to test on is Postgres; `HUB_TEST_ONLY` names one of them.
pub(crate) fn databases() -> Vec<bool> {
    let only = std::env::var("HUB_TEST_ONLY").ok();
    let mut all = vec![("sqlite", false)];
    if std::env::var_os("PGHOST").is_some() {
        all.push(("postgres", true));
    }
    all.retain(|(name, _)| only.as_deref().is_none_or(|only| only == *name));
    assert!(!all.is_empty(), "there is no database to test on");
    all.into_iter().map(|(_, postgres)| postgres).collect()
}

fn server(at: &str) -> String {
    let get = |name: &str| std::env::var(name).unwrap_or_default();
    format!("postgres://{}:{}@{at}", get("PGUSER"), get("PGPASSWORD"))
}

/// A database with nothing in it, and the gate before it.
pub(crate) async fn empty_database(postgres: bool, folder: &TempDir) -> (String, Gate) {
    if !postgres {
        let url = format!("sqlite://{}", folder.path().join("hub.sqlite").display());
        return (url.clone(), Gate::File(url));
    }
    let get = |name: &str| std::env::var(name).unwrap_or_default();
    let at = format!("{}:{}", get("PGHOST"), get("PGPORT"));
    let name = format!("hub_{}", Uuid::now_v7().simple());
    let admin = sea_orm::Database::connect(format!("{}/postgres", server(&at))).await;
    let admin = admin.expect("the Postgres server");
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    admin.close().await.expect("closed");
    let (at, gate) = proxy(at).await;
    (format!("{}/{name}", server(&at)), gate)
}

async fn import(store: &Store, bundle: Value) {
    let taking = Taking { publish: true, system: "test".to_owned(), dry_run: false, told: 0 };
    let imported = store.import(&Author::program("test"), &taking, bundle).await;
    let imported = imported.expect("the bundle is taken");
    let created = imported.iter().all(|told| told.outcome.action == Action::Created);
    assert!(created, "{imported:?}");
}

/// A service at a port of its own.
fn listening(database: Database, change: impl Fn(&mut Settings)) -> (String, Service) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut settings = Settings {
        database,
        public_url: Some("https://hub.example.org".to_owned()),
        origins: vec!["https://staff.example.org".to_owned()],
        workers: 1,
        grace: Duration::from_secs(1),
        signals: false,
        webhooks_to_private: true,
        two_people: false,
        smallest_count: persistence::SMALLEST_COUNT,
        drain: Duration::ZERO,
        handover: None,
        rate_limit: None,
        proxies: Vec::new(),
        oidc: None,
        security_contact: Some("mailto:security@hub.example.org".to_owned()),
        admin: None,
        cache: 16 * 1024 * 1024,
    };
    change(&mut settings);
    let service = serve(listener, &settings).expect("a server");
    (url, service)
}

/// Another instance of the service, over the same database.
pub(crate) struct Instance {
    pub(crate) url: String,
    server: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

impl Instance {
    pub(crate) async fn stop(self) {
        self.server.stop(false).await;
        self.running.await.expect("no panic").expect("a clean stop");
    }
}

/// What lists find of each collection.
struct Tables(Vec<String>);

impl Visitor for Tables {
    fn visit<R: Stored>(&mut self) {
        self.0.push(format!("SELECT id, public FROM {}", R::Index::default().table_name()));
    }
}

impl Hub {
    /// Another instance, that knows nothing of what this one does.
    pub(crate) fn another(&self, change: impl Fn(&mut Settings)) -> Instance {
        let database = Database { pulse: Pulse::default(), ..self.database.clone() };
        let (url, service) = listening(database, change);
        let server = service.handle();
        Instance { url, server, running: actix_web::rt::spawn(service.run()) }
    }

    async fn start(
        postgres: bool,
        change: impl Fn(&mut Settings),
    ) -> (Self, JoinHandle<io::Result<()>>) {
        let folder = TempDir::new().expect("a folder");
        let (url, gate) = empty_database(postgres, &folder).await;
        let queries = Arc::new(Mutex::new(Vec::new()));
        let told = queries.clone();
        let observer = move |sql: &str| told.lock().expect("not poisoned").push(sql.to_owned());
        let database = Database {
            observer: Some(Arc::new(observer)),
            world: told_world(),
            ..Database::at(&url)
        };
        database.migrate().await.expect("the schema");
        let store = database.open().await.expect("a pool");
        let bundle = serde_json::from_str(domain::sample::BUNDLE).expect("the sample is JSON");
        import(&store, bundle).await;
        let expires_at = store.now() + chrono::Days::new(365);
        let new =
            NewToken { name: "test".to_owned(), role: Role::Admin, expires_at, projects: None };
        let (_, token) = store.create_token(&new).await.expect("a token");
        let (url, service) = listening(database.clone(), change);
        let handle = service.handle();
        let running = actix_web::rt::spawn(service.run());
        let client = client();
        let hub =
            Self { url, token, client, database, queries, server: handle, gate, _folder: folder };
        (hub, running)
    }

    /// Has Postgres take its time for some commits, once all that is written has its place.
    pub(crate) async fn slow_commits(&self) {
        if self.database.url.starts_with("postgres") {
            let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                IF random() < 0.2 THEN PERFORM pg_sleep(0.02); END IF; RETURN NULL; END $$; \
                CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON change DEFERRABLE \
                INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()";
            self.sql(slow).await;
        }
    }

    /// Takes the database away.
    pub(crate) async fn away(&self) -> Away<'_> {
        match &self.gate {
            Gate::Proxy(open) => {
                open.send_replace(false);
                Away::Proxy(open)
            }
            Gate::File(url) => {
                let file = sea_orm::Database::connect(url).await.expect("the file");
                let alone = TransactionOptions {
                    sqlite_transaction_mode: Some(SqliteTransactionMode::Exclusive),
                    ..TransactionOptions::default()
                };
                Away::File(file.begin_with_options(alone).await.expect("the lock"))
            }
        }
    }

    /// Sends a request with those headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response: Response = request.send().await.expect("an answer");
        let reply = Reply::of(response).await;
        reply.assert_told();
        reply
    }

    /// Does that to the database, beside the service.
    pub(crate) async fn sql(&self, statement: &str) {
        let db = sea_orm::Database::connect(&self.database.url).await.expect("the database");
        db.execute_unprepared(statement).await.expect("done");
        db.close().await.expect("closed");
    }

    /// Takes that bundle.
    pub(crate) async fn import(&self, bundle: Value) {
        import(&self.database.open().await.expect("a pool"), bundle).await;
    }

    /// A number that the database tells, beside the service.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let db = sea_orm::Database::connect(&self.database.url).await.expect("the database");
        let query = Statement::from_string(db.get_database_backend(), query);
        let told = db.query_one_raw(query).await.expect("an answer").expect("a row");
        let number = told.try_get_by_index(0).expect("a number");
        db.close().await.expect("closed");
        number
    }

    /// Fails unless the log has exactly one row of each revision of every record, and the record as
    /// it is in the last of them, and lists find it where it belongs.
    pub(crate) async fn assert_whole(&self) {
        let uneven = "SELECT count(*) FROM (SELECT record_id FROM change GROUP BY record_id \
            HAVING count(*) <> max(revision) OR count(DISTINCT revision) <> count(*)) AS uneven";
        assert_eq!(self.number(uneven).await, 0, "records with a gap or a double in the log");
        let unlike = "SELECT count(*) FROM record WHERE NOT EXISTS (SELECT 1 FROM change \
            WHERE record_id = record.id AND revision = record.revision AND body = record.body \
            AND change.state = record.state AND change.resource = record.resource)";
        assert_eq!(self.number(unlike).await, 0, "records that the log has otherwise");
        let mut tables = Tables(Vec::new());
        visit_all(&mut tables);
        let listed = tables.0.join(" UNION ALL ");
        let unlike = format!(
            "SELECT count(*) FROM record LEFT JOIN ({listed}) AS listed ON listed.id = record.id \
             WHERE listed.public IS NULL OR listed.public <> (record.state = 'published')"
        );
        assert_eq!(self.number(&unlike).await, 0, "records that lists have otherwise");
        let unlike = "SELECT count(*) FROM record LEFT JOIN activity ON activity.id = record.id \
             WHERE resource IN ('seminars', 'study-visits') \
             AND (activity.public IS NULL OR activity.public <> (state = 'published'))";
        assert_eq!(self.number(unlike).await, 0, "records that figures have otherwise");
        if self.database.url.starts_with("postgres") {
            let apart = "SELECT count(*) FROM record JOIN change ON record_id = record.id \
                AND change.revision = record.revision WHERE change.xmin <> record.xmin";
            assert_eq!(self.number(apart).await, 0, "records logged in another transaction");
        }
    }

    /// A file, as it comes.
    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let response = self.client.get(format!("{}{path}", self.url)).send().await;
        response.expect("an answer").bytes().await.expect("a body").to_vec()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    /// A token of that role, limited to those projects if any are named.
    pub(crate) async fn token(&self, role: &str, projects: &[&str]) -> String {
        let mut body = json!({"name": role, "role": role});
        if !projects.is_empty() {
            body["projects"] = json!(projects);
        }
        let made = self.write("POST", "/v1/tokens", None, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["token"].as_str().expect("a token").to_owned()
    }

    /// Reads from an instance, unless it is what is there already.
    pub(crate) async fn get_from(&self, instance: &str, path: &str, known: Option<&str>) -> Reply {
        let mut request = self.client.get(format!("{instance}{path}"));
        if let Some(tag) = known {
            request = request.header("if-none-match", tag);
        }
        Reply::of(request.send().await.expect("an answer")).await
    }

    /// The statements that were sent to the database since this was asked last.
    pub(crate) fn statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.queries.lock().expect("not poisoned"))
    }

    /// Reads with that token.
    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        self.send("GET", path, &[("authorization", &bearer)], None).await
    }

    /// Writes with the token.
    pub(crate) async fn write(
        &self,
        method: &str,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        // What tests write is public at once, unless they say something else.
        let collection = path.strip_prefix("/v1/").unwrap_or_default();
        let record = method == "POST" && domain::collections().contains(&collection);
        let path = &if record { format!("{path}?publish=true") } else { path.to_owned() };
        self.write_as(&self.token, method, path, if_match, body).await
    }

    /// Writes with that token.
    pub(crate) async fn write_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        let bearer = format!("Bearer {token}");
        let kind = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", kind)];
        headers.extend(if_match.map(|tag| ("if-match", tag)));
        self.send(method, path, &headers, body.map(|body| body.to_string().into_bytes())).await
    }

    /// What that request asks the database.
    pub(crate) async fn queries_of(&self, path: &str) -> Vec<String> {
        self.queries.lock().expect("not poisoned").clear();
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let mut queries = std::mem::take(&mut *self.queries.lock().expect("not poisoned"));
        // That a token was used for an earlier request is noted apart, whenever there is time; and
        // whoever finds that nobody has lately looks how far the log goes.
        queries
            .retain(|sql| !sql.starts_with("UPDATE \"token\"") && !sql.contains("FROM \"change\""));
        queries
    }
}
