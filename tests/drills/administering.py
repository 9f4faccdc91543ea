"""Does what docs/administering.md says, and compares what the terminal answers.

    .venv/bin/python -m tests.drills.administering

Each block is run in a copy of the demo, a git repository of its own. Exits 1 where an answer is another one.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "administering.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
NO_EMAIL = "Email is not sent"  # said by `portal check`, and no matter of this page
START = "git init -q && git add -A && git commit -qm 'As it runs' && portal apply && portal demo"


def main() -> int:
    """The exit status."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("profiles", "demo"):
            shutil.copytree(ROOT / name, folder / name)
        for name in ("modules.yaml", "buttons.yaml", "logo.svg"):
            shutil.copy(ROOT / name, folder)
        (folder / ".gitignore").write_text("var/\ndemo/\n*.csv\n")
        _answer(folder, START)
        steps = [step for block in BLOCK.findall(PAGE.read_text()) for step in STEP.findall(block)]
        others = [(command, answer) for command, said in steps if (answer := _answer(folder, command)) != said]
    for command, answer in others:
        print(f"$ {command}\n{answer}")  # noqa: T201
    print(f"{len(steps)} steps, {len(others)} with another answer than on the page")  # noqa: T201
    return 1 if others else 0


def _answer(folder: Path, command: str) -> str:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    author = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com"}
    author |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com"}
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    answer = subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**outside, **author, **path}, capture_output=True, text=True
    )
    return "".join(line for line in answer.stdout.splitlines(keepends=True) if not line.startswith(NO_EMAIL))


if __name__ == "__main__":
    sys.exit(main())
