use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Seek, SeekFrom},
};

use domain::{Presentation, Resource, Seminar, Shape, Topic, Violation, sample};
use persistence::{Stored, Visitor, visit_all};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Value, json};

use super::{mapping::How, *};
use crate::{
    formats::table::{Cell, Table},
    workbook::Book,
};

fn csv(text: &str) -> Sheet {
    Sheet::csv(Cursor::new(text.as_bytes().to_vec()), None).expect("it is a sheet")
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(header, field)| ((*header).to_owned(), (*field).to_owned())).collect()
}

fn mapping<R: Resource>(sheet: &Sheet) -> Mapping {
    Mapping::guess::<R>(sheet.headers(), &BTreeMap::new()).expect("the headers are no fault")
}

fn rows(sheet: Sheet) -> Vec<Row> {
    sheet.collect::<Result<_, _>>().expect("the file is read")
}

/// The only body of a sheet, and what is wrong with it.
fn body<R: Resource>(text: &str) -> (Value, Vec<CellFault>) {
    let sheet = csv(text);
    let mapping = mapping::<R>(&sheet);
    let rows = rows(sheet);
    let draft = mapping.draft(&rows[0]);
    (draft.body().clone(), draft.read::<R>().err().unwrap_or_default())
}

fn codes(faults: &[CellFault]) -> Vec<(u64, &str, &str, &str)> {
    let told = faults.iter().map(|fault| {
        let value = fault.value.as_deref().unwrap_or_default();
        (fault.row, fault.field.as_str(), value, fault.code.as_str())
    });
    told.collect()
}

/// Bodies of every resource: the first seminar, the examples, and what is hard to write in a cell.
fn bodies(collection: &str) -> Vec<Value> {
    let bundle: Value = serde_json::from_str(sample::BUNDLE).expect("the sample is JSON");
    let mut bodies = vec![sample::example(collection)];
    bodies.extend(bundle["records"][collection].as_array().cloned().unwrap_or_default());
    bodies.push(hard(collection));
    bodies
}

fn hard(collection: &str) -> Value {
    let citation = |claim: Value| {
        json!({
            "field": "/slug", "document_id": "article", "basis": "stated", "claim": claim,
            "locator": "P1; P2", "note": "C:\\path; with \\; signs, \"quoted\"\nand two lines;",
        })
    };
    let claims = [json!("2021"), json!(2021), json!({"en": "a; b"}), json!("a; b"), Value::Null];
    let citations = claims.into_iter().chain([
        json!("\"x\""),
        json!(true),
        json!("\tx "),
        json!(1e-7),
        json!(1e16),
    ]);
    let citations: Vec<_> = citations.map(citation).collect();
    let mut body = sample::example(collection);
    match collection {
        "topics" => {
            body["label"] = json!({
                "en": "=SUM(A1)", "ru": "'=x", "kk": "a; b, c", "ko": "-5",
                "uz": "x: y; z", "ky": "'-1; \\", "tg": "+7", "mn": "#N/A",
            });
            return body;
        }
        "people" => {
            body["appointments"] = json!([
                {"organisation_id": "acsh", "position": {"en": "Head; of, it", "uz": "a, b: c", "ky": "d; e"}},
                {"organisation_id": "undp", "position": {"ru": "Глава"}, "from": "2020-01", "to": "2021"},
            ]);
        }
        "projects" => {
            body["title_variants"] = json!([{"en": "One; two"}, {"ru": "Три", "mn": "дөрөв, тав"}]);
            body["iati"] = json!({
                "sectors": [{"vocabulary": "1", "code": "15110", "percentage": 33.5}, {"vocabulary": "2", "code": "007"}],
                "region": {"vocabulary": "1", "code": "619"},
            });
        }
        "seminars" => {
            body["venue"] = json!({
                "name": {"en": "Hall"}, "city": {"kk": "Астана", "uz": "Ostona"}, "country": "KZ",
                "latitude": -1e-6, "longitude": -71.0, "online_url": "https://example.org/a;b?c=1,2",
            });
            body["countries"] = json!([{"country": "KZ", "role": "participating"}, {"country": "EE", "role": "expert"}]);
            body["languages"] = json!(["ru", "kk", "en"]);
        }
        _ => {}
    }
    if body.get("slug").is_some_and(|slug| !slug.is_null()) {
        body["citations"] = json!(citations);
    }
    body
}

