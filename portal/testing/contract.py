"""The contract of every field type, tested with its own examples: a class of tests for pytest.

A package tests its type on SQLite with `class TestIban(FieldTypeContract): field_type = "iban"`. A subclass in
tests/unit/fields/test_contract.py tests all of our own types on both databases.
"""

import inspect
import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator
from translationstring import TranslationString
from webob.multidict import MultiDict

from portal.fields.address import AddressField
from portal.fields.base import Field
from portal.fields.boolean import Boolean
from portal.fields.choice import HasOptions
from portal.fields.color import Color
from portal.fields.duration import Duration
from portal.fields.html import Html
from portal.fields.link import LinkLike
from portal.fields.location import LocationField
from portal.fields.markdown import Markdown
from portal.fields.rating import Rating
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused
from portal.fields.tags import Tags
from portal.fields.time import Time
from portal.packages import left_out
from portal.records.reading.keyset import Order, SortKey
from portal.rendering.templates import shared_templates
from portal.views.displays import DISPLAYS
from portal.views.forms.widgets import WIDGETS

ENGLISH = Reader(language="en")
LANGUAGES = ("en", "it", "pl", "de", "fr", "es", "ar")
LONGEST_SENTENCE = 200  # characters
OTHER_LANGUAGES = ("en-GB", "de-CH", "pt", "nl", "sv", "fi", "cs", "hu", "ja")  # whose numbers and dates are also read
UNSTORABLE = ("a\x00b", "1\x002", "\ud800", "2024\udfff", "x\x00")
INVISIBLE = ("\u200b", "\u3164", "\u00ad \u2060", "\u202e\ufeff", "\u2800", "\u034f", "\u115f\u1160")
COPIED_ALONG = (("\u202a", "\u202c"), ("\ufeff", "\u200b"), ("\u200e ", "\xa0\u2060"))  # before a value, and after it
OTHER_JSON: tuple[object, ...] = ({"a": 1}, [["a"]], [{}], True, {"id": 1})
CHOSEN = (HasOptions, LinkLike)  # their values are chosen, not typed
# What these types show has less or more information than what is typed.
SHOWN_OTHERWISE = (AddressField, HasOptions, LinkLike, Html, Markdown, Time)
# Types that may refuse invisible input instead of treating it as empty.
NEVER_BLANK = (HasOptions, Rating, Color)


