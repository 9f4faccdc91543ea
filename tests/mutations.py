"""Typical mistakes in editing YAML: one per variant, random from a seed."""

import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.declaration.load import load

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
ENTRY = re.compile(r"(\s*(?:- )?\w+: )(\S.*)$")
OTHER_VALUES = ("12", "true", "[one]", "{a: b}", "nobody", "3 sheep")


@dataclass(frozen=True)
class Variant:
    """A file of a folder with one mistake; `problem` is the first that `portal check` finds."""

    file: str
    text: str
    problem: str


def broken_variants(folder: Path, copy: Path, seed: int) -> Iterator[Variant]:
    """Endlessly yields single edits of a valid folder that `portal check` refuses. `copy`: where they are tried."""
    chance = random.Random(seed)
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("var", ".git", ".venv", "tests", "demo", "portal"))
    profiles = [f"profiles/{path.name}" for path in sorted(copy.glob("profiles/*.yaml"))]
    files = [*["modules.yaml"] * 5, "buttons.yaml", *profiles * 2]
    seen = set()
    while True:
        file = chance.choice([name for name in files if (copy / name).exists()])
        text = (copy / file).read_text()
        edited = _edited(chance, text)
        if edited == text or (file, edited) in seen:
            continue
        seen.add((file, edited))
        (copy / file).write_text(edited)
        errors = load(copy).errors
        (copy / file).write_text(text)
        if errors:
            yield Variant(file, edited, str(errors[0]))


def _edited(chance: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    number = chance.choice([n for n, line in enumerate(lines) if line.strip() and not line.strip().startswith("#")])
    line, kind = lines[number], chance.random()
    if kind < 0.6:
        lines[number] = _misspelled(chance, line)
    elif kind < 0.7:
        lines[number] = ""
    elif kind < 0.85:
        lines[number] = ENTRY.sub(lambda entry: entry[1] + chance.choice(OTHER_VALUES), line)
    elif kind < 0.9:
        lines[number] = line * 2
    else:
        lines[number] = chance.choice(["  " + line, line[1:] if line.startswith(" ") else " " + line])
    return "".join(lines)


def _misspelled(chance: random.Random, line: str) -> str:
    words = list(WORD.finditer(line.split(" #")[0]))
    if not words:
        return line
    word = chance.choice(words)
    letters, place = word[0], chance.randrange(1, len(word[0]))
    dropped = letters[:place] + letters[place + 1 :]
    doubled = letters[:place] + letters[place] + letters[place:]
    swapped = letters[: place - 1] + letters[place] + letters[place - 1] + letters[place + 1 :]
    return line[: word.start()] + chance.choice([dropped, doubled, swapped, letters + "s"]) + line[word.end() :]
