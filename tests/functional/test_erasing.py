"""Erasing a person: nothing names them any more, and what the company needs stays."""

import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from portal.accounts.accounts import find_account
from portal.accounts.erasing import Erasure
from portal.accounts.giving_access import AccessRequest
from portal.commands import main
from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.inspection import inspect_existing
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.fields.column_types import UTCDateTime
from portal.fields.lines import Row
from portal.fields.linked_value import Linked
from portal.fields.signature import Signature
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from tests.functional.files_portal import people, portal_folder
from tests.functional.test_files import PDF, comment, upload
from tests.functional.world import NOW, add_people
from tests.portal_files import write_portal

__all__ = ["people", "portal_folder"]  # fixtures: tickets take files, and Anna has one
ANNA, BEA, ZENOBIA = "anna@acme.example", "bea@acme.example", "zenobia@quirk.example"

# Tables with nothing about a person, and why.
IMPERSONAL = {
    "portal_sequence": "numbers",
    "portal_attempt": "hashes, for a day",
    "portal_key": "the portal's own secret",
    "portal_company": "companies",
    "portal_delivery": "names of webhooks",
    "portal_heartbeat": "the worker",
    "portal_backlog": "modules",
    "portal_keep": "modules",
    "portal_schema": "the declaration",
    "portal_declarations": "the declaration",
    "portal_announcement": "ids of events",
    "portal_search": "what the records hold",
}
# Columns with words of the portal or of the declaration, random keys, or texts that people wrote.
WORDS = {
    "module", "kind", "profile", "viewed_profile", "channel", "state", "outcome", "media_type", "field", "language",
    "browser_language", "relation", "form", "purpose", "key", "token", "stored", "preview",
    "values",  # of an opening: dates
    "text", "folded",  # of comments: the command says that they stay
}  # fmt: skip
EMAILS = {"email", "sender", "recipient"}


@pytest.fixture
def erase(database: str, portal_folder: Path):
    """Runs `portal account erase` as an administrator types it."""

    def run(*words: str) -> str:
        options = ["--folder", str(portal_folder), "--database", database]
        answer = CliRunner().invoke(main, ["account", "erase", *words, *options])
        return f"{answer.exit_code} {answer.output}"

    return run


def test_what_the_company_needs_stays_and_belongs_to_nobody(people, erase, app):
    anna, nancy = people["anna"], people["nancy"]
    comment(anna, "Please come soon", ("report.pdf", PDF))
    comment(nancy, "Anna Rossi called again")
    upload(anna, ("plan.pdf", PDF))
    assert nancy.get("/search", {"q": "ross"}).html.select("main a[href='/people/1/']")
    rehearsed = erase(ANNA, "--dry-run")
    assert "By “Deleted person” from now on: 1 comment" in rehearsed
    assert "Nothing was changed." in rehearsed
    assert "Anna Rossi" in nancy.get("/tickets/1/")

    done = erase(ANNA, "--yes")
    assert done.startswith("0 ")
    assert "texts that people wrote may still name the person: tickets T1" in done
    page = nancy.get("/tickets/1/")
    assert "Please come soon" in page
    assert [link.text for link in page.html.select("#documents .name")] == ["plan.pdf", "report.pdf"]
    assert page.text.replace("Anna Rossi called again", "").count("Rossi") == 0
    assert page.html.select_one("#comment-1").text.count("Deleted person") == 1
    assert anna.get("/", status="*").status_int == 303  # to sign in
    for words in ("anna@acme.example", "acme.exam", "ross"):
        hits = nancy.get("/search", {"q": words}).html.select("main a[href^='/people/']")
        assert not [hit for hit in hits if hit["href"] == "/people/1/"], words
    person = nancy.get("/people/1/")
    assert "Deleted person" in page.html.select_one("a[href='/people/1/']").text
    assert "Personal data erased" in person
    assert "Rossi" not in person
    assert "nobody has the address" in erase(ANNA, "--yes")


def test_no_table_of_the_portal_is_forgotten(database, portal_folder):
    """Each is filled with a person's name wherever possible; a new table must say what happens to it."""
    engine, declaration = make_engine(database), load(portal_folder).declaration
    tables = build(declaration, inspect_existing(engine, declaration))
    with writing(engine) as connection:
        add_people(connection, tables, [AccessRequest(ZENOBIA, "customer", "Zenobia Quirk", "Acme")])
        account = find_account(connection, tables, ZENOBIA)
        for table in sa.schema.sort_tables(tables.by_name.values()):
            if table.name.startswith("portal_") and table.name not in {*IMPERSONAL, "portal_account"}:
                connection.execute(sa.insert(table).values(filled(table, account)))
        by_mail = filled(tables.event, account) | {"account": None, "channel": "mail"}
        connection.execute(sa.insert(tables.event).values(by_mail))
        Erasure(connection, tables, NOW).erase(ZENOBIA)
    with reading(engine) as connection:
        left = [
            f"{table.name}.{name}"
            for table in sa.schema.sort_tables(tables.by_name.values())
            if table.name not in {*IMPERSONAL} - {"portal_search"}
            for row in connection.execute(sa.select(table)).mappings()
            for name, value in row.items()
            if "zenobia" in str(value).lower() or "quirk" in str(value).lower()
        ]
        ids = connection.scalars(sa.select(tables.account.c["id"]).where(tables.account.c["id"] == account.id)).all()
    engine.dispose()
    assert left == [], "say in portal/accounts/erasing.py what becomes of these"
    assert ids == []


