//! Participants: how they are kept, who may know of them, and that nobody else ever does.
use std::{
    cell::RefCell,
    fmt::Write,
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use api::serve;
use chrono::{DateTime, Utc};
use persistence::{Database, World};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::{Hub, Reply, on_each_database, on_each_database_with},
    leaks::told,
    running::said,
};

const ALL: &str = "/v1/participants";
const SEMINAR: &str = "first-seminar-2021";

fn named(email: &str) -> Value {
    json!({"seminar_id": SEMINAR, "name": "Aigul Example", "email": email, "country": "KZ",
        "organisation_id": "undp", "organisation_name": "Hub", "sex": "female",
        "seniority": "senior", "days_attended": [2, 1], "consent": "given",
        "certificate": {"number": "C-17", "issued_on": "2021-11-05"}, "retain_until": "2030-12-31"})
}

fn counted(country: &str) -> Value {
    json!({"seminar_id": SEMINAR, "country": country, "consent": "not_given",
        "retain_until": "2030-12-31"})
}

async fn post(hub: &Hub, body: &Value) -> Reply {
    hub.write("POST", ALL, None, Some(body)).await
}

/// A participant who is there, and their address.
async fn made(hub: &Hub, body: &Value) -> (Value, String) {
    let reply = post(hub, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    (reply.json(), reply.header("location").to_owned())
}

async fn read(hub: &Hub, path: &str) -> Value {
    let reply = hub.get_as(&hub.token, path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    assert_eq!(reply.header("cache-control"), "no-store");
    reply.json()
}

async fn total(hub: &Hub, query: &str) -> Value {
    read(hub, &format!("{ALL}?limit=1&with_total=true{query}")).await["total"].take()
}

async fn import(hub: &Hub, query: &str, table: &str) -> Reply {
    let bearer = format!("Bearer {}", hub.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
    let path = format!("{ALL}/import{query}");
    hub.send("POST", &path, &headers, Some(table.as_bytes().to_vec())).await
}

/// What the log says of participants: how many rows of that operation.
async fn logged(hub: &Hub, operation: &str) -> i64 {
    let rows = format!(
        "SELECT count(*) FROM change WHERE resource = 'participants' AND operation = '{operation}'"
    );
    hub.number(&rows).await
}

/// A seminar that is no more than a draft, of another project.
async fn draft_elsewhere(hub: &Hub) {
    let mut project = domain::sample::example("projects");
    project["slug"] = "elsewhere".into();
    let reply = hub.write("POST", "/v1/projects", None, Some(&project)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let seminar = json!({"slug": "autumn", "project_id": "elsewhere", "kind": "seminar",
        "status": "planned"});
    let reply = hub.write_as(&hub.token, "POST", "/v1/seminars", None, Some(&seminar)).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["state"]), (201, &json!("draft")));
}

#[test]
fn a_participant_is_entered_read_changed_and_deleted() {
    on_each_database(async |hub| {
        let new = post(&hub, &named("Aigul@Example.org")).await;
        assert_eq!(new.status, 201, "{}", new.text);
        assert_eq!(new.header("cache-control"), "no-store");
        let (at, tag) = (new.header("location"), new.header("etag"));
        let kept = hub.get_as(&hub.token, at).await;
        assert_eq!((kept.status.as_u16(), &kept.text), (200, &new.text));
        assert_eq!((kept.header("etag"), kept.header("cache-control")), (tag, "no-store"));
        let kept = kept.json();
        let seminar = hub.get(&format!("/v1/seminars/{SEMINAR}")).await.json();
        assert_eq!(kept["seminar_id"], seminar["id"]);
        assert_eq!(kept["days_attended"], json!([1, 2]));
        assert_eq!(kept["certificate"], named("")["certificate"]);
        assert_eq!(kept["email"], "Aigul@Example.org");
        let unknown = json!([kept["study_visit_id"], kept["erased_at"], kept["revision"]]);
        assert_eq!(unknown, json!([null, null, 1]));

        let other = counted("KG");
        let without = hub.write("PUT", at, None, Some(&other)).await;
        assert_eq!(without.status, 428);
        let put = hub.write("PUT", at, Some(tag), Some(&other)).await;
        assert_eq!(put.status, 200, "{}", put.text);
        let told = json!([put.json()["country"], put.json()["name"], put.json()["certificate"]]);
        assert_eq!(told, json!(["KG", null, null]));
        let stale = hub.write("PUT", at, Some(tag), Some(&other)).await;
        assert_eq!((stale.status.as_u16(), &stale.json()["code"]), (412, &json!("stale_revision")));
        let tag = put.header("etag");
        let change = json!({"days_attended": [], "sex": "undisclosed"});
        let patched = hub.write("PATCH", at, Some(tag), Some(&change)).await;
        assert_eq!(patched.status, 200, "{}", patched.text);
        let told = json!([patched.json()["country"], patched.json()["days_attended"]]);
        assert_eq!(told, json!(["KG", []]));
        assert_eq!(hub.number("SELECT days FROM participant").await, 0);
        let lacking = json!({"country": null});
        let tag = patched.header("etag");
        let lacking = hub.write("PATCH", at, Some(tag), Some(&lacking)).await;
        let missing = vec![("/country".to_owned(), "missing_field".to_owned())];
        assert_eq!((lacking.status.as_u16(), lacking.faults()), (422, missing));

        assert_eq!(hub.write("DELETE", at, None, None).await.status, 428);
        assert_eq!(hub.write("DELETE", at, Some("\"1\""), None).await.status, 412);
        assert_eq!(hub.write("DELETE", at, Some(tag), None).await.status, 204);
        assert_eq!(hub.get_as(&hub.token, at).await.status, 404);
        for (operation, times) in [("create", 1), ("replace", 2), ("delete", 1)] {
            assert_eq!(logged(&hub, operation).await, times, "{operation}");
        }
        hub.assert_whole().await;
    });
}

#[test]
fn a_participant_can_be_of_a_draft_and_of_a_study_visit() {
    on_each_database(async |hub| {
        draft_elsewhere(&hub).await;
        let mut body = counted("KZ");
        body["seminar_id"] = "autumn".into();
        made(&hub, &body).await;
        let visit = hub.get("/v1/study-visits/study-visit-korea-2022").await.json();
        let mut body = counted("KZ");
        body["seminar_id"] = Value::Null;
        body["study_visit_id"] = visit["slug"].clone();
        let (kept, _) = made(&hub, &body).await;
        let of = json!([kept["seminar_id"], kept["study_visit_id"]]);
        assert_eq!(of, json!([null, visit["id"]]));
        let slug = visit["slug"].as_str().unwrap();
        assert_eq!(total(&hub, &format!("&study_visit={slug}")).await, 1);
    });
}

#[test]
fn what_cannot_be_true_is_refused_with_its_place() {
    on_each_database(async |hub| {
        let refused = async |change: Value| {
            let mut body = named("a@example.org");
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            let reply = post(&hub, &body).await;
            assert_eq!(reply.status, 422, "{}", reply.text);
            assert_eq!(reply.header("cache-control"), "no-store");
            reply.faults()
        };
        let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
        let unasked = refused(json!({"consent": "not_given"})).await;
        let places = ["/name", "/email", "/organisation_name", "/certificate/number"];
        assert_eq!(unasked, places.map(|place| fault(place, "consent_needed")));
        for (change, place, code) in [
            (json!({"study_visit_id": "korea"}), "/study_visit_id", "two_activities"),
            (json!({"seminar_id": null}), "", "no_activity"),
            (json!({"seminar_id": "nowhere"}), "/seminar_id", "unknown_reference"),
            (json!({"organisation_id": "nobody"}), "/organisation_id", "unknown_reference"),
            (json!({"retain_until": "2025-12-31"}), "/retain_until", "in_the_past"),
            (json!({"retain_until": "2036-02-01"}), "/retain_until", "too_late"),
            (json!({"days_attended": [1, 1]}), "/days_attended", "day_twice"),
            (json!({"days_attended": [61]}), "/days_attended/0", "too_large"),
            (json!({"email": "nobody"}), "/email", "invalid_value"),
        ] {
            assert_eq!(refused(change).await, [fault(place, code)]);
        }
        let both = json!({"retain_until": "2025-01-01", "seminar_id": "nowhere"});
        assert_eq!(refused(both).await.len(), 2, "all faults are told at once");
        made(&hub, &named("a@example.org")).await;
        let again = refused(json!({"email": "A@example.org"})).await;
        assert_eq!(again, [fault("/email", "already_there")]);
        let unknown = post(&hub, &json!({"erased_at": null})).await;
        assert_eq!(unknown.status, 400);
        assert_eq!(total(&hub, "").await, 1);
    });
}

#[test]
fn participants_are_listed_a_page_at_a_time_and_narrowed() {
    on_each_database(async |hub| {
        draft_elsewhere(&hub).await;
        made(&hub, &named("a@example.org")).await;
        for (country, seminar) in [("KZ", SEMINAR), ("KG", SEMINAR), ("KG", "autumn")] {
            let mut body = counted(country);
            body["seminar_id"] = seminar.into();
            made(&hub, &body).await;
        }
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = read(&hub, &format!("{ALL}?limit=3{cursor}")).await;
            assert!(page.get("total").is_none());
            paged.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(json!(paged), read(&hub, ALL).await["items"]);
        assert_eq!(paged.len(), 4);
        for (query, count) in [
            ("seminar=autumn", 1),
            (&*format!("seminar=autumn,{SEMINAR}"), 4),
            ("seminar=nowhere", 0),
            ("study_visit=autumn", 0),
            ("country=KG", 2),
            ("country=KG,KZ", 4),
            ("organisation=undp", 1),
            ("sex=female", 1),
            ("seniority=junior", 0),
            ("seniority=senior", 1),
            ("consent=not_given", 3),
            ("email=A@EXAMPLE.org", 1),
            ("email=example@example.org", 0),
            ("country=KG&seminar=autumn", 1),
        ] {
            assert_eq!(total(&hub, &format!("&{query}")).await, count, "{query}");
        }
        for (query, code) in [
            ("sort=created_at", "unknown_parameter"),
            ("q=Aigul", "unknown_parameter"),
            ("include=seminar", "unknown_parameter"),
            ("facets=country", "unknown_parameter"),
            ("name=Aigul", "unknown_parameter"),
            ("sex=x", "invalid_parameter"),
            ("cursor=x", "invalid_cursor"),
        ] {
            let reply = hub.get_as(&hub.token, &format!("{ALL}?{query}")).await;
            assert_eq!((reply.status.as_u16(), &*reply.faults()[0].1), (400, code), "{query}");
        }
    });
}

#[test]
fn only_a_registrar_and_an_admin_may_know_of_participants() {
    on_each_database(async |hub| {
        let (kept, _) = made(&hub, &named("a@example.org")).await;
        let one = format!("{ALL}/{}", kept["id"].as_str().unwrap());
        let erase = format!("{one}/erase");
        for (role, allowed) in [
            (None, 401),
            (Some("viewer"), 403),
            (Some("editor"), 403),
            (Some("publisher"), 403),
            (Some("registrar"), 200),
            (Some("admin"), 200),
        ] {
            let token = match role {
                Some(role) => hub.token(role, &[]).await,
                None => "nobody".to_owned(),
            };
            for (method, path, otherwise) in [
                ("GET", ALL, 200),
                ("POST", ALL, 400),
                ("GET", &one, 200),
                ("PUT", &one, 400),
                ("PATCH", &one, 200),
                ("DELETE", &one, 412),
                ("GET", "/v1/participants/person?email=b@example.org", 200),
                ("POST", "/v1/participants/erase", 400),
                ("POST", &erase, 412),
                ("POST", "/v1/participants/import", 415),
            ] {
                let tag = match method {
                    "PATCH" => hub.get_as(&hub.token, &one).await.header("etag").to_owned(),
                    "DELETE" | "POST" => "\"99\"".to_owned(),
                    _ => "\"1\"".to_owned(),
                };
                let reply = hub.write_as(&token, method, path, Some(&tag), Some(&json!({}))).await;
                let expected = if allowed == 200 { otherwise } else { allowed };
                assert_eq!(reply.status, expected, "{role:?} {method} {path}: {}", reply.text);
                assert_eq!(reply.header("cache-control"), "no-store");
                assert!(allowed == 200 || !reply.text.contains("Aigul"));
            }
        }
    });
}

#[test]
fn a_table_is_taken_whole_or_not_at_all_and_twice_without_doubles() {
    on_each_database(async |hub| {
        let header = "seminar_id,name,email,organisation_id,country,sex,days_attended,\
            certificate.number,certificate.issued_on,consent,retain_until\n";
        let bad = format!(
            "\u{feff}{header}\
            {SEMINAR},A,a@example.org,undp,KZ,female,1;2,C-1,2021-11-05,given,2030-12-31\n\
            nowhere,B,b@example.org,,KZ,,,,,given,2030-12-31\n\
            {SEMINAR},,,,Nowhere,other,1;x,,,not_given,2030-12-31\n\
            {SEMINAR},C,,,KZ,,,,,not_given,2030-12-31\n\
            {SEMINAR},A,A@example.org,,KZ,,61,,,given,2025-01-01\n\
            {SEMINAR},A,A@example.org,,KZ,,60,,,given,2025-01-01\n"
        );
        let reply = import(&hub, "", &bad).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.header("cache-control"), "no-store");
        let told = reply.json();
        assert_eq!(json!([told["created"], told["changed"], told["unchanged"]]), json!([0, 0, 0]));
        let fault = |one: &Value| json!([one["row"], one["column"], one["header"], one["code"]]);
        let faults: Vec<_> = told["refused"].as_array().unwrap().iter().map(fault).collect();
        for expected in [
            json!([3, "A", "seminar_id", "unknown_reference"]),
            json!([4, "E", "country", "unknown_country"]),
            json!([4, "G", "days_attended", "not_a_number"]),
            json!([5, "B", "name", "consent_needed"]),
            json!([6, "G", "days_attended", "too_large"]),
            json!([7, "K", "retain_until", "in_the_past"]),
            json!([7, "C", "email", "same_person_twice"]),
        ] {
            assert!(faults.contains(&expected), "{expected} is not among {faults:#?}");
        }
        assert_eq!(told["refused_total"], faults.len());
        assert_eq!(total(&hub, "").await, 0);

        let good = format!(
            "{header}\
            {SEMINAR},A,a@example.org,undp,KZ,female,1; 2,C-1,2021-11-05,given,2030-12-31\n\
            {SEMINAR},,,,KG,,,,,not_given,2030-12-31\n"
        );
        let counts = async |query: &str, table: &str| {
            let told = import(&hub, query, table).await.json();
            assert_eq!(told["refused"], json!([]));
            json!([told["created"], told["changed"], told["unchanged"]])
        };
        assert_eq!(counts("?dry_run=true", &good).await, json!([2, 0, 0]));
        assert_eq!((total(&hub, "").await, logged(&hub, "create").await), (json!(0), 0));
        assert_eq!(counts("", &good).await, json!([2, 0, 0]));
        let kept = read(&hub, &format!("{ALL}?email=a@example.org")).await["items"][0].take();
        assert_eq!(kept["days_attended"], json!([1, 2]));
        assert_eq!(kept["certificate"], json!({"number": "C-1", "issued_on": "2021-11-05"}));
        assert_eq!(kept["organisation_name"], Value::Null);

        // Who has no address is somebody new each time.
        assert_eq!(counts("", &good).await, json!([1, 0, 1]));
        assert_eq!(total(&hub, "").await, 3);
        let again = read(&hub, &format!("{ALL}?email=a@example.org")).await["items"][0].take();
        assert_eq!(again, kept, "nothing was written");
        let other = format!("{header}{SEMINAR},B,A@EXAMPLE.org,,KZ,,,,,given,2030-12-31\n");
        assert_eq!(counts("?dry_run=true", &other).await, json!([0, 1, 0]));
        assert_eq!(counts("", &other).await, json!([0, 1, 0]));
        let changed = read(&hub, &format!("{ALL}?email=a@example.org")).await["items"][0].take();
        assert_eq!(json!([changed["id"], changed["name"]]), json!([kept["id"], "B"]));
        assert_eq!((changed["revision"].clone(), total(&hub, "").await), (json!(2), json!(3)));
        hub.assert_whole().await;
    });
}

#[test]
fn a_table_changes_what_it_has_a_column_for_and_nothing_else() {
    on_each_database(async |hub| {
        let (before, _) = made(&hub, &named("aigul@example.org")).await;
        let key = "seminar_id,email,country,consent,retain_until";
        let known = format!("{SEMINAR},aigul@example.org,KZ,given,2030-12-31");
        let now =
            async || read(&hub, &format!("{ALL}?email=aigul@example.org")).await["items"][0].take();

        let told = import(&hub, "", &format!("{key}\n{known}\n")).await.json();
        assert_eq!(told["unchanged"], 1, "{told}");
        assert_eq!(now().await, before, "no other field has a column");

        // An empty cell of a column that is there tells that it is not known any more.
        let table = format!("{key},sex,certificate.issued_on,name\n{known},male,,Aigul Example\n");
        for query in ["?dry_run=true", ""] {
            let told = import(&hub, query, &table).await.json();
            assert_eq!(told["changed_fields"], json!({"sex": 1, "certificate": 1}), "{told}");
            assert!(!told.to_string().contains("male"), "no value is told: {told}");
        }
        let mut expected = before.clone();
        expected["sex"] = "male".into();
        expected["certificate"]["issued_on"] = Value::Null;
        for own in ["revision", "updated_at"] {
            expected[own] = now().await[own].take();
        }
        assert_eq!(now().await, expected);

        // Who agrees no longer is not left with a name that no column tells.
        let table = format!("{key}\n{}\n", known.replace("given", "not_given"));
        let told = import(&hub, "", &table).await.json();
        assert_eq!(told["refused"][0]["code"], "consent_needed", "{told}");
    });
}

#[test]
fn that_somebody_did_not_come_and_that_a_certificate_has_no_number_can_be_told_in_a_table() {
    on_each_database(async |hub| {
        let header =
            "seminar_id,email,country,days_attended,certificate.number,consent,retain_until";
        let table = |days: &str, number: &str| {
            format!("{header}\n{SEMINAR},a@example.org,KZ,{days},{number},given,2030-12-31\n")
        };
        let kept = async || {
            let kept = read(&hub, &format!("{ALL}?email=a@example.org")).await["items"][0].take();
            json!([kept["days_attended"], kept["certificate"]])
        };
        let unnumbered = json!({"number": null, "issued_on": null});
        for (days, number, expected) in [
            ("none", "unnumbered", json!([[], unnumbered])),
            ("1;2", "C-1", json!([[1, 2], {"number": "C-1", "issued_on": null}])),
            ("None", "UNNUMBERED", json!([[], unnumbered])),
            ("", "", json!([null, null])),
        ] {
            for _ in 0..2 {
                let told = import(&hub, "", &table(days, number)).await.json();
                assert_eq!(told["refused_total"], 0, "{told}");
                assert_eq!(kept().await, expected, "{days} {number}");
            }
        }
        let told = import(&hub, "", &table("1;none", "x")).await.json();
        assert_eq!(told["refused"][0]["code"], "not_a_number", "{told}");
    });
}

#[test]
fn a_table_that_means_something_else_is_refused() {
    on_each_database(async |hub| {
        for (table, row, code) in [
            ("seminar_id,country,consent,retain_until,Имя\n", 1, "unknown_column"),
            ("seminar_id,country,consent,retain_until,id\n", 1, "unknown_column"),
            ("seminar_id,country,consent,retain_until,sex,sex\n", 1, "field_twice"),
            ("seminar_id,country,consent\nfirst-seminar-2021,KZ,given\n", 2, "missing_field"),
            ("seminar_id,country,consent,retain_until\n,,,,x\n", 2, "cell_without_header"),
            ("seminar_id,country,consent,retain_until,\n,,,,x\n", 1, "unknown_column"),
        ] {
            let told = import(&hub, "", table).await.json();
            let faults = told["refused"].as_array().unwrap();
            let is = |one: &Value| one["row"] == row && one["code"] == code;
            assert!(faults.iter().any(is), "{table}: {told:#}");
        }
        let read = async |table: &str| {
            let reply = import(&hub, "", table).await;
            (reply.status.as_u16(), reply.json()["code"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(read("").await, (422, "unreadable_file".to_owned()));
        let long = format!("{}\n", "x".repeat(1023)).repeat(16 * 1024 + 1);
        assert_eq!(read(&long).await, (413, "body_too_large".to_owned()));
        assert_eq!(total(&hub, "").await, 0);
    });
}

#[test]
fn one_person_is_told_all_that_is_held_of_them_and_taken_away() {
    on_each_database(async |hub| {
        draft_elsewhere(&hub).await;
        let (first, _) = made(&hub, &named("Aigul@example.org")).await;
        let mut body = named("aigul@EXAMPLE.org");
        body["seminar_id"] = "autumn".into();
        let (second, _) = made(&hub, &body).await;
        let (other, at_other) = made(&hub, &named("b@example.org")).await;
        let person = "/v1/participants/person?email=aigul@example.org";
        let held = read(&hub, person).await;
        assert_eq!(held["participants"], json!([first, second]));
        let missing = hub.get_as(&hub.token, "/v1/participants/person").await;
        let faults = vec![("email".to_owned(), "missing_parameter".to_owned())];
        assert_eq!((missing.status.as_u16(), missing.faults()), (400, faults));

        let erase = json!({"email": "AIGUL@example.org"});
        let erased = hub.write("POST", "/v1/participants/erase", None, Some(&erase)).await;
        assert_eq!((erased.status.as_u16(), erased.json()), (200, json!({"erased": 2})));
        let again = hub.write("POST", "/v1/participants/erase", None, Some(&erase)).await;
        assert_eq!(again.json(), json!({"erased": 0}));
        assert_eq!(read(&hub, person).await["participants"], json!([]));
        let at = format!("{ALL}/{}", first["id"].as_str().unwrap());
        let left = read(&hub, &at).await;
        let mut expected = first.clone();
        for name in ["name", "email", "organisation_id", "organisation_name"] {
            expected[name] = Value::Null;
        }
        expected["certificate"]["number"] = Value::Null;
        expected["consent"] = "not_given".into();
        expected["revision"] = 2.into();
        for name in ["updated_at", "erased_at"] {
            expected[name] = left[name].clone();
        }
        assert!(left["erased_at"].is_string());
        assert_eq!(left, expected);
        assert_eq!(hub.number("SELECT count(*) FROM participant WHERE certified").await, 3);
        assert_eq!(read(&hub, &at_other).await, other);

        // They stay counted, and nobody names them again.
        let tag = hub.get_as(&hub.token, &at).await.header("etag").to_owned();
        let back = json!({"consent": "given", "name": "Aigul", "organisation_id": "undp"});
        let back = hub.write("PATCH", &at, Some(&tag), Some(&back)).await;
        let fault = |place: &str| (place.to_owned(), "erased".to_owned());
        let faults = vec![fault("/consent"), fault("/organisation_id")];
        assert_eq!((back.status.as_u16(), back.faults()), (422, faults));
        let corrected = json!({"country": "KG"});
        let corrected = hub.write("PATCH", &at, Some(&tag), Some(&corrected)).await;
        assert_eq!(corrected.status, 200, "{}", corrected.text);

        let erase = format!("{at_other}/erase");
        assert_eq!(hub.write("POST", &erase, Some("\"7\""), None).await.status, 412);
        let erased = hub.write("POST", &erase, None, None).await;
        assert_eq!((erased.status.as_u16(), &erased.json()["name"]), (200, &Value::Null));
        let again = hub.write("POST", &erase, None, None).await;
        assert_eq!((again.status.as_u16(), again.text), (200, erased.text));
        assert_eq!(logged(&hub, "erase").await, 3);
        hub.assert_whole().await;
    });
}

/// Whether that stands anywhere in the files of the database, where it has files.
fn is_in_files(database: &Database, text: &str) -> Option<bool> {
    let file = database.file()?.into_os_string();
    Some(["", "-wal"].iter().any(|end| {
        let mut file = file.clone();
        file.push(end);
        let bytes = std::fs::read(file).unwrap_or_default();
        bytes.windows(text.len()).any(|some| some == text.as_bytes())
    }))
}

#[test]
fn who_was_erased_is_not_in_the_file_any_more() {
    on_each_database(async |hub| {
        let is_gone = |text: &str| is_in_files(&hub.database, text) != Some(true);
        let somebody = async |who: &str| {
            let mut body = named(&format!("{who}@example.org"));
            body["name"] = format!("{who} is the name").into();
            let (kept, at) = made(&hub, &body).await;
            // Something else comes and goes on the same page.
            let (_, other) = made(&hub, &counted("KZ")).await;
            let tag = hub.get_as(&hub.token, &other).await.header("etag").to_owned();
            assert_eq!(hub.write("DELETE", &other, Some(&tag), None).await.status, 204);
            assert_ne!(is_in_files(&hub.database, who), Some(false));
            (kept, at)
        };
        let (_, place) = somebody("Quixotina").await;
        let erased = hub.write("POST", &format!("{place}/erase"), None, None).await;
        assert_eq!(erased.status, 200, "{}", erased.text);
        assert!(is_gone("Quixotina"));

        somebody("Zenobrius").await;
        let erase = json!({"email": "zenobrius@example.org"});
        let erased = hub.write("POST", "/v1/participants/erase", None, Some(&erase)).await;
        assert_eq!(erased.json(), json!({"erased": 1}));
        assert!(is_gone("Zenobrius"));
        assert!(is_gone("zenobrius@"));

        let (_, place) = somebody("Marzipanne").await;
        let tag = hub.get_as(&hub.token, &place).await.header("etag").to_owned();
        assert_eq!(hub.write("DELETE", &place, Some(&tag), None).await.status, 204);
        assert!(is_gone("Marzipanne"));

        let (_, place) = somebody("Bartholomea").await;
        let tag = hub.get_as(&hub.token, &place).await.header("etag").to_owned();
        let gone = json!({"consent": "not_given", "name": null, "email": null,
            "organisation_name": null, "certificate": null});
        let reply = hub.write("PATCH", &place, Some(&tag), Some(&gone)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(is_gone("Bartholomea"), "who does not agree any more is not named anywhere");

        somebody("Wolframette").await;
        let late = at("2099-01-01T00:00:00Z", &hub.database);
        assert_eq!(late.open().await.unwrap().retain_participants().await.unwrap(), 2);
        assert!(is_gone("Wolframette"));
    });
}

/// The same database, at a time that stands still.
fn at(time: &str, database: &Database) -> Database {
    let time: DateTime<Utc> = time.parse().unwrap();
    let world = World { now: Arc::new(move || time), ..database.world.clone() };
    Database { world, ..database.clone() }
}

async fn becomes(what: &str, true_now: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !true_now().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn who_has_been_kept_long_enough_is_named_no_more() {
    let settings = RefCell::new(None);
    let keep = |of: &mut api::Settings| {
        settings.replace(Some(of.clone()));
    };
    on_each_database_with(keep, async |hub| {
        let until = |day: &str, who: &str| {
            let mut body = named(&format!("{who}@example.org"));
            body["retain_until"] = day.into();
            body
        };
        made(&hub, &until("2029-12-30", "first")).await;
        let (_, last) = made(&hub, &until("2029-12-31", "last")).await;
        let (later, at_later) = made(&hub, &until("2031-01-01", "later")).await;
        let many = 201;
        let mut table = "seminar_id,country,consent,email,retain_until\n".to_owned();
        for one in 0..many {
            writeln!(table, "{SEMINAR},KZ,given,p{one}@example.org,2028-01-01").unwrap();
        }
        assert_eq!(import(&hub, "", &table).await.json()["created"], many);
        let named = async || hub.number("SELECT count(email) FROM participant").await;

        let on = async |time: &str| {
            let store = at(time, &hub.database).open().await.unwrap();
            store.retain_participants().await.unwrap()
        };
        assert_eq!(on("2028-01-01T23:59:59Z").await, 0);
        assert_eq!(on("2029-12-31T23:59:59Z").await, many + 1);
        assert_eq!(named().await, 2);
        assert_eq!(on("2029-12-31T23:59:59Z").await, 0);
        let rows = "SELECT count(*) FROM change WHERE actor = 'retention' AND operation = 'erase'";
        assert_eq!(hub.number(rows).await, i64::try_from(many).unwrap() + 1);

        // The service does it by itself, soon after it has started.
        let settings = settings.borrow().clone().unwrap();
        let settings =
            api::Settings { database: at("2030-01-01T00:00:00Z", &hub.database), ..settings };
        let service = serve(TcpListener::bind("127.0.0.1:0").unwrap(), &settings).unwrap();
        let handle = service.handle();
        let running = actix_web::rt::spawn(service.run());
        becomes("the last is erased", async || read(&hub, &last).await["erased_at"].is_string())
            .await;
        handle.stop(false).await;
        running.await.unwrap().unwrap();
        assert_eq!(read(&hub, &at_later).await, later);

        // So does a command, at once.
        hub.sql("UPDATE participant SET retain_until = '2001-01-01'").await;
        let folder = TempDir::new().unwrap();
        for erased in [": 1.", ": 0."] {
            let (folder, url) = (folder.path().to_owned(), hub.database.url.clone());
            // What lies between the program and Postgres runs in this thread.
            let said = tokio::task::spawn_blocking(move || {
                said(&folder, &["participants", "retain"], &[("DATABASE_URL", &url)])
            });
            let said = said.await.unwrap();
            let text = String::from_utf8(said.stdout).unwrap();
            assert!(said.status.success() && text.trim().ends_with(erased), "{text}");
        }
        assert_eq!(named().await, 0);
        hub.assert_whole().await;
    });
}

#[test]
fn a_token_of_some_projects_keeps_the_participants_of_their_activities() {
    on_each_database(async |hub| {
        draft_elsewhere(&hub).await;
        let (_, foreign) = made(&hub, &named("a@example.org")).await;
        let mut own = named("a@example.org");
        own["seminar_id"] = "autumn".into();
        let token = hub.token("registrar", &["elsewhere"]).await;
        let reply = hub.write_as(&token, "POST", ALL, None, Some(&own)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let own = reply.json();
        let page = hub.get_as(&token, &format!("{ALL}?with_total=true")).await.json();
        assert_eq!(json!([page["items"], page["total"]]), json!([[own], 1]));
        let all = hub.get_as(&token, &format!("{ALL}?seminar={SEMINAR}")).await.json();
        assert_eq!(all["items"], json!([]));

        for (method, path) in [
            ("GET", foreign.clone()),
            ("PATCH", foreign.clone()),
            ("DELETE", foreign.clone()),
            ("POST", format!("{foreign}/erase")),
        ] {
            let body = json!({"sex": "male"});
            let reply = hub.write_as(&token, method, &path, Some("\"1\""), Some(&body)).await;
            assert_eq!(reply.status, 404, "{method} {path}: {}", reply.text);
        }
        let unknown = vec![("/seminar_id".to_owned(), "unknown_reference".to_owned())];
        let reply = hub.write_as(&token, "POST", ALL, None, Some(&named("b@example.org"))).await;
        assert_eq!((reply.status.as_u16(), reply.faults()), (422, unknown.clone()));
        let at = reply_at(&own);
        let away = json!({"seminar_id": SEMINAR});
        let reply = hub.write_as(&token, "PATCH", &at, Some("\"1\""), Some(&away)).await;
        assert_eq!((reply.status.as_u16(), reply.faults()), (422, unknown));
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
        let table = format!(
            "seminar_id,country,consent,retain_until\n{SEMINAR},KZ,given,2030-12-31\n\
            autumn,KZ,given,2030-12-31\n"
        );
        let path = format!("{ALL}/import");
        let told = hub.send("POST", &path, &headers, Some(table.into_bytes())).await.json();
        assert_eq!(told["refused_total"], 1, "{told}");
        assert_eq!(told["refused"][0]["code"], "unknown_reference");

        let person = "/v1/participants/person?email=a@example.org";
        assert_eq!(hub.get_as(&token, person).await.json()["participants"], json!([own]));
        let erase = json!({"email": "a@example.org"});
        let path = "/v1/participants/erase";
        let erased = hub.write_as(&token, "POST", path, None, Some(&erase)).await;
        assert_eq!(erased.json(), json!({"erased": 1}));
        assert_eq!(read(&hub, &foreign).await["name"], "Aigul Example");
    });
}

fn reply_at(kept: &Value) -> String {
    format!("{ALL}/{}", kept["id"].as_str().unwrap())
}

#[test]
fn what_participants_refer_to_is_not_deleted() {
    on_each_database(async |hub| {
        draft_elsewhere(&hub).await;
        let organisation = json!({"slug": "office", "name": {"en": "Office"}});
        let reply = hub.write("POST", "/v1/organisations", None, Some(&organisation)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let visit = json!({"slug": "visit", "project_id": "elsewhere", "host_country": "KR",
            "status": "planned"});
        let reply = hub.write("POST", "/v1/study-visits", None, Some(&visit)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let mut body = counted("KZ");
        body["seminar_id"] = "autumn".into();
        body["organisation_id"] = "office".into();
        let (one, at_one) = made(&hub, &body).await;
        let mut body = counted("KZ");
        body["seminar_id"] = Value::Null;
        body["study_visit_id"] = "visit".into();
        let (other, at_other) = made(&hub, &body).await;
        let publisher = hub.token("publisher", &[]).await;
        let records = ["/v1/seminars/autumn", "/v1/study-visits/visit", "/v1/organisations/office"];
        for path in records {
            let tag = hub.get_as(&publisher, path).await.header("etag").to_owned();
            for token in [&publisher, &hub.token] {
                let reply = hub.write_as(token, "DELETE", path, Some(&tag), None).await;
                let told = reply.json();
                assert_eq!((reply.status.as_u16(), &told["code"]), (409, &json!("in_use")));
                let detail = "Some of the participants refer to it.";
                assert_eq!(told["errors"], json!([{"code": "in_use", "detail": detail}]));
                for id in [&one["id"], &other["id"]] {
                    assert!(!reply.text.contains(id.as_str().unwrap()));
                }
            }
        }
        for at in [at_one, at_other] {
            assert_eq!(hub.write("DELETE", &at, Some("\"1\""), None).await.status, 204);
        }
        for path in records {
            let tag = hub.get_as(&publisher, path).await.header("etag").to_owned();
            let reply = hub.write_as(&publisher, "DELETE", path, Some(&tag), None).await;
            assert_eq!(reply.status, 204, "{}", reply.text);
        }
    });
}

/// Every address that can be read, with something that is there in place of each parameter.
fn addresses(contract: &Value, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get") else { continue };
        let mut filled = path.replace("{revision}", "1").replace("{delivery}", "x");
        let collection = path.split(['/', '.']).nth(2).unwrap_or_default();
        let key = match collection {
            "seminars" => Some(SEMINAR),
            "participants" => Some(id),
            _ => None,
        };
        if let Some(key) = key {
            filled = filled.replace("{id}", key);
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if let (Some(name), Some(example)) =
                (parameter["name"].as_str(), parameter["example"].as_str())
                && name != "format"
            {
                filled = filled.replace(&format!("{{{name}}}"), example);
            }
        }
        let forms = match filled.contains("{format}") {
            true => ["csv", "ndjson", "xlsx"].map(|form| filled.replace("{format}", form)).into(),
            false => vec![filled],
        };
        for form in forms {
            assert!(!form.contains('{'), "{form} cannot be asked");
            let takes = |name: &str| json!(operation["parameters"]).to_string().contains(name);
            if takes("parameters/q\"") && !path.contains("{format}") {
                found.push(format!("{form}?q=qqzzyx"));
            }
            found.push(form);
        }
    }
    let more = [
        "/v1/search?q=zarina",
        "/v1/search?q=zarina@qqzzyx.org",
        "/v1/search?q=qqzzyx",
        "/v1/changes?limit=100",
        "/v1/participants?email=zarina@qqzzyx.org",
        "/v1/participants/person?email=zarina@qqzzyx.org",
        "/openapi.json",
    ];
    found.extend(more.map(ToOwned::to_owned));
    found
}

#[test]
fn nobody_else_ever_learns_of_a_participant() {
    on_each_database(async |hub| {
        let hook = json!({"url": "http://127.0.0.1:9/", "enabled": true});
        let hook = hub.write("POST", "/v1/webhooks", None, Some(&hook)).await;
        assert_eq!(hook.status, 201, "{}", hook.text);
        let newest = hub.number("SELECT max(position) FROM change").await;

        // As much as can happen to somebody.
        let mut body = named("zarina@qqzzyx.org");
        body["name"] = "Zarina Qqzzyx".into();
        body["organisation_name"] = "Qqzzyx office".into();
        body["certificate"]["number"] = "QQZZYX-1".into();
        let table = "seminar_id,name,email,country,consent,retain_until\n\
            first-seminar-2021,Other Qqzzyx,other@qqzzyx.org,KZ,given,2030-12-31\n";
        let table = import(&hub, "", table).await.json();
        assert_eq!(table["created"], 1, "{table}");
        let (erased, at) = made(&hub, &body).await;
        let reply = hub.write("POST", &format!("{at}/erase"), None, None).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let (gone, at) = made(&hub, &body).await;
        assert_eq!(hub.write("DELETE", &at, Some("\"1\""), None).await.status, 204);
        let (kept, at) = made(&hub, &body).await;
        let change = hub.write("PATCH", &at, Some("\"1\""), Some(&json!({"sex": "male"}))).await;
        assert_eq!(change.status, 200, "{}", change.text);

        let unsaid = "SELECT count(*) FROM change WHERE resource = 'participants' AND slug IS NULL \
            AND body IS NULL AND state IS NULL AND state_before IS NULL AND note IS NULL";
        assert_eq!(hub.number(unsaid).await, 7);
        let held = "SELECT count(*) FROM change WHERE resource = 'participants'";
        assert_eq!(hub.number(held).await, 7);
        for (table, column) in [("change", "body"), ("record", "body"), ("search", "words")] {
            let found =
                format!("SELECT count(*) FROM {table} WHERE lower({column}) LIKE '%qqzzyx%'");
            assert_eq!(hub.number(&found).await, 0, "{table}");
        }

        let id = kept["id"].as_str().unwrap();
        let contract = hub.get("/openapi.json").await.json();
        let addresses = addresses(&contract, id);
        assert!(addresses.len() > 100, "{addresses:#?}");
        let ids = [&erased, &gone, &kept].map(|one| one["id"].as_str().unwrap().to_owned());
        let mut tokens = vec![None];
        for role in ["viewer", "editor", "publisher"] {
            tokens.push(Some(hub.token(role, &[]).await));
        }
        for token in &tokens {
            for path in &addresses {
                let (status, text) = told(&hub, token.as_deref(), path).await;
                assert!(!status.is_server_error(), "{path}: {text}");
                let closed = path.starts_with(ALL);
                assert!(!closed || [401, 403].contains(&status.as_u16()), "{path}: {status}");
                // What was looked for may be told to who looked for it.
                let looked_for = path.split_once("?q=").map_or("/", |(_, words)| words);
                let text = text.to_lowercase().replace(&format!("q={looked_for}"), "");
                for secret in ["zarina", "qqzzyx"].into_iter().chain(ids.iter().map(|id| &**id)) {
                    assert!(!text.contains(secret), "{path} tells {secret}: {text}");
                }
            }
        }

        // The feed goes on over it, and whoever is told of changes hears of the next one only.
        let feed = hub.get("/v1/changes?limit=100").await;
        assert_eq!((feed.status.as_u16(), feed.text.contains("participants")), (200, false));
        let topic = json!({"code": "after", "scheme": "own", "label": {"en": "After"}});
        assert_eq!(hub.write("POST", "/v1/topics", None, Some(&topic)).await.status, 201);
        let deliveries = async || hub.number("SELECT count(*) FROM delivery").await;
        becomes("the webhook is told", async || deliveries().await > 0).await;
        assert_eq!(deliveries().await, 1);
        let told = "SELECT count(*) FROM delivery WHERE event = 'topics.created'";
        assert_eq!(hub.number(told).await, 1);
        assert!(hub.number("SELECT max(position) FROM change").await > newest + 6);

        // A registrar finds them.
        let registrar = hub.token("registrar", &[]).await;
        let found = hub.get_as(&registrar, "/v1/participants?email=zarina@qqzzyx.org").await;
        assert_eq!(found.json()["items"][0]["name"], "Zarina Qqzzyx");
    });
}

#[test]
fn of_the_organisations_that_participants_come_from_no_more_is_told_than_is_public() {
    on_each_database(async |hub| {
        let body = json!({"slug": "hidden", "name": {"en": "Hidden"}, "kind": "foundation"});
        let organisation =
            hub.write_as(&hub.token, "POST", "/v1/organisations", None, Some(&body)).await;
        assert_eq!(organisation.status, 201, "{}", organisation.text);
        for _ in 0..7 {
            let body = json!({"seminar_id": SEMINAR, "organisation_id": "hidden", "country": "KZ",
                "consent": "not_given", "retain_until": "2030-12-31"});
            made(&hub, &body).await;
        }
        let kinds = async || {
            let told = hub.get("/v1/statistics/participants?group_by=organisation_kind").await;
            assert_eq!(told.status, 200, "{}", told.text);
            let mut told = told.json();
            let rows = told["rows"].as_array_mut().unwrap().iter_mut();
            rows.map(|row| json!([row["organisation_kind"], row["count"]])).collect::<Vec<_>>()
        };
        assert_eq!(kinds().await, [json!([null, 7])]);
        let id = organisation.json()["id"].as_str().unwrap().to_owned();
        let publish = format!("/v1/organisations/{id}/publish");
        let public = hub.write("POST", &publish, Some(organisation.header("etag")), None).await;
        assert_eq!(public.status, 200, "{}", public.text);
        assert_eq!(kinds().await, [json!(["foundation", 7])]);
    });
}

#[test]
fn a_table_that_is_not_in_utf8_is_refused_and_nobody_gets_another_name() {
    on_each_database(async |hub| {
        let table = format!(
            "seminar_id,name,email,country,consent,retain_until\n\
             {SEMINAR},Иван,ivan@example.org,KZ,given,2030-12-31\n"
        );
        let bearer = format!("Bearer {}", hub.token);
        let path = format!("{ALL}/import");
        let send = async |kind: &str, file: Vec<u8>| {
            let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
            hub.send("POST", &path, &headers, Some(file)).await
        };
        let windows = encoding_rs::WINDOWS_1251.encode(&table).0.to_vec();
        let told = send("text/csv", windows.clone()).await;
        assert_eq!(told.status, 422, "{}", told.text);
        assert_eq!(told.faults(), [(String::new(), "wrong_encoding".to_owned())]);
        assert_eq!(send("text/csv; charset=windows-1251", windows).await.status, 415);
        let open = table.replace("Иван", "\"Иван");
        let told = send("text/csv", open.into_bytes()).await;
        assert_eq!(told.faults(), [(String::new(), "open_quote".to_owned())], "{}", told.text);
        let told = send("text/csv; charset=utf-8", table.into_bytes()).await;
        assert_eq!(told.json()["created"], 1, "{}", told.text);
    });
}
