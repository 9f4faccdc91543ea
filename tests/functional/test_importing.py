"""`portal import`, as an administrator uses it: columns, notations, mistakes."""

import datetime
import re
from decimal import Decimal

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from portal.commands import main
from portal.database.engine import reading
from portal.declaration.load import load
from portal.fields.address import Address
from portal.fields.money import Money
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from tests.functional.import_portal import EVERYTHING, PEOPLE, filled, opened, shop
from tests.functional.shop import make_shop

__all__ = ["filled", "opened", "shop"]  # fixtures
pytestmark = pytest.mark.sqlite_suffices


def test_rows_become_records_and_the_summary_says_how_many(shop):
    result = shop.load("people", PEOPLE)
    assert (result.exit_code, result.output) == (0, "people: 2 new, 0 changed, 0 unchanged\n")
    assert shop.values("people", "name", "email", "boss", "age", "reference", "channel") == [
        ("Ada", "ada@acme.example", None, 18, "1", "import"),
        ("Bob", "bob@acme.example", "Ada", 18, "2", "import"),
    ]


def test_every_type_of_field_is_read(filled):
    filled.loaded("things", EVERYTHING)
    first, second = filled.records("things")
    moment = datetime.datetime(2024, 3, 5, 13, 30, tzinfo=datetime.UTC)
    wanted = {
        "title": "=SUM(A1)", "code": "A-1", "body": "two\nlines", "page": "# Head", "rich": "<p>a <b>b</b></p>",
        "phone": "+39 051 555", "amount": -7, "weight": Decimal("1.125"), "price": Money(Decimal("-12.5"), "EUR"),
        "share": Decimal("22.5"), "ready": True, "day": datetime.date(2024, 2, 29), "moment": moment,
        "clock": datetime.time(8, 15), "length": 5400, "kind": "small", "colours": ("red", "dark, blue"),
        "tags": ("one", "two words"), "place": Address("Main street 1, left", city="Łódź"), "stars": 4,
        "colour": "#ffaa00", "secret": "'quoted", "state": "done",
        "created": datetime.datetime(2020, 1, 2, 3, 4, tzinfo=datetime.UTC),
    }  # fmt: skip
    assert {name: first.values[name] for name in wanted} == wanted
    assert [link.title for link in first.values["owners"]] == ["Ada", "Bob"]
    assert (first.values["about"].module, first.values["about"].title) == ("people", "Ada")
    assert (second.values["title"], second.values["state"], second.values["kind"]) == ("plain", "new", None)


def test_headers_are_names_or_labels_in_any_language(shop):
    shop.loaded("people", "NOME E COGNOME,e-Mail,Age\nAda,ada@acme.example,30\n")
    assert shop.values("people", "name", "email", "age") == [("Ada", "ada@acme.example", 30)]


def test_money_may_have_its_currency_in_a_column_and_has_the_portals_otherwise(filled):
    filled.loaded("things", "title,price,price.currency\na,1.50,EUR\nb,2,\n")
    filled.loaded("things", "title,price\nc,3\nd,4 EUR\n")
    prices = [(price.amount, price.currency) for price in filled.values("things", "price")]
    assert prices == [(Decimal("1.5"), "EUR"), (2, "USD"), (3, "USD"), (4, "EUR")]


def test_a_time_without_a_zone_is_meant_where_the_portal_is(filled):
    filled.loaded("things", "title,moment\na,2024-07-01 12:00\n")
    assert filled.values("things", "moment") == [datetime.datetime(2024, 7, 1, 10, 0, tzinfo=datetime.UTC)]


def test_choices_are_read_by_name_and_by_label(filled):
    filled.loaded("things", "title,kind\na,small\nb,Small One\nc,PICCOLO\n")
    assert filled.values("things", "kind") == ["small"] * 3


def test_several_options_have_commas_or_semicolons_between_them(filled):
    filled.loaded("things", 'title,colours\na,"red, ""dark, blue"""\nb,"red; dark, blue"\n')
    assert filled.values("things", "colours") == [("red", "dark, blue")] * 2
    assert "“pink” is not one of the options." in filled.bad("things", "title,colours\nc,red;pink\n")[0]


