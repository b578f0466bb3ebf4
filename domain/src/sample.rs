//! The first seminar: the real records that a new registry begins with, and that the contract
//! takes its examples from.
use serde_json::Value;

/// The first seminar as a bundle, in the form that `capacity-hub import` reads.
pub const BUNDLE: &str = include_str!("../data/first-seminar.json");

/// Made up, for kinds of record that the first seminar has none of.
const EXAMPLES: &str = include_str!("../data/examples.json");

/// A body of that collection: a record of the first seminar where it has one.
///
/// # Panics
/// When neither the sample nor the examples have one.
#[must_use]
pub fn example(collection: &str) -> Value {
    let take = |text: &str| -> Option<Value> {
        let bundle: Value = serde_json::from_str(text).expect("the sample is JSON");
        bundle["records"][collection].get(0).cloned()
    };
    take(BUNDLE).or_else(|| take(EXAMPLES)).expect("every collection has an example")
}
