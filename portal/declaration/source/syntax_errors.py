"""Explains syntax errors of YAML in words that an administrator understands, at the most helpful place.

Called by the reader with the error of the YAML parser. The parser stops where it cannot continue, often far from the
cause: unclosed quotes and brackets, and lines swallowed by the text above them. So the lines between the last value and
the error are first searched for the usual causes.
"""

import re
from collections.abc import Iterator
from typing import Protocol

from yaml import MarkedYAMLError

from portal.declaration.source.nodes import YamlMark
from portal.declaration.source.text_lines import LINE_BREAK, has_content, indentation
from portal.texts import plural

LineAndColumn = tuple[int, int]  # line and column, from 1

NOT_A_SPACE = "\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff"
TYPOGRAPHIC_QUOTES = "“”„‟«»‘’‚"

_TAB = "a tab is not allowed here: indent with spaces"
_COLON = 'a ":" is not expected here: check the indentation, or put a text that contains ": " in quotes'
_NESTING = "this line does not fit what is above it: check the indentation"
_CONTENT = (
    'no value can begin like this: a value is missing, there is a bracket or "," too many, or a text needs quotes'
)
_QUOTES_FIRST = 'a text that begins with "{}" needs quotes'
_EXCLAMATION = _QUOTES_FIRST.format("!")
_NEVER_CLOSED = "the quotes that open here are never closed"
_TYPOGRAPHIC = 'typographic quotes do not quote a text: use " instead of {}'
_COMMENT = 'a comment begins with "#", not with "{}"'
_NO_SPACE = 'write a space after the "{}"'
_ODD_SPACE_AFTER = 'a special space (U+{:04X}) follows the ":": write an ordinary one'
_LOOKALIKE = 'write "{}" instead of "{}", which only looks like it'
_UNSEEN_BREAK = "the character U+{:04X} ends the line here for YAML, and few editors show it: remove it"
_FORMULA_IN_QUOTES = """put the whole formula in double quotes, and its texts in single ones: of: "'A-' + code\""""
_ODD_SPACE = "this line begins with a special space (U+{:04X}): indent with ordinary spaces"

_SENTENCES = {
    "found a tab character that violates indentation": _TAB,
    "found a tab character where an indentation space is expected": _TAB,
    "mapping values are not allowed in this context": _COLON,
    "mapping keys are not allowed in this context": _NESTING,
    "block sequence entries are not allowed in this context": 'a list ("- ") must begin on a line of its own',
    "did not find expected key": _NESTING,
    "did not find expected '-' indicator": "the next item of the list should begin here: check the indentation",
    "could not find expected ':'": 'the ":" after this name is missing',
    "found unexpected end of stream": _NEVER_CLOSED,
    "found unexpected document indicator": _NEVER_CLOSED,
    "did not find expected node content": _CONTENT,
    "did not find expected comment or line break": 'after "|" or ">" the text must begin on the next line',
    "found unknown escape character": 'in double quotes "\\" must be written "\\\\": or use single quotes',
    "found invalid Unicode character escape code": "this character code does not exist",
    "found undefined tag handle": _EXCLAMATION,
    "did not find expected whitespace or line break": _EXCLAMATION,
    "did not find expected <document start>": "the file goes on after its end: check the indentation of this line",
    "found unexpected ':'": 'a ":" is not expected here: remove it, or put the text in quotes',
    "found duplicate %YAML directive": 'the line "%YAML" appears twice',
    "found incompatible YAML document": "this version of YAML is unknown: remove the line",
    "found unknown directive name": 'a line cannot begin with "%": put the text in quotes',
}
_QUOTES_TO_THE_END = ("found unexpected end of stream", "found unexpected document indicator")
_BEGAN_EARLIER = (*_QUOTES_TO_THE_END, "could not find expected ':'")
_AFTER_A_NAME = ("did not find expected key", "mapping values are not allowed in this context")
_NOT_CLOSED = {"did not find expected ',' or ']'": "[", "did not find expected ',' or '}'": "{"}
_MERGE_MARKER = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?: .*)?$", re.MULTILINE)
_FENCE = re.compile(r"\s*^(```|~~~).*$", re.MULTILINE)
_COMMENT_LINE = re.compile(r"\s*(//|/\*|<!--|;)")
_COLON_WITHOUT_SPACE = re.compile(r"\s*(?:- )?[A-Za-z_][\w-]*:(?=[^\s:/])")
_DASH_WITHOUT_SPACE = re.compile(r"\s*-(?=\w)")
_ODD_INDENTATION = re.compile(f" *([{NOT_A_SPACE}])")
_SPACE_AFTER_COLON = re.compile(f":([{NOT_A_SPACE}])")
# Characters that look like those of YAML, each with the intended one.
_LOOKALIKES = re.compile(r"\s*(?:([–—−•])(?=\s)|[A-Za-z_][\w-]*\s*([：﹕∶]))")
_UNSEEN_BREAKS = re.compile("[\x85\u2028\u2029]")
_ONLY_A_NAME = re.compile(r"\s*[A-Za-z_][\w-]*\s*$")
# A text formula that begins with a quoted text, or that is within braces and has a comma in a quoted text.
_FORMULA = re.compile(r"""\bof:[ ]+(?=('[^']*'|"[^"]*")\s*\+|[^'"{}#,]*'[^']*[,{}])""")
_NAME_BEFORE_BRACKETS = re.compile(r"\s*(?:- )?([A-Za-z_][\w-]*)(?=[ ]+[\[{])")
_AFTER_BRACKETS = re.compile(r'(?:^|[:\-,]\s+)([\[{])[^"\']*[\]}]$')


