use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::{Resource, value::words};

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

words! {
    /// Where a record stands on its way to the public.
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
}

/// A step of a record on its way to the public, or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A draft is given to a publisher to judge.
    Submit,
    /// What was written becomes public.
    Publish,
    /// What was public is hidden again.
    Withdraw,
    /// What waits for a publisher, or was withdrawn, becomes a draft again.
    Reopen,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 4] = [Self::Submit, Self::Publish, Self::Withdraw, Self::Reopen];

    /// What it is called in addresses and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Publish => "publish",
            Self::Withdraw => "withdraw",
            Self::Reopen => "reopen",
        }
    }

    /// Whether it can be taken in that state.
    #[must_use]
    pub fn begins_at(self, state: State) -> bool {
        match self {
            Self::Submit => state == State::Draft,
            Self::Publish => matches!(state, State::Draft | State::InReview),
            Self::Withdraw => state == State::Published,
            Self::Reopen => matches!(state, State::InReview | State::Withdrawn),
        }
    }

    /// The state that it leads to.
    #[must_use]
    pub fn leads_to(self) -> State {
        match self {
            Self::Submit => State::InReview,
            Self::Publish => State::Published,
            Self::Withdraw => State::Withdrawn,
            Self::Reopen => State::Draft,
        }
    }

    /// Whether it takes a publisher, in that state: who submitted something may take it back.
    #[must_use]
    pub fn needs_publisher(self, state: State) -> bool {
        match self {
            Self::Submit => false,
            Self::Publish | Self::Withdraw => true,
            Self::Reopen => state != State::InReview,
        }
    }
}
