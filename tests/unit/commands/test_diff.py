"""`portal diff` as a person calls it: folders, revisions of git, the snapshot of rights, people and records."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.commands import main
from tests.portal_files import change

SMALL = Path(__file__).parents[2] / "portals" / "small"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SMALL, tmp_path / "now")


def portal(folder, *arguments):
    result = CliRunner().invoke(main, [*arguments, "--folder", str(folder)], prog_name="portal")
    return result.exit_code, result.output


def test_what_a_profile_loses_and_gains_is_said_in_sentences(folder):
    change(folder, "status, urgency, modified, comments]", "status, modified, comments]")
    change(folder, "aside: [status, urgency, caller", "aside: [status, caller")
    change(folder, "resolve, reopen, close]", "resolve, close, export]", "profiles/customer.yaml")
    change(folder, "[title, description, urgency, s", "[title, description, s", "profiles/customer.yaml")
    change(folder, "{where: {published: true}}", "{where: {published: true, tags: news}}", "profiles/customer.yaml")
    code, said = portal(folder, "diff", str(SMALL))
    assert code == 3
    customer = said[said.index("profile customer") : said.index("profile power")].splitlines()
    assert customer == [
        "profile customer:",
        "  ~ sees only articles with “published: true, tags: news” instead of “published: true”"
        "  (profiles/customer.yaml:6:14)",
        "  - loses column Urgency of tickets  (modules.yaml:46:5)",
        "  + may export tickets  (profiles/customer.yaml:4:44)",
        "  - may no longer reopen tickets  (profiles/customer.yaml:4:5)",
        "  - may no longer fill in Urgency in new tickets  (profiles/customer.yaml:5:5)",
    ]


def test_what_concerns_everyone_comes_first(folder):
    change(folder, "      cost: money\n", "      price: {type: money, formerly: cost}\n")
    change(folder, "low: Low", "low: Lowest")
    change(folder, "      notes: {type: longtext, internal: true}\n", "")
    change(folder, ", satisfaction, notes]", ", satisfaction]")
    code, said = portal(folder, "diff", str(SMALL))
    assert (code, said.splitlines()[:3]) == (
        3,
        [
            "~ field urgency of tickets differs: options.low.label “Lowest” instead of “Low”  (modules.yaml:18:41)",
            "~ field cost of tickets is called price  (modules.yaml:29:7)",
            "- tickets have no field notes any more",
        ],
    )
    assert "  - loses field Notes of tickets" in said[said.index("profile staff") :]
    assert "Notes" not in said[said.index("profile customer") : said.index("profile staff")]


def test_who_outside_is_told_is_said_in_whole(folder):
    with (folder / "modules.yaml").open("a") as file:
        file.write('webhooks: {erp: {url: "https://erp.example/hook", on: tickets.created, as: staff}}\n')
    _code, said = portal(folder, "diff", str(SMALL))
    told = "https://erp.example/hook is notified of tickets.created as staff"
    assert said.splitlines()[0] == f"+ there is a new webhook erp: {told}"
    _code, said = portal(SMALL, "diff", str(folder))
    assert said.splitlines()[0] == "- there is no webhook erp any more"


def test_what_has_another_name_is_not_lost(folder):
    change(folder, ", satisfaction, notes]", ", satisfaction, work, notes]")
    work = "{type: lines, fields: {task: text, wage: {type: money, internal: true}}}"
    change(folder, "      cost: money\n", f"      cost: money\n      work: {work}\n")
    before = shutil.copytree(folder, folder.parent / "before")
    change(folder, "work: {type: lines", "jobs: {type: lines, formerly: work")
    change(folder, "wage: {type: money", "price: {type: money, formerly: wage")
    change(folder, ", satisfaction, work, notes]", ", satisfaction, jobs, notes]")
    for file in sorted(folder.rglob("*.yaml")):
        file.write_text(file.read_text().replace("articles", "pages").replace("description", "details"))
    change(folder, "  pages:\n", "  pages:\n    formerly: articles\n")
    change(folder, "details: longtext", "details: {type: longtext, formerly: description}")
    code, said = portal(folder, "diff", str(before))
    assert code == 3
    assert "~ module articles is called pages" in said
    assert "~ field description of tickets is called details" in said
    profiles = [line for line in said.splitlines() if line.startswith(("profile", "  "))]
    assert profiles == [f"profile {name}: nothing changes" for name in ("customer", "power", "staff")]


def test_columns_of_rows_that_come_and_go_are_said_of_who_reads_them(folder):
    change(folder, ", satisfaction, notes]", ", satisfaction, work, notes]")
    work = "{type: lines, fields: {task: text, wage: {type: money, internal: true}}}"
    change(folder, "      cost: money\n", f"      cost: money\n      work: {work}\n")
    before = shutil.copytree(folder, folder.parent / "before")
    now = "{note: text, pay: {type: money, internal: true}}"
    change(folder, "{task: text, wage: {type: money, internal: true}}", now)
    said = portal(folder, "diff", str(before))[1].splitlines()
    columns = [line.partition(" of Work of tickets  (")[0].strip() for line in said if " of Work of tickets" in line]
    of_customers, of_staff = (
        ["- loses task", "+ gets note"],
        ["- loses task", "- loses wage", "+ gets note", "+ gets pay"],
    )
    assert columns == [*of_customers, *of_customers, *of_staff]


def test_what_a_profile_has_from_the_module_is_said_once_in_the_words_of_the_files(folder):
    change(folder, "  tickets:\n", "  tickets:\n    label: {en: Requests, it: Richieste}\n")
    before = shutil.copytree(folder, folder.parent / "before")
    change(folder, "it: Richieste", "it: Pratiche")
    assert portal(folder, "diff", str(before))[1].splitlines() == [
        "~ module tickets differs: label.it “Pratiche” instead of “Richieste”  (modules.yaml:8:27)",
        *(f"profile {name}: nothing changes" for name in ("customer", "power", "staff")),
    ]


def test_where_nothing_differs_it_exits_0(folder):
    assert portal(folder, "diff", str(SMALL)) == (0, "nothing differs\n")


def test_a_revision_of_git_is_compared_with_the_folder(folder):
    def git(*arguments):
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "As it was")
    change(folder, "close]", "close, export]", "profiles/customer.yaml")
    code, said = portal(folder, "diff", "HEAD")
    assert (code, "  + may export tickets" in said) == (3, True)
    code, said = portal(folder, "diff", "--output=x")
    assert code == 2
    code, said = portal(folder, "diff", "v17")
    assert (code, "there is no folder “v17”" in said) == (2, True)


def test_the_snapshot_of_rights_is_written_and_compared(folder, tmp_path):
    file = str(tmp_path / "access.json")
    assert portal(folder, "diff", "--snapshot", file, "--write")[0] == 0
    assert portal(folder, "diff", "--snapshot", file) == (0, "nothing differs\n")
    change(folder, "see: own", "see: organization", "profiles/customer.yaml")
    code, said = portal(folder, "diff", "--snapshot", file, "--format", "json")
    assert code == 3
    change_of_customer = json.loads(said)["profiles"][0]["changes"]
    assert [(entry["kind"], entry["module"]) for entry in change_of_customer] == [("changed", "tickets")]
    assert portal(folder, "diff")[0] == 2
    Path(file).write_text("no json")
    assert portal(folder, "diff", "--snapshot", file)[0] == 1


def test_with_a_database_people_and_records_are_counted(folder):
    portal(folder, "apply")
    portal(folder, "account", "add", "anna@acme.example", "--profile", "customer", "--organization", "Acme")
    portal(folder, "account", "add", "bob@acme.example", "--profile", "customer", "--organization", "Acme")
    before = shutil.copytree(folder, folder.parent / "before")
    change(folder, "  people: {label: My information, ", "  people: {see: organization, ", "profiles/customer.yaml")
    code, said = portal(folder, "diff", str(before))
    assert code == 3
    assert "  + 2 people see 2 more people, for example " in said
    last = "0 records no longer visible, 2 records newly visible; 2 of 2 people will notice the change"
    assert said.splitlines()[-1] == last
    assert "nothing differs" in portal(folder, "diff", str(folder))[1]


def test_mistakes_in_one_of_both_are_told(folder):
    change(folder, "cost: money", "cost: monney")
    code, said = portal(folder, "diff", str(SMALL))
    assert (code, "modules.yaml:" in said) == (1, True)


def test_the_rights_of_the_demo_are_those_of_its_snapshot():
    """If a change to the demo's profiles is intended: `portal diff --snapshot access.json --write`."""
    demo = Path(__file__).parents[3]
    assert portal(demo, "diff", "--snapshot", str(demo / "access.json")) == (0, "nothing differs\n")