struct Every<'a>(&'a mut dyn FnMut(&'static str, Table, Vec<Value>, Reader));

/// Reads a sheet of one resource into whole bodies.
type Reader = fn(Sheet) -> Vec<Value>;

fn read_all<R: Resource>(sheet: Sheet) -> Vec<Value> {
    let mapping = mapping::<R>(&sheet);
    let known = mapping.matched().iter().all(|one| matches!(one.how, How::Exact | How::NotRead));
    assert!(known, "{}: {:?}", R::COLLECTION, mapping.matched());
    let read = rows(sheet).into_iter().map(|row| match mapping.read::<R>(&row) {
        Ok(read) => json!(read),
        Err(faults) => panic!("{}: {faults:#?}", R::COLLECTION),
    });
    read.collect()
}

impl Visitor for Every<'_> {
    fn visit<R: Stored>(&mut self) {
        let whole = |body: Value| {
            json!(
                Shape::read::<R>(body.clone()).unwrap_or_else(|fault| panic!("{body}: {fault:?}"))
            )
        };
        let bodies = bodies(R::COLLECTION).into_iter().map(whole).collect();
        (self.0)(R::COLLECTION, Table::of::<R>(), bodies, read_all::<R>);
    }
}

/// What an answer tells besides the body.
fn record(body: &Value) -> Value {
    let mut record = body.clone();
    record["id"] = json!("01931f6e-6c00-7000-8000-000000000001");
    record["revision"] = json!(1);
    record["label"] = record.get("label").cloned().unwrap_or_else(|| json!({"en": "A label"}));
    record
}

#[test]
fn an_export_of_any_resource_is_read_back_as_it_was() {
    visit_all(&mut Every(&mut |_, table, bodies, read| {
        let lines = bodies.iter().map(|body| table.csv_row(&record(body)));
        let text = table.csv_header() + &lines.collect::<String>();
        for (body, back) in bodies.iter().zip(read(csv(&text))) {
            assert_eq!(&back, body, "{text}");
        }
    }));
}

#[test]
fn an_exported_workbook_is_read_back_as_it_was() {
    visit_all(&mut Every(&mut |name, table, bodies, read| {
        let mut book = Book::new().unwrap();
        book.sheet(name, table.columns()).unwrap();
        for body in &bodies {
            book.row(table.row(&record(body)).into_iter().zip(table.kinds())).unwrap();
        }
        let mut file = Cursor::new(Vec::new());
        book.save(&mut file).unwrap();
        let back = read(Sheet::open(file, &SheetFormat::Xlsx { sheet: None }).unwrap());
        assert_eq!(back, bodies, "{name}");
    }));
}

