"""What most commands begin with: one portal's settings, declaration and database, or one clear sentence."""

from dataclasses import dataclass
from pathlib import Path

import click

from portal.commands.options import chosen_settings
from portal.database.engine import DatabaseUnreachableError, Engine, reach, reading
from portal.database.errors import DatabaseError, driver_error
from portal.database.migration.plan import blocking_steps
from portal.database.schema.tables import Tables, build
from portal.declaration.load import load
from portal.declaration.shapes import Declaration
from portal.settings import Settings


@dataclass(frozen=True)
class Opened:
    """One portal as a command works on it."""

    settings: Settings
    tables: Tables
    engine: Engine

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration


def opened(fitting: bool = True, folder: Path | None = None) -> Opened:
    """The portal of this call. Mistakes in its declarations exit 1; a database that cannot be had exits 2.

    `fitting`: the database must have all that the declaration wants, else exit 1 with what to do.
    """
    settings = chosen_settings(folder)
    loaded = load(settings.folder, settings.declared)
    if loaded.declaration is None:
        for problem in loaded.errors:
            click.echo(problem)
        raise SystemExit(1)
    tables = build(loaded.declaration)
    portal = Opened(settings, tables, engine_of(settings))
    if fitting:
        _check_fit(portal)
    return portal


def engine_of(settings: Settings) -> Engine:
    """The database's engine, tried once; a database that cannot be had exits 2."""
    try:
        settings.make_room()
        engine = reach(settings.database_url)
    except OSError as error:
        raise click.UsageError(f"no room for the database: {error}") from None
    except DatabaseUnreachableError as error:
        raise click.UsageError(str(error)) from None
    click.get_current_context().call_on_close(engine.dispose)
    return engine


def _check_fit(portal: Opened) -> None:
    try:
        with reading(portal.engine) as connection:
            lacking = blocking_steps(connection, portal.tables)
    except DatabaseError as error:
        raise click.UsageError(f"the database refuses: {driver_error(error)}") from None
    if lacking:
        steps = "\n".join(f"  {step.sentence}" for step in lacking[:10])
        more = f"\n  … and {len(lacking) - 10} more" if len(lacking) > 10 else ""
        raise click.ClickException(f"the database lacks what the declarations want; run `portal apply`:\n{steps}{more}")
