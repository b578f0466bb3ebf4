use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    Citation, Count, Country, CountryCode, EventCountryRole, EventStatus, Key, NoDerived, OneOf,
    OrganisationRef, PartialDate, ProjectRef, Resource, Slug, Text, TopicCode,
    count::counts_each_once, in_order, in_words,
};

/// A visit of civil servants to another country, to see how things are done there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "ends_after_it_starts", skip_on_field_errors = false))]
pub struct StudyVisit {
    /// Its name in addresses, unique among the study visits.
    pub slug: Slug,
    /// The project that holds it.
    pub project_id: ProjectRef,
    /// Its title.
    pub title: Option<Text>,
    /// The country that is visited.
    pub host_country: CountryCode,
    /// The first day.
    pub starts_on: Option<PartialDate>,
    /// The last day.
    pub ends_on: Option<PartialDate>,
    /// Whether it takes place.
    pub status: EventStatus,
    /// Who is visited.
    #[serde(default)]
    pub stops: Vec<VisitStop>,
    /// Which countries are named as having a part in it.
    #[serde(default)]
    #[schema(value_type = HashSet<VisitCountry>)]
    pub countries: Vec<VisitCountry>,
    /// How many came, as it was published; one number of each thing that was counted.
    #[serde(default)]
    #[validate(custom(function = "counts_each_once"))]
    pub attendance: Vec<Count>,
    /// What it is about, by topic.
    #[serde(default)]
    #[schema(value_type = HashSet<TopicCode>)]
    pub topics: Vec<TopicCode>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

impl StudyVisit {
    /// What to call it: its title, or else what it is and which country is visited.
    #[must_use]
    pub fn label(&self) -> Text {
        if let Some(title) = &self.title {
            return title.clone();
        }
        let country = Country::find(self.host_country.as_str());
        let told = in_words("study_visit");
        let told = told.entries().map(|(language, words)| {
            let mut letters = words.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            let words: String = first.chain(letters).collect();
            let mut names = country.into_iter().flat_map(|country| country.names.entries());
            let words = match names.find(|(known, _)| *known == language) {
                Some((_, name)) => format!("{words}: {name}"),
                None => words,
            };
            (language.to_owned(), words)
        });
        Text::of(told)
    }
}

/// An organisation that is visited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitStop {
    /// Which organisation.
    pub organisation_id: OrganisationRef,
    /// When.
    pub on: Option<PartialDate>,
    /// What about.
    pub subject: Option<Text>,
}

/// A country that has a part in a study visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitCountry {
    /// Which country.
    pub country: CountryCode,
    /// As what.
    pub role: EventCountryRole,
}

/// Narrows a list of study visits.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StudyVisitFilter {
    /// Of one of these projects, by id or slug.
    pub project: OneOf<Key>,
    /// To one of these countries.
    pub host_country: OneOf<CountryCode>,
    /// In which one of these countries has a part.
    pub country: OneOf<CountryCode>,
    /// That visit one of these organisations, by id or slug.
    pub organisation: OneOf<Key>,
    /// Whose status is one of these.
    pub status: OneOf<EventStatus>,
    /// About one of these topics.
    pub topic: OneOf<TopicCode>,
    /// That begin on this day or later; a date known to the month counts by its first day.
    #[serde(deserialize_with = "crate::parameter::day")]
    pub starts_on_gte: Option<NaiveDate>,
    /// That begin before this day.
    #[serde(deserialize_with = "crate::parameter::day")]
    pub starts_on_lt: Option<NaiveDate>,
    /// Whether their last day is today or later, by UTC: the last that `ends_on` may mean or, where
    /// that or its year is not known, that `starts_on` may mean. Where neither is known, no.
    #[serde(deserialize_with = "crate::parameter::if_given")]
    pub upcoming: Option<bool>,
    /// Whether their last day is over, by UTC: the same day as for `upcoming`. Where it is not known,
    /// no.
    #[serde(deserialize_with = "crate::parameter::if_given")]
    pub past: Option<bool>,
}

/// Orders a list of study visits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StudyVisitSort {
    /// By the first day.
    #[default]
    StartsOn,
}

impl Resource for StudyVisit {
    const NAME: &'static str = "study visit";
    const COLLECTION: &'static str = "study-visits";
    type Filter = StudyVisitFilter;
    type SortKey = StudyVisitSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        Some(self.slug.as_str())
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

fn ends_after_it_starts(it: &StudyVisit) -> Result<(), ValidationError> {
    in_order(it.starts_on.as_ref(), it.ends_on.as_ref(), "/ends_on")
}
