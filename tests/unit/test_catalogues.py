"""The interface speaks every language whole: what a catalogue lacks fails here, and `make messages` adds it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from portal.texts import LOCALE, ngettext, translate

Sentence = str | tuple[str, str]

PORTAL = Path(__file__).parents[2] / "portal"
LANGUAGES = sorted(path.stem for path in LOCALE.glob("*.po"))
NAMES = re.compile(r"\$\{(\w+)\}")


def forms(text: str | tuple[str, ...]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


@pytest.fixture(scope="session")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> set[Sentence]:
    """Every sentence of the templates and of the code, as it is written there; two where it counts something."""
    template = tmp_path_factory.mktemp("messages") / "portal.pot"
    collect = Path(sys.executable).parent / "pot-create"
    subprocess.run([collect, "--output", template, PORTAL], check=True, capture_output=True)
    with template.open("rb") as file:
        return {message.id for message in read_po(file) if message.id}


def catalogue_of(language: str) -> Catalog:
    with (LOCALE / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def test_there_is_something_to_translate_and_the_demo_s_languages_are_there(sentences):
    assert len(sentences) > 200
    assert {"it", "pl"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_with_the_names_that_it_fills_in(sentences, language):
    catalogue = {message.id: forms(message.string) for message in catalogue_of(language) if message.id}
    assert [sentence for sentence in sentences if not all(catalogue.get(sentence, [""]))] == []
    assert [sentence for sentence in catalogue if sentence not in sentences] == []
    differing = [
        sentence
        for sentence, translations in catalogue.items()
        if any(
            set(NAMES.findall(translation)) != set(NAMES.findall(forms(sentence)[0])) for translation in translations
        )
    ]
    assert differing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_counts_has_every_form_of_the_language(language):
    catalogue = catalogue_of(language)
    counted = [message for message in catalogue if isinstance(message.id, tuple)]
    assert counted
    assert [message.id for message in counted if len(message.string) != catalogue.num_plurals] == []


@pytest.mark.parametrize(
    ("language", "number", "sentence"),
    [
        ("en", 1, "Use at most 1 character."), ("en", 2, "Use at most 2 characters."),
        ("en", 50_000, "Use at most 50,000 characters."), ("xx", 0, "Use at most 0 characters."),
        ("it", 1, "Usa al massimo 1 carattere."), ("it", 1_000, "Usa al massimo 1.000 caratteri."),
        ("pl", 1, "Wpisz najwyżej 1 znak."), ("pl", 3, "Wpisz najwyżej 3 znaki."),
        ("pl", 5, "Wpisz najwyżej 5 znaków."), ("pl", 12, "Wpisz najwyżej 12 znaków."),
        ("pl", 22, "Wpisz najwyżej 22 znaki."),
    ],
)  # fmt: skip
def test_a_number_takes_the_form_of_its_language(language, number, sentence):
    counted = ngettext("Use at most ${number} character.", "Use at most ${number} characters.", number)
    assert translate(counted, language) == sentence


def test_a_language_without_catalogue_is_english():
    assert translate("Save", "xx") == "Save"
    assert translate("Save", "pl") == "Zapisz"


def test_a_language_of_a_country_takes_the_sentences_of_the_language():
    assert translate("Save", "it-CH") == "Salva"
