//! Tokens, in the contract.
use domain::{Deed, Token};
use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::{
    Building, answer, guard, operation, reference,
    webhooks::{names, whole},
};
use crate::token::{COLLECTION, TokenRecord};

const ID: &str = "3f9a0c5be21d";
const PATTERN: &str = "^hub_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$";

impl Building<'_> {
    pub(super) fn tokens(&mut self) {
        self.add::<Token>();
        self.tags.push(json!({"name": COLLECTION, "description": "Who may do what: a token has a role, ends after a year at most, can be limited to projects and can be revoked."}));
        let record = json!(TokenRecord::schema());
        let mut new = record.clone();
        new["description"] = "A new token, with what its holder is to send.".into();
        new["properties"]["token"] = json!({"type": "string", "pattern": PATTERN, "description": "What is sent as `Authorization: Bearer …`; it is told this one time."});
        new["required"] = names(&new);
        let page = whole("TokenRecord", "tokens");
        for (name, schema) in [("TokenRecord", record), ("NewToken", new), ("TokenPage", page)] {
            self.schemas.insert(name.into(), schema);
        }

        self.paths.insert("/v1/tokens".into(), json!({"get": list(), "post": create()}));
        self.paths.insert("/v1/tokens/self".into(), json!({"get": read_own()}));
        self.paths.insert("/v1/tokens/{id}".into(), json!({"get": read()}));
        self.paths.insert("/v1/tokens/{id}/revoke".into(), json!({"post": revoke()}));
    }
}

fn body() -> Value {
    json!({"name": "The editors of the ministry", "role": "editor", "days": 365, "projects": null})
}

fn example() -> Value {
    json!({"id": ID, "name": "The editors of the ministry", "role": "editor", "projects": null, "created_at": "2026-11-24T09:00:00Z", "expires_at": "2027-11-24T09:00:00Z", "revoked_at": null, "last_used_at": null})
}

fn id() -> Value {
    json!({"name": "id", "in": "path", "required": true, "description": "The id of the token: what stands between the first two underscores of it.", "schema": {"type": "string", "pattern": "^[0-9a-f]{12}$"}, "example": ID})
}

fn guarded(deed: Deed, name: &str, summary: &str, about: &str, statuses: &[&str]) -> Value {
    let mut operation = operation(name, COLLECTION, summary, about, statuses);
    guard(&mut operation, deed);
    operation
}

fn list() -> Value {
    let about = "All tokens, also those that have ended or were revoked; the newest first.";
    let mut get = guarded(Deed::Manage, "listTokens", "List tokens", about, &["400", "401"]);
    get["parameters"] =
        json!([reference("parameters", "limit"), reference("parameters", "cursor")]);
    let page = json!({"items": [example()], "next_cursor": null});
    get["responses"]["200"] = answer("A page of the tokens.", "TokenPage", Some(page), &[]);
    get
}

fn create() -> Value {
    let about = "Makes a token, and tells it this one time: the registry itself keeps no more than its digest. The projects that it is to be limited to are named by id or slug.";
    let statuses = ["400", "401", "408", "413", "415", "422"];
    let mut post = guarded(Deed::Manage, "createToken", "Create a token", about, &statuses);
    post["requestBody"] = json!({"required": true, "description": "The token to create.", "content": {"application/json": {"schema": reference("schemas", "Token"), "example": body()}}});
    let mut new = example();
    new["token"] = format!("hub_{ID}_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo").into();
    post["responses"]["201"] = answer("It was made.", "NewToken", Some(new), &["Location"]);
    post
}

fn read_own() -> Value {
    let about = "The token that the request is sent with: who one is, and what one may do.";
    let statuses = ["400", "401"];
    let mut get = guarded(Deed::See, "readOwnToken", "Read one's own token", about, &statuses);
    get["responses"]["200"] = answer("The token.", "TokenRecord", Some(example()), &[]);
    get
}

fn read() -> Value {
    let statuses = ["400", "401", "404"];
    let about = "The token of that id, without its secret.";
    let mut get = guarded(Deed::Manage, "readToken", "Read a token", about, &statuses);
    get["parameters"] = json!([id()]);
    get["responses"]["200"] = answer("The token.", "TokenRecord", Some(example()), &[]);
    get
}

fn revoke() -> Value {
    let about = "Ends the token at once. A token that was revoked before stays as it is.";
    let statuses = ["400", "401", "404"];
    let mut post = guarded(Deed::Manage, "revokeToken", "Revoke a token", about, &statuses);
    post["parameters"] = json!([id()]);
    let needs = Deed::Manage.needs();
    post["description"] =
        format!("{about}\n\nNeeds {needs}; to revoke one's own token needs no role.").into();
    let mut revoked = example();
    revoked["revoked_at"] = "2026-12-24T09:00:00Z".into();
    post["responses"]["200"] = answer("It is revoked.", "TokenRecord", Some(revoked), &[]);
    post
}
