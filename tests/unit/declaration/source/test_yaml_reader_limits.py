"""The reader's limits, its speed, and that no bytes make it raise."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.declaration.source.document import Document
from portal.declaration.source.scalars import plain_value
from portal.declaration.source.yaml_reader import read

LINE = re.compile(r"^(warning: )?(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<path>.+?): (?P<message>.+)$")


def read_text(text: str) -> Document:
    return read(text.encode(), "modules.yaml")


def lines(text: str) -> list[str]:
    return [str(problem) for problem in read_text(text).problems]


def test_aliases_that_expand_without_bound_are_refused():
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for number in range(1, 9):
        text += f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]\n"
    assert "aliases repeat more than 200,000 values" in lines(text)[0]


def test_many_values_without_aliases_are_no_bomb():
    assert read_text("a: [" + "1, " * 300_000 + "]\nb: &b x\nc: *b\n").problems == []


def test_fifty_levels_are_read_and_one_more_is_refused():
    assert read_text("[" * 50 + "]" * 50).problems == []
    assert "deeper than 50" in lines("[" * 51 + "]" * 51)[0]
    assert "deeper than 50" in lines("a: &a " + "[" * 30 + "]" * 30 + "\nb: " + "[" * 30 + "*a" + "]" * 30)[0]
    assert read_text("- &a x\n- " + "[" * 49 + "*a" + "]" * 49).problems == []


@pytest.mark.parametrize("part", ["[", "{", "- ", "? ", "[*a, ", "!", "%TAG !a! x\n", "a: 1\n", "\t", "'", "---\n"])
def test_a_megabyte_of_nonsense_is_answered_in_words(part):
    document = read_text(part * (1_000_000 // len(part)))
    assert len(document.problems) <= 1001


def test_too_many_tag_lines_are_refused():
    assert read_text("".join(f"%TAG !a{number}! x\n" for number in range(60_000)) + "--- x\n").problems


def test_sixteen_megabytes_are_the_limit():
    assert read(b"#" * 16_000_000, "modules.yaml").problems == []
    assert "larger than 16 MB" in read(b"#" * 16_000_001, "modules.yaml").problems[0].message


def test_problems_without_end_are_cut():
    problems = read_text("a: 1\n" * 5_000).problems
    assert len(problems) == 1_001
    assert "only the first 1,000" in problems[-1].message


def test_hundreds_of_large_modules_are_read_whole():
    field = {"type": "integer", "label": "Some field", "required": True, "help": "some help text here"}
    modules = {
        f"module_{m}": {"fields": {f"field_{f}": field | {"label": f"Field {f}"} for f in range(40)}} for m in range(50)
    }
    text = yaml.dump({"modules": modules}, Dumper=yaml.CSafeDumper, sort_keys=False)
    assert read_text(text).data == {"modules": modules}


def assert_is_sound(raw: bytes) -> None:
    document = read(raw, "modules.yaml")
    for problem in document.problems:
        assert LINE.fullmatch(str(problem))
        assert problem.line >= 1
        assert problem.column >= 1
    assert_parts_have_places(document, document.data, ())


def assert_parts_have_places(document: Document, value: object, path: tuple) -> None:
    line, column = document.place(path)
    assert line >= 1
    assert column >= 1
    if isinstance(value, dict):
        for name, item in value.items():
            assert isinstance(name, str)
            assert_parts_have_places(document, item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            assert_parts_have_places(document, item, (*path, index))
    else:
        assert type(value) in (str, int, float, bool, type(None))


@given(st.binary(max_size=200))
def test_any_bytes_give_a_document(raw):
    assert_is_sound(raw)


@given(st.text(max_size=200))
def test_any_text_gives_a_document(text):
    assert_is_sound(text.encode("utf-8", "surrogatepass"))


PIECES = [
    *"[]{}:,-?#&*!|>'\"%@`~ \n\t\r\0\x85\u2028\ufeff\\",
    *(": ", "- ", "? ", "\n  ", "\n    ", "a", "b: 1", "&x ", "*x", "<<: ", "<<", "!!str ", "!e!x", "é"),
    *("---\n", "...\n", "%YAML 1.2\n", "%TAG ! y\n", "1.5", "0o7", "true", "\\ud800", "\\x00"),
]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_pieces_of_yaml_give_a_document(pieces):
    assert_is_sound("".join(pieces).encode())


# PyYAML writes YAML 1.1: it folds more line breaks, and leaves numbers of 1.2 such as 0E0 without quotes
CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0\x85\u2028\u2029\ufeff")
TEXT = st.text(CHARACTERS).filter(lambda text: isinstance(plain_value(text or "x"), str))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.text("abc no1:#-", min_size=1, max_size=6), below, max_size=4)
    ),
    max_leaves=20,
)


@given(PLAIN, st.booleans())
def test_what_was_dumped_is_read_back(value, flow):
    text = yaml.safe_dump({"value": value}, allow_unicode=True, default_flow_style=flow)
    document = read(text.encode(), "modules.yaml")
    assert [problem for problem in document.problems if not problem.warning] == []
    assert document.data == {"value": value}
