//! Statements that are put together once.
use std::sync::OnceLock;

use sea_orm::{DbBackend, Statement, Value, Values, entity::prelude::Uuid};

use crate::record;

/// A statement that is the same whichever key is asked for; by ids and by slugs, for each database.
///
/// To put a large one together takes about as long as to read what it finds.
pub(crate) struct Template([OnceLock<Statement>; 4]);

impl Template {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; 4])
    }

    /// The statement for that key. The first time it is put together for another one, and wherever
    /// that stands the key takes its place.
    pub(crate) fn with(
        &self,
        backend: DbBackend,
        key: &str,
        build: impl FnOnce(&str) -> Statement,
    ) -> Statement {
        let (id, nobody) = (record::id_of(key), Uuid::max());
        let (key, other, named): (Value, Value, _) = match id {
            Some(id) => (id.into(), nobody.into(), nobody.to_string()),
            None => (key.into(), "-".into(), "-".to_owned()),
        };
        let place = usize::from(backend == DbBackend::Postgres) * 2 + usize::from(id.is_some());
        let Statement { sql, values, db_backend } = self.0[place].get_or_init(|| build(&named));
        let values = values.iter().flat_map(|values| &values.0);
        let values = values.map(|value| if *value == other { &key } else { value }.clone());
        Statement {
            sql: sql.clone(),
            values: Some(Values(values.collect())),
            db_backend: *db_backend,
        }
    }
}
