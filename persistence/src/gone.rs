//! What was public once and cannot be seen any more.
use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::PartialDate;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, ExprTrait, Order, Query, SimpleExpr},
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    Basis, Error, Moment, Stored, log,
    moment::BATCH,
    record::{self, padded},
    sight::published,
};

/// For how many days it is told that something is gone: who has not asked since then asks no more.
const TOLD_FOR: Days = Days::new(366);

/// A record that stopped being public.
pub struct Gone {
    /// The place in the log of the change by which it did.
    pub position: i64,
    /// The id of the record.
    pub id: Uuid,
    /// The revision that the change made.
    pub revision: i64,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// The day on which it began when it was last public, if that was known to the day.
    pub day: Option<NaiveDate>,
}

type Row = (i64, Uuid, i64, DateTime<Utc>, Option<String>);

impl Moment {
    /// How records of `R` stopped being public, each for the last time, in the order of the log after
    /// that place, up to so many as are read at once: of those that cannot be seen any more. It is told
    /// for a year, as of the last change of what this moment is of, so that time alone changes nothing.
    pub async fn gone<R: Stored>(&self, after: i64) -> Result<Vec<Gone>, Error> {
        let Some(rows) = self.left::<R>().await? else { return Ok(Vec::new()) };
        let rows = rows.filter(log::Column::Position.gt(after));
        let rows = rows.order_by_asc(log::Column::Position).limit(BATCH);
        Ok(rows.into_tuple().all(self.tx()).await?.into_iter().map(gone).collect())
    }

    /// How the record of that id, or of the slug that it had then, stopped being public: one of those
    /// of [`Moment::gone`].
    pub async fn gone_one<R: Stored>(&self, key: &str) -> Result<Option<Gone>, Error> {
        let this = match record::id_of(key) {
            Some(id) => log::Column::RecordId.eq(id),
            None => log::Column::Slug.eq(key),
        };
        let Some(rows) = self.left::<R>().await? else { return Ok(None) };
        let last = rows.filter(this).order_by_desc(log::Column::Position).limit(1);
        Ok(last.into_tuple().one(self.tx()).await?.map(gone))
    }

    /// The day on which each of those records of `R` began when the public was last told one; it may
    /// have none now.
    pub async fn last_days<R: Stored>(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, NaiveDate>, Error> {
        self.rests_on(Basis::of::<R>);
        let ids = padded(ids);
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        // Of each the newest change that told one, by the index of its changes.
        let said = Query::select()
            .column(log::Column::Body)
            .from(log::Entity)
            .and_where(own(log::Column::Resource).eq(R::COLLECTION))
            .and_where(own(log::Column::RecordId).eq(record::Column::Id.into_expr()))
            .and_where(own(log::Column::State).eq(published()))
            .and_where(has_day(own(log::Column::Body)))
            .order_by((log::Entity, log::Column::Revision), Order::Desc)
            .limit(1)
            .take();
        let rows = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .expr_as(SimpleExpr::SubQuery(None, Box::new(said.into())), "said")
            .filter(record::Column::Id.is_in(ids));
        let rows: Vec<(Uuid, Option<String>)> = rows.into_tuple().all(self.tx()).await?;
        Ok(rows.into_iter().filter_map(|(id, body)| Some((id, day(&body?)?))).collect())
    }

    /// The rows of the log by which records of `R` stopped being public for the last time, of those that
    /// cannot be seen any more, each with what it said before; none while nothing was ever changed.
    async fn left<R: Stored>(&self) -> Result<Option<Select<log::Entity>>, Error> {
        self.rests_on(Basis::of::<R>);
        let Some(newest) = self.changed_at().await? else { return Ok(None) };
        let there = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::Id.into_expr().eq(own(log::Column::RecordId)))
            .filter(self.sight().of_records())
            .into_query();
        // Whatever was public again has left again, or is there.
        let later = Alias::new("later");
        let of_later = |column: log::Column| Expr::col((later.clone(), column));
        let again = Query::select()
            .expr(Expr::cust("1"))
            .from_as(Alias::new("change"), later.clone())
            .and_where(of_later(log::Column::Resource).eq(R::COLLECTION))
            .and_where(of_later(log::Column::RecordId).eq(own(log::Column::RecordId)))
            .and_where(of_later(log::Column::Position).gt(own(log::Column::Position)))
            .and_where(of_later(log::Column::StateBefore).eq(published()))
            .take();
        // Each revision has its row.
        let before = Alias::new("before");
        let of_before = |column: log::Column| Expr::col((before.clone(), column));
        let said = Query::select()
            .expr(of_before(log::Column::Body))
            .from_as(Alias::new("change"), before.clone())
            .and_where(of_before(log::Column::Resource).eq(R::COLLECTION))
            .and_where(of_before(log::Column::RecordId).eq(own(log::Column::RecordId)))
            .and_where(of_before(log::Column::Revision).eq(own(log::Column::Revision).sub(1)))
            .take();
        let rows = log::Entity::find()
            .select_only()
            .columns([
                log::Column::Position,
                log::Column::RecordId,
                log::Column::Revision,
                log::Column::At,
            ])
            .expr_as(SimpleExpr::SubQuery(None, Box::new(said.into())), "said")
            .filter(log::Column::Resource.eq(R::COLLECTION))
            .filter(log::left_public())
            .filter(log::Column::At.gt(newest - TOLD_FOR))
            .filter(Expr::exists(there).not())
            .filter(Expr::exists(again).not());
        Ok(Some(rows))
    }
}

fn own(column: log::Column) -> Expr {
    Expr::col((log::Entity, column))
}

/// Whether a body tells the day on which it begins. What is in quotes within a text has these escaped.
fn has_day(body: Expr) -> Expr {
    let no_year = body.clone().not_like("%\"starts_on\":\"XXXX-%");
    body.like("%\"starts_on\":\"____-__-__\"%").and(no_year)
}

fn gone((position, id, revision, at, said): Row) -> Gone {
    Gone { position, id, revision, at, day: said.as_deref().and_then(day) }
}

/// The day on which something of that body begins, if it is known to the day.
fn day(body: &str) -> Option<NaiveDate> {
    #[derive(Deserialize)]
    struct Begins {
        starts_on: Option<PartialDate>,
    }
    serde_json::from_str::<Begins>(body).ok()?.starts_on?.day()
}
