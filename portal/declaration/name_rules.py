"""What may be a name in a declaration: characters, length, and reserved names."""

import re
import unicodedata

from portal.declaration.builtin import LABELS
from portal.declaration.source.problems import ProblemText
from portal.texts import fold

NAME = re.compile(r"[a-z][a-z0-9_]*")
LONGEST_NAME = 48
RESERVED_FIELDS = ("q", "tab", "sort", "after", "before", "view")
SYSTEM_COLUMNS = ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")
BUILT_IN = tuple(LABELS)
RESERVED_MODULES = (
    "login", "logout", "password", "language", "search", "static", "account", "api", "join", "signup", "unsubscribe",
    "views", "mcp",
)  # fmt: skip
RESERVED_PREFIXES = ("portal_", "sqlite_", "pg_")


def reserved_module(name: str) -> str | None:
    """Why no module can have this name, or None."""
    if name in RESERVED_MODULES:
        return f'"{name}" cannot be the name of a module: the portal uses that address itself'
    prefix = next((prefix for prefix in RESERVED_PREFIXES if name.startswith(prefix)), None)
    return f'names that begin with "{prefix}" are reserved for the database' if prefix else None


def reserved_field(name: str) -> str | None:
    """Why no field can have this name, or None."""
    if name in BUILT_IN:
        return f'every record already has a field "{name}": choose another name'
    if name in SYSTEM_COLUMNS:
        return f'"{name}" cannot be the name of a field: every table of PostgreSQL has a column of that name'
    return f'"{name}" cannot be the name of a field: the addresses of lists use it' if name in RESERVED_FIELDS else None


def wrong_name(name: str) -> str | None:
    """Why `name` cannot be a name, or None."""
    if not NAME.fullmatch(name):
        foreign = next((letter for letter in name if not letter.isascii()), None)
        letter = f"U+{ord(foreign):04X} ({unicodedata.name(foreign, 'unnamed').lower()}) is in it; " if foreign else ""
        rule = "use a to z, 0 to 9 and _, and begin with a letter"
        return ProblemText(f'"{name[:60]}" is not a valid name: {letter}{rule}', "name")
    if len(name) > LONGEST_NAME:
        return f"this name has {len(name)} characters: at most {LONGEST_NAME} are allowed"
    return None


def as_name(text: str) -> str:
    """The name that other entries probably use for something called `text`."""
    return re.sub(r"[^a-z0-9]+", "_", fold(text)).strip("_")
