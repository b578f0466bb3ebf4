use std::collections::{BTreeMap, BTreeSet};

use domain::{LanguageTag, Resource};
use persistence::FieldStep;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CellFault, ERROR, MappingFault, Row, cell::Form, draft::letters, words};
use crate::formats::table::{
    LANGUAGES, Leaf, OTHERS, Step, leaves_derived, leaves_of_body, leaves_of_record,
};

/// What is no field of a record, and says which record a row is about.
const ID: &str = "id";
/// The same, by what the record is called outside.
const EXTERNAL_ID: &str = "external_id";
/// The revision of that record that the row was made from.
const REVISION: &str = "revision";
/// What is no field of a record, and is read all the same.
const KEYS: [&str; 3] = [ID, EXTERNAL_ID, REVISION];

/// How it is known what a header stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// It is the path of a field.
    Exact,
    /// It means a field, as far as words tell.
    Guessed,
    /// Who sent the file said so.
    Given,
    /// Who sent the file left it out.
    LeftOut,
    /// The registry sets that field, or tells of errors there: it is not read.
    NotRead,
    /// It means a field that another column has.
    Taken,
    /// It means no field.
    None,
}

/// A header, and the field that it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Matched {
    /// The header, as it stands in the sheet.
    #[schema(example = "Дата начала")]
    pub(crate) header: String,
    /// The path of the field, `id`, `external_id` or `revision`; null when the column is not read.
    #[schema(example = "starts_on")]
    pub(crate) field: Option<String>,
    /// How that is known.
    pub(crate) how: How,
}

/// A field that a column is read into.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) steps: Vec<Step>,
    pub(super) form: Form,
}

impl Target {
    fn of(leaf: &Leaf) -> Self {
        Self { steps: leaf.steps.clone(), form: Form::of(leaf) }
    }
}

/// A column, and the word that stands in it for what is known to be none, where an empty cell tells that
/// nothing is known: for a list with nothing in it, or for what the column tells of, without that.
pub(crate) type NoneWord = (&'static str, &'static str);

/// Which field of a resource each column of a sheet stands for.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    matched: Vec<Matched>,
    targets: Vec<Option<Target>>,
    none: &'static [NoneWord],
}

