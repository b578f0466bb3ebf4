//! What is told by the standard of IATI, held against its rules: ours, and its own schema where it
//! is at hand.
//!
//! `IATI_SCHEMAS` names the folder that has the schemas of the standard, and `IATI_TOLD` one to
//! leave what was told in, and what was made of it, for judges that are not ours.
use std::{env, fs, path::Path, sync::Arc};

use api::iati_faults;
use chrono::{NaiveDate, Utc};
use fastxml::schema::{Schema, Validator};
use regex::{NoExpand, Regex};
use serde_json::json;

use crate::{
    harness::{Hub, on_each_database},
    iati::{complete, funded, patch, told},
};

/// Who, beside our own check, sees that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Schema,
    Ruleset,
    /// Nobody: the rule stands in the guidance or in codelists, or is ours.
    Alone,
}
use Seen::{Alone, Ruleset};

/// What is done to a file: what is found first by the pattern becomes that, which breaks the rule.
type Mutation = (&'static str, &'static str, &'static str, &'static str, Seen);

/// What every checker of such files has to catch.
const KNOWN: &[Mutation] = &[
    ("no status", "<activity-status [^>]*>", "", "xsd:activity-status", Seen::Schema),
    (
        "no participating organisation",
        "(?:<participating-org .*?</participating-org>)+",
        "",
        "xsd:participating-org",
        Seen::Schema,
    ),
    ("no date", "(?:<activity-date [^>]*>)+", "", "xsd:activity-date", Seen::Schema),
    (
        "language before category",
        "<category code=\"A12\"/>",
        "<language code=\"en\"/><category code=\"A12\"/>",
        "xsd:category",
        Seen::Schema,
    ),
    (
        "comment before document-link in a baseline",
        "</comment></baseline>",
        "</comment><document-link format=\"text/html\" url=\"https://example.org\"><title><narrative>A</narrative></title><category code=\"A12\"/></document-link></baseline>",
        "xsd:document-link",
        Seen::Schema,
    ),
    (
        "value without value-date",
        " value-date=\"[^\"]*\"",
        "",
        "xsd:value@value-date",
        Seen::Schema,
    ),
    (
        "baseline without year",
        "<baseline year=\"2021\"",
        "<baseline",
        "xsd:baseline@year",
        Seen::Schema,
    ),
    ("no version", " version=\"2.03\"", "", "xsd:iati-activities@version", Seen::Schema),
    (
        "two countries without percentages",
        "<recipient-region [^>]*>",
        "<recipient-country code=\"KZ\"/><recipient-country code=\"KG\"/>",
        "3.1.1",
        Alone,
    ),
];

