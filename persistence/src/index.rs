//! What the tables that lists are filtered and sorted by are filled with.
use domain::{PartialDate, Text};
use sea_orm::{
    DatabaseTransaction,
    entity::prelude::{ColumnTrait, Date, EntityTrait, QueryFilter, Uuid},
};
use serde::Serialize;
use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{Contribution, Error, Stored, insert, list::id_column, record, words::without_stroke};

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

/// Where a text comes in an order: case, accents and strokes make no difference.
pub(crate) fn text_key(text: Option<&Text>) -> String {
    text.map_or_else(|| UNKNOWN_TEXT.to_owned(), |text| line_key(text.best()))
}

/// Where a line comes in an order.
pub(crate) fn line_key(line: &str) -> String {
    let folded = line.nfkd().filter(|letter| !is_combining_mark(*letter));
    folded.map(without_stroke).flat_map(char::to_lowercase).take(KEY_LENGTH).collect()
}

/// Where a date comes in an order, and what a filter compares: the first day it may mean.
pub(crate) fn date_key(date: Option<&PartialDate>) -> Date {
    date.and_then(PartialDate::first_day).unwrap_or(UNKNOWN_DATE)
}

/// The last day that something may take, by its last day or, where the year of that is not known, by
/// its first: what is over is told by it.
pub(crate) fn last_day_key(start: Option<&PartialDate>, end: Option<&PartialDate>) -> Date {
    let last = |date: Option<&PartialDate>| date.and_then(PartialDate::last_day);
    last(end).or_else(|| last(start)).unwrap_or(UNKNOWN_DATE)
}

/// Where a number comes in an order.
pub(crate) fn number_key(number: Option<i64>) -> i64 {
    number.unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{UNKNOWN_DATE, date_key, last_day_key, line_key};

    #[test]
    fn a_line_comes_where_its_letters_come_without_accents_and_strokes() {
        let mut lines = ["zzz", "Łódź", "Ørsted", "Lublin", "Çorum", "Đà Nẵng"];
        lines.sort_by_key(|line| line_key(line));
        assert_eq!(lines, ["Çorum", "Đà Nẵng", "Łódź", "Lublin", "Ørsted", "zzz"]);
    }

    #[test]
    fn the_last_day_is_that_of_the_start_where_the_year_of_the_end_is_not_known() {
        let date = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        for (start, end, last) in [
            ("2999-12-31", "XXXX-11-05", "2999-12-31"),
            ("2026-11", "", "2026-11-30"),
            ("2026-11-04", "2026", "2026-12-31"),
            ("XXXX-11-04", "2026-11-05", "2026-11-05"),
        ] {
            let last = date(last);
            assert_eq!(
                last_day_key(date(start).as_ref(), date(end).as_ref()),
                date_key(last.as_ref())
            );
        }
        assert_eq!(last_day_key(date("XXXX-11-04").as_ref(), None), UNKNOWN_DATE);
    }
}
