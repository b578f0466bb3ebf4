//! Activities as IATI 2.03 writes them; what is not known is left out.
use std::io;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::{
    BudgetKind, BudgetStatus, Count, Decimal, EventStatus, FullDate, IndicatorMeasure, Metric,
    Money, Organisation, OrganisationKind, OrganisationRef, PartialDate, ProjectPartyRole,
    ProjectResult, ProjectStatus, Qualifier, ResultKind, Text, TransactionKind, Venue,
};
use quick_xml::{
    Writer,
    events::{BytesEnd, BytesStart, BytesText, Event as Part},
};

use super::{
    super::event::{Event, day, legible},
    gaps::{Place, place},
    words::{is_told, narratives},
    work::{Work, told},
};
use crate::reached::Measured;

pub(super) const END: &[u8] = b"</iati-activities>\n";

type Attributes<'a> = &'a [(&'a str, &'a str)];

/// Who is told to report: the project's own publisher comes first.
const SECONDARY: &str = "1";

/// What degrees north and east are told to be in.
const WGS_84: &str = "http://www.opengis.net/def/crs/EPSG/0/4326";

/// Elements, one after the other.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn new() -> Self {
        Self(Writer::new(Vec::new()))
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner()
    }

    fn part(&mut self, part: Part) {
        let written: io::Result<()> = self.0.write_event(part);
        debug_assert!(written.is_ok(), "memory takes everything");
    }

    fn start<'a>(name: &'a str, attributes: Attributes<'a>) -> BytesStart<'a> {
        let mut start = BytesStart::new(name);
        for attribute in attributes {
            start.push_attribute((attribute.0, &*legible(attribute.1)));
        }
        start
    }

    /// An element with nothing in it.
    fn empty(&mut self, name: &str, attributes: Attributes) {
        self.part(Part::Empty(Self::start(name, attributes)));
    }

    /// An element with other elements in it.
    fn with(&mut self, name: &str, attributes: Attributes, inner: impl FnOnce(&mut Self)) {
        self.part(Part::Start(Self::start(name, attributes)));
        inner(self);
        self.part(Part::End(BytesEnd::new(name)));
    }

    fn line(&mut self, name: &str, attributes: Attributes, text: &str) {
        self.with(name, attributes, |xml| xml.part(Part::Text(BytesText::new(&legible(text)))));
    }

    /// A text in each of its languages; nothing where it can be told in none.
    fn text(&mut self, name: &str, attributes: Attributes, text: &Text) {
        if is_told(text) {
            self.with(name, attributes, |xml| xml.narratives(text));
        }
    }

    fn narratives(&mut self, text: &Text) {
        for (language, said) in narratives(text) {
            self.line("narrative", &[("xml:lang", language)], &said);
        }
    }

    /// A text of ours, in English.
    fn own(&mut self, name: &str, attributes: Attributes, text: &str) {
        self.with(name, attributes, |xml| xml.line("narrative", &[("xml:lang", "en")], text));
    }

    fn code(&mut self, name: &str, code: Option<&str>) {
        if let Some(code) = code {
            self.empty(name, &[("code", code)]);
        }
    }

    fn date(&mut self, kind: &str, on: Option<NaiveDate>) {
        if let Some(on) = on {
            self.empty("activity-date", &[("type", kind), ("iso-date", &on.to_string())]);
        }
    }

    fn value(&mut self, money: &Money, on: &FullDate) {
        let attributes = [("currency", money.currency.as_str()), ("value-date", on.as_str())];
        self.line("value", &attributes, money.amount.as_str());
    }

    fn organisation(&mut self, name: &str, organisation: &Organisation, more: Attributes) {
        let mut attributes = Vec::new();
        let reference = organisation.iati_org_id.as_ref();
        attributes.extend(reference.map(|reference| ("ref", reference.as_str())));
        attributes.extend(organisation.kind.map(|kind| ("type", kind_code(kind))));
        attributes.extend(more);
        self.with(name, &attributes, |xml| xml.narratives(&organisation.name));
    }

    fn head(&mut self, work: &Work, identifier: &str, title: &Text) {
        self.line("iati-identifier", &[], identifier);
        if let Some((_, Some(reporter))) = work.reporter() {
            let secondary = [("secondary-reporter", SECONDARY)];
            self.organisation("reporting-org", reporter, &secondary);
        }
        self.text("title", &[], title);
    }

    fn parties(&mut self, work: &Work) {
        for party in &work.project().parties {
            let known = work.organisations.get(&party.organisation_id.id());
            if let Some((code, organisation)) = role(party.role).zip(known) {
                self.organisation("participating-org", organisation, &[("role", code)]);
            }
        }
    }

    /// Whom it is for: an event is for whom its project is.
    fn recipients(&mut self, work: &Work) {
        match place(work.project()) {
            Ok(Place::Country(code)) => {
                self.empty("recipient-country", &[("code", code), ("percentage", "100")]);
            }
            Ok(Place::Region(region)) => {
                let (code, vocabulary) = (region.code.as_str(), region.vocabulary.as_str());
                let attributes = [("code", code), ("vocabulary", vocabulary)];
                self.empty("recipient-region", &attributes);
            }
            Err(_) => {}
        }
    }

    /// Where an event takes place.
    fn location(&mut self, venue: &Venue) {
        let name = venue.name.as_ref().or(venue.city.as_ref()).filter(|name| is_told(name));
        let point = venue.latitude.zip(venue.longitude);
        if name.is_none() && point.is_none() {
            return;
        }
        self.with("location", &[], |xml| {
            if let Some(name) = name {
                xml.text("name", &[], name);
            }
            if let Some((north, east)) = point {
                xml.with("point", &[("srsName", WGS_84)], |xml| {
                    xml.line("pos", &[], &format!("{north} {east}"));
                });
            }
        });
    }

    fn sectors(&mut self, work: &Work) {
        for sector in work.iati().iter().flat_map(|iati| &iati.sectors) {
            let percentage = sector.percentage.unwrap_or(100.0).to_string();
            let attributes = [
                ("vocabulary", sector.vocabulary.as_str()),
                ("code", sector.code.as_str()),
                ("percentage", &percentage),
            ];
            self.empty("sector", &attributes);
        }
    }

    fn money(&mut self, work: &Work) {
        for budget in work.grants.iter().flat_map(|grant| &grant.body.budgets) {
            let kind = match budget.kind {
                BudgetKind::Original => "1",
                BudgetKind::Revised => "2",
            };
            let status = match budget.status {
                BudgetStatus::Indicative => "1",
                BudgetStatus::Committed => "2",
            };
            self.with("budget", &[("type", kind), ("status", status)], |xml| {
                xml.empty("period-start", &[("iso-date", budget.from.as_str())]);
                xml.empty("period-end", &[("iso-date", budget.to.as_str())]);
                xml.value(&budget.amount, &budget.from);
            });
        }
        for moved in work.grants.iter().flat_map(|grant| &grant.body.transactions) {
            let kind = match moved.kind {
                TransactionKind::IncomingFunds => "1",
                TransactionKind::Commitment => "2",
                TransactionKind::Disbursement => "3",
                TransactionKind::Expenditure => "4",
                TransactionKind::IncomingCommitment => "11",
            };
            let known = |side: &Option<OrganisationRef>| {
                side.as_ref().and_then(|one| work.organisations.get(&one.id()))
            };
            self.with("transaction", &[], |xml| {
                xml.empty("transaction-type", &[("code", kind)]);
                xml.empty("transaction-date", &[("iso-date", moved.on.as_str())]);
                xml.value(&moved.amount, &moved.on);
                if let Some(description) = &moved.description {
                    xml.text("description", &[], description);
                }
                for (name, side) in [
                    ("provider-org", known(&moved.provider_id)),
                    ("receiver-org", known(&moved.receiver_id)),
                ] {
                    if let Some(organisation) = side {
                        xml.organisation(name, organisation, &[]);
                    }
                }
            });
        }
    }

    /// A result; the standard has none without an indicator.
    fn result(&mut self, result: &ProjectResult, measures: &[Measured]) {
        let kind = match result.kind {
            ResultKind::Output => "1",
            ResultKind::Outcome => "2",
            ResultKind::Impact => "3",
            ResultKind::Other => "9",
        };
        if measures.is_empty() {
            return;
        }
        self.with("result", &[("type", kind)], |xml| {
            xml.text("title", &[], &result.title);
            if let Some(description) = &result.description {
                xml.text("description", &[], description);
            }
            for measure in measures {
                xml.indicator(measure);
            }
        });
    }

    fn indicator(&mut self, measure: &Measured) {
        let indicator = &measure.indicator;
        let code = match indicator.measure {
            IndicatorMeasure::Unit => "1",
            IndicatorMeasure::Percentage => "2",
            IndicatorMeasure::Nominal => "3",
            IndicatorMeasure::Ordinal => "4",
            IndicatorMeasure::Qualitative => "5",
        };
        let ascending = if indicator.ascending { "1" } else { "0" };
        self.with("indicator", &[("measure", code), ("ascending", ascending)], |xml| {
            xml.text("title", &[], &indicator.title);
            if let Some(baseline) = &indicator.baseline {
                let value = baseline.value.as_ref().map(Decimal::as_str);
                let year = baseline.year.to_string();
                let told = told(indicator.measure, value, baseline.comment.as_ref());
                xml.measured("baseline", &[("year", &year)], told, None);
            }
            for (period, reached) in indicator.periods.iter().zip(&measure.reached) {
                xml.with("period", &[], |xml| {
                    xml.empty("period-start", &[("iso-date", period.from.as_str())]);
                    xml.empty("period-end", &[("iso-date", period.to.as_str())]);
                    let target = period.target.as_ref().map(Decimal::as_str);
                    xml.measured("target", &[], told(indicator.measure, target, None), None);
                    let value = reached.value.as_deref();
                    let told = told(indicator.measure, value, period.comment.as_ref());
                    let caveat = told.0.zip(reached.qualifier);
                    let caveat = caveat.and_then(|(value, how)| caveat_of("counted", how, value));
                    xml.measured("actual", &[], told, caveat.as_deref());
                });
            }
        });
    }

    /// A value, with how to read it.
    fn measured(
        &mut self,
        name: &str,
        attributes: Attributes,
        (value, comment): (Option<&str>, Option<&Text>),
        caveat: Option<&str>,
    ) {
        let mut attributes = attributes.to_vec();
        attributes.extend(value.map(|value| ("value", value)));
        let comment = comment.filter(|comment| is_told(comment));
        match (value, comment, caveat) {
            (None, None, _) => {}
            (Some(_), None, None) => self.empty(name, &attributes),
            _ => self.with(name, &attributes, |xml| {
                xml.with("comment", &[], |xml| {
                    if let Some(comment) = comment {
                        xml.narratives(comment);
                    }
                    if let Some(caveat) = caveat {
                        xml.line("narrative", &[("xml:lang", "en")], caveat);
                    }
                });
            }),
        }
    }

    /// How many came, as it was published, as an output.
    fn attendance(&mut self, count: &Count, first: NaiveDate, last: NaiveDate) {
        let (title, how) = match count.metric {
            Metric::Persons => ("Persons who took part", "persons"),
            Metric::Organisations => ("Organisations that took part", "organisations"),
            Metric::Countries => ("Countries that had a part", "countries"),
            Metric::ParticipatingCountries => {
                ("Countries whose civil servants took part", "countries")
            }
        };
        let value = count.value.to_string();
        let caveat = caveat_of("published", count.qualifier, &format!("{value} {how}"));
        self.with("result", &[("type", "1")], |xml| {
            xml.own("title", &[], "Attendance");
            xml.with("indicator", &[("measure", "1"), ("ascending", "1")], |xml| {
                xml.own("title", &[], title);
                xml.with("period", &[], |xml| {
                    xml.empty("period-start", &[("iso-date", &first.to_string())]);
                    xml.empty("period-end", &[("iso-date", &last.to_string())]);
                    xml.measured("actual", &[], (Some(&value), None), caveat.as_deref());
                });
            });
        });
    }
}

