//! Speaks HTTP for the records.
mod actor;
mod address;
mod background;
mod body;
mod changes;
mod country;
mod crud;
mod delivery;
mod docs;

mod edge;
mod export;
mod file;
mod formats;
mod health;
mod history;
mod idempotency;
mod openapi;
mod problem;
mod programme;
mod proposal;
mod query;
mod reader;
mod search;
mod service;
#[allow(dead_code, unused_imports, reason = "imports are to read sheets")]
mod sheet;
mod token;
mod webhook;

pub use openapi::openapi;
pub use problem::{Fault, Problem, ProblemBody};
pub use service::{Service, Settings, serve};
