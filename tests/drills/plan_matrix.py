"""Every change of a declaration, on both databases: `plan`, `apply`, then the plan is empty and the values are there.

    .venv/bin/python -m tests.drills.plan_matrix [PART]

Each type of field becomes each other one, with values that fit and values that do not; then some eighty other changes,
one at a time, of records that have values. Without `--allow-loss` nothing is lost; what cannot be done is refused with
a cure, and nothing has changed; afterwards records are read, created and deleted. PART: only changes whose name
contains it. Prints failures, and exits 1 if there are any.
"""

import contextlib
import re
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import CannotBeAppliedError, apply, missing_steps, plan
from portal.database.migration.plan_steps import PlanStep
from portal.database.schema.tables import Tables, build
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.records.indexing.backlog import catch_up
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from portal.records.writing.history import SYSTEM
from portal.records.writing.writer import Writer
from tests.drills.plan_changes import CHANGES, FIELDS, Change, every_type_from
from tests.real_parts import PostgreSQL, running_postgresql
from tests.unit.database.portals import declared

CHANGED = re.compile(r"(?:! )?change field things\.(\w+) from")
CURES = re.compile(r"allow-loss|correct|remove|mend|give|leave|change|delete|split|take|shorten|make")


class FailedError(Exception):
    """A check failed; the message says which."""


