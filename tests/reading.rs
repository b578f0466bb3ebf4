//! What a partner's page asks for in one request.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::harness::{Hub, on_each_database, on_each_database_without_memory};

#[test]
fn related_records_come_along_each_once() {
    on_each_database(async |hub| {
        let path = "/v1/presentations?include=speakers,seminar,topics&limit=100";
        let page = hub.get(path).await.json();
        let included = page["included"].as_object().unwrap();
        let collections: Vec<_> = included.keys().collect();
        assert_eq!(collections, ["organisations", "people", "seminars", "topics"]);
        let count = |name: &str| included[name].as_array().unwrap().len();
        assert_eq!((count("people"), count("seminars")), (10, 1));
        for presentation in page["items"].as_array().unwrap() {
            let speaker = &presentation["speakers"][0]["person_id"];
            let people = included["people"].as_array().unwrap();
            assert_eq!(people.iter().filter(|person| person["id"] == *speaker).count(), 1);
        }
        assert_eq!(hub.get("/v1/presentations").await.json()["included"], Value::Null);
        let few = hub.queries_of("/v1/presentations?include=speakers,seminar&limit=1").await;
        let many = hub.queries_of("/v1/presentations?include=speakers,seminar&limit=10").await;
        assert_eq!(few.len(), many.len());
    });
}

#[test]
fn what_a_list_cannot_bring_is_refused() {
    on_each_database(async |hub| {
        for query in [
            "presentations?include=seminars",
            "presentations?include=citations,initiatives,materials,seminar,session,speakers",
            "presentations?include=",
        ] {
            let reply = hub.get(&format!("/v1/{query}")).await;
            let expected = ("include".to_owned(), "invalid_parameter".to_owned());
            assert_eq!((reply.status.as_u16(), reply.faults()), (400, vec![expected]), "{query}");
        }
    });
}

#[test]
fn each_text_comes_in_the_best_language_there_is() {
    on_each_database(async |hub| {
        let label = json!({"en": "Smart cities", "kk": "Ақылды қалалар", "ko": "스마트 시티"});
        let body = json!({"code": "smart-cities", "scheme": "own", "label": label});
        assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
        for (asked, language) in
            [("kk", "kk"), ("ru,ko", "ko"), ("kk-Cyrl", "kk"), ("ru", "en"), ("en", "en")]
        {
            let reply = hub.get(&format!("/v1/topics/smart-cities?lang={asked}")).await;
            assert_eq!(reply.json()["label"], json!({language: label[language]}), "{asked}");
            assert_eq!(reply.header("content-language"), language);
        }
        let whole = hub.get("/v1/topics/smart-cities").await;
        assert_eq!((&whole.json()["label"], whole.header("content-language")), (&label, ""));
        let kept = hub.get("/v1/topics/smart-cities?lang=ko").await;
        assert_ne!(kept.header("etag"), whole.header("etag"));
        // Reading in one language and writing what was read must not lose the others unseen.
        let patch = json!({"scheme": "own"});
        let tag = kept.header("etag");
        let patched = hub.write("PATCH", "/v1/topics/smart-cities", Some(tag), Some(&patch)).await;
        assert_eq!(patched.json()["label"], label);

        let list = hub.get("/v1/countries?code=KZ,KR&lang=ru").await;
        assert_eq!(list.json()["items"][1]["names"], json!({"ru": "Казахстан"}));
        assert_eq!(list.header("content-language"), "ru");
        for wrong in ["", "x", "ru,,en", "%D0%B0"] {
            assert_eq!(hub.get(&format!("/v1/topics?lang={wrong}")).await.status, 400, "{wrong}");
        }
    });
}

