//! A bundle of records of several resources, which may refer to each other in any order.
use std::collections::{HashMap, HashSet};

use domain::Violation;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Action, Bench, Incoming, Taken, Taking,
    external::{self, CONTENT},
    judge::{Change, Judged, Step, Targets, Writing},
    refusal,
};
use crate::{Author, Error, Store, Stored, Visitor, dialect, log, reference, visit_all};

/// What became of a record of a bundle.
#[derive(Clone, Debug)]
pub struct Told {
    /// Where it stands in the bundle.
    pub pointer: String,
    /// What became of it; the pointers of faults lead on from there.
    pub outcome: Taken,
}

impl Told {
    fn refused(pointer: impl Into<String>, code: &str, detail: &str) -> Self {
        let broken = vec![Violation::new("", code, detail)];
        Self { pointer: pointer.into(), outcome: Taken::refused(broken) }
    }
}

/// Judges a body of some resource.
type Judge = for<'a> fn(
    &'a Bench<'a>,
    &'a Targets,
    &'a reference::Known,
    &'a Incoming,
) -> Step<'a, Judged<Box<dyn Writing>>>;

/// The records of one collection.
struct Part {
    collection: &'static str,
    items: Vec<Incoming>,
    references: fn(&Value) -> Vec<domain::Reference>,
    judge: Judge,
}

/// Takes the bundle apart, collection by collection.
struct Apart {
    records: Map<String, Value>,
    parts: Vec<Part>,
    told: Vec<Told>,
}

impl Visitor for Apart {
    fn visit<R: Stored>(&mut self) {
        let Some(bodies) = self.records.remove(R::COLLECTION) else { return };
        let Value::Array(bodies) = bodies else {
            let at = format!("/records/{}", R::COLLECTION);
            self.told.push(Told::refused(at, "wrong_type", "It is to be a list."));
            return;
        };
        let items = bodies.into_iter().zip(0..);
        let items = items.map(|(body, place)| Incoming { place, body, ..Incoming::default() });
        self.parts.push(Part {
            collection: R::COLLECTION,
            items: items.collect(),
            references: reference::of::<R>,
            judge: |bench, targets, names, incoming| {
                Box::pin(async {
                    Ok(bench.judge::<R>(targets, names, incoming, None).await?.of_any())
                })
            },
        });
    }
}

impl Store {
    /// Takes every record of a bundle, or none: they may name each other by slug.
    pub async fn import(
        &self,
        by: &Author,
        taking: &Taking,
        mut bundle: Value,
    ) -> Result<Vec<Told>, Error> {
        let Value::Object(records) = bundle["records"].take() else {
            return Ok(vec![Told::refused("/records", "missing_field", "A bundle has records.")]);
        };
        let mut apart = Apart { records, parts: Vec::new(), told: Vec::new() };
        visit_all(&mut apart);
        let Apart { records, parts, mut told } = apart;
        told.extend(records.keys().map(|name| {
            let pointer = format!("/records/{name}");
            Told::refused(pointer, "unknown_field", "There is no such collection.")
        }));
        if !told.is_empty() {
            return Ok(told);
        }
        let store = &self.standing();
        crate::change::retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let told = Bench { store, tx: &tx, by, taking }.bundle(&parts).await?;
            let refused = told.iter().any(|told| told.outcome.action == Action::Refused);
            match refused || taking.dry_run {
                true => tx.rollback().await?,
                false => log::commit(self, tx).await?,
            }
            Ok(told)
        })
        .await
    }
}

/// A change on its way, with its place among what is told.
struct Open<'a> {
    place: usize,
    collection: &'a str,
    change: Change<Box<dyn Writing>>,
}

