//! Events in the forms that calendars, search engines and feed readers take, and the archive of
//! all public records.
use std::{
    collections::BTreeSet,
    io::{Cursor, Read},
};

use chrono::NaiveDate;
use icalendar::{Calendar, Component};
use schemaorg_rs::{Eligibility, ProfileRegistry, extract_all, validation::validate};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Hub, on_each_database, on_each_database_without_memory};

const SEMINAR: &str = "/v1/seminars/first-seminar-2021";
/// Every address of events, and of the archive.
const ADDRESSES: [&str; 12] = [
    "/v1/seminars.ics",
    "/v1/seminars.jsonld",
    "/v1/seminars.atom",
    "/v1/study-visits.ics",
    "/v1/study-visits.jsonld",
    "/v1/study-visits.atom",
    "/v1/seminars/first-seminar-2021.ics",
    "/v1/seminars/first-seminar-2021.jsonld",
    "/v1/seminars/first-seminar-2021/readiness",
    "/v1/study-visits/study-visit-korea-2022.jsonld",
    "/v1/study-visits/study-visit-korea-2022/readiness",
    "/v1/dump.zip",
];

async fn change(hub: &Hub, record: &str, change: Value) {
    let tag = hub.get(record).await.header("etag").to_owned();
    let reply = hub.write("PATCH", record, Some(&tag), Some(&change)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[test]
fn the_first_seminar_is_an_event_that_calendars_read() {
    on_each_database(async |hub| {
        let reply = hub.get(&format!("{SEMINAR}.ics")).await;
        assert_eq!(reply.header("content-type"), "text/calendar; charset=utf-8");
        let record = hub.get(SEMINAR).await.json();

        let calendar: Calendar = reply.text.parse().unwrap();
        let events: Vec<_> = calendar.events().collect();
        assert_eq!(events.len(), 1);
        let event = events[0];
        let uid = format!("{}@hub.example.org", record["id"].as_str().unwrap());
        assert_eq!(event.get_uid(), Some(&*uid));
        assert_eq!(event.get_summary(), record["label"]["en"].as_str());
        assert_eq!(event.get_start(), Some(day(4).into()));
        assert_eq!(event.get_end(), Some(day(6).into()), "the end is the day after the last");
        assert_eq!(event.property_value("SEQUENCE"), Some("1"));
        assert_eq!(event.property_value("STATUS"), Some("CONFIRMED"));
        assert_eq!(event.property_value("TRANSP"), Some("TRANSPARENT"));
        assert_eq!(event.property_value("DTSTAMP"), event.property_value("LAST-MODIFIED"));
        assert_eq!(event.property_value("LOCATION"), None);

        // Not its strict mode, which refuses every calendar that has an event in it.
        let read = calcard::icalendar::ICalendar::parse(&reply.text).unwrap();
        assert_eq!(read.components.len(), 2, "the calendar and its event");
    });
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2021, 11, day).unwrap()
}

#[test]
fn lines_are_folded_and_texts_escaped_in_every_script() {
    on_each_database(async |hub| {
        let titles = [
            ("ru", "Инновации, цифровизация; \\ управление\nи государственные услуги для граждан"),
            (
                "ko",
                "거버넌스 혁신과 디지털화: 공무원을 위한 역량 강화 세미나, 제1차; 중앙아시아와 코카서스",
            ),
        ];
        for (language, title) in titles {
            change(&hub, SEMINAR, json!({"title": null})).await;
            change(&hub, SEMINAR, json!({"title": {language: title}})).await;
            let text = hub.get(&format!("{SEMINAR}.ics")).await.text;
            assert!(text.lines().all(|line| line.len() <= 75), "{text}");
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text}");
            let unfolded = text.replace("\r\n ", "");
            let escaped = title.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
            let escaped = escaped.replace('\n', "\\n");
            assert!(unfolded.contains(&format!("\r\nSUMMARY:{escaped}\r\n")), "{unfolded}");
            let calendar: Calendar = text.parse().unwrap();
            assert_eq!(calendar.events().next().unwrap().get_summary(), Some(title));
        }
    });
}

