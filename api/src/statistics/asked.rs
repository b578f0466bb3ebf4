//! What a request asks of statistics.
use std::collections::BTreeSet;

use domain::{
    Code, CountryCode, Dimension, EventStatus, ExchangeRate, GrantArrangement, GrantCapacity,
    Indicator, Key, Measure, Metric, OneOf, Organisation, OrganisationKind, OrganiserRole,
    Presentation, Project, ProjectPartyRole, Region, Resource, ResultKind, Seminar, SeminarKind,
    Seniority, Sex, SoughtCurrency, SpeakerRole, StudyVisit, Subject, Topic,
};
use futures_util::future::LocalBoxFuture;
use persistence::{Among, Basis, Error, Moment, Question, Stored, Value as Wish, Wanted, basis_of};
use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::{
    Problem,
    problem::Fault,
    query::{Languages, ListQuery},
};

/// By how many dimensions figures can be split at once.
pub(crate) const MOST_SPLITS: usize = 3;
/// How many values a filter takes at most.
pub(crate) const MOST_VALUES: usize = 50;

/// The parameter that names the currency of all money.
pub(crate) const CONVERTED_TO: &str = "converted_to";

/// What is asked.
pub(crate) struct Asked {
    pub(crate) subject: Subject,
    pub(crate) group_by: Vec<Dimension>,
    pub(crate) measures: Vec<Measure>,
    /// Whether the measures were asked for by name.
    pub(crate) measures_given: bool,
    pub(crate) filters: Vec<(Dimension, Vec<String>)>,
    /// The currency that all money is to be told in.
    pub(crate) converted_to: Option<SoughtCurrency>,
    pub(crate) languages: Languages,
    list: Box<dyn Narrowing>,
}

/// Narrows figures to some records.
pub(crate) trait Narrowing {
    /// Whether they change with the day, though no record does.
    fn depends_on_day(&self) -> bool;
    /// What it takes to find them.
    fn basis(&self) -> Basis;
    /// Those records; none when all will do.
    fn among<'a>(&'a self, moment: &'a Moment) -> LocalBoxFuture<'a, Result<Option<Among>, Error>>;
}

/// Everything there is.
struct Everything;

/// Narrows figures to single seminars and study visits.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ActivityFilter {
    /// Of one of these seminars, by id or slug.
    seminar: OneOf<Key>,
    /// Of one of these study visits, by id or slug.
    study_visit: OneOf<Key>,
}

impl Narrowing for Everything {
    fn depends_on_day(&self) -> bool {
        false
    }
    fn basis(&self) -> Basis {
        Basis::nothing()
    }
    fn among<'a>(&'a self, _: &'a Moment) -> LocalBoxFuture<'a, Result<Option<Among>, Error>> {
        Box::pin(async { Ok(None) })
    }
}

impl<R: Stored> Narrowing for Wanted<R> {
    fn depends_on_day(&self) -> bool {
        Wanted::depends_on_day(self)
    }
    fn basis(&self) -> Basis {
        Wanted::basis(self, &[], false)
    }
    fn among<'a>(&'a self, moment: &'a Moment) -> LocalBoxFuture<'a, Result<Option<Among>, Error>> {
        Box::pin(async { moment.among(self).await.map(Some) })
    }
}

impl Narrowing for ActivityFilter {
    fn depends_on_day(&self) -> bool {
        false
    }
    fn basis(&self) -> Basis {
        Basis::collections([Seminar::COLLECTION, StudyVisit::COLLECTION])
    }
    fn among<'a>(&'a self, moment: &'a Moment) -> LocalBoxFuture<'a, Result<Option<Among>, Error>> {
        Box::pin(async {
            let mut found = Vec::new();
            for (collection, keys) in
                [(Seminar::COLLECTION, &self.seminar), (StudyVisit::COLLECTION, &self.study_visit)]
            {
                if !keys.0.is_empty() {
                    found.extend(moment.named(collection, &texts(keys)).await?);
                }
            }
            Ok(Some(Among::these(found)))
        })
    }
}

fn texts(keys: &OneOf<Key>) -> Vec<String> {
    keys.0.iter().map(|key| key.as_str().to_owned()).collect()
}

