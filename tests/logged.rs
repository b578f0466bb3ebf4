//! Every change writes one row of the log, in its own transaction; nothing else writes any.
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    authorisation::{ask, filled, routes},
    changes::listed,
    harness::{Hub, Reply, fewest_sources, on_each_database},
};

const ROWS: &str = "SELECT count(*) FROM change";

/// One who makes requests, and counts what each of them adds to the log.
struct Counting<'a> {
    hub: &'a Hub,
    token: &'a str,
}

impl Counting<'_> {
    /// Makes a request, to what was read if it was, that is answered like that and adds so many rows.
    async fn adds(
        &self,
        rows: i64,
        status: u16,
        (method, path): (&str, &str),
        read: Option<&Reply>,
        body: Option<&Value>,
    ) -> Reply {
        let before = self.hub.number(ROWS).await;
        let tag = read.map(|read| read.header("etag"));
        let reply = self.hub.write_as(self.token, method, path, tag, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
        assert_eq!(self.hub.number(ROWS).await - before, rows, "{method} {path}");
        reply
    }
}

/// A body of that collection, under a name that nothing else has.
fn new_body(collection: &str) -> Value {
    let mut body = domain::sample::example(collection);
    body[if collection == "topics" { "code" } else { "slug" }] = "a-change".into();
    body
}

#[test]
fn every_change_of_every_resource_writes_one_row_and_what_is_refused_none() {
    on_each_database(async |hub| {
        for collection in domain::collections() {
            change_in_each_way(&hub, collection).await;
        }
        hub.assert_whole().await;
    });
}

async fn change_in_each_way(hub: &Hub, collection: &str) {
    let admin = Counting { hub, token: &hub.token };
    let all = format!("/v1/{collection}");
    let mut body = new_body(collection);
    let made = admin.adds(1, 201, ("POST", &all), None, Some(&body)).await;
    let one = format!("{all}/{}", made.json()["id"].as_str().unwrap());
    let step = |step: &str| format!("{one}/{step}");
    admin.adds(0, 409, ("POST", &all), None, Some(&body)).await;
    admin.adds(0, 400, ("POST", &all), None, Some(&json!({}))).await;

    let submitted = admin.adds(1, 200, ("POST", &step("submit")), Some(&made), None).await;
    let reopened = admin.adds(1, 200, ("POST", &step("reopen")), Some(&submitted), None).await;
    let published = admin.adds(1, 200, ("POST", &step("publish")), Some(&reopened), None).await;
    let public = Some(&published);
    admin.adds(0, 409, ("POST", &step("publish")), public, None).await;
    let withdrawn = admin.adds(1, 200, ("POST", &step("withdraw")), public, None).await;
    let reopened = admin.adds(1, 200, ("POST", &step("reopen")), Some(&withdrawn), None).await;

    body["citations"] = fewest_sources(collection, &body);
    let put = admin.adds(1, 200, ("PUT", &one), Some(&reopened), Some(&body)).await;
    admin.adds(0, 412, ("PUT", &one), Some(&reopened), Some(&body)).await;
    admin.adds(0, 428, ("PUT", &one), None, Some(&body)).await;
    let patched = admin.adds(1, 200, ("PATCH", &one), Some(&put), Some(&json!({}))).await;
    let restore = step("revisions/1/restore");
    let restored = admin.adds(1, 200, ("POST", &restore), Some(&patched), None).await;
    admin.adds(0, 412, ("DELETE", &one), Some(&patched), None).await;
    admin.adds(1, 204, ("DELETE", &one), Some(&restored), None).await;
    admin.adds(0, 404, ("DELETE", &one), Some(&restored), None).await;
    let revived = admin.adds(1, 201, ("POST", &restore), None, None).await;
    admin.adds(1, 204, ("DELETE", &one), Some(&revived), None).await;
    let published = format!("{all}?publish=true");
    let made = admin.adds(1, 201, ("POST", &published), None, Some(&body)).await;
    admin.adds(1, 204, ("DELETE", &step_of(&made, &all)), Some(&made), None).await;
}

fn step_of(made: &Reply, all: &str) -> String {
    format!("{all}/{}", made.json()["id"].as_str().unwrap())
}

