"""Fields of the types `file`, `files` and `image`: filled in, shown, replaced, refused, downloaded by their readers."""

from collections.abc import Iterator

import pytest
from webtest import TestApp, Upload

from tests.functional.conftest import SMALL, fill_in, form_of
from tests.functional.test_files import PDF, desk, people, picture
from tests.functional.world import PEOPLE_OF_SMALL, World, opened_world
from tests.portal_files import change, copied

__all__ = ["desk", "people"]  # fixtures
FIELDS = """
      bill: {type: file, max_size: 100 kB, types: application/pdf, required: true}
      photo: {type: image, show_when: {urgency: high}}
      seen: {type: text, show_when: {photo: {empty: false}}}
      costs: {type: file, internal: true}
      files: {type: files, max_count: 3, max_size: 100 kB, types: [application/pdf, image/png]}
    comments: true
    attachments: true
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Tickets have a bill, a photo of what is urgent, and what it costs, which is internal."""
    folder = copied(SMALL, tmp_path_factory.mktemp("portal"))
    for old, new in (
        ("    comments: true\n", FIELDS.lstrip("\n")),
        ("description, [article", "description, bill, photo, seen, costs, files, [article"),
        ("modified, comments]\n", "modified, comments, bill, photo, files]\n"),
        ("        all: {}\n", "        all: {}\n        with_photo: {where: {photo: {empty: false}}}\n"),
        ("to: resolved, set:", "to: resolved, ask: {costs: optional, files: optional}, set:"),
    ):
        change(folder, old, new)
    customer = "profiles/customer.yaml"
    change(folder, "stopped_since, article]", "stopped_since, bill, photo, seen, files]", customer)
    change(folder, "can: [create, comment", "can: [create, edit, comment", customer)
    change(folder, "comment, export, ask_back", "comment, attach, export, ask_back", "profiles/staff.yaml")
    with opened_world(folder, request, PEOPLE_OF_SMALL) as world:
        world.kept = world.rows()
        yield world


def create(browser: TestApp, status: int = 303, **values: object):
    return fill_in(browser, "/tickets/create", {"title": "Broken", **values}, status=status)


def test_a_record_has_the_files_of_its_fields(people):
    anna = people["anna"]
    photo = Upload("photo.png", picture())
    page = create(anna, urgency="high", bill=Upload("bill.pdf", PDF), photo=photo, seen="By all").follow()
    assert "By all" in page.html.select_one("main").text
    bill = page.html.select_one("main a.file")
    assert bill.text.strip() == "bill.pdf"
    answer = anna.get(bill["href"])
    assert (answer.body, answer.content_type) == (PDF, "application/pdf")
    preview = page.html.select_one("main a.picture img")
    assert anna.get(preview["src"]).content_type == "image/webp"
    row = anna.get("/tickets/?q=").html.select_one("tbody tr")
    assert "bill.pdf" in row.text
    assert row.select_one("img")["src"] == preview["src"]
    assert "Broken" in anna.get("/tickets/?tab=with_photo").text
    assert "Broken" not in people["nancy"].get("/tickets/?bill=other").text
    assert "bill.pdf" in people["nancy"].get("/tickets/?bill=BILL").text


@pytest.mark.sqlite_suffices
def test_a_file_that_was_taken_survives_errors_elsewhere(people):
    refused = create(people["anna"], status=422, title="", bill=Upload("bill.pdf", PDF))
    assert "bill.pdf" in refused.text
    # Another day, from the draft:
    page = fill_in(people["anna"], "/tickets/create", {"title": "Broken"}).follow()
    assert people["anna"].get(page.html.select_one("main a.file")["href"]).body == PDF


