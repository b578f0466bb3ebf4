//! Clients that go away in the middle of what they ask: what was acknowledged is kept, and no
//! session of the database is left inside a transaction.
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    changes::listed,
    harness::{Hub, on_each_database},
};

/// How many clients go away, where `HUB_TEST_ABORTS` does not say another number.
const ABORTS: usize = 500;
/// How many of them are there at once, and how many write and stay.
const AT_ONCE: u64 = 32;
const HONEST: u64 = 4;
/// How long the most patient of them waits, on a machine on which a write does not take long.
const PATIENCE: Duration = Duration::from_millis(500);

fn aborts() -> usize {
    std::env::var("HUB_TEST_ABORTS").map_or(ABORTS, |count| count.parse().expect("a number"))
}

fn topic(code: &str) -> Value {
    json!({"code": code, "scheme": "own", "label": {"en": code}})
}

/// What was seen of it all.
#[derive(Default)]
struct Seen {
    /// How many clients are still to go away.
    left: Cell<usize>,
    /// How long the most patient of them waits.
    patience: Duration,
    /// How many went before their answer came, and how many with it.
    without: Cell<usize>,
    with: Cell<usize>,
    /// The topics whose creation was acknowledged.
    topics: RefCell<BTreeSet<String>>,
    /// The changes of the one topic that all of them change.
    changes: Cell<u64>,
    /// The tokens whose revocation was acknowledged.
    revoked: RefCell<Vec<String>>,
    /// How often the database was too busy.
    busy: Cell<usize>,
}

fn one_more<T: Copy + From<u8> + std::ops::Add<Output = T>>(count: &Cell<T>) {
    count.set(count.get() + T::from(1));
}

/// Sends as much of a request as chance has it, waits as long as chance has it for the answer, and
/// is gone: by a reset, or by the end of what it sends.
async fn go_away(at: &str, random: &mut StdRng, request: &str, patience: Duration) -> Option<u16> {
    let mut connection = TcpStream::connect(at).await.expect("a connection");
    if random.random_bool(0.5) {
        connection.set_zero_linger().expect("a reset at the end");
    }
    let whole = random.random_bool(0.8);
    let sent = if whole { request.len() } else { random.random_range(0..request.len()) };
    connection.write_all(&request.as_bytes()[..sent]).await.expect("sent");
    let mut answer = [0; 12];
    let patience = patience.mul_f64(random.random::<f64>().powi(2));
    let read = timeout(patience, connection.read_exact(&mut answer)).await;
    // "HTTP/1.1 201"
    matches!(read, Ok(Ok(_))).then(|| String::from_utf8_lossy(&answer[9..]).parse().ok())?
}

