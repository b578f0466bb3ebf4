//! Imports: bundles and sheets that are sent, checked and taken in beside the requests.
//!
//! - [`Order`] says how something is to be taken, and [`Prepared`] is what was sent, found to be
//!   readable: what is wrong with either is told at once, as a [`Problem`](crate::Problem).
//! - [`Prepared::run`] takes it in, for the service and for the command line alike: it first checks
//!   every row and then writes step by step. What comes of it is a [`Report`].
//! - `http` speaks of imports over HTTP, and `jobs` does them in the background.
mod http;
mod jobs;
mod order;
mod report;
mod run;

pub use order::{ImportFormat, Order, Prepared};
pub use report::{Counts, ImportChange, ImportFault, Report};
pub use run::Ended;

pub(crate) use http::routes;
pub(crate) use jobs::{Imports, Job, work};
pub(crate) use order::{SYSTEM, unreadable};
pub(crate) use report::Read;

/// What imports are called in addresses.
pub(crate) const COLLECTION: &str = "imports";
/// Of how many changes a report tells.
pub(crate) const MOST_CHANGES: usize = 500;
/// Of how many faults a report tells.
pub(crate) const MOST_FAULTS: usize = 1000;
