"""What one customer gets never depends on another: canaries, a crawl of every address, changes without effect."""

import io
import json
import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from portal.fields.address import Address
from portal.fields.linked_value import Linked
from portal.records.writing.history import Author
from portal.records.writing.pending_files import store_file
from portal.records.writing.writer import Writer
from tests.declared_views import BY_PROGRAMS, POSTED
from tests.functional.assistant import Assistant
from tests.functional.world import ANNA, BRUNO, CARLA, DARIO, EDDA, NANCY
from tests.workbooks import text_of

TENANTS = {"Acme": ("Anna Rossi", "Bruno Verdi"), "Globex": ("Carla Neri", "Dario Blu")}
# A word in every field of a company's records, and in nobody else's.
CANARY = {"Acme": "zqacme", "Globex": "zqglobex"}
INTERNAL = "zqintern"
OF = {ANNA: "Acme", DARIO: "Globex"}
OTHER = {"Acme": "Globex", "Globex": "Acme"}
MODULES = (
    *("requests", "projects", "tasks", "milestones", "remarks"),
    *("services", "categories", "articles", "people", "companies"),
)


def fill(world):
    for company, people in TENANTS.items():
        tenant(world, company, people)
    world.add("articles", name=f"{INTERNAL} draft", published=False)
    world.add("articles", name="For all", published=True)
    world.add("ledgers", name=INTERNAL)
    world.add("things", name="For all", secret=INTERNAL)


def tenant(world, company, people):
    word = CANARY[company]
    firm = world.the("companies", company)
    world.set("companies", firm.id, city=f"{word} city")
    service = world.link("services", name=f"{word} service", customers=(firm,), price=INTERNAL)
    category = world.link("categories", name=f"{word} category", service=service)
    for name in people:
        person = world.the("people", name)
        world.set("people", person.id, phone="+39 6 " + ("1111" if company == "Acme" else "2222"))
        project = world.link("projects", name=f"{word} project", contact=person, company=firm)
        world.add("tasks", name=f"{word} task", project=project)
        world.add("milestones", name=f"{word} milestone", project=project)
        world.add("remarks", name=f"{word} remark", about=(project,))
        request = world.add(
            "requests", name=f"{word} request", body=f"{word} body", caller=person, company=firm, service=service,
            category=category, helpers=(person,), where_to=Address(f"{word} street", "", f"{word} town"),
            labels=(f"{word} label",), code=f"{word} {name}", hidden_note=INTERNAL, status="waiting",
        )  # fmt: skip
        said(world, request, f"{word} comment")
        said(world, request, INTERNAL, internal=True)
        attached(world, request, f"{word} file.txt")
        attached(world, request, f"{INTERNAL} file.txt", internal=True)
        for colleague in people:
            if colleague != name:
                watch(world, request, world.the("people", colleague).id)


def attached(world, request, name, internal=False):
    comment_id = said(world, request, name, internal=True) if internal else None
    with writing(world.portal.engine) as connection:
        records = world.records(connection, "requests")
        content = io.BytesIO(name.encode())
        file = store_file(world.app.registry.store(), content, name, "text/plain", "requests")
        Writer(records, Author(name="Nancy")).attach(records.get(request), [file], comment_id=comment_id)


def watch(world, request, person):
    with writing(world.portal.engine) as connection:
        records = world.records(connection, "requests")
        Writer(records, Author(name="Nancy")).watch(records.get(request), person)


def said(world, request, text, internal=False):
    with writing(world.portal.engine) as connection:
        records = world.records(connection, "requests")
        return Writer(records, Author(name="Nancy")).add_comment(records.get(request), text, internal=internal)


# Parameters removed from addresses, as they multiply the same pages: how a list is sorted and arranged, and the
# examples in the search's help. `asked` has one of each.
REPEATED = re.compile(r"sort=|_panel=|q=.*(%3A|%E2%80%9C)")


