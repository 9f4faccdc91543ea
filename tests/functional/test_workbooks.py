"""Workbooks: exports of a list for spreadsheets, and what `portal import` reads from one."""

import datetime
import io
import re
import zipfile
from decimal import Decimal
from itertools import pairwise

import openpyxl
import pytest

from portal.database.engine import reading
from portal.records.policy import Policy
from portal.records.reading.records import Query, Records
from portal.records.transfer.csv_reading import UnreadableFileError
from portal.records.transfer.exporting import list_export
from portal.records.transfer.limited_rows import MOST_UNPACKED
from portal.records.transfer.source_files import open_file
from tests.functional.import_portal import EVERYTHING, PEOPLE
from tests.functional.shop import Shop, make_shop
from tests.functional.world import ANNA, BRUNO, NANCY
from tests.workbooks import CONTENT_TYPE, cells_of, workbook

pytestmark = pytest.mark.sqlite_suffices

COLUMNS = (
    "reference title price amount weight share ready day moment clock length kind stars service owners body number"
    " phone"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    shop = make_shop(folder / "shop", f"sqlite:///{folder / 'portal.sqlite'}")
    shop.loaded("people", PEOPLE)
    shop.loaded("services", "name\nPrinting\n")
    shop.loaded("categories", "name,service\nJam,Printing\n")
    shop.loaded("things", EVERYTHING)
    shop.loaded(
        "things",
        "title,price,moment,day,amount,length,body\n"
        "@more,2.50 EUR,2024-10-27T02:30:00+01:00,1800-01-01,1234567890123456789,45 s,"
        f"{'long ' * 7000}\n",
    )
    return shop


def exported(shop: Shop, language: str = "en") -> openpyxl.Workbook:
    """The list of things as staff get it in a spreadsheet."""
    profile, reader = shop.declaration.profiles["staff"], shop.declaration.reader(language=language)
    things = profile.modules["things"].model_copy(update={"readable": frozenset(COLUMNS.split())})
    profile = profile.model_copy(update={"modules": {**profile.modules, "things": things}})
    file = io.BytesIO()
    with reading(shop.engine) as connection:
        records = Records(connection, Policy(shop.tables, profile, reader), "things")
        list_export(records, Query(sort=("number",)), COLUMNS.split(), reader).write_workbook(file, "Things: all?")
    return openpyxl.load_workbook(file)


def by_header(book: openpyxl.Workbook, row: int) -> dict:
    header, *rows = book.worksheets[0].iter_rows()
    return dict(zip([cell.value for cell in header], rows[row], strict=True))


def test_a_spreadsheet_computes_with_what_a_list_exports(shop):
    row = by_header(exported(shop), 0)
    wanted = {
        "Amount": -7, "Weight": 1.125, "Price": -12.5, "Share": 0.225, "Ready": True, "Stars": 4, "Number": 1,
        "Day": datetime.datetime(2024, 2, 29), "Moment": datetime.datetime(2024, 3, 5, 14, 30),
        "Clock": datetime.time(8, 15), "Length": datetime.timedelta(hours=1, minutes=30),
        "Sort": "Small one", "Service": "Printing", "Owners": "Ada; Bob", "Body": "two\nlines",
        "Price (currency)": "EUR",
    }  # fmt: skip
    assert {name: row[name].value for name in wanted} == wanted
    assert row["Price"].number_format == "[$€]#,##0.00"
    assert row["Share"].number_format == "0.0%"
    assert (row["Day"].is_date, row["Moment"].is_date) == (True, True)


def test_amounts_add_up_and_stand_as_the_reader_writes_them(shop):
    book = exported(shop, "it")
    prices = [Decimal(str(cell.value)) for cell in list(book.worksheets[0]["C"])[1:] if cell.value is not None]
    assert sum(prices) == Decimal("-10")
    assert by_header(book, 0)["Prezzo"].number_format == "#,##0.00\u00a0[$€]"


def test_texts_stay_texts_and_are_there_to_the_end(shop):
    first, last = by_header(exported(shop), 0), by_header(exported(shop), 2)
    assert [(cell.value, cell.data_type, cell.quotePrefix) for cell in (first["Title"], first["Phone"])] == [
        ("=SUM(A1)", "s", True),
        ("+39 051 555", "s", True),
    ]
    assert len(last["Body"].value) == 32_767
    assert last["Body"].value.endswith("l…")


def test_what_no_cell_can_hold_is_a_text_rather_than_nearly_right(shop):
    row = by_header(exported(shop), 2)
    assert row["Amount"].value == "1234567890123456789"
    assert row["Day"].value == "1800-01-01"
    assert row["Moment"].value == "2024-10-27 02:30+0100"
    assert row["Length"].value == datetime.timedelta(seconds=45)


def test_the_header_stays_and_filters(shop):
    sheet = exported(shop).worksheets[0]
    assert (sheet.title, sheet.freeze_panes, sheet.auto_filter.ref) == ("Things  all", "A2", "A1:S4")
    assert sheet.column_dimensions["B"].width < sheet.column_dimensions["P"].width <= 61


def test_a_list_leads_to_both_kinds_of_files_and_only_who_may_export_gets_them(world):
    world.add("requests", name="R1", body="Words", caller=world.the("people", "Bruno Verdi"))
    world.add("requests", name="R2", body="Words", caller=world.the("people", "Bruno Verdi"))
    offered = world[BRUNO].get("/requests/?tab=all&name=r1").html.select("[data-export]")
    assert [link.text for link in offered] == ["Excel workbook", "CSV file"]
    answer = world[BRUNO].get(offered[0]["href"])
    assert answer.content_type == CONTENT_TYPE
    assert answer.headers["Content-Disposition"] == 'attachment; filename="requests-2026-03-05.xlsx"'
    assert [row[1] for row in cells_of(answer.body)[1:]] == ["R1"]
    world[ANNA].get("/requests/export.xlsx", status=404)
    world[NANCY].get("/requests/export.ods", status=404)


# -- what comes in -------------------------------------------------------------------------------------------------


def loaded(shop: Shop, module: str, content: bytes, *options: str):
    return shop.run("import", module, shop.file(content, "file.xlsx"), *options)


@pytest.fixture
def empty_shop(tmp_path) -> Shop:
    return make_shop(tmp_path / "empty", f"sqlite:///{tmp_path / 'empty.sqlite'}")


@pytest.mark.parametrize("language", ["en", "it"])
def test_an_exported_workbook_is_taken_back(shop, language):
    file = io.BytesIO()
    exported(shop, language).save(file)
    result = loaded(shop, "things", file.getvalue(), "--key", "reference", "--map", "Body=")
    assert "0 new, 0 changed, 3 unchanged" in result.output, result.output


def test_cells_are_read_as_what_they_are(empty_shop):
    moment = datetime.datetime(2024, 3, 5, 14, 29, 59, 999_600)
    content = workbook(
        [
            ["Titolo", "amount", "weight", "share", "day", "moment", "clock", "length", "ready", "code"],
            ["00123", 1e3, 0.1 + 0.2, "22.5%", moment.replace(hour=0, minute=0, second=0, microsecond=0), moment,
             datetime.time(8, 15), datetime.timedelta(hours=26, minutes=5), True, 12],
        ]
    )  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(content))
    book.active["D2"].value, book.active["D2"].number_format = 0.07, "0.00%"
    book.active["J2"].number_format = "00000"
    file = io.BytesIO()
    book.save(file)
    result = loaded(empty_shop, "things", file.getvalue())
    assert result.exit_code == 0, result.output
    names = ("title", "amount", "weight", "share", "day", "moment", "clock", "length", "ready", "code")
    assert empty_shop.values("things", *names) == [
        ("00123", 1000, Decimal("0.3"), Decimal(7), datetime.date(2024, 3, 5),
         datetime.datetime(2024, 3, 5, 13, 30, tzinfo=datetime.UTC), datetime.time(8, 15), 93_900, True, "00012")
    ]  # fmt: skip


