//! A finished activity by the schema and the rules of the standard, judged by what is written alone.
//!
//! Whatever is missed here was written wrongly, since `gaps` has found the project to be complete:
//! such a file is never sent. What the schema knows and we never write is not looked into.
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use domain::a_year_after;
use quick_xml::{
    Reader,
    events::{BytesStart, Event as Part},
};
use serde::Serialize;

use super::{
    Unwritten,
    gaps::{FORBIDDEN, begins_with_agency, follows, is_whole, wrong_sector},
};

/// What is wrong in a file of activities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IatiFault {
    /// The rule that is broken: of the schema, of a codelist or of the ruleset, or ours.
    pub rule: String,
    /// The elements that it is in, from the outside in.
    pub place: String,
    /// What the rule asks for.
    pub detail: String,
}

/// What is wrong in a whole file, as of that day.
#[must_use]
pub fn iati_faults(file: &[u8], today: NaiveDate) -> Vec<IatiFault> {
    Check::run(file, "iati-activities", &ACTIVITIES, today)
}

/// The same activity, unless something is wrong in it, which is ours to mend.
pub(super) fn sound(activity: Vec<u8>, today: NaiveDate) -> Result<Vec<u8>, Unwritten> {
    let faults = Check::run(&activity, "iati-activity", &ACTIVITY, today);
    if faults.is_empty() {
        return Ok(activity);
    }
    let identifier = Node::read(&activity).ok().map(|it| it.text_of("iati-identifier").to_owned());
    tracing::error!(?identifier, ?faults, "an activity breaks the rules of IATI and is not sent");
    Err(Unwritten::Unsound)
}

