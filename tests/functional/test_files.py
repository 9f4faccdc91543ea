"""Files on a record: added alone and with comments, downloaded by those who may see the record, removed, swept."""

import errno
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from webtest import TestApp, Upload

from tests.functional.conftest import PASSWORD, SMALL, fill_in, form_of, started
from tests.functional.files_portal import taking_files
from tests.functional.world import ANNA, PEOPLE_OF_SMALL, World, opened_world, reset_ids
from tests.portal_files import copied
from tests.unit.store.test_media_type import PNG

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def picture(color: str = "red") -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(drawn, "PNG")
    return drawn.getvalue()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Tickets take files, and Anna has one.

    The rows are like those of comments, which are tested on both databases; one test here runs on both.
    """
    folder = taking_files(copied(SMALL, tmp_path_factory.mktemp("portal")))
    with opened_world(folder, request, PEOPLE_OF_SMALL) as world:
        fill_in(world[ANNA], "/tickets/create", {"title": "Paper jam"})
        world.kept = world.rows()
        yield world


@pytest.fixture
def desk(opened: World) -> Iterator[World]:
    """The same; what a test writes and stores is rolled back."""
    yield opened
    opened.put_back(opened.kept)
    reset_ids(opened.portal)
    for path in stored(opened):
        path.unlink()


@pytest.fixture
def people(desk: World) -> dict[str, TestApp]:
    """Browsers of anna, of bruno in the same company, of carla in another one, and of nancy in support."""
    return {email.partition("@")[0]: browser for email, browser in desk.browsers.items()}


def comment(browser: TestApp, text: str, *files: tuple[str, bytes], internal: bool = False, status: int = 303):
    form = form_of(browser.get("/tickets/1/"), "/tickets/1/comments")
    form["text"] = text
    if internal:
        form["internal"] = True
    form["files"] = [Upload(*file) for file in files] if files else ""
    return form.submit(status=status)


def upload(browser: TestApp, *files: tuple[str, bytes], status: int = 303):
    form = form_of(browser.get("/tickets/1/"), "/tickets/1/files")
    form["files"] = [Upload(*file) for file in files]
    return form.submit(status=status)


def documents(browser: TestApp) -> list[str]:
    """The names on the card of the record's files."""
    return [link.text for link in browser.get("/tickets/1/").html.select("#documents .name")]


def test_a_comment_brings_files_that_both_sides_have(people):
    comment(people["anna"], "See the photo", ("photo.png", PNG), ("report.pdf", PDF))
    for person in ("anna", "nancy"):
        page = people[person].get("/tickets/1/")
        note = page.html.select_one(".note")
        assert "See the photo" in note.text
        assert [link.text.strip() for link in note.select(".attachments .name")] == ["photo.png", "report.pdf"]
        assert documents(people[person]) == ["report.pdf", "photo.png"]
        answer = people[person].get("/tickets/1/files/2")
        assert answer.body == PDF
        assert answer.content_type == "application/pdf"
        assert answer.headers["Content-Disposition"].startswith('inline; filename="report.pdf"')
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.sqlite_suffices
def test_the_card_of_the_files_shows_pictures_small_and_icons_of_the_rest(people):
    upload(people["anna"], ("report.pdf", PDF), ("photo.png", picture()))
    shown, other = people["nancy"].get("/tickets/1/").html.select("#documents .files > li")
    assert people["nancy"].get(shown.img["src"]).content_type == "image/webp"
    assert other.img is None


@pytest.mark.sqlite_suffices
def test_many_files_do_not_stand_in_the_way_of_the_details(people):
    for first in (1, 4, 7):
        upload(people["anna"], *((f"{number}.pdf", PDF) for number in range(first, first + 3)))
    card = people["anna"].get("/tickets/1/").html.select_one("#documents")
    assert card.select_one(".count").text == "9"
    assert [link.text[0] for link in card.select(".body > .files .name")] == list("987654")
    assert card.select_one("summary").text == "and 3 more"
    assert [link.text[0] for link in card.select("details .name")] == list("321")


@pytest.mark.sqlite_suffices
def test_files_alone_are_a_comment_too_and_count_in_the_list(people):
    comment(people["anna"], "", ("photo.png", PNG))
    upload(people["anna"], ("report.pdf", PDF))
    assert documents(people["nancy"]) == ["report.pdf", "photo.png"]
    assert people["anna"].get("/tickets/1/").html.select_one("#documents .count").text == "2"


@pytest.mark.parametrize(("name", "content"), [("page.html", HTML), ("drawing.svg", SVG), ("photo.png", HTML)])
@pytest.mark.sqlite_suffices
def test_what_could_run_is_downloaded(people, name, content):
    upload(people["anna"], (name, content))
    answer = people["nancy"].get("/tickets/1/files/1")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.sqlite_suffices
