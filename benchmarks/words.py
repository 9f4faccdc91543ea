"""Texts as real ones are: few words stand everywhere, most words hardly anywhere (Zipf). The same at every run."""

import itertools
import random

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstv" for vowel in "aeiou"]
VOCABULARY = 40_000
COMMON = "printer"  # in every tenth ticket
HALF_COMMON = "toner"  # in every fiftieth
RARE = "zeppelin"  # in five tickets, however many there are
NOWHERE = "xylophone"


class Writer:
    """Makes texts out of a vocabulary of its own."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words = _vocabulary(random.Random(1))
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def text(self, words: int) -> str:
        """So many words."""
        return " ".join(self._random.choices(self._words, cum_weights=self._weights, k=words))

    def title(self) -> str:
        """A short text that begins with a capital; some name what people search for."""
        lead = self._random.random()
        named = [COMMON] if lead < 0.1 else [HALF_COMMON] if lead < 0.12 else []
        return " ".join([*named, self.text(self._random.randint(3, 7))]).capitalize()


def _vocabulary(source: random.Random) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        found["".join(source.choices(SYLLABLES, k=source.choice((2, 3, 3, 4))))] = None
    return list(found)
