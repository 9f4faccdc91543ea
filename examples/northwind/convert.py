"""Turns the published Northwind script (T-SQL inserts), and the published ticket table, into files for `portal import`.

    python convert.py instnwnd.sql out [customer_support_tickets.csv]

Run by hand; it reads the two files and writes CSV files into the folder, and knows nothing of a portal's database.
"""

import csv
import io
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

Row = dict[str, str]

# Tables whose inserts name no columns, in the order of their CREATE TABLE.
COLUMNS = {
    "Customers": [
        *("CustomerID", "CompanyName", "ContactName", "ContactTitle"),
        *("Address", "City", "Region", "PostalCode", "Country", "Phone", "Fax"),
    ],
    "Order Details": ["OrderID", "ProductID", "UnitPrice", "Quantity", "Discount"],
}
INSERT = re.compile(r'^INSERT\s+(?:INTO\s+)?"([^"]+)"\s*(?:\(([^)]*)\))?\s*VALUES\s*\(', re.IGNORECASE | re.MULTILINE)
VALUE = re.compile(r"\s*(?:N?'((?:[^']|'')*)'|([^\s,')]+))\s*([,)])", re.IGNORECASE)


def main(arguments: list[str]) -> int:
    """Writes every file and says how many rows each one has."""
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)  # noqa: T201 - a script speaks on the terminal
        return 2
    tables = read_tables(Path(arguments[0]).read_text(encoding="utf-8-sig"))
    folder = Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    files = {**firm(tables), **trade(tables)}
    if len(arguments) == 3:
        with Path(arguments[2]).open(encoding="utf-8-sig", newline="") as tickets:
            files["ticket_people"] = list(ticket_people(csv.DictReader(tickets)))
    for name, rows in files.items():
        write(folder / f"{name}.csv", rows)
        print(f"{name}.csv: {len(rows)} rows")  # noqa: T201 - a script speaks on the terminal
    return 0


def read_tables(script: str) -> dict[str, list[Row]]:
    """The inserted rows of every table; NULL is an empty text, pictures are left out."""
    tables: dict[str, list[Row]] = {}
    for insert in INSERT.finditer(script):
        table, names = insert[1], insert[2]
        columns = re.findall(r'"([^"]+)"', names) if names else COLUMNS.get(table, [])
        row = dict(zip(columns, read_values(script, insert.end()), strict=True))
        tables.setdefault(table, []).append(row)
    return tables


def read_values(script: str, place: int) -> Iterator[str]:
    """The values from after the opening bracket to the closing one; a doubled quote inside a text is one quote."""
    while True:
        value = VALUE.match(script, place)
        if value is None:
            raise ValueError(f"cannot read a value at character {place}: {script[place : place + 40]!r}")
        if value[1] is not None:
            yield value[1].replace("''", "'").strip()
        else:
            yield "" if value[2].upper() == "NULL" or value[2].startswith("0x") else value[2]
        if value[3] == ")":
            return
        place = value.end()


