//! What the whole service does, seen from outside: every test talks HTTP to a real server over a
//! database of its own.
mod aborted;
mod authorisation;
mod changes;
mod contention;
mod contract;
mod edge;
mod export;
mod formats;
mod harness;
mod history;
mod iati;
mod idempotency;
mod imports;
mod leaks;
mod life;
mod logged;
mod participants;
mod publication;
mod reading;
mod roles;
mod running;
mod sample;
mod search;
mod statistics;
mod tokens;
mod webhooks;
