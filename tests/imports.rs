//! Imports: tables as people keep them, and bundles, from the file to what came of it.
use std::time::Duration;

use encoding_rs::WINDOWS_1251;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Value, json};

use crate::harness::{Hub, Reply, on_each_database};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PROJECT: &str = "governance-innovation-and-digitalisation";

/// Sends a file with that token.
async fn send(hub: &Hub, token: &str, query: &str, kind: &str, file: Vec<u8>) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
    hub.send("POST", &format!("/v1/imports?{query}"), &headers, Some(file)).await
}

/// What came of an import, once it is over.
async fn over(hub: &Hub, token: &str, sent: &Reply) -> Value {
    assert_eq!(sent.status, 202, "{}", sent.text);
    let at = sent.header("location").to_owned();
    for _ in 0..600 {
        let told = hub.get_as(token, &at).await;
        assert_eq!(told.status, 200, "{}", told.text);
        if told.json()["state"] != "running" {
            return told.json();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the import does not end");
}

/// Sends a CSV as an admin, and tells what came of it.
async fn take(hub: &Hub, query: &str, text: &str) -> Value {
    let sent = send(hub, &hub.token, query, "text/csv", text.as_bytes().to_vec()).await;
    over(hub, &hub.token, &sent).await
}

/// How many were created, changed, left, proposed and refused.
fn counts(told: &Value) -> [u64; 5] {
    ["created", "changed", "left", "proposed", "refused"]
        .map(|kind| told["counts"][kind].as_u64().expect("a count"))
}

/// The row, column and code of each fault.
fn faults(told: &Value) -> Vec<(u64, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let faults = told["faults"].as_array().expect("faults").iter();
    faults
        .map(|fault| {
            let row = fault["row"].as_u64().unwrap_or_default();
            (row, text(&fault["column"]), text(&fault["code"]))
        })
        .collect()
}

/// Where the log ends.
async fn position(hub: &Hub) -> i64 {
    hub.database.open().await.expect("a pool").newest().await.expect("a position")
}

async fn field(hub: &Hub, path: &str, pointer: &str) -> Value {
    let record = hub.get_as(&hub.token, path).await;
    assert_eq!(record.status, 200, "{}", record.text);
    record.json().pointer(pointer).cloned().unwrap_or_default()
}

#[test]
fn a_cell_that_could_not_be_read_again_is_refused() {
    on_each_database(async |hub| {
        let row = |slug: &str, claim: &str| {
            format!(
                "{slug},{PROJECT},seminar,planned,/kind,article-first-seminar,stated,{claim}\r\n"
            )
        };
        let header = "slug,project_id,kind,status,citations.field,citations.document_id,citations.basis,citations.claim\r\n";
        let deep = format!("{}{}", "[".repeat(126), "]".repeat(126));
        let deepest_of_all = format!("{}{}", "[".repeat(40), "]".repeat(40));
        let text = format!(
            "{header}{}{}{}",
            row("fine", "[[1]]"),
            row("deep", &deepest_of_all),
            row("deeper", &deep)
        );
        let told = take(&hub, "resource=seminars&partial=true", &text).await;
        assert_eq!(told["state"], "done", "{told}");
        for path in
            ["/v1/seminars?state=draft&lang=en", "/v1/seminars.ndjson?state=draft", "/v1/imports"]
        {
            let reply = hub.get_as(&hub.token, path).await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        }
        let codes: Vec<_> = faults(&told).into_iter().map(|(row, _, code)| (row, code)).collect();
        assert!(codes.contains(&(3, "too_deep".to_owned())), "{told}");
        assert_eq!(field(&hub, "/v1/seminars/fine", "/citations/0/claim").await, json!([[1]]));
    });
}

#[test]
fn an_import_ends_with_the_token_that_it_was_sent_with() {
    on_each_database(async |hub| {
        let table = |of: &str| {
            let rows =
                (0..800).map(|number| format!("{of}-{number},{PROJECT},seminar,planned\r\n"));
            format!("slug,project_id,kind,status\r\n{}", rows.collect::<String>()).into_bytes()
        };
        let query = "resource=seminars&publish=true";
        let publisher = hub.token("publisher", &[]).await;
        // Two are taken in at once, so the third waits.
        let mut others = Vec::new();
        for of in ["one", "two"] {
            others.push(send(&hub, &hub.token, query, "text/csv", table(of)).await);
        }
        let sent = send(&hub, &publisher, query, "text/csv", table("three")).await;
        let id = publisher.split('_').nth(1).unwrap();
        let revoked = hub.write("POST", &format!("/v1/tokens/{id}/revoke"), None, None).await;
        assert!(revoked.status.is_success(), "{}", revoked.text);
        let told = over(&hub, &hub.token, &sent).await;
        assert_eq!(
            (&told["state"], &told["code"]),
            (&json!("failed"), &json!("revoked")),
            "{told}"
        );
        assert!(counts(&told)[0] < 800, "{told}");
        for other in others {
            assert_eq!(over(&hub, &hub.token, &other).await["state"], "done");
        }
    });
}

#[test]
fn a_csv_of_excel_in_russian_is_read_right() {
    on_each_database(async |hub| {
        let text = format!(
            "sep=;\r\nКод;Название;Дата начала;Широта;Долгота;Проект;kind;status\r\n\
             osen;Осенний семинар;05.11.2027;51,1605;71,4704;{PROJECT};seminar;planned\r\n"
        );
        let (file, ..) = WINDOWS_1251.encode(&text);
        let query = "resource=seminars";
        let sent = send(&hub, &hub.token, query, "text/csv; charset=windows-1251", file.to_vec());
        let told = over(&hub, &hub.token, &sent.await).await;
        assert_eq!(told["state"], "done", "{told}");
        assert_eq!(counts(&told), [1, 0, 0, 0, 0], "{told}");
        assert_eq!(
            told["read"],
            json!({"encoding": "windows-1251", "delimiter": ";", "sheet": null})
        );
        assert_eq!(
            told["mapping"][2],
            json!({"header": "Дата начала", "field": "starts_on", "how": "guessed"})
        );
        let seminar = "/v1/seminars/osen";
        assert_eq!(field(&hub, seminar, "/title/ru").await, "Осенний семинар");
        assert_eq!(field(&hub, seminar, "/starts_on").await, "2027-11-05");
        assert_eq!(field(&hub, seminar, "/venue/latitude").await, 51.1605);
        assert_eq!(field(&hub, seminar, "/state").await, "draft");
        assert_eq!(hub.get(seminar).await.status, 404);
    });
}

#[test]
fn a_workbook_with_dates_as_numbers_is_read_right() {
    on_each_database(async |hub| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        let cells = ["slug", "title.en", "Start date", "project_id", "kind", "status"];
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(0, column, cell).expect("a cell");
        }
        let day = ExcelDateTime::from_ymd(2027, 11, 5).expect("a day");
        let style = Format::new().set_num_format("dd.mm.yyyy");
        sheet.write_datetime_with_format(1, 2, &day, &style).expect("a cell");
        for (column, cell) in
            [(0, "excel"), (1, "From Excel"), (3, PROJECT), (4, "seminar"), (5, "planned")]
        {
            sheet.write_string(1, column, cell).expect("a cell");
        }
        let file = book.save_to_buffer().expect("a file");
        let sent = send(&hub, &hub.token, "resource=seminars&publish=true", XLSX, file).await;
        let told = over(&hub, &hub.token, &sent).await;
        assert_eq!(counts(&told), [1, 0, 0, 0, 0], "{told}");
        assert_eq!(hub.get("/v1/seminars/excel").await.json()["starts_on"], "2027-11-05");
    });
}

