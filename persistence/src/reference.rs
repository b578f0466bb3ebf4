//! The table of who refers to whom, and how a name becomes an id.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{Reference, Shape, Violation};
use sea_orm::{
    ActiveValue::Set, Condition, ConnectionTrait, DatabaseTransaction, QueryOrder, QuerySelect,
    entity::prelude::*,
};
use serde_json::Value;

use crate::{
    Error, Referrer, Sight, Stored,
    change::Entry,
    insert,
    record::{self, term},
    sight::published,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reference")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub field: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub target_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}

/// How many keys one statement asks for: SQLite takes no more than 32766 values.
const AT_ONCE: usize = 10_000;

/// Of how many records at most it is told that they refer to another.
pub const MOST_TOLD: usize = 20;

/// A record that a name means: its id and its slug.
pub(crate) type Meant = (Uuid, Option<String>);

/// What names have been found to mean.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// By collection and key.
    meant: HashMap<(String, String), Meant>,
    /// What several records are called.
    several: HashSet<(String, String)>,
}

impl Known {
    fn key(collection: &str, name: &str) -> (String, String) {
        (collection.to_owned(), name.to_lowercase())
    }

    /// What a name means.
    pub(crate) fn get(&self, collection: &str, name: &str) -> Option<&Meant> {
        self.meant.get(&Self::key(collection, name))
    }

    pub(crate) fn has(&self, collection: &str, name: &str) -> bool {
        self.get(collection, name).is_some()
    }

    /// Notes what a name means, unless that is known.
    pub(crate) fn note(&mut self, collection: &str, name: &str, means: Meant) {
        self.meant.entry(Self::key(collection, name)).or_insert(means);
    }

    /// Notes that a name may mean several records.
    pub(crate) fn note_several(&mut self, collection: &str, name: &str) {
        self.several.insert(Self::key(collection, name));
    }
}

/// Looks up whom those references name, among what may be seen.
pub(crate) async fn look_up(
    db: &impl ConnectionTrait,
    sight: &Sight,
    references: &[Reference],
    known: &mut Known,
) -> Result<(), Error> {
    look_up_among(db, &sight.of_records(), references, known).await
}

/// The same, among the records that fit.
pub(crate) async fn look_up_among(
    db: &impl ConnectionTrait,
    fitting: &Condition,
    references: &[Reference],
    known: &mut Known,
) -> Result<(), Error> {
    let unknown = |reference: &&Reference| !known.has(&reference.collection, &reference.key);
    let mut keys: Vec<&str> =
        references.iter().filter(unknown).map(|reference| reference.key.as_str()).collect();
    // Postgres takes no such character in a text, and nothing is called so.
    keys.retain(|key| !key.contains('\0'));
    keys.sort_unstable();
    keys.dedup();
    for keys in keys.chunks(AT_ONCE) {
        let ids = keys.iter().filter_map(|key| Uuid::try_parse(key).ok());
        let found: Vec<(Uuid, String, Option<String>)> = record::Entity::find()
            .select_only()
            .columns([record::Column::Id, record::Column::Resource, record::Column::Slug])
            .filter(fitting.clone())
            .filter(
                Condition::any()
                    .add(record::Column::Id.is_in(ids))
                    .add(record::Column::Slug.is_in(keys.iter().copied())),
            )
            .into_tuple()
            .all(db)
            .await?;
        for (id, resource, slug) in found {
            known.note(&resource, &id.to_string(), (id, slug.clone()));
            if let Some(name) = &slug {
                known.note(&resource, name, (id, slug.clone()));
            }
        }
    }
    Ok(())
}