def test_the_record_is_found_by_the_general_search(filled):
    filled.loaded("things", "title\nWonderful lamp\n")
    with reading(filled.engine) as connection:
        system = Records(connection, system_policy(filled.tables), "things")
        assert [record.title for record in system.page(Query(text="wonder")).records] == ["Wonderful lamp"]


def test_the_history_says_where_a_record_came_from(filled):
    event = filled.tables.event
    with reading(filled.engine) as connection:
        kinds = connection.scalars(sa.select(event.c["kind"]).where(event.c["module"] == "people")).all()
    assert kinds == ["imported", "imported"]


def test_a_column_without_a_field_is_an_error_until_it_is_left_out(shop):
    problems = shop.bad("people", "name,emial,Shoe size\nAda,ada@acme.example,38\n")
    assert len(problems) == 2
    assert 'matches no field (did you mean "email"?)' in problems[0]
    assert '"Shoe size="' in problems[1]
    options = ("--map", "emial=email", "--map", "Shoe size=")
    shop.loaded("people", "name,emial,Shoe size\nAda,ada@acme.example,38\n", *options)
    assert shop.values("people", "email") == ["ada@acme.example"]


@pytest.mark.parametrize(
    ("header", "options", "words"),
    [
        ("name,name,email", (), ["two columns named “name”"]),
        ("name,Full name,email", (), ["“name”, “Full name”", "field “name”"]),
        ("name,email,x", ("--map", "x=nmae"), ["no field named “nmae”", '"name"']),
        ("name,email", ("--map", "phone=boss"), ["no column named “phone”"]),
        ("name,age", (), ["no column", "“email”", "required"]),
        ("name,email", ("--key", "phone"), ["--key", "“phone”"]),
        ("name,email", ("--key", "age"), ["by which records are found", "“age”"]),
        ("name,email,boss", ("--key", "boss"), ["“boss” does not identify records"]),
        ("name,email,email.street", (), ["email.street"]),
    ],
)
def test_mistakes_in_the_columns_are_reported_before_a_row_is_read(shop, header, options, words):
    problems = shop.bad("people", header + "\nthis row has another width\n", *options)
    assert all(any(word in problem for problem in problems) for word in words), problems
    assert len(problems) == 1
    assert all(problem.startswith("1: ") for problem in problems)


def test_a_column_without_a_header_must_be_empty(shop):
    shop.loaded("people", "name,email,\nAda,ada@acme.example,\n")
    assert shop.bad("people", "name,email,\nBob,bob@acme.example,oops\n") == [
        "2: “oops” is in a column without a header"
    ]


def test_every_bad_cell_is_reported_with_its_line_and_nothing_is_imported(shop):
    content = (
        'name,email,age,boss\n"Ada\nLovelace",ada@acme.example,30,\nBob,bob,-1,\n,carl@acme.example,ten,Nobody\n'
        "Dora,dora@acme.example\nEve,eve@acme.example,1,,x\nNul\x00,nul@acme.example,1,\n"
    )
    assert sorted(shop.bad("people", content)) == [
        "4: age: Enter 0 or more.",
        "4: email: Enter an email address such as name@company.com.",
        "5: age: “ten” is not a number.",
        "5: boss: No record in people is named “Nobody”.",
        "5: name: Required",
        "6: The row has 2 cells, the header 4.",
        "7: The row has 5 cells, the header 4. Does a value contain the delimiter?",
        "8: name: This text contains a character that cannot be saved.",
    ]
    result = shop.load("people", content)
    assert result.output.splitlines()[-1] == (
        "people: nothing imported, 5 bad rows; the other 1 row could be imported with --skip-bad"
    )
    assert shop.records("people") == []


def test_the_good_rows_may_be_had_without_the_bad_ones(shop):
    result = shop.load("people", "name,email\nAda,ada@acme.example\nBob,bob\n", "--skip-bad")
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "people: 1 new, 0 changed, 0 unchanged, 1 bad row left out"
    assert shop.values("people", "name") == ["Ada"]


