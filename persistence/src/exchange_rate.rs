use domain::{ExchangeRate, ExchangeRateFilter, ExchangeRateSort, Violation};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, PaginatorTrait, entity::prelude::*};

use crate::{Error, Narrow, Stored};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exchange_rate")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub from_currency: String,
    pub to_currency: String,
    pub on_day: Date,
    /// Nothing is sorted by it: so many rates are read for figures that their bodies are left out.
    pub rate: String,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for ExchangeRate {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            from_currency: Set(self.from.as_str().to_owned()),
            to_currency: Set(self.to.as_str().to_owned()),
            on_day: Set(self.on.day()),
            rate: Set(self.rate.as_str().to_owned()),
            public: Set(public),
        }
    }

    fn narrow(rows: Narrow, filter: &ExchangeRateFilter) -> Narrow {
        rows.code("from", Column::FromCurrency, &filter.from)
            .code("to", Column::ToCurrency, &filter.to)
            .since(Column::OnDay, filter.on_gte)
            .before(Column::OnDay, filter.on_lt)
    }

    fn sort_column(key: ExchangeRateSort) -> Column {
        match key {
            ExchangeRateSort::On => Column::OnDay,
        }
    }

    async fn conflicts(
        &self,
        db: &DatabaseTransaction,
        id: Uuid,
        _: Option<&Self>,
    ) -> Result<Vec<Violation>, Error> {
        let others = Entity::find()
            .filter(Column::FromCurrency.eq(self.from.as_str()))
            .filter(Column::ToCurrency.eq(self.to.as_str()))
            .filter(Column::OnDay.eq(self.on.day()))
            .filter(Column::Id.ne(id));
        Ok(match others.count(db).await? {
            0 => Vec::new(),
            _ => {
                let detail = "Another record has the rate of these currencies on that day.";
                vec![Violation::new("/on", "rate_taken", detail)]
            }
        })
    }
}