def firm(tables: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Companies, their contact persons, and Northwind's own people."""
    customers, employees = tables["Customers"], tables["Employees"]
    return {
        "companies": [
            {"code": row["CustomerID"], "name": row["CompanyName"], "address": address(row), **telephones(row)}
            for row in customers
        ],
        "contacts": [
            {
                "name": row["ContactName"],
                "email": mailbox(row["ContactName"], row["CustomerID"]),
                "job": row["ContactTitle"],
                "company": row["CustomerID"],
                "phone": row["Phone"],
            }
            for row in customers
        ],
        "employees": [
            {
                "name": employee(row),
                "email": mailbox(employee(row), "northwind"),
                "job": row["Title"],
                "phone": row["HomePhone"],
            }
            for row in employees
        ],
    }


def trade(tables: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """What is sold, by whom it is supplied, and the orders with their lines."""
    categories = {row["CategoryID"]: row["CategoryName"] for row in tables["Categories"]}
    suppliers = {row["SupplierID"]: row["CompanyName"] for row in tables["Suppliers"]}
    products = {row["ProductID"]: row["ProductName"] for row in tables["Products"]}
    shippers = {row["ShipperID"]: row["CompanyName"] for row in tables["Shippers"]}
    sellers = {row["EmployeeID"]: mailbox(employee(row), "northwind") for row in tables["Employees"]}
    return {
        "categories": [
            {"name": row["CategoryName"], "description": row["Description"]} for row in tables["Categories"]
        ],
        "suppliers": [supplier(row) for row in tables["Suppliers"]],
        "products": [product(row, categories, suppliers) for row in tables["Products"]],
        "orders": [order(row, sellers, shippers) for row in tables["Orders"]],
        "order_lines": [line(row, products) for row in tables["Order Details"]],
    }


def supplier(row: Row) -> Row:
    return {
        "name": row["CompanyName"],
        "contact_name": row["ContactName"],
        "contact_job": row["ContactTitle"],
        "address": address(row),
        **telephones(row),
        "website": row["HomePage"],
    }


def product(row: Row, categories: dict[str, str], suppliers: dict[str, str]) -> Row:
    return {
        "name": row["ProductName"],
        "category": categories[row["CategoryID"]],
        "supplier": suppliers[row["SupplierID"]],
        "sold_as": row["QuantityPerUnit"],
        "unit_price": row["UnitPrice"],
        "in_stock": row["UnitsInStock"],
        "on_order": row["UnitsOnOrder"],
        "reorder_level": row["ReorderLevel"],
        "discontinued": "true" if row["Discontinued"] == "1" else "false",
    }


def order(row: Row, sellers: dict[str, str], shippers: dict[str, str]) -> Row:
    return {
        "order_number": row["OrderID"],
        "company": row["CustomerID"],
        "seller": sellers[row["EmployeeID"]],
        "ordered": date(row["OrderDate"]),
        "required_by": date(row["RequiredDate"]),
        "shipped": date(row["ShippedDate"]),
        "carrier": shippers[row["ShipVia"]],
        "freight": row["Freight"],
        "ship_to": row["ShipName"],
        "ship_address": address(row, "Ship"),
    }


def line(row: Row, products: dict[str, str]) -> Row:
    return {
        "line": f"{row['OrderID']}-{row['ProductID']}",
        "order": row["OrderID"],
        "product": products[row["ProductID"]],
        "quantity": row["Quantity"],
        "unit_price": row["UnitPrice"],
        # A part of one in the script, written with the noise of a binary number; a percentage for us.
        "discount": f"{(Decimal(row['Discount']) * 100).quantize(Decimal('0.01')).normalize():f}",
    }


def ticket_people(tickets: Iterable[Row]) -> Iterator[Row]:
    """One person per e-mail address, with the name of the first ticket: some addresses come with several names."""
    seen: set[str] = set()
    for ticket in tickets:
        email = ticket["Customer Email"].strip().lower()
        if email in seen:
            continue
        seen.add(email)
        yield {
            "name": ticket["Customer Name"],
            "email": email,
            "age": ticket["Customer Age"],
            "gender": ticket["Customer Gender"],
        }


def address(row: Row, prefix: str = "") -> str:
    """Street, postal code, city, region, country with commas between them, in quotes where a part holds one."""
    line = io.StringIO()
    parts = [row[prefix + part] for part in ("Address", "PostalCode", "City", "Region", "Country")]
    csv.writer(line, lineterminator="").writerow(parts)
    return line.getvalue()


def telephones(row: Row) -> Row:
    return {"phone": row["Phone"], "fax": row["Fax"]}


def employee(row: Row) -> str:
    return f"{row['FirstName']} {row['LastName']}"


def mailbox(name: str, company: str) -> str:
    """An invented address, as the script has none: José Pedro Freyre of GODOS is jose.pedro.freyre@godos.example."""
    plain = unicodedata.normalize("NFKD", name.replace("ø", "o").replace("ß", "ss")).encode("ascii", "ignore").decode()
    return f"{'.'.join(re.findall(r'[a-z]+', plain.lower()))}@{company.lower()}.example"


def date(text: str) -> str:
    """7/16/1996 → 1996-07-16."""
    return datetime.strptime(text, "%m/%d/%Y").date().isoformat() if text else ""


def write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
