//! The table of every record, whatever its resource: what the registry knows of it, and its body.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use std::collections::{BTreeSet, HashMap};

use domain::{Record, State};
use sea_orm::{ConnectionTrait, QueryResult, QuerySelect, entity::prelude::*};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Sight, Stored, error::unreadable, sight::published};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub resource: String,
    pub slug: Option<String>,
    pub revision: i64,
    pub state: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub published_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// The shape that the body was written in, where it stands as its type writes it.
    #[sea_orm(column_type = "Text", nullable)]
    pub shape: Option<String>,
    /// What follows for it from other records.
    #[sea_orm(column_type = "Text", nullable)]
    pub derived: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn is_public(&self) -> bool {
        self.state == published()
    }
}

/// How many columns the table has.
pub(crate) const WIDTH: usize = 11;

/// The record of a row that begins with all columns in their order: to find them by their names
/// takes longer than to read them.
pub(crate) fn at(row: &QueryResult) -> Result<Model, DbErr> {
    Ok(Model {
        id: row.try_get_by_index(0)?,
        resource: row.try_get_by_index(1)?,
        slug: row.try_get_by_index(2)?,
        revision: row.try_get_by_index(3)?,
        state: row.try_get_by_index(4)?,
        created_at: row.try_get_by_index(5)?,
        updated_at: row.try_get_by_index(6)?,
        published_at: row.try_get_by_index(7)?,
        body: row.try_get_by_index(8)?,
        shape: row.try_get_by_index(9)?,
        derived: row.try_get_by_index(10)?,
    })
}

/// What records are called in addresses, by their ids; of those that have a slug.
pub(crate) async fn names(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, String>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, Option<String>)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Slug])
        .filter(Column::Id.is_in(padded(ids)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|(id, slug)| Some((id, slug?))).collect())
}

pub(crate) fn named<R: Stored>(key: &str, sight: &Sight) -> Select<Entity> {
    let rows = Entity::find().filter(Column::Resource.eq(R::COLLECTION)).filter(sight.of_records());
    match id_of(key) {
        Some(id) => rows.filter(Column::Id.eq(id)),
        None => rows.filter(Column::Slug.eq(key)),
    }
}

/// The id that a key is; else it is a slug.
pub(crate) fn id_of(key: &str) -> Option<Uuid> {
    Uuid::try_parse(key).ok().filter(|_| key.len() == 36)
}

pub(crate) async fn one<R: Stored>(
    db: &impl ConnectionTrait,
    row: Model,
) -> Result<Record<R>, Error> {
    records(db, vec![row]).await?.pop().ok_or(Error::NotFound)
}

pub(crate) async fn records<R: Stored>(
    db: &impl ConnectionTrait,
    rows: Vec<Model>,
) -> Result<Vec<Record<R>>, Error> {
    let bodies = rows.iter().map(|row| read::<R>(&row.body)).collect::<Result<Vec<_>, _>>()?;
    let derived = R::derive(db, &bodies).await?;
    let all = rows.into_iter().zip(bodies).zip(derived);
    all.map(|((row, body), derived)| {
        Ok(Record {
            id: row.id,
            revision: row.revision,
            state: state(&row)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
            published_at: row.published_at,
            body,
            derived,
        })
    })
    .collect()
}

/// The records of those ids, in that order.
pub(crate) async fn whole<R: Stored>(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<Vec<Record<R>>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = Entity::find().filter(Column::Id.is_in(padded(ids.iter().copied())));
    let mut rows = found.all(db).await?;
    let places: HashMap<_, _> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    rows.sort_by_key(|row| places.get(&row.id).copied());
    records(db, rows).await
}

/// Rows by their collection.
pub(crate) type ByCollection = HashMap<String, Vec<Model>>;

/// Those rows by their collection, each of these in the same order.
pub(crate) fn by_collection(rows: Vec<Model>) -> ByCollection {
    let mut all = ByCollection::new();
    for row in rows {
        all.entry(row.resource.clone()).or_default().push(row);
    }
    all
}

/// Each of those ids, and one of them again and again: as many as a power of two, so that few
/// statements serve all numbers of them.
pub(crate) fn padded(ids: impl IntoIterator<Item = Uuid>) -> Vec<Uuid> {
    let ids: BTreeSet<Uuid> = ids.into_iter().collect();
    let mut ids: Vec<Uuid> = ids.into_iter().collect();
    if let Some(last) = ids.last().copied() {
        ids.resize(ids.len().next_power_of_two(), last);
    }
    ids
}

pub(crate) fn state(row: &Model) -> Result<State, Error> {
    serde_json::from_value(row.state.clone().into()).map_err(unreadable)
}

pub(crate) fn read<T: DeserializeOwned>(body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(unreadable)
}

/// What was written of those records, and their ids.
pub(crate) fn bodies_of<R: Stored>(rows: &[Model]) -> Result<(Vec<Uuid>, Vec<R>), Error> {
    let bodies = rows.iter().map(|row| read(&row.body)).collect::<Result<_, _>>()?;
    Ok((rows.iter().map(|row| row.id).collect(), bodies))
}

pub(crate) fn typed<R: Stored>(body: &Value) -> Result<R, Error> {
    R::deserialize(body).map_err(unreadable)
}

/// The table of the codes of which a record has several, for filters.
pub(crate) mod term {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "term")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub record_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub field: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub value: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
