"""Deadlines in working time, through the page: set, moved, paused, shown, on every path that writes records."""

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from webtest import TestResponse

from portal.database.engine import make_engine, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.jobs.scheduled_tasks import Due
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.records.transfer.csv_reading import open_source
from portal.records.transfer.importing import ImportOptions, import_file
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from tests.functional.world import ANNA, BRUNO, NANCY, PEOPLE_MODULES, World, written_world
from tests.portal_files import write_portal

ROME = ZoneInfo("Europe/Rome")
LATE = 'class="pill bad">Late</span>'
MODULES = (
    """
portal:
  time_zone: Europe/Rome
  hours: {monday: "9-18", tuesday: "9-18", wednesday: "9-18", thursday: "9-18", friday: "9-18"}
  holidays: [2026-03-10]
"""
    + PEOPLE_MODULES
    + """
  tickets:
    owner: caller
    comments: true
    fields:
      title: {type: text, unique: true}
      caller: {type: link, to: people, default: me, read_only: true}
      impact: {type: choice, options: [one, all], default: one}
      urgency: {type: choice, options: [low, normal, high], default: normal}
      priority:
        type: formula
        of: {urgency: {high: now, normal: soon, low: {impact: {one: never, all: soon}}}}
        options: [now, soon, never]
      status: {type: choice, options: {new: New, waiting: Waiting for you, solved: Solved, closed: Closed, late: Late}}
      due:
        type: datetime
        within: {priority: {now: 4 h, soon: 2 days}}
        pause: waiting
        stop: [solved]
      answer_by: {type: datetime, within: 1 h, internal: true}
      slack: {type: formula, of: due - created}
      level: {type: choice, options: [high], internal: true}
      look_by: {type: datetime, within: {level: {high: 1 h}}}
      remark: {type: text, internal: true}
      wake_at: datetime
    lifecycle:
      field: status
      transitions:
        ask: {from: new, to: waiting, ask: {due: optional}}
        answer: {from: waiting, to: new}
        solve: {from: [new, waiting], to: solved}
        reopen: {from: solved, to: new}
        close: {from: solved, to: closed, after: 7 days}
        escalate: {from: new, to: late, after: due}
        calm: {from: late, to: new}
        wake: {from: waiting, to: new, after: wake_at, ask: {comment: required}}
      on_comment: {customer: {from: waiting, to: new}}
    list:
      columns: [title, due, slack]
      sort: due
      tabs: {all: {}, overdue: {where: {due: {before: now}, status: new}}}
    detail: {sections: [{fields: [title, urgency, due]}], aside: [status], history: true}
"""
)
MAY = "ask, answer, solve, reopen, calm, comment"
STAFF = f"""
staff: true
modules:
  tickets: {{see: all, can: [create, edit, import, {MAY}], edit: {{fields: [title, urgency, impact, due, wake_at]}}}}
  people: {{}}
  companies: {{}}
"""
CUSTOMER = """
modules:
  tickets: {see: own, can: [create, comment]}
  people: {}
"""
POWER = "extends: customer\nmodules: {tickets: {detail: {aside: []}}}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request):
    with written_world(request, MODULES, staff=STAFF, customer=CUSTOMER, power=POWER) as world:
        world.kept = world.rows()
        for session in world.kept["portal_session"]:
            session["expires"] += datetime.timedelta(days=20)
        yield world


@pytest.fixture
def desk(opened):
    """The portal of MODULES. It is Thursday, March 5, 13:00 in Rome."""
    opened.put_back(opened.kept)
    return opened


def at(text: str) -> datetime.datetime:
    """A moment in March 2026, by the clocks of Rome: `06 13:00`."""
    return datetime.datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=ROME)


def go_to(desk: World, text: str) -> None:
    desk.clock.now = at(text).astimezone(datetime.UTC)


def ticket(desk: World, **form: str) -> int:
    """Creates a ticket with the form, as Anna; returns its id."""
    sent = desk[ANNA].send("/tickets/create", {"title": "Jam", "urgency": "normal", "impact": "one", **form})
    assert sent.status_int == 303
    return desk.all("tickets")[-1].id


def due(desk: World, ticket_id: int):
    return desk.record("tickets", ticket_id).values["due"]


