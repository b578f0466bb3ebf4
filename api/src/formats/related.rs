//! What events are told with: the records that they refer to, and their programmes.
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, FixedOffset, NaiveDate};
use domain::{
    GrantArrangement, GrantArrangementFilter, GrantCapacity, Key, OneOf, Organisation, Person,
    Presentation, PresentationFilter, Project, ProjectPartyRole, Record, Ref, Resource, Seminar,
    SeminarSeries, Session, SessionFilter, Text, Topic, TopicCode,
};
use persistence::{Basis, Error, Moment, Stored, Wanted};
use uuid::Uuid;

use super::event::Event;

/// The records that some events are told with.
#[derive(Default)]
pub(crate) struct Related {
    pub(crate) organisations: HashMap<Uuid, Organisation>,
    pub(crate) people: HashMap<Uuid, Person>,
    pub(crate) series: HashMap<Uuid, SeminarSeries>,
    pub(crate) projects: HashMap<Uuid, Project>,
    /// In the order of the programme, by seminar.
    pub(crate) presentations: HashMap<Uuid, Vec<Record<Presentation>>>,
    pub(crate) sessions: HashMap<Uuid, Session>,
    /// Who pays, by project.
    funders: HashMap<Uuid, Vec<Uuid>>,
    topics: HashMap<String, Text>,
    /// On which day those began that have no day any more.
    last_days: HashMap<Uuid, NaiveDate>,
}

impl Related {
    /// What the topics of events are told from.
    pub(crate) fn basis_of_topics() -> Basis {
        Basis::of::<Topic>()
    }

    /// What all that events are told with is told from: in the end from records of all kinds.
    pub(crate) fn basis() -> Basis {
        Basis::records()
    }

