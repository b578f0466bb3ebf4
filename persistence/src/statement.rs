use domain::{
    Person, Presentation, Seminar, Statement, StatementFilter, StatementSort, Subject, Violation,
};
use sea_orm::{
    ActiveValue::Set, DatabaseTransaction, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*,
};

use crate::{
    Error, Narrow, Stored,
    figures::{Contribution, Fact},
    index::code,
    presentation,
    reference::{self, MOST_TOLD},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub seminar_id: Uuid,
    pub mode: String,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

const PRESENTATION: &str = "/presentation_id";

impl Stored for Statement {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            seminar_id: Set(self.seminar_id.id()),
            mode: Set(code(Some(&self.mode)).unwrap_or_default()),
            public: Set(public),
        }
    }

    fn contribution(&self, _: Uuid) -> Contribution {
        // Who spoke in a presentation is told by that.
        let apart = self.presentation_id.is_none().then(|| Fact {
            person_id: Some(self.person_id.id()),
            role: code(self.role.as_ref()),
            ..Fact::of(Subject::Speakers).at(self.seminar_id.id())
        });
        Contribution::of(apart)
    }

    fn narrow(rows: Narrow, filter: &StatementFilter) -> Narrow {
        rows.parent::<Seminar>("seminar", Column::SeminarId, &filter.seminar)
            .reference::<Presentation>("presentation", PRESENTATION, &filter.presentation)
            .reference::<Person>("person", "/person_id", &filter.person)
            .code("mode", Column::Mode, &filter.mode)
            .topic(&filter.topic)
    }

    fn sort_column(key: StatementSort) -> Column {
        match key {
            StatementSort::CreatedAt => Column::Id,
        }
    }

    async fn conflicts(
        &self,
        db: &DatabaseTransaction,
        _: Uuid,
        _: Option<&Self>,
    ) -> Result<Vec<Violation>, Error> {
        let Some(presentation) = &self.presentation_id else { return Ok(Vec::new()) };
        let same = presentation::Entity::find_by_id(presentation.id())
            .filter(presentation::Column::SeminarId.eq(self.seminar_id.id()));
        Ok(match same.one(db).await? {
            Some(_) => Vec::new(),
            None => {
                let detail = "The presentation belongs to another seminar.";
                vec![Violation::new("/presentation_id", "other_seminar", detail)]
            }
        })
    }
}

/// Those made in a presentation that belong to another seminar.
pub(crate) async fn elsewhere(
    db: &DatabaseTransaction,
    presentation: Uuid,
    seminar: Uuid,
) -> Result<Vec<Uuid>, Error> {
    let made = reference::Entity::find()
        .select_only()
        .column(reference::Column::SourceId)
        .filter(reference::Column::TargetId.eq(presentation))
        .filter(reference::Column::Field.eq(PRESENTATION))
        .into_query();
    let rows = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.in_subquery(made))
        .filter(Column::SeminarId.ne(seminar));
    Ok(rows.order_by_asc(Column::Id).limit(MOST_TOLD as u64).into_tuple().all(db).await?)
}
