"""What is built once for all people with a profile is right for each of them, at every moment."""

import datetime
import functools
import gc

import pytest
import sqlalchemy as sa

from portal.accounts.giving_access import AccessRequest
from portal.database import fetching
from portal.database.engine import reading
from portal.records.statement_cache import IDS
from portal.rendering.templates import shared_templates
from tests.functional.conftest import without_tokens
from tests.functional.world import ANNA, BRUNO, CARLA, DARIO, NANCY, NOW, titles, written_world

DAYS = """
portal: {name: Days, base_url: http://localhost}
people: people
modules:
  people: {title: name, fields: {name: text, email: {type: email, unique: true}}}
  tasks:
    title: name
    fields: {name: text, day: date, moment: datetime, kind: {type: choice, options: [a, b, c]}}
    list:
      columns: [name, day, moment]
      sort: name
      tabs:
        today: {where: {day: today}}
        past: {where: {moment: {before: now}}}
        neither: {where: {kind: {not: [c, a, a]}}}
"""
DAY, HOUR = datetime.timedelta(days=1), datetime.timedelta(hours=1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request):
    """A portal whose tabs depend on the day and the moment."""
    people = [AccessRequest(ANNA, "all", "Anna Rossi")]
    with written_world(request, DAYS, people, all="modules: {people: {see: all}, tasks: {see: all}}\n") as world:
        world.kept = world.rows()
        yield world


@pytest.fixture
def days(opened):
    """The same; what a test writes is rolled back."""
    yield opened
    opened.put_back(opened.kept)


@pytest.fixture
def shop(world):
    for company, people in (("Acme", ("Anna Rossi", "Bruno Verdi")), ("Globex", ("Carla Neri", "Dario Blu"))):
        for name in people:
            owner, home = world.the("people", name), world.the("companies", company)
            service = world.link("services", name=f"For {name}", customers=(home,))
            world.add("requests", name=f"Of {name}", body="x", caller=owner, company=home, service=service)
    return world


def test_people_of_one_profile_see_their_own_in_turn(shop):
    for _again in range(2):
        assert titles(shop[ANNA].get("/requests/?tab=all")) == ["Of Anna Rossi"]
        assert titles(shop[CARLA].get("/requests/?tab=all")) == ["Of Carla Neri"]
        assert titles(shop[BRUNO].get("/requests/?tab=all")) == ["Of Bruno Verdi", "Of Anna Rossi"]
        assert titles(shop[DARIO].get("/requests/?tab=all")) == ["Of Dario Blu", "Of Carla Neri"]


@pytest.mark.sqlite_suffices
def test_the_counts_of_one_are_not_those_of_another(shop):
    shop.add("requests", name="One more", body="x", caller=shop.the("people", "Anna Rossi"))
    for _again in range(2):
        assert "1–2 of 2" in shop[ANNA].get("/requests/?tab=all")
        assert "1–1 of 1" in shop[CARLA].get("/requests/?tab=all")


def test_a_shared_statement_does_not_run_without_the_values_of_a_reader(shop):
    record_id = shop.the("requests", "Of Anna Rossi").id
    for path in ("", "?tab=all&sort=name", "?tab=all&sort=service", f"{record_id}/"):
        shop[ANNA].get(f"/requests/{path}")
    shared = shop.portal.tables.shared_policies.items()
    policies = [policy for kind, policy in shared if kind.companies and policy.modules["requests"].see != "all"]
    built = [
        value for policy in policies for key, value in policy.statements._built.items() if key.module == "requests"
    ]
    parts = [part for value in built for part in (value if isinstance(value, tuple) else (value,))]
    statements = [part for part in parts if isinstance(part, sa.Select | sa.CompoundSelect)]
    assert len(statements) > 5
    with reading(shop.portal.engine) as connection:
        for statement in statements:
            with pytest.raises(sa.exc.StatementError, match="A value is required for bind parameter"):
                connection.execute(statement, {IDS: [1]})


