//! The history of records: told, compared, and gone back to.
use chrono::TimeDelta;
use domain::Role;
use persistence::{NewToken, Store, Stored, Visitor, visit_all};
use serde_json::{Value, json};

use crate::harness::{Hub, Reply, fewest_sources, on_each_database};

struct Collections(Vec<&'static str>);

impl Visitor for Collections {
    fn visit<R: Stored>(&mut self) {
        self.0.push(R::COLLECTION);
    }
}

fn told(reply: &Reply) -> Vec<(i64, String, bool, Vec<String>)> {
    let items = reply.json()["items"].as_array().cloned().unwrap_or_default();
    let changed = |item: &Value| serde_json::from_value(item["changed"].clone()).unwrap();
    let tell = |item: &Value| {
        let text = item["operation"].as_str().unwrap().to_owned();
        (item["revision"].as_i64().unwrap(), text, item["current"] == true, changed(item))
    };
    items.iter().map(tell).collect()
}

fn entry(
    revision: i64,
    what: &str,
    current: bool,
    at: &[&str],
) -> (i64, String, bool, Vec<String>) {
    (revision, what.to_owned(), current, at.iter().map(|one| (*one).to_owned()).collect())
}

/// Reads with the token.
async fn read(hub: &Hub, path: &str) -> Reply {
    hub.write("GET", path, None, None).await
}

fn topic(code: &str, label: &str) -> Value {
    json!({"code": code, "scheme": "own", "label": {"en": label, "kk": "Ат"}})
}

/// What of a record was written.
fn written(mut record: Value) -> Value {
    for known in ["id", "revision", "state", "created_at", "updated_at", "published_at"] {
        record.as_object_mut().unwrap().remove(known);
    }
    record
}

#[test]
fn who_did_something_is_named_by_one_statement_for_all_of_a_page() {
    on_each_database(async |hub| {
        let mut made = hub.write("POST", "/v1/topics", None, Some(&topic("named", "Named"))).await;
        let at = "/v1/topics/named";
        let asked = async |hub: &Hub| {
            hub.statements();
            let told = read(hub, &format!("{at}/revisions")).await.json();
            let actors = told["items"].as_array().unwrap().clone();
            let names = actors.into_iter().map(|item| item["actor_name"].clone());
            let looks = |sql: &&String| sql.contains(r#"SELECT "token"."id", "token"."name" FROM"#);
            (names.collect(), hub.statements().iter().filter(looks).count())
        };
        let (names, looks): (Vec<Value>, _) = asked(&hub).await;
        assert_eq!((names.len(), looks), (1, 1));
        for number in 0..3 {
            let token = hub.token("publisher", &[]).await;
            let tag = made.header("etag").to_owned();
            let body = topic("named", &format!("Name {number}"));
            made = hub.write_as(&token, "PUT", at, Some(&tag), Some(&body)).await;
            assert_eq!(made.status, 200, "{}", made.text);
        }
        let (names, looks): (Vec<Value>, _) = asked(&hub).await;
        assert!(names.len() == 4 && names.iter().all(Value::is_string), "{names:?}");
        assert_eq!(looks, 1);
    });
}

#[test]
fn every_resource_has_a_history_and_can_go_back_in_it() {
    on_each_database(async |hub| {
        let mut collections = Collections(Vec::new());
        visit_all(&mut collections);
        for collection in collections.0 {
            go_back(&hub, collection).await;
        }
    });
}

async fn go_back(hub: &Hub, collection: &str) {
    let all = format!("/v1/{collection}");
    let mut body = domain::sample::example(collection);
    body[if collection == "topics" { "code" } else { "slug" }] = "a-past".into();
    let first = hub.write("POST", &all, None, Some(&body)).await;
    assert_eq!(first.status, 201, "{collection}: {}", first.text);
    let one = format!("{all}/{}", first.json()["id"].as_str().unwrap());
    body["citations"] = fewest_sources(collection, &body);
    let second = hub.write("PUT", &one, Some(first.header("etag")), Some(&body)).await;
    assert_eq!(second.status, 200, "{}", second.text);

    let past = read(hub, &format!("{one}/revisions/1")).await.json();
    let mut expected = first.json();
    if collection == "seminars" {
        expected.as_object_mut().unwrap().remove("label");
    }
    assert_eq!(past["body"], written(expected), "{collection}");
    assert_eq!(past["differences"], json!([{"pointer": "", "after": past["body"]}]));
    assert_eq!(past["current"], false);

    let restore = format!("{one}/revisions/1/restore");
    assert_eq!(hub.write("POST", &restore, None, None).await.status, 428);
    assert_eq!(hub.write("POST", &restore, Some(first.header("etag")), None).await.status, 412);
    let third = hub.write("POST", &restore, Some(second.header("etag")), None).await;
    assert_eq!(third.status, 200, "{collection}: {}", third.text);
    assert_eq!(third.json()["revision"], 3);
    assert_eq!(third.json()["citations"], first.json()["citations"]);
    assert_eq!(hub.get(&one).await.header("etag"), third.header("etag"));

    let gone = hub.write("DELETE", &one, Some(third.header("etag")), None).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    let listed = read(hub, &format!("{all}/a-past/revisions")).await;
    let (last, before) = (&told(&listed)[0], &told(&listed)[1]);
    assert_eq!(*last, entry(4, "delete", true, &[""]), "{collection}");
    assert_eq!((before.0, before.1.as_str(), before.2), (3, "restore", false));

    let back = hub.write("POST", &format!("{one}/revisions/2/restore"), None, None).await;
    assert_eq!(back.status, 201, "{collection}: {}", back.text);
    assert_eq!((back.header("location"), &back.json()["revision"]), (one.as_str(), &json!(5)));
    // It was gone from the public, and whether it comes back there is decided anew.
    assert_eq!(back.json()["state"], "draft");
    assert_eq!(hub.get(&one).await.status, 404);
    assert_eq!(read(hub, &one).await.json(), back.json());
    let named = read(hub, &format!("{all}/a-past")).await;
    assert_eq!(named.header("etag"), back.header("etag"));
    let revived = read(hub, &format!("{one}/revisions/5")).await.json();
    assert_eq!((&revived["operation"], &revived["state"]), (&json!("revive"), &json!("draft")));
}

#[test]
fn a_history_is_told_in_pages_with_who_did_it_and_where_it_differs() {
    on_each_database(async |hub| {
        let mut tag = {
            let made = hub.write("POST", "/v1/topics", None, Some(&topic("t", "One"))).await;
            made.header("etag").to_owned()
        };
        let mut changes = vec![topic("t", "Two"), topic("t", "Two"), topic("t", "Two")];
        changes[1]["parent_id"] =
            hub.get("/v1/topics?limit=1").await.json()["items"][0]["id"].clone();
        changes[2]["label"] = json!({"en": "Two", "ru": "Два"});
        for body in &changes {
            let reply = hub.write("PUT", "/v1/topics/t", Some(&tag), Some(body)).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            tag = reply.header("etag").to_owned();
        }
        let path = "/v1/topics/t/revisions";
        let all = read(&hub, path).await;
        let expected = [
            entry(4, "replace", true, &["/label/kk", "/label/ru", "/parent_id"]),
            entry(3, "replace", false, &["/parent_id"]),
            entry(2, "replace", false, &["/label/en"]),
            entry(1, "create", false, &[""]),
        ];
        let mut found = told(&all);
        for one in &mut found {
            one.3.sort();
        }
        assert_eq!(found, expected);
        assert_eq!(all.header("cache-control"), "no-store");
        let item = &all.json()["items"][0];
        assert_eq!(item["note"], Value::Null);
        assert_eq!(hub.token.split('_').nth(1), item["actor"].as_str());
        let token = hub.get_as(&hub.token, "/v1/tokens/self").await.json();
        assert_eq!(item["actor_name"], token["name"]);
        assert_eq!(item["request_id"].as_str().map(str::len), Some(36));

        let mut pages = Vec::new();
        let mut next = format!("{path}?limit=1");
        loop {
            let page = read(&hub, &next).await;
            let mut page_told = told(&page);
            for one in &mut page_told {
                one.3.sort();
            }
            pages.extend(page_told);
            let Some(cursor) = page.json()["next_cursor"].as_str().map(str::to_owned) else {
                assert_eq!(page.header("link"), "");
                break;
            };
            next = format!("{path}?limit=1&cursor={cursor}");
            assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
        }
        assert_eq!(pages, expected);
        let elsewhere = next.replace("/t/", "/governance/");
        let refused = read(&hub, &elsewhere).await;
        assert!([400, 404].contains(&refused.status.as_u16()), "{}", refused.text);

        let two = read(&hub, &format!("{path}/2")).await.json();
        let expected = json!([{"pointer": "/label/en", "before": "One", "after": "Two"}]);
        assert_eq!(two["differences"], expected);
    });
}

#[test]
fn what_is_not_there_or_not_allowed_is_told_as_everywhere() {
    on_each_database(async |hub| {
        let seminar = "/v1/seminars/first-seminar-2021/revisions";
        for path in [seminar.to_owned(), format!("{seminar}/1")] {
            assert_eq!(hub.get(&path).await.status, 401, "{path}");
            assert_eq!(read(&hub, &format!("{path}?sort=at")).await.status, 400, "{path}");
        }
        let restore = format!("{seminar}/1/restore");
        assert_eq!(hub.send("POST", &restore, &[], None).await.status, 401);
        assert_eq!(read(&hub, &restore).await.status, 405);
        let nobody = "019b7740-0000-7000-8000-00000000ffff";
        for path in [
            format!("{seminar}/2"),
            format!("{seminar}/0"),
            format!("{seminar}/x"),
            format!("{seminar}/99999999999999999999"),
            "/v1/seminars/nobody/revisions".to_owned(),
            format!("/v1/seminars/{nobody}/revisions"),
            format!("/v1/seminars/{nobody}/revisions/1"),
        ] {
            let reply = read(&hub, &path).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (404, &json!("not_found")));
        }
    });
}

#[test]
fn what_has_gone_or_been_taken_meanwhile_keeps_a_revision_from_coming_back() {
    on_each_database(async |hub| {
        let parent = hub.write("POST", "/v1/topics", None, Some(&topic("parent", "P"))).await;
        let mut child = topic("child", "C");
        child["parent_id"] = "parent".into();
        let first = hub.write("POST", "/v1/topics", None, Some(&child)).await;
        child["parent_id"] = Value::Null;
        let second =
            hub.write("PUT", "/v1/topics/child", Some(first.header("etag")), Some(&child)).await;
        let gone =
            hub.write("DELETE", "/v1/topics/parent", Some(parent.header("etag")), None).await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        let path = "/v1/topics/child/revisions/1/restore";
        let refused = hub.write("POST", path, Some(second.header("etag")), None).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.faults(), [("/parent_id".into(), "unknown_reference".into())]);

        let nothing = hub.write("POST", "/v1/topics/parent/revisions/2/restore", None, None).await;
        assert_eq!(nothing.faults(), [(String::new(), "no_body".to_owned())]);
        assert_eq!(nothing.status, 422);

        let id = parent.json()["id"].as_str().unwrap().to_owned();
        let back = format!("/v1/topics/{id}/revisions/1/restore");
        let usurper = hub.write("POST", "/v1/topics", None, Some(&topic("parent", "New"))).await;
        let taken = hub.write("POST", &back, None, None).await;
        assert_eq!((taken.status.as_u16(), &taken.json()["code"]), (409, &json!("slug_taken")));
        hub.write("DELETE", "/v1/topics/parent", Some(usurper.header("etag")), None).await;
        // The slug names the one that had it last, the id each of them.
        let listed = read(&hub, "/v1/topics/parent/revisions").await;
        let newest = listed.json()["items"][1]["request_id"].clone();
        assert_eq!(newest, usurper.header("x-request-id"));

        // It was deleted at revision 2, and no other tag fits.
        let reply = hub.write("POST", &back, Some("\"5\""), None).await;
        assert_eq!(reply.status, 412, "{}", reply.text);
        let all = (0..8).map(|_| hub.write("POST", &back, None, None));
        let all = futures_util::future::join_all(all).await;
        let made = all.iter().filter(|one| one.status == 201).count();
        assert_eq!(made, 1, "{all:?}");
        assert!(all.iter().all(|one| [201, 412, 428].contains(&one.status.as_u16())), "{all:?}");
        assert_eq!(read(&hub, "/v1/topics/parent").await.json()["id"], id);
    });
}

