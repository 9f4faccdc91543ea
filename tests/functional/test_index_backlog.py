"""The search index while many entries are outdated: what is found, who does the work, who continues it."""

import datetime
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import build
from portal.database.search.marks import has_marks, mark_linking, mark_modules
from portal.declaration.load import load
from portal.jobs.worker import Worker
from portal.records.indexing.backlog import catch_up, catch_up_later, catch_up_some, running_threads
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from portal.records.writing.history import SYSTEM
from portal.records.writing.writer import Writer
from tests.functional.test_speed import add_requests
from tests.functional.world import NANCY, PORTALS

BODY, BODY_NOT_SEARCHED = "body: {type: longtext, required: true}", "body: {type: longtext, search: false}"


class Process:
    """A process with its own declaration on the world's database."""

    def __init__(self, world, declaration):
        self.engine, self.tables = world.portal.engine, build(declaration)
        self.all = self.engine, self.tables

    def found(self, text):
        with reading(self.engine) as connection:
            records = Records(connection, system_policy(self.tables), "requests")
            return records.count(Query(text=text)).number

    def behind(self):
        with reading(self.engine) as connection:
            return has_marks(connection, self.tables)


def fill(world):
    add_requests(world, 450)


@pytest.fixture
def full(filled):
    """The wide portal with many requests; each test is rolled back."""
    yield filled
    for thread in running_threads():
        thread.join()
    filled.put_back(filled.kept)


@pytest.fixture
def old(full):
    """A process from before the declaration changed."""
    return Process(full, full.portal.declaration)


@pytest.fixture
def new(full, old, tmp_path):
    """A process whose applied declaration no longer searches the text of requests."""
    folder = shutil.copytree(PORTALS / "wide", tmp_path / "changed")
    path = folder / "modules.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace(BODY, BODY_NOT_SEARCHED, 1), encoding="utf-8")
    process = Process(full, load(folder).declaration)
    apply(process.engine, process.tables)
    return process


def test_until_its_turn_has_come_a_record_is_found_by_what_it_was(new):
    assert new.found("paper") == 300
    assert catch_up_some(*new.all) == 100
    assert 200 < new.found("paper") < 300
    assert catch_up(*new.all) == 350
    assert new.found("paper") == 0
    assert new.found("item") == 450
    assert not new.behind()


def test_what_a_killed_process_left_is_done_by_the_next_one(full, new):
    assert catch_up_some(*new.all) == 100
    next_one = Process(full, new.tables.declaration)
    assert next_one.behind()
    assert catch_up(*next_one.all) == 350
    assert next_one.found("paper") == 0
    assert catch_up(*next_one.all) == 0


@pytest.mark.sqlite_suffices
def test_a_killed_transaction_is_done_again(new):
    with pytest.raises(ZeroDivisionError), writing(new.engine) as connection:
        connection.execute(sa.delete(new.tables.backlog))
        raise ZeroDivisionError
    assert catch_up(*new.all) == 450


@pytest.mark.sqlite_suffices
def test_processes_that_know_the_old_declaration_leave_the_work_alone(old, new):
    assert not old.behind()
    assert catch_up(*old.all) == 0
    assert new.behind()


def test_several_processes_never_do_the_same_work_twice(full, new):
    def work(process):
        done = 0
        while process.behind():
            done += catch_up_some(*process.all) or 0
        return done

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, [Process(full, new.tables.declaration) for _process in range(4)])) == 450
    assert new.found("paper") == 0


@pytest.mark.sqlite_suffices
def test_a_portal_that_starts_goes_on_by_itself(new):
    catch_up_later(*new.all)
    finish()
    assert new.found("paper") == 0


def test_a_renamed_company_is_found_by_its_new_name_in_all_its_records(full, old):
    """A few entries change with it; the others follow later, so that the rename does not wait for them."""
    full.set("companies", full.the("companies", "Acme").id, name="Zebra")
    finish()
    assert (old.found("zebra"), old.found("acme")) == (300, 0)


def test_a_rename_survives_the_process_that_made_it(full, old):
    process, acme = old, full.the("companies", "Acme").id
    with writing(process.engine) as connection:  # what a process has left that was killed at its commit
        table = process.tables.module("companies")
        connection.execute(sa.update(table).where(table.c["id"] == acme).values(name="Zebra", _name_folded="zebra"))
        mark_linking(connection, process.tables, "requests", ("companies", acme))
    assert process.found("acme") == 300
    assert catch_up(*process.all) == 300
    assert (process.found("zebra"), process.found("acme")) == (300, 0)


def test_a_rename_that_is_rolled_back_leaves_nothing_to_be_done(full, old):
    process = old
    with pytest.raises(ZeroDivisionError), writing(process.engine) as connection:
        companies = full.records(connection, "companies")
        record = companies.get(full.the("companies", "Acme").id)
        Writer(companies, SYSTEM).change(record, {"name": "Zebra"}, record.version)
        assert has_marks(connection, process.tables), "marked in the same transaction"
        raise ZeroDivisionError
    assert running_threads() == []
    assert not process.behind()


def test_others_write_while_the_index_is_made_anew(full, old):
    with writing(old.engine) as connection:
        connection.execute(sa.update(old.tables.search).values(text=" nothing "))
        mark_modules(connection, old.tables, ["requests"])
    seen = []

    def told(done: int) -> None:
        seen.append(done)
        if len(seen) == 1:  # between two of its transactions
            full.add("requests", name="Meanwhile", body="x")

    assert catch_up(*old.all, told) == 451
    assert seen == [100, 200, 300, 400, 451]
    assert (old.found("item"), old.found("meanwhile")) == (450, 1)


def finish():
    for thread in running_threads():
        thread.join()


@pytest.mark.sqlite_suffices
def test_columns_folded_in_an_old_way_are_folded_again(world):
    record = world.add("services", name="Łódź")
    process = Process(world, world.portal.declaration)
    services = process.tables.module("services")
    with writing(process.engine) as connection:
        connection.execute(sa.update(services).values(_name_folded="łodz"))
        mark_modules(connection, process.tables, ["services"])
    assert world[NANCY].titles("/services/?name=lodz") == []
    catch_up(process.engine, process.tables)
    assert world[NANCY].titles("/services/?name=lodz") == ["Łódź"]
    assert world.record("services", record).version == 1, "the record itself has not changed"


@pytest.mark.sqlite_suffices
def test_the_worker_goes_on_with_what_a_killed_process_has_left(full, new):
    worker = Worker(new.engine, lambda: new.tables, full.clock, lambda tables: "https://care.example", None)
    assert new.behind()
    full.clock.now += datetime.timedelta(hours=1)
    worker.turn()
    for thread in running_threads():
        thread.join()
    assert not new.behind()
