//! The whole service: every route, and the layers around them.
use std::{io, net::TcpListener, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::{Compress, from_fn},
    rt,
    web::{self, Data, ServiceConfig},
};
use persistence::{Database, visit_all};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    actor::TwoPeople,
    background,
    cache::{Answers, cached},
    changes::{self, Streams},
    country,
    crud::{self, Routes},
    dashboard, docs,
    edge::{self, Origins, conditional, fallback},
    formats::{self, PublicAddress},
    health,
    import::{self, Imports},
    participant, problem, programme, proposal, search,
    statistics::{self, SmallestCount},
    token,
    webhook::{self, ToPrivate},
};

/// How the service is to run.
#[derive(Clone)]
pub struct Settings {
    /// Where the records are.
    pub database: Database,
    /// The address by which the public reaches the service; the listener's own when there is none.
    pub public_url: Option<String>,
    /// Origins whose pages may write.
    pub origins: Vec<String>,
    /// How many threads answer requests.
    pub workers: usize,
    /// How long a stop waits for requests in flight.
    pub grace: Duration,
    /// Whether signals stop the service.
    pub signals: bool,
    /// Whether webhooks may reach addresses that are not public.
    pub webhooks_to_private: bool,
    /// Whether it takes two people to write something and to publish it.
    pub two_people: bool,
    /// Below how many people their number is not told to the public.
    pub smallest_count: u64,
    /// In how many bytes answers to the public are kept; none are kept in zero.
    pub cache: usize,
}

/// The service, listening.
pub struct Service {
    server: Server,
    background: JoinHandle<()>,
    stopping: watch::Sender<bool>,
    grace: Duration,
}

impl Service {
    /// What the service can be stopped with.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Becomes true when a stop begins.
    #[must_use]
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Answers until it is stopped, and lets deliveries that are on their way arrive.
    pub async fn run(mut self) -> io::Result<()> {
        let ended = self.server.await;
        self.stopping.send_replace(true);
        if tokio::time::timeout(self.grace, &mut self.background).await.is_err() {
            // A connection can only be given back while the runtime lives.
            self.background.abort();
            let _ = self.background.await;
        }
        ended
    }
}

/// Makes ready to serve on that listener.
pub fn serve(listener: TcpListener, settings: &Settings) -> io::Result<Service> {
    let origins = Data::new(Origins(settings.origins.clone()));
    let stopping = watch::Sender::new(false);
    let streams = Data::new(Streams::new(stopping.clone()));
    let two_people = Data::new(TwoPeople(settings.two_people));
    let smallest_count = Data::new(SmallestCount(settings.smallest_count));
    let answers = (settings.cache > 0).then(|| Data::new(Answers::new(settings.cache)));
    let to_private = Data::new(ToPrivate(settings.webhooks_to_private));
    let (imports, jobs) = Imports::new();
    let imports = Data::new(imports);
    let background =
        background::run(settings.database.clone(), **to_private, jobs, stopping.clone());
    let background = rt::spawn(background);
    let base = match &settings.public_url {
        Some(base) => base.clone(),
        None => format!("http://{}", listener.local_addr()?),
    };
    let address = Data::new(PublicAddress::new(&base));
    let database = settings.database.clone();
    let server = HttpServer::new(move || {
        let database = database.clone();
        App::new()
            .app_data(origins.clone())
            .app_data(streams.clone())
            .app_data(to_private.clone())
            .app_data(two_people.clone())
            .app_data(smallest_count.clone())
            .app_data(address.clone())
            .app_data(imports.clone())
            .configure(|config| {
                if let Some(answers) = answers.clone() {
                    config.app_data(answers);
                }
            })
            // A pool is driven by the thread that opened it, so each worker has its own.
            .data_factory(move || {
                let database = database.clone();
                async move { database.open().await }
            })
            .configure(routes)
            .default_service(web::to(fallback))
            .wrap(Compress::default())
            .wrap(from_fn(cached))
            .wrap(from_fn(conditional))
            .wrap(from_fn(edge::edge))
    });
    let server = server
        .workers(settings.workers)
        .shutdown_timeout(settings.grace.as_secs())
        .client_request_timeout(Duration::from_secs(10))
        .disable_signals()
        .listen(listener)?
        .run();
    if settings.signals {
        stop_at_signals(server.handle(), stopping.clone())?;
    }
    Ok(Service { server, background, stopping, grace: settings.grace })
}

/// Stops the service at a signal, and tells those who would never end by themselves.
///
/// One that comes before the server runs is not missed: actix would listen only from then on.
fn stop_at_signals(server: ServerHandle, stopping: watch::Sender<bool>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    rt::spawn(async move {
        let graceful = tokio::select! {
            _ = terminate.recv() => true,
            _ = interrupt.recv() => false,
            _ = quit.recv() => false,
        };
        stopping.send_replace(true);
        server.stop(graceful).await;
    });
    Ok(())
}

fn routes(config: &mut ServiceConfig) {
    let mut get = |path: &str, route: actix_web::Route| {
        config.service(web::resource(path).route(route).default_service(web::to(fallback)));
    };
    get("/", web::get().to(docs::index));
    get("/openapi.json", web::get().to(docs::contract));
    get("/docs", web::get().to(docs::doorstep));
    get("/docs/{file:.*}", web::get().to(docs::ui));
    get("/problems/{code}", web::get().to(problem::describe));
    get("/health/live", web::get().to(health::live));
    get("/health/ready", web::get().to(health::ready));
    get("/v1/changes", web::get().to(changes::list));
    get("/v1/changes/stream", web::get().to(changes::follow));
    get("/v1/search", web::get().to(search::find));
    get("/v1/countries", web::get().to(country::list));
    get("/v1/countries/{code}", web::get().to(country::read));
    get("/v1/seminars/{id}/programme", web::get().to(programme::read));
    get("/v1/people/{id}/presentations", web::get().to(crud::presentations_of));
    token::routes(config);
    participant::routes(config);
    webhook::routes(config);
    proposal::routes(config);
    import::routes(config);
    statistics::routes(config);
    dashboard::routes(config);
    formats::routes(config);
    visit_all(&mut Routes(config));
}
