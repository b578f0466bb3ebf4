//! Tokens: what each role may do, how a token is made, limited and ended, and what is not told.
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::Role;
use persistence::{Error, NewToken, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::{Hub, Reply, on_each_database},
    running::said,
};

/// A token of that role, made without the service.
async fn token(store: &Store, role: Role, lasts: TimeDelta) -> String {
    let expires_at = store.now() + lasts;
    let new = NewToken { name: role.name().to_owned(), role, expires_at, projects: None };
    store.create_token(&new).await.unwrap().1
}

/// Asks with that token.
async fn ask(hub: &Hub, token: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("if-match", "\"1\""),
    ];
    hub.send(method, path, &headers, body.map(|body| body.to_string().into_bytes())).await
}

async fn make(hub: &Hub, body: &Value) -> Reply {
    hub.write("POST", "/v1/tokens", None, Some(body)).await
}

fn id_of(token: &str) -> &str {
    token.split('_').nth(1).unwrap()
}

/// What only its bearer knows. It may hold underscores of its own.
fn secret_of(token: &str) -> &str {
    token.splitn(3, '_').last().unwrap()
}

fn topic(code: &str) -> Value {
    json!({"code": code, "scheme": "own", "label": {"en": code}})
}

#[test]
fn each_role_may_do_what_it_is_for_and_no_more() {
    on_each_database(async |hub| {
        let store = hub.database.open().await.unwrap();
        for (role, writes, publishes, manages) in [
            (Role::Viewer, false, false, false),
            (Role::Editor, true, false, false),
            (Role::Publisher, true, true, false),
            (Role::Registrar, false, false, false),
            (Role::Admin, true, true, true),
        ] {
            let token = token(&store, role, TimeDelta::days(1)).await;
            let gone = topic(&format!("gone-{}", role.name()));
            assert_eq!(hub.write("POST", "/v1/topics", None, Some(&gone)).await.status, 201);
            let gone = format!("/v1/topics/gone-{}", role.name());
            let new = topic(role.name());
            let hook = json!({"url": "https://example.org/", "enabled": false});
            let other = json!({"name": "other", "role": "viewer"});
            for (method, path, body, allowed, status) in [
                ("GET", "/v1/tokens/self", None, true, 200),
                ("POST", "/v1/topics", Some(&new), writes, 201),
                // An editor's change to what is public is kept aside.
                ("PUT", "/v1/topics/cloud", Some(&new), writes, if publishes { 409 } else { 202 }),
                ("PATCH", "/v1/topics/cloud", None, writes, 415),
                ("DELETE", gone.as_str(), None, publishes, 204),
                ("GET", "/v1/webhooks", None, manages, 200),
                ("POST", "/v1/webhooks", Some(&hook), manages, 201),
                ("GET", "/v1/tokens", None, manages, 200),
                ("POST", "/v1/tokens", Some(&other), manages, 201),
                ("GET", "/v1/tokens/0123456789ab", None, manages, 404),
                ("POST", "/v1/tokens/0123456789ab/revoke", None, manages, 404),
            ] {
                let reply = ask(&hub, &token, method, path, body).await;
                let wanted = if allowed { status } else { 403 };
                assert_eq!(reply.status, wanted, "{role:?} {method} {path}: {}", reply.text);
                if !allowed {
                    assert_eq!(reply.json()["code"], "forbidden");
                    assert_eq!(reply.header("cache-control"), "no-store");
                }
            }
        }
    });
}

