//! The forms, other than JSON, that records are given in.
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use domain::{Record, Seminar, StudyVisit};
use persistence::{Basis, Error, Store};

use crate::{
    Problem, answer,
    query::{Languages, ListQuery},
    reader::Reader,
    routes::Routes,
};

pub(crate) mod activities;
mod atom;
mod dump;
pub(crate) mod event;
pub(crate) mod iati;
mod ics;
mod jsonld;
mod list;
pub(crate) mod readiness;
mod related;
pub(crate) mod table;

use event::{Event, Eventful};
use list::Form;
use related::Related;

type Answer = Result<HttpResponse, Problem>;

/// The address by which the public reaches the service.
#[derive(Clone, Debug)]
pub(crate) struct PublicAddress {
    base: String,
    host: String,
}

impl PublicAddress {
    /// That address.
    pub(crate) fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        let authority = base.split("://").last().unwrap_or_default();
        let authority = authority.split('/').next().unwrap_or_default();
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
            _ => authority,
        };
        Self { host: host.to_owned(), base }
    }

    /// Whether it is reached by TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.base.split("://").next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }

    /// The absolute address of a path.
    pub(crate) fn of(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// Adds the addresses of events in each form; they come before those of records.
pub(crate) fn routes(routes: &mut Routes) {
    events::<Seminar>(routes);
    events::<StudyVisit>(routes);
    routes.at("/v1/activities.{format}", |at| at.get(activities::named));
    iati::routes(routes);
    routes.at("/v1/dump.zip", |at| at.get(dump::read));
}

fn events<R: Eventful>(routes: &mut Routes) {
    let list = format!("/v1/{}", R::COLLECTION);
    routes.at(&format!("{list}.ics"), |at| at.get(ics_feed::<R>));
    routes.at(&format!("{list}.jsonld"), |at| at.get(jsonld_list::<R>));
    routes.at(&format!("{list}.atom"), |at| at.get(atom_feed::<R>));
    routes.at(&format!("{list}/{{id}}.ics"), |at| at.get(ics_one::<R>));
    routes.at(&format!("{list}/{{id}}.jsonld"), |at| at.get(jsonld_one::<R>));
    routes.at(&format!("{list}/{{id}}/readiness"), |at| at.get(readiness_of::<R>));
}

/// What a list of events is called.
fn name<R: Eventful>() -> String {
    format!("Capacity Hub: {}", R::COLLECTION.replace('-', " "))
}

fn told<R: Eventful>(records: &[Record<R>]) -> Vec<Event<'_>> {
    records.iter().map(R::event).collect()
}

async fn ics_feed<R: Eventful>(
    request: HttpRequest,
    store: Reader,
    address: Data<PublicAddress>,
) -> Answer {
    Form::Calendar.list::<R>(&request, &store, &address).await
}

async fn jsonld_list<R: Eventful>(
    request: HttpRequest,
    store: Reader,
    address: Data<PublicAddress>,
) -> Answer {
    Form::Graph.list::<R>(&request, &store, &address).await
}

async fn ics_one<R: Eventful>(
    request: HttpRequest,
    store: Reader,
    address: Data<PublicAddress>,
    key: Path<String>,
) -> Answer {
    let languages = Languages::of(&request)?;
    let wrong = Problem::of(R::COLLECTION);
    let record = match store.find::<R>(&key).await {
        Err(Error::NotFound) => return ics_gone::<R>(&store, &address, &key, &languages).await,
        found => found.map_err(&wrong)?,
    };
    let with = Related::basis_of_topics();
    let moment = store.moment(Basis::of::<R>().and(with.clone())).await.map_err(&wrong)?;
    let related = Related::of_calendar::<R>(&moment, &[R::event(&record)]).await;
    let related = related.map_err(&wrong)?;
    let (text, found) = languages.during(|| {
        let event = R::event(&record);
        let told = ics::event(&event, &related, &address);
        // There is no calendar with nothing in it.
        (!told.is_empty()).then(|| ics::begin(&event.title) + &told + ics::END)
    });
    let text = text.ok_or_else(|| Problem::not_ready(readiness::calendar(&R::event(&record))))?;
    let basis = Basis::one::<R>(record.id).and(with);
    Ok(answer::made_from(basis, answer::public_bytes(ics::MEDIA_TYPE, text.into_bytes(), found)))
}

