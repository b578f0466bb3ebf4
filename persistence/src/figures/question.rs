//! How figures are asked of the database: one statement for all groups, whatever is asked.
use std::collections::BTreeSet;

use domain::{
    Country, Dimension, GrantArrangement, Indicator, Measure, Organisation, Participant,
    Presentation, Project, ProjectResult, Resource, Seminar, Statement, StudyVisit, Subject, Topic,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryResult,
    QuerySelect, QueryTrait,
    entity::prelude::{Expr, Uuid},
    sea_query::{
        Alias, CaseStatement, ExprTrait, Func, IntoCondition, Query, SelectStatement, SimpleExpr,
    },
};

use super::answer::is_record;
use crate::{
    Basis, Error, Moment, Sight, record,
    tally::{Counting, Divided, Within},
};

/// What figures are wanted of.
#[derive(Clone)]
pub struct Question {
    /// What they are about.
    pub subject: Subject,
    /// What they are split by, beside what is always kept apart.
    pub group_by: Vec<Dimension>,
    /// What they are narrowed to: one of those values.
    pub filters: Vec<(Dimension, Vec<Value>)>,
    /// The records that they are narrowed to, as a list has them.
    pub among: Option<Among>,
}

/// The records of a list.
#[derive(Clone)]
pub struct Among {
    pub(crate) ids: SelectStatement,
    /// The list, and the collections of whose records any may change what is in it; none where it is
    /// just some records.
    pub(crate) list: Option<(&'static str, Basis)>,
}

impl Value {
    /// Whether it is that code or that id.
    pub(super) fn is(&self, value: &str) -> bool {
        match self {
            Self::Code(code) => code == value,
            Self::Id(id) => id.to_string() == value,
        }
    }
}

impl Among {
    /// Just those records.
    #[must_use]
    pub fn these(records: Vec<Value>) -> Self {
        let ids = records.into_iter().filter_map(|record| match record {
            Value::Id(id) => Some(id),
            Value::Code(_) => None,
        });
        let of = record::Entity::find().select_only().column(record::Column::Id);
        Self { ids: of.filter(record::Column::Id.is_in(ids)).into_query(), list: None }
    }
}

/// A value to narrow figures to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A code.
    Code(String),
    /// A record.
    Id(Uuid),
}

/// A statement that is being made, and what it has joined.
pub(super) struct Asking {
    subject: Subject,
    /// Whether it is for everybody's eyes: nothing is told then of an organisation that is not public,
    /// where a participant comes from one.
    public: bool,
    rows: SelectStatement,
    joined: BTreeSet<&'static str>,
}

pub(super) fn col(of: &'static str, name: &'static str) -> SimpleExpr {
    Expr::col((Alias::new(of), Alias::new(name)))
}

/// What figures of a subject are made from, split and narrowed by those dimensions.
#[must_use]
pub fn basis_of(subject: Subject, by: impl IntoIterator<Item = Dimension>) -> Basis {
    let (seminars, visits) = (Seminar::COLLECTION, StudyVisit::COLLECTION);
    let presentations = Presentation::COLLECTION;
    let own = Basis::collections(match subject {
        Subject::Seminars => vec![seminars],
        Subject::StudyVisits => vec![visits],
        Subject::Presentations => vec![presentations, seminars],
        Subject::Speakers => vec![presentations, Statement::COLLECTION, seminars],
        Subject::Organisations => {
            let (projects, grants) = (Project::COLLECTION, GrantArrangement::COLLECTION);
            vec![projects, grants, seminars, visits, presentations]
        }
        Subject::Participants => vec![Participant::COLLECTION, seminars, visits],
        Subject::Attendance => vec![seminars, visits],
        Subject::Finance => vec![GrantArrangement::COLLECTION],
        Subject::Results => vec![Indicator::COLLECTION, ProjectResult::COLLECTION],
    });
    let named = by.into_iter().filter_map(|dimension| match dimension {
        Dimension::Topic => Some(Topic::COLLECTION),
        Dimension::Project => Some(Project::COLLECTION),
        Dimension::Organisation | Dimension::OrganisationKind => Some(Organisation::COLLECTION),
        Dimension::Country | Dimension::Region if subject == Subject::Organisations => {
            Some(Organisation::COLLECTION)
        }
        _ => None,
    });
    own.and(Basis::collections(named))
}

