use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    Citation, CountryCode, IsoDuration, Key, Line, NoDerived, OneOf, OrganisationRef, PartialDate,
    Resource, Slug, Text, TopicCode, Url, in_order, value::words,
};

/// A funded piece of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "dates_in_order", skip_on_field_errors = false))]
pub struct Project {
    /// Its name in addresses, unique among the projects.
    pub slug: Slug,
    /// Its title.
    pub title: Text,
    /// Other titles that sources give it.
    #[serde(default)]
    pub title_variants: Vec<Text>,
    /// What it is to achieve.
    pub objective: Option<Text>,
    /// What it does.
    pub description: Option<Text>,
    /// Whom it is for.
    pub target_group: Option<Text>,
    /// How long it is to take: years, months and days, or weeks.
    pub duration: Option<IsoDuration>,
    /// When it was to begin.
    pub planned_start: Option<PartialDate>,
    /// When it is to end.
    pub planned_end: Option<PartialDate>,
    /// When it began.
    pub actual_start: Option<PartialDate>,
    /// When it ended.
    pub actual_end: Option<PartialDate>,
    /// Where it stands, after the IATI codelist `ActivityStatus`.
    pub status: Option<ProjectStatus>,
    /// Who funds it, runs it and works with it.
    #[serde(default)]
    #[schema(value_type = HashSet<ProjectParty>)]
    pub parties: Vec<ProjectParty>,
    /// Which countries have a part in it.
    #[serde(default)]
    #[schema(value_type = HashSet<ProjectCountry>)]
    pub countries: Vec<ProjectCountry>,
    /// What it consists of.
    #[serde(default)]
    #[schema(value_type = HashSet<ActivityKind>)]
    pub activity_kinds: Vec<ActivityKind>,
    /// What it is about.
    #[serde(default)]
    #[schema(value_type = HashSet<TopicCode>)]
    pub topics: Vec<TopicCode>,
    /// Its website.
    pub website: Option<Url>,
    /// What its publication in IATI needs besides.
    pub iati: Option<Iati>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// Where a project stands.
    pub enum ProjectStatus {
        /// Prepared; IATI 1.
        Pipeline,
        /// Running; IATI 2.
        Implementation,
        /// Activities are over, accounts are open; IATI 3.
        Finalisation,
        /// Over; IATI 4.
        Closed,
        /// Given up; IATI 5.
        Cancelled,
        /// Paused; IATI 6.
        Suspended,
    }
}

/// An organisation that has a part in a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectParty {
    /// Which organisation.
    pub organisation_id: OrganisationRef,
    /// As what.
    pub role: ProjectPartyRole,
}

words! {
    /// The part that an organisation has in a project.
    pub enum ProjectPartyRole {
        /// Pays for it; IATI 1.
        Funder,
        /// Answers for it; IATI 2.
        Accountable,
        /// Manages the money on behalf of the funder; IATI 3.
        Extending,
        /// Carries it out; IATI 4.
        Implementer,
        /// Gives the grant.
        Grantor,
        /// Receives the grant.
        Grantee,
        /// Works with it.
        Partner,
        /// Is its host.
        Host,
        /// Organises it.
        Organiser,
    }
}

/// A country that has a part in a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectCountry {
    /// Which country.
    pub country: CountryCode,
    /// As what.
    pub role: ProjectCountryRole,
    /// The region that the project counts it to, in its own words.
    pub region: Option<Line>,
}

words! {
    /// The part that a country has in a project.
    pub enum ProjectCountryRole {
        /// The project is for it.
        Beneficiary,
        /// It takes part.
        Participating,
        /// It pays.
        Donor,
        /// It shares its experience.
        Expert,
    }
}

words! {
    /// A kind of activity.
    pub enum ActivityKind {
        /// Seminars.
        Seminar,
        /// Workshops.
        Workshop,
        /// Study visits.
        StudyVisit,
        /// Analytical studies.
        Research,
    }
}

/// What the publication of a project in IATI needs besides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Iati {
    /// The identifier of the activity.
    pub identifier: Option<Line>,
    /// The identifier of the organisation that reports.
    pub reporting_org: Option<Line>,
    /// The sectors.
    #[serde(default)]
    pub sectors: Vec<IatiSector>,
    /// The region that benefits.
    pub region: Option<IatiRegion>,
    /// A code of the codelist `AidType`.
    pub aid_type: Option<Line>,
    /// A code of the codelist `FinanceType`.
    pub finance_type: Option<Line>,
    /// A code of the codelist `FlowType`.
    pub flow_type: Option<Line>,
    /// A code of the codelist `TiedStatus`.
    pub tied_status: Option<Line>,
}

/// A sector of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IatiSector {
    /// A code of the codelist `SectorVocabulary`.
    pub vocabulary: Line,
    /// A code of that vocabulary.
    pub code: Line,
    /// How much of the project, in per cent.
    #[schema(minimum = 0, maximum = 100)]
    pub percentage: Option<f64>,
}

/// A region that benefits from a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IatiRegion {
    /// A code of the codelist `RegionVocabulary`.
    pub vocabulary: Line,
    /// A code of that vocabulary.
    pub code: Line,
}

/// Narrows a list of projects.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectFilter {
    /// Whose status is one of these.
    pub status: OneOf<ProjectStatus>,
    /// In which one of these countries has a part.
    pub country: OneOf<CountryCode>,
    /// In which one of these organisations has a part, by id or slug.
    pub organisation: OneOf<Key>,
    /// With one of these kinds of activity.
    pub activity_kind: OneOf<ActivityKind>,
    /// About one of these topics.
    pub topic: OneOf<TopicCode>,
    /// With one of these identifiers of the activity in IATI.
    pub iati_identifier: OneOf<Line>,
}

/// Orders a list of projects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProjectSort {
    /// By title.
    #[default]
    Title,
}

impl Resource for Project {
    const NAME: &'static str = "project";
    const COLLECTION: &'static str = "projects";
    type Filter = ProjectFilter;
    type SortKey = ProjectSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        Some(self.slug.as_str())
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

fn dates_in_order(it: &Project) -> Result<(), ValidationError> {
    in_order(it.planned_start.as_ref(), it.planned_end.as_ref(), "/planned_end")?;
    in_order(it.actual_start.as_ref(), it.actual_end.as_ref(), "/actual_end")
}
