//! Whole lists of events, written batch by batch.
use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use actix_web::{HttpRequest, HttpResponse};
use persistence::{Basis, Error, Moment, Store, Wanted};

use super::{
    PublicAddress,
    event::{Event, Eventful},
    ics, jsonld, name,
    related::Related,
    told,
};
use crate::{
    Problem,
    file::{Asked, Said, WRITERS},
    query::{Languages, ListQuery},
};

/// Of how many events what they are told with is held at once.
const BATCH: usize = 100;

/// A form that a list of events is written in, one after the other.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Calendar,
    Graph,
}

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Self::Calendar => ics::MEDIA_TYPE,
            Self::Graph => jsonld::MEDIA_TYPE,
        }
    }

    /// What a list in this form is made from.
    fn basis<R: Eventful>(self, wanted: &Wanted<R>) -> Basis {
        match self {
            Self::Calendar => wanted.basis(&[], false).and(Related::basis_of_topics()),
            Self::Graph => Related::basis(),
        }
    }

    /// What this form tells some events with.
    async fn related<R: Eventful>(
        self,
        moment: &Moment,
        events: &[Event<'_>],
    ) -> Result<Related, Error> {
        match self {
            Self::Calendar => Related::of_calendar::<R>(moment, events).await,
            Self::Graph => Related::of(moment, events).await,
        }
    }

    fn begin(self, name: &str) -> String {
        match self {
            Self::Calendar => ics::begin(name),
            Self::Graph => jsonld::begin(),
        }
    }

    fn between(self) -> &'static str {
        match self {
            Self::Calendar => "",
            Self::Graph => jsonld::BETWEEN,
        }
    }

    fn event(self, event: &Event<'_>, related: &Related, address: &PublicAddress) -> String {
        match self {
            Self::Calendar => ics::event(event, related, address),
            Self::Graph => jsonld::event(event, related, address),
        }
    }

    fn end(self) -> &'static str {
        match self {
            Self::Calendar => ics::END,
            Self::Graph => jsonld::END,
        }
    }

    /// The list that a request asks for, in this form.
    pub(crate) async fn list<R: Eventful>(
        self,
        request: &HttpRequest,
        store: &Store,
        address: &PublicAddress,
    ) -> Result<HttpResponse, Problem> {
        let mut query = ListQuery::of_export(request)?;
        let languages = query.languages();
        let wanted = query.wanted::<R>(R::COLLECTION)?;
        let asked = Asked {
            of: R::COLLECTION,
            media_type: self.media_type(),
            basis: self.basis(&wanted),
            by: &address.base,
            daily: wanted.depends_on_day(),
            turns: &WRITERS,
        };
        let write = async |moment: &Moment, file: &mut File| {
            self.write::<R>(moment, wanted, &languages, address, file).await
        };
        asked.answer(request, store, write).await
    }

    async fn write<R: Eventful>(
        self,
        moment: &Moment,
        wanted: Wanted<R>,
        languages: &Languages,
        address: &PublicAddress,
        file: &mut File,
    ) -> Result<Said, Problem> {
        let wrong = Problem::of(R::COLLECTION);
        let mut to = BufWriter::new(file);
        let mut said = Said::default();
        to.write_all(self.begin(&name::<R>()).as_bytes()).map_err(Problem::unwritten)?;
        let mut between = "";
        let mut batches = moment.every(wanted);
        while let Some(records) = batches.next().await.map_err(&wrong)? {
            for some in records.chunks(BATCH) {
                let related = self.related::<R>(moment, &told(some)).await.map_err(&wrong)?;
                let (written, found) = languages.during(|| -> io::Result<()> {
                    for event in told(some) {
                        to.write_all(between.as_bytes())?;
                        to.write_all(self.event(&event, &related, address).as_bytes())?;
                        between = self.between();
                    }
                    Ok(())
                });
                written.map_err(Problem::unwritten)?;
                said.also(found.as_deref());
            }
        }
        if let Self::Calendar = self {
            // Whoever has kept one of these is told, whatever they asked for: which filters it would
            // pass would tell what it said.
            let mut last = 0;
            loop {
                let gone = moment.gone::<R>(last).await.map_err(&wrong)?;
                let Some(end) = gone.last() else { break };
                last = end.position;
                let (text, found) = languages
                    .during(|| gone.iter().map(|one| ics::gone(one, address)).collect::<String>());
                to.write_all(text.as_bytes()).map_err(Problem::unwritten)?;
                said.also(found.as_deref());
            }
        }
        to.write_all(self.end().as_bytes()).map_err(Problem::unwritten)?;
        to.flush().map_err(Problem::unwritten)?;
        Ok(said)
    }
}
