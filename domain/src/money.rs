use iso_currency::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{CurrencyCode, Decimal};

/// An amount of money; never more decimal places than the currency has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"amount": "250000000000", "currency": "KRW"})))]
#[validate(schema(function = "has_places_of_currency", skip_on_field_errors = false))]
pub struct Money {
    /// How much, as a decimal string.
    pub amount: Decimal,
    /// In which currency.
    pub currency: CurrencyCode,
}

fn has_places_of_currency(Money { amount, currency }: &Money) -> Result<(), ValidationError> {
    let places = amount.as_str().split_once('.').map_or(0, |(_, places)| places.len());
    match Currency::from_code(currency.as_str()).and_then(Currency::exponent) {
        Some(allowed) if places > usize::from(allowed) => {
            let detail = format!(
                "{} has {allowed} decimal places, the amount has {places}.",
                currency.as_str()
            );
            Err(ValidationError::new("invalid_value").with_message(detail.into()))
        }
        _ => Ok(()),
    }
}
