//! The history of records, in the contract.
use domain::{Deed, Difference, Resource, Step};
use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::{
    Building, answer, guard, id_parameter, operation, publication, record_example, record_name,
    reference, spoken,
};
use crate::history::RevisionEntry;

impl Building<'_> {
    /// Tells what the revisions of any record look like.
    pub(super) fn revisions(&mut self) {
        let mut difference = json!(Difference::schema());
        difference["required"] = json!(["pointer"]);
        let mut listed = revision();
        listed["properties"]["changed"] = json!({"type": "array", "items": {"type": "string"}, "description": "Where it differs from the revision before, as JSON pointers; an empty one is the whole body."});
        complete(&mut listed);
        let page = json!({
            "type": "object",
            "description": "A page of the revisions.",
            "required": ["items", "next_cursor"],
            "properties": {
                "items": {"type": "array", "items": reference("schemas", "Revision"), "description": "The revisions, the newest first."},
                "next_cursor": {"type": ["string", "null"], "description": "Asks for the page after this one; null when this is the last."},
            },
        });
        for (name, schema) in
            [("Difference", difference), ("Revision", listed), ("RevisionPage", page)]
        {
            self.schemas.insert(name.into(), schema);
        }
    }

    /// Tells the history of the records of `R`.
    pub(super) fn history<R: Resource>(&mut self) {
        let name = format!("{}Revision", R::name());
        let mut whole = revision();
        whole["properties"]["body"] = json!({"oneOf": [{"type": "null"}, reference("schemas", &R::name())], "description": "What had been written, with ids in references; null when it was deleted."});
        whole["properties"]["differences"] = json!({"type": "array", "items": reference("schemas", "Difference"), "description": "All that differs from the revision before."});
        complete(&mut whole);
        self.schemas.insert(name.clone(), whole);
        let path = format!("/v1/{}/{{id}}/revisions", R::COLLECTION);
        self.paths.insert(path.clone(), json!({"get": list::<R>()}));
        self.paths.insert(format!("{path}/{{revision}}"), json!({"get": read::<R>(&name)}));
        self.paths.insert(format!("{path}/{{revision}}/restore"), json!({"post": restore::<R>()}));
    }
}

/// What is told of every revision.
fn revision() -> Value {
    let steps = Step::ALL.map(Step::name);
    let done = ["create", "replace", "accept", "restore", "delete", "revive"];
    let mut revision = json!(RevisionEntry::schema());
    revision["properties"]["operation"]["enum"] = json!([&done[..], &steps[..]].concat());
    revision
}

fn complete(schema: &mut Value) {
    let fields = schema["properties"].as_object().into_iter().flatten();
    schema["required"] = fields.map(|(name, _)| name.clone()).collect::<Vec<_>>().into();
}

fn entry(more: Value) -> Value {
    let mut entry = json!({
        "revision": 2,
        "operation": "replace",
        "state": "published",
        "at": "2026-11-24T09:00:00Z",
        "actor": "0123456789ab",
        "actor_name": "Aigerim",
        "request_id": "01931f6e-6c00-7000-8000-000000000003",
        "note": "The date was misprinted.",
        "current": true,
    });
    if let (Some(entry), Value::Object(more)) = (entry.as_object_mut(), more) {
        entry.extend(more);
    }
    entry
}

fn with_token<R: Resource>(
    deed: Deed,
    verb: &str,
    summary: &str,
    about: &str,
    statuses: &[&str],
) -> Value {
    let summary = format!("{summary} of the {}", spoken::<R>());
    let mut operation = operation(verb, R::COLLECTION, &summary, about, statuses);
    guard(&mut operation, deed);
    operation
}

fn revision_parameter() -> Value {
    json!({"name": "revision", "in": "path", "required": true, "description": "Which revision.", "schema": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9_007_199_254_740_991_u64}, "example": 1})
}

fn list<R: Resource>() -> Value {
    let mut get = with_token::<R>(
        Deed::See,
        &format!("list{}Revisions", R::name()),
        "List the revisions of a record",
        "Every change made to the record, the newest first. A record that was deleted keeps its history, under its id and under the slug that it had; a token that is limited to projects sees it if the record named one of them, or could name none.",
        &["400", "401", "404"],
    );
    get["parameters"] = json!([
        id_parameter::<R>(),
        reference("parameters", "limit"),
        reference("parameters", "cursor")
    ]);
    let page = json!({"items": [entry(json!({"changed": ["/citations/0"]}))], "next_cursor": null});
    get["responses"]["200"] =
        answer("A page of the revisions.", "RevisionPage", Some(page), &["Link"]);
    get
}

fn read<R: Resource>(schema: &str) -> Value {
    let mut get = with_token::<R>(
        Deed::See,
        &format!("read{}Revision", R::name()),
        "Read a revision of a record",
        "The record as of that revision, and what differs from the one before.",
        &["400", "401", "404"],
    );
    get["parameters"] = json!([id_parameter::<R>(), revision_parameter()]);
    let gone = json!({"pointer": "", "before": {}});
    let deleted =
        entry(json!({"operation": "delete", "state": null, "body": null, "differences": [gone]}));
    get["responses"]["200"] = answer("The revision.", schema, Some(deleted), &[]);
    get
}

fn restore<R: Resource>() -> Value {
    let mut post = with_token::<R>(
        Deed::Write,
        &format!("restore{}Revision", R::name()),
        "Restore a revision of a record",
        "Makes a new revision that is equal to that one, if the rules still allow it: what it refers to may have gone. It takes If-Match, like every change, and is kept aside where a replacement would be. A record that was deleted has no ETag: without it, it comes back under its id, as a draft.",
        &["400", "401", "404", "408", "409", "412", "413", "415", "422", "428"],
    );
    let condition = publication::optional_condition(
        "The ETag of the revision that the change is made to; needed unless the record was deleted. A tag of anything else does not fit.",
    );
    post["parameters"] = json!([id_parameter::<R>(), revision_parameter(), condition]);
    post["requestBody"] = publication::note();
    let record = record_example::<R>();
    let mut draft = record.clone();
    draft["state"] = "draft".into();
    draft["published_at"] = Value::Null;
    let name = record_name::<R>();
    post["responses"]["200"] = answer("It was restored.", &name, Some(record), &["ETag"]);
    post["responses"]["201"] =
        answer("It is there again.", &name, Some(draft), &["ETag", "Location"]);
    post["responses"]["202"] = publication::kept_aside();
    post
}