class FieldTypeContract:
    """The tests of one type."""

    field_type: ClassVar[str]

    @pytest.fixture
    def field(self) -> Field:
        """A field `x` of the type, with the keys of its `sample`."""
        return make_field(self.field_type)

    @pytest.fixture
    def database(self) -> Iterator[sa.Connection]:
        """A connection to an empty database."""
        engine = sa.create_engine("sqlite://")
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def test_it_says_what_it_is_and_how_it_is_drawn(self, field: Field) -> None:
        assert type(field).__doc__, "no docstring: editors show it"
        assert field.display in DISPLAYS, "`display` is none of portal/views/displays.py"
        assert field.widget in WIDGETS, "`widget` is none of portal/views/forms/widgets.py"
        filters = shared_templates(reload=False)["filters.pt"].macros.names
        assert not field.filter or field.filter in filters, "`filter` is none of portal/templates/filters.pt"

    def test_examples_are_read_and_shown_as_they_say(self, field: Field) -> None:
        assert field.examples, "no `examples`: say what the type takes"
        for typed, value, shown in field.examples:
            assert field.parse(typed, ENGLISH) == value, typed
            assert field.show(value, ENGLISH) == shown, typed

    def test_what_cannot_be_taken_is_refused_with_a_sentence(self, field: Field) -> None:
        assert field.rejects, "no `rejects`: say what the type refuses"
        for typed in field.rejects:
            message = _refusal(field, typed)
            sentence = ENGLISH.text(message)
            assert sentence.endswith("."), sentence
            assert "${" not in sentence
            assert len(sentence) < LONGEST_SENTENCE

    def test_refusals_are_translated_into_the_languages_of_its_package(self, field: Field) -> None:
        catalogs = Path(inspect.getfile(type(field))).parent.glob("locale/*.po")
        for language in sorted(path.stem for path in catalogs):
            for typed in field.rejects:
                message = _refusal(field, typed)
                assert Reader(language=language).text(message) != ENGLISH.text(message), language

    def test_what_no_database_takes_is_refused_wherever_it_is_typed(self, field: Field) -> None:
        for text, read in product(UNSTORABLE, (field.parse, field.constant, field.parse_filter)):
            with pytest.raises(Refused) as refused:
                read(text, ENGLISH)
            ENGLISH.text(refused.value.message).encode()

    def test_a_text_of_which_nothing_can_be_seen_is_empty(self, field: Field) -> None:
        for text in INVISIBLE:
            try:
                assert _is_empty(field.parse(text, ENGLISH)), ascii(text)
            except Refused:
                assert isinstance(field, NEVER_BLANK), f"nothing was entered: {ascii(text)}"

    def test_what_comes_along_invisibly_when_a_value_is_copied_falls_away(self, field: Field) -> None:
        for (typed, value, _shown), (before, after) in product(field.examples, COPIED_ALONG):
            if typed and not isinstance(field, CHOSEN):
                assert field.parse(f"{before}{typed}{after}", ENGLISH) == value, ascii(f"{before}{typed}{after}")

    def test_the_example_in_a_message_is_accepted(self, field: Field) -> None:
        for language, one in product((*LANGUAGES, *OTHER_LANGUAGES), (field, *_bounded(field))):
            reader = Reader(language=language)
            for text in (*one.rejects, "-99999", "99999999"):
                try:
                    one.parse(text, reader)
                except Refused as refused:
                    for example in _examples_in(refused.message, reader):
                        assert one.parse(example, reader) is not None, (language, text, example)

    def test_values_come_back_from_the_database_as_they_were(self, field: Field, database: sa.Connection) -> None:
        table, values = _filled(database, field)
        rows = database.execute(sa.select(table.c["id"], *field.selected(table))).mappings()
        assert {row["id"]: field.load(dict(row)) for row in rows} == values

    def test_pages_are_in_the_order_of_the_examples_with_empty_values_last(
        self, field: Field, database: sa.Connection
    ) -> None:
        table, values = _filled(database, field)
        assert any(map(_is_empty, values.values())), "no empty value among the `examples`"
        for descending in (False, True):
            keys = [SortKey(field.order(table), descending, True), SortKey(table.c["id"], descending, False)]
            order = Order(tuple(keys), table, field)
            rows = sorted(values, reverse=descending)
            rows.sort(key=lambda row_id: _is_empty(values[row_id]))
            for pages in (_by_position, _by_segment):
                assert list(pages(database, order, False)) == rows, f"`order`, {descending=}"
                assert list(pages(database, order, True)) == rows[::-1], f"`order` backwards, {descending=}"

    def test_equal_and_one_of_find_the_right_rows(self, field: Field, database: sa.Connection) -> None:
        table, values = _filled(database, field)

        def matching(operator: str, value: object) -> set[int]:
            return set(
                database.execute(sa.select(table.c["id"]).where(field.compare(table, operator, value))).scalars()
            )

        constants = []
        for record_id, value in values.items():
            if not _is_empty(value):
                raw = _named(field, value)
                constants.append(field.constant(raw, PLAIN))
                same = {other_id for other_id, other in values.items() if isinstance(other, tuple) and raw in other}
                if value is False:  # an unset value counts as No
                    same = {other_id for other_id, other in values.items() if not other}
                assert matching("equal", constants[-1]) == {record_id} | same, value
                assert field.matches(value, "equal", constants[-1])
        full = {record_id for record_id, value in values.items() if not _is_empty(value)}
        assert matching("one_of", []) == set()
        assert matching("one_of", constants) == (set(values) if isinstance(field, Boolean) else full)
        assert matching("empty", True) == set(values) - full
        assert matching("empty", False) == full
        assert all(field.matches(value, "empty", True) is _is_empty(value) for value in values.values())

    def test_bounds_find_the_right_rows(self, field: Field, database: sa.Connection) -> None:
        if field.filter != "range":
            return
        table, values = _filled(database, field)
        ordered = [record_id for record_id, value in values.items() if not _is_empty(value)]
        for place, record_id in enumerate(ordered):
            constant = field.constant(_named(field, values[record_id]), PLAIN)
            expected = {
                "min": ordered[place:], "max": ordered[: place + 1],
                "before": ordered[:place], "after": ordered[place + 1 :],
            }  # fmt: skip
            for operator, right_ids in expected.items():
                query = sa.select(table.c["id"]).where(field.compare(table, operator, constant))
                assert set(database.execute(query).scalars()) == set(right_ids), (operator, values[record_id])
                matching = [record_id for record_id in ordered if field.matches(values[record_id], operator, constant)]
                assert matching == right_ids

    def test_contains_ignores_case_and_accents(self, field: Field, database: sa.Connection) -> None:
        if field.filter != "text":
            return
        table, values = _filled(database, field)
        for record_id, value in values.items():
            if _is_empty(value):
                continue
            part = next(iter(field.texts(value)))[1:].upper()
            operator, constant = field.parse_filter(part, ENGLISH)
            query = sa.select(table.c["id"]).where(field.compare(table, operator, constant))
            assert operator == "contains"
            assert record_id in set(database.execute(query).scalars())
        nothing = sa.select(table.c["id"]).where(field.compare(table, "contains", "%"))
        percent = {record_id for record_id, value in values.items() if "%" in field.write(value)}
        assert set(database.execute(nothing).scalars()) == percent

    def test_what_is_shown_can_be_copied_into_the_filter(self, field: Field, database: sa.Connection) -> None:
        if field.filter != "text" or isinstance(field, (*SHOWN_OTHERWISE, Tags)):
            return
        table, values = _filled(database, field)
        for record_id, value in values.items():
            if not _is_empty(value):
                operator, constant = field.parse_filter(field.show(value, ENGLISH), ENGLISH)
                query = sa.select(table.c["id"]).where(field.compare(table, operator, constant))
                assert record_id in set(database.execute(query).scalars())
                assert field.matches(value, operator, constant)

    def test_a_form_that_is_sent_back_unchanged_changes_nothing(self, field: Field) -> None:
        for language, value in product(LANGUAGES, _read_all(field)):
            reader = Reader(language=language, time_zone=ZoneInfo("Europe/Rome"))
            form = _sent(field.inputs(value, reader))
            assert field.parse_form(form, reader) == _as_typed(field, value), (language, form)

    def test_json_is_as_the_schema_says_and_gives_the_value_back(self, field: Field) -> None:
        for value in _read_all(field):
            given = json.loads(json.dumps(field.to_json(value)))
            Draft202012Validator(field.json_schema(written=False)).validate(given)
            if isinstance(field, LinkLike):  # the API looks up the records
                continue
            Draft202012Validator(field.json_schema(written=True)).validate(given)
            again = field.parse_form(_sent(field.json_inputs(given, None, PLAIN)), PLAIN)
            assert again == _as_typed(field, value), given

    def test_json_of_another_form_is_refused(self, field: Field) -> None:
        for given in OTHER_JSON:
            if not (isinstance(field, Boolean) and given is True):
                with pytest.raises(Refused):
                    field.json_inputs(given, None, PLAIN)

    def test_what_is_shown_can_be_typed_in_the_same_language(self, field: Field) -> None:
        for language, value in product(LANGUAGES, _read_all(field)):
            reader = Reader(language=language)
            if not _is_empty(value) and not isinstance(field, SHOWN_OTHERWISE):
                assert field.parse(field.show(value, reader), reader) == value, language

    def test_what_csv_holds_is_read_back(self, field: Field) -> None:
        for value in _read_all(field):
            if not isinstance(field, LinkLike):  # CSV names these differently
                assert field.read(field.write(value)) == value

    def test_what_the_history_holds_is_read_back(self, field: Field) -> None:
        for value in _read_all(field):
            recorded = field.to_history(value)
            assert json.loads(json.dumps(recorded)) == recorded
            if recorded is not None:
                assert (field.from_history(recorded) or None) == (value or None)

    def test_a_form_without_the_input_and_one_with_a_file_in_its_place_are_empty(self, field: Field) -> None:
        assert not field.parse_form(MultiDict(), ENGLISH)
        assert not field.parse_form(MultiDict({"x": object()}), ENGLISH)

    def test_texts_for_the_search_are_texts(self, field: Field) -> None:
        for value in _read_all(field):
            assert all(isinstance(text, str) and text for text in field.texts(value))


