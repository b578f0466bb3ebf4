use domain::{
    Organisation, Person, Project, Resource, Seminar, SeminarDerived, SeminarFilter, SeminarKind,
    SeminarSeries, SeminarSort, Subject, Text,
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, QuerySelect, entity::prelude::*, sea_query::UnionType,
};

use crate::{
    Error, Narrow, Stored,
    figures::{Contribution, Fact, Held},
    index::{code, date_key, last_day_key, number_key, text_key},
    presentation,
    record::{self, padded},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seminar")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project_id: Uuid,
    pub series_id: Option<Uuid>,
    pub starts_on: Date,
    pub ends_on: Date,
    pub title: String,
    pub ordinal: i64,
    pub kind: String,
    pub status: String,
    pub format: Option<String>,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

const ORGANISER: &str = "/organisers/organisation_id";

impl Stored for Seminar {
    type Index = Entity;
    const TERMS: &'static [&'static str] = &["/countries/country", "/languages"];
    // Without a title of its own it is called by its series.
    const DERIVES_FROM: &'static [&'static str] = &[SeminarSeries::COLLECTION];

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            project_id: Set(self.project_id.id()),
            series_id: Set(self.series_id.as_ref().map(domain::Ref::id)),
            starts_on: Set(date_key(self.starts_on.as_ref())),
            ends_on: Set(last_day_key(self.starts_on.as_ref(), self.ends_on.as_ref())),
            title: Set(text_key(self.title.as_ref())),
            ordinal: Set(number_key(self.ordinal)),
            kind: Set(code(Some(&self.kind)).unwrap_or_default()),
            status: Set(code(Some(&self.status)).unwrap_or_default()),
            format: Set(code(self.format.as_ref())),
            public: Set(public),
        }
    }

    fn contribution(&self, id: Uuid) -> Contribution {
        let held = Held {
            subject: Subject::Seminars,
            project_id: self.project_id.id(),
            kind: code(Some(&self.kind)).unwrap_or_default(),
            status: self.status,
            starts_on: self.starts_on.as_ref(),
            ends_on: self.ends_on.as_ref(),
        };
        let parts = self.organisers.iter().map(|organiser| {
            Fact::part(organiser.organisation_id.id(), code(Some(&organiser.role)))
        });
        Contribution::of_activity(held, id, parts, &self.attendance)
    }

    fn narrow(rows: Narrow, filter: &SeminarFilter) -> Narrow {
        rows.parent::<Project>("project", Column::ProjectId, &filter.project)
            .parent::<SeminarSeries>("series", Column::SeriesId, &filter.series)
            .code("kind", Column::Kind, &filter.kind)
            .code("status", Column::Status, &filter.status)
            .code("format", Column::Format, &filter.format)
            .term("country", "/countries/country", &filter.country)
            .term("language", "/languages", &filter.language)
            .reference::<Organisation>("organiser", ORGANISER, &filter.organiser)
            .topic(&filter.topic)
            .since(Column::StartsOn, filter.starts_on_gte)
            .before(Column::StartsOn, filter.starts_on_lt)
            .upcoming(Column::EndsOn, filter.upcoming)
            .past(Column::EndsOn, filter.past)
            .within(&filter.speaker, |rows| {
                presentation::seminars(
                    rows,
                    rows.referring::<Person>(presentation::SPEAKER, &filter.speaker),
                )
            })
            .within(&filter.organisation, |rows| {
                let of = &filter.organisation;
                let spoke = rows.referring::<Organisation>(presentation::ORGANISATION, of);
                let mut part = rows.referring::<Organisation>(ORGANISER, of);
                part.union(UnionType::All, presentation::seminars(rows, spoke)).to_owned()
            })
    }

    fn sort_column(key: SeminarSort) -> Column {
        match key {
            SeminarSort::StartsOn => Column::StartsOn,
            SeminarSort::Title => Column::Title,
            SeminarSort::Ordinal => Column::Ordinal,
        }
    }

    async fn derive(
        db: &impl ConnectionTrait,
        bodies: &[Self],
    ) -> Result<Vec<SeminarDerived>, Error> {
        let series = bodies.iter().filter_map(|seminar| seminar.series_id.as_ref());
        let ids = padded(series.map(domain::Ref::id));
        let rows: Vec<(Uuid, String)> = match ids.is_empty() {
            true => Vec::new(),
            false => {
                record::Entity::find()
                    .select_only()
                    .columns([record::Column::Id, record::Column::Body])
                    .filter(record::Column::Id.is_in(ids))
                    .into_tuple()
                    .all(db)
                    .await?
            }
        };
        let name = |id: Uuid| {
            let (_, body) = rows.iter().find(|(series, _)| *series == id)?;
            serde_json::from_str::<SeminarSeries>(body).ok().map(|series| series.name)
        };
        let labels = bodies.iter().map(|seminar| SeminarDerived {
            label: label(seminar, seminar.series_id.as_ref().and_then(|id| name(id.id()))),
        });
        Ok(labels.collect())
    }
}

/// What a seminar is called after its kind, its number and its series.
fn label(seminar: &Seminar, series: Option<Text>) -> Text {
    let number = seminar.ordinal.map(|ordinal| format!(" {ordinal}")).unwrap_or_default();
    let kind = |language: &str| {
        let words = match (language, seminar.kind) {
            ("ru", SeminarKind::Seminar) => "Семинар",
            ("ru", SeminarKind::Workshop) => "Практикум",
            ("ru", SeminarKind::Webinar) => "Вебинар",
            ("ru", SeminarKind::Conference) => "Конференция",
            ("ru", SeminarKind::Launch) => "Открытие",
            (_, SeminarKind::Seminar) => "Seminar",
            (_, SeminarKind::Workshop) => "Workshop",
            (_, SeminarKind::Webinar) => "Webinar",
            (_, SeminarKind::Conference) => "Conference",
            (_, SeminarKind::Launch) => "Launch",
        };
        format!("{words}{number}")
    };
    match series {
        None => Text::of(["en", "ru"].map(|tag| (tag.to_owned(), kind(tag)))),
        Some(name) => Text::of(
            name.entries().map(|(tag, name)| (tag.to_owned(), format!("{}: {name}", kind(tag)))),
        ),
    }
}