/// A token of that role, for those projects.
async fn token(store: &Store, role: Role, projects: Option<&[&str]>) -> String {
    let projects = projects.map(|all| all.iter().map(|id| id.parse().unwrap()).collect());
    let expires_at = store.now() + TimeDelta::days(1);
    let new = NewToken { name: role.name().to_owned(), role, expires_at, projects };
    store.create_token(&new).await.unwrap().1
}

#[test]
fn to_go_back_follows_the_rules_of_to_replace() {
    on_each_database(async |hub| {
        let store = hub.database.open().await.unwrap();
        let [viewer, editor] = [Role::Viewer, Role::Editor].map(|role| token(&store, role, None));
        let (viewer, editor) = (viewer.await, editor.await);
        let first = hub.write("POST", "/v1/topics", None, Some(&topic("t", "One"))).await;
        let second = topic("t", "Two");
        let second = hub.write("PUT", "/v1/topics/t", Some(first.header("etag")), Some(&second));
        let second = second.await;
        let tag = Some(second.header("etag"));
        let path = "/v1/topics/t/revisions";
        let restore = format!("{path}/1/restore");

        assert_eq!(hub.write_as(&viewer, "GET", path, None, None).await.status, 200);
        assert_eq!(hub.write_as(&viewer, "POST", &restore, tag, None).await.status, 403);
        let why = json!({"note": "The new name is wrong."});
        let aside = hub.write_as(&editor, "POST", &restore, tag, Some(&why)).await;
        assert_eq!(aside.status, 202, "{}", aside.text);
        let proposed = aside.json();
        assert_eq!(proposed["note"], why["note"]);
        assert_eq!(proposed["body"]["label"]["en"], "One");
        assert_eq!(hub.get("/v1/topics/t").await.json()["label"]["en"], "Two");

        let known = hub.write("POST", &restore, tag, Some(&json!({"why": "?"}))).await;
        assert_eq!(known.status, 400, "{}", known.text);
        let back = hub.write("POST", &restore, tag, Some(&why)).await;
        assert_eq!((back.status.as_u16(), &back.json()["state"]), (200, &json!("published")));
        let gone = hub.write("DELETE", "/v1/topics/t", Some(back.header("etag")), None).await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        assert_eq!(hub.write_as(&viewer, "POST", &restore, None, None).await.status, 403);
        let draft = hub.write_as(&editor, "POST", &restore, None, None).await;
        assert_eq!((draft.status.as_u16(), &draft.json()["state"]), (201, &json!("draft")));
        let tag = Some(draft.header("etag"));
        let public = hub.write("POST", "/v1/topics/t/publish", tag, Some(&why)).await;
        assert_eq!(public.status, 200, "{}", public.text);

        let listed = read(&hub, path).await.json();
        let tell = |item: &Value| json!([item["operation"], item["state"], item["note"]]);
        let listed: Vec<_> = listed["items"].as_array().unwrap().iter().map(tell).collect();
        let note = &why["note"];
        let expected = json!([
            ["publish", "published", note],
            ["revive", "draft", null],
            ["delete", null, null],
            ["restore", "published", note],
            ["replace", "published", null],
            ["create", "published", null],
        ]);
        assert_eq!(json!(listed), expected);
        // To the public it was deleted, and is there again.
        let feed = hub.get("/v1/changes?limit=100").await.json();
        let id = &first.json()["id"];
        let items = feed["items"].as_array().unwrap().iter();
        let told = items.filter(|item| item["id"] == *id || item["record_id"] == *id);
        let told: Vec<_> = told.map(|item| item["operation"].clone()).collect();
        assert_eq!(json!(told), json!(["created", "changed", "changed", "deleted", "created"]));
    });
}

