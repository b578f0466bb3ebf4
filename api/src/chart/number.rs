//! Numbers as a language writes them, and the ticks of an axis.
use std::str::FromStr;

use icu_decimal::{
    DecimalFormatter, DecimalFormatterPreferences, input::Decimal, options::DecimalFormatterOptions,
};
use icu_locale_core::Locale;

use super::words::primary;

/// Beyond this nothing is told apart on paper.
const FARTHEST: f64 = 1e100;

/// The largest unit first; the last part is written after a number.
type Units = [(f64, &'static str); 3];
const ENGLISH: Units = [(1e12, "\u{a0}tn"), (1e9, "\u{a0}bn"), (1e6, "\u{a0}mn")];
const RUSSIAN: Units = [(1e12, "\u{a0}трлн"), (1e9, "\u{a0}млрд"), (1e6, "\u{a0}млн")];
const KOREAN: Units = [(1e12, "조"), (1e8, "억"), (1e4, "만")];

/// How the numbers of a chart are written.
pub(super) struct Numbers {
    language: String,
    formatter: Option<DecimalFormatter>,
    /// What large numbers are counted in.
    unit: Option<(f64, &'static str)>,
}

impl Numbers {
    /// In that language, short where none of the values loses a digit by it.
    pub(super) fn of(language: &str, values: &[f64]) -> Self {
        let formatter = Locale::from_str(language)
            .ok()
            .and_then(|locale| formatter((&locale).into()))
            .or_else(|| formatter(DecimalFormatterPreferences::default()));
        let language = primary(language);
        let unit = unit(&language, values);
        Self { language, formatter, unit }
    }

    /// The same for other values.
    pub(super) fn also(&self, values: &[f64]) -> Self {
        let unit = unit(&self.language, values);
        Self { language: self.language.clone(), formatter: self.formatter.clone(), unit }
    }

    /// A number with all its digits.
    pub(super) fn whole(&self, value: f64) -> String {
        let value = tidy(value);
        if value != 0.0 && !(1e-6..1e16).contains(&value.abs()) {
            return format!("{value:e}");
        }
        let plain = value.to_string();
        match (&self.formatter, Decimal::from_str(&plain)) {
            (Some(formatter), Ok(decimal)) => formatter.format(&decimal).to_string(),
            _ => plain,
        }
    }

    /// A number in the unit of the chart.
    pub(super) fn short(&self, value: f64) -> String {
        match self.unit {
            Some((size, name)) if value != 0.0 => self.whole(value / size) + name,
            _ => self.whole(value),
        }
    }
}

fn formatter(preferences: DecimalFormatterPreferences) -> Option<DecimalFormatter> {
    DecimalFormatter::try_new(preferences, DecimalFormatterOptions::default()).ok()
}

/// The largest unit that fits the values, if each is written in it with two decimals at most.
fn unit(language: &str, values: &[f64]) -> Option<(f64, &'static str)> {
    let units = match language {
        "en" => ENGLISH,
        "ru" | "kk" => RUSSIAN,
        "ko" => KOREAN,
        _ => return None,
    };
    let largest = values.iter().map(|value| value.abs()).fold(0.0, f64::max);
    if !(1e6..1e16).contains(&largest) {
        return None;
    }
    let exact = |size: f64| {
        values.iter().all(|value| {
            let hundredths = value / size * 100.0;
            (hundredths - hundredths.round()).abs() < 1e-6
        })
    };
    units.into_iter().find(|(size, _)| *size <= largest && exact(*size))
}

/// The number without the dust of binary arithmetic.
pub(super) fn tidy(value: f64) -> f64 {
    let tidy = if value.fract() == 0.0 { value } else { rounded(value) };
    if tidy == 0.0 { 0.0 } else { tidy }
}

fn rounded(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}

/// How many, as a measure.
pub(super) fn measure(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

/// A range of values, with ticks at 1, 2 or 5 times a power of ten.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
}

impl Range {
    /// Around the values and zero, with so many steps at most; in whole steps, where all values are
    /// whole.
    pub(super) fn around(values: &[f64], most: f64) -> Self {
        let within = |value: &f64| value.clamp(-FARTHEST, FARTHEST);
        let all = || values.iter().map(within).chain([0.0]);
        let low = all().fold(f64::INFINITY, f64::min);
        let high = all().fold(f64::NEG_INFINITY, f64::max);
        if values.is_empty() {
            return Self { low: 0.0, high: 1.0, ticks: Vec::new() };
        }
        let whole = values.iter().all(|value| value.fract() == 0.0);
        // Of a single value nothing follows about how large the differences are that matter.
        let span = if high - low > 1e-100 { high - low } else { low.abs().max(1.0) };
        let step = step(span / most, whole);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let last = if last > first { last } else { first + 1.0 };
        let mut ticks = Vec::new();
        let mut at = first;
        while at <= last && ticks.len() < 32 {
            ticks.push(tidy(at * step));
            at += 1.0;
        }
        Self { low: first * step, high: last * step, ticks }
    }

    /// The range without what is beyond the values.
    pub(super) fn trimmed(self, values: &[f64]) -> Self {
        let all = || values.iter().copied().chain([0.0]);
        let low = all().fold(f64::INFINITY, f64::min).max(self.low);
        let high = all().fold(f64::NEG_INFINITY, f64::max).min(self.high);
        if low >= high {
            return self;
        }
        let within = |tick: &f64| (low..=high).contains(tick);
        Self { low, high, ticks: self.ticks.into_iter().filter(within).collect() }
    }
}

fn step(least: f64, whole: bool) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0]
        .into_iter()
        .map(|part| part * power)
        .find(|step| *step >= least * 0.999_999)
        .unwrap_or(10.0 * power);
    let step = rounded(step);
    if whole { step.max(1.0) } else { step }
}
