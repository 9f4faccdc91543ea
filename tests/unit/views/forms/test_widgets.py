"""The registry of widgets and of filters: every field type has a widget, and each is drawn by the macro of its name."""

from portal.fields.base import Field
from portal.views.forms.widgets import WIDGETS
from portal.web.rendering import Templates

TEMPLATES = Templates()
# Macros that widgets.pt is made of.
INNER = {"field", "name", "notes", "finder", "line", "no_answer"}


def test_every_widget_of_a_field_type_is_registered():
    assert {name: kind.widget for name, kind in Field.types.items() if kind.widget not in WIDGETS} == {}


def test_every_widget_has_a_macro_of_its_name():
    macros = set(TEMPLATES["widgets.pt"].macros.names) - INNER
    assert set(WIDGETS) - macros == set(), "templates/widgets.pt lacks these macros"
    assert macros - set(WIDGETS) == set(), "views/forms/widgets.py: WIDGETS lacks these"


def test_every_filter_of_a_field_type_has_a_macro():
    filters = {name: kind.filter for name, kind in Field.types.items() if isinstance(kind.filter, str) and kind.filter}
    macros = TEMPLATES["filters.pt"].macros.names
    assert {name: macro for name, macro in filters.items() if macro not in macros} == {}