/// The calendar of an event that is not public any more: whoever has subscribed to it is told what the
/// calendar of the list tells.
async fn ics_gone<R: Eventful>(
    store: &Store,
    address: &PublicAddress,
    key: &str,
    languages: &Languages,
) -> Answer {
    let wrong = Problem::of(R::COLLECTION);
    // Another record may get the slug.
    let basis = Basis::of::<R>();
    let moment = store.moment(basis.clone()).await.map_err(&wrong)?;
    let change = moment.gone_one::<R>(key).await.map_err(&wrong)?;
    let change = change.filter(|change| change.day.is_some());
    let change = change.ok_or_else(|| Problem::no_record(R::COLLECTION))?;
    let (text, found) =
        languages.during(|| ics::begin(&name::<R>()) + &ics::gone(&change, address) + ics::END);
    Ok(answer::made_from(basis, answer::public_bytes(ics::MEDIA_TYPE, text.into_bytes(), found)))
}

async fn jsonld_one<R: Eventful>(
    request: HttpRequest,
    store: Reader,
    address: Data<PublicAddress>,
    key: Path<String>,
) -> Answer {
    let languages = Languages::of(&request)?;
    let wrong = Problem::of(R::COLLECTION);
    let record = store.find::<R>(&key).await.map_err(&wrong)?;
    let with = Related::basis();
    let moment = store.moment(with.clone()).await.map_err(&wrong)?;
    let related = Related::of(&moment, &[R::event(&record)]).await.map_err(&wrong)?;
    let (bytes, found) = languages.during(|| jsonld::one(&R::event(&record), &related, &address));
    let basis = Basis::one::<R>(record.id).and(with);
    Ok(answer::made_from(basis, answer::public_bytes(jsonld::MEDIA_TYPE, bytes, found)))
}

async fn atom_feed<R: Eventful>(
    request: HttpRequest,
    store: Reader,
    address: Data<PublicAddress>,
) -> Answer {
    let mut query = ListQuery::of_feed(&request)?;
    let languages = query.languages();
    let wanted = query.wanted::<R>(R::COLLECTION)?;
    let wrong = Problem::of(R::COLLECTION);
    let records = store.latest(&wanted, atom::MOST).await.map_err(&wrong)?;
    let basis = wanted.basis(&[], false).and(Related::basis_of_topics());
    let moment = store.moment(basis.clone()).await.map_err(&wrong)?;
    let related = Related::topics_of(&moment, &told(&records)).await.map_err(&wrong)?;
    let changed = moment.changed_at().await.map_err(&wrong)?;
    let path = match request.query_string() {
        "" => request.path().to_owned(),
        query => format!("{}?{query}", request.path()),
    };
    let list = format!("/v1/{}", R::COLLECTION);
    let (bytes, found) = languages.during(|| {
        atom::feed(&name::<R>(), changed, &path, &list, &told(&records), &related, &address)
    });
    Ok(answer::made_from(basis, answer::public_bytes(atom::MEDIA_TYPE, bytes, found)))
}

/// What a record lacks for each form.
async fn readiness_of<R: Eventful>(
    request: HttpRequest,
    store: Reader,
    key: Path<String>,
) -> Answer {
    ListQuery::none(&request)?;
    let record = store.find::<R>(&key).await.map_err(Problem::of(R::COLLECTION))?;
    let told = readiness::of(&R::event(&record), store.today());
    let basis = Basis::one::<R>(record.id);
    Ok(answer::made_from(basis, answer::public(&told, &Languages::default())))
}
