//! The words that people write in headers, and what they mean.
use unicode_normalization::UnicodeNormalization;

/// Words for a language: its tag, and how people write it, beside a text or in a cell.
const LANGUAGES: &[(&str, &[&str])] = &[
    ("en", &["en", "eng", "english", "англ", "английский", "ағылшын", "ағылшынша", "наанглийском"]),
    ("ru", &["ru", "rus", "russian", "рус", "русский", "орыс", "орысша", "нарусском"]),
    (
        "kk",
        &[
            "kk",
            "kz",
            "kaz",
            "kazakh",
            "каз",
            "қаз",
            "казахский",
            "қазақ",
            "қазақша",
            "наказахском",
        ],
    ),
    ("ko", &["ko", "kr", "kor", "korean", "кор", "корейский", "корейша", "накорейском"]),
    ("uz", &["uz", "uzb", "uzbek", "узб", "узбекский", "өзбекше", "наузбекском"]),
    ("ky", &["ky", "kgz", "kyrgyz", "кирг", "кыргызский", "киргизский", "қырғызша"]),
    ("tg", &["tg", "tajik", "тадж", "таджикский", "тәжікше"]),
];

/// A meaning: the fields that it may be, of which the first that a resource has is meant, and the
/// words for it in English, Russian and Kazakh.
struct Meaning {
    fields: &'static [&'static str],
    words: [(&'static str, &'static [&'static str]); 3],
}

/// A line of the dictionary.
const fn means(
    fields: &'static [&'static str],
    en: &'static [&'static str],
    ru: &'static [&'static str],
    kk: &'static [&'static str],
) -> Meaning {
    Meaning { fields, words: [("en", en), ("ru", ru), ("kk", kk)] }
}

