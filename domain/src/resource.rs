use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Citation, Document, Initiative, Organisation, Person, Presentation, Project, ProjectResult,
    Ref, Seminar, SeminarSeries, Session, StudyVisit, Topic,
};

/// A kind of record that can be created, read, listed, changed and deleted.
pub trait Resource:
    Clone + Serialize + DeserializeOwned + Validate + ToSchema + Send + Sync + 'static
{
    /// Its name in prose, as in "no such project".
    const NAME: &'static str;
    /// Its collection in the URL.
    const COLLECTION: &'static str;
    /// What a list of it can be narrowed by.
    type Filter: Clone + Default + DeserializeOwned + ToSchema + Send + Sync + 'static;
    /// What a list of it can be ordered by.
    type SortKey: Copy
        + Default
        + PartialEq
        + Serialize
        + DeserializeOwned
        + ToSchema
        + Send
        + Sync
        + 'static;
    /// What its records tell besides what was written, since it follows from other records.
    type Derived: Clone + Serialize + ToSchema + Send + Sync + 'static;

    /// Its name in addresses, if it has one.
    fn slug(&self) -> Option<&str>;
    /// Where its facts come from.
    fn citations(&self) -> &[Citation];
}

/// For resources whose records tell just what was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoDerived {}

/// Names an organisation.
pub type OrganisationRef = Ref<Organisation>;
/// Names a person.
pub type PersonRef = Ref<Person>;
/// Names a project.
pub type ProjectRef = Ref<Project>;
/// Names a seminar series.
pub type SeminarSeriesRef = Ref<SeminarSeries>;
/// Names a seminar.
pub type SeminarRef = Ref<Seminar>;
/// Names a session.
pub type SessionRef = Ref<Session>;
/// Names a presentation.
pub type PresentationRef = Ref<Presentation>;
/// Names an initiative.
pub type InitiativeRef = Ref<Initiative>;
/// Names a study visit.
pub type StudyVisitRef = Ref<StudyVisit>;
/// Names a topic.
pub type TopicRef = Ref<Topic>;
/// Names a result.
pub type ResultRef = Ref<ProjectResult>;
/// Names a document.
pub type DocumentRef = Ref<Document>;
