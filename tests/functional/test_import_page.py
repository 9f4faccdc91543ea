"""Importing in the browser: a file, where its columns go, what would happen, and the button that undoes it."""

import datetime
import io
import re
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
import xlsxwriter
from webtest import Upload

from portal.accounts.giving_access import AccessRequest
from portal.database.engine import reading
from portal.fields.linked_value import Linked
from portal.fields.money import Money
from portal.records.transfer import limited_rows
from tests.functional.shop import plain
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY, NOW, linked, written_world
from tests.workbooks import workbook

pytestmark = pytest.mark.sqlite_suffices

MODULES = """
portal: {name: Machines, base_url: http://localhost, languages: [en, it], currency: EUR}
people: people
organizations: companies
modules:
  companies: {title: name, fields: {name: text}}
  people:
    title: name
    organization: company
    fields: {name: text, email: {type: email, unique: true}, company: {type: link, to: companies}}
  rooms: {title: name, fields: {name: text, open: boolean, company: {type: link, to: companies}}, organization: company}
  machines:
    title: name
    reference: "M{number:03}"
    owner: used_by
    organization: company
    comments: true
    fields:
      name: {type: text, required: true, label: {en: Name, it: Nome}}
      serial: {type: text, unique: true, read_only: once, label: {en: Serial number, it: Numero di serie}}
      used_by: {type: link, to: people, default: me}
      company: {type: link, to: companies, default: $used_by.company}
      room: {type: link, to: rooms, where: {open: true}}
      parts: {type: links, to: machines}
      price: {type: money, label: {en: Price, it: Prezzo}}
      bought: {type: date, read_only_when: {kind: large}}
      cost: {type: integer, internal: true, default: 5}
      size: {type: integer, default: 2}
      worth: {type: formula, of: size * cost}
      kind: {type: choice, options: {small: Small, large: Large}}
      hush: {type: text, internal: true, label: Hush hush}
      state: {type: choice, options: [used, gone], default: used}
    lifecycle: {field: state, start: used, transitions: {drop: {from: used, to: gone}}}
    detail: {related: []}
"""
STAFF = """
staff: true
modules:
  companies: {see: all}
  people: {see: all}
  rooms: {see: all}
  machines:
    see: all
    can: [create, edit, export, import, comment, drop]
    options: {kind: {small: Tiny}}
    edit: {fields: [name, used_by, company, room, parts, price, bought, kind, hush]}
"""
CUSTOMER = """
modules:
  people: {see: own}
  companies: {see: organization}
  rooms: {see: organization}
  machines:
    see: own
    can: [create, edit, import]
    list: {columns: [reference, name, serial, company]}
    create: {fields: [name, serial, room, parts]}
    edit: {fields: [name, parts, size]}
"""
READER = "modules: {machines: {see: all, can: [create, edit, export]}}\n"
PEOPLE = (
    AccessRequest(ANNA, "customer", "Anna Rossi", "Acme"),
    AccessRequest(CARLA, "customer", "Carla Neri", "Globex"),
    AccessRequest(BRUNO, "reader", "Bruno Verdi", "Acme"),
    AccessRequest(NANCY, "staff", "Nancy Smith", "Supplier"),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request):
    with written_world(request, MODULES, PEOPLE, staff=STAFF, customer=CUSTOMER, reader=READER) as world:
        yield world, world.rows()


@pytest.fixture
def world(served):
    world, rows = served
    yield world
    world.put_back(rows)


def send(world, person, content, name="machines.csv", **chosen):
    """Sends a file and chooses where the columns go; returns the page that shows what would happen."""
    content = content if isinstance(content, bytes) else content.encode()
    upload = Upload(name, content, "application/octet-stream")
    answer = world[person].send("/machines/import", [("_import", upload)])
    assert answer.status_int == 303, answer.text
    page = world[person].get(answer.location)
    if chosen:
        form = next(form for form in page.forms.values() if "decimal" in form.fields)
        for field, value in chosen.items():
            form[field.replace("column_", "column.")] = value
        page = form.submit()
    return page


def press(world, person, page, **besides):
    """Presses the button that imports."""
    form = next(form for form in page.forms.values() if form.method.upper() == "POST" and "file" in form.fields)
    return world[person].send("/machines/import", [*form.submit_fields(), *besides.items()])


def outcome(page):
    return [pill.get_text(strip=True) for pill in page.html.select(".pills .pill")]


