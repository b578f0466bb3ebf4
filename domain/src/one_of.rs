use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use utoipa::{
    __dev::ComposeSchema,
    ToSchema,
    openapi::{ArrayBuilder, Ref, RefOr, Schema},
};
use uuid::Uuid;

use crate::{Key, parameter};

/// Any of several values, written with commas between them; none means that all will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOf<T>(pub Vec<T>);

/// How many alternatives there may be.
const MOST: usize = 50;

impl<T> Default for OneOf<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl OneOf<Key> {
    /// Just the record of that id.
    #[must_use]
    pub fn key(id: Uuid) -> Self {
        Self(id.to_string().parse().into_iter().collect())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOf<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        parameter::values(&text, MOST, parameter::value).map(Self).map_err(de::Error::custom)
    }
}

impl<T: Serialize> Serialize for OneOf<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

// The derive macro asks generic types for this, of which `PartialSchema` is a consequence.
impl<T: ToSchema> ComposeSchema for OneOf<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let items = Ref::from_schema_name(T::name());
        ArrayBuilder::new().items(items).min_items(Some(1)).max_items(Some(MOST)).into()
    }
}

impl<T: ToSchema> ToSchema for OneOf<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into(), T::schema()));
        T::schemas(schemas);
    }
}
