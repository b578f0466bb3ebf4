//! The contract, made from the types that serve the requests.
mod formats;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use domain::{
    Country, CountryFilter, Deed, Person, Presentation, Resource, Seminar, SoughtLanguage, State,
    Violation, collections, sample,
};
use persistence::{
    Error, FacetValue, MOST_VALUES, Referrer, Stored, Visitor, facets, neighbours, visit_all,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, PartialSchema, ToSchema, openapi::RefOr};
use uuid::Uuid;

use crate::{
    Problem, body as sent, country, docs,
    edge::MAX_ADDRESS,
    export::Format,
    formats::table::Table,
    health, idempotency,
    problem::{self, Fault, ProblemBody},
    programme,
    query::{
        LIMIT, MAX_LIMIT, MAX_SEARCH, MOST_FACETS, MOST_FIELDS, MOST_INCLUDED, MOST_LANGUAGES,
        MOST_STATES,
    },
    well_known,
};

mod changes;
mod history;
mod iati;
mod imports;
mod participants;
mod publication;
mod search;
mod statistics;
mod tokens;
mod webhooks;
mod whole;

#[derive(OpenApi)]
#[openapi(
    paths(
        docs::index,
        health::live,
        health::ready,
        problem::index,
        problem::describe,
        programme::read,
        country::read,
        well_known::catalog,
        well_known::security
    ),
    components(schemas(ProblemBody, State, Country, SoughtLanguage, FacetValue)),
    info(
        title = "Capacity Hub",
        description = "The open registry of a capacity-building cooperation: the project, the \
            grant arrangement that pays for it, its seminars, workshops and study visits, who \
            presented what, which countries took part, and what came of it.\n\nReading what is \
            public needs no token: the lock of such an operation says that a token shows more, \
            and may be left open. A property that is null is not known; that is not the same as \
            none. Every record names the source of its facts in `citations`. What is read without \
            a token may be kept for as long as its `Cache-Control` tells, 30 seconds as a rule; \
            nothing else may.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "Capacity Hub", url = "https://www.astanacivilservicehub.org/")
    )
)]
struct Service;

type Components = serde_json::Map<String, Value>;

/// The contract of the service.
#[must_use]
pub fn openapi() -> Value {
    let mut document = json!(Service::openapi());
    document["servers"] = json!([{"url": "/", "description": "This service."}]);
    let mut tags = Vec::new();
    let mut building = Building {
        paths: document["paths"].as_object().cloned().unwrap_or_default(),
        schemas: document["components"]["schemas"].as_object().cloned().unwrap_or_default(),
        tags: &mut tags,
    };
    for item in building.paths.values_mut() {
        for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            operation["security"] = json!([{}]);
            for (status, response) in [
                ("404", "NotFound"),
                ("414", "TooLong"),
                ("429", "TooMany"),
                ("503", "Unavailable"),
                ("500", "Internal"),
            ] {
                operation["responses"][status] = reference("responses", response);
            }
        }
    }
    visit_all(&mut building);
    building.part_of::<Seminar>("/v1/seminars/{id}/programme");
    building.countries();
    building.country();
    building.talks();
    building.search();
    building.changes();
    building.revisions();
    building.webhooks();
    building.tokens();
    building.proposals();
    building.imports();
    building.participants();
    building.formats();
    building.iati();
    building.statistics();
    building.tags.push(json!({"name": "service", "description": "The service itself: whether it is well, what its problems mean, and everything public in one archive."}));
    building.seen_by_token();
    building.unfit();
    building.whole_answers();
    let (paths, mut schemas) = (building.paths, building.schemas);
    schemas.values_mut().for_each(name_words);
    document["paths"] = Value::Object(paths);
    document["tags"] = json!(tags);
    document["components"] = json!({
        "schemas": schemas,
        "responses": responses(),
        "headers": headers(),
        "parameters": parameters(),
        "securitySchemes": {"token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "hub_<id>_<secret>",
            "description": "A token made by `capacity-hub token create` or by `POST /v1/tokens`. What it allows is decided by its role: viewer, editor, publisher, registrar or admin. Where the registry trusts an identity provider, a JSON Web Token of that provider holds as well.",
        }},
    });
    document
}

/// The contract as it is served: the committed document, which a test holds against the types.
pub(crate) const SERVED: &str = include_str!("../../openapi/openapi.json");

/// Of the contract, its addresses, their methods and what those take.
#[derive(Deserialize)]
struct Addresses {
    paths: BTreeMap<String, BTreeMap<String, Taking>>,
    components: Shared,
}

#[derive(Deserialize)]
struct Taking {
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Shared {
    parameters: BTreeMap<String, Parameter>,
}

/// A parameter, or the place of one that is told elsewhere.
#[derive(Deserialize)]
struct Parameter {
    #[serde(rename = "$ref")]
    place: Option<String>,
    name: Option<String>,
    /// Only those that are lists have it.
    explode: Option<bool>,
}

/// What an address takes.
struct Address {
    steps: Vec<String>,
    methods: Vec<String>,
    /// The names of its parameters that are lists.
    lists: BTreeSet<String>,
}

/// What each address takes.
pub(crate) struct Paths(Vec<Address>);

impl Paths {
    /// Those of the contract, read when they are first asked for.
    pub(crate) fn served() -> &'static Self {
        static PATHS: LazyLock<Paths> = LazyLock::new(|| {
            let document = serde_json::from_str(SERVED).expect("the contract is JSON");
            Paths::of(document)
        });
        &PATHS
    }

