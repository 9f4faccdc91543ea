"""What every field type promises, asked of each type in the registry: with its own examples, on both databases."""

import json
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator
from translationstring import TranslationString
from webob.multidict import MultiDict

from portal.database.fetching import fetch
from portal.database.search.words import indexed_text, parse_words
from portal.fields.base import Field, Refused
from portal.fields.reader import PLAIN, Reader

ENGLISH = Reader(language="en")
LANGUAGES = ("en", "it", "pl", "de", "fr", "es", "ar")
OWN_TABLE = ("links", "lines")
STORED = sorted(
    name for name, kind in Field.types.items() if not kind.computed and name not in OWN_TABLE and not kind.by_upload
)
# What these show says less or more than what is typed.
SHOWN_OTHERWISE = ("address", "choice", "choices", "html", "markdown", "link", "time")

every_type = pytest.mark.parametrize("kind", STORED)


def field(kind: str, name: str = "x", **keys: object) -> Field:
    return Field.types[kind].model_validate({"name": name, "type": kind, **Field.types[kind].sample, **keys})


def read_all(one: Field) -> list:
    """The different values of the examples, in their order."""
    values = []
    for typed, value, _shown in one.examples:
        assert one.parse(typed, ENGLISH) == value
        if value not in values:
            values.append(value)
    return values


def is_empty(value: object) -> bool:
    return value is None or value == ()


def named(one: Field, value: object) -> object:
    """What a condition calls the value."""
    if isinstance(value, tuple):
        return value[-1]
    if one.type in ("duration", "location"):
        return one.write(value)
    return " ".join(one.texts(value)) if one.type == "address" else value


def table_of(connection: sa.Connection, *fields: Field) -> sa.Table:
    metadata = sa.MetaData()
    people = sa.Table("people", metadata, sa.Column("id", sa.BigInteger(), primary_key=True))
    people.append_column(sa.Column("name", sa.Text()))
    people.append_column(sa.Column("_name_folded", sa.Text()))
    people.info.update(title="name", title_folded="_name_folded", unique=[])
    columns = [column for each in fields for column in each.columns()]
    table = sa.Table("things", metadata, sa.Column("id", sa.BigInteger(), primary_key=True), *columns)
    metadata.create_all(connection)
    connection.execute(people.insert(), [{"id": 1, "name": "Anna", "_name_folded": "anna"}])
    return table


def filled(connection: sa.Connection, one: Field) -> tuple[sa.Table, dict[int, object]]:
    """A table with a row for each different value, stored in the reverse of their order."""
    values = dict(enumerate(read_all(one), start=1))
    table = table_of(connection, one)
    for identity, value in sorted(values.items(), reverse=True):
        connection.execute(table.insert().values({"id": identity, **one.store(value)}))
    return table, values


@every_type
def test_examples_are_read_and_shown_as_they_say(kind):
    one = field(kind)
    assert one.examples, "a type without examples says nothing"
    for typed, value, shown in one.examples:
        assert one.parse(typed, ENGLISH) == value, typed
        assert one.show(value, ENGLISH) == shown, typed


@every_type
def test_what_cannot_be_taken_is_refused_with_a_sentence(kind):
    one = field(kind)
    assert one.rejects or kind == "text", "no `rejects`: say what the type refuses"
    for typed in one.rejects:
        with pytest.raises(Refused) as refused:
            one.parse(typed, ENGLISH)
        sentence = ENGLISH.text(refused.value.message)
        assert sentence.endswith("."), sentence
        assert "${" not in sentence
        assert len(sentence) < 200


@every_type
@pytest.mark.parametrize("text", ["a\x00b", "1\x002", "\ud800", "2024\udfff", "x\x00"])
def test_what_no_database_takes_is_refused_wherever_it_is_typed(kind, text):
    one = field(kind)
    for read in (one.parse, one.constant, one.parse_filter):
        with pytest.raises(Refused) as refused:
            read(text, ENGLISH)
        ENGLISH.text(refused.value.message).encode()


