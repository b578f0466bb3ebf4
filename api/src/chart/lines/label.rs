//! The labels of points, where nothing else is.
use svg::node::element::Element;

use super::{ARROW, Figure, Plot, RADIUS};
use crate::chart::{
    pen::{Anchor, text},
    sheet::Sheet,
    text::width,
};

/// A part of the drawing: left, top, right, bottom.
#[derive(Clone, Copy)]
struct Area([f64; 4]);

impl Area {
    fn around((x, y): (f64, f64), reach: f64) -> Self {
        Self([x - reach, y - reach, x + reach, y + reach])
    }

    fn meets(self, other: Self) -> bool {
        let Self([left, top, right, bottom]) = self;
        let Self([other_left, other_top, other_right, other_bottom]) = other;
        left < other_right && other_left < right && top < other_bottom && other_top < bottom
    }

    fn is_within(self, other: Self) -> bool {
        let (Self(one), Self(other)) = (self, other);
        one[0] >= other[0] && one[1] >= other[1] && one[2] <= other[2] && one[3] <= other[3]
    }
}

/// The labels of all figures, series by series, where a figure has one that has room.
pub(super) fn placed(sheet: &Sheet<'_>, plot: &Plot) -> Vec<Option<Element>> {
    let chart = sheet.chart;
    let figures: Vec<_> =
        chart.series.iter().flat_map(|series| series.figures.iter().copied().enumerate()).collect();
    let mut order: Vec<_> = (0..figures.len())
        .filter_map(|place| rank(sheet, figures[place]).map(|rank| (rank, place)))
        .collect();
    order.sort_unstable();
    let (marks, lines) = obstacles(sheet, plot);
    let mut taken = marks;
    let mut labels = vec![None; figures.len()];
    for (rank, place) in order {
        let (category, figure) = figures[place];
        let Some(point) = plot.point(category, figure) else { continue };
        let label = sheet.words.label(figure, &sheet.numbers);
        let size = sheet.small;
        let choices = choices(point, figure, width(&label, size), size);
        let page = Area([plot.left, sheet.y, sheet.width - sheet.margin / 2.0, plot.bottom - 1.0]);
        let free =
            |area: &Area| area.is_within(page) && !taken.iter().any(|other| other.meets(*area));
        let clear = |area: &Area| free(area) && !lines.iter().any(|line| line.meets(*area));
        let best = choices.iter().find(|(_, area)| clear(area));
        let best = best.or_else(|| choices.iter().find(|(_, area)| rank == 0 && free(area)));
        if let Some(((place_of_text, anchor), area)) = best.copied() {
            taken.push(area);
            labels[place] = Some(text(place_of_text, anchor, size, "ink halo", &label));
        }
    }
    labels
}

/// How much a figure needs its label, the least number first.
fn rank(sheet: &Sheet<'_>, (category, figure): (usize, Figure)) -> Option<u8> {
    let last = sheet.chart.categories.len() - 1;
    match figure {
        Figure::Unknown | Figure::Withheld | Figure::Nothing => None,
        Figure::Known(value) => match (category, sheet.chart.series.len()) {
            (_, 5..) => None,
            _ if category == last => Some(1),
            (0, _) => Some(2),
            // Where the line lies on the axis, that says so.
            (_, series) => (series == 1 && value != 0.0).then_some(3),
        },
        _ => Some(0),
    }
}

/// The place of a text, and what it covers.
type Choice = (((f64, f64), Anchor), Area);

/// Where a label could stand.
fn choices((x, y): (f64, f64), figure: Figure, wide: f64, size: f64) -> [Choice; 8] {
    let (up, down) = match figure {
        Figure::AtLeast(_) | Figure::MoreThan(_) => (ARROW, RADIUS),
        Figure::LessThan(_) | Figure::AtMost(_) => (RADIUS, ARROW),
        _ => (RADIUS, RADIUS),
    };
    let beside = RADIUS + 4.0;
    let choice = |x: f64, y: f64, anchor: Anchor| {
        let left = anchor.left(x, wide);
        (((x, y), anchor), Area([left - 1.0, y - size * 0.8, left + wide + 1.0, y + size * 0.15]))
    };
    let (above, below) = (y - up - 4.0, y + down + 4.0 + size * 0.75);
    [
        choice(x, above, Anchor::Middle),
        choice(x, below, Anchor::Middle),
        choice(x + RADIUS, above, Anchor::End),
        choice(x - RADIUS, above, Anchor::Start),
        choice(x + beside, y + size * 0.36, Anchor::Start),
        choice(x - beside, y + size * 0.36, Anchor::End),
        choice(x + RADIUS, below, Anchor::End),
        choice(x - RADIUS, below, Anchor::Start),
    ]
}

/// The marks, and pieces of the lines.
fn obstacles(sheet: &Sheet<'_>, plot: &Plot) -> (Vec<Area>, Vec<Area>) {
    let (mut marks, mut lines) = (Vec::new(), Vec::new());
    for series in &sheet.chart.series {
        let mut last: Option<(f64, f64)> = None;
        for (category, figure) in series.figures.iter().enumerate() {
            let here = plot.point(category, *figure);
            if let Some((x, y)) = here {
                marks.push(Area::around((x, y), RADIUS));
                match figure {
                    Figure::AtLeast(_) | Figure::MoreThan(_) => {
                        marks.push(Area([x - RADIUS, y - ARROW, x + RADIUS, y]));
                    }
                    Figure::LessThan(_) | Figure::AtMost(_) => {
                        marks.push(Area([x - RADIUS, y, x + RADIUS, y + ARROW]));
                    }
                    _ => {}
                }
            }
            if let (Some(from), Some(to), true) = (last, here, category < plot.dated) {
                lines.extend(pieces(from, to));
            }
            last = here;
        }
    }
    (marks, lines)
}

/// A line as small parts of the drawing.
fn pieces(from: (f64, f64), to: (f64, f64)) -> impl Iterator<Item = Area> {
    let long = (to.0 - from.0).hypot(to.1 - from.1);
    let steps = (long / 4.0).clamp(1.0, 400.0);
    (0..=400_u32).map(f64::from).take_while(move |step| *step <= steps).map(move |step| {
        let share = step / steps;
        let point = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
        Area::around(point, 1.5)
    })
}
