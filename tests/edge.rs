//! The edge of HTTP.
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Hub, on_each_database};

async fn post(hub: &Hub, kind: &str, body: &[u8]) -> (u16, String) {
    let bearer = format!("Bearer {}", hub.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
    let reply = hub.send("POST", "/v1/topics", &headers, Some(body.to_vec())).await;
    assert_eq!(reply.header("content-type"), "application/problem+json");
    (reply.status.as_u16(), reply.json()["code"].as_str().unwrap().to_owned())
}

#[test]
fn bodies_that_cannot_be_read_are_refused_for_what_they_are() {
    on_each_database(async |hub| {
        let json = "application/json";
        let deep = [b"[".repeat(70), b"]".repeat(70)].concat();
        let large = format!("\"{}\"", "a".repeat(300_000)).into_bytes();
        let cases: [(&str, &[u8], u16, &str); 9] = [
            (json, b"{\"code\": ", 400, "malformed_body"),
            (json, b"{\"code\": 1, \"code\": 2}", 400, "malformed_body"),
            (json, b"{\"code\": \"a\\u0000\"}", 400, "invalid_body"),
            (json, b"{\"code\": \"\xff\"}", 400, "malformed_body"),
            (json, b"", 400, "malformed_body"),
            (json, &deep, 400, "malformed_body"),
            (json, b"[]", 400, "invalid_body"),
            (json, &large, 413, "body_too_large"),
            ("text/plain", b"{}", 415, "unsupported_media_type"),
        ];
        for (kind, body, status, code) in cases {
            assert_eq!(post(&hub, kind, body).await, (status, code.to_owned()));
        }
    });
}

#[test]
fn malformed_json_is_told_with_its_line_and_its_place() {
    on_each_database(async |hub| {
        let bearer = format!("Bearer {}", hub.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = b"{\n \"label\": {\"en\": nonsense}\n}".to_vec();
        let reply = hub.send("POST", "/v1/topics", &headers, Some(body)).await;
        assert_eq!(reply.faults(), [("/label/en".into(), "malformed_json".into())]);
        assert!(reply.json()["detail"].as_str().unwrap().contains("line 2"), "{}", reply.text);
    });
}

#[test]
fn a_body_that_is_not_there_is_said_not_to_be_there() {
    on_each_database(async |hub| {
        let bearer = format!("Bearer {}", hub.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        for body in ["", " \n"] {
            let reply = hub.send("POST", "/v1/topics", &headers, Some(body.into())).await;
            let told = reply.json();
            let detail = "There is no body: send one, in the form that the contract tells.";
            assert_eq!(
                (&told["code"], &told["detail"]),
                (&json!("malformed_body"), &json!(detail))
            );
        }
    });
}

#[test]
fn parameters_that_do_not_exist_or_have_one_value_and_come_twice_are_refused() {
    on_each_database(async |hub| {
        let reply = hub.get("/v1/seminars?contry=KZ&limit=0&past=true&past=true").await;
        assert_eq!(reply.status, 400);
        let expected = [
            ("past", "repeated_parameter"),
            ("limit", "invalid_parameter"),
            ("contry", "unknown_parameter"),
        ];
        assert_eq!(reply.faults(), expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
        let told = &reply.json()["errors"][0]["detail"];
        assert_eq!(told, "past is given twice: give it once.");
        for path in ["/v1/seminars?cursor=bm9uc2Vuc2U", "/v1/seminars?cursor=%00"] {
            assert_eq!(hub.get(path).await.status, 400);
        }
        let page = hub.get("/v1/organisations?limit=1&sort=name").await.json();
        let cursor = page["next_cursor"].as_str().unwrap();
        let other =
            hub.get(&format!("/v1/organisations?country=KR&sort=name&cursor={cursor}")).await;
        assert_eq!(other.json()["code"], "invalid_cursor");
    });
}

#[test]
fn a_list_may_be_sent_by_its_name_again() {
    on_each_database(async |hub| {
        for (path, commas, again) in [
            ("/v1/seminars", "kind=launch,seminar", "kind=launch&kind=seminar"),
            ("/v1/seminars", "lang=ru,en&limit=1", "lang=ru&limit=1&lang=en"),
            ("/v1/seminars", "sort=title,-ordinal", "sort=title&sort=-ordinal"),
            ("/v1/presentations", "include=speakers,seminar", "include=speakers&include=seminar"),
            ("/v1/organisations.csv", "fields=slug,kind", "fields=slug&fields=kind"),
            ("/v1/seminars/first-seminar-2021", "lang=kk,ru", "lang=kk&lang=ru"),
            ("/v1/statistics/seminars", "group_by=year,kind", "group_by=year&group_by=kind"),
        ] {
            let told = hub.get(&format!("{path}?{commas}")).await;
            // As it is made, and as it is remembered.
            for _ in 0..2 {
                let reply = hub.get(&format!("{path}?{again}")).await;
                assert_eq!(reply.status, 200, "{path}?{again}: {}", reply.text);
                assert_eq!(reply.text, told.text, "{path}?{again}");
            }
        }
        let one = hub.get("/v1/organisations?country=KZ&with_total=true").await.json();
        let two = hub.get("/v1/organisations?country=KZ&country=KR&with_total=true").await.json();
        assert!(two["total"].as_u64() > one["total"].as_u64(), "{two}");
        let page = hub.get("/v1/organisations?country=KZ&country=KR&limit=1").await;
        let next = page.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
        assert_eq!(hub.get(&next).await.status, 200, "{next}");
        let nothing = hub.get("/v1/organisations?country=KZ&country=").await;
        assert_eq!(nothing.faults(), [("country".into(), "invalid_parameter".into())]);
    });
}

#[test]
fn a_change_takes_no_parameter_that_it_does_not_know() {
    on_each_database(async |hub| {
        let path = "/v1/topics/cloud";
        let tag = hub.get(path).await.header("etag").to_owned();
        let body = hub.get(path).await.json();
        for (method, path) in [
            ("PUT", "/v1/topics/cloud?publish=true"),
            ("PATCH", "/v1/topics/cloud?lang=en"),
            ("DELETE", "/v1/topics/cloud?dry_run=true"),
            ("POST", "/v1/topics/cloud/withdraw?dry_run=true"),
        ] {
            let reply = hub.write(method, path, Some(&tag), Some(&body)).await;
            let name = path.split(['?', '=']).nth(1).unwrap();
            assert_eq!(reply.status, 400, "{method} {path}: {}", reply.text);
            assert_eq!(reply.faults(), [(name.to_owned(), "unknown_parameter".to_owned())]);
        }
        assert_eq!(hub.get(path).await.header("etag"), tag);
    });
}

#[test]
fn an_address_has_a_length_that_ends() {
    on_each_database(async |hub| {
        let reply = hub.get(&format!("/v1/seminars?kind={}", "a".repeat(9000))).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()["code"].as_str()),
            (414, Some("address_too_long"))
        );
    });
}

#[test]
fn methods_that_an_address_does_not_take_are_told_which_it_takes() {
    on_each_database(async |hub| {
        let reply = hub.send("PUT", "/v1/seminars", &[], None).await;
        assert_eq!(reply.status, 405);
        assert_eq!(reply.header("allow"), "GET, HEAD, POST, OPTIONS");
        let reply = hub.send("OPTIONS", "/v1/seminars/first-seminar-2021", &[], None).await;
        assert_eq!(reply.status, 204);
        assert_eq!(reply.header("allow"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
        let reply = hub.send("DELETE", "/v1/countries/KZ", &[], None).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET, HEAD, OPTIONS"));
        assert_eq!(hub.get("/v1/nothing").await.json()["code"], "no_such_address");
        let head = hub.send("HEAD", "/v1/seminars", &[], None).await;
        let get = hub.get("/v1/seminars").await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
        assert_eq!(head.header("etag"), get.header("etag"));
    });
}

#[test]
fn each_encoding_has_a_tag_of_its_own_and_is_not_sent_twice() {
    on_each_database(async |hub| {
        let mut tags = Vec::new();
        for encoding in ["identity", "gzip", "br", "zstd"] {
            let accept = [("accept-encoding", encoding)];
            let reply = hub.send("GET", "/v1/organisations", &accept, None).await;
            let tag = reply.header("etag").to_owned();
            assert!(!tags.contains(&tag), "{encoding}");
            let again = [("accept-encoding", encoding), ("if-none-match", tag.as_str())];
            let again = hub.send("GET", "/v1/organisations", &again, None).await;
            assert_eq!((again.status.as_u16(), again.header("etag")), (304, tag.as_str()));
            tags.push(tag);
        }
    });
}

#[test]
fn who_has_one_of_several_tags_has_it_however_they_are_told() {
    on_each_database(async |hub: Hub| {
        let file = "/v1/organisations.csv";
        for path in ["/v1/organisations", "/v1/organisations", file] {
            let tag = hub.get(path).await.header("etag").to_owned();
            let weak = format!("\"other\", W/{tag}");
            for told in [&[weak.as_str()][..], &["\"other\"", tag.as_str()], &["*"]] {
                let headers: Vec<_> = told.iter().map(|line| ("if-none-match", *line)).collect();
                let again = hub.send("GET", path, &headers, None).await;
                assert_eq!((again.status.as_u16(), again.header("etag")), (304, tag.as_str()));
            }
            let other = [("if-none-match", "\"other\", \"another\"")];
            assert_eq!(hub.send("GET", path, &other, None).await.status, 200, "{path}");
        }
    });
}

/// How long the rest of an answer comes after its beginning.
async fn rest_after(connection: &mut TcpStream, request: &[u8]) -> Duration {
    connection.write_all(request).await.expect("sent");
    let (mut answer, mut part) = (Vec::new(), vec![0; 64 * 1024]);
    let mut begun = None;
    while !answer.ends_with(b"\r\n0\r\n\r\n") {
        let read = connection.read(&mut part).await.expect("an answer");
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        begun.get_or_insert_with(Instant::now);
        answer.extend_from_slice(&part[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    begun.expect("something was read").elapsed()
}

#[test]
fn no_part_of_an_answer_waits_until_the_client_has_confirmed_the_one_before() {
    on_each_database(async |hub| {
        // Who brings a token is given what was compressed just now, in parts.
        let request = format!(
            "GET /v1/organisations HTTP/1.1\r\nhost: hub\r\naccept-encoding: gzip\r\n\
            authorization: Bearer {}\r\n\r\n",
            hub.token
        );
        let at = hub.url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(at).await.expect("a connection");
        let mut times = Vec::new();
        for _ in 0..25 {
            times.push(rest_after(&mut connection, request.as_bytes()).await);
        }
        times.sort();
        // A client that has nothing to say confirms after 40 ms what it was sent.
        assert!(times[12] < Duration::from_millis(30), "{times:?}");
    });
}

#[test]
fn every_page_may_read_and_listed_pages_may_write() {
    on_each_database(async |hub| {
        let page = [("origin", "https://ministry.example.org")];
        let reply = hub.send("GET", "/v1/seminars", &page, None).await;
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert!(reply.header("access-control-expose-headers").contains("ETag"));
        let wrong = hub.send("POST", "/v1/countries", &page, Some("{}".into())).await;
        assert_eq!(wrong.json()["code"], "method_not_allowed");
        assert_eq!(wrong.header("access-control-allow-origin"), "*");
        let ask =
            |origin: &'static str| [("origin", origin), ("access-control-request-method", "POST")];
        let other = hub.send("OPTIONS", "/v1/seminars", &ask("https://other.example"), None).await;
        assert_eq!(other.header("access-control-allow-origin"), "");
        let staff = "https://staff.example.org";
        let listed = hub.send("OPTIONS", "/v1/seminars", &ask(staff), None).await;
        assert_eq!(listed.header("access-control-allow-origin"), staff);
    });
}

#[test]
fn every_answer_has_an_id_and_the_headers_of_safety() {
    on_each_database(async |hub| {
        let id = "01931f6e-6c00-7000-8000-000000000001";
        for path in ["/v1/seminars", "/v1/nothing", "/docs/", "/health/ready", "/openapi.json"] {
            let reply = hub.send("GET", path, &[("x-request-id", id)], None).await;
            assert_eq!(reply.header("x-request-id"), id, "{path}");
            assert_eq!(reply.header("x-content-type-options"), "nosniff");
            assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
        }
        let problem = hub.send("GET", "/v1/nothing", &[("x-request-id", id)], None).await.json();
        assert_eq!(problem["instance"], format!("urn:uuid:{id}"));
        let about = hub.get(problem["type"].as_str().unwrap()).await;
        let about = about.json();
        assert_eq!((&about["code"], &about["status"]), (&json!("no_such_address"), &json!(404)));
        assert!(about["meaning"].as_str().unwrap().contains("/docs"), "what to do: {about}");
    });
}

#[test]
fn only_what_the_world_reaches_by_tls_asks_for_it_ever_after() {
    on_each_database(async |hub: Hub| {
        const ASKED: &str = "strict-transport-security";
        let open = hub.another(|settings| settings.public_url = None);
        for path in ["/v1/seminars", "/v1/seminars", "/v1/nothing", "/docs/", "/health/ready"] {
            assert_eq!(hub.get(path).await.header(ASKED), "max-age=31536000", "{path}");
            assert_eq!(hub.get_from(&open.url, path, None).await.header(ASKED), "", "{path}");
        }
        open.stop().await;
    });
}

#[test]
fn tokens_that_are_unknown_or_misspelt_do_not_write() {
    on_each_database(async |hub| {
        let good = format!("Bearer {}", hub.token);
        for given in ["Bearer nonsense", "Basic YTpi", "Bearer", &good[..good.len() - 1]] {
            let headers = [("authorization", given), ("content-type", "application/json")];
            let reply = hub.send("POST", "/v1/topics", &headers, Some(b"{}".to_vec())).await;
            assert_eq!(reply.status, 401, "{given}");
        }
    });
}

#[test]
fn changes_name_the_revision_that_they_are_made_to() {
    on_each_database(async |hub| {
        let path = "/v1/topics/cloud";
        let body = domain::sample::example("topics");
        for (given, status) in [
            (None, 428),
            (Some("*"), 400),
            (Some("nonsense"), 400),
            (Some("W/\"1\""), 400),
            (Some("\"7\""), 412),
        ] {
            let reply = hub.write("PUT", path, given, Some(&body)).await;
            assert_eq!(reply.status, status, "{given:?} {}", reply.text);
        }
    });
}

#[test]
fn nothing_is_called_by_a_letter_that_postgres_has_not() {
    on_each_database(async |hub| {
        for path in [
            "/v1/seminars/%00",
            "/v1/seminars/first-seminar-2021%00/programme",
            "/v1/people/a%00b/presentations",
            "/v1/projects/%00.iati.xml",
            "/v1/topics/%00/revisions",
        ] {
            for method in ["GET", "PATCH", "DELETE"] {
                let reply = hub.write_as(&hub.token, method, path, Some("\"1.a\""), None).await;
                assert_eq!(reply.status, 404, "{method} {path}: {}", reply.text);
            }
            assert_eq!(hub.get(path).await.json()["code"], "no_such_address", "{path}");
        }
        let sought = hub.get("/v1/seminars?q=%00first%00").await;
        assert_eq!(sought.json()["code"], "invalid_parameter", "{}", sought.text);
    });
}

#[test]
fn the_documentation_is_only_read() {
    on_each_database(async |hub| {
        for path in ["/docs/", "/docs/index.html", "/docs"] {
            for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let reply = hub.send(method, path, &[], None).await;
                let status = if method == "OPTIONS" { 204 } else { 405 };
                assert_eq!(reply.status, status, "{method} {path}");
                assert_eq!(reply.header("allow"), "GET, HEAD, OPTIONS", "{method} {path}");
            }
        }
    });
}

#[test]
fn who_refuses_an_answer_as_it_is_gets_it_compressed_and_who_refuses_all_as_it_is() {
    on_each_database(async |hub| {
        let bearer = format!("Bearer {}", hub.token);
        for (accepted, encoding) in [
            ("identity;q=0", ".gzip"),
            ("br, identity;q=0", ".br"),
            ("*;q=0", ""),
            ("identity;q=0, *;q=0", ""),
            ("gzip;q=0, identity;q=0", ""),
        ] {
            let public = vec![("accept-encoding", accepted)];
            let personal = vec![("accept-encoding", accepted), ("authorization", &*bearer)];
            for headers in [&public, &public, &personal] {
                let reply = hub.send("GET", "/v1/organisations", headers, None).await;
                assert_eq!(reply.status, 200, "{accepted}: {}", reply.text);
                // The tag tells how it came: the client has unpacked it, and says nothing of it.
                let tag = reply.header("etag").trim_end_matches('"').to_owned();
                let told = tag.find('.').map_or("", |at| &tag[at..]);
                assert_eq!(told, encoding, "{accepted}");
            }
        }
    });
}

#[test]
fn a_page_elsewhere_may_go_on_with_a_stream_and_reads_the_names_of_files() {
    on_each_database(async |hub| {
        let ask = [
            ("origin", "https://ministry.example.org"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "last-event-id"),
        ];
        let allowed = hub.send("OPTIONS", "/v1/changes/stream", &ask, None).await;
        let headers = allowed.header("access-control-allow-headers").to_lowercase();
        for name in ["last-event-id", "cache-control", "if-modified-since"] {
            assert!(headers.split(", ").any(|header| header == name), "{headers}");
        }
        let exposed = async |path: &str| {
            let reply = hub.send("GET", path, &ask[..1], None).await;
            let lines = reply.headers.get_all("access-control-expose-headers").iter();
            let lines: Vec<_> = lines.map(|line| line.to_str().unwrap().to_owned()).collect();
            lines.join(", ").contains("Content-Disposition")
        };
        // From memory as well.
        for _ in 0..2 {
            assert!(exposed("/v1/topics.csv").await);
            assert!(!exposed("/v1/topics").await);
        }
    });
}

#[test]
fn a_token_that_does_not_hold_reads_nothing() {
    on_each_database(async |hub| {
        for path in [
            "/v1/seminars",
            "/v1/changes",
            "/v1/changes/stream",
            "/v1/dump.zip",
            "/v1/countries",
            "/v1/countries.csv",
            "/openapi.json",
        ] {
            let reply = hub.get_as("nonsense", path).await;
            assert_eq!(reply.status, 401, "{path}");
            assert_eq!(reply.json()["code"], "unauthenticated", "{path}");
            if !path.ends_with("stream") {
                assert_eq!(hub.get_as(&hub.token, path).await.status, 200, "{path}");
            }
        }
    });
}

#[test]
fn all_that_can_go_wrong_is_listed_as_it_is_told_one_by_one() {
    on_each_database(async |hub| {
        let all = hub.get("/problems").await.json();
        for (list, known) in [("problems", "stale_revision"), ("errors", "missing_field")] {
            let kinds = all[list].as_array().unwrap();
            assert!(kinds.iter().any(|kind| kind["code"] == known), "{kinds:?}");
            for kind in kinds {
                let path = format!("/problems/{}", kind["code"].as_str().unwrap());
                assert_eq!(hub.get(&path).await.json(), *kind);
            }
        }
    });
}

#[test]
fn who_comes_with_a_browser_is_shown_a_page_and_programs_are_told_the_same_in_json() {
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    on_each_database(async |hub| {
        for path in ["/", "/problems", "/problems/stale_revision", "/problems/missing_field"] {
            let page = hub.send("GET", path, &[("accept", BROWSER)], None).await;
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
            assert!(page.header("content-security-policy").contains("style-src"), "{path}");
            assert!(page.header("vary").contains("Accept,"), "{}", page.header("vary"));
            assert!(page.text.contains("<a href=\"/docs/\">"), "{}", page.text);
            for accept in ["*/*", "application/json", "application/json, text/html"] {
                // Whichever was asked for first, nobody is given the other from memory.
                let told = hub.send("GET", path, &[("accept", accept)], None).await;
                assert_eq!(told.header("content-type"), "application/json", "{path} {accept}");
                assert_ne!(told.header("etag"), page.header("etag"));
            }
        }
        let home = hub.get("/").await;
        assert!(home.header("link").contains("</.well-known/api-catalog>; rel=\"api-catalog\""));
        let home = home.json();
        let collections = home["collections"].as_object().unwrap();
        assert_eq!(collections.len(), domain::collections().len());
        let mut addresses: Vec<_> = collections.values().collect();
        let others = ["api", "countries", "statistics", "changes", "dump", "contract"];
        addresses.extend(others.map(|name| &home[name]));
        addresses.extend([&home["documentation"], &home["health"]]);
        for address in addresses {
            let address = address.as_str().unwrap();
            assert_eq!(hub.send("HEAD", address, &[], None).await.status, 200, "{address}");
        }
    });
}

#[test]
fn the_api_is_found_where_everybody_looks_for_it() {
    on_each_database(async |hub| {
        let catalog = hub.get("/.well-known/api-catalog").await;
        let kind = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";
        assert_eq!(catalog.header("content-type"), kind);
        let one = catalog.json()["linkset"][0].clone();
        assert_eq!(one["anchor"], "https://hub.example.org/");
        for relation in ["service-desc", "service-doc", "status"] {
            let link = &one[relation][0];
            let path = link["href"].as_str().unwrap().strip_prefix("https://hub.example.org");
            let reply = hub.get(path.unwrap()).await;
            assert_eq!(reply.status, 200, "{relation}");
            let kind = link["type"].as_str().unwrap();
            assert!(reply.header("content-type").starts_with(kind), "{relation}");
        }
        let path = "/.well-known/security.txt";
        let other = hub.another(|settings| settings.security_contact = None);
        let nobody = hub.get_from(&other.url, path, None).await;
        assert_eq!(nobody.json()["code"], "no_such_address");
        other.stop().await;
        let told = hub.get(path).await;
        let contact = "mailto:security@hub.example.org";
        assert_eq!(told.header("content-type"), "text/plain; charset=utf-8");
        let itself = "https://hub.example.org/.well-known/security.txt";
        let expected =
            format!("Contact: {contact}\nExpires: 2026-06-30T00:00:00Z\nCanonical: {itself}\n");
        assert_eq!(told.text, expected);
        let known = [("if-none-match", told.header("etag"))];
        assert_eq!(hub.send("GET", path, &known, None).await.status, 304);
    });
}
