//! What a project has reached by its results: as it was typed, or as the registry counts it.
use std::collections::HashMap;

use domain::{
    Indicator, IndicatorFilter, OneOf, ProjectResult, ProjectResultFilter, Qualifier, Record,
    protection::Told,
};
use persistence::{Count, Error, Moment, Wanted};
use uuid::Uuid;

/// What a result is measured by.
pub(crate) struct Measured {
    pub(crate) id: Uuid,
    pub(crate) indicator: Indicator,
    /// What was reached, by period.
    pub(crate) reached: Vec<Reached>,
}

/// What was reached in a period; nothing where it is not known or withheld.
pub(crate) struct Reached {
    pub(crate) value: Option<String>,
    pub(crate) qualifier: Option<Qualifier>,
}

/// The results of a project, each with what it is measured by: however much that is, the counts of a
/// project take the same number of queries.
pub(crate) async fn results(
    moment: &Moment,
    project: Uuid,
    smallest: u64,
) -> Result<Vec<(Record<ProjectResult>, Vec<Measured>)>, Error> {
    let filter = ProjectResultFilter { project: OneOf::key(project), ..Default::default() };
    let found = moment.all::<ProjectResult>(Wanted::all(filter)).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let result = OneOf(found.iter().flat_map(|one| OneOf::key(one.id).0).collect());
    let filter = IndicatorFilter { result, ..IndicatorFilter::default() };
    let indicators = moment.all::<Indicator>(Wanted::all(filter)).await?;
    let mut asked = Vec::new();
    for Record { body, .. } in &indicators {
        let counts = body.computed_from.into_iter().flat_map(|metric| {
            let periods = body.periods.iter().map(|period| (period.from.day(), period.to.day()));
            periods.map(move |(from, to)| Count { metric, project, from, to })
        });
        asked.extend(counts);
    }
    let mut counted = moment.counted(&asked, smallest).await?.into_iter();
    let mut by_result: HashMap<Uuid, Vec<Measured>> = HashMap::new();
    for Record { id, body: indicator, .. } in indicators {
        let counts = indicator.computed_from.is_some();
        let reached = indicator.periods.iter().map(|period| match counts {
            true => {
                let (value, qualifier) = counted.next().map_or((None, None), number);
                Reached { value: value.map(|value| value.to_string()), qualifier }
            }
            false => {
                let value = period.actual.as_ref().map(|value| value.as_str().to_owned());
                let qualifier = value.as_ref().map(|_| Qualifier::Exact);
                Reached { value, qualifier }
            }
        });
        let reached = reached.collect();
        let of = by_result.entry(indicator.result_id.id()).or_default();
        of.push(Measured { id, indicator, reached });
    }
    let results = found.into_iter().map(|one| {
        let measured = by_result.remove(&one.id).unwrap_or_default();
        (one, measured)
    });
    Ok(results.collect())
}

/// A number that may not be told as it is.
pub(crate) fn number(told: Told) -> (Option<u64>, Option<Qualifier>) {
    match told {
        Told::Exactly(number) => (Some(number), Some(Qualifier::Exact)),
        Told::AtLeast(0) => (None, None),
        Told::AtLeast(number) => (Some(number), Some(Qualifier::AtLeast)),
    }
}
