"""`portal export` and the export of a list: what they write can be imported again."""

from dataclasses import replace

import pytest

from portal.database.engine import reading
from portal.records.policy import Policy
from portal.records.reading.records import Query, Records
from portal.records.transfer.exporting import list_export
from tests.functional.import_portal import EVERYTHING, filled, opened, shop
from tests.functional.shop import make_shop, table

__all__ = ["filled", "opened", "shop"]  # fixtures
pytestmark = pytest.mark.sqlite_suffices


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
