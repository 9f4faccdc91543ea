"""The options of commands."""

from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner

from portal.commands import main
from portal.commands.options import read_password
from tests.portal_files import write_portal


def test_a_password_is_the_first_line_of_its_file(tmp_path):
    (tmp_path / "password").write_bytes(b"long enough phrase\r\nmore\n")
    with (tmp_path / "password").open(encoding="utf-8") as file:
        assert read_password(file) == "long enough phrase"


def test_a_file_that_is_no_text_has_no_password(tmp_path):
    (tmp_path / "password").write_bytes(b"\xff\xfe\x00\x80")
    with (
        (tmp_path / "password").open(encoding="utf-8") as file,
        pytest.raises(click.ClickException, match="not a text"),
    ):
        read_password(file)


def test_the_command_says_its_version():
    assert version("declared-portal") in CliRunner().invoke(main, ["--version"]).output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["serve", "--host", "999.1.1.1"], "cannot listen on 999.1.1.1:6543: there is no such host"),
        (["inbox", "--lmtp", "99999"], '"99999" is not a port'),
        (["inbox", "--lmtp", "²"], '"²" is not a port'),
    ],
)
def test_an_address_on_which_nothing_can_listen_is_told_in_a_sentence(tmp_path, words, sentence):
    write_portal(tmp_path, "modules: {tickets: {fields: {title: text}}}", staff="modules: {tickets: {see: all}}")
    database = ["--folder", str(tmp_path), "--database", f"sqlite:///{tmp_path}/portal.sqlite"]
    CliRunner().invoke(main, ["apply", *database])
    outcome = CliRunner().invoke(main, [*words, *database])
    assert outcome.exit_code in (1, 2)
    assert sentence in outcome.output
