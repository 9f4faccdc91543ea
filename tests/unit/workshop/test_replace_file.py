"""A file is replaced completely, keeping its permissions; anything else is refused."""

import os

import pytest

from portal.workshop.replace_file import replace_file


def test_a_file_keeps_its_permissions_and_a_link_its_target(tmp_path):
    file, link = tmp_path / "modules.yaml", tmp_path / "link.yaml"
    file.write_text("before")
    file.chmod(0o640)
    link.symlink_to(file)
    replace_file(link, b"after")
    assert (file.read_text(), file.stat().st_mode & 0o777, link.is_symlink()) == ("after", 0o640, True)


def test_anything_that_is_not_a_file_is_left_alone(tmp_path):
    pipe = tmp_path / "modules.yaml"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="Not a regular file"):
        replace_file(pipe, b"after")
    assert pipe.is_fifo()
