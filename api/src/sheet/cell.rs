//! What people write in a cell, as a value of its field.
use chrono::NaiveDate;
use domain::{Country, CurrencyCode, FullDate, Kind, LanguageTag, LocalTimeKind, PartialDate};
use regex::Regex;
use serde_json::{Number, Value, json};

use super::{country, read::Odd, words};
use crate::formats::table::{ESCAPE, Leaf, Step};

/// What a spreadsheet shows where a formula failed, in English and in Russian.
const FAILED: [&str; 14] = [
    "#N/A",
    "#REF!",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#CALC!",
    "#Н/Д",
    "#ССЫЛКА!",
    "#ЗНАЧ!",
    "#ДЕЛ/0!",
    "#ИМЯ?",
    "#ЧИСЛО!",
];
const YES: [&str; 5] = ["true", "да", "иә", "yes", "1"];
const NO: [&str; 5] = ["false", "нет", "жоқ", "no", "0"];
/// What stands between thousands: a space, of which there are several.
const SPACES: [char; 4] = [' ', '\u{a0}', '\u{202f}', '\u{2009}'];

/// Why a cell is no value of its field: a code, and what to do instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) code: &'static str,
    pub(super) detail: &'static str,
}

type Told<T> = Result<T, Reason>;

fn not<T>(code: &'static str, detail: &'static str) -> Told<T> {
    Err(Reason { code, detail })
}

impl Odd {
    pub(super) fn reason(self) -> Reason {
        let (code, detail) = match self {
            Self::Failed => ("failed_formula", "The spreadsheet failed to calculate it."),
            Self::Uncalculated => (
                "formula_without_result",
                "The formula has no result: let a spreadsheet calculate it, and save it there.",
            ),
            Self::PartOfDay => (
                "part_of_day",
                "It holds a day and shows a part of it: show the whole day, or write what is meant \
                 as a text, as in 2021-11 or 2021.",
            ),
        };
        Reason { code, detail }
    }
}

/// Why the formula that stood here has no value, if a text tells that there was one.
pub(super) fn failed(text: &str) -> Option<Reason> {
    FAILED.contains(&text).then(|| Odd::Failed.reason())
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Any text at all.
    Text,
    /// A text of some form, which only the contract can judge.
    Name,
    Integer,
    /// Of which the largest is less than a thousand, or not.
    Number {
        small: bool,
    },
    /// A number as a text, so that no digit is lost.
    Decimal,
    Boolean,
    Day,
    PartialDate,
    Time,
    Codes(Vec<String>),
    Country,
    Language,
    Currency,
    Whatever,
}

impl Form {
    /// What the contract says of a column.
    pub(super) fn of(leaf: &Leaf) -> Self {
        let schema = &leaf.schema;
        let is = |kind: &str| match &schema["type"] {
            Value::Array(kinds) => kinds.iter().any(|one| one == kind),
            one => one == kind,
        };
        let codes = |all: &Vec<Value>| -> Vec<String> {
            all.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        };
        if leaf.steps.last() == Some(&Step::Whatever) {
            return Self::Whatever;
        }
        if let Some(codes) = schema["enum"].as_array().map(codes) {
            return if codes == Country::codes() { Self::Country } else { Self::Codes(codes) };
        }
        match schema["format"].as_str() {
            Some("iso-date") => Self::Day,
            Some("edtf") => Self::PartialDate,
            Some("bcp47") => Self::Language,
            Some("iso-4217") => Self::Currency,
            Some("decimal") => Self::Decimal,
            _ if schema["pattern"] == LocalTimeKind::PATTERN => Self::Time,
            _ if is("integer") => Self::Integer,
            _ if is("number") => {
                Self::Number { small: schema["maximum"].as_f64().is_some_and(|most| most < 1000.0) }
            }
            _ if is("boolean") => Self::Boolean,
            _ => match schema["pattern"].as_str().map(Regex::new) {
                Some(Ok(pattern)) if !pattern.is_match(FAILED[0]) => Self::Name,
                _ => Self::Text,
            },
        }
    }

    /// Why the formula that stood in a cell of the field has no value; what looks like that may be
    /// meant where any text may stand.
    pub(super) fn failed(&self, text: &str) -> Option<Reason> {
        if *self == Self::Text { None } else { failed(text) }
    }