/// How to read a number that is not just that one.
fn caveat_of(how: &str, qualifier: Qualifier, number: &str) -> Option<String> {
    let (words, bound) = match qualifier {
        Qualifier::Exact => return None,
        Qualifier::About => return Some(format!("As {how}: about {number}.")),
        Qualifier::MoreThan => ("more than", "a lower"),
        Qualifier::AtLeast => ("at least", "a lower"),
        Qualifier::LessThan => ("less than", "an upper"),
        Qualifier::AtMost => ("at most", "an upper"),
    };
    Some(format!("As {how}: {words} {number}. The value is {bound} bound."))
}

/// The beginning of the file, as of the last change of what is in it.
pub(super) fn begin(changed: DateTime<Utc>) -> Vec<u8> {
    let changed = stamp(changed);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <iati-activities version=\"2.03\" generated-datetime=\"{changed}\">\n"
    )
    .into_bytes()
}

/// That a project is not told, and where it stands what it lacks. It is named by its id: a slug may hold
/// what no comment can.
pub(super) fn left_out(work: &Work) -> Vec<u8> {
    format!("<!-- Left out: /v1/projects/{}/readiness tells what it lacks. -->\n", work.id)
        .into_bytes()
}

/// That a project is not told since we wrote it wrongly.
pub(super) fn unsound(work: &Work) -> Vec<u8> {
    let id = work.id;
    format!("<!-- Left out: /v1/projects/{id} broke a rule as it was written, which is a fault of the service. -->\n")
        .into_bytes()
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn activity(updated: DateTime<Utc>, hierarchy: &str, inner: impl FnOnce(&mut Xml)) -> Vec<u8> {
    let mut xml = Xml::new();
    let updated = stamp(updated);
    let attributes =
        [("xml:lang", "en"), ("last-updated-datetime", &*updated), ("hierarchy", hierarchy)];
    xml.with("iati-activity", &attributes, inner);
    let mut bytes = xml.bytes();
    bytes.push(b'\n');
    bytes
}

/// A project; what it is joined to is written already.
pub(super) fn project(work: &Work, children: &[u8]) -> Vec<u8> {
    let project = work.project();
    activity(work.record.updated_at, "1", |xml| {
        xml.head(work, work.identifier(), &project.title);
        for (kind, text) in
            [("1", &project.description), ("2", &project.objective), ("3", &project.target_group)]
        {
            if let Some(text) = text {
                xml.text("description", &[("type", kind)], text);
            }
        }
        xml.parties(work);
        xml.code("activity-status", project.status.map(status_code));
        let known = |date: &Option<PartialDate>| date.as_ref().and_then(day);
        xml.date("1", known(&project.planned_start));
        xml.date("2", known(&project.actual_start));
        xml.date("3", known(&project.planned_end));
        xml.date("4", known(&project.actual_end));
        xml.recipients(work);
        xml.sectors(work);
        let iati = work.iati();
        let code = |of: fn(&domain::Iati) -> Option<&domain::Line>| {
            iati.and_then(of).map(domain::Line::as_str)
        };
        xml.code("default-flow-type", code(|iati| iati.flow_type.as_ref()));
        xml.code("default-finance-type", code(|iati| iati.finance_type.as_ref()));
        xml.code("default-aid-type", code(|iati| iati.aid_type.as_ref()));
        xml.code("default-tied-status", code(|iati| iati.tied_status.as_ref()));
        xml.money(work);
        if let Some(website) = &project.website {
            let attributes = [("format", "text/html"), ("url", website.as_str())];
            xml.with("document-link", &attributes, |xml| {
                xml.own("title", &[], "Website of the project");
                xml.empty("category", &[("code", "A12")]);
            });
        }
        xml.0.get_mut().extend_from_slice(children);
        for (result, measures) in &work.results {
            xml.result(&result.body, measures);
        }
    })
}

/// What is told of an event within its project.
pub(super) fn child(work: &Work, event: &Event<'_>) -> Vec<u8> {
    let mut xml = Xml::new();
    let reference = identifier(work, event);
    xml.empty("related-activity", &[("ref", &reference), ("type", "2")]);
    xml.bytes()
}

fn identifier(work: &Work, event: &Event<'_>) -> String {
    format!("{}-{}", work.identifier(), event.id)
}

/// An event, as an activity below its project.
pub(super) fn event(work: &Work, event: &Event<'_>) -> Vec<u8> {
    activity(event.updated_at, "2", |xml| {
        xml.head(work, &identifier(work, event), &event.label);
        let about = event.about.filter(|about| is_told(about)).unwrap_or(&event.label);
        xml.text("description", &[("type", "1")], about);
        xml.parties(work);
        let (status, start, end) = match event.status {
            EventStatus::Held => ("4", "2", "4"),
            EventStatus::Cancelled => ("5", "1", "3"),
            EventStatus::Planned
            | EventStatus::Confirmed
            | EventStatus::Postponed
            | EventStatus::Rescheduled => ("1", "1", "3"),
        };
        xml.code("activity-status", Some(status));
        let (first, last) = (event.first_day(), event.last_day());
        xml.date(start, first);
        xml.date(end, last);
        xml.recipients(work);
        if let Some(venue) = event.venue {
            xml.location(venue);
        }
        xml.sectors(work);
        xml.empty("related-activity", &[("ref", work.identifier()), ("type", "1")]);
        // When a number is of is not known without an end.
        if let (EventStatus::Held, Some((first, last))) = (event.status, first.zip(last)) {
            for count in event.attendance {
                xml.attendance(count, first, last);
            }
        }
    })
}

/// The code of a part in a project; some parts have none, and stay out.
pub(super) fn role(role: ProjectPartyRole) -> Option<&'static str> {
    match role {
        ProjectPartyRole::Funder => Some("1"),
        ProjectPartyRole::Accountable => Some("2"),
        ProjectPartyRole::Extending => Some("3"),
        ProjectPartyRole::Implementer => Some("4"),
        ProjectPartyRole::Grantor
        | ProjectPartyRole::Grantee
        | ProjectPartyRole::Partner
        | ProjectPartyRole::Host
        | ProjectPartyRole::Organiser => None,
    }
}

fn status_code(status: ProjectStatus) -> &'static str {
    match status {
        ProjectStatus::Pipeline => "1",
        ProjectStatus::Implementation => "2",
        ProjectStatus::Finalisation => "3",
        ProjectStatus::Closed => "4",
        ProjectStatus::Cancelled => "5",
        ProjectStatus::Suspended => "6",
    }
}

fn kind_code(kind: OrganisationKind) -> &'static str {
    match kind {
        OrganisationKind::Government => "10",
        OrganisationKind::LocalGovernment => "11",
        OrganisationKind::OtherPublicSector => "15",
        OrganisationKind::InternationalNgo => "21",
        OrganisationKind::NationalNgo => "22",
        OrganisationKind::RegionalNgo => "23",
        OrganisationKind::PartnerCountryNgo => "24",
        OrganisationKind::PublicPrivatePartnership => "30",
        OrganisationKind::Multilateral => "40",
        OrganisationKind::Foundation => "60",
        OrganisationKind::PrivateSector => "70",
        OrganisationKind::Academic => "80",
        OrganisationKind::Other => "90",
    }
}
