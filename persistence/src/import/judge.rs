//! What becomes of one body that comes in.
use std::collections::{HashMap, HashSet};

use domain::{Refused, Shape, Violation};
use futures_util::future::LocalBoxFuture;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::LockType,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Bench, external,
    overlay::{FieldStep, known_of, overlaid},
    refusal,
};
use crate::{
    Author, Error, Store, Stored,
    change::{Entry, New},
    record::{self, read},
    reference,
    rights::{may_add, may_replace, rights},
};

/// A body that comes in, and what its record is known by.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// Where it stands in what was sent.
    pub place: u64,
    /// The id of its record.
    pub id: Option<String>,
    /// What its record is called outside.
    pub external_id: Option<String>,
    /// The revision of its record that it was made from.
    pub revision: Option<String>,
    /// The body.
    pub body: Value,
    /// Whether something is wrong with it already, so that it is judged and not taken.
    pub faulty: bool,
}

impl Incoming {
    /// What its record is called outside, if that can be a name.
    fn usable_external_id(&self) -> Option<&str> {
        let fits =
            |name: &&str| name.chars().count() <= LONGEST && !name.chars().any(char::is_control);
        self.external_id.as_deref().filter(fits)
    }

    /// The slug that its record has, or is to have.
    pub(super) fn slug(&self, collection: &str) -> Option<&str> {
        // Postgres takes no such character in a text.
        self.body[slug_field(collection)].as_str().filter(|slug| !slug.contains('\0'))
    }
}

/// How many characters an external id has at most.
const LONGEST: usize = 200;

/// How many keys one statement asks for.
const AT_ONCE: usize = 5_000;

/// The field that is the slug of a record.
pub(super) fn slug_field(collection: &str) -> &'static str {
    if collection == "topics" { "code" } else { "slug" }
}

pub(super) fn taken(collection: &str) -> Violation {
    let pointer = format!("/{}", slug_field(collection));
    Violation::new(pointer, "slug_taken", format!("Another of the {collection} has it."))
}

/// It was made from another revision than the present one.
fn stale(now: i64) -> Violation {
    let detail = format!(
        "The record is at revision {now} by now, and what was changed since would be undone: take a \
         new file and make the change there, or leave this cell empty to have it undone."
    );
    Violation::new("/revision", "stale_revision", detail)
}

/// A name that a record has outside.
#[derive(PartialEq, Eq)]
pub(super) struct Named {
    pub(super) system: String,
    pub(super) value: String,
}

impl Named {
    fn new(system: &str, value: &str) -> Self {
        Self { system: system.to_owned(), value: value.to_owned() }
    }
}

/// What becomes of a body.
pub(super) enum Judged<E> {
    /// Its record is so already.
    Left(Uuid, Option<Named>),
    Refused(Vec<Violation>),
    Change(Change<E>),
}

/// A change that is to be made.
pub(super) struct Change<E> {
    pub(super) entry: E,
    /// What its record is known by then.
    pub(super) name: Option<Named>,
    /// Another record has that slug or external id: told to those who may make the change, since
    /// it may be one that they do not see.
    pub(super) taken: Option<Violation>,
}

impl<R: Stored> Judged<Entry<R>> {
    /// The same, beside what becomes of records of other resources.
    pub(super) fn of_any(self) -> Judged<Box<dyn Writing>> {
        match self {
            Self::Left(id, name) => Judged::Left(id, name),
            Self::Refused(broken) => Judged::Refused(broken),
            Self::Change(Change { entry, name, taken }) => {
                Judged::Change(Change { entry: Box::new(entry), name, taken })
            }
        }
    }
}

/// A change of a record of whatever resource.
pub(super) trait Writing {
    fn row(&self) -> &record::Model;
    fn before(&self) -> Option<&record::Model>;
    fn value(&self) -> &Value;
    /// Whether its author may make it; else it is kept aside.
    fn may<'a>(&'a self, tx: &'a DatabaseTransaction, by: &'a Author) -> Step<'a, bool>;
    fn keep_row<'a>(&'a self, tx: &'a DatabaseTransaction) -> Step<'a, ()>;
    fn keep_parts<'a>(&'a self, tx: &'a DatabaseTransaction) -> Step<'a, ()>;
    fn may_stand<'a>(&'a self, tx: &'a DatabaseTransaction) -> Step<'a, ()>;
    fn finish<'a>(
        &'a self,
        store: &'a Store,
        tx: &'a DatabaseTransaction,
        by: &'a Author,
    ) -> Step<'a, ()>;
}

pub(super) type Step<'a, T> = LocalBoxFuture<'a, Result<T, Error>>;