    /// The value that a cell means. What only the contract can judge is left as it is.
    pub(super) fn read(&self, text: &str) -> Told<Value> {
        Ok(match self {
            Self::Text | Self::Name => json!(text),
            Self::Integer => integer(text)?,
            Self::Number { small } => {
                let number = decimal(text, *small)?.parse().ok().and_then(Number::from_f64);
                number.map_or_else(|| json!(text), Value::Number)
            }
            Self::Decimal => json!(decimal(text, false)?),
            Self::Boolean => json!(boolean(text)?),
            Self::Day => json!(day(text)?),
            Self::PartialDate => json!(partial_date(text)?),
            Self::Time => {
                json!(if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() })
            }
            Self::Codes(codes) => json!(code(text, codes)),
            Self::Country => match country::code(text) {
                Some(code) => json!(code),
                None => return not("unknown_country", "No country has this code or this name."),
            },
            Self::Language => json!(words::language(text).unwrap_or(text)),
            Self::Currency => json!(text.to_ascii_uppercase()),
            Self::Whatever => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        })
    }

    /// The values of a list in a cell. Between codes, countries and languages people write commas as
    /// well: where each part is one of them, they are read so.
    pub(super) fn values(&self, text: &str, between: char) -> Vec<String> {
        let told = values(text, between);
        if told.len() > 1 || !text.contains(',') || self.knows(text) {
            return told;
        }
        let parts = values(text, ',');
        if parts.iter().all(|part| self.knows(part)) { parts } else { told }
    }

    /// Whether it is one of the words that the field has.
    fn knows(&self, text: &str) -> bool {
        match self {
            Self::Codes(codes) => codes.contains(&code(text, codes)),
            Self::Country => country::code(text).is_some(),
            Self::Language => {
                words::language(text).is_some() || text.parse::<LanguageTag>().is_ok()
            }
            Self::Currency => text.to_ascii_uppercase().parse::<CurrencyCode>().is_ok(),
            _ => false,
        }
    }
}

/// A code, whatever its case, and with spaces or hyphens for its underscores.
fn code(text: &str, codes: &[String]) -> String {
    let plain = words::plain(text);
    let known = codes.iter().find(|code| words::plain(code) == plain);
    known.map_or_else(|| text.to_owned(), Clone::clone)
}

fn boolean(text: &str) -> Told<bool> {
    let word = text.to_lowercase();
    match (YES.contains(&&*word), NO.contains(&&*word)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => not("not_a_boolean", "It is to be yes or no: true, false, да, нет, иә, жоқ, 1 or 0."),
    }
}

fn integer(text: &str) -> Told<Value> {
    let number = decimal(text, false)?;
    let (whole, rest) = number.split_once('.').unwrap_or((&number, ""));
    let whole = whole.parse::<i64>().ok().filter(|_| rest.bytes().all(|digit| digit == b'0'));
    whole.map_or_else(
        || not("not_a_whole_number", "It is to be a whole number."),
        |it| Ok(json!(it)),
    )
}

/// A number with a decimal point, from one with a decimal comma, or with thousands set apart.
fn decimal(text: &str, small: bool) -> Told<String> {
    let refused = || not("not_a_number", "It is to be a number, such as 1234.5 or 1 234,5.");
    if text.ends_with('%') {
        return not(
            "percentage",
            "A percentage may be meant as 50 or as 0.5: write the number alone.",
        );
    }
    let text = text.replace('\u{2212}', "-");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", &*text),
    };
    let (points, commas) = (digits.matches('.').count(), digits.matches(',').count());
    let point = match (points, commas) {
        (0, 0) => None,
        (_, 0) if points > 1 => None,
        (0, _) if commas > 1 => None,
        (_, 0) => digits.find('.'),
        (0, _) => digits.find(','),
        _ => digits.rfind(['.', ',']),
    };
    let (whole, part) = match point {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let (0, 1, Some(part), false) = (points, commas, part, small)
        && part.len() == 3
        && whole.len() <= 3
        && whole != "0"
        && is_digits(whole)
    {
        return not(
            "ambiguous_number",
            "The comma may stand before decimals or between thousands: write 1.234 or 1234.",
        );
    }
    let groups: Vec<_> =
        whole.split(|sign| SPACES.contains(&sign) || ".,".contains(sign)).collect();
    let grouped = groups.len() > 1;
    let signs = whole.chars().filter(|sign| !sign.is_ascii_digit()).map(|sign| match sign {
        '.' | ',' => sign,
        _ => ' ',
    });
    let one_sign = signs.collect::<std::collections::BTreeSet<_>>().len() <= 1;
    let threes = groups[1..].iter().all(|group| group.len() == 3) && groups[0].len() <= 3;
    let fits = groups.iter().all(|group| is_digits(group)) && part.is_none_or(is_digits);
    if !fits || (grouped && !(threes && one_sign)) {
        return refused();
    }
    let whole = groups.concat();
    Ok(part.map_or_else(|| format!("{sign}{whole}"), |part| format!("{sign}{whole}.{part}")))
}

fn day(text: &str) -> Told<String> {
    match text.parse::<FullDate>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => by_points(text).unwrap_or_else(|| {
            not("invalid_date", "It is no day: write 2021-11-05 or 05.11.2021.")
        }),
    }
}

fn partial_date(text: &str) -> Told<String> {
    if text.parse::<PartialDate>().is_ok() {
        return Ok(text.to_owned());
    }
    let month = text.split_once('.').and_then(|(month, year)| {
        let month: u32 = month.parse().ok()?;
        let whole = format!("{year}-{month:02}");
        (year.len() == 4 && whole.parse::<PartialDate>().is_ok()).then_some(whole)
    });
    month.map(Ok).or_else(|| by_points(text)).unwrap_or_else(|| {
        not(
            "invalid_date",
            "It is no date: write a day as 2021-11-05 or 05.11.2021, a month as 2021-11, a year as 2021.",
        )
    })
}

