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
        let talk = "/v1/presentations/first-seminar-2021-experts-1";
        let id = hub.get(talk).await.json()["id"].clone();
        let told = refused.json()["errors"].clone();
        let talk = json!({"resource": "presentations", "id": id, "field": "/speakers/person_id"});
        assert!(told.as_array().unwrap().iter().any(|fault| fault["referrer"] == talk), "{told}");
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

#[test]
fn a_presentation_leaves_its_seminar_with_what_was_said_in_it_or_not_at_all() {
    on_each_database(async |hub| {
        let mut other = domain::sample::example("seminars");
        other["slug"] = "another-seminar".into();
        assert_eq!(hub.write("POST", "/v1/seminars", None, Some(&other)).await.status, 201);
        let statements = hub.get("/v1/statements?limit=100").await.json();
        let said = statements["items"].as_array().unwrap().iter();
        let said =
            said.clone().find(|one| one["presentation_id"].is_string()).expect("a statement");
        let id = said["id"].as_str().unwrap();
        let move_to = async |at: &str, change: Value| {
            let tag = hub.get_as(&hub.token, at).await.header("etag").to_owned();
            hub.write("PATCH", at, Some(&tag), Some(&change)).await
        };
        let talk = format!("/v1/presentations/{}", said["presentation_id"].as_str().unwrap());
        let change = json!({"seminar_id": "another-seminar", "session_id": null});
        let moved = move_to(&talk, change.clone()).await;
        assert_eq!(moved.status, 422, "{}", moved.text);
        let faults = moved.faults();
        assert!(
            faults.iter().all(|fault| *fault == ("/seminar_id".into(), "other_seminar".into()))
        );
        assert!(moved.text.contains(&format!("/v1/statements/{id}")), "{}", moved.text);
        let session = hub.get(&talk).await.json()["session_id"].as_str().unwrap().to_owned();
        let at = format!("/v1/sessions/{session}");
        let moved = move_to(&at, json!({"seminar_id": "another-seminar"})).await;
        assert_eq!(moved.status, 422, "{}", moved.text);
        assert!(moved.text.contains("/v1/presentations/"), "{}", moved.text);

        for _ in faults {
            let all = hub.get(&format!("/v1/statements?presentation={}", &talk[18..])).await.json();
            let at = format!("/v1/statements/{}", all["items"][0]["id"].as_str().unwrap());
            let alone = move_to(&at, json!({"presentation_id": null})).await;
            assert_eq!(alone.status, 200, "{}", alone.text);
        }
        let moved = move_to(&talk, change).await;
        assert_eq!(moved.status, 200, "{}", moved.text);
    });
}

#[test]
fn any_tag_of_a_list_may_fit() {
    on_each_database(async |hub| {
        let body = json!({"code": "listed", "scheme": "own", "label": {"en": "Listed"}});
        let first = hub.write("POST", "/v1/topics", None, Some(&body)).await;
        let path = "/v1/topics/listed";
        let change = json!({"label": {"en": "Changed"}});
        let second = hub.write("PATCH", path, Some(first.header("etag")), Some(&change)).await;
        let (old, new) = (first.header("etag").to_owned(), second.header("etag").to_owned());
        for (tags, status) in [
            (format!("{old}, \"9.x\""), 412),
            (format!("{old}, W/{new}"), 412),
            ("\"x\", W/\"2\"".to_owned(), 400),
            (format!("{old}, {new}"), 200),
            (format!("\"a,3\",{old} , \"3\""), 200),
        ] {
            let reply = hub.write("PATCH", path, Some(&tags), Some(&change)).await;
            assert_eq!(reply.status, status, "{tags}: {}", reply.text);
        }
    });
}

#[test]
fn more_than_can_be_told_are_said_to_refer_to_a_record() {
    on_each_database(async |hub| {
        let above = json!({"code": "above", "scheme": "own", "label": {"en": "Above"}});
        let made = hub.write("POST", "/v1/topics", None, Some(&above)).await;
        for number in 0..21 {
            let name = format!("below-{number}");
            let body =
                json!({"code": name, "scheme": "own", "label": {"en": name}, "parent_id": "above"});
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
            if number < 19 {
                continue;
            }
            let reply =
                hub.write("DELETE", "/v1/topics/above", Some(made.header("etag")), None).await;
            let told = reply.json();
            assert_eq!((&told["code"], reply.faults().len()), (&json!("in_use"), 20));
            let more = told["detail"].as_str().unwrap().contains("there are more");
            assert_eq!(more, number == 20, "{told}");
        }
    });
}

