"""What `portal check` says about files broken in every way: never a traceback, always a place, one cause once.

    .venv/bin/python -m tests.drills.broken_yaml [EDITS]

Breaks each file of each valid folder in EDITS ways on one line, and in some fifty ways as a whole. Prints exceptions,
problems without a place in an existing file, and one-line edits that cause several problems. Exits 1 if anything
raised, lacked a place, or more than one edit in ten caused several problems.
"""

import contextlib
import os
import random
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from portal.declaration.load import load
from tests.drills.editor import FOLDERS
from tests.portal_files import copied

ENTRY = re.compile(r"^(\s*(?:- )?)([^\s:#][^:#]*):(?: (.*))?$")
VALUES = (
    *("12", "true", "null", "~", "[]", "{}", '""', "''", "1e400", "-0", ".inf", ".nan", "99999999999999999999999999"),
    *("0x1F", "1_000", "2026-13-45", "12:99", "!x y", "!!python/object:os.system ls", "&a b", "*a", "'unclosed"),
    *('"unclosed', '"\\q"', "[unclosed", "{unclosed", "unopened]", "|", ">", "- a", "a: b: c", "@x", "`x", "%x", "? x"),
    *("[one, two]", "{a: b}", "[[[]]]", "nobody", "3 sheep", "\x00", "\x07", "\u2028", "\ud7ff", "☃", "Ünïcode", "a#b"),
    *("{<<: *a}", "[{}]", "[null]", "{null: 1}", "{1: 2}", "{[a]: b}", "${x}", "{number", "{}{}"),
    *("x" * 5000, "9" * 5000),
)
INSERTED = (
    *("<<: *nothing", "<<: {a: b}", "a: &a b", "*a : b", "? a", "- a", "nonsense", "...", "---", "%YAML 1.1", "\tx: y"),
    *("? [a, b]\n: c", "!!set {a}", "unknown_key: 1", "1: 2", "null: 1", "true: 1", '"": 1', "''", "]", "}", "a:b"),
)


@dataclass
class Findings:
    """The findings; `repeated`: one-line edits that caused several problems."""

    tried: int = 0
    refused: int = 0
    raised: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)

    def look(self, folder: Path, what: str, of_a_line: bool) -> None:
        """Checks a folder."""
        self.tried += 1
        try:
            problems = load(folder).problems
            sentences = [str(problem) for problem in problems]
        except Exception:  # noqa: BLE001 - that nothing is raised is what is looked at
            self.raised.append(f"{what}:\n{traceback.format_exc(limit=-4)}")
            return
        errors = [problem for problem in problems if not problem.warning]
        self.refused += bool(errors)
        for problem, sentence in zip(problems, sentences, strict=True):
            if not _is_placed(folder, problem.file, problem.line, problem.column) or "\n" in sentence:
                self.misplaced.append(f"{what}: {sentence}")
        if of_a_line and len(errors) > 1:
            self.repeated.append("\n    ".join([what, *map(str, errors)]))


def main(edits: int) -> int:
    """The exit status."""
    findings, chance = Findings(), random.Random(1)
    with tempfile.TemporaryDirectory() as temporary:
        for number, valid in enumerate(FOLDERS):
            folder = copied(valid, Path(temporary, str(number)))
            for path in sorted(folder.rglob("*.yaml")):
                _break(folder, path, edits, chance, findings)
    print(*findings.raised, *findings.misplaced, *findings.repeated, sep="\n")  # noqa: T201
    print(  # noqa: T201
        f"{findings.tried} tried, {findings.refused} refused, {len(findings.raised)} raised,"
        f" {len(findings.misplaced)} without their place, {len(findings.repeated)} lines with several problems"
    )
    return 1 if findings.raised or findings.misplaced or len(findings.repeated) > findings.tried / 10 else 0


def _break(folder: Path, path: Path, edits: int, chance: random.Random, findings: Findings) -> None:
    whole, name = path.read_bytes(), path.relative_to(folder).as_posix()
    for kind, raw in _wholes(whole):
        path.write_bytes(raw)
        findings.look(folder, f"{name}, {kind}", of_a_line=False)
    for kind, around in _places(path):
        path.unlink(missing_ok=True)
        with around:
            findings.look(folder, f"{name}, {kind}", of_a_line=False)
    path.write_bytes(whole)
    for _edit in range(edits):
        kind, raw = _edited(chance, whole.decode())
        path.write_bytes(raw.encode("utf-8", "surrogatepass"))
        findings.look(folder, f"{name}, {kind}", of_a_line=True)
    path.write_bytes(whole)


