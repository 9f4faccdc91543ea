"""Random portals, walked through on both databases in parallel: every page answers, and both answer the same."""

import contextlib
import csv
import html
import io
import random
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from urllib.parse import urlencode

import pytest
from webtest import TestResponse

from portal.accounts.giving_access import AccessRequest
from portal.declaration.load import load
from portal.declaration.shapes import Module
from portal.fields.base import Field
from tests.functional.any_portal import KINDS, AnyPortal
from tests.functional.world import World, way
from tests.real_parts import PostgreSQL

SEEDS = (6,)
RECORDS = 2  # per module and person
FIELDS = 4  # per module, for sorting and filtering
MOST_OFFERED = 20  # by a link
TYPED = ("²", "9999-12-31T23:59", "9" * 40, "%", "''", "<script>", "-", "تذكرة", "me", "today", "b")
SEARCHED = ("zolw", '"rue d', "工", "(", "'", "*", "x y")
# Random keys: of a session, of a form, of a draft.
ONE_TIME = re.compile(r'name="_(?:csrf|once|draft)"[^>]*value="[^"]*|data-draft="[^"]*|_draft=[\w-]*')


# `lookup` and `rollup` follow the links of a portal, `lines` cannot be nested, files are not typed.
NOT_AT_RANDOM = {"file", "files", "image", "lines", "lookup", "rollup"}


def test_every_field_type_takes_part():
    assert sorted(KINDS.keys() ^ (Field.types.keys() - NOT_AT_RANDOM)) == [], "tests/functional/any_portal.py: KINDS"


class Twin:
    """Someone who does the same on both databases, and must see the same."""

    def __init__(self, worlds: list[World], email: str) -> None:
        self.browsers = [world[email] for world in worlds]

    def see(self, address: str) -> TestResponse:
        return self._same(address, [browser.see(address) for browser in self.browsers])

    def send(self, address: str, form: list[tuple[str, str]]) -> TestResponse:
        return self._same(address, [browser.send(address, form) for browser in self.browsers])

    def rows(self, address: str) -> list[str]:
        """The addresses of all records in a list, page by page, without duplicates."""
        found, page = [], self.see(address)
        while True:
            assert page.status_int == 200, address
            body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
            found += re.findall(r'<a class="cover"[^>]*href="([^"]*)"', body)
            if not (following := way(page, "next")):
                assert len(set(found)) == len(found), address
                return found
            page = self.see(following)

    def _same(self, address: str, answers: list[TestResponse]) -> TestResponse:
        first, second = answers
        assert first.status_int == second.status_int < 500, address
        locations = [ONE_TIME.sub("", answer.headers.get("Location", "")) for answer in answers]
        assert locations[0] == locations[1], address
        texts = [ONE_TIME.sub("", answer.text).splitlines() for answer in answers]
        differing = [pair for pair in zip_longest(*texts) if pair[0] != pair[1]]
        assert differing[:3] == [], address
        if first.content_type == "text/html":
            assert "<script>y" not in first.text, address
            assert "<b>line" not in first.text, address
        return first


@pytest.fixture(params=SEEDS)
def portal(request: pytest.FixtureRequest) -> AnyPortal:
    return AnyPortal(request.param)


@pytest.fixture
def worlds(portal: AnyPortal, tmp_path: Path, postgresql: PostgreSQL) -> Iterator[list[World]]:
    """The portal on both databases, with a customer of each company and a member of staff."""
    folder = portal.write(tmp_path / "portal")
    assert load(folder).errors == []
    company = {"Acme": "anna@acme.example", "Globex": "carla@globex.example"} if portal.people else {}
    people = [AccessRequest(email, "customer", email.partition("@")[0], name) for name, email in company.items()]
    with contextlib.ExitStack() as opened:
        urls = [f"sqlite:///{tmp_path / 'portal.sqlite'}", opened.enter_context(postgresql.empty_database())]
        worlds = []
        for url in urls:
            worlds.append(
                World.of(str(folder), url, [*people, AccessRequest("nancy@supplier.example", "staff", "Nancy")])
            )
            opened.callback(worlds[-1].portal.engine.dispose)
        yield worlds


def test_every_page_answers_and_both_databases_say_the_same(portal: AnyPortal, worlds: list[World]) -> None:
    chance = random.Random(" ".join(portal.names))
    declaration = worlds[0].portal.declaration
    twins = {email: Twin(worlds, email) for email in worlds[0].browsers}
    for _ in range(RECORDS):
        for twin in twins.values():
            for module in portal.names:
                create(twin, portal, module)
    seen = {}
    for email, twin in twins.items():
        profile = declaration.profiles["staff" if email.startswith("nancy") else "customer"]
        seen[email] = {name: walk(twin, declaration.modules[name], chance) for name in profile.modules}
        for address in ("/", "/search?q=a", "/search?q=1"):
            assert twin.see(address).status_int == 200
    for email, twin in twins.items():
        for module, addresses in seen[email].items():
            foreign = set(seen["nancy@supplier.example"][module]) - set(addresses)
            assert [address for address in sorted(foreign) if twin.see(address).status_int != 404] == []
        lists = {name: set(twin.rows(f"/{name}/?tab=all")) for name in seen[email]}
        for name in lists:
            agree(twin, declaration.modules[name], lists, worlds[0], chance)


