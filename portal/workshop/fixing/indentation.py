"""Fixes wrong indentation and tabs by moving a line, alone or with the lines that belong to it."""

import re
from collections.abc import Iterator
from itertools import islice

from portal.declaration.source.problems import Problem
from portal.declaration.source.text_lines import has_content
from portal.workshop.fixing.edits import Alternatives, Edit, Proposal, SourceText

LINES_BEFORE = 3
WIDTHS_OF_A_TAB = (2, 4, 8)


def reindented(problem: Problem, source: SourceText) -> Iterator[Alternatives]:
    """First the tabs of the whole file; then the problem's line and those before it, at every fitting indentation."""
    if problem.line > len(source.lines):
        return
    if tabbed := [number for number, line in enumerate(source.lines, 1) if re.match(r" *\t", line)]:
        yield [_without_tabs(source, tabbed, width) for width in WIDTHS_OF_A_TAB]
        yield [proposal for number in tabbed[:1] for proposal in _moved(source, number)]
    before = (number for number in range(problem.line - 1, 0, -1) if has_content(source.lines[number - 1]))
    numbers = [problem.line, *islice(before, LINES_BEFORE)]
    yield [proposal for number in numbers for proposal in _moved(source, number)]


def _moved(source: SourceText, number: int) -> Iterator[Proposal]:
    """A line moved to each indentation used near it, alone and with the deeper lines below it."""
    line = source.lines[number - 1]
    here = _indent(line)
    below = _block(source, number)
    for new_indent in sorted(_indentations(source, number) - {here}, key=lambda indent: (abs(indent - here), indent)):
        alone = _indented(source, number, new_indent)
        yield (alone,)
        if below:
            deeper = ((inner, _indent(source.lines[inner - 1]) + new_indent - here) for inner in below)
            yield (alone, *(_indented(source, inner, indent) for inner, indent in deeper))


def _indentations(source: SourceText, number: int) -> set[int]:
    """The indentations of the lines around, and one step deeper; no odd ones in a file without any."""
    near = [_indent(line) for line in source.lines[max(0, number - 30) : number + 5] if has_content(line)]
    others = [_indent(line) for index, line in enumerate(source.lines, 1) if index != number and has_content(line)]
    step = 2 if sum(indent % 2 for indent in others) * 10 <= len(others) else 1
    return {indent for width in near for indent in (width, width + 2) if indent % step == 0 and indent >= 0}


def _block(source: SourceText, number: int) -> list[int]:
    """The lines to move along with one that is indented wrongly: the deeper ones right below."""
    here = _indent(source.lines[number - 1])
    inner = []
    for index in range(number + 1, len(source.lines) + 1):
        line = source.lines[index - 1]
        if has_content(line) and _indent(line) <= here:
            break
        if line.strip():
            inner.append(index)
    return inner


def _indented(source: SourceText, number: int, indent: int) -> Edit:
    line = source.lines[number - 1]
    return source.replaced(number, 1, len(line) - len(line.lstrip()), " " * max(0, indent))[0]


def _without_tabs(source: SourceText, numbers: list[int], width: int) -> Proposal:
    return tuple(_indented(source, number, _indent(source.lines[number - 1], width)) for number in numbers)


def _indent(line: str, tab: int = 2) -> int:
    leading = line[: len(line) - len(line.lstrip())]
    return len(leading.replace("\t", " " * tab))
