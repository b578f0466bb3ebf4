//! How much one client may ask.
use api::Settings;

use crate::harness::{Hub, Reply, on_each_database_with};

/// Three requests a minute, by whom the proxies say; the tests themselves are one.
fn three_a_minute(settings: &mut Settings) {
    settings.rate_limit = 3.try_into().ok();
    settings.proxies = vec!["127.0.0.0/8".parse().unwrap(), "10.9.0.0/16".parse().unwrap()];
}

async fn get(hub: &Hub, path: &str, from: &str, more: &[(&str, &str)]) -> Reply {
    let headers = [&[("x-forwarded-for", from)], more].concat();
    hub.send("GET", path, &headers, None).await
}

/// The status of so many requests, one after the other.
async fn statuses(hub: &Hub, count: usize, from: &str, more: &[(&str, &str)]) -> Vec<u16> {
    let mut found = Vec::new();
    for _ in 0..count {
        found.push(get(hub, "/v1/seminars", from, more).await.status.as_u16());
    }
    found
}

#[test]
fn who_asks_too_much_is_told_when_to_come_back() {
    on_each_database_with(three_a_minute, async |hub| {
        for left in ["2", "1", "0"] {
            let reply = get(&hub, "/v1/seminars", "203.0.113.1", &[]).await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("ratelimit-policy"), "\"minute\";q=3;w=60");
            let told = reply.header("ratelimit");
            assert!(told.starts_with(&format!("\"minute\";r={left};t=")), "{told}");
        }
        let reply = get(&hub, "/v1/seminars", "203.0.113.1", &[]).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["code"]),
            (429, &"too_many_requests".into())
        );
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=20).contains(&wait), "{wait}");
        assert!(reply.header("ratelimit").starts_with("\"minute\";r=0;t="), "{reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert_eq!(statuses(&hub, 1, "203.0.113.2", &[]).await, [200], "another has their own");
        let well = get(&hub, "/health/ready", "203.0.113.1", &[]).await;
        assert_eq!((well.status.as_u16(), well.header("ratelimit")), (200, ""));
    });
}

