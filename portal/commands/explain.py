"""`portal explain`: say whether a person may see something, and which lines of the declaration decided."""

from collections.abc import Iterator

import click

from portal.accounts.accounts import find_account
from portal.accounts.identity import identify, sign_in_refusal
from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import OpenPortal, open_portal
from portal.commands.options import common_options
from portal.database.engine import Connection, reading
from portal.declaration.source.places import Places
from portal.records.audit.deciding_line import deciding_lines
from portal.records.audit.explain import ExplainStep, explain
from portal.texts import translate


@click.command("explain", short_help="Say whether someone may see or do something, and why.")
@click.option("--as", "email", required=True, metavar="EMAIL", help="The account in question.")
@click.argument("module")
@click.argument("reference")
@click.argument("field_or_action", metavar="[FIELD or ACTION]", required=False)
@common_options
def command(email: str, module: str, reference: str, field_or_action: str | None) -> None:
    """Print yes or no, and the lines that decided. Exits 0 for yes, 1 for no.

    Example: portal explain --as anna@acme.example tickets TT30 notes
    """
    portal = open_portal()
    portal.check_module(module)
    places = Places(portal.settings.folder)
    with database_errors_explained(), reading(portal.engine) as connection:
        account = find_account(connection, portal.tables, email)
        steps = list(_steps(connection, portal, email, (module, reference, field_or_action)))
    profile = account.profile if account else None
    for step in steps:
        lines = ", ".join(map(str, deciding_lines(places, portal.declaration, step, profile)))
        sentence = translate(step.sentence, "en")
        click.echo(f"{'yes' if step.holds else 'no '}  {sentence}{f'  ({lines})' if lines else ''}")
    answer = all(step.holds for step in steps)
    click.echo("yes" if answer else "no")
    raise SystemExit(0 if answer else 1)


def _steps(
    connection: Connection, portal: OpenPortal, email: str, question: tuple[str, str, str | None]
) -> Iterator[ExplainStep]:
    """The steps of an explanation, the account first: a person who may not sign in sees nothing."""
    now = portal.declaration.reader().now
    account = find_account(connection, portal.tables, email)
    if account is None:
        raise click.UsageError(f"there is no account {email}")
    refusal = sign_in_refusal(connection, portal.tables, account, now)
    may = f"{account.email} may sign in, with the profile {account.profile}"
    yield ExplainStep(refusal is None, refusal.reason if refusal else may)
    if refusal is None:
        language = portal.declaration.settings.languages[0]
        identity = identify(connection, portal.tables, account, language=language, now=now)
        try:
            yield from explain(connection, identity.policy, *question)
        except LookupError as error:
            raise click.ClickException(str(error.args[0])) from None
