"""The stages of a lifecycle that names none: the longest way along its transitions."""

from collections.abc import Mapping
from itertools import pairwise

from portal.declaration.shapes import Transition

MOST_WAYS = 2000


def longest_way(states: tuple[str, ...], start: str | None, transitions: Mapping[str, Transition]) -> tuple[str, ...]:
    """The longest way along transitions from `start` without coming twice through a state.

    Of ways of the same length, the one that goes back least in the order of the options. Lifecycles in which very many
    ways are possible get the longest of the first `MOST_WAYS`.
    """
    following: dict[str, list[str]] = {
        state: [target for target in states if any(leads(move, state, target) for move in transitions.values())]
        for state in states
    }
    best: tuple[int, int, tuple[str, ...]] = (0, 0, ())
    ways: list[tuple[str, ...]] = [(start,)] if start in following else []
    for _number in range(MOST_WAYS):
        if not ways:
            break
        way = ways.pop()
        back = sum(states.index(one) > states.index(other) for one, other in pairwise(way))
        if (len(way), -back) > best[:2]:
            best = (len(way), -back, way)
        ways += [(*way, state) for state in reversed(following[way[-1]]) if state not in way]
    return best[2]


def leads(transition: Transition, state: str, target: str) -> bool:
    """Whether `transition` moves a record from `state` to `target`; without `from` it starts in every other state."""
    return target == transition.to != state and (transition.from_ is None or state in transition.from_)
