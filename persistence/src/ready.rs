//! Records as they are answered, without taking them apart and putting them together again.
//!
//! A body is kept as its type writes it. While that type is the same as now, what stands in the table
//! is what is answered.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{Shape, State};
use futures_util::future::LocalBoxFuture;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::{CaseStatement, Expr},
};
use serde::{Deserialize, Serialize, Serializer, ser};
use serde_json::{Value, json, value::RawValue};
use uuid::Uuid;

use crate::{
    Error, Page, Store, Stored, Visitor, Wanted,
    error::unreadable,
    list::page_rows,
    record::{self, ByCollection, by_collection, named, read, records, state},
    search, visit_all,
};

/// A record as JSON.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Identifies the record.
    pub id: Uuid,
    /// The revision that it is.
    pub revision: i64,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// All that is told of it.
    pub json: String,
}

impl Serialize for Ready {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.json).map_err(ser::Error::custom)?.serialize(to)
    }
}

/// What was written of a record, or follows for it: JSON, as its type writes it now.
pub struct Body(pub(crate) String);

impl Body {
    pub(crate) fn of<R: Stored>(shape: Option<&str>, body: String) -> Result<Self, Error> {
        if shape == Some(Shape::of::<R>().print()) {
            return Ok(Self(body));
        }
        Ok(Self(serde_json::to_string(&read::<R>(&body)?).map_err(unreadable)?))
    }

    /// What of it is looked at.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        serde_json::from_str(&self.0).map_err(unreadable)
    }
}

/// How many bytes the beginning of a record takes, about.
const HEAD: usize = 256;

/// What comes first of a record.
#[derive(Serialize)]
struct Head<'a> {
    id: Uuid,
    revision: i64,
    state: State,
    created_at: &'a DateTime<Utc>,
    updated_at: &'a DateTime<Utc>,
    published_at: &'a Option<DateTime<Utc>>,
}

impl Store {
    /// What [`Store::list`] finds.
    pub async fn list_ready<R: Stored>(&self, wanted: &Wanted<R>) -> Result<Page<Ready>, Error> {
        let total = self.total_wanted(wanted).await?;
        let (db, by_key) = (self.reads().await, self.reads_by_key().await);
        let page = page_rows(&db, &by_key, wanted, &self.view()).await?;
        let items = ready::<R>(&by_key, page.items).await?;
        Ok(Page { items, next: page.next, total })
    }

    /// What [`Store::find`] finds.
    pub async fn find_ready<R: Stored>(&self, key: &str) -> Result<Ready, Error> {
        let db = self.reads_by_key().await;
        let row = named::<R>(key, self.sight()).one(&db).await?.ok_or(Error::NotFound)?;
        ready::<R>(&db, vec![row]).await?.pop().ok_or(Error::NotFound)
    }
}

/// Whether something follows for records of `R` from others.
pub(crate) fn derives<R: Stored>() -> bool {
    debug_assert_eq!(R::DERIVES_FROM.is_empty(), size_of::<R::Derived>() == 0);
    !R::DERIVES_FROM.is_empty()
}

/// Records of `R` as they are answered, in the order of their rows.
pub(crate) async fn ready<R: Stored>(
    db: &impl ConnectionTrait,
    rows: Vec<record::Model>,
) -> Result<Vec<Ready>, Error> {
    let mut all = Vec::with_capacity(rows.len());
    let mut others = Vec::new();
    let shape = Shape::of::<R>().print();
    for (place, row) in rows.into_iter().enumerate() {
        let (id, revision, updated_at) = (row.id, row.revision, row.updated_at);
        let json = joined::<R>(&row, shape)?;
        if json.is_none() {
            others.push((place, row));
        }
        all.push(Ready { id, revision, updated_at, json: json.unwrap_or_default() });
    }
    if !others.is_empty() {
        let (places, rows): (Vec<_>, Vec<_>) = others.into_iter().unzip();
        for (place, record) in places.into_iter().zip(records::<R>(db, rows).await?) {
            all[place].json = serde_json::to_string(&record).map_err(unreadable)?;
        }
    }
    Ok(all)
}

