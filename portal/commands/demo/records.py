"""The demo's records, from CSV files beside the declarations: dates around today, conversations, accounts.

Knows the files, and no field by its name but `created`: every portal may have a demo/ folder.
"""

import csv
import datetime
import graphlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from portal.accounts.passwords import Passwords
from portal.accounts.people import companies_of, find_account
from portal.accounts.register import AccessRequest, Register
from portal.commands.demo.many import SENTENCE, TOKEN, Many
from portal.commands.opening import Opened
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.records.indexing.index import rebuild
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from portal.records.transfer.columns import find_columns
from portal.records.transfer.importing import ImportOptions, Progress, Report, import_file
from portal.records.transfer.source import Row, open_source
from portal.records.writing.defaults import find_named
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from portal.texts import translate

OTHERS = ("comments", "accounts")  # files that are no module's


class DemoError(ValueError):
    """A file of the demo is at fault; one sentence."""


@dataclass(frozen=True)
class Dated:
    """Rows in which `-3d` and `-3d 14:30` stand for dates and moments, in the columns that hold such."""

    headers: tuple[str, ...]
    given: Callable[[], Iterator[Row]]
    fields: dict[int, Field]
    reader: Reader

    def rows(self) -> Iterator[Row]:
        """The rows, with dates as a machine writes them."""
        for row in self.given():
            cells = [self._dated(cell, self.fields.get(index)) for index, cell in enumerate(row.cells)]
            yield replace(row, cells=tuple(cells))

    def _dated(self, cell: str, field: Field | None) -> str:
        match = TOKEN.fullmatch(cell.strip())
        if not match or field is None or not field.input_type.startswith("date"):
            return cell
        moment = moment_of(match, self.reader)
        if field.name == "created":
            moment = min(moment, self.reader.now)
        return moment.date().isoformat() if field.input_type == "date" else moment.isoformat(timespec="minutes")


def moment_of(match: re.Match[str], reader: Reader) -> datetime.datetime:
    """What a token means where the portal is; nine in the morning where it says no time."""
    days, hour, minute = match.groups()
    time = datetime.time(int(hour or 9), int(minute or 0))
    return datetime.datetime.combine(reader.today + datetime.timedelta(days=int(days)), time, reader.time_zone)


