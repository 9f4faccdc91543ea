"""What each language of a portal lacks: texts of the declaration, and sentences of the interface.

`portal check` counts the texts; here, each has its place, for translators.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.declaration.checks.appearance import written_parts
from portal.declaration.checks.settings import TRANSLATED, check_settings
from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.load import read
from portal.texts import Text, catalog


@dataclass(frozen=True)
class MissingText:
    """A text that a language lacks: where it is written, and its wording in the language shown instead."""

    place: str  # file:line:column
    subject: str  # tickets.label
    shown_instead: str


@dataclass(frozen=True)
class LanguageReport:
    """`translated` texts have a wording in this language, or one for all; `sentences` belong to the interface."""

    language: str
    translated: int
    missing: tuple[MissingText, ...]
    missing_sentences: int


def missing_texts(folder: Path, overrides: Mapping[str, str]) -> list[LanguageReport] | None:
    """A report on missing texts for each language of the portal; None if its files cannot be read."""
    draft = DeclarationDraft(folder, overrides=overrides)
    if not read(draft) or MODULES not in draft.documents:
        return None
    check_settings(draft)
    if any(not problem.warning for problem in draft.problems):
        return None
    texts = [(file, path, value) for file, path, value in written_parts(draft) if isinstance(value, Text)]
    languages = draft.settings.languages
    reports = []
    for language in languages:
        missing = tuple(
            MissingText(
                ":".join((file, *map(str, draft.documents[file].place(path)))),
                ".".join(str(part) for part in path[1:] or path),
                text(language, languages[0]),
            )
            for file, path, text in texts
            if text.by_language and language not in text.by_language
        )
        reports.append(LanguageReport(language, len(texts) - len(missing), missing, _missing_sentences(language)))
    return reports


def _missing_sentences(language: str) -> int:
    """How many sentences of the interface are shown in English; the catalogs are the only list of them."""
    if language.partition("-")[0] == "en":
        return 0
    catalogs = [catalog(known) for known in TRANSLATED]
    own = catalog(language)
    translated = {sentence for sentence, text in own.sentences.items() if text}
    translated |= {sentence for sentence, forms in own.counted.items() if all(forms)}
    return len({sentence for known in catalogs for sentence in (*known.sentences, *known.counted)} - translated)