#[test]
fn the_next_page_keeps_the_language_and_what_comes_along() {
    on_each_database(async |hub| {
        let path = "/v1/presentations?include=seminar&lang=ru&limit=4";
        let first = hub.get(path).await;
        let next = first.header("link").strip_prefix('<').unwrap().split_once('>').unwrap().0;
        let second = hub.get(next).await;
        assert_eq!(second.json()["items"].as_array().unwrap().len(), 4);
        assert_eq!(second.json()["included"]["seminars"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn one_record_says_when_it_was_changed() {
    on_each_database(async |hub| {
        let reply = hub.get("/v1/seminars/first-seminar-2021").await;
        let told = reply.header("last-modified");
        assert!(told.starts_with("Thu, 01 Jan 2026 00:0"), "{told}");
    });
}

#[test]
fn the_whole_programme_comes_in_one_answer() {
    on_each_database(async |hub| {
        let reply = hub.get("/v1/seminars/first-seminar-2021/programme").await;
        let programme = reply.json();
        let days = programme["days"].as_array().unwrap();
        let dates: Vec<_> = days.iter().map(|day| day["date"].as_str().unwrap()).collect();
        assert_eq!(dates, ["2021-11-04", "2021-11-05"]);
        let talks = |day: &Value| -> Vec<Value> {
            let sessions = day["sessions"].as_array().unwrap().iter();
            sessions.flat_map(|one| one["presentations"].as_array().unwrap().clone()).collect()
        };
        assert_eq!((talks(&days[0]).len(), talks(&days[1]).len()), (4, 6));
        let speaker = &talks(&days[0])[0]["speakers"][0];
        assert_eq!(speaker["name"], "Kangtak Oh");
        assert_eq!(speaker["position"]["en"], "Vice President");
        assert_eq!(speaker["organisation"]["acronym"], "NIA");
        assert_eq!(speaker["country"]["name"]["ru"], "Республика Корея");
        assert!(!programme["sources"].as_array().unwrap().is_empty());
        assert_eq!(programme["seminar"]["venue"], Value::Null);
        let known = [("if-none-match", reply.header("etag"))];
        let path = "/v1/seminars/first-seminar-2021/programme";
        assert_eq!(hub.send("GET", path, &known, None).await.status, 304);
        assert_eq!(hub.get("/v1/seminars/no-such/programme").await.status, 404);
        assert_eq!(hub.get(&format!("{path}?x=1")).await.status, 400);
    });
}

#[test]
fn a_programme_costs_the_same_queries_whatever_is_in_it() {
    on_each_database_without_memory(async |hub: Hub| {
        let path = "/v1/seminars/first-seminar-2021/programme";
        let few = hub.queries_of(path).await;
        let mut body = domain::sample::example("presentations");
        for number in 1..=30 {
            body["slug"] = format!("more-{number}").into();
            let reply = hub.write("POST", "/v1/presentations", None, Some(&body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        let many = hub.queries_of(path).await;
        assert_eq!((few.len(), many.len()), (2, 2), "{many:?}");
    });
}

#[test]
fn the_talks_of_a_person_are_a_list_of_their_own() {
    on_each_database(async |hub| {
        let path = "/v1/people/kangtak-oh/presentations";
        let page = hub.get(&format!("{path}?with_total=true&include=seminar")).await.json();
        assert_eq!(page["total"], 1);
        let same = hub.get("/v1/presentations?speaker=kangtak-oh").await.json();
        assert_eq!(page["items"], same["items"]);
        assert_eq!(hub.get("/v1/people/nobody/presentations").await.status, 404);
        let refused = hub.get(&format!("{path}?speaker=kangtak-oh")).await;
        assert_eq!(refused.faults(), [("speaker".into(), "unknown_parameter".into())]);
    });
}

#[test]
fn a_country_tells_what_it_took_part_in() {
    on_each_database(async |hub| {
        let korea = hub.get("/v1/countries/KR").await.json();
        let part = &korea["participation"];
        assert_eq!(part["seminars"]["total"], 1);
        assert_eq!(part["seminars"]["latest"][0]["slug"], "first-seminar-2021");
        assert_eq!(part["seminars"]["latest"][0]["starts_on"], "2021-11-04");
        assert_eq!(part["seminars"]["all"], "/v1/seminars?country=KR");
        assert_eq!(part["presentations"]["total"], 2);
        // What is not known to begin yet is not the latest of all.
        let seminars: Vec<_> = (0..25)
            .map(|number| {
                json!({
                    "slug": format!("some-day-{number}"), "kind": "seminar", "status": "planned",
                    "project_id": "governance-innovation-and-digitalisation",
                    "starts_on": (number < 3).then(|| format!("2023-01-0{}", number + 1)),
                    "countries": [{"country": "KR", "role": "participating"}],
                })
            })
            .collect();
        hub.import(json!({"records": {"seminars": seminars}})).await;
        let part = &hub.get("/v1/countries/KR").await.json()["participation"]["seminars"];
        assert_eq!(part["total"], 26);
        let latest = part["latest"].as_array().unwrap();
        assert_eq!(latest.len(), 20);
        let begin: Vec<_> = latest[..5].iter().map(|one| one["starts_on"].as_str()).collect();
        let expected = ["2023-01-03", "2023-01-02", "2023-01-01", "2021-11-04"].map(Some);
        assert_eq!(begin, [&expected[..], &[None]].concat());
        let none = hub.get("/v1/countries/BR").await.json();
        assert_eq!(none["participation"]["seminars"]["latest"], json!([]));
    });
}

#[test]
fn a_list_counts_its_records_by_the_values_of_its_filters() {
    on_each_database_without_memory(async |hub| {
        let counts = |page: &Value, facet: &str| -> Vec<(String, i64)> {
            let values = page["facets"][facet].as_array().unwrap().iter();
            values
                .map(|one| {
                    (one["value"].as_str().unwrap().to_owned(), one["count"].as_i64().unwrap())
                })
                .collect()
        };
        let path = "/v1/presentations?facets=seminar,country,speaker,topic,language&limit=1";
        let page = hub.get(path).await.json();
        assert_eq!(counts(&page, "seminar"), [("first-seminar-2021".to_owned(), 10)]);
        assert_eq!(counts(&page, "speaker").len(), 10);
        assert_eq!(counts(&page, "language"), []);
        // What is counted is what the filter of that name finds.
        for facet in ["country", "speaker", "topic"] {
            let values = counts(&page, facet);
            assert!(values.is_sorted_by_key(|(value, count)| (-count, value.clone())));
            for (value, count) in values {
                let path = format!("/v1/presentations?{facet}={value}&limit=1&with_total=true");
                assert_eq!(hub.get(&path).await.json()["total"], count, "{path}");
            }
        }
        // The counts go with the filter in force, and not with the page.
        let some = hub.get("/v1/presentations?country=KR&facets=country,seminar").await.json();
        let of_korea = counts(&page, "country").into_iter().find(|(value, _)| value == "KR");
        assert_eq!(counts(&some, "seminar")[0].1, of_korea.unwrap().1);
        let sessions = hub.get("/v1/sessions?facets=day,kind").await.json();
        let days: Vec<_> = counts(&sessions, "day").into_iter().map(|(day, _)| day).collect();
        assert_eq!(days.len(), 2);
        assert!(days.iter().all(|day| ["1", "2"].contains(&day.as_str())), "{days:?}");
        assert_eq!(hub.get("/v1/presentations").await.json()["facets"], Value::Null);
        let refused = hub.get("/v1/presentations?facets=title").await;
        assert_eq!(refused.faults(), [("facets".to_owned(), "invalid_parameter".to_owned())]);
        let few = hub.queries_of("/v1/presentations?facets=country,topic,speaker&limit=1").await;
        // One looks how many there are to be counted, and one is for the page.
        assert_eq!(few.len(), 6);
    });
}

#[test]
fn seminars_are_found_by_who_spoke_who_had_a_part_and_whether_they_are_over() {
    on_each_database(async |hub| {
        let first = hub.get("/v1/seminars/first-seminar-2021").await.json();
        for (slug, days) in [
            ("over-yesterday", json!({"starts_on": "2025-12-30", "ends_on": "2025-12-31"})),
            ("on-today", json!({"starts_on": "2025-12-31", "ends_on": "2026-01-01"})),
            ("this-year", json!({"starts_on": "2026"})),
            ("some-november", json!({"starts_on": "XXXX-11-04"})),
        ] {
            let mut body = days;
            body["slug"] = slug.into();
            body["project_id"] = first["project_id"].clone();
            body["kind"] = "workshop".into();
            body["status"] = "planned".into();
            let reply = hub.write("POST", "/v1/seminars", None, Some(&body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        for (query, slugs) in [
            ("upcoming=true", &["on-today", "this-year"][..]),
            ("past=true", &["first-seminar-2021", "over-yesterday"]),
            ("upcoming=true&past=true", &[]),
            ("upcoming=false", &["first-seminar-2021", "over-yesterday", "some-november"]),
            ("past=false", &["on-today", "some-november", "this-year"]),
            ("speaker=kangtak-oh", &["first-seminar-2021"]),
            ("speaker=nobody", &[]),
            ("organisation=undp", &["first-seminar-2021"]),
            ("organisation=ge-dea", &["first-seminar-2021"]),
            ("organisation=undp&kind=workshop", &[]),
            ("kind=workshop&past=true", &["over-yesterday"]),
        ] {
            let page = hub.get(&format!("/v1/seminars?{query}")).await;
            assert_eq!(page.status, 200, "{}", page.text);
            let page = page.json();
            let items = page["items"].as_array().unwrap().iter();
            let mut found: Vec<_> = items.map(|one| one["slug"].as_str().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(found, slugs, "{query}");
        }
        let people = hub.get("/v1/people?seminar=first-seminar-2021&with_total=true").await.json();
        assert_eq!(people["total"], 10);
        assert_eq!(hub.get("/v1/seminars?upcoming=soon").await.status, 400);
    });
}

#[test]
fn a_place_that_was_made_up_is_refused_whatever_stands_in_it() {
    on_each_database(async |hub| {
        for path in [
            "/v1/people?limit=1",
            "/v1/people?limit=1&sort=-name&q=a",
            "/v1/people?limit=1&q=a",
            "/v1/presentations?limit=1&q=a&sort=order",
            "/v1/presentations?limit=1",
            "/v1/statements?limit=1",
            "/v1/search?limit=1&q=a",
            "/v1/countries?limit=1",
        ] {
            let page = hub.get(path).await.json();
            let cursor = page["next_cursor"].as_str().unwrap_or_else(|| panic!("{path}: {page}"));
            let read = URL_SAFE_NO_PAD.decode(cursor).unwrap();
            let (print, place): (Value, Vec<Value>) = serde_json::from_slice(&read).unwrap();
            for at in 0..place.len() {
                for other in
                    [json!("a\u{0}b"), json!(null), json!({"a": 1}), json!([1.5]), json!(true)]
                {
                    let mut place = place.clone();
                    place[at] = other;
                    let made_up = URL_SAFE_NO_PAD.encode(json!([print, place]).to_string());
                    let reply = hub.get(&format!("{path}&cursor={made_up}")).await;
                    // Of countries nothing is asked of a database, and what is no code comes before all.
                    let code = reply.json()["code"].clone();
                    let fits = code == "invalid_cursor" || path.starts_with("/v1/countries");
                    assert!(fits, "{path} with {place:?}: {}", reply.text);
                    assert!(!reply.status.is_server_error(), "{path} with {place:?}");
                }
            }
        }
    });
}

#[test]
fn a_place_by_a_day_is_a_day_as_the_registry_writes_it() {
    on_each_database(async |hub| {
        let path = "/v1/documents?limit=1&sort=published_on";
        let page = hub.get(path).await.json();
        let read = URL_SAFE_NO_PAD.decode(page["next_cursor"].as_str().unwrap()).unwrap();
        let (print, place): (Value, Vec<Value>) = serde_json::from_slice(&read).unwrap();
        for (day, status) in [
            ("2021-11-04", 200),
            ("9999-12-31", 200),
            ("-9999-01-01", 400),
            ("+12021-01-01", 400),
            ("262142-01-01", 400),
            ("2021-1-1", 400),
        ] {
            let place = [json!(day), place[1].clone()];
            let made_up = URL_SAFE_NO_PAD.encode(json!([print, place]).to_string());
            let reply = hub.get(&format!("{path}&cursor={made_up}")).await;
            assert_eq!(reply.status, status, "{day}: {}", reply.text);
        }
    });
}

#[test]
fn a_text_is_found_in_any_tag_of_a_language_however_that_is_written() {
    on_each_database(async |hub| {
        let label = json!({"pt-BR": "Cidades", "zh-Hant": "城市", "en-GB": "Cities"});
        let body = json!({"code": "cities", "scheme": "own", "label": label});
        assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
        for (asked, language) in [
            ("en", "en-GB"),
            ("en-US", "en-GB"),
            ("fr", "en-GB"),
            ("zh-TW", "zh-Hant"),
            ("PT-br", "pt-BR"),
            ("ru,ZH", "zh-Hant"),
        ] {
            let reply = hub.get(&format!("/v1/topics/cities?lang={asked}")).await;
            assert_eq!(reply.json()["label"], json!({language: label[language]}), "{asked}");
            assert_eq!(reply.header("content-language"), language);
        }
        let languages = json!({"languages": ["pt-BR"]});
        let path = "/v1/seminars/first-seminar-2021";
        let tag = hub.get(path).await.header("etag").to_owned();
        assert_eq!(hub.write("PATCH", path, Some(&tag), Some(&languages)).await.status, 200);
        for asked in ["pt-BR", "pt-br", "PT-BR,EN"] {
            let found = hub.get(&format!("/v1/seminars?language={asked}")).await.json();
            assert_eq!(found["items"].as_array().unwrap().len(), 1, "{asked}");
        }
    });
}

#[test]
fn a_filter_by_days_takes_days_and_nothing_else() {
    on_each_database(async |hub| {
        for day in ["%2B12021-01-01", "2021-1-1", "%20%202021-01-01", "-0001-01-01", "2021-02-30"] {
            for path in
                ["seminars?starts_on_gte", "study-visits?starts_on_lt", "exchange-rates?on_gte"]
            {
                let reply = hub.get(&format!("/v1/{path}={day}")).await;
                let name = path.split('?').next_back().unwrap().to_owned();
                assert_eq!(reply.faults(), [(name, "invalid_parameter".to_owned())], "{day}");
            }
        }
        for (query, found) in [("starts_on_gte=2021-11-04", 1), ("starts_on_lt=2021-11-04", 0)] {
            let page = hub.get(&format!("/v1/seminars?{query}")).await.json();
            assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
        }
    });
}

#[test]
fn a_seminar_of_which_the_year_of_the_end_is_not_known_ends_with_its_start() {
    on_each_database(async |hub| {
        let path = "/v1/seminars/first-seminar-2021";
        let tag = hub.get(path).await.header("etag").to_owned();
        let days = json!({"starts_on": "2999-12-31", "ends_on": "XXXX-11-05"});
        let changed = hub.write("PATCH", path, Some(&tag), Some(&days)).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        for (query, found) in [("upcoming=true", 1), ("past=true", 0), ("past=false", 1)] {
            let page = hub.get(&format!("/v1/seminars?{query}")).await.json();
            assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
        }
    });
}

#[test]
fn a_seminar_without_a_title_and_a_series_has_a_label_in_each_language_there_is_a_word_for() {
    on_each_database(async |hub| {
        let path = "/v1/seminars/first-seminar-2021";
        let tag = hub.get(path).await.header("etag").to_owned();
        let alone = json!({"series_id": null, "title": null});
        let changed = hub.write("PATCH", path, Some(&tag), Some(&alone)).await.json();
        assert_eq!(changed["label"], json!({"en": "Seminar 1", "ru": "Семинар 1"}));
    });
}

#[test]
fn a_programme_tells_what_a_page_about_the_seminar_needs() {
    on_each_database(async |hub| {
        let path = "/v1/seminars/first-seminar-2021";
        let seminar = hub.get(path).await.json();
        let programme = hub.get(&format!("{path}/programme")).await.json();
        let told = &programme["seminar"];
        for field in ["languages", "topics", "registration_url", "image_url", "summary", "ordinal"]
        {
            assert_eq!(told[field], seminar[field], "{field}");
        }
        assert_eq!(told["project"]["id"], seminar["project_id"]);
        assert!(told["project"]["title"]["en"].is_string(), "{told:#}");
        assert_eq!(told["series"]["id"], seminar["series_id"]);
        assert!(told["series"]["name"]["en"].is_string(), "{told:#}");
        let organisers = told["organisers"].as_array().unwrap();
        assert!(!organisers.is_empty());
        for (told, organiser) in organisers.iter().zip(seminar["organisers"].as_array().unwrap()) {
            assert_eq!(told["organisation"]["id"], organiser["organisation_id"]);
            assert_eq!(told["role"], organiser["role"]);
        }
        let countries = told["countries"].as_array().unwrap();
        assert_eq!(countries.len(), seminar["countries"].as_array().unwrap().len());
        assert!(countries.iter().all(|one| one["country"]["name"]["en"].is_string()), "{told:#}");
        let sessions = programme["days"].as_array().unwrap().iter();
        let sessions = sessions.flat_map(|day| day["sessions"].as_array().unwrap());
        for session in sessions {
            let id = session["id"].as_str().unwrap();
            let record = hub.get(&format!("/v1/sessions/{id}")).await.json();
            assert_eq!((&session["slug"], &session["order"]), (&record["slug"], &record["order"]));
        }
    });
}

/// Fails unless a part of a programme tells what its record does, but what it is kept by, where its
/// facts come from, and what it names: that is told in its place.
fn assert_whole(told: &Value, record: &Value) {
    let elsewhere = ["revision", "state", "created_at", "updated_at", "published_at", "citations"];
    let named = ["speakers", "organisers", "countries", "day"];
    for (field, value) in record.as_object().expect("a record") {
        let reference = field != "person_id" && (field.ends_with("_id") || field.ends_with("_ids"));
        if !reference && !elsewhere.contains(&&**field) && !named.contains(&&**field) {
            assert_eq!(&told[field], value, "{field} of {told:#}");
        }
    }
}

#[test]
fn a_programme_tells_all_that_its_parts_say() {
    on_each_database(async |hub| {
        let seminar = "/v1/seminars/first-seminar-2021";
        let tag = hub.get(seminar).await.header("etag").to_owned();
        let moved = json!({"previous_start": "2021-10-28", "capacity": 90});
        let changed = hub.write("PATCH", seminar, Some(&tag), Some(&moved)).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let mut made = Vec::new();
        for (collection, body) in [
            (
                "presentations",
                json!({"slug": "talk", "order": 9, "language": "ru", "topics": ["cloud"]}),
            ),
            (
                "statements",
                json!({
                    "slug": "opened", "person_id": "kangtak-oh", "role": "opener",
                    "mode": "verbatim", "text": {"en": "Welcome."}, "topics": ["cloud"],
                }),
            ),
            (
                "recommendations",
                json!({
                    "slug": "go-on", "person_id": "kangtak-oh", "organisation_id": "undp",
                    "text": {"en": "Go on."}, "addressed_to": {"en": "All"}, "status": "accepted",
                }),
            ),
        ] {
            let mut body = body;
            body["seminar_id"] = "first-seminar-2021".into();
            let reply = hub.write("POST", &format!("/v1/{collection}"), None, Some(&body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
            made.push(reply.json());
        }
        let programme = hub.get(&format!("{seminar}/programme")).await.json();
        assert_whole(&programme["seminar"], &hub.get(seminar).await.json());
        let part = |part: &str, id: &Value| {
            let mut parts = programme[part].as_array().expect("parts").iter();
            parts.find(|one| one["id"] == *id).expect("the part")
        };
        assert_whole(part("unscheduled", &made[0]["id"]), &made[0]);
        assert_whole(part("statements", &made[1]["id"]), &made[1]);
        let recommended = part("recommendations", &made[2]["id"]);
        assert_whole(recommended, &made[2]);
        assert_eq!(recommended["name"], "Kangtak Oh");
        assert_eq!(recommended["organisation"]["acronym"], "UNDP");
        // That something was recommended is known, and of the other one not what.
        let all = programme["recommendations"].as_array().expect("parts");
        assert_eq!((all.len(), &all[0]["text"], &all[0]["name"]), (2, &Value::Null, &Value::Null));
        for session in programme["days"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|day| day["sessions"].as_array().expect("sessions"))
        {
            let id = session["id"].as_str().unwrap();
            assert_whole(session, &hub.get(&format!("/v1/sessions/{id}")).await.json());
        }
    });
}

#[test]
fn countries_are_a_file_to_join_names_by() {
    on_each_database(async |hub| {
        let file = hub.get("/v1/countries.csv?code=KZ,KR").await;
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"countries.csv\"");
        let lines: Vec<_> = file.text.lines().collect();
        assert!(lines[0].starts_with("code,alpha3,numeric,names.en,names.ru"), "{}", lines[0]);
        assert!(lines[2].starts_with("KZ,KAZ,398,Kazakhstan,Казахстан"), "{}", lines[2]);
        let all = hub.get("/v1/countries.ndjson").await;
        let page = hub.get("/v1/countries?limit=1&with_total=true").await.json();
        assert_eq!(page["total"], all.text.lines().count());
        let first: Value = serde_json::from_str(all.text.lines().next().unwrap()).unwrap();
        assert_eq!(first, page["items"][0]);
        let few = hub.get("/v1/countries.csv?fields=code,names.ru&code=KZ&lang=ru").await;
        assert_eq!(few.text, "code,names.ru\r\nKZ,Казахстан\r\n");
        let accept = [("accept", "text/csv")];
        let accepted = hub.send("GET", "/v1/countries?code=KZ,KR", &accept, None).await;
        assert_eq!(accepted.text, file.text);
        assert_eq!(hub.get("/v1/countries.xlsx").await.status, 404);
    });
}

#[test]
fn a_list_comes_in_the_order_of_letters_without_their_strokes() {
    on_each_database(async |hub| {
        for (slug, name) in [("zzz", "zzz"), ("lodz", "Łódź"), ("lublin", "Lublin")] {
            let mut body = domain::sample::example("organisations");
            body["slug"] = slug.into();
            body["name"] = json!({"en": name});
            let made = hub.write("POST", "/v1/organisations", None, Some(&body)).await;
            assert_eq!(made.status, 201, "{}", made.text);
        }
        let page = hub.get("/v1/organisations?sort=name&limit=100").await.json();
        let names = page["items"].as_array().unwrap().iter();
        let names: Vec<_> = names.filter_map(|one| one["slug"].as_str()).collect();
        let place = |slug: &str| names.iter().position(|name| *name == slug).unwrap();
        assert!(place("lodz") < place("lublin") && place("lublin") < place("zzz"), "{names:?}");
    });
}
