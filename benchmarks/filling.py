"""Fills a database with tickets: deterministic, skewed like real ones (few large companies), loaded in bulk.

The rows are what `portal.records` would store, and the index holds what it would hold; only the way is shorter.
"""

import datetime
import itertools
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.words import RARE, Writer
from portal.batches import batched
from portal.database.engine import analyze, make_engine, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import Tables, build
from portal.database.search import index as search
from portal.database.search import postgresql
from portal.declaration.declaration import Declaration
from portal.declaration.load import load
from portal.fields.linked_value import Linked
from portal.records.indexing.search_entries import search_entry
from portal.records.policy import system_policy
from portal.records.reading.records import Record, Records
from portal.records.writing.history import SYSTEM
from portal.records.writing.module_rows import new_row

PORTAL = Path(__file__).parent / "portal"
COMPANIES, CONTACTS, AGENTS = 2_000, 10_000, 30
LARGEST = 0.05  # of all tickets belong to the largest company
OWN = 10  # tickets of the one customer who has few
START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
PERIOD = datetime.timedelta(days=5 * 365)
BATCH = 5_000
ORIGINALS = 100_000  # tickets that are made here; the database copies them to have more

# Ids, so that whoever measures knows whom to sign in as.
FEW_PERSON, MANY_PERSON, AGENT = 1, 2, 3


@dataclass
class World:
    """What is filled in: the declaration and an open transaction."""

    tables: Tables
    connection: sa.Connection

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration

    def records(self, module: str) -> Records:
        return Records(self.connection, system_policy(self.tables), module)


def declaration() -> Declaration:
    """The portal that is measured."""
    loaded = load(PORTAL)
    if loaded.declaration is None:
        raise SystemExit("\n".join(map(str, loaded.problems)))
    return loaded.declaration


def fill(url: str, tickets: int) -> None:
    """A new database at `url` with so many tickets. A failure leaves it useless: nothing here can be rolled back."""
    tables, engine = build(declaration()), make_engine(url)
    sa.event.listen(engine, "connect", _hurry)
    apply(engine, tables)
    filled = tables.module("tickets"), tables.search
    with writing(engine) as connection, search.filling(connection):
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(postgresql.INDEXES)}")
        for table in filled:
            for index in table.indexes:
                index.drop(connection)
        world = World(tables, connection)
        _people(world)
        for batch in batched(_tickets(world, tickets), BATCH):
            for table, rows in zip(filled, zip(*batch, strict=True), strict=True):
                _insert(connection, table, list(rows))
        _copy_tickets(world, tickets)
        connection.execute(sa.insert(tables.sequence).values(module="tickets", last=tickets))
        _set_sequences(connection, tables)
    with writing(engine) as connection:
        for table in filled:
            for index in table.indexes:
                index.create(connection)
    search.finish_search_index(engine)
    with writing(engine) as connection:
        analyze(connection, ("companies", "contacts", "tickets", "portal_search"))
    engine.dispose()


def _hurry(connection: Any, _record: Any) -> None:
    """Neither journal nor checks of links."""
    if isinstance(connection, sqlite3.Connection):
        for setting in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -400000"):
            connection.execute(f"PRAGMA {setting}")
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SET maintenance_work_mem = '1GB'")
        connection.commit()


def _people(world: World) -> None:
    writer = Writer(3)
    companies, contacts = world.records("companies"), world.records("contacts")
    rows = [_row(companies, number, {"name": f"{writer.text(2).title()} {number}", "city": writer.text(1).title(),
                                     "country": "Italy"}) for number in range(1, COMPANIES + 1)]  # fmt: skip
    _insert(world.connection, companies.table, rows)
    rows = []
    for number in range(1, CONTACTS + 1):
        company = {FEW_PERSON: 2, MANY_PERSON: 1}.get(number, 3 + number % (COMPANIES - 3))
        values = {"name": writer.text(2).title(), "email": f"person{number}@example.com"}
        rows.append(_row(contacts, number, {**values, "company": Linked(company, "companies")}))
    _insert(world.connection, contacts.table, rows)


def _row(records: Records, number: int, values: dict[str, Any]) -> dict[str, Any]:
    return {"id": number, **new_row(records, {"created": START, **values}, number, SYSTEM)}