def addresses_in(page, here: str) -> Iterator[str]:
    for address in re.findall(r'(?:href|action|data-find)="([^"]+)"', page.text):
        parts = urlsplit(urljoin(here, address.replace("&amp;", "&")))
        kept = "&".join(pair for pair in parts.query.split("&") if not REPEATED.match(pair))
        if (
            parts.scheme not in ("mailto", "tel")
            and parts.netloc in ("", "localhost")
            and not parts.path.startswith(("/static", "/-/", "/logout", "/language"))
        ):
            yield f"{parts.path}?{kept}" if kept else parts.path


def crawl(browser, start=("/",)) -> dict[str, object]:
    """Every page that can be reached by following addresses, including those of forms; things' columns once."""
    pages, waiting = {}, list(start)
    seen = {like(address) for address in start}
    while waiting:
        address = waiting.pop()
        page = browser.see(address)
        pages[address] = page
        if page.content_type == "text/html":
            for each in addresses_in(page, address):
                if like(each) not in seen and not each.startswith("/things/?"):
                    seen.add(like(each))
                    waiting.append(each)
    return pages


def like(address: str) -> tuple[str, ...]:
    """The common part of addresses of which one is enough: filtered lists in several tabs, the months of a chart."""
    path, _, query = address.partition("?")
    pairs = sorted(re.sub(r"^created\..*", "created", pair) for pair in query.split("&"))
    return (path, *(pair for pair in pairs if len(pairs) == 1 or not pair.startswith("tab=")))


def asked(world) -> list[str]:
    """Addresses without links to them, which anyone may type."""
    found = ["/search?q=zq", f"/search?q={INTERNAL}", f"/requests/suggested?q={INTERNAL}+all"]
    for module in MODULES:
        found += [f"/{module}/?tab=all&q=zq", f"/{module}/?tab=all&q={INTERNAL}", f"/{module}/export.csv?tab=all"]
        found += [f"/{module}/?tab=all&_panel=1"]
        found += [f"/{module}/export.xlsx?tab=all"]
        for name, field in world.portal.declaration.modules[module].fields.items():
            found += [f"/{module}/?tab=all&{name}=zq", f"/{module}/?tab=all&q=-{name}:zq"]
            if field.filter == "link":
                found += [f"/{module}/find?q=&field={name}", f"/{module}/complete?q={name}:"]
    return found


@pytest.fixture(scope="module")
def crawled(filled):
    """What each person reaches, and the statements of their requests, with parameters."""
    pages, statements = {}, {person: {} for person in OF}
    for person, made in statements.items():

        def note(_connection, _cursor, statement, parameters, *_more, made=made):
            made[statement, repr(parameters)] = parameters

        sa.event.listen(filled.portal.engine, "before_cursor_execute", note)
        pages[person] = crawl(filled[person], ["/", *asked(filled)])
        sa.event.remove(filled.portal.engine, "before_cursor_execute", note)
    return pages, statements


@pytest.fixture(scope="module")
def reached(crawled):
    """What each person reaches."""
    return crawled[0]


def everything_in(answer) -> str:
    """The whole answer, without the id of its request, which is random."""
    return f"{answer.status} {answer.headers} {text_of(answer)}".replace(answer.headers["X-Request-Id"], "")


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize("person", list(OF))
def test_a_customer_meets_their_own_and_nothing_of_another(reached, person):
    mine, theirs = CANARY[OF[person]], CANARY[OTHER[OF[person]]]
    pages = reached[person]
    assert len(pages) > 100
    assert any(mine in page for page in pages.values())
    allowed = (200, 303, 404, 405, 301, 400)  # 400: a list with a filter that cannot be read is not exported
    assert [(address, page.status) for address, page in pages.items() if page.status_int not in allowed] == []
    for address, page in pages.items():
        text = everything_in(page).replace(f"={theirs}", "")
        assert theirs not in text, address
        echoes = (f"q={INTERNAL}", f'value="{INTERNAL}"', f"“<span>{INTERNAL}</span>”", f"<strong>{INTERNAL}</strong>")
        for asked_for in echoes:
            text = text.replace(asked_for, "")
        assert INTERNAL not in text, address
        without_chance = re.sub(r'"[\w-]{16}"|[0-9a-f]{64,}|Content-Length\W+\d+', "", text)
        assert ("2222" if OF[person] == "Acme" else "1111") not in without_chance, address


