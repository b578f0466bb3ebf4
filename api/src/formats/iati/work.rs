//! A project with all that is told of it.
use std::collections::HashMap;

use domain::{
    GrantArrangement, GrantArrangementFilter, Iati, IndicatorMeasure, Key, OneOf, Organisation,
    Project, ProjectFilter, ProjectResult, Record, Ref, SeminarFilter, StudyVisitFilter, Text,
};
use persistence::{Error, Moment, Wanted};
use uuid::Uuid;

use crate::reached::{self, Measured};

/// A project with its money, its results and the organisations that it names.
pub(super) struct Work {
    pub(super) id: Uuid,
    pub(super) record: Record<Project>,
    pub(super) organisations: HashMap<Uuid, Organisation>,
    pub(super) grants: Vec<Record<GrantArrangement>>,
    pub(super) results: Vec<(Record<ProjectResult>, Vec<Measured>)>,
    /// Another project that has the same identifier.
    pub(super) twin: Option<String>,
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
of_project!(GrantArrangementFilter, SeminarFilter, StudyVisitFilter);

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
        let results = reached::results(moment, id, smallest).await?;
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
        let is_it = |one: &Organisation| {
            one.iati_org_id.as_ref().is_some_and(|known| known.as_str() == reference)
        };
        // Several may have it, a ministry and its unit: it is the same one each time.
        let found = self.organisations.iter().filter(|(_, one)| is_it(one));
        Some((reference, found.min_by_key(|(id, _)| **id).map(|(_, one)| one)))
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

/// The address of another project that has the same identifier, among those that may be seen.
async fn twin(moment: &Moment, record: &Record<Project>) -> Result<Option<String>, Error> {
    let identifier = record.body.iati.as_ref().and_then(|iati| iati.identifier.clone());
    let Some(identifier) = identifier else { return Ok(None) };
    let filter =
        ProjectFilter { iati_identifier: OneOf(vec![identifier]), ..ProjectFilter::default() };
    let found = moment.first::<Project>(Wanted { limit: 2, ..Wanted::all(filter) }).await?;
    let other = found.into_iter().find(|one| one.id != record.id);
    Ok(other.map(|other| format!("/v1/projects/{}", other.body.slug.as_str())))
}
