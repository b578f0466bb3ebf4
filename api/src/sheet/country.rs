//! Countries, as people write them.
use std::{collections::HashMap, sync::LazyLock};

use domain::Country;

use super::words::plain;

/// The languages that a country's name is looked for in.
const LANGUAGES: [&str; 3] = ["en", "ru", "kk"];

/// Names that are in use beside those of the Unicode CLDR.
const ALIASES: &[(&str, &[&str])] = &[
    ("AE", &["UAE", "Объединенные Арабские Эмираты", "БАӘ"]),
    ("AZ", &["Азербайджанская Республика", "Republic of Azerbaijan"]),
    ("BY", &["Белоруссия"]),
    ("CN", &["PRC", "КНР"]),
    ("CZ", &["Czech Republic", "Чешская Республика"]),
    ("EE", &["Эстонская Республика", "Republic of Estonia"]),
    ("GB", &["UK", "Great Britain", "Соединенное Королевство"]),
    ("GE", &["Republic of Georgia"]),
    ("KG", &["Kyrgyz Republic", "Кыргызстан", "Кыргызская Республика", "Қырғыз Республикасы"]),
    ("KR", &["Korea", "Republic of Korea", "ROK", "Корея", "Южная Корея", "Корея Республикасы"]),
    (
        "KZ",
        &["Republic of Kazakhstan", "Республика Казахстан", "РК", "Қазақстан Республикасы", "ҚР"],
    ),
    ("MD", &["Молдова", "Republic of Moldova"]),
    ("RU", &["Russian Federation", "Российская Федерация", "РФ"]),
    ("TJ", &["Republic of Tajikistan", "Республика Таджикистан"]),
    ("TM", &["Туркмения"]),
    ("TR", &["Turkey", "Turkiye"]),
    ("US", &["USA", "США", "United States of America", "Соединенные Штаты Америки", "АҚШ"]),
    ("UZ", &["Republic of Uzbekistan", "Республика Узбекистан"]),
];

static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    for country in Country::all() {
        let names = country.names.entries().filter(|(language, _)| LANGUAGES.contains(language));
        let names = names.map(|(_, name)| name).chain([&*country.code, &*country.alpha3]);
        codes.extend(names.map(|name| (plain(name), country.code.as_str())));
    }
    for (code, names) in ALIASES {
        codes.extend(names.iter().map(|name| (plain(name), *code)));
    }
    codes
});

/// The alpha-2 code of a country that is given by a code or by a name.
pub(super) fn code(written: &str) -> Option<&'static str> {
    CODES.get(&plain(written)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_two_countries() {
        for country in Country::all() {
            let names = country.names.entries().filter(|(tag, _)| LANGUAGES.contains(tag));
            for name in names.map(|(_, name)| name).chain([&*country.code, &*country.alpha3]) {
                assert_eq!(code(name), Some(&*country.code), "{name}");
            }
        }
        for (of, names) in ALIASES {
            assert!(Country::find(of).is_some(), "{of}");
            for name in *names {
                assert_eq!(code(name), Some(*of), "{name}");
            }
        }
    }

    #[test]
    fn a_country_is_known_by_any_of_its_names() {
        for name in ["KZ", "kz", "KAZ", "Kazakhstan", " казахстан ", "Қазақстан"]
        {
            assert_eq!(code(name), Some("KZ"), "{name}");
        }
        assert_eq!(code("Atlantis"), None);
    }
}
