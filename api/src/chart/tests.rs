use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{
    Chart,
    Figure::{self, About, AtLeast, AtMost, Known, LessThan, MoreThan, Nothing, Unknown, Withheld},
    Kind, Series, draw, ink,
    number::{Numbers, Range},
    text::{bold_width, width},
    total,
};

const KINDS: [Kind; 3] = [Kind::Bar, Kind::Line, Kind::Stacked];
const LANGUAGES: [&str; 5] = ["en", "ru", "ko", "kk", "uz"];

fn series(name: &str, figures: &[Figure]) -> Series {
    Series { name: name.to_owned(), figures: figures.to_vec() }
}

fn chart(kind: Kind, categories: &[&str], series: Vec<Series>) -> Chart {
    Chart {
        kind,
        title: "Участники семинаров".to_owned(),
        description: "Those who took part, each counted once.".to_owned(),
        unit: "명".to_owned(),
        categories: categories.iter().map(|name| (*name).to_owned()).collect(),
        series,
        language: "en".to_owned(),
        width: 640,
        notes: vec!["Online only in 2020.".to_owned()],
        time: true,
        undated: false,
    }
}

/// Every kind of figure, in two series.
fn mixed(kind: Kind) -> Chart {
    let female = [Known(40.0), Unknown, MoreThan(70.0), About(81.0), Known(0.0), AtMost(12.0)];
    let male = [AtLeast(35.0), Known(12.5), Withheld, LessThan(5.0), Known(66.0), Known(1250.0)];
    let years = ["2018", "2019", "2020", "2021", "2022", "2023"];
    chart(kind, &years, vec![series("female", &female), series("мужчины", &male)])
}

/// As much as a chart may hold.
fn full(kind: Kind, time: bool) -> Chart {
    let name = |place: u32| match time {
        true => (1824 + place).to_string(),
        false => format!("Министерство труда и социальной защиты населения № {place}"),
    };
    let figure = |place: u32| match place % 9 {
        0 => Unknown,
        1 => AtLeast(f64::from(place) * 1e7),
        2 => Known(-f64::from(place) * 1e6),
        3 => Withheld,
        4 => LessThan(f64::from(place)),
        _ => Known(f64::from(place) * 12_345.678),
    };
    let names = (0..200).map(name).collect();
    let row = |place: u32| (0..200).map(|category| figure(category * 7 + place)).collect();
    let series = (0..12)
        .map(|place| Series {
            name: format!("국립 공무원 교육원과 협력 기관 {place}"),
            figures: row(place),
        })
        .collect();
    Chart { categories: names, series, time, ..mixed(kind) }
}

/// The elements of a drawing, each with the text that it holds itself.
fn elements(drawing: &str) -> Vec<(BytesStart<'_>, String)> {
    let mut reader = Reader::from_str(drawing);
    let mut open = Vec::new();
    let mut elements = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                open.push(elements.len());
                elements.push((start, String::new()));
            }
            Event::Empty(start) => elements.push((start, String::new())),
            Event::End(_) => {
                open.pop();
            }
            Event::Text(text) => {
                if let Some(place) = open.last() {
                    let place: usize = *place;
                    elements[place].1.push_str(&text.decode().unwrap());
                }
            }
            Event::GeneralRef(name) => {
                let letter = match name.decode().unwrap().as_ref() {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    other => panic!("{other}"),
                };
                elements[*open.last().unwrap()].1.push(letter);
            }
            Event::Eof => return elements,
            other => panic!("{other:?}"),
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).unwrap()?;
    let value = std::str::from_utf8(&attribute.value).unwrap();
    Some(quick_xml::escape::unescape(value).unwrap().into_owned())
}

fn named(drawing: &str, name: &str) -> Vec<(BytesStart<'static>, String)> {
    let elements = elements(drawing).into_iter();
    let named = elements.filter(|(element, _)| element.name().as_ref() == name.as_bytes());
    named.map(|(element, text)| (element.into_owned(), text.trim().to_owned())).collect()
}

