//! How the values of parameters are read, and what is said of those that cannot be.
use std::fmt;

use chrono::NaiveDate;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, Unexpected, value::I64Deserializer, value::StrDeserializer},
};

use crate::{FullDateKind, Kind};

/// Why a value of a parameter cannot be used, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread(String);

impl fmt::Display for Unread {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl std::error::Error for Unread {}

impl de::Error for Unread {
    fn custom<T: fmt::Display>(told: T) -> Self {
        Self(told.to_string())
    }
    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self(format!("it is to be one of: {}", known.join(", ")))
    }
    // Whatever is no word is a number.
    fn invalid_type(_: Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self("it is to be a whole number".to_owned())
    }
}

/// Reads a word, or a number where one is wanted.
///
/// # Errors
/// When it is none of the values that are wanted.
pub fn value<T: DeserializeOwned>(text: &str) -> Result<T, Unread> {
    let word = || T::deserialize(StrDeserializer::<Unread>::new(text));
    match text.parse() {
        Ok(number) => T::deserialize(I64Deserializer::<Unread>::new(number))
            .or_else(|told| word().or(Err(told))),
        Err(_) => word(),
    }
}

/// Reads values with commas between them. Which of several cannot be used is told with the reason.
///
/// # Errors
/// When one of them cannot be read, or there are more than so many.
pub fn values<T, E: fmt::Display>(
    text: &str,
    most: usize,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, String> {
    let parts: Vec<_> = text.split(',').collect();
    if parts.len() > most {
        return Err(format!("there are more than {most} values"));
    }
    let told = |part: &str, error: E| match (parts.len(), error.to_string()) {
        (1, error) => error,
        (_, error) => match error.strip_prefix("it ") {
            Some(rest) => format!("{part} {rest}"),
            None => format!("{part}: {error}"),
        },
    };
    parts.iter().map(|part| read(part).map_err(|error| told(part, error))).collect()
}

/// Reads true or false, and nothing else that means the same to some.
///
/// # Errors
/// When it is neither.
pub fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "it is true or false".to_owned())
}

/// Reads a parameter that is true or false.
pub(crate) fn if_given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    boolean(&String::deserialize(from)?).map(Some).map_err(de::Error::custom)
}

/// Reads a parameter that is a day, written as RFC 3339 has it and in no other way: chrono would take
/// signs, spaces and years of any length.
///
/// # Errors
/// When it is written in another way, or is no day.
pub fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NaiveDate>, D::Error> {
    let day = written_day(&String::deserialize(from)?);
    day.map(Some).ok_or_else(|| de::Error::custom(format!("it is {}", FullDateKind::NONE)))
}

/// The day that is written like that, and in no other way.
#[must_use]
pub fn written_day(text: &str) -> Option<NaiveDate> {
    let digits = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    let written = text.len() == "2021-08-24".len() && text.bytes().enumerate().all(digits);
    text.parse().ok().filter(|_| written)
}
