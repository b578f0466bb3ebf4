use domain::{
    Initiative, Organisation, Person, Presentation, PresentationFilter, PresentationSort, Seminar,
    Session, Violation,
};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};

use crate::{
    Error, Narrow, Stored,
    index::{code, text_key},
    session,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "presentation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub seminar_id: Uuid,
    pub session_id: Option<Uuid>,
    pub position: i64,
    pub title: String,
    pub language: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Presentation {
    type Index = Entity;
    const TERMS: &'static [&'static str] = &["/speakers/country"];

    fn index(&self, id: Uuid) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            seminar_id: Set(self.seminar_id.id()),
            session_id: Set(self.session_id.as_ref().map(domain::Ref::id)),
            position: Set(self.order),
            title: Set(text_key(self.title.as_ref())),
            language: Set(code(self.language.as_ref())),
        }
    }

    fn narrow(filter: &PresentationFilter) -> Narrow {
        Narrow::default()
            .parent::<Seminar>(Column::SeminarId, &filter.seminar)
            .parent::<Session>(Column::SessionId, &filter.session)
            .reference::<Person>("/speakers/person_id", &filter.speaker)
            .reference::<Organisation>("/speakers/organisation_id", &filter.organisation)
            .term("/speakers/country", &filter.country)
            .reference::<Initiative>("/initiative_ids", &filter.initiative)
            .topic(&filter.topic)
            .code(Column::Language, &filter.language)
    }

    fn sort_column(key: PresentationSort) -> Column {
        match key {
            PresentationSort::Order => Column::Position,
            PresentationSort::Title => Column::Title,
        }
    }

    async fn conflicts(
        &self,
        db: &DatabaseTransaction,
        _: Uuid,
        _: Option<&Self>,
    ) -> Result<Vec<Violation>, Error> {
        let Some(session) = &self.session_id else { return Ok(Vec::new()) };
        let same = session::Entity::find_by_id(session.id())
            .filter(session::Column::SeminarId.eq(self.seminar_id.id()));
        Ok(match same.one(db).await? {
            Some(_) => Vec::new(),
            None => {
                let detail = "The session belongs to another seminar.";
                vec![Violation::new("/session_id", "other_seminar", detail)]
            }
        })
    }
}
