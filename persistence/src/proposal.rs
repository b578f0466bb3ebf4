//! Changes to what is public that are kept aside until a publisher decides.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use futures_util::future::LocalBoxFuture;
use sea_orm::{
    DatabaseTransaction, IntoActiveModel, QueryOrder, QuerySelect, QueryTrait, Select,
    entity::prelude::*, sea_query::Expr,
};
use serde_json::Value;

use crate::{
    Author, Error, Sight, Store, Stored, Visitor,
    change::{locked, retried},
    dialect, log,
    record::{self, read},
    reference::settled,
    rights::{may_decide, rights, rights_of},
    token::Names,
    visit_all,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub resource: String,
    pub record_id: Uuid,
    /// The revision that the change was made to.
    pub revision: i64,
    /// The body as it would be.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    pub status: String,
    pub actor: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    pub created_at: DateTimeUtc,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub answer: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

const OPEN: &str = "open";

/// A change that is kept aside.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// What was proposed, and what became of it.
    pub kept: Model,
    /// What who proposed it is called, if that is known.
    pub actor_name: Option<String>,
    /// What who decided about it is called, if anybody did and that is known.
    pub decided_by_name: Option<String>,
    /// The revision that the record is at now.
    pub current: i64,
    /// What the record holds now.
    pub body: Value,
}

/// What is decided about a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The change is made; to a record that has moved on, only if its revision is among those named.
    Accept(Option<Vec<i64>>),
    /// It is not made.
    Decline,
    /// Who proposed it does not want it any more.
    TakeBack,
}

/// Keeps a change aside.
async fn keep(
    tx: &DatabaseTransaction,
    store: &Store,
    by: &Author,
    old: &record::Model,
    value: &Value,
) -> Result<Proposal, Error> {
    let row = Model {
        id: store.new_id(),
        resource: old.resource.clone(),
        record_id: old.id,
        revision: old.revision,
        body: value.to_string(),
        status: OPEN.to_owned(),
        actor: by.name.clone(),
        note: by.note.clone(),
        created_at: store.now(),
        decided_by: None,
        decided_at: None,
        answer: None,
    };
    Entity::insert(row.clone().into_active_model().reset_all()).exec_without_returning(tx).await?;
    let names = names(tx, [&row]).await?;
    told(row, old, &names)
}

/// Keeps a change aside, unless its author has proposed just that already: then it is that proposal.
pub(crate) async fn keep_once(
    tx: &DatabaseTransaction,
    store: &Store,
    by: &Author,
    old: &record::Model,
    value: &Value,
) -> Result<Proposal, Error> {
    let open = Entity::find()
        .filter(Column::RecordId.eq(old.id))
        .filter(Column::Actor.eq(&by.name))
        .filter(Column::Status.eq(OPEN))
        .filter(Column::Revision.eq(old.revision))
        .order_by_asc(Column::Id);
    for known in open.all(tx).await? {
        if read::<Value>(&known.body)? == *value {
            let names = names(tx, [&known]).await?;
            return told(known, old, &names);
        }
    }
    keep(tx, store, by, old, value).await
}

/// What those are called who made these proposals, and who decided about them.
async fn names<'a>(
    db: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = &'a Model>,
) -> Result<Names, Error> {
    let both = |row: &'a Model| [Some(&*row.actor), row.decided_by.as_deref()];
    Names::of(db, rows.into_iter().flat_map(both).flatten()).await
}

fn told(kept: Model, record: &record::Model, names: &Names) -> Result<Proposal, Error> {
    Ok(Proposal {
        actor_name: names.name(&kept.actor),
        decided_by_name: kept.decided_by.as_deref().and_then(|by| names.name(by)),
        current: record.revision,
        body: read(&record.body)?,
        kept,
    })
}

/// The proposals about records that may also be seen before they are public.
fn visible(sight: &Sight) -> Select<Entity> {
    let records = record::Entity::find()
        .select_only()
        .column(record::Column::Id)
        .filter(sight.of_drafts())
        .into_query();
    Entity::find().filter(Column::RecordId.in_subquery(records))
}

