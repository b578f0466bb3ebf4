//! `capacity-hub`: the registry, from the command line.
use std::{
    io::{self, BufWriter, IsTerminal, Write},
    net::{IpAddr, SocketAddr, TcpListener},
    num::NonZeroU32,
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use api::{Settings, serve};
use chrono::{DateTime, Days, Utc};
use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use domain::{Line, ProjectRef, Role, Token, Violation};
use ipnet::IpNet;
use listenfd::ListenFd;
use persistence::{Author, Database, Error, KeptToken, NewToken, Store, Taking};
use tikv_jemallocator::Jemalloc;
use tokio::sync::watch;
use tracing_appender::non_blocking::NonBlockingBuilder;
use tracing_subscriber::EnvFilter;

#[path = "main/import.rs"]
mod import;

/// Memory comes from here: an answer that is not remembered is made of many small pieces, and with those
/// of the system's library it takes up to a third longer. What many answers took at once is given back.
#[global_allocator]
static MEMORY: Jemalloc = Jemalloc;

/// The open registry of a capacity-building cooperation.
#[derive(Parser)]
#[command(name = "capacity-hub", version)]
struct Command {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(clap::Args)]
struct Options {
    /// The database: postgres://…, or sqlite://…; without it, an `SQLite` file in the data folder.
    #[arg(long, env = "DATABASE_URL", value_name = "DATABASE_URL", global = true, value_parser = database_url)]
    database_url: Option<String>,
    /// Replicas of the database, for what the public reads; one that is behind is passed over.
    #[arg(long, env = "DATABASE_READ_URL", value_name = "DATABASE_READ_URL", global = true, value_parser = replicas_url)]
    read_url: Option<String>,
    /// The folder of the `SQLite` file.
    #[arg(
        long,
        env = "CAPACITY_HUB_DATA",
        value_name = "CAPACITY_HUB_DATA",
        global = true,
        default_value = "data"
    )]
    data: PathBuf,
    /// How many connections to Postgres all workers have together.
    #[arg(long, env = "CAPACITY_HUB_CONNECTIONS", value_name = "CAPACITY_HUB_CONNECTIONS", global = true, default_value_t = 16,
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: u32,
    /// What is logged: error, warn, info, debug, or a filter of targets.
    #[arg(long, env = "CAPACITY_HUB_LOG", value_name = "CAPACITY_HUB_LOG", global = true, default_value = "info,sea_orm_migration=warn",
        value_parser = log_filter)]
    log: String,
    /// How log lines are written.
    #[arg(
        long,
        env = "CAPACITY_HUB_LOG_FORMAT",
        value_name = "CAPACITY_HUB_LOG_FORMAT",
        global = true,
        default_value = "auto"
    )]
    log_format: LogFormat,
    /// Where to listen.
    #[arg(
        long,
        env = "CAPACITY_HUB_LISTEN",
        value_name = "CAPACITY_HUB_LISTEN",
        global = true,
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,
    /// The address by which the public reaches the service; where it listens when left out.
    #[arg(long, env = "CAPACITY_HUB_PUBLIC_URL", value_name = "CAPACITY_HUB_PUBLIC_URL", global = true,
        value_parser = public_url)]
    public_url: Option<String>,
    /// How many threads answer requests.
    #[arg(long, env = "CAPACITY_HUB_WORKERS", value_name = "CAPACITY_HUB_WORKERS", global = true,
        value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// How many seconds a stop waits for requests in flight.
    #[arg(long, env = "CAPACITY_HUB_GRACE", value_name = "CAPACITY_HUB_GRACE", global = true, default_value_t = 20,
        value_parser = clap::value_parser!(u64).range(0..=3600))]
    grace: u64,
    /// How many seconds the service goes on taking requests after SIGTERM, while /health/ready tells
    /// balancers to send it no more.
    #[arg(long, env = "CAPACITY_HUB_DRAIN", value_name = "CAPACITY_HUB_DRAIN", global = true, default_value_t = 0,
        value_parser = clap::value_parser!(u64).range(0..=3600))]
    drain: u64,
    /// Origins whose pages may write, with commas between them.
    #[arg(
        long,
        env = "CAPACITY_HUB_ORIGINS",
        value_name = "CAPACITY_HUB_ORIGINS",
        global = true,
        value_delimiter = ','
    )]
    origins: Vec<String>,
    /// Whether webhooks may reach addresses that are not public: for tests and local use.
    #[arg(
        long,
        env = "CAPACITY_HUB_WEBHOOKS_TO_PRIVATE",
        value_name = "CAPACITY_HUB_WEBHOOKS_TO_PRIVATE",
        global = true,
        default_value = "no"
    )]
    webhooks_to_private: YesNo,
    /// Whether it takes two people to write something and to publish it.
    #[arg(
        long,
        env = "CAPACITY_HUB_TWO_PEOPLE",
        value_name = "CAPACITY_HUB_TWO_PEOPLE",
        global = true,
        default_value = "no"
    )]
    two_people: YesNo,
    /// Below how many people their number is not told to the public.
    #[arg(long, env = "CAPACITY_HUB_SMALLEST_COUNT", value_name = "CAPACITY_HUB_SMALLEST_COUNT", global = true,
        default_value_t = persistence::SMALLEST_COUNT, value_parser = clap::value_parser!(u64).range(2..=1000))]
    smallest_count: u64,
    /// In how many MiB answers to the public are kept, none older than the last change; 0: none are.
    #[arg(long, env = "CAPACITY_HUB_CACHE", value_name = "CAPACITY_HUB_CACHE", global = true,
        default_value_t = 64, value_parser = cache_size)]
    cache: usize,
    /// How many requests a minute one address may send, ten times as many with a token; off: any
    /// number. IPv6 addresses are counted by /64.
    #[arg(long, env = "CAPACITY_HUB_RATE_LIMIT", value_name = "CAPACITY_HUB_RATE_LIMIT", global = true,
        default_value = "600", value_parser = rate_limit)]
    rate_limit: RateLimit,
    /// Proxies in front of the service, as addresses or networks with commas between them: their
    /// X-Forwarded-For tells who asks.
    #[arg(long, env = "CAPACITY_HUB_PROXIES", value_name = "CAPACITY_HUB_PROXIES", global = true,
        value_delimiter = ',', value_parser = network)]
    proxies: Vec<IpNet>,
    /// Where to tell of a weakness of the service, as mailto: or https:; nowhere when left out.
    #[arg(long, env = "CAPACITY_HUB_SECURITY_CONTACT", value_name = "CAPACITY_HUB_SECURITY_CONTACT", global = true,
        value_parser = security_contact)]
    security_contact: Option<String>,
    /// Whether an empty registry begins with the first seminar; auto: only without `DATABASE_URL`.
    #[arg(
        long,
        env = "CAPACITY_HUB_SAMPLE",
        value_name = "CAPACITY_HUB_SAMPLE",
        global = true,
        default_value = "auto"
    )]
    sample: Sample,
}