@every_type
@pytest.mark.parametrize(
    "text", ["\u200b", "\u3164", "\u00ad \u2060", "\u202e\ufeff", "\u2800", "\u034f", "\u115f\u1160"]
)
def test_a_text_of_which_nothing_can_be_seen_is_empty(kind, text):
    try:
        assert is_empty(field(kind).parse(text, ENGLISH))
    except Refused:
        assert kind in ("choice", "choices", "rating", "color"), "nothing was entered"


@every_type
@pytest.mark.parametrize(("before", "after"), [("\u202a", "\u202c"), ("\ufeff", "\u200b"), ("\u200e ", "\xa0\u2060")])
def test_what_comes_along_invisibly_when_a_value_is_copied_falls_away(kind, before, after):
    one = field(kind)
    for typed, value, _shown in one.examples:
        if typed and kind not in ("choice", "choices", "link"):  # their values are chosen, not typed
            assert one.parse(f"{before}{typed}{after}", ENGLISH) == value, typed


@pytest.mark.parametrize(
    "language", ["en", "en-GB", "de", "de-CH", "it", "pl", "fr", "es", "pt", "nl", "sv", "fi", "cs", "hu", "ja"]
)
@every_type
def test_the_example_in_a_message_is_accepted(kind, language):
    reader = Reader(language=language)
    for one in (field(kind), *bounded(kind)):
        for text in (*one.rejects, "-99999", "99999999"):
            try:
                one.parse(text, reader)
            except Refused as refused:
                for example in examples_in(refused.message, reader):
                    assert one.parse(example, reader) is not None, (text, example)


def bounded(kind: str) -> Iterator[Field]:
    """Fields of a type that refuse almost everything, so that their messages name the bounds."""
    bounds = {
        "integer": (3, 4), "decimal": ("3.5", "1234.5"), "money": ("3.5", "1234.5"), "percent": ("3.5", 20),
        "date": ("2024-03-05", "2024-03-06"), "time": ("14:30", "14:35"), "datetime": ("2024-03-05T14:30:20", "now"),
    }  # fmt: skip
    if kind in bounds:
        least, most = bounds[kind]
        yield field(kind, min=least, max=most)


def examples_in(message: TranslationString, reader: Reader) -> list[str]:
    """The inputs that a message names: those of its `mapping`, else what stands in it behind “such as”."""
    facts = message.mapping or {}
    if named := [str(facts[name]) for name in ("example", "min", "max") if name in facts]:
        return [] if "characters" in message.default or "digits" in message.default else named
    _before, such_as, rest = reader.text(message).rstrip(".").partition("such as ")
    return re.split(r", | or ", rest) if such_as else []


@every_type
def test_values_come_back_from_the_database_as_they_were(kind, database):
    one = field(kind)
    table, values = filled(database, one)
    rows = database.execute(sa.select(table.c["id"], *one.selected(table))).mappings()
    assert {row["id"]: one.load(row) for row in rows} == values


@every_type
def test_rows_sort_in_the_order_of_the_examples(kind, database):
    one = field(kind)
    table, values = filled(database, one)
    order = one.order(table)
    query = sa.select(table.c["id"]).order_by(order.is_(None), order, table.c["id"])
    found = list(database.execute(query).scalars())
    assert [values[identity] for identity in found] == sorted(values.values(), key=is_empty)


@every_type
def test_equal_and_one_of_find_the_right_rows(kind, database):
    one = field(kind)
    table, values = filled(database, one)

    def found(operator: str, value: object) -> set:
        return set(database.execute(sa.select(table.c["id"]).where(one.compare(table, operator, value))).scalars())

    constants = []
    for identity, value in values.items():
        if not is_empty(value):
            raw = named(one, value)
            constants.append(one.constant(raw, PLAIN))
            same = {each for each, other in values.items() if isinstance(other, tuple) and raw in other}
            if value is False:  # what was never set counts as No
                same = {each for each, other in values.items() if not other}
            assert found("equal", constants[-1]) == {identity} | same, value
            assert one.matches(value, "equal", constants[-1])
    full = {identity for identity, value in values.items() if not is_empty(value)}
    assert found("one_of", []) == set()
    assert found("one_of", constants) == (set(values) if kind == "boolean" else full)
    assert found("empty", True) == set(values) - full
    assert found("empty", False) == full
    assert all(one.matches(value, "empty", True) is is_empty(value) for value in values.values())


