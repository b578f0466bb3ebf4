//! The contract, made from the types that serve the requests.
use std::collections::BTreeMap;

use domain::{Country, CountryFilter, Resource, State, sample};
use persistence::{Stored, Visitor, visit_all};
use serde_json::{Value, json};
use utoipa::{OpenApi, PartialSchema, ToSchema, openapi::RefOr};

use crate::{
    country, health,
    problem::{self, ProblemBody},
    query::{LIMIT, MAX_LIMIT},
};

#[derive(OpenApi)]
#[openapi(
    paths(health::live, health::ready, problem::describe),
    components(schemas(ProblemBody, State, Country)),
    info(
        title = "Capacity Hub",
        description = "The open registry of a capacity-building cooperation: the project, the \
            grant arrangement that pays for it, its seminars, workshops and study visits, who \
            presented what, which countries took part, and what came of it.\n\nReading needs no \
            token. A property that is null is not known; that is not the same as none. Every \
            record names the source of its facts in `citations`.",
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
            for (status, response) in
                [("404", "NotFound"), ("503", "Unavailable"), ("500", "Internal")]
            {
                operation["responses"][status] = reference("responses", response);
            }
        }
    }
    visit_all(&mut building);
    building.countries();
    building.tags.push(json!({"name": "service", "description": "The service itself: whether it is well, and what its problems mean."}));
    let (paths, schemas) = (building.paths, building.schemas);
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
            "description": "A token made by `capacity-hub token create`.",
        }},
    });
    document
}

/// Which methods each address takes.
pub(crate) struct Paths(Vec<(Vec<String>, Vec<String>)>);

impl Paths {
    pub(crate) fn of(document: &Value) -> Self {
        let known = document["paths"].as_object().into_iter().flatten();
        let mut paths: Vec<_> = known
            .map(|(path, item)| {
                let methods =
                    item.as_object().into_iter().flatten().map(|(name, _)| name.to_uppercase());
                (path.clone(), methods.collect::<Vec<_>>())
            })
            .collect();
        for path in ["/", "/openapi.json", "/docs", "/docs/{file}"] {
            paths.push((path.to_owned(), vec!["GET".to_owned()]));
        }
        let split = |path: String| path.split('/').map(ToOwned::to_owned).collect();
        Self(paths.into_iter().map(|(path, methods)| (split(path), methods)).collect())
    }

