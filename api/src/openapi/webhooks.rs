//! Webhooks, in the contract.
use domain::{Deed, Webhook};
use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::{Building, answer, guard, operation, reference};
use crate::webhook::{COLLECTION, DeliveryRecord};

const ID: &str = "01931f6e-6c00-7000-8000-000000000001";
/// Why an address may not have answered; nothing where it did.
const ERRORS: [Option<&str>; 6] = [
    Some("not_reached"),
    Some("timed_out"),
    Some("private_address"),
    Some("invalid_address"),
    Some("invalid_secret"),
    None,
];

impl Building<'_> {
    pub(super) fn webhooks(&mut self) {
        self.add::<Webhook>();
        self.tags.push(json!({"name": COLLECTION, "description": "Who is told of changes by requests, as Standard Webhooks say; for who manages them only."}));
        let change = self.change("Webhook");
        let record = record(&self.schemas["Webhook"]);
        let mut created = record.clone();
        created["description"] = "A new webhook, with its secret.".into();
        created["properties"]["secret"] = json!({"type": "string", "pattern": "^whsec_[A-Za-z0-9+/]{43}=$", "description": "What requests are signed with; it is told this one time."});
        created["required"] = names(&created);
        let mut delivery = json!(DeliveryRecord::schema());
        delivery["properties"]["status"]["enum"] = json!(["pending", "delivered", "failed"]);
        delivery["properties"]["last_error"]["enum"] = json!(ERRORS);
        let mut page = whole("WebhookRecord", "webhooks");
        page["description"] = "All webhooks.".into();
        page["properties"]["next_cursor"]["description"] = "Null: a page has all of them.".into();
        let all = [
            ("WebhookRecord", record),
            ("NewWebhook", created),
            ("WebhookPage", page),
            ("DeliveryRecord", delivery),
            ("DeliveryPage", whole("DeliveryRecord", "deliveries")),
        ];
        for (name, schema) in all {
            self.schemas.insert(name.into(), schema);
        }

        self.paths.insert("/v1/webhooks".into(), json!({"get": list(), "post": create()}));
        let one = json!({"get": read(), "patch": patch(&change), "delete": delete()});
        self.paths.insert("/v1/webhooks/{id}".into(), one);
        self.paths.insert("/v1/webhooks/{id}/ping".into(), json!({"post": ping()}));
        self.paths.insert("/v1/webhooks/{id}/deliveries".into(), json!({"get": deliveries()}));
        let path = "/v1/webhooks/{id}/deliveries/{delivery}/replay";
        self.paths.insert(path.into(), json!({"post": replay()}));
    }
}

pub(super) fn names(schema: &Value) -> Value {
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields.map(|(name, _)| name.clone()).collect::<Vec<_>>().into()
}

/// What is known of a webhook, around what was written.
fn record(body: &Value) -> Value {
    let when = |about: &str| json!({"type": "string", "format": "date-time", "description": about});
    let mut record = body.clone();
    let mut fields = json!({
        "id": {"type": "string", "format": "uuid", "description": "Identifies the webhook, for ever."},
        "revision": {"type": "integer", "format": "int64", "minimum": 1, "description": "Counts the changes made to the webhook, from 1; the ETag begins with it."},
        "created_at": when("When the webhook was created."),
        "updated_at": when("When the webhook was last changed."),
    });
    for (name, field) in body["properties"].as_object().into_iter().flatten() {
        fields[name] = field.clone();
    }
    record["description"] = "A webhook, without its secret.".into();
    record["properties"] = fields;
    record["required"] = names(&record);
    // What v1 will gain must not break who reads it strictly.
    record.as_object_mut().map(|record| record.remove("additionalProperties"));
    record
}

pub(super) fn whole(record: &str, name: &str) -> Value {
    json!({
        "type": "object",
        "description": format!("A page of the {name}."),
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": reference("schemas", record), "description": format!("The {name}.")},
            "next_cursor": {"type": ["string", "null"], "description": "Asks for the page after this one; null when this is the last."},
        },
    })
}

fn body() -> Value {
    json!({"url": "https://example.org/hub-changes", "resources": ["seminars", "study-visits"], "description": "The website of the ministry", "enabled": true})
}

fn example() -> Value {
    let mut record = json!({"id": ID, "revision": 1, "created_at": "2026-11-24T09:00:00Z", "updated_at": "2026-11-24T09:00:00Z"});
    for (name, value) in body().as_object().into_iter().flatten() {
        record[name] = value.clone();
    }
    record
}

fn delivery_example() -> Value {
    json!({"id": "01931f6e-6c00-7000-8000-000000000002", "event": "seminars.changed", "cursor": "AAAAAAAAAAE", "status": "delivered", "attempts": 1, "last_status": 204, "last_error": null, "created_at": "2026-11-24T09:00:00Z", "next_attempt_at": null, "delivered_at": "2026-11-24T09:00:00Z"})
}

fn id(name: &str, about: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": about, "schema": {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}, "example": ID})
}

fn with_token(name: &str, summary: &str, about: &str, statuses: &[&str]) -> Value {
    let mut operation = operation(name, COLLECTION, summary, about, statuses);
    guard(&mut operation, Deed::Manage);
    operation
}