    fn of(document: Addresses) -> Self {
        let shared = document.components.parameters;
        let told = |one: Parameter| {
            let name = one.place.as_deref().and_then(|place| place.rsplit('/').next());
            let told = name.and_then(|name| shared.get(name)).unwrap_or(&one);
            told.name.clone().filter(|_| told.explode.is_some())
        };
        let split = |path: &str| path.split('/').map(ToOwned::to_owned).collect();
        let mut all = Vec::new();
        for (path, item) in document.paths {
            let methods = item.keys().map(|name| name.to_uppercase()).collect();
            let lists = item.into_values().flat_map(|of| of.parameters).filter_map(told).collect();
            all.push(Address { steps: split(&path), methods, lists });
        }
        for path in ["/openapi.json", "/docs", "/docs/", "/docs/{file}"] {
            let methods = vec!["GET".to_owned()];
            all.push(Address { steps: split(path), methods, lists: BTreeSet::new() });
        }
        Self(all)
    }

    /// The address that a path is one of.
    fn address(&self, path: &str) -> Option<&Address> {
        let steps: Vec<_> = path.split('/').collect();
        let known = |address: &&Address| {
            address.steps.len() == steps.len()
                && address.steps.iter().zip(&steps).all(|(pattern, step)| fits(pattern, step))
        };
        // Of several that fit, the one that leaves least open.
        let open =
            |address: &&Address| address.steps.iter().filter(|step| step.ends_with('}')).count();
        self.0.iter().filter(known).min_by_key(open)
    }

    /// Whether a parameter of that address is a list.
    pub(crate) fn is_list(&self, path: &str, parameter: &str) -> bool {
        self.address(path).is_some_and(|address| address.lists.contains(parameter))
    }

    /// The methods of that address, if there is such a one.
    pub(crate) fn methods(&self, path: &str) -> Option<Vec<String>> {
        let methods = &self.address(path)?.methods;
        let order = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
        let mut all: Vec<_> = order
            .iter()
            .filter(|name| {
                let known = if **name == "HEAD" { "GET" } else { name };
                methods.iter().any(|method| method == known)
            })
            .map(|name| (*name).to_owned())
            .collect();
        all.push("OPTIONS".to_owned());
        Some(all)
    }
}

/// Whether a step of an address fits one that may have a parameter in it.
fn fits(pattern: &str, step: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else { return pattern == step };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    let inner = step.strip_prefix(before).and_then(|step| step.strip_suffix(after));
    inner.is_some_and(|inner| !inner.is_empty())
}

/// Puts each word of a schema before what it means: its type tells just the meanings, in their order.
fn name_words(schema: &mut Value) {
    let words = enum_values(schema);
    let about = schema["description"].as_str().unwrap_or_default().trim();
    let mut parts = about.split("\n- ").map(ToOwned::to_owned);
    let about = parts.next().unwrap_or_default();
    let meanings: Vec<String> = parts.collect();
    if words.is_empty() || words.len() != meanings.len() {
        return;
    }
    let line = |(word, meaning): (&String, &String)| format!("\n- `{word}`: {meaning}");
    let lines: String = words.iter().zip(&meanings).map(line).collect();
    schema["description"] = format!("{about}\n{lines}").into();
    schema["x-enum-descriptions"] = json!(meanings);
}

struct Building<'a> {
    paths: serde_json::Map<String, Value>,
    schemas: Components,
    tags: &'a mut Vec<Value>,
}

impl Visitor for Building<'_> {
    fn visit<R: Stored>(&mut self) {
        self.add::<R>();
        let about = self.schemas[&*R::name()]["description"].clone();
        self.tags.push(json!({"name": R::COLLECTION, "description": about}));
        let record = self.record::<R>();
        self.schemas.insert(record_name::<R>(), record);
        self.schemas.insert(
            page_name::<R>(),
            page(&record_name::<R>(), &neighbours::<R>(), &facets::<R>()),
        );
        let change = self.change(&R::name());
        let collection = format!("/v1/{}", R::COLLECTION);
        let one = format!("{collection}/{{id}}");
        let mut filters = self.filters::<R::Filter>();
        filters.push(reference("parameters", "state"));
        filters.push(reference("parameters", "q"));
        let order = sort::<R::SortKey>();
        let mut list = list(
            &R::name(),
            R::COLLECTION,
            own_parameters::<R>(filters.clone()),
            Some(&order),
            &record_example::<R>(),
        );
        let about = paged(R::COLLECTION);
        list["description"] = format!("{about} An `Accept` of csv, ndjson or xlsx has the whole list as that file, as `{collection}.csv` has it; any other has JSON, since further forms have addresses of their own.").into();
        self.paths.insert(collection.clone(), json!({"get": list, "post": create::<R>()}));
        self.paths.insert(
            format!("{collection}.{{format}}"),
            json!({"get": export::<R>(filters, &order)}),
        );
        self.paths.insert(one, json!({
            "get": read::<R>(), "put": replace::<R>(), "patch": patch::<R>(&reference("schemas", &change)), "delete": delete::<R>(),
        }));
        self.steps::<R>();
        self.history::<R>();
    }
}

