"""`portal init` as a person calls it: its files pass the check, and the commands it prints load every row."""

import shlex
import sqlite3

import pytest
from click.testing import CliRunner

from portal.commands import main
from portal.declaration.load import load

CUSTOMERS = """\
CustomerID,Company Name,Contact Email,City
ALFKI,Alfreds Futterkiste,maria@alfreds.example,Berlin
ANATR,"Ana Trujillo, Emparedados",ana@trujillo.example,México
"""
ORDERS = """\
Order No;CustomerID;Ordered;Freight;Status;Note
1;ALFKI;25/03/2024;1.032,38;open;NULL
2;ANATR;05/04/2024;11,61;closed;"two
lines"
3;ALFKI;06/04/2024;7,00;open;NULL
4;ALFKI;06/04/2024;0,50;open;NULL
"""
DATABASE = """
CREATE TABLE Artist (ArtistId INTEGER PRIMARY KEY, Name TEXT);
CREATE TABLE Album (Code TEXT PRIMARY KEY, Title TEXT, ArtistId INTEGER REFERENCES Artist, Cover BLOB,
  Released DATETIME, UnitPrice NUMERIC(10,2));
CREATE TABLE Shelf (Code TEXT REFERENCES Album, ArtistId INTEGER REFERENCES Artist, PRIMARY KEY (Code, ArtistId));
CREATE TABLE Customer (Id INTEGER PRIMARY KEY, FirstName TEXT, LastName TEXT, Email TEXT);
CREATE TABLE Sale (Id INTEGER PRIMARY KEY, CustomerId INTEGER REFERENCES Customer, "order" TEXT, State TEXT);
CREATE TABLE SaleLine (SaleId INTEGER REFERENCES Sale, Line INTEGER, Amount NUMERIC, PRIMARY KEY (SaleId, Line));
INSERT INTO Artist VALUES (1, 'Motörhead');
INSERT INTO Album VALUES ('A1', 'Bomber', 1, x'00', '1979-10-27 00:00:00', 9.99);
INSERT INTO Customer VALUES (1, 'Anna', 'Rossi', 'anna@acme.example');
INSERT INTO Sale VALUES (1, 1, 'x', 'open'), (2, 1, 'y', 'open'), (3, NULL, 'z', 'sent'), (4, 1, 'z', 'sent');
"""


def portal(*arguments):
    result = CliRunner().invoke(main, [str(each) for each in arguments], prog_name="portal")
    return result.exit_code, result.output


