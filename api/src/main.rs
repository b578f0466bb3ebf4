//! `capacity-hub`: the registry, from the command line.
use std::{
    env,
    ffi::OsStr,
    fmt::Display,
    fs::DirBuilder,
    io::{self, BufWriter, ErrorKind, IsTerminal, Write},
    net::{IpAddr, SocketAddr, TcpListener},
    num::NonZeroU32,
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use api::{KeySource, Oidc, Service, Settings, serve};
use chrono::{DateTime, Days, Utc};
use clap::{
    Arg, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, Resettable, TypedValueParser},
};
use domain::{Line, ProjectRef, Role, Token, Violation};
use futures_util::FutureExt;
use ipnet::IpNet;
use listenfd::ListenFd;
use persistence::{
    Author, Database, Error, KeptToken, NewToken, Schema, Store, Taking, check_address,
};
use tikv_jemallocator::Jemalloc;
use tokio::{
    net::TcpSocket,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tracing_appender::non_blocking::NonBlockingBuilder;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use url::{Host, Url};

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
    #[arg(long, env = "DATABASE_URL", value_name = "DATABASE_URL", global = true,
        hide_env_values = true, value_parser = Address("DATABASE_URL"))]
    database_url: Option<String>,
    /// Replicas of the database, for what the public reads; one that is behind is passed over.
    #[arg(long, env = "DATABASE_READ_URL", value_name = "DATABASE_READ_URL", global = true,
        hide_env_values = true, value_parser = Address("DATABASE_READ_URL"))]
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
    /// What is logged: error, warn, info, debug, or a filter of targets: info,api=debug.
    #[arg(long, env = "CAPACITY_HUB_LOG", value_name = "CAPACITY_HUB_LOG", global = true, default_value = LOG,
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
    /// Where to listen: an address and a port.
    #[arg(long, env = "CAPACITY_HUB_LISTEN", value_name = "CAPACITY_HUB_LISTEN", global = true,
        default_value = "127.0.0.1:8080", value_parser = listen_address)]
    listen: SocketAddr,
    /// Where to tell what is measured, at /metrics; nowhere when left out.
    #[arg(long, env = "CAPACITY_HUB_ADMIN_LISTEN", value_name = "CAPACITY_HUB_ADMIN_LISTEN", global = true,
        value_parser = listen_address)]
    admin_listen: Option<SocketAddr>,
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
    #[arg(long, env = "CAPACITY_HUB_ORIGINS", value_name = "CAPACITY_HUB_ORIGINS", global = true,
        value_delimiter = ',', value_parser = origin)]
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
    #[command(flatten)]
    oidc: OidcOptions,
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

#[derive(clap::Args)]
struct OidcOptions {
    /// An identity provider whose tokens hold beside the registry's own: the iss of these.
    #[arg(long = "oidc-issuer", env = "CAPACITY_HUB_OIDC_ISSUER", value_name = "CAPACITY_HUB_OIDC_ISSUER", global = true,
        requires_all = ["audience", "keys"])]
    issuer: Option<String>,
    /// Whom those tokens are to be for: in their aud.
    #[arg(
        long = "oidc-audience",
        env = "CAPACITY_HUB_OIDC_AUDIENCE",
        value_name = "CAPACITY_HUB_OIDC_AUDIENCE",
        global = true,
        requires = "issuer"
    )]
    audience: Option<String>,
    /// Where the keys of the provider are, as a JSON Web Key Set: a file, or an address with https://.
    #[arg(long = "oidc-keys", env = "CAPACITY_HUB_OIDC_KEYS", value_name = "CAPACITY_HUB_OIDC_KEYS", global = true,
        requires = "issuer", value_parser = key_source)]
    keys: Option<KeySource>,
    /// The claim that names roles (capacity-hub-editor), with dots for one within others.
    #[arg(
        long = "oidc-roles",
        env = "CAPACITY_HUB_OIDC_ROLES",
        value_name = "CAPACITY_HUB_OIDC_ROLES",
        global = true,
        default_value = "roles"
    )]
    roles: String,
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

/// How soon after the keys of an identity provider were read they may be read again.
const PAUSE: Duration = Duration::from_secs(10);

