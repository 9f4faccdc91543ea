"""The registry of displays: every field type has one, and lists draw them as a record's page does."""

import datetime
import re
from pathlib import Path
from typing import get_type_hints
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from portal.fields.base import Field
from portal.fields.file import FileField, FileValue
from portal.fields.lines import Lines
from portal.fields.proxy_field import ProxyField
from portal.fields.reader import Reader
from portal.records.reading.records import Count
from portal.rendering.cells import PLACEHOLDERS, CellRenderer, CellTemplates
from portal.rendering.templates import Templates
from portal.views import displays
from portal.views.displays import BUILT_IN, DISPLAYS, Value, moment
from portal.views.lists.columns import Column
from portal.views.lists.list_rows import ListRow
from portal.views.wording import count_text
from portal.web.assets import Assets
from portal.web.frame import Frame
from tests.source_code import PORTAL
from tests.unit.database.portals import load_shipped

TEMPLATES = Templates()
ASSETS = Assets()


def draw(template, **values):
    frame = Frame(name="Portal", static=ASSETS.url, icon=ASSETS.icon, logo=ASSETS.logo, csrf_token="token")
    return TEMPLATES.render(template, {"page": None, **values}, Reader(), frame)


# The texts of a value: those that determine its kind, those whose presence does, and all others.
OF_KIND, IF_ANY = {"label", "display", "tone", "icon"}, {"url", "note"}
FURTHER = [name for name, kind in get_type_hints(Value).items() if kind is str and name not in OF_KIND | IF_ANY]


def as_cell(value):
    """The cell as a list draws it: from the template of its kind, first used with another value."""
    renderer = CellRenderer(CellTemplates(), draw, ("icons", "en", "en"))
    others = {name: "2000-01-01" if name == "iso" else f"another {name}" for name in FURTHER}
    another = value._replace(**others, **{name: getattr(value, name) and f"/another-{name}" for name in IF_ANY})
    rows = [ListRow(number, "Title", "/", (cell,)) for number, cell in enumerate([another, value])]
    table = renderer.rows([Column("x", "X")], rows, "")
    return table.rpartition("<tr>")[2].removesuffix("</tr>")


def test_every_display_of_a_field_type_is_registered():
    names = {name: kind.display for name, kind in Field.types.items() if isinstance(kind.display, str)}
    assert {name: display for name, display in names.items() if display not in DISPLAYS} == {}, "views/displays.py"
    assert set(BUILT_IN.values()) <= set(DISPLAYS)
    computed = {name for name, kind in Field.types.items() if not issubclass(kind, ProxyField)} - names.keys()
    assert sorted(computed) == [], "a display that depends on the field is not looked at here"


def test_what_a_display_asks_a_field_a_lookup_of_it_answers():
    """A lookup has the display of its target, with the target's texts, options and so on (fields/proxy_field.py)."""
    asked = set(re.findall(r"\bfield\.([a-z]\w*)", Path(displays.__file__).read_text("utf-8")))
    never = (ProxyField, Lines, FileField)  # what no lookup leads to
    by_type = {name for kind in Field.types.values() if not issubclass(kind, never) for name in vars(kind)}
    assert sorted(asked & by_type - vars(ProxyField).keys()) == [], "fields/proxy_field.py: take it from the target"


def test_every_display_has_a_macro_of_its_name():
    macros = set(TEMPLATES["displays.pt"].macros.names)
    assert sorted(DISPLAYS.keys() - macros) == [], "templates/displays.pt lacks these macros"
    assert sorted(macros - DISPLAYS.keys() - {"matched", "nodes"}) == [], "views/displays.py: DISPLAYS lacks these"


def test_every_display_is_looked_at_on_the_pages_of_the_demo():
    """On a narrow screen, in dark mode, with axe: the demo has a field of each, but of those that views choose."""
    chosen_by_views, elsewhere = {"empty", "cover", "linked_text"}, {"files", "json"}
    fields = [field for module in load_shipped(".").modules.values() for field in module.fields.values()]
    columns = [column for field in fields for column in field.row_fields.values()]
    shown = {field.display for field in (*fields, *columns)}
    lacking = DISPLAYS.keys() - shown - {*BUILT_IN.values()} - chosen_by_views - elsewhere
    assert sorted(lacking) == [], "no field of modules.yaml in the demo has this display"


