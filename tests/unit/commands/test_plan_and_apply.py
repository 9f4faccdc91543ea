"""`portal plan` and `portal apply` as a person calls them."""

import json
import sqlite3

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from portal.commands import main
from portal.database.engine import make_engine, writing

NOTHING = "nothing to do: the database matches the declarations\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/staff.yaml").write_text("modules: {}\n")
    declare(tmp_path, "fields: {name: text, fax: phone}")
    return tmp_path


def declare(folder, module):
    (folder / "modules.yaml").write_text(f"modules:\n  companies: {{{module}}}\n")


def portal(folder, *arguments):
    result = CliRunner().invoke(main, [*arguments, "--folder", str(folder)], prog_name="portal")
    return result.exit_code, result.output


def test_a_plan_is_told_done_and_then_there_is_nothing_to_do(folder):
    code, planned = portal(folder, "plan")
    assert (code, planned.splitlines()[-1]) == (3, "add module companies")
    assert portal(folder, "apply") == (0, planned)
    assert portal(folder, "plan") == (0, NOTHING)
    assert portal(folder, "apply") == (0, NOTHING)


def test_what_would_lose_data_is_left_undone_and_then_allowed(folder):
    portal(folder, "apply")
    engine = make_engine(f"sqlite:///{folder}/var/portal.sqlite")
    with writing(engine) as connection:
        connection.execute(sa.text("INSERT INTO companies (id, fax) VALUES (1, '+39 011')"))
    engine.dispose()
    declare(folder, "fields: {name: text}")
    said = (
        "! drop field companies.fax: 1 value would be lost (apply with --allow-loss); if it only has another name now,"
        " write formerly: fax there\n"
        "fill the search index of companies again: what is searched there has changed\n"
    )
    assert portal(folder, "plan") == (3, said)
    code, done = portal(folder, "apply")
    assert (code, done.splitlines()[:2]) == (0, [said.splitlines()[1], f"left undone: {said.splitlines()[0][2:]}"])
    code, done = portal(folder, "apply", "--allow-loss")
    assert (code, done.splitlines()[0]) == (0, "drop field companies.fax: 1 value lost")
    assert portal(folder, "plan") == (0, NOTHING)


def test_mistakes_in_the_declarations_come_first(folder):
    declare(folder, "fields: {name: txt}")
    code, said = portal(folder, "plan")
    assert code == 1
    assert "modules.yaml:2" in said


@pytest.mark.parametrize(
    "address", ["oracle://x/y", "nonsense", "postgresql://127.0.0.1:1/none", "sqlite:////nowhere/at/all.sqlite"]
)
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_database_that_cannot_be_had_is_told_in_one_sentence(folder, command, address):
    code, said = portal(folder, command, "--database", address)
    assert code == 2
    assert len([line for line in said.splitlines() if line.startswith("Error: ")]) == 1
    assert "Traceback" not in said


def test_a_file_that_is_no_database_is_told(folder):
    (folder / "notes.txt").write_text("These are notes, and no database at all.\n" * 100)
    code, said = portal(folder, "apply", "--database", "sqlite:///notes.txt")
    assert code == 2
    assert "file is not a database" in said


def test_a_database_that_refuses_is_told_and_is_as_it_was(folder):
    portal(folder, "apply")
    declare(folder, "fields: {name: text, fax: phone, more: date}")
    # Someone else's change to our tables in the meantime: a trigger that refuses stands in for a failing disk.
    with sqlite3.connect(folder / "var/portal.sqlite") as connection:
        connection.execute(
            "CREATE TRIGGER refusing BEFORE INSERT ON portal_schema BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    connection.close()
    code, said = portal(folder, "apply")
    assert (code, said.splitlines()[-1]) == (2, "Error: the database reports an error: full")
    assert portal(folder, "plan") == (3, "add field companies.more (date)\n")


def test_a_plan_for_programs(folder):
    portal(folder, "apply")
    declare(folder, "fields: {name: text, fax: phone, more: {type: date, index: true}}")
    code, said = portal(folder, "plan", "--format", "json")
    plan = json.loads(said)
    assert (code, plan["changes"], plan["steps"][0]["sentence"]) == (3, True, "add field companies.more (date)")
    assert {"rows": 0, "waits": "saving", "table": None, "loses": False}.items() <= plan["steps"][0].items()
    portal(folder, "apply")
    code, said = portal(folder, "plan", "--format", "json")
    assert (code, json.loads(said)) == (0, {"changes": False, "steps": []})


def test_a_saved_plan_is_carried_out_while_nothing_has_moved(folder):
    file = str(folder / "plan.json")
    portal(folder, "apply")
    insert(folder, "INSERT INTO companies (id, fax) VALUES (1, '+39 011')")
    declare(folder, "fields: {name: text, fax: phone, more: {type: date, default: today}}")
    code, planned = portal(folder, "plan", "--out", file)
    assert (code, "the 1 record that exists keeps it empty" in planned) == (3, True)
    insert(folder, "INSERT INTO companies (id, fax) VALUES (2, '+39 012')")  # people go on working
    code, done = portal(folder, "apply", file)
    assert (code, "the 2 records that exist keep it empty" in done) == (0, True)
    assert portal(folder, "apply", file)[0] == 1


@pytest.mark.parametrize(
    ("moved", "reason"),
    [
        (lambda folder: declare(folder, "fields: {name: text, more: date}"), "the declarations have changed"),
        (lambda folder: portal(folder, "apply"), "the database was migrated"),
        (
            lambda folder: insert(folder, "INSERT INTO companies (id, fax) VALUES (2, '+39 012')"),
            "the steps have changed",
        ),
        (lambda folder: (folder / "plan.json").write_text("{}"), "is not one that `portal plan --out` has written"),
    ],
)
def test_a_saved_plan_is_refused_where_something_has_moved(folder, moved, reason):
    portal(folder, "apply")
    insert(folder, "INSERT INTO companies (id, fax) VALUES (1, '+39 011')")
    declare(folder, "fields: {name: text, more: date, less: date}")
    portal(folder, "plan", "--out", str(folder / "plan.json"))
    moved(folder)
    code, said = portal(folder, "apply", str(folder / "plan.json"), "--allow-loss")
    assert (code, reason in said, "nothing was changed" in said) == (1, True, True)


def insert(folder, statement):
    with sqlite3.connect(folder / "var/portal.sqlite") as connection:
        connection.execute(statement)
    connection.close()
