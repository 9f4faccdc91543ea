"""`portal explain-problem`: say what the code of a problem means, with an example of wrong and right."""

import click

from portal.commands.options import chosen_color, common_options
from portal.declaration.problem_kinds import ProblemKind, kinds
from portal.declaration.source.suggestions import suggest


@click.command("explain-problem", short_help="Say what the code of a problem means.")
@click.argument("code", required=False)
@common_options
def command(code: str | None) -> None:
    """Say what the CODE of a problem means, with an example of wrong and right; without CODE, list all codes.

    Example: portal explain-problem P201
    """
    if code is None:
        click.echo("\n".join(f"{known}  {kind.title}" for known, kind in kinds().items()))
        return
    kind = kinds().get(code.upper())
    if kind is None:
        raise click.UsageError(f'there is no code "{code}"{suggest(code, kinds())}')
    click.echo(_explanation_of_kind(kind), color=chosen_color())


def _explanation_of_kind(kind: ProblemKind) -> str:
    """What a code means: its title, its cure, and an example of wrong and right."""
    lines = [click.style(f"{kind.code}: {kind.title}", bold=True), "", f"{kind.cure[:1].upper()}{kind.cure[1:]}.", ""]
    for word, tone, example in (("Wrong", "red", kind.wrong), ("Right", "green", kind.right)):
        lines += [click.style(f"{word}:", fg=tone), *(f"    {line}".rstrip() for line in example.splitlines()), ""]
    return "\n".join(lines[:-1])
