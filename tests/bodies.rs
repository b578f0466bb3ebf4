//! What bodies and parameters are refused for, on both databases.
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Hub, Reply, on_each_database};

/// A place of a body that may be null, by its steps; a star stands for an item of a list.
type Nullable = (Vec<String>, Value);

/// Every place below a schema of the contract that may be null, with what stands there otherwise.
fn nullables(schemas: &Value, schema: &Value, steps: &mut Vec<String>, found: &mut Vec<Nullable>) {
    if let Some(name) = name_of(schema) {
        nullables(schemas, &schemas[name], steps, found);
    }
    let branches = schema["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    for branch in branches {
        if let Some(name) = name_of(branch) {
            found.push((steps.clone(), json!(name)));
        }
        nullables(schemas, branch, steps, found);
    }
    let fields = schema["properties"].as_object().into_iter().flatten();
    let items = schema.get("items").map(|items| ("*", items));
    for (step, inner) in fields.map(|(name, inner)| (name.as_str(), inner)).chain(items) {
        steps.push(step.to_owned());
        nullables(schemas, inner, steps, found);
        steps.pop();
    }
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// A body of nothing but that value at the end of those steps, and its pointer.
fn holding(steps: &[String], value: Value) -> (Value, String) {
    let pointer = steps.iter().map(|step| if step == "*" { "/0" } else { "/" }.to_owned());
    let pointer = pointer.zip(steps).map(|(slash, step)| match step.as_str() {
        "*" => slash,
        step => slash + step,
    });
    let body = steps.iter().rev().fold(value, |inner, step| match step.as_str() {
        "*" => json!([inner]),
        step => json!({step: inner}),
    });
    (body, pointer.collect())
}

/// The codes of the faults at that place and below it.
fn at(reply: &Reply, pointer: &str) -> BTreeSet<(String, String)> {
    let found = reply.faults().into_iter().filter_map(|(at, code)| {
        let rest = at.strip_prefix(pointer)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| (rest.to_owned(), code))
    });
    found.collect()
}

fn one(place: &str, code: &str) -> BTreeSet<(String, String)> {
    BTreeSet::from([(place.to_owned(), code.to_owned())])
}

async fn post(hub: &Hub, collection: &str, body: &Value) -> Reply {
    hub.write("POST", &format!("/v1/{collection}"), None, Some(body)).await
}