def with_part(content: bytes, change, part_name: str = "xl/worksheets/sheet1.xml") -> bytes:
    """The workbook with one of its parts, as text, changed: its sheet, unless another is named."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, change(part.decode()) if name == part_name else part)
    return made.getvalue()


def test_of_a_formula_the_result_is_read_and_one_without_result_is_told(empty_shop):
    content = workbook([["name", "email"], ["Ada", "=A2"], ["Bob", "bob@acme.example"]])
    computed = with_part(content, lambda text: re.sub(r"(<f>A2</f>)<v */>|<v></v>", r"\1<v>ada@acme.example</v>", text))
    computed = with_part(computed, lambda text: text.replace('r="B2"', 'r="B2" t="str"'))
    told = loaded(empty_shop, "people", content)
    assert (told.exit_code, ":2: The formula in cell B2 has no result." in told.output) == (1, True), told.output
    assert loaded(empty_shop, "people", computed).exit_code == 0
    assert empty_shop.values("people", "email") == ["ada@acme.example", "bob@acme.example"]


def test_bad_cells_of_a_workbook_have_their_row(empty_shop):
    content = workbook([[None], ["name", "email", "age"], [], ["Ada", "ada@acme.example", 1.5], ["Bob", "#N/A", 3]])
    told = loaded(empty_shop, "people", content).output
    assert ":4: age: Enter a whole number." in told
    assert ":5: Cell B5 has the error “#N/A”." in told


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise("abcdefghij")
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04\x14\x00\xff\xff\x00", "The workbook is damaged."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\xff\xff\x00", "This is an old workbook (.xls)"),
        (with_part(workbook([["name"]]), lambda text: text[: len(text) // 2]), "The workbook is damaged."),
        (with_part(workbook([["name"]]), lambda text: f"{BOMB}]>{text}".replace(">name<", ">&j;<")), "is damaged."),
        (workbook([]), "The file is empty."),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_workbook_is_reported(empty_shop, content, words):
    result = loaded(empty_shop, "people", content)
    assert result.exit_code == 1
    assert words in result.output


def test_a_workbook_that_would_fill_the_memory_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(with_part(workbook([["name"]]), lambda text: text + " " * 3_000_000))
    with pytest.raises(UnreadableFileError, match="larger than"):
        open_file(path, most_unpacked=2_000_000)


@pytest.mark.parametrize(
    ("part", "before", "elements"),
    [
        ("xl/worksheets/sheet1.xml", "</sheetData>", "<row/>" * 50_000),
        ("xl/worksheets/sheet1.xml", "</sheetData>", f"<row>{'<c/>' * 50_000}</row>"),
        ("xl/styles.xml", "</cellXfs>", "<xf/>" * 5_000),
        ("xl/workbook.xml", "<calcPr", f"<definedNames>{'<definedName/>' * 5_000}</definedNames>"),
    ],
)
def test_nor_is_one_of_many_small_elements(tmp_path, part, before, elements):
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(with_part(workbook([["name"]]), lambda text: text.replace(before, elements + before), part))
    with pytest.raises(UnreadableFileError, match="larger than"):
        open_file(path, most_unpacked=2_000_000)


def test_a_workbook_as_large_as_a_browser_may_send_is_read(tmp_path):
    path = tmp_path / "large.xlsx"
    path.write_bytes(workbook([[f"h{number}" for number in range(40)], *([[1] * 20 + ["x"] * 20] * 5_000)]))
    assert len(open_file(path, most_unpacked=MOST_UNPACKED).headers) == 40


def test_a_document_type_is_damage(tmp_path):
    path = tmp_path / "entities.xlsx"
    declared = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'
    path.write_bytes(with_part(workbook([["name"]]), lambda text: declared + text.replace(">name<", ">&a;<")))
    with pytest.raises(UnreadableFileError, match="damaged"):
        open_file(path)


def test_another_archive_is_no_workbook(empty_shop):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("content.xml", "<office/>")
    assert "This is not an Excel workbook." in loaded(empty_shop, "people", file.getvalue()).output