#[test]
fn a_workbook_that_a_person_made_is_read() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Семинары 2021").unwrap();
    let headers = [
        "№",
        "Название",
        "Название (қаз)",
        "Дата начала",
        "Дата окончания",
        "Страна",
        "Город",
        "Вместимость",
        "Язык",
        "Вид",
        "Статус",
        "Код",
        "Проект",
        "Широта",
        "Примечание",
    ];
    for (column, header) in (1..).zip(headers) {
        sheet.write_string(2, column, header).unwrap();
    }
    let day = Format::new().set_num_format("dd.mm.yyyy");
    sheet.write_number(3, 1, 1).unwrap();
    sheet.write_string(3, 2, " Цифровизация; услуги ").unwrap();
    sheet.write_string(3, 3, "Цифрландыру").unwrap();
    let date = ExcelDateTime::from_ymd(2021, 11, 4).unwrap();
    sheet.write_datetime_with_format(3, 4, &date, &day).unwrap();
    sheet.write_string(3, 5, "05.11.2021").unwrap();
    sheet.write_string(3, 6, "Казахстан").unwrap();
    sheet.write_string(3, 7, "Астана").unwrap();
    sheet.write_number(3, 8, 70).unwrap();
    sheet.write_string(3, 9, "русский; English; kk").unwrap();
    sheet.write_string(3, 10, "Workshop").unwrap();
    sheet.write_string(3, 11, "Held").unwrap();
    sheet.write_string(3, 12, "workshop-2021").unwrap();
    sheet.write_string(3, 13, "the-project").unwrap();
    sheet.write_number(3, 14, 51.128).unwrap();
    sheet.write_string(3, 15, "позвонить").unwrap();
    sheet.write_string(5, 2, "Без остального").unwrap();
    let bytes = book.save_to_buffer().unwrap();

    let sheet = Sheet::xlsx(Cursor::new(bytes.clone()), Some("Семинары 2021")).unwrap();
    let mapping = mapping::<Seminar>(&sheet);
    let how = |header: &str| {
        let one = mapping.matched().iter().find(|one| one.header == header).unwrap();
        (one.field.as_deref(), one.how)
    };
    assert_eq!(how("Название"), (Some("title.ru"), How::Guessed));
    assert_eq!(how("Название (қаз)"), (Some("title.kk"), How::Guessed));
    assert_eq!(how("Страна"), (Some("venue.country"), How::Guessed));
    assert_eq!(how("Примечание"), (None, How::None));
    assert_eq!(how("№"), (None, How::None));

    let rows = rows(sheet);
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [4, 6]);
    let draft = mapping.draft(&rows[0]);
    let expected = json!({
        "title": {"ru": "Цифровизация; услуги", "kk": "Цифрландыру"},
        "starts_on": "2021-11-04", "ends_on": "2021-11-05",
        "venue": {"country": "KZ", "city": {"ru": "Астана"}, "latitude": 51.128},
        "capacity": 70, "languages": ["ru", "en", "kk"], "kind": "workshop", "status": "held",
        "slug": "workshop-2021", "project_id": "the-project",
    });
    assert_eq!(draft.body(), &expected);
    assert!(draft.read::<Seminar>().is_ok());

    let faults = mapping.read::<Seminar>(&rows[1]).unwrap_err();
    let missing: Vec<_> = faults
        .iter()
        .map(|fault| {
            (
                fault.column.as_deref().unwrap(),
                fault.header.as_deref().unwrap(),
                fault.code.as_str(),
            )
        })
        .collect();
    let expected = [("M", "Код"), ("N", "Проект"), ("K", "Вид"), ("L", "Статус")];
    assert_eq!(missing.len(), expected.len(), "{faults:#?}");
    for (column, header) in expected {
        assert!(missing.contains(&(column, header, "missing_field")), "{header}: {missing:?}");
    }

    let fault = Sheet::xlsx(Cursor::new(bytes.clone()), Some("2022")).err().unwrap();
    assert_eq!(fault.code(), "no_such_sheet");
    assert_eq!(Sheet::csv(Cursor::new(bytes), None).err().unwrap().code(), "not_text");
    let fault = Sheet::open(Cursor::new(b"a;b".to_vec()), &SheetFormat::Xlsx { sheet: None })
        .err()
        .unwrap();
    assert_eq!(fault.code(), "not_a_workbook");
}

#[test]
fn a_text_of_windows_is_read() {
    let text = "sep=;\r\nНазвание;Дата начала;Город;Широта;Количество участников;Ключ;Проект;Вид;Статус\r\n\
        \"Цифровизация\r\nуслуг\";4.11.2021;Астана;51,128;1 200;s-1;p;seminar;held\r\n\r\n;;;;;;;;\r\n\
        Итоги;5.11.2021;Алматы;43,2;\u{a0};s-2;p;seminar;planned";
    let (bytes, _, lossy) = encoding_rs::WINDOWS_1251.encode(text);
    assert!(!lossy);
    let sheet = Sheet::csv(Cursor::new(bytes.into_owned()), None).unwrap();
    assert_eq!(sheet.source(), &Source::Csv { encoding: "windows-1251", delimiter: ';' });
    let mapping = mapping::<Seminar>(&sheet);
    let rows = rows(sheet);
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 5]);
    let draft = mapping.draft(&rows[0]);
    let expected = json!({
        "title": {"ru": "Цифровизация\r\nуслуг"}, "starts_on": "2021-11-04",
        "venue": {"city": {"ru": "Астана"}, "latitude": 51.128},
        "attendance": [{"value": 1200}], "slug": "s-1", "project_id": "p",
        "kind": "seminar", "status": "held",
    });
    assert_eq!(draft.body(), &expected);
    let faults = draft.read::<Seminar>().unwrap_err();
    let expected = [
        (2, "attendance.metric", "", "missing_field"),
        (2, "attendance.qualifier", "", "missing_field"),
    ];
    assert_eq!(codes(&faults), expected);
    let draft = mapping.draft(&rows[1]);
    assert_eq!(draft.body()["venue"]["latitude"], json!(43.2));
    assert!(draft.read::<Seminar>().is_ok());
}

