"""What the reader makes of YAML files: data, the places of its parts, and problems as sentences, never an exception."""

import pytest
import yaml

from portal.declaration.source.document import Document
from portal.declaration.source.suggestions import suggest
from portal.declaration.source.yaml_reader import read


def read_text(text: str) -> Document:
    return read(text.encode(), "modules.yaml")


def lines(text: str) -> list[str]:
    return [str(problem) for problem in read_text(text).problems]


# values


def test_names_are_always_text_as_it_was_written():
    document = read_text('1: One\ntrue: Yes\n1.10: Old\nno: Norway\n~: Nothing\n"": Empty\n0x1F: Hex\n')
    assert list(document.data) == ["1", "true", "1.10", "no", "~", "", "0x1F"]
    assert document.problems == []


def test_a_scalar_remembers_how_it_was_written():
    document = read_text("a: {label: 1.10, other: No, flag: TRUE, list: [0x1F, ~]}\nb: 'x'\n")
    assert document.source_text(("a", "label")) == "1.10"
    assert document.source_text(("a", "flag")) == "TRUE"
    assert document.source_text(("a", "list", 0)) == "0x1F"
    assert document.source_text(("a", "list", 1)) == "~"
    assert document.source_text(("b",)) == "x"
    assert document.source_text(("a",)) is None
    assert document.source_text(("a", "missing", "below")) is None


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "--- ~\n", "\ufeff"])
def test_an_empty_file_is_nothing(text):
    document = read_text(text)
    assert document.data is None
    assert document.problems == []
    assert document.place(("modules", "tickets"))[1] >= 1
    assert document.source_text(("modules",)) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_files_are_read_with_or_without_a_mark(encoding):
    document = read("a: Zgłoszenie 🎫\nb:  1\n".encode(encoding), "modules.yaml")
    assert document.data == {"a": "Zgłoszenie 🎫", "b": 1}
    assert document.place(("a",)) == (1, 4)
    assert document.place(("b",)) == (2, 5)


# places

TICKETS = """\
# what exists
modules:
  tickets:
    label: {en: Tickets, it: Ticket}
    list:
      columns:
        - title
        - titel
"""


@pytest.mark.parametrize(
    ("path", "place", "key_place"),
    [
        ((), (2, 1), (2, 1)),
        (("modules",), (3, 3), (2, 1)),
        (("modules", "tickets"), (4, 5), (3, 3)),
        (("modules", "tickets", "label"), (4, 12), (4, 5)),
        (("modules", "tickets", "label", "it"), (4, 30), (4, 26)),
        (("modules", "tickets", "list", "columns", 1), (8, 11), (8, 11)),
    ],
)
def test_values_and_their_names_have_places(path, place, key_place):
    document = read_text(TICKETS)
    assert document.place(path) == place
    assert document.place(path, key=True) == key_place


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("modules", "tickets", "fields"), (3, 3)),
        (("modules", "tickets", "fields", "title", "type"), (3, 3)),
        (("modules", "tickets", "list", "columns", 9), (6, 7)),
        (("modules", "tickets", "list", "columns", 1, "deeper"), (8, 11)),
        (("people",), (2, 1)),
    ],
)
def test_a_missing_key_points_at_its_parent(path, place):
    assert read_text(TICKETS).place(path) == place
    assert read_text(TICKETS).place(path, key=True) == place


def test_lines_of_windows_are_counted_once():
    assert read_text("a: 1\r\nb: 2\r\n").place(("b",)) == (2, 4)


def test_a_document_makes_problems_with_places():
    document = read_text(TICKETS)
    path = ("modules", "tickets", "list", "columns", 1)
    problem = document.problem(path, f'no field "titel"{suggest("titel", ["title", "status"])}')
    expected = 'modules.yaml:8:11: tickets.list.columns: no field "titel" (did you mean "title"?)'
    assert str(problem) == expected
    assert str(document.problem(("modules", "tickets", "list"), "odd", key=True, warning=True)) == (
        "warning: modules.yaml:5:5: tickets.list: odd"
    )


# what is refused, all at once


def test_duplicate_keys_are_all_reported_with_the_first_line():
    text = "modules:\n  a:\n    x: 1\n    y: 2\n    x: 3\n  b: {k: 1, k: 2}\n  a: {}\n"
    assert lines(text) == [
        'modules.yaml:5:5: a.x: "x" appears twice (first in line 3)',
        'modules.yaml:6:13: b.k: "k" appears twice (first in line 6)',
        'modules.yaml:7:3: a: "a" appears twice (first in line 2)',
    ]
    assert read_text(text).data == {"modules": {"a": {"x": 1, "y": 2}, "b": {"k": 1}}}


