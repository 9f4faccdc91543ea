"""A declaration from a few lines of YAML, for tests that need nothing else from a portal."""

from pathlib import Path

from portal.declaration.declaration import Declaration
from tests.portal_files import load_whole, write_portal


def declared(folder: Path, modules: str, top: str = "") -> Declaration:
    """The declaration with this text as `modules:` and one profile, which enables nothing."""
    indented = "\n".join(f"  {line}" for line in modules.strip("\n").splitlines())
    return load_whole(write_portal(folder, f"{top}\nmodules:\n{indented}\n", staff="modules: {}\n"))


# Every folder of declarations that comes with the portal, except those with one deliberate mistake each.
SHIPPED = (".", "examples/northwind", "benchmarks/portal", "tests/portals/small", "tests/portals/wide")


def load_shipped(folder: str) -> Declaration:
    """The declaration of a shipped folder."""
    return load_whole(Path(__file__).parents[3] / folder)
