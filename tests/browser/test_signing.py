"""What a form does while it is filled in: a signature is drawn, and required fields are marked."""

import re

from playwright.sync_api import expect

from tests.browser.walking import Visit

QUOTE = "Standing desks for reception"


def test_a_quote_is_accepted_with_a_name_and_a_drawing(visit: Visit) -> None:
    page = visit("customer", "/quotes/")
    page.locator("a.cover", has_text=QUOTE).click()
    page.get_by_role("link", name="Accept").click()
    pad = page.get_by_role("img", name="Sign here")
    box = pad.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 80)
    page.mouse.down()
    for step in range(1, 30):
        page.mouse.move(box["x"] + 40 + step * 8, box["y"] + 80 + (step % 6) * 9)
    page.mouse.up()
    drawing = page.locator("input[name='accepted_by.drawing']")
    assert re.fullmatch(r"M\d+ \d+(L\d+ \d+){10,}", drawing.input_value())
    page.get_by_role("button", name="Clear").click()
    assert drawing.input_value() == ""
    page.mouse.move(box["x"] + 40, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.mouse.up()
    page.get_by_label("Your name").fill("Anna Moretti")
    page.get_by_role("button", name="Accept").click()
    signed = page.locator(".signature")
    expect(signed.get_by_role("img", name="Signature")).to_be_visible()
    expect(signed).to_contain_text("Anna Moretti")


def test_the_mark_of_a_required_field_follows_its_condition(visit: Visit) -> None:
    page = visit("support", "/tickets/create")
    page.get_by_label("Impact").select_option("department")
    field = page.locator(".field", has=page.locator("[name=people_affected]"))
    expect(field.locator("[data-required]")).to_be_visible()
    page.get_by_label("Impact").select_option("company")
    expect(field).to_be_visible()
    expect(field.locator("[data-required]")).to_be_hidden()
