use domain::{Initiative, InitiativeFilter, InitiativeSort, Organisation};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Narrow, Stored,
    index::{code, number_key, text_key},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "initiative")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub horizon_year: i64,
    pub kind: String,
    pub country: Option<String>,
    pub owner_id: Option<Uuid>,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Initiative {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            name: Set(text_key(Some(&self.name))),
            horizon_year: Set(number_key(self.horizon_year)),
            kind: Set(code(Some(&self.kind)).unwrap_or_default()),
            country: Set(code(self.country.as_ref())),
            owner_id: Set(self.owner_id.as_ref().map(domain::Ref::id)),
            public: Set(public),
        }
    }

    fn narrow(rows: Narrow, filter: &InitiativeFilter) -> Narrow {
        rows.code("kind", Column::Kind, &filter.kind)
            .code("country", Column::Country, &filter.country)
            .parent::<Organisation>("owner", Column::OwnerId, &filter.owner)
            .topic(&filter.topic)
    }

    fn sort_column(key: InitiativeSort) -> Column {
        match key {
            InitiativeSort::Name => Column::Name,
            InitiativeSort::HorizonYear => Column::HorizonYear,
        }
    }
}
