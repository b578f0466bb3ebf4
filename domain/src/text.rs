use std::{borrow::Cow, cell::RefCell, collections::BTreeSet};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type, schema::AdditionalProperties},
};

use crate::{Kind, LanguageTag, ProseKind, SoughtLanguage};

/// A text in one language or more, by BCP 47 tag.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
/// itself or by its parent tag, else English, else any. Says which languages that came to.
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
            let (language, _) = self.preferred(&reader.preferred)?;
            reader.found.insert(language.clone());
            Some(language)
        });
        match chosen {
            None => self.0.serialize(to),
            Some(language) => to.collect_map([(&language, &self.0[&language])]),
        }
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

    /// The text in the first of those languages that it has, else in English, else in any.
    fn preferred(&self, languages: &[SoughtLanguage]) -> Option<(String, &str)> {
        let asked = languages.iter().map(SoughtLanguage::as_str).flat_map(with_parents);
        let known = asked.chain(["en"]).find_map(|wanted| {
            self.entries().find(|(language, _)| language.eq_ignore_ascii_case(wanted))
        });
        let (language, text) = known.or_else(|| self.entries().next())?;
        Some((language.to_owned(), text))
    }

    /// The text in English, or in the first language there is.
    #[must_use]
    pub fn best(&self) -> &str {
        self.entries()
            .find(|(language, _)| *language == "en")
            .or_else(|| self.entries().next())
            .map_or("", |(_, text)| text)
    }
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
            .description(Some("A text in one language or more, by BCP 47 tag."))
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
