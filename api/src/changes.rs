//! The public feed of changes, asked for part by part or followed as it grows.
use std::{convert::Infallible, sync::Arc, time::Duration};

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Data},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use domain::{ChangeFilter, Collection};
use futures_util::stream;
use persistence::{Basis, Known, Made, Operation, PublicChange, Ready, Store};
use quick_cache::{Weighter, sync::Cache};
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep_until},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Problem, answer,
    edge::Headless,
    limit::{Limits, Stream, client},
    query::{Languages, ListQuery},
    reader::Anybody,
};

pub(crate) const COLLECTION: &str = "changes";
/// What a cursor of the feed looks like.
pub(crate) const CURSOR: &str = "^[A-Za-z0-9_-]{11}$";
/// How many streams a process keeps open.
const STREAMS: usize = 1000;
/// How many changes a stream reads at once.
const PART: u64 = 100;
/// How many parts are kept, as a rule, for streams that come to the same place.
const PARTS: usize = 8;
/// How many bytes they may take.
const ROOM: u64 = 4 * 1024 * 1024;
/// How often a stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A change to a record.
#[derive(Serialize, ToSchema)]
pub(crate) struct Change {
    /// Its place in the feed: go on after it with `after`.
    #[schema(pattern = "^[A-Za-z0-9_-]{11}$", example = "AAAAAAAAAAE")]
    cursor: String,
    /// When it was made.
    #[schema(example = "2026-11-24T09:00:00Z")]
    at: DateTime<Utc>,
    /// The collection of the record.
    #[schema(value_type = Collection)]
    resource: String,
    /// The id of the record.
    #[schema(example = "01931f6e-6c00-7000-8000-000000000001")]
    id: Uuid,
    /// The slug of the record; null when it has none.
    #[schema(example = "first-seminar-2021")]
    slug: Option<String>,
    /// The revision that the change made.
    #[schema(minimum = 1, example = 1)]
    revision: i64,
    /// What happened to the record.
    operation: Operation,
    /// The record as it is now, as the lists tell it; null when it is no longer public.
    #[schema(value_type = Option<Object>)]
    record: Option<Ready>,
}

impl Change {
    pub(crate) fn at(&self) -> DateTime<Utc> {
        self.at
    }
}

impl From<PublicChange> for Change {
    fn from(change: PublicChange) -> Self {
        Self {
            cursor: cursor(change.position),
            at: change.at,
            resource: change.resource,
            id: change.id,
            slug: change.slug,
            revision: change.revision,
            operation: change.operation,
            record: change.record,
        }
    }
}

/// A part of the feed of changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangePage {
    /// The changes, in the order in which they were made.
    items: Vec<Change>,
    /// Asks for what comes after these; it is there also when nothing is new.
    #[schema(pattern = "^[A-Za-z0-9_-]{11}$", example = "AAAAAAAAAAE")]
    next_cursor: String,
}

/// The cursor of a place in the feed.
pub(crate) fn cursor(position: i64) -> String {
    URL_SAFE_NO_PAD.encode(position.to_be_bytes())
}

fn position(cursor: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let position = i64::from_be_bytes(bytes.try_into().ok()?);
    (position >= 0).then_some(position)
}

/// What is asked of the feed.
struct Asked {
    after: i64,
    resources: Vec<Collection>,
    limit: u64,
}

impl Asked {
    /// Reads the query; those parameters of lists are none here.
    fn of(request: &HttpRequest, refused: &[&str]) -> Result<Self, Problem> {
        let mut query = ListQuery::of(request)?;
        query.refuse(&["cursor", "sort", "with_total", "include", "lang", "facets"]);
        query.refuse(refused);
        let filter: ChangeFilter = query.filter();
        query.judge()?;
        let after = match filter.after {
            None => 0,
            Some(cursor) => position(&cursor).ok_or_else(Problem::invalid_place)?,
        };
        Ok(Self { after, resources: filter.resource.0, limit: query.limit })
    }
}

/// A part of the feed.
pub(crate) async fn list(
    _: Anybody,
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::of(&request, &[])?;
    let store = store.elsewhere();
    let feed = store.changes(asked.after, asked.limit, &asked.resources).await.map_err(failed)?;
    let items = feed.items.into_iter().map(Change::from).collect();
    let page = ChangePage { items, next_cursor: cursor(feed.next) };
    let basis = Basis::feed(&asked.resources);
    Ok(answer::made_from(basis, answer::public(&page, &Languages::default())))
}

fn failed(error: persistence::Error) -> Problem {
    match error {
        persistence::Error::InvalidCursor => Problem::invalid_place(),
        other => Problem::of(COLLECTION)(other),
    }
}

