"""The ledger is complete and correct: each key of the language makes a difference that someone sees.

The suite makes some of the changes; PORTAL_EXAMPLES=200 (`make drills`) makes all.
"""

import ast
import copy
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from portal.accounts.giving_access import AccessRequest
from portal.declaration.load import load
from portal.declaration.shapes import ACTIONS as ACTION_WORDS
from portal.fields.base import Field
from portal.settings import ProcessSettings as ProcessSettings
from tests.functional import ledger
from tests.functional.any_portal import Plain
from tests.functional.ledger import BUTTON_ENTRIES, CUSTOMER, EVERYTHING, FIELDS, LEDGER, MODULES, PROFILES, Change
from tests.functional.test_any_portal import ONE_TIME
from tests.functional.world import World
from tests.unit.declaration.test_effects import keys_of_the_language

pytestmark = pytest.mark.sqlite_suffices
TESTS = Path(__file__).parents[1]
EXAMPLES = int(os.environ.get("PORTAL_EXAMPLES", "3"))
ANNA, NANCY = "anna@x.example", "nancy@x.example"
PAGES = (
    *(
        "/",
        "/search?q=alpha",
        "/login",
        "/tickets/",
        "/tickets/?sort=kind",
        "/tickets/1/",
        "/tickets/2/",
        "/tickets/create",
    ),
    *(
        "/tickets/create?button=fill",
        "/tickets/1/edit",
        "/tickets/1/delete",
        "/tickets/1/move/finish",
        "/tickets/export.csv",
    ),
    *(
        "/parts/",
        "/parts/1/",
        "/people/",
        "/companies/1/",
        "/-/problems",
        "/tickets/?button=go",
        "/tickets/find?field=helper&q=",
    ),
)
NAMED = {name: change for name, change in LEDGER.items() if isinstance(change, Change)}
CHANGES = {
    **NAMED,
    **{f"can: {word}": Change("modules.tickets.can", [other for other in EVERYTHING if other != word], CUSTOMER)
       for word, test in ledger.ACTIONS.items() if not test},
    **{f"type: {kind}": Change(f"{FIELDS}.added", {**shape.sample, "type": kind})
       for kind, shape in Field.types.items()},
}  # fmt: skip
ADDED: dict[str, dict[str, Any]] = {  # keys of a type that fit this portal, where the sample's do not
    "timeliness": {"of": "created", "to": "done_at"},
    "link": {"to": "people"}, "links": {"to": "people"}, "lookup": {"of": "company.city"},
    "rollup": {"of": "count(parts)"},
    "lines": {"fields": {"what": "text"}, "total": []},
    "elapsed": {"from": "created", "to": "done_at"}, "formula": {"of": "count * 2"},
}  # fmt: skip


def test_every_key_type_and_action_is_in_the_ledger():
    keys = {declared_in(shape, key) for shape, key in keys_of_the_language()}
    assert sorted(keys - LEDGER.keys()) == [], "tests/functional/ledger.py: the change that shows it, or its test"
    assert sorted({*ACTION_WORDS} - ledger.ACTIONS.keys()) == [], "tests/functional/ledger.py: ACTIONS"


def test_every_setting_is_in_the_ledger():
    assert sorted(ledger.SETTINGS.keys() ^ ProcessSettings.model_fields.keys()) == [], "ledger.py: SETTINGS"


def test_the_tests_that_the_ledger_names_exist():
    entries = (*LEDGER.values(), *ledger.ACTIONS.values(), *ledger.SETTINGS.values())
    named = {test for test in entries if isinstance(test, str) and test}
    missing = []
    for test in sorted(named):
        file, _colons, function = test.partition("::")
        path = TESTS / file if "/" in file else TESTS / "functional" / file
        tree = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
        if function not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            missing.append(test)
    assert missing == []


