"""Problems for programs: JSON, SARIF 2.1.0 (OASIS) for code scanning, and annotations for GitHub workflows.

Used by `portal check` and by language servers. `base` is the path of the declaration's folder relative to where the
reader of the output looks for files, such as the root of the repository; "" if that is the folder itself.
"""

import json
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from portal.declaration.problem_kinds import cure_of, kind_of, kinds
from portal.declaration.source.excerpts import marked
from portal.declaration.source.problems import Problem, RelatedPlace

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ESCAPED = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_ESCAPED_PROPERTY = _ESCAPED | str.maketrans({":": "%3A", ",": "%2C"})


def as_json(problems: Iterable[Problem]) -> str:
    """Problems as JSON: a list of objects, one per problem; files are relative to the declaration's folder."""
    return json.dumps([_as_object(problem) for problem in problems], ensure_ascii=False, indent=2)


def as_sarif(problems: Iterable[Problem], base: str) -> str:
    """Problems as SARIF: one run of the tool `portal check`, with a rule for each kind of problem found."""
    listed = list(problems)
    codes = sorted({kind_of(problem).code for problem in listed})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": kinds()[code].title},
            "help": {"text": f"{_sentence(kinds()[code].cure)} See: portal explain-problem {code}"},
        }
        for code in codes
    ]
    results = [_result(problem, base, codes) for problem in listed]
    driver = {"name": "portal check", "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def as_annotations(problems: Iterable[Problem], base: str) -> Iterable[str]:
    """A line per problem, with which GitHub shows it next to the line of the file."""
    for problem in problems:
        kind = "warning" if problem.warning else "error"
        properties = {
            "file": _within(base, problem.file), "line": problem.line, "col": problem.column,
            "endColumn": end_of(problem), "title": f"{kind_of(problem).code} {kind_of(problem).title}",
        }  # fmt: skip
        listed = ",".join(f"{key}={str(value).translate(_ESCAPED_PROPERTY)}" for key, value in properties.items())
        yield f"::{kind} {listed}::{_whole_sentence(problem).translate(_ESCAPED)}"


def end_of(place: Problem | RelatedPlace) -> int:
    """The column, from 1, after the text that a problem marks, for other programs."""
    return place.column + (marked(place.lines[-1], place.column - 1) if place.lines else 1)


def _as_object(problem: Problem) -> dict[str, Any]:
    return {
        "code": kind_of(problem).code,
        "severity": "warning" if problem.warning else "error",
        **_place(problem),
        "path": problem.subject,
        "message": problem.message,
        "cure": cure_of(problem),
        "related": [{**_place(place), "message": place.note} for place in problem.related],
    }


def _place(place: Problem | RelatedPlace) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column, "end_column": end_of(place)}


def _result(problem: Problem, base: str, codes: list[str]) -> dict[str, Any]:
    code = kind_of(problem).code
    result: dict[str, Any] = {
        "ruleId": code,
        "ruleIndex": codes.index(code),
        "level": "warning" if problem.warning else "error",
        "message": {"text": _whole_sentence(problem)},
        "locations": [_location(problem, base)],
    }
    if problem.related:
        result["relatedLocations"] = [
            {"id": number, **_location(place, base), "message": {"text": place.note}}
            for number, place in enumerate(problem.related)
        ]
    return result


def _location(place: Problem | RelatedPlace, base: str) -> dict[str, Any]:
    region = {"startLine": place.line, "startColumn": place.column, "endColumn": end_of(place)}
    path = _within(base, place.file)
    address = f"file://{quote(path)}" if path.startswith("/") else quote(path)
    return {"physicalLocation": {"artifactLocation": {"uri": address}, "region": region}}


def _whole_sentence(problem: Problem) -> str:
    return f"{problem.subject}: {problem.message}. {_sentence(cure_of(problem))}"


def _sentence(cure: str) -> str:
    return f"{cure[:1].upper()}{cure[1:]}."


def _within(base: str, file: str) -> str:
    return str(PurePosixPath(base) / file)
