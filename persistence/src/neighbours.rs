//! The records that others refer to, brought along with them.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{Record, Shape};
use erased_serde::Serialize;
use futures_util::future::LocalBoxFuture;
use sea_orm::{
    Condition, ConnectionTrait, QueryOrder, QueryResult, QuerySelect, QueryTrait,
    entity::prelude::*,
};

use crate::{
    Error, Sight, Store, Stored, Visitor,
    ready::{Body, ready},
    record::{self, ByCollection, by_collection, padded, records},
    reference,
    template::ByIds,
    visit_all,
};

/// Records by collection, each once, in the order of their ids.
pub type Neighbours = BTreeMap<&'static str, Box<dyn Serialize>>;

/// The relations of `R` that lead to other records, each with the collections of those.
#[must_use]
pub fn neighbours<R: Stored>() -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in Shape::of::<R>().reference_paths() {
        all.entry(path.relation()).or_default().insert(path.collection.clone());
    }
    all
}

impl Store {
    /// The records that those refer to by relations of those names: one query. Either as they are
    /// kept, or such that a language can be chosen for their texts.
    pub async fn neighbours<R: Stored>(
        &self,
        of: impl IntoIterator<Item = Uuid>,
        names: &[String],
        in_all_languages: bool,
    ) -> Result<Neighbours, Error> {
        let paths = Shape::of::<R>().reference_paths().iter();
        let paths = paths.filter(|path| names.contains(&path.relation()));
        let (fields, collections): (BTreeSet<_>, BTreeSet<_>) =
            paths.map(|path| (path.field(), path.collection.clone())).unzip();
        let targets = reference::Entity::find()
            .select_only()
            .column(reference::Column::TargetId)
            .filter(reference::Column::SourceId.is_in(padded(of)))
            .filter(reference::Column::Field.is_in(fields))
            .into_query();
        let db = self.reads_by_key().await;
        let rows = record::Entity::find()
            .filter(record::Column::Id.in_subquery(targets))
            .filter(self.sight().of_records())
            .order_by_asc(record::Column::Id)
            .all(&db)
            .await?;
        let rows = by_collection(rows);
        let mut gather = Gather { db: &db, collections, rows, in_all_languages, found: Vec::new() };
        visit_all(&mut gather);
        let mut neighbours = Neighbours::new();
        for (collection, found) in gather.found {
            neighbours.insert(collection, found.await?);
        }
        Ok(neighbours)
    }

    /// What was written of the records of those ids, by id.
    pub async fn by_id<R: Stored>(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, R>, Error> {
        by_id(&self.reads_by_key().await, self.sight(), ids).await
    }

    /// What was written of the records of those ids, whatever they are: one query.
    pub async fn bodies(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<Bodies, Error> {
        /// As the public asks for them.
        static PUBLIC: ByIds = ByIds::new();
        let ids = padded(ids);
        if ids.is_empty() {
            return Ok(Bodies::default());
        }
        let db = self.reads_by_key().await;
        let backend = db.get_database_backend();
        let statement = |ids| {
            let rows = record::Entity::find()
                .select_only()
                .columns([record::Column::Id, record::Column::Resource])
                .columns([record::Column::Shape, record::Column::Body])
                .filter(record::Column::Id.is_in(ids))
                .filter(self.sight().of_records());
            backend.build(rows.as_query())
        };
        let rows = db.query_all_raw(match self.sight() {
            Sight::Public => PUBLIC.with(backend, ids, statement),
            _ => statement(ids),
        });
        let rows = rows.await?;
        let rows = rows.iter().map(QueryResult::try_get_many_by_index);
        Ok(Bodies(rows.collect::<Result<_, _>>()?))
    }
}

/// What was written of some records.
#[derive(Default)]
pub struct Bodies(Vec<(Uuid, String, Option<String>, String)>);

impl Bodies {
    /// Those of `R`, by id; they are taken out.
    pub fn of<R: Stored>(&mut self) -> Result<HashMap<Uuid, Body>, Error> {
        let own = self.0.extract_if(.., |(_, resource, ..)| resource == R::COLLECTION);
        own.map(|(id, _, shape, body)| Ok((id, Body::of::<R>(shape.as_deref(), body)?))).collect()
    }
}

pub(crate) async fn by_id<R: Stored>(
    db: &impl ConnectionTrait,
    sight: &Sight,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, R>, Error> {
    let ids: BTreeSet<String> = ids.into_iter().map(|id| id.to_string()).collect();
    let found = of_keys::<R>(db, sight, ids).await?;
    Ok(found.into_iter().map(|record| (record.id, record.body)).collect())
}

/// The records of those ids or slugs that there are, in the order of their ids.
pub(crate) async fn of_keys<R: Stored>(
    db: &impl ConnectionTrait,
    sight: &Sight,
    keys: impl IntoIterator<Item = String>,
) -> Result<Vec<Record<R>>, Error> {
    let (ids, slugs): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|key| Uuid::try_parse(key).is_ok());
    if ids.is_empty() && slugs.is_empty() {
        return Ok(Vec::new());
    }
    let ids = ids.iter().filter_map(|id| Uuid::try_parse(id).ok());
    let rows = record::Entity::find()
        .filter(record::Column::Resource.eq(R::COLLECTION))
        .filter(sight.of_records())
        .filter(
            Condition::any()
                .add(record::Column::Id.is_in(ids))
                .add(record::Column::Slug.is_in(slugs)),
        )
        .order_by_asc(record::Column::Id)
        .all(db)
        .await?;
    records(db, rows).await
}

type Found<'a> = LocalBoxFuture<'a, Result<Box<dyn Serialize>, Error>>;

/// Makes of rows what is told of them, collection by collection.
struct Gather<'a, C> {
    db: &'a C,
    collections: BTreeSet<String>,
    rows: ByCollection,
    in_all_languages: bool,
    found: Vec<(&'static str, Found<'a>)>,
}

impl<C: ConnectionTrait> Visitor for Gather<'_, C> {
    fn visit<R: Stored>(&mut self) {
        if !self.collections.contains(R::COLLECTION) {
            return;
        }
        let (db, rows) = (self.db, self.rows.remove(R::COLLECTION).unwrap_or_default());
        let found: Found<'_> = match self.in_all_languages {
            true => Box::pin(async { Ok(Box::new(ready::<R>(db, rows).await?) as _) }),
            false => Box::pin(async { Ok(Box::new(records::<R>(db, rows).await?) as _) }),
        };
        self.found.push((R::COLLECTION, found));
    }
}
