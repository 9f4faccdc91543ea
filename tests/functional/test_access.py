"""Who may do what: profile × module × action → answer, written by hand; and fields that may not be read anywhere."""

import datetime

import pytest

from tests.functional.world import ANNA, BRUNO, CARLA, DARIO, EDDA, NANCY, NOW

pytestmark = pytest.mark.sqlite_suffices

# What each profile may do with the records that it sees; everything else is not found.
SEES = {"list", "see"}
WRITES = SEES | {"create", "edit", "delete"}
CUSTOMER = {
    "requests": SEES | {"create", "comment", "resolve", "reopen", "close"},
    "things": SEES | {"create", "export"},
    "projects": SEES,
    "tasks": SEES,
    "milestones": SEES,
    "remarks": SEES,
    "services": SEES,
    "categories": SEES,
    "articles": SEES,
    "people": SEES | {"edit"},
    "companies": SEES,
    "ledgers": set(),
    "portal_account": set(),
}
POWER = CUSTOMER | {"requests": SEES | {"create", "edit", "comment", "watch", "export", "resolve", "reopen", "close"}}
STAFF = {
    "requests": WRITES | {"comment", "watch", "export", "ask_back", "resolve", "reopen", "close"},
    "things": WRITES | {"export"},
    "projects": WRITES | {"watch"},
    "tasks": WRITES | {"watch"},
    "milestones": WRITES | {"watch"},
    "remarks": WRITES,
    "services": WRITES | {"watch"},
    "categories": WRITES,
    "articles": WRITES | {"watch"},
    "people": WRITES,
    "companies": WRITES,
    "ledgers": WRITES | {"export", "import"},
    "portal_account": set(),
}
MATRIX = [
    (person, module, granted)
    for person, profile in ((ANNA, CUSTOMER), (BRUNO, POWER), (NANCY, STAFF))
    for module, granted in profile.items()
]
# Every action: its method, its address, and its answer if it is granted.
ACTIONS = {
    "list": ("GET", "/{module}/", 200),
    "see": ("GET", "/{module}/{id}/", 200),
    "create": ("GET", "/{module}/create", 200),
    "edit": ("GET", "/{module}/{id}/edit", 200),
    "delete": ("GET", "/{module}/{id}/delete", 200),
    "export": ("GET", "/{module}/export.csv", 200),
    "import": ("GET", "/{module}/import", 200),
    "comment": ("POST", "/{module}/{id}/comments", 422),
    "watch": ("POST", "/{module}/{id}/watchers", 422),
    "ask_back": ("GET", "/{module}/{id}/move/ask_back", 200),
    "resolve": ("GET", "/{module}/{id}/move/resolve", 200),
    "reopen": ("GET", "/{module}/{id}/move/reopen", 303),  # nothing to ask: the record is new
    "close": ("GET", "/{module}/{id}/move/close", 303),
    "grant": ("GET", "/{module}/{id}/access", 200),
    "made_up": ("POST", "/{module}/{id}/made_up", 200),
}
# Also what is seen and posted.
POSTED = ("create", "edit", "delete", "resolve", "ask_back", "reopen", "close")

# The same for programs: if the action is granted, each is refused only for its content.
API_ACTIONS = {
    "list": ("GET", "{module}", 200),
    "see": ("GET", "{module}/{id}", 200),
    "create": ("POST", "{module}", 422),
    "edit": ("PATCH", "{module}/{id}", 422),
    "delete": ("DELETE", "{module}/{id}", 412),
    "comment": ("POST", "{module}/{id}/comments", 422),
    "ask_back": ("POST", "{module}/{id}/move/ask_back", 422),
    "resolve": ("POST", "{module}/{id}/move/resolve", 422),
    "reopen": ("POST", "{module}/{id}/move/reopen", 422),
    "close": ("POST", "{module}/{id}/move/close", 422),
}

# A record in each module that all three see, by title.
SHARED = {
    **{"requests": "Anna's request", "people": "Anna Rossi", "companies": "Acme", "projects": "Acme's project"},
    **{"tasks": "Acme's task", "milestones": "Acme's milestone", "remarks": "Acme's remark", "things": "Thing"},
    **{"services": "Printing", "categories": "Paper", "articles": "Public", "ledgers": "Ledger"},
}


