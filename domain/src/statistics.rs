//! What can be counted, by what, and what each figure means.
mod definitions;
mod words;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Text;
pub use words::in_words;

/// What statistics are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Seminars, workshops, webinars, conferences and launches.
    Seminars,
    /// Study visits.
    StudyVisits,
    /// Talks given at seminars.
    Presentations,
    /// The parts that people have in talks, and what they said outside of one.
    Speakers,
    /// The parts that organisations have in projects, seminars, study visits and talks.
    Organisations,
    /// People who are recorded as having taken part in a seminar or study visit.
    Participants,
    /// How many came to seminars and study visits, as it was published.
    Attendance,
    /// Money agreed, budgeted, received, passed on and spent under grant arrangements.
    Finance,
    /// What the indicators of results aim at and have reached, by period.
    Results,
}

/// What figures can be split by.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The year in which an event begins, an amount falls or a period ends, as in 2021.
    Year,
    /// The quarter of it, as in 2021-Q4.
    Quarter,
    /// The month of it, as in 2021-11.
    Month,
    /// The country, by its ISO 3166-1 alpha-2 code.
    Country,
    /// The region of that country, after the United Nations' M49 standard.
    Region,
    /// The topic, by its code.
    Topic,
    /// The kind: of a seminar, or study_visit; for results, output, outcome, impact or other.
    Kind,
    /// Whether it is planned, was held or is cancelled, and so on.
    Status,
    /// The project, by its slug.
    Project,
    /// The organisation, by its slug.
    Organisation,
    /// The kind of that organisation.
    OrganisationKind,
    /// The role.
    Role,
    /// The sex of participants.
    Sex,
    /// The seniority of participants.
    Seniority,
    /// Whether a certificate of a participant is recorded.
    Certified,
    /// What was counted: persons, organisations, countries or participating_countries.
    Metric,
    /// What became of the money: agreed, budgeted, promised, received, committed, disbursed, spent.
    Flow,
    /// The currency, by its ISO 4217 code.
    Currency,
}

/// How a figure is made from records.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many there are.
    Count,
    /// How many different ones there are.
    Distinct,
    /// How much it is altogether.
    Sum,
    /// How much it is in the middle: the sum by the number of records whose value is known.
    Average,
}

/// What a figure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// How it is made.
    pub measure: Measure,
    /// What one of it is.
    pub unit: &'static str,
    /// What it counts, in words.
    pub words: &'static str,
}

impl Definition {
    /// What one of it is.
    #[must_use]
    pub fn unit(&self) -> Text {
        in_words(self.unit)
    }

    /// What it counts.
    #[must_use]
    pub fn text(&self) -> Text {
        in_words(self.words)
    }
}

