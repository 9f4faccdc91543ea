"""What was measured, as a table, as the answer to each bar, and as a plot of how pages grow with the table."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, float]
PEOPLE = {"few": "customer with 10", "many": "customer with 5 %", "staff": "staff"}
MILLION = 1_000_000
COLORS = {"sqlite": "#2457d6", "postgresql": "#b4530a"}


@dataclass
class Results:
    """By kind of database and number of tickets: page → timing."""

    ours: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    bare: dict[str, Any] = field(default_factory=dict)
    django: dict[str, dict[str, Any]] = field(default_factory=dict)  # by kind, at the largest size
    datasette: dict[str, Any] = field(default_factory=dict)
    writers: dict[str, Any] = field(default_factory=dict)  # on SQLite, at the second size
    left_out: list[str] = field(default_factory=list)

    @property
    def largest(self) -> int:
        return max(size for _kind, size in self.ours)

    def lines(self) -> Iterator[str]:
        """Markdown."""
        for (kind, size), pages in self.ours.items():
            yield f"\n## {size:,} tickets on {kind}\n"
            yield f"Memory of the process: {pages['memory']:.0f} MB.\n"
            yield "| page | p50 ms | p95 ms | per second | CPU p50 ms | kB |"
            yield "|---|---|---|---|---|---|"
            for name, row in pages.items():
                if isinstance(row, dict):
                    yield _line(_named(name), row)
        yield from self._others()
        yield "\n## The bars\n"
        yield "| bar | measured | |"
        yield "|---|---|---|"
        for what, measured, met in self.bars():
            yield f"| {what} | {measured} | {'met' if met else '**not met**'} |"

    def _others(self) -> Iterator[str]:
        yield "\n## Eight people who make tickets at once, on SQLite\n"
        yield "| p50 ms | p95 ms | p99 ms | longest ms | per second | errors |"
        yield "|---|---|---|---|---|---|"
        row = self.writers["eight writers at once"]
        names = ("p50", "p95", "p99", "longest", "per_second", "errors")
        yield f"| {' | '.join(f'{row[name]:.0f}' for name in names)} |"
        yield "\n## Beside it\n"
        yield "| page | p50 ms | p95 ms | per second | CPU p50 ms | kB |"
        yield "|---|---|---|---|---|---|"
        yield _line("bare Pyramid page of the same size", self.bare["list"])
        for kind, pages in self.django.items():
            for name, row in pages.items():
                if isinstance(row, dict):
                    yield _line(f"Django's admin, {kind}, {name}", row)
        for name, row in self.datasette.items():
            if isinstance(row, dict):
                yield _line(f"Datasette, {name}", row)
        yield from (f"\n{sentence}" for sentence in self.left_out)

    def bars(self) -> Iterator[tuple[str, str, bool]]:
        """What was asked for, what was measured, and whether that is enough."""
        size = self.largest
        for kind in dict.fromkeys(kind for kind, _size in self.ours):
            pages = self.ours[kind, size]
            for who in PEOPLE:
                yield from self._absolute(f"{kind}, {PEOPLE[who]}", pages, who)
            for grown in dict.fromkeys([min(size, MILLION), size]):
                yield from self._growth(kind, grown)
            yield f"{kind}: at most 120 MB a process", f"{pages['memory']:.0f} MB", pages["memory"] <= 120
            if rival := self.django.get(kind):
                for name, least in (("list", 10), ("search, common word", 25)):
                    times = pages[f"staff: {name}"]["per_second"] / rival[name]["per_second"]
                    yield f"{kind}: {least} × Django's admin, {name}", f"{times:.1f} ×", times >= least
        row = self.writers["eight writers at once"]
        measured = f"{row['p99']:.0f} ms, {row['errors']:.0f} errors {row['most']}".strip()
        met = row["p99"] < 1000 and not row["errors"]
        yield "eight writers at once on SQLite: p99 under a second, none refused", measured, met
        if self.datasette:
            for name in ("list", "search, rare word", "detail"):
                mine, theirs = self.ours["sqlite", size][f"staff: {name}"]["p50"], self.datasette[name]["p50"]
                yield f"no slower than Datasette, {name}", f"{mine:.1f} beside {theirs:.1f} ms", mine <= theirs

    def _absolute(self, whose: str, pages: dict[str, Any], who: str) -> Iterator[tuple[str, str, bool]]:
        for name, most in (("list", 4.0), ("detail", 3.0)):
            found = pages[f"{who}: {name}"]["p50"]
            yield f"{whose}: {name} p50 ≤ {most:g} ms", f"{found:.1f} ms", found <= most
        searches = [row for name, row in pages.items() if name.startswith(f"{who}: search")]
        slowest, tail = max(row["p50"] for row in searches), max(row["p95"] for row in searches)
        yield f"{whose}: every search p50 ≤ 6 ms", f"{slowest:.1f} ms", slowest <= 6
        yield f"{whose}: every search p95 ≤ 30 ms", f"{tail:.1f} ms", tail <= 30
        least = self.bare["list"]["p50"] + pages[f"{who}: bare SQL, list"]["p50"]
        times = pages[f"{who}: list"]["p50"] / least
        yield f"{whose}: list ≤ 5 × (bare page + bare SQL)", f"{times:.1f} × of {least:.1f} ms", times <= 5

    def _growth(self, kind: str, size: int) -> Iterator[tuple[str, str, bool]]:
        smallest = min(found for _kind, found in self.ours)
        if smallest == size:
            return
        before, after = self.ours[kind, smallest], self.ours[kind, size]
        ratios = {name: row["p50"] / before[name]["p50"] for name, row in after.items()
                  if isinstance(row, dict) and "bare SQL" not in name and name in before}  # fmt: skip
        worst = max(ratios, key=lambda name: ratios[name])
        most = 2 if size <= MILLION else 2.5
        slower = [name for name, ratio in ratios.items() if ratio > most]
        text = f"worst {_named(worst)}: {ratios[worst]:.1f} ×; {len(slower)} of {len(ratios)} pages above {most} ×"
        yield f"{kind}: no page slower than {most} × from {smallest:,} to {size:,}", text, not slower

    def plot(self) -> str:
        """The growth of list and search for staff, as SVG: both axes logarithmic."""
        sizes = sorted({size for _kind, size in self.ours})
        lines = []
        for kind in dict.fromkeys(kind for kind, _size in self.ours):
            for name, dash in (("list", ""), ("search, common word", "6 4")):
                page, known = f"staff: {name}", [size for size in sizes if (kind, size) in self.ours]
                points = [(size, self.ours[kind, size][page]["p50"]) for size in known]
                lines.append((f"{kind}, {name}", COLORS[kind], dash, points))
        return _svg(sizes, lines)


def _named(name: str) -> str:
    who, _colon, page = name.partition(": ")
    return f"{PEOPLE[who]}: {page}" if who in PEOPLE else name


def _line(name: str, row: Row) -> str:
    times = f"{row['p50']:.1f} | {row['p95']:.1f} | {row['per_second']:.0f} | {row['cpu']:.1f}"
    return f"| {name} | {times} | {row['bytes'] / 1000:.0f} |"


Line = tuple[str, str, str, list[tuple[int, float]]]


def _svg(sizes: list[int], lines: list[Line]) -> str:
    ticks = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

    def x(size: float) -> float:
        place = sizes.index(int(size)) / max(1, len(sizes) - 1)
        return 70 + place * 480

    def y(milliseconds: float) -> float:
        low, high = 0, 3  # 1 to 1,000 ms
        return 300 - (_log(max(milliseconds, 1)) - low) / (high - low) * 260

    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 340" font-family="sans-serif" font-size="12">',
             '<rect width="760" height="340" fill="#fff"/>']  # fmt: skip
    for tick in ticks:
        parts.append(f'<path d="M70 {y(tick):.0f}H550" stroke="#ddd"/>')
        parts.append(f'<text x="62" y="{y(tick) + 4:.0f}" text-anchor="end">{tick} ms</text>')
    parts += [f'<text x="{x(size):.0f}" y="320" text-anchor="middle">{size:,}</text>' for size in sizes]
    for place, (name, color, dash, points) in enumerate(lines):
        path = " ".join(f"{x(size):.0f},{y(taken):.1f}" for size, taken in points)
        stroke = f'stroke="{color}" stroke-width="2" stroke-dasharray="{dash}"'
        parts.append(f'<polyline points="{path}" fill="none" {stroke}/>')
        parts.append(f'<text x="562" y="{60 + 20 * place}" fill="{color}">{name}{" (dashed)" if dash else ""}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _log(number: float) -> float:
    return math.log10(number)
