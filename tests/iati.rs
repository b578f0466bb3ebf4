//! Projects by the standard of the International Aid Transparency Initiative.
use serde_json::{Value, json};

use crate::harness::{Hub, Reply, on_each_database, on_each_database_without_memory};

pub(crate) const PROJECT: &str = "/v1/projects/governance-innovation-and-digitalisation";
pub(crate) const EXPORT: &str = "/v1/projects/governance-innovation-and-digitalisation.iati.xml";

/// Changes a record by a merge patch.
pub(crate) async fn patch(hub: &Hub, path: &str, changes: Value) {
    let tag = hub.get(path).await.header("etag").to_owned();
    let answer = hub.write("PATCH", path, Some(&tag), Some(&changes)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// The real project with what only its publisher decides: identifiers, the sector, the region.
pub(crate) async fn complete(hub: &Hub) {
    patch(hub, "/v1/organisations/undp", json!({"iati_org_id": "XM-DAC-41114"})).await;
    let iati = json!({
        "identifier": "XM-DAC-41114-KAZ-GOVERNANCE", "reporting_org": "XM-DAC-41114",
        "sectors": [{"vocabulary": "1", "code": "15110", "percentage": null}],
        "region": {"vocabulary": "1", "code": "619"},
        "aid_type": "D01", "finance_type": "110", "flow_type": "10", "tied_status": "5",
    });
    patch(hub, PROJECT, json!({"status": "implementation", "iati": iati})).await;
}

/// Gives the project money, and a result that is measured.
pub(crate) async fn funded(hub: &Hub) {
    let grant = json!({
        "budgets": [{"from": "2021-07-01", "to": "2022-06-30", "amount": {"amount": "1000000", "currency": "USD"}, "status": "committed", "kind": "original"}],
        "transactions": [{"on": "2021-08-01", "amount": {"amount": "250000.50", "currency": "USD"}, "kind": "incoming_funds", "provider_id": "government-of-korea", "receiver_id": "undp", "description": {"en": "First part"}}],
    });
    patch(hub, "/v1/grant-arrangements/undp-kazakhstan-mois-2021", grant).await;
    let indicator = json!({
        "result_id": "governance-innovation-and-digitalisation-outcome",
        "title": {"en": "Civil servants who apply what they learnt", "ru": "Госслужащие, применяющие знания"},
        "measure": "unit", "ascending": true,
        "baseline": {"year": 2021, "value": "0", "comment": {"en": "Before the first seminar"}},
        "periods": [{"from": "2021-08-24", "to": "2021-12-31", "target": "100", "actual": null, "comment": null}],
    });
    let made = hub.write("POST", "/v1/indicators", None, Some(&indicator)).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

/// The rule and the place of each gap.
fn rules(gaps: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let gaps = gaps.as_array().expect("gaps").iter();
    gaps.map(|gap| (text(&gap["rule"]), text(&gap["pointer"]))).collect()
}

async fn missing(hub: &Hub) -> Vec<(String, String)> {
    let told = hub.get(&format!("{PROJECT}/readiness")).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let iati = &told.json()["formats"]["iati"];
    let missing = rules(&iati["missing"]);
    assert_eq!(iati["ready"], missing.is_empty());
    missing
}

/// Fails unless the project is refused for just what its readiness tells.
async fn assert_refused(hub: &Hub, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(rule, at)| ((*rule).to_owned(), (*at).to_owned())).collect();
    assert_eq!(missing(hub).await, expected);
    let refused = hub.get(EXPORT).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(refused.json()["code"], "not_ready");
    let faults = refused.faults().into_iter().map(|(place, code)| (code, place));
    assert_eq!(faults.collect::<Vec<_>>(), expected);
}

pub(crate) async fn told(hub: &Hub) -> Reply {
    let told = hub.get(EXPORT).await;
    assert_eq!(told.status, 200, "{}", told.text);
    told
}

/// The words of our own that the registry has for the project, as it was found.
const UNDECIDED: [(&str, &str); 5] = [
    ("xsd:iati-identifier", "/iati/identifier"),
    ("xsd:reporting-org", "/iati/reporting_org"),
    ("xsd:activity-status", "/status"),
    ("3.1.1", "/iati/region"),
    ("6.2.2", "/iati/sectors"),
];

#[test]
fn the_project_is_refused_with_everything_that_its_sources_do_not_tell() {
    on_each_database(async |hub| {
        assert_refused(&hub, &UNDECIDED).await;
        // The article alone does not say when the project was launched.
        patch(&hub, PROJECT, json!({"actual_start": null})).await;
        let mut expected = UNDECIDED.to_vec();
        expected.insert(3, ("6.11.1", "/actual_start"));
        assert_refused(&hub, &expected).await;
        // A file of everything would have nothing in it, which the standard does not allow.
        let all = hub.get("/v1/iati/activities.xml").await;
        assert_eq!((all.status.as_u16(), all.json()["code"].clone()), (422, json!("not_ready")));
        let id = hub.get(PROJECT).await.json()["id"].as_str().expect("an id").to_owned();
        let below = |(rule, at): &(&str, &str)| (format!("/projects/{id}{at}"), (*rule).to_owned());
        assert_eq!(all.faults(), expected.iter().map(below).collect::<Vec<_>>());
    });
}

#[test]
fn the_project_is_told_with_its_seminar_once_it_is_complete() {
    on_each_database(async |hub| {
        complete(&hub).await;
        assert_eq!(missing(&hub).await, []);
        let file = told(&hub).await;
        assert_eq!(file.header("content-type"), "application/xml; charset=utf-8");
        for part in [
            "<iati-identifier>XM-DAC-41114-KAZ-GOVERNANCE</iati-identifier>",
            "<reporting-org ref=\"XM-DAC-41114\" type=\"40\" secondary-reporter=\"1\">",
            "<activity-date type=\"2\" iso-date=\"2021-08-24\"/>",
            "<recipient-region code=\"619\" vocabulary=\"1\"/>",
            "<sector vocabulary=\"1\" code=\"15110\" percentage=\"100\"/>",
            "<actual value=\"70\">",
            "As published: more than 70 persons. The value is a lower bound.",
            "<activity-date type=\"2\" iso-date=\"2021-11-04\"/>",
            "<activity-date type=\"4\" iso-date=\"2021-11-05\"/>",
        ] {
            assert!(file.text.contains(part), "{part}\n{}", file.text);
        }
        assert_eq!(file.text.matches("<iati-activity ").count(), 2);
        // What a shared strategy costs is no money of the project, and no split is invented.
        for absent in ["250000000000", "<budget", "<transaction", "recipient-country", "unknown"] {
            assert!(!file.text.contains(absent), "{absent}\n{}", file.text);
        }
        let all = hub.get("/v1/iati/activities.xml").await;
        assert_eq!(all.text, file.text);
        let again = hub.send("GET", EXPORT, &[("if-none-match", file.header("etag"))], None).await;
        assert_eq!(again.status, 304);
        patch(&hub, "/v1/seminars/first-seminar-2021", json!({"starts_on": "2021-11"})).await;
        let file = told(&hub).await;
        assert_eq!(file.text.matches("<iati-activity ").count(), 1);
        assert!(!file.text.contains("related-activity"), "{}", file.text);
        let seminar = hub.get("/v1/seminars/first-seminar-2021/readiness").await.json();
        let expected = [("6.11.1".to_owned(), "/starts_on".to_owned())];
        assert_eq!(rules(&seminar["formats"]["iati"]["missing"]), expected);
        let id = hub.get("/v1/seminars/first-seminar-2021").await.json()["id"].clone();
        let at = format!("/seminars/{}/starts_on", id.as_str().expect("an id"));
        assert!(left_out(&hub, PROJECT).await.contains(&("6.11.1".to_owned(), at)));
    });
}

#[test]
fn each_fact_that_the_standard_cannot_do_without_is_missed() {
    on_each_database(async |hub| {
        complete(&hub).await;
        let parties = hub.get(PROJECT).await.json()["parties"].clone();
        // What is cited cannot be left out.
        patch(&hub, PROJECT, json!({"citations": []})).await;
        for (changes, back, rule, at) in [
            (
                json!({"status": null}),
                json!({"status": "implementation"}),
                "xsd:activity-status",
                "/status",
            ),
            (
                json!({"objective": null, "target_group": null}),
                json!({"objective": {"en": "To learn"}}),
                "xsd:description",
                "/description",
            ),
            (
                json!({"actual_start": null}),
                json!({"actual_start": "2021-08-24"}),
                "6.11.1",
                "/actual_start",
            ),
            (
                json!({"actual_start": "2021-09"}),
                json!({"actual_start": "2021-08-24"}),
                "6.11.1",
                "/actual_start",
            ),
            (
                json!({"actual_start": "2199-01-01"}),
                json!({"actual_start": "2021-08-24"}),
                "11.1.3",
                "/actual_start",
            ),
            (
                json!({"iati": {"region": null}}),
                json!({"iati": {"region": {"vocabulary": "1", "code": "619"}}}),
                "3.1.1",
                "/iati/region",
            ),
            (
                json!({"iati": {"sectors": []}}),
                json!({"iati": {"sectors": [{"vocabulary": "1", "code": "15110", "percentage": 100}]}}),
                "6.2.2",
                "/iati/sectors",
            ),
            (
                json!({"iati": {"sectors": [{"vocabulary": "1", "code": "15110", "percentage": 60}, {"vocabulary": "1", "code": "43082", "percentage": 30}]}}),
                json!({"iati": {"sectors": [{"vocabulary": "1", "code": "15110", "percentage": 60}, {"vocabulary": "1", "code": "43082", "percentage": 40}]}}),
                "2.1.1",
                "/iati/sectors",
            ),
            (
                json!({"iati": {"identifier": "XM-DAC-41114-A/B"}}),
                json!({"iati": {"identifier": "XM-DAC-41114-AB"}}),
                "1.1.3",
                "/iati/identifier",
            ),
            (
                json!({"iati": {"identifier": "KAZ-GOVERNANCE"}}),
                json!({"iati": {"identifier": "XM-DAC-41114-AB"}}),
                "1.1.21",
                "/iati/identifier",
            ),
        ] {
            patch(&hub, PROJECT, changes).await;
            assert_refused(&hub, &[(rule, at)]).await;
            patch(&hub, PROJECT, back).await;
            told(&hub).await;
        }
        patch(&hub, PROJECT, json!({"parties": []})).await;
        let expected =
            [("xsd:reporting-org", "/iati/reporting_org"), ("xsd:participating-org", "/parties")];
        assert_refused(&hub, &expected).await;
        patch(&hub, PROJECT, json!({"parties": parties})).await;
        told(&hub).await;
    });
}

#[test]
fn a_code_that_no_codelist_has_is_named_with_its_rule() {
    on_each_database(async |hub| {
        complete(&hub).await;
        for (field, wrong, right, rule) in [
            ("aid_type", "nonsense", "D01", "codelist:AidType"),
            ("finance_type", "zzz", "110", "codelist:FinanceType"),
            ("flow_type", "q", "10", "codelist:FlowType"),
            ("tied_status", "1", "5", "codelist:TiedStatus"),
        ] {
            patch(&hub, PROJECT, json!({"iati": {field: wrong}})).await;
            assert_refused(&hub, &[(rule, &format!("/iati/{field}"))]).await;
            patch(&hub, PROJECT, json!({"iati": {field: right}})).await;
            told(&hub).await;
        }
        for (vocabulary, code, rule) in [
            ("1", "1511", "9.59.1"),
            ("1", "99999", "codelist:Sector"),
            ("2", "999", "codelist:SectorCategory"),
        ] {
            let sectors = json!([{"vocabulary": vocabulary, "code": code, "percentage": 100}]);
            patch(&hub, PROJECT, json!({"iati": {"sectors": sectors}})).await;
            assert_refused(&hub, &[(rule, "/iati/sectors/0/code")]).await;
        }
        let sectors = json!([{"vocabulary": "nonsense", "code": "1", "percentage": 100}]);
        let region = json!({"vocabulary": "3", "code": "12345"});
        patch(&hub, PROJECT, json!({"iati": {"sectors": sectors, "region": region}})).await;
        let expected = [
            ("codelist:RegionVocabulary", "/iati/region/vocabulary"),
            ("codelist:SectorVocabulary", "/iati/sectors/0/vocabulary"),
        ];
        assert_refused(&hub, &expected).await;
        let sectors = json!([{"vocabulary": "1", "code": "15110", "percentage": 100}]);
        let region = json!({"vocabulary": "1", "code": "12345"});
        patch(&hub, PROJECT, json!({"iati": {"sectors": sectors, "region": region}})).await;
        assert_refused(&hub, &[("9.68.1", "/iati/region/code")]).await;
    });
}

#[test]
fn the_one_country_that_a_project_is_for_is_told_and_no_region() {
    on_each_database(async |hub| {
        complete(&hub).await;
        let countries = json!([
            {"country": "KZ", "role": "beneficiary", "region": "Central Asia"},
            {"country": "UZ", "role": "participating", "region": "Central Asia"},
        ]);
        patch(&hub, PROJECT, json!({"countries": countries, "citations": []})).await;
        let file = told(&hub).await.text;
        let country = "<recipient-country code=\"KZ\" percentage=\"100\"/><sector ";
        assert_eq!(file.matches(country).count(), 2, "{file}");
        assert_eq!(file.matches("<recipient-").count(), 2, "{file}");
    });
}

#[test]
fn money_and_results_are_told_as_they_were_entered() {
    on_each_database(async |hub| {
        complete(&hub).await;
        funded(&hub).await;
        let file = told(&hub).await.text;
        for part in [
            "<budget type=\"1\" status=\"2\"><period-start iso-date=\"2021-07-01\"/><period-end iso-date=\"2022-06-30\"/><value currency=\"USD\" value-date=\"2021-07-01\">1000000</value></budget>",
            "<transaction><transaction-type code=\"1\"/><transaction-date iso-date=\"2021-08-01\"/><value currency=\"USD\" value-date=\"2021-08-01\">250000.50</value><description>",
            "<receiver-org ref=\"XM-DAC-41114\" type=\"40\">",
            "<narrative xml:lang=\"ru\">Госслужащие, применяющие знания</narrative>",
            "<baseline year=\"2021\" value=\"0\"><comment>",
            "<target value=\"100\"/>",
        ] {
            assert!(file.contains(part), "{part}\n{file}");
        }
        let leap = json!({"budgets": [{
            "from": "2024-02-29", "to": "2025-02-28", "status": "committed", "kind": "original",
            "amount": {"amount": "1", "currency": "USD"},
        }]});
        patch(&hub, "/v1/grant-arrangements/undp-kazakhstan-mois-2021", leap).await;
        let file = told(&hub).await.text;
        assert!(file.contains("<period-end iso-date=\"2025-02-28\"/>"), "{file}");
        let late = json!({"transactions": [{"on": "2199-08-01", "amount": {"amount": "1", "currency": "USD"}, "kind": "incoming_funds"}]});
        patch(&hub, "/v1/grant-arrangements/undp-kazakhstan-mois-2021", late).await;
        let gaps = missing(&hub).await;
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert_eq!(gaps[0].0, "11.3.1");
    });
}

const RESULT: &str = "governance-innovation-and-digitalisation-outcome";

/// Adds an indicator of that year, with what is told of it besides.
async fn measured(hub: &Hub, title: &str, more: Value) -> String {
    let mut indicator = json!({
        "result_id": RESULT, "title": {"en": title}, "measure": "unit", "ascending": true,
        "periods": [{"from": "2021-01-01", "to": "2021-12-31", "target": "20", "actual": null, "comment": null}],
    });
    for (name, value) in more.as_object().expect("fields") {
        indicator[name] = value.clone();
    }
    let made = hub.write("POST", "/v1/indicators", None, Some(&indicator)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().expect("an id").to_owned()
}

#[test]
fn what_the_registry_counts_is_told_as_its_results_tell_it() {
    on_each_database(async |hub| {
        complete(&hub).await;
        for metric in ["seminars_held", "presentations", "countries", "participants"] {
            measured(&hub, metric, json!({"computed_from": metric})).await;
        }
        // From the title of the indicator to the end of its period.
        let of = |file: &str, metric: &str| {
            let from = file.find(&format!(">{metric}<")).expect("the indicator");
            let to = file[from..].find("</period>").expect("its period");
            file[from..from + to]
                .split_once("<target value=\"20\"/>")
                .expect("a target")
                .1
                .to_owned()
        };
        // Of two years, in the second of which too few come to be told.
        let periods = json!([{"from": "2021-01-01", "to": "2022-12-31", "target": "20", "actual": null, "comment": null}]);
        let both = json!({"computed_from": "participants", "periods": periods});
        measured(&hub, "participants of both years", both).await;
        let second = json!({"slug": "second", "kind": "seminar", "status": "held", "project_id": "governance-innovation-and-digitalisation", "starts_on": "2022-03-01", "ends_on": "2022-03-01"});
        let made = hub.write("POST", "/v1/seminars", None, Some(&second)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let file = told(&hub).await;
        assert_eq!(of(&file.text, "seminars_held"), "<actual value=\"1\"/>");
        assert_eq!(of(&file.text, "presentations"), "<actual value=\"10\"/>");
        // Nine are named, and more were published.
        let countries = "<actual value=\"9\"><comment><narrative xml:lang=\"en\">As counted: at least 9. \
                         The value is a lower bound.</narrative></comment></actual>";
        assert_eq!(of(&file.text, "countries"), countries);

        let (first, second) = (["first-seminar-2021"; 7], ["second"; 2]);
        for seminar in first.into_iter().chain(second) {
            let body = json!({"seminar_id": seminar, "country": "KZ", "consent": "not_given", "retain_until": "2030-12-31"});
            let made = hub.write("POST", "/v1/participants", None, Some(&body)).await;
            assert_eq!(made.status, 201, "{}", made.text);
        }
        let now = told(&hub).await;
        assert_ne!(now.header("etag"), file.header("etag"));
        let results = hub.get(&format!("{PROJECT}/results")).await.json();
        let indicators = results["results"][0]["indicators"].as_array().expect("indicators");
        let counted = |title: &str| {
            let found = indicators.iter().find(|one| one["title"]["en"] == title);
            let period = &found.expect("the indicator")["periods"][0];
            (period["actual"].clone(), period["actual_qualifier"].clone())
        };
        // A study visit was held on days that are not known, so there may be more of 2021, too.
        for title in ["participants", "participants of both years"] {
            assert_eq!(counted(title), (json!("7"), json!("at_least")), "{title}");
            assert_eq!(
                of(&now.text, title),
                "<actual value=\"7\"><comment><narrative xml:lang=\"en\">As counted: at least 7. \
                 The value is a lower bound.</narrative></comment></actual>"
            );
        }
        assert_eq!(hub.get("/v1/iati/activities.xml").await.text, now.text);
    });
}

#[test]
fn counting_takes_the_same_queries_however_many_indicators_there_are() {
    on_each_database_without_memory(async |hub| {
        complete(&hub).await;
        let metrics = ["seminars_held", "participants", "participants_female", "countries"];
        for metric in metrics {
            measured(&hub, metric, json!({"computed_from": metric})).await;
        }
        // The figures of people are made once.
        told(&hub).await;
        let few = hub.queries_of(EXPORT).await.len();
        for metric in metrics.into_iter().cycle().take(12) {
            measured(&hub, metric, json!({"computed_from": metric})).await;
        }
        told(&hub).await;
        let many = hub.queries_of(EXPORT).await;
        assert_eq!(few, many.len(), "{many:#?}");
    });
}

/// The project as another one would have to be written.
async fn twin(hub: &Hub) -> Value {
    let mut twin = hub.get(PROJECT).await.json();
    for derived in ["id", "revision", "state", "created_at", "updated_at", "published_at"] {
        twin.as_object_mut().expect("a project").remove(derived);
    }
    twin["slug"] = "twin".into();
    twin
}

#[test]
fn no_two_activities_are_told_with_the_same_identifier() {
    on_each_database(async |hub| {
        complete(&hub).await;
        let twin = twin(&hub).await;
        let made = hub.write_as(&hub.token, "POST", "/v1/projects", None, Some(&twin)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        // The public is told nothing of a draft, and neither is it in the way of anything.
        told(&hub).await;
        let made = made.json();
        let (id, tag) = (made["id"].as_str().expect("an id"), format!("\"{}\"", made["revision"]));
        let public = format!("/v1/projects/{id}/publish");
        let published = hub.write("POST", &public, Some(&tag), None).await;
        assert_eq!(published.status, 200, "{}", published.text);
        assert_refused(&hub, &[("hub:iati-identifier", "/iati/identifier")]).await;
        let detail = &hub.get(EXPORT).await.json()["errors"][0]["detail"];
        assert!(detail.as_str().expect("a text").contains("/v1/projects/twin"), "{detail}");
        let all = hub.get("/v1/iati/activities.xml").await;
        let faults = all.faults();
        assert!(faults.len() == 2 && faults.iter().all(|(_, rule)| rule == "hub:iati-identifier"));
        let found = hub.get("/v1/projects?iati_identifier=XM-DAC-41114-KAZ-GOVERNANCE").await;
        assert_eq!(found.json()["items"].as_array().expect("items").len(), 2);

        let other = json!({"iati": {"identifier": "XM-DAC-41114-KAZ-TWIN"}});
        patch(&hub, "/v1/projects/twin", other).await;
        told(&hub).await;
        let all = hub.get("/v1/iati/activities.xml").await.text;
        assert_eq!(all.matches("hierarchy=\"1\"").count(), 2, "{all}");
        assert!(!all.contains("<!--"), "{all}");
    });
}

#[test]
fn the_file_of_all_projects_names_those_that_it_leaves_out_and_no_draft() {
    on_each_database(async |hub| {
        complete(&hub).await;
        let bare = |slug: &str| json!({"slug": slug, "title": {"en": "A project"}});
        let (public, draft) = (bare("not--ready-"), bare("not-public"));
        let public = hub.write("POST", "/v1/projects", None, Some(&public)).await.json();
        let draft = hub.write_as(&hub.token, "POST", "/v1/projects", None, Some(&draft)).await;
        let all = hub.get("/v1/iati/activities.xml").await.text;
        let id = |project: &Value| project["id"].as_str().expect("an id").to_owned();
        let left = format!("<!-- Left out: /v1/projects/{}/readiness ", id(&public));
        assert_eq!((all.matches(&left).count(), all.matches("<!--").count()), (1, 1), "{all}");
        assert!(!all.contains(&id(&draft.json())), "{all}");
        assert_eq!(all.matches("hierarchy=\"1\"").count(), 1, "{all}");
        let today = chrono::Utc::now().date_naive();
        assert_eq!(api::iati_faults(all.as_bytes(), today), [], "{all}");
    });
}

#[test]
fn a_text_that_nobody_can_read_is_refused_and_one_from_before_spoils_no_file() {
    on_each_database_without_memory(async |hub| {
        complete(&hub).await;
        let seminar = "/v1/seminars/first-seminar-2021";
        let tag = hub.get(seminar).await.header("etag").to_owned();
        for unreadable in ["\u{81}", "\u{fffe}", "\u{96} \u{96}"] {
            let title = json!({"title": {"en": "Fine", "ru": unreadable}});
            let refused = hub.write("PATCH", seminar, Some(&tag), Some(&title)).await;
            assert_eq!(refused.status, 422, "{unreadable:?}: {}", refused.text);
            assert_eq!(refused.json()["errors"][0]["pointer"], "/title/ru");
            assert!(refused.text.contains("nothing in it can be read"), "{}", refused.text);
            let mut named = domain::sample::example("people");
            named["name"] = unreadable.into();
            let refused = hub.write("POST", "/v1/people", None, Some(&named)).await;
            assert_eq!(refused.status, 422, "{unreadable:?}: {}", refused.text);
        }
        let title = json!({"title": {"en": "Fine", "ru": "Once"}, "citations": []});
        patch(&hub, seminar, title).await;
        hub.sql("UPDATE record SET body = replace(body, '\"Once\"', '\"\u{81}\"')").await;
        for file in [told(&hub).await, hub.get("/v1/iati/activities.xml").await] {
            assert_eq!(file.status, 200, "{}", file.text);
            let title = "<title><narrative xml:lang=\"en\">Fine</narrative></title>";
            assert!(file.text.contains(title), "{}", file.text);
        }
        hub.sql("UPDATE record SET body = replace(body, '\"Fine\"', '\"\u{fffe}\"')").await;
        let readiness = hub.get(&format!("{seminar}/readiness")).await.json();
        let missing = rules(&readiness["formats"]["iati"]["missing"]);
        assert_eq!(missing, [("xsd:narrative".to_owned(), "/title".to_owned())]);
        let all = hub.get("/v1/iati/activities.xml").await;
        assert_eq!((all.status.as_u16(), all.text.matches("<iati-activity ").count()), (200, 1));
    });
}

#[test]
fn a_language_is_told_by_its_two_letters_and_what_has_none_is_named() {
    on_each_database(async |hub| {
        complete(&hub).await;
        let title = json!({"kaa": "Joba", "en": "Project", "ru": null, "uz-Cyrl": "Лойиҳа", "zh-Hans": "项目", "zh-Hant": "項目"});
        patch(&hub, PROJECT, json!({"title": title, "citations": []})).await;
        let file = told(&hub).await.text;
        let title = "<title><narrative xml:lang=\"en\">Project</narrative><narrative xml:lang=\"uz\">Лойиҳа</narrative><narrative xml:lang=\"zh\">项目</narrative></title>";
        assert!(file.contains(title), "{file}");
        let left = left_out(&hub, PROJECT).await;
        let left: Vec<_> = left.iter().filter(|(rule, _)| rule == "codelist:Language").collect();
        let rule = || "codelist:Language".to_owned();
        let expected = ["/title/kaa", "/title/zh-Hant"].map(|at| (rule(), at.to_owned()));
        assert_eq!(left, expected.iter().collect::<Vec<_>>());

        let nameless =
            json!({"title": {"en": null, "uz-Cyrl": null, "zh-Hans": null, "zh-Hant": null}});
        patch(&hub, PROJECT, nameless).await;
        assert_refused(&hub, &[("xsd:narrative", "/title")]).await;
    });
}

#[test]
fn where_an_event_is_has_its_place_and_who_holds_it_is_named_as_left_out() {
    on_each_database(async |hub| {
        complete(&hub).await;
        let seminar = "/v1/seminars/first-seminar-2021";
        let venue = json!({"name": {"en": "Hilton", "kaa": "Xilton"}, "address": {"en": "Street 1"}, "city": {"en": "Astana"}, "country": "KZ", "latitude": 51.1, "longitude": 71.4, "online_url": "https://example.org/room"});
        let known = json!({"venue": venue, "status": "rescheduled", "previous_start": "2021-10-01", "attendance": [], "citations": []});
        patch(&hub, seminar, known).await;
        let location = "<location><name><narrative xml:lang=\"en\">Hilton</narrative></name><point srsName=\"http://www.opengis.net/def/crs/EPSG/0/4326\"><pos>51.1 71.4</pos></point></location><sector ";
        let file = told(&hub).await.text;
        assert!(file.contains(location), "{file}");
        let part = "codelist:OrganisationRole";
        let expected = [
            ("xsd:activity-date", "/previous_start"),
            ("codelist:Language", "/venue/name/kaa"),
            ("xsd:location", "/venue/address"),
            ("xsd:location", "/venue/city"),
            ("xsd:location", "/venue/country"),
            ("xsd:location", "/venue/online_url"),
            (part, "/organisers/0"),
            (part, "/organisers/1"),
            (part, "/organisers/2"),
            ("xsd:recipient-country", "/countries"),
        ];
        let expected = expected.map(|(rule, at)| (rule.to_owned(), at.to_owned()));
        assert_eq!(left_out(&hub, seminar).await, expected);

        let city = json!({"venue": {"city": {"en": "Astana"}}});
        patch(&hub, seminar, json!({"venue": null})).await;
        assert!(!told(&hub).await.text.contains("<location>"));
        patch(&hub, seminar, city).await;
        let location =
            "<location><name><narrative xml:lang=\"en\">Astana</narrative></name></location>";
        let file = told(&hub).await.text;
        assert!(file.contains(location), "{file}");
        let left = left_out(&hub, seminar).await;
        assert!(left.iter().all(|(_, at)| !at.starts_with("/venue")), "{left:?}");
        let visit = "/v1/study-visits/study-visit-korea-2022";
        patch(&hub, visit, json!({"starts_on": "2022-09-20", "citations": []})).await;
        let left = left_out(&hub, visit).await;
        assert!(
            left.contains(&("xsd:location".to_owned(), "/host_country".to_owned())),
            "{left:?}"
        );
    });
}

#[test]
fn a_project_that_is_written_wrongly_costs_no_other_its_place() {
    on_each_database_without_memory(async |hub| {
        complete(&hub).await;
        let mut twin = twin(&hub).await;
        twin["iati"]["identifier"] = "XM-DAC-41114-KAZ-TWIN".into();
        let made = hub.write("POST", "/v1/projects", None, Some(&twin)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        // Nothing that can be written today breaks a rule: this budget is for more than a year.
        funded(&hub).await;
        hub.sql("UPDATE record SET body = replace(body, '\"2022-06-30\"', '\"2029-06-30\"')").await;
        assert_eq!(hub.get(EXPORT).await.status, 500);
        let all = hub.get("/v1/iati/activities.xml").await;
        assert_eq!(all.status, 200, "{}", all.text);
        let id = hub.get(PROJECT).await.json()["id"].as_str().expect("an id").to_owned();
        let left = format!("<!-- Left out: /v1/projects/{id} broke a rule as it was written");
        assert_eq!(all.text.matches(&left).count(), 1, "{}", all.text);
        let identifiers = all.text.matches("<iati-identifier>").count();
        assert!(identifiers == 1 && all.text.contains("KAZ-TWIN"), "{}", all.text);
        let today = chrono::Utc::now().date_naive();
        assert_eq!(api::iati_faults(all.text.as_bytes(), today), [], "{}", all.text);
    });
}

/// What is left out of the file of that record, each with its rule.
async fn left_out(hub: &Hub, path: &str) -> Vec<(String, String)> {
    let told = hub.get(&format!("{path}/readiness")).await.json();
    let iati = &told["formats"]["iati"];
    assert_eq!(iati["ready"], true, "{iati}");
    rules(&iati["left_out"])
}

#[test]
fn what_is_known_and_has_no_place_in_the_file_is_named() {
    on_each_database(async |hub| {
        complete(&hub).await;
        let result = hub.get(&format!("/v1/results/{RESULT}")).await.json();
        let partners = ["/parties/3", "/parties/4"].map(|at| ("codelist:OrganisationRole", at));
        let result = format!("/results/{}", result["id"].as_str().expect("an id"));
        let mut expected = vec![("3.1.1", "/countries")];
        expected.extend(partners);
        expected.push(("xsd:indicator", &result));
        // An event that lacks something is left out as a whole.
        let visit = hub.get("/v1/study-visits/study-visit-korea-2022").await.json();
        let visit = format!("/study-visits/{}/starts_on", visit["id"].as_str().expect("an id"));
        let visit = ("6.11.1", visit.as_str());
        expected.push(visit);
        let owned = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(rule, at)| ((*rule).to_owned(), (*at).to_owned())).collect()
        };
        assert_eq!(left_out(&hub, PROJECT).await, owned(&expected));

        let comment = json!({"en": "As far as is known"});
        let periods = json!([{"from": "2021-01-01", "to": "2021-12-31", "target": "1", "actual": null, "comment": comment}]);
        let baseline = json!({"year": 2021, "value": null, "comment": comment});
        let number = json!({"baseline": baseline, "periods": periods});
        let number = format!("/indicators/{}", measured(&hub, "Number", number).await);
        let words = json!({"measure": "qualitative", "baseline": baseline, "periods": periods});
        let words = format!("/indicators/{}", measured(&hub, "Words", words).await);
        let dates = json!({"planned_end": "2024", "countries": [{"country": "KZ", "role": "beneficiary", "region": null}], "citations": []});
        patch(&hub, PROJECT, dates).await;
        let (baseline, period) =
            (format!("{number}/baseline/comment"), format!("{number}/periods/0/comment"));
        let target = format!("{words}/periods/0/target");
        let mut expected = vec![("3.1.1", "/iati/region")];
        expected.extend(partners);
        expected.push(("xsd:activity-date@iso-date", "/planned_end"));
        expected.extend([baseline.as_str(), &period, &target].map(|at| ("8.8.1", at)));
        expected.push(visit);
        assert_eq!(left_out(&hub, PROJECT).await, owned(&expected));

        // An amount that was agreed is told once a transaction commits it.
        let grant = "/v1/grant-arrangements/undp-kazakhstan-mois-2021";
        let agreed = json!({"amount": "1000", "currency": "USD"});
        let moved = |kind: &str| json!({"transactions": [{"on": "2021-08-01", "amount": agreed, "kind": kind}]});
        patch(&hub, grant, json!({"amount": agreed})).await;
        patch(&hub, grant, moved("disbursement")).await;
        let id = hub.get(grant).await.json()["id"].as_str().expect("an id").to_owned();
        let amount = format!("/grant-arrangements/{id}/amount");
        let untold = async || {
            let left = left_out(&hub, PROJECT).await;
            left.contains(&("xsd:transaction".to_owned(), amount.clone()))
        };
        assert!(untold().await);
        patch(&hub, grant, moved("incoming_commitment")).await;
        assert!(!untold().await);
        let file = told(&hub).await.text;
        assert_eq!(file.matches("As far as is known").count(), 2, "what words measure: {file}");

        let seminar = "/v1/seminars/first-seminar-2021";
        let parties = json!({"organisers": [], "countries": [], "citations": []});
        patch(&hub, seminar, parties).await;
        assert_eq!(left_out(&hub, seminar).await, []);
        let attendance = ("xsd:period-end", "/attendance");
        patch(&hub, seminar, json!({"ends_on": null})).await;
        assert_eq!(left_out(&hub, seminar).await, owned(&[attendance]));
        patch(&hub, seminar, json!({"ends_on": "2021-11"})).await;
        let expected = [("xsd:activity-date@iso-date", "/ends_on"), attendance];
        assert_eq!(left_out(&hub, seminar).await, owned(&expected));
        let file = told(&hub).await.text;
        assert!(!file.contains("Attendance") && file.contains("hierarchy=\"2\""), "{file}");
        patch(&hub, seminar, json!({"status": "planned", "ends_on": "2021-11-05"})).await;
        assert_eq!(left_out(&hub, seminar).await, owned(&[("hub:attendance", "/attendance")]));
    });
}