/// None is no limit. It has a name of its own since clap would take an Option for an argument that
/// can be left out.
type RateLimit = std::option::Option<NonZeroU32>;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sample {
    Auto,
    Yes,
    No,
}

#[derive(Subcommand)]
enum Action {
    /// Serve the registry; what happens without a command.
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Take in a bundle of records (JSON), or a table of one resource (CSV, XLSX).
    Import(import::Import),
    /// Print the contract.
    Openapi,
    /// Manage participants.
    Participants {
        #[command(subcommand)]
        action: ParticipantsAction,
    },
    /// Manage tokens.
    Token {
        #[command(subcommand)]
        action: TokenAction,
    },
}

#[derive(Subcommand)]
enum ParticipantsAction {
    /// Take away at once what identifies everybody whose time is over; the service does it hourly.
    Retain,
}

#[derive(Subcommand)]
enum TokenAction {
    /// Make a token; the last line is the token, shown this one time.
    Create {
        /// What its holder may do.
        #[arg(long, value_parser = PossibleValuesParser::new(Role::ALL.map(Role::name)).try_map(|role| role.parse::<Role>()))]
        role: Role,
        /// Whose it is, or what it is for.
        #[arg(long, default_value = "command line", value_parser = str::parse::<Line>)]
        name: Line,
        /// After how many days it ends.
        #[arg(long, default_value_t = Token::DAYS,
            value_parser = clap::value_parser!(u16).range(1..=i64::from(Token::MOST_DAYS)))]
        days: u16,
        /// A project that it is limited to, by id or slug; can be given several times.
        #[arg(long = "project", value_name = "SLUG", value_parser = str::parse::<ProjectRef>)]
        projects: Vec<ProjectRef>,
    },
    /// List all tokens, the newest first.
    List,
    /// End a token at once.
    Revoke {
        /// The id of the token: what stands between the first two underscores of it.
        id: String,
    },
}

type Failure = Box<dyn std::error::Error>;

/// How long it takes at most until a connection that was taken in is with a worker.
const HANDOVER: Duration = Duration::from_millis(100);

/// How many lines of the log wait at most until they are written; room for them is taken at the start.
const LINES: usize = 4096;

