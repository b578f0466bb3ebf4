//! What records contribute to figures, and the figures.
mod answer;
mod contribution;
mod converted;
mod metric;
mod protected;
mod question;

pub use answer::{Figure, Figures, MOST_GROUPS};
pub use contribution::Contribution;
pub(crate) use contribution::{Fact, Held, LOW, MICROS, activity, micros};
pub use converted::{Converted, Rate};
pub use metric::Count;
pub use protected::SMALLEST_COUNT;
pub use question::{Among, Question, Value, basis_of};
pub(crate) use question::{Ones, basis_of_people};