/// A day as `05.11.2021`, or why another way of writing it is not taken.
fn by_points(text: &str) -> Option<Told<String>> {
    let parts: Vec<_> = text.split(['.', '/']).collect();
    let [day, month, year] = parts[..] else { return None };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    let (day, month, whole): (u32, u32, i32) =
        (number(day)?, number(month)?, i32::try_from(number(year)?).ok()?);
    if text.contains('/') {
        let detail =
            "With slashes, the month may come first or second: write 2021-11-05 or 05.11.2021.";
        return Some(not("ambiguous_date", detail));
    }
    if year.len() == 2 {
        let detail = "A year of two digits may be in any century: write 2021-11-05 or 05.11.2021.";
        return Some(not("ambiguous_date", detail));
    }
    let date = NaiveDate::from_ymd_opt(whole, month, day).filter(|_| year.len() == 4);
    Some(date.map_or_else(
        || not("invalid_date", "There is no such day: write 2021-11-05 or 05.11.2021."),
        |date| Ok(date.to_string()),
    ))
}

/// The values of a list, of which each may have the sign between them after a backslash.
pub(super) fn values(text: &str, between: char) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = (letter == ESCAPE)
            .then(|| letters.next_if(|next| *next == between || *next == ESCAPE))
            .flatten();
        match (escaped, values.last_mut()) {
            (None, _) if letter == between => values.push(String::new()),
            (kept, Some(value)) => value.push(kept.unwrap_or(letter)),
            (_, None) => {}
        }
    }
    values.into_iter().map(|value| value.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of<T>(told: Told<T>) -> Option<&'static str> {
        told.err().map(|reason| reason.code)
    }

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for (text, number) in [
            ("70", "70"),
            ("-5", "-5"),
            ("\u{2212}5,25", "-5.25"),
            ("0,125", "0.125"),
            ("1.000", "1.000"),
            ("1234,567", "1234.567"),
            ("1 234,567", "1234.567"),
            ("250\u{a0}000\u{a0}000", "250000000"),
            ("1\u{202f}234.5", "1234.5"),
            ("1.234.567,8", "1234567.8"),
            ("1,234,567.8", "1234567.8"),
            ("1,234.5", "1234.5"),
            ("1,000,000", "1000000"),
        ] {
            assert_eq!(decimal(text, false), Ok(number.to_owned()), "{text}");
        }
        assert_eq!(decimal("51,128", true), Ok("51.128".to_owned()));
        for text in ["", "-", "x", "12 34", "1 2345", "1,2.3,4", "1.2.3", "1e5", "5,", ",5"] {
            assert_eq!(code_of(decimal(text, false)), Some("not_a_number"), "{text}");
        }
        assert_eq!(code_of(decimal("1,234", false)), Some("ambiguous_number"));
        assert_eq!(code_of(decimal("5 %", false)), Some("percentage"));
        assert_eq!(integer("1 200,00"), Ok(json!(1200)));
        assert_eq!(code_of(integer("1,5")), Some("not_a_whole_number"));
    }

    #[test]
    fn a_date_is_read_where_it_means_one_day() {
        for (text, date) in [
            ("2021-11-05", "2021-11-05"),
            ("05.11.2021", "2021-11-05"),
            ("5.1.2021", "2021-01-05"),
            ("29.02.2024", "2024-02-29"),
            ("2021-11", "2021-11"),
            ("11.2021", "2021-11"),
            ("2021", "2021"),
            ("XXXX-11-05", "XXXX-11-05"),
        ] {
            assert_eq!(partial_date(text), Ok(date.to_owned()), "{text}");
        }
        for (text, code) in [
            ("05.11.21", "ambiguous_date"),
            ("05/11/2021", "ambiguous_date"),
            ("25/11/2021", "ambiguous_date"),
            ("31.02.2021", "invalid_date"),
            ("2021-02-31", "invalid_date"),
            ("5 ноября 2021", "invalid_date"),
            ("44505", "invalid_date"),
            ("2021-11-05T10:00", "invalid_date"),
            ("13.2021", "invalid_date"),
        ] {
            assert_eq!(code_of(partial_date(text)), Some(code), "{text}");
        }
        assert_eq!(code_of(day("2021-11")), Some("invalid_date"));
        assert_eq!(day("5.11.2021"), Ok("2021-11-05".to_owned()));
    }

    #[test]
    fn a_yes_a_code_and_a_list_are_read() {
        assert_eq!(boolean("Да"), Ok(true));
        assert_eq!(boolean("ЖОҚ"), Ok(false));
        assert_eq!(code_of(boolean("maybe")), Some("not_a_boolean"));
        let codes = ["in_force".to_owned()];
        assert_eq!(code("In force", &codes), "in_force");
        assert_eq!(code("over", &codes), "over");
        assert_eq!(values("a; b\\; c;; d\\\\; e\\n", ';'), ["a", "b; c", "", "d\\", "e\\n"]);
    }
}
