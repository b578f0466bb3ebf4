use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    Citation, DocumentRef, FullDate, Key, Line, Money, NoDerived, OneOf, OrganisationRef,
    PartialDate, ProjectRef, Resource, Slug, Text, ends_too_early, in_order, shape::broken_at,
    value::words,
};

/// The agreement by which a project is paid for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "ends_after_it_starts", skip_on_field_errors = false))]
pub struct GrantArrangement {
    /// Its name in addresses, if it has one.
    pub slug: Option<Slug>,
    /// The project that it pays for.
    pub project_id: ProjectRef,
    /// Its title.
    pub title: Text,
    /// Its number at the parties.
    pub reference: Option<Line>,
    /// Where it stands.
    pub status: GrantStatus,
    /// When it was signed.
    pub signed_on: Option<PartialDate>,
    /// Since when it is in force.
    pub effective_from: Option<PartialDate>,
    /// Until when it is in force.
    pub effective_to: Option<PartialDate>,
    /// How much was agreed.
    #[validate(nested, custom(function = "is_not_negative"))]
    pub amount: Option<Money>,
    /// Who agreed it.
    #[serde(default)]
    pub parties: Vec<GrantParty>,
    /// What is to be spent, by period. A revised budget stands in place of the original ones that it
    /// shares days with: revised ones share no day, and together cover all of those that they revise.
    #[serde(default)]
    #[validate(nested, custom(function = "revises_whole_budgets"))]
    pub budgets: Vec<GrantBudget>,
    /// What was committed, received, passed on and spent.
    #[serde(default)]
    #[validate(nested)]
    pub transactions: Vec<GrantTransaction>,
    /// The agreement itself.
    pub document_id: Option<DocumentRef>,
    /// Where each fact comes from.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

words! {
    /// Where a grant arrangement stands.
    pub enum GrantStatus {
        /// Not signed yet.
        Negotiated,
        /// Signed.
        Signed,
        /// In force.
        InForce,
        /// Fulfilled.
        Completed,
        /// Ended early.
        Terminated,
    }
}

/// A party of a grant arrangement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantParty {
    /// Which organisation.
    pub organisation_id: OrganisationRef,
    /// As what.
    pub capacity: GrantCapacity,
    /// Who signed for it.
    pub signatory: Option<Line>,
}

words! {
    /// The capacity in which an organisation is a party.
    pub enum GrantCapacity {
        /// Gives the money.
        Grantor,
        /// Receives the money.
        Grantee,
        /// Signs, and neither gives nor receives.
        Signatory,
        /// A party, the sources do not say as what.
        Unknown,
    }
}

/// What is to be spent in a period of at most a year.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "lasts_at_most_a_year", skip_on_field_errors = false))]
pub struct GrantBudget {
    /// The first day.
    pub from: FullDate,
    /// The last day, less than a year later.
    pub to: FullDate,
    /// How much.
    #[validate(nested, custom(function = "is_not_negative"))]
    pub amount: Money,
    /// How firm it is.
    pub status: BudgetStatus,
    /// Whether it was revised.
    pub kind: BudgetKind,
}

words! {
    /// How firm a budget is.
    pub enum BudgetStatus {
        /// An estimate.
        Indicative,
        /// Promised.
        Committed,
    }
}

words! {
    /// Whether a budget was revised.
    pub enum BudgetKind {
        /// As first agreed.
        Original,
        /// As changed later.
        Revised,
    }
}

/// A movement of money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantTransaction {
    /// The day.
    pub on: FullDate,
    /// How much.
    #[validate(nested)]
    pub amount: Money,
    /// Of what kind.
    pub kind: TransactionKind,
    /// Who gave it.
    pub provider_id: Option<OrganisationRef>,
    /// Who received it.
    pub receiver_id: Option<OrganisationRef>,
    /// What for.
    pub description: Option<Text>,
}

