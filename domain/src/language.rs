use std::borrow::Cow;

use regex::Regex;

use crate::{Checked, Kind, value::compiled};

/// A language by its BCP 47 tag, in whatever case, to look for; one that nothing is in finds nothing.
pub type SoughtLanguage = Checked<SoughtLanguageKind>;
/// The rule of [`SoughtLanguage`].
pub enum SoughtLanguageKind {}

impl Kind for SoughtLanguageKind {
    fn name() -> Cow<'static, str> {
        "SoughtLanguage".into()
    }
    fn about() -> Cow<'static, str> {
        "A language by its BCP 47 tag, in whatever case, to look for; one that nothing is in finds \
            nothing."
            .into()
    }
    const EXAMPLE: &'static str = "ru";
    const NONE: &'static str = "no language tag of BCP 47, such as ru";
    const PATTERN: &'static str = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$";
    fn pattern() -> &'static Regex {
        compiled!("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    }
    const MAX: usize = 35;

    /// As RFC 5646 has it in 2.1.1: regions in upper case, scripts as names, all else in lower case.
    fn canonical(text: &str) -> String {
        let parts = text.split('-').enumerate().map(|(place, part)| match (place, part.len()) {
            (1.., 2) => part.to_ascii_uppercase(),
            (1.., 4) => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
            _ => part.to_ascii_lowercase(),
        });
        parts.collect::<Vec<_>>().join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::SoughtLanguage;

    #[test]
    fn a_tag_is_the_same_in_whatever_case_it_is_written() {
        for (written, canonical) in [
            ("EN", "en"),
            ("pt-br", "pt-BR"),
            ("ZH-hANT-tw", "zh-Hant-TW"),
            ("de-CH-1996", "de-CH-1996"),
            ("SL-Rozaj", "sl-rozaj"),
            ("es-419", "es-419"),
        ] {
            assert_eq!(written.parse::<SoughtLanguage>().unwrap().as_str(), canonical);
        }
        assert!("e".parse::<SoughtLanguage>().is_err());
    }
}
