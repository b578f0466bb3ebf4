//! The table of the words that records are found by.
#![allow(unreachable_pub, reason = "the entity macro makes everything public")]
use std::collections::HashMap;

use domain::{Resource, Seminar, Shape, StudyVisit, Text};
use sea_orm::{
    ActiveValue::Set,
    ColumnType, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, Order, QueryOrder,
    QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, ExprTrait, LockType, Query, SelectStatement, UnionType},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    Basis, Error, Page, Store, Stored, Visitor, Words, dialect, insert,
    list::{self, Key},
    ready,
    record::{self, padded},
    reference,
    source::Source,
    visit_all,
    words::joined,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    pub resource: String,
    pub public: bool,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub words: String,
    /// Where the record comes in the usual order of its list, as a text that comes there as well.
    #[sea_orm(column_type = "Text")]
    pub place: String,
}

impl ActiveModelBehavior for ActiveModel {}

/// How many records are read at once.
const AT_ONCE: usize = 500;

/// The fields that are what a record is called.
pub(crate) const NAMES: &[&str] =
    &["title", "title_variants", "name", "native_name", "acronym", "label"];

/// Which words of a record are looked at.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// Those of its name.
    Name,
    /// All of them.
    Words,
}

/// Words to be found in a list.
#[derive(Clone, Debug)]
pub struct Search {
    /// Which.
    pub words: Words,
    /// Whether the records whose names hold them come first.
    pub ranked: bool,
}

/// The two parts of a list by rank, each in the order of its keys.
///
/// They are read one after the other: read as one, everything that is found would be sorted.
#[derive(Clone, Copy)]
pub(crate) enum Rank {
    /// The records whose names hold the words.
    Named,
    /// The others.
    Rest,
}

/// A part of a list, and the place in it to go on after.
pub(crate) type From<'a> = (Option<Rank>, Option<&'a [Value]>);

/// Reads the parts of a list one after the other, until there is as much as is wanted.
pub(crate) async fn in_parts<'a, T>(
    parts: Vec<From<'a>>,
    wanted: u64,
    mut read: impl AsyncFnMut(From<'a>, u64) -> Result<Vec<T>, Error>,
) -> Result<Vec<(Option<Rank>, T)>, Error> {
    let mut found = Vec::new();
    for part in parts {
        let room = wanted.saturating_sub(found.len() as u64);
        if room == 0 {
            break;
        }
        found.extend(read(part, room).await?.into_iter().map(|one| (part.0, one)));
    }
    Ok(found)
}

impl Search {
    /// The condition on the index table of `R`, for a part of the list or all of it.
    pub(crate) fn condition<R: Stored>(&self, backend: DbBackend, rank: Option<Rank>) -> Condition {
        let id = || list::id_column::<R>().into_expr();
        let ids = self.ids(backend, &[R::COLLECTION], rank).into_iter();
        ids.fold(Condition::any(), |any, ids| any.add(id().in_subquery(ids)))
    }

    /// The rows of the index table of `R` that everybody sees, of a part of its list in the usual
    /// order, up or down, after a place. They are read from the words in that order, so no other table
    /// is looked at for what does not hold them.
    pub(crate) fn in_usual_order<R: Stored>(
        &self,
        backend: DbBackend,
        (rank, place): From<'_>,
        down: bool,
        limit: u64,
    ) -> Result<SelectStatement, Error> {
        let by = [(Column::Place, ColumnType::Text), (Column::RecordId, ColumnType::Uuid)];
        let keys = by.map(|(column, kind)| Key { by: Expr::col(column), kind, down });
        let place =
            place.map(|place| place.iter().map(|key| json!(sorted(key))).collect::<Vec<_>>());
        let after = place.map(|place| list::after(&keys, &place)).transpose()?;
        let id = || list::id_column::<R>();
        let mut found = R::Index::find();
        for mut rows in self.ids(backend, &[R::COLLECTION], rank) {
            rows.and_where(Expr::col(Column::Public).eq(true))
                .cond_where(Condition::all().add_option(after.clone()))
                .order_by(Column::Place, list::order(down))
                .order_by(Column::RecordId, list::order(down))
                .limit(limit);
            found = found.filter(id().in_subquery(rows));
        }
        Ok(found.into_query())
    }

