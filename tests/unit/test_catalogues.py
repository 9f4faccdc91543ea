"""The interface is complete in every language: a sentence missing in a catalog fails here; `make messages` adds it."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from gettext import c2py
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from portal.fields.reader import Reader
from portal.texts import LOCALE, _, ngettext, translate
from tests.source_code import PORTAL, python_files, tree_of

Sentence = str | tuple[str, str]

LANGUAGES = sorted(path.stem for path in LOCALE.glob("*.po"))
SENTENCE = re.compile(r"f?'?[A-Z][a-z]+( [a-z“{][^ ]*){2,}[.!?]?")
NOT_SHOWN = re.compile(r"_|ngettext|log\.\w+|.*Error")
# What administrators read in the log, the console and the metrics stays English, and what models read of tools; json.py
# names what a library says.
NOT_TRANSLATED = ("hosting.py", "live.py", "metrics.py", "json.py", "tools.py")
NAMES = re.compile(r"\$\{(\w+)\}")


def forms(text: str | tuple[str, ...]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


@pytest.fixture(scope="session")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> set[Sentence]:
    """Every sentence in the templates and the code, as written there; two if it counts something."""
    template = tmp_path_factory.mktemp("messages") / "portal.pot"
    collect = Path(sys.executable).parent / "pot-create"
    subprocess.run([collect, "--output", template, PORTAL], check=True, capture_output=True)
    with template.open("rb") as file:
        return {message.id for message in read_po(file) if message.id}


def catalog_of(language: str) -> Catalog:
    with (LOCALE / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def test_there_is_something_to_translate_and_the_demo_s_languages_are_there(sentences):
    assert len(sentences) > 200
    assert {"ar", "de", "es", "fr", "it", "pl"} <= set(LANGUAGES)


def test_no_sentence_of_the_code_is_shown_as_it_is_written():
    people_read = ("accounts", "fields", "jobs", "mail", "records", "views", "web")  # what these folders say
    shown = [
        f"{path.relative_to(PORTAL)}:{node.lineno}: {said}"
        for folder in people_read
        for path in python_files(PORTAL / folder)
        if path.name not in NOT_TRANSLATED
        for node, said in untranslated(tree_of(path))
    ]
    assert shown == []


def untranslated(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Texts that read as sentences and are not an argument of `_` or of a call for developers."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.Call) and NOT_SHOWN.fullmatch(ast.unparse(node.func)):
            continue
        if isinstance(node, ast.Constant | ast.JoinedStr):
            said = ast.unparse(node)[1:-1] if isinstance(node, ast.JoinedStr) else str(node.value)
            if SENTENCE.fullmatch(said):
                yield node, said
            continue
        waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated(sentences, language):
    known = {message.id: forms(message.string) for message in catalog_of(language) if message.id}
    missing = [sentence for sentence in sentences if not all(known.get(sentence, [""]))]
    assert not missing, f"{_file(language)} lacks {len(missing)}: `make messages`, then translate {missing}"
    gone = [sentence for sentence in known if sentence not in sentences]
    assert not gone, f"{_file(language)} has {len(gone)} that nothing says: `make messages` removes {gone}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_the_names_of_its_sentence(language):
    catalog = catalog_of(language)
    say_the_number = forms_of_several_numbers(catalog)
    differing = []
    for message in catalog:
        names = set(NAMES.findall(forms(message.id)[0])) if message.id else set()
        for form, translation in enumerate(forms(message.string)):
            in_words = {"number"} if isinstance(message.id, tuple) and form not in say_the_number else set()
            if not names - in_words <= set(NAMES.findall(translation)) <= names:
                differing.append((translation, f"must fill in {sorted(names)}"))
    assert not differing, f"{_file(language)}: {differing}"


def forms_of_several_numbers(catalog: Catalog) -> set[int]:
    """The plural forms that must contain the number: Arabic has forms for 1 and for 2 that say it in words."""
    numbers = Counter(c2py(catalog.plural_expr)(number) for number in (*range(2000), 1_000_000, 2_000_000))
    return {form for form, often in numbers.items() if often > 1}


def _file(language: str) -> str:
    return f"portal/locale/{language}.po"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_counts_has_every_form_of_the_language(language):
    catalog = catalog_of(language)
    counted = [message for message in catalog if isinstance(message.id, tuple)]
    assert counted
    lacking = [message.id for message in counted if len(message.string) != catalog.num_plurals]
    assert not lacking, f"{_file(language)}: {catalog.num_plurals} forms are needed for {lacking}"


def test_sentences_are_equal_only_if_they_fill_in_the_same():
    ada, bob = (_("Invited as ${name}", mapping={"name": name}) for name in ("Ada", "Bob"))
    assert ada != bob
    assert ada == _("Invited as ${name}", mapping={"name": "Ada"})
    assert len({ada, bob}) == 2
    assert ngettext("${number} file", "${number} files", 1) != ngettext("${number} file", "${number} files", 2)
    assert _("Save") == "Save"


@pytest.mark.parametrize(
    ("language", "number", "sentence"),
    [
        ("en", 1, "Use at most 1 character."), ("en", 2, "Use at most 2 characters."),
        ("en", 50_000, "Use at most 50,000 characters."), ("xx", 0, "Use at most 0 characters."),
        ("it", 1, "Usa al massimo 1 carattere."), ("it", 1_000, "Usa al massimo 1.000 caratteri."),
        ("pl", 1, "Wpisz najwyżej 1 znak."), ("pl", 3, "Wpisz najwyżej 3 znaki."),
        ("pl", 5, "Wpisz najwyżej 5 znaków."), ("pl", 12, "Wpisz najwyżej 12 znaków."),
        ("pl", 22, "Wpisz najwyżej 22 znaki."),
        ("de", 1, "Verwenden Sie höchstens 1 Zeichen."), ("de", 1_000, "Verwenden Sie höchstens 1.000 Zeichen."),
        ("fr", 0, "Utilisez au plus 0 caractère."), ("fr", 2, "Utilisez au plus 2 caractères."),
        ("es", 1, "Use como máximo 1 carácter."), ("es", 1_000_000, "Use como máximo 1.000.000 caracteres."),
        ("ar", 1, "استخدم حرفًا واحدًا على الأكثر."), ("ar", 2, "استخدم حرفين على الأكثر."),
        ("ar", 3, "استخدم 3 أحرف على الأكثر."), ("ar", 11, "استخدم 11 حرفًا على الأكثر."),
        ("ar", 100, "استخدم 100 حرف على الأكثر."), ("ar", 105, "استخدم 105 أحرف على الأكثر."),
    ],
)  # fmt: skip
def test_a_number_takes_the_form_of_its_language(language, number, sentence):
    counted = ngettext("Use at most ${number} character.", "Use at most ${number} characters.", number)
    assert translate(counted, language) == sentence


def test_values_in_a_sentence_from_right_to_left_are_isolated():
    assert translate(_("Hello, ${name}", mapping={"name": "Ann (2)"}), "ar") == "مرحبًا، \u2068Ann (2)\u2069"
    assert translate(_("Hello, ${name}", mapping={"name": "Ann (2)"}), "de") == "Guten Tag, Ann (2)"


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_no_text_is_no_text_in_every_language(language):
    assert translate("", language) == ""


def test_a_language_without_catalog_is_english():
    assert translate("Save", "xx") == "Save"
    assert translate("Save", "pl") == "Zapisz"


def test_a_language_of_a_country_takes_the_sentences_of_the_language():
    assert translate("Save", "it-CH") == "Salva"


def test_lists_have_the_comma_of_their_language():
    assert [Reader(language=language).listed(["a", "b", "c"]) for language in ("ar", "pl")] == ["a، b، c", "a, b, c"]