/// The sample of a collection under another slug, with that besides.
fn changed(collection: &str, change: &Value) -> Value {
    let mut body = domain::sample::example(collection);
    body["slug"] = "another".into();
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn what_could_not_be_read_again_is_not_taken_in() {
    on_each_database(async |hub| {
        let claiming = |claim: Value| {
            let mut seminar = domain::sample::example("seminars");
            seminar["slug"] = "deep".into();
            seminar["citations"][0]["claim"] = claim;
            seminar
        };
        let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        let post = async |claim: Value| {
            let reply = hub.write("POST", "/v1/seminars", None, Some(&claiming(claim))).await;
            (reply.status.as_u16(), reply.faults())
        };
        let (status, faults) = post(nested(40)).await;
        assert_eq!((status, faults[0].1.as_str()), (422, "too_deep"));
        assert!(faults[0].0.starts_with("/citations/0/claim/0/0/"), "{faults:?}");
        // The reader of JSON would take the text for what it means.
        let name = "$serde_json::private::RawValue";
        for text in ["[[[1]]]", "\"a\\u0000b\""] {
            let (status, faults) = post(json!({name: text})).await;
            let expected = (format!("/citations/0/claim/{name}"), "unknown_field".to_owned());
            assert_eq!((status, faults), (400, vec![expected]));
        }
        let (status, faults) = post(nested(12)).await;
        assert_eq!((status, faults), (201, vec![]));
    });
}

#[test]
fn what_may_be_null_is_checked_as_strictly_as_what_may_not() {
    on_each_database(async |hub| {
        let contract = hub.get("/openapi.json").await.json();
        let schemas = &contract["components"]["schemas"];
        let (mut texts, mut others) = (0, 0);
        for collection in domain::collections() {
            let body = &contract["paths"][format!("/v1/{collection}")]["post"]["requestBody"];
            let schema = &body["content"]["application/json"]["schema"];
            let mut found = Vec::new();
            nullables(schemas, schema, &mut Vec::new(), &mut found);
            assert!(!found.is_empty(), "{collection} has no field that may be null");
            for (steps, kind) in found {
                // Neither a word that has null in it nor a null inside opens a way around.
                let object = schemas[kind.as_str().unwrap()]["type"] == "object";
                let wrong = if object { json!("nullable") } else { json!({"null": null}) };
                let (body, pointer) = holding(&steps, wrong);
                let reply = post(&hub, collection, &body).await;
                assert_eq!(at(&reply, &pointer), one("", "wrong_type"), "{collection}{pointer}");
                others += 1;
                if kind != "Text" {
                    continue;
                }
                let text =
                    json!({"en": null, "NOT A TAG!": "x", "ru": "   ", "kk": "x".repeat(20_000)});
                let (body, pointer) = holding(&steps, text);
                let reply = post(&hub, collection, &body).await;
                let expected = [
                    ("/en", "wrong_type"),
                    ("/NOT A TAG!", "invalid_language"),
                    ("/ru", "invalid_value"),
                    ("/kk", "too_long"),
                ];
                let expected: BTreeSet<_> =
                    expected.map(|(at, code)| (at.to_owned(), code.to_owned())).into();
                assert_eq!(at(&reply, &pointer), expected, "{collection}{pointer}");
                texts += 1;
            }
        }
        assert!(texts >= 24 && others > 2 * texts, "{texts} of {others}");
    });
}

#[test]
fn a_null_in_a_text_is_refused_when_a_record_is_replaced_or_changed() {
    on_each_database(async |hub| {
        let path = "/v1/seminars/first-seminar-2021";
        let read = hub.get(path).await;
        let theme = json!({"en": null, "ru": "   "});
        let mut body = domain::sample::example("seminars");
        body["theme"] = theme.clone();
        let reply = hub.write("PUT", path, Some(read.header("etag")), Some(&body)).await;
        let expected = [("/en", "wrong_type"), ("/ru", "invalid_value")];
        let expected: BTreeSet<_> =
            expected.map(|(at, code)| (at.to_owned(), code.to_owned())).into();
        assert_eq!(at(&reply, "/theme"), expected);
        // In a change a null takes a language away, and the others stay judged.
        let change = json!({"theme": theme});
        let reply = hub.write("PATCH", path, Some(read.header("etag")), Some(&change)).await;
        assert_eq!(at(&reply, "/theme"), one("/ru", "invalid_value"));
        assert_eq!(hub.get(path).await.json(), read.json());
    });
}

#[test]
fn each_value_that_is_wrong_is_wrong_once_and_people_are_told_why() {
    on_each_database(async |hub| {
        for (collection, change, pointer, code, detail) in [
            (
                "seminars",
                json!({"starts_on": "2021-02-30"}),
                "/starts_on",
                "invalid_value",
                "It is no date, such as 2021-11-04, 2021-11, 2021 or XXXX-11-04.",
            ),
            (
                "seminars",
                json!({"time_zone": "Asia/Nowhere"}),
                "/time_zone",
                "invalid_value",
                "It is no time zone of the IANA database, such as Asia/Almaty.",
            ),
            (
                "seminars",
                json!({"image_url": "https://"}),
                "/image_url",
                "invalid_value",
                "It is no address that begins with http or https.",
            ),
            (
                "seminars",
                json!({"slug": "019b7740-0000-7000-8000-000000000000"}),
                "/slug",
                "invalid_value",
                "It is of the form of an id, which it could not be told from.",
            ),
            (
                "seminars",
                json!({"title": {"EN": "x"}}),
                "/title/EN",
                "invalid_language",
                "The name is no language tag of BCP 47, such as ru.",
            ),
            (
                "exchange-rates",
                json!({"from": "KZTT"}),
                "/from",
                "too_long",
                "It has more than 3 characters.",
            ),
            (
                "exchange-rates",
                json!({"from": "KZX"}),
                "/from",
                "invalid_value",
                "It is no currency of ISO 4217, such as KRW.",
            ),
            ("seminars", json!({"kind": null}), "/kind", "wrong_type", "It is to be: string."),
            (
                "seminars",
                json!({"title": "Second seminar"}),
                "/title",
                "wrong_type",
                "It is to be: object, such as {\"en\":\"Digitalisation of public services\"}.",
            ),
            (
                "seminars",
                json!({"starts_on": 2021}),
                "/starts_on",
                "wrong_type",
                "It is to be: string, such as \"2021-11-04\".",
            ),
            (
                "organisations",
                json!({"country": "kz"}),
                "/country",
                "unknown_value",
                "It is no country of ISO 3166-1, such as KZ.",
            ),
            (
                "projects",
                json!({"duration": "PT5H"}),
                "/duration",
                "invalid_value",
                "It is no length of time in years, months and days, or in weeks, such as P1Y6M.",
            ),
            (
                "people",
                json!({"orcid": "0000-0002-1825-0098"}),
                "/orcid",
                "invalid_value",
                "Its last character is not the check digit of the others: one may be mistyped.",
            ),
        ] {
            let reply = post(&hub, collection, &changed(collection, &change)).await;
            assert_eq!(reply.faults(), [(pointer.to_owned(), code.to_owned())], "{}", reply.text);
            assert_eq!(reply.json()["errors"][0]["detail"], detail);
        }
        let many = json!({"name": "many", "role": "editor", "projects": vec!["x"; 101]});
        let reply = hub.write("POST", "/v1/tokens", None, Some(&many)).await;
        assert_eq!(reply.json()["errors"][0]["detail"], "It has more than 100 items.");
    });
}

#[test]
fn what_the_contract_lists_is_refused_where_it_stands() {
    on_each_database(async |hub| {
        for (collection, change, pointer, code) in [
            ("indicators", json!({"computed_from": "foo"}), "/computed_from", "unknown_value"),
            (
                "documents",
                json!({"subject": {"resource": "nope", "id": "x"}}),
                "/subject/resource",
                "unknown_value",
            ),
            (
                "sessions",
                json!({"starts_at": "10:00", "ends_at": "09:59"}),
                "/ends_at",
                "ends_before_it_starts",
            ),
            (
                "indicators",
                json!({"computed_from": "speakers", "periods": [
                    {"from": "2021-01-01", "to": "2021-12-31", "target": "9"},
                    {"from": "2022-01-01", "to": "2022-12-31", "target": "9", "actual": "8"},
                ]}),
                "/periods/1/actual",
                "counted_not_typed",
            ),
            ("exchange-rates", json!({"citations": []}), "/citations", "empty"),
            (
                "grant-arrangements",
                json!({"amount": {"amount": "-5", "currency": "KRW"}}),
                "/amount/amount",
                "too_small",
            ),
        ] {
            let reply = post(&hub, collection, &changed(collection, &change)).await;
            assert_eq!(reply.faults(), [(pointer.to_owned(), code.to_owned())], "{}", reply.text);
        }
        let reversal = json!([{"on": "2022-01-01", "amount": {"amount": "-5", "currency": "KRW"},
            "kind": "expenditure", "provider_id": null, "receiver_id": null, "description": null}]);
        let body = changed(
            "grant-arrangements",
            &json!({"transactions": reversal, "amount": null, "citations": []}),
        );
        let reply = post(&hub, "grant-arrangements", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let body = changed("sessions", &json!({"starts_at": "10:00", "ends_at": "10:00"}));
        let reply = post(&hub, "sessions", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    });
}

#[test]
fn a_list_of_codes_and_references_has_each_once() {
    on_each_database(async |hub| {
        let path = "/v1/seminars/first-seminar-2021";
        let country = |code: &str, role: &str| json!({"country": code, "role": role});
        let organiser = json!({"organisation_id": "undp", "role": "organiser"});
        for (change, pointer) in [
            (json!({"languages": ["en", "ru", "en"]}), "/languages/2"),
            (json!({"topics": ["ai", "ai"]}), "/topics/1"),
            (
                json!({"countries": [country("KZ", "expert"), country("KZ", "expert")]}),
                "/countries/1",
            ),
            (json!({"organisers": [organiser, organiser]}), "/organisers/1"),
        ] {
            let read = hub.get(path).await;
            let reply = hub.write("PATCH", path, Some(read.header("etag")), Some(&change)).await;
            assert_eq!(reply.faults(), [(pointer.into(), "repeated".into())], "{}", reply.text);
            assert_eq!(reply.status, 422);
        }
        let change =
            json!({"countries": [country("KZ", "expert"), country("KZ", "participating")]});
        let read = hub.get(path).await;
        let reply = hub.write("PATCH", path, Some(read.header("etag")), Some(&change)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    });
}

#[test]
fn a_change_takes_away_only_what_there_can_be() {
    on_each_database(async |hub| {
        let path = "/v1/seminars/first-seminar-2021";
        let read = hub.get(path).await;
        let tag = read.header("etag");
        for (change, pointer, code) in [
            (json!({"nope": null}), "/nope", "unknown_field"),
            (json!({"id": null}), "/id", "read_only"),
            (
                json!({"venue": {"city": {"en": "Almaty"}, "nope": null}}),
                "/venue/nope",
                "unknown_field",
            ),
        ] {
            let reply = hub.write("PATCH", path, Some(tag), Some(&change)).await;
            let expected = vec![(pointer.to_owned(), code.to_owned())];
            assert_eq!((reply.status.as_u16(), reply.faults()), (400, expected), "{change}");
        }
        let change = json!({"theme": null, "topics": null, "venue": {"city": {"en": "Almaty", "kk": null},
            "country": null}, "citations": null});
        let reply = hub.write("PATCH", path, Some(tag), Some(&change)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let changed = reply.json();
        assert_eq!((&changed["theme"], &changed["topics"]), (&Value::Null, &json!([])));
        assert_eq!(changed["venue"]["city"], json!({"en": "Almaty"}));
        let needed = json!({"kind": null});
        let reply = hub.write("PATCH", path, Some(reply.header("etag")), Some(&needed)).await;
        assert_eq!(reply.faults(), [("/kind".into(), "missing_field".into())]);
        assert_eq!(reply.status, 422);

        let hook = json!({"url": "https://example.org"});
        let hook = hub.write("POST", "/v1/webhooks", None, Some(&hook)).await;
        let person = json!({"seminar_id": "first-seminar-2021", "country": "KZ",
            "consent": "not_given", "retain_until": "2027-01-01"});
        let person = hub.write("POST", "/v1/participants", None, Some(&person)).await;
        for (made, collection) in [(hook, "webhooks"), (person, "participants")] {
            assert_eq!(made.status, 201, "{}", made.text);
            let path = format!("/v1/{collection}/{}", made.json()["id"].as_str().unwrap());
            let change = json!({"nope": null});
            let reply = hub.write("PATCH", &path, Some(made.header("etag")), Some(&change)).await;
            assert_eq!(reply.faults(), [("/nope".into(), "unknown_field".into())], "{collection}");
        }
    });
}

#[test]
fn a_topic_with_a_dot_in_its_code_is_named_like_any_other() {
    on_each_database(async |hub| {
        let wide = json!({"code": "sdg.16", "scheme": "sdg", "label": {"en": "Institutions"}});
        assert_eq!(post(&hub, "topics", &wide).await.status, 201);
        let narrow = json!({"code": "sdg.16.6", "scheme": "sdg", "label": {"en": "Accountable"},
            "parent_id": "sdg.16"});
        let made = post(&hub, "topics", &narrow).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(hub.get("/v1/topics/sdg.16.6").await.json(), made.json());
        let parts = hub.get("/v1/topics?parent=sdg.16").await.json();
        assert_eq!(parts["items"][0]["code"], "sdg.16.6");

        let seminar = changed("seminars", &json!({"topics": ["sdg.16.6"], "citations": []}));
        let made = post(&hub, "seminars", &seminar).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let found = hub.get("/v1/seminars?topic=sdg.16.6").await.json();
        assert_eq!(found["items"][0]["slug"], "another");
        let reply =
            post(&hub, "seminars", &changed("seminars", &json!({"project_id": "no.project"})))
                .await;
        assert_eq!(reply.faults(), [("/project_id".into(), "unknown_reference".into())]);
    });
}

#[test]
fn parameters_that_cannot_be_used_are_explained_to_people() {
    on_each_database(async |hub| {
        for (path, detail) in [
            ("seminars?upcoming=on", "It cannot be used: it is true or false."),
            ("study-visits?past=1", "It cannot be used: it is true or false."),
            ("seminars?with_total=on", "It cannot be used: it is true or false."),
            (
                "seminars?topic=A",
                "It cannot be used: it is no code of a topic: those are lower-case letters, digits, hyphens and dots.",
            ),
            (
                "seminars?lang=english",
                "It cannot be used: it is no language tag of BCP 47, such as ru.",
            ),
            (
                "seminars?starts_on_gte=2021",
                "It cannot be used: it is no day of the calendar, such as 2021-08-24.",
            ),
            (
                "exchange-rates?on_lt=2021-02-30",
                "It cannot be used: it is no day of the calendar, such as 2021-08-24.",
            ),
            (
                "seminars?format=bogus",
                "It cannot be used: it is to be one of: onsite, online, hybrid.",
            ),
            (
                "seminars?sort=nope",
                "It cannot be used: it is to be one of: starts_on, title, ordinal, each also with - before it.",
            ),
            ("sessions?day=first", "It cannot be used: it is to be a whole number."),
            ("sessions?day=0", "It cannot be used: a day is a number from 1 to 366."),
            (
                "organisations?country=KZ,xx",
                "It cannot be used: xx is no country of ISO 3166-1, such as KZ.",
            ),
            (
                "seminars?lang=ru,english",
                "It cannot be used: english is no language tag of BCP 47, such as ru.",
            ),
            ("sessions?day=1,0", "It cannot be used: 0: a day is a number from 1 to 366."),
            (
                "seminars?sort=title,-nope",
                "It cannot be used: -nope is to be one of: starts_on, title, ordinal, each also with - before it.",
            ),
        ] {
            let reply = hub.get(&format!("/v1/{path}")).await;
            assert_eq!(reply.status, 400, "{path}");
            assert_eq!(reply.json()["errors"][0]["detail"], detail, "{path}");
        }
        for (path, detail) in [
            ("seminars/nope", "None of the seminars has that id or slug."),
            ("topics/nope", "None of the topics has that id or code."),
            ("countries/QQ", "None of the countries has that code."),
            ("tokens/nope", "None of the tokens has that id."),
            ("webhooks/nope", "None of the webhooks has that id."),
            ("imports/nope", "None of the imports has that id."),
        ] {
            let reply = hub.get_as(&hub.token, &format!("/v1/{path}")).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["detail"]), (404, &json!(detail)));
        }
    });
}