def test_what_is_typed_is_given_to_statements_that_are_built_once(shop):
    def built():
        return sum(len(policy.statements) for policy in shop.portal.tables.shared_policies.values())

    def found(email, filters):
        page = shop[email].get(f"/requests/?tab=all&{filters}")
        names = titles(page)
        assert (f"1–{len(names)} of {len(names)}" if names else "No results") in page
        return names

    assert found(BRUNO, "name=bruno") == ["Of Bruno Verdi"]
    assert found(DARIO, "name=of&created.min=2020-01-01") == ["Of Dario Blu", "Of Carla Neri"]
    before = built()
    assert found(BRUNO, "name=anna") == ["Of Anna Rossi"]
    assert found(DARIO, "name=anna") == []
    assert found(DARIO, "name=blu&created.min=2020-01-02") == ["Of Dario Blu"]
    assert found(BRUNO, "name=of&created.min=2120-01-01") == []
    assert built() == before
    for _again in range(2):  # what a text finds behind a link is within the rights of who types it
        assert found(BRUNO, "service=for") == ["Of Bruno Verdi", "Of Anna Rossi"]
        assert found(DARIO, "service=for") == ["Of Dario Blu", "Of Carla Neri"]
        assert found(DARIO, "service=anna") == []
    many = "&".join(f"name=x{place}" for place in range(20))
    assert found(BRUNO, f"{many}&name=bruno") == ["Of Bruno Verdi"]
    assert found(BRUNO, f"{many}&name=verdi") == ["Of Bruno Verdi"]


@pytest.mark.sqlite_suffices
def test_a_person_who_changes_company_sees_the_new_company_s_records(shop):
    assert titles(shop[BRUNO].get("/requests/?tab=all")) == ["Of Bruno Verdi", "Of Anna Rossi"]
    shop.set("people", shop.the("people", "Bruno Verdi").id, company=shop.the("companies", "Globex"))
    assert titles(shop[BRUNO].get("/requests/?tab=all")) == ["Of Dario Blu", "Of Carla Neri", "Of Bruno Verdi"]
    shop.set("people", shop.the("people", "Bruno Verdi").id, company=None)
    assert titles(shop[BRUNO].get("/requests/?tab=all")) == ["Of Bruno Verdi"]


@pytest.mark.sqlite_suffices
def test_a_tab_of_today_is_another_one_tomorrow(days):
    today = NOW.date()
    for name, day in (("Yesterday", today - DAY), ("Today", today), ("Tomorrow", today + DAY)):
        days.add("tasks", name=name, day=day)
    assert titles(days[ANNA].get("/tasks/?tab=today")) == ["Today"]
    days.clock.now += DAY
    page = days.signed_in(ANNA).get("/tasks/?tab=today")
    assert titles(page) == ["Tomorrow"]
    assert "1–1 of 1" in page


def test_a_tab_of_now_is_another_one_an_hour_later(days):
    for name, moment in (("Past", NOW - HOUR), ("Soon", NOW + HOUR / 2)):
        days.add("tasks", name=name, moment=moment)
    assert titles(days[ANNA].get("/tasks/?tab=past")) == ["Past"]
    days.clock.now += HOUR
    assert titles(days[ANNA].get("/tasks/?tab=past")) == ["Past", "Soon"]


@pytest.mark.parametrize("sort", ["", "&sort=-name"])
def test_a_key_that_cannot_be_read_leads_to_the_first_page_and_changes_nobody_else_s(days, sort):
    for number in range(30):
        days.add("tasks", name=f"Task {number:02}", moment=NOW - HOUR)
    days.add("tasks", name="Other", day=NOW.date())
    first = titles(days[ANNA].get(f"/tasks/?before=zzz&tab=past{sort}"))
    assert len(first) == 25
    assert titles(days[ANNA].get(f"/tasks/?tab=past{sort}")) == first
    assert titles(days[ANNA].get(f"/tasks/?tab=today&before=zzz{sort}")) == ["Other"]
    assert first == sorted(first, reverse=bool(sort))


def test_a_tab_without_some_options_counts_what_has_none(days):
    for name, kind in (("A", "a"), ("B", "b"), ("C", "c"), ("None", None)):
        days.add("tasks", name=name, kind=kind)
    page = days[ANNA].get("/tasks/?tab=neither")
    assert titles(page) == ["B", "None"]
    assert "1–2 of 2" in page


