//! What there is is counted in parts that are kept: after a change only those that it touches are counted
//! again, so that takes no longer in a registry of millions.
use std::{
    collections::{BTreeSet, HashMap},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use roaring::{MultiOps, RoaringBitmap};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryResult, QuerySelect,
    QueryTrait,
    entity::prelude::Uuid,
    sea_query::{Expr, ExprTrait, Func, IntoCondition, Order, Query, SelectStatement, SimpleExpr},
};

use crate::{
    Basis, Error, Moment, Stored, Visitor,
    figures::{Ones, activity},
    log,
    record::read,
    visit_all,
};

/// What belongs to how many seminars and study visits is counted at once.
const SPAN: u64 = 1000;
/// How many records are counted at once for each seminar of which all is that belongs to it.
const RECORDS: u64 = 10;
/// How many changes are looked at one by one; after more, all is counted again.
const MOST_CHANGES: u64 = 5000;
/// How many bytes are kept in all, about.
const MOST_BYTES: usize = 64 << 20;
/// How many groups are counted at most.
pub(crate) const MOST_COUNTED: usize = 100_000;
/// How many records are looked at in one statement.
const AT_ONCE: usize = 200;

/// Something to be counted.
pub(crate) struct Counting<'a> {
    /// From which collections it is counted.
    pub(crate) made_from: Basis,
    /// Those of whose records any may change all of it.
    pub(crate) looks_up: Basis,
    pub(crate) divided: Divided,
    /// By what it is split: whether each of these is an id.
    pub(crate) columns: Vec<bool>,
    /// How many numbers are told of each group.
    pub(crate) numbers: usize,
    pub(crate) ones: Ones,
    /// Counts a part of it: what tells the different ones of a group, the numbers, and the values of the
    /// group.
    pub(crate) statement: Box<dyn Fn(Within) -> SelectStatement + 'a>,
    /// Whether what is counted is kept: only the public asks for few enough things.
    pub(crate) is_kept: bool,
}

/// By what something is divided to be counted.
pub(crate) enum Divided {
    /// It is not.
    No,
    /// By the seminars and study visits that it belongs to; of these there is one row of each, or many.
    ByActivity { many: bool },
    /// By the records that are counted, which have those ids.
    ByRecord { ids: Box<SelectStatement>, id: SimpleExpr },
}

/// Which part of something is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Within {
    /// All of it.
    Everything,
    /// What belongs to those ids: after one, to another.
    Span {
        /// Of later ids than that.
        after: Uuid,
        /// Up to that one; however late where there is none.
        to: Option<Uuid>,
    },
    /// What belongs to none.
    Nowhere,
}

impl Within {
    /// The condition on the id that something is divided by.
    pub(crate) fn holds(self, id: &SimpleExpr) -> Condition {
        match self {
            Self::Everything => Condition::all(),
            Self::Span { after, to } => {
                let until = to.map(|to| id.clone().lte(to));
                Condition::all().add(id.clone().gt(after)).add_option(until)
            }
            Self::Nowhere => id.clone().is_null().into_condition(),
        }
    }
}

impl Counting<'_> {
    /// How many numbers there are of each group.
    fn width(&self) -> usize {
        self.numbers + usize::from(self.ones != Ones::Told)
    }
}

/// What is kept of what was counted; what was not asked for longest goes first.
#[derive(Clone)]
pub struct Tallies(Arc<Inner>);

struct Inner {
    span: u64,
    /// How many bytes are kept in all, about; one thing has a quarter of that.
    bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    of: HashMap<Key, Entry>,
    /// Counted up whenever somebody asks.
    asked: u64,
}

#[derive(Default)]
struct Entry {
    tally: Arc<tokio::sync::Mutex<Tally>>,
    bytes: usize,
    asked: u64,
}

/// The database, and the statement that would count all of it.
type Key = (String, String);

impl Default for Tallies {
    fn default() -> Self {
        Self::of(SPAN, MOST_BYTES)
    }
}

impl Tallies {
    /// Those that count what belongs to so many seminars and study visits at once, and keep about so many
    /// bytes.
    #[must_use]
    pub fn of(span: u64, bytes: usize) -> Self {
        Self(Arc::new(Inner { span, bytes, kept: Mutex::default() }))
    }

