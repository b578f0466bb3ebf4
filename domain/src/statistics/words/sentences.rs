//! What is said in sentences.

/// What is said in English, in Russian and in Korean.
pub(super) const SENTENCES: &[(&str, &str, &str)] = &[
    // What subjects are.
    (
        "Seminars, workshops, webinars, conferences and launches.",
        "Семинары, практикумы, вебинары, конференции и мероприятия по запуску проектов.",
        "세미나, 워크숍, 웨비나, 콘퍼런스 및 사업 착수 행사.",
    ),
    ("Study visits.", "Ознакомительные визиты.", "연수 방문."),
    (
        "Talks given at seminars.",
        "Доклады, представленные на семинарах.",
        "세미나에서 이루어진 발표.",
    ),
    (
        "The parts that people have in talks, and what they said outside of one.",
        "Участие людей в докладах, а также их выступления вне докладов.",
        "발표에서 사람들이 맡은 역할과 발표 외에 한 발언.",
    ),
    (
        "The parts that organisations have in projects, grant arrangements, seminars, study visits and talks.",
        "Участие организаций в проектах, грантовых соглашениях, семинарах, ознакомительных визитах и докладах.",
        "사업, 보조금 약정, 세미나, 연수 방문 및 발표에서 기관이 맡은 역할.",
    ),
    (
        "People who are recorded as having taken part in a seminar or study visit. Small numbers are withheld from the public, and what would reveal them; the public may split or filter by one of sex, seniority, certified, organisation_kind and country or region at a time.",
        "Люди, участие которых в семинаре или ознакомительном визите зарегистрировано. Малые числа и всё, что позволило бы их восстановить, публично не раскрываются; без специальных прав данные можно разбивать или отбирать одновременно лишь по одному из признаков: sex, seniority, certified, organisation_kind, а также country или region.",
        "세미나 또는 연수 방문에 참가한 것으로 기록된 사람. 작은 수와 이를 드러낼 수 있는 수치는 일반에 공개하지 않으며, 일반 이용자는 sex, seniority, certified, organisation_kind, 그리고 country 또는 region 가운데 한 번에 하나로만 나누거나 걸러 볼 수 있다.",
    ),
    (
        "How many came to seminars and study visits, as it was published; what participant records count stands beside it under participants.",
        "Сколько человек приняло участие в семинарах и ознакомительных визитах по опубликованным данным; подсчёт по записям об участниках приводится отдельно, в разделе participants.",
        "공표된 세미나 및 연수 방문 참석 규모. 참가자 기록으로 집계한 수치는 participants에서 별도로 제공한다.",
    ),
    (
        "Money under grant arrangements, each currency and each flow apart. Figures that were told of initiatives are no project money and never among them.",
        "Средства по грантовым соглашениям, отдельно по каждой валюте и каждому виду движения. Суммы, названные в рассказах об инициативах, не относятся к средствам проектов и никогда сюда не включаются.",
        "보조금 약정에 따른 자금으로, 통화별·자금 흐름별로 구분한다. 사례로 소개된 이니셔티브의 금액은 사업 자금이 아니므로 포함하지 않는다.",
    ),
    (
        "What the indicators of results aim at and have reached, by period.",
        "Целевые и достигнутые значения показателей результатов по периодам.",
        "성과 지표의 기간별 목표와 달성도.",
    ),
    // What figures mean.
    (
        "Seminars, workshops, webinars, conferences and launches, each once, whatever their status.",
        "Семинары, практикумы, вебинары, конференции и мероприятия по запуску проектов; каждое учитывается один раз независимо от статуса.",
        "세미나, 워크숍, 웨비나, 콘퍼런스 및 사업 착수 행사. 상태와 관계없이 각각 한 번씩 집계한다.",
    ),
    (
        "Projects that hold them, each once.",
        "Проекты, в рамках которых они проводятся; каждый учитывается один раз.",
        "이를 개최하는 사업. 각각 한 번씩 집계한다.",
    ),
    (
        "Days from the first to the last, of those of which both are known.",
        "Число дней с первого по последний для тех, у которых известны оба.",
        "시작일부터 종료일까지의 일수. 두 날짜를 모두 아는 것만 집계한다.",
    ),
    (
        "Days from the first to the last, by the number of those of which both are known.",
        "Число дней с первого по последний, делённое на количество тех, у которых известны оба.",
        "시작일부터 종료일까지의 일수를 두 날짜를 모두 아는 건수로 나눈 값.",
    ),
    (
        "Study visits, each once, whatever their status.",
        "Ознакомительные визиты; каждый учитывается один раз независимо от статуса.",
        "연수 방문. 상태와 관계없이 각각 한 번씩 집계한다.",
    ),
    (
        "Presentations, each once, however many spoke.",
        "Доклады; каждый учитывается один раз независимо от числа выступавших.",
        "발표. 발표한 사람 수와 관계없이 각각 한 번씩 집계한다.",
    ),
    (
        "Seminars at which they were given, each once.",
        "Семинары, на которых они представлены; каждый учитывается один раз.",
        "발표가 이루어진 세미나. 각각 한 번씩 집계한다.",
    ),
    (
        "Parts in presentations, as announced at the time, and words that are kept from outside of one: who speaks twice counts twice.",
        "Случаи участия в докладах, как было объявлено в то время, и сохранённые выступления вне докладов: кто выступил дважды, учитывается дважды.",
        "당시 발표된 바에 따른 발표 참여와 발표 외에 기록된 발언. 두 번 발언한 사람은 두 번 집계한다.",
    ),
    (
        "People who have a part in presentations, or whose words are kept from outside of one, each once.",
        "Люди, участвовавшие в докладах, а также те, чьи слова вне докладов сохранены; каждый учитывается один раз.",
        "발표에서 역할을 맡았거나 발표 외의 발언이 기록된 사람. 각각 한 번씩 집계한다.",
    ),
    (
        "Parts that organisations have: as a party of a project or a grant arrangement, as an organiser of a seminar, as a stop of a study visit, or as where a speaker came from; each part counts.",
        "Случаи участия организаций: как стороны проекта или грантового соглашения, как организатора семинара, как места ознакомительного визита или как организации, из которой прибыл выступающий; учитывается каждый случай.",
        "기관의 참여: 사업 또는 보조금 약정의 당사자, 세미나의 주최 기관, 연수 방문의 방문 기관, 또는 연사의 소속 기관. 참여마다 집계한다.",
    ),
    (
        "Organisations that have a part in projects, grant arrangements, seminars, study visits or talks, each once.",
        "Организации, участвующие в проектах, грантовых соглашениях, семинарах, ознакомительных визитах или докладах; каждая учитывается один раз.",
        "사업, 보조금 약정, 세미나, 연수 방문 또는 발표에서 역할을 맡은 기관. 각각 한 번씩 집계한다.",
    ),
    (
        "People recorded as having taken part, once for each seminar or study visit; nobody is counted who is not recorded.",
        "Люди, участие которых зарегистрировано, по одному разу на каждый семинар или ознакомительный визит; кто не зарегистрирован, не учитывается.",
        "참가한 것으로 기록된 사람을 세미나 또는 연수 방문마다 한 번씩 집계하며, 기록되지 않은 사람은 집계하지 않는다.",
    ),
    (
        "Days attended, of those of whom they are known.",
        "Число дней участия тех, о ком оно известно.",
        "참석 일수. 참석 일수를 아는 사람만 집계한다.",
    ),
    (
        "Days attended, by the number of those of whom they are known.",
        "Число дней участия, делённое на количество тех, о ком оно известно.",
        "참석 일수를 이를 아는 사람 수로 나눈 값.",
    ),
    (
        "Numbers that were published, one for each seminar or study visit and each thing counted; of people also one that is not known, for each that was held and of which none was published.",
        "Опубликованные числа: по одному на каждый семинар или ознакомительный визит и на каждый предмет подсчёта; о людях также одно неизвестное — на каждое проведённое мероприятие, о котором число не опубликовано.",
        "공표된 수치. 세미나 또는 연수 방문과 집계 대상마다 하나씩이다. 사람 수의 경우, 개최되었으나 수치가 공표되지 않은 것도 알 수 없는 수치로 하나씩 포함한다.",
    ),
    (
        "The published numbers together; who came to two seminars is in both. Where one is not known, or was published as more than a number or at least a number, so is the sum.",
        "Сумма опубликованных чисел; кто был на двух семинарах, входит в оба числа. Если хотя бы одно неизвестно или опубликовано как «более» или «не менее», так же следует понимать и сумму.",
        "공표된 수치의 합계로, 세미나 두 곳에 온 사람은 양쪽에 모두 포함된다. 하나라도 알 수 없거나 ‘초과’ 또는 ‘이상’으로 공표되었으면 합계도 그렇게 이해한다.",
    ),
    (
        "The published numbers together, by how many they are.",
        "Сумма опубликованных чисел, делённая на их количество.",
        "공표된 수치의 합계를 그 개수로 나눈 값.",
    ),
    (
        "Amounts of agreements, budgets and transactions; of an agreement also one that is not known, without a currency.",
        "Суммы по соглашениям, бюджетам и операциям; у соглашения — также неизвестная, без валюты.",
        "약정, 예산 및 거래의 금액. 약정은 금액을 알 수 없는 것도 통화 없이 포함한다.",
    ),
    (
        "Money: agreed is what was signed, in the year of the signature, not what is only negotiated; a budget counts in the year of its first day, a revised one in place of each original one that it shares a day with; a transaction in that of its day.",
        "Средства: согласованными считаются подписанные суммы, по году подписания, но не те, о которых лишь ведутся переговоры; бюджет относится к году его первого дня, пересмотренный — вместо каждого первоначального, с которым у него есть общий день; операция — к году её совершения.",
        "자금: 합의 금액은 협의 중인 것을 제외하고 서명된 것을 서명 연도에, 예산은 시작일이 속한 연도에 집계하며 수정 예산은 하루라도 겹치는 당초 예산을 각각 대신한다. 거래는 거래일이 속한 연도에 집계한다.",
    ),
    (
        "Money, by the number of amounts.",
        "Средства, делённые на количество сумм.",
        "자금을 금액 건수로 나눈 값.",
    ),
    (
        "Periods of indicators, and indicators that have none; by the year in which a period ends.",
        "Периоды показателей, а также показатели без периодов; по году окончания периода.",
        "지표의 기간 및 기간이 없는 지표. 기간이 끝나는 연도를 기준으로 한다.",
    ),
    (
        "Indicators, each once.",
        "Показатели; каждый учитывается один раз.",
        "지표. 각각 한 번씩 집계한다.",
    ),
    (
        "The way from the baseline to the target that the actual value has gone, in per cent, of the periods for which all three are known as numbers that were typed.",
        "Доля пути от исходного до целевого значения, пройденная фактическим значением, в процентах, по периодам, для которых все три значения введены как числа.",
        "기준값에서 목표값까지의 거리 중 실제값이 도달한 비율(퍼센트). 세 값이 모두 숫자로 입력된 기간만 집계한다.",
    ),
    (
        "Countries named as having a part in seminars and study visits, each once; there may be others.",
        "Страны, названные участвующими в семинарах и ознакомительных визитах; каждая учитывается один раз; могут быть и другие.",
        "세미나와 연수 방문에 관여한 것으로 거명된 국가. 각각 한 번씩 집계하며, 다른 국가가 더 있을 수 있다.",
    ),
    // What has to be known to read figures.
    (
        "A record counts in each group that it belongs to, so groups may add up to more than the total.",
        "Запись учитывается в каждой группе, к которой относится, поэтому сумма по группам может превышать итог.",
        "기록은 그것이 속한 모든 집단에서 집계되므로 집단별 합이 전체보다 클 수 있다.",
    ),
    (
        "Counted from participant records; how many came as it was published is told by the subject attendance, and the two are never mixed.",
        "Подсчитано по записям об участниках; опубликованное число присутствовавших приводится в разделе attendance, и эти данные никогда не смешиваются.",
        "참가자 기록으로 집계한 수치이다. 공표된 참석 규모는 attendance에서 제공하며, 두 수치는 섞이지 않는다.",
    ),
    (
        "As it was published; what participant records count is told by the subject participants, and the two are never mixed.",
        "По опубликованным данным; подсчёт по записям об участниках приводится в разделе participants, и эти данные никогда не смешиваются.",
        "공표된 수치이다. 참가자 기록으로 집계한 수치는 participants에서 제공하며, 두 수치는 섞이지 않는다.",
    ),
    (
        "Groups of few people are withheld, and others with them where they would reveal these; where withheld is true, the people of all such groups are counted together, or not told.",
        "Группы из небольшого числа людей не раскрываются, как и другие группы, по которым их можно было бы восстановить; там, где withheld имеет значение true, люди всех таких групп сосчитаны вместе или их число не сообщается.",
        "소수로 이루어진 집단과 이를 드러낼 수 있는 다른 집단은 공개하지 않는다. withheld가 true인 경우 그러한 집단의 사람을 모두 합쳐 집계하거나 수를 밝히지 않는다.",
    ),
    // What dimensions are.
    (
        "The year in which an event begins, an amount falls or a period ends, as in 2021.",
        "Год, в котором начинается мероприятие, к которому относится сумма или в котором кончается период, например 2021.",
        "행사가 시작하거나 금액이 속하거나 기간이 끝나는 연도(예: 2021).",
    ),
    (
        "The quarter in which an event begins, an amount falls or a period ends, as in 2021-Q4.",
        "Квартал, в котором начинается мероприятие, к которому относится сумма или в котором кончается период, например 2021-Q4.",
        "행사가 시작하거나 금액이 속하거나 기간이 끝나는 분기(예: 2021-Q4).",
    ),
    (
        "The month in which an event begins, an amount falls or a period ends, as in 2021-11.",
        "Месяц, в котором начинается мероприятие, к которому относится сумма или в котором кончается период, например 2021-11.",
        "행사가 시작하거나 금액이 속하거나 기간이 끝나는 월(예: 2021-11).",
    ),
    (
        "The country, by its ISO 3166-1 alpha-2 code.",
        "Страна по двухбуквенному коду ISO 3166-1.",
        "ISO 3166-1 두 자리 코드로 나타낸 국가.",
    ),
    (
        "The region of the country, after the United Nations' M49 standard.",
        "Регион, к которому относится страна, по стандарту M49 Организации Объединённых Наций.",
        "유엔 M49 표준에 따른 국가의 소속 지역.",
    ),
    ("The topic, by its code.", "Тема по её коду.", "코드로 나타낸 주제."),
    (
        "The kind of seminar, or study_visit; of results, output, outcome, impact or other.",
        "Вид семинара или study_visit; для результатов: output, outcome, impact или other.",
        "세미나의 유형 또는 study_visit. 성과의 경우 output, outcome, impact 또는 other.",
    ),
    (
        "The project, by its slug.",
        "Проект по его имени в адресах.",
        "주소에 쓰이는 이름으로 나타낸 사업.",
    ),
    (
        "The organisation, by its slug: of seminars, who has a part in holding them; of study visits, who is visited; of presentations and speakers, where they come from; of money, who gave it, where that is recorded.",
        "Организация по её имени в адресах: у семинаров — участвующая в их проведении; у ознакомительных визитов — принимающая; у докладов и выступающих — та, которую они представляют; у средств — предоставившая их, если это записано.",
        "주소에 쓰이는 이름으로 나타낸 기관: 세미나는 개최에 참여한 기관, 연수 방문은 방문 기관, 발표와 연사는 소속 기관, 자금은 기록된 경우 이를 제공한 기관.",
    ),
    ("The kind of the organisation.", "Тип организации.", "기관의 유형."),
    ("The role that somebody has.", "Роль человека или организации.", "사람이나 기관이 맡은 역할."),
    ("The sex of participants.", "Пол участников.", "참가자의 성별."),
    ("The seniority of participants.", "Уровень должности участников.", "참가자의 직급."),
    (
        "Whether a certificate of theirs is recorded: true or false.",
        "Записан ли их сертификат: true или false.",
        "수료증이 기록되어 있는지 여부: true 또는 false.",
    ),
    (
        "Whether it is planned, confirmed, held, postponed, rescheduled or cancelled.",
        "Запланировано ли оно, подтверждено, проведено, отложено, перенесено или отменено.",
        "계획, 확정, 개최, 연기, 일정 변경 또는 취소 여부.",
    ),
    (
        "Each amount is converted by the newest published rate until the end of its month, or of its year where only that is known; where its currency has none, by the inverse of the rate in the other direction. Nothing is rounded but the sum.",
        "Каждая сумма пересчитана по последнему опубликованному курсу на конец её месяца или, где известен только год, её года; где для её валюты такого нет — по обратному к курсу в другом направлении. Округляется только итог.",
        "각 금액은 그 달 말(연도만 알려진 경우 그해 말)까지 공표된 최신 환율로 환산하며, 해당 통화의 환율이 없으면 반대 방향 환율의 역수를 쓴다. 합계만 반올림한다.",
    ),
    (
        "What was counted: persons, organisations, countries or participating_countries.",
        "Что было подсчитано: persons, organisations, countries или participating_countries.",
        "집계 대상: persons, organisations, countries 또는 participating_countries.",
    ),
    (
        "What becomes of the money: agreed, budgeted, promised, received, committed, disbursed or spent.",
        "Что происходит со средствами: agreed, budgeted, promised, received, committed, disbursed или spent.",
        "자금의 상태: agreed, budgeted, promised, received, committed, disbursed 또는 spent.",
    ),
    (
        "The currency, by its ISO 4217 code.",
        "Валюта по коду ISO 4217.",
        "ISO 4217 코드로 나타낸 통화.",
    ),
];