@pytest.mark.sqlite_suffices
def test_a_form_says_which_files_are_accepted(people):
    hint = people["anna"].get("/tickets/create").html.find("label", {"for": "field-bill"}, class_="target")
    assert " ".join(hint.get_text().split()).endswith("Accepted: PDF")


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bill.txt", b"only text", "its type is not among those that are accepted (PDF)"),
        ("bill.pdf", PDF + b"x" * 100_001, "the limit is 100,000 bytes"),
        ("bill\u202e.pdf", PDF, "contains characters that cannot be used"),
    ],
)
def test_a_refused_file_says_why_and_nothing_is_made(people, name, content, reason):
    refused = create(people["anna"], status=422, bill=Upload(name, content))
    assert reason in refused.html.select_one("#field-bill-error").text
    assert form_of(refused, "/tickets/create")["title"].value == "Broken"
    assert "Broken" not in people["anna"].get("/tickets/").html.select_one("main").text


@pytest.mark.sqlite_suffices
def test_a_picture_that_cannot_be_read_is_refused(people):
    refused = create(
        people["anna"], status=422, urgency="high", bill=Upload("b.pdf", PDF), photo=Upload("p.png", picture()[:60])
    )
    assert "this picture cannot be read" in refused.html.select_one("#field-photo-error").text
    form = form_of(refused, "/tickets/create")
    assert form["bill.kept"].checked  # the other file is still there


@pytest.mark.sqlite_suffices
def test_a_required_file_is_asked_for_and_a_hidden_one_is_left_out(people):
    assert "Required" in create(people["anna"], status=422).html.select_one("#field-bill-error").text
    page = create(people["anna"], bill=Upload("b.pdf", PDF), photo=Upload("p.png", picture())).follow()
    assert not page.html.select("main a.picture")


@pytest.mark.sqlite_suffices
def test_a_file_is_replaced_and_removed(people):
    anna = people["anna"]
    page = create(anna, urgency="high", bill=Upload("bill.pdf", PDF), photo=Upload("photo.png", picture())).follow()
    old = [link["href"] for link in page.html.select("main a.file, main a.picture")]
    page = fill_in(anna, "/tickets/1/edit", {"bill": Upload("new.pdf", PDF + b"%"), "photo.kept": False}).follow()
    assert [link.text.strip() for link in page.html.select("main a.file")] == ["new.pdf"]
    assert not page.html.select("main a.picture")
    for address in old:
        anna.get(address, status=404)
    fill_in(anna, "/tickets/1/edit", {"title": "Other words"})
    assert anna.get(anna.get("/tickets/1/").html.select_one("main a.file")["href"]).body == PDF + b"%"
    assert "Bill" in anna.get("/tickets/1/history").text


@pytest.mark.sqlite_suffices
def test_the_file_of_an_internal_field_is_for_staff_alone(people):
    create(people["anna"], bill=Upload("bill.pdf", PDF))
    nancy = people["nancy"]
    page = fill_in(nancy, "/tickets/1/move/resolve", {"costs": Upload("costs.pdf", PDF)}).follow()
    address = next(link["href"] for link in page.html.select("main a.file") if "costs" in link.text)
    assert nancy.get(address).body == PDF
    assert "costs.pdf" not in people["anna"].get("/tickets/1/").text
    people["anna"].get(address, status=404)
    people["anna"].get(f"{address}/preview", status=404)


@pytest.mark.sqlite_suffices
def test_nobody_can_use_the_file_of_others(people):
    refused = create(people["anna"], status=422, title="", bill=Upload("bill.pdf", PDF))
    key = form_of(refused, "/tickets/create")["bill.kept"]._value
    create(people["anna"], bill=Upload("bill.pdf", PDF))
    carla = people["carla"]
    form = form_of(carla.get("/tickets/create"), "/tickets/create")
    for token in (key, "1", "x" * 100_000):
        fields = {"_csrf": form["_csrf"].value, "title": "Taken", "bill.kept": token}
        answer = carla.post("/tickets/create", fields, status=422)
        assert "Choose the file again." in answer.text
    carla.get("/tickets/1/files/1", status=404)
    token = people["anna"].get("/tickets/").html.select_one('input[name="_csrf"]')["value"]
    people["anna"].post("/tickets/1/files/1/remove", {"_csrf": token}, status=404)
    people["anna"].post("/tickets/1/files", {"_csrf": token}, upload_files=[("files", "x.pdf", PDF)], status=404)