#[test]
fn what_has_not_changed_is_not_counted() {
    on_each_database_with(three_a_minute, async |hub| {
        let tag = get(&hub, "/v1/seminars", "203.0.113.1", &[]).await.header("etag").to_owned();
        let known = [("if-none-match", &*tag)];
        assert_eq!(statuses(&hub, 6, "203.0.113.1", &known).await, [304; 6]);
        assert_eq!(statuses(&hub, 3, "203.0.113.1", &[]).await, [200, 200, 429]);
        // Others behind the same address may have asked that much, and some time before.
        for _ in 0..2 {
            assert_eq!(statuses(&hub, 6, "203.0.113.1", &known).await, [304; 6]);
            // Longer than an instance believes that nothing has changed without looking.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let other = [("if-none-match", "\"other\"")];
        assert_eq!(statuses(&hub, 2, "203.0.113.1", &other).await, [429; 2]);
    });
}

#[test]
fn what_had_to_be_made_to_be_found_unchanged_is_counted() {
    let forgetful = |settings: &mut Settings| {
        three_a_minute(settings);
        settings.cache = 0;
    };
    on_each_database_with(forgetful, async |hub| {
        let tag = get(&hub, "/v1/seminars", "203.0.113.1", &[]).await.header("etag").to_owned();
        let known = [("if-none-match", &*tag)];
        assert_eq!(statuses(&hub, 3, "203.0.113.1", &known).await, [304, 304, 429]);
        // Of a file the tag is known before it is written, but not who names none.
        let file = "/v1/seminars.csv";
        let tag = get(&hub, file, "203.0.113.2", &[]).await.header("etag").to_owned();
        let asks = async |tag: &str| {
            get(&hub, file, "203.0.113.2", &[("if-none-match", tag)]).await.status.as_u16()
        };
        for _ in 0..6 {
            assert_eq!(asks(&tag).await, 304);
        }
        assert_eq!((asks("*").await, asks("*").await, asks("*").await), (304, 304, 429));
    });
}

#[test]
fn a_token_allows_more_and_one_that_does_not_hold_no_more_than_none() {
    on_each_database_with(three_a_minute, async |hub| {
        let bearer = format!("Bearer {}", hub.token);
        let mut expected = [200; 31];
        expected[30] = 429;
        let found = statuses(&hub, 31, "203.0.113.1", &[("authorization", &bearer)]).await;
        assert_eq!(found, expected);
        let bogus = [("authorization", "Bearer hub_0_0")];
        assert_eq!(statuses(&hub, 4, "203.0.113.2", &bogus).await, [401, 401, 401, 429]);
    });
}

#[test]
fn who_tries_tokens_waits_for_each_also_where_little_is_left() {
    on_each_database_with(three_a_minute, async |hub| {
        let bearer = format!("Bearer {}", hub.token);
        statuses(&hub, 29, "203.0.113.8", &[("authorization", &bearer)]).await;
        let bogus = [("authorization", "Bearer hub_0_0")];
        let told = get(&hub, "/v1/seminars", "203.0.113.8", &bogus).await;
        assert_eq!(told.status, 401);
        let left = told.header("ratelimit");
        let wait: u64 = left.rsplit_once("t=").unwrap().1.parse().unwrap();
        // Thirty of two seconds each, and nine more that do not fit into the minute.
        assert!((70..=78).contains(&wait), "{left}");
    });
}

/// Asks for a file in a connection of its own, and reads its head only, if there is any.
async fn ask_and_do_not_read(hub: &Hub, path: &str, from: &str) -> (tokio::net::TcpStream, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = hub.url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: hub\r\nX-Forwarded-For: {from}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    (stream, String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn who_reads_no_file_is_given_no_more_of_them_and_others_are() {
    let limited = |settings: &mut Settings| {
        settings.rate_limit = 1000.try_into().ok();
        settings.proxies = vec!["127.0.0.0/8".parse().unwrap()];
    };
    on_each_database_with(limited, async |hub| {
        // More than the buffers of a connection hold.
        let seminars: Vec<_> = (0..350)
            .map(|number| {
                let mut seminar = domain::sample::example("seminars");
                seminar["slug"] = format!("long-{number}").into();
                seminar["summary"] =
                    serde_json::json!({"en": "long ".repeat(1990), "ru": "long ".repeat(1990)});
                seminar
            })
            .collect();
        hub.import(serde_json::json!({"records": {"seminars": seminars}})).await;
        let path = "/v1/seminars.ndjson";
        let mut unread = Vec::new();
        for _ in 0..10 {
            let (stream, status) = ask_and_do_not_read(&hub, path, "203.0.113.1").await;
            assert_eq!(status, "HTTP/1.1 200");
            unread.push(stream);
        }
        let (_, refused) = ask_and_do_not_read(&hub, path, "203.0.113.1").await;
        assert_eq!(refused, "HTTP/1.1 429");
        let (_, other) = ask_and_do_not_read(&hub, path, "203.0.113.2").await;
        assert_eq!(other, "HTTP/1.1 200", "another has their own");
        let figures = get(&hub, "/v1/statistics/seminars.csv", "203.0.113.1", &[]).await;
        assert_eq!(figures.status, 200, "what is small is not kept");
        drop(unread);
        for _ in 0..600 {
            let (_, again) = ask_and_do_not_read(&hub, path, "203.0.113.1").await;
            if again == "HTTP/1.1 200" {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("files that nobody reads any more still count");
    });
}

#[test]
fn what_looks_at_no_token_is_counted_as_without_one() {
    on_each_database_with(three_a_minute, async |hub| {
        let bearer = [("authorization", "Bearer hub_0_0")];
        for (path, most) in
            [("/docs/", "3"), ("/", "3"), ("/v1/topics", "30"), ("/openapi.json", "30")]
        {
            let told = get(&hub, path, "203.0.113.7", &bearer).await;
            let policy = format!("\"minute\";q={most};w=60");
            assert_eq!(told.header("ratelimit-policy"), policy, "{path}");
        }
    });
}

#[test]
fn one_client_keeps_no_more_streams_open_than_its_share() {
    let limited = |settings: &mut Settings| {
        settings.rate_limit = 1000.try_into().ok();
        settings.proxies = vec!["127.0.0.0/8".parse().unwrap()];
    };
    on_each_database_with(limited, async |hub| {
        let open = async |from: &str| {
            let request = hub.client.get(format!("{}/v1/changes/stream", hub.url));
            request.header("x-forwarded-for", from).send().await.unwrap()
        };
        let mut streams = Vec::new();
        for _ in 0..50 {
            let stream = open("203.0.113.1").await;
            assert_eq!(stream.status(), 200);
            streams.push(stream);
        }
        let more = Reply::of(open("203.0.113.1").await).await;
        assert_eq!(
            (more.status.as_u16(), more.json()["code"].clone()),
            (503, "too_many_streams".into())
        );
        assert_eq!(open("203.0.113.2").await.status(), 200, "another has their own");
        drop(streams);
        // The service learns that they are gone when it next says that it lives, or tells something.
        for number in 0..600 {
            let topic = serde_json::json!({"code": format!("t-{number}"), "scheme": "own", "label": {"en": "t"}});
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&topic)).await.status, 201);
            if open("203.0.113.1").await.status() == 200 {
                return;
            }
        }
        panic!("streams that are gone still count");
    });
}

#[test]
fn a_network_of_ipv6_is_one_client_and_only_proxies_are_believed() {
    on_each_database_with(three_a_minute, async |hub| {
        for (from, status) in [
            ("2001:db8:1:2::1", 200),
            ("2001:db8:1:2::2", 200),
            ("2001:db8:1:2:ffff::", 200),
            ("2001:db8:1:2::3", 429),
            ("2001:db8:1:3::1", 200),
        ] {
            assert_eq!(statuses(&hub, 1, from, &[]).await, [status], "{from}");
        }
        for (from, status) in [
            ("203.0.113.9:4711", 200),
            ("203.0.113.9", 200),
            ("203.0.113.9:1", 200),
            ("203.0.113.9:2", 429),
            ("[2001:db8:1:4::1]:80", 200),
            ("[2001:db8:1:4::2]", 200),
            ("2001:db8:1:4::3", 200),
            ("[2001:db8:1:4::4]:81", 429),
        ] {
            assert_eq!(statuses(&hub, 1, from, &[]).await, [status], "{from}");
        }
        // Whatever a client claims stands before its own address, which the first proxy has put there.
        for (claimed, status) in (1..=4).zip([200, 200, 200, 429]) {
            let from = format!("198.51.100.{claimed}, 203.0.113.7, 10.9.0.1");
            assert_eq!(statuses(&hub, 1, &from, &[]).await, [status], "{from}");
        }
    });
    let none_believed = |settings: &mut Settings| settings.rate_limit = 3.try_into().ok();
    on_each_database_with(none_believed, async |hub| {
        for (claimed, status) in (1..=4).zip([200, 200, 200, 429]) {
            let from = format!("198.51.100.{claimed}");
            assert_eq!(statuses(&hub, 1, &from, &[]).await, [status], "{from}");
        }
    });
}