# What a customer's request reads outside their scope, as none of it reaches them: the record that a condition in the
# declarations names; how large modules are.
UNSCOPED = (
    r"SELECT services\.id \s*FROM services \s*WHERE services\.(reference|name) = ",
    r"\s*SELECT value, \(SELECT count\(\*\) FROM \(SELECT 1 FROM portal_search WHERE module = value LIMIT \?\)\)",
)


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize("person", list(OF))
def test_no_statement_has_another_answer_when_another_company_works(filled, crawled, person):
    selects = {
        (statement, parameters): values
        for (statement, parameters), values in crawled[1][person].items()
        if re.match(r"\s*(SELECT|WITH)\b", statement) and not any(re.match(known, statement) for known in UNSCOPED)
    }
    assert len(selects) > 100
    with writing(filled.portal.engine) as connection:
        before = answers(connection, selects)
        work(filled, connection, OTHER[OF[person]])
        after = answers(connection, selects)
        connection.rollback()
    assert [asked[0] for asked in selects if before[asked] != after[asked]] == []


def answers(connection, selects) -> dict[tuple[str, str], list]:
    found = {asked: connection.exec_driver_sql(asked[0], values).all() for asked, values in selects.items()}
    return {asked: sorted(map(repr, rows)) for asked, rows in found.items()}


def work(world, connection, company):
    """Adds a record to each module, and changes and deletes others, as the people of a company."""
    word = CANARY[company]
    firm = world.the("companies", company)
    person = world.the("people", TENANTS[company][0])

    def writer(module):
        return Writer(world.records(connection, module), Author(name="Nancy"))

    service = Linked(writer("services").create({"name": f"{word} zq", "customers": (firm,)}), "services")
    project = Linked(writer("projects").create({"name": f"{word} zq", "contact": person, "company": firm}), "projects")
    for module in ("tasks", "milestones"):
        writer(module).create({"name": f"{word} zq", "project": project})
    writer("remarks").create({"name": f"{word} zq", "about": (project,)})
    writer("people").create({"name": f"{word} zq", "email": "zq@elsewhere.example", "company": firm})
    for _number in range(3):
        values = {"name": f"{word} zq", "body": "zq", "caller": person, "company": firm, "service": service}
        writer("requests").create(values)
    for request in world.all("requests"):
        if word in request.title:
            records = world.records(connection, "requests")
            Writer(records, Author(name="Nancy")).add_comment(records.get(request.id), "zq")
    task = next(record for record in world.all("tasks") if word in record.title)
    writer("tasks").delete(world.records(connection, "tasks").get(task.id))


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize(("person", "other"), [(ANNA, DARIO), (DARIO, ANNA), (EDDA, ANNA)])
def test_a_foreign_record_and_a_missing_one_are_answered_alike(filled, reached, person, other):
    addresses = [address for address in reached[other] if re.match(r"/[a-z]+/\d+/", address)]
    compared = 0
    for address in addresses:
        mine = filled[person].see(address)
        if mine.status_int != 404:
            continue
        missing = re.sub(r"/\d+/", "/999999/", address)
        answer = filled[person].see(missing)
        assert stripped(mine, address) == stripped(answer, missing), address
        compared += 1
    assert compared > 10


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize(("person", "other"), [(ANNA, DARIO), (CARLA, DARIO), (DARIO, ANNA)])
def test_nothing_can_be_done_to_a_foreign_record(filled, reached, person, other):
    before = filled.rows()
    records = {
        re.match(r"/[a-z]+/\d+/", address)[0] for address in reached[other] if re.match(r"/[a-z]+/\d+/", address)
    }
    records = [record for record in records if filled[person].see(record).status_int == 404]
    assert len(records) > 3
    comments, stored = first_below(before["portal_comment"]), first_below(before["portal_file"])
    assert person == CARLA or comments.keys() & stored.keys() & set(records)  # she sees the requests of her colleague
    for record in records:
        comment_id, file_id = str(comments.get(record, 1)), str(stored.get(record, 1))
        for more in POSTED:
            target = record + more.replace("COMMENT", comment_id).replace("FILE", file_id)
            form = {"text": "forged", "comment": "forged", "satisfaction": "1", "name": "forged", "_version": "1"}
            answer = filled[person].send(target, form)
            assert answer.status_int == 404, target
            missing, none = (re.sub(r"/\d+/", "/999999/", address) for address in (target, record))
            assert stripped(answer, target, record) == stripped(filled[person].send(missing, form), missing, none)
    assert filled.rows() == before


