use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError, ValidationErrors};

use crate::{
    Citation, Decimal, FullDate, Key, NoDerived, OneOf, Resource, ResultRef, Slug, Text,
    ends_too_early, shape::broken_at, value::words,
};

/// What a result is measured by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Its name in addresses, if it has one.
    pub slug: Option<Slug>,
    /// The result that it measures.
    pub result_id: ResultRef,
    /// What is measured.
    pub title: Text,
    /// In what, after the IATI codelist `IndicatorMeasure`.
    pub measure: IndicatorMeasure,
    /// Whether more is better.
    pub ascending: bool,
    /// What it was before.
    pub baseline: Option<Baseline>,
    /// What was aimed at and reached, by period.
    #[serde(default)]
    pub periods: Vec<IndicatorPeriod>,
    /// What the registry counts for its actual values, instead of their being typed; the results of
    /// the project tell the counts.
    pub computed_from: Option<RegistryMetric>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// What the registry can count for an indicator, of a project and between two days: of what was held,
    /// and begins between them whichever day its date may mean. What may begin between them makes the count
    /// a lower bound, and so do countries that may have had a part and are not named.
    pub enum RegistryMetric {
        /// Seminars that were held.
        SeminarsHeld,
        /// Study visits that were held.
        StudyVisitsHeld,
        /// Presentations given at seminars that were held.
        Presentations,
        /// People who spoke at seminars that were held, each once.
        Speakers,
        /// Countries named as having a part in seminars and study visits that were held, each once: a lower
        /// bound, as there may be others.
        Countries,
        /// People recorded as having taken part in seminars and study visits.
        Participants,
        /// Those of them with a certificate.
        ParticipantsCertified,
        /// Those of them who are women.
        ParticipantsFemale,
    }
}

words! {
    /// In what an indicator is measured.
    pub enum IndicatorMeasure {
        /// Units; IATI 1.
        Unit,
        /// Per cent; IATI 2.
        Percentage,
        /// Names; IATI 3.
        Nominal,
        /// Ranks; IATI 4.
        Ordinal,
        /// Words; IATI 5.
        Qualitative,
    }
}

/// What an indicator was before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// In which year.
    #[schema(minimum = 1900, maximum = 2200)]
    pub year: i64,
    /// The value.
    pub value: Option<Decimal>,
    /// How to read it.
    pub comment: Option<Text>,
}

/// What was aimed at and reached in a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "period_ends_after_it_starts", skip_on_field_errors = false))]
pub struct IndicatorPeriod {
    /// The first day.
    pub from: FullDate,
    /// The last day.
    pub to: FullDate,
    /// What was aimed at.
    pub target: Option<Decimal>,
    /// What was reached; null where the registry counts it.
    pub actual: Option<Decimal>,
    /// How to read it.
    pub comment: Option<Text>,
}

/// Narrows a list of indicators.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IndicatorFilter {
    /// Of one of these results, by id or slug.
    pub result: OneOf<Key>,
    /// Measured in one of these.
    pub measure: OneOf<IndicatorMeasure>,
}

/// Orders a list of indicators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndicatorSort {
    /// By title.
    #[default]
    Title,
}

impl Resource for Indicator {
    const NAME: &'static str = "indicator";
    const COLLECTION: &'static str = "indicators";
    type Filter = IndicatorFilter;
    type SortKey = IndicatorSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(Slug::as_str)
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

impl Validate for Indicator {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut broken = ValidationErrors::new();
        broken.merge_self("periods", self.periods.validate());
        let counted = self.computed_from.is_some();
        for (place, period) in self.periods.iter().enumerate() {
            if counted && period.actual.is_some() {
                let detail = "The registry counts it: leave it out.";
                let at = format!("/periods/{place}/actual");
                broken.add("__all__", broken_at(at, "counted_not_typed", detail));
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }
}

fn period_ends_after_it_starts(it: &IndicatorPeriod) -> Result<(), ValidationError> {
    if it.to.day() < it.from.day() { Err(ends_too_early("/to")) } else { Ok(()) }
}