def fill(world):
    """Records of Acme, of Globex, and ones that only the supplier sees."""
    world.add("ledgers", name="Ledger")
    world.add("articles", name="Public", published=True)
    world.add("articles", name="Draft", published=False)
    world.add("things", name="Thing", secret="hushword", unlisted="offlistword", words=("seen",))
    for company, person, colleague, service in (
        ("Acme", "Anna Rossi", "Bruno Verdi", "Printing"),
        ("Globex", "Carla Neri", "Dario Blu", "Scanning"),
    ):
        firm, first = world.the("companies", company), person.partition(" ")[0]
        offered = world.link("services", name=service, customers=(firm,), price="hushprice")
        category = {"Printing": "Paper", "Scanning": "Glass"}[service]
        world.add("categories", name=category, service=offered)
        for whose, who in ((f"{company}'s", person), (f"{colleague.partition(' ')[0]}'s", colleague)):
            owner = world.the("people", who)
            project = world.link("projects", name=f"{whose} project", contact=owner, company=firm)
            world.add("tasks", name=f"{whose} task", project=project)
            world.add("milestones", name=f"{whose} milestone", project=project)
            world.add("remarks", name=f"{whose} remark", about=(project,))
        for name, who in ((first, person), (colleague.partition(" ")[0], colleague)):
            owner = world.the("people", who)
            world.add(
                "requests", name=f"{name}'s request", body="Words", caller=owner, company=firm, service=offered,
                hidden_note="offlistword", budget=7,
            )  # fmt: skip
    world.add("milestones", name="Loose milestone")
    world.add("remarks", name="Loose remark")
    alone = world.the("people", "Edda Sola")
    world.add("requests", name="Edda's request", body="Words", caller=alone, service=world.the("services", "Printing"))
    world.add("projects", name="Edda's project", contact=alone)


def address_of(world, module, action):
    template = ACTIONS[action][1]
    identity = world.the(module, SHARED[module]).id if module in SHARED else 1
    return template.format(module=module, id=identity)


@pytest.mark.parametrize(("person", "module", "granted"), MATRIX)
def test_a_profile_may_do_what_it_was_given_and_nothing_else(filled, person, module, granted):
    browser = filled[person]
    for action, (method, _template, status) in ACTIONS.items():
        address = address_of(filled, module, action)
        answer = browser.see(address) if method == "GET" else browser.send(address)
        expected = status if action in granted else 404
        assert answer.status_int == expected, f"{action}: {method} {address}"


@pytest.mark.parametrize(("person", "module", "granted"), MATRIX)
def test_what_is_not_granted_changes_nothing_when_it_is_posted(filled, person, module, granted):
    before = filled.rows()
    for action in POSTED:
        if action not in granted:
            form = {"name": "Forged", "phone": "1", "comment": "x", "satisfaction": "5"}
            assert filled[person].send(address_of(filled, module, action), form).status_int == 404, action
    assert filled.rows() == before


@pytest.mark.parametrize("person", [ANNA, BRUNO, NANCY])
def test_a_program_may_do_what_its_person_may_and_nothing_else(filled, person):
    program = filled.program(person)
    before = filled.rows()
    for _person, module, granted in [row for row in MATRIX if row[0] == person]:
        record_id = filled.the(module, SHARED[module]).id if module in SHARED else 1
        for action, (method, template, status) in API_ACTIONS.items():
            address = template.format(module=module, id=record_id)
            headers = {"If-Match": '"0"'} if method == "DELETE" else {}
            answer = program.call(method, address, {"invented": 1} if method != "GET" else None, **headers)
            assert answer.status_int == (status if action in granted else 404), f"{action}: {method} {address}"
    assert filled.rows() == before