fn texts(drawing: &str) -> Vec<String> {
    named(drawing, "text").into_iter().map(|(_, text)| text).collect()
}

fn labels(drawing: &str) -> Vec<String> {
    let all = elements(drawing);
    all.iter().filter_map(|(element, _)| attribute(element, "aria-label")).collect()
}

/// The paths of the lines.
fn lines_of(drawing: &str) -> Vec<String> {
    let path = |(path, _): (BytesStart<'static>, String)| {
        let class = attribute(&path, "class").filter(|class| class.starts_with("line "));
        class.and(attribute(&path, "d"))
    };
    named(drawing, "path").into_iter().filter_map(path).collect()
}

/// Whether each text is within the picture, by the measure of the layout.
fn assert_texts_are_within(drawing: &str, room: f64) {
    for (element, text) in named(drawing, "text") {
        let number = |name| attribute(&element, name).unwrap().parse::<f64>().unwrap();
        let (x, size) = (number("x"), number("font-size"));
        let bold = attribute(&element, "font-weight").is_some();
        let wide = if bold { bold_width(&text, size) } else { width(&text, size) };
        let left = match attribute(&element, "text-anchor").as_deref() {
            Some("middle") => x - wide / 2.0,
            Some("end") => x - wide,
            _ => x,
        };
        let upright = attribute(&element, "transform").is_some();
        let right = if upright { x + size } else { left + wide };
        assert!(left >= 0.0 && right <= room + 0.1, "{text}: {left} to {right} of {room}");
    }
}

#[test]
fn a_chart_of_any_kind_is_well_formed_and_says_what_it_is() {
    for kind in KINDS {
        let drawing = draw(&mixed(kind));
        let all = elements(&drawing);
        let (root, _) = &all[0];
        assert_eq!(root.name().as_ref(), b"svg");
        assert_eq!(attribute(root, "role").unwrap(), "img");
        assert_eq!(attribute(root, "aria-labelledby").unwrap(), "title description");
        assert_eq!(attribute(root, "xml:lang").unwrap(), "en");
        assert_eq!(attribute(root, "width").unwrap(), "640");
        assert_eq!(named(&drawing, "title")[0].1, "Участники семинаров");
        assert_eq!(named(&drawing, "desc")[0].1, "Those who took part, each counted once.");
        let said = labels(&drawing);
        for label in [
            "2018, female: 40",
            "2018, мужчины: at least 35",
            "2019, female: not known",
            "2020, female: more than 70",
            "2020, мужчины: withheld",
            "2021, female: about 81",
            "2021, мужчины: less than 5",
            "2022, female: 0",
            "2023, female: at most 12",
        ] {
            assert!(said.iter().any(|other| other == label), "{kind:?}: {label}");
            assert!(named(&drawing, "title").iter().any(|(_, title)| title == label), "{label}");
        }
    }
}

#[test]
fn nothing_is_asked_of_elsewhere_and_nothing_runs() {
    for kind in KINDS {
        let drawing = draw(&mixed(kind));
        let without = drawing.replacen("http://www.w3.org/2000/svg", "", 1);
        for forbidden in ["http", "href", "<script", "@import", "@font-face", "foreignObject"] {
            assert!(!without.contains(forbidden), "{forbidden}");
        }
    }
}

#[test]
fn signs_of_xml_are_escaped_and_control_characters_are_dropped() {
    for kind in KINDS {
        let odd = "a<b & \"c\" 'd'\u{0}\u{1b}\u{fffe}>";
        let mut chart =
            chart(kind, &[odd], vec![series(odd, &[Known(3.0)]), series("e", &[Unknown])]);
        chart.title = odd.to_owned();
        chart.notes = vec![odd.to_owned()];
        chart.language = "en\"<".to_owned();
        let drawing = draw(&chart);
        let clean = "a<b & \"c\" 'd'>";
        assert!(labels(&drawing).contains(&format!("{clean}, {clean}: 3")));
        assert!(texts(&drawing).iter().any(|text| text == clean));
        assert!(!drawing.chars().any(|letter| letter.is_control() && letter != '\n'));
    }
}