#[test]
fn a_text_is_read_in_any_encoding() {
    let text = "code,scheme,label.ru\r\na,own,Сабақ\r\n";
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
    };
    for (bytes, encoding) in [
        (text.as_bytes().to_vec(), "UTF-8"),
        (format!("\u{feff}{text}").into_bytes(), "UTF-8"),
        (utf16(u16::to_le_bytes), "UTF-16LE"),
        (utf16(u16::to_be_bytes), "UTF-16BE"),
    ] {
        let sheet = Sheet::csv(Cursor::new(bytes), None).unwrap();
        assert_eq!(sheet.source(), &Source::Csv { encoding, delimiter: ',' });
        assert_eq!(sheet.headers(), ["code", "scheme", "label.ru"]);
        assert_eq!(rows(sheet)[0].cells, ["a", "own", "Сабақ"]);
    }
    let late = format!("code,scheme,label.ru\r\n{}b,own,", "a,own,x\r\n".repeat(20_000));
    let mut bytes = late.into_bytes();
    bytes.extend(encoding_rs::WINDOWS_1251.encode("Цифровизация").0.iter());
    let sheet = Sheet::csv(Cursor::new(bytes), None).unwrap();
    assert_eq!(sheet.last().unwrap().unwrap().cells[2], "Цифровизация");
    for empty in ["", "\n\n", "sep=;\n"] {
        let fault = Sheet::csv(Cursor::new(empty.as_bytes().to_vec()), None).err().unwrap();
        assert_eq!(fault.code(), "no_headers", "{empty:?}");
    }
}

#[test]
fn an_encoding_that_is_named_is_used_and_one_in_doubt_is_asked_for() {
    use encoding_rs::{EUC_KR, KOI8_R, UTF_8, WINDOWS_1251, WINDOWS_1252};
    let read = |text: &str, encoding: &'static encoding_rs::Encoding, told| {
        let (bytes, _, lossy) = encoding.encode(text);
        assert!(!lossy);
        let sheet = Sheet::csv(Cursor::new(bytes.into_owned()), told);
        sheet.map(|sheet| rows(sheet)[0].cells[1].clone()).map_err(|fault| fault.code())
    };
    let short = "email,given_name\na@example.org,Иван\n";
    for encoding in [WINDOWS_1251, KOI8_R] {
        assert_eq!(read(short, encoding, Some(encoding)), Ok("Иван".to_owned()));
        assert_eq!(read(short, encoding, Some(UTF_8)), Err("wrong_encoding"));
    }
    // These bytes look most like accents.
    assert_eq!(read(short, WINDOWS_1251, None), Err("unclear_encoding"));
    assert_eq!(read(short, UTF_8, Some(UTF_8)), Ok("Иван".to_owned()));
    assert_eq!(read("a,b\n1,Müller\n2,Crêpe\n", WINDOWS_1252, None), Ok("Müller".to_owned()));
    assert_eq!(read("a,b\n1,디지털 정부\n", EUC_KR, None), Ok("디지털 정부".to_owned()));
    // What follows a mark is in the encoding that it stands for.
    let marked = format!("\u{feff}{short}");
    assert_eq!(read(&marked, UTF_8, Some(WINDOWS_1251)), Ok("Иван".to_owned()));
}

#[test]
fn a_quote_that_is_not_closed_takes_nothing_with_it() {
    let fault = |text: &str| {
        let sheet = Sheet::csv(Cursor::new(text.as_bytes().to_vec()), None);
        let read = sheet.and_then(Iterator::collect::<Result<Vec<_>, _>>);
        read.err().map(|fault| fault.to_string())
    };
    for (text, row) in [
        ("a,b\nu1,\"open\nu2,x\nu3,y\n", 2),
        ("\na,b\n\"u\n1\",x\n\nu2,\"\"\"open", 5),
        ("a,\"b\nu1,x\n", 1),
    ] {
        let told = format!("A quote that opens in row {row} is not closed.");
        assert_eq!(fault(text), Some(told), "{text:?}");
    }
    // The quote of another cell closes it, in the midst of that one.
    let told = fault("a,b\nu1,\"open\nu2,\"closed\"\n").expect("a fault");
    assert!(told.starts_with("In row 2 a cell goes on"), "{told}");
    for text in ["a,b\n\"u \"\"1\"\"\" ,\"\"\r\n2\" x,5\"", "a;b\r\n\"u\r\n1\";x\r\n\"y\";z"] {
        assert_eq!(fault(text), None, "{text:?}");
    }
}

