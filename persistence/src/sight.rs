//! What somebody may see of the records, and on which day they look.
use domain::{
    Document, ExchangeRate, Initiative, Organisation, Person, Project, Resource, State, Topic,
};
use sea_orm::{
    ColumnTrait, Condition,
    entity::prelude::{Date, Expr, Uuid},
    sea_query::{Alias, ExprTrait, IntoCondition, Query, SelectStatement, SimpleExpr},
};

use crate::{Stored, index::code, list::id_column, record};

/// The collections whose records belong to no project.
const OF_NO_PROJECT: [&str; 6] = [
    Organisation::COLLECTION,
    Person::COLLECTION,
    Initiative::COLLECTION,
    Topic::COLLECTION,
    ExchangeRate::COLLECTION,
    Document::COLLECTION,
];
/// The fields that name what a record is a part of.
pub(crate) const PART_OF: [&str; 2] = ["/seminar_id", "/result_id"];
/// The field that names the project of a record.
pub(crate) const PROJECT: &str = "/project_id";

/// What somebody may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// What is published.
    #[default]
    Public,
    /// Also what belongs to those projects or to none.
    Projects(Vec<Uuid>),
    /// Everything.
    All,
}

/// As whom, and on which day, somebody looks.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) sight: Sight,
    pub(crate) today: Date,
}

pub(crate) fn published() -> String {
    code(Some(&State::Published)).unwrap_or_default()
}

impl Sight {
    /// The condition on the table of all records.
    pub(crate) fn of_records(&self) -> Condition {
        let public = || record::Column::State.eq(published());
        match self {
            Self::All => Condition::all(),
            Self::Public => public().into_condition(),
            Self::Projects(projects) => {
                let id = record::Column::Id.into_expr();
                let resource = record::Column::Resource.into_expr();
                Condition::any().add(public()).add(belongs(&id, resource, projects))
            }
        }
    }

    /// The condition on the table of all records that it may also be seen while it is not public.
    pub(crate) fn of_drafts(&self) -> Condition {
        match self {
            Self::All => Condition::all(),
            Self::Public => Condition::any().add(Expr::cust("1 = 0")),
            Self::Projects(projects) => {
                let id = record::Column::Id.into_expr();
                belongs(&id, record::Column::Resource.into_expr(), projects)
            }
        }
    }

    /// The condition on the index table of `R`.
    pub(crate) fn of_index<R: Stored>(&self) -> Condition {
        let public = Expr::col((R::Index::default(), "public"));
        self.of_table(public, id_column::<R>().into_expr())
    }

    /// The condition on a table that tells what is public, and names the record by that id.
    pub(crate) fn of_table(&self, public: SimpleExpr, id: SimpleExpr) -> Condition {
        match self {
            // As it stands, for the indexes of what is public: they are those of a bare column.
            Self::Public => public.into_condition(),
            Self::Projects(_) | Self::All => self.of_id(id),
        }
    }

    /// The condition on the id of a record, in whatever table: of what is hidden there is little,
    /// so it is looked for, and not what can be seen.
    pub(crate) fn of_id(&self, id: SimpleExpr) -> Condition {
        // It stands in the statement, and is no value of it: else a plan that is made once for all
        // values could not go by the index of what is not public.
        let public = Expr::cust(format!("'{}'", published()));
        let hidden = || Alias::new("hidden");
        let column = |name: &'static str| SimpleExpr::from(Expr::col((hidden(), name)));
        let mut found = Query::select();
        found
            .expr(Expr::cust("1"))
            .from_as("record", hidden())
            .and_where(column("id").eq(id))
            .and_where(column("state").ne(public));
        match self {
            Self::All => return Condition::all(),
            Self::Public => {}
            Self::Projects(projects) => {
                let belongs = belongs(&column("id"), column("resource"), projects);
                found.cond_where(belongs.not());
            }
        }
        Expr::exists(found).not().into_condition()
    }
}

/// The record belongs to one of those projects, or to none at all.
///
/// This is asked of few records, and a project may have most of them: so each is looked up.
fn belongs(id: &SimpleExpr, resource: SimpleExpr, projects: &[Uuid]) -> Condition {
    let [own, part, whole] = ["own", "part", "whole"].map(Alias::new);
    let column = |of: &Alias, name: &'static str| SimpleExpr::from(Expr::col((of.clone(), name)));
    let of_projects = |of: &Alias| {
        let field = column(of, "field").eq(PROJECT);
        field.and(column(of, "target_id").is_in(projects.iter().copied()))
    };
    let mut itself = lookup();
    itself
        .from_as("reference", own.clone())
        .and_where(column(&own, "source_id").eq(id.clone()))
        .and_where(of_projects(&own));
    let mut of_whole = lookup();
    of_whole
        .from_as("reference", whole.clone())
        .and_where(column(&whole, "source_id").eq(column(&part, "target_id")))
        .and_where(of_projects(&whole));
    // A query in a query, and no join: Postgres would begin one with all that the projects have.
    let mut above = lookup();
    above
        .from_as("reference", part.clone())
        .and_where(column(&part, "source_id").eq(id.clone()))
        .and_where(column(&part, "field").is_in(PART_OF))
        .and_where(Expr::exists(of_whole));
    Condition::any()
        .add(id.clone().is_in(projects.iter().copied()))
        .add(resource.is_in(OF_NO_PROJECT))
        .add(Expr::exists(itself))
        .add(Expr::exists(above))
}

/// Begins a query that is made for one record at a time: without a limit and an offset, Postgres
/// would rather make it once for all records of the projects.
fn lookup() -> SelectStatement {
    Query::select().expr(Expr::cust("1")).limit(1).offset(0).take()
}

/// Whether records of that collection belong to no project.
pub(crate) fn of_no_project(collection: &str) -> bool {
    OF_NO_PROJECT.contains(&collection)
}

/// Whether the collection is that of projects.
pub(crate) fn is_project(collection: &str) -> bool {
    collection == Project::COLLECTION
}