def problems(page):
    rows = page.html.select("table.records tbody tr:has(th.numeric)")
    return [tuple(cell.text.strip() for cell in row.select("th, td")) for row in rows]


def told(page):
    return [item.text for item in page.html.select(".alert p")]


def values(world, *names):
    return [tuple(plain(record.values[name]) for name in names) for record in world.all("machines")]


def test_a_file_becomes_records_after_one_has_seen_what_would_happen(world):
    world.add("rooms", name="Hall", open=True)
    content = workbook(
        [
            ["Nome", "Serial number", "Used by", "Room", "Prezzo", "bought", "Kind", "Remarks"],
            ["Lobby printer", "L1", "Anna Rossi", "Hall", 12.5, datetime.date(2026, 1, 2), "Tiny", "x"],
            ["Office printer", "L2", None, None, None, None, "Large", None],
        ]
    )
    page = send(world, NANCY, content, "machines.xlsx")
    assert told(page) == ["Choose a field for each column, or leave the column out."]
    assert not outcome(page)
    marked = [row.th.text for row in page.html.select("table.records tbody tr") if row.select(".hint")]
    assert marked == ["Remarks"]
    page = send(world, NANCY, content, "machines.xlsx", column_7="")
    assert outcome(page) == ["2 new records"]
    assert world.all("machines") == []
    again = world[NANCY].get(page.request.url)
    answer = press(world, NANCY, again)
    assert answer.status_int == 303
    done = world[NANCY].get(answer.location)
    assert [link.text for link in done.html.select(".hits a")] == ["M001 · Lobby printer", "M002 · Office printer"]
    names = ("name", "serial", "used_by", "company", "room", "price", "bought", "kind", "channel")
    price = Money(Decimal("12.5"), "EUR")
    assert values(world, *names) == [
        ("Lobby printer", "L1", "Anna Rossi", "Acme", "Hall", price, datetime.date(2026, 1, 2), "small", "import"),
        ("Office printer", "L2", None, None, None, None, None, "large", "import"),
    ]
    first = done.html.select_one(".hits a")["href"]
    assert "Imported" in world[NANCY].get(f"{first}history")
    assert world[NANCY].get(page.request.url).location == done.request.url
    with reading(world.portal.engine) as connection:
        for table in (world.portal.tables.announcement, world.portal.tables.outbox):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


@pytest.mark.parametrize(
    ("rows", "chosen"), [("A;12,50\nB;1.000\n", ","), ("A, B;12.50\n", None), ("3,4;1,234\nB;12,5\n", None)]
)
def test_a_decimal_comma_is_recognized_in_numbers_alone(world, rows, chosen):
    page = send(world, NANCY, f"name;price\n{rows}")
    option = page.html.select_one("[name=decimal] option[selected]")
    assert (option and option["value"] or None) == chosen


def test_what_is_wrong_is_listed_before_anything_is_stored_and_may_be_left_out(world):
    content = "name;serial;room;price\nA;1;;1,5\nB;1;Nowhere;2\n;2;;x\nD;4;;\n"
    page = send(world, NANCY, content)  # whose numbers have a decimal comma, which the page assumes
    assert outcome(page) == ["2 new records", "2 rows cannot be imported"]
    assert sorted(problems(page)) == [
        ("Row 3", "room", "No record in Rooms is named “Nowhere”."),
        ("Row 3", "serial", "Line 2 has the same value."),
        ("Row 4", "name", "Required"),
        ("Row 4", "price", "“x” is not a number."),
    ]
    file = world[NANCY].get(page.html.find("a", href=re.compile("problems.csv"))["href"])
    assert file.text.removeprefix("\ufeff").splitlines()[0] == "Row,Column,Problem"
    assert len(file.text.splitlines()) == 5
    form = next(form for form in page.forms.values() if form.method.upper() == "POST" and "file" in form.fields)
    whole = [pair for pair in form.submit_fields() if pair[0] != "skip"]
    back = world[NANCY].send("/machines/import", whole)
    assert (back.status_int, world.all("machines")) == (303, [])
    assert dict(parse_qsl(urlsplit(back.location).query))["decimal"] == ","
    press(world, NANCY, world[NANCY].get(back.location))
    assert [record.title for record in world.all("machines")] == ["A", "D"]


