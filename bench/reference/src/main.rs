//! What the service is measured beside: answers from memory with nothing around them, and the same
//! answers written by hand with sqlx.
//!
//! `reference bytes FOLDER` gives the files of a folder, by the addresses in its `index.json`;
//! `reference sql` asks the database of `DATABASE_URL`. Both print where they listen.
mod sql;

use std::{collections::HashMap, fs, io, net::TcpListener, path::Path};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    web::{self, Bytes, Data},
};
use sqlx::postgres::PgPoolOptions;

/// As the service has it.
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Failure = Box<dyn std::error::Error>;

#[actix_web::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, absent: u32| -> Result<u32, Failure> {
        std::env::var(name).map_or(Ok(absent), |text| Ok(text.parse()?))
    };
    let workers = number("WORKERS", 2)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bytes", folder] => bytes(listener, workers, Path::new(folder)).await,
        ["sql"] => asked(listener, workers, number("CONNECTIONS", 16)?).await,
        _ => Err("it is called as `reference bytes FOLDER` or `reference sql`".into()),
    }
}

struct Answer {
    media_type: String,
    bytes: Bytes,
}

async fn bytes(listener: TcpListener, workers: u32, folder: &Path) -> Result<(), Failure> {
    let index: HashMap<String, (String, String)> =
        serde_json::from_slice(&fs::read(folder.join("index.json"))?)?;
    let answers = index.into_iter().map(|(address, (name, media_type))| {
        let bytes = Bytes::from(fs::read(folder.join(name))?);
        Ok((address, Answer { media_type, bytes }))
    });
    let answers = Data::new(answers.collect::<io::Result<HashMap<_, _>>>()?);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(answers.clone())
            .route("/unchanged", web::get().to(HttpResponse::NotModified))
            .default_service(web::get().to(known))
    });
    Ok(server.workers(workers as usize).listen(listener)?.run().await?)
}

async fn known(request: HttpRequest, answers: Data<HashMap<String, Answer>>) -> HttpResponse {
    let address = request.uri().path_and_query().map_or("", |address| address.as_str());
    match answers.get(address) {
        None => HttpResponse::NotFound().finish(),
        Some(answer) => {
            HttpResponse::Ok().content_type(&*answer.media_type).body(answer.bytes.clone())
        }
    }
}

async fn asked(listener: TcpListener, workers: u32, connections: u32) -> Result<(), Failure> {
    let url = std::env::var("DATABASE_URL")?;
    let server = HttpServer::new(move || {
        let url = url.clone();
        App::new()
            // A pool is driven by the thread that opened it, so each worker has its own.
            .data_factory(move || {
                let pool = PgPoolOptions::new()
                    .max_connections(connections.div_ceil(workers))
                    // sqlx would ask whether a connection lives before each use of it.
                    .test_before_acquire(false)
                    .connect_lazy(&url);
                async move { pool }
            })
            .route("/v1/seminars", web::get().to(sql::list))
            .route("/v1/seminars/{slug}", web::get().to(sql::read))
            .route("/v1/seminars/{slug}/programme", web::get().to(sql::programme))
    });
    Ok(server.workers(workers as usize).listen(listener)?.run().await?)
}
