"""The drawings of charts: the places of bars, slices and points, for the SVGs of charts.pt."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from portal.declaration.home_shapes import Panel
from portal.views.lists.filters import Parameters

WIDTH, HEIGHT = 320, 120  # for a chart over periods
RADIUS = 40  # of the ring of a donut
GAP = 2  # between its parts


@dataclass(frozen=True)
class Amount:
    """What a part of a chart represents, its amount, and the filter that finds its records."""

    label: str
    filter: Parameters
    number: int  # of records
    value: Decimal | int
    currency: str = ""
    rank: int = 0
    tone: str = ""
    text: str = ""
    url: str = ""

    def plus(self, other: "Amount") -> "Amount":
        """The sum of both, under their common label."""
        both = [*self.filter, *other.filter]
        return replace(self, filter=both, number=self.number + other.number, value=self.value + other.value)


@dataclass(frozen=True)
class Part:
    """A bar, slice, column or point. `start` and `length`: of a slice along the ring, of a column from the left and
    upwards, of a bar from the left in percent; `top`: of a column or point."""

    label: str
    text: str
    url: str
    tone: str = ""
    start: float = 0
    length: float = 0
    top: float = 0


@dataclass(frozen=True)
class ChartDrawing:
    """`kind`: bar, donut, column (a bar over periods) or line, whose points are `line`. `name`: the currency."""

    kind: str
    parts: tuple[Part, ...]
    name: str = ""
    line: str = ""
    most: str = ""  # the largest value over periods, in words

    @property
    def step(self) -> float:
        """The distance from one column to the next."""
        return WIDTH / len(self.parts)


def draw(panel: Panel, amounts: Sequence[Amount], name: str) -> ChartDrawing:
    """The drawing that the panel asks for; shares with negative ones among them are drawn as bars."""
    values = [float(amount.value) for amount in amounts]
    if panel.per:
        return _over_periods("column" if panel.as_ == "bar" else "line", amounts, values, name)
    if panel.as_ == "donut" and min(values, default=0) >= 0 and sum(values) > 0:
        return ChartDrawing("donut", tuple(_slices(amounts, values)), name)
    return ChartDrawing("bar", tuple(_bars(amounts, values)), name)


def _rounded(place: float) -> float:
    return round(place, 2)


def _bars(amounts: Sequence[Amount], values: Sequence[float]) -> Iterator[Part]:
    """The bars of a chart, which start at zero: on the left, or further right if there are negative values."""
    least, most = min(0, *values, 0), max(0, *values, 0)
    scale = 100 / ((most - least) or 1)
    for amount, value in zip(amounts, values, strict=True):
        start, length = _rounded((min(value, 0) - least) * scale), _rounded(abs(value) * scale)
        yield Part(amount.label, amount.text, amount.url, amount.tone, start, length)


def _slices(amounts: Sequence[Amount], values: Sequence[float]) -> Iterator[Part]:
    """Slices along the ring, starting at the top."""
    ring, start = 2 * math.pi * RADIUS, 0.0
    for amount, value in zip(amounts, values, strict=True):
        length = ring * value / sum(values)
        shown = _rounded(max(length - GAP, 0.5))
        yield Part(amount.label, amount.text, amount.url, start=_rounded(-start), length=shown)
        start += length


def _over_periods(kind: str, amounts: Sequence[Amount], values: Sequence[float], name: str) -> ChartDrawing:
    """The columns or points of a chart over periods, from the least value to the largest, of which zero may be one."""
    least, most = min(0, *values), max(0, *values)
    scale, step = HEIGHT / ((most - least) or 1), WIDTH / len(values)
    parts = []
    for place, (amount, value) in enumerate(zip(amounts, values, strict=True)):
        upper = max(value, 0) if kind == "column" else value
        start, length, top = map(_rounded, (place * step, abs(value) * scale, (most - upper) * scale))
        parts.append(Part(amount.label, amount.text, amount.url, start=start, length=length, top=top))
    points = " ".join(f"{_rounded(part.start + step / 2)},{part.top}" for part in parts)
    largest = parts[max(range(len(values)), key=values.__getitem__)].text
    return ChartDrawing(kind, tuple(parts), name, points if kind == "line" else "", largest)