words! {
    /// A kind of movement of money.
    pub enum TransactionKind {
        /// Money received; IATI 1.
        IncomingFunds,
        /// Money promised to others; IATI 2.
        Commitment,
        /// Money passed on; IATI 3.
        Disbursement,
        /// Money spent; IATI 4.
        Expenditure,
        /// Money promised by others; IATI 11.
        IncomingCommitment,
    }
}

/// Narrows a list of grant arrangements.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrantArrangementFilter {
    /// Of one of these projects, by id or slug.
    pub project: OneOf<Key>,
    /// With one of these parties, by id or slug.
    pub organisation: OneOf<Key>,
    /// Whose status is one of these.
    pub status: OneOf<GrantStatus>,
}

/// Orders a list of grant arrangements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantArrangementSort {
    /// By the day of signature.
    #[default]
    SignedOn,
    /// By title.
    Title,
}

impl Resource for GrantArrangement {
    const NAME: &'static str = "grant arrangement";
    const COLLECTION: &'static str = "grant-arrangements";
    type Filter = GrantArrangementFilter;
    type SortKey = GrantArrangementSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        self.slug.as_ref().map(Slug::as_str)
    }

    fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

/// What is agreed is no debt; only movements of money are taken back.
fn is_not_negative(money: &Money) -> Result<(), ValidationError> {
    if !money.amount.is_negative() {
        return Ok(());
    }
    Err(broken_at("/amount", "too_small", "It is at least 0."))
}

/// Refuses a budget of which it cannot be said how much of it still holds.
fn revises_whole_budgets(budgets: &[GrantBudget]) -> Result<(), ValidationError> {
    let days = |one: &GrantBudget, other: &GrantBudget| {
        let (from, to) = (one.from.day().max(other.from.day()), one.to.day().min(other.to.day()));
        ((to - from).num_days() + 1).max(0)
    };
    let revised = |until: usize| {
        let before = budgets[..until].iter();
        before.filter(|budget| budget.kind == BudgetKind::Revised)
    };
    for (place, budget) in budgets.iter().enumerate() {
        match budget.kind {
            BudgetKind::Revised if revised(place).any(|other| days(budget, other) > 0) => {
                let message = "A revised budget before it has some of its days: keep the newest.";
                return Err(broken_at(format!("/{place}/from"), "revised_twice", message));
            }
            BudgetKind::Original => {
                let covered: i64 = revised(budgets.len()).map(|other| days(budget, other)).sum();
                if covered > 0 && covered < days(budget, budget) {
                    let message = "It is revised for some of its days: revise all of them.";
                    return Err(broken_at(format!("/{place}/from"), "revised_in_part", message));
                }
            }
            BudgetKind::Revised => {}
        }
    }
    Ok(())
}

fn lasts_at_most_a_year(budget: &GrantBudget) -> Result<(), ValidationError> {
    let (from, to) = (budget.from.day(), budget.to.day());
    if to < from {
        return Err(ends_too_early("/to"));
    }
    if a_year_after(from).is_none_or(|end| to < end) {
        return Ok(());
    }
    Err(broken_at("/to", "longer_than_a_year", "A budget is for at most a year."))
}

/// The same day a year later; after the 29th of February comes the 1st of March.
#[must_use]
pub fn a_year_after(day: NaiveDate) -> Option<NaiveDate> {
    day.with_year(day.year() + 1).or_else(|| day.succ_opt()?.with_year(day.year() + 1))
}

fn ends_after_it_starts(it: &GrantArrangement) -> Result<(), ValidationError> {
    in_order(it.effective_from.as_ref(), it.effective_to.as_ref(), "/effective_to")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_one_whichever_day_it_begins_on() {
        let lasts = |from: &str, to: &str| {
            let day = |text: &str| text.parse().expect("a day");
            a_year_after(day(from)) > Some(day(to))
        };
        for (from, last, next) in [
            ("2024-02-29", "2025-02-28", "2025-03-01"),
            ("2023-03-01", "2024-02-29", "2024-03-01"),
            ("2024-01-01", "2024-12-31", "2025-01-01"),
        ] {
            assert!(lasts(from, last) && !lasts(from, next), "{from}");
        }
    }
}