impl<R: Stored> Writing for Entry<R> {
    fn row(&self) -> &record::Model {
        &self.row
    }
    fn before(&self) -> Option<&record::Model> {
        self.before.as_ref().map(|(old, _)| old)
    }
    fn value(&self) -> &Value {
        &self.value
    }
    fn may<'a>(&'a self, tx: &'a DatabaseTransaction, by: &'a Author) -> Step<'a, bool> {
        Box::pin(async move {
            if let Some((old, _)) = &self.before {
                return may_replace::<R>(tx, by, old, &self.links).await;
            }
            let publish = self.row.is_public();
            may_add::<R>(tx, by, self.row.id, publish, &self.links).await?;
            Ok(true)
        })
    }
    fn keep_row<'a>(&'a self, tx: &'a DatabaseTransaction) -> Step<'a, ()> {
        Box::pin(async { Self::keep_rows(&[self], tx).await })
    }
    fn keep_parts<'a>(&'a self, tx: &'a DatabaseTransaction) -> Step<'a, ()> {
        Box::pin(async { Self::keep_parts(&[self], tx).await })
    }
    fn may_stand<'a>(&'a self, tx: &'a DatabaseTransaction) -> Step<'a, ()> {
        Box::pin(async { Self::may_stand(&[self], tx).await })
    }
    fn finish<'a>(
        &'a self,
        store: &'a Store,
        tx: &'a DatabaseTransaction,
        by: &'a Author,
    ) -> Step<'a, ()> {
        Box::pin(async { Self::finish(&[self], store, tx, by).await })
    }
}

/// The records of a collection that what comes in may be about.
#[derive(Default)]
pub(super) struct Targets {
    rows: HashMap<Uuid, record::Model>,
    slugs: HashMap<String, Uuid>,
    external: HashMap<String, Uuid>,
    /// Those that the author does not see.
    hidden: HashSet<Uuid>,
}

impl Targets {
    pub(super) fn rows(&self) -> impl Iterator<Item = &record::Model> {
        self.rows.values().filter(|row| !self.hidden.contains(&row.id))
    }

    /// The record that has that slug, as far as it is seen.
    pub(super) fn seen(&self, slug: &str) -> Option<Uuid> {
        self.slugs.get(slug).and_then(|id| self.row(*id)).map(|row| row.id)
    }

    /// The record of that id, as far as it is seen.
    fn row(&self, id: Uuid) -> Option<&record::Model> {
        self.rows.get(&id).filter(|_| !self.hidden.contains(&id))
    }

    /// The record that something is about, if there is one.
    fn of(
        &self,
        incoming: &Incoming,
        collection: &str,
    ) -> Result<Option<&record::Model>, Violation> {
        if let Some(id) = &incoming.id {
            let row = Uuid::try_parse(id).ok().and_then(|id| self.row(id));
            let detail = format!("None of the {collection} has that id.");
            return row.map(Some).ok_or_else(|| Violation::new("/id", "unknown_record", detail));
        }
        let slug = incoming.slug(collection).and_then(|slug| self.slugs.get(slug));
        let external = || self.external.get(incoming.external_id.as_deref()?);
        Ok(slug.or_else(external).and_then(|id| self.row(*id)))
    }
}

