//! The service as a process: how it starts, what it says, how it stops, and what it does while its
//! database is away.
use std::{
    io::{BufRead, BufReader, Lines, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

use command_fds::{CommandFdExt, FdMapping};
use persistence::Database;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{databases, empty_database, on_each_database};

const PROGRAM: &str = env!("CARGO_BIN_EXE_capacity-hub");

pub(crate) fn program(folder: &Path) -> Command {
    let mut program = Command::new(PROGRAM);
    program.env_clear().env("CAPACITY_HUB_DATA", folder.join("data"));
    program.env("CAPACITY_HUB_LISTEN", "127.0.0.1:0").env("CAPACITY_HUB_LOG", "warn");
    program
}

/// What a command says, where it ends by itself.
pub(crate) fn said(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let settings = settings.iter().copied();
    program(folder).args(arguments).envs(settings).output().expect("the program runs")
}

/// A running service, ended with its test.
pub(crate) struct Service {
    pub(crate) process: Child,
    pub(crate) at: String,
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Service {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::run(program(folder))
    }

    pub(crate) fn run(mut program: Command) -> Self {
        let mut process = program.stdout(Stdio::piped()).spawn().expect("the program runs");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let at = lines.find_map(|line| {
            let line = line.expect("text");
            Some(line.split_once("http://")?.1.split_once("/v1/")?.0.to_owned())
        });
        Self { process, at: at.expect("it says where the API is"), _lines: lines }
    }

    /// Sends the rest of a request, and gives the answer.
    fn finish(mut connection: TcpStream, rest: &[u8]) -> String {
        connection.write_all(rest).expect("sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn get(&self, path: &str) -> String {
        let connection = TcpStream::connect(&self.at).expect("a connection");
        let head = format!("GET {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n");
        Self::finish(connection, head.as_bytes())
    }

    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits for something to become true, and fails when it does not.
fn becomes(what: &str, mut true_now: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !true_now() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_fresh_start_holds_the_first_seminar_and_a_second_start_keeps_it() {
    let folder = TempDir::new().unwrap();
    for _ in 0..2 {
        let service = Service::start(folder.path());
        let answer = service.get("/v1/presentations?with_total=true&limit=1");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("\"total\":10"), "{answer}");
    }
}

#[test]
fn a_service_that_is_told_to_end_says_so_before_it_does() {
    let folder = TempDir::new().unwrap();
    let mut program = program(folder.path());
    program.env("CAPACITY_HUB_DRAIN", "2");
    let mut service = Service::run(program);
    assert!(service.get("/health/ready").starts_with("HTTP/1.1 200"));
    service.terminate();
    becomes("it is not ready", || service.get("/health/ready").starts_with("HTTP/1.1 503"));
    // Who does not know yet is served all the same, and asked not to keep the connection.
    let mut connection = TcpStream::connect(&service.at).unwrap();
    connection.write_all(b"GET /v1/seminars HTTP/1.1\r\nhost: hub\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("connection: close"), "{head}");
    assert!(service.process.wait().unwrap().success());
}

#[test]
fn who_comes_between_two_runs_at_a_socket_that_stays_is_answered_by_the_second() {
    let folder = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let start = || {
        // As systemd does: the socket is the third, and which process is meant is told by its number.
        let mut program = program(folder.path());
        let mut shell = Command::new("sh");
        shell.args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\"", PROGRAM]).env_clear();
        shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let socket = FdMapping { parent_fd: listener.try_clone().unwrap().into(), child_fd: 3 };
        program = shell;
        program.fd_mappings(vec![socket]).unwrap();
        Service::run(program)
    };
    let mut first = start();
    assert_eq!(first.at, at);
    assert!(first.get("/v1/seminars").starts_with("HTTP/1.1 200"));
    first.terminate();
    assert!(first.process.wait().unwrap().success());

    let between = TcpStream::connect(&at).unwrap();
    let _second = start();
    let asked = b"GET /v1/seminars HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n";
    assert!(Service::finish(between, asked).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_stop_lets_requests_in_flight_finish() {
    let folder = TempDir::new().unwrap();
    let mut service = Service::start(folder.path());
    let made = said(folder.path(), &["token", "create", "--role", "admin"], &[]);
    let made = String::from_utf8(made.stdout).unwrap();
    let token = made.lines().last().unwrap();

    let body =
        json!({"code": "in-flight", "scheme": "own", "label": {"en": "In flight"}}).to_string();
    let mut connection = TcpStream::connect(&service.at).unwrap();
    let head = format!(
        "POST /v1/topics?publish=true HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    // The service asks for the body, so the request is in the handler.
    let mut asked = [0; 25];
    connection.read_exact(&mut asked).unwrap();
    assert!(asked.starts_with(b"HTTP/1.1 100"));
    service.terminate();
    becomes("the listener is closed", || TcpStream::connect(&service.at).is_err());
    let answer = Service::finish(connection, body.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(service.process.wait().unwrap().success());

    let service = Service::start(folder.path());
    assert!(service.get("/v1/topics/in-flight").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_stop_on_the_heels_of_the_start_is_not_missed() {
    let folder = TempDir::new().unwrap();
    for _ in 0..3 {
        let mut service = Service::start(folder.path());
        let begun = Instant::now();
        service.terminate();
        assert!(service.process.wait().unwrap().success());
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}

#[test]
fn a_token_is_the_last_line_and_is_kept_as_a_digest() {
    let folder = TempDir::new().unwrap();
    let made = said(folder.path(), &["token", "create", "--role", "admin"], &[]);
    assert!(made.status.success());
    let made = String::from_utf8(made.stdout).unwrap();
    let token = made.lines().last().unwrap();
    let secret = token.strip_prefix("hub_").unwrap().split_once('_').unwrap().1;
    assert_eq!(secret.len(), 43, "256 bits");
    let kept = std::fs::read(folder.path().join("data/capacity-hub.sqlite")).unwrap();
    let holds = |text: &str| kept.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!holds(secret));
    assert!(
        said(folder.path(), &["token", "create", "--role", "king"], &[]).status.code() == Some(2)
    );
}

#[test]
fn a_wrong_setting_is_said_and_nothing_starts() {
    let folder = TempDir::new().unwrap();
    let wrong = [
        ("DATABASE_URL", "mysql://hub"),
        ("CAPACITY_HUB_LISTEN", "nowhere"),
        ("CAPACITY_HUB_GRACE", "soon"),
        ("CAPACITY_HUB_SAMPLE", "maybe"),
        ("CAPACITY_HUB_LOG", "api=loud"),
        ("CAPACITY_HUB_CONNECTIONS", "0"),
        ("CAPACITY_HUB_SECURITY_CONTACT", "somebody"),
    ];
    for (name, value) in wrong {
        let said = said(folder.path(), &["serve"], &[(name, value)]);
        let text = String::from_utf8(said.stderr).unwrap();
        assert_eq!(said.status.code(), Some(2), "{name}: {text}");
        assert!(text.contains(name) && text.contains(value), "{name}: {text}");
    }
}

#[test]
fn a_bundle_is_taken_whole_or_every_fault_of_it_is_told() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bundle.json");
    let arguments = ["import", file.to_str().unwrap()];
    let topic = |code: &str| json!({"code": code, "scheme": "own", "label": {"en": code}});
    let write = |bundle: &Value| std::fs::write(&file, bundle.to_string()).unwrap();

    write(&json!({"records": {"topics": [topic("a"), {"code": "B", "scheme": "x", "label": {}}],
        "feasts": [], "seminars": {}}}));
    let refused = said(folder.path(), &arguments, &[]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    for place in [
        "/records/topics/1/code",
        "/records/topics/1/scheme",
        "/records/topics/1/label",
        "/records/feasts",
        "/records/seminars",
    ] {
        assert!(told.contains(place), "{place}: {told}");
    }
    write(&json!({"records": {"topics": [topic("a"), topic("b")]}}));
    let taken = said(folder.path(), &arguments, &[]);
    assert_eq!(String::from_utf8(taken.stdout).unwrap(), "Took: 2 created.\n");
    let again = said(folder.path(), &arguments, &[]);
    assert_eq!(String::from_utf8(again.stdout).unwrap(), "Took: 2 left as they are.\n");
    let missing = said(folder.path(), &["import", "/nowhere"], &[]);
    assert!(String::from_utf8(missing.stderr).unwrap().contains("/nowhere cannot be read"));
}

#[test]
fn a_table_is_taken_from_the_command_line_and_the_bad_rows_come_back_as_a_file() {
    let folder = TempDir::new().unwrap();
    let (file, faults) = (folder.path().join("topics.csv"), folder.path().join("faults.csv"));
    let (path, back) = (file.to_str().unwrap(), faults.to_str().unwrap());
    std::fs::write(&file, "Код;Метка;scheme\na;А;own\nb;;other\n").unwrap();
    let mapping = r#"{"Метка": "label.ru"}"#;
    let all = ["import", path, "--resource", "topics", "--mapping", mapping];
    let run = |more: &[&str]| {
        let ran = said(folder.path(), &[&all[..], more].concat(), &[]);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ran.status.code(), text(ran.stdout), text(ran.stderr))
    };
    let (code, told, wrong) = run(&["--dry-run"]);
    assert_eq!(code, Some(1), "{told} {wrong}");
    assert!(told.contains("Метка: label.ru") && told.contains("row 2: created a"), "{told}");
    assert!(told.contains("Would take: 1 created, 1 refused."), "{told}");
    assert!(wrong.contains("row 3, column C (scheme) \"other\": "), "{wrong}");
    assert!(run(&[]).1.contains("Took nothing: "));
    let (code, told, _) = run(&["--partial", "--faults", back]);
    assert_eq!(code, Some(1));
    assert!(told.contains("Took: 1 created, 1 refused."), "{told}");
    let rows = std::fs::read_to_string(&faults).unwrap();
    assert_eq!(rows.lines().count(), 2, "{rows}");
    std::fs::write(&file, rows.replace(";other;", ";own;").replace("b;;", "b;Б;")).unwrap();
    let (code, told, wrong) = run(&[]);
    assert_eq!((code, &*wrong), (Some(0), ""), "{told}");
    assert!(told.contains("Took: 1 created."), "{told}");
    let unknown = said(folder.path(), &["import", path], &[]);
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("resource missing_parameter"));
}

#[test]
fn the_program_prints_the_committed_contract() {
    let folder = TempDir::new().unwrap();
    let printed = said(folder.path(), &["openapi"], &[]).stdout;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");
    assert!(printed == std::fs::read(path).unwrap());
}

#[test]
fn instances_that_start_at_once_migrate_one_after_the_other() {
    for postgres in databases() {
        actix_web::rt::System::new().block_on(async {
            let folder = TempDir::new().unwrap();
            let (url, _gate) = empty_database(postgres, &folder).await;
            let database = Database { connections: 2, ..Database::at(&url) };
            let all = (0..16).map(|_| {
                let database = database.clone();
                actix_web::rt::spawn(async move { database.migrate().await })
            });
            for one in futures_util::future::join_all(all).await {
                one.unwrap().unwrap();
            }
        });
    }
}

#[test]
fn while_the_database_is_away_the_service_says_so_and_it_recovers_by_itself() {
    on_each_database(async |hub| {
        let topic = |code: &str| json!({"code": code, "scheme": "own", "label": {"en": code}});
        let before = hub.write("POST", "/v1/topics", None, Some(&topic("before"))).await;
        assert_eq!(before.status, 201);

        let away = hub.away().await;
        let during = hub.write("POST", "/v1/topics", None, Some(&topic("during"))).await;
        assert_eq!(during.status, 503, "{}", during.text);
        assert_eq!(during.header("retry-after"), "5");
        assert_eq!(during.json()["code"], "unavailable");
        assert_eq!(hub.get("/health/live").await.status, 200);
        away.end().await;

        let begun = Instant::now();
        loop {
            let after = hub.write("POST", "/v1/topics", None, Some(&topic("after"))).await;
            if after.status == 201 {
                break;
            }
            assert_eq!(after.status, 503, "{}", after.text);
            assert!(begun.elapsed() < Duration::from_secs(20), "it never recovers");
        }
        assert_eq!(hub.get("/v1/topics/during").await.status, 404);
        assert_eq!(hub.get("/health/ready").await.status, 200);
    });
}
