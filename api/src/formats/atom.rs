//! Events as a feed, after RFC 4287: what was changed last comes first.
use atom_syndication::{Category, Entry, Feed, Link, Person, Text};
use chrono::{DateTime, FixedOffset, Utc};

use super::{
    PublicAddress,
    event::{Event, language, said},
    related::Related,
};

pub(crate) const MEDIA_TYPE: &str = "application/atom+xml; charset=utf-8";
/// How many entries a feed has at most.
pub(crate) const MOST: u64 = 100;

/// A feed of that name, at that address below ours; what it is of was changed last at that time.
pub(crate) fn feed(
    name: &str,
    changed: Option<DateTime<Utc>>,
    path: &str,
    list: &str,
    events: &[Event<'_>],
    related: &Related,
    address: &PublicAddress,
) -> Vec<u8> {
    let author = Person { name: "Capacity Hub".to_owned(), ..Person::default() };
    let newest = events.iter().map(|event| event.updated_at).max();
    // A feed with nothing in it is as new as what might have been.
    let updated = newest.or(changed).unwrap_or_default();
    let feed = Feed {
        title: Text { lang: Some("en".to_owned()), ..Text::plain(name) },
        id: address.of(path),
        updated: fixed(updated),
        authors: vec![author],
        links: vec![
            link("self", address.of(path), "application/atom+xml"),
            link("alternate", address.of(list), "application/json"),
        ],
        entries: events.iter().map(|event| entry(event, related, address)).collect(),
        ..Feed::default()
    };
    feed.to_string().into_bytes()
}

fn entry(event: &Event<'_>, related: &Related, address: &PublicAddress) -> Entry {
    let url = address.of(&event.path());
    let category = |(code, name): (&str, &domain::Text)| Category {
        term: code.to_owned(),
        label: Some(said(name)),
        ..Category::default()
    };
    let about = event.theme.iter().chain(&event.summary).cloned();
    let told: Vec<_> = event.when().into_iter().chain(about).collect();
    Entry {
        title: Text { lang: language(&event.label), ..Text::plain(&event.title) },
        id: format!("urn:uuid:{}", event.id),
        updated: fixed(event.updated_at),
        published: event.published_at.map(fixed),
        links: vec![
            link("alternate", url.clone(), "application/json"),
            link("self", url, "application/json"),
        ],
        categories: related.topics(event).map(category).collect(),
        summary: (!told.is_empty()).then(|| Text::plain(told.join("\n\n"))),
        ..Entry::default()
    }
}

fn link(rel: &str, href: String, media_type: &str) -> Link {
    let mime_type = Some(media_type.to_owned());
    Link { rel: rel.to_owned(), href, mime_type, ..Link::default() }
}

fn fixed(time: DateTime<Utc>) -> DateTime<FixedOffset> {
    time.fixed_offset()
}
