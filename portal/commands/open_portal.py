"""Opens a portal for a command: its declaration and its database, or one sentence that says why not."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from portal.commands.database_errors import database_refusals_explained
from portal.commands.options import chosen_settings
from portal.database.engine import Connection, Engine, reach, reading
from portal.database.migration.plan_and_apply import steps_needed_to_run
from portal.database.schema.inspection import inspect_existing
from portal.database.schema.tables import Tables, build
from portal.declaration.declaration import Declaration
from portal.declaration.load import load
from portal.declaration.source.suggestions import suggest
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.records.writing.retention import overdue_sentences
from portal.settings import ProcessSettings
from portal.store.store import Store, open_store

STEPS_SHOWN = 10


@dataclass(frozen=True)
class OpenPortal:
    """The portal that a command works on."""

    settings: ProcessSettings
    tables: Tables
    engine: Engine

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration

    def records(self, connection: Connection, module: str) -> Records:
        """All records of a module, as the portal itself sees them. An unknown module exits 2."""
        self.check_module(module)
        return Records(connection, system_policy(self.tables), module)

    def store(self) -> Store:
        """Where the bytes of files are. A store that cannot be opened exits 1."""
        settings = self.settings
        try:
            return open_store(*settings.store_address)
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from None

    def check_module(self, module: str) -> None:
        """Exits 2 if there is no such module."""
        modules = self.declaration.modules
        if module not in modules:
            known = ", ".join(modules)
            raise click.UsageError(f'there is no module "{module}"{suggest(module, modules)}; the modules are {known}')


def print_overdue(portal: OpenPortal) -> None:
    """Prints which records will soon be deleted because their retention ends. The tables must exist."""
    with database_refusals_explained(), reading(portal.engine) as connection:
        for _module, sentence in overdue_sentences(connection, portal.tables, datetime.datetime.now(datetime.UTC)):
            click.echo(sentence)


def open_portal(*, check_database: bool = True, folder: Path | None = None) -> OpenPortal:
    """The portal of this call. Mistakes in its declarations exit 1; a database that cannot be reached exits 2.

    A program that calls a command may pass an open portal as click's context object.
    `check_database`: the database must have all that the declarations need, else exit 1 with what to do.
    """
    if opened := click.get_current_context().find_object(OpenPortal):
        return opened
    settings = chosen_settings(folder)
    declaration = load_declaration(settings, settings.folder)
    engine = open_engine(settings)
    with database_refusals_explained():
        tables = build(declaration, inspect_existing(engine, declaration))
    portal = OpenPortal(settings, tables, engine)
    if check_database:
        _check_database(portal)
    return portal


def load_declaration(settings: ProcessSettings, folder: Path) -> Declaration:
    """The declaration of a folder, for a command. Mistakes in it exit 1."""
    loaded = load(folder, settings.declared)
    if loaded.declaration is None:
        exit_with(loaded.errors)
    return loaded.declaration


def exit_with(problems: Iterable[object]) -> NoReturn:
    """Ends a command: prints the problems, one a line, and exits 1."""
    for problem in problems:
        click.echo(problem)
    raise SystemExit(1)


def open_engine(settings: ProcessSettings) -> Engine:
    """The engine of a command's database, tried once; a database that cannot be reached exits 2."""
    try:
        settings.make_database_folder()
    except OSError as error:
        raise click.UsageError(f"cannot create the folder of the database: {error}") from None
    with database_refusals_explained():
        engine = reach(settings.database_url)
    click.get_current_context().call_on_close(engine.dispose)
    return engine


def _check_database(portal: OpenPortal) -> None:
    with database_refusals_explained(), reading(portal.engine) as connection:
        missing = steps_needed_to_run(connection, portal.tables)
    if missing:
        steps = "\n".join(f"  {step.sentence}" for step in missing[:STEPS_SHOWN])
        more = f"\n  … and {len(missing) - STEPS_SHOWN} more" if len(missing) > STEPS_SHOWN else ""
        raise click.ClickException(f"the database lacks what the declarations need; run `portal apply`:\n{steps}{more}")
