//! Answers from memory: as fresh as if they were made anew, and made once.
use std::{
    collections::HashMap,
    env,
    time::{Duration, Instant},
};

use api::Settings;
use futures_util::future::join_all;
use persistence::{Author, Basis, Database, Made, Pulse, Taking};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::{Hub, Instance, empty_database, on_each_database, on_each_database_without_memory},
    iati::complete,
};

/// How many steps are taken, where `HUB_TEST_STEPS` does not say another number.
const STEPS: usize = 600;
/// Within what time a change is seen that was made through another instance, but for one in a
/// thousand.
const SOON: Duration = Duration::from_millis(100);

/// What the public reads, each made from something else.
const READS: [&str; 46] = [
    "/v1/seminars",
    "/v1/seminars?lang=ko&limit=1",
    "/v1/seminars?topic=digitalisation&include=project,series,topics",
    "/v1/seminars?organisation=undp&facets=project,country",
    "/v1/seminars.csv",
    "/v1/seminars.ndjson",
    "/v1/seminars.ics",
    "/v1/seminars.jsonld",
    "/v1/seminars.atom",
    "/v1/seminars/first-seminar-2021",
    "/v1/seminars/first-seminar-2021/programme",
    "/v1/seminars/first-seminar-2021.ics",
    "/v1/seminars/first-seminar-2021.jsonld",
    "/v1/seminars/first-seminar-2021/readiness",
    "/v1/people",
    "/v1/people?seminar=first-seminar-2021&with_total=true",
    "/v1/people/abubakr-pirov/presentations",
    "/v1/organisations/undp",
    "/v1/organisations.csv",
    "/v1/presentations?include=speakers",
    "/v1/presentations?q=government&organisation=undp",
    "/v1/topics",
    "/v1/topics/digitalisation",
    "/v1/topics.ndjson",
    "/v1/search?q=government",
    "/v1/search?q=government&resource=organisations,seminars",
    "/v1/search?q=kim&resource=presentations",
    "/v1/changes?limit=100",
    "/v1/changes?limit=100&resource=topics",
    "/v1/countries?region=Central%20Asia",
    "/v1/countries/KZ",
    "/v1/statistics",
    "/v1/statistics/seminars?group_by=topic",
    "/v1/statistics/seminars.svg?group_by=topic&lang=en",
    "/v1/statistics/study-visits?group_by=project",
    "/v1/statistics/presentations.csv",
    "/v1/statistics/speakers?group_by=organisation_kind&project=governance-innovation-and-digitalisation",
    "/v1/statistics/organisations?group_by=country,kind",
    "/v1/statistics/participants?group_by=organisation_kind",
    "/v1/statistics/attendance?group_by=year&seminar=first-seminar-2021",
    "/v1/statistics/finance?converted_to=USD",
    "/v1/statistics/results?group_by=project",
    "/v1/projects/governance-innovation-and-digitalisation/dashboard",
    "/v1/projects/governance-innovation-and-digitalisation/results",
    "/v1/projects/governance-innovation-and-digitalisation/readiness",
    "/v1/iati/activities.xml",
];
/// What is changed, in which field, and how.
type Write = (&'static str, &'static str, fn(usize) -> Value);
const WRITES: [Write; 20] = [
    ("/v1/seminars/first-seminar-2021", "theme", text),
    ("/v1/seminars/first-seminar-2021", "topics", |step| {
        let topic = ["digitalisation", "ai", "cloud"][step % 3];
        json!([topic])
    }),
    ("/v1/study-visits/study-visit-korea-2022", "title", text),
    ("/v1/sessions/first-seminar-2021-opening", "title", text),
    ("/v1/presentations/first-seminar-2021-experts-1", "title", text),
    ("/v1/statements/first-seminar-2021-kristo-vaher", "text", text),
    ("/v1/people/abubakr-pirov", "name", line),
    ("/v1/organisations/undp", "name", text),
    ("/v1/organisations/undp", "kind", |step| json!(["multilateral", "foundation"][step % 2])),
    ("/v1/initiatives/kz-digital-kazakhstan", "name", text),
    ("/v1/documents/article-first-seminar", "title", text),
    ("/v1/seminar-series/governance-innovation-and-digitalisation-seminars", "name", text),
    ("/v1/grant-arrangements/undp-kazakhstan-mois-2021", "title", text),
    ("/v1/results/governance-innovation-and-digitalisation-outcome", "title", text),
    ("/v1/topics/digitalisation", "label", text),
    ("/v1/projects/governance-innovation-and-digitalisation", "title", text),
    ("/v1/topics/fresh-0", "label", text),
    ("/v1/topics/fresh-1", "label", text),
    ("/v1/topics/hidden-0", "label", text),
    (PARTICIPANT, "country", |step| json!(["KZ", "KG", "UZ"][step % 3])),
];
/// Stands for the address of a participant, who has no name.
const PARTICIPANT: &str = "/v1/participants";

