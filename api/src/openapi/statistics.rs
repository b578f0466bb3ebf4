//! Statistics, in the contract.
use domain::{
    Dimension, GrantArrangement, Indicator, Measure, Organisation, Presentation, Project, Resource,
    Seminar, StudyVisit, Subject,
};
use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::{
    Building, Components, answer, as_file, formats::columns_of, operation, reference, told,
};
use crate::dashboard::{Dashboard, Framework, sheet::PeriodRow};
use crate::export::Format;
use crate::formats::table::Table;
use crate::statistics::{
    ActivityFilter, CHARTS, COLLECTION, CONVERTED_TO, MOST_SPLITS, MOST_VALUES, NARROWEST,
    Statistics, Subjects, WIDEST, WIDTH, filtering, fitting,
};

/// What the figures of a project's page are of.
const FIGURES: [&str; 7] = [
    "seminars",
    "study_visits",
    "presentations",
    "speakers",
    "organisations",
    "participants",
    "countries",
];

impl Building<'_> {
    pub(super) fn statistics(&mut self) {
        self.add::<Subjects>();
        self.add::<Statistics>();
        self.tags.push(json!({"name": COLLECTION, "description": "Figures, each with what it means, whether it is a lower bound, and of how many records the value is not known."}));
        let about =
            "Every subject, with what its figures mean and by what they can be split and narrowed.";
        let mut all =
            operation("describeStatistics", COLLECTION, "Describe the statistics", about, &["400"]);
        all["parameters"] = json!([reference("parameters", "lang")]);
        all["responses"]["200"] =
            answer("Every subject.", "Subjects", None, &["ETag", "Content-Language"]);
        all["responses"]["304"] = reference("responses", "NotModified");
        self.paths.insert("/v1/statistics".into(), json!({"get": all}));
        for subject in Subject::ALL {
            self.subject(subject);
        }
        // Each subject has its own.
        self.schemas.remove("Statistics");
        self.dashboard();
    }

    fn dashboard(&mut self) {
        self.add::<Dashboard>();
        self.add::<Framework>();
        self.schemas["DashboardFigure"]["properties"]["name"]["enum"] = json!(FIGURES);
        self.schemas["AttendanceTold"]["properties"]["collection"]["enum"] =
            json!([Seminar::COLLECTION, StudyVisit::COLLECTION]);
        self.schemas["Dashboard"]["properties"]["money"]["items"] =
            reference("schemas", "FinanceFigures");
        let project = format!("/v1/{}/{{id}}", Project::COLLECTION);
        for (name, part, summary, about) in [
            (
                "Dashboard",
                "dashboard",
                "Read the figures of a project's page",
                "What there is of a project, how many came, the money, the results and what was told of initiatives, in one answer; each figure with what it means and where it can be taken from by itself.",
            ),
            (
                "Framework",
                "results",
                "Read the results of a project with their indicators",
                "Each result with its indicators: baseline, target and actual value by period, and the way that was gone. Actual values of indicators that name a metric of the registry are counted, of people no further than small numbers are protected.",
            ),
        ] {
            let mut get = self.paths[&project]["get"].clone();
            get["operationId"] = format!("readProject{name}").into();
            get["summary"] = summary.into();
            get["description"] = about.into();
            get["responses"]["200"] =
                answer("As of one moment.", name, None, &["ETag", "Content-Language"]);
            self.paths.insert(format!("{project}/{part}"), json!({"get": get}));
        }
        let mut get = self.paths[&project]["get"].clone();
        get["operationId"] = "exportProjectFramework".into();
        get["summary"] = "Take the results of a project as a sheet".into();
        let about = "A row for each period of an indicator, as of one moment, with what the results of the project tell of it. A result without an indicator, and an indicator without a period, has a row as well. Texts are in one language, which `lang` chooses. What is not known is empty.\n\n";
        get["description"] = (about.to_owned() + &columns_of(&json!(PeriodRow::schema()))).into();
        let mut parameters = get["parameters"].as_array().cloned().unwrap_or_default();
        parameters.retain(|one| one["in"] == "path");
        as_file(&mut get, parameters, &Table::of_schema::<PeriodRow>(), &Format::ALL);
        get["responses"]["422"] = reference("responses", "Unfit");
        self.paths.insert(format!("{project}/results.{{format}}"), json!({"get": get}));
    }

    fn subject(&mut self, subject: Subject) {
        let name = camel(subject.name());
        let mut whole = self.schemas["Statistics"].clone();
        let rows = format!("{name}Figures");
        for part in ["rows", "totals"] {
            whole["properties"][part]["items"] = reference("schemas", &rows);
        }
        whole["description"] =
            format!("Figures of the subject {}, with what they mean.", subject.name()).into();
        let statistics = format!("{name}Statistics");
        self.schemas.insert(statistics.clone(), whole);
        self.schemas.insert(rows, figures(subject));
        let path = format!("/v1/statistics/{}", subject.name());
        let parameters = self.parameters_of(subject);

        let about = format!(
            "{} Split by at most {MOST_SPLITS} dimensions and narrowed by any, and by the filters of the list that they are counted from.",
            subject.about().best()
        );
        let spoken = subject.name().replace('-', " ");
        let mut get = operation(
            &format!("read{statistics}"),
            COLLECTION,
            &format!("Count {spoken}"),
            &about,
            &["400", "422"],
        );
        let mut asked = parameters.clone();
        asked.push(reference("parameters", "lang"));
        get["parameters"] = json!(asked);
        get["responses"]["200"] =
            answer("The figures.", &statistics, None, &["ETag", "Content-Language"]);
        get["responses"]["304"] = reference("responses", "NotModified");
        self.paths.insert(path.clone(), json!({"get": get.clone()}));

        get["operationId"] = format!("export{statistics}").into();
        get["summary"] = format!("Count {spoken}, as CSV").into();
        let mut asked = parameters.clone();
        asked.push(json!({
            "name": "bom", "in": "query", "required": false,
            "description": "Whether the file begins with a byte order mark, by which Excel knows UTF-8.",
            "schema": {"type": "boolean", "default": false},
        }));
        asked.push(reference("parameters", "lang"));
        get["parameters"] = json!(asked);
        get["responses"]["200"] = json!({
            "description": "The rows: the same columns for the same question.",
            "headers": told(&["ETag", "Content-Disposition"]),
            "content": {"text/csv": {"schema": {"type": "string"}}},
        });
        self.paths.insert(format!("{path}.csv"), json!({"get": get.clone()}));

        get["operationId"] = format!("take{statistics}").into();
        get["summary"] = format!("Count {spoken}, as a workbook").into();
        let mut asked = parameters.clone();
        asked.push(reference("parameters", "lang"));
        get["parameters"] = json!(asked);
        get["responses"]["200"] = json!({
            "description": "A sheet with the rows, and one, about, with what they mean: the definition of each figure, whether it is a lower bound, of how many the value is not known, what else has to be known, when the newest change in them was made, and what was asked.",
            "headers": told(&["ETag", "Content-Disposition", "Content-Language"]),
            "content": {Format::Xlsx.media_type(): {"schema": {"type": "string", "format": "binary"}}},
        });
        self.paths.insert(format!("{path}.xlsx"), json!({"get": get.clone()}));

        get["operationId"] = format!("draw{statistics}").into();
        get["summary"] = format!("Draw a chart of {spoken}").into();
        let mut asked = parameters;
        if subject == Subject::Attendance {
            // It has one unit, and people are not organisations.
            for metric in asked.iter_mut().filter(|one| one["name"] == Dimension::Metric.name()) {
                metric["example"] = json!(["persons"]);
            }
        }
        // A chart shows one.
        for measure in asked.iter_mut().filter(|one| one["name"] == "measure") {
            measure["description"] =
                "Which figure; what says most of the subject when left out.".into();
            measure["schema"]["maxItems"] = 1.into();
        }
        asked.push(json!({
            "name": "chart", "in": "query", "required": false,
            "description": "How the chart shows the figures: as a bar for each; as lines over time, where group_by begins with year, quarter or month, with a place for each of these between the first and the last; or as bars that are stacked, where they are numbers or sums of groups that do not overlap, and of one flow of money.",
            "schema": {"type": "string", "enum": CHARTS, "default": CHARTS[0]},
        }));
        asked.push(json!({
            "name": "width", "in": "query", "required": false,
            "description": "How wide the chart is, in pixels; what is written in it is laid out for that.",
            "schema": {"type": "integer", "minimum": NARROWEST, "maximum": WIDEST, "default": WIDTH},
        }));
        asked.push(reference("parameters", "lang"));
        get["parameters"] = json!(asked);
        get["responses"]["200"] = json!({
            "description": "The chart, for light and for dark pages, with its figures for screen readers; the first dimension on its axis, the others as series. One measure, in one unit.",
            "headers": told(&["ETag", "Content-Language"]),
            "content": {"image/svg+xml": {"schema": {"type": "string"}}},
        });
        self.paths.insert(format!("{path}.svg"), json!({"get": get}));
    }

    fn parameters_of(&mut self, subject: Subject) -> Vec<Value> {
        let names = |all: &[Dimension]| all.iter().map(|one| one.name()).collect::<Vec<_>>();
        let measures = subject.definitions().iter().map(|of| of.measure.name());
        let mut parameters = vec![
            several(
                "group_by",
                "By what the figures are split; by nothing when left out.",
                &json!({"type": "string", "enum": names(subject.dimensions())}),
                MOST_SPLITS,
            ),
            several(
                "measure",
                "Which figures; every one when left out.",
                &json!({"type": "string", "enum": measures.collect::<Vec<_>>()}),
                Measure::ALL.len(),
            ),
        ];
        for parameter in &mut parameters {
            parameter["schema"]["uniqueItems"] = true.into();
        }
        let own = filtering(subject);
        for dimension in &own {
            let about = format!("Only those with one of these. {}", dimension.about().best());
            let mut item = fitting(*dimension, subject);
            item.as_object_mut().map(|item| item.remove("description"));
            parameters.push(several(dimension.name(), &about, &item, MOST_VALUES));
        }
        if subject == Subject::Finance {
            parameters.push(json!({
                "name": CONVERTED_TO, "in": "query", "required": false,
                "description": "The currency that all amounts are converted to, so that they can be added up: by the newest published exchange rate until the end of the month of each (or of its year where only that is known), or else by the inverse of the rate in the other direction. What has no rate is in no sum and counts as unknown; notes name every rate. It does not go together with a split by currency. Each currency by itself when left out.",
                "schema": reference("schemas", "SoughtCurrency"),
            }));
        }
        let (filters, searched) = match subject {
            Subject::Seminars => (self.filters::<<Seminar as Resource>::Filter>(), true),
            Subject::StudyVisits => (self.filters::<<StudyVisit as Resource>::Filter>(), true),
            Subject::Presentations | Subject::Speakers => {
                (self.filters::<<Presentation as Resource>::Filter>(), true)
            }
            Subject::Organisations => (self.filters::<<Organisation as Resource>::Filter>(), true),
            Subject::Finance => (self.filters::<<GrantArrangement as Resource>::Filter>(), true),
            Subject::Results => (self.filters::<<Indicator as Resource>::Filter>(), true),
            Subject::Participants | Subject::Attendance => {
                (self.filters::<ActivityFilter>(), false)
            }
        };
        let taken: Vec<_> = parameters.iter().map(|one| one["name"].clone()).collect();
        parameters.extend(filters.into_iter().filter(|one| !taken.contains(&one["name"])));
        if searched {
            parameters.push(reference("parameters", "q"));
        }
        parameters
    }
}

