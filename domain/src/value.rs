//! Values that are strings in JSON and follow a rule of their own.
//!
//! Each kind tells its rule once: the contract states it, and [`Shape`](crate::Shape) enforces what
//! the contract states.
use std::{borrow::Cow, fmt, marker::PhantomData, str::FromStr};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeZone as _};
use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, ObjectBuilder, RefOr, Schema, SchemaFormat, Type, extensions::ExtensionsBuilder,
    },
};
use uuid::Uuid;

use crate::{EmailKind, FullDateKind, PartialDateKind, Project, Resource};

/// The rule that a kind of string follows.
pub trait Kind: 'static {
    /// Its name in the contract.
    fn name() -> Cow<'static, str>;
    /// What it is, in words.
    fn about() -> Cow<'static, str>;
    /// What a text that is none of this kind is told to be: it is "no slug".
    const NONE: &'static str;
    /// A real one.
    const EXAMPLE: &'static str;
    /// The regular expression that it matches.
    const PATTERN: &'static str;
    /// The same, compiled.
    #[must_use]
    fn pattern() -> &'static Regex;
    /// How many characters it has at most.
    const MAX: usize = 300;
    /// The name of the rule that no pattern can tell.
    const FORMAT: Option<&'static str> = None;
    /// Every value there is, where they are few enough to be told.
    #[must_use]
    fn all() -> Option<Vec<&'static str>> {
        None
    }
    /// Whether it keeps the rule that no pattern can tell.
    #[must_use]
    fn fits(_text: &str) -> bool {
        true
    }
    /// The one way to write it, where there are several.
    #[must_use]
    fn canonical(text: &str) -> String {
        text.to_owned()
    }
    /// The collection whose records it names.
    #[must_use]
    fn refers_to() -> Option<&'static str> {
        None
    }
}

/// A string of that kind.
pub struct Checked<K>(String, PhantomData<fn() -> K>);

impl<K> Checked<K> {
    /// The string itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<K: Kind> FromStr for Checked<K> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.chars().count() <= K::MAX && K::pattern().is_match(text) && K::fits(text) {
            Ok(Self(K::canonical(text), PhantomData))
        } else {
            Err(format!("it is {}", K::NONE))
        }
    }
}

impl<K> Clone for Checked<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<K> fmt::Debug for Checked<K> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, to)
    }
}

impl<K> PartialEq for Checked<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Checked<K> {}

impl<K> Serialize for Checked<K> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Checked<K> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl<K: Kind> PartialSchema for Checked<K> {
    fn schema() -> RefOr<Schema> {
        Schema::Object(object::<K>()).into()
    }
}

fn object<K: Kind>() -> Object {
    let object = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(K::about()))
        .examples([K::EXAMPLE]);
    let rule = match K::all() {
        Some(all) => object.enum_values(Some(all)),
        None => object
            .pattern(Some(K::PATTERN))
            .max_length(Some(K::MAX))
            .format(K::FORMAT.map(|name| SchemaFormat::Custom(name.to_owned()))),
    };
    let mut object = rule.build();
    if let Some(collection) = K::refers_to() {
        object.extensions = Some(ExtensionsBuilder::new().add("x-references", collection).build());
    }
    object
}

impl<K: Kind> ToSchema for Checked<K> {
    fn name() -> Cow<'static, str> {
        K::name()
    }
}

/// What tells whether a text is of a kind, by the names that the contract has for it.
pub(crate) struct Rule {
    pattern: &'static str,
    pub(crate) format: Option<&'static str>,
    pub(crate) fits: fn(&str) -> bool,
    none: &'static str,
}

impl Rule {
    const fn of<K: Kind>() -> Self {
        Self { pattern: K::PATTERN, format: K::FORMAT, fits: K::fits, none: K::NONE }
    }

    /// What a text that does not match that pattern is told to be.
    pub(crate) fn unlike(pattern: &str) -> &'static str {
        let rule = RULES.iter().find(|rule| rule.pattern == pattern);
        rule.map_or("not of the form that the contract tells", |rule| rule.none)
    }

    /// What a text that does not keep the rule of that name is told to be.
    pub(crate) fn unfit(format: &str) -> &'static str {
        match RULES.iter().find(|rule| rule.format == Some(format)) {
            Some(Rule { format: SlugKind::FORMAT, .. }) => {
                "of the form of an id, which it could not be told from"
            }
            rule => rule.map_or("not what the contract tells", |rule| rule.none),
        }
    }
}