def built_for(world, email, path):
    """The statements that SQLAlchemy executes for a page that was asked for often: those that were built for it."""
    built: list[str] = []
    for _again in range(4):
        world[email].get(path)
    engine = world.portal.engine
    sa.event.listen(engine, "before_execute", note := lambda *call: built.append(str(call[1].compile(engine))))
    try:
        world[email].get(path)
    finally:
        sa.event.remove(engine, "before_execute", note)
    return built


@pytest.mark.sqlite_suffices
def test_pages_that_come_again_build_no_statements(shop):
    shown = {"requests": "Of Bruno Verdi", "companies": "Acme", "services": "For Bruno Verdi"}
    record_pages = [f"/{module}/{shop.the(module, name).id}/" for module, name in shown.items()]
    for path in ("/", "/requests/?tab=all", "/requests/create", *record_pages):
        assert built_for(shop, BRUNO, path) == [], path


@pytest.mark.sqlite_suffices
def test_a_tab_of_now_builds_no_statements(days):
    days.add("tasks", name="Past", moment=NOW - HOUR)
    for path in ("/tasks/", "/tasks/?tab=past"):
        assert built_for(days, ANNA, path) == [], path


@pytest.mark.sqlite_suffices
def test_what_links_here_is_each_record_s_own(shop):
    for _again in range(3):
        for company, people in (("Acme", "Bruno Verdi"), ("Globex", "Dario Blu")):
            page = shop[NANCY].get(f"/companies/{shop.the('companies', company).id}/")
            assert f"Of {people}" in page
            assert ("Of Dario Blu" in page) is (company == "Globex")


@pytest.mark.sqlite_suffices
def test_a_form_offers_each_of_one_profile_their_own_records(shop):
    for _again in range(3):
        of_bruno, of_dario = (shop[email].get("/requests/create") for email in (BRUNO, DARIO))
        assert "Anna Rossi" in of_bruno
        assert "Carla Neri" not in of_bruno
        assert "Carla Neri" in of_dario
        assert "Anna Rossi" not in of_dario


def kept_values():
    """The functools caches of the portal, but for those of what is read from files, which have no bound."""
    gc.unfreeze()  # conftest.py sets aside what was imported, which get_objects leaves out
    found = [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]
    gc.freeze()
    bounded = (each for each in found if each.cache_parameters()["maxsize"] is not None)
    return [each for each in bounded if each.__module__.startswith("portal.")]


@pytest.mark.sqlite_suffices
def test_what_is_kept_answers_each_as_if_nothing_were_kept(shop):
    readers = ((ANNA, "en-US"), (CARLA, "en-US"), (BRUNO, "en-GB"), (NANCY, "it"), (CARLA, "it"))
    people = [shop.the("people", name).id for name in ("Anna Rossi", "Carla Neri")]
    paths = ["/", "/requests/?tab=all&name=of", "/requests/create?_step=2", "/things/create", "/search?q=of"]
    paths += [f"/people/{person}/{page}" for person in people for page in ("", "edit")]
    paths += [f"/requests/{request.id}/" for request in shop.all("requests")[:1]]
    tables, of_functions = shop.portal.tables, kept_values()
    assert of_functions
    of_process = fetching._prepared, shared_templates(False)._cell_templates._cache
    of_portal = tables.shared_policies, tables.statements, tables.large, tables.search.info

    def forget():
        for kept in (*of_portal, *of_process):
            kept.clear()
        for kept in of_functions:
            kept.cache_clear()

    def seen(reader, path):
        email, language = reader
        return without_tokens(shop[email].see(path, headers={"Accept-Language": language}))

    alone = {}
    for reader in readers:
        for path in paths:
            forget()
            alone[reader, path] = seen(reader, path)
    forget()
    for path in paths:
        for reader in readers:
            assert seen(reader, path) == alone[reader, path], (reader, path)
    assert len({alone[reader, "/requests/?tab=all&name=of"] for reader in readers}) == len(readers)
