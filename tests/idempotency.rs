//! A request that is sent again does nothing twice.
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::{Hub, Reply, client, databases, empty_database, on_each_database},
    running::{Service, admin, program},
};

/// How many equal requests are sent at once for each key.
const AT_ONCE: usize = 64;

fn keys() -> usize {
    std::env::var("HUB_TEST_KEYS").map_or(20, |count| count.parse().expect("a number"))
}

fn topic(code: &str) -> Value {
    json!({"code": code, "scheme": "own", "label": {"en": code}})
}

fn key(number: usize) -> String {
    format!("key_{number:-<16}")
}

async fn post(hub: &Hub, key: &str, body: &Value) -> Reply {
    post_text(hub, "/v1/topics?publish=true", key, &body.to_string()).await
}

async fn post_text(hub: &Hub, path: &str, key: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {}", hub.token);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    hub.send("POST", path, &headers, Some(body.as_bytes().to_vec())).await
}

/// How many topics there are.
async fn count(hub: &Hub) -> u64 {
    let page = hub.get("/v1/topics?limit=1&with_total=true").await.json();
    page["total"].as_u64().unwrap()
}

#[test]
fn many_equal_requests_at_once_make_one_record_a_key() {
    on_each_database(async |hub| {
        let before = count(&hub).await;
        let mut seen = BTreeMap::<u16, usize>::new();
        for number in 0..keys() {
            let (key, body) = (key(number), topic(&format!("t{number}")));
            let all = join_all((0..AT_ONCE).map(|_| post(&hub, &key, &body))).await;
            let mut answers = BTreeSet::new();
            let mut first = 0;
            for reply in &all {
                *seen.entry(reply.status.as_u16()).or_default() += 1;
                match reply.status.as_u16() {
                    201 => {
                        let header = |name| reply.header(name).to_owned();
                        answers.insert((reply.text.clone(), header("etag"), header("location")));
                        first += usize::from(reply.header("idempotency-replayed").is_empty());
                    }
                    409 => assert_eq!(reply.json()["code"], "in_flight"),
                    // The database says so when it is too busy; nothing has been done then.
                    status => assert_eq!(status, 503, "{}", reply.text),
                }
            }
            assert_eq!((answers.len(), first), (1, 1), "{all:?}");
            let again = post(&hub, &key, &body).await;
            assert_eq!(again.header("idempotency-replayed"), "true");
            assert_eq!(again.status, 201);
            let header = |name| again.header(name).to_owned();
            assert!(answers.contains(&(again.text.clone(), header("etag"), header("location"))));
        }
        assert_eq!(count(&hub).await - before, keys() as u64);
        eprintln!("{} keys, {AT_ONCE} requests each: {seen:?}", keys());
        hub.assert_whole().await;
    });
}

#[test]
fn a_key_is_for_one_request_of_one_form() {
    on_each_database(async |hub| {
        let key = key(1);
        let first = post(&hub, &key, &topic("one")).await;
        assert_eq!(first.status, 201, "{}", first.text);
        assert_eq!(first.header("idempotency-replayed"), "");

        let other = post(&hub, &key, &topic("two")).await;
        assert_eq!(other.json()["code"], "idempotency_key_reused");
        assert_eq!(other.status, 422);
        assert_eq!(other.faults(), [("Idempotency-Key".into(), "key_reused".into())]);
        let mut elsewhere = domain::sample::example("people");
        elsewhere["slug"] = "one".into();
        let elsewhere = post_text(&hub, "/v1/people", &key, &elsewhere.to_string()).await;
        assert_eq!(elsewhere.status, 422, "{}", elsewhere.text);

        // The same, laid out in another way.
        let same = r#"{ "label": {"en":"one"}, "parent_id": null, "scheme":"own", "code":"one" }"#;
        let same = post_text(&hub, "/v1/topics?publish=true", &key, same).await;
        assert_eq!((same.status.as_u16(), &same.text), (201, &first.text));
        // A draft is something else.
        for path in ["/v1/topics", "/v1/topics?publish=false"] {
            let draft = post_text(&hub, path, &key, &topic("one").to_string()).await;
            assert_eq!(draft.json()["code"], "idempotency_key_reused", "{path}");
        }

        // The answer of then, whatever has become of the record.
        let tag = first.header("etag");
        assert_eq!(hub.write("DELETE", "/v1/topics/one", Some(tag), None).await.status, 204);
        let again = post(&hub, &key, &topic("one")).await;
        assert_eq!((again.status.as_u16(), &again.text), (201, &first.text));
        assert_eq!(hub.get("/v1/topics/one").await.status, 404);

        for wrong in ["short", "fifteen-letters", "a space in the key", &"x".repeat(65), ""] {
            let reply = post(&hub, wrong, &topic("wrong")).await;
            assert_eq!(reply.status, 400, "{wrong}");
            assert_eq!(reply.faults(), [("Idempotency-Key".into(), "invalid_key".into())]);
        }
    });
}

