use domain::{
    Organisation, Person, Recommendation, RecommendationFilter, RecommendationSort, Seminar,
};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{Narrow, Stored, index::code};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recommendation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub seminar_id: Uuid,
    pub status: String,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Recommendation {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            seminar_id: Set(self.seminar_id.id()),
            status: Set(code(Some(&self.status)).unwrap_or_default()),
            public: Set(public),
        }
    }

    fn narrow(rows: Narrow, filter: &RecommendationFilter) -> Narrow {
        rows.parent::<Seminar>("seminar", Column::SeminarId, &filter.seminar)
            .reference::<Person>("person", "/person_id", &filter.person)
            .reference::<Organisation>("organisation", "/organisation_id", &filter.organisation)
            .code("status", Column::Status, &filter.status)
    }

    fn sort_column(key: RecommendationSort) -> Column {
        match key {
            RecommendationSort::CreatedAt => Column::Id,
        }
    }
}
