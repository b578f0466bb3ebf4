//! A seminar and its parts, read at once.
use domain::{Presentation, Recommendation, Resource, Seminar, Session, Statement};
use sea_orm::{
    ConnectionTrait, QueryResult, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr, UnionType},
};

use crate::{
    Basis, Error, Sight, Store, Stored,
    error::unreadable,
    list::id_column,
    presentation,
    ready::Body,
    recommendation,
    record::{self, named},
    session, statement,
    template::ByKey,
};

/// A seminar and its parts, each in their order; of each the id, and what was written of it.
pub struct Parts {
    /// The seminar.
    pub seminar: (Uuid, Body),
    /// What follows for it from others.
    pub derived: Body,
    /// Its sessions.
    pub sessions: Vec<(Uuid, Body)>,
    /// Its presentations.
    pub presentations: Vec<(Uuid, Body)>,
    /// What was said at it.
    pub statements: Vec<(Uuid, Body)>,
    /// What was recommended at it.
    pub recommendations: Vec<(Uuid, Body)>,
}

impl Parts {
    /// What they are: others may become part of them.
    #[must_use]
    pub fn basis(&self) -> Basis {
        let parts = [
            Session::COLLECTION,
            Presentation::COLLECTION,
            Statement::COLLECTION,
            Recommendation::COLLECTION,
        ];
        Basis::one::<Seminar>(self.seminar.0).and(Basis::collections(parts))
    }
}

/// The place of a part among those of its collection, and of the collection; and its record.
type Row = (i32, i64, Uuid, Option<String>, Option<String>, String);

impl Store {
    /// The seminar of that id or slug with its parts: one query.
    pub async fn parts(&self, key: &str) -> Result<Parts, Error> {
        /// As the public asks for it.
        static PUBLIC: ByKey = ByKey::new();
        let db = self.reads_by_key().await;
        let backend = db.get_database_backend();
        let statement = |key: &str| backend.build(&self.query_of_parts(key));
        let rows = db.query_all_raw(match self.sight() {
            Sight::Public => PUBLIC.with(backend, key, statement),
            _ => statement(key),
        });
        let rows = rows.await?;
        let rows = rows.iter().map(QueryResult::try_get_many_by_index::<Row>);
        let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
        rows.sort_by_key(|(part, position, id, ..)| (*part, *position, *id));
        let mut rows = rows.into_iter().peekable();
        let (.., id, shape, derived, body) =
            rows.next_if(|row| row.0 == 0).ok_or(Error::NotFound)?;
        let seminar = Body::of::<Seminar>(shape.as_deref(), body)?;
        let derived = match derived {
            Some(derived) => Body(derived),
            None => derive(&db, &seminar).await?,
        };
        let mut parts = |part, body_of: fn(Option<&str>, String) -> Result<Body, Error>| {
            let mut found = Vec::new();
            while let Some((.., id, shape, _, body)) = rows.next_if(|row| row.0 == part) {
                found.push((id, body_of(shape.as_deref(), body)?));
            }
            Ok::<_, Error>(found)
        };
        Ok(Parts {
            sessions: parts(1, Body::of::<Session>)?,
            presentations: parts(2, Body::of::<Presentation>)?,
            statements: parts(3, Body::of::<Statement>)?,
            recommendations: parts(4, Body::of::<Recommendation>)?,
            seminar: (id, seminar),
            derived,
        })
    }

    /// What finds a seminar and its parts.
    fn query_of_parts(&self, key: &str) -> SelectStatement {
        let seminar = || named::<Seminar>(key, self.sight()).select_only();
        let this = seminar().column(record::Column::Id).into_query();
        let position = session::Column::Position.into_expr();
        let sessions = self.parts_of::<Session>(1, session::Column::SeminarId, position, &this);
        let position = presentation::Column::Position.into_expr();
        let of = presentation::Column::SeminarId;
        let presentations = self.parts_of::<Presentation>(2, of, position, &this);
        let position = Expr::cust("CAST(0 AS bigint)");
        let of = statement::Column::SeminarId;
        let statements = self.parts_of::<Statement>(3, of, position.clone(), &this);
        let of = recommendation::Column::SeminarId;
        let recommendations = self.parts_of::<Recommendation>(4, of, position.clone(), &this);
        let mut query = selected(seminar().into_query(), 0, position);
        let parts = [sessions, presentations, statements, recommendations];
        query.unions(parts.map(|part| (UnionType::All, part)));
        query
    }

    /// The records of `R` whose column names the one that is found.
    fn parts_of<R: Stored>(
        &self,
        part: i32,
        column: impl ColumnTrait,
        position: SimpleExpr,
        this: &SelectStatement,
    ) -> SelectStatement {
        let this = SimpleExpr::SubQuery(None, Box::new(this.clone().into()));
        let id = Expr::col((record::Entity, record::Column::Id)).eq(id_column::<R>().into_expr());
        let mut rows = Query::select();
        rows.from(R::Index::default())
            .inner_join(record::Entity, id)
            .and_where(column.into_expr().eq(this))
            .cond_where(self.sight().of_records());
        selected(rows, part, position)
    }
}

fn selected(mut rows: SelectStatement, part: i32, position: SimpleExpr) -> SelectStatement {
    rows.expr(Expr::cust(part.to_string())).expr(position);
    for column in
        [record::Column::Id, record::Column::Shape, record::Column::Derived, record::Column::Body]
    {
        rows.column((record::Entity, column));
    }
    rows
}

/// What follows for the seminar, where it is not kept.
async fn derive(db: &impl ConnectionTrait, seminar: &Body) -> Result<Body, Error> {
    let derived = Seminar::derive(db, &[seminar.read()?]).await?;
    Ok(Body(serde_json::to_string(&derived[0]).map_err(unreadable)?))
}
