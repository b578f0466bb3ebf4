//! What was public once and cannot be seen any more.
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
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
        let rows = log::Entity::find()
            .filter(log::Column::Resource.eq(R::COLLECTION))
            .filter(log::Column::Position.gt(after))
            .filter(log::left_public())
            .filter(Expr::exists(there).not())
            .filter(Expr::exists(again).not())
            .order_by_asc(log::Column::Position)
            .limit(BATCH)
            .into_partial_model::<Row>()
            .all(self.tx())
            .await?;
        Ok(rows.into_iter().map(seen).collect())
    }
}
