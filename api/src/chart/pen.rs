//! Elements of a drawing.
use svg::node::{
    Node as _,
    element::{Element, Title},
};

/// On which side of its place a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }

    /// Where a text of that width begins.
    pub(super) fn left(self, x: f64, width: f64) -> f64 {
        match self {
            Self::Start => x,
            Self::Middle => x - width / 2.0,
            Self::End => x - width,
        }
    }
}

/// A length with two decimals at most.
pub(super) fn length(value: f64) -> String {
    let value = (value * 100.0).round() / 100.0;
    if value == 0.0 || !value.is_finite() { "0".to_owned() } else { value.to_string() }
}

/// An element with those attributes.
pub(super) fn element(name: &str, attributes: &[(&str, &str)]) -> Element {
    let mut element = Element::new(name);
    for (name, value) in attributes {
        element.assign(*name, *value);
    }
    element
}

/// A group with a role, and a name that is read aloud.
pub(super) fn role(role: &str, name: &str) -> Element {
    let mut group = element("g", &[("role", role)]);
    if !name.is_empty() {
        group.assign("aria-label", name);
    }
    group
}

/// A rectangle: its left, its top, its width and its height.
pub(super) fn rect([x, y, width, height]: [f64; 4], class: &str) -> Element {
    let [x, y, width, height] = [x, y, width, height].map(length);
    element(
        "rect",
        &[("class", class), ("x", &x), ("y", &y), ("width", &width), ("height", &height)],
    )
}

/// A straight line between two points.
pub(super) fn segment((x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) -> Element {
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(length);
    element("line", &[("class", class), ("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2)])
}

/// Points joined by straight lines.
pub(super) fn path(points: &[(f64, f64)], closed: bool, class: &str) -> Element {
    let points: Vec<_> =
        points.iter().map(|(x, y)| format!("{} {}", length(*x), length(*y))).collect();
    let end = if closed { "Z" } else { "" };
    element("path", &[("class", class), ("d", &format!("M{}{end}", points.join("L")))])
}

/// A line of text; the place is that of its baseline.
pub(super) fn text(
    (x, y): (f64, f64),
    anchor: Anchor,
    size: f64,
    class: &str,
    text: &str,
) -> Element {
    let [x, y, size] = [x, y, size].map(length);
    let mut element =
        element("text", &[("class", class), ("x", &x), ("y", &y), ("font-size", &size)]);
    if anchor != Anchor::Start {
        element.assign("text-anchor", anchor.name());
    }
    element.append(svg::node::Text::new(text));
    element
}

/// The element with a text that is shown to whoever points at it.
pub(super) fn titled(mut element: Element, title: &str) -> Element {
    element.get_children_mut().insert(0, Title::new(title).into());
    element
}
