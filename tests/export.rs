//! Whole lists as files.
use calamine::Reader;
use serde_json::{Value, json};

use crate::harness::{Hub, Reply, on_each_database};

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn a_list_is_taken_whole_as_csv() {
    on_each_database(async |hub| {
        let reply = hub.get("/v1/organisations.csv").await;
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8; header=present");
        let disposition = "attachment; filename=\"organisations.csv\"";
        assert_eq!(reply.header("content-disposition"), disposition);
        let lines = lines(&reply.text);
        assert_eq!(lines.len(), 21);
        assert!(
            lines[0]
                .starts_with("id,revision,state,created_at,updated_at,published_at,slug,name.en")
        );
        let few = hub.get("/v1/organisations.csv?country=KR&fields=slug,name.en&sort=-name").await;
        let expected = "slug,name.en\r\n";
        assert!(few.text.starts_with(expected), "{}", few.text);
        assert!(few.text.contains("nia,National Information Society Agency\r\n"));
    });
}

#[test]
fn a_spreadsheet_takes_no_text_for_a_formula() {
    on_each_database(async |hub| {
        let label = json!({"en": "=HYPERLINK(\"x\")", "ru": "+7, \"семь\"", "ko": "-5"});
        let body = json!({"code": "formula", "scheme": "own", "label": label});
        assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
        let fields = "code,label.en,label.ru,label.ko";
        let reply = hub.get(&format!("/v1/topics.csv?fields={fields}&bom=true")).await;
        assert!(reply.text.starts_with("\u{feff}code,label.en,label.ru,label.ko\r\n"));
        let row = "formula,\"'=HYPERLINK(\"\"x\"\")\",\"'+7, \"\"семь\"\"\",-5\r\n";
        assert!(reply.text.contains(row), "{}", reply.text);
    });
}

#[test]
fn a_list_is_taken_whole_as_lines_of_json() {
    on_each_database(async |hub| {
        let reply = hub.get("/v1/presentations.ndjson").await;
        let records: Vec<Value> =
            lines(&reply.text).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let list = hub.get("/v1/presentations?limit=100").await.json();
        assert_eq!(json!(records), list["items"]);
        let few = hub.get("/v1/seminars.ndjson?fields=slug,title.en,ordinal").await;
        let record: Value = serde_json::from_str(&few.text).unwrap();
        assert_eq!(record, json!({"slug": "first-seminar-2021", "title.en": null, "ordinal": 1}));
        let russian = hub.get("/v1/seminars.ndjson?lang=ru").await;
        assert!(russian.text.contains("\"label\":{\"en\""), "{}", russian.text);
        for format in ["ndjson", "csv", "xlsx"] {
            let (whole, chosen) =
                (format!("/v1/seminars.{format}"), format!("/v1/seminars.{format}?lang=ru"));
            assert_eq!(hub.get(&whole).await.header("content-language"), "", "{format}");
            let chosen = hub.get(&chosen).await;
            let told = if format == "ndjson" { "en" } else { "" };
            assert_eq!(chosen.header("content-language"), told, "columns tell it in a table");
            assert_eq!(varies(&chosen), ["Accept-Encoding", "Authorization"], "{format}");
        }
    });
}

/// What an answer depends on, besides the address.
fn varies(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.headers.get_all("vary").iter().count(), 1, "{:?}", reply.headers);
    let mut names: Vec<_> = reply.header("vary").split(", ").collect();
    names.sort_unstable();
    names
}

#[test]
fn a_list_says_that_it_depends_on_what_is_accepted_and_a_file_does_not() {
    on_each_database(async |hub| {
        let chosen = ["Accept", "Accept-Encoding", "Authorization"];
        let accepted = ["*/*", "application/json", "text/csv", "application/x-ndjson"];
        for (path, accept) in ["/v1/topics", "/v1/countries"]
            .into_iter()
            .flat_map(|path| accepted.map(|one| (path, one)))
        {
            // Made, from memory, and known already.
            let first = hub.send("GET", path, &[("accept", accept)], None).await;
            let second = hub.send("GET", path, &[("accept", accept)], None).await;
            let asked = [("accept", accept), ("if-none-match", first.header("etag"))];
            let known = hub.send("GET", path, &asked, None).await;
            assert_eq!(known.status, 304, "{path} {accept}");
            for reply in [&first, &second, &known] {
                assert_eq!(varies(reply), chosen, "{path} {accept}");
            }
        }
        for path in ["/v1/topics.csv", "/v1/topics/cloud", "/v1/countries.csv", "/v1/countries/KZ"]
        {
            for _ in 0..2 {
                let reply = hub.get(path).await;
                assert_eq!(varies(&reply), ["Accept-Encoding", "Authorization"], "{path}");
                let known = hub.get_from(&hub.url, path, Some(reply.header("etag"))).await;
                assert_eq!(varies(&known), ["Accept-Encoding", "Authorization"], "{path}");
            }
        }
    });
}

