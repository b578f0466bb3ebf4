use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Checked, CountryCode, Kind, OneOf, Text, value::kind};

/// A country or territory of ISO 3166-1, read only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Country {
    /// Its ISO 3166-1 alpha-2 code.
    #[schema(value_type = CountryCode)]
    pub code: String,
    /// Its ISO 3166-1 alpha-3 code.
    #[schema(example = "KAZ")]
    pub alpha3: String,
    /// Its ISO 3166-1 numeric code, of three digits.
    #[schema(example = "398")]
    pub numeric: String,
    /// Its name in several languages, from the Unicode CLDR.
    pub names: Text,
    /// The region of the United Nations' M49 standard that it lies in.
    #[schema(example = "Central Asia")]
    pub region: Option<String>,
}

kind!(/// A region of the United Nations' M49 standard.
    Region, RegionKind, "Central Asia", "^[A-Z][A-Za-z -]+$",
    "no region of the United Nations' M49 standard, such as Central Asia", of Country::regions());

/// Narrows the list of countries.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CountryFilter {
    /// One of these countries.
    pub code: OneOf<CountryCode>,
    /// In one of these regions.
    pub region: OneOf<Region>,
}

static COUNTRIES: LazyLock<BTreeMap<String, Country>> = LazyLock::new(|| {
    let all: Vec<Country> = serde_json::from_str(include_str!("../data/countries.json"))
        .expect("the countries that come with the program are well formed");
    all.into_iter().map(|country| (country.code.clone(), country)).collect()
});

impl Country {
    /// The country of that ISO 3166-1 alpha-2 code.
    #[must_use]
    pub fn find(code: &str) -> Option<&'static Self> {
        COUNTRIES.get(code)
    }

    /// Every code, in order.
    #[must_use]
    pub fn codes() -> Vec<&'static str> {
        COUNTRIES.keys().map(String::as_str).collect()
    }

    /// Every region that a country lies in, by name.
    #[must_use]
    pub fn regions() -> Vec<&'static str> {
        let regions: BTreeSet<_> = Self::all().filter_map(|one| one.region.as_deref()).collect();
        regions.into_iter().collect()
    }

    /// Every country, by code.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        COUNTRIES.values()
    }
}
