"""The kinds of problems: a code that never changes, the cure, and an example of wrong and right for each.

`problem_kinds/*.yaml` has them. A check says in its own sentence what is wrong; the sentences of a kind are listed
there with {} for what differs, and by them a problem finds its kind. So a check needs no code, and every code is
documented. Used by whatever shows a problem: commands, pages, editors.
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
# A sentence that is listed nowhere, such as one of a field type of somebody's own.
OTHER = "P308"


@dataclass(frozen=True)
class Kind:
    """`says`: its sentences, with {} for what differs; `cures`: what mends some of them, where `cure` says too little;
    `wrong` and `right`: a file each, modules.yaml unless named.
    """

    code: str
    title: str
    says: tuple[str, ...] = ()
    cures: Mapping[str, str] = field(default_factory=dict)
    cure: str = ""
    wrong: str = ""
    right: str = ""


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind of problem by its code, in the order of the codes."""
    entries: dict[str, Any] = {}
    for path in FOLDER.glob("*.yaml"):
        entries |= read(path.read_bytes(), path.name).data
    return {code: _kind(code, entries[code]) for code in sorted(entries)}


def _kind(code: str, entry: Mapping[str, Any]) -> Kind:
    """A sentence stands alone in the file, or as a mapping with its own cure."""
    says = [next(iter(one)) if isinstance(one, Mapping) else one for one in entry["says"]]
    cures = {sentence: cure for one in entry["says"] if isinstance(one, Mapping) for sentence, cure in one.items()}
    return Kind(code, **{**entry, "says": tuple(says), "cures": cures})


def kind_of(problem: Problem) -> Kind:
    """The kind of a problem, by its sentence; the most particular one where several would do."""
    return kinds()[code_of_sentence(problem.statement) or OTHER]


def code_of_sentence(statement: str) -> str | None:
    """The code of the kind that has this sentence, None if none has."""
    known = _sentence_of(statement)
    return known[0] if known else None


def cure_of(problem: Problem) -> str:
    """What to do about a problem, in one sentence: the name that was probably meant, else what mends this kind."""
    if problem.guess is not None:
        return f'write "{problem.guess}"'
    kind, known = kind_of(problem), _sentence_of(problem.statement)
    return kind.cures.get(known[1], kind.cure) if known else kind.cure


@lru_cache(1000)
def _sentence_of(statement: str) -> tuple[str, str] | None:
    """The code of the kind that has this sentence, and the sentence as it is listed there."""
    return next(((code, sentence) for pattern, code, sentence in _patterns() if pattern.fullmatch(statement)), None)


@cache
def _patterns() -> list[tuple[re.Pattern[str], str, str]]:
    sentences = [(sentence, kind.code) for kind in kinds().values() for sentence in kind.says]
    sentences.sort(key=lambda entry: -len(entry[0].replace("{}", "")))
    return [(_pattern(sentence), code, sentence) for sentence, code in sentences]


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in sentence.split("{}")), re.DOTALL)
