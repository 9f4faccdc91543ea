"""Files in a form with steps: they stay with the form in every direction, whatever else is wrong."""

from pathlib import Path

import pytest
from webtest import Upload

from tests.functional.conftest import PASSWORD, form_of
from tests.functional.test_files import PDF, documents
from tests.portal_files import change

STEPS = "create: {steps: [{fields: [bill]}, {fields: [title, attachments]}]}"


@pytest.fixture
def portal_folder(portal_folder: Path) -> Path:
    fields = "      bill: {type: file, required: true}\n    comments: true\n    attachments: true\n"
    change(portal_folder, "    comments: true\n", fields)
    change(portal_folder, "[description, [", "[description, bill, [")
    change(portal_folder, "comment,", "comment, attach,", "profiles/customer.yaml")
    one_page = "create: {fields: [title, description, urgency, stopped_since, article]}"
    change(portal_folder, one_page, STEPS, "profiles/customer.yaml")
    return portal_folder


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_files_stay_with_a_form_of_steps(app, sign_in):
    anna = sign_in("anna@acme.example", PASSWORD)
    form = form_of(anna.get("/tickets/create"), "/tickets/create")
    form = form_of(form.submit("_to", status=422), "/tickets/create")  # the first step needs its file
    form["bill"] = Upload("bill.pdf", PDF)
    page = form.submit("_to", status=303).follow()
    assert "bill.pdf" in page.html.select_one(".choices-made").text
    form = form_of(page, "/tickets/create")
    form["files"] = [Upload("one.pdf", PDF), Upload("two.pdf", PDF)]
    form = form_of(form.submit(status=422), "/tickets/create")  # there is no title yet
    first, second = form.fields["files.kept"]
    first.checked = False
    form = form_of(form.submit("_to", value="0", status=303).follow(), "/tickets/create")
    assert form["bill.kept"].checked
    form = form_of(form.submit("_to", status=303).follow(), "/tickets/create")
    assert form["files.kept"].checked
    form["title"] = "Paper jam"
    page = form.submit(status=303).follow()
    assert page.html.select_one("main a.file").text.strip() == "bill.pdf"
    assert documents(anna) == ["two.pdf"]
