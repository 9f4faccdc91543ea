"""Places boxes and the links between them in columns, so that links run from left to right: for the map of modules.

The method of Sugiyama, Tagawa and Toda (1981): cycles are broken, each box is left of its targets, links across several
columns get a lane in each, and the order in a column and then the heights follow the neighbors. The result is
deterministic. Knows nothing about modules; lengths are in pixels.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

WIDTH, BETWEEN = 168, 72  # of a column, and between columns
ROW, HEAD, LANE = 20, 44, 6  # heights of a link's row, of the head above the rows, of a passing link
ARRIVAL = 9  # between links that arrive at a box
MOST_COLUMNS = 7  # more would be too wide for a page
APART, LANES_APART = 18, 4  # gaps between the boxes of a column, and between lanes
SWEEPS = 12


@dataclass(frozen=True)
class GraphLink:
    """A link from a row of a box to another box."""

    source: str
    row: int
    target: str


@dataclass(frozen=True)
class Graph:
    """Boxes with the number of their rows, and the links between them. In a cycle, the links back to the box that comes
    first in `rows` run from right to left."""

    rows: Mapping[str, int]
    links: Sequence[GraphLink]


@dataclass(frozen=True)
class BoxPlace:
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class GraphDrawing:
    """The places of the boxes, the path of each link, and the total size."""

    places: Mapping[str, BoxPlace]
    paths: Mapping[GraphLink, str]
    width: float
    height: float


@dataclass
class _Layers:
    """The columns while they are built: names of boxes, and lanes, which are (link, column)."""

    columns: list[list[Hashable]]
    height: dict[Hashable, float]
    after: dict[Hashable, list[Hashable]] = field(default_factory=lambda: defaultdict(list))
    before: dict[Hashable, list[Hashable]] = field(default_factory=lambda: defaultdict(list))
    y: dict[Hashable, float] = field(default_factory=dict)


def draw(graph: Graph) -> GraphDrawing:
    """Places the boxes of a graph and routes its links. A link from a box to itself has no path."""
    links = [link for link in graph.links if link.source != link.target]
    column = _columns(graph, links)
    layers = _layers(graph, links, column)
    for sweep in range(SWEEPS):
        _order(layers, forward=sweep % 2 == 0)
    _stack(layers)
    for sweep in range(SWEEPS):
        _level(layers, forward=sweep % 2 == 0)
    top = min(layers.y.values(), default=0)
    layers.y = {node: y - top for node, y in layers.y.items()}
    places = {name: BoxPlace(_x(column[name]), layers.y[name], layers.height[name]) for name in graph.rows}
    return GraphDrawing(
        places=places,
        paths=_paths(links, column, layers, places),
        width=_x(max(column.values(), default=0)) + WIDTH,
        height=max((layers.y[node] + layers.height[node] for node in layers.y), default=0),
    )


def _box_height(rows: int, arriving: int) -> int:
    return max(HEAD + (ROW * rows + ROW // 2 if rows else 0), ARRIVAL * (arriving + 1))


def row_y(row: int) -> float:
    """The middle of a row, measured from the top of its box."""
    return HEAD + ROW * row + ROW / 2


def _x(column: int) -> float:
    return column * (WIDTH + BETWEEN)


# -- columns -----------------------------------------------------------------------------------------------------------


def _columns(graph: Graph, links: Sequence[GraphLink]) -> dict[str, int]:
    """The column of each box: left of all its targets, except for links that close a cycle. If there are too many
    columns, neighboring ones are merged."""
    targets: dict[str, list[str]] = defaultdict(list)
    for link in links:
        targets[link.source].append(link.target)
    distance: dict[str, int] = {}  # to the last box on the longest path
    for name in graph.rows:
        _measure(name, targets, distance)
    last = max(distance.values(), default=0)
    columns = {name: last - distance[name] for name in graph.rows}
    if last < MOST_COLUMNS:
        return columns
    return {name: column * (MOST_COLUMNS - 1) // last for name, column in columns.items()}


def _measure(start: str, targets: Mapping[str, list[str]], distance: dict[str, int]) -> None:
    """The distances of `start` and of all its targets, depth first; boxes still being measured are skipped."""
    stack, open_boxes = [start], set[str]()
    while stack:
        name = stack[-1]
        waiting = [target for target in targets.get(name, ()) if target not in distance and target not in open_boxes]
        if name not in distance and name not in open_boxes:
            open_boxes.add(name)
            stack += reversed(waiting)
            continue
        stack.pop()
        if name in open_boxes:
            open_boxes.discard(name)
            known = [distance[target] for target in targets.get(name, ()) if target in distance]
            distance[name] = max(known, default=-1) + 1


def _layers(graph: Graph, links: Sequence[GraphLink], column: Mapping[str, int]) -> _Layers:
    """The boxes in their columns, with a lane for each link in every column between its ends."""
    layers = _Layers([[] for _ in range(max(column.values(), default=0) + 1)], {})
    arriving = Counter(link.target for link in links)
    for name, rows in graph.rows.items():
        layers.columns[column[name]].append(name)
        layers.height[name] = _box_height(rows, arriving[name])
    for link in links:
        left, right = sorted((link.source, link.target), key=lambda name: column[name])
        if column[left] == column[right]:
            continue
        way: list[Hashable] = [left]
        for between in range(column[left] + 1, column[right]):
            lane = (link, between)
            layers.columns[between].append(lane)
            layers.height[lane] = LANE
            way.append(lane)
        way.append(right)
        for one, next_one in zip(way, way[1:], strict=False):
            layers.after[one].append(next_one)
            layers.before[next_one].append(one)
    return layers


def _order(layers: _Layers, forward: bool) -> None:
    """Sorts each column of the graph by the places of its neighbors in the previous column."""
    neighbors = layers.before if forward else layers.after
    columns = layers.columns if forward else layers.columns[::-1]
    for previous, column in zip(columns, columns[1:], strict=False):
        position = {node: place for place, node in enumerate(previous)}
        own = {node: place for place, node in enumerate(column)}

        def weight(node: Hashable, position: Mapping = position, own: Mapping = own) -> float:
            beside = [position[other] for other in neighbors[node] if other in position]
            return sum(beside) / len(beside) if beside else own[node]

        column.sort(key=weight)


# -- heights -----------------------------------------------------------------------------------------------------------


def _stack(layers: _Layers) -> None:
    for column in layers.columns:
        layers.y |= dict(zip(column, _offsets(layers, column), strict=True))


def _offsets(layers: _Layers, column: Sequence[Hashable]) -> list[float]:
    """The heights in a column of boxes packed as tightly as allowed."""
    y, offsets = 0.0, []
    for node, following in zip_longest(column, column[1:]):
        offsets.append(y)
        lanes = layers.height[node] == LANE and layers.height.get(following) == LANE
        y += layers.height[node] + (LANES_APART if lanes else APART)
    return offsets


def _level(layers: _Layers, forward: bool) -> None:
    """Moves each column of boxes as close to the heights of its neighbors as its order and the gaps allow."""
    neighbors = layers.before if forward else layers.after
    for column in layers.columns if forward else layers.columns[::-1]:
        heights = []
        for node in column:
            middles = [layers.y[other] + layers.height[other] / 2 for other in neighbors[node]]
            middle = sum(middles) / len(middles) if middles else layers.y[node] + layers.height[node] / 2
            heights.append(middle - layers.height[node] / 2)
        layers.y |= dict(zip(column, _in_order(heights, _offsets(layers, column)), strict=True))


def _in_order(heights: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """The heights of boxes nearest to `heights` at which nothing overlaps: isotonic regression by pooling neighbors."""
    pools: list[tuple[float, int]] = []  # mean, size
    for height, offset in zip(heights, offsets, strict=True):
        mean, size = height - offset, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


# -- links -------------------------------------------------------------------------------------------------------------


def _paths(
    links: Iterable[GraphLink], column: Mapping[str, int], layers: _Layers, places: Mapping[str, BoxPlace]
) -> dict[GraphLink, str]:
    """The paths from the row of each link through its lanes to its target, where incoming links are stacked."""
    arriving: dict[str, list[GraphLink]] = defaultdict(list)
    for link in links:
        arriving[link.target].append(link)
    paths = {}
    for target, of_target in arriving.items():
        of_target.sort(key=lambda link: places[link.source].y + row_y(link.row))
        for number, link in enumerate(of_target, 1):
            end = places[target].y + places[target].height * number / (len(of_target) + 1)
            paths[link] = _path(link, end, column, layers, places)
    return paths


def _path(
    link: GraphLink, end: float, column: Mapping[str, int], layers: _Layers, places: Mapping[str, BoxPlace]
) -> str:
    source, target = places[link.source], places[link.target]
    if column[link.source] == column[link.target]:
        right, beyond, start = source.x + WIDTH, source.x + WIDTH + BETWEEN / 2, source.y + row_y(link.row)
        return f"M{right:.0f} {start:.0f}C{beyond:.0f} {start:.0f} {beyond:.0f} {end:.0f} {right:.0f} {end:.0f}"
    forward = column[link.source] < column[link.target]
    step = 1 if forward else -1
    x, y = source.x + (WIDTH if forward else 0), source.y + row_y(link.row)
    parts = [f"M{x:.0f} {y:.0f}"]
    for between in range(column[link.source] + step, column[link.target], step):
        lane_y = layers.y[link, between] + LANE / 2
        near, far = (_x(between), _x(between) + WIDTH) if forward else (_x(between) + WIDTH, _x(between))
        parts.append(f"{_curve(x, y, near, lane_y)}H{far:.0f}")
        x, y = far, lane_y
    parts.append(_curve(x, y, target.x if forward else target.x + WIDTH, end))
    return "".join(parts)


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (x + to_x) / 2
    return f"C{middle:.0f} {y:.0f} {middle:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
