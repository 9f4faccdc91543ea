"""How many mistakes an editor underlines with the schemas alone, with the real yaml-language-server.

    npm install --prefix var/drill yaml-language-server
    .venv/bin/python -m tests.drills.editor [VARIANTS]

Opens every valid folder, in which nothing may be underlined, and single mistakes in the demo: at least 70 % of those
that `portal check` refuses must be. Requests completions and explanations with the demo's own names. Exits 1 if
anything is missing, 0 without checking if the program is not installed.
"""

import itertools
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from portal.workshop.schema.schema_files import schema_line, write_schemas
from tests.language_client import LanguageClient
from tests.mutations import broken_variants
from tests.portal_files import copied

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "var/drill/node_modules/.bin/yaml-language-server"
FOLDERS = (ROOT, ROOT / "examples/northwind", *(ROOT / "tests/portals" / name for name in ("small", "wide", "post")))
ENOUGH = 0.7
# Where the demo's own names must be offered: the file, a text, what is typed after it, and what is offered.
OFFERED = (
    ("modules.yaml", "people: ", "", "contacts"),
    ("modules.yaml", "    owner: ", "", "caller"),
    ("profiles/power.yaml", "extends: ", "", "customer"),
    ("profiles/customer.yaml", "modules:\n  ", "ti", "tickets"),
    ("buttons.yaml", "opens: tickets\n    tab: ", "", "open"),
)
# What must be explained on hover: the file, a text whose start is pointed at, and a word of the explanation.
EXPLAINED = (
    ("modules.yaml", "organizations: ", "companies"),
    ("modules.yaml", "owner: caller", "whose record"),
    ("profiles/customer.yaml", "can: ", "may"),
    ("buttons.yaml", "count: true\n", "number"),
)
NOT_OURS = ("Unused anchor",)  # the server's messages about YAML itself


def main(variants: int) -> int:
    """The exit status."""
    program = shutil.which("yaml-language-server") or (str(SERVER) if SERVER.exists() else None)
    if program is None:
        print("There is no yaml-language-server: npm install --prefix var/drill yaml-language-server")  # noqa: T201
        return 0
    server = LanguageClient(program, "--stdio")
    with tempfile.TemporaryDirectory() as folder:
        wrongly = [
            line for number, valid in enumerate(FOLDERS) for line in _wrongly(server, valid, Path(folder, str(number)))
        ]
        demo = Path(folder, "0")
        lacking = [*_not_offered(server, demo), *_not_explained(server, demo)]
        tried = list(itertools.islice(broken_variants(demo, Path(folder, "broken"), seed=1), variants))
        missed = [each for each in tried if not _underlined(server, demo / each.file, each.text)]
    server.stop()
    print(*wrongly, *lacking, *(f"not underlined: {variant.problem}" for variant in missed), sep="\n")  # noqa: T201
    seen = len(tried) - len(missed)
    print(  # noqa: T201
        f"{seen} of {len(tried)} mistakes underlined, {len(wrongly)} wrongly;"
        f" {len(OFFERED) + len(EXPLAINED) - len(lacking)} of {len(OFFERED) + len(EXPLAINED)} names offered or explained"
    )
    return 0 if not wrongly and not lacking and seen >= ENOUGH * len(tried) else 1


def _wrongly(server: LanguageClient, valid: Path, copy: Path) -> list[str]:
    """What is wrongly underlined in a valid folder."""
    write_schemas(copied(valid, copy))
    files = [path.relative_to(copy).as_posix() for path in sorted(copy.rglob("*.yaml"))]
    texts = {file: f"{schema_line(file)}\n{(copy / file).read_text()}" for file in files}
    return [
        f"{valid / file}: {sentence}"
        for file, text in texts.items()
        for sentence in _underlined(server, copy / file, text)
    ]


def _not_offered(server: LanguageClient, demo: Path) -> list[str]:
    """What is not offered where it could be typed."""
    missing = []
    for file, before, typed, name in OFFERED:
        text = (demo / file).read_text()
        start = text.index(before) + len(before)
        edited = text[:start] + typed + text[text.index("\n", start) :]
        answer = _asked(server, "textDocument/completion", demo / file, edited, start + len(typed))
        labels = {item["label"] for item in answer["items"]}
        if name not in labels:
            missing.append(f"{file}: {name} is not offered after {before!r}, but {sorted(labels)[:20]}")
    return missing


def _not_explained(server: LanguageClient, demo: Path) -> list[str]:
    """What is not explained on hover."""
    missing = []
    for file, pointed, word in EXPLAINED:
        text = (demo / file).read_text()
        answer = _asked(server, "textDocument/hover", demo / file, text, text.index(pointed) + 1)
        explanation = answer["contents"]["value"] if answer else ""
        if word not in explanation.lower():
            missing.append(f"{file}: {pointed!r} is explained as {explanation!r}, without {word}")
    return missing


def _asked(server: LanguageClient, method: str, path: Path, text: str, offset: int) -> Any:
    """The answer to a question about a place in a text."""
    server.open(path, text)
    line, column = text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)
    document = {"uri": path.as_uri()}
    answer = server.ask(method, {"textDocument": document, "position": {"line": line, "character": column}})
    server.close(path)
    server.diagnostics(path)
    return answer


def _underlined(server: LanguageClient, path: Path, text: str) -> list[str]:
    """What the server says about a text of a file of this name, without what it says of YAML itself."""
    found = [diagnostic["message"] for diagnostic in server.open(path, text)]
    server.close(path)
    server.diagnostics(path)  # none, now that it is closed
    return [sentence for sentence in found if not sentence.startswith(NOT_OURS)]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
