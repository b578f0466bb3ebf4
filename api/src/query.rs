//! How a list is asked for: a filter, an order, a page.
use actix_web::{HttpRequest, http::header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Resource, SoughtLanguage, State, boolean, parameter_value, parameter_values};
use persistence::{Search, Wanted, Words};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Problem, formats::table::Table, openapi::Paths, problem::Fault};

/// How many kinds of related records one list can bring.
pub(crate) const MOST_INCLUDED: usize = 5;
/// By how many fields one list can be counted.
pub(crate) const MOST_FACETS: usize = 5;
/// How many states of a record one request can name.
pub(crate) const MOST_STATES: usize = 4;
/// How many columns of a file one request can choose.
pub(crate) const MOST_FIELDS: usize = 50;
/// How many languages one request can prefer.
pub(crate) const MOST_LANGUAGES: usize = 10;
pub(crate) const LIMIT: u64 = 20;
pub(crate) const MAX_LIMIT: u64 = 100;
/// How many bytes an answer gets room for at first.
const ROOM: usize = 16 * 1024;
/// How many characters a search has at most.
pub(crate) const MAX_SEARCH: usize = 200;

type Pairs = Vec<(String, String)>;

/// The languages that an answer is wanted in; none means all there are.
#[derive(Clone, Default)]
pub(crate) struct Languages(Vec<SoughtLanguage>);

impl Languages {
    /// The languages that a request for one thing prefers; other parameters are refused.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let mut query = ListQuery::pairs(request)?;
        let languages = query.languages();
        query.refuse_rest();
        query.judge()?;
        Ok(languages)
    }

    fn read(text: &str) -> Result<Self, String> {
        parameter_values(text, MOST_LANGUAGES, str::parse).map(Self)
    }

    /// Whether texts come in all their languages.
    pub(crate) fn are_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Their tags, each once.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        let earlier = |place: usize| self.0[..place].contains(&self.0[place]);
        let each = self.0.iter().enumerate().filter(move |(place, _)| !earlier(*place));
        each.map(|(_, language)| language.as_str())
    }

    /// The language that is preferred to all others.
    pub(crate) fn first(&self) -> Option<&str> {
        self.0.first().map(SoughtLanguage::as_str)
    }

    /// Does something while texts are written in these languages, and says which were found.
    pub(crate) fn during<T>(&self, write: impl FnOnce() -> T) -> (T, Option<String>) {
        if self.0.is_empty() {
            return (write(), None);
        }
        let (written, found) = domain::in_languages(&self.0, write);
        (written, Some(found).filter(|found| !found.is_empty()))
    }

    /// Something as a JSON value, and the languages that its texts are in, if they were chosen.
    pub(crate) fn value<T: Serialize>(&self, of: &T) -> (Value, Option<String>) {
        self.during(|| json!(of))
    }

    /// Something as JSON, and the languages that its texts are in, if they were chosen.
    pub(crate) fn write<T: Serialize>(&self, answer: &T) -> (Vec<u8>, Option<String>) {
        self.during(|| {
            // Most answers fit.
            let mut bytes = Vec::with_capacity(ROOM);
            serde_json::to_writer(&mut bytes, answer).expect("an answer is JSON");
            bytes
        })
    }
}

/// A list query, read once or refused with everything that is wrong.
pub(crate) struct ListQuery {
    pairs: Pairs,
    pub(crate) limit: u64,
    pub(crate) with_total: bool,
    sort: Option<String>,
    cursor: Option<String>,
    pub(crate) languages: Languages,
    include: Vec<String>,
    facets: Vec<String>,
    /// The parameters that change how the list is shown, and not which records it has.
    shown: Pairs,
    /// The parameters that decide which records the list has.
    asked: Pairs,
    /// The names of all parameters that were given.
    given: Vec<String>,
    /// Whether who asks brings a token.
    known: bool,
    faults: Vec<Fault>,
}

impl ListQuery {
    /// The parameters of a request, none of them read yet.
    fn pairs(request: &HttpRequest) -> Result<Self, Problem> {
        let sent: Pairs = serde_html_form::from_str(request.query_string())
            .map_err(|_| Problem::bad_request("The query cannot be read."))?;
        let mut pairs = Pairs::new();
        let mut faults = Vec::new();
        for (name, value) in sent {
            if value.is_empty() || value.contains('\0') {
                faults.push(Fault::parameter(
                    &name,
                    "invalid_parameter",
                    "It has no usable value.",
                ));
            }
            match pairs.iter_mut().find(|(other, _)| *other == name) {
                None => pairs.push((name, value)),
                // Many clients know no other way to send a list.
                Some((_, list)) if Paths::served().is_list(request.path(), &name) => {
                    list.push(',');
                    list.push_str(&value);
                }
                Some(_) => {
                    let detail = format!("{name} is given twice: give it once.");
                    faults.push(Fault::parameter(&name, "repeated_parameter", detail));
                }
            }
        }
        let given = pairs.iter().map(|(name, _)| name.clone()).collect();
        Ok(Self {
            pairs,
            limit: LIMIT,
            with_total: false,
            sort: None,
            cursor: None,
            languages: Languages::default(),
            include: Vec::new(),
            facets: Vec::new(),
            shown: Vec::new(),
            asked: Vec::new(),
            given,
            known: request.headers().contains_key(header::AUTHORIZATION),
            faults,
        })
    }

