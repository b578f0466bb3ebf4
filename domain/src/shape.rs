use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
    sync::{LazyLock, Mutex},
};

use jsonschema::{
    Draft, JsonType, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use validator::{ValidationErrors, ValidationErrorsKind};

use crate::{
    CountryKind, Kind as _, LanguageKind, Resource,
    value::{RULES, Rule},
};

/// A rule that a body breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Violation {
    /// Where in the body, as a JSON pointer after RFC 6901.
    #[schema(example = "/starts_on")]
    pub pointer: String,
    /// Which rule, for programs.
    #[schema(example = "invalid_value")]
    pub code: String,
    /// What is wrong, for people.
    #[schema(example = "It ends before it starts.")]
    pub detail: String,
}

impl Violation {
    /// A broken rule.
    pub fn new(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.to_owned(), detail: detail.into() }
    }

    /// A field that is not there, by its place.
    #[must_use]
    pub fn unknown_field(pointer: impl Into<String>) -> Self {
        Self::new(pointer, "unknown_field", "There is no such field.")
    }

    /// Whether what was sent is at fault, rather than what it says or leaves out.
    #[must_use]
    pub fn is_of_form(&self) -> bool {
        ["unknown_field", "read_only", "wrong_type", "unknown_value"].contains(&&*self.code)
    }

    /// Which of several rules that a value breaks says most: that of the lowest number.
    fn rank(&self) -> u8 {
        match &*self.code {
            "wrong_type" => 0,
            "too_long" => 1,
            _ => 2,
        }
    }
}

/// Why a body was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It does not have the form of the resource: a name or a type is wrong, or a field is missing.
    Form(Vec<Violation>),
    /// It has the form, and says what cannot be.
    Meaning(Vec<Violation>),
}

/// What the contract says of a resource, made ready to be enforced.
pub struct Shape {
    /// Made when something is first to be judged: to read takes none.
    validator: LazyLock<Validator>,
    print: String,
    /// Something that each schema fits, where the contract shows one.
    examples: BTreeMap<String, Value>,
    references: Vec<ReferencePath>,
    texts: Vec<Vec<String>>,
    fields: HashSet<Vec<String>>,
}

/// The step to every item of a list, or to whatever an object has under names of its own.
const STAR: &str = "*";

/// Where a resource names another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferencePath {
    /// The steps to it; a star stands for every item of a list.
    pub steps: Vec<String>,
    /// The collection that it names a record of.
    pub collection: String,
}

impl ReferencePath {
    /// The field without places in lists.
    #[must_use]
    pub fn field(&self) -> String {
        self.steps
            .iter()
            .filter(|step| *step != STAR)
            .fold(String::new(), |all, step| all + "/" + step)
    }

    /// What those it leads to are called, of the record.
    #[must_use]
    pub fn relation(&self) -> String {
        self.steps.first().map_or_else(String::new, |step| relation(step))
    }
}

/// A reference found in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// The same without the places in lists.
    pub field: String,
    /// The collection that it names a record of.
    pub collection: String,
    /// The id or the slug of that record.
    pub key: String,
}

/// What the contract says of a resource, as a document of its own, and the schemas in it.
fn document<R: Resource>() -> (Value, Value) {
    let mut schemas = vec![(R::name().into_owned(), R::schema())];
    R::schemas(&mut schemas);
    let components: BTreeMap<_, _> = schemas.into_iter().collect();
    let components = json!(components);
    let root = json!({
        "$ref": format!("#/components/schemas/{}", R::name()),
        "components": {"schemas": components},
    });
    (root, components)
}

fn validator<R: Resource>() -> Validator {
    let mut options =
        jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    for rule in RULES {
        if let Some(name) = rule.format {
            options = options.with_format(name, rule.fits);
        }
    }
    options.build(&document::<R>().0).expect("the contract is a JSON schema")
}

