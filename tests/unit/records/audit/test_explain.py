"""Why someone may or may not: the same answer as the portal's, with the deciding lines."""

import datetime
from pathlib import Path

import pytest

from portal.accounts.accounts import find_account, load_account
from portal.accounts.identity import Identity, admit, admit_everyone, identify
from portal.database.engine import reading
from portal.declaration.load import load
from portal.declaration.shapes import Expectation
from portal.declaration.source.places import Places
from portal.records.audit.audience import outcomes
from portal.records.audit.deciding_line import deciding_lines
from portal.records.audit.expectations import check_expectations, check_named_records
from portal.records.audit.explain import ExplainStep, explain
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from portal.texts import translate
from tests.functional.world import ANNA, BRUNO, EDDA, NANCY, World
from tests.portal_files import write_portal

SMALL = Path(__file__).parents[3] / "portals" / "small"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World.of("wide", f"sqlite:///{tmp_path_factory.mktemp('explained') / 'portal.sqlite'}")
    values = world.for_request()
    for name, who in (("Anna's", "Anna Rossi"), ("Bruno's", "Bruno Verdi"), ("Watched", "Anna Rossi")):
        world.add("requests", name=name, **values | {"caller": world.the("people", who)})
    edda = str(world.the("people", "Edda Sola").id)
    world[NANCY].send(f"/requests/{world.the('requests', 'Watched').id}/watchers", {"add": edda}, status=303)
    world.add("articles", name="Draft", published=False)
    yield world
    world.portal.engine.dispose()


def policy_of(world, connection, email):
    portal = world.portal
    account = find_account(connection, portal.tables, email)
    return account and identify(connection, portal.tables, account, now=world.clock.now).policy


def steps(world, email, *asked):
    with reading(world.portal.engine) as connection:
        return list(explain(connection, policy_of(world, connection, email), *asked))


@pytest.mark.parametrize(
    ("email", "asked", "holds", "sentence"),
    [
        (ANNA, ("requests", "R0001"), True, "“see: own” covers R0001"),
        (ANNA, ("requests", "1"), True, "“see: own” covers R0001"),
        (ANNA, ("requests", "R0002"), False, "“see: own” does not cover R0002"),
        (BRUNO, ("requests", "R0001"), True, "“see: organization” covers R0001"),
        (EDDA, ("requests", "R0001"), False, "does not cover R0001"),
        (NANCY, ("requests", "R0002"), True, "“see: all” covers R0002"),
        (EDDA, ("requests", "R0003"), True, "watches R0003: added by Nancy Smith"),
        (BRUNO, ("requests", "R0003", "help"), False, "help is reserved for helpers, which does not"),
        (ANNA, ("ledgers", "1"), False, "does not have the module ledgers"),
        (ANNA, ("articles", "Draft"), False, "the “where” condition is not met"),
        (ANNA, ("requests", "R0001", "body"), True, "a layout of requests shows"),
        (ANNA, ("requests", "R0001", "reference"), True, "identifies records of"),
        (ANNA, ("requests", "R0001", "hidden_note"), False, "no layout"),
        (ANNA, ("requests", "R0001", "budget"), False, "is internal"),
        (NANCY, ("requests", "R0001", "budget"), True, "a layout of requests shows"),
        (ANNA, ("requests", "R0001", "edit"), False, "does not grant edit"),
        (ANNA, ("requests", "R0001", "comment"), True, "grants comment"),
        (ANNA, ("requests", "R0001", "resolve"), True, "resolve starts in the state new"),
        (ANNA, ("requests", "R0001", "reopen"), False, "does not start in the state new"),
        (ANNA, ("requests", "R0001", "ask_back"), False, "does not grant ask_back"),
    ],
)
def test_the_last_step_is_the_answer(world, email, asked, holds, sentence):
    found = steps(world, email, *asked)
    assert found[-1].holds is holds
    assert sentence in translate(found[-1].sentence, "en")
    assert all(step.holds for step in found[:-1])


def test_a_date_from_which_records_are_visible_is_a_reason(world):
    world.account(BRUNO, records_from=datetime.date(2026, 3, 6))
    found = steps(world, BRUNO, "requests", "R0002")
    assert not found[-1].holds
    assert "R0002 is older" in translate(found[-1].sentence, "en")
    world.account(BRUNO, records_from=None)


def test_all_readers_at_once_get_the_same_answer_as_each_alone(world):
    portal = world.portal
    world.account(BRUNO, records_from=datetime.date(2026, 3, 6))
    steps_of = {"module": "module", "see": "cover", "where": "where", "day": "older", "watches": "watches"}
    with reading(portal.engine) as connection:
        everyone = admit_everyone(connection, portal.tables, now=world.clock.now)
        admitted = {account.id: identity.policy for account, identity in everyone if isinstance(identity, Identity)}
        assert len(admitted) > 4
        for account, policy in admitted.items():
            alone = admit(
                connection, portal.tables, load_account(connection, portal.tables, account), now=world.clock.now
            )
            assert alone.policy == policy
        for module in portal.declaration.modules:
            for record in Records(connection, system_policy(portal.tables), module).page(Query(), []).records:
                together = outcomes(connection, admitted, module, record)
                for account, policy in admitted.items():
                    alone = list(explain(connection, policy, module, record.id))
                    assert (together[account] in ("sees", "watches")) is alone[-1].holds
                    assert any(steps_of.get(together[account], "") in str(step.sentence) for step in alone)
    world.account(BRUNO, records_from=None)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("requests", "9999"), 'has no record "9999": write its reference, such as R0003'),
        (("companies", "Nobody"), 'has no record "Nobody"'),
        (("requests", "Twice"), '"Twice" means several records of requests: write R0004 or R0005'),
        (("requests", "R0001", "fly"), "fly"),
    ],
)
def test_what_does_not_exist_is_said(world, asked, sentence):
    rows = world.rows()
    for _ in range(2) if asked[1] == "Twice" else ():
        world.add("requests", **world.for_request() | {"name": "Twice", "service": world.the("services", "Printing")})
    with pytest.raises(LookupError, match=sentence):
        steps(world, ANNA, *asked)
    world.put_back(rows)


