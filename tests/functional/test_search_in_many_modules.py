"""The search everywhere in a portal with a hundred modules: a few statements, whatever has hits."""

import datetime

import sqlalchemy as sa
import yaml

from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import build
from portal.database.search import sqlite
from portal.database.search.words import parse_words
from portal.fields.linked_value import Linked
from portal.records.indexing.search_entries import rebuild
from portal.records.policy import Policy, system_policy
from portal.records.reading.records import Count, Query, Records
from portal.records.reading.search_everywhere import hits_everywhere
from portal.records.writing.history import SYSTEM
from portal.records.writing.module_rows import new_row
from portal.views.lists.list_rows import match_notes
from tests.portal_files import load_whole, write_portal

NAMES = [f"things_{number}" for number in range(98)]
LINKS = {"caller": {"type": "link", "to": "people"}, "company": {"type": "link", "to": "companies"}}
TEXTS = {"name": "text", "body": "longtext"}
MODULES = {
    "people": {"organization": "company", "fields": {"name": "text", "email": "email", "company": LINKS["company"]}},
    "companies": {"fields": {"name": "text"}},
    # Some have a title of another type, and so different columns.
    **{
        name: {"owner": "caller", "organization": "company", "comments": True,
               "fields": {**({"made": "date"} if number % 9 == 0 else {}), **TEXTS, **LINKS},
               **({"title": "made"} if number % 9 == 0 else {})}
        for number, name in enumerate(NAMES)
    },
}  # fmt: skip
WHOSE = ((1, 1), (2, 1), (3, 2))  # person and company of each record: mine, a colleague's, a stranger's
MADE = datetime.date(2026, 3, 5)


def made(tmp_path, url, names):
    """A portal with three records in each of these modules."""
    modules = {name: module for name, module in MODULES.items() if name in {"people", "companies", *names}}
    declared = {"people": "people", "organizations": "companies", "modules": modules}
    profile = {"modules": {name: {"see": "organization"} for name in names}}
    written = (yaml.safe_dump(text, sort_keys=False) for text in (declared, profile))
    folder = write_portal(tmp_path, next(written), customer=next(written))
    tables, engine = build(load_whole(folder)), make_engine(url)
    apply(engine, tables)
    with writing(engine) as connection:
        add(connection, tables, "companies", [{"name": "Acme"}, {"name": "Globex"}])
        people = [{"name": f"Person {person}", "company": Linked(company, "companies")} for person, company in WHOSE]
        add(connection, tables, "people", people)
        for place, name in enumerate(names):
            rows = []
            for number, (person, company) in enumerate(WHOSE, start=1):
                values = {"name": f"Printer {number}", "body": "toner" if place % 10 == 0 else "paper", "made": MADE}
                rows.append(values | {"caller": Linked(person, "people"), "company": Linked(company, "companies")})
            add(connection, tables, name, rows)
        rebuild(connection, tables, names)
    return tables, engine


def add(connection, tables, name, rows):
    records = Records(connection, system_policy(tables), name)
    names = records.module.everything
    rows = [{name: value for name, value in row.items() if name in names} for row in rows]
    new_rows = [new_row(records, row, number, SYSTEM) for number, row in enumerate(rows, start=1)]
    connection.execute(sa.insert(records.table), new_rows)


def found(tables, connection, text):
    """What a customer finds: module → ids, number, notes; and the number of statements."""
    declaration, statements = tables.declaration, []
    reader = declaration.reader(person=1, companies=(1,))
    policy = Policy(tables, declaration.profiles["customer"], reader)
    sa.event.listen(connection, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    hits = hits_everywhere(connection, policy, text, 5, ["modified"])
    notes = match_notes([(each.records, [record.id for record in each.newest]) for each in hits], parse_words(text))
    return {
        each.records.name: ([record.title for record in each.newest], each.count, of_module)
        for each, of_module in zip(hits, notes, strict=True)
    }, len(statements)


def found_alone(tables, connection, text):
    """What the same customer finds in each module separately: module → titles, number."""
    policy = Policy(
        tables, tables.declaration.profiles["customer"], tables.declaration.reader(person=1, companies=(1,))
    )
    query, of_modules = Query(text=text, size=5), [Records(connection, policy, name) for name in policy.modules]
    return {
        records.name: ([record.title for record in records.page(query).records], records.count(query))
        for records in of_modules
    }


def test_a_hundred_modules_are_searched_in_a_few_statements_each_within_its_scope(tmp_path, sqlite_url):
    tables, engine = made(tmp_path, sqlite_url, NAMES)
    with reading(engine) as connection:
        everywhere, statements = found(tables, connection, "printer")
    assert set(everywhere) == set(NAMES)
    assert everywhere[NAMES[1]][0] == ["Printer 2", "Printer 1"]  # nothing of another company
    assert statements <= 12
    with reading(engine) as connection:
        some, statements = found(tables, connection, "toner")
    assert set(some) == set(NAMES[::10])
    assert set(some[NAMES[10]][2].values()) == {"found in Body"}
    assert statements <= 12
    engine.dispose()


def test_modules_find_together_what_each_finds_by_itself(tmp_path, database_url):
    tables, engine = made(tmp_path, database_url, NAMES[:11])
    for text in ("printer", "toner", '"printer 2"', "printer paper", "pri 1", "nowhere"):
        with reading(engine) as connection:
            together = found(tables, connection, text)[0]
            for name, alone in found_alone(tables, connection, text).items():
                assert together.get(name, ([], Count(0)))[:2] == alone
    engine.dispose()


def test_a_number_at_which_counting_stopped_is_shown_as_such(tmp_path, sqlite_url, monkeypatch):
    tables, engine = made(tmp_path, sqlite_url, NAMES[1:3])
    with writing(engine) as connection:
        for name in NAMES[1:3]:
            row = {"name": "Printer", "caller": Linked(1, "people"), "company": Linked(1, "companies")}
            add(connection, tables, name, [row] * 600)
        rebuild(connection, tables, NAMES[1:3])
    # Large modules are searched by themselves, in the newest rows that have the words, of whatever module.
    monkeypatch.setattr(sqlite, "SMALL_MODULE", 1)
    monkeypatch.setattr(sqlite, "LARGE_MODULE", 1)
    with reading(engine) as connection:
        everywhere, alone = found(tables, connection, "printer")[0], found_alone(tables, connection, "printer")
    assert {name: count for name, (_titles, count, _notes) in everywhere.items()} == {
        name: count for name, (_titles, count) in alone.items()
    }
    assert all(count.more for _titles, count, _notes in everywhere.values())
    engine.dispose()
