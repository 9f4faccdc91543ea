"""Files in a form of steps: they stay with the form, whichever way one goes, and whatever else is wrong."""

from pathlib import Path

import pytest
from webtest import Upload

from tests.functional.conftest import PASSWORD, form_of
from tests.functional.test_files import PDF, documents

STEPS = "create: {steps: [{fields: [bill]}, {fields: [title, attachments]}]}"


@pytest.fixture
def portal_folder(portal_folder: Path) -> Path:
    modules, profile = portal_folder / "modules.yaml", portal_folder / "profiles" / "customer.yaml"
    fields = "      bill: {type: file, required: true}\n    comments: true\n    attachments: true\n"
    text = modules.read_text(encoding="utf-8").replace("    comments: true\n", fields, 1)
    modules.write_text(text.replace("[description, [", "[description, bill, ["), encoding="utf-8")
    text = profile.read_text(encoding="utf-8").replace("comment,", "comment, attach,", 1)
    one_page = "create: {fields: [title, description, urgency, stopped_since, article]}"
    profile.write_text(text.replace(one_page, STEPS), encoding="utf-8")
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
