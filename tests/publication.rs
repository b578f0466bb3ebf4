//! The way of records to the public and back, and who may take which step.
use serde_json::{Value, json};

use crate::harness::{Hub, Reply, on_each_database, on_each_database_with};

const PROJECT: &str = "governance-innovation-and-digitalisation";
const REQUEST: &str = "01931f6e-6c00-7000-8000-0000000000aa";

/// Who takes part.
struct Staff {
    viewer: String,
    editor: String,
    publisher: String,
}

impl Staff {
    async fn of(hub: &Hub) -> Self {
        Self {
            viewer: hub.token("viewer", &[]).await,
            editor: hub.token("editor", &[]).await,
            publisher: hub.token("publisher", &[]).await,
        }
    }
}

fn topic(code: &str) -> Value {
    json!({"code": code, "scheme": "own", "label": {"en": code}})
}

fn seminar(slug: &str, project: &str) -> Value {
    json!({"slug": slug, "kind": "seminar", "status": "planned", "project_id": project})
}

async fn draft(hub: &Hub, token: &str, collection: &str, body: &Value) -> Reply {
    let all = format!("/v1/{collection}");
    let made = hub.write_as(token, "POST", &all, None, Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["state"], "draft");
    made
}

/// Takes a step from the revision that the reply tells.
async fn step(hub: &Hub, token: &str, at: &str, step: &str, from: &Reply) -> Reply {
    hub.write_as(token, "POST", &format!("{at}/{step}"), Some(from.header("etag")), None).await
}

