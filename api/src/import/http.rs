//! Imports over HTTP.
use std::{io::Write, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data, Path, Payload},
};
use domain::Deed;
use encoding_rs::{Encoding, UTF_8};
use futures_util::stream::try_unfold;
use persistence::{KeptImport, Store};
use serde_json::{Value, json};

use super::{COLLECTION, ImportFormat, Imports, Job, Order, Prepared, SYSTEM};
use crate::{
    Problem, actor, body,
    crud::{self, apart},
    idempotency,
    query::ListQuery,
    routes::Routes,
};

type Answer = Result<HttpResponse, Problem>;

/// How long a file may take to arrive.
const PATIENCE: Duration = Duration::from_mins(10);
/// Under which name the rows that come back are kept by a browser.
const ATTACHMENT: &str = "attachment; filename=\"faults.csv\"";

pub(crate) fn routes(routes: &mut Routes) {
    routes.at("/v1/imports", |at| at.get(list).post(create));
    routes.at("/v1/imports/{id}", |at| at.get(read));
    routes.at("/v1/imports/{id}/faults.csv", |at| at.get(faults));
}

async fn create(
    request: HttpRequest,
    store: Data<Store>,
    imports: Data<Imports>,
    payload: Payload,
) -> Answer {
    let mut order = order(&request)?;
    let deed = if order.publish { Deed::Publish } else { Deed::Write };
    let by = actor::author(&request, &store, deed).await?;
    idempotency::refuse(&request)?;
    let format = format(&request)?;
    order.encoding = encoding(&request, format)?;
    let place = imports.place()?;
    let mut file = tempfile::tempfile().map_err(Problem::unwritten)?;
    let write = |part: web::Bytes| file.write_all(&part).map_err(Problem::unwritten);
    body::each(payload, format.limit(), PATIENCE, write).await?;
    let prepare = move || {
        std::io::Seek::rewind(&mut file).map_err(Problem::unwritten)?;
        // The place is taken for as long as this goes on, also where nobody waits for it any more.
        Prepared::of(order, format, file).map(|prepared| (prepared, place))
    };
    let (prepared, place) = web::block(prepare).await.map_err(|_| Problem::internal())??;
    let report = json!(prepared.report());
    let begin = async move {
        let kept = store.begin_import(&by.name, &report).await?;
        let id = kept.id;
        if imports.hand_in(Job { id, by, prepared, place }).is_err() {
            store.interrupt_import(id).await?;
        }
        store.import_of(id, None).await
    };
    let kept = apart(COLLECTION, begin).await?;
    Ok(HttpResponse::Accepted()
        .insert_header((header::LOCATION, format!("/v1/{COLLECTION}/{}", kept.id)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(told(kept)))
}

/// How something is to be taken, by the address.
fn order(request: &HttpRequest) -> Result<Order, Problem> {
    let mut query = ListQuery::of_feed(request)?;
    let resource = query.read("resource", None, |name| {
        let known = domain::collections().contains(&name);
        if known {
            Ok(Some(name.to_owned()))
        } else {
            Err("there is no such collection".to_owned())
        }
    });
    let sheet = query.read("sheet", None, |name| match name.chars().count() {
        1..=31 => Ok(Some(name.to_owned())),
        _ => Err("the name of a sheet has 1 to 31 characters".to_owned()),
    });
    let mapping = query.read("mapping", None, |text| {
        serde_json::from_str(text).map(Some).map_err(|error| error.to_string())
    });
    let system = query.read("system", SYSTEM.to_owned(), |text| {
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
        match text.len() <= 100 && text.bytes().all(fits) {
            true => Ok(text.to_owned()),
            false => {
                Err("it has at most 100 letters, digits, dots, hyphens and underscores".to_owned())
            }
        }
    });
    let order = Order {
        resource,
        dry_run: query.flag("dry_run"),
        partial: query.flag("partial"),
        publish: query.flag("publish"),
        encoding: None,
        sheet,
        mapping: mapping.unwrap_or_default(),
        system,
    };
    query.refuse_rest();
    query.judge()?;
    Ok(order)
}

/// The form of what is sent, by its media type.
fn format(request: &HttpRequest) -> Result<ImportFormat, Problem> {
    let given = body::media_type(request).next().unwrap_or_default();
    let is = |format: &ImportFormat| given.eq_ignore_ascii_case(format.media_type());
    ImportFormat::ALL.into_iter().find(is).ok_or_else(|| {
        Problem::media_type(
            "application/json, text/csv, \
             application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            false,
        )
    })
}

/// The encoding that a text is said to be in; JSON has only one, and a workbook none.
fn encoding(
    request: &HttpRequest,
    format: ImportFormat,
) -> Result<Option<&'static Encoding>, Problem> {
    let Some(told) = body::charset(request).filter(|_| format != ImportFormat::Xlsx) else {
        return Ok(None);
    };
    let known = Encoding::for_label_no_replacement(told.as_bytes());
    let known = known.filter(|known| format == ImportFormat::Csv || *known == UTF_8);
    known.map(Some).ok_or_else(|| Problem::charset(format.media_type()))
}

/// Who may see which imports: everybody their own, and who manages the service all.
async fn whose(request: &HttpRequest, store: &Store) -> Result<Option<String>, Problem> {
    let actor = actor::of(request, store, Deed::See).await?;
    Ok(if actor.may(Deed::Manage) { None } else { Some(actor.id) })
}

async fn list(request: HttpRequest, store: Data<Store>) -> Answer {
    let whose = whose(&request, &store).await?;
    let mut query = ListQuery::of(&request)?;
    query.refuse(&["sort", "with_total", "include", "facets", "lang"]);
    query.judge()?;
    let before = query.after(COLLECTION)?;
    let before = before.as_ref().and_then(|place| place.first()?.as_str()?.parse().ok());
    let found = store.imports(whose.as_deref(), before, query.limit + 1).await;
    let mut found = found.map_err(Problem::of(COLLECTION))?;
    let more = found.len() as u64 > query.limit;
    found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more);
    let next = next.map(|last| query.cursor(COLLECTION, &[json!(last.id)]));
    // A list tells where each stands; what differs and what is wrong is told of one.
    let items = found.into_iter().map(|kept| {
        let mut told = told(kept);
        told["changes"] = json!([]);
        told["faults"] = json!([]);
        told
    });
    Ok(private(&json!({"items": items.collect::<Vec<_>>(), "next_cursor": next})))
}