#[test]
fn why_a_token_does_not_hold_is_not_told() {
    on_each_database(async |hub| {
        let store = hub.database.open().await.unwrap();
        // The clock goes on by a second each time that it is read.
        let expired = token(&store, Role::Admin, TimeDelta::seconds(1)).await;
        let revoked = token(&store, Role::Admin, TimeDelta::days(1)).await;
        store.revoke_token(id_of(&revoked)).await.unwrap();
        let unknown = format!("hub_0123456789ab_{}", "A".repeat(43));
        let bearers: Vec<_> =
            [&expired, &revoked, &unknown, &hub.token[..hub.token.len() - 1], "nonsense"]
                .map(|token| format!("Bearer {token}"))
                .into();
        let mut others = vec!["Basic YTpi", "Bearer", ""];
        others.extend(bearers.iter().map(String::as_str));
        let id = ("x-request-id", "01931f6e-6c00-7000-8000-000000000001");
        for path in ["/v1/tokens", "/v1/tokens/self", "/v1/webhooks"] {
            let absent = hub.send("GET", path, &[id], None).await;
            assert_eq!(absent.status, 401);
            assert_eq!(absent.header("www-authenticate"), "Bearer realm=\"capacity-hub\"");
            for given in &others {
                let reply = hub.send("GET", path, &[id, ("authorization", given)], None).await;
                assert_eq!((reply.status, &reply.text), (absent.status, &absent.text), "{given}");
                let told = reply.header("www-authenticate");
                assert_eq!(told, absent.header("www-authenticate"), "{given}");
            }
        }
    });
}

#[test]
fn a_token_is_told_once_and_shown_without_its_secret() {
    on_each_database(async |hub| {
        let made = make(&hub, &json!({"name": "The ministry", "role": "editor", "days": 30})).await;
        assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
        let token = made.json()["token"].as_str().unwrap().to_owned();
        let path = format!("/v1/tokens/{}", id_of(&token));
        assert_eq!(made.header("location"), path);

        let kept = ask(&hub, &hub.token, "GET", &path, None).await;
        assert_eq!(kept.header("cache-control"), "no-store");
        let mut told = made.json();
        told.as_object_mut().unwrap().remove("token");
        assert_eq!(kept.json(), told);
        assert_eq!(told["projects"], json!(null));
        assert_eq!(told["last_used_at"], json!(null));
        let time = |name: &str| {
            told[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap()
        };
        let lasts: TimeDelta = time("expires_at") - time("created_at");
        // The clock was read twice.
        assert!((TimeDelta::days(30) - lasts).abs() <= TimeDelta::seconds(1), "{lasts}");

        let own = ask(&hub, &token, "GET", "/v1/tokens/self", None).await;
        assert_eq!((own.status.as_u16(), own.header("cache-control")), (200, "no-store"));
        assert_eq!(json!([own.json()["id"], own.json()["role"]]), json!([told["id"], "editor"]));
        let all = ask(&hub, &hub.token, "GET", "/v1/tokens?limit=100", None).await;
        assert_eq!(all.json()["items"].as_array().unwrap().len(), 2);
        let secret = secret_of(&token);
        for shown in [&kept, &own, &all] {
            assert!(!shown.text.contains(secret) && !shown.text.contains("sha256"));
        }
    });
}

#[test]
fn what_cannot_be_a_token_is_refused() {
    on_each_database(async |hub| {
        let year = |days: i64| json!({"name": "x", "role": "viewer", "days": days});
        for (body, status, place, code) in [
            (year(367), 422, "/days", "too_large"),
            (year(0), 422, "/days", "too_small"),
            (json!({"name": "x", "role": "king"}), 400, "/role", "unknown_value"),
            (json!({"name": "x"}), 400, "/role", "missing_field"),
            (json!({"name": " ", "role": "viewer"}), 422, "/name", "invalid_value"),
            (json!({"name": "x", "role": "viewer", "projects": []}), 422, "/projects", "empty"),
            (
                json!({"name": "x", "role": "viewer", "projects": ["nowhere"]}),
                422,
                "/projects/0",
                "unknown_reference",
            ),
            (
                json!({"name": "x", "role": "viewer", "token": "mine"}),
                400,
                "/token",
                "unknown_field",
            ),
        ] {
            let reply = make(&hub, &body).await;
            assert_eq!(reply.status, status, "{}", reply.text);
            assert_eq!(reply.faults(), [(place.to_owned(), code.to_owned())], "{}", reply.text);
        }
        assert_eq!(make(&hub, &year(366)).await.status, 201);
        for path in ["/v1/tokens/0123456789AB", "/v1/tokens/0123456789a", "/v1/tokens/other"] {
            assert_eq!(ask(&hub, &hub.token, "GET", path, None).await.status, 404, "{path}");
        }
        let store = hub.database.open().await.unwrap();
        let expires_at = store.now() + TimeDelta::days(367);
        let name = "too long".to_owned();
        let new = NewToken { name, role: Role::Viewer, expires_at, projects: None };
        assert!(matches!(store.create_token(&new).await, Err(Error::Refused(_))));
    });
}

#[test]
fn a_revoked_token_ends_at_once_and_whoever_holds_one_may_give_it_up() {
    on_each_database(async |hub| {
        let store = hub.database.open().await.unwrap();
        let viewer = token(&store, Role::Viewer, TimeDelta::days(1)).await;
        let editor = token(&store, Role::Editor, TimeDelta::days(1)).await;
        let revoke = |token: &str| format!("/v1/tokens/{}/revoke", id_of(token));

        let others = ask(&hub, &viewer, "POST", &revoke(&editor), None).await;
        assert_eq!(others.status, 403, "{}", others.text);
        let own = ask(&hub, &viewer, "POST", &revoke(&viewer), None).await;
        assert_eq!((own.status.as_u16(), own.header("cache-control")), (200, "no-store"));
        assert_eq!(ask(&hub, &viewer, "GET", "/v1/tokens/self", None).await.status, 401);

        let first = ask(&hub, &hub.token, "POST", &revoke(&editor), None).await;
        let again = ask(&hub, &hub.token, "POST", &revoke(&editor), None).await;
        assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 200));
        assert!(first.json()["revoked_at"].is_string());
        assert_eq!(first.json(), again.json());
        let refused = ask(&hub, &editor, "POST", "/v1/topics", Some(&topic("late"))).await;
        assert_eq!(refused.status, 401);
    });
}

