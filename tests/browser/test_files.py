"""Files added in a browser: several at once, removed again, too large, and without a script."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.walking import Make, Visit

PASTE = """(input, [name, text]) => {
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File(["picture"], name, { type: "image/png" }));
  if (text) for (const type of ["text/plain", "text/html"]) clipboardData.setData(type, text);
  input.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (1200, 800), "orange").save(path)
    return path


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
    return path


def test_a_comment_with_a_photo_and_a_file_taken_off_again(
    visit: Visit, new_ticket: Make, photo: Path, report: Path
) -> None:
    page = visit("customer", new_ticket("Shelf is loose"))
    page.get_by_text("Attach files").click()
    page.locator("#comment-files").set_input_files([photo, report])
    composer = page.locator("form.composer")
    expect(composer.locator("[data-picked] .name")).to_have_text(["photo.jpg", "report.pdf"])
    composer.get_by_role("button", name="Remove report.pdf").click()
    page.get_by_role("textbox", name="Write a comment").fill("See the photo.")
    page.context.set_offline(True)
    page.get_by_role("button", name="Send").click()
    expect(composer.locator("[data-picked] .refused")).to_contain_text("Check your connection")
    expect(composer.locator("[data-picked] .name")).to_have_text(["photo.jpg"])
    page.context.set_offline(False)
    with page.expect_response("**/account/drafts"):
        page.get_by_role("textbox", name="Write a comment").fill("See the photo. It is loose.")
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("status").filter(has_text="Comment added.")).to_be_focused()
    note = page.locator("article.note").first
    expect(note).to_contain_text("See the photo.")
    picture = note.locator(".thumbnail img")
    expect(picture).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    expect(page.locator("#documents a.name")).to_have_text(["photo.jpg"])


def test_the_card_of_a_record_sends_what_is_chosen_again_if_need_be_and_says_what_is_too_large(
    visit: Visit, new_ticket: Make, report: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.mov"
    with film.open("wb") as file:
        file.truncate(26_000_000)
    page = visit("customer", new_ticket("Door squeaks"))
    page.locator("#documents-files").set_input_files(film)
    expect(page.locator("#documents .refused")).to_contain_text("Not sent: the limit is 25 MB")
    page.context.set_offline(True)
    page.locator("#documents-files").set_input_files(report)
    expect(page.locator("#documents .refused")).to_contain_text("Check your connection")
    page.context.set_offline(False)
    page.locator("#documents").get_by_role("button", name="Try again").click()
    expect(page.locator("#documents a.name")).to_have_text(["report.pdf"])
    page.locator("#documents").get_by_role("button", name="Remove report.pdf").click()
    expect(page.locator("#documents a.name")).to_have_count(0)
    page.locator("#documents-files").set_input_files([film, report])
    expect(page.locator("#documents a.name")).to_have_text(["report.pdf"])
    expect(page.locator("#documents .refused")).to_contain_text("Not sent: the limit is 25 MB")


def test_of_a_new_record_refused_files_are_told_at_its_own_address_though_create_is_pressed_twice(
    visit: Visit, report: Path, photo: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    page = visit("customer", "/orders/create")
    page.get_by_label("What do you need?").fill("A lamp")
    # A form that comes back has the files; each can be removed with the mouse.
    page.get_by_label("Quantity, line 1").fill("many")
    page.locator("input[type=file]").set_input_files(photo)
    page.get_by_role("button", name="Create").click()
    page.get_by_role("checkbox", name="photo.jpg").uncheck()
    page.get_by_label("Quantity, line 1").fill("")
    page.locator("input[type=file]").set_input_files([report, empty])
    # Neither the picture of cells nor what is pasted while a condition hides the files of the form is added.
    for name, text, hidden in (("lamp.png", "", False), ("cells.png", "of a spreadsheet", False), ("no.png", "", True)):
        page.locator("[data-drop]").evaluate("(box, hidden) => (box.hidden = hidden)", hidden)
        page.get_by_label("What do you need?").evaluate(PASTE, [name, text])
    page.locator("[data-drop]").evaluate("box => (box.hidden = false)")
    expect(page.locator("[data-picked] .name")).to_have_text(["report.pdf", "empty.txt", "lamp.png"])
    page.get_by_role("button", name="Create").dblclick()
    expect(page.locator("#documents .refused")).to_contain_text("“empty.txt” was not added: it is empty.")
    expect(page.locator("#documents a.name")).to_have_text(["lamp.png", "report.pdf"])
    expect(page).to_have_url(re.compile(r"/orders/\d+/$"))
    expect(page).to_have_title(re.compile("A lamp"))
    expect(page.get_by_label("Breadcrumb")).to_contain_text("A lamp")


def test_without_a_script_the_same_forms_work(visit: Visit, new_ticket: Make, report: Path) -> None:
    page = visit("customer", new_ticket("Lamp is dark"), java_script_enabled=False)
    page.locator("#documents-files").set_input_files(report)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#documents a.name")).to_have_text(["report.pdf"])
