//! All public records in one archive: a Data Package with each collection as NDJSON and as CSV.
use std::{
    fs::File,
    io::{self, Seek, Write},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web::Data,
};
use chrono::{DateTime, Utc};
use domain::{Country, Record};
use futures_util::future::LocalBoxFuture;
use persistence::{Basis, Error, Moment, Store, Stored, Visitor, visit_all};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::table::Table;
use crate::{
    Problem, country,
    file::{self, Asked, Said},
    query::ListQuery,
    reader::Anybody,
};

/// How many archives are written at once; who comes later waits.
static WRITERS: Semaphore = Semaphore::const_new(1);
const NAME: &str = "capacity-hub";
/// What is to be known of all files.
const ABOUT: &str = "Each collection twice: as NDJSON, a record a line as the service answers it, and as \
    CSV, with a column for each field and for each language of a text. In CSV a text that a spreadsheet \
    would take for a formula has an apostrophe before it, which is no part of it; the values of a list \
    are joined with \"; \", and a semicolon within one of them has a backslash before it.";

/// All public records, as one archive.
pub(crate) async fn read(
    _: Anybody,
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    ListQuery::none(&request)?;
    let asked = Asked {
        of: "records",
        media_type: "application/zip",
        basis: Basis::records(),
        by: NAME,
        daily: false,
        turns: &WRITERS,
    };
    let written = asked.answer(&request, &store, async |moment, file| {
        let mut archive = Archive::new(file);
        let mut collections = Collections(Vec::new());
        visit_all(&mut collections);
        collections.0.push(countries());
        for collection in &collections.0 {
            archive.add(moment, collection).await?;
        }
        // As of the last change, so that the same records keep the same bytes.
        let created = moment.changed_at().await.map_err(Problem::of("records"))?;
        archive.finish(created).map_err(Problem::unwritten)?;
        Ok(Said::default())
    });
    let mut response = file::kept_as(written.await?, &format!("{NAME}.zip"));
    // It is compressed already.
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    Ok(response)
}

/// A collection, and how its records are read on from one of them.
struct Collection {
    name: &'static str,
    /// The field that tells one of its records from the others.
    key: &'static str,
    table: Table,
    after: for<'a> fn(&'a Moment, Option<Uuid>) -> Batch<'a>,
}

type Batch<'a> = LocalBoxFuture<'a, Result<Vec<(Uuid, Value)>, Error>>;

struct Collections(Vec<Collection>);

impl Visitor for Collections {
    fn visit<R: Stored>(&mut self) {
        let table = Table::of::<R>();
        self.0.push(Collection { name: R::COLLECTION, key: "id", table, after: after::<R> });
    }
}

/// The countries that records name by their codes: no records, and read at once.
fn countries() -> Collection {
    Collection {
        name: country::COLLECTION,
        key: "code",
        table: Table::of_schema::<Country>(),
        after: |_, last| {
            let all = Country::all().filter(|_| last.is_none());
            let all = all.map(|country| (Uuid::nil(), json!(country))).collect();
            Box::pin(async { Ok(all) })
        },
    }
}

fn after<R: Stored>(moment: &Moment, last: Option<Uuid>) -> Batch<'_> {
    let told = |record: Record<R>| (record.id, json!(record));
    Box::pin(async move {
        let records = moment.after::<R>(last).await?;
        Ok(records.into_iter().map(told).collect())
    })
}

/// An archive that is being written.
struct Archive<'a> {
    zip: ZipWriter<&'a mut File>,
    resources: Vec<Value>,
    sums: Vec<(String, String)>,
}

impl<'a> Archive<'a> {
    fn new(file: &'a mut File) -> Self {
        Self { zip: ZipWriter::new(file), resources: Vec::new(), sums: Vec::new() }
    }