fn main() -> ExitCode {
    let command = Command::parse();
    let filter = EnvFilter::new(&command.options.log);
    // Lines are written by a thread of their own, many at a time: whoever has one does not wait, but
    // none is left out. The last are written when this is dropped.
    let stderr = BufWriter::with_capacity(64 * 1024, io::stderr());
    let lines = NonBlockingBuilder::default().lossy(false).buffered_lines_limit(LINES);
    let (writer, _written) = lines.finish(stderr);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match command.options.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Auto if io::stderr().is_terminal() => log.init(),
        LogFormat::Auto | LogFormat::Json => log.json().flatten_event(true).init(),
    }
    let system = actix_web::rt::System::new();
    match system.block_on(run(command)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    let options = command.options;
    if let Some(Action::Openapi) = command.action {
        println!("{:#}", api::openapi());
        return Ok(ExitCode::SUCCESS);
    }
    let database = database(&options)?;
    migrate(&database).await?;
    let store = database.open().await?;
    match command.action {
        None | Some(Action::Serve) => serve_until_stopped(&options, database, store).await?,
        Some(Action::Migrate) => println!("The schema is up to date."),
        Some(Action::Import(import)) => return import.run(&store).await,
        Some(Action::Participants { action: ParticipantsAction::Retain }) => {
            let erased = store.retain_participants().await?;
            println!("Erased what identified participants whose time was over: {erased}.");
        }
        Some(Action::Token { action }) => return manage_tokens(&store, action).await,
        Some(Action::Openapi) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn database(options: &Options) -> Result<Database, Failure> {
    let url = if let Some(url) = &options.database_url {
        url.clone()
    } else {
        std::fs::create_dir_all(&options.data).map_err(|error| {
            format!("the folder {} cannot be made: {error}", options.data.display())
        })?;
        format!("sqlite://{}", options.data.join("capacity-hub.sqlite").display())
    };
    let workers = u32::try_from(workers(options))?;
    let connections = options.connections.div_ceil(workers);
    Ok(Database { replicas: options.read_url.clone(), connections, ..Database::at(&url) })
}

fn workers(options: &Options) -> usize {
    let cores = || std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    options.workers.map_or_else(cores, usize::from)
}

/// Waits a while for a database that is just starting.
async fn migrate(database: &Database) -> Result<(), Failure> {
    for _ in 0..15 {
        match database.migrate().await {
            Err(error) if away(&error) => {
                tracing::warn!(%error, "the database does not answer, trying again");
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            other => return other.map_err(|error| format!("the database: {error}").into()),
        }
    }
    database.migrate().await.map_err(|error| format!("the database: {error}").into())
}

fn away(error: &(dyn std::error::Error + 'static)) -> bool {
    let text = error.to_string();
    ["Connection refused", "timed out", "starting up"].iter().any(|sign| text.contains(sign))
}

async fn serve_until_stopped(
    options: &Options,
    database: Database,
    store: Store,
) -> Result<(), Failure> {
    let wanted = match options.sample {
        Sample::Yes => true,
        Sample::No => false,
        Sample::Auto => options.database_url.is_none(),
    };
    if wanted && store.is_empty().await? {
        let by = Author::program("capacity-hub serve");
        let bundle = serde_json::from_str(domain::sample::BUNDLE)?;
        let system = "first-seminar".to_owned();
        let taking = Taking { publish: true, system, dry_run: false, told: 0 };
        let taken = store.import(&by, &taking, bundle).await?;
        if taken.iter().any(|told| !told.outcome.refused.is_empty()) {
            return Err("the first seminar could not be taken".into());
        }
        println!("Took the {} records of the first seminar.", taken.len());
    }
    drop(store);
    let (listener, lasting) = listener(options)?;
    let at = listener.local_addr()?;
    let kept = match database.url.split_once("://") {
        Some(("sqlite", path)) => path.to_owned(),
        _ => "Postgres".to_owned(),
    };
    let grace = Duration::from_secs(options.grace);
    let settings = Settings {
        database,
        public_url: options.public_url.clone(),
        origins: options.origins.clone(),
        workers: workers(options),
        grace,
        drain: Duration::from_secs(options.drain),
        handover: lasting.then_some(HANDOVER),
        signals: true,
        webhooks_to_private: options.webhooks_to_private == YesNo::Yes,
        two_people: options.two_people == YesNo::Yes,
        smallest_count: options.smallest_count,
        cache: options.cache * 1024 * 1024,
        rate_limit: options.rate_limit,
        proxies: options.proxies.clone(),
        security_contact: options.security_contact.clone(),
    };
    let service = serve(listener, &settings)?;
    // Who started the service may have stopped listening to it.
    let _ = writeln!(
        io::stdout(),
        "Capacity Hub keeps its records in {kept} and serves\n\
         \x20 the API       http://{at}/v1/seminars\n\
         \x20 Swagger UI    http://{at}/docs/\n\
         \x20 the contract  http://{at}/openapi.json"
    );
    force_stop_after(grace + settings.drain, service.stopping());
    service.run().await?;
    Ok(())
}

/// The listener that who starts the service has opened for it, as systemd does for a socket unit, and
/// keeps open; else its own.
fn listener(options: &Options) -> Result<(TcpListener, bool), Failure> {
    if let Some(given) = ListenFd::from_env().take_tcp_listener(0)? {
        return Ok((given, true));
    }
    let own = TcpListener::bind(options.listen);
    Ok((own.map_err(|error| format!("cannot listen on {}: {error}", options.listen))?, false))
}

/// Ends the process when a stop takes longer than its grace: a stuck pool must not keep it.
fn force_stop_after(grace: Duration, mut stopping: watch::Receiver<bool>) {
    actix_web::rt::spawn(async move {
        if stopping.wait_for(|stopping| *stopping).await.is_err() {
            return;
        }
        tracing::info!("stopping: requests in flight finish");
        std::thread::spawn(move || {
            std::thread::sleep(grace + Duration::from_secs(5));
            eprintln!("error: the stop took longer than its grace, and is forced");
            std::process::exit(1);
        });
    });
}

async fn manage_tokens(store: &Store, action: TokenAction) -> Result<ExitCode, Failure> {
    match action {
        TokenAction::Create { role, name, days, projects } => {
            let expires_at = store.now() + Days::new(days.into());
            let name = name.as_str().to_owned();
            let projects = (!projects.is_empty()).then_some(projects);
            let made = store.create_token(&NewToken { name, role, expires_at, projects }).await;
            let (kept, token) = match made {
                Err(Error::Refused(broken)) => {
                    return Ok(refuse(
                        "no token was made, since its description has these faults",
                        &broken,
                    ));
                }
                other => other?,
            };
            println!("{}:\n{token}", told(&kept));
        }
        TokenAction::List => {
            let mut before = None;
            loop {
                let page = store.tokens(before, 100).await?;
                for kept in &page {
                    println!("{}", told(kept));
                }
                let Some(last) = page.last() else { break };
                before = Some((last.created_at, last.id.clone()));
            }
        }
        TokenAction::Revoke { id } => match store.revoke_token(&id).await {
            Err(Error::NotFound) => return Err(format!("no token has the id {id}").into()),
            revoked => println!("{}", told(&revoked?)),
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// A token, in one line.
fn told(kept: &KeptToken) -> String {
    let day = |at: DateTime<Utc>| at.format("%-d %B %Y").to_string();
    let end = match kept.revoked_at {
        Some(at) => format!("revoked on {}", day(at)),
        None => format!("until {}", day(kept.expires_at)),
    };
    let used = kept
        .last_used_at
        .map_or_else(|| "never used".to_owned(), |at| format!("last used on {}", day(at)));
    let limit = match kept.projects.as_deref() {
        None => String::new(),
        Some(projects) => {
            let ids: Vec<_> = projects.iter().map(ToString::to_string).collect();
            format!(", limited to the projects [{}]", ids.join(", "))
        }
    };
    format!("{}  {:<9}  {end}, {used}{limit}  {}", kept.id, kept.role.name(), kept.name)
}

/// Says on the error output what was wrong.
fn refuse(outcome: &str, broken: &[Violation]) -> ExitCode {
    eprintln!("error: {outcome}:");
    for fault in broken {
        eprintln!("  {} {}: {}", fault.pointer, fault.code, fault.detail);
    }
    ExitCode::FAILURE
}

fn database_url(text: &str) -> Result<String, String> {
    let known = ["postgres://", "postgresql://", "sqlite://"];
    if known.iter().any(|scheme| text.starts_with(scheme)) {
        Ok(text.to_owned())
    } else {
        Err("it begins with postgres:// or sqlite://".to_owned())
    }
}

fn cache_size(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| *size <= 65_536);
    size.ok_or_else(|| "it is a number of MiB, from 0 to 65536".to_owned())
}

fn rate_limit(text: &str) -> Result<RateLimit, String> {
    if text == "off" {
        return Ok(None);
    }
    let most = text.parse().ok().filter(|most: &NonZeroU32| most.get() <= 1_000_000);
    most.map(Some).ok_or_else(|| "it is a number from 1 to 1000000, or off".to_owned())
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse().or_else(|_| address());
    network.map_err(|_| "it is an address, or a network like 10.0.0.0/8".to_owned())
}

fn replicas_url(text: &str) -> Result<String, String> {
    match database_url(text)?.starts_with("sqlite://") {
        true => Err("it begins with postgres://".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let url = text.parse::<domain::Url>()?;
    match url.as_str().contains(['?', '#', '@']) {
        true => Err("it has no user, no query and no fragment".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn security_contact(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let known = ["mailto:", "https://"].iter().any(|kind| text.starts_with(kind) && text != *kind);
    match plain && known {
        true => Ok(text.to_owned()),
        false => Err("it is an address that begins with mailto: or https://".to_owned()),
    }
}

fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}
