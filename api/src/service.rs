//! The whole service: every route, and the layers around them.
use std::{
    io,
    net::{SocketAddr, TcpListener},
    num::NonZeroU32,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::{Compress, from_fn},
    rt,
    web::{self, Data, ServiceConfig},
};
use ipnet::IpNet;
use persistence::{Database, visit_all};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    actor::TwoPeople,
    background,
    cache::{Answers, cached},
    changes::{self, Streams},
    country, crud, dashboard, docs,
    edge::{self, Origins, fallback},
    formats::{self, PublicAddress},
    health::{self, Beats},
    import::{self, Imports},
    limit::{Limits, Proxies},
    metrics::{self, Metrics},
    oidc::{Oidc, Provider},
    participant, problem, programme, proposal,
    routes::Routes,
    search,
    statistics::{self, SmallestCount},
    token,
    webhook::{self, ToPrivate},
    well_known::{self, SecurityContact},
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
    /// How long the service goes on taking requests once it is told to end, so that a balancer can
    /// see that it is not ready any more.
    pub drain: Duration,
    /// Whether the listener is there before and after the service: who comes in between waits for
    /// the next one.
    /// This long is waited then until connections that were taken in are with a worker.
    pub handover: Option<Duration>,
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
    /// How many requests a minute one client may send, if that is limited.
    pub rate_limit: Option<NonZeroU32>,
    /// The proxies whose word is taken for who asks.
    pub proxies: Vec<IpNet>,
    /// Whose tokens hold beside the registry's own.
    pub oidc: Option<Oidc>,
    /// Where to tell of a weakness of the service, as an address.
    pub security_contact: Option<String>,
    /// Where `/metrics` is told, if it is.
    pub admin: Option<SocketAddr>,
}

/// Whether the service has been told to end.
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    pub(crate) fn now(&self) -> bool {
        // Nothing but a stop is ever told there; to look whether something was takes no lock.
        self.0.has_changed().unwrap_or(true)
    }
}

/// The service, listening.
pub struct Service {
    server: Server,
    admin: Option<Server>,
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
        let admin = self.admin.take().map(|admin| (admin.handle(), rt::spawn(admin)));
        let ended = self.server.await;
        if let Some((handle, serving)) = admin {
            handle.stop(false).await;
            let _ = serving.await;
        }
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
    let stops = Data::new(Stopping(stopping.subscribe()));
    let two_people = Data::new(TwoPeople(settings.two_people));
    let smallest_count = Data::new(SmallestCount(settings.smallest_count));
    let answers = (settings.cache > 0).then(|| Data::new(Answers::new(settings.cache)));
    let limits = settings.rate_limit.map(|most| Data::new(Limits::new(u64::from(most.get()))));
    let proxies = Data::new(Proxies(settings.proxies.clone()));
    let beats = Data::new(Beats::new());
    let metrics =
        settings.admin.map(|at| (at, Data::new(Metrics::new(settings.database.pulse.clone()))));
    let admin = metrics.clone().map(|(at, metrics)| metrics::serve(at, metrics)).transpose()?;
    let provider = settings.oidc.clone().map(|oidc| Data::new(Provider::new(oidc)));
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
    let contact = Data::new(SecurityContact(settings.security_contact.clone()));
    let database = settings.database.clone();
    let server = HttpServer::new(move || {
        let (database, beating) = (database.clone(), beats.clone());
        App::new()
            .app_data(beats.clone())
            .app_data(origins.clone())
            .app_data(streams.clone())
            .app_data(stops.clone())
            .app_data(to_private.clone())
            .app_data(two_people.clone())
            .app_data(smallest_count.clone())
            .app_data(address.clone())
            .app_data(contact.clone())
            .app_data(imports.clone())
            .app_data(proxies.clone())
            .configure(|config| {
                if let Some(answers) = answers.clone() {
                    config.app_data(answers);
                }
                if let Some(limits) = limits.clone() {
                    config.app_data(limits);
                }
                if let Some((_, metrics)) = metrics.clone() {
                    config.app_data(metrics);
                }
                if let Some(provider) = provider.clone() {
                    config.app_data(provider);
                }
            })
            // A pool is driven by the thread that opened it, so each worker has its own.
            .data_factory(move || {
                beating.begin();
                let database = database.clone();
                async move { database.open().await }
            })
            .configure(routes)
            .default_service(web::to(fallback))
            .wrap(Compress::default())
            .wrap(from_fn(edge::told_apart))
            .wrap(from_fn(cached))
            .wrap(from_fn(edge::edge))
    });
    let server = server
        .workers(settings.workers)
        .shutdown_timeout(settings.grace.as_secs())
        // Else what is compressed, and sent in parts, waits for a client that confirms after 40 ms.
        .tcp_nodelay(true)
        .client_request_timeout(Duration::from_secs(10))
        .disable_signals()
        .listen(listener)?
        .run();
    if settings.signals {
        stop_at_signals(server.handle(), stopping.clone(), settings)?;
    }
    Ok(Service { server, admin, background, stopping, grace: settings.grace })
}

