//! Rows of a sheet of one resource, step by step: first all are checked, then they are taken.
use std::collections::HashMap;

use domain::Violation;
use sea_orm::TransactionTrait;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Action, Bench, FieldStep, Incoming, Taken, Taking,
    external::{self, CONTENT},
    judge::{Change, Judged, Named, Targets, Writing, slug_field},
    refusal,
};
use crate::{
    Author, Error, Store, Stored,
    change::{Entry, retried},
    dialect, log,
    record::read,
    reference,
};

/// What earlier rows of a sheet are known by: as little of it as tells them apart.
#[derive(Debug, Default)]
pub struct Seen(HashMap<u128, (u64, bool)>);

impl Seen {
    fn key(kind: &str, name: &str) -> u128 {
        let digest = Sha256::digest(format!("{kind} {name}"));
        digest.iter().take(16).fold(0, |all, byte| all << 8 | u128::from(*byte))
    }

    /// The row that has that key as well, if there is one; else it is this row's.
    fn before(&mut self, kind: &str, name: &str, row: u64) -> Option<u64> {
        let known = self.0.entry(Self::key(kind, name)).or_insert((row, false)).0;
        (known != row).then_some(known)
    }

    /// Notes that a row will make a record of that slug.
    fn will_be(&mut self, kind: &str, slug: &str) {
        if let Some((_, created)) = self.0.get_mut(&Self::key(kind, slug)) {
            *created = true;
        }
    }

    /// An id that stands for the record that an earlier row will make.
    fn id_of(&self, kind: &str, slug: &str) -> Option<Uuid> {
        let key = Self::key(kind, slug);
        self.0.get(&key).filter(|(_, created)| *created).map(|_| Uuid::from_u128(key))
    }

    fn stands_for(&self, id: Uuid) -> bool {
        self.0.get(&id.as_u128()).is_some_and(|(_, created)| *created)
    }
}

impl Store {
    /// Tells what would become of rows, and writes nothing. A row may refer to what earlier ones
    /// will make; rules that take such a record to judge by are judged when it is there.
    pub async fn check_rows<R: Stored>(
        &self,
        by: &Author,
        taking: &Taking,
        fields: &[Vec<FieldStep>],
        seen: &mut Seen,
        rows: &[Incoming],
    ) -> Result<Vec<Taken>, Error> {
        let tx = dialect::snapshot(self.db()).await?;
        let taking = Taking { dry_run: true, ..taking.clone() };
        let store = &self.standing();
        let bench = Bench { store, tx: &tx, by, taking: &taking };
        let (targets, mut names) = bench.known::<R>(rows).await?;
        let mut outcomes = Vec::new();
        for row in rows {
            for reference in reference::of::<R>(&row.body) {
                if reference.collection == R::COLLECTION
                    && let Some(id) = seen.id_of(slug_field(R::COLLECTION), &reference.key)
                {
                    names.note(R::COLLECTION, &reference.key, (id, Some(reference.key.clone())));
                }
            }
            let judged = bench.judge::<R>(&targets, &names, row, Some(fields)).await?;
            let repeated = repeated::<R>(seen, row, &judged);
            let tell = outcomes.len() < taking.told;
            let outcome = match judged {
                Judged::Refused(mut broken) => {
                    broken.extend(repeated);
                    Taken::refused(broken)
                }
                _ if !repeated.is_empty() => Taken::refused(repeated),
                Judged::Left(id, _) => Taken::left(id),
                // The same content twice, without any name, is one record.
                Judged::Change(Change { entry, name: Some(name), .. })
                    if name.system == CONTENT
                        && seen.before(CONTENT, &name.value, row.place).is_some() =>
                {
                    Taken::left(entry.row.id)
                }
                Judged::Change(change) => match bench.checked(&change, seen, tell).await {
                    Ok(outcome) => outcome,
                    Err(error) => Taken::refused(refusal(error, R::COLLECTION)?),
                },
            };
            if outcome.action == Action::Created {
                outcome.slug.iter().for_each(|slug| seen.will_be(slug_field(R::COLLECTION), slug));
            }
            let id = outcome.id.filter(|_| outcome.action != Action::Created);
            outcomes.push(Taken { id, ..outcome });
        }
        tx.commit().await?;
        Ok(outcomes)
    }

