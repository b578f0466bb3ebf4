use sea_orm_migration::{
    prelude::*,
    schema::{boolean, string, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // A limit outlives the projects in it: a token must not gain by their deletion.
        let mut token = Table::alter().table("token").to_owned();
        schema.alter_table(token.add_column(boolean("limited").default(false)).to_owned()).await?;
        schema
            .create_table(
                Table::create()
                    .table("token_project")
                    .col(string("token_id"))
                    .col(uuid("project_id"))
                    .primary_key(Index::create().col("token_id").col("project_id"))
                    .foreign_key(&mut goes_with("token_id", "token"))
                    .foreign_key(&mut goes_with("project_id", "record"))
                    .to_owned(),
            )
            .await?;
        let index = |table: &'static str, name: &str| {
            Index::create().table(table).name(name.to_owned()).to_owned()
        };
        let by_project = index("token_project", "token_project_project_id_idx");
        schema.create_index(by_project.clone().col("project_id").to_owned()).await?;
        let by_age = index("token", "token_created_at_idx");
        schema.create_index(by_age.clone().col("created_at").col("id").to_owned()).await
    }
}

fn goes_with(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("token_project_{column}_fkey"))
        .from("token_project", column)
        .to(table, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
