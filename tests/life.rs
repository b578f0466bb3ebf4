//! The life that a record of every resource has, on both databases.
use persistence::{Stored, Visitor, visit_all};
use serde_json::{Value, json};

use crate::harness::{Hub, fewest_sources, on_each_database};

struct Collections(Vec<&'static str>);

impl Visitor for Collections {
    fn visit<R: Stored>(&mut self) {
        self.0.push(R::COLLECTION);
    }
}

fn every_collection() -> Vec<&'static str> {
    let mut collections = Collections(Vec::new());
    visit_all(&mut collections);
    collections.0
}

fn new_body(collection: &str) -> Value {
    let mut body = domain::sample::example(collection);
    let name = if collection == "topics" { "code" } else { "slug" };
    body[name] = "a-life".into();
    body
}

#[test]
fn every_resource_lives_from_creation_to_deletion() {
    on_each_database(async |hub| {
        for collection in every_collection() {
            live(&hub, collection).await;
        }
    });
}

async fn live(hub: &Hub, collection: &str) {
    let all = format!("/v1/{collection}");
    let body = new_body(collection);

    let created = hub.write("POST", &all, None, Some(&body)).await;
    assert_eq!(created.status, 201, "{collection}: {}", created.text);
    let record = created.json();
    let one = format!("{all}/{}", record["id"].as_str().unwrap());
    assert_eq!(created.header("location"), one);
    assert_eq!(record["revision"], 1);
    for (name, value) in body.as_object().unwrap() {
        if !name.ends_with("_id") && !name.ends_with("_ids") && value.is_string() {
            assert_eq!(record[name], *value, "{collection} {name}");
        }
    }

    let taken = hub.write("POST", &all, None, Some(&body)).await;
    assert_eq!((taken.status.as_u16(), taken.json()["code"].as_str()), (409, Some("slug_taken")));

    let read = hub.get(&one).await;
    assert_eq!(read.json(), record, "{collection}");
    assert_eq!(read.header("etag"), created.header("etag"));
    assert_eq!(hub.get(&format!("{all}/a-life")).await.json(), record);
    let known = [("if-none-match", read.header("etag"))];
    assert_eq!(hub.send("GET", &one, &known, None).await.status, 304);

    let mut copy = body.clone();
    copy["citations"] = fewest_sources(collection, &body);
    let missing = hub.write("PUT", &one, None, Some(&copy)).await;
    assert_eq!(missing.status, 428);
    let tag = read.header("etag").to_owned();
    let replaced = hub.write("PUT", &one, Some(&tag), Some(&copy)).await;
    assert_eq!(replaced.status, 200, "{collection}: {}", replaced.text);
    let left = copy["citations"].as_array().unwrap().len();
    let cited = &record["citations"].as_array().unwrap()[..left];
    assert_eq!(
        (&replaced.json()["revision"], &replaced.json()["citations"]),
        (&json!(2), &json!(cited))
    );
    let stale = hub.write("PUT", &one, Some(&tag), Some(&copy)).await;
    assert_eq!(stale.status, 412);

    let tag = replaced.header("etag").to_owned();
    let cited = json!({"citations": body["citations"]});
    let patched = hub.write("PATCH", &one, Some(&tag), Some(&cited)).await;
    assert_eq!(patched.status, 200, "{collection}: {}", patched.text);
    assert_eq!(patched.json()["citations"], record["citations"]);

    let lost =
        json!({"citations": [{"field": "/nowhere", "document_id": "nobody", "basis": "stated"}]});
    let refused = hub.write("PATCH", &one, Some(patched.header("etag")), Some(&lost)).await;
    assert_eq!(refused.faults(), [("/citations/0/field".into(), "unknown_field_cited".into())]);
    let lost =
        json!({"citations": [{"field": "/citations", "document_id": "nobody", "basis": "stated"}]});
    let refused = hub.write("PATCH", &one, Some(patched.header("etag")), Some(&lost)).await;
    assert_eq!(refused.status, 422);

    let mut taken = patched;
    for (step, listed) in [("withdraw", false), ("reopen", false), ("publish", true)] {
        let tag = taken.header("etag").to_owned();
        taken = hub.write("POST", &format!("{one}/{step}"), Some(&tag), None).await;
        assert_eq!(taken.status, 200, "{collection}: {}", taken.text);
        let page = hub.get(&format!("{all}?limit=100")).await.json();
        let found = page["items"].as_array().unwrap().iter().any(|item| item["id"] == record["id"]);
        assert_eq!(found, listed, "{collection} after {step}");
        hub.assert_whole().await;
    }

    let gone = hub.write("DELETE", &one, Some(taken.header("etag")), None).await;
    assert_eq!(gone.status, 204, "{collection}: {}", gone.text);
    assert_eq!(hub.get(&one).await.status, 404);

    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let path = if method == "POST" { &all } else { &one };
        let reply = hub.send(method, path, &[("if-match", "\"1\"")], None).await;
        assert_eq!(reply.status, 401, "{method} {path}");
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
    }
}

