//! What somebody may see of the records, and on which day they look.
use domain::{Document, Initiative, Organisation, Person, Project, Resource, State, Topic};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    entity::prelude::{Date, Expr, Uuid},
    sea_query::{Alias, ExprTrait, IntoCondition, Query, SelectStatement, SimpleExpr},
};

use crate::{index::code, record, reference};

/// The collections whose records belong to no project.
const OF_NO_PROJECT: [&str; 5] = [
    Organisation::COLLECTION,
    Person::COLLECTION,
    Initiative::COLLECTION,
    Topic::COLLECTION,
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

    /// The condition on the id of a record, in whatever table: of what is hidden there is little,
    /// so it is looked for, and not what can be seen.
    pub(crate) fn of_id(&self, id: SimpleExpr) -> Condition {
        let hidden = || Alias::new("hidden");
        let column = |name: &'static str| SimpleExpr::from(Expr::col((hidden(), name)));
        let mut found = Query::select();
        found
            .expr(Expr::cust("1"))
            .from_as("record", hidden())
            .and_where(column("id").eq(id))
            .and_where(column("state").ne(published()));
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
fn belongs(id: &SimpleExpr, resource: SimpleExpr, projects: &[Uuid]) -> Condition {
    let of_projects = || sources([PROJECT], |target| target.is_in(projects.iter().copied()));
    let parts = sources(PART_OF, |target| target.in_subquery(of_projects()));
    Condition::any()
        .add(id.clone().is_in(projects.iter().copied()))
        .add(id.clone().in_subquery(of_projects()))
        .add(id.clone().in_subquery(parts))
        .add(resource.is_in(OF_NO_PROJECT))
}

fn sources<const N: usize>(
    fields: [&'static str; N],
    to: impl FnOnce(SimpleExpr) -> SimpleExpr,
) -> SelectStatement {
    reference::Entity::find()
        .select_only()
        .column(reference::Column::SourceId)
        .filter(reference::Column::Field.is_in(fields))
        .filter(to(reference::Column::TargetId.into_expr()))
        .into_query()
}

/// Whether records of that collection belong to no project.
pub(crate) fn of_no_project(collection: &str) -> bool {
    OF_NO_PROJECT.contains(&collection)
}

/// Whether the collection is that of projects.
pub(crate) fn is_project(collection: &str) -> bool {
    collection == Project::COLLECTION
}
