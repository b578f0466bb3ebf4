//! The feed of changes: who follows it holds what the lists hold.
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    process::Child,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Response;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::{Hub, Reply, client, on_each_database},
    running::{Service, admin},
};

/// How many changes the random run makes, and how many clients make them at once.
const CHANGES: usize = 2000;
const WRITERS: u64 = 8;

fn position(cursor: &Value) -> u64 {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str().unwrap()).unwrap();
    u64::from_be_bytes(bytes.try_into().unwrap())
}

/// A copy of the registry, kept by nothing but the feed.
#[derive(Default)]
struct Copy {
    records: BTreeMap<(String, String), Value>,
    revisions: BTreeMap<String, u64>,
    public: BTreeSet<String>,
    last: u64,
}

impl Copy {
    /// Takes one item over; what happened to a record has to come in its turn.
    fn apply(&mut self, item: &Value) {
        let at = position(&item["cursor"]);
        assert!(at > self.last, "{} came before {item}", self.last);
        self.last = at;
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        let (resource, id) = (text("resource"), text("id"));
        let revision = item["revision"].as_u64().unwrap();
        let before = self.revisions.insert(id.clone(), revision).unwrap_or_default();
        assert!(revision > before, "{before} of {item}");
        match item["operation"].as_str().unwrap() {
            "deleted" | "withdrawn" => {
                assert_eq!(item["record"], Value::Null);
                assert!(self.public.remove(&id), "{item}");
                self.records.remove(&(resource, id));
            }
            operation => {
                assert_eq!(operation == "created", self.public.insert(id.clone()), "{item}");
                if item["record"].is_null() {
                    // It is gone by now: the feed says so further on.
                    self.records.remove(&(resource, id));
                } else {
                    assert!(item["record"]["revision"].as_u64().unwrap() >= revision, "{item}");
                    self.records.insert((resource, id), item["record"].clone());
                }
            }
        }
    }
}

/// What the lists answer of all collections.
pub(crate) async fn listed(hub: &Hub) -> BTreeMap<(String, String), Value> {
    let mut all = BTreeMap::new();
    for collection in domain::collections() {
        let mut path = format!("/v1/{collection}?limit=100");
        loop {
            let page = hub.get(&path).await.json();
            for record in page["items"].as_array().unwrap() {
                let id = record["id"].as_str().unwrap().to_owned();
                all.insert((collection.to_owned(), id), record.clone());
            }
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/{collection}?limit=100&cursor={cursor}");
        }
    }
    all
}

/// Makes random changes until enough were made; others take the same records at the same time.
async fn write(
    hub: &Hub,
    writer: u64,
    made: &Cell<usize>,
    records: &RefCell<Vec<(String, String)>>,
) {
    let mut random = StdRng::seed_from_u64(writer);
    for number in 0.. {
        if made.get() >= CHANGES {
            return;
        }
        let known = records.borrow().len();
        let any = (known > 0).then(|| random.random_range(0..known));
        let chosen = any.map(|at| records.borrow()[at].clone());
        let reply = match (random.random_range(0..12), chosen) {
            (0..=2, _) | (_, None) => {
                let topic = random.random_bool(0.5);
                let name = format!("w{writer}-{number}");
                let (path, body) = new_record(topic, &name);
                let reply = hub.write("POST", path, None, Some(&body)).await;
                if reply.status == 201 {
                    let place = reply.header("location").to_owned();
                    records.borrow_mut().push((place, reply.header("etag").to_owned()));
                }
                reply
            }
            (step @ 7..=9, Some((place, tag))) => {
                let step = ["withdraw", "reopen", "publish"][step - 7];
                let reply = hub.write("POST", &format!("{place}/{step}"), Some(&tag), None).await;
                keep(records, &place, &reply);
                reply
            }
            (3..=6, Some((place, tag))) => {
                let text = json!({"en": format!("{writer} was here, {number}")});
                let name = if place.contains("topics") { "label" } else { "name" };
                let body = json!({ name: text });
                let reply = hub.write("PATCH", &place, Some(&tag), Some(&body)).await;
                keep(records, &place, &reply);
                reply
            }
            (_, Some((place, tag))) => {
                let reply = hub.write("DELETE", &place, Some(&tag), None).await;
                if reply.status == 204 {
                    records.borrow_mut().retain(|(other, _)| *other != place);
                }
                reply
            }
        };
        match reply.status.as_u16() {
            200 | 201 | 204 => made.set(made.get() + 1),
            // Another was faster, or SQLite was kept by others for too long.
            404 | 412 | 503 => {}
            // The step does not lead on from there.
            409 => assert_eq!(reply.json()["code"], "wrong_state"),
            _ => panic!("{}: {}", reply.status, reply.text),
        }
    }
}

