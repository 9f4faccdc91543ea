"""Packages with field types and pages are installed for a process of their own, as if by pip."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

from pyramid.config import Configurator
from pyramid.interfaces import IView, IViewClassifier
from pyramid.request import Request
from zope.interface import implementedBy

from portal import application, packages
from portal.web.resources import Root

ROOT = Path(__file__).parents[2]
IBAN = ROOT / "examples" / "packages" / "portal-iban"
ACME = {  # a package of which only the reports can be used
    "barcode.py": "import no_such_library\n",
    "plain.py": "class Plain:\n    pass\n",
    "taken.py": "from typing import Literal\nfrom portal.fields.base import Field\n"
    "class Text(Field):\n    type: Literal['text']\n",
    "pages.py": """\
from portal.web.resources import Root
from pyramid.response import Response

def show(context, request):
    return Response("not ours")

def broken(config):
    config.add_view(show, context=Root, name="half")
    raise KeyError("not today")

def greedy(config):
    config.add_view(show, context=Root, name="search")
""",
    "reports.py": """\
from portal.web.resources import Administration, Module, Record
from portal.web.security import ADMINISTER
from pyramid.response import Response

def show(context, request):
    return Response(f"report of {request.path}")

def includeme(config):
    config.add_view(show, context=Administration, name="acme", permission=ADMINISTER)
    config.add_view(show, context=Module, name="report", physical_path="/payments")
    config.add_view(show, context=Record, name="slip", permission="edit", request_method=("GET", "POST"))
    config.add_menu_entry("Acme", "factory", "/-/acme")
    config.add_menu_entry("Report", "factory", "/payments/report")
    config.add_menu_entry("None", "factory", "/nowhere")
""",
    "__init__.py": "",
}
ACME_ENTRIES = {
    "portal.field_types": {
        "barcode": "acme_types.barcode:Barcode", "plain": "acme_types.plain:Plain", "text": "acme_types.taken:Text",
    },
    "portal.pages": {
        "broken": "acme_types.pages:broken", "greedy": "acme_types.pages:greedy", "reports": "acme_types.reports",
    },
}  # fmt: skip


def install(folder: Path, name: str, version: str, entries: dict[str, dict[str, str]]) -> None:
    """Writes the metadata that pip adds to a package, so that its entry points are known."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        f"[{group}]\n" + "\n".join(f"{key} = {value}" for key, value in of.items()) for group, of in entries.items()
    ]
    (info / "entry_points.txt").write_text("\n\n".join(lines))


def test_the_example_keeps_the_contract_and_works_in_a_portal(tmp_path):
    project = tomllib.loads((IBAN / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install(tmp_path, project["name"], project["version"], project["entry-points"])
    install(tmp_path, "acme-types", "2.1", ACME_ENTRIES)
    (tmp_path / "acme_types").mkdir()
    for name, text in ACME.items():
        (tmp_path / "acme_types" / name).write_text(text)
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, IBAN)))}
    imported_first = "from portal_iban.iban import Iban; assert Iban.types['iban'] is Iban"
    subprocess.run([sys.executable, "-c", imported_first], env={**os.environ, **paths}, check=True)
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml"]
    files = [IBAN / "tests", Path(__file__).parent / "with_packages.py"]
    done = subprocess.run([*pytest, *files], env={**os.environ, **paths}, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)


def test_two_packages_that_claim_the_same_address_are_left_out(monkeypatch):
    entries = [EntryPoint(name, f"{__name__}:{name}", packages.PAGES) for name in ("one", "other")]
    monkeypatch.setattr(application, "extensions", lambda group: tuple(entries))
    monkeypatch.setattr(packages, "_left_out", {})
    registry = application.configured.__wrapped__()
    assert len(packages.left_out()) == 2
    assert all("Conflicting configuration actions" in sentence for sentence in packages.left_out())
    interfaces = IViewClassifier, implementedBy(Request), implementedBy(Root)
    assert registry.adapters.lookup(interfaces, IView, name="search") is not None
    assert registry.adapters.lookup(interfaces, IView, name="claimed") is None


def one(config: Configurator) -> None:
    config.add_view(lambda request: {}, context=Root, name="claimed", renderer="json")


def other(config: Configurator) -> None:
    config.add_view(lambda request: {}, context=Root, name="claimed", renderer="json")
