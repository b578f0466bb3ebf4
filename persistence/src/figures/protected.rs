//! Figures of participants for the public: no small group can be worked out from them.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, LazyLock},
};

use domain::{
    Country, Dimension, Qualifier, Subject,
    protection::{Category, Leaf, Protected, Table, Told},
};
use sea_orm::entity::prelude::Uuid;
use tokio::sync::Mutex;

use super::{
    Figure, Figures, MOST_GROUPS, Question,
    answer::{is_record, order},
    question::{Asking, basis_of, col},
};
use crate::{Error, Moment, Sight, tally::group};

/// Below this, how many people there are is not told, if nothing else is said.
pub const SMALLEST_COUNT: u64 = 5;

/// What the public may know of participants by one thing about them.
struct Known {
    protected: Protected,
    /// The number of each activity that has participants.
    activities: HashMap<Uuid, usize>,
    /// What each category is called; none for those of which it is not known.
    categories: Vec<Option<String>>,
}

/// The newest of those by database, by what is told of people and by the smallest count. They are
/// made again after every change of what they are made from.
type Kept = HashMap<(String, Dimension, u64), (i64, Arc<Known>)>;

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

impl Moment {
    /// The figures of participants that the public may know; of people, they are split and narrowed
    /// by one thing at most.
    pub async fn protected_figures(
        &self,
        question: &Question,
        smallest: u64,
    ) -> Result<Figures, Error> {
        let of_people = |dimension: &Dimension| dimension.is_personal();
        let filters = || question.filters.iter().filter(|(dimension, _)| of_people(dimension));
        let split = Split::of(&question.group_by);
        let asked = split.by.or_else(|| filters().next().map(|(dimension, _)| *dimension));
        let family = match asked {
            // A country and its region are one thing, told finely or coarsely.
            None | Some(Dimension::Region) => Dimension::Country,
            Some(other) => other,
        };
        let known = self.known(family, smallest).await?;
        let places = self.places(question).await?;
        let wanted = |category: &Option<String>| {
            filters().all(|(dimension, values)| {
                let value = called(*dimension, category.as_deref());
                value.is_some_and(|value| values.iter().any(|wanted| wanted.is(&value)))
            })
        };
        let groups = known.groups(split.by, wanted);
        let narrowed = filters().next().is_some();
        let mut rows = Vec::new();
        for (group, activities) in &places.by_group {
            let table = known.table(activities, &groups);
            let found = told(group, &split, &groups, &table, narrowed);
            rows.extend(found.into_iter().filter(|row| row.count != Some(0)));
        }
        let whole = known.groups(None, wanted);
        let table = known.table(&places.all, &whole);
        let mut totals = told(&[], &Split::default(), &whole, &table, narrowed);
        if totals.is_empty() {
            let counted = Some(Qualifier::Exact);
            totals.push(Figure { count: Some(0), counted, ..Figure::default() });
        }
        if question.group_by.is_empty() {
            rows.clone_from(&totals);
        }
        let too_many = rows.len() > MOST_GROUPS;
        rows.truncate(MOST_GROUPS);
        self.call_by_name(&question.group_by, &mut rows).await?;
        rows.sort_by(|one, other| order(one).cmp(&order(other)));
        Ok(Figures { columns: question.columns(), rows, totals, too_many })
    }

    /// How many people took part in those activities, as far as the public may know.
    pub async fn protected_count(
        &self,
        activities: &[Uuid],
        of: Option<(Dimension, &str)>,
        smallest: u64,
    ) -> Result<Told, Error> {
        let family = of.map_or(Dimension::Country, |(dimension, _)| dimension);
        let known = self.known(family, smallest).await?;
        let is = |category: &Option<String>| {
            of.is_none_or(|(_, wanted)| category.as_deref() == Some(wanted))
        };
        let groups = known.groups(None, is);
        let table = known.table(activities, &groups);
        Ok(table.groups.first().copied().unwrap_or(Told::Exactly(0)))
    }

