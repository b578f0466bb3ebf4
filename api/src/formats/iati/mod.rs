//! Projects as IATI 2.03 has them, with what they consist of, their money and their results.
//!
//! - [`Work`] is a project with all that is told of it but its events, which are read one batch
//!   after the other.
//! - `gaps` says which mandatory facts are missing: then nothing is written at all.
//! - `left_out` says what is known and cannot be told as it is known: it stops nothing.
//! - `words` says what of a text can be told.
//! - `xml` writes what is known, in the order that the standard asks for.
//! - `check` reads what was written, before it is sent.
use std::{
    fs::File,
    io::{BufWriter, Seek, SeekFrom, Write},
};

use actix_web::{HttpRequest, HttpResponse, web::Path};
use domain::{Project, ProjectFilter, Resource, Seminar, StudyVisit};
use persistence::{Basis, Error, Moment, Wanted};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    event::{Event, Eventful},
    readiness::{Gap, IatiReadiness},
};
use crate::{
    Problem, answer,
    file::{Asked, Said, WRITERS},
    query::{Languages, ListQuery},
    reader::Reader,
    routes::Routes,
    statistics::smallest_count,
};

mod check;
mod gaps;
mod left_out;
mod words;
mod work;
mod xml;

pub use check::{IatiFault, iati_faults};
pub(super) use gaps::of_event;
pub(super) use left_out::of_event as left_out_of_event;
use work::{OfProject, Work, of_project};

type Answer = Result<HttpResponse, Problem>;

pub(crate) const MEDIA_TYPE: &str = "application/xml; charset=utf-8";
/// The address of every project as an activity.
pub(crate) const ALL: &str = "/v1/iati/activities.xml";

/// Whether a project can be told in each format.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectReadiness {
    /// By format.
    formats: ProjectFormats,
}

/// The formats of a project.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectFormats {
    /// The standard of the International Aid Transparency Initiative, version 2.03.
    iati: IatiReadiness,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.at(ALL, |at| at.get(all));
    routes.at("/v1/projects/{id}.iati.xml", |at| at.get(one));
    routes.at("/v1/projects/{id}/readiness", |at| at.get(readiness));
}

/// Why the activities of a project are not written.
enum Unwritten {
    /// One of them breaks a rule, which is a fault of ours and stands in the log.
    Unsound,
    Failed(Problem),
}

impl From<Problem> for Unwritten {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<Unwritten> for Problem {
    fn from(why: Unwritten) -> Self {
        match why {
            Unwritten::Unsound => Self::internal(),
            Unwritten::Failed(problem) => problem,
        }
    }
}

fn asked(by: &str) -> Asked<'_> {
    // Whether a day has come decides what may be told as having happened. Participants are counted.
    let (of, basis) = (Project::COLLECTION, Basis::everything());
    Asked { of, media_type: MEDIA_TYPE, basis, by, daily: true, turns: &WRITERS }
}

async fn one(request: HttpRequest, store: Reader, key: Path<String>) -> Answer {
    ListQuery::none(&request)?;
    let wrong = Problem::of(Project::COLLECTION);
    let store = store.published();
    let id = store.find::<Project>(&key).await.map_err(&wrong)?.id;
    let smallest = smallest_count(&request);
    let write = async |moment: &Moment, file: &mut File| {
        // As it was at that moment, like all that is told with it.
        let mut found = moment.of_keys::<Project>([id.to_string()]).await.map_err(&wrong)?;
        let project = found.pop().ok_or_else(|| Problem::no_record(Project::COLLECTION))?;
        let work = Work::of(moment, project, smallest).await.map_err(&wrong)?;
        let gaps = gaps::of(&work, moment.today());
        if !gaps.is_empty() {
            return Err(Problem::not_ready(gaps));
        }
        let mut to = BufWriter::new(file);
        begin(moment, &mut to).await?;
        activities(moment, &work, &mut to).await?;
        end(&mut to)
    };
    asked(&smallest.to_string()).answer(&request, &store, write).await
}

