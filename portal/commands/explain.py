"""`portal explain`: may this person see that, and which lines of the declaration decided."""

from collections.abc import Iterator

import click

from portal.accounts.people import find_account, identify, refusal
from portal.commands.opening import Opened, opened
from portal.commands.options import common_options
from portal.database.engine import Connection, reading
from portal.declaration.shapes import Declaration
from portal.declaration.source.places import Places
from portal.records.audit.explain import Step, explain
from portal.texts import translate


@click.command("explain", short_help="Say whether somebody may see or do something, and why.")
@click.option("--as", "email", required=True, metavar="EMAIL", help="The account that is asked about.")
@click.argument("module")
@click.argument("reference")
@click.argument("asked", metavar="[FIELD or ACTION]", required=False)
@common_options
def command(email: str, module: str, reference: str, asked: str | None) -> None:
    """Say yes or no, and the lines that decided. `yes` exits 0, `no` 1.

    Example: portal explain --as anna@acme.example tickets TT30 notes
    """
    portal = opened()
    places = Places(portal.settings.folder)
    if module not in portal.declaration.modules:
        raise click.UsageError(f'there is no module "{module}"')
    with reading(portal.engine) as connection:
        account = find_account(connection, portal.tables, email)
        steps = list(_steps(connection, portal, email, (module, reference, asked)))
    for step in steps:
        place = _written(places, portal.declaration, step, account and account.profile)
        click.echo(f"{'yes' if step.holds else 'no '}  {step.sentence}{place}")
    answer = all(step.holds for step in steps)
    click.echo("yes" if answer else "no")
    raise SystemExit(0 if answer else 1)


def _steps(connection: Connection, portal: Opened, email: str, question: tuple[str, str, str | None]) -> Iterator[Step]:
    """The account first: whoever may not come in, sees nothing."""
    now = portal.declaration.reader().now
    account = find_account(connection, portal.tables, email)
    if account is None:
        raise click.UsageError(f"there is no account {email}")
    why = refusal(connection, portal.tables, account, now)
    sentence = translate(why, "en") if why else f"{account.email} may sign in, with the profile {account.profile}"
    yield Step(why is None, sentence)
    if why is None:
        language = portal.declaration.settings.languages[0]
        identity = identify(connection, portal.tables, account, language=language, now=now)
        try:
            yield from explain(connection, identity.policy, *question)
        except LookupError as error:
            raise click.ClickException(str(error.args[0])) from None


def _written(places: Places, declaration: Declaration, step: Step, profile: str | None) -> str:
    """The first of the step's keys that is written somewhere: in the profile, in those it extends, in the module."""
    while profile in declaration.profiles:
        file = f"profiles/{profile}.yaml"
        for keys in step.profile_keys:
            if places.has(file, keys):
                return f"  ({places.line(file, keys)})"
        profile = declaration.profiles[profile].extends
    for keys in step.module_keys:
        if places.has("modules.yaml", ("modules", *keys)):
            return f"  ({places.line('modules.yaml', ('modules', *keys))})"
    return ""
