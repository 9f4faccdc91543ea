"""`portal demo` and `portal index`: the shipped portal with its demo."""

import contextlib
import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from webob.multidict import MultiDict

from portal.accounts.accounts import find_account, password_of
from portal.accounts.identity import identify
from portal.accounts.passwords import Passwords
from portal.accounts.saved_views import SavedViews
from portal.database.engine import reading, writing
from portal.records.reading.list_request import read_list_request
from portal.records.reading.records import Query, Records
from tests.functional.shop import Shop, open_shop, table
from tests.portal_files import change, copied
from tests.real_parts import empty_database

pytestmark = pytest.mark.sqlite_suffices

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def shipped_shop(folder: Path, url: str) -> Iterator[Shop]:
    """The shipped declarations and their demo, on an empty database."""
    opened = open_shop(copied(ROOT, folder), url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def shipped(tmp_path, database_url) -> Iterator[Shop]:
    with shipped_shop(tmp_path / "shipped", database_url) as shop:
        yield shop


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def loaded(request, tmp_path_factory) -> Iterator[Shop]:
    """The demo, loaded once; its tests leave it as it is."""
    folder = tmp_path_factory.mktemp("demo")
    with empty_database(request) as url, shipped_shop(folder / "shipped", url) as shop:
        modules = shop.folder / "modules.yaml"
        waited = "      waited: {type: elapsed, in: [new, assigned]}\n"
        text = modules.read_text(encoding="utf-8").replace("      time_to_resolve:", f"{waited}      time_to_resolve:")
        modules.write_text(text, encoding="utf-8")
        assert shop.run("apply").exit_code == 0
        result = shop.run("demo")
        assert result.exit_code == 0, result.output
        yield shop


def test_the_demo_is_loaded_whole_and_only_once(loaded):
    files = {path.stem: path for path in (loaded.folder / "demo").glob("*.csv")}
    beside = {f"{module}_lines": module for module in ("orders", "quotes", "invoices")}
    for module in files.keys() - {"comments", "accounts", "views", *beside}:
        assert len(loaded.records(module)) == len(table(files[module].read_bytes())) - 1, module
    for name, module in beside.items():
        rows = [row for record in loaded.records(module) for row in record.values["lines"]]
        assert len(rows) == len(table(files[name].read_bytes())) - 1
    again = loaded.run("demo")
    assert "there already" in again.output
    accounts = table(files["accounts"].read_bytes())[1:]
    assert all(email in again.output and password in again.output for email, _name, _profile, password in accounts)
    assert len(loaded.records("tickets")) == len(table(files["tickets"].read_bytes())) - 1


def test_its_accounts_may_sign_in_at_once(loaded):
    with reading(loaded.engine) as connection:
        account = find_account(connection, loaded.tables, "anna.moretti@moretti.example")
        hashed = password_of(connection, loaded.tables, account.id)
    assert (account.profile, account.must_change) == ("customer", False)
    assert Passwords().match(hashed, "demo-customer")


@pytest.mark.parametrize("name", ["anna.moretti@moretti", "giulia.ferrante@moretti", "sara.conti@lumen"])
def test_each_profile_has_a_saved_view_that_finds_some_records(loaded, name):
    with reading(loaded.engine) as connection:
        account = find_account(connection, loaded.tables, f"{name}.example")
        (view,) = SavedViews(connection, loaded.tables, account.id).find("tickets")
        policy = identify(connection, loaded.tables, account, now=datetime.datetime.now(datetime.UTC)).policy
        records = Records(connection, policy, "tickets")
        listed = read_list_request(records, MultiDict(view.arrangement.parameters))
        assert list(listed.search.all_errors) == []
        assert 0 < records.count(listed.query).number < records.count(Query()).number


def test_its_days_are_days_around_today_and_nothing_was_made_in_the_future(loaded):
    first = loaded.records("tickets")[0]
    now = datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=1) < now - first.values["created"] < datetime.timedelta(days=3)
    assert all(record.values["created"] <= now for record in loaded.records("tickets"))


