"""Rows that belong to a record in exported and imported files: next to those of the records, or in their columns."""

import pytest
from click.testing import CliRunner

from portal.commands import main
from tests.functional.conftest import fill_in, form_of
from tests.functional.lines_portal import add_order, anna, nancy, opened, portal_folder, shop
from tests.functional.world import titles
from tests.portal_files import change
from tests.workbooks import cells_of

__all__ = ["anna", "nancy", "opened", "portal_folder", "shop"]  # fixtures


@pytest.fixture
def cli(shop):
    """A function that runs `portal ARGUMENTS` on this portal."""

    def run(*arguments):
        database = shop.portal.engine.url.render_as_string(hide_password=False)
        options = ["--folder", shop.app.registry.live.folder, "--database", database]
        return CliRunner().invoke(main, [str(argument) for argument in (*arguments, *options)])

    return run


def test_what_an_export_writes_an_import_takes_back(anna, cli, tmp_path):
    """Orders and their lines, each in a file; bad lines are reported with their place, and nothing is half done."""
    add_order(anna, [{"quantity": "2", "price": "10", "remark": "a; b"}, {"quantity": "3"}])
    orders, lines = tmp_path / "orders.csv", tmp_path / "orders_lines.csv"
    assert cli("export", "orders", orders).exit_code == 0
    header, *written = lines.read_text().splitlines()
    assert header.startswith("_record,group,product,quantity,price,price.currency,wanted,gift,remark,margin,batch")
    assert [line.split(",")[:5] for line in written] == [["1", "", "", "2", "10"], ["1", "", "", "3", ""]]
    again = cli("import", "orders", orders, "--key", "reference")
    assert "orders.lines: 2 lines of 1 record, 0 changed" in again.output
    orders.write_text("reference,title\n7,New\n")
    lines.write_text("_record,quantity,batch\n7,4,B1\n7,none,\n8,1,\n")
    bad = cli("import", "orders", orders)
    assert bad.exit_code == 1
    assert f"{lines}:3: quantity: “none” is not a number." in bad.output
    assert f"{lines}:4: _record: No record in orders is named “8”." in bad.output
    assert "orders: nothing imported, because of its lines" in bad.output
    assert anna.get("/orders/?q=New").html.find(class_="cover") is None
    orders.write_text("reference,title,customer\n7,New,\n8,Other,Nobody\n")
    both = cli("import", "orders", orders)
    told = [line for line in both.output.splitlines() if line.startswith(str(tmp_path))]
    assert told == [
        f"{orders}:3: customer: No record in people is named “Nobody”.",
        f"{lines}:3: quantity: “none” is not a number.",
    ]
    assert "orders.lines: nothing imported, 1 bad row" in both.output
    orders.write_text("reference,title\n7,New\n")
    lines.write_text("_record,quantity,batch\n7,4,B1\n7,5,\n")
    dry = cli("import", "orders", orders, "--dry-run")
    assert "orders.lines: 2 lines of 1 record, 1 changed (dry run: nothing was written)" in dry.output
    assert cli("import", "orders", orders).exit_code == 0
    assert cli("export", "orders", orders).exit_code == 0
    assert [line.split(",")[3] for line in lines.read_text().splitlines()[1:]] == ["2", "3", "4", "5"]


@pytest.mark.sqlite_suffices
def test_the_lines_of_an_export_stand_in_columns_and_come_back_byte_for_byte(anna, cli, tmp_path):
    add_order(anna, [{"quantity": "2", "price": "10", "remark": "a; b"}, {"quantity": "3"}], title="Two")
    add_order(anna, [], title="None")
    orders = tmp_path / "orders.csv"

    def export():
        written = cli("export", "orders", orders, "--lines", "columns")
        assert written.exit_code == 0, written.output
        return orders.read_text().splitlines()

    header, two, none = export()
    assert header.endswith("lines.1.remark,lines.1.margin,lines.1.batch")
    assert list(tmp_path.glob("*_lines.csv")) == []
    again = cli("import", "orders", orders, "--key", "reference")
    assert "orders.lines: 2 lines of 1 record, 0 changed" in again.output
    orders.write_text("\n".join([header, none.replace("2,2,", "9,9,", 1), two.replace("1,1,", "8,8,", 1)]))
    assert cli("import", "orders", orders).exit_code == 0
    _header, *copied = export()
    assert [line.split(",", 2)[2] for line in copied] == [line.split(",", 2)[2] for line in (two, none, none, two)]
    orders.write_text("reference,lines.0.quantity,lines.1.quantity\n1,,4\n8,none,\n2,,\n")
    bad = cli("import", "orders", orders, "--key", "reference")
    assert f"{orders}:3: quantity: “none” is not a number." in bad.output
    assert "orders: nothing imported, because of its lines" in bad.output
    orders.write_text("reference,number,lines.0.quantity\n1,,none\n2,x,none\n")
    both = cli("import", "orders", orders, "--key", "reference")
    assert f"{orders}:3: number: “x” is not a number." in both.output
    assert f"{orders}:2: quantity: “none” is not a number." in both.output
    assert f"{orders}:3: quantity: “none” is not a number." in both.output
    orders.write_text("reference,lines.0.quantity,lines.1.quantity\n1,,4\n8,none,\n2,,\n")
    rest = cli("import", "orders", orders, "--key", "reference", "--skip-bad")
    assert "orders.lines: 1 line of 1 record, 1 changed, 1 bad row" in rest.output
    (tmp_path / "orders_lines.csv").write_text("_record,quantity\n1,2\n")
    twice = cli("import", "orders", orders, "--key", "reference")
    assert "are both in columns of" in twice.output


