"""`portal check` as a person calls it, in a process of its own."""

import json
import os
import subprocess
import sys
from contextlib import chdir as working_in
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.commands import command_files, main
from portal.settings import NO_EMAIL, NO_WAY_IN
from tests.portal_files import write_portal

ROOT = Path(__file__).parents[3]
SMALL = ROOT / "tests/portals/small"
BROKEN = ROOT / "tests/portals/broken"


def portal(*arguments, **environment):
    return CliRunner().invoke(main, [str(each) for each in arguments], env=environment, prog_name="portal")


def test_a_correct_portal_is_counted():
    result = portal("check", SMALL)
    assert result.exit_code == 0
    assert result.output.splitlines() == [NO_EMAIL, "No mistakes: 4 modules, 3 profiles, 4 buttons"]


def test_a_portal_into_which_nobody_can_sign_in_is_told():
    provider = {"PORTAL_SIGN_IN": "oidc", "PORTAL_OIDC_ISSUER": "https://id.example"}
    assert NO_WAY_IN in portal("check", SMALL, PORTAL_SIGN_IN="oidc").output.splitlines()
    assert NO_WAY_IN not in portal("check", SMALL, **provider).output.splitlines()


def test_mistakes_are_told_on_standard_output_and_counted():
    result = portal("check", BROKEN / "profile_button")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        'profiles/customer.yaml:3:18: buttons: no button "opn" (did you mean "open"?)',
        '   1 | # profiles/customer.yaml:3:18: buttons: no button "opn" (did you mean "open"?)',
        "   2 | modules: {tickets: {can: [comment]}}",
        "   3 | home: {buttons: [opn]}",
        "     |                  ^^^",
        '  = P204: write "open"',
        "",
        "1 error; `portal explain-problem CODE` explains a code",
    ]


def test_a_related_place_is_shown_with_its_line(tmp_path):
    result = portal("check", as_folder(BROKEN / "duplicate_key.yaml", tmp_path))
    assert "  first defined here: modules.yaml:6:7\n" in result.stdout
    assert result.stdout.count("     |       ^^^^^") == 2


def test_other_places_of_the_same_name_are_one_problem_for_programs(tmp_path):
    result = portal("check", "--format", "json", as_folder(BROKEN / "field_renamed.yaml", tmp_path))
    problem = next(each for each in json.loads(result.stdout) if each["code"] == "P201")
    expected = {"severity": "error", "file": "modules.yaml", "line": 6, "column": 29, "end_column": 33}
    assert expected.items() <= problem.items()
    assert (problem["path"], problem["cure"]) == ("notes.list.columns", 'write "coda"')
    assert [(place["line"], place["column"], place["message"]) for place in problem["related"]] == [
        (6, 42, "also here"), (7, 22, "also here"),
    ]  # fmt: skip


