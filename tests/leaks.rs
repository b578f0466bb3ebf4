//! What is not public is found nowhere by the public: records by chance, in states by chance, and
//! every address that the contract has.
use std::{
    collections::BTreeSet,
    io::{Cursor, Read},
    time::Duration,
};

use calamine::Reader;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Hub, on_each_database};

const PROJECT: &str = "governance-innovation-and-digitalisation";
/// The collections that records are made of, in an order in which they can refer to each other.
const COLLECTIONS: [&str; 11] = [
    "topics",
    "organisations",
    "people",
    "documents",
    "seminar-series",
    "seminars",
    "sessions",
    "initiatives",
    "presentations",
    "statements",
    "study-visits",
];
/// How many records of each there are.
const OF_EACH: usize = 6;
/// How many hidden records each filter is tried with.
const MOST: usize = 4;

/// A record, and what it is known by.
struct Made {
    collection: &'static str,
    id: String,
    slug: String,
    /// A word in its texts.
    word: String,
    published: bool,
    /// Whether it once was public: the feed says that it is so no more.
    was: bool,
}

/// Twelve letters that are nowhere else.
fn word(random: &mut StdRng) -> String {
    (0..12).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect()
}

/// One of those that were made of that collection, if there are any.
fn one(random: &mut StdRng, made: &[Made], collection: &str) -> Option<String> {
    // Mostly the public ones: nothing could be published otherwise.
    among(random, made, collection, 0.05)
}

/// The same, with those that are hidden among them that often.
fn among(random: &mut StdRng, made: &[Made], collection: &str, often: f64) -> Option<String> {
    let hidden = random.random_bool(often);
    let fits = |one: &&Made| one.collection == collection && (hidden || one.published);
    let of: Vec<_> = made.iter().filter(fits).collect();
    (!of.is_empty()).then(|| of[random.random_range(0..of.len())].slug.clone())
}

/// One of the seminars: that of the sample where none were made.
fn seminar(random: &mut StdRng, made: &[Made]) -> String {
    one(random, made, "seminars").unwrap_or_else(|| "first-seminar-2021".to_owned())
}

fn body(random: &mut StdRng, made: &[Made], collection: &str, slug: &str, word: &str) -> Value {
    let text = json!({"en": word, "ru": format!("{word} ы")});
    let mut some = |collection: &str| one(random, made, collection);
    let topics: Vec<_> = some("topics").into_iter().collect();
    match collection {
        "topics" => {
            json!({"code": slug, "scheme": "own", "label": text, "parent_id": some("topics")})
        }
        "organisations" => {
            json!({"slug": slug, "name": text, "acronym": word, "kind": "government",
            "country": "KZ", "parent_id": some("organisations")})
        }
        "people" => {
            let at =
                some("organisations").map(|at| json!({"organisation_id": at, "position": text}));
            let at: Vec<_> = at.into_iter().collect();
            json!({"slug": slug, "name": word, "native_name": word, "appointments": at})
        }
        "documents" => {
            let by = some("organisations");
            let about = among(random, made, "people", 0.7)
                .map(|id| json!({"resource": "people", "id": id}));
            json!({"slug": slug, "title": text, "kind": "report", "url": format!("https://example.org/{word}"),
                "publisher_id": by, "subject": about})
        }
        "seminar-series" => json!({"slug": slug, "name": text, "project_id": PROJECT}),
        "seminars" => {
            let by: Vec<_> = some("organisations")
                .into_iter()
                .map(|id| json!({"organisation_id": id, "role": "organiser"}))
                .collect();
            json!({"slug": slug, "project_id": PROJECT, "series_id": some("seminar-series"), "kind": "seminar",
                "title": text, "theme": text, "status": "held", "starts_on": "2022-03-01", "ends_on": "2022-03-02",
                "organisers": by, "topics": topics, "countries": [{"country": "KZ", "role": "participating"}]})
        }
        "sessions" => {
            let day = random.random_range(1..3);
            let order = random.random_range(1..1000);
            json!({"slug": slug, "seminar_id": seminar(random, made), "day": day, "order": order,
                "kind": "presentations", "title": text, "topics": topics})
        }
        "initiatives" => {
            let mut initiative = domain::sample::example("initiatives");
            initiative["slug"] = slug.into();
            initiative["name"] = text;
            initiative["topics"] = json!(topics);
            initiative
        }
        "presentations" => {
            let speakers: Vec<_> = some("people")
                .into_iter()
                .map(|id| {
                    json!({"person_id": id, "role": "presenter",
                "organisation_id": some("organisations"), "country": "KZ", "position": text})
                })
                .collect();
            let material: Vec<_> = some("documents").into_iter().collect();
            let initiatives: Vec<_> = some("initiatives").into_iter().collect();
            let seminar = seminar(random, made);
            json!({"slug": slug, "seminar_id": seminar, "order": random.random_range(1..1000), "title": text,
                "abstract": text, "speakers": speakers, "topics": topics, "material_ids": material,
                "initiative_ids": initiatives})
        }
        "statements" => {
            let mut statement = domain::sample::example("statements");
            statement["slug"] = slug.into();
            statement["text"] = text;
            statement["seminar_id"] = seminar(random, made).into();
            statement["presentation_id"] = Value::Null;
            statement["topics"] = json!(topics);
            statement
        }
        _ => {
            json!({"slug": slug, "project_id": PROJECT, "title": text, "host_country": "KZ", "status": "held",
            "starts_on": "2022-03-01", "ends_on": "2022-03-02", "topics": topics})
        }
    }
}

