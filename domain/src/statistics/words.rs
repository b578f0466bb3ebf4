//! The words of statistics, in the languages of those who read them.
mod codes;
mod sentences;

use codes::CODES;
use sentences::SENTENCES;

use crate::Text;

/// What a code is called, or what is said in English, in every language that it is known in; what
/// has no other words stays as it is.
#[must_use]
pub fn in_words(of: &str) -> Text {
    let code = || {
        let (_, en, ru, ko) = CODES.iter().find(|(code, ..)| *code == of)?;
        Some([("en", *en), ("ru", *ru), ("ko", *ko)])
    };
    let sentence = || {
        let (en, ru, ko) = SENTENCES.iter().find(|(english, ..)| *english == of)?;
        Some([("en", *en), ("ru", *ru), ("ko", *ko)])
    };
    let known = code().or_else(sentence);
    let text = |(language, text): (&str, &str)| (language.to_owned(), text.to_owned());
    match known {
        Some(words) => Text::of(words.map(text)),
        None => Text::of([("en", of)].map(text)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};
    use utoipa::PartialSchema;

    use super::*;
    use crate::{
        Country, Dimension, EventStatus, GrantCapacity, Measure, Metric, OrganisationKind,
        OrganiserRole, ProjectPartyRole, ResultKind, SeminarKind, Seniority, Sex, SpeakerRole,
        Subject,
    };

    fn is_translated(text: &Text) {
        let languages: Vec<_> = text.entries().map(|(language, _)| language).collect();
        for wanted in ["en", "ru", "ko"] {
            assert!(languages.contains(&wanted), "{text:?} has no {wanted}");
        }
        assert!(text.entries().all(|(_, text)| !text.is_empty()), "{text:?}");
    }

    #[test]
    fn what_is_said_is_said_in_russian_and_korean_too() {
        for subject in Subject::ALL {
            is_translated(&subject.about());
            for definition in subject.definitions() {
                is_translated(&definition.unit());
                is_translated(&definition.text());
            }
        }
        for dimension in Dimension::ALL {
            is_translated(&dimension.about());
            is_translated(&dimension.by());
        }
        for note in [
            Subject::overlap_note(),
            Subject::counted_note(),
            Subject::published_note(),
            Subject::withheld_note(),
        ] {
            is_translated(&note);
        }
    }

    #[test]
    fn names_and_codes_have_words() {
        let names = Subject::ALL.map(Subject::name).into_iter();
        let names = names.chain(Dimension::ALL.map(Dimension::name));
        let names = names.chain(Measure::ALL.map(Measure::name)).chain(Country::regions());
        let others = [
            "study_visit",
            "stop",
            "speaker",
            "true",
            "false",
            "not known",
            "told together",
            "withdrawn",
        ];
        let flows =
            ["agreed", "budgeted", "promised", "received", "committed", "disbursed", "spent"];
        for name in names.chain(others).chain(flows) {
            is_translated(&in_words(name));
        }
        let lists: [Value; 11] = [
            json!(EventStatus::schema()),
            json!(SeminarKind::schema()),
            json!(ResultKind::schema()),
            json!(OrganisationKind::schema()),
            json!(SpeakerRole::schema()),
            json!(OrganiserRole::schema()),
            json!(ProjectPartyRole::schema()),
            json!(GrantCapacity::schema()),
            json!(Metric::schema()),
            json!(Sex::schema()),
            json!(Seniority::schema()),
        ];
        for list in lists {
            for code in list["enum"].as_array().unwrap() {
                is_translated(&in_words(code.as_str().unwrap()));
            }
        }
    }

    #[test]
    fn everything_is_said_once_and_in_its_own_letters() {
        let codes = CODES.iter().map(|(code, _, ru, ko)| (*code, *ru, *ko));
        let all: Vec<_> = codes.chain(SENTENCES.iter().copied()).collect();
        let keys: BTreeSet<_> = all.iter().map(|(key, ..)| key).collect();
        assert_eq!(keys.len(), all.len());
        for (key, ru, ko) in all {
            assert!(ru.chars().any(|letter| ('а'..='я').contains(&letter)), "{key}: {ru}");
            assert!(ko.chars().any(|letter| ('가'..='힣').contains(&letter)), "{key}: {ko}");
        }
        assert_eq!(in_words("2021"), Text::of([("en".to_owned(), "2021".to_owned())]));
    }
}