class Scalar(Protocol):
    """The last scalar before a syntax error: `style` is its quotes, `start_mark` and `end_mark` are its ends."""

    start_mark: YamlMark
    end_mark: YamlMark
    style: str | None


def what_is_not_yaml(text: str) -> tuple[LineAndColumn, str] | None:
    """Traces of other programs around the YAML: the place of their first line, and what to do about it."""
    if (fence := _FENCE.match(text)) is not None:
        line = text.count("\n", 0, fence.start(1)) + 1
        return (line, 1), f'remove the line "{fence.group(1)}" and the one at the end: they belong to a document'
    if (marker := "<<<<<<<" in text and _MERGE_MARKER.search(text)) and "\n>>>>>>>" in text:
        line = text.count("\n", 0, marker.start()) + 1
        return (
            line,
            1,
        ), "an unfinished merge: keep one of the two versions and remove the lines <<<<<<<, =======, >>>>>>>"
    return None


def unseen_break(text: str, start: int, end: int) -> tuple[LineAndColumn, str] | None:
    """The first character between two places that ends a line in YAML but in few editors: its place, and a sentence."""
    if (match := _UNSEEN_BREAKS.search(text, start, end)) is None:
        return None
    before = LINE_BREAK.split(text[: match.start()])
    return (len(before), len(before[-1]) + 1), _UNSEEN_BREAK.format(ord(match.group()))


def error_in_words(
    error: MarkedYAMLError, text: str, last: Scalar | None, opened: YamlMark | None
) -> tuple[LineAndColumn | None, str]:
    """The place of a syntax error and one sentence that says what to do.

    `last` is the last scalar before it, `opened` the beginning of the innermost open list or mapping.
    """
    return _formula(error, text, last) or _in_words(error, text, last, opened)


def _formula(error: MarkedYAMLError, text: str, last: Scalar | None) -> tuple[LineAndColumn, str] | None:
    """The first formula before the error whose quotes YAML takes as its own."""
    lines = [mark.line for mark in (error.problem_mark, error.context_mark) if mark is not None]
    lines += [last.start_mark.line] if last is not None else []
    first, end = min(lines, default=0), max(lines, default=-1) + 1
    for number, line in enumerate(text.splitlines()[first:end], first + 1):
        match = _FORMULA.search(line)
        if match and (match.group(1) or "{" in line[: match.start()]):
            return (number, match.end() + 1), _FORMULA_IN_QUOTES
    return None