/// The streams of this process: how many there may be, when they are to end, and what they have in
/// common.
pub(crate) struct Streams {
    free: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
    /// What was sent last: streams that wait at the same place for the same are sent it once it is read.
    parts: Cache<Place, Part, Length>,
}

/// What a stream asks for: how far the log went, after which place, and of which collections.
type Place = (Known, i64, String);

/// A part of the feed, as events.
#[derive(Clone)]
struct Part {
    events: Bytes,
    next: i64,
    more: bool,
}

#[derive(Clone)]
struct Length;

impl Weighter<Place, Part> for Length {
    fn weight(&self, _: &Place, part: &Part) -> u64 {
        part.events.len().max(1) as u64
    }
}

impl Streams {
    pub(crate) fn new(stopping: watch::Sender<bool>) -> Self {
        let parts = Cache::with_weighter(PARTS, ROOM, Length);
        Self { free: Arc::new(Semaphore::new(STREAMS)), stopping, parts }
    }
}

/// The feed as server-sent events, for as long as the client listens.
pub(crate) async fn follow(
    _: Anybody,
    request: HttpRequest,
    store: Data<Store>,
    streams: Data<Streams>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::of(&request, &["limit"])?;
    // Who comes back knows better where he was than the address that he began with.
    let (after, unknown): (_, fn() -> Problem) = match request.headers().get("last-event-id") {
        None => (Some(asked.after), Problem::invalid_place),
        Some(id) => (id.to_str().ok().and_then(position), Problem::invalid_event),
    };
    let after = after.ok_or_else(unknown)?;
    if after > store.newest().await.map_err(failed)? {
        return Err(unknown());
    }
    let permit = streams.free.clone().try_acquire_owned();
    let limits = request.app_data::<Data<Limits>>();
    let counted = match limits.zip(client(&request)) {
        Some((limits, client)) => {
            let stream = Stream::open(limits.clone(), client);
            Some(stream.ok_or_else(Problem::too_many_streams)?)
        }
        None => None,
    };
    let following = Following {
        store: store.get_ref().clone(),
        after,
        resources: asked.resources,
        read: None,
        news: store.pulse().news(),
        stopping: streams.stopping.subscribe(),
        streams,
        begun: false,
        _permit: permit.map_err(|_| Problem::too_many_streams())?,
        _counted: counted,
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        // Neither we nor a proxy may keep events back: compression would.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("x-accel-buffering", "no"));
    if request.extensions().contains::<Headless>() {
        return Ok(response.finish());
    }
    Ok(response.streaming(stream::unfold(following, async |mut following| {
        let part = following.next().await?;
        Some((Ok::<_, Infallible>(part), following))
    })))
}

/// A client that follows the feed.
struct Following {
    store: Store,
    after: i64,
    resources: Vec<Collection>,
    /// What was read to its end, as long as nothing comes to it.
    read: Option<Made>,
    streams: Data<Streams>,
    news: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    begun: bool,
    _permit: OwnedSemaphorePermit,
    _counted: Option<Stream>,
}

impl Following {
    /// What is sent next; nothing when the stream is to end, and the client to come back.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            return Some(Bytes::from_static(b"retry: 2000\n\n"));
        }
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            self.news.mark_unchanged();
            match self.part().await {
                Ok(Some(events)) => return Some(events),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a stream of changes ends");
                    return None;
                }
            }
            tokio::select! {
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                _ = self.news.changed() => {}
                () = sleep_until(heartbeat) => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }

    /// The next part of the feed, if there is one by now.
    async fn part(&mut self) -> Result<Option<Bytes>, persistence::Error> {
        let known = self.store.known().await?;
        if self.read.as_ref().is_some_and(|read| self.store.pulse().holds(read)) {
            return Ok(None);
        }
        let names: Vec<_> = self.resources.iter().map(Collection::as_str).collect();
        let place = (known, self.after, names.join(","));
        let read = async {
            let feed = self.store.changes(self.after, PART, &self.resources).await?;
            let events = feed.items.into_iter().map(event).collect::<String>().into();
            Ok::<_, persistence::Error>(Part { events, next: feed.next, more: feed.more })
        };
        let part = self.streams.parts.get_or_insert_async(&place, read).await?;
        self.after = part.next;
        self.read = (!part.more).then(|| Made::from(Basis::feed(&self.resources), known));
        Ok(Some(part.events).filter(|events| !events.is_empty()))
    }
}

fn event(change: PublicChange) -> String {
    let change = Change::from(change);
    let data = serde_json::to_string(&change).expect("a change is JSON");
    format!("id: {}\nevent: change\ndata: {data}\n\n", change.cursor)
}