/// Keeps the tag of a record that was changed.
fn keep(records: &RefCell<Vec<(String, String)>>, place: &str, reply: &Reply) {
    let mut records = records.borrow_mut();
    let kept = records.iter_mut().find(|(other, _)| other == place);
    if let (true, Some(kept)) = (reply.status == 200, kept) {
        reply.header("etag").clone_into(&mut kept.1);
    }
}

fn new_record(topic: bool, name: &str) -> (&'static str, Value) {
    if topic {
        return ("/v1/topics", json!({"code": name, "scheme": "own", "label": {"en": name}}));
    }
    let mut body = domain::sample::example("organisations");
    body["slug"] = name.into();
    ("/v1/organisations", body)
}

#[test]
fn who_follows_the_feed_through_concurrent_changes_holds_what_the_lists_hold() {
    on_each_database(async |hub| {
        hub.slow_commits().await;
        let (made, records) = (Cell::new(0), RefCell::new(Vec::new()));
        let done = Cell::new(false);
        let writing = async {
            let all = (0..WRITERS).map(|writer| write(&hub, writer, &made, &records));
            futures_util::future::join_all(all).await;
            done.set(true);
        };
        let following = async {
            let mut random = StdRng::seed_from_u64(WRITERS);
            let (mut copy, mut after) = (Copy::default(), String::new());
            loop {
                let last = done.get();
                let limit = random.random_range(1..=100);
                let page = hub.get(&format!("/v1/changes?limit={limit}{after}")).await.json();
                let items = page["items"].as_array().unwrap();
                for item in items {
                    copy.apply(item);
                }
                after = format!("&after={}", page["next_cursor"].as_str().unwrap());
                if last && items.is_empty() {
                    return copy;
                }
            }
        };
        let ((), copy) = futures_util::future::join(writing, following).await;
        assert!(made.get() >= CHANGES);
        let listed = listed(&hub).await;
        assert_eq!(copy.records.len(), listed.len());
        for (name, record) in &listed {
            assert_eq!(copy.records.get(name), Some(record), "{name:?}");
        }
    });
}

#[test]
fn the_feed_begins_with_the_first_change_and_always_says_how_to_go_on() {
    on_each_database(async |hub| {
        let reply = hub.get("/v1/changes?limit=2").await;
        let page = reply.json();
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(reply.header("cache-control").starts_with("public, max-age="));
        let known = [("if-none-match", reply.header("etag"))];
        assert_eq!(hub.send("GET", "/v1/changes?limit=2", &known, None).await.status, 304);
        assert_eq!(page["items"].as_array().unwrap().len(), 2);
        assert_eq!(page["next_cursor"], page["items"][1]["cursor"]);
        let first = page["items"][0].as_object().unwrap();
        let names: Vec<_> = first.keys().collect();
        let expected =
            ["cursor", "at", "resource", "id", "slug", "revision", "operation", "record"];
        assert_eq!(names, expected, "and not who did it");

        let whole = hub.get("/v1/changes?limit=100&resource=documents,topics").await.json();
        let resources: Vec<_> =
            whole["items"].as_array().unwrap().iter().map(|item| &item["resource"]).collect();
        assert_eq!(resources.len(), 16);
        assert!(resources.iter().all(|name| *name == "documents" || *name == "topics"));
        let end = whole["next_cursor"].as_str().unwrap();
        let after = hub.get(&format!("/v1/changes?after={end}")).await.json();
        assert_eq!(after, json!({"items": [], "next_cursor": end}));
        let draft = json!({"code": "draft", "scheme": "own", "label": {"en": "Draft"}});
        let made = hub.write_as(&hub.token, "POST", "/v1/topics", None, Some(&draft)).await;
        assert_eq!(made.status, 201);
        for path in ["/v1/changes?after=", "/v1/changes?limit=1&after="] {
            let after = hub.get(&format!("{path}{end}")).await.json();
            assert_eq!(after, json!({"items": [], "next_cursor": end}), "nobody learns of a draft");
        }

        let topic = json!({"code": "news", "scheme": "own", "label": {"en": "News"}});
        let made = hub.write("POST", "/v1/topics", None, Some(&topic)).await;
        let during = hub.get(&format!("/v1/changes?after={end}")).await.json();
        assert_eq!(during["items"][0]["record"], hub.get("/v1/topics/news").await.json());
        let gone = hub.write("DELETE", "/v1/topics/news", Some(made.header("etag")), None).await;
        assert_eq!(gone.status, 204);
        let after = hub.get(&format!("/v1/changes?after={end}")).await.json();
        let told = |at: usize| {
            let item = &after["items"][at];
            json!([item["operation"], item["slug"], item["revision"], item["record"]["label"]])
        };
        // What was public once is not told again after it is gone.
        assert_eq!(told(0), json!(["created", "news", 1, null]));
        assert_eq!(told(1), json!(["deleted", "news", 2, null]));
    });
}