def test_names_written_differently_are_duplicates_only_as_text():
    assert lines('1: a\n"1": b\n') == ['modules.yaml:2:1: 1: "1" appears twice (first in line 1)']
    assert lines("1: a\n01: b\n1.0: c\ntrue: d\n") == []


def test_a_duplicate_through_an_alias_is_reported():
    assert lines("{&a x: 1, *a : 2}") == ['modules.yaml:1:11: x: "x" appears twice (first in line 1)']


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['id']",
        "!!python/name:os.system",
        "!env HOME",
        "! x",
        "!!binary aGk=",
        "!!set {a, b}",
        "!!omap [a: 1]",
        "!!str 5",
        "!!int '5'",
        "!<tag:example.org,2000:x> y",
        "!%ED%A0%80 x",
    ],
)
def test_every_tag_is_refused_where_it_stands(value):
    document = read_text(f"modules:\n  a: {value}\n  b: !x 1\n")
    assert document.problems[0].line == 2
    assert document.problems[0].path == ("modules", "a")
    assert document.data is None or document.problems[1].line == 3


@pytest.mark.parametrize("key", ["[a, b]", "{a: b}", "? [a]\n"])
def test_a_key_that_is_no_text_is_refused_and_the_rest_read(key):
    document = read_text(f"{key}: 1\nb: 2\nb: 3\n")
    assert "cannot be a key" in str(document.problems[0])
    assert '"b" appears twice' in str(document.problems[1]) or key.startswith("?")


def test_a_second_document_is_refused():
    assert lines("a: 1\n---\nb: 2\n") == ['modules.yaml:2:1: modules: a file holds only one document: remove the "---"']
    assert lines("---\na: 1\n...\n") == []


