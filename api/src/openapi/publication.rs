//! The way of records to the public, in the contract.
use domain::{Deed, Resource, Step};
use persistence::Stored;
use serde_json::{Value, json};

use super::{
    Building, answer, guard, id_parameter, of_all, operation, record_example, record_name,
    reference, spoken, webhooks::whole, written_in,
};
use crate::{
    body::Note,
    proposal::{COLLECTION, ProposalFilter, ProposalRecord},
};

impl Building<'_> {
    /// The steps that a record can take.
    pub(super) fn steps<R: Stored>(&mut self) {
        for step in Step::ALL {
            let path = format!("/v1/{}/{{id}}/{}", R::COLLECTION, step.name());
            self.paths.insert(path, json!({"post": take::<R>(step)}));
        }
    }

    pub(super) fn proposals(&mut self) {
        self.add::<ProposalRecord>();
        self.add::<Note>();
        for part in ["body", "current"] {
            let field = &mut self.schemas["ProposalRecord"]["properties"][part];
            let about = field["description"].take();
            *field = json!({"oneOf": of_all(written_in), "description": about});
        }
        self.schemas.insert("ProposalPage".into(), whole("ProposalRecord", "proposals"));
        self.tags.push(json!({"name": COLLECTION, "description": "Changes to what is public that an editor made, kept aside until a publisher decides."}));

        let statuses = ["400", "401"];
        let about = "The proposals about records that one may see, the newest first.";
        let mut list = operation("listProposals", COLLECTION, "List proposals", about, &statuses);
        guard(&mut list, Deed::See);
        let mut parameters = self.filters::<ProposalFilter>();
        parameters.push(reference("parameters", "limit"));
        parameters.push(reference("parameters", "cursor"));
        list["parameters"] = json!(parameters);
        let page = json!({"items": [example()], "next_cursor": null});
        list["responses"]["200"] = answer("A page of them.", "ProposalPage", Some(page), &[]);

        let about = "The proposal of that id, with the record as it is and as it would be.";
        let statuses = ["400", "401", "404"];
        let mut read = operation("readProposal", COLLECTION, "Read a proposal", about, &statuses);
        guard(&mut read, Deed::See);
        read["parameters"] = json!([id()]);
        read["responses"]["200"] = answer("The proposal.", "ProposalRecord", Some(example()), &[]);

        self.paths.insert("/v1/proposals".into(), json!({"get": list}));
        self.paths.insert("/v1/proposals/{id}".into(), json!({"get": read}));
        for (decision, name, summary, about, deed) in [
            (
                "accept",
                "acceptProposal",
                "Accept a proposal",
                "Makes the change. Of a record that has moved on since, the ETag of its present revision has to be sent as If-Match: what others changed meanwhile is replaced.",
                Deed::Publish,
            ),
            (
                "decline",
                "declineProposal",
                "Decline a proposal",
                "The change is not made.",
                Deed::Publish,
            ),
            (
                "take-back",
                "takeBackProposal",
                "Take a proposal back",
                "Who made it does not want it any more.",
                Deed::Write,
            ),
        ] {
            let statuses = ["400", "401", "404", "408", "409", "412", "413", "415", "422"];
            let mut post = operation(name, COLLECTION, summary, about, &statuses);
            guard(&mut post, deed);
            post["responses"]["409"] = reference("responses", "Decided");
            let mut parameters = vec![id()];
            if decision == "accept" {
                parameters.push(optional_condition("The ETag of the record's present revision, where it has moved on; a tag of anything else does not fit."));
            }
            post["parameters"] = json!(parameters);
            post["requestBody"] = note();
            post["responses"]["200"] =
                answer("It is decided.", "ProposalRecord", Some(example()), &[]);
            self.paths.insert(format!("/v1/proposals/{{id}}/{decision}"), json!({"post": post}));
        }
    }
}

/// The answer to a change that is kept aside.
pub(super) fn kept_aside() -> Value {
    answer(
        "The record is public and the token's role may not change it: the change is kept aside until a publisher decides.",
        "ProposalRecord",
        Some(example()),
        &["Location"],
    )
}

fn take<R: Resource>(step: Step) -> Value {
    let (summary, about) = match step {
        Step::Submit => {
            ("Submit", "Gives a draft to a publisher to judge: its state becomes in_review.")
        }
        Step::Publish => (
            "Publish",
            "Makes a draft, or what is in review, public. All that it refers to must be public. Where it takes two people, it is not for who wrote something since the record was last public, or wrote last.",
        ),
        Step::Withdraw => {
            ("Withdraw", "Hides what is public again. Nothing public may refer to it.")
        }
        Step::Reopen => (
            "Reopen",
            "Makes what is in review or withdrawn a draft again. What is withdrawn is a publisher's to reopen.",
        ),
    };
    let statuses = ["400", "401", "404", "408", "409", "412", "413", "415", "422", "428"];
    let mut post = operation(
        &format!("{}{}", step.name(), R::name()),
        R::COLLECTION,
        &format!("{summary} a record of the {}", spoken::<R>()),
        about,
        &statuses,
    );
    let deed = match step {
        Step::Submit | Step::Reopen => Deed::Write,
        Step::Publish | Step::Withdraw => Deed::Publish,
    };
    guard(&mut post, deed);
    post["responses"]["409"] = reference("responses", "WrongState");
    post["parameters"] = json!([id_parameter::<R>(), reference("parameters", "If-Match")]);
    post["requestBody"] = note();
    post["responses"]["200"] =
        answer("The step is taken.", &record_name::<R>(), Some(record_example::<R>()), &["ETag"]);
    post
}

/// An `If-Match` that need not be sent; whatever it holds can be read.
pub(super) fn optional_condition(description: &str) -> Value {
    json!({"name": "If-Match", "in": "header", "required": false, "description": description, "schema": {"type": "string"}})
}

pub(super) fn note() -> Value {
    json!({"required": false, "description": "Why it is done, for the history.", "content": {"application/json": {"schema": reference("schemas", "Note"), "example": {"note": "Checked against the agenda."}}}})
}

fn id() -> Value {
    json!({"name": "id", "in": "path", "required": true, "description": "The id of the proposal.", "schema": {"type": "string", "format": "uuid"}, "example": "01931f6e-6c00-7000-8000-000000000003"})
}

fn example() -> Value {
    json!({
        "id": "01931f6e-6c00-7000-8000-000000000003",
        "resource": "topics",
        "record_id": "01931f6e-6c00-7000-8000-000000000001",
        "revision": 1,
        "current_revision": 1,
        "moved_on": false,
        "status": "open",
        "actor": "3f9a0c5be21d",
        "actor_name": "Aigerim",
        "note": null,
        "created_at": "2026-11-24T09:00:00Z",
        "decided_by": null,
        "decided_by_name": null,
        "decided_at": null,
        "answer": null,
        "body": {"code": "digitalisation", "scheme": "own", "label": {"en": "Digitalisation of public services"}},
        "current": {"code": "digitalisation", "scheme": "own", "label": {"en": "Digitalisation"}},
    })
}
