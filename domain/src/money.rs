use iso_currency::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{CurrencyCode, Decimal};

/// An amount of money; never more decimal places than the currency has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Unchecked", deny_unknown_fields)]
pub struct Money {
    /// How much, as a decimal string.
    pub amount: Decimal,
    /// In which currency.
    pub currency: CurrencyCode,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    amount: Decimal,
    currency: CurrencyCode,
}

impl TryFrom<Unchecked> for Money {
    type Error = String;

    fn try_from(Unchecked { amount, currency }: Unchecked) -> Result<Self, String> {
        let places = amount.as_str().split_once('.').map_or(0, |(_, places)| places.len());
        let allowed = Currency::from_code(currency.as_str()).and_then(Currency::exponent);
        match allowed {
            Some(allowed) if places > usize::from(allowed) => Err(format!(
                "{} has {allowed} decimal places, the amount has {places}",
                currency.as_str()
            )),
            _ => Ok(Self { amount, currency }),
        }
    }
}
