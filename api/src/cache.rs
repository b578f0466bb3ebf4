//! Finished answers to the public, kept in memory for as long as what they were made from is as it
//! was.
use std::{sync::Arc, time::Duration};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{self, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{
            self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderMap, HeaderValue,
            Preference, Quality,
        },
    },
    middleware::Next,
    web::{Bytes, Data},
};
use chrono::NaiveDate;
use persistence::{Basis, Made, Store};
use quick_cache::{
    Weighter,
    sync::{Cache, EntryAction, EntryResult},
};

use crate::{
    Problem, answer,
    edge::Circumstances,
    export::Format,
    metrics::{Metrics, Route},
    page,
};

/// What an answer takes beside its body, about: most of it are its headers, twice.
const OVERHEAD: usize = 8 * 1024;
/// What it takes to know that an answer is not kept.
const NOTE: usize = 512;
/// How large an answer is on average: it only decides how much room is laid out at first.
const USUAL: usize = 16 * 1024;
/// An answer that takes more than this part of all room is not kept.
const PART: u64 = 8;
/// How long somebody waits for another who is making the same answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// What answers are compressed by.
const ENCODINGS: [Encoding; 5] = [
    Encoding::Known(ContentEncoding::Identity),
    Encoding::Known(ContentEncoding::Brotli),
    Encoding::Known(ContentEncoding::Gzip),
    Encoding::Known(ContentEncoding::Deflate),
    Encoding::Known(ContentEncoding::Zstd),
];

/// The answers that are kept.
pub(crate) struct Answers(Cache<String, Kept, Weight>);

#[derive(Clone)]
enum Kept {
    Answer(Arc<Answer>),
    /// What that address answers is not to be kept.
    Never,
}

struct Answer {
    made: Made,
    route: Arc<str>,
    day: NaiveDate,
    headers: HeaderMap,
    /// What is said to who has it already.
    unchanged: HeaderMap,
    body: Bytes,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Kept> for Weight {
    fn weight(&self, key: &String, kept: &Kept) -> u64 {
        let kept = match kept {
            Kept::Answer(answer) => answer.body.len() + OVERHEAD,
            Kept::Never => NOTE,
        };
        (key.len() + kept) as u64
    }
}

impl Answers {
    /// Keeps answers in so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Cache::with_weighter(bytes / USUAL, bytes as u64, Weight))
    }
}

impl Answer {
    fn holds(&self, store: &Store, day: NaiveDate) -> bool {
        self.day == day && store.pulse().holds(&self.made)
    }

    /// Lets who counts know that it was remembered.
    fn note_for(&self, request: &ServiceRequest) {
        if request.app_data::<Data<Metrics>>().is_some() {
            request.extensions_mut().insert(Route(self.route.clone()));
        }
    }

    /// The answer, or that who asks has it already.
    fn told(&self, request: &ServiceRequest) -> HttpResponse {
        self.note_for(request);
        match answer::has(request.headers(), &self.headers) {
            true => answer::not_modified(self.unchanged.clone()),
            false => self.give(),
        }
    }

    fn give(&self) -> HttpResponse {
        let mut response = HttpResponse::Ok().body(self.body.clone());
        // A copy of the whole looks up no name.
        *response.headers_mut() = self.headers.clone();
        response
    }
}

/// What is in memory and as it would be made now; nothing is waited for.
pub(crate) fn remembered(request: &ServiceRequest) -> Option<HttpResponse> {
    let (answers, store) = kept_for(request)?;
    let Kept::Answer(answer) = answers.0.get(&Asked::of(request)?.key)? else { return None };
    // While it is not known what has changed, just what never changes is known to be as it was.
    let sure = store.pulse().known().is_some() || *answer.made.basis() == Basis::nothing();
    if !sure || !answer.holds(store, store.today()) {
        return None;
    }
    Some(answer.told(request))
}

/// The same, once it is known how far the log goes: one look for all who wait for it.
pub(crate) async fn remembered_after_a_look(request: &ServiceRequest) -> Option<HttpResponse> {
    let (_, store) = kept_for(request)?;
    store.known().await.ok()?;
    remembered(request)
}

