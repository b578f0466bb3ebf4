use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Citation, CountryCode, Key, Line, NoDerived, OneOf, OrganisationRef, Resource, Slug, Text, Url,
    value::words,
};

/// A body that funds, runs, hosts or takes part; a unit of a ministry is an organisation with a parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Its name in addresses, unique among the organisations.
    pub slug: Slug,
    /// Its full name.
    pub name: Text,
    /// Its usual abbreviation.
    pub acronym: Option<Line>,
    /// What sort of body it is, after the IATI codelist `OrganisationType`.
    pub kind: Option<OrganisationKind>,
    /// The country that it belongs to.
    pub country: Option<CountryCode>,
    /// The organisation that it is a unit of.
    pub parent_id: Option<OrganisationRef>,
    /// Its website.
    pub website: Option<Url>,
    /// Its identifier in IATI, which begins with the code of a registration agency.
    pub iati_org_id: Option<Line>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// What sort of body an organisation is.
    pub enum OrganisationKind {
        /// A national government; IATI 10.
        Government,
        /// A local government; IATI 11.
        LocalGovernment,
        /// Another public body; IATI 15.
        OtherPublicSector,
        /// An international non-governmental organisation; IATI 21.
        InternationalNgo,
        /// A national non-governmental organisation; IATI 22.
        NationalNgo,
        /// A regional non-governmental organisation; IATI 23.
        RegionalNgo,
        /// A non-governmental organisation of a partner country; IATI 24.
        PartnerCountryNgo,
        /// A public-private partnership; IATI 30.
        PublicPrivatePartnership,
        /// A multilateral organisation; IATI 40.
        Multilateral,
        /// A foundation; IATI 60.
        Foundation,
        /// A private company; IATI 70.
        PrivateSector,
        /// A university or a research institute; IATI 80.
        Academic,
        /// Another body; IATI 90.
        Other,
    }
}

/// Narrows a list of organisations.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrganisationFilter {
    /// Of one of these kinds.
    pub kind: OneOf<OrganisationKind>,
    /// In one of these countries.
    pub country: OneOf<CountryCode>,
    /// Units of one of these organisations, by id or slug.
    pub parent: OneOf<Key>,
}

/// Orders a list of organisations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationSort {
    /// By name.
    #[default]
    Name,
}

impl Resource for Organisation {
    const NAME: &'static str = "organisation";
    const COLLECTION: &'static str = "organisations";
    type Filter = OrganisationFilter;
    type SortKey = OrganisationSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        Some(self.slug.as_str())
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}
