//! Bars that lie one below the other.
use svg::node::{Node as _, element::Element};

use super::{
    BESIDE, Figure, Label, Plot, SEAM, STUB, TIP, axis, label_text, label_width, lanes, marks,
    most_lanes, of, reach, said,
};
use crate::chart::{
    Kind,
    number::{Range, measure},
    pen::{Anchor, segment, text, titled},
    sheet::Sheet,
    text::{Lines, bold_width, width, wrapped},
};

/// A label before or after its bar; over it, where the picture is too narrow for both.
fn beside(sheet: &Sheet<'_>, label: &Label) -> Element {
    let y = label.across + sheet.small * 0.36;
    let wide = label_width(label, sheet.small);
    let (first, last) = (sheet.margin, sheet.width - sheet.margin - wide);
    let left = if label.forward { label.end + BESIDE } else { label.end - BESIDE - wide };
    match label.forward {
        false if left >= first => {
            label_text(label, (label.end - BESIDE, y), Anchor::End, sheet.small)
        }
        _ => label_text(label, (left.min(last).max(first), y), Anchor::Start, sheet.small),
    }
}

/// Where the names of the categories stand.
struct Names {
    lines: Vec<Lines>,
    /// How wide they are, if they stand beside the bars and not above.
    beside: Option<f64>,
    leading: f64,
}

/// Draws rows.
pub(super) fn draw(sheet: &mut Sheet<'_>) {
    let names = names(sheet);
    let left = sheet.margin + names.beside.map_or(0.0, |wide| wide + 10.0);
    let right = sheet.width - sheet.margin;
    let tails = tails(sheet);
    let start = left + tails.iter().map(|tail| tail.back).fold(0.0, f64::max);
    // Each bar ends where its label still has room.
    let end = |range: &Range| {
        let label =
            range.ticks.last().map_or(0.0, |tick| width(&sheet.numbers.short(*tick), sheet.small));
        let ends = tails.iter().filter_map(|tail| {
            let share = (tail.value.max(0.0) - range.low) / (range.high - range.low);
            (share > 0.0).then(|| start + (right - tail.on - start) / share.min(1.0))
        });
        ends.fold(right - label / 2.0, f64::min).max(start + 40.0)
    };
    let reach = reach(sheet);
    let (range, ticks) = axis(
        &sheet.numbers,
        |most| Range::around(&reach, most).trimmed(&reach),
        |range, numbers| {
            let wide = range.ticks.iter().map(|tick| width(&numbers.short(*tick), sheet.small));
            let steps = range.ticks.windows(2).map(|pair| pair[1] - pair[0]);
            let step = steps.fold(f64::INFINITY, f64::min) / (range.high - range.low);
            wide.fold(0.0, f64::max) + 14.0 <= step * (end(range) - start)
        },
    );
    let end = end(&range);
    let plot = Plot { flat: true, range, start, end };

    sheet.y += 10.0;
    let several = most_lanes(sheet) > 1;
    let thick = if several { 16.0 } else { 20.0 };
    let block = |category| {
        let lanes = measure(lanes(sheet, category));
        lanes * thick + (lanes - 1.0).max(0.0) * SEAM
    };
    let blocks: Vec<_> = (0..sheet.chart.categories.len()).map(block).collect();
    let gap = if several || names.beside.is_none() { 14.0 } else { 9.0 };
    let rows: Vec<_> = names
        .lines
        .iter()
        .zip(&blocks)
        .map(|(lines, block)| names.height(lines, *block) + gap)
        .collect();
    let bottom = sheet.y + sheet.small + 8.0 + rows.iter().sum::<f64>() - gap / 2.0;
    if plot.range.ticks.is_empty() {
        sheet.frame(segment((start, sheet.y), (start, bottom), "axis"));
    } else {
        sheet.y += sheet.small;
    }
    for tick in &plot.range.ticks {
        let (x, label) = (plot.at(*tick), ticks.short(*tick));
        let class = if *tick == 0.0 { "axis" } else { "rule" };
        if names.beside.is_some() {
            sheet.frame(segment((x, sheet.y + 6.0), (x, bottom), class));
        }
        let half = width(&label, sheet.small) / 2.0;
        let middle = x.max(sheet.margin + half).min(right - half);
        sheet.frame(text((middle, sheet.y), Anchor::Middle, sheet.small, "soft", &label));
    }
    sheet.y += 8.0 + gap / 2.0;
    for (category, height) in rows.iter().enumerate() {
        let block = blocks[category];
        let across = row(sheet, &names, category, height - gap, block);
        if names.beside.is_none() {
            for tick in &plot.range.ticks {
                let x = plot.at(*tick);
                let class = if *tick == 0.0 { "axis" } else { "rule" };
                sheet.frame(segment((x, across - 3.0), (x, across + block + 3.0), class));
            }
        }
        let mut items = Vec::new();
        for mark in marks(sheet, &plot, category, across, thick) {
            let mut item = mark.item;
            if let Some(label) = mark.label {
                item.append(beside(sheet, &label));
            }
            items.push(item);
        }
        let name = &sheet.chart.categories[category];
        sheet.listed(name, items);
        sheet.y += height;
    }
    sheet.y -= gap;
}

