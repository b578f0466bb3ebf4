//! The first seminar, to the unit.
use serde_json::{Value, json};

use crate::harness::{Hub, on_each_database, on_each_database_without_memory};

#[test]
fn a_new_registry_holds_the_first_seminar_to_the_unit() {
    on_each_database(async |hub| {
        let counts = [
            ("projects", 1),
            ("grant-arrangements", 1),
            ("seminar-series", 1),
            ("seminars", 1),
            ("sessions", 4),
            ("presentations", 10),
            ("statements", 4),
            ("initiatives", 6),
            ("study-visits", 1),
            ("organisations", 20),
            ("people", 11),
            ("topics", 12),
            ("results", 1),
            ("indicators", 0),
            ("recommendations", 1),
            ("exchange-rates", 0),
            ("documents", 4),
            ("countries", 249),
        ];
        for (collection, count) in counts {
            let reply = hub.get(&format!("/v1/{collection}?with_total=true&limit=1")).await;
            assert_eq!(reply.json()["total"], count, "{collection}");
        }
    });
}

#[test]
fn the_seminar_tells_what_is_known_and_leaves_the_rest_unknown() {
    on_each_database(async |hub| {
        let seminar = hub.get("/v1/seminars/first-seminar-2021").await.json();
        let persons = json!({"metric": "persons", "value": 70, "qualifier": "more_than"});
        assert_eq!(seminar["attendance"][0], persons);
        assert_eq!(seminar["starts_on"], "2021-11-04");
        let year = seminar["citations"].as_array().unwrap().iter();
        let year: Vec<_> = year.filter(|one| one["field"] == "/starts_on").collect();
        assert_eq!(year[0]["basis"], "derived");
        assert_eq!(year[0]["claim"], "XXXX-11-04");
        for unknown in ["title", "venue", "format", "time_zone", "capacity"] {
            assert_eq!(seminar[unknown], Value::Null, "{unknown}");
        }
        let label =
            "Seminar 1: Capacity building seminars on Governance Innovation and Digitalisation";
        assert_eq!(seminar["label"]["en"], label);
    });
}

#[test]
fn four_presentations_are_of_day_one_and_six_of_day_two() {
    on_each_database(async |hub| {
        for (day, count) in [(1, 4), (2, 6)] {
            let sessions = hub.get(&format!("/v1/sessions?day={day}&limit=100")).await.json();
            let ids = sessions["items"].as_array().unwrap().iter();
            let ids: Vec<_> = ids.map(|session| session["id"].as_str().unwrap()).collect();
            let path = format!("/v1/presentations?session={}&with_total=true", ids.join(","));
            assert_eq!(hub.get(&path).await.json()["total"], count);
        }
    });
}

#[test]
fn filters_find_records_by_what_they_relate_to() {
    on_each_database(async |hub| {
        let counts = [
            ("presentations?speaker=kangtak-oh", 1),
            ("presentations?country=KR,EE", 3),
            ("presentations?country=KR&topic=cloud", 1),
            ("presentations?organisation=nia", 2),
            ("presentations?initiative=kz-digital-kazakhstan", 1),
            ("organisations?parent=fi-mof", 1),
            ("organisations?kind=multilateral&country=KZ", 1),
            ("seminars?starts_on_gte=2021-01-01&starts_on_lt=2022-01-01", 1),
            ("seminars?starts_on_gte=2022-01-01", 0),
            ("seminars?organiser=acsh&country=UZ", 0),
            ("study-visits?starts_on_gte=1900-01-01", 0),
            ("statements?person=juha-sarkio", 1),
            ("projects?organisation=mois&activity_kind=study_visit", 1),
            ("countries?region=Central%20Asia", 5),
        ];
        for (query, count) in counts {
            let reply = hub.get(&format!("/v1/{query}&with_total=true")).await;
            assert_eq!(reply.json()["total"], count, "{query}");
        }
    });
}

#[test]
fn pages_hold_every_record_once_in_each_order() {
    on_each_database(async |hub| {
        for sort in ["name", "-name"] {
            let mut path = format!("/v1/organisations?limit=3&sort={sort}");
            let mut seen = Vec::new();
            loop {
                let reply = hub.get(&path).await;
                let page = reply.json();
                seen.extend(names(&page));
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                path = format!("/v1/organisations?limit=3&sort={sort}&cursor={cursor}");
                assert_eq!(reply.header("link"), format!("<{}>; rel=\"next\"", link(sort, cursor)));
            }
            let whole = hub.get(&format!("/v1/organisations?limit=100&sort={sort}")).await;
            assert_eq!(seen, names(&whole.json()));
            assert_eq!(seen.len(), 20);
        }
        let once = hub.get("/v1/organisations?sort=-name").await.json();
        let again = hub.get("/v1/organisations?sort=-name,name").await.json();
        assert_eq!(again["items"], once["items"], "a key that comes again orders nothing");
    });
}

fn link(sort: &str, cursor: &str) -> String {
    format!("/v1/organisations?sort={sort}&limit=3&cursor={cursor}")
}

fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["slug"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_costs_the_same_queries_whatever_is_in_it() {
    on_each_database_without_memory(async |hub: Hub| {
        let few = hub.queries_of("/v1/seminars?limit=20").await;
        let mut body = domain::sample::example("seminars");
        for number in 2..=25 {
            body["slug"] = format!("seminar-{number}").into();
            body["ordinal"] = number.into();
            let reply = hub.write("POST", "/v1/seminars", None, Some(&body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        let many = hub.queries_of("/v1/seminars?limit=20").await;
        assert_eq!((few.len(), many.len()), (1, 1), "{many:?}");
    });
}