impl Store {
    /// The proposals of those statuses, about those collections, where any are named; the newest
    /// first, those made before that one.
    pub async fn proposals(
        &self,
        statuses: &[&str],
        resources: &[String],
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Proposal>, Error> {
        let mut rows = visible(self.sight()).order_by_desc(Column::Id).limit(limit);
        if !statuses.is_empty() {
            rows = rows.filter(Column::Status.is_in(statuses.iter().copied()));
        }
        if !resources.is_empty() {
            rows = rows.filter(Column::Resource.is_in(resources));
        }
        if let Some(before) = before {
            rows = rows.filter(Column::Id.lt(before));
        }
        let rows = rows.all(self.db()).await?;
        let ids = rows.iter().map(|row| row.record_id);
        let records =
            record::Entity::find().filter(record::Column::Id.is_in(ids)).all(self.db()).await?;
        let names = names(self.db(), &rows).await?;
        let of = |row: Model| {
            let record = records.iter().find(|record| record.id == row.record_id)?;
            Some(told(row, record, &names))
        };
        rows.into_iter().filter_map(of).collect()
    }

    /// The proposal of that id.
    pub async fn proposal(&self, id: Uuid) -> Result<Proposal, Error> {
        let row = visible(self.sight()).filter(Column::Id.eq(id)).one(self.db()).await?;
        let row = row.ok_or(Error::NotFound)?;
        let record = record::Entity::find_by_id(row.record_id).one(self.db()).await?;
        let names = names(self.db(), [&row]).await?;
        told(row, &record.ok_or(Error::NotFound)?, &names)
    }

    /// Decides about a proposal that nobody has decided about yet.
    pub async fn decide(
        &self,
        by: &Author,
        id: Uuid,
        decision: Decision,
    ) -> Result<Proposal, Error> {
        let proposal = self.seen_by(by.sight()).proposal(id).await?;
        let mut deciding =
            Deciding { store: self, by, id, decision: &decision, task: None, proposal };
        visit_all(&mut deciding);
        match deciding.task {
            Some(task) => task.await?,
            None => return Err(Error::NotFound),
        }
        self.seen_by(by.sight()).proposal(id).await
    }

    async fn decide_about<R: Stored>(
        &self,
        by: &Author,
        id: Uuid,
        decision: &Decision,
    ) -> Result<(), Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let row = Entity::find_by_id(id).lock_exclusive().one(&tx).await?;
            let row = row.ok_or(Error::NotFound)?;
            if row.status != OPEN {
                return Err(Error::Decided);
            }
            let own = row.actor == by.name;
            match decision {
                Decision::Accept(_) if own && !by.alone => return Err(Error::SamePerson),
                Decision::TakeBack if !own => return Err(Error::NotTheirs),
                Decision::Accept(_) | Decision::Decline if !by.publishes => {
                    return Err(Error::Forbidden);
                }
                _ => {}
            }
            if let Decision::Accept(at) = decision {
                self.accept::<R>(&tx, by, &row, at.as_deref()).await?;
            } else if *decision == Decision::Decline {
                let record = record::Entity::find_by_id(row.record_id).one(&tx).await?;
                let record = record.ok_or(Error::NotFound)?;
                may_decide(by, rights_of::<R>(&tx, by, &record).await?)?;
            }
            let status = match decision {
                Decision::Accept(_) => "accepted",
                Decision::Decline => "declined",
                Decision::TakeBack => "taken_back",
            };
            Entity::update_many()
                .col_expr(Column::Status, Expr::value(status))
                .col_expr(Column::DecidedBy, Expr::value(by.name.clone()))
                .col_expr(Column::DecidedAt, Expr::value(self.now()))
                .col_expr(Column::Answer, Expr::value(by.note.clone()))
                .filter(Column::Id.eq(id))
                .exec(&tx)
                .await?;
            log::commit(self, tx).await
        })
        .await
    }

    /// Makes the change that was proposed.
    async fn accept<R: Stored>(
        &self,
        tx: &DatabaseTransaction,
        by: &Author,
        proposed: &Model,
        at: Option<&[i64]>,
    ) -> Result<(), Error> {
        let revisions = at.unwrap_or(std::slice::from_ref(&proposed.revision));
        let key = proposed.record_id.to_string();
        let old = match locked::<R>(tx, by, &key, revisions).await {
            Err(Error::Stale) if at.is_none() => {
                return Err(Error::MovedOn(proposed.revision));
            }
            other => other?,
        };
        let mut value: Value = read(&proposed.body)?;
        let links = settled::<R>(tx, &by.sight(), &mut value).await?;
        let within = rights_of::<R>(tx, by, &old).await?;
        may_decide(by, rights::<R>(tx, by, old.id, &links).await? && within)?;
        self.put::<R>(tx, by, "accept", old, value, links).await?;
        Ok(())
    }
}

/// Finds the resource that a proposal is about.
struct Deciding<'a> {
    store: &'a Store,
    by: &'a Author,
    id: Uuid,
    decision: &'a Decision,
    proposal: Proposal,
    task: Option<LocalBoxFuture<'a, Result<(), Error>>>,
}

impl Visitor for Deciding<'_> {
    fn visit<R: Stored>(&mut self) {
        if self.proposal.kept.resource == R::COLLECTION {
            self.task =
                Some(Box::pin(self.store.decide_about::<R>(self.by, self.id, self.decision)));
        }
    }
}
