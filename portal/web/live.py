"""The portal in force: one immutable object that every request takes once, and its exchange when a file changes.

A changed file is read, checked and planned aside. If all is well the new portal is swapped in whole; if not, the last
good one stays, and the problems are kept for administrators. One thread reloads, the others go on with the old one.
Nothing here knows a request.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from portal.database.engine import Engine, reading
from portal.database.errors import DatabaseError, driver_error
from portal.database.migration.plan import NotAppliedError, apply, blocking_steps, missing_steps
from portal.database.schema.tables import Tables, build
from portal.declaration.load import load
from portal.declaration.shapes import Declaration
from portal.declaration.source.problems import Problem
from portal.records.indexing.backlog import catch_up_later
from portal.web.assets import Assets

log = logging.getLogger(__name__)

RELOAD_EVERY = 0.25  # seconds between two looks at the files
FRESH_FOR = 0.1  # a file changed less than this ago may change again without its time telling so
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Portal:
    """What a request runs on. A reload makes a new one; whoever has begun with this one ends with it."""

    tables: Tables
    engine: Engine
    since: datetime
    assets: Assets
    development: bool = False  # whether this machine's own names are accepted hosts, and letters can be read at once

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration


@dataclass(frozen=True)
class ReloadReport:
    """What the last look at the declarations found; `lacks` says what the database would have to get first."""

    read: datetime
    problems: tuple[Problem, ...] = ()
    lacks: tuple[str, ...] = ()
    accepted: bool = True  # whether what was read is now in force


class StartupError(Exception):
    """The portal cannot start; `lines` say why, for the person who started it."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass
class LivePortal:
    """Holds the portal in force of one folder on one database. `overrides` are settings that win over the YAML's."""

    folder: Path
    engine: Engine
    clock: Callable[[], datetime]
    development: bool | None = None  # None: unless base_url names a host that others can reach
    overrides: Mapping[str, str] = field(default_factory=dict)
    every: float = RELOAD_EVERY

    def __post_init__(self) -> None:
        self._reloading = threading.Lock()
        self._last_look = time.monotonic()
        self._signature_seen = self._signature()
        self._portal, self.report = self._read()
        if self._portal is None:
            self.engine.dispose()
            raise StartupError(*map(str, self.report.problems), *_lacking(self.report.lacks))
        self._catch_up()

    def current(self) -> Portal:
        """The portal in force, after a look at the files if the last one is long enough ago."""
        if time.monotonic() - self._last_look >= self.every and self._reloading.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._last_look = time.monotonic()
                self._reloading.release()
        return self._portal

    def _look(self) -> None:
        signature, fresh = self._signature()
        known, was_fresh = self._signature_seen
        if signature == known and fresh >= was_fresh:
            return
        self._signature_seen = signature, fresh
        portal, self.report = self._read()
        if portal is not None:
            self._portal = portal
            self._catch_up()
            log.info("The declarations have changed: the new ones are in force.")
            return
        for line in [*map(str, self.report.problems), *self.report.lacks]:
            log.error("The declarations have changed, the last good ones stay in force: %s", line)

    def _read(self) -> tuple[Portal | None, ReloadReport]:
        now = self.clock()
        loaded = load(self.folder, self.overrides)
        problems = tuple(loaded.problems)
        if loaded.declaration is None:
            return None, ReloadReport(now, problems, accepted=False)
        declaration = loaded.declaration
        tables, development = build(declaration), self._is_development(declaration)
        try:
            lacks = adapt_database(self.engine, tables, development)
        except NotAppliedError as error:
            lacks = str(error).splitlines()
        except DatabaseError as error:
            lacks = [f"The database refuses: {driver_error(error)}"]
        report = ReloadReport(now, problems, tuple(lacks), accepted=not lacks)
        if lacks:
            return None, report
        return Portal(tables, self.engine, now, _assets(declaration), development), report

    def _catch_up(self) -> None:
        """What is behind in the search index follows; if that cannot even be asked, at the next reload or start."""
        try:
            catch_up_later(self.engine, self._portal.tables)
        except DatabaseError as error:
            log.error("The search index could not be looked at: %s", error)

    def _is_development(self, declaration: Declaration) -> bool:
        if self.development is not None:
            return self.development
        return (urlsplit(declaration.settings.base_url or "").hostname or "localhost") in LOCAL_HOSTS

    def _signature(self) -> tuple[Signature, bool]:
        """What changes when a file does; and whether one is so fresh that it may change again without that."""
        found = []
        for path in [self.folder / "modules.yaml", self.folder / "buttons.yaml", *self.folder.glob("profiles/*.yaml")]:
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
        newest = max((changed for _path, changed, _size, _inode in found), default=0)
        return tuple(sorted(found)), abs(time.time() - newest / 1e9) < FRESH_FOR


def _assets(declaration: Declaration) -> Assets:
    settings = declaration.settings
    logo = declaration.folder / settings.logo if settings.logo else None
    return Assets(declaration.icons, settings.accent, logo)


def _lacking(lacks: tuple[str, ...]) -> tuple[str, ...]:
    if not lacks:
        return ()
    return ("The database lacks what the declarations want:", *lacks, "Run `portal apply`, then start again.")


def adapt_database(engine: Engine, tables: Tables, development: bool) -> list[str]:
    """Adds what the database lacks, in development; what it lacks after that and cannot do without, in sentences."""
    with reading(engine) as connection:
        lacks = missing_steps(connection, tables)
    if development and any(step.additive for step in lacks):
        done = apply(engine, tables, additive_only=True)
        for sentence in done:
            log.info("The database has been changed: %s", sentence)
    with reading(engine) as connection:
        return [step.sentence for step in blocking_steps(connection, tables)]
