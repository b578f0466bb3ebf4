//! Small pages for who comes with a browser; programs are told the same in JSON.
use std::fmt::Write;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
};
use persistence::Basis;
use serde::Serialize;

use crate::{
    answer,
    edge::vary,
    export::{quality, quality_of_json},
    query::Languages,
};

/// A page has its style in itself, and asks nobody for anything.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'none'";
const STYLE: &str = "
    :root { color-scheme: light dark }
    body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem;
        padding: 2rem 1rem; background: Canvas; color: CanvasText }
    h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem }
    h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
    ul { padding: 0; margin: 0; list-style: none }
    li { padding: .15rem 0; break-inside: avoid }
    a { color: LinkText }
    code { font: .9em ui-monospace, monospace }
    .columns { columns: 14rem }
    .quiet { opacity: .75 }";

/// Whether a request rather has a page than JSON, at an address that has both.
pub(crate) fn preferred(request: &HttpRequest) -> bool {
    let both =
        matches!(request.path(), "/" | "/problems") || request.path().starts_with("/problems/");
    let accepted = request.headers().get(header::ACCEPT).filter(|_| both);
    accepted
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| quality(accepted, "text/html") > quality_of_json(accepted))
}

/// An answer that never changes, as a page or as JSON.
pub(crate) fn either<T: Serialize>(
    request: &HttpRequest,
    told: &T,
    page: impl FnOnce(&T) -> Page,
) -> HttpResponse {
    let mut response = match preferred(request) {
        true => page(told).answer(),
        false => answer::public(told, &Languages::default()),
    };
    vary(response.headers_mut(), "Accept");
    answer::made_from(Basis::nothing(), response)
}

/// A page that is being written.
pub(crate) struct Page {
    title: String,
    body: String,
}

impl Page {
    pub(crate) fn new(title: &str) -> Self {
        let title = escaped(title);
        Self { body: format!("<h1>{title}</h1>"), title }
    }

    pub(crate) fn says(mut self, text: &str) -> Self {
        let _ = write!(self.body, "<p>{}</p>", escaped(text));
        self
    }

    /// Says something that is less important.
    pub(crate) fn adds(mut self, text: &str) -> Self {
        let _ = write!(self.body, "<p class=\"quiet\"><code>{}</code></p>", escaped(text));
        self
    }

    /// Links to those addresses, each with what it is, under a heading.
    pub(crate) fn links<'a>(
        mut self,
        heading: &str,
        links: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let _ = write!(self.body, "<h2>{}</h2><ul class=\"columns\">", escaped(heading));
        for (address, about) in links {
            let (address, about) = (escaped(address), escaped(about));
            let _ = write!(self.body, "<li><a href=\"{address}\">{about}</a></li>");
        }
        self.body.push_str("</ul>");
        self
    }

    fn answer(self) -> HttpResponse {
        let Self { title, body } = self;
        let page = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style></head>\
             <body><main>{body}</main></body></html>\n"
        );
        let mut response =
            answer::public_bytes("text/html; charset=utf-8", page.into_bytes(), None);
        let policy = HeaderValue::from_static(POLICY);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}
