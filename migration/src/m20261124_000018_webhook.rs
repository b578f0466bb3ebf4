use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, boolean, integer, integer_null, pk_uuid, string,
        string_null, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
        uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let index =
            |table: &'static str, name: &str| Index::create().table(table).name(name).to_owned();
        schema
            .create_index(
                index("change", "change_resource_position_idx")
                    .col("resource")
                    .col("position")
                    .to_owned(),
            )
            .await?;
        schema
            .create_table(
                Table::create()
                    .table("webhook")
                    .col(pk_uuid("id"))
                    .col(big_integer("revision"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(text("body"))
                    .col(boolean("enabled"))
                    .col(string("secret"))
                    .col(big_integer("position"))
                    .col(uuid_null("locked_by"))
                    .col(timestamp_with_time_zone_null("locked_until"))
                    .to_owned(),
            )
            .await?;
        schema
            .create_table(
                Table::create()
                    .table("delivery")
                    .col(pk_uuid("id"))
                    .col(uuid("webhook_id"))
                    .col(string("event"))
                    .col(big_integer_null("position"))
                    .col(string("status").check(Expr::col("status").is_in([
                        "pending",
                        "delivered",
                        "failed",
                    ])))
                    .col(integer("attempts"))
                    .col(integer_null("last_status"))
                    .col(string_null("last_error"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("begun_at"))
                    .col(timestamp_with_time_zone_null("next_attempt_at"))
                    .col(timestamp_with_time_zone_null("delivered_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("delivery_webhook_id_fkey")
                            .from("delivery", "webhook_id")
                            .to("webhook", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        // One delivery an event, whoever tries to add another.
        schema
            .create_index(
                index("delivery", "delivery_webhook_position_key")
                    .col("webhook_id")
                    .col("position")
                    .unique()
                    .to_owned(),
            )
            .await?;
        schema
            .create_index(
                index("delivery", "delivery_webhook_id_idx").col("webhook_id").col("id").to_owned(),
            )
            .await?;
        schema
            .create_index(
                index("delivery", "delivery_due_idx")
                    .col("status")
                    .col("next_attempt_at")
                    .col("webhook_id")
                    .to_owned(),
            )
            .await
    }
}