def move(desk: World, ticket_id: int, transition: str) -> None:
    assert desk[NANCY].send(f"/tickets/{ticket_id}/move/{transition}").status_int == 303


def ask(desk: World, ticket_id: int, **changed: str) -> None:
    """The transition that also asks for the deadline."""
    fill_in(desk[NANCY].get(f"/tickets/{ticket_id}/move/ask"), "due", changed)


def edit(desk: World, ticket_id: int, **changed: str) -> None:
    fill_in(desk[NANCY].get(f"/tickets/{ticket_id}/edit"), "title", changed)


def fill_in(page: TestResponse, known: str, changed: Mapping[str, str]) -> None:
    """Sends the form of a page that has the input `known`."""
    form = next(form for form in page.forms.values() if known in form.fields)
    for name, text in changed.items():
        form[name] = text
    assert form.submit().status_int == 303


@pytest.mark.sqlite_suffices
def test_a_deadline_is_set_in_working_time_when_a_record_is_made(desk):
    assert due(desk, ticket(desk, urgency="high")) == at("05 17:00")
    first = ticket(desk, title="A")
    assert due(desk, first) == at("09 13:00")  # over a weekend
    assert desk.record("tickets", first).values["slack"] == 4 * 86_400  # a formula that reads it
    assert desk.record("tickets", first).values["answer_by"] == at("05 14:00")
    assert due(desk, ticket(desk, title="B", urgency="low")) is None
    go_to(desk, "07 22:00")
    assert due(desk, ticket(desk, title="C")) == at("11 18:00")  # from a Saturday, without the holiday
    assert desk[ANNA].titles("/tickets/") == ["Jam", "A", "C", "B"]
    assert "answer_by" not in desk[ANNA].get("/tickets/create").text


@pytest.mark.sqlite_suffices
def test_no_form_asks_for_it_unless_a_layout_names_it_and_what_is_set_by_hand_stays(desk):
    assert 'name="due"' not in desk[ANNA].get("/tickets/create").text
    assert due(desk, ticket(desk, due="2026-03-20T10:00")) == at("09 13:00")
    ticket_id = desk.all("tickets")[0].id
    edit(desk, ticket_id, due="2026-03-20T10:00")
    edit(desk, ticket_id, title="Another")
    assert due(desk, ticket_id) == at("20 10:00")
    edit(desk, ticket_id, urgency="high")
    assert due(desk, ticket_id) == at("05 17:00")
    edit(desk, ticket_id, urgency="low", due="2026-03-21T10:00")  # both at once: what is set holds
    assert due(desk, ticket_id) == at("21 10:00")
    edit(desk, ticket_id, impact="all")  # changes the priority, a formula
    assert due(desk, ticket_id) == at("09 13:00")


@pytest.mark.sqlite_suffices
def test_it_pauses_while_waiting_and_resumes_with_the_time_left(desk):
    ticket_id = ticket(desk)
    go_to(desk, "05 15:00")
    ask(desk, ticket_id)
    assert due(desk, ticket_id) is None
    page = desk[ANNA].get(f"/tickets/{ticket_id}/")
    assert "Paused, 16\u00a0hr of working time left" in page.text
    assert page.text.count("Paused") == 1
    go_to(desk, "11 10:00")
    desk[ANNA].send(f"/tickets/{ticket_id}/comments", {"text": "Here you are"})
    assert due(desk, ticket_id) == at("12 17:00")
    edit(desk, ticket_id, urgency="high")  # two hours had passed before
    assert due(desk, ticket_id) == at("11 12:00")
    go_to(desk, "11 12:30")
    ask(desk, ticket_id)
    assert "Paused, late by 30\u00a0min of working time" in desk[ANNA].get(f"/tickets/{ticket_id}/").text
    edit(desk, ticket_id, urgency="normal")
    assert due(desk, ticket_id) is None
    go_to(desk, "13 09:00")
    move(desk, ticket_id, "answer")
    assert due(desk, ticket_id) == at("16 13:30")  # of 18 hours 4.5 have passed