impl Shape {
    /// The shape of `R`, made once.
    ///
    /// # Panics
    /// When the contract of `R` is no JSON schema, which the tests would have shown.
    #[must_use]
    pub fn of<R: Resource>() -> &'static Self {
        static SHAPES: LazyLock<Mutex<HashMap<&'static str, &'static Shape>>> =
            LazyLock::new(Mutex::default);
        let mut shapes = SHAPES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shapes.entry(R::COLLECTION).or_insert_with(|| Box::leak(Box::new(Self::make::<R>())))
    }

    fn make<R: Resource>() -> Self {
        let (root, components) = document::<R>();
        let (mut references, mut texts) = (Vec::new(), Vec::new());
        let mut fields = HashSet::new();
        each_property(&root, &components, &mut Vec::new(), &mut |steps, name, schema| {
            fields.insert(steps.to_vec());
            if let Some(collection) = schema["x-references"].as_str() {
                let collection = collection.to_owned();
                references.push(ReferencePath { steps: steps.to_vec(), collection });
            }
            let last = steps.last().map(String::as_str).unwrap_or_default();
            if name == Some("Text") || (name == Some("Line") && LINES_OF_TEXT.contains(&last)) {
                texts.push(steps.to_vec());
            }
        });
        let print = &Sha256::digest(root.to_string())[..6];
        let print = print.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let examples = components.as_object().into_iter().flatten().filter_map(|(name, schema)| {
            let shown = schema.pointer("/examples/0")?;
            Some((name.clone(), shown.clone()))
        });
        let examples = examples.collect();
        Self {
            validator: LazyLock::new(validator::<R>),
            print,
            examples,
            references,
            texts,
            fields,
        }
    }

    /// Tells it from every other shape.
    #[must_use]
    pub fn print(&self) -> &str {
        &self.print
    }

    /// Reads a body, or says everything that is wrong with it.
    pub fn read<R: Resource>(body: Value) -> Result<R, Refused> {
        let shape = Self::of::<R>();
        let mut found = Found::default();
        for error in shape.validator.iter_errors(&body) {
            shape.tell(&error, &mut found);
        }
        find_unkept(&body, String::new(), 0, &mut found);
        let broken = found.broken;
        if broken.iter().any(|one| one.is_of_form() || one.code == "missing_field") {
            return Err(Refused::Form(broken));
        }
        if !broken.is_empty() {
            return Err(Refused::Meaning(broken));
        }
        let read: R = serde_path_to_error::deserialize(body).map_err(|error| {
            let pointer = pointer_of(error.path());
            let detail = sentence(&error.into_inner().to_string());
            Refused::Meaning(vec![Violation::new(pointer, "invalid_value", detail)])
        })?;
        let mut broken = uncited(&json!(read));
        if let Err(errors) = read.validate() {
            collect(&errors, "", &mut broken);
        }
        if broken.is_empty() { Ok(read) } else { Err(Refused::Meaning(broken)) }
    }

    /// Whether there may be a field at the end of those steps, which lead through objects only.
    #[must_use]
    pub fn knows(&self, steps: &[String]) -> bool {
        let Some((_, parent)) = steps.split_last() else { return true };
        self.fields.contains(steps) || self.fields.contains(&[parent, &[STAR.to_owned()]].concat())
    }

    /// Where the resource names others.
    #[must_use]
    pub fn reference_paths(&self) -> &[ReferencePath] {
        &self.references
    }

    /// Every reference in a body.
    #[must_use]
    pub fn references(&self, body: &Value) -> Vec<Reference> {
        let mut found = Vec::new();
        for path in &self.references {
            follow(body, &path.steps, String::new(), &mut |pointer, value| {
                if let Value::String(key) = value {
                    found.push(Reference {
                        field: without_places(&pointer),
                        pointer,
                        collection: path.collection.clone(),
                        key: key.clone(),
                    });
                }
            });
        }
        found
    }

    /// Calls for every text that people would look for in a body, in each language, with the field
    /// of the body that it is in.
    pub fn texts<'a>(&'a self, body: &Value, call: &mut impl FnMut(&'a str, &str)) {
        for steps in &self.texts {
            let field = steps.first().map(String::as_str).unwrap_or_default();
            follow(body, steps, String::new(), &mut |_, value| match value {
                Value::String(text) => call(field, text),
                Value::Object(languages) => {
                    for text in languages.values().filter_map(Value::as_str) {
                        call(field, text);
                    }
                }
                _ => {}
            });
        }
    }

    /// Says what is wrong, without repeating what was sent.
    fn tell(&self, error: &ValidationError<'_>, found: &mut Found) {
        let at = error.instance_path().as_str().to_owned();
        let (code, detail) = match error.kind() {
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let pointer = format!("{at}/{name}");
                let missing =
                    Violation::new(pointer, "missing_field", format!("{name} is missing."));
                return found.note(missing);
            }
            Kind::AdditionalProperties { unexpected } => {
                return unexpected.iter().for_each(|name| found.note(unexpected_field(&at, name)));
            }
            // A value that may be null is one of two: what matters is why it is not the other.
            Kind::OneOfNotValid { context } | Kind::AnyOf { context } => {
                let others = context.iter().filter(|branch| !is_of_null(branch));
                return others.flatten().for_each(|error| self.tell(error, found));
            }
            Kind::PropertyNames { error } => {
                let name = error.instance().as_str().unwrap_or_default();
                let detail = format!("The name is {}.", LanguageKind::NONE);
                let pointer = format!("{at}/{}", escaped(name));
                return found.note(Violation::new(pointer, "invalid_language", detail));
            }
            Kind::Type { kind } => {
                let wanted = match kind {
                    TypeKind::Single(kind) => kind.to_string(),
                    TypeKind::Multiple(kinds) => {
                        let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_string()).collect();
                        kinds.join(" or ")
                    }
                };
                let shown = schema_of(error).and_then(|name| self.examples.get(name));
                let shown = shown.map(|shown| format!(", such as {shown}")).unwrap_or_default();
                ("wrong_type", format!("It is to be: {wanted}{shown}."))
            }
            Kind::Enum { options } => {
                let known: Vec<_> =
                    options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                // There are too many countries to name them all.
                let detail = match schema_of(error) == Some(&CountryKind::name()) {
                    true => format!("It is {}.", CountryKind::NONE),
                    false => format!("It is to be one of: {}.", known.join(", ")),
                };
                ("unknown_value", detail)
            }
            Kind::Pattern { pattern } => {
                ("invalid_value", format!("It is {}.", Rule::unlike(pattern)))
            }
            Kind::Format { format } => ("invalid_value", format!("It is {}.", Rule::unfit(format))),
            Kind::MaxLength { limit } => {
                ("too_long", format!("It has more than {limit} characters."))
            }
            Kind::MaxItems { limit } => {
                ("invalid_value", format!("It has more than {limit} items."))
            }
            Kind::Minimum { limit } | Kind::ExclusiveMinimum { limit } => {
                ("too_small", format!("It is at least {limit}."))
            }
            Kind::Maximum { limit } | Kind::ExclusiveMaximum { limit } => {
                ("too_large", format!("It is at most {limit}."))
            }
            Kind::MinProperties { .. } | Kind::MinItems { .. } | Kind::MinLength { .. } => {
                ("empty", "It is empty.".to_owned())
            }
            Kind::UniqueItems => {
                let items = error.instance().as_array().map(Vec::as_slice).unwrap_or_default();
                let mut known = HashSet::new();
                let place = items.iter().position(|item| !known.insert(item));
                let pointer = place.map_or_else(|| at.clone(), |place| format!("{at}/{place}"));
                let repeated = Violation::new(pointer, "repeated", "The list has the same before.");
                return found.note(repeated);
            }
            other => (
                "invalid_value",
                format!("It breaks the rule {} of the contract.", other.keyword()),
            ),
        };
        found.note(Violation::new(at, code, detail));
    }
}

