use domain::{Project, Seminar, SeminarSeries, SeminarSeriesFilter, SeminarSeriesSort};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};

use crate::{Error, Narrow, Stored, index::text_key, search};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seminar_series")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project_id: Uuid,
    pub name: String,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

/// The field in which seminars name their series.
const SERIES: &str = "/series_id";

impl Stored for SeminarSeries {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            project_id: Set(self.project_id.id()),
            name: Set(text_key(Some(&self.name))),
            public: Set(public),
        }
    }

    fn narrow(rows: Narrow, filter: &SeminarSeriesFilter) -> Narrow {
        rows.parent::<Project>("project", Column::ProjectId, &filter.project)
    }

    fn sort_column(key: SeminarSeriesSort) -> Column {
        match key {
            SeminarSeriesSort::Name => Column::Name,
        }
    }

    fn is_renamed(&self, before: &Self) -> bool {
        self.name != before.name
    }

    async fn hold_tellers(db: &DatabaseTransaction, id: Uuid) -> Result<(), Error> {
        search::hold(db, SERIES, id).await
    }

    async fn renamed(db: &DatabaseTransaction, id: Uuid) -> Result<(), Error> {
        search::renew::<Seminar>(db, SERIES, id).await
    }
}