#[rustfmt::skip]
const DICTIONARY: &[Meaning] = &[
    means(&["title", "name", "label"],
        &["title", "name", "event", "event title"],
        &["название", "наименование", "заголовок", "мероприятие", "название мероприятия"],
        &["атауы", "аты", "тақырыбы", "іс-шара", "іс-шараның атауы"]),
    means(&["name"],
        &["full name", "person"],
        &["фио", "ф.и.о.", "имя", "полное имя"],
        &["аты-жөні", "тегі, аты"]),
    means(&["theme", "title"], &["theme", "subject"], &["тема"], &["тақырып"]),
    means(&["topics"], &["topic", "topics"], &["темы", "тематика"], &["тақырыптар"]),
    means(&["summary", "description", "abstract"],
        &["summary", "description", "abstract"],
        &["описание", "краткое содержание", "аннотация"],
        &["сипаттама", "қысқаша мазмұны", "аңдатпа"]),
    means(&["objective"], &["objective", "goal", "aim"], &["цель", "цели"], &["мақсаты", "мақсат"]),
    means(&["target_group"], &["target group", "audience"], &["целевая группа", "целевая аудитория"], &["мақсатты топ"]),
    means(&["starts_on", "actual_start", "signed_on", "published_on"],
        &["date", "start", "start date", "begins", "from"],
        &["дата", "дата начала", "начало", "дата проведения"],
        &["күні", "басталу күні", "басталуы", "өткізу күні"]),
    means(&["ends_on", "actual_end", "effective_to"],
        &["end", "end date", "ends", "to"],
        &["дата окончания", "окончание", "дата завершения", "конец"],
        &["аяқталу күні", "аяқталуы"]),
    means(&["planned_start"], &["planned start date"], &["плановая дата начала", "планируемое начало"], &["жоспарланған басталу күні"]),
    means(&["planned_end"], &["planned end date"], &["плановая дата окончания", "планируемое окончание"], &["жоспарланған аяқталу күні"]),
    means(&["signed_on"], &["date of signature", "signed"], &["дата подписания", "подписано"], &["қол қойылған күні"]),
    means(&["published_on"], &["date of publication", "published"], &["дата публикации", "опубликовано"], &["жарияланған күні"]),
    means(&["starts_at"], &["start time", "begins at"], &["время начала"], &["басталу уақыты"]),
    means(&["ends_at"], &["end time", "ends at"], &["время окончания"], &["аяқталу уақыты"]),
    means(&["day"], &["day"], &["день"], &["күн"]),
    means(&["order", "ordinal"], &["order", "number", "no."], &["порядок", "номер", "порядковый номер"], &["реті", "нөмірі"]),
    means(&["duration"], &["duration"], &["длительность", "продолжительность", "срок"], &["ұзақтығы"]),
    means(&["country", "host_country", "venue.country", "countries.country", "speakers.country"],
        &["country", "host country"],
        &["страна", "принимающая страна", "страна проведения"],
        &["ел", "елі", "мемлекет", "қабылдаушы ел"]),
    means(&["countries.country", "speakers.country"],
        &["countries", "participating countries"],
        &["страны", "страны-участницы", "страны участники"],
        &["елдер", "қатысушы елдер"]),
    means(&["venue.city"], &["city", "town"], &["город", "населенный пункт"], &["қала", "қаласы"]),
    means(&["venue.name", "room"], &["venue", "place", "location"], &["место", "место проведения", "площадка"], &["өткізілетін орны", "орны"]),
    means(&["venue.address"], &["address"], &["адрес"], &["мекенжайы", "мекенжай"]),
    means(&["venue.latitude"], &["latitude", "lat"], &["широта"], &["ендік"]),
    means(&["venue.longitude"], &["longitude", "lon", "lng"], &["долгота"], &["бойлық"]),
    means(&["venue.online_url"], &["link to join"], &["ссылка для подключения", "ссылка на трансляцию"], &["қосылу сілтемесі"]),
    means(&["room"], &["room", "hall"], &["зал", "аудитория", "кабинет"], &["зал", "бөлме"]),
    means(&["time_zone"], &["time zone", "timezone"], &["часовой пояс"], &["уақыт белдеуі"]),
    means(&["language", "languages"], &["language", "languages"], &["язык", "языки", "рабочий язык"], &["тіл", "тілі", "тілдер"]),
    means(&["speakers.person_id", "person_id"],
        &["speaker", "speakers", "presenter"],
        &["докладчик", "докладчики", "спикер", "спикеры", "выступающий"],
        &["баяндамашы", "баяндамашылар", "спикер"]),
    means(&["speakers.position", "appointments.position"], &["position", "post", "job title"], &["должность"], &["лауазымы", "қызметі"]),
    means(&["organisation_id", "speakers.organisation_id", "organisers.organisation_id", "parties.organisation_id", "appointments.organisation_id"],
        &["organisation", "organization"],
        &["организация", "учреждение"],
        &["ұйым", "мекеме"]),
    means(&["organisers.organisation_id"], &["organiser", "organizer", "organisers", "organizers"], &["организатор", "организаторы"], &["ұйымдастырушы", "ұйымдастырушылар"]),
    means(&["publisher_id"], &["publisher"], &["издатель"], &["баспагер"]),
    means(&["parent_id"], &["parent", "parent organisation", "parent organization"], &["головная организация", "вышестоящая организация"], &["бас ұйым"]),
    means(&["project_id"], &["project"], &["проект"], &["жоба"]),
    means(&["series_id"], &["series"], &["серия", "цикл"], &["топтама"]),
    means(&["seminar_id"], &["seminar"], &["семинар"], &["семинар"]),
    means(&["session_id"], &["session"], &["сессия", "заседание"], &["сессия", "отырыс"]),
    means(&["kind"], &["kind", "type"], &["вид", "тип"], &["түрі", "типі"]),
    means(&["format"], &["format"], &["формат"], &["форматы"]),
    means(&["status"], &["status", "state"], &["статус", "состояние"], &["мәртебесі", "күйі"]),
    means(&["capacity"], &["capacity", "seats"], &["вместимость", "количество мест"], &["сыйымдылығы", "орын саны"]),
    means(&["attendance.value"], &["participants", "attendance", "number of participants"], &["участники", "количество участников", "число участников"], &["қатысушылар", "қатысушылар саны"]),
    means(&["amount.amount"], &["amount", "sum", "grant amount"], &["сумма", "сумма гранта"], &["сомасы", "грант сомасы"]),
    means(&["amount.currency"], &["currency"], &["валюта"], &["валюта", "валютасы"]),
    means(&["acronym"], &["acronym", "abbreviation", "short name"], &["аббревиатура", "сокращение", "краткое название"], &["аббревиатура", "қысқаша атауы"]),
    means(&["website", "url"], &["website", "site", "link", "url"], &["сайт", "веб-сайт", "ссылка"], &["сайт", "веб-сайт", "сілтеме"]),
    means(&["recording_url"], &["recording", "video"], &["запись", "видео", "видеозапись"], &["жазба", "бейне"]),
    means(&["registration_url"], &["registration"], &["регистрация", "ссылка на регистрацию"], &["тіркелу", "тіркелу сілтемесі"]),
    means(&["text"], &["text", "quote", "recommendation", "statement"], &["текст", "цитата", "рекомендация", "высказывание"], &["мәтін", "дәйексөз", "ұсыным"]),
    means(&["reference"], &["number of the agreement", "agreement number"], &["номер соглашения", "номер договора"], &["келісім нөмірі", "шарт нөмірі"]),
    means(&["licence"], &["license", "licence"], &["лицензия"], &["лицензия"]),
    means(&["slug", "code"], &["slug", "code", "key"], &["код", "ключ", "адрес в каталоге"], &["код", "коды"]),
];