async fn read(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    Ok(private(&told(found(&request, &store, &key).await?)))
}

async fn faults(request: HttpRequest, store: Data<Store>, key: Path<String>) -> Answer {
    let id = found(&request, &store, &key).await?.id;
    let first = store.import_part(id, 0).await.map_err(Problem::of(COLLECTION))?;
    // Where nothing was refused the file is empty.
    let parts = try_unfold((Some(first.unwrap_or_default()), 1), move |(known, number)| {
        let store = store.clone();
        async move {
            let part = match known {
                Some(part) => Some(part),
                None => store.import_part(id, number - 1).await.map_err(Problem::of(COLLECTION))?,
            };
            let next = part.map(|part| (web::Bytes::from(part), (None, number + 1)));
            Ok::<_, actix_web::Error>(next)
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, ATTACHMENT))
        .content_type("text/csv; charset=utf-8; header=present")
        .streaming(parts))
}

async fn found(request: &HttpRequest, store: &Store, key: &str) -> Result<KeptImport, Problem> {
    let whose = whose(request, store).await?;
    ListQuery::none(request)?;
    let id = crud::id(COLLECTION, key)?;
    store.import_of(id, whose.as_deref()).await.map_err(Problem::of(COLLECTION))
}

/// An import, as it is answered.
fn told(kept: KeptImport) -> Value {
    let KeptImport { id, actor, actor_name, state, code, progress, report, created_at, ended_at } =
        kept;
    let over = ended_at.is_some();
    let refused = report["counts"]["refused"].as_u64().unwrap_or_default();
    let file = over && refused > 0 && report["resource"].is_string();
    let mut told = json!({
        "id": id,
        "state": state.name(),
        "code": code,
        "actor": actor,
        "actor_name": actor_name,
        "created_at": created_at,
        "ended_at": ended_at,
        "total": progress.total,
        "checked": progress.checked,
        "written": progress.written,
        "faults_file": file.then(|| format!("/v1/{COLLECTION}/{id}/faults.csv")),
    });
    for (name, value) in report.as_object().into_iter().flatten() {
        told[name] = value.clone();
    }
    told
}

fn private(answer: &Value) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(answer)
}