/// What goes wrong as easily.
const MORE: &[Mutation] = &[
    (
        "no identifier",
        "<iati-identifier>.*?</iati-identifier>",
        "",
        "xsd:iati-identifier",
        Seen::Schema,
    ),
    ("nobody reports", "<reporting-org .*?</reporting-org>", "", "xsd:reporting-org", Seen::Schema),
    ("no title", "<title>.*?</title>", "", "xsd:title", Seen::Schema),
    ("no description", "(?:<description .*?</description>)+", "", "xsd:description", Seen::Schema),
    ("two statuses", "<activity-status [^>]*>", "$0$0", "xsd:activity-status", Seen::Schema),
    (
        "the title after the description",
        "(<title>.*?</title>)(<description .*?</description>)",
        "$2$1",
        "xsd:title",
        Seen::Schema,
    ),
    (
        "the sector before the region",
        "(<recipient-region [^>]*>)(<sector [^>]*>)",
        "$2$1",
        "xsd:recipient-region",
        Seen::Schema,
    ),
    (
        "the aid type before the flow type",
        "(<default-flow-type .*?)(<default-aid-type [^>]*>)",
        "$2$1",
        "xsd:default-flow-type",
        Seen::Schema,
    ),
    (
        "money before the sector",
        "(<sector [^>]*>)(.*?)(<budget .*?</budget>)",
        "$3$1$2",
        "xsd:sector",
        Seen::Schema,
    ),
    (
        "what is related after the result",
        "(<related-activity [^>]*>)(<result .*?</result>)",
        "$2$1",
        "xsd:related-activity",
        Seen::Schema,
    ),
    (
        "an element that there is not",
        "<activity-status ",
        "<activity-state code=\"2\"/>$0",
        "xsd:activity-state",
        Seen::Schema,
    ),
    (
        "an attribute that there is not",
        "<activity-status ",
        "${0}name=\"A\" ",
        "xsd:activity-status@name",
        Seen::Schema,
    ),
    ("text between the elements", "<activity-status ", "A$0", "xsd:iati-activity", Seen::Schema),
    (
        "a status without a code",
        "<activity-status [^>]*>",
        "<activity-status/>",
        "xsd:activity-status@code",
        Seen::Schema,
    ),
    (
        "a status that is in no codelist",
        "<activity-status code=\"2\"",
        "<activity-status code=\"7\"",
        "codelist:ActivityStatus",
        Alone,
    ),
    (
        "a role that is in no codelist",
        " role=\"[0-9]\"",
        " role=\"9\"",
        "codelist:OrganisationRole",
        Alone,
    ),
    ("a party without a role", " role=\"[0-9]\"", "", "xsd:participating-org@role", Seen::Schema),
    (
        "a kind of organisation that is in no codelist",
        " type=\"40\" secondary",
        " type=\"41\" secondary",
        "codelist:OrganisationType",
        Alone,
    ),
    (
        "a kind of date that is in no codelist",
        "<activity-date type=\"2\"",
        "<activity-date type=\"9\"",
        "codelist:ActivityDateType",
        Ruleset,
    ),
    (
        "a country in small letters",
        "<recipient-region [^>]*>",
        "<recipient-country code=\"kz\"/>",
        "codelist:Country",
        Alone,
    ),
    (
        "a currency in small letters",
        "currency=\"USD\"",
        "currency=\"usd\"",
        "codelist:Currency",
        Alone,
    ),
    ("another version", "version=\"2.03\"", "version=\"2.02\"", "codelist:Version", Alone),
    (
        "who reports has no ref",
        "(<reporting-org) ref=\"[^\"]*\"",
        "$1",
        "xsd:reporting-org@ref",
        Seen::Schema,
    ),
    (
        "who reports is of no kind",
        "(<reporting-org [^>]*?) type=\"40\"",
        "$1",
        "xsd:reporting-org@type",
        Seen::Schema,
    ),
    (
        "a date without a day",
        " iso-date=\"2021-08-24\"",
        "",
        "xsd:activity-date@iso-date",
        Seen::Schema,
    ),
    (
        "a date to the month",
        "iso-date=\"2021-08-24\"",
        "iso-date=\"2021-08\"",
        "xsd:activity-date@iso-date",
        Seen::Schema,
    ),
    (
        "a day that there is not",
        "iso-date=\"2021-08-24\"",
        "iso-date=\"2021-02-30\"",
        "xsd:activity-date@iso-date",
        Seen::Schema,
    ),
    (
        "a changed time without a time",
        "last-updated-datetime=\"[^\"]*\"",
        "last-updated-datetime=\"2021-08-24\"",
        "xsd:iati-activity@last-updated-datetime",
        Seen::Schema,
    ),
    ("money in words", ">250000.50<", ">a quarter<", "xsd:value", Seen::Schema),
    ("money with a comma", ">250000.50<", ">250,000.50<", "xsd:value", Seen::Schema),
    ("no money", ">250000.50<", "><", "xsd:value", Seen::Schema),
    ("a budget without an end", "<period-end [^>]*>", "", "xsd:period-end", Seen::Schema),
    (
        "a budget that ends first",
        "(<period-start [^>]*>)(<period-end [^>]*>)",
        "$2$1",
        "xsd:period-start",
        Seen::Schema,
    ),
    (
        "a transaction without a day",
        "<transaction-date [^>]*>",
        "",
        "xsd:transaction-date",
        Seen::Schema,
    ),
    (
        "a transaction that is described first",
        "(<transaction>)(.*?)(<description>.*?</description>)",
        "$1$3$2",
        "xsd:transaction-type",
        Seen::Schema,
    ),
    (
        "a receiver before a provider",
        "(<provider-org .*?</provider-org>)(<receiver-org .*?</receiver-org>)",
        "$2$1",
        "xsd:provider-org",
        Seen::Schema,
    ),
    (
        "a kind of transaction that is in no codelist",
        "<transaction-type code=\"1\"",
        "<transaction-type code=\"14\"",
        "codelist:TransactionType",
        Alone,
    ),
    ("a document without an address", " url=\"[^\"]*\"", "", "xsd:document-link@url", Seen::Schema),
    ("a document without a category", "<category [^>]*>", "", "xsd:category", Seen::Schema),
    (
        "the day of a document before its category",
        "<category [^>]*>",
        "<document-date iso-date=\"2021-08-24\"/>$0",
        "xsd:category",
        Seen::Schema,
    ),
    (
        "a result without an indicator",
        "<indicator .*?</indicator>",
        "",
        "xsd:indicator",
        Seen::Schema,
    ),
    (
        "a period before the baseline",
        "(<baseline .*?</baseline>)(<period>.*?</period>)",
        "$2$1",
        "xsd:baseline",
        Seen::Schema,
    ),
    (
        "an actual before the target",
        "(<target [^>]*>)(<actual .*?</actual>)",
        "$2$1",
        "xsd:target",
        Seen::Schema,
    ),
    (
        "a document before the comment of an actual",
        "(<actual [^>]*>)(<comment>)",
        "$1<document-link format=\"text/html\" url=\"https://example.org\"><title><narrative>A</narrative></title><category code=\"A12\"/></document-link>$2",
        "xsd:comment",
        Seen::Schema,
    ),
    (
        "a baseline in the year nought",
        "<baseline year=\"2021\"",
        "<baseline year=\"0\"",
        "xsd:baseline@year",
        Seen::Schema,
    ),
    (
        "ascending at times",
        "ascending=\"1\"",
        "ascending=\"at times\"",
        "xsd:indicator@ascending",
        Seen::Schema,
    ),
    (
        "a measure that is in no codelist",
        "measure=\"1\"",
        "measure=\"6\"",
        "codelist:IndicatorMeasure",
        Alone,
    ),
    (
        "nothing is told",
        "(?s)<iati-activity .*</iati-activity>",
        "",
        "xsd:iati-activity",
        Seen::Schema,
    ),
    ("an element that is not closed", "</title>", "", "xml", Seen::Schema),
    (
        "a narrative that is empty",
        "<narrative [^>]*>[^<]*</narrative>",
        "<narrative xml:lang=\"en\"/>",
        "hub:narrative",
        Alone,
    ),
    (
        "a narrative of blanks",
        "(<narrative [^>]*>)[^<]*</narrative>",
        "$1 </narrative>",
        "hub:narrative",
        Alone,
    ),
    ("a text without a narrative", "<title>.*?</title>", "<title/>", "xsd:narrative", Seen::Schema),
    (
        "a language that nobody declares",
        "(<iati-activity) xml:lang=\"en\"(.*?<narrative) xml:lang=\"[^\"]*\"",
        "$1$2",
        "ruleset:one_or_all",
        Alone,
    ),
    ("a currency that nobody declares", " currency=\"USD\"", "", "ruleset:one_or_all", Alone),
    ("a slash in an identifier", "(<iati-identifier>[^<]*)", "$1/1", "1.1.3", Ruleset),
    (
        "an identifier of another publisher",
        "<iati-identifier>XM-DAC-41114-",
        "<iati-identifier>XM-DAC-41115-",
        "1.1.21",
        Alone,
    ),
    (
        "an identifier that is no more than its publisher",
        "<iati-identifier>[^<]*",
        "<iati-identifier>XM-DAC-41114",
        "1.1.21",
        Alone,
    ),
    ("a question mark in a ref", "(<reporting-org ref=\"[^\"]*)", "$1?", "1.14.3", Ruleset),
    ("a ref without an agency", "(<receiver-org ref=)\"[^\"]*\"", "$1\"undp\"", "1.14.8", Alone),
    (
        "a party without a name or a ref",
        "<participating-org ([^>]*)>.*?</participating-org>",
        "<participating-org role=\"1\"/>",
        "ruleset:atleast_one",
        Ruleset,
    ),
    ("only an end", "<activity-date type=\"2\"", "<activity-date type=\"4\"", "6.11.1", Ruleset),
    (
        "a planned end before the planned start",
        "<activity-date type=\"2\" [^>]*>",
        "$0<activity-date type=\"1\" iso-date=\"2022-01-01\"/><activity-date type=\"3\" iso-date=\"2021-01-01\"/>",
        "11.1.1",
        Ruleset,
    ),
    (
        "an end before the start",
        "<activity-date type=\"2\" [^>]*>",
        "$0<activity-date type=\"4\" iso-date=\"2021-01-01\"/>",
        "11.1.2",
        Ruleset,
    ),
    (
        "a start that is still to come",
        "iso-date=\"2021-08-24\"",
        "iso-date=\"2199-08-24\"",
        "11.1.3",
        Ruleset,
    ),
    (
        "an end that is still to come",
        "<activity-date type=\"2\" [^>]*>",
        "$0<activity-date type=\"4\" iso-date=\"2199-01-01\"/>",
        "11.1.4",
        Ruleset,
    ),
    ("no country and no region", "<recipient-region [^>]*>", "", "3.7.1", Alone),
    (
        "countries that are not the whole",
        "<recipient-region [^>]*>",
        "<recipient-country code=\"KZ\" percentage=\"60\"/><recipient-country code=\"KG\" percentage=\"30\"/>",
        "3.1.1",
        Ruleset,
    ),
    (
        "a country of which a part is told",
        "<recipient-region [^>]*>",
        "<recipient-country code=\"KZ\" percentage=\"60\"/>",
        "3.1.1",
        Ruleset,
    ),
    (
        "a country beside a region",
        "<recipient-region ",
        "<recipient-country code=\"KZ\"/>$0",
        "3.1.1",
        Alone,
    ),
    (
        "a region in letters",
        "<recipient-region code=\"619\"",
        "<recipient-region code=\"Central Asia\"",
        "9.68.1",
        Alone,
    ),
    (
        "a region that there is not",
        "<recipient-region code=\"619\"",
        "<recipient-region code=\"12345\"",
        "9.68.1",
        Alone,
    ),
    (
        "a vocabulary of regions that there is not",
        "(<recipient-region [^>]*vocabulary=)\"1\"",
        "$1\"3\"",
        "codelist:RegionVocabulary",
        Alone,
    ),
    (
        "a vocabulary of sectors that there is not",
        "<sector vocabulary=\"1\"",
        "<sector vocabulary=\"nonsense\"",
        "codelist:SectorVocabulary",
        Alone,
    ),
    (
        "a kind of aid that is in no codelist",
        "<default-aid-type code=\"D01\"",
        "<default-aid-type code=\"nonsense\"",
        "codelist:AidType",
        Alone,
    ),
    (
        "a kind of finance that is in no codelist",
        "<default-finance-type code=\"110\"",
        "<default-finance-type code=\"zzz\"",
        "codelist:FinanceType",
        Alone,
    ),
    (
        "a kind of flow that is in no codelist",
        "<default-flow-type code=\"10\"",
        "<default-flow-type code=\"q\"",
        "codelist:FlowType",
        Alone,
    ),
    (
        "tied as no codelist has it",
        "<default-tied-status code=\"5\"",
        "<default-tied-status code=\"1\"",
        "codelist:TiedStatus",
        Alone,
    ),
    ("no sector", "<sector [^>]*>", "", "6.2.2", Ruleset),
    ("a sector without a percentage", "(<sector [^>]*) percentage=\"100\"", "$1", "2.1.1", Alone),
    ("a sector that is not the whole", " percentage=\"100\"", " percentage=\"99\"", "2.1.1", Alone),
    (
        "a percentage in words",
        " percentage=\"100\"",
        " percentage=\"all\"",
        "xsd:sector@percentage",
        Seen::Schema,
    ),
    (
        "a sector of four digits",
        "(<sector vocabulary=\"1\" code=)\"15110\"",
        "$1\"1511\"",
        "9.59.1",
        Alone,
    ),
    (
        "sectors of the activity and of a transaction",
        "</receiver-org>",
        "$0<sector vocabulary=\"1\" code=\"15110\"/>",
        "6.6.2",
        Alone,
    ),
    (
        "a budget that ends before it starts",
        "<period-end iso-date=\"2022-06-30\"",
        "<period-end iso-date=\"2021-06-30\"",
        "ruleset:date_order",
        Ruleset,
    ),
    (
        "a budget of a year and a day",
        "<period-end iso-date=\"2022-06-30\"",
        "<period-end iso-date=\"2022-07-01\"",
        "7.5.3",
        Alone,
    ),
    (
        "a transaction that is still to come",
        "<transaction-date iso-date=\"2021",
        "<transaction-date iso-date=\"2199",
        "11.3.1",
        Ruleset,
    ),
    (
        "a value of a day that is still to come",
        "(<transaction>.*?value-date=)\"2021",
        "$1\"2199",
        "ruleset:date_order",
        Ruleset,
    ),
    (
        "a period that ends before it starts",
        "(<period><period-start iso-date=)\"2021",
        "$1\"2031",
        "ruleset:date_order",
        Ruleset,
    ),
    ("a baseline without a value", "(<baseline [^>]*) value=\"0\"", "$1", "8.8.1", Ruleset),
    ("a target without a value", "<target value=\"100\"", "<target", "8.8.1", Ruleset),
    ("an actual without a value", "<actual value=\"[^\"]*\"", "<actual", "8.8.1", Ruleset),
    ("an event above its project", " hierarchy=\"2\"", " hierarchy=\"1\"", "hub:hierarchy", Alone),
    (
        "a project below another",
        "(<related-activity [^>]*) type=\"2\"",
        "$1 type=\"1\"",
        "hub:hierarchy",
        Alone,
    ),
    (
        "an event that is not told",
        "(</iati-activity>\n)<iati-activity .*</iati-activity>\n",
        "$1",
        "hub:related-activity",
        Alone,
    ),
    (
        "an activity that is told twice",
        "(?s)<iati-activity .*?</iati-activity>",
        "$0\n$0",
        "hub:iati-identifier",
        Alone,
    ),
    ("a point without a position", "<pos>.*?</pos>", "", "xsd:pos", Seen::Schema),
    ("a position in words", "<pos>[^<]*", "<pos>here", "xsd:pos", Alone),
    (
        "the point before the name",
        "(<name>.*?</name>)(<point .*?</point>)",
        "$2$1",
        "xsd:name",
        Seen::Schema,
    ),
    ("a sector that DAC has not", "code=\"15110\"", "code=\"99999\"", "codelist:Sector", Alone),
    (
        "a language of three letters",
        "<narrative xml:lang=\"en\">",
        "<narrative xml:lang=\"kaa\">",
        "codelist:Language",
        Alone,
    ),
    (
        "an event that its project does not know",
        "<related-activity [^>]* type=\"2\"/>",
        "",
        "hub:related-activity",
        Alone,
    ),
];