    /// How many records are counted at once at most.
    pub(crate) fn most_records(&self) -> u64 {
        2 * RECORDS * self.0.span
    }

    fn with<T>(&self, what: impl FnOnce(&mut Kept) -> T) -> T {
        what(&mut self.0.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is kept of one thing.
    fn kept(&self, key: &Key) -> Arc<tokio::sync::Mutex<Tally>> {
        self.with(|kept| {
            kept.asked += 1;
            let asked = kept.asked;
            let entry = kept.of.entry(key.clone()).or_default();
            entry.asked = asked;
            entry.tally.clone()
        })
    }

    /// Notes how much is kept of it, and lets go of others while it is too much in all.
    fn weigh(&self, key: &Key, bytes: usize) {
        self.with(|kept| {
            if let Some(entry) = kept.of.get_mut(key) {
                entry.bytes = bytes;
            }
            while kept.of.values().map(|entry| entry.bytes).sum::<usize>() > self.0.bytes {
                let others = kept.of.iter().filter(|(other, _)| *other != key);
                let oldest = others.min_by_key(|(_, entry)| entry.asked);
                let Some(oldest) = oldest.map(|(other, _)| other.clone()) else { break };
                kept.of.remove(&oldest);
            }
        });
    }
}

/// What was counted.
#[derive(Default)]
struct Tally {
    /// The last change that is in it, and what tells it from one of another history.
    position: i64,
    mark: Option<Mark>,
    /// What belongs to how many ids is counted at once.
    span: u64,
    /// The values of each group, by its number.
    groups: Vec<Vec<Option<String>>>,
    numbers: HashMap<Vec<Option<String>>, u32>,
    /// A small number for each of the different ones.
    ones: HashMap<Uuid, u32>,
    parts: Vec<Part>,
    total: Arc<Counted>,
}

/// Tells a change from one that another history has at its position.
type Mark = (Uuid, DateTime<Utc>);

/// A part of what is counted.
struct Part {
    within: Within,
    /// Whether it has to be counted, for the first time or again.
    stale: bool,
    sums: Sums,
    bytes: usize,
}

impl Part {
    fn stale(within: Within) -> Self {
        Self { within, stale: true, sums: Sums::default(), bytes: 0 }
    }

    fn counted(within: Within, sums: Sums) -> Self {
        let bytes = size_of::<Self>() + sums.bytes();
        Self { within, stale: false, sums, bytes }
    }
}

/// Numbers by group, so many of each, and which different ones there are, where these cannot be
/// added up.
#[derive(Clone, Default)]
struct Sums {
    groups: Vec<u32>,
    numbers: Vec<i64>,
    ones: Vec<RoaringBitmap>,
}

/// Where each group is while numbers are added up.
#[derive(Default)]
struct Places(HashMap<u32, usize>);

impl Sums {
    /// Where a group is; it has so many numbers.
    fn place(&mut self, places: &mut Places, group: u32, width: usize, told: bool) -> usize {
        *places.0.entry(group).or_insert_with(|| {
            self.groups.push(group);
            self.numbers.resize(self.groups.len() * width, 0);
            if told {
                self.ones.push(RoaringBitmap::new());
            }
            self.groups.len() - 1
        })
    }

    fn add(&mut self, places: &mut Places, other: &Self, width: usize) {
        let found = self.add_numbers(places, other, width, !other.ones.is_empty());
        for (place, ones) in found.into_iter().zip(&other.ones) {
            self.ones[place] |= ones;
        }
    }

    /// Adds the numbers alone; where each group of the other is.
    fn add_numbers(
        &mut self,
        places: &mut Places,
        other: &Self,
        width: usize,
        told: bool,
    ) -> Vec<usize> {
        let mut found = Vec::with_capacity(other.groups.len());
        for (at, group) in other.groups.iter().enumerate() {
            let place = self.place(places, *group, width, told);
            let numbers = &other.numbers[at * width..][..width];
            for (sum, number) in self.numbers[place * width..][..width].iter_mut().zip(numbers) {
                *sum += number;
            }
            found.push(place);
        }
        found
    }

    fn bytes(&self) -> usize {
        let ones = self.ones.iter().map(|ones| size_of_val(ones) + ones.serialized_size());
        size_of_val(&*self.groups) + size_of_val(&*self.numbers) + ones.sum::<usize>()
    }
}

/// All that was counted, added up.
#[derive(Default)]
pub(crate) struct Counted {
    groups: Vec<Vec<Option<String>>>,
    /// How many numbers there are of each group; the last is how many different ones there are, where
    /// these add up.
    width: usize,
    numbers: Vec<i64>,
    ones: Vec<RoaringBitmap>,
}

/// The numbers of several groups, and which different ones there are in them.
type Together = (Vec<i64>, Option<RoaringBitmap>);

/// The numbers of a group.
#[derive(Default)]
pub(crate) struct Numbers {
    pub(crate) told: Vec<i64>,
    pub(crate) different: i64,
}

impl Counted {
    /// The values and the numbers of each group.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&[Option<String>], Numbers)> {
        self.groups.iter().enumerate().map(|(at, values)| {
            let ones = self.ones.get(at).map(RoaringBitmap::len);
            (values.as_slice(), self.told(&self.numbers[at * self.width..][..self.width], ones))
        })
    }

    /// The numbers of all groups that have the same values in those columns; nothing is in two groups.
    pub(crate) fn together(&self, columns: &[usize]) -> Vec<(Vec<Option<String>>, Numbers)> {
        let mut all: HashMap<Vec<Option<String>>, Together> = HashMap::new();
        for (at, values) in self.groups.iter().enumerate() {
            let apart = columns.iter().map(|column| values[*column].clone()).collect();
            let (sums, ones) = all.entry(apart).or_insert_with(|| (vec![0; self.width], None));
            let numbers = &self.numbers[at * self.width..][..self.width];
            for (sum, number) in sums.iter_mut().zip(numbers) {
                *sum += number;
            }
            if let Some(more) = self.ones.get(at) {
                *ones.get_or_insert_default() |= more;
            }
        }
        let told = |(sums, ones): Together| self.told(&sums, ones.as_ref().map(RoaringBitmap::len));
        all.into_iter().map(|(values, sums)| (values, told(sums))).collect()
    }

    fn told(&self, numbers: &[i64], ones: Option<u64>) -> Numbers {
        let (told, added) = numbers.split_at(self.width - usize::from(ones.is_none()));
        let different = match ones {
            Some(ones) => i64::try_from(ones).unwrap_or(i64::MAX),
            None => added.first().copied().unwrap_or_default(),
        };
        Numbers { told: told.to_vec(), different }
    }
}

impl Moment {
    /// Counts what there is. What is kept is counted again as far as it has changed since.
    pub(crate) async fn tally(&self, counting: &Counting<'_>) -> Result<Arc<Counted>, Error> {
        self.rests_on(|| counting.made_from.clone());
        let tallies = self.tallies();
        if !counting.is_kept {
            let mut tally = Tally::default();
            tally.count(self, counting, tallies).await?;
            return Ok(tally.total);
        }
        let whole = (counting.statement)(Within::Everything);
        let whole = self.tx().get_database_backend().build(&whole).to_string();
        let key = (self.database().to_owned(), whole);
        let kept = tallies.kept(&key);
        // Who comes while it is counted waits for it.
        let mut tally = kept.lock().await;
        tally.count(self, counting, tallies).await?;
        let (total, bytes) = (tally.total.clone(), tally.bytes());
        drop(tally);
        tallies.weigh(&key, bytes);
        Ok(total)
    }
}

impl Moment {
    /// All seminars and study visits, in parts of which each can be read at once.
    pub(crate) async fn spans(&self) -> Result<Vec<Within>, Error> {
        let mut tally =
            Tally { span: RECORDS * self.tallies().0.span, ..Tally::from(Within::Everything) };
        let mut at = 0;
        while at < tally.parts.len() {
            tally.divide(at, self, &Divided::ByActivity { many: false }).await?;
            at += 1;
        }
        Ok(tally.parts.into_iter().map(|part| part.within).collect())
    }
}

impl From<Within> for Tally {
    /// Nothing of that has been counted.
    fn from(within: Within) -> Self {
        Self { parts: vec![Part::stale(within)], ..Self::default() }
    }
}

impl Tally {
    /// Counts what has not been counted yet or has changed since; who is stopped on the way leaves the
    /// rest to who comes next.
    async fn count(
        &mut self,
        moment: &Moment,
        counting: &Counting<'_>,
        tallies: &Tallies,
    ) -> Result<(), Error> {
        let span = match counting.divided {
            Divided::ByActivity { many: true } => tallies.0.span,
            _ => RECORDS * tallies.0.span,
        };
        self.follow(moment, counting, span).await?;
        if self.parts.iter().all(|part| !part.stale) {
            return Ok(());
        }
        let mut at = 0;
        while at < self.parts.len() {
            if self.parts[at].stale {
                self.divide(at, moment, &counting.divided).await?;
                let within = self.parts[at].within;
                let sums = self.ask(within, moment, counting).await?;
                self.parts[at] = Part::counted(within, sums);
                if self.groups.len() > MOST_COUNTED {
                    // More than anybody is told.
                    *self = Self { total: Arc::new(self.add_up(counting)), ..Self::default() };
                    return Ok(());
                }
                if self.bytes() > tallies.0.bytes / 4 && self.coarsen(counting) {
                    at = 0;
                    continue;
                }
            }
            at += 1;
        }
        self.total = Arc::new(self.add_up(counting));
        Ok(())
    }

