//! Search through all resources, in the contract.
use serde_json::json;

use super::{Building, answer, operation, reference};
use crate::search::{COLLECTION, SearchFilter, SearchPage};

impl Building<'_> {
    pub(super) fn search(&mut self) {
        self.add::<SearchPage>();
        self.schemas["SearchPage"]["properties"]["total"]["type"] = "integer".into();
        self.tags.push(json!({"name": COLLECTION, "description": "Words, wherever they stand."}));
        let mut find = operation(
            "search",
            COLLECTION,
            "Search all records",
            "The records of every resource that hold the words in any of their texts, in any language, each with the collection that it is in. Those with the words in their names come first.",
            &["400"],
        );
        let mut parameters = self.filters::<SearchFilter>();
        let mut words = super::parameters()["q"].clone();
        words["required"] = true.into();
        words["description"] = "Words that records hold; all must be there, case and accents make no difference, and the last may be unfinished.".into();
        words["example"] = "governance".into();
        parameters.push(words);
        for name in ["limit", "cursor", "with_total", "lang"] {
            parameters.push(reference("parameters", name));
        }
        find["parameters"] = json!(parameters);
        let example = json!({"items": [{
            "resource": "seminars",
            "id": "01931f6e-6c00-7000-8000-000000000001",
            "slug": "first-seminar-2021",
            "label": {"en": "Seminar 1: Capacity building seminars on Governance Innovation and Digitalisation"},
            "snippet": "Ecosystems and conducive environment for innovation and digitalisation",
        }], "next_cursor": null});
        let headers = ["ETag", "Link", "Content-Language"];
        find["responses"]["200"] =
            answer("A page of what was found.", "SearchPage", Some(example), &headers);
        find["responses"]["304"] = reference("responses", "NotModified");
        self.paths.insert("/v1/search".into(), json!({"get": find}));
    }
}
