//! What the standard asks for and the registry does not know, by the schema and by the ruleset.
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::{
    EventStatus, Iati, IatiRegion, Organisation, PartialDate, Project, ProjectCountryRole, Text,
};

use super::{
    super::event::{Event, day},
    super::readiness::Gap,
    check::{
        AID_TYPE, FINANCE_TYPE, FLOW_TYPE, REGION, REGION_VOCABULARY, SECTOR_CATEGORY,
        SECTOR_VOCABULARY, TIED_STATUS,
    },
    words::is_told,
    work::Work,
    xml::role,
};

/// What a project lacks to be told.
pub(super) fn of(work: &Work, today: NaiveDate) -> Vec<Gap> {
    let mut gaps = Gaps(Vec::new());
    let project = work.project();
    gaps.identifiers(work);
    gaps.named("/title", &project.title);
    let mut described =
        [&project.description, &project.objective, &project.target_group].into_iter();
    if !described.any(|text| text.as_ref().is_some_and(is_told)) {
        gaps.add("/description", "xsd:description", "An activity has a description.");
    }
    gaps.parties(work);
    if project.status.is_none() {
        let detail = "An activity has a status.";
        gaps.add("/status", "xsd:activity-status", detail);
    }
    gaps.dates(project, today);
    gaps.places(project);
    gaps.sectors(project);
    if let Some(iati) = work.iati() {
        gaps.codes(iati);
    }
    gaps.money(work, today);
    gaps.results(work);
    gaps.0
}

/// What an event lacks to be told as an activity of its own.
pub(in super::super) fn of_event(event: &Event<'_>, today: NaiveDate) -> Vec<Gap> {
    let mut gaps = Gaps(Vec::new());
    gaps.named("/title", &event.label);
    match event.first_day() {
        None => {
            let detail = "An activity has a start that is known to the day.";
            gaps.add("/starts_on", "6.11.1", detail);
        }
        Some(first) if event.status == EventStatus::Held => {
            let last = event.last_day().unwrap_or(first);
            gaps.not_yet(Some(first), today, "/starts_on", "11.1.3");
            gaps.not_yet(Some(last), today, "/ends_on", "11.1.4");
        }
        Some(_) => {}
    }
    gaps.0
}

struct Gaps(Vec<Gap>);

impl Gaps {
    fn add(&mut self, pointer: impl Into<String>, rule: &'static str, detail: impl Into<String>) {
        self.0.push(Gap::new(pointer, rule, detail));
    }

    fn identifiers(&mut self, work: &Work) {
        let identifier = work.identifier();
        let at = "/iati/identifier";
        if identifier.is_empty() {
            self.add(at, "xsd:iati-identifier", "An activity has an identifier.");
        } else if identifier.contains(FORBIDDEN) {
            self.add(at, "1.1.3", "It may hold none of / & | ?.");
        }
        if let Some(twin) = &work.twin {
            let detail = format!("No two activities have the same identifier: {twin} has it too.");
            self.add(at, "hub:iati-identifier", detail);
        }
        let (at, rule) = ("/iati/reporting_org", "xsd:reporting-org");
        let Some((reporter, known)) = work.reporter() else {
            self.add(at, rule, "An activity names the organisation that reports it.");
            return;
        };
        self.agency(at, reporter);
        match known.map(|organisation| organisation.kind) {
            None => {
                let detail = "None of the parties of the project and of its grant arrangements has that iati_org_id.";
                self.add(at, rule, detail);
            }
            Some(None) => self.add(at, rule, "Of which kind that organisation is, is not known."),
            Some(Some(_)) => {}
        }
        if let Some(organisation) = known {
            self.named(at, &organisation.name);
        }
        if !identifier.is_empty() && !follows(identifier, reporter) {
            let detail =
                "It begins with the identifier of the organisation that reports, and a hyphen.";
            self.add("/iati/identifier", "1.1.21", detail);
        }
    }

    fn agency(&mut self, pointer: &str, reference: &str) {
        if !begins_with_agency(reference) {
            let detail = "It begins with the code of a registration agency, as in XM-DAC-41114.";
            self.add(pointer, "1.14.8", detail);
        }
        if reference.contains(FORBIDDEN) {
            self.add(pointer, "1.14.3", "It may hold none of / & | ?.");
        }
    }

    fn parties(&mut self, work: &Work) {
        let parties = work.project().parties.iter().enumerate();
        let mut told = 0;
        for (place, party) in parties.filter(|(_, party)| role(party.role).is_some()) {
            let known = work.organisations.get(&party.organisation_id.id());
            told += usize::from(known.is_some());
            self.reference(&format!("/parties/{place}/organisation_id"), known);
        }
        if told == 0 {
            let detail = "An activity has a party that funds it, answers for it, passes the money on or carries it out.";
            self.add("/parties", "xsd:participating-org", detail);
        }
    }

