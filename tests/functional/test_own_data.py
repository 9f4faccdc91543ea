"""What the portal holds about a person: downloaded by them, written by a command."""

import io
import json
import zipfile

import pytest
from click.testing import CliRunner

from portal.accounts.attempts import OWN_DATA
from portal.accounts.own_data import ArchiveLimits
from portal.commands import main
from portal.views.account import own_data
from tests.functional.conftest import fill_in
from tests.functional.files_portal import people, portal_folder
from tests.functional.test_files import PDF, comment, upload
from tests.functional.world import ANNA, NANCY

__all__ = ["people", "portal_folder"]  # fixtures: tickets take files, and Anna has one


def opened(archive: bytes) -> dict[str, object]:
    """The files of an archive by name; for JSON, its content."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        return {
            name: json.loads(files.read(name)) if name.endswith(".json") else files.read(name)
            for name in files.namelist()
        }


def test_a_person_downloads_what_is_theirs_and_nothing_else(people):
    anna, nancy = people["anna"], people["nancy"]
    comment(anna, "See the photo", ("report.pdf", PDF))
    comment(nancy, "Seen by staff alone", internal=True)
    comment(nancy, "We are on it")
    upload(anna, ("plan.pdf", PDF))
    fill_in(people["carla"], "/tickets/create", {"title": "Of another company"})

    answer = anna.get("/account/").click(href="/account/data")
    assert answer.content_type == "application/zip"
    files = opened(answer.body)

    assert [account["email"] for account in files["account/account.json"]] == [ANNA]
    assert files["account/devices.json"][0]["created"].endswith("Z")
    assert files["person.json"]["_title"] == "Anna Rossi"
    assert [record["_title"] for record in files["records/tickets.json"]] == ["Paper jam"]
    assert "notes" not in files["records/tickets.json"][0]
    assert [(each["title"], each["text"]) for each in files["comments.json"]] == [("Paper jam", "See the photo")]
    paths = {each["name"]: each["path"] for each in files["files.json"]}
    assert paths.keys() == {"report.pdf", "plan.pdf"}
    assert all(files[path] == PDF for path in paths.values())
    assert {"created", "commented", "attached"} <= {event["kind"] for event in files["history.json"]}
    assert b"Small Portal" in files["about.txt"]
    everything = repr(files)
    for secret in ("Of another company", "Seen by staff alone", "We are on it", "argon2"):
        assert secret not in everything


def test_a_person_downloads_it_some_times_per_hour(people):
    carla = people["carla"]
    answers = [carla.get("/account/data", status="*").status_int for _ in range(OWN_DATA.most + 1)]
    assert answers == [200] * OWN_DATA.most + [429]


@pytest.mark.sqlite_suffices
def test_what_exceeds_the_limits_is_reported_and_a_command_writes_all_of_it(
    people, portal_folder, database, tmp_path, monkeypatch
):
    anna = people["anna"]
    comment(anna, "First", ("report.pdf", PDF))
    comment(anna, "Second")
    monkeypatch.setattr(own_data, "MOST", ArchiveLimits(entries=1, size=10))
    files = opened(anna.get("/account/data").body)
    assert [each["text"] for each in files["comments.json"]] == ["Second"]
    assert files["files.json"][0]["path"] is None
    assert b"comments.json has the first 1 entries. Ask us for the rest." in files["about.txt"]
    assert b"1 file is not included" in files["about.txt"]

    target = tmp_path / "anna.zip"
    words = ["account", "data", ANNA, str(target), "--folder", str(portal_folder), "--database", database]
    answer = CliRunner().invoke(main, words, env={"PORTAL_FILES": str(portal_folder / "var/files")})
    assert answer.exit_code == 0, answer.output
    files = opened(target.read_bytes())
    assert [each["text"] for each in files["comments.json"]] == ["Second", "First"]
    assert files[files["files.json"][0]["path"]] == PDF
    assert target.stat().st_mode & 0o777 == 0o600
    assert "File exists" in CliRunner().invoke(main, words).output


@pytest.mark.sqlite_suffices
def test_the_records_that_a_person_watches_are_in_it(world):
    request = world.add("requests", name="Paper jam", **world.for_request("Bruno Verdi"))
    anna = world.the("people", "Anna Rossi").id
    world[NANCY].send(f"/requests/{request}/watchers", {"add": str(anna)}, status=303)
    watched = opened(world[ANNA].get("/account/data").body)["account/watched.json"]
    assert [(each["module"], each["record"]) for each in watched] == [("requests", request)]