def test_tabs_in_lines_without_content_are_no_indentation():
    text = '\t# first\na:\n\t\n  b: "\t"\n  \t# more\n  c: x\n \t \n\t# last'
    document = read(text.encode(), "modules.yaml")
    assert (document.data, document.problems, document.text) == ({"a": {"b": "\t", "c": "x"}}, [], text)
    assert lines(text + "\n\td: 1") == ["modules.yaml:9:1: a: a tab is not allowed here: indent with spaces"]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a:\n\tb: 1\n", (2, 1), "a tab is not allowed here: indent with spaces"),
        ("a:\n  b: 1\n\tc: 2\n", (3, 1), "a tab is not allowed here: indent with spaces"),
        ("a:\n  \tb: 1\n", (2, 3), "a tab is not allowed here: indent with spaces"),
        ("a: |\n\tx\n", (2, 1), "a tab is not allowed here: indent with spaces"),
        ("a: [1, 2\nb: 3\n", (1, 4), 'the "[" that opens here is not closed'),
        ("a: {x: 1\nb: 3\n", (1, 4), 'the "{" that opens here is not closed'),
        ("a: {x: [1, 2]\nb: 3\n", (1, 4), 'the "{" that opens here is not closed'),
        ("a: [1 [2]]\n", (1, 7), 'a "," or the closing "]" is missing before this'),
        ("a: {t: “T{number}”}\n", (1, 8), 'use " instead of “'),
        ("a: “x: y”\n", (1, 4), 'use " instead of “'),
        ("a:\n  b: 1\nc:2\nd: 3\n", (3, 3), 'write a space after the ":"'),
        ("a:\n  b:2\n  c: 3\n", (2, 5), 'write a space after the ":"'),
        ("a:\n  - x\n  -y\nb: 1\n", (3, 4), 'write a space after the "-"'),
        ("a:\n  b\n  c: 1\n", (2, 4), 'the ":" after "b" is missing'),
        ("modules\n  tickets:\n    a: 1\n", (1, 8), 'the ":" after "modules" is missing'),
        ("// note\na: 1\n", (1, 1), 'a comment begins with "#"'),
        ("a:\n  // note\n  b: 1\n", (2, 3), 'a comment begins with "#"'),
        ("<!-- note -->\na: 1\n", (1, 1), 'a comment begins with "#"'),
        ("```yaml\na: 1\n```\n", (1, 1), 'remove the line "```"'),
        ("\n\n~~~\na: 1\n~~~\n", (3, 1), 'remove the line "~~~"'),
        ("a: 1\n<<<<<<< ours\nb: 1\n=======\nb: 2\n>>>>>>> theirs\n", (2, 1), "an unfinished merge"),
        ("a:\n\u00a0\u00a0b: 1\n", (2, 1), "special space (U+00A0)"),
        ("a:\n  b: 1\n \u2003c: 2\n", (3, 2), "special space (U+2003)"),
        ('a: "x\nb: 1\nc: "y{z}"\nd: 1\n', (1, 4), "the quotes that open here are closed only in line 3"),
        ("a: 'What's wrong'\n", (1, 10), "write '' for an apostrophe"),
        ('a: "The "best" one"\n', (1, 10), 'write \\" for a quote'),
        ("a: {year}-{number}\n", (1, 4), 'begins with "{" needs quotes'),
        ("a: [x] y\n", (1, 4), 'begins with "[" needs quotes'),
        ("a: [x]]\n", (1, 7), 'this "]" closes nothing'),
        ("a: 1\nb: 'x\nc: 1\n", (2, 4), "the quotes that open here are never closed"),
        ('a: {b: "x}\nc: 1\n', (1, 8), "the quotes that open here are never closed"),
        ('a: {b: "x, c: y}\nd: {e: "z"}\n', (1, 8), "the quotes that open here are closed only in line 2"),
        ("a: {b: 'What's wrong'}\n", (1, 14), "write '' for an apostrophe"),
        ("a: {b: #ffffff}\n", (1, 8), 'begins with "#" needs quotes'),
        ("a: {b: {{ name }}}\n", (1, 8), 'begins with "{" needs quotes'),
        ("a: {b: [A-Z]+}\n", (1, 8), 'begins with "[" needs quotes'),
        ("a: {b: ^[A-Z]}\n", (1, 8), 'with "[" in it needs quotes'),
        ("a: {b: Yes: no}\n", (1, 8), 'with ":" in it needs quotes'),
        ("a: {b: text label: x}\n", (1, 13), 'a "," is missing before "label", or the text'),
        ("a: Note: this\n", (1, 4), "in quotes if it is a text"),
        ("a: 1\n b: 2\n", (2, 2), "indented below line 1, which has a value already"),
        ("a:\n    b: 1\n  c: 2\n", (3, 3), "check the indentation"),
        ("a: *.png\n", (1, 4), 'begins with "*" needs quotes'),
        ("a: *png\n", (1, 4), 'begins with "*" needs quotes'),
        ("a: @me\n", (1, 4), 'begins with "@" needs quotes'),
        ("a: %x\n", (1, 4), 'begins with "%" needs quotes'),
        ("a: !e!x y\n", (1, 4), 'begins with "!" needs quotes'),
        ('a: "\\d+"\n', (1, 5), "single quotes"),
        ('a: "x\\0y"\n', (1, 4), "U+0000"),
        ("a: x\0y\n", (1, 5), "U+0000"),
        ("a: 1\nb: \x07\n", (2, 4), "U+0007"),
    ],
)
def test_mistakes_of_syntax_are_reported_in_words_with_their_place(text, place, words):
    problem = read_text(text).problems[-1]
    assert words in problem.message
    assert (problem.line, problem.column) == place


def test_problems_before_a_mistake_of_syntax_are_reported_too():
    assert [problem.line for problem in read_text("a: 1\na: !x 2\nb: [\n").problems] == [2, 2, 3]


def test_a_mistake_of_syntax_knows_where_in_the_file_it_is():
    assert lines("modules:\n  tickets:\n    label: *.x\n")[0].startswith("modules.yaml:3:12: tickets.label: ")


def test_bytes_that_are_not_utf_8_are_reported_with_the_cure():
    problem = read("a: 1\nb: città è\n".encode("latin-1"), "modules.yaml").problems[0]
    assert str(problem) == (
        "modules.yaml:2:8: modules: the byte 0xE0 is not UTF-8: save it as UTF-8 (in Windows-1252 it is "
        '"à": choose UTF-8 in "Save as" of your editor, or run iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW)'
    )


@pytest.mark.parametrize(
    "raw", [b"\x89PNG\r\n\x1a\n\0\0", b"PK\x03\x04\x14", b"\0" * 100, "a: 1".encode("utf-16-le"), b"\xff\xfea"]
)
def test_files_that_are_no_text_are_refused(raw):
    document = read(raw, "modules.yaml")
    assert document.data is None
    assert len(document.problems) == 1
    assert document.problems[0].line == 1


