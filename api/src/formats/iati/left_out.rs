//! What is known and is not told, since the standard has no place for it as it is known.
use std::collections::BTreeSet;

use domain::{
    Decimal, EventStatus, GrantArrangement, PartialDate, Project, Record, Text, TransactionKind,
};

use super::{
    super::{
        event::{Event, day},
        readiness::Gap,
    },
    gaps::{Place, beneficiaries, place},
    words::untold,
    work::{Work, told},
    xml::role,
};
use crate::reached::Measured;

const NO_PART: &str = "The standard has no code for that part.";
const ONLY_A_NAME: &str = "Of where an event is the standard is told the name and the point.";
const TO_THE_DAY: &str = "The standard has only dates that are known to the day.";

/// What is not told of a project; of its events it is told for themselves.
pub(super) fn of(work: &Work) -> Vec<Gap> {
    let mut left = LeftOut(Vec::new());
    let project = work.project();
    left.places(project);
    left.text("/title", &project.title);
    for (at, text) in [
        ("/description", &project.description),
        ("/objective", &project.objective),
        ("/target_group", &project.target_group),
    ] {
        left.text(at, text.as_ref());
    }
    left.names(work);
    for (at, party) in project.parties.iter().enumerate() {
        if role(party.role).is_none() {
            left.add(format!("/parties/{at}"), "codelist:OrganisationRole", NO_PART);
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
        for (place, moved) in grant.body.transactions.iter().enumerate() {
            let at = format!("/grant-arrangements/{}/transactions/{place}/description", grant.id);
            left.text(&at, moved.description.as_ref());
        }
    }
    for (result, measures) in &work.results {
        if measures.is_empty() {
            let detail = "The standard has no result without an indicator.";
            left.add(format!("/results/{}", result.id), "xsd:indicator", detail);
            continue;
        }
        let at = format!("/results/{}", result.id);
        left.text(&format!("{at}/title"), &result.body.title);
        left.text(&format!("{at}/description"), result.body.description.as_ref());
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
    left.text("/title", &*event.label);
    let about = if event.summary.is_some() { "/summary" } else { "/theme" };
    left.text(about, event.about);
    left.date("/ends_on", event.ends_on);
    if event.previous_start.is_some() {
        let detail = "The standard has no date for when it was to start before.";
        left.add("/previous_start", "xsd:activity-date", detail);
    }
    left.venue(event);
    for at in 0..event.organisers.len() {
        left.add(format!("/organisers/{at}"), "codelist:OrganisationRole", NO_PART);
    }
    for at in 0..event.stops.len() {
        left.add(format!("/stops/{at}"), "codelist:OrganisationRole", NO_PART);
    }
    if !event.countries.is_empty() {
        let detail = "The standard has the countries that it is for, not those that had a part.";
        left.add("/countries", "xsd:recipient-country", detail);
    }
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

    /// The languages of a text in which it is not told.
    fn text<'a>(&mut self, at: &str, text: impl Into<Option<&'a Text>>) {
        for tag in text.into().map(untold).into_iter().flatten() {
            let detail = "The standard has languages of two letters, each once.";
            self.add(format!("{at}/{tag}"), "codelist:Language", detail);
        }
    }

    /// What those are called that are told as having a part, or as giving or getting money.
    fn names(&mut self, work: &Work) {
        let parties = work.project().parties.iter().filter(|party| role(party.role).is_some());
        let moved = work.grants.iter().flat_map(|grant| &grant.body.transactions);
        let moved = moved.flat_map(|one| one.provider_id.iter().chain(&one.receiver_id));
        let told = parties.map(|party| &party.organisation_id).chain(moved);
        let told: BTreeSet<_> = told.map(domain::Ref::id).collect();
        for id in told {
            let name = work.organisations.get(&id).map(|organisation| &organisation.name);
            self.text(&format!("/organisations/{id}/name"), name);
        }
    }

    fn date(&mut self, at: &str, date: Option<&PartialDate>) {
        if date.is_some_and(|date| day(date).is_none()) {
            self.add(at, "xsd:activity-date@iso-date", TO_THE_DAY);
        }
    }

    /// What is known of where an event takes place, beside the name and the point.
    fn venue(&mut self, event: &Event<'_>) {
        let place = &event.place;
        let country = place.country.is_some();
        let Some(venue) = event.venue else {
            if country {
                self.add("/host_country", "xsd:location", ONLY_A_NAME);
            }
            return;
        };
        // A place without a name is called by its city.
        self.text("/venue/name", venue.name.as_ref());
        if venue.name.is_none() {
            self.text("/venue/city", venue.city.as_ref());
        }
        for (at, is_left) in [
            ("/venue/address", place.street.is_some()),
            ("/venue/city", place.city.is_some() && venue.name.is_some()),
            ("/venue/country", country),
            ("/venue/online_url", place.online.is_some()),
        ] {
            if is_left {
                self.add(at, "xsd:location", ONLY_A_NAME);
            }
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
        self.text(&format!("{at}/title"), &indicator.title);
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
            self.text(&format!("{at}/comment"), told.1);
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