    async fn known(&self, family: Dimension, smallest: u64) -> Result<Arc<Known>, Error> {
        self.rests_on(|| basis_of(Subject::Participants, [family]));
        let key = (self.database().to_owned(), family, smallest);
        let newest = self.people().await?;
        // Who comes while they are made waits for them.
        let mut kept = KEPT.lock().await;
        if let Some((position, known)) = kept.get(&key)
            && *position == newest
        {
            return Ok(known.clone());
        }
        let known = Arc::new(self.make_known(family, smallest).await?);
        kept.insert(key, (newest, known.clone()));
        Ok(known)
    }

    async fn make_known(&self, family: Dimension, smallest: u64) -> Result<Known, Error> {
        let whole = Question {
            subject: Subject::Participants,
            group_by: Vec::new(),
            filters: Vec::new(),
            among: None,
        };
        let mut rows = Vec::new();
        for within in self.spans().await? {
            let mut asking = whole.asking(&Sight::Public, within);
            let place = asking.place(family);
            let by = [
                col("activity", "year"),
                col("activity", "project_id"),
                col("activity", "month"),
                col("activity", "id"),
                place,
            ];
            for row in asking.grouped_by(self, by).await? {
                let (project, id): (Option<Uuid>, Uuid) =
                    (row.try_get_by_index(1)?, row.try_get_by_index(3)?);
                let [project, name] = [project, Some(id)].map(|id| id.map(|id| id.to_string()));
                let path = [row.try_get_by_index(0)?, project, row.try_get_by_index(2)?, name];
                let category: Option<String> = row.try_get_by_index(4)?;
                rows.push((path, category, id, row.try_get_by_index::<i64>(5)?));
            }
        }
        rows.sort_unstable();
        let names: BTreeSet<_> = rows.iter().map(|(_, category, ..)| category.clone()).collect();
        let categories: Vec<_> = names.into_iter().collect();
        let mut leaves: Vec<Leaf<Option<String>>> = Vec::new();
        let mut activities: HashMap<Uuid, usize> = HashMap::new();
        for (path, category, id, count) in rows {
            let number = categories.binary_search(&category).unwrap_or_default();
            let number = Category::try_from(number).unwrap_or(Category::MAX);
            let at = *activities.entry(id).or_insert_with(|| {
                leaves.push(Leaf { path: path.to_vec(), counts: BTreeMap::new() });
                leaves.len() - 1
            });
            *leaves[at].counts.entry(number).or_default() += u64::try_from(count).unwrap_or(0);
        }
        let protected = Protected::new(smallest, &leaves);
        Ok(Known { protected, activities, categories })
    }

    /// The activities of each group, as far as the public sees them.
    async fn places(&self, question: &Question) -> Result<Places, Error> {
        let filters = question.filters.iter().filter(|(dimension, _)| !dimension.is_personal());
        let of_activities = Question {
            subject: Subject::Participants,
            group_by: Vec::new(),
            filters: filters.cloned().collect(),
            among: question.among.clone(),
        };
        self.rests_on(|| question.basis());
        let columns = question.group_by.iter().copied();
        let columns: Vec<_> = columns.filter(|dimension| !dimension.is_personal()).collect();
        let mut places = Places::default();
        let mut all = BTreeSet::new();
        for within in self.spans().await? {
            let mut asking: Asking = of_activities.asking(&Sight::Public, within);
            let mut by = vec![col("activity", "id")];
            by.extend(columns.iter().map(|dimension| asking.place(*dimension)));
            for row in asking.grouped_by(self, by).await? {
                let id: Uuid = row.try_get_by_index(0)?;
                let values = columns.iter().zip(1..);
                let values = values.map(|(column, at)| group(&row, at, is_record(*column)));
                let values = values.collect::<Result<Vec<_>, _>>()?;
                places.by_group.entry(values).or_default().push(id);
                all.insert(id);
            }
        }
        places.all = all.into_iter().collect();
        Ok(places)
    }
}

/// By what of people figures are split.
#[derive(Default)]
struct Split {
    /// The finest that is asked for, from which the others follow.
    by: Option<Dimension>,
    /// The columns that tell of it, and their places.
    columns: Vec<(usize, Dimension)>,
}

