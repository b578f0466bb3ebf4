//! Records as they are answered, without taking them apart and putting them together again.
//!
//! A body is kept as its type writes it. While that type is the same as now, what stands in the table
//! is what is answered.
use chrono::{DateTime, Utc};
use domain::{Shape, State};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr,
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Error, Page, Store, Stored, Wanted, record,
    store::{named, page_rows, records, state, unreadable},
};

/// A record as JSON.
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
        let (db, by_key) = (self.reads().await, self.reads_by_key().await);
        let page = page_rows(&db, &by_key, wanted, &self.view()).await?;
        let items = ready::<R>(&by_key, page.items).await?;
        Ok(Page { items, next: page.next, total: page.total })
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
    size_of::<R::Derived>() > 0
}

async fn ready<R: Stored>(
    db: &impl ConnectionTrait,
    rows: Vec<record::Model>,
) -> Result<Vec<Ready>, Error> {
    let mut all = Vec::with_capacity(rows.len());
    let mut others = Vec::new();
    for (place, row) in rows.into_iter().enumerate() {
        let (id, revision, updated_at) = (row.id, row.revision, row.updated_at);
        let json = joined::<R>(&row)?;
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

/// A record put together of what is kept, if that is as it would be written now.
fn joined<R: Stored>(row: &record::Model) -> Result<Option<String>, Error> {
    if row.shape.as_deref() != Some(Shape::of::<R>().print()) {
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
    let mut json = serde_json::to_string(&head).map_err(unreadable)?;
    json.reserve(row.body.len() + derived.map_or(0, String::len) + 2);
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

/// Keeps with a record what follows for it from others; after they have changed, anew.
pub(crate) async fn keep<R: Stored>(
    tx: &DatabaseTransaction,
    id: Uuid,
    body: &R,
) -> Result<(), Error> {
    if !derives::<R>() {
        return Ok(());
    }
    let derived = R::derive(tx, std::slice::from_ref(body)).await?;
    let derived = serde_json::to_string(&derived[0]).map_err(unreadable)?;
    record::Entity::update_many()
        .col_expr(record::Column::Derived, Expr::value(derived))
        .filter(record::Column::Id.eq(id))
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

/// Notes that a body stands there as its type writes it, or does not.
pub(crate) async fn note<R: Stored>(
    tx: &DatabaseTransaction,
    row: &record::Model,
    body: &R,
) -> Result<(), Error> {
    let shape = shape(body, &row.body);
    if shape != row.shape {
        record::Entity::update_many()
            .col_expr(record::Column::Shape, Expr::value(shape))
            .filter(record::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
    }
    keep(tx, row.id, body).await
}