#[test]
fn a_workbook_is_read_as_it_shows_and_what_it_hides_is_refused() {
    on_each_database(async |hub| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        let header = ["slug", "project_id", "kind", "status", "starts_on", "venue.latitude"];
        for (column, cell) in (0..).zip(header) {
            sheet.write_string(0, column, cell).expect("a cell");
        }
        let days = [
            ("month", (2027, 10, 1), "mmm-yy"),
            ("russian", (2027, 10, 1), "[$-419]mmmm\\ yyyy;@"),
            ("year", (2027, 1, 1), "yyyy"),
            ("day", (2027, 10, 1), "dd.mm.yyyy"),
            // A day is there that nobody sees, and a year that the spreadsheet may have added.
            ("hidden", (2027, 10, 15), "mmm-yy"),
            ("autumn", (2027, 10, 1), "yyyy"),
            ("birthday", (2027, 10, 1), "d-mmm"),
        ];
        for (row, (slug, (year, month, day), format)) in (1..).zip(days) {
            for (column, cell) in (0..).zip([slug, PROJECT, "seminar", "planned"]) {
                sheet.write_string(row, column, cell).expect("a cell");
            }
            let day = ExcelDateTime::from_ymd(year, month, day).expect("a day");
            let format = Format::new().set_num_format(format);
            sheet.write_datetime_with_format(row, 4, &day, &format).expect("a cell");
        }
        let percent = Format::new().set_num_format("0%");
        sheet.write_number_with_format(4, 5, 0.5, &percent).expect("a cell");
        let file = book.save_to_buffer().expect("a file");
        let query = "resource=seminars&partial=true";
        let told = over(&hub, &hub.token, &send(&hub, &hub.token, query, XLSX, file).await).await;
        let refused = [
            (5, "F", "percentage"),
            (6, "E", "part_of_day"),
            (7, "E", "part_of_day"),
            (8, "E", "part_of_day"),
        ];
        let refused = refused.map(|(row, at, code)| (row, at.to_owned(), code.to_owned()));
        assert_eq!(faults(&told), refused, "{told}");
        assert_eq!(counts(&told), [3, 0, 0, 0, 4], "{told}");
        for (slug, starts_on) in [("month", "2027-10"), ("russian", "2027-10"), ("year", "2027")] {
            assert_eq!(field(&hub, &format!("/v1/seminars/{slug}"), "/starts_on").await, starts_on);
        }
    });
}

const FAULTY: &str = "slug;title.en;starts_on;venue.latitude;venue.country;project_id;kind;status\n\
     good;Good;2027-11-05;51.1;KZ;governance-innovation-and-digitalisation;seminar;planned\n\
     Bad Slug;;31.02.2027;far;Atlantis;nowhere;party;maybe\n";

#[test]
fn a_fault_in_every_column_is_told_with_its_row_and_column_all_at_once() {
    on_each_database(async |hub| {
        let before = position(&hub).await;
        let told = take(&hub, "resource=seminars", FAULTY).await;
        assert_eq!(told["state"], "refused", "{told}");
        assert_eq!((counts(&told), &told["changes"]), ([0, 0, 0, 0, 1], &json!([])), "{told}");
        let found = faults(&told);
        assert!(found.is_sorted_by_key(|(_, column, _)| column), "{told}");
        for column in ["A", "C", "D", "E", "F", "G", "H"] {
            assert!(
                found.iter().any(|(row, at, _)| (*row, &**at) == (3, column)),
                "{column}: {told}"
            );
        }
        assert!(found.iter().all(|(row, ..)| *row == 3), "{told}");
        assert_eq!(told["faults"][0]["value"].as_str().map(str::is_empty), Some(false), "{told}");
        assert_eq!(position(&hub).await, before);
        assert_eq!(hub.get_as(&hub.token, "/v1/seminars/good").await.status, 404);
    });
}

#[test]
fn good_rows_are_taken_without_the_bad_which_come_back_and_are_taken_once_corrected() {
    on_each_database(async |hub| {
        let told = take(&hub, "resource=seminars&partial=true", FAULTY).await;
        assert_eq!(
            (told["state"].as_str(), counts(&told)),
            (Some("done"), [1, 0, 0, 0, 1]),
            "{told}"
        );
        let file = told["faults_file"].as_str().expect("a file");
        let back = hub.get_as(&hub.token, file).await;
        assert_eq!(back.status, 200);
        assert!(back.text.starts_with("\u{feff}slug;title.en;"), "{}", back.text);
        assert!(back.text.lines().next().is_some_and(|line| line.ends_with(";error")));
        let corrected = back.text.replace("Bad Slug", "mended").replace("31.02.2027", "28.02.2027");
        let corrected = corrected.replace(
            ";far;Atlantis;nowhere;party;maybe",
            ";51,2;Казахстан;governance-innovation-and-digitalisation;workshop;planned",
        );
        let told = take(&hub, "resource=seminars", &corrected).await;
        assert_eq!(
            (told["state"].as_str(), counts(&told)),
            (Some("done"), [1, 0, 0, 0, 0]),
            "{told}"
        );
        assert_eq!(told["faults_file"], Value::Null);
        let none = format!("/v1/imports/{}/faults.csv", told["id"].as_str().expect("an id"));
        assert_eq!(hub.get_as(&hub.token, &none).await.text, "");
        assert_eq!(field(&hub, "/v1/seminars/mended", "/venue/country").await, "KZ");
    });
}

#[test]
fn a_row_that_only_the_rows_before_it_make_wrong_takes_none_of_them_with_it() {
    on_each_database(async |hub| {
        let told = take(&hub, "resource=topics", "code,scheme,label.en\na,own,A\nb,own,B\n").await;
        assert_eq!(counts(&told), [2, 0, 0, 0, 0], "{told}");
        // Each of the first two could stand without the other.
        let text = "code,scheme,label.en,parent_id\na,own,A,b\nb,own,B,a\nc,own,C,a\n";
        let told = take(&hub, "resource=topics", text).await;
        assert_eq!(counts(&told), [1, 1, 0, 0, 1], "{told}");
        let [(row, _, code)] = &faults(&told)[..] else { panic!("{told}") };
        assert_eq!((*row, code.as_str()), (3, "cycle"));
        assert_eq!(field(&hub, "/v1/topics/b", "/parent_id").await, Value::Null);
        let above = field(&hub, "/v1/topics/a", "/id").await;
        assert_eq!(field(&hub, "/v1/topics/c", "/parent_id").await, above);
    });
}

