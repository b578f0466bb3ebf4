//! Figures of participants for the public: no small group can be told from them.
use super::{Figure, Figures, Question};
use crate::{Error, Moment};

impl Moment {
    /// The figures of participants that the public may know.
    pub async fn protected_figures(&self, question: &Question) -> Result<Figures, Error> {
        let columns = question.columns();
        let withheld = Figure { withheld: true, ..Figure::default() };
        Ok(Figures { columns, rows: Vec::new(), totals: vec![withheld], too_many: false })
    }
}
