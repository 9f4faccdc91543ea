"""Any number of believable tickets, made of the demo's own: whole rows as patterns, their sentences combined anew.

The same number gives the same tickets. A few patterns come often and most seldom, so that companies differ in size.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.declaration.shapes import Module
from portal.records.transfer.csv_reading import CsvRow

SIMILAR_BY = "service"  # rows with the same value here exchange their sentences
USUAL_AGE = 240  # days, on average
OPEN_DAYS = 21  # older tickets are in a final state
LONGEST_TITLE = 110  # characters
# A day relative to today, and a time: “-3d”, “-3d 14:30”.
TOKEN = re.compile(r"([+-]\d{1,5})d(?: (\d{1,2}):(\d{2}))?")
SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class ManyRows:
    """`number` rows after the pattern of others. `seed`: how many records there are, so that each call differs."""

    module: Module
    headers: tuple[str, ...]
    patterns: Sequence[CsvRow]
    sentences: Sequence[str]  # from the public comments of the demo
    number: int
    seed: int = 0

    def rows(self) -> Iterator[CsvRow]:
        """The rows, oldest first."""
        chance = random.Random(self.seed)  # noqa: S311 - no secret depends on it
        rows = [self._row(chance) for _number in range(self.number)]
        rows.sort(key=lambda pair: -pair[0])
        yield from (CsvRow(line, cells) for line, (_age, cells) in enumerate(rows, 1))

    def _row(self, chance: random.Random) -> tuple[int, tuple[str, ...]]:
        """The age of a ticket in days, and its cells."""
        age = min(int(chance.expovariate(1 / USUAL_AGE)), 2000)
        patterns = self._final_patterns() if age > OPEN_DAYS else self.patterns
        weights = [1 / (1 + rank) for rank in range(len(patterns))]
        pattern = chance.choices(patterns, weights)[0]
        cells = [_shifted(cell, age) for cell in pattern.cells]
        similar = [row for row in self.patterns if self._group(row) == self._group(pattern)]
        for index, header in enumerate(self.headers):
            field = self.module.fields.get(header)
            if header == self.module.title:
                cells[index] = self._title(chance, [row.cells[index] for row in similar])
            elif field is not None and field.long and field.required:
                cells[index] = self._text(chance, [row.cells[index] for row in similar])
        return age, tuple(cells)

    def _final_patterns(self) -> Sequence[CsvRow]:
        """The patterns in a state that no transition leaves."""
        lifecycle = self.module.lifecycle
        if lifecycle is None or lifecycle.field not in self.headers:
            return self.patterns
        left = {state for transition in lifecycle.transitions.values() for state in transition.from_ or ()}
        column = self.headers.index(lifecycle.field)
        return [row for row in self.patterns if row.cells[column] not in left] or self.patterns

    def _group(self, row: CsvRow) -> str:
        return row.cells[self.headers.index(SIMILAR_BY)] if SIMILAR_BY in self.headers else ""

    def _title(self, chance: random.Random, titles: Sequence[str]) -> str:
        title = chance.choice(titles)
        other = chance.choice(titles)
        both = f"{title}, and {other[:1].lower()}{other[1:]}"
        return both if other != title and len(both) <= LONGEST_TITLE and chance.random() < 0.4 else title

    def _text(self, chance: random.Random, texts: Sequence[str]) -> str:
        """Three to nine sentences: of similar tickets, and of comments."""
        own = list(dict.fromkeys(sentence for text in texts for sentence in SENTENCE.split(text)))
        some = chance.sample(own, min(len(own), chance.randint(2, 6)))
        more = chance.sample(list(self.sentences), min(len(self.sentences), chance.randint(1, 3)))
        return " ".join([*some, *more])


def _shifted(cell: str, age: int) -> str:
    """A moment of the ticket that is the pattern, `age` days earlier."""
    match = TOKEN.fullmatch(cell.strip())
    return f"{int(match[1]) - age:+d}d{cell.strip()[match.end(1) + 1 :]}" if match else cell
