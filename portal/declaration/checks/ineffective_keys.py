"""Warns about keys of a field that have no effect on its type, such as the placeholder of a checkbox."""

from collections.abc import Iterator

from portal.conditions import special_word
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor
from portal.fields.base import Field
from portal.fields.default_paths import value_path

TYPED_WIDGETS = ("input", "textarea", "markdown", "html", "json", "tags", "money", "location")
DRAWN_BY_BROWSERS = ("date", "datetime-local", "time")  # input types that show no placeholder


def check_ineffective_keys(module: Module, field: Field, at: Cursor) -> None:
    """Reports each written key without an effect, with the reason."""
    for key, reason in _ineffective(module, field):
        at[key].key.warn(f"has no effect: {reason}")


def _ineffective(module: Module, field: Field) -> Iterator[tuple[str, str]]:
    shows_placeholder = (
        field.widget in TYPED_WIDGETS and field.input_type not in DRAWN_BY_BROWSERS and not field.computed
    )
    if field.placeholder is not None and not shows_placeholder:
        yield "placeholder", f"the input of {_kind(field)} shows none"
    if field.computed and not field.follows_form:
        for key in ("help", "show_when"):
            if getattr(field, key) is not None:
                yield key, f"no form shows {_kind(field)}"
    if field.virtual and field.formerly is not None:
        yield "formerly", f"{_kind(field)} keeps no values"
    if field.index and module.table is not None:
        yield "index", "an existing table is never altered"
    elif field.index and (field.virtual or field.multiple or not field.sortable):
        yield "index", f"{_kind(field)} has no column by which a list sorts"
    if field.search and not field.searchable:
        yield "search", f"{_kind(field)} is never searched"
    default = field.default
    differs = field.differs_by_default or special_word(default) is not None or value_path(default) is not None
    if field.unique is True and default is not None and not differs:
        yield "default", "only one record may have this value, which is unique"


def _kind(field: Field) -> str:
    return f"a field of type {field.type}"
