use domain::{
    Initiative, Key, OneOf, Organisation, Person, Presentation, PresentationFilter,
    PresentationSort, Seminar, Session, Subject, Violation,
};
use sea_orm::{
    ActiveValue::Set, DatabaseTransaction, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*,
    sea_query::SelectStatement,
};

use crate::{
    Error, Narrow, Stored,
    figures::{Contribution, Fact},
    index::{code, text_key},
    reference::{self, MOST_TOLD},
    session, statement,
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
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) const SPEAKER: &str = "/speakers/person_id";
pub(crate) const ORGANISATION: &str = "/speakers/organisation_id";

/// The seminars at which those presentations were given.
pub(crate) fn seminars(rows: &Narrow, presentations: SelectStatement) -> SelectStatement {
    Entity::find()
        .select_only()
        .column(Column::SeminarId)
        .filter(Column::Id.in_subquery(presentations))
        .filter(rows.sees::<Presentation>(Column::Id))
        .into_query()
}

/// Who spoke at those seminars.
pub(crate) fn speakers(rows: &Narrow, at: &OneOf<Key>) -> SelectStatement {
    let presentations = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(rows.naming::<Seminar>(Column::SeminarId, at))
        .filter(rows.sees::<Presentation>(Column::Id))
        .into_query();
    reference::Entity::find()
        .select_only()
        .column(reference::Column::TargetId)
        .filter(reference::Column::Field.eq(SPEAKER))
        .filter(reference::Column::SourceId.in_subquery(presentations))
        .into_query()
}

impl Stored for Presentation {
    type Index = Entity;
    const TERMS: &'static [&'static str] = &["/speakers/country"];

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            seminar_id: Set(self.seminar_id.id()),
            session_id: Set(self.session_id.as_ref().map(domain::Ref::id)),
            position: Set(self.order),
            title: Set(text_key(self.title.as_ref())),
            language: Set(code(self.language.as_ref())),
            public: Set(public),
        }
    }

    fn contribution(&self, _: Uuid) -> Contribution {
        let speakers = self.speakers.iter().flat_map(|speaker| {
            let organisation_id = speaker.organisation_id.as_ref().map(domain::Ref::id);
            let part = organisation_id.map(|id| Fact::part(id, Some("speaker".to_owned())));
            let speaker = Fact {
                person_id: Some(speaker.person_id.id()),
                role: code(Some(&speaker.role)),
                country: code(speaker.country.as_ref()),
                organisation_id,
                ..Fact::of(Subject::Speakers)
            };
            [Some(speaker), part].into_iter().flatten()
        });
        let itself = [Fact::of(Subject::Presentations)].into_iter();
        Contribution::of(itself.chain(speakers).map(|fact| fact.at(self.seminar_id.id())))
    }

    fn narrow(rows: Narrow, filter: &PresentationFilter) -> Narrow {
        rows.parent::<Seminar>("seminar", Column::SeminarId, &filter.seminar)
            .parent::<Session>("session", Column::SessionId, &filter.session)
            .reference::<Person>("speaker", SPEAKER, &filter.speaker)
            .reference::<Organisation>("organisation", ORGANISATION, &filter.organisation)
            .term("country", "/speakers/country", &filter.country)
            .reference::<Initiative>("initiative", "/initiative_ids", &filter.initiative)
            .topic(&filter.topic)
            .code("language", Column::Language, &filter.language)
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
        id: Uuid,
        before: Option<&Self>,
    ) -> Result<Vec<Violation>, Error> {
        let mut broken = Vec::new();
        if let Some(session) = &self.session_id {
            let same = session::Entity::find_by_id(session.id())
                .filter(session::Column::SeminarId.eq(self.seminar_id.id()));
            if same.one(db).await?.is_none() {
                let detail = "The session belongs to another seminar.";
                broken.push(Violation::new("/session_id", "other_seminar", detail));
            }
        }
        if before.is_some_and(|before| before.seminar_id != self.seminar_id) {
            let left = statement::elsewhere(db, id, self.seminar_id.id()).await?;
            broken.extend(left.into_iter().map(|id| left_behind("statements", id)));
        }
        Ok(broken)
    }
}

/// Those of a session that belong to another seminar.
pub(crate) async fn elsewhere(
    db: &DatabaseTransaction,
    session: Uuid,
    seminar: Uuid,
) -> Result<Vec<Uuid>, Error> {
    let rows = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::SessionId.eq(session))
        .filter(Column::SeminarId.ne(seminar));
    Ok(rows.order_by_asc(Column::Id).limit(MOST_TOLD as u64).into_tuple().all(db).await?)
}

/// Something that goes to another seminar without what is a part of it.
pub(crate) fn left_behind(collection: &str, id: Uuid) -> Violation {
    let detail = format!("/v1/{collection}/{id} is a part of it, and belongs to another seminar.");
    Violation::new("/seminar_id", "other_seminar", detail)
}