/// The schema of the standard, from the folder that was named.
fn schema() -> Option<Arc<Schema>> {
    let folder = env::var_os("IATI_SCHEMAS")?;
    let mut files = Schema::builder();
    for name in ["xml.xsd", "iati-common.xsd", "iati-activities-schema.xsd"] {
        let file = fs::read(Path::new(&folder).join(name)).expect("a schema of the standard");
        files = files.add(name, file);
    }
    Some(Arc::new(files.resolve().expect("schemas that are whole")))
}

/// What the schema finds to be wrong.
fn invalid(schema: &Arc<Schema>, file: &str) -> Option<String> {
    let report = match Validator::from(file).schema(Arc::clone(schema)).run() {
        Ok(report) => report,
        Err(error) => return Some(error.to_string()),
    };
    let errors: Vec<_> = report.errors().into_iter().map(ToString::to_string).collect();
    (!report.is_valid()).then(|| errors.join("\n"))
}

/// Leaves a file for judges that are not ours.
fn leave(name: &str, file: &str) {
    if let Some(folder) = env::var_os("IATI_TOLD") {
        fs::write(Path::new(&folder).join(name), file).expect("a file to be judged");
    }
}

fn rules(file: &str, today: NaiveDate) -> Vec<String> {
    iati_faults(file.as_bytes(), today).into_iter().map(|fault| fault.rule).collect()
}

