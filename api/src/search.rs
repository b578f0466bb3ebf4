//! Search through all resources at once.
use actix_web::{HttpRequest, HttpResponse};
use domain::{Collection, OneOf};
use persistence::{Found, Sought};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Problem, answer, problem::Fault, query::ListQuery, reader::Reader};

pub(crate) const COLLECTION: &str = "search";

/// Narrows a search.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SearchFilter {
    /// In one of these collections.
    resource: OneOf<Collection>,
}

/// A page of what was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchPage {
    /// What was found: records with the words in their names first.
    items: Vec<Found>,
    /// Asks for the page after this one; null when this is the last.
    next_cursor: Option<String>,
    /// How many records hold the words; only when asked by `with_total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    total: Option<u64>,
}

/// A page of the records of any resource that hold the words.
pub(crate) async fn find(request: HttpRequest, store: Reader) -> Result<HttpResponse, Problem> {
    let mut query = ListQuery::of(&request)?;
    query.refuse(&["sort", "include", "facets"]);
    let search = query.search();
    let SearchFilter { resource } = query.filter();
    if search.is_none() {
        let detail = "Say which words are to be found.";
        query.note(Fault::parameter("q", "missing_parameter", detail));
    }
    query.judge()?;
    let Some(search) = search else { return Err(Problem::internal()) };
    let sought = Sought {
        words: search.words,
        resources: resource.0.iter().map(|one| one.as_str().to_owned()).collect(),
        after: query.after(request.path())?,
        limit: query.limit,
        with_total: query.with_total,
    };
    let page = store.search(&sought).await.map_err(Problem::of(COLLECTION))?;
    let (next_cursor, link) = query.onward(request.path(), page.next);
    let listing = SearchPage { items: page.items, next_cursor, total: page.total };
    let found = answer::public_page(&listing, &query.languages, link);
    Ok(answer::made_from(sought.basis(), found))
}