def test_the_history_of_other_records_names_nobody(tmp_path, database):
    write_portal(
        tmp_path,
        """
people: people
organizations: companies
modules:
  companies: {fields: {name: text}}
  people: {organization: company, fields: {name: text, email: {type: email, unique: true},
    company: {type: link, to: companies}}}
  orders:
    fields:
      title: text
      caller: {type: link, to: people}
      work: {type: lines, fields: {who: {type: link, to: people}}}
""",
        staff="modules: {orders: {see: all}}\n",
    )
    engine, declaration = make_engine(database), load(tmp_path).declaration
    tables = build(declaration, inspect_existing(engine, declaration))
    apply(engine, tables)
    with writing(engine) as connection:
        names = {ZENOBIA: "Zenobia Quirk", BEA: "Bea"}
        add_people(connection, tables, [AccessRequest(email, "staff", names[email], "Acme") for email in names])
        person, other = (Linked(find_account(connection, tables, email).person, "people") for email in names)
        orders = Records(connection, system_policy(tables, declaration.reader(now=NOW)), "orders")
        writer = Writer(orders, Author(name="Bea"))
        order_id = writer.create({"title": "Lamps", "caller": person, "work": (Row({"who": person}),)})
        order = orders.get(order_id)
        writer.edit(order, {"title": "[{", "caller": other, "work": (Row({"who": other}),)}, order.version)
        order = orders.get(order_id)
        writer.edit(order, {"title": "Lamps", "caller": person}, order.version)
        Erasure(connection, tables, NOW).erase(ZENOBIA)
        details = list(connection.scalars(sa.select(tables.event.c["details"]).order_by(tables.event.c["id"])))
    engine.dispose()
    assert "Quirk" not in repr(details)
    changes = next(each["changes"] for each in reversed(details) if "caller" in each.get("fields", ()))
    assert changes["title"] == ["[{", "Lamps"]
    assert changes["caller"] == [[["people", other.id, "Bea"]], [["people", person.id, "Deleted person"]]]


def test_without_people_authors_and_signatures_lose_the_name(tmp_path):
    write_portal(
        tmp_path,
        "modules: {orders: {fields: {title: text, signed: signature}}}\n",
        staff="modules: {orders: {see: all}}\n",
    )
    engine, declaration = make_engine(f"sqlite:///{tmp_path}/portal.sqlite"), load(tmp_path).declaration
    tables = build(declaration, inspect_existing(engine, declaration))
    apply(engine, tables)
    with writing(engine) as connection:
        add_people(connection, tables, [AccessRequest(ZENOBIA, "staff", "Zenobia Quirk")])
        account = find_account(connection, tables, ZENOBIA)
        orders = Records(connection, system_policy(tables, declaration.reader(now=NOW)), "orders")
        values = {"title": "Lamps", "signed": Signature("Z. Quirk", "M1 1L2 2")}
        order_id = Writer(orders, Author(account.id, "Zenobia Quirk")).create(values)
        Erasure(connection, tables, NOW).erase(ZENOBIA)
        order = orders.get(order_id)
        events = [dict(row) for row in connection.execute(sa.select(tables.event)).mappings()]
        hits = [orders.first_ids(Query(word)) for word in ("quirk", "lamps")]
    engine.dispose()
    signed = order.values["signed"]
    assert (signed.name, signed.author, signed.drawing, signed.at) == ("Deleted person", "Deleted person", "", NOW)
    assert order.values["created_by"] == "Deleted person"
    assert "Quirk" not in repr(events)
    assert hits == [[], [order_id]]


def filled(table: sa.Table, account) -> dict:
    """A row about the person: with their name, address or number wherever possible."""
    numbers = {"account": account.id, "viewed_account": account.id, "person": account.person, "record": account.person}
    row = {}
    for column in table.columns:
        name = column.name
        if name == "id":
            continue
        if name in numbers:
            row[name] = numbers[name]
        elif name in WORDS:
            row[name] = "people" if name == "module" else f"{account.id}:x" if name == "key" else "kept"
        elif isinstance(column.type, sa.JSON):
            row[name] = {"changes": {"name": ["Zenobia Quirk", ZENOBIA]}}
        elif isinstance(column.type, UTCDateTime):
            row[name] = NOW
        elif isinstance(column.type, sa.Date):
            row[name] = datetime.date(2026, 3, 5)
        elif isinstance(column.type, sa.Boolean):
            row[name] = False
        elif isinstance(column.type, sa.Text):
            row[name] = ZENOBIA if name in EMAILS else "Zenobia Quirk"
        else:
            row[name] = 1
    return row
