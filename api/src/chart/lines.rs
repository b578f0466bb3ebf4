//! Lines over time, each with a mark and a dash of its own.
mod label;

use svg::node::{Node as _, element::Element};

use super::{
    Figure,
    ink::{COLOURS, KINDS},
    number::{Numbers, Range, measure},
    pen::{Anchor, path, rect, segment, text, titled},
    sheet::{Sheet, hatched, outline},
    text::{width, wrapped},
};

const DASHES: [&str; 5] = ["", "7 3", "2 2.5", "10 3 2 3", "4 3"];
/// How large a mark is at most.
const RADIUS: f64 = 4.0;
/// How far an arrow reaches from its mark.
const ARROW: f64 = 19.0;
/// The place of figures that are not told, below the axis.
const STRIP: f64 = 13.0;
const LABEL_LEADING: f64 = 1.25;
/// The break of the axis before what is of no known time.
const BREAK: f64 = 8.0;

/// Where the values of a chart are.
struct Plot {
    range: Range,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// How many categories the lines lead through.
    dated: usize,
    /// How wide the place is, beside them, of what is of no known time.
    apart: f64,
}

impl Plot {
    fn x(&self, category: usize) -> f64 {
        if category >= self.dated {
            return self.right - self.apart / 2.0;
        }
        if self.dated < 2 {
            return f64::midpoint(self.left, self.right - self.apart);
        }
        self.left + 14.0 + self.step() * measure(category)
    }

    fn step(&self) -> f64 {
        (self.right - self.apart - self.left - 28.0) / (measure(self.dated) - 1.0).max(1.0)
    }

    /// How large a mark is: smaller, where there are many.
    fn radius(&self, category: usize) -> f64 {
        if category >= self.dated {
            return RADIUS;
        }
        (self.step() * 0.28).clamp(1.5, RADIUS)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.range.low) / (self.range.high - self.range.low);
        self.bottom - share.clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    fn point(&self, category: usize, figure: Figure) -> Option<(f64, f64)> {
        figure.value().map(|value| (self.x(category), self.y(value)))
    }
}

/// Draws the figures as lines.
pub(super) fn draw(sheet: &mut Sheet<'_>) {
    let (plot, labels) = plot(sheet);
    axes(sheet, &plot, &labels);
    let chart = sheet.chart;
    for (place, series) in chart.series.iter().enumerate() {
        for line in line(&plot, place, &series.figures[..plot.dated]) {
            sheet.frame(line);
        }
    }
    let told = label::placed(sheet, &plot);
    let mut told = told.into_iter();
    for (place, series) in chart.series.iter().enumerate() {
        let mut items = Vec::new();
        for (category, figure) in series.figures.iter().enumerate() {
            let label = told.next().flatten();
            if *figure == Figure::Nothing {
                continue;
            }
            let name = if chart.series.len() > 1 { series.name.as_str() } else { "" };
            let mut item = sheet.item(category, name, *figure);
            let shapes = match plot.point(category, *figure) {
                Some(point) => mark(*figure, place, point, plot.radius(category)),
                None => vec![untold(sheet, &plot, *figure, category, place)],
            };
            for shape in shapes.into_iter().chain(label) {
                item.append(shape);
            }
            items.push(item);
        }
        sheet.listed(&series.name, items);
    }
    if is_direct(sheet) {
        direct(sheet, &plot);
    }
    sheet.y = plot.bottom + if has_untold(sheet) { STRIP } else { 0.0 } + 6.0;
    name_categories(sheet, &plot);
}

/// Whether the names of the series stand at the ends of their lines.
pub(super) fn is_direct(sheet: &Sheet<'_>) -> bool {
    let series = &sheet.chart.series;
    let ends = |figures: &[Figure]| figures.last().is_some_and(|last| last.value().is_some());
    (2..=8).contains(&series.len())
        && sheet.room() >= 520.0
        && !sheet.chart.undated
        && series.iter().all(|series| ends(&series.figures))
}

fn has_untold(sheet: &Sheet<'_>) -> bool {
    sheet.chart.figures().any(Figure::is_untold)
}

fn plot(sheet: &Sheet<'_>) -> (Plot, Vec<String>) {
    let values: Vec<_> = sheet.chart.figures().filter_map(Figure::value).collect();
    let height = (sheet.room() * 0.48).clamp(180.0, 380.0);
    let most = if height < 260.0 { 4.0 } else { 6.0 };
    let range = Range::around(&values, most);
    let numbers: Numbers = sheet.numbers.also(&range.ticks);
    let labels: Vec<_> = range.ticks.iter().map(|tick| numbers.short(*tick)).collect();
    let wide = labels.iter().map(|label| width(label, sheet.small)).fold(0.0, f64::max);
    let names = if is_direct(sheet) { direct_width(sheet) + 28.0 } else { 0.0 };
    let top = sheet.y + 10.0 + ARROW + sheet.small;
    let plot = Plot {
        range,
        left: sheet.margin + wide + 8.0,
        right: sheet.width - sheet.margin - names,
        top,
        bottom: top + height,
        dated: sheet.chart.categories.len() - usize::from(sheet.chart.undated),
        apart: if sheet.chart.undated { (sheet.room() * 0.2).clamp(56.0, 96.0) } else { 0.0 },
    };
    (plot, labels)
}