@dataclass(frozen=True)
class Demonstration:
    """The demo of one portal, within one writing transaction."""

    portal: Opened
    connection: Any

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.portal.settings.folder / "demo"

    def files(self) -> dict[str, Path]:
        """The modules that have a file, what others link to first. Raises DemoError."""
        modules = self.portal.declaration.modules
        found = {path.stem: path for path in sorted(self.folder.glob("*.csv")) if path.stem not in OTHERS}
        for name, path in found.items():
            if name not in modules:
                raise DemoError(f"{path}: there is no module {name}")
        links = {name: self._linked(modules[name], path) & found.keys() - {name} for name, path in found.items()}
        try:
            return {name: found[name] for name in graphlib.TopologicalSorter(links).static_order()}
        except graphlib.CycleError as circle:
            raise DemoError(f"{self.folder}: these modules link to each other: {', '.join(circle.args[1])}") from None

    def load(self, told: Callable[[str, Report], None]) -> None:
        """All files, one after the other. Raises DemoError, BadFile and WrongColumns."""
        for name, path in self.files().items():
            report = import_file(self.system(name), self.dated(name, path), ImportOptions())
            if report.bad:
                reasons = [f"{path}:{bad.line}: {bad.column}: {translate(bad.reason, 'en')}" for bad in report.bad]
                raise DemoError("\n".join(reasons))
            told(name, report)

    def add_many(self, module: str, number: int, reached: Progress, written: Progress) -> Report:
        """So many more records after the pattern of a module's file."""
        source = open_source(self.folder / f"{module}.csv")
        public = [row["text"] for row in self._read("comments.csv") if not row["internal"]]
        said = [sentence for text in public for sentence in SENTENCE.split(text)]
        patterns = list(source.rows())
        first = self.system(module).count(Query()).number
        many = Many(self.system(module).module, source.headers, patterns, said, number, first)
        dated = replace(self.dated(module, source.path), given=many.rows)
        return import_file(self.system(module), dated, ImportOptions(), reached, written)

    def accounts(self) -> list[dict[str, str]]:
        """Who may sign in, with profile and password."""
        return self._read("accounts.csv")

    def join(self, passwords: Passwords) -> None:
        """Gives the accounts of the demo; their passwords stay."""
        register = Register(self.connection, self.portal.tables, self._now)
        for row in self.accounts():
            wish = AccessRequest(row["email"], row["profile"], row["person"])
            register.add(wish, passwords.hash(row["password"]), must_change=False)

    def joined(self) -> bool:
        """Whether the accounts are there."""
        found = [find_account(self.connection, self.portal.tables, row["email"]) for row in self.accounts()]
        return bool(found) and all(found)

    def converse(self) -> None:
        """The comments, in the order in which they were written; then the search index in the order of changes."""
        reader, rows = self.portal.declaration.reader(), self._read("comments.csv")
        moments = [moment_of(match, reader) for row in rows if (match := TOKEN.fullmatch(row["when"]))]
        if len(moments) < len(rows):
            raise DemoError(f"{self.folder / 'comments.csv'}: “when” wants moments like -3d 14:30")
        suppliers = self._suppliers()
        for moment, row in sorted(zip(moments, rows, strict=True), key=lambda pair: pair[0]):
            self._say(row, min(moment, reader.now), suppliers)
        rebuild(self.connection, self.portal.tables, self.files())

    def holds_records(self) -> bool:
        """Whether a module of the demo has records already."""
        return any(self.system(name).page(Query(size=1), []).rows for name in self.files())

    def dated(self, module: str, path: Path) -> Dated:
        """A module's file."""
        source = open_source(path)
        columns, _problems = find_columns(self.portal.declaration.modules[module], source.headers, {}, None)
        fields = {column.index: column.field for column in columns}
        return Dated(source.headers, source.rows, fields, self.system(module).policy.reader)

    def system(self, module: str) -> Records:
        """All records of a module, as the portal itself sees them."""
        return Records(self.connection, system_policy(self.portal.tables), module)

    @property
    def _now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)

    def _linked(self, module: Module, path: Path) -> set[str]:
        headers = open_source(path).headers
        return {target for name in headers if name in module.fields for target in module.fields[name].targets}

    def _read(self, name: str) -> list[dict[str, str]]:
        path = self.folder / name
        if not path.exists():
            return []
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def _suppliers(self) -> set[int]:
        """The companies of those whose profile is staff: who belongs to them writes as staff."""
        profiles = self.portal.declaration.profiles
        staff = [row["email"] for row in self.accounts() if profiles[row["profile"]].staff]
        return {company for email in staff for company in self._companies(self._person(email))}

    def _companies(self, person: int) -> tuple[int, ...]:
        return companies_of(self.connection, self.portal.tables, person) or ()

    def _person(self, email: str) -> int:
        return self._one(self.system(str(self.portal.declaration.people)), email)

    def _say(self, row: dict[str, str], moment: datetime.datetime, suppliers: set[int]) -> None:
        records, person = self.system(row["module"]), self._person(row["author"])
        record = records.get(self._one(records, row["record"]))
        policy = replace(records.policy, reader=replace(records.policy.reader, person=person, now=moment))
        if suppliers.isdisjoint(self._companies(person)):
            policy = replace(policy, profile=policy.profile.model_copy(update={"staff": False}))
        account = find_account(self.connection, self.portal.tables, row["author"])
        name = self.system(str(self.portal.declaration.people)).get(person).title
        author = Author(account.id if account else None, name, "portal")
        writer = Writer(replace(records, policy=policy), author)
        writer.add_comment(record, row["text"], internal=row["internal"] == "true")

    def _one(self, records: Records, name: str) -> int:
        ids = find_named(self.connection, records.policy, records.name, name)
        if len(ids) != 1:
            found = "several records" if ids else "no record"
            raise DemoError(f"{self.folder}: {found} of {records.name} called “{name}”")
        return ids[0]
