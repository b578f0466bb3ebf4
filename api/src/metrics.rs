//! What the service tells of itself to who watches it, at a door of its own.
use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    http::{Method, StatusCode, header},
    web::{self, Data},
};
use persistence::Pulse;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use crate::Problem;

/// Below how many seconds requests are counted apart.
const SECONDS: [f64; 12] =
    [0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What requests are told apart by: each of these has few values, whatever is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: Arc<str>,
    status: &'static str,
    memory: bool,
}

/// What is counted.
pub(crate) struct Metrics {
    requests: Family<Labels, Histogram, fn() -> Histogram>,
    position: Gauge,
    pulse: Pulse,
    registry: Registry,
}

/// The pattern of an address from memory, which no router has seen.
#[derive(Clone)]
pub(crate) struct Route(pub(crate) Arc<str>);

impl Metrics {
    pub(crate) fn new(pulse: Pulse) -> Self {
        let durations: fn() -> Histogram = || Histogram::new(SECONDS);
        let requests = Family::new_with_constructor(durations);
        let position = Gauge::default();
        let mut registry = Registry::default();
        let help = "How long requests took, by method, route, class of status, and whether the \
            answer came from memory";
        let name = "capacity_hub_request_duration";
        registry.register_with_unit(name, help, Unit::Seconds, requests.clone());
        let help = "How far this instance has seen the log of changes";
        registry.register("capacity_hub_log_position", help, position.clone());
        let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let begun = ConstGauge::new(begun.as_secs_f64());
        let help = "When the process began, since the epoch";
        registry.register_with_unit("process_start_time", help, Unit::Seconds, begun);
        Self { requests, position, pulse, registry }
    }

    /// Counts a request that was answered.
    pub(crate) fn count(
        &self,
        method: &Method,
        route: Option<Arc<str>>,
        status: StatusCode,
        memory: bool,
        took: Duration,
    ) {
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let labels = Labels {
            method: known.into_iter().find(|name| method == name).unwrap_or("other"),
            route: route.unwrap_or_else(|| "none".into()),
            status: match status.as_u16() / 100 {
                2 => "2xx",
                3 => "3xx",
                4 => "4xx",
                _ => "5xx",
            },
            memory,
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    fn told(&self) -> Result<String, std::fmt::Error> {
        self.position.set(self.pulse.position());
        let mut told = String::new();
        encode(&mut told, &self.registry)?;
        Ok(told)
    }
}

/// Listens for who asks for it, and answers nothing else.
pub(crate) fn serve(at: SocketAddr, metrics: Data<Metrics>) -> io::Result<Server> {
    let app = move || App::new().app_data(metrics.clone()).route("/metrics", web::get().to(tell));
    let server = HttpServer::new(app).workers(1).disable_signals().bind(at);
    let refused = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot listen on {at} for who watches: {error}"))
    };
    Ok(server.map_err(refused)?.run())
}

async fn tell(metrics: Data<Metrics>) -> Result<HttpResponse, Problem> {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let told = metrics.told().map_err(Problem::broken)?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, kind)).body(told))
}