/// What a field that refers to other records is called where those are meant: `project` for
/// `project_id`, `initiatives` for `initiative_ids`.
#[must_use]
pub fn relation(field: &str) -> String {
    match (field.strip_suffix("_ids"), field.strip_suffix("_id")) {
        (Some(one), _) => format!("{one}s"),
        (_, Some(one)) => one.to_owned(),
        _ => field.to_owned(),
    }
}
/// The lines that are names or words, and no codes.
const LINES_OF_TEXT: &[&str] =
    &["name", "native_name", "acronym", "signatory", "region", "reference"];

/// Calls for every value of a body that those steps lead to.
pub fn follow(
    at: &Value,
    steps: &[String],
    pointer: String,
    call: &mut impl FnMut(String, &Value),
) {
    match (steps.split_first(), at) {
        (None, value) => call(pointer, value),
        (Some((step, rest)), Value::Array(items)) if step == STAR => {
            for (place, item) in items.iter().enumerate() {
                follow(item, rest, format!("{pointer}/{place}"), call);
            }
        }
        (Some((step, rest)), Value::Object(fields)) => {
            if let Some(value) = fields.get(step) {
                follow(value, rest, format!("{pointer}/{step}"), call);
            }
        }
        _ => {}
    }
}

fn without_places(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).filter(|step| step.parse::<usize>().is_err());
    steps.fold(String::new(), |all, step| all + "/" + step)
}