/// What is counted of people is made from that, whatever it is split by.
pub(crate) fn basis_of_people() -> Basis {
    basis_of(Subject::Participants, [Dimension::OrganisationKind])
}

impl Question {
    /// What the figures are made from, but for the records that they are narrowed to: these are known
    /// by their ids.
    pub(super) fn basis(&self) -> Basis {
        let code = |value: &Value| matches!(value, Value::Code(_));
        let filters = self.filters.iter().filter(|(_, values)| values.iter().any(code));
        let filters = filters.map(|(dimension, _)| *dimension);
        basis_of(self.subject, self.columns().into_iter().chain(filters))
    }

    /// The dimensions of the rows, in their order.
    #[must_use]
    pub fn columns(&self) -> Vec<Dimension> {
        let apart = self.subject.kept_apart().iter();
        let apart = apart.filter(|dimension| !self.group_by.contains(dimension));
        self.group_by.iter().chain(apart).copied().collect()
    }

    /// What is counted, as far as it is seen and asked for.
    pub(super) fn asking(&self, sight: &Sight, within: Within) -> Asking {
        let mut asking = Asking::seen_by(self.subject, sight, within);
        if let Some(among) = &self.among {
            let id = asking.listed();
            asking.rows.and_where(id.in_subquery(among.ids.clone()));
        }
        for (dimension, values) in &self.filters {
            asking.narrow(*dimension, values);
        }
        asking
    }

    /// How it is counted. What the public asks is kept, but of some records; of people nothing is, since
    /// the log does not tell where they took part.
    pub(super) fn counting<'a>(&'a self, sight: &'a Sight) -> Counting<'a> {
        let mut looks_up = Basis::collections(self.looks_up());
        let mut made_from = self.basis();
        if let Some((list, others)) = self.among.as_ref().and_then(|among| among.list.as_ref()) {
            made_from.also(Basis::collection(list));
            looks_up.also(others.clone());
            // Of these the log tells what changes in figures; an organisation contributes nothing itself.
            if self.subject == Subject::Organisations {
                looks_up.also(Basis::collection(list));
            }
        }
        let of_some = self.among.as_ref().is_some_and(|among| among.list.is_none());
        let divided = match self.subject {
            Subject::Finance | Subject::Results => Divided::No,
            _ if of_some => Divided::No,
            Subject::Seminars | Subject::StudyVisits => Divided::ByActivity { many: false },
            _ => Divided::ByActivity { many: true },
        };
        let of_people = self.subject == Subject::Participants;
        Counting {
            made_from: made_from.and(looks_up.clone()),
            looks_up,
            divided,
            columns: self.columns().into_iter().map(is_record).collect(),
            numbers: self.numbers().count(),
            ones: self.ones(),
            statement: Box::new(|within| self.statement(sight, within)),
            is_kept: *sight == Sight::Public && !of_some && !of_people,
        }
    }

    /// Counts a part of it.
    fn statement(&self, sight: &Sight, within: Within) -> SelectStatement {
        let columns = self.columns();
        let groups = &GROUPS[..columns.len()];
        let mut rows = Query::select();
        rows.from_subquery(self.parts(sight, within, &columns), Alias::new("part"));
        match self.ones() {
            Ones::None => rows.expr(Expr::cust("CAST(NULL AS bigint)")),
            Ones::Counted => rows.expr(Func::count(col("part", "different"))),
            Ones::Told => {
                rows.expr(col("part", "different")).add_group_by([col("part", "different")])
            }
        };
        for number in self.numbers() {
            rows.expr(Func::sum(col("part", number)).cast_as("bigint"));
        }
        for name in groups {
            rows.column(Alias::new(*name)).group_by_col(Alias::new(*name));
        }
        rows
    }

