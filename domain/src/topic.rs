use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{Citation, Code, Key, NoDerived, OneOf, Resource, Text, TopicRef, value::words};

/// A subject that records carry, so that they are found by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its code, which is its name in addresses and stands in the topics of other records.
    pub code: Code,
    /// The list that it is taken from.
    pub scheme: TopicScheme,
    /// What it is called.
    pub label: Text,
    /// The wider topic that it is part of.
    pub parent_id: Option<TopicRef>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// A list of topics.
    pub enum TopicScheme {
        /// Our own.
        Own,
        /// The sectors of the OECD Development Assistance Committee.
        Dac,
        /// The Sustainable Development Goals.
        Sdg,
    }
}

/// Narrows a list of topics.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TopicFilter {
    /// Of one of these schemes.
    pub scheme: OneOf<TopicScheme>,
    /// Parts of one of these topics, by id or code.
    pub parent: OneOf<Key>,
}

/// Orders a list of topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TopicSort {
    /// By code.
    #[default]
    Code,
    /// By what it is called.
    Label,
}

impl Resource for Topic {
    const NAME: &'static str = "topic";
    const COLLECTION: &'static str = "topics";
    type Filter = TopicFilter;
    type SortKey = TopicSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        Some(self.code.as_str())
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}