    fn reference(&mut self, pointer: &str, organisation: Option<&Organisation>) {
        let Some(organisation) = organisation else { return };
        match &organisation.iati_org_id {
            Some(known) => self.agency(pointer, known.as_str()),
            None => self.named(pointer, &organisation.name),
        }
    }

    /// What cannot be told without its name.
    fn named(&mut self, pointer: &str, name: &Text) {
        if !is_told(name) {
            self.add(
                pointer,
                "xsd:narrative",
                "It has a name in a language that the codelist has.",
            );
        }
    }

    fn dates(&mut self, project: &Project, today: NaiveDate) {
        let known = |date: &Option<PartialDate>| date.as_ref().and_then(day);
        let (start, planned) = (known(&project.actual_start), known(&project.planned_start));
        if start.is_none() && planned.is_none() {
            let detail = "An activity has a planned or an actual start that is known to the day.";
            self.add("/actual_start", "6.11.1", detail);
        }
        let end = known(&project.actual_end);
        self.not_yet(start, today, "/actual_start", "11.1.3");
        self.not_yet(end, today, "/actual_end", "11.1.4");
        for (start, end, pointer, rule) in [
            (planned, known(&project.planned_end), "/planned_end", "11.1.1"),
            (start, end, "/actual_end", "11.1.2"),
        ] {
            if start.zip(end).is_some_and(|(start, end)| end < start) {
                self.add(pointer, rule, "It ends before it starts.");
            }
        }
    }

    fn not_yet(&mut self, on: Option<NaiveDate>, today: NaiveDate, at: &str, rule: &'static str) {
        if on.is_some_and(|on| on > today) {
            self.add(at, rule, "What is told as having happened is not in the future.");
        }
    }

    fn places(&mut self, project: &Project) {
        match place(project) {
            Ok(Place::Country(_)) => {}
            Ok(Place::Region(region)) => {
                let (vocabulary, code) = (region.vocabulary.as_str(), region.code.as_str());
                if !REGION_VOCABULARY.holds(vocabulary) {
                    let detail = "No vocabulary of regions has that code.";
                    self.add("/iati/region/vocabulary", "codelist:RegionVocabulary", detail);
                }
                if vocabulary == "1" && !REGION.holds(code) {
                    let detail = "DAC has no region of that code.";
                    self.add("/iati/region/code", "9.68.1", detail);
                }
            }
            Err(0) => {
                let detail = "An activity benefits a country or a region.";
                self.add("/countries", "3.7.1", detail);
            }
            Err(_) => {
                let detail = "How much of it each country gets is not known: name the region that they are in.";
                self.add("/iati/region", "3.1.1", detail);
            }
        }
    }

    fn codes(&mut self, iati: &Iati) {
        for (pointer, rule, codelist, code) in [
            ("/iati/aid_type", "codelist:AidType", AID_TYPE, &iati.aid_type),
            ("/iati/finance_type", "codelist:FinanceType", FINANCE_TYPE, &iati.finance_type),
            ("/iati/flow_type", "codelist:FlowType", FLOW_TYPE, &iati.flow_type),
            ("/iati/tied_status", "codelist:TiedStatus", TIED_STATUS, &iati.tied_status),
        ] {
            if code.as_ref().is_some_and(|code| !codelist.holds(code.as_str())) {
                self.add(pointer, rule, "The codelist does not have that code.");
            }
        }
    }

    fn sectors(&mut self, project: &Project) {
        let sectors = project.iati.as_ref().map_or(&[][..], |iati| &iati.sectors);
        if sectors.is_empty() {
            self.add("/iati/sectors", "6.2.2", "An activity has a sector.");
        }
        let mut sums: BTreeMap<&str, (usize, Option<f64>)> = BTreeMap::new();
        for (place, sector) in sectors.iter().enumerate() {
            let (count, sum) = sums.entry(sector.vocabulary.as_str()).or_insert((0, Some(0.0)));
            *count += 1;
            *sum = sum.zip(sector.percentage).map(|(sum, percentage)| sum + percentage);
            if !SECTOR_VOCABULARY.holds(sector.vocabulary.as_str()) {
                let at = format!("/iati/sectors/{place}/vocabulary");
                let detail = "No vocabulary of sectors has that code.";
                self.add(at, "codelist:SectorVocabulary", detail);
            }
            let wrong = wrong_sector(sector.vocabulary.as_str(), sector.code.as_str());
            if let Some((rule, detail)) = wrong {
                self.add(format!("/iati/sectors/{place}/code"), rule, detail);
            }
        }
        for (vocabulary, (count, sum)) in sums {
            let whole = match sum {
                None => count == 1,
                Some(sum) => is_whole(sum),
            };
            if !whole {
                let detail =
                    format!("The percentages of vocabulary {vocabulary} do not sum to 100.");
                self.add("/iati/sectors", "2.1.1", detail);
            }
        }
    }