def make_field(kind: str, name: str = "x", **keys: object) -> Field:
    """A field of a type, with the keys of its `sample`; the test fails with the reason if there is no such type."""
    if kind not in Field.types:
        reason = "; ".join(left_out(kind)) or "is its package installed? (pip install -e .)"
        pytest.fail(f'no field type "{kind}": {reason}')
    return Field.types[kind].model_validate({"name": name, "type": kind, **Field.types[kind].sample, **keys})


def _read_all(field: Field) -> list[Any]:
    """The distinct values of the tested type's examples, in order."""
    values: list[Any] = []
    for typed, value, _shown in field.examples:
        assert field.parse(typed, ENGLISH) == value
        if value not in values:
            values.append(value)
    return values


def _refusal(field: Field, typed: str) -> str:
    """The sentence with which the tested type refuses `typed`."""
    with pytest.raises(Refused) as refused:
        field.parse(typed, ENGLISH)
    return refused.value.message


def _is_empty(value: object) -> bool:
    """Whether a value of the tested type is empty."""
    return value is None or value == ()


def _as_typed(field: Field, value: Any) -> Any:
    """What a form posts for a `value` of the tested type: an unchecked box means No."""
    return bool(value) if isinstance(field, Boolean) else value


def _named(field: Field, value: Any) -> object:
    """A value of the tested type as written in a condition."""
    if isinstance(value, tuple):
        return value[-1]
    if isinstance(field, Duration | LocationField):
        return field.write(value)
    return " ".join(field.texts(value)) if isinstance(field, AddressField) else value