def test_options_may_hold_what_sql_means_otherwise(database):
    options = ["it's", "50%", "%(x)s", "a:b", ":x", "why?", "back\\slash", '"quoted"', "-- no"]
    one = field("choice", options=options)
    table = table_of(database, one)
    database.execute(sa.insert(table), [{"id": number, "x": option} for number, option in enumerate(options)])
    for option in options:
        statement = sa.select(table.c["x"]).where(one.compare(table, "equal", one.constant(option, PLAIN)))
        for _execution in range(3):  # the third is past SQLAlchemy
            assert fetch(database, statement, {}) == [{"x": option}]


@pytest.mark.parametrize("kind", [name for name in STORED if Field.types[name].filter == "range"])
def test_bounds_find_the_right_rows(kind, database):
    one = field(kind)
    table, values = filled(database, one)
    ordered = [identity for identity, value in values.items() if not is_empty(value)]
    expected = {
        "min": lambda place: ordered[place:],
        "max": lambda place: ordered[: place + 1],
        "before": lambda place: ordered[:place],
        "after": lambda place: ordered[place + 1 :],
    }
    for place, identity in enumerate(ordered):
        constant = one.constant(named(one, values[identity]), PLAIN)
        for operator, wanted in expected.items():
            query = sa.select(table.c["id"]).where(one.compare(table, operator, constant))
            assert set(database.execute(query).scalars()) == set(wanted(place)), (operator, values[identity])
            matching = [each for each in ordered if one.matches(values[each], operator, constant)]
            assert matching == list(wanted(place))


@pytest.mark.parametrize("kind", [name for name in STORED if Field.types[name].filter == "text"])
def test_contains_ignores_case_and_accents(kind, database):
    one = field(kind)
    table, values = filled(database, one)
    for identity, value in values.items():
        if is_empty(value):
            continue
        part = next(iter(one.texts(value)))[1:].upper()
        operator, constant = one.parse_filter(part, ENGLISH)
        query = sa.select(table.c["id"]).where(one.compare(table, operator, constant))
        assert operator == "contains"
        assert identity in set(database.execute(query).scalars())
    nothing = sa.select(table.c["id"]).where(one.compare(table, "contains", "%"))
    percent = {identity for identity, value in values.items() if "%" in one.write(value)}
    assert set(database.execute(nothing).scalars()) == percent


@pytest.mark.parametrize(
    "kind", [name for name in STORED if Field.types[name].filter == "text" and name not in (*SHOWN_OTHERWISE, "tags")]
)
def test_what_is_shown_can_be_copied_into_the_filter(kind, database):
    one = field(kind)
    table, values = filled(database, one)
    for identity, value in values.items():
        if not is_empty(value):
            operator, constant = one.parse_filter(one.show(value, ENGLISH), ENGLISH)
            query = sa.select(table.c["id"]).where(one.compare(table, operator, constant))
            assert identity in set(database.execute(query).scalars())
            assert one.matches(value, operator, constant)


@every_type
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_that_is_sent_back_unchanged_changes_nothing(kind, language):
    one = field(kind)
    reader = Reader(language=language, time_zone=ZoneInfo("Europe/Rome"))
    for value in read_all(one):
        form = sent(one.inputs(value, reader))
        again = one.parse_form(form, reader)
        assert again == (value if kind != "boolean" else bool(value)), form