#[test]
fn a_calendar_says_what_is_off_and_what_is_not_sure_and_leaves_out_what_never_had_a_day() {
    on_each_database(async |hub| {
        for (status, told) in
            [("cancelled", "CANCELLED"), ("planned", "TENTATIVE"), ("confirmed", "CONFIRMED")]
        {
            change(&hub, SEMINAR, json!({"status": status})).await;
            let text = hub.get("/v1/seminars.ics").await.text;
            assert!(text.contains(&format!("\r\nSTATUS:{told}\r\n")), "{text}");
        }
        for date in [json!("2021-11"), json!("2021"), json!("XXXX-11-04"), Value::Null] {
            let dates = json!({"starts_on": date, "ends_on": null, "citations": []});
            change(&hub, SEMINAR, dates).await;
            // Whoever has it on the day that it had is told that it is not on that day.
            for calendar in ["/v1/seminars.ics".to_owned(), format!("{SEMINAR}.ics")] {
                let read: Calendar = hub.get(&calendar).await.text.parse().unwrap();
                let event = read.events().next().expect("the event");
                assert_eq!(event.get_start(), Some(day(4).into()), "{date}");
                assert_eq!(event.property_value("STATUS"), Some("CANCELLED"), "{date}");
                assert_eq!(event.get_end(), None, "{date}");
            }
            let readiness = hub.get(&format!("{SEMINAR}/readiness")).await.json();
            let missing = &readiness["formats"]["ics"]["missing"];
            assert_eq!(missing[0]["pointer"], "/starts_on", "{date}");
        }
        let visits = hub.get("/v1/study-visits.ics").await.text;
        assert!(!visits.contains("VEVENT"), "its days are not known: {visits}");
        // There is no calendar of its own with nothing in it.
        let own = hub.get("/v1/study-visits/study-visit-korea-2022.ics").await;
        assert_eq!((own.status.as_u16(), &own.json()["code"]), (422, &json!("not_ready")));
        assert_eq!(own.faults(), [("/starts_on".to_owned(), "rfc5545-dtstart".to_owned())]);
        change(&hub, SEMINAR, json!({"starts_on": "2022-02-01"})).await;
        let again = hub.get(&format!("{SEMINAR}.ics")).await.text;
        assert!(again.contains("DTSTART;VALUE=DATE:20220201"), "{again}");
        assert!(!again.contains("CANCELLED") && !again.contains("20211104"), "{again}");
    });
}

#[test]
fn a_search_engine_lacks_just_the_place_until_it_is_told_one() {
    on_each_database(async |hub| {
        let readiness = hub.get(&format!("{SEMINAR}/readiness")).await.json();
        let formats = &readiness["formats"];
        for ready in ["ics", "atom"] {
            assert_eq!(formats[ready], json!({"ready": true, "missing": []}), "{ready}");
        }
        assert_eq!(formats["jsonld"]["ready"], false);
        let missing = formats["jsonld"]["missing"].as_array().unwrap();
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0]["pointer"], "/venue");
        let before = judged_by_google(&hub).await;
        assert_eq!(before, (Eligibility::NotEligible, vec!["location".to_owned()]));

        let venue = json!({"name": {"en": "Hall"}, "city": {"en": "Astana"}, "country": "KZ"});
        change(&hub, SEMINAR, json!({"venue": venue})).await;
        let formats = &hub.get(&format!("{SEMINAR}/readiness")).await.json()["formats"];
        assert_eq!(formats["jsonld"], json!({"ready": true, "missing": []}));
        // What it could tell beside that, such as an image, it is only warned of.
        assert_eq!(judged_by_google(&hub).await, (Eligibility::WarningsOnly, Vec::new()));
        let place = &hub.get(&format!("{SEMINAR}.jsonld")).await.json()["location"];
        assert_eq!(place["@type"], "Place");
        assert_eq!(place["address"]["addressCountry"], "KZ");
    });
}

/// What Google would make of the seminar, and what it lacks for that.
///
/// It is the event itself that is judged: presentations within it may have no name.
async fn judged_by_google(hub: &Hub) -> (Eligibility, Vec<String>) {
    let told = hub.get(&format!("{SEMINAR}.jsonld")).await.text;
    let page = format!("<script type=\"application/ld+json\">{told}</script>");
    let graph = extract_all(&page).unwrap();
    assert_eq!((graph.nodes.len(), graph.warnings.len()), (1, 0), "{graph:?}");
    let known = validate(&graph).diagnostics;
    let judged = ProfileRegistry::with_google().evaluate("google", &graph, &known).unwrap();
    let [event] = &judged.type_results[..] else { panic!("one event: {judged:?}") };
    (judged.eligibility, event.required_missing.clone())
}

#[test]
fn linked_data_leaves_out_the_name_of_what_has_none() {
    on_each_database(async |hub| {
        let talks = hub.get("/v1/presentations?seminar=first-seminar-2021").await.json();
        let talk = talks["items"][0]["id"].as_str().unwrap().to_owned();
        let url = format!("https://hub.example.org/v1/presentations/{talk}");
        let name = async || {
            let event = hub.get(&format!("{SEMINAR}.jsonld")).await.json();
            let talks = event["subEvent"].as_array().unwrap();
            talks.iter().find(|talk| talk["url"] == url).unwrap().get("name").cloned()
        };
        assert!(name().await.is_some());
        change(&hub, &format!("/v1/presentations/{talk}"), json!({"title": null})).await;
        assert_eq!(name().await, None);
        assert_eq!(judged_by_google(&hub).await.1, ["location"]);
    });
}