def _in_words(
    error: MarkedYAMLError, text: str, last: Scalar | None, opened: YamlMark | None
) -> tuple[LineAndColumn | None, str]:
    problem = error.problem or "this cannot be read"
    mark: YamlMark | None = error.problem_mark or error.context_mark
    context: YamlMark | None = error.context_mark
    if problem == "did not find expected alphabetic or numeric character":
        return _place(context or mark), _wrong_start(context, text)
    if mark is None:
        return None, f"this is not YAML: {problem}"
    if (cause := _never_closed(problem, mark, opened, text)) is not None:
        return cause
    if (cause := _cause(problem, mark, context, text, last)) is not None:
        return cause
    if problem == "found character that cannot start any token":
        return _place(mark), _wrong_start(mark, text)
    if problem in _NOT_CLOSED and context is not None:
        return _text_in_brackets(mark, context, last, text) or _not_closed(_NOT_CLOSED[problem], mark, context, text)
    if problem in _BEGAN_EARLIER and context is not None:
        mark = context
    return _place(mark), _SENTENCES.get(problem, f"this is not YAML: {problem}")


def _never_closed(problem: str, mark: YamlMark, opened: YamlMark | None, text: str) -> tuple[LineAndColumn, str] | None:
    """A cause of syntax errors: a bracket that is still open at the end of the file."""
    if opened is None or problem in _QUOTES_TO_THE_END or text[mark.index :].strip():
        return None
    bracket, place = text[opened.index : opened.index + 1], (opened.line + 1, opened.column + 1)
    sentence = f'the "{bracket}" that opens here is never closed'
    return _swallowed_by_hash(opened, text) or ((place, sentence) if bracket in ("[", "{") else None)


def _place(mark: YamlMark | None) -> LineAndColumn | None:
    return (mark.line + 1, mark.column + 1) if mark is not None else None


def _wrong_start(mark: YamlMark | None, text: str) -> str:
    character = text[mark.index : mark.index + 1] if mark is not None else ""
    return _TAB if character == "\t" else _QUOTES_FIRST.format(character)


def _not_closed(bracket: str, mark: YamlMark, context: YamlMark, text: str) -> tuple[LineAndColumn | None, str]:
    if mark.line == context.line:
        closing = "]" if bracket == "[" else "}"
        return _place(mark), f'a "," or the closing "{closing}" is missing before this'
    if (cause := _swallowed_by_hash(context, text)) is not None:
        return cause
    comma = f'or a "," is missing before line {mark.line + 1}'
    return _place(context), f'the "{bracket}" that opens here is not closed, {comma}'


def _swallowed_by_hash(opened: YamlMark, text: str) -> tuple[LineAndColumn, str] | None:
    """A cause of syntax errors: a value such as `#2457d6`, a comment in YAML, with the bracket that closes `opened`."""
    line = text.splitlines()[opened.line]
    match = re.match(r"(?:[^\"'#]|\"[^\"]*\"|'[^']*')*[:,]\s+(#)(?=[\w])", line[opened.column :])
    return ((opened.line + 1, opened.column + match.start(1) + 1), _QUOTES_FIRST.format("#")) if match else None


# -- usual causes -------------------------------------------------------------------------------------------------