impl Split {
    fn of(group_by: &[Dimension]) -> Self {
        let all = group_by.iter().copied().enumerate();
        let columns: Vec<_> = all.filter(|(_, dimension)| dimension.is_personal()).collect();
        let finest = columns.iter().find(|(_, dimension)| *dimension != Dimension::Region);
        let by = finest.or(columns.first()).map(|(_, dimension)| *dimension);
        Self { by, columns }
    }
}

/// The activities that are asked about.
#[derive(Default)]
struct Places {
    by_group: BTreeMap<Vec<Option<String>>, Vec<Uuid>>,
    all: Vec<Uuid>,
}

/// The categories that are told of together, by what they are called.
struct Group {
    name: Option<String>,
    categories: BTreeSet<Category>,
}

impl Known {
    /// The groups of a split by that, of the categories that are wanted; one group without a split.
    fn groups(
        &self,
        split: Option<Dimension>,
        wanted: impl Fn(&Option<String>) -> bool,
    ) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (category, number) in self.categories.iter().zip(0..) {
            if !wanted(category) {
                continue;
            }
            let name = split.and_then(|dimension| called(dimension, category.as_deref()));
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => {
                    group.categories.insert(number);
                }
                None => groups.push(Group { name, categories: BTreeSet::from([number]) }),
            }
        }
        groups
    }

    fn table(&self, of: &[Uuid], groups: &[Group]) -> Table {
        let leaves: Vec<usize> =
            of.iter().filter_map(|id| self.activities.get(id).copied()).collect();
        let sets: Vec<_> = groups.iter().map(|group| group.categories.clone()).collect();
        self.protected.table(&leaves, &sets)
    }
}

/// What a category is called by that dimension.
fn called(dimension: Dimension, category: Option<&str>) -> Option<String> {
    match dimension {
        Dimension::Region => Country::find(category?)?.region.clone(),
        _ => category.map(ToOwned::to_owned),
    }
}

/// The rows of a group of activities.
fn told(
    group: &[Option<String>],
    split: &Split,
    groups: &[Group],
    table: &Table,
    narrowed: bool,
) -> Vec<Figure> {
    let row = |of: Option<&Group>, told: Told, withheld: bool| {
        let mut values = group.to_vec();
        let name = of.and_then(|group| group.name.as_deref());
        for (at, dimension) in &split.columns {
            let value = match Some(*dimension) == split.by {
                true => name.map(ToOwned::to_owned),
                false => called(*dimension, name),
            };
            values.insert(*at, value);
        }
        let count = i64::try_from(told.number()).unwrap_or(i64::MAX);
        let (count, qualifier) = match told {
            Told::Exactly(_) => (Some(count), Some(Qualifier::Exact)),
            Told::AtLeast(0) => (None, None),
            Told::AtLeast(_) => (Some(count), Some(Qualifier::AtLeast)),
        };
        let withheld = withheld || count.is_none();
        Figure { groups: values, count, counted: qualifier, withheld, ..Figure::default() }
    };
    let Some(_) = split.by else {
        let told = match narrowed {
            // Narrowed to some categories, they are what is told together.
            true => table.groups.first().copied().unwrap_or(Told::Exactly(0)),
            false => table.total,
        };
        return vec![row(None, told, false)];
    };
    let known = groups.iter().zip(&table.groups).filter(|(_, told)| told.number() > 0);
    let mut rows: Vec<_> = known.map(|(group, told)| row(Some(group), *told, false)).collect();
    if narrowed {
        // What the others come to is not told of some categories, only that there may be some.
        if table.groups.contains(&Told::AtLeast(0)) {
            rows.push(row(None, Told::AtLeast(0), true));
        }
        return rows;
    }
    let whole = matches!(table.total, Told::Exactly(_));
    if table.rest > 0 || !whole {
        let told = if whole { Told::Exactly(table.rest) } else { Told::AtLeast(table.rest) };
        rows.push(row(None, told, true));
    }
    rows
}