#[test]
fn linked_data_tells_the_series_the_programme_and_who_pays() {
    on_each_database(async |hub| {
        let reply = hub.get(&format!("{SEMINAR}.jsonld")).await;
        assert_eq!(reply.header("content-type"), "application/ld+json");
        let event = reply.json();
        assert_eq!(event["@context"], "https://schema.org");
        assert_eq!(event["@type"], "EducationEvent");
        assert_eq!(
            (&event["startDate"], &event["endDate"]),
            (&json!("2021-11-04"), &json!("2021-11-05"))
        );
        assert_eq!(event["superEvent"]["@type"], "EventSeries");
        assert_eq!(event["organizer"].as_array().unwrap().len(), 3);
        assert_eq!(event["funder"].as_array().unwrap().len(), 1);
        let talks = event["subEvent"].as_array().unwrap();
        assert_eq!(talks.len(), 10);
        let dates: Vec<_> = talks.iter().map(|talk| talk["startDate"].as_str().unwrap()).collect();
        assert_eq!(dates[..4], ["2021-11-04"; 4]);
        assert_eq!(dates[4..], ["2021-11-05"; 6]);
        let speaker = &talks[0]["performer"][0];
        assert_eq!(speaker["jobTitle"], "Vice President");
        assert_eq!(speaker["affiliation"]["@type"], "Organization");

        let graph = hub.get("/v1/seminars.jsonld").await.json();
        let mut alone = event;
        alone.as_object_mut().unwrap().remove("@context");
        assert_eq!(graph["@graph"], json!([alone]));
    });
}

#[test]
fn linked_data_tells_what_an_organisation_is_a_part_of_and_where_it_is() {
    on_each_database(async |hub| {
        let affiliation = async || {
            let event = hub.get(&format!("{SEMINAR}.jsonld")).await.json();
            event["subEvent"][0]["performer"][0]["affiliation"].clone()
        };
        let own = affiliation().await;
        let path = own["@id"].as_str().unwrap().replace("https://hub.example.org", "");
        let mut above = domain::sample::example("organisations");
        for (slug, parent) in [("ministry", Value::Null), ("agency", json!("ministry"))] {
            above["slug"] = slug.into();
            above["name"] = json!({"en": slug});
            above["parent_id"] = parent;
            let made = hub.write("POST", "/v1/organisations", None, Some(&above)).await;
            assert_eq!(made.status, 201, "{}", made.text);
        }
        change(&hub, &path, json!({"parent_id": "agency", "country": "EE"})).await;
        let told = affiliation().await;
        assert_eq!(told["name"], own["name"]);
        assert_eq!(told["address"], json!({"@type": "PostalAddress", "addressCountry": "EE"}));
        assert_eq!(told["parentOrganization"]["name"], "agency");
        assert_eq!(told["parentOrganization"]["parentOrganization"]["name"], "ministry");
    });
}

#[test]
fn linked_data_tells_the_hours_of_the_programme_where_the_time_zone_is_known() {
    on_each_database(async |hub| {
        let all = hub.get("/v1/sessions?seminar=first-seminar-2021&limit=100").await.json();
        let mut all: Vec<_> = all["items"].as_array().unwrap().iter().collect();
        all.sort_by_key(|one| (one["day"].as_i64(), one["order"].as_i64()));
        for (session, field, time) in
            [(all[0], "starts_at", "09:30"), (all[all.len() - 1], "ends_at", "17:00")]
        {
            assert_eq!(session["day"], if field == "ends_at" { 2 } else { 1 });
            let path = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
            change(&hub, &path, json!({field: time})).await;
        }
        for (dates, expected) in [
            (json!({"time_zone": null}), ["2021-11-04", "2021-11-05"]),
            // Almaty was an hour further east until 2024.
            (
                json!({"time_zone": "Asia/Almaty"}),
                ["2021-11-04T09:30:00+06:00", "2021-11-05T17:00:00+06:00"],
            ),
            (
                json!({"starts_on": "2024-11-04", "ends_on": "2024-11-06", "citations": []}),
                ["2024-11-04T09:30:00+05:00", "2024-11-06"],
            ),
        ] {
            change(&hub, SEMINAR, dates).await;
            let event = hub.get(&format!("{SEMINAR}.jsonld")).await.json();
            assert_eq!([&event["startDate"], &event["endDate"]], expected);
            let known = judged_by_google(&hub).await.1;
            assert_eq!(known, ["location"], "{event}");
        }
    });
}

#[test]
fn what_happens_on_a_day_after_the_end_has_no_date() {
    on_each_database(async |hub| {
        let dates = json!({"starts_on": "2021-11-04", "ends_on": "2021-11-04", "citations": []});
        change(&hub, SEMINAR, dates).await;
        let dates_of_talks = async || {
            let event = hub.get(&format!("{SEMINAR}.jsonld")).await.json();
            let talks = event["subEvent"].as_array().unwrap().iter();
            talks.map(|talk| talk.get("startDate").cloned()).collect::<Vec<_>>()
        };
        let dates_of_days = async || {
            let programme = hub.get(&format!("{SEMINAR}/programme")).await.json();
            let days = programme["days"].as_array().unwrap().iter();
            days.map(|day| day["date"].clone()).collect::<Vec<_>>()
        };
        let talks = dates_of_talks().await;
        assert_eq!(talks[..4], [const { Some("2021-11-04") }; 4].map(|day| day.map(Value::from)));
        assert_eq!(talks[4..], [const { None }; 6]);
        assert_eq!(dates_of_days().await, [json!("2021-11-04"), Value::Null]);
        // It may well be a day of the month that is all that is known of the end.
        change(&hub, SEMINAR, json!({"ends_on": "2021-11"})).await;
        assert_eq!(dates_of_talks().await[4], Some(json!("2021-11-05")));
        assert_eq!(dates_of_days().await, ["2021-11-04", "2021-11-05"]);
    });
}

