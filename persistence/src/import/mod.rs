//! Takes in what comes from outside, and finds again what was taken in before.
//!
//! - [`Store::import`] takes a bundle of records of several resources, all or none: they may refer
//!   to each other in any order.
//! - [`Store::check_rows`] and [`Store::take_rows`] take the rows of a sheet of one resource, step by
//!   step: each row by itself. A row may refer to those before it, and to records by what they are
//!   called.
//!
//! Whatever the way, a body goes through [`judge`] and becomes an [`Entry`](crate::change::Entry),
//! which is written as every other change is.
mod bundle;
mod called;
mod external;
mod judge;
mod overlay;
mod rows;

use domain::{Difference, Violation, differences};
use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::Value;
use uuid::Uuid;

pub use bundle::Told;
pub use judge::Incoming;
pub use overlay::FieldStep;
pub use rows::Seen;

pub(crate) use overlay::{known_of, overlaid};

use crate::{Author, Error, Store, proposal, record::read};
use judge::Writing;

/// How what comes in is taken.
#[derive(Clone, Debug)]
pub struct Taking {
    /// Whether what is new is public at once.
    pub publish: bool,
    /// Whose names the external ids are.
    pub system: String,
    /// Whether nothing is written after all.
    pub dry_run: bool,
    /// Of how many changes it is told what differs.
    pub told: usize,
}

/// What becomes of something that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is a new record.
    Created,
    /// Its record becomes another.
    Changed,
    /// Its record is so already.
    Left,
    /// Its record is public, and the change is kept aside until a publisher decides.
    Proposed,
    /// It is not taken.
    Refused,
}

/// What became of something that came in.
#[derive(Clone, Debug)]
pub struct Taken {
    /// What.
    pub action: Action,
    /// The record; none while it is not there.
    pub id: Option<Uuid>,
    /// The slug that the record has then.
    pub slug: Option<String>,
    /// What differs from before, as far as that is told.
    pub differences: Vec<Difference>,
    /// Why it was refused.
    pub refused: Vec<Violation>,
}

impl Taken {
    fn refused(refused: Vec<Violation>) -> Self {
        Self { action: Action::Refused, id: None, slug: None, differences: Vec::new(), refused }
    }

    fn left(id: Uuid) -> Self {
        let (slug, differences, refused) = (None, Vec::new(), Vec::new());
        Self { action: Action::Left, id: Some(id), slug, differences, refused }
    }

    fn of(entry: &dyn Writing, action: Action, tell: bool) -> Result<Self, Error> {
        let before = entry.before().map(|old| read::<Value>(&old.body)).transpose()?;
        let differences = match tell {
            true => differences(before.as_ref(), Some(entry.value())),
            false => Vec::new(),
        };
        let row = entry.row();
        let (id, slug) = (Some(row.id), row.slug.clone());
        Ok(Self { action, id, slug, differences, refused: Vec::new() })
    }
}

/// Where something is judged and taken in.
struct Bench<'a> {
    store: &'a Store,
    tx: &'a DatabaseTransaction,
    by: &'a Author,
    taking: &'a Taking,
}

impl Bench<'_> {
    /// Keeps a change aside, unless it is already.
    async fn propose(&self, entry: &dyn Writing) -> Result<(), Error> {
        let Some(old) = entry.before() else { return Ok(()) };
        proposal::keep_once(self.tx, self.store, self.by, old, entry.value()).await?;
        Ok(())
    }
}

/// Why something was refused, if that is its own fault.
fn refusal(error: Error, collection: &str) -> Result<Vec<Violation>, Error> {
    let whole = |code, detail: &str| Ok(vec![Violation::new("", code, detail)]);
    match error {
        Error::Refused(broken) => Ok(broken),
        Error::Taken => Ok(vec![judge::taken(collection)]),
        Error::OtherProject => whole(
            "other_project",
            "It belongs, or would belong, to a project that the token is not for.",
        ),
        Error::Forbidden => whole("forbidden", "It takes a publisher."),
        Error::Limited => {
            whole("forbidden", "It belongs to no project, and the token is limited to some.")
        }
        Error::SamePerson => whole("same_person", "Somebody else has to publish it."),
        // Its record was made or changed between two looks at it: it is found at the next.
        Error::Stale => Err(Error::Collided(DbErr::Custom("a record has just changed".to_owned()))),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_has_just_come_is_looked_for_again() {
        let again = refusal(Error::Stale, "topics");
        assert!(matches!(again, Err(Error::Collided(_))), "{again:?}");
    }
}
