//! Lists: what is in them, in which order, and a page of them.
use chrono::NaiveDate;
use domain::{Record, Resource, State, written_day};
use sea_orm::{
    ColumnTrait, ColumnType, Condition, ConnectionTrait, DbErr, EntityTrait, Iterable, Order,
    PaginatorTrait, PrimaryKeyToColumn, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, SimpleExpr},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Basis, Error, Narrow, Search, Sight, Stored,
    index::code,
    neighbours,
    record::{self, records},
    search::{self, Rank},
    sight::{View, published},
};

/// Which part of a list is wanted.
#[derive(Clone)]
pub struct Wanted<R: Resource> {
    /// What the records are like.
    pub filter: R::Filter,
    /// In which order; true is descending.
    pub sort: Vec<(R::SortKey, bool)>,
    /// Where they stand on their way to the public; nowhere means anywhere.
    pub states: Vec<State>,
    /// Which words are in them.
    pub search: Option<Search>,
    /// The place after which to go on.
    pub after: Option<Vec<Value>>,
    /// How many records at most.
    pub limit: u64,
    /// Whether to count the whole list.
    pub with_total: bool,
    /// Whether these are the parts of one record: whichever it is, the same plan finds them.
    pub parts: bool,
}

impl<R: Resource> Wanted<R> {
    /// All records that are like that, in the usual order.
    #[must_use]
    pub fn all(filter: R::Filter) -> Self {
        let sort = vec![(R::SortKey::default(), false)];
        let limit = i64::MAX as u64 - 1;
        Self {
            filter,
            states: Vec::new(),
            search: None,
            sort,
            after: None,
            limit,
            with_total: false,
            parts: false,
        }
    }
}

impl<R: Stored> Wanted<R> {
    /// What a page of the list is made from, with related records by relations of those names and
    /// counted or not.
    #[must_use]
    pub fn basis(&self, include: &[String], counted: bool) -> Basis {
        let touched = R::narrow(Narrow::apart(), &self.filter).touched.into_inner();
        let mut basis = Basis::of::<R>().and(touched);
        if counted || self.search.is_some() {
            basis = basis.and(Basis::referred::<R>());
        }
        if include.is_empty() {
            return basis;
        }
        let relations = neighbours::<R>();
        for collection in include.iter().filter_map(|name| relations.get(name)).flatten() {
            basis = basis.and(Basis::collection(collection)).and(Basis::referred_by(collection));
        }
        basis
    }

    /// From which others it follows what is in it: of whose records any may change that.
    pub(crate) fn looks_up(&self) -> Basis {
        let touched = R::narrow(Narrow::apart(), &self.filter).touched.into_inner();
        match self.search {
            // A record is also found by what others are called.
            Some(_) => touched.and(Basis::referred::<R>()),
            None => touched,
        }
    }

    /// Whether the list changes with the day, though no record does.
    #[must_use]
    pub fn depends_on_day(&self) -> bool {
        R::narrow(Narrow::apart(), &self.filter).depends_on_day
    }
}

/// One page of a list.
pub struct Page<T> {
    /// The records, in the order asked for.
    pub items: Vec<T>,
    /// The place after the last of them, if more follow.
    pub next: Option<Vec<Value>>,
    /// How many records the whole list has, if that was counted.
    pub total: Option<u64>,
}

type Column<R> = <<R as Stored>::Index as EntityTrait>::Column;

/// A page of a list, found through one connection; what keys name is read through the other.
pub(crate) async fn page<R: Stored, C: ConnectionTrait>(
    db: &C,
    by_key: &C,
    wanted: &Wanted<R>,
    view: &View,
) -> Result<Page<Record<R>>, Error> {
    let page = page_rows(db, by_key, wanted, view).await?;
    let items = records::<R>(by_key, page.items).await?;
    Ok(Page { items, next: page.next, total: page.total })
}