impl Mapping {
    /// Finds a field of `R` for each header: the one that is `given` for it, where the empty path
    /// leaves it out, else the one of that name, else the one that its words mean.
    pub(crate) fn guess<R: Resource>(
        headers: &[String],
        given: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<MappingFault>> {
        let fields = Fields::of::<R>();
        let mut guess =
            Guess { headers, fields: &fields, taken: BTreeSet::new(), faults: Vec::new() };
        let mut found = vec![None; headers.len()];
        for pass in [Guess::given, Guess::exact, Guess::guessed] {
            for (place, header) in headers.iter().enumerate() {
                if found[place].is_none() {
                    found[place] = pass(&mut guess, header, given);
                }
            }
        }
        for (header, field) in given {
            if !headers.contains(header) {
                guess.fault(header, field, "unknown_header", "The sheet has no such header.");
            }
        }
        if !guess.faults.is_empty() {
            return Err(guess.faults);
        }
        let found: Vec<_> = found.into_iter().map(|one| one.unwrap_or((None, How::None))).collect();
        let matched = headers.iter().zip(&found).map(|(header, (field, how))| Matched {
            header: header.clone(),
            field: field.clone(),
            how: *how,
        });
        let target =
            |field: &Option<String>| fields.find(field.as_deref()?).as_ref().map(Target::of);
        Ok(Self {
            matched: matched.collect(),
            targets: found.iter().map(|(field, _)| target(field)).collect(),
            none: &[],
        })
    }

    /// The same, with words for what is known to be none.
    pub(crate) fn with_none(self, none: &'static [NoneWord]) -> Self {
        Self { none, ..self }
    }

    /// Whether a cell of that column says that what it tells is known to be none.
    pub(super) fn is_none(&self, column: usize, text: &str) -> bool {
        let field = self.matched.get(column).and_then(|matched| matched.field.as_deref());
        let is = |(of, word): &NoneWord| field == Some(of) && text.eq_ignore_ascii_case(word);
        self.none.iter().any(is)
    }

    /// What each header stands for.
    pub(crate) fn matched(&self) -> &[Matched] {
        &self.matched
    }

    /// What a row says which record it is about: its id, what it is called outside, and the revision
    /// that the row was made from.
    pub(crate) fn keys(&self, row: &Row) -> [Option<String>; 3] {
        KEYS.map(|key| {
            let (_, column) = self.key_columns().find(|(known, _)| *known == key)?;
            let cell = row.cells.get(column)?.trim();
            (!cell.is_empty()).then(|| cell.to_owned())
        })
    }

    /// The columns that say which record a row is about.
    pub(super) fn key_columns(&self) -> impl Iterator<Item = (&'static str, usize)> {
        KEYS.into_iter().filter_map(|key| {
            let is_key = |matched: &Matched| matched.field.as_deref() == Some(key);
            Some((key, self.matched.iter().position(is_key)?))
        })
    }

    /// The fields that rows tell, as the store follows them.
    pub(crate) fn fields(&self) -> Vec<Vec<FieldStep>> {
        let all: Vec<_> = self.targets().map(|(_, target)| &target.steps).collect();
        let told = self.targets().map(|(_, Target { steps, form })| {
            let step = |(place, step): (usize, &Step)| match step {
                Step::Field(name) => Some(FieldStep::Field(name.clone())),
                Step::Items => Some(FieldStep::Items),
                Step::Whatever => None,
                Step::OtherLanguages => {
                    let beside = all.iter().filter(|other| other.starts_with(&steps[..place]));
                    let own = beside.filter_map(|other| match other.get(place) {
                        Some(Step::Field(tag)) => Some(tag.clone()),
                        _ => None,
                    });
                    let common = LANGUAGES.map(str::to_owned);
                    Some(FieldStep::LanguagesBut(common.into_iter().chain(own).collect()))
                }
            };
            let decimal = (*form == Form::Decimal).then_some(FieldStep::Decimal);
            steps.iter().enumerate().filter_map(step).chain(decimal).collect()
        });
        told.collect()
    }

    /// What is wrong with the headers in that row, where each is to be the path of a field; a column
    /// with nothing in it needs none.
    pub(crate) fn strange(&self, row: u64, filled: impl Fn(usize) -> bool) -> Vec<CellFault> {
        let columns = self.matched.iter().zip(&self.targets).enumerate();
        let strange = columns.filter(|(column, (matched, target))| match matched.how {
            How::Exact => target.is_none() && matched.header != REVISION,
            How::NotRead => false,
            _ => !matched.header.is_empty() || filled(*column),
        });
        let fault = |(column, (matched, _)): (usize, (&Matched, _))| CellFault {
            row,
            column: Some(letters(column)),
            header: Some(matched.header.clone()),
            field: String::new(),
            value: None,
            code: "unknown_column".to_owned(),
            detail: "No field has this path.".to_owned(),
        };
        strange.map(fault).collect()
    }

    /// Each column that is read, with its place.
    pub(super) fn targets(&self) -> impl Iterator<Item = (usize, &Target)> {
        let targets = self.targets.iter().enumerate();
        targets.filter_map(|(place, target)| Some((place, target.as_ref()?)))
    }
}

/// What is known of a header after a pass.
type Found = Option<(Option<String>, How)>;

struct Guess<'a> {
    headers: &'a [String],
    fields: &'a Fields,
    taken: BTreeSet<String>,
    faults: Vec<MappingFault>,
}

impl Guess<'_> {
    fn given(&mut self, header: &str, given: &BTreeMap<String, String>) -> Found {
        let field = given.get(header)?;
        if field.is_empty() {
            return Some((None, How::LeftOut));
        }
        if self.fields.find(field).is_some() || KEYS.contains(&&**field) {
            return Some(self.take(header, field, How::Given));
        }
        let detail = match (self.fields.is_set(field), self.fields.is_text(field)) {
            (true, _) => "The registry sets it: leave it out.".to_owned(),
            (_, true) => format!("It is a text: say in which language, as in {field}.en."),
            _ => "There is no such field.".to_owned(),
        };
        self.fault(header, field, "unknown_field", &detail);
        None
    }

    fn exact(&mut self, header: &str, _: &BTreeMap<String, String>) -> Found {
        let key = KEYS.contains(&header);
        if header == ERROR || (self.fields.is_set(header) && !key) {
            return Some((None, How::NotRead));
        }
        if !key {
            self.fields.find(header)?;
        }
        let twice = self.headers.iter().filter(|one| *one == header).count() > 1;
        match self.taken.contains(header) && !twice {
            true => Some((None, How::Taken)),
            false => Some(self.take(header, header, How::Exact)),
        }
    }

    fn guessed(&mut self, header: &str, _: &BTreeMap<String, String>) -> Found {
        let field = self.fields.meant(header)?;
        match self.taken.insert(field.clone()) {
            true => Some((Some(field), How::Guessed)),
            false => Some((None, How::Taken)),
        }
    }

    fn take(&mut self, header: &str, field: &str, how: How) -> (Option<String>, How) {
        if !self.taken.insert(field.to_owned()) {
            self.fault(header, field, "field_twice", "Another column has that field.");
        }
        (Some(field.to_owned()), how)
    }

    fn fault(&mut self, header: &str, field: &str, code: &'static str, detail: &str) {
        let (header, field) = (header.to_owned(), field.to_owned());
        self.faults.push(MappingFault { header, field, code, detail: detail.to_owned() });
    }
}

