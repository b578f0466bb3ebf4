//! How much one client may ask of an instance.
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Data,
};
use ipnet::IpNet;
use quick_cache::sync::Cache;

use crate::Problem;

const MINUTE: Duration = Duration::from_mins(1);
/// How many times as much as others may ask who brings a token. It is not known yet whether it
/// holds, so a request with one that does not counts as often.
const WITH_TOKEN: u64 = 10;
/// Of how many clients it is known what they asked; who asked least lately is forgotten first.
const MOST_CLIENTS: usize = 100_000;

/// How much clients may ask, and what they have asked.
pub(crate) struct Limits {
    /// How many requests a minute.
    requests: u64,
    /// Whose word is taken for who asks.
    proxies: Vec<IpNet>,
    clients: Cache<(IpAddr, bool), Arc<Asked>>,
    begun: Instant,
}

/// When what a client has asked so far is made up for, in nanoseconds: each request takes its part
/// of a minute, and nobody may be further than a minute ahead (the generic cell rate algorithm).
#[derive(Default)]
struct Asked(AtomicU64);

impl Asked {
    /// Adds so many nanoseconds; says how many too many they would be.
    fn add(&self, now: u64, cost: u64) -> Result<(), u64> {
        let most = now.saturating_add(nanos(MINUTE));
        let next = |until: u64| {
            let next = until.max(now).saturating_add(cost);
            (next <= most).then_some(next)
        };
        match self.0.fetch_update(SeqCst, SeqCst, next) {
            Ok(_) => Ok(()),
            Err(until) => Err(until.max(now).saturating_add(cost).saturating_sub(most)),
        }
    }

    fn give_back(&self, cost: u64) {
        self.0.fetch_sub(cost, SeqCst);
    }

    /// How far ahead the client is.
    fn ahead(&self, now: u64) -> u64 {
        self.0.load(SeqCst).saturating_sub(now)
    }
}

/// What a client is told of its limit.
pub(crate) struct Allowance {
    /// How many requests it may send in a minute.
    pub(crate) policy: String,
    /// How many of them are left, and after how many seconds all of them are again.
    pub(crate) left: String,
}

impl Limits {
    /// So many requests a minute of each client, where those proxies tell who that is.
    pub(crate) fn new(requests: u64, proxies: Vec<IpNet>) -> Self {
        Self { requests, proxies, clients: Cache::new(MOST_CLIENTS), begun: Instant::now() }
    }

    fn now(&self) -> u64 {
        nanos(self.begun.elapsed())
    }

    /// Who asks, as far as limits tell clients apart: who has an address of IPv6 has all of a /64.
    fn client(&self, request: &ServiceRequest) -> Option<IpAddr> {
        let trusted = |address: &IpAddr| self.proxies.iter().any(|proxy| proxy.contains(address));
        let mut address = request.peer_addr()?.ip().to_canonical();
        let told = request.headers().get_all("x-forwarded-for");
        let told: Vec<_> = told.filter_map(|line| line.to_str().ok()).collect();
        // Each proxy adds whom it was asked by at the end; what stands before the first that is not
        // trusted could be anything.
        for next in told.iter().rev().flat_map(|line| line.rsplit(',')) {
            let next = next.trim().trim_matches(['[', ']']).parse::<IpAddr>();
            match next {
                Ok(next) if trusted(&address) => address = next.to_canonical(),
                _ => break,
            }
        }
        Some(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(whole) => {
                IpAddr::V6(Ipv6Addr::from_bits(whole.to_bits() & (u128::MAX << 64)))
            }
        })
    }

    fn told(&self, asked: &Asked, most: u64, cost: u64) -> Allowance {
        let ahead = asked.ahead(self.now());
        let left = nanos(MINUTE).saturating_sub(ahead) / cost;
        let full = ahead.div_ceil(1_000_000_000);
        Allowance {
            policy: format!("\"minute\";q={most};w={}", MINUTE.as_secs()),
            left: format!("\"minute\";r={left};t={full}"),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Refuses who asks too much. Whether the service is well may be asked as often as anybody likes,
/// and what has not changed since costs nothing.
pub(crate) async fn limited<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let limits = request.app_data::<Data<Limits>>().cloned();
    let limits = limits.filter(|_| !request.path().starts_with("/health/"));
    let client = limits.and_then(|limits| Some((limits.client(&request)?, limits)));
    let Some((client, limits)) = client else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let personal = request.headers().contains_key(header::AUTHORIZATION);
    let most = if personal { limits.requests * WITH_TOKEN } else { limits.requests };
    let cost = nanos(MINUTE) / most;
    let new = || Ok::<_, Error>(Arc::default());
    let asked: Arc<Asked> = limits.clients.get_or_insert_with(&(client, personal), new)?;
    let response = match asked.add(limits.now(), cost) {
        Err(over) => {
            let wait = over.div_ceil(1_000_000_000);
            request.error_response(Problem::too_many_requests(most, wait)).map_into_boxed_body()
        }
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
    };
    match response.status() {
        StatusCode::NOT_MODIFIED => asked.give_back(cost),
        StatusCode::UNAUTHORIZED if personal => {
            // What it is over by does not matter any more: the next request will be refused.
            let _ = asked.add(limits.now(), cost * (WITH_TOKEN - 1));
        }
        _ => {}
    }
    response.request().extensions_mut().insert(limits.told(&asked, most, cost));
    Ok(response)
}
