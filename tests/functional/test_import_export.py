"""`portal import` and `portal export`, as an administrator uses them."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from portal.commands import main
from portal.database.engine import reading
from portal.declaration.load import load
from portal.fields.address import Address
from portal.fields.money import Money
from portal.records.policy import Policy, system_policy
from portal.records.reading.records import Query, Records
from portal.records.transfer.exporting import list_export
from tests.functional.shop import Shop, make_shop, table
from tests.functional.world import Rows, put_back, rows_of

pytestmark = pytest.mark.sqlite_suffices

PEOPLE = "name,email,boss\nAda,ada@acme.example,\nBob,bob@acme.example,ada@acme.example\n"
USED = "This value is already in use. Capitals and accents make no difference."
EVERYTHING = (
    "title,code,body,page,rich,mail,phone,site,amount,weight,price,share,ready,day,moment,clock,length,"
    "kind,colours,tags,service,category,owners,about,place.street,place.city,stars,colour,solved,secret,state,created\n"
    '"=SUM(A1)",A-1,"two\nlines","# Head","<p>a <b>b</b></p>",x@acme.example,+39 051 555,https://acme.example,-7,1.125,'
    "-12.5 EUR,22.5,true,2024-02-29,2024-03-05T14:30+01:00,08:15,1 h 30 min,"
    'small,"red, ""dark, blue""","one, two words",Printing,Jam,"Ada; Bob",people:Ada,"Main street 1, left",Łódź,'
    "4,#ffaa00,2024-03-06T10:00Z,'quoted,done,2020-01-02T03:04Z\n"
    "plain,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[tuple[Shop, Rows]]:
    folder = tmp_path_factory.mktemp("opened")
    shop = make_shop(folder / "shop", f"sqlite:///{folder / 'portal.sqlite'}")
    yield shop, rows_of(shop)
    shop.engine.dispose()


@pytest.fixture
def shop(opened) -> Iterator[Shop]:
    """The portal without records; each test is rolled back."""
    shop, rows = opened
    yield shop
    put_back(shop, rows)


@pytest.fixture
def filled(shop) -> Shop:
    shop.loaded("people", PEOPLE)
    shop.loaded("services", "name\nPrinting\nNetwork\n")
    shop.loaded("categories", "name,service\nJam,Printing\nOther,Printing\nOther,Network\n")
    return shop


# -- what comes in -------------------------------------------------------------------------------------------------


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


# -- columns -------------------------------------------------------------------------------------------------------


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


# -- bad rows ------------------------------------------------------------------------------------------------------


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


def test_unique_values_are_compared_with_the_records_and_within_the_file(shop):
    shop.loaded("people", PEOPLE)
    problems = shop.bad("people", "name,email\nX,x@acme.example\nY,ada@acme.example\nZ,x@acme.example\n")
    assert problems == ["3: email: This value is already in use.", "4: email: Line 2 has the same value."]


def test_values_may_have_to_be_unique_within_a_company_or_another_record_only(tmp_path, database_url):
    modules = """
people: people
organizations: firms
modules:
  people: {fields: {name: text, email: email}}
  firms: {see: all, fields: {name: text}}
  orders:
    see: all
    organization: firm
    fields:
      title: text
      firm: {type: link, to: firms}
      number_: {type: text, unique: organization}
      site: {type: link, to: firms}
      guest: {type: link, to: firms, unique: site}
"""
    shop = make_shop(tmp_path / "firms", database_url, modules, "staff: true\nmodules: {orders: {}, firms: {}}\n")
    try:
        shop.loaded("firms", "name\nAcme\nGlobex\n")
        shop.loaded("orders", "title,firm,number_\nA,Acme,1\nB,Globex,1\nC,,1\nD,,1\n")
        problems = shop.bad("orders", "title,firm,number_\nE,Acme,1\nF,Globex,2\nG,Globex,2\n")
        assert problems == [f"2: number_: {USED}", "4: number_: Line 3 has the same value."]
        shop.loaded("orders", "title,site,guest\nH,Acme,Acme\nI,Acme,Globex\nJ,Globex,Acme\nK,,Acme\nL,,Acme\n")
        problems = shop.bad("orders", "title,site,guest\nM,Acme,Globex\nN,Globex,Globex\nO,Globex,Globex\n")
        assert problems == ["2: guest: This value is already in use.", "4: guest: Line 3 has the same value."]
    finally:
        shop.engine.dispose()


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


