use domain::{Indicator, IndicatorFilter, IndicatorPeriod, IndicatorSort, ProjectResult, Subject};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Narrow, Stored,
    figures::{Contribution, Fact, MICROS, micros},
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
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Indicator {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            result_id: Set(self.result_id.id()),
            title: Set(text_key(Some(&self.title))),
            measure: Set(code(Some(&self.measure)).unwrap_or_default()),
            public: Set(public),
        }
    }

    fn contribution(&self, _: Uuid) -> Contribution {
        let result_id = Some(self.result_id.id());
        let itself = || Fact { result_id, ..Fact::of(Subject::Results) };
        if self.periods.is_empty() {
            return Contribution::of([itself()]);
        }
        let periods = self.periods.iter();
        Contribution::of(
            periods.map(|period| itself().worth(progress(self, period)).on_day(&period.to)),
        )
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

/// Above this, progress tells nothing.
const MOST: i128 = 1_000_000 * MICROS;

/// The way from the baseline to the target that was gone, in millionths of a per cent.
fn progress(indicator: &Indicator, period: &IndicatorPeriod) -> Option<i128> {
    if indicator.computed_from.is_some() {
        return None;
    }
    let start = micros(indicator.baseline.as_ref()?.value.as_ref()?)?;
    let way = micros(period.target.as_ref()?)? - start;
    let gone = micros(period.actual.as_ref()?)? - start;
    (gone * 100 * MICROS).checked_div(way).filter(|progress| progress.abs() <= MOST)
}