def test_the_file_of_an_internal_comment_is_for_staff_alone(people):
    before = people["anna"].get("/tickets/1/").html.select_one("#documents .count").text
    comment(people["nancy"], "For us", ("costs.pdf", PDF), internal=True)
    assert documents(people["nancy"]) == ["costs.pdf"]
    page = people["anna"].get("/tickets/1/")
    assert "costs" not in page.text
    assert page.html.select_one("#documents .count").text == before
    for address in ("/tickets/1/files/1", "/tickets/1/files/1/preview"):
        people["anna"].get(address, status=404)


@pytest.mark.sqlite_suffices
def test_a_stranger_gets_no_byte_and_adds_none(people):
    upload(people["anna"], ("report.pdf", PDF))
    stranger = people["carla"]
    token = stranger.get("/tickets/").html.select_one('input[name="_csrf"]')["value"]
    assert stranger.get("/tickets/1/files/1", status=404).body.find(PDF) < 0
    stranger.get("/tickets/1/files/1/preview", status=404)
    stranger.post("/tickets/1/files/1/remove", {"_csrf": token}, status=404)
    stranger.post("/tickets/1/files", {"_csrf": token}, upload_files=[("files", "x.pdf", PDF)], status=404)
    fill_in(stranger, "/tickets/create", {"title": "My own"})
    for address in ("/tickets/2/files/1", "/tickets/2/files/1/preview"):  # through a record that they may see
        stranger.get(address, status=404)
    stranger.post("/tickets/2/files/1/remove", {"_csrf": token}, status=404)
    assert documents(people["anna"]) == ["report.pdf"]


@pytest.mark.sqlite_suffices
def test_readers_who_may_not_attach_see_files_and_add_none(people):
    bruno = people["bruno"]
    assert bruno.get("/tickets/1/").html.find(id="documents") is None
    upload(people["anna"], ("report.pdf", PDF))
    page = bruno.get("/tickets/1/")
    assert documents(bruno) == ["report.pdf"]
    assert not page.html.select("input[type=file]")
    token = page.html.select_one('input[name="_csrf"]')["value"]
    bruno.post("/tickets/1/files", {"_csrf": token}, upload_files=[("files", "x.pdf", PDF)], status=404)
    bruno.post("/tickets/1/files/1/remove", {"_csrf": token}, status=404)


@pytest.mark.sqlite_suffices
def test_each_refusal_has_its_reason_and_the_rest_is_kept(people):
    too_large = ("large.pdf", PDF + b"x" * 100_000)
    page = comment(people["anna"], "Three files", too_large, ("report.pdf", PDF), ("a\u202egnp.exe", b"x"), status=200)
    assert "“large.pdf” was not added: it is 100,069 bytes, and the limit is 100,000 bytes." in page.text
    assert "“a\ufffdgnp.exe” was not added: its name contains characters that cannot be used" in page.text
    assert "Three files" in page.html.select_one(".note").text
    assert documents(people["anna"]) == ["report.pdf"]


@pytest.mark.sqlite_suffices
def test_no_file_is_taken_while_the_scanner_that_is_set_does_not_answer(desk):
    portal, folder = desk.portal, desk.app.registry.live.folder
    application = started(folder, portal.engine.url.render_as_string(), scanner="tcp://127.0.0.1:1")
    application.registry.clock = desk.clock
    anna = TestApp(application, cookiejar=desk[ANNA].cookiejar)
    assert "could not be scanned" in comment(anna, "Look", ("note.txt", b"words"), status="*")
    application.registry.live.close()


@pytest.mark.sqlite_suffices
def test_more_files_than_allowed_at_once_are_named(people):
    page = upload(people["anna"], *[(f"{number}.pdf", PDF) for number in range(4)], status=200)
    assert "“3.pdf” was not added: the maximum number of files is 3." in page.text
    assert documents(people["anna"]) == ["2.pdf", "1.pdf", "0.pdf"]


@pytest.mark.sqlite_suffices
def test_choosing_nothing_is_reported(people):
    page = form_of(people["anna"].get("/tickets/1/"), "/tickets/1/files").submit(status=422)
    assert "Choose a file." in page.text


