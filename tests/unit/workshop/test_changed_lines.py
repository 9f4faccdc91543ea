"""The lines that differ between two versions of the files."""

from portal.workshop.changed_lines import LARGEST, MOST_LINES, changed_files

BEFORE = b"modules:\n  tickets:\n    see: organization\n    can: [create, reopen]\n    search: true\n"
AFTER = b"modules:\n  tickets:\n    see: own\n    can: [create]\n    search: true\n"


def texts(lines):
    return [(line.kind, line.number, line.text.strip()) for line in lines]


def test_what_goes_and_comes_at_a_line():
    (file,) = changed_files({"a.yaml": BEFORE, "same.yaml": b"x"}, {"a.yaml": AFTER, "same.yaml": b"x"})
    assert texts(file.change_of(4)) == [("out", 4, "can: [create, reopen]"), ("in", 4, "can: [create]")]
    assert file.change_of(1) == ()
    assert [line.kind for line in file.blocks[0].lines] == ["", "", "out", "out", "in", "in", ""]


def test_lines_that_come_without_others_going_are_shown_together():
    (file,) = changed_files({"a.yaml": b"x\n"}, {"a.yaml": b"x\ny\nz\n"})
    assert texts(file.change_of(3)) == [("in", 2, "y"), ("in", 3, "z")]


def test_files_that_one_version_does_not_have_differ_wholly():
    removed, added = changed_files({"a.yaml": b"x\n"}, {"b.yaml": b"y\n"})
    assert [texts(file.blocks[0].lines) for file in (removed, added)] == [[("out", 1, "x")], [("in", 1, "y")]]


def test_of_a_large_difference_the_first_lines_are_shown():
    before, after = b"a\n" * (LARGEST + 1), b"b\n" * 3
    (file,) = changed_files({"a.yaml": before}, {"a.yaml": after})
    assert sum(len(block.lines) for block in file.blocks) == MOST_LINES
    assert file.more == LARGEST + 1 + 3 - MOST_LINES


def test_bytes_that_are_no_text_are_compared_too():
    (file,) = changed_files({"a.yaml": b"\xff\xfe\n"}, {"a.yaml": b"x\n"})
    assert [line.kind for line in file.blocks[0].lines] == ["out", "in"]