def files(browser: TestApp) -> list[str]:
    return [link.text.strip() for link in browser.get("/tickets/1/").html.select("main .several-files a.file")]


def test_several_files_stand_in_one_field(people):
    """Added to existing ones, removed one by one, downloaded by those who see the record, never more than declared."""
    anna, nancy = people["anna"], people["nancy"]
    two = [Upload("a.pdf", PDF), Upload("b, 2.png", picture())]
    create(anna, bill=Upload("bill.pdf", PDF), files=two)
    assert files(anna) == ["a.pdf", "b, 2.png"]
    addresses = [link["href"] for link in anna.get("/tickets/1/").html.select("main .several-files a.file")]
    assert [anna.get(address).content_type for address in addresses] == ["application/pdf", "image/png"]
    people["carla"].get(addresses[0], status=404)
    assert "a.pdf" in anna.get("/tickets/").html.select_one("tbody .several-files").text
    assert all("Broken" in nancy.get(f"/tickets/?{query}").text for query in ("files=B,+2", "sort=files"))
    assert "Broken" not in nancy.get("/tickets/?files=c.pdf").text
    more = [Upload(f"{name}.pdf", PDF) for name in "cd"]
    refused = fill_in(anna, "/tickets/1/edit", {"files": [*more, Upload("x.txt", b"x")]}, status=422)
    reasons = refused.html.select_one("#field-files-error").text
    assert "“d.pdf” was not added: the maximum number of files is 3." in reasons
    assert "“x.txt” was not added" in reasons
    form = form_of(refused, "/tickets/1/edit")
    assert [box.checked for box in form.fields["files.kept"]] == [True, True, True]  # c.pdf is among them
    form.fields["files.kept"][0].checked = False
    form.submit(status=303)
    assert files(anna) == ["b, 2.png", "c.pdf"]
    anna.get(addresses[0], status=404)
    anna.get(addresses[1])
    fill_in(nancy, "/tickets/1/move/resolve", {"files": [Upload("d.pdf", PDF)]})
    assert files(nancy) == ["b, 2.png", "c.pdf", "d.pdf"]
    assert "Files" in anna.get("/tickets/1/history").text


@pytest.mark.sqlite_suffices
def test_a_field_named_files_leaves_attachments_alone(people):
    nancy = people["nancy"]
    create(nancy, bill=Upload("bill.pdf", PDF), files=[Upload("a.pdf", PDF)], attachments=[Upload("b.pdf", PDF)])
    assert files(nancy) == ["a.pdf"]
    fill_in(nancy, "/tickets/1/", {"text": "See", "attachments": [Upload("c.pdf", PDF)]}, "/tickets/1/comments")
    page = nancy.get("/tickets/1/").html
    assert [name for name in ("b.pdf", "c.pdf") if name in page.select_one("#documents").text] == ["b.pdf", "c.pdf"]
    assert files(nancy) == ["a.pdf"]


@pytest.mark.sqlite_suffices
def test_a_removal_by_others_in_the_meantime_does_not_refuse_a_form(people):
    anna = people["anna"]
    create(anna, bill=Upload("bill.pdf", PDF), files=[Upload("a.pdf", PDF), Upload("b.pdf", PDF)])
    form = form_of(anna.get("/tickets/1/edit"), "/tickets/1/edit")
    other = form_of(people["nancy"].get("/tickets/1/edit"), "/tickets/1/edit")
    other.fields["files.kept"][0].checked = False
    other.submit(status=303)
    form["title"] = "Mended"
    form = form_of(form.submit(status=409), "/tickets/1/edit")
    form.submit(status=303)
    assert files(anna) == ["b.pdf"]