fn text(step: usize) -> Value {
    json!({"en": format!("Digital government {step}")})
}

fn line(step: usize) -> Value {
    json!(format!("Kim {step}"))
}

fn without_memory(settings: &mut Settings) {
    settings.cache = 0;
}

/// The tag of an answer, and what it tells.
type Told = (String, String);

struct Model<'a> {
    hub: &'a Hub,
    instances: [String; 2],
    plain: Instance,
    participant: String,
    /// What each instance last gave for an address.
    seen: HashMap<(usize, &'static str), Told>,
    late: Vec<Duration>,
    same: usize,
}

impl Model<'_> {
    /// The answer as it is without a memory, behind its tag.
    async fn truth(&self, path: &str) -> Told {
        let reply = self.hub.get_from(&self.plain.url, path, None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        (reply.header("etag").to_owned(), reply.text)
    }

    /// Reads from an instance on condition; 304 stands for what it gave before.
    async fn read(&mut self, of: usize, path: &'static str) -> Told {
        let known = self.seen.get(&(of, path)).cloned();
        let tag = known.as_ref().map(|(tag, _)| tag.as_str());
        let reply = self.hub.get_from(&self.instances[of], path, tag).await;
        if reply.status == 304 {
            self.same += 1;
            return known.expect("304 answers who had something");
        }
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let told = (reply.header("etag").to_owned(), reply.text);
        self.seen.insert((of, path), told.clone());
        told
    }

    async fn write(&self, of: usize, to: Write, step: usize) {
        let (path, field, value) = to;
        let path = if path == PARTICIPANT { &self.participant } else { path };
        let url = &self.instances[of];
        let bearer = format!("Bearer {}", self.hub.token);
        let client = &self.hub.client;
        let read = client.get(format!("{url}{path}")).header("authorization", &bearer).send();
        let tag = read.await.expect("an answer").headers()["etag"].to_str().unwrap().to_owned();
        let change = json!({ field: value(step) });
        let written = client
            .patch(format!("{url}{path}"))
            .header("authorization", bearer)
            .header("content-type", "application/merge-patch+json")
            .header("if-match", tag)
            .body(change.to_string())
            .send()
            .await
            .expect("an answer");
        let status = written.status();
        assert_eq!(status, 200, "{path}: {}", written.text().await.unwrap_or_default());
    }
}

