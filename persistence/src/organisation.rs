use domain::{Organisation, OrganisationFilter, OrganisationSort, Violation};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};

use crate::{
    Error, Narrow, Stored, hierarchy,
    index::{code, text_key},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub kind: Option<String>,
    pub country: Option<String>,
    pub parent_id: Option<Uuid>,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Organisation {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            name: Set(text_key(Some(&self.name))),
            kind: Set(code(self.kind.as_ref())),
            country: Set(code(self.country.as_ref())),
            parent_id: Set(self.parent_id.as_ref().map(domain::Ref::id)),
            public: Set(public),
        }
    }

    fn narrow(rows: Narrow, filter: &OrganisationFilter) -> Narrow {
        rows.code("kind", Column::Kind, &filter.kind)
            .code("country", Column::Country, &filter.country)
            .parent::<Organisation>("parent", Column::ParentId, &filter.parent)
    }

    fn sort_column(key: OrganisationSort) -> Column {
        match key {
            OrganisationSort::Name => Column::Name,
        }
    }

    async fn conflicts(
        &self,
        db: &DatabaseTransaction,
        id: Uuid,
        _: Option<&Self>,
    ) -> Result<Vec<Violation>, Error> {
        let parent = self.parent_id.as_ref().map(domain::Ref::id);
        hierarchy::no_cycle::<Entity>(db, id, parent, Column::ParentId).await
    }
}
