"""Each portal of tests/portals/broken has one problem; the first line of the file at fault is the expected line."""

from pathlib import Path

import pytest

from portal.declaration import home_shapes, layout_shapes, shapes
from portal.declaration.load import load
from portal.declaration.read_modules import TOP_LEVEL_KEYS
from portal.declaration.shape_keys import keys_of
from portal.declaration.synonyms import OUR_KEYS, OUR_TYPES, intended_type
from portal.fields.base import Field
from portal.fields.base_shape import Shape
from tests.portal_files import write_portal

BROKEN = Path(__file__).parents[3] / "portals" / "broken"
PORTALS = sorted(path for path in BROKEN.iterdir())
# A single file is a modules.yaml, beside which stands this profile.
PROFILE = "staff: true\nmodules: {}\n"


@pytest.mark.parametrize("portal", PORTALS, ids=lambda path: path.stem)
def test_one_problem_is_one_line(portal, tmp_path):
    folder = portal if portal.is_dir() else as_folder(portal, tmp_path)
    [expected] = [line for file in folder.rglob("*.yaml") if (line := first_line(file))]
    loaded = load(folder)
    assert (loaded.declaration is None) is not expected.startswith("warning:")
    assert [str(problem) for problem in loaded.problems if is_like(expected, problem)] == [expected]


def as_folder(file: Path, folder: Path) -> Path:
    return write_portal(folder, file.read_text(encoding="utf-8"), staff=PROFILE)


def first_line(file: Path) -> str:
    """The expected problem, for the file at fault."""
    line = file.read_text(encoding="utf-8").partition("\n")[0]
    return line.removeprefix("# ") if line.startswith("# ") else ""


def is_like(expected, problem) -> bool:
    """Whether it is of the same kind; that the profile next to a file has no module is not the file's mistake."""
    return (
        problem.warning is expected.startswith("warning:") and "this profile has no module, so" not in problem.message
    )


def test_every_computed_column_of_lines_has_its_own_problem_and_what_reads_them_none(tmp_path):
    modules = """
modules:
  orders:
    see: all
    fields:
      title: text
      total: {type: formula, of: lines.total}
      lines:
        type: lines
        fields:
          what: text
          quantity: integer
          product: {type: link, to: orders}
          twice: {type: formula, of: what * 2}
          total: {type: formula, of: quantitty * 3}
          more: {type: formula, of: total + 1}
          color: {type: lookup, of: prodct.title}
"""
    write_portal(tmp_path, modules, staff=PROFILE)
    wrong = [str(problem) for problem in load(tmp_path).problems if not problem.warning]
    at = "orders.fields.lines.fields"
    assert wrong == [
        f"modules.yaml:14:38: {at}.twice.of: a text cannot be multiplied by a number",
        f'modules.yaml:15:38: {at}.total.of: no field "quantitty" (did you mean "quantity"?)',
        f'modules.yaml:17:37: {at}.color.of: no field "prodct" (did you mean "product"?)',
    ]


def test_all_problems_of_all_files_are_listed_at_once(tmp_path):
    modules = """\
portal: {currency: EUT}
modules:
  notes: {see: all, fields: {title: txt, day: date}, list: {columns: [dya], sort: tilte}}
  books: {see: own, fields: {name: {type: text, maxlength: 5, pattern: '['}}}
"""
    customer, buttons = "modules: {note: {}, books: {can: [fly]}}\n", "buttons: {new: {opens: nots}}\n"
    write_portal(tmp_path, modules, buttons, customer=customer, staff="modules: [\n")
    places = [str(problem).partition(": ")[0] for problem in load(tmp_path).problems]
    assert places == [
        *(f"modules.yaml:{place}" for place in ("1:20", "3:37", "3:71", "3:83", "4:16", "4:49", "4:72")),
        *("profiles/customer.yaml:1:11", "profiles/customer.yaml:1:35", "profiles/staff.yaml:1:10"),
        "buttons.yaml:1:24",
    ]


def test_what_has_no_effect_in_one_module_is_told_besides_what_is_wrong_in_another(tmp_path):
    modules = """
modules:
  notes:
    see: all
    fields: {title: text, state: {type: choice, options: [new, open, gone]}}
    lifecycle: {field: state, transitions: {go: {from: new, to: open}}}
  books:
    see: all
    fields: {title: txt, state: {type: choice, options: [a, b]}}
    lifecycle: {field: state, transitions: {go: {from: a, to: a}}}
"""
    write_portal(tmp_path, modules, staff="staff: true\nmodules: {notes: {can: [go]}, books: {}}\n")
    found = [(problem.line, problem.column, problem.warning) for problem in load(tmp_path).problems]
    assert found == [(5, 70, True), (9, 21, False)]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("string", "text"), ("str", "text"), ("textarea", "longtext"), ("richtext", "html"), ("int", "integer"),
        ("number", "integer"), ("float", "decimal"), ("currency", "money"), ("bool", "boolean"),
        ("checkbox", "boolean"), ("timestamp", "datetime"), ("select", "choice"), ("enum", "choice"),
        ("multiselect", "choices"), ("relation", "link"), ("reference", "link"), ("many2many", "links"),
        ("Text", "text"), ("linc", "link"), ("CharField", "text"), ("linkMultiple", "links"), ("tree_select", "choice"),
        ("multiEnum", "choices"), ("object_reference", "link"), ("AttributeExternalKey", "link"),
        ("AttributeLinkedSetIndirect", "links"), ("TextInput", "text"), ("ManyToManyField", "links"),
        ("SelectMultiple", "choices"), ("DateSelector", "date"), ("linkParent", "link"),
    ],
)  # fmt: skip
def test_a_type_of_another_system_is_named_as_it_is_called_here(theirs, ours):
    assert intended_type(theirs) == ours


def test_every_name_that_is_suggested_exists():
    declared = {**vars(shapes), **vars(layout_shapes), **vars(home_shapes)}.values()
    shapes_of_files = [shape for shape in declared if isinstance(shape, type) and issubclass(shape, Shape)]
    keys = {key for shape in (*shapes_of_files, *Field.types.values()) for key in keys_of(shape)}
    keys |= set(TOP_LEVEL_KEYS)
    assert {name for names in OUR_TYPES.values() for name in names} <= set(Field.types)
    assert {name for names in OUR_KEYS.values() for name in names} <= keys
    assert set(OUR_TYPES).isdisjoint(Field.types)
