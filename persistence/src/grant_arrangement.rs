use domain::{
    BudgetKind, GrantArrangement, GrantArrangementFilter, GrantArrangementSort, GrantBudget,
    GrantStatus, Money, Organisation, Project, Subject, TransactionKind,
};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Narrow, Stored,
    figures::{Contribution, Fact, micros},
    index::{code, date_key, text_key},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grant_arrangement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project_id: Uuid,
    pub signed_on: Date,
    pub title: String,
    pub status: String,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for GrantArrangement {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            project_id: Set(self.project_id.id()),
            signed_on: Set(date_key(self.signed_on.as_ref())),
            title: Set(text_key(Some(&self.title))),
            status: Set(code(Some(&self.status)).unwrap_or_default()),
            public: Set(public),
        }
    }

    fn contribution(&self, _: Uuid) -> Contribution {
        let parties = self.parties.iter().map(|party| {
            let part = Fact::part(party.organisation_id.id(), code(Some(&party.capacity)));
            part.on(self.signed_on.as_ref())
        });
        let agreed = (self.status != GrantStatus::Negotiated)
            .then(|| money("agreed", self.amount.as_ref()).on(self.signed_on.as_ref()));
        let budgets = self.budgets.iter().filter(|budget| !is_revised(budget, &self.budgets));
        let budgets =
            budgets.map(|budget| money("budgeted", Some(&budget.amount)).on_day(&budget.from));
        let transactions = self.transactions.iter().map(|moved| Fact {
            organisation_id: moved.provider_id.as_ref().map(domain::Ref::id),
            ..money(flow(moved.kind), Some(&moved.amount)).on_day(&moved.on)
        });
        let project_id = Some(self.project_id.id());
        let all = parties.chain(agreed).chain(budgets).chain(transactions);
        Contribution::of(all.map(|fact| Fact { project_id, ..fact }))
    }

    fn narrow(rows: Narrow, filter: &GrantArrangementFilter) -> Narrow {
        rows.parent::<Project>("project", Column::ProjectId, &filter.project)
            .reference::<Organisation>(
                "organisation",
                "/parties/organisation_id",
                &filter.organisation,
            )
            .code("status", Column::Status, &filter.status)
    }

    fn sort_column(key: GrantArrangementSort) -> Column {
        match key {
            GrantArrangementSort::SignedOn => Column::SignedOn,
            GrantArrangementSort::Title => Column::Title,
        }
    }
}

/// Money that flows; of an amount that is not known, not even the currency is.
fn money(flow: &str, money: Option<&Money>) -> Fact {
    Fact {
        metric: Some(flow.to_owned()),
        currency: money.map(|money| money.currency.as_str().to_owned()),
        ..Fact::of(Subject::Finance).worth(money.and_then(|money| micros(&money.amount)))
    }
}

fn flow(kind: TransactionKind) -> &'static str {
    match kind {
        TransactionKind::IncomingFunds => "received",
        TransactionKind::Commitment => "committed",
        TransactionKind::Disbursement => "disbursed",
        TransactionKind::Expenditure => "spent",
        TransactionKind::IncomingCommitment => "promised",
    }
}

/// Whether a revised budget stands in place of that one, for some of its days.
fn is_revised(budget: &GrantBudget, all: &[GrantBudget]) -> bool {
    let overlaps = |other: &GrantBudget| {
        budget.from.day() <= other.to.day() && other.from.day() <= budget.to.day()
    };
    budget.kind == BudgetKind::Original
        && all.iter().any(|other| other.kind == BudgetKind::Revised && overlaps(other))
}
