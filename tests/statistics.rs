//! Figures, recounted from the records that everybody can read.
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
};

use api::Settings;
use calamine::{Data, Reader};
use domain::Country;
use persistence::Tallies;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{
    Hub, on_each_database, on_each_database_with, on_each_database_without_memory,
};

type Groups = Vec<Option<String>>;

/// What a plain recount finds for a group.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    count: i64,
    known: i64,
    sum: f64,
}

/// Something that is counted: what it belongs to by each dimension, and its value.
struct One {
    groups: Vec<BTreeSet<Option<String>>>,
    value: Option<f64>,
}

fn recount(all: &[One]) -> BTreeMap<Groups, Tally> {
    let mut found: BTreeMap<Groups, Tally> = BTreeMap::new();
    for one in all {
        let mut groups: Vec<Groups> = vec![Vec::new()];
        for values in &one.groups {
            let with = |group: &Groups| {
                let more =
                    values.iter().map(|value| [&group[..], std::slice::from_ref(value)].concat());
                more.collect::<Vec<_>>()
            };
            groups = groups.iter().flat_map(with).collect();
        }
        for group in groups {
            let tally = found.entry(group).or_default();
            tally.count += 1;
            tally.known += i64::from(one.value.is_some());
            tally.sum += one.value.unwrap_or(0.0);
        }
    }
    found
}

/// The figures that the service tells, by group.
fn told(statistics: &Value) -> BTreeMap<Groups, Tally> {
    let columns = statistics["group_by"].as_array().unwrap();
    let rows = statistics["rows"].as_array().unwrap();
    let tally = |row: &Value| {
        let group = columns
            .iter()
            .map(|column| row[column.as_str().unwrap()].as_str().map(ToOwned::to_owned));
        let count = row["count"].as_i64().unwrap();
        let sum = match &row["sum"] {
            Value::String(money) => money.parse().unwrap(),
            other => other.as_f64().unwrap_or(0.0),
        };
        let known = count - row["sum_unknown"].as_i64().unwrap_or(count);
        (group.collect(), Tally { count, known, sum })
    };
    rows.iter().map(tally).collect()
}

/// One value, or none that is known.
fn one(value: &Value) -> BTreeSet<Option<String>> {
    BTreeSet::from([value.as_str().map(ToOwned::to_owned)])
}

/// The values of a list, or none that is known.
fn each<'a>(values: impl Iterator<Item = &'a Value>) -> BTreeSet<Option<String>> {
    let found: BTreeSet<_> = values.map(|value| value.as_str().map(ToOwned::to_owned)).collect();
    if found.is_empty() { BTreeSet::from([None]) } else { found }
}

fn part(date: &Value, length: usize) -> BTreeSet<Option<String>> {
    let text = date.as_str().filter(|text| !text.starts_with("XXXX"));
    BTreeSet::from([text.and_then(|text| text.get(..length)).map(ToOwned::to_owned)])
}

fn quarter(date: &Value) -> BTreeSet<Option<String>> {
    part(date, 7)
        .into_iter()
        .map(|month| {
            let month = month?;
            let number: u32 = month[5..].parse().unwrap();
            Some(format!("{}-Q{}", &month[..4], number.div_ceil(3)))
        })
        .collect()
}

fn regions(countries: &BTreeSet<Option<String>>) -> BTreeSet<Option<String>> {
    let region = |code: &Option<String>| Country::find(code.as_ref()?)?.region.clone();
    countries.iter().map(region).collect()
}

fn items<'a>(of: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    of[list].as_array().unwrap().iter()
}

/// Every record of a list.
async fn all(hub: &Hub, collection: &str) -> Vec<Value> {
    let reply = hub.get(&format!("/v1/{collection}.ndjson")).await;
    reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.roll(from.len())]
    }

    fn some(&mut self, from: &[&'static str], most: usize) -> Vec<&'static str> {
        let mut found: Vec<_> = (0..self.roll(most + 1)).map(|_| self.pick(from)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

const COUNTRIES: [&str; 7] = ["KZ", "KG", "UZ", "GE", "AM", "EE", "KR"];
const TOPICS: [&str; 4] = ["digitalisation", "ai", "cloud", "skills"];
const DATES: [&str; 7] =
    ["2021", "2021-11", "2022-03-01", "2022-03-30", "2022-07", "2023-12-31", "XXXX-05-09"];
const ORGANISATIONS: [&str; 5] = ["mois", "nia", "acsh", "ee-meac", "undp"];
const QUALIFIERS: [&str; 4] = ["exact", "more_than", "at_least", "exact"];

/// A registry that is larger than the first seminar: of everything some, and some of it unknown.
async fn filled(hub: &Hub) {
    let mut dice = Dice(20_211_104);
    let project = "governance-innovation-and-digitalisation";
    let people = ["kangtak-oh", "kristo-vaher", "alikhan-baimenov"];
    let mut seminars = Vec::new();
    let mut talks = Vec::new();
    for number in 0..40 {
        let slug = format!("recounted-{number}");
        let date = (dice.roll(5) > 0).then(|| dice.pick(&DATES));
        let end = date.filter(|date| date.len() == 10 && dice.roll(2) == 0);
        let countries: Vec<_> = dice
            .some(&COUNTRIES, 4)
            .into_iter()
            .map(|country| json!({"country": country, "role": "participating"}))
            .collect();
        let organisers: Vec<_> = dice
            .some(&ORGANISATIONS, 2)
            .into_iter()
            .map(|slug| json!({"organisation_id": slug, "role": "organiser"}))
            .collect();
        let attendance: Vec<_> = dice
            .some(&["persons", "countries"], 2)
            .into_iter()
            .map(|metric| json!({"metric": metric, "value": dice.roll(90), "qualifier": dice.pick(&QUALIFIERS)}))
            .collect();
        seminars.push(json!({
            "slug": slug, "project_id": project, "kind": dice.pick(&["seminar", "workshop", "webinar"]),
            "starts_on": date, "ends_on": end, "countries": countries,
            "status": if number % 8 == 3 { "cancelled" } else { "held" },
            "organisers": organisers, "attendance": attendance, "topics": dice.some(&TOPICS, 3),
        }));
        for order in 1..=dice.roll(4) {
            let speakers: Vec<_> = (0..dice.roll(3))
                .map(|_| {
                    json!({
                        "person_id": dice.pick(&people), "role": dice.pick(&["presenter", "moderator"]),
                        "organisation_id": (dice.roll(2) == 0).then(|| dice.pick(&ORGANISATIONS)),
                        "country": (dice.roll(3) > 0).then(|| dice.pick(&COUNTRIES)),
                    })
                })
                .collect();
            talks.push(json!({
                "slug": format!("recounted-{number}-{order}"), "seminar_id": format!("recounted-{number}"),
                "order": order, "speakers": speakers, "topics": dice.some(&TOPICS, 2),
            }));
        }
    }
    hub.import(json!({"records": {"seminars": seminars, "presentations": talks}})).await;
    // One that never was public, one that is not any more, and one that became it.
    let ways: [(&str, &[&str]); 3] =
        [("never", &[]), ("once", &["publish", "withdraw"]), ("since", &["publish"])];
    for (slug, steps) in ways {
        let body = json!({
            "slug": slug, "project_id": project, "kind": "seminar", "starts_on": "2022-03-01", "status": "held",
            "countries": [{"country": "KZ", "role": "participating"}], "topics": ["ai"],
            "attendance": [{"metric": "persons", "value": 7, "qualifier": "exact"}],
        });
        let mut made = hub.write_as(&hub.token, "POST", "/v1/seminars", None, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        for step in steps {
            let path = format!("/v1/seminars/{slug}/{step}");
            made = hub.write("POST", &path, Some(made.header("etag")), None).await;
            assert_eq!(made.status, 200, "{}", made.text);
        }
    }
}

/// What seminars belong to, by dimension.
fn of_seminar(seminar: &Value, dimension: &str) -> BTreeSet<Option<String>> {
    let starts = &seminar["starts_on"];
    let countries = || each(items(seminar, "countries").map(|one| &one["country"]));
    match dimension {
        "year" => part(starts, 4),
        "quarter" => quarter(starts),
        "month" => part(starts, 7),
        "country" => countries(),
        "region" => regions(&countries()),
        "topic" => each(items(seminar, "topics")),
        "kind" | "status" => one(&seminar[dimension]),
        other => panic!("{other}"),
    }
}

fn days(seminar: &Value) -> Option<f64> {
    let day = |name: &str| {
        let text = seminar[name].as_str()?;
        text.parse::<chrono::NaiveDate>().ok()
    };
    Some(f64::from(u32::try_from((day("ends_on")? - day("starts_on")?).num_days()).ok()? + 1))
}

#[test]
fn figures_of_seminars_are_those_of_a_plain_recount() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let seminars = all(&hub, "seminars").await;
        let dimensions =
            ["year", "quarter", "month", "country", "region", "topic", "kind", "status"];
        for first in dimensions {
            // A country and its region go together: another test has them.
            let together = |second: &str| {
                [first, second].iter().all(|one| ["country", "region"].contains(one))
            };
            for second in
                dimensions.into_iter().filter(|second| *second != first && !together(second))
            {
                let path = format!("/v1/statistics/seminars?group_by={first},{second}");
                let counted: Vec<_> = seminars
                    .iter()
                    .map(|seminar| One {
                        groups: vec![of_seminar(seminar, first), of_seminar(seminar, second)],
                        value: days(seminar),
                    })
                    .collect();
                let figures = hub.get(&path).await.json();
                assert_eq!(told(&figures), recount(&counted), "{path}");
                assert_eq!(figures["totals"][0]["count"], seminars.len(), "{path}");
            }
        }
        // Narrowed as a list is, they count what the list has.
        for narrowed in
            ["country=KZ,GE", "topic=ai", "kind=workshop&starts_on_gte=2022-01-01", "q=recounted"]
        {
            let list = hub.get(&format!("/v1/seminars?{narrowed}&with_total=true")).await.json();
            let figures = hub.get(&format!("/v1/statistics/seminars?{narrowed}")).await.json();
            assert_eq!(figures["rows"][0]["count"], list["total"], "{narrowed}");
        }
    });
}

#[test]
fn figures_of_speakers_and_presentations_are_those_of_a_plain_recount() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let talks = all(&hub, "presentations").await;
        let kinds: BTreeMap<String, Value> = all(&hub, "organisations")
            .await
            .iter()
            .map(|one| (one["id"].as_str().unwrap().to_owned(), one["kind"].clone()))
            .collect();
        let kind_of =
            |id: &Value| id.as_str().and_then(|id| kinds[id].as_str()).map(ToOwned::to_owned);
        let mut parts: Vec<_> = talks
            .iter()
            .flat_map(|talk| items(talk, "speakers").map(move |speaker| (talk, speaker)))
            .map(|(talk, speaker)| One {
                groups: vec![
                    one(&speaker["role"]),
                    each(items(talk, "topics")),
                    BTreeSet::from([kind_of(&speaker["organisation_id"])]),
                ],
                value: None,
            })
            .collect();
        // Who opened the first seminar spoke outside of a presentation.
        parts.push(One {
            groups: vec![
                one(&json!("opener")),
                BTreeSet::from([Some("ecosystems".to_owned())]),
                BTreeSet::from([None]),
            ],
            value: None,
        });
        let path = "/v1/statistics/speakers?group_by=role,topic,organisation_kind";
        assert_eq!(told(&hub.get(path).await.json()), recount(&parts));

        let given: Vec<_> = talks
            .iter()
            .map(|talk| {
                let speakers = || items(talk, "speakers");
                let from = each(speakers().map(|speaker| &speaker["country"]));
                let kinds: BTreeSet<_> =
                    speakers().map(|speaker| kind_of(&speaker["organisation_id"])).collect();
                let kinds = if kinds.is_empty() { BTreeSet::from([None]) } else { kinds };
                One { groups: vec![regions(&from), kinds], value: None }
            })
            .collect();
        let path = "/v1/statistics/presentations?group_by=region";
        let by_region: Vec<_> = given
            .iter()
            .map(|one| One { groups: vec![one.groups[0].clone()], value: None })
            .collect();
        assert_eq!(told(&hub.get(path).await.json()), recount(&by_region));
        let path = "/v1/statistics/presentations?group_by=organisation_kind";
        let by_kind: Vec<_> = given
            .iter()
            .map(|one| One { groups: vec![one.groups[1].clone()], value: None })
            .collect();
        assert_eq!(told(&hub.get(path).await.json()), recount(&by_kind));
    });
}

