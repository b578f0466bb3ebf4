//! How the cells of a workbook are shown, where they are shown as something else than they hold: the
//! first day of October as `Oct 27`, a half as `50%`. The reader of workbooks tells what they hold.
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
};

use quick_xml::{
    Reader as XmlReader, XmlVersion,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::SheetFault;

/// What a number format shows of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// All that matters.
    Whole,
    /// A month and its year.
    Month,
    /// A year.
    Year,
    /// Another part of a date.
    Part,
    /// So many of a hundred.
    Percent,
}

impl Shown {
    const ALL: [Self; 5] = [Self::Whole, Self::Month, Self::Year, Self::Part, Self::Percent];

    /// What the formats show that every spreadsheet has.
    fn by_id(id: u32) -> Self {
        match id {
            9 | 10 => Self::Percent,
            16 => Self::Part,
            17 => Self::Month,
            _ => Self::Whole,
        }
    }

    /// What a format shows of a number that is not negative.
    fn by_format(format: &str) -> Self {
        let signs = signs(format);
        let has = |sign: char| signs.iter().any(|(one, _)| *one == sign);
        let is_time = |at: usize| {
            let before = at.checked_sub(1).and_then(|at| signs.get(at));
            before.is_some_and(|(sign, _)| *sign == 'h')
                || signs.get(at + 1).is_some_and(|(sign, _)| *sign == 's')
        };
        let month = (0..signs.len()).any(|at| signs[at].0 == 'm' && !is_time(at));
        // Three or four are the name of a day of the week.
        let day = signs.iter().any(|(sign, times)| *sign == 'd' && *times <= 2);
        let time = has('h') || has('s');
        match (has('y'), month, day || has('d')) {
            (false, false, false) if has('%') => Self::Percent,
            (false, false, false) => Self::Whole,
            (true, true, true) if day => Self::Whole,
            (true, true, false) if !time => Self::Month,
            (true, false, false) if !time => Self::Year,
            _ => Self::Part,
        }
    }
}

/// The signs of a format that stand for parts of a date or for a percentage, each with how often it
/// is repeated; letters that are shown as they are, colours and languages left out.
fn signs(format: &str) -> Vec<(char, usize)> {
    let mut signs: Vec<(char, usize)> = Vec::new();
    let mut before = ' ';
    let mut letters = format.chars().map(|letter| letter.to_ascii_lowercase()).peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ';' => break,
            '\\' | '_' | '*' => drop(letters.next()),
            '"' => drop(letters.find(|letter| *letter == '"')),
            '[' => {
                let within: String = letters.by_ref().take_while(|letter| *letter != ']').collect();
                // Hours, minutes or seconds, of which there may be any number.
                if within.chars().all(|letter| "hms".contains(letter)) {
                    signs.push(('h', 1));
                }
            }
            // AM and PM have an M that is no month.
            'a' | 'p' => drop(letters.next_if_eq(&'m')),
            'y' | 'm' | 'd' | 'h' | 's' | '%' => {
                match signs.last_mut().filter(|_| before == letter) {
                    Some((_, times)) => *times += 1,
                    None => signs.push((letter, 1)),
                }
            }
            _ => {}
        }
        before = letter;
    }
    signs
}

/// How the cells of a sheet are shown, one after the other as they stand in it.
pub(super) struct Cells(Option<BufReader<File>>);

impl Cells {
    /// Of the sheet of that name, or of the first.
    ///
    /// They are laid down in a file, as they may be too many for memory.
    pub(super) fn of(
        file: &mut (impl Read + Seek),
        sheet: Option<&str>,
    ) -> Result<Self, SheetFault> {
        let mut archive = ZipArchive::new(file)?;
        let folder = folder(&archive);
        let styles = styles(&mut archive, &folder)?;
        if styles.iter().all(|shown| *shown == Shown::Whole) {
            return Ok(Self(None));
        }
        let Some(path) = path(&mut archive, &folder, sheet)? else { return Ok(Self(None)) };
        let mut laid = BufWriter::new(tempfile::tempfile()?);
        let mut within = false;
        each(&mut archive, &path, |tag| {
            within |= tag.local_name().as_ref() == b"sheetData";
            if within && tag.local_name().as_ref() == b"c" {
                let style = attribute(tag, b"s")?.and_then(|style| style.parse().ok());
                let shown = styles.get(style.unwrap_or(0_usize)).copied().unwrap_or(Shown::Whole);
                laid.write_all(&[shown as u8])?;
            }
            Ok(())
        })?;
        let mut laid = laid.into_inner().map_err(io::IntoInnerError::into_error)?;
        laid.rewind()?;
        Ok(Self(Some(BufReader::new(laid))))
    }

    /// How the next cell is shown.
    pub(super) fn next(&mut self) -> Result<Shown, SheetFault> {
        let Some(laid) = &mut self.0 else { return Ok(Shown::Whole) };
        let mut one = [0];
        laid.read_exact(&mut one)?;
        Ok(Shown::ALL[usize::from(one[0])])
    }
}

