"""The PDF of a record: in the look of the portal, with what its reader sees on the page, and nothing internal."""

import datetime
import re
import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa
from webtest import Upload

from portal.database.engine import writing
from portal.fields.address import Address
from portal.fields.lines import Row
from portal.fields.money import Money
from portal.fields.signature import Signature
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from portal.rendering import pdf as pdf_pages
from portal.rendering import typesetting
from portal.views.records.record_pdf import MOST_COMMENTS
from tests.functional.conftest import fill_in
from tests.functional.orders_portal import PEOPLE
from tests.functional.test_files import picture
from tests.functional.world import ANNA, CARLA, NANCY, PEOPLE_MODULES, opened_world
from tests.pdfs import pdf_of, text_of
from tests.portal_files import write_portal

PORTAL = """
portal: {name: Lumen Care, languages: [en, ar], logo: logo.svg, time_zone: Europe/Rome, administrators: [staff]}
"""
ORDERS = """
  orders:
    reference: "SO{number:04}"
    singular: Order
    owner: caller
    organization: company
    fields:
      title: text
      caller: {type: link, to: people, default: me}
      company: {type: link, to: companies}
      goods:
        type: lines
        label: Goods
        total: amount
        fields:
          what: {type: text, label: Article}
          count: {type: integer, label: Quantity}
          price: {type: money, label: Each}
          amount: {type: formula, of: count * price, label: Amount}
          cost: {type: money, internal: true, label: Hushcost}
      body: longtext
      terms: markdown
      place: address
      size: {type: choice, options: {large: Very large}}
      stars: {type: rating, label: Liked}
      day: date
      site: url
      tint: color
      facts: json
      paper: file
      photo: image
      signed: signature
      empty: {type: text, label: Neverfilled}
      margin: {type: text, internal: true}
    comments: true
    attachments: true
  bare: {see: all, fields: {name: text}}
"""
CUSTOMER = """
modules:
  orders:
    see: own
    can: [create, comment, attach]
    create: {fields: [title, photo]}
    detail:
      sections: [{fields: [goods, body, terms, place, [stars, day], site, tint, facts, paper, photo, signed, empty]}]
      aside: [size, company]
  bare: {}
"""
STAFF = """
staff: true
modules: {orders: {see: all, can: [comment]}, bare: {}, people: {see: all}, companies: {see: all}}
"""
MARKUP = r'#read("/etc/passwd") $x$ *a* _b_ \ <script> @c `d` // f /* g */ #eval("1") ]'
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9" fill="#a00"/></svg>'


@pytest.fixture(scope="module", params=["sqlite"])
def shop(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    write_portal(folder, PORTAL + PEOPLE_MODULES + ORDERS, customer=CUSTOMER, staff=STAFF)
    (folder / "logo.svg").write_text(SVG)
    with opened_world(folder, request, PEOPLE[:2] + PEOPLE[3:4]) as world:
        yield world


def new_order(shop, **values):
    caller, company = shop.the("people", "Anna Rossi"), shop.the("companies", "Acme")
    return f"/orders/{shop.add('orders', **{'title': 'Lamps', 'caller': caller, 'company': company, **values})}/"


def said(shop, order, text, internal=False):
    with writing(shop.portal.engine) as connection:
        records = shop.records(connection, "orders")
        record = records.get(int(order.split("/")[2]))
        Writer(records, Author(name="Nancy Smith")).add_comment(record, text, internal=internal)


def text(shop, order, reader=ANNA):
    return text_of(pdf_of(shop[reader].get(f"{order}record.pdf")))


def row(what, count=1, price="10.00"):
    return Row({"what": what, "count": count, "price": Money(Decimal(price), "EUR"), "cost": Money(Decimal(7), "EUR")})


def test_it_says_what_the_page_says(shop):
    order = new_order(
        shop, goods=(row("Desk lamp", 3, "49.90"), row("Bulb", 10)), body="First line\nsecond line",
        terms="Pay **soon**.\n\n- one\n- two", place=Address("Via Roma 1", "10121", "Torino", "", "IT"), size="large",
        stars=4, day=datetime.date(2026, 3, 1), site="https://lumen.example/a", tint="#ff0000", facts='{"width": 12}',
        signed=Signature("Anna Rossi", "M10 10L200 100", None),
    )  # fmt: skip
    said(shop, order, "We sent it.")
    page = shop[ANNA].get(order)
    link = page.html.find("a", href=f"{order}record.pdf")
    assert link.text.strip() == "PDF"
    answer = page.click(href="record.pdf")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="SO0001.pdf"')
    pdf = pdf_of(answer)
    said_in_it = text_of(pdf)
    for expected in (
        "Lumen Care", "Order", "SO0001\nLamps", "Very large", "Acme",
        "Article Quantity Each Amount", "Desk lamp 3 €49.90 €149.70", "Bulb 10 €10.00 €100.00", "Total €249.70",
        "First line\nsecond line", "Pay soon.", "• one\n• two", "Via Roma 1\n10121 Torino", "Liked\n4", "Mar 1, 2026",
        "https://lumen.example/a", "#ff0000", "width 12", "Anna Rossi\nMar 5, 2026", "Nancy Smith",
        "We sent it.", "Generated on", "Page 1 of 1",
    ):  # fmt: skip
        assert expected in said_in_it, expected
    assert "Neverfilled" not in said_in_it
    assert (pdf.metadata.title, pdf.trailer["/Root"]["/Lang"]) == ("Lamps", "en")
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    links = [each.get_object()["/A"]["/URI"] for each in pdf.pages[0]["/Annots"]]
    assert links == ["https://lumen.example/a"]


def test_nobody_writes_markup(shop):
    order = new_order(
        shop, title=MARKUP, body=MARKUP, goods=(row(MARKUP),), place=Address(MARKUP), signed=Signature(MARKUP[:60])
    )
    said(shop, order, MARKUP)
    words = " ".join(text(shop, order).split())
    assert words.count(MARKUP) >= 4
    assert "root:" not in words


def test_a_color_that_others_wrote_into_the_table_is_a_text(shop):
    order = new_order(shop)
    with writing(shop.portal.engine) as connection:
        table = shop.portal.tables.module("orders")
        connection.execute(sa.update(table).where(table.c["id"] == int(order.split("/")[2])).values(tint="reddish"))
    assert "reddish" in text(shop, order)


def test_it_contains_nothing_internal_whoever_makes_it(shop):
    order = new_order(shop, goods=(row("Lamp"),), margin="hushmargin")
    said(shop, order, "hushcomment", internal=True)
    said(shop, order, "Said to all")
    page = shop[NANCY].get(order).text
    assert all(word in page for word in ("hushmargin", "Hushcost", "hushcomment"))
    for reader in (NANCY, ANNA):
        words = text(shop, order, reader)
        assert "Said to all" in words
        assert "hush" not in words.lower()


def test_it_exists_for_those_who_see_the_record(shop):
    order = new_order(shop)
    shop[CARLA].get(f"{order}record.pdf", status=404)
    assert "margin" not in text(shop, order).lower()


def test_a_record_without_a_reference_is_named_by_its_module(shop):
    bare = shop.add("bare", name="Bare")
    answer = shop[ANNA].get(f"/bare/{bare}/record.pdf")
    assert f'filename="bare-{bare}.pdf"' in answer.headers["Content-Disposition"]


def test_the_head_of_a_long_table_is_on_each_page(shop):
    order = new_order(shop, goods=tuple(row(f"Lamp {number}") for number in range(120)))
    pages = [page.extract_text() for page in pdf_of(shop[ANNA].get(f"{order}record.pdf")).pages]
    assert len(pages) > 2
    assert all("Article" in page for page in pages)
    assert [f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1)] == [True] * len(pages)
    assert sum(page.count("Total") for page in pages) == 1
    assert "Total" in pages[-1]


