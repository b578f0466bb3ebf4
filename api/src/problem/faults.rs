//! What each code means that stands in the errors of a problem, where it is no problem of its own.
use super::Kind;

const fn kind(code: &'static str, status: u16, title: &'static str, meaning: &'static str) -> Kind {
    Kind { code, status, title, meaning }
}

/// Each code, with the status of the problem that it comes with as a rule: what is told of the rows
/// of an import comes with none.
pub(super) const FAULTS: &[Kind] = &[
    // Of parameters and headers.
    kind(
        "unknown_parameter",
        400,
        "There is no such parameter",
        "The address does not take a parameter of that name: look for it in the contract.",
    ),
    kind(
        "repeated_parameter",
        400,
        "A parameter is given more than once",
        "The parameter has one value: give it once. Only lists take several, with commas between them \
         or by the same name again.",
    ),
    kind(
        "missing_parameter",
        400,
        "A parameter is missing",
        "The address cannot be answered without that parameter: give it a value.",
    ),
    kind(
        "no_revision",
        400,
        "The header names no revision",
        "If-Match is the ETag of one revision, as it was read: neither * nor a weak tag will do.",
    ),
    kind(
        "invalid_key",
        400,
        "The key cannot be used",
        "An Idempotency-Key has 16 to 64 letters, digits, hyphens or underscores.",
    ),
    kind(
        "key_reused",
        422,
        "The key has been used for another request",
        "An Idempotency-Key stands for one request: make a new key for another one.",
    ),
    kind(
        "unsupported_key",
        400,
        "The request takes no key",
        "What it does is not remembered under an Idempotency-Key: look whether it was done before you send it again.",
    ),
    // Of the form of a body.
    kind(
        "malformed_json",
        400,
        "It is no JSON",
        "The text cannot be read at the line and the column that detail tells: mend it there.",
    ),
    kind(
        "missing_field",
        400,
        "A field is missing",
        "The resource cannot be without that field: the contract tells what it holds.",
    ),
    kind(
        "unknown_field",
        400,
        "There is no such field",
        "The resource has no field of that name: look for it in the contract.",
    ),
    kind(
        "read_only",
        400,
        "The registry itself sets the field",
        "The field is told and cannot be written: leave it out.",
    ),
    kind(
        "wrong_type",
        400,
        "The value is of another type",
        "The field takes another type of JSON, which detail names.",
    ),
    kind(
        "unknown_value",
        400,
        "There is no such value",
        "The field takes one of the values that the contract lists, and this is none of them.",
    ),
    // Of what a body says.
    kind(
        "invalid_value",
        422,
        "The value cannot be used",
        "The value is of the right type, but not of the form that the contract tells.",
    ),
    kind(
        "invalid_language",
        422,
        "There is no such language",
        "The languages of a text are BCP 47 tags, such as en, kk or zh-Hant.",
    ),
    kind("nul", 422, "A text holds the character NUL", "Take it out: no text can hold it."),
    kind(
        "empty",
        422,
        "There is nothing in it",
        "A text or a list that is there holds something: leave it out if it is not known.",
    ),
    kind(
        "too_deep",
        422,
        "Lists and objects lie too deep in each other",
        "Detail tells how deep they may lie: tell it in fewer of them.",
    ),
    kind("too_long", 422, "It is too long", "Detail tells how much there may be: shorten it."),
    kind(
        "repeated",
        422,
        "A list names something twice",
        "Each is named once: take the second one away.",
    ),
    kind("too_small", 422, "The number is too small", "Detail tells the least that it can be."),
    kind("too_large", 422, "The number is too large", "Detail tells the most that it can be."),
    kind(
        "ends_before_it_starts",
        422,
        "It ends before it starts",
        "The last day that the end may mean is before the first that the start may mean: one of \
         the two is wrong.",
    ),
    kind(
        "longer_than_a_year",
        422,
        "The budget is for longer than a year",
        "The standard for grants has budgets of a year at most: split it.",
    ),
    kind(
        "revised_twice",
        422,
        "Two revised budgets share days",
        "The newest stands in place of what was before: take the older one away.",
    ),
    kind(
        "revised_in_part",
        422,
        "A budget is revised for some of its days only",
        "How much of it still holds cannot be told: have revised budgets for all of its days.",
    ),
    kind(
        "counted_twice",
        422,
        "Two numbers of the same thing",
        "Figures would add them up: keep one, and tell what another source says in a citation.",
    ),
    kind(
        "counted_not_typed",
        422,
        "What is counted is typed as well",
        "The registry counts the actual values of an indicator that is computed from a metric: leave \
         them out, or computed_from.",
    ),
    kind(
        "value_and_unit",
        422,
        "A value and its unit do not go together",
        "Give a value its unit; an amount of money has its currency and no unit.",
    ),
    kind(
        "amount_or_value",
        422,
        "It has both an amount and a value, or neither",
        "Give the one that is known.",
    ),
    kind("same_currency", 422, "A currency has no rate in itself", "Name two currencies."),
    kind(
        "unknown_field_cited",
        422,
        "The citation is of no field",
        "The field of a citation is a JSON pointer to a field of the record: the record has none \
         there.",
    ),
    // Of other records.
    kind(
        "unknown_reference",
        422,
        "There is no such record to refer to",
        "No record of that collection has that id or slug, or none that you see: create it first.",
    ),
    kind(
        "ambiguous_reference",
        422,
        "Several records are called so",
        "Name the record by its id or its slug.",
    ),
    kind(
        "unpublished_reference",
        422,
        "What it refers to is not public",
        "What is public refers to what is public: publish that first.",
    ),
    kind(
        "other_seminar",
        422,
        "It belongs to another seminar",
        "A part of a seminar refers to parts of the same seminar only.",
    ),
    kind(
        "cycle",
        422,
        "It would be above itself",
        "A record cannot have itself above it, nor one that it stands above.",
    ),
    kind(
        "rate_taken",
        422,
        "There is a rate of that day already",
        "Two currencies have one rate a day: change the record that has it.",
    ),
    kind(
        "external_id_taken",
        422,
        "Another record has that external id",
        "An id in another system stands for one record.",
    ),
    kind(
        "unknown_record",
        422,
        "There is no record of that id",
        "Leave the id out to create a record, or give the one of a record that is there.",
    ),
    kind(
        "repeated_key",
        422,
        "Two rows are of the same record",
        "An import has one row of each record: put the two together.",
    ),
    kind(
        "no_body",
        422,
        "The revision has no body",
        "The record was deleted in that revision: restore one before it.",
    ),
    kind(
        "private_address",
        422,
        "The address is not public",
        "Webhooks are sent to addresses of the public internet only.",
    ),
    // Of participants.
    kind(
        "no_activity",
        422,
        "It names neither a seminar nor a study visit",
        "A participant is one of a seminar or of a study visit: name it.",
    ),
    kind(
        "two_activities",
        422,
        "It names a seminar and a study visit",
        "A participant is of one: enter who was at both twice.",
    ),
    kind(
        "consent_needed",
        422,
        "There is no consent to name somebody",
        "Without their consent somebody is counted, and not named: leave the field out.",
    ),
    kind("day_twice", 422, "A day comes twice", "Name each day once."),
    kind("in_the_past", 422, "The day is over already", "Choose one that is still to come."),
    kind("too_late", 422, "The day is too far away", "Detail tells how far away it may be."),
    kind(
        "erased",
        422,
        "Who it was has been taken away",
        "What identified that person was erased, and is not entered again.",
    ),
    kind(
        "already_there",
        422,
        "That person is entered already",
        "A person is a participant of the same activity once: change that record.",
    ),
    kind(
        "same_person_twice",
        422,
        "Two rows are of the same person",
        "A person is a participant of the same activity once: leave one of the rows out.",
    ),
    // Of imports.
    kind(
        "unknown_resource",
        422,
        "There is no such collection",
        "Name one of the collections as it stands in addresses.",
    ),
    kind("not_for_bundles", 422, "A bundle does not take that", "It is for tables only."),
    kind(
        "wrong_encoding",
        422,
        "The text is not in that encoding",
        "Name the encoding that it is in (charset), or save it as UTF-8.",
    ),
    kind(
        "unclear_encoding",
        422,
        "The encoding of the text cannot be told",
        "Name the encoding that it is in (charset), or save it as UTF-8.",
    ),
    kind(
        "open_quote",
        422,
        "A quote is not closed",
        "Everything after it would be one cell: close it in the row that detail names.",
    ),
    kind(
        "stray_quote",
        422,
        "Something follows a closing quote",
        "A quote within a quoted cell is written twice: mend the row that detail names.",
    ),
    kind(
        "formula_without_result",
        422,
        "The formula of the cell has no result",
        "Open the file in a spreadsheet, which calculates it, and save it.",
    ),
    kind(
        "not_a_workbook",
        422,
        "The file is no XLSX workbook",
        "Save it as XLSX, or leave out what is about workbooks.",
    ),
    kind("no_such_sheet", 422, "The workbook has no such sheet", "Detail names those it has."),
    kind("not_text", 422, "The file is no text", "Save it as CSV in UTF-8."),
    kind(
        "no_headers",
        422,
        "The file has no row of headers",
        "The first row with several cells names the fields.",
    ),
    kind("too_many_columns", 422, "The table has too many columns", "Take some of them out."),
    kind(
        "workbook_too_large",
        422,
        "The workbook is too large",
        "Detail tells how large it may be when it is unpacked: split it.",
    ),
    kind(
        "cell_too_long",
        422,
        "A cell of the sheet is too long",
        "No spreadsheet program has cells that long: split the text, or send it as JSON.",
    ),
    kind(
        "disordered_sheet",
        422,
        "The cells of the sheet are not in order",
        "Open the file in a spreadsheet and save it anew.",
    ),
    kind("unreadable", 422, "The file cannot be read", "It is damaged: save it anew."),
    kind(
        "unknown_header",
        422,
        "The sheet has no such header",
        "The mapping names a header that no column has.",
    ),
    kind("unknown_column", 422, "There is no such column", "The sheet has fewer columns."),
    kind(
        "no_columns",
        422,
        "No column stands for a field",
        "Name in the mapping which field each header stands for.",
    ),
    kind(
        "field_twice",
        422,
        "Two columns have the same field",
        "Each field has one column: leave one of them out in the mapping.",
    ),
    kind("cell_without_header", 422, "A cell has no header", "Give its column a header."),
    kind(
        "uneven_list",
        422,
        "Lists that go together are not of one length",
        "The columns of a list of objects have as many values each: leave the place empty where one \
         is not known.",
    ),
    kind(
        "no_language",
        422,
        "The language of a text is not told",
        "Name the language in the header, as in title.en.",
    ),
    kind(
        "failed_formula",
        422,
        "The formula of the cell has no value",
        "Open the file in a spreadsheet, mend the formula and save it.",
    ),
    kind(
        "unknown_country",
        422,
        "There is no such country",
        "Write the ISO 3166-1 code, or the name as the registry has it.",
    ),
    kind(
        "part_of_day",
        422,
        "The cell shows a part of the day that it holds",
        "Show the whole day, or write the month or the year as a text.",
    ),
    kind(
        "percentage",
        422,
        "It is a percentage",
        "Write the number that is meant, without the sign and without its format.",
    ),
    kind("not_a_boolean", 422, "It is neither yes nor no", "Write true or false."),
    kind("not_a_whole_number", 422, "It is no whole number", "Write digits only."),
    kind("not_a_number", 422, "It is no number", "Write a number such as 1234.5."),
    kind(
        "ambiguous_number",
        422,
        "The number can be read in two ways",
        "Write it without marks between thousands.",
    ),
    kind("invalid_date", 422, "There is no such day", "Write it as in 2021-11-05."),
    kind("ambiguous_date", 422, "The day can be read in two ways", "Write it as in 2021-11-05."),
];
