//! Money of several currencies in one: by rates that were published, and by nothing else.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use domain::{Decimal, Dimension, ExchangeRate, PartialDate, Qualifier, Resource, SoughtCurrency};
use num_bigint::{BigInt, Sign};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QuerySelect, entity::prelude::Uuid,
};

use super::{Figure, Figures, MICROS, MOST_GROUPS, Question, answer::order, micros};
use crate::{
    Basis, Error, Moment,
    exchange_rate::{Column, Entity},
    record,
    sight::published,
    tally::MOST_COUNTED,
};

/// A rate, as its record has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// The currency that is valued.
    pub from: String,
    /// The currency that it is valued in.
    pub to: String,
    /// The day that it is the rate of.
    pub on: NaiveDate,
    /// How many units of the second currency one unit of the first is worth.
    pub rate: String,
    /// The slug of its record, or the id where there is none.
    pub key: String,
}

/// Figures of money in one currency.
pub struct Converted {
    /// The figures; what has no rate is in none of the sums.
    pub figures: Figures,
    /// The rates that they were made with, each once.
    pub rates: Vec<Rate>,
    /// How many amounts have no rate.
    pub left_out: i64,
}

/// How an amount becomes one of another currency: it is multiplied, then divided.
struct Way<'a> {
    times: i128,
    by: i128,
    rate: Option<&'a Rate>,
}

/// Rates in millionths, by their currencies and their day.
struct Rates(BTreeMap<(String, String, NaiveDate), (Rate, i128)>);

impl Rates {
    /// The newest rate of that day or before.
    fn newest(&self, from: &str, to: &str, until: NaiveDate) -> Option<&(Rate, i128)> {
        let on = |day| (from.to_owned(), to.to_owned(), day);
        let known = self.0.range(on(NaiveDate::MIN)..=on(until));
        known.last().map(|(_, rate)| rate)
    }

    /// How an amount of a currency becomes one of another: by the rate of the first in the second,
    /// or else by that of the second in the first.
    fn way(&self, from: &str, to: &str, until: Option<NaiveDate>) -> Option<Way<'_>> {
        if from == to {
            return Some(Way { times: 1, by: 1, rate: None });
        }
        let until = until?;
        if let Some((rate, value)) = self.newest(from, to, until) {
            return Some(Way { times: *value, by: MICROS, rate: Some(rate) });
        }
        let (rate, value) = self.newest(to, from, until)?;
        Some(Way { times: MICROS, by: *value, rate: Some(rate) })
    }
}

/// A sum that amounts of several currencies are added to; nothing is rounded before its end.
#[derive(Default)]
struct Sum {
    count: i64,
    known: i64,
    left_out: i64,
    /// Whether what is left out may be less than nothing.
    may_lessen: bool,
    /// What is yet to be divided, by what it is to be divided by.
    parts: BTreeMap<i128, BigInt>,
}

impl Sum {
    /// Adds what is of one currency, and of one month or year where that is known.
    fn add(&mut self, part: &Figure, dated: bool, way: Option<&Way<'_>>) {
        self.count += part.count.unwrap_or_default();
        match (way, part.micros) {
            (Some(way), Some(micros)) => {
                self.known += part.known;
                *self.parts.entry(way.by).or_default() += BigInt::from(micros) * way.times;
            }
            // An amount that is not known has nothing to be left out.
            (_, None) if part.known == 0 => {}
            (_, micros) => {
                self.left_out += part.known;
                // Of several days each amount has a rate of its own: their sum tells nothing then.
                self.may_lessen |= !dated || micros.is_some_and(|micros| micros < 0);
            }
        }
    }

    fn figure(&self, groups: Vec<Option<String>>) -> Figure {
        let parts: Vec<_> =
            self.parts.iter().map(|(by, part)| (part.clone(), BigInt::from(*by))).collect();
        let (whole, by) = added(&parts);
        let micros = rounded(&whole, &by).filter(|_| self.known > 0);
        Figure {
            groups,
            count: Some(self.count),
            counted: Some(Qualifier::Exact),
            different: None,
            known: if micros.is_some() { self.known } else { 0 },
            micros,
            qualifier: micros.map(|_| match (self.left_out, self.may_lessen) {
                (0, _) => Qualifier::Exact,
                (_, false) => Qualifier::AtLeast,
                (_, true) => Qualifier::About,
            }),
            withheld: false,
        }
    }
}

/// Fractions added up, as one.
fn added(fractions: &[(BigInt, BigInt)]) -> (BigInt, BigInt) {
    match fractions {
        [] => (BigInt::ZERO, BigInt::from(1)),
        [one] => one.clone(),
        // Halves of the same length: the numbers do not grow before they must.
        several => {
            let (some, others) = several.split_at(several.len() / 2);
            let ((one, by), (other, other_by)) = (added(some), added(others));
            (one * &other_by + other * &by, by * other_by)
        }
    }
}

/// A fraction as a whole number: the nearest, of two the even one; none when it is too large.
fn rounded(whole: &BigInt, by: &BigInt) -> Option<i128> {
    let (size, by) = (whole.magnitude(), by.magnitude());
    let (mut nearest, twice) = (size / by, (size % by) * 2_u8);
    if twice > *by || (twice == *by && nearest.bit(0)) {
        nearest += 1_u8;
    }
    let nearest = i128::try_from(nearest).ok()?;
    Some(if whole.sign() == Sign::Minus { -nearest } else { nearest })
}