#[test]
fn what_is_no_place_in_the_feed_is_refused() {
    on_each_database(async |hub| {
        let far = URL_SAFE_NO_PAD.encode(1_000_000_i64.to_be_bytes());
        let negative = URL_SAFE_NO_PAD.encode((-1_i64).to_be_bytes());
        for cursor in ["x", "AAAAAAAAAAB", "AAAAAAAAAAA=", &far, &negative] {
            for path in ["/v1/changes", "/v1/changes/stream"] {
                let reply = hub.get(&format!("{path}?after={cursor}")).await;
                assert_eq!(reply.status, 400, "{cursor}");
                assert_eq!(reply.faults(), [("after".to_owned(), "invalid_cursor".to_owned())]);
            }
        }
        for id in ["7", &far] {
            let given = [("last-event-id", id)];
            let reply = hub.send("GET", "/v1/changes/stream", &given, None).await;
            let fault = ("Last-Event-ID".to_owned(), "invalid_cursor".to_owned());
            assert_eq!(reply.faults(), [fault], "{id}");
        }
        for (query, code) in [
            ("resource=feasts", "invalid_parameter"),
            ("limit=101", "invalid_parameter"),
            ("with_total=true", "unknown_parameter"),
            ("sort=at", "unknown_parameter"),
            ("cursor=AAAAAAAAAAE", "unknown_parameter"),
            ("nonsense=1", "unknown_parameter"),
        ] {
            let reply = hub.get(&format!("/v1/changes?{query}")).await;
            let name = query.split('=').next().unwrap();
            assert_eq!(reply.faults(), [(name.to_owned(), code.to_owned())]);
        }
        let reply = hub.get("/v1/changes/stream?limit=5").await;
        assert_eq!(reply.faults(), [("limit".to_owned(), "unknown_parameter".to_owned())]);
        assert_eq!(hub.send("HEAD", "/v1/changes/stream", &[], None).await.status, 200);
        assert_eq!(hub.write("POST", "/v1/changes", None, Some(&json!({}))).await.status, 405);
    });
}

/// Events as they come in.
struct Events {
    response: Response,
    text: String,
}

impl Events {
    async fn of(hub: &Hub, query: &str, last: Option<&str>) -> Self {
        let request = hub.client.get(format!("{}/v1/changes/stream{query}", hub.url));
        let request = match last {
            None => request,
            Some(last) => request.header("last-event-id", last),
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The id and the data of the next event.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(event) = event.strip_prefix("id: ") {
                    let (id, event) = event.split_once("\nevent: change\ndata: ").unwrap();
                    return (id.to_owned(), serde_json::from_str(event).unwrap());
                }
                continue;
            }
            let part = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await;
            let part = part.expect("an event in time").unwrap().expect("more events");
            self.text += std::str::from_utf8(&part).unwrap();
        }
    }
}

