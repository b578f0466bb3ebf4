use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::ValidationError;

use crate::shape::broken_at;

/// A number as it was published: "over 70" is not 70.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// What was counted.
    pub metric: Metric,
    /// The number.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub value: i64,
    /// How the number is to be understood.
    pub qualifier: Qualifier,
}

/// What a count counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// People.
    Persons,
    /// Organisations.
    Organisations,
    /// Countries of every role.
    Countries,
    /// Countries whose civil servants took part.
    ParticipatingCountries,
}

/// How a number is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Qualifier {
    /// Just that number.
    Exact,
    /// Near that number.
    About,
    /// More than that number.
    MoreThan,
    /// That number or more.
    AtLeast,
    /// Less than that number.
    LessThan,
    /// That number or less.
    AtMost,
}

/// Refuses a second number of the same thing: both would be added up, and one of them is no number of
/// the event but what another source says of it.
pub(crate) fn counts_each_once(counts: &[Count]) -> Result<(), ValidationError> {
    let counted = |place: &usize| {
        counts[..*place].iter().any(|before| before.metric == counts[*place].metric)
    };
    let Some(place) = (1..counts.len()).find(counted) else { return Ok(()) };
    let detail = "Another number of the same is there before it: cite the other source instead.";
    Err(broken_at(format!("/{place}/metric"), "counted_twice", detail))
}
