//! The figures, as the database tells them.
use std::collections::HashMap;

use domain::{Dimension, Organisation, Project, Qualifier, Resource, Text, Topic};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, entity::prelude::Uuid,
};

use super::{Among, LOW, MICROS, Question, Value, question::BOUNDS};
use crate::{
    Basis, Error, Moment, Sight, Stored, Wanted,
    list::{condition, id_column},
    record,
    tally::{Counted, Numbers},
};

/// How many groups one answer has at most.
pub const MOST_GROUPS: usize = 10_000;

/// The figures of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figure {
    /// The values of the group, in the order of the columns; none where it is not known.
    pub groups: Vec<Option<String>>,
    /// How many there are; none where it is withheld.
    pub count: Option<i64>,
    /// How that is to be understood.
    pub counted: Option<Qualifier>,
    /// How many different ones there are.
    pub different: Option<i64>,
    /// Of how many the value is known.
    pub known: i64,
    /// The sum of the values, in millionths; none where none is known.
    pub micros: Option<i128>,
    /// How the values that are known are to be understood, together.
    pub qualifier: Option<Qualifier>,
    /// Whether the people in it are told of together, since telling of each group would tell of
    /// single people.
    pub withheld: bool,
}

impl Figure {
    /// The sum of the values that are known by how many they are, in millionths, rounded.
    #[must_use]
    pub fn average(&self) -> Option<i128> {
        let (sum, known) = (self.micros?, i128::from(self.known));
        let half = known / 2 * sum.signum();
        (sum + half).checked_div(known)
    }

    /// How the sum is to be understood: what is missing would only add to it.
    #[must_use]
    pub fn of_sum(&self) -> Option<Qualifier> {
        let missing = self.count.is_some_and(|count| count > self.known);
        self.qualifier.map(|qualifier| match qualifier {
            Qualifier::Exact if missing => Qualifier::AtLeast,
            Qualifier::LessThan | Qualifier::AtMost if missing => Qualifier::About,
            other => other,
        })
    }
}

/// The figures of all groups.
pub struct Figures {
    /// By what they are split, in the order of their values.
    pub columns: Vec<Dimension>,
    /// The figures of each group, in the order of their values; what is not known comes last.
    pub rows: Vec<Figure>,
    /// The figures without a split, beside what is always kept apart.
    pub totals: Vec<Figure>,
    /// Whether there were more groups than one answer has.
    pub too_many: bool,
}

impl Moment {
    /// What the records of those slugs are called in prose, if the values of a dimension are records.
    pub async fn labels(
        &self,
        dimension: Dimension,
        slugs: Vec<String>,
    ) -> Result<HashMap<String, Text>, Error> {
        let collection = match dimension {
            Dimension::Topic => Topic::COLLECTION,
            Dimension::Project => Project::COLLECTION,
            Dimension::Organisation => Organisation::COLLECTION,
            _ => return Ok(HashMap::new()),
        };
        self.rests_on(|| Basis::collection(collection));
        let rows: Vec<(Option<String>, String)> = record::Entity::find()
            .select_only()
            .columns([record::Column::Slug, record::Column::Body])
            .filter(record::Column::Resource.eq(collection))
            .filter(record::Column::Slug.is_in(slugs))
            .into_tuple()
            .all(self.tx())
            .await?;
        let label = |(slug, body): (Option<String>, String)| {
            let body: serde_json::Value = serde_json::from_str(&body).ok()?;
            let name = ["label", "title", "name"].iter().find_map(|field| body.get(field))?;
            Some((slug?, serde_json::from_value(name.clone()).ok()?))
        };
        Ok(rows.into_iter().filter_map(label).collect())
    }

    /// The figures of a question, as far as who asks may see the records: always the same number of
    /// statements.
    pub async fn figures(&self, question: &Question) -> Result<Figures, Error> {
        let columns = question.columns();
        let tally = self.tally(&question.counting(self.sight())).await?;
        let mut rows = question.figures(&tally);
        let mut totals = if question.group_by.is_empty() {
            rows.clone()
        } else if question.is_in_one_group() {
            question.totals(&tally)
        } else {
            let whole = Question { group_by: Vec::new(), ..question.clone() };
            let tally = self.tally(&whole.counting(self.sight())).await?;
            whole.figures(&tally)
        };
        let too_many = rows.len() > MOST_GROUPS;
        rows.truncate(MOST_GROUPS);
        self.call_by_name(&columns, &mut rows).await?;
        for figures in [&mut rows, &mut totals] {
            figures.sort_by(|one, other| order(one).cmp(&order(other)));
        }
        Ok(Figures { columns, rows, totals, too_many })
    }

    /// The figures of participants as who keeps them sees them: of the projects that they are limited
    /// to, if they are.
    pub async fn own_figures(&self, question: &Question) -> Result<Figures, Error> {
        let limited = match self.sight() {
            Sight::Projects(projects) => {
                let projects = projects.iter().copied().chain([Uuid::nil()]).map(Value::Id);
                Some((Dimension::Project, projects.collect()))
            }
            _ => None,
        };
        let filters = question.filters.iter().cloned().chain(limited).collect();
        let own = Question {
            subject: question.subject,
            group_by: question.group_by.clone(),
            filters,
            among: question.among.clone(),
        };
        self.figures(&own).await
    }