fn axes(sheet: &mut Sheet<'_>, plot: &Plot, labels: &[String]) {
    let across = |sheet: &mut Sheet<'_>, y: f64, class: &str| {
        let end = plot.right - plot.apart;
        sheet.frame(segment((plot.left, y), (end, y), class));
        if plot.apart > 0.0 {
            sheet.frame(segment((end + BREAK, y), (plot.right, y), class));
        }
    };
    for (tick, label) in plot.range.ticks.iter().zip(labels) {
        let y = plot.y(*tick);
        across(sheet, y, "rule");
        let place = (plot.left - 8.0, y + sheet.small * 0.36);
        sheet.frame(text(place, Anchor::End, sheet.small, "soft", label));
    }
    across(sheet, plot.y(0.0), "axis");
}

/// The line of a series in as many pieces as there are gaps; fainter, where it is not exact.
fn line(plot: &Plot, series: usize, figures: &[Figure]) -> Vec<Element> {
    let mut pieces: Vec<(bool, Vec<(f64, f64)>)> = Vec::new();
    let mut last = None;
    for (category, figure) in figures.iter().enumerate() {
        let here = plot.point(category, *figure).map(|point| (point, is_exact(*figure)));
        if let (Some((from, from_exact)), Some((to, to_exact))) = (last, here) {
            let exact = from_exact && to_exact;
            match pieces.last_mut() {
                Some((same, points)) if *same == exact && points.last() == Some(&from) => {
                    points.push(to);
                }
                _ => pieces.push((exact, vec![from, to])),
            }
        }
        last = here;
    }
    let drawn = |(exact, points): (bool, Vec<_>)| {
        let mut line = dashed(path(&points, false, &format!("line {}", outline(series))), series);
        if !exact {
            line.assign("style", "stroke-width:1.25");
        }
        line
    };
    pieces.into_iter().map(drawn).collect()
}

fn is_exact(figure: Figure) -> bool {
    matches!(figure, Figure::Known(_))
}

fn dashed(mut line: Element, series: usize) -> Element {
    let dash = DASHES[series % KINDS % DASHES.len()];
    if !dash.is_empty() {
        line.assign("stroke-dasharray", dash);
    }
    line
}

/// The line of a series, as the key shows it.
pub(super) fn sample(series: usize, x: f64, middle: f64, wide: f64) -> Vec<Element> {
    let ends = [(x, middle), (x + wide, middle)];
    let line = dashed(path(&ends, false, &format!("line {}", outline(series))), series);
    vec![line, shape(series, (x + wide / 2.0, middle), RADIUS, true)]
}

/// The mark of a figure: hollow, where it is not exact, with an arrow to where it may be.
fn mark(figure: Figure, series: usize, point: (f64, f64), radius: f64) -> Vec<Element> {
    let up = match figure {
        Figure::AtLeast(_) | Figure::MoreThan(_) => -1.0,
        Figure::LessThan(_) | Figure::AtMost(_) => 1.0,
        _ => 0.0,
    };
    let mut shapes = Vec::new();
    if up != 0.0 {
        let (x, y) = point;
        let (from, to) = (y + up * (radius + 1.0), y + up * ARROW);
        let class = outline(series);
        shapes.push(path(&[(x, from), (x, to)], false, &format!("open {class}")));
        let head = [(x - 4.0, to - up * 4.5), (x, to), (x + 4.0, to - up * 4.5)];
        let mut head = path(&head, false, &class);
        head.assign("fill", "none");
        head.assign("stroke-width", "1.5");
        shapes.push(head);
    }
    shapes.push(shape(series, point, radius, is_exact(figure)));
    shapes
}

fn shape(series: usize, (x, y): (f64, f64), radius: f64, exact: bool) -> Element {
    let colour = series % COLOURS;
    let class = if exact { format!("f{colour} edge") } else { format!("page o{colour}") };
    let [less, more] = [radius * 0.86, radius * 1.25];
    let around = |points: &[(f64, f64)]| {
        let points: Vec<_> = points.iter().map(|(across, down)| (x + across, y + down)).collect();
        path(&points, true, &class)
    };
    let mut shape = match series % KINDS % 6 {
        0 => {
            let [x, y, radius] = [x, y, radius].map(super::pen::length);
            super::pen::element(
                "circle",
                &[("class", &class), ("cx", &x), ("cy", &y), ("r", &radius)],
            )
        }
        1 => rect([x - less, y - less, 2.0 * less, 2.0 * less], &class),
        2 => around(&[(0.0, -more), (more, less), (-more, less)]),
        3 => around(&[(0.0, -more), (more, 0.0), (0.0, more), (-more, 0.0)]),
        4 => around(&[(0.0, more), (more, -less), (-more, -less)]),
        _ => around(&[
            (-more, 0.0),
            (-less, -more),
            (less, -more),
            (more, 0.0),
            (less, more),
            (-less, more),
        ]),
    };
    shape.assign("stroke-width", if exact { "0.75" } else { "1.75" });
    shape
}

