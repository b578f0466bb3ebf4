//! Many who write the same few records at the same time: none overwrites what another wrote.
use std::cell::{Cell, RefCell};

use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};

use crate::harness::{Hub, Reply, on_each_database};

const WRITERS: u64 = 32;
const RECORDS: usize = 10;
/// Held from the moment a change is written to the log until it is committed.
const LOG_LOCK: i64 = 0x6361_7061_6369_7402;
/// How many changes are tried, where `HUB_TEST_TRIES` does not say another number.
const TRIES: usize = 2000;

fn tries() -> usize {
    std::env::var("HUB_TEST_TRIES").ok().and_then(|tries| tries.parse().ok()).unwrap_or(TRIES)
}

/// Takes its share of the tries, each to a record by chance, with the revision that it has read.
async fn write(
    hub: &Hub,
    writer: u64,
    left: &Cell<usize>,
    made: &RefCell<Vec<usize>>,
    busy: &Cell<usize>,
) {
    let mut random = StdRng::seed_from_u64(writer);
    while let Some(rest) = left.get().checked_sub(1) {
        left.set(rest);
        let record = random.random_range(0..RECORDS);
        let path = format!("/v1/topics/contended-{record}");
        let tag = hub.get(&path).await.header("etag").to_owned();
        let change = json!({"label": {"en": format!("{writer} {rest}")}});
        let reply = hub.write("PATCH", &path, Some(&tag), Some(&change)).await;
        match reply.status.as_u16() {
            200 => made.borrow_mut()[record] += 1,
            412 => {}
            // The database was busy: it is tried again.
            503 if hub.database.url.starts_with("sqlite") => {
                busy.set(busy.get() + 1);
                left.set(left.get() + 1);
            }
            _ => panic!("{}: {}", reply.status, reply.text),
        }
    }
}

#[test]
fn each_revision_of_a_contended_record_is_made_by_exactly_one_of_its_writers() {
    on_each_database(async |hub| {
        for record in 0..RECORDS {
            let code = format!("contended-{record}");
            let body = json!({"code": code, "scheme": "own", "label": {"en": "new"}});
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
        }
        let (left, made) = (Cell::new(tries()), RefCell::new(vec![0; RECORDS]));
        let busy = Cell::new(0);
        join_all((0..WRITERS).map(|writer| write(&hub, writer, &left, &made, &busy))).await;
        let made = made.into_inner();
        for (record, made) in made.iter().enumerate() {
            let now = hub.get(&format!("/v1/topics/contended-{record}")).await.json();
            assert_eq!(now["revision"], json!(1 + made), "contended-{record}");
        }
        let kept: usize = made.iter().sum();
        let (tries, busy) = (tries(), busy.get());
        eprintln!("{tries} tries: {kept} made, {} answered 412, {busy} 503", tries - kept);
        assert!(kept > 0 && kept < tries, "{kept} of {tries} were kept");
        hub.assert_whole().await;
    });
}

/// Waits until so many sessions wait for what others hold.
async fn waiting(hub: &Hub, sessions: i64) {
    let all = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name = 'capacity-hub' AND wait_event_type = 'Lock'";
    while hub.number(all).await < sessions {}
}

/// Makes two changes of which both have been begun before either is committed, the first one first.
async fn at_once(hub: &Hub, changes: [(&str, Value); 2]) -> [Reply; 2] {
    let mut tagged = Vec::new();
    for (path, change) in changes {
        let tag = hub.get(path).await.header("etag").to_owned();
        tagged.push((path, tag, change));
    }
    hub.statements();
    let change = async |place: usize| {
        let (path, tag, change) = &tagged[place];
        hub.write("PATCH", path, Some(tag), Some(change)).await
    };
    if !hub.database.url.starts_with("postgres") {
        // A writing transaction is alone there.
        return [change(0).await, change(1).await];
    }
    let beside = sea_orm::Database::connect(&hub.database.url).await.expect("the database");
    let held = beside.begin().await.expect("a transaction");
    let lock = format!("SELECT pg_advisory_xact_lock({LOG_LOCK})");
    held.execute_unprepared(&lock).await.expect("the log is held");
    let second = async {
        waiting(hub, 1).await;
        change(1).await
    };
    let let_go = async {
        waiting(hub, 2).await;
        held.rollback().await.expect("the log is free");
    };
    let (first, second, ()) = tokio::join!(change(0), second, let_go);
    [first, second]
}

/// How often a change was about to be committed.
fn attempts(hub: &Hub) -> usize {
    let locks = |sql: &&String| sql.contains("max(version) FROM seaql_migrations");
    hub.statements().iter().filter(locks).count()
}

#[test]
fn no_record_keeps_a_code_that_its_topic_does_not_have_any_more() {
    on_each_database(async |hub| {
        for code in ["early", "late"] {
            let body = json!({"code": code, "scheme": "own", "label": {"en": code}});
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
        }
        let seminar = "/v1/seminars/first-seminar-2021";
        let [renamed, refused] = at_once(
            &hub,
            [
                ("/v1/topics/early", json!({"code": "renamed"})),
                (seminar, json!({"topics": ["early"]})),
            ],
        )
        .await;
        assert_eq!(renamed.status, 200, "{}", renamed.text);
        let unknown = ("/topics/0".to_owned(), "unknown_reference".to_owned());
        assert_eq!(refused.faults(), [unknown], "{}", refused.text);

        let [made, refused] = at_once(
            &hub,
            [(seminar, json!({"topics": ["late"]})), ("/v1/topics/late", json!({"code": "later"}))],
        )
        .await;
        assert_eq!(made.json()["topics"], json!(["late"]), "{}", made.text);
        let in_use = ("/code".to_owned(), "in_use".to_owned());
        assert_eq!(refused.faults(), [in_use], "{}", refused.text);
        hub.assert_whole().await;
    });
}

#[test]
fn a_series_gets_another_name_while_one_of_its_seminars_is_written() {
    on_each_database(async |hub| {
        let mut series = domain::sample::example("seminar-series");
        series["slug"] = json!("contended");
        let made = hub.write("POST", "/v1/seminar-series", None, Some(&series)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let seminar = json!({"slug": "contended", "kind": "seminar", "status": "planned",
            "project_id": series["project_id"], "series_id": "contended"});
        let made = hub.write("POST", "/v1/seminars", None, Some(&seminar)).await;
        assert_eq!(made.status, 201, "{}", made.text);

        let (at, of) = ("/v1/seminars/contended", "/v1/seminar-series/contended");
        let changes = [(of, json!({"name": {"en": "Renamed"}})), (at, json!({"ordinal": 7}))];
        for reply in at_once(&hub, changes).await {
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        assert_eq!(attempts(&hub), 2, "neither is made twice");
        assert_eq!(hub.get(at).await.json()["label"]["en"], "Seminar 7: Renamed");

        // Where the name stays, its seminars are left alone.
        let changes = [(of, json!({"planned_count": 9})), (at, json!({"ordinal": 8}))];
        for reply in at_once(&hub, changes).await {
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        assert_eq!(attempts(&hub), 2, "neither is made twice");
        hub.assert_whole().await;
    });
}
