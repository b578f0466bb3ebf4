//! Bars: columns where all that is to be read has room above and below them, and else rows.
mod columns;
mod rows;
mod shape;

use svg::node::{Node as _, element::Element};

use super::{
    Figure, Kind,
    number::{Numbers, Range},
    pen::{Anchor, text},
    sheet::Sheet,
    text::{bold_width, width},
    total,
};
use shape::Plot;

/// Between two bars of one category.
const SEAM: f64 = 2.0;
/// Between a bar and its label.
const BESIDE: f64 = 6.0;
/// How far an open end reaches.
const TIP: f64 = 16.0;
/// How long the place of a figure is that is not told.
const STUB: f64 = 14.0;

/// A label of a bar, and what it stands beside.
struct Label {
    text: String,
    /// Where the mark ends, and where its middle is across the bars.
    end: f64,
    across: f64,
    /// Whether it points to the larger values.
    forward: bool,
    bold: bool,
    told: bool,
}

/// A figure that is drawn, for eyes and for ears.
struct Mark {
    item: Element,
    label: Option<Label>,
}

/// Draws the figures as bars.
pub(super) fn draw(sheet: &mut Sheet<'_>) {
    if !columns::draw(sheet) {
        rows::draw(sheet);
    }
}

/// How many bars a category has.
fn lanes(sheet: &Sheet<'_>, category: usize) -> usize {
    match sheet.chart.kind {
        Kind::Stacked => 1,
        _ => of(sheet, category).iter().filter(|figure| **figure != Figure::Nothing).count(),
    }
}

/// How many bars a category has at most.
fn most_lanes(sheet: &Sheet<'_>) -> usize {
    (0..sheet.chart.categories.len()).map(|category| lanes(sheet, category)).max().unwrap_or(0)
}

/// The figures of a category.
fn of(sheet: &Sheet<'_>, category: usize) -> Vec<Figure> {
    sheet.chart.series.iter().map(|series| series.figures[category]).collect()
}

fn may_be_negative(sheet: &Sheet<'_>) -> bool {
    sheet.chart.figures().filter_map(Figure::value).any(|value| value < 0.0)
}

/// How far the bars reach.
fn reach(sheet: &Sheet<'_>) -> Vec<f64> {
    if sheet.chart.kind != Kind::Stacked {
        return sheet.chart.figures().filter_map(Figure::value).collect();
    }
    let sums = |category| {
        let values: Vec<_> = of(sheet, category).into_iter().filter_map(Figure::value).collect();
        let up: f64 = values.iter().filter(|value| **value > 0.0).sum();
        let down: f64 = values.iter().filter(|value| **value < 0.0).sum();
        let ends = [up, down].into_iter().filter(|end| *end != 0.0).collect::<Vec<_>>();
        if values.is_empty() || !ends.is_empty() { ends } else { vec![0.0] }
    };
    (0..sheet.chart.categories.len()).flat_map(sums).collect()
}

/// The values of an axis, as many as have room along it.
fn axis(
    numbers: &Numbers,
    range: impl Fn(f64) -> Range,
    room: impl Fn(&Range, &Numbers) -> bool,
) -> (Range, Numbers) {
    let numbered = |most| {
        let range = range(most);
        let numbers = numbers.also(&range.ticks);
        (range, numbers)
    };
    let fitting = [6.0, 5.0, 4.0, 3.0, 2.0]
        .into_iter()
        .map(numbered)
        .find(|(range, numbers)| room(range, numbers));
    fitting.unwrap_or_else(|| numbered(1.0))
}

/// What a category amounts to.
fn sum(sheet: &Sheet<'_>, category: usize) -> Figure {
    total(&of(sheet, category), may_be_negative(sheet))
}

