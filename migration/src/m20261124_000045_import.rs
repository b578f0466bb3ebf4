//! Imports: what came of each, the rows that came back, and by which names from outside a record is
//! known.
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, integer, pk_uuid, string, string_null, text,
        timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
    },
};

use crate::table::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let states = ["running", "done", "refused", "failed"];
        schema
            .create_table(
                Table::create()
                    .table("import")
                    .col(pk_uuid("id"))
                    .col(string("actor"))
                    .col(string("state").check(Expr::col("state").is_in(states)))
                    .col(string_null("code"))
                    .col(big_integer_null("total"))
                    .col(big_integer("checked"))
                    .col(big_integer("written"))
                    .col(text("report"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("beat_at"))
                    .col(timestamp_with_time_zone_null("ended_at"))
                    .to_owned(),
            )
            .await?;
        index(schema, "import", "import_actor_id_idx", &["actor", "id"]).await?;
        // A file is kept in parts, so that nobody has to hold it in memory as a whole.
        schema
            .create_table(
                Table::create()
                    .table("import_part")
                    .col(uuid("import_id"))
                    .col(integer("number"))
                    .col(text("text"))
                    .primary_key(Index::create().col("import_id").col("number"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("import_part_import_id_fkey")
                            .from("import_part", "import_id")
                            .to("import", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        schema
            .create_table(
                Table::create()
                    .table("external_id")
                    .col(string("resource"))
                    .col(string("system"))
                    .col(string("value"))
                    .col(uuid("record_id"))
                    .primary_key(
                        Index::create()
                            .name("external_id_pkey")
                            .col("resource")
                            .col("system")
                            .col("value"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("external_id_record_id_fkey")
                            .from("external_id", "record_id")
                            .to("record", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        index(schema, "external_id", "external_id_record_id_idx", &["record_id"]).await
    }
}
