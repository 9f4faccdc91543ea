"""The portal in force: one immutable object that every request uses throughout, replaced when a file changes.

Changed files are first read, checked and planned. Without errors, the new portal comes into force; otherwise the last
good one stays, and administrators see the problems on /-/problems. A process that starts with broken files takes the
last good ones from the database. One thread reloads while the others go on with the old portal. Nothing here knows a
request.
"""

import logging
import os
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from portal.database.engine import Engine, close, reading
from portal.database.errors import DatabaseError, refusal
from portal.database.migration.plan_and_apply import CannotBeAppliedError, apply, missing_steps, steps_needed_to_run
from portal.database.migration.snapshot import applied_at
from portal.database.replica import Replica
from portal.database.schema.inspection import inspect_existing
from portal.database.schema.shared_tables import shared_tables
from portal.database.schema.tables import Tables, build
from portal.database.stored_declaration import load_stored_declaration, store_declaration
from portal.declaration.archive import pack_files, unpacked_folder
from portal.declaration.declaration import Declaration
from portal.declaration.declared_files import PROFILES, declared_files, paths_of_files
from portal.declaration.load import load
from portal.declaration.source.problems import Problem
from portal.records.indexing.backlog import catch_up_later
from portal.web.assets import Assets

log = logging.getLogger(__name__)

RELOAD_EVERY = 0.25  # seconds between two checks of the files, and that a file must be unchanged before it is read
SETTLED_AFTER = 10.0  # seconds that a request waits at most for a change in progress
FRESH_FOR = 0.1  # seconds in which a file may change again without a new modification time
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
FAULT = "An error in the portal itself prevents it from using these declarations; its log has the details."
Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Portal:
    """The portal in force, on which a request runs. A reload makes a new one; open requests finish with theirs."""

    tables: Tables
    engine: Engine
    since: datetime
    assets: Assets
    development: bool = False  # see Settings.development
    replica: Replica | None = None  # may answer read-only requests
    files: Mapping[str, bytes] = field(default_factory=dict)  # the files of the declaration, by path in the folder

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration


@dataclass(frozen=True)
class ReloadReport:
    """The result of the last reading of the declarations; `missing`: what `portal plan` lists."""

    at: datetime
    problems: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()
    accepted: bool = True  # whether these declarations are in force
    waiting: Declaration | None = None  # valid declarations that wait for the database
    files: Mapping[str, bytes] = field(default_factory=dict)  # what was read, by path in the folder


