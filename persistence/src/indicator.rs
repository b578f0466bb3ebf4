use domain::{Indicator, IndicatorFilter, IndicatorSort, ProjectResult};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Narrow, Stored,
    index::{code, text_key},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "indicator")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub result_id: Uuid,
    pub title: String,
    pub measure: String,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Indicator {
    type Index = Entity;

    fn index(&self, id: Uuid) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            result_id: Set(self.result_id.id()),
            title: Set(text_key(Some(&self.title))),
            measure: Set(code(Some(&self.measure)).unwrap_or_default()),
        }
    }

    fn narrow(rows: Narrow, filter: &IndicatorFilter) -> Narrow {
        rows.parent::<ProjectResult>("result", Column::ResultId, &filter.result).code(
            "measure",
            Column::Measure,
            &filter.measure,
        )
    }

    fn sort_column(key: IndicatorSort) -> Column {
        match key {
            IndicatorSort::Title => Column::Title,
        }
    }
}
