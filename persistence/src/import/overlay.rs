//! A body that tells some fields only, laid over one that tells all.
use serde_json::{Map, Value};

/// A step to a field that an incoming body tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldStep {
    /// The field of that name.
    Field(String),
    /// Every item of a list.
    Items,
    /// Every language of a text but those.
    LanguagesBut(Vec<String>),
    /// The field itself, a number that is kept as a text: a spreadsheet leaves out the zeros at its
    /// end, which changes nothing.
    Decimal,
}

/// The old body with the told fields of the new one: what the new one leaves out there is not known
/// any more.
pub(crate) fn overlaid(old: &Value, new: &Value, told: &[Vec<FieldStep>]) -> Value {
    let paths: Vec<&[FieldStep]> = told.iter().map(Vec::as_slice).collect();
    match merged(Some(old), Some(new), &paths) {
        Value::Null => Value::Object(Map::new()),
        merged => merged,
    }
}

fn merged(old: Option<&Value>, new: Option<&Value>, paths: &[&[FieldStep]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return new.cloned().unwrap_or_default();
    }
    if paths.iter().any(|path| path[0] == FieldStep::Decimal) {
        let told = if is_same_number(old, new) { old } else { new };
        return told.cloned().unwrap_or_default();
    }
    if paths.iter().any(|path| path[0] == FieldStep::Items) {
        let rest: Vec<_> = paths.iter().map(|path| &path[1..]).collect();
        return items(old, new, &rest);
    }
    let mut fields = old.and_then(Value::as_object).cloned().unwrap_or_default();
    for (place, path) in paths.iter().enumerate() {
        match &path[0] {
            FieldStep::Field(name) => {
                let same = |path: &&&[FieldStep]| path[0] == paths[place][0];
                if paths[..place].iter().any(|path| same(&path)) {
                    continue;
                }
                let rest: Vec<_> = paths.iter().filter(same).map(|path| &path[1..]).collect();
                let inner = new.and_then(|new| new.get(name));
                let value = merged(fields.get(name), inner, &rest);
                set(&mut fields, name, value);
            }
            FieldStep::LanguagesBut(others) => {
                fields.retain(|tag, _| others.contains(tag));
                let told = new.and_then(Value::as_object).into_iter().flatten();
                let told = told.filter(|(tag, _)| !others.contains(tag));
                fields.extend(told.map(|(tag, text)| (tag.clone(), text.clone())));
            }
            FieldStep::Items | FieldStep::Decimal => {}
        }
    }
    // Of what nothing is known, nothing is left, unless it is told that it is there.
    match fields.values().all(Value::is_null) && !new.is_some_and(Value::is_object) {
        true => Value::Null,
        false => Value::Object(fields),
    }
}

fn is_same_number(old: Option<&Value>, new: Option<&Value>) -> bool {
    let number = |value: Option<&Value>| {
        let text = value?.as_str()?;
        let whole = text.contains('.').then(|| text.trim_end_matches('0').trim_end_matches('.'));
        Some(whole.unwrap_or(text).to_owned())
    };
    number(old).is_some_and(|old| number(new) == Some(old))
}

/// A list: an item that is told as it was keeps what is not told of it.
fn items(old: Option<&Value>, new: Option<&Value>, rest: &[&[FieldStep]]) -> Value {
    let Some(new) = new.and_then(Value::as_array) else { return Value::Null };
    let mut known: Vec<&Value> = old.and_then(Value::as_array).into_iter().flatten().collect();
    let kept = new.iter().map(|item| {
        let unchanged =
            |old: &&Value| known_of(&merged(Some(old), Some(item), rest)) == known_of(old);
        match known.iter().position(unchanged) {
            Some(place) => known.remove(place).clone(),
            None => item.clone(),
        }
    });
    Value::Array(kept.collect())
}

fn set(fields: &mut Map<String, Value>, name: &str, value: Value) {
    match value {
        Value::Null => drop(fields.remove(name)),
        value => drop(fields.insert(name.to_owned(), value)),
    }
}