/// The place of a figure that is not told: below the axis, where no value is.
fn untold(
    sheet: &Sheet<'_>,
    plot: &Plot,
    figure: Figure,
    category: usize,
    series: usize,
) -> Element {
    let count = measure(sheet.chart.series.len());
    // As wide together as the axis reaches beyond its first and last time.
    let wide = ((plot.step() * 0.8).min(28.0) / count).clamp(1.0, 9.0);
    let x = plot.x(category) + (measure(series) - count / 2.0) * wide;
    hatched(
        [x + 0.5, plot.bottom + 4.0, (wide - 1.0).max(0.5), STRIP - 3.0],
        figure,
        &outline(series),
    )
}

fn direct_width(sheet: &Sheet<'_>) -> f64 {
    let wide = |name: &str| width(name, sheet.size);
    let widest = sheet.chart.series.iter().map(|series| wide(&series.name)).fold(0.0, f64::max);
    widest.min(sheet.room() * 0.26)
}

/// The names of the series at the ends of their lines, none over another.
fn direct(sheet: &mut Sheet<'_>, plot: &Plot) {
    let chart = sheet.chart;
    let end = |series: &super::Series| series.figures.last().and_then(|last| last.value());
    let mut ends: Vec<_> = chart
        .series
        .iter()
        .enumerate()
        .filter_map(|(place, series)| end(series).map(|value| (plot.y(value), place)))
        .collect();
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let leading = sheet.size * LABEL_LEADING;
    let places = apart(&ends.iter().map(|end| end.0).collect::<Vec<_>>(), leading, plot.bottom);
    for ((end, place), y) in ends.into_iter().zip(places) {
        let name = &chart.series[place].name;
        let shown = wrapped(name, 1, direct_width(sheet) + 1.0, |text| width(text, sheet.size));
        let x = plot.right + 14.0;
        let from = plot.x(plot.dated - 1) + RADIUS + 3.0;
        let mut leader =
            path(&[(from, end), (plot.right + 4.0, y), (x - 3.0, y)], false, &outline(place));
        leader.assign("fill", "none");
        sheet.frame(leader);
        let line = shown.lines.first().map_or("", String::as_str);
        let mut label = text((x, y + sheet.size * 0.36), Anchor::Start, sheet.size, "ink", line);
        if shown.cut {
            label = titled(label, name);
        }
        sheet.frame(label);
    }
}

/// The places, in their order, moved as little as keeps them apart.
fn apart(places: &[f64], least: f64, lowest: f64) -> Vec<f64> {
    let mut moved: Vec<f64> = Vec::new();
    for place in places {
        let after = moved.last().map_or(f64::NEG_INFINITY, |last| last + least);
        moved.push(place.max(after));
    }
    let mut limit = lowest;
    for place in moved.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - least;
    }
    moved
}

/// The names of the categories below the axis, as many as have room.
fn name_categories(sheet: &mut Sheet<'_>, plot: &Plot) {
    let chart = sheet.chart;
    let size = sheet.small;
    let wide = |text: &str| width(text, size);
    let (dated, undated) = chart.categories.split_at(plot.dated);
    let widest = dated.iter().map(|name| wide(name)).fold(0.0, f64::max).min(120.0);
    let every = (1..=plot.dated).find(|every| plot.step() * measure(*every) >= widest + 8.0);
    let every = every.unwrap_or(plot.dated);
    let room = (plot.step() * measure(every) - 8.0).max(40.0).min(sheet.room());
    let named = dated.iter().enumerate().step_by(every).map(|(place, name)| (place, name, room));
    let apart = undated.iter().map(|name| (plot.dated, name, plot.apart));
    let mut deepest = sheet.y;
    for (category, name, room) in named.chain(apart) {
        let lines = wrapped(name, 3, room, wide);
        let half = lines.lines.iter().map(|line| wide(line)).fold(0.0, f64::max) / 2.0;
        let x = plot.x(category).max(sheet.margin + half).min(sheet.width - sheet.margin - half);
        let mut y = sheet.y + size;
        for line in &lines.lines {
            let mut label = text((x, y), Anchor::Middle, size, "ink", line);
            if lines.cut {
                label = titled(label, name);
            }
            sheet.frame(label);
            y += size * 1.3;
        }
        deepest = deepest.max(y - size);
    }
    sheet.y = deepest;
}
