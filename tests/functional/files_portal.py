"""The small portal whose tickets take files, with a ticket of Anna's: fixtures of tests that each need their own."""

from pathlib import Path

import pytest
from webtest import TestApp

from tests.functional.conftest import fill_in
from tests.portal_files import change


def taking_files(folder: Path) -> Path:
    """Tickets take files; customers and staff may add some, power users may not."""
    limits = "    comments: true\n    attachments: {max_size: 100 kB, max_count: 3}\n"
    change(folder, "    comments: true\n", limits)
    customer, staff = "profiles/customer.yaml", "profiles/staff.yaml"
    for file, before in ((customer, "can: [create, comment"), (staff, "can: [create, edit, delete, comment")):
        change(folder, before, f"{before}, attach", file)
    change(folder, "urgency, stopped_since, article]", "urgency, article, attachments]", customer)
    return folder


@pytest.fixture
def portal_folder(portal_folder: Path) -> Path:
    return taking_files(portal_folder)


@pytest.fixture
def people(people: dict[str, TestApp]) -> dict[str, TestApp]:
    fill_in(people["anna"], "/tickets/create", {"title": "Paper jam"})
    return people
