//! What the standard can tell of a text.
use domain::Text;

use super::{super::event::legible, check::LANGUAGE};

/// A text as narratives, each with its language by the codelist. Where several tags are of one language,
/// in several scripts, the first is told.
pub(super) fn narratives(text: &Text) -> Vec<(&str, String)> {
    split(text).0
}

/// The tags of those languages in which a text is not told.
pub(super) fn untold(text: &Text) -> Vec<&str> {
    split(text).1
}

/// Whether anything is told of a text.
pub(super) fn is_told(text: &Text) -> bool {
    !narratives(text).is_empty()
}

fn split(text: &Text) -> (Vec<(&str, String)>, Vec<&str>) {
    let mut entries: Vec<_> = text.entries().collect();
    // A language by itself comes before its scripts and regions.
    entries.sort_unstable();
    let (mut told, mut untold) = (Vec::new(), Vec::new());
    for (tag, said) in entries {
        let language = tag.split('-').next().unwrap_or_default();
        let said = legible(said);
        let is_new = told.iter().all(|(known, _)| *known != language);
        // Nor is a narrative ever empty.
        if is_new && LANGUAGE.holds(language) && !said.trim().is_empty() {
            told.push((language, said));
        } else {
            untold.push(tag);
        }
    }
    (told, untold)
}
