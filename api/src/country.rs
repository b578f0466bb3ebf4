//! Countries: read only, from the lists that come with the program.
use actix_web::{HttpRequest, HttpResponse, web::Path};
use domain::{Country, CountryFilter};
use serde_json::json;

use crate::{Problem, crud::Listing, edge, query::ListQuery};

pub(crate) const COLLECTION: &str = "countries";

/// A page of the list, by code.
pub(crate) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = ListQuery::of(&request)?;
    query.refuse_sort();
    let filter: CountryFilter = query.filter();
    let asked = query.clone();
    let faults = query.faults();
    if !faults.is_empty() {
        return Err(Problem::invalid_query(faults));
    }
    let after = asked.after(COLLECTION)?;
    let after = after.as_ref().and_then(|place| place.first()?.as_str());
    let fits = |country: &&Country| {
        let code = filter.code.0.is_empty()
            || filter.code.0.iter().any(|code| code.as_str() == country.code);
        let region = filter.region.0.is_empty()
            || filter.region.0.iter().any(|name| Some(name.as_str()) == country.region.as_deref());
        code && region
    };
    let all: Vec<&Country> = Country::all().filter(fits).collect();
    let begin = all.partition_point(|country| after.is_some_and(|last| *country.code <= *last));
    let rest = &all[begin..];
    let page = &rest[..rest.len().min(usize::try_from(asked.limit).unwrap_or(usize::MAX))];
    let last = page.last().filter(|_| page.len() < rest.len());
    let next_cursor = last.map(|country| asked.cursor(COLLECTION, &[json!(country.code)]));
    let link = next_cursor.as_ref().map(|cursor| asked.next(request.path(), cursor));
    let total = asked.with_total.then_some(all.len() as u64);
    Ok(edge::public(&Listing { items: page, next_cursor, total, included: None }, link))
}

/// One country.
pub(crate) async fn read(
    request: HttpRequest,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    edge::no_query(&request)?;
    let country = Country::find(&code).ok_or_else(|| Problem::no_record(COLLECTION))?;
    Ok(edge::public(country, None))
}
