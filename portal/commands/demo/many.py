"""Any number of believable tickets, made of the demo's own: whole rows as patterns, their sentences put together anew.

The same number gives the same tickets. A few patterns come often and most seldom, so that companies differ in size.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.declaration.shapes import Module
from portal.records.transfer.source import Row

ALIKE = "service"  # rows that have the same here lend each other their sentences
USUAL_AGE = 240  # days, on average
OPEN_DAYS = 21  # after which a ticket is over
LONGEST_TITLE = 110
# A day relative to today, and a time: “-3d”, “-3d 14:30”.
TOKEN = re.compile(r"([+-]\d{1,5})d(?: (\d{1,2}):(\d{2}))?")
SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Many:
    """`number` rows after the pattern of others. `first` counts on where an earlier call ended."""

    module: Module
    headers: tuple[str, ...]
    patterns: Sequence[Row]
    said: Sequence[str]  # sentences that people of the demo wrote
    number: int
    first: int = 0

    def rows(self) -> Iterator[Row]:
        """The rows, oldest first."""
        chance = random.Random(self.first)  # noqa: S311 - no secret depends on it
        rows = [self._row(chance) for _each in range(self.number)]
        rows.sort(key=lambda pair: -pair[0])
        yield from (Row(line, cells) for line, (_age, cells) in enumerate(rows, 1))

    def _row(self, chance: random.Random) -> tuple[int, tuple[str, ...]]:
        age = min(int(chance.expovariate(1 / USUAL_AGE)), 2000)
        patterns = self._over() if age > OPEN_DAYS else self.patterns
        weights = [1 / (1 + rank) for rank in range(len(patterns))]
        pattern = chance.choices(patterns, weights)[0]
        cells = [_shifted(cell, age) for cell in pattern.cells]
        like = [row for row in self.patterns if self._alike(row) == self._alike(pattern)]
        for index, header in enumerate(self.headers):
            field = self.module.fields.get(header)
            if header == self.module.title:
                cells[index] = self._title(chance, [row.cells[index] for row in like])
            elif field is not None and field.long and field.required:
                cells[index] = self._text(chance, [row.cells[index] for row in like])
        return age, tuple(cells)

    def _over(self) -> Sequence[Row]:
        """The patterns whose state no transition leaves."""
        lifecycle = self.module.lifecycle
        if lifecycle is None or lifecycle.field not in self.headers:
            return self.patterns
        left = {state for each in lifecycle.transitions.values() for state in each.from_ or ()}
        place = self.headers.index(lifecycle.field)
        return [row for row in self.patterns if row.cells[place] not in left] or self.patterns

    def _alike(self, row: Row) -> str:
        return row.cells[self.headers.index(ALIKE)] if ALIKE in self.headers else ""

    def _title(self, chance: random.Random, titles: Sequence[str]) -> str:
        title = chance.choice(titles)
        other = chance.choice(titles)
        both = f"{title}, and {other[:1].lower()}{other[1:]}"
        return both if other != title and len(both) <= LONGEST_TITLE and chance.random() < 0.4 else title

    def _text(self, chance: random.Random, texts: Sequence[str]) -> str:
        """Three to nine sentences: of tickets like this one, and of what was said elsewhere."""
        own = list(dict.fromkeys(sentence for text in texts for sentence in SENTENCE.split(text)))
        some = chance.sample(own, min(len(own), chance.randint(2, 6)))
        more = chance.sample(list(self.said), min(len(self.said), chance.randint(1, 3)))
        return " ".join([*some, *more])


def _shifted(cell: str, age: int) -> str:
    """A moment of the pattern, so many days earlier."""
    match = TOKEN.fullmatch(cell.strip())
    return f"{int(match[1]) - age:+d}d{cell.strip()[match.end(1) + 1 :]}" if match else cell
