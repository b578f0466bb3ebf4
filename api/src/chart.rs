#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Bar,
    Line,
    Stacked,
}
#[derive(Clone, Copy)]
pub(crate) enum Figure {
    Known(f64),
    AtLeast(f64),
    MoreThan(f64),
    About(f64),
    LessThan(f64),
    AtMost(f64),
    Unknown,
    Withheld,
}
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) figures: Vec<Figure>,
}
pub(crate) struct Chart {
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) unit: String,
    pub(crate) categories: Vec<String>,
    pub(crate) series: Vec<Series>,
    pub(crate) language: String,
    pub(crate) width: u32,
    pub(crate) notes: Vec<String>,
    pub(crate) time: bool,
}
pub(crate) fn draw(chart: &Chart) -> String {
    chart.title.clone()
}