/// Those records of whatever collections, collection by collection.
pub(crate) async fn ready_of(
    db: &impl ConnectionTrait,
    rows: Vec<record::Model>,
) -> Result<Vec<Ready>, Error> {
    struct Each<'a, C> {
        db: &'a C,
        rows: ByCollection,
        tasks: Vec<LocalBoxFuture<'a, Result<Vec<Ready>, Error>>>,
    }
    impl<C: ConnectionTrait> Visitor for Each<'_, C> {
        fn visit<R: Stored>(&mut self) {
            if let Some(rows) = self.rows.remove(R::COLLECTION) {
                self.tasks.push(Box::pin(ready::<R>(self.db, rows)));
            }
        }
    }
    let mut each = Each { db, rows: by_collection(rows), tasks: Vec::new() };
    visit_all(&mut each);
    let mut all = Vec::new();
    for task in each.tasks {
        all.extend(task.await?);
    }
    Ok(all)
}

/// A record put together of what is kept, if that is as it would be written now.
fn joined<R: Stored>(row: &record::Model, shape: &str) -> Result<Option<String>, Error> {
    if row.shape.as_deref() != Some(shape) {
        return Ok(None);
    }
    let derived = match (&row.derived, derives::<R>()) {
        (Some(derived), true) => Some(derived),
        (None, true) => return Ok(None),
        (_, false) => None,
    };
    let record::Model { id, revision, created_at, updated_at, published_at, .. } = row;
    let (id, revision, state) = (*id, *revision, state(row)?);
    let head = Head { id, revision, state, created_at, updated_at, published_at };
    let room = HEAD + row.body.len() + derived.map_or(0, String::len);
    let mut json = Vec::with_capacity(room);
    serde_json::to_writer(&mut json, &head).map_err(unreadable)?;
    let mut json = String::from_utf8(json).map_err(unreadable)?;
    for object in [Some(&row.body), derived].into_iter().flatten() {
        // The fields of an object, after those that stand there.
        let inner = object.get(1..object.len().saturating_sub(1)).unwrap_or_default();
        if !inner.is_empty() {
            json.pop();
            json.push(',');
            json.push_str(inner);
            json.push('}');
        }
    }
    Ok(Some(json))
}

/// Keeps what follows for records from what was written and from others: the words that they are found
/// by, in place of those that the records in `had` had, and what is answered with them; after others
/// have changed, anew.
pub(crate) async fn follow<R: Stored>(
    tx: &DatabaseTransaction,
    rows: &[&record::Model],
    bodies: &[R],
    had: &[Uuid],
) -> Result<(), Error> {
    let derived = R::derive(tx, bodies).await?;
    search::keep(tx, rows, bodies, &derived, had).await?;
    if !derives::<R>() {
        return Ok(());
    }
    let mut by_id = CaseStatement::new();
    for (row, derived) in rows.iter().zip(derived) {
        let derived = serde_json::to_string(&derived).map_err(unreadable)?;
        by_id = by_id.case(record::Column::Id.eq(row.id), derived);
    }
    record::Entity::update_many()
        .col_expr(record::Column::Derived, by_id.into())
        .filter(record::Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(tx)
        .await?;
    Ok(())
}

/// The shape of a body, if what stands there is what its type writes, in whatever order.
pub(crate) fn shape<R: Stored>(body: &R, written: &str) -> Option<String> {
    let same = || serde_json::from_str::<Value>(written).is_ok_and(|value| value == json!(body));
    let as_written = serde_json::to_string(body).is_ok_and(|text| text == written) || same();
    as_written.then(|| Shape::of::<R>().print().to_owned())
}

/// Notes which bodies stand there as their type writes them.
pub(crate) async fn note<R: Stored>(
    tx: &DatabaseTransaction,
    rows: &[record::Model],
    bodies: &[R],
) -> Result<(), Error> {
    let mut changed: BTreeMap<Option<String>, Vec<Uuid>> = BTreeMap::new();
    for (row, body) in rows.iter().zip(bodies) {
        let shape = shape(body, &row.body);
        if shape != row.shape {
            changed.entry(shape).or_default().push(row.id);
        }
    }
    for (shape, ids) in changed {
        record::Entity::update_many()
            .col_expr(record::Column::Shape, Expr::value(shape))
            .filter(record::Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(())
}
