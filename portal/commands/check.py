"""`portal check`: every mistake of the declarations at once, each with its place."""

import importlib
from dataclasses import replace
from pathlib import Path

import click

from portal.commands.options import chosen_settings, common_options
from portal.declaration.load import Loaded, load


@click.command("check", short_help="Find every mistake in the declarations.")
@click.argument("place", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@click.option("--data", is_flag=True, help="Against the database too: expectations, and records that are named.")
@common_options
def command(place: Path | None, data: bool) -> None:
    """Find every mistake in the declarations of FOLDER, each with its place.

    Exits 0 when they are clean or have warnings alone, else 1.

    Example: portal check examples/northwind
    """
    settings = chosen_settings(place)
    loaded = load(settings.folder, settings.declared)
    if data and loaded.declaration is not None:
        found = importlib.import_module("portal.commands.data").data_problems(place)
        loaded = replace(loaded, problems=[*loaded.problems, *found])
    for problem in loaded.problems:
        click.echo(problem)
    click.echo(summary(loaded))
    raise SystemExit(1 if loaded.errors else 0)


def summary(loaded: Loaded) -> str:
    """One line: how many mistakes, or what was found to be in order."""
    errors, warnings = len(loaded.errors), len(loaded.problems) - len(loaded.errors)
    declaration = loaded.declaration
    if errors or declaration is None:
        return ", ".join([counted(errors, "error"), *([counted(warnings, "warning")] if warnings else [])])
    buttons = [name for name in declaration.buttons if not name.startswith("module:")]
    found = [
        counted(len(declaration.modules), "module"),
        counted(len(declaration.profiles), "profile"),
        counted(len(buttons), "button"),
    ]
    told = f" ({counted(warnings, 'warning')})" if warnings else ""
    return f"No mistakes{told}: {', '.join(found)}"


def counted(number: int, what: str) -> str:
    """`1 error`, `3 errors`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
