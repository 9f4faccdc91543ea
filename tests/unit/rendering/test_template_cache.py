"""Compiled templates on disk: reused by the next process, recompiled when anything about them changes."""

import os
import sys
from pathlib import Path

import pytest
from chameleon import PageTemplateFile

from portal.rendering.template_cache import TemplateCache


class Counting(TemplateCache):
    """Counts the compiled templates."""

    built = 0

    def build(self, source, filename):
        self.built += 1
        return super().build(source, filename)


def drawn(folder: Path, text: str = "<b>${1 + 1}</b>", options: str = "") -> tuple[str, int]:
    """What a new process draws, and how many templates it compiled."""
    template, loader = folder.parent / "page.pt", Counting(options)
    template.write_text(text)
    loader.store_in(folder)
    for name in [name for name in sys.modules if name.startswith("page_")]:
        del sys.modules[name]  # another process has not loaded it yet
    page = PageTemplateFile(str(template))
    page.loader = loader
    return page(), loader.built


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "templates"


def test_the_next_process_does_not_compile(folder):
    assert drawn(folder) == ("<b>2</b>", 1)
    assert drawn(folder) == ("<b>2</b>", 0)


def test_a_changed_template_is_compiled_anew(folder):
    drawn(folder)
    assert drawn(folder, "<i>${1 + 2}</i>") == ("<i>3</i>", 1)


def test_other_options_are_compiled_anew(folder):
    drawn(folder)
    assert drawn(folder, options="checked") == ("<b>2</b>", 1)


def test_only_the_portals_own_user_may_read_and_write(folder):
    drawn(folder)
    assert folder.stat().st_mode & 0o077 == 0
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.stat().st_mode & 0o077 for path in files] == [0] * len(files) == [0, 0]


@pytest.mark.parametrize("left", [b"", b"half", b"x" * 500])
@pytest.mark.parametrize("suffix", [".py", ".pyc"])
def test_what_a_power_cut_left_is_compiled_anew(folder, left, suffix):
    drawn(folder)
    [path] = folder.rglob(f"*{suffix}")
    header = path.read_bytes()[:16] if suffix == ".pyc" else b""
    path.write_bytes(header + left)
    assert drawn(folder) == ("<b>2</b>", 1)
    assert drawn(folder) == ("<b>2</b>", 0)


def test_a_folder_that_others_may_write_to_is_not_used(folder):
    folder.mkdir()
    folder.chmod(0o777)
    assert drawn(folder) == drawn(folder) == ("<b>2</b>", 1)
    assert os.listdir(folder) == []


def test_where_no_folder_can_be_made_templates_are_compiled_at_every_start(tmp_path):
    folder = tmp_path / "templates"
    folder.write_text("a file")
    assert drawn(folder) == drawn(folder) == ("<b>2</b>", 1)
