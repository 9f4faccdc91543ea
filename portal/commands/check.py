"""`portal check`: every mistake of the declarations at once, each with its place."""

import importlib
from dataclasses import replace
from pathlib import Path

import click

from portal.commands.options import chosen_settings, common_options
from portal.declaration.load import Loaded, load
from portal.texts import plural


@click.command("check", short_help="Find every mistake in the declarations.")
@click.argument("path", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@click.option("--data", is_flag=True, help="Check against the database too: expectations, and records that are named.")
@common_options
def command(path: Path | None, data: bool) -> None:
    """Find every mistake in the declarations of FOLDER, each with its place.

    Exits 0 when they are clean or have only warnings, else 1.

    Example: portal check examples/northwind
    """
    settings = chosen_settings(path)
    loaded = load(settings.folder, settings.declared)
    if data and loaded.declaration is not None:
        # Imported only here: `check` alone does not wait for the database's libraries.
        problems = importlib.import_module("portal.commands.check_data").data_problems(path)
        loaded = replace(loaded, problems=[*loaded.problems, *problems])
    for problem in loaded.problems:
        click.echo(problem)
    if not loaded.errors:
        click.echo(settings.email_notice)
    click.echo(summary(loaded))
    raise SystemExit(1 if loaded.errors else 0)


def summary(loaded: Loaded) -> str:
    """One line: how many mistakes, or what is in order."""
    errors, warnings = len(loaded.errors), len(loaded.problems) - len(loaded.errors)
    declaration = loaded.declaration
    if errors or declaration is None:
        return ", ".join([plural(errors, "error"), *([plural(warnings, "warning")] if warnings else [])])
    buttons = [name for name in declaration.buttons if not name.startswith("module:")]
    counts = [
        plural(len(declaration.modules), "module"),
        plural(len(declaration.profiles), "profile"),
        plural(len(buttons), "button"),
    ]
    but = f" ({plural(warnings, 'warning')})" if warnings else ""
    return f"No mistakes{but}: {', '.join(counts)}"
