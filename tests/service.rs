//! What the whole service does, seen from outside: every test talks HTTP to a real server over a
//! database of its own.
mod contract;
mod edge;
mod harness;
mod life;
mod sample;