impl Bench<'_> {
    /// Writes a bundle as far as nothing is refused.
    async fn bundle(&self, parts: &[Part]) -> Result<Vec<Told>, Error> {
        let mut names = reference::Known::default();
        let mut targets = Vec::new();
        for part in parts {
            let items: Vec<_> = part.items.iter().collect();
            targets.push(self.targets(part.collection, &items).await?);
        }
        let references: Vec<_> = parts
            .iter()
            .flat_map(|part| part.items.iter().flat_map(|item| (part.references)(&item.body)))
            .collect();
        reference::look_up(self.tx, &self.by.sight(), &references, &mut names).await?;
        let mut first: HashMap<(&str, &str), u64> = HashMap::new();
        for (part, targets) in parts.iter().zip(&targets) {
            for item in &part.items {
                let Some(slug) = item.slug(part.collection) else { continue };
                first.entry((part.collection, slug)).or_insert(item.place);
                let known = targets.seen(slug);
                let id = known.unwrap_or_else(|| self.store.new_id());
                names.note(part.collection, slug, (id, Some(slug.to_owned())));
            }
        }

        let mut told = Vec::new();
        let mut open = Vec::new();
        let mut contents = HashSet::new();
        for (part, targets) in parts.iter().zip(&targets) {
            for item in &part.items {
                let pointer = format!("/records/{}/{}", part.collection, item.place);
                let again = item.slug(part.collection).filter(|slug| {
                    first.get(&(part.collection, *slug)).is_some_and(|place| *place != item.place)
                });
                let outcome = match (part.judge)(self, targets, &names, item).await? {
                    Judged::Refused(broken) => Taken::refused(broken),
                    _ if again.is_some() => {
                        let detail = "Another record of the bundle has that slug.";
                        Taken::refused(vec![Violation::new("", "repeated_key", detail)])
                    }
                    Judged::Left(id, _) => Taken::left(id),
                    // The same content twice, without any name, is one record.
                    Judged::Change(Change { entry, name: Some(name), .. })
                        if name.system == CONTENT
                            && !contents.insert((part.collection, name.value.clone())) =>
                    {
                        Taken::left(entry.row().id)
                    }
                    Judged::Change(change) => {
                        let tell = open.len() < self.taking.told;
                        let new = change.entry.before().is_none();
                        let action = if new { Action::Created } else { Action::Changed };
                        let outcome = Taken::of(&*change.entry, action, tell)?;
                        open.push(Open { place: told.len(), collection: part.collection, change });
                        outcome
                    }
                };
                told.push(Told { pointer, outcome });
            }
        }
        if told.iter().all(|told| told.outcome.action != Action::Refused) {
            self.write(open, &mut told).await?;
        }
        Ok(told)
    }

    /// Writes changes that may refer to each other: first what others refer to, then the rest, and
    /// at last they are judged by each other.
    async fn write(&self, mut open: Vec<Open<'_>>, told: &mut [Told]) -> Result<(), Error> {
        let mut clash = false;
        for Open { place, collection, change } in &open {
            let Some(taken) = &change.taken else { continue };
            clash = true;
            let refused = match change.entry.may(self.tx, self.by).await {
                Err(error) => refusal(error, collection)?,
                Ok(_) => vec![taken.clone()],
            };
            told[*place].outcome = Taken::refused(refused);
        }
        if clash {
            return Ok(());
        }
        open.sort_by_key(|open| open.change.entry.before().is_some());
        let new = open.iter().take_while(|open| open.change.entry.before().is_none()).count();
        for Open { place, collection, change } in &open[..new] {
            // Somebody else may have taken the name a moment ago.
            if let Err(error) = change.entry.keep_row(self.tx).await {
                told[*place].outcome = Taken::refused(refusal(error, collection)?);
                return Ok(());
            }
        }
        for Open { change, .. } in &open[..new] {
            change.entry.keep_parts(self.tx).await?;
        }
        let mut kept = Vec::new();
        for Open { place, collection, change } in open {
            let outcome = &mut told[place].outcome;
            match change.entry.may(self.tx, self.by).await {
                Err(error) => *outcome = Taken::refused(refusal(error, collection)?),
                Ok(false) => {
                    self.propose(&*change.entry).await?;
                    outcome.action = Action::Proposed;
                }
                Ok(true) => {
                    if change.entry.before().is_some() {
                        if let Err(error) = change.entry.keep_row(self.tx).await {
                            *outcome = Taken::refused(refusal(error, collection)?);
                            return Ok(());
                        }
                        change.entry.keep_parts(self.tx).await?;
                    }
                    kept.push((place, collection, change));
                }
            }
        }
        for (place, collection, change) in kept {
            let id: Uuid = change.entry.row().id;
            // Where nothing is committed, nobody is kept waiting for the log.
            let finished = match self.taking.dry_run {
                true => change.entry.may_stand(self.tx).await,
                false => change.entry.finish(self.store, self.tx, self.by).await,
            };
            if let Err(error) = finished {
                told[place].outcome = Taken::refused(refusal(error, collection)?);
            } else {
                external::keep(self.tx, collection, change.name.map(|name| (name, id))).await?;
            }
        }
        Ok(())
    }
}
