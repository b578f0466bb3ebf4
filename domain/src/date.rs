use chrono::{Days, Months, NaiveDate};
use validator::ValidationError;

use crate::{Checked, Kind, shape::broken_at, value::kind};

kind!(/// A date of which the day, the month or the year may be unknown, after EDTF: 2021-11-04, 2021-11, 2021 or XXXX-11-04.
PartialDate, PartialDateKind, "2021-11-04",
"^(?:[12][0-9]{3}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?|XXXX-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))$",
    "no date, such as 2021-11-04, 2021-11, 2021 or XXXX-11-04",
max 10, format "edtf" |text| match text.strip_prefix("XXXX") {
    // A leap year, so that 29 February may be known without its year.
    Some(day) => format!("2000{day}").parse::<NaiveDate>().is_ok(),
    None => span(text).is_some(),
});

kind!(/// A day of the calendar, after ISO 8601.
    FullDate, FullDateKind, "2021-08-24",
    "^[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$",
    "no day of the calendar, such as 2021-08-24", max 10,
    format "iso-date" |text| text.parse::<NaiveDate>().is_ok());

impl FullDate {
    /// The day.
    #[must_use]
    pub fn day(&self) -> NaiveDate {
        self.as_str().parse().unwrap_or_default()
    }
}

kind!(/// A year of the calendar.
    Year, YearKind, "2021", "^[12][0-9]{3}$", "no year, such as 2021", max 4);

impl Year {
    /// Its first day.
    #[must_use]
    pub fn first_day(&self) -> NaiveDate {
        span(self.as_str()).map(|(first, _)| first).unwrap_or_default()
    }

    /// The day after its last.
    #[must_use]
    pub fn day_after(&self) -> NaiveDate {
        let first = self.first_day();
        first.checked_add_months(Months::new(12)).unwrap_or(first)
    }
}

/// The first and the last day that a date may mean.
fn span(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let first: NaiveDate = match text.len() {
        4 => format!("{text}-01-01").parse().ok()?,
        7 => format!("{text}-01").parse().ok()?,
        _ => text.parse().ok()?,
    };
    let after = match text.len() {
        4 => first.checked_add_months(Months::new(12))?,
        7 => first.checked_add_months(Months::new(1))?,
        _ => first.succ_opt()?,
    };
    Some((first, after.pred_opt()?))
}

impl PartialDate {
    /// The first day it may mean, where the year is known.
    #[must_use]
    pub fn first_day(&self) -> Option<NaiveDate> {
        span(self.as_str()).map(|(first, _)| first)
    }

    /// The day, where it is known to the day.
    #[must_use]
    pub fn day(&self) -> Option<NaiveDate> {
        self.first_day().filter(|first| self.last_day() == Some(*first))
    }

    /// The year, where it is known, as in 2021.
    #[must_use]
    pub fn year(&self) -> Option<String> {
        self.first_day().map(|first| first.format("%Y").to_string())
    }

    /// The quarter, where it is known, as in 2021-Q4.
    #[must_use]
    pub fn quarter(&self) -> Option<String> {
        let month = self.month()?;
        let number: u8 = month.get(5..)?.parse().ok()?;
        Some(format!("{}-Q{}", month.get(..4)?, number.div_ceil(3)))
    }

    /// The month, where it is known, as in 2021-11.
    #[must_use]
    pub fn month(&self) -> Option<String> {
        self.first_day().and(self.as_str().get(..7)).map(str::to_owned)
    }

    /// The last day it may mean, where the year is known.
    #[must_use]
    pub fn last_day(&self) -> Option<NaiveDate> {
        span(self.as_str()).map(|(_, last)| last)
    }
}

/// How many days something takes that begins and ends on those dates, where both are known to the day.
#[must_use]
pub fn days(start: Option<&PartialDate>, end: Option<&PartialDate>) -> Option<i64> {
    Some((end?.day()? - start?.day()?).num_days() + 1)
}

/// The day of that number of what begins and ends on those dates, the first being 1: where the first
/// is known to the day, and none that would surely lie after the end.
#[must_use]
pub fn day_of(
    start: Option<&PartialDate>,
    end: Option<&PartialDate>,
    number: i64,
) -> Option<NaiveDate> {
    let passed = Days::new(u64::try_from(number - 1).ok()?);
    let day = start?.day()?.checked_add_days(passed)?;
    let last = end.and_then(PartialDate::last_day);
    Some(day).filter(|day| last.is_none_or(|last| *day <= last))
}

/// Refuses an end that is surely before its start.
pub fn in_order(
    start: Option<&PartialDate>,
    end: Option<&PartialDate>,
    pointer: &'static str,
) -> Result<(), ValidationError> {
    let first = start.and_then(PartialDate::first_day);
    let last = end.and_then(PartialDate::last_day);
    match (first, last) {
        (Some(first), Some(last)) if last < first => Err(ends_too_early(pointer)),
        _ => Ok(()),
    }
}

/// That something ends before it starts, which is told where it ends.
pub(crate) fn ends_too_early(pointer: &'static str) -> ValidationError {
    broken_at(pointer, "ends_before_it_starts", "It ends before it starts.")
}