/// Stops the service at a signal, and tells those who would never end by themselves.
///
/// One that comes before the server runs is not missed: actix would listen only from then on.
fn stop_at_signals(
    server: ServerHandle,
    stopping: watch::Sender<bool>,
    settings: &Settings,
) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let (drain, handover) = (settings.drain, settings.handover);
    rt::spawn(async move {
        let graceful = tokio::select! {
            _ = terminate.recv() => true,
            _ = interrupt.recv() => false,
            _ = quit.recv() => false,
        };
        stopping.send_replace(true);
        if graceful {
            tokio::select! {
                () = tokio::time::sleep(drain) => {}
                _ = interrupt.recv() => {}
                _ = quit.recv() => {}
            }
        }
        if let (true, Some(handover)) = (graceful, handover) {
            // Whom actix takes in while it stops, it turns away: first it takes in nobody.
            server.pause().await;
            tokio::time::sleep(handover).await;
        }
        server.stop(graceful).await;
    });
    Ok(())
}

/// Where a part of an address can be anything, what comes first is looked at first.
fn routes(config: &mut ServiceConfig) {
    let mut routes = Routes::default();
    routes.at("/", |at| at.get(docs::index));
    routes.at(well_known::CATALOG, |at| at.get(well_known::catalog));
    routes.at(well_known::SECURITY, |at| at.get(well_known::security));
    routes.at("/openapi.json", |at| at.get(docs::contract));
    routes.at("/docs", |at| at.get(docs::doorstep));
    routes.at("/docs/{file:.*}", |at| at.get(docs::ui));
    routes.at("/problems", |at| at.get(problem::index));
    routes.at("/problems/{code}", |at| at.get(problem::describe));
    routes.at("/health/live", |at| at.get(health::live));
    routes.at("/health/ready", |at| at.get(health::ready));
    routes.at("/v1/changes", |at| at.get(changes::list));
    routes.at("/v1/changes/stream", |at| at.get(changes::follow));
    routes.at("/v1/search", |at| at.get(search::find));
    routes.at("/v1/countries", |at| at.get(country::list));
    routes.at("/v1/countries.{format}", |at| at.get(country::named));
    routes.at("/v1/countries/{code}", |at| at.get(country::read));
    routes.at("/v1/seminars/{id}/programme", |at| at.get(programme::read));
    routes.at("/v1/people/{id}/presentations", |at| at.get(crud::presentations_of));
    token::routes(&mut routes);
    participant::routes(&mut routes);
    webhook::routes(&mut routes);
    proposal::routes(&mut routes);
    import::routes(&mut routes);
    statistics::routes(&mut routes);
    dashboard::routes(&mut routes);
    formats::routes(&mut routes);
    visit_all(&mut routes);
    routes.serve(config);
}
