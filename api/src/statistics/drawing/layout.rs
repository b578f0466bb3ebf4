//! Where the figures of a chart stand: by what is on its axis, and by what the others tell apart.
use std::collections::{HashMap, HashSet};

use domain::{Dimension, Measure, Qualifier, Subject, in_words};
use persistence::{Figure as Row, Figures};

use super::{MOST_CATEGORIES, MOST_SERIES, has_unit, time, words::Words};
use crate::{
    Problem,
    chart::{Figure, Kind, Series},
    statistics::{
        Asked,
        answer::{decimal, qualifier},
        asked::fitting,
    },
};

/// What a group is, by one dimension.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Told(String),
    /// That is not known.
    Unknown,
    /// People of several groups are told together.
    Together,
}

/// The figures in their places.
pub(super) struct Layout<'a> {
    asked: &'a Asked,
    kind: Kind,
    measure: Measure,
    words: &'a Words<'a>,
    /// By what the figures are told apart, that on the axis first.
    split: Vec<Dimension>,
    found: HashMap<Vec<Value>, Figure>,
}

/// What a chart holds.
pub(super) struct Laid {
    pub(super) categories: Vec<String>,
    pub(super) series: Vec<Series>,
    /// Whether the last category is of no known time.
    pub(super) undated: bool,
}

impl<'a> Layout<'a> {
    pub(super) fn of(
        asked: &'a Asked,
        kind: Kind,
        measure: Measure,
        figures: &Figures,
        words: &'a Words<'a>,
    ) -> Self {
        let columns = figures.columns.iter().copied().enumerate();
        let columns: Vec<_> = columns.filter(|(_, dimension)| !has_unit(*dimension)).collect();
        let value = |row: &Row, (at, dimension): &(usize, Dimension)| match &row.groups[*at] {
            Some(value) => Value::Told(value.clone()),
            None if row.withheld && dimension.is_personal() => Value::Together,
            None => Value::Unknown,
        };
        let key = |row: &Row| columns.iter().map(|column| value(row, column)).collect();
        let places = places(asked, measure);
        let found = figures.rows.iter().map(|row| (key(row), figure(measure, row, places)));
        let found = found.collect();
        let split = columns.iter().map(|(_, dimension)| *dimension).collect();
        Self { asked, kind, measure, words, split, found }
    }

    /// The figures in their places, if a chart has as many.
    pub(super) fn laid_out(&self) -> Result<Laid, Problem> {
        let axis = self.split.len().min(1);
        let each = |part: fn(&[Value], usize) -> &[Value]| {
            let parts: HashSet<_> = self.found.keys().map(|key| part(key, axis)).collect();
            parts.into_iter().map(<[Value]>::to_vec).collect::<Vec<_>>()
        };
        let mut categories = each(|key, axis| &key[..axis]);
        let mut series = each(|key, axis| &key[axis..]);
        fit(&categories, &series)?;
        categories.sort_by_cached_key(|key| self.order(key, 0));
        series.sort_by_cached_key(|key| self.order(key, axis));
        if self.kind == Kind::Line {
            with_all_times(&mut categories);
            fit(&categories, &series)?;
        }
        let undated = self.kind == Kind::Line && categories.last() == Some(&vec![Value::Unknown]);
        let of_series = |rest: &Vec<Value>| Series {
            name: self.name(rest, axis),
            figures: categories.iter().map(|first| self.at(&[&first[..], rest].concat())).collect(),
        };
        let name = |key: &Vec<Value>| match key.is_empty() {
            true => self.words.text(&in_words(self.asked.subject.name())),
            false => self.name(key, 0),
        };
        Ok(Laid {
            series: series.iter().map(of_series).collect(),
            categories: categories.iter().map(name).collect(),
            undated,
        })
    }

    /// Where a group stands among the others: what is not known comes last, codes stand as the
    /// contract lists them, and everything else by what it is called.
    fn order(&self, key: &[Value], from: usize) -> Vec<(u8, usize, String, String)> {
        let place = |(value, dimension): (&Value, &Dimension)| match value {
            Value::Told(told) => {
                let name = self.words.value(*dimension, value).to_lowercase();
                let name = name.trim_start_matches(|letter: char| !letter.is_alphanumeric());
                (0, listed(*dimension, self.asked.subject, told), name.to_owned(), told.clone())
            }
            Value::Unknown => (1, 0, String::new(), String::new()),
            Value::Together => (2, 0, String::new(), String::new()),
        };
        key.iter().zip(&self.split[from..]).map(place).collect()
    }

    fn name(&self, key: &[Value], from: usize) -> String {
        let parts = key.iter().zip(&self.split[from..]);
        let mut parts: Vec<_> =
            parts.map(|(value, dimension)| self.words.value(*dimension, value)).collect();
        parts.dedup();
        parts.join(", ")
    }

    fn at(&self, key: &[Value]) -> Figure {
        self.found.get(key).copied().unwrap_or_else(|| self.of_none(key))
    }

    /// What is to be said of a group of which no row tells.
    fn of_none(&self, key: &[Value]) -> Figure {
        let axis = self.split.len().min(1);
        let people = self.asked.subject == Subject::Participants;
        let personal = |dimension: &Dimension| people && dimension.is_personal();
        if self.split.iter().any(personal) {
            let together = |(value, dimension): (&Value, &Dimension)| match personal(dimension) {
                true => Value::Together,
                false => value.clone(),
            };
            let pool: Vec<_> = key.iter().zip(&self.split).map(together).collect();
            // Narrowed to some people, nobody tells whether there are none or only few.
            let narrowed = self.asked.filters.iter().any(|(dimension, _)| personal(dimension));
            if narrowed || pool == key {
                return Figure::Nothing;
            }
            if self.found.contains_key(&pool) {
                let stacked = self.kind == Kind::Stacked && pool[..axis] == key[..axis];
                return if stacked { Figure::Nothing } else { Figure::Withheld };
            }
        }
        match self.measure {
            Measure::Count | Measure::Distinct if !self.is_left_out(key) => Figure::Known(0.0),
            _ => Figure::Nothing,
        }
    }

