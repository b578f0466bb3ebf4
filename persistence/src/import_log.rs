//! What is kept of imports: how far each is, what came of it, and the rows that came back.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    Condition, IntoActiveModel, QueryOrder, QuerySelect, entity::prelude::*, sea_query::Expr,
};
use serde_json::Value;

use crate::{Error, Store, record::read, token::Names};

/// For how long an import is told of.
const KEPT: TimeDelta = TimeDelta::days(7);
/// After how long without a sign of life an import has ended with the process that did it.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// What is told of an import that ended so.
const INTERRUPTED: &str = "interrupted";

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub actor: String,
    pub state: String,
    /// Why it failed.
    pub code: Option<String>,
    /// How many rows there are, once that is known.
    pub total: Option<i64>,
    pub checked: i64,
    pub written: i64,
    /// Everything else that is told of it.
    #[sea_orm(column_type = "Text")]
    pub report: String,
    pub created_at: DateTimeUtc,
    /// When it last gave a sign of life.
    pub beat_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The parts of a file that an import gives back.
mod part {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "import_part")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub import_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        #[sea_orm(column_type = "Text")]
        pub text: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// It is on its way.
    Running,
    /// It is over, and what was good was taken.
    Done,
    /// Nothing was taken, since something was wrong with what was sent.
    Refused,
    /// It broke off: what was taken until then stays.
    Failed,
}

impl ImportState {
    const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Refused, Self::Failed];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many rows there are, once that is known.
    pub total: Option<i64>,
    /// How many have been checked.
    pub checked: i64,
    /// How many have been written, or passed over.
    pub written: i64,
}

/// An import, as it is kept.
#[derive(Clone, Debug)]
pub struct KeptImport {
    /// Identifies it.
    pub id: Uuid,
    /// Who sent it.
    pub actor: String,
    /// What they are called, if that is known.
    pub actor_name: Option<String>,
    /// Where it stands.
    pub state: ImportState,
    /// Why it failed.
    pub code: Option<String>,
    /// How far it is.
    pub progress: Progress,
    /// What else is told of it.
    pub report: Value,
    /// When it was sent.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

fn told(row: Model, now: DateTime<Utc>, names: &Names) -> Result<KeptImport, Error> {
    let state = ImportState::ALL.into_iter().find(|state| state.name() == row.state);
    let state = state.unwrap_or(ImportState::Failed);
    let lapsed = state == ImportState::Running && row.beat_at < now - LEASE;
    Ok(KeptImport {
        id: row.id,
        actor_name: names.name(&row.actor),
        actor: row.actor,
        state: if lapsed { ImportState::Failed } else { state },
        code: if lapsed { Some(INTERRUPTED.to_owned()) } else { row.code },
        progress: Progress { total: row.total, checked: row.checked, written: row.written },
        report: read(&row.report)?,
        created_at: row.created_at,
        ended_at: if lapsed { Some(row.beat_at) } else { row.ended_at },
    })
}

impl Store {
    /// Notes that an import begins.
    pub async fn begin_import(&self, actor: &str, report: &Value) -> Result<KeptImport, Error> {
        let now = self.now();
        let row = Model {
            id: self.new_id(),
            actor: actor.to_owned(),
            state: ImportState::Running.name().to_owned(),
            code: None,
            total: None,
            checked: 0,
            written: 0,
            report: report.to_string(),
            created_at: now,
            beat_at: now,
            ended_at: None,
        };
        let kept = row.clone().into_active_model().reset_all();
        Entity::insert(kept).exec_without_returning(self.db()).await?;
        let names = Names::of(self.db(), [actor]).await?;
        told(row, now, &names)
    }

    /// Gives a sign of life of an import that is on its way.
    pub async fn note_import(&self, id: Uuid, progress: Progress) -> Result<(), Error> {
        Entity::update_many()
            .col_expr(Column::Total, Expr::value(progress.total))
            .col_expr(Column::Checked, Expr::value(progress.checked))
            .col_expr(Column::Written, Expr::value(progress.written))
            .col_expr(Column::BeatAt, Expr::value(self.now()))
            .filter(Column::Id.eq(id))
            // What is late says nothing any more.
            .filter(Column::State.eq(ImportState::Running.name()))
            .exec(self.db())
            .await?;
        Ok(())
    }

    /// Notes what came of an import.
    pub async fn end_import(
        &self,
        id: Uuid,
        state: ImportState,
        code: Option<&str>,
        told: Option<(Progress, &Value)>,
    ) -> Result<(), Error> {
        let mut update = Entity::update_many()
            .col_expr(Column::State, Expr::value(state.name()))
            .col_expr(Column::Code, Expr::value(code))
            .col_expr(Column::EndedAt, Expr::value(self.now()))
            .filter(Column::Id.eq(id));
        if let Some((progress, report)) = told {
            update = update
                .col_expr(Column::Total, Expr::value(progress.total))
                .col_expr(Column::Checked, Expr::value(progress.checked))
                .col_expr(Column::Written, Expr::value(progress.written))
                .col_expr(Column::Report, Expr::value(report.to_string()));
        }
        update.exec(self.db()).await?;
        Ok(())
    }

    /// Notes that an import ends with this process.
    pub async fn interrupt_import(&self, id: Uuid) -> Result<(), Error> {
        self.end_import(id, ImportState::Failed, Some(INTERRUPTED), None).await
    }

    /// The import of that id, if it is that actor's; anybody's where none is named.
    pub async fn import_of(&self, id: Uuid, actor: Option<&str>) -> Result<KeptImport, Error> {
        let row = own(actor).filter(Column::Id.eq(id)).one(self.db()).await?;
        let row = row.ok_or(Error::NotFound)?;
        let names = Names::of(self.db(), [&*row.actor]).await?;
        told(row, self.now(), &names)
    }

    /// The imports of that actor, or of all, before that one; the newest first.
    pub async fn imports(
        &self,
        actor: Option<&str>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<KeptImport>, Error> {
        let mut rows = own(actor).order_by_desc(Column::Id).limit(limit);
        if let Some(before) = before {
            rows = rows.filter(Column::Id.lt(before));
        }
        let now = self.now();
        let rows = rows.all(self.db()).await?;
        let names = Names::of(self.db(), rows.iter().map(|row| &*row.actor)).await?;
        rows.into_iter().map(|row| told(row, now, &names)).collect()
    }

    /// Keeps a part of the file that an import gives back.
    pub async fn keep_import_part(&self, id: Uuid, number: i32, text: String) -> Result<(), Error> {
        let row = part::Model { import_id: id, number, text };
        let row = row.into_active_model().reset_all();
        part::Entity::insert(row).exec_without_returning(self.db()).await?;
        Ok(())
    }

    /// A part of the file that an import gives back; none after the last.
    pub async fn import_part(&self, id: Uuid, number: i32) -> Result<Option<String>, Error> {
        let part = part::Entity::find_by_id((id, number)).one(self.db()).await?;
        Ok(part.map(|part| part.text))
    }

    /// Forgets imports of long ago.
    pub async fn forget_imports(&self) -> Result<(), Error> {
        let old = Column::CreatedAt.lt(self.now() - KEPT);
        Entity::delete_many().filter(old).exec(self.db()).await?;
        Ok(())
    }
}

fn own(actor: Option<&str>) -> Select<Entity> {
    let own = actor.map(|actor| Column::Actor.eq(actor));
    Entity::find().filter(Condition::all().add_option(own))
}
