//! Speaks HTTP for the records.
mod body;
mod country;
mod crud;
mod docs;

mod edge;
mod health;
mod openapi;
mod problem;
mod query;
mod service;

pub use openapi::openapi;
pub use problem::{Fault, Problem, ProblemBody};
pub use service::{Settings, serve};