    /// Finds which parts have changed since they were counted.
    async fn follow(
        &mut self,
        moment: &Moment,
        counting: &Counting<'_>,
        span: u64,
    ) -> Result<(), Error> {
        // What is kept of another history, or from after a moment, says nothing about it.
        let begun = self.parts.is_empty();
        if begun || mark(moment, self.position).await? != self.mark {
            *self = Self { span, ..Self::from(Within::Everything) };
        } else if moment.position() <= self.position {
            return Ok(());
        } else if let [part] = self.parts.as_mut_slice() {
            part.stale = true;
        } else {
            self.touch(moment, counting).await?;
        }
        let mark = mark(moment, moment.position()).await?;
        (self.position, self.mark) = (moment.position(), mark);
        Ok(())
    }

    /// Notes which parts a change has touched since they were counted.
    async fn touch(&mut self, moment: &Moment, counting: &Counting<'_>) -> Result<(), Error> {
        let Some(touched) = touched(moment, self.position, counting).await? else {
            self.parts.iter_mut().for_each(|part| part.stale = true);
            return Ok(());
        };
        for part in &mut self.parts {
            part.stale |= match part.within {
                Within::Everything => !touched.is_empty(),
                Within::Nowhere => touched.contains(&None),
                Within::Span { after, to } => {
                    touched.iter().flatten().any(|id| *id > after && to.is_none_or(|to| *id <= to))
                }
            };
        }
        Ok(())
    }

