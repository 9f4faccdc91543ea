"""The contract of field types (portal/testing/contract.py), checked for each of ours on both databases; and details of
some of them."""

import pytest
import sqlalchemy as sa

from portal.database.fetching import fetch
from portal.database.search.words import indexed_text, parse_words
from portal.fields.base import Field
from portal.fields.reader import PLAIN
from portal.fields.refused import Refused
from portal.testing.contract import FieldTypeContract, make_field, table_of

OWN_TABLE = ("links", "lines")
STORED = sorted(
    name for name, kind in Field.types.items() if not kind.computed and name not in OWN_TABLE and not kind.by_upload
)


class TestOurTypes(FieldTypeContract):
    @pytest.fixture(params=STORED)
    def field(self, request):
        return make_field(request.param)

    @pytest.fixture
    def database(self, connection):
        return connection


def test_options_may_hold_what_sql_means_otherwise(database):
    options = ["it's", "50%", "%(x)s", "a:b", ":x", "why?", "back\\slash", '"quoted"', "-- no"]
    one = make_field("choice", options=options)
    table = table_of(database, one)
    database.execute(sa.insert(table), [{"id": number, "x": option} for number, option in enumerate(options)])
    for option in options:
        statement = sa.select(table.c["x"]).where(one.compare(table, "equal", one.constant(option, PLAIN)))
        for _execution in range(3):  # the third is past SQLAlchemy
            assert fetch(database, statement, {}) == [{"x": option}]


@pytest.mark.parametrize("number", ["+44 (0)20 7946 0000", "+44 (0)20 7946 0000 ext. 5"])
@pytest.mark.parametrize("typed", ["+442079460000", "4402079460000", "02079460000", "2079460000"])
def test_a_phone_number_is_found_with_and_without_the_zero_in_brackets(number, typed):
    assert parse_words(typed).match([indexed_text(make_field("phone").texts(number))])


def test_columns_of_fields_of_any_names_do_not_clash(database):
    names = ("a", "a_street", "street", "a_currency", "a_folded", "a_module", "folded", "version", "a_postal", "later")
    fields = [make_field(kind, f"{name}_{kind}"[:48]) for kind in STORED for name in ("a", "b")]
    for kind in ("address", "money", "text", "tags"):
        for first in names:
            columns = [column.name for name in names for column in make_field(kind, name).columns()]
            columns += [column.name for column in make_field("text", f"{first}_x").columns()]
            assert len(columns) == len(set(columns))
    table_of(database, *fields)


def test_every_type_of_the_language_is_there():
    """Notices a type that was removed by mistake; a new one must be named here."""
    known = {
        "text", "longtext", "markdown", "html", "email", "phone", "url", "integer", "decimal", "money", "percent",
        "boolean", "date", "datetime", "time", "duration", "elapsed", "choice", "choices", "tags", "link", "links",
        "lines", "formula", "lookup", "rollup", "address", "location", "rating", "color", "file", "files", "image",
        "json", "signature", "timeliness", "ip",
    }  # fmt: skip
    assert sorted(Field.types.keys() ^ known) == []


@pytest.mark.parametrize(("kind", "longest"), [("email", "anna@a.example"), ("url", "https://a.example")])
def test_an_address_may_be_limited(kind, longest):
    field = make_field(kind, max_length=len(longest))
    assert (field.parse(longest, PLAIN), field.length_limit) == (longest, len(longest))
    with pytest.raises(Refused):
        field.parse(f"{longest}s", PLAIN)