@pytest.mark.sqlite_suffices
def test_a_deadline_that_was_set_by_hand_is_moved_by_pauses_but_not_one_that_is_set_during_one(desk):
    ticket_id = ticket(desk)
    ask(desk, ticket_id, due="2026-03-06T10:00")
    go_to(desk, "06 13:00")
    move(desk, ticket_id, "answer")
    assert due(desk, ticket_id) == at("09 10:00")
    ask(desk, ticket_id)
    edit(desk, ticket_id, due="2026-03-25T10:00")
    go_to(desk, "12 13:00")
    move(desk, ticket_id, "answer")
    assert due(desk, ticket_id) == at("25 10:00")


@pytest.mark.sqlite_suffices
def test_when_the_work_is_done_it_stays_and_what_was_left_is_there_again(desk):
    ticket_id = ticket(desk, urgency="high")
    go_to(desk, "05 16:00")
    ask(desk, ticket_id)
    go_to(desk, "06 16:00")
    move(desk, ticket_id, "solve")
    assert due(desk, ticket_id) == at("06 17:00")
    go_to(desk, "12 09:30")
    assert LATE not in desk[ANNA].get(f"/tickets/{ticket_id}/").text
    edit(desk, ticket_id, urgency="normal")
    assert due(desk, ticket_id) == at("06 17:00")
    move(desk, ticket_id, "reopen")
    assert due(desk, ticket_id) == at("13 15:30")  # three of eighteen hours had passed
    move(desk, ticket_id, "solve")
    go_to(desk, "20 12:00")
    portal = desk.portal
    assert Due(portal.engine, desk.clock).do_all(portal.tables, lambda: False) == 1
    assert desk.record("tickets", ticket_id).values["status"] == "closed"
    assert due(desk, ticket_id) == at("13 15:30")


def test_the_portal_moves_a_record_when_its_deadline_or_another_moment_comes(desk):
    def done() -> int:
        return Due(desk.portal.engine, desk.clock).do_all(desk.portal.tables, lambda: False)

    def state(ticket_id: int) -> str:
        return desk.record("tickets", ticket_id).values["status"]

    late, asleep, overslept = (ticket(desk, title=title, urgency="high") for title in "ABC")
    edit(desk, overslept, wake_at="2026-03-05T12:00")
    for ticket_id in (asleep, overslept):
        ask(desk, ticket_id)
    edit(desk, asleep, wake_at="2026-03-05T16:00")
    go_to(desk, "05 15:59")
    assert done() == 0
    go_to(desk, "05 16:00")
    assert (done(), state(asleep), state(overslept)) == (1, "new", "waiting")
    assert "Done automatically at the scheduled time." in desk[NANCY].get(f"/tickets/{asleep}/").text
    go_to(desk, "05 17:00")
    assert (done(), state(late), done()) == (1, "late", 0)
    move(desk, late, "calm")
    assert done() == 0, "it was late already when it came back"


@pytest.mark.sqlite_suffices
def test_lateness_is_said_in_words_and_found_by_those_who_read_the_state(desk):
    late, in_time = ticket(desk, urgency="high"), ticket(desk, title="In time")
    go_to(desk, "05 18:30")
    for address in ("/tickets/", f"/tickets/{late}/"):
        assert LATE in desk[ANNA].get(address).text
    assert LATE not in desk[ANNA].get(f"/tickets/{in_time}/").text
    assert desk[NANCY].titles("/tickets/?tab=overdue") == ["Jam"]
    assert desk[NANCY].titles("/tickets/?due.max=2026-03-05T18:00") == ["Jam"]
    desk[BRUNO].send("/tickets/create", {"title": "His", "urgency": "high", "impact": "one"})
    go_to(desk, "12 10:00")
    for address in ("/tickets/", f"/tickets/{desk.all('tickets')[-1].id}/"):
        page = desk[BRUNO].get(address)
        assert "His" in page
        assert LATE not in page.text


@pytest.mark.sqlite_suffices
def test_the_history_names_the_deadline_next_to_its_cause(desk):
    ticket_id = ticket(desk)
    edit(desk, ticket_id, urgency="high")
    history = " ".join(desk[NANCY].get(f"/tickets/{ticket_id}/history").html.get_text(" ").split())
    assert "Urgency Normal" in history.replace("Before", "")
    assert "Mar 9, 2026, 1:00\u202fPM" in history or "Mar 9, 2026, 1:00 PM" in history
    assert "Answer by" not in history