    /// Whether the figures are narrowed to other times, so that they tell nothing of this one.
    fn is_left_out(&self, key: &[Value]) -> bool {
        let (Some(Value::Told(time)), Some(true)) =
            (key.first(), self.split.first().map(|first| time::is_time(*first)))
        else {
            return false;
        };
        let mut filters = self.asked.filters.iter().filter(|(of, _)| time::is_time(*of));
        filters.any(|(_, values)| !values.iter().any(|value| time::meet(value, time)))
    }
}

fn fit(categories: &[Vec<Value>], series: &[Vec<Value>]) -> Result<(), Problem> {
    match categories.len() > MOST_CATEGORIES || series.len() > MOST_SERIES {
        true => Err(Problem::too_large_chart(MOST_CATEGORIES, MOST_SERIES)),
        false => Ok(()),
    }
}

/// The times with all that lie between them, for on a line their distance is seen.
fn with_all_times(categories: &mut Vec<Vec<Value>>) {
    let told = |key: &Vec<Value>| match &key[..] {
        [Value::Told(time)] => Some(time.clone()),
        _ => None,
    };
    let dated: Vec<_> = categories.iter().filter_map(told).collect();
    if let [first, .., last] = &dated[..] {
        let all = time::through(first, last).into_iter().map(|time| vec![Value::Told(time)]);
        categories.splice(..dated.len(), all);
    }
}

/// The place of a code in the list that the contract has; the same for whatever is no such code.
fn listed(dimension: Dimension, subject: Subject, value: &str) -> usize {
    if matches!(dimension, Dimension::Country | Dimension::Region) {
        return 0;
    }
    let codes = fitting(dimension, subject);
    let mut codes = codes["enum"].as_array().into_iter().flatten();
    codes.position(|code| code == value).unwrap_or_default()
}

/// To how many places figures are rounded that are no plain numbers of records or sums of theirs.
fn places(asked: &Asked, measure: Measure) -> Option<u32> {
    let money = asked.subject == Subject::Finance;
    match measure {
        Measure::Average => Some(if money { 2 } else { 1 }),
        Measure::Sum => asked.converted_to.is_some().then_some(2),
        Measure::Count | Measure::Distinct => None,
    }
}

fn figure(measure: Measure, row: &Row, places: Option<u32>) -> Figure {
    let qualifier = qualifier(measure, row);
    let whole =
        |number: Option<i64>| number.and_then(|number| number.to_string().parse::<f64>().ok());
    let micros = |number: Option<i128>| {
        let number = number?;
        let shown = places.map_or(number, |places| rounded(number, places, qualifier));
        decimal(shown).parse::<f64>().ok()
    };
    let value = match measure {
        Measure::Count => whole(row.count),
        Measure::Distinct => whole(row.different),
        Measure::Sum => micros(row.micros),
        Measure::Average => micros(row.average()),
    };
    let Some(value) = value else {
        return if row.withheld { Figure::Withheld } else { Figure::Unknown };
    };
    match qualifier {
        Some(Qualifier::AtLeast) => Figure::AtLeast(value),
        Some(Qualifier::MoreThan) => Figure::MoreThan(value),
        Some(Qualifier::About) => Figure::About(value),
        Some(Qualifier::LessThan) => Figure::LessThan(value),
        Some(Qualifier::AtMost) => Figure::AtMost(value),
        Some(Qualifier::Exact) | None => Figure::Known(value),
    }
}

/// Millionths, rounded to that many places, or to as many more as it takes to be no whole number
/// that they are not; a bound stays one.
fn rounded(micros: i128, places: u32, qualifier: Option<Qualifier>) -> i128 {
    const WHOLE: i128 = 1_000_000;
    // Two places are read at a glance.
    if micros % 10_000 == 0 {
        return micros;
    }
    let to = |places: u32| {
        let unit = 10_i128.pow(6 - places);
        let below = micros.div_euclid(unit) * unit;
        match qualifier {
            Some(Qualifier::AtLeast | Qualifier::MoreThan) => below,
            Some(Qualifier::LessThan | Qualifier::AtMost) => below + unit,
            _ if (micros - below) * 2 >= unit => below + unit,
            _ => below,
        }
    };
    (places..6).map(to).find(|rounded| rounded % WHOLE != 0).unwrap_or(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_number_is_no_whole_one_and_a_bound_stays_true() {
        let exact = |micros| rounded(micros, 1, Some(Qualifier::Exact));
        for (micros, expected) in [
            (77_380_952, 77_400_000),
            (57_142_857, 57_100_000),
            (-57_142_857, -57_100_000),
            (62_500_000, 62_500_000),
            (81_250_000, 81_250_000),
            (99_961_000, 99_960_000),
            (41_667, 40_000),
            (2, 2),
            (3_000_000, 3_000_000),
        ] {
            assert_eq!(exact(micros), expected, "{micros}");
        }
        let bound = |qualifier| rounded(69_871_234, 1, Some(qualifier));
        assert_eq!(bound(Qualifier::MoreThan), 69_800_000);
        assert_eq!(bound(Qualifier::AtMost), 69_900_000);
        assert_eq!(rounded(1_333_333_333, 2, None), 1_333_330_000);
    }
}
