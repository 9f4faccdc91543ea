"""`portal check` as a person calls it, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.commands import command_files, main
from portal.settings import NO_EMAIL

ROOT = Path(__file__).parents[3]
SMALL = ROOT / "tests/portals/small"
BROKEN = ROOT / "tests/portals/broken"


def portal(*arguments, **environment):
    return CliRunner().invoke(main, [str(each) for each in arguments], env=environment, prog_name="portal")


def test_a_correct_portal_is_counted():
    result = portal("check", SMALL)
    assert result.exit_code == 0
    assert result.output.splitlines() == [NO_EMAIL, "No mistakes: 4 modules, 3 profiles, 4 buttons"]


def test_mistakes_are_told_on_standard_output_and_counted():
    result = portal("check", BROKEN / "profile_button")
    assert result.exit_code == 1
    assert result.stdout == 'profiles/customer.yaml:3:18: buttons: no button "opn" (did you mean "open"?)\n1 error\n'


def test_warnings_alone_do_not_fail():
    result = portal("check", BROKEN / "warning_chart")
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


def test_a_check_imports_neither_the_web_nor_the_database_drivers():
    script = (
        "import sys\nfrom portal.commands import main\n"
        f"try:\n    main(['check', {str(SMALL)!r}])\n"
        "except SystemExit:\n"
        "    print(sorted({'pyramid', 'alembic', 'chameleon', 'psycopg', 'zope'} & set(sys.modules)))\n"
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
