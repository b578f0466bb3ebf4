//! Statements that are put together once.
use std::sync::OnceLock;

use sea_orm::{DbBackend, Statement, Value, Values, entity::prelude::Uuid};

use crate::record;

/// Statements that differ in nothing but the ids or the key that are asked for, for each database.
///
/// To put a large one together takes about as long as to read what it finds.
pub(crate) struct Templates<const FORMS: usize>([[OnceLock<Statement>; FORMS]; 2]);

/// By what one record is asked for: a slug or an id.
pub(crate) type ByKey = Templates<2>;
/// By what several are: as many ids as a power of two, and of more than 2^15 it is put together anew.
pub(crate) type ByIds = Templates<16>;

impl<const FORMS: usize> Templates<FORMS> {
    pub(crate) const fn new() -> Self {
        Self([const { [const { OnceLock::new() }; FORMS] }; 2])
    }

    /// The statement of that form, where each value that is `other` is the next of those.
    fn filled(
        &self,
        (backend, form): (DbBackend, usize),
        other: &Value,
        build: impl FnOnce() -> Statement,
        mut next: impl FnMut() -> Option<Value>,
    ) -> Statement {
        let of = &self.0[usize::from(backend == DbBackend::Postgres)];
        let Statement { sql, values, db_backend } = of[form].get_or_init(build);
        let fill = |value: &Value| match value == other {
            true => next().unwrap_or_else(|| value.clone()),
            false => value.clone(),
        };
        let values = values.iter().flat_map(|values| &values.0).map(fill).collect();
        Statement { sql: sql.clone(), values: Some(Values(values)), db_backend: *db_backend }
    }
}

impl ByKey {
    /// The statement for that key; it is put together for another one.
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
        let form = (backend, usize::from(id.is_some()));
        self.filled(form, &other, || build(&named), || Some(key.clone()))
    }
}

impl ByIds {
    /// The statement for those ids, of which there are as many as a power of two; it is put together
    /// for as many others.
    pub(crate) fn with(
        &self,
        backend: DbBackend,
        ids: Vec<Uuid>,
        build: impl FnOnce(Vec<Uuid>) -> Statement,
    ) -> Statement {
        let (most, nobody) = (ids.len(), Uuid::max());
        let form = most.trailing_zeros() as usize;
        if form >= 16 {
            return build(ids);
        }
        let mut ids = ids.into_iter().map(Value::from);
        let build = || build(vec![nobody; most]);
        self.filled((backend, form), &nobody.into(), build, || ids.next())
    }
}
