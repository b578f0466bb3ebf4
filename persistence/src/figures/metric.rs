//! What the registry counts for indicators: of a project, between two days.
use chrono::NaiveDate;
use domain::{Dimension, EventStatus, RegistryMetric, Subject, protection::Told};
use sea_orm::{
    Condition, ConnectionTrait, ExprTrait, JoinType,
    entity::prelude::{Expr, Uuid},
    sea_query::{CaseStatement, Func, Order, Query, SelectStatement, SimpleExpr},
};

use super::question::{Asking, col, of_activity};
use crate::{Error, Moment, index::code, search::together, tally::Within};

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
    /// Counts each of those, in their order: what surely begins between the days, as a lower bound
    /// where something else may have begun between them, too. Countries are those that are named, and
    /// there may be others wherever anything was held. Of people no more is told than the public
    /// may know, and nothing where nobody is recorded: that does not say that nobody came. Nor is
    /// anything told of days that are all to come.
    pub async fn counted(&self, counts: &[Count], smallest: u64) -> Result<Vec<Told>, Error> {
        let mut told = vec![Told::AtLeast(0); counts.len()];
        let begun = (0..counts.len()).filter(|at| counts[*at].from <= self.today());
        let (people, others): (Vec<_>, Vec<_>) =
            begun.partition(|at| of_people(counts[*at].metric).is_some());
        for some in others.chunks(AT_ONCE) {
            let statements = some.iter().map(|at| self.number(*at, &counts[*at]));
            let Some(statement) = together(statements) else { continue };
            for row in self.tx().query_all(&statement).await? {
                let (at, number): (i32, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                let others: i64 = row.try_get_by_index(2)?;
                let place = usize::try_from(at).ok().and_then(|at| told.get_mut(at));
                if let Some(place) = place {
                    let number = u64::try_from(number).unwrap_or(0);
                    *place = if others > 0 { Told::AtLeast(number) } else { Told::Exactly(number) };
                }
            }
        }
        let mut activities = vec![(Vec::<Uuid>::new(), false); counts.len()];
        for some in people.chunks(AT_ONCE) {
            let statements = some.iter().map(|at| self.activities(*at, &counts[*at]));
            let Some(statement) = together(statements) else { continue };
            for row in self.tx().query_all(&statement).await? {
                let at: i32 = row.try_get_by_index(0)?;
                let place = usize::try_from(at).ok().and_then(|at| activities.get_mut(at));
                let Some((surely, perhaps)) = place else { continue };
                match row.try_get_by_index::<Option<Uuid>>(1)? {
                    Some(activity) => surely.push(activity),
                    None => *perhaps = true,
                }
            }
        }
        for at in people {
            let of = of_people(counts[at].metric).and_then(|of| of.first().copied());
            let (surely, perhaps) = &activities[at];
            told[at] = match self.protected_count(surely, of, smallest).await? {
                Told::Exactly(0) => Told::AtLeast(0),
                Told::Exactly(number) if *perhaps => Told::AtLeast(number),
                other => other,
            };
        }
        Ok(told)
    }

    /// The initiatives that were shared at the seminars of a project.
    pub async fn shared_initiatives(&self, project: Uuid, most: u64) -> Result<Vec<Uuid>, Error> {
        let shared = col("shared", "source_id").eq(col("it", "record_id"));
        let mut rows =
            Asking::seen_by(Subject::Presentations, self.sight(), Within::Everything).into_rows();
        rows.join_as(
            JoinType::InnerJoin,
            "reference",
            "shared",
            shared.and(col("shared", "field").eq("/initiative_ids")),
        )
        .and_where(col("activity", "project_id").eq(project))
        .distinct()
        .expr(col("shared", "target_id"))
        .order_by_expr(col("shared", "target_id"), Order::Asc)
        .limit(most);
        let rows = self.tx().query_all(&rows).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// A statement that gives that place, how many there are, and how many more rows may be of it.
    fn number(&self, at: usize, count: &Count) -> SelectStatement {
        let (subject, what, each_once) = match count.metric {
            RegistryMetric::SeminarsHeld => (Some(Subject::Seminars), col("activity", "id"), false),
            RegistryMetric::StudyVisitsHeld => {
                (Some(Subject::StudyVisits), col("activity", "id"), false)
            }
            RegistryMetric::Presentations => {
                (Some(Subject::Presentations), col("it", "record_id"), false)
            }
            RegistryMetric::Speakers => (Some(Subject::Speakers), col("it", "person_id"), true),
            _ => (None, col("country", "value"), true),
        };
        let mut rows = match subject {
            Some(subject) => Asking::seen_by(subject, self.sight(), Within::Everything).into_rows(),
            None => self.countries(),
        };
        let counted: SimpleExpr = CaseStatement::new().case(surely(count), what).into();
        let others: SimpleExpr = match subject {
            Some(_) => CaseStatement::new().case(surely(count).not(), 1).into(),
            // Whatever was held may have had others than those that are named.
            None => Expr::val(1),
        };
        let number = if each_once { Func::count_distinct(counted) } else { Func::count(counted) };
        rows.cond_where(perhaps_within(count))
            .and_where(was_held())
            .exprs([place(at), number.into(), Func::count(others).into()])
            .take()
    }

    /// Seminars and study visits, each beside the countries that are named of it, if any are.
    fn countries(&self) -> SelectStatement {
        let named = col("country", "record_id").eq(col("activity", "id"));
        Query::select()
            .from("activity")
            .join_as(
                JoinType::LeftJoin,
                "term",
                "country",
                named.and(col("country", "field").eq("/countries/country")),
            )
            .cond_where(of_activity(self.sight()))
            .take()
    }

    /// A statement that gives that place beside each seminar and study visit that is meant, and beside
    /// none where one may be meant.
    fn activities(&self, at: usize, count: &Count) -> SelectStatement {
        let meant = CaseStatement::new().case(surely(count), col("activity", "id"));
        Query::select()
            .from("activity")
            .cond_where(of_activity(self.sight()))
            .cond_where(perhaps_within(count))
            .cond_where(surely(count).or(was_held()))
            .distinct()
            .exprs([place(at), meant.into()])
            .take()
    }
}

fn place(at: usize) -> SimpleExpr {
    Expr::val(i32::try_from(at).unwrap_or(i32::MAX)).cast_as("integer")
}

fn was_held() -> SimpleExpr {
    col("activity", "status").eq(code(Some(&EventStatus::Held)))
}

/// What may begin between the days; where nothing is known of its year, between any.
fn perhaps_within(count: &Count) -> Condition {
    let (starts_on, starts_by) = (col("activity", "starts_on"), col("activity", "starts_by"));
    let overlaps = starts_on.clone().lte(count.to).and(starts_by.gte(count.from));
    Condition::all()
        .add(col("activity", "project_id").eq(count.project))
        .add(starts_on.is_null().or(overlaps))
}

/// That it begins between the days, whichever day its date may mean.
fn surely(count: &Count) -> SimpleExpr {
    let (starts_on, starts_by) = (col("activity", "starts_on"), col("activity", "starts_by"));
    // Written so that it is false, and not unknown, where no date is known.
    starts_on.clone().is_not_null().and(starts_on.gte(count.from)).and(starts_by.lte(count.to))
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
