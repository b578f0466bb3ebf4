//! Search: words are found in every language, and the same on both databases.
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Hub, on_each_database, on_each_database_without_memory};

/// The slugs of what a list finds, in its order.
async fn found(hub: &Hub, list: &str, q: &str) -> Vec<String> {
    let join = if list.contains('?') { '&' } else { '?' };
    let reply = hub.get(&format!("/v1/{list}{join}limit=100&q={}", encoded(q))).await;
    assert_eq!(reply.status, 200, "{q}: {}", reply.text);
    let page = reply.json();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["slug"].as_str().unwrap_or_default().to_owned()).collect()
}

fn encoded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "%{byte:02X}");
        all
    })
}

async fn organisation(hub: &Hub, slug: &str, name: Value) {
    let body = json!({"slug": slug, "name": name});
    let reply = hub.write("POST", "/v1/organisations", None, Some(&body)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
}

async fn organisations(hub: &Hub, named: &[(&str, Value)]) {
    for (slug, name) in named {
        organisation(hub, slug, name.clone()).await;
    }
}

#[test]
fn words_are_found_in_every_script_whatever_their_case_and_accents() {
    on_each_database(async |hub| {
        organisations(
            &hub,
            &[
                ("elka", json!({"ru": "Ёлочный район", "kk": "Қазақстан Республикасы"})),
                ("georgia", json!({"ka": "საქართველოს მთავრობა"})),
                ("armenia", json!({"hy": "Հայաստանի կառավարություն"})),
                ("korea", json!({"ko": "한국지능정보사회진흥원"})),
                (
                    "accents",
                    json!({"fr": "École supérieure", "de": "Straßenbauamt", "da": "Sørens Hus"}),
                ),
                ("china", json!({"zh": "数字政府研究院"})),
            ],
        )
        .await;
        for (q, slug) in [
            ("елочный", "elka"),
            ("ЁЛОЧНЫЙ РАЙОН", "elka"),
            ("раи", "elka"),
            ("қазақстан", "elka"),
            ("ҚАЗАҚ", "elka"),
            ("საქართველოს", "georgia"),
            ("ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝᲡ ᲛᲗᲐᲕᲠᲝᲑᲐ", "georgia"),
            ("ՀԱՅԱՍՏԱՆԻ", "armenia"),
            ("հայաստանի կառ", "armenia"),
            ("한국지능", "korea"),
            ("\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}", "korea"),
            ("ecole SUPERIEURE", "accents"),
            ("e\u{301}cole", "accents"),
            ("STRASSEN", "accents"),
            ("soren", "accents"),
            ("政府", "china"),
        ] {
            assert_eq!(found(&hub, "organisations", q).await, [slug], "{q}");
        }
    });
}

#[test]
fn every_word_must_be_there_and_only_the_last_may_be_unfinished() {
    on_each_database(async |hub| {
        organisations(
            &hub,
            &[
                ("one", json!({"en": "Zebra crossing authority", "ru": "Управление переходов"})),
                ("two", json!({"en": "Zebra park"})),
            ],
        )
        .await;
        for (q, slugs) in [
            ("zebra", &["one", "two"][..]),
            ("zeb", &["one", "two"]),
            ("zebra par", &["two"]),
            ("par zebra", &[]),
            ("crossing zeb", &["one"]),
            ("zebra переход", &["one"]),
            ("zebra crossing park", &[]),
            ("bra", &[]),
        ] {
            assert_eq!(found(&hub, "organisations", q).await, slugs, "{q}");
        }
    });
}

#[test]
fn names_come_before_other_texts_and_an_order_asked_for_before_both() {
    on_each_database(async |hub| {
        let project = hub.get("/v1/projects").await.json()["items"][0].clone();
        for (slug, title, description) in [
            ("a-later", "Alpha", "About the quokka."),
            ("b-first", "Quokka", "About nothing."),
            ("c-first", "Quokka again", "About the quokka."),
            ("d-later", "Zeta", "About a quokka and its quokkas."),
        ] {
            let body = json!({
                "slug": slug, "project_id": project["id"], "kind": "outcome",
                "title": {"en": title}, "description": {"en": description},
            });
            let reply = hub.write("POST", "/v1/results", None, Some(&body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        let ranked = ["b-first", "c-first", "a-later", "d-later"];
        assert_eq!(found(&hub, "results", "quokka").await, ranked);
        let sorted = ["a-later", "b-first", "c-first", "d-later"];
        assert_eq!(found(&hub, "results?sort=title", "quokka").await, sorted);
    });
}

#[test]
fn nothing_that_is_typed_does_harm() {
    on_each_database(async |hub| {
        let long = "a ".repeat(100);
        let ideographs: String = ('\u{4E00}'..).take(200).collect();
        let expanding = "\u{FDFA}".repeat(200);
        for q in [
            "\"",
            "'",
            "' OR 1=1 --",
            "%",
            "_",
            "*",
            "a*",
            "a & b",
            "a | !b",
            "a <-> b",
            "(",
            ")",
            "a:b",
            "name:a",
            "NEAR(a b)",
            "a AND",
            "OR",
            "NOT",
            "^a",
            "{name}: a",
            "a\\",
            "\\'",
            "'a':*",
            ":*",
            "-",
            "+a",
            "a''b",
            "\u{1F600}",
            "\u{301}",
            "\u{200B}",
            "$1",
            "?",
            "a?b",
            "\u{FFFF}",
            "\t\n",
            &long,
            &ideographs,
            &expanding,
        ] {
            for list in ["organisations", "seminars"] {
                found(&hub, list, q).await;
            }
        }
        for q in ["\"", "%", "...", "— !", "\u{1F600}", " "] {
            assert!(found(&hub, "organisations", q).await.is_empty(), "{q}");
        }
        let long = hub.get(&format!("/v1/seminars?q={}", "a".repeat(201))).await;
        assert_eq!(long.faults(), [("q".to_owned(), "invalid_parameter".to_owned())]);
        for q in ["", "%00", "a%00b"] {
            let reply = hub.get(&format!("/v1/seminars?q={q}")).await;
            assert_eq!((reply.status.as_u16(), reply.faults().len()), (400, 1), "{q}");
        }
    });
}

#[test]
fn pages_of_what_is_found_hold_every_record_once() {
    on_each_database(async |hub| {
        let project = hub.get("/v1/projects").await.json()["items"][0]["id"].clone();
        for number in 0..11 {
            // Some have the word in the name, some in another text, some names are the same.
            let body = json!({
                "slug": format!("quokka-{number}"),
                "project_id": project,
                "kind": "outcome",
                "title": {"en": if number % 2 == 0 { "Quokka" } else { "Other" }},
                "description": {"en": "The quokka."},
            });
            let reply = hub.write("POST", "/v1/results", None, Some(&body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        for order in ["", "&sort=title", "&sort=-title"] {
            let whole = found(&hub, &format!("results?with_total=true{order}"), "quokka").await;
            assert_eq!(whole.len(), 11);
            let path = format!("/v1/results?q=quokka&limit=2{order}");
            let mut next = path.clone();
            let mut seen = Vec::new();
            loop {
                let reply = hub.get(&next).await;
                assert_eq!(reply.status, 200, "{}", reply.text);
                let page = reply.json();
                let items = page["items"].as_array().unwrap().iter();
                seen.extend(items.map(|item| item["slug"].as_str().unwrap().to_owned()));
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                assert!(reply.header("link").contains("q=quokka"));
                next = format!("{path}&cursor={cursor}");
            }
            assert_eq!(seen, whole, "{order}");
        }
        let page = hub.get("/v1/results?q=quokka&limit=2").await.json();
        let cursor = page["next_cursor"].as_str().unwrap();
        let other = hub.get(&format!("/v1/results?q=other&limit=2&cursor={cursor}")).await;
        assert_eq!(other.json()["code"], "invalid_cursor");
    });
}

#[test]
fn what_is_found_follows_edits_and_deletions() {
    on_each_database(async |hub| {
        organisation(&hub, "quokka", json!({"en": "Quokka"})).await;
        assert_eq!(found(&hub, "organisations", "quokka").await, ["quokka"]);
        let one = "/v1/organisations/quokka";
        let tag = hub.get(one).await.header("etag").to_owned();
        let change = json!({"name": {"en": "Wombat"}});
        let reply = hub.write("PATCH", one, Some(&tag), Some(&change)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(found(&hub, "organisations", "quokka").await.is_empty());
        assert_eq!(found(&hub, "organisations", "wombat").await, ["quokka"]);
        let reply = hub.write("DELETE", one, Some(reply.header("etag")), None).await;
        assert_eq!(reply.status, 204, "{}", reply.text);
        assert!(found(&hub, "organisations", "wombat").await.is_empty());
    });
}

#[test]
fn a_seminar_is_found_by_its_label_also_when_its_series_is_renamed() {
    on_each_database(async |hub| {
        let seminar = ["first-seminar-2021"];
        assert_eq!(found(&hub, "seminars", "seminar 1 governance innov").await, seminar);
        let series = hub.get("/v1/seminar-series").await.json()["items"][0].clone();
        let one = format!("/v1/seminar-series/{}", series["id"].as_str().unwrap());
        let tag = hub.get(&one).await.header("etag").to_owned();
        let change = json!({"name": {"en": "Quokkas of Asia"}});
        let reply = hub.write("PATCH", &one, Some(&tag), Some(&change)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(found(&hub, "seminars", "quokkas").await, seminar);
        assert_eq!(found(&hub, "seminar-series", "quokkas").await.len(), 1);
    });
}

#[test]
fn filters_and_words_both_apply() {
    on_each_database(async |hub| {
        organisation(&hub, "one", json!({"en": "Quokka"})).await;
        let body = json!({"slug": "two", "name": {"en": "Quokka"}, "country": "KZ"});
        hub.write("POST", "/v1/organisations", None, Some(&body)).await;
        assert_eq!(found(&hub, "organisations?country=KZ", "quokka").await, ["two"]);
        let codes = "organisations?country=KG";
        assert!(found(&hub, codes, "quokka").await.is_empty());
    });
}

#[test]
fn a_search_costs_the_same_queries_whatever_it_finds() {
    on_each_database_without_memory(async |hub| {
        let none = hub.queries_of("/v1/organisations?q=quokka").await.len();
        assert_eq!(none, 2);
        organisation(&hub, "first", json!({"en": "Quokka"})).await;
        let one = hub.queries_of("/v1/organisations?q=quokka").await.len();
        for number in 0..15 {
            organisation(&hub, &format!("quokka-{number}"), json!({"en": "Quokka"})).await;
        }
        let many = hub.queries_of("/v1/organisations?q=quokka").await.len();
        assert_eq!((one, many), (2, 2));
    });
}

#[test]
fn records_from_before_words_were_kept_are_found_after_the_next_start() {
    on_each_database_without_memory(async |hub| {
        hub.sql("DELETE FROM search").await;
        hub.sql("INSERT INTO stale (collection) VALUES ('people')").await;
        assert_eq!(hub.get("/v1/people?q=kangtak").await.json()["items"], json!([]));
        hub.database.migrate().await.unwrap();
        let found = hub.get("/v1/people?q=kangtak").await.json();
        assert_eq!(found["items"][0]["slug"], "kangtak-oh");
    });
}

#[test]
fn what_is_written_anew_after_a_migration_is_found_by_indexes() {
    on_each_database(async |hub| {
        // A service that is stopped before it has begun complains.
        hub.get("/health/live").await;
        if !hub.database.url.starts_with("postgres") {
            return;
        }
        let told = async |what: &str| {
            let of = "('activity', 'fact', 'person', 'record', 'reference', 'search_people', 'seminar', 'term')";
            let sql = format!(
                "SELECT CAST(sum({what}) AS bigint) FROM pg_stat_user_tables WHERE relname IN {of}"
            );
            hub.number(&sql).await
        };
        for collection in domain::collections() {
            hub.sql(&format!("INSERT INTO stale (collection) VALUES ('{collection}')")).await;
        }
        let (scans, rows) = (told("seq_scan").await, told("n_tup_del").await);
        hub.database.migrate().await.unwrap();
        let since = Instant::now();
        // A session tells when it ends what it has done.
        while told("n_tup_del").await == rows {
            assert!(since.elapsed() < Duration::from_secs(20), "nothing was written");
        }
        assert_eq!(told("seq_scan").await, scans);
    });
}

#[test]
fn words_that_were_just_written_are_few_to_read_one_by_one() {
    on_each_database(async |hub| {
        // Whoever searches reads those, page by page, before they are sorted in; SQLite has none.
        hub.get("/health/live").await;
        if !hub.database.url.starts_with("postgres") {
            return;
        }
        hub.sql(
            "DO $$ BEGIN FOR time IN 1..50 LOOP UPDATE search_organisations SET words = \
             (SELECT string_agg('w' || number || 'x' || time, ' ') \
             FROM generate_series(1, 100) AS number); END LOOP; END $$",
        )
        .await;
        let waiting = "SELECT gin_clean_pending_list('search_organisations_words_lexemes_idx')";
        let pages = hub.number(waiting).await;
        assert!((1..50).contains(&pages), "{pages} pages");
    });
}

#[test]
fn one_search_goes_through_all_resources_and_says_which() {
    on_each_database_without_memory(async |hub| {
        let page = hub.get("/v1/search?q=astana&with_total=true&limit=100").await.json();
        let items = page["items"].as_array().unwrap();
        assert_eq!(page["total"], items.len());
        let resources: std::collections::BTreeSet<_> =
            items.iter().map(|item| item["resource"].as_str().unwrap()).collect();
        assert!(resources.contains("organisations") && resources.contains("documents"), "{page:#}");
        for item in items {
            let one = format!(
                "/v1/{}/{}",
                item["resource"].as_str().unwrap(),
                item["id"].as_str().unwrap()
            );
            assert_eq!(hub.get(&one).await.status, 200, "{one}");
        }
        // A record that has no title is called by its label.
        let seminars = hub.get("/v1/search?q=ecosystems&resource=seminars").await.json();
        let label = seminars["items"][0]["label"]["en"].as_str().unwrap();
        assert!(label.starts_with("Seminar 1: "), "{label}");
        assert!(seminars["items"][0]["snippet"].as_str().unwrap().starts_with("Ecosystems"));
        // What is in the label is not shown once more.
        let named = hub.get("/v1/search?q=seminar+governance&resource=seminars").await.json();
        assert_eq!(named["items"][0]["snippet"], Value::Null, "{named:#}");
        let both = hub.get("/v1/search?q=seminar+ecosystems&resource=seminars").await.json();
        assert!(both["items"][0]["snippet"].as_str().unwrap().starts_with("Ecosystems"));

        // Page by page, each record once.
        let mut paged = Vec::new();
        let mut path = "/v1/search?q=astana&limit=2".to_owned();
        loop {
            let page = hub.get(&path).await.json();
            paged.extend(page["items"].as_array().unwrap().clone());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/search?q=astana&limit=2&cursor={cursor}");
        }
        assert_eq!(&paged, items);
        let few = hub.queries_of("/v1/search?q=astana&limit=2").await.len();
        assert_eq!(few, hub.queries_of("/v1/search?q=astana&limit=100").await.len());
    });
}

#[test]
fn a_search_needs_words_and_takes_no_order() {
    on_each_database(async |hub| {
        for (query, parameter, code) in [
            ("", "q", "missing_parameter"),
            ("?q=", "q", "invalid_parameter"),
            ("?q=a&sort=title", "sort", "unknown_parameter"),
            ("?q=a&resource=feasts", "resource", "invalid_parameter"),
            ("?q=a&cursor=abc", "", ""),
        ] {
            let reply = hub.get(&format!("/v1/search{query}")).await;
            assert_eq!(reply.status, 400, "{query}");
            if !code.is_empty() {
                let fault = (parameter.to_owned(), code.to_owned());
                assert!(reply.faults().contains(&fault), "{query}: {}", reply.text);
            }
        }
    });
}

#[test]
fn what_holds_a_word_is_listed_in_the_order_of_its_list_page_by_page() {
    on_each_database(async |hub| {
        for (slug, starts_on) in [("late", "2030-01"), ("early", "2019-05-02"), ("unknown", "")] {
            let starts_on = (!starts_on.is_empty()).then_some(starts_on);
            let body = json!({"slug": slug, "project_id": "governance-innovation-and-digitalisation",
                "kind": "seminar", "title": {"en": "Digital again"}, "status": "planned",
                "starts_on": starts_on});
            let made = hub.write("POST", "/v1/seminars", None, Some(&body)).await;
            assert_eq!(made.status, 201, "{}", made.text);
        }
        let hidden = json!({"slug": "a-hidden", "name": {"en": "A digital one"}});
        let draft =
            hub.write_as(&hub.token, "POST", "/v1/organisations", None, Some(&hidden)).await;
        assert_eq!(draft.status, 201, "{}", draft.text);
        let ids = async |path: &str| {
            let mut all: Vec<Value> = Vec::new();
            let mut next = path.to_owned();
            loop {
                let reply = hub.get(&next).await;
                assert_eq!(reply.status, 200, "{next}: {}", reply.text);
                let page = reply.json();
                all.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
                let Some(cursor) = page["next_cursor"].as_str() else { return all };
                next = format!("{path}&cursor={cursor}");
            }
        };
        for (list, usual) in [
            ("seminars", "starts_on"),
            ("people", "name"),
            ("organisations", "name"),
            ("presentations", "order"),
            ("statements", "created_at"),
            ("topics", "code"),
        ] {
            for down in ["", "-"] {
                let whole = ids(&format!("/v1/{list}?sort={down}{usual}&limit=100")).await;
                for q in ["a", "d", "digital", "and%20d", "nobody"] {
                    // With a token it is found in another way, with drafts.
                    let path = format!("/v1/{list}?limit=100&q={q}");
                    let held = hub.get_as(&hub.token, &path).await.json();
                    let held = held["items"].as_array().unwrap().iter();
                    let held: Vec<_> = held.map(|item| item["id"].clone()).collect();
                    let expected: Vec<_> = whole.iter().filter(|id| held.contains(id)).collect();
                    for limit in [1, 3, 100] {
                        let path = format!("/v1/{list}?sort={down}{usual}&limit={limit}&q={q}");
                        assert_eq!(ids(&path).await.iter().collect::<Vec<_>>(), expected, "{path}");
                    }
                }
            }
        }
        let asked = hub.queries_of("/v1/people?q=zz").await;
        assert!(asked.iter().any(|sql| sql.contains("ORDER BY \"place\"")), "{asked:?}");
        let shown = async || {
            let found = found(&hub, "organisations?sort=name", "digital").await;
            found.iter().any(|slug| slug == "a-hidden")
        };
        assert!(!shown().await);
        let id = draft.json()["id"].as_str().unwrap().to_owned();
        let publish = format!("/v1/organisations/{id}/publish");
        let step = hub.write("POST", &publish, Some(draft.header("etag")), None).await;
        assert_eq!(step.status, 200, "{}", step.text);
        assert!(shown().await);
    });
}

#[test]
fn what_has_no_name_shows_what_was_found_in_it() {
    on_each_database(async |hub| {
        let mut body = domain::sample::example("statements");
        body["slug"] = "another".into();
        body["text"] = json!({"en": "We shall build a quetzalcoatl of services."});
        let made = hub.write("POST", "/v1/statements", None, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let found = hub.get("/v1/search?q=quetzalcoatl").await.json();
        let one = &found["items"][0];
        assert_eq!(one["label"], Value::Null);
        assert_eq!(one["snippet"], body["text"]["en"]);
    });
}

#[test]
fn an_apostrophe_is_found_however_it_is_typed() {
    on_each_database(async |hub| {
        for (at, sign) in ["'", "ʻ", "‘", "’"].into_iter().enumerate() {
            let label = json!({"en": format!("Yangi O{sign}zbekiston")});
            let body = json!({"code": format!("sign-{at}"), "scheme": "own", "label": label});
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
        }
        for sign in ["'", "ʻ", "ʼ", "‘", "’", "`", "´", "′"] {
            let typed = encoded(&format!("O{sign}zbekiston yangi"));
            let found = hub.get(&format!("/v1/topics?q={typed}")).await.json();
            assert_eq!(found["items"].as_array().unwrap().len(), 4, "{sign}");
        }
    });
}
