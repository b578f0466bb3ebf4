use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