/// One after the other, clients that write or export, and go away.
async fn go_away_often(hub: &Hub, number: u64, seen: &Seen) {
    let mut random = StdRng::seed_from_u64(number);
    let at = hub.url.strip_prefix("http://").unwrap();
    let head = format!("host: hub\r\nauthorization: Bearer {}", hub.token);
    while let Some(left) = seen.left.get().checked_sub(1) {
        seen.left.set(left);
        let code = format!("gone-{left}");
        let kind = random.random_range(0..4);
        let request = match kind {
            0 => format!("GET /v1/seminars.ndjson HTTP/1.1\r\n{head}\r\n\r\n"),
            1 => {
                let tag = hub.get("/v1/topics/contended").await.header("etag").to_owned();
                let body = json!({"label": {"en": code}}).to_string();
                format!(
                    "PATCH /v1/topics/contended HTTP/1.1\r\n{head}\r\nif-match: {tag}\r\n\
                     content-type: application/merge-patch+json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
            _ => {
                let body = topic(&code).to_string();
                format!(
                    "POST /v1/topics?publish=true HTTP/1.1\r\n{head}\r\n\
                     content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
        };
        let answered = go_away(at, &mut random, &request, seen.patience).await;
        one_more(if answered.is_some() { &seen.with } else { &seen.without });
        match (kind, answered) {
            (_, None) | (0, Some(200)) | (1, Some(412)) => {}
            (1, Some(200)) => one_more(&seen.changes),
            (2 | 3, Some(201)) => assert!(seen.topics.borrow_mut().insert(code)),
            (_, Some(503)) => one_more(&seen.busy),
            other => panic!("{other:?}"),
        }
    }
}

/// Meanwhile one who stays: makes topics, and tokens that are revoked at once.
async fn stay(hub: &Hub, number: u64, seen: &Seen) {
    for round in 0.. {
        if seen.left.get() == 0 {
            return;
        }
        let code = format!("stays-{number}-{round}");
        let made = hub.write("POST", "/v1/topics", None, Some(&topic(&code))).await;
        match made.status.as_u16() {
            201 => assert!(seen.topics.borrow_mut().insert(code)),
            503 => one_more(&seen.busy),
            _ => panic!("{}: {}", made.status, made.text),
        }
        let viewer = json!({"name": "of the fire", "role": "viewer"});
        let made = hub.write("POST", "/v1/tokens", None, Some(&viewer)).await;
        if made.status != 201 {
            assert_eq!(made.status, 503, "{}", made.text);
            one_more(&seen.busy);
            continue;
        }
        let token = made.json();
        let revoke = format!("/v1/tokens/{}/revoke", token["id"].as_str().unwrap());
        let revoked = hub.write("POST", &revoke, None, None).await;
        match revoked.status.as_u16() {
            200 => seen.revoked.borrow_mut().push(token["token"].as_str().unwrap().to_owned()),
            503 => one_more(&seen.busy),
            _ => panic!("{}: {}", revoked.status, revoked.text),
        }
    }
}

/// How many transactions of the service are open. On SQLite it is told whether one is: then what
/// it reads or writes keeps the write-ahead log from being emptied.
async fn open_transactions(hub: &Hub) -> i64 {
    if hub.database.url.starts_with("postgres") {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND application_name = 'capacity-hub' AND xact_start IS NOT NULL";
        return hub.number(open).await;
    }
    hub.number("PRAGMA wal_checkpoint(TRUNCATE)").await
}

#[test]
fn clients_that_go_away_lose_nothing_that_was_acknowledged_and_leave_no_transaction_open() {
    on_each_database(async |mut hub| {
        // A connection that is kept may be closed by the service just when it is used again.
        hub.client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        let begun = Instant::now();
        let made = hub.write("POST", "/v1/topics", None, Some(&topic("contended"))).await;
        assert_eq!(made.status, 201, "{}", made.text);
        // All of them write at once, one after the other.
        let patience = PATIENCE.max(begun.elapsed() * u32::try_from(AT_ONCE).unwrap());
        let seen = Seen { left: Cell::new(aborts()), patience, ..Seen::default() };
        let gone = join_all((0..AT_ONCE).map(|number| go_away_often(&hub, number, &seen)));
        join(gone, join_all((0..HONEST).map(|number| stay(&hub, number, &seen)))).await;

        // Sooner than Postgres itself ends a session that is idle in a transaction.
        let ended = Instant::now();
        while open_transactions(&hub).await != 0 {
            assert!(ended.elapsed() < Duration::from_secs(12), "a transaction is left open");
        }
        let kept = listed(&hub).await;
        let codes: BTreeSet<_> = kept.values().filter_map(|topic| topic["code"].as_str()).collect();
        for code in &*seen.topics.borrow() {
            assert!(codes.contains(code.as_str()), "{code} was acknowledged and is lost");
        }
        let contended = hub.get("/v1/topics/contended").await.json();
        assert!(contended["revision"].as_u64().unwrap() > seen.changes.get(), "{contended}");
        let revoked = seen.revoked.take();
        for token in &revoked {
            let reply = hub.get_as(token, "/v1/tokens/self").await;
            assert_eq!(reply.status, 401, "a revocation was acknowledged and is lost");
        }
        hub.assert_whole().await;
        assert_eq!(hub.get("/health/ready").await.status, 200);
        let after = hub.write("POST", "/v1/topics", None, Some(&topic("after"))).await;
        assert_eq!(after.status, 201, "{}", after.text);

        let (with, without, busy) = (seen.with.get(), seen.without.get(), seen.busy.get());
        eprintln!(
            "{without} clients went away before their answer, {with} with it; {} topics and {} \
             revocations acknowledged, all kept; {busy} answered 503",
            seen.topics.borrow().len(),
            revoked.len()
        );
        assert!(with > 0 && without > 0);
    });
}