@pytest.mark.parametrize(
    ("person", "module", "seen"),
    [
        (ANNA, "requests", ["Anna's request"]),
        (BRUNO, "requests", ["Anna's request", "Bruno's request"]),
        (DARIO, "requests", ["Carla's request", "Dario's request"]),
        (EDDA, "requests", ["Edda's request"]),
        (NANCY, "requests", [f"{name}'s request" for name in ("Anna", "Bruno", "Carla", "Dario", "Edda")]),
        (ANNA, "projects", ["Acme's project"]),
        (BRUNO, "projects", ["Acme's project", "Bruno's project"]),
        (EDDA, "projects", ["Edda's project"]),
        (ANNA, "tasks", ["Acme's task"]),
        (BRUNO, "tasks", ["Acme's task", "Bruno's task"]),
        (EDDA, "tasks", []),
        (ANNA, "milestones", ["Acme's milestone"]),
        (BRUNO, "milestones", ["Acme's milestone", "Bruno's milestone"]),
        (ANNA, "remarks", ["Acme's remark"]),
        (BRUNO, "remarks", ["Acme's remark", "Bruno's remark"]),
        (EDDA, "remarks", []),
        (ANNA, "services", ["Printing"]),
        (CARLA, "services", ["Scanning"]),
        (EDDA, "services", []),
        (ANNA, "categories", ["Paper"]),
        (EDDA, "categories", []),
        (ANNA, "articles", ["Public"]),
        (NANCY, "articles", ["Draft", "Public"]),
        (ANNA, "people", ["Anna Rossi"]),
        (BRUNO, "people", ["Anna Rossi", "Bruno Verdi"]),
        (EDDA, "people", ["Edda Sola"]),
        (ANNA, "companies", ["Acme"]),
        (EDDA, "companies", []),
    ],
)
def test_a_scope_shows_these_records_on_every_path(filled, person, module, seen):
    browser = filled[person]
    assert sorted(browser.titles(f"/{module}/?tab=all")) == seen
    if module in ("requests", "projects", "tasks", "milestones", "remarks"):  # their names have a word in common
        assert sorted(browser.titles(f"/{module}/?tab=all&q={module[:-1]}")) == seen
    program = filled.program(person)
    listed = program.call("GET", module, status=200).json["records"]
    assert sorted(record["_title"] for record in listed) == seen
    for record in filled.all(module):
        expected = 200 if record.title in seen else 404
        assert browser.see(f"/{module}/{record.id}/").status_int == expected, record.title
        assert program.call("GET", f"{module}/{record.id}").status_int == expected, record.title


def test_an_unpublished_article_is_found_nowhere(filled):
    draft = filled.the("articles", "Draft").id
    assert filled[ANNA].see(f"/articles/{draft}/").status_int == 404
    for query in ("articles/", "articles/?q=draft", "search?q=draft", "articles/?name=draft", f"articles/?id={draft}"):
        assert f"/articles/{draft}/" not in filled[ANNA].get(f"/{query}")


# -- fields ------------------------------------------------------------------------------------------------------------

UNREADABLE = [
    *(("things", "secret", "hushword"), ("things", "unlisted", "offlistword")),
    *(("requests", "hidden_note", "offlistword"), ("services", "price", "hushprice")),
]


@pytest.mark.parametrize(("module", "field", "word"), UNREADABLE)
@pytest.mark.parametrize("person", [ANNA, BRUNO])
def test_a_field_that_may_not_be_read_appears_nowhere(filled, person, module, field, word):
    browser = filled[person]
    identity = filled.the(module, SHARED[module]).id
    pages = ("?tab=all", f"{identity}/", "create", f"{identity}/edit", "export.csv?tab=all")
    for page in (*(f"/{module}/{page}" for page in pages), "/"):
        answer = browser.see(page)
        assert word not in answer, page
        assert f'"{field}' not in answer, page
        assert field.capitalize().replace("_", " ") not in answer, page


@pytest.mark.parametrize(("module", "field", "word"), UNREADABLE)
def test_a_field_that_may_not_be_read_is_neither_searched_nor_filtered_nor_sorted(filled, module, field, word):
    anna = filled[ANNA]
    everything = anna.titles(f"/{module}/?tab=all")
    assert anna.titles(f"/{module}/?tab=all&q={word}") == []
    assert "No results for" in anna.get(f"/search?q={word}")
    filters = (f"{field}{test}" for test in (f"={word}", "=nonsense", ".empty=1", ".min=zzz"))
    for asked in (*filters, f"sort={field}", f"sort=-{field}"):
        assert anna.titles(f"/{module}/?tab=all&{asked}") == everything, asked


def test_staff_find_by_internal_fields(filled):
    assert filled[NANCY].titles("/things/?q=hushword") == ["Thing"]
    assert "hushword" in filled[NANCY].get(f"/things/{filled.the('things', 'Thing').id}/")


def test_an_export_holds_the_columns_of_the_list_and_the_rows_of_the_scope(filled):
    text = filled[BRUNO].get("/requests/export.csv?tab=all").text
    assert "Anna's request" in text
    assert "Bruno's request" in text
    assert "Carla" not in text
    assert "offlistword" not in text
    assert text.count("\n") == 3


def test_a_transition_does_not_show_a_state_that_may_not_be_read(filled):
    shown = filled[ANNA].get(f"/requests/{filled.the('requests', SHARED['requests']).id}/")
    assert "/move/resolve" in shown
    assert "/move/ask_back" not in shown
    assert "/move/reopen" not in shown


# -- links -------------------------------------------------------------------------------------------------------------