async fn all(request: HttpRequest, store: Reader) -> Answer {
    ListQuery::none(&request)?;
    let wrong = Problem::of(Project::COLLECTION);
    let smallest = smallest_count(&request);
    let write = async |moment: &Moment, file: &mut File| {
        let mut to = BufWriter::new(file);
        begin(moment, &mut to).await?;
        // The standard has no file without an activity: as long as there is none, this is what is told.
        let mut missing = Some(Vec::new());
        let mut projects = moment.every(Wanted::<Project>::all(ProjectFilter::default()));
        while let Some(projects) = projects.next().await.map_err(&wrong)? {
            for project in projects {
                let work = Work::of(moment, project, smallest).await.map_err(&wrong)?;
                let gaps = gaps::of(&work, moment.today());
                if gaps.is_empty() {
                    let before = to.stream_position().map_err(Problem::unwritten)?;
                    match activities(moment, &work, &mut to).await {
                        Ok(()) => missing = None,
                        Err(Unwritten::Failed(problem)) => return Err(problem),
                        // The others are told all the same.
                        Err(Unwritten::Unsound) => {
                            to.seek(SeekFrom::Start(before)).map_err(Problem::unwritten)?;
                            to.get_ref().set_len(before).map_err(Problem::unwritten)?;
                            to.write_all(&xml::unsound(&work)).map_err(Problem::unwritten)?;
                        }
                    }
                } else {
                    to.write_all(&xml::left_out(&work)).map_err(Problem::unwritten)?;
                    let gaps = gaps.into_iter().map(|gap| gap.of(Project::COLLECTION, work.id));
                    if let Some(missing) = &mut missing {
                        missing.extend(gaps);
                    }
                }
            }
        }
        let Some(mut missing) = missing else { return end(&mut to) };
        if missing.is_empty() {
            missing.push(Gap::new("", "xsd:iati-activity", "A file has an activity."));
        }
        Err(Problem::not_ready(missing))
    };
    asked(&smallest.to_string()).answer(&request, &store.published(), write).await
}

async fn readiness(request: HttpRequest, store: Reader, key: Path<String>) -> Answer {
    ListQuery::none(&request)?;
    let wrong = Problem::of(Project::COLLECTION);
    let project = store.find::<Project>(&key).await.map_err(&wrong)?;
    let moment = store.moment(Basis::everything()).await.map_err(&wrong)?;
    let work = Work::of(&moment, project, smallest_count(&request)).await.map_err(&wrong)?;
    let missing = gaps::of(&work, moment.today());
    let mut left_out = left_out::of(&work);
    left_out.extend(untold::<Seminar>(&moment, &work).await.map_err(&wrong)?);
    left_out.extend(untold::<StudyVisit>(&moment, &work).await.map_err(&wrong)?);
    let iati = IatiReadiness::of(missing, left_out);
    let told = ProjectReadiness { formats: ProjectFormats { iati } };
    Ok(answer::made_from(Basis::everything(), answer::public(&told, &Languages::default())))
}

/// What the events of a project lack that are not told with it, since they lack something.
async fn untold<R: Eventful<Filter: OfProject>>(
    moment: &Moment,
    work: &Work,
) -> Result<Vec<Gap>, Error> {
    let mut untold = Vec::new();
    let mut batches = moment.every(Wanted::<R>::all(of_project(work)));
    while let Some(records) = batches.next().await? {
        for event in records.iter().map(R::event) {
            let gaps = of_event(&event, moment.today()).into_iter();
            untold.extend(gaps.map(|gap| gap.of(event.collection, event.id)));
        }
    }
    Ok(untold)
}

async fn begin(moment: &Moment, to: &mut impl Write) -> Result<(), Problem> {
    let changed = moment.changed_at().await.map_err(Problem::of(Project::COLLECTION))?;
    to.write_all(&xml::begin(changed.unwrap_or_default())).map_err(Problem::unwritten)
}

fn end(to: &mut impl Write) -> Result<Said, Problem> {
    to.write_all(xml::END).map_err(Problem::unwritten)?;
    to.flush().map_err(Problem::unwritten)?;
    Ok(Said::default())
}

/// Writes a project and each of its events. What it is joined to is told within the project, so the
/// events are read twice.
async fn activities(moment: &Moment, work: &Work, to: &mut impl Write) -> Result<(), Unwritten> {
    let mut children = Vec::new();
    let child = |event: &Event<'_>| Ok(xml::child(work, event));
    each::<Seminar>(moment, work, child, &mut children).await?;
    each::<StudyVisit>(moment, work, child, &mut children).await?;
    let project = check::sound(xml::project(work, &children), moment.today())?;
    to.write_all(&project).map_err(Problem::unwritten)?;
    let whole = |event: &Event<'_>| check::sound(xml::event(work, event), moment.today());
    each::<Seminar>(moment, work, whole, to).await?;
    each::<StudyVisit>(moment, work, whole, to).await
}

/// Writes each event of a project that can be told, in that way.
async fn each<R: Eventful<Filter: OfProject>>(
    moment: &Moment,
    work: &Work,
    tell: impl Fn(&Event<'_>) -> Result<Vec<u8>, Unwritten>,
    to: &mut impl Write,
) -> Result<(), Unwritten> {
    let mut batches = moment.every(Wanted::<R>::all(of_project(work)));
    while let Some(records) = batches.next().await.map_err(Problem::of(R::COLLECTION))? {
        for event in records.iter().map(R::event) {
            if of_event(&event, moment.today()).is_empty() {
                to.write_all(&tell(&event)?).map_err(Problem::unwritten)?;
            }
        }
    }
    Ok(())
}
