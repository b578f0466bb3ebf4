//! Answers from memory: as fresh as if they were made anew, and made once.
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use api::Settings;
use futures_util::future::join_all;
use persistence::Database;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::harness::{Hub, Instance, Reply, on_each_database};

/// How many steps are taken, where `HUB_TEST_STEPS` does not say another number.
const STEPS: usize = 600;
/// Within what time a change is seen that was made through another instance, but for one in a
/// thousand.
const SOON: Duration = Duration::from_millis(100);

/// What the public reads, each made from something else.
const READS: [&str; 18] = [
    "/v1/seminars",
    "/v1/seminars?lang=ko&limit=1",
    "/v1/seminars?topic=digitalisation&include=project,series,topics",
    "/v1/seminars?organisation=undp&facets=project,country",
    "/v1/seminars/first-seminar-2021",
    "/v1/seminars/first-seminar-2021/programme",
    "/v1/seminars/first-seminar-2021.ics",
    "/v1/people",
    "/v1/people?seminar=first-seminar-2021&with_total=true",
    "/v1/organisations/undp",
    "/v1/presentations?include=speakers",
    "/v1/topics",
    "/v1/topics/digitalisation",
    "/v1/search?q=government",
    "/v1/statistics/seminars?group_by=topic",
    "/v1/statistics/presentations.csv",
    "/v1/countries/KZ",
    "/v1/projects/governance-innovation-and-digitalisation/dashboard",
];
/// What is changed, and in which text.
const WRITES: [(&str, &str); 8] = [
    ("/v1/seminars/first-seminar-2021", "theme"),
    ("/v1/organisations/undp", "name"),
    ("/v1/topics/digitalisation", "label"),
    ("/v1/projects/governance-innovation-and-digitalisation", "title"),
    ("/v1/topics/fresh-0", "label"),
    ("/v1/topics/fresh-1", "label"),
    ("/v1/topics/hidden-0", "label"),
    ("/v1/topics/hidden-1", "label"),
];

fn without_memory(settings: &mut Settings) {
    settings.cache = 0;
}

/// What does not stand in an answer, but for when it was made.
fn told(reply: &Reply) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(&reply.text) else {
        return reply.text.clone();
    };
    without_time(&mut value);
    value.to_string()
}

fn without_time(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("computed_at");
            fields.values_mut().for_each(without_time);
        }
        Value::Array(items) => items.iter_mut().for_each(without_time),
        _ => {}
    }
}

struct Model<'a> {
    hub: &'a Hub,
    instances: [String; 2],
    plain: Instance,
    /// What each instance last gave for an address.
    seen: HashMap<(usize, &'static str), (String, String)>,
    late: Vec<Duration>,
    same: usize,
}

impl Model<'_> {
    /// The answer as it is without a memory.
    async fn truth(&self, path: &str) -> String {
        let reply = self.hub.get_from(&self.plain.url, path, None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        told(&reply)
    }

    /// Reads from an instance on condition; 304 stands for what it gave before.
    async fn read(&mut self, of: usize, path: &'static str) -> String {
        let known = self.seen.get(&(of, path)).cloned();
        let tag = known.as_ref().map(|(tag, _)| tag.as_str());
        let reply = self.hub.get_from(&self.instances[of], path, tag).await;
        if reply.status == 304 {
            self.same += 1;
            return known.expect("304 answers who had something").1;
        }
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let told = told(&reply);
        self.seen.insert((of, path), (reply.header("etag").to_owned(), told.clone()));
        told
    }

    async fn write(&self, of: usize, to: (&str, &str), step: usize) {
        let (path, field) = to;
        let url = &self.instances[of];
        let bearer = format!("Bearer {}", self.hub.token);
        let client = &self.hub.client;
        let read = client.get(format!("{url}{path}")).header("authorization", &bearer).send();
        let tag = read.await.expect("an answer").headers()["etag"].to_str().unwrap().to_owned();
        let change = json!({ field: {"en": format!("Digital government {step}")} });
        let written = client
            .patch(format!("{url}{path}"))
            .header("authorization", bearer)
            .header("content-type", "application/merge-patch+json")
            .header("if-match", tag)
            .body(change.to_string())
            .send()
            .await
            .expect("an answer");
        assert_eq!(written.status(), 200, "{path}");
    }
}

