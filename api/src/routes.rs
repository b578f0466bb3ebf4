//! Which address is answered by what.
use std::collections::BTreeMap;

use actix_web::{
    Resource, Scope,
    web::{self, ServiceConfig},
};

use crate::edge::fallback;

/// The addresses of the service and what answers there.
///
/// Addresses with a part that can be anything are gathered by what they begin with, so that only few
/// of them are looked at for a request.
#[derive(Default)]
pub(crate) struct Routes {
    /// Those that are what they are.
    fixed: Vec<Resource>,
    /// The others, by their first two parts.
    within: BTreeMap<String, Scope>,
    /// Those of which these two can be anything.
    open: Vec<Resource>,
}

impl Routes {
    /// Adds an address, with what answers there.
    pub(crate) fn at(&mut self, path: &str, answers: impl FnOnce(Resource) -> Resource) {
        let resource = |path: &str| answers(web::resource(path)).default_service(web::to(fallback));
        let begin = path.match_indices('/').nth(2).map(|(at, _)| path.split_at(at));
        match begin {
            _ if !path.contains('{') => self.fixed.push(resource(path)),
            Some((begin, rest)) if !begin.contains('{') => {
                let new = || web::scope(begin).default_service(web::to(fallback));
                let scope = self.within.remove(begin).unwrap_or_else(new);
                self.within.insert(begin.to_owned(), scope.service(resource(rest)));
            }
            _ => self.open.push(resource(path)),
        }
    }

    /// Has the service answer there.
    pub(crate) fn serve(self, config: &mut ServiceConfig) {
        for resource in self.fixed {
            config.service(resource);
        }
        for scope in self.within.into_values() {
            config.service(scope);
        }
        for resource in self.open {
            config.service(resource);
        }
    }
}
