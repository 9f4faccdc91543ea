"""What breaks YAML: quotes, brackets, colons, comments and the traces of other programs, line by line.

The parser stops where it can go no further, so the lines before that place are also examined. Each function returns the
possible meanings of one line; trying them shows which one makes the file valid.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from portal.declaration.source.problems import Problem
from portal.declaration.source.syntax_errors import NOT_A_SPACE, TYPOGRAPHIC_QUOTES
from portal.workshop.fixing.edits import Alternatives, Proposal, SourceText

LINES_BEFORE = 3
MOST_OPENED = 10  # lines with unclosed quotes
# A key, or the dash of a list, with what follows it up to a comment.
_VALUE = re.compile(r"^(?P<before>\s*(?:- )*(?:[\w.-]+:\s+|- ))(?P<value>\S.*?)(?P<after>\s+#.*|\s*)$")
_IN_BRACES = re.compile(r"(?P<before>[\w-]+:\s*)(?P<value>[^,\[\]{}\"'\s][^,\[\]{}\"']*?)(?P<after>\s*[,}\]])")
_COLON = re.compile(r"(?P<name>[A-Za-z_][\w-]*):(?=[^\s:/])")
_FENCE = re.compile(r"\s*(?:```|~~~)\S*\s*")
_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")

LineRepair = Callable[[SourceText, int], Iterator[Proposal]]


def misread_lines(problem: Problem, source: SourceText) -> Iterator[Alternatives]:
    """Fixes for what YAML misreads: typographic quotes, missing spaces and colons in the line."""
    if problem.line <= len(source.lines):
        for repair in _MISREAD:
            yield list(repair(source, problem.line))


def repaired_lines(problem: Problem, source: SourceText) -> Iterator[Alternatives]:
    """Fixes for the usual causes, one kind after another, in the line of the problem and in those before it."""
    if problem.line > len(source.lines):
        return
    yield list(_without_traces(source))
    numbers = _lines_to_look_at(problem, source)
    for repair in _REPAIRS:
        yield [proposal for number in numbers for proposal in repair(source, number)]


def _lines_to_look_at(problem: Problem, source: SourceText) -> list[int]:
    """Where YAML may be broken: the line of the problem, the non-empty ones before it, those with open quotes; from 1.

    Unclosed quotes end at the next ones, which then open where they should close, and so on: the problem is reported
    at the last ones of the file.
    """
    before = (number for number in range(problem.line - 1, 0, -1) if source.lines[number - 1].strip())
    near = [problem.line, *islice(before, LINES_BEFORE)]
    opened = (number for number, line in enumerate(source.lines, 1) if line.count('"') % 2)
    return list(dict.fromkeys((*near, *islice(opened, MOST_OPENED))))


# -- traces of other programs -------------------------------------------------------------------------------------


def _without_traces(source: SourceText) -> Iterator[Proposal]:
    """Broken YAML without the fences of a document, a second "---", or a merge conflict with two equal sides."""
    lines = source.lines
    fences = [number for number, line in enumerate(lines, 1) if _FENCE.fullmatch(line)]
    if fences:
        yield tuple(edit for number in fences for edit in source.removed_lines(number, number))
    rulers = [number for number, line in enumerate(lines, 1) if line.strip() in ("---", "...")]
    for chosen in (rulers, rulers[1:]) if rulers else ():
        yield tuple(edit for number in chosen for edit in source.removed_lines(number, number))
    begins, _bases, middles, ends = ([n for n, line in enumerate(lines, 1) if line.startswith(m)] for m in _MARKERS)
    if len(begins) == len(middles) == len(ends) == 1:
        begin, middle, end = begins[0], middles[0], ends[0]
        if lines[begin : middle - 1] == lines[middle : end - 1]:
            yield source.removed_lines(begin, begin) + source.removed_lines(middle, end)


# -- one line -----------------------------------------------------------------------------------------------------


def _with_space(source: SourceText, number: int) -> Iterator[Proposal]:
    """The broken line with a space after a colon or a dash."""
    line = source.lines[number - 1]
    for match in _COLON.finditer(line):
        if line[: match.start()].count('"') % 2 == 0:
            yield source.replaced(number, match.end() + 1, 0, " ")
    if dash := re.match(r"\s*-(?=[^\s-])", line):
        yield source.replaced(number, dash.end() + 1, 0, " ")


def _with_straight_quotes(source: SourceText, number: int) -> Iterator[Proposal]:
    line = source.lines[number - 1]
    odd = [index for index, character in enumerate(line) if character in TYPOGRAPHIC_QUOTES]
    if odd:
        yield tuple(edit for index in odd for edit in source.replaced(number, index + 1, 1, '"'))


def _with_comma_before_key(source: SourceText, number: int) -> Iterator[Proposal]:
    """The broken line `label: Late icon: clock` with a comma before what looks like the next key, if it may be one."""
    line = source.lines[number - 1]
    for match in re.finditer(r"(?<=[^\s,{\[:-])(?=\s+[\w-]+:\s)", line):
        yield source.replaced(number, match.end() + 1, 0, ",")


def _in_quotes(source: SourceText, number: int) -> Iterator[Proposal]:
    """The broken line with its value, or one in braces, in quotes."""
    line = source.lines[number - 1]
    for match in (*_IN_BRACES.finditer(line), *([after_key] if (after_key := _VALUE.match(line)) else [])):
        value = match["value"]
        quote = "'" if '"' in value or "\\" in value else '"'
        if quote not in value and value[0] not in "\"'[{":
            yield source.replaced(number, match.start("value") + 1, len(value), f"{quote}{value}{quote}")
    if placeholder := re.search(r":\s+(\{[^{},\s]*\}[^,\]}\s]*)(?=\s*$|\s*[,\]}]|\s+#)", line):
        yield source.replaced(number, placeholder.start(1) + 1, len(placeholder[1]), f'"{placeholder[1]}"')


def _with_closed_quotes(source: SourceText, number: int) -> Iterator[Proposal]:
    """The broken line with the missing quote at the other end of a text, before anything that may follow a text."""
    line = source.lines[number - 1]
    for quote in "\"'":
        places = [index for index, character in enumerate(line) if character == quote]
        opens = [not line[:place].strip() or line[:place].rstrip(" ")[-1] in "[{,:-" for place in places]
        for index, place in enumerate(places):
            before = places[index - 1] + 1 if index else 0
            after = places[index + 1] if index + 1 < len(places) else len(line)
            if opens[index] and (after == len(line) or opens[index + 1]):
                text = line[place + 1 : after]
                for end in re.finditer(r"\s*[,}\]]|\s+#|\s*$", text):
                    yield source.replaced(number, place + end.start() + 2, 0, quote)
                    if re.match(r"\s*,\s*[\w-]+:\s", text[end.start() :]):
                        break  # the next key follows, which is not part of the text
            elif not opens[index] and (not index or not opens[index - 1]):
                starts = re.finditer(r"(?:^\s*- |:\s+|[\[{,]\s*)(?=[^\s\[{])", line[before:place])
                yield from (source.replaced(number, before + start.end() + 1, 0, quote) for start in starts)


def _with_brackets(source: SourceText, number: int) -> Iterator[Proposal]:
    """The broken line with a missing bracket or comma, or without a superfluous one."""
    line = source.lines[number - 1]
    end = len(re.sub(r"\s+#.*$|\s+$", "", line))
    stops = [*(match.start() for match in re.finditer(r"\s*[,\]}]", line[:end])), end]
    for bracket in "]}":
        yield from (source.replaced(number, stop + 1, 0, bracket) for stop in stops)
    for match in re.finditer(r"(?<=:)\s+(?=[^\s\[{])", line[:end]):
        yield from (source.replaced(number, match.end() + 1, 0, bracket) for bracket in "[{")
    for match in re.finditer(r"[\[\]{}]", line[:end]):
        yield source.replaced(number, match.start() + 1, 1, "")
    for match in re.finditer(r"(?<=[^\s,\[{:-])(?=\s+[^\s,\]}#])", line[:end]):
        yield source.replaced(number, match.end() + 1, 0, ",")
    if after_key := _VALUE.match(line):
        inner = after_key["value"]
        yield source.replaced(number, after_key.start("value") + 1, len(inner), f"{{{inner}}}")


def _without_extra_comma(source: SourceText, number: int) -> Iterator[Proposal]:
    line = source.lines[number - 1]
    for match in re.finditer(r",\s*(?=,)|,\s*$|(?<=[\[{]),\s*", line):
        yield source.replaced(number, match.start() + 1, len(match[0]), "")


def _with_colon(source: SourceText, number: int) -> Iterator[Proposal]:
    """The broken line with a colon after the first name, or between two names in braces."""
    line = source.lines[number - 1]
    if match := re.match(r"\s*(?:- )?[\w-]+(?=\s|$)(?!:)", line):
        yield source.replaced(number, match.end() + 1, 0, ":")
    for match in re.finditer(r"(?<=[{,])\s*[\w-]+(?=\s+[^\s,}])", line):
        yield source.replaced(number, match.end() + 1, 0, ":")


def _without_equals(source: SourceText, number: int) -> Iterator[Proposal]:
    """The broken line with a colon in place of an equals sign."""
    line = source.lines[number - 1]
    for match in re.finditer(r"(?<=\w)\s*=\s*(?=\S)", line):
        yield source.replaced(number, match.start() + 1, len(match[0]), ": ")


def _as_comment(source: SourceText, number: int) -> Iterator[Proposal]:
    if match := re.match(r"\s*(//|--)\s?", source.lines[number - 1]):
        yield source.replaced(number, match.start(1) + 1, 2, "#")


def _with_ordinary_spaces(source: SourceText, number: int) -> Iterator[Proposal]:
    """The broken file with plain spaces for a word processor's: at the start of all lines, else in this whole one."""
    leading = re.compile(f"^[ \\t{NOT_A_SPACE}]*[{NOT_A_SPACE}][ \\t{NOT_A_SPACE}]*")
    edits = [
        edit
        for index, line in enumerate(source.lines, 1)
        if (match := leading.match(line))
        for edit in source.replaced(index, 1, len(match[0]), " " * len(match[0]))
    ]
    if edits:
        yield tuple(edits)
    line = source.lines[number - 1]
    odd = [index for index, character in enumerate(line) if re.match(f"[{NOT_A_SPACE}]", character)]
    if odd:
        yield tuple(edit for index in odd for edit in source.replaced(number, index + 1, 1, " "))


def _with_escapes(source: SourceText, number: int) -> Iterator[Proposal]:
    """The broken line with single quotes around a text with backslashes."""
    for match in re.finditer(r'"([^"\']*\\[^"\']*)"', source.lines[number - 1]):
        yield source.replaced(number, match.start() + 1, len(match[0]), f"'{match[1]}'")


_MISREAD: tuple[LineRepair, ...] = (
    _with_straight_quotes, _with_space, _with_ordinary_spaces, _as_comment, _without_equals, _with_colon,
)  # fmt: skip
_REPAIRS: tuple[LineRepair, ...] = (
    _with_ordinary_spaces, _with_straight_quotes, _as_comment, _with_space, _with_closed_quotes,
    _with_comma_before_key, _in_quotes,
    _with_escapes, _with_brackets, _without_extra_comma, _without_equals, _with_colon,
)  # fmt: skip