#[test]
fn no_answer_is_older_than_the_last_write_through_an_instance_nor_much_older_than_one_through_another()
 {
    on_each_database(async |hub| {
        for number in 0..2 {
            for (code, publish) in [("fresh", "?publish=true"), ("hidden", "")] {
                let body = json!({"code": format!("{code}-{number}"), "scheme": "own", "label": {"en": "new"}});
                let path = format!("/v1/topics{publish}");
                let made = hub.write_as(&hub.token, "POST", &path, None, Some(&body)).await;
                assert_eq!(made.status, 201, "{}", made.text);
            }
        }
        let other = hub.another(|_| ());
        let mut model = Model {
            instances: [hub.url.clone(), other.url.clone()],
            plain: hub.another(without_memory),
            hub: &hub,
            seen: HashMap::new(),
            late: Vec::new(),
            same: 0,
        };
        let steps = std::env::var("HUB_TEST_STEPS").ok().and_then(|steps| steps.parse().ok());
        let steps = steps.unwrap_or(STEPS);
        let mut random = StdRng::seed_from_u64(7);
        // When the last change through each instance was acknowledged.
        let mut changed = [Instant::now(); 2];
        for step in 0..steps {
            let through = random.random_range(0..2);
            let path = *READS.choose(&mut random).expect("there are some");
            if random.random_range(0..3) == 0 {
                let to = *WRITES.choose(&mut random).expect("there are some");
                model.write(through, to, step).await;
                let written = Instant::now();
                changed[through] = written;
                let truth = model.truth(path).await;
                assert_eq!(model.read(through, path).await, truth, "{path} after {to:?}");
                // How long after it was made somebody asked who was not yet told of it.
                let mut late = Duration::ZERO;
                loop {
                    let asked = written.elapsed();
                    if model.read(1 - through, path).await == truth {
                        break;
                    }
                    late = asked;
                    assert!(late < Duration::from_secs(2), "{path} after {to:?}");
                }
                model.late.push(late);
            } else {
                let known = model.seen.get(&(through, path)).cloned();
                let before = model.same;
                let late = changed[1 - through].elapsed();
                let now = model.read(through, path).await;
                if now != model.truth(path).await {
                    model.late.push(late);
                }
                if let Some((_, known)) = known {
                    // Figures have another tag whenever they are made anew.
                    let made_anew = path.contains("statistics") || path.contains("dashboard");
                    let same = model.same > before;
                    assert!(same == (known == now) || made_anew, "{path}: 304 is {same}");
                }
            }
            // What was sent to the database is noted, and would fill the memory of a long run.
            hub.statements();
            if step % 97 == 0 && hub.database.url.starts_with("postgres") {
                hub.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE application_name = 'capacity-hub listens' \
                    AND datname = current_database()",
                )
                .await;
            }
        }
        let (late, same) = (&mut model.late, model.same);
        late.sort();
        let slow = late.iter().filter(|time| **time > SOON).count();
        let (median, last) = (late[late.len() / 2], late[late.len() - 1]);
        eprintln!("{steps} steps, {} writes, {same} answers 304", late.len());
        eprintln!(
            "not seen through another instance for {median:?}, {last:?} at most, {slow} late"
        );
        assert!(same > steps / 10, "{same} of {steps} answers were 304");
        assert!(slow * 1000 <= late.len().max(1000), "{slow} of {} were late", late.len());
        model.plain.stop().await;
        other.stop().await;
    });
}

/// The statements that ask for more than how far the log goes.
fn reading(statements: Vec<String>) -> Vec<String> {
    let looks =
        |sql: &String| sql.contains("FROM \"change\"") || sql.starts_with("UPDATE \"token\"");
    statements.into_iter().filter(|sql| !looks(sql)).collect()
}