/// The rules of the kinds that bodies are made of.
pub(crate) const RULES: &[Rule] = &[
    Rule::of::<SlugKind>(),
    Rule::of::<CodeKind>(),
    Rule::of::<To<Project>>(),
    Rule::of::<KeyKind>(),
    Rule::of::<LanguageKind>(),
    Rule::of::<CurrencyKind>(),
    Rule::of::<UrlKind>(),
    Rule::of::<ZoneKind>(),
    Rule::of::<DurationKind>(),
    Rule::of::<LocalTimeKind>(),
    Rule::of::<LineKind>(),
    Rule::of::<ProseKind>(),
    Rule::of::<OrcidKind>(),
    Rule::of::<MediaTypeKind>(),
    Rule::of::<Sha256Kind>(),
    Rule::of::<DecimalKind>(),
    Rule::of::<PointerKind>(),
    Rule::of::<FullDateKind>(),
    Rule::of::<PartialDateKind>(),
    Rule::of::<EmailKind>(),
];

/// A regular expression, compiled once.
macro_rules! compiled {
    ($pattern:expr) => {{
        static COMPILED: std::sync::LazyLock<::regex::Regex> = std::sync::LazyLock::new(|| {
            ::regex::Regex::new($pattern).expect("the pattern of a value is a regular expression")
        });
        &COMPILED
    }};
}
pub(crate) use compiled;