#[test]
fn no_answer_is_older_than_the_last_write_through_an_instance_nor_much_older_than_one_through_another()
 {
    on_each_database(async |hub| {
        complete(&hub).await;
        for number in 0..2 {
            for (code, publish) in [("fresh", "?publish=true"), ("hidden", "")] {
                let body = json!({"code": format!("{code}-{number}"), "scheme": "own", "label": {"en": "new"}});
                let path = format!("/v1/topics{publish}");
                let made = hub.write_as(&hub.token, "POST", &path, None, Some(&body)).await;
                assert_eq!(made.status, 201, "{}", made.text);
            }
        }
        let person = json!({"seminar_id": "first-seminar-2021", "country": "KZ", "organisation_id": "undp",
            "consent": "not_given", "retain_until": "2030-12-31"});
        let mut participant = String::new();
        for _ in 0..7 {
            let made = hub.write("POST", PARTICIPANT, None, Some(&person)).await;
            assert_eq!(made.status, 201, "{}", made.text);
            made.header("location").clone_into(&mut participant);
        }
        let other = hub.another(|_| ());
        let mut model = Model {
            participant,
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
                assert_eq!(model.read(through, path).await, truth, "{path} after {}", to.0);
                // How long after it was made somebody asked who was not yet told of it.
                let mut late = Duration::ZERO;
                loop {
                    let asked = written.elapsed();
                    if model.read(1 - through, path).await == truth {
                        break;
                    }
                    late = asked;
                    assert!(late < Duration::from_secs(2), "{path} after {}", to.0);
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
                if let Some(known) = known {
                    let same = model.same > before;
                    assert_eq!(same, known == now, "{path}: 304");
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
        // Without a project that has what the standard asks for there is no file of activities.
        complete(&hub).await;
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

        for path in READS {
            hub.get(path).await;
        }
        let person = json!({"seminar_id": "first-seminar-2021", "country": "KZ",
            "consent": "not_given", "retain_until": "2030-12-31"});
        let made = hub.write("POST", PARTICIPANT, None, Some(&person)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        hub.statements();
        for path in READS {
            hub.get(path).await;
            let counts = path.contains("participants") || path.ends_with("dashboard");
            let counts = counts || path.ends_with("results") || path.contains("iati");
            let project = path.starts_with("/v1/projects/");
            let counts = counts || project && path.ends_with("readiness");
            let asked = reading(hub.statements());
            assert_eq!(asked.is_empty(), !counts, "{path} after a participant: {asked:?}");
        }
    });
}

#[test]
fn a_file_has_the_tag_that_it_had_whatever_else_is_changed() {
    on_each_database_without_memory(async |hub| {
        let read = async |path: &str| {
            let reply = hub.get(path).await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.text);
            (reply.header("etag").to_owned(), reply.text)
        };
        let others =
            ["/v1/seminars.csv", "/v1/people.ndjson", "/v1/statistics/seminars?group_by=year"];
        let mut before = Vec::new();
        for path in others {
            before.push(read(path).await);
        }
        let topics = read("/v1/topics.ndjson").await;
        for (code, publish) in [("hidden", ""), ("new", "?publish=true")] {
            let body = json!({"code": code, "scheme": "own", "label": {"en": "New"}});
            let path = format!("/v1/topics{publish}");
            let made = hub.write_as(&hub.token, "POST", &path, None, Some(&body)).await;
            assert_eq!(made.status, 201, "{}", made.text);
            let tag = read("/v1/topics.ndjson").await.0;
            assert_eq!(tag == topics.0, publish.is_empty(), "{code}");
        }
        for (path, before) in others.iter().zip(before) {
            assert_eq!(read(path).await, before, "{path}");
            let again = hub.get_from(&hub.url, path, Some(&before.0)).await;
            assert_eq!(again.status, 304, "{path}");
        }
    });
}

#[test]
fn what_many_ask_for_at_once_is_made_once() {
    on_each_database(async |hub| {
        let path = "/v1/seminars/first-seminar-2021/programme";
        hub.statements();
        hub.get_from(&hub.url, path, None).await;
        let once = reading(hub.statements()).len();
        let body = json!({"theme": {"en": "Renamed"}});
        let seminar = hub.get("/v1/seminars/first-seminar-2021").await;
        let tag = seminar.header("etag");
        hub.write("PATCH", "/v1/seminars/first-seminar-2021", Some(tag), Some(&body)).await;
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
        // An address that is written in another way leads to the same.
        for path in ["/v1/topics", "/%761/topics", "/v%31/topics?limit=50", "/v1/%74opics"] {
            for _ in 0..2 {
                let private = hub.get_as(&hub.token, path).await;
                assert!(private.text.contains("Secret"), "{path}: {}", private.text);
                assert_eq!(private.header("cache-control"), "no-store", "{path}");
                let public = hub.get(path).await;
                assert_eq!(public.status, 200, "{path}");
                assert!(!public.text.contains("Secret"), "{path}: {}", public.text);
            }
        }
    });
}

#[test]
fn a_log_that_is_another_than_it_was_is_noticed_by_what_stands_at_its_place() {
    on_each_database(async |hub| {
        let path = "/v1/organisations/undp";
        let topic = |code: &str| json!({"code": code, "scheme": "own", "label": {"en": code}});
        hub.write("POST", "/v1/topics", None, Some(&topic("one"))).await;
        assert!(hub.get(path).await.text.contains("Development"));
        // As a copy would have it that took the place of the database.
        hub.sql("UPDATE record SET body = replace(body, 'Development', 'Restored')").await;
        hub.write("POST", "/v1/topics", None, Some(&topic("two"))).await;
        assert!(
            hub.get(path).await.text.contains("Development"),
            "nothing says that it is another"
        );
        let last = "(SELECT max(position) FROM change)";
        let id = "0188f8a0-0000-7000-8000-000000000000";
        let id = match hub.database.url.starts_with("postgres") {
            true => format!("'{id}'"),
            false => format!("x'{}'", id.replace('-', "")),
        };
        hub.sql(&format!("UPDATE change SET record_id = {id} WHERE position = {last}")).await;
        hub.write("POST", "/v1/topics", None, Some(&topic("three"))).await;
        assert!(hub.get(path).await.text.contains("Restored"));
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
        // By a way that stays.
        let (user, host, port) =
            (server.rsplit_once('@').unwrap().0, env::var("PGHOST"), env::var("PGPORT"));
        let url = format!("{user}@{}:{}/{copy}", host.unwrap(), port.unwrap());
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
        let feed = "/v1/changes?limit=100&resource=organisations";
        let told = hub.get_from(&instance.url, feed, None).await;
        assert!(told.text.contains("Replicated"), "{}", told.text);
        let bearer = format!("Bearer {}", hub.token);
        let own = hub.client.get(format!("{}/v1/organisations/undp", instance.url));
        let own = own.header("authorization", bearer).send().await.unwrap().text().await.unwrap();
        assert!(!own.contains("Replicated"), "who may write reads from the database");

        let topic = hub.get("/v1/topics/digitalisation").await;
        let change = json!({"label": {"en": "Renamed"}});
        let tag = topic.header("etag");
        // Who has just looked at the log does not know of what somebody else writes next.
        let pulse = Pulse::default();
        let replicas = Some(url.clone());
        let other = Database { replicas, pulse, ..hub.database.clone() }.open().await.unwrap();
        let newest = other.newest().await.unwrap();
        other.known().await.unwrap();
        let changed =
            hub.write("PATCH", "/v1/topics/digitalisation", Some(tag), Some(&change)).await;
        assert_eq!(changed.status, 200);
        let rest = other.elsewhere().changes(newest + 1, 1, &[]).await;
        let rest = rest.expect("a place that the replica does not have yet");
        assert_eq!((rest.items.len(), rest.next), (0, newest + 1));
        let since = Instant::now();
        while read().await.contains("Replicated") {
            assert!(since.elapsed() < Duration::from_secs(2), "the replica is behind");
        }
        // While the database is away, the copy says how far the log goes; then it is asked again.
        let watching = actix_web::rt::spawn({
            let other = other.clone();
            async move { other.watch_others().await }
        });
        let made = Made::from(Basis::everything(), other.known().await.unwrap());
        let through = format!("{}/v1/topics/digitalisation", instance.url);
        let tag = hub.get_from(&through, "", None).await.header("etag").to_owned();
        let writing = hub.client.patch(&through).bearer_auth(&hub.token).header("if-match", tag);
        let change = json!({"label": {"en": "Renamed again"}});
        let writing = writing.header("content-type", "application/merge-patch+json");
        let written = writing.body(change.to_string()).send().await.unwrap();
        assert_eq!(written.status().as_u16(), 200);
        let away = hub.away().await;
        other.known().await.expect("the copy says it");
        // Which has not come as far as that instance wrote.
        assert_eq!(hub.get_from(&through, "", None).await.status, 503);
        away.end().await;
        let since = Instant::now();
        while other.known().await.is_err() || other.pulse().holds(&made) {
            assert!(since.elapsed() < Duration::from_secs(10), "the copy is still believed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        watching.abort();
        let _ = watching.await;
        let gone = format!("DROP DATABASE {copy} WITH (FORCE)");
        admin.execute_unprepared(&gone).await.unwrap();
        assert!(!read().await.contains("Replicated"));
        admin.close().await.unwrap();
        instance.stop().await;
    });
}

#[test]
fn a_replica_that_is_away_is_waited_for_once_and_one_of_another_registry_is_noticed() {
    on_each_database(async |hub| {
        hub.get("/health/live").await;
        let Some((server, _)) = hub.database.url.rsplit_once('/') else { return };
        if !server.starts_with("postgres") {
            return;
        }
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let with = |replicas: String| Database { replicas: Some(replicas), ..hub.database.clone() };
        let away = with(format!("postgres://hub:secret@{gone}/hub"));
        let instance = hub.another(|settings| {
            settings.cache = 0;
            settings.database = away.clone();
        });
        let begun = Instant::now();
        for _ in 0..40 {
            let reply = hub.get_from(&instance.url, "/v1/organisations/undp", None).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?} for 40 reads");
        instance.stop().await;

        let fault = away.replicas_fault().await.expect("nobody is there");
        assert!(fault.contains(&gone.to_string()) && fault.contains("refused"), "{fault}");
        assert!(!fault.contains("secret"), "{fault}");
        assert_eq!(with(hub.database.url.clone()).replicas_fault().await, None);
        let fault = with(format!("{server}/postgres")).replicas_fault().await;
        let fault = fault.expect("no registry is there");
        assert!(fault.contains("does not exist"), "{fault}");
        let folder = TempDir::new().unwrap();
        let (url, _gate) = empty_database(true, &folder).await;
        let other = Database { pulse: Pulse::default(), ..Database::at(&url) };
        other.migrate().await.unwrap();
        assert_eq!(with(url.clone()).replicas_fault().await, None, "it may be behind");
        let by = Author::program("test");
        let taking = Taking { publish: true, system: "t".into(), dry_run: false, told: 0 };
        let bundle = serde_json::from_str(domain::sample::BUNDLE).unwrap();
        other.open().await.unwrap().import(&by, &taking, bundle).await.unwrap();
        let fault = with(url).replicas_fault().await.expect("it is another registry");
        assert!(fault.contains("no copy"), "{fault}");
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
        assert_eq!(get(&instance.url, "/v1/changes").await, 200);
        let change = json!({"code": "late", "scheme": "own", "label": {"en": "Late"}});
        let writing = hub.client.post(format!("{}/v1/topics", instance.url));
        let writing = writing.bearer_auth(&hub.token).json(&change).send().await.unwrap();
        assert_eq!(writing.status().as_u16(), 503);
        away.end().await;
        instance.stop().await;
    });
}