    /// How it is known how many different ones there are.
    fn ones(&self) -> Ones {
        match self.subject {
            _ if !self.defines(Measure::Distinct) => Ones::None,
            Subject::Seminars
            | Subject::StudyVisits
            | Subject::Speakers
            | Subject::Organisations => Ones::Told,
            // In two parts there are others.
            _ => Ones::Counted,
        }
    }

    /// Whether nothing of it is in two groups.
    pub(super) fn is_in_one_group(&self) -> bool {
        let mut asking = Asking::seen_by(self.subject, &Sight::Public, Within::Everything);
        for column in self.columns() {
            asking.place(column);
        }
        asking.joined.is_disjoint(&BTreeSet::from(MANY))
    }

    /// The collection of which records are looked up, though they contribute nothing themselves.
    fn looks_up(&self) -> Option<&'static str> {
        let by = self.columns().into_iter().chain(self.filters.iter().map(|(one, _)| *one));
        let of_organisations = by.into_iter().any(|dimension| match dimension {
            Dimension::OrganisationKind => true,
            Dimension::Country | Dimension::Region => self.subject == Subject::Organisations,
            _ => false,
        });
        of_organisations.then_some(Organisation::COLLECTION)
    }

    /// What there is, put together by what is different in a group. There are fewer of these parts, and
    /// to tell them apart nothing has to be sorted.
    fn parts(&self, sight: &Sight, within: Within, columns: &[Dimension]) -> SelectStatement {
        let mut asking = self.asking(sight, within);
        let places: Vec<_> = columns.iter().map(|dimension| asking.place(*dimension)).collect();
        let [high, low, micro] = asking.value();
        let (key, number) = asking.key();
        let (different, qualifier) = (asking.different(), asking.qualifier());
        // A record that comes to a group by two ways counts in it once.
        let twice = asking.comes_twice(columns);
        let mut rows = asking.rows;
        if twice {
            rows.distinct();
        }
        for (name, value) in [
            ("key", key),
            ("number", number),
            ("different", different),
            ("high", high),
            ("low", low),
            ("micro", micro),
            ("qualifier", qualifier),
        ] {
            rows.expr_as(value, Alias::new(name));
        }
        for (place, name) in places.into_iter().zip(GROUPS) {
            rows.expr_as(place, Alias::new(name));
        }

        let mut parts = Query::select();
        parts.from_subquery(rows, Alias::new("one"));
        let apart = self.defines(Measure::Distinct).then_some("different");
        for name in GROUPS.into_iter().take(columns.len()).chain(apart) {
            parts.column(Alias::new(name)).group_by_col(Alias::new(name));
        }
        for number in self.numbers() {
            let counted = match number {
                "count" => Expr::cust("count(*)"),
                "known" => Func::count(col("one", "high")).into(),
                "high" | "low" | "micro" => Func::sum(col("one", number)).into(),
                bound => {
                    let is = CaseStatement::new().case(col("one", "qualifier").eq(bound), 1);
                    Func::count(SimpleExpr::Case(Box::new(is))).into()
                }
            };
            parts.expr_as(counted, Alias::new(number));
        }
        parts
    }

    /// The numbers that are told of its subject; the others nobody can ask for.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &'static str> + use<> {
        let values = self.defines(Measure::Sum) || self.defines(Measure::Average);
        let published = self.subject == Subject::Attendance;
        NUMBERS.into_iter().filter(move |number| match *number {
            "count" => true,
            "known" | "high" | "low" | "micro" => values,
            _ => published,
        })
    }

    fn defines(&self, measure: Measure) -> bool {
        self.subject.definitions().iter().any(|definition| definition.measure == measure)
    }
}