/// Calls for every schema of a resource, with the steps that lead to it and the name it has.
fn each_property<'a>(
    schema: &'a Value,
    components: &'a Value,
    steps: &mut Vec<String>,
    call: &mut impl FnMut(&[String], Option<&'a str>, &'a Value),
) {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    call(steps, name, schema);
    if let Some(name) = name {
        each_property(&components[name], components, steps, call);
    }
    for alternatives in ["oneOf", "anyOf", "allOf"] {
        for one in schema[alternatives].as_array().into_iter().flatten() {
            each_property(one, components, steps, call);
        }
    }
    let fields = schema["properties"].as_object().into_iter().flatten();
    let named = schema.get("additionalProperties").filter(|inner| inner.is_object());
    for (step, inner) in fields
        .map(|(name, inner)| (name.as_str(), inner))
        .chain(schema.get("items").or(named).map(|inner| (STAR, inner)))
    {
        steps.push(step.to_owned());
        each_property(inner, components, steps, call);
        steps.pop();
    }
}

/// How deep lists and objects lie in each other at most. Records themselves take half of it; the rest is
/// for values of any type. What is kept has to be read again, also where it stands within something else.
const DEEPEST: usize = 16;
/// How names begin that the reader of JSON takes for its own.
const OF_THE_READER: &str = "$serde_json::private";

/// What cannot be kept, wherever it stands: no database keeps a NUL in a text, and what lies too deep or
/// has a name of the reader's own could not be read again.
fn find_unkept(at: &Value, pointer: String, depth: usize, found: &mut Found) {
    match at {
        Value::String(text) if text.contains('\0') => {
            found.note(Violation::new(pointer, "nul", "A text holds the character NUL."));
        }
        Value::Array(_) | Value::Object(_) if depth == DEEPEST => {
            let detail = format!("Lists and objects lie more than {DEEPEST} deep in each other.");
            found.note(Violation::new(pointer, "too_deep", detail));
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                find_unkept(item, format!("{pointer}/{place}"), depth + 1, found);
            }
        }
        Value::Object(fields) => {
            if fields.keys().any(|name| name.contains('\0')) {
                found.note(Violation::new(&*pointer, "nul", "A name holds the character NUL."));
            }
            for (name, field) in fields {
                let pointer = format!("{pointer}/{}", escaped(name));
                if name.starts_with(OF_THE_READER) {
                    let detail = "No field can have this name.";
                    found.note(Violation::new(&*pointer, "unknown_field", detail));
                }
                find_unkept(field, pointer, depth + 1, found);
            }
        }
        _ => {}
    }
}

/// A name as a step of a JSON pointer.
#[must_use]
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The name of the schema that a value was held against, where it has one.
fn schema_of<'a>(error: &'a ValidationError<'_>) -> Option<&'a str> {
    let place = error.schema_path().as_str().strip_prefix("/components/schemas/")?;
    let (name, keyword) = place.split_once('/')?;
    Some(name).filter(|_| !keyword.contains('/'))
}