def test_records_that_are_there_are_changed_by_their_reference(world):
    first, _second, third = (
        world.add("machines", name=name, serial=name, hush="secret") for name in ("One", "Two", "Gone")
    )
    world.set("machines", third, state="gone")
    content = "reference,name,serial\nM001,First,One\nM002,Two,Two\nM003,Third,Gone\nM009,New,New\nM002,Two,Other\n"
    page = send(world, NANCY, "name,serial\nFirst,One\n", match="reference")
    assert told(page) == ["No column maps to the field “reference”, by which records are found."]
    page = send(world, NANCY, content, match="reference")
    assert outcome(page) == ["1 changed record", "1 record is already up to date", "3 rows cannot be imported"]
    assert sorted(problems(page)) == [
        ("Row 4", "name", "This can no longer be changed."),
        ("Row 5", "reference", "There is no such record."),
        ("Row 6", "reference", "Line 3 has the same value."),
        ("Row 6", "serial", "You cannot change this."),
    ]
    press(world, NANCY, page)
    assert values(world, "name", "hush") == [("First", "secret"), ("Two", "secret"), ("Gone", "secret")]
    assert "Nancy Smith" in world[NANCY].get(f"/machines/{first}/history")


def test_what_a_form_would_lock_cannot_be_set_by_a_file(world):
    world.add("machines", name="Locked", kind="large")
    world.add("machines", name="Free", kind="small")
    content = "reference,bought\nM001,2026-03-05\nM002,2026-03-05\n"
    page = send(world, NANCY, content, match="reference")
    reason = "This cannot be changed because of the other values in this row."
    assert problems(page) == [("Row 2", "bought", reason)]
    assert outcome(page) == ["1 changed record", "1 row cannot be imported"]


def test_an_import_sets_and_finds_no_more_than_the_forms(world):
    carla, anna = world.the("people", "Carla Neri"), world.the("people", "Anna Rossi")
    acme, globex = world.the("companies", "Acme"), world.the("companies", "Globex")
    foreign = Linked(world.add("machines", name="Foreign", serial="F", used_by=carla, company=globex), "machines")
    own = Linked(world.add("machines", name="Own", used_by=anna, company=acme), "machines")
    mine = world.add("machines", name="Mine", serial="Mine", used_by=anna, parts=(foreign, own))
    for name, opened, company in (("Yes", True, acme), ("Shut", False, acme), ("Theirs", True, globex)):
        world.add("rooms", name=name, open=opened, company=company)
    page = send(world, ANNA, "name,Hush hush,company,created\nA,x,Globex,2020-01-01\n")
    notes = {row.th.text: row.select_one(".hint") for row in page.html.select("table.records tbody tr") if row.th}
    assert {header for header, note in notes.items() if note} == {"Hush hush", "company", "created"}
    assert notes["Hush hush"].text == "Choose a field."  # as for what does not exist
    page = send(world, ANNA, "name,room,parts\nA,Yes,Own\nB,Shut,\nC,Theirs,\nD,,Foreign\nE,,F\n")
    assert outcome(page) == ["1 new record", "4 rows cannot be imported"]
    assert {(line, column) for line, column, _reason in problems(page)} == {
        ("Row 3", "room"), ("Row 4", "room"), ("Row 5", "parts"), ("Row 6", "parts"),
    }  # fmt: skip
    assert {reason.partition(" is ")[0] for _line, _column, reason in problems(page)} == {
        "No record in Rooms", "No record in Machines",
    }  # fmt: skip
    press(world, ANNA, page)
    made = world.all("machines")[-1]
    assert (made.title, made.values["used_by"], made.values["company"].title) == ("A", anna, "Acme")
    page = send(world, ANNA, "reference,name\nM001,Taken over\n", match="reference")
    assert problems(page) == [("Row 2", "reference", "There is no such record.")]
    page = send(world, ANNA, "reference,parts,size\nM003,,3\n", match="reference")
    press(world, ANNA, page)
    assert world.record("machines", mine).values["worth"] == 15
    assert [link.title for link in world.record("machines", mine).values["parts"]] == ["Foreign"]