    /// The ids of the records of those collections that are found, a statement a table.
    fn ids(&self, backend: DbBackend, of: &[&str], rank: Option<Rank>) -> Vec<SelectStatement> {
        let matching = |part| dialect::matching(backend, part, &self.words);
        let found = match rank {
            None => matching(Part::Words),
            Some(Rank::Named) => matching(Part::Name),
            // What has no name does not hold the words there.
            Some(Rank::Rest) => matching(Part::Words)
                .zip(matching(Part::Name))
                .map(|(words, name)| words.and(name.is_not(Expr::custom_keyword("TRUE")))),
        };
        let found = found.unwrap_or_else(|| Expr::cust("1 = 0"));
        let mut tables = dialect::words_of(backend, of);
        for table in &mut tables {
            table.column(Column::RecordId).and_where(found.clone());
        }
        tables
    }
}

impl Rank {
    /// The parts of a list by rank that come after that place.
    pub(crate) fn after(place: Option<&[Value]>) -> Result<Vec<From<'_>>, Error> {
        let Some(place) = place else {
            return Ok(vec![(Some(Self::Named), None), (Some(Self::Rest), None)]);
        };
        match place.split_first() {
            Some((rank, place)) if *rank == Self::Named.place() => {
                Ok(vec![(Some(Self::Named), Some(place)), (Some(Self::Rest), None)])
            }
            Some((rank, place)) if *rank == Self::Rest.place() => {
                Ok(vec![(Some(Self::Rest), Some(place))])
            }
            _ => Err(Error::InvalidCursor),
        }
    }

    /// How the part is told in a place.
    pub(crate) fn place(self) -> Value {
        json!(self as i32)
    }
}

/// Keeps the words that records are found by, in place of those that the records in `had` had.
pub(crate) async fn keep<R: Stored>(
    db: &impl ConnectionTrait,
    records: &[&record::Model],
    bodies: &[R],
    derived: &[R::Derived],
    had: &[Uuid],
) -> Result<(), Error> {
    if !had.is_empty() {
        Entity::delete_many()
            .filter(Column::Resource.eq(R::COLLECTION))
            .filter(Column::RecordId.is_in(had.iter().copied()))
            .exec(db)
            .await?;
    }
    let rows = records.iter().zip(bodies).zip(derived).map(|((row, body), derived)| {
        let (mut name, mut rest) = (Vec::new(), Vec::new());
        Shape::of::<R>().texts(&json!(body), &mut |field, text| {
            if NAMES.contains(&field) { &mut name } else { &mut rest }.push(text.to_owned());
        });
        let label = json!(derived)["label"].take();
        name.extend(languages(&label).map(ToOwned::to_owned));
        ActiveModel {
            record_id: Set(row.id),
            resource: Set(R::COLLECTION.to_owned()),
            public: Set(row.is_public()),
            name: Set(joined(name.iter().map(String::as_str))),
            words: Set(joined(name.iter().chain(&rest).map(String::as_str))),
            place: Set(sorted(&usual_place(body, row))),
        }
    });
    insert::all::<Entity>(db, rows.collect()).await
}

/// What a record is sorted by in the usual order of its list.
fn usual_place<R: Stored>(body: &R, row: &record::Model) -> Value {
    let index = body.index(row.id, row.is_public());
    match index.get(R::sort_column(R::SortKey::default())).into_value() {
        Some(sea_orm::Value::ChronoDate(day)) => json!(day),
        Some(sea_orm::Value::BigInt(number)) => json!(number),
        Some(sea_orm::Value::Uuid(id)) => json!(id),
        Some(sea_orm::Value::String(text)) => json!(text),
        _ => Value::Null,
    }
}

/// What a list is sorted by, as a text that is sorted as that is.
fn sorted(key: &Value) -> String {
    match (key.as_i64(), key.as_str()) {
        // All numbers have as many digits, those below zero the lower ones.
        (Some(number), _) => format!("{:020}", number.cast_unsigned() ^ (1 << 63)),
        (_, text) => text.unwrap_or_default().to_owned(),
    }
}

fn languages(text: &Value) -> impl Iterator<Item = &str> {
    text.as_object().into_iter().flat_map(|text| text.values()).filter_map(Value::as_str)
}

/// The ids of the records that name another in that field.
fn naming(field: &str, target: Uuid) -> Select<reference::Entity> {
    reference::Entity::find()
        .select_only()
        .column(reference::Column::SourceId)
        .filter(reference::Column::TargetId.eq(target))
        .filter(reference::Column::Field.eq(field))
}

