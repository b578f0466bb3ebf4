//! Words as they are looked for: case and accents make no difference, whatever the script.
use std::collections::BTreeSet;

use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, is_combining_mark},
};
use unicode_segmentation::UnicodeSegmentation;

/// How much of a word counts.
const LENGTH: usize = 100;
/// How many bytes of words one record is found by: Postgres takes no more than a megabyte.
const MOST: usize = 1_000_000;

/// What somebody looks for: words that must all be there, the last one perhaps unfinished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    whole: Vec<String>,
    begun: Option<String>,
}

impl Words {
    /// The words of what was typed.
    #[must_use]
    pub fn of(typed: &str) -> Self {
        let mut whole = split(typed);
        let begun = whole.pop();
        whole.sort_unstable();
        whole.dedup();
        Self { whole, begun }
    }

    /// The words that are whole, and the one that may go on; none if there is no word at all.
    pub(crate) fn parts(&self) -> Option<(&[String], &str)> {
        Some((&self.whole, self.begun.as_deref()?))
    }

    /// Those of the words that none of these texts holds.
    pub(crate) fn beside<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Self {
        let held: Vec<String> = texts.flat_map(split).collect();
        let whole = self.whole.iter().filter(|word| !held.contains(word)).cloned().collect();
        let begun = self.begun.clone();
        let begun = begun.filter(|begun| !held.iter().any(|word| word.starts_with(&**begun)));
        Self { whole, begun }
    }

    /// Whether one of the words stands in that piece of a text.
    fn meets(&self, piece: &str) -> bool {
        split(piece).iter().any(|word| {
            self.whole.contains(word)
                || self.begun.as_ref().is_some_and(|begun| word.starts_with(begun.as_str()))
        })
    }

    /// What stands around the first of the words in a text.
    pub(crate) fn snippet(&self, text: &str) -> Option<String> {
        let pieces: Vec<&str> = text.split_word_bounds().collect();
        let at = pieces.iter().position(|piece| self.meets(piece))?;
        let before = taken(pieces[..at].iter().rev().copied(), 60);
        let after = taken(pieces[at..].iter().copied(), 120);
        let (begin, end) = (at - before, at + after.max(1));
        let start = if begin > 0 { "…" } else { "" };
        let rest = if end < pieces.len() { "…" } else { "" };
        let middle = pieces[begin..end].concat();
        Some(format!("{start}{}{rest}", middle.split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

/// How many pieces have no more than so many letters.
fn taken<'a>(pieces: impl Iterator<Item = &'a str>, letters: usize) -> usize {
    let mut length = 0;
    pieces
        .take_while(|piece| {
            length += piece.chars().count();
            length <= letters
        })
        .count()
}

/// The words of some texts of a record, each once, with spaces between them.
pub(crate) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let words: BTreeSet<String> = texts.flat_map(split).collect();
    let mut left = MOST;
    let fitting = words.into_iter().take_while(|word| {
        let fits = word.len() <= left;
        left = left.saturating_sub(word.len());
        fits
    });
    fitting.collect::<Vec<_>>().join(" ")
}

/// The words of a text, folded.
pub(crate) fn split(text: &str) -> Vec<String> {
    let folded = fold(text);
    let is_part = |letter: char| {
        (letter.is_alphanumeric() || is_combining_mark(letter)) && !is_apostrophe(letter)
    };
    folded
        .unicode_words()
        // A word may hold marks such as the point in "e.gov", which nobody types.
        .flat_map(|word| word.split(|letter| !is_part(letter)))
        .filter(|word| word.contains(char::is_alphanumeric))
        .map(|word| word.chars().take(LENGTH).collect())
        .collect()
}

/// A text without the differences of case, accent and form.
///
/// Upper case on the way to lower case: so ß is ss, and the two alphabets of Georgian are one.
/// Composed at the end, so that a syllable of Hangul is one letter again.
fn fold(text: &str) -> String {
    let bare = text.nfkd().filter(|letter| !is_accent(*letter) && !is_invisible(*letter));
    bare.map(without_stroke)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfc()
        .collect()
}

/// Accents, and the points of Hebrew and Arabic: signs that readers do without. Others, such as
/// the vowels of Indic scripts and the voicing of Kana, make another word.
fn is_accent(letter: char) -> bool {
    matches!(canonical_combining_class(letter), 10..=36 | 200..=240)
}

fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{AD}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// Letters to Unicode, and to who types nothing but an apostrophe: those of Uzbek, the signs of
/// transliteration. What they part is parted whichever of them is typed.
fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\u{2B9}'..='\u{2BF}')
}

/// Letters of which the stroke is no accent to Unicode, and is one to readers.
pub(crate) fn without_stroke(letter: char) -> char {
    match letter {
        'ø' | 'Ø' => 'o',
        'ł' | 'Ł' => 'l',
        'đ' | 'Đ' => 'd',
        'ħ' | 'Ħ' => 'h',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Words, joined, split};

    #[test]
    fn case_accents_and_form_make_no_difference() {
        for (one, other) in [
            ("Ёлка Район", "елка район"),
            ("ЦИФРОВИЗАЦИЯ", "цифровизация"),
            ("ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ", "საქართველო"),
            ("ՀԱՅԱՍՏԱՆ և", "հայաստան եւ"),
            (
                "전자정부",
                "\u{110C}\u{1165}\u{11AB}\u{110C}\u{1161}\u{110C}\u{1165}\u{11BC}\u{1107}\u{116E}",
            ),
            ("Sørensen Łódź", "sorensen lodz"),
            ("Straße ΟΔΟΣ İstanbul", "STRASSE οδος istanbul"),
            ("ﬁnance ２０２１", "finance 2021"),
        ] {
            assert_eq!(split(one), split(other), "{one}");
        }
        assert_ne!(split("か"), split("が"));
        assert_ne!(split("कि"), split("की"));
    }

    #[test]
    fn an_apostrophe_is_the_same_however_it_is_typed() {
        for sign in ["'", "ʻ", "ʼ", "‘", "’", "`", "´", "′", "ʹ"] {
            assert_eq!(split(&format!("O{sign}zbekiston")), ["o", "zbekiston"], "{sign}");
            let snippet = Words::of("Oʻzbekiston").snippet(&format!("in O{sign}zbekiston"));
            assert_eq!(snippet, Some(format!("in O{sign}zbekiston")));
        }
    }

    #[test]
    fn words_end_where_they_end_in_each_script() {
        assert_eq!(split("e-Gov, e.gov & O'Neil_2"), ["e", "gov", "e", "gov", "o", "neil", "2"]);
        assert_eq!(split("数字政府"), ["数", "字", "政", "府"]);
        assert!(split("!? ' \" % — …").is_empty());
        assert_eq!(joined(["b a", "A c"].into_iter()), "a b c");
    }

    #[test]
    fn a_record_has_as_many_words_as_postgres_keeps() {
        let words = (0..250_000).map(|number| format!("{number:06}")).collect::<Vec<_>>().join(" ");
        let kept = joined([&*words].into_iter());
        assert_eq!(kept.split(' ').count(), MOST / "000000".len());
    }

    #[test]
    fn a_snippet_shows_the_word_in_its_surroundings() {
        let text = "One two. Ökonomie three.";
        assert_eq!(Words::of("okon").snippet(text).as_deref(), Some(text));
        let long = format!("{0} Ökonomie{0}", " word".repeat(60));
        let snippet = Words::of("ökonomie").snippet(&long).unwrap();
        assert!(snippet.starts_with('…') && snippet.contains("Ökonomie") && snippet.ends_with('…'));
        assert_eq!(Words::of("none").snippet(text), None);
    }
}