#[test]
fn what_is_not_known_is_neither_a_bar_nor_zero() {
    for kind in KINDS {
        for (figure, words) in
            [(Unknown, "not known"), (Withheld, "withheld"), (Known(f64::NAN), "not known")]
        {
            let drawing = draw(&chart(kind, &["2020"], vec![series("", &[figure])]));
            assert!(!drawing.contains("\"f0\""), "{kind:?}");
            assert!(!texts(&drawing).iter().any(|text| text.starts_with('0')), "{kind:?}");
            assert!(texts(&drawing).iter().any(|text| text == words), "{kind:?}");
            assert!(labels(&drawing).contains(&format!("2020: {words}")));
            assert!(!drawing.contains("NaN") && !drawing.contains("inf"));
        }
    }
}

#[test]
fn of_what_is_not_there_nothing_is_drawn_or_said() {
    for kind in KINDS {
        let figures = vec![
            series("a", &[Known(3.0), Nothing]),
            series("b", &[Nothing, Known(4.0)]),
            series("c", &[Nothing, Nothing]),
        ];
        let drawing = draw(&chart(kind, &["x", "y"], figures));
        let said = labels(&drawing);
        assert!(said.contains(&"x, a: 3".to_owned()) && said.contains(&"y, b: 4".to_owned()));
        assert!(!said.iter().any(|label| label.contains("x, b") || label.contains("c:")));
        assert!(!texts(&drawing).iter().any(|text| text == "not known"), "{kind:?}");
        assert!(!drawing.contains("fill=\"url(#unknown)\""), "{kind:?}");
        if kind == Kind::Stacked {
            assert!(said.contains(&"x, total: 3".to_owned()));
        }
    }
}

#[test]
fn a_stack_without_a_sum_tells_what_is_known_of_it() {
    let figures = vec![series("a", &[Known(-3.0)]), series("b", &[Unknown])];
    let drawing = draw(&chart(Kind::Stacked, &["x"], figures));
    assert!(texts(&drawing).contains(&"-3 + not known".to_owned()));
    assert!(labels(&drawing).contains(&"x, total: not known".to_owned()));
}

#[test]
fn a_line_stands_on_zero() {
    let figures = [Known(12.0), Withheld, Withheld, Known(11.0)];
    let drawing = draw(&chart(Kind::Line, &["1", "2", "3", "4"], vec![series("", &figures)]));
    assert!(texts(&drawing).contains(&"0".to_owned()), "{:?}", texts(&drawing));
}

#[test]
fn no_line_leads_to_what_is_of_no_known_time() {
    let figures = [Known(1.0), Known(2.0), Known(3.0)];
    let names = ["2020", "2021", "year: not known"];
    let mut chart = chart(Kind::Line, &names, vec![series("a", &figures), series("b", &figures)]);
    chart.undated = true;
    let drawing = draw(&chart);
    let drawn = lines_of(&drawing);
    assert!(drawn.iter().all(|line| line.matches('L').count() == 1), "{drawn:?}");
    assert!(labels(&drawing).contains(&"year: not known, b: 3".to_owned()));
    // The key has a line for each series as well.
    assert_eq!(drawn.len(), 4);
    assert_texts_are_within(&drawing, 640.0);
}

#[test]
fn a_zero_is_told() {
    for kind in KINDS {
        let drawing =
            draw(&chart(kind, &["2020", "2021"], vec![series("", &[Known(0.0), Known(4.0)])]));
        let marks = drawing.split("role=\"list\"").skip(1).collect::<String>();
        assert!(marks.contains(">0</text>"), "{kind:?}");
    }
}

#[test]
fn no_line_leads_across_what_is_not_known() {
    let figures = [Known(1.0), Known(2.0), Unknown, Known(4.0), Known(5.0)];
    let drawing = draw(&chart(Kind::Line, &["1", "2", "3", "4", "5"], vec![series("", &figures)]));
    let lines = lines_of(&drawing);
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.matches('L').count() == 1));
}

