//! A project with all that is told of it.
use std::collections::HashMap;

use domain::{
    GrantArrangement, GrantArrangementFilter, Iati, Indicator, IndicatorFilter, Key, OneOf,
    Organisation, Project, ProjectResult, ProjectResultFilter, Record, Ref, SeminarFilter,
    StudyVisitFilter,
};
use persistence::{Error, Moment, Wanted};
use uuid::Uuid;

/// A project with its money, its results and the organisations that it names.
pub(super) struct Work {
    pub(super) id: Uuid,
    pub(super) record: Record<Project>,
    pub(super) organisations: HashMap<Uuid, Organisation>,
    pub(super) grants: Vec<Record<GrantArrangement>>,
    pub(super) results: Vec<(ProjectResult, Vec<Indicator>)>,
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
    pub(super) async fn of(moment: &Moment, record: Record<Project>) -> Result<Self, Error> {
        let id = record.id;
        let grants = moment.all::<GrantArrangement>(Wanted::all(of(id))).await?;
        let found = moment.all::<ProjectResult>(Wanted::all(of(id))).await?;
        let mut indicators: HashMap<Uuid, Vec<Indicator>> = HashMap::new();
        if !found.is_empty() {
            let result = OneOf(found.iter().flat_map(|one| OneOf::key(one.id).0).collect());
            let filter = IndicatorFilter { result, ..IndicatorFilter::default() };
            for one in moment.all::<Indicator>(Wanted::all(filter)).await? {
                indicators.entry(one.body.result_id.id()).or_default().push(one.body);
            }
        }
        let results = found.into_iter().map(|one| {
            let indicators = indicators.remove(&one.id).unwrap_or_default();
            (one.body, indicators)
        });
        let results = results.collect();
        let parties = record.body.parties.iter().map(|party| party.organisation_id.id());
        let paid = grants.iter().flat_map(|grant| {
            let parties = grant.body.parties.iter().map(|party| &party.organisation_id);
            let moved = grant.body.transactions.iter();
            let moved = moved.flat_map(|one| one.provider_id.iter().chain(&one.receiver_id));
            parties.chain(moved).map(Ref::id)
        });
        let organisations = moment.by_id(parties.chain(paid)).await?;
        Ok(Self { id, record, organisations, grants, results })
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