def test_its_conversations_have_two_sides_and_keep_the_states(loaded):
    comment = loaded.tables.comment
    with reading(loaded.engine) as connection:
        rows = connection.execute(sa.select(comment.c["author"], comment.c["staff"], comment.c["internal"])).all()
    sides = {author: staff for author, staff, _internal in rows}
    assert (sides["Anna Moretti"], sides["Elena Marchetti"]) == (False, True)
    assert all(staff for _author, staff, internal in rows if internal)
    states = [row[10] for row in table((loaded.folder / "demo" / "tickets.csv").read_bytes())[1:]]
    assert loaded.values("tickets", "status") == states


def test_its_records_came_into_their_states_step_by_step(loaded):
    event, tickets = loaded.tables.event, loaded.records("tickets")
    resolved = next(record for record in tickets if record.values["status"] == "resolved")
    with reading(loaded.engine) as connection:
        of_record = event.c["module"] == "tickets", event.c["record"] == resolved.id
        rows = connection.execute(
            sa.select(event.c["kind"], event.c["at"]).where(*of_record).order_by(event.c["id"])
        ).all()
        waited = connection.scalar(sa.text(f"SELECT _waited_total FROM tickets WHERE id = {resolved.id}"))
    assert rows[0].kind == "created"
    assert resolved.values["created_by"] == resolved.values["caller"]
    assert "moved:solve" in [row.kind for row in rows]
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert waited > 0, "it was not resolved at once"


def test_its_accepted_quotes_were_signed_when_they_were_accepted(loaded):
    accepted = [quote for quote in loaded.records("quotes") if quote.values["status"] == "accepted"]
    for quote in accepted:
        signature = quote.values["accepted_by"]
        assert (signature.name, bool(signature.drawing)) == (quote.values["contact"].title, True)
        assert quote.values["created"] < signature.at < quote.values["modified"] + datetime.timedelta(seconds=1)
    assert len(accepted) == 3


def test_more_tickets_are_the_same_every_time(shipped):
    result = shipped.run("demo", "--tickets", "100")
    assert "Added 100 more tickets." in result.output
    tickets = shipped.records("tickets")[-100:]
    assert len({record.values["description"] for record in tickets}) > 80
    companies = [record.values["company"].title for record in tickets]
    assert max(map(companies.count, companies)) > 30
    assert all(record.values["created"] <= datetime.datetime.now(datetime.UTC) for record in tickets)


def test_a_portal_with_records_of_its_own_is_left_alone(shipped):
    shipped.loaded("companies", "name\nAcme\n")
    result = shipped.run("demo")
    assert result.exit_code == 1
    assert "has records already" in result.output
    assert shipped.records("contacts") == []


def test_a_mistake_in_a_file_loads_nothing(shipped):
    change(shipped.folder, "Officina Moretti", "Officina Fratelli", "demo/tickets.csv")
    result = shipped.run("demo")
    assert result.exit_code == 1
    assert "tickets.csv:2: company: No record in companies is named “Officina Fratelli”." in result.output
    assert shipped.records("companies") == []


def test_the_index_is_completed_and_rebuilt(loaded):
    search, total = loaded.tables.search, sum(len(loaded.records(name)) for name in loaded.declaration.modules)
    with writing(loaded.engine) as connection:
        lost = connection.execute(sa.delete(search).where(search.c["module"] == "tickets", search.c["record"] < 10))
        first = sa.and_(search.c["module"] == "assets", search.c["record"] == 1)
        connection.execute(sa.update(search).where(first).values(record=9999))
    assert lost.rowcount >= 9
    assert "10 records added, 1 entry removed" in loaded.run("index").output
    assert "0 records added, 0 entries removed" in loaded.run("index").output
    assert f"{total} records" in loaded.run("index", "--rebuild").output