#[test]
fn bounds_have_an_open_end_and_a_sign() {
    let signs = [
        (AtLeast(70.0), "≥\u{a0}70"),
        (MoreThan(70.0), ">\u{a0}70"),
        (About(70.0), "≈\u{a0}70"),
        (LessThan(70.0), "<\u{a0}70"),
        (AtMost(70.0), "≤\u{a0}70"),
    ];
    for kind in KINDS {
        for (figure, sign) in signs {
            let drawing =
                draw(&chart(kind, &["2020", "2021"], vec![series("", &[figure, Known(1.0)])]));
            assert!(texts(&drawing).iter().any(|text| text == sign), "{kind:?}: {sign}");
            assert_eq!(drawing.contains("class=\"open "), !matches!(figure, About(_)));
        }
    }
}

#[test]
fn a_sum_says_no_more_than_its_parts() {
    let cases: [(&[Figure], bool, Figure); 18] = [
        (&[Known(3.0), Known(4.0)], false, Known(7.0)),
        (&[Known(0.1), Known(0.2)], false, Known(0.3)),
        (&[Known(-3.0), Nothing], true, Known(-3.0)),
        (&[Known(3.0), Unknown], false, AtLeast(3.0)),
        (&[Known(3.0), Withheld], false, AtLeast(3.0)),
        (&[Known(3.0), AtLeast(4.0)], false, AtLeast(7.0)),
        (&[Known(3.0), MoreThan(4.0)], false, MoreThan(7.0)),
        (&[MoreThan(4.0), Unknown], false, AtLeast(4.0)),
        (&[Known(3.0), About(4.0)], false, About(7.0)),
        (&[Known(3.0), About(4.0), Unknown], false, AtLeast(3.0)),
        (&[About(4.0), Unknown], false, Unknown),
        (&[Known(0.0), LessThan(5.0)], false, LessThan(5.0)),
        (&[AtMost(4.0), AtMost(5.0)], false, AtMost(9.0)),
        (&[Known(3.0), LessThan(5.0)], false, AtLeast(3.0)),
        (&[Known(-3.0), LessThan(5.0)], true, LessThan(2.0)),
        (&[Known(-3.0), Unknown], true, Unknown),
        (&[Unknown, Withheld], false, Unknown),
        (&[Known(-3.0), AtLeast(5.0)], true, AtLeast(2.0)),
    ];
    for (figures, may_be_negative, sum) in cases {
        assert_eq!(total(figures, may_be_negative), sum, "{figures:?}");
    }
}

#[test]
fn a_stack_is_labelled_with_its_sum() {
    let figures = |figures| vec![series("a", &[Known(3.0), Known(1.0)]), series("b", figures)];
    let known = draw(&chart(Kind::Stacked, &["x", "y"], figures(&[Known(4.0), Known(7.0)])));
    assert!(texts(&known).contains(&"7".to_owned()) && texts(&known).contains(&"8".to_owned()));
    assert!(labels(&known).contains(&"x, total: 7".to_owned()));
    let open = draw(&chart(Kind::Stacked, &["x", "y"], figures(&[Unknown, Known(7.0)])));
    assert!(texts(&open).contains(&"≥\u{a0}3".to_owned()));
    assert!(labels(&open).contains(&"x, total: at least 3".to_owned()));
}

#[test]
fn the_same_chart_gives_the_same_bytes() {
    for kind in KINDS {
        assert_eq!(draw(&mixed(kind)), draw(&mixed(kind)));
    }
}

#[test]
fn texts_are_within_the_picture_at_any_width() {
    for wide in (240..=1600).step_by(170).chain([280, 1600]) {
        for kind in KINDS {
            for language in LANGUAGES {
                let chart = Chart { width: wide, language: language.to_owned(), ..mixed(kind) };
                assert_texts_are_within(&draw(&chart), f64::from(wide));
                let chart = Chart { time: false, undated: true, ..chart };
                assert_texts_are_within(&draw(&chart), f64::from(wide));
                let chart = Chart { categories: Vec::new(), ..chart };
                assert_texts_are_within(&draw(&chart), f64::from(wide));
            }
        }
    }
}

