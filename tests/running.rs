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
use sea_orm::ConnectionTrait;
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

/// A token of an admin, where the service need not have run before.
pub(crate) fn admin(folder: &Path, settings: &[(&str, &str)]) -> String {
    assert!(said(folder, &["migrate"], settings).status.success(), "there is a registry");
    let made = said(folder, &["token", "create", "--role", "admin"], settings);
    String::from_utf8(made.stdout).unwrap().lines().last().expect("a token").to_owned()
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
    let token = admin(folder.path(), &[]);

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
    assert!(said(folder.path(), &["migrate"], &[]).status.success());
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
        ("CAPACITY_HUB_LISTEN", "8080"),
        ("CAPACITY_HUB_GRACE", "soon"),
        ("CAPACITY_HUB_SAMPLE", "maybe"),
        ("CAPACITY_HUB_LOG", "api=loud"),
        ("CAPACITY_HUB_LOG", "inof"),
        ("CAPACITY_HUB_ORIGINS", "staff.example.org"),
        ("CAPACITY_HUB_ORIGINS", "*"),
        ("CAPACITY_HUB_ORIGINS", "https://staff.example.org/pages"),
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
fn a_variable_that_is_set_to_nothing_is_not_set_and_commas_may_have_spaces_after_them() {
    let folder = TempDir::new().unwrap();
    for (name, value) in [
        ("DATABASE_URL", ""),
        ("DATABASE_READ_URL", ""),
        ("CAPACITY_HUB_DATA", ""),
        ("CAPACITY_HUB_LOG", ""),
        ("CAPACITY_HUB_RATE_LIMIT", ""),
        ("CAPACITY_HUB_SAMPLE", ""),
        ("CAPACITY_HUB_PROXIES", ""),
        ("CAPACITY_HUB_PROXIES", "10.0.0.1, 10.1.0.0/16"),
        ("CAPACITY_HUB_ORIGINS", ""),
        ("CAPACITY_HUB_ORIGINS", "https://Staff.example.org/, https://example.org:443"),
    ] {
        let mut program = program(folder.path());
        // Where no folder is named, it is the one below.
        program.arg("migrate").env(name, value).current_dir(folder.path());
        let said = program.output().unwrap();
        assert!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn no_password_is_told() {
    let folder = TempDir::new().unwrap();
    let (good, bad) = ("postgres://hub:Top%2FSecret@db/hub", "postgres://hub:Top/Secret@db/hub");
    for name in ["DATABASE_URL", "DATABASE_READ_URL"] {
        for (arguments, value) in [("--help", good), ("serve", bad), ("serve", "mysql:Secret")] {
            let said = said(folder.path(), &[arguments], &[(name, value)]);
            let told = String::from_utf8([said.stdout, said.stderr].concat()).unwrap();
            assert!(!told.contains("Secret"), "{name}: {told}");
            assert_eq!(said.status.success(), value == good);
            assert!(told.contains(name), "{told}");
            assert_eq!(told.contains("%2F"), value == bad, "{told}");
        }
    }
    let both = [("DATABASE_URL", "sqlite://hub.sqlite"), ("DATABASE_READ_URL", good)];
    let said = said(folder.path(), &["serve"], &both);
    let told = String::from_utf8(said.stderr).unwrap();
    assert!(!said.status.success() && told.contains("hub.sqlite"), "{told}");
}

#[test]
fn an_output_that_nobody_reads_ends_quietly_and_one_that_is_full_does_not() {
    let folder = TempDir::new().unwrap();
    let run = |output: Stdio| {
        let mut program = program(folder.path());
        program.arg("openapi").stdout(output).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut unread = run(Stdio::piped());
    drop(unread.stdout.take());
    let unread = unread.wait_with_output().unwrap();
    assert!(unread.status.success());
    assert_eq!(String::from_utf8(unread.stderr).unwrap(), "");
    let full = std::fs::File::create("/dev/full").unwrap();
    let full = run(full.into()).wait_with_output().unwrap();
    assert_eq!(full.status.code(), Some(1));
    assert!(String::from_utf8(full.stderr).unwrap().starts_with("error: the output"));
}

#[test]
fn a_first_start_that_is_cut_short_is_gone_on_with() {
    for milliseconds in [15, 30, 45, 60, 75, 90, 120, 150, 200, 300] {
        let folder = TempDir::new().unwrap();
        let mut first = program(folder.path()).arg("migrate").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        let _ = first.kill();
        first.wait().unwrap();
        let second = said(folder.path(), &["migrate"], &[]);
        let told = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(second.status.success(), "killed after {milliseconds} ms: {told}");
    }
}

#[test]
fn a_file_may_be_called_anything_and_nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("50% of what? #1 \u{434}");
    let settings = [("CAPACITY_HUB_DATA", data.to_str().unwrap())];
    let token = admin(folder.path(), &settings);
    assert!(data.join("capacity-hub.sqlite").exists(), "{token}");
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("capacity-hub.sqlite")), 0o600);

    // Also as what lies beside another file is called.
    let url = format!("sqlite://{}", folder.path().join("hub.lock").display());
    let settings = [("DATABASE_URL", url.as_str())];
    admin(folder.path(), &settings);
    assert!(said(folder.path(), &["migrate"], &settings).status.success());
    let listed = said(folder.path(), &["token", "list"], &settings).stdout;
    assert_eq!(String::from_utf8(listed).unwrap().lines().count(), 1);

    for url in ["sqlite://:memory:", "sqlite://hub.sqlite?mode=memory", "sqlite://"] {
        let refused = said(folder.path(), &["migrate"], &[("DATABASE_URL", url)]);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(refused.status.code() == Some(2) && told.contains("names a file"), "{told}");
    }
}

#[test]
fn who_manages_a_registry_makes_none() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let all: [&[&str]; 3] =
        [&["token", "list"], &["token", "create", "--role", "admin"], &["participants", "retain"]];
    for arguments in all {
        let refused = said(folder.path(), arguments, &[]);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{told}");
        let file = data.join("capacity-hub.sqlite");
        assert!(told.contains(file.to_str().unwrap()) && told.contains("migrate"), "{told}");
        assert!(!data.exists());
    }
}