impl Names {
    /// How high a category is.
    fn height(&self, lines: &Lines, block: f64) -> f64 {
        let text = measure(lines.lines.len()) * self.leading;
        if self.beside.is_some() { text.max(block) } else { text + 3.0 + block }
    }
}

fn names(sheet: &Sheet<'_>) -> Names {
    let size = sheet.size;
    let all = &sheet.chart.categories;
    let widest = all.iter().map(|name| width(name, size)).fold(0.0, f64::max);
    let share = if sheet.room() < 440.0 { 0.28 } else { 0.34 };
    let beside = (sheet.room() >= 440.0 || widest <= sheet.room() * share)
        .then(|| widest.min(sheet.room() * share) + 1.0);
    let room = beside.unwrap_or(sheet.room());
    let lines = all.iter().map(|name| wrapped(name, 4, room, |text| width(text, size))).collect();
    Names { lines, beside, leading: size * 1.25 }
}

/// What a bar has at its end.
struct Tail {
    /// The value that it ends at.
    value: f64,
    /// How much room is needed before it, and after it.
    back: f64,
    on: f64,
}

fn tails(sheet: &Sheet<'_>) -> Vec<Tail> {
    let categories = 0..sheet.chart.categories.len();
    if sheet.chart.kind == Kind::Stacked {
        return categories.map(|category| tail_of_stack(sheet, category)).collect();
    }
    let figures = categories.flat_map(|category| of(sheet, category));
    let drawn = figures.filter(|figure| *figure != Figure::Nothing);
    drawn.map(|figure| tail(sheet, figure)).collect()
}

fn tail(sheet: &Sheet<'_>, figure: Figure) -> Tail {
    let text = width(&sheet.words.label(figure, &sheet.numbers), sheet.small) + BESIDE;
    let room = text + if matches!(figure, Figure::Known(_)) { 0.0 } else { TIP };
    let value = figure.value().unwrap_or_default();
    if value < 0.0 || is_open_below(figure) {
        Tail { value, back: room, on: 0.0 }
    } else {
        Tail { value, back: 0.0, on: room }
    }
}

fn tail_of_stack(sheet: &Sheet<'_>, category: usize) -> Tail {
    let figures = of(sheet, category);
    let untold = figures.iter().filter(|figure| figure.is_untold()).count();
    let text = bold_width(&said(sheet, category).0, sheet.small);
    let up: f64 =
        figures.iter().filter_map(|figure| figure.value()).filter(|value| *value > 0.0).sum();
    let falls = figures.iter().filter_map(|figure| figure.value()).any(|value| value < 0.0);
    let on = text + BESIDE + (measure(untold) * STUB).max(TIP);
    Tail { value: up, back: if falls { text + BESIDE } else { 0.0 }, on }
}

fn is_open_below(figure: Figure) -> bool {
    matches!(figure, Figure::LessThan(value) | Figure::AtMost(value) if value <= 0.0)
}

/// Names a row and answers where its bars begin.
fn row(sheet: &mut Sheet<'_>, names: &Names, category: usize, height: f64, block: f64) -> f64 {
    let lines = &names.lines[category];
    let text_height = measure(lines.lines.len()) * names.leading;
    let (x, anchor, top, across) = match names.beside {
        Some(wide) => {
            let top = sheet.y + (height - text_height) / 2.0;
            (sheet.margin + wide, Anchor::End, top, sheet.y + (height - block) / 2.0)
        }
        None => (sheet.margin, Anchor::Start, sheet.y, sheet.y + text_height + 3.0),
    };
    let mut y = top + sheet.size * 0.98;
    for line in &lines.lines {
        let mut element = text((x, y), anchor, sheet.size, "ink", line);
        if lines.cut {
            element = titled(element, &sheet.chart.categories[category]);
        }
        sheet.frame(element);
        y += names.leading;
    }
    across
}