#[test]
fn published_numbers_are_added_up_as_what_they_are() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let mut bounds: BTreeMap<String, bool> = BTreeMap::new();
        let mut counted = Vec::new();
        for collection in ["seminars", "study-visits"] {
            for held in all(&hub, collection).await {
                for number in items(&held, "attendance") {
                    let metric = number["metric"].as_str().unwrap().to_owned();
                    *bounds.entry(metric.clone()).or_default() |= number["qualifier"] != "exact";
                    let kind = held["kind"].as_str().unwrap_or("study_visit").to_owned();
                    counted.push(One {
                        groups: vec![BTreeSet::from([Some(kind)]), BTreeSet::from([Some(metric)])],
                        value: number["value"].as_f64(),
                    });
                }
                // Somebody came to what was held: how many, nobody has said.
                let told = items(&held, "attendance").any(|number| number["metric"] == "persons");
                if held["status"] == "held" && !told {
                    let kind = held["kind"].as_str().unwrap_or("study_visit").to_owned();
                    let persons = BTreeSet::from([Some("persons".to_owned())]);
                    counted.push(One {
                        groups: vec![BTreeSet::from([Some(kind)]), persons],
                        value: None,
                    });
                    bounds.insert("persons".to_owned(), true);
                }
            }
        }
        let path = "/v1/statistics/attendance?group_by=kind,metric";
        let figures = hub.get(path).await.json();
        assert_eq!(told(&figures), recount(&counted));
        for total in figures["totals"].as_array().unwrap() {
            let bound = bounds[total["metric"].as_str().unwrap()];
            assert_eq!(total["sum_qualifier"] == "exact", !bound, "{total}");
        }
    });
}

#[test]
fn money_is_told_by_flow_year_and_currency_and_never_mixed() {
    on_each_database(async |hub: Hub| {
        let grants = hub.get("/v1/grant-arrangements").await.json();
        let grant = &grants["items"][0];
        let path = format!("/v1/grant-arrangements/{}", grant["id"].as_str().unwrap());
        let budget = |from: &str, to: &str, amount: &str, kind: &str| json!({"from": from, "to": to, "amount": {"amount": amount, "currency": "USD"}, "status": "committed", "kind": kind});
        let moved = |on: &str, amount: &str, currency: &str, kind: &str| json!({"on": on, "amount": {"amount": amount, "currency": currency}, "kind": kind});
        let change = json!({
            "amount": {"amount": "900000000000000001", "currency": "KRW"},
            "signed_on": "2021-07",
            "budgets": [
                budget("2021-07-01", "2022-06-30", "1000.10", "original"),
                budget("2021-07-01", "2022-06-30", "1500.05", "revised"),
                budget("2022-07-01", "2023-06-30", "700", "original"),
            ],
            "transactions": [
                moved("2021-08-01", "0.10", "USD", "disbursement"),
                moved("2021-09-01", "0.20", "USD", "disbursement"),
                moved("2022-01-01", "-5", "USD", "disbursement"),
                moved("2022-01-01", "7", "EUR", "expenditure"),
            ],
        });
        let tag = hub.get(&path).await.header("etag").to_owned();
        let reply = hub.write("PATCH", &path, Some(&tag), Some(&change)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let figures = hub.get("/v1/statistics/finance?group_by=year&measure=sum").await.json();
        let rows: Vec<_> = figures["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                ["year", "flow", "currency", "sum"]
                    .map(|name| row[name].as_str().unwrap_or("null").to_owned())
            })
            .collect();
        let expected = [
            ["2021", "agreed", "KRW", "900000000000000001"],
            ["2021", "budgeted", "USD", "1500.05"],
            ["2021", "disbursed", "USD", "0.3"],
            ["2022", "budgeted", "USD", "700"],
            ["2022", "disbursed", "USD", "-5"],
            ["2022", "spent", "EUR", "7"],
        ];
        assert_eq!(rows, expected.map(|row| row.map(str::to_owned)));
    });
}

#[test]
fn a_sum_without_what_is_not_known_is_a_lower_bound() {
    on_each_database(async |hub: Hub| {
        let mut seminars: Vec<_> =
            ["told", "untold", "called-off"].map(|slug| held(slug, Some("2020-03-01"))).into();
        seminars[0]["attendance"] =
            json!([{"metric": "persons", "value": 10, "qualifier": "exact"}]);
        seminars[2]["status"] = "cancelled".into();
        let mut grants: Vec<_> = ["known", "unknown"]
            .map(|slug| {
                let mut grant = domain::sample::example("grant-arrangements");
                grant["slug"] = slug.into();
                grant["signed_on"] = "2020".into();
                grant["status"] = "signed".into();
                grant
            })
            .into();
        grants[0]["amount"] = json!({"amount": "1000000", "currency": "USD"});
        grants[1]["amount"] = Value::Null;
        let records = json!({"seminars": seminars, "grant-arrangements": grants});
        hub.import(json!({"records": records})).await;
        let rows = async |query: &str| {
            let path = format!("/v1/statistics/{query}&year=2020&measure=count,sum");
            hub.get(&path).await.json()["rows"].clone()
        };
        let persons = json!([{"metric": "persons", "count": 2, "sum": 10, "sum_qualifier": "at_least", "sum_unknown": 1}]);
        assert_eq!(rows("attendance?metric=persons").await, persons);
        let agreed = json!([
            {"flow": "agreed", "currency": "USD", "count": 1, "sum": "1000000", "sum_qualifier": "exact", "sum_unknown": 0},
            {"flow": "agreed", "currency": null, "count": 1, "sum": null, "sum_qualifier": null, "sum_unknown": 1},
        ]);
        assert_eq!(rows("finance?flow=agreed").await, agreed);
        let all = json!([{"flow": "agreed", "currency": "USD", "count": 2, "sum": "1000000", "sum_qualifier": "at_least", "sum_unknown": 1}]);
        assert_eq!(rows("finance?flow=agreed&converted_to=USD").await, all);
    });
}

#[test]
fn figures_are_of_what_is_published_whoever_asks() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let viewer = hub.token("viewer", &[]).await;
        let project = "/v1/projects/governance-innovation-and-digitalisation";
        let drafts =
            hub.get_as(&viewer, "/v1/seminars?state=draft,withdrawn&with_total=true").await;
        assert_eq!(drafts.json()["total"], 2, "what figures could mix in");
        for path in [
            "/v1/statistics/seminars?group_by=year,country",
            "/v1/statistics/attendance?group_by=year",
            "/v1/activities.csv",
            &format!("{project}/dashboard"),
            &format!("{project}/results.csv"),
        ] {
            let told = hub.get(path).await;
            let to_staff = hub.get_as(&viewer, path).await;
            assert_eq!((to_staff.status, to_staff.text), (told.status, told.text), "{path}");
        }
    });
}

#[test]
fn what_is_narrowed_to_an_organisation_is_what_is_counted_under_it() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        for subject in ["seminars", "presentations", "speakers"] {
            let path = format!("/v1/statistics/{subject}");
            let split =
                hub.get(&format!("{path}?group_by=organisation&measure=count")).await.json();
            let rows = items(&split, "rows").filter(|row| row["organisation"].is_string());
            let mut rows: Vec<_> = rows.cloned().collect();
            // Where nia spoke and held nothing, none is counted.
            rows.push(json!({"organisation": "nia", "count": null}));
            assert!(rows.len() > 1, "{subject}");
            for row in rows {
                let slug = row["organisation"].as_str().unwrap();
                let counted = || items(&split, "rows").find(|row| row["organisation"] == slug);
                let expected = counted().map_or(0, |row| row["count"].as_i64().unwrap());
                let one =
                    hub.get(&format!("{path}?organisation={slug}&measure=count")).await.json();
                assert_eq!(one["rows"][0]["count"], expected, "{subject} of {slug}");
            }
        }
    });
}

#[test]
fn what_is_withheld_is_seen_also_where_figures_are_narrowed() {
    on_each_database(async |hub: Hub| {
        let days = ["2025-01-10", "2025-02-10", "2025-03-10"];
        let seminars: Vec<_> = days.map(|day| held(&format!("on-{day}"), Some(day))).into();
        hub.import(json!({"records": {"seminars": seminars}})).await;
        let seminars: Vec<_> = all(&hub, "seminars").await;
        let on = |day: &str| seminars.iter().position(|one| one["starts_on"] == day).unwrap();
        let of = |day: &str, country: &'static str, number: usize| {
            let activity = on(day);
            (0..number).map(move |_| Person { activity, sex: None, country })
        };
        let mut people: Vec<_> = of(days[0], "KZ", 9).collect();
        people.extend(of(days[1], "KZ", 4).chain(of(days[2], "KZ", 8)));
        people.extend(of(days[1], "UZ", 2).chain(of(days[2], "KG", 20)));
        took_part(&hub, &seminars, &people).await;
        let csv = async |query: &str| {
            hub.get(&format!("/v1/statistics/participants.csv?year=2025&{query}")).await.text
        };
        // By month alone each has its row: none is lost where the country is told as well.
        let withheld = |table: &str| table.lines().filter(|row| row.ends_with(",true")).count();
        let alone = csv("group_by=month&country=KZ").await;
        let both = csv("group_by=month,country&country=KZ").await;
        assert!(withheld(&alone) > 0, "{alone}");
        assert_eq!(withheld(&both), withheld(&alone), "{both}");
        // Where nothing else is told, a table with a header alone would say that nobody came.
        let few = csv("group_by=country&country=UZ").await;
        assert_eq!(few.lines().nth(1), Some(",,,true"), "{few}");
        let none = csv("group_by=country&country=TJ").await;
        assert_eq!(none.lines().count(), 1, "{none}");
    });
}

