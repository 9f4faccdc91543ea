"""Modules over tables that others made: read where they are, whatever their keys are, and never altered."""

import contextlib

import pytest
import sqlalchemy as sa

from portal.accounts.register import AccessRequest
from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan import plan
from portal.database.schema.inspection import inspect_existing
from portal.database.schema.tables import build
from portal.declaration.load import load
from tests.functional.world import PORTALS, World

ANNA, CARLA, NANCY = "anna@acme.example", "carla@globex.example", "nancy@supplier.example"
PEOPLE = (AccessRequest(ANNA, "customer"), AccessRequest(CARLA, "customer"), AccessRequest(NANCY, "staff"))
FIRST, SECOND, THIRD = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
OTHERS = f"""
CREATE TABLE "Client" ("Code" VARCHAR(8) PRIMARY KEY, "CompanyName" VARCHAR(80), "City" VARCHAR(80));
INSERT INTO "Client" VALUES ('ACM/E', 'Acme', 'Łódź'), ('GLOBX', 'Globex', 'Roma'), ('SUPP', 'Supplier', NULL);
CREATE TABLE person (id UUID PRIMARY KEY, name TEXT, email TEXT, client_code VARCHAR(8));
INSERT INTO person VALUES ('{FIRST}', 'Anna', '{ANNA}', 'ACM/E'), ('{SECOND}', 'Carla', '{CARLA}', 'GLOBX'),
  ('{THIRD}', 'Nancy', '{NANCY}', 'SUPP');
CREATE TABLE "Orders" ("OrderID" INTEGER PRIMARY KEY, "Customer" VARCHAR(8), subject TEXT, total NUMERIC(10,2),
  placed_at TIMESTAMP, due DATE, paid BOOLEAN, state VARCHAR(1), contact_id UUID, secret TEXT);
INSERT INTO "Orders" VALUES
  (10, 'ACM/E', 'Größe chairs', 120.50, '2026-03-01 09:30:00', '2026-03-20', true, 'O', '{FIRST}', 'hush'),
  (11, 'ACM/E', 'desks', 80, '2026-03-02 23:45:00', NULL, false, 'C', '{FIRST}', NULL),
  (12, 'GLOBX', 'lamps', -9.99, NULL, '2026-01-05', NULL, 'O', '{SECOND}', NULL),
  (0, 'GLOBX', 'has no address', 1, NULL, NULL, NULL, 'O', NULL, NULL);
CREATE TABLE order_item (order_id INTEGER, line INTEGER, product TEXT, quantity INTEGER,
  PRIMARY KEY (order_id, line));
INSERT INTO order_item VALUES (10, 1, 'chair', 4), (10, 2, 'cushion', 4), (12, 1, 'lamp', 2);
"""


def execute(engine, script):
    with writing(engine) as connection:
        for statement in script.split(";\n"):
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request, tmp_path_factory):
    with contextlib.ExitStack() as opened:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('existing') / 'others.sqlite'}"
        else:
            url = opened.enter_context(request.getfixturevalue("postgresql").empty_database())
        engine = make_engine(url)
        execute(engine, OTHERS)
        engine.dispose()
        world = World.of("existing", url, PEOPLE)
        yield world
        world.portal.engine.dispose()


@pytest.mark.parametrize(
    ("person", "address", "titles"),
    [
        (ANNA, "/orders/?sort=subject", ["desks", "Größe chairs"]),
        (CARLA, "/orders/", ["lamps"]),
        (NANCY, "/orders/?sort=-total", ["Größe chairs", "desks", "lamps"]),
        (NANCY, "/orders/?sort=client&tab=open", ["Größe chairs", "lamps"]),
        (NANCY, "/orders/?sort=-due", ["Größe chairs", "lamps", "desks"]),
        (NANCY, "/orders/?total.max=80&sort=total", ["lamps", "desks"]),
        (NANCY, "/orders/?placed=2026-03-02", ["desks"]),
        (NANCY, "/orders/?due.max=2026-02-01", ["lamps"]),
        (NANCY, "/orders/?paid=true", ["Größe chairs"]),
        (NANCY, "/orders/?client=glob", ["lamps"]),
        (NANCY, "/orders/?subject=grosse", ["Größe chairs"]),
        (NANCY, "/orders/?reference=SO00011", ["desks"]),
        (NANCY, "/orders/?q=grosse", ["Größe chairs"]),
        (NANCY, "/orders/?q=acm+de", ["desks"]),
        (NANCY, "/orders/?q=closed", ["desks"]),
        (NANCY, "/orders/?q=e&tab=open", []),
        (NANCY, "/orders/?q=hush", ["Größe chairs"]),  # staff read what is internal
        (ANNA, "/orders/?q=hush", []),
        (ANNA, "/orders/?q=lamps", []),
        (ANNA, "/order_items/?sort=product", ["chair", "cushion"]),
        (CARLA, "/order_items/", ["lamp"]),
        (NANCY, "/clients/?q=lodz", ["Acme"]),
        (ANNA, "/clients/", ["Acme"]),
        (ANNA, "/persons/", ["Anna"]),
    ],
)
def test_a_list_shows_what_the_reader_may_see(world, person, address, titles):
    assert world[person].titles(address) == titles


