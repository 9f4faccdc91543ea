"""The demo's records, from CSV files beside the declarations: dates around today, comments, accounts, saved views.

Knows the files, and no field by its name but `created`: every portal may have a demo/ folder.
"""

import csv
import datetime
import graphlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl

from portal.accounts.accounts import Account, find_account
from portal.accounts.companies import renew_link
from portal.accounts.giving_access import AccessRequest, Register
from portal.accounts.identity import identify
from portal.accounts.passwords import Passwords
from portal.accounts.people import companies_of
from portal.accounts.saved_views import Arrangement, SavedViews
from portal.commands.demo.example_files import add_example_files
from portal.commands.demo.many_tickets import SENTENCE, TOKEN, ManyRows
from portal.commands.open_portal import OpenPortal
from portal.database.engine import Connection
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.records.indexing.search_entries import rebuild
from portal.records.reading.named_records import find_named
from portal.records.reading.records import Query, Record, Records
from portal.records.transfer.csv_columns import find_columns
from portal.records.transfer.csv_reading import CsvRow, open_source
from portal.records.transfer.import_row import BadCell
from portal.records.transfer.importing import ImportOptions, ImportReport, Progress, import_file
from portal.records.transfer.invented_history import InventedHistory, sort_events
from portal.records.transfer.line_files import Owners, file_beside, import_rows
from portal.records.writing.history import SYSTEM, Author, forget_announcements
from portal.records.writing.seen_and_hidden import mark_all_seen
from portal.records.writing.writer import Writer
from portal.store.store import Store
from portal.texts import translate

NEW_FOR = datetime.timedelta(days=2)  # what is younger is new to the accounts of the demo
OTHER_FILES = ("comments", "accounts", "views")  # files that belong to no module


class DemoError(ValueError):
    """A file of the demo is at fault; one sentence."""


@dataclass(frozen=True)
class DatedRows:
    """Rows of a demo file, in which `-3d` and `-3d 14:30` stand for dates and moments around today."""

    headers: tuple[str, ...]
    source: Callable[[], Iterator[CsvRow]]
    fields: dict[int, Field]
    reader: Reader

    def rows(self) -> Iterator[CsvRow]:
        """The rows, with dates in ISO's order."""
        for row in self.source():
            cells = [self._dated(cell, self.fields.get(index)) for index, cell in enumerate(row.cells)]
            yield replace(row, cells=tuple(cells))

    def _dated(self, cell: str, field: Field | None) -> str:
        match = TOKEN.fullmatch(cell.strip())
        if not match or field is None or not field.input_type.startswith("date"):
            return cell
        moment = _moment_of(match, self.reader)
        if field.name == "created":
            moment = min(moment, self.reader.now)
        return moment.date().isoformat() if field.input_type == "date" else moment.isoformat(timespec="minutes")


def _moment_of(match: re.Match[str], reader: Reader) -> datetime.datetime:
    """What a date relative to today in a demo file means in the portal's zone; nine in the morning without a time."""
    days, hour, minute = match.groups()
    time = datetime.time(int(hour or 9), int(minute or 0))
    return datetime.datetime.combine(reader.today + datetime.timedelta(days=int(days)), time, reader.time_zone)