def test_an_import_is_undone_within_a_day_but_for_what_has_been_touched_since(world):
    before = world.add("machines", name="Before", serial="B")
    content = "name,serial,parts\nA,1,\nB,2,\nC,3,B\nD,4,\nE,5,\n"
    done = world[NANCY].get(press(world, NANCY, send(world, NANCY, content)).location)
    touched, *_others, needed = (link["href"] for link in done.html.select(".hits a"))
    world[NANCY].send(f"{touched}comments", {"text": "Mine"}, status=303)
    world.set("machines", before, parts=linked("machines", int(needed.split("/")[2])))
    undo = next(form for form in done.forms.values() if "file" in form.fields)
    assert "machines.csv" in world[NANCY].get("/machines/import").html.select_one(".hits a").text
    answer = world[NANCY].send(undo.action, undo.submit_fields())
    assert "Deleted: 3 records" in answer
    left = [item.get_text(" ", strip=True) for item in answer.html.select(".outcome li")]
    assert left == [
        "M002 · A There has been activity on it since the import.",
        "M006 · E Other records link to it.",
    ]
    assert [record.title for record in world.all("machines")] == ["Before", "A", "E"]
    again = world[NANCY].send(undo.action, undo.submit_fields())
    assert (again.status_int, len(world.all("machines"))) == (303, 3)
    assert "/machines/imported" not in world[NANCY].get(done.request.url).html.find("main").decode_contents()


def test_an_import_cannot_be_undone_by_others_or_after_a_day(world):
    done = press(world, NANCY, send(world, NANCY, "name\nA\n")).location
    undo = next(form for form in world[NANCY].get(done).forms.values() if "file" in form.fields)
    for person in (ANNA, BRUNO):
        assert world[person].see(done).status_int == 404
        assert world[person].send("/machines/imported", {"file": undo["file"].value}).status_int == 404
    world.clock.now += datetime.timedelta(days=1, minutes=1)
    nancy = world.signed_in(NANCY)
    assert not [form for form in nancy.get(done).forms.values() if "file" in form.fields]
    late = [pair for pair in undo.submit_fields() if pair[0] != "_csrf"]
    assert nancy.send(undo.action, late).status_int == 303
    assert [record.title for record in world.all("machines")] == ["A"]
    world.clock.now = NOW


def test_only_people_who_may_import_get_the_link(world):
    assert "/machines/import" in world[NANCY].get("/machines/")
    assert "/machines/import" not in world[BRUNO].get("/machines/")
    for address in ("import", "imported?file=x", "import-problems.csv?file=x"):
        assert world[BRUNO].see(f"/machines/{address}").status_int == 404
        assert world[NANCY].see(f"/rooms/{address}").status_int == 404
    assert world[BRUNO].send("/machines/import", [("_import", Upload("a.csv", b"name\nA\n"))]).status_int == 404
    page = send(world, NANCY, "name\nA\n")
    assert world[ANNA].see(page.request.url).status_int == 404
    assert world[ANNA].see(page.request.url.replace("import?", "import-problems.csv?")).status_int == 404


# test_workbooks.py and test_csv_reading.py test the reasons; here, that the page shows them, and its own limits.
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name\n\xff\xff", "Line 2: Character 1 on this line is not valid UTF-8"),
        (b"name\nA\nB\nC\n", "The file has more than 2 rows."),
        (",".join(f"h{number}" for number in range(501)).encode() + b"\n1\n", "has more than 500 columns"),
        (b"h" * 50_001 + b"\n1\n", "or names that are too long."),
    ],
)
def test_a_file_that_cannot_be_read_is_told(world, monkeypatch, content, words):
    monkeypatch.setattr(limited_rows, "MOST_ROWS", 2)
    answer = world[NANCY].send("/machines/import", [("_import", Upload("a.csv", content, "text/csv"))])
    page = world[NANCY].get(answer.location) if answer.status_int == 303 else answer
    assert words in page.html.select_one(".alert").text


def test_a_small_workbook_whose_cells_share_a_long_text_is_refused(world):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["name"])
        sheet.write_row(1, 0, ["x" * 32_000] * 1_600)
    assert len(file.getvalue()) < 20_000
    page = send(world, NANCY, file.getvalue(), "machines.xlsx")
    assert page.html.select_one(".alert").text == "Uncompressed, the workbook is larger than 50 MB."


def test_without_a_file_nothing_goes_on(world):
    answer = world[NANCY].send("/machines/import")
    assert (answer.status_int, "Choose a file." in answer) == (422, True)


def test_an_import_that_is_sent_twice_is_done_once(world):
    page = send(world, NANCY, "name\nA\n")
    first, second = press(world, NANCY, page), press(world, NANCY, page)
    assert (first.location, len(world.all("machines"))) == (second.location, 1)
    press(world, NANCY, page, _once="another")
    assert len(world.all("machines")) == 1
