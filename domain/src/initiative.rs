use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    Citation, CountryCode, Decimal, Key, Line, Money, NoDerived, OneOf, OrganisationRef,
    PartialDate, Qualifier, Resource, Slug, Text, TopicCode, Url, shape::broken_at, value::words,
};

/// A national strategy, policy, programme or infrastructure that was shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Initiative {
    /// Its name in addresses, unique among the initiatives.
    pub slug: Slug,
    /// Its name.
    pub name: Text,
    /// What it is.
    pub kind: InitiativeKind,
    /// Whose it is.
    pub country: Option<CountryCode>,
    /// The organisation that answers for it.
    pub owner_id: Option<OrganisationRef>,
    /// The year that it looks to.
    #[schema(minimum = 1900, maximum = 2200)]
    pub horizon_year: Option<i64>,
    /// Its website.
    pub website: Option<Url>,
    /// Figures that were told of it.
    #[serde(default)]
    #[validate(nested)]
    pub figures: Vec<InitiativeFigure>,
    /// What it is about, by topic.
    #[serde(default)]
    #[schema(value_type = HashSet<TopicCode>)]
    pub topics: Vec<TopicCode>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// What an initiative is.
    pub enum InitiativeKind {
        /// A strategy.
        Strategy,
        /// A policy.
        Policy,
        /// A programme.
        Programme,
        /// An infrastructure.
        Infrastructure,
    }
}

/// A figure that was told of an initiative: an amount of money, or a value with its unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "is_money_or_value", skip_on_field_errors = false))]
pub struct InitiativeFigure {
    /// What it measures.
    pub label: Text,
    /// The amount of money.
    #[validate(nested)]
    pub amount: Option<Money>,
    /// The value, if it is no money.
    pub value: Option<Decimal>,
    /// The unit of the value.
    pub unit: Option<Line>,
    /// How the number is to be understood.
    pub qualifier: Qualifier,
    /// What kind of figure it is.
    pub nature: FigureNature,
    /// When it was so.
    pub as_of: Option<PartialDate>,
}

words! {
    /// What kind of figure it is.
    pub enum FigureNature {
        /// Spent or put aside.
        Invested,
        /// Intended.
        Planned,
        /// Counted.
        Count,
    }
}

/// Narrows a list of initiatives.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InitiativeFilter {
    /// Of one of these kinds.
    pub kind: OneOf<InitiativeKind>,
    /// Of one of these countries.
    pub country: OneOf<CountryCode>,
    /// For which one of these organisations answers, by id or slug.
    pub owner: OneOf<Key>,
    /// About one of these topics.
    pub topic: OneOf<TopicCode>,
}

/// Orders a list of initiatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InitiativeSort {
    /// By name.
    #[default]
    Name,
    /// By the year that it looks to.
    HorizonYear,
}

impl Resource for Initiative {
    const NAME: &'static str = "initiative";
    const COLLECTION: &'static str = "initiatives";
    type Filter = InitiativeFilter;
    type SortKey = InitiativeSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        Some(self.slug.as_str())
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

fn is_money_or_value(it: &InitiativeFigure) -> Result<(), ValidationError> {
    let (code, detail, pointer) = if it.amount.is_some() == it.value.is_some() {
        let detail = "A figure has an amount of money or a value, and not both.";
        ("amount_or_value", detail, "/amount")
    } else if it.value.is_some() != it.unit.is_some() {
        ("value_and_unit", "A value has its unit, and an amount of money has none.", "/unit")
    } else {
        return Ok(());
    };
    Err(broken_at(pointer, code, detail))
}
