use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use validator::{Validate, ValidationError};

use crate::{
    Citation, Key, LocalTime, NoDerived, OneOf, Resource, SeminarRef, Slug, Text, TopicCode,
    ends_too_early, value::words,
};

/// A part of the programme of a seminar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "ends_after_it_starts", skip_on_field_errors = false))]
pub struct Session {
    /// Its name in addresses, if it has one.
    pub slug: Option<Slug>,
    /// The seminar that it is part of.
    pub seminar_id: SeminarRef,
    /// Which day of the seminar, from 1.
    pub day: Day,
    /// Its place within the day, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    pub order: i64,
    /// What happens in it.
    pub kind: SessionKind,
    /// Its title.
    pub title: Option<Text>,
    /// When it begins, in the time zone of the seminar.
    pub starts_at: Option<LocalTime>,
    /// When it ends, in the time zone of the seminar.
    pub ends_at: Option<LocalTime>,
    /// Where.
    pub room: Option<Text>,
    /// What it is about, by topic.
    #[serde(default)]
    #[schema(value_type = HashSet<TopicCode>)]
    pub topics: Vec<TopicCode>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// What happens in a session.
    pub enum SessionKind {
        /// The opening.
        Opening,
        /// Presentations.
        Presentations,
        /// Participants share their experience.
        ExperienceExchange,
        /// A discussion.
        Discussion,
        /// Questions and answers.
        Questions,
        /// The closing.
        Closing,
        /// A visit.
        Visit,
        /// A break.
        Break,
    }
}

/// A day of an event, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct Day(i64);

impl Day {
    const LAST: i64 = 366;

    /// The number of the day.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Day {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        match number {
            1..=Self::LAST => Ok(Self(number)),
            _ => Err(format!("a day is a number from 1 to {}", Self::LAST)),
        }
    }
}

impl PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        let day = ObjectBuilder::new().schema_type(Type::Integer);
        day.description(Some("A day of an event, counted from 1."))
            .minimum(Some(1))
            .maximum(Some(Self::LAST))
            .examples([1])
            .into()
    }
}

impl ToSchema for Day {}

/// Narrows a list of sessions.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionFilter {
    /// Of one of these seminars, by id or slug.
    pub seminar: OneOf<Key>,
    /// Of one of these kinds.
    pub kind: OneOf<SessionKind>,
    /// On one of these days.
    pub day: OneOf<Day>,
    /// About one of these topics.
    pub topic: OneOf<TopicCode>,
}

/// Orders a list of sessions; `order` is the place in the programme, day by day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionSort {
    /// By day and place in the programme.
    #[default]
    Order,
    /// By day.
    Day,
}

impl Resource for Session {
    const NAME: &'static str = "session";
    const COLLECTION: &'static str = "sessions";
    type Filter = SessionFilter;
    type SortKey = SessionSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(Slug::as_str)
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

fn ends_after_it_starts(it: &Session) -> Result<(), ValidationError> {
    // As they are written, times of a day are in order.
    match (&it.starts_at, &it.ends_at) {
        (Some(start), Some(end)) if end.as_str() < start.as_str() => {
            Err(ends_too_early("/ends_at"))
        }
        _ => Ok(()),
    }
}
