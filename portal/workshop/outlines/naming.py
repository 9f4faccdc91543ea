"""Names and labels from the names of others' tables, files and columns."""

import re
from collections.abc import Collection

from portal.declaration.name_rules import (
    BUILT_IN,
    LONGEST_NAME,
    RESERVED_FIELDS,
    RESERVED_MODULES,
    RESERVED_PREFIXES,
    SYSTEM_COLUMNS,
)
from portal.declaration.plurals import in_plural, in_singular
from portal.texts import fold

HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
KEY_ENDINGS = ("_id", "_code", "_number", "_no", "_key", "_uuid", "_fk")
FORBIDDEN = {*BUILT_IN, *RESERVED_FIELDS, *SYSTEM_COLUMNS}


def snake(text: str) -> str:
    """`CustomerID` and “Customer ID” as customer_id."""
    return re.sub(r"[^a-z0-9]+", "_", fold(HUMPS.sub("_", text))).strip("_")


def module_name(text: str, taken: Collection[str]) -> str:
    """A free name for the module guessed from a table or file."""
    name = in_plural(snake(text) or "table")
    if name in RESERVED_MODULES or name.startswith(RESERVED_PREFIXES) or not name[0].isalpha():
        name = f"the_{name}"
    return _free(name, taken)


def field_name(text: str, module: str, taken: Collection[str]) -> str:
    """A free name for the field of a column; a name that the portal uses itself is prefixed with that of the record."""
    name = snake(text) or "column"
    if name in FORBIDDEN or not name[0].isalpha():
        name = f"{in_singular(module)}_{name}"
    return _free(name, taken)


def link_name(name: str, taken: Collection[str]) -> str:
    """The name for the field of a guessed link: `artist_id` leads to an artist."""
    for ending in KEY_ENDINGS:
        short = name.removesuffix(ending)
        if short != name and short and short not in FORBIDDEN and short not in taken:
            return short
    return name


def _free(name: str, taken: Collection[str]) -> str:
    candidate, number = name[:LONGEST_NAME], 2
    while candidate in taken:
        ending = f"_{number}"
        candidate, number = name[: LONGEST_NAME - len(ending)] + ending, number + 1
    return candidate
