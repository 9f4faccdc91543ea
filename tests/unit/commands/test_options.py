"""What commands take from their options."""

from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner

from portal.commands import main
from portal.commands.options import read_password


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
