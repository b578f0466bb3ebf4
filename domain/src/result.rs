use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{Citation, Key, NoDerived, OneOf, ProjectRef, Resource, Slug, Text, value::words};

/// What a project is to bring about, or has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectResult {
    /// Its name in addresses, if it has one.
    pub slug: Option<Slug>,
    /// The project that it is a result of.
    pub project_id: ProjectRef,
    /// At which level, after the IATI codelist `ResultType`.
    pub kind: ResultKind,
    /// What comes about.
    pub title: Text,
    /// More about it.
    pub description: Option<Text>,
    /// For whom.
    pub target_group: Option<Text>,
    /// How far training is judged: 1 reaction, 2 learning, 3 behaviour, 4 results.
    #[schema(minimum = 1, maximum = 4)]
    pub kirkpatrick_level: Option<i64>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// The level of a result.
    pub enum ResultKind {
        /// What the project delivers; IATI 1.
        Output,
        /// What changes for its target group; IATI 2.
        Outcome,
        /// What changes in the long run; IATI 3.
        Impact,
        /// Another level; IATI 9.
        Other,
    }
}

/// Narrows a list of results.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectResultFilter {
    /// Of one of these projects, by id or slug.
    pub project: OneOf<Key>,
    /// At one of these levels.
    pub kind: OneOf<ResultKind>,
}

/// Orders a list of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProjectResultSort {
    /// By title.
    #[default]
    Title,
}

impl Resource for ProjectResult {
    const NAME: &'static str = "result";
    const COLLECTION: &'static str = "results";
    type Filter = ProjectResultFilter;
    type SortKey = ProjectResultSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(Slug::as_str)
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}
