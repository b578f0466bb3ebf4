//! Imports, in the contract.
use domain::{Deed, collections};
use serde_json::{Value, json};

use super::{
    Building, answer, guard, operation, reference, told,
    webhooks::{names, whole},
    written_in,
};
use crate::import::{COLLECTION, ImportFormat, MOST_CHANGES, MOST_FAULTS, Report, SYSTEM};

impl Building<'_> {
    pub(super) fn imports(&mut self) {
        self.add::<Report>();
        self.tags.push(json!({"name": COLLECTION, "description": "Bundles and tables that are taken in as a whole: checked, shown, corrected, and then taken."}));
        let mut record = record(self.schemas.remove("Report").unwrap_or_default());
        record["properties"]["format"]["enum"] = json!(ImportFormat::ALL.map(ImportFormat::name));
        self.schemas["ImportChange"]["properties"]["action"]["enum"] =
            json!(["created", "changed", "proposed"]);
        self.schemas.insert("ImportRecord".into(), record);
        self.schemas.insert("ImportPage".into(), whole("ImportRecord", "imports"));
        self.schemas.insert("Bundle".into(), bundle());
        self.paths.insert("/v1/imports".into(), json!({"get": list(), "post": create()}));
        self.paths.insert("/v1/imports/{id}".into(), json!({"get": read()}));
        self.paths.insert("/v1/imports/{id}/faults.csv".into(), json!({"get": faults()}));
    }
}

/// Where an import stands, around what came of it.
fn record(report: Value) -> Value {
    let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    let mut record = report;
    let mut fields = json!({
        "id": {"type": "string", "format": "uuid", "description": "Identifies the import."},
        "state": {"type": "string", "enum": ["running", "done", "refused", "failed"], "description": "Where it stands: on its way; over, and taken; refused as a whole, since something is wrong with what was sent; or broken off, where what was taken until then stays."},
        "code": {"type": ["string", "null"], "description": "Why it broke off: interrupted, when the service stopped; revoked, when the token was; unavailable; internal. Send it again: what was taken is found and left."},
        "actor": {"type": "string", "description": "The id of the token that it was sent with, or `oidc:` and the `sub` of its holder."},
        "actor_name": {"type": ["string", "null"], "description": "What they are called: the name of the token, null if it is no longer there; of anybody else the same as `actor`."},
        "created_at": {"type": "string", "format": "date-time", "description": "When it was sent."},
        "ended_at": {"type": ["string", "null"], "format": "date-time", "description": "When it was over; null while it is on its way."},
        "total": {"type": ["integer", "null"], "minimum": 0, "description": "How many rows or records there are; null before it begins."},
        "checked": count("How many of them have been checked."),
        "written": count("How many of them have been written, or found to be so already."),
        "faults_file": {"type": ["string", "null"], "description": "Where the rows that were refused can be had as a file; null when there are none, and for a bundle."},
    });
    for (name, field) in record["properties"].as_object().into_iter().flatten() {
        fields[name] = field.clone();
    }
    record["description"] = format!("An import. A list tells no changes and no faults; of one import the first {MOST_CHANGES} changes and the first {MOST_FAULTS} faults are told once it is over.").into();
    record["properties"] = fields;
    record["required"] = names(&record);
    record
}

/// The outer form of a bundle: what is wrong with a record is told when it is judged.
fn bundle() -> Value {
    let records: serde_json::Map<String, Value> = collections()
        .into_iter()
        .map(|name| {
            let about = format!("Records of {name}, as they are written one by one.");
            let written = reference("schemas", &written_in(name));
            let any = json!({"type": "object", "additionalProperties": true, "description": "Any other: what is wrong with it is told when it is judged."});
            let items = json!({"anyOf": [written, any]});
            (name.to_owned(), json!({"type": "array", "items": items, "description": about}))
        })
        .collect();
    json!({
        "type": "object",
        "description": "Records of several resources, which may refer to each other by slug, in any order.",
        "required": ["records"],
        "additionalProperties": false,
        "properties": {
            "about": {"description": "Whatever is to be said of the bundle; it is not kept."},
            "records": {"type": "object", "description": "The records, by collection.", "properties": records, "additionalProperties": false},
        },
    })
}