#[test]
fn a_token_is_limited_to_projects_and_stays_so_when_they_are_deleted() {
    on_each_database(async |hub| {
        let mut project = domain::sample::example("projects");
        project["slug"] = "short-lived".into();
        let project = hub.write("POST", "/v1/projects", None, Some(&project)).await;
        assert_eq!(project.status, 201, "{}", project.text);
        let id = project.json()["id"].clone();
        let body = json!({"name": "x", "role": "admin", "projects": ["short-lived", id]});
        let made = make(&hub, &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.json()["projects"], json!([id]));
        let path = made.header("location").to_owned();
        let kept = ask(&hub, &hub.token, "GET", &path, None).await.json();
        let listed = ask(&hub, &hub.token, "GET", "/v1/tokens?limit=1", None).await.json();
        assert_eq!((&kept["projects"], &listed["items"][0]), (&json!([id]), &kept));

        // What belongs to no project lies beyond the limit of every token.
        let token = made.json()["token"].as_str().unwrap().to_owned();
        let beyond = ask(&hub, &token, "GET", "/v1/tokens", None).await;
        assert_eq!(beyond.status, 403, "{}", beyond.text);

        let gone = format!("/v1/projects/{}", id.as_str().unwrap());
        let gone = hub.write("DELETE", &gone, Some(project.header("etag")), None).await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        let kept = ask(&hub, &token, "GET", "/v1/tokens/self", None).await.json();
        assert_eq!(kept["projects"], json!([]));
        let beyond = ask(&hub, &token, "GET", "/v1/tokens", None).await;
        assert_eq!(beyond.status, 403, "{}", beyond.text);
    });
}