#[test]
fn a_formula_that_nothing_has_calculated_is_not_nothing() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, header) in (0..).zip(["external_id", "code", "label.en", "label.ru"]) {
        sheet.write_string(0, column, header).unwrap();
    }
    let formula = |result: &str| rust_xlsxwriter::Formula::new("=\"a\"&\"b\"").set_result(result);
    sheet.write_formula(1, 0, formula("key")).unwrap();
    sheet.write_formula(1, 1, formula("told")).unwrap();
    sheet.write_formula(1, 2, formula("told")).unwrap();
    sheet.write_formula(1, 3, formula("told")).unwrap();
    let whole = book.save_to_buffer().unwrap();
    let read = |file: Vec<u8>| {
        let sheet = Sheet::open(Cursor::new(file), &SheetFormat::Xlsx { sheet: None }).unwrap();
        let mapping = mapping::<Topic>(&sheet);
        let rows = rows(sheet);
        let draft = mapping.draft(&rows[0]);
        (draft.body().clone(), draft.faults().to_vec())
    };
    let (body, faults) = read(whole.clone());
    assert_eq!(body, json!({"code": "told", "label": {"en": "told", "ru": "told"}}));
    assert_eq!(faults, []);
    // As programs write it that do not calculate.
    let (_, faults) = read(without_results(&whole));
    let told: Vec<_> = faults.iter().map(|fault| (&*fault.field, &*fault.code)).collect();
    let none = "formula_without_result";
    assert_eq!(
        told,
        [("code", none), ("label.en", none), ("label.ru", none), ("external_id", none)]
    );
}

/// A workbook without what its formulas came to.
fn without_results(book: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for place in 0..archive.len() {
        let mut part = archive.by_index(place).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut text = Vec::new();
        part.read_to_end(&mut text).unwrap();
        if name.ends_with("sheet1.xml") {
            let mut sheet = String::from_utf8(text).unwrap().replace(" t=\"str\"", "");
            while let Some(at) = sheet.find("</f><v>") {
                let end = at + sheet[at..].find("</v>").unwrap();
                sheet.replace_range(at + "</f>".len()..end + "</v>".len(), "<v />");
            }
            text = sheet.into_bytes();
        }
        to.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut to, &text).unwrap();
    }
    to.finish().unwrap().into_inner()
}

#[test]
fn rows_are_counted_as_a_spreadsheet_does() {
    for end in ["\n", "\r\n"] {
        let text =
            ["", "code;label.ru", "", "a;\"x", "", "y\"", "b;z", ";", "", "", "c;z"].join(end);
        for text in [text.clone(), text + end] {
            let numbers: Vec<_> = rows(csv(&text)).iter().map(|row| row.number).collect();
            assert_eq!(numbers, [4, 5, 9], "{text:?}");
        }
    }
}

#[test]
fn a_text_of_an_old_program_is_read() {
    let numbers: Vec<_> =
        rows(csv("code;label.ru\ra;\"x\"\rb;z\r")).iter().map(|row| row.number).collect();
    assert_eq!(numbers, [2, 3]);
}