def test_a_unique_text_is_the_same_whatever_its_case_and_accents(shop):
    shop.loaded("things", "title,code\nA,Łódź\nB,X\n")
    problems = shop.bad("things", "title,code\nC,lodz\nD,Ny\nE,NÝ\n")
    assert problems == [f"2: code: {USED}", "4: code: Line 3 has the same value."]
    assert shop.load("things", "code,title\nLODZ,Other\n", "--key", "code").output.startswith(
        "things: 0 new, 1 changed"
    )
    assert shop.values("things", "title", "code")[0] == ("Other", "LODZ")


def test_an_address_is_the_same_in_any_case(shop):
    shop.loaded("people", PEOPLE)
    problems = shop.bad("people", "name,email\nX,x@acme.example\nY,ADA@acme.Example\nZ,X@ACME.example\n")
    assert problems == ["3: email: This value is already in use.", "4: email: Line 2 has the same value."]
    renamed = "email,name,boss\nADA@ACME.EXAMPLE,Ada Byron,BOB@acme.example\n"
    assert shop.load("people", renamed, "--key", "email").output == "people: 0 new, 1 changed, 0 unchanged\n"
    assert shop.values("people", "name", "email", "boss")[0] == ("Ada Byron", "ADA@ACME.EXAMPLE", "Bob")


def test_a_field_that_is_not_asked_must_be_empty_and_a_needed_one_filled(filled):
    problems = filled.bad("things", "title,kind,large_reason\na,large,\nb,small,because\nc,large,because\n")
    assert [problem.partition(":")[0] for problem in problems] == ["2", "3"]
    assert "Required" in problems[0]


# -- links ---------------------------------------------------------------------------------------------------------


def test_a_link_is_found_by_a_unique_field_then_the_reference_then_the_title(shop):
    shop.loaded("people", "name,email\n2,ada@acme.example\nBob,bob@acme.example\n")
    content = "name,email,boss\nC,c@x.example,ada@acme.example\nD,d@x.example,2\nE,e@x.example,Bob\n"
    shop.loaded("people", content)
    assert shop.values("people", "boss") == [None, None, "2", "Bob", "Bob"]


def test_a_name_that_several_records_have_is_a_bad_row(filled):
    filled.loaded("people", "name,email\nBob,other@acme.example\n")
    assert filled.bad("things", "title,owners\na,Ada; Bob\n") == ["2: owners: 2 records in people are named “Bob”."]


def test_the_fields_that_a_link_depends_on_tell_records_of_one_name_apart(filled):
    filled.loaded("things", "title,service,category\na,Printing,Other\nb,Network,Other\nc,Printing,Jam\n")
    with reading(filled.engine) as connection:
        records, names = filled.tables.module("things"), filled.tables.module("categories")
        same = sa.select(names.c["service"] == records.c["service"]).join_from(
            records, names, names.c["id"] == records.c["category"]
        )
        assert connection.scalars(same).all() == [True, True, True]
    problems = filled.bad("things", "title,service,category\na,Network,Jam\nb,,Jam\n")
    assert [problem.split(": ")[:2] for problem in problems] == [["2", "category"], ["3", "category"]]


@pytest.mark.parametrize("rows_at_once", [1, 1000])
def test_rows_may_link_to_later_rows_and_to_themselves(shop, monkeypatch, rows_at_once):
    monkeypatch.setattr("portal.records.transfer.checking.BATCH", rows_at_once)
    rows = "Ada,ada@x.example,Zoe,Bob; Zoe\nBob,bob@x.example,bob@x.example,\nZoe,zoe@x.example,Ada,\n"
    shop.loaded("people", "name,email,boss,friends\n" + rows)
    assert shop.values("people", "name", "boss", "friends") == [
        ("Ada", "Zoe", ("Bob", "Zoe")), ("Bob", "Bob", ()), ("Zoe", "Ada", ()),
    ]  # fmt: skip


@pytest.mark.parametrize("rows_at_once", [1, 1000])
def test_a_row_whose_linked_row_is_bad_is_bad_too(shop, monkeypatch, rows_at_once):
    monkeypatch.setattr("portal.records.transfer.checking.BATCH", rows_at_once)
    content = "name,email,boss\nAda,ada@x.example,Bob\nBob,bob@x.example,Zoe\nZoe,zoe,\nEve,eve@x.example,\n"
    result = shop.load("people", content, "--skip-bad")
    assert result.output.splitlines()[-1] == "people: 1 new, 0 changed, 0 unchanged, 3 bad rows left out"
    assert shop.values("people", "name") == ["Eve"]


