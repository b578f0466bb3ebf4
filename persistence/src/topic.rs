use domain::{Topic, TopicFilter, TopicSort, Violation};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};

use crate::{
    Error, Narrow, Stored, hierarchy,
    index::{code, line_key, text_key},
    reference,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "topic")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub code: String,
    pub label: String,
    pub scheme: String,
    pub parent_id: Option<Uuid>,
    pub public: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl Stored for Topic {
    type Index = Entity;

    fn index(&self, id: Uuid, public: bool) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            code: Set(line_key(self.code.as_str())),
            label: Set(text_key(Some(&self.label))),
            scheme: Set(code(Some(&self.scheme)).unwrap_or_default()),
            parent_id: Set(self.parent_id.as_ref().map(domain::Ref::id)),
            public: Set(public),
        }
    }

    fn narrow(rows: Narrow, filter: &TopicFilter) -> Narrow {
        rows.code("scheme", Column::Scheme, &filter.scheme).parent::<Topic>(
            "parent",
            Column::ParentId,
            &filter.parent,
        )
    }

    fn sort_column(key: TopicSort) -> Column {
        match key {
            TopicSort::Code => Column::Code,
            TopicSort::Label => Column::Label,
        }
    }

    async fn conflicts(
        &self,
        db: &DatabaseTransaction,
        id: Uuid,
        before: Option<&Self>,
    ) -> Result<Vec<Violation>, Error> {
        if let Some(before) = before
            && before.code != self.code
            && reference::Entity::find()
                .filter(reference::Column::TargetId.eq(id))
                .filter(reference::Column::Field.eq("/topics"))
                .one(db)
                .await?
                .is_some()
        {
            let detail = "Records carry the code: it cannot change while they do.";
            return Ok(vec![Violation::new("/code", "in_use", detail)]);
        }
        let parent = self.parent_id.as_ref().map(domain::Ref::id);
        hierarchy::no_cycle::<Entity>(db, id, parent, Column::ParentId).await
    }
}
