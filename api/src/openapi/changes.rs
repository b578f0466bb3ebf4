//! The feed of changes, in the contract.
use domain::ChangeFilter;
use serde_json::{Value, json};

use super::{Building, answer, of_all, operation, record_of, reference};
use crate::changes::{COLLECTION, CURSOR, ChangePage};

impl Building<'_> {
    pub(super) fn changes(&mut self) {
        self.add::<ChangePage>();
        let record = &mut self.schemas["Change"]["properties"]["record"];
        let about = record["description"].take();
        let mut kinds = of_all(record_of);
        kinds.push(json!({"type": "null"}));
        *record = json!({"oneOf": kinds, "description": about});
        self.tags.push(json!({"name": COLLECTION, "description": "What happened to the records, in its order, for who keeps a copy in step."}));

        let mut parameters = self.filters::<ChangeFilter>();
        for parameter in &mut parameters {
            if parameter["name"] == "after" {
                parameter["schema"] = json!({"type": "string", "pattern": CURSOR});
            }
        }
        let followed = parameters.clone();
        parameters.push(reference("parameters", "limit"));
        let mut list = operation(
            "listChanges",
            COLLECTION,
            "List changes",
            "The public changes in the order in which they were made, without gaps. Keep next_cursor and ask with it again: who applies every item holds what the lists hold.",
            &["400"],
        );
        list["parameters"] = json!(parameters);
        list["responses"]["200"] =
            answer("A part of the feed.", "ChangePage", Some(example()), &["ETag"]);
        list["responses"]["304"] = reference("responses", "NotModified");
        self.paths.insert("/v1/changes".into(), json!({"get": list}));

        let mut stream = operation(
            "streamChanges",
            COLLECTION,
            "Follow changes",
            "The same items as server-sent events, as they are made: `id` is the cursor, `event` is `change`, `data` is the item. It begins with the first change, or after the one that `after` or Last-Event-ID names, and says every 15 seconds that it lives. When it ends, come back with Last-Event-ID, as browsers do by themselves.",
            &["400"],
        );
        let mut parameters = followed;
        parameters.push(json!({"name": "Last-Event-ID", "in": "header", "required": false, "description": "The id of the last event that was read; it goes before `after`.", "schema": {"type": "string", "pattern": CURSOR}}));
        stream["parameters"] = json!(parameters);
        let item = &example()["items"][0];
        let event = format!("id: AAAAAAAAAAE\nevent: change\ndata: {item}\n\n");
        stream["responses"]["200"] = json!({
            "description": "Events, until one side ends it.",
            "headers": {"X-Request-Id": reference("headers", "X-Request-Id")},
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": event}},
        });
        self.paths.insert("/v1/changes/stream".into(), json!({"get": stream}));
    }
}

fn example() -> Value {
    let gone = json!({
        "cursor": "AAAAAAAAAAE",
        "at": "2026-11-24T09:00:00Z",
        "resource": "seminars",
        "id": "01931f6e-6c00-7000-8000-000000000001",
        "slug": "first-seminar-2021",
        "revision": 2,
        "operation": "deleted",
        "record": null,
    });
    json!({"items": [gone], "next_cursor": "AAAAAAAAAAE"})
}