def test_a_dry_run_says_the_same_and_changes_nothing(shop):
    assert shop.load("people", PEOPLE, "--dry-run").output == (
        "people: 2 new, 0 changed, 0 unchanged (dry run: nothing was written)\n"
    )
    assert len(shop.bad("people", "name,email\nAda,ada\n", "--dry-run")) == 1
    assert shop.records("people") == []
    shop.loaded("people", PEOPLE)
    assert shop.values("people", "reference") == ["1", "2"]


def test_a_file_brings_dates_that_nobody_could_choose_today(tmp_path, database_url):
    bounds = "{wanted: {type: date, min: today}, call: {type: datetime, min: now}, born: {type: date, max: 2020-01-01}}"
    modules = f"modules: {{orders: {{see: all, fields: {{name: text, {bounds[1:-1]}}}, list: {{columns: [name]}}}}}}"
    shop = make_shop(tmp_path, database_url, modules, "modules: {orders: {}}\n")
    old = "name,wanted,call,born\na,2020-01-02,2020-01-02T10:00,2019-12-31\n"
    shop.loaded("orders", old)
    assert shop.values("orders", "wanted") == [datetime.date(2020, 1, 2)]
    assert shop.bad("orders", old.replace("2019-12-31", "2020-01-02")) == ["2: born: Choose Jan 1, 2020 or earlier."]


def test_a_default_that_follows_a_link_is_imported_where_the_file_has_no_column_for_it(tmp_path, database_url):
    modules = """
modules:
  people: {see: all, fields: {name: text, phone: phone}}
  calls:
    see: all
    fields: {title: text, caller: {type: link, to: people}, number_: {type: phone, default: $caller.phone}}
"""
    shop = make_shop(tmp_path / "calls", database_url, modules, "staff: true\nmodules: {calls: {}, people: {}}\n")
    try:
        shop.loaded("people", "name,phone\nAda,+39 02 1234\nBob,\n")
        shop.loaded("calls", "title,caller\nA,Ada\nB,Bob\nC,\n")
        shop.loaded("calls", "title,caller,number_\nD,Ada,112\nE,Ada,\n")
        assert shop.values("calls", "number_") == ["+39 02 1234", None, None, "112", None]
    finally:
        shop.engine.dispose()


def test_a_field_that_is_not_asked_must_be_empty_and_a_needed_one_filled(filled):
    problems = filled.bad("things", "title,kind,large_reason\na,large,\nb,small,because\nc,large,because\n")
    assert [problem.partition(":")[0] for problem in problems] == ["2", "3"]
    assert "Required" in problems[0]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ('"Full name, as\r\non the card";email\r\nAda;a@x.example\r\n', ("--map", "Full name, as\non the card=name")),
        ("name;email;;\nAda;a@x.example\n", ()),
        ("name;email\nAda;a@x.example;;\n", ()),
        ("sep=;\r\nname;email\r\nAda;a@x.example\r\n", ()),
        ('"sep=|"\r\nname|email\r\nAda|a@x.example\r\n', ()),
        ("name, first;email\nAda;a@x.example\n", ("--map", "name, first=name")),
        ("name|email\nAda|a@x.example\n", ("--delimiter", "|")),
        ("name\temail\nAda\ta@x.example\n", ("--delimiter", "tab")),
        (" NOME  E COGNOME ,posta\nAda,a@x.example\n", ()),
    ],
)
def test_files_of_spreadsheets_are_read_whatever_their_header_looks_like(shop, content, options):
    shop.loaded("people", content, *options)
    assert shop.values("people", "name", "email") == [("Ada", "a@x.example")]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("name,email\nAda\n", (), "2: The row has 1 cell, the header 2."),
        ("name,email\nAda,a@x.example,more\n", (), "2: The row has 3 cells, the header 2."),
        ("name,email,\nAda,a@x.example,more\n", (), "2: “more” is in a column without a header"),
        ('name,email,age\nAda,a@x.example,"1,00"\n', ("--decimal", "."), "“1,00” is not"),
        ("name,email,age\nAda,a@x.example,1.00\n", ("--decimal", ","), "“1.00” is not a number"),
    ],
)
def test_impossible_rows_are_reported(shop, content, options, words):
    assert words in shop.bad("people", content, *options)[0]