/// How it is known how many different ones there are in a group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ones {
    /// They are not told.
    None,
    /// The numbers of parts are added up.
    Counted,
    /// Two parts may have the same.
    Told,
}

/// What is told of a group: how many there are, of how many the value is known, the three parts of
/// their sum, and how many are no exact ones.
const NUMBERS: [&str; 10] = [
    "count", "known", "high", "low", "micro", BOUNDS[0], BOUNDS[1], BOUNDS[2], BOUNDS[3], BOUNDS[4],
];
/// The names of the columns of groups.
const GROUPS: [&str; 8] = ["g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7"];
/// The joins that may find several for one.
const MANY: [&str; 4] = ["country", "topic", "part", "speaker"];
/// How numbers that are not exact are to be understood.
pub(super) const BOUNDS: [&str; 5] = ["more_than", "at_least", "about", "less_than", "at_most"];

impl Asking {
    /// Everything of a subject that is seen.
    pub(super) fn seen_by(subject: Subject, sight: &Sight, within: Within) -> Self {
        let mut asking = Self::of(subject, *sight == Sight::Public, within);
        asking.rows.cond_where(match subject {
            Subject::Seminars
            | Subject::StudyVisits
            | Subject::Participants
            | Subject::Attendance => of_activity(sight),
            _ => sight.of_id(asking.record()),
        });
        asking
    }

    /// The statement as it is, without columns.
    pub(super) fn into_rows(self) -> SelectStatement {
        self.rows
    }

    fn of(subject: Subject, public: bool, within: Within) -> Self {
        let mut rows = Query::select();
        let name = subject.name();
        let (id, of) = (col("activity", "id"), col("it", "activity_id"));
        // Only what is counted is narrowed: were the others, too, Postgres would go through all of them
        // for each, where it takes a range to hold few.
        let same = id.clone().eq(of.clone());
        match subject {
            Subject::Seminars | Subject::StudyVisits => {
                rows.from("activity")
                    .and_where(col("activity", "collection").eq(name))
                    .cond_where(within.holds(&id));
            }
            Subject::Participants => {
                rows.from_as("participant", "it")
                    .join(JoinType::InnerJoin, "activity", same)
                    .cond_where(within.holds(&of));
            }
            _ => {
                rows.from_as("fact", "it")
                    .join(JoinType::LeftJoin, "activity", same)
                    .and_where(col("it", "subject").eq(name))
                    .cond_where(within.holds(&of));
            }
        }
        Self { subject, public, rows, joined: BTreeSet::new() }
    }

    /// The record by which it is decided who may see it.
    fn record(&self) -> SimpleExpr {
        match self.subject {
            Subject::Seminars | Subject::StudyVisits | Subject::Participants => {
                col("activity", "id")
            }
            _ => col("it", "record_id"),
        }
    }

    /// The record that a list narrows.
    fn listed(&self) -> SimpleExpr {
        match self.subject {
            Subject::Organisations => col("it", "organisation_id"),
            _ => self.record(),
        }
    }

    /// What tells one that is counted from the others.
    fn key(&self) -> (SimpleExpr, SimpleExpr) {
        match self.subject {
            Subject::Seminars | Subject::StudyVisits => (col("activity", "id"), Expr::val(0)),
            Subject::Participants => (col("it", "id"), Expr::val(0)),
            _ => (col("it", "record_id"), col("it", "number")),
        }
    }

    /// What different ones are told by.
    fn different(&self) -> SimpleExpr {
        match self.subject {
            Subject::Seminars | Subject::StudyVisits => col("activity", "project_id"),
            Subject::Presentations | Subject::Participants | Subject::Attendance => {
                col("it", "activity_id")
            }
            Subject::Speakers => col("it", "person_id"),
            Subject::Organisations => col("it", "organisation_id"),
            Subject::Finance | Subject::Results => col("it", "record_id"),
        }
    }