#[test]
fn what_failed_is_not_remembered_and_what_is_old_is_forgotten() {
    on_each_database(async |hub| {
        let mut lost = topic("child");
        lost["parent_id"] = "parent".into();
        assert_eq!(post(&hub, &key(1), &lost).await.status, 422);
        assert_eq!(post(&hub, &key(2), &topic("parent")).await.status, 201);
        assert_eq!(post(&hub, &key(3), &topic("parent")).await.status, 409);
        let found = post(&hub, &key(1), &lost).await;
        assert_eq!((found.status.as_u16(), found.header("idempotency-replayed")), (201, ""));
        assert_eq!(post(&hub, &key(3), &topic("other")).await.status, 201);

        // A day later the key means nothing any more.
        let long_ago = "UPDATE idempotency SET created_at = '2025-12-30 00:00:00+00:00'";
        hub.sql(long_ago).await;
        let again = post(&hub, &key(2), &topic("parent")).await;
        assert_eq!(again.json()["code"], "slug_taken");
        assert_eq!(post(&hub, &key(3), &topic("third")).await.status, 201);
        let store = hub.database.open().await.unwrap();
        store.forget_answers().await.unwrap();
        assert_eq!(post(&hub, &key(1), &topic("fourth")).await.status, 201);
        let kept = post(&hub, &key(3), &topic("third")).await;
        assert_eq!(kept.header("idempotency-replayed"), "true");
    });
}

#[test]
fn pages_of_listed_origins_may_send_a_key_and_see_that_an_answer_is_an_old_one() {
    on_each_database(async |hub| {
        let asked = [
            ("origin", "https://staff.example.org"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "idempotency-key"),
        ];
        let allowed = hub.send("OPTIONS", "/v1/topics", &asked, None).await;
        assert!(allowed.header("access-control-allow-headers").contains("Idempotency-Key"));
        let bearer = format!("Bearer {}", hub.token);
        let headers = [
            ("origin", "https://staff.example.org"),
            ("authorization", &*bearer),
            ("content-type", "application/json"),
            ("idempotency-key", "a-key-of-a-page-of-staff"),
        ];
        let body = topic("paged").to_string().into_bytes();
        let seen = hub.send("POST", "/v1/topics", &headers, Some(body)).await;
        assert_eq!(seen.status, 201, "{}", seen.text);
        assert!(seen.header("access-control-expose-headers").contains("Idempotency-Replayed"));
    });
}

/// Sends each request until the service is gone.
async fn send_all(client: &Client, at: &str, token: &str) -> Vec<Option<String>> {
    let all = (0..200).map(async |number| {
        let request = client.post(format!("http://{at}/v1/topics")).bearer_auth(token);
        let request = request.header("idempotency-key", key(number));
        let reply = request.json(&topic(&format!("t{number}"))).send().await.ok()?;
        let made = reply.status() == 201;
        reply.text().await.ok().filter(|_| made)
    });
    join_all(all).await
}

#[test]
fn after_a_crash_nothing_is_half_kept() {
    for postgres in databases() {
        let folder = TempDir::new().unwrap();
        actix_web::rt::System::new().block_on(async {
            let (url, _gate) = empty_database(postgres, &folder).await;
            let path = folder.path().to_owned();
            let making = (path.clone(), url.clone());
            // What lies before the database is driven by this thread.
            let made = tokio::task::spawn_blocking(move || {
                admin(&making.0, &[("DATABASE_URL", making.1.as_str())])
            });
            let token = made.await.unwrap();
            let start = async || {
                let mut command = program(&path);
                command.env("DATABASE_URL", &url);
                tokio::task::spawn_blocking(|| Service::run(command)).await.unwrap()
            };
            let client = client();
            let mut known: Vec<Option<String>> = vec![None; 200];
            for milliseconds in [50, 150, 300] {
                let mut running = start().await;
                let at = running.at.clone();
                let crash = async {
                    tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
                    running.process.kill().unwrap();
                };
                let (answers, ()) = tokio::join!(send_all(&client, &at, &token), crash);
                for (known, answer) in known.iter_mut().zip(answers) {
                    if let (Some(known), Some(answer)) = (&known, &answer) {
                        assert_eq!(known, answer);
                    }
                    *known = known.take().or(answer);
                }
            }
            let running = start().await;
            for (number, known) in known.iter().enumerate() {
                let topics = format!("http://{}/v1/topics", running.at);
                let request = client.post(topics).bearer_auth(&token);
                let request = request.header("idempotency-key", key(number));
                let reply = request.json(&topic(&format!("t{number}"))).send().await.unwrap();
                assert_eq!(reply.status(), 201, "a key without its record, or the reverse");
                let text = reply.text().await.unwrap();
                assert_eq!(known.as_ref().unwrap_or(&text), &text);
            }
            let list = format!("http://{}/v1/topics?limit=1&with_total=true", running.at);
            let page: Value =
                client.get(list).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
            assert_eq!(page["total"], 200);
        });
    }
}

#[test]
fn a_key_is_refused_where_the_request_would_be_done_again() {
    on_each_database(async |hub| {
        let hook = json!({"url": "https://example.org/hook"});
        let hook = hub.write("POST", "/v1/webhooks", None, Some(&hook)).await.json();
        let ping = format!("/v1/webhooks/{}/ping", hook["id"].as_str().unwrap());
        for path in [
            "/v1/tokens",
            "/v1/webhooks",
            "/v1/participants",
            "/v1/participants/import",
            "/v1/imports",
            &ping,
        ] {
            let reply = post_text(&hub, path, &key(1), "{}").await;
            assert_eq!(reply.status, 400, "{path}: {}", reply.text);
            let fault = ("Idempotency-Key".to_owned(), "unsupported_key".to_owned());
            assert_eq!(reply.faults(), [fault], "{path}");
        }
    });
}
