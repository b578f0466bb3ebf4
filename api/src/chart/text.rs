//! How wide a text is, about, in the fonts that a reader may have, and how it is broken into lines.
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

const ELLIPSIS: &str = "…";

/// A text as lines.
pub(super) struct Lines {
    pub(super) lines: Vec<String>,
    /// Whether it is not the whole text.
    pub(super) cut: bool,
}

/// The text without what XML cannot hold, its white space made plain.
pub(super) fn clean(text: &str) -> String {
    let held = |letter: char| match letter {
        '\u{fffe}' | '\u{ffff}' => None,
        letter if letter.is_whitespace() && letter.is_control() => Some(' '),
        letter if letter.is_control() => None,
        letter => Some(letter),
    };
    text.chars().filter_map(held).collect::<String>().trim().to_owned()
}

/// The width of a text in letters of that size; rather too wide than too narrow.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(letter).sum::<f64>() * size
}

/// The width of a bold text.
pub(super) fn bold_width(text: &str, size: f64) -> f64 {
    width(text, size) * 1.13
}

/// The width of the widest word, which no line can be narrower than.
pub(super) fn widest_word(text: &str, size: f64) -> f64 {
    text.split(' ').map(|word| width(word, size)).fold(0.0, f64::max)
}

/// The text in at most so many lines of that width, by a measure of widths.
pub(super) fn wrapped(text: &str, most: usize, room: f64, measure: impl Fn(&str) -> f64) -> Lines {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if measure(line) + measure(" ") + measure(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.extend(broken(word, room, &measure)),
        }
    }
    let cut = lines.len() > most;
    if cut {
        let rest = lines.split_off(most.saturating_sub(1)).join(" ");
        lines.push(shortened(&rest, room, measure));
    }
    Lines { lines, cut }
}

/// The text in as few lines as have room, all about as long.
pub(super) fn balanced(text: &str, most: usize, room: f64, measure: impl Fn(&str) -> f64) -> Lines {
    let count = wrapped(text, most, room, &measure).lines.len();
    let narrower = (1..=20_u32).map(|step| room * (1.0 - f64::from(step) / 40.0));
    let fits = |room: &f64| {
        let lines = wrapped(text, most, *room, &measure);
        !lines.cut && lines.lines.len() == count
    };
    let room = narrower.take_while(fits).last().unwrap_or(room);
    wrapped(text, most, room, measure)
}

/// A word in parts, none wider than the room.
fn broken(word: &str, room: f64, measure: impl Fn(&str) -> f64) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in word.graphemes(true) {
        match parts.last_mut() {
            Some(part) if part.is_empty() || measure(part) + measure(letter) <= room => {
                part.push_str(letter);
            }
            _ => parts.push(letter.to_owned()),
        }
    }
    parts
}

/// As much of the text as has room, with a sign that there is more.
fn shortened(text: &str, room: f64, measure: impl Fn(&str) -> f64) -> String {
    let room = room - measure(ELLIPSIS);
    let mut short = String::new();
    for letter in text.graphemes(true) {
        if measure(&short) + measure(letter) > room {
            break;
        }
        short.push_str(letter);
    }
    short.truncate(short.trim_end().len());
    short + ELLIPSIS
}

/// The width of a letter, in ems.
fn letter(letter: char) -> f64 {
    match letter.width().unwrap_or_default() {
        0 => 0.0,
        1 => narrow(letter),
        _ => 1.0,
    }
}

/// Of the letters that take one place of a terminal, by how wide the widest common fonts have them.
fn narrow(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 'I' | 'J' | '\'' | 'і' | 'І' => 0.3,
        '.' | ',' | ':' | ';' | '|' | '/' | '·' | ' ' | '\u{a0}' | '\u{202f}' => 0.34,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '!' => 0.41,
        '"' | '_' | '–' => 0.52,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'F' | 'L' | 'г' | 'з' | 'с' | 'т' | 'у' | 'х'
        | 'ч' | 'ь' | 'э' => 0.58,
        'D' | 'G' | 'H' | 'N' | 'O' | 'Q' | 'U' | 'w' | 'Д' | 'И' | 'Й' | 'Л' | 'Н' | 'О' | 'П'
        | 'Ц' | 'Ә' | 'Ң' | 'Ө' | 'м' | 'ы' => 0.79,
        'М' | 'M' | 'Ы' | 'Ф' | 'ж' | 'ш' | 'щ' | 'ф' | 'ю' | '<' | '>' | '+' | '=' | '&' => {
            0.9
        }
        'm' | 'W' | '%' | '@' | '…' | '—' | '≤' | '≥' | '≈' => 1.0,
        'Ж' | 'Ш' | 'Щ' | 'Ю' | '№' => 1.09,
        'A'..='Z' | 'А'..='Я' | 'Ғ' | 'Қ' | 'д' | 'ц' | 'ъ' => 0.72,
        _ => 0.65,
    }
}
