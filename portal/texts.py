"""Texts for people: declared in several languages, or the interface's own; and how text is folded for comparison.

Used by every layer. Knows nothing of requests: the code that shows a text chooses the language.
"""

import functools
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from gettext import c2py
from pathlib import Path
from typing import Any

import regex
from babel import Locale, UnknownLocaleError
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema
from translationstring import TranslationString

from portal.packages import locale_folders

LOCALE = Path(__file__).parent / "locale"
# Includes default-ignorable characters and the Hangul fillers; U+2800 is the empty Braille pattern.
INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Z}\p{Mn}\s\u2800]*")
# Invisible, but parts of Persian and Hindi words and of emoji: without them, the text has another meaning.
JOINERS = "\u200c\u200d"
# What may surround a copied text: spaces, and invisible marks. Not those in which emoji may end.
SURROUNDINGS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + (
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
SPACES = re.compile(r"\s+")
WORD = re.compile(r"[^\W_]+")
# What is both one word and several: “Wi-Fi”, “O'Neill”, “14:30”. Only matched where a word begins: in a word of 40,000
# letters without a hyphen, trying every position takes half a minute.
COMPOUND = re.compile(r"(?<![^\W_])[^\W_]+(?:[-'][^\W_]+){1,5}|(?<!\d)\d{1,2}:\d\d(?!\d)")
JOINTS = re.compile("[-:']")
# Scripts written without spaces, each a range of a regular expression: every character is a word of its own.
UNSPACED_SCRIPTS = (
    r"\u3400-\u9fff\uf900-\ufaff",  # Chinese
    r"\u3040-\u309f",  # Hiragana; in Japanese another script begins another word
    r"\u30a0-\u30ff",  # Katakana
    r"\uac00-\ud7af",  # Korean: its words have endings, and spaces between them
    r"\u0e00-\u0e7f",  # Thai
    r"\u0e80-\u0eff",  # Lao
    r"\u1000-\u109f",  # Burmese
    r"\u1780-\u17ff",  # Khmer
)
UNSPACED = re.compile(f"([{''.join(UNSPACED_SCRIPTS)}])")


# How letters are folded, compiled by scripts/compile_folding.py: a target, a space, the letters that fold to it.
_FOLDING_FILE = (LOCALE / "folding.txt").read_bytes()
_FOLDING = {
    ord(letter): target
    for target, _space, letters in (line.partition(" ") for line in _FOLDING_FILE.decode().splitlines())
    for letter in letters
}
# Invisible characters that programs insert within words: soft hyphens, and controls of line breaks and direction; and
# the line that stretches an Arabic word.
IGNORED = "\u0640\u00ad\u034f\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_FOLDING |= dict.fromkeys(map(ord, IGNORED), "")
# Changes when texts are folded or split differently: then folded columns and the search index are rewritten.
FOLDING_VERSION = hashlib.sha256(
    _FOLDING_FILE + (IGNORED + SPACES.pattern + COMPOUND.pattern + UNSPACED.pattern).encode()
).hexdigest()[:8]

# Characters that would break the line of a problem, or move the cursor of the terminal that shows it.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Text:
    """A declared text: one string for all languages, or one per language code. An empty one counts as missing."""

    __slots__ = ("by_language", "plain")

    def __init__(self, value: str | Mapping[str, str]) -> None:
        wordings = value.items() if isinstance(value, Mapping) else ()
        self.by_language = {language: wording for language, wording in wordings if wording.strip()}
        self.plain = value if isinstance(value, str) else next(iter(self.by_language.values()), "")

    def __call__(self, language: str, default: str | None = None) -> str:
        """The text in `language`, else in the portal's default language, else the first one given."""
        wording = self.by_language.get(language)
        if wording is None and default is not None:
            wording = self.by_language.get(default)
        return self.plain if wording is None else wording

    def __iter__(self) -> Iterator[str]:
        """The text in every language, for the search index."""
        return iter(self.by_language.values() or [self.plain])

    def __str__(self) -> str:
        return self.plain

    def __repr__(self) -> str:
        return f"Text({self.by_language or self.plain!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and (self.by_language, self.plain) == (other.by_language, other.plain)

    def __hash__(self) -> int:
        return hash(self.plain)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(_text)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}


class TranslatedText(Text):
    """A sentence of the interface instead of a declared text: translated by the catalogs when it is shown."""

    __slots__ = ()

    def __call__(self, language: str, default: str | None = None) -> str:
        return translate(self.plain, language)