#[test]
fn a_calendar_keeps_what_was_withdrawn_as_cancelled_and_tells_nothing_of_it() {
    on_each_database(async |hub| {
        let step = async |path: &str, step: &str| {
            let tag = hub.get_as(&hub.token, path).await.header("etag").to_owned();
            let done = hub.write("POST", &format!("{path}/{step}"), Some(&tag), None).await;
            assert_eq!(done.status, 200, "{}", done.text);
        };
        let mut body = domain::sample::example("seminars");
        body["slug"] = "to-be-withdrawn".into();
        body["title"] = json!({"en": "Nobody's business"});
        let made = hub.write("POST", "/v1/seminars", None, Some(&body)).await.json();
        let id = made["id"].as_str().unwrap();
        let path = format!("/v1/seminars/{id}");
        let calendars = ["/v1/seminars.ics", "/v1/seminars.ics?country=FI&lang=ru"];
        let before = hub.get(calendars[0]).await;
        assert!(before.text.contains(&format!("UID:{id}@")), "{}", before.text);

        step(&path, "withdraw").await;
        let day = body["starts_on"].as_str().unwrap().replace('-', "");
        for (calendar, word) in calendars.into_iter().zip(["withdrawn", "отозвано"]) {
            let now = hub.get(calendar).await;
            assert_ne!(now.header("etag"), before.header("etag"));
            let read: Calendar = now.text.parse().unwrap();
            let uid = format!("{id}@hub.example.org");
            let event = read.events().find(|event| event.get_uid() == Some(&*uid)).unwrap();
            assert_eq!(event.property_value("STATUS"), Some("CANCELLED"));
            assert_eq!(event.property_value("SEQUENCE"), Some("2"));
            assert_eq!(event.property_value("DTSTART"), Some(&*day), "the day that it had");
            assert_eq!(event.get_summary(), Some(word));
            let told: Vec<_> = event.properties().keys().map(String::as_str).collect();
            let names = [
                "DTSTAMP",
                "DTSTART",
                "LAST-MODIFIED",
                "SEQUENCE",
                "STATUS",
                "SUMMARY",
                "TRANSP",
                "UID",
            ];
            assert_eq!(told, names);
            assert!(!now.text.contains("Nobody"), "{}", now.text);
        }
        // Who has subscribed to it alone is told the same, by its id as by its slug.
        let event = |calendar: &str| {
            let from = calendar.find(&format!("BEGIN:VEVENT\r\nUID:{id}@")).expect("the event");
            calendar[from..].split_once("END:VEVENT").expect("its end").0.to_owned()
        };
        let expected = event(&hub.get(calendars[0]).await.text);
        for address in [format!("{path}.ics"), "/v1/seminars/to-be-withdrawn.ics".to_owned()] {
            let own = hub.get(&address).await;
            assert_eq!(
                (own.status.as_u16(), event(&own.text)),
                (200, expected.clone()),
                "{address}"
            );
            assert!(own.text.parse::<Calendar>().is_ok() && !own.text.contains("Nobody"));
            let known = [("if-none-match", own.header("etag"))];
            assert_eq!(hub.send("GET", &address, &known, None).await.status, 304);
        }
        let russian = hub.get(&format!("{path}.ics?lang=ru")).await;
        assert!(russian.text.contains("SUMMARY:отозвано"), "{}", russian.text);
        // A slug that it has got since is nobody's business, nor is what was never public.
        let tag = hub.get_as(&hub.token, &path).await.header("etag").to_owned();
        let renamed = json!({"slug": "renamed-since"});
        let renamed = hub.write("PATCH", &path, Some(&tag), Some(&renamed)).await;
        assert_eq!(renamed.status, 200, "{}", renamed.text);
        body["slug"] = "never-public".into();
        let draft = hub.write_as(&hub.token, "POST", "/v1/seminars", None, Some(&body)).await;
        assert_eq!(draft.status, 201, "{}", draft.text);
        for slug in ["renamed-since", "never-public", "no-such"] {
            assert_eq!(hub.get(&format!("/v1/seminars/{slug}.ics")).await.status, 404, "{slug}");
        }
        assert_eq!(hub.get(&format!("/v1/study-visits/{id}.ics")).await.status, 404);
        assert_eq!(hub.get("/v1/seminars/to-be-withdrawn.ics").await.status, 200);
        let seen = hub.get_as(&hub.token, calendars[0]).await.text;
        assert_eq!(seen.matches(&format!("UID:{id}@")).count(), 1, "{seen}");
        assert!(!hub.get("/v1/study-visits.ics").await.text.contains("VEVENT"));

        // What comes back is there once, and what is deleted stays cancelled.
        step(&path, "reopen").await;
        let draft = hub.get(calendars[0]).await.text;
        assert!(draft.contains(&format!("UID:{id}@")) && !draft.contains("Nobody"), "{draft}");
        step(&path, "publish").await;
        let back = hub.get(calendars[0]).await.text;
        assert_eq!(back.matches(&format!("UID:{id}@")).count(), 1, "{back}");
        assert!(!back.contains("CANCELLED"), "{back}");
        let own = hub.get(&format!("{path}.ics")).await.text;
        assert!(own.contains("STATUS:CONFIRMED"), "{own}");
        let tag = hub.get(&path).await.header("etag").to_owned();
        assert_eq!(hub.write("DELETE", &path, Some(&tag), None).await.status, 204);
        let gone = hub.get(calendars[0]).await.text;
        assert_eq!(gone.matches(&format!("UID:{id}@")).count(), 1, "{gone}");
        assert!(gone.contains("STATUS:CANCELLED"), "{gone}");
        assert_eq!(event(&hub.get(&format!("{path}.ics")).await.text), event(&gone));
    });
}

