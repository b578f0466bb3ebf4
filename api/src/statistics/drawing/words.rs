//! What is written in a chart, in one language.
use std::collections::HashMap;

use domain::{Country, Dimension, Text, in_words};
use persistence::{Error, Figures, Moment};

use super::layout::Value;
use crate::{
    query::Languages,
    statistics::{Asked, answer},
};

/// What is written in a chart, in one language.
pub(super) struct Words<'a> {
    languages: &'a Languages,
    pub(super) language: String,
    records: HashMap<(Dimension, String), Text>,
}

impl<'a> Words<'a> {
    pub(super) async fn of(
        moment: &Moment,
        languages: &'a Languages,
        figures: &Figures,
    ) -> Result<Self, Error> {
        let mut records = HashMap::new();
        for (at, dimension) in figures.columns.iter().enumerate() {
            let slugs = figures.rows.iter().filter_map(|row| row.groups[at].clone()).collect();
            let labels = moment.labels(*dimension, slugs).await?;
            records.extend(labels.into_iter().map(|(slug, text)| ((*dimension, slug), text)));
        }
        let language = languages.first().unwrap_or("en").to_owned();
        Ok(Self { languages, language, records })
    }

    /// A text in the language that is preferred.
    pub(super) fn text(&self, text: &Text) -> String {
        let (value, _) = self.languages.value(text);
        let texts = value.as_object().into_iter().flatten();
        let asked = texts.filter_map(|(language, text)| Some((language, text.as_str()?)));
        let all: Vec<_> = asked.collect();
        let english = all.iter().find(|(language, _)| *language == "en");
        english.or(all.first()).map_or(String::new(), |(_, text)| (*text).to_owned())
    }

    /// What a group is called.
    pub(super) fn value(&self, dimension: Dimension, value: &Value) -> String {
        match value {
            Value::Told(value) => self.told(dimension, value),
            Value::Unknown => {
                let of = self.text(&in_words(dimension.name()));
                format!("{of}: {}", self.text(&in_words("not known")))
            }
            Value::Together => self.text(&in_words("told together")),
        }
    }

    /// What a value of a dimension is called.
    pub(super) fn told(&self, dimension: Dimension, value: &str) -> String {
        if let Some(text) = self.records.get(&(dimension, value.to_owned())) {
            return self.text(text);
        }
        match dimension {
            Dimension::Country => {
                Country::find(value).map_or(value.to_owned(), |country| self.text(&country.names))
            }
            _ => self.text(&in_words(value)),
        }
    }

    /// What the figures are narrowed to, and what has to be known to read them.
    pub(super) fn notes(&self, asked: &Asked, figures: &Figures, own: &[Text]) -> Vec<String> {
        let narrowed = asked.filters.iter().map(|(dimension, values)| {
            let values: Vec<_> = values.iter().map(|value| self.told(*dimension, value)).collect();
            let name = self.text(&in_words(dimension.name()));
            format!("{}: {}", capital(&name), values.join(", "))
        });
        let notes = answer::notes(asked, figures);
        narrowed.chain(notes.iter().chain(own).map(|note| self.text(note))).collect()
    }
}

/// The text with a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