#[test]
fn headers_are_matched_as_people_write_them() {
    let headers: Vec<_> = [
        "title.en",
        "Title RU",
        "TITLE.uz",
        "starts on",
        "Аяқталу күні",
        "venue.city",
        "City (ru)",
        "Latitude",
        "countries.country",
        "Countries.Role",
        "Project",
        "summary",
        "id",
        "label.en",
        "error",
        "",
        "Start date",
        "zzz",
    ]
    .map(ToOwned::to_owned)
    .into();
    let mapping =
        Mapping::guess::<Seminar>(&headers, &given(&[("zzz", "format"), ("summary", "")]));
    let mapping = mapping.unwrap();
    let found: Vec<_> =
        mapping.matched().iter().map(|one| (one.field.as_deref(), one.how)).collect();
    let expected = [
        (Some("title.en"), How::Exact),
        (Some("title.ru"), How::Guessed),
        (Some("title.uz"), How::Guessed),
        (Some("starts_on"), How::Guessed),
        (Some("ends_on"), How::Guessed),
        (Some("venue.city.en"), How::Guessed),
        (Some("venue.city.ru"), How::Guessed),
        (Some("venue.latitude"), How::Guessed),
        (Some("countries.country"), How::Exact),
        (Some("countries.role"), How::Guessed),
        (Some("project_id"), How::Guessed),
        (None, How::LeftOut),
        (Some("id"), How::Exact),
        (None, How::NotRead),
        (None, How::NotRead),
        (None, How::None),
        (None, How::Taken),
        (Some("format"), How::Given),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_mapping_says_what_cannot_be() {
    let headers = ["a", "b", "slug", "slug"].map(ToOwned::to_owned);
    let corrections = given(&[("a", "title"), ("b", "nonsense"), ("c", "format")]);
    let faults = Mapping::guess::<Seminar>(&headers, &corrections).unwrap_err();
    let told: Vec<_> = faults.iter().map(|one| (one.header.as_str(), one.code)).collect();
    let expected = [
        ("a", "unknown_field"),
        ("b", "unknown_field"),
        ("slug", "field_twice"),
        ("c", "unknown_header"),
    ];
    assert_eq!(told, expected);
    assert!(faults[0].detail.contains("title.en"), "{}", faults[0].detail);
    for (pairs, code) in [
        ([("a", "format"), ("b", "format")], "field_twice"),
        ([("a", "state"), ("b", "")], "unknown_field"),
    ] {
        let headers = ["a", "b"].map(ToOwned::to_owned);
        let faults = Mapping::guess::<Seminar>(&headers, &given(&pairs)).unwrap_err();
        assert_eq!(faults[0].code, code);
    }
}

#[test]
fn every_field_of_the_dictionary_is_a_field() {
    struct Bases(Vec<String>);
    impl Visitor for Bases {
        fn visit<R: Stored>(&mut self) {
            self.0.extend(Table::of::<R>().columns().iter().cloned());
        }
    }
    let mut bases = Bases(Vec::new());
    visit_all(&mut bases);
    for field in words::fields() {
        let known = bases.0.iter().any(|known| {
            known.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest == ".other")
        });
        assert!(known, "{field}");
    }
}

#[test]
fn columns_of_a_list_go_together() {
    let head = "slug,project_id,kind,status,countries.country,countries.role\n";
    let (told, faults) =
        body::<Seminar>(&format!("{head}s,p,seminar,held,Казахстан;EE;,participating; Expert\n"));
    let countries =
        json!([{"country": "KZ", "role": "participating"}, {"country": "EE", "role": "expert"}]);
    assert_eq!(told["countries"], countries);
    assert_eq!(codes(&faults), []);

    let (_, faults) = body::<Seminar>(&format!("{head}s,p,seminar,held,KZ;EE,participating\n"));
    assert_eq!(codes(&faults), [(2, "countries", "participating", "uneven_list")]);
    assert_eq!(faults[0].column.as_deref(), Some("F"));

    let (_, faults) =
        body::<Seminar>(&format!("{head}s,p,seminar,held,KZ;Utopia,participating;\n"));
    let expected = [
        (2, "countries.country", "Utopia", "unknown_country"),
        (2, "countries.role", "participating;", "missing_field"),
    ];
    assert_eq!(codes(&faults), expected);
}

#[test]
fn codes_may_have_commas_between_them() {
    let head = "slug,project_id,kind,status,countries.country,countries.role,languages\n";
    let with = |countries: &str, roles: &str, languages: &str| {
        let row = format!("s,p,seminar,held,\"{countries}\",\"{roles}\",\"{languages}\"\n");
        body::<Seminar>(&format!("{head}{row}"))
    };
    let (told, faults) = with("Казахстан, EE", "participating, Expert", "ru, казахский, hy");
    assert_eq!(codes(&faults), []);
    let countries =
        json!([{"country": "KZ", "role": "participating"}, {"country": "EE", "role": "expert"}]);
    assert_eq!(told["countries"], countries);
    assert_eq!(told["languages"], json!(["ru", "kk", "hy"]));

    let (told, faults) = with("Бонэйр, Синт-Эстатиус и Саба", "expert", "ru");
    assert_eq!(codes(&faults), []);
    assert_eq!(told["countries"], json!([{"country": "BQ", "role": "expert"}]));

    let (_, faults) = with("KZ, Utopia", "participating", "ru, klingonish");
    let expected = [
        (2, "countries.country", "KZ, Utopia", "unknown_country"),
        (2, "languages", "ru, klingonish", "invalid_value"),
    ];
    assert_eq!(codes(&faults), expected);
}

#[test]
fn a_row_tells_all_its_faults_at_once() {
    let (_, faults) = body::<Seminar>(
        "slug,starts_on,ends_on,capacity,venue.latitude,image_url,title.other,summary.en,x\n\
         Not A Slug,05/11/2021,#N/A,many,95,ftp://x,no language,=x,,extra\n",
    );
    let mut told = codes(&faults);
    told.sort_unstable();
    let mut expected = [
        (2, "slug", "Not A Slug", "invalid_value"),
        (2, "project_id", "", "missing_field"),
        (2, "kind", "", "missing_field"),
        (2, "status", "", "missing_field"),
        (2, "starts_on", "05/11/2021", "ambiguous_date"),
        (2, "ends_on", "#N/A", "failed_formula"),
        (2, "capacity", "many", "not_a_number"),
        (2, "venue.latitude", "95", "too_large"),
        (2, "image_url", "ftp://x", "invalid_value"),
        (2, "title", "no language", "no_language"),
        (2, "", "extra", "cell_without_header"),
    ];
    expected.sort_unstable();
    assert_eq!(told, expected);

    let (_, faults) = body::<Seminar>(
        "slug,project_id,kind,status,starts_on,Дата окончания\ns,p,seminar,held,2021-11-05,4.11.2021\n",
    );
    assert_eq!(codes(&faults), [(2, "ends_on", "4.11.2021", "ends_before_it_starts")]);
    assert_eq!(faults[0].header.as_deref(), Some("Дата окончания"));
}

#[test]
fn what_the_registry_refuses_is_told_by_cell_as_well() {
    let sheet = csv("Название;Ключ\nx;s\n");
    let mapping = mapping::<Seminar>(&sheet);
    let rows = rows(sheet);
    let broken = [
        Violation::new("/slug", "slug_taken", "Taken."),
        Violation::new("/series_id", "unknown_reference", "Nothing has that name."),
        Violation::new("", "conflict", "It cannot be."),
    ];
    let faults = mapping.draft(&rows[0]).tell(&broken);
    let columns: Vec<_> = faults.iter().map(|fault| fault.column.as_deref()).collect();
    assert_eq!(columns, [Some("B"), None, None]);
    let expected = [
        (2, "slug", "s", "slug_taken"),
        (2, "series_id", "", "unknown_reference"),
        (2, "", "", "conflict"),
    ];
    assert_eq!(codes(&faults), expected);
}

/// A thousand rows of topics and presentations, of which each tenth has one error.
#[test]
fn a_hundred_planted_errors_are_told_and_no_other() {
    let planted: [(&str, usize, &str, &str); 5] = [
        ("order", 1, "первый", "not_a_number"),
        ("language", 2, "klingon", "invalid_value"),
        ("speakers.country", 3, "Атлантида", "unknown_country"),
        ("recording_url", 4, "нет", "invalid_value"),
        ("seminar_id", 0, "", "missing_field"),
    ];
    let mut text =
        "seminar_id;order;Язык;speakers.country;recording_url;speakers.person_id;speakers.role;title.ru\n".to_owned();
    let mut expected = Vec::new();
    for row in 0..1000_usize {
        let mut cells = [
            "s-1",
            "1 0",
            "рус",
            "КНР",
            "https://example.org",
            "p-1",
            "presenter",
            "Тема; и \"ещё\"",
        ]
        .map(ToOwned::to_owned);
        cells[1] = format!("{}", row % 50 + 1);
        if row % 10 == 7 {
            let (field, column, value, code) = planted[row / 10 % planted.len()];
            value.clone_into(&mut cells[column]);
            expected.push((row as u64 + 2, field, value, code));
        }
        text += &(cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).join(";") + "\n");
    }
    let sheet = csv(&text);
    let mapping = mapping::<Presentation>(&sheet);
    let faults: Vec<_> = rows(sheet)
        .iter()
        .filter_map(|row| mapping.read::<Presentation>(row).err())
        .flatten()
        .collect();
    assert_eq!(expected.len(), 100);
    assert_eq!(codes(&faults), expected);
}

