//! Writes new rows of a table, however many.
use sea_orm::{ConnectionTrait, EntityTrait, Iterable};

use crate::Error;

/// How many values one statement has at most: SQLite takes no more.
const VALUES: usize = 32_766;

/// Adds those rows to the table of `E`, with as few statements as they fit into.
pub(crate) async fn all<E: EntityTrait>(
    db: &impl ConnectionTrait,
    rows: Vec<E::ActiveModel>,
) -> Result<(), Error> {
    let at_once = VALUES / E::Column::iter().count();
    let mut rows = rows.into_iter();
    loop {
        let some: Vec<_> = rows.by_ref().take(at_once).collect();
        if some.is_empty() {
            return Ok(());
        }
        E::insert_many(some).exec_without_returning(db).await?;
    }
}