impl Asked {
    /// Reads what a request asks, or refuses it with everything that is wrong; other parameters
    /// have been read before.
    pub(crate) fn read(
        query: &mut ListQuery,
        subject: Subject,
        registrar: bool,
    ) -> Result<Self, Problem> {
        let languages = query.languages();
        let group_by =
            listed(query, "group_by", MOST_SPLITS, subject.dimensions(), Dimension::name);
        let known: Vec<_> =
            subject.definitions().iter().map(|definition| definition.measure).collect();
        let given = query.gives("measure");
        let mut measures = listed(query, "measure", known.len(), &known, Measure::name);
        let mut filters = Vec::new();
        for dimension in filtering(subject) {
            let fits = fitting(dimension, subject);
            let values = query.read(dimension.name(), Vec::new(), |text| values(text, &fits));
            if !values.is_empty() {
                filters.push((dimension, values));
            }
        }
        let mut converted_to = None;
        if subject == Subject::Finance {
            converted_to =
                query.read(CONVERTED_TO, None, |text| text.parse::<SoughtCurrency>().map(Some));
        }
        let list = list(subject, query);
        if measures.is_empty() {
            measures = known;
            if subject == Subject::Participants && !registrar {
                measures.retain(|measure| *measure == Measure::Count);
            }
        }
        let asked = Self {
            subject,
            group_by,
            measures,
            measures_given: given,
            filters,
            converted_to,
            languages,
            list,
        };
        query.judge()?;
        if asked.converted_to.is_some() && asked.group_by.contains(&Dimension::Currency) {
            return Err(Problem::already_converted());
        }
        let reveals = match subject == Subject::Participants && !registrar {
            true => asked.reveals(),
            false => Vec::new(),
        };
        if reveals.is_empty() { Ok(asked) } else { Err(Problem::too_revealing(reveals)) }
    }

    /// What the public may not ask of participants.
    fn reveals(&self) -> Vec<Fault> {
        let fault =
            |parameter: &str, detail: &str| Fault::parameter(parameter, "too_revealing", detail);
        let mut found = Vec::new();
        if self.measures_given && self.measures.iter().any(|measure| *measure != Measure::Count) {
            let detail = "Days attended are told to registrars only: ask for the count.";
            found.push(fault("measure", detail));
        }
        let filters = self.filters.iter().map(|(dimension, _)| (*dimension, dimension.name()));
        let all = self.group_by.iter().map(|dimension| (*dimension, "group_by")).chain(filters);
        let mut families = BTreeSet::new();
        for (dimension, parameter) in all.filter(|(dimension, _)| dimension.is_personal()) {
            families.insert(family(dimension));
            let detail = match dimension {
                Dimension::Organisation => {
                    "Organisations of participants are told to registrars only: ask for organisation_kind."
                }
                _ if families.len() > 1 => {
                    "Figures of participants are split and narrowed by one thing about a person at a time: several together would tell of single people."
                }
                _ => continue,
            };
            found.push(fault(parameter, detail));
        }
        found
    }

    /// Whether the figures change with the day, though no record does.
    pub(crate) fn depends_on_day(&self) -> bool {
        self.list.depends_on_day()
    }

    /// What the figures are made from.
    pub(crate) fn basis(&self) -> Basis {
        let filters = self.filters.iter().map(|(dimension, _)| *dimension);
        let figures = basis_of(self.subject, self.group_by.iter().copied().chain(filters));
        let rates = self.converted_to.is_some().then_some(ExchangeRate::COLLECTION);
        figures.and(self.list.basis()).and(Basis::collections(rates))
    }

    /// The question to the database.
    pub(crate) async fn question(&self, moment: &Moment) -> Result<Question, Error> {
        let mut filters = Vec::new();
        for (dimension, values) in &self.filters {
            let collection = match dimension {
                Dimension::Project => Some(Project::COLLECTION),
                Dimension::Organisation => Some(Organisation::COLLECTION),
                Dimension::Topic => Some(Topic::COLLECTION),
                _ => None,
            };
            let wishes = match collection {
                Some(collection) => moment.named(collection, values).await?,
                None => values.iter().cloned().map(Wish::Code).collect(),
            };
            filters.push((*dimension, wishes));
        }
        Ok(Question {
            subject: self.subject,
            group_by: self.group_by.clone(),
            filters,
            among: self.list.among(moment).await?,
        })
    }
}

/// What of a person a dimension tells: a country and its region are one fact.
pub(crate) fn family(dimension: Dimension) -> Dimension {
    if dimension == Dimension::Region { Dimension::Country } else { dimension }
}

/// What a parameter names, among what there is.
fn listed<T: Copy>(
    query: &mut ListQuery,
    parameter: &str,
    most: usize,
    known: &[T],
    name: fn(T) -> &'static str,
) -> Vec<T> {
    let mut asked = query.names(parameter);
    if (1..asked.len()).any(|at| asked[..at].contains(&asked[at])) {
        query.note(Fault::parameter(parameter, "invalid_parameter", "It names something twice."));
        asked.clear();
    }
    let names = || known.iter().map(|one| name(*one).to_owned()).collect();
    let asked = query.among(parameter, asked, most, names);
    let find = |wanted: &String| known.iter().copied().find(|one| name(*one) == wanted);
    asked.iter().filter_map(find).collect()
}

