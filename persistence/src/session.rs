use domain::{Seminar, Session, SessionFilter, SessionSort, Violation};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};

use crate::{Error, Narrow, Stored, index::code, presentation};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub seminar_id: Uuid,
    pub day: i64,
    pub position: i64,
    pub kind: String,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Session {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            seminar_id: Set(self.seminar_id.id()),
            day: Set(self.day.number()),
            position: Set(self.day.number() * 100_000 + self.order),
            kind: Set(code(Some(&self.kind)).unwrap_or_default()),
            public: Set(public),
        }
    }

    fn narrow(rows: Narrow, filter: &SessionFilter) -> Narrow {
        rows.parent::<Seminar>("seminar", Column::SeminarId, &filter.seminar)
            .code("kind", Column::Kind, &filter.kind)
            .number("day", Column::Day, filter.day.0.iter().map(|day| day.number()))
            .topic(&filter.topic)
    }

    fn sort_column(key: SessionSort) -> Column {
        match key {
            SessionSort::Order => Column::Position,
            SessionSort::Day => Column::Day,
        }
    }

    async fn conflicts(
        &self,
        db: &DatabaseTransaction,
        id: Uuid,
        _: Option<&Self>,
    ) -> Result<Vec<Violation>, Error> {
        let left = presentation::elsewhere(db, id, self.seminar_id.id()).await?;
        Ok(left.into_iter().map(|id| presentation::left_behind("presentations", id)).collect())
    }
}
