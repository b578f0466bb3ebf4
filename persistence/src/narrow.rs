use std::{cell::RefCell, collections::HashMap};

use domain::{Key, OneOf, Resource, Topic, TopicCode};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    entity::prelude::{Date, Expr, Uuid},
    sea_query::{ExprTrait, IntoCondition, SelectStatement, SimpleExpr},
};
use serde::Serialize;

use crate::{
    Basis, Error, Sight, Stored,
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
    /// Whatever else than the index table the condition looks at.
    pub(crate) touched: RefCell<Basis>,
    view: View,
    names: Names,
    /// The slugs that were asked for and are not known.
    unknown: RefCell<Vec<(&'static str, String)>>,
}

/// The ids of records by collection and slug.
///
/// Slugs are looked up before a list is read: only of an id does the database know how many
/// records have it.
pub(crate) type Names = HashMap<(String, String), Uuid>;

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
    pub(crate) fn seen(view: &View, names: Names) -> Self {
        Self {
            condition: Condition::all(),
            facets: Vec::new(),
            depends_on_day: false,
            touched: RefCell::new(Basis::nothing()),
            view: view.clone(),
            names,
            unknown: RefCell::default(),
        }
    }

    /// The condition for a filter, once the slugs in it are looked up.
    pub(crate) async fn to<R: Stored>(
        db: &impl ConnectionTrait,
        view: &View,
        filter: &R::Filter,
    ) -> Result<Condition, Error> {
        let asked = R::narrow(Self::seen(view, Names::new()), filter);
        let unknown = asked.unknown.take();
        if unknown.is_empty() {
            return Ok(asked.condition);
        }
        let found: Vec<(String, Option<String>, Uuid)> = record::Entity::find()
            .select_only()
            .columns([record::Column::Resource, record::Column::Slug, record::Column::Id])
            .filter(
                record::Column::Resource.is_in(unknown.iter().map(|(collection, _)| *collection)),
            )
            .filter(record::Column::Slug.is_in(unknown.iter().map(|(_, slug)| slug.as_str())))
            .filter(view.sight.of_records())
            .into_tuple()
            .all(db)
            .await?;
        let told = |(collection, slug, id): (String, Option<String>, Uuid)| {
            Some(((collection, slug?), id))
        };
        let names = found.into_iter().filter_map(told).collect();
        Ok(R::narrow(Self::seen(view, names), filter).condition)
    }

    /// What is asked of a resource, apart from any list.
    pub(crate) fn apart() -> Self {
        Self::seen(&View { sight: Sight::Public, today: UNKNOWN_DATE }, Names::new())
    }

    /// The condition that a record of `R`, in another table, may be seen.
    pub(crate) fn sees<R: Resource>(&self, id: impl ColumnTrait) -> Condition {
        self.touch(R::COLLECTION);
        self.view.sight.of_id(id.into_expr())
    }

    fn touch(&self, collection: &str) {
        self.touched.borrow_mut().also(Basis::collection(collection));
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
        if wanted.0.is_empty() {
            return rows;
        }
        let named = rows.naming::<R>(column, wanted);
        rows.and(named)
    }

    /// The record refers to one of those records of `R`, in that field.
    pub(crate) fn reference<R: Resource>(
        self,
        name: &'static str,
        field: &'static str,
        wanted: &OneOf<Key>,
    ) -> Self {
        let rows = self.counted(name, Facet::Reference(field));
        rows.within(wanted, |rows| rows.referring::<R>(field, wanted))
    }

    /// The record carries one of those topics.
    pub(crate) fn topic(self, wanted: &OneOf<TopicCode>) -> Self {
        let rows = self.counted("topic", Facet::Reference("/topics"));
        rows.within(wanted, |rows| {
            let codes = wanted.0.iter().map(TopicCode::as_str);
            sources("/topics", rows.ids(Topic::COLLECTION, codes))
        })
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

    /// The column names one of those records of `R`.
    pub(crate) fn naming<R: Resource>(
        &self,
        column: impl ColumnTrait,
        wanted: &OneOf<Key>,
    ) -> SimpleExpr {
        column.is_in(self.ids(R::COLLECTION, wanted.0.iter().map(Key::as_str)))
    }

    /// The ids of the records that refer to one of those of `R`, in that field.
    pub(crate) fn referring<R: Resource>(
        &self,
        field: &str,
        wanted: &OneOf<Key>,
    ) -> SelectStatement {
        sources(field, self.ids(R::COLLECTION, wanted.0.iter().map(Key::as_str)))
    }

    /// The ids of those records, named by id or slug; of those that there are.
    fn ids<'a>(&self, collection: &'static str, keys: impl Iterator<Item = &'a str>) -> Vec<Uuid> {
        self.touch(collection);
        let id = |key: &str| {
            let id = Uuid::try_parse(key).ok();
            let id =
                id.or_else(|| self.names.get(&(collection.to_owned(), key.to_owned())).copied());
            if id.is_none() {
                self.unknown.borrow_mut().push((collection, key.to_owned()));
            }
            id
        };
        keys.filter_map(id).collect()
    }
}

/// The ids of the records that refer to one of those, in that field.
fn sources(field: &str, targets: Vec<Uuid>) -> SelectStatement {
    reference::Entity::find()
        .select_only()
        .column(reference::Column::SourceId)
        .filter(reference::Column::Field.eq(field))
        .filter(reference::Column::TargetId.is_in(targets))
        .into_query()
}

pub(crate) fn codes<T: Serialize>(wanted: &OneOf<T>) -> Vec<String> {
    wanted.0.iter().filter_map(|value| code(Some(value))).collect()
}
