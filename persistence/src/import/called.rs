//! Whom a sheet means by what people call them, where it has no id or slug.
use std::collections::{BTreeMap, BTreeSet};

use domain::Reference;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::Value;
use uuid::Uuid;

use super::Bench;
use crate::{
    Error, Words, dialect,
    record::{self, read},
    reference::{Known, Meant},
    search,
    search::Part,
    words::split,
};

/// How many names one statement asks for.
const AT_ONCE: usize = 100;
/// How many records that hold the words of a name are looked at.
const MOST: u64 = 2_000;

impl Bench<'_> {
    /// Finds among what may be seen the records that are called just so in some language.
    pub(super) async fn called(
        &self,
        references: &[Reference],
        known: &mut Known,
    ) -> Result<(), Error> {
        let unknown = references.iter().filter(|reference| {
            !known.has(&reference.collection, &reference.key)
                && Uuid::try_parse(&reference.key).is_err()
        });
        let unknown: BTreeSet<(&str, &str)> = unknown
            .map(|reference| (reference.collection.as_str(), reference.key.as_str()))
            .collect();
        let unknown: Vec<_> = unknown.into_iter().collect();
        for some in unknown.chunks(AT_ONCE) {
            let backend = self.tx.get_database_backend();
            let mut wanted: BTreeMap<&str, Condition> = BTreeMap::new();
            for (collection, name) in some {
                if let Some(found) = dialect::matching(backend, Part::Name, &Words::of(name)) {
                    let any = wanted.remove(collection).unwrap_or_else(Condition::any);
                    wanted.insert(collection, any.add(found));
                }
            }
            let tables = wanted.into_iter().flat_map(|(collection, wanted)| {
                let mut tables = dialect::words_of(backend, &[collection]);
                for table in &mut tables {
                    table.column(search::Column::RecordId).cond_where(wanted.clone());
                }
                tables
            });
            let Some(with_words) = search::together(tables) else { continue };
            let found: Vec<(Uuid, String, Option<String>, String)> = record::Entity::find()
                .select_only()
                .columns([record::Column::Id, record::Column::Resource, record::Column::Slug])
                .column(record::Column::Body)
                .filter(self.by.sight().of_records())
                .filter(record::Column::Id.in_subquery(with_words))
                .order_by_asc(record::Column::Id)
                .limit(MOST)
                .into_tuple()
                .all(self.tx)
                .await?;
            let mut meant: BTreeMap<(&str, &str), Vec<Meant>> = BTreeMap::new();
            for (id, resource, slug, body) in found {
                let body: Value = read(&body)?;
                let mut names = Vec::new();
                for field in search::NAMES {
                    texts(&body[field], &mut names);
                }
                for (collection, name) in some {
                    if *collection == resource && names.contains(&split(name)) {
                        meant.entry((collection, name)).or_default().push((id, slug.clone()));
                    }
                }
            }
            for ((collection, name), mut records) in meant {
                match (records.pop(), records.is_empty()) {
                    (Some(one), true) => known.note(collection, name, one),
                    _ => known.note_several(collection, name),
                }
            }
        }
        Ok(())
    }
}

/// The words of each text in there.
fn texts(value: &Value, found: &mut Vec<Vec<String>>) {
    match value {
        Value::String(text) => found.push(split(text)),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}
