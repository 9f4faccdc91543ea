"""All paths to a record agree, for everyone and every kind of scope: whatever is in the list opens, is found, counted,
exported, offered, named by links, in the history, new, and announced by letter; and nothing else is."""

import csv
import datetime
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import pytest
import sqlalchemy as sa

from portal.accounts.accounts import Account, find_account
from portal.accounts.giving_access import AccessRequest
from portal.accounts.identity import identify
from portal.accounts.keys_and_tokens import portal_key
from portal.conditions import ALWAYS, Comparison
from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import Tables, build
from portal.declaration.load import load
from portal.fields.linked_value import Linked
from portal.mail.announcement import load_announcement
from portal.mail.builder import Sender
from portal.mail.recipients import people_along
from portal.mail.record_letters import record_letters
from portal.records.policy import Policy, system_policy
from portal.records.reading.files import files
from portal.records.reading.groups import read_groups
from portal.records.reading.history import EventFilter, whole_history
from portal.records.reading.news import PageShown, is_counted, read_news
from portal.records.reading.records import Query, Records
from portal.records.reading.statements import GroupRequest
from portal.records.reading.titles import titled_links
from portal.records.transfer.exporting import list_export
from portal.records.writing.history import Author
from portal.records.writing.pending_files import PendingFile
from portal.records.writing.writer import Writer
from tests.functional.world import NOW, add_people, linked
from tests.portal_files import write_portal
from tests.real_parts import empty_database
from tests.workbooks import cells_of

LONG_AGO = NOW - datetime.timedelta(days=900)
RECORDS = 6  # per module
# Each module has its own rules: who owns its records, and what the customers' profile says about it.
SCOPES = {
    "own_link": ("owner: person", "see: own"),
    "own_links": ("owner: people_", "see: own"),
    "own_dotted": ("owner: parent.person", "see: own"),
    "firm_link": ("owner: person, organization: firm", "see: organization"),
    "firm_links": ("organization: firms", "see: organization"),
    "firm_dotted": ("owner: person, organization: parent.firm", "see: organization"),
    "through_link": ("owner: person", "see: {through: parent}"),
    "through_links": ("owner: people_", "see: {through: parents}"),
    "some": ("owner: person, organization: firm", "see: organization, where: {kind: [a, b]}"),
    "helped": ("owner: person", "see: all, where: {any: [{helper: me}, {kind: c}]}"),
    "recent": ("owner: person, organization: firm", "see: organization, where: {day: {within: 30 days}}"),
}
TOP = """
portal: {name: Agreement}
people: persons
organizations: firms
modules:
  firms: {fields: {name: text}}
  persons:
    organization: firms
    fields: {name: text, email: {type: email, unique: true}, firms: {type: links, to: firms}}
"""
MODULE = """
  {name}:
    reference: "{letter}{{number}}"
    {whose}
    watchers: true
    comments: true
    attachments: true
    detail: {{sections: [{{fields: [name, body, person, people_, firm, firms, parent, parents, helper]}}]}}
    list: {{columns: [reference, name, kind], sort: {sort}}}
    fields:
      name: text
      body: longtext
      kind: {{type: choice, options: [a, b, c]}}
      day: date
      person: {{type: link, to: persons}}
      people_: {{type: links, to: persons}}
      firm: {{type: link, to: firms}}
      firms: {{type: links, to: firms}}
      parent: {{type: link, to: own_link}}
      parents: {{type: links, to: firm_link}}
      helper: {{type: link, to: persons}}
"""
PEOPLE = {  # with their companies
    "anna": ("Acme",),
    "bruno": ("Acme", "Globex"),
    "carla": ("Globex",),
    "dario": ("Globex",),  # sees what is recent
    "edda": (),
    "nancy": ("Supplier",),
}
TENANTS = ("Acme", "Globex", "Supplier")


def declare(folder):
    """The portal's files."""
    modules = [
        MODULE.format(name=name, letter=chr(65 + place), whose=whose.replace(", ", "\n    "), sort=sort)
        for place, (name, (whose, _see)) in enumerate(SCOPES.items())
        for sort in (("-modified", "name", "[kind, -day]")[place % 3],)
    ]
    can = "can: [create, comment, attach, watch, export]"
    customer = "".join(f"  {name}: {{{see}, {can}}}\n" for name, (_whose, see) in SCOPES.items())
    customer = f"modules:\n{customer}  persons: {{see: own}}\n  firms: {{see: organization}}\n"
    staff = "".join(f"  {name}: {{see: all, {can}}}\n" for name in SCOPES)
    staff = f"staff: true\nmodules:\n{staff}  persons: {{see: all}}\n  firms: {{see: all}}\n"
    write_portal(folder, TOP + "".join(modules), customer=customer, staff=staff)
    return load(folder).declaration