# -- expectations against the records --


class HERE:
    """Places that need no file."""

    @staticmethod
    def problem(file, keys, message, warning=False):
        return (file, keys, message, warning)


@pytest.mark.parametrize(
    ("expected", "messages"),
    [
        ({"as": ANNA, "sees": ["R0001"], "hides": ["R0002"]}, []),
        ({"as": ANNA, "sees": ["R0002"]}, ["does not see R0002"]),
        ({"as": ANNA, "hides": ["R0001"]}, ["sees R0001"]),
        ({"as": ANNA, "sees": ["R9999"]}, ["there is no record R9999"]),
        ({"as": "nobody@x.example"}, ["there is no account"]),
        ({"as": BRUNO}, ["has the profile power, not customer"]),
    ],
)
def test_expectations_are_held_against_the_records(world, expected, messages):
    declaration = world.portal.declaration
    profile = declaration.profiles["customer"]
    wanted = (Expectation.model_validate({"module": "requests", **expected}),)
    changed = declaration.model_copy(update={"profiles": {"customer": profile.model_copy(update={"expect": wanted})}})
    with reading(world.portal.engine) as connection:
        found = list(check_expectations(connection, changed, HERE(), lambda email: policy_of(world, connection, email)))
    assert len(found) == len(messages)
    assert all(message in problem[2] for message, problem in zip(messages, found, strict=True))


def test_names_of_records_are_looked_for(world):
    portal = world.portal
    with reading(portal.engine) as connection:
        assert list(check_named_records(connection, portal.tables, HERE())) == []
    printing = world.the("services", "Printing")
    world.set("services", printing.id, name="Plotting")
    with reading(portal.engine) as connection:
        (problem,) = check_named_records(connection, portal.tables, HERE())
    assert problem[0] == "buttons.yaml"
    assert 'no record "Printing" in services' in problem[2]
    assert problem[3], "a warning"
    world.add("services", name="Printing")
    world.set("services", printing.id, name="Printing")
    with reading(portal.engine) as connection:
        (problem,) = check_named_records(connection, portal.tables, HERE())
    assert "several records of services" in problem[2]
    assert not problem[3]


@pytest.mark.parametrize(
    ("profile", "step", "line"),
    [
        # The extended profile grants what the profile itself does not mention.
        (
            "power",
            ExplainStep(True, "", (("modules", "people", "can"), ("modules", "people")), word="edit"),
            ("customer", "edit"),
        ),
        ("power", ExplainStep(True, "", (("modules", "tickets", "can"),), word="export"), ("power", "export")),
        # The closest `can` decides what is not granted.
        ("power", ExplainStep(False, "", (("modules", "tickets", "can"), ("modules", "tickets"))), ("power", "can")),
        ("power", ExplainStep(True, "", (("modules", "tickets", "see"),)), ("power", "see")),
        ("power", ExplainStep(True, "", (("modules", "articles"),)), ("customer", "articles")),
        (
            "customer",
            ExplainStep(True, "", (("modules", "tickets", "create"),), word="article"),
            ("customer", "article"),
        ),
        (
            "power",
            ExplainStep(True, "", (("modules", "tickets", "list", "columns"),), word="urgency"),
            ("modules", "urgency"),
        ),
    ],
)
def test_a_step_names_the_line_that_decided(profile, step, line):
    places, declaration = Places(SMALL), load(SMALL).declaration
    (decided,) = deciding_lines(places, declaration, step, profile)
    file, number, column = decided.place.split(":")
    assert Path(file).stem == line[0]
    written = (SMALL / file).read_text(encoding="utf-8").splitlines()[int(number) - 1]
    assert written[int(column) - 1 :].startswith(line[1])
    assert decided.text == written.strip()


def test_conditions_that_are_joined_are_all_named(tmp_path):
    modules = "modules: {notes: {see: all, fields: {title: text, open: boolean}}}\n"
    customer = "modules:\n  notes: {where: {open: true}}\n"
    narrower = "extends: customer\nmodules:\n  notes: {where: {title: {empty: false}}}\n"
    write_portal(tmp_path, modules, customer=customer, power=narrower)
    step = ExplainStep(False, "", (("modules", "notes", "where"),), joined=True)
    lines = deciding_lines(Places(tmp_path), load(tmp_path).declaration, step, "power")
    assert list(map(str, lines)) == ["profiles/power.yaml:3:11", "profiles/customer.yaml:2:11"]
