use domain::{Key, OneOf, Resource, Topic, TopicCode};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    entity::prelude::{Date, Expr, Uuid},
    sea_query::{ExprTrait, SimpleExpr},
};
use serde::Serialize;

use crate::{
    index::{UNKNOWN_DATE, code},
    record::{self, term},
    reference,
};

/// What a filter asks for, as a condition on the index table of a resource.
#[derive(Clone, Debug)]
pub struct Narrow(pub(crate) Condition);

impl Default for Narrow {
    fn default() -> Self {
        Self(Condition::all())
    }
}

impl Narrow {
    fn and(self, condition: impl Into<Condition>) -> Self {
        Self(self.0.add(condition.into()))
    }

    /// The column holds one of those codes.
    pub(crate) fn code<T: Serialize>(self, column: impl ColumnTrait, wanted: &OneOf<T>) -> Self {
        if wanted.0.is_empty() {
            return self;
        }
        self.and(Condition::all().add(column.is_in(codes(wanted))))
    }

    /// The column holds one of those numbers, if there are any.
    pub(crate) fn number(
        self,
        column: impl ColumnTrait,
        wanted: impl ExactSizeIterator<Item = i64>,
    ) -> Self {
        if wanted.len() == 0 {
            return self;
        }
        self.and(Condition::all().add(column.is_in(wanted)))
    }

    /// The column names one of those records of `R`.
    pub(crate) fn parent<R: Resource>(self, column: impl ColumnTrait, wanted: &OneOf<Key>) -> Self {
        if wanted.0.is_empty() {
            return self;
        }
        let keys: Vec<_> = wanted.0.iter().map(Key::as_str).collect();
        self.and(named(R::COLLECTION, &Expr::col(column), &keys))
    }

    /// The record refers to one of those records of `R`, in that field.
    pub(crate) fn reference<R: Resource>(self, field: &str, wanted: &OneOf<Key>) -> Self {
        if wanted.0.is_empty() {
            return self;
        }
        let keys: Vec<_> = wanted.0.iter().map(Key::as_str).collect();
        self.refers(R::COLLECTION, field, &keys)
    }

    /// The record carries one of those topics.
    pub(crate) fn topic(self, wanted: &OneOf<TopicCode>) -> Self {
        if wanted.0.is_empty() {
            return self;
        }
        let keys: Vec<_> = wanted.0.iter().map(TopicCode::as_str).collect();
        self.refers(Topic::COLLECTION, "/topics", &keys)
    }

    fn refers(self, collection: &str, field: &str, keys: &[&str]) -> Self {
        let target = Expr::col(reference::Column::TargetId);
        let sources = reference::Entity::find()
            .select_only()
            .column(reference::Column::SourceId)
            .filter(reference::Column::Field.eq(field))
            .filter(named(collection, &target, keys))
            .into_query();
        self.and(Condition::all().add(Expr::col("id").in_subquery(sources)))
    }

    /// The record has one of those codes, in that field.
    pub(crate) fn term<T: Serialize>(self, field: &str, wanted: &OneOf<T>) -> Self {
        if wanted.0.is_empty() {
            return self;
        }
        let records = term::Entity::find()
            .select_only()
            .column(term::Column::RecordId)
            .filter(term::Column::Field.eq(field))
            .filter(term::Column::Value.is_in(codes(wanted)))
            .into_query();
        self.and(Condition::all().add(Expr::col("id").in_subquery(records)))
    }

    /// The column is that day or later.
    pub(crate) fn since(self, column: impl ColumnTrait, day: Option<Date>) -> Self {
        match day {
            None => self,
            Some(day) => {
                self.and(Condition::all().add(column.gte(day)).add(column.lt(UNKNOWN_DATE)))
            }
        }
    }

    /// The column is earlier than that day.
    pub(crate) fn before(self, column: impl ColumnTrait, day: Option<Date>) -> Self {
        match day {
            None => self,
            Some(day) => {
                self.and(Condition::all().add(column.lt(day)).add(column.lt(UNKNOWN_DATE)))
            }
        }
    }
}

fn codes<T: Serialize>(wanted: &OneOf<T>) -> Vec<String> {
    wanted.0.iter().filter_map(|value| code(Some(value))).collect()
}

/// The column holds the id of one of those records, named by id or slug.
fn named(collection: &str, column: &SimpleExpr, keys: &[&str]) -> Condition {
    let (ids, slugs): (Vec<_>, Vec<_>) =
        keys.iter().map(|key| Uuid::try_parse(key).map_err(|_| *key)).partition(Result::is_ok);
    let mut any = Condition::any();
    if !ids.is_empty() {
        any = any.add(column.clone().is_in(ids.into_iter().filter_map(Result::ok)));
    }
    if !slugs.is_empty() {
        let found = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::Resource.eq(collection))
            .filter(record::Column::Slug.is_in(slugs.into_iter().filter_map(Result::err)))
            .into_query();
        any = any.add(column.clone().in_subquery(found));
    }
    any
}