    /// The topics of some events, and nothing else.
    pub(crate) async fn topics_of(moment: &Moment, events: &[Event<'_>]) -> Result<Self, Error> {
        let mut related = Self::default();
        related.add_topics(moment, events).await?;
        Ok(related)
    }

    /// What some events of a calendar are told with.
    pub(crate) async fn of_calendar<R: Stored>(
        moment: &Moment,
        events: &[Event<'_>],
    ) -> Result<Self, Error> {
        let mut related = Self::topics_of(moment, events).await?;
        let no_day = events.iter().filter(|event| event.first_day().is_none());
        related.last_days = moment.last_days::<R>(no_day.map(|event| event.id)).await?;
        Ok(related)
    }

    /// All that some events are told with: the same number of queries, however many they are.
    pub(crate) async fn of(moment: &Moment, events: &[Event<'_>]) -> Result<Self, Error> {
        let mut related = Self::topics_of(moment, events).await?;
        related.add(moment, events).await?;
        Ok(related)
    }

    async fn add_topics(&mut self, moment: &Moment, events: &[Event<'_>]) -> Result<(), Error> {
        let codes = events.iter().flat_map(|event| event.topics);
        let codes: BTreeSet<String> = codes.map(|code| code.as_str().to_owned()).collect();
        let found = moment.of_keys::<Topic>(codes).await?;
        let label = |topic: Record<Topic>| (topic.body.code.as_str().to_owned(), topic.body.label);
        self.topics.extend(found.into_iter().map(label));
        Ok(())
    }

    async fn add(&mut self, moment: &Moment, events: &[Event<'_>]) -> Result<(), Error> {
        let series = events.iter().filter_map(|event| event.series);
        self.series.extend(moment.by_id(series).await?);
        let projects: BTreeSet<Uuid> = events.iter().map(|event| event.project).collect();
        self.add_funders(moment, &projects).await?;

        let seminars = events.iter().filter(|event| event.collection == Seminar::COLLECTION);
        let seminars: BTreeSet<Uuid> = seminars.map(|event| event.id).collect();
        if !seminars.is_empty() {
            let seminar = keys(&seminars);
            let filter = SessionFilter { seminar: seminar.clone(), ..SessionFilter::default() };
            let sessions = moment.all::<Session>(Wanted::all(filter)).await?;
            self.sessions.extend(sessions.into_iter().map(|one| (one.id, one.body)));
            let filter = PresentationFilter { seminar, ..PresentationFilter::default() };
            for one in moment.all::<Presentation>(Wanted::all(filter)).await? {
                self.presentations.entry(one.body.seminar_id.id()).or_default().push(one);
            }
        }
        for talks in self.presentations.values_mut() {
            let sessions = &self.sessions;
            talks.sort_by_key(|talk| {
                let session = talk.body.session_id.as_ref().and_then(|id| sessions.get(&id.id()));
                let place = session.map(|session| (session.day.number(), session.order));
                (place.is_none(), place, talk.body.order, talk.id)
            });
        }

        let talks = seminars.iter().filter_map(|id| self.presentations.get(id)).flatten();
        let speakers: Vec<_> = talks.flat_map(|talk| &talk.body.speakers).collect();
        let organisers = events.iter().flat_map(|event| event.organisers);
        let stops = events.iter().flat_map(|event| event.stops);
        let funders = projects.iter().filter_map(|id| self.funders.get(id)).flatten().copied();
        let organisations = speakers
            .iter()
            .filter_map(|one| one.organisation_id.as_ref())
            .chain(organisers.map(|one| &one.organisation_id))
            .chain(stops.map(|one| &one.organisation_id))
            .map(Ref::id)
            .chain(funders);
        let organisations = moment.by_id(organisations).await?;
        let people = moment.by_id(speakers.iter().map(|one| one.person_id.id())).await?;
        self.add_above(moment, organisations).await?;
        self.people.extend(people);
        Ok(())
    }

    /// Adds organisations, and whatever they are parts of.
    async fn add_above(
        &mut self,
        moment: &Moment,
        mut found: HashMap<Uuid, Organisation>,
    ) -> Result<(), Error> {
        while !found.is_empty() {
            let above = found.values().filter_map(|one| one.parent_id.as_ref()).map(Ref::id);
            let above: BTreeSet<Uuid> = above.collect();
            self.organisations.extend(found);
            let unread = above.into_iter().filter(|id| !self.organisations.contains_key(id));
            let unread: Vec<_> = unread.collect();
            if unread.is_empty() {
                break;
            }
            found = moment.by_id(unread).await?;
        }
        Ok(())
    }

    /// Who gives the money: the grantors of the arrangements, and whom the project names as paying.
    async fn add_funders(
        &mut self,
        moment: &Moment,
        projects: &BTreeSet<Uuid>,
    ) -> Result<(), Error> {
        let filter =
            GrantArrangementFilter { project: keys(projects), ..GrantArrangementFilter::default() };
        for grant in moment.all::<GrantArrangement>(Wanted::all(filter)).await? {
            let grantors = grant.body.parties.iter();
            let grantors = grantors.filter(|party| party.capacity == GrantCapacity::Grantor);
            let funders = self.funders.entry(grant.body.project_id.id()).or_default();
            funders.extend(grantors.map(|party| party.organisation_id.id()));
        }
        self.projects.extend(moment.by_id(projects.iter().copied()).await?);
        for (id, project) in &self.projects {
            let pays = |role| matches!(role, ProjectPartyRole::Funder | ProjectPartyRole::Grantor);
            let parties = project.parties.iter().filter(|party| pays(party.role));
            let funders = self.funders.entry(*id).or_default();
            funders.extend(parties.map(|party| party.organisation_id.id()));
            let mut seen = BTreeSet::new();
            funders.retain(|funder| seen.insert(*funder));
        }
        Ok(())
    }

    /// The topics of an event, each with what it is called.
    pub(crate) fn topics<'a>(
        &'a self,
        event: &Event<'a>,
    ) -> impl Iterator<Item = (&'a str, &'a Text)> {
        let codes = event.topics.iter().map(TopicCode::as_str);
        codes.filter_map(|code| Some((code, self.topics.get(code)?)))
    }

    /// The day on which an event began that has none any more.
    pub(crate) fn last_day(&self, event: &Event<'_>) -> Option<NaiveDate> {
        self.last_days.get(&event.id).copied()
    }

    /// At which hour the first session of the first day of an event begins, and the last of its last day
    /// ends, each where it is known.
    pub(crate) fn hours(&self, event: &Event<'_>) -> [Option<DateTime<FixedOffset>>; 2] {
        let known = || {
            let (first, zone) = (event.first_day()?, event.time_zone?);
            let mut sessions: Vec<_> =
                self.sessions.values().filter(|one| one.seminar_id.id() == event.id).collect();
            sessions.sort_by_key(|one| (one.day.number(), one.order));
            let on = |day| sessions.iter().filter(move |one| one.day.number() == day);
            let start = on(1).next().and_then(|one| zone.at(first, one.starts_at.as_ref()?));
            let last = event.last_day();
            let end = last.and_then(|last| {
                let one = on((last - first).num_days() + 1).next_back()?;
                zone.at(last, one.ends_at.as_ref()?)
            });
            Some([start, end])
        };
        known().unwrap_or_default()
    }

    /// Who pays for an event.
    pub(crate) fn funders(&self, event: &Event<'_>) -> &[Uuid] {
        self.funders.get(&event.project).map_or(&[], Vec::as_slice)
    }
}

fn keys(ids: &BTreeSet<Uuid>) -> OneOf<Key> {
    OneOf(ids.iter().flat_map(|id| OneOf::key(*id).0).collect())
}
