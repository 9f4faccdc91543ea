"""`portal new`: write a commented starting point for a module, a field or a profile."""

from collections.abc import Callable

import click

from portal.commands.options import chosen_settings, common_options
from portal.workshop.scaffolding import CannotStartError, Start, new_field, new_module, new_profile
from portal.workshop.yaml_text import CannotBeEditedError


@click.group("new", short_help="Write a commented starting point for a module, field or profile.")
@common_options
def command() -> None:
    """Write a commented starting point that is already valid; the rest of the files is never changed.

    Example: portal new module visits
    """


@command.command("module")
@click.argument("name")
@click.option("--profile", "profiles", multiple=True, help="Who has it; default: staff profiles. May be repeated.")
@common_options
def module(name: str, profiles: tuple[str, ...]) -> None:
    """Add a module with a few fields to modules.yaml, and name it in the profiles.

    Example: portal new module visits --profile customer
    """
    settings = chosen_settings()
    _write(lambda: new_module(settings.folder, name, profiles, settings.declared))


@command.command("field")
@click.argument("name", metavar="MODULE.NAME")
@click.option("--type", "kind", default="text", help="The type of the field (text).")
@common_options
def field(name: str, kind: str) -> None:
    """Add a field to a module, and name it in the layouts of modules.yaml that list their fields.

    Example: portal new field tickets.floor --type integer
    """
    settings = chosen_settings()
    of_module, dot, own = name.partition(".")
    if not dot:
        raise click.UsageError(f"say which module: MODULE.{name}")
    _write(lambda: new_field(settings.folder, of_module, own, kind, settings.declared))


@command.command("profile")
@click.argument("name")
@click.option("--extends", help="The profile that it extends.")
@common_options
def profile(name: str, extends: str | None) -> None:
    """Write profiles/NAME.yaml.

    Example: portal new profile guest
    """
    settings = chosen_settings()
    _write(lambda: new_profile(settings.folder, name, extends, settings.declared))


def _write(start: Callable[[], Start]) -> None:
    try:
        result = start()
    except (CannotStartError, CannotBeEditedError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    for sentence in result.hints:
        click.echo(f"Next: {sentence}")
    click.echo(f"Wrote {'; '.join(result.done)}")