#[test]
fn the_real_figures_are_told_as_they_are_known() {
    on_each_database(async |hub: Hub| {
        let get = async |path: &str| hub.get(&format!("/v1/statistics/{path}")).await.json();
        assert_eq!(get("seminars?measure=count").await["rows"], json!([{"count": 1}]));
        assert_eq!(get("presentations?measure=count").await["rows"], json!([{"count": 10}]));
        let roles = get("speakers?group_by=role").await;
        let expected = json!([
            {"role": "opener", "count": 1, "distinct": 1},
            {"role": "presenter", "count": 10, "distinct": 10},
        ]);
        assert_eq!(roles["rows"], expected);
        assert_eq!(roles["totals"], json!([{"count": 11, "distinct": 11}]));
        let named = get("seminars?group_by=country&measure=count").await;
        assert_eq!(named["rows"].as_array().unwrap().len(), 9);
        let came = get("attendance?seminar=first-seminar-2021&metric=persons&measure=sum").await;
        let expected = json!([{"metric": "persons", "sum": 70, "sum_qualifier": "more_than", "sum_unknown": 0}]);
        assert_eq!(came["rows"], expected);
        assert_eq!(came["measures"][0]["lower_bound"], true);
        let countries =
            get("attendance?seminar=first-seminar-2021&metric=countries&measure=sum").await;
        assert_eq!(countries["rows"][0]["sum"], 12);
        assert_eq!(countries["rows"][0]["sum_qualifier"], "exact");
        // How much was agreed is not known. The 250 billion won are a figure of an initiative, and no
        // money of the project.
        let money = hub.get("/v1/statistics/finance?measure=count,sum").await;
        let unknown = json!([{"flow": "agreed", "currency": null, "count": 1, "sum": null, "sum_qualifier": null, "sum_unknown": 1}]);
        assert_eq!((&money.json()["rows"], money.text.contains("250000000000")), (&unknown, false));
        let unknown = get("study-visits?group_by=year").await;
        assert_eq!(unknown["rows"][0]["year"], Value::Null);
        assert_eq!(unknown["rows"][0]["sum"], Value::Null);
        assert_eq!(unknown["measures"][0]["unknown"], 1);
    });
}

#[test]
fn every_figure_carries_what_it_means() {
    on_each_database(async |hub: Hub| {
        let subjects = hub.get("/v1/statistics").await.json();
        assert_eq!(subjects["subjects"].as_array().unwrap().len(), 9);
        for subject in items(&subjects, "subjects") {
            let figures = hub.get(subject["url"].as_str().unwrap()).await.json();
            for measure in items(&figures, "measures") {
                assert!(measure["definition"]["en"].as_str().unwrap().ends_with('.'), "{measure}");
                assert!(measure["lower_bound"].is_boolean() && measure["unknown"].is_i64());
            }
            assert!(figures["computed_at"].is_string(), "{figures}");
            for dimension in items(subject, "dimensions") {
                let name = dimension["dimension"].as_str().unwrap();
                let path = format!("{}?group_by={name}", subject["url"].as_str().unwrap());
                let reply = hub.get(&path).await;
                let expected =
                    if path.ends_with("participants?group_by=organisation") { 422 } else { 200 };
                assert_eq!(reply.status, expected, "{path}: {}", reply.text);
            }
        }
    });
}

#[test]
fn figures_are_split_by_any_two_things() {
    on_each_database(async |hub: Hub| {
        let subjects = hub.get("/v1/statistics").await.json();
        for subject in items(&subjects, "subjects") {
            let url = subject["url"].as_str().unwrap();
            let names: Vec<_> = items(subject, "dimensions")
                .map(|dimension| dimension["dimension"].as_str().unwrap())
                .collect();
            let of_people = |name: &str| {
                let known = ["organisation", "organisation_kind", "sex", "seniority", "certified"];
                url.ends_with("/participants") && known.contains(&name)
            };
            for (one, other) in names.iter().enumerate().flat_map(|(at, one)| {
                names[at + 1..].iter().flat_map(move |other| [(one, other), (other, one)])
            }) {
                let reply = hub.get(&format!("{url}?group_by={one},{other}")).await;
                let answered = reply.status == 200
                    || (reply.status == 422 && (of_people(one) || of_people(other)));
                assert!(answered, "{url} by {one} and {other}: {}", reply.text);
            }
        }
    });
}

#[test]
fn the_region_of_people_follows_from_their_country() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let activities = all(&hub, "seminars").await;
        let people = crowd(&mut Dice(11), activities.len(), 9);
        took_part(&hub, &activities, &people).await;
        for by_country in ["country", "year,country"] {
            let path = "/v1/statistics/participants?group_by=";
            let mut expected = hub.get(&format!("{path}{by_country}")).await.json();
            for row in expected["rows"].as_array_mut().unwrap() {
                let country = row["country"].as_str();
                let region = country.map(|code| Country::find(code).unwrap().region.clone());
                row["region"] = json!(region);
            }
            let told = hub.get(&format!("{path}{by_country},region")).await.json();
            assert_eq!(told["rows"], expected["rows"]);
            assert_eq!(told["totals"], expected["totals"]);
            assert!(items(&told, "rows").any(|row| row["region"] == "Central Asia"), "{told}");
            let turned = by_country.replace("country", "region,country");
            let turned = hub.get(&format!("{path}{turned}")).await.json();
            let counts = |figures: &Value| {
                let counts = items(figures, "rows").map(|row| {
                    json!([row["year"], row["country"], row["region"], row["count"]]).to_string()
                });
                counts.collect::<BTreeSet<_>>()
            };
            assert_eq!(counts(&turned), counts(&told));
        }
    });
}

/// Changes something that figures are made from, by what the dice say.
async fn changed(hub: &Hub, dice: &mut Dice) {
    let seminar = format!("recounted-{}", dice.roll(40));
    let organisers = json!([{"organisation_id": dice.pick(&ORGANISATIONS), "role": "host"}]);
    let countries = json!([{"country": dice.pick(&COUNTRIES), "role": "expert"}]);
    let (path, change) = match dice.roll(7) {
        0 => (
            format!("seminars/{seminar}"),
            json!({"starts_on": dice.pick(&DATES), "ends_on": null}),
        ),
        1 => (
            format!("seminars/{seminar}"),
            json!({"topics": dice.some(&TOPICS, 3), "kind": "workshop"}),
        ),
        2 => (
            format!("seminars/{seminar}"),
            json!({"organisers": organisers, "countries": countries}),
        ),
        3 => {
            let kind = dice.pick(&["government", "local_government", "other_public_sector"]);
            let country = dice.pick(&COUNTRIES);
            let organisation = dice.pick(&ORGANISATIONS);
            (format!("organisations/{organisation}"), json!({"kind": kind, "country": country}))
        }
        way => {
            let talks = all(hub, "presentations").await;
            let slugs: Vec<_> = talks.iter().filter_map(|talk| talk["slug"].as_str()).collect();
            let slugs: Vec<_> =
                slugs.into_iter().filter(|slug| slug.contains("recounted")).collect();
            let path = format!("presentations/{}", slugs[dice.roll(slugs.len())]);
            let speakers = json!([{"person_id": "kangtak-oh", "role": "presenter", "country": dice.pick(&COUNTRIES)}]);
            match way {
                4 => (path, json!({"seminar_id": seminar, "order": 100 + dice.roll(9_000)})),
                5 => (path, json!({"speakers": speakers, "topics": dice.some(&TOPICS, 2)})),
                _ => (format!("{path}/withdraw"), Value::Null),
            }
        }
    };
    let path = format!("/v1/{path}");
    let at = hub.get(path.trim_end_matches("/withdraw")).await;
    let tag = Some(at.header("etag"));
    let reply = match &change {
        Value::Null => hub.write("POST", &path, tag, None).await,
        change => hub.write("PATCH", &path, tag, Some(change)).await,
    };
    assert_eq!(reply.status, 200, "{path} {change}: {}", reply.text);
}

#[test]
fn figures_that_are_kept_in_parts_are_those_that_are_counted_at_once() {
    // Room for all, and so little that parts become one and hardly anything is kept.
    for bytes in [1 << 20, 8_000] {
        let small = |settings: &mut Settings| {
            settings.database.tallies = Tallies::of(2, bytes);
            settings.cache = 0;
        };
        on_each_database_with(small, async |hub: Hub| {
            filled(&hub).await;
            let at_once = hub.another(|settings| {
                settings.database.tallies = Tallies::of(1_000_000, 1 << 20);
                settings.cache = 0;
            });
            let subjects = hub.get("/v1/statistics").await.json();
            let mut addresses = Vec::new();
            for subject in items(&subjects, "subjects") {
                let url = subject["url"].as_str().unwrap();
                addresses.push(url.to_owned());
                for dimension in items(subject, "dimensions") {
                    let name = dimension["dimension"].as_str().unwrap();
                    addresses.push(format!("{url}?group_by={name}"));
                }
            }
            let with = |query: &str| format!("/v1/statistics/{query}");
            addresses.extend([
                with("speakers?group_by=year,role&country=KZ"),
                with("presentations?group_by=topic,country&year=2022,2023"),
                with("organisations?group_by=role,organisation_kind&organisation=nia"),
                with("attendance?group_by=project,month&topic=ai"),
                with("finance?group_by=year&converted_to=USD"),
                with("seminars?group_by=country&starts_on_gte=2022-01-01"),
                with("presentations?group_by=year&language=en&topic=ai"),
                with("speakers?group_by=role&seminar=first-seminar-2021"),
                with("attendance?group_by=kind&seminar=recounted-1,recounted-2"),
                with("organisations?group_by=role&parent=mois"),
                with("organisations?group_by=year&q=ministry"),
            ]);
            let listed = |query: &str| format!("/v1/{query}&limit=1&with_total=true");
            addresses.extend([
                listed("seminars?facets=country,topic,kind,status,organiser"),
                listed("seminars?facets=project,language&status=held"),
                listed("presentations?facets=country,topic,speaker,seminar"),
                listed("presentations?facets=organisation&q=recounted"),
            ]);
            let mut dice = Dice(7);
            for step in 0..10 {
                for _ in 0..dice.roll(4) {
                    changed(&hub, &mut dice).await;
                }
                // Something else each time: so what is kept is some changes behind, and others more.
                let asked = addresses.iter().filter(|_| step == 0 || dice.roll(5) == 0);
                for address in asked.collect::<Vec<_>>() {
                    let kept = hub.get(address).await;
                    let counted = hub.get_from(&at_once.url, address, None).await;
                    if kept.json()["code"] == "too_revealing" {
                        continue;
                    }
                    assert_eq!(kept.status, 200, "{address}: {}", kept.text);
                    assert_eq!(kept.text, counted.text, "{address} after {step}");
                }
            }
            at_once.stop().await;
        });
    }
}