@pytest.mark.sqlite_suffices
def test_names_of_any_letters_make_the_round_trip(people):
    name = "Größe „Łódź“ 東京 می\u200cخواهم 👩\u200d💻.pdf"
    upload(people["anna"], (name, PDF))
    assert documents(people["anna"]) == [name]
    header = people["anna"].get("/tickets/1/files/1").headers["Content-Disposition"]
    assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe%20" in header
    assert header.isascii()


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize(
    ("text", "declared"),
    [("Grüße\n".encode(), "text/plain; charset=UTF-8"), ("Grüße\n".encode("latin-1"), "text/plain")],
)
def test_a_text_in_an_older_character_set_is_not_sent_as_utf_8(people, text, declared):
    upload(people["anna"], ("notes.txt", text))
    answer = people["anna"].get("/tickets/1/files/1")
    assert (answer.headers["Content-Type"], answer.body) == (declared, text)
    assert people["anna"].get("/tickets/1/files/1", headers={"Range": "bytes=1-3"}, status=206).body == text[1:4]


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=9-", 206, PDF[9:]), ("bytes=-4", 206, PDF[-4:]), ("bytes=0-1", 206, PDF[:2]),
        ("bytes=999999-", 416, None), ("bytes=x-y", 200, PDF),
    ],
)  # fmt: skip
def test_an_interrupted_download_resumes(people, asked, status, content):
    upload(people["anna"], ("report.pdf", PDF))
    whole = people["anna"].get("/tickets/1/files/1")
    assert whole.headers["Accept-Ranges"] == "bytes"
    rest = people["anna"].get(
        "/tickets/1/files/1", headers={"Range": asked, "If-Range": whole.headers["ETag"]}, status=status
    )
    assert content is None or rest.body == content
    another = people["anna"].get("/tickets/1/files/1", headers={"Range": asked, "If-Range": '"another"'})
    assert another.body == PDF


@pytest.mark.sqlite_suffices
def test_its_author_and_staff_remove_a_file_and_its_bytes(desk, people):
    upload(people["anna"], ("one.pdf", PDF), ("two.pdf", PDF))
    upload(people["nancy"], ("three.pdf", PDF))
    page = people["anna"].get("/tickets/1/")
    assert [form["action"] for form in page.html.select("#documents form[action$=remove]")] == [
        "/tickets/1/files/2/remove",
        "/tickets/1/files/1/remove",
    ]
    form_of(page, "/tickets/1/files/1/remove").submit(status=303)
    form_of(people["nancy"].get("/tickets/1/"), "/tickets/1/files/2/remove").submit(status=303)
    assert documents(people["anna"]) == ["three.pdf"]
    people["anna"].get("/tickets/1/files/1", status=404)
    assert len(stored(desk)) == 1


def stored(desk: World) -> list[Path]:
    """The files of bytes."""
    return [path for path in desk.app.registry.store().folder.rglob("*") if path.is_file()]


@pytest.mark.sqlite_suffices
def test_a_final_record_accepts_no_files(people):
    upload(people["anna"], ("report.pdf", PDF))
    form = form_of(people["anna"].get("/tickets/1/"), "/tickets/1/files")
    form_of(people["anna"].get("/tickets/1/"), "/tickets/1/move/resolve").submit(status=303)
    question = people["anna"].get("/tickets/1/move/close")
    closing = form_of(question, "/tickets/1/move/close")
    closing["satisfaction"] = "5"
    closing.submit(status=303)
    assert not people["anna"].get("/tickets/1/").html.select("input[type=file]")
    form["files"] = [Upload("late.pdf", PDF)]
    form.submit(status=409)
    assert documents(people["anna"]) == ["report.pdf"]


@pytest.mark.sqlite_suffices
def test_files_that_come_after_the_session_has_ended_are_to_be_chosen_again(desk):
    anna = desk.signed_in(ANNA)
    for text in ("See the photo", ""):
        form = form_of(anna.get("/tickets/1/"), "/tickets/1/comments")
        form["text"], form["files"] = text, [Upload("photo.png", PNG)]
        anna.cookiejar.clear("localhost.local", "/", "portal_session")
        form.submit(status=303)
        assert stored(desk) == [], "nothing of strangers is stored"
        fill_in(anna, "/login", {"email": ANNA, "password": PASSWORD})
        page = anna.get("/tickets/1/")
        assert "Your session had ended: choose your files again." in page
        assert form_of(page, "/tickets/1/comments")["text"].value == text
        form_of(page, "/account/discard").submit()


@pytest.mark.sqlite_suffices
def test_others_may_write_while_a_file_is_looked_at_and_stored(desk, people, monkeypatch):
    """SQLite has one writer: the same thread would wait for itself here."""

    def close(_content):
        people["nancy"].post("/tickets/1/move/resolve", {"_csrf": token})
        fill_in(people["nancy"], "/tickets/1/move/close", {"satisfaction": "5"})

    token = form_of(people["nancy"].get("/tickets/1/"), "/tickets/1/comments")["_csrf"].value
    monkeypatch.setattr(desk.app.registry, "scan", lambda _content: None)
    comment(people["anna"], "In time", ("photo.png", PNG))
    monkeypatch.setattr(desk.app.registry, "scan", close)
    answer = comment(people["anna"], "Too late", ("again.png", PNG), status=409)
    assert "This conversation is closed." in answer
    assert documents(people["anna"]) == ["photo.png"]


