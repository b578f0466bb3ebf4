//! The contract is the one that the code makes, and what is answered is what it says.
use std::collections::BTreeMap;

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::{
    authorisation::routes,
    harness::{Hub, Reply, on_each_database},
};

/// A chart of figures that have several units, unless they are narrowed.
const CHART: &str = "/v1/statistics/attendance.svg";

/// `UPDATE=1 cargo test --workspace contract` writes the document anew.
#[test]
fn the_committed_document_is_the_one_that_the_types_make() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");
    let made = format!("{:#}\n", api::openapi());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(made == committed, "stale: UPDATE=1 cargo test --workspace contract");
}

#[test]
fn what_an_answer_always_has_is_required() {
    let contract = api::openapi();
    for (name, schema) in contract["components"]["schemas"].as_object().unwrap() {
        let answered = ["Programme", "Import", "Brief", "Country", "Matched", "Read", "Change"];
        let left_out = ["CountryPage", "ImportRecord"];
        if !answered.iter().any(|begin| name.starts_with(begin)) || left_out.contains(&&**name) {
            continue;
        }
        let names = |of: &Value| -> Vec<String> {
            of.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
        };
        let fields = names(&schema["properties"]);
        if schema["type"] == "object" {
            assert_eq!(schema["required"], json!(fields), "{name}");
        }
    }
    let optional = |name: &str| -> Vec<String> {
        let schema = &contract["components"]["schemas"][name];
        let required = schema["required"].as_array().unwrap();
        let fields = schema["properties"].as_object().unwrap();
        fields.keys().filter(|name| !required.contains(&json!(name))).cloned().collect()
    };
    assert_eq!(optional("Fault"), ["pointer", "parameter", "header", "referrer"]);
    assert_eq!(optional("SeminarPage"), ["total"]);
    assert_eq!(optional("SearchPage"), ["total"]);
    assert_eq!(optional("Difference"), ["before", "after"]);
    // What is left to who writes is not required, whatever stands there when it is left out.
    assert_eq!(optional("Token"), ["days", "projects"]);
}

/// The contract, held against what is answered.
struct Contract {
    document: Value,
    /// Its schemas, with no room for what they do not name.
    strict: Value,
    validators: BTreeMap<String, Validator>,
}

impl Contract {
    fn new() -> Self {
        let document = api::openapi();
        let mut strict = document["components"].clone();
        // Nothing else comes of several.
        let country = strict["schemas"]["Country"].clone();
        let whole = &mut strict["schemas"]["CountryRecord"];
        let mut parts = whole["allOf"].take();
        let own = parts[1]["properties"]["participation"].take();
        *whole = country;
        whole["properties"]["participation"] = own;
        whole["required"].as_array_mut().unwrap().push(json!("participation"));
        close(&mut strict["schemas"]);
        Self { document, strict, validators: BTreeMap::new() }
    }

    /// Fails unless that is what is answered with that status.
    fn judge(&mut self, asked: &str, operation: &Value, reply: &Reply) {
        let status = reply.status.as_u16().to_string();
        let mut told = &operation["responses"][&status];
        assert!(told.is_object(), "{asked}: {status} is not in the contract: {}", reply.text);
        if let Some(place) = told["$ref"].as_str() {
            told = self.document.pointer(&place[1..]).unwrap();
        }
        let kind = reply.header("content-type").split(';').next().unwrap_or_default();
        let schema = &told["content"][kind]["schema"];
        assert!(schema.is_object(), "{asked}: {kind} is not in the contract");
        if !kind.ends_with("json") {
            return;
        }
        let validator = self.validators.entry(schema.to_string()).or_insert_with(|| {
            let mut root = schema.clone();
            root["components"] = self.strict.clone();
            jsonschema::options().with_draft(Draft::Draft202012).build(&root).unwrap()
        });
        let answer = reply.json();
        let faults: Vec<_> = validator
            .iter_errors(&answer)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{asked}: {faults:#?}");
    }
}

/// Leaves no room for properties that a schema does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(parts) => {
            if parts.get("properties").is_some_and(Value::is_object)
                && !parts.contains_key("additionalProperties")
            {
                parts.insert("additionalProperties".to_owned(), false.into());
            }
            parts
                .iter_mut()
                .filter(|(name, _)| *name != "examples")
                .for_each(|(_, part)| close(part));
        }
        Value::Array(parts) => parts.iter_mut().for_each(close),
        _ => {}
    }
}

