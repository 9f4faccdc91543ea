"""`portal explain-problem`: what the code of a problem means, with an example of wrong and right."""

import click

from portal.commands.options import chosen_color, common_options
from portal.commands.problem_text import explanation
from portal.declaration.kinds import kinds
from portal.declaration.source.suggestions import suggest


@click.command("explain-problem", short_help="Say what the code of a problem means.")
@click.argument("code", required=False)
@common_options
def command(code: str | None) -> None:
    """Say what the CODE of a problem means, with an example of wrong and right; without CODE, list all codes.

    Example: portal explain-problem P201
    """
    if code is None:
        click.echo("\n".join(f"{known}  {each.title}" for known, each in kinds().items()))
        return
    kind = kinds().get(code.upper())
    if kind is None:
        raise click.UsageError(f'there is no code "{code}"{suggest(code, kinds())}')
    click.echo(explanation(kind), color=chosen_color())