def _wholes(whole: bytes) -> Iterator[tuple[str, bytes]]:
    """The file as a whole, broken or odd."""
    text = whole.decode()
    for odd in (b"", b"\n", b"# nothing\n", b"null", b"x", b"- a", b"[]", b"{}", b"12", b'""', b"---\n---\n", b"\x00"):
        yield f"{odd!r} alone", odd
    yield "a byte order mark", b"\xef\xbb\xbf" + whole
    yield "two byte order marks", b"\xef\xbb\xbf" * 2 + whole
    yield "CRLF", whole.replace(b"\n", b"\r\n")
    yield "CR", whole.replace(b"\n", b"\r")
    yield "UTF-16", text.encode("utf-16")
    yield "UTF-16 without a mark", text.encode("utf-16-le")
    yield "UTF-32", text.encode("utf-32")
    yield "Latin 1", text.replace("e", "é", 20).encode("latin-1", "replace")
    yield "tabs", whole.replace(b"    ", b"\t")
    yield "its first half", whole[: len(whole) // 2]
    yield "without its last byte", whole[:-1]
    yield "twice", whole * 2
    yield "two documents", whole + b"---\n" + whole
    yield "zeroes at its end", whole + b"\x00" * 4096
    yield "nothing but zeroes", b"\x00" * len(whole)
    yield "a version of YAML", b"%YAML 1.1\n---\n" + whole
    yield (
        "anchors without bound",
        b"a: &a [x,x]\n"
        + b"".join(b"b%d: &b%d [%s]\n" % (n, n, b",".join([b"*b%d" % (n - 1) if n else b"*a"] * 9)) for n in range(12))
        + whole,
    )
    yield "an alias to itself", b"a: &a [*a]\n" + whole
    yield "a merge of itself", b"a: &a {<<: *a}\n" + whole
    yield "deep", b"a: " + b"[" * 50_000 + b"]" * 50_000 + b"\n" + whole
    yield "deep mappings", b"a: " + b"{a: " * 3_000 + b"1" + b"}" * 3_000 + b"\n" + whole
    yield "a long line", b"a: " + b"x" * 2_000_000 + b"\n" + whole
    yield "many keys", b"".join(b"k%d: 1\n" % n for n in range(20_000)) + whole
    yield "too large", b"#" * 17_000_000
    yield "JSON", b'{"modules": {"a": {"fields": {"b": "text"}}}}'


def _places(path: Path) -> Iterator[tuple[str, contextlib.AbstractContextManager[None]]]:
    """Something else where the file was."""

    @contextlib.contextmanager
    def made(make: object, *arguments: object) -> Iterator[None]:
        make(*arguments)  # type: ignore[operator]
        yield
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    yield "a folder", made(os.mkdir, path)
    yield "a link to nothing", made(os.symlink, "nothing", path)
    yield "a link to itself", made(os.symlink, path.name, path)
    yield "a link to a folder", made(os.symlink, ".", path)
    yield "a pipe", made(os.mkfifo, path)
    yield "a link to a device", made(os.symlink, "/dev/zero", path)


def _edited(chance: random.Random, text: str) -> tuple[str, str]:
    """One line, broken: what was done, and the text."""
    lines = text.split("\n")
    number = chance.choice([n for n, line in enumerate(lines) if line.strip() and not line.strip().startswith("#")])
    line = lines[number]
    indent = line[: len(line) - len(line.lstrip())]
    entry, kind = ENTRY.match(line), chance.randrange(9)
    if kind == 0:
        lines[number], done = "", "taken away"
    elif kind == 1 and entry:
        key = entry[2]
        place = chance.randrange(len(key))
        lines[number], done = f"{entry[1]}{key[:place]}{key[place + 1 :]}: {entry[3] or ''}", "a letter left out"
    elif kind in (2, 3) and entry:
        value = chance.choice(VALUES)
        lines[number], done = f"{entry[1]}{entry[2]}: {value}", f"the value {value[:20]!r}"
    elif kind == 4:
        lines[number] = chance.choice([f" {line}", line[1:] if indent else f"   {line}", f"\t{line.lstrip()}"])
        done = "indented otherwise"
    elif kind == 5:
        lines[number], done = f"{line}\n{line}", "twice"
    elif kind == 6:
        added = chance.choice(INSERTED)
        lines[number], done = f"{line}\n{indent}{added}", f"{added!r} below"
    elif kind == 7:
        other = line.replace(chance.choice(":,[]{}\"' "), "", 1)
        lines[number], done = other, "a sign left out"
    else:
        words = re.findall(r"[a-z_]{3,}", line)
        word = chance.choice(words) if words else ""
        lines[number], done = line.replace(word, chance.choice([f"{word}s", word.upper(), f"no_{word}"]), 1), "a word"
    return f"line {number + 1}, {done}: {lines[number][:120]!r}", "\n".join(lines)


def _is_placed(folder: Path, file: str, line: int, column: int) -> bool:
    """Whether the place is in an existing file; a missing file is reported at its own first line."""
    path = folder / file
    if line < 1 or column < 1:
        return False
    if (line, column) == (1, 1):
        return True
    return path.is_file() and line <= len(re.split(b"\r\n|\r|\n", path.read_bytes()))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
