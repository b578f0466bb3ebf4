//! Bars that stand side by side.
use svg::node::{Node as _, element::Element};

use super::{
    BESIDE, Figure, Label, Plot, SEAM, TIP, axis, label_text, label_width, lanes, marks,
    most_lanes, reach, said,
};
use crate::chart::{
    Kind,
    number::{Range, measure},
    pen::{Anchor, segment, text},
    sheet::Sheet,
    text::{bold_width, widest_word, width, wrapped},
};

/// The thickest bar, and the thinnest.
const THICKEST: f64 = 64.0;
const THINNEST: f64 = 14.0;
/// How far apart categories are at most that are no times.
const SPARSEST: f64 = 200.0;

/// Draws columns, if they have room.
pub(super) fn draw(sheet: &mut Sheet<'_>) -> bool {
    let height = (sheet.room() * 0.5).clamp(190.0, 360.0);
    let reach = reach(sheet);
    let (range, ticks) = axis(
        &sheet.numbers,
        |most| Range::around(&reach, most),
        |range, _| height > measure(range.ticks.len()) * sheet.size * 2.6,
    );
    let labels: Vec<_> = range.ticks.iter().map(|tick| ticks.short(*tick)).collect();
    let wide = labels.iter().map(|label| width(label, sheet.small)).fold(0.0, f64::max);
    let left = sheet.margin + wide + 8.0;
    let right = sheet.width - sheet.margin;
    let band = (right - left) / measure(sheet.chart.categories.len());
    let most = measure(most_lanes(sheet));
    let thick = ((band * 0.74 - (most - 1.0) * SEAM) / most).min(THICKEST);
    if !has_room(sheet, band, thick) {
        return false;
    }

    let exact = sheet.chart.figures().all(|figure| matches!(figure, Figure::Known(_)));
    let tip = if exact { 0.0 } else { TIP };
    let below = if range.low < 0.0 { sheet.small * 1.4 + tip } else { 0.0 };
    let top = sheet.y + 10.0 + sheet.small * 1.4 + tip;
    let (end, start) = (top, top + height);
    let plot = Plot { flat: false, range, start, end };
    for (tick, label) in plot.range.ticks.iter().zip(&labels) {
        let y = plot.at(*tick);
        let class = if *tick == 0.0 { "axis" } else { "rule" };
        sheet.frame(segment((left, y), (right, y), class));
        let place = (left - 8.0, y + sheet.small * 0.36);
        sheet.frame(text(place, Anchor::End, sheet.small, "soft", label));
    }
    if plot.range.ticks.is_empty() {
        sheet.frame(segment((left, start), (right, start), "axis"));
    }
    sheet.y = start + below + 8.0;
    let mut deepest = sheet.y;
    for (category, name) in sheet.chart.categories.iter().enumerate() {
        let middle = left + band * (measure(category) + 0.5);
        let lanes = measure(lanes(sheet, category));
        let whole = thick * lanes + SEAM * (lanes - 1.0);
        let mut items = Vec::new();
        for mark in marks(sheet, &plot, category, middle - whole / 2.0, thick) {
            let mut item = mark.item;
            if let Some(label) = mark.label {
                let room = if most > 1.0 { thick + SEAM } else { band };
                item.append(beside(&label, room, sheet.small));
            }
            items.push(item);
        }
        sheet.listed(name, items);
        let mut y = sheet.y + sheet.small;
        for line in wrapped(name, 3, band - 4.0, |text| width(text, sheet.small)).lines {
            sheet.frame(text((middle, y), Anchor::Middle, sheet.small, "ink", &line));
            y += sheet.small * 1.3;
        }
        deepest = deepest.max(y - sheet.small);
    }
    sheet.y = deepest;
    true
}

/// Whether each label has room: those of the figures, and those of the categories.
fn has_room(sheet: &Sheet<'_>, band: f64, thick: f64) -> bool {
    let chart = sheet.chart;
    let stacked = chart.kind == Kind::Stacked;
    let label = |figure: Figure| sheet.words.label(figure, &sheet.numbers);
    let figures = match stacked {
        true => (0..chart.categories.len())
            .map(|category| said(sheet, category))
            .filter(|(_, told)| *told)
            .map(|(said, _)| bold_width(&said, sheet.small))
            .fold(0.0, f64::max),
        false => chart
            .figures()
            .filter(|figure| figure.value().is_some())
            .map(|figure| width(&label(figure), sheet.small))
            .fold(0.0, f64::max),
    };
    let room = if stacked || chart.series.len() == 1 { band - 4.0 } else { thick + SEAM - 1.0 };
    let lines = if chart.time { 1 } else { 3 };
    let named = chart.categories.iter().all(|name| {
        let lines = wrapped(name, lines, band - 4.0, |text| width(text, sheet.small));
        !lines.cut && widest_word(name, sheet.small) <= band - 4.0
    });
    let dense = chart.time || (chart.categories.len() > 2 && band <= SPARSEST);
    thick >= THINNEST && figures <= room && named && dense
}

/// A label above or below its bar; upright, where it is too wide.
fn beside(label: &Label, room: f64, size: f64) -> Element {
    if label_width(label, size) > room && !label.told {
        let (x, y) = (label.across + size * 0.36, label.end - BESIDE);
        let mut text = label_text(label, (x, y), Anchor::Start, size);
        text.assign("transform", format!("rotate(-90 {x:.1} {y:.1})"));
        return text;
    }
    let y = if label.forward { label.end - BESIDE } else { label.end + BESIDE + size * 0.72 };
    label_text(label, (label.across, y), Anchor::Middle, size)
}
