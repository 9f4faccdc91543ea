"""`portal COMMAND …`: one file per command, imported only when it is called.

A file here is a command if it defines `command`; its name is the file's. Commands read the settings, open what they
need, ask the layers below, and say in one line what they did.
"""

import ast
import importlib
import re
from pathlib import Path

import click

from portal.commands.options import common_options

HERE = Path(__file__).parent
DEFINES = re.compile(r"^(def command\(|command\s*[:=])", re.MULTILINE)


def files() -> dict[str, Path]:
    """The commands by name, each with its file; `import_.py` is `portal import`, which Python could not call so."""
    found = sorted(HERE.glob("[a-z]*.py"))
    return {path.stem.rstrip("_"): path for path in found if DEFINES.search(path.read_text(encoding="utf-8"))}


def purpose(path: Path) -> str:
    """What a command is for, in the first line of its file."""
    words = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    return re.sub(r"^`[^`]*`:\s*", "", words)


class Commands(click.Group):
    """The commands of this folder. Listing them imports none: `check` should not wait for the web's libraries."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(files())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        path = files().get(cmd_name)
        return importlib.import_module(f"{__name__}.{path.stem}").command if path else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose(path)) for name, path in files().items()])


@click.group("portal", cls=Commands)
@common_options
def main() -> None:
    """A customer portal whose modules are declared in YAML.

    Example: portal check examples/northwind
    """
