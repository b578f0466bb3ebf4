//! What stands around the figures: the title, the key, and the notes below.
use svg::{
    Document,
    node::{
        Node as _,
        element::{Definitions, Description, Element, Style, Title},
    },
};

use super::{
    Chart, Figure, Kind,
    ink::{self, COLOURS, KINDS},
    lines,
    number::Numbers,
    pen::{Anchor, element, length, path, rect, role, segment, text, titled},
    text::{balanced, bold_width, width, wrapped},
    words::Words,
};

const FONTS: &str = "'Noto Sans','Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans KR',\
    'Noto Sans CJK KR','Malgun Gothic','Apple SD Gothic Neo',sans-serif";
/// How much higher a line is than its letters.
const LEADING: f64 = 1.36;
const SWATCH: f64 = 12.0;
const GAP: f64 = 7.0;

/// A chart while it is drawn, from top to bottom.
pub(super) struct Sheet<'a> {
    pub(super) chart: &'a Chart,
    pub(super) words: &'static Words,
    pub(super) numbers: Numbers,
    pub(super) width: f64,
    pub(super) margin: f64,
    /// The size of the letters.
    pub(super) size: f64,
    pub(super) small: f64,
    /// How far down the drawing has come.
    pub(super) y: f64,
    /// What is read aloud elsewhere: the axes and the key.
    frame: Element,
    marks: Element,
    below: Element,
}

/// What a key explains.
enum Key {
    Series(usize),
    Unknown,
    Withheld,
}

impl<'a> Sheet<'a> {
    /// An empty one for the chart.
    pub(super) fn new(chart: &'a Chart) -> Self {
        let width = f64::from(chart.width);
        let values: Vec<_> = chart.figures().filter_map(Figure::value).collect();
        let (margin, size) = if width < 480.0 { (12.0, 12.0) } else { (20.0, 13.0) };
        Self {
            chart,
            words: Words::of(&chart.language),
            numbers: Numbers::of(&chart.language, &values),
            width,
            margin,
            size,
            small: size - 1.0,
            y: margin,
            frame: element("g", &[("aria-hidden", "true")]),
            marks: role("list", &chart.unit),
            below: element("g", &[]),
        }
    }

    /// The room between the margins.
    pub(super) fn room(&self) -> f64 {
        self.width - 2.0 * self.margin
    }

    /// Adds what only eyes need.
    pub(super) fn frame(&mut self, element: Element) {
        self.frame.append(element);
    }

    fn mark(&mut self, element: Element) {
        self.marks.append(element);
    }

    /// A figure for whoever hears the chart, made of what others see.
    pub(super) fn item(&self, category: usize, series: &str, figure: Figure) -> Element {
        let category = &self.chart.categories[category];
        let place: Vec<_> =
            [category.as_str(), series].into_iter().filter(|part| !part.is_empty()).collect();
        let phrase = self.words.phrase(figure, &self.numbers);
        let name = format!("{}: {phrase}", place.join(", "));
        titled(role("img", &name), &name)
    }

    /// The title, the unit and the key.
    pub(super) fn head(&mut self) {
        let size = if self.width < 480.0 { 15.0 } else { 18.0 };
        let title = balanced(&self.chart.title, 6, self.room(), |text| bold_width(text, size));
        self.y += size * 0.86;
        let whole = title.cut.then(|| self.chart.title.clone());
        for line in title.lines {
            let line = text((self.margin, self.y), Anchor::Start, size, "ink", &line);
            let mut line = whole.as_ref().map_or(line.clone(), |whole| titled(line, whole));
            line.assign("font-weight", "700");
            self.frame(line);
            self.y += size * 1.28;
        }
        self.y -= size * 0.5;
        let unit = self.subtitle();
        if !unit.is_empty() {
            self.y += self.size * 1.1;
            self.paragraph(&unit, self.size, true);
        }
        self.y += 6.0;
        self.key();
    }

    /// The unit, and the name of a series that is alone.
    fn subtitle(&self) -> String {
        let name = match self.chart.series.as_slice() {
            [series] if series.name != self.chart.title && series.name != self.chart.unit => {
                series.name.as_str()
            }
            _ => "",
        };
        let parts = [name, &self.chart.unit].into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(", ")
    }

