//! Who is let in where: every route and method of the contract, asked by everybody.
use std::fmt::Write;

use chrono::TimeDelta;
use domain::Role;
use persistence::NewToken;
use serde_json::{Value, json};

use crate::harness::{Hub, Reply, on_each_database};

/// Where it is kept what each of them is answered.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/authorisation.txt");
/// Who asks; those who can change something come last.
const BEARERS: [&str; 11] = [
    "nobody",
    "malformed",
    "unknown",
    "expired",
    "revoked",
    "viewer",
    "registrar",
    "editor",
    "limited",
    "publisher",
    "admin",
];

/// A topic that is changed while it is public, by an editor.
const CHANGED: &str = "/v1/topics/cloud";

/// What each of them sends as `Authorization`.
async fn authorizations(hub: &Hub) -> Vec<Option<String>> {
    let store = hub.database.open().await.unwrap();
    let expires_at = store.now() + TimeDelta::seconds(1);
    let new =
        NewToken { name: "expired".to_owned(), role: Role::Admin, expires_at, projects: None };
    let (_, expired) = store.create_token(&new).await.unwrap();
    let revoked = hub.token("admin", &[]).await;
    let id = revoked.split('_').nth(1).unwrap();
    let ended = hub.write("POST", &format!("/v1/tokens/{id}/revoke"), None, None).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    // Of every collection there is the record that the contract has as its example.
    for collection in domain::collections() {
        let example = domain::sample::example(collection);
        let made = hub.write("POST", &format!("/v1/{collection}"), None, Some(&example)).await;
        assert!([201, 409].contains(&made.status.as_u16()), "{}", made.text);
    }
    let mut project = domain::sample::example("projects");
    project["slug"] = "elsewhere".into();
    assert_eq!(hub.write("POST", "/v1/projects", None, Some(&project)).await.status, 201);
    let mut all = Vec::new();
    for bearer in BEARERS {
        let token = match bearer {
            "nobody" => {
                all.push(None);
                continue;
            }
            "malformed" => "nonsense".to_owned(),
            "unknown" => format!("hub_0123456789ab_{}", "A".repeat(43)),
            "expired" => expired.clone(),
            "revoked" => revoked.clone(),
            "limited" => hub.token("admin", &["elsewhere"]).await,
            role => hub.token(role, &[]).await,
        };
        all.push(Some(format!("Bearer {token}")));
    }
    all
}

/// Every method of every address of the contract, in its order.
pub(crate) fn routes(contract: &Value) -> Vec<(String, String, Value)> {
    let mut routes = Vec::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            routes.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    routes.sort_by(|one, other| (&one.1, &one.0).cmp(&(&other.1, &other.0)));
    routes
}

/// An address with something that is there in place of each parameter.
pub(crate) async fn filled(hub: &Hub, editor: &str, path: &str, operation: &Value) -> String {
    let mut path = path.to_owned();
    if path.starts_with("/v1/proposals/{id}") {
        // An open one for each request: to decide about one ends it.
        let change = json!({"label": {"uz": uuid::Uuid::now_v7()}});
        let tag = hub.get(CHANGED).await.header("etag").to_owned();
        let kept = hub.write_as(editor, "PATCH", CHANGED, Some(&tag), Some(&change)).await;
        assert_eq!(kept.status, 202, "{}", kept.text);
        path = path.replace("{id}", kept.json()["id"].as_str().unwrap());
    }
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        if parameter["in"] == "path" {
            let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
            let one = [&parameter["example"], &parameter["schema"]["example"]];
            let one = one.into_iter().find_map(Value::as_str).unwrap_or("0123456789ab");
            path = path.replace(&name, one);
        }
    }
    // Where the contract gives no example, nothing is there.
    while let Some((before, rest)) = path.split_once('{') {
        let (_, after) = rest.split_once('}').unwrap();
        path = format!("{before}0123456789ab{after}");
    }
    path
}

/// What is answered, without waiting for the end of what does not end.
pub(crate) async fn ask(hub: &Hub, method: &str, path: &str, bearer: Option<&str>) -> Reply {
    let method = method.parse().unwrap();
    let kind = if method == "PATCH" { "merge-patch+json" } else { "json" };
    let mut request = hub.client.request(method, format!("{}{path}", hub.url));
    if let Some(bearer) = bearer {
        request = request.header("authorization", bearer);
    }
    if request.try_clone().unwrap().build().unwrap().method() != "GET" {
        request = request
            .header("content-type", format!("application/{kind}"))
            .header("if-match", "\"1\"")
            .body("{}");
    }
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let ends = status.is_client_error() || status.is_server_error();
    let text = if ends { response.text().await.unwrap() } else { String::new() };
    Reply { status, headers, text }
}

/// `UPDATE=1 cargo test --workspace authorisation` writes the table anew.
#[test]
fn everybody_is_let_in_where_the_table_says_and_nowhere_else() {
    on_each_database(async |hub| {
        let contract: Value = hub.get("/openapi.json").await.json();
        let routes = routes(&contract);
        let bearers = authorizations(&hub).await;
        let editor = hub.token("editor", &[]).await;
        let mut answers = vec![Vec::new(); routes.len()];
        for bearer in &bearers {
            for ((method, path, operation), answers) in routes.iter().zip(&mut answers) {
                let at = filled(&hub, &editor, path, operation).await;
                let reply = ask(&hub, method, &at, bearer.as_deref()).await;
                assert!(!reply.status.is_server_error(), "{method} {at}: {}", reply.text);
                answers.push(match reply.status.as_u16() {
                    401 => "401",
                    403 => "403",
                    _ => "ok",
                });
            }
        }
        let cells = |cells: &[&str]| {
            let mut row = String::new();
            for cell in cells {
                write!(row, "{cell:<10}").unwrap();
            }
            row.trim_end().to_owned()
        };
        let mut made = format!("{:<58}{}\n", "", cells(&BEARERS));
        for ((method, path, _), answers) in routes.iter().zip(&answers) {
            let route = format!("{method} {path}");
            writeln!(made, "{route:<58}{}", cells(answers)).unwrap();
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(TABLE, &made).unwrap();
        }
        let kept = std::fs::read_to_string(TABLE).unwrap_or_default();
        let only = |of: &str, other: &str| -> Vec<String> {
            let other: Vec<&str> = other.lines().collect();
            of.lines().filter(|line| !other.contains(line)).map(ToOwned::to_owned).collect()
        };
        let (gone, new) = (only(&kept, &made), only(&made, &kept));
        assert!(
            made == kept,
            "the table tells {gone:#?}, the service {new:#?}: look, and if that is meant, \
             UPDATE=1 cargo test --workspace authorisation"
        );
    });
}