/// The rules that a body was found to break.
#[derive(Default)]
struct Found {
    broken: Vec<Violation>,
    /// Where each is among them, by its place, and whether it is about a name there.
    places: HashMap<(String, bool), usize>,
}

impl Found {
    /// Notes a broken rule. A value that is wrong is wrong once, however many rules it breaks: that
    /// which says most is kept. A name is another thing than what stands under it.
    fn note(&mut self, new: Violation) {
        let place = (new.pointer.clone(), new.code == "invalid_language");
        match self.places.entry(place) {
            Entry::Vacant(free) => {
                free.insert(self.broken.len());
                self.broken.push(new);
            }
            Entry::Occupied(known) => {
                let known = &mut self.broken[*known.get()];
                if new.rank() < known.rank() {
                    *known = new;
                }
            }
        }
    }
}

/// Whether an alternative is that of null, which is told by nothing but its type.
fn is_of_null(branch: &[ValidationError<'_>]) -> bool {
    let null = |error: &ValidationError<'_>| {
        matches!(error.kind(), Kind::Type { kind: TypeKind::Single(JsonType::Null) })
    };
    matches!(branch, [error] if null(error))
}

/// What is wrong with a field that the contract does not have.
fn unexpected_field(at: &str, name: &str) -> Violation {
    let read_only =
        ["id", "revision", "state", "created_at", "updated_at", "published_at", "label"];
    let pointer = format!("{at}/{}", escaped(name));
    if at.is_empty() && read_only.contains(&name) {
        return Violation::new(pointer, "read_only", "The registry sets it: leave it out.");
    }
    Violation::unknown_field(pointer)
}

/// The citations of fields that the record does not have.
fn uncited(body: &Value) -> Vec<Violation> {
    let citations = body["citations"].as_array().into_iter().flatten();
    citations
        .enumerate()
        .filter(|(_, citation)| {
            let field = citation["field"].as_str().unwrap_or_default();
            body.pointer(field).is_none() || field.starts_with("/citations")
        })
        .map(|(place, _)| {
            let pointer = format!("/citations/{place}/field");
            Violation::new(pointer, "unknown_field_cited", "The record has no such field.")
        })
        .collect()
}

/// What breaks a rule, at a place below what the rule is of.
pub(crate) fn broken_at(
    pointer: impl Serialize,
    code: &'static str,
    detail: &'static str,
) -> validator::ValidationError {
    let mut error = validator::ValidationError::new(code).with_message(detail.into());
    error.add_param("pointer".into(), &pointer);
    error
}

fn collect(errors: &ValidationErrors, at: &str, broken: &mut Vec<Violation>) {
    let mut fields: Vec<_> = errors.errors().iter().collect();
    fields.sort_by(|a, b| a.0.cmp(b.0));
    for (field, kind) in fields {
        let pointer = if field == "__all__" { at.to_owned() } else { format!("{at}/{field}") };
        match kind {
            ValidationErrorsKind::Struct(inner) => collect(inner, &pointer, broken),
            ValidationErrorsKind::List(items) => {
                for (place, inner) in items {
                    collect(inner, &format!("{pointer}/{place}"), broken);
                }
            }
            ValidationErrorsKind::Field(rules) => broken.extend(rules.iter().map(|rule| {
                let rest = rule.params.get("pointer").and_then(Value::as_str).unwrap_or_default();
                let detail = rule.message.as_deref().unwrap_or("It breaks a rule.");
                Violation::new(format!("{pointer}{rest}"), &rule.code, detail)
            })),
        }
    }
}

/// Where a reader stopped, as a JSON pointer.
#[must_use]
pub fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |all, segment| match segment {
        Segment::Seq { index } => format!("{all}/{index}"),
        Segment::Map { key } => format!("{all}/{}", escaped(key)),
        Segment::Enum { variant } => format!("{all}/{variant}"),
        Segment::Unknown => all,
    })
}

/// The same as a sentence.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{start}{}.", letters.as_str().trim_end_matches('.'))
}
