//! The sheet of what was held.
use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use serde_json::{Value, json};

use crate::harness::{Hub, on_each_database};

const ALL: &str = "/v1/activities.ndjson";

async fn rows(hub: &Hub, path: &str) -> Vec<Value> {
    let reply = hub.get(path).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn create(hub: &Hub, collection: &str, body: Value) {
    let reply = hub.write("POST", &format!("/v1/{collection}"), None, Some(&body)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
}

fn seminar(slug: &str, starts_on: &Value) -> Value {
    json!({
        "slug": slug, "project_id": "governance-innovation-and-digitalisation", "kind": "workshop",
        "title": {"en": slug, "ru": format!("{slug} по-русски")}, "status": "planned",
        "starts_on": starts_on,
    })
}

#[test]
fn the_year_of_the_first_seminar_is_one_row_with_all_that_is_known_and_nothing_else() {
    on_each_database(async |hub| {
        let record = hub.get("/v1/seminars/first-seminar-2021").await.json();
        let found = rows(&hub, &format!("{ALL}?year=2021")).await;
        let expected = json!({
            "title": "Seminar 1: Capacity building seminars on Governance Innovation and Digitalisation",
            "kind": "seminar", "status": "held", "format": null,
            "project": "Capacity Building for Innovations in Governance and Digitalization of Public Services",
            "funding": ["Government of the Republic of Korea"],
            "organisers": [
                "Government of the Republic of Korea", "United Nations Development Programme",
                "Astana Civil Service Hub",
            ],
            "hosts": [], "sponsors": [], "partners": [],
            "series": "Capacity building seminars on Governance Innovation and Digitalisation",
            "starts_on": "2021-11-04", "ends_on": "2021-11-05", "days": 2,
            "place": null, "host_country": null,
            "participants": 70, "participants_qualifier": "more_than", "speakers": 10,
            "countries": ["KZ", "KG", "TJ", "AM", "AZ", "GE", "EE", "FI", "KR"],
            "country_count": 12, "country_count_qualifier": "exact",
            "participating_country_count": 7, "participating_country_count_qualifier": "exact",
            "presentations": 10,
            "url": format!("https://hub.example.org/v1/seminars/{}", record["id"].as_str().unwrap()),
        });
        assert_eq!(found, [expected]);
        for other in ["2020", "2022"] {
            assert!(rows(&hub, &format!("{ALL}?year={other}")).await.is_empty(), "{other}");
        }
    });
}

#[test]
fn who_gives_the_place_pays_or_helps_is_not_told_to_organise() {
    on_each_database(async |hub| {
        let held = [
            ("undp", "co_organiser"),
            ("acsh", "host"),
            ("government-of-korea", "sponsor"),
            ("undp", "partner"),
        ];
        let mut body = seminar("held-by-many", &json!("2023-01-10"));
        body["organisers"] =
            held.map(|(who, role)| json!({"organisation_id": who, "role": role})).into();
        create(&hub, "seminars", body).await;
        let row = &rows(&hub, &format!("{ALL}?year=2023")).await[0];
        let undp = "United Nations Development Programme";
        for (column, who) in [
            ("organisers", undp),
            ("hosts", "Astana Civil Service Hub"),
            ("sponsors", "Government of the Republic of Korea"),
            ("partners", undp),
        ] {
            assert_eq!(row[column], json!([who]), "{column}");
        }
    });
}

#[test]
fn a_study_visit_stands_beside_the_seminars_with_what_it_has() {
    on_each_database(async |hub| {
        let found = rows(&hub, ALL).await;
        assert_eq!(found.len(), 2);
        let visit = &found[1];
        assert_eq!(visit["kind"], "study_visit");
        assert_eq!(visit["host_country"], "KR");
        assert_eq!([&visit["participants"], &visit["participating_country_count"]], [20, 7]);
        assert_eq!([&visit["presentations"], &visit["speakers"]], [&Value::Null, &Value::Null]);
        assert!(rows(&hub, &format!("{ALL}?year=2022")).await.is_empty(), "its year is not known");
    });
}

#[test]
fn activities_come_by_their_first_day_whichever_kind_they_are() {
    on_each_database(async |hub| {
        for (slug, starts_on) in
            [("late", json!("2022-06")), ("early", json!("2020-02-01")), ("some-day", json!(null))]
        {
            create(&hub, "seminars", seminar(slug, &starts_on)).await;
        }
        let visit = json!({
            "slug": "between", "project_id": "governance-innovation-and-digitalisation",
            "title": {"en": "between"}, "host_country": "KR", "status": "held",
            "starts_on": "2022-05-31", "ends_on": "2022-06-02", "countries": [
                {"country": "KZ", "role": "participating"}, {"country": "KZ", "role": "expert"},
            ],
        });
        create(&hub, "study-visits", visit).await;
        let titles = async |query: &str| {
            let found = rows(&hub, &format!("{ALL}{query}")).await;
            let short = |row: &Value| row["title"].as_str().unwrap().chars().take(9).collect();
            found.iter().map(short).collect::<Vec<String>>()
        };
        let mut all = titles("").await;
        // What is of no known day has the order in which it was made.
        let undated = all.split_off(4);
        assert_eq!(all, ["early", "Seminar 1", "between", "late"]);
        assert_eq!(undated, ["Study vis", "some-day"]);
        assert_eq!(titles("?year=2022").await, ["between", "late"]);
        assert_eq!(titles("?year=2022&starts_on_gte=2022-06-01").await, ["late"]);
        assert_eq!(titles("?year=2022&starts_on_lt=2022-06-01").await, ["between"]);
        assert_eq!(titles("?starts_on_lt=2022-01-01").await, ["early", "Seminar 1"]);
        assert_eq!(titles("?status=held").await, ["Seminar 1", "between", "Study vis"]);
        assert_eq!(titles("?country=KZ").await, ["Seminar 1", "between"]);
        let visit = &rows(&hub, &format!("{ALL}?year=2022")).await[0];
        assert_eq!((&visit["days"], &visit["countries"]), (&json!(3), &json!(["KZ"])));
    });
}

#[test]
fn a_sheet_of_many_is_read_in_parts_and_loses_none() {
    on_each_database(async |hub| {
        let seminars: Vec<_> = (0..230)
            .map(|number| {
                seminar(
                    &format!("talk-{number:03}"),
                    &json!(format!("2030-{:02}", number % 12 + 1)),
                )
            })
            .collect();
        hub.import(json!({"records": {"seminars": seminars}})).await;
        let found = rows(&hub, &format!("{ALL}?year=2030")).await;
        let days: Vec<_> = found.iter().map(|row| row["starts_on"].as_str().unwrap()).collect();
        assert!(days.is_sorted(), "{days:?}");
        let mut titles: Vec<_> = found.iter().map(|row| row["title"].as_str().unwrap()).collect();
        titles.sort_unstable();
        let expected: Vec<_> = (0..230).map(|number| format!("talk-{number:03}")).collect();
        assert_eq!(titles, expected);
        // Up to a hundred of them take the same questions.
        let few = hub.queries_of(&format!("{ALL}?year=2030&starts_on_lt=2030-02-01")).await;
        let more = hub.queries_of(&format!("{ALL}?year=2030&starts_on_lt=2030-06-01")).await;
        assert_eq!(few.len(), more.len(), "{few:#?} {more:#?}");
    });
}

#[test]
fn what_is_not_public_is_in_the_sheet_of_nobody() {
    on_each_database(async |hub| {
        let body = seminar("hidden", &json!("2024"));
        let draft = hub.write_as(&hub.token, "POST", "/v1/seminars", None, Some(&body)).await;
        assert_eq!((draft.status.as_u16(), &draft.json()["state"]), (201, &json!("draft")));
        let all = format!("{ALL}?year=2024");
        assert!(rows(&hub, &all).await.is_empty());
        let staff = hub.get_as(&hub.token("viewer", &[]).await, &all).await;
        assert_eq!(
            (staff.status.as_u16(), &*staff.text),
            (200, ""),
            "who sees drafts has the same sheet"
        );
    });
}

#[test]
fn the_sheet_is_in_one_language_and_its_header_in_none() {
    on_each_database(async |hub| {
        create(&hub, "seminars", seminar("opening", &json!("2023-01"))).await;
        let fields = "year=2023&fields=title,kind,starts_on,days,countries";
        let reply = hub.get(&format!("/v1/activities.csv?{fields}&lang=ru")).await;
        let expected = "title,kind,starts_on,days,countries\r\n\
            opening по-русски,workshop,2023-01,,\r\n";
        assert_eq!(reply.text, expected);
        assert_eq!(reply.header("content-language"), "en, ru", "what has no Russian is in English");
        let named = "attachment; filename=\"activities.csv\"";
        assert_eq!(reply.header("content-disposition"), named);
        let english = hub.get(&format!("/v1/activities.csv?{fields}")).await.text;
        assert!(english.contains("opening,workshop"), "{english}");
    });
}

#[test]
fn a_workbook_has_the_same_rows_with_numbers_as_numbers() {
    on_each_database(async |hub| {
        let file = hub.bytes("/v1/activities.xlsx?year=2021").await;
        let mut book = Xlsx::new(Cursor::new(file)).unwrap();
        let sheet = book.worksheet_range("activities").unwrap();
        let header: Vec<_> = sheet.rows().next().unwrap().iter().map(Data::to_string).collect();
        let csv = hub.get("/v1/activities.csv?year=2021").await.text;
        assert_eq!(header.join(","), csv.lines().next().unwrap());
        let cell = |name| {
            let column = header.iter().position(|one| one == name).unwrap();
            sheet.get((1, column)).cloned().unwrap()
        };
        assert_eq!(sheet.height(), 2);
        assert_eq!(cell("participants"), Data::Float(70.0));
        assert_eq!(cell("starts_on"), Data::String("2021-11-04".into()));
        assert_eq!(cell("place"), Data::Empty);
    });
}

#[test]
fn a_sheet_keeps_its_tag_until_something_in_it_changes() {
    on_each_database(async |hub| {
        let path = format!("{ALL}?year=2021");
        let tag = hub.get(&path).await.header("etag").to_owned();
        assert_eq!(hub.get_from(&hub.url, &path, Some(&tag)).await.status, 304);
        let project = "/v1/projects/governance-innovation-and-digitalisation";
        let known = hub.get(project).await.header("etag").to_owned();
        let title = json!({"title": {"en": "Another title"}});
        assert_eq!(hub.write("PATCH", project, Some(&known), Some(&title)).await.status, 200);
        let again = hub.get_from(&hub.url, &path, Some(&tag)).await;
        assert_eq!(again.status, 200);
        assert!(again.text.contains("\"project\":\"Another title\""), "{}", again.text);
    });
}

#[test]
fn what_the_sheet_cannot_be_asked_for_is_refused() {
    on_each_database(async |hub| {
        for (query, parameter) in [
            ("year=21", "year"),
            ("year=2021,2022", "year"),
            ("sort=title", "sort"),
            ("limit=5", "limit"),
            ("kind=seminar", "kind"),
            ("fields=title.en", "fields"),
            ("starts_on_gte=2021", "starts_on_gte"),
        ] {
            let reply = hub.get(&format!("/v1/activities.csv?{query}")).await;
            let fault = reply.faults()[0].0.clone();
            assert_eq!((reply.status.as_u16(), fault.as_str()), (400, parameter), "{query}");
        }
        for path in ["/v1/activities.pdf", "/v1/activities"] {
            assert_eq!(hub.get(path).await.status, 404, "{path}");
        }
    });
}