/// What the value of an attribute or the text of an element looks like.
pub(super) enum Form {
    /// Any text.
    Text,
    /// A text that is not blank.
    Filled,
    /// A day.
    Day,
    /// A day and a time.
    Time,
    /// A number.
    Number,
    /// A whole number above zero.
    Positive,
    /// Degrees north and degrees east.
    Position,
    /// Yes or no.
    Flag,
    /// One of the codes of a codelist.
    Code(&'static str, &'static [&'static str]),
    /// So many capital letters, of a codelist.
    Capitals(&'static str, usize),
}
use Form::{Capitals, Code, Day, Filled, Flag, Number, Position, Positive, Text, Time};

impl Form {
    pub(super) fn holds(&self, value: &str) -> bool {
        match self {
            Text => true,
            Filled => !value.trim().is_empty(),
            Day => day(value).is_some(),
            Time => DateTime::parse_from_rfc3339(value).is_ok(),
            Number => is_number(value),
            Positive => value.parse::<u32>().is_ok_and(|number| number > 0),
            Position => value
                .split_once(' ')
                .is_some_and(|(north, east)| is_number(north) && is_number(east)),
            Flag => ["0", "1", "false", "true"].contains(&value),
            Code(_, codes) => codes.contains(&value),
            Capitals(_, length) => {
                value.len() == *length && value.bytes().all(|letter| letter.is_ascii_uppercase())
            }
        }
    }

    /// The rule that an attribute of that form keeps.
    fn rule(&self, node: &Node, attribute: &str) -> String {
        match self {
            Code(codelist, _) | Capitals(codelist, _) => format!("codelist:{codelist}"),
            _ => format!("xsd:{}@{attribute}", node.name),
        }
    }
}

/// An attribute: its name, whether it must be there, and its form.
type Attribute = (&'static str, bool, Form);
/// An element within another: its name, how often at least and at most, and what it is.
type Child = (&'static str, usize, usize, &'static Element);

/// What an element has.
struct Element {
    attributes: &'static [Attribute],
    content: Content,
}

/// What is within an element.
enum Content {
    /// Elements in that order.
    Elements(&'static [Child]),
    /// A text.
    Of(Form),
    /// What we never write.
    Unseen,
}
use Content::{Elements, Of, Unseen};

const MUST: bool = true;
const MAY: bool = false;
const MANY: usize = usize::MAX;

const UNSEEN: Element = Element { attributes: &[], content: Unseen };
/// A code that we never write.
const CODED: Element = Element { attributes: &[("code", MUST, Filled)], content: Elements(&[]) };
const DATED: Element = Element { attributes: &[("iso-date", MUST, Day)], content: Elements(&[]) };
const NARRATIVE: Element =
    Element { attributes: &[("xml:lang", MAY, LANGUAGE)], content: Of(Filled) };
const NARRATIVES: Content = Elements(&[("narrative", 1, MANY, &NARRATIVE)]);
const MAYBE_NARRATIVES: Content = Elements(&[("narrative", 0, MANY, &NARRATIVE)]);
const WORDS: Element = Element { attributes: &[], content: NARRATIVES };

const ORGANISATION_TYPE: Form = Code(
    "OrganisationType",
    &[
        "10", "11", "15", "21", "22", "23", "24", "30", "40", "60", "70", "71", "72", "73", "80",
        "90",
    ],
);

// These codelists are none of the standard's own and grow beside it: as they were in 2025, with what
// was withdrawn from them, since older activities may have it.
pub(super) const AID_TYPE: Form = Code(
    "AidType",
    &[
        "A00", "A01", "A02", "B01", "B02", "B021", "B022", "B02a", "B02b", "B03", "B031", "B032",
        "B033", "B04", "B05", "C01", "D01", "D011", "D012", "D013", "D02", "D021", "E01", "E02",
        "F01", "F02", "F03", "G01", "H00", "H01", "H02", "H03", "H04", "H05", "H06", "I01", "I02",
        "I03", "I04", "I05", "J01", "K01", "K011", "K012", "K02", "L01",
    ],
);
pub(super) const FINANCE_TYPE: Form = Code(
    "FinanceType",
    &[
        "1", "2", "3", "4", "110", "111", "200", "210", "211", "300", "310", "311", "400", "410",
        "411", "412", "413", "414", "421", "422", "423", "424", "425", "431", "432", "433", "434",
        "451", "452", "453", "510", "511", "512", "520", "530", "610", "611", "612", "613", "614",
        "615", "616", "617", "618", "620", "621", "622", "623", "624", "625", "626", "627", "630",
        "631", "632", "633", "634", "635", "636", "637", "638", "639", "700", "710", "711", "712",
        "800", "810", "811", "900", "910", "911", "912", "1100", "1101", "1102", "1103", "1104",
        "1105", "1106", "1107", "1108", "2100", "3100", "4221", "4222",
    ],
);
pub(super) const FLOW_TYPE: Form =
    Code("FlowType", &["10", "20", "21", "22", "30", "35", "36", "37", "40", "50"]);
pub(super) const TIED_STATUS: Form = Code("TiedStatus", &["3", "4", "5"]);
pub(super) const SECTOR_VOCABULARY: Form = Code(
    "SectorVocabulary",
    &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "98", "99"],
);
pub(super) const REGION_VOCABULARY: Form = Code("RegionVocabulary", &["1", "2", "99"]);
/// The regions of DAC.
pub(super) const REGION: Form = Code(
    "Region",
    &[
        "88", "89", "189", "289", "298", "380", "389", "489", "498", "589", "619", "679", "689",
        "789", "798", "889", "998", "1027", "1028", "1029", "1030", "1031", "1032", "1033", "1034",
        "1035",
    ],
);

/// The categories that the sectors of DAC fall into. They hardly grow, while the sectors do each year: a
/// sector is told to be one by the first digits of its code, which are those of its category.
pub(super) const SECTOR_CATEGORY: Form = Code(
    "SectorCategory",
    &[
        "111", "112", "113", "114", "121", "122", "123", "130", "140", "151", "152", "160", "210",
        "220", "230", "231", "232", "233", "234", "235", "236", "240", "250", "311", "312", "313",
        "321", "322", "323", "331", "332", "410", "430", "510", "520", "530", "600", "720", "730",
        "740", "910", "920", "930", "998",
    ],
);
pub(super) const LANGUAGE: Form = Code(
    "Language",
    &[
        "aa", "ab", "ae", "af", "ak", "am", "an", "ar", "as", "av", "ay", "az", "ba", "be", "bg",
        "bh", "bi", "bm", "bn", "bo", "br", "bs", "ca", "ce", "ch", "co", "cr", "cs", "cv", "cy",
        "da", "de", "dv", "dz", "ee", "el", "en", "eo", "es", "et", "eu", "fa", "ff", "fi", "fj",
        "fo", "fr", "fy", "ga", "gd", "gl", "gn", "gu", "gv", "ha", "he", "hi", "ho", "hr", "ht",
        "hu", "hy", "hz", "id", "ig", "ii", "ik", "io", "is", "it", "iu", "ja", "jv", "ka", "kg",
        "ki", "kj", "kk", "kl", "km", "kn", "ko", "kr", "ks", "ku", "kv", "kw", "ky", "la", "lb",
        "lg", "li", "ln", "lo", "lt", "lu", "lv", "mg", "mh", "mi", "mk", "ml", "mn", "mr", "ms",
        "mt", "my", "na", "nb", "nd", "ne", "ng", "nl", "nn", "no", "nr", "nv", "ny", "oc", "oj",
        "om", "or", "os", "pa", "pi", "pl", "ps", "pt", "qu", "rm", "rn", "ro", "ru", "rw", "sa",
        "sc", "sd", "se", "sg", "si", "sk", "sl", "sm", "sn", "so", "sq", "sr", "ss", "st", "su",
        "sv", "sw", "ta", "te", "tg", "th", "ti", "tk", "tl", "tn", "to", "tr", "ts", "tt", "tw",
        "ty", "ug", "uk", "ur", "uz", "ve", "vi", "vo", "wa", "wo", "xh", "yi", "yo", "za", "zh",
        "zu",
    ],
);

/// Flows are told by codes of these, of an activity and of a transaction.
const FLOW: Element = Element { attributes: &[("code", MUST, FLOW_TYPE)], content: Elements(&[]) };
const FINANCE: Element =
    Element { attributes: &[("code", MUST, FINANCE_TYPE)], content: Elements(&[]) };
const AID: Element = Element {
    attributes: &[("code", MUST, AID_TYPE), ("vocabulary", MAY, Filled)],
    content: Elements(&[]),
};
const TIED: Element =
    Element { attributes: &[("code", MUST, TIED_STATUS)], content: Elements(&[]) };

const ACTIVITIES: Element = Element {
    attributes: &[("version", MUST, Code("Version", &["2.03"])), ("generated-datetime", MAY, Time)],
    content: Elements(&[("iati-activity", 1, MANY, &ACTIVITY)]),
};

const ACTIVITY: Element = Element {
    attributes: &[
        ("xml:lang", MAY, LANGUAGE),
        ("default-currency", MAY, Capitals("Currency", 3)),
        ("last-updated-datetime", MAY, Time),
        ("hierarchy", MAY, Positive),
    ],
    content: Elements(&[
        ("iati-identifier", 1, 1, &Element { attributes: &[], content: Of(Filled) }),
        ("reporting-org", 1, 1, &REPORTING_ORG),
        ("title", 1, 1, &WORDS),
        ("description", 1, MANY, &DESCRIPTION),
        ("participating-org", 1, MANY, &PARTICIPATING_ORG),
        ("other-identifier", 0, MANY, &UNSEEN),
        ("activity-status", 1, 1, &ACTIVITY_STATUS),
        ("activity-date", 1, MANY, &ACTIVITY_DATE),
        ("contact-info", 0, MANY, &UNSEEN),
        ("activity-scope", 0, 1, &CODED),
        ("recipient-country", 0, MANY, &RECIPIENT_COUNTRY),
        ("recipient-region", 0, MANY, &RECIPIENT_REGION),
        ("location", 0, MANY, &LOCATION),
        ("sector", 0, MANY, &SECTOR),
        ("tag", 0, MANY, &UNSEEN),
        ("country-budget-items", 0, 1, &UNSEEN),
        ("humanitarian-scope", 0, MANY, &UNSEEN),
        ("policy-marker", 0, MANY, &UNSEEN),
        ("collaboration-type", 0, 1, &CODED),
        ("default-flow-type", 0, 1, &FLOW),
        ("default-finance-type", 0, 1, &FINANCE),
        ("default-aid-type", 0, MANY, &AID),
        ("default-tied-status", 0, 1, &TIED),
        ("budget", 0, MANY, &BUDGET),
        ("planned-disbursement", 0, MANY, &UNSEEN),
        ("capital-spend", 0, 1, &UNSEEN),
        ("transaction", 0, MANY, &TRANSACTION),
        ("document-link", 0, MANY, &DOCUMENT_LINK),
        ("related-activity", 0, MANY, &RELATED_ACTIVITY),
        ("legacy-data", 0, MANY, &UNSEEN),
        ("conditions", 0, 1, &UNSEEN),
        ("result", 0, MANY, &RESULT),
        ("crs-add", 0, 1, &UNSEEN),
        ("fss", 0, 1, &UNSEEN),
    ]),
};

const REPORTING_ORG: Element = Element {
    attributes: &[
        ("ref", MUST, Filled),
        ("type", MUST, ORGANISATION_TYPE),
        ("secondary-reporter", MAY, Flag),
    ],
    content: NARRATIVES,
};

const DESCRIPTION: Element = Element {
    attributes: &[("type", MAY, Code("DescriptionType", &["1", "2", "3", "4"]))],
    content: NARRATIVES,
};

const PARTICIPATING_ORG: Element = Element {
    attributes: &[
        ("ref", MAY, Filled),
        ("type", MAY, ORGANISATION_TYPE),
        ("role", MUST, Code("OrganisationRole", &["1", "2", "3", "4"])),
    ],
    content: MAYBE_NARRATIVES,
};

/// Who gives or gets money.
const PARTY: Element = Element {
    attributes: &[("ref", MAY, Filled), ("type", MAY, ORGANISATION_TYPE)],
    content: MAYBE_NARRATIVES,
};

const ACTIVITY_STATUS: Element = Element {
    attributes: &[("code", MUST, Code("ActivityStatus", &["1", "2", "3", "4", "5", "6"]))],
    content: Elements(&[]),
};

const ACTIVITY_DATE: Element = Element {
    attributes: &[
        ("type", MUST, Code("ActivityDateType", &["1", "2", "3", "4"])),
        ("iso-date", MUST, Day),
    ],
    content: MAYBE_NARRATIVES,
};

const RECIPIENT_COUNTRY: Element = Element {
    attributes: &[("code", MUST, Capitals("Country", 2)), ("percentage", MAY, Number)],
    content: MAYBE_NARRATIVES,
};

const RECIPIENT_REGION: Element = Element {
    attributes: &[
        ("code", MUST, Filled),
        ("vocabulary", MAY, REGION_VOCABULARY),
        ("vocabulary-uri", MAY, Filled),
        ("percentage", MAY, Number),
    ],
    content: MAYBE_NARRATIVES,
};

const LOCATION: Element = Element {
    attributes: &[("ref", MAY, Filled)],
    content: Elements(&[
        ("location-reach", 0, 1, &CODED),
        ("location-id", 0, MANY, &UNSEEN),
        ("name", 0, 1, &WORDS),
        ("description", 0, 1, &WORDS),
        ("activity-description", 0, 1, &WORDS),
        ("administrative", 0, MANY, &UNSEEN),
        ("point", 0, 1, &POINT),
        ("exactness", 0, 1, &CODED),
        ("location-class", 0, 1, &CODED),
        ("feature-designation", 0, 1, &CODED),
    ]),
};

const POINT: Element = Element {
    attributes: &[("srsName", MUST, Filled)],
    content: Elements(&[("pos", 1, 1, &Element { attributes: &[], content: Of(Position) })]),
};

const SECTOR: Element = Element {
    attributes: &[
        ("vocabulary", MAY, SECTOR_VOCABULARY),
        ("vocabulary-uri", MAY, Filled),
        ("code", MUST, Filled),
        ("percentage", MAY, Number),
    ],
    content: MAYBE_NARRATIVES,
};

const VALUE: Element = Element {
    attributes: &[("currency", MAY, Capitals("Currency", 3)), ("value-date", MUST, Day)],
    content: Of(Number),
};

const BUDGET: Element = Element {
    attributes: &[
        ("type", MAY, Code("BudgetType", &["1", "2"])),
        ("status", MAY, Code("BudgetStatus", &["1", "2"])),
    ],
    content: Elements(&[
        ("period-start", 1, 1, &DATED),
        ("period-end", 1, 1, &DATED),
        ("value", 1, 1, &VALUE),
    ]),
};

const TRANSACTION: Element = Element {
    attributes: &[("ref", MAY, Text), ("humanitarian", MAY, Flag)],
    content: Elements(&[
        ("transaction-type", 1, 1, &TRANSACTION_TYPE),
        ("transaction-date", 1, 1, &DATED),
        ("value", 1, 1, &VALUE),
        ("description", 0, 1, &WORDS),
        ("provider-org", 0, 1, &PARTY),
        ("receiver-org", 0, 1, &PARTY),
        ("disbursement-channel", 0, 1, &CODED),
        ("sector", 0, MANY, &SECTOR),
        ("recipient-country", 0, 1, &RECIPIENT_COUNTRY),
        ("recipient-region", 0, 1, &RECIPIENT_REGION),
        ("flow-type", 0, 1, &FLOW),
        ("finance-type", 0, 1, &FINANCE),
        ("aid-type", 0, MANY, &AID),
        ("tied-status", 0, 1, &TIED),
    ]),
};

const TRANSACTION_TYPE: Element = Element {
    attributes: &[(
        "code",
        MUST,
        Code(
            "TransactionType",
            &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"],
        ),
    )],
    content: Elements(&[]),
};

const DOCUMENT_LINK: Element = Element {
    attributes: &[("format", MUST, Filled), ("url", MUST, Filled)],
    content: Elements(&[
        ("title", 1, 1, &WORDS),
        ("description", 0, 1, &WORDS),
        ("category", 1, MANY, &CODED),
        ("language", 0, MANY, &CODED),
        ("document-date", 0, 1, &DATED),
    ]),
};

const RELATED_ACTIVITY: Element = Element {
    attributes: &[
        ("ref", MUST, Filled),
        ("type", MUST, Code("RelatedActivityType", &["1", "2", "3", "4", "5"])),
    ],
    content: Elements(&[]),
};

const RESULT: Element = Element {
    attributes: &[
        ("type", MUST, Code("ResultType", &["1", "2", "3", "9"])),
        ("aggregation-status", MAY, Flag),
    ],
    content: Elements(&[
        ("title", 1, 1, &WORDS),
        ("description", 0, 1, &WORDS),
        ("document-link", 0, MANY, &DOCUMENT_LINK),
        ("reference", 0, MANY, &UNSEEN),
        ("indicator", 1, MANY, &INDICATOR),
    ]),
};

const INDICATOR: Element = Element {
    attributes: &[
        ("measure", MUST, Code("IndicatorMeasure", &["1", "2", "3", "4", "5"])),
        ("ascending", MAY, Flag),
        ("aggregation-status", MAY, Flag),
    ],
    content: Elements(&[
        ("title", 1, 1, &WORDS),
        ("description", 0, 1, &WORDS),
        ("document-link", 0, MANY, &DOCUMENT_LINK),
        ("reference", 0, MANY, &UNSEEN),
        ("baseline", 0, MANY, &BASELINE),
        ("period", 0, MANY, &PERIOD),
    ]),
};

const BASELINE: Element = Element {
    attributes: &[("year", MUST, Positive), ("iso-date", MAY, Day), ("value", MAY, Filled)],
    content: Elements(&[
        ("location", 0, MANY, &UNSEEN),
        ("dimension", 0, MANY, &UNSEEN),
        ("document-link", 0, MANY, &DOCUMENT_LINK),
        ("comment", 0, 1, &WORDS),
    ]),
};

const PERIOD: Element = Element {
    attributes: &[],
    content: Elements(&[
        ("period-start", 1, 1, &DATED),
        ("period-end", 1, 1, &DATED),
        ("target", 0, MANY, &MEASURED),
        ("actual", 0, MANY, &MEASURED),
    ]),
};

/// What was aimed at or reached, where the standard wants the comment before the documents.
const MEASURED: Element = Element {
    attributes: &[("value", MAY, Filled)],
    content: Elements(&[
        ("location", 0, MANY, &UNSEEN),
        ("dimension", 0, MANY, &UNSEEN),
        ("comment", 0, 1, &WORDS),
        ("document-link", 0, MANY, &DOCUMENT_LINK),
    ]),
};

/// An element as it was read.
#[derive(Default)]
struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    text: String,
}

impl Node {
    /// The outermost element.
    fn read(xml: &[u8]) -> Result<Self, quick_xml::Error> {
        let mut reader = Reader::from_reader(xml);
        // What holds the outermost element is there from the beginning.
        let mut open = vec![Self::default()];
        loop {
            let part = reader.read_event()?;
            match &part {
                Part::Start(start) => open.push(Self::start(start)?),
                Part::Empty(start) => {
                    let node = Self::start(start)?;
                    Self::within(&mut open).children.push(node);
                }
                Part::End(_) => {
                    let node = open.pop().unwrap_or_default();
                    Self::within(&mut open).children.push(node);
                }
                Part::Text(text) => Self::within(&mut open).text.push_str(&text.decode()?),
                Part::CData(text) => Self::within(&mut open).text.push_str(&text.decode()?),
                Part::GeneralRef(named) => {
                    let written = format!("&{};", named.decode()?);
                    let meant = quick_xml::escape::unescape(&written)?;
                    Self::within(&mut open).text.push_str(&meant);
                }
                Part::Eof => break,
                Part::Decl(_) | Part::Comment(_) | Part::PI(_) | Part::DocType(_) => {}
            }
        }
        let whole = open.len() == 1;
        let mut outermost = open.pop().map(|all| all.children).unwrap_or_default();
        let node = outermost.pop().filter(|_| whole && outermost.is_empty());
        // Without an element of its own a file is told to be of an element without a name.
        Ok(node.unwrap_or_default())
    }

    fn within(open: &mut Vec<Self>) -> &mut Self {
        if open.is_empty() {
            open.push(Self::default());
        }
        let last = open.len() - 1;
        &mut open[last]
    }

    fn start(start: &BytesStart) -> Result<Self, quick_xml::Error> {
        let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute?;
            let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
            let value = String::from_utf8_lossy(&attribute.value);
            attributes.push((key, quick_xml::escape::unescape(&value)?.into_owned()));
        }
        Ok(Self { name, attributes, ..Self::default() })
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn text_of(&self, name: &str) -> &str {
        self.children.iter().find(|child| child.name == name).map_or("", |child| &child.text)
    }

    /// The day that an element within tells.
    fn day_of(&self, name: &str) -> Option<NaiveDate> {
        day(self.all(name).next()?.attribute("iso-date")?)
    }

    fn percentage(&self) -> Option<f64> {
        self.attribute("percentage")?.parse().ok()
    }

    /// Every element of that name, at any depth.
    fn every<'a>(&'a self, name: &str, found: &mut Vec<&'a Self>) {
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            child.every(name, found);
        }
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)
}

fn is_number(text: &str) -> bool {
    let plain = text.bytes().all(|one| one.is_ascii_digit() || b"+-.".contains(&one));
    plain && text.parse::<f64>().is_ok()
}

/// The rules, and what was found to break them.
struct Check {
    today: NaiveDate,
    place: Vec<String>,
    faults: Vec<IatiFault>,
}

impl Check {
    fn run(xml: &[u8], name: &str, element: &Element, today: NaiveDate) -> Vec<IatiFault> {
        let mut check = Self { today, place: Vec::new(), faults: Vec::new() };
        match Node::read(xml) {
            Err(error) => check.miss("xml", &error.to_string()),
            Ok(node) if node.name != name => {
                check.miss(&format!("xsd:{name}"), "It is the outermost element.");
            }
            Ok(node) => {
                check.element(&node, element);
                let all = if name == "iati-activity" {
                    vec![&node]
                } else {
                    node.all("iati-activity").collect()
                };
                for activity in &all {
                    check.activity(activity);
                }
                if name != "iati-activity" {
                    check.joined(&all);
                }
            }
        }
        check.faults
    }

