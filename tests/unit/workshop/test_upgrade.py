"""`portal upgrade` on folders as released: tests/upgrades/VERSION is from that release, and never edited."""

import difflib
import shutil
from pathlib import Path

import pytest

from portal.declaration.load import load
from portal.declaration.version import VERSION
from portal.workshop.upgrade import CannotUpgradeError, upgrade
from tests.portal_files import write_portal

ROOT = Path(__file__).parents[3]
RELEASED = sorted((ROOT / "tests/upgrades").iterdir())
MINIMAL = "modules: {notes: {see: all, fields: {title: text}}}\n"


@pytest.mark.parametrize("released", RELEASED, ids=lambda folder: folder.name)
def test_a_released_folder_is_upgraded_and_keeps_its_comments(released, tmp_path):
    folder = tmp_path / "folder"
    shutil.copytree(released, folder)
    assert f"modules.yaml: version: {VERSION}" in upgrade(folder).done
    assert load(folder).errors == []
    before, after = (read(folder_of).splitlines() for folder_of in (released, folder))
    changes = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert sorted(changes) == ["+ ", f"+ version: {VERSION}"]
    assert upgrade(folder).done == []


def read(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(folder.rglob("*.yaml")))


def test_a_version_of_later_is_the_only_problem(tmp_path):
    folder = written(tmp_path, f"version: {VERSION + 1}\nmodules: {{a: {{feilds: 1}}}}\n")
    (problem,) = load(folder).problems
    assert str(problem) == (
        f"modules.yaml:1:10: version: this folder is written in version {VERSION + 1} of the language, and this portal"
        f" understands versions up to {VERSION}: install a newer portal"
    )
    with pytest.raises(CannotUpgradeError, match="install a newer portal"):
        upgrade(folder)


@pytest.mark.parametrize("version", ["0", "one", "1.5", "true", "[1]"])
def test_what_is_no_version_is_refused(tmp_path, version):
    folder = written(tmp_path, f"version: {version}\n{MINIMAL}")
    assert [problem.message for problem in load(folder).errors] == [
        f"must be {VERSION}, the version of the language that this portal understands"
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (MINIMAL, f"version: 1\n\n{MINIMAL}"),
        (f"# ours\n\n{MINIMAL}", f"# ours\n\nversion: 1\n\n{MINIMAL}"),
        (f"---\n{MINIMAL}", f"---\nversion: 1\n\n{MINIMAL}"),
        (f"{{{MINIMAL.strip()}}}\n", f"{{version: 1, {MINIMAL.strip()}}}\n"),
        (MINIMAL.replace("\n", "\r\n"), f"version: 1\r\n\r\n{MINIMAL}".replace("}\n", "}\r\n")),
        (f"\ufeff{MINIMAL}", f"\ufeffversion: 1\n\n{MINIMAL}"),
    ],
)
def test_the_rest_of_the_file_stays_as_it_was(tmp_path, before, after):
    folder = written(tmp_path, before)
    upgrade(folder)
    assert (folder / "modules.yaml").read_bytes().decode() == after
    assert load(folder).errors == []


def test_what_the_new_version_begins_to_do_is_said(tmp_path):
    folder = written(tmp_path, "modules: {notes: {see: all, comments: true, fields: {title: text}}}\n")
    assert upgrade(folder).done[0].startswith("From now on emails are written about notes")


def test_names_that_are_reserved_by_now_are_said_with_what_keeps_their_records(tmp_path):
    folder = written(tmp_path, "modules: {join: {see: all, fields: {title: text, view: text}}}\n")
    (folder / "profiles/all.yaml").write_text("modules: {join: {}}\n")
    told = upgrade(folder).done
    assert told[0].startswith("Give the module join another name wherever it is named, and formerly: join, so")
    assert told[1].startswith("Give the field join.view another name wherever it is named, and formerly: view, so")
    renamed = (
        "modules: {members: {formerly: join, see: all, fields: {title: text, look: {type: text, formerly: view}}}}"
    )
    assert load(write_portal(folder, f"version: 1\n{renamed}\n", all="modules: {members: {}}\n")).errors == []


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path):
    folder = written(tmp_path, "modules: [\n")
    with pytest.raises(CannotUpgradeError, match="portal check"):
        upgrade(folder)
    assert (folder / "modules.yaml").read_text() == "modules: [\n"


def written(folder: Path, modules: str) -> Path:
    return write_portal(folder, modules, all="modules: {notes: {}}\n")
