use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{Citation, Collection, Line, NoDerived, Resource, Url};

/// An address that is told of every change by a request to it, after Standard Webhooks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where the requests go.
    pub url: Url,
    /// The collections whose changes it is told of; all when there are none, or it is
    /// left out.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub resources: Vec<Collection>,
    /// What it is for.
    pub description: Option<Line>,
    /// Whether it is told of changes; one that is switched on again goes on where it stopped. True
    /// when left out.
    #[serde(default = "enabled")]
    pub enabled: bool,
}

fn enabled() -> bool {
    true
}

/// Webhooks are listed whole.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookFilter {}

/// Orders webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookSort {
    /// By when they were created.
    #[default]
    CreatedAt,
}

impl Resource for Webhook {
    const NAME: &'static str = "webhook";
    const COLLECTION: &'static str = "webhooks";
    type Filter = WebhookFilter;
    type SortKey = WebhookSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        None
    }

    fn citations(&self) -> &[Citation] {
        &[]
    }
}
