//! How many records of a list have each value of a field.
use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QuerySelect, QueryTrait, Select,
    entity::prelude::{Expr, Uuid},
    sea_query::{ExprTrait, Func, SelectStatement, SimpleExpr},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Basis, Error, Narrow, Sight, Store, Stored, Wanted,
    figures::Ones,
    list::{condition, count, id_column},
    narrow::Facet,
    record::{self, term},
    reference,
    tally::{Counting, Divided, Numbers, Within, group},
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

impl Facet {
    /// Whether its values are records.
    fn is_of_records(&self) -> bool {
        matches!(self, Self::Parent(_) | Self::Reference(_))
    }

    /// Counts what fits, by value.
    fn counted<R: Stored>(&self, fitting: &Condition, within: Within) -> SelectStatement {
        let id = id_column::<R>();
        let rows = || {
            let rows = R::Index::find().select_only().filter(fitting.clone());
            rows.filter(within.holds(&id.into_expr()))
        };
        let ids = || rows().column(id).into_query();
        match self {
            Self::Column(column) => by(
                rows().filter(column.clone().is_not_null()),
                column.clone().cast_as("text"),
                column,
            ),
            Self::Parent(column) => {
                by(rows().filter(column.clone().is_not_null()), column.clone(), column)
            }
            Self::Term(field) => {
                let (of, value) = (term::Column::RecordId, term::Column::Value.into_expr());
                let rows = term::Entity::find().select_only();
                let rows =
                    rows.filter(term::Column::Field.eq(*field)).filter(of.in_subquery(ids()));
                by(rows, value.clone(), &value)
            }
            Self::Reference(field) => {
                let (of, value) =
                    (reference::Column::SourceId, reference::Column::TargetId.into_expr());
                let rows = reference::Entity::find().select_only();
                let rows =
                    rows.filter(reference::Column::Field.eq(*field)).filter(of.in_subquery(ids()));
                by(rows, value.clone(), &value)
            }
        }
    }
}

/// Rows by what they have in common, told in that way.
fn by<E: EntityTrait>(rows: Select<E>, told: SimpleExpr, value: &SimpleExpr) -> SelectStatement {
    numbered(rows).column_as(told, "value").group_by(value.clone()).into_query()
}

/// How many rows there are, behind a place for what nobody asks here.
fn numbered<E: EntityTrait>(rows: Select<E>) -> Select<E> {
    let number = SimpleExpr::from(Func::count(Expr::cust("*")));
    rows.column_as(Expr::cust("CAST(NULL AS bigint)"), "different").column_as(number, "number")
}

impl Store {
    /// Counts the records of a list by each of those names: a query for each, and one more for the
    /// names of records. Where there are many, what was counted is kept.
    pub async fn facets<R: Stored>(
        &self,
        wanted: &Wanted<R>,
        names: &[String],
    ) -> Result<Facets, Error> {
        let db = self.reads().await;
        let fitting = condition(&db, wanted, &self.view()).await?;
        let in_parts =
            *self.sight() == Sight::Public && self.few::<R>(&db, &fitting).await?.is_none();
        let moment = match in_parts {
            true => Some(self.moment(wanted.counted_from()).await?),
            false => None,
        };
        let mut told = Facets::new();
        let mut targets = Vec::new();
        for (name, facet) in all::<R>() {
            if !names.iter().any(|asked| asked == name) {
                continue;
            }
            let statement = |within| facet.counted::<R>(&fitting, within);
            let counts = match &moment {
                None => at_once(&db, statement(Within::Everything), facet.is_of_records()).await?,
                Some(moment) => {
                    let columns = vec![facet.is_of_records()];
                    let counting = wanted.counting(columns, Box::new(statement));
                    most(moment.tally(&counting).await?.each())
                }
            };
            match facet.is_of_records() {
                true => targets.push((name, counts)),
                false => {
                    told.insert(name.to_owned(), told_by(counts));
                }
            }
        }
        if !targets.is_empty() {
            let all = targets.iter().flat_map(|(_, counts)| counts.iter().map(|(id, _)| id));
            let ids = all.filter_map(|id| id.parse::<Uuid>().ok());
            let names = record::names(&self.reads_by_key().await, ids.collect()).await?;
            let name = |id: String| {
                id.parse().ok().and_then(|id: Uuid| names.get(&id).cloned()).unwrap_or(id)
            };
            for (facet, counts) in targets {
                let counts = counts.into_iter().map(|(id, count)| (name(id), count));
                told.insert(facet.to_owned(), told_by(counts.collect()));
            }
        }
        Ok(told)
    }