class StartupError(Exception):
    """The portal cannot start; `lines` say why, for the person who started it."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class StoredCopy:
    """The copy of the declarations in force that the database keeps for processes that start. A thread stores it, as it
    may have to wait for long writes."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._has_failed = False

    def store(self, portal: Portal) -> None:
        """Starts storing the declarations of `portal`, after those that are being stored: the latest come last."""
        self._thread = threading.Thread(target=self._store, args=(portal, self._thread), name="keep", daemon=True)
        self._thread.start()

    def retry(self, portal: Portal) -> None:
        """Stores `portal` if the last attempt has failed: the database was locked, or the disk full."""
        if self._has_failed and not (self._thread and self._thread.is_alive()):
            self.store(portal)

    def finish(self) -> None:
        """Waits until everything is stored."""
        if self._thread is not None:
            self._thread.join()

    def _store(self, portal: Portal, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        declaration, files = portal.declaration, dict(portal.files)
        try:
            if logo := declaration.settings.logo:
                files[logo] = (declaration.folder / logo).read_bytes()
            store_declaration(portal.engine, pack_files(files), portal.since)
            self._has_failed = False
        except (*DatabaseError, OSError) as error:
            if not self._has_failed:  # further failed attempts are not logged
                log.warning("The declarations in force cannot be kept yet for processes that start: %s", error)
            self._has_failed = True


@dataclass
class LivePortal:
    """Holds the portal in force of one folder and database. `overrides`: settings that win over modules.yaml."""

    folder: Path
    engine: Engine
    clock: Callable[[], datetime]
    development: bool | None = None  # None: unless base_url names a host that others can reach
    overrides: Mapping[str, str] = field(default_factory=dict)
    every: float = RELOAD_EVERY
    whole_after: float | None = None  # seconds after which a written file is read; None: `every`
    on_change: Callable[[], None] = lambda: None  # called after each reading of changed files, valid or not
    replica: Replica | None = None  # of the database
    icons: tuple[str, ...] = ()  # those of other packages

    def __post_init__(self) -> None:
        self._reloading = threading.Lock()
        self._last_check = time.monotonic()
        self._signature = self._read_signature()
        self._stored_copy = StoredCopy()
        self._portal = self._first()
        self._applied_before = self._last_applied(None)  # when `portal apply` last ran before the last reading
        self._catch_up_index()

    def current(self) -> Portal:
        """The portal in force; first checks the files for changes, if the last check is long enough ago."""
        if time.monotonic() - self._last_check >= self.every and self._reloading.acquire(blocking=False):
            try:
                self._reload_if_changed()
                self._stored_copy.retry(self._portal)
            finally:
                self._last_check = time.monotonic()
                self._reloading.release()
        return self._portal

    def settle(self, portal: Portal) -> None:
        """Waits for a change in progress to come into force, after a request failed with `portal`."""
        end = time.monotonic() + SETTLED_AFTER
        while self._portal is portal and time.monotonic() < end:
            if self._reloading.acquire(timeout=SETTLED_AFTER):
                try:
                    self._reload_if_changed()
                finally:
                    self._reloading.release()
            if self._read_signature()[0] == self._signature[0]:
                return
            time.sleep(RELOAD_EVERY / 4)

    def close(self) -> None:
        """Closes unused connections; open requests finish with their own."""
        self._stored_copy.finish()
        close(self.engine)
        if self.replica is not None:
            close(self.replica.engine)

    def _first(self) -> Portal:
        """The first portal in force of a process. Raises StartupError."""
        try:
            portal, self.report = self._read()
        except Exception:
            log.exception("Reading the declarations failed.")
            portal, self.report = self._last_valid(), self._fault()
            if portal is None:
                raise
        else:
            if portal is not None:
                self._keep(portal)
                return portal
            portal = self._last_valid()
        if portal is None:
            close(self.engine)
            lines = list(map(str, self.report.problems))
            if missing := self.report.missing:
                needs = "The database lacks what the declarations need:"
                lines += [needs, *missing, "Run `portal apply`, then start again."]
            raise StartupError(*lines)
        self._log_report()
        log.warning("They are those that came into force at %s.", portal.since.isoformat(timespec="seconds"))
        return portal

    def _reload_if_changed(self) -> None:
        signature, fresh = self._read_signature()
        known, was_fresh = self._signature
        if signature == known and fresh >= was_fresh and not self._has_been_applied():
            return
        if signature != known and self._is_being_saved():
            return
        self._signature = signature, fresh
        self._applied_before = self._last_applied(self._applied_before)
        try:
            portal, self.report = self._read()
        except Exception:
            log.exception("Reading the changed declarations failed.")
            portal, self.report = None, self._fault()
        self._call_on_change()
        if portal is not None:
            replaced, self._portal = self._portal, portal
            if replaced.engine is not portal.engine:  # only a preview has one per reading
                replaced.engine.dispose()
            self._catch_up_index()
            self._keep(portal)
            log.info("The declarations have changed: the new ones are in force.")
        else:
            self._log_report()

    def _call_on_change(self) -> None:
        try:
            self.on_change()
        except Exception:
            log.exception("What follows a change of the declarations failed.")

    def _fault(self) -> ReloadReport:
        """The report of a fault of ours, which must not take down what is in force."""
        return ReloadReport(self.clock(), missing=(FAULT,), accepted=False)

    def _log_report(self) -> None:
        """Logs why the declarations of the folder are not in force."""
        for problem in self.report.problems:
            log.log(logging.WARNING if problem.warning else logging.ERROR, "%s", problem)
        for sentence in self.report.missing:
            log.error("The database lacks what the declarations need: %s", sentence)
        log.info("The last valid declarations stay in use.")

    def _is_being_saved(self) -> bool:
        """Whether a file was written, or a profile came or went, a moment ago: half a file can also be valid, and a
        profile that is being rewritten is missing for a moment.
        """
        paths = [*paths_of_files(self.folder), self.folder / PROFILES]
        times = [status.st_mtime for status in map(_status_of, paths) if status is not None]
        return abs(time.time() - max(times, default=0)) < (self.every if self.whole_after is None else self.whole_after)

    def _has_been_applied(self) -> bool:
        """Whether `portal apply` has run since the plan had something left to do."""
        return bool(self.report.missing) and self._last_applied(self._applied_before) != self._applied_before

    def _last_applied(self, if_down: datetime | None) -> datetime | None:
        """When `portal apply` last ran; `if_down` if the database is down: the next check asks again."""
        try:
            with reading(self.engine) as connection:
                return applied_at(connection, self._portal.tables)
        except DatabaseError:
            return if_down

    def _read(self) -> tuple[Portal | None, ReloadReport]:
        now, files = self.clock(), declared_files(self.folder)
        loaded = load(self.folder, self.overrides, files)
        problems = tuple(loaded.problems)
        if loaded.declaration is None:
            return None, ReloadReport(now, problems, accepted=False, files=files)
        declaration = loaded.declaration
        development = self._is_development(declaration)
        try:
            tables = shared_tables(declaration, inspect_existing(self.engine, declaration))
            declaration = tables.declaration
            engine, pending, fits = self._adapt(tables, development)
        except CannotBeAppliedError as error:
            pending, fits = str(error).splitlines(), False
        except DatabaseError as error:
            pending, fits = [f"The database reports an error: {refusal(error)}"], False
        if fits and self.replica is not None:
            self.replica.require_present()
        waiting = None if fits else declaration
        report = ReloadReport(now, problems, tuple(pending), accepted=fits, waiting=waiting, files=files)
        if not fits:
            return None, report
        return Portal(tables, engine, now, _assets(declaration, self.icons), development, self.replica, files), report

    def _last_valid(self) -> Portal | None:
        """The declarations last in force, in this process or another one; None if the database has none, or if they no
        longer fit the database or this version of the portal.
        """
        try:
            last = load_stored_declaration(self.engine)
            if last is None:
                return None
            with unpacked_folder(last.archive) as folder:
                declaration = load(folder, self.overrides).declaration
                if declaration is None:
                    return None
                assets, files = _assets(declaration, self.icons), declared_files(folder)
            tables = build(declaration, inspect_existing(self.engine, declaration))
            with reading(self.engine) as connection:
                fits = not steps_needed_to_run(connection, tables)
            if fits and self.replica is not None:
                self.replica.require_present()
        except (*DatabaseError, CannotBeAppliedError, zipfile.BadZipFile, OSError) as error:
            log.warning("The last valid declarations cannot be used: %s", error)
            return None
        development = self._is_development(declaration)
        portal = Portal(tables, self.engine, last.since, assets, development, self.replica, files)
        return portal if fits else None

    def _keep(self, portal: Portal) -> None:
        """Keeps what is in force for processes that start."""
        self._stored_copy.store(portal)

    def _adapt(self, tables: Tables, development: bool) -> tuple[Engine, list[str], bool]:
        """The engine for `tables`, what is left to do in the database, and whether they can be used."""
        return self.engine, *_adapt_database(self.engine, tables, development)

    def _catch_up_index(self) -> None:
        """Starts catching up the search index; if the database refuses, the next reload or start does it."""
        try:
            catch_up_later(self.engine, self._portal.tables)
        except DatabaseError as error:
            log.error("The state of the search index could not be read: %s", error)

    def _is_development(self, declaration: Declaration) -> bool:
        if self.development is not None:
            return self.development
        return (urlsplit(declaration.settings.base_url or "").hostname or "localhost") in LOCAL_HOSTS

    def _read_signature(self) -> tuple[Signature, bool]:
        """A signature that changes when a file does, and whether a file is so new that a change may not show."""
        files = []
        for path in paths_of_files(self.folder):
            if status := _status_of(path):
                files.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
        newest = max((changed for _path, changed, _size, _inode in files), default=0)
        return tuple(sorted(files)), abs(time.time() - newest / 1e9) < FRESH_FOR


def _status_of(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _assets(declaration: Declaration, icons: tuple[str, ...]) -> Assets:
    settings = declaration.settings
    logo = declaration.folder / settings.logo if settings.logo else None
    return Assets([*declaration.icons, *icons], settings.accent, logo)


def _adapt_database(engine: Engine, tables: Tables, development: bool) -> tuple[list[str], bool]:
    """Adapts the database to new declarations; what is left to do, and whether the portal can run without it.

    In development, steps that lose nothing are done first. No values are counted, as a request is waiting; `portal
    plan` counts them.
    """
    with reading(engine) as connection:
        steps = missing_steps(connection, tables)
    if development and any(not step.left_before and not step.blocked for step in steps):
        applied = apply(engine, tables)
        for sentence in applied.done:
            log.info("The database has been changed: %s", sentence)
        for step in applied.left:
            log.warning("Left undone in the database: %s", step.sentence.removeprefix("! "))
        with reading(engine) as connection:
            steps = missing_steps(connection, tables)
    return [step.planned for step in steps], not any(step.needed for step in steps)
