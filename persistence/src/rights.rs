//! Who changes something, and how far they may go.
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{
    Error, Sight, Stored, record,
    reference::{self, links_of},
    sight::{PART_OF, PROJECT, is_project, of_no_project, published},
};

/// Who changes something, and how far they may go.
#[derive(Clone, Debug)]
pub struct Author {
    /// The token, or the command, that it is done with.
    pub name: String,
    /// The request that it is done in.
    pub request_id: Option<String>,
    /// Whether what they write may become public.
    pub publishes: bool,
    /// Whether they may also publish what they wrote themselves.
    pub alone: bool,
    /// The projects that they are limited to, if they are.
    pub projects: Option<Vec<Uuid>>,
    /// Why they do it, if they say so.
    pub note: Option<String>,
}

impl Author {
    /// A part of the program, which may do everything.
    #[must_use]
    pub fn program(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            request_id: None,
            publishes: true,
            alone: true,
            projects: None,
            note: None,
        }
    }

    /// What they may see.
    #[must_use]
    pub fn sight(&self) -> Sight {
        self.projects.clone().map_or(Sight::All, Sight::Projects)
    }
}

/// Refuses those who may not decide what is public.
pub(crate) fn may_decide(by: &Author, within: bool) -> Result<(), Error> {
    match (by.publishes, within) {
        (true, true) => Ok(()),
        (true, false) => Err(Error::Limited),
        (false, _) => Err(Error::Forbidden),
    }
}

/// Refuses those who may not make public what they wrote themselves.
fn may_publish(by: &Author, within: bool) -> Result<(), Error> {
    may_decide(by, within)?;
    if by.alone { Ok(()) } else { Err(Error::SamePerson) }
}

/// Refuses who may not add a record with those references, or not make it public.
pub(crate) async fn may_add<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    id: Uuid,
    publish: bool,
    links: &[(String, Uuid)],
) -> Result<(), Error> {
    let within = rights::<R>(tx, by, id, links).await?;
    if publish { may_publish(by, within) } else { Ok(()) }
}

/// Whether the author may have a record refer to those from now on; else the change is to be kept
/// aside until a publisher decides.
pub(crate) async fn may_replace<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    old: &record::Model,
    links: &[(String, Uuid)],
) -> Result<bool, Error> {
    let within = rights_of::<R>(tx, by, old).await?;
    let within = rights::<R>(tx, by, old.id, links).await? && within;
    Ok(old.state != published() || (within && by.publishes && by.alone))
}

/// Whether the author may publish a record with those references, where it stands among the
/// projects; what belongs to other projects is not theirs to write.
///
/// What belongs to no project is everybody's: who is limited to some writes drafts of it, and
/// suggests the rest.
pub(crate) async fn rights<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    id: Uuid,
    links: &[(String, Uuid)],
) -> Result<bool, Error> {
    let Some(projects) = &by.projects else { return Ok(true) };
    if of_no_project(R::COLLECTION) {
        return Ok(false);
    }
    let mut of: Vec<Uuid> = Vec::new();
    if is_project(R::COLLECTION) {
        of.push(id);
    }
    of.extend(links.iter().filter(|(field, _)| field == PROJECT).map(|(_, id)| *id));
    let parts = links.iter().filter(|(field, _)| PART_OF.contains(&field.as_str()));
    let wholes: Vec<Uuid> = parts.map(|(_, id)| *id).collect();
    if !wholes.is_empty() {
        let above: Vec<Uuid> = reference::Entity::find()
            .select_only()
            .column(reference::Column::TargetId)
            .filter(reference::Column::SourceId.is_in(wholes))
            .filter(reference::Column::Field.eq(PROJECT))
            .into_tuple()
            .all(tx)
            .await?;
        of.extend(above);
    }
    let within = !of.is_empty() && of.iter().all(|project| projects.contains(project));
    if within { Ok(true) } else { Err(Error::OtherProject) }
}

/// The same, for a record as it is.
pub(crate) async fn rights_of<R: Stored>(
    tx: &DatabaseTransaction,
    by: &Author,
    row: &record::Model,
) -> Result<bool, Error> {
    if by.projects.is_none() {
        return Ok(true);
    }
    rights::<R>(tx, by, row.id, &links_of(tx, row.id).await?).await
}
