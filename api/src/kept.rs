//! Values that are answered as they are kept.
use std::marker::PhantomData;

use domain::in_all_languages;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser};
use serde_json::value::RawValue;

/// A part of a body that its type has written: told of as a `T`, and passed on as the text that it
/// is. Only where texts are to keep one language it is taken apart.
pub(crate) struct Kept<'a, T>(&'a RawValue, PhantomData<fn() -> T>);

impl<T> Default for Kept<'_, T> {
    fn default() -> Self {
        Self(RawValue::NULL, PhantomData)
    }
}

impl<'de: 'a, 'a, T> Deserialize<'de> for Kept<'a, T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Deserialize::deserialize(from)?, PhantomData))
    }
}

impl<T: DeserializeOwned + Serialize> Serialize for Kept<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if in_all_languages() {
            return self.0.serialize(to);
        }
        let value: T = serde_json::from_str(self.0.get()).map_err(ser::Error::custom)?;
        value.serialize(to)
    }
}
