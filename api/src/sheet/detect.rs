//! What a file of text says about itself: its encoding and what stands between its cells.
use std::io::{self, Read, Seek};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    EUC_KR, Encoding, IBM866, KOI8_R, KOI8_U, UTF_8, WINDOWS_1251, WINDOWS_1252, WINDOWS_1254,
};

/// How much of a text is looked at at a time.
const CHUNK: usize = 1 << 16;
/// In the order in which they win where the header has as many of each: a comma may well be part
/// of a header.
const DELIMITERS: [u8; 3] = [b'\t', b';', b','];
/// What may be guessed; any other guess is taken for an accident of a short text.
const LIKELY: [&Encoding; 7] =
    [WINDOWS_1251, WINDOWS_1252, WINDOWS_1254, KOI8_R, KOI8_U, IBM866, EUC_KR];

/// The encoding of a text: what its byte order mark says, else UTF-8 if all of it is, else the one
/// that it looks most like, Windows-1251 in doubt.
pub(super) fn encoding(text: &mut (impl Read + Seek)) -> io::Result<&'static Encoding> {
    let mut mark = Vec::new();
    text.by_ref().take(3).read_to_end(&mut mark)?;
    text.rewind()?;
    if let Some((marked, _)) = Encoding::for_bom(&mark) {
        return Ok(marked);
    }
    let unicode = is_utf8(text)?;
    text.rewind()?;
    if unicode {
        return Ok(UTF_8);
    }
    let guess = guess(text)?;
    text.rewind()?;
    Ok(if LIKELY.contains(&guess) { guess } else { WINDOWS_1251 })
}

fn is_utf8(text: &mut impl Read) -> io::Result<bool> {
    let mut chunk = vec![0; CHUNK];
    // A letter may lie across the end of a chunk.
    let mut kept = 0;
    loop {
        let length = text.read(&mut chunk[kept..])?;
        if length == 0 {
            return Ok(kept == 0);
        }
        let end = kept + length;
        let valid = match std::str::from_utf8(&chunk[..end]) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Ok(false),
        };
        chunk.copy_within(valid..end, 0);
        kept = end - valid;
    }
}

fn guess(text: &mut impl Read) -> io::Result<&'static Encoding> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = text.read(&mut chunk)?;
        detector.feed(&chunk[..length], length == 0);
        if length == 0 {
            return Ok(detector.guess(Some(b"ru"), Utf8Detection::Deny));
        }
    }
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