#[test]
fn a_dry_run_tells_the_differences_and_writes_nothing() {
    on_each_database(async |hub| {
        let first = format!(
            "slug,title.en,ordinal,project_id,kind,status\ndry,Before,7,{PROJECT},seminar,planned\n"
        );
        assert_eq!(counts(&take(&hub, "resource=seminars", &first).await), [1, 0, 0, 0, 0]);
        let before = position(&hub).await;
        let text = format!(
            "slug,external_id,title.en,ordinal,project_id,kind,status\ndry,A1,After,,{PROJECT},seminar,planned\nnew,A2,New,,{PROJECT},seminar,planned\n"
        );
        let told = take(&hub, "resource=seminars&dry_run=true", &text).await;
        assert_eq!(
            (told["state"].as_str(), counts(&told)),
            (Some("done"), [1, 1, 0, 0, 0]),
            "{told}"
        );
        assert_eq!(
            told["changes"][0]["differences"],
            json!([
                {"pointer": "/ordinal", "before": 7, "after": null},
                {"pointer": "/title/en", "before": "Before", "after": "After"},
            ]),
            "{told}"
        );
        assert_eq!(told["changes"][1]["id"], Value::Null);
        assert_eq!(position(&hub).await, before);
        assert_eq!(hub.get_as(&hub.token, "/v1/seminars/new").await.status, 404);
        // No external id was kept either: the real run does just the same.
        let told = take(&hub, "resource=seminars", &text).await;
        assert_eq!(counts(&told), [1, 1, 0, 0, 0], "{told}");
    });
}

#[test]
fn a_dry_run_of_a_bundle_keeps_nobody_waiting_for_the_log() {
    on_each_database(async |hub| {
        let bundle = |code: &str, parent: &str| {
            let topic = json!({"code": code, "scheme": "own", "label": {"en": code},
                "parent_id": parent});
            json!({"records": {"topics": [topic]}}).to_string().into_bytes()
        };
        let before = position(&hub).await;
        let query = "dry_run=true";
        hub.statements();
        let sent =
            send(&hub, &hub.token, query, "application/json", bundle("dried", "cloud")).await;
        let told = over(&hub, &hub.token, &sent).await;
        assert_eq!(counts(&told), [1, 0, 0, 0, 0], "{told}");
        let logs = |sql: &&String| {
            sql.contains("pg_advisory_xact_lock(") || sql.contains("INTO \"change\"")
        };
        assert_eq!(hub.statements().iter().find(logs), None);
        assert_eq!(position(&hub).await, before);
        // What other records speak against is told all the same.
        let sent =
            send(&hub, &hub.token, query, "application/json", bundle("dried", "dried")).await;
        let told = over(&hub, &hub.token, &sent).await;
        assert_eq!(counts(&told), [0, 0, 0, 0, 1], "{told}");
        assert_eq!(told["faults"][0]["pointer"], "/records/topics/0/parent_id", "{told}");
    });
}

#[test]
fn sending_it_twice_changes_nothing_whatever_the_rows_are_known_by() {
    on_each_database(async |hub| {
        let seminar = field(&hub, "/v1/seminars/first-seminar-2021", "/id").await;
        let seminar = seminar.as_str().expect("an id");
        for (resource, text) in [
            (
                "organisations",
                "slug,name.en,parent_id\nabove,Above,\nbelow,Below,above\n".to_owned(),
            ),
            (
                "recommendations",
                format!("external_id,seminar_id,status\n17,{seminar},open\n18,{seminar},open\n"),
            ),
            // Nothing but what they say tells these from each other.
            (
                "recommendations",
                format!(
                    "seminar_id,status,text.en\n{seminar},open,One\n{seminar},open,Two\n{seminar},open,Two\n"
                ),
            ),
        ] {
            let query = format!("resource={resource}&system=old-list");
            let rows = text.lines().count() as u64 - 1;
            let checked = take(&hub, &format!("{query}&dry_run=true"), &text).await;
            let told = take(&hub, &query, &text).await;
            assert_eq!(counts(&checked), counts(&told), "{told}");
            assert_eq!((counts(&told)[0], counts(&told)[4]), (2, 0), "{told}");
            let before = position(&hub).await;
            let again = take(&hub, &query, &text).await;
            assert_eq!(counts(&again), [0, 0, rows, 0, 0], "{again}");
            assert_eq!(position(&hub).await, before);
        }
        // By the external id alone the record is found and changed, of that system only.
        let text = "external_id,status\n17,done\n";
        let told = take(&hub, "resource=recommendations&system=old-list", text).await;
        assert_eq!(counts(&told), [0, 1, 0, 0, 0], "{told}");
        let told = take(&hub, "resource=recommendations&system=another", text).await;
        let missing = (2, String::new(), "missing_field".to_owned());
        assert_eq!(faults(&told), [missing], "{told}");
    });
}

#[test]
fn an_export_is_taken_back_as_it_is_and_an_id_that_nobody_has_is_a_fault() {
    on_each_database(async |hub| {
        for resource in ["seminars", "presentations", "topics", "documents"] {
            let file = hub.get(&format!("/v1/{resource}.csv")).await.text;
            let before = position(&hub).await;
            let told = take(&hub, &format!("resource={resource}"), &file).await;
            assert_eq!(told["state"], "done", "{told}");
            assert_eq!(counts(&told)[2], told["total"].as_u64().expect("a total"), "{told}");
            assert_eq!(position(&hub).await, before);
        }
        let text = "id,label.en\n01931f6e-6c00-7000-8000-00000000000f,Nothing\n";
        let told = take(&hub, "resource=topics", text).await;
        assert!(
            faults(&told).contains(&(2, "A".to_owned(), "unknown_record".to_owned())),
            "{told}"
        );
        let told = take(&hub, "resource=topics", "code,scheme,label.en\nx,own,X\nx,own,Y\n").await;
        assert_eq!(faults(&told), [(3, "A".to_owned(), "repeated_key".to_owned())], "{told}");
    });
}

#[test]
fn an_export_in_one_language_undoes_nothing_when_it_is_taken_back() {
    on_each_database(async |hub| {
        let topics = [
            (
                "many",
                json!({"en": "Many", "ru": "Много", "kk": "Көп", "uz": "Ko‘p", "en-GB": "A lot"}),
            ),
            ("english", json!({"en": "English only"})),
        ];
        for (code, label) in topics {
            let body = json!({"code": code, "scheme": "own", "label": label});
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
        }
        let before = position(&hub).await;
        for asked in [
            "lang=ru",
            "lang=kk,ru",
            "lang=uz",
            "lang=en-US,EN",
            "lang=xx",
            "fields=id,label.en,label.ru&lang=ru",
        ] {
            let csv = hub.bytes(&format!("/v1/topics.csv?{asked}")).await;
            let xlsx = hub.bytes(&format!("/v1/topics.xlsx?{asked}")).await;
            for (kind, file) in [("text/csv", csv), (XLSX, xlsx)] {
                let sent = send(&hub, &hub.token, "resource=topics", kind, file).await;
                let told = over(&hub, &hub.token, &sent).await;
                assert_eq!(counts(&told)[2], told["total"].as_u64().expect("a total"), "{told}");
                assert_eq!(position(&hub).await, before, "{asked}");
            }
        }
        let csv = hub.get("/v1/topics.csv?lang=ru,uz,RU&q=many").await.text;
        let (header, row) = csv.split_once("\r\n").expect("a row");
        assert!(header.contains(",label.ru,label.uz") && !header.contains("label.en"), "{header}");
        assert!(row.contains(",Много,Ko‘p"), "{row}");
        let csv = hub.get("/v1/topics.csv?lang=ru&q=english+only").await.text;
        assert!(!csv.contains("English only"), "no other language is in its place: {csv}");
    });
}

