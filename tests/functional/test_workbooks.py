"""Workbooks: what people get of a list for their spreadsheet."""

import datetime
import io
from decimal import Decimal

import openpyxl
import pytest

from portal.database.engine import reading
from portal.records.policy import Policy
from portal.records.reading.records import Query, Records
from portal.records.transfer.exporting import exported_list
from tests.functional.shop import Shop, make_shop
from tests.functional.test_import_export import EVERYTHING, PEOPLE
from tests.functional.world import ANNA, BRUNO, NANCY
from tests.workbooks import CONTENT_TYPE, cells_of

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
    """The list of things as staff has it in their spreadsheet."""
    profile, reader = shop.declaration.profiles["staff"], shop.declaration.reader(language=language)
    things = profile.modules["things"].model_copy(update={"readable": frozenset(COLUMNS.split())})
    profile = profile.model_copy(update={"modules": {**profile.modules, "things": things}})
    file = io.BytesIO()
    with reading(shop.engine) as connection:
        records = Records(connection, Policy(shop.tables, profile, reader), "things")
        exported_list(records, Query(sort=("number",)), COLUMNS.split(), reader).write_workbook(file, "Things: all?")
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