    fn results(&mut self, work: &Work) {
        // A result without a measure is not told.
        for (result, measures) in work.results.iter().filter(|(_, measures)| !measures.is_empty()) {
            self.named(&format!("/results/{}/title", result.id), &result.body.title);
            for one in measures {
                self.named(&format!("/indicators/{}/title", one.id), &one.indicator.title);
            }
        }
    }

    fn money(&mut self, work: &Work, today: NaiveDate) {
        for grant in &work.grants {
            let at = format!("/grant-arrangements/{}", grant.id);
            for (place, moved) in grant.body.transactions.iter().enumerate() {
                let pointer = format!("{at}/transactions/{place}");
                self.not_yet(Some(moved.on.day()), today, &format!("{pointer}/on"), "11.3.1");
                for (side, named) in
                    [("provider_id", &moved.provider_id), ("receiver_id", &moved.receiver_id)]
                {
                    let known = named.as_ref().and_then(|one| work.organisations.get(&one.id()));
                    self.reference(&format!("{pointer}/{side}"), known);
                }
            }
        }
    }
}

/// What no identifier may hold.
pub(super) const FORBIDDEN: [char; 4] = ['/', '&', '|', '?'];

/// Whether an identifier begins with the code of a registration agency, as in `XM-DAC-41114`.
pub(super) fn begins_with_agency(reference: &str) -> bool {
    let mut parts = reference.splitn(3, '-');
    let letters = |part: Option<&str>, least, most| {
        part.is_some_and(|part| {
            (least..=most).contains(&part.len())
                && part.bytes().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit())
        })
    };
    let agency = letters(parts.next(), 2, 3) && letters(parts.next(), 2, 12);
    agency && parts.next().is_some_and(|rest| !rest.is_empty())
}

/// Whether an activity is named after the organisation that reports it.
pub(super) fn follows(identifier: &str, reporter: &str) -> bool {
    let rest = identifier.strip_prefix(reporter).and_then(|rest| rest.strip_prefix('-'));
    rest.is_some_and(|rest| !rest.is_empty())
}

/// Whether percentages that sum to that are the whole.
pub(super) fn is_whole(sum: f64) -> bool {
    (sum - 100.0).abs() < 0.005
}

/// The rule that the code of a sector breaks, with what it asks for. Other vocabularies than those of DAC
/// are not known.
pub(super) fn wrong_sector(vocabulary: &str, code: &str) -> Option<(&'static str, &'static str)> {
    let (length, codelist) = match vocabulary {
        "1" => (5, "codelist:Sector"),
        "2" => (3, "codelist:SectorCategory"),
        _ => return None,
    };
    if code.len() != length || !code.bytes().all(|one| one.is_ascii_digit()) {
        return Some(("9.59.1", "A sector of DAC has a code of five digits, a category of three."));
    }
    let known = SECTOR_CATEGORY.holds(&code[..3]);
    (!known).then_some((codelist, "DAC has no sector and no category of sectors of that code."))
}

/// Where a project is.
pub(super) enum Place<'a> {
    Country(&'a str),
    Region(&'a IatiRegion),
}

/// Where a project is: in the one country that it is for, or else in its region, since how much each
/// of several countries gets is not known; without either, for how many countries it is.
pub(super) fn place(project: &Project) -> Result<Place<'_>, usize> {
    let countries: BTreeSet<&str> = beneficiaries(project).collect();
    let region = project.iati.as_ref().and_then(|iati| iati.region.as_ref());
    match (countries.first(), region) {
        (Some(country), _) if countries.len() == 1 => Ok(Place::Country(country)),
        (_, Some(region)) => Ok(Place::Region(region)),
        (_, None) => Err(countries.len()),
    }
}

/// The countries that a project is for.
pub(super) fn beneficiaries(project: &Project) -> impl Iterator<Item = &str> {
    let countries = project.countries.iter();
    let those = countries.filter(|one| one.role == ProjectCountryRole::Beneficiary);
    those.map(|one| one.country.as_str())
}
