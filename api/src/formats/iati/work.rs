//! A project with all that is told of it.
use std::collections::HashMap;

use domain::{
    GrantArrangement, GrantArrangementFilter, Iati, Indicator, IndicatorFilter, IndicatorMeasure,
    Key, OneOf, Organisation, Project, ProjectFilter, ProjectResult, ProjectResultFilter,
    Qualifier, Record, Ref, SeminarFilter, StudyVisitFilter, Text,
};
use persistence::{Count, Error, Moment, Wanted};
use uuid::Uuid;

use crate::dashboard::number;

/// A project with its money, its results and the organisations that it names.
pub(super) struct Work {
    pub(super) id: Uuid,
    pub(super) record: Record<Project>,
    pub(super) organisations: HashMap<Uuid, Organisation>,
    pub(super) grants: Vec<Record<GrantArrangement>>,
    pub(super) results: Vec<(Record<ProjectResult>, Vec<Measure>)>,
    /// Another project that has the same identifier.
    pub(super) twin: Option<String>,
}

/// What a result is measured by.
pub(super) struct Measure {
    pub(super) id: Uuid,
    pub(super) indicator: Indicator,
    /// What was reached, by period.
    pub(super) reached: Vec<Reached>,
}

/// What was reached in a period, typed or counted; nothing where it is not known or withheld.
pub(super) struct Reached {
    pub(super) value: Option<String>,
    /// How a value that was counted is to be understood.
    pub(super) counted: Option<Qualifier>,
}

/// A filter that keeps what belongs to projects.
pub(super) trait OfProject: Default {
    fn project(&mut self) -> &mut OneOf<Key>;
}

macro_rules! of_project {
    ($($filter:ty),*) => {$(
        impl OfProject for $filter {
            fn project(&mut self) -> &mut OneOf<Key> {
                &mut self.project
            }
        }
    )*};
}
of_project!(GrantArrangementFilter, ProjectResultFilter, SeminarFilter, StudyVisitFilter);

/// Keeps what belongs to that project.
pub(super) fn of_project<F: OfProject>(work: &Work) -> F {
    of(work.id)
}

fn of<F: OfProject>(project: Uuid) -> F {
    let mut filter = F::default();
    *filter.project() = OneOf::key(project);
    filter
}

impl Work {
    pub(super) async fn of(
        moment: &Moment,
        record: Record<Project>,
        smallest: u64,
    ) -> Result<Self, Error> {
        let id = record.id;
        let grants = moment.all::<GrantArrangement>(Wanted::all(of(id))).await?;
        let results = results(moment, id, smallest).await?;
        let twin = twin(moment, &record).await?;
        let parties = record.body.parties.iter().map(|party| party.organisation_id.id());
        let paid = grants.iter().flat_map(|grant| {
            let parties = grant.body.parties.iter().map(|party| &party.organisation_id);
            let moved = grant.body.transactions.iter();
            let moved = moved.flat_map(|one| one.provider_id.iter().chain(&one.receiver_id));
            parties.chain(moved).map(Ref::id)
        });
        let organisations = moment.by_id(parties.chain(paid)).await?;
        Ok(Self { id, record, organisations, grants, results, twin })
    }

    pub(super) fn project(&self) -> &Project {
        &self.record.body
    }

    pub(super) fn iati(&self) -> Option<&Iati> {
        self.record.body.iati.as_ref()
    }

    /// The identifier of the organisation that reports, and that organisation if it is known.
    pub(super) fn reporter(&self) -> Option<(&str, Option<&Organisation>)> {
        let reference = self.iati()?.reporting_org.as_ref()?.as_str();
        let is_it = |one: &&Organisation| {
            one.iati_org_id.as_ref().is_some_and(|known| known.as_str() == reference)
        };
        Some((reference, self.organisations.values().find(is_it)))
    }

    /// The identifier of the activity.
    pub(super) fn identifier(&self) -> &str {
        let identifier = self.iati().and_then(|iati| iati.identifier.as_ref());
        identifier.map_or("", |identifier| identifier.as_str())
    }
}

/// What is told of a value and its comment: the standard has words without a value only where words
/// are what is measured, and there no value.
pub(super) fn told<'a>(
    measure: IndicatorMeasure,
    value: Option<&'a str>,
    comment: Option<&'a Text>,
) -> (Option<&'a str>, Option<&'a Text>) {
    let in_words = measure == IndicatorMeasure::Qualitative;
    let value = value.filter(|_| !in_words);
    (value, comment.filter(|_| in_words || value.is_some()))
}

/// The results of a project, each with what it is measured by: however much that is, the counts of a
/// project take the same number of queries.
async fn results(
    moment: &Moment,
    project: Uuid,
    smallest: u64,
) -> Result<Vec<(Record<ProjectResult>, Vec<Measure>)>, Error> {
    let found = moment.all::<ProjectResult>(Wanted::all(of(project))).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let result = OneOf(found.iter().flat_map(|one| OneOf::key(one.id).0).collect());
    let filter = IndicatorFilter { result, ..IndicatorFilter::default() };
    let indicators = moment.all::<Indicator>(Wanted::all(filter)).await?;
    let mut asked = Vec::new();
    for Record { body, .. } in &indicators {
        let counts = body.computed_from.into_iter().flat_map(|metric| {
            let periods = body.periods.iter().map(|period| (period.from.day(), period.to.day()));
            periods.map(move |(from, to)| Count { metric, project, from, to })
        });
        asked.extend(counts);
    }
    let mut counted = moment.counted(&asked, smallest).await?.into_iter();
    let mut by_result: HashMap<Uuid, Vec<Measure>> = HashMap::new();
    for Record { id, body: indicator, .. } in indicators {
        let counts = indicator.computed_from.is_some();
        let reached = indicator.periods.iter().map(|period| match counts {
            true => {
                let (value, counted) = counted.next().map_or((None, None), number);
                Reached { value: value.map(|value| value.to_string()), counted }
            }
            false => {
                let typed = period.actual.as_ref().map(|value| value.as_str().to_owned());
                Reached { value: typed, counted: None }
            }
        });
        let reached = reached.collect();
        let of = by_result.entry(indicator.result_id.id()).or_default();
        of.push(Measure { id, indicator, reached });
    }
    let results = found.into_iter().map(|one| {
        let measures = by_result.remove(&one.id).unwrap_or_default();
        (one, measures)
    });
    Ok(results.collect())
}

/// The address of another project that has the same identifier, among those that may be seen.
async fn twin(moment: &Moment, record: &Record<Project>) -> Result<Option<String>, Error> {
    let identifier = record.body.iati.as_ref().and_then(|iati| iati.identifier.clone());
    let Some(identifier) = identifier else { return Ok(None) };
    let filter =
        ProjectFilter { iati_identifier: OneOf(vec![identifier]), ..ProjectFilter::default() };
    let found = moment.first::<Project>(Wanted::all(filter), 2).await?;
    let other = found.into_iter().find(|one| one.id != record.id);
    Ok(other.map(|other| format!("/v1/projects/{}", other.body.slug.as_str())))
}