    /// The three parts of the value.
    fn value(&self) -> [SimpleExpr; 3] {
        let days = match self.subject {
            Subject::Seminars | Subject::StudyVisits => col("activity", "days"),
            Subject::Participants => col("it", "days"),
            _ => return ["high", "low", "micro"].map(|part| col("it", part)),
        };
        let zero = || CaseStatement::new().case(days.clone().is_not_null(), 0).into();
        [zero(), days.clone(), zero()]
    }

    fn qualifier(&self) -> SimpleExpr {
        match self.subject {
            Subject::Attendance => col("it", "qualifier"),
            _ => Expr::cust("CAST(NULL AS text)"),
        }
    }

    /// Narrows what is counted to what has one of those values.
    fn narrow(&mut self, dimension: Dimension, values: &[Value]) {
        let mut own = Self::of(self.subject, self.public, Within::Everything);
        let place = own.place(dimension);
        let is = one_of(&place, values);
        if own.joined.is_disjoint(&BTreeSet::from(MANY)) {
            let place = self.place(dimension);
            self.rows.cond_where(one_of(&place, values));
            return;
        }
        // Found in a statement of its own: it narrows what is counted, and not what it is split by.
        let (key, _) = self.key();
        let (own_key, _) = own.key();
        let found = own.rows.expr(own_key).cond_where(is).take();
        self.rows.and_where(key.in_subquery(found));
    }

    /// Whether one that is counted may come to a group of those columns by two ways: by two of its
    /// speakers, by two countries of a region, or by two organisations of a kind.
    fn comes_twice(&self, columns: &[Dimension]) -> bool {
        let coarser = [(Dimension::Region, "country"), (Dimension::OrganisationKind, "part")];
        self.joined.contains("speaker")
            || coarser
                .iter()
                .any(|(column, by)| columns.contains(column) && self.joined.contains(by))
    }

    /// Where the values of a dimension stand.
    pub(super) fn place(&mut self, dimension: Dimension) -> SimpleExpr {
        let of_activity = |name| col("activity", name);
        let of_it = |name| col("it", name);
        match (dimension, self.subject) {
            (Dimension::Year | Dimension::Quarter | Dimension::Month, _) => {
                self.when(dimension.name())
            }
            (Dimension::Country, Subject::Seminars | Subject::StudyVisits) => {
                self.join("country", "term", |country| {
                    let of = col(country, "record_id").eq(of_activity("id"));
                    of.and(col(country, "field").eq("/countries/country"))
                });
                col("country", "value")
            }
            (Dimension::Country, Subject::Presentations) => self.speaker("country"),
            (Dimension::Country, Subject::Organisations) => self.organisation("country"),
            (Dimension::Country, _) => of_it("country"),
            (Dimension::Region, _) => region(&self.place(Dimension::Country)),
            (Dimension::Topic, subject) => {
                let of = match subject {
                    Subject::Presentations | Subject::Speakers => of_it("record_id"),
                    _ => of_activity("id"),
                };
                self.referring("topic", of, "/topics")
            }
            (Dimension::Kind, Subject::Results) => self.result("kind"),
            (Dimension::Kind, _) => of_activity("kind"),
            (Dimension::Status, _) => of_activity("status"),
            (Dimension::Project, Subject::Finance) => of_it("project_id"),
            (Dimension::Project, Subject::Results) => self.result("project_id"),
            (Dimension::Project, Subject::Organisations) => {
                Func::coalesce([of_it("project_id"), of_activity("project_id")]).into()
            }
            (Dimension::Project, _) => of_activity("project_id"),
            (Dimension::Organisation, Subject::Seminars) => {
                self.referring("part", of_activity("id"), "/organisers/organisation_id")
            }
            (Dimension::Organisation, Subject::StudyVisits) => {
                self.referring("part", of_activity("id"), "/stops/organisation_id")
            }
            (Dimension::Organisation, Subject::Presentations) => self.speaker("organisation_id"),
            (Dimension::Organisation, _) => of_it("organisation_id"),
            (Dimension::OrganisationKind, _) => self.organisation("kind"),
            (Dimension::Role, Subject::Presentations) => self.speaker("role"),
            // Written out, since Postgres does not know two parameters of the same value for the same.
            (Dimension::Certified, _) => {
                Expr::cust("CASE WHEN it.certified THEN 'true' ELSE 'false' END")
            }
            (Dimension::Metric | Dimension::Flow, _) => of_it("metric"),
            (other, _) => of_it(other.name()),
        }
    }