impl OidcOptions {
    /// The identity provider, if one is named; a file with its keys has to be there.
    async fn provider(&self) -> Result<Option<Oidc>, Failure> {
        let (Some(issuer), Some(audience), Some(keys)) = (&self.issuer, &self.audience, &self.keys)
        else {
            return Ok(None);
        };
        if let KeySource::File(file) = keys {
            keys.read().await.map_err(|error| {
                format!("the keys in {} (CAPACITY_HUB_OIDC_KEYS): {error}", file.display())
            })?;
        }
        Ok(Some(Oidc {
            issuer: issuer.clone(),
            audience: audience.clone(),
            keys: keys.clone(),
            roles: self.roles.clone(),
            pause: PAUSE,
        }))
    }
}

type Failure = Box<dyn std::error::Error>;

/// What is logged, where nobody says otherwise: whatever comes to a port that is open to the world, and is
/// no HTTP, is no error of ours.
const LOG: &str = "info,sea_orm_migration=warn,actix_http::h1::dispatcher=off";

/// How long a database that does not answer is waited for, at the start.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long it takes at most until a connection that was taken in is with a worker.
const HANDOVER: Duration = Duration::from_millis(100);

/// How many lines of the log wait at most until they are written; room for them is taken at the start.
const LINES: usize = 4096;

fn main() -> ExitCode {
    let matches = Command::command().mut_args(set_or_not_at_all).get_matches();
    let command = Command::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
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
            match failure.downcast_ref::<Error>() {
                Some(error) if error.is_of_database() => {
                    eprintln!("error: {error}: {}", error.cause());
                }
                _ => eprintln!("error: {failure}"),
            }
            ExitCode::FAILURE
        }
    }
}

/// A variable that is set to nothing, as `${NAME:-}` of a compose file does, is not set.
fn set_or_not_at_all(arg: Arg) -> Arg {
    let set = arg.get_env().and_then(env::var_os);
    if set.is_some_and(|set| set.is_empty()) { arg.env(Resettable::Reset) } else { arg }
}

/// Writes a line to the output; that nobody reads on is no fault.
fn say(line: impl Display) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{line}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("the output cannot be written: {error}").into())
        }
        _ => Ok(()),
    }
}

