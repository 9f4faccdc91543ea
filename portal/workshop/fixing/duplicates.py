"""Removes the second of two equal keys with the same value."""

import re
from collections.abc import Iterator

from portal.declaration.source.problems import Problem
from portal.workshop.fixing.edits import Alternatives, SourceText


def without_second(problem: Problem, source: SourceText) -> Iterator[Alternatives]:
    """The edit that removes the second of two identical entries, with its lines or its comma."""
    if not problem.related or "appears twice (first in line" not in problem.message:
        return
    first = problem.related[0]
    lines = _entry(source, first.line), _entry(source, problem.line)
    if first.column == problem.column and _texts(source, *lines[0]) == _texts(source, *lines[1]):
        yield [source.removed_lines(*lines[1])]
        return
    line = source.lines[problem.line - 1]
    if first.line == problem.line and (match := re.match(r"[^,\[\]{}]+", line[problem.column - 1 :])):
        text = match[0].rstrip()
        if line[first.column - 1 :].startswith(text):
            before = len(line[: problem.column - 1]) - len(line[: problem.column - 1].rstrip(", "))
            yield [source.replaced(problem.line, problem.column - before, before + len(text), "")]


def _entry(source: SourceText, number: int) -> tuple[int, int]:
    """The lines of one of two equal entries: its own and the more deeply indented ones below."""
    indent = len(source.lines[number - 1]) - len(source.lines[number - 1].lstrip())
    last = number
    for index in range(number + 1, len(source.lines) + 1):
        line = source.lines[index - 1]
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        last = index if line.strip() else last
    return number, last


def _texts(source: SourceText, first: int, last: int) -> list[str]:
    return [line.rstrip() for line in source.lines[first - 1 : last]]
