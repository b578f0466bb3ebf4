//! What a file of text says about itself: its encoding and what stands between its cells.
use std::io::{self, Read, Seek};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    DecoderResult, EUC_KR, Encoding, IBM866, KOI8_R, KOI8_U, UTF_8, WINDOWS_1251, WINDOWS_1252,
    WINDOWS_1254,
};

use super::SheetFault;

/// How much of a text is looked at at a time.
const CHUNK: usize = 1 << 16;
/// In the order in which they win where the header has as many of each: a comma may well be part
/// of a header.
const DELIMITERS: [u8; 3] = [b'\t', b';', b','];
/// What may be guessed, and whether it is for a script of its own; any other guess is taken for an
/// accident of a short text.
const LIKELY: [(&Encoding, bool); 7] = [
    (WINDOWS_1251, true),
    (WINDOWS_1252, false),
    (WINDOWS_1254, false),
    (KOI8_R, true),
    (KOI8_U, true),
    (IBM866, true),
    (EUC_KR, true),
];
/// How a workbook begins, and no text.
const WORKBOOK: &[u8] = b"PK\x03\x04";
/// How many letters beyond ASCII stand side by side in the words of people who write in another
/// script, and not in those of people who only need an accent here and there.
const WORD: usize = 3;

/// The encoding of a text: what its byte order mark says, else the one that it is said to be in,
/// else UTF-8 if all of it is, else the one that it looks most like. What is said to be UTF-8 has to
/// be that.
pub(super) fn encoding(
    text: &mut (impl Read + Seek),
    told: Option<&'static Encoding>,
) -> Result<&'static Encoding, SheetFault> {
    let mut mark = Vec::new();
    text.by_ref().take(4).read_to_end(&mut mark)?;
    text.rewind()?;
    if mark == WORKBOOK {
        return Err(SheetFault::NotText);
    }
    let marked = Encoding::for_bom(&mark).map(|(marked, _)| marked);
    let known = told.filter(|told| *told == UTF_8).or(marked).or(told);
    let fits = decode(text, known.unwrap_or(UTF_8), |_| {})?;
    text.rewind()?;
    match known {
        Some(known) if fits => Ok(known),
        Some(known) => Err(SheetFault::Misencoded(known.name())),
        None if fits => Ok(UTF_8),
        None => {
            let guess = guess(text)?;
            text.rewind()?;
            let sure = is_sure(text, guess)?;
            text.rewind()?;
            if sure { Ok(guess) } else { Err(SheetFault::Unclear) }
        }
    }
}

/// Hands over the parts of a text as they stand in that encoding; whether all of it does.
fn decode(
    text: &mut impl Read,
    encoding: &'static Encoding,
    mut each: impl FnMut(&str),
) -> io::Result<bool> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut chunk = vec![0; CHUNK];
    let room = decoder.max_utf8_buffer_length_without_replacement(CHUNK).unwrap_or_default();
    let mut part = String::with_capacity(room);
    loop {
        let length = text.read(&mut chunk)?;
        let last = length == 0;
        let read = decoder.decode_to_string_without_replacement(&chunk[..length], &mut part, last);
        each(&part);
        part.clear();
        match read {
            (DecoderResult::InputEmpty, _) if last => return Ok(true),
            (DecoderResult::InputEmpty, _) => {}
            _ => return Ok(false),
        }
    }
}

fn guess(text: &mut impl Read) -> Result<&'static Encoding, SheetFault> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = text.read(&mut chunk)?;
        if chunk[..length].contains(&0) {
            return Err(SheetFault::NotText);
        }
        detector.feed(&chunk[..length], length == 0);
        if length == 0 {
            return Ok(detector.guess(Some(b"ru"), Utf8Detection::Deny));
        }
    }
}

/// Whether a text in that encoding has words as people write them: a short one in Cyrillic may look
/// like one with accents, and the other way round.
fn is_sure(text: &mut impl Read, guess: &'static Encoding) -> io::Result<bool> {
    let (mut length, mut longest) = (0, 0);
    let fits = decode(text, guess, |part| {
        for letter in part.chars() {
            length = if letter.is_alphabetic() && !letter.is_ascii() { length + 1 } else { 0 };
            longest = longest.max(length);
        }
    })?;
    let words = longest >= WORD;
    let likely = LIKELY.iter().any(|(encoding, own)| *encoding == guess && *own == words);
    Ok(fits && likely)
}

/// What a text begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// How many bytes come before the header.
    pub(super) skipped: usize,
    /// How many rows those are to a spreadsheet.
    pub(super) rows: u64,
    /// What stands between cells.
    pub(super) delimiter: u8,
}

/// Looks at the first bytes of a text, as UTF-8: for the line `sep=;` that Excel writes, which is
/// no row to it, for empty lines, and for the delimiter.
pub(super) fn beginning(head: &[u8]) -> Beginning {
    let line = head.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let told = line.get(..4).filter(|word| word.eq_ignore_ascii_case(b"sep="));
    let told = told.and_then(|_| match &line[4..] {
        [b'\t', ..] => Some(b'\t'),
        rest => rest.trim_ascii().first().copied(),
    });
    let mut skipped = if told.is_some() { line.len() } else { 0 };
    let mut rows = 0;
    for line in head[skipped..].split_inclusive(|byte| *byte == b'\n') {
        if !matches!(line, b"\n" | b"\r\n") {
            break;
        }
        skipped += line.len();
        rows += 1;
    }
    Beginning { skipped, rows, delimiter: told.unwrap_or_else(|| delimiter(&head[skipped..])) }
}

/// What most of the header's cells end with, outside of quotes.
fn delimiter(head: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [0; DELIMITERS.len()];
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                if let Some(place) = DELIMITERS.iter().position(|one| one == byte) {
                    counts[place] += 1;
                }
            }
            _ => {}
        }
    }
    let most = counts.into_iter().max().unwrap_or_default();
    match counts.iter().position(|count| *count == most) {
        Some(place) if most > 0 => DELIMITERS[place],
        _ => b',',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_told_by_the_header() {
        for (head, delimiter) in [
            ("title.en,slug\na;b;c", b','),
            ("Название, тема;Дата\n", b';'),
            ("\"a,b,c\";d", b';'),
            ("a\tb", b'\t'),
            ("alone\n", b','),
        ] {
            let expected = Beginning { skipped: 0, rows: 0, delimiter };
            assert_eq!(beginning(head.as_bytes()), expected, "{head}");
        }
    }

    #[test]
    fn the_line_of_excel_and_empty_lines_are_passed_over() {
        let expected = Beginning { skipped: 9, rows: 1, delimiter: b';' };
        assert_eq!(beginning(b"sep=;\r\n\r\na,b"), expected);
        let expected = Beginning { skipped: 6, rows: 0, delimiter: b'\t' };
        assert_eq!(beginning(b"SEP=\t\na,b"), expected);
    }
}