def test_links_are_looked_up_for_whole_batches(shop):
    rows = 600
    shop.loaded("people", "name,email\n" + "".join(f"P{n},p{n}@x.example\n" for n in range(rows)))
    content = "title,owners\n" + "".join(f"T{n},P{n}; p{rows - n - 1}@x.example\n" for n in range(rows))
    statements = []

    def count(*told) -> None:
        statements.append(told[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        shop.loaded("things", content)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)
    assert len(statements) < 250


# -- changing ------------------------------------------------------------------------------------------------------


def test_a_key_changes_what_it_finds_and_adds_the_rest(shop):
    shop.loaded("people", PEOPLE)
    before = shop.records("people")
    content = "email,name,age\nada@acme.example,Ada King,36\nnew@acme.example,New,1\n"
    result = shop.load("people", content, "--key", "email")
    assert result.output == "people: 1 new, 1 changed, 0 unchanged\n"
    found = shop.values("people", "name", "age", "boss")
    assert found == [("Ada King", 36, None), ("Bob", 18, "Ada King"), ("New", 1, None)]
    after = shop.records("people")
    assert (after[0].version, after[1].version) == (before[0].version + 1, before[1].version)
    assert after[0].values["created"] == before[0].values["created"]


def test_the_same_file_once_more_changes_nothing(filled):
    filled.loaded("things", EVERYTHING)
    again = EVERYTHING.replace("plain,,", "plain,B-2,")
    filled.run("import", "things", filled.file(again), "--key", "title")
    before = [(record.version, record.values["modified"]) for record in filled.records("things")]
    result = filled.load("things", again, "--key", "title")
    assert result.output == "things: 0 new, 0 changed, 2 unchanged\n"
    assert [(record.version, record.values["modified"]) for record in filled.records("things")] == before


def test_an_empty_cell_empties_and_a_missing_column_leaves(shop):
    shop.loaded("people", "name,email,age,boss\nAda,ada@x.example,36,\nBob,bob@x.example,40,Ada\n")
    shop.loaded("people", "email,age\nbob@x.example,\n", "--key", "email")
    assert shop.values("people", "age", "boss") == [(36, None), (None, "Ada")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("email,name\n,Ada\n", "Required, because it identifies the record"),
        ("email,name\nada@acme.example,A\nada@acme.example,B\n", "Line 2 has the same value."),
        ("email,name\nada@acme.example,\n", "Required"),
        ("email,reference\nada@acme.example,7\n", "This cannot be changed. The record has 1."),
    ],
)
def test_what_a_key_cannot_do(shop, content, words):
    shop.loaded("people", PEOPLE)
    assert [problem.split(": ", 2)[2] for problem in shop.bad("people", content, "--key", "email")] == [words]


def test_a_key_that_several_records_have_is_a_bad_row(shop):
    shop.loaded("people", "name,email\nAda,a@x.example\nAda,b@x.example\n")
    assert shop.bad("people", "name,age\nAda,3\n", "--key", "name") == ["2: name: 2 records have this value."]


def test_one_part_of_an_address_may_be_changed_by_itself(filled):
    filled.loaded("things", "title,code,place.street,place.city\na,1,Main street 1,Rome\n")
    filled.loaded("things", "code,place.city\n1,Milan\n", "--key", "code")
    assert filled.values("things", "place") == [Address("Main street 1", city="Milan")]


def test_numbers_in_a_file_are_kept_and_the_portal_continues_after_them(filled):
    filled.loaded("things", "title,reference,number\na,OLD-7,70\nb,TH050,\nc,,\n")
    assert filled.values("things", "reference", "number") == [("OLD-7", 70), ("TH050", 50), ("TH071", 71)]
    assert len(filled.bad("things", "title,number\nd,70\n")) == 1


def test_records_whose_references_have_one_number_keep_what_is_theirs(shop):
    shop.loaded("people", "name,email\nAda,ada@x.example\nBob,bob@x.example\nCid,cid@x.example\n")
    shop.loaded("things", "title,reference,owners\na,TH050,Ada\n")
    shop.loaded("things", "title,reference,owners\nb,TH50,Bob\nc,th050,Cid\n")
    assert shop.values("things", "title", "owners") == [("a", ("Ada",)), ("b", ("Bob",)), ("c", ("Cid",))]