@pytest.mark.parametrize(
    "key", [key for number, key in enumerate(CHANGES) if number % max(1, len(CHANGES) // EXAMPLES) == 0]
)
def test_a_change_of_the_key_is_seen_by_someone(running, key):
    change = CHANGES[key]
    files = running.files_with(change.given)
    before = running.pages(files) if change.given else running.first
    apply_change(files, change.file, change.path, change.value)
    after = running.pages(files)
    assert [page for page in before if before[page] != after[page]] != []


class Running:
    """The portal of the ledger, served while its files change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "profiles").mkdir(parents=True)
        self.write(self.files_with(()))
        people = [AccessRequest(ANNA, "customer", "Anna", "Acme"), AccessRequest(NANCY, "staff", "Nancy", "Supplier")]
        self.world = World.of(str(folder), f"sqlite:///{folder}/portal.sqlite", people)
        self.world.app.registry.live.every = 0
        self._fill()
        self.first = self.pages(self.files_with(()))

    def files_with(self, given: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
        """The files with what else a change needs."""
        files = {"modules": MODULES, "buttons": {"buttons": BUTTON_ENTRIES}}
        files |= {f"profiles/{name}": profile for name, profile in PROFILES.items()}
        files = copy.deepcopy(files)
        for path, value in given:
            apply_change(files, CUSTOMER if path.startswith("home") else "modules", path, value)
        return files

    def write(self, files: dict[str, Any]) -> None:
        for name, content in files.items():
            text = yaml.dump(content, allow_unicode=True, sort_keys=False, Dumper=Plain)
            (self.folder / f"{name}.yaml").write_text(text)

    def pages(self, files: dict[str, Any]) -> dict[tuple[str, str], str]:
        """What both people see with these files in force."""
        self.write(files)
        assert [str(problem) for problem in load(self.folder).errors] == []
        self.world.app.registry.live._signature = ((), False)  # also where size and moment are those of before
        return dict(self._pages())

    def _pages(self) -> Iterator[tuple[tuple[str, str], str]]:
        for email in (ANNA, NANCY):
            for page in PAGES:
                answer = self.world[email].see(page)
                assert answer.status_int < 500, page
                yield (email, page), f"{answer.status_int} {ONE_TIME.sub('', answer.text)}"

    def _fill(self) -> None:
        anna = self.world.the("people", "Anna")
        company, other = self.world.the("companies", "Acme"), self.world.the("companies", "Supplier")
        nancy = self.world.the("people", "Nancy")
        whose = ((anna, company, nancy), (anna, other, anna), (nancy, company, anna))
        done = self.world.clock() + datetime.timedelta(hours=2)
        for number, (caller, firm, helper) in enumerate(whose, 1):
            values = {"title": f"alpha {number}", "body": "**bold** words", "kind": ("first", "second")[number % 2]}
            values |= {"count": number, "done_at": done, "state": "new"}
            self.world.add("tickets", caller=caller, company=firm, helper=helper, **values)
        self.world.add("parts", title="A part", size=3, ticket=self.world.the("tickets", "alpha 1"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    portal = Running(tmp_path_factory.mktemp("ledger") / "portal")
    yield portal
    portal.world.portal.engine.dispose()


def declared_in(shape: type[Any], key: str) -> str:
    """`Shape.key`, with the first of the shape's bases that has the key."""
    bases = [base for base in reversed(shape.__mro__) if key in {
        info.alias or name for name, info in getattr(base, "model_fields", {}).items()
    }]  # fmt: skip
    return f"{bases[0].__name__}.{key}"


def apply_change(files: dict[str, Any], file: str, path: str, value: Any) -> None:
    """Puts a value at a path, expanding short forms on the way; None removes it."""
    here = files[file]
    *way, last = path.split(".")
    for part in way:
        if isinstance(here.get(part), str):
            here[part] = {"type": here[part]} if "fields" in path else {"label": here[part]}
        here = here.setdefault(part, {})
    if value is None:
        here.pop(last)
    elif last == "added":
        here[last] = {**value, **ADDED.get(value["type"], {})}
    else:
        here[last] = value
