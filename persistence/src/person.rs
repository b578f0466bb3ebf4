use domain::{Organisation, Person, PersonFilter, PersonSort};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{Narrow, Stored, index::line_key, presentation};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Person {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel { id: Set(id), name: Set(line_key(self.name.as_str())), public: Set(public) }
    }

    fn narrow(rows: Narrow, filter: &PersonFilter) -> Narrow {
        rows.reference::<Organisation>(
            "organisation",
            "/appointments/organisation_id",
            &filter.organisation,
        )
        .within(&filter.seminar, |rows| presentation::speakers(rows, &filter.seminar))
    }

    fn sort_column(key: PersonSort) -> Column {
        match key {
            PersonSort::Name => Column::Name,
        }
    }
}