    /// How many records a list has, if that is wanted.
    pub(crate) async fn total_wanted<R: Stored>(
        &self,
        wanted: &Wanted<R>,
    ) -> Result<Option<u64>, Error> {
        match wanted.with_total {
            true => self.total(wanted).await.map(Some),
            false => Ok(None),
        }
    }

    /// How many records a list has. Where there are many, what was counted is kept.
    async fn total<R: Stored>(&self, wanted: &Wanted<R>) -> Result<u64, Error> {
        let db = self.reads().await;
        if *self.sight() != Sight::Public {
            return count::<R>(&db, wanted, &self.view()).await;
        }
        let fitting = condition(&db, wanted, &self.view()).await?;
        if let Some(few) = self.few::<R>(&db, &fitting).await? {
            return Ok(few);
        }
        let moment = self.moment(wanted.counted_from()).await?;
        let id = id_column::<R>().into_expr();
        let statement = |within: Within| {
            let rows = R::Index::find().select_only().filter(fitting.clone());
            let rows = rows.filter(within.holds(&id));
            numbered(rows).into_query()
        };
        let counted = moment.tally(&wanted.counting(Vec::new(), Box::new(statement))).await?;
        let count = counted.each().find_map(|(_, numbers)| numbers.told.first().copied());
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
    }

    /// How many records fit; none where they are too many to be counted at once.
    async fn few<R: Stored>(
        &self,
        db: &impl ConnectionTrait,
        fitting: &Condition,
    ) -> Result<Option<u64>, Error> {
        let most = self.tallies().most_records();
        let rows = R::Index::find().select_only().column(id_column::<R>()).filter(fitting.clone());
        let found = rows.limit(most + 1).count(db).await?;
        Ok((found <= most).then_some(found))
    }
}

impl<R: Stored> Wanted<R> {
    /// From which collections its records are counted.
    fn counted_from(&self) -> Basis {
        Basis::collection(R::COLLECTION).and(self.looks_up())
    }

    fn counting<'a>(
        &self,
        columns: Vec<bool>,
        statement: Box<dyn Fn(Within) -> SelectStatement + 'a>,
    ) -> Counting<'a> {
        let id = id_column::<R>();
        let public =
            R::Index::find().select_only().column(id).filter(Sight::Public.of_index::<R>());
        Counting {
            made_from: self.counted_from(),
            looks_up: self.looks_up(),
            divided: Divided::ByRecord { ids: Box::new(public.into_query()), id: id.into_expr() },
            columns,
            numbers: 1,
            ones: Ones::None,
            statement,
            is_kept: true,
        }
    }
}

/// The values that most have, counted in one statement.
async fn at_once(
    db: &impl ConnectionTrait,
    mut statement: SelectStatement,
    is_id: bool,
) -> Result<Vec<(String, i64)>, Error> {
    let value = Expr::cust("3");
    statement.order_by_expr(Expr::cust("2"), Order::Desc).order_by_expr(value, Order::Asc);
    let rows = db.query_all(statement.limit(MOST_VALUES)).await?;
    let told = rows.iter().map(|row| Ok((group(row, 2, is_id)?, row.try_get_by_index(1)?)));
    let told: Vec<(Option<String>, i64)> = told.collect::<Result<_, Error>>()?;
    Ok(told.into_iter().filter_map(|(value, count)| Some((value?, count))).collect())
}

/// The values that most have, of those that were counted.
fn most<'a>(counted: impl Iterator<Item = (&'a [Option<String>], Numbers)>) -> Vec<(String, i64)> {
    let told = counted.filter_map(|(values, numbers)| {
        let count = numbers.told.first().copied().filter(|count| *count > 0)?;
        Some((values.first()?.clone()?, count))
    });
    let mut told: Vec<_> = told.collect();
    told.sort_by(|(one, many), (other, more)| (more, one).cmp(&(many, other)));
    told.truncate(usize::try_from(MOST_VALUES).unwrap_or(usize::MAX));
    told
}

/// The same in both databases: the most frequent first, then by value.
fn told_by(counts: Vec<(String, i64)>) -> Vec<FacetValue> {
    let mut values: Vec<_> =
        counts.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
    values.sort_by(|one, other| (other.count, &one.value).cmp(&(one.count, &other.value)));
    values
}
