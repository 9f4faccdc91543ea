"""Values of the wrong kind with an obvious meaning: yes for true, a number in quotes, a list without brackets."""

import re
from collections.abc import Iterator, Mapping

from portal.declaration.source.excerpts import is_in_brackets
from portal.declaration.source.problems import Problem
from portal.workshop.fixing.edits import Alternatives, Edit, Proposal, SourceText

_YES_AND_NO = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_AS_LIST = re.compile(r"must be a list: \[(.+)\]")
_AS_TEXT = re.compile(r"must be one text, without brackets: (.+)")
_AS_QUOTED = re.compile(r'must be a text in quotes: (".+")')
_AS_SORT = re.compile(r'write "(-?\w+)": a minus stands')


def rewritten(problem: Problem, sources: Mapping[str, SourceText]) -> Iterator[Alternatives]:
    """A misread value at the place of the problem, written as its message says."""
    source = sources[problem.file]
    if problem.line > len(source.lines):
        return
    there = source.marked(problem.line, problem.column)
    texts = list(_other_ways(problem, there))
    if match := _AS_LIST.search(problem.message):
        is_item = bool(problem.path) and isinstance(problem.path[-1], int)
        before = source.before(problem.line, problem.column)
        texts.append(match[1] if is_item and is_in_brackets(before) else f"[{match[1]}]")
    if texts:
        yield [source.replaced(problem.line, problem.column, len(there), text) for text in texts]
    if problem.message.startswith("there is no value here"):
        yield list(_quoted_comment(problem, source))
    if problem.message.endswith('write a space after each "-"'):
        yield list(_spaced_dashes(problem, source))


def _other_ways(problem: Problem, there: str) -> Iterator[str]:
    inner = there.strip("\"'")
    if "true or false" in problem.message or "true, false" in problem.message:
        word = _YES_AND_NO.get(inner.casefold(), inner.casefold())
        if word in ("true", "false"):
            yield word
    elif inner != there and re.fullmatch(r"-?\d+(\.\d+)?", inner):
        yield inner
    elif match := _AS_TEXT.search(problem.message) or _AS_SORT.search(problem.message):
        yield match[1]
    elif match := _AS_QUOTED.search(problem.message):
        yield match[1] if match[1].strip('"') == there else f'"{there}"'


def _quoted_comment(problem: Problem, source: SourceText) -> Iterator[Proposal]:
    """The misread value that was taken for a comment, `accent: #2457d6`, in quotes."""
    line = source.lines[problem.line - 1]
    if match := re.search(r":\s+([#&][\w-]+)(?=\s*$|\s*[,}\]]|\s+#)", line):
        yield source.replaced(problem.line, match.start(1) + 1, len(match[1]), f'"{match[1]}"')


def _spaced_dashes(problem: Problem, source: SourceText) -> Iterator[Proposal]:
    """A misread list, `-title` in a block of lines, with a space after each dash."""
    edits: list[Edit] = []
    for number in range(problem.line, len(source.lines) + 1):
        match = re.match(r"\s*-(?=[^\s-])", source.lines[number - 1])
        if match is None:
            break
        edits += source.replaced(number, match.end() + 1, 0, " ")
    yield tuple(edits)