def _text(value: Any) -> Text:
    if isinstance(value, Text):
        return value
    if isinstance(value, str):
        return Text(value)
    is_mapping = isinstance(value, Mapping) and value and all(isinstance(item, str) for item in value.values())
    if is_mapping and all(isinstance(code, str) and is_language_code(code) for code in value):
        return Text(value)
    raise PydanticCustomError("text", "must be a text, or a mapping of language codes to texts")


def is_language_code(code: str) -> bool:
    """Whether a text looks like a language code: en, pt-BR."""
    return re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*", code) is not None


def label_from_name(name: str) -> Text:
    """A label made from a name, if there is no label: `due_date` → “Due date”."""
    words = name.replace("_", " ").strip()
    return Text(words[:1].upper() + words[1:])


# What a page shows: a declared text, or a sentence of the interface; translated for the reader when it is rendered.
Words = str | Text


class Sentence(TranslationString):
    """A sentence of the interface. Two are equal only if they fill in the same values: a cache must never return one
    that is about another record or person.
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        same_words = str.__eq__(self, other) is True
        return same_words and (not isinstance(other, Sentence) or self.mapping == other.mapping)

    def __ne__(self, other: object) -> bool:
        return not self == other


def _(message: str, mapping: Mapping[str, Any] | None = None) -> Sentence:
    """Marks a sentence of the interface: collected into locale/*.po, translated when it is shown."""
    return Sentence(message, domain="portal", mapping=mapping)


class CountedString(Sentence):
    """A sentence of the interface with plural forms. Made by `ngettext`."""

    __slots__ = ("number", "plural")

    number: int
    plural: str


def ngettext(singular: str, plural: str, number: int, **names: Any) -> CountedString:
    """A sentence about `number` things; fills in ${number}, and ${name} for each of `names`.

    lingua, which collects the sentences, knows this function name, and only reads names and constants as arguments.
    """
    sentence = CountedString(singular, domain="portal", mapping={"number": number, **names})
    sentence.number = number
    sentence.plural = plural
    return sentence


@dataclass(frozen=True)
class Catalog:
    """The interface's sentences in one language, by the English sentence, or its singular if it has plural forms."""

    sentences: Mapping[str, str]
    counted: Mapping[str, tuple[str, ...]]
    form: Callable[[int], int]  # the index of the plural form for a number
    from_right: bool = False  # whether the language is written from right to left


ENGLISH = Catalog({}, {}, lambda number: int(number != 1))


@functools.cache
def catalog(language: str, folder: Path = LOCALE) -> Catalog:
    """The catalog of locale/LANGUAGE.po (it.po for it-CH); empty for English and unknown languages."""
    path = folder / f"{language}.po"
    if not re.fullmatch("[A-Za-z-]{2,12}", language) or not path.exists():
        general = language.rpartition("-")[0]
        return catalog(general, folder) if general else ENGLISH
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    entries = [(message.id, message.string) for message in messages if message.id]  # the empty one is the file's header
    return Catalog(
        {sentence: text for sentence, text in entries if isinstance(sentence, str) and isinstance(text, str)},
        {sentence[0]: tuple(text or ()) for sentence, text in entries if isinstance(sentence, tuple)},
        c2py(messages.plural_expr),
        locale_or_english(language).text_direction == "rtl",
    )


def translate(message: str, language: str) -> str:
    """`message` in `language`, with its ${names} filled in; English if the catalog lacks it."""
    if isinstance(message, CountedString):
        return _counted(message, language)
    known = _catalog_with(str(message), language)
    sentence = known.sentences.get(str(message)) or str(message)
    return _filled_in(message, sentence, known) if isinstance(message, TranslationString) else sentence


def _catalog_with(sentence: str, language: str) -> Catalog:
    """The catalog that has a sentence: the portal's own; if that lacks it, the catalog of a package."""
    own = catalog(language)
    if _has(own, sentence):
        return own
    others = (catalog(language, folder) for folder in locale_folders())
    return next((other for other in others if _has(other, sentence)), own)


def _has(known: Catalog, sentence: str) -> bool:
    return sentence in known.sentences or sentence in known.counted


def _counted(message: CountedString, language: str) -> str:
    known = _catalog_with(str(message), language)
    forms = known.counted.get(str(message))
    form = known.form(message.number) if forms else ENGLISH.form(message.number)
    sentence = (forms or (str(message), message.plural))[form].replace("${number}", _grouped(message.number, language))
    return _filled_in(message, sentence, known) if "$" in sentence else sentence


def _filled_in(message: TranslationString, sentence: str, known: Catalog) -> str:
    """A translated `sentence` with the values of `message`. In right-to-left languages, each value is isolated (Unicode
    bidi): the punctuation of an address or a name in Latin letters, and that of the sentence, stay where they
    belong."""
    if not known.from_right or not message.mapping:
        return message.interpolate(sentence)
    isolated = {name: f"\u2068{value}\u2069" for name, value in message.mapping.items()}
    return TranslationString(message, mapping=isolated).interpolate(sentence)


@functools.lru_cache(maxsize=5_000)  # mostly small ones, on every page
def _grouped(number: int, language: str) -> str:
    return format_decimal(number, locale=locale_or_english(language))


@functools.lru_cache(maxsize=512)  # browsers send arbitrary languages and regions
def locale_of(language: str, region: str = "") -> Locale | None:
    """Babel's locale for a language, and a region if given; None if Babel does not know it."""
    try:
        locale = Locale.parse(language.replace("-", "_"))
        return locale if locale.territory or not region else Locale(locale.language, region, locale.script)
    except (ValueError, UnknownLocaleError):
        return None


def locale_or_english(language: str) -> Locale:
    """Babel's locale for a language, such as it-CH; English if Babel does not know it."""
    return locale_of(language) or Locale("en")


def fold(text: str) -> str:
    """`text` without accents, case, width and soft hyphens, for comparison: “Größe” → “grosse”, “Łódź” → “lodz”.

    Letters that Unicode's collation equates with others are replaced (locale/folding.txt): ø with o, æ with ae, ’ with
    '. Several spaces, and line breaks, become one space, as on a page.
    """
    if text.isascii():
        folded = text.lower()
    else:
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        bare = "".join(character for character in decomposed if not unicodedata.combining(character))
        folded = unicodedata.normalize("NFC", bare.casefold().translate(_FOLDING))
    return SPACES.sub(" ", folded) if any(space in folded for space in ("  ", "\n", "\t", "\r")) else folded


def is_blank(text: str) -> bool:
    """Whether nothing in `text` is visible: spaces, control and format characters, marks without a letter."""
    return not text.strip() or (not text.isascii() and INVISIBLE.fullmatch(text) is not None)


def trimmed(text: str) -> str:
    """`text` without surrounding spaces and the invisible marks that copying may add."""
    return text.strip() if text.isascii() else text.strip(SURROUNDINGS)


def fits_one_line(character: str) -> bool:
    """Whether a character may be within a line: it neither breaks the line nor changes the text direction."""
    return character.isprintable() or character in JOINERS


def first_visible(*texts: str | None) -> str:
    """The first of several `texts` that is not blank; "" if there is none."""
    for text in texts:
        if text and not is_blank(text):
            return text
    return ""


def words(text: str) -> list[str]:
    """The folded words of `text`; each character of unspaced scripts (CJK, Thai) is a word."""
    return _words_in(fold(text))


def indexed_words(text: str) -> tuple[list[str], list[str]]:
    """The words of `text`; and its compounds, joined from each part on: “Wi-Fi” as `wifi`, “14:30” as `1430`."""
    folded = fold(text)
    compounds = [JOINTS.split(match[0]) for match in COMPOUND.finditer(folded)] if JOINTS.search(folded) else []
    joined = ["".join(parts[start:]) for parts in compounds for start in range(len(parts) - 1)]
    return _words_in(folded), joined


def typed_words(text: str) -> list[str]:
    """The words of a search: a compound is one word, as in `indexed_words`."""
    folded = fold(text)
    if JOINTS.search(folded):
        folded = COMPOUND.sub(lambda match: JOINTS.sub("", match[0]), folded)
    return _words_in(folded)


def _words_in(folded: str) -> list[str]:
    return WORD.findall(folded if folded.isascii() else UNSPACED.sub(r" \1 ", folded))


def plural(number: int, noun: str, nouns: str = "") -> str:
    """`1 record`, `3 records`, `12,000 records`: for English sentences, on the command line and in the log."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def printable(text: str, longest: int) -> str:
    """`text` on one line of at most `longest` characters, without any that would move the cursor of a terminal."""
    return _UNPRINTABLE.sub(_escaped, abbreviated(text, longest))


def abbreviated(text: str, longest: int) -> str:
    """`text` with at most `longest` characters; the last is “…” if something is left out."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def beginning(text: str, longest: int) -> str:
    """`text` on one line of at most `longest` characters, cut between words if its language has spaces."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]  # with the space after the last whole word
    whole_words = cut.rpartition(" ")[0]
    return f"{whole_words if len(whole_words) > longest // 2 else cut[:-1]} …"


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape", "surrogatepass").decode("ascii")