use Dimension::{
    Certified, Country, Currency, Flow, Kind, Metric, Month, Organisation, OrganisationKind,
    Project, Quarter, Region, Role, Seniority, Sex, Status, Topic, Year,
};
use Measure::{Average, Count, Distinct, Sum};

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 9] = [
        Self::Seminars,
        Self::StudyVisits,
        Self::Presentations,
        Self::Speakers,
        Self::Organisations,
        Self::Participants,
        Self::Attendance,
        Self::Finance,
        Self::Results,
    ];

    /// Its name in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seminars => "seminars",
            Self::StudyVisits => "study-visits",
            Self::Presentations => "presentations",
            Self::Speakers => "speakers",
            Self::Organisations => "organisations",
            Self::Participants => "participants",
            Self::Attendance => "attendance",
            Self::Finance => "finance",
            Self::Results => "results",
        }
    }

    /// The subject of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.name() == name)
    }

    /// What it is, in words.
    #[must_use]
    pub fn about(self) -> Text {
        in_words(self.sentence())
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Seminars => "Seminars, workshops, webinars, conferences and launches.",
            Self::StudyVisits => "Study visits.",
            Self::Presentations => "Talks given at seminars.",
            Self::Speakers => {
                "The parts that people have in talks, and what they said outside of one."
            }
            Self::Organisations => {
                "The parts that organisations have in projects, grant arrangements, seminars, study visits and talks."
            }
            Self::Participants => {
                "People who are recorded as having taken part in a seminar or study visit. Small numbers are withheld from the public, and what would reveal them; the public may split or filter by one of sex, seniority, certified, organisation_kind and country or region at a time."
            }
            Self::Attendance => {
                "How many came to seminars and study visits, as it was published; what participant records count stands beside it under participants."
            }
            Self::Finance => {
                "Money under grant arrangements, each currency and each flow apart. Figures that were told of initiatives are no project money and never among them."
            }
            Self::Results => "What the indicators of results aim at and have reached, by period.",
        }
    }

    /// What its figures can be split and filtered by.
    #[must_use]
    pub fn dimensions(self) -> &'static [Dimension] {
        match self {
            Self::Seminars => &[
                Year,
                Quarter,
                Month,
                Country,
                Region,
                Topic,
                Kind,
                Status,
                Project,
                Organisation,
                OrganisationKind,
            ],
            Self::StudyVisits => &[
                Year,
                Quarter,
                Month,
                Country,
                Region,
                Topic,
                Status,
                Project,
                Organisation,
                OrganisationKind,
            ],
            Self::Presentations | Self::Speakers => &[
                Year,
                Quarter,
                Month,
                Country,
                Region,
                Topic,
                Kind,
                Project,
                Organisation,
                OrganisationKind,
                Role,
            ],
            Self::Organisations => &[
                Year,
                Quarter,
                Month,
                Country,
                Region,
                Kind,
                Project,
                Organisation,
                OrganisationKind,
                Role,
            ],
            Self::Participants => &[
                Year,
                Quarter,
                Month,
                Country,
                Region,
                Topic,
                Kind,
                Project,
                Organisation,
                OrganisationKind,
                Sex,
                Seniority,
                Certified,
            ],
            Self::Attendance => &[Year, Quarter, Month, Topic, Kind, Project, Metric],
            Self::Finance => {
                &[Year, Quarter, Month, Project, Organisation, OrganisationKind, Flow, Currency]
            }
            Self::Results => &[Year, Quarter, Month, Kind, Project],
        }
    }

    /// By what its figures are always split: what differs in it is never added up.
    #[must_use]
    pub fn kept_apart(self) -> &'static [Dimension] {
        match self {
            Self::Attendance => &[Metric],
            Self::Finance => &[Flow, Currency],
            _ => &[],
        }
    }

    /// Whether a record may be in several of the groups of a split by those.
    #[must_use]
    pub fn overlaps(self, split: &[Dimension]) -> bool {
        let several = |dimension: &Dimension| match dimension {
            Topic => true,
            Country | Region => {
                matches!(self, Self::Seminars | Self::StudyVisits | Self::Presentations)
            }
            Organisation | OrganisationKind => {
                matches!(self, Self::Seminars | Self::StudyVisits | Self::Presentations)
            }
            Role => self == Self::Presentations,
            _ => false,
        };
        split.iter().any(several)
    }

    /// Said where groups overlap.
    #[must_use]
    pub fn overlap_note() -> Text {
        in_words(
            "A record counts in each group that it belongs to, so groups may add up to more than the total.",
        )
    }

    /// Said of figures of participants.
    #[must_use]
    pub fn counted_note() -> Text {
        in_words(
            "Counted from participant records; how many came as it was published is told by the subject attendance, and the two are never mixed.",
        )
    }

    /// Said of figures that were published.
    #[must_use]
    pub fn published_note() -> Text {
        in_words(
            "As it was published; what participant records count is told by the subject participants, and the two are never mixed.",
        )
    }

    /// Said where something is withheld.
    #[must_use]
    pub fn withheld_note() -> Text {
        in_words(
            "Groups of few people are withheld, and others with them where they would reveal these; where withheld is true, the people of all such groups are counted together, or not told.",
        )
    }

    /// What its figures mean.
    #[must_use]
    pub fn definitions(self) -> &'static [Definition] {
        match self {
            Self::Seminars => definitions::SEMINARS,
            Self::StudyVisits => definitions::STUDY_VISITS,
            Self::Presentations => definitions::PRESENTATIONS,
            Self::Speakers => definitions::SPEAKERS,
            Self::Organisations => definitions::ORGANISATIONS,
            Self::Participants => definitions::PARTICIPANTS,
            Self::Attendance => definitions::ATTENDANCE,
            Self::Finance => definitions::FINANCE,
            Self::Results => definitions::RESULTS,
        }
    }
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 18] = [
        Year,
        Quarter,
        Month,
        Country,
        Region,
        Topic,
        Kind,
        Status,
        Project,
        Organisation,
        OrganisationKind,
        Role,
        Sex,
        Seniority,
        Certified,
        Metric,
        Flow,
        Currency,
    ];

    /// Its name in addresses, and of its column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Year => "year",
            Quarter => "quarter",
            Month => "month",
            Country => "country",
            Region => "region",
            Topic => "topic",
            Kind => "kind",
            Status => "status",
            Project => "project",
            Organisation => "organisation",
            OrganisationKind => "organisation_kind",
            Role => "role",
            Sex => "sex",
            Seniority => "seniority",
            Certified => "certified",
            Metric => "metric",
            Flow => "flow",
            Currency => "currency",
        }
    }

    /// The dimension of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    /// What it is, in words.
    #[must_use]
    pub fn about(self) -> Text {
        in_words(self.sentence())
    }

    /// That figures are split by it, in words.
    #[must_use]
    pub fn by(self) -> Text {
        in_words(&format!("by {}", self.name()))
    }

    fn sentence(self) -> &'static str {
        match self {
            Year => {
                "The year in which an event begins, an amount falls or a period ends, as in 2021."
            }
            Quarter => {
                "The quarter in which an event begins, an amount falls or a period ends, as in 2021-Q4."
            }
            Month => {
                "The month in which an event begins, an amount falls or a period ends, as in 2021-11."
            }
            Country => "The country, by its ISO 3166-1 alpha-2 code.",
            Region => "The region of the country, after the United Nations' M49 standard.",
            Topic => "The topic, by its code.",
            Kind => {
                "The kind of seminar, or study_visit; of results, output, outcome, impact or other."
            }
            Status => {
                "Whether it is planned, confirmed, held, postponed, rescheduled or cancelled."
            }
            Project => "The project, by its slug.",
            Organisation => {
                "The organisation, by its slug: of seminars, who has a part in holding them; of study visits, who is visited; of presentations and speakers, where they come from; of money, who gave it, where that is recorded."
            }
            OrganisationKind => "The kind of the organisation.",
            Role => "The role that somebody has.",
            Sex => "The sex of participants.",
            Seniority => "The seniority of participants.",
            Certified => "Whether a certificate of theirs is recorded: true or false.",
            Metric => {
                "What was counted: persons, organisations, countries or participating_countries."
            }
            Flow => {
                "What becomes of the money: agreed, budgeted, promised, received, committed, disbursed or spent."
            }
            Currency => "The currency, by its ISO 4217 code.",
        }
    }

    /// Whether it tells something of a person who took part.
    ///
    /// A country and its region are one fact, told coarsely or finely.
    #[must_use]
    pub fn is_personal(self) -> bool {
        matches!(
            self,
            Country | Region | Organisation | OrganisationKind | Sex | Seniority | Certified
        )
    }
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 4] = [Count, Distinct, Sum, Average];

    /// Its name in addresses, and of its column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Count => "count",
            Distinct => "distinct",
            Sum => "sum",
            Average => "average",
        }
    }

    /// Whether it is made from values, which may be unknown or bounds.
    #[must_use]
    pub fn has_values(self) -> bool {
        matches!(self, Sum | Average)
    }
}