/// What is known in a body: null is the same as nothing.
pub(crate) fn known_of(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(known.map(|(name, value)| (name.clone(), known_of(value))).collect())
        }
        Value::Array(items) => items.iter().map(known_of).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `a.b` is a field of a field, `*` stands for items, `!en,ru` for other languages, `#` for a
    /// decimal.
    fn laid(old: &Value, new: &Value, told: &[&str]) -> Value {
        let step = |step: &str| match step.strip_prefix('!') {
            _ if step == "*" => FieldStep::Items,
            None if step == "#" => FieldStep::Decimal,
            Some(tags) => FieldStep::LanguagesBut(tags.split(',').map(str::to_owned).collect()),
            None => FieldStep::Field(step.to_owned()),
        };
        let told: Vec<Vec<_>> =
            told.iter().map(|path| path.split('.').map(step).collect()).collect();
        overlaid(old, new, &told)
    }

    #[test]
    fn what_is_told_replaces_and_what_is_left_out_there_is_not_known_any_more() {
        let old = json!({"title": {"en": "Old", "ru": "Старое"}, "kind": "seminar", "ordinal": 3});
        let new = json!({"title": {"en": "New"}});
        assert_eq!(
            laid(&old, &new, &["title.en", "ordinal"]),
            json!({"title": {"en": "New", "ru": "Старое"}, "kind": "seminar"})
        );
        assert_eq!(
            laid(&old, &json!({}), &["title.en", "title.ru"]),
            json!({"kind": "seminar", "ordinal": 3})
        );
    }

    #[test]
    fn an_item_that_is_told_as_it_was_keeps_the_rest_of_it() {
        let old = json!({"speakers": [
            {"person_id": "a", "role": "opener", "position": null},
            {"person_id": "b", "role": "presenter", "country": "KR"},
        ]});
        let new = json!({"speakers": [{"person_id": "b"}, {"person_id": "c"}]});
        assert_eq!(
            laid(&old, &new, &["speakers.*.person_id"]),
            json!({"speakers": [
                {"person_id": "b", "role": "presenter", "country": "KR"}, {"person_id": "c"},
            ]})
        );
    }

    #[test]
    fn a_decimal_is_the_same_without_the_zeros_at_its_end() {
        let old = json!({"amount": {"amount": "1.50", "currency": "USD"}, "order": "1.50"});
        for (told, kept) in [("1.5", "1.50"), ("1.500", "1.50"), ("15", "15"), ("1.05", "1.05")] {
            let new = json!({"amount": {"amount": told}, "order": told});
            assert_eq!(
                laid(&old, &new, &["amount.amount.#", "order"]),
                json!({"amount": {"amount": kept, "currency": "USD"}, "order": told})
            );
        }
        let old = json!({"rate": "100"});
        assert_eq!(laid(&old, &json!({"rate": "1"}), &["rate.#"]), json!({"rate": "1"}));
        assert_eq!(laid(&old, &json!({}), &["rate.#"]), json!({}));
    }

    #[test]
    fn what_is_told_to_be_there_is_kept_though_no_more_is_known_of_it() {
        let old = json!({"certificate": {"number": "17"}, "days": [1]});
        let told = ["certificate.number", "days.*"];
        let new = json!({"certificate": {"number": null}, "days": []});
        let kept = json!({"certificate": {}, "days": []});
        assert_eq!(laid(&old, &new, &told), kept);
        assert_eq!(laid(&kept, &json!({"certificate": null}), &told), json!({}));
    }

    #[test]
    fn other_languages_are_those_without_a_column_of_their_own() {
        let old = json!({"title": {"en": "Old", "uz": "Eski", "ky": "Эски"}});
        let new = json!({"title": {"uz": "Yangi"}});
        assert_eq!(
            laid(&old, &new, &["title.!en,ru"]),
            json!({"title": {"en": "Old", "uz": "Yangi"}})
        );
    }
}
