"""Targets of a contract, whether deadlines were met, and time that is counted in working hours, on every path."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from portal.database.engine import writing
from portal.fields import column_types
from portal.records.transfer.csv_reading import open_source
from portal.records.transfer.importing import ImportOptions, import_file
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from tests.functional.world import ANNA, NANCY, PEOPLE_MODULES, World, written_world

ROME = ZoneInfo("Europe/Rome")
MODULES = (
    """
portal:
  time_zone: Europe/Rome
  hours: {monday: "9-18", tuesday: "9-18", wednesday: "9-18", thursday: "9-18", friday: "9-18"}
"""
    + PEOPLE_MODULES
    + """
  contracts:
    fields: {name: {type: text, unique: true}, company: {type: link, to: companies}, answer: duration, solve: duration}
  calls:
    comments: true
    fields: {name: text, state: {type: choice, options: [new, old]}, earlier: {type: link, to: calls}}
    lifecycle: {field: state, on_comment: {staff: {set: {name: Answered}}}}
  tickets:
    owner: caller
    comments: true
    fields:
      title: {type: text, unique: true}
      caller: {type: link, to: people, default: me, read_only: true}
      contract: {type: link, to: contracts}
      urgency: {type: choice, options: [low, high], default: high}
      status: {type: choice, options: {new: New, open: Open, waiting: Waiting, solved: Solved}}
      answered: {type: datetime, read_only: true}
      wrote: {type: datetime, read_only: true}
      replied: {type: datetime, read_only: true}
      solved_at: {type: datetime, read_only: true}
      answer_by: {type: datetime, within: contract.answer, to: answered, read_only: true}
      solve_by:
        type: datetime
        within: {urgency: {high: contract.solve, low: 4 days}}
        pause: waiting
        to: solved_at
        read_only: true
      reply_by: {type: datetime, within: 2 h, from: wrote, to: replied, read_only: true}
      answer: {type: timeliness, of: answer_by}
      solution: {type: timeliness, of: solve_by, to: solved_at, options: {met: {label: Fulfilled}}}
      both: {type: timeliness, of: [answer_by, solve_by], soon: 30 min, options: {soon: Hurry}}
      first: {type: formula, of: "min(answer_by, solve_by)"}
      over: {type: elapsed, from: solve_by, to: solved_at, hours: true}
      waited: {type: elapsed, in: waiting, hours: true}
      worked: {type: elapsed, in: [new, open], hours: true}
    lifecycle:
      field: status
      transitions:
        wait: {from: [new, open], to: waiting}
        go: {from: waiting, to: open}
        solve: {from: [new, open, waiting], to: solved, set: {solved_at: now}}
        reopen: {from: solved, to: open, set: {solved_at: nothing}}
      on_comment:
        staff: {from: new, to: open, fill: {answered: now}, set: {replied: now}}
        customer: {set: {wrote: now, replied: nothing}}
    list:
      columns: [title, answer, solution, over, waited, worked, solve_by, both]
      sort: solution
      tabs:
        all: {}
        broken: {where: {solution: [overdue, missed]}}
        kept: {where: {solution: {not: [overdue, missed]}}}
    detail:
      sections: [{fields: [title, answer_by, answer, reply_by, replied, solve_by, solution, over, waited, worked]}]
      aside: [status]
"""
)
STAFF = """
staff: true
modules:
  tickets:
    see: all
    can: [create, edit, comment, import, export, wait, go, solve, reopen]
    create: {fields: [title, urgency, contract]}
    edit: {fields: [title, urgency, contract]}
  contracts: {see: all}
  calls: {see: all, can: [comment]}
  people: {}