def _cause(
    problem: str, mark: YamlMark, context: YamlMark | None, text: str, last: Scalar | None
) -> tuple[LineAndColumn, str] | None:
    lines = text.splitlines()
    if last is not None and (cause := unseen_break(text, last.start_mark.index, mark.index)) is not None:
        return cause
    first = min(mark.line, last.start_mark.line if last is not None else mark.line)
    if problem == "could not find expected ':'" and context is not None:
        first = context.line
    for number in range(first, min(mark.line + 1, len(lines))):
        if (cause := next(_causes_in_line(lines[number], number + 1), None)) is not None:
            return cause
    line = lines[mark.line] if mark.line < len(lines) else ""
    if problem in _AFTER_A_NAME and (match := _NAME_BEFORE_BRACKETS.match(line)) and match.end() < mark.column:
        return (mark.line + 1, match.end() + 1), f'the ":" after "{match.group(1)}" is missing'
    if last is not None and problem == "did not find expected key":
        return _comma_at_end(mark, line) or _quotes(mark, last) or _brackets(mark, line) or _indentation(mark, lines)
    if problem == "mapping values are not allowed in this context" and last is not None:
        return _swallowed(mark, last, lines) if first < mark.line else _without_braces(mark, line)
    return None


def _causes_in_line(line: str, number: int) -> Iterator[tuple[LineAndColumn, str]]:
    if match := _COMMENT_LINE.match(line):
        yield (number, match.start(1) + 1), _COMMENT.format(match.group(1))
    if match := _ODD_INDENTATION.match(line):
        yield (number, match.start(1) + 1), _ODD_SPACE.format(ord(match.group(1)))
    if match := _SPACE_AFTER_COLON.search(line):
        yield (number, match.start(1) + 1), _ODD_SPACE_AFTER.format(ord(match.group(1)))
    if match := _LOOKALIKES.match(line):
        place, meant = (match.start(1), "-") if match.group(1) else (match.start(2), ":")
        yield (number, place + 1), _LOOKALIKE.format(meant, line[place])
    if match := re.search(f"[{TYPOGRAPHIC_QUOTES[:-3]}]", line):
        yield (number, match.start() + 1), _TYPOGRAPHIC.format(match.group())
    if match := _COLON_WITHOUT_SPACE.match(line):
        yield (number, match.end() + 1), _NO_SPACE.format(":")
    if match := _DASH_WITHOUT_SPACE.match(line):
        yield (number, match.end() + 1), _NO_SPACE.format("-")


def _comma_at_end(mark: YamlMark, line: str) -> tuple[LineAndColumn, str] | None:
    """A cause of syntax errors: a comma at the end of a line: JSON, or a mapping in braces split into lines."""
    if line[mark.column :].strip() != ",":
        return None
    return (mark.line + 1, mark.column + 1), 'remove the "," at the end of the line: commas stand only within brackets'


def _text_in_brackets(
    mark: YamlMark, context: YamlMark, last: Scalar | None, text: str
) -> tuple[LineAndColumn, str] | None:
    """A cause of syntax errors: a text in brackets that its own quotes, colon or brackets end too early."""
    if last is None:
        return None
    start, end = last.start_mark, last.end_mark
    if (mark.index == end.index or start.line != end.line) and (cause := _quotes(mark, last)) is not None:
        return cause
    before, sign = text[: mark.index], text[mark.index : mark.index + 1]
    if (match := re.search(r":\s+(\[[^\[\]]*\])\Z", before)) and not sign.isspace():
        return (mark.line + 1, mark.column - len(match[1]) + 1), _QUOTES_FIRST.format("[")
    if last.style or mark.index != end.index or mark.line != context.line or sign not in (":", "[", "{"):
        return None
    first, space, word = before[start.index :].rpartition(" ")
    if space and sign == ":":
        place = start.line + 1, start.column + len(first) + 2
        return place, f'a "," is missing before "{word}", or the text before the ":" needs quotes'
    return (start.line + 1, start.column + 1), f'a text with "{sign}" in it needs quotes here'