# aliases and merge keys


def test_aliases_repeat_values_with_the_place_of_the_first():
    document = read_text("a: &x {n: 1, l: [1]}\nb: *x\nc: [*x]\n")
    assert document.data == {"a": {"n": 1, "l": [1]}, "b": {"n": 1, "l": [1]}, "c": [{"n": 1, "l": [1]}]}
    assert document.place(("c", 0, "n")) == (1, 11)
    assert document.problems == []


def test_what_an_alias_repeats_can_be_changed_in_one_place_alone():
    data = read_text("a: &x {l: [1]}\nb: *x\nc: {<<: *x}\n").data
    data["b"]["l"].append(2)
    assert data["a"] == data["c"] == {"l": [1]}


@pytest.mark.parametrize(
    "text",
    [
        "base: &b {x: 1, y: 2}\na:\n  z: 0\n  <<: *b\n  y: 3\n",
        "b: &b {x: 1, y: 2}\nc: &c {y: 5, z: 6}\na: {<<: [*b, *c], x: 9}\n",
        "b: &b {x: 1}\nc: &c {<<: *b, y: 2}\na: {<<: *c, z: 3}\n",
        "a: {<<: {x: 1}, y: 2}\n",
        "a: {<<: []}\n",
    ],
)
def test_merge_keys_work_as_in_pyyaml(text):
    document = read_text(text)
    assert document.data == yaml.safe_load(text)
    assert document.problems == []


def test_merged_keys_have_places_and_their_own_keys_win():
    document = read_text("b: &b {x: 1, y: 2}\na:\n  <<: *b\n  y: 3\n")
    assert document.place(("a", "x")) == (1, 11)
    assert document.place(("a", "x"), key=True) == (1, 8)
    assert document.place(("a", "y")) == (4, 6)
    assert document.source_text(("a", "y")) == "3"


def test_a_merge_of_what_is_no_mapping_is_reported():
    assert lines("a: {<<: 5}") == ['modules.yaml:1:9: <<: "<<" takes a mapping or a list of mappings']
    assert lines("a: {<<: [{x: 1}, y]}")[0].startswith("modules.yaml:1:18: ")
    assert '"<<" appears twice' in lines("a: {<<: {x: 1}, <<: {y: 1}}")[0]


def test_a_quoted_merge_key_is_an_ordinary_name():
    assert read_text('a: {"<<": 5}\nb: [<<]\n').data == {"a": {"<<": 5}, "b": ["<<"]}


def test_an_alias_inside_of_itself_is_refused():
    document = read_text("a: &x {b: *x}\nc: &y [*y]\n")
    assert document.data == {"a": {"b": None}, "c": [None]}
    assert ["never end" in problem.message for problem in document.problems] == [True, True]


def test_an_unknown_alias_is_reported_with_a_guess():
    assert '(did you mean "service"?)' in lines("a: &service x\nb: *sevrice\n")[0]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "this is not a text file"),
        (b"PK\x03\x04\x14\x00\x06\x00", "this is not a text file"),
        (bytes(range(256)), "this is not a text file"),
        ("modules:\n  a: 1\n".encode("utf-16-le"), "save it as UTF-8"),
        ("modules:\n  a: 1\n".encode("utf-32-be"), "save it as UTF-8"),
        ("a: Größe\n".encode("latin-1"), "the byte 0xF6 is not UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_one_problem(raw, words):
    document = read(raw, "modules.yaml")
    [problem] = document.problems
    assert words in problem.message
    assert document.data is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("reference: “TT{number}”\n", "“ and ” become part of the text"),
        ("label: „Zgłoszenia”\n", "„ and ” become part of the text"),
        ("list: [«Uno», 'due']\n", "« and » become part of the text"),
        ("name: Care // the name of the portal\n", '"//" becomes part of the text'),
        ('label: "A\u2028B"\n', "the character U+2028 ends the line here for YAML"),
    ],
)
def test_what_people_take_for_yaml_is_a_warning(text, words):
    document = read_text(text)
    [problem] = document.problems
    assert problem.warning
    assert words in problem.message
    assert document.data is not None


def test_quotes_in_a_text_and_addresses_are_no_warning():
    assert lines("a: The “best” one\nb: '“x”'\nc: https://example.com\nd: |\n  // text\n") == []