/// The fields that a resource has, as columns.
struct Fields {
    leaves: Vec<Leaf>,
    /// Those that only the registry sets.
    set: BTreeSet<String>,
    /// The paths of all fields, without the languages of texts, and whether they are texts.
    bases: BTreeMap<String, bool>,
}

impl Fields {
    fn of<R: Resource>() -> Self {
        let leaves = leaves_of_body::<R>();
        let set = leaves_of_record().into_iter().chain(leaves_derived::<R>());
        let texts: BTreeMap<_, _> =
            leaves.iter().filter_map(|leaf| Some((text_of(leaf)?, true))).collect();
        let inner =
            |name: &str| name.rsplit_once('.').is_some_and(|(base, _)| texts.contains_key(base));
        let others = leaves.iter().filter(|leaf| !inner(&leaf.name));
        let bases = others.map(|leaf| (leaf.name.clone(), false)).chain(texts.clone()).collect();
        Self { set: set.map(|leaf| leaf.name).collect(), bases, leaves }
    }

    fn is_set(&self, path: &str) -> bool {
        self.set.contains(path)
    }

    fn is_text(&self, path: &str) -> bool {
        self.bases.get(path) == Some(&true)
    }

    /// The column of that path; a text has one for every language there is.
    fn find(&self, path: &str) -> Option<Leaf> {
        let known = self.leaves.iter().find(|leaf| leaf.name == path);
        known.cloned().or_else(|| {
            let (text, tag) = path.rsplit_once('.')?;
            tag.parse::<LanguageTag>().ok()?;
            let others = format!("{text}.{OTHERS}");
            let mut leaf = self.leaves.iter().find(|leaf| leaf.name == others)?.clone();
            *leaf.steps.last_mut()? = Step::Field(tag.to_owned());
            Some(Leaf { name: path.to_owned(), ..leaf })
        })
    }

    /// The field that a header means: by its path, by the dictionary, or by the last part of its
    /// path, where only one field has that.
    fn meant(&self, header: &str) -> Option<String> {
        let whole = words::plain(header);
        if whole.is_empty() {
            return None;
        }
        let leaf = self.leaves.iter().find(|leaf| words::plain(&leaf.name) == whole);
        if let Some(leaf) = leaf {
            return Some(leaf.name.clone());
        }
        [(header, None), words::without_language(header)].into_iter().find_map(|(header, tag)| {
            let (base, language) = self
                .by_path(header)
                .or_else(|| self.by_word(header))
                .or_else(|| self.by_last(header))?;
            let language = tag.unwrap_or(language);
            Some(if self.is_text(&base) { format!("{base}.{language}") } else { base })
        })
    }

    fn by_path(&self, header: &str) -> Option<(String, &'static str)> {
        let header = words::plain(header);
        let base = self.bases.keys().find(|base| words::plain(base) == header)?;
        Some((base.clone(), "en"))
    }

    fn by_word(&self, header: &str) -> Option<(String, &'static str)> {
        let (fields, language) = words::meaning(header)?;
        let field = fields.iter().find(|field| self.bases.contains_key(**field))?;
        Some(((*field).to_owned(), language))
    }

    fn by_last(&self, header: &str) -> Option<(String, &'static str)> {
        let header = words::plain(header);
        let means = |base: &str| {
            let last = base.rsplit('.').next().unwrap_or(base);
            words::plain(last) == header || words::plain(&domain::relation(last)) == header
        };
        // Citations speak of the sources, and what people note in a sheet is no source.
        let own = self.bases.keys().filter(|base| !base.starts_with("citations."));
        let mut found = own.filter(|base| means(base));
        let base = found.next()?.clone();
        found.next().is_none().then_some((base, "en"))
    }
}

/// The path of the text that a column holds its other languages of.
fn text_of(leaf: &Leaf) -> Option<String> {
    let text = leaf.name.strip_suffix(OTHERS)?.strip_suffix('.')?;
    (leaf.steps.last() == Some(&Step::OtherLanguages)).then(|| text.to_owned())
}
