//! The shapes of bars, whichever way they run.
use svg::node::{Node as _, element::Element};

use super::{Figure, STUB, TIP};
use crate::chart::{
    ink,
    number::Range,
    pen::{Anchor, path, rect, text},
    sheet::{filled, hatched, on, outline},
    text::width,
};

/// A bar shorter than this would not be seen.
const SHORTEST: f64 = 1.5;
/// How much room an inner label has around it.
const PADDING: f64 = 4.0;

/// Where the values of a chart are.
pub(super) struct Plot {
    /// Whether the values run to the right, and not upwards.
    pub(super) flat: bool,
    pub(super) range: Range,
    /// Where the lowest value is, and where the highest.
    pub(super) start: f64,
    pub(super) end: f64,
}

/// A bar, and where it ends.
pub(super) struct Bar {
    pub(super) shapes: Vec<Element>,
    pub(super) end: f64,
    pub(super) forward: bool,
}

impl Plot {
    /// The place of a value.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.range.low) / (self.range.high - self.range.low);
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// Which way larger values are.
    pub(super) fn sign(&self) -> f64 {
        (self.end - self.start).signum()
    }

    fn point(&self, along: f64, across: f64) -> (f64, f64) {
        if self.flat { (along, across) } else { (across, along) }
    }

    fn block(&self, from: f64, to: f64, across: f64, thick: f64) -> [f64; 4] {
        let (from, long) = (from.min(to), (to - from).abs());
        if self.flat { [from, across, long, thick] } else { [across, from, thick, long] }
    }

    /// The bar of a figure.
    pub(super) fn bar(&self, figure: Figure, series: usize, across: f64, thick: f64) -> Bar {
        let zero = self.at(0.0);
        let Some(value) = figure.value() else {
            let shapes = vec![self.place(figure, zero, across, thick, series)];
            return Bar { shapes, end: zero + self.sign() * STUB, forward: true };
        };
        let forward = value > 0.0 || (value == 0.0 && !is_below(figure));
        let direction = if forward { self.sign() } else { -self.sign() };
        let mut end = self.at(value);
        if value != 0.0 && (end - zero).abs() < SHORTEST {
            end = zero + direction * SHORTEST;
        }
        let mut shapes = Vec::new();
        if reaches_back(figure, forward) {
            shapes.push(self.outlined(zero, end, series, across, thick));
        } else if value != 0.0 {
            shapes.extend(self.body(figure, series, (zero, end), across, thick));
        }
        if reaches_on(figure, forward) {
            shapes.push(self.tip(end, forward, across, thick, &outline(series)));
            end += direction * TIP;
        }
        Bar { shapes, end, forward }
    }

    /// A part of a stack.
    pub(super) fn part(
        &self,
        figure: Figure,
        series: usize,
        (from, to): (f64, f64),
        across: f64,
        thick: f64,
    ) -> Vec<Element> {
        let (start, end) = (self.at(from), self.at(to));
        if (end - start).abs() < 0.01 {
            return Vec::new();
        }
        let inset = if (end - start).abs() > 4.0 { 0.75 * (end - start).signum() } else { 0.0 };
        let (start, end) = (start + inset, end - inset);
        let forward = to > from;
        if reaches_back(figure, forward) {
            return vec![self.outlined(start, end, series, across, thick)];
        }
        let mut shapes = self.body(figure, series, (start, end), across, thick);
        if reaches_on(figure, forward) && (end - start).abs() > 8.0 {
            let back = 3.0 * (end - start).signum();
            let line = [(end - back, across), (end - back, across + thick)];
            let line = line.map(|(along, across)| self.point(along, across));
            shapes.push(path(&line, false, "open edge"));
        }
        shapes
    }

    /// A label within a part of a stack, if there is room.
    pub(super) fn within(
        &self,
        label: &str,
        series: usize,
        (from, to): (f64, f64),
        across: f64,
        thick: f64,
        size: f64,
    ) -> Option<Element> {
        let (start, end) = (self.at(from), self.at(to));
        let (long, wide) = ((end - start).abs(), width(label, size) + 2.0 * PADDING);
        let (needed, room) = if self.flat { (wide, long) } else { (wide, thick) };
        let high = if self.flat { thick } else { long };
        if needed > room || high < size * 1.3 || ink::striped(series) {
            return None;
        }
        let (x, y) = self.point(f64::midpoint(start, end), across + thick / 2.0);
        Some(text((x, y + size * 0.36), Anchor::Middle, size, &on(series), label))
    }

    /// The filled part of a bar; what is not exact dissolves at its end.
    fn body(
        &self,
        figure: Figure,
        series: usize,
        (from, to): (f64, f64),
        across: f64,
        thick: f64,
    ) -> Vec<Element> {
        let fill = |from, to| filled(rect(self.block(from, to, across, thick), ""), series);
        let long = (to - from).abs();
        if !matches!(figure, Figure::About(_)) || long < 16.0 {
            return vec![fill(from, to)];
        }
        let step = (to - from).signum();
        let slice = |start: f64, end: f64| fill(to - step * start, to - step * end);
        vec![fill(from, to - step * 10.0), slice(8.0, 5.0), slice(3.0, 1.0)]
    }

    /// A bar that the value does not exceed.
    fn outlined(&self, from: f64, to: f64, series: usize, across: f64, thick: f64) -> Element {
        let [x, y, wide, high] = self.block(from, to, across, thick);
        let inner = [x + 0.75, y + 0.75, (wide - 1.5).max(0.5), (high - 1.5).max(0.5)];
        rect(inner, &format!("open {}", outline(series)))
    }

    /// The open end of a bar: a tip that points to where the value may be.
    pub(super) fn tip(
        &self,
        end: f64,
        forward: bool,
        across: f64,
        thick: f64,
        class: &str,
    ) -> Element {
        let direction = if forward { self.sign() } else { -self.sign() };
        let (start, shoulder, tip) =
            (end + direction * 1.5, end + direction * (TIP - 7.0), end + direction * (TIP - 1.0));
        let (near, far) = (across + 0.75, across + thick - 0.75);
        let corners = [
            (start, near),
            (shoulder, near),
            (tip, f64::midpoint(near, far)),
            (shoulder, far),
            (start, far),
        ];
        let corners = corners.map(|(along, across)| self.point(along, across));
        path(&corners, false, &format!("open {class}"))
    }

    /// The place of a figure that is not told.
    pub(super) fn place(
        &self,
        figure: Figure,
        from: f64,
        across: f64,
        thick: f64,
        series: usize,
    ) -> Element {
        let (start, end) = (from + self.sign() * 1.5, from + self.sign() * (STUB - 0.5));
        let [x, y, wide, high] = self.block(start, end, across, thick);
        let mut place = hatched([x, y + 0.5, wide, high - 1.0], figure, &outline(series));
        place.assign("stroke-width", "1");
        place
    }
}

fn is_below(figure: Figure) -> bool {
    matches!(figure, Figure::LessThan(_) | Figure::AtMost(_))
}

/// Whether the value may be nearer to zero than the number.
fn reaches_back(figure: Figure, forward: bool) -> bool {
    match figure {
        Figure::AtLeast(_) | Figure::MoreThan(_) => !forward,
        Figure::LessThan(_) | Figure::AtMost(_) => forward,
        _ => false,
    }
}

/// Whether the value may be farther from zero than the number.
fn reaches_on(figure: Figure, forward: bool) -> bool {
    match figure {
        Figure::AtLeast(_) | Figure::MoreThan(_) => forward,
        Figure::LessThan(_) | Figure::AtMost(_) => !forward,
        _ => false,
    }
}