/// The project with everything that the standard has a place for and the registry knows.
async fn whole(hub: &Hub) {
    complete(hub).await;
    funded(hub).await;
    patch(hub, crate::iati::PROJECT, json!({"website": "https://example.org/project"})).await;
    let indicators = hub.get("/v1/indicators").await.json();
    let indicator =
        format!("/v1/indicators/{}", indicators["items"][0]["id"].as_str().expect("one"));
    let venue = json!({"name": {"en": "Hilton"}, "latitude": 51.1, "longitude": 71.4});
    patch(hub, "/v1/seminars/first-seminar-2021", json!({"venue": venue})).await;
    let periods = json!([{"from": "2021-08-24", "to": "2021-12-31", "target": "100", "actual": "3", "comment": {"en": "Counted & reported"}}]);
    patch(hub, &indicator, json!({"periods": periods})).await;
    let visit = json!({"slug": "visit-to-korea", "project_id": "governance-innovation-and-digitalisation", "host_country": "KR", "starts_on": "2022-05-10", "ends_on": "2022-05-14", "status": "held"});
    let made = hub.write("POST", "/v1/study-visits?publish=true", None, Some(&visit)).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

#[test]
fn whatever_is_told_keeps_the_rules() {
    on_each_database(async |hub| {
        let schema = schema();
        let today = Utc::now().date_naive();
        let holds = async |activities: usize| {
            for file in [told(&hub).await.text, hub.get("/v1/iati/activities.xml").await.text] {
                assert_eq!(iati_faults(file.as_bytes(), today), [], "{file}");
                assert_eq!(file.matches("<iati-activity ").count(), activities);
                let faults = schema.as_ref().and_then(|schema| invalid(schema, &file));
                assert_eq!(faults, None, "{file}");
            }
        };
        complete(&hub).await;
        holds(2).await;
        whole(&hub).await;
        holds(3).await;
    });
}

#[test]
fn whatever_is_made_wrong_in_what_is_told_is_caught() {
    on_each_database(async |hub| {
        let schema = schema();
        let today = Utc::now().date_naive();
        whole(&hub).await;
        let file = told(&hub).await.text;
        assert_eq!(rules(&file, today), [""; 0], "{file}");
        leave("sound.xml", &file);
        let mut missed = Vec::new();
        for (place, (what, pattern, becomes, rule, seen)) in KNOWN.iter().chain(MORE).enumerate() {
            let pattern = Regex::new(pattern).expect("a pattern");
            let changed = match becomes.contains('$') {
                true => pattern.replace(&file, *becomes),
                false => pattern.replace(&file, NoExpand(becomes)),
            };
            if changed == file {
                missed.push(format!("{what}: nothing was changed"));
            }
            let found = rules(&changed, today);
            if !found.iter().any(|one| one == rule) {
                missed.push(format!("{what}: not {rule}, but {found:?}"));
            }
            if let Some(schema) = &schema {
                let faults = invalid(schema, &changed);
                if faults.is_some() != (*seen == Seen::Schema) {
                    missed.push(format!("{what}: the schema finds {faults:?}"));
                }
            }
            leave(&format!("{place:03}-{seen:?}.xml").to_lowercase(), &changed);
        }
        assert!(missed.is_empty(), "{missed:#?}\n{file}");
    });
}

/// What has a code of which codelist.
const CODED: &[(&str, &str)] = &[
    ("AidType", "(<default-aid-type code=)\"[^\"]*\""),
    ("FinanceType", "(<default-finance-type code=)\"[^\"]*\""),
    ("FlowType", "(<default-flow-type code=)\"[^\"]*\""),
    ("TiedStatus", "(<default-tied-status code=)\"[^\"]*\""),
    ("SectorVocabulary", "(<sector vocabulary=)\"[^\"]*\""),
    ("RegionVocabulary", "(<recipient-region [^>]*vocabulary=)\"[^\"]*\""),
    ("Region", "(<recipient-region code=)\"[^\"]*\""),
    ("Sector", "(<sector [^>]*code=)\"[^\"]*\""),
    ("Language", "(<narrative xml:lang=)\"[^\"]*\""),
];

#[test]
fn every_code_of_the_standard_is_known() {
    let Some(schemas) = env::var_os("IATI_SCHEMAS") else { return };
    on_each_database(async |hub| {
        let today = Utc::now().date_naive();
        complete(&hub).await;
        let file = told(&hub).await.text;
        let codes = Regex::new("<code>([^<]+)</code>").expect("a pattern");
        for (codelist, pattern) in CODED {
            let listed = Path::new(&schemas).join(format!("../codelists/{codelist}.xml"));
            let listed = fs::read_to_string(listed).expect("a codelist of the standard");
            let pattern = Regex::new(pattern).expect("a pattern");
            for code in codes.captures_iter(&listed) {
                let changed = pattern.replace(&file, format!("$1\"{}\"", &code[1]));
                let found = rules(&changed, today);
                let wrong = [format!("codelist:{codelist}"), "9.68.1".to_owned()];
                let known = !found.iter().any(|rule| wrong.contains(rule));
                assert!(known, "{codelist} has {}: {found:?}", &code[1]);
            }
        }
    });
}
