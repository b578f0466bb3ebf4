use domain::{Organisation, Project, StudyVisit, StudyVisitFilter, StudyVisitSort, Subject};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Narrow, Stored,
    figures::{Contribution, Fact, Held},
    index::{code, date_key, last_day_key},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "study_visit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project_id: Uuid,
    pub starts_on: Date,
    pub ends_on: Date,
    pub host_country: String,
    pub status: String,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for StudyVisit {
    type Index = Entity;
    const TERMS: &'static [&'static str] = &["/countries/country"];

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            project_id: Set(self.project_id.id()),
            starts_on: Set(date_key(self.starts_on.as_ref())),
            ends_on: Set(last_day_key(self.starts_on.as_ref(), self.ends_on.as_ref())),
            host_country: Set(code(Some(&self.host_country)).unwrap_or_default()),
            status: Set(code(Some(&self.status)).unwrap_or_default()),
            public: Set(public),
        }
    }

    fn contribution(&self, id: Uuid) -> Contribution {
        let held = Held {
            subject: Subject::StudyVisits,
            project_id: self.project_id.id(),
            kind: "study_visit".to_owned(),
            status: self.status,
            starts_on: self.starts_on.as_ref(),
            ends_on: self.ends_on.as_ref(),
        };
        let stop = || Some("stop".to_owned());
        let parts = self.stops.iter().map(|at| Fact::part(at.organisation_id.id(), stop()));
        Contribution::of_activity(held, id, parts, &self.attendance)
    }

    fn narrow(rows: Narrow, filter: &StudyVisitFilter) -> Narrow {
        rows.parent::<Project>("project", Column::ProjectId, &filter.project)
            .code("host_country", Column::HostCountry, &filter.host_country)
            .term("country", "/countries/country", &filter.country)
            .reference::<Organisation>(
                "organisation",
                "/stops/organisation_id",
                &filter.organisation,
            )
            .code("status", Column::Status, &filter.status)
            .topic(&filter.topic)
            .since(Column::StartsOn, filter.starts_on_gte)
            .before(Column::StartsOn, filter.starts_on_lt)
            .upcoming(Column::EndsOn, filter.upcoming)
            .past(Column::EndsOn, filter.past)
    }

    fn sort_column(key: StudyVisitSort) -> Column {
        match key {
            StudyVisitSort::StartsOn => Column::StartsOn,
        }
    }
}
