//! On Postgres the role that serves can add to the log, and change nothing in it.
use std::process::Command;

use persistence::Database;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    harness::{client, databases},
    running::{Service, admin, program},
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/postgres-roles.sql");

fn psql(database: &str, arguments: &[&str]) {
    let mut psql = Command::new("psql");
    let told = psql.args(["-X", "-q", "-d", database]).args(arguments).output().expect("psql");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

#[test]
fn the_role_that_serves_cannot_rewrite_the_log() {
    if !databases().contains(&true) {
        return;
    }
    let mark = Uuid::now_v7().simple().to_string();
    let name = |what: &str| format!("{what}_{mark}");
    let (database, owner, service) = (name("hub"), name("owner"), name("service"));
    let get = |name: &str| std::env::var(name).unwrap_or_default();
    let url = |role: &str| {
        format!("postgres://{role}:secret@{}:{}/{database}", get("PGHOST"), get("PGPORT"))
    };
    let script = || {
        let (owner, service) = (format!("owner={owner}"), format!("service={service}"));
        psql(&database, &["-v", &owner, "-v", &service, "-f", SCRIPT]);
    };
    psql("postgres", &["-c", &format!("CREATE DATABASE {database}")]);
    script();
    for role in [&owner, &service] {
        psql("postgres", &["-c", &format!("ALTER ROLE {role} PASSWORD 'secret'")]);
    }
    actix_web::rt::System::new().block_on(async {
        let as_role = |role: &str| Database { connections: 2, ..Database::at(&url(role)) };
        let refused = as_role(&service).migrate().await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{refused}");
        as_role(&owner).migrate().await.expect("the schema");
        script();
        as_role(&service).migrate().await.expect("nothing is to be done");
        serve_and_try(&url(&service)).await;
    });
    psql("postgres", &["-c", &format!("DROP DATABASE {database} WITH (FORCE)")]);
    psql("postgres", &["-c", &format!("DROP ROLE {owner}, {service}")]);
}

async fn serve_and_try(url: &str) {
    let folder = TempDir::new().unwrap();
    let settings = [("DATABASE_URL", url), ("CAPACITY_HUB_SAMPLE", "yes")];
    let token = admin(folder.path(), &settings);
    let mut command = program(folder.path());
    command.envs(settings);
    let running = Service::run(command);

    let topics = format!("http://{}/v1/topics", running.at);
    let body = json!({"code": "ours", "scheme": "own", "label": {"en": "Ours"}});
    let request = |method, path: &str| client().request(method, path).bearer_auth(&token);
    let made = request(reqwest::Method::POST, &topics)
        .header("idempotency-key", "0123456789abcdef")
        .json(&body);
    let made = made.send().await.unwrap();
    assert_eq!(made.status(), 201);
    let (one, tag) = (format!("{topics}/ours"), made.headers()["etag"].clone());
    let put = request(reqwest::Method::PUT, &one).header("if-match", tag).json(&body);
    let put = put.send().await.unwrap();
    assert_eq!(put.status(), 200);
    let tag = put.headers()["etag"].clone();
    let gone = request(reqwest::Method::DELETE, &one).header("if-match", tag).send().await;
    assert_eq!(gone.unwrap().status(), 204);
    let told = request(reqwest::Method::GET, &format!("{one}/revisions")).send().await;
    let told: Value = told.unwrap().json().await.unwrap();
    assert_eq!(told["items"].as_array().map(Vec::len), Some(3), "{told}");

    let db = sea_orm::Database::connect(url).await.unwrap();
    for statement in [
        "UPDATE change SET actor = 'nobody'",
        "DELETE FROM change",
        "TRUNCATE change",
        "DELETE FROM seaql_migrations",
        "ALTER TABLE change DISABLE TRIGGER ALL",
        "CREATE TABLE mine (id int)",
    ] {
        let refused = db.execute_unprepared(statement).await.unwrap_err().to_string();
        let denied = ["permission denied", "must be owner"].iter().any(|one| refused.contains(one));
        assert!(denied, "{statement}: {refused}");
    }
    db.close().await.unwrap();
}