#[test]
fn a_stream_tells_the_same_items_at_once_and_goes_on_where_it_was_left() {
    on_each_database(async |hub| {
        let page = hub.get("/v1/changes?limit=100").await.json();
        let items = page["items"].as_array().unwrap();
        let mut events = Events::of(&hub, "", None).await;
        for item in items {
            let (id, told) = events.next().await;
            assert_eq!((&*id, &told), (item["cursor"].as_str().unwrap(), item));
        }
        let end = page["next_cursor"].as_str().unwrap();
        let mut topics = Events::of(&hub, "?resource=topics&after=AAAAAAAAAAA", Some(end)).await;
        for code in ["one", "two"] {
            let topic = json!({"code": code, "scheme": "own", "label": {"en": code}});
            let begun = Instant::now();
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&topic)).await.status, 201);
            assert_eq!(topics.next().await.1["slug"], code);
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        }
        let last = items[items.len() - 1]["cursor"].as_str().unwrap();
        assert_eq!(Events::of(&hub, "", Some(last)).await.next().await.1["slug"], "one");
    });
}

#[test]
fn streams_that_wait_for_the_same_are_told_by_one_look_and_the_others_by_none() {
    on_each_database(async |hub| {
        let page = hub.get("/v1/changes?limit=100").await.json();
        let query = |resource: &str| {
            format!("?after={}&resource={resource}", page["next_cursor"].as_str().unwrap())
        };
        let topic = async |code: &str| {
            let topic = json!({"code": code, "scheme": "own", "label": {"en": code}});
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&topic)).await.status, 201);
        };
        let mut topics = Vec::new();
        let mut people = Vec::new();
        for _ in 0..16 {
            topics.push(Events::of(&hub, &query("topics"), None).await);
            people.push(Events::of(&hub, &query("people"), None).await);
        }
        for (code, looks) in [("one", None), ("two", Some(1)), ("three", Some(1))] {
            hub.statements();
            topic(code).await;
            for stream in &mut topics {
                assert_eq!(stream.next().await.1["slug"], code);
            }
            let feed = |sql: &&String| sql.contains("\"change\".\"slug\"");
            let asked = hub.statements();
            let asked: Vec<_> = asked.iter().filter(feed).collect();
            // Before the first of them, not all of the streams may have begun to wait.
            assert!(looks.is_none_or(|looks| asked.len() == looks), "{code}: {asked:?}");
        }
    });
}

#[test]
fn a_stream_hears_of_other_instances_says_that_it_lives_and_ends_with_the_service() {
    let folder = TempDir::new().unwrap();
    let mut one = Service::start(folder.path());
    let other = Service::start(folder.path());
    let token = admin(folder.path(), &[]);
    actix_web::rt::System::new().block_on(async {
        let client = client();
        let hub = |service: &Service| format!("http://{}", service.at);
        let page = client.get(format!("{}/v1/changes?limit=100", hub(&one)));
        let page: Value = page.send().await.unwrap().json().await.unwrap();
        let after = page["next_cursor"].as_str().unwrap();
        let stream = client.get(format!("{}/v1/changes/stream?after={after}", hub(&one)));
        let mut events = Events { response: stream.send().await.unwrap(), text: String::new() };
        let topic = json!({"code": "elsewhere", "scheme": "own", "label": {"en": "Elsewhere"}});
        let write =
            client.post(format!("{}/v1/topics?publish=true", hub(&other))).bearer_auth(token);
        assert_eq!(write.json(&topic).send().await.unwrap().status(), 201);
        assert_eq!(events.next().await.1["slug"], "elsewhere");

        while !events.text.contains(":\n\n") {
            let part = tokio::time::timeout(Duration::from_secs(20), events.response.chunk());
            let part = part.await.expect("a sign of life").unwrap().expect("no end");
            events.text += std::str::from_utf8(&part).unwrap();
        }
        let begun = Instant::now();
        one.terminate();
        while let Some(part) = events.response.chunk().await.unwrap() {
            events.text += std::str::from_utf8(&part).unwrap();
        }
        ended(&mut one.process);
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    });
}

fn ended(process: &mut Child) {
    assert!(process.wait().unwrap().success());
}