@dataclass(frozen=True)
class Demonstration:
    """The demo of one portal, within one writing transaction."""

    portal: OpenPortal
    connection: Connection

    @property
    def folder(self) -> Path:
        """The folder of the demo's files."""
        return self.portal.settings.folder / "demo"

    def files(self) -> dict[str, Path]:
        """The modules that have a file, each after those that it links to. Raises DemoError."""
        modules = self.portal.declaration.modules
        rows = {path.stem for name in modules for _field, path in self._row_files(name)}
        files = sorted(self.folder.glob("*.csv"))
        paths = {path.stem: path for path in files if path.stem not in (*OTHER_FILES, *rows)}
        for name, path in paths.items():
            if name not in modules:
                raise DemoError(f"{path}: there is no module {name}")
        links = {
            name: self._linked_modules(modules[name], path) & paths.keys() - {name} for name, path in paths.items()
        }
        try:
            return {name: paths[name] for name in graphlib.TopologicalSorter(links).static_order()}
        except graphlib.CycleError as circle:
            raise DemoError(f"{self.folder}: these modules link to each other: {', '.join(circle.args[1])}") from None

    def load(self, report_file: Callable[[str, ImportReport], None]) -> None:
        """Imports all files, one after the other. Raises DemoError, UnreadableFileError and WrongColumnsError."""
        for name, path in self.files().items():
            report = import_file(self._records(name), self._dated_rows(name, path), ImportOptions())
            _refuse(path, report.bad)
            report_file(name, report)
            for field, beside in self._row_files(name):
                rows = import_rows(
                    self._records(name), field, open_source(beside), ImportOptions(), Owners(report.outcome.added_ids)
                )
                _refuse(beside, rows.bad)

    def add_files(self, store: Store) -> None:
        """Gives the records example files where their fields hold one. Raises StoreError."""
        for name in self.files():
            add_example_files(self._records(name), store)

    def add_many(self, module: str, number: int, on_checked: Progress, on_written: Progress) -> ImportReport:
        """Imports `number` more records after the pattern of a module's file."""
        source = open_source(self.folder / f"{module}.csv")
        public = [row["text"] for row in self._dict_rows("comments.csv") if not row["internal"]]
        sentences = [sentence for text in public for sentence in SENTENCE.split(text)]
        records = self._records(module)
        seed = records.count(Query()).number
        many = ManyRows(records.module, source.headers, list(source.rows()), sentences, number, seed)
        dated = replace(self._dated_rows(module, source.path), source=many.rows)
        return import_file(records, dated, ImportOptions(), on_checked, on_written)

    def accounts(self) -> list[dict[str, str]]:
        """Who may sign in, with profile and password."""
        return self._dict_rows("accounts.csv")

    def add_accounts(self, passwords: Passwords) -> None:
        """Gives the people of the demo access; their passwords need not be changed."""
        now = datetime.datetime.now(datetime.UTC)
        register = Register(self.connection, self.portal.tables, now)
        for row in self.accounts():
            request = AccessRequest(row["email"], row["profile"], row["person"], values={"news_from": now - NEW_FOR})
            account = register.add(request, passwords.hash(row["password"]), must_change=False)
            policy = identify(self.connection, self.portal.tables, account, now=now).policy
            if policy.grants and not policy.staff:  # who may let colleagues in has a link by which these ask for it
                for company in policy.reader.companies:
                    renew_link(self.connection, self.portal.tables, company, policy.grants[0])

    def add_views(self) -> None:
        """Saves lists under a name for people of the demo."""
        for row in self._dict_rows("views.csv"):
            account = find_account(self.connection, self.portal.tables, row["account"])
            if account is None:
                raise DemoError(f"{self.folder / 'views.csv'}: no account “{row['account']}”")
            arrangement = Arrangement(tuple(parse_qsl(row["query"])), tuple(row["columns"].split()) or None)
            SavedViews(self.connection, self.portal.tables, account.id).add(row["module"], row["name"], arrangement)

    def add_past(self) -> None:
        """Tells how the records came into their states; in the name of the first of the staff who has an account."""
        profiles = self.portal.declaration.profiles
        staff = next((row for row in self.accounts() if profiles[row["profile"]].staff), None)
        account = find_account(self.connection, self.portal.tables, staff["email"]) if staff else None
        author = Author(account.id, account.name) if account else SYSTEM
        for name, path in self.files().items():
            InventedHistory(self._records(name), author, account.person if account else None).add()
            if "created" not in open_source(path).headers:  # all of it would be as new as the portal
                for reader in filter(None, self._accounts_there()):
                    mark_all_seen(self._records(name), reader.id)

    def has_accounts(self) -> bool:
        """Whether the accounts of the demo exist."""
        accounts = self._accounts_there()
        return bool(accounts) and all(accounts)

    def _accounts_there(self) -> list[Account | None]:
        return [find_account(self.connection, self.portal.tables, row["email"]) for row in self.accounts()]

    def add_comments(self) -> None:
        """Adds the demo's comments in the order of their dates, and fills the search index by last change."""
        reader, rows = self.portal.declaration.reader(), self._dict_rows("comments.csv")
        moments = [_moment_of(match, reader) for row in rows if (match := TOKEN.fullmatch(row["when"]))]
        if len(moments) < len(rows):
            raise DemoError(f"{self.folder / 'comments.csv'}: “when” takes moments like -3d 14:30")
        suppliers = self._supplier_companies()
        for moment, row in sorted(zip(moments, rows, strict=True), key=lambda pair: pair[0]):
            self._add_comment(row, min(moment, reader.now), suppliers)
        sort_events(self.connection, self.portal.tables)
        rebuild(self.connection, self.portal.tables, self.files())
        forget_announcements(self.connection, self.portal.tables)  # nobody is notified of the past

    def has_records(self) -> bool:
        """Whether a module of the demo has records."""
        return any(self._records(name).page(Query(size=1), []).records for name in self.files())

    def _dated_rows(self, module: str, path: Path) -> DatedRows:
        source, records = open_source(path), self._records(module)
        languages = self.portal.declaration.settings.languages
        columns = find_columns(records.module, languages, source.headers, {}, None)
        fields = {column.index: column.field for column in columns.imported}
        return DatedRows(source.headers, source.rows, fields, records.policy.reader)

    def _records(self, module: str) -> Records:
        return self.portal.records(self.connection, module)

    def _linked_modules(self, module: Module, path: Path) -> set[str]:
        headers = open_source(path).headers
        fields = [module.fields[name] for name in headers if name in module.fields]
        fields += [column for field, _path in self._row_files(module.name) for column in field.row_fields.values()]
        return {target for field in fields if not field.computed for target in field.targets}

    def _row_files(self, module: str) -> list[tuple[Field, Path]]:
        """The files with rows of a module's `lines` fields."""
        fields = self.portal.declaration.modules[module].lines
        beside = ((field, file_beside(self.folder / f"{module}.csv", field)) for field in fields)
        return [(field, path) for field, path in beside if path.exists()]

    def _dict_rows(self, name: str) -> list[dict[str, str]]:
        path = self.folder / name
        if not path.exists():
            return []
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def _supplier_companies(self) -> set[int]:
        """The companies of those whose profile is staff: who belongs to them comments as staff."""
        profiles = self.portal.declaration.profiles
        staff = [row["email"] for row in self.accounts() if profiles[row["profile"]].staff]
        return {company for email in staff for company in self._companies_of(self._person(email).id)}

    def _companies_of(self, person_id: int) -> tuple[int, ...]:
        return companies_of(self.connection, self.portal.tables, person_id) or ()

    def _person(self, email: str) -> Record:
        return self._one(self._records(str(self.portal.declaration.people)), email)

    def _add_comment(self, row: dict[str, str], moment: datetime.datetime, suppliers: set[int]) -> None:
        records, person = self._records(row["module"]), self._person(row["author"])
        policy = replace(records.policy, reader=replace(records.policy.reader, person=person.id, now=moment))
        if suppliers.isdisjoint(self._companies_of(person.id)):
            policy = replace(policy, profile=policy.profile.model_copy(update={"staff": False}))
        account = find_account(self.connection, self.portal.tables, row["author"])
        author = Author(account.id if account else None, person.title, "portal")
        writer = Writer(replace(records, policy=policy), author)
        writer.add_comment(self._one(records, row["record"]), row["text"], internal=row["internal"] == "true")

    def _one(self, records: Records, name: str) -> Record:
        """The record of that name. Raises DemoError."""
        ids = find_named(self.connection, records.policy, records.name, name)
        record = records.get(ids[0]) if len(ids) == 1 else None
        if record is None:
            number = "several records" if ids else "no record"
            raise DemoError(f"{self.folder}: {number} of {records.name} called “{name}”")
        return record


def _refuse(path: Path, bad: Iterable[BadCell]) -> None:
    """Raises DemoError for what is wrong in a file of the demo."""
    reasons = [f"{path}:{cell.line}: {cell.column}: {translate(cell.reason, 'en')}" for cell in bad]
    if reasons:
        raise DemoError("\n".join(reasons))