def test_every_other_path_sets_and_moves_it_too(desk, tmp_path):
    program = desk.program(NANCY)
    made = program.call("POST", "tickets", {"title": "By a program", "urgency": "high"}, status=201).json
    assert made["due"] == "2026-03-05T16:00:00Z"
    program.call("POST", f"tickets/{made['id']}/move/ask", {})
    assert program.call("GET", f"tickets/{made['id']}").json["due"] is None
    rows = "title,urgency,status,due,created\n" + "\n".join(
        [
            "Waits,high,waiting,,",
            "Given,high,new,2026-03-30T10:00,",
            "Old,high,new,,2026-03-02T10:00",
            "Done,high,solved,,",
        ]
    )
    imported(desk, tmp_path, rows)
    by_title = {record.title: record.id for record in desk.all("tickets")}
    dues = [due(desk, by_title[name]) for name in ("Waits", "Given", "Old", "Done")]
    assert dues == [None, at("30 10:00"), at("02 14:00"), None]
    go_to(desk, "06 10:00")
    imported(
        desk,
        tmp_path,
        "title,urgency,status\nWaits,high,new\nGiven,normal,new\nOld,high,waiting\nDone,high,new",
        key="title",
    )
    dues = [due(desk, by_title[name]) for name in ("Waits", "Given", "Old", "Done")]
    assert dues == [at("06 14:00"), at("09 13:00"), None, at("06 14:00")]
    ids = [("ids", str(by_title[name])) for name in ("Waits", "Given")]
    asked = desk[NANCY].send("/tickets/bulk", [*ids, ("do", "ask")])
    next(form for form in asked.forms.values() if form.action.startswith("/tickets/bulk")).submit()
    assert [due(desk, by_title[name]) for name in ("Waits", "Given")] == [None, None]


@pytest.mark.sqlite_suffices
def test_an_import_that_moves_a_public_deadline_by_an_internal_choice_is_a_change_of_the_record(desk, tmp_path):
    ticket_id = ticket(desk)
    before = desk.record("tickets", ticket_id)
    go_to(desk, "05 14:00")
    imported(desk, tmp_path, "title,level\nJam,high", key="title")
    record = desk.record("tickets", ticket_id)
    assert (record.values["look_by"], record.version) == (at("05 14:00"), before.version + 1)
    assert record.values["modified"] == at("05 14:00")
    imported(desk, tmp_path, "title,level\nJam,", key="title")
    imported(desk, tmp_path, "title,remark\nJam,Staff only", key="title")
    assert desk.record("tickets", ticket_id).version == before.version + 2


def imported(desk: World, folder: Path, rows: str, key: str | None = None) -> None:
    file = folder / "tickets.csv"
    file.write_text(rows)
    with writing(desk.portal.engine) as connection:
        records = desk.records(connection, "tickets")
        assert import_file(records, open_source(file), ImportOptions(key=key)).bad == []


@pytest.mark.sqlite_suffices
def test_a_datetime_that_becomes_a_deadline_keeps_its_values_and_its_clock_when_it_is_renamed(tmp_path):
    kind, within = "kind: {type: choice, options: [low, high]}", "within: {kind: {low: 1 h, high: 2 h}}"
    engine = make_engine(f"sqlite:///{tmp_path}/portal.sqlite")

    def change(due: str, change_of: Callable[[Writer], Any]) -> Any:
        modules = f"modules: {{notes: {{see: all, fields: {{title: text, {kind}, {due}}}}}}}"
        folder = write_portal(tmp_path / "notes", modules, staff="staff: true\nmodules: {notes: {}}")
        tables = build(load(folder).declaration)
        apply(engine, tables)
        with writing(engine) as connection:
            records = Records(connection, system_policy(tables), "notes")
            change_of(Writer(records, Author()))
            return records.get(1).values

    by_hand, made = at("20 10:00").astimezone(datetime.UTC), at("02 10:00").astimezone(datetime.UTC)
    change("due: datetime", lambda writer: writer.create({"created": made, "due": by_hand, "kind": "low"}))
    kept = change(f"due: {{type: datetime, {within}}}", lambda writer: None)
    assert kept["due"] == by_hand
    renamed = f"until: {{type: datetime, formerly: due, {within}}}"
    values = change(renamed, lambda writer: writer.change(writer.records.get(1), {"kind": "high"}, 1))
    assert values["until"] == made + datetime.timedelta(hours=2)
    engine.dispose()
