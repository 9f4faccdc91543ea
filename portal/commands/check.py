"""`portal check`: find every mistake in the declarations, each with its place."""

import importlib
from dataclasses import replace
from pathlib import Path

import click

from portal.commands.options import chosen_settings, common_options
from portal.commands.problem_text import problem_in_words, summary_in_words
from portal.declaration.load import Loaded, load
from portal.packages import PAGES, extensions
from portal.settings import NO_WEBHOOK_KEY, ProcessSettings
from portal.texts import plural
from portal.workshop.fixing.fix import fix_problems, save
from portal.workshop.problem_formats import as_annotations, as_json, as_sarif

FORMATS = ("text", "json", "sarif", "github")


@click.command("check", short_help="Find every mistake in the declarations.")
@click.argument("path", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@click.option("--data", is_flag=True, help="Also check against the database: expectations, and records that are named.")
@click.option("--strict", is_flag=True, help="Also fail if there are only warnings.")
@click.option("--fix", is_flag=True, help="First fix what can be fixed without guessing.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", help="For people, programs, or code scanning."
)
@common_options
def command(path: Path | None, data: bool, strict: bool, fix: bool, form: str) -> None:
    """Find every mistake in the declarations of FOLDER, each with its place.

    Exits 0 if there are no mistakes or only warnings, else 1. With --fix, misspelled names, missing spaces, quotes and
    brackets, and wrong indentation are fixed where there is only one way to do so; everything else stays as it is.

    Example: portal check examples/northwind --strict --format sarif
    """
    settings = chosen_settings(path)
    if extensions(PAGES):
        importlib.import_module("portal.application").configured()  # what cannot be used in them becomes a warning
    loaded = _fixed(settings) if fix else load(settings.folder, settings.declared)
    if data and loaded.declaration is not None:
        # Imported only here: `check` alone does not wait for the database's libraries.
        problems = importlib.import_module("portal.commands.check_data").data_problems(path)
        loaded = replace(loaded, problems=[*loaded.problems, *problems])
    if form == "text":
        _print(loaded, settings)
    else:
        _print_for_programs(loaded, form, settings.folder)
    raise SystemExit(1 if loaded.errors or strict and loaded.problems else 0)


def _fixed(settings: ProcessSettings) -> Loaded:
    """What the fixes of a check leave; those done are printed to the error output, which programs do not read."""
    result = fix_problems(settings.folder, settings.declared)
    for file, (before, after) in result.files.items():
        try:
            if not save(settings.folder / file, before, after):
                raise click.ClickException(f"{file} has changed in the meantime: check again")
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None
    for problem in result.done:
        click.echo(f"fixed {problem}", err=True)
    click.echo(f"{plural(len(result.done), 'problem')} fixed in {plural(len(result.files), 'file')}", err=True)
    return result.loaded


def _print(loaded: Loaded, settings: ProcessSettings) -> None:
    for problem in loaded.problems:
        click.echo(problem_in_words(problem), color=False if settings.no_color else None)
    if not loaded.errors:
        click.echo(settings.email_notice)
    if loaded.declaration and (notice := settings.sign_in_notice(loaded.declaration.settings.sign_in)):
        click.echo(notice)
    if loaded.declaration and loaded.declaration.webhooks and settings.webhook_key is None:
        click.echo(NO_WEBHOOK_KEY)
    click.echo(summary_in_words(loaded))


def _print_for_programs(loaded: Loaded, form: str, folder: Path) -> None:
    base = _from_here(folder)
    if form == "json":
        click.echo(as_json(loaded.problems))
    elif form == "sarif":
        click.echo(as_sarif(loaded.problems, base))
    else:
        for line in as_annotations(loaded.problems, base):
            click.echo(line)


def _from_here(folder: Path) -> str:
    """The checked folder relative to the current one, which in a workflow is the root of the repository."""
    here = Path.cwd().resolve()
    resolved = folder.resolve()
    return resolved.relative_to(here).as_posix() if resolved.is_relative_to(here) else resolved.as_posix()
