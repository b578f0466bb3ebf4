//! Answers that are written to a file before they are sent.
//!
//! A file is written to disk first, from one moment of the database, and sent when it is whole: it
//! is never cut off in the middle, a slow reader keeps no connection to the database, and memory
//! does not grow with the file.
use std::{collections::BTreeSet, fs::File, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
};
use chrono::NaiveDate;
use persistence::{Basis, Moment, Sight, Store};
use tokio::{sync::Semaphore, time::timeout};

use crate::{Problem, answer, limit};

/// How many lists are written at once; who comes later waits.
pub(crate) static WRITERS: Semaphore = Semaphore::const_new(4);

/// How long who comes later waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// The languages that were chosen, of the texts in a file.
#[derive(Default)]
pub(crate) struct Said(BTreeSet<String>);

impl Said {
    /// Those, which the whole file is told in.
    pub(crate) fn of(found: Option<&str>) -> Self {
        let mut said = Self::default();
        said.also(found);
        said
    }

    /// Also those, which a part of the file is told in.
    pub(crate) fn also(&mut self, found: Option<&str>) {
        self.0.extend(found.iter().flat_map(|found| found.split(", ")).map(str::to_owned));
    }

    pub(crate) fn header(self) -> Option<String> {
        let all: Vec<_> = self.0.into_iter().collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

/// Up to how many bytes a file is kept in memory, to be given again.
const SMALL: u64 = 256 * 1024;

/// A file that can be asked for.
pub(crate) struct Asked<'a> {
    /// Whose records it has, in words.
    pub(crate) of: &'static str,
    pub(crate) media_type: &'static str,
    /// What it is made from.
    pub(crate) basis: Basis,
    /// What the bytes depend on, beside the address and the records.
    pub(crate) by: &'a str,
    /// Whether they change with the day, though no record does.
    pub(crate) daily: bool,
    /// Where to wait until there are not too many who write.
    pub(crate) turns: &'static Semaphore,
}

impl Asked<'_> {
    /// Answers with what is written, unless that is known already.
    ///
    /// What writes says which languages were chosen. It has nothing but the moment to read from:
    /// with a second connection beside it, those who write could come to wait for each other.
    pub(crate) async fn answer(
        &self,
        request: &HttpRequest,
        store: &Store,
        write: impl AsyncFnOnce(&Moment, &mut File) -> Result<Said, Problem>,
    ) -> Result<HttpResponse, Problem> {
        let wrong = Problem::of(self.of);
        let position = store.newest_of(&self.basis).await.map_err(&wrong)?;
        if let Some(known) =
            answer::known(request, &self.tag(request, position, store.today(), store.sight()))
        {
            return Ok(known);
        }
        let turns = async { (limit::writing(request).await, self.turns.acquire().await) };
        let Ok((_own, Ok(_turn))) = timeout(PATIENCE, turns).await else {
            return Err(Problem::unavailable());
        };
        let moment = store.moment(self.basis.clone()).await.map_err(&wrong)?;
        let mut file = tempfile::tempfile().map_err(Problem::unwritten)?;
        let languages = write(&moment, &mut file).await?.header();
        let tag = self.tag(request, moment.position(), moment.today(), moment.sight());
        let small = file.metadata().is_ok_and(|file| file.len() <= SMALL);
        let made = match small {
            true => answer::public_small_file(tag, self.media_type, languages, file)
                .map(|made| answer::made_from(self.basis.clone(), made)),
            false => {
                let held = limit::reading(request)?;
                answer::public_file(tag, self.media_type, languages, file, held)
            }
        };
        made.map_err(Problem::unwritten)
    }

    /// Tells the file from every other: what was asked, and as of which change and which day, for
    /// whose eyes.
    fn tag(&self, request: &HttpRequest, position: i64, today: NaiveDate, sight: &Sight) -> String {
        let (path, query) = (request.path(), request.query_string());
        let day = self.daily.then_some(today);
        // Another version may write the same records in another way.
        let version = env!("CARGO_PKG_VERSION");
        let asked = format!("{version} {} {path} {query} {day:?} {sight:?}", self.by);
        format!("\"{position}.{}\"", answer::digest(asked.as_bytes()))
    }
}

/// The same answer, to be kept under that name.
pub(crate) fn kept_as(mut response: HttpResponse, name: &str) -> HttpResponse {
    let kept = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    if let Ok(kept) = kept {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, kept);
    }
    response
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn tag(uri: &str, by: &str, daily: bool, day: u32) -> String {
        let day = NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
        let basis = Basis::records();
        let (of, media_type, turns) = ("seminars", "text/plain", &WRITERS);
        let asked = Asked { of, media_type, basis, by, daily, turns };
        asked.tag(&TestRequest::with_uri(uri).to_http_request(), 7, day, &Sight::Public)
    }

    #[test]
    fn a_tag_tells_apart_whatever_the_bytes_depend_on() {
        let one = tag("/a?b", "https://one.example", false, 1);
        assert!(one.starts_with("\"7."), "{one}");
        assert_eq!(tag("/a?b", "https://one.example", false, 2), one, "no day matters");
        for other in [
            tag("/a?c", "https://one.example", false, 1),
            tag("/c?b", "https://one.example", false, 1),
            tag("/a?b", "https://two.example", false, 1),
            tag("/a?b", "https://one.example", true, 1),
        ] {
            assert_ne!(other, one);
        }
        let daily = |day| tag("/a?b", "https://one.example", true, day);
        assert_ne!(daily(1), daily(2));
    }
}
