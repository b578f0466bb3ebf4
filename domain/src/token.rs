use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{Citation, Line, NoDerived, ProjectRef, Resource, Role};

/// A token to be made: whose it is, and what it is good for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Whose it is, or what it is for.
    pub name: Line,
    /// What its holder may do.
    pub role: Role,
    /// After how many days it ends; 365 when left out.
    #[serde(default = "a_year")]
    #[schema(minimum = 1, maximum = 366, example = 365)]
    pub days: u16,
    /// The projects that it is limited to; to none of them when left out.
    #[schema(min_items = 1, max_items = 100)]
    pub projects: Option<Vec<ProjectRef>>,
}

impl Token {
    /// After how many days every token has ended.
    pub const MOST_DAYS: u16 = 366;
    /// After how many days a token ends of which nothing else is said.
    pub const DAYS: u16 = 365;
}

fn a_year() -> u16 {
    Token::DAYS
}

/// Tokens are listed as they are.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenFilter {}

/// Orders tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenSort {
    /// By when they were made.
    #[default]
    CreatedAt,
}

impl Resource for Token {
    const NAME: &'static str = "token";
    const COLLECTION: &'static str = "tokens";
    type Filter = TokenFilter;
    type SortKey = TokenSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        None
    }

    fn citations(&self) -> &[Citation] {
        &[]
    }
}