    /// Takes rows in one transaction, each by itself: one that is refused takes no other with it.
    pub async fn take_rows<R: Stored>(
        &self,
        by: &Author,
        taking: &Taking,
        fields: &[Vec<FieldStep>],
        rows: &[Incoming],
    ) -> Result<Vec<Taken>, Error> {
        let store = &self.standing();
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let bench = Bench { store, tx: &tx, by, taking };
            let (targets, names) = bench.known::<R>(rows).await?;
            let outcomes = match bench.at_once::<R>(&targets, names.clone(), fields, rows).await? {
                Some(outcomes) => outcomes,
                None => bench.one_by_one::<R>(&targets, names, fields, rows).await?,
            };
            log::commit(self, tx).await?;
            Ok(outcomes)
        })
        .await
    }
}

impl Bench<'_> {
    /// What rows may be about, and whom they name.
    async fn known<R: Stored>(
        &self,
        rows: &[Incoming],
    ) -> Result<(Targets, reference::Known), Error> {
        let targets = self.targets(R::COLLECTION, &rows.iter().collect::<Vec<_>>()).await?;
        let mut references = Vec::new();
        for row in rows {
            references.extend(reference::of::<R>(&row.body));
        }
        for row in targets.rows() {
            references.extend(reference::of::<R>(&read(&row.body)?));
        }
        let mut names = reference::Known::default();
        reference::look_up(self.tx, &self.by.sight(), &references, &mut names).await?;
        self.called(&references, &mut names).await?;
        Ok((targets, names))
    }

    /// What would become of a change.
    async fn checked<R: Stored>(
        &self,
        change: &Change<Entry<R>>,
        seen: &Seen,
        tell: bool,
    ) -> Result<Taken, Error> {
        let action = self.allowed(change).await?;
        if action != Action::Proposed
            && !change.entry.links.iter().any(|(_, id)| seen.stands_for(*id))
        {
            Entry::may_stand(&[&change.entry], self.tx).await?;
        }
        Taken::of(&change.entry, action, tell)
    }

    /// What becomes of a change if nothing else speaks against it.
    async fn allowed<R: Stored>(&self, change: &Change<Entry<R>>) -> Result<Action, Error> {
        let may = change.entry.may(self.tx, self.by).await?;
        if let Some(taken) = &change.taken {
            return Err(Error::Refused(vec![taken.clone()]));
        }
        Ok(match (may, &change.entry.before) {
            (false, _) => Action::Proposed,
            (true, Some(_)) => Action::Changed,
            (true, None) => Action::Created,
        })
    }

    /// Takes all of them with a few statements; none of them where one cannot be taken so, which is
    /// seldom, since all were checked before.
    async fn at_once<R: Stored>(
        &self,
        targets: &Targets,
        mut names: reference::Known,
        fields: &[Vec<FieldStep>],
        rows: &[Incoming],
    ) -> Result<Option<Vec<Taken>>, Error> {
        let (mut outcomes, mut entries) = (Vec::new(), Vec::new());
        let mut outside: Vec<(Named, Uuid)> = Vec::new();
        for row in rows {
            let (outcome, name) = match self.judge::<R>(targets, &names, row, Some(fields)).await? {
                Judged::Refused(broken) => (Taken::refused(broken), None),
                Judged::Left(id, name) => (Taken::left(id), name),
                Judged::Change(change) => {
                    let action = match self.allowed(&change).await {
                        Ok(action) if action != Action::Proposed => action,
                        Ok(_) => return Ok(None),
                        Err(error) => return refusal(error, R::COLLECTION).map(|_| None),
                    };
                    let Change { entry, name, .. } = change;
                    // The same content twice, without any name, is one record.
                    let content = name.as_ref().filter(|name| name.system == CONTENT);
                    let same =
                        content.and_then(|name| outside.iter().find(|(other, _)| other == name));
                    if let Some((_, id)) = same {
                        (Taken::left(*id), None)
                    } else {
                        let tell = outcomes.len() < self.taking.told;
                        let outcome = Taken::of(&entry, action, tell)?;
                        entries.push(entry);
                        (outcome, name)
                    }
                }
            };
            outside.extend(name.zip(outcome.id));
            outcome.note::<R>(&mut names);
            outcomes.push(outcome);
        }
        let alone = self.tx.begin().await?;
        let own = Bench { tx: &alone, ..*self };
        match own.make::<R>(&entries.iter().collect::<Vec<_>>(), outside).await {
            Ok(()) => {
                alone.commit().await?;
                Ok(Some(outcomes))
            }
            Err(error) => {
                alone.rollback().await?;
                refusal(error, R::COLLECTION).map(|_| None)
            }
        }
    }

    /// Makes changes, and keeps the names that records are known by outside.
    async fn make<R: Stored>(
        &self,
        entries: &[&Entry<R>],
        named: Vec<(Named, Uuid)>,
    ) -> Result<(), Error> {
        if !entries.is_empty() {
            Entry::keep_rows(entries, self.tx).await?;
            Entry::keep_parts(entries, self.tx).await?;
            Entry::finish(entries, self.store, self.tx, self.by).await?;
        }
        external::keep(self.tx, R::COLLECTION, named).await
    }

    /// Takes each of them with statements of its own.
    async fn one_by_one<R: Stored>(
        &self,
        targets: &Targets,
        mut names: reference::Known,
        fields: &[Vec<FieldStep>],
        rows: &[Incoming],
    ) -> Result<Vec<Taken>, Error> {
        let mut outcomes: Vec<Taken> = Vec::new();
        for row in rows {
            let outcome = match self.judge::<R>(targets, &names, row, Some(fields)).await? {
                Judged::Refused(broken) => Taken::refused(broken),
                Judged::Left(id, name) => {
                    external::keep(self.tx, R::COLLECTION, name.map(|name| (name, id))).await?;
                    Taken::left(id)
                }
                Judged::Change(change) => {
                    // What is refused late is undone by itself.
                    let alone = self.tx.begin().await?;
                    let own = Bench { tx: &alone, ..*self };
                    match own.taken(change, outcomes.len() < self.taking.told).await {
                        Ok(outcome) => {
                            alone.commit().await?;
                            outcome
                        }
                        Err(error) => {
                            alone.rollback().await?;
                            Taken::refused(refusal(error, R::COLLECTION)?)
                        }
                    }
                }
            };
            outcome.note::<R>(&mut names);
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// Makes a change, or has it kept aside.
    async fn taken<R: Stored>(&self, change: Change<Entry<R>>, tell: bool) -> Result<Taken, Error> {
        let action = self.allowed(&change).await?;
        let Change { entry, name, .. } = change;
        let outcome = Taken::of(&entry, action, tell)?;
        if action == Action::Proposed {
            // It gets its name once it is so.
            self.propose(&entry).await?;
        } else {
            let named = name.map(|name| (name, entry.row.id)).into_iter().collect();
            self.make(&[&entry], named).await?;
        }
        Ok(outcome)
    }
}

impl Taken {
    /// Notes what the name of a new record means, for what comes after it.
    fn note<R: Stored>(&self, names: &mut reference::Known) {
        if let (Action::Created, Some(id), Some(slug)) = (self.action, self.id, &self.slug) {
            names.note(R::COLLECTION, slug, (id, Some(slug.clone())));
        }
    }
}

/// Says by which keys a row is about the same record as an earlier one: which of them holds, nobody
/// could tell.
fn repeated<R: Stored>(
    seen: &mut Seen,
    row: &Incoming,
    judged: &Judged<Entry<R>>,
) -> Vec<Violation> {
    let target = match judged {
        Judged::Left(id, _) => Some(*id),
        Judged::Change(change) => change.entry.before.as_ref().map(|(old, _)| old.id),
        Judged::Refused(_) => None,
    };
    let slug = row.slug(R::COLLECTION);
    let named = row.id.is_some() || row.external_id.is_some() || slug.is_some();
    let target = target.filter(|_| named).map(|id| id.to_string());
    let slug_field = slug_field(R::COLLECTION);
    let keys = [
        (slug_field, slug),
        ("external_id", row.external_id.as_deref()),
        ("id", target.as_deref()),
    ];
    let mut broken: Vec<Violation> = Vec::new();
    for (kind, key) in keys {
        // One fault is enough to find both rows.
        if let Some(other) = key.and_then(|key| seen.before(kind, key, row.place))
            && broken.is_empty()
        {
            let detail = format!("Row {other} is about the same record.");
            broken.push(Violation::new(format!("/{kind}"), "repeated_key", detail));
        }
    }
    broken
}
