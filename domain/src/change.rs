//! What is told of the changes of any resource.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    Checked, Document, ExchangeRate, GrantArrangement, Indicator, Initiative, Kind, OneOf,
    Organisation, Person, Presentation, Project, ProjectResult, Recommendation, Resource, Seminar,
    SeminarSeries, Session, Statement, StudyVisit, Topic, value::kind,
};

kind!(/// A collection of records, by its name in addresses.
    Collection, CollectionKind, "seminars", "^[a-z-]{1,40}$",
    "no collection of records, such as seminars", max 40,
    of collections());

/// The name of every collection, in the order of the contract.
#[must_use]
pub fn collections() -> Vec<&'static str> {
    vec![
        Project::COLLECTION,
        GrantArrangement::COLLECTION,
        SeminarSeries::COLLECTION,
        Seminar::COLLECTION,
        Session::COLLECTION,
        Presentation::COLLECTION,
        Statement::COLLECTION,
        Initiative::COLLECTION,
        StudyVisit::COLLECTION,
        Organisation::COLLECTION,
        Person::COLLECTION,
        Topic::COLLECTION,
        ProjectResult::COLLECTION,
        Indicator::COLLECTION,
        Recommendation::COLLECTION,
        ExchangeRate::COLLECTION,
        Document::COLLECTION,
    ]
}

/// Narrows the feed of changes.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeFilter {
    /// The cursor after which to go on; from the first change when left out.
    pub after: Option<String>,
    /// Changes of records of one of these collections.
    pub resource: OneOf<Collection>,
}
