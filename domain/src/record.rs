use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Resource;

/// A record: what the registry knows about it, around what was written.
#[derive(Clone, Debug, Serialize)]
#[serde(bound = "")]
pub struct Record<R: Resource> {
    /// Identifies the record, for ever.
    pub id: Uuid,
    /// Counts the changes made to it, from 1.
    pub revision: i64,
    /// Where it stands on its way to the public.
    pub state: State,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was published; null while it is not.
    pub published_at: Option<DateTime<Utc>>,
    /// What was written.
    #[serde(flatten)]
    pub body: R,
    /// What follows from other records.
    #[serde(flatten)]
    pub derived: R::Derived,
}

/// Where a record stands on its way to the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being written.
    Draft,
    /// Waiting for a publisher.
    InReview,
    /// Public.
    Published,
    /// No longer public.
    Withdrawn,
}