#[test]
fn what_a_change_does_not_touch_is_not_counted_again() {
    let small = |settings: &mut Settings| {
        settings.database.tallies = Tallies::of(2, 1 << 20);
        settings.cache = 0;
    };
    on_each_database_with(small, async |hub: Hub| {
        filled(&hub).await;
        let address = "/v1/statistics/speakers?group_by=year,organisation_kind";
        let first = hub.queries_of(address).await.len();
        let again = hub.queries_of(address).await.len();
        assert!(again + 20 < first, "{again} beside {first}: nothing has changed");
        let path = "/v1/seminars/recounted-7";
        let known = hub.get(path).await;
        let moved = json!({"starts_on": "2019-02"});
        let tag = Some(known.header("etag"));
        assert_eq!(hub.write("PATCH", path, tag, Some(&moved)).await.status, 200);
        let changed = hub.queries_of(address).await;
        assert!(changed.len() <= again + 10, "{changed:#?}");
        let path = "/v1/organisations/nia";
        let known = hub.get(path).await;
        let kind = json!({"kind": "local_government"});
        let tag = Some(known.header("etag"));
        assert_eq!(hub.write("PATCH", path, tag, Some(&kind)).await.status, 200);
        let all = hub.queries_of(address).await.len();
        assert!(all > changed.len() + 10, "an organisation may be anywhere: {all}");
    });
}

#[test]
fn figures_cost_the_same_queries_whatever_is_counted() {
    on_each_database_without_memory(async |hub: Hub| {
        let paths = [
            "seminars?group_by=year,country,topic&country=KZ&project=innovation",
            "speakers?group_by=role,organisation,topic&organisation=nia",
            "attendance?group_by=kind,topic,year&seminar=first-seminar-2021",
            "participants?group_by=year,topic,sex",
        ];
        let mut few = Vec::new();
        for path in paths {
            few.push(hub.queries_of(&format!("/v1/statistics/{path}")).await.len());
        }
        filled(&hub).await;
        for (path, few) in paths.into_iter().zip(few) {
            let many = hub.queries_of(&format!("/v1/statistics/{path}")).await;
            assert_eq!(many.len(), few, "{path}: {many:#?}");
            assert!(many.len() <= 12, "{path}: {many:#?}");
        }
    });
}

#[test]
fn a_table_of_figures_has_the_same_columns_and_rows_as_their_json() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let path = "/v1/statistics/seminars?group_by=month,region";
        let figures = hub.get(path).await.json();
        let table = hub.get(&path.replace("seminars?", "seminars.csv?")).await;
        assert_eq!(table.header("content-type"), "text/csv; charset=utf-8; header=present");
        let mut lines = csv::Reader::from_reader(table.text.as_bytes());
        let header: Vec<_> = lines.headers().unwrap().iter().map(ToOwned::to_owned).collect();
        assert_eq!(json!(header), figures["columns"]);
        let rows: Vec<_> = lines.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), figures["rows"].as_array().unwrap().len());
        for (row, figure) in rows.iter().zip(items(&figures, "rows")) {
            for (cell, name) in row.iter().zip(&header) {
                let told = match &figure[name] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(cell, told, "{name}");
            }
        }
        let again = [("if-none-match", table.header("etag"))];
        let known =
            hub.send("GET", &path.replace("seminars?", "seminars.csv?"), &again, None).await;
        assert_eq!(known.status, 304);
        let marked = hub.bytes(&path.replace("seminars?", "seminars.csv?bom=true&")).await;
        assert!(marked.starts_with("\u{feff}month,region,count".as_bytes()));
    });
}

/// The whole answer to a request whose line has that address.
async fn whole(hub: &Hub, address: &str) -> Vec<u8> {
    let at = hub.url.trim_start_matches("http://");
    let mut connection = tokio::net::TcpStream::connect(at).await.unwrap();
    let request = format!("GET {address} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    answer
}

#[test]
fn figures_have_another_tag_where_more_is_withheld() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let careful = hub.another(|settings| settings.smallest_count = 50);
        for path in [
            "/v1/statistics/participants?group_by=sex",
            "/v1/statistics/participants.xlsx?group_by=sex",
            "/v1/projects/governance-innovation-and-digitalisation/dashboard",
            "/v1/projects/governance-innovation-and-digitalisation/results",
        ] {
            let tag = hub.get(path).await.header("etag").to_owned();
            assert_eq!(hub.get_from(&hub.url, path, Some(&tag)).await.status, 304, "{path}");
            assert_eq!(hub.get_from(&careful.url, path, Some(&tag)).await.status, 200, "{path}");
        }
        careful.stop().await;
    });
}

#[test]
fn a_workbook_of_figures_tells_what_they_mean_in_a_sheet_of_its_own() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        for path in [
            "/v1/statistics/attendance?group_by=kind,metric&lang=ru",
            "/v1/statistics/finance?group_by=year&lang=ru",
            "/v1/statistics/participants?group_by=sex&lang=ru",
        ] {
            let figures = hub.get(path).await.json();
            let address = path.replacen('?', ".xlsx?", 1);
            let mut book = calamine::Xlsx::new(Cursor::new(hub.bytes(&address).await)).unwrap();
            let subject = figures["subject"].as_str().unwrap();
            assert_eq!(book.sheet_names(), [subject, "about"]);

            let sheet = book.worksheet_range(subject).unwrap();
            let mut lines = sheet.rows();
            let header: Vec<_> = lines.next().unwrap().iter().map(Data::to_string).collect();
            assert_eq!(json!(header), figures["columns"], "{path}");
            let told = |name: &str, value: &Value| match value {
                Value::Null => Data::Empty,
                Value::Bool(yes) => Data::Bool(*yes),
                Value::Number(number) => Data::Float(number.as_f64().unwrap()),
                Value::String(money) if ["sum", "average"].contains(&name) => {
                    Data::Float(money.parse().unwrap())
                }
                other => Data::String(other.as_str().unwrap().to_owned()),
            };
            let expected: Vec<Vec<_>> = items(&figures, "rows")
                .map(|row| header.iter().map(|name| told(name, &row[name])).collect())
                .collect();
            // A row of a sheet ends where nothing follows.
            let wide = |row: &[Data]| {
                let empty = std::iter::repeat(Data::Empty);
                row.iter().cloned().chain(empty).take(header.len()).collect::<Vec<_>>()
            };
            assert_eq!(lines.map(wide).collect::<Vec<_>>(), expected, "{path}");

            let about = book.worksheet_range("about").unwrap();
            let told: Vec<Vec<_>> =
                about.rows().map(|row| row.iter().map(Data::to_string).collect()).collect();
            let find = |what: &str| told.iter().find(|row| row[0] == what).unwrap();
            assert_eq!(find("subject")[1], figures["about"]["ru"].as_str().unwrap());
            for of in items(&figures, "measures") {
                let row = find(of["measure"].as_str().unwrap());
                assert_eq!(row[1], of["definition"]["ru"].as_str().unwrap(), "{path}");
                assert_eq!(row[2], of["unit"]["ru"].as_str().unwrap(), "{path}");
                assert_eq!(row[3], of["lower_bound"].to_string(), "{path}");
                assert_eq!(row[4], of["unknown"].to_string(), "{path}");
            }
            let notes: Vec<_> = told.iter().filter(|row| row[0] == "note").collect();
            assert_eq!(notes.len(), items(&figures, "notes").count(), "{path}");
            assert_eq!(find("computed_at")[1], figures["computed_at"].as_str().unwrap());
            assert_eq!(find("address")[1], address);
            // Whoever writes the whole address into a request makes no other answer for the rest.
            let elsewhere = format!("http://elsewhere.example{address}");
            let written = whole(&hub, &elsewhere).await;
            assert!(written.ends_with(&hub.bytes(&address).await), "{path}");
        }
    });
}

/// A participant that nobody needs to know more of.
#[derive(Clone, Debug)]
struct Person {
    activity: usize,
    sex: Option<&'static str>,
    country: &'static str,
}

/// Writes participants of those activities, beside the service.
async fn took_part(hub: &Hub, activities: &[Value], people: &[Person]) {
    let quoted = |text: Option<&str>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
    let id = |text: &str| match hub.database.url.starts_with("postgres") {
        true => format!("'{text}'"),
        false => format!("X'{}'", text.replace('-', "")),
    };
    let rows: Vec<_> = people
        .iter()
        .zip(1..)
        .map(|(person, number)| {
            let activity = id(activities[person.activity]["id"].as_str().unwrap());
            let own = id(&uuid::Uuid::from_u128(number).to_string());
            let (sex, country) = (quoted(person.sex), person.country);
            format!(
                "({own}, 1, {activity}, '{country}', {sex}, false, 'not_given', '2030-01-01', \
                 '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 2)"
            )
        })
        .collect();
    for some in rows.chunks(500) {
        hub.sql(&format!(
            "INSERT INTO participant (id, revision, activity_id, country, sex, certified, consent, \
             retain_until, created_at, updated_at, days) VALUES {}",
            some.join(", ")
        ))
        .await;
    }
    // What is known of participants follows from the log, as far as it has to do with them.
    let body = json!({"slug": "counted", "name": {"en": "Counted"}, "kind": "government"});
    assert_eq!(hub.write("POST", "/v1/organisations", None, Some(&body)).await.status, 201);
}

fn crowd(dice: &mut Dice, activities: usize, most: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for activity in 0..activities {
        for country in ["KZ", "KG", "UZ", "GE"] {
            for sex in [Some("female"), Some("male"), None] {
                let count = if dice.roll(3) == 0 { 0 } else { dice.roll(most) };
                people.extend((0..count).map(|_| Person { activity, sex, country }));
            }
        }
    }
    people
}