#[test]
fn a_record_tells_what_was_written_and_what_the_registry_knows_of_it() {
    on_each_database(async |hub| {
        let body = json!({"code": "smart-cities", "scheme": "own", "label": {"en": "Smart cities", "kk": "Ақылды қалалар"}});
        let created = hub.write("POST", "/v1/topics", None, Some(&body)).await.json();
        let expected = json!({
            "id": created["id"],
            "revision": 1,
            "state": "published",
            "created_at": created["created_at"],
            "updated_at": created["created_at"],
            "published_at": created["created_at"],
            "code": "smart-cities",
            "scheme": "own",
            "label": {"en": "Smart cities", "kk": "Ақылды қалалар"},
            "parent_id": null,
            "citations": [],
        });
        assert_eq!(created, expected);
        let (id, at) = (created["id"].as_str().unwrap(), created["created_at"].as_str().unwrap());
        assert!(id.starts_with("019b7740-0000-7000-8000-"), "{id}");
        assert!(at.starts_with("2026-01-01T00:0"), "{at}");
    });
}

#[test]
fn what_others_refer_to_cannot_be_deleted_and_they_are_named() {
    on_each_database(async |hub| {
        let read = hub.get("/v1/people/kangtak-oh").await;
        let refused =
            hub.write("DELETE", "/v1/people/kangtak-oh", Some(read.header("etag")), None).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["code"].as_str()),
            (409, Some("in_use"))
        );
        assert!(refused.text.contains("/v1/presentations/first-seminar-2021-experts-1 refers"));
        assert!(refused.text.contains("/v1/statements/first-seminar-2021-kangtak-oh refers"));
    });
}

#[test]
fn everything_wrong_with_a_body_is_told_at_once() {
    on_each_database(async |hub| {
        let mut body = domain::sample::example("seminars");
        body["slug"] = "wrong".into();
        body["starts_on"] = "2021-02-30".into();
        body["countries"] = json!([{"country": "XX", "role": "expert"}]);
        body["ordinal"] = 0.into();
        let reply = hub.write("POST", "/v1/seminars", None, Some(&body)).await;
        let mut faults = reply.faults();
        faults.sort();
        let expected = [
            ("/countries/0/country", "unknown_value"),
            ("/ordinal", "too_small"),
            ("/starts_on", "invalid_value"),
        ];
        assert_eq!(faults, expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
        assert_eq!(reply.status, 400);

        let body = json!({"kind": "feast", "label": {}, "nonsense": 1});
        let reply = hub.write("POST", "/v1/seminars", None, Some(&body)).await;
        let mut faults = reply.faults();
        faults.sort();
        let expected = [
            ("/kind", "unknown_value"),
            ("/label", "read_only"),
            ("/nonsense", "unknown_field"),
            ("/project_id", "missing_field"),
            ("/slug", "missing_field"),
            ("/status", "missing_field"),
        ];
        assert_eq!(faults, expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
        assert_eq!(reply.status, 400);
    });
}

#[test]
fn references_to_nobody_and_to_the_wrong_seminar_are_refused() {
    on_each_database(async |hub| {
        let mut body = domain::sample::example("presentations");
        body["slug"] = "lost".into();
        body["speakers"][0]["person_id"] = "nobody".into();
        body["topics"] = json!(["no-topic"]);
        let reply = hub.write("POST", "/v1/presentations", None, Some(&body)).await;
        let mut faults = reply.faults();
        faults.sort();
        let expected = ["/speakers/0/person_id", "/topics/0"];
        assert_eq!(faults, expected.map(|at| (at.to_owned(), "unknown_reference".to_owned())));

        let mut other = domain::sample::example("seminars");
        other["slug"] = "another-seminar".into();
        assert_eq!(hub.write("POST", "/v1/seminars", None, Some(&other)).await.status, 201);
        let mut body = domain::sample::example("presentations");
        body["slug"] = "misplaced".into();
        body["seminar_id"] = "another-seminar".into();
        let reply = hub.write("POST", "/v1/presentations", None, Some(&body)).await;
        assert_eq!(reply.faults(), [("/session_id".into(), "other_seminar".into())]);

        let read = hub.get("/v1/organisations/fi-mof").await;
        let cycle = json!({"parent_id": "fi-mof-public-governance"});
        let path = "/v1/organisations/fi-mof";
        let reply = hub.write("PATCH", path, Some(read.header("etag")), Some(&cycle)).await;
        assert_eq!(reply.faults(), [("/parent_id".into(), "cycle".into())]);
    });
}

#[test]
fn what_is_written_after_a_later_version_has_changed_the_schema_is_refused_and_not_kept() {
    on_each_database(async |hub| {
        let topic = json!({"code": "late", "scheme": "own", "label": {"en": "Late"}});
        let known = hub.get("/v1/topics/ai").await;
        hub.sql("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)")
            .await;
        let label = json!({"label": {"en": "Changed"}});
        for refused in [
            hub.write("POST", "/v1/topics", None, Some(&topic)).await,
            hub.write("PATCH", "/v1/topics/ai", Some(known.header("etag")), Some(&label)).await,
        ] {
            assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "5"));
            assert_eq!(refused.json()["code"], "unavailable");
        }
        assert_eq!(hub.get("/v1/topics/late").await.status, 404);
        assert_eq!(hub.get("/v1/topics/ai").await.json(), known.json());

        hub.sql("DELETE FROM seaql_migrations WHERE version = 'm9999_later'").await;
        assert_eq!(hub.write("POST", "/v1/topics", None, Some(&topic)).await.status, 201);
        hub.assert_whole().await;
    });
}
