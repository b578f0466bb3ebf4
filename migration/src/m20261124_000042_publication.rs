//! The way of a record to the public: states in the log, and changes that are kept aside.
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, pk_uuid, string, string_null, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid,
    },
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What the log knows of every change, from before.
const COLUMNS: &str =
    "position, at, actor, request_id, resource, record_id, revision, operation, slug, body";
/// Until now, what was written was public at once.
const STATES: &str = "CASE WHEN operation = 'create' THEN NULL ELSE 'published' END, \
    CASE WHEN operation = 'delete' THEN NULL ELSE 'published' END";
/// How the log is searched.
const INDEXES: [(&str, &str); 2] = [
    ("change_record_idx", "resource, record_id, revision"),
    ("change_resource_position_idx", "resource, position"),
];
/// Which operations there are is for the program to say: it gains some.
const POSTGRES: &[&str] = &[
    "ALTER TABLE change DROP CONSTRAINT change_operation_check, \
     ADD state_before varchar, ADD state varchar, ADD note text",
    "UPDATE change SET state_before = CASE WHEN operation = 'create' THEN NULL ELSE 'published' END, \
     state = CASE WHEN operation = 'delete' THEN NULL ELSE 'published' END",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let db = schema.get_connection();
        if schema.get_database_backend() == DbBackend::Postgres {
            for sql in POSTGRES {
                db.execute_unprepared(sql).await?;
            }
        } else {
            // SQLite takes no condition off a table.
            db.execute_unprepared("ALTER TABLE change RENAME TO change_before").await?;
            for index in INDEXES {
                db.execute_unprepared(&format!("DROP INDEX {}", index.0)).await?;
            }
            db.execute_unprepared(
                "CREATE TABLE change (position integer PRIMARY KEY AUTOINCREMENT, \
                 at timestamp_with_timezone_text NOT NULL, actor varchar NOT NULL, \
                 request_id varchar, resource varchar NOT NULL, record_id uuid_text NOT NULL, \
                 revision bigint NOT NULL, operation varchar NOT NULL, slug varchar, body text, \
                 state_before varchar, state varchar, note text)",
            )
            .await?;
            let copy = format!(
                "INSERT INTO change ({COLUMNS}, state_before, state) \
                 SELECT {COLUMNS}, {STATES} FROM change_before ORDER BY position"
            );
            db.execute_unprepared(&copy).await?;
            db.execute_unprepared("DROP TABLE change_before").await?;
            for (name, columns) in INDEXES {
                let index = format!("CREATE INDEX {name} ON change ({columns})");
                db.execute_unprepared(&index).await?;
            }
        }
        // What is not public is little, and looked for with every list.
        db.execute_unprepared(
            "CREATE INDEX record_unpublished_idx ON record (id) WHERE state <> 'published'",
        )
        .await?;
        schema
            .create_table(
                Table::create()
                    .table("proposal")
                    .col(pk_uuid("id"))
                    .col(string("resource"))
                    .col(uuid("record_id"))
                    .col(big_integer("revision"))
                    .col(text("body"))
                    .col(string("status").check(Expr::col("status").is_in([
                        "open",
                        "accepted",
                        "declined",
                        "taken_back",
                    ])))
                    .col(string("actor"))
                    .col(text_null("note"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(string_null("decided_by"))
                    .col(timestamp_with_time_zone_null("decided_at"))
                    .col(text_null("answer"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("proposal_record_id_fkey")
                            .from("proposal", "record_id")
                            .to("record", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for columns in [["record_id", "id"], ["status", "id"]] {
            let mut index = Index::create().table("proposal").to_owned();
            index.name(format!("proposal_{}_idx", columns.join("_")));
            for column in columns {
                index.col(column);
            }
            schema.create_index(index).await?;
        }
        Ok(())
    }
}
