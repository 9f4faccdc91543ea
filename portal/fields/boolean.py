"""`boolean`: yes or no. A form posts `true`; an absent input is false."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.base_shape import Option
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.refused import Refused, declared_text, filled
from portal.fields.sheet_cell import SheetCell
from portal.texts import _, fold

# Folded. Spreadsheets write the words of their user's language.
YES = ("true", "yes", "1", "on", "vero", "prawda", "wahr", "vrai", "verdadero", "verdadeiro", "waar")
NO = ("false", "no", "0", "off", "falso", "falsz", "falsch", "faux", "onwaar")
# Databases write t and f, other programs y and n; an option with such a name (x and y) may mean something else.
YES_LETTERS, NO_LETTERS = ("t", "y"), ("f", "n")


class Boolean(Field):
    """Yes or no."""

    type: Literal["boolean"]
    column_type: ClassVar[Any] = sa.Boolean
    searched_in_lists: ClassVar[bool] = True
    widget: ClassVar[str] = "checkbox"
    filter: ClassVar[str] = "options"
    can_be_unique: ClassVar[bool] = False
    json_type: ClassVar[str] = "boolean"
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("false", False, "No"),
        ("true", True, "Yes"),
        ("YES", True, "Yes"),
        ("t", True, "Yes"),
        ("FAŁSZ", False, "No"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("maybe", "2", "tru", "\x00")

    @property
    def offered(self) -> Mapping[str, Option]:
        return {"true": Option.model_construct(label=_("Yes")), "false": Option.model_construct(label=_("No"))}

    def parse(self, text: str, reader: Reader) -> bool | None:
        """A word or a letter for yes or no, including those of the reader's language."""
        word = fold(filled(text)[:40])
        if not word:
            return None
        if word in (*YES, *YES_LETTERS) or word == fold(reader.text(_("Yes"))):
            return True
        if word in (*NO, *NO_LETTERS) or word == fold(reader.text(_("No"))):
            return False
        raise Refused(_("Choose yes or no."))

    def parse_form(self, form: Form, reader: Reader) -> bool:
        """A checkbox that is not ticked posts nothing: False."""
        return self.parse(self.input_text(form), reader) or False

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """`true` for a ticked checkbox."""
        return {self.name: "true" if value else ""}

    def to_json(self, value: Any) -> bool | None:
        return value if value is None else bool(value)

    def json_inputs(self, given: Any, present: Any, reader: Reader) -> dict[str, str | list[str]]:
        """From true or false, or a word that means it."""
        word = declared_text(given) if isinstance(given, bool) else given
        return super().json_inputs(word, present, reader)

    def show(self, value: Any, reader: Reader) -> str:
        """Yes or No in the reader's language."""
        return "" if value is None else reader.text(_("Yes") if value else _("No"))

    def show_among(self, value: Any, reader: Reader) -> str:
        """The label if it is Yes: the word alone would not say what is."""
        return reader.text(self.title) if value else ""

    def option_of(self, value: Any) -> str:
        return "true" if value else "false"

    def is_missing(self, value: Any) -> bool:
        """A box that must be ticked is one that says yes."""
        return not value

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """A field that was never set counts as No."""
        if operator == "equal" and value is False:
            column = self.expression(table)
            return sa.or_(column.is_(False), column.is_(None))
        return super().compare(table, operator, value)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        return bool(value) is constant if operator == "equal" else super().matches(value, operator, constant)

    def text_forms(self, value: Any, reader: Reader) -> tuple[str, ...]:
        """All words that mean it, including those of the reader's language."""
        if value is None:
            return ("",)
        return (*YES, reader.text(_("Yes"))) if value else (*NO, reader.text(_("No")))

    def write(self, value: Any) -> str:
        return "" if value is None else self.option_of(value)

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell:
        """A boolean, which spreadsheets show in their user's language."""
        return SheetCell(value)

    def texts(self, value: Any) -> Iterable[str]:
        """The label if true: nobody searches for “yes”, and “no” would find all other records."""
        return tuple(self.title) if value else ()
