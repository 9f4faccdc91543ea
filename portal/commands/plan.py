"""`portal plan`: say what the database still lacks."""

import json
from pathlib import Path

import click

from portal.commands.database_errors import database_refusals_explained
from portal.commands.open_portal import open_portal, print_overdue
from portal.commands.options import common_options
from portal.database.migration.plan_and_apply import plan
from portal.database.migration.plan_steps import step_entry
from portal.database.migration.saved_plan import saved_plan
from portal.declaration.declared_files import files_digest

CHANGES = 3  # the exit code


@click.command("plan", short_help="Say what the database still lacks.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan for `portal apply FILE`.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@common_options
def command(out: Path | None, form: str) -> None:
    """Say in sentences what the database lacks to match the declarations. Nothing is changed.

    Steps that would lose data are marked with an exclamation mark. For large tables, it says how long a step takes and
    who has to wait. Exits 0 if there is nothing to do, 3 if there is, 1 if the declarations have mistakes.

    Example: portal plan --out plan.json
    """
    portal = open_portal(check_database=False)
    try:
        with database_refusals_explained():
            made = plan(portal.engine, portal.tables)
            if out is not None:
                saved = saved_plan(portal.engine, portal.tables, files_digest(portal.settings.folder), made.steps)
                out.write_text(saved.write(made.steps), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from None
    if form == "json":
        entries = [step_entry(step) for step in made.steps]
        click.echo(json.dumps({"changes": bool(entries), "steps": entries}, indent=2, ensure_ascii=False))
    else:
        click.echo(made)
        if not made.steps:
            print_overdue(portal)
    raise SystemExit(CHANGES if made.steps else 0)