    fn when(&self, part: &'static str) -> SimpleExpr {
        match self.subject {
            Subject::Finance | Subject::Results => col("it", part),
            Subject::Organisations => {
                Func::coalesce([col("it", part), col("activity", part)]).into()
            }
            _ => col("activity", part),
        }
    }

    /// Joins a table once, by that name.
    fn join(
        &mut self,
        name: &'static str,
        table: &'static str,
        on: impl FnOnce(&'static str) -> SimpleExpr,
    ) {
        if self.joined.insert(name) {
            self.rows.join_as(JoinType::LeftJoin, table, name, on(name));
        }
    }

    fn speaker(&mut self, column: &'static str) -> SimpleExpr {
        self.join("speaker", "fact", |speaker| {
            let of = col(speaker, "record_id").eq(col("it", "record_id"));
            of.and(col(speaker, "subject").eq(Subject::Speakers.name()))
        });
        col("speaker", column)
    }

    fn referring(&mut self, name: &'static str, of: SimpleExpr, field: &str) -> SimpleExpr {
        self.join(name, "reference", |name| {
            col(name, "source_id").eq(of).and(col(name, "field").eq(field))
        });
        col(name, "target_id")
    }

    fn organisation(&mut self, column: &'static str) -> SimpleExpr {
        let id = self.place(Dimension::Organisation);
        let public = self.public.then(|| col("organisation", "public").eq(true));
        self.join("organisation", "organisation", |name| {
            let this = col(name, "id").eq(id);
            public.into_iter().fold(this, ExprTrait::and)
        });
        col("organisation", column)
    }

    fn result(&mut self, column: &'static str) -> SimpleExpr {
        self.join("result", "result", |name| col(name, "id").eq(col("it", "result_id")));
        col("result", column)
    }

    /// How many there are of each of those, as `count` the last column.
    pub(super) async fn grouped_by(
        self,
        moment: &Moment,
        by: impl IntoIterator<Item = SimpleExpr>,
    ) -> Result<Vec<QueryResult>, Error> {
        let mut rows = self.rows;
        for place in by {
            rows.expr(place.clone()).add_group_by([place]);
        }
        rows.expr(Func::count(Expr::cust("*")));
        Ok(moment.tx().query_all(&rows).await?)
    }
}

/// The condition on seminars and study visits that they are seen.
pub(super) fn of_activity(sight: &Sight) -> Condition {
    sight.of_table(col("activity", "public"), col("activity", "id"))
}

fn one_of(place: &SimpleExpr, values: &[Value]) -> Condition {
    let (mut codes, mut ids) = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Value::Code(code) => codes.push(code.clone()),
            Value::Id(id) => ids.push(*id),
        }
    }
    let is = match ids.is_empty() {
        true => place.clone().is_in(codes),
        false => place.clone().is_in(ids),
    };
    is.into_condition()
}

/// The region of a country.
fn region(country: &SimpleExpr) -> SimpleExpr {
    let mut of = CaseStatement::new();
    for region in Country::regions() {
        let countries = Country::all().filter(|one| one.region.as_deref() == Some(region));
        let codes = countries.map(|one| one.code.as_str());
        of = of.case(country.clone().is_in(codes), region);
    }
    of.into()
}