    fn miss(&mut self, rule: &str, detail: &str) {
        let place = self.place.join("/");
        self.faults.push(IatiFault { rule: rule.to_owned(), place, detail: detail.to_owned() });
    }

    fn unless(&mut self, holds: bool, rule: &str, detail: &str) {
        if !holds {
            self.miss(rule, detail);
        }
    }

    /// An element and all within it, by the schema and the codelists.
    fn element(&mut self, node: &Node, element: &Element) {
        self.place.push(node.name.clone());
        if let Elements(_) | Of(_) = element.content {
            self.attributes(node, element.attributes);
        }
        match &element.content {
            Unseen => {}
            Of(form) => {
                self.unless(
                    node.children.is_empty(),
                    &format!("xsd:{}", node.name),
                    "It has a text.",
                );
                if !form.holds(&node.text) {
                    // The schema lets a narrative be empty; its readers do not.
                    let of = if node.name == "narrative" { "hub" } else { "xsd" };
                    self.miss(&format!("{of}:{}", node.name), "Its text is not of its form.");
                }
            }
            Elements(children) => {
                let blank = node.text.trim().is_empty();
                self.unless(blank, &format!("xsd:{}", node.name), "It has no text of its own.");
                self.children(node, children);
            }
        }
        self.place.pop();
    }

