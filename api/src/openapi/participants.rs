//! Participants, in the contract.
use domain::{Deed, Erasure, Participant, ParticipantFilter};
use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::{
    Building, answer, guard, operation, reference,
    webhooks::{names, whole},
};
use crate::participant::{COLLECTION, Erased, LIMIT, MOST_ROWS, ParticipantImport};

const ID: &str = "01931f6e-6c00-7000-8000-000000000005";
const SEMINAR: &str = "01931f6e-6c00-7000-8000-000000000002";

impl Building<'_> {
    pub(super) fn participants(&mut self) {
        self.add::<Participant>();
        self.add::<Erasure>();
        self.add::<ParticipantImport>();
        self.tags.push(json!({"name": COLLECTION, "description": "Who took part in a seminar or a study visit. They are no records: only a registrar sees them, and no list, file, search, history or feed of the registry tells of them."}));
        let change = self.change("Participant");
        let mut page = whole("ParticipantRecord", COLLECTION);
        page["properties"]["total"] = json!({"type": "integer", "format": "int64", "minimum": 0, "description": "How many participants the whole list has; only where it was asked with with_total."});
        let all = [
            ("ParticipantRecord", record(&self.schemas["Participant"])),
            ("ParticipantPage", page),
            ("PersonsParticipations", person()),
            ("Erased", json!(Erased::schema())),
        ];
        for (name, schema) in all {
            self.schemas.insert(name.into(), schema);
        }

        let filters = self.filters::<ParticipantFilter>();
        let all = json!({"get": list(filters), "post": create()});
        let one =
            json!({"get": read(), "put": replace(), "patch": patch(&change), "delete": delete()});
        for (path, item) in [
            ("/v1/participants", all),
            ("/v1/participants/{id}", one),
            ("/v1/participants/{id}/erase", json!({"post": erase()})),
            ("/v1/participants/erase", json!({"post": erase_person()})),
            ("/v1/participants/person", json!({"get": read_person()})),
            ("/v1/participants/import", json!({"post": import_table()})),
        ] {
            self.paths.insert(path.into(), item);
        }
    }
}

/// What is known of a participant, around what was written.
fn record(body: &Value) -> Value {
    let when = |about: &str| json!({"type": "string", "format": "date-time", "description": about});
    let mut record = body.clone();
    let mut fields = json!({
        "id": {"type": "string", "format": "uuid", "description": "Identifies the entry, for ever."},
        "revision": {"type": "integer", "format": "int64", "minimum": 1, "description": "Counts the changes made to the entry, from 1; the ETag begins with it."},
        "created_at": when("When the entry was made."),
        "updated_at": when("When the entry was last changed."),
        "erased_at": {"type": ["string", "null"], "format": "date-time", "description": "When what identified the person was taken away; null while it was not."},
    });
    for (name, field) in body["properties"].as_object().into_iter().flatten() {
        fields[name] = field.clone();
    }
    record["description"] = "A participant, as they are kept.".into();
    record["properties"] = fields;
    record["required"] = names(&record);
    // What v1 will gain must not break who reads it strictly.
    record.as_object_mut().map(|record| record.remove("additionalProperties"));
    record
}

fn person() -> Value {
    json!({
        "type": "object",
        "description": "Everything that is held of one person.",
        "required": ["email", "participants"],
        "properties": {
            "email": reference("schemas", "Email"),
            "participants": {"type": "array", "items": reference("schemas", "ParticipantRecord"), "description": "Where the person took part, in the order in which that was entered."},
        },
    })
}

fn body() -> Value {
    json!({
        "seminar_id": "first-seminar-2021",
        "study_visit_id": null,
        "name": "Aigul Example",
        "email": "aigul@example.org",
        "organisation_id": null,
        "organisation_name": "Ministry of Examples",
        "country": "KZ",
        "sex": "female",
        "seniority": "middle",
        "days_attended": [1, 2],
        "certificate": {"number": "2021-017", "issued_on": "2021-11-05"},
        "consent": "given",
        "retain_until": "2030-12-31",
    })
}

fn example() -> Value {
    let mut record = json!({"id": ID, "revision": 1, "created_at": "2026-11-25T09:00:00Z", "updated_at": "2026-11-25T09:00:00Z", "erased_at": null});
    for (name, value) in body().as_object().into_iter().flatten() {
        record[name] = value.clone();
    }
    record["seminar_id"] = SEMINAR.into();
    record
}