#[test]
fn what_was_answered_is_answered_again_without_the_database_until_something_in_it_changes() {
    on_each_database(async |hub| {
        for path in READS {
            let first = hub.get(path).await;
            assert_eq!(first.status, 200, "{path}: {}", first.text);
            hub.statements();
            let again = hub.get(path).await;
            assert_eq!((&again.text, again.header("etag")), (&first.text, first.header("etag")));
            assert_eq!(again.header("cache-control"), first.header("cache-control"), "{path}");
            assert_eq!(again.header("vary"), first.header("vary"), "{path}");
            assert_ne!(again.header("x-request-id"), first.header("x-request-id"), "{path}");
            assert_eq!(reading(hub.statements()), Vec::<String>::new(), "{path}");
        }
        let body = json!({"code": "new", "scheme": "own", "label": {"en": "New"}});
        let draft = hub.write_as(&hub.token, "POST", "/v1/topics", None, Some(&body)).await;
        assert_eq!(draft.status, 201);
        hub.statements();
        for path in READS {
            hub.get(path).await;
        }
        assert_eq!(reading(hub.statements()), Vec::<String>::new(), "nobody sees a draft");

        let published = format!("/v1/topics/{}/publish", draft.json()["id"].as_str().unwrap());
        let step = hub.write("POST", &published, Some(draft.header("etag")), None).await;
        assert!(step.status.is_success(), "{}", step.text);
        hub.statements();
        for path in ["/v1/people", "/v1/organisations/undp", "/v1/topics/digitalisation"] {
            hub.get(path).await;
            assert_eq!(reading(hub.statements()), Vec::<String>::new(), "{path} has no new topic");
        }
        let topics = hub.get("/v1/topics").await;
        assert!(topics.text.contains("\"new\""), "{}", topics.text);
        assert!(!reading(hub.statements()).is_empty());
    });
}

#[test]
fn what_many_ask_for_at_once_is_made_once() {
    on_each_database(async |hub| {
        let path = "/v1/seminars/first-seminar-2021/programme";
        hub.statements();
        hub.get_from(&hub.url, path, None).await;
        let once = reading(hub.statements()).len();
        let body = json!({"label": {"en": "Renamed"}});
        let topic = hub.get("/v1/topics/digitalisation").await;
        let tag = topic.header("etag");
        hub.write("PATCH", "/v1/topics/digitalisation", Some(tag), Some(&body)).await;
        hub.statements();
        let all = join_all((0..64).map(|_| hub.get(path))).await;
        assert!(all.iter().all(|reply| reply.status == 200 && reply.text == all[0].text));
        assert_eq!(reading(hub.statements()).len(), once);
    });
}

#[test]
fn each_encoding_is_kept_apart() {
    on_each_database(async |hub| {
        let mut tags = Vec::new();
        for _ in 0..2 {
            for encoding in ["gzip", "br", "zstd", "identity", "br;q=0.5, gzip"] {
                let reply =
                    hub.send("GET", "/v1/seminars", &[("accept-encoding", encoding)], None).await;
                assert_eq!(reply.status, 200, "{encoding}");
                tags.push(reply.header("etag").trim_matches('"').to_owned());
            }
        }
        let used: Vec<_> =
            tags[..5].iter().map(|tag| tag.split_once('.').map(|tag| tag.1)).collect();
        assert_eq!(used, [Some("gzip"), Some("br"), Some("zstd"), None, Some("gzip")]);
        assert_eq!(tags[..5], tags[5..], "the first time and from memory");
    });
}

#[test]
fn what_never_changes_is_compressed_once() {
    on_each_database(async |hub| {
        for path in ["/openapi.json", "/docs/index.html", "/problems/not_found"] {
            for _ in 0..2 {
                let reply = hub.send("GET", path, &[("accept-encoding", "deflate")], None).await;
                assert_eq!(reply.status, 200, "{path}");
                // What is compressed as it is sent has no length yet.
                assert_ne!(reply.header("content-length"), "", "{path}");
            }
        }
    });
}

#[test]
fn who_brings_a_token_is_never_answered_from_the_memory_of_the_public() {
    on_each_database(async |hub| {
        let body = json!({"code": "secret", "scheme": "own", "label": {"en": "Secret"}});
        hub.write_as(&hub.token, "POST", "/v1/topics", None, Some(&body)).await;
        for _ in 0..2 {
            let public = hub.get("/v1/topics").await;
            assert!(!public.text.contains("Secret"), "{}", public.text);
            let private = hub.get_as(&hub.token, "/v1/topics").await;
            assert!(private.text.contains("Secret"), "{}", private.text);
        }
    });
}