/// What there is, and what nobody is to find.
struct World {
    made: Vec<Made>,
    /// Words that are in no public record: of drafts, of proposals, of what was corrected.
    hidden: BTreeSet<String>,
    /// Names and ids that only the feed may tell, and calendars the ids, of what was public once.
    gone: BTreeSet<String>,
}

/// Makes records by chance, and takes them to states by chance.
async fn make(hub: &Hub, random: &mut StdRng) -> World {
    let editor = hub.token("editor", &[]).await;
    let mut world = World { made: Vec::new(), hidden: BTreeSet::new(), gone: BTreeSet::new() };
    for collection in COLLECTIONS {
        for _ in 0..OF_EACH {
            let (slug, text) = (word(random), word(random));
            let mut body = body(random, &world.made, collection, &slug, &text);
            // What is not known is left out.
            body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            let all = format!("/v1/{collection}");
            let reply = hub.write_as(&hub.token, "POST", &all, None, Some(&body)).await;
            assert_eq!(reply.status, 201, "{collection}: {} {body}", reply.text);
            let id = reply.json()["id"].as_str().unwrap().to_owned();
            let at = format!("{all}/{id}");
            let mut one = Made { collection, id, slug, word: text, published: false, was: false };
            let steps: &[&str] = match random.random_range(0..10) {
                0 => &[],
                1 => &["submit"],
                2 => &["publish", "withdraw"],
                3 => &["publish", "withdraw", "reopen"],
                _ => &["publish"],
            };
            let mut tag = reply.header("etag").to_owned();
            for step in steps {
                let at = format!("{at}/{step}");
                let reply = hub.write_as(&hub.token, "POST", &at, Some(&tag), None).await;
                if reply.status != StatusCode::OK {
                    let allowed = [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::CONFLICT];
                    assert!(allowed.contains(&reply.status), "{}", reply.text);
                    break;
                }
                reply.header("etag").clone_into(&mut tag);
                one.published = reply.json()["state"] == "published";
                one.was |= one.published;
            }
            let text = match collection {
                "topics" => "label",
                "people" => "native_name",
                "documents" | "seminars" | "sessions" | "presentations" | "study-visits" => "title",
                "statements" => "text",
                _ => "name",
            };
            let with = |word: &str| {
                let plain = text == "native_name";
                json!({text: if plain { json!(word) } else { json!({"en": word}) }})
            };
            if one.published && random.random_bool(0.3) {
                // For a while it says what it ought not to.
                for told in [&word(random), &one.word] {
                    let change = with(told);
                    let reply = hub.write("PATCH", &at, Some(&tag), Some(&change)).await;
                    assert_eq!(reply.status, 200, "{}", reply.text);
                    reply.header("etag").clone_into(&mut tag);
                    if *told != one.word {
                        world.hidden.insert(told.clone());
                    }
                }
            }
            if one.published && random.random_bool(0.3) {
                let told = word(random);
                let change = with(&told);
                let reply = hub.write_as(&editor, "PATCH", &at, Some(&tag), Some(&change)).await;
                assert_eq!(reply.status, 202, "{}", reply.text);
                world.hidden.insert(told);
            }
            world.made.push(one);
        }
    }
    for one in world.made.iter().filter(|one| !one.published) {
        world.hidden.insert(one.word.clone());
        let names = if one.was { &mut world.gone } else { &mut world.hidden };
        names.extend([one.slug.clone(), one.id.clone()]);
    }
    world
}

/// What the public is answered.
async fn ask(hub: &Hub, path: &str) -> (StatusCode, String) {
    told(hub, None, path).await
}

