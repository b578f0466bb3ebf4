use domain::{Reference, Resource, Violation};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PrimaryKeyTrait,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{Error, Narrow, figures::Contribution};

/// How a resource is found again: its index table, beside the table of all records.
///
/// The table `record` holds every body whole; the index table holds what lists are filtered and
/// sorted by, and nothing else.
pub trait Stored: Resource<Derived: Default> {
    /// Its index table, whose key is the record's id.
    type Index: EntityTrait<
            Model: IntoActiveModel<<Self::Index as EntityTrait>::ActiveModel> + Send + Sync,
            PrimaryKey: PrimaryKeyTrait<ValueType = Uuid>,
        >;

    /// The fields of which a record has several codes that a filter asks for, without the places
    /// in lists.
    const TERMS: &'static [&'static str] = &[];

    /// The collections from whose records something follows for its own.
    const DERIVES_FROM: &'static [&'static str] = &[];

    /// A reference that no type in the contract tells.
    #[must_use]
    fn untyped_reference(_body: &Value) -> Option<Reference> {
        None
    }

    /// The row of its index table, whose columns `id` and `public` every resource has.
    fn index(&self, id: Uuid, public: bool) -> <Self::Index as EntityTrait>::ActiveModel;

    /// What it contributes to figures.
    #[must_use]
    fn contribution(&self, _id: Uuid) -> Contribution {
        Contribution::default()
    }

    /// Narrows the rows of its index table to what a filter asks for.
    fn narrow(rows: Narrow, filter: &Self::Filter) -> Narrow;

    /// The column that a sort key stands for; it is never null.
    fn sort_column(key: Self::SortKey) -> <Self::Index as EntityTrait>::Column;

    /// The rules that it takes other records to judge by.
    ///
    /// They are asked when no other change can commit before this one.
    fn conflicts(
        &self,
        _db: &DatabaseTransaction,
        _id: Uuid,
        _before: Option<&Self>,
    ) -> impl Future<Output = Result<Vec<Violation>, Error>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Whether it is called otherwise than before, by a name that other records tell.
    #[must_use]
    fn is_renamed(&self, _before: &Self) -> bool {
        false
    }

    /// Waits until nobody changes the records that tell its name, and keeps them so.
    ///
    /// They are written once no other change can commit, and who is changing one of them then would be
    /// waited for while they wait.
    #[must_use]
    fn hold_tellers(
        _db: &DatabaseTransaction,
        _id: Uuid,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Brings up to date by which words other records are found that tell its name.
    #[must_use]
    fn renamed(
        _db: &DatabaseTransaction,
        _id: Uuid,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// What follows for each of them from other records.
    fn derive(
        _db: &impl ConnectionTrait,
        bodies: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Derived>, Error>> + Send {
        let derived = vec![Self::Derived::default(); bodies.len()];
        async { Ok(derived) }
    }
}