impl Building<'_> {
    fn add<T: ToSchema>(&mut self) {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        for (name, schema) in schemas {
            self.schemas.insert(name, json!(schema));
        }
    }

    /// What is known of a record, around what was written.
    fn record<R: Resource>(&mut self) -> Value {
        let mut schemas = Vec::new();
        R::Derived::schemas(&mut schemas);
        for (name, schema) in schemas {
            self.schemas.insert(name, json!(schema));
        }
        let mut record = json!(R::schema());
        let about = format!("A record of the {}.", R::COLLECTION);
        record["description"] = about.into();
        let mut fields = of_record();
        for (name, field) in record["properties"].as_object().into_iter().flatten() {
            fields[name] = field.clone();
        }
        for (name, field) in
            json!(R::Derived::schema())["properties"].as_object().into_iter().flatten()
        {
            fields[name] = field.clone();
        }
        let names: Vec<_> =
            fields.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        record["required"] = json!(names);
        record["properties"] = fields;
        // What v1 will gain must not break who reads it strictly.
        record.as_object_mut().map(|record| record.remove("additionalProperties"));
        record["examples"] = json!([record_example::<R>()]);
        record
    }

    /// The schema of a merge patch to that one: nothing is required, and null takes away.
    fn change(&mut self, name: &str) -> String {
        let change = format!("{name}Change");
        if self.schemas.contains_key(&change) {
            return change;
        }
        let mut schema = self.schemas[name].clone();
        schema["description"] = "The fields to change; null takes one away.".into();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let fields = schema["properties"].as_object().cloned().unwrap_or_default();
        for (field, of) in fields {
            let mut of = self.changed(of);
            if !required.contains(&json!(field)) {
                let nothing = json!("null");
                match of.get_mut("type") {
                    Some(Value::Array(kinds)) if !kinds.contains(&nothing) => kinds.push(nothing),
                    Some(kind @ Value::String(_)) => *kind = json!([kind, nothing]),
                    _ => {}
                }
            }
            schema["properties"][field] = of;
        }
        if let Some(text) = schema.get_mut("additionalProperties").filter(|of| of.is_object()) {
            text["type"] = json!(["string", "null"]);
        }
        for rule in ["required", "minProperties", "examples"] {
            schema.as_object_mut().map(|schema| schema.remove(rule));
        }
        self.schemas.insert(change.clone(), schema);
        change
    }

    fn changed(&mut self, mut field: Value) -> Value {
        for alternatives in ["oneOf", "anyOf"] {
            let all = field.get_mut(alternatives).and_then(Value::as_array_mut);
            for one in all.into_iter().flatten() {
                *one = self.changed(std::mem::take(one));
            }
        }
        let inner = referred(&field).filter(|name| self.schemas[name]["type"] == "object");
        if let Some(name) = inner {
            field["$ref"] = reference("schemas", &self.change(&name))["$ref"].clone();
        }
        field
    }

    /// The parameters that a filter has.
    fn filters<F: ToSchema>(&mut self) -> Vec<Value> {
        let mut own = Vec::new();
        F::schemas(&mut own);
        let own: BTreeMap<String, RefOr<_>> = own.into_iter().collect();
        let schema = json!(F::schema());
        let fields = schema["properties"].as_object().cloned().unwrap_or_default();
        let parameters = fields.into_iter().map(|(name, mut field)| {
            let about = field["description"].clone();
            let list = referred(&field).and_then(|name| own.get(&name)).map(|list| json!(list));
            if let Some(list) = list {
                field = list;
                if let Some(item) = referred(&field["items"]).and_then(|name| Some((name.clone(), own.get(&name)?))) {
                    self.schemas.entry(item.0).or_insert_with(|| json!(item.1));
                }
            }
            if let Some(fields) = field.as_object_mut() {
                fields.remove("description");
                fields.remove("default");
            }
            if let Some(kinds) = field["type"].as_array() {
                // An optional parameter is left out; it is never null.
                let kept = kinds.iter().find(|kind| **kind != "null").cloned();
                field["type"] = kept.unwrap_or_default();
            }
            let mut parameter = json!({"name": name, "in": "query", "required": false, "description": about, "schema": field});
            if parameter["schema"]["type"] == "array" {
                parameter["style"] = "form".into();
                parameter["explode"] = false.into();
            }
            parameter
        });
        parameters.collect()
    }

    /// Says of whatever shows records that a token shows more of them, and that one which does not
    /// hold shows nothing.
    fn seen_by_token(&mut self) {
        let same_for_all = ["/v1/changes", "/v1/dump", "/v1/countries"];
        for (path, item) in &mut self.paths {
            let read = item.get_mut("get").filter(|get| get["security"] == json!([{}]));
            let Some(get) = read.filter(|_| path.starts_with("/v1/")) else { continue };
            get["responses"]["401"] = reference("responses", "Unauthenticated");
            let personal = path.contains("{code}")
                || !same_for_all.iter().any(|known| path.starts_with(known));
            if personal {
                get["security"] = json!([{}, {"token": []}]);
            }
        }
    }

    /// Says what 422 means where no record is written.
    fn unfit(&mut self) {
        let taken = ["/v1/imports", "/v1/participants/import"];
        for (path, item) in &mut self.paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                let told = operation["responses"].get_mut("422");
                let Some(told) = told.filter(|_| method == "get" || taken.contains(&&**path))
                else {
                    continue;
                };
                *told = reference("responses", "Unfit");
            }
        }
    }

    /// Completes what is told of an address below one record of `R`.
    fn part_of<R: Resource>(&mut self, path: &str) {
        let operation = &mut self.paths[path]["get"];
        operation["parameters"] = json!([id_parameter::<R>(), reference("parameters", "lang")]);
        for (status, response) in [("304", "NotModified"), ("400", "BadRequest")] {
            operation["responses"][status] = reference("responses", response);
        }
        operation["responses"]["200"]["headers"] = told(&["ETag", "Content-Language"]);
    }

    fn countries(&mut self) {
        let example = json!(Country::find("KZ"));
        let filters = self.filters::<CountryFilter>();
        let mut file = operation(
            "exportCountry",
            country::COLLECTION,
            "Take all countries as a file",
            "Every country that the filters leave, to join their names to the codes in other files.",
            &["400", "404", "414"],
        );
        as_file(
            &mut file,
            filters.clone(),
            &Table::of_schema::<Country>(),
            &[Format::Csv, Format::Ndjson],
        );
        self.paths.insert("/v1/countries.{format}".into(), json!({"get": file}));
        self.schemas.insert("CountryPage".into(), page("Country", &BTreeMap::new(), &[]));
        self.tags.push(json!({"name": country::COLLECTION, "description": "The countries of ISO 3166-1, read only."}));
        self.paths.insert(
            "/v1/countries".into(),
            json!({
                "get": list("Country", country::COLLECTION, filters, None, &example),
            }),
        );
    }

    /// Completes what is told of one country.
    fn country(&mut self) {
        let one = &mut self.paths["/v1/countries/{code}"]["get"];
        one["parameters"] = json!([{"name": "code", "in": "path", "required": true, "description": "The ISO 3166-1 alpha-2 code.", "schema": {"type": "string", "pattern": "^[A-Z]{2}$"}, "example": "KZ"}, reference("parameters", "lang")]);
        for (status, response) in [("304", "NotModified"), ("400", "BadRequest")] {
            one["responses"][status] = reference("responses", response);
        }
        one["responses"]["200"]["headers"] = told(&["ETag", "Content-Language"]);
    }

    /// The talks of a person: the list of presentations, without the filter by speaker.
    fn talks(&mut self) {
        let mut list = self.paths["/v1/presentations"]["get"].clone();
        list["operationId"] = "listPersonPresentations".into();
        list["tags"] = json!([Person::COLLECTION]);
        list["summary"] = "List the presentations of a person".into();
        list["description"] = paged(Presentation::COLLECTION).into();
        if let Some(parameters) = list["parameters"].as_array_mut() {
            parameters.retain(|one| one["name"] != "speaker");
            parameters.push(id_parameter::<Person>());
        }
        list["responses"]["404"] = reference("responses", "NotFound");
        self.paths.insert("/v1/people/{id}/presentations".into(), json!({"get": list}));
    }
}

