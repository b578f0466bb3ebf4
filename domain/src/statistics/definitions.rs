//! What each figure means.
use super::{
    Definition, Measure,
    Measure::{Average, Count, Distinct, Sum},
};

const fn of(measure: Measure, unit: &'static str, words: &'static str) -> Definition {
    Definition { measure, unit, words }
}

pub(super) const SEMINARS: &[Definition] = &[
    of(
        Count,
        "seminars",
        "Seminars, workshops, webinars, conferences and launches, each once, whatever their status.",
    ),
    of(Distinct, "projects", "Projects that hold them, each once."),
    of(Sum, "days", "Days from the first to the last, of those of which both are known."),
    of(
        Average,
        "days",
        "Days from the first to the last, by the number of those of which both are known.",
    ),
];

pub(super) const STUDY_VISITS: &[Definition] = &[
    of(Count, "study visits", "Study visits, each once, whatever their status."),
    of(Distinct, "projects", "Projects that hold them, each once."),
    of(Sum, "days", "Days from the first to the last, of those of which both are known."),
    of(
        Average,
        "days",
        "Days from the first to the last, by the number of those of which both are known.",
    ),
];

pub(super) const PRESENTATIONS: &[Definition] = &[
    of(Count, "presentations", "Presentations, each once, however many spoke."),
    of(Distinct, "seminars", "Seminars at which they were given, each once."),
];

pub(super) const SPEAKERS: &[Definition] = &[
    of(
        Count,
        "parts",
        "Parts in presentations, as announced at the time, and words that are kept from outside of one: who speaks twice counts twice.",
    ),
    of(
        Distinct,
        "people",
        "People who have a part in presentations, or whose words are kept from outside of one, each once.",
    ),
];

pub(super) const ORGANISATIONS: &[Definition] = &[
    of(
        Count,
        "parts",
        "Parts that organisations have: as a party of a project or a grant arrangement, as an organiser of a seminar, as a stop of a study visit, or as where a speaker came from; each part counts.",
    ),
    of(
        Distinct,
        "organisations",
        "Organisations that have a part in projects, grant arrangements, seminars, study visits or talks, each once.",
    ),
];

pub(super) const PARTICIPANTS: &[Definition] = &[
    of(
        Count,
        "participations",
        "People recorded as having taken part, once for each seminar or study visit; nobody is counted who is not recorded.",
    ),
    of(Sum, "days", "Days attended, of those of whom they are known."),
    of(Average, "days", "Days attended, by the number of those of whom they are known."),
];

pub(super) const ATTENDANCE: &[Definition] = &[
    of(
        Count,
        "published numbers",
        "Numbers that were published, one for each seminar or study visit and each thing counted; of people also one that is not known, for each that was held and of which none was published.",
    ),
    of(
        Sum,
        "as the metric says",
        "The published numbers together; who came to two seminars is in both. Where one is not known, or was published as more than a number or at least a number, so is the sum.",
    ),
    of(Average, "as the metric says", "The published numbers together, by how many they are."),
];

pub(super) const FINANCE: &[Definition] = &[
    of(
        Count,
        "amounts",
        "Amounts of agreements, budgets and transactions; of an agreement also one that is not known, without a currency.",
    ),
    of(
        Sum,
        "the currency of the row",
        "Money: agreed is what was signed, in the year of the signature, not what is only negotiated; a budget counts in the year of its first day, a revised one in place of each original one that it shares a day with; a transaction in that of its day.",
    ),
    of(Average, "the currency of the row", "Money, by the number of amounts."),
];

pub(super) const RESULTS: &[Definition] = &[
    of(
        Count,
        "periods",
        "Periods of indicators, and indicators that have none; by the year in which a period ends.",
    ),
    of(Distinct, "indicators", "Indicators, each once."),
    of(
        Average,
        "per cent",
        "The way from the baseline to the target that the actual value has gone, in per cent, of the periods for which all three are known as numbers that were typed.",
    ),
];
