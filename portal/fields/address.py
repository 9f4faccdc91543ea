"""`address`: street, postal code, city, region and country, each in a column of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.conditions import is_nothing
from portal.fields.base import Field
from portal.fields.column_types import folded_text
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.refused import Refused, filled, json_text, storable
from portal.fields.several_values import join_values, split_all_values
from portal.fields.text import at_most
from portal.texts import _, fold

LONGEST = 255


@dataclass(frozen=True)
class Address:
    """A place; unknown parts are empty texts."""

    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """As on an envelope."""
        city = " ".join(part for part in (self.postal_code, self.city) if part)
        return tuple(line for line in (self.street, city, self.region, self.country) if line)


PARTS = tuple(part.name for part in fields(Address))


class AddressField(Field):
    """Street, postal code, city, region and country."""

    type: Literal["address"]
    takes_mapping: ClassVar[bool] = True
    from_column: ClassVar[bool] = False
    widget: ClassVar[str] = "address"
    display: ClassVar[str] = "address"
    filter: ClassVar[str] = "text"
    textual: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    # The labels of the inputs, and what a browser may fill in.
    parts: ClassVar[Mapping[str, tuple[str, str]]] = {
        "street": (_("Street"), "street-address"),
        "postal_code": (_("Postal code"), "postal-code"),
        "city": (_("City"), "address-level2"),
        "region": (_("Region"), "address-level1"),
        "country": (_("Country"), "country-name"),
    }
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        (
            '"Corso Italia 1, int. 2",20122,Milano,,Italia',
            Address("Corso Italia 1, int. 2", "20122", "Milano", "", "Italia"),
            "Corso Italia 1, int. 2, 20122 Milano, Italia",
        ),
        ("Żabia 5", Address("Żabia 5"), "Żabia 5"),
        (",,,,", None, ""),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("x" * 256, "a,b,c,d,e,f", "a\x00b", ",\ud800", "x" * 100_000)

    @property
    def folded(self) -> str:
        return f"_{self.name}_folded"

    def part_column(self, part: str) -> str:
        """The name of the column of one part."""
        return f"_{self.name}_{part}"

    def columns(self) -> list[sa.Column[Any]]:
        """A column for each part, and one with all words folded, for search, filters and sorting."""
        parts = [sa.Column(self.part_column(part), sa.Text()) for part in PARTS]
        return [sa.Column(self.folded, folded_text()), *parts]

    def store(self, value: Any) -> dict[str, Any]:
        folded = None if value is None else fold(" ".join(part for part in astuple(value) if part))
        return {self.folded: folded, **{self.part_column(part): value and getattr(value, part) for part in PARTS}}

    def load(self, row: Mapping[str, Any]) -> Address | None:
        """The Address of a row; None if all its parts are empty."""
        return self._from_parts([row[self.part_column(part)] or "" for part in PARTS])

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """The folded words: addresses are compared and sorted by these."""
        return table.c[self.folded]

    def parse(self, text: str, reader: Reader) -> Address | None:
        """The parts separated by commas, quoted if they contain one: `"Main street 1, left",1234,City,,`."""
        if not (text := filled(text)):
            return None
        parts = split_all_values(at_most(text, LONGEST * len(PARTS) * 2))
        if len(parts) > len(PARTS):
            raise Refused(_("Enter street, postal code, city, region and country, separated by commas."))
        return self._from_parts([*parts, *[""] * (len(PARTS) - len(parts))])

    def parse_form(self, form: Form, reader: Reader) -> Address | None:
        """The Address of one input for each part, NAME.street and so on."""
        return self._from_parts([self.input_text(form, part) for part in PARTS])

    def _from_parts(self, parts: list[str]) -> Address | None:
        cleaned = [" ".join(filled(at_most(part, LONGEST)).split()) for part in parts]
        return Address(*cleaned) if any(cleaned) else None

    def has_input(self, form: Form) -> bool:
        return any(f"{self.name}.{part}" in form for part in PARTS)

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """An input for each part, NAME.street and so on."""
        return {f"{self.name}.{part}": getattr(value, part) if value else "" for part in PARTS}

    def to_json(self, value: Any) -> dict[str, str] | None:
        return asdict(value) if value else None

    def json_inputs(self, given: Any, present: Any, reader: Reader) -> dict[str, str | list[str]]:
        """From the parts by name; some may be missing."""
        if given is not None and not (isinstance(given, Mapping) and set(given) <= set(PARTS)):
            raise Refused(_("This is not in the expected format."))
        return self.inputs(self._from_parts([json_text((given or {}).get(part)) for part in PARTS]), reader)

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        parts = {part: {"type": ["string", "null"]} for part in PARTS}
        return {"type": ["object", "null"], "properties": parts, "additionalProperties": False}

    def show(self, value: Any, reader: Reader) -> str:
        """The lines of an envelope on one line: “Corso Italia 1, 20122 Milano, Italia”."""
        return ", ".join(value.lines) if value else ""

    def write(self, value: Any) -> str:
        """The parts separated by commas, quoted if necessary, as `parse` reads them."""
        return join_values(astuple(value)) if value else ""

    def constant(self, raw: Any, reader: Reader) -> str:
        """A text that occurs anywhere in the address."""
        return storable(str(raw))

    def default_value(self, raw: Any, reader: Reader) -> Address | None:
        """From a mapping of parts (`city: Milano`), or a text as in CSV."""
        if isinstance(raw, Mapping):
            if unknown := next((str(part) for part in raw if part not in PARTS), None):
                raise Refused(_("“${value}” is not one of the options.", mapping={"value": unknown[:40]}))
            return self._from_parts([str(raw.get(part, "")) for part in PARTS])
        return None if is_nothing(raw) else self.parse(str(raw), reader)

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`equal` to a text means every address that contains it."""
        if operator in ("contains", "equal"):
            return table.c[self.folded].contains(fold(str(value)), autoescape=True)
        return super().compare(table, operator, value)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if operator in ("contains", "equal"):
            return value is not None and fold(str(constant)) in fold(" ".join(part for part in astuple(value) if part))
        return super().matches(value, operator, constant)

    def texts(self, value: Any) -> Iterable[str]:
        return tuple(part for part in astuple(value) if part) if value else ()