def test_code_scanning_gets_a_rule_for_each_kind_and_a_place_for_each_problem(tmp_path):
    folder = as_folder(BROKEN / "duplicate_key.yaml", tmp_path)
    with working_in(tmp_path):
        log = json.loads(portal("check", "--format", "sarif", folder).stdout)
    [run] = log["runs"]
    result = run["results"][0]
    assert (log["version"], run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"]) == ("2.1.0", result["ruleId"])
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "modules.yaml"
    assert place["region"] == {"startLine": 7, "startColumn": 7, "endColumn": 12}
    assert result["relatedLocations"][0]["message"]["text"] == "first defined here"


def test_a_workflow_of_github_gets_one_line_for_each_problem():
    with working_in(ROOT):
        result = portal("check", "--format", "github", BROKEN / "warning_panel")
    assert result.exit_code == 0
    assert result.stdout == (
        "::warning file=tests/portals/broken/warning_panel/profiles/customer.yaml,line=3,col=40,endColumn=62,"
        "title=P604 Customers would learn or change more than intended::panels.0.where: this panel selects by"
        ' "due", which the profile customer cannot read: its count gives away what the field holds. Let them read it,'
        " by their list or detail layout, or select by another field.\n"
    )


def test_a_terminal_has_colors_and_a_pipe_has_none():
    arguments = ["check", str(BROKEN / "profile_button")]
    assert "\x1b[" in CliRunner().invoke(main, arguments, color=True).output
    assert "\x1b[" not in CliRunner().invoke(main, arguments).output
    assert "\x1b[" not in CliRunner().invoke(main, arguments, color=True, env={"NO_COLOR": "1"}).output


def test_a_code_is_explained_with_wrong_and_right():
    result = portal("explain-problem", "p204")
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "P204: There is no such button or tab"
    assert result.output.index("[opn]") < result.output.index("[open]")
    assert "P204  There is no such button or tab" in portal("explain-problem").output
    assert portal("explain-problem", "P999").exit_code == 2


def as_folder(file, folder):
    return write_portal(folder, file.read_text(encoding="utf-8"), staff="staff: true\nmodules: {}\n")


def test_warnings_alone_do_not_fail_unless_they_are_to():
    assert portal("check", "--strict", BROKEN / "warning_panel").exit_code == 1
    assert portal("check", "--strict", SMALL).exit_code == 0
    result = portal("check", BROKEN / "warning_panel")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "No mistakes (1 warning): 4 modules, 1 profile, 0 buttons"


@pytest.mark.parametrize(
    "arguments", [["--folder", SMALL, "check"], ["check", "--folder", SMALL], ["--folder", "/", "check", SMALL]]
)
def test_the_folder_stands_before_or_after_the_command(arguments):
    assert portal(*arguments).exit_code == 0


def test_an_option_beats_the_environment():
    assert portal("check", PORTAL_FOLDER=str(SMALL)).exit_code == 0
    assert portal("check", "--folder", SMALL, PORTAL_FOLDER=str(BROKEN / "profile_button")).exit_code == 0


def test_settings_of_the_environment_are_checked_as_well():
    result = portal("check", SMALL, PORTAL_CURRENCY="XXZ")
    assert result.exit_code == 1
    assert result.stdout.startswith("PORTAL_CURRENCY:1:1: currency: no currency")


@pytest.mark.parametrize(
    "arguments", [["check", "/nowhere"], ["check", "--folder", "/nowhere"], ["chek"], ["check", "--fast"]]
)
def test_wrong_use_exits_with_two(arguments):
    assert portal(*arguments).exit_code == 2


def test_help_names_every_command_and_gives_an_example():
    result = portal("--help")
    assert result.exit_code == 0
    assert all(name in result.output for name in command_files())
    assert "Example: portal check" in portal("check", "--help").output


def test_a_check_imports_neither_the_web_nor_drivers_nor_what_is_loaded_when_used():
    script = (
        "import sys\nfrom portal.commands import main\n"
        f"try:\n    main(['check', {str(SMALL)!r}])\n"
        "except SystemExit:\n"
        "    print(sorted({'pyramid', 'alembic', 'chameleon', 'psycopg', 'zope', 'markdown_it'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_terminal_of_few_characters_is_no_hindrance():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    command = [
        sys.executable,
        "-c",
        "from portal.commands import main; main()",
        "check",
        BROKEN / "default_no_option.yaml",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    folder = BROKEN / "profile_set_value"
    done = subprocess.run(
        [*command[:-1], folder], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "is not one of the options" in done.stdout


def test_fixing_writes_the_file_and_says_what_is_left(tmp_path):
    folder = as_folder(BROKEN / "columns_unknown.yaml", tmp_path)
    result = portal("check", "--fix", folder)
    assert result.exit_code == 0
    assert result.stderr.endswith("1 problem fixed in 1 file\n")
    assert "no field" not in result.stdout
    assert "columns: [reference, name]" in (folder / "modules.yaml").read_text(encoding="utf-8")
