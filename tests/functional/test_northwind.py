"""The Northwind example with the published files themselves, and their broken copies. Needs PORTAL_TEST_DATA."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.shop import Shop, open_shop

EXAMPLE = Path(__file__).parents[2] / "examples" / "northwind"
COUNTS = {
    "companies": 91, "contacts": 91 + 9 + 8320, "categories": 8, "suppliers": 29, "products": 77, "orders": 830,
    "order_lines": 2155, "tickets": 8469,
}  # fmt: skip


@pytest.fixture
def northwind(tmp_path, database_url) -> Iterator[Shop]:
    folder = tmp_path / "northwind"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("out", "var"))
    opened = open_shop(folder, database_url)
    yield opened
    opened.engine.dispose()


def imports(readme: str) -> list[list[str]]:
    """The arguments of every `portal import` of the README, in their order."""
    commands = re.findall(r"^    portal (import (?:.*\\\n)*.*)$", readme, re.MULTILINE)
    return [re.findall(r'"[^"]*"|\S+', command.replace("\\\n", " ")) for command in commands]


def test_the_steps_of_the_readme_fill_the_portal(northwind, real_data):
    script = real_data / "business" / "northwind_sql" / "instnwnd.sql"
    tickets = real_data / "tickets" / "kaggle_customer_support" / "customer_support_tickets.csv"
    subprocess.run([sys.executable, EXAMPLE / "convert.py", script, northwind.folder / "out", tickets], check=True)
    for arguments in imports((EXAMPLE / "README.md").read_text(encoding="utf-8")):
        said = [each.strip('"').replace("PATH/customer_support_tickets.csv", str(tickets)) for each in arguments]
        result = northwind.run(*[northwind.folder / each if each.startswith("out/") else each for each in said])
        assert result.exit_code == 0, result.output
    assert {name: len(northwind.records(name)) for name in northwind.declaration.modules} == COUNTS
    again = northwind.run("import", "orders", northwind.folder / "out/orders.csv", "--key", "order_number")
    assert again.output == "orders: 0 new, 0 changed, 830 unchanged\n"


@pytest.mark.parametrize(
    ("file", "module", "options", "broken"),
    [
        ("customers", "companies", {"customerID": "code", "companyName": "name", "phone": "phone", "fax": "fax"}, 24),
        ("suppliers", "suppliers", {"companyName": "name", "phone": "phone", "fax": "fax", "homePage": "website"}, 9),
        ("orders", "orders", {"orderID": "order_number", "customerID": "company", "shipName": "ship_to"}, 176),
    ],
)
def test_the_broken_copies_are_refused_row_by_row(northwind, real_data, file, module, options, broken):
    path = real_data / "business" / "northwind" / f"{file}.csv"
    header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    said = [part for name in header for part in ("--map", f"{name}={options.get(name, '')}")]
    result = northwind.run("import", module, path, *said)
    assert result.exit_code == 1
    lines = [line for line in result.output.splitlines() if "Does a value contain the delimiter?" in line]
    assert len(lines) == broken
    said = rf"{re.escape(str(path))}:\d+: The row has \d+ cells, the header {len(header)}\."
    assert all(re.match(said, line) for line in lines)
    assert northwind.records(module) == []