class Database:
    """One database while its declaration changes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.engine, self.folder = make_engine(url), folder
        self.tables: Tables = None  # type: ignore[assignment]

    def declare(self, modules: str, top: str) -> None:
        """Declares these modules; the database does not know yet."""
        self.tables = build(declared(self.folder, modules, top))

    def steps(self) -> list[PlanStep]:
        """What `portal plan` lists."""
        return plan(self.engine, self.tables).steps

    def apply(self, allow_loss: bool = False) -> None:
        """`portal apply`."""
        apply(self.engine, self.tables, allow_loss)
        catch_up(self.engine, self.tables)

    def fill(self, values: list[dict[str, Any]]) -> None:
        """Companies and people, one of each for each record of `things`, and things with these values."""
        for title in ("Acme", "Globex"):
            self.add("companies", {"name": title})
        for number, given in enumerate(values, 1):
            self.add("people", {"name": f"Anna {number}"})
            self.add("things", {"name": f"Thing {number}", "company": Linked(1, "companies"), **given})

    def add(self, module: str, values: dict[str, Any]) -> int:
        """A new record; what a value means as a text, as its field reads it."""
        with writing(self.engine) as connection:
            records = self.records(connection, module)
            known = {name: value for name, value in values.items() if name in records.module.fields}
            reader = records.policy.reader.machine
            read = {
                name: records.module.field(name).read(value, reader) if isinstance(value, str) else value
                for name, value in known.items()
            }
            return Writer(records, SYSTEM).create(read)

    def records(self, connection: sa.Connection, module: str) -> Records:
        """The records of a module as the portal itself sees them."""
        return Records(connection, system_policy(self.tables, self.tables.declaration.reader()), module)

    def values(self) -> dict[tuple[str, int, str], str]:
        """All values that are not empty, as they are exported, by module, record and field."""
        values = {}
        with reading(self.engine) as connection:
            for name, module in self.tables.declaration.modules.items():
                records = self.records(connection, name)
                for record in records.iterate(Query(sort=("id",)), list(module.fields)):
                    for key, field in module.fields.items():
                        if not field.computed and not field.is_empty(record.values[key]):
                            values[name, record.id, key] = field.write(record.values[key])
        return values

    def content(self) -> dict[str, Any]:
        """Every column and row of every table."""
        found: dict[str, Any] = {}
        with reading(self.engine) as connection:
            for table in sa.inspect(connection).get_table_names():
                if not table.startswith("portal_search"):
                    rows = connection.exec_driver_sql(f'SELECT * FROM "{table}"').mappings().all()  # noqa: S608
                    found[table] = sorted(str(dict(row)) for row in rows)
        return found

    def use(self) -> None:
        """Reads, makes and deletes a record of each module."""
        for module in self.tables.declaration.modules:
            with reading(self.engine) as connection:
                self.records(connection, module).page(Query(text="thing"), []).records  # noqa: B018
            record_id = self.add(module, {})
            with writing(self.engine) as connection:
                records = self.records(connection, module)
                record = records.get(record_id)
                if record is None:
                    raise FailedError(f"a new record of {module} cannot be read")
                Writer(records, SYSTEM).delete(record)


def check(database: Database, change: Change) -> None:
    """Declares what was before, fills it, and changes it. Raises FailedError."""
    database.declare(change.before, change.top)
    database.apply()
    database.fill(change.values)
    before, content = database.values(), database.content()
    try:
        database.declare(change.after, change.top if change.top_after is None else change.top_after)
    except ValueError:  # by `portal check`
        if change.refused:
            return
        raise
    if change.refused:
        raise FailedError("the check does not refuse it")
    steps = database.steps()
    said = "\n".join(step.planned for step in steps)
    if any(step.blocked and step.needed for step in steps):
        _check_refused(database, content, said)
        return
    database.apply()
    left = database.steps()
    if [step for step in left if not step.loses and not step.blocked]:
        raise FailedError(f"the plan is not empty after it: {_sentences(left)}; it was: {said}")
    _check_kept(change, before, database.values(), steps)
    database.use()
    if left:
        database.apply(allow_loss=True)
        if again := [step for step in database.steps() if not step.blocked]:
            raise FailedError(f"the plan is not empty after --allow-loss: {_sentences(again)}")
    with reading(database.engine) as connection:
        if missing := [step for step in missing_steps(connection, database.tables) if not step.blocked]:
            raise FailedError(f"the portal would still wait for {_sentences(missing)}")
    database.use()


def _check_refused(database: Database, content: dict[str, Any], said: str) -> None:
    with contextlib.suppress(CannotBeAppliedError):
        database.apply()
        raise FailedError(f"was applied, but the plan refuses it: {said}")
    if database.content() != content:
        raise FailedError(f"was refused, but something has changed: {said}")
    if not CURES.search(said):
        raise FailedError(f"was refused without a cure: {said}")


def _check_kept(
    change: Change,
    before: dict[tuple[str, int, str], str],
    after: dict[tuple[str, int, str], str],
    steps: list[PlanStep],
) -> None:
    """Checks that what the plan does not mention is unchanged, and that the field keeps as many values as it said."""
    for (module, record_id, name), text in before.items():
        if (module, name) in change.touched:
            continue
        new_module = change.renamed.get((module, ""), (module, ""))[0]
        new_module, new_name = change.renamed.get((module, name), (new_module, name))
        if (now := after.get((new_module, record_id, new_name))) != text:
            raise FailedError(f"{module} {record_id}: {name} was {text!r}, is {now!r}")
    sentences = {found[1]: step.planned for step in steps if (found := CHANGED.match(step.planned))}
    for name in {name for module, name in change.touched if module == "things"} & sentences.keys():
        there = sum(key == ("things", name) for key in ((module, field) for module, _id, field in after))
        if there != _fitting(sentences[name]):
            raise FailedError(f"{there} values are there: {sentences[name]}")


def _fitting(sentence: str) -> int:
    """How many values fit, by the sentence of a changed field."""
    if lost := re.search(r": ([\d,]+) of ([\d,]+) values? would be lost", sentence):
        return int(lost[2]) - int(lost[1])
    converted = re.search(r": ([\d,]+) values? converted", sentence)
    return int(converted[1]) if converted else 0


def _sentences(steps: list[PlanStep]) -> str:
    return " | ".join(step.planned for step in steps)


def changes() -> Iterator[Change]:
    """Every type of field to every other one, then the others."""
    missing = set(Field.types) - {kind.partition(" ")[0] for kind in FIELDS}
    if missing:
        raise FailedError(f"no examples of {missing}")
    for old in FIELDS:
        yield every_type_from(old)
    yield from CHANGES


@contextlib.contextmanager
def databases(server: PostgreSQL, folder: Path) -> Iterator[list[Database]]:
    """An empty one of each kind."""
    with server.empty_database() as url:
        both = [Database(f"sqlite:///{folder}/portal.sqlite", folder / "a"), Database(url, folder / "b")]
        try:
            yield both
        finally:
            for database in both:
                database.engine.dispose()


def main() -> int:
    """Runs the drill; the exit status."""
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    tried = failed = 0
    with running_postgresql() as server:
        for change in changes():
            if part not in change.name:
                continue
            folder = Path(tempfile.mkdtemp())
            with databases(server, folder) as both:
                for database in both:
                    tried += 1
                    try:
                        check(database, change)
                    except FailedError as problem:
                        failed += 1
                        print(f"{change.name}, {database.engine.name}: {problem}", flush=True)  # noqa: T201
                    except Exception:  # noqa: BLE001 - that nothing else is raised is what is looked at
                        failed += 1
                        trace = traceback.format_exc(limit=-3)
                        print(f"{change.name}, {database.engine.name}: raises\n{trace[-900:]}", flush=True)  # noqa: T201
            shutil.rmtree(folder)
    print(f"{tried} changes, {failed} not as they should be")  # noqa: T201
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
