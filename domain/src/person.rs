use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    Citation, Key, Line, NoDerived, OneOf, Orcid, OrganisationRef, PartialDate, Resource, Slug,
    Text, in_order,
};

/// A person who spoke, signed or answers for something; what they were when they spoke stays with the presentation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Its name in addresses, unique among the people.
    pub slug: Slug,
    /// The name as it is usually written in Latin letters.
    pub name: Line,
    /// The name in the script of its own language.
    pub native_name: Option<Line>,
    /// The ORCID identifier.
    #[validate(custom(function = "has_its_check_digit"))]
    pub orcid: Option<Orcid>,
    /// The posts held.
    #[serde(default)]
    #[validate(nested)]
    pub appointments: Vec<Appointment>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

/// A post that a person held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "appointment_ends_after_it_starts", skip_on_field_errors = false))]
pub struct Appointment {
    /// Where.
    pub organisation_id: OrganisationRef,
    /// As what.
    pub position: Text,
    /// Since when.
    pub from: Option<PartialDate>,
    /// Until when.
    pub to: Option<PartialDate>,
}

/// Narrows a list of people.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PersonFilter {
    /// With a post at one of these organisations, by id or slug.
    pub organisation: OneOf<Key>,
    /// Who spoke at one of these seminars, by id or slug.
    pub seminar: OneOf<Key>,
}

/// Orders a list of people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonSort {
    /// By name.
    #[default]
    Name,
}

impl Resource for Person {
    const NAME: &'static str = "person";
    const COLLECTION: &'static str = "people";
    type Filter = PersonFilter;
    type SortKey = PersonSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        Some(self.slug.as_str())
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

fn appointment_ends_after_it_starts(it: &Appointment) -> Result<(), ValidationError> {
    in_order(it.from.as_ref(), it.to.as_ref(), "/to")
}

/// Judged when a record is written, so that one from before the rule can still be read.
fn has_its_check_digit(orcid: &Orcid) -> Result<(), ValidationError> {
    if orcid.has_its_check_digit() {
        return Ok(());
    }
    let detail = "Its last character is not the check digit of the others: one may be mistyped.";
    Err(ValidationError::new("invalid_value").with_message(detail.into()))
}