/// Puts the ids for the names, or says which names nobody has.
pub(crate) fn settle(
    body: &mut Value,
    references: &[Reference],
    known: &Known,
) -> Result<Vec<(String, Uuid)>, Vec<Violation>> {
    let mut links = Vec::new();
    let mut missing = Vec::new();
    for reference in references {
        let Reference { collection, key, .. } = reference;
        match known.get(collection, key) {
            None if known.several.contains(&Known::key(collection, key)) => {
                missing.push(Violation::new(
                    &*reference.pointer,
                    "ambiguous_reference",
                    format!("Several of the {collection} are called so: give the id or slug."),
                ));
            }
            None => missing.push(Violation::new(
                &*reference.pointer,
                "unknown_reference",
                format!("None of the {} has that id or slug.", reference.collection),
            )),
            Some((id, slug)) => {
                let written = match slug {
                    Some(code) if is_by_code(reference) => code.clone(),
                    _ => id.to_string(),
                };
                if let Some(value) = body.pointer_mut(&reference.pointer) {
                    *value = written.into();
                }
                let link = (reference.field.clone(), *id);
                if !links.contains(&link) {
                    links.push(link);
                }
            }
        }
    }
    if missing.is_empty() { Ok(links) } else { Err(missing) }
}

/// Whether its target is written by its code: a topic is, everything else by its id.
fn is_by_code(reference: &Reference) -> bool {
    reference.collection == "topics" && reference.field.ends_with("/topics")
}

/// Fails where what a body names by a code has got another one since that was looked up: the body would
/// keep one that nobody has. To be asked when no other change can commit before this one.
pub(crate) async fn codes_stand<R: Stored>(
    tx: &DatabaseTransaction,
    all: &[&Entry<R>],
) -> Result<(), Error> {
    let by_code = |entry: &&Entry<R>| -> (BTreeSet<String>, BTreeSet<Uuid>) {
        let references: Vec<_> = of::<R>(&entry.value).into_iter().filter(is_by_code).collect();
        let is_one = |field: &str| references.iter().any(|reference| reference.field == field);
        let links = entry.links.iter().filter(|(field, _)| is_one(field)).map(|(_, id)| *id);
        let ids = links.collect();
        (references.into_iter().map(|reference| reference.key).collect(), ids)
    };
    let written: Vec<_> = all.iter().map(by_code).collect();
    let ids: BTreeSet<Uuid> = written.iter().flat_map(|(_, ids)| ids).copied().collect();
    if ids.is_empty() {
        return Ok(());
    }
    let codes = record::names(tx, ids.into_iter().collect()).await?;
    let stands = |(codes_written, ids): &(BTreeSet<String>, BTreeSet<Uuid>)| {
        ids.iter().all(|id| codes.get(id).is_some_and(|code| codes_written.contains(code)))
    };
    if written.iter().all(stands) {
        return Ok(());
    }
    Err(Error::Collided(DbErr::Custom("a topic has got another code".to_owned())))
}

/// Writes whom records refer to and the codes they have, in place of those that the records in `had`
/// had.
pub(crate) async fn keep<R: Stored>(
    db: &impl ConnectionTrait,
    all: &[&Entry<R>],
    had: &[Uuid],
) -> Result<(), Error> {
    if !had.is_empty() {
        let had = || had.iter().copied();
        Entity::delete_many().filter(Column::SourceId.is_in(had())).exec(db).await?;
        term::Entity::delete_many().filter(term::Column::RecordId.is_in(had())).exec(db).await?;
    }
    let links = all.iter().flat_map(|entry| {
        entry.links.iter().map(|(field, target)| ActiveModel {
            source_id: Set(entry.row.id),
            field: Set(field.clone()),
            target_id: Set(*target),
        })
    });
    insert::all::<Entity>(db, links.collect()).await?;
    let terms = all.iter().flat_map(|entry| {
        terms::<R>(&entry.value).into_iter().map(|(field, value)| term::ActiveModel {
            record_id: Set(entry.row.id),
            field: Set(field),
            value: Set(value),
        })
    });
    insert::all::<term::Entity>(db, terms.collect()).await
}