def test_a_cell_is_reused_only_if_it_shows_nothing_but_texts():
    """What else its macro reads would be that of the first value, see rendering/cells.py."""
    _begin, *macros = re.split(r'define-macro="', (PORTAL / "templates/displays.pt").read_text("utf-8"))
    read = {name: set(re.findall(r"\bvalue\.(\w+)", macro)) for name, macro in (text.split('"', 1) for text in macros)}
    reusable = {name for name, display in DISPLAYS.items() if display.reusable}
    further = {name: read[name] - PLACEHOLDERS.keys() - {"tone", "icon"} for name in reusable & read.keys()}
    unknown = {name: names for name, names in further.items() if names}
    assert unknown == {}, "not reusable=True, or a placeholder in rendering/cells.py"


@pytest.mark.parametrize("name", sorted(name for name, display in DISPLAYS.items() if display.reusable))
@pytest.mark.parametrize("url", ["", "/tickets/7/?a=1&b=<2>"])
@pytest.mark.parametrize("note", ["", "found in: Notes & more"])
def test_a_reused_cell_looks_like_one_that_is_drawn_alone(name, url, note):
    texts = {each: f"its {each}" for each in FURTHER} | {"text": "A <b> & “c”", "iso": "2026-11-27T10:00:00"}
    value = Value("Label", name, url=url, note=note, tone="good", icon="star", **texts)
    alone = draw("cell.pt", value=value, classes="extra", label="X", compact=True).strip()
    assert as_cell(value) == alone, "a reusable macro reads what is neither in the kind nor a placeholder of cells.py"


@pytest.mark.parametrize("name", sorted(name for name, display in DISPLAYS.items() if display.highlight))
def test_what_was_searched_for_is_marked(name):
    value = Value("Label", name, "Printer <jam>", matches=(("Printer ", False), ("<jam>", True)))
    assert "Printer <mark>&lt;jam&gt;</mark>" in as_cell(value)


def test_an_empty_value_is_drawn_as_empty():
    assert Value(display="link").macro == "empty"
    assert Value(display="html", html=Markup("<p>x</p>")).macro == "html"


@pytest.mark.parametrize(
    ("name", "raw", "facts"),
    [
        ("email", "a@b.example", {"url": "mailto:a@b.example"}),
        ("phone", "+39 02 / 12", {"url": "tel:+3902" + "12"}),
        ("phone", "+44 (0)20 7946 0000", {"url": "tel:+442079460000"}),
        ("phone", "(0) 20 7946", {"url": "tel:0207946"}),
        ("phone", "+1 608 271-9000 x12", {"url": "tel:+16082719000;ext=12"}),
        ("phone", "office: 02 1234", {"url": "tel:021234"}),
        ("url", "javascript:alert(1)", {"url": ""}),
        ("url", "https://a.example", {"url": "https://a.example"}),
        ("datetime", datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC), {"iso": "2026-01-02T03:04:00+00:00"}),
    ],
)
def test_a_display_makes_its_value(name, raw, facts):
    display, field = DISPLAYS[name], Field.types[name](name="x", type=name)
    value = display.make(display.name, field, raw, field.show(raw, Reader()), Reader())
    assert {key: getattr(value, key) for key in facts} == facts


def test_a_file_that_is_no_picture_stays_a_link_in_a_field_that_takes_only_pictures_by_now():
    field = Field.types["files"](name="x", type="files", types="image/*")
    kept = [FileValue(number, name=name) for number, name in enumerate(["a.webp", "b.pdf", "c"], start=1)]
    value = DISPLAYS["files"].make("files", field, kept, "", Reader())
    assert [part.display for part in value.parts] == ["image", "file", "image"]


@pytest.mark.parametrize(("language", "zone"), [("it", "CET"), ("en", "GMT+01:00")])
def test_a_moment_names_its_zone_as_the_language_of_the_reader_does(language, zone):
    reader = Reader(language=language, time_zone=ZoneInfo("Europe/Rome"))
    assert moment(datetime.datetime(2026, 1, 29, 9, tzinfo=datetime.UTC), reader).zone == zone


@pytest.mark.parametrize(("count", "text"), [(Count(0), "0"), (Count(0, True), ""), (Count(1_000, True), "1,000+")])
def test_a_count_says_nothing_where_none_was_met_among_the_newest(count, text):
    assert count_text(count, Reader()) == text