/// What is answered to that token, as text: files are taken apart.
pub(crate) async fn told(hub: &Hub, token: Option<&str>, path: &str) -> (StatusCode, String) {
    let mut request = hub.client.get(format!("{}{path}", hub.url));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let mut response = request.send().await.unwrap();
    let status = response.status();
    // In their order by name, which is by chance.
    let mut headers: Vec<_> = response
        .headers()
        .iter()
        .filter(|(name, _)| !["x-request-id", "date", "etag"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or_default()))
        .collect();
    headers.sort_unstable();
    let mut text = headers.concat();
    let kind = response.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap());
    if kind == "text/event-stream" {
        // It never ends: what there is comes at once.
        let quiet = Duration::from_millis(400);
        while let Ok(Ok(Some(part))) = tokio::time::timeout(quiet, response.chunk()).await {
            text += &String::from_utf8_lossy(&part);
        }
        return (status, text);
    }
    let (zipped, sheet) = (kind == "application/zip", kind.contains("spreadsheet"));
    let bytes = response.bytes().await.unwrap().to_vec();
    if zipped || sheet {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes.clone())).unwrap();
        for at in 0..archive.len() {
            let mut file = archive.by_index(at).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            text += &String::from_utf8_lossy(&content);
        }
    } else {
        let body = String::from_utf8(bytes.clone()).unwrap();
        // Which request it was is told by the problem as well.
        let instance = body.find("\"instance\":\"urn:uuid:").map(|at| at + 21);
        let (before, after) = match instance {
            Some(at) => (&body[..at], &body[at + 36..]),
            None => (&*body, ""),
        };
        text.extend([before, after]);
    }
    if sheet {
        let mut book: calamine::Xlsx<_> =
            calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        let name = book.sheet_names()[0].clone();
        assert!(book.worksheet_range(&name).unwrap().height() > 0);
    }
    (status, text)
}

/// Asks, and finds nothing that is hidden.
struct Asking<'a> {
    hub: &'a Hub,
    world: &'a World,
    asked: usize,
}

impl Asking<'_> {
    async fn nothing_at(&mut self, path: &str) {
        let (status, text) = ask(self.hub, path).await;
        self.judge(path, status, &text, None);
    }

    /// Who names what is hidden is answered as if it had never been.
    async fn nothing_of(&mut self, pattern: &str, hidden: &str) {
        let never: String =
            hidden.chars().map(|letter| if letter == '-' { '-' } else { 'e' }).collect();
        let (status, text) = ask(self.hub, &pattern.replace("{}", hidden)).await;
        // Its own calendar says that it is off, and nothing else of it.
        let off = pattern.ends_with("{}.ics")
            && status == StatusCode::OK
            && self.world.gone.contains(hidden);
        if !pattern.contains("xlsx") && !off {
            let (expected, other) = ask(self.hub, &pattern.replace("{}", &never)).await;
            let without = |text: &str, key: &str| unnamed(pattern, text).replace(key, "{}");
            assert_eq!(status, expected, "{pattern} with {hidden}");
            let (text, other) = (without(&text, hidden), without(&other, &never));
            assert_eq!(text, other, "{pattern} with {hidden}");
        }
        self.judge(&pattern.replace("{}", hidden), status, &text, Some(hidden));
    }

    fn judge(&mut self, path: &str, status: StatusCode, text: &str, named: Option<&str>) {
        assert!(!status.is_server_error(), "{path}: {text}");
        self.asked += 1;
        let feed = path.starts_with("/v1/changes");
        let known = unnamed(path, text);
        let hidden = self.world.hidden.iter().map(|hidden| (hidden, text));
        let gone = self.world.gone.iter().filter(|_| !feed).map(|gone| (gone, &*known));
        for (hidden, text) in hidden.chain(gone) {
            if named != Some(hidden) {
                assert!(!text.contains(hidden.as_str()), "{path} tells {hidden}: {text}");
            }
        }
    }
}

/// What is told, but for the names that calendars know events by: of what is gone they tell that
/// it is.
fn unnamed(path: &str, text: &str) -> String {
    if !path.contains(".ics") {
        return text.to_owned();
    }
    let lines = text.split("\r\n").filter(|line| !line.starts_with("UID:"));
    lines.collect::<Vec<_>>().join("\r\n")
}

/// The parameters of an operation that stand in its query.
fn query(operation: &Value, contract: &Value) -> Vec<Value> {
    let all = operation["parameters"].as_array().cloned().unwrap_or_default();
    let whole = |parameter: Value| match parameter["$ref"].as_str() {
        Some(place) => contract.pointer(&place[1..]).unwrap().clone(),
        None => parameter,
    };
    all.into_iter().map(whole).filter(|parameter| parameter["in"] == "query").collect()
}