fn terms<R: Stored>(body: &Value) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for field in R::TERMS {
        let steps = field.split('/').skip(1).flat_map(|step| [step.to_owned(), "*".to_owned()]);
        let mut steps: Vec<_> = steps.collect();
        // Whether the last step leads to a list or to a field of a list's items, both are taken.
        for _ in 0..2 {
            domain::follow(body, &steps, String::new(), &mut |_, value| {
                if let Value::String(value) = value {
                    found.push(((*field).to_owned(), value.clone()));
                }
            });
            steps.pop();
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The references that a body makes.
pub(crate) fn of<R: Stored>(body: &Value) -> Vec<Reference> {
    let mut found = Shape::of::<R>().references(body);
    found.extend(R::untyped_reference(body));
    found
}

/// Puts ids for the names in a body, of what its author may see.
pub(crate) async fn settled<R: Stored>(
    tx: &DatabaseTransaction,
    sight: &Sight,
    value: &mut Value,
) -> Result<Vec<(String, Uuid)>, Error> {
    let references = of::<R>(value);
    let mut known = Known::default();
    look_up(tx, sight, &references, &mut known).await?;
    settle(value, &references, &known).map_err(Error::Refused)
}

/// Whom a record refers to, and in which field.
pub(crate) async fn links_of(
    tx: &DatabaseTransaction,
    id: Uuid,
) -> Result<Vec<(String, Uuid)>, Error> {
    Ok(Entity::find()
        .select_only()
        .columns([Column::Field, Column::TargetId])
        .filter(Column::SourceId.eq(id))
        .order_by_asc(Column::Field)
        .into_tuple()
        .all(tx)
        .await?)
}

/// Refuses that what is public refers to what is not: it would tell that there is something.
pub(crate) async fn whole_public<'a, R: Stored>(
    tx: &DatabaseTransaction,
    public: impl Iterator<Item = (&'a Value, &'a [(String, Uuid)])> + Clone,
) -> Result<(), Error> {
    let links = public.clone().flat_map(|(_, links)| links);
    let ids: BTreeSet<Uuid> = links.map(|(_, id)| *id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let hidden: Vec<(Uuid, String, Option<String>)> = record::Entity::find()
        .select_only()
        .columns([record::Column::Id, record::Column::Resource, record::Column::Slug])
        .filter(record::Column::Id.is_in(ids))
        .filter(record::Column::State.ne(published()))
        .into_tuple()
        .all(tx)
        .await?;
    if hidden.is_empty() {
        return Ok(());
    }
    let told = |Reference { pointer, collection, key, .. }: Reference| {
        let (id, resource, slug) = hidden.iter().find(|(id, resource, slug)| {
            *resource == collection && (id.to_string() == key || slug.as_ref() == Some(&key))
        })?;
        let name = slug.clone().unwrap_or_else(|| id.to_string());
        let detail = format!("/v1/{resource}/{name} is not public: publish it first.");
        Some(Violation::new(pointer, "unpublished_reference", detail))
    };
    Err(Error::Refused(public.flat_map(|(body, _)| of::<R>(body)).filter_map(told).collect()))
}

/// Some of those that refer to a record, among what may be seen: one more than are told, if there are.
pub(crate) async fn referrers(
    tx: &DatabaseTransaction,
    sight: &Sight,
    id: Uuid,
) -> Result<Vec<Referrer>, Error> {
    let found: Vec<(Uuid, String)> = Entity::find()
        .select_only()
        .columns([Column::SourceId, Column::Field])
        .filter(Column::TargetId.eq(id))
        .filter(Column::SourceId.ne(id))
        .filter(sight.of_id(Column::SourceId.into_expr()))
        .order_by_asc(Column::SourceId)
        .limit(MOST_TOLD as u64 + 1)
        .into_tuple()
        .all(tx)
        .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<(Uuid, String, Option<String>)> = record::Entity::find()
        .select_only()
        .columns([record::Column::Id, record::Column::Resource, record::Column::Slug])
        .filter(record::Column::Id.is_in(found.iter().map(|(source, _)| *source)))
        .into_tuple()
        .all(tx)
        .await?;
    let name = |source: Uuid| names.iter().find(|(id, ..)| *id == source);
    let tell = |(source, field): (Uuid, String)| {
        let (_, collection, slug) = name(source)?.clone();
        Some(Referrer { collection, id: Some(source), slug, field })
    };
    Ok(found.into_iter().filter_map(tell).collect())
}
