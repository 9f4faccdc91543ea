"""Several linked records in one cell."""

import pytest

from portal.fields.base import Field
from portal.records.transfer.records_by_name import names_in_cell, written_names

LINKS = Field.types["links"](name="services", type="links", to="services")
LINK = Field.types["link"](name="service", type="link", to="services")


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("", []),
        ("Printing", ["Printing"]),
        ("Printing; Network ;", ["Printing", "Network"]),
        ("Printing\nSmith, Sons\r\n\nNetwork", ["Printing", "Smith, Sons", "Network"]),
        ("Smith, Sons; Miller", ["Smith, Sons", "Miller"]),
        ('"Smith; Sons"; Miller', ["Smith; Sons", "Miller"]),
        ('"Smith, Sons", Miller', ["Smith, Sons", "Miller"]),
        ("Printing, Network", ["Printing", "Network"]),
        ("Printing; Printing", ["Printing"]),
    ],
)
def test_names_are_told_apart(cell, names):
    assert names_in_cell(LINKS, cell) == names


@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["a, b"], ["a; b", 'say "c"'], ["two\nlines", "d"], []])
def test_written_names_come_back(names):
    assert names_in_cell(LINKS, written_names(names)) == names


def test_a_single_link_takes_the_cell_as_it_is():
    assert names_in_cell(LINK, " Smith; Sons, Miller ") == ["Smith; Sons, Miller"]