@dataclass
class Portal:
    """The tables and the engine of one database, filled at random but the same on both."""

    tables: Tables
    engine: sa.Engine

    def fill(self) -> None:
        with writing(self.engine) as connection:
            firms = {name: self.writer(connection, "firms").create({"name": name}) for name in TENANTS}
            for name, companies in PEOPLE.items():
                links = linked("firms", *(firms[company] for company in companies))
                email = f"{name}@agree.example"
                self.writer(connection, "persons").create({"name": name, "email": email, "firms": links})
                profile = "staff" if name == "nancy" else "customer"
                add_people(connection, self.tables, [AccessRequest(email, profile)])
            account = self.tables.account
            dario = account.c["email"] == "dario@agree.example"
            recent = (NOW - datetime.timedelta(days=100)).date()
            connection.execute(sa.update(account).values(news_from=LONG_AGO))
            connection.execute(sa.update(account).where(dario).values(records_from=recent))
        chance = random.Random(4)
        for module in SCOPES:
            with writing(self.engine) as connection:
                for number in range(RECORDS):
                    self.add(connection, chance, module, number)

    def add(self, connection, chance, module, number) -> None:
        """A record, written by one person on behalf of another; some have watchers."""

        def some(target, most):
            ids = connection.scalars(sa.select(self.tables.module(target).c["id"])).all()
            return linked(target, *chance.sample(list(ids), min(len(ids), chance.randint(0, most))))

        def one(target):
            return next(iter(some(target, 1)), None)

        created = NOW - datetime.timedelta(days=chance.choice([1, 20, 50, 200]))
        values = {
            "name": f"{module} {number}",
            "body": "shared words",
            "kind": chance.choice("abc"),
            "day": created.date(),
            "person": one("persons"),
            "people_": some("persons", 3),
            "firm": one("firms"),
            "firms": some("firms", 2),
            "parent": one("own_link"),
            "parents": some("firm_link", 3),
            "helper": one("persons"),
            "created": created,
        }
        writer = self.writer(connection, module, chance.choice(list(PEOPLE)))
        record_id = writer.create(values)
        file = PendingFile(f"{module} {record_id}", module, None, f"{module} {record_id}", 1, "text/plain", "x", None)
        writer.attach(writer.records.get(record_id), [file])
        for person in some("persons", 2) if chance.random() < 0.8 else ():
            writer.watch(writer.records.get(record_id), person.id)

    def writer(self, connection, module, author="nancy") -> Writer:
        policy = system_policy(self.tables, self.tables.declaration.reader(now=NOW))
        account = find_account(connection, self.tables, f"{author}@agree.example")
        return Writer(Records(connection, policy, module), Author(account.id if account else None, author))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def portal(request, tmp_path_factory) -> Iterator[Portal]:
    """One portal for all tests in this file, which only read."""
    tables = build(declare(tmp_path_factory.mktemp("agreement")))
    with empty_database(request) as url:
        filled = Portal(tables, make_engine(url))
        apply(filled.engine, tables)
        filled.fill()
        yield filled
        filled.engine.dispose()


@dataclass
class Paths:
    """What one person gets from one module on each path, as ids."""

    connection: sa.Connection
    policy: Policy
    account: Account
    module: str

    @cached_property
    def records(self) -> Records:
        return Records(self.connection, self.policy, self.module)

    @cached_property
    def everything(self) -> list[int]:
        return list(self.connection.scalars(sa.select(self.records.table.c["id"])))

    def ids(self, **query) -> set[int]:
        """The ids in a list, page by page, without duplicates."""
        ids = [record.id for record in self.records.iterate(Query(**query), [], size=5)]
        assert len(set(ids)) == len(ids), query
        return set(ids)

    def all(self) -> dict[str, set[int]]:
        """By the name of the path."""
        paths = {
            "list": self.ids(),
            "sorted": self.ids(sort=("kind", "-name")),
            "sorted by a link": self.ids(sort=("person",)),
            "search": self.ids(text="shared"),
            "sorted search": self.ids(text="words", sort=("name",)),
            "opened": {record_id for record_id in self.everything if self.records.get(record_id)},
            "exists": {record_id for record_id in self.everything if self.records.exists(record_id)},
            "together": {record.id for record in self.records.by_ids(self.everything, [])},
            "offered": {record_id for record_id, _title in self.records.find("", limit=999)},
            "named by links": self.named(),
            "export": self.exported(),
            "workbook": self.in_workbook(),
            "history": self.told_by_history(),
            "files": {
                record.id for record in map(self.records.get, self.everything) if record and self.has_file(record)
            },
        }
        return paths

    def named(self) -> set[int]:
        links = [Linked(record_id, self.module) for record_id in self.everything]
        titled = titled_links(self.connection, self.policy, links)
        return {record_id for (_module, record_id), link in titled.items() if link.visible}

    def exported(self) -> set[int]:
        export = list_export(self.records, Query(), ["reference"], self.policy.reader)
        text = b"".join(export.csv_file()).decode("utf-8-sig")
        return self.with_references({row[0] for row in list(csv.reader(io.StringIO(text)))[1:]})

    def in_workbook(self) -> set[int]:
        file = io.BytesIO()
        list_export(self.records, Query(), ["reference"], self.policy.reader).write_workbook(file, "")
        return self.with_references({row[0] for row in cells_of(file.getvalue())[1:]})

    def with_references(self, references: set[str]) -> set[int]:
        return {
            record.id for record in self.records.as_system.by_ids(self.everything, []) if record.reference in references
        }

    def has_file(self, record) -> bool:
        """Whether they get the file that every record has."""
        return [file.name for file in files(self.records, record)] == [f"{self.module} {record.id}"]

    def told_by_history(self) -> set[int]:
        events, _more = whole_history(self.records, EventFilter(module=self.module), 999)
        return {event.record for event, _record in events}