#[test]
fn what_looks_like_something_else_comes_back_as_it_was_from_every_table() {
    on_each_database(async |hub| {
        let name =
            json!({"en": "#N/A", "ru": "50%", "kk": "\t\u{a0}Two \r\nlines\r\n", "uz": "#CALC!"});
        let seminar = json!({"slug": "hard", "project_id": PROJECT, "kind": "seminar", "status": "planned",
            "title": name, "venue": {"name": name, "latitude": -1e-6, "longitude": 1.5e-7}});
        let made = hub.write("POST", "/v1/seminars?publish=true", None, Some(&seminar)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let kept = hub.get("/v1/seminars/hard").await.json();
        assert_eq!(kept["title"]["kk"], "Two \nlines", "what no table gives back is not kept");
        let csv = hub.get("/v1/seminars.csv?q=calc").await.text;
        assert!(csv.contains(",-0.000001,0.00000015,"), "{csv}");
        let before = position(&hub).await;
        for (kind, file) in
            [("text/csv", csv.into_bytes()), (XLSX, hub.bytes("/v1/seminars.xlsx").await)]
        {
            let sent = send(&hub, &hub.token, "resource=seminars", kind, file).await;
            let told = over(&hub, &hub.token, &sent).await;
            assert_eq!(counts(&told)[2], told["total"].as_u64().expect("a total"), "{told}");
            assert_eq!(position(&hub).await, before);
        }
        // Where no text may stand, it tells that a formula failed.
        let text = "slug,project_id,kind,status,capacity\nx,#N/A,seminar,planned,#Н/Д\n";
        let told = take(&hub, "resource=seminars", text).await;
        let failed = |at: &str| (2, at.to_owned(), "failed_formula".to_owned());
        assert_eq!(faults(&told), [failed("B"), failed("E")], "{told}");
    });
}

#[test]
fn a_table_of_an_older_revision_undoes_nothing() {
    on_each_database(async |hub| {
        let export = hub.get("/v1/topics.csv").await.text;
        let cloud = export.lines().find(|line| line.contains(",cloud,")).expect("a topic");
        let header = export.lines().next().expect("headers");
        let tag = hub.get("/v1/topics/cloud").await.header("etag").to_owned();
        let change = json!({"label": {"en": "Written since"}});
        let changed = hub.write("PATCH", "/v1/topics/cloud", Some(&tag), Some(&change)).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let now = changed.json()["revision"].as_i64().expect("a revision");

        // Its other rows are left, and this one does not undo the change.
        let stale = (now - 1).to_string();
        for query in ["", "&dry_run=true"] {
            let told = take(&hub, &format!("resource=topics{query}"), &export).await;
            let total = told["total"].as_u64().expect("a total");
            assert_eq!(counts(&told), [0, 0, if query.is_empty() { 0 } else { total - 1 }, 0, 1]);
            let fault = &told["faults"][0];
            assert_eq!(
                json!([fault["field"], fault["header"], fault["value"], fault["code"]]),
                json!(["revision", "revision", stale, "stale_revision"]),
                "{told}"
            );
            let detail = fault["detail"].as_str().expect("a detail");
            assert!(detail.contains(&format!("at revision {now} by now")), "{detail}");
        }
        let label = async || field(&hub, "/v1/topics/cloud", "/label/en").await;
        assert_eq!(label().await, "Written since");

        // What is so already is left, whatever revision it was made from.
        let told = take(&hub, "resource=topics", "code,revision,label.en\ncloud,1,Written since\n");
        assert_eq!(counts(&told.await), [0, 0, 1, 0, 0]);
        // A file of the present revision, and one that tells none, change it.
        let text = format!("code,revision,label.en\ncloud,{now},Written anew\n");
        assert_eq!(counts(&take(&hub, "resource=topics", &text).await), [0, 1, 0, 0, 0]);
        let text = format!("{header}\n{cloud}\n");
        let told = take(&hub, "resource=topics&mapping=%7B%22revision%22:null%7D", &text).await;
        assert_eq!(counts(&told), [0, 1, 0, 0, 0], "{told}");
        assert_ne!(label().await, "Written anew");
        let text = "code,revision,label.en\ncloud,,Without\n";
        assert_eq!(counts(&take(&hub, "resource=topics", text).await), [0, 1, 0, 0, 0]);
        // What is new was made from none.
        let text = "code,scheme,revision,label.en\nbrand-new,own,4,New\n";
        assert_eq!(counts(&take(&hub, "resource=topics", text).await), [1, 0, 0, 0, 0]);
        let told = take(&hub, "resource=topics", "code,revision,label.en\ncloud,B,Other\n").await;
        assert_eq!(faults(&told), [(2, "B".to_owned(), "invalid_value".to_owned())], "{told}");
    });
}

#[test]
fn who_may_not_change_a_record_gives_it_no_name() {
    on_each_database(async |hub| {
        let names = "SELECT count(*) FROM external_id WHERE system = 'theirs'";
        let take_as = async |token: &str, text: &str| {
            let query = "resource=topics&system=theirs";
            let sent = send(&hub, token, query, "text/csv", text.as_bytes().to_vec()).await;
            counts(&over(&hub, token, &sent).await)
        };
        let (editor, limited) = (hub.token("editor", &[]).await, hub.token("editor", &[PROJECT]));
        let label = field(&hub, "/v1/topics/cloud", "/label/en").await;
        let same = format!("code,external_id,label.en\ncloud,T1,{}\n", label.as_str().unwrap());
        // What they propose is not so yet, and what is left is not theirs.
        for token in [&editor, &limited.await] {
            assert_eq!(take_as(token, &same).await, [0, 0, 1, 0, 0]);
            let other = "code,external_id,label.en\ncloud,T1,Other\n";
            assert_eq!(take_as(token, other).await, [0, 0, 0, 1, 0]);
            assert_eq!(hub.number(names).await, 0);
        }
        assert_eq!(take_as(&hub.token, &same).await, [0, 0, 1, 0, 0]);
        assert_eq!(hub.number(names).await, 1);
        // A draft is everybody's who writes it.
        let draft = "code,external_id,scheme,label.en\ndrafted,T2,own,Draft\n";
        assert_eq!(take_as(&editor, draft).await, [1, 0, 0, 0, 0]);
        assert_eq!(take_as(&editor, &draft.replace("T2", "T3")).await, [0, 0, 1, 0, 0]);
        assert_eq!(hub.number(names).await, 3);
    });
}

#[test]
fn a_mapping_that_was_guessed_wrong_is_corrected() {
    on_each_database(async |hub| {
        let text = "Шифр;Подпись;Пометка\nmapped;Тема;не для реестра\n";
        let mapping = r#"{"Шифр":"code","Подпись":"label.ru","Пометка":null}"#;
        let file = text.as_bytes().to_vec();
        let wrong = send(&hub, &hub.token, "resource=topics", "text/csv", file).await;
        assert_eq!(wrong.faults(), [("mapping".to_owned(), "no_columns".to_owned())]);
        let query = serde_html_form::to_string([("mapping", mapping), ("resource", "topics")]);
        let text = text.replace("Пометка", "Пометка;scheme").replace("реестра", "реестра;own");
        let told = take(&hub, &query.expect("a query"), &text).await;
        assert_eq!(counts(&told), [1, 0, 0, 0, 0], "{told}");
        assert_eq!(
            told["mapping"][2],
            json!({"header": "Пометка", "field": null, "how": "left_out"})
        );
        assert_eq!(field(&hub, "/v1/topics/mapped", "/label/ru").await, "Тема");

        let query = serde_html_form::to_string([
            ("mapping", r#"{"Кто":"nothing"}"#),
            ("resource", "topics"),
        ]);
        let file = text.into_bytes();
        let sent = send(&hub, &hub.token, &query.expect("a query"), "text/csv", file).await;
        assert_eq!(
            (sent.status.as_u16(), &*sent.json()["code"].to_string()),
            (422, "\"invalid_import\"")
        );
        assert_eq!(sent.faults()[0].0, "mapping");
    });
}

#[test]
fn roles_and_projects_limit_what_is_taken_and_nothing_hidden_is_told() {
    on_each_database(async |hub| {
        let mut project = domain::sample::example("projects");
        project["slug"] = "elsewhere".into();
        assert_eq!(hub.write("POST", "/v1/projects", None, Some(&project)).await.status, 201);
        let hidden = format!(
            "slug,title.en,project_id,kind,status\nhidden,Hidden,{PROJECT},seminar,planned\n"
        );
        assert_eq!(counts(&take(&hub, "resource=seminars", &hidden).await), [1, 0, 0, 0, 0]);

        let viewer = hub.token("viewer", &[]).await;
        let sent = send(&hub, &viewer, "resource=topics", "text/csv", b"code\n".to_vec()).await;
        assert_eq!(sent.status, 403);
        let limited = hub.token("editor", &["elsewhere"]).await;
        let sent =
            send(&hub, &limited, "resource=topics&publish=true", "text/csv", b"code\n".to_vec())
                .await;
        assert_eq!(sent.status, 403);

        // Whether the slug is that of a hidden record or of none makes no difference.
        let mut told = Vec::new();
        for slug in ["hidden", "nobody"] {
            let text = hidden.replace("hidden,", &format!("{slug},"));
            let sent =
                send(&hub, &limited, "resource=seminars", "text/csv", text.into_bytes()).await;
            told.push(faults(&over(&hub, &limited, &sent).await));
        }
        assert_eq!(told[0], [(2, String::new(), "other_project".to_owned())]);
        assert_eq!(told[0], told[1]);
        let text = hidden.replace(PROJECT, "elsewhere").replace("hidden,", "own,");
        let sent = send(&hub, &limited, "resource=seminars", "text/csv", text.into_bytes()).await;
        assert_eq!(counts(&over(&hub, &limited, &sent).await), [1, 0, 0, 0, 0]);

        // An import is its sender's to see, and an admin's.
        let other = hub.token("editor", &[]).await;
        let at = sent.header("location");
        assert_eq!(hub.get_as(&other, at).await.status, 404);
        assert_eq!(hub.get_as(&hub.token, at).await.status, 200);
        assert_eq!(hub.get_as(&other, "/v1/imports").await.json()["items"], json!([]));
        assert_eq!(
            hub.get_as(&limited, "/v1/imports?limit=2").await.json()["items"]
                .as_array()
                .map(Vec::len),
            Some(2)
        );
    });
}

#[test]
fn an_editors_change_of_what_is_public_is_proposed_once() {
    on_each_database(async |hub| {
        let editor = hub.token("editor", &[]).await;
        let text = "code,label.en\ncloud,Clouds\n";
        for _ in 0..2 {
            let sent =
                send(&hub, &editor, "resource=topics", "text/csv", text.as_bytes().to_vec()).await;
            let told = over(&hub, &editor, &sent).await;
            assert_eq!(counts(&told), [0, 0, 0, 1, 0], "{told}");
        }
        let open = hub.get_as(&editor, "/v1/proposals?status=open").await.json();
        assert_eq!(open["items"].as_array().map(Vec::len), Some(1), "{open}");
        assert_ne!(field(&hub, "/v1/topics/cloud", "/label/en").await, "Clouds");
    });
}

#[test]
fn a_bundle_is_taken_whole_or_not_at_all_and_twice_changes_nothing() {
    on_each_database(async |hub| {
        let before = position(&hub).await;
        let sample = domain::sample::BUNDLE.as_bytes().to_vec();
        let sent = send(&hub, &hub.token, "publish=true", "application/json", sample.clone()).await;
        let told = over(&hub, &hub.token, &sent).await;
        assert_eq!(counts(&told)[2], told["total"].as_u64().expect("a total"), "{told}");
        assert_eq!(position(&hub).await, before);

        let mut bundle: Value = serde_json::from_slice(&sample).expect("JSON");
        bundle["records"]["topics"][0]["label"] = json!({"en": "Another label"});
        let topic = json!({"code": "bundled", "scheme": "own", "label": {"en": "Bundled"}, "parent_id": "nowhere"});
        bundle["records"]["topics"].as_array_mut().expect("topics").push(topic);
        let take = async |bundle: &Value, query: &str| {
            let body = bundle.to_string().into_bytes();
            let sent = send(&hub, &hub.token, query, "application/json", body).await;
            over(&hub, &hub.token, &sent).await
        };
        let told = take(&bundle, "").await;
        assert_eq!(told["state"], "refused", "{told}");
        assert_eq!(told["faults"][0]["pointer"], "/records/topics/12/parent_id");
        assert_eq!(position(&hub).await, before);
        bundle["records"]["topics"][12]["parent_id"] = Value::Null;
        let told = take(&bundle, "dry_run=true").await;
        assert_eq!((counts(&told)[0], counts(&told)[1]), (1, 1), "{told}");
        assert_eq!(position(&hub).await, before);
        let told = take(&bundle, "").await;
        assert_eq!((counts(&told)[0], counts(&told)[1]), (1, 1), "{told}");
        assert!(position(&hub).await > before);
        assert_eq!(field(&hub, "/v1/topics/bundled", "/state").await, "draft");
    });
}

#[test]
fn what_cannot_be_taken_is_told_at_once() {
    on_each_database(async |hub| {
        for (query, kind, body, status, code) in [
            ("", "text/csv", "a\n", 422, "invalid_import"),
            ("resource=nothing", "text/csv", "a\n", 400, "invalid_parameter"),
            ("resource=topics&mapping=x", "text/csv", "a\n", 400, "invalid_parameter"),
            ("resource=topics&other=x", "text/csv", "a\n", 400, "invalid_parameter"),
            ("resource=topics", "text/csv", "", 422, "unreadable_file"),
            ("resource=topics", "text/csv", "x;y\n1;2\n", 422, "invalid_import"),
            ("resource=topics", XLSX, "a", 422, "unreadable_file"),
            ("resource=topics", "text/plain", "a", 415, "unsupported_media_type"),
            ("resource=topics", "application/json", "{\"records\": {}}", 422, "invalid_import"),
            ("", "application/json", "{", 400, "malformed_body"),
            ("", "application/json", "{\"records\": {\"topics\": [1]}}", 400, "invalid_body"),
            ("", "application/json", "{\"records\": {}, \"dry_run\": true}", 400, "invalid_body"),
            ("", "application/json; charset=latin1", "{}", 415, "unsupported_media_type"),
            ("resource=topics", "text/csv; charset=x-y", "a", 415, "unsupported_media_type"),
            ("resource=topics", "text/csv", "code,x\na,\"b\nc,d\n", 422, "unreadable_file"),
        ] {
            let sent = send(&hub, &hub.token, query, kind, body.as_bytes().to_vec()).await;
            assert_eq!(
                (sent.status.as_u16(), sent.json()["code"].as_str()),
                (status, Some(code)),
                "{query} {kind}: {}",
                sent.text
            );
        }
        let large = vec![b'a'; 64 * 1024 * 1024 + 1];
        let sent = send(&hub, &hub.token, "resource=topics", "text/csv", large).await;
        assert_eq!(sent.status, 413);
    });
}

#[test]
fn a_long_table_is_taken_step_by_step_while_its_progress_is_seen() {
    on_each_database(async |hub| {
        let row = |number: u32| {
            let parent = if number > 1 { format!("long-{}", number / 2) } else { String::new() };
            format!("long-{number},own,Topic {number},{parent}\n")
        };
        let rows: Vec<_> = (0..450).map(row).collect();
        let text = format!("code,scheme,label.en,parent_id\n{}", rows.concat());
        let sent = send(
            &hub,
            &hub.token,
            "resource=topics&publish=true",
            "text/csv",
            text.clone().into_bytes(),
        )
        .await;
        assert_eq!(sent.json()["state"], "running", "{}", sent.text);
        let told = over(&hub, &hub.token, &sent).await;
        assert_eq!(counts(&told), [450, 0, 0, 0, 0], "{} {}", told["code"], told["faults"]);
        assert_eq!([&told["total"], &told["checked"], &told["written"]], [450, 450, 450]);
        let before = position(&hub).await;
        let told = take(&hub, "resource=topics&publish=true", &text).await;
        assert_eq!(counts(&told), [0, 0, 450, 0, 0], "{}", told["faults"]);
        assert_eq!(position(&hub).await, before);
    });
}

/// The first seminar, as it is known.
fn first_seminar() -> Value {
    serde_json::from_str(domain::sample::BUNDLE).expect("the sample is JSON")
}

/// What the programme says of each talk, without the ids that it got and what was said there.
async fn talks(hub: &Hub) -> Vec<Value> {
    let programme = hub.get("/v1/seminars/first-seminar-2021/programme").await.json();
    let days = programme["days"].as_array().expect("days").iter();
    let sessions = days.flat_map(|day| day["sessions"].as_array().expect("sessions"));
    let talks = sessions.flat_map(|session| session["presentations"].as_array().expect("talks"));
    let told = talks.map(|talk| {
        let mut talk = talk.clone();
        for field in ["id", "statements", "sources", "citations"] {
            talk.as_object_mut().expect("a talk").remove(field);
        }
        talk
    });
    told.collect()
}

#[test]
fn a_programme_as_a_person_keeps_it_becomes_the_talks_of_the_first_seminar() {
    on_each_database(async |hub| {
        let records = first_seminar()["records"].take();
        let called = |collection: &str, key: &str| {
            let all = records[collection].as_array().expect("records").iter();
            let one = all.clone().find(|one| one["slug"] == key || one["code"] == key);
            let one = one.unwrap_or_else(|| panic!("no {key} among {collection}"));
            let name = &one[if collection == "topics" { "label" } else { "name" }];
            name.as_str().or(name["en"].as_str()).expect("a name").to_owned()
        };
        let all_called = |collection: &str, keys: &Value| {
            let keys = keys.as_array().into_iter().flatten().filter_map(Value::as_str);
            keys.map(|key| called(collection, key)).collect::<Vec<_>>().join("; ")
        };
        let expected = talks(&hub).await;
        assert_eq!(expected.len(), 10);

        let mut book = Workbook::new();
        book.add_worksheet().set_name("Cover").expect("a name");
        let sheet = book.add_worksheet().set_name("Programme").expect("a name");
        sheet.write_string(0, 1, "Programme, 4 and 5 November 2021").expect("a cell");
        let headers = [
            "Code",
            "Seminar",
            "Session",
            "No.",
            "Title",
            "Speaker",
            "Honorific",
            "Role",
            "Position",
            "Organisation",
            "Country",
            "Topics",
            "Initiatives",
            "Remarks",
        ];
        for (column, header) in (1..).zip(headers) {
            sheet.write_string(2, column, header).expect("a cell");
        }
        for (row, talk) in (3..).zip(records["presentations"].as_array().expect("talks")) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let speaker = &talk["speakers"][0];
            let country = hub.get(&format!("/v1/countries/{}", text(&speaker["country"]))).await;
            let cells = [
                text(&talk["slug"]),
                text(&talk["seminar_id"]),
                text(&talk["session_id"]),
                String::new(),
                text(&talk["title"]["en"]),
                called("people", &text(&speaker["person_id"])),
                text(&speaker["honorific"]),
                text(&speaker["role"]),
                text(&speaker["position"]["en"]),
                called("organisations", &text(&speaker["organisation_id"])),
                text(&country.json()["names"]["ru"]),
                all_called("topics", &talk["topics"]),
                all_called("initiatives", &talk["initiative_ids"]),
                "to be confirmed".to_owned(),
            ];
            for (column, cell) in (1..).zip(&cells) {
                sheet.write_string(row, column, cell).expect("a cell");
            }
            let order = talk["order"].as_f64().expect("an order");
            sheet.write_number(row, 4, order).expect("a cell");
        }
        let file = book.save_to_buffer().expect("a file");

        for collection in ["statements", "presentations"] {
            let page = hub.get(&format!("/v1/{collection}?limit=100")).await.json();
            for record in page["items"].as_array().expect("records") {
                let at = format!("/v1/{collection}/{}", record["id"].as_str().expect("an id"));
                let tag = hub.get(&at).await.header("etag").to_owned();
                let gone = hub.write("DELETE", &at, Some(&tag), None).await;
                assert_eq!(gone.status, 204, "{}", gone.text);
            }
        }
        assert_eq!(talks(&hub).await, [] as [Value; 0]);

        let query = "resource=presentations&publish=true&sheet=Programme";
        let sent = send(&hub, &hub.token, query, XLSX, file.clone()).await;
        let told = over(&hub, &hub.token, &sent).await;
        assert_eq!(counts(&told), [10, 0, 0, 0, 0], "{told}");
        assert_eq!(told["read"]["sheet"], "Programme");
        let remarks = json!({"header": "Remarks", "field": null, "how": "none"});
        assert!(told["mapping"].as_array().expect("headers").contains(&remarks), "{told}");
        assert_eq!(talks(&hub).await, expected);

        let before = position(&hub).await;
        let sent = send(&hub, &hub.token, query, XLSX, file.clone()).await;
        assert_eq!(counts(&over(&hub, &hub.token, &sent).await), [0, 0, 10, 0, 0]);
        assert_eq!(position(&hub).await, before);
        let query = "resource=presentations&sheet=Nowhere";
        let sent = send(&hub, &hub.token, query, XLSX, file).await;
        assert_eq!(sent.faults(), [(String::new(), "no_such_sheet".to_owned())]);
    });
}

#[test]
fn a_name_means_a_record_only_where_one_that_is_seen_is_called_so() {
    on_each_database(async |hub| {
        let organisations = "slug,name.en,name.ru\none,Centre of Reform,Центр реформ\ntwo,Centre of Reform,\n\
             three,Hidden Centre,\n";
        assert_eq!(counts(&take(&hub, "resource=organisations", organisations).await)[0], 3);
        let text = "slug,name.en,parent_id\n\
                    a,A,центр РЕФОРМ\nb,B,Centre of Reform\nc,C,Centre\nd,D,Hidden centre\n";
        let told = take(&hub, "resource=organisations&dry_run=true", text).await;
        let expected = [(3, "ambiguous_reference"), (4, "unknown_reference")];
        let expected = expected.map(|(row, code)| (row, "C".to_owned(), code.to_owned()));
        assert_eq!(faults(&told), expected, "{told}");
        assert_eq!(counts(&told), [2, 0, 0, 0, 2], "{told}");
    });
}

#[test]
fn of_a_file_with_a_hundred_faults_just_those_are_told() {
    on_each_database(async |hub| {
        const KINDS: [(usize, &str, &str); 10] = [
            (0, "Bad Slug", "invalid_value"),
            (2, "31.02.2027", "invalid_date"),
            (3, "2026-01-01", "ends_before_it_starts"),
            (4, "95", "too_large"),
            (5, "Atlantis", "unknown_country"),
            (6, "no language", "invalid_value"),
            (7, "many", "not_a_number"),
            (8, "nowhere", "unknown_reference"),
            (9, "party", "unknown_value"),
            (10, "", "missing_field"),
        ];
        let mut text = "slug;title.en;starts_on;ends_on;venue.latitude;venue.country;languages;\
                        capacity;project_id;kind;status\n"
            .to_owned();
        let mut expected = Vec::new();
        for number in 0..400 {
            let slug = format!("planted-{number}");
            let mut cells = [
                &*slug,
                "Seminar",
                "05.11.2027",
                "06.11.2027",
                "51,2",
                "Казахстан",
                "en",
                "30",
                PROJECT,
                "seminar",
                "planned",
            ]
            .map(str::to_owned);
            if number % 4 == 3 {
                let (column, cell, code) = KINDS[number / 4 % KINDS.len()];
                let bad = if column == 0 { format!("{cell} {number}") } else { cell.to_owned() };
                cells[column] = bad;
                let letter = char::from(b'A' + u8::try_from(column).expect("a letter"));
                expected.push((number as u64 + 2, letter.to_string(), code.to_owned()));
            }
            text.push_str(&cells.join(";"));
            text.push('\n');
        }
        assert_eq!(expected.len(), 100);
        let told = take(&hub, "resource=seminars&partial=true", &text).await;
        assert_eq!(faults(&told), expected, "{told}");
        assert_eq!(told["faults_total"], 100);
        assert_eq!(counts(&told), [300, 0, 0, 0, 100]);
        let file = told["faults_file"].as_str().expect("a file");
        let back = hub.get_as(&hub.token, file).await.text;
        assert_eq!(back.lines().count(), 101);
    });
}

#[test]
fn a_workbook_that_would_fill_the_memory_is_refused_or_read_all_the_same() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, cell) in [(0, "code"), (1, "scheme"), (2, "label.en")] {
        sheet.write_string(0, column, cell).expect("a cell");
    }
    for (column, cell) in [(0, "far-below"), (1, "own"), (2, "Far below"), (16_383, "far")] {
        sheet.write_string(1_048_575, column, cell).expect("a cell");
    }
    let far = book.save_to_buffer().expect("a file");
    let mut bomb = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    bomb.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).expect("a file");
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..=512 {
        std::io::Write::write_all(&mut bomb, &zeros).expect("written");
    }
    let bomb = bomb.finish().expect("an archive").into_inner();
    assert!(bomb.len() < 4 * 1024 * 1024, "{}", bomb.len());
    let wide = "a,".repeat(1_001);
    on_each_database(async |hub| {
        let sent = send(&hub, &hub.token, "resource=topics", XLSX, far.clone()).await;
        let told = over(&hub, &hub.token, &sent).await;
        let expected = (1_048_576, "XFD".to_owned(), "cell_without_header".to_owned());
        assert_eq!(faults(&told), [expected], "{told}");
        let sent = send(&hub, &hub.token, "resource=topics", XLSX, bomb.clone()).await;
        assert_eq!(sent.faults(), [(String::new(), "workbook_too_large".to_owned())]);
        let file = wide.clone().into_bytes();
        let sent = send(&hub, &hub.token, "resource=topics", "text/csv", file).await;
        assert_eq!(sent.faults(), [(String::new(), "too_many_columns".to_owned())]);
        let file = format!("code,{}\nx,own\n", "scheme".repeat(1_000)).into_bytes();
        let sent = send(&hub, &hub.token, "resource=topics", "text/csv", file).await;
        assert_eq!(sent.faults(), [(String::new(), "cell_too_long".to_owned())]);
        let file = format!("code,scheme\n{}\n", "a,".repeat(20_000)).into_bytes();
        let sent = send(&hub, &hub.token, "resource=topics", "text/csv", file).await;
        assert_eq!(sent.faults(), [(String::new(), "too_many_columns".to_owned())]);
    });
}

