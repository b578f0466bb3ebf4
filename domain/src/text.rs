use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type, schema::AdditionalProperties},
};

use crate::{Kind, LanguageTag, ProseKind};

/// A text in one language or more, by BCP 47 tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text(Map<String, Value>);

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

    /// The text in English, or in the first language there is.
    #[must_use]
    pub fn best(&self) -> &str {
        self.entries()
            .find(|(language, _)| *language == "en")
            .or_else(|| self.entries().next())
            .map_or("", |(_, text)| text)
    }
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