/// Sends what the contract shows of every request that makes something.
async fn send_examples(hub: &Hub, contract: &mut Contract) {
    let bearer = format!("Bearer {}", hub.token);
    for (method, path, operation) in routes(&contract.document) {
        if method != "POST" || path.contains('{') {
            continue;
        }
        for (kind, content) in operation["requestBody"]["content"].as_object().unwrap() {
            let body = match &content["example"] {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let table = kind == "text/csv" && path == "/v1/imports";
            let at = format!("{path}{}", if table { "?resource=seminars" } else { "" });
            let headers = [("authorization", bearer.as_str()), ("content-type", kind.as_str())];
            let reply = hub.send("POST", &at, &headers, Some(body.into_bytes())).await;
            assert!(reply.status.is_success(), "{at} of {kind}: {}", reply.text);
            contract.judge(&at, &operation, &reply);
            if path == "/v1/imports" {
                let made = taken(hub, reply.header("location")).await;
                assert_eq!(made["state"], "done", "{made}");
                assert_eq!(made["counts"]["created"], 1, "{made}");
            }
        }
    }
}

/// What became of an import.
async fn taken(hub: &Hub, at: &str) -> Value {
    loop {
        let told = hub.get_as(&hub.token, at).await.json();
        if told["state"] != "running" {
            return told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// The addresses of an operation that reads, with as much asked for as it tells of.
async fn addresses(hub: &Hub, contract: &Value, path: &str, operation: &Value) -> Vec<String> {
    let mut at = path.to_owned();
    if let Some((list, _)) = path.split_once("/{id}") {
        let list = hub.get_as(&hub.token, list).await;
        at = at.replace("{id}", list.json()["items"][0]["id"].as_str().unwrap());
    }
    let mut needed = Vec::new();
    let mut more = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = match parameter["$ref"].as_str() {
            Some(place) => contract.pointer(&place[1..]).unwrap(),
            None => parameter,
        };
        let name = parameter["name"].as_str().unwrap();
        let example = &parameter["example"];
        let text = example.as_str().map_or_else(|| example.to_string(), ToOwned::to_owned);
        if parameter["in"] == "path" {
            at = at.replace(&format!("{{{name}}}"), &text);
        } else if parameter["required"] == true && parameter["in"] == "query" {
            needed.push(format!("{name}={text}"));
        } else if ["include", "facets", "group_by"].contains(&name) {
            let values = parameter["schema"]["items"]["enum"].as_array().unwrap();
            let most = parameter["schema"]["maxItems"].as_u64().unwrap();
            let values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
            // Of people, one thing is told at a time.
            let part = if name == "group_by" { 1 } else { usize::try_from(most).unwrap() };
            more.extend(values.chunks(part).map(|part| format!("{name}={}", part.join(","))));
        } else if name == "with_total" {
            more.push("with_total=true".to_owned());
        }
    }
    let asked = |more: Option<&String>| {
        let query: Vec<_> = needed.iter().chain(more).map(String::as_str).collect();
        format!("{at}{}{}", if query.is_empty() { "" } else { "?" }, query.join("&"))
    };
    std::iter::once(None).chain(more.iter().map(Some)).map(asked).collect()
}

#[test]
fn what_the_contract_shows_can_be_sent_and_every_answer_is_what_it_says() {
    on_each_database(async |hub| {
        let mut contract = Contract::new();
        send_examples(&hub, &mut contract).await;
        // A proposal, a record that has a history, and an import with something wrong in it.
        let editor = hub.token("editor", &[]).await;
        let tag = hub.get("/v1/topics/cloud").await.header("etag").to_owned();
        let change = json!({"label": {"en": "Clouds"}});
        let kept =
            hub.write_as(&editor, "PATCH", "/v1/topics/cloud", Some(&tag), Some(&change)).await;
        assert_eq!(kept.status, 202, "{}", kept.text);
        let bearer = format!("Bearer {}", hub.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
        let sent = "/v1/imports?resource=seminars&partial=true";
        let table = "slug,starts_on\nnone,31.02.2027\n".into();
        let sent = hub.send("POST", sent, &headers, Some(table)).await;
        let told = taken(&hub, sent.header("location")).await;
        assert_eq!(told["counts"]["refused"], 1, "{told}");

        for (method, path, operation) in routes(&contract.document.clone()) {
            if method != "GET" || path == "/v1/changes/stream" {
                continue;
            }
            let addresses = addresses(&hub, &contract.document, &path, &operation).await;
            // What differs for the public differs at every address of an operation.
            contract.judge(&path, &operation, &hub.get(&addresses[0]).await);
            for at in addresses {
                contract.judge(&at, &operation, &hub.get_as(&hub.token, &at).await);
            }
        }
    });
}

#[test]
fn the_words_of_a_list_are_explained() {
    let contract = api::openapi();
    let schemas = &contract["components"]["schemas"];
    let status = &schemas["EventStatus"];
    let about = status["description"].as_str().unwrap();
    assert!(about.contains("\n- `postponed`: Put off, without new days."), "{about}");
    for name in ["SeminarKind", "OrganisationKind", "State", "StatementMode", "SpeakerRole"] {
        let words = schemas[name]["enum"].as_array().unwrap().len();
        let told = schemas[name]["x-enum-descriptions"].as_array().unwrap();
        assert_eq!(told.len(), words, "{name}");
    }
}

#[test]
fn each_problem_is_shown_as_it_is_answered() {
    let contract = api::openapi();
    let mut shown = 0;
    for (method, path, operation) in routes(&contract) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let Some(place) = response["$ref"].as_str() else { continue };
            let response = contract.pointer(&place[1..]).unwrap();
            let problem = &response["content"]["application/problem+json"];
            if problem.is_null() {
                continue;
            }
            let example = &problem["example"];
            assert_eq!(example["status"].to_string(), *status, "{method} {path}: {place}");
            let code = example["code"].as_str().unwrap();
            assert!(api::is_told(code), "{place}: {code}");
            shown += 1;
        }
    }
    assert!(shown > 0);
}

#[test]
fn every_problem_is_what_the_contract_says() {
    on_each_database(async |hub| {
        let mut contract = Contract::new();
        let paths = contract.document["paths"].clone();
        let project = "/v1/projects/governance-innovation-and-digitalisation";
        let tag = hub.get(project).await.header("etag").to_owned();
        let asked: [(_, _, _, Option<&str>, Option<Value>, u16); 6] = [
            ("GET", "/v1/projects", "/v1/projects?nothing=1", None, None, 400),
            ("GET", "/v1/projects/{id}", "/v1/projects/nothing", None, None, 404),
            ("POST", "/v1/projects", "/v1/projects", None, Some(json!({})), 400),
            ("PATCH", "/v1/projects/{id}", project, None, Some(json!({})), 428),
            ("DELETE", "/v1/projects/{id}", project, Some(&tag), None, 409),
            ("POST", "/v1/projects/{id}/submit", "", Some(&tag), None, 409),
        ];
        for (method, path, at, tag, body, status) in asked {
            let at = if at.is_empty() { format!("{project}/submit") } else { at.to_owned() };
            let reply = hub.write(method, &at, tag, body.as_ref()).await;
            assert_eq!(reply.status, status, "{method} {at}: {}", reply.text);
            contract.judge(&at, &paths[path][method.to_lowercase()], &reply);
            for fault in reply.json()["errors"].as_array().unwrap() {
                let places = ["pointer", "parameter", "header"].map(|name| fault.get(name));
                assert!(places.into_iter().flatten().count() <= 1, "{fault}");
            }
        }
    });
}

#[test]
fn a_chart_of_attendance_can_be_drawn_as_the_contract_shows_it() {
    on_each_database(async |hub| {
        let contract = api::openapi();
        let parameters = contract["paths"][CHART]["get"]["parameters"].as_array().unwrap();
        let metric = parameters.iter().find(|one| one["name"] == "metric").unwrap();
        let shown = metric["example"][0].as_str().unwrap();
        let drawn = hub.get(&format!("{CHART}?metric={shown}")).await;
        assert_eq!(drawn.status, 200, "{}", drawn.text);
        assert_eq!(hub.get(CHART).await.status, 422);
    });
}

#[test]
fn the_page_that_shows_the_contract_has_the_name_of_the_registry() {
    on_each_database(async |hub| {
        let page = hub.get("/docs/").await;
        assert!(page.text.contains("<title>Capacity Hub</title>"), "{}", page.text);
    });
}