/// One of a few words. What each of them means stands in the contract, a line each after what the whole
/// is: the contract has no place of its own for that, and its maker has none either.
macro_rules! words {
    ($(#[doc = $about:literal])+ pub enum $name:ident {
        $($(#[doc = $meaning:literal])+ $word:ident,)+
    }) => {
        $(#[doc = $about])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize,
            ::utoipa::ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        #[schema(description = concat!($($about,)+ $("\n-", $($meaning,)+)+))]
        pub enum $name {
            $($(#[doc = $meaning])+ $word,)+
        }
    };
}
pub(crate) use words;

macro_rules! kind {
    ($(#[doc = $about:literal])* $alias:ident, $kind:ident, $example:literal, $pattern:literal, $none:literal
        $(, max $max:literal)? $(, format $format:literal $fits:expr)? $(, of $all:expr)?
        $(, canonical $canonical:expr)?) => {
        $(#[doc = $about])*
        pub type $alias = Checked<$kind>;
        #[doc = concat!("The rule of [`", stringify!($alias), "`].")]
        pub enum $kind {}
        impl Kind for $kind {
            fn name() -> ::std::borrow::Cow<'static, str> { stringify!($alias).into() }
            fn about() -> ::std::borrow::Cow<'static, str> { concat!($($about),*).trim().into() }
            const NONE: &'static str = $none;
            const EXAMPLE: &'static str = $example;
            const PATTERN: &'static str = $pattern;
            fn pattern() -> &'static ::regex::Regex { $crate::value::compiled!($pattern) }
            $(const MAX: usize = $max;)?
            $(const FORMAT: Option<&'static str> = Some($format);
              fn fits(text: &str) -> bool { let fits: fn(&str) -> bool = $fits; fits(text) })?
            $(fn all() -> Option<Vec<&'static str>> { Some($all) }
              fn fits(text: &str) -> bool { $all.contains(&text) })?
            $(fn canonical(text: &str) -> String { $canonical(text).into_owned() })?
        }
    };
}
pub(crate) use kind;

kind!(/// A short name in addresses: lower-case letters, digits and hyphens.
    Slug, SlugKind, "first-seminar-2021", "^[a-z0-9-]{1,80}$",
    "no slug: those are lower-case letters, digits and hyphens", max 80,
    format "slug" |text| Uuid::try_parse(text).is_err());
kind!(/// A country by its ISO 3166-1 alpha-2 code.
    CountryCode, CountryKind, "KZ", "^[A-Z]{2}$",
    "no country of ISO 3166-1, such as KZ", max 2,
    of crate::Country::codes());
kind!(/// A language by its BCP 47 tag.
    LanguageTag, LanguageKind, "ru", "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
    "no language tag of BCP 47, such as ru", max 35,
    format "bcp47" is_language);
kind!(/// A currency by its ISO 4217 code.
    CurrencyCode, CurrencyKind, "KRW", "^[A-Z]{3}$",
    "no currency of ISO 4217, such as KRW", max 3,
    format "iso-4217" |text| iso_currency::Currency::from_code(text).is_some());
kind!(/// A currency by its ISO 4217 code, to look for; one that nothing is in finds nothing.
    SoughtCurrency, SoughtCurrencyKind, "KRW", "^[A-Z]{3}$",
    "no currency of ISO 4217, such as KRW", max 3);
kind!(/// An address that begins with http or https.
    Url, UrlKind, "https://example.org/seminars", "^https?://[^\\s\\x00-\\x20\\x7f]+$",
    "no address that begins with http or https", max 2000,
    format "http-url" |text| url::Url::parse(text).is_ok_and(|url| url.has_host()));
kind!(/// A time zone by its name in the IANA database.
    TimeZone, ZoneKind, "Asia/Almaty", "^[A-Za-z0-9_+/-]{1,64}$",
    "no time zone of the IANA database, such as Asia/Almaty", max 64,
    format "iana-time-zone" |text| text.parse::<chrono_tz::Tz>().is_ok());
kind!(/// A length of time after ISO 8601: years, months and days, or weeks, in whole numbers.
    IsoDuration, DurationKind, "P3Y", "^P(?:[0-9]{1,4}Y(?:[0-9]{1,4}M)?(?:[0-9]{1,4}D)?|[0-9]{1,4}M(?:[0-9]{1,4}D)?|[0-9]{1,4}[WD])$",
    "no length of time in years, months and days, or in weeks, such as P1Y6M", max 20);
kind!(/// A time of day at the place, to the minute.
    LocalTime, LocalTimeKind, "09:30", "^(?:[01][0-9]|2[0-3]):[0-5][0-9]$",
    "no time of day, such as 09:30", max 5);
/// A text as it is kept: no table gives back white space at its ends, nor other ends of its lines.
pub(crate) fn kept(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    match text.contains('\r') {
        true => text.replace("\r\n", "\n").replace('\r', "\n").into(),
        false => text.into(),
    }
}

kind!(/// One line of text; white space at its ends is not kept.
    Line, LineKind, "UNDP", "^[^\\x00-\\x1f\\x7f]*[^\\s\\x00-\\x20\\x7f-\\x9f\\ufffe\\uffff][^\\x00-\\x1f\\x7f]*$",
    "no line of text: nothing in it can be read, or it has a line break or another control character",
    canonical kept);
kind!(/// Plain text, of one line or more; white space at its ends is not kept.
    Prose, ProseKind, "The year follows from the agreement of July 2021.", "^[^\\x00]*[^\\s\\x00-\\x20\\x7f-\\x9f\\ufffe\\uffff][^\\x00]*$",
    "no text: nothing in it can be read, or it holds the character NUL", max 10000,
    canonical kept);
kind!(/// A person's ORCID identifier, of which the last character is the check digit of the others.
    Orcid, OrcidKind, "0000-0002-1825-0097", "^[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$",
    "no ORCID identifier, such as 0000-0002-1825-0097", max 19);
kind!(/// A media type.
    MediaType, MediaTypeKind, "application/pdf", "^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}$",
    "no media type, such as application/pdf");
kind!(/// A SHA-256 digest in lower-case hexadecimal.
    Sha256, Sha256Kind, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "^[0-9a-f]{64}$",
    "no SHA-256 digest in lower-case hexadecimal", max 64);
kind!(/// The id or the slug of a record.
    Key, KeyKind, "first-seminar-2021", "^[A-Za-z0-9.-]{1,80}$",
    "no id and no slug", max 80);
kind!(/// A decimal number, as a string so that no digit is lost.
    Decimal, DecimalKind, "250000000000", "^-?[0-9]{1,18}(?:\\.[0-9]{1,6})?$",
    "no decimal number of at most 18 digits and 6 after the point", max 26,
    format "decimal" |text| text.parse::<rust_decimal::Decimal>().is_ok());
kind!(/// A JSON pointer to a property of the record, after RFC 6901.
    Pointer, PointerKind, "/starts_on", "^(?:/[a-z0-9_]{1,60}){1,8}$",
    "no JSON pointer to a property, such as /starts_on");

impl Decimal {
    /// Whether it is nothing, however it is written.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        !self.as_str().contains(|digit: char| ('1'..='9').contains(&digit))
    }

    /// Whether it is less than nothing.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.as_str().starts_with('-') && !self.is_zero()
    }
}

impl TimeZone {
    /// That hour of that day there: of an hour that is there twice the first, and none of one that is
    /// left out.
    #[must_use]
    pub fn at(&self, day: NaiveDate, time: &LocalTime) -> Option<DateTime<FixedOffset>> {
        let zone: chrono_tz::Tz = self.as_str().parse().ok()?;
        let time = NaiveTime::parse_from_str(time.as_str(), "%H:%M").ok()?;
        let there = zone.from_local_datetime(&day.and_time(time)).earliest()?;
        Some(there.fixed_offset())
    }
}

impl Orcid {
    /// Whether the last character is what ISO 7064 MOD 11-2 makes of the digits before it.
    #[must_use]
    pub fn has_its_check_digit(&self) -> bool {
        let mut digits = self.as_str().chars().filter(|one| *one != '-');
        let check = digits.next_back();
        let sum = digits.filter_map(|one| one.to_digit(10)).fold(0, |sum, digit| (sum + digit) * 2);
        let wanted = match (12 - sum % 11) % 11 {
            10 => Some('X'),
            digit => char::from_digit(digit, 10),
        };
        check == wanted
    }
}

fn is_language(text: &str) -> bool {
    oxilangtag::LanguageTag::parse_and_normalize(text).is_ok_and(|tag| {
        let primary = tag.primary_language();
        let known = match primary.len() {
            2 => isolang::Language::from_639_1(primary).is_some(),
            _ => isolang::Language::from_639_3(primary).is_some(),
        };
        known && tag.as_str() == text
    })
}

/// The rule of a reference to a record of `R`.
pub struct To<R>(PhantomData<fn() -> R>);

/// Names a record of `R` by its id or, when written, by its slug.
pub type Ref<R> = Checked<To<R>>;

impl<R: Resource> Kind for To<R> {
    fn name() -> Cow<'static, str> {
        format!("{}Ref", R::name()).into()
    }
    fn about() -> Cow<'static, str> {
        format!("Names one of the {}: write its id or its slug, read its id.", R::COLLECTION).into()
    }
    const NONE: &'static str = "no id and no slug";
    const EXAMPLE: &'static str = "01931f6e-6c00-7000-8000-000000000001";
    // The slug of a topic is its code, which may have dots.
    const PATTERN: &'static str = "^[a-z0-9.-]{1,80}$";
    fn pattern() -> &'static Regex {
        compiled!("^[a-z0-9.-]{1,80}$")
    }
    const MAX: usize = 80;
    fn refers_to() -> Option<&'static str> {
        Some(R::COLLECTION)
    }
}

impl<R: Resource> Ref<R> {
    /// The id of the record.
    ///
    /// # Panics
    /// When the reference still holds a slug: references are resolved before they are stored.
    #[must_use]
    pub fn id(&self) -> Uuid {
        Uuid::try_parse(&self.0).expect("references are resolved before they are stored")
    }
}

kind!(/// What a topic is called in other records and in addresses: lower-case letters, digits, hyphens and dots.
    Code, CodeKind, "digitalisation", "^[a-z0-9](?:[a-z0-9.-]{0,34}[a-z0-9])?$",
    "no code of a topic: those are lower-case letters, digits, hyphens and dots", max 36,
    format "slug" SlugKind::fits);

/// Names a topic by its code.
pub type TopicCode = Checked<TopicKind>;
/// The rule of [`TopicCode`].
pub enum TopicKind {}

impl Kind for TopicKind {
    fn name() -> Cow<'static, str> {
        "TopicCode".into()
    }
    fn about() -> Cow<'static, str> {
        "Names a topic by its code.".into()
    }
    const NONE: &'static str = CodeKind::NONE;
    const EXAMPLE: &'static str = "digitalisation";
    const PATTERN: &'static str = CodeKind::PATTERN;
    fn pattern() -> &'static Regex {
        CodeKind::pattern()
    }
    const MAX: usize = 36;
    const FORMAT: Option<&'static str> = Some("slug");
    fn fits(text: &str) -> bool {
        SlugKind::fits(text)
    }
    fn refers_to() -> Option<&'static str> {
        Some("topics")
    }
}