def sent(inputs: dict) -> MultiDict:
    form = MultiDict()
    for name, typed in inputs.items():
        for each in typed if isinstance(typed, list) else [typed]:
            form.add(name, each)
    return form


@every_type
def test_json_is_as_the_schema_says_and_gives_the_value_back(kind):
    one = field(kind)
    for value in read_all(one):
        given = json.loads(json.dumps(one.to_json(value)))
        Draft202012Validator(one.json_schema(written=False)).validate(given)
        if kind == "link":  # which records are meant is for the API to find
            continue
        Draft202012Validator(one.json_schema(written=True)).validate(given)
        again = one.parse_form(sent(one.json_inputs(given, None, PLAIN)), PLAIN)
        assert again == (value if kind != "boolean" else bool(value)), given


@every_type
@pytest.mark.parametrize("given", [{"a": 1}, [["a"]], [{}], True, {"id": 1}])
def test_json_of_another_form_is_refused(kind, given):
    if (kind, given) != ("boolean", True):
        with pytest.raises(Refused):
            field(kind).json_inputs(given, None, PLAIN)


@pytest.mark.parametrize("kind", [kind for kind in STORED if kind not in SHOWN_OTHERWISE])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_shown_can_be_typed_in_the_same_language(kind, language):
    one = field(kind)
    reader = Reader(language=language)
    for value in read_all(one):
        if not is_empty(value):
            assert one.parse(one.show(value, reader), reader) == value


@pytest.mark.parametrize("kind", [kind for kind in STORED if kind != "link"])  # which CSV names otherwise
def test_what_csv_holds_is_read_back(kind):
    one = field(kind)
    for value in read_all(one):
        assert one.read(one.write(value)) == value


@every_type
def test_what_the_history_holds_is_read_back(kind):
    one = field(kind)
    for value in read_all(one):
        recorded = one.to_history(value)
        assert json.loads(json.dumps(recorded)) == recorded
        if recorded is not None:
            assert (one.from_history(recorded) or None) == (value or None)


@every_type
def test_a_form_without_the_input_and_one_with_a_file_in_its_place_are_empty(kind):
    one = field(kind)
    assert not one.parse_form(MultiDict(), ENGLISH)
    assert not one.parse_form(MultiDict({"x": object()}), ENGLISH)


@every_type
def test_texts_for_the_search_are_texts(kind):
    one = field(kind)
    for value in read_all(one):
        assert all(isinstance(text, str) and text for text in one.texts(value))


@pytest.mark.parametrize("number", ["+44 (0)20 7946 0000", "+44 (0)20 7946 0000 ext. 5"])
@pytest.mark.parametrize("typed", ["+442079460000", "4402079460000", "02079460000", "2079460000"])
def test_a_phone_number_is_found_with_and_without_the_zero_in_brackets(number, typed):
    assert parse_words(typed).found_among([indexed_text(field("phone").texts(number))])


def test_columns_of_fields_of_any_names_do_not_clash(database):
    names = ("a", "a_street", "street", "a_currency", "a_folded", "a_module", "folded", "version", "a_postal", "later")
    fields = [field(kind, f"{name}_{kind}"[:48]) for kind in STORED for name in ("a", "b")]
    for kind in ("address", "money", "text", "tags"):
        for first in names:
            columns = [column.name for name in names for column in field(kind, name).columns()]
            columns += [column.name for column in field("text", f"{first}_x").columns()]
            assert len(columns) == len(set(columns))
    table_of(database, *fields)


def test_every_type_of_the_language_is_there():
    """A type that goes by mistake is missed; a new one is named here."""
    assert set(Field.types) == {
        "text", "longtext", "markdown", "html", "email", "phone", "url", "integer", "decimal", "money", "percent",
        "boolean", "date", "datetime", "time", "duration", "elapsed", "choice", "choices", "tags", "link", "links",
        "lines", "formula", "lookup", "rollup", "address", "location", "rating", "color", "file", "image", "json",
        "signature",
    }  # fmt: skip
