//! Speaks HTTP for the records.
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
mod formats;
mod health;
mod history;
mod idempotency;
mod openapi;
mod problem;
mod programme;
mod query;
mod service;
mod webhook;

pub use openapi::openapi;
pub use problem::{Fault, Problem, ProblemBody};
pub use service::{Service, Settings, serve};
