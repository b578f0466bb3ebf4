//! Takes a bundle of records of several resources, all or none.
use std::collections::HashMap;

use domain::{Refused, Shape, Violation};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Author, Error, Store, Stored, Visitor, dialect, log, record, reference, search,
    sight::published,
    store::{insert_index, insert_row, row, typed},
    visit_all,
};

/// What came of an import.
#[derive(Debug)]
pub enum Imported {
    /// Every record was kept; how many, by collection.
    Kept(Vec<(&'static str, usize)>),
    /// None was kept, for these reasons; pointers lead into the bundle.
    Refused(Vec<Violation>),
}

/// A record of the bundle, ready to be kept.
struct Item {
    pointer: String,
    body: Value,
    references: Vec<domain::Reference>,
    id: Uuid,
    keep: Settle,
}

/// Puts ids for the names in a body.
type Settle =
    fn(&mut Value, &[domain::Reference], &reference::Known) -> Result<Settled, Vec<Violation>>;

struct Settled {
    links: Vec<(String, Uuid)>,
    insert: Box<dyn AsyncInsert>,
}

trait AsyncInsert {
    fn row(&self, id: Uuid, value: &Value, now: chrono::DateTime<chrono::Utc>) -> record::Model;
    fn index<'a>(
        &'a self,
        tx: &'a DatabaseTransaction,
        id: Uuid,
        value: &'a Value,
        links: Vec<(String, Uuid)>,
    ) -> futures_util::future::LocalBoxFuture<'a, Result<(), Error>>;
    fn conflicts<'a>(
        &'a self,
        tx: &'a DatabaseTransaction,
        id: Uuid,
    ) -> futures_util::future::LocalBoxFuture<'a, Result<Vec<Violation>, Error>>;
    fn search<'a>(
        &'a self,
        tx: &'a DatabaseTransaction,
        id: Uuid,
    ) -> futures_util::future::LocalBoxFuture<'a, Result<(), Error>>;
    fn collection(&self) -> &'static str;
    fn slug(&self) -> Option<String>;
}

struct Typed<R>(R);

impl<R: Stored> AsyncInsert for Typed<R> {
    fn row(&self, id: Uuid, value: &Value, now: chrono::DateTime<chrono::Utc>) -> record::Model {
        row(id, &self.0, value, domain::State::Published, now)
    }
    fn index<'a>(
        &'a self,
        tx: &'a DatabaseTransaction,
        id: Uuid,
        value: &'a Value,
        links: Vec<(String, Uuid)>,
    ) -> futures_util::future::LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(insert_index(tx, id, &self.0, value, links))
    }
    fn conflicts<'a>(
        &'a self,
        tx: &'a DatabaseTransaction,
        id: Uuid,
    ) -> futures_util::future::LocalBoxFuture<'a, Result<Vec<Violation>, Error>> {
        Box::pin(self.0.conflicts(tx, id, None))
    }
    fn search<'a>(
        &'a self,
        tx: &'a DatabaseTransaction,
        id: Uuid,
    ) -> futures_util::future::LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(search::keep(tx, id, &self.0, false))
    }
    fn collection(&self) -> &'static str {
        R::COLLECTION
    }
    fn slug(&self) -> Option<String> {
        self.0.slug().map(ToOwned::to_owned)
    }
}

fn settle<R: Stored>(
    body: &mut Value,
    references: &[domain::Reference],
    known: &reference::Known,
) -> Result<Settled, Vec<Violation>> {
    let links = reference::settle(body, references, known)?;
    let read: R = typed(body)
        .map_err(|error| vec![Violation::new("", "invalid_value", error.to_string())])?;
    Ok(Settled { links, insert: Box::new(Typed(read)) })
}

/// Reads every record of a bundle, collection by collection.
struct Reader<'a> {
    store: &'a Store,
    records: &'a mut serde_json::Map<String, Value>,
    items: Vec<Item>,
    known: reference::Known,
    broken: Vec<Violation>,
}