/// A word without what makes no difference in it: case, spaces, signs, and ё for е.
pub(super) fn plain(text: &str) -> String {
    let letters = text.nfc().flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric());
    letters.map(|letter| if letter == 'ё' { 'е' } else { letter }).collect()
}

/// The fields that a header may mean, best first, and the language that it is written in.
pub(super) fn meaning(header: &str) -> Option<(&'static [&'static str], &'static str)> {
    let header = plain(header);
    DICTIONARY.iter().find_map(|meaning| {
        let mut languages = meaning.words.iter();
        let (tag, _) =
            languages.find(|(_, words)| words.iter().any(|word| plain(word) == header))?;
        Some((meaning.fields, *tag))
    })
}

/// Every field that the dictionary knows words for.
#[cfg(test)]
pub(super) fn fields() -> impl Iterator<Item = &'static str> {
    DICTIONARY.iter().flat_map(|meaning| meaning.fields).copied()
}

/// The tag of a language that is given by a word.
pub(super) fn language(word: &str) -> Option<&'static str> {
    let word = plain(word);
    LANGUAGES.iter().find(|(_, words)| words.contains(&&*word)).map(|(tag, _)| *tag)
}

/// A header without the language that it ends with, as in `Title (ru)` or `Название на русском`.
pub(super) fn without_language(header: &str) -> (&str, Option<&'static str>) {
    let whole = header.trim_end_matches(|sign: char| !sign.is_alphanumeric());
    let begins = |words: usize| {
        let mut gaps = whole.char_indices().filter(|(_, letter)| !letter.is_alphanumeric());
        gaps.nth_back(words - 1)
    };
    let found = [2, 1].into_iter().find_map(|words| {
        let (gap, sign) = begins(words)?;
        let tag = language(&whole[gap + sign.len_utf8()..])?;
        Some((&whole[..gap], Some(tag)))
    });
    found.filter(|(rest, _)| !plain(rest).is_empty()).unwrap_or((header, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_end_with_its_language() {
        for (header, rest, tag) in [
            ("Title (ru)", "Title", "ru"),
            ("title_ru", "title", "ru"),
            ("Название (рус.)", "Название", "ru"),
            ("Название на казахском", "Название", "kk"),
            ("Атауы (қазақша)", "Атауы", "kk"),
            ("Name, English", "Name", "en"),
        ] {
            let (found, language) = without_language(header);
            assert_eq!((plain(found), language), (plain(rest), Some(tag)), "{header}");
        }
        assert_eq!(without_language("Русский"), ("Русский", None));
        assert_eq!(without_language("Start date"), ("Start date", None));
    }

    #[test]
    fn a_word_is_known_in_three_languages() {
        for (word, field, tag) in [
            ("НАЗВАНИЕ", "title", "ru"),
            ("Дата  начала", "starts_on", "ru"),
            ("Басталу күні", "starts_on", "kk"),
            ("Start date", "starts_on", "en"),
            ("Населённый пункт", "venue.city", "ru"),
        ] {
            let (fields, language) = meaning(word).expect(word);
            assert_eq!((fields[0], language), (field, tag), "{word}");
        }
        assert!(meaning("Примечание").is_none());
    }
}
