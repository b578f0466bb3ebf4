use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Citation, Collection, Key, LanguageTag, Line, MediaType, NoDerived, OneOf, OrganisationRef,
    PartialDate, Resource, Sha256, Slug, SoughtLanguage, Text, Url, value::words,
};

/// A source that facts are taken from, or a file that belongs to a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its name in addresses, if it has one.
    pub slug: Option<Slug>,
    /// Its title.
    pub title: Text,
    /// What it is.
    pub kind: DocumentKind,
    /// Where it is found.
    pub url: Option<Url>,
    /// What is known of its file. The registry keeps no files: `url` leads to it.
    pub file: Option<DocumentFile>,
    /// Its language.
    pub language: Option<LanguageTag>,
    /// Who published it.
    pub publisher_id: Option<OrganisationRef>,
    /// When it was published.
    pub published_on: Option<PartialDate>,
    /// When it was last looked at.
    pub retrieved_on: Option<PartialDate>,
    /// The licence that it is under.
    pub licence: Option<Line>,
    /// The record that it is about.
    pub subject: Option<DocumentSubject>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// What a document is.
    pub enum DocumentKind {
        /// An article or a web page.
        Article,
        /// A report.
        Report,
        /// An agenda.
        Agenda,
        /// Slides.
        Slides,
        /// A video.
        Video,
        /// A photo.
        Photo,
        /// An agreement.
        Agreement,
        /// A brochure.
        Brochure,
    }
}

/// A file, as it is described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentFile {
    /// Its name.
    pub name: Line,
    /// Its media type.
    pub media_type: MediaType,
    /// Its size in bytes.
    #[schema(minimum = 0, maximum = 2_000_000_000)]
    pub size: i64,
    /// The SHA-256 digest of its bytes.
    pub sha256: Sha256,
}

/// The record that a document is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentSubject {
    /// The collection of the record.
    pub resource: Collection,
    /// The id or the slug of the record.
    pub id: Key,
}

/// Narrows a list of documents.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentFilter {
    /// Of one of these kinds.
    pub kind: OneOf<DocumentKind>,
    /// In one of these languages.
    pub language: OneOf<SoughtLanguage>,
    /// Published by one of these organisations, by id or slug.
    pub publisher: OneOf<Key>,
}

/// Orders a list of documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentSort {
    /// By title.
    #[default]
    Title,
    /// By the day it was published.
    PublishedOn,
}

impl Resource for Document {
    const NAME: &'static str = "document";
    const COLLECTION: &'static str = "documents";
    type Filter = DocumentFilter;
    type SortKey = DocumentSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(Slug::as_str)
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}