#[test]
fn a_proposal_writes_its_row_when_it_is_accepted_and_what_is_sent_again_writes_none() {
    on_each_database(async |hub| {
        let admin = Counting { hub: &hub, token: &hub.token };
        let token = hub.token("editor", &[]).await;
        let editor = Counting { hub: &hub, token: &token };
        let topic = ("PATCH", "/v1/topics/cloud");
        for (decision, rows) in [("decline", 0), ("accept", 1)] {
            let now = hub.get(topic.1).await;
            let change = json!({"label": {"en": decision}});
            let kept = editor.adds(0, 202, topic, Some(&now), Some(&change)).await;
            let decide = format!("{}/{decision}", kept.header("location"));
            admin.adds(rows, 200, ("POST", &decide), None, None).await;
        }
        let bearer = format!("Bearer {}", hub.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", "0123456789abcdef"),
        ];
        for rows in [1, 0] {
            let before = hub.number(ROWS).await;
            let body = new_body("topics").to_string().into_bytes();
            let reply = hub.send("POST", "/v1/topics", &headers, Some(body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
            assert_eq!(hub.number(ROWS).await - before, rows);
        }
        hub.assert_whole().await;
    });
}

#[test]
fn to_read_writes_nothing_to_the_log() {
    on_each_database(async |hub| {
        let contract: Value = hub.get("/openapi.json").await.json();
        let editor = hub.token("editor", &[]).await;
        let bearer = format!("Bearer {}", hub.token);
        let (mut asked, mut found) = (0, 0);
        for (method, path, operation) in routes(&contract) {
            if method != "GET" {
                continue;
            }
            let at = filled(&hub, &editor, &path, &operation).await;
            let before = hub.number(ROWS).await;
            for method in ["GET", "HEAD"] {
                for bearer in [None, Some(bearer.as_str())] {
                    let reply = ask(&hub, method, &at, bearer).await;
                    asked += 1;
                    found += usize::from(reply.status.is_success());
                }
            }
            assert_eq!(hub.number(ROWS).await, before, "{at}");
        }
        assert!(found > asked / 2, "{found} of {asked} found something");
    });
}

/// Has the log take no more rows, and tells how such a request is answered. On Postgres it is said
/// as late as can be, at the commit; on SQLite the row stays where it is until all is rolled back.
async fn close_the_log(hub: &Hub) -> u16 {
    if hub.database.url.starts_with("postgres") {
        hub.sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'full'; END $$; \
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON change DEFERRABLE \
             INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
        500
    } else {
        hub.sql(
            "CREATE TRIGGER refuse AFTER INSERT ON change BEGIN SELECT RAISE(FAIL, 'full'); END",
        )
        .await;
        // As with a reference to what has just gone, it is tried again, and in the end given up.
        503
    }
}

/// All that a change could leave behind.
async fn everything(hub: &Hub) -> (BTreeMap<(String, String), Value>, Vec<i64>) {
    let mut counts = Vec::new();
    for table in ["record", "reference", "term", "search", "change", "idempotency"] {
        counts.push(hub.number(&format!("SELECT count(*) FROM {table}")).await);
    }
    (listed(hub).await, counts)
}

#[test]
fn what_cannot_be_logged_is_not_done() {
    on_each_database(async |hub| {
        let admin = Counting { hub: &hub, token: &hub.token };
        let body = new_body("topics");
        let draft = admin.adds(1, 201, ("POST", "/v1/topics"), None, Some(&body)).await;
        let draft_at = step_of(&draft, "/v1/topics");
        let publish = format!("{draft_at}/publish");
        let published = hub.get("/v1/topics/cloud").await;
        let before = everything(&hub).await;
        let refused = close_the_log(&hub).await;

        let mut other = body.clone();
        other["code"] = "another".into();
        let label = json!({"label": {"en": "Other"}});
        admin.adds(0, refused, ("POST", "/v1/topics"), None, Some(&other)).await;
        admin.adds(0, refused, ("PUT", &draft_at), Some(&draft), Some(&other)).await;
        let cloud = "/v1/topics/cloud";
        admin.adds(0, refused, ("PATCH", cloud), Some(&published), Some(&label)).await;
        admin.adds(0, refused, ("POST", &publish), Some(&draft), None).await;
        admin.adds(0, refused, ("DELETE", &draft_at), Some(&draft), None).await;
        let bearer = format!("Bearer {}", hub.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", "0123456789abcdef"),
        ];
        let reply = hub.send("POST", "/v1/topics", &headers, Some(other.to_string().into())).await;
        assert_eq!(reply.status, refused, "{}", reply.text);
        assert!(everything(&hub).await == before);
        hub.assert_whole().await;
    });
}
