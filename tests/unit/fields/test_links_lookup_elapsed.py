"""The types that look beyond their own columns, in a small world of people, services and tickets."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from webob.multidict import MultiDict

from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module, Settings
from portal.fields.address import Address
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.fields.money import Money
from portal.fields.reader import PLAIN, Reader
from portal.fields.record_titles import ids_named
from portal.fields.refused import Refused
from portal.fields.table_names import join_name

MODULES = {
    "people": {"name": "text", "boss": {"type": "link", "to": "people"}, "place": "address"},
    "services": {
        "name": "text",
        "price": "money",
        "rate": "decimal",
        "lead": {"type": "link", "to": "people"},
        "kind": {"type": "choice", "options": ["soft", "hard"]},
        "tags": "tags",
        "since": "datetime",
        "until": "datetime",
        "age": {"type": "elapsed", "from": "since", "to": "until"},
        "lead_name": {"type": "lookup", "of": "lead.name"},
    },
    "tickets": {
        "service": {"type": "link", "to": "services"},
        "about": {"type": "link", "to": ["people", "services"]},
        "watchers": {"type": "links", "to": "people"},
        "opened": "datetime",
        "solved": "datetime",
        "took": {"type": "elapsed", "from": "opened", "to": "solved"},
        "price": {"type": "lookup", "of": "service.price"},
        "rate": {"type": "lookup", "of": "service.rate"},
        "lead": {"type": "lookup", "of": "service.lead"},
        "boss": {"type": "lookup", "of": "service.lead.boss.name"},
        "place": {"type": "lookup", "of": "service.lead.place"},
        "kind": {"type": "lookup", "of": "service.kind"},
        "tags": {"type": "lookup", "of": "service.tags"},
        "age": {"type": "lookup", "of": "service.age"},
        "lead_name": {"type": "lookup", "of": "service.lead_name"},
    },
}


def build(name: str, entry: object) -> Field:
    keys = entry if isinstance(entry, dict) else {"type": entry}
    return Field.types[keys["type"]].model_validate({"name": name, **keys})


def declared(modules: dict) -> Declaration:
    built = {
        name: Module(name=name, fields={each: build(each, entry) for each, entry in fields.items()})
        for name, fields in modules.items()
    }
    declaration = Declaration(folder=Path(), settings=Settings(), modules=built, profiles={})
    for module in built.values():
        for field in module.fields.values():
            field.bind(declaration, module)
    return declaration


def utc(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)


ANNA, BOB = Linked(1, "people"), Linked(2, "people")
ROWS = {
    "people": [
        {"id": 1, "name": "Anna", "boss": None},
        {"id": 2, "name": "Bob", "boss": ANNA, "place": Address(street="Main street 1", city="Rome")},
        {"id": 3, "name": "Zoë", "boss": BOB},
    ],
    "services": [
        {"id": 1, "name": "Printing", "price": Money(Decimal("12.5"), "EUR"), "rate": Decimal("-1.5"), "lead": BOB,
         "kind": "soft", "tags": ("a", "b"), "since": utc(2024, 1, 1), "until": utc(2024, 1, 3)},
        {"id": 2, "name": "Mail", "price": Money(Decimal("9"), "EUR"), "rate": Decimal("10"), "lead": ANNA,
         "kind": "hard", "tags": ()},
    ],
    "tickets": [
        {"id": 1, "service": Linked(1, "services"), "about": BOB, "opened": utc(2024, 3, 5, 10),
         "solved": utc(2024, 3, 5, 11, 30)},
        {"id": 2, "service": Linked(2, "services"), "about": Linked(2, "services"), "opened": utc(2024, 3, 5, 10)},
        {"id": 3, "service": None, "solved": utc(2024, 3, 5)},
    ],
}  # fmt: skip
WATCHERS = {1: (3, 2), 2: (1,)}


class World:
    def __init__(self, connection: sa.Connection) -> None:
        self.connection, self.declaration, self.metadata = connection, declared(MODULES), sa.MetaData()
        for name, module in self.declaration.modules.items():
            own = [sa.Column("id", sa.BigInteger(), primary_key=True)]
            own += [sa.Column(each, sa.Text()) for each in ("reference", "_reference_folded")]
            columns = [column for field in module.fields.values() for column in field.columns()]
            titled = "name" in module.fields
            info = {
                "title": "name" if titled else None,
                "title_folded": "_name_folded" if titled else None,
                "unique": [],
            }
            sa.Table(name, self.metadata, *own, *columns, info=info)
        joined = ("record", "target", "position")
        name = join_name("tickets", "watchers")
        self.join = sa.Table(name, self.metadata, *[sa.Column(each, sa.BigInteger()) for each in joined])
        self.metadata.create_all(connection)
        self._fill()

    def _fill(self) -> None:
        for name, rows in ROWS.items():
            for row in rows:
                fields = self.declaration.modules[name].fields
                stored = {"id": row["id"], "reference": f"{name[0].upper()}{row['id']}"}
                for each, field in fields.items():
                    stored |= field.store(row.get(each)) if field.columns() else {}
                self.connection.execute(self.metadata.tables[name].insert().values(stored))
        for record, targets in WATCHERS.items():
            for position, target in enumerate(targets):
                self.connection.execute(self.join.insert().values(record=record, target=target, position=position))

    def field(self, name: str) -> Field:
        return self.declaration.modules["tickets"].fields[name]

    def values(self, name: str) -> list:
        """The field's values of the tickets, in their order."""
        table, field = self.metadata.tables["tickets"], self.field(name)
        query = sa.select(table.c["id"], *field.selected(table)).order_by(table.c["id"])
        return [field.load(row) for row in self.connection.execute(query).mappings()]

    def found(self, name: str, operator: str, raw: object, reader: Reader = PLAIN) -> list[int]:
        table, field = self.metadata.tables["tickets"], self.field(name)
        value = raw if operator == "empty" else field.constant(raw, reader)
        query = sa.select(table.c["id"]).where(field.compare(table, operator, value)).order_by(table.c["id"])
        aliased = table.alias()
        again = sa.select(aliased.c["id"]).where(field.compare(aliased, operator, value)).order_by(aliased.c["id"])
        rows = list(self.connection.execute(query).scalars())
        assert rows == list(self.connection.execute(again).scalars())
        return rows

    def sorted_by(self, name: str) -> list[int]:
        table = self.metadata.tables["tickets"]
        order = self.field(name).order(table)
        return list(self.connection.execute(sa.select(table.c["id"]).order_by(order.is_(None), order, "id")).scalars())


