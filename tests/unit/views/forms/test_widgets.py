"""The registry of widgets and of filters: every field type has a widget, and each is drawn by the macro of its name."""

import html

import pytest

from portal.declaration.checks.ineffective_keys import DRAWN_BY_BROWSERS
from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.rendering.cells import CellRenderer, CellTemplates
from portal.rendering.templates import Templates
from portal.views.forms.form_page import Input, Offer, Widget
from portal.views.forms.widgets import WIDGETS
from portal.web.assets import STATIC, Assets
from portal.web.frame import Frame
from tests.unit.database.portals import load_shipped

TEMPLATES = Templates()
ASSETS = Assets()
TEXTS = ("", 'A <b> & "c"', "line\nline", "\uf8d1\uf8d2")
REUSED = sorted(name for name, kind in WIDGETS.items() if kind.reuse != "never")
# Helper macros in widgets.pt.
INNER = {"field", "name", "notes", "finder", "line", "no_answer", "required"}


def test_every_widget_of_a_field_type_is_registered():
    # Each depends on the field's declaration.
    chosen_by_keys = {"rating": {"rating", "select"}, "datetime": {"input", "day_and_time"}}
    widgets = {name: chosen_by_keys.get(name, {kind.widget}) for name, kind in Field.types.items()}
    lacking = {name: found - WIDGETS.keys() for name, found in widgets.items() if found - WIDGETS.keys()}
    assert lacking == {}, "views/forms/widgets.py: WIDGETS lacks these"


def test_every_widget_has_a_macro_of_its_name():
    macros = set(TEMPLATES["widgets.pt"].macros.names) - INNER
    assert sorted(WIDGETS.keys() - macros) == [], "templates/widgets.pt lacks these macros"
    assert sorted(macros - WIDGETS.keys()) == [], "views/forms/widgets.py: WIDGETS lacks these"


def test_every_input_that_browsers_draw_has_no_placeholder_and_shows_its_focus():
    typed = {"text", "email", "tel", "url", "color"}
    input_types = {kind.input_type for kind in Field.types.values() if isinstance(kind.input_type, str)}
    drawn = sorted({*input_types, *DRAWN_BY_BROWSERS} - typed)
    assert drawn == sorted(DRAWN_BY_BROWSERS), "DRAWN_BY_BROWSERS lacks these, unless people type into them"
    styles = (STATIC / "css/base.css").read_text(encoding="utf-8")
    assert [name for name in drawn if f'[type="{name}"]' not in styles] == [], "base.css: input:is(…):focus-within"


def test_every_widget_is_looked_at_on_the_pages_of_the_demo():
    elsewhere = {"cards", "day_and_time", "json"}
    fields = [field for module in load_shipped(".").modules.values() for field in module.fields.values()]
    columns = [column for field in fields for column in field.row_fields.values()]
    lacking = WIDGETS.keys() - {field.widget for field in (*fields, *columns)} - elsewhere
    assert sorted(lacking) == [], "no field of modules.yaml in the demo has this widget"


def test_every_filter_of_a_field_type_has_a_macro():
    filters = {name: kind.filter for name, kind in Field.types.items() if isinstance(kind.filter, str) and kind.filter}
    macros = TEMPLATES["filters.pt"].macros.names
    lacking = {name: macro for name, macro in filters.items() if macro not in macros}
    assert lacking == {}, "templates/filters.pt lacks these macros"


@pytest.mark.parametrize("name", REUSED)
def test_a_reused_field_looks_like_one_that_is_drawn_alone(name):
    renderer = CellRenderer(CellTemplates(), draw, ("icons", "en", "en"))
    for widget in of_kind(name):
        drawn = str(renderer.field(widget))
        # A quotation mark can be written in two ways.
        assert html.unescape(drawn) == html.unescape(draw("field.pt", widget=widget).strip())
        assert "<b>" not in drawn


@pytest.mark.parametrize("name", REUSED)
def test_what_was_typed_is_no_part_of_what_is_kept_of_a_field(name):
    kinds = {widget.kind for widget in of_kind(name)}
    assert not any(text in str(kind) for text in TEXTS[1:] for kind in kinds)


def test_a_field_with_an_error_or_with_many_options_is_drawn_anew():
    many = tuple(Offer(str(number), str(number)) for number in range(100))
    renderer = CellRenderer(CellTemplates(), draw, ("icons", "en", "en"))
    assert renderer.field(Widget("a", "A", reuse="filled", error="Required")) is None
    assert renderer.field(Widget("a", "A", "select", offers=many, reuse="chosen")) is None
    assert renderer.field(Widget("a", "A", "link")) is None


def of_kind(name):
    """Fields of one kind that each differ in one thing."""
    base = Widget("a", "A", name, grouped=WIDGETS[name].grouped, reuse=WIDGETS[name].reuse, help="Help", suffix="%")
    offers = [tuple(Offer(option, option.upper(), option == chosen) for option in "xyz") for chosen in ("", "x", "z")]
    values = (*TEXTS, "true") if base.reuse == "chosen" else TEXTS
    for value in values:
        yield base._replace(value=value, inputs=(Input("a", "Amount", value), Input("b", "Currency", value[:3])))
        yield base._replace(value=value, required=True, bounds="From 1 to 3.", max_length=7, minimum="1", hidden=True)
    for chosen in offers:
        yield base._replace(offers=chosen)
        yield base._replace(offers=chosen, empty="None", empty_last=True, required_when='["b", "equal", ["1"], false]')


def draw(template, **values):
    frame = Frame(name="Portal", static=ASSETS.url, icon=ASSETS.icon, logo=ASSETS.logo, csrf_token="token")
    return TEMPLATES.render(template, {"page": None, **values}, Reader(), frame)