@pytest.fixture
def files(tmp_path):
    (tmp_path / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    return tmp_path / "orders.csv", tmp_path / "customers.csv"


def test_files_become_modules_and_what_is_said_loads_every_row(files, tmp_path):
    folder = tmp_path / "new" / "care"
    code, output = portal("init", "--from-csv", *files, "--folder", folder)
    assert code == 0
    assert "2 modules, 10 fields, 1 link written to" in output
    declaration = load(folder).declaration
    orders = declaration.modules["orders"]
    assert {name: field.type for name, field in orders.fields.items()} == {
        "order_no": "integer", "customer": "link", "ordered": "date", "freight": "money", "status": "choice",
        "note": "longtext",
    }  # fmt: skip
    assert declaration.people == "customers"
    assert (orders.owner, orders.see, [*orders.list.tabs]) == ("customer", "own", ["all", "open", "closed"])
    commands = [shlex.split(line)[1:] for line in output.splitlines() if line.startswith("  portal ")]
    for command in commands[:3]:
        assert portal(*command)[0] == 0
    with sqlite3.connect(folder / "var/portal.sqlite") as connection:
        rows = connection.execute("SELECT order_no, customer, ordered, status, note FROM orders ORDER BY 1").fetchall()
    assert rows[1] == (2, 2, "2024-04-05", "closed", "two\nlines")
    assert len(rows) == 4


def test_a_column_that_is_called_like_a_file_links_to_what_is_named_there(tmp_path):
    (tmp_path / "buildings.csv").write_text("name,city\nLindenhof,Berlin\nAm Park,Berlin\n", encoding="utf-8")
    (tmp_path / "flats.csv").write_text("number,building\nLH-01,Lindenhof\nLH-02,Lindenhof\n", encoding="utf-8")
    (tmp_path / "tenants.csv").write_text("name,flat,city\nIda,LH-01,Berlin\n", encoding="utf-8")
    names = [tmp_path / f"{name}.csv" for name in ("buildings", "flats", "tenants")]
    assert portal("init", "--from-csv", *names, "--folder", tmp_path / "new")[0] == 0
    modules = load(tmp_path / "new").declaration.modules
    assert modules["flats"].fields["building"].targets == ("buildings",)
    assert modules["tenants"].fields["flat"].targets == ("flats",)
    assert modules["tenants"].fields["city"].type == "text"


def test_the_parts_of_an_address_are_one_field(tmp_path):
    content = (
        "name,address.street,address.city,Home.City,Home.Country,shop.city\nAda,Via Po 1,Torino,Roma,Italia,Milano\n"
    )
    (tmp_path / "friends.csv").write_text(content, encoding="utf-8")
    code, output = portal("init", "--from-csv", tmp_path / "friends.csv", "--folder", tmp_path / "care")
    assert code == 0
    fields = load(tmp_path / "care").declaration.modules["friends"].fields
    assert {name: field.type for name, field in fields.items()} == {
        "name": "text", "address": "address", "home": "address", "shop_city": "text",
    }  # fmt: skip
    for command in [shlex.split(line)[1:] for line in output.splitlines() if line.startswith("  portal ")][:2]:
        assert portal(*command)[0] == 0
    with sqlite3.connect(tmp_path / "care/var/portal.sqlite") as connection:
        row = connection.execute("SELECT _address_city, _home_city, _home_country, shop_city FROM friends").fetchone()
    assert row == ("Torino", "Roma", "Italia", "Milano")


def test_what_a_name_cannot_be_called_is_its_label(tmp_path):
    (tmp_path / "sizes.csv").write_text("Größe,日本,q\n1,a,b\n", encoding="utf-8")
    output = portal("init", "--from-csv", tmp_path / "sizes.csv", "--folder", tmp_path / "care")[1]
    fields = load(tmp_path / "care").declaration.modules["sizes"].fields
    assert {name: str(field.title) for name, field in fields.items()} == {
        "grosse": "Größe", "column": "日本", "size_q": "Size q",
    }  # fmt: skip
    assert f"portal import sizes {tmp_path}/sizes.csv --map q=size_q --folder" in output


def test_a_database_is_read_where_it_is(tmp_path):
    path, folder = tmp_path / "music.sqlite", tmp_path / "music"
    with sqlite3.connect(path) as connection:
        connection.executescript(DATABASE)
    before = path.read_bytes()
    code, output = portal("init", "--from-database", f"sqlite:///{path}", "--folder", folder)
    assert (code, path.read_bytes()) == (0, before)
    declaration = load(folder).declaration
    albums, sales = declaration.modules["albums"], declaration.modules["sales"]
    assert {name: field.type for name, field in albums.fields.items()} == {
        "code": "text", "title": "text", "artist": "link", "released": "date", "unit_price": "money",
    }  # fmt: skip
    assert albums.fields["artist"].column == "ArtistId"
    assert (sales.owner, sales.title, [*sales.fields["state"].offered]) == ("customer", "reference", ["open", "sent"])
    customer = declaration.profiles["customer"]
    assert {name: access.see for name, access in customer.modules.items() if isinstance(access.see, str)} == {
        "sales": "own", "customers": "own",
    }  # fmt: skip
    assert customer.modules["sale_lines"].see.through == "sale"
    database = ("--folder", folder, "--database", f"sqlite:///{path}")
    assert portal("apply", *database)[0] == 0
    assert portal("plan", *database) == (0, "nothing to do: the database matches the declarations\n")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "say what to make the declarations from"),
        (("--from-database", "sqlite:///{here}/none.sqlite"), 2, "unable to open database file"),
        (("--from-database", "mysql://a/b"), 2, "is not the address of a database"),
        (("--from-csv", "{here}/empty.csv"), 1, "empty.csv: The file is empty"),
        (("--from-csv", "{here}/none.csv"), 2, "does not exist"),
        (("--from-csv", "{here}/twice.csv"), 1, 'two columns are called "Name"'),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, arguments, code, says):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "twice.csv").write_text("Name,Name\na,b\n")
    told = portal("init", *[each.format(here=tmp_path) for each in arguments], "--folder", tmp_path / "care")
    assert told[0] == code
    assert says in " ".join(told[1].split())
    assert not (tmp_path / "care").exists()


def test_nothing_is_written_over(files, tmp_path):
    (tmp_path / "buttons.yaml").write_text("buttons: {}\n")
    code, output = portal("init", "--from-csv", files[0], "--folder", tmp_path)
    assert (code, (tmp_path / "buttons.yaml").read_text()) == (2, "buttons: {}\n")
    assert "has buttons.yaml already: nothing was written" in output
    assert not (tmp_path / "modules.yaml").exists()
