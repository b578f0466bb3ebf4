//! Takes in many participants at once, or none of them.
use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{Email, Participant, Refused, Shape, Violation};
use sea_orm::{DatabaseTransaction, QuerySelect, entity::prelude::*};
use serde_json::{Value, json};

use super::{
    Column, Entity, Model, body,
    keep::{Settled, changed, fresh, insert, named, note, settle, told, untimely, update},
};
use crate::{
    Author, Error, FieldStep, Store,
    change::retried,
    dialect,
    import::{known_of, overlaid},
    log,
};

/// How many keys one statement asks for.
const AT_ONCE: usize = 10_000;

/// What became of participants that came in together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenParticipants {
    /// How many are new.
    pub created: u64,
    /// How many of whom something else is known now.
    pub changed: u64,
    /// How many were so already.
    pub unchanged: u64,
    /// Of how many of the changed ones each field changes.
    pub fields: BTreeMap<String, u64>,
    /// What is wrong with whom, by their place; where anything is, nobody was taken.
    pub refused: Vec<(usize, Vec<Violation>)>,
}

/// By what somebody is known again: where they were, and their address.
type Known = (Uuid, String);

impl Store {
    /// Takes in all of them, or nobody if something is wrong with anybody; of who is known by their
    /// address those fields are replaced that are told. In a dry run nothing is written.
    pub async fn import_participants(
        &self,
        by: &Author,
        bodies: &[Participant],
        fields: &[Vec<FieldStep>],
        dry_run: bool,
    ) -> Result<TakenParticipants, Error> {
        let store = self.standing();
        retried(async || {
            let tx = dialect::begin(store.db()).await?;
            let mut run = Run {
                store: &store,
                fields,
                there: HashMap::new(),
                seen: HashSet::new(),
                new: Vec::new(),
                changed: Vec::new(),
                taken: TakenParticipants::default(),
            };
            run.judge(&tx, by, bodies).await?;
            if dry_run || !run.taken.refused.is_empty() {
                tx.rollback().await?;
            } else {
                run.write(&tx, by).await?;
                log::commit(&store, tx).await?;
                // An empty cell may have taken a name away.
                if !run.changed.is_empty() {
                    dialect::forget(store.db()).await;
                }
            }
            Ok(run.taken)
        })
        .await
    }
}

struct Run<'a> {
    store: &'a Store,
    /// The fields that are told.
    fields: &'a [Vec<FieldStep>],
    /// Who was there before.
    there: HashMap<Known, Model>,
    /// Who came already.
    seen: HashSet<Known>,
    new: Vec<Model>,
    changed: Vec<Model>,
    taken: TakenParticipants,
}

impl Run<'_> {
    async fn judge(
        &mut self,
        tx: &DatabaseTransaction,
        by: &Author,
        bodies: &[Participant],
    ) -> Result<(), Error> {
        let known = named(tx, by, bodies).await?;
        let keys: HashSet<_> =
            bodies.iter().filter_map(|body| body.email.as_ref()).map(Email::key).collect();
        for keys in keys.into_iter().collect::<Vec<_>>().chunks(AT_ONCE) {
            let rows = Entity::find().filter(Column::EmailKey.is_in(keys)).lock_exclusive();
            for row in rows.all(tx).await? {
                if let Some(key) = row.email_key.clone() {
                    self.there.insert((row.activity_id, key), row);
                }
            }
        }
        for (place, body) in bodies.iter().enumerate() {
            let mut broken: Vec<_> = untimely(self.store.today(), body).into_iter().collect();
            match settle(&known, body) {
                Ok(settled) => broken.extend(self.place(&settled)?),
                Err(missing) => broken.extend(missing),
            }
            if !broken.is_empty() {
                self.taken.refused.push((place, broken));
            }
        }
        Ok(())
    }

    /// Finds what is to become of somebody, or what is wrong with them.
    fn place(&mut self, settled: &Settled) -> Result<Vec<Violation>, Error> {
        let key = settled.body.email.as_ref().map(|email| (settled.activity, email.key()));
        let twice = key.as_ref().is_some_and(|key| !self.seen.insert(key.clone()));
        if twice {
            let detail = "An earlier row is about the same person at the same activity.";
            return Ok(vec![Violation::new("/email", "same_person_twice", detail)]);
        }
        let Some(old) = key.and_then(|key| self.there.get(&key)) else {
            self.new.push(fresh(self.store.new_id(), self.store.now(), settled));
            self.taken.created += 1;
            return Ok(Vec::new());
        };
        let before = json!(body(old.clone(), settled.body.seminar_id.is_some())?);
        // What no column tells is as it was known.
        let whole = match Shape::read(overlaid(&before, &json!(settled.body), self.fields)) {
            Ok(body) => Settled { body, activity: settled.activity },
            Err(Refused::Form(broken) | Refused::Meaning(broken)) => return Ok(broken),
        };
        let row = changed(old, self.store.now(), &whole);
        if same(old, &row) {
            self.taken.unchanged += 1;
        } else {
            for field in differing(&before, &json!(whole.body)) {
                *self.taken.fields.entry(field).or_default() += 1;
            }
            self.changed.push(row);
            self.taken.changed += 1;
        }
        Ok(Vec::new())
    }

    async fn write(&mut self, tx: &DatabaseTransaction, by: &Author) -> Result<(), Error> {
        let created = self.new.iter().map(|row| told("create", row));
        let changes: Vec<_> =
            created.chain(self.changed.iter().map(|row| told("replace", row))).collect();
        insert(tx, std::mem::take(&mut self.new)).await?;
        for row in &self.changed {
            update(tx, row).await?;
        }
        if changes.is_empty() { Ok(()) } else { note(tx, by, self.store.now(), changes).await }
    }
}

/// The fields in which two bodies differ.
fn differing(before: &Value, after: &Value) -> Vec<String> {
    let fields = after.as_object().into_iter().flatten();
    let other = fields.filter(|(name, value)| known_of(value) != known_of(&before[*name]));
    other.map(|(name, _)| name.clone()).collect()
}

/// Whether two rows say the same, however often and whenever they were written.
fn same(old: &Model, new: &Model) -> bool {
    *old == Model { revision: old.revision, updated_at: old.updated_at, ..new.clone() }
}