@pytest.mark.parametrize(
    ("person", "address", "status", "shown"),
    [
        (ANNA, "/orders/10/", 200, ["SO00010", "€120.50", "Mar 1, 2026, 9:30", "Mar 20, 2026", "Yes", "Open", "Acme"]),
        (NANCY, "/orders/12/", 200, ["-€9.99", "Globex", "Carla", "lamp"]),
        (ANNA, "/orders/12/", 404, []),
        (CARLA, "/orders/10/", 404, []),
        (NANCY, "/orders/0/", 404, []),
    ],
)
def test_a_record_shows_the_values_of_its_row(world, person, address, status, shown):
    page = world[person].see(address)
    assert page.status_int == status
    assert [text for text in shown if text not in page.text] == []


def test_a_record_is_reached_by_a_key_of_any_type(world):
    staff = world[NANCY]
    for module, title in (("clients", "Acme"), ("persons", "Anna"), ("order_items", "cushion")):
        row = staff.get(f"/{module}/?q={title}")
        assert title in row.click(href=rf"/{module}/\d+/", index=0).text
    order = staff.get("/orders/10/")
    assert "ACM/E" in order.click("Acme", index=0).text  # by the link


def test_what_others_write_is_there_at_once(world):
    engine = world.portal.engine
    execute(engine, """INSERT INTO "Orders" ("OrderID", "Customer", subject) VALUES (20, 'ACM/E', 'sofas')""")
    assert world[ANNA].titles("/orders/?q=sofas") == ["sofas"]
    execute(engine, """UPDATE "Orders" SET "Customer" = 'GLOBX', subject = 'couches' WHERE "OrderID" = 20""")
    assert world[ANNA].titles("/orders/?q=sofas") == world[ANNA].titles("/orders/?q=couches") == []
    assert world[ANNA].see("/orders/20/").status_int == 404
    assert world[CARLA].titles("/orders/?q=couches") == ["couches"]
    execute(engine, """DELETE FROM "Orders" WHERE "OrderID" = 20""")
    assert world[NANCY].see("/orders/20/").status_int == 404


def test_nothing_writes_to_it(world):
    staff, others = world[NANCY], ("Client", "person", "Orders", "order_item")

    def contents():
        with reading(world.portal.engine) as connection:
            inspector = sa.inspect(connection)
            rows = [connection.exec_driver_sql(f'SELECT * FROM "{name}"').all() for name in others]
            return [[str(column) for column in inspector.get_columns(name)] for name in others], rows

    before = contents()
    for address in ("create", "10/edit", "10/delete", "10/comments", "10/files", "10/watchers", "10/move/close"):
        assert staff.see(f"/orders/{address}").status_int == 404
        assert staff.send(f"/orders/{address}", {"subject": "changed"}).status_int == 404
    assert contents() == before


def test_records_of_the_portal_link_to_it(world):
    staff = world[NANCY]
    client = staff.get("/clients/find?q=acme", status="*")
    page = staff.send("/notes/create", {"title": "call back", "order": "10"})
    assert page.status_int == 303
    assert client.status_int == 404  # no field named
    assert "call back" in world[ANNA].get("/orders/10/").text
    assert world[CARLA].titles("/notes/") == []
    assert world[ANNA].send("/notes/create", {"title": "not mine", "order": "12"}).status_int == 422


def test_export_has_its_rows(world):
    lines = world[ANNA].get("/orders/export.csv?sort=reference").text.splitlines()
    assert lines[1:] == ["SO00010,Größe chairs,Acme,120.5,EUR,2026-03-01 09:30,2026-03-20,Yes,Open",
                         "SO00011,desks,Acme,80,EUR,2026-03-02 23:45,,No,Closed"]  # fmt: skip


def test_plan_says_what_does_not_fit(world, tmp_path):
    text = (PORTALS / "existing" / "modules.yaml").read_text(encoding="utf-8")
    for wrong in (
        ("column: CompanyName", "column: CompanyNam"),
        ("due: date", "due: boolean"),
        ("table: person", "table: persn"),
    ):
        text = text.replace(*wrong)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "modules.yaml").write_text(text, encoding="utf-8")
    for profile in (PORTALS / "existing" / "profiles").iterdir():
        (tmp_path / "profiles" / profile.name).write_text(profile.read_text(encoding="utf-8"), encoding="utf-8")
    engine, declaration = world.portal.engine, load(tmp_path).declaration
    steps = str(plan(engine, build(declaration, inspect_existing(engine, declaration)))).splitlines()
    assert [step for step in steps if step.startswith("!")] == [
        '! clients.name stays empty: table "Client" has no column "CompanyNam" (did you mean "CompanyName"?);'
        " correct column:",
        '! module persons: the database has no table "persn"; correct table:, or create it',
        '! orders.due stays empty: column "due" of "Orders" holds values of type date, and the field is boolean',
    ]
    assert str(plan(engine, world.portal.tables)) == "nothing to do: the database fits the declarations"