    /// The methods of that address, if there is such a one.
    pub(crate) fn methods(&self, path: &str) -> Option<Vec<String>> {
        let steps: Vec<_> = path.split('/').collect();
        let fits = |(pattern, _): &&(Vec<String>, Vec<String>)| {
            pattern.len() == steps.len()
                && pattern.iter().zip(&steps).all(|(pattern, step)| {
                    if pattern.starts_with('{') { !step.is_empty() } else { pattern == step }
                })
        };
        let (_, methods) = self.0.iter().find(fits)?;
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
        self.schemas.insert(page_name::<R>(), page(&record_name::<R>()));
        let collection = format!("/v1/{}", R::COLLECTION);
        let one = format!("{collection}/{{id}}");
        let filters = self.filters::<R::Filter>();
        let keys = enum_values(&json!(R::SortKey::schema()));
        self.paths.insert(
            collection,
            json!({
                "get": list(&R::name(), R::COLLECTION, filters, Some(&keys), &record_example::<R>()),
                "post": create::<R>(),
            }),
        );
        self.paths.insert(one, json!({
            "get": read::<R>(), "put": replace::<R>(), "patch": patch::<R>(), "delete": delete::<R>(),
        }));
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
        let when =
            |about: &str| json!({"type": "string", "format": "date-time", "description": about});
        let mut fields = json!({
            "id": {"type": "string", "format": "uuid", "description": "Identifies the record, for ever."},
            "revision": {"type": "integer", "format": "int64", "minimum": 1, "description": "Counts the changes made to the record, from 1; the ETag begins with it."},
            "state": reference("schemas", "State"),
            "created_at": when("When the record was created."),
            "updated_at": when("When the record was last changed."),
            "published_at": {"type": ["string", "null"], "format": "date-time", "description": "When the record was published; null while it is not."},
        });
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

    fn countries(&mut self) {
        let example = json!(Country::find("KZ"));
        let filters = self.filters::<CountryFilter>();
        self.schemas.insert("CountryPage".into(), page("Country"));
        self.tags.push(json!({"name": country::COLLECTION, "description": "The countries of ISO 3166-1, read only."}));
        self.paths.insert(
            "/v1/countries".into(),
            json!({
                "get": list("Country", country::COLLECTION, filters, None, &example),
            }),
        );
        let mut one = operation(
            "readCountry",
            country::COLLECTION,
            "Read a country",
            "The country of that code.",
            &["400", "404"],
        );
        one["parameters"] = json!([{"name": "code", "in": "path", "required": true, "description": "The ISO 3166-1 alpha-2 code.", "schema": {"type": "string", "pattern": "^[A-Z]{2}$"}, "example": "KZ"}]);
        one["responses"]["200"] = answer("The country.", "Country", Some(example), &["ETag"]);
        one["responses"]["304"] = reference("responses", "NotModified");
        self.paths.insert("/v1/countries/{code}".into(), json!({"get": one}));
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

fn page(record: &str) -> Value {
    json!({
        "type": "object",
        "description": "A page of a list.",
        "required": ["items", "next_cursor", "included"],
        "properties": {
            "items": {"type": "array", "items": reference("schemas", record), "description": "The records, in the order asked for."},
            "next_cursor": {"type": ["string", "null"], "description": "Asks for the page after this one; null when this is the last."},
            "total": {"type": "integer", "minimum": 0, "description": "How many records the whole list has; only when asked by with_total."},
            "included": {"type": "null", "description": "Related records, once a list can be asked for them."},
        },
    })
}

fn enum_values(schema: &Value) -> Vec<String> {
    let values = schema["enum"].as_array().into_iter().flatten();
    values.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn operation(id: &str, tag: &str, summary: &str, about: &str, statuses: &[&str]) -> Value {
    let mut responses = serde_json::Map::new();
    for status in statuses.iter().chain(&["500", "503"]) {
        let name = match *status {
            "400" => "BadRequest",
            "401" => "Unauthenticated",
            "404" => "NotFound",
            "408" => "Timeout",
            "409" => "Conflict",
            "412" => "Stale",
            "413" => "TooLarge",
            "415" => "MediaType",
            "422" => "Invalid",
            "428" => "Unconditional",
            "503" => "Unavailable",
            _ => "Internal",
        };
        responses.insert((*status).to_owned(), reference("responses", name));
    }
    json!({"operationId": id, "tags": [tag], "summary": summary, "description": about, "responses": responses, "security": [{}]})
}

fn answer(about: &str, schema: &str, example: Option<Value>, headers: &[&str]) -> Value {
    let mut content = json!({"schema": reference("schemas", schema)});
    if let Some(example) = example {
        content["example"] = example;
    }
    let told: Components = headers
        .iter()
        .chain(&["X-Request-Id"])
        .map(|name| ((*name).to_owned(), reference("headers", name)))
        .collect();
    json!({"description": about, "headers": told, "content": {"application/json": content}})
}

fn list(
    name: &str,
    collection: &str,
    filters: Vec<Value>,
    keys: Option<&[String]>,
    example: &Value,
) -> Value {
    let about = format!(
        "The {}, a page at a time; parameters that name different fields all apply, values with commas between them are alternatives.",
        collection.replace('-', " ")
    );
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
    if let Some(keys) = keys {
        let values: Vec<_> = keys.iter().flat_map(|key| [key.clone(), format!("-{key}")]).collect();
        let default = keys.first().cloned().unwrap_or_default();
        parameters.push(json!({
            "name": "sort", "in": "query", "required": false, "style": "form", "explode": false,
            "description": format!("The order: keys with commas between them, a hyphen before a key for descending; {default} when left out. What is not known comes last, or first when descending."),
            "schema": {"type": "array", "items": {"type": "string", "enum": values}, "minItems": 1, "maxItems": 1},
        }));
    }
    get["parameters"] = json!(parameters);
    let example = json!({"items": [example], "next_cursor": null, "included": null});
    get["responses"]["200"] =
        answer("A page of the list.", &format!("{name}Page"), Some(example), &["ETag", "Link"]);
    get["responses"]["304"] = reference("responses", "NotModified");
    get
}

fn id_parameter<R: Resource>() -> Value {
    let record = record_example::<R>();
    let example = match R::COLLECTION {
        "topics" => record["code"].clone(),
        _ => record["slug"].clone(),
    };
    json!({"name": "id", "in": "path", "required": true, "description": "The id or the slug of the record.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,80}$"}, "example": example})
}

fn body<R: Resource>(media_type: &str, schema: &Value, example: &Value) -> Value {
    let mut content = serde_json::Map::new();
    content.insert(media_type.to_owned(), json!({"schema": schema, "example": example}));
    json!({"required": true, "description": format!("What is written of the {}.", R::NAME), "content": content})
}

fn read<R: Resource>() -> Value {
    let mut get = operation(
        &format!("read{}", R::name()),
        R::COLLECTION,
        &format!("Read a record of the {}", spoken::<R>()),
        "The record of that id or slug.",
        &["400", "404"],
    );
    get["parameters"] = json!([id_parameter::<R>()]);
    get["responses"]["200"] =
        answer("The record.", &record_name::<R>(), Some(record_example::<R>()), &["ETag"]);
    get["responses"]["304"] = reference("responses", "NotModified");
    get
}

fn create<R: Resource>() -> Value {
    let mut post = operation(
        &format!("create{}", R::name()),
        R::COLLECTION,
        &format!("Create a record of the {}", spoken::<R>()),
        "Keeps a new record; it is public at once. References name records by id or slug.",
        &["400", "401", "408", "409", "413", "415", "422"],
    );
    post["security"] = json!([{"token": []}]);
    post["requestBody"] = body::<R>(
        "application/json",
        &reference("schemas", &R::name()),
        &sample::example(R::COLLECTION),
    );
    post["responses"]["201"] = answer(
        "It was created.",
        &record_name::<R>(),
        Some(record_example::<R>()),
        &["ETag", "Location"],
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
    put["security"] = json!([{"token": []}]);
    put["parameters"] = json!([id_parameter::<R>(), reference("parameters", "If-Match")]);
    put["requestBody"] = body::<R>(
        "application/json",
        &reference("schemas", &R::name()),
        &sample::example(R::COLLECTION),
    );
    put["responses"]["200"] =
        answer("It was replaced.", &record_name::<R>(), Some(record_example::<R>()), &["ETag"]);
    put
}

fn patch<R: Resource>() -> Value {
    let mut patch = operation(
        &format!("patch{}", R::name()),
        R::COLLECTION,
        &format!("Change a record of the {}", spoken::<R>()),
        "A merge patch after RFC 7396: fields that are sent replace, null makes unknown, lists are replaced whole.",
        &["400", "401", "404", "408", "409", "412", "413", "415", "422", "428"],
    );
    patch["security"] = json!([{"token": []}]);
    patch["parameters"] = json!([id_parameter::<R>(), reference("parameters", "If-Match")]);
    let schema =
        json!({"type": "object", "description": format!("The fields of {} to change.", R::name())});
    let example = sample::example(R::COLLECTION);
    patch["requestBody"] = body::<R>(
        "application/merge-patch+json",
        &schema,
        &json!({"citations": example["citations"]}),
    );
    patch["responses"]["200"] =
        answer("It was changed.", &record_name::<R>(), Some(record_example::<R>()), &["ETag"]);
    patch
}

fn delete<R: Resource>() -> Value {
    let mut delete = operation(
        &format!("delete{}", R::name()),
        R::COLLECTION,
        &format!("Delete a record of the {}", spoken::<R>()),
        "Removes the record, unless others refer to it.",
        &["400", "401", "404", "409", "412", "428"],
    );
    delete["security"] = json!([{"token": []}]);
    delete["parameters"] = json!([id_parameter::<R>(), reference("parameters", "If-Match")]);
    delete["responses"]["204"] = json!({"description": "It was deleted.", "headers": {"X-Request-Id": reference("headers", "X-Request-Id")}});
    delete
}

fn spoken<R: Resource>() -> String {
    R::COLLECTION.replace('-', " ")
}

/// A record as it is answered: the example body, with ids in place of names.
fn record_example<R: Resource>() -> Value {
    let body = sample::example(R::COLLECTION);
    let read: R = domain::Shape::read(body)
        .unwrap_or_else(|error| panic!("the example of {} is valid: {error:?}", R::COLLECTION));
    let mut body = json!(read);
    for reference in domain::Shape::of::<R>().references(&body) {
        if reference.collection == "topics" && reference.field.ends_with("/topics") {
            continue;
        }
        if let Some(value) = body.pointer_mut(&reference.pointer) {
            *value = "01931f6e-6c00-7000-8000-000000000002".into();
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

fn responses() -> Value {
    let problem = |about: &str, headers: &[&str]| {
        let told: Components = headers
            .iter()
            .chain(&["X-Request-Id"])
            .map(|name| ((*name).to_owned(), reference("headers", name)))
            .collect();
        json!({"description": about, "headers": told, "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}}})
    };
    json!({
        "NotModified": {"description": "The client has this representation already.", "headers": {"ETag": reference("headers", "ETag")}},
        "BadRequest": problem("The request cannot be read, or names something that does not exist.", &[]),
        "Unauthenticated": problem("A valid token is needed.", &["WWW-Authenticate"]),
        "NotFound": problem("There is no such record.", &[]),
        "Timeout": problem("The body took too long to arrive.", &[]),
        "Conflict": problem("Another record has that slug, or others refer to this one.", &[]),
        "Stale": problem("The record has changed since it was read.", &[]),
        "TooLarge": problem("The body is too large.", &[]),
        "MediaType": problem("The body has a media type that cannot be read.", &[]),
        "Invalid": problem("The record breaks a rule; errors lists every one.", &[]),
        "Unconditional": problem("If-Match is needed.", &[]),
        "Internal": problem("The service failed; name the request id when you ask for help.", &[]),
        "Unavailable": problem("The database is away or too busy; try again.", &["Retry-After"]),
    })
}

fn headers() -> Value {
    let header = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    json!({
        "ETag": header("Tells this representation from every other; send it as If-None-Match or If-Match."),
        "Location": header("The address of the new record."),
        "Link": header("The address of the next page, as rel=next, where there is one."),
        "Retry-After": {"description": "After how many seconds to try again.", "schema": {"type": "integer", "minimum": 0}},
        "WWW-Authenticate": header("How to say who asks."),
        "X-Request-Id": header("The id of the request, for the log."),
    })
}

fn parameters() -> Value {
    json!({
        "limit": {"name": "limit", "in": "query", "required": false, "description": "How many records a page has.", "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT}},
        "cursor": {"name": "cursor", "in": "query", "required": false, "description": "The next_cursor of the page before, with the same filters and the same sort.", "schema": {"type": "string", "minLength": 1}},
        "with_total": {"name": "with_total", "in": "query", "required": false, "description": "Whether to count the whole list.", "schema": {"type": "boolean", "default": false}},
        "If-Match": {"name": "If-Match", "in": "header", "required": true, "description": "The ETag of the revision that the change is made to.", "schema": {"type": "string", "pattern": "^\"[1-9][0-9]{0,14}(?:\\.[A-Za-z0-9_.-]{1,40})?\"$", "maxLength": 60}},
    })
}