#[test]
fn the_public_reads_from_a_replica_unless_it_is_behind_or_gone() {
    on_each_database(async |hub| {
        // A service that is stopped before it has begun complains.
        hub.get("/health/live").await;
        let Some((server, name)) = hub.database.url.rsplit_once('/') else { return };
        if !server.starts_with("postgres") {
            return;
        }
        // A copy that stands still, and tells by a word of its own that it was read.
        let copy = format!("{name}_copy");
        hub.sql("SELECT 1").await;
        let admin = sea_orm::Database::connect(format!("{server}/postgres")).await.unwrap();
        let leave = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        let create = format!("CREATE DATABASE {copy} TEMPLATE {name}");
        // The service comes back as quickly as it is sent away.
        let mut made = false;
        for _ in 0..50 {
            admin.execute_unprepared(&leave).await.unwrap();
            made = admin.execute_unprepared(&create).await.is_ok();
            if made {
                break;
            }
        }
        assert!(made, "the copy");
        let url = format!("{server}/{copy}");
        let db = sea_orm::Database::connect(&url).await.unwrap();
        let mark = "UPDATE record SET body = replace(body, 'Development', 'Replicated')";
        db.execute_unprepared(mark).await.unwrap();
        db.close().await.unwrap();

        let instance = hub.another(|settings| {
            settings.cache = 0;
            settings.database =
                Database { replicas: Some(url.clone()), ..settings.database.clone() };
        });
        let read = async || hub.get_from(&instance.url, "/v1/organisations/undp", None).await.text;
        assert!(read().await.contains("Replicated"), "the public reads from the replica");
        let bearer = format!("Bearer {}", hub.token);
        let own = hub.client.get(format!("{}/v1/organisations/undp", instance.url));
        let own = own.header("authorization", bearer).send().await.unwrap().text().await.unwrap();
        assert!(!own.contains("Replicated"), "who may write reads from the database");

        let topic = hub.get("/v1/topics/digitalisation").await;
        let change = json!({"label": {"en": "Renamed"}});
        let tag = topic.header("etag");
        let changed =
            hub.write("PATCH", "/v1/topics/digitalisation", Some(tag), Some(&change)).await;
        assert_eq!(changed.status, 200);
        let since = Instant::now();
        while read().await.contains("Replicated") {
            assert!(since.elapsed() < Duration::from_secs(2), "the replica is behind");
        }
        let gone = format!("DROP DATABASE {copy} WITH (FORCE)");
        admin.execute_unprepared(&gone).await.unwrap();
        assert!(!read().await.contains("Replicated"));
        admin.close().await.unwrap();
        instance.stop().await;
    });
}

#[test]
fn while_the_database_is_away_an_instance_with_replicas_is_ready_to_be_read() {
    on_each_database(async |hub| {
        hub.get("/health/live").await;
        let Some((server, name)) = hub.database.url.rsplit_once('/') else { return };
        let (Ok(host), Ok(port), true) =
            (std::env::var("PGHOST"), std::env::var("PGPORT"), server.starts_with("postgres"))
        else {
            return;
        };
        // The same database, by a way that stays.
        let user = server.rsplit_once('@').unwrap().0;
        let url = format!("{user}@{host}:{port}/{name}");
        let instance = hub.another(|settings| {
            settings.cache = 0;
            settings.database =
                Database { replicas: Some(url.clone()), ..settings.database.clone() };
        });
        let get = async |url: &str, path: &str| hub.get_from(url, path, None).await.status.as_u16();
        assert_eq!(get(&instance.url, "/health/ready").await, 200);
        let away = hub.away().await;
        assert_eq!(get(&hub.url, "/health/ready").await, 503);
        assert_eq!(get(&instance.url, "/health/ready").await, 200);
        assert_eq!(get(&instance.url, "/v1/organisations/undp").await, 200);
        let change = json!({"code": "late", "scheme": "own", "label": {"en": "Late"}});
        let writing = hub.client.post(format!("{}/v1/topics", instance.url));
        let writing = writing.bearer_auth(&hub.token).json(&change).send().await.unwrap();
        assert_eq!(writing.status().as_u16(), 503);
        away.end().await;
        instance.stop().await;
    });
}