    fn attributes(&mut self, node: &Node, known: &[Attribute]) {
        for (name, must, form) in known {
            match node.attribute(name) {
                None => {
                    let rule = format!("xsd:{}@{name}", node.name);
                    self.unless(!must, &rule, "The attribute is missing.");
                }
                Some(value) => {
                    let rule = form.rule(node, name);
                    self.unless(form.holds(value), &rule, "The attribute is not of its form.");
                }
            }
        }
        for (name, _) in &node.attributes {
            let is_known = known.iter().any(|(known, ..)| known == name);
            self.unless(
                is_known,
                &format!("xsd:{}@{name}", node.name),
                "There is no such attribute.",
            );
        }
    }

    fn children(&mut self, node: &Node, known: &[Child]) {
        let mut reached = 0;
        for child in &node.children {
            let rule = format!("xsd:{}", child.name);
            match known.iter().position(|(name, ..)| *name == child.name) {
                None => self.miss(&rule, "There is no such element here."),
                Some(at) => {
                    self.unless(at >= reached, &rule, "It comes too late.");
                    reached = reached.max(at);
                    self.element(child, known[at].3);
                }
            }
        }
        for (name, least, most, _) in known {
            let count = node.all(name).count();
            let rule = format!("xsd:{name}");
            self.unless(count >= *least, &rule, "The element is missing.");
            self.unless(count <= *most, &rule, "There are too many.");
        }
    }

