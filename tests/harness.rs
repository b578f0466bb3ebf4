//! A server and a database of its own for each test.
use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::dev::ServerHandle;
use api::{Settings, serve};
use chrono::Utc;
use persistence::{Author, Database, Imported, NewToken, World};
use reqwest::{Client, Method, Response, StatusCode};
use sea_orm::ConnectionTrait;
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

/// A running service, with the first seminar in it.
pub(crate) struct Hub {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) client: Client,
    queries: Arc<Mutex<Vec<String>>>,
    server: ServerHandle,
    _folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
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

/// Runs a test on `SQLite`, and on Postgres where the environment names a server, as
/// `pg_virtualenv` does.
pub(crate) fn on_each_database(test: impl AsyncFn(Hub)) {
    let mut urls = vec![None];
    if std::env::var_os("PGHOST").is_some() {
        urls.push(Some(server()));
    }
    for postgres in urls {
        let name = if postgres.is_some() { "Postgres" } else { "SQLite" };
        eprintln!("on {name}");
        actix_web::rt::System::new().block_on(async {
            let hub = Hub::start(postgres).await;
            let server = hub.server.clone();
            test(hub).await;
            server.stop(false).await;
        });
    }
}

fn server() -> String {
    let get = |name: &str| std::env::var(name).unwrap_or_default();
    let (user, password) = (get("PGUSER"), get("PGPASSWORD"));
    format!("postgres://{user}:{password}@{}:{}", get("PGHOST"), get("PGPORT"))
}

impl Hub {
    async fn start(postgres: Option<String>) -> Self {
        let folder = TempDir::new().expect("a folder");
        let url = match postgres {
            None => format!("sqlite://{}", folder.path().join("hub.sqlite").display()),
            Some(server) => {
                let name = format!("hub_{}", Uuid::now_v7().simple());
                let admin = sea_orm::Database::connect(format!("{server}/postgres"));
                let admin = admin.await.expect("the Postgres server");
                let sql = format!("CREATE DATABASE {name}");
                admin.execute_unprepared(&sql).await.expect("a database");
                format!("{server}/{name}")
            }
        };
        let queries = Arc::new(Mutex::new(Vec::new()));
        let told = queries.clone();
        let observer = move |sql: &str| told.lock().expect("not poisoned").push(sql.to_owned());
        let database = Database {
            url,
            connections: 4,
            observer: Some(Arc::new(observer)),
            world: World::default(),
        };
        database.migrate().await.expect("the schema");
        let store = database.open().await.expect("a pool");
        let by = Author { name: "test".to_owned(), request_id: None };
        let bundle = serde_json::from_str(domain::sample::BUNDLE).expect("the sample is JSON");
        let imported = store.import(&by, bundle).await.expect("the sample is taken");
        assert!(matches!(imported, Imported::Kept(_)), "{imported:?}");
        let expires_at = Utc::now() + chrono::Days::new(1);
        let new = NewToken { name: "test".to_owned(), role: "admin".to_owned(), expires_at };
        let token = store.create_token(new).await.expect("a token");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let settings = Settings {
            database,
            origins: vec!["https://staff.example.org".to_owned()],
            workers: 1,
            grace: Duration::from_secs(1),
            signals: false,
        };
        let server = serve(listener, &settings).expect("a server");
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { url, token, client, queries, server: handle, _folder: folder }
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
        let (status, headers) = (response.status(), response.headers().clone());
        Reply { status, headers, text: response.text().await.expect("text") }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    /// Writes with the token.
    pub(crate) async fn write(
        &self,
        method: &str,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        let bearer = format!("Bearer {}", self.token);
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
        std::mem::take(&mut *self.queries.lock().expect("not poisoned"))
    }
}
