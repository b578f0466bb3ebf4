//! The keys that an identity provider signs with.
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    DecodingKey, Header,
    jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse},
};
use tokio::sync::Mutex;
use url::Url;

use crate::{Problem, delivery};

/// How long keys are used before it is looked whether there are others.
const FRESH: Duration = Duration::from_hours(1);
/// How many bytes the keys have at most.
const MOST: usize = 256 * 1024;

/// Where the keys of an identity provider are, as a JSON Web Key Set (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Address(Url),
}

impl KeySource {
    /// Reads the keys as they are now.
    ///
    /// # Errors
    /// When they cannot be had, or are none.
    pub async fn read(&self) -> Result<JwkSet, String> {
        let bytes = match self {
            Self::File(file) => tokio::fs::read(file).await.map_err(|error| error.to_string())?,
            Self::Address(address) => {
                fetch(address).await.map_err(|error| error.without_url().to_string())?
            }
        };
        serde_json::from_slice(&bytes).map_err(|error| format!("they are no key set: {error}"))
    }
}

/// What is at an address; cut off where it is longer than any keys.
async fn fetch(address: &Url) -> reqwest::Result<Vec<u8>> {
    // Who runs the service has chosen the address, so it may be one that is not public.
    let client = delivery::client(true)?;
    let mut response = client.get(address.clone()).send().await?.error_for_status()?;
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await? {
        bytes.extend_from_slice(&part);
        if bytes.len() > MOST {
            break;
        }
    }
    Ok(bytes)
}

/// The keys, as they were last read.
pub(super) struct Keys(Arc<Inner>);

struct Inner {
    source: KeySource,
    /// How soon they may be read again.
    pause: Duration,
    known: RwLock<Known>,
    /// Whose turn it is to read them.
    turn: Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Option<Arc<JwkSet>>,
    /// When they were read.
    read: Option<Instant>,
    /// When it was last tried to read them.
    tried: Option<Instant>,
}

impl Known {
    /// The key that a token says it is signed with; without a name, the only one of its sort.
    fn find(&self, header: &Header) -> Option<DecodingKey> {
        let fits = |key: &&Jwk| {
            let signs = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
            let secret = matches!(key.algorithm, AlgorithmParameters::OctetKey(_));
            let algorithm = key.common.key_algorithm.map(|algorithm| algorithm.to_string());
            let named = header.kid.is_none() || key.common.key_id == header.kid;
            let of_its_sort = algorithm.is_none_or(|one| one == format!("{:?}", header.alg));
            signs && !secret && named && of_its_sort
        };
        let keys = self.keys.as_ref()?.keys.iter().filter(fits);
        let keys = keys.filter_map(|key| DecodingKey::from_jwk(key).ok());
        let mut fitting = keys.filter(|key| key.family() == header.alg.family());
        let found = fitting.next()?;
        let several = header.kid.is_none() && fitting.next().is_some();
        (!several).then_some(found)
    }

    /// Whether they have to be read again, and may be.
    fn is_due(&self, pause: Duration) -> bool {
        !within(self.read, FRESH) && !within(self.tried, pause)
    }
}

/// Whether it was then, and no longer ago than that.
fn within(then: Option<Instant>, time: Duration) -> bool {
    then.is_some_and(|then| then.elapsed() < time)
}

impl Keys {
    pub(super) fn new(source: KeySource, pause: Duration) -> Self {
        Self(Arc::new(Inner { source, pause, known: RwLock::default(), turn: Mutex::default() }))
    }

    /// The key that a token says it is signed with, if there is one.
    ///
    /// A key that is not known may be new; one that is known is used while it is looked, behind the
    /// request, whether there are others.
    pub(super) async fn find(&self, header: &Header) -> Result<Option<DecodingKey>, Problem> {
        let known = self.0.known();
        if let Some(key) = known.find(header) {
            if known.is_due(self.0.pause) {
                let keys = self.0.clone();
                tokio::spawn(async move { keys.read().await });
            }
            return Ok(Some(key));
        }
        // By itself: a request that goes away would take with it that they were asked for.
        let keys = self.0.clone();
        let _ = tokio::spawn(async move { keys.read().await }).await;
        let known = self.0.known();
        match known.keys {
            Some(_) => Ok(known.find(header)),
            None => Err(Problem::unavailable()),
        }
    }
}

impl Inner {
    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keys, unless somebody has just done so; without an answer the known ones stay.
    async fn read(&self) {
        let _turn = self.turn.lock().await;
        let known = self.known();
        if within(known.tried, self.pause) {
            return;
        }
        let found = self.source.read().await;
        let now = Some(Instant::now());
        let read = match found {
            Ok(keys) => Known { keys: Some(Arc::new(keys)), read: now, tried: now },
            Err(error) => {
                tracing::warn!(error, "the keys of the identity provider cannot be read");
                Known { tried: now, ..known }
            }
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = read;
    }
}