def test_every_path_leads_to_the_same_records(portal):
    """Each person in a seventh of the modules, another one per database."""
    numbers, turn = [], 2 * (portal.engine.dialect.name == "sqlite")
    with reading(portal.engine) as connection:
        for place, module in enumerate(SCOPES):
            for number, person in enumerate(PEOPLE):
                if (place + number + turn) % 7 == 0:
                    paths = paths_of(portal, connection, person, module)
                    listed = paths.ids()
                    differing = {path: ids ^ listed for path, ids in paths.all().items() if ids != listed}
                    assert differing == {}, (person, module)
                    for text in ("", "shared"):
                        counted = paths.records.count(Query(text=text)).number
                        assert counted == len(paths.ids(text=text)), (person, module, text)
                    check_news(paths, listed)
                    check_groups(paths, listed)
                    numbers.append(len(listed))
    assert 0 in numbers
    assert RECORDS in numbers
    assert sum(0 < number < RECORDS for number in numbers) > len(numbers) / 4


def paths_of(portal, connection, person, module):
    account = find_account(connection, portal.tables, f"{person}@agree.example")
    policy = identify(connection, portal.tables, account, now=NOW).policy
    return Paths(connection, policy, account, module)


def check_news(paths, listed):
    """All records that someone sees and that others created are new to them; the menu counts them."""
    page = PageShown(paths.records, paths.records.by_ids(sorted(listed), []))
    news = read_news(paths.connection, paths.policy, paths.account.id, LONG_AGO, page)
    event = paths.policy.tables.event
    by_others = event.c["module"] == paths.module, event.c["account"] != paths.account.id, event.c["kind"] == "created"
    made = set(paths.connection.scalars(sa.select(event.c["record"]).where(*by_others)))
    assert news.unread == made & listed, paths.module
    if is_counted(paths.policy, paths.module):
        counted = news.counts.get(paths.module)
        assert (counted.number if counted else 0) == len(news.unread), paths.module


def check_groups(paths, listed):
    """A chart counts them all, whether it looks at a bounded number of rows or at every one, and each kind apart."""
    request = GroupRequest(by=paths.records.module.field("kind"), condition=ALWAYS)
    every = read_groups(paths.records, request)
    assert every == read_groups(paths.records, replace(request, most=len(listed)))
    assert every.number == sum(group.number for group in every.groups) == len(listed), paths.module
    for group in every.groups:
        of_kind = Comparison(("kind",), "equal", group.value)
        assert len(paths.ids(condition=of_kind)) == group.number, paths.module
    if listed:
        assert read_groups(paths.records, replace(request, most=len(listed) - 1)) is None


def test_letters_go_to_everyone_who_follows_the_record_and_may_open_it(portal):
    sent = 0
    with writing(portal.engine) as connection:
        tables, sender = portal.tables, Sender(portal.tables.declaration, "https://care.example", NOW)
        key, names = portal_key(connection, tables), [f"{name}@agree.example" for name in PEOPLE]
        accounts = {account.id: account for account in (find_account(connection, tables, name) for name in names)}
        policies = {
            number: identify(connection, tables, account, now=NOW).policy for number, account in accounts.items()
        }
        for module in SCOPES:
            event = tables.event
            created = sa.select(event.c["record"], event.c["id"], event.c["account"])
            created = created.where(event.c["module"] == module, event.c["kind"] == "created")
            for record_id, event_id, author in connection.execute(created.limit(2)).all():
                news = load_announcement(connection, tables, module, record_id, [event_id])
                told = {letter.about.account for letter in record_letters(connection, tables, sender, key, news)}
                watcher = tables.watcher.c
                watching = watcher["module"] == module, watcher["record"] == record_id
                persons = set(connection.scalars(sa.select(watcher["person"]).where(*watching)))
                owners = people_along(connection, tables, module, tables.declaration.modules[module].owner, record_id)
                follow = {
                    account.id
                    for account in accounts.values()
                    if account.person in owners or (account.person in persons and account.id != author)
                }
                opens = {
                    number
                    for number, policy in policies.items()
                    if Records(connection, policy, module).exists(record_id)
                }
                assert told == follow & opens, (module, record_id)
                sent += len(told)
        connection.rollback()
    assert sent > RECORDS