fn told(reply: &Reply) -> (u16, String) {
    let code = reply.json()["code"].as_str().unwrap_or_default().to_owned();
    (reply.status.as_u16(), code)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// The public learns as much of what is there as of what never was; of what was public, the calendar
/// tells what the feed does.
async fn assert_hidden(hub: &Hub, collection: &str, record: &Value) {
    let name = if collection == "topics" { "code" } else { "slug" };
    let id = record["id"].as_str().unwrap();
    let mut below = vec![""];
    match collection {
        "seminars" => below.extend([".ics", ".jsonld", "/readiness", "/programme"]),
        "people" => below.push("/presentations"),
        _ => {}
    }
    if feed(hub, record).await.last().is_some_and(|last| last == "withdrawn") {
        below.retain(|form| *form != ".ics");
    }
    let keys =
        [(id, "01931f6e-6c00-7000-8000-00000000dead"), (record[name].as_str().unwrap(), "never")];
    for (there, never) in keys {
        for below in &below {
            let ask = async |key: &str| {
                let at = format!("/v1/{collection}/{key}{below}");
                hub.send("GET", &at, &[("x-request-id", REQUEST)], None).await
            };
            let (there, never) = (ask(there).await, ask(never).await);
            assert_eq!(told(&there), refused(404, "not_found"), "{below}: {}", there.text);
            assert_eq!(there.text, never.text);
            let names = |reply: &Reply| {
                let mut headers = reply.headers.clone();
                headers.remove("date");
                headers
            };
            assert_eq!(names(&there), names(&never));
        }
    }
    let listed = hub.get(&format!("/v1/{collection}?limit=100")).await;
    assert!(!listed.text.contains(id), "{}", listed.text);
}

/// What the feed tells the public of a record.
async fn feed(hub: &Hub, record: &Value) -> Vec<String> {
    let (mut operations, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = hub.get(&format!("/v1/changes?limit=100{cursor}")).await.json();
        let items = page["items"].as_array().unwrap();
        let of = items.iter().filter(|item| item["id"] == record["id"]);
        operations.extend(of.map(|item| item["operation"].as_str().unwrap().to_owned()));
        if items.is_empty() {
            return operations;
        }
        cursor = format!("&after={}", page["next_cursor"].as_str().unwrap());
    }
}

#[test]
fn a_record_goes_all_the_way_to_the_public_and_back() {
    on_each_database(async |hub| {
        let Staff { viewer, editor, publisher } = Staff::of(&hub).await;
        let made = draft(&hub, &editor, "seminars", &seminar("the-way", PROJECT)).await;
        let record = made.json();
        let at = "/v1/seminars/the-way";
        assert_eq!((&record["revision"], &record["published_at"]), (&json!(1), &Value::Null));
        assert_hidden(&hub, "seminars", &record).await;
        assert_eq!(hub.get_as(&viewer, at).await.json(), record);
        assert_eq!(hub.get_as(&viewer, at).await.header("cache-control"), "no-store");

        // A draft is written without anybody's leave.
        let change = json!({"title": {"en": "Written on"}});
        let made =
            hub.write_as(&editor, "PATCH", at, Some(made.header("etag")), Some(&change)).await;
        assert_eq!(made.status, 200, "{}", made.text);

        let submitted = step(&hub, &editor, at, "submit", &made).await;
        assert_eq!(submitted.status, 200, "{}", submitted.text);
        assert_eq!(submitted.json()["state"], "in_review");
        assert_eq!(submitted.json()["revision"], 3);
        assert_hidden(&hub, "seminars", &record).await;
        // Who submitted it may take it back.
        let reopened = step(&hub, &editor, at, "reopen", &submitted).await;
        assert_eq!(reopened.json()["state"], "draft", "{}", reopened.text);
        let submitted = step(&hub, &editor, at, "submit", &reopened).await;
        assert_eq!(feed(&hub, &record).await, Vec::<String>::new());

        let own = step(&hub, &editor, at, "publish", &submitted).await;
        assert_eq!(told(&own), refused(403, "forbidden"));
        let published = step(&hub, &publisher, at, "publish", &submitted).await;
        assert_eq!(published.status, 200, "{}", published.text);
        let told_now = published.json();
        assert_eq!((&told_now["state"], &told_now["revision"]), (&json!("published"), &json!(6)));
        assert_eq!(told_now["published_at"], told_now["updated_at"]);
        assert_eq!(hub.get(at).await.json(), told_now);
        assert_eq!(feed(&hub, &record).await, ["created"]);

        let own = step(&hub, &editor, at, "withdraw", &published).await;
        assert_eq!(told(&own), refused(403, "forbidden"));
        let withdrawn = step(&hub, &publisher, at, "withdraw", &published).await;
        assert_eq!(withdrawn.json()["state"], "withdrawn", "{}", withdrawn.text);
        assert_eq!(withdrawn.json()["published_at"], Value::Null);
        assert_hidden(&hub, "seminars", &record).await;
        assert_eq!(feed(&hub, &record).await, ["created", "withdrawn"]);
        let page = hub.get("/v1/changes?limit=100&resource=seminars").await;
        assert!(!page.text.contains("Written on"), "{}", page.text);

        let own = step(&hub, &editor, at, "reopen", &withdrawn).await;
        assert_eq!(told(&own), refused(403, "forbidden"));
        let reopened = step(&hub, &publisher, at, "reopen", &withdrawn).await;
        assert_eq!(reopened.json()["state"], "draft", "{}", reopened.text);
        assert_hidden(&hub, "seminars", &record).await;
        // A draft needs no review, when a publisher wants it so.
        let published = step(&hub, &publisher, at, "publish", &reopened).await;
        assert_eq!(published.status, 200, "{}", published.text);
        assert_eq!(feed(&hub, &record).await, ["created", "withdrawn", "created"]);
    });
}

#[test]
fn what_is_hidden_answers_as_if_it_had_never_been() {
    on_each_database(async |hub| {
        let editor = hub.token("editor", &[]).await;
        for collection in domain::collections() {
            let mut body = domain::sample::example(collection);
            body[if collection == "topics" { "code" } else { "slug" }] = "not-yet".into();
            let made = draft(&hub, &editor, collection, &body).await;
            assert_hidden(&hub, collection, &made.json()).await;
        }
    });
}

#[test]
fn steps_that_do_not_begin_where_a_record_stands_are_refused() {
    on_each_database(async |hub| {
        let publisher = hub.token("publisher", &[]).await;
        let at = "/v1/topics/stepped";
        let mut last = draft(&hub, &publisher, "topics", &topic("stepped")).await;
        for (state, wrong, right) in [
            ("draft", &["withdraw", "reopen"][..], "submit"),
            ("in_review", &["submit", "withdraw"], "publish"),
            ("published", &["submit", "publish", "reopen"], "withdraw"),
            ("withdrawn", &["submit", "publish", "withdraw"], "reopen"),
        ] {
            assert_eq!(last.json()["state"], state);
            for wrong in wrong {
                let reply = step(&hub, &publisher, at, wrong, &last).await;
                assert_eq!(told(&reply), refused(409, "wrong_state"), "{state} {wrong}");
                let detail = reply.json()["detail"].as_str().unwrap().to_owned();
                assert!(detail.contains(state), "{detail}");
            }
            last = step(&hub, &publisher, at, right, &last).await;
            assert_eq!(last.status, 200, "{}", last.text);
        }
        let unknown = step(&hub, &publisher, at, "burn", &last).await;
        assert_eq!(unknown.status, 404);
    });
}

#[test]
fn a_step_names_the_revision_that_it_is_taken_from_and_may_say_why() {
    on_each_database(async |hub| {
        let editor = hub.token("editor", &[]).await;
        let made = draft(&hub, &editor, "topics", &topic("noted")).await;
        let at = "/v1/topics/noted/submit";
        let none = hub.write_as(&editor, "POST", at, None, None).await;
        assert_eq!(told(&none), refused(428, "precondition_required"));
        let stale = hub.write_as(&editor, "POST", at, Some("\"7\""), None).await;
        assert_eq!(told(&stale), refused(412, "stale_revision"));
        let star = hub.write_as(&editor, "POST", at, Some("*"), None).await;
        assert_eq!(star.status, 400);
        let tag = made.header("etag");
        for (body, status, faults) in [
            (json!({"note": 1}), 400, vec![("/note", "wrong_type")]),
            (json!({"why": "x"}), 400, vec![("/why", "unknown_field")]),
            (json!([]), 400, vec![("", "wrong_type")]),
            (json!(["x"]), 400, vec![("", "wrong_type")]),
            (json!({"note": "x".repeat(10_001)}), 422, vec![("/note", "invalid_value")]),
            (json!({"note": "Checked against the agenda."}), 200, vec![]),
        ] {
            let reply = hub.write_as(&editor, "POST", at, Some(tag), Some(&body)).await;
            assert_eq!(reply.status, status, "{}", reply.text);
            let faults = faults.into_iter().map(|(at, code)| (at.to_owned(), code.to_owned()));
            assert_eq!(reply.faults(), faults.collect::<Vec<_>>());
            assert!(!reply.text.contains("expected"), "{}", reply.text);
        }
    });
}

#[test]
fn what_refers_to_drafts_is_not_published_and_the_places_are_told() {
    on_each_database(async |hub| {
        let Staff { editor, publisher, .. } = Staff::of(&hub).await;
        let person = draft(
            &hub,
            &editor,
            "people",
            &json!({"slug": "speaker-to-be", "name": "Speaker To Be"}),
        )
        .await;
        let topic = draft(&hub, &editor, "topics", &topic("topic-to-be")).await;
        let mut talk = domain::sample::example("presentations");
        talk["slug"] = "talk-to-be".into();
        talk["speakers"][0]["person_id"] = "speaker-to-be".into();
        talk["topics"] = json!(["ai", "topic-to-be"]);
        let made = draft(&hub, &editor, "presentations", &talk).await;
        let at = "/v1/presentations/talk-to-be";
        let hidden = [
            ("/speakers/0/person_id".to_owned(), "unpublished_reference".to_owned()),
            ("/topics/1".to_owned(), "unpublished_reference".to_owned()),
        ];
        let reply = step(&hub, &publisher, at, "publish", &made).await;
        assert_eq!(told(&reply), refused(422, "invalid_record"));
        assert_eq!(reply.faults(), hidden);
        assert!(reply.text.contains("/v1/people/speaker-to-be"), "{}", reply.text);
        let mut other = talk.clone();
        other["slug"] = "talk-at-once".into();
        let at_once = "/v1/presentations?publish=true";
        let reply = hub.write_as(&publisher, "POST", at_once, None, Some(&other)).await;
        assert_eq!((reply.status.as_u16(), reply.faults()), (422, hidden.to_vec()));

        // Nor can what is public come to refer to them.
        let public = "/v1/presentations/first-seminar-2021-experts-1";
        let change = json!({"topics": ["ai", "topic-to-be"]});
        let tag = hub.get(public).await.header("etag").to_owned();
        let reply = hub.write_as(&publisher, "PATCH", public, Some(&tag), Some(&change)).await;
        assert_eq!((reply.status.as_u16(), reply.faults()), (422, hidden[1..].to_vec()));

        for (at, made) in
            [("/v1/people/speaker-to-be", &person), ("/v1/topics/topic-to-be", &topic)]
        {
            assert_eq!(step(&hub, &publisher, at, "publish", made).await.status, 200);
        }
        let published = step(&hub, &publisher, at, "publish", &made).await;
        assert_eq!(published.status, 200, "{}", published.text);
    });
}

#[test]
fn a_document_is_public_no_sooner_than_what_it_is_about() {
    on_each_database(async |hub| {
        let publisher = hub.token("publisher", &[]).await;
        let about = draft(&hub, &publisher, "seminars", &seminar("secret-seminar", PROJECT)).await;
        let document = |slug: &str, subject: &str| {
            json!({"slug": slug, "kind": "agenda", "title": {"en": "Agenda"},
                "subject": {"resource": "seminars", "id": subject}})
        };
        let all = "/v1/documents";
        let wrong = document("of-nothing", "no-seminar");
        let reply = hub.write_as(&publisher, "POST", all, None, Some(&wrong)).await;
        assert_eq!(reply.faults(), [("/subject/id".into(), "unknown_reference".into())]);
        let body = document("its-agenda", "secret-seminar");
        let made = draft(&hub, &publisher, "documents", &body).await;
        assert_eq!(made.json()["subject"]["id"], about.json()["id"]);
        let at = "/v1/documents/its-agenda";
        let reply = step(&hub, &publisher, at, "publish", &made).await;
        assert_eq!(reply.faults(), [("/subject/id".into(), "unpublished_reference".into())]);

        let seminar = "/v1/seminars/secret-seminar";
        let public = step(&hub, &publisher, seminar, "publish", &about).await;
        assert_eq!(step(&hub, &publisher, at, "publish", &made).await.status, 200);
        let reply = step(&hub, &publisher, seminar, "withdraw", &public).await;
        assert_eq!(told(&reply), refused(409, "in_use"));
    });
}

#[test]
fn what_is_public_is_not_withdrawn_while_others_that_are_public_refer_to_it() {
    on_each_database(async |hub| {
        let Staff { editor, publisher, .. } = Staff::of(&hub).await;
        let at = "/v1/people/kangtak-oh";
        let read = hub.get(at).await;
        let reply = step(&hub, &publisher, at, "withdraw", &read).await;
        assert_eq!(told(&reply), refused(409, "in_use"));
        assert!(reply.text.contains("/v1/presentations/first-seminar-2021-experts-1 refers"));

        // Drafts do not hold it back, and are not told of.
        let made = hub.write("POST", "/v1/topics", None, Some(&topic("free"))).await;
        let mut talk = domain::sample::example("presentations");
        talk["slug"] = "draft-of-a-talk".into();
        talk["topics"] = json!(["free"]);
        draft(&hub, &editor, "presentations", &talk).await;
        let reply = step(&hub, &publisher, "/v1/topics/free", "withdraw", &made).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    });
}

/// An editor's change to a public topic.
async fn proposed(hub: &Hub, editor: &str, at: &str, label: &str) -> Reply {
    let tag = hub.get(at).await.header("etag").to_owned();
    let change = json!({"label": {"en": label}});
    let reply = hub.write_as(editor, "PATCH", at, Some(&tag), Some(&change)).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    reply
}

#[test]
fn an_editors_change_to_what_is_public_is_kept_aside_until_it_is_decided() {
    on_each_database(async |hub| {
        let Staff { viewer, editor, publisher } = Staff::of(&hub).await;
        let made = hub.write("POST", "/v1/topics", None, Some(&topic("public"))).await;
        let at = "/v1/topics/public";
        let kept = proposed(&hub, &editor, at, "Better").await;
        let proposal = kept.header("location").to_owned();
        assert_eq!(kept.header("cache-control"), "no-store");
        let told_of = kept.json();
        assert_eq!(proposal, format!("/v1/proposals/{}", told_of["id"].as_str().unwrap()));
        assert_eq!(
            json!([
                told_of["resource"],
                told_of["record_id"],
                told_of["status"],
                told_of["revision"],
                told_of["moved_on"],
                told_of["body"]["label"]["en"],
                told_of["current"]["label"]["en"],
            ]),
            json!(["topics", made.json()["id"], "open", 1, false, "Better", "public"])
        );
        assert_eq!(hub.get(at).await.json(), made.json());
        assert_eq!(hub.get(&proposal).await.status, 401);
        assert_eq!(hub.get_as(&viewer, &proposal).await.json(), told_of);
        let listed = hub.get_as(&viewer, "/v1/proposals?status=open&resource=topics").await;
        assert_eq!(listed.json()["items"], json!([told_of]), "{}", listed.text);
        let others = hub.get_as(&viewer, "/v1/proposals?status=accepted").await;
        assert_eq!(others.json()["items"], json!([]));

        let decide = async |token: &str, decision: &str, tag: Option<&str>, note: &str| {
            let at = format!("{proposal}/{decision}");
            hub.write_as(token, "POST", &at, tag, Some(&json!({"note": note}))).await
        };
        for decision in ["accept", "decline"] {
            let own = decide(&editor, decision, None, "Mine.").await;
            assert_eq!(told(&own), refused(403, "forbidden"), "{decision}");
        }
        let others = decide(&publisher, "take-back", None, "Not mine.").await;
        assert_eq!(told(&others), refused(403, "forbidden"));
        let accepted = decide(&publisher, "accept", None, "Indeed better.").await;
        assert_eq!(accepted.status, 200, "{}", accepted.text);
        let told_of = accepted.json();
        assert_eq!(
            json!([told_of["status"], told_of["answer"]]),
            json!(["accepted", "Indeed better."])
        );
        assert!(told_of["decided_by"].is_string() && told_of["decided_at"].is_string());
        let name =
            async |token: &str| hub.get_as(token, "/v1/tokens/self").await.json()["name"].clone();
        let called = [&told_of["actor_name"], &told_of["decided_by_name"]];
        assert_eq!(called, [&name(&editor).await, &name(&publisher).await]);
        let now = hub.get(at).await.json();
        assert_eq!(json!([now["label"]["en"], now["revision"]]), json!(["Better", 2]));
        for (token, decision) in
            [(&publisher, "accept"), (&publisher, "decline"), (&editor, "take-back")]
        {
            let again = decide(token, decision, None, "Again.").await;
            assert_eq!(told(&again), refused(409, "already_decided"), "{decision}");
        }
    });
}

#[test]
fn the_same_change_is_kept_aside_once() {
    on_each_database(async |hub| {
        let Staff { editor, .. } = Staff::of(&hub).await;
        hub.write("POST", "/v1/topics", None, Some(&topic("public"))).await;
        let at = "/v1/topics/public";
        let first = proposed(&hub, &editor, at, "Better").await;
        let again = proposed(&hub, &editor, at, "Better").await;
        assert_eq!(again.json(), first.json());
        assert_eq!(again.header("location"), first.header("location"));
        let whole = json!({"code": "public", "scheme": "own", "label": {"en": "Better"}});
        let tag = hub.get(at).await.header("etag").to_owned();
        let again = hub.write_as(&editor, "PUT", at, Some(&tag), Some(&whole)).await;
        assert_eq!((again.status.as_u16(), again.json()), (202, first.json()));

        // Another change, or somebody else's, is another proposal.
        let another = proposed(&hub, &editor, at, "Best").await;
        assert_ne!(another.json()["id"], first.json()["id"]);
        let somebody = hub.token("editor", &[]).await;
        let theirs = proposed(&hub, &somebody, at, "Better").await;
        assert_ne!(theirs.json()["id"], first.json()["id"]);
        // What was declined can be proposed again.
        let back = format!("{}/take-back", first.header("location"));
        assert_eq!(hub.write_as(&editor, "POST", &back, None, None).await.status, 200);
        let anew = proposed(&hub, &editor, at, "Better").await;
        assert_ne!(anew.json()["id"], first.json()["id"]);
    });
}

#[test]
fn a_proposal_can_be_declined_and_taken_back() {
    on_each_database(async |hub| {
        let Staff { editor, publisher, .. } = Staff::of(&hub).await;
        hub.write("POST", "/v1/topics", None, Some(&topic("public"))).await;
        let at = "/v1/topics/public";
        for (token, decision, status) in
            [(&publisher, "decline", "declined"), (&editor, "take-back", "taken_back")]
        {
            let kept = proposed(&hub, &editor, at, "Other").await;
            let decide = format!("{}/{decision}", kept.header("location"));
            let decided = hub.write_as(token, "POST", &decide, None, None).await;
            assert_eq!(decided.json()["status"], status, "{}", decided.text);
            let listed =
                hub.get_as(&editor, &format!("/v1/proposals?status={status}")).await.json();
            assert_eq!(listed["items"].as_array().unwrap().len(), 1);
            assert_eq!(hub.get(at).await.json()["revision"], 1);
        }
    });
}

#[test]
fn a_proposal_to_what_has_moved_on_is_accepted_only_for_the_present_revision() {
    on_each_database(async |hub| {
        let Staff { editor, publisher, .. } = Staff::of(&hub).await;
        let made = hub.write("POST", "/v1/topics", None, Some(&topic("public"))).await;
        let at = "/v1/topics/public";
        let kept = proposed(&hub, &editor, at, "Proposed").await;
        let change = json!({"label": {"en": "Corrected"}});
        let tag = made.header("etag");
        let corrected = hub.write_as(&publisher, "PATCH", at, Some(tag), Some(&change)).await;
        assert_eq!(corrected.status, 200, "{}", corrected.text);

        let proposal = kept.header("location");
        let now = hub.get_as(&editor, proposal).await.json();
        assert_eq!(
            json!([now["moved_on"], now["revision"], now["current_revision"]]),
            json!([true, 1, 2])
        );
        assert_eq!(now["current"]["label"]["en"], "Corrected");
        let accept = format!("{proposal}/accept");
        let reply = hub.write_as(&publisher, "POST", &accept, None, None).await;
        assert_eq!(told(&reply), refused(409, "moved_on"));
        let reply = hub.write_as(&publisher, "POST", &accept, Some(tag), None).await;
        assert_eq!(told(&reply), refused(412, "stale_revision"));
        let tag = corrected.header("etag");
        let reply = hub.write_as(&publisher, "POST", &accept, Some(tag), None).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let now = hub.get(at).await.json();
        assert_eq!(json!([now["label"]["en"], now["revision"]]), json!(["Proposed", 3]));
    });
}

#[test]
fn it_takes_two_people_where_the_settings_say_so() {
    on_each_database_with(
        |settings| settings.two_people = true,
        async |hub| {
            let one = hub.token("publisher", &[]).await;
            let other = hub.token("publisher", &[]).await;
            let at = "/v1/topics/of-two";
            let made = draft(&hub, &one, "topics", &topic("of-two")).await;
            let at_once = "/v1/topics?publish=true";
            let alone = topic("alone");
            let reply = hub.write_as(&one, "POST", at_once, None, Some(&alone)).await;
            assert_eq!(told(&reply), refused(403, "same_person"));
            let submitted = step(&hub, &one, at, "submit", &made).await;
            let reply = step(&hub, &one, at, "publish", &submitted).await;
            assert_eq!(told(&reply), refused(403, "same_person"));
            let published = step(&hub, &other, at, "publish", &submitted).await;
            assert_eq!(published.status, 200, "{}", published.text);

            // To correct it is a proposal too, for somebody else to accept.
            let kept = proposed(&hub, &one, at, "Corrected").await;
            let accept = format!("{}/accept", kept.header("location"));
            let reply = hub.write_as(&one, "POST", &accept, None, None).await;
            assert_eq!(told(&reply), refused(403, "same_person"));
            let reply = hub.write_as(&other, "POST", &accept, None, None).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            // Whoever comes last, the words are of all who wrote them.
            let editor = hub.token("editor", &[]).await;
            let at_two = "/v1/topics/of-three";
            let made = draft(&hub, &one, "topics", &topic("of-three")).await;
            let tag = made.header("etag");
            let touched = hub.write_as(&editor, "PATCH", at_two, Some(tag), Some(&json!({}))).await;
            assert_eq!(touched.status, 200, "{}", touched.text);
            let reply = step(&hub, &one, at_two, "publish", &touched).await;
            assert_eq!(told(&reply), refused(403, "same_person"));
            assert_eq!(step(&hub, &other, at_two, "publish", &touched).await.status, 200);
            // So they are after it was public, while nobody else has written anything.
            let hide = async || {
                let now = hub.get(at_two).await;
                let hidden = step(&hub, &other, at_two, "withdraw", &now).await;
                step(&hub, &other, at_two, "reopen", &hidden).await
            };
            let (hidden, change) = (hide().await, json!({"label": {"en": "Mine"}}));
            let tag = hidden.header("etag");
            let own = hub.write_as(&one, "PATCH", at_two, Some(tag), Some(&change)).await;
            assert_eq!(step(&hub, &other, at_two, "publish", &own).await.status, 200);
            let hidden = hide().await;
            let alone = step(&hub, &one, at_two, "publish", &hidden).await;
            assert_eq!(told(&alone), refused(403, "same_person"));
            let (tag, change) = (hidden.header("etag"), json!({"label": {"en": "Theirs"}}));
            let theirs = hub.write_as(&editor, "PATCH", at_two, Some(tag), Some(&change)).await;
            assert_eq!(step(&hub, &one, at_two, "publish", &theirs).await.status, 200);
            // What is wrong can be taken away by anyone who may.
            let now = hub.get(at).await;
            assert_eq!(step(&hub, &one, at, "withdraw", &now).await.status, 200);
        },
    );
}

#[test]
fn a_token_for_some_projects_sees_and_writes_what_is_not_public_only_there() {
    on_each_database(async |hub| {
        let mut project = domain::sample::example("projects");
        for slug in ["ours", "theirs"] {
            project["slug"] = slug.into();
            let ours = hub.write("POST", "/v1/projects", None, Some(&project)).await;
            assert_eq!(ours.status, 201, "{}", ours.text);
        }
        let admin = hub.token.clone();
        let (editor, publisher) =
            (hub.token("editor", &["ours"]).await, hub.token("publisher", &["ours"]).await);
        let viewer = hub.token("viewer", &["ours"]).await;

        // Theirs, hidden: it is not there.
        let hidden = draft(&hub, &admin, "seminars", &seminar("their-draft", "theirs")).await;
        let at = "/v1/seminars/their-draft";
        let change = json!({"capacity": 9});
        let tag = Some(hidden.header("etag"));
        for token in [&viewer, &editor, &publisher] {
            assert_eq!(told(&hub.get_as(token, at).await), refused(404, "not_found"));
            let listed = hub.get_as(token, "/v1/seminars?limit=100").await;
            assert!(!listed.text.contains("their-draft"), "{}", listed.text);
        }
        for token in [&editor, &publisher] {
            for reply in [
                hub.write_as(token, "PATCH", at, tag, Some(&change)).await,
                hub.write_as(token, "DELETE", at, tag, None).await,
                step(&hub, token, at, "submit", &hidden).await,
                step(&hub, token, at, "publish", &hidden).await,
            ] {
                assert_eq!(told(&reply), refused(404, "not_found"), "{}", reply.text);
            }
            let part = json!({"slug": "a-part", "seminar_id": "their-draft", "day": 1, "order": 1,
                "kind": "opening"});
            let reply = hub.write_as(token, "POST", "/v1/sessions", None, Some(&part)).await;
            assert_eq!(reply.faults(), [("/seminar_id".into(), "unknown_reference".into())]);
        }

        // Theirs, public: it is there, and not to be written.
        let public = seminar("their-public", "theirs");
        let public = hub.write("POST", "/v1/seminars", None, Some(&public)).await;
        let at = "/v1/seminars/their-public";
        let tag = Some(public.header("etag"));
        for token in [&editor, &publisher] {
            assert_eq!(hub.get_as(token, at).await.json(), public.json());
            for reply in [
                hub.write_as(token, "PATCH", at, tag, Some(&change)).await,
                hub.write_as(token, "DELETE", at, tag, None).await,
                step(&hub, token, at, "withdraw", &public).await,
                hub.write_as(token, "POST", "/v1/seminars", None, Some(&seminar("x", "theirs")))
                    .await,
            ] {
                assert_eq!(told(&reply), refused(403, "other_project"), "{}", reply.text);
            }
        }
        // Nor is it told what somebody proposes there.
        let others = hub.token("editor", &[]).await;
        let kept = hub.write_as(&others, "PATCH", at, tag, Some(&change)).await;
        assert_eq!(kept.status, 202, "{}", kept.text);
        let kept = kept.header("location");
        assert_eq!(hub.get_as(&others, kept).await.status, 200);
        assert_eq!(hub.get_as(&viewer, kept).await.status, 404);
        let listed = hub.get_as(&viewer, "/v1/proposals").await;
        assert_eq!(listed.json()["items"], json!([]), "{}", listed.text);
        let accept = format!("{kept}/accept");
        assert_eq!(hub.write_as(&publisher, "POST", &accept, None, None).await.status, 404);

        // Ours.
        let ours = draft(&hub, &editor, "seminars", &seminar("our-draft", "ours")).await;
        let at = "/v1/seminars/our-draft";
        assert_eq!(hub.get_as(&viewer, at).await.json(), ours.json());
        assert_eq!(hub.get(at).await.status, 404);
        let ours =
            hub.write_as(&editor, "PATCH", at, Some(ours.header("etag")), Some(&change)).await;
        assert_eq!(ours.status, 200, "{}", ours.text);
        // It cannot be given to others.
        let away = json!({"project_id": "theirs"});
        let tag = Some(ours.header("etag"));
        let reply = hub.write_as(&editor, "PATCH", at, tag, Some(&away)).await;
        assert_eq!(told(&reply), refused(403, "other_project"));
        let public = step(&hub, &publisher, at, "publish", &ours).await;
        assert_eq!(public.status, 200, "{}", public.text);
        // What belongs to nobody is suggested, not published.
        let ours = draft(&hub, &publisher, "topics", &topic("nobodys")).await;
        let reply = step(&hub, &publisher, "/v1/topics/nobodys", "publish", &ours).await;
        assert_eq!(told(&reply), refused(403, "forbidden"));
    });
}

#[test]
fn who_sees_drafts_lists_them_by_where_they_stand() {
    on_each_database(async |hub| {
        for code in ["one", "two", "three"] {
            let body = json!({"code": code, "scheme": "own", "label": {"en": code}});
            let made = hub.write_as(&hub.token, "POST", "/v1/topics", None, Some(&body)).await;
            if code == "two" {
                let submit = "/v1/topics/two/submit";
                let tag = made.header("etag").to_owned();
                let submitted = hub.write_as(&hub.token, "POST", submit, Some(&tag), None).await;
                assert_eq!(submitted.status, 200, "{}", submitted.text);
            }
        }
        let viewer = hub.token("viewer", &[]).await;
        let public = hub.get("/v1/topics?with_total=true").await.json()["total"].as_i64().unwrap();
        for (query, total) in [
            ("state=in_review", 1),
            ("state=draft", 2),
            ("state=draft,in_review,withdrawn", 3),
            ("state=draft&q=three", 1),
            ("state=published", public),
            ("state=published,draft", public + 2),
            ("state=draft,in_review,published,withdrawn", public + 3),
        ] {
            let path = format!("/v1/topics?{query}&with_total=true&facets=scheme&limit=1");
            let page = hub.get_as(&viewer, &path).await.json();
            assert_eq!(page["total"], total, "{query}");
            let counted = page["facets"]["scheme"].as_array().unwrap().iter();
            let counted: i64 = counted.map(|one| one["count"].as_i64().unwrap()).sum();
            assert_eq!(counted, total, "{query}");
        }
        let file = hub.get_as(&viewer, "/v1/topics.ndjson?state=in_review").await;
        assert_eq!(file.text.lines().count(), 1, "{}", file.text);
        let refused = hub.get("/v1/topics?state=published").await;
        assert_eq!(refused.json()["code"], "unauthenticated");
        let wrong = hub.get_as(&viewer, "/v1/topics?state=gone").await;
        assert_eq!(wrong.faults(), [("state".to_owned(), "invalid_parameter".to_owned())]);
        // A token that is limited to a project sees no draft of another, however it is asked for.
        let mut body = domain::sample::example("seminars");
        body["slug"] = "hidden".into();
        let made = hub.write_as(&hub.token, "POST", "/v1/seminars", None, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let mut project = domain::sample::example("projects");
        project["slug"] = "other".into();
        assert_eq!(hub.write("POST", "/v1/projects", None, Some(&project)).await.status, 201);
        let limited = hub.token("viewer", &["other"]).await;
        let none = hub.get_as(&limited, "/v1/seminars?state=draft&with_total=true").await.json();
        assert_eq!(none["total"], 0);
        let all = hub.get_as(&viewer, "/v1/seminars?state=draft&with_total=true").await.json();
        assert_eq!(all["total"], 1);
    });
}

#[test]
fn what_is_so_already_is_no_proposal_and_a_refusal_tells_its_own_reason() {
    on_each_database(async |hub| {
        let Staff { editor, publisher, .. } = Staff::of(&hub).await;
        let at = "/v1/topics/ai";
        let now = hub.get(at).await;
        let tag = now.header("etag");
        let same = hub.write_as(&editor, "PATCH", at, Some(tag), Some(&json!({}))).await;
        assert_eq!((same.status.as_u16(), same.header("etag")), (200, tag), "{}", same.text);
        let open = hub.get_as(&editor, "/v1/proposals?status=open").await.json();
        assert_eq!(open["items"], json!([]));

        let kept = proposed(&hub, &editor, at, "Another").await;
        let back = format!("{}/take-back", kept.header("location"));
        let reply = hub.write_as(&publisher, "POST", &back, None, None).await;
        assert_eq!(told(&reply), refused(403, "forbidden"));
        assert_eq!(reply.json()["detail"], "Only who made it takes it back.");
        let limited = hub.token("publisher", &[PROJECT]).await;
        let body = json!({"slug": "everybodys", "name": {"en": "Everybody's"}});
        let all = "/v1/organisations?publish=true";
        let reply = hub.write_as(&limited, "POST", all, None, Some(&body)).await;
        assert_eq!(told(&reply), refused(403, "forbidden"));
        let detail = "It belongs to no project, and the token is limited to some.";
        assert_eq!(reply.json()["detail"], detail);
    });
}