def test_a_link_to_what_may_not_be_seen_shows_its_title_and_no_way_there(world):
    globex = world.the("companies", "Globex")
    thing = world.add("things", name="Thing", owner=globex, makers=(globex, world.the("companies", "Acme")))
    for address in ("/things/", f"/things/{thing}/"):
        page = world[ANNA].get(address)
        assert "Globex" in page
        assert f"/companies/{globex.id}/" not in page
        assert f"/companies/{world.the('companies', 'Acme').id}/" in page
    assert f"/companies/{globex.id}/" in world[NANCY].get(f"/things/{thing}/")


def test_what_links_here_is_shown_within_the_scope(world):
    acme, globex = world.the("companies", "Acme"), world.the("companies", "Globex")
    service = world.link("services", name="Shared", customers=(acme, globex))
    for person, company in (("Anna Rossi", acme), ("Carla Neri", globex)):
        caller = world.the("people", person)
        world.add("requests", name=f"By {person}", body="x", caller=caller, company=company, service=service)
    page = world[ANNA].get(f"/services/{service.id}/")
    assert "By Anna" in page
    assert "Carla" not in page
    assert "By Carla" in world[NANCY].get(f"/services/{service.id}/")


# -- records from a date -----------------------------------------------------------------------------------------------


def test_the_first_visible_day_hides_older_posts_but_not_the_catalog(world):
    old, new = NOW - datetime.timedelta(days=30), NOW - datetime.timedelta(days=1)
    given = world.for_request() | {"body": "word"}
    older = world.add("requests", name="Older", created=old, **given)
    newer = world.add("requests", name="Newer", created=new, **given)
    world.add("articles", name="Ancient", published=True, created=old)
    world.account(BRUNO, records_from=datetime.date(2026, 3, 1))
    bruno = world[BRUNO]
    assert bruno.titles("/requests/") == ["Newer"]
    assert bruno.titles("/requests/?q=word") == ["Newer"]
    assert "1–1 of 1" in bruno.get("/requests/")
    assert bruno.see(f"/requests/{older}/").status_int == 404
    assert bruno.see(f"/requests/{newer}/").status_int == 200
    assert "Older" not in bruno.get("/requests/export.csv")
    assert "Older" not in bruno.get("/search?q=older")
    assert bruno.titles("/articles/") == ["Ancient"], "a module without comments is no post"
    world.account(BRUNO, records_from=datetime.date(2026, 3, 6))
    assert bruno.titles("/requests/") == []
    assert bruno.titles("/companies/") == ["Acme"]
    assert bruno.titles("/services/") == ["Printing"]
    assert bruno.titles("/people/") == ["Bruno Verdi", "Anna Rossi"]


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_another_profile_and_another_company_are_in_force_with_the_next_request(world):
    world.add("requests", name="Bruno's", **world.for_request("Bruno Verdi"))
    anna = world[ANNA]
    assert anna.titles("/requests/") == []
    world.account(ANNA, profile="power")
    assert anna.titles("/requests/") == ["Bruno's"]
    world.set("people", world.the("people", "Anna Rossi").id, company=world.the("companies", "Globex"))
    assert anna.titles("/requests/") == []
    assert anna.titles("/services/") == []


def test_a_request_that_changes_hands_is_gone_for_who_had_it(world):
    request = world.add("requests", name="Moving", **world.for_request())
    assert world[ANNA].titles("/requests/?q=moving") == ["Moving"]
    world.set("requests", request, caller=world.the("people", "Bruno Verdi"))
    assert world[ANNA].titles("/requests/?q=moving") == []
    assert world[ANNA].see(f"/requests/{request}/").status_int == 404


def test_a_scope_through_another_record_follows_it_at_once(world):
    project = world.link("projects", name="P", contact=world.the("people", "Anna Rossi"))
    milestone = world.add("milestones", name="Milestone", project=project)
    remark = world.add("remarks", name="Remark", about=(project,))
    assert world[ANNA].titles("/milestones/?q=milestone") == ["Milestone"]
    assert world[ANNA].titles("/remarks/?q=remark") == ["Remark"]
    world.set("projects", project.id, contact=world.the("people", "Carla Neri"))
    for module, identity in (("milestones", milestone), ("remarks", remark)):
        assert world[ANNA].titles(f"/{module}/") == world[ANNA].titles(f"/{module}/?q=m") == []
        assert world[ANNA].see(f"/{module}/{identity}/").status_int == 404
        assert world[CARLA].see(f"/{module}/{identity}/").status_int == 200
    other = world.link("projects", name="Q", contact=world.the("people", "Anna Rossi"))
    world.set("remarks", remark, about=(project, other))
    assert world[ANNA].titles("/remarks/") == ["Remark"]