@pytest.mark.parametrize("cell", ["2024-03-05 10:00", "03/05/2024", "05.03.24", "20241305", "13:00 PM"])
def test_a_date_that_is_not_certain_is_refused(shop, cell):
    assert "Enter a date such as" in shop.bad("things", f"title,day\na,{cell}\n")[0]


@pytest.mark.parametrize(
    ("options", "cells"),
    [
        (("--decimal", ","), "1.234,5;1 234,50 EUR;2024-03-05;05.03.2024 14:30"),
        (("--decimal", "."), "1,234.5;1'234.50 EUR;05.03.2024;2024-03-05T14:30"),
        (("--decimal", ",", "--day-first"), "1234,5;EUR 1234,5;5/3/2024;05/03/2024, 14:30"),
        (("--day-first",), "1234.5;1234.5 EUR;05-03-2024;5-3-2024 14:30"),
        (("--month-first",), "1234.5;1234.5 EUR;3/5/2024;03/05/2024 2:30 PM"),
        (("--month-first",), "1234.5;1234.5 EUR;3/5/2024 12:00:00 AM;3-5-2024 14:30"),
        ((), "1234.5;1234.5 EUR;2024/03/05;20240305 2:30:00 pm"),
        ((), "1234.5;1234.5 EUR;2024-03-05 00:00:00.000;2024/3/5 14:30"),
        ((), "1234.5;1234.5 EUR;2024-03-05T00:00:00Z;2024.03.05 14:30"),
    ],
)
def test_numbers_and_dates_are_read_as_the_file_writes_them(shop, options, cells):
    shop.loaded("things", f"title;weight;price;day;moment\na;{cells}\n", *options)
    at = datetime.datetime(2024, 3, 5, 13, 30, tzinfo=datetime.UTC)
    row = (Decimal("1234.5"), Money(Decimal("1234.5"), "EUR"), datetime.date(2024, 3, 5), at)
    assert shop.values("things", "weight", "price", "day", "moment") == [row]


def test_an_amount_alone_keeps_the_currency_of_the_record(filled):
    filled.loaded("things", "title,code,price\na,1,5 EUR\n")
    filled.loaded("things", "code,price\n1,6\n", "--key", "code")
    assert filled.values("things", "price") == [Money(Decimal(6), "EUR")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "thinks", "file.csv"], 'did you mean "things"?'),
        (["import", "things", "missing.csv"], "missing.csv"),
        (["import", "things", "file.csv", "--map", "title"], "COLUMN=FIELD"),
        (["export", "thinks"], 'did you mean "things"?'),
    ],
)
def test_wrong_use_exits_2_and_says_why(shop, monkeypatch, arguments, words):
    shop.file("title\na\n")
    monkeypatch.chdir(shop.folder)
    result = shop.run(*arguments)
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.parametrize("command", ["import", "export", "index", "demo"])
def test_help_has_an_example(command):
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert f"Example: portal {command}" in " ".join(result.output.split())


def test_each_new_record_gets_a_random_code_of_its_own(tmp_path):
    code = "{type: text, read_only: true, unique: true, default: random}"
    modules = f"modules: {{orders: {{see: all, fields: {{name: text, code: {code}}}}}}}\n"
    shop = make_shop(tmp_path / "shop", f"sqlite:///{tmp_path / 'codes.sqlite'}", modules, "modules: {orders: {}}\n")
    assert not any("has no effect" in problem.message for problem in load(shop.folder).problems)
    shop.loaded("orders", "name\na\nb\nc\n")
    first = shop.values("orders", "code")
    assert len(set(first)) == 3
    assert all(re.fullmatch("[2-9a-z]{12}", each) for each in first)
    shop.loaded("orders", "name\na\n", "--key", "name")
    assert shop.values("orders", "code") == first
