"""How much of what is wrong an editor underlines by the schemas alone, with the real yaml-language-server.

    npm install --prefix var/drill yaml-language-server
    .venv/bin/python -m tests.drills.editor [VARIANTS]

Opens every valid folder, in which nothing may be underlined, and single mistakes in the demo: at least 70 % of those
that `portal check` refuses must be. Exits 1 otherwise, 0 without having looked where there is no such program.
"""

import itertools
import shutil
import sys
import tempfile
from pathlib import Path

from portal.workshop.schema.files import schema_line, write_schemas
from tests.language_client import LanguageClient
from tests.mutations import broken_variants

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "var/drill/node_modules/.bin/yaml-language-server"
FOLDERS = (ROOT, ROOT / "examples/northwind", *(ROOT / "tests/portals" / name for name in ("small", "wide", "post")))
ENOUGH = 0.7
NOT_OURS = ("Unused anchor",)  # what the server says of YAML itself


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
        tried = list(itertools.islice(broken_variants(demo, Path(folder, "broken"), seed=1), variants))
        missed = [each for each in tried if not _underlined(server, demo / each.file, each.text)]
    server.stop()
    print(*wrongly, *(f"not underlined: {variant.problem}" for variant in missed), sep="\n")  # noqa: T201
    seen = len(tried) - len(missed)
    print(f"{seen} of {len(tried)} mistakes underlined, {len(wrongly)} wrongly")  # noqa: T201
    return 0 if not wrongly and seen >= ENOUGH * len(tried) else 1


def _wrongly(server: LanguageClient, valid: Path, copy: Path) -> list[str]:
    """What is underlined in a valid folder."""
    copy.mkdir()
    for name in ("modules.yaml", "buttons.yaml", "logo.svg"):
        if (valid / name).exists():
            shutil.copy(valid / name, copy)
    shutil.copytree(valid / "profiles", copy / "profiles")
    write_schemas(copy)
    files = [path.relative_to(copy).as_posix() for path in sorted(copy.rglob("*.yaml"))]
    texts = {file: f"{schema_line(file)}\n{(copy / file).read_text()}" for file in files}
    return [
        f"{valid / file}: {sentence}"
        for file, text in texts.items()
        for sentence in _underlined(server, copy / file, text)
    ]


def _underlined(server: LanguageClient, path: Path, text: str) -> list[str]:
    """What the server says about a text of a file of this name, without what it says of YAML itself."""
    found = [diagnostic["message"] for diagnostic in server.open(path, text)]
    server.close(path)
    server.diagnostics(path)  # none, now that it is closed
    return [sentence for sentence in found if not sentence.startswith(NOT_OURS)]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