/// Waits until nobody changes the records that name another in that field, and keeps them so.
pub(crate) async fn hold(db: &DatabaseTransaction, field: &str, target: Uuid) -> Result<(), Error> {
    record::Entity::find()
        .select_only()
        .column(record::Column::Id)
        .filter(record::Column::Id.in_subquery(naming(field, target).into_query()))
        .order_by_asc(record::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple::<Uuid>()
        .all(db)
        .await?;
    Ok(())
}

/// Keeps anew the words of the records of `R` that name another in that field, and what follows for
/// them from it.
pub(crate) async fn renew<R: Stored>(
    db: &DatabaseTransaction,
    field: &str,
    target: Uuid,
) -> Result<(), Error> {
    let ids: Vec<Uuid> = naming(field, target).into_tuple().all(db).await?;
    for ids in ids.chunks(AT_ONCE) {
        let of_them = record::Entity::find()
            .filter(record::Column::Id.is_in(ids.iter().copied()))
            .filter(record::Column::Resource.eq(R::COLLECTION));
        let rows = of_them.all(db).await?;
        if rows.is_empty() {
            continue;
        }
        let (ids, bodies) = record::bodies_of::<R>(&rows)?;
        ready::follow(db, &rows.iter().collect::<Vec<_>>(), &bodies, &ids).await?;
    }
    Ok(())
}

/// Something that was found, of whatever resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Found {
    /// The collection that it is in.
    #[schema(value_type = domain::Collection)]
    pub resource: String,
    /// Identifies the record, for ever.
    pub id: Uuid,
    /// Its name in addresses, if it has one.
    #[schema(example = "first-seminar-2021")]
    pub slug: Option<String>,
    /// What it is called, if it has a name; the language und stands for a name of no language.
    /// Statements have none, nor have presentations without a title: of them the snippet can be
    /// shown.
    pub label: Option<Text>,
    /// What stands around the first of the words that are not in the label; null when all are.
    #[schema(example = "… better public services in Central Asia …")]
    pub snippet: Option<String>,
}

/// What is looked for among all records.
#[derive(Clone, Debug)]
pub struct Sought {
    /// The words.
    pub words: Words,
    /// The collections to look through; none means all.
    pub resources: Vec<String>,
    /// The place after which to go on.
    pub after: Option<Vec<Value>>,
    /// How many records at most.
    pub limit: u64,
    /// Whether to count everything that is found.
    pub with_total: bool,
}

impl Sought {
    /// The collections that are looked through.
    fn collections(&self) -> Vec<&str> {
        match &self.resources[..] {
            [] => domain::collections(),
            resources => resources.iter().map(String::as_str).collect(),
        }
    }

    /// What is found is made from that: words, and what records are called, follow from others.
    #[must_use]
    pub fn basis(&self) -> Basis {
        let of = |name: &str| Basis::collection(name).and(Basis::referred_by(name));
        self.collections().into_iter().map(of).fold(Basis::nothing(), Basis::and)
    }
}