    /// What a request asks of a list.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let mut query = Self::pairs(request)?;
        let shown =
            |(name, _): &&(String, String)| ["lang", "include", "facets"].contains(&name.as_str());
        query.shown = query.pairs.iter().filter(shown).cloned().collect();
        query.limit = query.read("limit", LIMIT, |text| match text.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            _ => Err(format!("it is a number from 1 to {MAX_LIMIT}")),
        });
        query.with_total = query.flag("with_total");
        query.languages = query.languages();
        (query.include, query.facets) = (query.names("include"), query.names("facets"));
        (query.sort, query.cursor) = (query.take("sort"), query.take("cursor"));
        query.asked = query.pairs.clone();
        Ok(query)
    }

    /// The names that a parameter lists.
    pub(crate) fn names(&mut self, parameter: &str) -> Vec<String> {
        let given = self.take(parameter).unwrap_or_default();
        given.split(',').filter(|_| !given.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// Notes something else that is wrong.
    pub(crate) fn note(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Notes what is wrong with a parameter; the first of its faults is enough.
    fn fault(&mut self, name: &str, code: &str, detail: impl Into<String>) {
        if !self.faults.iter().any(|fault| fault.names(name)) {
            self.faults.push(Fault::parameter(name, code, detail));
        }
    }

    /// What a request asks of a list that has one order only.
    pub(crate) fn of_feed(request: &HttpRequest) -> Result<Self, Problem> {
        Self::pairs(request)
    }

    /// Refuses every parameter.
    pub(crate) fn none(request: &HttpRequest) -> Result<(), Problem> {
        let mut query = Self::pairs(request)?;
        query.refuse_rest();
        query.judge()
    }

    /// What a request asks of a whole list.
    pub(crate) fn of_export(request: &HttpRequest) -> Result<Self, Problem> {
        let mut query = Self::pairs(request)?;
        query.sort = query.take("sort");
        Ok(query)
    }

    /// Whether something is wanted.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        self.read(name, false, boolean)
    }

    /// The columns that are wanted, if not all of them.
    pub(crate) fn fields(&mut self, all: &Table) -> Option<Table> {
        self.read("fields", None, |text| {
            let names: Vec<_> = text.split(',').collect();
            if names.len() > MOST_FIELDS {
                return Err(format!("there are more than {MOST_FIELDS} columns"));
            }
            if (1..names.len()).any(|at| names[..at].contains(&names[at])) {
                return Err("a column comes twice".to_owned());
            }
            let chosen = all.choose(&names);
            let unknown = |names: Vec<String>| format!("no column is called {}", names.join(", "));
            chosen.map(Some).map_err(unknown)
        })
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let place = self.pairs.iter().position(|(given, _)| given == name)?;
        Some(self.pairs.remove(place).1)
    }

    /// The value of a parameter, or a note of why it cannot be used.
    pub(crate) fn read<T>(
        &mut self,
        name: &str,
        absent: T,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        let Some(text) = self.take(name) else { return absent };
        read(&text).unwrap_or_else(|error| {
            let detail = format!("It cannot be used: {error}.");
            self.fault(name, "invalid_parameter", detail);
            absent
        })
    }

    pub(crate) fn languages(&mut self) -> Languages {
        self.read("lang", Languages::default(), Languages::read)
    }

    /// Whether a parameter was given.
    pub(crate) fn gives(&self, parameter: &str) -> bool {
        self.given.iter().any(|name| name == parameter)
    }

    /// Whether parameters are left that nobody has read.
    pub(crate) fn has_rest(&self) -> bool {
        !self.pairs.is_empty()
    }

    /// For requests that have no other parameters than those that were read.
    pub(crate) fn refuse_rest(&mut self) {
        for (name, _) in std::mem::take(&mut self.pairs) {
            self.fault(&name, "unknown_parameter", "There is no such parameter.");
        }
    }

    /// The kinds of related records that are to come with a list that can bring those.
    pub(crate) fn included(&mut self, known: impl FnOnce() -> Vec<String>) -> Vec<String> {
        let asked = std::mem::take(&mut self.include);
        self.among("include", asked, MOST_INCLUDED, known)
    }

    /// The names of what a list that can be counted by those is to be counted by.
    pub(crate) fn counted(&mut self, known: impl FnOnce() -> Vec<String>) -> Vec<String> {
        let asked = std::mem::take(&mut self.facets);
        self.among("facets", asked, MOST_FACETS, known)
    }

    /// The names that were asked for, or a note of those that are not among the known ones.
    pub(crate) fn among(
        &mut self,
        parameter: &str,
        asked: Vec<String>,
        most: usize,
        known: impl FnOnce() -> Vec<String>,
    ) -> Vec<String> {
        if asked.is_empty() {
            return asked;
        }
        let known = known();
        let detail = match asked.iter().find(|name| !known.contains(name)) {
            Some(_) if known.is_empty() => "This list takes none.".to_owned(),
            Some(name) => format!("This list has no {name}; it has: {}.", known.join(", ")),
            None if asked.len() > most => format!("It names at most {most}."),
            None => return asked,
        };
        self.fault(parameter, "invalid_parameter", detail);
        Vec::new()
    }

    /// What it asks of the records of `R`, in the list of that name.
    pub(crate) fn wanted<R: Resource>(&mut self, list: &str) -> Result<Wanted<R>, Problem> {
        let search = self.search();
        let states = self.states();
        let filter = self.filter();
        let sort = self.order();
        self.judge()?;
        if !states.is_empty() && !self.known {
            return Err(Problem::unauthenticated());
        }
        Ok(Wanted {
            filter,
            states,
            sort,
            search,
            after: self.after(list)?,
            limit: self.limit,
            with_total: self.with_total,
            parts: false,
        })
    }

    /// Where records are to stand on their way to the public.
    fn states(&mut self) -> Vec<State> {
        self.read("state", Vec::new(), |text| {
            parameter_values(text, MOST_STATES, parameter_value::<State>)
        })
    }

    /// The words to be found; what they are in comes first unless another order is asked for.
    pub(crate) fn search(&mut self) -> Option<Search> {
        let ranked = self.sort.is_none();
        self.read("q", None, |typed| match typed.chars().count() > MAX_SEARCH {
            true => Err(format!("it has more than {MAX_SEARCH} characters")),
            false => Ok(Some(Search { words: Words::of(typed), ranked })),
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
        for pair in &self.pairs.clone() {
            if self.faults.iter().any(|fault| fault.names(&pair.0)) {
                continue;
            }
            if let Err(error) = read(std::slice::from_ref(pair)) {
                let (code, detail) = if error.starts_with("unknown field") {
                    ("unknown_parameter", "There is no such parameter.".to_owned())
                } else {
                    ("invalid_parameter", format!("It cannot be used: {error}."))
                };
                self.fault(&pair.0, code, detail);
            }
        }
        F::default()
    }

    fn order<S: Copy + Default + PartialEq + DeserializeOwned>(&mut self) -> Vec<(S, bool)> {
        let Some(text) = &self.sort else { return vec![(S::default(), false)] };
        let key = |part: &str| {
            let (name, down) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
            parameter_value(name).map(|key| (key, down))
        };
        let mut order: Vec<(S, bool)> = Vec::new();
        match parameter_values(text, usize::MAX, key) {
            Ok(keys) => {
                for (key, down) in keys {
                    // Records that a key leaves apart are not ordered by it again.
                    if order.iter().all(|(other, _)| *other != key) {
                        order.push((key, down));
                    }
                }
            }
            Err(error) => {
                let detail = format!("It cannot be used: {error}, each also with - before it.");
                self.fault("sort", "invalid_parameter", detail);
            }
        }
        order
    }

    /// Refuses parameters that other lists take.
    pub(crate) fn refuse(&mut self, names: &[&str]) {
        let refused = |name: &str| names.contains(&name);
        self.pairs.retain(|(name, _)| !refused(name));
        self.faults.retain(|fault| !names.iter().any(|name| fault.names(name)));
        for name in self.given.clone().iter().filter(|name| refused(name)) {
            self.fault(name, "unknown_parameter", "There is no such parameter.");
        }
    }

    /// Refuses the request if anything is wrong with its parameters.
    pub(crate) fn judge(&mut self) -> Result<(), Problem> {
        match self.faults.is_empty() {
            true => Ok(()),
            false => Err(Problem::invalid_query(std::mem::take(&mut self.faults))),
        }
    }

    /// The place to go on from, if the cursor was given for this list.
    pub(crate) fn after(&self, list: &str) -> Result<Option<Vec<Value>>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (print, place): (String, Vec<Value>) = serde_json::from_slice(&bytes).ok()?;
            (print == self.print(list)).then_some(place)
        };
        read().map(Some).ok_or_else(Problem::invalid_cursor)
    }

    /// The cursor for what comes after that place.
    pub(crate) fn cursor(&self, list: &str, place: &[Value]) -> String {
        URL_SAFE_NO_PAD.encode(json!([self.print(list), place]).to_string())
    }

    /// Tells lists apart by their filters and their order.
    fn print(&self, list: &str) -> String {
        let mut asked: Vec<_> = self.asked.clone();
        asked.sort();
        let text = json!([list, self.sort, asked]).to_string();
        URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..9])
    }

    /// The cursor and the address of the page after this one, if there is one.
    pub(crate) fn onward(
        &self,
        list: &str,
        next: Option<Vec<Value>>,
    ) -> (Option<String>, Option<String>) {
        let cursor = next.map(|place| self.cursor(list, &place));
        let address = cursor.as_ref().map(|cursor| self.next(list, cursor));
        (cursor, address)
    }

    /// The address of the page after this one.
    fn next(&self, path: &str, cursor: &str) -> String {
        let mut pairs = [&self.asked[..], &self.shown].concat();
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