/// The same, as the rows that are kept.
pub(crate) async fn page_rows<R: Stored, C: ConnectionTrait>(
    db: &C,
    by_key: &C,
    wanted: &Wanted<R>,
    view: &View,
) -> Result<Page<record::Model>, Error> {
    let mut columns: Vec<_> =
        wanted.sort.iter().map(|(key, down)| (R::sort_column(*key), *down)).collect();
    // The first key's direction, so that an index can be read in one go.
    columns.push((id_column::<R>(), columns.first().is_some_and(|(_, down)| *down)));
    let keys: Vec<_> = columns.iter().map(|(column, down)| Key::column(*column, *down)).collect();
    let narrowed = Narrow::to::<R>(by_key, view, &wanted.filter).await?;
    let narrowed = narrowed.add_option(in_states::<R>(&wanted.states));
    let unfiltered = narrowed.is_empty();
    let plain = unfiltered && wanted.search.is_none();
    // What a limited token sees is found in another way for a page than for all there is, so that is
    // planned for how much is wanted.
    let limited = matches!(view.sight, Sight::Projects(_));
    let db = if (plain || wanted.parts) && !limited { by_key } else { db };
    let fitting = narrowed.add(view.sight.of_index::<R>());
    let rows = |rank| {
        let search = wanted.search.as_ref();
        let search = search.map(|search| search.condition::<R>(db.get_database_backend(), rank));
        R::Index::find().filter(fitting.clone().add_option(search))
    };
    let parts = match &wanted.search {
        Some(search) if search.ranked => Rank::after(wanted.after.as_deref())?,
        _ => vec![(None, wanted.after.as_deref())],
    };
    let usual = match wanted.sort[..] {
        [(key, down)] if key == R::SortKey::default() => Some(down),
        _ => None,
    };
    let by_words = wanted.search.as_ref().zip(usual);
    let by_words = by_words.filter(|_| unfiltered && view.sight == Sight::Public);
    let read = async |(rank, place): search::From<'_>, room| {
        let after = place.map(|place| after(&keys, place)).transpose()?;
        let found = match by_words {
            Some((search, down)) => {
                let backend = db.get_database_backend();
                search.in_usual_order::<R>(backend, (rank, place), down, room)?
            }
            None => {
                let after = Condition::all().add_option(after);
                let mut rows = rows(rank).filter(after).limit(room);
                for (column, down) in &columns {
                    rows = rows.order_by(*column, order(*down));
                }
                rows.into_query()
            }
        };
        with_records::<R>(db, found, &columns).await
    };
    let mut found = search::in_parts(parts, wanted.limit + 1, read).await?;
    let more = found.len() as u64 > wanted.limit;
    found.truncate(usize::try_from(wanted.limit).unwrap_or(usize::MAX));
    let next = match found.last().filter(|_| more) {
        None => None,
        Some((rank, last)) => {
            let place = place::<R>(&columns, last)?;
            Some(rank.iter().map(|rank| rank.place()).chain(place).collect())
        }
    };
    let items = found.iter().map(|(_, row)| record::at(row)).collect::<Result<_, _>>()?;
    Ok(Page { items, next, total: None })
}

pub(crate) fn order(down: bool) -> Order {
    if down { Order::Desc } else { Order::Asc }
}

/// The rows of an index table that are found, in their order: of each its record, and then what it
/// is ordered by.
///
/// What is found is limited before anything is joined to it, so the plan to find it is the same.
async fn with_records<R: Stored>(
    db: &impl ConnectionTrait,
    found: SelectStatement,
    columns: &[(Column<R>, bool)],
) -> Result<Vec<QueryResult>, Error> {
    let rows = || Alias::new("found");
    let mut query = Query::select();
    for column in record::Column::iter() {
        query.column((record::Entity, column));
    }
    let id = Expr::col((record::Entity, record::Column::Id));
    query
        .from_subquery(found, rows())
        .inner_join(record::Entity, id.eq(Expr::col((rows(), id_column::<R>()))));
    for (column, down) in columns {
        query.column((rows(), *column)).order_by((rows(), *column), order(*down));
    }
    Ok(db.query_all(&query).await?)
}

/// How many records a list has.
pub(crate) async fn count<R: Stored>(
    db: &impl ConnectionTrait,
    wanted: &Wanted<R>,
    view: &View,
) -> Result<u64, Error> {
    let fits = condition(db, wanted, view).await?;
    let rows = R::Index::find().select_only().column(id_column::<R>()).filter(fits);
    Ok(rows.count(db).await?)
}

/// What a list holds.
pub(crate) async fn condition<R: Stored>(
    db: &impl ConnectionTrait,
    wanted: &Wanted<R>,
    view: &View,
) -> Result<Condition, Error> {
    let backend = db.get_database_backend();
    let search = wanted.search.as_ref();
    Ok(Narrow::to::<R>(db, view, &wanted.filter)
        .await?
        .add_option(in_states::<R>(&wanted.states))
        .add(view.sight.of_index::<R>())
        .add_option(search.map(|search| search.condition::<R>(backend, None))))
}

