//! What is known and is not told, since the standard has no place for it as it is known.
use domain::{
    Decimal, EventStatus, GrantArrangement, PartialDate, Project, Record, Text, TransactionKind,
};

use super::{
    super::{
        event::{Event, day},
        readiness::Gap,
    },
    gaps::{Place, beneficiaries, place},
    work::{Work, told},
    xml::role,
};
use crate::reached::Measured;

const TO_THE_DAY: &str = "The standard has only dates that are known to the day.";

/// What is not told of a project; of its events it is told for themselves.
pub(super) fn of(work: &Work) -> Vec<Gap> {
    let mut left = LeftOut(Vec::new());
    let project = work.project();
    left.places(project);
    for (at, party) in project.parties.iter().enumerate() {
        if role(party.role).is_none() {
            let detail = "The standard has no code for that part.";
            left.add(format!("/parties/{at}"), "codelist:OrganisationRole", detail);
        }
    }
    for (at, date) in [
        ("/planned_start", &project.planned_start),
        ("/actual_start", &project.actual_start),
        ("/planned_end", &project.planned_end),
        ("/actual_end", &project.actual_end),
    ] {
        left.date(at, date.as_ref());
    }
    for grant in &work.grants {
        left.agreed(grant);
    }
    for (result, measures) in &work.results {
        if measures.is_empty() {
            let detail = "The standard has no result without an indicator.";
            left.add(format!("/results/{}", result.id), "xsd:indicator", detail);
        }
        for measure in measures {
            left.measure(measure);
        }
    }
    left.0
}

/// What is not told of an event.
pub(in super::super) fn of_event(event: &Event<'_>) -> Vec<Gap> {
    let mut left = LeftOut(Vec::new());
    // Without a start to the day it is not told at all.
    if event.first_day().is_none() {
        return left.0;
    }
    left.date("/ends_on", event.ends_on);
    if !event.attendance.is_empty() {
        if event.status != EventStatus::Held {
            let detail = "What came of an event is told once it is held.";
            left.add("/attendance", "hub:attendance", detail);
        } else if event.last_day().is_none() {
            let detail = "A number is of a period, and on which day that ended is not known.";
            left.add("/attendance", "xsd:period-end", detail);
        }
    }
    left.0
}

struct LeftOut(Vec<Gap>);

impl LeftOut {
    fn add(&mut self, pointer: impl Into<String>, rule: &'static str, detail: &str) {
        self.0.push(Gap::new(pointer, rule, detail));
    }

    fn date(&mut self, at: &str, date: Option<&PartialDate>) {
        if date.is_some_and(|date| day(date).is_none()) {
            self.add(at, "xsd:activity-date@iso-date", TO_THE_DAY);
        }
    }

    fn agreed(&mut self, grant: &Record<GrantArrangement>) {
        let commits = |kind| {
            matches!(kind, TransactionKind::Commitment | TransactionKind::IncomingCommitment)
        };
        let committed = grant.body.transactions.iter().any(|moved| commits(moved.kind));
        if grant.body.amount.is_some() && !committed {
            let detail = "The standard has no amount but of budgets and transactions, and no transaction commits this one.";
            self.add(format!("/grant-arrangements/{}/amount", grant.id), "xsd:transaction", detail);
        }
    }

    fn places(&mut self, project: &Project) {
        let region = project.iati.as_ref().and_then(|iati| iati.region.as_ref());
        match place(project) {
            Ok(Place::Country(_)) if region.is_some() => {
                let detail = "All of it is told to be for one country.";
                self.add("/iati/region", "3.1.1", detail);
            }
            Ok(Place::Region(_)) if beneficiaries(project).next().is_some() => {
                let detail = "How much each country gets is not known: they are told as a region.";
                self.add("/countries", "3.1.1", detail);
            }
            _ => {}
        }
    }

    fn measure(&mut self, measure: &Measured) {
        let indicator = &measure.indicator;
        let at = format!("/indicators/{}", measure.id);
        let mut check = |at: &str, name: &str, value: Option<&str>, comment: Option<&Text>| {
            let told = told(indicator.measure, value, comment);
            if value.is_some() && told.0.is_none() {
                let detail = "What is measured in words has no value.";
                self.add(format!("{at}/{name}"), "8.8.1", detail);
            }
            if comment.is_some() && told.1.is_none() {
                let detail = "The standard has no comment without a value.";
                self.add(format!("{at}/comment"), "8.8.1", detail);
            }
        };
        if let Some(baseline) = &indicator.baseline {
            let value = baseline.value.as_ref().map(Decimal::as_str);
            check(&format!("{at}/baseline"), "value", value, baseline.comment.as_ref());
        }
        for (place, (period, reached)) in indicator.periods.iter().zip(&measure.reached).enumerate()
        {
            let at = format!("{at}/periods/{place}");
            check(&at, "target", period.target.as_ref().map(Decimal::as_str), None);
            check(&at, "actual", reached.value.as_deref(), period.comment.as_ref());
        }
    }
}
