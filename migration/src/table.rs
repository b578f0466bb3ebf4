//! What the index tables have in common.
use sea_orm_migration::{
    prelude::*,
    schema::{pk_uuid, text},
    sea_orm::{DbBackend, Statement},
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

/// Adds the column that tells whether a record is public, and beside each index of the table one of
/// what is.
pub(crate) async fn with_public(
    schema: &SchemaManager<'_>,
    table: &'static str,
) -> Result<(), DbErr> {
    with_public_column(schema, table).await?;
    let indexes = match schema.get_database_backend() {
        DbBackend::Postgres => format!(
            "SELECT indexdef FROM pg_indexes \
             WHERE schemaname = current_schema() AND tablename = '{table}' ORDER BY indexname"
        ),
        // A key has no statement here.
        _ => format!(
            "SELECT coalesce(sql, '(id)') FROM sqlite_schema \
             WHERE type = 'index' AND tbl_name = '{table}' ORDER BY name"
        ),
    };
    let db = schema.get_connection();
    let indexes = Statement::from_string(schema.get_database_backend(), indexes);
    for row in db.query_all_raw(indexes).await? {
        let made: String = row.try_get_by_index(0)?;
        let columns = made.rsplit('(').next().unwrap_or_default().replace([')', '"', ' '], "");
        let name = format!("{table}_public_{}_idx", columns.replace(',', "_"));
        let twin = format!(r#"CREATE INDEX "{name}" ON "{table}" ({columns}) WHERE public"#);
        db.execute_unprepared(&twin).await?;
    }
    Ok(())
}

/// Adds the column that tells whether a record is public.
pub(crate) async fn with_public_column(
    schema: &SchemaManager<'_>,
    table: &'static str,
) -> Result<(), DbErr> {
    let hidden = "(SELECT id FROM record WHERE state <> 'published')";
    let sql = match schema.get_database_backend() {
        // Nearly all is public: what is the default of a new column is written to no row.
        DbBackend::Postgres => format!(
            r#"ALTER TABLE "{table}" ADD public boolean NOT NULL DEFAULT true;
            UPDATE "{table}" SET public = false WHERE id IN {hidden};
            ALTER TABLE "{table}" ALTER public SET DEFAULT false;
            ANALYZE "{table}""#
        ),
        _ => format!(
            r#"ALTER TABLE "{table}" ADD public boolean NOT NULL DEFAULT false;
            UPDATE "{table}" SET public = true WHERE id NOT IN {hidden}"#
        ),
    };
    schema.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// Gives the words of a collection a table of their own, where each has one.
pub(crate) async fn words_of(schema: &SchemaManager<'_>, collection: &str) -> Result<(), DbErr> {
    if schema.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let table = format!("search_{}", collection.replace('-', "_"));
    // Of the most common words ten thousand are counted.
    let sql = format!(
        "CREATE TABLE {table} PARTITION OF search FOR VALUES IN ('{collection}');
        ALTER TABLE {table} ALTER name_lexemes SET STATISTICS 1000,
            ALTER words_lexemes SET STATISTICS 1000"
    );
    schema.get_connection().execute_unprepared(&sql).await?;
    Ok(())
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
