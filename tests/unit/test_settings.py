"""The settings of one process."""

import stat

import pytest

from portal.settings import read_settings


@pytest.mark.parametrize("mode", [None, 0o755, 0o770, 0o700])
def test_no_other_user_can_look_into_var(tmp_path, mode):
    folder = tmp_path / "var"
    if mode is not None:
        folder.mkdir(mode)
        folder.chmod(mode)
    read_settings(folder=tmp_path).make_database_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_folder_is_made_for_a_database_elsewhere(tmp_path):
    read_settings(folder=tmp_path, database="postgresql://localhost/portal").make_database_folder()
    assert list(tmp_path.iterdir()) == []
