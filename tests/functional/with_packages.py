"""A portal with packages: portal-iban from examples/, and an unusable one.

`test_packages.py` installs them for a process of their own, which runs this file.
"""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from webtest import TestApp

from portal.commands import main
from portal.declaration.load import load
from portal.workshop.schema.schema_files import write_schemas
from tests.functional.world import ANNA, CARLA, NANCY, PEOPLE, World

FILES = {
    "modules.yaml": """\
portal: {name: Payments, languages: [en, it, de], administrators: [staff]}
people: people
organizations: companies
modules:
  people:
    organization: company
    fields: {name: {type: text, required: true}, email: email, company: {type: link, to: companies}}
  companies: {fields: {name: {type: text, required: true}}}
  payments:
    organization: company
    fields:
      title: {type: text, required: true}
      company: {type: link, to: companies, default: my organization}
      account: {type: iban, required: true, unique: true, help: Where the money goes}
      secret: {type: iban, internal: true}
      rows: {type: lines, fields: {to: iban, amount: decimal}}
    list: {columns: [title, account], tabs: {german: {where: {account: {contains: DE89 37}}}, all: {}}}
""",
    "profiles/customer.yaml": "modules: {payments: {see: organization, can: [create, edit, export]}, people: {},"
    " companies: {}}\n",
    "profiles/staff.yaml": "staff: true\nmodules: {payments: {see: all, can: [create, edit, export]}}\n",
}
IBAN, SHOWN, BRITISH = "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"
LEFT_OUT = {  # with the reason
    'its field type "barcode"': "ModuleNotFoundError: No module named 'no_such_library'",
    'its field type "plain"': 'it names no subclass of Field with `type: Literal["plain"]`',
    'its field type "text"': 'the type "text" is there already, in portal.fields.text',
    'its page "broken"': "KeyError: 'not today'",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("payments")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def world(folder) -> World:
    people = [wish for wish in PEOPLE if wish.profile in ("customer", "staff")]
    world = World.of(folder, f"sqlite:///{folder / 'portal.sqlite'}", people, files=str(folder / "files"))
    world.add("payments", title="Rent", account=IBAN, company=world.the("companies", "Acme"), secret=BRITISH)
    world.add("payments", title="Light", account=BRITISH, company=world.the("companies", "Globex"))
    return world


def test_a_package_s_type_is_declared_like_ours(folder):
    loaded = load(folder)
    assert loaded.errors == []
    payments = (folder / "modules.yaml").read_text(encoding="utf-8")
    for wrong, message in {
        "ibn": 'no field type "ibn" (did you mean "iban"?)',
        "iban, min: 3": 'no key "min" here',
    }.items():
        edited = payments.replace("secret: {type: iban,", f"secret: {{type: {wrong},").encode()
        assert message in "".join(map(str, load(folder, unsaved={"modules.yaml": edited}).errors))


def test_editors_know_the_type(folder):
    schema = write_schemas(folder)[0].read_text(encoding="utf-8")
    assert "A bank account number (IBAN), such as DE89 3704 0044 0532 0130 00." in schema


@pytest.mark.parametrize(
    ("language", "typed", "sentence"),
    [
        ("en", "DE89", "Enter an IBAN such as DE89 3704 0044 0532 0130 00."),
        ("it", "DE89", "Inserisci un IBAN, per esempio DE89 3704 0044 0532 0130 00."),
        ("de", "DE88370400440532013000", "Diese IBAN stimmt nicht: Vergleichen Sie jedes Zeichen."),
        ("it", "DE8937040044053201300", "Un IBAN che inizia con DE ha 22 caratteri."),
        ("it", IBAN, "Questo valore è già in uso. Maiuscole e accenti non contano."),
    ],
)
def test_a_wrong_number_is_refused_in_the_language_of_the_reader(world, language, typed, sentence):
    world[ANNA].send("/language", {"language": language})
    page = world[ANNA].send("/payments/create", {"title": "Water", "account": typed})
    world[ANNA].send("/language", {"language": "en"})
    assert page.status_int == 422
    assert sentence in page.text
    assert f'value="{typed}"' in page.text


def test_it_is_shown_found_filtered_and_written(world):
    anna = world[ANNA]
    assert SHOWN in anna.get("/payments/1/")
    for query in ("?tab=german", "?tab=all&account=de89 3704", "?tab=all&account=DE893704", "?tab=all&q=3704 0044",
                  f"?tab=all&q={IBAN}", "?tab=all&q=account:DE89"):  # fmt: skip
        assert anna.titles(f"/payments/{query}") == ["Rent"], query
    assert anna.titles("/payments/?tab=all&account=GB82") == []
    exported = world[NANCY].get("/payments/export.csv?tab=all").text
    assert IBAN in exported
    assert BRITISH in exported


def test_programs_read_and_write_it(world):
    program = world.program(ANNA)
    assert program.call("GET", "payments/1", status=200).json["account"] == IBAN
    answer = program.call("POST", "payments", {"title": "Water", "account": "DE00"}, status=422)
    assert "Enter an IBAN" in json.dumps(answer.json)
    assert '"account"' in program.call("GET", "openapi.json", status=200).text


def test_a_page_of_a_package_shows_what_its_reader_may_see(world):
    for email, shown in ((ANNA, [SHOWN]), (CARLA, ["GB82 WEST 1234 5698 7654 32"])):
        page = world[email].get("/bank-accounts")
        assert re.findall(r"[A-Z]{2}\d\d (?:\w{4} )+\w\w", page.text) == shown
        assert page.html.select_one('nav.menu a[aria-current="page"]').text.strip() == "Bank accounts"
        assert page.html.select_one('.crumbs [aria-current="page"]').text == "Bank accounts"
    assert world[NANCY].get("/bank-accounts").text.count("GB82 WEST") == 2
    world[CARLA].send("/language", {"language": "it"})
    assert world[CARLA].get("/bank-accounts").html.select_one("h1").text == "Conti bancari"
    assert "/bank-accounts" not in TestApp(world.app).get("/login").text


def test_a_page_without_a_permission_is_for_everyone_signed_in(world):
    assert TestApp(world.app).get("/bank-accounts", status=303).location.endswith("/login?next=%2Fbank-accounts")


def test_pages_stand_where_ours_do_and_are_open_to_the_same_people(world):
    statuses = {
        (address, email): world[email].see(address).status_int
        for address in ("/payments/report", "/people/report", "/-/acme", "/payments/1/slip", "/people/1/slip")
        for email in (ANNA, CARLA, NANCY)
    }
    open_to = {address: {email for (each, email), status in statuses.items() if (each, status) == (address, 200)}
               for address, _email in statuses}  # fmt: skip
    assert open_to == {
        "/payments/report": {ANNA, CARLA, NANCY}, "/people/report": set(), "/-/acme": {NANCY},
        "/payments/1/slip": {ANNA, NANCY}, "/people/1/slip": set(),
    }  # fmt: skip
    assert set(statuses.values()) == {200, 404}
    assert world[ANNA].post("/payments/1/slip", status="*").status_int == 400, "without the token of a form"
    assert world[ANNA].send("/payments/1/slip").text == "report of /payments/1/slip"


def test_the_menu_links_to_pages_that_the_reader_may_open(world):
    for email, entries in ((ANNA, ["Bank accounts", "Report"]), (NANCY, ["Bank accounts", "Acme", "Report"])):
        labels = [entry.text.strip() for entry in world[email].get("/").html.select("aside nav.menu:not(.own) a")]
        assert labels[2:] == entries  # behind Home and the module


def test_what_cannot_be_used_is_left_out_and_told(folder, world):
    problems = world[NANCY].get("/-/problems").text
    assert problems.count("package acme-types 2.1 cannot be used for") == len(LEFT_OUT)
    answer = CliRunner().invoke(main, ["check", str(folder)])
    assert answer.exit_code == 0
    for what, reason in LEFT_OUT.items():
        assert (
            f"warning: modules.yaml:1:1: modules: the package acme-types 2.1 cannot be used for {what}: {reason}"
            in (answer.output)
        )
    assert answer.output.splitlines()[-1] == (
        "No mistakes (4 warnings): 3 modules, 2 profiles, 0 buttons, with acme-types 2.1, portal-iban 1.0"
    )


def test_a_field_of_a_type_that_cannot_be_used_names_its_package(folder):
    text = FILES["modules.yaml"].replace("secret: {type: iban,", "secret: {type: barcode,")
    problems = load(folder, unsaved={"modules.yaml": text.encode()}).problems
    sentences = [str(problem) for problem in problems if "barcode" in problem.message]
    assert sentences == [
        "modules.yaml:15:22: payments.fields.secret.type: the package acme-types 2.1 cannot be used for its field type "
        "\"barcode\": ModuleNotFoundError: No module named 'no_such_library'"
    ]


def test_a_package_cannot_replace_our_pages(world):
    assert world[ANNA].get("/search?q=rent").html.select_one("h1").text == "Search"
    assert world[ANNA].see("/half").status_int == 404, "what was added before the package failed is not there"
