"""`portal lsp` as an editor runs it, in a process of its own."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.language_client import LanguageClient

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def client():
    started = LanguageClient(sys.executable, "-c", "from portal.commands import main; main()", "lsp")
    yield started
    started.stop()


def test_what_is_typed_is_checked_before_it_is_saved(client, tmp_path):
    folder = tmp_path / "a portal"
    shutil.copytree(ROOT / "tests/portals/small", folder)
    modules, customer = folder / "modules.yaml", folder / "profiles/customer.yaml"
    text = modules.read_text()
    wrong = text.replace("label: Knowledge base", "label: 🔥🔥").replace(
        "{label: Waiting for you, tone: warn}", "{label: 🔥, tone: wran}"
    )
    (found,) = client.open(modules, wrong)
    line = wrong[: wrong.index("wran")].count("\n")
    column = wrong.splitlines()[line].index("wran") + 1  # 🔥 is one character, and two units
    assert found["range"] == {
        "start": {"line": line, "character": column},
        "end": {"line": line, "character": column + 4},
    }
    assert (found["severity"], found["source"]) == (1, "portal")
    assert found["code"].startswith("P")
    assert 'Write "warn".' in found["message"]

    client.change(modules, text.replace("resolve: {from", "solve: {from"))
    (unknown,) = client.diagnostics(customer)  # a file that is not open
    assert '"resolve"' in unknown["message"]
    client.change(modules, text)
    assert client.diagnostics(customer) == []


def test_a_name_that_stands_twice_shows_its_first_place(client, tmp_path):
    shutil.copytree(ROOT / "tests/portals/small", tmp_path / "small")
    modules = tmp_path / "small/modules.yaml"
    text = modules.read_text().replace("      cost: money\n", "      cost: money\n      cost: text\n")
    (found,) = client.open(modules, text)
    (related,) = found["relatedInformation"]
    assert related["location"]["uri"] == modules.as_uri()
    assert related["location"]["range"]["start"]["line"] == found["range"]["start"]["line"] - 1


def test_other_files_are_left_alone(client, tmp_path):
    other, portal = tmp_path / "other.yaml", tmp_path / "small/buttons.yaml"
    shutil.copytree(ROOT / "tests/portals/small", tmp_path / "small")
    client.tell(
        "textDocument/didOpen",
        {"textDocument": {"uri": other.as_uri(), "languageId": "yaml", "version": 1, "text": "a: ["}},
    )
    assert [found["severity"] for found in client.open(portal, "buttons: {x: {}}\n")] == [1]
