//! Webhooks: what they are told, that it is told once, and that they reach nobody they should not.
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    harness::{Hub, Reply, client, on_each_database},
    running::{Service, admin, program},
};

/// A request that a receiver got.
struct Told {
    id: String,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn slug(&self) -> Value {
        self.json()["data"]["slug"].clone()
    }
}

/// A receiver of webhooks, as a partner would run it.
struct Receiver {
    url: String,
    told: Arc<Mutex<Vec<Told>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    server: ServerHandle,
}

impl Receiver {
    fn start() -> Self {
        Self::listening(std::net::TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn listening(listener: std::net::TcpListener) -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (all, next) = (told.clone(), answers.clone());
        let server = HttpServer::new(move || {
            let (all, next) = (all.clone(), next.clone());
            let take = move |request: HttpRequest, body: web::Bytes| {
                let (all, next) = (all.clone(), next.clone());
                async move { take(&request, &body, &all, &next) }
            };
            App::new().default_service(web::to(take))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url, told, answers, server: handle }
    }

    fn will_answer(&self, answers: &[u16]) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn count(&self) -> usize {
        self.told.lock().unwrap().len()
    }

    fn slugs(&self) -> Vec<Value> {
        self.told.lock().unwrap().iter().map(Told::slug).collect()
    }

    async fn is_told(&self, count: usize) {
        becomes(&format!("{count} requests"), async || self.count() >= count).await;
    }
}

fn take(
    request: &HttpRequest,
    body: &[u8],
    all: &Mutex<Vec<Told>>,
    next: &Mutex<VecDeque<u16>>,
) -> HttpResponse {
    let mut headers = reqwest::header::HeaderMap::new();
    for (name, value) in request.headers() {
        let name = reqwest::header::HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
        headers.insert(name, value.as_bytes().try_into().unwrap());
    }
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    all.lock().unwrap().push(Told { id, headers, body: body.to_vec() });
    let status = next.lock().unwrap().pop_front().unwrap_or(204);
    let status = actix_web::http::StatusCode::from_u16(status).unwrap();
    HttpResponse::build(status).insert_header(("location", "/elsewhere")).finish()
}

/// Waits for something to become true, and fails when it does not.
async fn becomes(what: &str, mut true_now: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !true_now().await {
        assert!(begun.elapsed() < Duration::from_secs(70), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn new_hook(hub: &Hub, url: &str) -> Value {
    let body = json!({"url": url, "resources": ["topics"]});
    let reply = hub.write("POST", "/v1/webhooks", None, Some(&body)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.header("cache-control"), "no-store");
    reply.json()
}

async fn read(hub: &Hub, path: &str) -> Reply {
    let bearer = format!("Bearer {}", hub.token);
    hub.send("GET", path, &[("authorization", bearer.as_str())], None).await
}

fn path_of(hook: &Value) -> String {
    format!("/v1/webhooks/{}", hook["id"].as_str().unwrap())
}

async fn deliveries(hub: &Hub, hook: &Value) -> Vec<Value> {
    let reply = read(hub, &format!("{}/deliveries?limit=100", path_of(hook))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["items"].as_array().unwrap().clone()
}

/// Waits until the newest delivery stands like that.
async fn newest_is(hub: &Hub, hook: &Value, status: &str) -> Value {
    let stands = async || {
        let all = deliveries(hub, hook).await;
        all.first().is_some_and(|delivery| delivery["status"] == status)
    };
    becomes(status, stands).await;
    deliveries(hub, hook).await[0].clone()
}

async fn new_topic(hub: &Hub, code: &str) {
    let topic = json!({"code": code, "scheme": "own", "label": {"en": code}});
    assert_eq!(hub.write("POST", "/v1/topics", None, Some(&topic)).await.status, 201);
}

#[test]
fn what_is_told_after_a_webhook_has_moved_goes_to_its_new_address() {
    on_each_database(async |hub| {
        let old = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = new_hook(&hub, &format!("http://{}/hook", old.local_addr().unwrap())).await;
        for code in ["one", "two"] {
            new_topic(&hub, code).await;
        }
        let (mut waiting, _) = old.accept().await.unwrap();
        assert!(waiting.read(&mut [0; 4096]).await.unwrap() > 0, "the first is being told");
        let new = Receiver::start();
        let path = path_of(&hook);
        let tag = read(&hub, &path).await.header("etag").to_owned();
        let moved = hub.write("PATCH", &path, Some(&tag), Some(&json!({"url": new.url}))).await;
        assert_eq!(moved.status, 200, "{}", moved.text);
        waiting.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        new.is_told(1).await;
        assert_eq!(new.slugs(), ["two"]);
        new.server.stop(false).await;
    });
}

#[test]
fn a_webhook_is_told_of_each_change_once_in_a_way_that_its_holder_can_verify() {
    on_each_database(async |hub| {
        let receiver = Receiver::start();
        let hook = new_hook(&hub, &receiver.url).await;
        let mut other = domain::sample::example("organisations");
        other["slug"] = "not-asked-for".into();
        assert_eq!(hub.write("POST", "/v1/organisations", None, Some(&other)).await.status, 201);
        for code in ["one", "two", "three"] {
            new_topic(&hub, code).await;
        }
        receiver.is_told(3).await;
        newest_is(&hub, &hook, "delivered").await;
        assert_eq!(receiver.slugs(), ["one", "two", "three"]);

        // The clock of the service is told in tests: the library that judges goes by its own.
        let verifier = Webhook::new(hook["secret"].as_str().unwrap()).unwrap();
        let feed = hub.get("/v1/changes?limit=100&resource=topics").await.json();
        for told in receiver.told.lock().unwrap().iter() {
            let signed = verifier
                .sign(
                    &told.id,
                    told.headers["webhook-timestamp"].to_str().unwrap().parse().unwrap(),
                    &told.body,
                )
                .unwrap();
            assert_eq!(told.headers["webhook-signature"], signed);
            assert_eq!(told.headers["content-type"], "application/json");
            let body = told.json();
            assert_eq!(body["type"], "topics.created");
            assert_eq!(body["timestamp"], body["data"]["at"]);
            assert!(feed["items"].as_array().unwrap().contains(&body["data"]), "{body}");
        }
        let log = deliveries(&hub, &hook).await;
        assert_eq!(log.len(), 3);
        for delivery in log {
            assert_eq!(
                json!([delivery["attempts"], delivery["last_status"], delivery["next_attempt_at"]]),
                json!([1, 204, null])
            );
        }
        receiver.server.stop(false).await;
    });
}

#[test]
fn what_is_not_taken_is_tried_again_and_410_switches_the_webhook_off() {
    on_each_database(async |hub| {
        let receiver = Receiver::start();
        receiver.will_answer(&[500, 302]);
        let hook = new_hook(&hub, &receiver.url).await;
        new_topic(&hub, "again").await;
        receiver.is_told(3).await;
        let delivery = newest_is(&hub, &hook, "delivered").await;
        assert_eq!(json!([delivery["attempts"], delivery["last_status"]]), json!([3, 204]));
        let told =
            receiver.told.lock().unwrap().iter().map(|told| told.id.clone()).collect::<Vec<_>>();
        assert_eq!(told, vec![delivery["id"].as_str().unwrap(); 3]);

        receiver.will_answer(&[410]);
        new_topic(&hub, "gone").await;
        let delivery = newest_is(&hub, &hook, "failed").await;
        assert_eq!(
            json!([delivery["last_status"], delivery["next_attempt_at"]]),
            json!([410, null])
        );
        let path = path_of(&hook);
        let off = read(&hub, &path).await;
        assert_eq!(json!([off.json()["enabled"], off.json()["revision"]]), json!([false, 2]));
        let ping = hub.write("POST", &format!("{path}/ping"), None, None).await;
        assert_eq!(json!([ping.status.as_u16(), ping.json()["code"]]), json!([409, "webhook_off"]));

        new_topic(&hub, "missed").await;
        let on = json!({"enabled": true});
        let stale = hub.write("PATCH", &path, Some("\"1\""), Some(&on)).await;
        assert_eq!(stale.status, 412, "{}", stale.text);
        let on = hub.write("PATCH", &path, Some(off.header("etag")), Some(&on)).await;
        assert_eq!(json!([on.status.as_u16(), on.json()["enabled"]]), json!([200, true]));
        // What its address was gone for is told along with what came after.
        receiver.is_told(6).await;
        let told = receiver.slugs();
        assert!(["gone", "missed"].iter().all(|slug| told[4..].contains(&json!(slug))), "{told:?}");
        receiver.server.stop(false).await;
    });
}

#[test]
fn a_webhook_is_tried_by_a_ping_and_a_delivery_is_made_again_when_asked() {
    on_each_database(async |hub| {
        let receiver = Receiver::start();
        let hook = new_hook(&hub, &receiver.url).await;
        let path = path_of(&hook);
        let ping = hub.write("POST", &format!("{path}/ping"), None, None).await;
        assert_eq!(ping.status, 202, "{}", ping.text);
        receiver.is_told(1).await;
        let body = receiver.told.lock().unwrap()[0].json();
        assert_eq!(json!([body["type"], body["data"]]), json!(["ping", {}]));
        let delivery = newest_is(&hub, &hook, "delivered").await;

        let id = delivery["id"].as_str().unwrap();
        let replay = format!("{path}/deliveries/{id}/replay");
        assert_eq!(hub.write("POST", &replay, None, None).await.status, 202);
        receiver.is_told(2).await;
        newest_is(&hub, &hook, "delivered").await;
        assert!(receiver.told.lock().unwrap().iter().all(|told| told.id == id));

        let nobody = format!("{path}/deliveries/01931f6e-6c00-7000-8000-000000000009/replay");
        let nobody = hub.write("POST", &nobody, None, None).await;
        assert_eq!(nobody.status, 404);
        assert_eq!(nobody.json()["detail"], "None of the deliveries has that id.");
        assert_eq!(hub.get(&path).await.status, 401);
        let shown = read(&hub, &path).await;
        assert!(!shown.text.contains("whsec_"), "{}", shown.text);
        let listed = read(&hub, "/v1/webhooks").await.json();
        assert_eq!(listed["items"], json!([shown.json()]));
        let gone = hub.write("DELETE", &path, Some(shown.header("etag")), None).await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        assert_eq!(read(&hub, &path).await.status, 404);
        assert_eq!(read(&hub, &format!("{path}/deliveries")).await.status, 404);
        receiver.server.stop(false).await;
    });
}

#[test]
fn deliveries_are_listed_a_page_at_a_time_the_newest_first() {
    on_each_database(async |hub| {
        let receiver = Receiver::start();
        let hook = new_hook(&hub, &receiver.url).await;
        for number in 0..5 {
            new_topic(&hub, &format!("topic-{number}")).await;
        }
        receiver.is_told(5).await;
        let all: Vec<_> =
            deliveries(&hub, &hook).await.iter().map(|one| one["id"].clone()).collect();
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{}/deliveries?limit=2{cursor}", path_of(&hook));
            let page = read(&hub, &path).await.json();
            paged.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, all);
        assert_eq!(paged.len(), 5);
        let other = new_hook(&hub, &receiver.url).await;
        let path = format!("{}/deliveries?limit=2{cursor}", path_of(&other));
        assert_eq!(read(&hub, &path).await.json()["code"], "invalid_cursor");
        receiver.server.stop(false).await;
    });
}

#[test]
fn what_cannot_be_a_webhook_is_refused() {
    on_each_database(async |hub| {
        for (body, place, code) in [
            (json!({"url": "ftp://example.org"}), "/url", "invalid_value"),
            (json!({"url": "http://me:secret@example.org"}), "/url", "invalid_value"),
            (
                json!({"url": "https://example.org", "resources": ["feasts"]}),
                "/resources/0",
                "unknown_value",
            ),
            (json!({"url": "https://example.org", "secret": "mine"}), "/secret", "unknown_field"),
            (json!({}), "/url", "missing_field"),
        ] {
            let reply = hub.write("POST", "/v1/webhooks", None, Some(&body)).await;
            assert_eq!(reply.faults(), [(place.to_owned(), code.to_owned())], "{}", reply.text);
        }
        let hook = new_hook(&hub, "https://example.org/").await;
        let path = path_of(&hook);
        assert_eq!(hub.write("PATCH", &path, None, Some(&json!({}))).await.status, 428);
        let query = format!("{path}/deliveries?with_total=true");
        assert_eq!(read(&hub, &query).await.faults()[0].1, "unknown_parameter");
    });
}

/// A process of the service with a token, and what is asked of it.
struct Process {
    service: Service,
    token: String,
}

impl Process {
    fn start(folder: &TempDir, to_private: &str, token: Option<String>) -> Self {
        let token = token.unwrap_or_else(|| admin(folder.path(), &[]));
        let mut program = program(folder.path());
        program.env("CAPACITY_HUB_WEBHOOKS_TO_PRIVATE", to_private);
        Self { service: Service::run(program), token }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("http://{}{path}", self.service.at);
        let request = client().request(method, url).bearer_auth(&self.token);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn new_hook(&self, url: &str) -> (u16, Value) {
        self.ask("POST", "/v1/webhooks", Some(json!({"url": url}))).await
    }

    async fn new_topic(&self, code: &str) {
        let topic = json!({"code": code, "scheme": "own", "label": {"en": code}});
        assert_eq!(self.ask("POST", "/v1/topics?publish=true", Some(topic)).await.0, 201);
    }

    async fn newest_delivery(&self, hook: &Value) -> Value {
        let path = format!("{}/deliveries", path_of(hook));
        self.ask("GET", &path, None).await.1["items"][0].clone()
    }
}

#[test]
fn what_was_written_before_a_crash_is_delivered_once_after_it_also_by_two_instances() {
    let folder = TempDir::new().unwrap();
    actix_web::rt::System::new().block_on(async {
        // Nobody listens there until the service has crashed.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        drop(listener);
        let mut first = Process::start(&folder, "yes", None);
        let (status, hook) = first.new_hook(&format!("http://{at}/hook")).await;
        assert_eq!(status, 201, "{hook}");
        first.new_topic("survivor").await;
        becomes("an attempt", async || {
            first.newest_delivery(&hook).await["last_error"] == "not_reached"
        })
        .await;
        // The second is killed on the heels of its commit.
        first.new_topic("heir").await;
        first.service.process.kill().unwrap();
        first.service.process.wait().unwrap();

        let receiver = Receiver::listening(std::net::TcpListener::bind(at).unwrap());
        let again = Process::start(&folder, "yes", Some(first.token.clone()));
        let beside = Process::start(&folder, "yes", Some(first.token.clone()));
        receiver.is_told(2).await;
        for number in 0..30 {
            let one = if number % 2 == 0 { &again } else { &beside };
            one.new_topic(&format!("many-{number}")).await;
        }
        receiver.is_told(32).await;
        becomes("all delivered", async || {
            let path = format!("{}/deliveries?limit=100", path_of(&hook));
            let (_, page) = again.ask("GET", &path, None).await;
            let items = page["items"].as_array().unwrap();
            items.len() == 32 && items.iter().all(|one| one["status"] == "delivered")
        })
        .await;
        let mut slugs: Vec<_> = receiver.slugs().iter().map(ToString::to_string).collect();
        assert_eq!(slugs.len(), 32, "{slugs:?}");
        slugs.sort();
        slugs.dedup();
        assert_eq!(slugs.len(), 32, "each once");

        // The clock of these processes is the real one, so the library judges all of it.
        let verifier = Webhook::new(hook["secret"].as_str().unwrap()).unwrap();
        for told in receiver.told.lock().unwrap().iter() {
            verifier.verify(&told.body, &told.headers).unwrap();
            let mut forged = told.body.clone();
            forged.push(b' ');
            assert!(verifier.verify(&forged, &told.headers).is_err());
        }
        receiver.server.stop(false).await;
    });
}

#[test]
fn a_webhook_reaches_no_private_address_whatever_its_name() {
    let folder = TempDir::new().unwrap();
    actix_web::rt::System::new().block_on(async {
        let receiver = Receiver::start();
        let port = receiver.url.rsplit(':').next().unwrap();
        let process = Process::start(&folder, "no", None);
        for host in ["127.0.0.1", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "10.0.0.1"]
        {
            let (status, refused) = process.new_hook(&format!("http://{host}:{port}")).await;
            assert_eq!(status, 422, "{host}");
            assert_eq!(refused["errors"][0]["code"], "private_address");
        }
        // A name that the machine itself has: only whoever resolves it can tell.
        let name = std::fs::read_to_string("/etc/hostname").unwrap();
        let (status, hook) = process.new_hook(&format!("http://{}:{port}", name.trim())).await;
        assert_eq!(status, 201, "{hook}");
        process.new_topic("secret").await;
        becomes("refused", async || {
            process.newest_delivery(&hook).await["last_error"] == "private_address"
        })
        .await;
        assert_eq!(receiver.count(), 0);
        receiver.server.stop(false).await;
    });
}