impl Moment {
    /// The figures of a question about money, each amount in that currency: by the newest published
    /// rate until the end of its month, or of its year where only that is known.
    pub async fn converted_figures(
        &self,
        question: &Question,
        target: &SoughtCurrency,
    ) -> Result<Converted, Error> {
        let target = target.as_str();
        let columns = question.columns();
        let mut fine = question.clone();
        let apart = [Dimension::Year, Dimension::Month, Dimension::Currency];
        fine.group_by.extend(apart.into_iter().filter(|one| !question.group_by.contains(one)));
        let fine_columns = fine.columns();
        let tally = self.tally(&fine.counting(self.sight())).await?;
        let parts = fine.figures(&tally);
        let mut too_many = parts.len() > MOST_COUNTED;
        let place = |wanted: &Dimension| fine_columns.iter().position(|one| one == wanted);
        let told = |part: &Figure, dimension: &Dimension| match dimension {
            Dimension::Currency => Some(target.to_owned()),
            other => place(other).and_then(|at| part.groups[at].clone()),
        };
        let is =
            |part: &Figure, dimension| place(&dimension).and_then(|at| part.groups[at].clone());

        let currencies: BTreeSet<_> =
            parts.iter().filter_map(|part| is(part, Dimension::Currency)).collect();
        let rates = self.rates(&currencies, target).await?;
        let mut used = BTreeSet::new();
        let mut rows: HashMap<_, Sum> = HashMap::new();
        let mut totals: HashMap<_, Sum> = HashMap::new();
        for part in &parts {
            let period = is(part, Dimension::Month).or_else(|| is(part, Dimension::Year));
            let dated = period.is_some();
            let until = period.and_then(|period| period.parse::<PartialDate>().ok()?.last_day());
            let currency = is(part, Dimension::Currency);
            let way = currency.and_then(|currency| rates.way(&currency, target, until));
            used.extend(way.as_ref().and_then(|way| way.rate).cloned());
            let group = |columns: &[Dimension]| -> Vec<_> {
                columns.iter().map(|dimension| told(part, dimension)).collect()
            };
            rows.entry(group(&columns)).or_default().add(part, dated, way.as_ref());
            let whole = group(question.subject.kept_apart());
            totals.entry(whole).or_default().add(part, dated, way.as_ref());
        }
        let left_out = totals.values().map(|sum| sum.left_out).sum();
        let figures = |sums: HashMap<Vec<_>, Sum>| -> Vec<_> {
            sums.into_iter().map(|(groups, sum)| sum.figure(groups)).collect()
        };
        let (mut rows, mut totals) = (figures(rows), figures(totals));
        too_many |= rows.len() > MOST_GROUPS;
        rows.truncate(MOST_GROUPS);
        self.call_by_name(&columns, &mut rows).await?;
        rows.sort_by(|one, other| order(one).cmp(&order(other)));
        totals.sort_by(|one, other| order(one).cmp(&order(other)));
        Ok(Converted {
            figures: Figures { columns, rows, totals, too_many },
            rates: used.into_iter().collect(),
            left_out,
        })
    }

    /// The published rates between those currencies and that one.
    async fn rates(&self, currencies: &BTreeSet<String>, target: &str) -> Result<Rates, Error> {
        self.rests_on(|| Basis::collection(ExchangeRate::COLLECTION));
        let both = |one: Column, other: Column| {
            Condition::all().add(one.eq(target)).add(other.is_in(currencies.iter().cloned()))
        };
        let between = Condition::any()
            .add(both(Column::ToCurrency, Column::FromCurrency))
            .add(both(Column::FromCurrency, Column::ToCurrency));
        let found: Vec<(Uuid, Option<String>, String, String, NaiveDate, String)> = Entity::find()
            .select_only()
            .column(Column::Id)
            .column(record::Column::Slug)
            .columns([Column::FromCurrency, Column::ToCurrency, Column::OnDay, Column::Rate])
            .join(
                JoinType::InnerJoin,
                Entity::belongs_to(record::Entity).from(Column::Id).to(record::Column::Id).into(),
            )
            .filter(record::Column::State.eq(published()))
            .filter(between)
            .into_tuple()
            .all(self.tx())
            .await?;
        let known = found.into_iter().filter_map(|(id, slug, from, to, on, rate)| {
            let value = micros(&rate.parse::<Decimal>().ok()?)?;
            let key = slug.unwrap_or_else(|| id.to_string());
            let of = (from.clone(), to.clone(), on);
            Some((of, (Rate { from, to, on, rate, key }, value)))
        });
        Ok(Rates(known.collect()))
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::{added, rounded};

    #[test]
    fn fractions_are_added_exactly_and_rounded_once() {
        let sum = |fractions: &[(i128, i128)]| {
            let parts: Vec<_> =
                fractions.iter().map(|(part, by)| (BigInt::from(*part), (*by).into())).collect();
            let (whole, by) = added(&parts);
            rounded(&whole, &by)
        };
        assert_eq!(sum(&[]), Some(0));
        assert_eq!(sum(&[(1, 3), (2, 3)]), Some(1));
        assert_eq!(sum(&[(1, 3), (1, 6), (2, 1)]), Some(2), "half way between 2 and 3");
        assert_eq!(sum(&[(1, 3), (1, 6), (3, 1)]), Some(4), "half way between 3 and 4");
        assert_eq!(sum(&[(-7, 2)]), Some(-4));
        assert_eq!(sum(&[(-7, 3)]), Some(-2));
        assert_eq!(sum(&[(i128::MAX, 1), (1, 1)]), None);
    }
}
