//! The records that others refer to, brought along with them.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{Record, Shape, relation};
use erased_serde::Serialize;
use futures_util::future::LocalBoxFuture;
use sea_orm::{Condition, ConnectionTrait, QueryOrder, QuerySelect, entity::prelude::*};
use serde_json::json;

use crate::{
    Error, Sight, Store, Stored, Visitor,
    ready::Body,
    record::{self, padded, records},
    reference, visit_all,
};

/// Records by collection, each once, in the order of their ids.
pub type Neighbours = BTreeMap<&'static str, Box<dyn Serialize>>;

/// The relations of `R` that lead to other records, each with the collections of those.
#[must_use]
pub fn neighbours<R: Stored>() -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in Shape::of::<R>().reference_paths() {
        let name = path.steps.first().map_or_else(String::new, |step| relation(step));
        all.entry(name).or_default().insert(path.collection.clone());
    }
    all
}

impl Store {
    /// The records that those refer to by relations of those names: one query a collection.
    pub async fn neighbours<R: Stored>(
        &self,
        of: &[Record<R>],
        names: &[String],
    ) -> Result<Neighbours, Error> {
        let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, collections) in neighbours::<R>() {
            if names.contains(&name) {
                wanted.extend(collections.into_iter().map(|one| (one, BTreeSet::new())));
            }
        }
        for reference in of.iter().flat_map(|record| reference::of::<R>(&json!(record.body))) {
            let step = reference.field.split('/').nth(1).unwrap_or_default();
            if names.contains(&relation(step)) {
                wanted.entry(reference.collection).or_default().insert(reference.key);
            }
        }
        let mut gather = Gather { store: self, wanted, found: Vec::new() };
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
        let ids = padded(ids);
        if ids.is_empty() {
            return Ok(Bodies::default());
        }
        let rows = record::Entity::find()
            .select_only()
            .columns([record::Column::Id, record::Column::Resource])
            .columns([record::Column::Shape, record::Column::Body])
            .filter(record::Column::Id.is_in(ids))
            .filter(self.sight().of_records());
        Ok(Bodies(rows.into_tuple().all(&self.reads_by_key().await).await?))
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

/// Asks each collection for the records that are wanted of it.
struct Gather<'a> {
    store: &'a Store,
    wanted: BTreeMap<String, BTreeSet<String>>,
    found: Vec<(&'static str, Found<'a>)>,
}

impl Visitor for Gather<'_> {
    fn visit<R: Stored>(&mut self) {
        let Some(keys) = self.wanted.remove(R::COLLECTION) else { return };
        let store = self.store;
        let found = async move {
            let records: Vec<Record<R>> =
                of_keys(&store.reads_by_key().await, store.sight(), keys).await?;
            Ok(Box::new(records) as Box<dyn Serialize>)
        };
        self.found.push((R::COLLECTION, Box::pin(found)));
    }
}
