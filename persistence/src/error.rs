use domain::{State, Violation};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, sqlx};
use uuid::Uuid;

use crate::dialect;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No record has that id or slug.
    #[error("there is no such record")]
    NotFound,
    /// The record has been changed since the client read it.
    #[error("the record has been changed")]
    Stale,
    /// Another record of the resource has that slug.
    #[error("the slug is taken")]
    Taken,
    /// A request with that key is still being answered.
    #[error("a request with that key is still being answered")]
    InFlight,
    /// The key has been used for another request.
    #[error("the key has been used for another request")]
    KeyReused,
    /// Others refer to the record.
    #[error("others refer to the record")]
    InUse(Vec<Referrer>),
    /// The author may not go so far.
    #[error("it takes a publisher")]
    Forbidden,
    /// What belongs to no project is not for who is limited to some.
    #[error("it belongs to no project")]
    Limited,
    /// Somebody else made it.
    #[error("somebody else made it")]
    NotTheirs,
    /// The record belongs to projects that the author has nothing to do with.
    #[error("it belongs to another project")]
    OtherProject,
    /// Who wrote it may not publish it.
    #[error("somebody else has to publish it")]
    SamePerson,
    /// The step cannot be taken in that state.
    #[error("the record stands elsewhere")]
    WrongState(State),
    /// The record has changed since the change to it was proposed.
    #[error("the record has moved on")]
    MovedOn(i64),
    /// The proposal was decided before.
    #[error("it was decided before")]
    Decided,
    /// It breaks rules that other records have to do with.
    #[error("the record contradicts other records")]
    Refused(Vec<Violation>),
    /// The place to go on from does not fit the list.
    #[error("the cursor does not fit the list")]
    InvalidCursor,
    /// The database is away, or too busy; trying again may help.
    #[error("the database is away")]
    Unavailable(#[source] DbErr),
    /// Changes at the same time got into each other's way; trying again will help.
    #[error("changes collided")]
    Collided(#[source] DbErr),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] DbErr),
}

/// Who refers to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Its collection.
    pub collection: String,
    /// Its id; none where nobody is to learn it.
    pub id: Option<Uuid>,
    /// Its slug, if it has one.
    pub slug: Option<String>,
    /// The field in which it does.
    pub field: String,
}

impl Error {
    /// Whether it is the database that did not do it.
    #[must_use]
    pub fn is_of_database(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Collided(_) | Self::Database(_))
    }

    /// What it comes from: what the database says, where it is the database that failed.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::Unavailable(cause) | Self::Collided(cause) | Self::Database(cause) => {
                dialect::cause(cause)
            }
            other => other.to_string(),
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        let cause = match &error {
            DbErr::ConnectionAcquire(_) => return Self::Unavailable(error),
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause,
            _ => return Self::Database(error),
        };
        let sqlx::Error::Database(told) = &**cause else {
            return match **cause {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
                _ => Self::Database(error),
            };
        };
        let code = told.code().unwrap_or_default().into_owned();
        let constraint = told.constraint().unwrap_or_default();
        let message = told.message();
        match code.as_str() {
            // The last three: a reference to a record that has just gone, or just got one.
            "40001" | "40P01" | "23503" | "787" | "1811" => Self::Collided(error),
            "23505" | "2067" | "1555"
                if constraint == "record_resource_slug_key"
                    || message.contains("record.resource, record.slug") =>
            {
                Self::Taken
            }
            // The id is there already: a deleted record has come back meanwhile.
            "23505" | "1555" if constraint == "record_pkey" || message.ends_with("record.id") => {
                Self::Stale
            }
            // Another import gives the same name from outside at the same time.
            "23505" | "1555" | "2067"
                if constraint == "external_id_pkey" || message.contains("external_id.") =>
            {
                Self::Collided(error)
            }
            // The same person comes in twice at the same time.
            "23505" | "2067"
                if constraint == "participant_activity_id_email_key_key"
                    || message.contains("participant.activity_id, participant.email_key") =>
            {
                Self::Collided(error)
            }
            // The last: it became a replica while another took its place.
            "57014" | "55P03" | "53300" | "57P01" | "57P02" | "57P03" | "25P03" | "25006" => {
                Self::Unavailable(error)
            }
            // SQLite: busy, locked, and their extended codes.
            "5" | "6" | "261" | "517" | "262" => Self::Unavailable(error),
            code if code.starts_with("08") => Self::Unavailable(error),
            _ => Self::Database(error),
        }
    }
}

/// Whether a replica is gone, or has given up a statement for what it has to follow; after that its
/// transaction is dead.
pub(crate) fn lost(error: &DbErr) -> bool {
    let cause = match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause,
        DbErr::ConnectionAcquire(_) => return true,
        _ => return false,
    };
    match &**cause {
        sqlx::Error::Database(told) => {
            let code = told.code().unwrap_or_default();
            matches!(&*code, "40001" | "25P02" | "25P03")
                || code.starts_with("57P")
                || code.starts_with("08")
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        _ => false,
    }
}

/// Nobody answered for as long as they are waited for.
pub(crate) fn late() -> Error {
    Error::Unavailable(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
}

pub(crate) fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Database(sea_orm::DbErr::Type(error.to_string()))
}
