"""Syntax errors of YAML in words that an administrator understands, at the place that helps most.

Called by the reader with the error of the YAML parser.
"""

from yaml import MarkedYAMLError

from portal.declaration.source.nodes import Mark

_TAB = "a tab is not allowed here: indent with spaces"
_COLON = 'a ":" is not expected here: check the indentation, or put a text that holds ": " in quotes'
_NESTING = "this does not fit what stands above it: check the indentation, and quotes or brackets that close too early"
_CONTENT = 'no value can begin like this: a value is missing, a bracket or "," is too many, or a text needs quotes'
_QUOTES_FIRST = 'a text that begins with "{}" needs quotes'

_WORDS = {
    "found a tab character that violates indentation": _TAB,
    "found a tab character where an indentation space is expected": _TAB,
    "mapping values are not allowed in this context": _COLON,
    "mapping keys are not allowed in this context": _NESTING,
    "block sequence entries are not allowed in this context": 'a list ("- ") must begin on a line of its own',
    "did not find expected key": _NESTING,
    "did not find expected '-' indicator": "this stands where the next item of a list should: check the indentation",
    "did not find expected ',' or ']'": 'a "," or the "]" of the list that begins in line {began} is missing',
    "did not find expected ',' or '}'": 'a "," or the "}}" of the mapping that begins in line {began} is missing',
    "could not find expected ':'": 'the ":" after a name is missing',
    "found unexpected end of stream": "the quotes that open here are never closed",
    "found unexpected document indicator": "the quotes that open here are never closed",
    "did not find expected node content": _CONTENT,
    "did not find expected comment or line break": 'after "|" or ">" the text must begin on the next line',
    "found unknown escape character": 'after "\\" in double quotes this character means nothing: write "\\\\", or use'
    " single quotes",
    "found invalid Unicode character escape code": "this character code does not exist",
    "found undefined tag handle": 'a text that begins with "!" needs quotes',
    "did not find expected <document start>": "the file goes on after its end: check the indentation of this line",
    "found duplicate %YAML directive": 'the line "%YAML" stands twice',
    "found incompatible YAML document": "this version of YAML is unknown: remove the line",
    "found unknown directive name": 'a line may not begin with "%": put the text in quotes',
}
_TOLD_WHERE_IT_BEGAN = ("found unexpected end of stream", "found unexpected document indicator")


def in_words(error: MarkedYAMLError, text: str) -> tuple[Mark | None, str]:
    """The place of a syntax error and one sentence that says what to do about it."""
    problem = error.problem or "this cannot be read"
    mark = error.problem_mark or error.context_mark
    if problem in _TOLD_WHERE_IT_BEGAN and error.context_mark is not None:
        mark = error.context_mark
    if problem == "found character that cannot start any token":
        return mark, _wrong_start(mark, text)
    if problem == "did not find expected alphabetic or numeric character":
        return error.context_mark or mark, _wrong_start(error.context_mark, text)
    began = error.context_mark.line + 1 if error.context_mark is not None else 1
    words = _WORDS.get(problem)
    return mark, words.format(began=began) if words else f"this is not YAML: {problem}"


def _wrong_start(mark: Mark | None, text: str) -> str:
    character = text[mark.index : mark.index + 1] if mark is not None else ""
    return _TAB if character == "\t" else _QUOTES_FIRST.format(character)
