"""How problems are printed, and which names are suggested."""

import re

import pytest

from portal.declaration.source.problems import Problem
from portal.declaration.source.suggestions import suggest

LINE = re.compile(r"^(warning: )?(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<path>.+?): (?P<message>.+)$")


@pytest.mark.parametrize(
    ("file", "path", "shown"),
    [
        ("modules.yaml", ("modules", "tickets", "list"), "tickets.list"),
        ("modules.yaml", ("portal", "accent"), "accent"),
        ("modules.yaml", ("people",), "people"),
        (
            "modules.yaml",
            ("modules", "tickets", "detail", "sections", 0, "fields", 2),
            "tickets.detail.sections.0.fields",
        ),
        ("profiles/customer.yaml", ("modules", "tickets", "see"), "tickets.see"),
        ("profiles/customer.yaml", ("label",), "label"),
        ("profiles/customer.yaml", (), "customer"),
        ("modules.yaml", (0,), "modules"),
        ("modules.yaml", ("modules", "tickets", ""), 'tickets.""'),
        ("modules.yaml", ("modules", "two\nlines\x1b[31m"), "two\\nlines\\x1b[31m"),
    ],
)
def test_a_problem_is_one_line_with_file_place_and_path(file, path, shown):
    for warning in (False, True):
        match = LINE.fullmatch(str(Problem(file, 4, 9, path, "wrong", warning)))
        assert match
        assert match.group("file", "line", "column", "path", "message") == (file, "4", "9", shown, "wrong")
        assert bool(match.group(1)) is warning


@pytest.mark.parametrize(
    ("wrong", "known", "guess"),
    [
        ("titel", ["status", "title"], ' (did you mean "title"?)'),
        ("Title", ["title"], ' (did you mean "title"?)'),
        ("colums", ["columns", "sort", "tabs"], ' (did you mean "columns"?)'),
        ("zebra", ["title", "status"], ""),
        ("", ["title"], ""),
        ("title", [], ""),
    ],
)
def test_a_near_name_is_suggested(wrong, known, guess):
    assert suggest(wrong, known) == guess


def test_a_suggestion_is_made_among_thousands_of_names_and_none_for_a_monster():
    known = [f"field_number_{number}" for number in range(50_000)]
    assert "field_number_17" in suggest("feild_number_17", known)
    assert suggest("x" * 1_000_000, known) == ""
