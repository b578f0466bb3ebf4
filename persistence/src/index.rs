//! What the tables that lists are filtered and sorted by are filled with.
use domain::{PartialDate, Text};
use sea_orm::{
    DatabaseTransaction,
    entity::prelude::{ColumnTrait, Date, EntityTrait, QueryFilter, Uuid},
};
use serde::Serialize;
use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{Contribution, Error, Stored, insert, list::id_column, record};

/// Comes after every text: where a text is not known, the record comes last.
const UNKNOWN_TEXT: &str = "\u{10FFFF}";
/// How much of a text decides its place.
const KEY_LENGTH: usize = 120;

/// The day that stands for a date of which the year is not known: it comes last, and no filter
/// finds it.
pub(crate) const UNKNOWN_DATE: Date = Date::from_ymd_opt(9999, 12, 31).unwrap();

/// Writes the index rows of those records and what they contribute to figures, in place of those of
/// the records in `had`.
pub(crate) async fn keep<'a, R: Stored + 'a>(
    tx: &DatabaseTransaction,
    records: impl Iterator<Item = (&'a record::Model, &'a R)> + Clone,
    had: &[Uuid],
) -> Result<(), Error> {
    if !had.is_empty() {
        let old = id_column::<R>().is_in(had.iter().copied());
        R::Index::delete_many().filter(old).exec(tx).await?;
    }
    let index = records.clone().map(|(row, body)| body.index(row.id, row.is_public()));
    insert::all::<R::Index>(tx, index.collect()).await?;
    let contributions = records.map(|(row, body)| {
        let contribution = body.contribution(row.id);
        debug_assert!(contribution.is_told_of(R::COLLECTION), "figures of {}", R::COLLECTION);
        (row, contribution)
    });
    Contribution::keep(contributions, tx, had).await
}

/// A value as its code in JSON.
pub(crate) fn code<T: Serialize>(value: Option<&T>) -> Option<String> {
    value.and_then(|value| match serde_json::to_value(value) {
        Ok(Value::String(code)) => Some(code),
        Ok(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    })
}

/// Where a text comes in an order: case and accents make no difference.
pub(crate) fn text_key(text: Option<&Text>) -> String {
    text.map_or_else(|| UNKNOWN_TEXT.to_owned(), |text| line_key(text.best()))
}

/// Where a line comes in an order.
pub(crate) fn line_key(line: &str) -> String {
    let folded = line.nfkd().filter(|letter| !is_combining_mark(*letter));
    folded.flat_map(char::to_lowercase).take(KEY_LENGTH).collect()
}

/// Where a date comes in an order, and what a filter compares: the first day it may mean.
pub(crate) fn date_key(date: Option<&PartialDate>) -> Date {
    date.and_then(PartialDate::first_day).unwrap_or(UNKNOWN_DATE)
}

/// The last day that something may take, by its first and its last day: what is over is told by it.
pub(crate) fn last_day_key(start: Option<&PartialDate>, end: Option<&PartialDate>) -> Date {
    end.or(start).and_then(PartialDate::last_day).unwrap_or(UNKNOWN_DATE)
}

/// Where a number comes in an order.
pub(crate) fn number_key(number: Option<i64>) -> i64 {
    number.unwrap_or(i64::MAX)
}
