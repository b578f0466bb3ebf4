use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, schema::SchemaType},
};

use crate::{DocumentRef, Line, Pointer, Prose, value::words};

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// The property of this record that the source speaks of, as a JSON pointer.
    pub field: Pointer,
    /// The source.
    pub document_id: DocumentRef,
    /// Where in the source; P counts paragraphs and s sentences, T is the title.
    pub locator: Option<Line>,
    /// How the fact follows from the source.
    pub basis: Basis,
    /// Another value that this source gives: disagreeing sources stand side by side.
    #[schema(schema_with = any_value)]
    pub claim: Option<Value>,
    /// What else is to be known of it.
    pub note: Option<Prose>,
}

fn any_value() -> Object {
    let about = "Another value that this source gives, of any type; null when it gives the same.";
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(about)).build()
}

words! {
    /// How a fact follows from its source.
    pub enum Basis {
        /// The source says it.
        Stated,
        /// It follows from what the source says.
        Derived,
        /// It is a choice of the editors.
        Editorial,
    }
}