fn create() -> Value {
    let about = "Takes in a bundle of records, whole or not at all, or a table of one resource, as people keep it in a spreadsheet. The answer comes at once, and what becomes of the file is told at its address.\n\n\
        A table has a row of headers, above which there may be lines of one cell. Which field each stands for is guessed in English, Russian and Kazakh, shown in `mapping`, and corrected by the parameter of that name. A text may have any encoding that its media type names, as in `text/csv; charset=windows-1251`; without a name it is UTF-8, or what it looks most like where that is beyond doubt, as `read` tells. It may have semicolons, decimal commas and dates as a spreadsheet writes them. Other records are named by slug or id, or by what they are called in any language, where only one is called so. \
        First every row is checked, and everything that is wrong is told by row and column. Unless `partial` is true, one bad row keeps all others out.\n\n\
        A row is about the record that the column `id` names, else the one of its slug, else the one of its `external_id`, else the one that was made of just that content before; so sending a file twice changes nothing. Of a record that is there, the columns of the table are changed, where an empty cell makes unknown; a bundle replaces the whole body. A row that tells in the column `revision`, as a file of the registry does, from which revision it was made changes no other one: it is refused as `stale_revision`. New records are drafts unless `publish` is true. An editor's changes to what is public are proposals.";
    let statuses = ["400", "401", "408", "413", "415", "422"];
    let mut post = operation("createImport", COLLECTION, "Take in a file", about, &statuses);
    guard(&mut post, Deed::Write);
    let flag = |name: &str, about: &str| json!({"name": name, "in": "query", "required": false, "description": about, "schema": {"type": "boolean", "default": false}});
    post["parameters"] = json!([
        {"name": "resource", "in": "query", "required": false, "description": "The collection that the rows of a table belong to; needed for tables (`seminars` for the example), and not for bundles.", "schema": {"type": "string", "enum": collections()}},
        flag("dry_run", "Whether it is only told what would be created, changed and left."),
        flag("partial", "Whether the good rows of a table are taken without the bad, which can be had as a file."),
        flag("publish", "Whether new records are public at once; that needs the role publisher or admin."),
        {"name": "sheet", "in": "query", "required": false, "description": "The sheet of a workbook that is read; without it the first.", "schema": {"type": "string", "minLength": 1, "maxLength": 31}},
        {"name": "mapping", "in": "query", "required": false, "description": "Which field a header of a table stands for, where it was guessed wrong; null leaves the column out. Headers that are not named are guessed. As in `{\"Дата\": \"ends_on\"}`.", "content": {"application/json": {"schema": {"type": "object", "additionalProperties": {"type": ["string", "null"]}}, "example": {}}}},
        {"name": "system", "in": "query", "required": false, "description": "The system that the external ids come from.", "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._-]+$", "default": SYSTEM}},
    ]);
    let [json, csv, xlsx] = ImportFormat::ALL.map(ImportFormat::media_type);
    let table = "slug;Дата начала;Название;project_id;kind;status\nautumn-seminar-2027;05.11.2027;Осенний семинар;governance-innovation-and-digitalisation;seminar;planned\n";
    let mut content = serde_json::Map::new();
    content.insert(json.into(), json!({"schema": reference("schemas", "Bundle"), "example": {"records": {"topics": [{"code": "service-design", "scheme": "own", "label": {"en": "Service design"}}]}}}));
    content.insert(csv.into(), json!({"schema": {"type": "string"}, "example": table}));
    content.insert(xlsx.into(), json!({"schema": {"type": "string", "format": "binary"}}));
    post["requestBody"] = json!({"required": true, "description": "The file, of at most 64 MiB; a bundle has at most 16 MiB.", "content": content});
    post["responses"]["202"] =
        answer("It is on its way.", "ImportRecord", Some(example()), &["Location"]);
    post
}

fn list() -> Value {
    let about = "The imports of the last seven days that were sent with this token, the newest first; for an admin those of everybody.";
    let mut get = operation("listImports", COLLECTION, "List imports", about, &["400", "401"]);
    guard(&mut get, Deed::See);
    get["parameters"] =
        json!([reference("parameters", "limit"), reference("parameters", "cursor")]);
    let page = json!({"items": [example()], "next_cursor": null});
    get["responses"]["200"] = answer("A page of them.", "ImportPage", Some(page), &[]);
    get
}

fn read() -> Value {
    let about = "Where the import stands, and what came of it.";
    let mut get =
        operation("readImport", COLLECTION, "Read an import", about, &["400", "401", "404"]);
    guard(&mut get, Deed::See);
    get["parameters"] = json!([id()]);
    get["responses"]["200"] = answer("The import.", "ImportRecord", Some(example()), &[]);
    get
}

fn faults() -> Value {
    let about = "The rows that were refused, as they were sent, with the reasons in a column of their own: correct them there, and send the file again. Empty where nothing was refused.";
    let summary = "Take the refused rows as a file";
    let statuses = ["400", "401", "404"];
    let mut get = operation("readImportFaults", COLLECTION, summary, about, &statuses);
    guard(&mut get, Deed::See);
    get["parameters"] = json!([id()]);
    get["responses"]["200"] = json!({
        "description": "The rows.",
        "headers": told(&["Content-Disposition"]),
        "content": {"text/csv": {"schema": {"type": "string"}}},
    });
    get
}

fn id() -> Value {
    json!({"name": "id", "in": "path", "required": true, "description": "The id of the import.", "schema": {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}, "example": ID})
}

const ID: &str = "01931f6e-6c00-7000-8000-000000000004";

fn example() -> Value {
    json!({
        "id": ID,
        "state": "done",
        "code": null,
        "actor": "3f9a0c5be21d",
        "actor_name": "Aigerim",
        "created_at": "2026-11-24T09:00:00Z",
        "ended_at": "2026-11-24T09:00:01Z",
        "total": 2,
        "checked": 2,
        "written": 1,
        "faults_file": format!("/v1/imports/{ID}/faults.csv"),
        "format": "csv",
        "resource": "seminars",
        "dry_run": false,
        "partial": true,
        "publish": false,
        "system": SYSTEM,
        "read": {"encoding": "windows-1251", "delimiter": ";", "sheet": null},
        "mapping": [{"header": "Дата начала", "field": "starts_on", "how": "guessed"}],
        "counts": {"created": 0, "changed": 1, "left": 0, "proposed": 0, "refused": 1},
        "changes": [{"row": 2, "pointer": null, "action": "changed", "id": "01931f6e-6c00-7000-8000-000000000001", "slug": "autumn-workshop", "differences": [{"pointer": "/starts_on", "before": "2027-10", "after": "2027-11-05"}]}],
        "faults": [{"row": 3, "column": "A", "header": "Дата начала", "field": "starts_on", "pointer": null, "value": "31.02.2027", "code": "invalid_date", "detail": "There is no such day."}],
        "faults_total": 1,
    })
}