    /// An activity by what the schema cannot say.
    fn activity(&mut self, activity: &Node) {
        self.place.push(format!("iati-activity {}", activity.text_of("iati-identifier")));
        self.declared(activity);
        self.identifiers(activity);
        self.dates(activity);
        self.places(activity);
        self.sectors(activity);
        self.money(activity);
        self.results(activity);
        self.hierarchy(activity);
        self.place.pop();
    }

    /// Languages and currencies, each told where it is used or for the whole activity.
    fn declared(&mut self, activity: &Node) {
        for (name, own, default) in
            [("narrative", "xml:lang", "xml:lang"), ("value", "currency", "default-currency")]
        {
            let mut all = Vec::new();
            activity.every(name, &mut all);
            let told = activity.attribute(default).is_some()
                || all.iter().all(|one| one.attribute(own).is_some());
            self.unless(told, "ruleset:one_or_all", &format!("Each {name} has its {own}."));
        }
    }

    fn identifiers(&mut self, activity: &Node) {
        let identifier = activity.text_of("iati-identifier");
        self.unless(!identifier.contains(FORBIDDEN), "1.1.3", "It may hold none of / & | ?.");
        let mut named: Vec<_> =
            activity.all("reporting-org").chain(activity.all("participating-org")).collect();
        for moved in activity.all("transaction") {
            named.extend(moved.all("provider-org").chain(moved.all("receiver-org")));
        }
        for one in named {
            let reference = one.attribute("ref");
            let is_told = reference.is_some() || one.all("narrative").next().is_some();
            self.unless(is_told, "ruleset:atleast_one", "An organisation has a ref or a name.");
            if let Some(reference) = reference {
                let detail = "It begins with the code of a registration agency.";
                self.unless(begins_with_agency(reference), "1.14.8", detail);
                let holds = !reference.contains(FORBIDDEN);
                self.unless(holds, "1.14.3", "It may hold none of / & | ?.");
            }
        }
        let reporter = activity.all("reporting-org").next().and_then(|one| one.attribute("ref"));
        let begins = reporter.is_none_or(|reporter| follows(identifier, reporter));
        self.unless(begins, "1.1.21", "It begins with the ref of who reports, and a hyphen.");
    }

