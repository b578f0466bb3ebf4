//! Colours for light and dark, after those of Okabe and Ito, and the styles made of them.
use std::fmt::Write as _;

/// Red, green and blue.
pub(super) type Colour = [u8; 3];

/// The colours of one scheme.
pub(super) struct Scheme {
    pub(super) page: Colour,
    pub(super) ink: Colour,
    pub(super) soft: Colour,
    pub(super) rule: Colour,
    pub(super) axis: Colour,
    pub(super) series: [Colour; 8],
}

pub(super) const LIGHT: Scheme = Scheme {
    page: [0xff, 0xff, 0xff],
    ink: [0x1b, 0x23, 0x2b],
    soft: [0x50, 0x5b, 0x66],
    rule: [0xe1, 0xe5, 0xe9],
    axis: [0x6c, 0x78, 0x84],
    series: [
        [0x00, 0x6a, 0xa8],
        [0xcc, 0x6a, 0x00],
        [0x00, 0x8f, 0x6b],
        [0xb0, 0x4f, 0x8a],
        [0x2e, 0x93, 0xcf],
        [0xa8, 0x3c, 0x00],
        [0x8a, 0x7c, 0x00],
        [0x4a, 0x4f, 0x57],
    ],
};

pub(super) const DARK: Scheme = Scheme {
    page: [0x14, 0x19, 0x1e],
    ink: [0xee, 0xf1, 0xf4],
    soft: [0xaf, 0xb9, 0xc3],
    rule: [0x2c, 0x34, 0x3c],
    axis: [0x8b, 0x97, 0xa3],
    series: [
        [0x4d, 0xa6, 0xe0],
        [0xf0, 0xa0, 0x30],
        [0x2f, 0xb8, 0x90],
        [0xdd, 0x8f, 0xba],
        [0x8f, 0xd0, 0xf5],
        [0xee, 0x7a, 0x45],
        [0xec, 0xe0, 0x5a],
        [0xb9, 0xbf, 0xc6],
    ],
};

/// How many colours there are for series.
pub(super) const COLOURS: usize = LIGHT.series.len();
/// How many kinds of mark there are.
pub(super) const KINDS: usize = 2 * COLOURS;

/// The contrast of two colours, after WCAG.
pub(super) fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: Colour) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// What text on a colour is written in.
pub(super) fn on(colour: Colour) -> Colour {
    let (black, white) = ([0; 3], [255; 3]);
    if contrast(colour, black) > contrast(colour, white) { black } else { white }
}

/// Whether marks of a series are striped, for the colours are used a second time.
pub(super) fn striped(series: usize) -> bool {
    series % KINDS >= COLOURS
}

/// The styles of a chart with so many series.
pub(super) fn styles(series: usize) -> String {
    let mut styles = String::from(STILL);
    styles.push_str(&scheme(&LIGHT, series));
    let dark = scheme(&DARK, series);
    let _ = write!(styles, "\n@media (prefers-color-scheme:dark){{{dark}}}");
    styles
}

/// What is the same in both schemes.
const STILL: &str = "
text{font-variant-numeric:tabular-nums}
.line{fill:none;stroke-width:2.25;stroke-linejoin:round;stroke-linecap:butt}
.open{fill:none;stroke-width:1.5;stroke-dasharray:3 2}
.halo{paint-order:stroke;stroke-width:3;stroke-linejoin:round}";

fn scheme(scheme: &Scheme, series: usize) -> String {
    let [page, ink, soft, rule, axis] =
        [scheme.page, scheme.ink, scheme.soft, scheme.rule, scheme.axis].map(hex);
    let mut styles = format!(
        "
.page{{fill:{page}}}.edge{{stroke:{page}}}.halo{{stroke:{page}}}
.ink{{fill:{ink}}}.soft{{fill:{soft}}}
.rule{{stroke:{rule}}}.axis{{stroke:{axis}}}.gap{{stroke:{soft}}}"
    );
    for (place, colour) in scheme.series.iter().enumerate().take(series) {
        let (colour, on) = (hex(*colour), hex(on(*colour)));
        let _ = write!(
            styles,
            "\n.f{place}{{fill:{colour}}}.o{place}{{stroke:{colour}}}.k{place}{{fill:{on}}}"
        );
    }
    styles
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