/// A workbook of two cells, after its parts were changed.
fn forged(change: impl Fn(&str, String) -> String) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, cell) in [(0, "code"), (1, "scheme")] {
        sheet.write_string(0, column, cell).expect("a cell");
    }
    let file = book.save_to_buffer().expect("a file");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(file)).expect("an archive");
    let mut forged = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for place in 0..archive.len() {
        let mut part = archive.by_index(place).expect("a part");
        let name = part.name().expect("a name").into_owned();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut part, &mut text).expect("a text");
        let options = zip::write::SimpleFileOptions::default();
        forged.start_file(&name, options).expect("a file");
        let text = change(&name, text);
        std::io::Write::write_all(&mut forged, text.as_bytes()).expect("written");
    }
    forged.finish().expect("an archive").into_inner()
}

#[test]
fn a_workbook_that_says_or_repeats_more_than_it_has_is_refused() {
    let shared = |name: &str| name.ends_with("sharedStrings.xml");
    let sheet = |name: &str| name.ends_with("sheet1.xml");
    let many = forged(|name, text| match shared(name) {
        true => text.replace("uniqueCount=\"2\"", "uniqueCount=\"10000000000000\""),
        false => text,
    });
    let twice = forged(|name, text| match sheet(name) {
        true => {
            let cell = "<c r=\"A1\" t=\"s\"><v>0</v></c>";
            assert!(text.contains(cell), "{text}");
            text.replace(cell, &cell.repeat(1000))
        }
        false => text,
    });
    let long = forged(|name, text| match shared(name) {
        true => text.replace("<t>code</t>", &format!("<t>{}</t>", "a".repeat(40_000))),
        false => text,
    });
    on_each_database(async |hub| {
        for (file, code) in
            [(&many, "not_a_workbook"), (&twice, "disordered_sheet"), (&long, "cell_too_long")]
        {
            let sent = send(&hub, &hub.token, "resource=topics", XLSX, file.clone()).await;
            assert_eq!(sent.faults(), [(String::new(), code.to_owned())], "{}", sent.text);
        }
        let same = forged(|_, text| text);
        let sent = send(&hub, &hub.token, "resource=topics", XLSX, same).await;
        assert_eq!(over(&hub, &hub.token, &sent).await["state"], "done");
    });
}