fn list() -> Value {
    let about =
        "All webhooks, in the order in which they were created: there are at most a hundred.";
    let mut get = with_token("listWebhooks", "List webhooks", about, &["400", "401"]);
    let page = json!({"items": [example()], "next_cursor": null});
    get["responses"]["200"] = answer("The webhooks.", "WebhookPage", Some(page), &[]);
    get
}

fn create() -> Value {
    let about = "From now on the address is told of each change by a POST of `{type, timestamp, data}`, where `type` is as in `seminars.changed` and `data` an item of the feed of changes. Requests carry `webhook-id`, `webhook-timestamp` and `webhook-signature`, so any library for Standard Webhooks verifies them with the secret that is told here, this one time. What is not answered with 2xx within 15 seconds is tried again for three days, less and less often; 410 switches the webhook off.";
    let statuses = ["400", "401", "408", "409", "413", "415", "422"];
    let mut post = with_token("createWebhook", "Create a webhook", about, &statuses);
    post["requestBody"] = json!({"required": true, "description": "The webhook to create.", "content": {"application/json": {"schema": reference("schemas", "Webhook"), "example": body()}}});
    post["responses"]["409"] = reference("responses", "TooManyWebhooks");
    let mut created = example();
    created["secret"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=".into();
    post["responses"]["201"] =
        answer("It was created.", "NewWebhook", Some(created), &["ETag", "Location"]);
    post
}

fn read() -> Value {
    let statuses = ["400", "401", "404"];
    let mut get = with_token("readWebhook", "Read a webhook", "The webhook of that id.", &statuses);
    get["parameters"] = json!([id("id", "The id of the webhook.")]);
    get["responses"]["200"] = answer("The webhook.", "WebhookRecord", Some(example()), &["ETag"]);
    get["responses"]["304"] = reference("responses", "NotModified");
    get
}

fn patch(change: &str) -> Value {
    let about = "A merge patch after RFC 7396: fields that are sent replace, null makes unknown, lists are replaced whole. A webhook that is switched on again is told of all that it missed.";
    let statuses = ["400", "401", "404", "408", "412", "413", "415", "422", "428"];
    let mut patch = with_token("patchWebhook", "Change a webhook", about, &statuses);
    patch["parameters"] =
        json!([id("id", "The id of the webhook."), reference("parameters", "If-Match")]);
    patch["requestBody"] = json!({"required": true, "description": "The fields to change.", "content": {"application/merge-patch+json": {"schema": reference("schemas", change), "example": {"enabled": false}}}});
    patch["responses"]["200"] =
        answer("It was changed.", "WebhookRecord", Some(example()), &["ETag"]);
    patch
}

fn delete() -> Value {
    let about = "Removes the webhook and the log of its deliveries.";
    let statuses = ["400", "401", "404", "412", "428"];
    let mut delete = with_token("deleteWebhook", "Delete a webhook", about, &statuses);
    delete["parameters"] =
        json!([id("id", "The id of the webhook."), reference("parameters", "If-Match")]);
    delete["responses"]["204"] = json!({"description": "It was deleted.", "headers": {"X-Request-Id": reference("headers", "X-Request-Id")}});
    delete
}

fn ping() -> Value {
    let about = "Has the webhook told of a `ping`, to see that it is reached.";
    let statuses = ["400", "401", "404", "409"];
    let mut post = with_token("pingWebhook", "Try a webhook", about, &statuses);
    post["responses"]["409"] = reference("responses", "WebhookOff");
    post["parameters"] = json!([id("id", "The id of the webhook.")]);
    let mut pinged = delivery_example();
    pinged["event"] = "ping".into();
    pinged["cursor"] = Value::Null;
    post["responses"]["202"] = answer("It will be told.", "DeliveryRecord", Some(pinged), &[]);
    post
}

fn deliveries() -> Value {
    let about = "What the webhook was told in the last thirty days, and is still to be told; the newest first.";
    let statuses = ["400", "401", "404"];
    let mut get =
        with_token("listWebhookDeliveries", "List deliveries of a webhook", about, &statuses);
    get["parameters"] = json!([
        id("id", "The id of the webhook."),
        reference("parameters", "limit"),
        reference("parameters", "cursor"),
    ]);
    let page = json!({"items": [delivery_example()], "next_cursor": null});
    get["responses"]["200"] = answer("A page of the deliveries.", "DeliveryPage", Some(page), &[]);
    get
}

fn replay() -> Value {
    let about =
        "Has the delivery made once more, under the same `webhook-id`, whatever came of it before.";
    let statuses = ["400", "401", "404", "409"];
    let mut post =
        with_token("replayWebhookDelivery", "Replay a delivery of a webhook", about, &statuses);
    post["responses"]["409"] = reference("responses", "WebhookOff");
    post["parameters"] =
        json!([id("id", "The id of the webhook."), id("delivery", "The id of the delivery."),]);
    post["responses"]["202"] =
        answer("It will be told.", "DeliveryRecord", Some(delivery_example()), &[]);
    post
}
