use std::{borrow::Cow, cell::RefCell, collections::BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type, schema::AdditionalProperties},
};

use crate::{Kind, LanguageTag, ProseKind, SoughtLanguage, value::kept};

/// A text in one language or more, by BCP 47 tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Map<String, Value>);

/// The languages that a reader prefers, and those that were found for them.
struct Reader {
    preferred: Vec<SoughtLanguage>,
    found: BTreeSet<String>,
}

thread_local! {
    /// Who a thread is writing an answer for; it does not outlive the writing of one answer.
    static READER: RefCell<Option<Reader>> = const { RefCell::new(None) };
}

/// Writes something of which each text keeps one language: the first of those that it has, by
/// itself, by a parent tag or by another tag of that language, else English, else any. Says which
/// languages that came to.
pub fn in_languages<T>(preferred: &[SoughtLanguage], write: impl FnOnce() -> T) -> (T, String) {
    /// Nothing that is written later may lose its other languages, whatever happens.
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            READER.set(None);
        }
    }
    let _reset = Reset;
    let reader = Reader { preferred: preferred.to_vec(), found: BTreeSet::new() };
    READER.set(Some(reader));
    let written = write();
    let found = READER.take().map(|reader| reader.found).unwrap_or_default();
    (written, found.into_iter().collect::<Vec<_>>().join(", "))
}

/// Whether each text that is written keeps all its languages.
#[must_use]
pub fn in_all_languages() -> bool {
    READER.with_borrow(Option::is_none)
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let chosen = READER.with_borrow_mut(|reader| {
            let reader = reader.as_mut()?;
            let language = self.preferred(&reader.preferred)?.to_owned();
            reader.found.insert(language.clone());
            Some(language)
        });
        match chosen {
            None => self.0.serialize(to),
            Some(language) => to.collect_map([(&language, &self.0[&language])]),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut texts = Map::deserialize(from)?;
        for text in texts.values_mut() {
            if let Some(kept) = text.as_str().map(kept).filter(|kept| *text != **kept) {
                *text = kept.into();
            }
        }
        Ok(Self(texts))
    }
}

impl Text {
    /// A text of those languages.
    #[must_use]
    pub fn of(entries: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(entries.into_iter().map(|(language, text)| (language, text.into())).collect())
    }

    /// Each language, with the text in it.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(language, text)| (language.as_str(), text.as_str().unwrap_or_default()))
    }

    /// The first of those languages that it has, else English, else any.
    fn preferred(&self, languages: &[SoughtLanguage]) -> Option<&str> {
        let asked = languages.iter().map(SoughtLanguage::as_str).chain([ENGLISH]);
        asked.filter_map(|wanted| self.closest(wanted)).chain(self.languages()).next()
    }

    /// The language itself, or else of a wider region; or else of another region or script.
    fn closest(&self, wanted: &str) -> Option<&str> {
        let same = |tag| self.languages().find(|language| *language == tag);
        let primary = primary(wanted);
        let other = || self.languages().find(|language| self::primary(language) == primary);
        with_parents(wanted).find_map(same).or_else(other)
    }

    fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The text in English, or in the first language there is.
    #[must_use]
    pub fn best(&self) -> &str {
        let best = self.best_language();
        best.and_then(|language| self.0[language].as_str()).unwrap_or_default()
    }

    /// English, or the first language there is.
    #[must_use]
    pub fn best_language(&self) -> Option<&str> {
        self.preferred(&[])
    }
}

/// What is read by most who do not read what they prefer.
const ENGLISH: &str = "en";

/// The language that a tag names, whatever region or script it adds.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// A language tag, and what is left of it when its last part is taken away, again and again.
fn with_parents(tag: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(tag), |tag| tag.rsplit_once('-').map(|(parent, _)| parent))
}

impl PartialSchema for Text {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(language) = LanguageTag::schema() else { unreachable!("a plain schema") };
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(ProseKind::PATTERN))
            .max_length(Some(ProseKind::MAX));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(
                "A text in one language or more, by BCP 47 tag; white space at the ends of each is not kept.",
            ))
            .property_names(Some(language))
            .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(text.into()))))
            .min_properties(Some(1))
            .examples([json!({"en": "Digitalisation of public services"})])
            .into()
    }
}

impl ToSchema for Text {
    fn name() -> Cow<'static, str> {
        "Text".into()
    }
    fn schemas(_: &mut Vec<(String, RefOr<Schema>)>) {}
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn a_language_is_found_under_any_of_its_tags() {
        let text = |tags: &[&str]| {
            Text::of(tags.iter().map(|tag| ((*tag).to_owned(), format!("in {tag}"))))
        };
        let regional = text(&["pt-BR", "zh-Hant", "en-GB", "sr-Latn"]);
        for (asked, found) in [
            ("en", "en-GB"),
            ("en-US", "en-GB"),
            ("fr", "en-GB"),
            ("zh", "zh-Hant"),
            ("zh-TW", "zh-Hant"),
            ("fr,sr-Cyrl,pt", "sr-Latn"),
            ("PT-br", "pt-BR"),
        ] {
            let asked: Vec<_> = asked.split(',').map(|tag| tag.parse().unwrap()).collect();
            assert_eq!(regional.preferred(&asked), Some(found), "{asked:?}");
        }
        let both = text(&["pt-BR", "pt", "zh-Hans", "zh-Hant"]);
        for (asked, found) in [("pt-PT", "pt"), ("zh-Hant-TW", "zh-Hant"), ("zh-TW", "zh-Hans")] {
            assert_eq!(both.preferred(&[asked.parse().unwrap()]), Some(found), "{asked}");
        }
        assert_eq!(regional.best(), "in en-GB");
        assert_eq!(text(&["ru", "en-GB", "en"]).best(), "in en");
        assert_eq!(text(&["ru", "kk"]).best(), text(&["ru", "kk"]).entries().next().unwrap().1);
    }
}