/// The folder of an archive that the parts of the workbook are in.
fn folder(archive: &ZipArchive<impl Read + Seek>) -> String {
    let folder = archive.file_names().filter_map(|name| {
        let name = name.ok()?.replace('\\', "/");
        let at = name.len().checked_sub("workbook.xml".len())?;
        let own = name.get(at..)?.eq_ignore_ascii_case("workbook.xml");
        (own && (at == 0 || name[..at].ends_with('/'))).then(|| name[..at].to_owned())
    });
    folder.min().unwrap_or_else(|| "xl/".to_owned())
}

/// What each style of a workbook shows.
fn styles(
    archive: &mut ZipArchive<impl Read + Seek>,
    folder: &str,
) -> Result<Vec<Shown>, SheetFault> {
    let (mut formats, mut styles, mut within) = (BTreeMap::new(), Vec::new(), false);
    each(archive, &format!("{folder}styles.xml"), |tag| {
        let number = |name: &[u8]| -> Result<Option<u32>, SheetFault> {
            Ok(attribute(tag, name)?.and_then(|id| id.parse().ok()))
        };
        match tag.local_name().as_ref() {
            b"numFmt" => {
                if let (Some(id), Some(format)) =
                    (number(b"numFmtId")?, attribute(tag, b"formatCode")?)
                {
                    formats.insert(id, Shown::by_format(&format));
                }
            }
            b"xf" if within => {
                let id = number(b"numFmtId")?.unwrap_or_default();
                styles.push(formats.get(&id).copied().unwrap_or_else(|| Shown::by_id(id)));
            }
            // What follows is of something else again.
            name @ (b"cellXfs" | b"cellStyleXfs" | b"cellStyles" | b"dxfs") => {
                within = name == b"cellXfs";
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(styles)
}

/// The part of the archive with the sheet of that name, or with the first.
fn path(
    archive: &mut ZipArchive<impl Read + Seek>,
    folder: &str,
    sheet: Option<&str>,
) -> Result<Option<String>, SheetFault> {
    let mut id = None;
    each(archive, &format!("{folder}workbook.xml"), |tag| {
        if id.is_none() && tag.local_name().as_ref() == b"sheet" {
            let name = attribute(tag, b"name")?.unwrap_or_default();
            if sheet.is_none_or(|sheet| sheet == name) {
                id = attribute(tag, b"id")?;
            }
        }
        Ok(())
    })?;
    let mut path = None;
    each(archive, &format!("{folder}_rels/workbook.xml.rels"), |tag| {
        if id.is_some() && attribute(tag, b"Id")? == id {
            path = attribute(tag, b"Target")?;
        }
        Ok(())
    })?;
    Ok(path.map(|path| match path.strip_prefix('/') {
        Some(whole) => whole.to_owned(),
        None => format!("{folder}{path}"),
    }))
}

/// Does something with every element of a part of an archive, if it has it.
fn each(
    archive: &mut ZipArchive<impl Read + Seek>,
    part: &str,
    mut with: impl FnMut(&BytesStart) -> Result<(), SheetFault>,
) -> Result<(), SheetFault> {
    let mut names = archive.file_names().filter_map(Result::ok);
    let same = |name: &Cow<str>| name.replace('\\', "/").eq_ignore_ascii_case(part);
    let Some(name) = names.find(same).map(Cow::into_owned) else { return Ok(()) };
    drop(names);
    let mut xml = XmlReader::from_reader(BufReader::new(archive.by_name(&name)?));
    xml.config_mut().check_end_names = false;
    let mut room = Vec::new();
    loop {
        room.clear();
        match xml.read_event_into(&mut room).map_err(unreadable)? {
            Event::Start(tag) | Event::Empty(tag) => with(&tag)?,
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// An attribute of an element, whatever its namespace.
fn attribute(tag: &BytesStart, name: &[u8]) -> Result<Option<String>, SheetFault> {
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(unreadable)?;
        if attribute.key.local_name().as_ref() == name {
            let value =
                attribute.decoded_and_normalized_value(XmlVersion::Implicit1_0, tag.decoder());
            let value = value.map_err(unreadable)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

fn unreadable(error: impl std::fmt::Display) -> SheetFault {
    SheetFault::NotWorkbook(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn a_format_is_known_by_what_it_shows() {
        for (format, shown) in [
            ("General", Shown::Whole),
            ("0.00", Shown::Whole),
            ("#,##0\\ \"дней\"", Shown::Whole),
            ("dd.mm.yyyy", Shown::Whole),
            ("[$-419]d\\ mmmm\\ yyyy\\ \"г.\";@", Shown::Whole),
            ("m/d/yy h:mm AM/PM", Shown::Whole),
            ("[$-F400]h:mm:ss\\ AM/PM", Shown::Whole),
            ("mm:ss", Shown::Whole),
            ("[h]:mm", Shown::Whole),
            ("mmm-yy", Shown::Month),
            ("[$-419]mmmm\\ yyyy;@", Shown::Month),
            ("MM/YYYY", Shown::Month),
            ("yyyy", Shown::Year),
            ("yyyy\\ \"год\"", Shown::Year),
            ("d-mmm", Shown::Part),
            ("mmmm", Shown::Part),
            ("dddd", Shown::Part),
            ("dddd, mmmm yyyy", Shown::Part),
            ("0%", Shown::Percent),
            ("0.0\\ %;[Red]\\-0.0\\ %", Shown::Percent),
            ("0\"%\"", Shown::Whole),
        ] {
            assert_eq!(Shown::by_format(format), shown, "{format}");
        }
    }
}