#[test]
fn what_cannot_be_opened_is_named() {
    let folder = TempDir::new().unwrap();
    let url = "sqlite:///nowhere/hub.sqlite";
    let refused = said(folder.path(), &["migrate"], &[("DATABASE_URL", url)]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.starts_with("error: the database /nowhere/hub.sqlite: "), "{told}");
    assert!(!told.contains("Error: "), "{told}");

    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = busy.local_addr().unwrap().to_string();
    let refused = said(folder.path(), &["serve"], &[("CAPACITY_HUB_LISTEN", at.as_str())]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains(&format!("cannot listen on {at}")), "{told}");
    assert!(!folder.path().join("data").exists(), "nothing is made where nothing can be served");
}

#[test]
fn a_database_that_does_not_answer_is_waited_for_aloud_and_a_stop_ends_that_at_once() {
    let folder = TempDir::new().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://hub:secret@{closed}/hub");
    let mut program = program(folder.path());
    let mut waiting = program.env("DATABASE_URL", url).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(waiting.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    for told in ["waiting for the database", "hub of Postgres at", &closed.to_string(), "refused"] {
        assert!(line.contains(told), "{told}: {line}");
    }
    assert!(!line.contains("secret"), "{line}");
    let begun = Instant::now();
    let sent = Command::new("kill").args(["-TERM", &waiting.id().to_string()]).status();
    assert!(sent.unwrap().success() && waiting.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[test]
fn of_instances_that_start_at_once_one_takes_the_first_seminar() {
    for postgres in databases() {
        actix_web::rt::System::new().block_on(async {
            let folder = TempDir::new().unwrap();
            let (url, _gate) = empty_database(postgres, &folder).await;
            let all = (0..4).map(|_| {
                let mut program = program(folder.path());
                program.env("DATABASE_URL", &url).env("CAPACITY_HUB_SAMPLE", "yes");
                // What lies before the database is driven by this thread.
                tokio::task::spawn_blocking(|| {
                    let service = Service::run(program);
                    service.get("/v1/presentations?with_total=true&limit=1")
                })
            });
            for answer in futures_util::future::join_all(all).await {
                let answer = answer.expect("each of them starts");
                assert!(answer.contains("\"total\":10"), "{answer}");
            }
        });
    }
}

#[test]
fn what_a_request_failed_by_and_who_has_sent_it_is_logged_under_its_id() {
    let folder = TempDir::new().unwrap();
    let token = admin(folder.path(), &[]);
    let mut program = program(folder.path());
    program.env("CAPACITY_HUB_LOG", "info").env("CAPACITY_HUB_PROXIES", "127.0.0.1");
    program.stderr(Stdio::piped());
    let mut service = Service::run(program);
    let file = format!("sqlite://{}", folder.path().join("data/capacity-hub.sqlite").display());
    actix_web::rt::System::new().block_on(async {
        let db = sea_orm::Database::connect(file).await.unwrap();
        db.execute_unprepared("ALTER TABLE topic RENAME TO gone").await.unwrap();
        db.close().await.unwrap();
    });
    let id = "01931f6e-6c00-7000-8000-000000000001";
    let connection = TcpStream::connect(&service.at).unwrap();
    let head = format!(
        "GET /v1/topics HTTP/1.1\r\nhost: hub\r\nconnection: close\r\nx-request-id: {id}\r\n\
         authorization: Bearer {token}\r\nx-forwarded-for: 203.0.113.9:4711\r\n\r\n"
    );
    let answer = Service::finish(connection, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    service.terminate();
    let mut said = String::new();
    service.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    let ours: Vec<_> = lines.filter(|line| line["request_id"] == id).collect();
    let failed = ours.iter().find(|line| line["level"] == "ERROR").expect(&said);
    assert!(failed["cause"].as_str().unwrap().contains("no such table: topic"), "{failed}");
    let request = ours.iter().find(|line| line["level"] == "INFO").expect(&said);
    let token_id = token.split('_').nth(1).unwrap();
    assert_eq!((&request["client"], &request["token"]), (&"203.0.113.9".into(), &token_id.into()));
    let secret = token.rsplit('_').next().unwrap();
    assert!(!said.contains(secret), "{said}");
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