    fn dates(&mut self, activity: &Node) {
        let of = |kind: &str| {
            let mut dates = activity.all("activity-date");
            let found = dates.find(|date| date.attribute("type") == Some(kind))?;
            day(found.attribute("iso-date")?)
        };
        let (planned, start, planned_end, end) = (of("1"), of("2"), of("3"), of("4"));
        self.unless(planned.or(start).is_some(), "6.11.1", "An activity has a start.");
        self.in_order(planned, planned_end, "11.1.1");
        self.in_order(start, end, "11.1.2");
        self.not_yet(start, "11.1.3");
        self.not_yet(end, "11.1.4");
    }

    fn in_order(&mut self, first: Option<NaiveDate>, last: Option<NaiveDate>, rule: &str) {
        let holds = first.zip(last).is_none_or(|(first, last)| first <= last);
        self.unless(holds, rule, "It ends before it starts.");
    }

    fn not_yet(&mut self, on: Option<NaiveDate>, rule: &str) {
        let holds = on.is_none_or(|on| on <= self.today);
        self.unless(holds, rule, "What has happened is not in the future.");
    }

    fn places(&mut self, activity: &Node) {
        let all: Vec<_> =
            activity.all("recipient-country").chain(activity.all("recipient-region")).collect();
        self.unless(!all.is_empty(), "3.7.1", "An activity benefits a country or a region.");
        let told = all.iter().any(|one| one.percentage().is_some());
        let sum: Option<f64> = all.iter().map(|one| one.percentage()).sum();
        let holds = (all.len() < 2 && !told) || sum.is_some_and(is_whole);
        self.unless(holds, "3.1.1", "Several have percentages, which sum to 100.");
        for region in activity.all("recipient-region") {
            let dac = region.attribute("vocabulary").is_none_or(|vocabulary| vocabulary == "1");
            let code = region.attribute("code").unwrap_or_default();
            self.unless(
                !dac || REGION.holds(code),
                "9.68.1",
                "A region of DAC is in its codelist.",
            );
        }
    }