impl Bench<'_> {
    /// The records that those bodies may be about.
    pub(super) async fn targets(
        &self,
        collection: &str,
        all: &[&Incoming],
    ) -> Result<Targets, Error> {
        let mut targets = Targets::default();
        for some in all.chunks(AT_ONCE) {
            let names: Vec<_> = some.iter().filter_map(|one| one.usable_external_id()).collect();
            let external = external::find(self.tx, collection, &self.taking.system, &names).await?;
            let ids = some.iter().filter_map(|one| Uuid::try_parse(one.id.as_deref()?).ok());
            let ids: Vec<_> = ids.chain(external.values().copied()).collect();
            let slugs: Vec<_> = some.iter().filter_map(|one| one.slug(collection)).collect();
            if ids.is_empty() && slugs.is_empty() {
                continue;
            }
            let wanted =
                record::Entity::find().filter(record::Column::Resource.eq(collection)).filter(
                    Condition::any()
                        .add(record::Column::Id.is_in(ids))
                        .add(record::Column::Slug.is_in(slugs)),
                );
            let locked = match self.taking.dry_run {
                true => wanted.clone(),
                // Nobody changes them until this step is done; who takes several goes the same way.
                false => {
                    wanted.clone().order_by_asc(record::Column::Id).lock(LockType::NoKeyUpdate)
                }
            };
            let found = locked.all(self.tx).await?;
            if self.by.projects.is_some() {
                let seen: HashSet<Uuid> = wanted
                    .filter(self.by.sight().of_records())
                    .select_only()
                    .column(record::Column::Id)
                    .into_tuple()
                    .all(self.tx)
                    .await?
                    .into_iter()
                    .collect();
                let hidden = found.iter().map(|row| row.id).filter(|id| !seen.contains(id));
                targets.hidden.extend(hidden);
            }
            targets.external.extend(external);
            for row in found {
                targets.slugs.extend(row.slug.clone().map(|slug| (slug, row.id)));
                targets.rows.insert(row.id, row);
            }
        }
        Ok(targets)
    }

    /// Whether the author may have a record refer to those, and is not only to suggest it.
    async fn may_change<R: Stored>(
        &self,
        old: &record::Model,
        links: &[(String, Uuid)],
    ) -> Result<bool, Error> {
        match may_replace::<R>(self.tx, self.by, old, links).await {
            Err(error) => refusal(error, R::COLLECTION).map(|_| false),
            may => may,
        }
    }

    /// Judges a body, which tells those fields only, if some are named.
    pub(super) async fn judge<R: Stored>(
        &self,
        targets: &Targets,
        names: &reference::Known,
        incoming: &Incoming,
        fields: Option<&[Vec<FieldStep>]>,
    ) -> Result<Judged<Entry<R>>, Error> {
        let collection = R::COLLECTION;
        let mut broken = Vec::new();
        let target = targets.of(incoming, collection).unwrap_or_else(|unknown| {
            broken.push(unknown);
            None
        });
        if incoming.external_id.is_some() && incoming.usable_external_id().is_none() {
            let detail = format!("It has at most {LONGEST} characters, all of them visible.");
            broken.push(Violation::new("/external_id", "invalid_value", detail));
        }
        let made_from = incoming.revision.as_deref().map(str::parse::<i64>).transpose();
        let made_from = made_from.unwrap_or_else(|_| {
            let detail = "It is the number that a file of the registry tells; leave the cell empty \
                where there is none.";
            broken.push(Violation::new("/revision", "invalid_value", detail));
            None
        });
        let mut body = incoming.body.clone();
        if let (Some(old), Some(fields)) = (target, fields) {
            // What was kept has ids where people write names; who nobody is, is told below.
            let _ = reference::settle(&mut body, &reference::of::<R>(&incoming.body), names);
            body = overlaid(&read(&old.body)?, &body, fields);
        }
        let references = reference::of::<R>(&body);
        let links = reference::settle(&mut body, &references, names).unwrap_or_else(|missing| {
            broken.extend(missing);
            Vec::new()
        });
        let value = match Shape::read::<R>(body) {
            Err(Refused::Form(rules) | Refused::Meaning(rules)) => {
                // Who nobody is has no form to speak of.
                let said: Vec<_> = broken.iter().map(|one| one.pointer.clone()).collect();
                broken.extend(rules.into_iter().filter(|rule| !said.contains(&rule.pointer)));
                return Ok(Judged::Refused(broken));
            }
            Ok(body) => json!(body),
        };
        if !broken.is_empty() || incoming.faulty {
            return Ok(Judged::Refused(broken));
        }
        let slug = value[slug_field(collection)].as_str().map(str::to_owned);
        let external = incoming.external_id.as_deref();
        let known = external.and_then(|name| targets.external.get(name)).copied();
        let holder = slug.as_ref().and_then(|slug| targets.slugs.get(slug)).copied();
        let name = external.filter(|_| known.is_none());
        let name = name.map(|name| Named::new(&self.taking.system, name));
        let (entry, name) = match target {
            Some(old) => {
                let same = known_of(&json!(read::<R>(&old.body)?)) == known_of(&value);
                if same && known.is_none_or(|known| known == old.id) {
                    let name = match name {
                        // To give a record a name is to change it.
                        Some(name) if self.may_change::<R>(old, &links).await? => Some(name),
                        _ => None,
                    };
                    return Ok(Judged::Left(old.id, name));
                }
                if !same && made_from.is_some_and(|revision| revision != old.revision) {
                    return Ok(Judged::Refused(vec![stale(old.revision)]));
                }
                (self.store.replaced::<R>("replace", old.clone(), value, links)?, name)
            }
            None => {
                let content = (slug.is_none() && external.is_none())
                    .then(|| Named::new(external::CONTENT, &external::digest(&value)));
                if let Some(content) = &content {
                    let Named { system, value } = content;
                    let same = external::find(self.tx, collection, system, &[value]).await?;
                    if let Some(known) = same.get(value) {
                        // Who may not write it does not learn that somebody else has.
                        return match rights::<R>(self.tx, self.by, *known, &links).await {
                            Ok(_) => Ok(Judged::Left(*known, None)),
                            Err(error) => Ok(Judged::Refused(refusal(error, collection)?)),
                        };
                    }
                }
                // Only one that comes along: what people call a record that is there may look the same.
                let given = slug.and_then(|slug| {
                    let (id, known) = names.get(collection, &slug)?;
                    (known.as_ref() == Some(&slug)).then_some((id, known))
                });
                let id = given.map_or_else(|| self.store.new_id(), |(id, _)| *id);
                let new = New { publish: self.taking.publish, ..New::of(id) };
                (self.store.added::<R>(new, value, links)?, content.or(name))
            }
        };
        let is_another = |holder: Uuid| holder != entry.row.id;
        let taken = if holder.is_some_and(is_another) {
            Some(taken(collection))
        } else if known.is_some_and(is_another) {
            let detail = format!("Another of the {collection} has it.");
            Some(Violation::new("/external_id", "external_id_taken", detail))
        } else {
            None
        };
        Ok(Judged::Change(Change { entry, name, taken }))
    }
}
