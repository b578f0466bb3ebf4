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
