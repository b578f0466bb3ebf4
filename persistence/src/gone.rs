//! What was public once and cannot be seen any more.
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

use crate::{
    Basis, Error, Moment, PublicChange, Stored,
    feed::{Row, seen},
    log,
    moment::BATCH,
    record,
    sight::published,
};

impl Moment {
    /// How records of `R` stopped being public, each for the last time, in the order of the log after
    /// that place, up to so many as are read at once: of those that cannot be seen any more.
    pub async fn gone<R: Stored>(&self, after: i64) -> Result<Vec<PublicChange>, Error> {
        let rows = self.left::<R>().filter(log::Column::Position.gt(after));
        let rows = rows.order_by_asc(log::Column::Position).limit(BATCH);
        let rows = rows.into_partial_model::<Row>().all(self.tx()).await?;
        Ok(rows.into_iter().map(seen).collect())
    }

    /// How the record of that id, or of the slug that it had then, stopped being public: one of those
    /// of [`Moment::gone`].
    pub async fn gone_one<R: Stored>(&self, key: &str) -> Result<Option<PublicChange>, Error> {
        let this = match record::id_of(key) {
            Some(id) => log::Column::RecordId.eq(id),
            None => log::Column::Slug.eq(key),
        };
        let last = self.left::<R>().filter(this).order_by_desc(log::Column::Position).limit(1);
        Ok(last.into_partial_model::<Row>().one(self.tx()).await?.map(seen))
    }

    /// The rows of the log by which records of `R` stopped being public for the last time, of those that
    /// cannot be seen any more.
    fn left<R: Stored>(&self) -> Select<log::Entity> {
        self.rests_on(Basis::of::<R>);
        let own = || Expr::col((log::Entity, log::Column::RecordId));
        let there = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::Id.into_expr().eq(own()))
            .filter(self.sight().of_records())
            .into_query();
        let [later, table] = [Alias::new("later"), Alias::new("change")];
        let of_later = |column: log::Column| Expr::col((later.clone(), column));
        // Whatever was public again has left again, or is there.
        let again = Query::select()
            .expr(Expr::cust("1"))
            .from_as(table, later.clone())
            .and_where(of_later(log::Column::RecordId).eq(own()))
            .and_where(
                of_later(log::Column::Position).gt(Expr::col((log::Entity, log::Column::Position))),
            )
            .and_where(of_later(log::Column::StateBefore).eq(published()))
            .take();
        log::Entity::find()
            .filter(log::Column::Resource.eq(R::COLLECTION))
            .filter(log::left_public())
            .filter(Expr::exists(there).not())
            .filter(Expr::exists(again).not())
    }
}
