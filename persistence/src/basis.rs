//! What an answer is made from: as long as nothing of that changes, it is as it was.
use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use domain::{Collection, Participant, Resource, Shape, collections};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait,
    entity::prelude::Uuid,
    sea_query::{Expr, Func, Query},
};

use crate::{Error, Sight, Stored, Visitor, log, search::together, visit_all};

/// The bit of what belongs to no collection of records: participants.
pub(crate) const OTHER: usize = 31;

/// What an answer was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// A bit for each collection.
    pub(crate) collections: u32,
    pub(crate) records: Vec<Uuid>,
}

impl Basis {
    /// Nothing that ever changes.
    #[must_use]
    pub fn nothing() -> Self {
        Self { collections: 0, records: Vec::new() }
    }

    /// Everything that the public may see.
    #[must_use]
    pub fn everything() -> Self {
        Self { collections: u32::MAX, records: Vec::new() }
    }

    /// All records, of whatever resource; participants are none.
    #[must_use]
    pub fn records() -> Self {
        Self { collections: !(1 << OTHER), records: Vec::new() }
    }

    /// One record of `R`, and those from which something follows for it.
    #[must_use]
    pub fn one<R: Stored>(id: Uuid) -> Self {
        Self::these([id]).and(Self::collections(R::DERIVES_FROM.iter().copied()))
    }

    /// The records of those ids.
    #[must_use]
    pub fn these(ids: impl IntoIterator<Item = Uuid>) -> Self {
        let ids: BTreeSet<Uuid> = ids.into_iter().collect();
        Self { collections: 0, records: ids.into_iter().collect() }
    }

    /// The records of that collection.
    #[must_use]
    pub fn collection(name: &str) -> Self {
        Self { collections: 1 << place(name), records: Vec::new() }
    }

    /// The records of those collections.
    #[must_use]
    pub fn collections<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().map(Self::collection).fold(Self::nothing(), Self::and)
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.also(other);
        self
    }

    /// Adds what is in the other.
    pub fn also(&mut self, other: Self) {
        self.collections |= other.collections;
        self.records.extend(other.records);
    }

    /// The records of `R`, and those from which something follows for them.
    #[must_use]
    pub fn of<R: Stored>() -> Self {
        Self::collections(R::DERIVES_FROM.iter().copied().chain([R::COLLECTION]))
    }

    /// What the feed tells of those collections; of all if none are named.
    #[must_use]
    pub fn feed(collections: &[Collection]) -> Self {
        struct Named<'a>(&'a [Collection], Basis);
        impl Visitor for Named<'_> {
            fn visit<R: Stored>(&mut self) {
                if self.0.iter().any(|one| one.as_str() == R::COLLECTION) {
                    self.1.also(Basis::of::<R>());
                }
            }
        }
        if collections.is_empty() {
            return Self::records();
        }
        let mut named = Named(collections, Self::nothing());
        visit_all(&mut named);
        named.1
    }

    /// The records that those of `R` refer to.
    #[must_use]
    pub(crate) fn referred<R: Stored>() -> Self {
        let named = Shape::of::<R>().reference_paths().iter();
        let collections = named.fold(0, |all, path| all | 1 << place(&path.collection));
        Self { collections, records: Vec::new() }
    }

    /// The records that those of a collection refer to.
    #[must_use]
    pub(crate) fn referred_by(collection: &str) -> Self {
        struct By<'a>(&'a str, Basis);
        impl Visitor for By<'_> {
            fn visit<R: Stored>(&mut self) {
                if R::COLLECTION == self.0 {
                    self.1 = Basis::referred::<R>();
                }
            }
        }
        let mut by = By(collection, Self::nothing());
        visit_all(&mut by);
        by.1
    }

    /// Whether it has all the collections of the other.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.collections & !self.collections == 0
    }

    /// The names of its collections.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let named = PLACES.iter().filter(|(place, _)| self.collections & 1 << place != 0);
        named.map(|(_, name)| *name)
    }

    /// The position of the last change of something in its collections, as far as who looks can see;
    /// zero where there was none.
    pub(crate) async fn newest(
        &self,
        db: &impl ConnectionTrait,
        sight: &Sight,
    ) -> Result<i64, Error> {
        let changes = |of: Condition| {
            let newest = Func::max(Expr::col(log::Column::Position));
            Query::select().expr(newest).from(log::Entity).cond_where(of).take()
        };
        let seen = (*sight == Sight::Public).then(log::seen_by_public);
        let mut named = self.collections;
        if let Sight::Projects(_) = sight {
            // What belongs to a project follows from other records, so any may let others be seen.
            named |= Self::records().collections;
        }
        let named = PLACES.iter().filter(|(place, _)| named & 1 << place != 0);
        let collections = named.map(|(place, name)| {
            let of = Condition::all().add(log::Column::Resource.eq(*name));
            // Of participants nothing is public, but for what is counted.
            changes(of.add_option(seen.clone().filter(|_| *place != OTHER)))
        });
        let Some(all) = together(collections) else { return Ok(0) };
        let found = db.query_all(&all).await?;
        let found = found.iter().map(|row| row.try_get_by_index::<Option<i64>>(0));
        Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().max().unwrap_or(0))
    }
}

/// Which bit stands for which collection.
static PLACES: LazyLock<Vec<(usize, &'static str)>> = LazyLock::new(|| {
    let records = collections().into_iter().enumerate();
    records.chain([(OTHER, Participant::COLLECTION)]).collect()
});

/// Which bit stands for a collection.
pub(crate) fn place(collection: &str) -> usize {
    static BY_NAME: LazyLock<HashMap<&'static str, usize>> =
        LazyLock::new(|| PLACES.iter().map(|(place, name)| (*name, *place)).collect());
    BY_NAME.get(collection).copied().unwrap_or(OTHER)
}