def test_pictures_are_in_it(shop):
    photo = Upload("lamp.png", picture())
    order = fill_in(shop[ANNA], "/orders/create", {"title": "Broken lamp", "photo": photo}).location
    (image,) = pdf_of(shop[ANNA].get(f"{order}record.pdf")).pages[0].images
    assert image.image.size[0] > 1


def test_of_a_long_conversation_it_has_the_newest(shop):
    order = new_order(shop)
    comment = {"module": "orders", "record": int(order.split("/")[2]), "author": "Anna Rossi", "channel": "portal"}
    comment |= {"created": shop.clock.now, "staff": False}
    with writing(shop.portal.engine) as connection:
        rows = [
            {**comment, "text": f"Number {number}.", "internal": internal}
            for number in range(MOST_COMMENTS + 1)
            for internal in (False, True)
        ]
        connection.execute(sa.insert(shop.portal.tables.comment), rows)
    words = text(shop, order, NANCY)
    numbers = [int(number) for number in re.findall(r"Number (\d+)\.", words)]
    assert numbers == list(range(1, MOST_COMMENTS + 1))
    assert "Earlier comments are in the portal." in words


def test_what_is_too_large_is_reported(shop, monkeypatch):
    order = new_order(shop)
    monkeypatch.setattr(typesetting, "TIMEOUT", 0.001)
    page = shop[ANNA].get(f"{order}record.pdf", status=413)
    assert "This record is too large for a PDF. Print the page instead." in page
    assert "Content-Disposition" not in page.headers


def test_of_many_at_once_some_have_to_wait(shop, monkeypatch):
    order = new_order(shop)
    monkeypatch.setattr(pdf_pages, "PROCESSES", threading.BoundedSemaphore(1))
    monkeypatch.setattr(pdf_pages, "TIMEOUT", 0)
    with pdf_pages.PROCESSES:
        page = shop[ANNA].get(f"{order}record.pdf", status=503)
    assert "Other PDFs are being created right now. Please try again in a minute." in page
    assert page.headers["Retry-After"]
    assert shop[ANNA].get(f"{order}record.pdf").content_type == "application/pdf"


def test_arabic_readers_get_it_in_arabic(shop):
    order = new_order(shop, body="Hello there.")
    browser = shop.signed_in(ANNA)
    browser.send("/language", {"language": "ar", "next": "/"})
    pdf = pdf_of(browser.get(f"{order}record.pdf"))
    assert pdf.trailer["/Root"]["/Lang"] == "ar"
    assert "Hello there." in text_of(pdf)
    assert "Page" not in text_of(pdf)