    /// Divides a part that is too large to be counted at once: of the first of the two it is known
    /// that it is not.
    async fn divide(&mut self, at: usize, moment: &Moment, divided: &Divided) -> Result<(), Error> {
        let (ids, id) = match divided {
            Divided::No => return Ok(()),
            Divided::ByActivity { .. } => {
                let ids = activity::Entity::find().select_only().column(activity::Column::Id);
                (ids.into_query(), activity::Column::Id.into_expr())
            }
            Divided::ByRecord { ids, id } => ((**ids).clone(), id.clone()),
        };
        let (after, to) = match self.parts[at].within {
            Within::Everything => (Uuid::nil(), None),
            Within::Span { after, to } => (after, to),
            Within::Nowhere => return Ok(()),
        };
        let nth = async |number: u64| {
            let mut ids = ids.clone();
            ids.cond_where(Within::Span { after, to }.holds(&id));
            ids.order_by_expr(id.clone(), Order::Asc).offset(number - 1).limit(1);
            let row = moment.tx().query_one(&ids).await?;
            row.map(|row| row.try_get_by_index::<Uuid>(0)).transpose()
        };
        if nth(2 * self.span + 1).await?.is_none() {
            return Ok(());
        }
        let Some(end) = nth(self.span).await? else { return Ok(()) };
        let begins = matches!(self.parts[at].within, Within::Everything);
        if begins && matches!(divided, Divided::ByActivity { .. }) {
            self.parts.insert(at + 1, Part::stale(Within::Nowhere));
        }
        self.parts[at].within = Within::Span { after, to: Some(end) };
        self.parts.insert(at + 1, Part::stale(Within::Span { after: end, to }));
        Ok(())
    }