def first_below(rows) -> dict[str, int]:
    """The addresses of records, and the id of the first of their comments or files, whose `rows` these are."""
    return {f"/{row['module']}/{row['record']}/": row["id"] for row in reversed(rows)}


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize("person", list(OF))
def test_a_program_meets_what_its_person_meets_and_nothing_of_another(filled, person):
    program, other = filled.program(person), filled.program({ANNA: DARIO, DARIO: ANNA}[person])
    mine, theirs = CANARY[OF[person]], CANARY[OTHER[OF[person]]]
    answers, foreign = {}, []
    for address in ["", "openapi.json", *asked_by_programs(filled)]:
        answers[address] = program.call("GET", address)
        for record in answers[address].json.get("records", []) if "=" not in address else ():
            answers |= {address + (more := f"/{record['id']}{part}"): program.call("GET", address + more) for part in (
                "", "/comments", "/files")}  # fmt: skip
    known = set(answers)
    for module in MODULES:
        foreign += [
            f"{module}/{record['id']}" for record in other.call("GET", module).json["records"]
            if f"{module}/{record['id']}" not in known
        ]  # fmt: skip
    assert any(mine in answer for answer in answers.values())
    for address, answer in answers.items():
        assert answer.status_int in (200, 400, 404), address
        assert theirs not in everything_in(answer).replace(f"={theirs}", ""), address
        assert INTERNAL not in everything_in(answer).replace(f"={INTERNAL}", ""), address
    before = filled.rows()
    assert len(foreign) > 3
    comments, stored = first_below(before["portal_comment"]), first_below(before["portal_file"])
    watching = {f"/{row['module']}/{row['record']}/": row["person"] for row in before["portal_watcher"]}
    for record in foreign:
        ids = {"COMMENT": comments, "FILE": stored, "PERSON": watching}
        for method, more in BY_PROGRAMS:
            for name, by_record in ids.items():
                more = more.replace(name, str(by_record.get(f"/{record}/", 1)))
            missing = re.sub(r"/\d+", "/999999", record, count=1)
            refused = [
                stripped(program.call(method, f"{each}/{more}".rstrip("/"), {"text": "x"}), each)
                for each in (record, missing)
            ]
            assert refused[0][0] == 404, (method, record, more)
            assert refused[0] == refused[1], (method, record, more)
    assert filled.rows() == before


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize("person", list(OF))
def test_an_assistant_meets_what_its_person_meets_and_nothing_of_another(filled, person):
    assistant, other = (Assistant(filled.program(email)) for email in (person, {ANNA: DARIO, DARIO: ANNA}[person]))
    mine, theirs = CANARY[OF[person]], CANARY[OTHER[OF[person]]]
    heard, own, foreign = json.dumps(assistant.tools()), set(), set()
    modules = [module["name"] for module in assistant.use("list_modules")["modules"]]
    for module in modules:
        heard += json.dumps(assistant.use("describe_module", module=module))
        own |= records_of(assistant, module)
        foreign |= records_of(other, module)
    heard += "".join(json.dumps(assistant.use("read_record", module=module, id=number)) for module, number in own)
    assert mine in heard
    assert theirs not in heard
    assert INTERNAL not in heard
    before = filled.rows()
    assert len(foreign - own) > 3
    for module, number in foreign - own:
        for tool, more in (
            ("read_record", {}), ("edit_record", {"values": {"name": "forged"}}), ("comment_on_record", {"text": "x"}),
            ("move_record", {"transition": "resolve", "values": {"comment": "forged"}}),
        ):  # fmt: skip
            missing = assistant.refused(tool, module=module, id=999_999, **more)
            assert assistant.refused(tool, module=module, id=number, **more) == missing, (module, tool)
    assert filled.rows() == before


