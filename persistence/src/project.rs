use domain::{Organisation, Project, ProjectFilter, ProjectSort};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Narrow, Stored,
    figures::{Contribution, Fact},
    index::{code, text_key},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub title: String,
    pub status: Option<String>,
    pub iati_identifier: Option<String>,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Project {
    type Index = Entity;
    const TERMS: &'static [&'static str] = &["/countries/country", "/activity_kinds"];

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        let identifier = self.iati.as_ref().and_then(|iati| iati.identifier.as_ref());
        ActiveModel {
            id: Set(id),
            title: Set(text_key(Some(&self.title))),
            status: Set(code(self.status.as_ref())),
            iati_identifier: Set(code(identifier)),
            public: Set(public),
        }
    }

    fn contribution(&self, id: Uuid) -> Contribution {
        let parties = self.parties.iter();
        Contribution::of(parties.map(|party| Fact {
            project_id: Some(id),
            ..Fact::part(party.organisation_id.id(), code(Some(&party.role)))
        }))
    }

    fn narrow(rows: Narrow, filter: &ProjectFilter) -> Narrow {
        rows.code("status", Column::Status, &filter.status)
            .term("country", "/countries/country", &filter.country)
            .reference::<Organisation>(
                "organisation",
                "/parties/organisation_id",
                &filter.organisation,
            )
            .term("activity_kind", "/activity_kinds", &filter.activity_kind)
            .topic(&filter.topic)
            .code("iati_identifier", Column::IatiIdentifier, &filter.iati_identifier)
    }

    fn sort_column(key: ProjectSort) -> Column {
        match key {
            ProjectSort::Title => Column::Title,
        }
    }
}
