use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Citation, Key, NoDerived, OneOf, PersonRef, PresentationRef, Resource, SeminarRef, Slug,
    SpeakerRole, Text, TopicCode, value::words,
};

/// Something said at a seminar, word for word or in substance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Its name in addresses, if it has one.
    pub slug: Option<Slug>,
    /// The seminar that it was made at.
    pub seminar_id: SeminarRef,
    /// The presentation that it was made in, of the same seminar.
    pub presentation_id: Option<PresentationRef>,
    /// Who made it.
    pub person_id: PersonRef,
    /// As what it was made, where it was made outside of a presentation.
    pub role: Option<SpeakerRole>,
    /// Whether these are the very words.
    pub mode: StatementMode,
    /// What was said.
    pub text: Text,
    /// What it is about, by topic.
    #[serde(default)]
    #[schema(value_type = HashSet<TopicCode>)]
    pub topics: Vec<TopicCode>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// Whether a statement gives the very words.
    pub enum StatementMode {
        /// Word for word.
        Verbatim,
        /// In substance.
        Paraphrase,
    }
}

/// Narrows a list of statements.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StatementFilter {
    /// At one of these seminars, by id or slug.
    pub seminar: OneOf<Key>,
    /// In one of these presentations, by id or slug.
    pub presentation: OneOf<Key>,
    /// By one of these people, by id or slug.
    pub person: OneOf<Key>,
    /// Given in one of these ways.
    pub mode: OneOf<StatementMode>,
    /// About one of these topics.
    pub topic: OneOf<TopicCode>,
}

/// Orders a list of statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatementSort {
    /// By the time of its record.
    #[default]
    CreatedAt,
}

impl Resource for Statement {
    const NAME: &'static str = "statement";
    const COLLECTION: &'static str = "statements";
    type Filter = StatementFilter;
    type SortKey = StatementSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(Slug::as_str)
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}