    /// Puts what records are called in place of their ids.
    pub(super) async fn call_by_name(
        &self,
        columns: &[Dimension],
        rows: &mut [Figure],
    ) -> Result<(), Error> {
        let named: Vec<_> =
            columns.iter().enumerate().filter(|(_, column)| is_record(**column)).collect();
        let ids = rows.iter().flat_map(|row| named.iter().map(|(at, _)| &row.groups[*at]));
        let mut ids: Vec<Uuid> = ids.flatten().filter_map(|id| id.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut slugs = HashMap::new();
        for some in ids.chunks(MOST_GROUPS) {
            slugs.extend(record::names(self.tx(), some.to_vec()).await?);
        }
        for row in rows {
            for (at, _) in &named {
                let name = row.groups[*at].as_ref().and_then(|id| slugs.get(&id.parse().ok()?));
                if let Some(name) = name {
                    row.groups[*at] = Some(name.clone());
                }
            }
        }
        Ok(())
    }

    /// The records of a list, to narrow figures to.
    pub async fn among<R: Stored>(&self, wanted: &Wanted<R>) -> Result<Among, Error> {
        self.rests_on(|| wanted.basis(&[], false));
        let fits = condition(self.tx(), wanted, self.view()).await?;
        let rows = R::Index::find().select_only().column(id_column::<R>()).filter(fits);
        Ok(Among { ids: rows.into_query(), list: Some((R::COLLECTION, wanted.looks_up())) })
    }

    /// The records of those ids or slugs, to narrow figures to; of those that there are.
    pub async fn named(&self, collection: &str, keys: &[String]) -> Result<Vec<Value>, Error> {
        self.rests_on(|| Basis::collection(collection));
        let ids = keys.iter().filter_map(|key| Uuid::try_parse(key).ok());
        let fits = sea_orm::Condition::any()
            .add(record::Column::Id.is_in(ids))
            .add(record::Column::Slug.is_in(keys.iter().map(String::as_str)));
        let found: Vec<Uuid> = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::Resource.eq(collection))
            .filter(fits)
            .filter(self.sight().of_records())
            .into_tuple()
            .all(self.tx())
            .await?;
        let found = found.into_iter().map(Value::Id);
        // Nothing has this id: what is asked for and not there narrows to nothing.
        Ok(found.chain([Value::Id(Uuid::nil())]).collect())
    }
}

impl Question {
    /// The figures of each group; of none where there is nothing, unless nothing is split.
    pub(super) fn figures(&self, tally: &Counted) -> Vec<Figure> {
        let all = tally.each().map(|(groups, numbers)| self.figure(groups.to_vec(), &numbers));
        self.with_nothing(all, self.columns().is_empty())
    }

    /// The figures of all groups together, beside what is always kept apart.
    fn totals(&self, tally: &Counted) -> Vec<Figure> {
        let apart = self.subject.kept_apart();
        let columns = self.columns();
        let places = apart.iter().filter_map(|one| columns.iter().position(|other| other == one));
        let all = tally.together(&places.collect::<Vec<_>>()).into_iter();
        let all = all.map(|(groups, numbers)| self.figure(groups, &numbers));
        self.with_nothing(all, apart.is_empty())
    }

    /// Those that are of something, and that of nothing if there is one in any case.
    fn with_nothing(&self, all: impl Iterator<Item = Figure>, always: bool) -> Vec<Figure> {
        let mut all: Vec<_> = all.filter(|figure| figure.count != Some(0)).collect();
        if always && all.is_empty() {
            all.push(self.figure(Vec::new(), &Numbers::default()));
        }
        all
    }

    fn figure(&self, groups: Vec<Option<String>>, numbers: &Numbers) -> Figure {
        let number = |name| {
            let at = self.numbers().position(|one| one == name);
            at.and_then(|at| numbers.told.get(at).copied()).unwrap_or_default()
        };
        let [count, known, high, low, micro] =
            ["count", "known", "high", "low", "micro"].map(number);
        let [high, low, micro] = [high, low, micro].map(i128::from);
        let sum = (high * LOW + low) * MICROS + micro;
        Figure {
            groups,
            count: Some(count),
            counted: Some(Qualifier::Exact),
            different: Some(numbers.different),
            known,
            micros: (known > 0).then_some(sum),
            qualifier: (known > 0).then(|| together(BOUNDS.map(number))),
            withheld: false,
        }
    }
}

/// How a sum of numbers is to be understood, by how many of them are more than they say, at least
/// that, about that, less than that and at most that.
fn together([more, at_least, about, less, at_most]: [i64; 5]) -> Qualifier {
    match (more + at_least > 0, less + at_most > 0) {
        _ if about > 0 => Qualifier::About,
        (true, true) => Qualifier::About,
        (true, false) if more > 0 => Qualifier::MoreThan,
        (true, false) => Qualifier::AtLeast,
        (false, true) if less > 0 => Qualifier::LessThan,
        (false, true) => Qualifier::AtMost,
        (false, false) => Qualifier::Exact,
    }
}

/// Whether its values are records, told by their names.
pub(super) fn is_record(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Topic | Dimension::Project | Dimension::Organisation)
}

/// In which order rows are told.
pub(super) fn order(row: &Figure) -> Vec<(bool, Option<&str>)> {
    row.groups.iter().map(|value| (value.is_none(), value.as_deref())).collect()
}
