//! Every resource there is, told once.
use domain::{
    Document, ExchangeRate, GrantArrangement, Indicator, Initiative, Organisation, Person,
    Presentation, Project, ProjectResult, Recommendation, Seminar, SeminarSeries, Session,
    Statement, StudyVisit, Topic,
};

use crate::Stored;

/// Something to be done for every resource.
pub trait Visitor {
    /// Does it for `R`.
    fn visit<R: Stored>(&mut self);
}

/// Does it for every resource, in the order in which the contract tells them.
pub fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit::<Project>();
    visitor.visit::<GrantArrangement>();
    visitor.visit::<SeminarSeries>();
    visitor.visit::<Seminar>();
    visitor.visit::<Session>();
    visitor.visit::<Presentation>();
    visitor.visit::<Statement>();
    visitor.visit::<Initiative>();
    visitor.visit::<StudyVisit>();
    visitor.visit::<Organisation>();
    visitor.visit::<Person>();
    visitor.visit::<Topic>();
    visitor.visit::<ProjectResult>();
    visitor.visit::<Indicator>();
    visitor.visit::<Recommendation>();
    visitor.visit::<ExchangeRate>();
    visitor.visit::<Document>();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resources_that_are_visited_are_all_that_the_registry_has() {
        struct Names(Vec<&'static str>);
        impl Visitor for Names {
            fn visit<R: Stored>(&mut self) {
                self.0.push(R::COLLECTION);
            }
        }
        let mut names = Names(Vec::new());
        visit_all(&mut names);
        assert_eq!(names.0, domain::collections());
    }
}