@pytest.fixture
def world(database) -> World:
    return World(database)


def test_a_lookup_brings_the_value_of_the_linked_record(world):
    assert world.values("price") == [Money(Decimal("12.5"), "EUR"), Money(Decimal("9"), "EUR"), None]
    assert world.values("rate") == [Decimal("-1.5"), Decimal("10"), None]
    assert world.values("boss") == ["Anna", None, None]
    assert world.values("kind") == ["soft", "hard", None]
    assert world.values("tags") == [("a", "b"), (), ()]
    assert world.values("lead_name") == ["Bob", "Anna", None]
    assert [place and place.city for place in world.values("place")] == ["Rome", None, None]


def test_a_lookup_of_a_link_is_a_link(world):
    assert world.values("lead") == [Linked(2, "people"), Linked(1, "people"), None]
    assert world.field("lead").show(Linked(2, "people", "Bob"), PLAIN) == "Bob"


def test_a_lookup_of_a_computed_field_computes_it(world):
    took, running, nothing = world.values("age")
    assert (took, running, nothing) == (2 * 86400, None, None)


def test_a_lookup_is_shown_and_filtered_as_the_field_it_leads_to(world):
    price, kind = world.field("price"), world.field("kind")
    assert price.show(Money(Decimal("12.5"), "EUR"), Reader(language="it")) == "12,50\xa0€"
    assert (price.filter, kind.filter, kind.display) == ("range", "options", "pill")
    assert list(kind.offered) == ["soft", "hard"]


def test_lookups_find_the_right_records(world):
    assert world.found("price", "min", 10) == [1]
    assert world.found("rate", "max", "-1.5") == [1]
    assert world.found("boss", "equal", "Anna") == [1]
    assert world.found("boss", "contains", "ANN") == [1]
    assert world.found("kind", "equal", "hard") == [2]
    assert world.found("tags", "equal", "B") == [1]
    assert world.found("boss", "empty", True) == [2, 3]
    assert world.found("boss", "empty", False) == [1]
    assert world.found("lead", "equal", "Anna") == [2]
    assert world.found("age", "min", "1 day") == [1]


def test_lookups_sort(world):
    assert world.sorted_by("price") == [2, 1, 3]
    assert world.sorted_by("rate") == [1, 2, 3]
    assert world.sorted_by("kind") == [1, 2, 3]
    assert world.sorted_by("lead_name") == [2, 1, 3]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("a.nothing", "leads to no field"),
        ("nothing.a", "leads to no field"),
        ("many.name", "does not lead to one record"),
        ("one.many", "cannot be looked up"),
        ("one.back", "leads back to itself"),
    ],
)
def test_a_lookup_that_leads_nowhere_is_refused(entry, sentence):
    linked = {"one": {"type": "link", "to": "b"}, "many": {"type": "links", "to": "b"}}
    back = {"one": {"type": "link", "to": "a"}, "many": {"type": "links", "to": "a"}, "name": "text"}
    modules = {
        "a": {**linked, "look": {"type": "lookup", "of": entry}},
        "b": {**back, "back": {"type": "lookup", "of": "one.look"}},
    }
    if entry != "one.back":
        del modules["b"]["back"]
    with pytest.raises(ValueError, match=sentence):
        declared(modules)