/// The records that stand at one of those; of what is not public there is little, so it is looked for.
fn in_states<R: Stored>(states: &[State]) -> Option<Condition> {
    if states.is_empty() {
        return None;
    }
    let mut found = Condition::any();
    if states.contains(&State::Published) {
        found = found.add(Expr::col((R::Index::default(), "public")));
    }
    let hidden = states.iter().filter(|state| **state != State::Published);
    let hidden: Vec<_> = hidden.filter_map(|state| code(Some(state))).collect();
    if !hidden.is_empty() {
        let state = || record::Column::State.into_expr();
        let ids = Query::select()
            .column(record::Column::Id)
            .from(record::Entity)
            // It stands in the statement, for the index of what is not public.
            .and_where(state().ne(Expr::cust(format!("'{}'", published()))))
            .and_where(state().is_in(hidden))
            .and_where(record::Column::Resource.eq(R::COLLECTION))
            .take();
        found = found.add(id_column::<R>().into_expr().in_subquery(ids));
    }
    Some(found)
}

pub(crate) fn id_column<R: Stored>() -> Column<R> {
    let mut keys = <R::Index as EntityTrait>::PrimaryKey::iter();
    keys.next().map(PrimaryKeyToColumn::into_column).expect("an index table has a key")
}

/// Where a row stands in that order, which is told behind its record.
fn place<R: Stored>(columns: &[(Column<R>, bool)], row: &QueryResult) -> Result<Vec<Value>, DbErr> {
    let values = columns.iter().zip(record::WIDTH..).map(|((column, _), at)| {
        Ok(match column.def().get_column_type() {
            ColumnType::Uuid => json!(row.try_get_by_index::<Uuid>(at)?),
            ColumnType::Date => json!(row.try_get_by_index::<NaiveDate>(at)?),
            ColumnType::BigInteger => json!(row.try_get_by_index::<i64>(at)?),
            _ => json!(row.try_get_by_index::<String>(at)?),
        })
    });
    values.collect()
}

/// One of the things that a list is ordered by.
pub(crate) struct Key {
    pub(crate) by: SimpleExpr,
    pub(crate) kind: ColumnType,
    pub(crate) down: bool,
}

impl Key {
    pub(crate) fn column(column: impl ColumnTrait, down: bool) -> Self {
        let kind = column.def().get_column_type().clone();
        Self { by: column.into_expr(), kind, down }
    }
}

/// What comes after that place: the first key bounds the range, so that an index serves it.
pub(crate) fn after(keys: &[Key], place: &[Value]) -> Result<Condition, Error> {
    if keys.len() != place.len() {
        return Err(Error::InvalidCursor);
    }
    let mut rest: Option<Condition> = None;
    for (key, value) in keys.iter().zip(place).rev() {
        let value = stored(&key.kind, value).ok_or(Error::InvalidCursor)?;
        let by = || key.by.clone();
        let beyond = match key.down {
            true => by().lt(value.clone()),
            false => by().gt(value.clone()),
        };
        rest = Some(match rest {
            None => Condition::all().add(beyond),
            Some(rest) => {
                let bound = match key.down {
                    true => by().lte(value.clone()),
                    false => by().gte(value.clone()),
                };
                let same = Condition::all().add(by().eq(value)).add(rest);
                Condition::all().add(bound).add(Condition::any().add(beyond).add(same))
            }
        });
    }
    rest.ok_or(Error::InvalidCursor)
}

fn stored(kind: &ColumnType, value: &Value) -> Option<sea_orm::Value> {
    match (kind, value) {
        (ColumnType::Uuid, Value::String(id)) => Some(Uuid::try_parse(id).ok()?.into()),
        (ColumnType::Date, Value::String(day)) => Some(written_day(day)?.into()),
        (ColumnType::BigInteger, Value::Number(number)) => Some(number.as_i64()?.into()),
        // Postgres has no text with this letter, so nothing comes after it.
        (ColumnType::String(_) | ColumnType::Text, Value::String(text)) if !text.contains('\0') => {
            Some(text.clone().into())
        }
        _ => None,
    }
}