#[test]
fn an_end_that_is_not_known_to_the_day_is_told_as_it_is_known() {
    on_each_database(async |hub| {
        let dates = json!({"ends_on": "2021-11", "citations": []});
        change(&hub, SEMINAR, dates).await;
        let read: Calendar = hub.get(&format!("{SEMINAR}.ics")).await.text.parse().unwrap();
        let event = read.events().next().unwrap();
        assert_eq!((event.get_start(), event.get_end()), (Some(day(4).into()), None));
        let about = event.get_description().unwrap();
        assert!(about.starts_with("2021-11-04 – 2021-11\n\nEcosystems"), "{about}");
        let summary = async || {
            let feed: atom_syndication::Feed =
                hub.get("/v1/seminars.atom").await.text.parse().unwrap();
            feed.entries[0].summary.clone().unwrap().value
        };
        let told = summary().await;
        assert!(told.starts_with("2021-11-04 – 2021-11\n\n"), "{told}");
        // Where no end is known none is told, and one that is has its place.
        for (end, told) in
            [(Value::Null, "2021-11-04\n\n"), (json!("2021-11-05"), "2021-11-04 – 2021-11-05\n\n")]
        {
            change(&hub, SEMINAR, json!({"ends_on": end})).await;
            let calendar: Calendar = hub.get(&format!("{SEMINAR}.ics")).await.text.parse().unwrap();
            let event = calendar.events().next().unwrap();
            assert!(event.get_description().unwrap().starts_with("Ecosystems"));
            let summary = summary().await;
            assert!(summary.starts_with(told), "{summary}");
        }
    });
}

#[test]
fn a_calendar_forgets_what_it_never_held_and_what_has_long_been_gone() {
    on_each_database_without_memory(async |hub| {
        let withdrawn = async |slug: &str, starts_on: Value| {
            let mut body = domain::sample::example("seminars");
            body["slug"] = slug.into();
            body["starts_on"] = starts_on;
            body["ends_on"] = Value::Null;
            let made = hub.write("POST", "/v1/seminars", None, Some(&body)).await;
            assert_eq!(made.status, 201, "{}", made.text);
            let path = format!("/v1/seminars/{}", made.json()["id"].as_str().unwrap());
            let tag = hub.get(&path).await.header("etag").to_owned();
            let done = hub.write("POST", &format!("{path}/withdraw"), Some(&tag), None).await;
            assert_eq!(done.status, 200, "{}", done.text);
            path
        };
        let off = async || hub.get("/v1/seminars.ics").await.text.matches("CANCELLED").count();
        for (slug, month) in [("in-a-month", json!("2022-03")), ("at-no-time", Value::Null)] {
            let path = withdrawn(slug, month).await;
            assert_eq!(hub.get(&format!("{path}.ics")).await.status, 404, "{slug}");
        }
        assert_eq!(off().await, 0);
        let path = withdrawn("on-a-day", json!("2022-03-01")).await;
        assert_eq!((off().await, hub.get(&format!("{path}.ics")).await.status.as_u16()), (1, 200));
        hub.sql("UPDATE change SET at = '2024-11-01T00:00:00+00:00' WHERE operation = 'withdraw'")
            .await;
        change(&hub, SEMINAR, json!({"status": "cancelled"})).await;
        assert_eq!(off().await, 1, "the seminar that is there");
        assert_eq!(hub.get(&format!("{path}.ics")).await.status, 404);
    });
}

#[test]
fn a_study_visit_without_a_title_is_called_by_the_words_of_the_figures() {
    on_each_database(async |hub| {
        let visit = "/v1/study-visits/study-visit-korea-2022";
        change(&hub, visit, json!({"starts_on": "2022-09-20"})).await;
        for (language, label) in [
            ("en", "Study visit: South Korea"),
            ("ru", "Ознакомительный визит: Республика Корея"),
            ("ko", "연수 방문: 대한민국"),
        ] {
            let event = hub.get(&format!("{visit}.jsonld?lang={language}")).await.json();
            assert_eq!(event["name"], label);
            let calendar = hub.get(&format!("/v1/study-visits.ics?lang={language}")).await.text;
            let summary = format!("\r\nSUMMARY:{label}\r\n");
            assert!(calendar.replace("\r\n ", "").contains(&summary), "{calendar}");
        }
    });
}