def _tickets(world: World, count: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The rows of the first tickets, and of those that are not copied; beside each its row of the search index."""
    source, writer, records = random.Random(7), Writer(5), world.records("tickets")
    # The rest of the companies share what the largest leaves, the third as much as the second and third together …
    weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(COMPANIES - 2)))
    rare, own = _rare(count), _own(count)
    for number in (*range(1, min(count, ORIGINALS) + 1), *sorted(other for other in rare | own if other > ORIGINALS)):
        values = _values(source, writer)
        if number in rare:
            values["description"] += f" {RARE}"
        if number in own:
            company, person = 2, FEW_PERSON
        elif source.random() < LARGEST:
            company, person = 1, MANY_PERSON if number % 100 == 0 else 10 + number % 200
        else:
            company = source.choices(range(3, COMPANIES + 1), cum_weights=weights)[0]
            person = 10 + (company * 7 + source.randrange(5)) % (CONTACTS - 10)
        values["company"] = Linked(company, "companies", f"Company {company}")
        values["caller"] = Linked(person, "contacts", f"Person {person}")
        values["created"] = START + number * (PERIOD / count)
        row = _row(records, number, values)
        entry = search_entry(records.module, Record(number, "tickets", row["reference"], 1, values, values["title"]))
        yield row, {"seq": number, **next(iter(entry.rows()))}


def _rare(count: int) -> set[int]:
    """The numbers of the tickets with the rare word."""
    return {round(count * place / 6) for place in range(1, 6)}


def _own(count: int) -> set[int]:
    """The numbers of the tickets of the customer who has few."""
    return {round(count * (place + 0.5) / OWN) for place in range(OWN)}


def _copy_tickets(world: World, count: int) -> None:
    """The rest of the tickets: the first ones again, with numbers and dates of their own.

    Those of which there are few however large the portal is are not copied, and their places stay empty.
    """
    tickets, entries, few = world.tables.module("tickets"), world.tables.search, _rare(count) | _own(count)
    for shift in range(ORIGINALS, count, ORIGINALS):
        last, left_out = min(ORIGINALS, count - shift), few | {number - shift for number in few}
        for table, old in ((tickets, tickets.c["id"]), (entries, entries.c["record"])):
            new = {**table.c, **_new_values(world, table, old + shift, shift * (PERIOD / count))}
            rows = sa.select(*new.values()).where(old <= last, old.not_in(left_out))
            world.connection.execute(sa.insert(table).from_select(list(new), rows))


def _new_values(world: World, table: sa.Table, number: Any, later: datetime.timedelta) -> dict[str, Any]:
    """What a copy has of its own, by column: of a ticket, or of its row of the search index."""
    digits = sa.cast(number, sa.Text())
    if table is world.tables.search:
        text: sa.ColumnElement[str] = table.c["text"]
        old = sa.cast(table.c["record"], sa.Text())
        for before in (" tt", " "):
            text = sa.func.replace(text, before + old + " ", before + digits + " ")
        return {"seq": number, "record": number, "text": text}
    dates = {name: _moved(world.connection, table.c[name], later) for name in ("created", "modified")}
    return {"id": number, "number": number, "reference": "TT" + digits, "_reference_folded": "tt" + digits, **dates}


def _moved(connection: sa.Connection, column: sa.Column[Any], later: datetime.timedelta) -> Any:
    """The time in a column, so much later: whole seconds, as SQLite counts no less in its texts."""
    if connection.dialect.name == "sqlite":
        seconds = f"{later.total_seconds():+.0f} seconds"
        return sa.func.datetime(column, seconds, type_=sa.Text()) + sa.func.substr(column, 20)
    return column + sa.literal(later, sa.Interval())


def _values(source: random.Random, writer: Writer) -> dict[str, Any]:
    status = source.choices(("new", "assigned", "waiting", "resolved", "closed"), (2, 3, 2, 8, 85))[0]
    agent = source.randint(AGENT, AGENT + AGENTS) if source.random() < 0.9 else None
    day = START + datetime.timedelta(hours=source.randrange(5 * 365 * 24))
    return {
        "title": writer.title(),
        "description": writer.text(source.randint(8, 24)),
        "status": status,
        "urgency": source.choices(("low", "normal", "high"), (2, 7, 1))[0],
        "impact": source.choices(("person", "department", "company"), (7, 2, 1))[0],
        "category": source.choice(("hardware", "software", "network", "access", "printing", "telephony", "other")),
        "serial_number": f"SN-{source.randrange(16**8):08X}",
        "order_number": f"PO/{source.randrange(10**6):06d}" if source.random() < 0.3 else None,
        "assignee": Linked(agent, "contacts", f"Agent {agent}") if agent else None,
        "due": day if source.random() < 0.5 else None,
        "resolved_at": day if status in ("resolved", "closed") else None,
        "hours": source.randrange(40) if source.random() < 0.6 else None,
        "satisfaction": source.randint(1, 5) if status == "closed" and source.random() < 0.4 else None,
    }


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Many rows at once: COPY where there is one."""
    if connection.dialect.name == "sqlite":
        connection.execute(sa.insert(table), rows)
        return
    names = list(rows[0])
    kinds = [table.c[name].type.dialect_impl(connection.dialect) for name in names]
    processors = [kind.bind_processor(connection.dialect) or _as_it_is for kind in kinds]
    columns = ", ".join(f'"{name}"' for name in names)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([process(row[name]) for name, process in zip(names, processors, strict=True)])


def _as_it_is(value: Any) -> Any:
    return value


def _set_sequences(connection: sa.Connection, tables: Tables) -> None:
    """PostgreSQL does not notice ids that are given."""
    if connection.dialect.name == "postgresql":
        for name, column in (("tickets", "id"), ("contacts", "id"), ("companies", "id"), ("portal_search", "seq")):
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'), (SELECT max({column}) FROM {name}))"
            )
