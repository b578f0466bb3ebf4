//! Records that are parts of others of their kind.
use std::collections::HashSet;

use domain::Violation;
use sea_orm::{DatabaseTransaction, PrimaryKeyTrait, QuerySelect, entity::prelude::*};

use crate::Error;

/// Refuses a parent that is the record itself, or lies under it.
pub(crate) async fn no_cycle<E>(
    db: &DatabaseTransaction,
    id: Uuid,
    parent: Option<Uuid>,
    column: E::Column,
) -> Result<Vec<Violation>, Error>
where
    E: EntityTrait<PrimaryKey: PrimaryKeyTrait<ValueType = Uuid>>,
{
    let mut above = parent;
    let mut passed = HashSet::new();
    while let Some(next) = above {
        // Records that come in together are written before any is judged, so there may be a cycle above
        // this one.
        if next == id || !passed.insert(next) {
            let detail = "It would be a part of itself.";
            return Ok(vec![Violation::new("/parent_id", "cycle", detail)]);
        }
        let row: Option<Option<Uuid>> =
            E::find_by_id(next).select_only().column(column).into_tuple().one(db).await?;
        above = row.flatten();
    }
    Ok(Vec::new())
}