impl Store {
    /// A page of the records of all resources that hold those words, by rank and age.
    pub async fn search(&self, sought: &Sought) -> Result<Page<Found>, Error> {
        let db = self.reads().await;
        let backend = db.get_database_backend();
        let search = Search { words: sought.words.clone(), ranked: true };
        let of = sought.collections();
        let seen = self.sight().of_table(Expr::col(Column::Public), Expr::col(Column::RecordId));
        let tables = |rank| {
            let mut tables = search.ids(backend, &of, rank);
            for table in &mut tables {
                table.cond_where(seen.clone());
            }
            tables
        };
        let total = match sought.with_total {
            true => Some(counted(&db, tables(None)).await?),
            false => None,
        };
        let keys = [Key { by: Expr::col(Column::RecordId), kind: ColumnType::Uuid, down: false }];
        let read = async |(rank, place): From<'_>, room| {
            let after = place.map(|place| list::after(&keys, place)).transpose()?;
            let mut tables = tables(rank);
            for table in &mut tables {
                let after = Condition::all().add_option(after.clone());
                table.cond_where(after).order_by(Column::RecordId, Order::Asc).limit(room);
            }
            first(&db, tables, room).await
        };
        let parts = Rank::after(sought.after.as_deref())?;
        let mut ids = in_parts(parts, sought.limit + 1, read).await?;
        let more = ids.len() as u64 > sought.limit;
        ids.truncate(usize::try_from(sought.limit).unwrap_or(usize::MAX));
        let next = ids
            .last()
            .filter(|_| more)
            .map(|(rank, id)| rank.iter().map(|rank| rank.place()).chain([json!(id)]).collect());
        let ids: Vec<Uuid> = ids.into_iter().map(|(_, id)| id).collect();
        Ok(Page {
            items: self.told(&self.reads_by_key().await, &sought.words, &ids).await?,
            next,
            total,
        })
    }

    async fn told(&self, db: &Source, words: &Words, ids: &[Uuid]) -> Result<Vec<Found>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let places: HashMap<Uuid, usize> = ids.iter().copied().zip(0..).collect();
        let mut rows = record::Entity::find()
            .filter(record::Column::Id.is_in(padded(ids.iter().copied())))
            // It may have been hidden since it was found.
            .filter(self.sight().of_records())
            .all(db)
            .await?;
        rows.sort_by_key(|row| places.get(&row.id).copied());
        let mut found = Vec::new();
        let mut bodies = Vec::new();
        let mut nameless = Vec::new();
        for (place, row) in rows.into_iter().enumerate() {
            let body: Value = record::read(&row.body)?;
            let label = match name_of(&body) {
                None if row.resource == Seminar::COLLECTION => {
                    nameless.push((place, record::typed::<Seminar>(&body)?));
                    None
                }
                None if row.resource == StudyVisit::COLLECTION => {
                    Some(record::typed::<StudyVisit>(&body)?.label())
                }
                name => name,
            };
            let record::Model { resource, id, slug, .. } = row;
            found.push(Found { resource, id, slug, label, snippet: None });
            bodies.push(body);
        }
        let (places, seminars): (Vec<_>, Vec<_>) = nameless.into_iter().unzip();
        if !seminars.is_empty() {
            let derived = Seminar::derive(db, &seminars).await?;
            for (place, derived) in places.into_iter().zip(derived) {
                found[place].label = Some(derived.label);
            }
        }
        for (one, body) in found.iter_mut().zip(&bodies) {
            let label = one.label.iter().flat_map(Text::entries).map(|(_, label)| label);
            let words = &words.beside(label);
            let mut rest = Rest { resource: &one.resource, body, words, snippet: None };
            visit_all(&mut rest);
            one.snippet = rest.snippet;
        }
        Ok(found)
    }
}

/// The first of what those statements find, each in the order of ids.
///
/// They are put in one order here: Postgres would choose for all of them the way that is best for
/// most, and so read tables to their end that have nothing of it.
async fn first(db: &Source, tables: Vec<SelectStatement>, room: u64) -> Result<Vec<Uuid>, Error> {
    let ids = tables.into_iter().map(|table| from(table).column(Column::RecordId).take());
    let Some(all) = together(ids) else { return Ok(Vec::new()) };
    let found = db.query_all(&all).await?;
    let ids = found.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<Uuid>, _>>();
    let mut ids = ids?;
    ids.sort_unstable();
    ids.truncate(usize::try_from(room).unwrap_or(usize::MAX));
    Ok(ids)
}

/// How many records those statements find.
async fn counted(db: &Source, tables: Vec<SelectStatement>) -> Result<u64, Error> {
    let counts = tables.into_iter().map(|table| from(table).expr(Expr::cust("count(*)")).take());
    let Some(all) = together(counts) else { return Ok(0) };
    let found = db.query_all(&all).await?;
    let counts = found.iter().map(|row| row.try_get_by_index(0));
    let total: i64 = counts.collect::<Result<Vec<i64>, _>>()?.into_iter().sum();
    Ok(u64::try_from(total).unwrap_or_default())
}

/// A statement about what another finds, which may be ordered and limited for itself.
fn from(found: SelectStatement) -> SelectStatement {
    Query::select().from_subquery(found, Alias::new("found")).take()
}

/// What those statements find, in one; none if there is none.
pub(crate) fn together(
    statements: impl IntoIterator<Item = SelectStatement>,
) -> Option<SelectStatement> {
    statements.into_iter().reduce(|mut all, one| all.union(UnionType::All, one).take())
}

/// What a record is called.
fn name_of(body: &Value) -> Option<Text> {
    ["title", "name", "label"].iter().find_map(|field| match &body[field] {
        Value::String(name) => Some(Text::of([("und".to_owned(), name.clone())])),
        Value::Object(_) => serde_json::from_value(body[field].clone()).ok(),
        _ => None,
    })
}

/// Looks for words in the texts of a record.
struct Rest<'a> {
    resource: &'a str,
    body: &'a Value,
    words: &'a Words,
    snippet: Option<String>,
}

impl Visitor for Rest<'_> {
    fn visit<R: Stored>(&mut self) {
        if self.resource != R::COLLECTION {
            return;
        }
        Shape::of::<R>().texts(self.body, &mut |_, text| {
            if self.snippet.is_none() {
                self.snippet = self.words.snippet(text);
            }
        });
    }
}