/// The ids of two projects, "ours" and "theirs".
async fn two_projects(hub: &Hub) -> Vec<String> {
    let mut ids = Vec::new();
    for slug in ["ours", "theirs"] {
        let mut project = domain::sample::example("projects");
        project["slug"] = slug.into();
        let made = hub.write("POST", "/v1/projects", None, Some(&project)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        ids.push(made.json()["id"].as_str().unwrap().to_owned());
    }
    ids
}

#[test]
fn who_is_limited_to_projects_sees_the_history_of_what_was_theirs() {
    on_each_database(async |hub| {
        let store = hub.database.open().await.unwrap();
        let ids = two_projects(&hub).await;
        let limited = token(&store, Role::Editor, Some(&[&ids[0]])).await;
        let ask = async |method, path: &str| hub.write_as(&limited, method, path, None, None).await;
        for (project, yes) in [("ours", true), ("theirs", false)] {
            let mut seminar = domain::sample::example("seminars");
            seminar["slug"] = format!("of-{project}").into();
            seminar["project_id"] = project.into();
            let all = "/v1/seminars";
            let made = hub.write_as(&hub.token, "POST", all, None, Some(&seminar)).await;
            assert_eq!(made.status, 201, "{}", made.text);
            let one = format!("{all}/{}", made.json()["id"].as_str().unwrap());
            let named = format!("{all}/of-{project}/revisions");
            let paths = [named, format!("{one}/revisions"), format!("{one}/revisions/1")];
            let wanted = if yes { 200 } else { 404 };
            for path in &paths {
                assert_eq!(ask("GET", path).await.status, wanted, "{path}");
            }
            let gone = hub.write("DELETE", &one, Some(made.header("etag")), None).await;
            assert_eq!(gone.status, 204, "{}", gone.text);
            for path in &paths {
                assert_eq!(ask("GET", path).await.status, wanted, "deleted: {path}");
                assert_eq!(read(&hub, path).await.status, 200, "{path}");
            }
            let back = ask("POST", &format!("{one}/revisions/1/restore")).await;
            assert_eq!(back.status, if yes { 201 } else { 404 }, "{}", back.text);
        }

        // A deleted project is in no limit any more; what belongs to no project is everybody's.
        let of_theirs = hub.get("/v1/projects/theirs").await;
        let of_theirs =
            hub.write("DELETE", "/v1/projects/theirs", Some(of_theirs.header("etag")), None);
        assert_eq!(of_theirs.await.status, 204);
        let path = format!("/v1/projects/{}/revisions", ids[1]);
        assert_eq!(ask("GET", &path).await.status, 404);
        let topic = hub.write("POST", "/v1/topics", None, Some(&topic("t", "One"))).await;
        hub.write("DELETE", "/v1/topics/t", Some(topic.header("etag")), None).await;
        assert_eq!(ask("GET", "/v1/topics/t/revisions").await.status, 200);
        let back = ask("POST", "/v1/topics/t/revisions/1/restore").await;
        assert_eq!(back.status, 201, "{}", back.text);
    });
}

#[test]
fn what_a_record_was_as_a_draft_is_not_told_to_who_is_limited_to_other_projects() {
    on_each_database(async |hub| {
        let store = hub.database.open().await.unwrap();
        let ids = two_projects(&hub).await;
        let limited = token(&store, Role::Viewer, Some(&[&ids[0]])).await;
        let theirs = token(&store, Role::Viewer, Some(&[&ids[1]])).await;
        let mut seminar = domain::sample::example("seminars");
        seminar["slug"] = "of-theirs".into();
        seminar["project_id"] = "theirs".into();
        let made = hub.write_as(&hub.token, "POST", "/v1/seminars", None, Some(&seminar)).await;
        let one = "/v1/seminars/of-theirs";
        let publish = format!("{one}/publish");
        let public = hub.write("POST", &publish, Some(made.header("etag")), None).await;
        assert_eq!(public.status, 200, "{}", public.text);
        assert_eq!(hub.get_as(&limited, one).await.status, 200);
        for path in [format!("{one}/revisions"), format!("{one}/revisions/1")] {
            let refused = hub.get_as(&limited, &path).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.json()["code"]),
                (403, &json!("other_project"))
            );
            assert_eq!(hub.get_as(&theirs, &path).await.status, 200);
        }
    });
}