/// The dimensions that narrow figures by themselves; the others are filters of the list.
pub(crate) fn filtering(subject: Subject) -> Vec<Dimension> {
    let own: Vec<_> = match subject {
        Subject::Seminars => {
            let mut own = property_names::<<Seminar as Resource>::Filter>();
            // Figures are split by who holds a seminar, and the list takes speakers as well: what is
            // narrowed to an organisation has to be what is counted under it.
            own.retain(|name| name != Dimension::Organisation.name());
            own
        }
        Subject::StudyVisits => property_names::<<StudyVisit as Resource>::Filter>(),
        Subject::Presentations => property_names::<<Presentation as Resource>::Filter>(),
        _ => Vec::new(),
    };
    let apart = subject.kept_apart().iter().filter(|one| !subject.dimensions().contains(one));
    let all = subject.dimensions().iter().chain(apart).copied();
    all.filter(|dimension| !own.iter().any(|name| name == dimension.name())).collect()
}

/// The names of the fields that a type has in the contract.
pub(crate) fn property_names<T: PartialSchema>() -> Vec<String> {
    let schema = json!(T::schema());
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields.map(|(name, _)| name.clone()).collect()
}

/// Reads the filters of the list that a subject counts from.
fn list(subject: Subject, query: &mut ListQuery) -> Box<dyn Narrowing> {
    fn of<R: Stored>(query: &mut ListQuery) -> Box<dyn Narrowing> {
        let search = query.search();
        let filter = query.filter::<R::Filter>();
        Box::new(Wanted::<R> { search, ..Wanted::all(filter) })
    }
    if !query.has_rest() {
        return Box::new(Everything);
    }
    match subject {
        Subject::Seminars => of::<Seminar>(query),
        Subject::StudyVisits => of::<StudyVisit>(query),
        Subject::Presentations | Subject::Speakers => of::<Presentation>(query),
        Subject::Organisations => of::<Organisation>(query),
        Subject::Finance => of::<GrantArrangement>(query),
        Subject::Results => of::<Indicator>(query),
        Subject::Participants | Subject::Attendance => Box::new(query.filter::<ActivityFilter>()),
    }
}

/// What the values of a dimension look like, as a schema: a list of all, or a pattern.
pub(crate) fn fitting(dimension: Dimension, subject: Subject) -> Value {
    let pattern = |pattern: &str, example: &str| json!({"type": "string", "pattern": pattern, "examples": [example]});
    match dimension {
        Dimension::Year => pattern("^[12][0-9]{3}$", "2021"),
        Dimension::Quarter => pattern("^[12][0-9]{3}-Q[1-4]$", "2021-Q4"),
        Dimension::Month => pattern("^[12][0-9]{3}-(?:0[1-9]|1[0-2])$", "2021-11"),
        Dimension::Country => json!(CountryCode::schema()),
        Dimension::Region => json!(Region::schema()),
        Dimension::Topic => json!(Code::schema()),
        Dimension::Kind if subject == Subject::Results => json!(ResultKind::schema()),
        Dimension::Kind => {
            either(&[json!(SeminarKind::schema()), json!({"enum": ["study_visit"]})])
        }
        Dimension::Status => json!(EventStatus::schema()),
        Dimension::Project | Dimension::Organisation => json!(Key::schema()),
        Dimension::OrganisationKind => json!(OrganisationKind::schema()),
        Dimension::Role if subject == Subject::Organisations => either(&[
            json!(ProjectPartyRole::schema()),
            json!(OrganiserRole::schema()),
            json!(GrantCapacity::schema()),
            json!({"enum": ["stop", "speaker"]}),
        ]),
        Dimension::Role => json!(SpeakerRole::schema()),
        Dimension::Sex => json!(Sex::schema()),
        Dimension::Seniority => json!(Seniority::schema()),
        Dimension::Certified => json!({"enum": ["true", "false"]}),
        Dimension::Metric => json!(Metric::schema()),
        Dimension::Flow => {
            json!({"enum": ["agreed", "budgeted", "promised", "received", "committed", "disbursed", "spent"]})
        }
        Dimension::Currency => json!(SoughtCurrency::schema()),
    }
}

/// The values of several lists, each once.
fn either(lists: &[Value]) -> Value {
    let all = lists.iter().flat_map(|list| list["enum"].as_array().into_iter().flatten());
    let mut values: Vec<&Value> = Vec::new();
    for value in all {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    json!({"type": "string", "enum": values})
}

/// The values that a filter gives, each as the schema has it.
fn values(text: &str, fits: &Value) -> Result<Vec<String>, String> {
    let values: Vec<_> = text.split(',').map(str::to_owned).collect();
    if values.len() > MOST_VALUES {
        return Err(format!("there are more than {MOST_VALUES} values"));
    }
    let pattern = fits["pattern"].as_str().and_then(|pattern| Regex::new(pattern).ok());
    let known = fits["enum"].as_array();
    let fit = |value: &&String| match (known, &pattern) {
        (Some(known), _) => known.iter().any(|one| one == value.as_str()),
        (None, Some(pattern)) => pattern.is_match(value),
        (None, None) => true,
    };
    match values.iter().find(|value| !fit(value)) {
        Some(value) => Err(format!("{value:?} is none of its values")),
        None => Ok(values),
    }
}
