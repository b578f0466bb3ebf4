use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Citation, CountryCode, DocumentRef, InitiativeRef, Key, LanguageTag, Line, NoDerived, OneOf,
    OrganisationRef, PersonRef, Resource, SeminarRef, SessionRef, Slug, SoughtLanguage, Text,
    TopicCode, Url, value::words,
};

/// A talk given at a seminar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Presentation {
    /// Its name in addresses, if it has one.
    pub slug: Option<Slug>,
    /// The seminar that it was given at.
    pub seminar_id: SeminarRef,
    /// The session that it was given in, of the same seminar.
    pub session_id: Option<SessionRef>,
    /// Its place within the session, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    pub order: i64,
    /// Its title.
    pub title: Option<Text>,
    /// What it says, in short.
    pub r#abstract: Option<Text>,
    /// The language it was given in.
    pub language: Option<LanguageTag>,
    /// Who gave it, as they were announced at the time.
    #[serde(default)]
    pub speakers: Vec<Speaker>,
    /// What it is about, by topic.
    #[serde(default)]
    #[schema(value_type = HashSet<TopicCode>)]
    pub topics: Vec<TopicCode>,
    /// The strategies, programmes and policies that it shared.
    #[serde(default)]
    #[schema(value_type = HashSet<InitiativeRef>)]
    pub initiative_ids: Vec<InitiativeRef>,
    /// Its slides and papers.
    #[serde(default)]
    #[schema(value_type = HashSet<DocumentRef>)]
    pub material_ids: Vec<DocumentRef>,
    /// Where to watch it.
    pub recording_url: Option<Url>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

/// Someone who spoke, as they were announced at the time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Speaker {
    /// Who.
    pub person_id: PersonRef,
    /// As what.
    pub role: SpeakerRole,
    /// The form of address, such as Dr.
    pub honorific: Option<Line>,
    /// The post held.
    pub position: Option<Text>,
    /// The organisation they came from.
    pub organisation_id: Option<OrganisationRef>,
    /// The country they came from.
    pub country: Option<CountryCode>,
}

words! {
    /// The part that somebody has in a talk.
    pub enum SpeakerRole {
        /// Gives it.
        Presenter,
        /// Opens.
        Opener,
        /// Moderates.
        Moderator,
        /// Sits on the panel.
        Panellist,
        /// Comments on it.
        Discussant,
        /// Facilitates.
        Facilitator,
    }
}

/// Narrows a list of presentations.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PresentationFilter {
    /// At one of these seminars, by id or slug.
    pub seminar: OneOf<Key>,
    /// In one of these sessions, by id or slug.
    pub session: OneOf<Key>,
    /// Given by one of these people, by id or slug.
    pub speaker: OneOf<Key>,
    /// Given by people of one of these organisations, by id or slug.
    pub organisation: OneOf<Key>,
    /// Given by people from one of these countries.
    pub country: OneOf<CountryCode>,
    /// About one of these initiatives, by id or slug.
    pub initiative: OneOf<Key>,
    /// About one of these topics.
    pub topic: OneOf<TopicCode>,
    /// In one of these languages.
    pub language: OneOf<SoughtLanguage>,
}

/// Orders a list of presentations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresentationSort {
    /// By place within the session.
    #[default]
    Order,
    /// By title.
    Title,
}

impl Resource for Presentation {
    const NAME: &'static str = "presentation";
    const COLLECTION: &'static str = "presentations";
    type Filter = PresentationFilter;
    type SortKey = PresentationSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(Slug::as_str)
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}