    fn sectors(&mut self, activity: &Node) {
        let mut sums: BTreeMap<&str, Option<f64>> = BTreeMap::new();
        for sector in activity.all("sector") {
            let vocabulary = sector.attribute("vocabulary").unwrap_or("1");
            let sum = sums.entry(vocabulary).or_insert(Some(0.0));
            *sum = sum.zip(sector.percentage()).map(|(sum, part)| sum + part);
            let code = sector.attribute("code").unwrap_or_default();
            if let Some((rule, detail)) = wrong_sector(vocabulary, code) {
                self.miss(rule, detail);
            }
        }
        for sum in sums.values() {
            let detail = "The percentages of a vocabulary sum to 100.";
            self.unless(sum.is_some_and(is_whole), "2.1.1", detail);
        }
        let has = |moved: &Node| moved.all("sector").next().is_some();
        let mut moved = activity.all("transaction");
        let any = moved.any(has);
        let each = any && activity.all("transaction").all(has);
        self.unless(!sums.is_empty() || each, "6.2.2", "An activity has a sector.");
        let both = !sums.is_empty() && any;
        self.unless(!both, "6.6.2", "The sector is told of the activity or of its transactions.");
    }

    fn money(&mut self, activity: &Node) {
        for budget in activity.all("budget") {
            let (first, last) = (budget.day_of("period-start"), budget.day_of("period-end"));
            self.in_order(first, last, "ruleset:date_order");
            let holds =
                first.and_then(a_year_after).zip(last).is_none_or(|(next, last)| last < next);
            self.unless(holds, "7.5.3", "A budget is for at most a year.");
        }
        for moved in activity.all("transaction") {
            self.not_yet(moved.day_of("transaction-date"), "11.3.1");
            let value = moved.all("value").next().and_then(|value| value.attribute("value-date"));
            self.not_yet(value.and_then(day), "ruleset:date_order");
        }
    }

