//! What the registry counts for indicators: of a project, between two days.
use chrono::NaiveDate;
use domain::{Dimension, EventStatus, RegistryMetric, Subject, protection::Told};
use sea_orm::{
    Condition, ConnectionTrait, ExprTrait, JoinType,
    entity::prelude::{Expr, Uuid},
    sea_query::{Func, Query, SelectStatement, SimpleExpr},
};

use super::question::{Asking, col, of_activity};
use crate::{Error, Moment, index::code, search::together};

/// What is to be counted.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// What.
    pub metric: RegistryMetric,
    /// Of which project.
    pub project: Uuid,
    /// From which day.
    pub from: NaiveDate,
    /// To which day.
    pub to: NaiveDate,
}

/// How many counts one statement makes: SQLite takes no more than 500.
const AT_ONCE: usize = 100;

impl Moment {
    /// Counts each of those, in their order; of people no more is told than the public may know.
    pub async fn counted(&self, counts: &[Count], smallest: u64) -> Result<Vec<Told>, Error> {
        let mut told = vec![Told::Exactly(0); counts.len()];
        let (people, others): (Vec<_>, Vec<_>) =
            (0..counts.len()).partition(|at| of_people(counts[*at].metric).is_some());
        for some in others.chunks(AT_ONCE) {
            let statements = some.iter().map(|at| self.number(*at, &counts[*at]));
            let Some(statement) = together(statements) else { continue };
            for row in self.tx().query_all(&statement).await? {
                let at: i32 = row.try_get_by_index(0)?;
                let number: i64 = row.try_get_by_index(1)?;
                let place = usize::try_from(at).ok().and_then(|at| told.get_mut(at));
                if let Some(place) = place {
                    *place = Told::Exactly(u64::try_from(number).unwrap_or(0));
                }
            }
        }
        let mut activities = vec![Vec::<Uuid>::new(); counts.len()];
        for some in people.chunks(AT_ONCE) {
            let statements = some.iter().map(|at| self.activities(*at, &counts[*at]));
            let Some(statement) = together(statements) else { continue };
            for row in self.tx().query_all(&statement).await? {
                let at: i32 = row.try_get_by_index(0)?;
                let place = usize::try_from(at).ok().and_then(|at| activities.get_mut(at));
                if let Some(place) = place {
                    place.push(row.try_get_by_index(1)?);
                }
            }
        }
        for at in people {
            let of = of_people(counts[at].metric).and_then(|of| of.first().copied());
            told[at] = self.protected_count(&activities[at], of, smallest).await?;
        }
        Ok(told)
    }

    /// The initiatives that were shared at the seminars of a project.
    pub async fn shared_initiatives(&self, project: Uuid, most: u64) -> Result<Vec<Uuid>, Error> {
        let shared = col("shared", "source_id").eq(col("it", "record_id"));
        let mut rows = Asking::seen_by(Subject::Presentations, self.sight()).into_rows();
        rows.join_as(
            JoinType::InnerJoin,
            "reference",
            "shared",
            shared.and(col("shared", "field").eq("/initiative_ids")),
        )
        .and_where(col("activity", "project_id").eq(project))
        .distinct()
        .expr(col("shared", "target_id"))
        .limit(most);
        let rows = self.tx().query_all(&rows).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// A statement that gives that place, and how many there are.
    fn number(&self, at: usize, count: &Count) -> SelectStatement {
        let held = || col("activity", "status").eq(code(Some(&EventStatus::Held)));
        let different = |what: SimpleExpr| SimpleExpr::from(Func::count_distinct(what));
        let all = || SimpleExpr::from(Func::count(Expr::cust("*")));
        let (subject, condition, number) = match count.metric {
            RegistryMetric::SeminarsHeld => (Some(Subject::Seminars), Some(held()), all()),
            RegistryMetric::StudyVisitsHeld => (Some(Subject::StudyVisits), Some(held()), all()),
            RegistryMetric::Presentations => (Some(Subject::Presentations), None, all()),
            RegistryMetric::Speakers => {
                (Some(Subject::Speakers), None, different(col("it", "person_id")))
            }
            _ => (None, None, different(col("country", "value"))),
        };
        let mut rows = match subject {
            Some(subject) => Asking::seen_by(subject, self.sight()).into_rows(),
            None => self.countries(),
        };
        rows.cond_where(within(count).add_option(condition)).exprs([place(at), number]).take()
    }

    /// The countries that are named of seminars and study visits.
    fn countries(&self) -> SelectStatement {
        let named = col("country", "record_id").eq(col("activity", "id"));
        Query::select()
            .from("activity")
            .join_as(
                JoinType::InnerJoin,
                "term",
                "country",
                named.and(col("country", "field").eq("/countries/country")),
            )
            .cond_where(of_activity(self.sight()))
            .take()
    }

    /// A statement that gives that place beside each seminar and study visit that is meant.
    fn activities(&self, at: usize, count: &Count) -> SelectStatement {
        Query::select()
            .from("activity")
            .cond_where(of_activity(self.sight()))
            .cond_where(within(count))
            .exprs([place(at), col("activity", "id")])
            .take()
    }
}

fn place(at: usize) -> SimpleExpr {
    Expr::val(i32::try_from(at).unwrap_or(i32::MAX)).cast_as("integer")
}

fn within(count: &Count) -> Condition {
    let starts = || col("activity", "starts_on");
    Condition::all()
        .add(col("activity", "project_id").eq(count.project))
        .add(starts().gte(count.from))
        .add(starts().lte(count.to))
}

/// Of which people a metric counts, if it counts people who took part: of all of them, or of those
/// of one category.
fn of_people(metric: RegistryMetric) -> Option<&'static [(Dimension, &'static str)]> {
    match metric {
        RegistryMetric::Participants => Some(&[]),
        RegistryMetric::ParticipantsCertified => Some(&[(Dimension::Certified, "true")]),
        RegistryMetric::ParticipantsFemale => Some(&[(Dimension::Sex, "female")]),
        _ => None,
    }
}
