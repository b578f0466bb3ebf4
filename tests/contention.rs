//! Many who write the same few records at the same time: none overwrites what another wrote.
use std::cell::{Cell, RefCell};

use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;

use crate::harness::{Hub, on_each_database};

const WRITERS: u64 = 32;
const RECORDS: usize = 10;
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