impl Visitor for Reader<'_> {
    fn visit<R: Stored>(&mut self) {
        let Some(bodies) = self.records.remove(R::COLLECTION) else { return };
        let at = format!("/records/{}", R::COLLECTION);
        let Value::Array(bodies) = bodies else {
            self.broken.push(Violation::new(at, "wrong_type", "It is to be a list."));
            return;
        };
        for (place, body) in bodies.into_iter().enumerate() {
            let pointer = format!("{at}/{place}");
            match Shape::read::<R>(body) {
                Err(Refused::Form(broken) | Refused::Meaning(broken)) => {
                    self.broken.extend(under(&pointer, broken));
                }
                Ok(read) => {
                    let id = self.store.new_id();
                    if let Some(slug) = read.slug() {
                        let name = (R::COLLECTION.to_owned(), slug.to_owned());
                        if self.known.insert(name, (id, Some(slug.to_owned()))).is_some() {
                            let detail = "Another record of the bundle has that slug.";
                            self.broken.push(Violation::new(&*pointer, "slug_taken", detail));
                        }
                    }
                    let body = serde_json::json!(read);
                    let references = reference::of::<R>(&body);
                    self.items.push(Item { pointer, body, references, id, keep: settle::<R> });
                }
            }
        }
    }
}

fn under(pointer: &str, broken: Vec<Violation>) -> impl Iterator<Item = Violation> + '_ {
    broken
        .into_iter()
        .map(move |one| Violation { pointer: format!("{pointer}{}", one.pointer), ..one })
}

impl Store {
    /// Keeps every record of a bundle, or none: records may name each other by slug.
    pub async fn import(&self, by: &Author, mut bundle: Value) -> Result<Imported, Error> {
        let Some(records) = bundle["records"].as_object_mut() else {
            let wanted = Violation::new("/records", "missing_field", "A bundle has records.");
            return Ok(Imported::Refused(vec![wanted]));
        };
        let mut reader = Reader {
            store: self,
            records,
            items: Vec::new(),
            known: HashMap::new(),
            broken: Vec::new(),
        };
        visit_all(&mut reader);
        let Reader { items, mut known, mut broken, records, .. } = reader;
        broken.extend(records.keys().map(|name| {
            let pointer = format!("/records/{name}");
            Violation::new(pointer, "unknown_field", "There is no such collection.")
        }));
        if !broken.is_empty() {
            return Ok(Imported::Refused(broken));
        }

        let tx = dialect::begin(self.db()).await?;
        let now = self.now();
        let references: Vec<_> = items.iter().flat_map(|item| item.references.clone()).collect();
        reference::look_up(&tx, &by.sight(), &references, &mut known).await?;
        let mut ready = Vec::new();
        for mut item in items {
            match (item.keep)(&mut item.body, &item.references, &known) {
                Ok(settled) => ready.push((item, settled)),
                Err(missing) => broken.extend(under(&item.pointer, missing)),
            }
        }
        if !broken.is_empty() {
            return Ok(Imported::Refused(broken));
        }
        for (item, settled) in &ready {
            match insert_row(&tx, settled.insert.row(item.id, &item.body, now)).await {
                Err(Error::Taken) => {
                    let detail = "The registry has a record of that slug.";
                    return Ok(Imported::Refused(vec![Violation::new(
                        &*item.pointer,
                        "slug_taken",
                        detail,
                    )]));
                }
                other => other?,
            }
        }
        let mut changes = Vec::new();
        let mut kept: Vec<(&'static str, usize)> = Vec::new();
        for (item, settled) in &mut ready {
            let links = std::mem::take(&mut settled.links);
            settled.insert.index(&tx, item.id, &item.body, links).await?;
            let collection = settled.insert.collection();
            match kept.last_mut() {
                Some((last, count)) if *last == collection => *count += 1,
                _ => kept.push((collection, 1)),
            }
            changes.push(log::Change {
                operation: "create",
                resource: collection,
                id: item.id,
                revision: 1,
                slug: settled.insert.slug(),
                body: Some(item.body.to_string()),
                state_before: None,
                state: Some(published()),
            });
        }
        log::lock(&tx).await?;
        for (item, settled) in &ready {
            let conflicts = settled.insert.conflicts(&tx, item.id).await?;
            broken.extend(under(&item.pointer, conflicts));
            settled.insert.search(&tx, item.id).await?;
        }
        if !broken.is_empty() {
            return Ok(Imported::Refused(broken));
        }
        log::note(&tx, by, now, changes).await?;
        log::commit(tx).await?;
        Ok(Imported::Kept(kept))
    }
}
