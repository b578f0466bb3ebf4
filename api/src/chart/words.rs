//! The few words that a chart says of its own, and how figures are told.
use super::{Figure, number::Numbers};

/// The words of a language; `{}` stands for a number.
pub(super) struct Words {
    pub(super) unknown: &'static str,
    pub(super) withheld: &'static str,
    pub(super) empty: &'static str,
    pub(super) total: &'static str,
    at_least: &'static str,
    more_than: &'static str,
    about: &'static str,
    less_than: &'static str,
    at_most: &'static str,
}

const ENGLISH: Words = Words {
    unknown: "not known",
    withheld: "withheld",
    empty: "no data",
    total: "total",
    at_least: "at least {}",
    more_than: "more than {}",
    about: "about {}",
    less_than: "less than {}",
    at_most: "at most {}",
};

const RUSSIAN: Words = Words {
    unknown: "неизвестно",
    withheld: "не раскрывается",
    empty: "нет данных",
    total: "всего",
    at_least: "не менее {}",
    more_than: "более {}",
    about: "около {}",
    less_than: "менее {}",
    at_most: "не более {}",
};

const KOREAN: Words = Words {
    unknown: "미상",
    withheld: "비공개",
    empty: "자료 없음",
    total: "합계",
    at_least: "{} 이상",
    more_than: "{} 초과",
    about: "약 {}",
    less_than: "{} 미만",
    at_most: "{} 이하",
};

// A case ending would follow the vowels of the number, so another word carries it.
const KAZAKH: Words = Words {
    unknown: "белгісіз",
    withheld: "жарияланбайды",
    empty: "деректер жоқ",
    total: "барлығы",
    at_least: "кемінде {}",
    more_than: "{} мәнінен артық",
    about: "шамамен {}",
    less_than: "{} мәнінен кем",
    at_most: "көп дегенде {}",
};

impl Words {
    /// Of a language, or the English ones.
    pub(super) fn of(language: &str) -> &'static Self {
        match primary(language).as_str() {
            "ru" => &RUSSIAN,
            "ko" => &KOREAN,
            "kk" => &KAZAKH,
            _ => &ENGLISH,
        }
    }

    /// A figure in words, with all its digits.
    pub(super) fn phrase(&self, figure: Figure, numbers: &Numbers) -> String {
        let (pattern, value) = match figure {
            Figure::Known(value) => ("{}", value),
            Figure::AtLeast(value) => (self.at_least, value),
            Figure::MoreThan(value) => (self.more_than, value),
            Figure::About(value) => (self.about, value),
            Figure::LessThan(value) => (self.less_than, value),
            Figure::AtMost(value) => (self.at_most, value),
            Figure::Unknown => return self.unknown.to_owned(),
            Figure::Withheld => return self.withheld.to_owned(),
            Figure::Nothing => return String::new(),
        };
        pattern.replace("{}", &numbers.whole(value))
    }

    /// A figure in signs, as it stands beside its mark.
    pub(super) fn label(&self, figure: Figure, numbers: &Numbers) -> String {
        let (sign, value) = match figure {
            Figure::Known(value) => ("", value),
            Figure::AtLeast(value) => ("≥\u{a0}", value),
            Figure::MoreThan(value) => (">\u{a0}", value),
            Figure::About(value) => ("≈\u{a0}", value),
            Figure::LessThan(value) => ("<\u{a0}", value),
            Figure::AtMost(value) => ("≤\u{a0}", value),
            Figure::Unknown => return self.unknown.to_owned(),
            Figure::Withheld => return self.withheld.to_owned(),
            Figure::Nothing => return String::new(),
        };
        sign.to_owned() + &numbers.short(value)
    }
}

/// The first part of a language tag.
pub(super) fn primary(language: &str) -> String {
    language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}