#[test]
fn linked_data_does_not_say_in_which_country_a_stop_was() {
    on_each_database(async |hub| {
        change(&hub, "/v1/organisations/undp", json!({"country": "US"})).await;
        let visit = "/v1/study-visits/study-visit-korea-2022";
        change(&hub, visit, json!({"stops": [{"organisation_id": "undp"}]})).await;
        let event = hub.get(&format!("{visit}.jsonld")).await.json();
        assert_eq!(event["location"]["address"]["addressCountry"], "KR");
        let name = &event["subEvent"][0]["name"];
        assert_eq!(event["subEvent"][0]["location"], json!({"@type": "Place", "name": name}));
    });
}

#[test]
fn linked_data_can_stand_in_a_page_whatever_its_texts_say() {
    on_each_database(async |hub| {
        let title = "</script><script>alert(1)</script>";
        change(&hub, SEMINAR, json!({"title": {"en": title}})).await;
        for path in [format!("{SEMINAR}.jsonld"), "/v1/seminars.jsonld".to_owned()] {
            let told = hub.get(&path).await;
            assert!(!told.text.contains('<'), "{}", told.text);
            assert!(told.json().to_string().contains(title), "{}", told.text);
        }
    });
}

#[test]
fn a_calendar_names_the_address_of_an_online_event_and_not_what_it_is_made_of() {
    on_each_database(async |hub| {
        let url = "https://example.org/room";
        change(&hub, SEMINAR, json!({"venue": {"online_url": url}})).await;
        let text = hub.get(&format!("{SEMINAR}.ics")).await.text;
        assert!(text.contains(&format!("\r\nCONFERENCE;VALUE=URI:{url}\r\n")), "{text}");
    });
}