#[test]
fn the_last_use_is_noted_at_most_once_a_minute() {
    on_each_database(async |hub| {
        let store = hub.database.open().await.unwrap();
        let token = token(&store, Role::Viewer, TimeDelta::days(1)).await;
        let noted = async || store.token(id_of(&token)).await.unwrap().last_used_at;
        assert_eq!(noted().await, None);
        let becomes_other = async |before| {
            let begun = Instant::now();
            while noted().await == before {
                assert!(begun.elapsed() < Duration::from_secs(20), "the use is never noted");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            noted().await
        };
        ask(&hub, &token, "GET", "/v1/tokens/self", None).await;
        let first = becomes_other(None).await;
        ask(&hub, &token, "GET", "/v1/tokens/self", None).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(noted().await, first);
        while store.now() < first.unwrap() + TimeDelta::minutes(1) {}
        ask(&hub, &token, "GET", "/v1/tokens/self", None).await;
        assert!(becomes_other(first).await > first);
    });
}

#[test]
fn tokens_are_listed_a_page_at_a_time_the_newest_first() {
    on_each_database(async |hub| {
        let store = hub.database.open().await.unwrap();
        let mut made = vec![id_of(&hub.token).to_owned()];
        for _ in 0..4 {
            made.insert(
                0,
                id_of(&token(&store, Role::Viewer, TimeDelta::days(1)).await).to_owned(),
            );
        }
        // Made at the same time, they still have an order.
        hub.sql("UPDATE token SET created_at = (SELECT max(created_at) FROM token) WHERE role = 'viewer'")
            .await;
        made[..4].sort_unstable_by(|a, b| b.cmp(a));
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/tokens?limit=2{cursor}");
            let page = ask(&hub, &hub.token, "GET", &path, None).await.json();
            let items = page["items"].as_array().unwrap();
            paged.extend(items.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, made);
        let other = ask(&hub, &hub.token, "GET", "/v1/tokens?role=admin", None).await;
        assert_eq!(other.faults()[0].1, "unknown_parameter");
        let wrong = ask(&hub, &hub.token, "GET", "/v1/tokens?cursor=x", None).await;
        assert_eq!(wrong.json()["code"], "invalid_cursor");
    });
}

#[test]
fn tokens_are_made_listed_and_revoked_from_the_command_line() {
    let folder = TempDir::new().unwrap();
    let run = |arguments: &[&str]| {
        let said = said(folder.path(), arguments, &[]);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (said.status.code(), text(said.stdout), text(said.stderr))
    };
    let file = folder.path().join("bundle.json");
    std::fs::write(&file, domain::sample::BUNDLE).unwrap();
    assert_eq!(run(&["import", file.to_str().unwrap()]).0, Some(0));
    let bundle: Value = serde_json::from_str(domain::sample::BUNDLE).unwrap();
    let project = bundle["records"]["projects"][0]["slug"].as_str().unwrap();

    let create = ["token", "create", "--role", "publisher", "--name", "Aigul", "--days", "9"];
    let (code, made, _) = run(&[&create[..], &["--project", project]].concat());
    assert_eq!(code, Some(0));
    let token = made.lines().last().unwrap();
    let id = id_of(token);
    assert!(token.starts_with("hub_"), "{made}");
    run(&["token", "create", "--role", "viewer"]);

    let (_, listed, _) = run(&["token", "list"]);
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(lines[0].contains("viewer") && lines[0].contains("command line"), "{listed}");
    for part in [id, "publisher", "Aigul", "until", "never used", "limited"] {
        assert!(lines[1].contains(part), "{part}: {listed}");
    }
    assert!(!listed.contains(token));

    let (code, revoked, _) = run(&["token", "revoke", id]);
    assert_eq!(code, Some(0));
    assert!(revoked.contains(id) && revoked.contains("revoked on"), "{revoked}");
    let (code, _, wrong) = run(&["token", "revoke", "0123456789ab"]);
    assert_eq!((code, wrong.contains("0123456789ab")), (Some(1), true), "{wrong}");
    let (code, _, wrong) = run(&["token", "create", "--role", "editor", "--project", "nowhere"]);
    assert_eq!((code, wrong.contains("/projects/0 unknown_reference")), (Some(1), true), "{wrong}");
    assert_eq!(run(&["token", "create", "--role", "editor", "--days", "367"]).0, Some(2));
}

#[test]
fn tokens_from_before_there_were_roles_go_on() {
    on_each_database(async |hub| {
        hub.sql("INSERT INTO token (id, name, role, secret_sha256, created_at, expires_at) \
            SELECT '0123456789ab', 'old', 'admin', secret_sha256, created_at, expires_at FROM token")
            .await;
        let old = format!("hub_0123456789ab_{}", secret_of(&hub.token));
        let own = ask(&hub, &old, "GET", "/v1/tokens/self", None).await.json();
        assert_eq!(json!([own["role"], own["projects"]]), json!(["admin", null]));
        assert_eq!(ask(&hub, &old, "GET", "/v1/tokens", None).await.status, 200);
    });
}