    /// Lines in the soft ink; the next one would stand at `y`.
    fn paragraph(&mut self, paragraph: &str, size: f64, hidden: bool) {
        for line in wrapped(paragraph, 40, self.room(), |text| width(text, size)).lines {
            let line = text((self.margin, self.y), Anchor::Start, size, "soft", &line);
            if hidden {
                self.frame.append(line);
            } else {
                self.below.append(line);
            }
            self.y += size * LEADING;
        }
        self.y -= size * 0.36;
    }

    fn key(&mut self) {
        let keys = self.keys();
        if keys.is_empty() {
            return;
        }
        self.y += 18.0;
        let mut x = self.margin;
        for key in keys {
            let line = self.chart.kind == Kind::Line && matches!(key, Key::Series(_));
            let swatch = if line { 30.0 } else { SWATCH };
            let name = match key {
                Key::Series(place) => self.chart.series[place].name.as_str(),
                Key::Unknown => self.words.unknown,
                Key::Withheld => self.words.withheld,
            };
            let room = self.room() - swatch - GAP;
            let shown = wrapped(name, 1, room, |text| width(text, self.size));
            let line = shown.lines.first().map_or("", String::as_str);
            let wide = swatch + GAP + width(line, self.size);
            if x > self.margin && x + wide > self.width - self.margin {
                x = self.margin;
                self.y += self.size * 1.6;
            }
            let place = (x + swatch + GAP, self.y);
            let mut label = text(place, Anchor::Start, self.size, "ink", line);
            if shown.cut {
                label = titled(label, name);
            }
            let sample = self.sample(&key, x, self.y - self.size * 0.36, swatch);
            self.frame.append(label);
            for part in sample {
                self.frame.append(part);
            }
            x += wide + 18.0;
        }
        self.y += self.size * 0.5;
    }

    /// The series, unless there is one, and the hatchings that have no words beside them.
    fn keys(&self) -> Vec<Key> {
        if self.chart.is_empty() {
            return Vec::new();
        }
        let count = self.chart.series.len();
        let named = self.chart.kind == Kind::Line && lines::is_direct(self);
        let mut keys: Vec<_> =
            (0..count).filter(|_| count > 1 && !named).map(Key::Series).collect();
        if self.chart.kind != Kind::Bar {
            let any = |figure| self.chart.figures().any(|other| other == figure);
            keys.extend(any(Figure::Unknown).then_some(Key::Unknown));
            keys.extend(any(Figure::Withheld).then_some(Key::Withheld));
        }
        keys
    }

    fn sample(&self, key: &Key, x: f64, middle: f64, wide: f64) -> Vec<Element> {
        let square = [x + (wide - SWATCH) / 2.0, middle - SWATCH / 2.0, SWATCH, SWATCH];
        match key {
            Key::Series(place) if self.chart.kind == Kind::Line => {
                lines::sample(*place, x, middle, wide)
            }
            Key::Series(place) => vec![filled(rect(square, ""), *place)],
            Key::Unknown => vec![hatched(square, Figure::Unknown, "gap")],
            Key::Withheld => vec![hatched(square, Figure::Withheld, "gap")],
        }
    }

    /// That there is nothing to show.
    pub(super) fn empty(&mut self) {
        self.y += 14.0;
        let height = 96.0;
        let frame = [self.margin, self.y, self.room(), height];
        let mut frame = rect(frame, "gap open");
        frame.assign("rx", "4");
        self.frame(frame);
        let middle = (self.width / 2.0, self.y + height / 2.0 + self.size * 0.36);
        let mut item = titled(role("img", self.words.empty), self.words.empty);
        item.append(text(middle, Anchor::Middle, self.size + 1.0, "soft", self.words.empty));
        self.listed(self.words.empty, vec![item]);
        self.y += height;
    }

    /// Figures as a list of their own.
    pub(super) fn listed(&mut self, name: &str, items: Vec<Element>) {
        let mut list = role("list", name);
        for item in items {
            let mut place = role("listitem", "");
            place.append(item);
            list.append(place);
        }
        let mut place = role("listitem", "");
        place.append(list);
        self.mark(place);
    }