#[test]
fn a_list_is_taken_whole_as_a_sheet() {
    on_each_database(async |hub| {
        let reply = hub.bytes("/v1/organisations.xlsx").await;
        assert!(reply.starts_with(b"PK"));
        let mut book = calamine::Xlsx::new(std::io::Cursor::new(reply)).unwrap();
        let sheet = book.worksheet_range("organisations").unwrap();
        assert_eq!(sheet.height(), 21);
        assert_eq!(sheet.get_value((0, 0)).unwrap().to_string(), "id");
        assert_eq!(sheet.get_value((1, 1)), Some(&calamine::Data::Float(1.0)));
    });
}

#[test]
fn a_sheet_whose_cells_cannot_hold_a_text_is_refused_and_not_cut() {
    on_each_database(async |hub| {
        let long = "щ".repeat(9_000);
        let label = json!({"en": "x", "uz": long, "ky": long, "tg": long, "az": long});
        let body = json!({"code": "long", "scheme": "own", "label": label});
        assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
        let reply = hub.get("/v1/topics.xlsx?sort=code").await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        assert_eq!(reply.json()["code"], "too_long_for_cell");
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("label.other") && detail.contains("row "), "{detail}");
        assert_eq!(hub.get("/v1/topics.xlsx?fields=code,label.en,label.uz").await.status, 200);
        let csv = hub.get("/v1/topics.csv?fields=label.other").await.text;
        assert!(csv.contains(&format!("; ky: {long}; ")), "all of it is there");
    });
}

#[test]
fn a_list_comes_in_the_form_that_is_accepted() {
    on_each_database(async |hub| {
        for (accept, kind) in [
            ("text/csv", "text/csv; charset=utf-8; header=present"),
            ("application/x-ndjson", "application/x-ndjson"),
            ("text/csv;q=0.5, application/json", "application/json"),
            ("text/html, */*", "application/json"),
        ] {
            let reply = hub.send("GET", "/v1/topics", &[("accept", accept)], None).await;
            assert_eq!(reply.header("content-type"), kind, "{accept}");
        }
    });
}

#[test]
fn a_file_keeps_its_tag_until_something_changes() {
    on_each_database(async |hub: Hub| {
        for path in [
            "/v1/topics.csv",
            "/v1/topics.csv?bom=true",
            "/v1/topics.ndjson?lang=ru",
            "/v1/topics.xlsx",
            "/v1/topics.xlsx?fields=code",
        ] {
            let (first, second) = (hub.bytes(path).await, hub.bytes(path).await);
            assert_eq!(first, second, "{path}");
            let reply = hub.send("GET", path, &[("accept-encoding", "gzip")], None).await;
            let known = [("if-none-match", reply.header("etag")), ("accept-encoding", "gzip")];
            let again = hub.send("GET", path, &known, None).await;
            assert_eq!((again.status.as_u16(), again.header("etag")), (304, reply.header("etag")));
            let body = json!({"code": format!("after-{}", path.len()), "scheme": "own", "label": {"en": "x"}});
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&body)).await.status, 201);
            assert_eq!(hub.send("GET", path, &known, None).await.status, 200, "{path}");
            assert_ne!(hub.bytes(path).await, first, "{path}");
        }
    });
}

#[test]
fn what_a_file_cannot_be_asked_for_is_refused() {
    on_each_database(async |hub| {
        for (path, fault) in [
            ("topics.csv?fields=nonsense", "fields"),
            ("topics.csv?limit=5", "limit"),
            ("topics.csv?lang=x", "lang"),
            ("topics.csv?fields=code,code", "fields"),
            ("topics.csv?bom=maybe", "bom"),
            ("topics.csv?scheme=x", "scheme"),
        ] {
            let reply = hub.get(&format!("/v1/{path}")).await;
            assert_eq!(
                (reply.status.as_u16(), reply.faults()[0].0.as_str()),
                (400, fault),
                "{path}"
            );
        }
        assert_eq!(hub.get("/v1/topics.pdf").await.status, 404);
        let reply = hub.send("POST", "/v1/topics.csv", &[], None).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET, HEAD, OPTIONS"));
    });
}
