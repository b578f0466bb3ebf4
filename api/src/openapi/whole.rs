//! What answers have, always.
use std::collections::BTreeSet;

use serde_json::Value;

use super::{Building, parameters, referred};

impl Building<'_> {
    /// Requires what may be null of every schema that no request has: in an answer null stands for
    /// what is not known, so what is left out at times is never null.
    ///
    /// Figures are left as they are: a row has what it was asked for.
    pub(super) fn whole_answers(&mut self) {
        let asked = self.of_requests();
        for (name, schema) in &mut self.schemas {
            let Some(fields) = schema["properties"].as_object() else { continue };
            if asked.contains(name) || name.ends_with("Figures") {
                continue;
            }
            let known = schema["required"].as_array().cloned().unwrap_or_default();
            let kept = fields.iter().filter(|(name, field)| {
                may_be_null(field) || known.iter().any(|known| known == name.as_str())
            });
            let names: Vec<_> = kept.map(|(name, _)| Value::from(name.as_str())).collect();
            if !names.is_empty() {
                schema["required"] = names.into();
            }
        }
    }

    /// The schemas that requests are made of.
    fn of_requests(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.follow(&parameters(), &mut found);
        let operations =
            self.paths.values().filter_map(Value::as_object).flat_map(|all| all.values());
        for operation in operations {
            self.follow(&operation["parameters"], &mut found);
            self.follow(&operation["requestBody"], &mut found);
        }
        found
    }

    fn follow(&self, part: &Value, found: &mut BTreeSet<String>) {
        let named = referred(part).filter(|name| self.schemas.contains_key(name));
        if let Some(name) = named
            && found.insert(name.clone())
        {
            self.follow(&self.schemas[&name], found);
        }
        match part {
            Value::Object(parts) => parts.values().for_each(|part| self.follow(part, found)),
            Value::Array(parts) => parts.iter().for_each(|part| self.follow(part, found)),
            _ => {}
        }
    }
}

fn may_be_null(field: &Value) -> bool {
    let kinds = &field["type"];
    let ways =
        ["oneOf", "anyOf"].map(|name| field[name].as_array()).into_iter().flatten().flatten();
    kinds == "null"
        || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
        || ways.into_iter().any(may_be_null)
}
