//! How many records of a list have each value of a field.
use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    TryGetable,
    entity::prelude::{Expr, Uuid},
    sea_query::{ExprTrait, Func, SelectStatement, SimpleExpr},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Error, Narrow, Store, Stored, Wanted,
    list::{condition, id_column},
    narrow::Facet,
    record::{self, term},
    reference,
};

/// How many values of a field are told at most: all countries have room.
pub const MOST_VALUES: u64 = 300;

/// How many records of a list have a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FacetValue {
    /// The value, as the filter of that name takes it.
    #[schema(example = "KZ")]
    pub value: String,
    /// How many records of the list have it.
    #[schema(minimum = 1, example = 1)]
    pub count: i64,
}

/// The values by the name of the filter, the most frequent first.
pub type Facets = BTreeMap<String, Vec<FacetValue>>;

/// The names by which records of `R` can be counted.
#[must_use]
pub fn facets<R: Stored>() -> Vec<String> {
    all::<R>().into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn all<R: Stored>() -> Vec<(&'static str, Facet)> {
    R::narrow(Narrow::apart(), &R::Filter::default()).facets
}

impl Store {
    /// Counts the records of a list by each of those names: a query for each, and one more for the
    /// names of records.
    pub async fn facets<R: Stored>(
        &self,
        wanted: &Wanted<R>,
        names: &[String],
    ) -> Result<Facets, Error> {
        let db = self.reads().await;
        let fitting = condition(&db, wanted, &self.view()).await?;
        let rows = R::Index::find().filter(fitting);
        let ids = || rows.clone().select_only().column(id_column::<R>()).into_query();
        let mut told = Facets::new();
        let mut targets = Vec::new();
        for (name, facet) in all::<R>() {
            if !names.iter().any(|asked| asked == name) {
                continue;
            }
            let values = match facet {
                Facet::Column(column) => {
                    let text = column.clone().cast_as("text");
                    told_by(self.counted(known(rows.clone(), &column), text, column).await?)
                }
                Facet::Term(field) => told_by(self.terms(field, ids()).await?),
                Facet::Parent(column) => {
                    let rows = known(rows.clone(), &column);
                    targets.push((name, self.counted(rows, column.clone(), column).await?));
                    continue;
                }
                Facet::Reference(field) => {
                    targets.push((name, self.references(field, ids()).await?));
                    continue;
                }
            };
            told.insert(name.to_owned(), values);
        }
        if !targets.is_empty() {
            let all = targets.iter().flat_map(|(_, counts)| counts.iter().map(|(id, _)| *id));
            let names = record::names(&self.reads_by_key().await, all.collect()).await?;
            let name = |id: Uuid| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
            for (facet, counts) in targets {
                let counts = counts.into_iter().map(|(id, count)| (name(id), count));
                told.insert(facet.to_owned(), told_by(counts.collect()));
            }
        }
        Ok(told)
    }

    async fn terms(&self, field: &str, ids: SelectStatement) -> Result<Vec<(String, i64)>, Error> {
        let rows = term::Entity::find()
            .filter(term::Column::Field.eq(field))
            .filter(term::Column::RecordId.in_subquery(ids));
        let value = term::Column::Value.into_expr();
        self.counted(rows, value.clone(), value).await
    }

    async fn references(
        &self,
        field: &str,
        ids: SelectStatement,
    ) -> Result<Vec<(Uuid, i64)>, Error> {
        let rows = reference::Entity::find()
            .filter(reference::Column::Field.eq(field))
            .filter(reference::Column::SourceId.in_subquery(ids));
        let target = reference::Column::TargetId.into_expr();
        self.counted(rows, target.clone(), target).await
    }

    async fn counted<E: EntityTrait, V: TryGetable>(
        &self,
        rows: Select<E>,
        value: SimpleExpr,
        by: SimpleExpr,
    ) -> Result<Vec<(V, i64)>, Error> {
        let count = || SimpleExpr::from(Func::count(Expr::cust("*")));
        let rows = rows
            .select_only()
            .column_as(value, "value")
            .column_as(count(), "count")
            .group_by(by.clone())
            .order_by(count(), Order::Desc)
            .order_by(by, Order::Asc)
            .limit(MOST_VALUES);
        Ok(rows.into_tuple().all(&self.reads().await).await?)
    }
}

/// The rows in which that is known.
fn known<E: EntityTrait>(rows: Select<E>, column: &SimpleExpr) -> Select<E> {
    rows.filter(column.clone().is_not_null())
}

/// The same in both databases: the most frequent first, then by value.
fn told_by(counts: Vec<(String, i64)>) -> Vec<FacetValue> {
    let mut values: Vec<_> =
        counts.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
    values.sort_by(|one, other| (other.count, &one.value).cmp(&(one.count, &other.value)));
    values
}