#[test]
fn a_chart_holds_two_hundred_categories_of_twelve_series() {
    for wide in [240, 1600] {
        for (kind, time) in [(Kind::Bar, false), (Kind::Line, true), (Kind::Stacked, false)] {
            let chart = Chart { width: wide, ..full(kind, time) };
            let drawing = draw(&chart);
            assert_eq!(
                labels(&drawing).iter().filter(|label| label.contains("기관 11: ")).count(),
                200
            );
            assert_texts_are_within(&drawing, f64::from(wide));
        }
    }
}

#[test]
fn a_chart_without_categories_says_so_in_its_language() {
    for (language, words) in [
        ("en-GB", "no data"),
        ("ru", "нет данных"),
        ("ko", "자료 없음"),
        ("kk", "деректер жоқ"),
        ("uz", "no data"),
    ] {
        let mut chart = chart(Kind::Bar, &[], Vec::new());
        chart.language = language.to_owned();
        assert!(texts(&draw(&chart)).contains(&words.to_owned()));
    }
}

#[test]
fn numbers_are_written_as_the_language_does() {
    let write = |language, value| Numbers::of(language, &[value]).short(value);
    assert_eq!(write("en", 1_250.5), "1,250.5");
    assert_eq!(write("ru", 1_250.5), "1\u{a0}250,5");
    assert_eq!(write("kk", 1_250.5), "1\u{a0}250,5");
    assert_eq!(write("ko", 1_250.0), "1,250");
    assert_eq!(write("de", 1_250.0), "1.250");
    assert_eq!(write("en", 250e9), "250\u{a0}bn");
    assert_eq!(write("ru", 250e9), "250\u{a0}млрд");
    assert_eq!(write("ko", 250e9), "2,500억");
    assert_eq!(write("en", 1_234_567.0), "1,234,567");
    assert_eq!(write("de", 250e9), "250.000.000.000");
    assert_eq!(write("en", -0.0), "0");
    assert_eq!(write("en", 1e300), "1e300");
    assert_eq!(Numbers::of("en", &[2.5e6, 1_234_567.0]).short(2.5e6), "2,500,000");
}

#[test]
fn ticks_are_at_round_numbers() {
    let ticks = |values: &[f64]| Range::around(values, 5.0).ticks;
    assert_eq!(ticks(&[91.0]), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
    assert_eq!(ticks(&[2.0]), [0.0, 1.0, 2.0]);
    assert_eq!(ticks(&[0.3]), [0.0, 0.1, 0.2, 0.3]);
    assert_eq!(ticks(&[-8.0, 12.0]), [-10.0, -5.0, 0.0, 5.0, 10.0, 15.0]);
    assert_eq!(ticks(&[0.0]), [0.0, 1.0]);
}

#[test]
fn no_number_is_too_large_or_too_small_to_be_drawn() {
    let extremes = [f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, f64::INFINITY, f64::NAN, -0.0];
    for kind in KINDS {
        for one in extremes {
            for other in extremes {
                let figures = [Known(one), AtLeast(other), LessThan(one), Known(other)];
                let drawing = draw(&chart(
                    kind,
                    &["a", "b", "c", "d"],
                    vec![series("x", &figures), series("y", &[About(one)])],
                ));
                elements(&drawing);
                assert!(!drawing.contains("NaN") && !drawing.contains("inf\""), "{one} {other}");
                assert_texts_are_within(&drawing, 640.0);
            }
        }
    }
}

#[test]
fn colours_are_told_from_the_page_in_light_and_dark() {
    for scheme in [ink::LIGHT, ink::DARK] {
        for text in [scheme.ink, scheme.soft] {
            assert!(ink::contrast(text, scheme.page) >= 4.5, "{text:?}");
        }
        for mark in scheme.series.into_iter().chain([scheme.axis]) {
            assert!(ink::contrast(mark, scheme.page) >= 3.0, "{mark:?}");
            assert!(ink::contrast(mark, ink::on(mark)) >= 4.5 || mark == scheme.axis, "{mark:?}");
        }
    }
    assert!((ink::contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
}