# -- export --------------------------------------------------------------------------------------------------------


def test_a_number_that_leaves_none_for_later_records_is_refused(shop):
    problems = shop.bad("people", "name,email,number\nA,a@x.example,9223372036854775807\nB,b@x.example,-1\n")
    assert problems == ["2: number: This number is too large.", "3: number: Enter 0 or more."]
    shop.loaded("people", "name,email,number\nC,c@x.example,999999999999999\nD,d@x.example,\n")
    assert shop.values("people", "number") == [999999999999999, 10**15]


def test_what_is_exported_can_be_imported_into_an_empty_portal(filled, tmp_path, sqlite_url):
    filled.loaded("things", EVERYTHING)
    other = make_shop(tmp_path / "other", f"sqlite:///{tmp_path / 'other.sqlite'}")
    for module in ("people", "services", "categories", "things"):
        path = tmp_path / f"{module}.csv"
        assert filled.run("export", module, path).exit_code == 0
        result = other.run("import", module, path)
        assert result.exit_code == 0, result.output
        names = [*filled.declaration.modules[module].fields, "reference", "number", "created"]
        kept = [name for name in names if name != "length_of_title"]
        assert other.values(module, *kept) == filled.values(module, *kept)


def test_the_export_names_fields_and_disarms_formulas(filled):
    filled.loaded("things", EVERYTHING)
    result = filled.run("export", "things")
    header, first, _second = table(result.stdout_bytes)
    row = dict(zip(header, first, strict=True))
    assert header[:4] == ["reference", "number", "created", "title"]
    assert not {"modified", "length_of_title"} & set(header)
    assert row["title"] == "'=SUM(A1)"
    assert row["phone"] == "'+39 051 555"
    assert (row["price"], row["price.currency"], row["amount"]) == ("-12.5", "EUR", "-7")
    assert (row["owners"], row["place.city"]) == ("ada@acme.example; bob@acme.example", "Łódź")


def test_the_export_of_a_list_shows_what_people_see_but_no_more_than_they_may(filled):
    filled.loaded("things", EVERYTHING)
    profile, reader = filled.declaration.profiles["staff"], filled.declaration.reader(language="it")
    with reading(filled.engine) as connection:
        records = Records(connection, Policy(filled.tables, profile, reader), "things")
        columns = [*records.access.list.columns, "secret"]
        content = b"".join(list_export(records, Query(sort=("id",)), columns, reader).csv_file())
    assert content.startswith(b"\xef\xbb\xbf")
    header, first, _second = table(content)
    row = dict(zip(header, first, strict=True))
    assert "Titolo" in header
    assert "Secret" not in header
    assert (row["Titolo"], row["Prezzo"], row["Sort"]) == ("'=SUM(A1)", "-12.5", "Piccolo")
    assert row["Prezzo (valuta)"] == "EUR"
    assert (row["Day"], row["Moment"], row["Owners"]) == ("2024-02-29", "2024-03-05 14:30", "Ada; Bob")


# -- files as people have them -------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("language", ["en", "it"])
def test_the_export_of_a_list_can_be_imported(filled, language):
    filled.loaded("things", EVERYTHING)
    filled.loaded("services", 'name\n"Labels, 12 ""wide"""\n')
    filled.loaded("things", 'title,service\nx;=1,"Labels, 12 ""wide"""\n')
    profile, reader = filled.declaration.profiles["staff"], filled.declaration.reader(language=language)
    names = [name for name in filled.declaration.modules["things"].fields if name != "secret"]
    with reading(filled.engine) as connection:
        policy = Policy(filled.tables, profile, reader)
        readable = {**profile.modules}
        readable["things"] = profile.modules["things"].model_copy(update={"readable": frozenset({*names, "reference"})})
        policy = replace(policy, profile=profile.model_copy(update={"modules": readable}))
        records = Records(connection, policy, "things")
        export = list_export(records, Query(sort=("id",)), ["reference", *names, "modified"], reader)
        content = b"".join(export.csv_file())
    result = filled.load("things", content, "--key", "reference")
    assert "0 new, 0 changed, 3 unchanged" in result.output, result.output
    assert "skipped what the portal computes or keeps itself" in result.output


# -- wrong use -----------------------------------------------------------------------------------------------------


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
