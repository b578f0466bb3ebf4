use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    Citation, CurrencyCode, Decimal, FullDate, NoDerived, OneOf, Resource, Slug, SoughtCurrency,
    shape::broken_at,
};

/// What one unit of a currency was worth in another on a day, as a source has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "is_of_two_currencies", skip_on_field_errors = false))]
pub struct ExchangeRate {
    /// Its name in addresses, if it has one.
    pub slug: Option<Slug>,
    /// The currency that is valued.
    pub from: CurrencyCode,
    /// The currency that it is valued in, which is another one.
    pub to: CurrencyCode,
    /// How many units of the second currency one unit of the first is worth: more than nothing.
    #[validate(custom(function = "is_positive"))]
    pub rate: Decimal,
    /// The day that it is the rate of; there is one rate of two currencies for a day.
    pub on: FullDate,
    /// Where each fact comes from: at least one source is named.
    #[schema(min_items = 1)]
    pub citations: Vec<Citation>,
}

/// Narrows a list of exchange rates.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangeRateFilter {
    /// That value one of these currencies.
    pub from: OneOf<SoughtCurrency>,
    /// That value in one of these currencies.
    pub to: OneOf<SoughtCurrency>,
    /// Of this day or later.
    #[serde(deserialize_with = "crate::parameter::day")]
    pub on_gte: Option<NaiveDate>,
    /// Of a day before this one.
    #[serde(deserialize_with = "crate::parameter::day")]
    pub on_lt: Option<NaiveDate>,
}

/// Orders a list of exchange rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeRateSort {
    /// By the day.
    #[default]
    On,
}

impl Resource for ExchangeRate {
    const NAME: &'static str = "exchange rate";
    const COLLECTION: &'static str = "exchange-rates";
    type Filter = ExchangeRateFilter;
    type SortKey = ExchangeRateSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(Slug::as_str)
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

fn is_of_two_currencies(it: &ExchangeRate) -> Result<(), ValidationError> {
    if it.from == it.to {
        return Err(broken_at("/to", "same_currency", "A currency has no rate in itself."));
    }
    Ok(())
}

fn is_positive(rate: &Decimal) -> Result<(), ValidationError> {
    if rate.is_negative() || rate.is_zero() {
        return Err(ValidationError::new("too_small").with_message("It is more than 0.".into()));
    }
    Ok(())
}
