"""The converter of examples/northwind, on a short script with every oddity of the published one."""

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "northwind"

SCRIPT = """
INSERT "Categories"("CategoryID","CategoryName","Description","Picture") VALUES(1,'Beverages','Teas, beers',0x151C2F)
GO
INSERT "Customers" VALUES('BLONP','Blondesddsl père et fils','Frédérique Citeaux','Marketing Manager',
  '24, place Kléber','Strasbourg',NULL,'67000','France','88.60.15.31',NULL)
INSERT "Employees"("EmployeeID","LastName","FirstName","Title","HomePhone","Notes")
VALUES(1,'Davolio','Nancy','Sales Representative','(206) 555-9857','She said: ''VALUES(1)'', twice')
INSERT "Shippers"("ShipperID","CompanyName","Phone") VALUES(3,'Federal Shipping','(503) 555-9931')
INSERT "Suppliers"("SupplierID","CompanyName","ContactName","ContactTitle","Address","City","Region","PostalCode",
  "Country","Phone","Fax","HomePage") VALUES(7,'Pavlova, Ltd.','Ian Devling','Marketing Manager','74 Rose St.',
  'Melbourne','Victoria','3058','Australia','(03) 444-2343','(03) 444-6588',NULL)
INSERT "Products"("ProductID","ProductName","SupplierID","CategoryID","QuantityPerUnit","UnitPrice","UnitsInStock",
  "UnitsOnOrder","ReorderLevel","Discontinued") VALUES(70,'Sir Rodney''s Ale',7,1,'24 - 355 ml bottles',15,15,10,30,1)
INSERT INTO "Orders"
("OrderID","CustomerID","EmployeeID","OrderDate","RequiredDate",
\t"ShippedDate","ShipVia","Freight","ShipName","ShipAddress",
\t"ShipCity","ShipRegion","ShipPostalCode","ShipCountry")
VALUES (10248,N'BLONP',1,'7/4/1996','8/1/1996',NULL,3,32.38,
\tN'Blondel',N'24, place Kléber',N'Strasbourg',NULL,N'67000',N'France')
INSERT "Order Details" VALUES(10248,70,14,12,0.15)
"""


@pytest.fixture(scope="module")
def convert() -> ModuleType:
    spec = importlib.util.spec_from_file_location("northwind_convert", EXAMPLE / "convert.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def written(convert: ModuleType, tmp_path: Path) -> dict[str, list[dict[str, str]]]:
    script, out = tmp_path / "script.sql", tmp_path / "out"
    script.write_text(SCRIPT, encoding="utf-8")
    assert convert.main([str(script), str(out)]) == 0
    return {
        path.stem: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) for path in out.glob("*.csv")
    }


def test_every_insert_becomes_one_row_of_its_file(written: dict[str, list[dict[str, str]]]) -> None:
    names = ["categories", "companies", "contacts", "employees", "order_lines", "orders", "products", "suppliers"]
    assert {name: len(rows) for name, rows in written.items()} == dict.fromkeys(names, 1)


def test_quotes_commas_and_accents_survive(written: dict[str, list[dict[str, str]]]) -> None:
    assert written["products"][0]["name"] == "Sir Rodney's Ale"
    assert written["products"][0]["supplier"] == "Pavlova, Ltd."
    assert written["companies"][0]["name"] == "Blondesddsl père et fils"
    assert written["orders"][0]["ship_address"] == '"24, place Kléber",67000,Strasbourg,,France'


def test_null_is_an_empty_text_and_dates_are_written_the_iso_way(written: dict[str, list[dict[str, str]]]) -> None:
    order = written["orders"][0]
    assert (order["ordered"], order["required_by"], order["shipped"]) == ("1996-07-04", "1996-08-01", "")
    assert written["companies"][0]["fax"] == ""


def test_a_contact_gets_an_address_to_sign_in_with(written: dict[str, list[dict[str, str]]]) -> None:
    assert written["contacts"][0]["email"] == "frederique.citeaux@blonp.example"
    assert written["orders"][0]["seller"] == written["employees"][0]["email"] == "nancy.davolio@northwind.example"


def test_a_discount_is_a_percentage(written: dict[str, list[dict[str, str]]]) -> None:
    first = {"line": "10248-70", "order": "10248", "product": "Sir Rodney's Ale"}
    assert written["order_lines"][0] == first | {"quantity": "12", "unit_price": "14", "discount": "15"}


def test_an_address_that_occurs_twice_is_one_person(convert: ModuleType) -> None:
    same = {"Customer Email": "asmith@example.com", "Customer Age": "40", "Customer Gender": "Other"}
    tickets = [{"Customer Name": name, **same} for name in ("Ann Smith", "Adam Smith")]
    assert [person["name"] for person in convert.ticket_people(tickets)] == ["Ann Smith"]