#[test]
fn a_circle_of_parents_is_refused_and_keeps_nobody_waiting() {
    on_each_database(async |hub| {
        let one = |slug: &str, parent: &str| json!({"slug": slug, "name": {"en": slug}, "parent_id": parent});
        // The first hangs below the circle and is no part of it.
        let circle = [one("c", "a"), one("a", "b"), one("b", "a")];
        let bundle = json!({"records": {"organisations": circle}}).to_string();
        for query in ["dry_run=true", ""] {
            let sent =
                send(&hub, &hub.token, query, "application/json", bundle.clone().into()).await;
            let told = over(&hub, &hub.token, &sent).await;
            assert_eq!(told["state"], "refused", "{told}");
            assert!(faults(&told).iter().all(|(.., code)| code == "cycle"), "{told}");
        }
        for slug in ["a", "b"] {
            let body = json!({"slug": slug, "name": {"en": slug}});
            let made = hub.write("POST", "/v1/organisations", None, Some(&body)).await;
            assert_eq!(made.status, 201, "{}", made.text);
        }
        let table = "slug,name.en,parent_id\nc,c,a\na,a,b\nb,b,a\n";
        let told = take(&hub, "resource=organisations", table).await;
        assert_eq!(faults(&told), [(4, "C".to_owned(), "cycle".to_owned())], "{told}");
        let body = json!({"slug": "d", "name": {"en": "d"}});
        let made = hub.write("POST", "/v1/organisations", None, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
    });
}

#[test]
fn a_bundle_is_read_as_every_other_body_is() {
    on_each_database(async |hub| {
        let person = json!({"slug": "amelie", "name": "Ame\u{301}lie"});
        let seminar = json!({
            "slug": "counted", "project_id": PROJECT, "kind": "seminar", "status": "planned",
            "ordinal": 4.0,
        });
        let records = json!({"records": {"people": [person], "seminars": [seminar]}}).to_string();
        let sent = send(&hub, &hub.token, "publish=true", "application/json", records.into()).await;
        let told = over(&hub, &hub.token, &sent).await;
        assert_eq!(told["state"], "done", "{told}");
        assert_eq!(field(&hub, "/v1/people/amelie", "/name").await, "Am\u{e9}lie");
        assert_eq!(field(&hub, "/v1/seminars/counted", "/ordinal").await, 4);
    });
}

#[test]
fn a_new_record_may_have_the_slug_that_another_is_called_by() {
    on_each_database(async |hub| {
        let body = json!({"slug": "ministry-of-interior", "name": {"en": "Ministry of the Interior"}, "acronym": "Moin"});
        let made = hub.write("POST", "/v1/organisations", None, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let table = "slug,name.en,parent_id\nmoin,Moin,\nmoin-ict,Moin ICT,Moin\n";
        let told = take(&hub, "resource=organisations&publish=true", table).await;
        assert_eq!((&told["state"], counts(&told)[0]), (&json!("done"), 2), "{told}");
    });
}

#[test]
fn an_import_whose_process_died_is_told_as_interrupted_and_forgotten_after_a_week() {
    on_each_database(async |hub| {
        let told = take(&hub, "resource=topics", "code,scheme,label.en\nleft,own,Left\n").await;
        let at = format!("/v1/imports/{}", told["id"].as_str().expect("an id"));
        // The clock of the tests begins with 2026.
        hub.sql(
            "UPDATE import SET state = 'running', ended_at = NULL, \
             beat_at = '2025-12-31T23:00:00+00:00'",
        )
        .await;
        let told = hub.get_as(&hub.token, &at).await.json();
        assert_eq!(told["state"], "failed", "{told}");
        assert_eq!(told["code"], "interrupted", "{told}");
        assert_ne!(told["ended_at"], Value::Null, "{told}");

        let store = hub.database.open().await.expect("a pool");
        store.forget_imports().await.expect("swept");
        assert_eq!(hub.get_as(&hub.token, &at).await.status, 200);
        hub.sql("UPDATE import SET created_at = '2025-12-24T00:00:00+00:00'").await;
        store.forget_imports().await.expect("swept");
        assert_eq!(hub.get_as(&hub.token, &at).await.status, 404);
        assert_eq!(hub.number("SELECT count(*) FROM import_part").await, 0);
    });
}

#[test]
fn the_encoding_that_a_text_is_said_to_be_in_is_used_and_none_is_guessed_in_doubt() {
    on_each_database(async |hub| {
        let text = "slug,name\nivan,Иван\n";
        let file = WINDOWS_1251.encode(text).0.to_vec();
        let query = "resource=people";
        for (kind, code) in [
            // Its bytes look like accents: Èâàí.
            ("text/csv", "unclear_encoding"),
            ("text/csv; charset=utf-8", "wrong_encoding"),
        ] {
            let sent = send(&hub, &hub.token, query, kind, file.clone()).await;
            assert_eq!(sent.status, 422, "{kind}: {}", sent.text);
            assert_eq!(sent.faults(), [(String::new(), code.to_owned())]);
        }
        let kind = "text/csv; Charset=\"CP1251\"";
        let told = over(&hub, &hub.token, &send(&hub, &hub.token, query, kind, file).await).await;
        assert_eq!(counts(&told), [1, 0, 0, 0, 0], "{told}");
        assert_eq!(told["read"]["encoding"], "windows-1251");
        assert_eq!(field(&hub, "/v1/people/ivan", "/name").await, "Иван");
    });
}

#[test]
fn a_workbook_is_taken_back_as_it_is_whatever_zeros_its_amounts_end_with() {
    on_each_database(async |hub| {
        let mut grant = domain::sample::example("grant-arrangements");
        grant["slug"] = "with-zeros".into();
        grant["amount"] = json!({"amount": "1.50", "currency": "USD"});
        let path = "/v1/grant-arrangements?publish=true";
        let made = hub.write("POST", path, None, Some(&grant)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let file = hub.bytes("/v1/grant-arrangements.xlsx").await;
        let before = position(&hub).await;
        let query = "resource=grant-arrangements";
        let told = over(&hub, &hub.token, &send(&hub, &hub.token, query, XLSX, file).await).await;
        assert_eq!(counts(&told)[2], told["total"].as_u64().expect("a total"), "{told}");
        assert_eq!(position(&hub).await, before);
    });
}

#[test]
fn a_fault_of_the_whole_row_is_told_by_itself() {
    on_each_database(async |hub| {
        let text = "code,scheme,label.en\na,own,A\nb,own,B,rest\n";
        let told = take(&hub, "resource=topics", text).await;
        let file = told["faults_file"].as_str().expect("a file");
        let back = hub.get_as(&hub.token, file).await.text;
        assert!(!back.contains(",: ") && !back.contains(": : "), "{back}");
    });
}