fn referred(schema: &Value) -> Option<String> {
    schema["$ref"].as_str()?.rsplit('/').next().map(ToOwned::to_owned)
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

fn record_name<R: Resource>() -> String {
    format!("{}Record", R::name())
}

fn page_name<R: Resource>() -> String {
    format!("{}Page", R::name())
}

fn page(record: &str, neighbours: &BTreeMap<String, BTreeSet<String>>, facets: &[String]) -> Value {
    let collections: BTreeSet<_> = neighbours.values().flatten().collect();
    let related: Components = collections
        .into_iter()
        .map(|name| {
            (
                name.clone(),
                json!({"type": "array", "items": reference("schemas", &record_of(name))}),
            )
        })
        .collect();
    let included = match related.is_empty() {
        true => json!({"type": "null", "description": "This list brings no related records."}),
        false => {
            json!({"type": ["object", "null"], "description": "The related records that include asked for, by collection, each once; null when it asked for none.", "properties": related})
        }
    };
    let counts: Components = facets
        .iter()
        .map(|name| {
            let values = json!({"type": "array", "items": reference("schemas", "FacetValue"), "maxItems": MOST_VALUES});
            (name.clone(), values)
        })
        .collect();
    let facets = match counts.is_empty() {
        true => json!({"type": "null", "description": "This list is not counted by anything."}),
        false => {
            json!({"type": ["object", "null"], "description": format!("How many records of the whole list have each value, for what facets asked for, the most frequent first; null when it asked for none. Records of which the value is not known are in none. Of a filter {MOST_VALUES} values are told at most: where there are so many, there may be others, which are less frequent."), "properties": counts})
        }
    };
    json!({
        "type": "object",
        "description": "A page of a list.",
        "required": ["items", "next_cursor", "included", "facets"],
        "properties": {
            "items": {"type": "array", "items": reference("schemas", record), "description": "The records, in the order asked for."},
            "next_cursor": {"type": ["string", "null"], "description": "Asks for the page after this one; null when this is the last."},
            "total": {"type": "integer", "minimum": 0, "description": "How many records the whole list has; only when asked by with_total."},
            "included": included,
            "facets": facets,
        },
    })
}

/// The schema of what is written in a collection.
fn written_in(collection: &str) -> String {
    struct Names<'a>(&'a str, String);
    impl Visitor for Names<'_> {
        fn visit<R: Stored>(&mut self) {
            if R::COLLECTION == self.0 {
                self.1 = R::name().into_owned();
            }
        }
    }
    let mut names = Names(collection, String::new());
    visit_all(&mut names);
    names.1
}

/// The schema of the records of a collection.
fn record_of(collection: &str) -> String {
    format!("{}Record", written_in(collection))
}

/// That schema of every collection.
fn of_all(schema: fn(&str) -> String) -> Vec<Value> {
    collections().into_iter().map(|name| reference("schemas", &schema(name))).collect()
}