fn names(parameter: &Value) -> Vec<&str> {
    let names = parameter["schema"]["items"]["enum"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

#[test]
fn the_public_finds_nothing_that_is_hidden_at_any_address_and_a_viewer_finds_it() {
    let seed = std::env::var("HUB_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| rand::rng().random());
    eprintln!("HUB_TEST_SEED={seed}");
    on_each_database(async |hub| {
        let mut random = StdRng::seed_from_u64(seed);
        let world = make(&hub, &mut random).await;
        let hidden = world.made.iter().filter(|one| !one.published).count();
        eprintln!("{hidden} of {} records are hidden", world.made.len());
        assert!(hidden > 0 && hidden < world.made.len());
        let contract = hub.get("/openapi.json").await.json();
        let mut asking = Asking { hub: &hub, world: &world, asked: 0 };
        for (path, item) in contract["paths"].as_object().unwrap() {
            let operation = &item["get"];
            if operation.is_object() {
                address(&mut asking, &contract, path, operation).await;
            }
        }
        for word in world.hidden.iter().chain(&world.gone) {
            asking.nothing_of("/v1/search?q={}", word).await;
            asking.nothing_of("/v1/search?with_total=true&q={}", &word[..5]).await;
        }
        eprintln!("{} answers were looked through", asking.asked);
        found(&hub, &world).await;
    });
}

/// Asks one address in every way that the contract tells.
async fn address(asking: &mut Asking<'_>, contract: &Value, path: &str, operation: &Value) {
    let world = asking.world;
    let collection = path.split(['/', '.']).nth(2).unwrap_or_default();
    let mut forms = vec![path.to_owned()];
    if path.contains("{format}") {
        forms = ["csv", "ndjson", "xlsx"].map(|form| path.replace("{format}", form)).into();
    }
    let code = if path.starts_with("/problems/") { "not_found" } else { "KZ" };
    let of = || world.made.iter().filter(|one| one.collection == collection);
    let query = query(operation, contract);
    for form in forms {
        let form = form.replace("{code}", code).replace("{delivery}", "x");
        if form.contains("{id}") {
            for one in of() {
                for key in [&one.id, &one.slug] {
                    if one.published {
                        asking.nothing_at(&form.replace("{id}", key)).await;
                    } else {
                        asking.nothing_of(&form.replace("{id}", "{}"), key).await;
                    }
                }
            }
            let none = "01931f6e-6c00-7000-8000-00000000dead";
            asking.nothing_at(&form.replace("{id}", none)).await;
        }
        // What there is below each public record, asked in the ways of a list.
        let lists: Vec<String> = if form.contains("{id}") {
            of().filter(|one| one.published).map(|one| form.replace("{id}", &one.id)).collect()
        } else {
            vec![form]
        };
        for list in lists.iter().take(2) {
            asking.nothing_at(list).await;
            for parameter in &query {
                let name = parameter["name"].as_str().unwrap();
                match name {
                    "include" | "facets" => {
                        for some in names(parameter).chunks(5) {
                            let some = some.join(",");
                            let path = format!("{list}?limit=100&{name}={some}");
                            asking.nothing_at(&path).await;
                        }
                    }
                    "limit" => asking.nothing_at(&format!("{list}?limit=100")).await,
                    "with_total" => {
                        asking.nothing_of(&format!("{list}?with_total=true&q={{}}"), "zzzzz").await;
                    }
                    "q" => {
                        for word in of().filter(|one| !one.published).map(|one| &one.word) {
                            asking.nothing_of(&format!("{list}?q={{}}"), word).await;
                        }
                        for word in world.hidden.iter().take(MOST) {
                            asking.nothing_at(&format!("{list}?q={}", &word[..4])).await;
                        }
                    }
                    "cursor" | "after" | "lang" | "bom" | "fields" | "resource" => {}
                    "sort" => {
                        for sort in names(parameter) {
                            asking.nothing_at(&format!("{list}?sort={sort}")).await;
                        }
                    }
                    _ => {
                        let hidden: Vec<_> =
                            world.made.iter().filter(|one| !one.published).collect();
                        // Others for each filter, so that in the end all were tried.
                        for turn in 0..MOST {
                            let one = hidden[(asking.asked + turn) % hidden.len()];
                            let key = if turn % 2 == 0 { &one.slug } else { &one.id };
                            asking.nothing_of(&format!("{list}?{name}={{}}"), key).await;
                        }
                    }
                }
            }
        }
    }
}

/// A viewer finds what the public does not.
async fn found(hub: &Hub, world: &World) {
    let viewer = hub.token("viewer", &[]).await;
    for one in world.made.iter().filter(|one| !one.published) {
        let all = format!("/v1/{}", one.collection);
        for path in [
            format!("{all}?q={}", one.word),
            format!("{all}?limit=100"),
            format!("{all}.ndjson"),
            format!("{all}/{}", one.slug),
            format!("/v1/search?q={}", one.word),
        ] {
            let reply = hub.get_as(&viewer, &path).await;
            assert!(reply.text.contains(&one.id), "{path}: {}", reply.text);
            assert!(hub.get(&path).await.text != reply.text);
        }
    }
}