fn erased_example() -> Value {
    let mut record = example();
    for name in ["name", "email", "organisation_id", "organisation_name"] {
        record[name] = Value::Null;
    }
    record["certificate"]["number"] = Value::Null;
    record["consent"] = "not_given".into();
    record["revision"] = 2.into();
    record["updated_at"] = "2026-12-24T09:00:00Z".into();
    record["erased_at"] = "2026-12-24T09:00:00Z".into();
    record
}

fn id() -> Value {
    json!({"name": "id", "in": "path", "required": true, "description": "The id of the participant.", "schema": {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}, "example": ID})
}

fn guarded(name: &str, summary: &str, about: &str, statuses: &[&str]) -> Value {
    let mut operation = operation(name, COLLECTION, summary, about, statuses);
    guard(&mut operation, Deed::KeepParticipants);
    operation
}

/// A body in JSON, as that schema has it.
fn written(media_type: &str, about: &str, schema: &str, example: &Value) -> Value {
    let mut content = serde_json::Map::new();
    let one = json!({"schema": reference("schemas", schema), "example": example});
    content.insert(media_type.to_owned(), one);
    json!({"required": true, "description": about, "content": content})
}

fn list(mut filters: Vec<Value>) -> Value {
    let about = "The participants in the order in which they were added, a page at a time; parameters that name different fields all apply, values with commas between them are alternatives. A token that is limited to projects sees those of their activities.";
    let statuses = ["400", "401"];
    let mut get = guarded("listParticipants", "List participants", about, &statuses);
    filters.extend(["limit", "cursor", "with_total"].map(|name| reference("parameters", name)));
    get["parameters"] = json!(filters);
    let page = json!({"items": [example()], "next_cursor": null});
    get["responses"]["200"] = answer("A page of the list.", "ParticipantPage", Some(page), &[]);
    get
}

fn create() -> Value {
    let about = "Enters somebody who took part, whatever the state of the seminar or the study visit. Somebody whose address is known there already is refused: change that entry.";
    let statuses = ["400", "401", "408", "413", "415", "422"];
    let mut post = guarded("createParticipant", "Enter a participant", about, &statuses);
    let what = "The participant to enter.";
    post["requestBody"] = written("application/json", what, "Participant", &body());
    let headers = ["ETag", "Location"];
    post["responses"]["201"] =
        answer("They were entered.", "ParticipantRecord", Some(example()), &headers);
    post
}

fn read() -> Value {
    let statuses = ["400", "401", "404"];
    let about = "The participant of that id.";
    let mut get = guarded("readParticipant", "Read a participant", about, &statuses);
    get["parameters"] = json!([id()]);
    get["responses"]["200"] =
        answer("The participant.", "ParticipantRecord", Some(example()), &["ETag"]);
    get["responses"]["304"] = reference("responses", "NotModified");
    get
}

fn changing(name: &str, summary: &str, about: &str) -> Value {
    let statuses = ["400", "401", "404", "408", "412", "413", "415", "422", "428"];
    let mut change = guarded(name, summary, about, &statuses);
    change["parameters"] = json!([id(), reference("parameters", "If-Match")]);
    change["responses"]["200"] =
        answer("They were changed.", "ParticipantRecord", Some(example()), &["ETag"]);
    change
}

fn replace() -> Value {
    let about = "Puts other data in place of what was known: what is left out becomes unknown. Who was erased can be corrected as far as they are counted, and not named again.";
    let mut put = changing("replaceParticipant", "Replace a participant", about);
    let what = "The whole participant, as they are to be told of.";
    put["requestBody"] = written("application/json", what, "Participant", &body());
    put
}

fn patch(change: &str) -> Value {
    let about = "A merge patch after RFC 7396: fields that are sent replace, null makes unknown, lists are replaced whole.";
    let mut patch = changing("patchParticipant", "Change a participant", about);
    let media_type = "application/merge-patch+json";
    patch["requestBody"] =
        written(media_type, "The fields to change.", change, &json!({"days_attended": [1]}));
    patch
}

