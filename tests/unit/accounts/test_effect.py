"""The effect of a change to the declarations, compared with asking everyone's policy for each record."""

import datetime
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from portal.accounts.accounts import account_columns, account_of
from portal.accounts.effect import effect
from portal.accounts.giving_access import AccessRequest, Register
from portal.accounts.identity import NotAdmitted, admit
from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.system_tables import shared_system_tables
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.fields.linked_value import Linked
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer

SMALL = Path(__file__).parents[2] / "portals" / "small"
NOW = datetime.datetime(2026, 3, 5, 12, 0, tzinfo=datetime.UTC)
PEOPLE = (
    AccessRequest("anna@acme.example", "customer", "Anna Rossi", "Acme"),
    AccessRequest("bea@acme.example", "customer", "Bea Blu", "Acme"),
    AccessRequest("bruno@acme.example", "power", "Bruno Verdi", "Acme"),
    AccessRequest("carla@globex.example", "customer", "Carla Neri", "Globex"),
    AccessRequest("dario@globex.example", "power", "Dario Blu", "Globex"),
    AccessRequest("edda@alone.example", "power", "Edda Sola"),
    AccessRequest("nancy@supplier.example", "staff", "Nancy Smith", "Supplier"),
)
MODULES, CUSTOMER, POWER, STAFF = "modules.yaml", "profiles/customer.yaml", "profiles/power.yaml", "profiles/staff.yaml"
# The changes: file, old text, new text.
# ruff: noqa: E501 - one change a line
CHANGES = {
    "a narrower scope": [(POWER, "see: organization, can", "see: own, can")],
    "a wider scope": [(CUSTOMER, "see: own", "see: all")],
    "from all to own": [(STAFF, "tickets: {see: all", "tickets: {see: own"), (CUSTOMER, "see: own", "see: organization")],
    "a condition": [(POWER, "{see: organization, can", "{see: organization, where: {urgency: high}, can")],
    "a condition of the company": [(STAFF, "{see: all, can: [create, edit, d", "{see: all, where: {company.city: Turin}, can: [create, edit, d")],
    "who is meant": [(CUSTOMER, "see: own", "see: own\n    where: {caller: {not: me}}")],
    "a module less": [
        (CUSTOMER, "  articles: {where: {published: true}}\n", ""),
        (CUSTOMER, ", find_answer", ""),
        (MODULES, "      article: {type: link, to: articles, where: {published: true}}\n", ""),
        (MODULES, "[description, [article, stopped_since]", "[description, stopped_since"),
        (CUSTOMER, ", stopped_since, article]", "]"),
    ],
    "through another module": [
        (MODULES, "    owner: caller\n    organization: company\n", "    owner: company.head\n    organization: company\n"),
        (MODULES, "      city: text\n", "      city: text\n      head: {type: link, to: people}\n"),
    ],
    "another path to the company": [(MODULES, "    organization: company\n    fields:\n      title", "    organization: caller.company\n    fields:\n      title")],
    "a renamed field": [
        (MODULES, "caller: {type: link, to: people, default: me}", "asker: {type: link, to: people, default: me, formerly: caller}"),
        (MODULES, "owner: caller", "owner: asker"),
        (MODULES, "urgency, caller, company", "urgency, asker, company"),
        (POWER, "see: organization, can", "see: own, can"),
    ],
    "a renamed module": [
        (MODULES, "  articles:\n", "  answers:\n    formerly: articles\n"),
        (MODULES, "to: articles", "to: answers"),
        (CUSTOMER, "articles: {where: {published: true}}", "answers: {where: {published: false}}"),
        (STAFF, "articles: {can", "answers: {can"),
        ("buttons.yaml", "articles", "answers"),
    ],
    "a renamed option": [
        (MODULES, "{low: Low,", "{slow: {label: Low, formerly: low},"),
        (POWER, "{see: organization, can", "{see: organization, where: {urgency: slow}, can"),
    ],
    "a new field": [
        (MODULES, "      cost: money\n", "      cost: money\n      secret: boolean\n"),
        (POWER, "{see: organization, can", "{see: organization, where: {secret: true}, can"),
    ],
    "a profile less": [("profiles/power.yaml", None, None)],
    "people without company": [
        (MODULES, "    organization: company\n    fields:\n      name", "    fields:\n      name"),
        (POWER, "people: {see: organization", "people: {see: own"),
    ],
    "watched records": [(MODULES, "    comments: true\n", "    comments: true\n    watchers: true\n")],
}  # fmt: skip


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """The small portal with records from several people: its folder and its SQLite file."""
    folder = shutil.copytree(SMALL, tmp_path_factory.mktemp("effect") / "before")
    fill(f"sqlite:///{folder / 'portal.sqlite'}", folder)
    return folder