/// What is written beside a stack, and whether it tells a number: its sum, or what is known of it and
/// what the rest is.
fn said(sheet: &Sheet<'_>, category: usize) -> (String, bool) {
    let label = |figure| sheet.words.label(figure, &sheet.numbers);
    let sum = sum(sheet, category);
    let (untold, known): (Vec<_>, Vec<_>) =
        of(sheet, category).into_iter().partition(|figure| figure.is_untold());
    let Some(untold) = untold.first().filter(|_| sum.value().is_none()) else {
        return (label(sum), sum.value().is_some());
    };
    let known = total(&known, may_be_negative(sheet));
    match known.value() {
        Some(_) => (format!("{} + {}", label(known), label(*untold)), true),
        None => (label(*untold), false),
    }
}

/// The marks of a category, the first at that place across the bars.
fn marks(sheet: &Sheet<'_>, plot: &Plot, category: usize, from: f64, thick: f64) -> Vec<Mark> {
    if sheet.chart.kind == Kind::Stacked {
        return stack(sheet, plot, category, from, thick);
    }
    let mut across = from;
    let mut marks = Vec::new();
    for (place, series) in sheet.chart.series.iter().enumerate() {
        let figure = series.figures[category];
        if figure == Figure::Nothing {
            continue;
        }
        let name = if sheet.chart.series.len() > 1 { series.name.as_str() } else { "" };
        let mut item = sheet.item(category, name, figure);
        let bar = plot.bar(figure, place, across, thick);
        for shape in bar.shapes {
            item.append(shape);
        }
        let label = Label {
            text: sheet.words.label(figure, &sheet.numbers),
            end: bar.end,
            across: across + thick / 2.0,
            forward: bar.forward,
            bold: false,
            told: figure.value().is_some(),
        };
        marks.push(Mark { item, label: Some(label) });
        across += thick + SEAM;
    }
    marks
}

/// The parts of a category one after the other, and what they amount to.
fn stack(sheet: &Sheet<'_>, plot: &Plot, category: usize, from: f64, thick: f64) -> Vec<Mark> {
    let (mut up, mut down) = (0.0, 0.0);
    let mut marks = Vec::new();
    let mut places = Vec::new();
    for (place, series) in sheet.chart.series.iter().enumerate() {
        let figure = series.figures[category];
        let mut item = sheet.item(category, &series.name, figure);
        match figure.value() {
            Some(value) => {
                let start = if value < 0.0 { &mut down } else { &mut up };
                let ends = (*start, *start + value);
                *start = ends.1;
                for shape in plot.part(figure, place, ends, from, thick) {
                    item.append(shape);
                }
                let label = sheet.words.label(figure, &sheet.numbers);
                if let Some(label) = plot.within(&label, place, ends, from, thick, sheet.small) {
                    item.append(label);
                }
                marks.push(Mark { item, label: None });
            }
            None if figure.is_untold() => places.push((item, figure, place)),
            None => {}
        }
    }
    let sum = sum(sheet, category);
    let mut whole = sheet.item(category, sheet.words.total, sum);
    let mut end = plot.at(up);
    if places.is_empty() && matches!(sum, Figure::AtLeast(_) | Figure::MoreThan(_)) {
        whole.append(plot.tip(end, true, from, thick, "gap"));
        end += plot.sign() * TIP;
    }
    for (mut item, figure, place) in places {
        item.append(plot.place(figure, end, from, thick, place));
        end += plot.sign() * STUB;
        marks.push(Mark { item, label: None });
    }
    let (text, told) = said(sheet, category);
    let forward = up > 0.0 || down == 0.0;
    let end = if forward { end } else { plot.at(down) };
    let bold = sum.value().is_some();
    let label = Label { text, end, across: from + thick / 2.0, forward, bold, told };
    marks.push(Mark { item: whole, label: (!label.text.is_empty()).then_some(label) });
    marks
}

/// How wide a label is.
fn label_width(label: &Label, size: f64) -> f64 {
    if label.bold { bold_width(&label.text, size) } else { width(&label.text, size) }
}

fn label_text(label: &Label, place: (f64, f64), anchor: Anchor, size: f64) -> Element {
    let class = if label.told { "ink halo" } else { "soft halo" };
    let mut text = text(place, anchor, size, class, &label.text);
    if label.bold {
        text.assign("font-weight", "700");
    }
    text
}
