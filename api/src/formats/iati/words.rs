//! What the standard can tell of a text.
use domain::Text;

use super::super::event::legible;

/// A text as narratives, each with its language; a language in which nothing can be read is left out,
/// since no narrative is empty.
pub(super) fn narratives(text: &Text) -> Vec<(&str, String)> {
    let legible = text.entries().map(|(language, said)| (language, legible(said)));
    legible.filter(|(_, said)| !said.trim().is_empty()).collect()
}

/// Whether anything is told of a text.
pub(super) fn is_told(text: &Text) -> bool {
    !narratives(text).is_empty()
}