def fill(url, folder):
    tables, engine = build(load(folder).declaration), make_engine(url)
    apply(engine, tables)
    with writing(engine) as connection:
        register = Register(connection, tables, NOW)
        for wish in PEOPLE:
            register.add(wish, None, must_change=False)
        people, companies = (
            [record.id for record in all_of(connection, tables, name)] for name in ("people", "organizations")
        )

        def write(module, **values):
            policy = system_policy(tables, tables.declaration.reader(now=NOW))
            return Writer(Records(connection, policy, module), Author(name="Portal", channel="import")).create(values)

        urgencies = ("low", "normal", "high")
        for number in range(20):
            link = {"caller": Linked(people[number % len(people)], "people")} if number % 7 else {}
            company = {"company": Linked(companies[number % len(companies)], "organizations")} if number % 5 else {}
            write("tickets", title=f"Ticket {number}", urgency=urgencies[number % 3], **link, **company)
            write("articles", title=f"Article {number}", published=bool(number % 2))
        ticket, anna = all_of(connection, tables, "tickets")[-1].id, people[0]
        connection.execute(sa.insert(tables.watcher).values(module="tickets", record=ticket, person=anna))
        connection.execute(
            sa.update(tables.module("organizations")).values(city="Turin").where(sa.column("id") == companies[0])
        )
    engine.dispose()


def all_of(connection, tables, module):
    table = tables.module(module)
    ids = list(connection.scalars(sa.select(table.c["id"])))
    return Records(connection, system_policy(tables), module).by_ids(ids, [])


def changed(before, folder, changes):
    """A copy of the folder with the changes."""
    shutil.copytree(before, folder)
    for file, old, new in changes:
        path = folder / file
        if old is None:
            path.unlink()
            continue
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
    loaded = load(folder)
    assert loaded.errors == []
    return loaded.declaration


def seen_by_asking(url, declaration):
    """Who sees which record: (address, module, id), in a database that fits the declaration."""
    engine, tables, seen = make_engine(url), build(declaration), set()
    apply(engine, tables)
    with reading(engine) as connection:
        for row in connection.execute(sa.select(*account_columns(tables))).mappings():
            identity = admit(connection, tables, account_of(row), language="en", now=NOW)
            if isinstance(identity, NotAdmitted):
                continue
            for module in identity.policy.modules:
                records = Records(connection, identity.policy, module)
                everything = connection.scalars(sa.select(tables.module(module).c["id"])).all()
                seen |= {(row["name"], module, number) for number in everything if records.exists(number)}
    engine.dispose()
    return seen


def compare(before, after, url, old_seen, new_url, new):
    engine = make_engine(url)
    found = effect(engine, before, new, NOW)
    engine.dispose()
    assert {table.name.partition("_")[0] for table in shared_system_tables().values()} == {"portal"}, "others use them"
    new_seen = seen_by_asking(new_url, new)
    former = {module.formerly: name for name, module in new.modules.items() if module.formerly}
    old_seen = {(who, former.get(module, module), number) for who, module, number in old_seen}
    for lost, difference in ((True, old_seen - new_seen), (False, new_seen - old_seen)):
        expected = {}
        for who, module, number in difference:
            expected.setdefault((profile_of(who), module), set()).add((who, number))
        sights = {
            (profile.name, former.get(sight.module, sight.module)): sight
            for profile in found.profiles
            for sight in profile.sights
            if sight.lost is lost
        }
        assert {key: sight.records for key, sight in sights.items()} == {
            key: {number for _who, number in pairs} for key, pairs in expected.items()
        }
        assert {key: {person.name for person in sight.people} for key, sight in sights.items()} == {
            key: {who for who, _number in pairs} for key, pairs in expected.items()
        }
        for key, sight in sights.items():
            for example in sight.examples:
                assert {(who, example.record_id) for who in example.people} <= expected[key]
    return found


def profile_of(name):
    return next(wish.profile for wish in PEOPLE if wish.name == name)


@pytest.fixture(scope="module")
def old_seen(before):
    return seen_by_asking(f"sqlite:///{before / 'portal.sqlite'}", load(before).declaration)


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_the_records_that_go_and_come_are_those_that_everyones_policy_names(before, old_seen, tmp_path, changes):
    new = changed(before, tmp_path / "after", changes)
    old, url = load(before).declaration, f"sqlite:///{before / 'portal.sqlite'}"
    found = compare(old, new, url, old_seen, f"sqlite:///{tmp_path / 'after/portal.sqlite'}", new)
    assert found


def test_on_postgresql_as_well(before, postgresql, tmp_path):
    changes = [change for name in ("a renamed field", "a renamed module", "a new field") for change in CHANGES[name]]
    new = changed(before, tmp_path / "after", [*changes[:3], *changes[4:-1]])
    with postgresql.empty_database() as url:
        fill(url, before)
        old = load(before).declaration
        seen = seen_by_asking(url, old)
        with postgresql.empty_database(like=urlsplit(url).path.lstrip("/")) as copy:
            assert compare(old, new, url, seen, copy, new)