/// A parameter that takes several values.
fn several(name: &str, about: &str, item: &Value, most: usize) -> Value {
    json!({
        "name": name, "in": "query", "required": false, "style": "form", "explode": false,
        "description": about,
        "schema": {"type": "array", "items": item, "minItems": 1, "maxItems": most},
    })
}

/// The schema of a row.
fn figures(subject: Subject) -> Value {
    let mut fields = Components::new();
    for dimension in Dimension::ALL {
        if subject.dimensions().contains(&dimension) {
            let about = format!("{} Null where it is not known.", dimension.about().best());
            fields.insert(
                dimension.name().into(),
                json!({"type": ["string", "null"], "description": about}),
            );
        }
    }
    for of in subject.definitions() {
        let name = of.measure.name();
        let about = format!("{} In: {}.", of.words, of.unit);
        let qualifier = "How the figure is to be understood; null where it is not known.";
        let qualifier = json!({"oneOf": [reference("schemas", "Qualifier"), {"type": "null"}], "description": qualifier});
        if !of.measure.has_values() {
            if (of.measure, subject) == (Measure::Count, Subject::Participants) {
                fields.insert(format!("{name}_qualifier"), qualifier);
            }
            fields.insert(
                name.into(),
                json!({"type": ["integer", "null"], "minimum": 0, "description": about}),
            );
            continue;
        }
        let kind = if subject == Subject::Finance { "string" } else { "number" };
        fields.insert(name.into(), json!({"type": [kind, "null"], "description": about}));
        fields.insert(format!("{name}_qualifier"), qualifier);
        let unknown = "Of how many the value is not known; null where the number is withheld.";
        fields.insert(
            format!("{name}_unknown"),
            json!({"type": ["integer", "null"], "minimum": 0, "description": unknown}),
        );
    }
    if subject == Subject::Participants {
        let about = "Whether these are people of small groups, told of together or not at all.";
        fields.insert("withheld".into(), json!({"type": "boolean", "description": about}));
    }
    json!({
        "type": "object",
        "description": format!("Figures of a group of the subject {}: its values, as far as it is split by them, and the measures that were asked for.", subject.name()),
        "properties": fields,
    })
}

/// A name of an address as a name of a type.
fn camel(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}