#[test]
fn no_small_number_of_people_follows_from_what_the_public_can_ask() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let activities = all(&hub, "seminars").await;
        let mut dice = Dice(7);
        let people = crowd(&mut dice, activities.len(), 9);
        took_part(&hub, &activities, &people).await;
        let mut filters = vec![String::new()];
        filters.extend(["2021", "2022", "2023"].map(|year| format!("year={year}")));
        filters.extend(TOPICS.map(|topic| format!("topic={topic}")));
        filters.extend(["seminar", "workshop", "webinar"].map(|kind| format!("kind={kind}")));
        filters.extend(["seminar", "workshop"].map(|kind| format!("year=2022&kind={kind}")));
        filters.extend((0..8).map(|number| format!("seminar=recounted-{number}")));
        filters.push("month=2022-03,2022-07".to_owned());
        // Whom each filter is about, as everybody can find out from the list of seminars.
        let mut about: Vec<BTreeSet<usize>> = Vec::new();
        for filter in &filters {
            let (year, rest) = match filter.split_once('&') {
                Some((year, rest)) => (year, rest),
                None => ("", filter.as_str()),
            };
            let fits = |seminar: &Value| {
                [year, rest].iter().filter(|part| !part.is_empty()).all(|part| {
                    let (name, wanted) = part.split_once('=').unwrap();
                    let wanted: Vec<_> = wanted.split(',').collect();
                    let values = match name {
                        "seminar" => one(&seminar["slug"]),
                        name => of_seminar(seminar, name),
                    };
                    values.iter().flatten().any(|value| wanted.contains(&value.as_str()))
                })
            };
            about.push((0..activities.len()).filter(|at| fits(&activities[*at])).collect());
        }
        let mut told: BTreeMap<(String, String), Vec<(usize, i64)>> = BTreeMap::new();
        for (at, filter) in filters.iter().enumerate() {
            for split in ["", "sex", "country", "region", "seniority"] {
                let group =
                    if split.is_empty() { String::new() } else { format!("group_by={split}&") };
                let path = format!("/v1/statistics/participants?{group}{filter}");
                let figures = hub.get(path.trim_end_matches(['&', '?'])).await.json();
                for row in items(&figures, "rows").chain(items(&figures, "totals")) {
                    let count = row["count"].as_i64();
                    assert!(count.is_none_or(|count| count == 0 || count >= 5), "{path}: {row}");
                    assert!(count.is_some() || row["withheld"] == true, "{path}: {row}");
                    if row["count_qualifier"] != "exact" || row["withheld"] == true {
                        continue;
                    }
                    let split = if row.get(split).is_some() { split } else { "" };
                    let category = row.get(split).cloned().unwrap_or_default();
                    let key = (split.to_owned(), category.to_string());
                    told.entry(key).or_default().push((at, count.unwrap()));
                    let truth = people.iter().filter(|person| {
                        let own = match split {
                            "sex" => json!(person.sex),
                            "country" => json!(person.country),
                            "region" => json!(Country::find(person.country).unwrap().region),
                            _ => json!(null),
                        };
                        let of = split.is_empty() || split == "seniority" || own == category;
                        of && about[at].contains(&person.activity)
                    });
                    assert_eq!(count, i64::try_from(truth.count()).ok(), "{path}: {row}");
                }
            }
        }
        // Whatever is subtracted from whatever it is a part of leaves nobody, or many.
        let mut compared = 0;
        for (key, answers) in &told {
            for (one, count) in answers {
                for (other, less) in
                    answers.iter().filter(|(other, _)| about[*other].is_subset(&about[*one]))
                {
                    compared += 1;
                    let rest = count - less;
                    assert!(
                        rest == 0 || rest >= 5,
                        "{key:?}: {} less {}",
                        filters[*one],
                        filters[*other]
                    );
                }
            }
        }
        assert!(compared > 200, "something is told: {compared}");
        // Of people, one thing at a time.
        for query in [
            "group_by=sex,country",
            "group_by=sex&country=KZ",
            "sex=female&country=KZ",
            "group_by=organisation",
            "measure=sum",
            "organisation=nia",
            "group_by=sex,seniority",
        ] {
            let reply = hub.get(&format!("/v1/statistics/participants?{query}")).await;
            assert_eq!(
                (reply.status.as_u16(), reply.json()["code"].clone()),
                (422, json!("too_revealing")),
                "{query}"
            );
        }
    });
}

#[test]
fn a_registrar_counts_participants_as_they_are() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let activities = all(&hub, "seminars").await;
        let people = crowd(&mut Dice(11), 12, 4);
        took_part(&hub, &activities, &people).await;
        let registrar = hub.token("registrar", &[]).await;
        let path = "/v1/statistics/participants?group_by=year,sex,country&measure=count,sum";
        let counted: Vec<_> = people
            .iter()
            .map(|person| One {
                groups: vec![
                    of_seminar(&activities[person.activity], "year"),
                    BTreeSet::from([person.sex.map(ToOwned::to_owned)]),
                    BTreeSet::from([Some(person.country.to_owned())]),
                ],
                value: Some(2.0),
            })
            .collect();
        assert_eq!(told(&hub.get_as(&registrar, path).await.json()), recount(&counted));
        let viewer = hub.token("viewer", &[]).await;
        assert_eq!(hub.get_as(&viewer, path).await.status, 422);
    });
}

/// The ids and the places of what surely begins in a year.
fn begun_in<'a>(activities: &'a [Value], year: &str) -> BTreeMap<&'a str, usize> {
    let begins = |one: &Value| one["starts_on"].as_str().is_some_and(|on| on.starts_with(year));
    let begun = activities.iter().enumerate().filter(|(_, one)| begins(one));
    begun.map(|(at, one)| (one["id"].as_str().unwrap(), at)).collect()
}

