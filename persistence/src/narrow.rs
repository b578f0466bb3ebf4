use domain::{Key, OneOf, Resource, Topic, TopicCode};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    entity::prelude::{Date, Expr, Uuid},
    sea_query::{ExprTrait, IntoCondition, SelectStatement, SimpleExpr},
};
use serde::Serialize;

use crate::{
    Sight,
    index::{UNKNOWN_DATE, code},
    record::{self, term},
    reference,
    sight::View,
};

/// What a filter asks for, as a condition on the index table of a resource, and what the records
/// that fit can be counted by.
pub struct Narrow {
    pub(crate) condition: Condition,
    pub(crate) facets: Vec<(&'static str, Facet)>,
    pub(crate) depends_on_day: bool,
    view: View,
}

/// Where the values stand that records are counted by.
#[derive(Clone)]
pub(crate) enum Facet {
    /// In a column of the index table.
    Column(SimpleExpr),
    /// In a column of the index table that names records.
    Parent(SimpleExpr),
    /// Among the codes of that field.
    Term(&'static str),
    /// Among the references of that field.
    Reference(&'static str),
}

impl Narrow {
    pub(crate) fn seen(view: &View) -> Self {
        let (condition, view) = (Condition::all(), view.clone());
        Self { condition, facets: Vec::new(), depends_on_day: false, view }
    }

    /// What is asked of a resource, apart from any list.
    pub(crate) fn apart() -> Self {
        Self::seen(&View { sight: Sight::Public, today: UNKNOWN_DATE })
    }

    /// The condition that a record of another table may be seen.
    pub(crate) fn sees(&self, id: impl ColumnTrait) -> Condition {
        self.view.sight.of_id(id.into_expr())
    }

    fn and(mut self, condition: impl IntoCondition) -> Self {
        self.condition = self.condition.add(condition.into_condition());
        self
    }

    fn counted(mut self, name: &'static str, facet: Facet) -> Self {
        self.facets.push((name, facet));
        self
    }

    /// The column holds one of those codes.
    pub(crate) fn code<T: Serialize>(
        self,
        name: &'static str,
        column: impl ColumnTrait,
        wanted: &OneOf<T>,
    ) -> Self {
        let rows = self.counted(name, Facet::Column(column.into_expr()));
        if wanted.0.is_empty() { rows } else { rows.and(column.is_in(codes(wanted))) }
    }

    /// The column holds one of those numbers, if there are any.
    pub(crate) fn number(
        self,
        name: &'static str,
        column: impl ColumnTrait,
        wanted: impl ExactSizeIterator<Item = i64>,
    ) -> Self {
        let rows = self.counted(name, Facet::Column(column.into_expr()));
        if wanted.len() == 0 { rows } else { rows.and(column.is_in(wanted)) }
    }

    /// The column names one of those records of `R`.
    pub(crate) fn parent<R: Resource>(
        self,
        name: &'static str,
        column: impl ColumnTrait,
        wanted: &OneOf<Key>,
    ) -> Self {
        let rows = self.counted(name, Facet::Parent(column.into_expr()));
        if wanted.0.is_empty() { rows } else { rows.and(naming::<R>(column, wanted)) }
    }

    /// The record refers to one of those records of `R`, in that field.
    pub(crate) fn reference<R: Resource>(
        self,
        name: &'static str,
        field: &'static str,
        wanted: &OneOf<Key>,
    ) -> Self {
        let rows = self.counted(name, Facet::Reference(field));
        rows.within(wanted, |_| referring::<R>(field, wanted))
    }

    /// The record carries one of those topics.
    pub(crate) fn topic(self, wanted: &OneOf<TopicCode>) -> Self {
        let keys: Vec<_> = wanted.0.iter().map(TopicCode::as_str).collect();
        let rows = self.counted("topic", Facet::Reference("/topics"));
        rows.within(wanted, |_| sources(Topic::COLLECTION, "/topics", &keys))
    }

    /// The record has one of those codes, in that field.
    pub(crate) fn term<T: Serialize>(
        self,
        name: &'static str,
        field: &'static str,
        wanted: &OneOf<T>,
    ) -> Self {
        let rows = self.counted(name, Facet::Term(field));
        rows.within(wanted, |_| {
            let records = term::Entity::find()
                .select_only()
                .column(term::Column::RecordId)
                .filter(term::Column::Field.eq(field))
                .filter(term::Column::Value.is_in(codes(wanted)));
            records.into_query()
        })
    }

    /// Where something is wanted, the id of the record is among those.
    pub(crate) fn within<T>(
        self,
        wanted: &OneOf<T>,
        ids: impl FnOnce(&Self) -> SelectStatement,
    ) -> Self {
        if wanted.0.is_empty() {
            return self;
        }
        let ids = ids(&self);
        self.and(Expr::col("id").in_subquery(ids))
    }

    /// The column is that day or later.
    pub(crate) fn since(self, column: impl ColumnTrait, day: Option<Date>) -> Self {
        match day {
            None => self,
            Some(day) => self.and(column.gte(day)).and(column.lt(UNKNOWN_DATE)),
        }
    }

    /// The column is earlier than that day.
    pub(crate) fn before(self, column: impl ColumnTrait, day: Option<Date>) -> Self {
        match day {
            None => self,
            Some(day) => self.and(column.lt(day)).and(column.lt(UNKNOWN_DATE)),
        }
    }

    /// The last day, in that column, is still to come or is today; or it is not.
    pub(crate) fn upcoming(self, column: impl ColumnTrait, wanted: Option<bool>) -> Self {
        let today = self.view.today;
        self.by_day(column.gte(today).and(column.lt(UNKNOWN_DATE)), wanted)
    }

    /// The last day, in that column, is over; or it is not.
    pub(crate) fn past(self, column: impl ColumnTrait, wanted: Option<bool>) -> Self {
        let today = self.view.today;
        self.by_day(column.lt(today), wanted)
    }

    fn by_day(mut self, condition: SimpleExpr, wanted: Option<bool>) -> Self {
        let Some(wanted) = wanted else { return self };
        self.depends_on_day = true;
        self.and(if wanted { condition } else { condition.not() })
    }
}

/// The ids of the records that refer to one of those of `R`, in that field.
pub(crate) fn referring<R: Resource>(field: &str, wanted: &OneOf<Key>) -> SelectStatement {
    sources(R::COLLECTION, field, &keys(wanted))
}

/// The column names one of those records of `R`.
pub(crate) fn naming<R: Resource>(column: impl ColumnTrait, wanted: &OneOf<Key>) -> Condition {
    named(R::COLLECTION, &column.into_expr(), &keys(wanted))
}

fn keys(wanted: &OneOf<Key>) -> Vec<&str> {
    wanted.0.iter().map(Key::as_str).collect()
}

fn sources(collection: &str, field: &str, keys: &[&str]) -> SelectStatement {
    let target = Expr::col(reference::Column::TargetId);
    reference::Entity::find()
        .select_only()
        .column(reference::Column::SourceId)
        .filter(reference::Column::Field.eq(field))
        .filter(named(collection, &target, keys))
        .into_query()
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