#[test]
fn linked_data_of_a_list_costs_the_same_queries_whatever_is_in_it() {
    on_each_database_without_memory(async |hub: Hub| {
        let few = hub.queries_of("/v1/seminars.jsonld").await.len();
        let mut body = domain::sample::example("seminars");
        for number in 2..=12 {
            body["slug"] = format!("seminar-{number}").into();
            body["ordinal"] = number.into();
            let reply = hub.write("POST", "/v1/seminars", None, Some(&body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        let many = hub.queries_of("/v1/seminars.jsonld").await;
        assert_eq!(few, many.len(), "{many:#?}");
    });
}

#[test]
fn a_list_of_more_events_than_are_held_at_once_has_each_of_them_once() {
    on_each_database(async |hub: Hub| {
        let example = domain::sample::example("seminars");
        let seminar = |number: usize| {
            let mut body = example.clone();
            body["slug"] = format!("seminar-{number}").into();
            body["ordinal"] = number.into();
            body
        };
        let mut seminars: Vec<_> = (2..=601).map(seminar).collect();
        seminars[300]["title"] = json!({"en": "Seminar", "ru": "Семинар"});
        hub.import(json!({"records": {"seminars": seminars}})).await;

        let calendar: Calendar = hub.get("/v1/seminars.ics").await.text.parse().unwrap();
        let ids: BTreeSet<_> = calendar.events().filter_map(|event| event.get_uid()).collect();
        assert_eq!((calendar.events().count(), ids.len()), (601, 601));

        let reply = hub.get("/v1/seminars.jsonld?sort=-ordinal&lang=ru").await;
        assert_eq!(reply.header("content-language"), "en, ru");
        let graph = reply.json();
        let events = graph["@graph"].as_array().unwrap();
        let ids: BTreeSet<_> = events.iter().map(|event| event["@id"].as_str().unwrap()).collect();
        assert_eq!((events.len(), ids.len()), (601, 601));
        let told = |event: &Value| [&event["organizer"], &event["about"]].map(Value::clone);
        assert!(events.iter().all(|event| told(event) == told(&events[0])));
        assert_eq!(events[600]["subEvent"].as_array().unwrap().len(), 10, "the first is the last");
        assert_eq!(events[0].get("subEvent"), None);
    });
}

#[test]
fn each_list_of_events_has_a_tag_of_its_own() {
    on_each_database(async |hub| {
        let mut tags = BTreeSet::new();
        for asked in ["seminars.ics", "seminars.jsonld", "study-visits.ics"] {
            for query in ["", "?lang=ru", "?country=KZ", "?upcoming=false"] {
                let reply = hub.get(&format!("/v1/{asked}{query}")).await;
                let tag = reply.header("etag").to_owned();
                assert!(!tag.is_empty() && tags.insert(tag), "{asked}{query}");
            }
        }
    });
}

#[test]
fn a_feed_has_what_was_changed_last_first() {
    on_each_database(async |hub| {
        let mut body = domain::sample::example("seminars");
        for number in 2..=3 {
            body["slug"] = format!("seminar-{number}").into();
            body["title"] = json!({"en": format!("Number {number} <&>")});
            hub.write("POST", "/v1/seminars", None, Some(&body)).await;
        }
        change(&hub, "/v1/seminars/seminar-2", json!({"status": "cancelled"})).await;
        let reply = hub.get("/v1/seminars.atom?status=held,cancelled").await;
        assert_eq!(reply.header("content-type"), "application/atom+xml; charset=utf-8");
        let feed: atom_syndication::Feed = reply.text.parse().unwrap();
        let titles: Vec<_> = feed.entries.iter().map(|entry| entry.title.value.as_str()).collect();
        assert_eq!(titles[..2], ["Number 2 <&>", "Number 3 <&>"]);
        assert_eq!(titles.len(), 3);
        assert_eq!(feed.updated, feed.entries[0].updated);
        assert!(feed.entries.iter().all(|entry| entry.id.starts_with("urn:uuid:")));
        let topics: Vec<_> = feed.entries[2].categories.iter().collect();
        let known = hub.get(SEMINAR).await.json()["topics"].clone();
        assert_eq!(json!(topics.iter().map(|one| &*one.term).collect::<Vec<_>>()), known);
        assert!(
            topics
                .iter()
                .any(|one| one.label.as_deref() == Some("Digitalisation of public services"))
        );
        // What is empty is as new as what might have been in it, and not of 1970.
        let empty: atom_syndication::Feed =
            hub.get("/v1/seminars.atom?country=FJ").await.text.parse().unwrap();
        assert!(empty.entries.is_empty() && empty.updated >= feed.updated, "{}", empty.updated);
        let own = feed.links.iter().find(|link| link.rel == "self").unwrap();
        assert_eq!(own.href, "https://hub.example.org/v1/seminars.atom?status=held,cancelled");
    });
}

#[test]
fn feeds_take_the_filters_of_the_list_and_the_language_and_nothing_else() {
    on_each_database(async |hub| {
        let none = hub.get("/v1/seminars.ics?country=UZ").await;
        assert!(!none.text.contains("VEVENT"));
        let some = hub.get("/v1/seminars.ics?country=KZ,UZ&sort=-starts_on").await;
        assert!(some.text.contains("VEVENT"));
        change(&hub, SEMINAR, json!({"title": {"en": "Seminar", "ru": "Семинар"}})).await;
        let russian = hub.get("/v1/seminars.ics?lang=ru").await;
        assert!(russian.text.contains("SUMMARY:Семинар"), "{}", russian.text);
        for (asked, language, title) in
            [("", "en", "Seminar"), ("?lang=ru", "ru", "Семинар"), ("?lang=ko", "en", "Seminar")]
        {
            let feed: atom_syndication::Feed =
                hub.get(&format!("/v1/seminars.atom{asked}")).await.text.parse().unwrap();
            let told = &feed.entries[0].title;
            assert_eq!((told.lang.as_deref(), &*told.value), (Some(language), title));
        }
        assert!(russian.header("content-language").contains("ru"));
        for path in [
            "/v1/seminars.ics?limit=5",
            "/v1/seminars.jsonld?cursor=x",
            "/v1/seminars.atom?sort=title",
            "/v1/seminars.atom?include=project",
            "/v1/seminars/first-seminar-2021.ics?country=KZ",
            "/v1/seminars/first-seminar-2021/readiness?lang=ru",
            "/v1/dump.zip?x=1",
        ] {
            let reply = hub.get(path).await;
            assert_eq!(reply.status, 400, "{path}");
            assert_eq!(reply.faults()[0].1, "unknown_parameter", "{path}");
        }
        for path in
            ["/v1/seminars/none.ics", "/v1/seminars/none.jsonld", "/v1/seminars/none/readiness"]
        {
            assert_eq!(hub.get(path).await.status, 404, "{path}");
        }
        let allow = |reply: crate::harness::Reply| reply.header("allow").to_owned();
        assert_eq!(
            allow(hub.send("POST", "/v1/seminars.ics", &[], None).await),
            "GET, HEAD, OPTIONS"
        );
        assert_eq!(
            allow(hub.send("PUT", &format!("{SEMINAR}.ics"), &[], None).await),
            "GET, HEAD, OPTIONS"
        );
        let record = hub.send("POST", SEMINAR, &[], None).await;
        assert_eq!(allow(record), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
    });
}

#[test]
fn the_same_records_give_the_same_bytes_until_they_change() {
    on_each_database(async |hub| {
        let mut seen = Vec::new();
        for path in ADDRESSES {
            let (one, tag) = bytes(&hub, path).await;
            assert_eq!((&one, &tag), (&bytes(&hub, path).await.0, &tag), "{path}");
            let again = hub.send("GET", path, &[("if-none-match", &tag)], None).await;
            assert_eq!(again.status, 304, "{path}");
            assert!(again.text.is_empty());
            assert!(again.header("cache-control").starts_with("public"), "{path}");
            seen.push((path, one, tag));
        }
        let venue = json!({"country": "KZ"});
        change(&hub, SEMINAR, json!({"venue": venue})).await;
        let visit = "/v1/study-visits/study-visit-korea-2022";
        change(&hub, visit, json!({"title": {"en": "Visit"}, "starts_on": "2022-05-02"})).await;
        for (path, old, tag) in seen {
            let (new, new_tag) = bytes(&hub, path).await;
            assert_ne!(old, new, "{path}");
            assert_ne!(tag, new_tag, "{path}");
            let again = hub.send("GET", path, &[("if-none-match", &tag)], None).await;
            assert_eq!(again.status, 200, "{path}");
        }
    });
}

async fn bytes(hub: &Hub, path: &str) -> (Vec<u8>, String) {
    let reply = hub.client.get(format!("{}{path}", hub.url)).send().await.unwrap();
    assert_eq!(reply.status(), 200, "{path}");
    let tag = reply.headers()["etag"].to_str().unwrap().to_owned();
    (reply.bytes().await.unwrap().to_vec(), tag)
}

#[test]
fn no_form_has_words_for_what_is_not_known() {
    on_each_database(async |hub| {
        for path in ADDRESSES.into_iter().filter(|path| !path.ends_with("zip")) {
            let text = hub.get(path).await.text.to_lowercase();
            for word in ["unknown", "no address", "null"] {
                assert!(!text.contains(word), "{path} has {word}: {text}");
            }
        }
    });
}

#[test]
fn the_archive_holds_every_public_record_and_its_sums_are_right() {
    on_each_database(async |hub| {
        let title = json!({"en": "=1+1", "uz": "Seminar; \"birinchi\""});
        change(&hub, SEMINAR, json!({"title": title})).await;
        let (archive, _) = bytes(&hub, "/v1/dump.zip").await;
        let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
        let mut file = |name: &str| {
            let mut content = Vec::new();
            archive.by_name(name).unwrap().read_to_end(&mut content).unwrap();
            String::from_utf8(content).unwrap()
        };
        let package: Value = serde_json::from_str(&file("datapackage.json")).unwrap();
        let resources = package["resources"].as_array().unwrap();
        assert_eq!(resources.len(), 36, "each of the seventeen collections twice, and countries");
        let changes = hub.get("/v1/changes?resource=seminars").await.json();
        let last = changes["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(package["created"], last["at"], "as of the last change");
        let mut sums = Vec::new();
        for resource in resources {
            let path = resource["path"].as_str().unwrap();
            let content = file(path);
            let sum = resource["hash"].as_str().unwrap().strip_prefix("sha256:").unwrap();
            assert_eq!(sum, hex(&Sha256::digest(&content)), "{path}");
            assert_eq!(resource["bytes"], content.len(), "{path}");
            sums.push(format!("{sum}  {path}"));
        }
        let told = file("checksums.txt");
        assert_eq!(told.lines().take(36).collect::<Vec<_>>(), sums);

        let lines = file("data/organisations.ndjson");
        let mut ids: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
            .collect();
        assert_eq!(ids.len(), 20);
        let told = ids.clone();
        ids.sort_by_key(ToString::to_string);
        assert_eq!(told, ids, "in the order of their ids");
        let record: Value = serde_json::from_str(&file("data/seminars.ndjson")).unwrap();
        assert_eq!(record, hub.get(SEMINAR).await.json());

        let countries = resources.iter().find(|one| one["path"] == "data/countries.csv").unwrap();
        assert_eq!(countries["schema"]["primaryKey"], "code");
        assert_eq!(file("data/countries.csv"), hub.get("/v1/countries.csv").await.text);

        let rows = file("data/seminars.csv");
        let header: Vec<_> = rows.lines().next().unwrap().split(',').collect();
        let seminars = resources.iter().find(|one| one["path"] == "data/seminars.csv").unwrap();
        let fields = seminars["schema"]["fields"].as_array().unwrap();
        let names: Vec<_> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
        assert_eq!(header, names);
        let about = |name: &str| {
            let field = fields.iter().find(|field| field["name"] == name).unwrap();
            field["description"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!(
            about("revision"),
            "Counts the changes made to the record, from 1; the ETag begins with it."
        );
        assert_eq!(about("starts_on"), "The first day.");
        assert_eq!(about("theme.ru"), "What it is about. In the language ru.");
        let silent: Vec<_> = resources
            .iter()
            .flat_map(|one| one["schema"]["fields"].as_array().into_iter().flatten())
            .filter(|field| field["description"].as_str().is_none_or(str::is_empty))
            .collect();
        assert_eq!(silent, Vec::<&Value>::new(), "each column is described");
        assert!(package["description"].as_str().unwrap().contains("apostrophe"));
        assert!(rows.contains(",'=1+1,"), "no formula: {rows}");
        assert!(rows.contains("\"uz: Seminar\\; \"\"birinchi\"\"\""), "{rows}");
    });
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn a_feed_holds_only_what_its_words_are_found_in() {
    on_each_database(async |hub| {
        for form in ["atom", "ics", "jsonld"] {
            let found = hub.get(&format!("/v1/seminars.{form}?q=governance")).await;
            assert!(found.text.contains("Seminar 1"), "{form}: {}", found.text);
            let none = hub.get(&format!("/v1/seminars.{form}?q=nowhere")).await;
            assert_eq!(none.status, 200, "{form}");
            assert!(!none.text.contains("Seminar 1"), "{form}: {}", none.text);
        }
    });
}