    fn results(&mut self, activity: &Node) {
        for indicator in activity.all("result").flat_map(|result| result.all("indicator")) {
            let in_words = indicator.attribute("measure") == Some("5");
            let mut measured: Vec<_> = indicator.all("baseline").collect();
            for period in indicator.all("period") {
                let (first, last) = (period.day_of("period-start"), period.day_of("period-end"));
                self.in_order(first, last, "ruleset:date_order");
                measured.extend(period.all("target").chain(period.all("actual")));
            }
            for one in measured {
                let has = one.attribute("value").is_some();
                self.unless(has || in_words, "8.8.1", "All but what is told in words has a value.");
            }
        }
    }

    /// A project has events below it, an event has one project above it.
    fn hierarchy(&mut self, activity: &Node) {
        let of = |kind| {
            let all = activity.all("related-activity");
            all.filter(|one| one.attribute("type") == Some(kind)).count()
        };
        let holds = match activity.attribute("hierarchy") {
            Some("1") => of("1") == 0,
            Some("2") => of("1") == 1 && of("2") == 0,
            _ => false,
        };
        self.unless(holds, "hub:hierarchy", "A project is above its events.");
    }

    /// What is said to be related is told as well, and says so too.
    fn joined(&mut self, all: &[&Node]) {
        let links = |kind: &'static str| {
            all.iter().flat_map(move |activity| {
                let own = activity.text_of("iati-identifier");
                let related = activity.all("related-activity");
                let related = related.filter(move |one| one.attribute("type") == Some(kind));
                related.map(move |one| (own, one.attribute("ref").unwrap_or_default()))
            })
        };
        let mut names: Vec<_> = all.iter().map(|one| one.text_of("iati-identifier")).collect();
        names.sort_unstable();
        let holds = names.windows(2).all(|two| two[0] != two[1]);
        self.unless(holds, "hub:iati-identifier", "No two activities have the same identifier.");
        let mut above: Vec<_> = links("1").map(|(event, project)| (project, event)).collect();
        let mut below: Vec<_> = links("2").collect();
        above.sort_unstable();
        below.sort_unstable();
        let told = |name: &str| all.iter().any(|one| one.text_of("iati-identifier") == name);
        let holds = above == below && above.iter().all(|(one, other)| told(one) && told(other));
        self.unless(holds, "hub:related-activity", "What is related says so from both sides.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activity_that_breaks_a_rule_is_not_sent() {
        let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        for wrong in ["<iati-activity/>", "<iati-activity>", "<iati-activities/>", "", "A"] {
            assert!(matches!(sound(wrong.into(), day), Err(Unwritten::Unsound)), "{wrong}");
        }
    }
}
