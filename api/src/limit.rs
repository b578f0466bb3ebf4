//! How much one client may ask of an instance.
use std::{
    collections::HashMap,
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest,
    dev::ServiceRequest,
    http::{
        StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    web::Data,
};
use ipnet::IpNet;
use quick_cache::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Problem, edge::brings_token};

const MINUTE: Duration = Duration::from_mins(1);
/// How many times as much as others may ask who brings a token. It is not known yet whether it
/// holds, so a request with one that does not counts as often.
const WITH_TOKEN: u64 = 10;
/// How many streams one client may keep open, where requests are limited.
const STREAMS: usize = 50;
/// How many files are written for one client at once, where requests are limited: others have their
/// turn beside it.
const WRITING: usize = 3;
/// How many files lie on the disk until one client has read them, so that slow readers do not fill it.
const READING: usize = 10;
/// Of how many clients it is known what they asked; who asked least lately is forgotten first.
const MOST_CLIENTS: usize = 100_000;

/// Proxies whose word is taken for who asks.
pub(crate) struct Proxies(pub(crate) Vec<IpNet>);

impl Proxies {
    /// Who asks, as far as limits tell clients apart: who has an address of IPv6 has all of a /64.
    fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let trusted = |address: &IpAddr| self.0.iter().any(|proxy| proxy.contains(address));
        let mut address = request.peer_addr()?.ip().to_canonical();
        let told = request.headers().get_all("x-forwarded-for");
        let told: Vec<_> = told.filter_map(|line| line.to_str().ok()).collect();
        // Each proxy adds whom it was asked by at the end; what stands before the first that is not
        // trusted could be anything.
        for next in told.iter().rev().flat_map(|line| line.rsplit(',')) {
            match address_of(next) {
                Some(next) if trusted(&address) => address = next.to_canonical(),
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
}

/// Who sends a request, as far as limits tell clients apart.
pub(crate) fn client(request: &HttpRequest) -> Option<IpAddr> {
    request.app_data::<Data<Proxies>>()?.client(request)
}

/// An address as proxies write it: some put it into brackets, and some add the port.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    text.trim_matches(['[', ']']).parse().ok().or_else(with_port)
}

/// How much clients may ask, and what they have asked.
pub(crate) struct Limits {
    /// How many requests a minute.
    requests: u64,
    clients: Cache<(IpAddr, bool), Arc<Asked>>,
    /// How many streams each client keeps open.
    streams: Mutex<HashMap<IpAddr, usize>>,
    begun: Instant,
}

/// What a client has asked.
struct Asked {
    /// When what it has asked so far is made up for, in nanoseconds: each request takes its part of a
    /// minute, and nobody may ask who is further than a minute ahead (the generic cell rate algorithm).
    until: AtomicU64,
    /// Its turns at what is written to a file before it is sent.
    writing: Arc<Semaphore>,
    /// Its places for files that it has not read yet.
    reading: Arc<Semaphore>,
}

impl Default for Asked {
    fn default() -> Self {
        let [writing, reading] = [WRITING, READING].map(|most| Arc::new(Semaphore::new(most)));
        Self { until: AtomicU64::default(), writing, reading }
    }
}

impl Asked {
    /// Adds so many nanoseconds; says how many too many they would be.
    fn add(&self, now: u64, cost: u64) -> Result<(), u64> {
        let most = now.saturating_add(nanos(MINUTE));
        let next = |until: u64| {
            let next = until.max(now).saturating_add(cost);
            (next <= most).then_some(next)
        };
        match self.until.fetch_update(SeqCst, SeqCst, next) {
            Ok(_) => Ok(()),
            Err(until) => Err(until.max(now).saturating_add(cost).saturating_sub(most)),
        }
    }

    /// Adds so many nanoseconds also where they are too many: who is that far ahead waits for it, for
    /// another minute at most.
    fn fine(&self, now: u64, cost: u64) {
        let most = now.saturating_add(2 * nanos(MINUTE));
        let next = |until: u64| Some(until.max(now).saturating_add(cost).min(most));
        let _ = self.until.fetch_update(SeqCst, SeqCst, next);
    }

    fn give_back(&self, cost: u64) {
        self.until.fetch_sub(cost, SeqCst);
    }