fn enum_values(schema: &Value) -> Vec<String> {
    let values = schema["enum"].as_array().into_iter().flatten();
    values.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn operation(id: &str, tag: &str, summary: &str, about: &str, statuses: &[&str]) -> Value {
    let mut responses = serde_json::Map::new();
    for status in statuses.iter().chain(&["414", "429", "500", "503"]) {
        let name = match *status {
            "400" => "BadRequest",
            "401" => "Unauthenticated",
            "403" => "Forbidden",
            "404" => "NotFound",
            "408" => "Timeout",
            "409" => "Conflict",
            "412" => "Stale",
            "414" => "TooLong",
            "413" => "TooLarge",
            "415" => "MediaType",
            "422" => "Invalid",
            "428" => "Unconditional",
            "429" => "TooMany",
            "503" => "Unavailable",
            _ => "Internal",
        };
        responses.insert((*status).to_owned(), reference("responses", name));
    }
    json!({"operationId": id, "tags": [tag], "summary": summary, "description": about, "responses": responses, "security": [{}]})
}

/// Tells what an operation needs of who asks for it.
fn guard(operation: &mut Value, deed: Deed) {
    let about = operation["description"].as_str().unwrap_or_default();
    operation["description"] = format!("{about}\n\nNeeds {}.", deed.needs()).into();
    operation["security"] = json!([{"token": []}]);
    if deed != Deed::See {
        operation["responses"]["403"] = reference("responses", "Forbidden");
    }
}

/// Those headers, and the one that every answer has.
fn told(headers: &[&str]) -> Value {
    let all = headers.iter().chain(&["X-Request-Id"]);
    let told: Components =
        all.map(|name| ((*name).to_owned(), reference("headers", name))).collect();
    Value::Object(told)
}

fn answer(about: &str, schema: &str, example: Option<Value>, headers: &[&str]) -> Value {
    let mut content = json!({"schema": reference("schemas", schema)});
    if let Some(example) = example {
        content["example"] = example;
    }
    json!({"description": about, "headers": told(headers), "content": {"application/json": content}})
}

fn paged(collection: &str) -> String {
    format!(
        "The {}, a page at a time; parameters that name different fields all apply, values with commas between them are alternatives.",
        collection.replace('-', " ")
    )
}

fn list(
    name: &str,
    collection: &str,
    filters: Vec<Value>,
    order: Option<&Value>,
    example: &Value,
) -> Value {
    let about = paged(collection);
    let mut get = operation(
        &format!("list{name}"),
        collection,
        &format!("List {}", collection.replace('-', " ")),
        &about,
        &["400"],
    );
    let mut parameters = filters;
    parameters.push(reference("parameters", "limit"));
    parameters.push(reference("parameters", "cursor"));
    parameters.push(reference("parameters", "with_total"));
    parameters.push(reference("parameters", "lang"));
    parameters.extend(order.cloned());
    get["parameters"] = json!(parameters);
    let example =
        json!({"items": [example], "next_cursor": null, "included": null, "facets": null});
    get["responses"]["200"] = answer(
        "A page of the list.",
        &format!("{name}Page"),
        Some(example),
        &["ETag", "Link", "Content-Language"],
    );
    get["responses"]["304"] = reference("responses", "NotModified");
    get
}

/// What a list of records takes, besides what every list takes.
fn own_parameters<R: Stored>(mut filters: Vec<Value>) -> Vec<Value> {
    let names: Vec<String> = neighbours::<R>().into_keys().collect();
    if !names.is_empty() {
        filters.push(json!({
            "name": "include", "in": "query", "required": false, "style": "form", "explode": false,
            "description": "Which related records are to come along, in included.",
            "schema": {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1, "maxItems": MOST_INCLUDED},
        }));
    }
    let names = facets::<R>();
    if !names.is_empty() {
        filters.push(json!({
            "name": "facets", "in": "query", "required": false, "style": "form", "explode": false,
            "description": "By which filters the records of the whole list are to be counted, in facets.",
            "schema": {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1, "maxItems": MOST_FACETS},
        }));
    }
    filters
}

/// The order that a list can have.
fn sort<K: ToSchema>() -> Value {
    let schema = json!(K::schema());
    let keys = enum_values(&schema);
    let about = schema["description"].as_str().unwrap_or_default();
    let values: Vec<_> = keys.iter().flat_map(|key| [key.clone(), format!("-{key}")]).collect();
    let default = keys.first().cloned().unwrap_or_default();
    json!({
        "name": "sort", "in": "query", "required": false, "style": "form", "explode": false,
        "description": format!("{about} Keys with commas between them, a hyphen before a key for descending, a repeated key has no effect; {default} when left out. What is not known comes last, or first when descending. Of a text the first 120 letters of its English, else of its first language, are compared, without case, accents and strokes; lang changes nothing in that."),
        "schema": {"type": "array", "items": {"type": "string", "enum": values}, "minItems": 1},
    })
}

/// What the registry tells of every record besides what was written, by field.
pub(crate) fn of_record() -> Value {
    let when = |about: &str| json!({"type": "string", "format": "date-time", "description": about});
    json!({
        "id": {"type": "string", "format": "uuid", "description": "Identifies the record, for ever."},
        "revision": {"type": "integer", "format": "int64", "minimum": 1, "description": "Counts the changes made to the record, from 1; the ETag begins with it."},
        "state": reference("schemas", "State"),
        "created_at": when("When the record was created."),
        "updated_at": when("When the record was last changed."),
        "published_at": {"type": ["string", "null"], "format": "date-time", "description": "When the record was published; null while it is not."},
    })
}

/// A list as a file.
fn export<R: Stored>(mut filters: Vec<Value>, order: &Value) -> Value {
    let mut get = operation(
        &format!("export{}", R::name()),
        R::COLLECTION,
        &format!("Take the whole list of {} as a file", spoken::<R>()),
        "Every record of the list, with the filters and the order of the list, as of one moment. \
         The columns of csv and xlsx are the paths of the fields, with one for each language of a \
         text; lists are joined with `; `. A text that a spreadsheet would take for a formula \
         begins with an apostrophe in csv. A file of ndjson has a record a line. What csv and xlsx \
         hold can be changed and taken back by `POST /v1/imports`: with `lang` they have a column for \
         each of those languages, with what is there in it and with no other language in its place, \
         and the import leaves all others as they are. Where `fields` names the columns, `lang` \
         chooses none.",
        &["400", "404", "422"],
    );
    filters.push(order.clone());
    as_file(&mut get, filters, &Table::of::<R>(), &Format::ALL);
    get
}

/// Tells of an operation how a file with those columns is asked for, and that it answers with one.
fn as_file(get: &mut Value, mut filters: Vec<Value>, table: &Table, formats: &[Format]) {
    let names: Vec<_> = formats.iter().map(|format| format.name()).collect();
    filters.push(json!({
        "name": "format", "in": "path", "required": true, "description": "The form of the file.",
        "schema": {"type": "string", "enum": names}, "example": "csv",
    }));
    filters.push(json!({
        "name": "fields", "in": "query", "required": false, "style": "form", "explode": false,
        "description": "Which columns, in which order; all of them when left out.",
        "schema": {"type": "array", "items": {"type": "string", "enum": table.columns()}, "minItems": 1, "maxItems": MOST_FIELDS, "uniqueItems": true},
    }));
    filters.push(json!({
        "name": "bom", "in": "query", "required": false,
        "description": "Whether a csv begins with a byte order mark, by which Excel knows UTF-8; other forms have none.",
        "schema": {"type": "boolean", "default": false},
    }));
    filters.push(reference("parameters", "lang"));
    get["parameters"] = json!(filters);
    let content = formats.iter().map(|format| {
        let schema = match format {
            Format::Xlsx => json!({"type": "string", "format": "binary"}),
            _ => json!({"type": "string"}),
        };
        (format.media_type().to_owned(), json!({"schema": schema}))
    });
    get["responses"]["200"] = json!({
        "description": "The file.",
        "headers": told(&["ETag", "Content-Disposition"]),
        "content": content.collect::<Components>(),
    });
    get["responses"]["304"] = reference("responses", "NotModified");
}

fn id_parameter<R: Resource>() -> Value {
    let name = name_of::<R>();
    let example = sample::example(R::COLLECTION)[name].take();
    json!({"name": "id", "in": "path", "required": true, "description": format!("The id or the {name} of the record."),
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,80}$"}, "example": example})
}

fn body(about: &str, media_type: &str, schema: &Value, example: &Value) -> Value {
    let mut content = serde_json::Map::new();
    content.insert(media_type.to_owned(), json!({"schema": schema, "example": example}));
    json!({"required": true, "description": about, "content": content})
}

fn read<R: Resource>() -> Value {
    let mut get = operation(
        &format!("read{}", R::name()),
        R::COLLECTION,
        &format!("Read a record of the {}", spoken::<R>()),
        "The record of that id or slug.",
        &["400", "404"],
    );
    get["parameters"] = json!([id_parameter::<R>(), reference("parameters", "lang")]);
    get["responses"]["200"] = answer(
        "The record.",
        &record_name::<R>(),
        Some(record_example::<R>()),
        &["ETag", "Last-Modified", "Content-Language"],
    );
    get["responses"]["304"] = reference("responses", "NotModified");
    get
}

fn create<R: Resource>() -> Value {
    let mut post = operation(
        &format!("create{}", R::name()),
        R::COLLECTION,
        &format!("Create a record of the {}", spoken::<R>()),
        "Keeps a new record as a draft, or at once for the public. References name records by id or slug. Who sends an Idempotency-Key may send the request again when no answer came.",
        &["400", "401", "408", "409", "413", "415", "422"],
    );
    guard(&mut post, Deed::Write);
    let example = another::<R>();
    post["requestBody"] = body(
        &format!("The {} to create.", R::NAME),
        "application/json",
        &reference("schemas", &R::name()),
        &example,
    );
    let mut draft = record_of_body::<R>(example);
    draft["state"] = "draft".into();
    draft["published_at"] = Value::Null;
    let publish = json!({"name": "publish", "in": "query", "required": false, "description": "Whether it is public at once; that needs the role publisher or admin.", "schema": {"type": "boolean", "default": false}});
    post["parameters"] = json!([publish, reference("parameters", "Idempotency-Key")]);
    post["responses"]["201"] = answer(
        "It was created.",
        &record_name::<R>(),
        Some(draft),
        &["ETag", "Location", "Idempotency-Replayed"],
    );
    post
}

fn replace<R: Resource>() -> Value {
    let mut put = operation(
        &format!("replace{}", R::name()),
        R::COLLECTION,
        &format!("Replace a record of the {}", spoken::<R>()),
        "Puts a new body in place of the old one: what is left out becomes unknown.",
        &["400", "401", "404", "408", "409", "412", "413", "415", "422", "428"],
    );
    guard(&mut put, Deed::Write);
    put["parameters"] = json!([id_parameter::<R>(), reference("parameters", "If-Match")]);
    put["requestBody"] = body(
        &format!("The whole {}, as it is to be.", R::NAME),
        "application/json",
        &reference("schemas", &R::name()),
        &sample::example(R::COLLECTION),
    );
    put["responses"]["202"] = publication::kept_aside();
    put["responses"]["200"] =
        answer("It was replaced.", &record_name::<R>(), Some(record_example::<R>()), &["ETag"]);
    put
}

fn patch<R: Resource>(schema: &Value) -> Value {
    let mut patch = operation(
        &format!("patch{}", R::name()),
        R::COLLECTION,
        &format!("Change a record of the {}", spoken::<R>()),
        "A merge patch after RFC 7396: fields that are sent replace, null makes unknown, lists are replaced whole.",
        &["400", "401", "404", "408", "409", "412", "413", "415", "422", "428"],
    );
    guard(&mut patch, Deed::Write);
    patch["parameters"] = json!([id_parameter::<R>(), reference("parameters", "If-Match")]);
    let sample = sample::example(R::COLLECTION);
    let telling = ["status", "title", "name", "label", "rate", "mode", "kind"];
    let field = telling.into_iter().find(|field| sample.get(field).is_some());
    let field = field.expect("every record has one of these");
    patch["requestBody"] = body(
        "The fields to change.",
        "application/merge-patch+json",
        schema,
        &json!({field: sample[field]}),
    );
    patch["responses"]["202"] = publication::kept_aside();
    patch["responses"]["200"] =
        answer("It was changed.", &record_name::<R>(), Some(record_example::<R>()), &["ETag"]);
    patch
}

fn delete<R: Resource>() -> Value {
    let mut delete = operation(
        &format!("delete{}", R::name()),
        R::COLLECTION,
        &format!("Delete a record of the {}", spoken::<R>()),
        "Removes the record, unless others refer to it. What is public or withdrawn takes the role publisher or admin.",
        &["400", "401", "404", "409", "412", "428"],
    );
    guard(&mut delete, Deed::Write);
    delete["parameters"] = json!([id_parameter::<R>(), reference("parameters", "If-Match")]);
    delete["responses"]["409"] = reference("responses", "InUse");
    delete["responses"]["204"] = json!({"description": "It was deleted.", "headers": {"X-Request-Id": reference("headers", "X-Request-Id")}});
    delete
}

fn spoken<R: Resource>() -> String {
    R::COLLECTION.replace('-', " ")
}

/// What a record is called by in addresses.
fn name_of<R: Resource>() -> &'static str {
    if R::COLLECTION == "topics" { "code" } else { "slug" }
}

/// A body that can be sent as it is, also where the sample is: it is called otherwise.
fn another<R: Resource>() -> Value {
    let mut body = sample::example(R::COLLECTION);
    let name = &mut body[name_of::<R>()];
    *name = format!("another-{}", name.as_str().unwrap_or_default()).into();
    body
}

/// A record as it is answered.
fn record_example<R: Resource>() -> Value {
    record_of_body::<R>(sample::example(R::COLLECTION))
}

/// What is answered of a body: ids are in place of names, one for each.
fn record_of_body<R: Resource>(body: Value) -> Value {
    let read: R = domain::Shape::read(body)
        .unwrap_or_else(|error| panic!("the example of {} is valid: {error:?}", R::COLLECTION));
    let mut body = json!(read);
    let mut named = Vec::new();
    for reference in domain::Shape::of::<R>().references(&body) {
        if reference.collection == "topics" && reference.field.ends_with("/topics") {
            continue;
        }
        let key = (reference.collection, reference.key);
        let known = named.iter().position(|known| *known == key);
        let place = known.unwrap_or_else(|| {
            named.push(key);
            named.len() - 1
        });
        if let Some(value) = body.pointer_mut(&reference.pointer) {
            *value = format!("01931f6e-6c00-7000-8000-{:012x}", 0x10 + place).into();
        }
    }
    let mut record = json!({
        "id": "01931f6e-6c00-7000-8000-000000000001",
        "revision": 1,
        "state": "published",
        "created_at": "2026-11-24T09:00:00Z",
        "updated_at": "2026-11-24T09:00:00Z",
        "published_at": "2026-11-24T09:00:00Z",
    });
    for (name, value) in body.as_object().into_iter().flatten() {
        record[name] = value.clone();
    }
    if R::COLLECTION == "seminars" {
        record["label"] = json!({"en": "Seminar 1: Capacity building seminars on Governance Innovation and Digitalisation"});
    }
    record
}

/// The problems that operations share, each told as it is answered.
fn responses() -> Value {
    let problem = |about: &str, headers: &[&str], shown: Problem| json!({"description": about, "headers": told(headers), "content": {"application/problem+json": {"schema": reference("schemas", "Problem"), "example": shown.example()}}});
    let of = Problem::of(Seminar::COLLECTION);
    let limit = Fault::parameter(
        "limit",
        "invalid_parameter",
        format!("It cannot be used: it is a number from 1 to {MAX_LIMIT}."),
    );
    let ends = Violation::new("/ends_on", "ends_before_it_starts", "It ends before it starts.");
    let talk = Referrer {
        collection: Presentation::COLLECTION.into(),
        id: Some(Uuid::from_u128(0x0193_1f6e_6c00_7000_8000_0000_0000_0002)),
        slug: Some("first-seminar-2021-experts-1".into()),
        field: "/seminar_id".into(),
    };
    json!({
        "NotModified": {"description": "The client has this representation already.", "headers": {"ETag": reference("headers", "ETag")}},
        "BadRequest": problem("The request cannot be read, or names something that does not exist.", &[], Problem::invalid_query(vec![limit])),
        "Unauthenticated": problem("A valid token is needed.", &["WWW-Authenticate"], Problem::unauthenticated()),
        "Forbidden": problem("The token does not allow that.", &[], Problem::forbidden(Deed::Write)),
        "NotFound": problem("There is no such record.", &[], of(Error::NotFound)),
        "Timeout": problem("The body took too long to arrive.", &[], Problem::timeout()),
        "Conflict": problem("Another record has that slug, or a request with that key is still being answered.", &[], of(Error::Taken)),
        "InUse": problem("Others refer to this record; errors names them.", &[], of(Error::InUse(vec![talk]))),
        "WrongState": problem("The record stands at another point of its way, from which that step does not lead, or what is public refers to it.", &[], of(Error::WrongState(State::Published))),
        "Decided": problem("The proposal was decided before, or the record has moved on since it was made, or cannot become that any more.", &[], of(Error::Decided)),
        "TooManyWebhooks": problem("There are as many webhooks as there can be.", &[], Problem::too_many_webhooks()),
        "WebhookOff": problem("The webhook is switched off.", &[], Problem::webhook_off()),
        "Stale": problem("The record has changed since it was read.", &[], of(Error::Stale)),
        "TooLarge": problem("The body is too large.", &[], Problem::too_large(sent::LIMIT)),
        "TooLong": problem(&format!("The address is longer than {MAX_ADDRESS} characters."), &[], Problem::too_long(MAX_ADDRESS)),
        "MediaType": problem("The body has a media type that cannot be read.", &["Accept", "Accept-Patch"], Problem::media_type("application/json", false)),
        "Invalid": problem("The record breaks a rule; errors lists every one.", &[], of(Error::Refused(vec![ends]))),
        "Unfit": problem("It can be read, and cannot be answered or taken like that: code and detail say why, and errors each place where there is one.", &[], Problem::too_many_rows(2_000_000, 1_048_575)),
        "Unconditional": problem("If-Match is needed.", &[], Problem::unconditional()),
        "TooMany": problem("One client may not ask so much in a minute; what has not changed since is not counted.", &["Retry-After", "RateLimit", "RateLimit-Policy"], Problem::too_many_requests(600, 30)),
        "Internal": problem("The service failed; name the request id when you ask for help.", &[], Problem::internal()),
        "Unavailable": problem("The service cannot answer that now; try again.", &["Retry-After"], Problem::unavailable()),
    })
}

fn headers() -> Value {
    let header = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    json!({
        "ETag": header("Tells this representation from every other; send it as If-None-Match or If-Match."),
        "Location": header("The address of the new record."),
        "Idempotency-Replayed": {"description": "That the request was answered before, and this is the same answer.", "schema": {"type": "string", "enum": ["true"]}},
        "Accept": header("The media types that can be sent there, unless it is a patch."),
        "Accept-Patch": header("The media type that a patch has to have."),
        "Link": header("The address of the next page, as rel=next, where there is one."),
        "Retry-After": {"description": "After how many seconds to try again.", "schema": {"type": "integer", "minimum": 0}},
        "RateLimit": {"description": "How many requests of the policy are left (r), and after how many seconds all of them are again (t). Every answer has it and RateLimit-Policy, where requests are limited.", "schema": {"type": "string", "example": "\"minute\";r=599;t=1"}},
        "RateLimit-Policy": {"description": "How many requests (q) one client may send in so many seconds (w).", "schema": {"type": "string", "example": "\"minute\";q=600;w=60"}},
        "Content-Disposition": header("The name of the file."),
        "Last-Modified": header("When the record was last changed, as an HTTP date."),
        "Content-Language": header("The languages of the texts, where lang chose them."),
        "WWW-Authenticate": header("How to say who asks."),
        "X-Request-Id": header("The id of the request, for the log."),
    })
}

fn parameters() -> Value {
    json!({
        "limit": {"name": "limit", "in": "query", "required": false, "description": "How many records a page has.", "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT}},
        "q": {"name": "q", "in": "query", "required": false, "description": "Words that records hold in any of their texts, in any language; all must be there, case and accents make no difference, and the last may be unfinished. What holds no word, such as *, finds nothing. Without sort, records with the words in their names come first.", "schema": {"type": "string", "minLength": 1, "maxLength": MAX_SEARCH, "pattern": "^[^\\x00]*$"}},
        "state": {"name": "state", "in": "query", "required": false, "style": "form", "explode": false, "description": "Whose state is one of these. Needs a token: to the public there is nothing but what is published.", "schema": {"type": "array", "items": reference("schemas", "State"), "minItems": 1, "maxItems": MOST_STATES}},
        "cursor": {"name": "cursor", "in": "query", "required": false, "description": "The next_cursor of the page before, with the same filters and the same sort.", "schema": {"type": "string", "minLength": 1}},
        "lang": {"name": "lang", "in": "query", "required": false, "style": "form", "explode": false, "description": "The languages preferred, best first: each text keeps one, the first of these that it has, by itself, by a parent tag or by another tag of the same language, else English, else any. All languages when left out.", "schema": {"type": "array", "items": reference("schemas", "SoughtLanguage"), "minItems": 1, "maxItems": MOST_LANGUAGES}},
        "with_total": {"name": "with_total", "in": "query", "required": false, "description": "Whether to count the whole list. The address of the next page does not ask for it again, since to count takes its time.", "schema": {"type": "boolean", "default": false}},
        "Idempotency-Key": {"name": "Idempotency-Key", "in": "header", "required": false, "description": "Names the request, so that it can be sent again: for 24 hours the same key and body have the same answer, and nothing is created twice.", "schema": {"type": "string", "pattern": idempotency::PATTERN, "minLength": 16, "maxLength": 64}},
        "If-Match": {"name": "If-Match", "in": "header", "required": true, "description": "The ETag of the revision that the change is made to, or a list of several, of which one has to fit; each with its quotes.", "example": "\"1\"", "schema": {"type": "string", "pattern": "^\"[1-9][0-9]{0,14}(?:\\.[A-Za-z0-9_.-]{1,40})?\"(?:, \"[1-9][0-9]{0,14}(?:\\.[A-Za-z0-9_.-]{1,40})?\"){0,9}$", "maxLength": 620}},
    })
}