    /// Counts a part.
    async fn ask(
        &mut self,
        within: Within,
        moment: &Moment,
        counting: &Counting<'_>,
    ) -> Result<Sums, Error> {
        let (width, told) = (counting.width(), counting.ones == Ones::Told);
        let (mut sums, mut places) = (Sums::default(), Places::default());
        for row in moment.tx().query_all(&(counting.statement)(within)).await? {
            let group = self.number_of(&row, counting)?;
            let place = sums.place(&mut places, group, width, told);
            let numbers = &mut sums.numbers[place * width..][..width];
            for (at, sum) in numbers.iter_mut().enumerate() {
                // What tells the different ones comes first; where it is a number, it is the last here.
                let column = if at < counting.numbers { at + 1 } else { 0 };
                *sum += row.try_get_by_index::<Option<i64>>(column)?.unwrap_or_default();
            }
            if told && let Some(one) = row.try_get_by_index::<Option<Uuid>>(0)? {
                let next = u32::try_from(self.ones.len()).unwrap_or(u32::MAX);
                sums.ones[place].insert(*self.ones.entry(one).or_insert(next));
            }
        }
        Ok(sums)
    }

    /// The number of the group that a row is of.
    fn number_of(&mut self, row: &QueryResult, counting: &Counting<'_>) -> Result<u32, Error> {
        let values = counting.columns.iter().zip(1 + counting.numbers..);
        let values = values.map(|(is_id, at)| group(row, at, *is_id));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        if let Some(number) = self.numbers.get(&values) {
            return Ok(*number);
        }
        let number = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        self.groups.push(values.clone());
        self.numbers.insert(values, number);
        Ok(number)
    }

    /// Makes one of each two neighbours that are counted; whether there were any.
    fn coarsen(&mut self, counting: &Counting<'_>) -> bool {
        let before = self.parts.len();
        let mut parts: Vec<Part> = Vec::with_capacity(before);
        let mut may_grow = false;
        for part in mem::take(&mut self.parts) {
            let last = parts.last_mut().filter(|last| may_grow && !last.stale && !part.stale);
            if let Some(last) = last
                && let (Within::Span { after, .. }, Within::Span { to, .. }) =
                    (last.within, part.within)
            {
                let mut places = Places::default();
                for (at, group) in last.sums.groups.iter().enumerate() {
                    places.0.insert(*group, at);
                }
                let mut sums = mem::take(&mut last.sums);
                sums.add(&mut places, &part.sums, counting.width());
                *last = Part::counted(Within::Span { after, to }, sums);
                may_grow = false;
            } else {
                may_grow = true;
                parts.push(part);
            }
        }
        self.parts = parts;
        let coarser = self.parts.len() < before;
        self.span *= 1 + u64::from(coarser);
        coarser
    }

    fn add_up(&self, counting: &Counting<'_>) -> Counted {
        let width = counting.width();
        let (mut sums, mut places) = (Sums::default(), Places::default());
        // One after the other they would be written again for each part.
        let mut ones: Vec<Vec<&RoaringBitmap>> = Vec::new();
        for part in &self.parts {
            let found = sums.add_numbers(&mut places, &part.sums, width, false);
            for (place, some) in found.into_iter().zip(&part.sums.ones) {
                ones.resize(ones.len().max(place + 1), Vec::new());
                ones[place].push(some);
            }
        }
        sums.ones = ones.into_iter().map(MultiOps::union).collect();
        let groups = sums.groups.iter().map(|group| self.groups[*group as usize].clone());
        Counted { groups: groups.collect(), width, numbers: sums.numbers, ones: sums.ones }
    }

