//! The whole service: every route, and the layers around them.
use std::{io, net::TcpListener, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::{Compress, from_fn},
    web::{self, Data, ServiceConfig},
};
use persistence::{Database, visit_all};

use crate::{
    country,
    crud::Routes,
    docs::{self, Contract},
    edge::{self, Origins, conditional, fallback},
    health,
    openapi::{self, Paths},
    problem,
};

/// How the service is to run.
#[derive(Clone)]
pub struct Settings {
    /// Where the records are.
    pub database: Database,
    /// Origins whose pages may write.
    pub origins: Vec<String>,
    /// How many threads answer requests.
    pub workers: usize,
    /// How long a stop waits for requests in flight.
    pub grace: Duration,
    /// Whether signals stop the service.
    pub signals: bool,
}

/// Serves on that listener until it is stopped.
pub fn serve(listener: TcpListener, settings: &Settings) -> io::Result<Server> {
    let contract = openapi::openapi();
    let paths = Data::new(Paths::of(&contract));
    let text = format!("{contract:#}\n");
    let contract = Data::new(Contract(text.into_bytes()));
    let origins = Data::new(Origins(settings.origins.clone()));
    let database = settings.database.clone();
    let server = HttpServer::new(move || {
        let database = database.clone();
        App::new()
            .app_data(paths.clone())
            .app_data(contract.clone())
            .app_data(origins.clone())
            // A pool is driven by the thread that opened it, so each worker has its own.
            .data_factory(move || {
                let database = database.clone();
                async move { database.open().await }
            })
            .configure(routes)
            .default_service(web::to(fallback))
            .wrap(Compress::default())
            .wrap(from_fn(conditional))
            .wrap(from_fn(edge::edge))
    });
    let server = server
        .workers(settings.workers)
        .shutdown_timeout(settings.grace.as_secs())
        .client_request_timeout(Duration::from_secs(10));
    let server = if settings.signals { server } else { server.disable_signals() };
    Ok(server.listen(listener)?.run())
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
    get("/v1/countries", web::get().to(country::list));
    get("/v1/countries/{code}", web::get().to(country::read));
    visit_all(&mut Routes(config));
}
