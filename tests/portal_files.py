"""A portal's folder, written from texts or copied; and the declaration of a valid one."""

import shutil
from pathlib import Path

from portal.declaration.declaration import Declaration
from portal.declaration.load import load


def write_portal(folder: Path, modules: str, buttons: str = "", **profiles: str) -> Path:
    """Writes modules.yaml, profiles/NAME.yaml for each of `profiles`, and buttons.yaml where there are buttons."""
    (folder / "profiles").mkdir(parents=True, exist_ok=True)
    texts = {"modules": modules, **{f"profiles/{name}": text for name, text in profiles.items()}}
    for name, text in (texts | ({"buttons": buttons} if buttons else {})).items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def copied(folder: Path, to: Path) -> Path:
    """A copy of a folder's declarations, with its demo if it has one."""
    to.mkdir(parents=True, exist_ok=True)
    for part in (folder / name for name in ("modules.yaml", "buttons.yaml", "logo.svg", "profiles", "demo")):
        if part.is_dir():
            shutil.copytree(part, to / part.name)
        elif part.exists():
            shutil.copy(part, to)
    return to


def change(folder: Path, old: str, new: str, file: str = "modules.yaml") -> None:
    """Replaces the first occurrence of a text in one of the files."""
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def load_whole(folder: Path) -> Declaration:
    """The declaration of a valid folder."""
    loaded = load(folder)
    if loaded.declaration is None:
        raise ValueError("\n".join(map(str, loaded.errors)))
    return loaded.declaration