    /// How much memory it takes, about.
    fn bytes(&self) -> usize {
        let parts = self.parts.iter().map(|part| part.bytes);
        parts.sum::<usize>() + self.groups.len() * 200 + self.ones.len() * 32
    }
}

/// The value of a group, in that place of a row.
pub(crate) fn group(row: &QueryResult, at: usize, is_id: bool) -> Result<Option<String>, Error> {
    Ok(match is_id {
        true => row.try_get_by_index::<Option<Uuid>>(at)?.map(|id| id.to_string()),
        false => row.try_get_by_index(at)?,
    })
}

/// What tells the change at that position from one of another history.
async fn mark(moment: &Moment, position: i64) -> Result<Option<Mark>, Error> {
    let row = log::Entity::find_by_id(position)
        .select_only()
        .columns([log::Column::RecordId, log::Column::At]);
    Ok(row.into_tuple().one(moment.tx()).await?)
}

/// By which ids is divided what was changed after that position, before the change and after it; none
/// stands for what belongs to none of them. Nothing is told where it may be any.
async fn touched(
    moment: &Moment,
    since: i64,
    counting: &Counting<'_>,
) -> Result<Option<BTreeSet<Option<Uuid>>>, Error> {
    let of_these = log::Column::Resource.is_in(counting.made_from.names());
    let changed: Vec<(String, Uuid)> = log::Entity::find()
        .select_only()
        .columns([log::Column::Resource, log::Column::RecordId])
        .filter(log::Column::Position.gt(since))
        .filter(of_these.clone())
        .filter(log::seen_by_public())
        .distinct()
        .limit(MOST_CHANGES + 1)
        .into_tuple()
        .all(moment.tx())
        .await?;
    let everywhere: BTreeSet<_> = counting.looks_up.names().collect();
    let any = changed.iter().any(|(resource, _)| everywhere.contains(resource.as_str()));
    if any || changed.len() as u64 > MOST_CHANGES {
        return Ok(None);
    }
    if let Divided::ByRecord { .. } = counting.divided {
        return Ok(Some(changed.into_iter().map(|(_, id)| Some(id)).collect()));
    }
    let mut touched = BTreeSet::new();
    let ids: Vec<_> = changed.into_iter().map(|(_, id)| id).collect();
    for some in ids.chunks(AT_ONCE) {
        // The last body that was counted, and that of now.
        let last = |until: Option<i64>| {
            let mut last = Query::select();
            last.expr(Func::max(Expr::col(log::Column::Position)))
                .from(log::Entity)
                .and_where(of_these.clone())
                .and_where(log::Column::RecordId.is_in(some.iter().copied()))
                .add_group_by([Expr::col(log::Column::RecordId)]);
            if let Some(until) = until {
                last.and_where(log::Column::Position.lte(until));
            }
            log::Column::Position.in_subquery(last)
        };
        for last in [last(Some(since)), last(None)] {
            let rows: Vec<(String, Uuid, Option<String>)> = log::Entity::find()
                .select_only()
                .columns([log::Column::Resource, log::Column::RecordId, log::Column::Body])
                .filter(last)
                .into_tuple()
                .all(moment.tx())
                .await?;
            for (resource, id, body) in rows {
                let Some(body) = body else { continue };
                let mut of = Activities { resource: &resource, id, body: &body, found: Ok(vec![]) };
                visit_all(&mut of);
                // What was written by an earlier version may be no more what its type is.
                let Ok(found) = of.found else { return Ok(None) };
                touched.extend(found);
            }
        }
    }
    Ok(Some(touched))
}

/// The seminars and study visits that a record contributes to.
struct Activities<'a> {
    resource: &'a str,
    id: Uuid,
    body: &'a str,
    found: Result<Vec<Option<Uuid>>, Error>,
}

impl Visitor for Activities<'_> {
    fn visit<R: Stored>(&mut self) {
        if R::COLLECTION == self.resource {
            self.found =
                read::<R>(self.body).map(|body| body.contribution(self.id).activities(self.id));
        }
    }
}
