//! Years, quarters and months.
use std::ops::RangeInclusive;

use domain::Dimension;

pub(super) fn is_time(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Year | Dimension::Quarter | Dimension::Month)
}

/// The months of a year, a quarter or a month, counted from the beginning of the calendar.
fn months(time: &str) -> Option<RangeInclusive<u32>> {
    let year = time.get(..4)?.parse::<u32>().ok()? * 12;
    let part = |text: &str| text.parse::<u32>().ok()?.checked_sub(1);
    Some(match time.get(5..) {
        None => year..=year + 11,
        Some(rest) => match rest.strip_prefix('Q') {
            Some(quarter) => {
                let first = year + part(quarter)? * 3;
                first..=first + 2
            }
            None => {
                let month = year + part(rest)?;
                month..=month
            }
        },
    })
}

/// Whether two times have a month in common.
pub(super) fn meet(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (months(one), months(other)) else { return false };
    one.start() <= other.end() && other.start() <= one.end()
}

/// Every time from one to another of the same length.
pub(super) fn through(first: &str, last: &str) -> Vec<String> {
    let (Some(first), Some(last)) = (months(first), months(last)) else { return Vec::new() };
    let long = first.end() - first.start() + 1;
    let name = |month: u32| {
        let (year, month) = (month / 12, month % 12);
        match long {
            12 => format!("{year:04}"),
            3 => format!("{year:04}-Q{}", month / 3 + 1),
            _ => format!("{year:04}-{:02}", month + 1),
        }
    };
    (*first.start()..=*last.start()).step_by(long as usize).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_between_two_is_named_as_they_are() {
        assert_eq!(through("2021", "2024"), ["2021", "2022", "2023", "2024"]);
        assert_eq!(through("2021-Q3", "2022-Q1"), ["2021-Q3", "2021-Q4", "2022-Q1"]);
        assert_eq!(through("2021-11", "2022-02"), ["2021-11", "2021-12", "2022-01", "2022-02"]);
        assert_eq!(through("2021", "2021"), ["2021"]);
    }

    #[test]
    fn times_meet_where_one_is_part_of_the_other() {
        for (one, other) in [("2021", "2021-Q4"), ("2021-Q4", "2021-12"), ("2021-03", "2021")] {
            assert!(meet(one, other) && meet(other, one), "{one} {other}");
        }
        for (one, other) in [("2021", "2022"), ("2021-Q4", "2021-09"), ("2021-12", "2022")] {
            assert!(!meet(one, other) && !meet(other, one), "{one} {other}");
        }
    }
}
