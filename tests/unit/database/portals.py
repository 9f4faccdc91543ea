"""A declaration from a few lines of YAML, for tests that need nothing else of a portal."""

from pathlib import Path

from portal.declaration.declaration import Declaration
from portal.declaration.load import load


def declared(folder: Path, modules: str, top: str = "") -> Declaration:
    """The declaration whose `modules:` are this text; there is one profile, which enables nothing."""
    indented = "\n".join(f"  {line}" for line in modules.strip("\n").splitlines())
    (folder / "profiles").mkdir(parents=True, exist_ok=True)
    (folder / "profiles" / "staff.yaml").write_text("modules: {}\n", encoding="utf-8")
    (folder / "modules.yaml").write_text(f"{top}\nmodules:\n{indented}\n", encoding="utf-8")
    loaded = load(folder)
    if loaded.declaration is None:
        raise ValueError("\n".join(map(str, loaded.errors)))
    return loaded.declaration


# Every folder of declarations that comes with the portal, without those that hold one mistake each.
SHIPPED = (".", "examples/northwind", "benchmarks/portal", "tests/portals/small", "tests/portals/wide")


def load_shipped(folder: str) -> Declaration:
    """The declaration of a shipped folder."""
    loaded = load(Path(__file__).parents[3] / folder)
    if loaded.declaration is None:
        raise ValueError("\n".join(map(str, loaded.errors)))
    return loaded.declaration
