use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_pk_auto, pk_uuid, string, string_null, text, text_null,
        timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                Table::create()
                    .table("record")
                    .col(pk_uuid("id"))
                    .col(string("resource"))
                    .col(string_null("slug"))
                    .col(big_integer("revision"))
                    .col(string("state").check(Expr::col("state").is_in([
                        "draft",
                        "in_review",
                        "published",
                        "withdrawn",
                    ])))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(timestamp_with_time_zone_null("published_at"))
                    .col(text("body"))
                    .to_owned(),
            )
            .await?;
        index(schema, "record", "record_resource_slug_key", &["resource", "slug"], true).await?;
        index(schema, "record", "record_slug_idx", &["slug"], false).await?;
        schema
            .create_table(
                Table::create()
                    .table("reference")
                    .col(uuid("source_id"))
                    .col(string("field"))
                    .col(uuid("target_id"))
                    .primary_key(Index::create().col("source_id").col("field").col("target_id"))
                    .foreign_key(&mut owned("reference", "source_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("reference_target_id_fkey")
                            .from("reference", "target_id")
                            .to("record", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        let columns = ["target_id", "field", "source_id"];
        index(schema, "reference", "reference_target_field_idx", &columns, false).await?;
        schema
            .create_table(
                Table::create()
                    .table("term")
                    .col(uuid("record_id"))
                    .col(string("field"))
                    .col(string("value"))
                    .primary_key(Index::create().col("record_id").col("field").col("value"))
                    .foreign_key(&mut owned("term", "record_id"))
                    .to_owned(),
            )
            .await?;
        let columns = ["field", "value", "record_id"];
        index(schema, "term", "term_field_value_idx", &columns, false).await?;
        schema
            .create_table(
                Table::create()
                    .table("change")
                    .col(big_pk_auto("position"))
                    .col(timestamp_with_time_zone("at"))
                    .col(string("actor"))
                    .col(string_null("request_id"))
                    .col(string("resource"))
                    .col(uuid("record_id"))
                    .col(big_integer("revision"))
                    .col(
                        string("operation")
                            .check(Expr::col("operation").is_in(["create", "replace", "delete"])),
                    )
                    .col(string_null("slug"))
                    .col(text_null("body"))
                    .to_owned(),
            )
            .await?;
        let columns = ["resource", "record_id", "revision"];
        index(schema, "change", "change_record_idx", &columns, false).await?;
        schema
            .create_table(
                Table::create()
                    .table("token")
                    .col(string("id").primary_key())
                    .col(string("name"))
                    .col(string("role"))
                    .col(string("secret_sha256"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("revoked_at"))
                    .col(timestamp_with_time_zone_null("last_used_at"))
                    .to_owned(),
            )
            .await
    }
}

/// Belongs to a record, and goes with it.
fn owned(table: &'static str, column: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_{column}_fkey"))
        .from(table, column)
        .to("record", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

async fn index(
    schema: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    columns: &[&'static str],
    unique: bool,
) -> Result<(), DbErr> {
    let mut index = Index::create().table(table).name(name).to_owned();
    for column in columns {
        index.col(*column);
    }
    if unique {
        index.unique();
    }
    schema.create_index(index).await
}
