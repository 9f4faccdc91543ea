"""`portal import`: which records a row means, by links, keys, unique values and numbers."""

import pytest
import sqlalchemy as sa

from portal.database.engine import reading
from portal.fields.address import Address
from tests.functional.import_portal import EVERYTHING, PEOPLE, USED, filled, opened, shop
from tests.functional.shop import make_shop

__all__ = ["filled", "opened", "shop"]  # fixtures
pytestmark = pytest.mark.sqlite_suffices


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


def test_a_number_that_leaves_none_for_later_records_is_refused(shop):
    problems = shop.bad("people", "name,email,number\nA,a@x.example,9223372036854775807\nB,b@x.example,-1\n")
    assert problems == ["2: number: This number is too large.", "3: number: Enter 0 or more."]
    shop.loaded("people", "name,email,number\nC,c@x.example,999999999999999\nD,d@x.example,\n")
    assert shop.values("people", "number") == [999999999999999, 10**15]