/// The signals that end the process.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> io::Result<Self> {
        let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
        let [terminate, interrupt, quit] = kinds.map(signal);
        Ok(Self([terminate?, interrupt?, quit?]))
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        let [terminate, interrupt, quit] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            _ = quit.recv() => SignalKind::quit().as_raw_value(),
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    let options = command.options;
    let action = command.action.unwrap_or(Action::Serve);
    if let Action::Openapi = action {
        say(format_args!("{:#}", api::openapi()))?;
        return Ok(ExitCode::SUCCESS);
    }
    // From the first moment: the first process of a container is ended by none that it does not take.
    let mut signals = Signals::new()?;
    if !matches!(action, Action::Serve) {
        return tokio::select! {
            done = act(&options, action) => done,
            // What waits for a lock in a thread would keep the process.
            number = signals.next() => std::process::exit(128 + number),
        };
    }
    let service = tokio::select! {
        service = prepare(&options) => service?,
        _ = signals.next() => std::process::exit(0),
    };
    // One that came in the same moment; from now on the service takes them.
    if signals.next().now_or_never().is_none() {
        service.run().await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Does what is no service.
async fn act(options: &Options, action: Action) -> Result<ExitCode, Failure> {
    let database = database(options)?;
    match action {
        Action::Migrate => {
            migrate(options, &database).await?;
            say("The schema is up to date.")?;
        }
        Action::Import(import) => {
            migrate(options, &database).await?;
            return import.run(&open(&database).await?).await;
        }
        Action::Participants { action: ParticipantsAction::Retain } => {
            let erased = existing(&database).await?.retain_participants().await?;
            say(format_args!(
                "Erased what identified participants whose time was over: {erased}."
            ))?;
        }
        Action::Token { action } => {
            return manage_tokens(&existing(&database).await?, action).await;
        }
        Action::Serve | Action::Openapi => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn database(options: &Options) -> Result<Database, Failure> {
    let database = match &options.database_url {
        Some(url) => Database::at(url),
        None => Database::in_file(&options.data.join("capacity-hub.sqlite"))?,
    };
    if options.read_url.is_some() && database.file().is_some() {
        let file = database.place();
        return Err(format!("DATABASE_READ_URL is for Postgres, and the database is {file}").into());
    }
    let workers = u32::try_from(workers(options))?;
    let connections = options.connections.div_ceil(workers);
    Ok(Database { replicas: options.read_url.clone(), connections, ..database })
}

fn workers(options: &Options) -> usize {
    let cores = || std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    options.workers.map_or_else(cores, usize::from)
}

/// Asks the database, also one that is just starting.
async fn patiently<T, E: Into<Error>>(
    database: &Database,
    ask: impl AsyncFn() -> Result<T, E>,
) -> Result<T, Failure> {
    let (begun, place) = (Instant::now(), database.place());
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error.into(),
        };
        let cause = error.cause();
        if !matches!(error, Error::Unavailable(_)) || begun.elapsed() > PATIENCE {
            return Err(format!("the database {place}: {cause}").into());
        }
        tracing::warn!(database = place, %cause, "waiting for the database");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Brings the schema up to date, and makes what is not there yet.
async fn migrate(options: &Options, database: &Database) -> Result<(), Failure> {
    if options.database_url.is_none() {
        // Nobody else is to read who took part.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&options.data);
        made.map_err(|error| {
            format!("the folder {} cannot be made: {error}", options.data.display())
        })?;
    }
    patiently(database, async || database.migrate().await).await
}

async fn open(database: &Database) -> Result<Store, Failure> {
    Ok(database.open().await.map_err(Error::from)?)
}

/// The registry, where there is one: who only manages it makes none, and upgrades none that serves.
async fn existing(database: &Database) -> Result<Store, Failure> {
    let place = database.place();
    match patiently(database, async || database.schema().await).await? {
        Schema::Current => open(database).await,
        Schema::Earlier => Err(format!(
            "the database {place} has the schema of an earlier version: run capacity-hub migrate"
        )
        .into()),
        Schema::None => Err(format!(
            "there is no registry in {place}: capacity-hub makes one as it starts, or capacity-hub \
             migrate"
        )
        .into()),
    }
}

/// Makes everything ready to be served.
async fn prepare(options: &Options) -> Result<Service, Failure> {
    let database = database(options)?;
    let door = Door::of(options)?;
    migrate(options, &database).await?;
    let wanted = match options.sample {
        Sample::Yes => true,
        Sample::No => false,
        Sample::Auto => options.database_url.is_none(),
    };
    if wanted {
        begin_with_sample(&database).await?;
    }
    let (listener, lasting) = door.open()?;
    let at = listener.local_addr()?;
    if at.ip().is_unspecified() && options.public_url.is_none() {
        tracing::warn!(
            "CAPACITY_HUB_PUBLIC_URL is not set: calendars and feeds tell the world to ask http://{at}"
        );
    }
    let replicated = database.clone();
    actix_web::rt::spawn(async move {
        if let Some(fault) = replicated.replicas_fault().await {
            tracing::warn!(%fault, "the replicas of DATABASE_READ_URL cannot be read");
        }
    });
    let kept = match database.file() {
        Some(file) => file.display().to_string(),
        None => "Postgres".to_owned(),
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
        oidc: options.oidc.provider().await?,
        security_contact: options.security_contact.clone(),
        admin: options.admin_listen,
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
    Ok(service)
}

/// Puts the first seminar into a registry that has nothing else.
async fn begin_with_sample(database: &Database) -> Result<(), Failure> {
    let store = open(database).await?;
    if !store.is_empty().await? {
        return Ok(());
    }
    // Of instances that start at once one does it, and the others find it done.
    let alone = database.alone().await.map_err(Error::from)?;
    if store.is_empty().await? {
        let by = Author::program("capacity-hub serve");
        let bundle = serde_json::from_str(domain::sample::BUNDLE)?;
        let system = "first-seminar".to_owned();
        let taking = Taking { publish: true, system, dry_run: false, told: 0 };
        let taken = store.import(&by, &taking, bundle).await?;
        if taken.iter().any(|told| !told.outcome.refused.is_empty()) {
            return Err("the first seminar could not be taken".into());
        }
        let _ = writeln!(io::stdout(), "Took the {} records of the first seminar.", taken.len());
    }
    Ok(alone.end().await.map_err(Error::from)?)
}

/// Where clients will come in.
enum Door {
    /// Who starts the service has opened it, as systemd does for a socket unit, and keeps it open.
    Given(TcpListener),
    /// The service's own: nobody else can have it from now on, and nobody comes in before it is opened.
    Own(TcpSocket),
}

impl Door {
    fn of(options: &Options) -> Result<Self, Failure> {
        if let Some(given) = ListenFd::from_env().take_tcp_listener(0)? {
            return Ok(Self::Given(given));
        }
        let bound = || {
            let at = options.listen;
            let own = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            own.set_reuseaddr(true)?;
            own.bind(at)?;
            Ok::<_, io::Error>(own)
        };
        let own = bound();
        Ok(Self::Own(own.map_err(|error| format!("cannot listen on {}: {error}", options.listen))?))
    }

    /// Lets clients in; says whether the door stays when the service ends.
    fn open(self) -> io::Result<(TcpListener, bool)> {
        match self {
            Self::Given(given) => Ok((given, true)),
            Self::Own(own) => Ok((own.listen(1024)?.into_std()?, false)),
        }
    }
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
            say(format_args!("{}:\n{token}", told(&kept)))?;
        }
        TokenAction::List => {
            let mut before = None;
            loop {
                let page = store.tokens(before, 100).await?;
                for kept in &page {
                    say(told(kept))?;
                }
                let Some(last) = page.last() else { break };
                before = Some((last.created_at, last.id.clone()));
            }
        }
        TokenAction::Revoke { id } => match store.revoke_token(&id).await {
            Err(Error::NotFound) => return Err(format!("no token has the id {id}").into()),
            revoked => say(told(&revoked?))?,
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

/// Reads what the variable of that name tells: the address of a database. What is wrong with it is told
/// without it, since a password stands in it.
#[derive(Clone)]
struct Address(&'static str);

impl TypedValueParser for Address {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        let text = value.to_str().ok_or_else(|| "it is no text".to_owned());
        let checked = text.and_then(|text| check_address(text).map(|()| text.to_owned()));
        checked.map_err(|fault| {
            let told = format!("the address in {} cannot be used: {fault}", self.0);
            command.clone().error(clap::error::ErrorKind::ValueValidation, told)
        })
    }
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let wrong = "it is an address and a port, as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080";
    text.trim().parse().map_err(|_| wrong.to_owned())
}

/// An origin, as browsers write it.
fn origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text.trim()).ok().filter(|url| {
        let web = url.scheme() == "https" || url.scheme() == "http";
        let more = url.query().is_some() || url.fragment().is_some() || url.password().is_some();
        web && url.path() == "/" && url.username().is_empty() && !more
    });
    let origin = url.map(|url| url.origin().ascii_serialization());
    origin.ok_or_else(|| "it is a scheme and a host, as https://staff.example.org".to_owned())
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
    let text = text.trim();
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse().or_else(|_| address());
    network.map_err(|_| "it is an address, or a network like 10.0.0.0/8".to_owned())
}

fn public_url(text: &str) -> Result<String, String> {
    let url = text.parse::<domain::Url>()?;
    if url.as_str().contains(['?', '#', '@']) {
        return Err("it has no user, no query and no fragment".to_owned());
    }
    let (_, host) = text.split_once("://").unwrap_or_default();
    match host.trim_end_matches('/').contains('/') {
        true => Err("it has no path: the service is the whole of its host".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn key_source(text: &str) -> Result<KeySource, String> {
    if !text.contains("://") {
        return Ok(KeySource::File(text.into()));
    }
    let url: Url = text.parse().map_err(|error| format!("it is no address: {error}"))?;
    let here = url.host().is_some_and(|host| match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    });
    match url.scheme() {
        "https" => Ok(KeySource::Address(url)),
        // Whoever stands between could give keys of their own.
        "http" if here => Ok(KeySource::Address(url)),
        _ => Err("it is to be a file, or to begin with https://".to_owned()),
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
    // A word alone would be taken for the one target that is logged.
    let wrong = text.split(',').map(str::trim).find(|part| {
        !part.contains(['=', '[', ']', '}'])
            && (part.is_empty() || part.parse::<LevelFilter>().is_err())
    });
    if let Some(wrong) = wrong {
        return Err(format!(
            "\"{wrong}\" is none of error, warn, info, debug, trace and off; a target is written \
             target=level"
        ));
    }
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}