@pytest.mark.sqlite_suffices
def test_the_export_of_a_list_also_offers_the_lines(anna, nancy, cli, tmp_path):
    add_order(anna, [{"quantity": "2", "price": "10", "remark": "=a"}, {"quantity": "3"}], title="Two")
    add_order(anna, [{"quantity": "7"}], title="Other")
    assert not anna.get("/orders/").html.select("[data-export]")
    anna.get("/orders/export.csv?_lines=lines", status=404)
    offered = nancy.get("/orders/?title=two").html.select("[data-export]")
    titles = [f"{of} · {kind}" for of in ("Orders", "Lines") for kind in ("Excel workbook", "CSV file")]
    assert [link.text.strip() for link in offered] == titles
    sheet = cells_of(nancy.get(offered[2]["href"]).body)
    assert [row[:6] for row in sheet] == [
        ("Order", "Group", "Product", "Quantity", "Price", "Price (currency)"),
        ("1", None, None, 2, 10, "EUR"),
        ("1", None, None, 3, None, None),
    ]
    answer = nancy.get(offered[3]["href"])
    assert answer.headers["Content-Disposition"].endswith('_lines.csv"')
    header, *lines = answer.text.removeprefix("\ufeff").splitlines()
    assert header.startswith("Order,Group,Product,Quantity,Price,Price (currency)")
    assert [line.split(",")[:5] for line in lines] == [["1", "", "", "2", "10"], ["1", "", "", "3", ""]]
    for name in ("title", "nothing"):
        nancy.get(f"/orders/export.csv?_lines={name}", status=404)
    (tmp_path / "orders.csv").write_text("reference\n1\n")
    (tmp_path / "orders_lines.csv").write_bytes(answer.body)
    again = cli("import", "orders", tmp_path / "orders.csv", "--key", "reference")
    assert "orders.lines: 2 lines of 1 record, 0 changed" in again.output


@pytest.mark.sqlite_suffices
def test_the_export_of_lines_has_no_internal_column_for_customers(anna, portal_folder):
    change(
        portal_folder, "see: own, can: [create, edit],", "see: own, can: [export, create],", "profiles/customer.yaml"
    )
    add_order(anna, [{"quantity": "2", "remark": "a"}])
    header, line = anna.get("/orders/export.csv?_lines=lines").text.splitlines()
    assert "Margin" not in header
    assert "Secret" not in header
    assert line.startswith("1,,,2,")


def test_rows_link_to_several_records(anna, nancy, tmp_path, cli):
    for name, secret in (("Ordinary", False), ("Żelazna", False), ("Hidden", True)):
        fill_in(nancy, "/taxes/create", {"name": name, "secret": secret})
    token = form_of(nancy.get("/bills/create"), "/bills/create")["_csrf"].value
    rows = [("rows.0.what", "A"), *(("rows.0.taxes", number) for number in "123")]
    rows += [("rows.1.what", "B"), ("rows.1.taxes", "2")]
    nancy.post("/bills/create", [("_csrf", token), ("title", "First"), *rows], status=303)

    def shown(browser):
        body = browser.get("/bills/1/").html.find(class_="line-table").tbody
        return [sorted(link.get_text() for link in row.find_all("a")) for row in body.find_all("tr")]

    assert shown(nancy) == [["Hidden", "Ordinary", "Żelazna"], ["Żelazna"]]
    assert shown(anna) == [["Ordinary", "Żelazna"], ["Żelazna"]]
    found = {"rows=hidden": 0, "q=hidden": 0, "rows=zelazna": 1, "q=zelazna": 1}
    assert {asked: len(titles(anna.get(f"/bills/?{asked}"))) for asked in found} == found
    form = form_of(anna.get("/bills/1/edit"), "/bills/1/edit")
    kept = [(name, text) for name, text in form.submit_fields() if (name, text) != ("rows.0.taxes", "1")]
    anna.post("/bills/1/edit", kept, status=303)
    assert shown(nancy)[0] == ["Hidden", "Żelazna"]

    for lines in ("files", "columns"):
        written = tmp_path / lines / "bills.csv"
        written.parent.mkdir()
        assert cli("export", "bills", written, "--lines", lines).exit_code == 0
        again = cli("import", "bills", written, "--key", "reference")
        assert "bills.rows: 2 lines of 1 record, 0 changed" in again.output, again.output
    nancy.post("/taxes/2/delete", {"_csrf": token}, status=303)
    assert shown(nancy) == [["Hidden"], []]
    nancy.post("/bills/1/delete", {"_csrf": token}, status=303)
    nancy.post("/taxes/3/delete", {"_csrf": token}, status=303)
