use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{Citation, Key, NoDerived, OneOf, ProjectRef, Resource, Slug, Text};

/// A row of seminars that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeminarSeries {
    /// Its name in addresses, unique among the seminar series.
    pub slug: Slug,
    /// The project that holds it.
    pub project_id: ProjectRef,
    /// Its name.
    pub name: Text,
    /// What it is about.
    pub theme: Option<Text>,
    /// How many seminars are planned.
    #[schema(minimum = 1, maximum = 10000)]
    pub planned_count: Option<i64>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

/// Narrows a list of seminar series.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SeminarSeriesFilter {
    /// Of one of these projects, by id or slug.
    pub project: OneOf<Key>,
}

/// Orders a list of seminar series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeminarSeriesSort {
    /// By name.
    #[default]
    Name,
}

impl Resource for SeminarSeries {
    const NAME: &'static str = "seminar series";
    const COLLECTION: &'static str = "seminar-series";
    type Filter = SeminarSeriesFilter;
    type SortKey = SeminarSeriesSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        Some(self.slug.as_str())
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}
