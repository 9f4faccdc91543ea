"""The kinds of problems: for each a permanent code, the cure, and an example of wrong and right.

They are in `problem_kinds/*.yaml`. A check says in its own sentence what is wrong; the sentences of a kind are listed
there, with {} for what varies, and a problem finds its kind by these. So a check needs no code, and every code is
documented. Used by everything that shows a problem: commands, pages, editors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from portal.declaration.source.problems import Problem
from portal.declaration.source.yaml_reader import read

FOLDER = Path(__file__).parent / "problem_kinds"
# A sentence that is not listed, such as one of a package's field type.
OTHER = "P308"


@dataclass(frozen=True)
class ProblemKind:
    """`says`: its sentences, with {} for what varies; `cures`: how to fix some of them, if `cure` is too general;
    `wrong` and `right`: one file each, modules.yaml unless named.
    """

    code: str
    title: str
    says: tuple[str, ...] = ()
    cures: Mapping[str, str] = field(default_factory=dict)
    cure: str = ""
    wrong: str = ""
    right: str = ""


@cache
def kinds() -> Mapping[str, ProblemKind]:
    """Every kind of problem by its code, in the order of the codes."""
    entries: dict[str, Any] = {}
    for path in FOLDER.glob("*.yaml"):
        entries |= read(path.read_bytes(), path.name).data
    return {code: _kind(code, entries[code]) for code in sorted(entries)}


def _kind(code: str, entry: Mapping[str, Any]) -> ProblemKind:
    """The kind of an entry, whose sentences are texts or mappings with their own cure."""
    says = [next(iter(one)) if isinstance(one, Mapping) else one for one in entry["says"]]
    cures = {sentence: cure for one in entry["says"] if isinstance(one, Mapping) for sentence, cure in one.items()}
    return ProblemKind(code, **{**entry, "says": tuple(says), "cures": cures})


def kind_of(problem: Problem) -> ProblemKind:
    """The kind of a problem, by its sentence; the most specific one if several match."""
    return kinds()[code_of_sentence(problem.statement) or OTHER]


def code_of_sentence(statement: str) -> str | None:
    """The code of the kind with this sentence; None if there is none."""
    known = _sentence_of(statement)
    return known[0] if known else None


def cure_of(problem: Problem) -> str:
    """What to do about a problem, in one sentence: the name that was probably meant, else the cure of its kind."""
    if problem.guess is not None:
        return f'write "{problem.guess}"'
    kind, known = kind_of(problem), _sentence_of(problem.statement)
    return kind.cures.get(known[1], kind.cure) if known else kind.cure


@lru_cache(1000)
def _sentence_of(statement: str) -> tuple[str, str] | None:
    """The code of the kind with this sentence, and the sentence as listed there."""
    return next(((code, sentence) for pattern, code, sentence in _patterns() if pattern.fullmatch(statement)), None)


@cache
def _patterns() -> list[tuple[re.Pattern[str], str, str]]:
    sentences = [(sentence, kind.code) for kind in kinds().values() for sentence in kind.says]
    sentences.sort(key=lambda entry: -len(entry[0].replace("{}", "")))
    return [(_pattern(sentence), code, sentence) for sentence, code in sentences]


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in sentence.split("{}")), re.DOTALL)