#[test]
fn every_amount_and_period_that_cannot_be_is_told_at_once() {
    on_each_database(async |hub| {
        let mut grant = domain::sample::example("grant-arrangements");
        grant["slug"] = "miscounted".into();
        grant["amount"] = json!({"amount": "1.999", "currency": "USD"});
        let budget = |from: &str, to: &str, amount: &str| {
            json!({"from": from, "to": to, "status": "indicative", "kind": "original",
                "amount": {"amount": amount, "currency": "USD"}})
        };
        grant["budgets"] = json!([
            budget("2024-02-29", "2025-02-28", "1.005"),
            budget("2023-03-01", "2024-03-01", "1"),
        ]);
        let reply = hub.write("POST", "/v1/grant-arrangements", None, Some(&grant)).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        let expected = [
            ("/amount", "invalid_value"),
            ("/budgets/0/amount", "invalid_value"),
            ("/budgets/1/to", "longer_than_a_year"),
        ];
        let expected = expected.map(|(at, code)| (at.to_owned(), code.to_owned()));
        assert_eq!(reply.faults(), expected, "{}", reply.text);

        // How much of a budget still holds has to follow from what is there.
        grant["amount"] = Value::Null;
        let revised = |from: &str, to: &str| {
            let mut budget = budget(from, to, "1");
            budget["kind"] = "revised".into();
            budget
        };
        let of_year = budget("2023-01-01", "2023-12-31", "500");
        for (budgets, expected) in [
            (
                json!([revised("2024-01-01", "2024-12-31"), revised("2024-12-31", "2025-03-01")]),
                Some((1, "revised_twice")),
            ),
            (json!([of_year, revised("2023-01-01", "2023-06-30")]), Some((0, "revised_in_part"))),
            (
                json!([
                    of_year,
                    revised("2023-01-01", "2023-06-30"),
                    revised("2023-07-01", "2023-12-31")
                ]),
                None,
            ),
        ] {
            grant["budgets"] = budgets;
            let reply = hub.write("POST", "/v1/grant-arrangements", None, Some(&grant)).await;
            let expected =
                expected.map(|(place, code)| (format!("/budgets/{place}/from"), code.to_owned()));
            assert_eq!(reply.faults(), Vec::from_iter(expected), "{}", reply.text);
        }
        // And of one thing there is one number: two would be added up.
        let mut seminar = domain::sample::example("seminars");
        let came = |value: i64| json!({"metric": "persons", "value": value, "qualifier": "about"});
        seminar["attendance"] = json!([came(70), came(95)]);
        let reply = hub.write("POST", "/v1/seminars", None, Some(&seminar)).await;
        assert_eq!(
            reply.faults(),
            [("/attendance/1/metric".to_owned(), "counted_twice".to_owned())]
        );

        let mut initiative = domain::sample::example("initiatives");
        let figure = |more: Value| {
            let mut figure =
                json!({"label": {"en": "A figure"}, "qualifier": "exact", "nature": "count"});
            for (name, value) in more.as_object().unwrap() {
                figure[name] = value.clone();
            }
            figure
        };
        initiative["slug"] = "with-figures".into();
        initiative["figures"] = json!([
            figure(json!({"value": "5", "unit": "services"})),
            figure(json!({"value": "5"})),
            figure(json!({"amount": {"amount": "5", "currency": "USD"}, "unit": "people"})),
        ]);
        let reply = hub.write("POST", "/v1/initiatives", None, Some(&initiative)).await;
        let expected = ["/figures/1/unit", "/figures/2/unit"];
        let expected = expected.map(|at| (at.to_owned(), "value_and_unit".to_owned()));
        assert_eq!(reply.faults(), expected, "{}", reply.text);
    });
}

#[test]
fn a_change_is_made_to_the_record_that_was_read_and_not_to_another_of_its_slug() {
    on_each_database(async |hub| {
        let topic =
            |label: &str| json!({"code": "taken-over", "scheme": "own", "label": {"en": label}});
        let path = "/v1/topics/taken-over";
        let first = hub.write("POST", "/v1/topics", None, Some(&topic("First"))).await;
        let read = first.header("etag").to_owned();
        assert_eq!(hub.write("DELETE", path, Some(&read), None).await.status, 204);
        let second = hub.write("POST", "/v1/topics", None, Some(&topic("Second"))).await;
        assert_eq!((second.status.as_u16(), &second.json()["revision"]), (201, &json!(1)));
        let change = json!({"label": {"en": "Of the first"}});
        for (method, path, body) in [
            ("PUT", path.to_owned(), Some(topic("Of the first"))),
            ("PATCH", path.to_owned(), Some(change)),
            ("DELETE", path.to_owned(), None),
            ("POST", format!("{path}/withdraw"), None),
            ("POST", format!("{path}/revisions/1/restore"), None),
        ] {
            let reply = hub.write(method, &path, Some(&read), body.as_ref()).await;
            let told = (reply.status.as_u16(), &reply.json()["code"]);
            assert_eq!(told, (412, &json!("stale_revision")), "{method} {path}");
        }
        let kept = hub.get(path).await;
        assert_eq!(kept.json()["label"]["en"], "Second");
        let reply = hub.write("DELETE", path, Some(kept.header("etag")), None).await;
        assert_eq!(reply.status, 204, "its own tag fits, {}", reply.text);
    });
}
