"""A declaration from a few lines of YAML, for tests that need nothing else of a portal."""

from pathlib import Path

from portal.declaration.load import load
from portal.declaration.shapes import Declaration


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
