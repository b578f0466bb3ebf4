//! Adds, changes and removes participants.
use std::slice::from_ref;

use chrono::Months;
use domain::{Consent, Email, Line, Participant, Ref, Resource, Shape, Violation};
use sea_orm::{DatabaseTransaction, IntoActiveModel, QuerySelect, entity::prelude::*};
use serde_json::json;

use super::{Column, Entity, KeptParticipant, Model, one, within};
use crate::{
    Author, Error, Store,
    change::retried,
    dialect,
    index::code,
    insert,
    log::{self, Change},
    reference::{self, Known},
};

/// What somebody wrote, with ids for names.
pub(super) struct Settled {
    pub(super) body: Participant,
    pub(super) activity: Uuid,
}

impl Store {
    /// Keeps a new participant.
    pub async fn create_participant(
        &self,
        by: &Author,
        body: &Participant,
    ) -> Result<KeptParticipant, Error> {
        let id = self.new_id();
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let known = named(&tx, by, from_ref(body)).await?;
            let settled = judged(settle(&known, body), untimely(self.today(), body))?;
            let row = fresh(id, self.now(), &settled);
            refuse_double(&tx, &row).await?;
            insert(&tx, vec![row.clone()]).await?;
            note(&tx, by, self.now(), vec![told("create", &row)]).await?;
            let kept = one(&tx, row).await?;
            log::commit(self, tx).await?;
            Ok(kept)
        })
        .await
    }

    /// Puts other data in place of a participant's who is still at one of those revisions.
    pub async fn replace_participant(
        &self,
        by: &Author,
        id: Uuid,
        revisions: &[i64],
        body: &Participant,
    ) -> Result<KeptParticipant, Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let old = locked(&tx, by, id, Some(revisions)).await?;
            let known = named(&tx, by, from_ref(body)).await?;
            let broken = match old.erased_at {
                None => untimely(self.today(), body).into_iter().collect(),
                Some(_) => identifying(body),
            };
            let settled = judged(settle(&known, body), broken)?;
            let row = changed(&old, self.now(), &settled);
            refuse_double(&tx, &row).await?;
            update(&tx, &row).await?;
            note(&tx, by, self.now(), vec![told("replace", &row)]).await?;
            let taken_away = identity(&old) != identity(&row);
            let kept = one(&tx, row).await?;
            log::commit(self, tx).await?;
            if taken_away {
                dialect::forget(self.db()).await;
            }
            Ok(kept)
        })
        .await
    }

    /// Removes a participant who is still at one of those revisions, as if they had never been there.
    pub async fn delete_participant(
        &self,
        by: &Author,
        id: Uuid,
        revisions: &[i64],
    ) -> Result<(), Error> {
        retried(async || {
            let tx = dialect::begin(self.db()).await?;
            let old = locked(&tx, by, id, Some(revisions)).await?;
            Entity::delete_by_id(id).exec(&tx).await?;
            let gone = Model { revision: old.revision + 1, ..old };
            note(&tx, by, self.now(), vec![told("delete", &gone)]).await?;
            log::commit(self, tx).await?;
            dialect::forget(self.db()).await;
            Ok(())
        })
        .await
    }
}

/// By what somebody can be told to be who they are.
fn identity(of: &Model) -> [&Option<String>; 4] {
    [&of.name, &of.email, &of.organisation_name, &of.certificate_number]
}

/// What somebody wrote, unless something else is wrong with it besides what it names.
fn judged(
    settled: Result<Settled, Vec<Violation>>,
    broken: impl IntoIterator<Item = Violation>,
) -> Result<Settled, Error> {
    let mut broken: Vec<_> = broken.into_iter().collect();
    match settled {
        Ok(settled) if broken.is_empty() => return Ok(settled),
        Ok(_) => {}
        Err(missing) => broken.extend(missing),
    }
    Err(Error::Refused(broken))
}

/// The row of a participant who is new.
pub(super) fn fresh(id: Uuid, now: DateTimeUtc, settled: &Settled) -> Model {
    let Settled { body, activity } = settled;
    let mut days = body.days_attended.clone();
    if let Some(days) = &mut days {
        days.sort_unstable();
    }
    let text = |line: &Option<Line>| line.as_ref().map(|line| line.as_str().to_owned());
    let certificate = body.certificate.as_ref();
    Model {
        id,
        revision: 1,
        activity_id: *activity,
        name: text(&body.name),
        email: body.email.as_ref().map(|email| email.as_str().to_owned()),
        email_key: body.email.as_ref().map(Email::key),
        organisation_id: body.organisation_id.as_ref().map(Ref::id),
        organisation_name: text(&body.organisation_name),
        country: body.country.as_str().to_owned(),
        sex: code(body.sex.as_ref()),
        seniority: code(body.seniority.as_ref()),
        days: days.as_ref().and_then(|days| i64::try_from(days.len()).ok()),
        days_attended: days.map(|days| json!(days).to_string()),
        certified: certificate.is_some(),
        certificate_number: certificate.and_then(|one| text(&one.number)),
        certificate_on: certificate.and_then(|one| Some(one.issued_on.as_ref()?.day())),
        consent: code(Some(&body.consent)).unwrap_or_default(),
        retain_until: body.retain_until.day(),
        created_at: now,
        updated_at: now,
        erased_at: None,
    }
}