#[test]
fn indicators_count_what_the_registry_holds() {
    on_each_database(async |hub: Hub| {
        filled(&hub).await;
        let activities = all(&hub, "seminars").await;
        let mut people = crowd(&mut Dice(3), activities.len(), 4);
        // A country of which too few came to be told.
        people.push(Person { activity: 0, sex: Some("female"), country: "FI" });
        took_part(&hub, &activities, &people).await;
        let project = "governance-innovation-and-digitalisation";
        let result = all(&hub, "results").await[0]["id"].clone();
        let period =
            |from: &str, to: &str| json!({"from": from, "to": to, "target": "20", "actual": null});
        let indicator = |name: &str, metric: Value, periods: Value| {
            json!({
                "slug": name, "result_id": result, "title": {"en": name}, "measure": "unit",
                "ascending": true, "baseline": {"year": 2020, "value": "0"}, "periods": periods,
                "computed_from": metric,
            })
        };
        let years =
            || json!([period("2021-01-01", "2021-12-31"), period("2022-01-01", "2022-12-31")]);
        let metrics = [
            "seminars_held",
            "presentations",
            "speakers",
            "countries",
            "participants",
            "participants_female",
        ];
        for metric in metrics {
            let body = indicator(&metric.replace('_', "-"), json!(metric), years());
            let reply = hub.write("POST", "/v1/indicators", None, Some(&body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        let mut typed = years();
        typed[1]["actual"] = json!("5");
        let body = indicator("typed", Value::Null, typed);
        assert_eq!(hub.write("POST", "/v1/indicators", None, Some(&body)).await.status, 201);
        let unknown = indicator("unknown", json!("happiness"), years());
        let refused = hub.write("POST", "/v1/indicators", None, Some(&unknown)).await;
        let fault = ("/computed_from".to_owned(), "unknown_value".to_owned());
        assert_eq!((refused.status.as_u16(), refused.faults()), (400, vec![fault]));

        let talks = all(&hub, "presentations").await;
        let path = format!("/v1/projects/{project}/results");
        let told = hub.get(&path).await.json();
        let of = |name: &str, at: usize| {
            let mut all = items(&told["results"][0], "indicators");
            all.find(|one| one["title"]["en"] == name.replace('_', "-")).unwrap()["periods"][at]
                .clone()
        };
        for (at, year) in ["2021", "2022"].into_iter().enumerate() {
            let begun = begun_in(&activities, year);
            let mut held = begun.clone();
            held.retain(|_, at| activities[*at]["status"] == "held");
            assert!(held.len() < begun.len(), "{year}: some were called off");
            let given: Vec<_> = talks
                .iter()
                .filter(|talk| held.contains_key(talk["seminar_id"].as_str().unwrap()))
                .collect();
            let spoke: BTreeSet<_> = given
                .iter()
                .flat_map(|talk| items(talk, "speakers"))
                .map(|speaker| speaker["person_id"].as_str().unwrap())
                // Who opened the first seminar spoke outside of a presentation.
                .collect();
            let opener = year == "2021" && !spoke.iter().any(|id| *id == "alikhan-baimenov");
            let countries: BTreeSet<_> = held
                .values()
                .flat_map(|at| items(&activities[*at], "countries"))
                .map(|one| one["country"].as_str().unwrap())
                .collect();
            // Of others the year is not known: they may belong to it, too.
            let at_least = |number: usize| (json!(number.to_string()), json!("at_least"));
            let told = |name: &str| {
                let period = of(name, at);
                (period["actual"].clone(), period["actual_qualifier"].clone())
            };
            assert_eq!(told("seminars_held"), at_least(held.len()), "{year}");
            assert_eq!(told("presentations"), at_least(given.len()), "{year}");
            let speakers = told("speakers");
            assert!(
                speakers == at_least(spoke.len())
                    || opener && speakers == at_least(spoke.len() + 1),
                "{year}: {speakers:?}"
            );
            assert_eq!(told("countries"), at_least(countries.len()), "{year}");
            let came = people
                .iter()
                .filter(|person| begun.values().any(|at| *at == person.activity))
                .count();
            let (least, qualifier) = told("participants");
            let least: usize = least.as_str().unwrap().parse().unwrap();
            assert!(least >= 5 && least <= came, "{year}: {least} of {came}");
            assert_eq!(qualifier, "at_least", "{year}");
        }
        assert_eq!(of("typed", 1)["progress"], 25.0);
        assert_eq!(of("typed", 0)["progress"], Value::Null);
        let few = hub.queries_of(&path).await;
        assert!(few.len() <= 16, "{few:#?}");
    });
}

#[test]
fn what_is_measured_in_words_is_told_and_what_a_result_is_for() {
    on_each_database(async |hub: Hub| {
        let result = all(&hub, "results").await.remove(0);
        let words = |text: &str| json!({"en": text});
        let reached = words("Two of six ministries plan by it");
        let body = json!({
            "slug": "in-words", "result_id": result["id"], "title": words("In words"),
            "measure": "qualitative", "ascending": true,
            "baseline": {"year": 2020, "comment": words("None did")},
            "periods": [{"from": "2021-01-01", "to": "2021-12-31", "comment": reached}],
        });
        let made = hub.write("POST", "/v1/indicators", None, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let path = "/v1/projects/governance-innovation-and-digitalisation/results";
        let told = hub.get(path).await.json()["results"][0].clone();
        let indicator = &told["indicators"][0];
        assert_eq!(indicator["baseline_comment"], words("None did"));
        assert_eq!(indicator["periods"][0]["comment"], reached);
        for field in ["title", "description", "target_group", "kirkpatrick_level"] {
            assert_eq!(told[field], result[field], "{field}");
        }
    });
}

#[test]
fn what_may_have_been_in_a_period_makes_its_count_a_lower_bound() {
    on_each_database(async |hub: Hub| {
        let project = json!({"slug": "of-partial-dates", "title": {"en": "Of partial dates"}});
        let result = json!({
            "slug": "trained", "project_id": "of-partial-dates", "kind": "output",
            "title": {"en": "Civil servants are trained"},
        });
        let period = |from: &str, to: &str| json!({"from": from, "to": to, "target": "4"});
        let periods = json!([
            period("2022-01-01", "2022-03-31"),
            period("2022-07-01", "2022-12-31"),
            period("2023-01-01", "2023-12-31"),
            period("2030-01-01", "2030-12-31"),
        ]);
        let indicator = |metric: &str| {
            json!({
                "slug": metric.replace('_', "-"), "result_id": "trained", "title": {"en": metric},
                "measure": "unit", "ascending": true, "baseline": {"year": 2021, "value": "0"},
                "periods": periods, "computed_from": metric,
            })
        };
        let seminar = |slug: &str, starts_on: &str, status: &str| {
            json!({
                "slug": slug, "project_id": "of-partial-dates", "kind": "seminar",
                "starts_on": starts_on, "status": status,
                "countries": [{"country": "KG", "role": "participating"}],
            })
        };
        let talk = |seminar: &str| json!({"slug": format!("talk-{seminar}"), "seminar_id": seminar, "order": 1});
        let talks = ["of-a-day", "of-a-month", "called-off", "to-come"].map(talk);
        let metrics = ["seminars_held", "presentations", "countries", "participants"];
        hub.import(json!({"records": {
            "projects": [project],
            "results": [result],
            "indicators": metrics.map(indicator),
            "seminars": [
                seminar("of-a-day", "2022-02-01", "held"),
                seminar("of-a-month", "2022-03", "held"),
                seminar("of-a-year", "2023", "held"),
                seminar("called-off", "2022-02-02", "cancelled"),
                seminar("to-come", "2030-02-02", "confirmed"),
            ],
            "presentations": talks,
        }}))
        .await;
        let told = async || {
            let results = hub.get("/v1/projects/of-partial-dates/results").await.json();
            let told = |one: &Value| {
                let periods = items(one, "periods").map(|period| {
                    format!("{} {}", period["actual"], period["actual_qualifier"]).replace('"', "")
                });
                (one["title"]["en"].as_str().unwrap().to_owned(), periods.collect::<Vec<_>>())
            };
            items(&results["results"][0], "indicators").map(told).collect::<BTreeMap<_, _>>()
        };
        let expected = |rows: [(&str, [&str; 4]); 4]| {
            BTreeMap::from(
                rows.map(|(name, row)| (name.to_owned(), row.map(str::to_owned).to_vec())),
            )
        };
        // What was called off is not counted, nor what has not begun; that nobody was recorded says nothing,
        // and a country that is not named may have had a part.
        let surely = [
            ("seminars_held", ["2 exact", "0 exact", "1 exact", "null null"]),
            ("presentations", ["2 exact", "0 exact", "0 exact", "null null"]),
            ("countries", ["1 at_least", "0 exact", "1 at_least", "null null"]),
            ("participants", ["null null", "null null", "null null", "null null"]),
        ];
        assert_eq!(told().await, expected(surely));

        // One of the year 2022 may belong to either part of it, and to no other year.
        let of_the_year = seminar("some-time-in-2022", "2022", "held");
        let made = hub.write("POST", "/v1/seminars", None, Some(&of_the_year)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let perhaps = [
            ("seminars_held", ["2 at_least", "null null", "1 exact", "null null"]),
            ("presentations", ["2 exact", "0 exact", "0 exact", "null null"]),
            ("countries", ["1 at_least", "null null", "1 at_least", "null null"]),
            ("participants", ["null null", "null null", "null null", "null null"]),
        ];
        assert_eq!(told().await, expected(perhaps));

        // One of which the year is not known may belong to any.
        let mut some_day = seminar("some-fifth-of-may", "XXXX-05-05", "held");
        some_day["countries"] = json!([]);
        let made = hub.write("POST", "/v1/seminars", None, Some(&some_day)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let other =
            hub.write("POST", "/v1/presentations", None, Some(&talk("some-fifth-of-may"))).await;
        assert_eq!(other.status, 201, "{}", other.text);
        let any = [
            ("seminars_held", ["2 at_least", "null null", "1 at_least", "null null"]),
            ("presentations", ["2 at_least", "null null", "null null", "null null"]),
            ("countries", ["1 at_least", "null null", "1 at_least", "null null"]),
            ("participants", ["null null", "null null", "null null", "null null"]),
        ];
        assert_eq!(told().await, expected(any));
    });
}

#[test]
fn the_results_of_a_project_are_a_sheet_with_a_row_a_period() {
    on_each_database(async |hub: Hub| {
        let project = "governance-innovation-and-digitalisation";
        let indicator = json!({
            "slug": "passed", "result_id": format!("{project}-outcome"), "measure": "percentage",
            "title": {"en": "Who passed", "ru": "Кто сдал"}, "ascending": true,
            "baseline": {"year": 2020, "value": "0"},
            "periods": [
                {"from": "2021-01-01", "to": "2021-12-31", "target": "80.5", "actual": "70", "comment": {"en": "So far"}},
                {"from": "2022-01-01", "to": "2022-12-31", "target": null, "actual": null},
            ],
        });
        let made = hub.write("POST", "/v1/indicators", None, Some(&indicator)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let bare = json!({"slug": "zero", "project_id": project, "kind": "impact", "title": {"en": "Zero"}});
        let made = hub.write("POST", "/v1/results", None, Some(&bare)).await;
        assert_eq!(made.status, 201, "{}", made.text);

        let path = format!("/v1/projects/{project}/results");
        let fields = "kind,indicator,from,target,actual,actual_qualifier,comment,progress";
        let sheet = hub.get(&format!("{path}.csv?fields={fields}&lang=ru")).await;
        let name = "attachment; filename=\"results.csv\"";
        assert_eq!(sheet.header("content-disposition"), name, "{}", sheet.text);
        let lines = [
            fields,
            "outcome,Кто сдал,2021-01-01,80.5,70,exact,So far,87.0",
            "outcome,Кто сдал,2022-01-01,,,,,",
            "impact,,,,,,,",
        ];
        assert_eq!(sheet.text.lines().collect::<Vec<_>>(), lines);

        // Each column tells what the results do.
        let told = hub.get(&format!("{path}?lang=en")).await.json();
        let rows = hub.get(&format!("{path}.ndjson?lang=en")).await.text;
        let rows: Vec<Value> = rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
        let (row, indicator) = (&rows[0], &told["results"][0]["indicators"][0]);
        for field in ["from", "to", "target", "actual", "actual_qualifier", "progress"] {
            assert_eq!(row[field], indicator["periods"][0][field], "{field}");
        }
        for field in ["measure", "ascending", "baseline_year", "baseline", "computed_from"] {
            assert_eq!(row[field], indicator[field], "{field}");
        }
        assert_eq!(row["target_group"], told["results"][0]["target_group"]["en"]);
        assert_eq!(
            (&row["result_id"], &row["indicator_id"]),
            (&told["results"][0]["id"], &indicator["id"])
        );

        // In a workbook numbers are numbers.
        let book = hub.bytes(&format!("{path}.xlsx")).await;
        let mut book = calamine::Xlsx::new(Cursor::new(book)).unwrap();
        let range = book.worksheet_range("results").unwrap();
        let header = range.rows().next().unwrap();
        let target = header.iter().position(|name| *name == *"target").expect("a column");
        assert_eq!(range.rows().nth(1).unwrap()[target], Data::Float(80.5));
        for (query, status) in [(".csv?x=1", 400), (".csv?fields=nope", 400), (".pdf", 404)] {
            assert_eq!(hub.get(&format!("{path}{query}")).await.status, status, "{query}");
        }
        assert_eq!(hub.get("/v1/projects/nope/results.csv").await.status, 404);
    });
}

#[test]
fn a_dashboard_tells_the_newest_first_and_what_has_no_date_last() {
    on_each_database(async |hub: Hub| {
        let project = json!({"slug": "of-many-days", "title": {"en": "Of many days"}});
        let seminar = |slug: String, starts_on: Value| {
            json!({
                "slug": slug, "project_id": "of-many-days", "kind": "seminar", "status": "held",
                "starts_on": starts_on,
            })
        };
        let undated = (0..49).map(|at| seminar(format!("undated-{at}"), Value::Null));
        let dated = ["2022", "2021-11-04", "2023-05"];
        let dated = dated.map(|on| seminar(format!("of-{on}"), json!(on)));
        let seminars: Vec<_> = undated.chain(dated).collect();
        hub.import(json!({"records": {"projects": [project], "seminars": seminars}})).await;
        let told = hub.get("/v1/projects/of-many-days/dashboard").await.json();
        let days: Vec<_> = items(&told, "attendance").map(|one| one["starts_on"].clone()).collect();
        assert_eq!(days.len(), 50);
        assert_eq!(days[..4], [json!("2023-05"), json!("2022"), json!("2021-11-04"), Value::Null]);
    });
}

#[test]
fn a_dashboard_has_the_real_figures_in_one_answer() {
    on_each_database(async |hub: Hub| {
        let path = "/v1/projects/governance-innovation-and-digitalisation/dashboard";
        let told = hub.get(path).await;
        assert_eq!(told.status, 200, "{}", told.text);
        let dashboard = told.json();
        let figures: BTreeMap<_, _> = items(&dashboard, "figures")
            .map(|figure| (figure["name"].as_str().unwrap().to_owned(), figure["value"].clone()))
            .collect();
        let expected = [
            ("countries", json!(9)),
            ("organisations", json!(14)),
            // Nobody is recorded, which does not say that nobody came.
            ("participants", Value::Null),
            ("presentations", json!(10)),
            ("seminars", json!(1)),
            ("speakers", json!(11)),
            ("study_visits", json!(1)),
        ];
        assert_eq!(figures, expected.map(|(name, value)| (name.to_owned(), value)).into());
        let qualifier = |name: &str| {
            let mut figures = items(&dashboard, "figures");
            figures.find(|one| one["name"] == name).expect("a figure")["qualifier"].clone()
        };
        // Nine are named of the twelve that were published.
        assert_eq!(qualifier("countries"), "at_least");
        assert_eq!(qualifier("seminars"), "exact");
        for figure in items(&dashboard, "figures") {
            let reply = hub.get(figure["url"].as_str().unwrap()).await;
            assert_eq!(reply.status, 200, "{figure}");
            assert!(figure["definition"]["en"].is_string(), "{figure}");
        }
        let seminar = &dashboard["attendance"][0];
        assert_eq!(
            seminar["published"][0],
            json!({"metric": "persons", "value": 70, "qualifier": "more_than"})
        );
        assert_eq!(
            (&seminar["counted"], &seminar["counted_qualifier"]),
            (&Value::Null, &Value::Null)
        );
        let unknown = json!([{"year": "2021", "flow": "agreed", "currency": null, "count": 1, "sum": null, "sum_qualifier": null, "sum_unknown": 1}]);
        assert_eq!(dashboard["money"], unknown, "something was agreed; how much is not known");
        let shared = &dashboard["initiative_figures"][0];
        assert_eq!(shared["amount"], json!({"amount": "250000000000", "currency": "KRW"}));
        assert_eq!(shared["nature"], "invested");

        // What is counted stands beside what was published, and changes nothing of it.
        let seminars = all(&hub, "seminars").await;
        let people: Vec<_> =
            (0..12).map(|_| Person { activity: 0, sex: Some("male"), country: "KZ" }).collect();
        took_part(&hub, &seminars, &people).await;
        let again = hub.get(path).await.json();
        let seminar = &again["attendance"][0];
        assert_eq!(
            (&seminar["counted"], &seminar["published"][0]["value"]),
            (&json!(12), &json!(70))
        );
        let known = [("if-none-match", told.header("etag"))];
        assert_eq!(hub.send("GET", path, &known, None).await.status, 200);
    });
}

fn rate(from: &str, to: &str, rate: &str, on: &str) -> Value {
    let citation =
        json!({"field": "/rate", "document_id": "article-first-seminar", "basis": "stated"});
    let slug = format!("{from}-{to}-{on}").to_lowercase();
    json!({"slug": slug, "from": from, "to": to, "rate": rate, "on": on, "citations": [citation]})
}

/// Puts money of six currencies under the grant arrangement.
async fn spent(hub: &Hub, signed_on: &Value) {
    let grants = hub.get("/v1/grant-arrangements").await.json();
    let path = format!("/v1/grant-arrangements/{}", grants["items"][0]["id"].as_str().unwrap());
    let moved = |on: &str, amount: &str, currency: &str| json!({"on": on, "amount": {"amount": amount, "currency": currency}, "kind": "expenditure"});
    let change = json!({
        "amount": {"amount": "100", "currency": "EUR"},
        "signed_on": signed_on,
        "transactions": [
            moved("2021-12-31", "4", "EUR"),
            moved("2022-01-05", "7", "EUR"),
            moved("2022-02-10", "10", "EUR"),
            moved("2022-03-20", "1", "EUR"),
            moved("2022-02-01", "1000", "KRW"),
            moved("2022-02-02", "1", "KZT"),
            moved("2022-04-02", "5", "GBP"),
            moved("2022-04-03", "100", "JPY"),
            moved("2022-04-04", "2", "USD"),
        ],
    });
    let tag = hub.get(&path).await.header("etag").to_owned();
    let reply = hub.write("PATCH", &path, Some(&tag), Some(&change)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[test]
fn a_sum_over_currencies_needs_rates_with_date_and_source() {
    on_each_database_without_memory(async |hub: Hub| {
        spent(&hub, &json!("2022")).await;
        let path = "/v1/statistics/finance?group_by=year&measure=count,sum&converted_to=USD";
        let figures = hub.get(path).await.json();
        let none = hub.queries_of(path).await.len();
        let row = |year: &str,
                   flow: &str,
                   count: i64,
                   sum: Option<&str>,
                   qualifier: Option<&str>,
                   unknown: i64| json!({"year": year, "flow": flow, "currency": "USD", "count": count, "sum": sum, "sum_qualifier": qualifier, "sum_unknown": unknown});
        // Without any rate there is only what is in dollars already.
        let expected = json!([
            row("2021", "spent", 1, None, None, 1),
            row("2022", "agreed", 1, None, None, 1),
            row("2022", "spent", 8, Some("2"), Some("at_least"), 7),
        ]);
        assert_eq!(figures["rows"], expected);

        for one in [
            rate("EUR", "USD", "1.08", "2022-01-31"),
            rate("EUR", "USD", "1.10", "2022-03-01"),
            // Not used: there is a rate of the euro in dollars.
            rate("USD", "EUR", "0.5", "2022-03-15"),
            rate("USD", "KRW", "1200", "2022-01-15"),
            rate("USD", "KZT", "3", "2022-02-28"),
            // Too late for what was spent in April.
            rate("GBP", "USD", "1.3", "2022-05-01"),
            // Rates are not put in a chain.
            rate("JPY", "EUR", "0.0075", "2022-01-01"),
        ] {
            let made = hub.write("POST", "/v1/exchange-rates", None, Some(&one)).await;
            assert_eq!(made.status, 201, "{}", made.text);
        }
        let draft = rate("EUR", "USD", "9", "2022-02-10");
        let kept = hub.write_as(&hub.token, "POST", "/v1/exchange-rates", None, Some(&draft)).await;
        assert_eq!(kept.json()["state"], "draft", "{}", kept.text);

        let figures = hub.get(path).await.json();
        // 7 × 1.08 + 10 × 1.08 + 1 × 1.10 + 1000 ÷ 1200 + 1 ÷ 3 + 2, rounded at the end.
        let expected = json!([
            row("2021", "spent", 1, None, None, 1),
            row("2022", "agreed", 1, Some("110"), Some("exact"), 0),
            row("2022", "spent", 8, Some("22.626667"), Some("at_least"), 2),
        ]);
        assert_eq!(figures["rows"], expected);
        let totals = json!([
            {"flow": "agreed", "currency": "USD", "count": 1, "sum": "110", "sum_qualifier": "exact", "sum_unknown": 0},
            {"flow": "spent", "currency": "USD", "count": 9, "sum": "22.626667", "sum_qualifier": "at_least", "sum_unknown": 3},
        ]);
        assert_eq!(figures["totals"], totals);
        let notes: Vec<_> =
            items(&figures, "notes").map(|note| note["en"].as_str().unwrap()).collect();
        let expected = [
            "1 EUR = 1.08 USD on 2022-01-31: /v1/exchange-rates/eur-usd-2022-01-31",
            "1 EUR = 1.10 USD on 2022-03-01: /v1/exchange-rates/eur-usd-2022-03-01",
            "1 USD = 1200 KRW on 2022-01-15: /v1/exchange-rates/usd-krw-2022-01-15",
            "1 USD = 3 KZT on 2022-02-28: /v1/exchange-rates/usd-kzt-2022-02-28",
            "Amounts that are in no sum, since they have no date, or no rate until then: 3.",
        ];
        assert_eq!(notes[1..], expected);
        for note in &notes[1..5] {
            let (_, record) = note.split_once(": ").unwrap();
            assert_eq!(hub.get(record).await.json()["citations"].as_array().unwrap().len(), 1);
        }
        assert_eq!(hub.queries_of(path).await.len(), none);

        // What cannot be dated is not converted.
        spent(&hub, &Value::Null).await;
        let undated = hub.get(&format!("{path}&flow=agreed")).await.json();
        let mut expected = row("", "agreed", 1, None, None, 1);
        expected["year"] = Value::Null;
        assert_eq!(undated["rows"], json!([expected]));
        // Another target, and only some of the currencies.
        let euros = "/v1/statistics/finance?currency=EUR,JPY&flow=spent&measure=sum";
        let apart = hub.get(euros).await.json();
        assert_eq!(
            (&apart["rows"][0]["sum"], &apart["rows"][1]["sum"]),
            (&json!("22"), &json!("100"))
        );
        assert_eq!(apart["notes"], json!([]));
        let together = hub.get(&format!("{euros}&converted_to=EUR")).await.json();
        let expected = json!([{"flow": "spent", "currency": "EUR", "sum": "22.75", "sum_qualifier": "exact", "sum_unknown": 0}]);
        assert_eq!(together["rows"], expected);
        let table = hub.get(&euros.replace("finance?", "finance.csv?converted_to=EUR&")).await;
        assert_eq!(
            table.text,
            "flow,currency,sum,sum_qualifier,sum_unknown\r\nspent,EUR,22.75,exact,0\r\n"
        );
        for (query, parameter, code) in [
            ("finance?converted_to=dollars", "converted_to", "invalid_parameter"),
            ("seminars?converted_to=USD", "converted_to", "unknown_parameter"),
        ] {
            let refused = hub.get(&format!("/v1/statistics/{query}")).await;
            assert_eq!(refused.status, 400, "{query}");
            assert_eq!(refused.faults(), [(parameter.to_owned(), code.to_owned())], "{query}");
        }
    });
}

#[test]
fn a_sum_without_what_was_paid_back_is_no_lower_bound_and_what_is_negotiated_is_not_agreed() {
    on_each_database(async |hub: Hub| {
        spent(&hub, &json!("2022")).await;
        let path = "/v1/statistics/finance?group_by=year&year=2022&measure=sum&converted_to=USD";
        let told = async || {
            let rows = hub.get(path).await.json()["rows"].clone();
            let tell =
                |row: &Value| format!("{} {} {}", row["flow"], row["sum"], row["sum_qualifier"]);
            rows.as_array()
                .unwrap()
                .iter()
                .map(|row| tell(row).replace('"', ""))
                .collect::<Vec<_>>()
        };
        assert_eq!(told().await, ["agreed null null", "spent 2 at_least"]);
        let grants = hub.get("/v1/grant-arrangements").await.json();
        let grant = &grants["items"][0];
        let path = format!("/v1/grant-arrangements/{}", grant["id"].as_str().unwrap());
        let mut transactions = grant["transactions"].clone();
        let back = json!({"amount": "-9", "currency": "GBP"});
        let back = json!({"on": "2022-04-05", "amount": back, "kind": "expenditure"});
        transactions.as_array_mut().unwrap().push(back);
        let change = json!({"transactions": transactions, "status": "negotiated"});
        let tag = hub.get(&path).await.header("etag").to_owned();
        let changed = hub.write("PATCH", &path, Some(&tag), Some(&change)).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        assert_eq!(told().await, ["spent 2 about"]);
    });
}

#[test]
fn a_rate_is_of_two_currencies_on_a_day_and_names_its_source() {
    on_each_database(async |hub: Hub| {
        let all = "/v1/exchange-rates";
        let first = rate("EUR", "USD", "1.08", "2022-01-31");
        let made = hub.write("POST", all, None, Some(&first)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let with = |field: &str, value: Value| {
            let mut other = rate("EUR", "USD", "1.09", "2022-02-28");
            other[field] = value;
            other
        };
        for (body, place, code) in [
            (with("citations", json!([])), "/citations", "empty"),
            (with("to", json!("EUR")), "/to", "same_currency"),
            (with("rate", json!("0.00")), "/rate", "too_small"),
            (with("rate", json!("-1.08")), "/rate", "too_small"),
            (with("on", json!("2022-01-31")), "/on", "rate_taken"),
        ] {
            let refused = hub.write("POST", all, None, Some(&body)).await;
            assert_eq!(refused.status, 422, "{}", refused.text);
            assert_eq!(refused.faults(), [(place.to_owned(), code.to_owned())]);
        }
        for (from, to, on) in [
            ("USD", "EUR", "2022-01-31"),
            ("EUR", "KRW", "2022-01-31"),
            ("EUR", "USD", "2022-03-31"),
        ] {
            let made = hub.write("POST", all, None, Some(&rate(from, to, "2", on))).await;
            assert_eq!(made.status, 201, "{}", made.text);
        }
        for (query, expected) in [
            ("from=EUR&to=USD&sort=-on", &["eur-usd-2022-03-31", "eur-usd-2022-01-31"][..]),
            ("on_gte=2022-02-01&on_lt=2022-04-01", &["eur-usd-2022-03-31"]),
            ("to=KRW,EUR", &["usd-eur-2022-01-31", "eur-krw-2022-01-31"]),
        ] {
            let list = hub.get(&format!("{all}?{query}")).await.json();
            let slugs: Vec<_> =
                items(&list, "items").map(|one| one["slug"].as_str().unwrap()).collect();
            assert_eq!(slugs, expected, "{query}");
        }
    });
}

#[test]
fn a_chart_says_what_the_figures_say_and_no_more() {
    on_each_database(async |hub: Hub| {
        hub.import(json!({"records": {"seminars": [held("of-old", Some("1980-01"))]}})).await;
        let get = async |path: &str| hub.get(&format!("/v1/statistics/{path}")).await;
        let chart = get("seminars.svg?group_by=country&lang=ru&width=280").await;
        assert_eq!((chart.status.as_u16(), chart.header("content-type")), (200, "image/svg+xml"));
        assert_eq!(chart.header("content-language"), "ru");
        for words in ["<title", "<desc", "role=\"img\"", "Казахстан", "prefers-color-scheme"]
        {
            assert!(chart.text.contains(words), "{words}: {}", chart.text);
        }
        assert!(!chart.text.contains("<script") && !chart.text.contains("href"), "{}", chart.text);
        let again = [("if-none-match", chart.header("etag"))];
        let path = "/v1/statistics/seminars.svg?group_by=country&lang=ru&width=280";
        assert_eq!(hub.send("GET", path, &again, None).await.status, 304);
        let bound = get("attendance.svg?metric=persons&group_by=kind").await;
        assert!(
            bound.text.contains("&gt; 70") || bound.text.contains("more than 70"),
            "{}",
            bound.text
        );
        // The days of a study visit of which nobody knows when it was are no bar.
        let unknown = get("study-visits.svg?measure=sum").await;
        assert!(unknown.text.contains("not known"), "{}", unknown.text);
        for (query, code) in [
            ("attendance.svg", "several_units"),
            ("seminars.svg?measure=count,sum", "invalid_parameter"),
            ("finance?converted_to=USD&group_by=currency", "already_converted"),
            ("seminars.svg?width=100", "invalid_parameter"),
            ("seminars.svg?chart=pie", "invalid_parameter"),
            // No line leads from one kind to another, and no average is part of a sum.
            ("seminars.svg?chart=line", "misleading_chart"),
            ("seminars.svg?group_by=kind,year&chart=line", "misleading_chart"),
            ("finance.svg?chart=line&currency=USD", "misleading_chart"),
            ("seminars.svg?group_by=year,kind&measure=average&chart=stacked", "misleading_chart"),
            ("seminars.svg?group_by=year,topic&chart=stacked", "misleading_chart"),
            // A line has a place for each month.
            ("seminars.svg?group_by=month&chart=line", "too_many_groups"),
        ] {
            assert_eq!(get(query).await.json()["code"], code, "{query}");
        }
    });
}

fn held(slug: &str, starts_on: Option<&str>) -> Value {
    let project = "governance-innovation-and-digitalisation";
    json!({"slug": slug, "project_id": project, "kind": "seminar", "starts_on": starts_on, "status": "held"})
}

/// What a chart says to who hears it, each figure with its place.
async fn said(hub: &Hub, query: &str) -> Vec<String> {
    let chart = hub.get(&format!("/v1/statistics/{query}")).await;
    assert_eq!(chart.status, 200, "{query}: {}", chart.text);
    let items = chart.text.split("<g aria-label=\"").skip(1);
    let items = items.filter_map(|item| item.split_once("\" role=\"img\""));
    items.map(|(label, _)| label.replace("&gt;", ">")).collect()
}

/// The lines of a chart, each by how many steps it has.
async fn steps(hub: &Hub, query: &str) -> Vec<usize> {
    let chart = hub.get(&format!("/v1/statistics/{query}")).await;
    let lines = chart.text.split("<path class=\"line ").skip(1);
    lines.filter_map(|line| Some(line.split("/>").next()?.matches('L').count())).collect()
}

#[test]
fn a_line_has_a_place_for_each_time_and_leads_through_none_that_is_not_known() {
    on_each_database(async |hub: Hub| {
        let days = [
            ("a", Some("2023-03-01")),
            ("b", Some("2025-03-01")),
            ("c", Some("2025-05-02")),
            ("d", None),
        ];
        let mut seminars: Vec<_> = days.map(|(slug, day)| held(slug, day)).into();
        for (at, people) in [(0, 30), (1, 40), (3, 50)] {
            seminars[at]["attendance"] =
                json!([{"metric": "persons", "value": people, "qualifier": "exact"}]);
        }
        hub.import(json!({"records": {"seminars": seminars}})).await;
        let query = "seminars.svg?group_by=year&chart=line";
        let years = ["2021: 1", "2022: 0", "2023: 1", "2024: 0", "2025: 2", "year: not known: 1"];
        assert_eq!(said(&hub, query).await, years);
        assert_eq!(steps(&hub, query).await, [4]);
        let query = "seminars.svg?group_by=quarter&year=2023,2025&chart=line";
        let quarters =
            ["2023-Q1: 1", "2023-Q2: 0", "2023-Q3: 0", "2023-Q4: 0", "2025-Q1: 1", "2025-Q2: 1"];
        // Nothing is told of a year that was not asked for.
        assert_eq!(said(&hub, query).await, quarters);
        assert_eq!(steps(&hub, query).await, [3, 1]);
        // Of a year without a number nobody knows how many came.
        let query = "attendance.svg?group_by=year&metric=persons&chart=line";
        let people = [
            "2021: more than 70",
            "2023: 30",
            "2025: at least 40",
            "year: not known: more than 70",
        ];
        let all = said(&hub, query).await;
        assert!(people.iter().all(|one| all.iter().any(|other| other == one)), "{all:?}");
        assert!(!all.iter().any(|one| one.starts_with("2024")), "{all:?}");
        assert!(steps(&hub, query).await.is_empty());
    });
}

#[test]
fn a_stack_adds_up_only_what_may_be_added_up() {
    on_each_database(async |hub: Hub| {
        let grants = hub.get("/v1/grant-arrangements").await.json();
        let path = format!("/v1/grant-arrangements/{}", grants["items"][0]["id"].as_str().unwrap());
        let moved = |on: &str, amount: &str, kind: &str| json!({"on": on, "amount": {"amount": amount, "currency": "USD"}, "kind": kind});
        let change = json!({"transactions": [
            moved("2022-02-01", "1000.10", "disbursement"),
            moved("2022-03-01", "2000.20", "expenditure"),
            moved("2023-01-01", "-1000.1", "expenditure"),
        ]});
        let tag = hub.get(&path).await.header("etag").to_owned();
        assert_eq!(hub.write("PATCH", &path, Some(&tag), Some(&change)).await.status, 200);
        for query in ["group_by=year,flow", "group_by=year"] {
            let query = format!("/v1/statistics/finance.svg?{query}&currency=USD&chart=stacked");
            let refused = hub.get(&query).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.json()["code"]),
                (422, &json!("several_units"))
            );
            assert!(refused.text.contains("flow="), "{}", refused.text);
        }
        let spent =
            said(&hub, "finance.svg?group_by=year&flow=spent&currency=USD&chart=stacked").await;
        assert!(spent.contains(&"2023, total: -1,000.1".to_owned()), "{spent:?}");
        // What has no row is drawn as nothing, and not as what is not known.
        let bars = said(&hub, "finance.svg?group_by=year,flow&currency=USD").await;
        let of_2023: Vec<_> = bars.iter().filter(|label| label.starts_with("2023")).collect();
        assert_eq!(of_2023, ["2023, spent: -1,000.1"]);
    });
}

#[test]
fn a_chart_of_participants_says_what_their_table_says() {
    on_each_database(async |hub: Hub| {
        let days = [
            ("a", "2022-03-01"),
            ("b", "2024-02-10"),
            ("c", "2024-03-01"),
            ("d", "2024-04-02"),
            ("e", "2025-01-15"),
        ];
        let seminars = days.map(|(slug, day)| held(slug, Some(day)));
        hub.import(json!({"records": {"seminars": seminars}})).await;
        let activities = all(&hub, "seminars").await;
        let at = |slug: &str| activities.iter().position(|one| one["slug"] == slug).unwrap();
        let mut people = Vec::new();
        for (slug, sex, count) in [
            ("a", Some("female"), 9),
            ("a", Some("male"), 8),
            ("b", Some("female"), 7),
            ("b", Some("male"), 3),
            ("b", None, 2),
            ("c", Some("female"), 2),
            ("d", Some("male"), 3),
            ("e", Some("female"), 6),
            ("e", Some("male"), 5),
        ] {
            people.extend((0..count).map(|_| Person { activity: at(slug), sex, country: "KZ" }));
        }
        took_part(&hub, &activities, &people).await;
        let table = hub.get("/v1/statistics/participants.csv?group_by=month,sex").await.text;
        assert!(table.contains("2024-02,,12,exact,true"), "{table}");
        let query = "participants.svg?group_by=month,sex&chart=stacked";
        let stack = said(&hub, query).await;
        let of_month: Vec<_> = stack.iter().filter(|label| label.starts_with("2024-02")).collect();
        assert_eq!(of_month, ["2024-02, groups told together: 12", "2024-02, total: 12"]);
        let bars = said(&hub, "participants.svg?group_by=month,sex").await;
        assert!(bars.contains(&"2024-02, female: withheld".to_owned()), "{bars:?}");
        let chart = hub.get(&format!("/v1/statistics/{query}")).await;
        assert!(chart.text.contains("Groups of few people are withheld"), "{}", chart.text);
    });
}

#[test]
fn a_chart_names_its_measure_and_has_an_order_that_is_seen() {
    on_each_database(async |hub: Hub| {
        for (query, title) in [
            ("seminars.svg?group_by=year", "Seminars: number, by year"),
            ("seminars.svg?group_by=year&measure=average", "Seminars: average, by year"),
            (
                "attendance.svg?metric=persons&lang=ru&group_by=kind",
                "Посещаемость: сумма, по видам",
            ),
        ] {
            let chart = hub.get(&format!("/v1/statistics/{query}")).await;
            assert!(chart.text.contains(&format!(">{title}</title>")), "{title}: {}", chart.text);
        }
        let labels = said(&hub, "seminars.svg?group_by=country").await;
        let names: Vec<_> = labels.iter().filter_map(|label| label.split(':').next()).collect();
        assert!(names.len() > 5 && names.is_sorted(), "{names:?}");
        let labels = said(&hub, "organisations.svg?group_by=organisation").await;
        let names: Vec<_> = labels
            .iter()
            .filter(|label| !label.starts_with("organisation: not known"))
            .map(|label| label.trim_start_matches('"').replace("&quot;", "").to_lowercase())
            .collect();
        assert!(names.len() > 5 && names.is_sorted(), "{names:?}");
        let unknown = said(&hub, "organisations.svg?group_by=organisation_kind&lang=ru").await;
        assert!(unknown.last().unwrap().starts_with("тип организации: неизвестно"), "{unknown:?}");
    });
}