    async fn add(&mut self, moment: &Moment, collection: &Collection) -> Result<(), Problem> {
        let Collection { name, key, table, after } = collection;
        // An archive takes one file after the other, so the second waits beside it.
        let mut rows = tempfile::tempfile().map_err(Problem::unwritten)?;
        let mut csv = Summed::new(io::BufWriter::new(&mut rows));
        csv.write_all(table.csv_header().as_bytes()).map_err(Problem::unwritten)?;
        let lines_path = format!("data/{name}.ndjson");
        self.begin(&lines_path).map_err(Problem::unwritten)?;
        let mut lines = Summed::new(&mut self.zip);
        let mut last = None;
        loop {
            let batch = after(moment, last).await.map_err(Problem::of("records"))?;
            let Some((id, _)) = batch.last() else { break };
            last = Some(*id);
            for (_, record) in &batch {
                writeln!(lines, "{record}").map_err(Problem::unwritten)?;
                csv.write_all(table.csv_row(record).as_bytes()).map_err(Problem::unwritten)?;
            }
        }
        let (bytes, sum) = lines.ended();
        self.resource(&format!("{name}-ndjson"), lines_path, "ndjson", bytes, sum, None);

        csv.flush().map_err(Problem::unwritten)?;
        let (bytes, sum) = csv.ended();
        let rows_path = format!("data/{name}.csv");
        self.begin(&rows_path).map_err(Problem::unwritten)?;
        rows.rewind().map_err(Problem::unwritten)?;
        io::copy(&mut rows, &mut self.zip).map_err(Problem::unwritten)?;
        self.resource(name, rows_path, "csv", bytes, sum, Some(schema(table, key)));
        Ok(())
    }

    fn begin(&mut self, path: &str) -> io::Result<()> {
        // The same records are to give the same bytes, so the files have no time of their own.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644);
        Ok(self.zip.start_file(path, options)?)
    }

    fn resource(
        &mut self,
        name: &str,
        path: String,
        format: &str,
        bytes: u64,
        sum: String,
        schema: Option<Value>,
    ) {
        let media_type = match format {
            "csv" => "text/csv",
            _ => "application/x-ndjson",
        };
        let mut resource = json!({
            "name": name, "path": path, "format": format, "mediatype": media_type,
            "encoding": "utf-8", "bytes": bytes, "hash": format!("sha256:{sum}"),
        });
        if let Some(schema) = schema {
            resource["profile"] = "tabular-data-resource".into();
            resource["schema"] = schema;
        }
        self.resources.push(resource);
        self.sums.push((path, sum));
    }

    /// Writes what describes the rest, and ends the archive.
    fn finish(mut self, created: Option<DateTime<Utc>>) -> io::Result<()> {
        let mut package = json!({
            "name": NAME,
            "title": "Capacity Hub: all public records",
            "description": ABOUT,
            "profile": "data-package",
            "resources": self.resources,
        });
        if let Some(created) = created {
            package["created"] = json!(created);
        }
        let package = format!("{package:#}\n");
        self.begin("datapackage.json")?;
        self.zip.write_all(package.as_bytes())?;
        self.sums.push(("datapackage.json".to_owned(), hex(&Sha256::digest(&package))));
        self.begin("checksums.txt")?;
        for (path, sum) in &self.sums {
            writeln!(self.zip, "{sum}  {path}")?;
        }
        self.zip.finish()?;
        Ok(())
    }
}

/// What the columns of a table hold, as a Table Schema tells it.
fn schema(table: &Table, key: &str) -> Value {
    let fields = table.columns().iter().zip(table.kinds()).zip(table.abouts());
    let fields = fields.map(|((name, kind), about)| {
        let mut field = json!({"name": name, "type": kind.name()});
        if !about.is_empty() {
            field["description"] = about.into();
        }
        field
    });
    json!({"fields": fields.collect::<Vec<_>>(), "primaryKey": key, "missingValues": [""]})
}

/// Counts and sums up what goes through it.
struct Summed<W> {
    to: W,
    bytes: u64,
    sum: Sha256,
}

impl<W: Write> Summed<W> {
    fn new(to: W) -> Self {
        Self { to, bytes: 0, sum: Sha256::new() }
    }

    fn ended(self) -> (u64, String) {
        (self.bytes, hex(&self.sum.finalize()))
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, some: &[u8]) -> io::Result<usize> {
        let count = self.to.write(some)?;
        self.sum.update(&some[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