def _quotes(mark: YamlMark, last: Scalar) -> tuple[LineAndColumn, str] | None:
    """A cause of syntax errors: text after closing quotes: opened on an earlier line, or closed too early."""
    if last.style not in ("'", '"') or last.end_mark.line != mark.line or mark.index - last.end_mark.index > 1:
        return None
    start = last.start_mark
    if start.line != mark.line:
        return (start.line + 1, start.column + 1), f"the quotes that open here are closed only in line {mark.line + 1}"
    cure = (
        "write '' for an apostrophe, or use double quotes" if last.style == "'" else 'write \\" for a quote in the text'
    )
    return (mark.line + 1, mark.column + 1), f"the quotes from column {start.column + 1} close before this: {cure}"


def _brackets(mark: YamlMark, line: str) -> tuple[LineAndColumn, str] | None:
    """A cause of syntax errors: text after a closing bracket."""
    if line[mark.column : mark.column + 1] in ("]", "}"):
        return (mark.line + 1, mark.column + 1), f'this "{line[mark.column]}" closes nothing: remove it'
    match = _AFTER_BRACKETS.search(line[: mark.column].rstrip())
    if match is None:
        return None
    return (mark.line + 1, match.start(1) + 1), _QUOTES_FIRST.format(match.group(1))


def _indentation(mark: YamlMark, lines: list[str]) -> tuple[LineAndColumn, str] | None:
    """A cause of syntax errors: a line indented less than the block above it, but more than the block's parent."""
    if mark.line >= len(lines) or lines[mark.line][: mark.column].strip():
        return None
    indents = [(number, indentation(text)) for number, text in enumerate(lines[: mark.line]) if has_content(text)]
    opener = next((number for number, indent in reversed(indents) if indent < mark.column), None)
    inner = next((indent for number, indent in indents if opener is not None and number > opener), None)
    place, spaces = (mark.line + 1, mark.column + 1), plural(mark.column, "space")
    if opener is None or inner is None or inner == mark.column:
        above = indents[-1][1] if indents else 0
        if above == mark.column:
            return None
        return place, f"this line is indented by {spaces}, the line above by {above}: check the indentation"
    name = _name(lines[opener])
    sibling = next((number for number, indent in reversed(indents) if number < opener and indent <= mark.column), None)
    if sibling is not None and indentation(lines[sibling]) == mark.column:
        outdented, before, after = indentation(lines[opener]), _name(lines[sibling]), _name(lines[mark.line])
        spaces = plural(outdented, "space")
        return (opener + 1, outdented + 1), (
            f'this line is indented by {spaces}, but "{before}" above and "{after}" below by {mark.column}:'
            " check the indentation"
        )
    return place, (
        f'this line is indented by {spaces}, but the lines below "{name}" (line {opener + 1}) by {inner}:'
        " check the indentation"
    )


def _name(line: str) -> str:
    return line.strip().partition(":")[0]


def _without_braces(mark: YamlMark, line: str) -> tuple[LineAndColumn, str] | None:
    """A cause of syntax errors: a mapping on one line without braces, `a: type: b`, or a text without quotes."""
    match = re.match(r"\s*(?:- )?([\w-]+):\s+(?=\S)", line)
    if match is None or match.end() > mark.column:
        return None
    after = f'what comes after "{match.group(1)}:"'
    return (mark.line + 1, match.end() + 1), f"put {after} in {{ }} if it is a mapping, or in quotes if it is a text"


def _swallowed(mark: YamlMark, last: Scalar, lines: list[str]) -> tuple[LineAndColumn, str] | None:
    """A cause of syntax errors: a line that the parser took as a continuation of the text above it."""
    start = last.start_mark
    if _ONLY_A_NAME.match(lines[start.line]):
        name = lines[start.line].strip()
        return (start.line + 1, start.column + len(name) + 1), f'the ":" after "{name}" is missing'
    indentation = len(lines[mark.line]) - len(lines[mark.line].lstrip())
    return (
        (mark.line + 1, indentation + 1),
        f"this line is indented below line {start.line + 1}, which has a value already: check the indentation",
    )