    /// How far ahead the client is.
    fn ahead(&self, now: u64) -> u64 {
        self.until.load(SeqCst).saturating_sub(now)
    }
}

impl Limits {
    /// So many requests a minute of each client.
    pub(crate) fn new(requests: u64) -> Self {
        let clients = Cache::new(MOST_CLIENTS);
        Self { requests, clients, streams: Mutex::default(), begun: Instant::now() }
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        nanos(self.begun.elapsed())
    }

    /// What a client has asked, apart for who brings a token.
    fn asked(&self, client: IpAddr, personal: bool) -> Arc<Asked> {
        let new = || Ok::<_, Infallible>(Arc::default());
        let Ok(asked) = self.clients.get_or_insert_with(&(client, personal), new);
        asked
    }
}

/// What who sends a request has asked, where requests are limited.
fn asked(request: &HttpRequest) -> Option<Arc<Asked>> {
    let limits = request.app_data::<Data<Limits>>()?;
    Some(limits.asked(client(request)?, brings_token(request)))
}

/// A turn of who asks at what is written to a file, once there is one.
pub(crate) async fn writing(request: &HttpRequest) -> Option<OwnedSemaphorePermit> {
    asked(request)?.writing.clone().acquire_owned().await.ok()
}

/// A place for a file until who asks has read it; refused where they leave too many unread.
pub(crate) fn reading(request: &HttpRequest) -> Result<Option<OwnedSemaphorePermit>, Problem> {
    let Some(asked) = asked(request) else { return Ok(None) };
    asked.reading.clone().try_acquire_owned().map(Some).map_err(|_| Problem::unread())
}

/// A stream that a client keeps open.
pub(crate) struct Stream {
    limits: Data<Limits>,
    client: IpAddr,
}

impl Stream {
    /// Another stream, unless the client has as many as one may have.
    pub(crate) fn open(limits: Data<Limits>, client: IpAddr) -> Option<Self> {
        let mut streams = limits.streams();
        let open = streams.entry(client).or_default();
        if *open >= STREAMS {
            return None;
        }
        *open += 1;
        drop(streams);
        Some(Self { limits, client })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut streams = self.limits.streams();
        if let Some(open) = streams.get_mut(&self.client) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.client);
            }
        }
    }
}

/// A request that counts, and whom it counts for.
pub(crate) struct Counted {
    limits: Data<Limits>,
    asked: Arc<Asked>,
    personal: bool,
    /// How many requests a minute that client may send.
    most: u64,
    cost: u64,
    /// By how many nanoseconds it is too much.
    over: Option<u64>,
}

impl Counted {
    /// Counts a request, where requests are limited. Whether the service is well may be asked as
    /// often as anybody likes.
    pub(crate) fn new(request: &ServiceRequest) -> Option<Self> {
        let limits = request.app_data::<Data<Limits>>()?.clone();
        if request.path().starts_with("/health/") {
            return None;
        }
        let client = client(request.request())?;
        let personal = brings_token(request.request());
        let most = if personal { limits.requests * WITH_TOKEN } else { limits.requests };
        let cost = nanos(MINUTE) / most;
        let asked = limits.asked(client, personal);
        let over = asked.add(limits.now(), cost).err();
        Some(Self { limits, asked, personal, most, cost, over })
    }

    /// What is said to who asks too much.
    pub(crate) fn refused(&self) -> Option<Problem> {
        let wait = self.over?.div_ceil(1_000_000_000);
        Some(Problem::too_many_requests(self.most, wait))
    }

    /// Tells what is left after that answer; one that was free costs nothing.
    pub(crate) fn tell(&self, status: StatusCode, free: bool, headers: &mut HeaderMap) {
        let Self { limits, asked, most, cost, .. } = self;
        match status {
            _ if free && self.over.is_none() => asked.give_back(*cost),
            StatusCode::UNAUTHORIZED if self.personal => {
                asked.fine(limits.now(), cost * (WITH_TOKEN - 1));
            }
            _ => {}
        }
        let ahead = asked.ahead(limits.now());
        let left = nanos(MINUTE).saturating_sub(ahead) / cost;
        let full = ahead.div_ceil(1_000_000_000);
        let policy = format!("\"minute\";q={most};w={}", MINUTE.as_secs());
        let left = format!("\"minute\";r={left};t={full}");
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