def records_of(assistant, module) -> set[tuple[str, int]]:
    return {(module, record["id"]) for record in assistant.use("search_records", module=module, limit=200)["records"]}


def asked_by_programs(world) -> list[str]:
    found = []
    for module in MODULES:
        found += [module, f"{module}?q=zq", f"{module}?q={INTERNAL}"]
        found += [f"{module}?{name}=zq" for name in world.portal.declaration.modules[module].fields]
    return found


def stripped(answer, *addresses) -> tuple:
    of_answer = ("Set-Cookie", "Content-Length", "X-Request-Id")
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in of_answer)
    text = answer.text
    for address in addresses:
        text = text.replace(address, "").replace(address.replace("&", "&amp;"), "")
    return answer.status_int, headers, re.sub(r'name="_(once|csrf|draft)" value="[^"]*"|data-draft="[^"]*"', "", text)


WATCHED = ["/", "/search?q=zq", "/search?q=request"]


def watched(world, person, details) -> dict[str, tuple]:
    addresses = [*WATCHED, *(f"/{module}/?tab={tab}" for module in MODULES for tab in ("all", "open"))]
    addresses += [f"/{module}/?tab=all&sort=-modified&q=zq" for module in MODULES]
    addresses += [f"/requests/find?q=&field={field}" for field in ("service", "helpers")]
    addresses += ["/requests/create", "/things/create"]
    return {address: stripped(world[person].see(address), address) for address in [*addresses, *details]}


def details_of(world):
    return [f"/{module}/{record.id}/" for module in MODULES for record in world.all(module)]


def test_what_another_company_does_changes_no_byte_of_mine(world):
    fill(world)
    details = details_of(world)
    before = {person: watched(world, person, details) for person in (CARLA, DARIO)}
    acme = world.the("companies", "Acme")
    anna = world.the("people", "Anna Rossi")
    service = world.the("services", "zqacme service")
    for record in world.all("requests"):
        if "zqacme" in record.title:
            world.set("requests", record.id, name="zqacme changed", body="changed zq", status="new", cost=None)
            said(world, record.id, "one more comment")
            for person in (anna, world.the("people", "Bruno Verdi")):
                world[NANCY].send(f"/requests/{record.id}/watchers", {"add": str(person.id)}, status=303)
    for record in world.all("tasks"):
        if "zqacme" in record.title:
            world.remove("tasks", record.id)
    world.set("companies", acme.id, name="Acme, renamed", city="Elsewhere")
    world.set("people", anna.id, name="Anna, renamed", phone="+1 2 3")
    for number in range(30):
        world.add("requests", name=f"zqacme request {number}", body="zq", caller=anna, company=acme, service=service)
        project = world.link("projects", name=f"zq {number}", contact=anna, company=acme)
        world.add("milestones", name=f"zq {number}", project=project)
    world[ANNA].send("/requests/create", {"name": "zq by hand", "body": "x", "service": str(service.id)}, status=303)
    for person, seen in before.items():
        after = watched(world, person, details)
        for address, answer in seen.items():
            assert after[address] == answer, f"{person} {address}"


@pytest.mark.sqlite_suffices
def test_an_internal_comment_changes_no_byte_of_a_customers_pages(world):
    fill(world)
    details = details_of(world)
    before = {person: watched(world, person, details) for person in (ANNA, BRUNO)}
    for record in world.all("requests"):
        answer = world[NANCY].send(f"/requests/{record.id}/comments", {"text": INTERNAL, "internal": "true"})
        assert answer.status_int == 303
        assert INTERNAL in world[NANCY].get(f"/requests/{record.id}/")
    for person, seen in before.items():
        after = watched(world, person, details)
        for address, answer in seen.items():
            assert after[address] == answer, f"{person} {address}"
            assert INTERNAL not in answer[2].replace(f"q={INTERNAL}", "")
