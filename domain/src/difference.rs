//! What differs between two bodies.
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::shape::escaped;

/// A place in which two bodies differ.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Difference {
    /// Where, as a JSON pointer; empty for the whole body.
    #[schema(example = "/starts_on")]
    pub pointer: String,
    /// What was there; left out when there was nothing, which null is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false, example = "2021-11")]
    pub before: Option<Value>,
    /// What is there now; left out when there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false, example = "2021-11-04")]
    pub after: Option<Value>,
}

/// Everything that differs: objects are compared by field, lists by place.
#[must_use]
pub fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), before, after, &mut found);
    found
}

fn compare(
    pointer: String,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (before, after) {
        _ if before == after => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                let inner = format!("{pointer}/{}", escaped(name));
                compare(inner, old.get(name), new.get(name), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for place in 0..old.len().max(new.len()) {
                compare(format!("{pointer}/{place}"), old.get(place), new.get(place), found);
            }
        }
        _ => {
            found.push(Difference { pointer, before: before.cloned(), after: after.cloned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    use serde_json::{Map, Value, json};

    use super::{Difference, differences};

    fn told(before: &Value, after: &Value) -> Value {
        json!(differences(Some(before), Some(after)))
    }

    #[test]
    fn what_is_another_what_is_new_and_what_is_gone_is_told_by_its_place() {
        let before = json!({"a": {"x/y": 1, "m~n": 2}, "b": [1, 2, 3], "c": null, "d": [1]});
        let after = json!({"a": {"x/y": 9, "new": 3}, "b": [1, 7], "c": {}, "d": {"0": 1}});
        let expected = json!([
            {"pointer": "/a/x~1y", "before": 1, "after": 9},
            {"pointer": "/a/m~0n", "before": 2},
            {"pointer": "/a/new", "after": 3},
            {"pointer": "/b/1", "before": 2, "after": 7},
            {"pointer": "/b/2", "before": 3},
            {"pointer": "/c", "before": null, "after": {}},
            {"pointer": "/d", "before": [1], "after": {"0": 1}},
        ]);
        assert_eq!(told(&before, &after), expected);
    }

    #[test]
    fn nothing_differs_from_itself_and_null_is_not_nothing() {
        let body = json!({"a": null, "b": [{"c": 1}]});
        assert_eq!(told(&body, &body), json!([]));
        assert_eq!(
            told(&json!({}), &json!({"a": null})),
            json!([{"pointer": "/a", "after": null}])
        );
        let whole =
            [Difference { pointer: String::new(), before: None, after: Some(body.clone()) }];
        assert_eq!(differences(None, Some(&body)), whole);
        assert_eq!(differences(None, None), []);
    }

    fn any(random: &mut StdRng, depth: u32) -> Value {
        let kinds = if depth == 0 { 4 } else { 6 };
        let size = random.random_range(0..4);
        match random.random_range(0..kinds) {
            0 => Value::Null,
            1 => random.random_bool(0.5).into(),
            2 => random.random_range(0..3).into(),
            3 => ["a", "b/c", "~d"][random.random_range(0..3)].into(),
            4 => (0..size).map(|_| any(random, depth - 1)).collect(),
            _ => {
                let names = ["", "a", "0", "b/c", "~1"];
                let fields = (0..size).map(|_| {
                    let name = names[random.random_range(0..names.len())];
                    (name.to_owned(), any(random, depth - 1))
                });
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }

    /// A value after those differences have been made to it.
    fn applied(before: &Value, differences: Vec<Difference>) -> Option<Value> {
        let mut whole = Some(before.clone());
        // Of a list that has become shorter, the last goes first.
        let (gone, rest): (Vec<_>, Vec<_>) =
            differences.into_iter().partition(|one| one.after.is_none());
        for one in rest.into_iter().chain(gone.into_iter().rev()) {
            let Some((above, step)) = one.pointer.rsplit_once('/') else {
                whole = one.after;
                continue;
            };
            let name = step.replace("~1", "/").replace("~0", "~");
            match (whole.as_mut()?.pointer_mut(above)?, one.after) {
                (Value::Object(fields), Some(after)) => drop(fields.insert(name, after)),
                (Value::Object(fields), None) => drop(fields.remove(&name)),
                (Value::Array(items), after) => {
                    let place: usize = name.parse().ok()?;
                    match after {
                        Some(after) if place == items.len() => items.push(after),
                        Some(after) => items[place] = after,
                        None => drop(items.remove(place)),
                    }
                }
                _ => return None,
            }
        }
        whole
    }

    #[test]
    fn the_differences_made_to_the_old_give_the_new() {
        let mut random = StdRng::seed_from_u64(7);
        for _ in 0..20_000 {
            let (before, after) = (any(&mut random, 3), any(&mut random, 3));
            let found = differences(Some(&before), Some(&after));
            for one in &found {
                assert_eq!(before.pointer(&one.pointer), one.before.as_ref(), "{before} {after}");
                assert_eq!(after.pointer(&one.pointer), one.after.as_ref(), "{before} {after}");
                assert_ne!(one.before, one.after);
            }
            assert_eq!(applied(&before, found), Some(after.clone()), "{before} {after}");
        }
    }
}
