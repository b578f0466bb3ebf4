//! What records contribute to figures, and the figures.
mod answer;
mod fact;
mod protected;
mod question;

pub use answer::{Figure, Figures, MOST_GROUPS};
pub use fact::Contribution;
pub(crate) use fact::{Fact, Held, LOW, MICROS, micros};
pub use question::{Among, Question, Value};