fn delete() -> Value {
    let about = "Removes an entry that should not be there, also from the figures. Who took part and wants to be named no longer is erased instead.";
    let statuses = ["400", "401", "404", "412", "428"];
    let mut delete = guarded("deleteParticipant", "Delete a participant", about, &statuses);
    delete["parameters"] = json!([id(), reference("parameters", "If-Match")]);
    delete["responses"]["204"] = json!({"description": "They were deleted.", "headers": {"X-Request-Id": reference("headers", "X-Request-Id")}});
    delete
}

fn erase() -> Value {
    let about = "Takes away name, address, organisation and number of the certificate for good, and leaves country, sex, seniority, days and that there was a certificate, so that figures by these stay true. An entry erased before stays as it is. If-Match may be sent, and need not be.";
    let statuses = ["400", "401", "404", "412"];
    let mut post = guarded("eraseParticipant", "Erase a participant", about, &statuses);
    let if_match = json!({"name": "If-Match", "in": "header", "required": false, "description": "The ETag of the revision that is erased; a tag of anything else does not fit.", "schema": {"type": "string"}});
    post["parameters"] = json!([id(), if_match]);
    post["responses"]["200"] =
        answer("They are erased.", "ParticipantRecord", Some(erased_example()), &["ETag"]);
    post
}

fn erase_person() -> Value {
    let about = "Erases every entry with that address, as for one of them. A token that is limited to projects erases those of their activities.";
    let statuses = ["400", "401", "408", "413", "415", "422"];
    let mut post = guarded("erasePerson", "Erase a person", about, &statuses);
    let whose = json!({"email": "aigul@example.org"});
    post["requestBody"] = written("application/json", "Who it is.", "Erasure", &whose);
    post["responses"]["200"] =
        answer("They are erased.", "Erased", Some(json!({"erased": 2})), &[]);
    post
}

fn read_person() -> Value {
    let about = "Everything that is held of the person with that address, to be handed to them. A token that is limited to projects reads what is held of their activities.";
    let statuses = ["400", "401"];
    let mut get = guarded("readPersonsParticipations", "Take one person's data", about, &statuses);
    get["parameters"] = json!([{"name": "email", "in": "query", "required": true, "description": "The address of the person; case makes no difference.", "schema": reference("schemas", "Email"), "example": "aigul@example.org"}]);
    let held = json!({"email": "aigul@example.org", "participants": [example()]});
    get["responses"]["200"] = answer("What is held.", "PersonsParticipations", Some(held), &[]);
    get
}

fn import_table() -> Value {
    let about = format!(
        "Takes in a table of participants, whole or not at all: with everything that is wrong told by row and column in `refused`, and then nothing is written.\n\n\
        The header has the paths of the fields, as in `email`, `certificate.number` or `days_attended`; the days have semicolons between them, and seminars, study visits and organisations are named by id or slug. The text is UTF-8, with or without a byte order mark. A table has at most {MOST_ROWS} rows.\n\n\
        Somebody of whom the same activity has the same address is changed in what the table has a column for, or left where nothing differs, so sending a file twice doubles nobody who has an address. What has no column stays as it is. A row without an address is always somebody new.\n\n\
        An empty cell tells that nothing is known. Who did not come has `none` as `days_attended`, and whose certificate has no number, or none that is known, has `unnumbered` as `certificate.number`."
    );
    let statuses = ["400", "401", "408", "413", "415", "422"];
    let mut post = guarded("importParticipants", "Take in a table", &about, &statuses);
    post["parameters"] = json!([{"name": "dry_run", "in": "query", "required": false, "description": "Whether it is only told what would be written.", "schema": {"type": "boolean", "default": false}}]);
    let table = "seminar_id,name,email,country,sex,days_attended,certificate.number,consent,retain_until\nfirst-seminar-2021,Aigul Example,aigul@example.org,KZ,female,1;2,2021-017,given,2030-12-31\n";
    post["requestBody"] = json!({"required": true, "description": format!("The table, of at most {} MiB.", LIMIT / 1024 / 1024), "content": {"text/csv": {"schema": {"type": "string"}, "example": table}}});
    let told = json!({"created": 1, "changed": 0, "changed_fields": {}, "unchanged": 0, "refused": [], "refused_total": 0});
    post["responses"]["200"] = answer("What became of it.", "ParticipantImport", Some(told), &[]);
    post
}
