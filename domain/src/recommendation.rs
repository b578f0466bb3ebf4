use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Citation, Key, NoDerived, OneOf, OrganisationRef, PersonRef, Resource, SeminarRef, Slug, Text,
    value::words,
};

/// Something that was recommended at a seminar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// Its name in addresses, if it has one.
    pub slug: Option<Slug>,
    /// The seminar that it was given at.
    pub seminar_id: SeminarRef,
    /// Who gave it.
    pub person_id: Option<PersonRef>,
    /// The organisation that gave it.
    pub organisation_id: Option<OrganisationRef>,
    /// What was recommended; null when it was given and its content is not reported.
    pub text: Option<Text>,
    /// Whom it is for.
    pub addressed_to: Option<Text>,
    /// What became of it.
    pub status: RecommendationStatus,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// What became of a recommendation.
    pub enum RecommendationStatus {
        /// Nothing yet.
        Open,
        /// It is to be followed.
        Accepted,
        /// It was followed.
        Done,
        /// It is not to be followed.
        Declined,
    }
}

/// Narrows a list of recommendations.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecommendationFilter {
    /// Given at one of these seminars, by id or slug.
    pub seminar: OneOf<Key>,
    /// Given by one of these people, by id or slug.
    pub person: OneOf<Key>,
    /// Given by one of these organisations, by id or slug.
    pub organisation: OneOf<Key>,
    /// Whose status is one of these.
    pub status: OneOf<RecommendationStatus>,
}

/// Orders a list of recommendations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecommendationSort {
    /// By the time of its record.
    #[default]
    CreatedAt,
}

impl Resource for Recommendation {
    const NAME: &'static str = "recommendation";
    const COLLECTION: &'static str = "recommendations";
    type Filter = RecommendationFilter;
    type SortKey = RecommendationSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(Slug::as_str)
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}
