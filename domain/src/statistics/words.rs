//! The words of statistics, in the languages of those who read them.
use crate::Text;

/// What is said in English, in Russian and in Korean.
const WORDS: &[(&str, &str, &str)] = &[];

/// What is said in English, in every language that it is known in.
#[must_use]
pub fn in_words(english: &str) -> Text {
    let known = WORDS.iter().find(|(word, _, _)| *word == english);
    let others = known.into_iter().flat_map(|(_, ru, ko)| [("ru", *ru), ("ko", *ko)]);
    let all = [("en", english)].into_iter().chain(others);
    Text::of(all.map(|(language, text)| (language.to_owned(), text.to_owned())))
}