"""
CUSTOMER = "modules: {tickets: {see: own, can: [create, comment], create: {fields: [title]}}, people: {}}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request):
    with written_world(request, MODULES, staff=STAFF, customer=CUSTOMER, power="extends: customer") as world:
        with writing(world.portal.engine) as connection:
            for name, answer, solve in (("Gold", 3_600, 4 * 3_600), ("Basic", 4 * 3_600, 18 * 3_600)):
                terms = {"name": name, "answer": answer, "solve": solve}
                Writer(world.records(connection, "contracts"), Author()).create(terms)
        world.kept = world.rows()
        for session in world.kept["portal_session"]:
            session["expires"] += datetime.timedelta(days=20)
        yield world


@pytest.fixture
def desk(opened, monkeypatch):
    """The portal of MODULES. It is Thursday, March 5, 13:00 in Rome; the database is asked at the same moment."""
    opened.put_back(opened.kept)
    monkeypatch.setattr(column_types, "utc_now", lambda: opened.clock.now)
    return opened


def at(text: str) -> datetime.datetime:
    """A moment in March 2026, by the clocks of Rome: `06 13:00`."""
    return datetime.datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=ROME)


def go_to(desk: World, text: str) -> None:
    desk.clock.now = at(text).astimezone(datetime.UTC)


def ticket(desk: World, title: str = "Jam", contract: str = "Gold", **form: str) -> int:
    """Creates a ticket with the form, as Nancy; returns its id."""
    values = {"title": title, "urgency": "high", "contract": str(desk.the("contracts", contract).id), **form}
    assert desk[NANCY].send("/tickets/create", values).status_int == 303
    return desk.all("tickets")[-1].id


def move(desk: World, ticket_id: int, transition: str) -> None:
    assert desk[NANCY].send(f"/tickets/{ticket_id}/move/{transition}").status_int == 303


def values(desk: World, ticket_id: int, *names: str) -> list:
    record = desk.record("tickets", ticket_id)
    return [record.values[name] for name in names]


@pytest.mark.sqlite_suffices
def test_the_contract_says_how_much_time_there_is(desk):
    ticket_id = ticket(desk)
    assert values(desk, ticket_id, "answer_by", "solve_by") == [at("05 14:00"), at("05 17:00")]
    page = desk[NANCY].get(f"/tickets/{ticket_id}/edit")
    form = next(form for form in page.forms.values() if "title" in form.fields)
    form["contract"] = str(desk.the("contracts", "Basic").id)
    form.submit()
    assert values(desk, ticket_id, "answer_by", "solve_by") == [at("05 17:00"), at("09 13:00")]
    program = desk.program(NANCY)
    version = program.call("GET", f"tickets/{ticket_id}").json["_version"]
    program.call("PATCH", f"tickets/{ticket_id}", {"urgency": "low", "contract": None, "_version": version}, status=200)
    assert values(desk, ticket_id, "answer_by", "solve_by") == [None, at("11 13:00")]


def test_a_deadline_is_said_to_be_on_track_paused_overdue_missed_or_met(desk, tmp_path):
    on_track, paused, overdue, missed, met = (
        ticket(desk, title) for title in ("Track", "Still", "Over", "Bad", "Good")
    )
    go_to(desk, "05 14:30")
    move(desk, paused, "wait")
    move(desk, met, "solve")
    go_to(desk, "05 17:30")
    move(desk, missed, "solve")
    desk[NANCY].send(f"/tickets/{overdue}/comments", {"text": "Soon"})
    go_to(desk, "06 09:30")
    desk.program(NANCY).call("PATCH", f"tickets/{on_track}", {"urgency": "low", "_version": 1}, status=200)
    staff = desk[NANCY]
    assert staff.titles("/tickets/?tab=all") == ["Over", "Track", "Still", "Bad", "Good"]
    assert staff.titles("/tickets/?tab=broken") == ["Over", "Bad"]
    assert sorted(staff.titles("/tickets/?tab=kept")) == ["Good", "Still", "Track"]
    assert staff.titles("/tickets/?tab=all&solution=overdue") == ["Over"]
    assert staff.titles("/tickets/?tab=all&q=solution:paused") == ["Still"]
    assert staff.titles("/tickets/?tab=all&over.min=30+min&sort=-over") == ["Over", "Bad"]
    assert staff.titles("/tickets/?tab=all&over.max=-2+h") == ["Track", "Good"]  # so much time is, or was, left
    page = staff.get(f"/tickets/{met}/").html.get_text(" ")
    assert "Fulfilled" in page
    exported = staff.get("/tickets/export.csv?tab=all").text
    assert [line.split(",")[2] for line in exported.splitlines()[1:]] == [
        "overdue", "running", "paused", "missed", "met",
    ]  # fmt: skip
    assert desk.program(NANCY).call("GET", f"tickets/{missed}").json["solution"] == "missed"
    assert values(desk, missed, "over") == [1_800]
    assert values(desk, met, "over") == [-9_000]
    assert values(desk, overdue, "over", "answer") == [5_400, "missed"]
    assert values(desk, paused, "over", "answer") == [None, "overdue"]
    move(desk, missed, "reopen")
    assert values(desk, missed, "solution") == ["overdue"]
    imported(desk, tmp_path, "title,solve_by\nStill,2026-03-05T15:00\n", key="title")
    assert values(desk, paused, "solution") == ["paused"], "nothing is late while it waits"
    assert sorted(desk[NANCY].titles("/tickets/?tab=all&solution=overdue")) == ["Bad", "Over"]


def test_of_several_deadlines_the_one_counts_that_needs_someone_first(desk):
    ticket_id, staff = ticket(desk), desk[NANCY]
    assert values(desk, ticket_id, "both", "first") == ["running", at("05 14:00")]
    go_to(desk, "05 13:30")
    assert staff.titles("/tickets/?tab=all&both=soon") == ["Jam"]
    assert "Hurry" in staff.get("/tickets/?tab=all")
    staff.send(f"/tickets/{ticket_id}/comments", {"text": "We look at it"})
    assert values(desk, ticket_id, "both") == ["running"]
    go_to(desk, "05 17:10")
    assert staff.titles("/tickets/?tab=all&q=both:overdue") == ["Jam"]
    move(desk, ticket_id, "solve")
    assert values(desk, ticket_id, "both") == ["missed"]


def test_time_is_counted_in_working_hours_and_over_states_on_every_path(desk, tmp_path):
    ticket_id = ticket(desk)
    go_to(desk, "05 17:00")
    move(desk, ticket_id, "wait")
    go_to(desk, "06 10:00")
    assert values(desk, ticket_id, "waited", "worked") == [7_200, 4 * 3_600]
    assert "2\u00a0hr" in desk[NANCY].get(f"/tickets/{ticket_id}/").text
    move(desk, ticket_id, "go")
    go_to(desk, "06 11:00")
    imported(desk, tmp_path, "title,status\nJam,waiting\n", key="title")
    go_to(desk, "09 09:00")
    move(desk, ticket_id, "solve")
    go_to(desk, "20 09:00")
    assert values(desk, ticket_id, "waited", "worked") == [9 * 3_600, 5 * 3_600]
    imported(desk, tmp_path, "title,status,created\nOld,new,2026-03-19T17:00\nDone,solved,2026-03-19T10:00\n")
    old, done = (desk.the("tickets", title).id for title in ("Old", "Done"))
    assert values(desk, old, "waited", "worked") == [0, 3_600]
    assert values(desk, done, "worked") == [0]
    assert desk[NANCY].titles("/tickets/?tab=all&worked.min=1+h&sort=worked") == ["Old", "Jam"]


@pytest.mark.sqlite_suffices
def test_imported_records_that_are_done_say_whether_they_were_in_time(desk, tmp_path):
    rows = "title,status,contract,urgency,created,answered,solved_at\n"
    rows += "Old,solved,Gold,high,2026-03-02T10:00,2026-03-02T10:30,2026-03-02T15:00\n"
    imported(desk, tmp_path, rows)
    old = desk.the("tickets", "Old").id
    assert values(desk, old, "answer", "solution", "over") == ["met", "missed", 3_600]
    assert values(desk, old, "solve_by") == [at("02 14:00")]


@pytest.mark.sqlite_suffices
def test_a_deadline_may_count_from_another_moment_and_end_with_the_answer(desk):
    assert desk[ANNA].send("/tickets/create", {"title": "Mine"}).status_int == 303
    (ticket_id,) = (record.id for record in desk.all("tickets"))
    assert values(desk, ticket_id, "reply_by") == [None]
    go_to(desk, "05 14:00")
    desk[ANNA].send(f"/tickets/{ticket_id}/comments", {"text": "Hello?"})
    assert values(desk, ticket_id, "reply_by", "status") == [at("05 16:00"), "new"]
    assert 'class="pill bad">Late</span>' not in desk[ANNA].get(f"/tickets/{ticket_id}/").text
    go_to(desk, "05 16:30")
    assert 'class="pill bad">Late</span>' in desk[NANCY].get(f"/tickets/{ticket_id}/").text
    desk[NANCY].send(f"/tickets/{ticket_id}/comments", {"text": "Here", "internal": "true"})
    assert values(desk, ticket_id, "answered") == [None]
    desk[NANCY].send(f"/tickets/{ticket_id}/comments", {"text": "Here"})
    assert values(desk, ticket_id, "status", "answered", "replied") == ["open", at("05 16:30"), at("05 16:30")]
    assert 'class="pill bad">Late</span>' not in desk[NANCY].get(f"/tickets/{ticket_id}/").text
    go_to(desk, "05 17:00")
    desk[ANNA].send(f"/tickets/{ticket_id}/comments", {"text": "Thanks, but"})
    assert values(desk, ticket_id, "reply_by", "replied") == [at("06 10:00"), None]
    go_to(desk, "06 09:00")
    desk[NANCY].send(f"/tickets/{ticket_id}/comments", {"text": "So"})
    assert values(desk, ticket_id, "answered", "replied") == [at("05 16:30"), at("06 09:00")]


@pytest.mark.sqlite_suffices
def test_a_record_that_a_comment_renames_is_found_by_its_new_name_in_others(desk):
    first = desk.link("calls", name="First")
    desk.add("calls", name="Second", earlier=first)
    assert desk[NANCY].titles("/calls/?q=first") == ["Second", "First"]
    desk[NANCY].send(f"/calls/{first.id}/comments", {"text": "Done"})
    assert desk[NANCY].titles("/calls/?q=first") == []
    assert desk[NANCY].titles("/calls/?q=answered") == ["Answered", "Second"]


def imported(desk: World, folder, rows: str, key: str | None = None) -> None:
    file = folder / "tickets.csv"
    file.write_text(rows)
    with writing(desk.portal.engine) as connection:
        assert import_file(desk.records(connection, "tickets"), open_source(file), ImportOptions(key=key)).bad == []