def _bounded(field: Field) -> Iterator[Field]:
    """Fields of the tested type that refuse almost everything, so that their messages contain the bounds."""
    bounds: dict[str, tuple[Any, Any]] = {
        "integer": (3, 4), "decimal": ("3.5", "1234.5"), "money": ("3.5", "1234.5"), "percent": ("3.5", 20),
        "date": ("2024-03-05", "2024-03-06"), "time": ("14:30", "14:35"), "datetime": ("2024-03-05T14:30:20", "now"),
    }  # fmt: skip
    if field.type in bounds:
        least, most = bounds[field.type]
        yield make_field(field.type, min=least, max=most)


def _examples_in(message: str, reader: Reader) -> list[str]:
    """The example inputs in a refusal of the tested type: those of its `mapping`, else the text after “such as”."""
    facts = (message.mapping or {}) if isinstance(message, TranslationString) else {}
    if inputs := [str(facts[name]) for name in ("example", "min", "max") if name in facts]:
        return [] if "characters" in message or "digits" in message else inputs
    _before, such_as, rest = reader.text(message).rstrip(".").partition("such as ")
    return re.split(r", | or ", rest) if such_as else []


def _sent(inputs: dict[str, str | list[str]]) -> MultiDict:
    """A form with these inputs, to test a type with."""
    form = MultiDict()
    for name, typed in inputs.items():
        for text in typed if isinstance(typed, list) else [typed]:
            form.add(name, text)
    return form


def table_of(connection: sa.Connection, *fields: Field) -> sa.Table:
    """A table for records with these fields, to test a type with, and one for the people that links lead to."""
    metadata = sa.MetaData()
    people = sa.Table("people", metadata, sa.Column("id", sa.BigInteger(), primary_key=True))
    people.append_column(sa.Column("name", sa.Text()))
    people.append_column(sa.Column("_name_folded", sa.Text()))
    people.info.update(title="name", title_folded="_name_folded", unique=[])
    columns = [column for field in fields for column in field.columns()]
    table = sa.Table("things", metadata, sa.Column("id", sa.BigInteger(), primary_key=True), *columns)
    metadata.create_all(connection)
    connection.execute(people.insert(), [{"id": 1, "name": "Anna", "_name_folded": "anna"}])
    return table


def _by_position(connection: sa.Connection, order: Order, backwards: bool) -> Iterator[int]:
    """The ids of all rows, on pages of one row each."""
    key = ""
    while True:
        position = order.position(key)
        assert (position is None) == (key == ""), f"no key of a page: {key}"
        query = sa.select(order.table.c["id"], *order.columns).order_by(*order.clauses(backwards)).limit(1)
        beyond = sa.true() if position is None else order.beyond(position, backwards)
        row = connection.execute(query.where(beyond)).mappings().first()
        if row is None:
            return
        yield row["id"]
        key = order.key(dict(row))


def _by_segment(connection: sa.Connection, order: Order, backwards: bool) -> Iterator[int]:
    """The same by the parts of the order that a long list reads one after the other."""
    for segment in order.segments(None, backwards):
        rows = segment.titled.joined(order.table) if segment.titled else order.table
        conditions = (*segment.conditions, *(segment.titled.conditions if segment.titled else ()))
        query = sa.select(order.table.c["id"]).select_from(rows).where(*conditions)
        yield from connection.execute(query.order_by(*segment.order.clauses(backwards))).scalars()


def _filled(connection: sa.Connection, field: Field) -> tuple[sa.Table, dict[int, Any]]:
    """A table for the tests with a row for each distinct value, stored in reverse order."""
    values = dict(enumerate(_read_all(field), start=1))
    table = table_of(connection, field)
    for record_id, value in sorted(values.items(), reverse=True):
        connection.execute(table.insert().values({"id": record_id, **field.store(value)}))
    return table, values