/// Makes what is not in memory, and keeps it.
///
/// Who asks for the same at the same time waits for the first.
pub(crate) async fn cached<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let boxed = |answer: ServiceResponse<B>| answer.map_into_boxed_body();
    let (Some((answers, store)), Some(asked)) = (kept_for(&request), Asked::of(&request)) else {
        return next.call(request).await.map(boxed);
    };
    let Ok(known) = store.known().await else { return next.call(request).await.map(boxed) };
    let day = store.today();
    let (answers, store) = (answers.clone(), store.clone());
    let current = |_: &String, kept: &mut Kept| match kept {
        Kept::Answer(answer) if !answer.holds(&store, day) => EntryAction::ReplaceWithGuard,
        other => EntryAction::Retain(other.clone()),
    };
    let waiting = tokio::time::timeout(PATIENCE, answers.0.entry_async(&asked.key, current)).await;
    let place = match waiting {
        Ok(EntryResult::Retained(Kept::Answer(answer))) => {
            let told = answer::free(answer.told(&request));
            return Ok(request.into_response(told));
        }
        Ok(EntryResult::Vacant(place) | EntryResult::Replaced(place, _)) => Some(place),
        _ => None,
    };
    let Some(place) = place else { return next.call(request).await.map(boxed) };
    // Whoever makes the answer is to choose the same.
    let only = HeaderValue::from_static(asked.encoding);
    request.headers_mut().insert(header::ACCEPT_ENCODING, only);
    let answered = next.call(request).await?;
    if answered.status() != StatusCode::OK {
        return Ok(boxed(answered));
    }
    let Some(basis) = answered.response().extensions().get::<Basis>().cloned() else {
        let _ = place.insert(Kept::Never);
        return Ok(boxed(answered));
    };
    let (request, response) = answered.into_parts();
    let (mut head, whole) = response.into_parts();
    let body = body::to_bytes(whole).await.map_err(|error| Problem::broken(error.into()))?;
    // It was told of a stream that is none any more.
    head.headers_mut().remove(header::TRANSFER_ENCODING);
    let anybody = Circumstances::of_anybody(&request);
    anybody.finish(head.headers_mut());
    // What is kept has no more room than it needs.
    let body = Bytes::copy_from_slice(&body);
    let headers = head.headers().clone();
    let mut unchanged = answer::unchanged(&headers);
    anybody.finish(&mut unchanged);
    // What comes to the log while it is made may be in it or not.
    let made = Made::from(basis, known);
    let route = request.match_pattern().unwrap_or_default().into();
    let answer = Answer { made, route, day, headers, unchanged, body };
    let response = answer.give();
    let large = answer.body.len() as u64 > answers.0.capacity() / PART;
    let _ = place.insert(if large { Kept::Never } else { Kept::Answer(Arc::new(answer)) });
    Ok(ServiceResponse::new(request, response))
}

fn kept_for(request: &ServiceRequest) -> Option<(&Data<Answers>, &Data<Store>)> {
    Some((request.app_data()?, request.app_data()?))
}

/// What the answer to that request is to be encoded in.
///
/// Who refuses it as it is gets what every client understands; who refuses that or everything as well
/// gets it as it is all the same, which helps more than nothing.
pub(crate) fn encoding(request: &ServiceRequest) -> &'static str {
    const AS_IT_IS: &str = "identity";
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return AS_IT_IS;
    }
    let Ok(accepted) = AcceptEncoding::parse(request) else { return AS_IT_IS };
    let refuses = |encoding: Preference<Encoding>| {
        accepted.iter().any(|one| one.quality == Quality::ZERO && one.item == encoding)
    };
    match accepted.negotiate(ENCODINGS.iter()) {
        Some(Encoding::Known(chosen)) => chosen.as_str(),
        None if !refuses(Preference::Any) && !refuses(Preference::Specific(Encoding::gzip())) => {
            "gzip"
        }
        _ => AS_IT_IS,
    }
}

/// By what an answer is found again.
struct Asked {
    key: String,
    encoding: &'static str,
}

impl Asked {
    /// None of what is answered to one alone: whoever brings a token, wherever they ask.
    fn of(request: &ServiceRequest) -> Option<Self> {
        // Whether the service is well is asked of nothing but itself.
        let of_all = request.method() == Method::GET
            && !request.path().starts_with("/health/")
            && !request.headers().contains_key(header::AUTHORIZATION);
        let other_form =
            Format::preferred(request.request()).is_some() || page::preferred(request.request());
        if !of_all || other_form {
            return None;
        }
        let encoding = encoding(request);
        let key = [encoding, " ", request.uri().path_and_query()?.as_str()].concat();
        Some(Self { key, encoding })
    }
}
