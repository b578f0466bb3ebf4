//! What the index tables have in common.
use sea_orm_migration::{
    prelude::*,
    schema::{pk_uuid, text},
    sea_orm::DbBackend,
};

/// Begins an index table: its key is the record's id.
pub(crate) fn index_table(name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(pk_uuid("id"))
        .foreign_key(
            ForeignKey::create()
                .name(format!("{name}_id_fkey"))
                .from(name, "id")
                .to("record", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

/// A text that decides a place in an order; both databases are to compare its bytes.
pub(crate) fn sorted_text(name: &'static str) -> ColumnDef {
    text(name).clone()
}

/// Creates a table and its indexes.
pub(crate) async fn create(
    schema: &SchemaManager<'_>,
    name: &'static str,
    table: &TableCreateStatement,
    indexes: &[&[&'static str]],
) -> Result<(), DbErr> {
    schema.create_table(table.clone()).await?;
    if schema.get_database_backend() == DbBackend::Postgres {
        // Postgres orders text by the rules of a language, unless it is told not to.
        for column in table.get_columns() {
            if column.get_column_type() == Some(&ColumnType::Text) {
                let column = column.get_column_name();
                let sql = format!(r#"ALTER TABLE "{name}" ALTER "{column}" TYPE text COLLATE "C""#);
                schema.get_connection().execute_unprepared(&sql).await?;
            }
        }
    }
    for columns in indexes {
        index(schema, name, &format!("{name}_{}_idx", columns.join("_")), columns).await?;
    }
    Ok(())
}

/// Creates an index of that name.
pub(crate) async fn index(
    schema: &SchemaManager<'_>,
    table: &'static str,
    name: &str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create().table(table).name(name).to_owned();
    for column in columns {
        index.col(*column);
    }
    schema.create_index(index).await
}

/// Puts a table in place of the one of that name: what was in it is derived, and is written anew
/// once its collection is said to be [`stale`].
pub(crate) async fn anew(
    schema: &SchemaManager<'_>,
    name: &'static str,
    table: &TableCreateStatement,
    indexes: &[&[&'static str]],
) -> Result<(), DbErr> {
    schema.drop_table(Table::drop().table(name).to_owned()).await?;
    create(schema, name, table, indexes).await
}

/// Has what is derived from the records of a collection written anew, once the schema stands.
pub(crate) async fn stale(schema: &SchemaManager<'_>, collection: &str) -> Result<(), DbErr> {
    let note = format!(
        "INSERT INTO stale (collection) VALUES ('{collection}') \
         ON CONFLICT (collection) DO UPDATE SET done_to = NULL"
    );
    schema.get_connection().execute_unprepared(&note).await?;
    Ok(())
}

/// Has Postgres derive the words that records are found by anew, for the names of records and for all
/// their texts, by an expression on that column.
pub(crate) async fn lexemes(
    schema: &SchemaManager<'_>,
    expression: impl Fn(&str) -> String,
) -> Result<(), DbErr> {
    for of in ["name", "words"] {
        let sql = format!(
            "ALTER TABLE search DROP {of}_lexemes; \
             ALTER TABLE search ADD {of}_lexemes tsvector NOT NULL GENERATED ALWAYS AS \
             ({}) STORED; \
             CREATE INDEX search_{of}_idx ON search USING gin ({of}_lexemes)",
            expression(of)
        );
        schema.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}