#[test]
fn faulty_rows_are_written_corrected_and_read_again() {
    let text = "sep=;\nCode;scheme;Название;Заметка\na;own;Да;=1+1\nB;own;\"'=x; \"\"y\"\"\";-5\nc;none;z;\"two\nlines\"\n";
    let sheet = || csv(text);
    let mapping = mapping::<Topic>(&sheet());
    let mut faulty = FaultyRows::new(Vec::new(), &sheet()).unwrap();
    for row in rows(sheet()) {
        if let Err(faults) = mapping.read::<Topic>(&row) {
            faulty.add(&row, &faults).unwrap();
        }
    }
    let written = String::from_utf8(faulty.finish().unwrap()).unwrap();
    let expected = "\u{feff}Code;scheme;Название;Заметка;error\r\n\
        B;own;\"'=x; \"\"y\"\"\";-5;Code: It is no code of a topic: those are lower-case letters, digits, hyphens and dots.\r\n\
        c;none;z;\"two\nlines\";scheme: It is to be one of: own, dac, sdg.\r\n";
    assert_eq!(written, expected);

    let corrected = written.replace("\nB;", "\nb;");
    let sheet = csv(&corrected);
    let again = self::mapping::<Topic>(&sheet);
    assert_eq!(again.matched()[4].how, How::NotRead);
    let mut faulty = FaultyRows::new(Vec::new(), &sheet).unwrap();
    let rows = rows(sheet);
    assert_eq!(json!(again.read::<Topic>(&rows[0]).unwrap())["label"], json!({"ru": "=x; \"y\""}));
    faulty.add(&rows[1], &again.read::<Topic>(&rows[1]).unwrap_err()).unwrap();
    let written = String::from_utf8(faulty.finish().unwrap()).unwrap();
    assert_eq!(written.lines().next(), Some("\u{feff}Code;scheme;Название;Заметка;error"));
}

