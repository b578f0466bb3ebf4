use domain::{
    GrantArrangement, GrantArrangementFilter, GrantArrangementSort, Organisation, Project,
};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Narrow, Stored,
    index::{code, date_key, text_key},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grant_arrangement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project_id: Uuid,
    pub signed_on: Date,
    pub title: String,
    pub status: String,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for GrantArrangement {
    type Index = Entity;

    fn index(&self, id: Uuid) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            project_id: Set(self.project_id.id()),
            signed_on: Set(date_key(self.signed_on.as_ref())),
            title: Set(text_key(Some(&self.title))),
            status: Set(code(Some(&self.status)).unwrap_or_default()),
        }
    }

    fn narrow(rows: Narrow, filter: &GrantArrangementFilter) -> Narrow {
        rows.parent::<Project>("project", Column::ProjectId, &filter.project)
            .reference::<Organisation>(
                "organisation",
                "/parties/organisation_id",
                &filter.organisation,
            )
            .code("status", Column::Status, &filter.status)
    }

    fn sort_column(key: GrantArrangementSort) -> Column {
        match key {
            GrantArrangementSort::SignedOn => Column::SignedOn,
            GrantArrangementSort::Title => Column::Title,
        }
    }
}
