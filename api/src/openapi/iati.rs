//! Projects by the standard of the International Aid Transparency Initiative, in the contract.
use domain::{Project, Resource};
use serde_json::{Value, json};

use super::{Building, formats::keep_path, operation, reference, told};
use crate::formats::iati::{ALL, ProjectReadiness};

impl Building<'_> {
    pub(super) fn iati(&mut self) {
        self.add::<ProjectReadiness>();
        let record = format!("/v1/{}/{{id}}", Project::COLLECTION);
        let read = self.paths[&record]["get"].clone();

        let mut one = read.clone();
        one["operationId"] = "readProjectIati".into();
        one["summary"] = "Read a project as IATI activities".into();
        one["description"] = "The project after IATI 2.03 (hierarchy 1), with its parties, money and results, and each of its seminars and study visits of which the days are known (hierarchy 2), with the name and the position of its venue. What the registry counts for an indicator is told as its actual value, as far as the results of the project tell it. What is not known is left out. When a fact is missing that the standard cannot do without, nothing is written, and every such fact is told at once.".into();
        one["responses"]["422"] = reference("responses", "Invalid");
        keep_path(&mut one);
        written(&mut one);
        self.paths.insert(format!("{record}.iati.xml"), json!({"get": one}));

        let mut readiness = read;
        readiness["operationId"] = "readProjectReadiness".into();
        readiness["summary"] = "Tell what a project lacks for each form".into();
        readiness["description"] = "Whether the project can be told in each form, and which facts are missing if it cannot, with the rule that asks for each; and what is known and would be left out of it, which stops nothing. Seminars and study visits that lack something are left out as a whole, so that stands here as well; what would be left out of the others they tell under their own readiness.".into();
        readiness["responses"]["200"] = json!({
            "description": "What is missing.",
            "headers": told(&["ETag"]),
            "content": {"application/json": {"schema": reference("schemas", "ProjectReadiness")}},
        });
        keep_path(&mut readiness);
        self.paths.insert(format!("{record}/readiness"), json!({"get": readiness}));

        let about = "Every project that has what the standard asks for, with its seminars and study visits, in one file. What else there is, is left out: a comment stands in its place, with the address of its readiness, which says what it lacks. When no project has all of that, nothing is written, and every fact that one lacks is told at once, below `/projects/{id}`.";
        let mut all = operation(
            "listIatiActivities",
            Project::COLLECTION,
            "Take all projects as IATI activities",
            about,
            &["400", "422"],
        );
        written(&mut all);
        all["responses"]["304"] = reference("responses", "NotModified");
        self.paths.insert(ALL.into(), json!({"get": all}));
    }
}

fn written(get: &mut Value) {
    get["responses"]["200"] = json!({
        "description": "The activities.",
        "headers": told(&["ETag"]),
        "content": {"application/xml": {"schema": {"type": "string"}}},
    });
}
