//! Tokens of an identity provider, after OpenID Connect: who is known there need not have a token of
//! ours.
//!
//! The provider signs a JSON Web Token; it holds while it is for this registry (`iss`, `aud`), its time
//! is not over, one of the provider's keys has signed it, and it names one role of the registry.
mod keys;
mod signature;

use std::{str::FromStr, time::Duration};

use chrono::{DateTime, Utc};
use domain::Role;
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};
use persistence::KeptToken;
use serde_json::{Map, Value};

pub use keys::KeySource;

use crate::Problem;
use keys::Keys;

/// What the names of roles begin with at the provider, where other services have roles as well.
const ROLE: &str = "capacity-hub-";
/// What the log names those by who come from the provider, before their own name there.
const SUBJECT: &str = "oidc:";
/// How many letters that name has at most, after OpenID Connect.
const LONGEST: usize = 255;
/// By how much clocks may differ, in seconds.
const LEEWAY: i64 = 60;

/// An identity provider, and what is expected of its tokens.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// Who it is: the `iss` of its tokens.
    pub issuer: String,
    /// Whom its tokens are to be for: in their `aud`.
    pub audience: String,
    /// Where its keys are.
    pub keys: KeySource,
    /// The claim that names roles; with dots for one that is within others.
    pub roles: String,
    /// How soon after its keys were read they may be read again.
    pub pause: Duration,
}

/// What is needed to know who holds a token of the provider.
pub(crate) struct Provider {
    oidc: Oidc,
    keys: Keys,
}

/// Why a token does not hold: for the log, since nobody else is to be told.
type Doubt = String;

impl Provider {
    pub(crate) fn new(oidc: Oidc) -> Self {
        signature::install();
        Self { keys: Keys::new(oidc.keys.clone(), oidc.pause), oidc }
    }

    /// What a token says of its holder, if it holds.
    ///
    /// While the keys of the provider were never to be had, nobody knows whether it does.
    pub(crate) async fn holder(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<KeptToken>, Problem> {
        let held = match decode_header(token) {
            Ok(header) => {
                let key = self.keys.find(&header).await?;
                key.ok_or_else(|| "no key of the provider is named by it".to_owned())
                    .and_then(|key| self.claims(token, &header, &key))
                    .and_then(|claims| self.told(&claims, now))
            }
            Err(error) => Err(error.to_string()),
        };
        match held {
            Ok(held) => Ok(Some(held)),
            Err(doubt) => {
                tracing::info!(doubt, "a token of the identity provider does not hold");
                Ok(None)
            }
        }
    }

    /// What the provider has signed with that key, for this registry.
    fn claims(
        &self,
        token: &str,
        header: &Header,
        key: &DecodingKey,
    ) -> Result<Map<String, Value>, Doubt> {
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.oidc.issuer]);
        validation.set_audience(&[&self.oidc.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        // The time is that of the registry, and told by it.
        validation.validate_exp = false;
        let read = decode::<Map<String, Value>>(token, key, &validation);
        read.map(|token| token.claims).map_err(|error| error.to_string())
    }

    /// What claims that the provider has signed say.
    fn told(&self, claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<KeptToken, Doubt> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time =
            |name: &str| claims.get(name).map(|at| instant(at).ok_or(format!("{name} is no time")));
        let leeway = chrono::TimeDelta::seconds(LEEWAY);
        let ends = time("exp").ok_or("exp is missing")??;
        if ends + leeway <= now {
            return Err("its time is over".to_owned());
        }
        if time("nbf").transpose()?.is_some_and(|begins| begins - leeway > now) {
            return Err("its time has not begun".to_owned());
        }
        let subject = text("sub").unwrap_or_default();
        if subject.is_empty()
            || subject.len() > LONGEST
            || !subject.bytes().all(|letter| letter.is_ascii_graphic())
        {
            return Err("its sub is no name".to_owned());
        }
        let name = ["name", "preferred_username", "email"].into_iter().find_map(text);
        Ok(KeptToken {
            id: format!("{SUBJECT}{subject}"),
            name: name.unwrap_or(subject).to_owned(),
            role: self.role(claims)?,
            projects: None,
            created_at: time("iat").transpose()?.unwrap_or(now),
            expires_at: ends,
            revoked_at: None,
            last_used_at: None,
        })
    }

    /// The one role that does what all the named ones may do.
    fn role(&self, claims: &Map<String, Value>) -> Result<Role, Doubt> {
        let named = match claim(claims, &self.oidc.roles) {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(names)) => names.split_whitespace().collect(),
            _ => Vec::new(),
        };
        let ours = named.into_iter().filter_map(|name| name.strip_prefix(ROLE));
        let roles: Vec<Role> = ours.filter_map(|name| Role::from_str(name).ok()).collect();
        if roles.is_empty() {
            return Err(format!("{} names no role that begins with {ROLE}", self.oidc.roles));
        }
        let covers = |role: &&Role| roles.iter().all(|other| role.includes(*other));
        let widest = roles.iter().find(covers).copied();
        widest.ok_or_else(|| format!("{} names roles that nobody has together", self.oidc.roles))
    }
}

/// A claim of that name or, where there is none, the one at the end of that path.
fn claim<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        claim(claims.get(first)?.as_object()?, rest)
    })
}

/// Seconds since 1970, which may have a fraction.
fn instant(seconds: &Value) -> Option<DateTime<Utc>> {
    #[allow(clippy::cast_possible_truncation, reason = "a fraction of a second is no matter")]
    let whole = seconds.as_i64().or_else(|| seconds.as_f64().map(|seconds| seconds as i64))?;
    DateTime::from_timestamp(whole, 0)
}
