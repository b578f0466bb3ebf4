use domain::{Project, ProjectResult, ProjectResultFilter, ProjectResultSort};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Narrow, Stored,
    index::{code, text_key},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "result")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project_id: Uuid,
    pub title: String,
    pub kind: String,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for ProjectResult {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            project_id: Set(self.project_id.id()),
            title: Set(text_key(Some(&self.title))),
            kind: Set(code(Some(&self.kind)).unwrap_or_default()),
            public: Set(public),
        }
    }

    fn narrow(rows: Narrow, filter: &ProjectResultFilter) -> Narrow {
        rows.parent::<Project>("project", Column::ProjectId, &filter.project).code(
            "kind",
            Column::Kind,
            &filter.kind,
        )
    }

    fn sort_column(key: ProjectResultSort) -> Column {
        match key {
            ProjectResultSort::Title => Column::Title,
        }
    }
}