def agree(twin: Twin, module: Module, lists: dict[str, set[str]], world: World, chance: random.Random) -> None:
    """Checks that exactly the records in the list open, are found, exported and offered by links."""
    records = lists[module.name]
    export = twin.see(f"/{module.name}/export.csv?tab=all").text.removeprefix("\ufeff")
    assert len(list(csv.reader(io.StringIO(export, newline="")))) == len(records) + 1
    for address in chance.sample(sorted(records), min(2, len(records))):
        assert twin.see(address).status_int == 200
        record = world.record(module.name, int(address.split("/")[2]))
        found = twin.rows(f"/{module.name}/?{urlencode({'tab': 'all', 'q': record.reference})}")
        assert address in found, record.reference
        assert set(found) <= records
    for field in module.fields.values():
        offered = twin.see(f"/{module.name}/find?{urlencode({'field': field.name, 'q': ''})}")
        if offered.status_int == 200 and not field.several_targets:
            (target,) = field.targets
            addresses = {f"/{target}/{offer['id']}/" for offer in offered.json}
            assert addresses <= lists[target]
            assert addresses == lists[target] or len(addresses) >= MOST_OFFERED


def create(twin: Twin, portal: AnyPortal, module: str) -> None:
    """Creates a record with a value in every field that accepts one."""
    form: list[tuple[str, str]] = []
    for name in portal.modules[module]["fields"]:
        offered = twin.see(f"/{module}/find?{urlencode([('field', name), ('q', '')])}")
        if offered.status_int == 200:
            form += [(name, str(each["id"])) for each in offered.json[-1:]]
        else:
            form += portal.typed(module, name)
    answer = twin.send(f"/{module}/create", form)
    assert answer.status_int in (303, 422), answer.text
    if answer.status_int == 422:
        wrong = set(re.findall(r'id="field-([^"]+)-error"', answer.text))
        twin.send(f"/{module}/create", [(name, value) for name, value in form if name.partition(".")[0] not in wrong])


def walk(twin: Twin, module: Module, chance: random.Random) -> list[str]:
    """Visits every tab, order and filter of a module, and its first record; returns the addresses of all records."""
    address = f"/{module.name}/"
    page = twin.see(address)
    tabs = re.search(r'<nav class="tabs".*?</nav>', page.text, re.DOTALL)[0]
    for tab, shown in re.findall(r'<a href="([^"]*)".*?class="count">\s*(\d+)\s*<', tabs, re.DOTALL):
        assert len(twin.rows(html.unescape(tab))) == int(shown), tab
    everything = twin.rows(f"{address}?tab=all")
    for name in chance.sample([*module.fields, "created_by", "reference"], min(FIELDS, len(module.fields))):
        order = chance.choice(["", "-"]) + name
        assert sorted(twin.rows(f"{address}?tab=all&sort={order}")) == sorted(everything), order
        asked = urlencode({"tab": "all", chance.choice((name, f"{name}.min", f"{name}.max")): chance.choice(TYPED)})
        assert set(twin.rows(f"{address}?{asked}")) <= set(everything), asked
    for text in chance.sample(SEARCHED, 3):
        assert set(twin.rows(f"{address}?{urlencode({'tab': 'all', 'q': text})}")) <= set(everything), text
    assert twin.see(f"{address}export.csv?tab=all").status_int == 200
    for record in everything[:1]:
        use(twin, module, record, chance)
    return twin.rows(f"{address}?tab=all")


def use(twin: Twin, module: Module, record: str, chance: random.Random) -> None:
    """Uses one record: reads it, edits it without changes and with nonsense, comments on it and moves it."""
    assert twin.see(record).status_int == 200
    edit = twin.see(f"{record}edit")
    form = next(each for each in edit.forms.values() if each.action == f"{record}edit")
    inputs = [(name, value) for name, value in form.submit_fields() if name not in ("_csrf", "_once", "_find", "_to")]
    assert twin.send(f"{record}edit", inputs).status_int == 303
    twin.send(f"{record}edit", [(name, chance.choice(TYPED)) for name in module.fields])
    twin.send(f"{record}comments", [("text", "A word")])
    for name in module.lifecycle.transitions if module.lifecycle else ():
        twin.see(f"{record}move/{name}")
        twin.send(f"{record}move/{name}", [])
