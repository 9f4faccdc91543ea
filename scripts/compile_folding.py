"""Compiles portal/locale/folding.txt from Unicode's collation data: which letters are compared as which others.

    python scripts/compile_folding.py allkeys.txt

`allkeys.txt` is the Default Unicode Collation Element Table, https://www.unicode.org/Public/UCA/latest/allkeys.txt
(Debian's package perl has it under /usr/share/perl, the package pyuca in its folder). Afterwards run `portal apply`:
folded columns and the search index follow.

Letters and digits are folded that accents, case and width alone do not explain (see portal/texts.py:fold):
- letters with the same primary weights are the same letter: ł is l, ø is o, æ is ae, katakana is hiragana, ٣ is 3;
- Latin letters that are sorted between two letters of the alphabet are the first of these: ı is i, ŧ is t, ŋ is n;
- þ, which is sorted after z, is th, as people without that key write it;
- ى is ي, ة is ه, and the Persian ی and ک are ي and ك: Arabic is typed with either, as keyboards and habits have it.
Besides, all apostrophes, quotation marks and hyphens are one.
"""

import re
import string
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).parents[1] / "portal" / "locale" / "folding.txt"
LINE = re.compile(r"([0-9A-F]{4,6})\s*;\s*((?:\[[^\]]*\])+)")
WEIGHT = re.compile(r"\[([.*])([0-9A-F]+)\.")
ALSO = {
    **{"þ": "th", "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك"},
    **dict.fromkeys("’‘ʼʻ′‛", "'"), **dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‐‒–—―−⁃", "-"),
}  # fmt: skip

Weights = tuple[int, ...]


def primary_weights(path: Path) -> dict[str, Weights]:
    """Each single character → its primary weights; () for what is ignored or variable."""
    weights = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := LINE.match(line):
            elements = WEIGHT.findall(match[2])
            variable = any(kind == "*" for kind, _weight in elements)
            values = tuple(int(weight, 16) for _kind, weight in elements if int(weight, 16))
            weights[chr(int(match[1], 16))] = () if variable else values
    return weights


def folds_by_itself(character: str) -> bool:
    """Whether case, width and accents leave the character as it is."""
    decomposed = unicodedata.normalize("NFKD", character.casefold())
    return "".join(part for part in decomposed if not unicodedata.combining(part)) == character


def is_letter_or_digit(character: str) -> bool:
    """Whether Unicode says so."""
    return unicodedata.category(character)[0] in "LN"


def folding(weights: dict[str, Weights]) -> dict[str, str]:
    """Each letter → what it is compared as."""
    basic = {weights[letter][0]: letter for letter in string.ascii_lowercase + string.digits}
    letters = {
        character: weight
        for character, weight in sorted(weights.items())
        if weight and not character.isascii() and is_letter_or_digit(character) and folds_by_itself(character)
    }
    same: dict[Weights, list[str]] = defaultdict(list)
    folded = {}
    for letter, weight in letters.items():
        if all(part in basic for part in weight):
            folded[letter] = "".join(basic[part] for part in weight)
        else:
            same[weight].append(letter)
    for first, *others in same.values():
        folded |= dict.fromkeys(others, first)
    alphabet = [weights[letter][0] for letter in string.ascii_lowercase]
    for letter, weight in letters.items():
        if letter not in folded and len(weight) == 1 and unicodedata.name(letter, "").startswith("LATIN"):
            before = [place for place in alphabet if place < weight[0] < alphabet[-1]]
            folded |= {letter: basic[before[-1]]} if before else {}
    return folded | ALSO


def main(path: Path) -> None:
    """Writes a line for each target: the target, a space, the characters."""
    characters: dict[str, list[str]] = defaultdict(list)
    for letter, target in sorted(folding(primary_weights(path)).items()):
        characters[target].append(letter)
    lines = [f"{target} {''.join(letters)}\n" for target, letters in sorted(characters.items())]
    TARGET.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
