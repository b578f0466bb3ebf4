//! How a list is asked for: a filter, an order, a page.
use actix_web::HttpRequest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Resource;
use persistence::Wanted;
use serde::de::{DeserializeOwned, value::StrDeserializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Problem, problem::Fault};

pub(crate) const LIMIT: u64 = 20;
pub(crate) const MAX_LIMIT: u64 = 100;

type Pairs = Vec<(String, String)>;

/// A list query, read once or refused with everything that is wrong.
pub(crate) struct ListQuery {
    pairs: Pairs,
    pub(crate) limit: u64,
    pub(crate) with_total: bool,
    sort: Option<String>,
    cursor: Option<String>,
    faults: Vec<Fault>,
}

impl ListQuery {
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let pairs: Pairs = serde_html_form::from_str(request.query_string())
            .map_err(|_| Problem::bad_request("The query cannot be read."))?;
        let mut faults = Vec::new();
        for (at, (name, value)) in pairs.iter().enumerate() {
            if pairs[..at].iter().any(|(other, _)| other == name) {
                let detail = "It is given more than once: write several values with commas.";
                faults.push(Fault::parameter(name, "repeated_parameter", detail));
            } else if value.is_empty() || value.contains('\0') {
                faults.push(Fault::parameter(name, "invalid_parameter", "It has no usable value."));
            }
        }
        let mut pairs = pairs;
        let mut take = |wanted: &str| {
            let found =
                pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
            pairs.retain(|(name, _)| name != wanted);
            found
        };
        let limit = take("limit").map_or(LIMIT, |text| match text.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => limit,
            _ => {
                let detail = format!("It is a number from 1 to {MAX_LIMIT}.");
                faults.push(Fault::parameter("limit", "invalid_parameter", detail));
                LIMIT
            }
        });
        let with_total = take("with_total").is_some_and(|text| match text.as_str() {
            "true" => true,
            "false" => false,
            _ => {
                let detail = "It is true or false.";
                faults.push(Fault::parameter("with_total", "invalid_parameter", detail));
                false
            }
        });
        let (sort, cursor) = (take("sort"), take("cursor"));
        Ok(Self { pairs, limit, with_total, sort, cursor, faults })
    }

    /// What it asks of the records of `R`.
    pub(crate) fn wanted<R: Resource>(mut self) -> Result<Wanted<R>, Problem> {
        let filter = self.filter();
        let sort = self.order();
        if !self.faults.is_empty() {
            return Err(Problem::invalid_query(self.faults));
        }
        Ok(Wanted {
            filter,
            sort,
            after: self.after(R::COLLECTION)?,
            limit: self.limit,
            with_total: self.with_total,
        })
    }

    /// The filter, or a note of every parameter that is none.
    pub(crate) fn filter<F: Default + DeserializeOwned>(&mut self) -> F {
        let read = |pairs: &[(String, String)]| {
            let text = serde_html_form::to_string(pairs).map_err(|error| error.to_string())?;
            serde_html_form::from_str::<F>(&text).map_err(|error| error.to_string())
        };
        if let Ok(filter) = read(&self.pairs) {
            return filter;
        }
        for pair in &self.pairs {
            if self.faults.iter().any(|fault| fault.names(&pair.0)) {
                continue;
            }
            if let Err(error) = read(std::slice::from_ref(pair)) {
                let (code, detail) = if error.starts_with("unknown field") {
                    ("unknown_parameter", "There is no such parameter.".to_owned())
                } else {
                    ("invalid_parameter", format!("It cannot be used: {error}."))
                };
                self.faults.push(Fault::parameter(&pair.0, code, detail));
            }
        }
        F::default()
    }

    fn order<S: Copy + Default + PartialEq + DeserializeOwned>(&mut self) -> Vec<(S, bool)> {
        let Some(text) = &self.sort else { return vec![(S::default(), false)] };
        let mut order: Vec<(S, bool)> = Vec::new();
        for part in text.split(',') {
            let (name, down) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
            let key = S::deserialize(StrDeserializer::<serde::de::value::Error>::new(name));
            match key {
                Ok(key) if order.iter().all(|(other, _)| *other != key) => order.push((key, down)),
                Ok(_) => {
                    let detail = "It names a key twice.";
                    self.faults.push(Fault::parameter("sort", "invalid_parameter", detail));
                    break;
                }
                Err(error) => {
                    let detail = format!("It cannot be used: {error}.");
                    self.faults.push(Fault::parameter("sort", "invalid_parameter", detail));
                    break;
                }
            }
        }
        order
    }

    /// For lists that have one order only.
    pub(crate) fn refuse_sort(&mut self) {
        if self.sort.take().is_some() {
            let detail = "There is no such parameter.";
            self.faults.push(Fault::parameter("sort", "unknown_parameter", detail));
        }
    }

    pub(crate) fn faults(self) -> Vec<Fault> {
        self.faults
    }

    /// The place to go on from, if the cursor was given for this list.
    pub(crate) fn after(&self, collection: &str) -> Result<Option<Vec<Value>>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (print, place): (String, Vec<Value>) = serde_json::from_slice(&bytes).ok()?;
            (print == self.print(collection)).then_some(place)
        };
        read().map(Some).ok_or_else(Problem::invalid_cursor)
    }

    /// The cursor for what comes after that place.
    pub(crate) fn cursor(&self, collection: &str, place: &[Value]) -> String {
        URL_SAFE_NO_PAD.encode(json!([self.print(collection), place]).to_string())
    }

    /// Tells lists apart by their filters and their order.
    fn print(&self, collection: &str) -> String {
        let mut pairs: Vec<_> = self.pairs.clone();
        pairs.sort();
        let text = json!([collection, self.sort, pairs]).to_string();
        URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..9])
    }

    /// The address of the page after this one.
    pub(crate) fn next(&self, path: &str, cursor: &str) -> String {
        let mut pairs = self.pairs.clone();
        if let Some(sort) = &self.sort {
            pairs.push(("sort".into(), sort.clone()));
        }
        if self.limit != LIMIT {
            pairs.push(("limit".into(), self.limit.to_string()));
        }
        pairs.push(("cursor".into(), cursor.to_owned()));
        format!("{path}?{}", serde_html_form::to_string(&pairs).unwrap_or_default())
    }
}

impl Clone for ListQuery {
    fn clone(&self) -> Self {
        Self {
            pairs: self.pairs.clone(),
            limit: self.limit,
            with_total: self.with_total,
            sort: self.sort.clone(),
            cursor: self.cursor.clone(),
            faults: Vec::new(),
        }
    }
}