/// A long file that is made while it is read, and never is in memory.
struct Endless {
    rows: u64,
    at: u64,
}

const LINE: usize = 64;

impl Endless {
    fn line(number: u64) -> [u8; LINE] {
        let line = match number {
            0 => "code,scheme,label.en,label.ru".to_owned(),
            _ => format!("topic-{number},own,\"Topic {number}, of many\",Тема"),
        };
        let padded = format!("{line}{}\n", " ".repeat(LINE - 1 - line.len()));
        padded.into_bytes().try_into().expect("every line has the same length")
    }
}

impl Read for Endless {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let line = self.at / LINE as u64;
        if line > self.rows {
            return Ok(0);
        }
        let from = usize::try_from(self.at % LINE as u64).expect("a line is short");
        let length = to.len().min(LINE - from);
        to[..length].copy_from_slice(&Self::line(line)[from..from + length]);
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        assert_eq!(to, SeekFrom::Start(0), "it is only read from the beginning");
        self.at = 0;
        Ok(0)
    }
}

#[test]
fn a_long_file_is_read_row_by_row() {
    const ROWS: u64 = 100_000;
    let sheet = Sheet::csv(Endless { rows: ROWS, at: 0 }, None).unwrap();
    let mapping = mapping::<Topic>(&sheet);
    let mut read = 0;
    for row in sheet {
        let row = row.unwrap();
        read += 1;
        assert_eq!(row.number, read + 1);
        if read % 1000 == 0 {
            let draft = mapping.draft(&row);
            assert_eq!(draft.body()["code"], format!("topic-{read}"));
            assert!(draft.read::<Topic>().is_ok());
        }
    }
    assert_eq!(read, ROWS);
}

#[test]
fn a_guarded_text_is_told_from_one_that_begins_with_an_apostrophe() {
    for text in ["=x", "'=x", "''+", "'", "'a", "-5", "'-5", "-x", "@"] {
        let guarded = Cell::Text(text.to_owned()).guarded();
        assert_eq!(crate::formats::table::unguarded(&guarded), text, "{guarded}");
    }
}