def test_elapsed_is_the_time_between_and_runs_while_the_end_is_empty(world):
    began = utc(2024, 3, 5, 10)
    before = datetime.datetime.now(datetime.UTC) - began
    took, running, never_began = world.values("took")
    after = datetime.datetime.now(datetime.UTC) - began
    assert took == 5400
    assert int(before.total_seconds()) <= running <= after.total_seconds() + 1
    assert never_began is None


def test_elapsed_is_compared_sorted_and_shown(world):
    assert world.found("took", "max", "2 h") == [1]
    assert world.found("took", "after", "1:30") == [2]
    assert world.found("took", "empty", True) == [3]
    assert world.sorted_by("took") == [1, 2, 3]
    field = world.field("took")
    assert field.show(5400, Reader()) == "1\u00a0hr 30\u00a0min"
    assert field.show(2 * 86400 + 3 * 3600 + 60, Reader(language="it")) == "2\u00a0giorni 3\u00a0h"
    assert field.show(None, Reader()) == ""


def test_elapsed_between_fields_that_are_no_datetimes_is_refused():
    with pytest.raises(ValueError, match='"title" is not a datetime'):
        declared({"a": {"title": "text", "took": {"type": "elapsed", "from": "title", "to": "title"}}})


def test_links_are_found_by_id_name_and_title(world):
    assert world.found("watchers", "equal", 3) == [1]
    assert world.found("watchers", "equal", Linked(1, "people")) == [2]
    assert world.found("watchers", "equal", "Bob") == [1]
    assert world.found("watchers", "equal", "P1") == [2]
    assert world.found("watchers", "contains", "zoe") == [1]
    assert world.found("watchers", "empty", True) == [3]
    assert world.found("watchers", "empty", False) == [1, 2]
    assert world.sorted_by("watchers") == [2, 1, 3]
    me = Reader(people="people", person=2)
    assert world.found("watchers", "equal", "me", me) == [1]
    assert world.found("watchers", "equal", "me", Reader(people="people")) == []


def test_links_are_typed_by_repeating_the_input(world):
    watchers = world.field("watchers")
    form = MultiDict([("watchers", "3"), ("watchers", ""), ("watchers", "1"), ("watchers", "3")])
    value = watchers.parse_form(form, PLAIN)
    assert value == (Linked(3, "people"), Linked(1, "people"))
    assert watchers.inputs(value, PLAIN) == {"watchers": ["3", "1"]}
    with pytest.raises(Refused):
        watchers.parse_form(MultiDict([("watchers", "Anna")]), PLAIN)


def test_a_link_to_several_modules_keeps_records_of_the_same_id_apart(world):
    assert world.values("about") == [BOB, Linked(2, "services"), None]
    assert world.found("about", "equal", Linked(2, "people")) == [1]
    assert world.found("about", "equal", Linked(2, "services")) == [2]
    assert world.found("about", "equal", "Mail") == [2]
    assert world.found("about", "equal", "me", Reader(people="people", person=2)) == [1]
    about = world.field("about")
    assert about.parse("services:2", PLAIN) == Linked(2, "services")
    assert about.inputs(BOB, PLAIN) == {"about": "people:2"}
    with pytest.raises(Refused):
        about.parse("tickets:2", PLAIN)


def test_a_filter_on_a_link_takes_a_part_of_the_title_digits_too(world):
    service = world.field("service")
    assert service.parse_filter("2", PLAIN) == ("contains", "2")
    assert service.parse_filter("print", PLAIN) == ("contains", "print")


@pytest.mark.parametrize(("module", "field"), [("a", "b_c"), ("a_b", "c"), ("m" * 48, "f" * 48), ("m" * 48, "f" * 47)])
def test_names_of_join_tables_are_short_and_their_own(module, field):
    others = [("a", "b_c"), ("a_b", "c"), ("m" * 48, "f" * 48), ("m" * 48, "f" * 47)]
    assert len(join_name(module, field)) <= 63
    assert [join_name(*other) for other in others].count(join_name(module, field)) == 1


def test_a_record_is_named_by_its_unique_field_be_it_a_text_or_a_number(database):
    metadata = sa.MetaData()
    columns = [sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("code", sa.BigInteger())]
    columns += [sa.Column(name, sa.Text()) for name in ("reference", "name")]
    info = {"unique": ["code"], "title": "name", "title_folded": None}
    table = sa.Table("parts", metadata, *columns, info=info)
    metadata.create_all(database)
    database.execute(table.insert(), {"id": 1, "code": 4711, "reference": "P1", "name": "Wheel"})
    for name in ("4711", "P1", "Wheel"):
        assert list(database.execute(ids_named(table, name)).scalars()) == [1]
    assert list(database.execute(ids_named(table, "4712")).scalars()) == []