/// The row of a participant of whom something else is known now.
pub(super) fn changed(old: &Model, now: DateTimeUtc, settled: &Settled) -> Model {
    Model {
        revision: old.revision + 1,
        created_at: old.created_at,
        updated_at: Ord::max(now, old.updated_at),
        erased_at: old.erased_at,
        ..fresh(old.id, now, settled)
    }
}

/// What is wrong with how long somebody's data is to be kept.
pub(super) fn untimely(today: Date, body: &Participant) -> Option<Violation> {
    let last = today.checked_add_months(Months::new(12 * Participant::MOST_YEARS));
    let (code, detail) = match body.retain_until.day() {
        day if day < today => ("in_the_past", "It is over already.".to_owned()),
        day if last.is_some_and(|last| day > last) => {
            ("too_late", format!("It is at most {} years from now.", Participant::MOST_YEARS))
        }
        _ => return None,
    };
    Some(Violation::new("/retain_until", code, detail))
}

/// What would identify somebody again who was erased: what is left may be corrected, and whom it is
/// about stays unknown.
fn identifying(body: &Participant) -> Vec<Violation> {
    let told = [
        ("/consent", body.consent == Consent::Given),
        ("/organisation_id", body.organisation_id.is_some()),
    ];
    let detail = "What identified this person was taken away for good.";
    let broken = told.into_iter().filter(|(_, told)| *told);
    broken.map(|(pointer, _)| Violation::new(pointer, "erased", detail)).collect()
}

/// Writes changes of participants to the log; after this nothing but the commit may follow.
pub(super) async fn note(
    tx: &DatabaseTransaction,
    by: &Author,
    at: DateTimeUtc,
    changes: Vec<Change>,
) -> Result<(), Error> {
    log::lock(tx).await?;
    log::note(tx, by, at, changes).await
}

/// A change of a participant, as the log tells it: that there was one, and nothing of what was
/// changed. It has no state, so the feed knows nothing of it.
pub(super) fn told(operation: &'static str, row: &Model) -> Change {
    Change {
        operation,
        resource: Participant::COLLECTION,
        id: row.id,
        revision: row.revision,
        slug: None,
        body: None,
        state_before: None,
        state: None,
    }
}

/// The participant of that id, to be changed by somebody who may know of them.
pub(super) async fn locked(
    tx: &DatabaseTransaction,
    by: &Author,
    id: Uuid,
    revisions: Option<&[i64]>,
) -> Result<Model, Error> {
    let found = Entity::find_by_id(id).filter(within(&by.sight())).lock_exclusive().one(tx).await?;
    let row = found.ok_or(Error::NotFound)?;
    if revisions.is_none_or(|revisions| revisions.contains(&row.revision)) {
        Ok(row)
    } else {
        Err(Error::Stale)
    }
}

/// What those participants name, of what their author may keep participants of.
pub(super) async fn named(
    db: &impl ConnectionTrait,
    by: &Author,
    bodies: &[Participant],
) -> Result<Known, Error> {
    let shape = Shape::of::<Participant>();
    let references: Vec<_> =
        bodies.iter().flat_map(|body| shape.references(&json!(body))).collect();
    let mut known = Known::default();
    reference::look_up_among(db, &by.sight().of_drafts(), &references, &mut known).await?;
    Ok(known)
}

/// Puts ids for names, or says which names nobody has.
pub(super) fn settle(known: &Known, body: &Participant) -> Result<Settled, Vec<Violation>> {
    let mut value = json!(body);
    let references = Shape::of::<Participant>().references(&value);
    reference::settle(&mut value, &references, known)?;
    let body: Participant = serde_json::from_value(value).expect("an id stands where a name stood");
    let seminar = body.seminar_id.as_ref().map(Ref::id);
    let activity = seminar.or_else(|| Some(body.study_visit_id.as_ref()?.id()));
    let activity = activity.expect("a participant is of one activity");
    Ok(Settled { body, activity })
}

/// Refuses somebody who is at that activity already.
async fn refuse_double(tx: &DatabaseTransaction, row: &Model) -> Result<(), Error> {
    let Some(key) = &row.email_key else { return Ok(()) };
    let same = Entity::find()
        .filter(Column::ActivityId.eq(row.activity_id))
        .filter(Column::EmailKey.eq(key.as_str()))
        .filter(Column::Id.ne(row.id));
    match same.one(tx).await? {
        None => Ok(()),
        Some(_) => {
            let detail = "Another participant of this activity has this address.";
            Err(Error::Refused(vec![Violation::new("/email", "already_there", detail)]))
        }
    }
}

pub(super) async fn insert(tx: &DatabaseTransaction, rows: Vec<Model>) -> Result<(), Error> {
    let rows = rows.into_iter().map(|row| row.into_active_model().reset_all()).collect();
    insert::all::<Entity>(tx, rows).await
}

/// Writes a row over the one of the revision before.
pub(super) async fn update(tx: &DatabaseTransaction, row: &Model) -> Result<(), Error> {
    let changed = Entity::update_many()
        .set(row.clone().into_active_model().reset_all())
        .filter(Column::Id.eq(row.id))
        .filter(Column::Revision.eq(row.revision - 1))
        .exec(tx)
        .await?;
    if changed.rows_affected == 1 { Ok(()) } else { Err(Error::Stale) }
}
