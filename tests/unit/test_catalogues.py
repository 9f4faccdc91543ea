"""The interface speaks every language whole: what a catalogue lacks fails here, and `make messages` adds it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from portal.texts import LOCALE, translate

PORTAL = Path(__file__).parents[2] / "portal"
LANGUAGES = sorted(path.stem for path in LOCALE.glob("*.po"))
NAMES = re.compile(r"\$\{(\w+)\}")


@pytest.fixture(scope="session")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every sentence of the templates and of the code, as it is written there."""
    template = tmp_path_factory.mktemp("messages") / "portal.pot"
    collect = Path(sys.executable).parent / "pot-create"
    subprocess.run([collect, "--output", template, PORTAL], check=True, capture_output=True)
    with template.open("rb") as file:
        return {message.id for message in read_po(file) if message.id}


def test_there_is_something_to_translate_and_the_demo_s_languages_are_there(sentences):
    assert len(sentences) > 200
    assert {"it", "pl"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_with_the_names_that_it_fills_in(sentences, language):
    with (LOCALE / f"{language}.po").open("rb") as file:
        catalogue = {message.id: message.string for message in read_po(file) if message.id}
    assert sorted(sentence for sentence in sentences if not catalogue.get(sentence)) == []
    assert sorted(sentence for sentence in catalogue if sentence not in sentences) == []
    differing = [each for each, said in catalogue.items() if set(NAMES.findall(each)) != set(NAMES.findall(said))]
    assert differing == []


def test_a_language_without_catalogue_is_english():
    assert translate("Save", "xx") == "Save"
    assert translate("Save", "pl") == "Zapisz"
