//! Statistics as a chart: one SVG file that needs nothing else, in the colours of the reader's
//! scheme, with every figure also told in words.
//!
//! A chart says no more than its figures do: what is not known has neither a bar nor a point, a
//! bound has an open end, and no line leads across a gap. The same chart gives the same bytes.
mod bars;
mod ink;
mod lines;
mod number;
mod pen;
mod sheet;
mod text;
mod words;

#[cfg(test)]
mod tests;

use sheet::Sheet;
use text::clean;

/// How a chart shows its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bar for each figure.
    Bar,
    /// A line for each series.
    Line,
    /// A bar for each category, made of the figures of all series.
    Stacked,
}

/// A figure of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Figure {
    /// That number.
    Known(f64),
    /// That number or a larger one.
    AtLeast(f64),
    /// A larger number.
    MoreThan(f64),
    /// A number near to that one.
    About(f64),
    /// A smaller number.
    LessThan(f64),
    /// That number or a smaller one.
    AtMost(f64),
    /// Nobody told it.
    Unknown,
    /// It is known and not told.
    Withheld,
    /// There is nothing that it could be of.
    Nothing,
}

/// The figures of one kind, one for each category.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// What the figures are of.
    pub(crate) name: String,
    /// The figures, in the order of the categories; where one is missing, it is not known.
    pub(crate) figures: Vec<Figure>,
}

/// What a chart shows.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// How it shows it.
    pub(crate) kind: Kind,
    /// What it is called.
    pub(crate) title: String,
    /// What the figures mean, in words.
    pub(crate) description: String,
    /// What the figures count.
    pub(crate) unit: String,
    /// What the figures are told apart by.
    pub(crate) categories: Vec<String>,
    /// The figures.
    pub(crate) series: Vec<Series>,
    /// The language of the texts, as a BCP 47 tag.
    pub(crate) language: String,
    /// How wide the picture is, in pixels.
    pub(crate) width: u32,
    /// What else is to be known, printed below.
    pub(crate) notes: Vec<String>,
    /// Whether the categories are years, quarters or months.
    pub(crate) time: bool,
    /// Whether the last category is of no known time, so that no line leads there.
    pub(crate) undated: bool,
}

impl Figure {
    /// The number that the figure tells or is bounded by.
    fn value(self) -> Option<f64> {
        match self {
            Self::Known(value)
            | Self::AtLeast(value)
            | Self::MoreThan(value)
            | Self::About(value)
            | Self::LessThan(value)
            | Self::AtMost(value) => Some(value),
            Self::Unknown | Self::Withheld | Self::Nothing => None,
        }
    }

    /// Whether there is something that it does not tell.
    fn is_untold(self) -> bool {
        matches!(self, Self::Unknown | Self::Withheld)
    }

    /// The figure, or none known where its number is no number.
    fn sound(self) -> Self {
        if self.value().is_none_or(f64::is_finite) { self } else { Self::Unknown }
    }
}

impl Chart {
    /// The chart with texts that XML can hold, and a figure in each place.
    fn sound(&self) -> Self {
        let figures = |series: &Series| {
            let told = series.figures.iter().map(|figure| figure.sound());
            told.chain(std::iter::repeat(Figure::Unknown)).take(self.categories.len()).collect()
        };
        let series =
            |series: &Series| Series { name: clean(&series.name), figures: figures(series) };
        let cleaned = |texts: &[String]| texts.iter().map(|text| clean(text)).collect();
        Self {
            kind: self.kind,
            title: clean(&self.title),
            description: clean(&self.description),
            unit: clean(&self.unit),
            categories: cleaned(&self.categories),
            series: self.series.iter().map(series).collect(),
            language: clean(&self.language),
            width: self.width.clamp(240, 1600),
            notes: cleaned(&self.notes),
            time: self.time,
            undated: self.undated && self.categories.len() > 1,
        }
    }

    fn figures(&self) -> impl Iterator<Item = Figure> {
        self.series.iter().flat_map(|series| series.figures.iter().copied())
    }

    fn is_empty(&self) -> bool {
        self.categories.is_empty() || self.series.is_empty()
    }
}

/// The chart as an SVG file.
pub(crate) fn draw(chart: &Chart) -> String {
    let chart = chart.sound();
    let mut sheet = Sheet::new(&chart);
    sheet.head();
    match chart.kind {
        _ if chart.is_empty() => sheet.empty(),
        Kind::Bar | Kind::Stacked => bars::draw(&mut sheet),
        Kind::Line => lines::draw(&mut sheet),
    }
    sheet.foot();
    sheet.file()
}

/// What the figures of one category amount to together.
fn total(figures: &[Figure], may_be_negative: bool) -> Figure {
    let figures: Vec<_> =
        figures.iter().copied().filter(|figure| *figure != Figure::Nothing).collect();
    if figures.is_empty() {
        return Figure::Nothing;
    }
    let all = |test: fn(&Figure) -> bool| figures.iter().all(test);
    let any = |test: fn(&Figure) -> bool| figures.iter().any(test);
    let sum = |test: fn(&Figure) -> bool| {
        let values =
            figures.iter().filter(|figure| test(figure)).filter_map(|figure| figure.value());
        number::tidy(values.sum())
    };
    let known = |figure: &Figure| matches!(figure, Figure::Known(_));
    let from_below = |figure: &Figure| {
        matches!(figure, Figure::Known(_) | Figure::AtLeast(_) | Figure::MoreThan(_))
    };
    let near = |figure: &Figure| matches!(figure, Figure::Known(_) | Figure::About(_));
    let from_above = |figure: &Figure| {
        matches!(figure, Figure::Known(_) | Figure::LessThan(_) | Figure::AtMost(_))
    };
    let sum_of_all = sum(|_| true);
    let total = if all(known) {
        Figure::Known(sum_of_all)
    } else if all(near) {
        Figure::About(sum_of_all)
    } else if all(from_below) {
        let more = any(|figure| matches!(figure, Figure::MoreThan(_)));
        if more { Figure::MoreThan(sum_of_all) } else { Figure::AtLeast(sum_of_all) }
    } else if all(from_above) && (may_be_negative || sum(known) == 0.0) {
        let less = any(|figure| matches!(figure, Figure::LessThan(_)));
        if less { Figure::LessThan(sum_of_all) } else { Figure::AtMost(sum_of_all) }
    } else if any(from_below) && !may_be_negative {
        Figure::AtLeast(sum(from_below))
    } else {
        Figure::Unknown
    };
    total.sound()
}
