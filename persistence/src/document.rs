use domain::{Document, DocumentFilter, DocumentSort, Organisation, Reference};
use sea_orm::{ActiveValue::Set, entity::prelude::*};
use serde_json::Value;

use crate::{
    Narrow, Stored,
    index::{code, date_key, text_key},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub title: String,
    pub published_on: Date,
    pub kind: String,
    pub language: Option<String>,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Document {
    type Index = Entity;

    fn untyped_reference(body: &Value) -> Option<Reference> {
        let subject = |name: &str| body["subject"][name].as_str().map(ToOwned::to_owned);
        let (collection, key) = (subject("resource")?, subject("id")?);
        let pointer = "/subject/id".to_owned();
        Some(Reference { field: pointer.clone(), pointer, collection, key })
    }

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            title: Set(text_key(Some(&self.title))),
            published_on: Set(date_key(self.published_on.as_ref())),
            kind: Set(code(Some(&self.kind)).unwrap_or_default()),
            language: Set(code(self.language.as_ref())),
            public: Set(public),
        }
    }

    fn narrow(rows: Narrow, filter: &DocumentFilter) -> Narrow {
        rows.code("kind", Column::Kind, &filter.kind)
            .code("language", Column::Language, &filter.language)
            .reference::<Organisation>("publisher", "/publisher_id", &filter.publisher)
    }

    fn sort_column(key: DocumentSort) -> Column {
        match key {
            DocumentSort::Title => Column::Title,
            DocumentSort::PublishedOn => Column::PublishedOn,
        }
    }
}