    /// What the figures mean, and the notes.
    pub(super) fn foot(&mut self) {
        self.y += 16.0;
        let chart = self.chart;
        let paragraphs: Vec<_> = std::iter::once(&chart.description)
            .chain(&chart.notes)
            .filter(|paragraph| !paragraph.is_empty())
            .collect();
        if paragraphs.is_empty() {
            return;
        }
        let (left, right) = (self.margin, self.width - self.margin);
        self.frame(segment((left, self.y), (right, self.y), "rule"));
        self.y += 8.0;
        for paragraph in paragraphs {
            self.y += self.small * 1.2;
            self.paragraph(paragraph, self.small, false);
        }
    }

    /// The whole as a file.
    pub(super) fn file(self) -> String {
        let height = (self.y + self.margin).ceil();
        let (wide, high) = (length(self.width), length(height));
        let chart = self.chart;
        let mut definitions = Definitions::new();
        for figure in [Figure::Unknown, Figure::Withheld] {
            definitions.append(hatching(figure));
        }
        for series in 0..chart.series.len().min(KINDS) {
            if ink::striped(series) {
                definitions.append(stripes(series));
            }
        }
        let mut title = Title::new(chart.title.as_str());
        title.assign("id", "title");
        let mut description = Description::new();
        description.assign("id", "description");
        description.append(svg::node::Text::new(chart.description.as_str()));
        let document = Document::new()
            .set("viewBox", format!("0 0 {wide} {high}"))
            .set("width", wide)
            .set("height", high)
            .set("role", "img")
            .set("aria-labelledby", "title description")
            .set("xml:lang", chart.language.as_str())
            .set("lang", chart.language.as_str())
            .set("font-family", FONTS)
            .add(title)
            .add(description)
            .add(Style::new(ink::styles(chart.series.len())))
            .add(definitions)
            .add(rect([0.0, 0.0, self.width, height], "page"))
            .add(self.frame)
            .add(self.marks)
            .add(self.below);
        format!("{document}\n")
    }
}

/// A shape in the colour of a series.
pub(super) fn filled(mut shape: Element, series: usize) -> Element {
    let series = series % KINDS;
    if ink::striped(series) {
        shape.assign("fill", format!("url(#stripes-{series})"));
    } else {
        shape.assign("class", format!("f{series}"));
    }
    shape
}

/// The class of the outline of a series.
pub(super) fn outline(series: usize) -> String {
    format!("o{}", series % COLOURS)
}

/// The class of a text on the colour of a series.
pub(super) fn on(series: usize) -> String {
    format!("k{}", series % COLOURS)
}

/// A place for a figure that is not told.
pub(super) fn hatched(place: [f64; 4], figure: Figure, class: &str) -> Element {
    let mut shape = rect(place, class);
    shape.assign("fill", format!("url(#{})", hatching_name(figure)));
    shape
}

fn hatching_name(figure: Figure) -> &'static str {
    if figure == Figure::Withheld { "withheld" } else { "unknown" }
}

fn hatching(figure: Figure) -> Element {
    let mut pattern = pattern(hatching_name(figure), 5.0);
    pattern.append(rect([0.0, 0.0, 5.0, 5.0], "page"));
    pattern.append(segment((0.0, 0.0), (0.0, 5.0), "gap"));
    if figure == Figure::Withheld {
        pattern.append(segment((0.0, 0.0), (5.0, 0.0), "gap"));
    }
    pattern
}

fn stripes(series: usize) -> Element {
    let mut pattern = pattern(&format!("stripes-{series}"), 6.0);
    pattern.append(rect([0.0, 0.0, 6.0, 6.0], &format!("f{}", series % COLOURS)));
    pattern.append(path(&[(0.0, 0.0), (0.0, 6.0)], false, "edge"));
    pattern
}

fn pattern(name: &str, size: f64) -> Element {
    let size = length(size);
    element(
        "pattern",
        &[
            ("id", name),
            ("width", &size),
            ("height", &size),
            ("patternUnits", "userSpaceOnUse"),
            ("patternTransform", "rotate(45)"),
        ],
    )
}
