"""The options of every command, before or after its name, the settings that they choose, and password files.

Imports no database code, so that `portal check` does not wait for its libraries.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
from pydantic import ValidationError

from portal.settings import PREFIX, ProcessSettings, read_settings

Command = TypeVar("Command", bound=Callable[..., Any])


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    # All contexts of one call share `meta`; an option after the command's name is read later, and wins.
    if value is not None:
        context.meta[f"{__name__}.{option.name}"] = value


def common_options(command: Command) -> Command:
    """Gives a command `--folder` and `--database`, which `chosen_settings` reads."""
    database = click.option(
        "--database",
        metavar="URL",
        expose_value=False,
        callback=_remember,
        help=f"The database; default: {PREFIX}DATABASE.",
    )
    folder = click.option(
        "--folder", metavar="FOLDER", type=click.Path(path_type=Path), expose_value=False, callback=_remember,
        help=f"The folder of modules.yaml; default: {PREFIX}FOLDER, then the current folder.",
    )  # fmt: skip
    return folder(database(command))


def chosen_settings(folder: Path | None = None, *, is_there: bool = True) -> ProcessSettings:
    """The settings of this call; the argument `folder` beats the option. Exits 2 if a setting is wrong, or if a folder
    that must exist is missing."""
    chosen = click.get_current_context().meta
    try:
        settings = read_settings(
            None, folder=folder or chosen.get(f"{__name__}.folder"), database=chosen.get(f"{__name__}.database")
        )
    except ValidationError as error:
        wrong = [
            f"{PREFIX}{'_'.join(map(str, mistake['loc'])).upper()}: {mistake['msg']}" for mistake in error.errors()
        ]
        raise click.UsageError("; ".join(wrong)) from None
    if is_there and not settings.folder.is_dir():
        raise click.UsageError(f'there is no folder "{settings.folder}"')
    return settings


def chosen_color() -> bool | None:
    """Whether output has colors: None leaves that to click, which colors terminals but not pipes."""
    return False if read_settings().no_color else None


def read_password(file: TextIO) -> str:
    """The password in a file given as an option: its first line."""
    try:
        return file.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file.name} is not a text file: the password is its first line") from None