@pytest.mark.sqlite_suffices
def test_what_cannot_be_stored_is_reported_and_nothing_is_half_done(desk, people, caplog):
    upload(people["anna"], ("report.pdf", PDF))
    folder = desk.app.registry.store().folder
    shutil.rmtree(folder)
    folder.write_text("no folder any more")
    refused = comment(people["anna"], "Not yet said", ("photo.png", PNG), status=503)
    assert int(refused.headers["Retry-After"]) > 0
    assert int(people["anna"].get("/tickets/1/files/1", status=503).headers["Retry-After"]) > 0
    assert "Files cannot be stored: " in caplog.text, "with the reason, for who runs the portal"
    assert "A file cannot be read: " in caplog.text
    page = people["anna"].get("/tickets/1/")
    assert not page.html.select(".note")
    assert form_of(page, "/tickets/1/comments")["text"].value == "Not yet said"  # as a draft
    folder.unlink()
    folder.mkdir()


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize("library", ["multipart", "webob.request"])  # the parts of a form, and the whole of it
def test_a_full_folder_for_temporary_files_is_reported(people, monkeypatch, library):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"{library}.tempfile", SimpleNamespace(TemporaryFile=full))
    refused = upload(people["anna"], ("large.txt", b"x" * 100_000), status=503)
    assert "the disk is full" in refused
    assert int(refused.headers["Retry-After"]) > 0


@pytest.mark.sqlite_suffices
def test_a_form_sent_twice_adds_its_files_once(people):
    form = form_of(people["anna"].get("/tickets/1/"), "/tickets/1/files")
    form["files"] = [Upload("report.pdf", PDF)]
    form.submit(status=303)
    form.submit(status=303)
    assert documents(people["anna"]) == ["report.pdf"]


@pytest.mark.sqlite_suffices
def test_files_go_with_their_record(people):
    upload(people["anna"], ("report.pdf", PDF))
    form_of(people["nancy"].get("/tickets/1/delete"), "/tickets/1/delete").submit(status=303)
    people["nancy"].get("/tickets/1/files/1", status=404)


@pytest.mark.sqlite_suffices
def test_a_form_for_a_new_record_takes_files(people):
    files = [Upload("photo.png", PNG), Upload("report.pdf", PDF)]
    page = fill_in(people["anna"], "/tickets/create", {"title": "With a photo", "files": files}).follow()
    assert [link.text for link in page.html.select("#documents .name")] == ["report.pdf", "photo.png"]


@pytest.mark.sqlite_suffices
def test_a_refused_file_does_not_prevent_a_record_and_its_reason_is_shown(people):
    files = [Upload("film.mov", b"x" * 100_001), Upload("report.pdf", PDF)]
    page = fill_in(people["anna"], "/tickets/create", {"title": "With a film", "files": files}, status=200)
    assert "“film.mov” was not added" in page.text
    assert page.html.select_one("h1").text == "With a film"
    assert [link.text for link in page.html.select("#documents .name")] == ["report.pdf"]


@pytest.mark.sqlite_suffices
def test_a_form_of_which_files_were_refused_is_done_once_too(people):
    form = form_of(people["anna"].get("/tickets/1/"), "/tickets/1/files")
    form["files"] = [Upload("film.mov", b"x" * 100_001), Upload("report.pdf", PDF)]
    assert "“film.mov” was not added" in form.submit(status=200)
    assert form.submit(status=303).follow().html.select_one("h1").text == "Paper jam"
    assert documents(people["anna"]) == ["report.pdf"]


@pytest.mark.sqlite_suffices
def test_editing_adds_files(people):
    fill_in(people["nancy"], "/tickets/1/edit", {"files": [Upload("report.pdf", PDF)]})
    assert documents(people["anna"]) == ["report.pdf"]


@pytest.mark.sqlite_suffices
def test_a_form_only_offers_files_to_people_who_may_attach(people):
    assert not people["bruno"].get("/tickets/create").html.select("input[type=file]")


@pytest.mark.sqlite_suffices
def test_a_comment_whose_file_input_was_left_empty(people):
    """Browsers send a part with an empty file name."""
    form = form_of(people["anna"].get("/tickets/1/"), "/tickets/1/comments")
    fields = {"_csrf": form["_csrf"].value, "text": "Nothing attached"}
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    parts.append(
        'Content-Disposition: form-data; name="files"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n'
    )
    body = "".join(f"--edge\r\n{part}\r\n" for part in parts) + "--edge--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    page = people["anna"].post("/tickets/1/comments", body, headers=headers, status=303).follow()
    assert "Nothing attached" in page.html.select_one(".note").text
