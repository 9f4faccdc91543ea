"""`portal COMMAND …`: one file or folder per command, imported only when it is called.

A file here is a command if it defines `command`; its name is the file's or the folder's. Commands open the portal,
call the layers below, and say in one line what they did.
"""

import ast
import importlib
import re
from pathlib import Path

import click

from portal.commands.options import common_options

HERE = Path(__file__).parent
DEFINES = re.compile(r"^(def command\(|command\s*[:=])", re.MULTILINE)


def command_files() -> dict[str, Path]:
    """The commands by name, each with its file; `import_.py` is `import`, `explain_problem.py` `explain-problem`."""
    paths = [*HERE.glob("[a-z]*.py"), *HERE.glob("[a-z]*/__init__.py")]
    commands = {_module_name(path): path for path in paths if DEFINES.search(path.read_text(encoding="utf-8"))}
    return {name.rstrip("_").replace("_", "-"): commands[name] for name in sorted(commands)}


def _module_name(path: Path) -> str:
    """The name of a command's module in this package."""
    return path.parent.name if path.stem == "__init__" else path.stem


def _purpose(path: Path) -> str:
    """What a command is for, in the first line of its file."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.sub(r"^`[^`]*`:\s*", "", docstring.partition("\n")[0])


class Commands(click.Group):
    """The commands of this folder. Listing them imports none: `check` does not wait for the libraries of the web."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the files of this folder."""
        return list(command_files())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        path = command_files().get(cmd_name)
        return importlib.import_module(f"{__name__}.{_module_name(path)}").command if path else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of `portal --help`, from the first line of each file: nothing is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _purpose(path)) for name, path in command_files().items()])


@click.group("portal", cls=Commands)
@common_options
@click.version_option(package_name="declared-portal")
def main() -> None:
    """A customer portal whose modules are declared in YAML.

    Example: portal check examples/northwind
    """
