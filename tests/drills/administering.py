"""Does what docs/administering.md says, and compares the output of the terminal and the pages.

    .venv/bin/python -m tests.drills.administering

Each block is run in a copy of the demo, a git repository of its own: commands, and what the administrator does in a
browser, `open PATH`, `press BUTTON` and `preview FOLDER`, with what is then on the page. Exits 1 if a result differs.
"""

import functools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from webtest import TestApp

from portal.application import make_application
from portal.settings import ProcessSettings
from portal.web.preview_portal import Previewing
from tests.portal_files import copied

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "administering.md"
BLOCK = re.compile(r"^```(console|page)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADMINISTRATOR, PASSWORD = "sara.conti@lumen.example", "demo-support"
STEP = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
NO_EMAIL = "Email is not sent"  # said by `portal check`, and no matter of this page
START = "git init -q && git add -A && git commit -qm 'As it runs' && portal apply && portal demo"


def main() -> int:
    """The exit status."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = copied(ROOT, Path(temporary))
        (folder / ".gitignore").write_text("var/\ndemo/\n*.csv\n")
        _answer(folder, START)
        browser, number, others = Browser(folder), 0, list[str]()
        for kind, block in BLOCK.findall(PAGE.read_text()):
            if kind == "page":
                lines = block.splitlines()
                others += [f"{line}\n{browser.text}\n" for line in lines if not browser.does(line)]
                number += len(lines)
                continue
            for command, said in STEP.findall(block):
                answer = _answer(folder, command)
                number += 1
                others += [f"$ {command}\n{answer}"] if answer != said else []
    print(*others, f"{number} steps, {len(others)} with another answer than on the page", sep="\n")  # noqa: T201
    return 1 if others else 0


class Browser:
    """The administrator's browser, with the open page."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.text = folder, ""
        self.page: Any = None  # the one that is open

    @functools.cached_property
    def home(self) -> Any:
        """The home page, after signing in."""
        browser = TestApp(make_application(self._settings, on_loopback=True))
        form = next(form for form in browser.get("/login").forms.values() if form.action == "/login")
        form["email"], form["password"] = ADMINISTRATOR, PASSWORD
        return form.submit(status=303).follow()

    @property
    def _settings(self) -> ProcessSettings:
        database = f"sqlite:///{self.folder / 'var/portal.sqlite'}"
        return ProcessSettings(folder=self.folder, database=database, reload_every=0)

    def does(self, line: str) -> bool:
        """Whether the action of a line can be done, or its text is on the page after the previous action."""
        verb, _space, rest = line.partition(" ")
        if verb == "open":
            self.page = self.home.test_app.get(rest, status="*").maybe_follow()
        elif verb == "press":
            forms = [form for form in self.page.forms.values() if rest in BeautifulSoup(form.text, "html.parser").text]
            self.page = forms[0].submit().maybe_follow()
        elif verb == "preview":
            previewing = Previewing(rest, self.folder / rest, "key")
            browser = TestApp(make_application(self._settings, previewing=previewing))
            self.page = browser.get("/-/preview?key=key").maybe_follow()
        else:
            return line in self.text
        self.text = " ".join(self.page.html.get_text(" ").split())
        return True


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
