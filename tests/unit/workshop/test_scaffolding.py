"""`portal new`: what it writes is valid, is where its author would put it, and leaves the rest unchanged."""

import difflib
from pathlib import Path

import pytest

from portal.declaration.declaration import Declaration
from portal.declaration.load import load
from portal.fields.base import Field
from portal.workshop.scaffolding import CannotStartError, new_field, new_module, new_profile
from tests.portal_files import write_portal

MODULES = """\
people: people
modules:
  # who is who
  people:
    fields:
      name: text       # in full
      email: email
      # that is all

  tickets:
    owner: caller
    fields: {title: text, caller: {type: link, to: people, default: me}, note: "a } and a # in it"}   # short
    detail:
      sections:
        - fields: [title]
    create:
      fields:
        - title
        - caller

# the end
"""
STAFF = "label: Staff\nstaff: true\nmenu: [tickets]\nmodules:\n  tickets: {see: all}\n  people:\n    see: all\n"
CUSTOMER = "modules: {tickets: {}, people: {}}"


@pytest.fixture
def folder(tmp_path):
    modules = MODULES.replace('"a } and a # in it"', '{type: text, help: "a } and a # in it"}')
    return write_portal(tmp_path, modules, staff=STAFF, customer=CUSTOMER)


def added(folder: Path, file: str, before: str) -> list[str]:
    """The added lines; nothing may have been removed."""
    changes = [line for line in difflib.ndiff(before.splitlines(), (folder / file).read_text().splitlines())]
    assert [line for line in changes if line.startswith("-")] == []
    return [line[2:] for line in changes if line.startswith("+")]


def declared(folder: Path) -> Declaration:
    loaded = load(folder)
    assert loaded.problems == []
    assert loaded.declaration is not None
    return loaded.declaration


def test_a_module_is_in_the_menu_of_staff(folder):
    new_module(folder, "visits", (), {})
    declaration = declared(folder)
    assert list(declaration.modules) == ["people", "tickets", "visits"]
    assert declaration.profiles["staff"].menu == ("tickets", "visits")
    assert declaration.profiles["staff"].modules["visits"].can == ("create", "edit")
    assert {"title", "description", "state"} <= declaration.profiles["staff"].modules["visits"].readable
    assert "visits" not in declaration.profiles["customer"].modules
    assert (folder / "modules.yaml").read_text().endswith("modified]\n\n# the end\n")


def test_a_module_is_shown_to_whom_it_is_for(folder):
    new_module(folder, "visits", ("customer",), {})
    assert "visits" in declared(folder).profiles["customer"].modules


@pytest.mark.parametrize(
    ("name", "one"),
    [("purchase_orders", "Purchase order"), ("m" * 47 + "s", "M" + "m" * 46)],  # the comment behind it stays one
)
def test_one_record_of_a_module_is_called_by_the_singular_of_its_name(folder, name, one):
    new_module(folder, name, (), {})
    assert str(declared(folder).modules[name].singular) == one


def test_a_field_stands_behind_the_others_with_their_comments(folder):
    before = (folder / "modules.yaml").read_text()
    new_field(folder, "people", "phone", "phone", {})
    lines = added(folder, "modules.yaml", before)
    assert lines[:2] == ["      phone:", "        type: phone"]
    text = (folder / "modules.yaml").read_text()
    assert text.index("# that is all") < text.index("phone:") < text.index("tickets:")
    assert declared(folder).modules["people"].fields["phone"].type == "phone"


def test_a_field_of_a_module_in_braces_is_shown_where_the_layouts_list_their_fields(folder):
    new_field(folder, "tickets", "floor", "integer", {})
    module = declared(folder).modules["tickets"]
    assert list(module.fields)[-1] == "floor"
    assert module.detail.sections[0].fields == ("title", "floor")
    assert module.create.fields == ("title", "caller", "floor")
    assert "floor" in declared(folder).profiles["customer"].modules["tickets"].readable
    assert "   # short\n" in (folder / "modules.yaml").read_text()


def test_a_field_of_every_type_is_valid(folder):
    new_field(folder, "people", "seat", "link", {})
    for kind in Field.types:
        new_field(folder, "tickets", f"a_{kind}", kind, {})
    assert len(declared(folder).modules["tickets"].fields) == len(Field.types) + 3


@pytest.mark.parametrize("extends", [None, "customer"])
def test_a_profile_reads_what_is_its_own(folder, extends):
    new_profile(folder, "guest", extends, {})
    guest = declared(folder).profiles["guest"]
    assert guest.modules["tickets"].see == "own"
    assert guest.modules["tickets"].can == ()


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (lambda folder: new_module(folder, "tickets", (), {}), "there is a module tickets already: it stays as it is"),
        (lambda folder: new_field(folder, "tickets", "title", "text", {}), "there is a field title already"),
        (lambda folder: new_profile(folder, "staff", None, {}), "there is a profile staff already"),
        (lambda folder: new_module(folder, "Visits", (), {}), '"Visits" is not a valid name'),
        (lambda folder: new_module(folder, "login", (), {}), "cannot be the name of a module"),
        (
            lambda folder: new_field(folder, "tickets", "created", "text", {}),
            'every record already has a field "created"',
        ),
        (
            lambda folder: new_field(folder, "tickets", "x", "txet", {}),
            r'no field type "txet" \(did you mean "text"\?\)',
        ),
        (
            lambda folder: new_field(folder, "ticket", "x", "text", {}),
            r'no module "ticket" \(did you mean "tickets"\?\)',
        ),
        (lambda folder: new_profile(folder, "guest", "nobody", {}), 'no profile "nobody"'),
    ],
)
def test_what_is_not_valid_is_not_written(folder, start, sentence):
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    with pytest.raises(CannotStartError, match=sentence):
        start(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before


def test_a_folder_with_mistakes_is_left_alone(folder):
    (folder / "profiles/customer.yaml").write_text("modules: {tikets: {}}")
    with pytest.raises(CannotStartError, match="portal check"):
        new_module(folder, "visits", (), {})


def test_in_an_empty_folder_a_module_begins_a_portal(tmp_path):
    folder = tmp_path / "new"
    assert new_module(folder, "visits", (), {}).done[0].startswith("a portal with the module visits")
    declaration = load(folder).declaration
    assert list(declaration.modules) == ["visits"]
    assert declaration.settings.administrators == ("staff",)
    with pytest.raises(CannotStartError, match="portal new module"):
        new_field(tmp_path, "visits", "floor", "text", {})
    with pytest.raises(CannotStartError, match="profiles/staff.yaml is there already"):
        (folder / "modules.yaml").unlink()
        new_module(folder, "visits", (), {})
