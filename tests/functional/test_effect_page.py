"""`/-/effect`: the effect of a change that waits for `portal apply`, for administrators."""

import pytest

from tests.functional.conftest import fill_in, form_of
from tests.functional.test_reloading import ANNA, NANCY
from tests.portal_files import change

pytestmark = pytest.mark.sqlite_suffices


def test_a_waiting_change_is_shown_as_rights_people_and_records(make_app, sign_in, portal_folder):
    app = make_app(development=False, base_url="http://localhost:80")
    anna = sign_in(ANNA, browser=app)
    for title in ("Printer", "Screen"):
        fill_in(anna, "/tickets/create", {"title": title})
    anna.get("/-/effect", status=404)
    form_of(anna.get("/"), "/logout").submit()
    nancy = sign_in(NANCY, browser=app)
    assert "No pending changes" in nancy.get("/-/effect")
    change(portal_folder, "see: own\n", "see: own\n    where: {rank: 1}\n", "profiles/customer.yaml")
    change(portal_folder, "reopen, ", "", "profiles/customer.yaml")
    change(portal_folder, "      cost: money\n", "      cost: money\n      rank: {type: integer, index: true}\n")
    assert "The changes need a database update" in nancy.get("/")
    page = nancy.get("/-/effect")
    assert "1 person no longer sees 2 tickets" in page
    assert "may no longer reopen tickets" in page
    assert "profiles/customer.yaml:5:" in page
    assert "tickets have a new field rank (integer)" in page
    assert "add field tickets.rank (integer)" in page
    assert "of 4 people will notice the change" in page
    lines = [" ".join(item.get_text(" ").split()) for item in page.html.select("li.lost pre code")]
    assert lines[0].startswith("removed − can: [create")
    assert lines[1] == "added + where: {rank: 1}"
    assert lines[2].startswith("added + can: [create")
    summaries = [item.get_text() for item in page.html.select("main details summary")]
    assert summaries == ["modules.yaml", "profiles/customer.yaml"]
    assert "2 files differ" in page
    assert page.html.find("input", readonly=True)["value"] == f"portal apply --folder {portal_folder}"
    assert "Screen" in page.click("T2 Screen", index=0)
    assert "/-/effect" in nancy.get("/-/problems")
    change(portal_folder, "rank: {type: integer, index: true}", "rank: {type: intger}")
    mistaken = nancy.get("/-/effect")
    assert "Fix them to see what the change would do." in mistaken
    assert "rank: {type: intger}" in mistaken.html.find("code", class_="in").get_text()
    assert mistaken.html.find("input", readonly=True) is None