#[test]
fn a_record_that_has_changed_its_project_comes_back_only_to_who_may_write_there() {
    on_each_database(async |hub| {
        let store = hub.database.open().await.unwrap();
        let ids = two_projects(&hub).await;
        let limited = token(&store, Role::Editor, Some(&[&ids[0]])).await;
        let mut seminar = domain::sample::example("seminars");
        seminar["slug"] = "moved".into();
        seminar["project_id"] = "theirs".into();
        let all = "/v1/seminars";
        let first = hub.write_as(&hub.token, "POST", all, None, Some(&seminar)).await;
        seminar["project_id"] = "ours".into();
        let one = "/v1/seminars/moved";
        let moved = hub.write("PUT", one, Some(first.header("etag")), Some(&seminar)).await;
        assert_eq!(moved.status, 200, "{}", moved.text);
        let restore = format!("{one}/revisions/1/restore");
        let tag = Some(moved.header("etag"));
        let refused = hub.write_as(&limited, "POST", &restore, tag, None).await;
        assert_eq!(refused.json()["code"], "other_project");
        assert_eq!(hub.write("DELETE", one, tag, None).await.status, 204);
        let refused = hub.write_as(&limited, "POST", &restore, None, None).await;
        assert_eq!(refused.json()["code"], "other_project");
        let own = format!("{one}/revisions/2/restore");
        let back = hub.write_as(&limited, "POST", &own, None, None).await;
        assert_eq!(back.status, 201, "{}", back.text);
    });
}

#[test]
fn a_record_that_comes_back_was_created_when_it_first_was() {
    on_each_database(async |hub| {
        let made = hub.write("POST", "/v1/topics", None, Some(&topic("back", "B"))).await;
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let gone = hub.write("DELETE", "/v1/topics/back", Some(made.header("etag")), None).await;
        assert_eq!(gone.status, 204);
        let back = format!("/v1/topics/{id}/revisions/1/restore");
        let back = hub.write("POST", &back, None, None).await;
        assert_eq!(back.status, 201, "{}", back.text);
        let first = read(&hub, &format!("/v1/topics/{id}/revisions/1")).await.json();
        assert_eq!(back.json()["created_at"], first["at"]);
        assert_ne!(back.json()["created_at"], back.json()["updated_at"]);
        let kept = hub.get_as(&hub.token, &format!("/v1/topics/{id}")).await.json();
        assert_eq!(kept["created_at"], first["at"]);
    });
}
